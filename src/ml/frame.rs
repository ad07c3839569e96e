//! `Frame`: named columns of equal length in memory, the input of everything in `ml`.

use std::sync::Arc;

use indexmap::IndexMap;

use super::encoder::Tokens;

/// One column. Missing numbers are NaN, missing texts `None`; vectors and tokens are never missing.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    /// NaN where a value is missing.
    Numeric(Vec<f64>),
    /// `None` where a value is missing.
    Text(Vec<Option<String>>),
    /// `values.len() == rows * dim`, row after row.
    Vector {
        /// Numbers of one row.
        dim: usize,
        /// Rows × `dim`, row after row.
        values: Vec<f32>,
    },
    /// Texts as tokens, for a network that trains a part of their encoder: for each row the number of its text.
    Tokens {
        /// Each different text once.
        tokens: Arc<Tokens>,
        /// For each row the index of its text.
        of_row: Vec<u32>,
    },
}

impl Column {
    pub(crate) fn len(&self) -> usize {
        match self {
            Column::Numeric(values) => values.len(),
            Column::Text(values) => values.len(),
            Column::Vector { dim, values } => values.len() / (*dim).max(1),
            Column::Tokens { of_row, .. } => of_row.len(),
        }
    }

    /// The rows at `indices`, in that order.
    pub fn take(&self, indices: &[usize]) -> Column {
        match self {
            Column::Numeric(values) => Column::Numeric(indices.iter().map(|&i| values[i]).collect()),
            Column::Text(values) => Column::Text(indices.iter().map(|&i| values[i].clone()).collect()),
            Column::Vector { dim, values } => Column::Vector {
                dim: *dim,
                values: indices.iter().flat_map(|&i| values[i * dim..(i + 1) * dim].iter().copied()).collect(),
            },
            Column::Tokens { tokens, of_row } => {
                Column::Tokens { tokens: Arc::clone(tokens), of_row: indices.iter().map(|&i| of_row[i]).collect() }
            }
        }
    }
}

/// Named columns in their order, all of `rows` values.
///
/// ```
/// use runner_ml::frame::{Column, Frame};
///
/// let mut frame = Frame::new(2);
/// frame.insert("tempo", Column::Numeric(vec![120.0, f64::NAN]));
/// frame.insert("title", Column::Text(vec![Some("Alpha".to_owned()), None]));
/// assert_eq!(frame.numeric("tempo").expect("numbers")[0], 120.0);
/// assert!(frame.numeric("title").is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Frame {
    /// Length of every column.
    pub rows: usize,
    /// By name, in the order in which they were inserted.
    pub columns: IndexMap<String, Column>,
}

impl Frame {
    /// Without columns yet.
    pub fn new(rows: usize) -> Self {
        Frame { rows, columns: IndexMap::new() }
    }

    /// Panics when the column has another length than the frame.
    pub fn insert(&mut self, name: impl Into<String>, column: Column) {
        assert_eq!(column.len(), self.rows, "a column must have as many rows as its frame");
        self.columns.insert(name.into(), column);
    }

    /// Adds the values of a column as categories, beside the numbers or the embedding that the same column may be elsewhere in
    /// this frame. Panics when there are not as many as the frame has rows.
    pub fn insert_categories(&mut self, name: &str, values: Vec<Option<String>>) {
        self.insert(category_key(name), Column::Text(values));
    }

    /// The values of a column as categories; a column of texts will do as well.
    pub fn categories(&self, name: &str) -> Option<&[Option<String>]> {
        self.text(&category_key(name)).or_else(|| self.text(name))
    }

    /// Adds the texts of a column, beside the numbers, the embedding or the categories that the same column may be elsewhere in this frame. Panics when
    /// there are not as many as the frame has rows.
    pub fn insert_texts(&mut self, name: &str, values: Vec<Option<String>>) {
        self.insert(text_key(name), Column::Text(values));
    }

    /// The texts of a column.
    pub fn texts(&self, name: &str) -> Option<&[Option<String>]> {
        self.text(&text_key(name)).or_else(|| self.text(name))
    }

    /// Adds the tokens of a text column beside its vectors, of which there must be as many.
    pub fn insert_tokens(&mut self, name: &str, tokens: Arc<Tokens>, of_row: Vec<u32>) {
        self.insert(tokens_key(name), Column::Tokens { tokens, of_row });
    }

    /// The tokens of a text column, and for each row the number of its text.
    pub fn tokens(&self, name: &str) -> Option<(&Arc<Tokens>, &[u32])> {
        match self.columns.get(&tokens_key(name)) {
            Some(Column::Tokens { tokens, of_row }) => Some((tokens, of_row)),
            _ => None,
        }
    }

    /// `None` where there is no such column, or it is of another type.
    pub fn numeric(&self, name: &str) -> Option<&[f64]> {
        match self.columns.get(name) {
            Some(Column::Numeric(values)) => Some(values),
            _ => None,
        }
    }

    pub(crate) fn text(&self, name: &str) -> Option<&[Option<String>]> {
        match self.columns.get(name) {
            Some(Column::Text(values)) => Some(values),
            _ => None,
        }
    }

    /// The rows at `indices`, in that order.
    pub fn take(&self, indices: &[usize]) -> Frame {
        Frame {
            rows: indices.len(),
            columns: self.columns.iter().map(|(name, column)| (name.clone(), column.take(indices))).collect(),
        }
    }
}

/// Under which name a frame holds a column as categories. Names of columns hold no NUL, so that no other column can have it.
pub(crate) fn category_key(name: &str) -> String {
    format!("{name}\0category")
}

/// Under which name a frame holds a column as texts.
pub(crate) fn text_key(name: &str) -> String {
    format!("{name}\0text")
}

/// Under which name a frame holds the tokens of a text column.
pub(crate) fn tokens_key(name: &str) -> String {
    format!("{name}\0tokens")
}
