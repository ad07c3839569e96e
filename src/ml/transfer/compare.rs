//! Compares the strategies' runs, paired by seed, and the chosen network with the baseline's, row by row.
//!
//! What it comes to is in `judge`.

use runner_results::transfer::{Comparison, GroupScores, Paired, RowComparison, ShareComparison};

use super::report::StrategyRun;
use super::spec::{Strategy, TransferSpec};
use crate::stats::{Bootstrap, Clusters, holm, mean_and_deviation, paired_bootstrap, paired_p_value, paired_test};
use crate::train::Metric;

/// The kept network's score on the validation part.
pub(crate) fn best_score(run: &StrategyRun, metric: Metric) -> f64 {
    run.curves.valid(metric)[run.best_epoch]
}

/// Index of the best seed of the strategy with the best mean on the validation part; the first of equals. `runs` are
/// strategy after strategy, each with `seeds` of them.
pub(crate) fn best_run(runs: &[StrategyRun], seeds: usize, metric: Metric) -> usize {
    let merit = |run: &StrategyRun| metric.merit(best_score(run, metric));
    let mut best = 0;
    let mut best_mean = f64::NEG_INFINITY;
    for (s, of_strategy) in runs.chunks(seeds).enumerate() {
        let mean = of_strategy.iter().map(merit).sum::<f64>() / of_strategy.len() as f64;
        if mean > best_mean {
            best_mean = mean;
            best = s * seeds;
            for i in s * seeds..s * seeds + of_strategy.len() {
                if merit(&runs[i]) > merit(&runs[best]) {
                    best = i;
                }
            }
        }
    }
    best
}

/// Every strategy but the baseline against it; p values of each score are corrected over the strategies.
pub(crate) fn comparisons(runs: &[StrategyRun], spec: &TransferSpec, metric: Metric) -> Vec<Comparison> {
    let baseline = spec.baseline();
    let theirs = of(runs, baseline);
    let others = spec.strategies.iter().filter(|strategy| **strategy != baseline);
    let mut found: Vec<Comparison> =
        others.map(|strategy| comparison(*strategy, &of(runs, *strategy), baseline, &theirs, metric)).collect();
    let scores: [fn(&mut Comparison) -> Option<&mut Paired>; 5] = [
        |c| Some(&mut c.valid),
        |c| Some(&mut c.accuracy),
        |c| c.old_classes.as_mut(),
        |c| c.new_classes.as_mut(),
        |c| c.retained.as_mut(),
    ];
    for score in scores {
        correct(found.iter_mut().filter_map(score).collect());
    }
    found
}

/// The accuracies with lesser shares of the new classes' rows; p values are corrected over all of them.
pub(crate) fn share_comparisons(runs: &[StrategyRun], spec: &TransferSpec) -> Vec<ShareComparison> {
    let baseline = spec.baseline();
    let mut found = Vec::new();
    for share in &spec.shares {
        let own: Vec<StrategyRun> = runs.iter().filter(|run| run.share == *share).cloned().collect();
        for strategy in spec.strategies.iter().filter(|strategy| **strategy != baseline) {
            let accuracy = paired(&of(&own, *strategy), &of(&own, baseline), |run| run.judged().all.accuracy);
            found.push(ShareComparison { share: *share, strategy: *strategy, accuracy });
        }
    }
    correct(found.iter_mut().map(|one| &mut one.accuracy).collect());
    found
}

/// The chosen network against the baseline's best one on the validation part; `None` where the baseline was chosen.
pub(crate) fn row_comparison(
    runs: &[StrategyRun],
    best: usize,
    spec: &TransferSpec,
    metric: Metric,
    clusters: &Clusters,
    seed: u64,
) -> Option<RowComparison> {
    let baseline = spec.baseline();
    let own: Vec<StrategyRun> = runs.iter().filter(|run| run.strategy == baseline).cloned().collect();
    let (ours, theirs) = (&runs[best], own.get(best_run(&own, spec.seeds, metric))?);
    if ours.strategy == baseline {
        return None;
    }
    let (a, b) = (&theirs.hits, &ours.hits);
    let only = |right: &[bool], wrong: &[bool]| right.iter().zip(wrong).filter(|(r, w)| **r && !**w).count() as u64;
    let (only_ours, only_theirs) = (only(b, a), only(a, b));
    let scores = |hits: &[bool]| -> Vec<f64> { hits.iter().map(|hit| f64::from(u8::from(*hit))).collect() };
    let how = Bootstrap { seed, ..Bootstrap::default() };
    Some(RowComparison {
        strategy: ours.strategy,
        seed: ours.seed,
        baseline,
        baseline_seed: theirs.seed,
        only_ours,
        only_theirs,
        groups: clusters.groups(),
        mcnemar: paired_test(clusters, |row| (b[row], a[row])),
        difference: paired_bootstrap(&scores(a), &scores(b), clusters, &how)?,
    })
}

/// The runs of a strategy.
pub(super) fn of(runs: &[StrategyRun], strategy: Strategy) -> Vec<&StrategyRun> {
    runs.iter().filter(|run| run.strategy == strategy).collect()
}

fn comparison(
    strategy: Strategy,
    ours: &[&StrategyRun],
    baseline: Strategy,
    theirs: &[&StrategyRun],
    metric: Metric,
) -> Comparison {
    let starts = |runs: &[&StrategyRun]| -> Vec<f64> { runs.iter().map(|run| run.curves.valid(metric)[0]).collect() };
    let reached = |(run, other): (&&StrategyRun, &&StrategyRun)| {
        let target = metric.merit(best_score(other, metric));
        run.curves.valid(metric).iter().position(|score| metric.merit(*score) >= target)
    };
    // A group of classes without rows has no score.
    let group = |score: fn(&GroupScores) -> Option<f64>| {
        let exists = ours.first().is_some_and(|run| score(run.judged()).is_some());
        exists.then(|| paired(ours, theirs, |run| score(run.judged()).unwrap_or(f64::NAN)))
    };
    Comparison {
        strategy,
        baseline,
        valid: paired(ours, theirs, |run| best_score(run, metric)),
        accuracy: paired(ours, theirs, |run| run.judged().all.accuracy),
        old_classes: group(|scores| scores.old_classes.accuracy),
        new_classes: group(|scores| scores.new_classes.accuracy),
        retained: group(|scores| scores.retained),
        start: mean_and_deviation(&starts(ours), 1).0,
        baseline_start: mean_and_deviation(&starts(theirs), 1).0,
        epochs_to_baseline_best: ours.iter().zip(theirs).map(reached).collect(),
        baseline_best_epochs: theirs.iter().map(|run| run.best_epoch).collect(),
    }
}

fn paired(ours: &[&StrategyRun], theirs: &[&StrategyRun], score: impl Fn(&StrategyRun) -> f64) -> Paired {
    let scores = |runs: &[&StrategyRun]| -> Vec<f64> { runs.iter().map(|run| score(run)).collect() };
    let (ours, theirs) = (scores(ours), scores(theirs));
    let differences: Vec<f64> = ours.iter().zip(&theirs).map(|(ours, theirs)| ours - theirs).collect();
    let (mean, deviation) = mean_and_deviation(&ours, 1);
    let (baseline_mean, baseline_deviation) = mean_and_deviation(&theirs, 1);
    let p_value = paired_p_value(&differences);
    Paired {
        mean,
        deviation,
        baseline_mean,
        baseline_deviation,
        mean_difference: mean_and_deviation(&differences, 1).0,
        p_value,
        p_corrected: p_value,
    }
}

fn correct(family: Vec<&mut Paired>) {
    let mut tested: Vec<&mut Paired> = family.into_iter().filter(|one| one.p_value.is_some()).collect();
    let p: Vec<f64> = tested.iter().filter_map(|one| one.p_value).collect();
    for (one, corrected) in tested.iter_mut().zip(holm(&p)) {
        one.p_corrected = Some(corrected);
    }
}
