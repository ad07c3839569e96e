//! The Gaussian kernel exp(−γ |a − b|²) between rows, by blocks of a matrix product, and a bounded
//! memory of its rows.

use super::matmul::{View, matmul};
use crate::matrix::Matrix;
use crate::progress::{Cancelled, Progress};

/// Rows of the kernel that are computed at once.
const PANEL: usize = 128;

/// Rows with their squared lengths and the width of the kernel.
pub(crate) struct Gaussian {
    gamma: f32,
    rows: Matrix,
    squares: Vec<f32>,
}

impl Gaussian {
    pub(crate) fn new(rows: Matrix, gamma: f32) -> Self {
        let squares = squared_lengths(&rows.data, rows.cols);
        Gaussian { gamma, rows, squares }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.rows
    }

    pub(crate) fn rows(&self) -> &Matrix {
        &self.rows
    }

    pub(crate) fn gamma(&self) -> f32 {
        self.gamma
    }

    /// Writes the kernel between each row of `others` (row-major) and all own rows: others × len.
    pub(super) fn fill(&self, others: &[f32], out: &mut [f32]) {
        if out.is_empty() {
            return;
        }
        let cols = self.rows.cols;
        let own = View::new(&self.rows.data, self.rows.rows, cols);
        matmul(out, View::new(others, others.len() / cols, cols), own.transposed());
        let squares = squared_lengths(others, cols);
        for (out, square) in out.chunks_exact_mut(self.len()).zip(squares) {
            for (value, own_square) in out.iter_mut().zip(&self.squares) {
                let distance = square + own_square - 2.0 * *value;
                // Rounding can make the distance of equal rows negative.
                let distance = if distance > 0.0 { distance } else { 0.0 };
                *value = exp_of_negative(-self.gamma * distance);
            }
        }
    }
}

fn squared_lengths(rows: &[f32], cols: usize) -> Vec<f32> {
    rows.chunks_exact(cols).map(|row| row.iter().map(|value| value * value).sum()).collect()
}

/// exp(x) for x ≤ 0 to about 3e-7 of its value, in operations that the compiler turns into vector
/// instructions, as it cannot the library's `exp`: x = n ln 2 + r, then a Taylor polynomial of
/// degree 6 in |r| ≤ ln 2 / 2, then n into the exponent.
#[inline(always)]
pub(crate) fn exp_of_negative(x: f32) -> f32 {
    // Adding 1.5 · 2²³ leaves the rounded integer in the low bits of the mantissa.
    const SHIFTER: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    // exp(−87) is the last result that is a normal number; it is as good as 0 here.
    let x = if x > -87.0 { x } else { -87.0 };
    let shifted = x * std::f32::consts::LOG2_E + SHIFTER;
    let n = shifted - SHIFTER;
    let r = (x - n * LN_2_HIGH) - n * LN_2_LOW;
    let tail = 1.0 / 6.0 + r * (1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0)));
    let polynomial = 1.0 + r * (1.0 + r * (0.5 + r * tail));
    let exponent = shifted.to_bits().wrapping_sub(SHIFTER.to_bits()).wrapping_add(127) << 23;
    polynomial * f32::from_bits(exponent)
}

/// The kernel between all pairs of rows: whole where it fits the bound, else the rows used last.
///
/// Which of both depends on the number of rows and the bound alone, so that results do too.
pub(crate) struct KernelRows<'a> {
    kernel: &'a Gaussian,
    store: Store,
}

enum Store {
    Whole(Vec<f32>),
    Recent(Recent),
}

/// Rows in slots; a full memory gives up the row that was used longest ago.
struct Recent {
    slots: Vec<Vec<f32>>,
    /// The row in each slot, and when it was last used.
    tenants: Vec<(usize, u64)>,
    /// The slot of each row, if any.
    slot_of: Vec<Option<usize>>,
    capacity: usize,
    clock: u64,
}

impl<'a> KernelRows<'a> {
    /// Keeps at most `max_bytes`, but at least two rows.
    pub(crate) fn new(kernel: &'a Gaussian, max_bytes: usize, progress: &dyn Progress) -> Result<Self, Cancelled> {
        let len = kernel.len();
        let row_bytes = len * size_of::<f32>();
        if row_bytes.saturating_mul(len) > max_bytes {
            let capacity = (max_bytes / row_bytes).max(2);
            let recent =
                Recent { slots: Vec::new(), tenants: Vec::new(), slot_of: vec![None; len], capacity, clock: 0 };
            return Ok(KernelRows { kernel, store: Store::Recent(recent) });
        }
        let mut values = vec![0.0; len * len];
        let cols = kernel.rows.cols;
        for (out, rows) in values.chunks_mut(PANEL * len).zip(kernel.rows.data.chunks(PANEL * cols)) {
            if progress.cancelled() {
                return Err(Cancelled);
            }
            kernel.fill(rows, out);
        }
        Ok(KernelRows { kernel, store: Store::Whole(values) })
    }

    /// The kernel between row `i` and all rows.
    pub(crate) fn row(&mut self, i: usize) -> &[f32] {
        let len = self.kernel.len();
        match &mut self.store {
            Store::Whole(values) => &values[i * len..(i + 1) * len],
            Store::Recent(recent) => recent.row(i, self.kernel),
        }
    }
}

impl Recent {
    fn row(&mut self, i: usize, kernel: &Gaussian) -> &[f32] {
        self.clock += 1;
        let slot = match self.slot_of[i] {
            Some(slot) => slot,
            None => {
                let slot = self.vacate(kernel.len());
                kernel.fill(kernel.rows.row(i), &mut self.slots[slot]);
                self.slot_of[i] = Some(slot);
                slot
            }
        };
        self.tenants[slot] = (i, self.clock);
        &self.slots[slot]
    }

    fn vacate(&mut self, len: usize) -> usize {
        if self.slots.len() < self.capacity {
            self.slots.push(vec![0.0; len]);
            self.tenants.push((0, 0));
            return self.slots.len() - 1;
        }
        let mut oldest = 0;
        for (slot, tenant) in self.tenants.iter().enumerate() {
            if tenant.1 < self.tenants[oldest].1 {
                oldest = slot;
            }
        }
        self.slot_of[self.tenants[oldest].0] = None;
        oldest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;
    use crate::rng::Stream;

    fn kernel(rows: usize) -> Gaussian {
        let mut stream = Stream::new(1, "test", 0);
        Gaussian::new(Matrix::from_vec(rows, 3, (0..rows * 3).map(|_| stream.normal() as f32).collect()), 0.5)
    }

    #[test]
    fn the_exponential_is_that_of_the_library() {
        for i in 0..87_000 {
            let x = -(i as f32) / 1000.0;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp_of_negative(x)) / exact - 1.0).abs() < 4e-7, "exp({x})");
        }
        assert!(exp_of_negative(f32::NEG_INFINITY) < 1e-37);
    }

    #[test]
    fn a_bounded_memory_gives_the_values_of_the_whole_kernel() {
        let kernel = kernel(300);
        let mut whole = KernelRows::new(&kernel, usize::MAX, &Silent).unwrap();
        let mut recent = KernelRows::new(&kernel, 5 * 300 * 4, &Silent).unwrap();
        let mut stream = Stream::new(2, "test", 0);
        for _ in 0..1000 {
            let i = stream.below(40);
            let (a, b) = (whole.row(i), recent.row(i));
            assert!((a[i] - 1.0).abs() < 1e-6);
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6));
            let j = 17;
            let distance: f32 = kernel.rows.row(i).iter().zip(kernel.rows.row(j)).map(|(a, b)| (a - b).powi(2)).sum();
            assert!((a[j] - (-0.5 * distance).exp()).abs() < 1e-5);
        }
        let Store::Recent(recent) = &recent.store else { panic!("the bound is too small for the whole kernel") };
        assert_eq!(recent.slots.len(), 5);
    }
}
