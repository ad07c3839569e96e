//! What a token is at its position before it sees the others: its normalised embedding, and the first layer's query, key
//! and value.
//!
//! These are the same in every sequence, to the bit, and a third of the tokens of titles are the two special ones: what has
//! been computed is kept, up to a bound.

use std::collections::HashMap;

use super::super::kernels::{Finish, Rows, layer_norm_rows};
use super::linear::{LinearScratch, stride};
use super::{Layer, PackedModel};

/// Bytes of rows that one thread keeps.
const KEPT: usize = 32 * 1024 * 1024;

/// Of one thread.
#[derive(Default)]
pub(crate) struct FirstLayer {
    /// The row of a token (first) at a position.
    places: HashMap<(u32, usize), usize>,
    /// rows × stride(hidden)
    states: Vec<f32>,
    /// rows × stride(3 · hidden)
    qkv: Vec<f32>,
}

impl FirstLayer {
    /// Fills `states` and `qkv` with a row for each token, one sequence after the other. `states` has rows `stride(hidden)` apart, `qkv`
    /// `stride(3 * hidden)`.
    pub(crate) fn fill(
        &mut self,
        model: &PackedModel,
        sequences: &[&[u32]],
        scratch: &mut LinearScratch,
        states: &mut [f32],
        qkv: &mut [f32],
    ) {
        let hidden = model.architecture.hidden;
        let (narrow, triple) = (stride(hidden), stride(3 * hidden));
        let tokens: usize = sequences.iter().map(|sequence| sequence.len()).sum();
        if (self.places.len() + tokens) * (narrow + triple) * size_of::<f32>() > KEPT {
            self.places.clear();
        }
        if self.states.capacity() == 0 {
            // All at once, since growing would copy them again and again; what is not used costs no memory.
            let most = KEPT / ((narrow + triple) * size_of::<f32>());
            self.states.reserve_exact(most * narrow);
            self.qkv.reserve_exact(most * triple);
        }
        let known = self.places.len();
        let rows = known + tokens;
        self.states.resize(self.states.len().max(rows * narrow), 0.0);
        self.qkv.resize(self.qkv.len().max(rows * triple), 0.0);
        let mut places = Vec::with_capacity(tokens);
        for (position, token) in sequences.iter().flat_map(|sequence| sequence.iter().enumerate()) {
            let next = self.places.len();
            let place = *self.places.entry((*token, position)).or_insert(next);
            if place == next {
                model.embed(*token, position, &mut self.states[next * narrow..][..hidden]);
            }
            places.push(place);
        }

        let fresh = known * narrow..self.places.len() * narrow;
        let norm = &model.embedding_norm;
        let epsilon = model.architecture.layer_norm_epsilon;
        layer_norm_rows(&mut self.states[fresh.clone()], narrow, &norm.weight, &norm.bias, epsilon);
        let rows = Rows { values: &self.states[fresh], stride: narrow, count: self.places.len() - known };
        // A model whose layers all learn along has none here.
        if let Some(Layer { qkv: linear, .. }) = model.layers.first() {
            linear.multiply(rows, scratch, Finish::Bias(&linear.bias), &mut self.qkv[known * triple..], triple);
        }

        let targets = states.chunks_exact_mut(narrow).zip(qkv.chunks_exact_mut(triple));
        for (place, (state, qkv)) in places.into_iter().zip(targets) {
            state.copy_from_slice(&self.states[place * narrow..][..narrow]);
            qkv.copy_from_slice(&self.qkv[place * triple..][..triple]);
        }
    }
}
