//! Matrix products in pieces that do not depend on the number of threads.
//!
//! Knows nothing of what is multiplied.

use rayon::prelude::*;

use crate::ml::product::{View, scaled_product};

/// Rows of a piece: enough that laying out the other factor anew for each costs little.
const ROWS: usize = 256;

/// `out` (rows × outputs) = factor · x · weightᵀ; x: rows × inputs, weight: outputs × inputs.
pub fn forward(out: &mut [f32], x: &[f32], weight: &[f32], inputs: usize, outputs: usize, factor: f32) {
    let pieces = out.par_chunks_mut(ROWS * outputs).zip(x.par_chunks(ROWS * inputs));
    pieces.for_each(|(out, x)| {
        let x = View::new(x, x.len() / inputs, inputs);
        scaled_product(out, x, View::new(weight, outputs, inputs).transposed(), factor);
    });
}

/// `out` (rows × inputs) = factor · gradient · weight; gradient: rows × outputs.
pub fn backward_input(out: &mut [f32], gradient: &[f32], weight: &[f32], inputs: usize, outputs: usize, factor: f32) {
    let pieces = out.par_chunks_mut(ROWS * inputs).zip(gradient.par_chunks(ROWS * outputs));
    pieces.for_each(|(out, gradient)| {
        let gradient = View::new(gradient, gradient.len() / outputs, outputs);
        scaled_product(out, gradient, View::new(weight, outputs, inputs), factor);
    });
}

/// `out` (outputs × inputs) = factor · gradientᵀ · x.
pub fn backward_weight(out: &mut [f32], gradient: &[f32], x: &[f32], inputs: usize, outputs: usize, factor: f32) {
    let rows = x.len() / inputs;
    let (gradient, x) = (View::new(gradient, rows, outputs), View::new(x, rows, inputs));
    out.par_chunks_mut(ROWS * inputs).enumerate().for_each(|(i, out)| {
        let part = gradient.columns(i * ROWS, out.len() / inputs);
        scaled_product(out, part.transposed(), x, factor);
    });
}
