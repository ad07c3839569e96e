//! A dense row-major `f32` matrix: what learners fit on and what they predict.

/// `rows` × `cols` values, row after row. `data.len() == rows * cols`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Matrix {
    /// How many.
    pub rows: usize,
    /// How many.
    pub cols: usize,
    /// Row after row.
    pub data: Vec<f32>,
}

impl Matrix {
    /// All zeros.
    pub fn zeros(rows: usize, cols: usize) -> Self {
        Matrix { rows, cols, data: vec![0.0; rows * cols] }
    }

    /// Panics when the length of `data` is not `rows * cols`: the shape is the caller's own arithmetic.
    pub fn from_vec(rows: usize, cols: usize, data: Vec<f32>) -> Self {
        assert_eq!(data.len(), rows * cols, "a {rows}×{cols} matrix needs {} values", rows * cols);
        Matrix { rows, cols, data }
    }

    /// The `cols` numbers of row `i`.
    pub fn row(&self, i: usize) -> &[f32] {
        &self.data[i * self.cols..(i + 1) * self.cols]
    }

    /// The `cols` numbers of row `i`.
    pub fn row_mut(&mut self, i: usize) -> &mut [f32] {
        &mut self.data[i * self.cols..(i + 1) * self.cols]
    }

    /// Row `i`, column `j`.
    pub fn get(&self, i: usize, j: usize) -> f32 {
        self.data[i * self.cols + j]
    }

    /// The rows at `indices`, in that order.
    pub fn take(&self, indices: &[usize]) -> Matrix {
        let mut data = Vec::with_capacity(indices.len() * self.cols);
        for &i in indices {
            data.extend_from_slice(self.row(i));
        }
        Matrix { rows: indices.len(), cols: self.cols, data }
    }

    /// For each row the index of its largest value; the first of equals.
    pub fn argmax_rows(&self) -> Vec<u32> {
        (0..self.rows)
            .map(|i| {
                let row = self.row(i);
                let mut best = 0;
                for (j, value) in row.iter().enumerate() {
                    if *value > row[best] {
                        best = j;
                    }
                }
                best as u32
            })
            .collect()
    }
}
