//! `runner verify`: whether the store still holds what was put into it, and whether the same comes out when stages run again.

use clap::Args;
use serde_json::json;

use super::interrupt::{self, interrupted};
use super::study::Study;
use super::{DONE, FAILED, INTERRUPTED, Outcome, StudyArguments, screen};
use crate::artifact::{Damaged, Digest};
use crate::engine::audit::{AuditOptions, Audited, audit};
use crate::engine::{self, ActionRecord, Event};

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
    let study = Study::open(&arguments.study)?;
    let selected = study.select(&arguments.stages)?;
    let (findings, checked) = match arguments.stages.is_empty() {
        true => whole_store(&study, &selected)?,
        false => results(&study, &selected)?,
    };
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
        super::print("nothing was run again: first let the store be sound\n");
    }
    if arguments.rerun && !wrong {
        // Until here the signals end the process by themselves, at once: nothing was being computed.
        interrupt::catch()?;
        wrong |= rerun(arguments, &study, &selected)?;
    }
    Ok(match (interrupted(), wrong) {
        (true, _) => INTERRUPTED,
        (false, true) => FAILED,
        (false, false) => DONE,
    })
}

/// Every blob, record and memo of the store, whichever pipeline made it, and this pipeline's files for people.
fn whole_store(study: &Study, selected: &[usize]) -> anyhow::Result<(Vec<Finding>, String)> {
    let verified = study.store.verify(&|_, _| {})?;
    let (mut findings, _) = results(study, selected)?;
    let of_results: Vec<(Digest, String)> = placed(study, selected)
        .flat_map(|(stage, record)| {
            let name = |file: &engine::record::FileRecord| (file.digest, format!("{stage}/{}", file.name));
            record.files().map(name).collect::<Vec<_>>()
        })
        .collect();
    for damage in &verified.damaged {
        if damage.kind == Damaged::Blob && of_results.iter().any(|(digest, _)| *digest == damage.name) {
            // It has been told by the name of its stage.
            continue;
        }
        let kind = match damage.kind {
            Damaged::Blob => "blob",
            Damaged::Record => "record",
            Damaged::Memo => "memo",
        };
        let fault = "its content does not have its digest; remove the file, and what needs it is computed anew";
        findings.push(Finding { what: format!("{kind} {}", damage.path.display()), fault: fault.to_owned() });
    }
    let checked = format!(
        "{} blobs ({}), {} records, {} memos",
        verified.blobs,
        screen::bytes(verified.bytes),
        verified.records,
        verified.memos
    );
    Ok((findings, checked))
}

/// The results in place of the selected stages, in the store and in the folders for people, read and hashed.
fn results(study: &Study, selected: &[usize]) -> anyhow::Result<(Vec<Finding>, String)> {
    let ground = study.ground();
    let mut findings = Vec::new();
    let (mut files, mut bytes) = (0, 0);
    for (stage, record) in placed(study, selected) {
        for file in record.files() {
            let what = format!("{stage}/{}", file.name);
            (files, bytes) = (files + 1, bytes + file.bytes);
            let blob = Digest::of_file(&study.store.blob_path(file.digest));
            let shown = Digest::of_file(&ground.folder(&stage).join(&file.name));
            let fault = match (blob, shown) {
                (Ok(blob), _) if blob != file.digest => {
                    "its content in the store has changed (run again to compute it anew)".to_owned()
                }
                (Err(error), _) => format!("it cannot be read in the store: {error} (run again to compute it anew)"),
                (_, Ok(shown)) if shown != file.digest => {
                    "the file for people was changed (run again to restore it)".to_owned()
                }
                (_, Err(error)) => format!("the file for people cannot be read: {error} (run again to restore it)"),
                _ => continue,
            };
            findings.push(Finding { what, fault });
        }
    }
    Ok((findings, format!("{files} files ({})", screen::bytes(bytes))))
}

fn placed(study: &Study, selected: &[usize]) -> impl Iterator<Item = (String, ActionRecord)> {
    let ground = study.ground();
    let of = |&i: &usize| Some((study.plan.stages[i].name.clone(), engine::current_record(&ground, i)?));
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
    audit(&study.ground(), selected, options, &|_: Event| {}, &interrupted, &mut tell)?;
    if arguments.json {
        super::print_json(&json!({"event": "audit", "compared": compared, "first_difference": first}));
    } else {
        super::print(&match &first {
            Some(stage) => format!("the first stage that is not reproducible is '{stage}'\n"),
            None => format!("{compared} stages gave the same again\n"),
        });
    }
    Ok(first.is_some())
}
