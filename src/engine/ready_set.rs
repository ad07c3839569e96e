//! `ReadySet`: which stages have all that they depend on, kept by counting, so that no stage is looked at twice.

use super::dag::Dag;
use super::plan::Plan;

pub(super) struct ReadySet<'a> {
    dag: &'a Dag,
    /// By stage: how many of the stages that it reads from are not settled; `None` if it is not selected.
    unmet: Vec<Option<usize>>,
    ready: Vec<usize>,
}

impl<'a> ReadySet<'a> {
    /// `selected` is closed under dependencies and in topological order.
    pub(crate) fn new(plan: &'a Plan, selected: &[usize]) -> Self {
        let mut unmet = vec![None; plan.dag.len()];
        for &stage in selected {
            unmet[stage] = Some(plan.dag.dependencies(stage).count());
        }
        let ready = selected.iter().copied().filter(|&stage| unmet[stage] == Some(0)).collect();
        ReadySet { dag: &plan.dag, unmet, ready }
    }

    /// The stages that became ready since the last call.
    pub(crate) fn take(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.ready)
    }

    /// What there was to decide or to do about `stage` is done.
    pub(crate) fn settle(&mut self, stage: usize) {
        for next in self.dag.dependents(stage) {
            if let Some(unmet) = &mut self.unmet[next] {
                *unmet -= 1;
                if *unmet == 0 {
                    self.ready.push(next);
                }
            }
        }
    }

    /// The selected stages that depend on `stage`, directly or through stages that are `open`, each once.
    pub(crate) fn below(&self, stage: usize, open: impl Fn(usize) -> bool) -> Vec<usize> {
        self.dag.below(stage, |stage| self.unmet[stage].is_some() && open(stage))
    }
}
