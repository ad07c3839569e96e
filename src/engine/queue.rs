//! `Queue`: the stages that could start, and in which order they do.
//!
//! The stage with the most work behind it comes first (the longest chain of stages below it, timed by earlier runs), else the order of the file.
//! The order never changes a result.

use std::collections::BTreeMap;

use super::forecast::Forecaster;
use super::resources::Budget;
use super::work::Waiting;
use super::workspace::Workspace;

/// A stage that does not fit is passed over by this many smaller ones; then it is its turn, so that it does not wait for ever.
const PATIENCE: usize = 8;
/// How many stages that do not fit are looked past, so that long queues stay cheap.
const LOOK_AHEAD: usize = 64;

/// Most work first, then the order of the file.
type QueuePlace = (std::cmp::Reverse<u64>, usize);

pub(super) struct Queue<'a> {
    workspace: &'a Workspace<'a>,
    selected: &'a [usize],
    /// By stage: its place in the topological order.
    position: Vec<usize>,
    /// By stage: milliseconds of the longest chain that starts with it. Worked out when something has to wait for the first time.
    chains: Option<Vec<u64>>,
    waiting: BTreeMap<QueuePlace, Waiting>,
}

impl<'a> Queue<'a> {
    pub(crate) fn new(workspace: &'a Workspace<'a>, selected: &'a [usize]) -> Self {
        let mut position = vec![0; workspace.plan.stages.len()];
        selected.iter().enumerate().for_each(|(place, &stage)| position[stage] = place);
        Queue { workspace, selected, position, chains: None, waiting: BTreeMap::new() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(crate) fn push(&mut self, waiting: Waiting) {
        let chain = self.chains.as_ref().map_or(0, |chains| chains[waiting.stage]);
        self.waiting.insert((std::cmp::Reverse(chain), self.position[waiting.stage]), waiting);
    }

    /// Takes the first stage that fits into the budget.
    pub(crate) fn pop(&mut self, budget: &Budget) -> Option<Waiting> {
        if budget.is_spent() {
            return None;
        }
        if self.chains.is_none() && self.waiting.len() > 1 {
            self.sort();
        }
        let mut found = None;
        for (place, waiting) in self.waiting.iter().take(LOOK_AHEAD) {
            if budget.fits(&waiting.need) {
                found = Some(*place);
                break;
            }
            // Who waits for another runner reserves nothing: nobody knows for how long.
            if waiting.overtaken >= PATIENCE && !waiting.contended {
                return None;
            }
        }
        let found = found?;
        self.waiting.range_mut(..found).for_each(|(_, passed)| passed.overtaken += 1);
        self.waiting.remove(&found)
    }

    fn sort(&mut self) {
        self.chains = Some(self.longest_chains());
        let waiting = std::mem::take(&mut self.waiting);
        waiting.into_values().for_each(|waiting| self.push(waiting));
    }

    /// A stage that was never timed counts as the mean of those that were.
    fn longest_chains(&self) -> Vec<u64> {
        let dag = &self.workspace.plan.dag;
        let count = dag.len();
        // Only what waits and what is below it can still matter.
        let mut open = vec![false; count];
        self.waiting.values().for_each(|waiting| open[waiting.stage] = true);
        let forecaster = Forecaster::new(self.workspace);
        let mut seconds: Vec<Option<f64>> = vec![None; count];
        for &stage in self.selected {
            if open[stage] {
                dag.dependents(stage).for_each(|next| open[next] = true);
                seconds[stage] = forecaster.stage(stage).seconds;
            }
        }
        let timed: Vec<f64> = seconds.iter().copied().flatten().collect();
        let mean = timed.iter().sum::<f64>() / timed.len().max(1) as f64;
        let mut chains = vec![0; count];
        for &stage in self.selected.iter().rev().filter(|&&stage| open[stage]) {
            let longest = dag.dependents(stage).map(|next| chains[next]).max().unwrap_or(0);
            chains[stage] = longest + (1e3 * seconds[stage].unwrap_or(mean)) as u64;
        }
        chains
    }
}
