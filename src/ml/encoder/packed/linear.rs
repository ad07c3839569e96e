//! A linear layer's weights, laid out for products in the precision that was asked for.

use super::super::Precision;
use super::super::kernels::{Finish, Panels, Rows, WIDTH, WordRows, bfloat, integer, multiply};

pub(crate) struct Linear {
    weight: Weight,
    /// as long as the panels of the widest kind are wide
    pub(crate) bias: Vec<f32>,
}

enum Weight {
    F32(Panels),
    Bf16(bfloat::HalfPanels),
    Int8(integer::BytePanels),
}

/// Rows on their way into a product: one thread's buffers.
#[derive(Default)]
pub(crate) struct LinearScratch {
    words: WordRows,
    bytes: integer::ByteRows,
}

/// The distance of rows `columns` wide: whole panels and one more, so that rows a power of two apart do not compete
/// for the same lines of the cache, and a narrow head may spill. (Panels of f32 are as wide, or narrower.)
pub(crate) fn stride(columns: usize) -> usize {
    columns.next_multiple_of(WIDTH) + WIDTH
}

impl Linear {
    /// `weight` is outputs × inputs, as PyTorch has it.
    pub(crate) fn new(precision: Precision, weight: &[f32], mut bias: Vec<f32>, inputs: usize) -> Self {
        let outputs = bias.len();
        let weight = match precision {
            Precision::F32 => {
                let mut panels = Panels::default();
                panels.set_transposed(weight, inputs, outputs, inputs);
                Weight::F32(panels)
            }
            Precision::Bf16 => Weight::Bf16(bfloat::HalfPanels::from_transposed(weight, outputs, inputs)),
            Precision::Int8 => Weight::Int8(integer::BytePanels::from_transposed(weight, outputs, inputs)),
        };
        bias.resize(outputs.next_multiple_of(WIDTH), 0.0);
        Linear { weight, bias }
    }

    /// `out[r] = finish(rows[r] · weightᵀ)`, rows of `out` being `out_stride` apart: see [`stride`].
    pub(crate) fn multiply(
        &self,
        rows: Rows,
        scratch: &mut LinearScratch,
        finish: Finish,
        out: &mut [f32],
        out_stride: usize,
    ) {
        match &self.weight {
            Weight::F32(panels) => multiply(rows, panels, finish, out, out_stride),
            Weight::Bf16(panels) => bfloat::multiply(rows, panels, &mut scratch.words, finish, out, out_stride),
            Weight::Int8(panels) => integer::multiply(rows, panels, &mut scratch.bytes, finish, out, out_stride),
        }
    }
}
