//! L-BFGS: minimises a smooth convex function from its values and gradients.
//!
//! Two-loop recursion of Nocedal (1980) over the last ten steps; the step length meets the weak
//! Wolfe conditions by bisection and doubling (Lewis and Overton 2013), which needs no second
//! derivative, so that the squared hinge is welcome too.

use std::collections::VecDeque;

use crate::progress::{Cancelled, Progress};

/// Steps that approximate the curvature.
const MEMORY: usize = 10;
/// Sufficient decrease, and how much of the slope may remain (the usual constants of Nocedal and
/// Wright, chapter 3).
const DECREASE: f64 = 1e-4;
const CURVATURE: f64 = 0.9;
const MAX_TRIALS: usize = 40;

/// Where the descent ended.
pub(crate) struct Minimum {
    pub(crate) point: Vec<f64>,
    /// False when the iterations ran out before the largest component of the gradient fell to the
    /// tolerance.
    pub(crate) converged: bool,
}

/// Minimises from `start`. `evaluate(point, gradient)` writes the gradient and returns the value.
/// Ends when no component of the gradient exceeds `tolerance`, when rounding hides any further
/// decrease, or after `max_iterations`.
pub(crate) fn minimize(
    start: Vec<f64>,
    tolerance: f64,
    max_iterations: usize,
    progress: &dyn Progress,
    mut evaluate: impl FnMut(&[f64], &mut [f64]) -> f64,
) -> Result<Minimum, Cancelled> {
    let mut here = Point::at(start, &mut evaluate);
    let mut history: VecDeque<Step> = VecDeque::with_capacity(MEMORY);
    for _ in 0..max_iterations {
        if progress.cancelled() {
            return Err(Cancelled);
        }
        if here.is_flat(tolerance) {
            break;
        }
        let mut direction = descent_direction(&here.gradient, &history);
        if dot(&direction, &here.gradient) >= 0.0 {
            history.clear();
            direction = descent_direction(&here.gradient, &history);
        }
        // Without a memory of curvature the size of the gradient tells nothing of a good step: one
        // of length 1 at most.
        let first_length = if history.is_empty() { 1.0 / norm(&here.gradient).max(1.0) } else { 1.0 };
        let Some(next) = line_search(&here, &direction, first_length, progress, &mut evaluate)? else {
            return Ok(Minimum { point: here.position, converged: true });
        };
        let step = Step::between(&here, &next);
        if step.curvature > 0.0 {
            if history.len() == MEMORY {
                history.pop_front();
            }
            history.push_back(step);
        }
        here = next;
    }
    let converged = here.is_flat(tolerance);
    Ok(Minimum { point: here.position, converged })
}

struct Point {
    position: Vec<f64>,
    gradient: Vec<f64>,
    value: f64,
}

impl Point {
    fn at(position: Vec<f64>, evaluate: &mut impl FnMut(&[f64], &mut [f64]) -> f64) -> Point {
        let mut gradient = vec![0.0; position.len()];
        let value = evaluate(&position, &mut gradient);
        Point { position, gradient, value }
    }

    fn is_flat(&self, tolerance: f64) -> bool {
        self.gradient.iter().all(|component| component.abs() <= tolerance)
    }
}

/// One step of the past with the change of the gradient over it.
struct Step {
    moved: Vec<f64>,
    change: Vec<f64>,
    curvature: f64,
}

impl Step {
    fn between(from: &Point, to: &Point) -> Step {
        let difference = |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a - b).collect() };
        let moved = difference(&to.position, &from.position);
        let change = difference(&to.gradient, &from.gradient);
        let curvature = dot(&moved, &change);
        Step { moved, change, curvature }
    }
}

/// Minus the gradient times the approximate inverse Hessian.
fn descent_direction(gradient: &[f64], history: &VecDeque<Step>) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|component| -component).collect();
    let mut weights = Vec::with_capacity(history.len());
    for step in history.iter().rev() {
        let weight = dot(&step.moved, &direction) / step.curvature;
        add_scaled(&mut direction, -weight, &step.change);
        weights.push(weight);
    }
    if let Some(last) = history.back() {
        let scale = last.curvature / dot(&last.change, &last.change);
        direction.iter_mut().for_each(|component| *component *= scale);
    }
    for (step, weight) in history.iter().zip(weights.iter().rev()) {
        let correction = weight - dot(&step.change, &direction) / step.curvature;
        add_scaled(&mut direction, correction, &step.moved);
    }
    direction
}

/// A point along `direction` that meets the weak Wolfe conditions, or at least lowers the value;
/// `None` if no trial does.
fn line_search(
    from: &Point,
    direction: &[f64],
    first_length: f64,
    progress: &dyn Progress,
    evaluate: &mut impl FnMut(&[f64], &mut [f64]) -> f64,
) -> Result<Option<Point>, Cancelled> {
    let slope = dot(direction, &from.gradient);
    let (mut low, mut high) = (0.0, f64::INFINITY);
    let mut length = first_length;
    let mut lowered = None;
    for _ in 0..MAX_TRIALS {
        progress.go_on()?;
        let mut position = from.position.clone();
        add_scaled(&mut position, length, direction);
        let trial = Point::at(position, evaluate);
        // Written so that a value that is not a number fails.
        if trial.value < from.value && trial.value <= from.value + DECREASE * length * slope {
            let steep = dot(&trial.gradient, direction) < CURVATURE * slope;
            lowered = Some(trial);
            if !steep {
                return Ok(lowered);
            }
            low = length;
        } else {
            high = length;
        }
        length = if high.is_finite() { (low + high) / 2.0 } else { 2.0 * low };
    }
    Ok(lowered)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

fn add_scaled(to: &mut [f64], scale: f64, direction: &[f64]) {
    to.iter_mut().zip(direction).for_each(|(to, d)| *to += scale * d);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    // The Rosenbrock function, whose only minimum is (1, 1).
    #[test]
    fn a_curved_valley_is_followed_to_its_end() {
        let found = minimize(vec![-1.2, 1.0], 1e-9, 200, &Silent, |p, gradient| {
            let (a, b) = (1.0 - p[0], p[1] - p[0] * p[0]);
            gradient[0] = -2.0 * a - 400.0 * p[0] * b;
            gradient[1] = 200.0 * b;
            a * a + 100.0 * b * b
        })
        .unwrap();
        assert!(found.converged);
        assert!(found.point.iter().all(|p| (p - 1.0).abs() < 1e-7), "{:?}", found.point);
    }

    #[test]
    fn running_out_of_iterations_is_told() {
        let quartic = |p: &[f64], gradient: &mut [f64]| {
            gradient[0] = 4.0 * p[0].powi(3);
            p[0].powi(4)
        };
        assert!(!minimize(vec![3.0], 1e-12, 2, &Silent, quartic).unwrap().converged);
    }
}
