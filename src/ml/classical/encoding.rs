//! What a kind of model sees of categories and texts, beside numbers and components of vectors.

use super::arrays::{ArrayError, Arrays};
use super::categories::ColumnEncoding;
use super::texts::{Vocabulary, Weights};
use super::trees::bins::{MAX_BINS, MISSING};
use super::{Features, Width};
use crate::sparse::Csr;

/// How a kind of model takes categories and texts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Form {
    /// By itself.
    AsTheyAre,
    /// Categories as places below 255, and rates; the weights of some n-grams.
    Places,
    /// Categories as a column of 0 and 1 for each place, and rates; the weights of some n-grams.
    Columns,
    /// The same with the weights of all n-grams, as sparse columns, but for the rates.
    Sparse,
}

/// Places of a column of categories as columns of 0 and 1 at most, and numbers in all of these columns together where they are not sparse.
const MOST_COLUMNS: usize = 100;
const MOST_CELLS: usize = 1 << 27;
/// N-grams of texts that are columns of 4 bytes a row where these are not sparse, and numbers in all of them together.
const MOST_GRAMS: usize = 500;
const MOST_WEIGHTS: usize = 1 << 28;

impl Form {
    /// Places of a column of categories.
    fn most_places(self, x: &Features) -> usize {
        match self {
            Form::Columns => MOST_COLUMNS.min(MOST_CELLS / (x.rows * x.categories).max(1)).max(1),
            Form::Sparse => MOST_COLUMNS,
            _ => MAX_BINS - 1,
        }
    }

    /// N-grams of all texts together, where they are bounded.
    fn most_grams(self, rows: usize) -> Option<usize> {
        (self != Form::Sparse).then(|| MOST_GRAMS.min(MOST_WEIGHTS / rows.max(1)).max(1))
    }

    fn has_columns(self) -> bool {
        matches!(self, Form::Columns | Form::Sparse)
    }
}

/// What turns the categories and texts of rows into what a model was fitted on.
pub(super) struct Encoding {
    form: Form,
    columns: Vec<ColumnEncoding>,
    vocabularies: Vec<Vocabulary>,
}

impl Encoding {
    /// Fits on the categories and texts of `x`; also gives the rows that a model is to be fitted on.
    pub(super) fn fit(form: Form, x: &Features, y: &[u32], classes: usize, seed: u64) -> (Encoding, Features) {
        let (columns, cross_fitted) = ColumnEncoding::fit(x, y, classes, form.most_places(x), seed);
        let vocabularies = Vocabulary::fit(&x.texts, y, classes, form.most_grams(x.rows));
        let encoding = Encoding { form, columns, vocabularies };
        let encoded = encoding.encode(x, |row, column, _| {
            let rated = encoding.columns[column].rated;
            &cross_fitted[column][row * rated..(row + 1) * rated]
        });
        (encoding, encoded)
    }

    /// Other rows, in the form of the rows of the fit.
    ///
    /// Panics when `x` has another number of columns of categories or texts.
    pub(super) fn apply(&self, x: &Features) -> Features {
        assert_eq!(x.categories, self.columns.len(), "predict with the columns of the fit");
        self.encode(x, |_, column, code| self.columns[column].rates(code))
    }

    fn encode<'a>(&'a self, x: &Features, rates: impl Fn(usize, usize, u32) -> &'a [f32]) -> Features {
        let (rated, added) = (self.rated(), self.added());
        let dense = if self.form == Form::Sparse { 0 } else { added };
        let mut components = vec![0.0; x.rows * (rated + dense)];
        let (mut places, mut sparse) = (Vec::new(), Csr::new(added));
        let mut weights = Weights::new(&self.vocabularies, &x.texts);
        let first_gram = (added - self.grams()) as u32;
        let mut more: Vec<(u32, f32)> = Vec::new();
        for row in 0..x.rows {
            let own = &mut components[row * (rated + dense)..(row + 1) * (rated + dense)];
            let codes = x.codes(row);
            let mut at = 0;
            for (column, &code) in codes.iter().enumerate().filter(|(column, _)| self.columns[*column].rated > 0) {
                let rates = rates(row, column, code);
                own[at..at + rates.len()].copy_from_slice(rates);
                at += rates.len();
            }
            more.clear();
            let mut first = 0;
            for (encoding, &code) in self.columns.iter().zip(codes) {
                let place = encoding.place(code).map(|place| place as u32);
                if self.form.has_columns() {
                    more.extend(place.map(|place| (first + place, 1.0)));
                    first += encoding.indicators() as u32;
                } else {
                    places.push(place.unwrap_or(u32::from(MISSING)));
                }
            }
            more.extend(weights.of_row(row).iter().map(|&(gram, weight)| (first_gram + gram, weight)));
            match self.form {
                Form::Sparse => sparse.push(more.iter().copied()),
                _ => more.iter().for_each(|&(column, value)| own[rated + column as usize] = value),
            }
        }
        let indicators = if self.form == Form::Columns { dense } else { 0 };
        let encoded = x.with_components(rated + dense, &components, indicators);
        match self.form {
            Form::Sparse => encoded.with_sparse(sparse),
            Form::Columns => encoded,
            _ => encoded.with_categories(self.columns.len(), places),
        }
    }

    /// Columns that categories give beside those of 0 and 1.
    fn rated(&self) -> usize {
        self.columns.iter().map(|column| column.rated).sum()
    }

    fn grams(&self) -> usize {
        self.vocabularies.iter().map(Vocabulary::len).sum()
    }

    /// Columns of 0 and 1, and n-grams behind them.
    fn added(&self) -> usize {
        let indicators =
            if self.form.has_columns() { self.columns.iter().map(ColumnEncoding::indicators).sum() } else { 0 };
        indicators + self.grams()
    }

    /// What a model of rows of that width sees of them.
    pub(super) fn width(&self, of: Width) -> Width {
        let (columns, added) = (of.columns + self.rated(), self.added());
        match self.form {
            Form::Sparse => Width { columns, categories: 0, texts: 0, sparse: added },
            Form::Columns => Width { columns: columns + added, categories: 0, texts: 0, sparse: 0 },
            _ => Width { columns: columns + added, texts: 0, ..of },
        }
    }
}

/// The array that tells how categories are read: 0 as places, 1 as columns of 0 and 1, 2 as sparse ones.
const FORM: &str = "form";

impl Encoding {
    pub(super) fn put(&self, arrays: &mut Arrays) {
        let form = match self.form {
            Form::Sparse => 2,
            Form::Columns => 1,
            _ => 0,
        };
        arrays.put_whole(FORM, &[form]);
        ColumnEncoding::put(&self.columns, arrays);
        Vocabulary::put(&self.vocabularies, arrays);
    }

    /// `None` where the model was fitted without one.
    pub(super) fn take(arrays: &mut Arrays, width: Width) -> Result<Option<Encoding>, ArrayError> {
        if !arrays.has(FORM) {
            return Ok(None);
        }
        let form = match arrays.take_whole(FORM, Some(1), 3)?[0] {
            2 => Form::Sparse,
            1 => Form::Columns,
            _ => Form::Places,
        };
        let columns = ColumnEncoding::take(arrays, width.categories)?;
        Ok(Some(Encoding { form, columns, vocabularies: Vocabulary::take(arrays, width.texts)? }))
    }
}
