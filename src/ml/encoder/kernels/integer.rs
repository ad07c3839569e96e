//! Products in 8 bits: rows as bytes with a scale and a zero of their own (found anew for each row), weights as signed bytes
//! with a scale for each column, sums in 32-bit integers (Jacob et al., arXiv 1712.05877).
//!
//! Integer sums are exact, so that they are the same on every machine, whatever instruction makes them.

use pulp::{Simd, WithSimd};

use super::finish::Finish;
use super::matmul::Rows;
use super::words::{TILE, Tile, WIDTH, WordPanels, WordRows, each_tile};
use crate::simd::dispatch;

/// A depth × columns matrix of weights.
pub(crate) struct BytePanels {
    panels: WordPanels,
    depth: usize,
    /// For each column of each panel: what a unit of its bytes is worth,
    scales: Vec<[f32; WIDTH]>,
    /// and what the sum of its bytes is worth.
    sums: Vec<[f32; WIDTH]>,
}

impl BytePanels {
    /// From the transpose, as PyTorch's linear weights come: row `c` of `transposed` (`depth` long) becomes column `c`.
    pub(crate) fn from_transposed(transposed: &[f32], columns: usize, depth: usize) -> Self {
        let empty = vec![[0.0; WIDTH]; columns.div_ceil(WIDTH)];
        let (mut scales, mut sums) = (empty.clone(), empty);
        let mut bytes = vec![0i8; columns * depth];
        for (c, row) in transposed.chunks_exact(depth.max(1)).take(columns).enumerate() {
            let largest = row.iter().fold(0.0f32, |a, b| a.max(b.abs()));
            let scale = largest / 127.0;
            let inverse = if largest > 0.0 { 127.0 / largest } else { 0.0 };
            let mut sum = 0;
            for (byte, value) in bytes[c * depth..].iter_mut().zip(row) {
                *byte = (value * inverse).round_ties_even() as i8;
                sum += i32::from(*byte);
            }
            scales[c / WIDTH][c % WIDTH] = scale;
            sums[c / WIDTH][c % WIDTH] = scale * sum as f32;
        }
        let panels = WordPanels::new(columns, depth.div_ceil(4), |c, level| {
            let byte = |k: usize| if k < depth { bytes[c * depth + k].cast_unsigned() } else { 0 };
            u32::from_le_bytes(std::array::from_fn(|i| byte(4 * level + i)))
        });
        BytePanels { panels, depth, scales, sums }
    }
}

/// Rows as bytes: value ≈ scale · (byte − zero).
#[derive(Default)]
pub(crate) struct ByteRows {
    rows: WordRows,
    scales: Vec<f32>,
    zeros: Vec<f32>,
}

impl ByteRows {
    /// The first `depth` values of each row. A row's bytes reach from its least value (or 0) to its largest (or 0).
    fn set(&mut self, rows: Rows, depth: usize) {
        self.rows.reset(rows.count, depth.div_ceil(4));
        self.scales.resize(rows.count, 0.0);
        self.zeros.resize(rows.count, 0.0);
        let values = rows.values.chunks(rows.stride.max(1)).map(|row| &row[..depth]);
        let ranges = self.scales.iter_mut().zip(&mut self.zeros);
        for ((values, words), (scale, zero)) in values.zip(self.rows.rows_mut()).zip(ranges) {
            (*scale, *zero) = dispatch(Quantize { values, words });
        }
    }
}

struct Quantize<'a> {
    values: &'a [f32],
    words: &'a mut [u32],
}

impl WithSimd for Quantize<'_> {
    type Output = (f32, f32);

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> (f32, f32) {
        let (vectors, tail) = S::as_simd_f32s(self.values);
        let mut least = simd.splat_f32s(0.0);
        let mut largest = simd.splat_f32s(0.0);
        for vector in vectors {
            least = simd.min_f32s(least, *vector);
            largest = simd.max_f32s(largest, *vector);
        }
        let least = tail.iter().fold(simd.reduce_min_f32s(least), |a, b| a.min(*b));
        let largest = tail.iter().fold(simd.reduce_max_f32s(largest), |a, b| a.max(*b));
        let scale = (largest - least) / 255.0;
        if scale <= 0.0 {
            self.words.fill(0);
            return (0.0, 0.0);
        }
        let inverse = 1.0 / scale;
        let zero = (-least * inverse).round_ties_even();
        // Adding 1.5 · 2²³ rounds to an integer, which then sits in the low bits of the sum.
        let first = 12_582_912.0 + zero;
        let byte = |value: f32| (value * inverse + first).clamp(12_582_912.0, 12_583_167.0).to_bits() as u8;
        let (fours, rest) = self.values.as_chunks::<4>();
        for (word, four) in self.words.iter_mut().zip(fours) {
            *word = u32::from_le_bytes(four.map(byte));
        }
        if let (false, Some(word)) = (rest.is_empty(), self.words.last_mut()) {
            *word = u32::from_le_bytes(std::array::from_fn(|i| rest.get(i).map_or(0, |value| byte(*value))));
        }
        (scale, zero)
    }
}

/// `out[r] = finish(rows[r] · panels)`, as `matmul::multiply`; strides and bias hold whole panels of [`WIDTH`] columns.
pub(crate) fn multiply(
    rows: Rows,
    panels: &BytePanels,
    scratch: &mut ByteRows,
    finish: Finish,
    out: &mut [f32],
    stride: usize,
) {
    scratch.set(rows, panels.depth);
    let ByteRows { rows, scales, zeros } = scratch;
    let mut sums = [[0; WIDTH]; TILE];
    each_tile(rows, &panels.panels, TILE, |tile| {
        sum(&tile, &mut sums);
        let Tile { row, column, count, .. } = tile;
        let columns = (&panels.scales[column / WIDTH], &panels.sums[column / WIDTH]);
        let rows = (&scales[row..row + count], &zeros[row..row + count]);
        dispatch(Scale {
            sums: &sums,
            rows,
            columns,
            finish,
            column,
            start: row * stride + column,
            out: &mut *out,
            stride,
        });
    });
}

fn sum(tile: &Tile, sums: &mut [[i32; WIDTH]; TILE]) {
    #[cfg(target_arch = "x86_64")]
    if super::x86::integer_sums(tile, sums) {
        return;
    }
    plain_sums(tile, sums);
}

/// Unsigned bytes of the rows times signed ones of the panel.
fn plain_sums(tile: &Tile, sums: &mut [[i32; WIDTH]; TILE]) {
    struct Plain<'a>(&'a Tile<'a>, &'a mut [[i32; WIDTH]; TILE]);
    impl WithSimd for Plain<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, _simd: S) {
            let Plain(tile, sums) = self;
            for (row, sums) in tile.rows[..tile.count].iter().zip(sums) {
                *sums = [0; WIDTH];
                for (word, level) in row.iter().zip(tile.panel) {
                    let a = word.to_le_bytes().map(i32::from);
                    for (sum, weights) in sums.iter_mut().zip(level) {
                        // Shifts, not bytes: they become vector instructions.
                        let w = weights.cast_signed();
                        *sum +=
                            a[0] * (w << 24 >> 24) + a[1] * (w << 16 >> 24) + a[2] * (w << 8 >> 24) + a[3] * (w >> 24);
                    }
                }
            }
        }
    }
    dispatch(Plain(tile, sums));
}

/// Sums of bytes → numbers → `finish`.
struct Scale<'a> {
    sums: &'a [[i32; WIDTH]; TILE],
    rows: (&'a [f32], &'a [f32]),
    columns: (&'a [f32; WIDTH], &'a [f32; WIDTH]),
    finish: Finish<'a>,
    column: usize,
    start: usize,
    out: &'a mut [f32],
    stride: usize,
}

impl WithSimd for Scale<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (row_scales, zeros) = self.rows;
        let (column_scales, column_sums) = self.columns;
        for (i, ((sums, scale), zero)) in self.sums.iter().zip(row_scales).zip(zeros).enumerate() {
            let mut values = [0.0f32; WIDTH];
            for c in 0..WIDTH {
                values[c] = (sums[c] as f32 * column_scales[c] - zero * column_sums[c]) * scale;
            }
            let start = self.start + i * self.stride;
            let (pairs, _) = S::as_simd_f32s(&values).0.as_chunks::<2>();
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

    /// Rows and a panel of words, and the sums that they must give.
    struct Case {
        rows: Vec<Vec<u32>>,
        panel: Vec<[u32; WIDTH]>,
        sums: Vec<[i32; WIDTH]>,
    }

    fn case(count: usize, levels: usize, mut word: impl FnMut() -> u32) -> Case {
        let rows: Vec<Vec<u32>> = (0..count).map(|_| (0..levels).map(|_| word()).collect()).collect();
        let panel: Vec<[u32; WIDTH]> = (0..levels).map(|_| std::array::from_fn(|_| word())).collect();
        let dot = |row: &[u32], c: usize| -> i32 {
            let bytes = |k: usize| row[k].to_le_bytes().into_iter().zip(panel[k][c].to_le_bytes());
            (0..levels).flat_map(bytes).map(|(a, w)| i32::from(a) * i32::from(w.cast_signed())).sum()
        };
        let sums = rows.iter().map(|row| std::array::from_fn(|c| dot(row, c))).collect();
        Case { rows, panel, sums }
    }

    impl Case {
        fn check(&self, sum: impl Fn(&Tile, &mut [[i32; WIDTH]; TILE])) {
            let count = self.rows.len();
            let rows = std::array::from_fn(|i| self.rows[i.min(count - 1)].as_slice());
            let mut sums = [[-1; WIDTH]; TILE];
            let ahead = Ahead::new(self.panel.as_flattened());
            sum(&Tile { rows, count, panel: &self.panel, ahead, row: 0, column: 0 }, &mut sums);
            assert_eq!(sums[..count], self.sums);
            assert_eq!(sums[count..], vec![[-1; WIDTH]; TILE - count]);
        }
    }

    #[test]
    fn sums_are_exact_whatever_makes_them() {
        let mut stream = Stream::new(1, "bytes", 0);
        let mut cases: Vec<Case> = (1..=TILE).map(|count| case(count, 9, || stream.below(1 << 32) as u32)).collect();
        // The largest and the least sums that there are: 255 · 127 and 255 · -128 in each byte, 4096 deep.
        for word in [0x7f7f_7f7f, 0x8080_8080] {
            let mut case = case(2, 1024, || word);
            case.rows[0].fill(0xffff_ffff);
            let byte = i32::from((word as u8).cast_signed());
            case.sums[0] = [255 * byte * 4096; WIDTH];
            cases.push(case);
        }
        for case in cases {
            case.check(plain_sums);
            case.check(sum);
            #[cfg(target_arch = "x86_64")]
            if super::super::x86::has_vnni() {
                case.check(|tile, sums| assert!(super::super::x86::integer_sums(tile, sums)));
            }
        }
    }

    #[test]
    fn bytes_of_a_row_reach_from_its_least_to_its_largest_value() {
        for (values, least, largest) in [
            (vec![-1.0, 3.0, 0.25, 0.5, 2.0, -0.75], -1.0, 3.0),
            (vec![2.0, 3.0, 2.5], 0.0, 3.0),
            (vec![-2.0, -3.0, -2.5, -2.0], -3.0, 0.0),
            (vec![-1.0, 1.0, 0.999, 0.1, 0.2, 0.3, 0.4, -0.999, 0.7], -1.0, 1.0),
            (vec![0.0; 5], 0.0, 0.0),
        ] {
            let mut rows = ByteRows::default();
            rows.set(Rows { values: &values, stride: values.len(), count: 1 }, values.len());
            let (scale, zero) = (rows.scales[0], rows.zeros[0]);
            assert!((scale - (largest - least) / 255.0f32).abs() < 1e-7);
            let words: Vec<u8> = rows.rows.rows_mut().flat_map(|row| row.to_vec()).flat_map(u32::to_le_bytes).collect();
            for (value, byte) in values.iter().zip(words) {
                let back = scale * (f32::from(byte) - zero);
                assert!((back - value).abs() <= 0.5001 * scale, "{value} came back as {back}");
            }
        }
    }

    #[test]
    fn products_are_right_to_the_precision_of_bytes_and_rows_stand_alone() {
        let mut stream = Stream::new(2, "bytes", 0);
        for (rows, depth, columns) in [(1, 1, 1usize), (5, 7, 3), (13, 33, 65), (30, 64, 20), (25, 100, 40)] {
            let mut draw = |count: usize| (0..count).map(|_| stream.normal() as f32).collect::<Vec<_>>();
            let (stride, out_stride) = (depth + 3, columns.next_multiple_of(WIDTH) + 5);
            let (a, weight, mut bias) = (draw(rows * stride), draw(depth * columns), draw(columns));
            bias.resize(columns.next_multiple_of(WIDTH), 0.0);
            let panels = BytePanels::from_transposed(&weight, columns, depth);
            let run = |first: usize, count: usize| {
                let mut out = vec![f32::NAN; count * out_stride];
                let rows = Rows { values: &a[first * stride..], stride, count };
                multiply(rows, &panels, &mut ByteRows::default(), Finish::Bias(&bias), &mut out, out_stride);
                out
            };
            let out = run(0, rows);
            for r in 0..rows {
                let row = &a[r * stride..][..depth];
                let largest = |values: &[f32]| values.iter().fold(0.0f64, |a, b| a.max(f64::from(b.abs())));
                for c in 0..columns {
                    let column = &weight[c * depth..][..depth];
                    let truth: f64 = row.iter().zip(column).map(|(x, w)| f64::from(*x) * f64::from(*w)).sum();
                    let error = (f64::from(out[r * out_stride + c]) - f64::from(bias[c]) - truth).abs();
                    // Half a step of each factor, at every level.
                    let bound = depth as f64 * largest(row) * largest(column) * (1.0 / 255.0 + 0.5 / 127.0 + 1e-4);
                    assert!(error <= bound, "{rows}×{depth}×{columns} at {r}, {c}: off by {error}, more than {bound}");
                }
                assert_eq!(run(r, 1)[..columns], out[r * out_stride..][..columns]);
            }
        }
    }
}
