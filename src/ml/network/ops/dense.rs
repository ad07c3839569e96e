//! A layer as one operation: x·weightᵀ → bias, batch norm or a scale for each ensemble member → activation → dropout →
//! skip connection. Batch norm as in Ioffe and Szegedy 2015 (arXiv 1502.03167).
//!
//! Knows nothing of running averages nor of how dropout masks are drawn.

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::super::Activation;
use super::pieces::{self, ROWS};
use super::{values, vectorized, with_values};
use crate::ml::product::{View, scaled_product};

/// What is done to x·weightᵀ before the activation, with the tensor that says it.
pub enum Affine<'a> {
    Nothing,
    /// outputs: is added.
    Bias(&'a Tensor),
    /// 2 × outputs: scale and shift of features normalised over the rows of this very batch.
    Norm {
        scale_and_shift: &'a Tensor,
        epsilon: f32,
    },
    /// 2 × members × outputs: row i is scaled and shifted as belongs to member i mod members.
    Members(&'a Tensor),
}

/// What is done after it.
#[derive(Default)]
pub struct Finish {
    pub activation: Option<Activation>,
    /// rows × outputs factors, e.g. 0 or 1/(1−p); none keeps all.
    pub mask: Option<Vec<f32>>,
    /// Adds the layer's input to its output, which must be as wide.
    pub skip: bool,
}

/// What one batch showed of each feature.
#[derive(Clone, Debug)]
pub struct BatchStatistics {
    pub rows: usize,
    pub mean: Vec<f32>,
    /// Divided by the number of rows (not by one less).
    pub variance: Vec<f32>,
}

/// `x`: rows × inputs, `weight`: outputs × inputs → rows × outputs. The product is multiplied by `factor`. With batch norm
/// also what the batch showed.
pub fn dense(
    x: &Tensor,
    weight: &Tensor,
    factor: f32,
    affine: Affine,
    finish: Finish,
) -> Result<(Tensor, Option<BatchStatistics>)> {
    let kept = Arc::new(OnceLock::new());
    let kind = match &affine {
        Affine::Nothing => Kind::Nothing,
        Affine::Bias(_) => Kind::Bias,
        Affine::Norm { epsilon, .. } => Kind::Norm { epsilon: *epsilon },
        Affine::Members(constants) => Kind::Members(constants.dim(1)?),
    };
    let op = Dense { factor, kind, finish, kept: Arc::clone(&kept) };
    let out = match affine {
        Affine::Nothing => x.apply_op2(weight, op)?,
        Affine::Bias(constants) | Affine::Norm { scale_and_shift: constants, .. } | Affine::Members(constants) => {
            x.apply_op3(weight, constants, op)?
        }
    };
    let statistics = kept.get().and_then(|kept: &Kept| kept.statistics.clone());
    Ok((out, statistics))
}

/// activation(scale·z + shift) for predictions: batch norm with fixed statistics is one factor and one summand for each
/// feature. Has no gradient.
pub fn scale_and_activate(z: &Tensor, scale: Vec<f32>, shift: Vec<f32>, activation: Activation) -> Result<Tensor> {
    z.apply_op1_no_bwd(&ScaleAndActivate { scale, shift, activation })
}

#[derive(Clone, Copy)]
enum Kind {
    Nothing,
    Bias,
    Norm { epsilon: f32 },
    Members(usize),
}

struct Dense {
    factor: f32,
    kind: Kind,
    finish: Finish,
    /// Written forward, read backward.
    kept: Arc<OnceLock<Kept>>,
}

struct Kept {
    /// The product; empty where nothing after it needs it.
    z: Vec<f32>,
    statistics: Option<BatchStatistics>,
}

/// What turns a row of the product into what the activation sees: u = (z − mean)·scale + shift.
struct Steps<'a> {
    mean: Option<&'a [f32]>,
    scale: Option<Vec<f32>>,
    shift: Option<&'a [f32]>,
    members: usize,
    /// Outputs of the layer.
    width: usize,
}

impl Steps<'_> {
    #[inline(always)]
    fn apply(&self, row: usize, z: &[f32], u: &mut [f32]) {
        let width = z.len();
        let own = (row % self.members) * width..(row % self.members + 1) * width;
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
}

impl Dense {
    fn steps<'a>(&self, constants: &'a [f32], statistics: Option<&'a BatchStatistics>, width: usize) -> Steps<'a> {
        let (scale, shift) = constants.split_at(constants.len() / 2);
        match (self.kind, statistics) {
            (Kind::Norm { epsilon }, Some(statistics)) => {
                let inverse = inverse_deviations(statistics, epsilon);
                let scale = scale.iter().zip(&inverse).map(|(scale, inverse)| inverse * scale).collect();
                Steps { mean: Some(&statistics.mean), scale: Some(scale), shift: Some(shift), members: 1, width }
            }
            (Kind::Members(members), _) => {
                Steps { mean: None, scale: Some(scale.to_vec()), shift: Some(shift), members, width }
            }
            (Kind::Bias, _) => Steps { mean: None, scale: None, shift: Some(constants), members: 1, width },
            _ => Steps { mean: None, scale: None, shift: None, members: 1, width },
        }
    }

    fn forward(&self, x: &[f32], weight: &[f32], constants: &[f32], shape: (usize, usize, usize)) -> Result<Vec<f32>> {
        let (rows, inputs, outputs) = shape;
        if self.finish.mask.as_ref().is_some_and(|mask| mask.len() != rows * outputs) {
            candle_core::bail!("a mask of another size than {rows}×{outputs}")
        }
        if self.finish.skip && inputs != outputs {
            candle_core::bail!("a skip connection from {inputs} to {outputs} units")
        }
        let weight = pieces::transposed(weight, inputs);
        let product = |z: &mut [f32], x: &[f32]| {
            scaled_product(z, View::new(x, x.len() / inputs, inputs), View::new(&weight, inputs, outputs), self.factor);
        };
        let mut z = vec![0f32; rows * outputs];
        let of_z = z.par_chunks_mut(ROWS * outputs).zip(x.par_chunks(ROWS * inputs));
        let remembers = self.remembers();
        let mut out = if remembers { vec![0f32; rows * outputs] } else { Vec::new() };
        let mut statistics = None;
        if matches!(self.kind, Kind::Norm { .. }) {
            of_z.for_each(|(z, x)| product(z, x));
            let (mean, variance) = pieces::moments(&z, outputs);
            statistics = Some(BatchStatistics { rows, mean, variance });
            let steps = self.steps(constants, statistics.as_ref(), outputs);
            let all =
                out.par_chunks_mut(ROWS * outputs).zip(z.par_chunks(ROWS * outputs)).zip(x.par_chunks(ROWS * inputs));
            all.enumerate().for_each(|(i, ((out, z), x))| self.finish_piece(&steps, i, out, z, x));
        } else if remembers {
            let steps = self.steps(constants, None, outputs);
            of_z.zip(out.par_chunks_mut(ROWS * outputs)).enumerate().for_each(|(i, ((z, x), out))| {
                product(z, x);
                self.finish_piece(&steps, i, out, z, x);
            });
        } else {
            of_z.for_each(|(z, x)| {
                product(z, x);
                for row in z.chunks_exact_mut(outputs) {
                    pieces::add(row, constants);
                }
                if self.finish.skip {
                    pieces::add(z, x);
                }
            });
            out = std::mem::take(&mut z);
        }
        // A graph runs forward once; a second pass of the same operation would see the same batch.
        let _ = self.kept.set(Kept { z, statistics });
        Ok(out)
    }

    /// Whether the backward pass needs the product.
    fn remembers(&self) -> bool {
        let plain = matches!(self.kind, Kind::Nothing | Kind::Bias);
        !plain || self.finish.activation.is_some() || self.finish.mask.is_some()
    }

    /// From the product of piece `i` to its output.
    fn finish_piece(&self, steps: &Steps, i: usize, out: &mut [f32], z: &[f32], x: &[f32]) {
        let width = steps.width;
        let first = i * ROWS;
        vectorized(|| {
            for (k, (out, z)) in out.chunks_exact_mut(width).zip(z.chunks_exact(width)).enumerate() {
                steps.apply(first + k, z, out);
                if let Some(activation) = self.finish.activation {
                    activation.apply(out);
                }
                if let Some(mask) = &self.finish.mask {
                    multiply(out, &mask[(first + k) * width..]);
                }
                if self.finish.skip {
                    pieces::add(out, &x[k * width..]);
                }
            }
        });
    }

    /// The gradients of x and of the weight (where wanted), and of the constants.
    fn backward(
        &self,
        x: &Tensor,
        weight: &Tensor,
        constants: &[f32],
        gradient: &[f32],
    ) -> Result<(Option<Tensor>, Option<Tensor>, Vec<f32>)> {
        let ((rows, inputs), outputs) = (x.dims2()?, weight.dim(0)?);
        let Some(kept) = self.kept.get() else { candle_core::bail!("a layer's backward before its forward") };
        let (slopes, for_constants) = self.slopes(kept, constants, gradient, outputs);
        let slopes = slopes.as_deref().unwrap_or(gradient);
        let for_x = match x.track_op() {
            false => None,
            true => {
                let mut out = vec![0f32; rows * inputs];
                with_values(weight, |weight| {
                    let weight = View::new(weight, outputs, inputs);
                    let pieces = out.par_chunks_mut(ROWS * inputs).zip(slopes.par_chunks(ROWS * outputs)).enumerate();
                    pieces.for_each(|(i, (out, slopes))| {
                        scaled_product(out, View::new(slopes, slopes.len() / outputs, outputs), weight, self.factor);
                        if self.finish.skip {
                            vectorized(|| pieces::add(out, &gradient[i * ROWS * inputs..]));
                        }
                    });
                    Ok(())
                })?;
                Some(Tensor::from_vec(out, (rows, inputs), x.device())?)
            }
        };
        let for_weight = match weight.track_op() {
            false => None,
            true => {
                let mut out = vec![0f32; outputs * inputs];
                with_values(x, |x| {
                    pieces::backward_weight(&mut out, slopes, x, inputs, outputs, self.factor);
                    Ok(())
                })?;
                Some(Tensor::from_vec(out, (outputs, inputs), weight.device())?)
            }
        };
        Ok((for_x, for_weight, for_constants))
    }

    /// The gradient of the product, none where it is that of the output, and the gradient of the constants.
    fn slopes(&self, kept: &Kept, constants: &[f32], gradient: &[f32], width: usize) -> (Option<Vec<f32>>, Vec<f32>) {
        let piece = ROWS * width;
        if kept.z.is_empty() {
            let mut sums = vec![0f32; constants.len()];
            if matches!(self.kind, Kind::Bias) {
                vectorized(|| gradient.chunks_exact(width).for_each(|row| pieces::add(&mut sums, row)));
            }
            return (None, sums);
        }
        let steps = self.steps(constants, kept.statistics.as_ref(), width);
        let inverse = match (self.kind, &kept.statistics) {
            (Kind::Norm { epsilon }, Some(statistics)) => inverse_deviations(statistics, epsilon),
            _ => Vec::new(),
        };
        let mut out = vec![0f32; gradient.len()];
        let all = out.par_chunks_mut(piece).zip(kept.z.par_chunks(piece)).zip(gradient.par_chunks(piece)).enumerate();
        let sums: Vec<Vec<f32>> = all
            .map(|(i, ((du, z), gradient))| {
                let mut sums = vec![0f32; constants.len()];
                vectorized(|| {
                    let rows = du.chunks_exact_mut(width).zip(z.chunks_exact(width)).zip(gradient.chunks_exact(width));
                    for (k, ((du, z), gradient)) in rows.enumerate() {
                        self.slope_row(&steps, i * ROWS + k, (du, z, gradient), constants, &inverse, &mut sums);
                    }
                });
                sums
            })
            .collect();
        let sums = pieces::total(sums, constants.len());
        if let (Some(mean), Some(scale)) = (steps.mean, &steps.scale) {
            // dz = scale·(du − (Σdu + x̂·Σdu·x̂)/rows), with x̂ = (z − mean)·inverse.
            let share = 1.0 / (gradient.len() / width) as f32;
            let (for_scale, for_shift) = sums.split_at(width);
            let drift: Vec<f32> = for_shift.iter().map(|sum| sum * share).collect();
            let tilt: Vec<f32> = for_scale.iter().zip(&inverse).map(|(sum, inverse)| sum * inverse * share).collect();
            out.par_chunks_mut(piece).zip(kept.z.par_chunks(piece)).for_each(|(out, z)| {
                vectorized(|| {
                    for (row, z) in out.chunks_exact_mut(width).zip(z.chunks_exact(width)) {
                        centre_row(row, z, mean, scale, &drift, &tilt);
                    }
                });
            });
        }
        (Some(out), sums)
    }

    /// Row `i` of the gradient before the activation, which for members is that of the product; adds up that of the constants.
    #[inline(always)]
    fn slope_row(
        &self,
        steps: &Steps,
        i: usize,
        (du, z, gradient): (&mut [f32], &[f32], &[f32]),
        constants: &[f32],
        inverse: &[f32],
        sums: &mut [f32],
    ) {
        let width = du.len();
        match self.finish.activation {
            Some(activation) => {
                steps.apply(i, z, du);
                activation.slopes(du);
                multiply(du, gradient);
            }
            None => du.copy_from_slice(gradient),
        }
        if let Some(mask) = &self.finish.mask {
            multiply(du, &mask[i * width..]);
        }
        let middle = sums.len() / 2;
        match self.kind {
            Kind::Nothing => {}
            Kind::Bias => pieces::add(sums, du),
            Kind::Norm { .. } => {
                let (scale, shift) = sums.split_at_mut(middle);
                pieces::add(shift, du);
                if let Some(mean) = steps.mean {
                    for ((((sum, du), z), mean), inverse) in scale.iter_mut().zip(&*du).zip(z).zip(mean).zip(inverse) {
                        *sum += du * ((z - mean) * inverse);
                    }
                }
            }
            Kind::Members(members) => {
                let own = (i % members) * width..(i % members + 1) * width;
                let (scale, shift) = sums.split_at_mut(middle);
                pieces::add(&mut shift[own.clone()], du);
                let scales = constants[own.clone()].iter();
                for (((sum, du), z), factor) in scale[own].iter_mut().zip(&mut *du).zip(z).zip(scales) {
                    *sum += *du * z;
                    *du *= factor;
                }
            }
        }
    }
}

impl CustomOp2 for Dense {
    fn name(&self) -> &'static str {
        "dense"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout, weight: &CpuStorage, wl: &Layout) -> Result<(CpuStorage, Shape)> {
        let shape = shape(xl, wl)?;
        let out = self.forward(values(x, xl)?, values(weight, wl)?, &[], shape)?;
        Ok((CpuStorage::F32(out), Shape::from((shape.0, shape.2))))
    }

    fn bwd(&self, x: &Tensor, weight: &Tensor, _: &Tensor, g: &Tensor) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (for_x, for_weight, _) = with_values(g, |g| self.backward(x, weight, &[], g))?;
        Ok((for_x, for_weight))
    }
}

impl CustomOp3 for Dense {
    fn name(&self) -> &'static str {
        "dense-affine"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        weight: &CpuStorage,
        wl: &Layout,
        constants: &CpuStorage,
        cl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let shape = shape(xl, wl)?;
        let out = self.forward(values(x, xl)?, values(weight, wl)?, values(constants, cl)?, shape)?;
        Ok((CpuStorage::F32(out), Shape::from((shape.0, shape.2))))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        constants: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let (for_x, for_weight, for_constants) = with_values(constants, |constants| {
            with_values(gradient, |gradient| self.backward(x, weight, constants, gradient))
        })?;
        let for_constants = Tensor::from_vec(for_constants, constants.shape(), constants.device())?;
        Ok((for_x, for_weight, Some(for_constants)))
    }
}

/// Rows, inputs, outputs.
fn shape(x: &Layout, weight: &Layout) -> Result<(usize, usize, usize)> {
    let ((rows, inputs), (outputs, weight_inputs)) = (x.shape().dims2()?, weight.shape().dims2()?);
    if weight_inputs != inputs || inputs == 0 || outputs == 0 {
        candle_core::bail!("a layer of {inputs} inputs with weights {outputs}×{weight_inputs}")
    }
    Ok((rows, inputs, outputs))
}

struct ScaleAndActivate {
    scale: Vec<f32>,
    shift: Vec<f32>,
    activation: Activation,
}

impl CustomOp1 for ScaleAndActivate {
    fn name(&self) -> &'static str {
        "scale-activation"
    }

    fn cpu_fwd(&self, z: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let mut out = values(z, layout)?.to_vec();
        let width = self.scale.len();
        out.par_chunks_mut(ROWS * width).for_each(|piece| {
            vectorized(|| {
                for row in piece.chunks_exact_mut(width) {
                    for ((value, scale), shift) in row.iter_mut().zip(&self.scale).zip(&self.shift) {
                        *value = *value * scale + shift;
                    }
                    self.activation.apply(row);
                }
            });
        });
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }
}

fn inverse_deviations(statistics: &BatchStatistics, epsilon: f32) -> Vec<f32> {
    statistics.variance.iter().map(|variance| 1.0 / (variance + epsilon).sqrt()).collect()
}

#[inline(always)]
fn multiply(row: &mut [f32], factors: &[f32]) {
    for (value, factor) in row.iter_mut().zip(factors) {
        *value *= factor;
    }
}

#[inline(always)]
fn centre_row(row: &mut [f32], z: &[f32], mean: &[f32], scale: &[f32], drift: &[f32], tilt: &[f32]) {
    for (((((value, z), mean), scale), drift), tilt) in row.iter_mut().zip(z).zip(mean).zip(scale).zip(drift).zip(tilt)
    {
        *value = scale * (*value - drift - (z - mean) * tilt);
    }
}
