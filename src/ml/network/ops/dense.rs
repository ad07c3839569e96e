//! A layer as one operation: x·weightᵀ → bias, batch norm or a scale for each ensemble member → activation → dropout →
//! skip connection. Batch norm as in Ioffe and Szegedy 2015 (arXiv 1502.03167).
//!
//! Knows nothing of running averages nor of how dropout masks are drawn.

use std::sync::{Arc, OnceLock};

use candle_core::{CpuStorage, CustomOp1, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};

use super::super::Activation;
use super::{pieces, values, vectorized, with_values};

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
    fn steps<'a>(&self, constants: &'a [f32], statistics: Option<&'a BatchStatistics>) -> Steps<'a> {
        let (scale, shift) = constants.split_at(constants.len() / 2);
        match (self.kind, statistics) {
            (Kind::Norm { epsilon }, Some(statistics)) => {
                let inverse = inverse_deviations(statistics, epsilon);
                let scale = scale.iter().zip(&inverse).map(|(scale, inverse)| inverse * scale).collect();
                Steps { mean: Some(&statistics.mean), scale: Some(scale), shift: Some(shift), members: 1 }
            }
            (Kind::Members(members), _) => {
                Steps { mean: None, scale: Some(scale.to_vec()), shift: Some(shift), members }
            }
            (Kind::Bias, _) => Steps { mean: None, scale: None, shift: Some(constants), members: 1 },
            _ => Steps { mean: None, scale: None, shift: None, members: 1 },
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
        let mut z = vec![0f32; rows * outputs];
        pieces::forward(&mut z, x, weight, inputs, outputs, self.factor);
        let statistics = match self.kind {
            Kind::Norm { .. } => Some(vectorized(|| batch_statistics(&z, rows, outputs))),
            _ => None,
        };
        let plain = matches!(self.kind, Kind::Nothing | Kind::Bias);
        let out = if plain && self.finish.activation.is_none() && self.finish.mask.is_none() {
            // Nothing is to be remembered: in place.
            if matches!(self.kind, Kind::Bias) {
                for row in z.chunks_exact_mut(outputs) {
                    row.iter_mut().zip(constants).for_each(|(value, bias)| *value += bias);
                }
            }
            if self.finish.skip {
                z.iter_mut().zip(x).for_each(|(value, x)| *value += x);
            }
            std::mem::take(&mut z)
        } else {
            let mut out = vec![0f32; rows * outputs];
            let steps = self.steps(constants, statistics.as_ref());
            vectorized(|| {
                for (i, (out, z)) in out.chunks_exact_mut(outputs).zip(z.chunks_exact(outputs)).enumerate() {
                    steps.apply(i, z, out);
                    if let Some(activation) = self.finish.activation {
                        activation.apply(out);
                    }
                    if let Some(mask) = &self.finish.mask {
                        multiply(out, &mask[i * outputs..(i + 1) * outputs]);
                    }
                    if self.finish.skip {
                        out.iter_mut().zip(&x[i * inputs..]).for_each(|(value, x)| *value += x);
                    }
                }
            });
            out
        };
        // A graph runs forward once; a second pass of the same operation would see the same batch.
        let _ = self.kept.set(Kept { z, statistics });
        Ok(out)
    }

    /// The gradients of x (where wanted), of the weight and of the constants.
    fn backward(
        &self,
        x: &Tensor,
        weight: &Tensor,
        constants: &[f32],
        gradient: &[f32],
    ) -> Result<(Option<Tensor>, Tensor, Vec<f32>)> {
        let ((rows, inputs), outputs) = (x.dims2()?, weight.dim(0)?);
        let Some(kept) = self.kept.get() else { candle_core::bail!("a layer's backward before its forward") };
        let mut for_constants = vec![0f32; constants.len()];
        let slopes = vectorized(|| self.slopes(kept, constants, gradient, outputs, &mut for_constants));
        let slopes = slopes.as_deref().unwrap_or(gradient);
        let for_x = match x.track_op() {
            false => None,
            true => {
                let mut out = vec![0f32; rows * inputs];
                with_values(weight, |weight| {
                    pieces::backward_input(&mut out, slopes, weight, inputs, outputs, self.factor);
                    Ok(())
                })?;
                if self.finish.skip {
                    out.iter_mut().zip(gradient).for_each(|(value, gradient)| *value += gradient);
                }
                Some(Tensor::from_vec(out, (rows, inputs), x.device())?)
            }
        };
        let mut for_weight = vec![0f32; outputs * inputs];
        with_values(x, |x| {
            pieces::backward_weight(&mut for_weight, slopes, x, inputs, outputs, self.factor);
            Ok(())
        })?;
        Ok((for_x, Tensor::from_vec(for_weight, (outputs, inputs), weight.device())?, for_constants))
    }

    /// The gradient of the product, none where it is that of the output; adds up that of the constants.
    #[inline(always)]
    fn slopes(
        &self,
        kept: &Kept,
        constants: &[f32],
        gradient: &[f32],
        width: usize,
        for_constants: &mut [f32],
    ) -> Option<Vec<f32>> {
        if kept.z.is_empty() {
            if matches!(self.kind, Kind::Bias) {
                gradient.chunks_exact(width).for_each(|row| add(for_constants, row));
            }
            return None;
        }
        let steps = self.steps(constants, kept.statistics.as_ref());
        let inverse = match (self.kind, &kept.statistics) {
            (Kind::Norm { epsilon }, Some(statistics)) => inverse_deviations(statistics, epsilon),
            _ => Vec::new(),
        };
        let middle = for_constants.len() / 2;
        let mut out = vec![0f32; gradient.len()];
        let rows = out.chunks_exact_mut(width).zip(kept.z.chunks_exact(width)).zip(gradient.chunks_exact(width));
        for (i, ((du, z), gradient)) in rows.enumerate() {
            match self.finish.activation {
                Some(activation) => {
                    steps.apply(i, z, du);
                    activation.slopes(du);
                    multiply(du, gradient);
                }
                None => du.copy_from_slice(gradient),
            }
            if let Some(mask) = &self.finish.mask {
                multiply(du, &mask[i * width..(i + 1) * width]);
            }
            match self.kind {
                Kind::Nothing => {}
                Kind::Bias => add(for_constants, du),
                Kind::Norm { .. } => {
                    let (scale, shift) = for_constants.split_at_mut(middle);
                    add(shift, du);
                    if let Some(mean) = steps.mean {
                        for ((((sum, du), z), mean), inverse) in
                            scale.iter_mut().zip(&*du).zip(z).zip(mean).zip(&inverse)
                        {
                            *sum += du * ((z - mean) * inverse);
                        }
                    }
                }
                Kind::Members(members) => {
                    let own = (i % members) * width..(i % members + 1) * width;
                    let (scale, shift) = for_constants.split_at_mut(middle);
                    add(&mut shift[own.clone()], du);
                    let scales = constants[own.clone()].iter();
                    for (((sum, du), z), factor) in scale[own].iter_mut().zip(&mut *du).zip(z).zip(scales) {
                        *sum += *du * z;
                        *du *= factor;
                    }
                }
            }
        }
        if let (Some(mean), Some(scale)) = (steps.mean, &steps.scale) {
            // dz = scale·(du − (Σdu + x̂·Σdu·x̂)/rows), with x̂ = (z − mean)·inverse.
            let share = 1.0 / (gradient.len() / width) as f32;
            let drift: Vec<f32> = for_constants[middle..].iter().map(|sum| sum * share).collect();
            let sums = for_constants[..middle].iter().zip(&inverse);
            let tilt: Vec<f32> = sums.map(|(sum, inverse)| sum * inverse * share).collect();
            for (row, z) in out.chunks_exact_mut(width).zip(kept.z.chunks_exact(width)) {
                centre_row(row, z, mean, scale, &drift, &tilt);
            }
        }
        Some(out)
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
        Ok((for_x, Some(for_weight)))
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
        Ok((for_x, Some(for_weight), Some(for_constants)))
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
        vectorized(|| {
            for row in out.chunks_exact_mut(self.scale.len()) {
                for ((value, scale), shift) in row.iter_mut().zip(&self.scale).zip(&self.shift) {
                    *value = *value * scale + shift;
                }
                self.activation.apply(row);
            }
        });
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }
}

fn inverse_deviations(statistics: &BatchStatistics, epsilon: f32) -> Vec<f32> {
    statistics.variance.iter().map(|variance| 1.0 / (variance + epsilon).sqrt()).collect()
}

/// Two passes, because the difference of squares would cancel for features far from zero.
#[inline(always)]
fn batch_statistics(z: &[f32], rows: usize, width: usize) -> BatchStatistics {
    let share = 1.0 / rows as f32;
    let mut mean = vec![0f32; width];
    z.chunks_exact(width).for_each(|row| add(&mut mean, row));
    mean.iter_mut().for_each(|sum| *sum *= share);
    let mut variance = vec![0f32; width];
    for row in z.chunks_exact(width) {
        for ((sum, value), mean) in variance.iter_mut().zip(row).zip(&mean) {
            let distance = value - mean;
            *sum += distance * distance;
        }
    }
    variance.iter_mut().for_each(|sum| *sum *= share);
    BatchStatistics { rows, mean, variance }
}

#[inline(always)]
fn multiply(row: &mut [f32], factors: &[f32]) {
    for (value, factor) in row.iter_mut().zip(factors) {
        *value *= factor;
    }
}

#[inline(always)]
fn add(sums: &mut [f32], row: &[f32]) {
    for (sum, value) in sums.iter_mut().zip(row) {
        *sum += value;
    }
}

#[inline(always)]
fn centre_row(row: &mut [f32], z: &[f32], mean: &[f32], scale: &[f32], drift: &[f32], tilt: &[f32]) {
    for (((((value, z), mean), scale), drift), tilt) in row.iter_mut().zip(z).zip(mean).zip(scale).zip(drift).zip(tilt)
    {
        *value = scale * (*value - drift - (z - mean) * tilt);
    }
}
