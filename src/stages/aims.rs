//! What the models of a study are chosen by, said once at the top of its file: the metric, of two classes the one that matters, and what mistakes cost.

use anyhow::anyhow;

use runner_engine::{
    ActionRecord, Aim, CheckContext, Entry, Node, Problem, StageContext, listed, steps, suggest, typed_as,
};
use runner_ml::metrics::rarer_of_two;
use runner_ml::threshold::Wanted;
use runner_ml::train::class_named;
use runner_results::Metric;
use runner_results::costs::{CostMatrix, Costs, MOST_CLASSES};
use runner_results::scores::Scoring;
use runner_results::spec::{Loss, TrainingSpec};
use runner_results::threshold::{self, ThresholdAim};

use super::class_order;
use super::dataset::Dataset;

/// The score that chooses epochs, trials, weights and the best model.
pub(super) const METRIC: Aim = Aim { key: "metric", read: read_metric };

/// The class of two that average precision, curves and thresholds are of.
pub(super) const POSITIVE: Aim = Aim { key: "positive", read: read_positive };

/// What mistakes cost, by true and predicted class.
pub(super) const COSTS: Aim = Aim { key: "costs", read: read_costs };

fn read_costs(node: &Node) -> Result<String, Vec<Problem>> {
    let costs = typed_as::<Costs>(node, COSTS.key)?;
    let mut problems = Vec::new();
    if costs.is_empty() {
        let problem = Problem::new(node.span, "`costs` names no mistake");
        problems.push(problem.help(COSTS_HELP));
    }
    for ([truth, predicted], message) in costs.problems() {
        let (at, _) = node.nearest(&steps([truth, predicted]));
        problems.push(Problem::new(at.span, format!("{}.{truth}.{predicted}: {message}", COSTS.key)));
    }
    // A map of maps of finite numbers.
    if problems.is_empty() { Ok(serde_json::to_string(&costs).unwrap_or_default()) } else { Err(problems) }
}

const COSTS_HELP: &str = "e.g. `costs: {sick: {healthy: 10}}`: a row of the class `sick` that is predicted `healthy` costs 10, every other mistake 1";

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

/// What mistakes cost among these classes, as the pipeline of a result says.
pub(super) fn costs_of_result(record: &ActionRecord) -> Option<Costs> {
    let entries = record.manifest.entries();
    let (_, word) = entries.iter().find(|(entry, _)| *entry == Entry::Aim(COSTS.key))?;
    costs_as_written(Some(word))
}

/// The matrix of costs, where the names of all classes are known to be right.
pub(super) fn cost_matrix(costs: &Costs, classes: &[String]) -> Option<CostMatrix> {
    let place = |name: &str| class_named(name, classes);
    (classes.len() <= MOST_CLASSES).then(|| costs.matrix(classes.len(), place))
}

/// The pipeline's metric, if it names one.
pub(super) fn metric(context: &StageContext) -> Option<Metric> {
    context.aim(METRIC.key).and_then(metric_of)
}

/// What mistakes cost, as the pipeline says.
fn costs_as_written(word: Option<&str>) -> Option<Costs> {
    word.and_then(|word| serde_json::from_str(word).ok())
}

/// What mistakes among these classes cost, if the pipeline says so. Names that none of `known` has are refused, where
/// these are given.
pub(super) fn costs(
    context: &StageContext,
    classes: &[String],
    known: Option<&[String]>,
) -> anyhow::Result<Option<CostMatrix>> {
    let Some(costs) = costs_as_written(context.aim(COSTS.key)) else { return Ok(None) };
    if classes.len() > MOST_CLASSES {
        let error =
            anyhow!("costs: of {} classes there are too many pairs ({MOST_CLASSES} classes at most)", classes.len());
        return Err(context.placed_aim(COSTS.key, error));
    }
    if let Some(known) = known
        && let unknown = costs.named().into_iter().filter(|name| class_named(name, known).is_none())
        && let unknown = unknown.collect::<Vec<&str>>()
        && !unknown.is_empty()
    {
        return Err(context.placed_aim(COSTS.key, anyhow!("costs: {}", unknown_classes(&unknown, known))));
    }
    Ok(cost_matrix(&costs, classes))
}

/// As many of them as a message can hold.
pub(super) fn some_of(mut names: Vec<String>) -> String {
    const MOST: usize = 50;
    let more = names.len().saturating_sub(MOST);
    names.truncate(MOST);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    listed(names)
}

/// `there is no class 'x' (did you mean 'y'?); the classes are 'y' and 'z'`, of all unknown names at once.
pub(super) fn unknown_classes(unknown: &[&str], classes: &[String]) -> String {
    let named = unknown.iter().map(|name| {
        let hint = suggest(name.trim(), classes.iter().map(String::as_str));
        format!("'{name}'{}", hint.map(|hint| format!(" (did you mean '{hint}'?)")).unwrap_or_default())
    });
    let (word, named) =
        (if unknown.len() == 1 { "there is no class" } else { "there are no classes" }, some_of(named.collect()));
    let classes = some_of(classes.iter().map(|class| format!("'{class}'")).collect());
    format!("{word} {named}; the classes are {classes}")
}

/// What scores of these classes depend on. `labels` are of the training rows; `known` are all classes, those that a `where` left out included, if names are to be checked.
pub(super) fn scoring(
    context: &StageContext,
    classes: &[String],
    known: Option<&[String]>,
    labels: impl IntoIterator<Item = u32>,
    is_ordered: bool,
) -> anyhow::Result<Scoring> {
    Ok(Scoring { positive: positive(context, classes, labels)?, costs: costs(context, classes, known)?, is_ordered })
}

/// Says at plan time what is wrong with what models are chosen by.
pub(super) fn check(context: &mut CheckContext) {
    check_metric(context.aim(METRIC.key).and_then(metric_of), None, context);
}

/// Says at plan time what a training of these parameters lacks.
pub(super) fn check_training(training: &TrainingSpec, context: &mut CheckContext) {
    check_metric(training.early_stopping.metric, Some(&["early_stopping", "metric"]), context);
    if training.loss == Loss::Ordinal {
        class_order::check_needed(context, &["loss"], "`loss: ordinal`");
    }
}

/// Says at plan time what a metric lacks. `path` leads to the stage's own parameter, if that names it.
pub(super) fn check_metric(metric: Option<Metric>, path: Option<&[&str]>, context: &mut CheckContext) {
    let Some(metric) = metric else { return };
    let (lack, help) = if metric == Metric::Cost && !context.has_aim(COSTS.key) {
        ("`costs` at the top of the file, which say what mistakes cost", COSTS_HELP)
    } else if metric.is_of_order() && class_order::is_lacking(context) {
        ("the order of the classes", class_order::HELP)
    } else {
        return;
    };
    let key = path.and_then(|path| path.last()).copied().unwrap_or(METRIC.key);
    let message = format!("`{key}: {}` needs {lack}", metric.key());
    match path {
        Some(path) => context.problem(path, message, Some(help.to_owned())),
        None => context.aim_problem(METRIC.key, &[], message, Some(help.to_owned())),
    }
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
    match data.scoring.positive {
        Some(positive) => {
            let of_study = data.scoring.costs.as_ref().map(|costs| threshold::Costs {
                false_positive: costs.get(1 - positive, positive),
                false_negative: costs.get(positive, 1 - positive),
            });
            let aim = match aim {
                ThresholdAim::Cost(None) => ThresholdAim::Cost(of_study),
                _ => aim,
            };
            Ok(Some(Wanted { aim, positive }))
        }
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
    if threshold == Some(ThresholdAim::Cost(None)) && !context.has_aim(COSTS.key) {
        let message = "`threshold: cost` needs to know what mistakes cost";
        let help = "write `costs` at the top of the file, e.g. `costs: {sick: {healthy: 10}}`, or `threshold: {cost: {false_positive: 1, false_negative: 10}}`";
        context.problem(&["threshold"], message, Some(help.to_owned()));
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
    let message = if metric == Metric::Cost && data.scoring.costs.is_none() {
        "no `costs` at the top of the file say what mistakes cost".to_owned()
    } else if metric.is_of_order() && !data.scoring.is_ordered {
        "nothing says in which order the classes are (`class_order` beside `label` does)".to_owned()
    } else if data.classes.len() <= most {
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
