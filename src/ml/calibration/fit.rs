//! Fits temperature and bias on rows that the model did not learn from.
//!
//! What class weights did to the probabilities is undone first: a model that minimises a weighted loss gives those of classes that are as frequent as
//! they weigh. Then the temperature is fitted, and a bias for each class where the rows say, by a likelihood-ratio test, that the classes' shares are
//! off; it is drawn towards none, the more the less the rows say (empirical Bayes). A model that minimised the log loss is left as it is unless the
//! rows object to it by the same test.

use super::{Calibration, log};
use crate::classical::lbfgs::minimize;
use crate::matrix::Matrix;
use crate::progress::{Cancelled, Progress};
use crate::stats::chi_squared_tail;

/// The temperatures that are looked at; beyond them the classifier is a coin or an oracle.
const COLDEST: f64 = 0.05;
pub(super) const HOTTEST: f64 = 20.0;
/// A bias is fitted where its gain in likelihood would be as rare as this by chance.
const SIGNIFICANT: f64 = 0.01;
/// Precision of the normal prior on biases (in nats) for the test, so that no bias is without end.
const LOOSE: f64 = 0.1;
/// Between these the prior's precision is estimated; at the upper one there is no bias to speak of.
const PRECISIONS: (f64, f64) = (0.01, 1e4);
const ROUNDS: usize = 10;

/// The least probability that shares of votes are taken to tell, in a leaf or among neighbours.
const FLOOR_OF_VOTES: f64 = 1e-3;

/// What the probabilities are that a model gives before calibration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Raw {
    /// Of a model that minimised the log loss: right unless the rows object.
    LogLoss,
    /// Shares of votes, of which many are 0.
    Votes,
    /// Of anything else: a softmax of scores, a network, an average of models.
    Scores,
}

impl Calibration {
    /// The calibration of `probabilities` (rows × classes) that these rows call for. `weights` are the class weights of the training, empty for none.
    /// What is predicted stays the class that was likeliest before. Where a class has no rows the shares are left as they are, and where only one has any
    /// the temperature as well.
    ///
    /// # Errors
    /// If the user wants to stop.
    pub fn fit(
        raw: Raw,
        probabilities: &Matrix,
        labels: &[u32],
        weights: &[f32],
        progress: &dyn Progress,
    ) -> Result<Calibration, Cancelled> {
        let is_weighted = weights.iter().any(|weight| *weight != weights[0]);
        let weights: Vec<f64> = if is_weighted { weights.iter().copied().map(f64::from).collect() } else { Vec::new() };
        let floor = if raw == Raw::Votes { floor_of_votes(&weights) } else { 0.0 };
        let undo = Calibration { weights: weights.clone(), floor, ..Calibration::NONE };
        let mut undone = probabilities.clone();
        undo.apply(&mut undone);
        let (temperature, bias) = fit_unweighted(raw, &undone, labels, progress)?;
        // All that the classes' weights and biases come to, once the temperature is applied.
        let shift = |class: usize| {
            bias.get(class).unwrap_or(&0.0) - weights.get(class).map_or(0.0, |weight| weight.ln() / temperature)
        };
        let shifts: Vec<f64> = match (is_weighted, bias.is_empty()) {
            (false, true) => Vec::new(),
            _ => (0..probabilities.cols).map(shift).collect(),
        };
        let decision = shifts.iter().map(|shift| -shift).collect();
        Ok(match raw {
            Raw::Votes => Calibration { temperature, bias, decision, ..undo },
            // Without a floor between them one bias does both.
            Raw::LogLoss | Raw::Scores => Calibration { temperature, bias: shifts, decision, ..Calibration::NONE },
        })
    }
}

/// Small enough that no class without votes becomes the predicted one because it weighs much: a class that is voted for most has 1/K of the votes at
/// least.
fn floor_of_votes(weights: &[f64]) -> f64 {
    let least = weights.iter().copied().fold(f64::INFINITY, f64::min);
    let most = weights.iter().copied().fold(0.0, f64::max);
    if weights.is_empty() { FLOOR_OF_VOTES } else { FLOOR_OF_VOTES.min(least / most / (2 * weights.len()) as f64) }
}

/// Temperature, and the bias where there is one.
fn fit_unweighted(
    raw: Raw,
    probabilities: &Matrix,
    labels: &[u32],
    progress: &dyn Progress,
) -> Result<(f64, Vec<f64>), Cancelled> {
    const AS_THEY_ARE: (f64, Vec<f64>) = (1.0, Vec::new());
    let classes = probabilities.cols;
    let mut has_rows = vec![false; classes];
    labels.iter().for_each(|&label| has_rows[label as usize] = true);
    let seen = has_rows.iter().filter(|has| **has).count();
    if seen < 2 {
        // Rows of one class tell nothing of how sure a model may be of any.
        return Ok(AS_THEY_ARE);
    }
    let temperature = fit_temperature(probabilities, labels, progress)?;
    let rows = Rows::new(probabilities, labels);
    let point = |temperature: f64| Point { ln_cold: -temperature.ln(), bias: vec![0.0; classes] };
    let (untouched, tempered) = (point(1.0), point(temperature));
    let is_significant = |gain: f64, freed: usize| chi_squared_tail(2.0 * gain, freed as f64) <= SIGNIFICANT;
    if seen < classes {
        // A class without rows would be taken for one that never occurs.
        let is_left = raw == Raw::LogLoss && !is_significant(rows.loss(&untouched) - rows.loss(&tempered), 1);
        return Ok(if is_left { AS_THEY_ARE } else { (temperature, Vec::new()) });
    }
    let free = rows.fit(&tempered, LOOSE, progress)?;
    if raw == Raw::LogLoss && !is_significant(rows.loss(&untouched) - rows.loss(&free), classes) {
        return Ok(AS_THEY_ARE);
    }
    if !is_significant(rows.loss(&tempered) - rows.loss(&free), classes - 1) {
        return Ok((temperature, Vec::new()));
    }
    Ok(match rows.fit_by_evidence(free, progress)? {
        Some(found) => ((-found.ln_cold).exp(), found.bias),
        None => (temperature, Vec::new()),
    })
}

/// The temperature T under which `p^(1/T)`, made to sum to 1, has the least log loss on these rows. Above 1 the classifier was too sure of itself.
///
/// In 1/T the loss is convex, so its slope has one zero, which is found by halving.
///
/// # Errors
/// If the user wants to stop.
pub(crate) fn fit_temperature(
    probabilities: &Matrix,
    labels: &[u32],
    progress: &dyn Progress,
) -> Result<f64, Cancelled> {
    if labels.is_empty() {
        return Ok(1.0);
    }
    let logits: Vec<f64> = probabilities.data.iter().map(|&p| log(p)).collect();
    let classes = probabilities.cols;
    // Mean over rows of (expected logit − logit of the true class): the loss' derivative by 1/T, up to its sign.
    let slope = |cold: f64| -> f64 {
        let row = |(row, &label): (&[f64], &u32)| {
            let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let (mut total, mut weighted) = (0.0, 0.0);
            for logit in row {
                let weight = (cold * (logit - largest)).exp();
                total += weight;
                weighted += weight * logit;
            }
            weighted / total - row[label as usize]
        };
        logits.chunks_exact(classes).zip(labels).map(row).sum()
    };
    let (mut low, mut high) = (1.0 / HOTTEST, 1.0 / COLDEST);
    for _ in 0..40 {
        progress.go_on()?;
        let middle = (low * high).sqrt();
        if slope(middle) < 0.0 { low = middle } else { high = middle }
    }
    Ok(1.0 / (low * high).sqrt())
}

/// What is fitted: the logarithm of 1/T, so that it stays positive, and the bias of each class.
#[derive(Clone)]
struct Point {
    ln_cold: f64,
    bias: Vec<f64>,
}

struct Rows<'a> {
    /// Rows × classes.
    logits: Vec<f64>,
    labels: &'a [u32],
    classes: usize,
}

impl<'a> Rows<'a> {
    fn new(probabilities: &Matrix, labels: &'a [u32]) -> Self {
        Rows { logits: probabilities.data.iter().map(|&p| log(p)).collect(), labels, classes: probabilities.cols }
    }

    /// Calls `each` with every row's logits, probabilities at the point, and label; returns the sum of the losses.
    fn visit(&self, point: &Point, mut each: impl FnMut(&[f64], &[f64], usize)) -> f64 {
        let cold = point.ln_cold.exp();
        let mut shares = vec![0.0; self.classes];
        let mut loss = 0.0;
        for (row, &label) in self.logits.chunks_exact(self.classes).zip(self.labels) {
            let scaled = row.iter().zip(&point.bias).map(|(logit, bias)| cold * logit + bias);
            shares.iter_mut().zip(scaled).for_each(|(share, value)| *share = value);
            let largest = shares.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let of_label = shares[label as usize];
            shares.iter_mut().for_each(|share| *share = (*share - largest).exp());
            let total: f64 = shares.iter().sum();
            shares.iter_mut().for_each(|share| *share /= total);
            loss += total.ln() + largest - of_label;
            each(row, &shares, label as usize);
        }
        loss
    }

    fn loss(&self, point: &Point) -> f64 {
        self.visit(point, |_, _, _| ())
    }

    /// The point of least loss under a normal prior on the bias.
    fn fit(&self, start: &Point, precision: f64, progress: &dyn Progress) -> Result<Point, Cancelled> {
        let rows = self.labels.len() as f64;
        let range = (1.0 / HOTTEST).ln()..=(1.0 / COLDEST).ln();
        let inside = |ln_cold: f64| ln_cold.clamp(*range.start(), *range.end());
        let point = |values: &[f64]| Point { ln_cold: inside(values[0]), bias: values[1..].to_vec() };
        let evaluate = |values: &[f64], gradient: &mut [f64]| {
            let here = point(values);
            let cold = here.ln_cold.exp();
            gradient.fill(0.0);
            let mut loss = self.visit(&here, |row, shares, label| {
                for (class, (logit, share)) in row.iter().zip(shares).enumerate() {
                    let error = share - f64::from(u8::from(class == label));
                    gradient[0] += error * cold * logit;
                    gradient[1 + class] += error;
                }
            });
            for (bias, slope) in here.bias.iter().zip(&mut gradient[1..]) {
                loss += precision / 2.0 * bias.powi(2);
                *slope += precision * bias;
            }
            if !range.contains(&values[0]) {
                gradient[0] = 0.0;
            }
            gradient.iter_mut().for_each(|slope| *slope /= rows);
            loss / rows
        };
        let values = std::iter::once(start.ln_cold).chain(start.bias.iter().copied()).collect();
        Ok(point(&minimize(values, 1e-6, 100, progress, evaluate)?.point))
    }

    /// The same with the precision under which the rows are likeliest (MacKay 1992, Neural Computation 4:415); `None` if that leaves no bias.
    fn fit_by_evidence(&self, mut point: Point, progress: &dyn Progress) -> Result<Option<Point>, Cancelled> {
        let mut precision: f64 = 1.0;
        for _ in 0..ROUNDS {
            point = self.fit(&point, precision, progress)?;
            let mut information = vec![0.0; self.classes];
            self.visit(&point, |_, shares, _| {
                information.iter_mut().zip(shares).for_each(|(sum, share)| *sum += share * (1.0 - share));
            });
            // A bias that is the same for all classes changes nothing, so that one of them is not determined.
            let determined = information.iter().map(|own| own / (own + precision)).sum::<f64>()
                * (self.classes - 1) as f64
                / self.classes as f64;
            let squares: f64 = point.bias.iter().map(|bias| bias.powi(2)).sum();
            let next = (determined / squares.max(1e-12)).clamp(PRECISIONS.0, PRECISIONS.1);
            let settled = (next / precision).ln().abs() < 0.02;
            precision = next;
            if settled {
                break;
            }
        }
        Ok((precision < PRECISIONS.1).then_some(point))
    }
}
