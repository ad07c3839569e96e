//! Several classifiers as one: a weighted average of their probabilities or of their logits, the weights chosen on rows that none of them learnt from.
//!
//! Knows classifiers only by the probabilities that they gave for the same rows.

#[cfg(test)]
mod tests;
mod weights;

pub use runner_results::ensemble::{Average, Weighting};
use serde::{Deserialize, Serialize};

use runner_results::Metric;
use runner_results::scores::{PLAIN, Scoring};

use super::calibration::{Calibration, Raw};
use super::matrix::Matrix;
use super::progress::{Cancelled, Progress};
use super::rng::Stream;
use super::threshold::{self, Wanted};

/// Probabilities below this count as this where logarithms are averaged: a forest's or a neighbours' zero is no certainty.
const LEAST: f64 = 1e-4;

/// How members become one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Combination {
    /// What is averaged.
    pub average: Average,
    /// One for each member; they sum to 1.
    pub weights: Vec<f64>,
    /// Of the average.
    pub calibration: Calibration,
}

/// Members that said something of the same rows.
#[derive(Clone, Copy)]
pub struct Members<'a> {
    /// Rows × classes each.
    pub probabilities: &'a [&'a Matrix],
    /// Each member's [`Calibration::decision`], in the same order; a missing or empty one predicts its likeliest class.
    pub decisions: &'a [Vec<f64>],
    /// The class weights of the loss that all of them minimised, where their probabilities are not calibrated yet; empty for none.
    pub class_weights: &'a [f32],
    /// The threshold that the average predicts by, instead of its members' decisions.
    pub threshold: Option<Wanted>,
    /// What greedy selection looks at.
    pub metric: Metric,
    /// What such a metric depends on; where mistakes have costs, the average predicts the class of least expected cost unless it has a threshold.
    pub scoring: &'a Scoring,
}

impl<'a> Members<'a> {
    /// Members that predict their likeliest class, and whose training had no class weights.
    pub fn plain(probabilities: &'a [&'a Matrix]) -> Self {
        Members {
            probabilities,
            decisions: &[],
            class_weights: &[],
            threshold: None,
            metric: Metric::Loss,
            scoring: &PLAIN,
        }
    }
}

impl Combination {
    /// The combination of the members that these rows' labels call for.
    ///
    /// The average decides as its members would: their decision weights are averaged as their logits are.
    ///
    /// # Errors
    /// If the user wants to stop.
    pub fn fit(
        given: Members,
        labels: &[u32],
        average: Average,
        weighting: Weighting,
        progress: &dyn Progress,
    ) -> Result<Combination, Cancelled> {
        let members = given.probabilities;
        let weights = match (weighting, average) {
            (Weighting::Equal, _) => vec![1.0; members.len()],
            (Weighting::Greedy, _) => weights::greedy(given, labels, average, progress)?,
            (Weighting::Convex, Average::Probabilities) => weights::mixture(members, labels, progress)?,
            (Weighting::Convex, Average::Logits) => weights::product(members, labels, progress)?,
        };
        let total: f64 = weights.iter().sum();
        let weights = weights.iter().map(|weight| weight / total).collect();
        let mut found = Combination { average, weights, calibration: Calibration::NONE };
        let wanted = found.decision(given);
        let raw = found.combine(members);
        found.calibration = Calibration::fit(Raw::Scores, &raw, labels, given.class_weights, progress)?;
        if !wanted.is_empty() {
            let Calibration { temperature, decision, .. } = &mut found.calibration;
            decision.resize(wanted.len(), 0.0);
            decision.iter_mut().zip(wanted).for_each(|(own, wanted)| *own += wanted / *temperature);
        }
        if let Some(wanted) = given.threshold
            && let Some(decision) = threshold::fit(wanted, &found.combine(members), labels)
        {
            found.calibration.decision = decision;
        } else if given.threshold.is_none() {
            found.calibration.costs.clone_from(&given.scoring.costs);
        }
        Ok(found)
    }

    /// The members' common decision weights; empty where none has any.
    fn decision(&self, given: Members) -> Vec<f64> {
        let mut sums = Vec::new();
        for (decision, weight) in given.decisions.iter().zip(&self.weights).filter(|(own, _)| !own.is_empty()) {
            sums.resize(decision.len(), 0.0);
            sums.iter_mut().zip(decision).for_each(|(sum, own)| *sum += weight * own);
        }
        sums
    }

    /// The class that is predicted of each row of what `combine` gave.
    pub fn decide(&self, combined: &Matrix) -> Vec<u32> {
        self.calibration.decide(combined)
    }

    /// The same without calibration.
    pub fn uncalibrated(&self) -> Combination {
        Combination { calibration: Calibration::NONE, ..self.clone() }
    }

    /// The members' common probabilities (rows × classes). Members of weight 0 are not looked at.
    pub fn combine(&self, members: &[&Matrix]) -> Matrix {
        let Some(first) = members.first() else { return Matrix::default() };
        let mut sums = vec![0.0f64; first.data.len()];
        for (member, &weight) in members.iter().zip(&self.weights).filter(|(_, weight)| **weight > 0.0) {
            for (sum, &p) in sums.iter_mut().zip(&member.data) {
                *sum += weight * averaged(self.average, p);
            }
        }
        let mut combined = Matrix::from_vec(first.rows, first.cols, back(self.average, sums, first.cols));
        self.calibration.apply(&mut combined);
        combined
    }
}

/// What is averaged of a probability.
fn averaged(average: Average, p: f32) -> f64 {
    match average {
        Average::Logits => f64::from(p).max(LEAST).ln(),
        Average::Probabilities => f64::from(p),
    }
}

/// Probabilities from averages, row by row.
fn back(average: Average, mut values: Vec<f64>, classes: usize) -> Vec<f32> {
    for row in values.chunks_exact_mut(classes) {
        if average == Average::Logits {
            let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            row.iter_mut().for_each(|value| *value = (*value - largest).exp());
        }
        let total: f64 = row.iter().sum();
        row.iter_mut().for_each(|value| *value /= total);
    }
    values.into_iter().map(|value| value as f32).collect()
}

/// For every row what a combination says, and which class it predicts, whose weights were chosen on other rows: weights judge themselves too kindly
/// on their own.
pub fn cross_fitted(
    given: Members,
    labels: &[u32],
    average: Average,
    weighting: Weighting,
    folds: usize,
    seed: u64,
    progress: &dyn Progress,
) -> Result<(Matrix, Vec<u32>), Cancelled> {
    let members = given.probabilities;
    let order = Stream::new(seed, "ensemble folds", 0).permutation(labels.len());
    let classes = members.first().map_or(0, |member| member.cols);
    let (mut found, mut predicted) = (Matrix::zeros(labels.len(), classes), vec![0; labels.len()]);
    for fold in 0..folds {
        let (inside, outside): (Vec<usize>, Vec<usize>) = order.iter().partition(|&&row| row % folds == fold);
        let take = |rows: &[usize]| members.iter().map(|member| member.take(rows)).collect::<Vec<_>>();
        let (own, others) = (take(&inside), take(&outside));
        let truth: Vec<u32> = outside.iter().map(|&row| labels[row]).collect();
        let others: Vec<&Matrix> = others.iter().collect();
        let given = Members { probabilities: &others, ..given };
        let combination = Combination::fit(given, &truth, average, weighting, progress)?;
        let said = combination.combine(&own.iter().collect::<Vec<_>>());
        for ((i, &row), class) in inside.iter().enumerate().zip(combination.decide(&said)) {
            found.row_mut(row).copy_from_slice(said.row(i));
            predicted[row] = class;
        }
    }
    Ok((found, predicted))
}
