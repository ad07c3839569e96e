//! What the models of a study are chosen by, said once at the top of its file: the metric, and of two classes the one that matters.

use anyhow::anyhow;

use runner_engine::{ActionRecord, Aim, CheckContext, Entry, Node, Problem, StageContext, listed, suggest, typed_as};
use runner_ml::metrics::rarer_of_two;
use runner_ml::threshold::Wanted;
use runner_results::Metric;
use runner_results::threshold::ThresholdAim;

use super::dataset::Dataset;

/// The score that chooses epochs, trials, weights and the best model.
pub(super) const METRIC: Aim = Aim { key: "metric", read: read_metric };

/// The class of two that average precision, curves and thresholds are of.
pub(super) const POSITIVE: Aim = Aim { key: "positive", read: read_positive };

fn read_metric(node: &Node) -> Result<String, Vec<Problem>> {
    typed_as::<Metric>(node, METRIC.key).map(|metric| metric.key().to_owned())
}

fn read_positive(node: &Node) -> Result<String, Vec<Problem>> {
    typed_as::<String>(node, POSITIVE.key)
}

/// The metric that a word at the top of a file means, which the plan has checked.
pub fn metric_of(word: &str) -> Option<Metric> {
    Metric::ALL.into_iter().find(|metric| metric.key() == word)
}

/// The metric by which a result's models were chosen, if its pipeline named one.
pub fn metric_of_result(record: &ActionRecord) -> Option<Metric> {
    let word = record.manifest.entries().iter().find(|(entry, _)| *entry == Entry::Aim(METRIC.key));
    word.and_then(|(_, word)| metric_of(word))
}

/// The pipeline's metric, if it names one.
pub(super) fn metric(context: &StageContext) -> Option<Metric> {
    context.aim(METRIC.key).and_then(metric_of)
}

/// The positive one of these classes: as the pipeline says, or else the rarer of two of the labels; `None` of more than two.
pub(super) fn positive(
    context: &StageContext,
    classes: &[String],
    labels: impl IntoIterator<Item = u32>,
) -> anyhow::Result<Option<u32>> {
    let Some(word) = context.aim(POSITIVE.key) else { return Ok(rarer_of_two(labels, classes.len())) };
    if let Some(place) = classes.iter().position(|class| class == word) {
        return Ok((classes.len() == 2).then_some(place as u32));
    }
    let hint = suggest(word, classes.iter().map(String::as_str));
    let hint = hint.map(|hint| format!(" (did you mean '{hint}'?)")).unwrap_or_default();
    let classes = listed(classes.iter().map(|class| format!("'{class}'")));
    let error = anyhow!("positive: there is no class '{word}'{hint}; the classes are {classes}");
    Err(context.placed_aim(POSITIVE.key, error))
}

/// The threshold that a stage is to fit. `threshold` is its parameter.
///
/// # Errors
/// There are more than two classes.
pub(super) fn threshold(
    threshold: Option<ThresholdAim>,
    data: &Dataset,
    context: &StageContext,
) -> anyhow::Result<Option<Wanted>> {
    let Some(aim) = threshold else { return Ok(None) };
    match data.positive {
        Some(positive) => Ok(Some(Wanted { aim, positive })),
        None => {
            let error = anyhow!(
                "threshold: a threshold tells two classes apart, but these rows have {} (leave `threshold` out)",
                data.classes.len()
            );
            Err(context.placed("threshold", error))
        }
    }
}

/// Says what is wrong with a `threshold`.
pub(super) fn check_threshold(threshold: Option<ThresholdAim>, context: &mut CheckContext) {
    for (path, message) in threshold.iter().flat_map(ThresholdAim::problems) {
        context.parameter(&format!("threshold.{path}"), message);
    }
}

/// Warns where no threshold could be chosen.
pub(super) fn warn_of_no_threshold(whose: &str, context: &StageContext) {
    context.report().warn(&format!(
        "{whose}the rows that a threshold is chosen on have one class or one probability: the likeliest class is predicted"
    ));
}

/// Refuses a metric by which nothing can be chosen on the validation rows of this data. `path` is the stage's own parameter, if it names the metric.
pub(super) fn require_meaning(
    metric: Metric,
    path: Option<&str>,
    data: &Dataset,
    context: &StageContext,
) -> anyhow::Result<()> {
    let most = match metric {
        Metric::Top3Accuracy => 3,
        Metric::Top5Accuracy => 5,
        _ => 0,
    };
    let mut there = data.labels_of(&data.valid);
    there.sort_unstable();
    there.dedup();
    let is_rank = matches!(metric, Metric::RocAuc | Metric::AveragePrecision);
    let message = if data.classes.len() <= most {
        format!("of {} classes every row's is among the {most} likeliest", data.classes.len())
    } else if is_rank && there.len() < 2 && !data.valid.is_empty() {
        "the validation part has rows of one class only".to_owned()
    } else {
        return Ok(());
    };
    let error = anyhow!("{}: {message}, so that nothing can be chosen by it (name another metric)", metric.key());
    Err(match path {
        Some(path) => context.placed(path, error),
        None => context.placed_aim(METRIC.key, error),
    })
}
