//! The `schedule` block of a training: the course of the learning rate.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the learning rate changes: by step, but for `step` and `plateau`, which change it by epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScheduleSpec {
    /// The course of the rate.
    pub kind: ScheduleKind,
    /// Epochs in which the rate first rises linearly from near 0 to its start; one_cycle has its own rise instead.
    #[schemars(range(min = 0.0, max = 1e6))]
    pub warmup_epochs: f64,
    /// step: epochs between two reductions (default 10).
    #[schemars(range(min = 1, max = 1_000_000))]
    pub step_epochs: Option<usize>,
    /// step and plateau: factor of each reduction (default 0.5).
    #[schemars(extend("exclusiveMinimum" = 0.0, "exclusiveMaximum" = 1.0))]
    pub factor: Option<f64>,
    /// plateau: epochs without a better early-stopping metric before a reduction (default 5).
    #[schemars(range(min = 0, max = 1_000_000))]
    pub patience: Option<usize>,
    /// cosine and plateau: the lowest rate (default 0).
    #[schemars(range(min = 0.0, max = 1e6))]
    pub min_lr: Option<f64>,
    /// one_cycle: share of all steps in which the rate rises (default 0.3).
    #[schemars(extend("exclusiveMinimum" = 0.0, "exclusiveMaximum" = 1.0))]
    pub rise: Option<f64>,
    /// one_cycle: the first rate is the largest divided by this (default 25).
    #[schemars(range(min = 1.0, max = 1e30))]
    pub start_divisor: Option<f64>,
    /// one_cycle: the last rate is the first divided by this (default 10000).
    #[schemars(range(min = 1.0, max = 1e30))]
    pub end_divisor: Option<f64>,
    /// one_cycle: moves momentum or the first beta between 0.95 and 0.85 against the rate (default true).
    pub cycle_momentum: Option<bool>,
}

impl Default for ScheduleSpec {
    fn default() -> Self {
        ScheduleSpec {
            kind: ScheduleKind::OneCycle,
            warmup_epochs: 0.0,
            step_epochs: None,
            factor: None,
            patience: None,
            min_lr: None,
            rise: None,
            start_divisor: None,
            end_divisor: None,
            cycle_momentum: None,
        }
    }
}

/// The course of the learning rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleKind {
    /// The same rate throughout.
    Constant,
    /// Reduced by a factor every few epochs.
    Step,
    /// Falls along half a cosine (Loshchilov and Hutter 2016, arXiv 1608.03983).
    Cosine,
    /// Rises, then falls far below the start (Smith and Topin 2017, arXiv 1708.07120), as `torch.optim.lr_scheduler.OneCycleLR`.
    #[default]
    OneCycle,
    /// Reduced when the early-stopping metric no longer improves.
    Plateau,
    /// Four cosines, each twice as long as the one before: (1 − cos(2π·log₂(1 + 15t)))/2 (RealMLP, arXiv 2407.04491).
    Coslog4,
}

impl ScheduleSpec {
    /// Whether the rate of a step depends on how many there will be.
    pub fn looks_at_the_end(&self) -> bool {
        matches!(self.kind, ScheduleKind::Cosine | ScheduleKind::OneCycle | ScheduleKind::Coslog4)
    }

    pub(super) fn problems(&self) -> Vec<(&'static str, String)> {
        use ScheduleKind::*;
        let mut found = Vec::new();
        if !(self.warmup_epochs >= 0.0 && self.warmup_epochs.is_finite()) {
            found.push(("warmup_epochs", format!("must be at least 0; got {}", self.warmup_epochs)));
        } else if self.warmup_epochs > 0.0 && self.kind == OneCycle {
            found.push(("warmup_epochs", "one_cycle has its own rise: set 'rise' instead".into()));
        }
        let mut only = |path: &'static str, given: bool, kinds: &[ScheduleKind], fine: bool, range: &str| {
            if given && !kinds.contains(&self.kind) {
                let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
                let take = if names.len() == 1 { "takes" } else { "take" };
                found.push((path, format!("only {} {take} it: leave it out", names.join(" and "))));
            } else if given && !fine {
                found.push((path, format!("must be {range}")));
            }
        };
        let above_one = |x: Option<f64>| x.is_none_or(|x| x >= 1.0 && x.is_finite());
        only("step_epochs", self.step_epochs.is_some(), &[Step], self.step_epochs != Some(0), "at least 1");
        let factor = self.factor.is_none_or(|x| x > 0.0 && x < 1.0);
        only("factor", self.factor.is_some(), &[Step, Plateau], factor, "between 0 and 1");
        only("patience", self.patience.is_some(), &[Plateau], true, "");
        let lowest = self.min_lr.is_none_or(|x| x >= 0.0 && x.is_finite());
        only("min_lr", self.min_lr.is_some(), &[Cosine, Plateau], lowest, "at least 0");
        let rise = self.rise.is_none_or(|x| x > 0.0 && x < 1.0);
        only("rise", self.rise.is_some(), &[OneCycle], rise, "between 0 and 1");
        only("start_divisor", self.start_divisor.is_some(), &[OneCycle], above_one(self.start_divisor), "at least 1");
        only("end_divisor", self.end_divisor.is_some(), &[OneCycle], above_one(self.end_divisor), "at least 1");
        only("cycle_momentum", self.cycle_momentum.is_some(), &[OneCycle], true, "");
        found
    }
}

impl ScheduleKind {
    /// As written in a pipeline file.
    pub fn name(self) -> &'static str {
        match self {
            ScheduleKind::Constant => "constant",
            ScheduleKind::Step => "step",
            ScheduleKind::Cosine => "cosine",
            ScheduleKind::OneCycle => "one_cycle",
            ScheduleKind::Plateau => "plateau",
            ScheduleKind::Coslog4 => "coslog4",
        }
    }
}
