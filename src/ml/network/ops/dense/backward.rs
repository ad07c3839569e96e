//! A layer's backward pass: every piece from the output's gradient to those of the input, the weights and the constants.
//!
//! Sums over pieces are taken within a few groups of them and then over the groups, in their order: the bits do not depend on
//! the number of threads.

use rayon::prelude::*;

use super::super::super::activation::ActivationFunction as _;
use super::super::pieces::{self, total};
use super::super::slices::Argument;
use super::super::vectorized;
use super::steps::{Centre, Constants, Steps, adapt};
use super::{Dense, Kept, Kind, Shape};
use crate::matmul::{View, adding_product, scaled_matmul};

/// Sums over the rows of some pieces.
struct Sums {
    /// outputs × inputs
    weight: Vec<f32>,
    adapters: Vec<f32>,
    scale: Vec<f32>,
    shift: Vec<f32>,
}

/// What every piece reads.
struct Pass<'a> {
    layer: &'a Dense,
    x: &'a [f32],
    weight: &'a [f32],
    /// Whether the weights do.
    learns: bool,
    constants: Constants<'a>,
    gradient: &'a [f32],
    steps: Steps<'a>,
    shape: Shape,
    z: &'a [Vec<f32>],
}

#[derive(Default)]
struct Scratch {
    adapted: Vec<f32>,
    slopes: Vec<f32>,
    back: Vec<f32>,
}

impl Dense {
    /// The gradients of x (where wanted), of the weight and of the constants.
    pub(super) fn gradients(
        &self,
        x: &Argument,
        weight: &Argument,
        constants: &[f32],
        gradient: &[f32],
        shape: Shape,
        kept: &Kept,
    ) -> (Option<Vec<f32>>, Option<Vec<f32>>, Vec<f32>) {
        let split = self.constants(constants, shape);
        let steps = self.steps(split, kept.statistics.as_ref(), shape);
        let (values, learns) = (weight.values, weight.learns);
        let pass = Pass {
            layer: self,
            x: x.values,
            weight: values,
            learns,
            constants: split,
            gradient,
            steps,
            shape,
            z: &kept.z,
        };
        let centred = matches!(self.kind, Kind::Norm { .. }).then(|| pass.centred());
        let rows = pieces::rows_of_group(shape.rows, shape.piece);
        let mut for_x = if x.learns { vec![0f32; x.values.len()] } else { Vec::new() };
        let parts = pieces::parts(&mut for_x, rows / shape.copies * shape.inputs, shape.rows.div_ceil(rows));
        let group = |(g, for_x): (usize, &mut [f32])| {
            let mut sums = Sums::new(&pass);
            let mut scratch = Scratch::default();
            let own = g * rows / shape.piece..((g + 1) * rows / shape.piece).min(shape.pieces());
            let start = shape.of_x(own.start).start;
            for i in own {
                let span = shape.of_x(i);
                let for_x = if x.learns { &mut for_x[span.start - start..span.end - start] } else { &mut [] };
                pass.piece(i, centred.as_ref().map(|(slopes, ..)| &slopes[i]), for_x, &mut sums, &mut scratch);
            }
            sums
        };
        let all: Vec<Sums> = parts.into_par_iter().enumerate().map(group).collect();
        let mut sums = Sums::added(all, &pass);
        if let Some((_, for_scale, for_shift)) = centred {
            (sums.scale, sums.shift) = (for_scale, for_shift);
        }
        let for_constants = [sums.adapters, sums.scale, sums.shift].concat();
        (x.learns.then_some(for_x), weight.learns.then_some(sums.weight), for_constants)
    }
}

impl Pass<'_> {
    /// With batch norm: the gradient of the product, piece by piece, and of the scale and the shift.
    fn centred(&self) -> (Vec<Vec<f32>>, Vec<f32>, Vec<f32>) {
        let width = self.shape.outputs;
        let pieces = (0..self.shape.pieces()).into_par_iter().map(|i| {
            let mut slopes = vec![0f32; self.shape.of_out(i).len()];
            let (mut for_scale, mut for_shift) = (vec![0f32; width], vec![0f32; width]);
            self.slopes(i, &mut slopes, &mut for_scale, &mut for_shift);
            (slopes, (for_scale, for_shift))
        });
        let (mut slopes, sums): (Vec<Vec<f32>>, Vec<_>) = pieces.collect::<Vec<_>>().into_iter().unzip();
        let (for_scale, for_shift): (Vec<_>, Vec<_>) = sums.into_iter().unzip();
        let (for_scale, for_shift) = (total(for_scale, width), total(for_shift, width));
        let centre = Centre::new(&self.steps, &for_scale, &for_shift);
        slopes.par_iter_mut().zip(self.z).for_each(|(slopes, z)| {
            vectorized(|| {
                for (slopes, z) in slopes.chunks_exact_mut(width).zip(z.chunks_exact(width)) {
                    centre.apply(&self.steps, z, slopes);
                }
            });
        });
        (slopes, for_scale, for_shift)
    }

    /// The gradient of the product in piece `i`, without what batch norm takes from all rows.
    fn slopes(&self, i: usize, slopes: &mut [f32], for_scale: &mut [f32], for_shift: &mut [f32]) {
        let Shape { outputs: width, piece, .. } = self.shape;
        let finish = &self.layer.finish;
        let gradient = &self.gradient[self.shape.of_out(i)];
        vectorized(|| {
            let rows =
                slopes.chunks_exact_mut(width).zip(self.z[i].chunks_exact(width)).zip(gradient.chunks_exact(width));
            for (k, ((slopes, z), gradient)) in rows.enumerate() {
                match finish.activation {
                    Some(activation) => {
                        self.steps.apply(k, z, slopes);
                        activation.slopes(slopes);
                        slopes.iter_mut().zip(gradient).for_each(|(slope, gradient)| *slope *= gradient);
                    }
                    None => slopes.copy_from_slice(gradient),
                }
                if let Some(mask) = &finish.mask {
                    mask.apply(slopes, (i * piece + k) * width);
                }
                self.steps.go_back(k, z, slopes, for_scale, for_shift);
            }
        });
    }

    /// Adds up what piece `i` says and writes its part of the input's gradient, unless that is empty. `centred`: its
    /// gradient of the product, where that is there already.
    fn piece(&self, i: usize, centred: Option<&Vec<f32>>, for_x: &mut [f32], sums: &mut Sums, scratch: &mut Scratch) {
        let Shape { inputs, outputs, .. } = self.shape;
        let Scratch { adapted, slopes, back } = scratch;
        let gradient = &self.gradient[self.shape.of_out(i)];
        let slopes: &[f32] = match centred {
            Some(slopes) => slopes,
            None if self.layer.remembers() => {
                slopes.resize(gradient.len(), 0.0);
                self.slopes(i, slopes, &mut sums.scale, &mut sums.shift);
                slopes
            }
            None => {
                if !sums.shift.is_empty() {
                    vectorized(|| gradient.chunks_exact(outputs).for_each(|row| pieces::add(&mut sums.shift, row)));
                }
                gradient
            }
        };
        let factor = self.layer.factor;
        let slopes = View::new(slopes, slopes.len() / outputs, outputs);
        let x = &self.x[self.shape.of_x(i)];
        let weight = View::new(self.weight, outputs, inputs);
        if !self.constants.adapters.is_empty() {
            back.resize(gradient.len() / outputs * inputs, 0.0);
            scaled_matmul(back, slopes, weight, factor);
            self.to_members(x, back, for_x, &mut sums.adapters);
        } else if !for_x.is_empty() {
            scaled_matmul(for_x, slopes, weight, factor);
            if self.layer.finish.skip {
                vectorized(|| pieces::add(for_x, gradient));
            }
        }
        if self.learns {
            let x = adapt(x, self.constants.adapters, self.shape, adapted);
            adding_product(&mut sums.weight, slopes.transposed(), View::new(x, x.len() / inputs, inputs), factor);
        }
    }

    /// From the gradients of the adapted rows to those of the adapters, which are added up, and of the rows.
    fn to_members(&self, x: &[f32], back: &[f32], for_x: &mut [f32], for_adapters: &mut [f32]) {
        let Shape { inputs, members, copies, .. } = self.shape;
        vectorized(|| {
            for (k, back) in back.chunks_exact(inputs).enumerate() {
                let (from, own) = (k / copies * inputs, k % members * inputs);
                let sums = for_adapters[own..own + inputs].iter_mut();
                sums.zip(back).zip(&x[from..]).for_each(|((sum, back), x)| *sum += back * x);
                if !for_x.is_empty() {
                    let sums = for_x[from..from + inputs].iter_mut();
                    sums.zip(back)
                        .zip(&self.constants.adapters[own..])
                        .for_each(|((sum, back), factor)| *sum += back * factor);
                }
            }
        });
    }
}

impl Sums {
    fn new(pass: &Pass) -> Self {
        let zeros = |like: &[f32]| vec![0f32; like.len()];
        let Constants { adapters, scale, shift } = pass.constants;
        Sums { weight: zeros(pass.weight), adapters: zeros(adapters), scale: zeros(scale), shift: zeros(shift) }
    }

    /// The groups' sums, in their order.
    fn added(all: Vec<Sums>, pass: &Pass) -> Self {
        let mut all = all.into_iter();
        let mut sums = all.next().unwrap_or_else(|| Sums::new(pass));
        vectorized(|| {
            for own in all {
                pieces::add(&mut sums.weight, &own.weight);
                pieces::add(&mut sums.adapters, &own.adapters);
                pieces::add(&mut sums.scale, &own.scale);
                pieces::add(&mut sums.shift, &own.shift);
            }
        });
        sums
    }
}
