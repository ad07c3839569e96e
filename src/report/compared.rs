//! A comparison of two models in words.

use runner_results::comparison::{Direction, PairedComparison, ScoreMetric};

/// What other scores say of B where its accuracy does not say the same, e.g. `a higher macro-F1 and a lower log loss`.
pub fn other_verdicts(paired: &PairedComparison) -> Option<String> {
    let words = |(metric, direction): (ScoreMetric, Direction)| {
        let name = match metric {
            ScoreMetric::Accuracy => "accuracy",
            ScoreMetric::MacroF1 => "macro-F1",
            ScoreMetric::LogLoss => "log loss",
        };
        let is_higher = (direction == Direction::Better) != (metric == ScoreMetric::LogLoss);
        format!("a {} {name}", if is_higher { "higher" } else { "lower" })
    };
    let all: Vec<String> = paired.other_verdicts().into_iter().map(words).collect();
    (!all.is_empty()).then(|| all.join(" and "))
}
