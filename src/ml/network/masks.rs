//! What is left out while training: units, inputs, whole branches of a row.

use rayon::prelude::*;

use super::ops::vectorized;
use crate::matrix::Matrix;
use crate::rng::Stream;

/// Units that one word of a mask holds.
const WORD: usize = 64;

/// Words that are drawn by one thread.
const PIECE: usize = 512;

/// Inverted dropout of units in a row: each is multiplied by 0 or by 1/(1 − rate).
pub(crate) struct Mask {
    /// A bit for each unit, from the lowest on; 1 keeps it. Ends with a word of padding.
    bits: Vec<u64>,
    length: usize,
    keep: f32,
}

impl Mask {
    /// None where nothing is dropped.
    ///
    /// 16 random bits decide each unit, so the rate is met to 1/65536, and the factor is that of the rate as it is met.
    pub(crate) fn draw(length: usize, rate: f64, stream: &mut Stream) -> Option<Mask> {
        let threshold = threshold(rate);
        if threshold == 0 {
            return None;
        }
        let keep = (65_536.0 / (65_536 - threshold.min(65_535)) as f64) as f32;
        let words = length.div_ceil(WORD);
        let mut bits = vec![0u64; words + 1];
        // The stream can be entered anywhere, so that pieces are drawn side by side and are what one after the other would be.
        // A word takes two bytes for each unit, and the stream counts in fours.
        let start = stream.position();
        let position = |word: usize| start + (word * WORD / 2) as u128;
        let at_start = &*stream;
        bits[..words].par_chunks_mut(PIECE).enumerate().for_each(|(i, piece)| {
            let mut stream = at_start.clone();
            stream.seek(position(i * PIECE));
            let mut drawn = vec![0u8; 2 * WORD * piece.len()];
            stream.fill(&mut drawn);
            vectorized(|| {
                for (word, drawn) in piece.iter_mut().zip(drawn.as_chunks::<{ 2 * WORD }>().0) {
                    *word = word_of(drawn, threshold);
                }
            });
        });
        stream.seek(position(words));
        Some(Mask { bits, length, keep })
    }

    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// Drops and scales `values`, the units from `first` on.
    #[inline(always)]
    pub(crate) fn apply(&self, values: &mut [f32], first: usize) {
        let (blocks, rest) = values.as_chunks_mut::<WORD>();
        let end = first + WORD * blocks.len();
        for (i, block) in blocks.iter_mut().enumerate() {
            self.multiply(block, self.word(first + WORD * i));
        }
        if !rest.is_empty() {
            self.multiply(rest, self.word(end));
        }
    }

    #[inline(always)]
    fn multiply(&self, values: &mut [f32], word: u64) {
        // Two halves, since lanes of 32 bits are as wide as the values.
        for (half, values) in [word as u32, (word >> 32) as u32].into_iter().zip(values.chunks_mut(WORD / 2)) {
            for (i, value) in values.iter_mut().enumerate() {
                *value *= if half & (1 << i) != 0 { self.keep } else { 0.0 };
            }
        }
    }

    /// The bits of 64 units from `first` on.
    #[inline(always)]
    fn word(&self, first: usize) -> u64 {
        let (at, shift) = (first / WORD, first % WORD);
        match shift {
            0 => self.bits[at],
            _ => self.bits[at] >> shift | self.bits[at + 1] << (WORD - shift),
        }
    }
}

/// A bit for each of 64 numbers of 16 bits: whether it reaches the threshold.
#[inline(always)]
fn word_of(drawn: &[u8; 2 * WORD], threshold: u64) -> u64 {
    let half = |drawn: &[u8]| {
        let numbers = drawn.as_chunks::<2>().0.iter().map(|bytes| u32::from(u16::from_le_bytes(*bytes)));
        numbers.enumerate().fold(0u32, |bits, (i, number)| bits | u32::from(number >= threshold as u32) << i)
    };
    u64::from(half(&drawn[..WORD])) | u64::from(half(&drawn[WORD..])) << 32
}

/// Takes the codes of some rows for unknown.
pub(crate) fn forget(codes: &mut Matrix, rate: f64, stream: &mut Stream) {
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
pub(crate) fn branch_masks(branches: usize, rows: usize, rate: f64, stream: &mut Stream) -> Option<Vec<Vec<f32>>> {
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
