//! What a training's curves say, as findings: each with the epoch, the numbers that it rests on, and a sentence made of them.
//!
//! A rule that does not apply says nothing; the thresholds are constants with their reasons.

mod rules;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::train::{Curves, Metric};

/// One thing that the curves say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    pub kind: FindingKind,
    /// Where it begins or shows, if it has a place.
    pub epoch: Option<u32>,
    /// The numbers that the sentence rests on, by name.
    pub evidence: BTreeMap<String, f64>,
    pub sentence: String,
    /// Of a gap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judgement: Option<GapJudgement>,
}

/// How far training rows are ahead of validation rows, judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapJudgement {
    Strong,
    Some,
    None,
    /// Validation rows are ahead.
    Reversed,
    /// As large as one that would count, on so few validation rows that chance may have made it.
    Chance,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// The loss stopped being finite.
    Divergence,
    /// The training or the validation part has a single class.
    SingleClass,
    /// Training loss rises again and again.
    StepTooHigh,
    /// The epoch whose weights are kept, and the score that chose it.
    EpochKept,
    /// In no epoch was that score better than before training.
    NoGain,
    /// How far training rows are ahead of validation rows at that epoch.
    Gap,
    /// Validation loss turned while training loss still fell.
    OverFitting,
    /// Training loss has stopped falling although training rows are hardly ahead of validation rows.
    UnderFitting,
    /// The validation part was still getting better when training ended.
    Unfinished,
    /// From here on the validation score hardly moved.
    Plateau,
    /// Units that are zero for every training row.
    DeadUnits,
}

/// What is known of a training besides its curves.
#[derive(Clone, Copy, Debug)]
pub struct Course<'a> {
    pub curves: &'a Curves,
    pub best_epoch: usize,
    /// The epoch in which the loss stopped being finite.
    pub diverged: Option<usize>,
    /// The validation score that chose the epoch.
    pub metric: Metric,
    /// How many rows that stand alone tell as much as the validation part.
    pub valid_rows: f64,
    /// Different labels in each part.
    pub train_classes: usize,
    pub valid_classes: usize,
    /// Of the kept network, where it has units that can die.
    pub units: Option<Units>,
}

/// Hidden units of a kind that is exactly zero below its threshold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Units {
    pub all: usize,
    /// Zero for every row.
    pub dead: usize,
}

/// All findings, what is wrong first. Empty without epochs. No two contradict one another: a rule asks those that it would contradict.
///
/// Of a single class every score is that of guessing it: rules that judge by such scores are left out.
pub fn diagnose(course: &Course) -> Vec<Finding> {
    type Rule = fn(&Course) -> Option<Finding>;
    let of_training: [Rule; 4] = [rules::divergence, rules::single_class, rules::step_too_high, rules::epoch_kept];
    let of_validation: [Rule; 6] =
        [rules::no_gain, rules::gap, rules::over_fitting, rules::under_fitting, rules::unfinished, rules::plateau];
    let of_validation: &[Rule] = if rules::single_class(course).is_some() { &[] } else { &of_validation };
    let rules = of_training.iter().chain(of_validation).chain([&(rules::dead_units as Rule)]);
    rules.filter_map(|rule| rule(course)).collect()
}
