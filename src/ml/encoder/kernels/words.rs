//! Products in low precision, as far as they are alike: both factors in words of 32 bits, each of which holds several
//! consecutive levels of the depth (four of 8 bits, two of 16).
//!
//! Weights lie in panels of 32 columns whatever the machine, for each word of the depth one word a column; a tile of up to
//! 12 rows × 32 columns is summed over the whole depth (see `product`).

use super::ahead::{Ahead, STEP};

/// Columns of a panel.
pub(crate) const WIDTH: usize = 32;

/// Rows of the largest tile.
pub(crate) const TILE: usize = 12;

/// Bytes of rows that stay in the second-level cache while all panels pass by.
const BLOCK_BYTES: usize = 256 * 1024;

/// A depth × columns matrix in panels; columns are filled up with zeros.
#[derive(Default)]
pub(crate) struct WordPanels {
    data: Vec<[u32; WIDTH]>,
    /// words of the depth
    levels: usize,
}

impl WordPanels {
    /// `word(column, level)` gives the word of a column of the matrix.
    pub(crate) fn new(columns: usize, levels: usize, mut word: impl FnMut(usize, usize) -> u32) -> Self {
        let mut data = vec![[0; WIDTH]; columns.div_ceil(WIDTH) * levels];
        for column in 0..columns {
            let panel = &mut data[column / WIDTH * levels..][..levels];
            for (level, words) in panel.iter_mut().enumerate() {
                words[column % WIDTH] = word(column, level);
            }
        }
        WordPanels { data, levels }
    }
}

/// Rows of words, `stride` apart.
#[derive(Default)]
pub(crate) struct WordRows {
    data: Vec<u32>,
    stride: usize,
    levels: usize,
    count: usize,
}

impl WordRows {
    /// Room for `count` rows of `levels` words, of which each must be written.
    pub(crate) fn reset(&mut self, count: usize, levels: usize) {
        // An odd number of cache lines, so that rows do not compete for the same ones.
        self.stride = (levels.div_ceil(16) | 1) * 16;
        (self.levels, self.count) = (levels, count);
        self.data.resize(count * self.stride, 0);
    }

    pub(crate) fn rows_mut(&mut self) -> impl Iterator<Item = &mut [u32]> {
        self.data.chunks_exact_mut(self.stride.max(1)).map(|row| &mut row[..self.levels])
    }

    fn row(&self, i: usize) -> &[u32] {
        &self.data[i * self.stride..][..self.levels]
    }
}

/// Some rows against one panel.
pub(crate) struct Tile<'a> {
    /// The first `count` of them.
    pub(crate) rows: [&'a [u32]; TILE],
    pub(crate) count: usize,
    /// As long as each row.
    pub(crate) panel: &'a [[u32; WIDTH]],
    /// This tile's share of the next panel: a line every `STEP` levels.
    pub(crate) ahead: Ahead<'a, u32>,
    /// Numbers of the first row and of the first column.
    pub(crate) row: usize,
    pub(crate) column: usize,
}

/// Visits the tiles of a product, at most `tile_rows` rows each, in an order that is kind to the caches.
pub(crate) fn each_tile(rows: &WordRows, panels: &WordPanels, tile_rows: usize, mut visit: impl FnMut(Tile)) {
    if rows.count == 0 || panels.levels == 0 {
        return;
    }
    debug_assert_eq!(rows.levels, panels.levels);
    let block = (BLOCK_BYTES / (4 * panels.levels)).max(tile_rows) / tile_rows * tile_rows;
    for first in (0..rows.count).step_by(block) {
        let last = (first + block).min(rows.count);
        for (p, panel) in panels.data.chunks_exact(panels.levels).enumerate() {
            let next = panels.data.get((p + 1) * panels.levels..).unwrap_or(&[]);
            let mut ahead = Ahead::new(next[..next.len().min(panels.levels)].as_flattened());
            for row in (first..last).step_by(tile_rows) {
                let count = (last - row).min(tile_rows);
                let rows = std::array::from_fn(|i| rows.row(row + i.min(count - 1)));
                visit(Tile { rows, count, panel, ahead, row, column: p * WIDTH });
                ahead = ahead.after(panels.levels.div_ceil(STEP));
            }
        }
    }
}

/// Calls `$sum::<ROWS>` for the number of rows that a tile has.
macro_rules! by_rows {
    ($tile:expr, $sum:ident $(, $argument:expr)*) => {
        match $tile.count {
            1 => $sum::<1>($tile $(, $argument)*),
            2 => $sum::<2>($tile $(, $argument)*),
            3 => $sum::<3>($tile $(, $argument)*),
            4 => $sum::<4>($tile $(, $argument)*),
            5 => $sum::<5>($tile $(, $argument)*),
            6 => $sum::<6>($tile $(, $argument)*),
            7 => $sum::<7>($tile $(, $argument)*),
            8 => $sum::<8>($tile $(, $argument)*),
            9 => $sum::<9>($tile $(, $argument)*),
            10 => $sum::<10>($tile $(, $argument)*),
            11 => $sum::<11>($tile $(, $argument)*),
            _ => $sum::<12>($tile $(, $argument)*),
        }
    };
}
pub(super) use by_rows;
