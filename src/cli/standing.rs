//! Whether what is shown is what the pipeline file asks for now: the decision of `plan`, in a line.

use std::path::Path;

use super::screen;
use super::study::Study;
use crate::boundary::text::of_chain;
use crate::engine::{self, ActionRecord, History, Status};
use crate::report::noun;

/// Reasons that fit into a line.
const SHOWN: usize = 2;

/// How a result stands to the pipeline as it is written.
pub(super) struct Standing {
    /// `None` if that cannot be found out, e.g. as a source is gone.
    pub status: Option<Status>,
    pub reasons: Vec<String>,
    /// The pipeline file that made it, if that is another one of the same name.
    pub other_file: Option<String>,
}

impl Standing {
    pub(super) fn of(study: &Study, stage: usize, record: &ActionRecord, file: &Path) -> Standing {
        let workspace = study.workspace();
        let name = &study.plan.stages[stage].name;
        let selected = study.plan.select(std::slice::from_ref(name)).unwrap_or_default();
        let decided = engine::plan_decisions(&workspace, &selected);
        // What was read to decide need not be read again.
        study.store.stats().save();
        let (status, reasons) = match decided {
            Ok(decisions) => match decisions.into_iter().find(|(i, _)| *i == stage) {
                Some((_, decision)) => {
                    (Some(decision.status()), decision.reasons().iter().map(ToString::to_string).collect())
                }
                None => (None, Vec::new()),
            },
            Err(error) => (None, vec![of_chain(error.chain())]),
        };
        let is_stale = status != Some(Status::Fresh);
        let other_file = is_stale.then(|| made_by(study, name, record)).flatten().filter(|maker| !is_same(maker, file));
        Standing { status, reasons, other_file }
    }

    /// A line for who looks at the result; `None` if it is up to date.
    pub(super) fn line(&self, file: &Path, name: &str) -> Option<String> {
        let mut reasons = self.reasons.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
        if self.reasons.len() > SHOWN {
            let more = self.reasons.len() - SHOWN;
            reasons.push_str(&format!("; and {more} more {}", noun(more as u64, "reason")));
        }
        let remedy = format!("`runner run {} {name}`", screen::path(file));
        Some(match (self.status, &self.other_file) {
            (Some(Status::Fresh), _) => return None,
            (_, Some(file)) => {
                format!("a result of '{file}', another pipeline of the same name; {remedy} replaces it: {reasons}")
            }
            (None, None) => format!("whether this is up to date is not known: {reasons}"),
            (Some(_), None) => format!("out of date ({remedy} brings it up to date): {reasons}"),
        })
    }
}

/// The file of the newest run that had this result.
fn made_by(study: &Study, stage: &str, record: &ActionRecord) -> Option<String> {
    let key = Some(record.manifest.key());
    let history = History::of(&study.store);
    let mut runs = history.runs().map(|run| run.record).filter(|run| run.pipeline == study.plan.spec.name);
    runs.find(|run| run.stage(stage).is_some_and(|entry| entry.key == key)).map(|run| run.file)
}

fn is_same(one: &str, other: &Path) -> bool {
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    Path::new(one) == other || whole(Path::new(one)) == whole(other)
}
