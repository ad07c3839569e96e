//! What happens to the sums of a product before they are stored: bias, activation, residual.
//!
//! Done while they are still in registers.

use pulp::Simd;

use super::elementwise::{gelu, gelu_tanh};

/// What happens to a sum before it is stored. `bias` holds `Panels::padded(columns)` values.
#[derive(Clone, Copy)]
pub(crate) enum Finish<'a> {
    Plain,
    Bias(&'a [f32]),
    BiasGelu(&'a [f32]),
    BiasGeluTanh(&'a [f32]),
    BiasRelu(&'a [f32]),
    /// `residual` has the stride and the rows of the result.
    BiasResidual(&'a [f32], &'a [f32]),
}

impl Finish<'_> {
    /// Stores `N` registers of sums, whose columns begin at `column`, at `start` in `out` (and in the residual).
    #[inline(always)]
    pub(crate) fn store<S: Simd, const N: usize>(
        self,
        simd: S,
        mut sums: [S::f32s; N],
        column: usize,
        start: usize,
        out: &mut [f32],
    ) {
        // No closures: one that is not inlined would be compiled without the vector instructions.
        match self {
            Finish::Plain => {}
            Finish::Bias(bias) => add(simd, &mut sums, bias, column),
            Finish::BiasGelu(bias) => {
                add(simd, &mut sums, bias, column);
                for sum in &mut sums {
                    *sum = gelu(simd, *sum);
                }
            }
            Finish::BiasGeluTanh(bias) => {
                add(simd, &mut sums, bias, column);
                for sum in &mut sums {
                    *sum = gelu_tanh(simd, *sum);
                }
            }
            Finish::BiasRelu(bias) => {
                add(simd, &mut sums, bias, column);
                for sum in &mut sums {
                    *sum = simd.max_f32s(*sum, simd.splat_f32s(0.0));
                }
            }
            Finish::BiasResidual(bias, residual) => {
                add(simd, &mut sums, bias, column);
                add(simd, &mut sums, residual, start);
            }
        }
        S::as_mut_simd_f32s(&mut out[start..start + N * S::F32_LANES]).0.copy_from_slice(&sums);
    }
}

/// Adds the registers that begin at `start` in `values`.
#[inline(always)]
fn add<S: Simd, const N: usize>(simd: S, sums: &mut [S::f32s; N], values: &[f32], start: usize) {
    let vectors = S::as_simd_f32s(&values[start..start + N * S::F32_LANES]).0;
    for (sum, vector) in sums.iter_mut().zip(vectors) {
        *sum = simd.add_f32s(*sum, *vector);
    }
}
