//! Where a plan is not as its lock file says, as far as that can be known before anything runs.

use serde::Serialize;

use super::lock::LockFile;
use super::plan_decisions::plan_decisions;
use super::workspace::Workspace;

/// One stage that is not as the lock says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Divergence {
    /// Whose result differs.
    pub stage: String,
    /// In words.
    pub message: String,
}

/// Stages that only one side has, and keys and known results that differ.
pub fn divergences(lock: &LockFile, workspace: &Workspace, selected: &[usize]) -> anyhow::Result<Vec<Divergence>> {
    let plan = workspace.plan;
    let mut found = Vec::new();
    for name in lock.names().filter(|name| !plan.spec.stages.contains_key(*name)) {
        let message = "the lock has this stage, the pipeline has not".to_owned();
        found.push(Divergence { stage: name.to_owned(), message });
    }
    for (i, decision) in plan_decisions(workspace, selected)? {
        let name = &plan.stages[i].name;
        let message = match (lock.get(name), decision.manifest()) {
            (None, _) => Some("the pipeline has this stage, the lock has not".to_owned()),
            (Some(_), None) => None,
            (Some(locked), Some(manifest)) => {
                locked.check_key(manifest, &|key| workspace.reasons_since(i, key, manifest)).or_else(|| {
                    decision.record().and_then(|record| locked.check_outputs(record, "the result in the store"))
                })
            }
        };
        found.extend(message.map(|message| Divergence { stage: name.clone(), message }));
    }
    Ok(found)
}
