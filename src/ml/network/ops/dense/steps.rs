//! The arithmetic of rows between a layer's product and its activation, there and back.

use super::super::pieces;
use super::{BatchStatistics, Dense, Kind, Shape};

/// The parts of what a layer is given beside its weights; what its kind lacks is empty.
#[derive(Clone, Copy)]
pub(super) struct Constants<'a> {
    /// members × inputs
    pub(crate) adapters: &'a [f32],
    /// members × outputs
    pub(crate) scale: &'a [f32],
    /// members × outputs
    pub(crate) shift: &'a [f32],
}

/// What turns a row of the product into what the activation sees: u = (z − mean)·scale + shift.
pub(super) struct Steps<'a> {
    pub(crate) mean: Option<&'a [f32]>,
    /// 1/√(variance + ε), with a mean.
    pub(crate) inverse: Vec<f32>,
    scale: Option<Vec<f32>>,
    shift: Option<&'a [f32]>,
    pub(crate) shape: Shape,
}

impl Dense {
    pub(super) fn constants<'a>(&self, all: &'a [f32], shape: Shape) -> Constants<'a> {
        let (adapters, rest) = match self.kind {
            Kind::Members { members, .. } => all.split_at(members * shape.inputs),
            _ => all.split_at(0),
        };
        let (scale, shift) = match self.kind {
            Kind::Nothing | Kind::Bias => rest.split_at(0),
            _ => rest.split_at(rest.len() / 2),
        };
        Constants { adapters, scale, shift }
    }

    pub(super) fn steps<'a>(
        &self,
        constants: Constants<'a>,
        statistics: Option<&'a BatchStatistics>,
        shape: Shape,
    ) -> Steps<'a> {
        let Constants { scale, shift, .. } = constants;
        let shift = Some(shift).filter(|shift| !shift.is_empty());
        if let (Kind::Norm { epsilon }, Some(statistics)) = (self.kind, statistics) {
            let inverse: Vec<f32> =
                statistics.variance.iter().map(|variance| 1.0 / (variance + epsilon).sqrt()).collect();
            let scale = scale.iter().zip(&inverse).map(|(scale, inverse)| inverse * scale).collect();
            return Steps { mean: Some(&statistics.mean), inverse, scale: Some(scale), shift, shape };
        }
        let scale = Some(scale).filter(|scale| !scale.is_empty()).map(<[f32]>::to_vec);
        Steps { mean: None, inverse: Vec::new(), scale, shift, shape }
    }
}

impl Steps<'_> {
    /// Row `k` of a piece; pieces begin with the first member.
    #[inline(always)]
    pub(crate) fn apply(&self, k: usize, z: &[f32], u: &mut [f32]) {
        let own = self.of_member(k);
        match (self.mean, &self.scale, self.shift) {
            (Some(mean), Some(scale), Some(shift)) => {
                for ((((u, z), mean), scale), shift) in u.iter_mut().zip(z).zip(mean).zip(scale).zip(shift) {
                    *u = (z - mean) * scale + shift;
                }
            }
            (None, Some(scale), Some(shift)) => {
                for (((u, z), scale), shift) in u.iter_mut().zip(z).zip(&scale[own.clone()]).zip(&shift[own]) {
                    *u = z * scale + shift;
                }
            }
            (_, _, Some(shift)) => {
                for ((u, z), shift) in u.iter_mut().zip(z).zip(shift) {
                    *u = z + shift;
                }
            }
            _ => u.copy_from_slice(z),
        }
    }

    /// Takes the gradient of u of row `k` to that of z, which for batch norm is not yet all of it (`Centre`), and adds up
    /// those of the scale and the shift, which are members × outputs each.
    #[inline(always)]
    pub(crate) fn go_back(
        &self,
        k: usize,
        z: &[f32],
        slopes: &mut [f32],
        for_scale: &mut [f32],
        for_shift: &mut [f32],
    ) {
        let own = self.of_member(k);
        if self.shift.is_some() {
            pieces::add(&mut for_shift[own.clone()], slopes);
        }
        match (self.mean, &self.scale) {
            (Some(mean), _) => {
                for ((((sum, slope), z), mean), inverse) in
                    for_scale.iter_mut().zip(&*slopes).zip(z).zip(mean).zip(&self.inverse)
                {
                    *sum += slope * ((z - mean) * inverse);
                }
            }
            (None, Some(scale)) => {
                for (((sum, slope), z), factor) in for_scale[own.clone()].iter_mut().zip(slopes).zip(z).zip(&scale[own])
                {
                    *sum += *slope * z;
                    *slope *= factor;
                }
            }
            (None, None) => {}
        }
    }

    #[inline(always)]
    fn of_member(&self, k: usize) -> std::ops::Range<usize> {
        let (member, width) = (k % self.shape.members, self.shape.outputs);
        member * width..(member + 1) * width
    }
}

/// What batch norm takes from the gradients of u over all rows: dz = scale·(du − (Σdu + x̂·Σdu·x̂)/rows), with
/// x̂ = (z − mean)/√(variance + ε).
pub(super) struct Centre {
    drift: Vec<f32>,
    tilt: Vec<f32>,
}

impl Centre {
    pub(crate) fn new(steps: &Steps, for_scale: &[f32], for_shift: &[f32]) -> Self {
        let share = 1.0 / steps.shape.rows as f32;
        Centre {
            drift: for_shift.iter().map(|sum| sum * share).collect(),
            tilt: for_scale.iter().zip(&steps.inverse).map(|(sum, inverse)| sum * inverse * share).collect(),
        }
    }

    #[inline(always)]
    pub(crate) fn apply(&self, steps: &Steps, z: &[f32], slopes: &mut [f32]) {
        let (Some(mean), Some(scale)) = (steps.mean, &steps.scale) else { return };
        let constants = mean.iter().zip(scale).zip(self.drift.iter().zip(&self.tilt));
        for ((slope, z), ((mean, scale), (drift, tilt))) in slopes.iter_mut().zip(z).zip(constants) {
            *slope = scale * (*slope - drift - (z - mean) * tilt);
        }
    }
}

/// The rows of a piece as its members see them: copied for each where they share them, and multiplied by their adapters.
pub(super) fn adapt<'a>(x: &'a [f32], adapters: &[f32], shape: Shape, into: &'a mut Vec<f32>) -> &'a [f32] {
    if adapters.is_empty() {
        return x;
    }
    let Shape { inputs, members, copies, .. } = shape;
    into.resize(x.len() * copies, 0.0);
    super::vectorized(|| {
        for (k, out) in into.chunks_exact_mut(inputs).enumerate() {
            let (x, factors) = (&x[k / copies * inputs..], &adapters[k % members * inputs..]);
            for ((out, x), factor) in out.iter_mut().zip(x).zip(factors) {
                *out = x * factor;
            }
        }
    });
    into
}
