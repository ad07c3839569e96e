//! `Frontier`: which stages have all that they depend on, kept by counting, so that no stage is looked at twice.
//!
//! Knows nothing of what happens to a stage when it is ready.

use super::plan::Plan;

pub(super) struct Frontier {
    /// By stage: how many of its references wait for a stage that is not settled.
    unmet: Vec<usize>,
    /// By stage: who reads from it, once for each reference; only selected ones.
    dependents: Vec<Vec<usize>>,
    ready: Vec<usize>,
}

impl Frontier {
    /// `selected` is closed under dependencies and in topological order.
    pub fn new(plan: &Plan, selected: &[usize]) -> Self {
        let mut frontier = Frontier {
            unmet: vec![0; plan.stages.len()],
            dependents: vec![Vec::new(); plan.stages.len()],
            ready: Vec::new(),
        };
        for &stage in selected {
            for input in &plan.stages[stage].inputs {
                frontier.dependents[input.from].push(stage);
                frontier.unmet[stage] += 1;
            }
            if plan.stages[stage].inputs.is_empty() {
                frontier.ready.push(stage);
            }
        }
        frontier
    }

    /// The stages that became ready since the last call.
    pub fn take(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.ready)
    }

    /// What there was to decide or to do about `stage` is done.
    pub fn settle(&mut self, stage: usize) {
        for &next in &self.dependents[stage] {
            self.unmet[next] -= 1;
            if self.unmet[next] == 0 {
                self.ready.push(next);
            }
        }
    }

    pub fn dependents(&self, stage: usize) -> &[usize] {
        &self.dependents[stage]
    }

    /// All that depends on `stage`, directly or not, each once; `stop` tells where the search need not go on.
    pub fn below(&self, stage: usize, stop: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut found = Vec::new();
        let mut seen = std::collections::HashSet::new();
        let mut open = vec![stage];
        while let Some(next) = open.pop() {
            for &dependent in &self.dependents[next] {
                if !stop(dependent) && seen.insert(dependent) {
                    found.push(dependent);
                    open.push(dependent);
                }
            }
        }
        found
    }
}
