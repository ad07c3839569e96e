//! Pearson's and Spearman's correlation of numeric columns.

use serde::{Deserialize, Serialize};

/// Symmetric matrices over `columns`, each pair over the rows where both have a value (pairwise complete, as pandas does).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Correlations {
    /// The numeric columns, in the table's order; of more than 40 the 40 that correlate most with any other.
    pub columns: Vec<String>,
    /// −1 to 1; absent where a column does not vary or fewer than two rows are complete.
    pub pearson: Vec<Vec<Option<f64>>>,
    /// Pearson's correlation of ranks, ties at their mean rank.
    pub spearman: Vec<Vec<Option<f64>>>,
    /// Numeric columns of the table.
    pub numeric_columns: u64,
    /// The 100 pairs of largest size over all numeric columns, by the larger of the two coefficients.
    pub strongest: Vec<CorrelatedPair>,
    /// Pairs over all numeric columns of size 0.5 or more. Where more than 40 columns have missing values, about so many.
    pub pairs_from_half: PairCounts,
    /// Pairs of size 0.95 or more by either coefficient; about so many likewise.
    pub alike: u64,
}

/// Two numeric columns and their coefficients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CorrelatedPair {
    /// A column.
    pub a: String,
    /// The other column.
    pub b: String,
    /// Over the rows where both are there; absent where one is constant.
    pub pearson: Option<f64>,
    /// Of the ranks, ties sharing their mean rank.
    pub spearman: Option<f64>,
}

/// A number of pairs by either coefficient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairCounts {
    /// Rows.
    pub pearson: u64,
    /// Rows.
    pub spearman: u64,
}
