//! Puts results where people look for them.

use std::path::Path;

use super::event::{Event, Sink};
use super::plan::PlannedStage;
use super::record::{ActionRecord, FileRecord};
use super::workspace::Workspace;
use runner_artifact::{Digest, Store};

/// Puts the result where people look for it, and takes away files of the previous result that are no longer made.
pub(super) fn place(
    workspace: &Workspace,
    stage: usize,
    record: &ActionRecord,
    sink: Sink,
    cancelled: &dyn Fn() -> bool,
) -> anyhow::Result<()> {
    let (store, key) = (workspace.store, record.manifest.key());
    let planned = &workspace.plan.stages[stage];
    let (pipeline, stage) = (&workspace.plan.spec.name, &planned.name);
    let folder = workspace.folder(stage);
    let _lock = store.lock_folder(pipeline, stage, cancelled)?;
    let previous = previous(store, pipeline, planned, &folder)?;
    let settled = store.current(pipeline, stage) == Some(key);
    if !settled {
        store.begin_placing(pipeline, stage, key)?;
    }
    let made = |name: &str| record.files().any(|file| file.name == name);
    let needs_place_of =
        |old: &FileRecord| record.files().any(|new| is_inside(&new.name, &old.name) || is_inside(&old.name, &new.name));
    // A file where there was a folder, or the other way round, needs the place before it is written.
    let (in_the_way, gone): (Vec<&FileRecord>, Vec<&FileRecord>) = (previous.iter().flat_map(ActionRecord::files))
        .filter(|old| !made(&old.name))
        .partition(|old| needs_place_of(old));
    in_the_way.iter().try_for_each(|old| take_away(store, old, &folder))?;
    let mut changed = Vec::new();
    for file in record.files() {
        let target = folder.join(&file.name);
        // Whoever takes a result out of the folder that was just said to be up to date must find what was computed.
        if store.is_materialised_whole(file.digest, &target) {
            continue;
        }
        let mut before = previous.iter().flat_map(ActionRecord::files).filter(|old| old.name == file.name).peekable();
        if before.peek().is_some() && target.exists() && !before.any(|old| store.holds(old.digest, &target)) {
            changed.push(file.name.as_str());
        }
        store.materialise(file.digest, &target)?;
    }
    if let [first, others @ ..] = changed.as_slice() {
        let more = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
        let message =
            format!("{first}{more} in '{}' was changed or damaged; replaced from the store", folder.display());
        sink(Event::Warned { stage: stage.to_owned(), message });
    }
    gone.iter().try_for_each(|old| take_away(store, old, &folder))?;
    if !settled {
        store.set_current(pipeline, stage, key)?;
    }
    Ok(())
}

/// Takes away a file that runner put there and nobody changed since.
fn take_away(store: &Store, old: &FileRecord, folder: &Path) -> anyhow::Result<()> {
    let target = folder.join(&old.name);
    if store.holds(old.digest, &target) {
        store.remove_materialised(&target, folder)?;
    }
    Ok(())
}

/// Whether the file of that name lies in a folder of the name of `outer`.
fn is_inside(name: &str, outer: &str) -> bool {
    name.strip_prefix(outer).is_some_and(|rest| rest.starts_with('/'))
}

/// The results of which files may lie in the stage's folder. Where the pointer does not tell, those of all stages of its kind: what lies there
/// under the name and with the content of one of them is runner's, and nobody's else.
fn previous(store: &Store, pipeline: &str, planned: &PlannedStage, folder: &Path) -> anyhow::Result<Vec<ActionRecord>> {
    let record = |key: Digest| -> anyhow::Result<Option<ActionRecord>> {
        Ok(store.read_record(key)?.and_then(|bytes| ActionRecord::parse(key, &bytes).ok()))
    };
    let placed = store.placed(pipeline, &planned.name)?;
    if let Some(keys) = &placed {
        let known = keys.iter().map(|&key| record(key)).collect::<anyhow::Result<Option<Vec<_>>>>()?;
        if let Some(known) = known {
            return Ok(known);
        }
    }
    let mut all = Vec::new();
    if folder.exists() {
        for key in store.record_keys()? {
            let kind = planned.stage.kind().name;
            all.extend(record(key)?.filter(|record| record.kind == kind));
        }
    }
    Ok(all)
}
