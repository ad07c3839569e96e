//! Decides on many stages: on all of them without running any, which is what `plan` shows, or on those that are ready, for the scheduler.
//!
//! Decisions on stages that do not depend on each other are made side by side.

use std::collections::HashMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::decision::Decision;
use super::ready_set::ReadySet;
use super::reason::StaleReason;
use super::record::ActionRecord;
use super::workspace::{Known, Workspace};
use runner_artifact::Digest;

/// Decides on every selected stage (closed under dependencies, in topological order) without running anything. Stages below one that must run
/// are `Run` too, since their inputs are not known yet; their reasons say whether they may stay fresh.
pub fn plan_decisions(workspace: &Workspace, selected: &[usize]) -> anyhow::Result<Vec<(usize, Decision)>> {
    let count = workspace.plan.stages.len();
    let mut known: Vec<Option<Arc<ActionRecord>>> = vec![None; count];
    let mut decisions: Vec<Option<Decision>> = (0..count).map(|_| None).collect();
    let mut to_run: HashMap<Digest, usize> = HashMap::new();
    let mut ready_set = ReadySet::new(workspace.plan, selected);
    loop {
        let wave = ready_set.take();
        if wave.is_empty() {
            break;
        }
        for (stage, decision) in decide_each(workspace, &wave, &known) {
            let mut decision = decision?;
            if let Decision::Run { manifest, reasons } = decision {
                // The first of several equal stages runs, the others take its result.
                let first = *to_run.entry(manifest.key()).or_insert(stage);
                decision = if first == stage {
                    Decision::Run { manifest, reasons }
                } else {
                    let same = StaleReason::SameAs { stage: workspace.plan.stages[first].name.clone() };
                    Decision::Share { manifest, reasons: vec![same] }
                };
            }
            known[stage] = decision.record().cloned();
            decisions[stage] = Some(decision);
            ready_set.settle(stage);
        }
    }
    Ok(selected.iter().filter_map(|&stage| Some((stage, decisions[stage].take()?))).collect())
}

/// Decides on stages that do not depend on each other.
pub(super) fn decide_each(
    workspace: &Workspace,
    stages: &[usize],
    known: &Known,
) -> Vec<(usize, anyhow::Result<Decision>)> {
    /// Fewer are decided on faster than threads start.
    const WORTH_SHARING: usize = 16;
    let decide = |&stage: &usize| (stage, workspace.decide(stage, known));
    if stages.len() < WORTH_SHARING {
        return stages.iter().map(decide).collect();
    }
    stages.par_iter().with_min_len(WORTH_SHARING / 2).map(decide).collect()
}
