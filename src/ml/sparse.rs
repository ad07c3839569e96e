//! `Csr`: a sparse row-major `f32` matrix, of which only the values that are not 0 are kept.

/// Compressed sparse rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Csr {
    pub(crate) cols: usize,
    /// Where the values of each row begin, and where those of the last one end.
    starts: Vec<usize>,
    /// The column of each value; ascending within a row.
    columns: Vec<u32>,
    values: Vec<f32>,
}

impl Default for Csr {
    fn default() -> Self {
        Csr::new(0)
    }
}

impl Csr {
    /// Without rows yet.
    pub(crate) fn new(cols: usize) -> Self {
        Csr { cols, starts: vec![0], columns: Vec::new(), values: Vec::new() }
    }

    /// Adds a row of values with their columns, which ascend.
    pub(crate) fn push(&mut self, row: impl IntoIterator<Item = (u32, f32)>) {
        for (column, value) in row {
            self.columns.push(column);
            self.values.push(value);
        }
        self.starts.push(self.columns.len());
    }

    pub(crate) fn rows(&self) -> usize {
        self.starts.len() - 1
    }

    /// The columns and the values of row `i`.
    pub(crate) fn row(&self, i: usize) -> (&[u32], &[f32]) {
        let range = self.starts[i]..self.starts[i + 1];
        (&self.columns[range.clone()], &self.values[range])
    }

    /// The same row as pairs.
    pub(crate) fn pairs(&self, i: usize) -> impl Iterator<Item = (u32, f32)> {
        let (columns, values) = self.row(i);
        columns.iter().copied().zip(values.iter().copied())
    }

    /// Columns as rows.
    pub(crate) fn transposed(&self) -> Csr {
        let mut starts = vec![0; self.cols + 1];
        self.columns.iter().for_each(|&column| starts[column as usize + 1] += 1);
        (0..self.cols).for_each(|column| starts[column + 1] += starts[column]);
        let mut next = starts.clone();
        let (mut columns, mut values) = (vec![0; self.columns.len()], vec![0.0; self.values.len()]);
        for i in 0..self.rows() {
            for (column, value) in self.pairs(i) {
                let at = &mut next[column as usize];
                (columns[*at], values[*at]) = (i as u32, value);
                *at += 1;
            }
        }
        Csr { cols: self.rows(), starts, columns, values }
    }
}

#[cfg(test)]
mod tests {
    use super::Csr;

    #[test]
    fn a_transposed_matrix_has_the_same_values() {
        let mut matrix = Csr::new(3);
        matrix.push([(0, 1.0), (2, 2.0)]);
        matrix.push([]);
        matrix.push([(1, 3.0), (2, 4.0)]);
        let transposed = matrix.transposed();
        assert_eq!((transposed.rows(), transposed.cols), (3, 3));
        assert_eq!(transposed.row(2), ([0, 2].as_slice(), [2.0, 4.0].as_slice()));
        assert_eq!(transposed.row(0), ([0].as_slice(), [1.0].as_slice()));
        assert_eq!(transposed.transposed(), matrix);
    }
}
