//! From what the trainings gave to the document: comparisons, the choice, and what both come to.

use runner_results::transfer::{Before, Run, ShareRun, StrategyRuns, TensorChange, TransferFinding};
use runner_results::{Part, transfer::Transfer};

use super::report::{StrategyRun, TransferReport};
use super::spec::TransferSpec;
use super::{compare, judge};
use crate::stats::Clusters;
use crate::train::Metric;

/// What the trainings gave, to be compared.
pub(crate) struct Findings {
    /// As in the report.
    pub(crate) runs: Vec<StrategyRun>,
    pub(crate) share_runs: Vec<StrategyRun>,
    pub(crate) tensors: Vec<TensorChange>,
    pub(crate) before: Vec<Before>,
    /// By which epochs and networks are chosen.
    pub(crate) metric: Metric,
    /// Of the rows that the runs are judged on.
    pub(crate) clusters: Clusters,
    /// Of the bootstrap.
    pub(crate) seed: u64,
}

impl Findings {
    pub(crate) fn report(self, old_classes: &[String], classes: &[String], spec: &TransferSpec) -> TransferReport {
        let Findings { runs, share_runs, tensors, before, metric, clusters, seed } = self;
        let part = if runs.iter().all(|run| run.test.is_some()) { Part::Test } else { Part::Valid };
        let comparisons = compare::comparisons(&runs, spec, metric);
        let share_comparisons = compare::share_comparisons(&share_runs, spec);
        let best = compare::best_run(&runs, spec.seeds, metric);
        let rows = compare::row_comparison(&runs, best, spec, metric, &clusters, seed);
        let mut findings: Vec<TransferFinding> = judge::verdict(&comparisons, spec).into_iter().collect();
        findings.extend(judge::nothing_new(old_classes, classes, spec));
        findings.extend(rows.clone().map(TransferFinding::RowByRow));
        findings.extend(judge::tensors(&tensors));
        findings.extend(comparisons.iter().flat_map(|found| judge::comparison(found, &runs)));
        let old = before.iter().find(|one| one.part == part);
        for strategy in spec.strategies.iter().filter(|strategy| strategy.copies()) {
            let ours = compare::of(&runs, *strategy);
            findings.extend(old.and_then(|old| judge::forgotten(&old.old_classes, &ours)));
            findings.extend(judge::shares(*strategy, &share_comparisons, &runs, &share_runs, spec));
        }
        findings.extend(runs.iter().chain(&share_runs).filter_map(judge::diverged));
        findings.push(judge::chosen(&runs[best], metric));
        let strategies = spec.strategies.iter().map(|strategy| {
            let comparison = comparisons.iter().find(|comparison| comparison.strategy == *strategy);
            let reached = comparison.into_iter().flat_map(|found| found.epochs_to_baseline_best.iter().copied());
            let targets = reached.map(Some).chain(std::iter::repeat(None));
            let runs = compare::of(&runs, *strategy).into_iter().zip(targets);
            let runs = runs.map(|(run, target)| Run {
                seed: run.seed,
                best_epoch: run.best_epoch,
                diverged: run.diverged,
                valid: run.valid.clone(),
                epochs_to_target: target.flatten(),
                test: run.test.clone(),
            });
            StrategyRuns { strategy: *strategy, runs: runs.collect() }
        });
        // A learning curve needs the runs on all rows as its end.
        let whole = runs.iter().filter(|_| !share_runs.is_empty());
        let at_share = |run: &StrategyRun| ShareRun {
            share: run.share,
            new_rows: run.new_rows,
            strategy: run.strategy,
            seed: run.seed,
            best_epoch: run.best_epoch,
            accuracy: run.judged().all.accuracy,
            macro_f1: run.judged().all.macro_f1,
            old_classes: run.judged().old_classes.accuracy,
            new_classes: run.judged().new_classes.accuracy,
        };
        let found = Transfer {
            strategies: strategies.collect(),
            best: runs[best].strategy,
            metric,
            part,
            old_classes: old_classes.to_vec(),
            classes: classes.to_vec(),
            before,
            tensors,
            comparisons,
            rows,
            share_runs: share_runs.iter().chain(whole).map(at_share).collect(),
            share_comparisons,
            findings,
        };
        TransferReport { found, runs, share_runs, best }
    }
}
