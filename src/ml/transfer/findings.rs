//! From what the trainings gave to the report: comparisons, the choice, and the words for both.

use super::report::{ClassGroup, Part, StrategyRun, TransferReport};
use super::spec::TransferSpec;
use super::weight_transfer::TensorReport;
use super::{compare, words};
use crate::stats::Clusters;
use crate::train::Metric;

/// What the trainings gave, to be compared.
pub struct Findings {
    /// As in the report.
    pub runs: Vec<StrategyRun>,
    pub share_runs: Vec<StrategyRun>,
    pub tensors: Vec<TensorReport>,
    pub before: Vec<(Part, ClassGroup)>,
    /// By which epochs and networks are chosen.
    pub metric: Metric,
    /// Of the rows that the runs are judged on.
    pub clusters: Clusters,
    /// Of the bootstrap.
    pub seed: u64,
}

impl Findings {
    pub fn report(self, old_classes: &[String], classes: &[String], spec: &TransferSpec) -> TransferReport {
        let Findings { runs, share_runs, tensors, before, metric, clusters, seed } = self;
        let part = if runs.iter().all(|run| run.test.is_some()) { Part::Test } else { Part::Valid };
        let comparisons = compare::comparisons(&runs, spec, metric);
        let shares = compare::share_comparisons(&share_runs, spec);
        let best = compare::best_run(&runs, spec.seeds, metric);
        let rows = compare::row_comparison(&runs, best, spec, metric, &clusters, seed);
        let mut comments: Vec<String> = words::verdict(&comparisons, part, spec).into_iter().collect();
        comments.extend(words::nothing_new(old_classes, classes, spec));
        comments.extend(rows.as_ref().map(|rows| words::rows(rows, part)));
        if !tensors.is_empty() {
            comments.push(words::tensors(&tensors));
        }
        comments.extend(comparisons.iter().flat_map(|found| words::comparison(found, &runs, part, metric)));
        let old = before.iter().find(|(of, _)| *of == part);
        for strategy in spec.strategies.iter().filter(|strategy| strategy.copies()) {
            let ours = compare::of(&runs, *strategy);
            comments.extend(old.and_then(|(_, old)| words::forgotten(old, &ours, part)));
            comments.extend(words::shares(*strategy, &shares, &runs, &share_runs, spec));
        }
        comments.extend(runs.iter().chain(&share_runs).filter_map(words::diverged));
        comments.push(words::chosen(&runs[best], metric));
        let preprocessing = words::preprocessing(old_classes, classes);
        TransferReport {
            runs,
            share_runs,
            tensors,
            part,
            before,
            comparisons,
            shares,
            rows,
            comments,
            best,
            metric,
            preprocessing,
        }
    }
}
