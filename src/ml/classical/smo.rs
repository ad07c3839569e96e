//! Sequential minimal optimisation: the dual of a two-class support vector machine, two multipliers
//! at a time.
//!
//! Minimises ½ Σ αᵢ αⱼ yᵢ yⱼ Kᵢⱼ − Σ αᵢ under 0 ≤ αᵢ ≤ C and Σ yᵢ αᵢ = 0 with the second-order
//! choice of the pair (Fan, Chen and Lin 2005, "WSS 2"), as libsvm does.

use super::kernel::KernelRows;
use crate::progress::{Cancelled, Progress};

/// Iterations between two looks at whether the user wants to stop.
const ITERATIONS_BETWEEN_CHECKS: usize = 256;
/// Stands in for a curvature that rounding makes zero or negative.
const LEAST_CURVATURE: f64 = 1e-12;

/// The decision value of a row x is Σ `coefficients[i]` K(i, x) + `offset`.
pub(crate) struct Machine {
    /// yᵢ αᵢ; 0 where row i supports nothing.
    pub(crate) coefficients: Vec<f64>,
    pub(crate) offset: f64,
    /// False when the iterations ran out first.
    pub(crate) converged: bool,
}

/// Solves for rows with `targets` of +1 and −1, both of which occur, and the bound of each multiplier. Ends when the largest
/// violation of the optimality conditions is below `tolerance`.
pub(crate) fn solve(
    kernel: &mut KernelRows,
    targets: &[f64],
    c: &[f64],
    tolerance: f64,
    progress: &dyn Progress,
) -> Result<Machine, Cancelled> {
    let rows = targets.len();
    let max_iterations = (100 * rows).max(10_000_000);
    let mut alphas = vec![0.0; rows];
    // errors[i] = yᵢ − Σⱼ yⱼ αⱼ Kᵢⱼ, the negative gradient times yᵢ. At the optimum those that can
    // rise are nowhere above those that can fall, and those strictly between the bounds equal the
    // offset.
    let mut errors = targets.to_vec();
    let mut bounds = Bounds::new(targets);
    let mut row_i = vec![0.0f32; rows];
    let mut converged = false;
    for iteration in 0..max_iterations {
        if iteration % ITERATIONS_BETWEEN_CHECKS == 0 && progress.cancelled() {
            return Err(Cancelled);
        }
        let (i, highest) = bounds.highest_that_can_rise(&errors);
        row_i.copy_from_slice(kernel.row(i));
        let (j, lowest) = bounds.best_partner(&errors, highest, row_i[i], &row_i);
        let Some(j) = j.filter(|_| highest - lowest >= tolerance) else {
            converged = true;
            break;
        };
        let row_j = kernel.row(j);

        // yᵢ αᵢ rises and yⱼ αⱼ falls by the same step, at most until one of them meets its bound.
        let curvature = f64::from(row_i[i]) + f64::from(row_j[j]) - 2.0 * f64::from(row_i[j]);
        let step = (errors[i] - errors[j]) / curvature.max(LEAST_CURVATURE);
        let room_i = if targets[i] > 0.0 { c[i] - alphas[i] } else { alphas[i] };
        let room_j = if targets[j] > 0.0 { alphas[j] } else { c[j] - alphas[j] };
        let step = step.min(room_i).min(room_j);
        let moved = |alpha: f64, room: f64, direction: f64, c: f64| {
            // Exactly on the bound when the step takes all the room: rounding must not leave a
            // rest.
            if step < room {
                alpha + direction * step
            } else if direction > 0.0 {
                c
            } else {
                0.0
            }
        };
        alphas[i] = moved(alphas[i], room_i, targets[i], c[i]);
        alphas[j] = moved(alphas[j], room_j, -targets[j], c[j]);
        bounds.update(i, targets[i], alphas[i], c[i]);
        bounds.update(j, targets[j], alphas[j], c[j]);
        for ((error, &a), &b) in errors.iter_mut().zip(&row_i).zip(row_j) {
            *error -= step * (f64::from(a) - f64::from(b));
        }
    }

    let offset = offset(&errors, &alphas, &bounds, c);
    let coefficients = alphas.iter().zip(targets).map(|(alpha, target)| alpha * target).collect();
    Ok(Machine { coefficients, offset, converged })
}

/// The mean error of the multipliers strictly between their bounds, or else the middle of what the
/// bounds allow.
fn offset(errors: &[f64], alphas: &[f64], bounds: &Bounds, c: &[f64]) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for ((&error, &alpha), &c) in errors.iter().zip(alphas).zip(c) {
        if alpha > 0.0 && alpha < c {
            sum += error;
            count += 1.0;
        }
    }
    if count > 0.0 {
        return sum / count;
    }
    let highest = bounds.highest_that_can_rise(errors).1;
    let lowest = errors.iter().zip(&bounds.fall).map(|(error, gate)| error - gate).fold(f64::INFINITY, f64::min);
    (highest + lowest) / 2.0
}

/// Which yᵢ αᵢ can still rise and which can fall, as 0 (can) and −∞ (cannot): added to an error it
/// takes the row out of a search for a maximum without a branch.
struct Bounds {
    rise: Vec<f64>,
    fall: Vec<f64>,
}

impl Bounds {
    /// At the start every multiplier is 0: positive rows can rise, negative rows fall.
    fn new(targets: &[f64]) -> Self {
        let gate = |open: bool| if open { 0.0 } else { f64::NEG_INFINITY };
        Bounds {
            rise: targets.iter().map(|&target| gate(target > 0.0)).collect(),
            fall: targets.iter().map(|&target| gate(target < 0.0)).collect(),
        }
    }

    fn update(&mut self, i: usize, target: f64, alpha: f64, c: f64) {
        let gate = |open: bool| if open { 0.0 } else { f64::NEG_INFINITY };
        let (can_grow, can_shrink) = (alpha < c, alpha > 0.0);
        self.rise[i] = gate(if target > 0.0 { can_grow } else { can_shrink });
        self.fall[i] = gate(if target > 0.0 { can_shrink } else { can_grow });
    }

    /// The row of the largest error among those that can rise, with its error; of equals the first.
    fn highest_that_can_rise(&self, errors: &[f64]) -> (usize, f64) {
        let mut best = First::default();
        for (errors, gates) in errors.chunks(LANES).zip(self.rise.chunks(LANES)) {
            let mut scores = [f64::NEG_INFINITY; LANES];
            for ((score, error), gate) in scores.iter_mut().zip(errors).zip(gates) {
                *score = error + gate;
            }
            best.offer(&scores);
        }
        (best.at, best.score)
    }

    /// The row that, moved against row i, lowers the objective most: the largest (highest − error)²
    /// / curvature among those that can fall and lie below `highest`; `None` where there is none.
    /// Also the lowest error of those that can fall.
    ///
    /// `row_i` holds the kernel of row i, `own` its value with itself, which is that of any row
    /// with itself.
    fn best_partner(&self, errors: &[f64], highest: f64, own: f32, row_i: &[f32]) -> (Option<usize>, f64) {
        let mut best = First::default();
        let mut deepest = First::default();
        for ((errors, gates), kernels) in errors.chunks(LANES).zip(self.fall.chunks(LANES)).zip(row_i.chunks(LANES)) {
            let mut gains = [f64::NEG_INFINITY; LANES];
            let mut depths = [f64::NEG_INFINITY; LANES];
            for (i, ((error, gate), &kernel)) in errors.iter().zip(gates).zip(kernels).enumerate() {
                let depth = highest - error + gate;
                let curvature = 2.0 * (f64::from(own) - f64::from(kernel));
                let curvature = if curvature > LEAST_CURVATURE { curvature } else { LEAST_CURVATURE };
                gains[i] = if depth > 0.0 { depth * depth / curvature } else { f64::NEG_INFINITY };
                depths[i] = depth;
            }
            best.offer(&gains);
            deepest.offer(&depths);
        }
        (best.score.is_finite().then_some(best.at), highest - deepest.score)
    }
}

/// Rows that are compared at once.
const LANES: usize = 32;

/// The first of the largest scores of consecutive blocks, found without a branch for each.
struct First {
    at: usize,
    score: f64,
    seen: usize,
}

impl Default for First {
    fn default() -> Self {
        First { at: 0, score: f64::NEG_INFINITY, seen: 0 }
    }
}

impl First {
    fn offer(&mut self, scores: &[f64; LANES]) {
        const WIDTH: usize = 8;
        let mut largest = [f64::NEG_INFINITY; WIDTH];
        for part in scores.as_chunks::<WIDTH>().0 {
            for (largest, &score) in largest.iter_mut().zip(part) {
                *largest = if score > *largest { score } else { *largest };
            }
        }
        let largest = largest.into_iter().fold(f64::NEG_INFINITY, f64::max);
        if largest > self.score {
            self.score = largest;
            self.at = self.seen + scores.iter().position(|&score| score == largest).unwrap_or(0);
        }
        self.seen += LANES;
    }
}
