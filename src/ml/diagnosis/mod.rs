//! What a training's curves say, as findings: each with the epoch and the numbers that it rests on.
//!
//! A rule that does not apply says nothing; the thresholds are constants with their reasons.

mod rules;
#[cfg(test)]
mod tests;

pub use runner_results::diagnosis::{Finding, TrainingLoss};
use serde::{Deserialize, Serialize};

use super::stats::Interval;
use super::train::{Curves, Metric};

/// What is known of a training besides its curves.
#[derive(Clone, Copy, Debug)]
pub struct TrainingRun<'a> {
    /// One entry for each epoch.
    pub curves: &'a Curves,
    /// The epoch whose weights are kept.
    pub best_epoch: usize,
    /// The epoch in which the loss stopped being finite.
    pub diverged: Option<usize>,
    /// The validation score that chose the epoch.
    pub metric: Metric,
    /// The interval of the accuracy on validation rows that is shown; `None` where nobody knows how other rows would differ.
    pub valid_interval: Option<Interval>,
    /// What training minimised.
    pub loss: TrainingLoss,
    /// Different labels in each part.
    pub train_classes: usize,
    /// Different labels in the validation part.
    pub valid_classes: usize,
    /// Of the kept network, where it has units that can die.
    pub units: Option<Units>,
}

/// Hidden units of a kind that is exactly zero below its threshold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Units {
    pub(crate) all: usize,
    /// Zero for every row.
    pub(crate) dead: usize,
}

/// All findings, what is wrong first. Empty without epochs. No two contradict one another: a rule asks those that it would contradict.
///
/// Of a single class every score is that of guessing it: rules that judge by such scores are left out.
pub fn diagnose(run: &TrainingRun) -> Vec<Finding> {
    type Rule = fn(&TrainingRun) -> Option<Finding>;
    let of_training: [Rule; 4] = [rules::divergence, rules::single_class, rules::step_too_high, rules::epoch_kept];
    let of_validation: [Rule; 7] = [
        rules::no_gain,
        rules::gap,
        rules::over_fitting,
        rules::under_fitting,
        rules::unfinished,
        rules::plateau,
        rules::fell,
    ];
    let of_validation: &[Rule] = if rules::single_class(run).is_some() { &[] } else { &of_validation };
    let rules = of_training.iter().chain(of_validation).chain([&(rules::dead_units as Rule)]);
    rules.filter_map(|rule| rule(run)).collect()
}
