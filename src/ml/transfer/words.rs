//! Puts a transfer's figures into sentences; each follows from the numbers that it names.

use super::compare::{best_score, of};
use super::report::{ClassGroup, Comparison, Paired, Part, RowComparison, ShareComparison, StrategyRun};
use super::spec::{Strategy, TransferSpec};
use super::t_test::{mean_and_deviation, paired_p_value};
use super::weight_transfer::{Action, TensorReport};
use crate::train::Metric;

/// Below this p value a difference is called one.
const SIGNIFICANCE: f64 = 0.05;

impl Part {
    /// As it stands in sentences.
    pub fn name(self) -> &'static str {
        match self {
            Part::Valid => "validation",
            Part::Test => "test",
        }
    }
}

/// What the strategies' comparison comes to, by accuracy on `part`. `None` where there is nothing to compare.
pub fn verdict(comparisons: &[Comparison], part: Part, spec: &TransferSpec) -> Option<String> {
    let first = comparisons.first()?;
    let baseline = first.baseline.name();
    let stand = |name: &str, mean: f64, deviation: f64| match spec.seeds {
        1 => format!("{name} ({})", figure(mean)),
        _ => format!("{name} ({} ± {})", figure(mean), figure(deviation)),
    };
    let theirs = stand(baseline, first.accuracy.baseline_mean, first.accuracy.baseline_deviation);
    let list = |picked: &[&Comparison]| -> String {
        let named = |c: &&Comparison| stand(c.strategy.name(), c.accuracy.mean, c.accuracy.deviation);
        joined(&picked.iter().map(named).collect::<Vec<_>>())
    };
    let all: Vec<&Comparison> = comparisons.iter().collect();
    if spec.seeds == 1 {
        let part = part.name();
        return Some(format!("verdict: one seed cannot tell {} from {theirs} by {part} accuracy", list(&all)));
    }
    let picked = |wanted: fn(&Paired) -> bool| -> Vec<&Comparison> {
        comparisons.iter().filter(|c| wanted(&c.accuracy)).collect()
    };
    let better = picked(|a| is_significant(a) && a.mean_difference > 0.0);
    let worse = picked(|a| is_significant(a) && a.mean_difference < 0.0);
    let same = picked(|a| !is_significant(a));
    let mut parts = Vec::new();
    for (picked, word) in [(&better, "more"), (&worse, "less")] {
        if !picked.is_empty() {
            let verb = if picked.len() == 1 { "is" } else { "are" };
            parts.push(format!("{} {verb} {word} accurate than {theirs}{}", list(picked), greatest(picked)));
        }
    }
    if !same.is_empty() {
        let other = if parts.is_empty() { theirs } else { baseline.to_owned() };
        let least = same.iter().filter_map(|c| c.accuracy.p_corrected).reduce(f64::min);
        let p = least.map(|p| format!(", least p = {p:.3}")).unwrap_or_default();
        parts.push(format!("no significant difference between {} and {other}{p}", list(&same)));
    }
    let correction = if comparisons.len() > 1 { ", Holm's correction" } else { "" };
    Some(format!(
        "verdict: on the {} part {} (paired t-tests over {}{correction})",
        part.name(),
        parts.join("; "),
        seeds(spec.seeds)
    ))
}

/// The networks that would be handed on, row by row.
pub fn rows(found: &RowComparison, part: Part) -> String {
    let (ours, theirs) = (found.strategy.name(), found.baseline.name());
    let interval = found.difference;
    let test = match found.groups {
        Some(groups) => format!("sign-flip test over {groups} groups of rows"),
        None => "McNemar".to_owned(),
    };
    let word = match (found.mcnemar.p < SIGNIFICANCE, interval.estimate > 0.0) {
        (false, _) => "no significant difference",
        (true, true) => "more than chance explains",
        (true, false) => "a loss beyond chance",
    };
    format!(
        "row by row on the {} part {ours} (seed {}) is right on {} that {theirs} (seed {}) gets wrong, and wrong on {} that it \
         gets right: a difference in accuracy of {} (95 % interval {} to {}), {word} ({test}, {})",
        part.name(),
        found.seed,
        found.only_ours,
        found.baseline_seed,
        found.only_theirs,
        figure(interval.estimate),
        figure(interval.low),
        figure(interval.high),
        probability(found.mcnemar.p)
    )
}

pub fn tensors(tensors: &[TensorReport]) -> String {
    let count = |action: Action| tensors.iter().filter(|tensor| tensor.action == action).count();
    let mut parts = Vec::new();
    for (action, words) in [
        (Action::Copied, "copied"),
        (Action::RowsMatchedByClass, "of the head with rows matched by class"),
        (Action::RowsMatchedByValue, "of categories with rows matched by value"),
        (Action::Sliced, "sliced"),
        (Action::Reinitialised, "re-initialised"),
        (Action::Skipped, "of the old network skipped"),
    ] {
        if count(action) > 0 {
            parts.push(format!("{} {words}", count(action)));
        }
    }
    format!("tensors: {}", parts.join(", "))
}

/// How a strategy starts, how fast it is, where it ends, and how its classes fare.
pub fn comparison(found: &Comparison, runs: &[StrategyRun], part: Part, metric: Metric) -> Vec<String> {
    let ours = of(runs, found.strategy);
    let mut said = vec![start(found, metric), speed(found, metric, &ours), end(found, metric)];
    let Some(run) = ours.first() else { return said };
    let old = (found.old_classes, &run.judged().old_classes, "old");
    let new = (found.new_classes, &run.judged().new_classes, "new");
    // Where no class is new, the old ones are all, of which the verdict has told.
    let shown = if run.judged().new_classes.classes.is_empty() { Vec::new() } else { vec![old, new] };
    for (paired, group, what) in shown {
        said.extend(paired.map(|paired| of_group(found, &paired, group, what, part)));
    }
    said
}

/// What a copying strategy still knows of the old classes, against the old network on the same rows.
pub fn forgotten(before: &ClassGroup, ours: &[&StrategyRun], part: Part) -> Option<String> {
    let (first, known_before) = (ours.first()?, before.accuracy?);
    let lost = |score: fn(&StrategyRun) -> Option<f64>| -> (f64, Option<f64>) {
        let differences: Vec<f64> = ours.iter().filter_map(|run| Some(score(run)? - known_before)).collect();
        (mean_and_deviation(&differences).0, paired_p_value(&differences))
    };
    let (all, _) = lost(|run| run.judged().old_classes.accuracy);
    let (known, p) = lost(|run| run.judged().retained);
    let word = match p {
        Some(p) if p >= SIGNIFICANCE => format!("no significant change, {}", probability(p)),
        Some(p) if known < 0.0 => format!("forgotten, {}", probability(p)),
        Some(p) => format!("a gain, {}", probability(p)),
        None => "too few seeds to tell from chance".to_owned(),
    };
    let new = &first.judged().new_classes.classes;
    if new.is_empty() {
        return Some(format!(
            "the old network gets {} of the {} rows right; after {} it is {} ({word})",
            percent(known_before),
            part.name(),
            first.strategy.name(),
            percent(known_before + known),
        ));
    }
    Some(format!(
        "the old network gets {} of the old classes' {} rows right; after {} it is {}, and {} when it may choose among the old \
         classes alone ({word}): the rest is taken for {}",
        percent(known_before),
        part.name(),
        first.strategy.name(),
        percent(known_before + all),
        percent(known_before + known),
        new.join(", ")
    ))
}

/// With what share of the new classes' rows a strategy is as accurate as the baseline with all of them.
pub fn shares(
    strategy: Strategy,
    found: &[ShareComparison],
    runs: &[StrategyRun],
    share_runs: &[StrategyRun],
    spec: &TransferSpec,
) -> Option<String> {
    if runs.first()?.judged().new_classes.classes.is_empty() {
        return None;
    }
    let accuracy = |runs: &[&StrategyRun]| {
        mean_and_deviation(&runs.iter().map(|run| run.judged().all.accuracy).collect::<Vec<_>>()).0
    };
    let baseline = spec.baseline();
    let target = accuracy(&of(runs, baseline));
    let own: Vec<&ShareComparison> = found.iter().filter(|one| one.strategy == strategy).collect();
    let (ours, theirs) = (strategy.name(), baseline.name());
    let least = own.first()?;
    let mut said = match own.iter().find(|one| one.accuracy.mean >= target) {
        Some(enough) => {
            let rows = share_runs.iter().find(|run| run.share == enough.share).map_or(0, |run| run.new_rows);
            format!(
                "with {} of the new classes' rows ({rows}) {ours} is as accurate as {theirs} with all of them ({} against {})",
                percent(enough.share),
                figure(enough.accuracy.mean),
                figure(target)
            )
        }
        None => format!(
            "{ours} needs more than {} of the new classes' rows to be as accurate as {theirs} with all of them ({})",
            percent(own.last().map_or(1.0, |last| last.share)),
            figure(target)
        ),
    };
    let word = match least.accuracy.p_corrected {
        Some(_) if is_significant(&least.accuracy) && least.accuracy.mean_difference > 0.0 => "ahead of",
        Some(_) if is_significant(&least.accuracy) => "behind",
        _ => "not significantly different from",
    };
    let p = least.accuracy.p_corrected.map(|p| format!(", corrected {}", probability(p))).unwrap_or_default();
    said += &format!(
        "; with {} it is {word} {theirs} with as many ({} against {}{p})",
        percent(least.share),
        figure(least.accuracy.mean),
        figure(least.accuracy.baseline_mean)
    );
    Some(said)
}

/// Where there is nothing to transfer to but what the old network knows already.
pub fn nothing_new(old_classes: &[String], classes: &[String], spec: &TransferSpec) -> Option<String> {
    if classes.iter().any(|class| !old_classes.contains(class)) {
        return None;
    }
    let shares =
        if spec.shares.is_empty() { "" } else { ", and `shares`, which are of new classes' rows, change nothing" };
    Some(format!("no class is new: the old network is trained on for classes that it knows{shares}"))
}

pub fn diverged(run: &StrategyRun) -> Option<String> {
    let epoch = run.diverged?;
    let (strategy, seed) = (run.strategy.name(), run.seed);
    Some(format!("{strategy} with seed {seed} diverged in epoch {epoch}; its epoch {} is kept", run.best_epoch))
}

pub fn chosen(run: &StrategyRun, metric: Metric) -> String {
    let (strategy, score) = (run.strategy.name(), figure(best_score(run, metric)));
    format!("chosen on the validation part: {strategy} (seed {}), {} {score}", run.seed, metric.label())
}

/// How inputs were prepared.
pub fn preprocessing(old_classes: &[String], classes: &[String]) -> String {
    let missing: Vec<&str> = classes.iter().filter(|c| !old_classes.contains(c)).map(String::as_str).collect();
    let rows = if missing.is_empty() { "the new data".to_string() } else { missing.join(", ") };
    format!(
        "every strategy uses the old network's imputation and scaling, fitted on its own training part, so that copied weights \
         see the units they learnt; rows of {rows} had no part in it. Category values that only the new training rows hold are \
         added to the old ones"
    )
}

fn is_significant(paired: &Paired) -> bool {
    paired.p_corrected.is_some_and(|p| p < SIGNIFICANCE)
}

fn greatest(picked: &[&Comparison]) -> String {
    let p = picked.iter().filter_map(|c| c.accuracy.p_corrected).fold(0.0, f64::max);
    match picked.len() {
        1 => format!(", {}", probability(p)),
        _ if p < 0.001 => ", p < 0.001".to_owned(),
        _ => format!(", p ≤ {p:.3}"),
    }
}

fn start(found: &Comparison, metric: Metric) -> String {
    let (start, other) = (figure(found.start), figure(found.baseline_start));
    let (ours, theirs) = (found.strategy.name(), found.baseline.name());
    format!("before any step {ours} has a validation {} of {start}, {theirs} of {other}", metric.label())
}

fn speed(found: &Comparison, metric: Metric, runs: &[&StrategyRun]) -> String {
    let (ours, theirs) = (found.strategy.name(), found.baseline.name());
    let all = found.epochs_to_baseline_best.len();
    let target =
        format!("{theirs}'s best validation {} ({} on average)", metric.label(), figure(found.valid.baseline_mean));
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (reached, baseline) in found.epochs_to_baseline_best.iter().zip(&found.baseline_best_epochs) {
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

fn end(found: &Comparison, metric: Metric) -> String {
    let (ours, theirs) = (found.strategy.name(), found.baseline.name());
    let (label, valid) = (metric.label(), &found.valid);
    let count = found.baseline_best_epochs.len();
    let mean = format!("{} ± {}", figure(valid.mean), figure(valid.deviation));
    let other = format!("{} ± {}", figure(valid.baseline_mean), figure(valid.baseline_deviation));
    let Some(p) = valid.p_corrected else {
        let (mean, other) = (figure(valid.mean), figure(valid.baseline_mean));
        let why = match count {
            1 => "one seed cannot tell this from chance".to_string(),
            _ => format!("the same difference with all {}", seeds(count)),
        };
        return format!("{ours} ends at a validation {label} of {mean}, {theirs} at {other}; {why}");
    };
    let test = format!("paired t-test over {}, {}", seeds(count), probability(p));
    if !is_significant(valid) {
        return format!("no significant difference in validation {label}: {ours} {mean}, {theirs} {other} ({test})");
    }
    let better = metric.merit(valid.mean_difference) > 0.0;
    let word = if better { "better" } else { "worse" };
    format!(
        "{ours} ends {word} than {theirs}: validation {label} {mean} against {other}, a difference of {} ({test})",
        figure(valid.mean_difference.abs())
    )
}

fn of_group(found: &Comparison, paired: &Paired, group: &ClassGroup, what: &str, part: Part) -> String {
    let (ours, theirs) = (found.strategy.name(), found.baseline.name());
    let verdict = match paired.p_corrected {
        None => String::new(),
        Some(p) if p >= SIGNIFICANCE => format!(" (no significant difference, {})", probability(p)),
        Some(p) => format!(" ({})", probability(p)),
    };
    let names = if group.classes.len() <= 2 { format!(" ({})", group.classes.join(", ")) } else { String::new() };
    format!(
        "of the {what} classes' {} rows{names} {ours} gets {} right, {theirs} {}{verdict}",
        part.name(),
        percent(paired.mean),
        percent(paired.baseline_mean)
    )
}

fn joined(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
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
