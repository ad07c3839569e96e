//! A small linear layer for each number: every number's own features to every number's own vector.
//!
//! Knows nothing of where the features come from.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};

use super::{values, with_values};
use crate::ml::product::{View, product};

/// `x`: rows × numbers·features, `weight`: numbers × width × features, `bias`: numbers × width → rows × numbers·width.
pub fn grouped(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    x.apply_op3(weight, bias, Grouped)
}

struct Grouped;

impl CustomOp3 for Grouped {
    fn name(&self) -> &'static str {
        "grouped"
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
        let ((rows, all), (numbers, width, features)) = (xl.shape().dims2()?, wl.shape().dims3()?);
        if all != numbers * features {
            candle_core::bail!("{all} features for {numbers}×{width}×{features} weights")
        }
        let (x, weight, bias) = (values(x, xl)?, values(weight, wl)?, values(bias, bl)?);
        let mut out = vec![0f32; rows * numbers * width];
        let mut own = vec![0f32; rows * width];
        for j in 0..numbers {
            let weight = View::new(&weight[j * width * features..(j + 1) * width * features], width, features);
            product(&mut own, View::new(x, rows, all).columns(j * features, features), weight.transposed());
            let bias = &bias[j * width..(j + 1) * width];
            for (to, row) in out.chunks_exact_mut(numbers * width).zip(own.chunks_exact(width)) {
                let to = to[j * width..].iter_mut();
                to.zip(row).zip(bias).for_each(|((to, value), bias)| *to = value + bias);
            }
        }
        Ok((CpuStorage::F32(out), Shape::from((rows, numbers * width))))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let ((rows, all), (numbers, width, features)) = (x.dims2()?, weight.dims3()?);
        let mut for_x = if x.track_op() { vec![0f32; rows * all] } else { Vec::new() };
        let mut for_weight = vec![0f32; numbers * width * features];
        let mut for_bias = vec![0f32; numbers * width];
        let mut own = vec![0f32; rows * features];
        with_values(gradient, |gradient| {
            for row in gradient.chunks_exact(numbers * width) {
                for_bias.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
            }
            with_values(weight, |weight| {
                with_values(x, |x| {
                    for j in 0..numbers {
                        let span = j * width * features..(j + 1) * width * features;
                        let gradient = View::new(gradient, rows, numbers * width).columns(j * width, width);
                        let x = View::new(x, rows, all).columns(j * features, features);
                        product(&mut for_weight[span.clone()], gradient.transposed(), x);
                        if !for_x.is_empty() {
                            product(&mut own, gradient, View::new(&weight[span], width, features));
                            for (to, row) in for_x.chunks_exact_mut(all).zip(own.chunks_exact(features)) {
                                to[j * features..(j + 1) * features].copy_from_slice(row);
                            }
                        }
                    }
                    Ok(())
                })
            })
        })?;
        let for_x = if x.track_op() { Some(Tensor::from_vec(for_x, (rows, all), x.device())?) } else { None };
        let for_weight = Tensor::from_vec(for_weight, weight.shape(), x.device())?;
        Ok((for_x, Some(for_weight), Some(Tensor::from_vec(for_bias, bias.shape(), x.device())?)))
    }
}
