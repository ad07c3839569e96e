//! Vector functions of one row: exp, GELU, softmax, layer norm.
//!
//! Exact to a few units in the last place of f32, as the tests hold.

use pulp::{Simd, WithSimd};

use crate::simd::dispatch;

/// e^x for each lane, x clamped to [-87, 88]; relative error below 2e-7.
///
/// e^x = 2^n · e^r with n = round(x / ln 2), |r| ≤ ln 2 / 2, e^r by its Taylor series to r⁷ (remainder 6e-9).
#[inline(always)]
pub(crate) fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let x = simd.max_f32s(simd.min_f32s(x, simd.splat_f32s(88.0)), simd.splat_f32s(-87.0));
    // Adding 1.5 · 2²³ rounds to an integer, which then sits in the low bits of the sum.
    let magic = simd.splat_f32s(12_582_912.0);
    let shifted = simd.mul_add_e_f32s(x, simd.splat_f32s(std::f32::consts::LOG2_E), magic);
    let n = simd.sub_f32s(shifted, magic);
    // ln 2 in two parts, the first of which is exact in few bits (Cody and Waite, 1980).
    let r = simd.mul_add_e_f32s(n, simd.splat_f32s(-0.693_359_4), x);
    let r = simd.mul_add_e_f32s(n, simd.splat_f32s(2.121_944_4e-4), r);
    let mut y = simd.splat_f32s(1.0 / 5040.0);
    for coefficient in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        y = simd.mul_add_e_f32s(y, r, simd.splat_f32s(coefficient));
    }
    let exponent = simd.wrapping_dyn_shl_u32s(simd.transmute_u32s_f32s(shifted), simd.splat_u32s(23));
    simd.transmute_f32s_u32s(simd.add_u32s(simd.transmute_u32s_f32s(y), exponent))
}

/// x·Φ(x), the exact GELU (Hendrycks and Gimpel, arXiv 1606.08415); error of Φ below 2e-7.
///
/// Φ(x) − ½ = x·P(x²)/Q(x²) on |x| ≤ 5.6, beyond which Φ is 0 or 1 in f32. P and Q (degree 5 each) were fitted to
/// scipy's erf by reweighted least squares towards the minimax; the rational itself is right to 2.2e-8.
#[inline(always)]
pub(crate) fn gelu<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    const P: [f32; 6] = [2.229_734_3e-8, 6.289_8e-6, 1.689_311_2e-4, 4.677_362e-3, 3.392_920_3e-2, 3.989_422_6e-1];
    const Q: [f32; 6] = [1.179_656_6e-6, 7.334_485e-5, 1.885_502_5e-3, 2.867_765_7e-2, 2.517_142_3e-1, 1.0];
    let clamped = simd.max_f32s(simd.min_f32s(x, simd.splat_f32s(5.6)), simd.splat_f32s(-5.6));
    let t = simd.mul_f32s(clamped, clamped);
    let mut p = simd.splat_f32s(P[0]);
    let mut q = simd.splat_f32s(Q[0]);
    for i in 1..6 {
        p = simd.mul_add_e_f32s(p, t, simd.splat_f32s(P[i]));
        q = simd.mul_add_e_f32s(q, t, simd.splat_f32s(Q[i]));
    }
    let centred = simd.div_f32s(simd.mul_f32s(clamped, p), q);
    simd.mul_f32s(x, simd.add_f32s(centred, simd.splat_f32s(0.5)))
}

/// GELU's tanh form, ½x(1 + tanh(√(2/π)(x + 0.044715x³))) = x / (1 + e^(−2u)): `gelu_new`, `gelu_pytorch_tanh`.
#[inline(always)]
pub(crate) fn gelu_tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let one = simd.splat_f32s(1.0);
    let square = simd.mul_f32s(x, x);
    let inner = simd.mul_add_e_f32s(square, simd.splat_f32s(0.044_715), one);
    // −2·√(2/π)
    let u = simd.mul_f32s(simd.mul_f32s(x, inner), simd.splat_f32s(-1.595_769));
    simd.div_f32s(x, simd.add_f32s(one, exp(simd, u)))
}

/// Softmax of `scale * row` over the first `length` values of each row, in place; rows are `stride` apart, and a row
/// must have room for whole vectors: what lies past `length` becomes 0 or next to it.
#[inline(always)]
pub(crate) fn softmax_rows<S: Simd>(simd: S, rows: &mut [f32], stride: usize, length: usize, scale: f32) {
    let padded = length.next_multiple_of(S::F32_LANES);
    let scale = simd.splat_f32s(scale);
    for row in rows.chunks_exact_mut(stride) {
        let row = &mut row[..padded];
        row[length..].fill(f32::NEG_INFINITY);
        let vectors = S::as_mut_simd_f32s(row).0;
        let mut largest = simd.splat_f32s(f32::NEG_INFINITY);
        for vector in vectors.iter() {
            largest = simd.max_f32s(largest, *vector);
        }
        let largest = simd.splat_f32s(simd.reduce_max_f32s(largest));
        let mut sum = simd.splat_f32s(0.0);
        for vector in vectors.iter_mut() {
            *vector = exp(simd, simd.mul_f32s(simd.sub_f32s(*vector, largest), scale));
            sum = simd.add_f32s(sum, *vector);
        }
        let inverse = simd.splat_f32s(1.0 / simd.reduce_sum_f32s(sum));
        for vector in vectors.iter_mut() {
            *vector = simd.mul_f32s(*vector, inverse);
        }
    }
}

/// Layer norm of the first `weight.len()` values of each row, in place; rows are `stride` apart (Ba et al., arXiv
/// 1607.06450). The variance comes from the centred values: E[x²] − E[x]² would cancel.
pub(crate) fn layer_norm_rows(rows: &mut [f32], stride: usize, weight: &[f32], bias: &[f32], epsilon: f32) {
    struct LayerNorm<'a>(&'a mut [f32], usize, &'a [f32], &'a [f32], f32);
    impl WithSimd for LayerNorm<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let LayerNorm(rows, stride, weight, bias, epsilon) = self;
            let count = weight.len() as f32;
            let (weights, weight_tail) = S::as_simd_f32s(weight);
            let (biases, bias_tail) = S::as_simd_f32s(bias);
            for row in rows.chunks_exact_mut(stride) {
                let (vectors, tail) = S::as_mut_simd_f32s(&mut row[..weight.len()]);
                let mut sums = simd.splat_f32s(0.0);
                for vector in vectors.iter() {
                    sums = simd.add_f32s(sums, *vector);
                }
                let mean = (simd.reduce_sum_f32s(sums) + tail.iter().sum::<f32>()) / count;
                let means = simd.splat_f32s(mean);
                let mut squares = simd.splat_f32s(0.0);
                for vector in vectors.iter() {
                    let centred = simd.sub_f32s(*vector, means);
                    squares = simd.mul_add_e_f32s(centred, centred, squares);
                }
                let square = simd.reduce_sum_f32s(squares) + tail.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>();
                let scale = 1.0 / (square / count + epsilon).sqrt();
                let scales = simd.splat_f32s(scale);
                for ((vector, weight), bias) in vectors.iter_mut().zip(weights).zip(biases) {
                    let centred = simd.mul_f32s(simd.sub_f32s(*vector, means), scales);
                    *vector = simd.mul_add_e_f32s(centred, *weight, *bias);
                }
                for ((value, weight), bias) in tail.iter_mut().zip(weight_tail).zip(bias_tail) {
                    *value = (*value - mean) * scale * weight + bias;
                }
            }
        }
    }
    dispatch(LayerNorm(rows, stride, weight, bias, epsilon));
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! map {
        ($values:expr, $function:ident) => {{
            struct Map(Vec<f32>);
            impl WithSimd for Map {
                type Output = Vec<f32>;
                #[inline(always)]
                fn with_simd<S: Simd>(mut self, simd: S) -> Vec<f32> {
                    let (vectors, tail) = S::as_mut_simd_f32s(&mut self.0);
                    assert!(tail.is_empty());
                    for vector in vectors {
                        *vector = $function(simd, *vector);
                    }
                    self.0
                }
            }
            dispatch(Map($values))
        }};
    }

    #[test]
    fn exp_is_exact_to_single_precision() {
        let inputs: Vec<f32> = (0..64_000).map(|i| -86.9 + i as f32 * (174.8 / 64_000.0)).collect();
        for (x, y) in inputs.iter().zip(map!(inputs.clone(), exp)) {
            let truth = f64::from(*x).exp();
            assert!((f64::from(y) / truth - 1.0).abs() < 2e-7, "exp({x}) = {y}");
        }
        let ends = map!([f32::NEG_INFINITY, -1e9, 0.0, -0.0].repeat(4), exp);
        assert!(ends[0] < 1e-37 && ends[1] < 1e-37 && ends[2] == 1.0 && ends[3] == 1.0);
    }

    // import torch; x = torch.tensor([-6., -3., -1., -.5, -.01, 0., .01, .5, 1., 3., 6.], dtype=torch.float64)
    // torch.nn.functional.gelu(x); torch.nn.functional.gelu(x, approximate="tanh")
    #[test]
    fn gelu_agrees_with_pytorch() {
        let x: [f32; 11] = [-6.0, -3.0, -1.0, -0.5, -0.01, 0.0, 0.01, 0.5, 1.0, 3.0, 6.0];
        let mut padded = x.to_vec();
        padded.resize(16, 0.0);
        let check = |values: Vec<f32>, expected: [f64; 11]| {
            for ((x, value), expected) in x.iter().zip(values).zip(expected) {
                let error = (f64::from(value) - expected).abs();
                assert!(error <= 2e-7 * f64::from(x.abs()).max(1e-3), "gelu({x}) = {value}, not {expected}");
            }
        };
        check(
            map!(padded.clone(), gelu),
            [
                -5.919525869e-09,
                -0.004049694095,
                -0.1586552539,
                -0.1542687694,
                -0.004960106437,
                0.0,
                0.005039893563,
                0.3457312306,
                0.8413447461,
                2.995950306,
                5.999999994,
            ],
        );
        check(
            map!(padded, gelu_tanh),
            [
                -8.43964898e-11,
                -0.003637392082,
                -0.1588080094,
                -0.1542859902,
                -0.00496010644,
                0.0,
                0.00503989356,
                0.3457140098,
                0.8411919906,
                2.996362608,
                6.0,
            ],
        );
    }

    struct Softmax<'a>(&'a mut [f32], usize, usize);
    impl WithSimd for Softmax<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            softmax_rows(simd, self.0, self.1, self.2, 0.5);
        }
    }

    #[test]
    fn softmax_sums_to_one_and_ignores_what_lies_beyond() {
        for length in [1, 3, 16, 17, 40] {
            let stride = 48;
            let mut rows: Vec<f32> = (0..2 * stride).map(|i| (i as f32 * 0.7).sin() * 30.0).collect();
            let before = rows.clone();
            dispatch(Softmax(&mut rows, stride, length));
            for (row, before) in rows.chunks(stride).zip(before.chunks(stride)) {
                let exps: Vec<f64> = before[..length].iter().map(|x| (f64::from(*x) * 0.5).exp()).collect();
                let sum: f64 = exps.iter().sum();
                for (value, e) in row.iter().zip(exps) {
                    assert!((f64::from(*value) - e / sum).abs() < 1e-6);
                }
            }
        }
    }

    #[test]
    fn layer_norm_handles_widths_that_are_no_whole_vectors() {
        for width in [1, 5, 16, 37] {
            let stride = 40;
            let mut rows: Vec<f32> = (0..2 * stride).map(|i| 100.0 + (i as f32 * 1.3).cos()).collect();
            let before = rows.clone();
            let weight: Vec<f32> = (0..width).map(|i| 1.0 + i as f32 * 0.1).collect();
            let bias = vec![0.25; width];
            layer_norm_rows(&mut rows, stride, &weight, &bias, 1e-5);
            for (row, before) in rows.chunks(stride).zip(before.chunks(stride)) {
                let x: Vec<f64> = before[..width].iter().map(|x| f64::from(*x)).collect();
                let mean = x.iter().sum::<f64>() / width as f64;
                let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / width as f64;
                for i in 0..width {
                    let truth = (x[i] - mean) / (variance + 1e-5).sqrt() * f64::from(weight[i]) + 0.25;
                    assert!((f64::from(row[i]) - truth).abs() < 2e-3, "{width}: {} {truth}", row[i]);
                }
                assert_eq!(row[width..], before[width..]);
            }
        }
    }
}
