//! `runner verify`: whether the store still holds what was put into it, and whether the same comes out when stages run again.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::interrupt::{self, interrupted};
use super::study::Study;
use super::{DONE, FAILED, INTERRUPTED, Outcome, StudyArguments, output, screen};
use crate::artifact::{Damaged, Digest, StoreError};
use crate::engine::{ActionRecord, AuditOptions, Audited, Event, History, audit};
use crate::report::{counted, noun};

#[derive(Args)]
pub(super) struct VerifyArguments {
    #[command(flatten)]
    study: StudyArguments,
    /// The stages to verify, with what they depend on; the whole store if none is named
    stages: Vec<String>,
    /// Also run the stages again, beside the store, and compare what comes out with what the store has
    #[arg(long)]
    rerun: bool,
    /// With --rerun: how far numbers of tables and JSON may be off, relative to the larger [default: not at all, byte by byte]
    #[arg(long, value_name = "X", requires = "rerun")]
    tolerance: Option<f64>,
    /// Threads in use at once [default: the machine's]
    #[arg(short, long, value_name = "N")]
    jobs: Option<std::num::NonZeroUsize>,
    /// One JSON object per line instead of text
    #[arg(long)]
    json: bool,
}

/// Something that is not what it was.
struct Finding {
    /// `STAGE/FILE` of this pipeline, where one needs it.
    what: String,
    /// What is wrong, and what to do.
    fault: String,
}

pub(super) fn verify(arguments: &VerifyArguments) -> Outcome {
    let study = Study::of_results(&arguments.study)?;
    let selected = study.select(&arguments.stages)?;
    interrupt::catch()?;
    // So that nothing is collected meanwhile.
    let _shared = study.store.share(&interrupted)?;
    let (findings, checked) = interrupt::at_once(|| match arguments.stages.is_empty() {
        true => whole_store(&study, &selected),
        false => results(&study, &selected),
    })?;
    study.store.stats().save();
    let style = screen::Style::stdout();
    for Finding { what, fault } in &findings {
        if arguments.json {
            super::print_json(&json!({"event": "damaged", "what": what, "fault": fault}));
        } else {
            let lead = format!("{} ", style.error("damaged:"));
            super::print(&screen::wrap(&format!("{what}: {fault}"), &lead, screen::width()));
        }
    }
    let mut wrong = !findings.is_empty();
    if arguments.json {
        super::print_json(&json!({"event": "verified", "damaged": findings.len(), "checked": checked}));
    } else if findings.is_empty() {
        super::print(&format!("{} {checked}\n", style.good("sound:")));
    }
    if arguments.rerun && wrong && !arguments.json {
        super::print("nothing was run again: first run the pipeline, so that the store is sound\n");
    }
    if arguments.rerun && !wrong {
        wrong |= interrupt::within_a_second(output::finish, || rerun(arguments, &study, &selected))?;
    }
    Ok(match (interrupted(), wrong) {
        (true, _) => INTERRUPTED,
        (false, true) => FAILED,
        (false, false) => DONE,
    })
}

/// Every blob, record and memo of the store, whichever pipeline made it, and this pipeline's files for people.
fn whole_store(study: &Study, selected: &[usize]) -> anyhow::Result<(Vec<Finding>, String)> {
    // First what can be told by the names of stages.
    let (mut findings, _) = results(study, selected)?;
    let is_sound = |key: Digest, record: &[u8]| ActionRecord::parse(key, record).is_ok();
    let verified = study.store.verify_with(&is_sound, &|_, _| {})?;
    for damage in &verified.damaged {
        let (kind, what) = match damage.kind {
            Damaged::Blob => ("blob", "its content does not have its digest"),
            Damaged::Record => ("record", "it is damaged, or names what it must not"),
            Damaged::Memo => ("memo", "its content does not have its digest"),
        };
        let fate = match study.store.discard(damage) {
            true => "it was removed, and what needs it is computed anew by the next run",
            false => "it could not be removed: make the store writable and verify again",
        };
        findings.push(Finding { what: format!("{kind} {}", damage.path.display()), fault: format!("{what}; {fate}") });
    }
    let history = History::of(&study.store);
    for path in history.unreadable() {
        let fault = "it cannot be read: that run is not listed and keeps no results (remove the file)".to_owned();
        findings.push(Finding { what: format!("run {}", path.display()), fault });
    }
    let (pointers, damaged) = study.store.check_pointers()?;
    for path in damaged {
        let fault =
            "it does not say which result lies in the folder of its stage (run again to write it anew)".to_owned();
        findings.push(Finding { what: format!("note {}", path.display()), fault });
    }
    let runs = history.runs().count();
    // These have no digests: what can be read may still be another number than was written.
    let checked = format!(
        "{} {} ({}), {} {}, {} {}; readable: {}, {} of what is in the folders",
        verified.blobs,
        noun(verified.blobs as u64, "blob"),
        screen::bytes(verified.bytes),
        verified.records,
        noun(verified.records as u64, "record"),
        verified.memos,
        noun(verified.memos as u64, "memo"),
        counted(runs as u64, "run"),
        counted(pointers as u64, "note")
    );
    Ok((findings, checked))
}

/// The results in place of the selected stages, in the store and in the folders for people, and what they were made of, read and hashed. What
/// is damaged is taken out of the store, and what was believed of changed files is forgotten, so that the next run sees it.
fn results(study: &Study, selected: &[usize]) -> anyhow::Result<(Vec<Finding>, String)> {
    let (workspace, store) = (study.workspace(), &study.store);
    let mut findings = Vec::new();
    // Results that share a blob share its damage, and what was done about it.
    let mut fates: BTreeMap<Digest, &str> = BTreeMap::new();
    let (mut files, mut bytes) = (0, 0);
    for (stage, record) in placed(study, selected) {
        for file in record.files() {
            let what = format!("{stage}/{}", file.name);
            (files, bytes) = (files + 1, bytes + file.bytes);
            let target = workspace.folder(&stage).join(&file.name);
            let (blob, shown) = (Digest::of_file(&store.blob_path(file.digest)), delivered(&target));
            if shown.as_ref().ok() != Some(&file.digest) {
                store.stats().forget_file(&target);
            }
            let examined = store.examine(file.digest).map_err(|error| match error {
                StoreError::Damaged { fate, .. } => Ok(*fates.entry(file.digest).or_insert(fate)),
                StoreError::Missing { .. } => {
                    fates.get(&file.digest).copied().ok_or("it is missing in the store".to_owned())
                }
                error => Err(format!("it cannot be read in the store: {error}")),
            });
            let fault = match (examined, shown) {
                (Err(Ok(fate)), shown) => {
                    // The same damage in the file for people, of which an older version made another name of the blob.
                    if let (Ok(blob), Ok(shown)) = (blob, shown)
                        && blob == shown
                    {
                        store.remove_materialised(&target, &workspace.folder(&stage))?;
                    }
                    format!("its content in the store has changed: {fate} (run again to compute it anew)")
                }
                (Err(Err(fault)), _) => format!("{fault} (run again to compute it anew)"),
                (Ok(()), Ok(shown)) if shown != file.digest => {
                    "it was changed in the folder, and is sound in the store (run again to put it back)".to_owned()
                }
                (Ok(()), Err(_)) if target.is_dir() || target.is_symlink() => {
                    let what = if target.is_symlink() { "a symbolic link" } else { "a folder" };
                    format!("{what} stands in its place: move it away and run again")
                }
                (Ok(()), Err(error)) => {
                    format!(
                        "it cannot be read in the folder, and is sound in the store: {error} (run again to put it back)"
                    )
                }
                _ => continue,
            };
            findings.push(Finding { what, fault });
        }
    }
    findings.extend(sources(study, selected));
    Ok((findings, format!("{files} {} ({})", noun(files as u64, "file"), screen::bytes(bytes))))
}

/// The digest of a file for people, where it is a file.
fn delivered(target: &Path) -> std::io::Result<Digest> {
    if target.symlink_metadata()?.is_symlink() {
        return Err(std::io::Error::other("it is a symbolic link"));
    }
    Digest::of_file(target)
}

/// Sources that changed although their stamps did not: no run can see that by itself.
fn sources(study: &Study, selected: &[usize]) -> Vec<Finding> {
    let stats = study.store.stats();
    let sources = selected.iter().flat_map(|&stage| study.plan.stages[stage].stage.sources());
    let paths: BTreeSet<PathBuf> = sources.map(|source| source.path).collect();
    let changed = paths
        .into_iter()
        .filter(|path| stats.known(path).is_some_and(|known| Digest::of_file(path).is_ok_and(|found| found != known)));
    changed
        .map(|path| {
            stats.forget_file(&path);
            let fault = "its content changed, its time stamps did not (run again to compute what needs it)".to_owned();
            Finding { what: path.display().to_string(), fault }
        })
        .collect()
}

fn placed(study: &Study, selected: &[usize]) -> impl Iterator<Item = (String, ActionRecord)> {
    let workspace = study.workspace();
    let of = |&i: &usize| Some((study.plan.stages[i].name.clone(), workspace.current_record(i)?));
    selected.iter().filter_map(of).collect::<Vec<_>>().into_iter()
}

/// Whether any stage gave something else, or nothing.
fn rerun(arguments: &VerifyArguments, study: &Study, selected: &[usize]) -> anyhow::Result<bool> {
    let style = screen::Style::stdout();
    let threads = arguments.jobs.map_or_else(crate::engine::machine::threads, std::num::NonZeroUsize::get);
    let options = AuditOptions { threads, tolerance: arguments.tolerance };
    let (mut first, mut compared) = (None, 0);
    let mut tell = |stage: &str, audited: &Audited| {
        let wrong = matches!(audited, Audited::Differs { .. } | Audited::Failed { .. });
        compared += usize::from(!matches!(audited, Audited::NotUpToDate));
        if wrong && first.is_none() {
            first = Some(stage.to_owned());
        }
        if arguments.json {
            let mut line = json!(audited);
            line["event"] = json!("rerun");
            line["stage"] = json!(stage);
            super::print_json(&line);
            return;
        }
        let lines = match audited {
            Audited::Same => vec![style.good("the same bytes")],
            Audited::Tolerated { files } => vec![format!("within the tolerance: {}", files.join(", "))],
            Audited::NotUpToDate => vec![style.dim("not up to date: there is nothing to compare with")],
            Audited::Failed { error } => vec![format!("{} {error}", style.error("failed:"))],
            Audited::Differs { places } => (places.iter())
                .map(|place| format!("{} {}, {}", style.error("differs:"), place.file, place.at))
                .collect(),
        };
        for line in lines {
            super::print(&screen::wrap(&line, &format!("{} ", style.bold(stage)), screen::width()));
        }
    };
    audit(&study.workspace(), selected, options, &|_: Event| {}, &interrupted, &mut tell)?;
    if arguments.json {
        super::print_json(&json!({"event": "audit", "compared": compared, "first_difference": first}));
    } else {
        super::print(&match &first {
            Some(stage) => format!("the first stage that is not reproducible is '{stage}'\n"),
            None => format!("{} gave the same again\n", counted(compared as u64, "stage")),
        });
    }
    Ok(first.is_some())
}
