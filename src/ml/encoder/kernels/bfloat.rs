//! Products of bfloat16 numbers with sums in f32.
//!
//! The product of two such numbers is exact in f32, and sums are made in one order: of each pair of levels first the odd,
//! then the even one, as the instruction of AVX-512 BF16 has it. So the bits are the same on every machine (but for sums
//! below 1e-38, which that instruction takes for zero).

use pulp::{Simd, WithSimd};

use super::finish::Finish;
use super::matmul::Rows;
use super::words::{TILE, Tile, WIDTH, WordPanels, WordRows, each_tile};
use crate::simd::dispatch;

/// A depth × columns matrix of weights.
pub(crate) struct HalfPanels {
    panels: WordPanels,
    depth: usize,
}

impl HalfPanels {
    /// From the transpose, as PyTorch's linear weights come: row `c` of `transposed` (`depth` long) becomes column `c`.
    pub(crate) fn from_transposed(transposed: &[f32], columns: usize, depth: usize) -> Self {
        let value = |c: usize, k: usize| if k < depth { transposed[c * depth + k] } else { 0.0 };
        let panels =
            WordPanels::new(columns, depth.div_ceil(2), |c, level| pair(value(c, 2 * level), value(c, 2 * level + 1)));
        HalfPanels { panels, depth }
    }
}

/// Two numbers in one word, rounded to the nearest, ties to even; the first in the low half.
#[inline(always)]
fn pair(even: f32, odd: f32) -> u32 {
    let rounded = |x: f32| {
        let bits = x.to_bits();
        bits.wrapping_add(0x7fff + (bits >> 16 & 1))
    };
    rounded(even) >> 16 | rounded(odd) & 0xffff_0000
}

/// `out[r] = finish(rows[r] · panels)`, as `matmul::multiply`; strides and bias hold whole panels of [`WIDTH`] columns.
pub(crate) fn multiply(
    rows: Rows,
    panels: &HalfPanels,
    scratch: &mut WordRows,
    finish: Finish,
    out: &mut [f32],
    stride: usize,
) {
    dispatch(Round { rows, depth: panels.depth, out: &mut *scratch });
    let mut sums = [[0.0; WIDTH]; TILE];
    each_tile(scratch, &panels.panels, TILE, |tile| {
        sum(&tile, &mut sums);
        let Tile { row, column, count, .. } = tile;
        dispatch(Store { sums: &sums[..count], finish, column, start: row * stride + column, out: &mut *out, stride });
    });
}

struct Round<'a> {
    rows: Rows<'a>,
    depth: usize,
    out: &'a mut WordRows,
}

impl WithSimd for Round<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        let Round { rows, depth, out } = self;
        out.reset(rows.count, depth.div_ceil(2));
        for (row, words) in rows.values.chunks(rows.stride.max(1)).zip(out.rows_mut()) {
            let (pairs, rest) = row[..depth].as_chunks::<2>();
            for (word, [even, odd]) in words.iter_mut().zip(pairs) {
                *word = pair(*even, *odd);
            }
            if let ([last], Some(word)) = (rest, words.last_mut()) {
                *word = pair(*last, 0.0);
            }
        }
    }
}

fn sum(tile: &Tile, sums: &mut [[f32; WIDTH]; TILE]) {
    #[cfg(target_arch = "x86_64")]
    if super::x86::bfloat_sums(tile, sums) {
        return;
    }
    plain_sums(tile, sums);
}

fn plain_sums(tile: &Tile, sums: &mut [[f32; WIDTH]; TILE]) {
    struct Plain<'a>(&'a Tile<'a>, &'a mut [[f32; WIDTH]; TILE]);
    impl WithSimd for Plain<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _simd: S) {
            let Plain(tile, sums) = self;
            let even = |word: &u32| f32::from_bits(word << 16);
            let odd = |word: &u32| f32::from_bits(word & 0xffff_0000);
            for (row, sums) in tile.rows[..tile.count].iter().zip(sums) {
                *sums = [0.0; WIDTH];
                for (word, level) in row.iter().zip(tile.panel) {
                    for (sum, weights) in sums.iter_mut().zip(level) {
                        *sum += odd(word) * odd(weights);
                        *sum += even(word) * even(weights);
                    }
                }
            }
        }
    }
    dispatch(Plain(tile, sums));
}

struct Store<'a> {
    sums: &'a [[f32; WIDTH]],
    finish: Finish<'a>,
    column: usize,
    start: usize,
    out: &'a mut [f32],
    stride: usize,
}

impl WithSimd for Store<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (i, sums) in self.sums.iter().enumerate() {
            let start = self.start + i * self.stride;
            let (pairs, _) = S::as_simd_f32s(sums).0.as_chunks::<2>();
            for (p, pair) in pairs.iter().enumerate() {
                let at = 2 * S::F32_LANES * p;
                self.finish.store(simd, *pair, self.column + at, start + at, self.out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoder::kernels::Ahead;
    use crate::rng::Stream;

    // import torch
    // x = torch.tensor([1.0, 1.00390625, 1.01171875, -3.2, 1e-3, 65535.0, 0.7])
    // [hex(v & 0xffff) for v in x.bfloat16().view(torch.int16).tolist()]
    #[test]
    fn numbers_are_rounded_as_pytorch_does() {
        let values = [1.0, 1.003_906_3, 1.011_718_8, -3.2, 1e-3, 65_535.0, 0.7];
        let expected = [0x3f80, 0x3f80, 0x3f82, 0xc04d, 0x3a83, 0x4780, 0x3f33];
        for (value, bits) in values.into_iter().zip(expected) {
            assert_eq!(pair(value, 0.0), bits, "{value}");
            assert_eq!(pair(0.0, value), bits << 16, "{value}");
        }
    }

    #[test]
    fn the_instruction_and_the_plain_sum_have_the_same_bits() {
        let mut stream = Stream::new(1, "halves", 0);
        for count in 1..=TILE {
            let mut word = || pair(stream.normal() as f32, stream.normal() as f32);
            let rows: Vec<Vec<u32>> = (0..count).map(|_| (0..40).map(|_| word()).collect()).collect();
            let panel: Vec<[u32; WIDTH]> = (0..40).map(|_| std::array::from_fn(|_| word())).collect();
            let rows = std::array::from_fn(|i| rows[i.min(count - 1)].as_slice());
            let tile = Tile { rows, count, panel: &panel, ahead: Ahead::new(panel.as_flattened()), row: 0, column: 0 };
            let (mut plain, mut fast) = ([[0.0; WIDTH]; TILE], [[0.0; WIDTH]; TILE]);
            plain_sums(&tile, &mut plain);
            sum(&tile, &mut fast);
            assert_eq!(plain, fast);
            assert!(plain[count - 1][WIDTH - 1] != 0.0);
        }
    }

    #[test]
    fn products_are_those_of_the_rounded_numbers_and_rows_stand_alone() {
        let mut stream = Stream::new(2, "halves", 0);
        for (rows, depth, columns) in [(1, 1, 1usize), (5, 7, 3), (13, 33, 65), (30, 64, 20), (25, 100, 40)] {
            let mut draw = |count: usize| (0..count).map(|_| stream.normal() as f32).collect::<Vec<_>>();
            let (stride, out_stride) = (depth + 3, columns.next_multiple_of(WIDTH) + 5);
            let (a, weight, residual) = (draw(rows * stride), draw(depth * columns), draw(rows * out_stride));
            let bias = vec![0.5; columns.next_multiple_of(WIDTH)];
            let panels = HalfPanels::from_transposed(&weight, columns, depth);
            let run = |first: usize, count: usize| {
                let mut out = vec![f32::NAN; count * out_stride];
                let rows = Rows { values: &a[first * stride..], stride, count };
                let finish = Finish::BiasResidual(&bias, &residual[first * out_stride..]);
                multiply(rows, &panels, &mut WordRows::default(), finish, &mut out, out_stride);
                out
            };
            let rounded = |x: f32| f64::from(f32::from_bits(pair(0.0, x)));
            let out = run(0, rows);
            for r in 0..rows {
                for c in 0..columns {
                    let product = |k: usize| rounded(a[r * stride + k]) * rounded(weight[c * depth + k]);
                    let truth = (0..depth).map(product).sum::<f64>() + 0.5 + f64::from(residual[r * out_stride + c]);
                    let error = (f64::from(out[r * out_stride + c]) - truth).abs();
                    assert!(error < 1e-6 * depth as f64 + 1e-6, "{rows}×{depth}×{columns} at {r}, {c}: off by {error}");
                }
                assert_eq!(run(r, 1)[..columns], out[r * out_stride..][..columns]);
            }
        }
    }
}
