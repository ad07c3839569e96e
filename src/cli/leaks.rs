//! What the documents of several stages say together: models that read a column which leaks the label, and which models are to be used. Reads the records that it is given.

use std::collections::BTreeMap;

use super::screen::{self, Style};
use super::study::Study;
use crate::artifact::Store;
use crate::boundary::text::quoted;
use crate::engine::{ActionRecord, Entry, InputEntry, InputName};
use crate::report::leaks::{Leak, all, sentence};
use crate::report::{Repeated, StageArtifacts, models_to_use, repeated};
use crate::results::profile::Profile;
use crate::stages::aims::metric_of_result;
use crate::stages::documents::documents;

/// The kinds that split rows, audit columns or have models.
const KINDS: [&str; 7] = ["split", "describe", "baseline", "train", "transfer", "ensemble", "refit"];

/// What the documents of several stages say together.
pub(super) struct Together {
    /// Models that read a column which leaks the label.
    pub(super) leaks: Vec<Leak>,
    /// Which models are to be used, a text for each.
    pub(super) to_use: Vec<String>,
    /// Models on several draws of one split.
    pub(super) repeated: Vec<Repeated>,
}

/// Of the stages that `record` knows a result of, by their place in the plan.
pub(super) fn leaks<R: AsRef<ActionRecord>>(study: &Study, record: impl Fn(usize) -> Option<R>) -> Vec<Leak> {
    together(study, record).leaks
}

/// Of the stages that `record` knows a result of, by their place in the plan.
pub(super) fn together<R: AsRef<ActionRecord>>(study: &Study, record: impl Fn(usize) -> Option<R>) -> Together {
    let plan = &study.plan;
    let (mut stages, mut edges) = (Vec::new(), Vec::new());
    for (i, stage) in plan.stages.iter().enumerate() {
        let kind = stage.stage.kind().name;
        let Some(record) = KINDS.contains(&kind).then(|| record(i)).flatten() else { continue };
        edges.extend(plan.dependencies(i).into_iter().map(|from| (plan.stages[from].name.clone(), stage.name.clone())));
        stages.push(StageArtifacts {
            stage: stage.name.clone(),
            kind: kind.to_owned(),
            params: stage.stage.params(),
            metric: metric_of_result(record.as_ref()),
            // What cannot be read, who shows it will say.
            documents: documents(&study.store, record.as_ref(), |_| true).unwrap_or_default(),
            ..StageArtifacts::default()
        });
    }
    Together {
        leaks: all(&stages, &edges),
        to_use: models_to_use(&stages, &edges),
        repeated: repeated(&stages, &edges),
    }
}

/// The columns that leak the label, by the audit that a result of `describe` holds.
pub(super) fn found_by(store: &Store, record: &ActionRecord) -> Vec<String> {
    if record.kind != "describe" {
        return Vec::new();
    }
    let found = documents(store, record, |_| true).unwrap_or_default();
    found.get::<Profile>().map(|profile| profile.audit.leaking().map(str::to_owned).collect()).unwrap_or_default()
}

/// Which of the `leaking` columns the model of a result read, or the models that it averages: by what the manifests count, where no plan is at hand.
pub(super) fn read_by<R: AsRef<ActionRecord>>(record: &ActionRecord, run: &[R], leaking: &[String]) -> Vec<String> {
    if leaking.is_empty() {
        return Vec::new();
    }
    // The columns that count of each input.
    let mut inputs: BTreeMap<&InputName, Vec<(&String, &String)>> = BTreeMap::new();
    for (entry, digest) in record.manifest.entries() {
        if let Entry::Input(input, InputEntry::Column(column)) = entry {
            inputs.entry(input).or_default().push((column, digest));
        }
    }
    let of_port =
        |port: &'static str| inputs.iter().filter(move |(input, _)| input.port == port).map(|(_, columns)| columns);
    let has = |other: &ActionRecord, wanted: &[(&String, &String)]| {
        let mut tables = other.outputs.iter().filter_map(|output| output.table.as_ref());
        tables.any(|table| {
            let is_there = |name: &str, digest: &str| {
                table.columns.iter().any(|(own, content)| own == name && content.to_string() == digest)
            };
            wanted.iter().all(|(name, digest)| is_there(name, digest))
        })
    };
    let mut read: Vec<String> = of_port("rows").flatten().map(|(name, _)| (*name).clone()).collect();
    for member in of_port("members") {
        let models =
            run.iter().map(AsRef::as_ref).filter(|other| other.manifest != record.manifest && has(other, member));
        models.for_each(|model| read.extend(read_by(model, run, leaking)));
    }
    let mut columns: Vec<String> = Vec::new();
    for column in leaking {
        if read.contains(column) && !columns.contains(column) {
            columns.push(column.clone());
        }
    }
    columns
}

/// A leak in lines that fit.
pub(super) fn line(leak: &Leak, style: Style) -> String {
    screen::wrap(&quoted(&sentence(leak)), &format!("  {} ", style.error("danger:")), screen::width())
}
