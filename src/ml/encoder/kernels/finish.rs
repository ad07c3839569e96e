//! What happens to the sums of a product before they are stored: bias, activation, residual.
//!
//! Done while they are still in registers. Knows nothing of how they were summed.

use pulp::Simd;

use super::elementwise::{gelu, gelu_tanh};

/// What happens to a sum before it is stored. `bias` holds `Panels::padded(columns)` values.
#[derive(Clone, Copy)]
pub enum Finish<'a> {
    Plain,
    Bias(&'a [f32]),
    BiasGelu(&'a [f32]),
    BiasGeluTanh(&'a [f32]),
    BiasRelu(&'a [f32]),
    /// `residual` has the stride and the rows of the result.
    BiasResidual(&'a [f32], &'a [f32]),
}

impl Finish<'_> {
    /// Stores two registers of sums, whose columns begin at `column`, at `start` in `out` (and in the residual).
    #[inline(always)]
    pub fn store<S: Simd>(self, simd: S, sums: [S::f32s; 2], column: usize, start: usize, out: &mut [f32]) {
        let width = 2 * S::F32_LANES;
        // No closures: one that is not inlined would be compiled without the vector instructions.
        let done = match self {
            Finish::Plain => sums,
            Finish::Bias(bias) => add(simd, sums, bias, column),
            Finish::BiasGelu(bias) => {
                let [x, y] = add(simd, sums, bias, column);
                [gelu(simd, x), gelu(simd, y)]
            }
            Finish::BiasGeluTanh(bias) => {
                let [x, y] = add(simd, sums, bias, column);
                [gelu_tanh(simd, x), gelu_tanh(simd, y)]
            }
            Finish::BiasRelu(bias) => {
                let [x, y] = add(simd, sums, bias, column);
                [simd.max_f32s(x, simd.splat_f32s(0.0)), simd.max_f32s(y, simd.splat_f32s(0.0))]
            }
            Finish::BiasResidual(bias, residual) => add(simd, add(simd, sums, bias, column), residual, start),
        };
        let target = S::as_mut_simd_f32s(&mut out[start..start + width]).0;
        target[0] = done[0];
        target[1] = done[1];
    }
}

/// `sums` and the two registers that begin at `start` in `values`.
#[inline(always)]
fn add<S: Simd>(simd: S, sums: [S::f32s; 2], values: &[f32], start: usize) -> [S::f32s; 2] {
    let vectors = S::as_simd_f32s(&values[start..start + 2 * S::F32_LANES]).0;
    [simd.add_f32s(sums[0], vectors[0]), simd.add_f32s(sums[1], vectors[1])]
}
