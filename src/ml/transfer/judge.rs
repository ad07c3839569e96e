//! What a transfer's figures come to; each finding holds the numbers that it rests on.

use runner_results::transfer::{
    Action, ClassGroup, Comparison, EnoughRows, Outcome, Reached, ShareComparison, Standing, TensorChange,
    TransferFinding,
};

use super::compare::{best_score, of};
use super::report::StrategyRun;
use super::spec::{Strategy, TransferSpec};
use crate::stats::{mean_and_deviation, paired_p_value};
use crate::train::Metric;

/// What the strategies' comparison comes to, by accuracy. `None` where there is nothing to compare.
pub(crate) fn verdict(comparisons: &[Comparison], spec: &TransferSpec) -> Option<TransferFinding> {
    let first = comparisons.first()?;
    let standing = |found: &Comparison| Standing {
        strategy: found.strategy,
        mean: found.accuracy.mean,
        deviation: found.accuracy.deviation,
        p_corrected: found.accuracy.p_corrected,
    };
    let picked = |wanted: fn(Outcome) -> bool| -> Vec<Standing> {
        comparisons.iter().filter(|found| wanted(found.accuracy.outcome())).map(standing).collect()
    };
    Some(TransferFinding::Verdict {
        seeds: spec.seeds,
        baseline: Standing {
            strategy: first.baseline,
            mean: first.accuracy.baseline_mean,
            deviation: first.accuracy.baseline_deviation,
            p_corrected: None,
        },
        more_accurate: picked(|outcome| outcome == Outcome::Higher),
        less_accurate: picked(|outcome| outcome == Outcome::Lower),
        no_difference: picked(|outcome| matches!(outcome, Outcome::Same | Outcome::Untested)),
    })
}

/// Where there is nothing to transfer to but what the old network knows already.
pub(crate) fn nothing_new(old_classes: &[String], classes: &[String], spec: &TransferSpec) -> Option<TransferFinding> {
    let is_new = |class: &String| !old_classes.contains(class);
    (!classes.iter().any(is_new)).then_some(TransferFinding::NothingNew { shares: !spec.shares.is_empty() })
}

pub(crate) fn tensors(tensors: &[TensorChange]) -> Option<TransferFinding> {
    let count = |action: Action| tensors.iter().filter(|tensor| tensor.action == action).count();
    let all = [
        Action::Copied,
        Action::RowsMatchedByClass,
        Action::RowsMatchedByValue,
        Action::Sliced,
        Action::Reinitialised,
        Action::Skipped,
    ];
    let actions: Vec<(Action, usize)> = all.map(|action| (action, count(action))).into();
    let actions: Vec<_> = actions.into_iter().filter(|(_, count)| *count > 0).collect();
    (!actions.is_empty()).then_some(TransferFinding::Tensors { actions })
}

/// How a strategy starts, how fast it is, where it ends, and how its classes fare.
pub(crate) fn comparison(found: &Comparison, runs: &[StrategyRun]) -> Vec<TransferFinding> {
    let ours = of(runs, found.strategy);
    let (strategy, baseline, seeds) = (found.strategy, found.baseline, found.baseline_best_epochs.len());
    let start = TransferFinding::Start { strategy, baseline, score: found.start, baseline_score: found.baseline_start };
    let mut all =
        vec![start, speed(found, &ours), TransferFinding::End { strategy, baseline, seeds, valid: found.valid }];
    let Some(run) = ours.first() else { return all };
    // Where no class is new, the old ones are all, of which the verdict has told.
    if run.judged().new_classes.classes.is_empty() {
        return all;
    }
    let classes = |group: &ClassGroup| group.classes.clone();
    all.extend(found.old_classes.map(|accuracy| TransferFinding::OldClasses {
        strategy,
        baseline,
        classes: classes(&run.judged().old_classes),
        accuracy,
    }));
    all.extend(found.new_classes.map(|accuracy| TransferFinding::NewClasses {
        strategy,
        baseline,
        classes: classes(&run.judged().new_classes),
        accuracy,
    }));
    all
}

fn speed(found: &Comparison, runs: &[&StrategyRun]) -> TransferFinding {
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for (reached, baseline) in found.epochs_to_baseline_best.iter().zip(&found.baseline_best_epochs) {
        pairs.extend(reached.map(|reached| (reached, *baseline)));
    }
    TransferFinding::Speed {
        strategy: found.strategy,
        baseline: found.baseline,
        target: found.valid.baseline_mean,
        seeds: found.epochs_to_baseline_best.len(),
        reached: (!pairs.is_empty()).then(|| Reached {
            seeds: pairs.len(),
            epochs: median(pairs.iter().map(|pair| pair.0)),
            baseline_epochs: median(pairs.iter().map(|pair| pair.1)),
        }),
        epochs: runs.iter().map(|run| run.curves.len() - 1).max().unwrap_or(0),
    }
}

/// What a copying strategy still knows of the old classes, against the old network on the same rows.
pub(crate) fn forgotten(before: &ClassGroup, ours: &[&StrategyRun]) -> Option<TransferFinding> {
    let (first, known_before) = (ours.first()?, before.accuracy?);
    let lost = |score: fn(&StrategyRun) -> Option<f64>| -> (f64, Option<f64>) {
        let differences: Vec<f64> = ours.iter().filter_map(|run| Some(score(run)? - known_before)).collect();
        (mean_and_deviation(&differences, 1).0, paired_p_value(&differences))
    };
    let (change, _) = lost(|run| run.judged().old_classes.accuracy);
    let (change_among_old, p_value) = lost(|run| run.judged().retained);
    Some(TransferFinding::Forgotten {
        strategy: first.strategy,
        before: known_before,
        change,
        change_among_old,
        p_value,
        new_classes: first.judged().new_classes.classes.clone(),
    })
}

/// With what share of the new classes' rows a strategy is as accurate as the baseline with all of them.
pub(crate) fn shares(
    strategy: Strategy,
    found: &[ShareComparison],
    runs: &[StrategyRun],
    share_runs: &[StrategyRun],
    spec: &TransferSpec,
) -> Option<TransferFinding> {
    if runs.first()?.judged().new_classes.classes.is_empty() {
        return None;
    }
    let baseline = spec.baseline();
    let accuracies: Vec<f64> = of(runs, baseline).iter().map(|run| run.judged().all.accuracy).collect();
    let target = mean_and_deviation(&accuracies, 1).0;
    let own: Vec<&ShareComparison> = found.iter().filter(|one| one.strategy == strategy).collect();
    let (least, most) = (own.first()?, own.last()?);
    let enough = own.iter().find(|one| one.accuracy.mean >= target).map(|one| EnoughRows {
        share: one.share,
        rows: share_runs.iter().find(|run| run.share == one.share).map_or(0, |run| run.new_rows),
        accuracy: one.accuracy.mean,
    });
    Some(TransferFinding::Shares {
        strategy,
        baseline,
        target,
        enough,
        most: most.share,
        least: least.share,
        accuracy_at_least: least.accuracy,
    })
}

pub(crate) fn diverged(run: &StrategyRun) -> Option<TransferFinding> {
    let StrategyRun { strategy, seed, best_epoch, .. } = *run;
    run.diverged.map(|epoch| TransferFinding::Diverged { strategy, seed, epoch, best_epoch })
}

pub(crate) fn chosen(run: &StrategyRun, metric: Metric) -> TransferFinding {
    TransferFinding::Chosen { strategy: run.strategy, seed: run.seed, score: best_score(run, metric) }
}

fn median(values: impl Iterator<Item = usize>) -> f64 {
    let mut sorted: Vec<usize> = values.collect();
    sorted.sort_unstable();
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] as f64 } else { (sorted[middle - 1] + sorted[middle]) as f64 / 2.0 }
}
