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
    /// By row how much it counts in a fit; empty where all count alike.
    weights: Vec<f64>,
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

    /// The same rows, each counting so much in a fit; all alike where there are none. Panics when there are not as many.
    pub fn with_weights(self, weights: Vec<f64>) -> Self {
        assert!(weights.is_empty() || weights.len() == self.rows, "weights of {} rows", self.rows);
        Features { weights, ..self }
    }

    /// How much each row counts; empty where all count alike.
    pub(super) fn weights(&self) -> &[f64] {
        &self.weights
    }

    /// The same of one row.
    pub(super) fn weight(&self, i: usize) -> f64 {
        self.weights.get(i).copied().unwrap_or(1.0)
    }

    /// The weights in small whole numbers, as trees count rows: as they are where they are such numbers, else to four digits of the largest. Also what a
    /// row of mean weight counts.
    pub(super) fn whole_weights(&self) -> (Vec<u16>, u64) {
        /// A bootstrap draws a row up to some ten times, and squares of the sum fit 64 bits.
        const LARGEST: f64 = 4095.0;
        const SUM: f64 = (1u64 << 31) as f64;
        let largest = self.weights.iter().copied().fold(0.0, f64::max);
        if self.weights.iter().all(|weight| *weight == largest) {
            return (vec![1; self.rows], 1);
        }
        let sum: f64 = self.weights.iter().sum();
        let are_whole = largest <= LARGEST && sum <= SUM && self.weights.iter().all(|weight| weight.fract() == 0.0);
        let scale = if are_whole { 1.0 } else { (LARGEST / largest).min(SUM / sum) };
        let whole: Vec<u16> = self.weights.iter().map(|weight| (weight * scale).round().max(1.0) as u16).collect();
        let unit = whole.iter().map(|&weight| u64::from(weight)).sum::<u64>() / self.rows as u64;
        (whole, unit.max(1))
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
        let (rows, numeric, numbers, weights) = (self.rows, self.numeric, self.numbers.clone(), self.weights.clone());
        let cols = self.cols + added;
        Features { rows, cols, numbers, components, numeric, indicators, weights, ..Features::default() }
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
        Features {
            rows: indices.len(),
            numbers,
            components,
            codes,
            texts: self.texts.take(indices),
            weights: if self.weights.is_empty() {
                Vec::new()
            } else {
                indices.iter().map(|&i| self.weights[i]).collect()
            },
            // Encoded rows are not taken apart, but for boosting, whose are not sparse.
            sparse: Csr::default(),
            ..*self
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
