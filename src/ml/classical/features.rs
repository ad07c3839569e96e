//! `Features`: the rows that an estimator learns from or predicts.

use std::ops::Range;

use super::Width;
use super::texts::Texts;
use crate::matrix::Matrix;
use crate::sparse::Csr;

/// Dense rows: columns of numbers in 64 bits, as the table has them, then components of vectors in 32, NaN for missing; then categories by number, and
/// texts as counts of n-grams.
///
/// In 32 bits numbers of more than 24 bits would merge before anything has looked at them: milliseconds since 1970 fall
/// into steps of two minutes. Models that compute in 32 bits standardise first.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Features {
    pub(crate) rows: usize,
    /// Columns of numbers and components together.
    pub(crate) cols: usize,
    /// rows × columns of numbers.
    pub(super) numbers: Vec<f64>,
    /// rows × components.
    components: Vec<f32>,
    /// Columns of numbers.
    numeric: usize,
    /// Components at the end that stay as they are where others are standardised: 0 or 1 for whether a row has a category.
    pub(super) indicators: usize,
    /// Columns of categories, which are not among `cols`.
    pub(crate) categories: usize,
    /// rows × columns of categories: the number of each value, 0 for an unknown one.
    codes: Vec<u32>,
    /// Columns of texts.
    pub(super) texts: Texts,
    /// What categories and texts are to linear models: columns beside all others that are mostly 0 and stay as they are. No rows where there are none.
    pub(super) sparse: Csr,
}

impl Features {
    /// `numbers` is rows × `numeric`, `components` rows × as many as there are of them in a row, both row after row.
    ///
    /// Panics when a length is no multiple of `rows`: the shape is the caller's own arithmetic.
    pub fn new(rows: usize, numeric: usize, numbers: Vec<f64>, components: Vec<f32>) -> Self {
        assert_eq!(numbers.len(), rows * numeric, "{rows} rows of {numeric} numbers");
        let dim = components.len() / rows.max(1);
        assert_eq!(components.len(), rows * dim, "components of {rows} rows");
        Features { rows, cols: numeric + dim, numbers, components, numeric, ..Features::default() }
    }

    /// The same rows with `categories` columns of categories: `codes` is rows × categories, the number of each value, 0 for an unknown one.
    ///
    /// Panics when there are not as many codes.
    pub fn with_categories(self, categories: usize, codes: Vec<u32>) -> Self {
        assert_eq!(codes.len(), self.rows * categories, "{} rows of {categories} categories", self.rows);
        Features { categories, codes, ..self }
    }

    /// The same rows with these texts. Panics when there are not as many.
    pub(super) fn with_texts(self, texts: Texts) -> Self {
        assert!(texts.len() == 0 || texts.rows() == self.rows, "texts of {} rows", self.rows);
        Features { texts, ..self }
    }

    /// The same rows with `added` components behind the own ones of each, the last `indicators` of them 0 or 1, instead of categories and texts; `more` is
    /// rows × `added`.
    pub(super) fn with_components(&self, added: usize, more: &[f32], indicators: usize) -> Self {
        let dim = self.cols - self.numeric;
        let mut components = Vec::with_capacity(self.components.len() + more.len());
        for i in 0..self.rows {
            components.extend_from_slice(&self.components[i * dim..(i + 1) * dim]);
            components.extend_from_slice(&more[i * added..(i + 1) * added]);
        }
        let (rows, numeric, numbers) = (self.rows, self.numeric, self.numbers.clone());
        Features { rows, cols: self.cols + added, numbers, components, numeric, indicators, ..Features::default() }
    }

    /// The same rows with these sparse columns. Panics when there are not as many.
    pub(super) fn with_sparse(self, sparse: Csr) -> Self {
        assert_eq!(sparse.rows(), self.rows, "sparse columns of {} rows", self.rows);
        Features { sparse, ..self }
    }

    /// Columns of all sorts: numbers, components, categories, texts.
    pub(crate) fn width(&self) -> usize {
        self.cols + self.categories + self.texts.len() + self.sparse.cols
    }

    pub(crate) fn shape(&self) -> Width {
        Width { columns: self.cols, categories: self.categories, texts: self.texts.len(), sparse: self.sparse.cols }
    }

    /// The numbers of a row's categories.
    pub(crate) fn codes(&self, i: usize) -> &[u32] {
        &self.codes[i * self.categories..(i + 1) * self.categories]
    }

    pub(crate) fn row(&self, i: usize) -> impl Iterator<Item = f64> {
        let (numbers, components) = self.parts(i);
        numbers.iter().copied().chain(components.iter().map(|&value| f64::from(value)))
    }

    fn parts(&self, i: usize) -> (&[f64], &[f32]) {
        let (numeric, dim) = (self.numeric, self.cols - self.numeric);
        (&self.numbers[i * numeric..(i + 1) * numeric], &self.components[i * dim..(i + 1) * dim])
    }

    /// The values of the columns in `range`, one vector for each. Neighbouring columns are read together, since a row's
    /// neighbouring values share a cache line.
    pub(crate) fn columns(&self, range: Range<usize>) -> Vec<Vec<f64>> {
        let mut columns = vec![Vec::with_capacity(self.rows); range.len()];
        let of_numbers = range.start.min(self.numeric)..range.end.min(self.numeric);
        let of_components = range.start.max(self.numeric) - self.numeric..range.end.max(self.numeric) - self.numeric;
        for i in 0..self.rows {
            let (numbers, components) = self.parts(i);
            let components = components[of_components.clone()].iter().map(|&value| f64::from(value));
            let values = numbers[of_numbers.clone()].iter().copied().chain(components);
            columns.iter_mut().zip(values).for_each(|(column, value)| column.push(value));
        }
        columns
    }

    /// The rows at `indices`, in that order.
    pub(crate) fn take(&self, indices: &[usize]) -> Features {
        let mut numbers = Vec::with_capacity(indices.len() * self.numeric);
        let mut components = Vec::with_capacity(indices.len() * (self.cols - self.numeric));
        for &i in indices {
            let (own_numbers, own_components) = self.parts(i);
            numbers.extend_from_slice(own_numbers);
            components.extend_from_slice(own_components);
        }
        let codes = indices.iter().flat_map(|&i| self.codes(i).iter().copied()).collect();
        let Features { cols, numeric, indicators, categories, .. } = *self;
        let texts = self.texts.take(indices);
        // Encoded rows are not taken apart.
        let sparse = Csr::default();
        Features {
            rows: indices.len(),
            cols,
            numbers,
            components,
            numeric,
            indicators,
            categories,
            codes,
            texts,
            sparse,
        }
    }

    /// Row and column of the first infinite value, of numbers before components.
    pub(crate) fn infinite(&self) -> Option<(usize, usize)> {
        let (numeric, dim) = (self.numeric, self.cols - self.numeric);
        let number = self.numbers.iter().position(|value| value.is_infinite());
        let component = || self.components.iter().position(|value| value.is_infinite());
        number.map(|at| (at / numeric, at % numeric)).or_else(|| component().map(|at| (at / dim, numeric + at % dim)))
    }
}

/// All columns as components.
impl From<Matrix> for Features {
    fn from(Matrix { rows, cols, data }: Matrix) -> Self {
        Features { rows, cols, components: data, ..Features::default() }
    }
}
