//! What is left out while training: units, inputs, whole branches of a row.
//!
//! Knows nothing of layers.

use rayon::prelude::*;

use crate::ml::matrix::Matrix;
use crate::ml::rng::Stream;

/// Units that one draw of `WORDS` words decides.
const BLOCK: usize = 64;
const WORDS: usize = BLOCK / 4;

/// Blocks that are drawn by one thread.
const PIECE: usize = 512;

/// Factors of inverted dropout: 0 with probability `rate`, else 1/(1 − rate); none where nothing is dropped.
///
/// 16 random bits decide each unit, so the rate is met to 1/65536, and the factor is that of the rate as it is met.
pub fn dropout_mask(length: usize, rate: f64, stream: &mut Stream) -> Option<Vec<f32>> {
    let threshold = threshold(rate);
    if threshold == 0 {
        return None;
    }
    let keep = (65_536.0 / (65_536 - threshold.min(65_535)) as f64) as f32;
    let mut mask = vec![0f32; length];
    // The stream can be entered anywhere, so that pieces are drawn side by side and are what one after the other would be.
    let start = stream.position();
    let (at_start, words_of_block) = (&*stream, 2 * WORDS as u128);
    mask.par_chunks_mut(PIECE * BLOCK).enumerate().for_each(|(i, piece)| {
        let mut stream = at_start.clone();
        stream.seek(start + (i * PIECE) as u128 * words_of_block);
        let mut words = [0u64; WORDS];
        for block in piece.chunks_mut(BLOCK) {
            words.fill_with(|| stream.next_u64());
            for (four, word) in block.chunks_mut(4).zip(words) {
                for (k, factor) in four.iter_mut().enumerate() {
                    *factor = if (word >> (16 * k)) & 0xffff >= threshold { keep } else { 0.0 };
                }
            }
        }
    });
    stream.seek(start + length.div_ceil(BLOCK) as u128 * words_of_block);
    Some(mask)
}

/// Takes the codes of some rows for unknown.
pub fn forget(codes: &mut Matrix, rate: f64, stream: &mut Stream) {
    let threshold = threshold(rate);
    if threshold == 0 {
        return;
    }
    for code in &mut codes.data {
        if stream.next_u64() & 0xffff < threshold {
            *code = 0.0;
        }
    }
}

/// For each branch and row 1, or 0 where the row goes without the branch; one branch of each row stays. `None` where nothing is
/// dropped.
pub fn branch_masks(branches: usize, rows: usize, rate: f64, stream: &mut Stream) -> Option<Vec<Vec<f32>>> {
    let threshold = threshold(rate);
    if threshold == 0 || branches < 2 {
        return None;
    }
    let mut masks = vec![vec![1f32; rows]; branches];
    for row in 0..rows {
        let mut dropped = 0;
        for mask in &mut masks {
            if stream.next_u64() & 0xffff < threshold {
                mask[row] = 0.0;
                dropped += 1;
            }
        }
        if dropped == branches {
            masks[stream.below(branches)][row] = 1.0;
        }
    }
    Some(masks)
}

fn threshold(rate: f64) -> u64 {
    (rate * 65_536.0).round() as u64
}
