//! `Frame`: named columns of equal length in memory, the input of everything in `ml`.
//!
//! Knows nothing of files, Arrow or stores; `stages` converts.

use indexmap::IndexMap;

/// One column. Missing numbers are NaN, missing texts `None`; vectors are never missing.
#[derive(Clone, Debug, PartialEq)]
pub enum Column {
    Numeric(Vec<f64>),
    Text(Vec<Option<String>>),
    /// `values.len() == rows * dim`, row after row.
    Vector {
        dim: usize,
        values: Vec<f32>,
    },
}

impl Column {
    pub fn len(&self) -> usize {
        match self {
            Column::Numeric(values) => values.len(),
            Column::Text(values) => values.len(),
            Column::Vector { dim, values } => values.len() / (*dim).max(1),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
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
        }
    }
}

/// Named columns in their order, all of `rows` values.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Frame {
    pub rows: usize,
    pub columns: IndexMap<String, Column>,
}

impl Frame {
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

    pub fn numeric(&self, name: &str) -> Option<&[f64]> {
        match self.columns.get(name) {
            Some(Column::Numeric(values)) => Some(values),
            _ => None,
        }
    }

    pub fn text(&self, name: &str) -> Option<&[Option<String>]> {
        match self.columns.get(name) {
            Some(Column::Text(values)) => Some(values),
            _ => None,
        }
    }

    pub fn take(&self, indices: &[usize]) -> Frame {
        Frame {
            rows: indices.len(),
            columns: self.columns.iter().map(|(name, column)| (name.clone(), column.take(indices))).collect(),
        }
    }
}

/// Under which name a frame holds a column as categories.
pub fn category_key(name: &str) -> String {
    format!("{name} (category)")
}
