//! Compares the strategies' runs, pairs them by seed, and puts the figures into sentences.
//!
//! Knows nothing of networks: it reads curves and scores.

use super::graft::{Action, TensorReport};
use super::report::{ClassGroup, Comparison, StrategyRun, TransferReport};
use super::spec::{Strategy, TransferSpec};
use super::student::{mean_and_deviation, paired_p_value};
use crate::ml::train::Metric;

/// Below this p-value a difference is called one.
const SIGNIFICANCE: f64 = 0.05;

/// Joins the runs (strategy after strategy, each with `spec.seeds` of them) into a report.
pub fn compare(
    runs: Vec<StrategyRun>,
    tensors: Vec<TensorReport>,
    old_classes: &[String],
    classes: &[String],
    metric: Metric,
    spec: &TransferSpec,
) -> TransferReport {
    let of = |strategy: Strategy| -> Vec<&StrategyRun> { runs.iter().filter(|run| run.strategy == strategy).collect() };
    let baseline = if spec.strategies.contains(&Strategy::Scratch) { Strategy::Scratch } else { spec.strategies[0] };
    let comparisons: Vec<Comparison> = spec
        .strategies
        .iter()
        .filter(|strategy| **strategy != baseline)
        .map(|strategy| paired(*strategy, &of(*strategy), baseline, &of(baseline), metric))
        .collect();
    let mut comments = Vec::new();
    if !tensors.is_empty() {
        comments.push(tensor_comment(&tensors));
    }
    for comparison in &comparisons {
        let names = (comparison.strategy.name(), comparison.baseline.name());
        comments.push(start_comment(comparison, names, metric));
        comments.push(speed_comment(comparison, names, metric, &of(comparison.strategy)));
        comments.push(end_comment(comparison, names, metric));
        let (ours, theirs) = (of(comparison.strategy), of(baseline));
        for (what, group) in [("old", ClassGroupOf::Old), ("new", ClassGroupOf::New)] {
            comments.extend(group_comment(what, group, names, &ours, &theirs));
        }
    }
    for run in runs.iter().filter(|run| run.diverged.is_some()) {
        comments.push(format!(
            "{} with seed {} diverged in epoch {}; its epoch {} is kept",
            run.strategy.name(),
            run.seed,
            run.diverged.unwrap_or_default(),
            run.best_epoch
        ));
    }
    let best = best_run(&runs, spec, metric);
    comments.push(format!(
        "chosen on the validation part: {} (seed {}), {} {}",
        runs[best].strategy.name(),
        runs[best].seed,
        metric.label(),
        figure(best_score(&runs[best], metric))
    ));
    let missing: Vec<&str> = classes.iter().filter(|c| !old_classes.contains(c)).map(String::as_str).collect();
    let preprocessing = format!(
        "every strategy uses the old network's imputation and scaling, fitted on its own training part, so that copied weights see the units they learnt; rows of {} had no part in it",
        if missing.is_empty() { "the new data".to_string() } else { missing.join(", ") }
    );
    TransferReport { runs, tensors, comparisons, comments, best, metric, preprocessing }
}

fn best_score(run: &StrategyRun, metric: Metric) -> f64 {
    run.curves.valid(metric)[run.best_epoch]
}

/// The best seed of the strategy with the best mean; the first of equals.
fn best_run(runs: &[StrategyRun], spec: &TransferSpec, metric: Metric) -> usize {
    let merit = |run: &StrategyRun| metric.merit(best_score(run, metric));
    let mut best = 0;
    let mut best_mean = f64::NEG_INFINITY;
    for (s, of_strategy) in runs.chunks(spec.seeds).enumerate() {
        let mean = of_strategy.iter().map(merit).sum::<f64>() / of_strategy.len() as f64;
        if mean > best_mean {
            best_mean = mean;
            best = s * spec.seeds;
            for i in s * spec.seeds..s * spec.seeds + of_strategy.len() {
                if merit(&runs[i]) > merit(&runs[best]) {
                    best = i;
                }
            }
        }
    }
    best
}

fn paired(
    strategy: Strategy,
    ours: &[&StrategyRun],
    baseline: Strategy,
    theirs: &[&StrategyRun],
    metric: Metric,
) -> Comparison {
    let scores = |runs: &[&StrategyRun]| -> Vec<f64> { runs.iter().map(|run| best_score(run, metric)).collect() };
    let starts = |runs: &[&StrategyRun]| -> Vec<f64> { runs.iter().map(|run| run.curves.valid(metric)[0]).collect() };
    let (our_scores, their_scores) = (scores(ours), scores(theirs));
    let differences: Vec<f64> = our_scores.iter().zip(&their_scores).map(|(ours, theirs)| ours - theirs).collect();
    let (mean, deviation) = mean_and_deviation(&our_scores);
    let (baseline_mean, baseline_deviation) = mean_and_deviation(&their_scores);
    let reached = |(run, target): (&&StrategyRun, &f64)| {
        let course = run.curves.valid(metric);
        course.iter().position(|score| metric.merit(*score) >= metric.merit(*target))
    };
    Comparison {
        strategy,
        baseline,
        mean,
        deviation,
        baseline_mean,
        baseline_deviation,
        mean_difference: mean_and_deviation(&differences).0,
        p_value: paired_p_value(&differences),
        start: mean_and_deviation(&starts(ours)).0,
        baseline_start: mean_and_deviation(&starts(theirs)).0,
        epochs_to_baseline_best: ours.iter().zip(&their_scores).map(reached).collect(),
        baseline_best_epochs: theirs.iter().map(|run| run.best_epoch).collect(),
    }
}

fn tensor_comment(tensors: &[TensorReport]) -> String {
    let count = |action: Action| tensors.iter().filter(|tensor| tensor.action == action).count();
    let mut parts = Vec::new();
    for (action, words) in [
        (Action::Copied, "copied"),
        (Action::RowsMatchedByClass, "of the head with rows matched by class"),
        (Action::Reinitialised, "re-initialised"),
        (Action::Skipped, "of the old network skipped"),
    ] {
        if count(action) > 0 {
            parts.push(format!("{} {words}", count(action)));
        }
    }
    format!("tensors: {}", parts.join(", "))
}

fn start_comment(comparison: &Comparison, (ours, theirs): (&str, &str), metric: Metric) -> String {
    let (start, other) = (figure(comparison.start), figure(comparison.baseline_start));
    format!("before any step {ours} has a validation {} of {start}, {theirs} of {other}", metric.label())
}

fn speed_comment(
    comparison: &Comparison,
    (ours, theirs): (&str, &str),
    metric: Metric,
    runs: &[&StrategyRun],
) -> String {
    let all = comparison.epochs_to_baseline_best.len();
    let target =
        format!("{theirs}'s best validation {} ({} on average)", metric.label(), figure(comparison.baseline_mean));
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (reached, baseline) in comparison.epochs_to_baseline_best.iter().zip(&comparison.baseline_best_epochs) {
        pairs.extend(reached.map(|reached| (reached, *baseline)));
    }
    if pairs.is_empty() {
        let all_epochs = runs.iter().map(|run| run.curves.len() - 1).max().unwrap_or(0);
        return format!("{ours} never reaches {target} in {}, with any of {}", epochs(all_epochs as f64), seeds(all));
    }
    let (reached, needed) = (median(pairs.iter().map(|p| p.0)), median(pairs.iter().map(|p| p.1)));
    let often = if pairs.len() == all { String::new() } else { format!(", with {} of {}", pairs.len(), seeds(all)) };
    let of = if pairs.len() > 1 { " (medians)" } else { "" };
    if reached == 0.0 {
        return format!("{ours} has {target} before any step, which takes {theirs} {}{of}{often}", epochs(needed));
    }
    let word = if reached < needed { "instead of" } else { "while the latter needs" };
    format!("{ours} reaches {target} after {} {word} {needed}{of}{often}", epochs(reached))
}

fn end_comment(comparison: &Comparison, (ours, theirs): (&str, &str), metric: Metric) -> String {
    let label = metric.label();
    let count = comparison.baseline_best_epochs.len();
    let mean = format!("{} ± {}", figure(comparison.mean), figure(comparison.deviation));
    let other = format!("{} ± {}", figure(comparison.baseline_mean), figure(comparison.baseline_deviation));
    let Some(p) = comparison.p_value else {
        let (mean, other) = (figure(comparison.mean), figure(comparison.baseline_mean));
        let why = match count {
            1 => "one seed cannot tell this from chance".to_string(),
            _ => format!("the same difference with all {}", seeds(count)),
        };
        return format!("{ours} ends at a validation {label} of {mean}, {theirs} at {other}; {why}");
    };
    let test = format!("paired t-test over {}, {}", seeds(count), probability(p));
    if p >= SIGNIFICANCE {
        return format!(
            "no difference beyond seed noise: validation {label} of {ours} {mean}, of {theirs} {other} ({test})"
        );
    }
    let better = metric.merit(comparison.mean_difference) > 0.0;
    let word = if better { "better" } else { "worse" };
    format!(
        "{ours} ends {word} than {theirs}: validation {label} {mean} against {other}, a difference of {} ({test})",
        figure(comparison.mean_difference.abs())
    )
}

#[derive(Clone, Copy)]
enum ClassGroupOf {
    Old,
    New,
}

impl ClassGroupOf {
    fn get(self, run: &StrategyRun) -> &ClassGroup {
        match self {
            ClassGroupOf::Old => &run.old_classes,
            ClassGroupOf::New => &run.new_classes,
        }
    }
}

/// None where the group has no rows.
fn group_comment(
    what: &str,
    group: ClassGroupOf,
    (ours, theirs): (&str, &str),
    our_runs: &[&StrategyRun],
    their_runs: &[&StrategyRun],
) -> Option<String> {
    let first = group.get(our_runs.first()?);
    if first.rows == 0 {
        return None;
    }
    let accuracies = |runs: &[&StrategyRun]| -> Vec<f64> { runs.iter().map(|run| group.get(run).accuracy).collect() };
    let (mine, other) = (accuracies(our_runs), accuracies(their_runs));
    let differences: Vec<f64> = mine.iter().zip(&other).map(|(mine, other)| mine - other).collect();
    let verdict = match paired_p_value(&differences) {
        None => String::new(),
        Some(p) if p >= SIGNIFICANCE => {
            format!(" (no difference beyond seed noise, {})", probability(p))
        }
        Some(p) => format!(" ({})", probability(p)),
    };
    let names = if first.classes.len() <= 2 { format!(" ({})", first.classes.join(", ")) } else { String::new() };
    let (mine, other) = (mean_and_deviation(&mine).0, mean_and_deviation(&other).0);
    Some(format!(
        "of the {what} classes' rows{names} {ours} gets {} right, {theirs} {}{verdict}",
        percent(mine),
        percent(other)
    ))
}

fn figure(value: f64) -> String {
    format!("{value:.3}")
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn probability(p: f64) -> String {
    if p < 0.001 { "p < 0.001".into() } else { format!("p = {p:.3}") }
}

fn epochs(count: f64) -> String {
    if count == 1.0 { "1 epoch".into() } else { format!("{count} epochs") }
}

fn seeds(count: usize) -> String {
    if count == 1 { "1 seed".into() } else { format!("{count} seeds") }
}

fn median(values: impl Iterator<Item = usize>) -> f64 {
    let mut sorted: Vec<usize> = values.collect();
    sorted.sort_unstable();
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] as f64 } else { (sorted[middle - 1] + sorted[middle]) as f64 / 2.0 }
}
