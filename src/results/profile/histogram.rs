//! Histograms of numeric columns, overall and per class over common bin edges.

use serde::{Deserialize, Serialize};

/// Counts over `edges.len() - 1` bins of equal width; a bin holds its lower edge, the last one both, as in numpy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// A numeric column.
    pub column: String,
    /// Ascending, in the column's unit. For whole numbers they lie at halves, so that no bin splits a value.
    pub edges: Vec<f64>,
    /// All rows with a value, labelled or not.
    pub overall: Vec<u64>,
    /// `by_class[c][b]`: rows of the profile's class group `c` in bin `b`.
    pub by_class: Vec<Vec<u64>>,
}
