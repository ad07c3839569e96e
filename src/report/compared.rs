//! A comparison of two models in words.

use runner_results::comparison::{Direction, PairedComparison, ScoreMetric};

/// What other scores say of B where its accuracy does not say the same, e.g. `a higher macro-F1 and a lower log loss`.
pub fn other_verdicts(paired: &PairedComparison) -> Option<String> {
    words(&paired.other_verdicts())
}

/// The same of verdicts that are known.
pub(crate) fn words(verdicts: &[(ScoreMetric, Direction)]) -> Option<String> {
    let one = |(metric, direction): &(ScoreMetric, Direction)| {
        let name = metric.title();
        format!("a {} {name}", if is_higher(*metric, *direction) { "higher" } else { "lower" })
    };
    let all: Vec<String> = verdicts.iter().map(one).collect();
    let (last, first) = all.split_last()?;
    Some(if first.is_empty() { last.clone() } else { format!("{} and {last}", first.join(", ")) })
}

/// Whether a better score is a higher one.
pub(crate) fn is_higher(metric: ScoreMetric, direction: Direction) -> bool {
    (direction == Direction::Better) != metric.is_loss()
}
