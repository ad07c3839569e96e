//! What belongs to each member of an ensemble that shares its weights (BatchEnsemble, Wen et al. 2020, arXiv 2002.06715;
//! TabM, Gorishniy et al. 2024, arXiv 2410.24210): scales of inputs, and heads. Row i of a tensor is of member i mod members.
//!
//! Knows nothing of the shared weights (`dense`).

use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};
use rayon::prelude::*;

use super::pieces::{ROWS, total};
use super::{values, vectorized, with_values};
use crate::ml::product::{View, product};

/// `x` with every feature multiplied by the member's factor; `factors`: members × features. `x` has rows × features, given to
/// each member (`spread`), or rows·members × features already → rows·members × features.
pub fn adapt(x: &Tensor, factors: &Tensor, spread: bool) -> Result<Tensor> {
    x.apply_op2(factors, Adapt { spread })
}

/// Logits of every member: `x`: rows·members × width, `weight`: classes × members × width, `bias`: classes × members →
/// rows·members × classes.
pub fn member_head(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    x.apply_op3(weight, bias, Head)
}

/// Logits whose softmax is the mean of the members' probabilities; rows·members × classes → rows × classes, row after row.
pub fn log_mean_probabilities(logits: &Tensor, members: usize) -> Result<Tensor> {
    let (rows, classes) = logits.dims2()?;
    let out = with_values(logits, |logits| {
        let mut out = Vec::with_capacity(rows / members * classes);
        for group in logits.chunks_exact(members * classes) {
            let mut mean = vec![0f64; classes];
            for row in group.chunks_exact(classes) {
                let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let odds: Vec<f64> = row.iter().map(|x| f64::from(x - largest).exp()).collect();
                let sum: f64 = odds.iter().sum();
                mean.iter_mut().zip(&odds).for_each(|(mean, odds)| *mean += odds / sum / members as f64);
            }
            // A probability of 0 would be a logit of minus infinity.
            out.extend(mean.iter().map(|p| p.max(1e-30).ln() as f32));
        }
        Ok(out)
    })?;
    Tensor::from_vec(out, (rows / members, classes), logits.device())
}

struct Adapt {
    spread: bool,
}

impl Adapt {
    fn source(&self, row: usize, members: usize) -> usize {
        if self.spread { row / members } else { row }
    }
}

impl CustomOp2 for Adapt {
    fn name(&self) -> &'static str {
        "adapt"
    }

    fn cpu_fwd(&self, x: &CpuStorage, xl: &Layout, factors: &CpuStorage, fl: &Layout) -> Result<(CpuStorage, Shape)> {
        let ((rows, width), (members, same)) = (xl.shape().dims2()?, fl.shape().dims2()?);
        let rows = if self.spread { rows * members } else { rows };
        if width != same || rows % members != 0 {
            candle_core::bail!("factors {members}×{same} for {rows} rows of {width}")
        }
        let (x, factors) = (values(x, xl)?, values(factors, fl)?);
        let mut out = vec![0f32; rows * width];
        out.par_chunks_mut(ROWS * width).enumerate().for_each(|(piece, out)| {
            vectorized(|| {
                for (k, out) in out.chunks_exact_mut(width).enumerate() {
                    let i = piece * ROWS + k;
                    let (x, factors) = (&x[self.source(i, members) * width..], &factors[i % members * width..]);
                    for ((out, x), factor) in out.iter_mut().zip(x).zip(factors) {
                        *out = x * factor;
                    }
                }
            });
        });
        Ok((CpuStorage::F32(out), Shape::from((rows, width))))
    }

    fn bwd(
        &self,
        x: &Tensor,
        factors: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let (members, width) = factors.dims2()?;
        // Of a row that was given to each member the gradients are added up, so its members stay in one piece.
        let rows = if self.spread { ROWS.next_multiple_of(members) } else { ROWS };
        let for_x = with_values(gradient, |gradient| {
            with_values(factors, |factors| {
                let mut for_x = if x.track_op() { vec![0f32; x.elem_count()] } else { Vec::new() };
                let rows_of_x = if self.spread { rows / members } else { rows };
                let pieces = for_x.par_chunks_mut(rows_of_x * width).zip(gradient.par_chunks(rows * width)).enumerate();
                pieces.for_each(|(piece, (for_x, gradient))| {
                    vectorized(|| {
                        for (k, gradient) in gradient.chunks_exact(width).enumerate() {
                            let (to, own) = (self.source(k, members) * width, (piece * rows + k) % members * width);
                            let sums = for_x[to..to + width].iter_mut();
                            for ((sum, gradient), factor) in sums.zip(gradient).zip(&factors[own..]) {
                                *sum += gradient * factor;
                            }
                        }
                    });
                });
                Ok(for_x)
            })
        })?;
        let for_factors = with_values(gradient, |gradient| {
            with_values(x, |x| {
                let sums = gradient.par_chunks(rows * width).enumerate().map(|(piece, gradient)| {
                    let mut sums = vec![0f32; members * width];
                    vectorized(|| {
                        for (k, gradient) in gradient.chunks_exact(width).enumerate() {
                            let i = piece * rows + k;
                            let own = i % members * width;
                            let sums = sums[own..own + width].iter_mut();
                            for ((sum, gradient), x) in sums.zip(gradient).zip(&x[self.source(i, members) * width..]) {
                                *sum += gradient * x;
                            }
                        }
                    });
                    sums
                });
                Ok(total(sums.collect(), members * width))
            })
        })?;
        let for_x = if x.track_op() { Some(Tensor::from_vec(for_x, x.shape(), x.device())?) } else { None };
        Ok((for_x, Some(Tensor::from_vec(for_factors, (members, width), factors.device())?)))
    }
}

struct Head;

/// Row m of every class: classes × width.
fn of_member(weight: &[f32], width: usize, member: usize, members: usize) -> View<'_, f32> {
    View::every(weight, width, member, members)
}

impl CustomOp3 for Head {
    fn name(&self) -> &'static str {
        "member-head"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        xl: &Layout,
        weight: &CpuStorage,
        wl: &Layout,
        bias: &CpuStorage,
        bl: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let ((rows, width), (classes, members, same)) = (xl.shape().dims2()?, wl.shape().dims3()?);
        if width != same || rows % members != 0 {
            candle_core::bail!("heads {classes}×{members}×{same} for {rows} rows of {width}")
        }
        let (x, weight, bias) = (values(x, xl)?, values(weight, wl)?, values(bias, bl)?);
        let mut out = vec![0f32; rows * classes];
        let mut own = vec![0f32; rows / members * classes];
        for member in 0..members {
            let x = View::every(x, width, member, members);
            product(&mut own, x, of_member(weight, width, member, members).transposed());
            for (i, row) in own.chunks_exact(classes).enumerate() {
                let to = &mut out[(i * members + member) * classes..];
                for (c, (to, value)) in to.iter_mut().zip(row).enumerate() {
                    *to = value + bias[c * members + member];
                }
            }
        }
        Ok((CpuStorage::F32(out), Shape::from((rows, classes))))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let ((rows, width), (classes, members, _)) = (x.dims2()?, weight.dims3()?);
        let mut for_x = if x.track_op() { vec![0f32; rows * width] } else { Vec::new() };
        let mut for_weight = vec![0f32; classes * members * width];
        let mut for_bias = vec![0f32; classes * members];
        let mut own = vec![0f32; classes * width];
        let mut own_x = vec![0f32; rows / members * width];
        with_values(gradient, |gradient| {
            for (i, row) in gradient.chunks_exact(classes).enumerate() {
                for (c, value) in row.iter().enumerate() {
                    for_bias[c * members + i % members] += value;
                }
            }
            with_values(weight, |weight| {
                with_values(x, |x| {
                    for member in 0..members {
                        let gradient = View::every(gradient, classes, member, members);
                        product(&mut own, gradient.transposed(), View::every(x, width, member, members));
                        for (c, row) in own.chunks_exact(width).enumerate() {
                            for_weight[(c * members + member) * width..][..width].copy_from_slice(row);
                        }
                        if !for_x.is_empty() {
                            product(&mut own_x, gradient, of_member(weight, width, member, members));
                            for (i, row) in own_x.chunks_exact(width).enumerate() {
                                for_x[(i * members + member) * width..][..width].copy_from_slice(row);
                            }
                        }
                    }
                    Ok(())
                })
            })
        })?;
        let for_x = if x.track_op() { Some(Tensor::from_vec(for_x, (rows, width), x.device())?) } else { None };
        let for_weight = Tensor::from_vec(for_weight, weight.shape(), x.device())?;
        Ok((for_x, Some(for_weight), Some(Tensor::from_vec(for_bias, bias.shape(), x.device())?)))
    }
}
