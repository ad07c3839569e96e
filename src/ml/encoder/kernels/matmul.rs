//! Matrix products against weights that are laid out once: rows × panels, with bias, activation or residual applied
//! while the result is still in registers.
//!
//! A general product (gemm) lays out both operands on each call and writes its result before anyone may add a bias.
//! Here a weight matrix is cut into panels two registers wide when the model is opened, and a tile of up to
//! 12 rows × 2 registers is summed over the whole depth without leaving the registers (the micro-kernel of Goto and
//! van de Geijn, 2008, doi:10.1145/1356052.1356053).
//!
//! Each number of the result is a chain of multiply-adds (fused where the processor can) in the order of the depth,
//! whatever tile it falls in: a row's bits depend neither on the other rows nor on how many there are.

use pulp::{Simd, WithSimd};

use super::ahead::{Ahead, STEP};
use super::finish::Finish;
use crate::simd::{dispatch, lanes};

/// A depth × columns matrix in panels: for each group of `2 * lanes()` columns, its values row after row; the last
/// group is filled up with zeros.
#[derive(Default)]
pub(crate) struct Panels {
    data: Vec<f32>,
    depth: usize,
    columns: usize,
}

impl Panels {
    /// Columns rounded up to whole panels.
    pub(crate) fn padded(columns: usize) -> usize {
        columns.next_multiple_of(2 * lanes())
    }

    /// From the transpose: row `c` of `transposed` (`stride` apart, `depth` long) becomes column `c`. PyTorch's
    /// linear weights (outputs × inputs) come this way, and so do the keys of attention.
    pub(crate) fn set_transposed(&mut self, transposed: &[f32], stride: usize, columns: usize, depth: usize) {
        let width = self.reset(columns, depth);
        for (c, row) in transposed.chunks(stride).take(columns).enumerate() {
            let start = (c / width) * depth * width + c % width;
            let panel = &mut self.data[start..];
            for (k, value) in row[..depth].iter().enumerate() {
                panel[k * width] = *value;
            }
        }
    }

    /// From rows as they are (`stride` apart): row `k` of `rows` becomes level `k` of every panel.
    pub(crate) fn set(&mut self, rows: &[f32], stride: usize, columns: usize, depth: usize) {
        let width = self.reset(columns, depth);
        for (k, row) in rows.chunks(stride).take(depth).enumerate() {
            for (p, part) in row[..columns].chunks(width).enumerate() {
                let start = (p * depth + k) * width;
                self.data[start..start + part.len()].copy_from_slice(part);
            }
        }
    }

    fn reset(&mut self, columns: usize, depth: usize) -> usize {
        let width = 2 * lanes();
        self.data.clear();
        self.data.resize(columns.next_multiple_of(width) * depth, 0.0);
        (self.depth, self.columns) = (depth, columns);
        width
    }
}

/// The first factor of a product: `count` rows, `stride` values apart.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) stride: usize,
    pub(crate) count: usize,
}

/// `out[r] = finish(rows[r] · panels)`. Rows of `out` are `out_stride` apart and hold `Panels::padded(columns)` values,
/// of which those past `columns` come out as `finish(0)`.
pub(crate) fn multiply(rows: Rows, panels: &Panels, finish: Finish, out: &mut [f32], out_stride: usize) {
    debug_assert!(out_stride >= Panels::padded(panels.columns));
    dispatch(Multiply { rows, panels, finish, out, out_stride });
}

struct Multiply<'a> {
    rows: Rows<'a>,
    panels: &'a Panels,
    finish: Finish<'a>,
    out: &'a mut [f32],
    out_stride: usize,
}

/// Bytes of rows that stay in the second-level cache while all panels pass by.
const BLOCK_BYTES: usize = 256 * 1024;

impl WithSimd for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let depth = self.panels.depth;
        let width = 2 * S::F32_LANES;
        let tile_rows = tile_rows::<S>();
        let block = (BLOCK_BYTES / (4 * depth.max(1))).max(tile_rows) / tile_rows * tile_rows;
        for first in (0..self.rows.count).step_by(block) {
            let rows = &self.rows.values[first * self.rows.stride..];
            let rows = Rows { values: rows, count: (self.rows.count - first).min(block), ..self.rows };
            let size = (depth * width).max(1);
            for (p, panel) in self.panels.data.chunks_exact(size).enumerate() {
                let next = &self.panels.data[(p + 1) * size..];
                let ahead = Ahead::new(&next[..next.len().min(size)]);
                let levels = Levels { values: panel, stride: width, depth };
                let target = Target { column: p * width, start: first * self.out_stride, stride: self.out_stride };
                multiply_column::<S, 2>(simd, rows, levels, ahead, self.finish, target, self.out);
            }
        }
    }
}

/// AVX2 has 16 registers: 6 × 2 sums, two of the panel and one of the row. The others have 32.
#[inline(always)]
fn tile_rows<S: Simd>() -> usize {
    if S::F32_LANES == 8 { 6 } else { 12 }
}

/// A second factor a few registers wide: its rows are `stride` values apart.
#[derive(Clone, Copy)]
pub(crate) struct Levels<'a> {
    pub(crate) values: &'a [f32],
    pub(crate) stride: usize,
    pub(crate) depth: usize,
}

/// Where results go: those of the first row from `start + column` on, each row `stride` further. A bias begins at `column`.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    pub(crate) column: usize,
    pub(crate) start: usize,
    pub(crate) stride: usize,
}

/// All rows against `REGISTERS` registers of each level, for operations that already run with vectors.
#[inline(always)]
pub(crate) fn multiply_column<S: Simd, const REGISTERS: usize>(
    simd: S,
    rows: Rows,
    levels: Levels,
    mut ahead: Ahead<f32>,
    finish: Finish,
    target: Target,
    out: &mut [f32],
) {
    let mut row = 0;
    while row < rows.count {
        let count = (rows.count - row).min(tile_rows::<S>());
        let tile = Tile {
            rows: Rows { values: &rows.values[row * rows.stride..], ..rows },
            levels,
            finish,
            target: Target { start: target.start + row * target.stride, ..target },
        };
        match count {
            1 => tile.run::<S, 1, REGISTERS>(simd, ahead, out),
            2 => tile.run::<S, 2, REGISTERS>(simd, ahead, out),
            3 => tile.run::<S, 3, REGISTERS>(simd, ahead, out),
            4 => tile.run::<S, 4, REGISTERS>(simd, ahead, out),
            5 => tile.run::<S, 5, REGISTERS>(simd, ahead, out),
            6 => tile.run::<S, 6, REGISTERS>(simd, ahead, out),
            7 => tile.run::<S, 7, REGISTERS>(simd, ahead, out),
            8 => tile.run::<S, 8, REGISTERS>(simd, ahead, out),
            9 => tile.run::<S, 9, REGISTERS>(simd, ahead, out),
            10 => tile.run::<S, 10, REGISTERS>(simd, ahead, out),
            11 => tile.run::<S, 11, REGISTERS>(simd, ahead, out),
            _ => tile.run::<S, 12, REGISTERS>(simd, ahead, out),
        }
        row += count;
        ahead = ahead.after(levels.depth.div_ceil(STEP));
    }
}

struct Tile<'a> {
    rows: Rows<'a>,
    levels: Levels<'a>,
    finish: Finish<'a>,
    target: Target,
}

impl Tile<'_> {
    #[inline(always)]
    fn run<S: Simd, const ROWS: usize, const REGISTERS: usize>(self, simd: S, mut ahead: Ahead<f32>, out: &mut [f32]) {
        let Levels { values, stride, depth } = self.levels;
        let rows: [&[f32]; ROWS] = std::array::from_fn(|i| &self.rows.values[i * self.rows.stride..][..depth]);
        let zero = simd.splat_f32s(0.0);
        let mut sums = [[zero; REGISTERS]; ROWS];
        for (k, level) in (0..depth).zip(values.chunks(stride)) {
            if k % STEP == 0 {
                ahead.fetch();
            }
            let level = S::as_simd_f32s(&level[..REGISTERS * S::F32_LANES]).0.as_chunks::<REGISTERS>().0[0];
            for i in 0..ROWS {
                let value = simd.splat_f32s(rows[i][k]);
                for r in 0..REGISTERS {
                    sums[i][r] = simd.mul_add_e_f32s(value, level[r], sums[i][r]);
                }
            }
        }
        let Target { column, start, stride } = self.target;
        for (i, sum) in sums.into_iter().enumerate() {
            self.finish.store(simd, sum, column, start + column + i * stride, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    struct Case {
        a: Vec<f32>,
        weight: Vec<f32>,
        bias: Vec<f32>,
        residual: Vec<f32>,
        panels: Panels,
        shape: [usize; 3],
        strides: [usize; 2],
    }

    fn case(rows: usize, depth: usize, columns: usize) -> Case {
        let mut stream = Stream::new(1, "product", (rows * 1000 + depth) as u64);
        let mut draw = |count: usize| (0..count).map(|_| stream.normal() as f32).collect::<Vec<_>>();
        let strides = [depth + 3, Panels::padded(columns) + 5];
        let weight = draw(depth * columns);
        let mut panels = Panels::default();
        panels.set_transposed(&weight, depth, columns, depth);
        let mut bias = draw(columns);
        bias.resize(Panels::padded(columns), 0.0);
        Case {
            a: draw(rows * strides[0]),
            residual: draw(rows * strides[1]),
            weight,
            bias,
            panels,
            shape: [rows, depth, columns],
            strides,
        }
    }

    impl Case {
        fn run(&self, finish: Finish) -> Vec<f32> {
            let mut out = vec![f32::NAN; self.shape[0] * self.strides[1]];
            let rows = Rows { values: &self.a, stride: self.strides[0], count: self.shape[0] };
            multiply(rows, &self.panels, finish, &mut out, self.strides[1]);
            out
        }

        fn check(&self, finish: Finish, truth: impl Fn(f64, usize, usize) -> f64) {
            let [rows, depth, columns] = self.shape;
            let out = self.run(finish);
            for r in 0..rows {
                for c in 0..columns {
                    let sum: f64 = (0..depth)
                        .map(|k| f64::from(self.a[r * self.strides[0] + k]) * f64::from(self.weight[c * depth + k]))
                        .sum();
                    let error = (f64::from(out[r * self.strides[1] + c]) - truth(sum, r, c)).abs();
                    assert!(error < 1e-5 * (depth as f64), "{:?} at {r}, {c}: off by {error}", self.shape);
                }
            }
        }
    }

    #[test]
    fn products_of_any_shape_are_right() {
        let shapes = [(1, 1, 1), (5, 7, 3), (12, 32, 32), (13, 33, 65), (30, 64, 20), (700, 100, 40)];
        for (rows, depth, columns) in shapes {
            let case = case(rows, depth, columns);
            let bias = |c: usize| f64::from(case.bias[c]);
            case.check(Finish::Plain, |sum, _, _| sum);
            case.check(Finish::Bias(&case.bias), |sum, _, c| sum + bias(c));
            case.check(Finish::BiasRelu(&case.bias), |sum, _, c| (sum + bias(c)).max(0.0));
            case.check(Finish::BiasResidual(&case.bias, &case.residual), |sum, r, c| {
                sum + bias(c) + f64::from(case.residual[r * case.strides[1] + c])
            });
            let tanh = |x: f64| 0.5 * x * (1.0 + (0.797_884_560_802_865_4 * (x + 0.044_715 * x.powi(3))).tanh());
            case.check(Finish::BiasGeluTanh(&case.bias), |sum, _, c| tanh(sum + bias(c)));
        }
    }

    #[test]
    fn a_row_has_the_same_bits_in_any_company() {
        let case = case(29, 50, 40);
        let all = case.run(Finish::BiasGelu(&case.bias));
        for first in 0..29 {
            let mut out = vec![0.0; case.strides[1]];
            let a = &case.a[first * case.strides[0]..];
            let rows = Rows { values: a, stride: case.strides[0], count: 1 };
            multiply(rows, &case.panels, Finish::BiasGelu(&case.bias), &mut out, case.strides[1]);
            assert_eq!(out[..40], all[first * case.strides[1]..][..40]);
        }
    }

    #[test]
    fn rows_and_their_transpose_make_the_same_panels() {
        let rows: Vec<f32> = (0..7 * 45).map(|i| i as f32).collect();
        let transposed: Vec<f32> = (0..45 * 7).map(|i| ((i % 7) * 45 + i / 7) as f32).collect();
        let (mut a, mut b) = (Panels::default(), Panels::default());
        a.set(&rows, 45, 40, 7);
        b.set_transposed(&transposed, 7, 40, 7);
        assert_eq!(a.data, b.data);
    }
}
