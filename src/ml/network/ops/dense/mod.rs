//! A layer as one operation: x·weightᵀ → bias, batch norm or scales (those of ensemble members with scales of their inputs,
//! too) → activation → dropout → skip connection. Batch norm as in Ioffe and Szegedy 2015 (arXiv 1502.03167), members as in
//! Wen et al. 2020 (BatchEnsemble, arXiv 2002.06715).
//!
//! A piece of rows passes all steps while it is in a core's cache, forward and backward; what is kept between the two passes
//! is the product, piece by piece.

mod backward;
mod steps;

use std::sync::{Arc, OnceLock};

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::super::activation::ActivationFunction as _;
use super::super::masks::Mask;
use super::pieces::{self, ROWS};
use super::slices::{Argument, Operation, apply};
use super::vectorized;
use crate::matmul::{View, scaled_matmul};
use runner_results::spec::Activation;
use steps::{Constants, Steps, adapt};

/// What is done to x·weightᵀ before the activation, with the tensor that says it.
pub(crate) enum Affine<'a> {
    Nothing,
    /// outputs: is added.
    Bias(&'a Tensor),
    /// 2 × outputs: factor and summand of each feature.
    Scaled(&'a Tensor),
    /// 2 × outputs: scale and shift of features normalised over the rows of this very batch.
    Norm {
        scale_and_shift: &'a Tensor,
        epsilon: f32,
    },
    /// Row i belongs to member i mod `members`.
    Members {
        members: usize,
        /// Whether `x` has one row for all members instead of one for each.
        spread: bool,
        /// One after the other: factors of the inputs (members × inputs), factors and summands of the products (members × outputs each).
        constants: &'a Tensor,
    },
}

/// What is done after it.
#[derive(Default)]
pub(crate) struct Finish {
    pub(crate) activation: Option<Activation>,
    /// Of rows × outputs; none keeps all.
    pub(crate) mask: Option<Mask>,
    /// Adds the layer's input to its output, which must be as wide.
    pub(crate) skip: bool,
}

/// What one batch showed of each feature.
#[derive(Clone, Debug)]
pub(crate) struct BatchStatistics {
    pub(crate) rows: usize,
    pub(crate) mean: Vec<f32>,
    /// Divided by the number of rows (not by one less).
    pub(crate) variance: Vec<f32>,
}

/// `x`: rows × inputs, `weight`: outputs × inputs → rows × outputs, or rows·members × outputs. The product is multiplied by
/// `factor`. With batch norm also what the batch showed.
pub(crate) fn dense(
    x: &Tensor,
    weight: &Tensor,
    factor: f32,
    affine: Affine,
    finish: Finish,
) -> Result<(Tensor, Option<BatchStatistics>)> {
    let (kind, constants) = match affine {
        Affine::Nothing => (Kind::Nothing, None),
        Affine::Bias(constants) => (Kind::Bias, Some(constants)),
        Affine::Scaled(constants) => (Kind::Scaled, Some(constants)),
        Affine::Norm { scale_and_shift, epsilon } => (Kind::Norm { epsilon }, Some(scale_and_shift)),
        Affine::Members { members, spread, constants } => (Kind::Members { members, spread }, Some(constants)),
    };
    let arguments: Vec<&Tensor> = [Some(x), Some(weight), constants].into_iter().flatten().collect();
    let learns = arguments.iter().any(|tensor| tensor.track_op());
    let kept = Arc::new(OnceLock::new());
    let out = apply(Dense { factor, kind, finish, learns, kept: Arc::clone(&kept) }, &arguments)?;
    let statistics = kept.get().and_then(|kept: &Kept| kept.statistics.clone());
    Ok((out, statistics))
}

#[derive(Clone, Copy)]
enum Kind {
    Nothing,
    Bias,
    Scaled,
    Norm { epsilon: f32 },
    Members { members: usize, spread: bool },
}

struct Dense {
    factor: f32,
    kind: Kind,
    finish: Finish,
    /// Whether a backward pass will follow.
    learns: bool,
    /// Written forward, read backward.
    kept: Arc<OnceLock<Kept>>,
}

struct Kept {
    /// The matmul, piece by piece; empty where nothing after it needs it.
    z: Vec<Vec<f32>>,
    statistics: Option<BatchStatistics>,
}

/// Sizes of a layer, and how its rows are cut.
#[derive(Clone, Copy)]
struct Shape {
    /// Of the output.
    rows: usize,
    inputs: usize,
    outputs: usize,
    members: usize,
    /// How many rows of the output share one of the input.
    copies: usize,
    /// Rows of the output in a piece; the copies of a row of the input stay in one.
    piece: usize,
}

impl Shape {
    fn pieces(&self) -> usize {
        self.rows.div_ceil(self.piece)
    }

    /// The rows of the input that piece `i` reads, as a span of values.
    fn of_x(&self, i: usize) -> std::ops::Range<usize> {
        let row = |row: usize| row.min(self.rows) / self.copies * self.inputs;
        row(i * self.piece)..row((i + 1) * self.piece)
    }

    /// The span of the output's values of piece `i`.
    fn of_out(&self, i: usize) -> std::ops::Range<usize> {
        let row = |row: usize| row.min(self.rows) * self.outputs;
        row(i * self.piece)..row((i + 1) * self.piece)
    }
}

/// Space that one thread uses again and again.
#[derive(Default)]
struct Scratch {
    adapted: Vec<f32>,
    z: Vec<f32>,
}

impl Operation for Dense {
    const NAME: &'static str = "dense";

    fn forward(&self, arguments: &[Argument]) -> Result<(Vec<f32>, Vec<usize>)> {
        let shape = self.shape(arguments)?;
        let [x, weight, ..] = arguments else { candle_core::bail!("a layer needs inputs and weights") };
        let constants = arguments.get(2).map_or(&[][..], |constants| constants.values);
        let weight = pieces::transposed(weight.values, shape.inputs);
        let (out, kept) = self.compute(x.values, &weight, self.constants(constants, shape), shape);
        // A graph runs forward once; a second pass of the same operation would see the same batch.
        let _ = self.kept.set(kept);
        Ok((out, vec![shape.rows, shape.outputs]))
    }

    fn backward(&self, arguments: &[Argument], gradient: &[f32]) -> Result<Vec<Option<Vec<f32>>>> {
        let shape = self.shape(arguments)?;
        let [x, weight, ..] = arguments else { candle_core::bail!("a layer needs inputs and weights") };
        let constants = arguments.get(2).map_or(&[][..], |constants| constants.values);
        let Some(kept) = self.kept.get() else { candle_core::bail!("a layer's backward before its forward") };
        let (for_x, for_weight, for_constants) = self.gradients(x, weight, constants, gradient, shape, kept);
        Ok(vec![for_x, for_weight, Some(for_constants)])
    }
}

impl Dense {
    fn shape(&self, arguments: &[Argument]) -> Result<Shape> {
        let [x, weight, ..] = arguments else { candle_core::bail!("a layer needs inputs and weights") };
        let ((rows, inputs), (outputs, same)) = (x.matrix()?, weight.matrix()?);
        if same != inputs || inputs == 0 || outputs == 0 {
            candle_core::bail!("a layer of {inputs} inputs with weights {outputs}×{same}")
        }
        let (members, copies) = match self.kind {
            Kind::Members { members, spread } => (members, if spread { members } else { 1 }),
            _ => (1, 1),
        };
        let rows = rows * copies;
        let wanted = match self.kind {
            Kind::Nothing => 0,
            Kind::Bias => outputs,
            Kind::Scaled | Kind::Norm { .. } => 2 * outputs,
            Kind::Members { members, .. } => members * (inputs + 2 * outputs),
        };
        let constants = arguments.get(2).map_or(0, |constants| constants.values.len());
        if constants != wanted || members == 0 || rows % members != 0 {
            candle_core::bail!("{constants} constants for {rows} rows of {members} members, {inputs}×{outputs}")
        }
        if self.finish.mask.as_ref().is_some_and(|mask| mask.len() != rows * outputs) {
            candle_core::bail!("a mask of another size than {rows}×{outputs}")
        }
        if self.finish.skip && (inputs != outputs || copies > 1) {
            candle_core::bail!("a skip connection from {inputs} to {outputs} units")
        }
        Ok(Shape { rows, inputs, outputs, members, copies, piece: ROWS.next_multiple_of(members) })
    }

    fn compute(&self, x: &[f32], weight: &[f32], constants: Constants, shape: Shape) -> (Vec<f32>, Kept) {
        let Shape { inputs, outputs, piece, .. } = shape;
        let mut out = vec![0f32; shape.rows * outputs];
        let multiply = |z: &mut [f32], i: usize, adapted: &mut Vec<f32>| {
            let x = adapt(&x[shape.of_x(i)], constants.adapters, shape, adapted);
            let rows = View::new(x, x.len() / inputs, inputs);
            scaled_matmul(z, rows, View::new(weight, inputs, outputs), self.factor);
        };
        let pieces = out.par_chunks_mut(piece * outputs).enumerate();
        if let Kind::Norm { .. } = self.kind {
            // Its statistics hang on all rows, so no piece can be finished before all products are there.
            let products = (0..shape.pieces()).into_par_iter().map_init(Vec::new, |adapted, i| {
                let mut z = vec![0f32; shape.of_out(i).len()];
                multiply(&mut z, i, adapted);
                z
            });
            let z: Vec<Vec<f32>> = products.collect();
            let (mean, variance) = pieces::moments(&z, outputs);
            let statistics = Some(BatchStatistics { rows: shape.rows, mean, variance });
            let steps = self.steps(constants, statistics.as_ref(), shape);
            pieces.zip(&z).for_each(|((i, out), z)| self.finish_piece(&steps, i, out, z, &x[shape.of_x(i)]));
            return (out, Kept { z, statistics });
        }
        let steps = self.steps(constants, None, shape);
        let z = pieces.map_init(Scratch::default, |scratch, (i, out)| {
            if !self.remembers() {
                multiply(out, i, &mut scratch.adapted);
                self.finish_plain(out, constants.shift, &x[shape.of_x(i)]);
                return Vec::new();
            }
            scratch.z.resize(out.len(), 0.0);
            multiply(&mut scratch.z, i, &mut scratch.adapted);
            self.finish_piece(&steps, i, out, &scratch.z, &x[shape.of_x(i)]);
            if self.learns { std::mem::take(&mut scratch.z) } else { Vec::new() }
        });
        let z: Vec<Vec<f32>> = z.collect();
        (out, Kept { z, statistics: None })
    }

    /// Whether the product is something else than the output, or the output less a bias.
    fn remembers(&self) -> bool {
        let plain = matches!(self.kind, Kind::Nothing | Kind::Bias);
        !plain || self.finish.activation.is_some() || self.finish.mask.is_some()
    }

    /// From the product in `out` to the output, where there is little to do.
    fn finish_plain(&self, out: &mut [f32], shift: &[f32], x: &[f32]) {
        vectorized(|| {
            if !shift.is_empty() {
                out.chunks_exact_mut(shift.len()).for_each(|row| pieces::add(row, shift));
            }
            if self.finish.skip {
                pieces::add(out, x);
            }
        });
    }

    /// From the product of piece `i` to its output.
    fn finish_piece(&self, steps: &Steps, i: usize, out: &mut [f32], z: &[f32], x: &[f32]) {
        let Shape { outputs: width, piece, .. } = steps.shape;
        vectorized(|| {
            for (k, (out, z)) in out.chunks_exact_mut(width).zip(z.chunks_exact(width)).enumerate() {
                steps.apply(k, z, out);
                if let Some(activation) = self.finish.activation {
                    activation.apply(out);
                }
                if let Some(mask) = &self.finish.mask {
                    mask.apply(out, (i * piece + k) * width);
                }
                if self.finish.skip {
                    pieces::add(out, &x[k * width..]);
                }
            }
        });
    }
}
