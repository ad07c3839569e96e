//! Principal components of the standardised numeric columns.

use serde::{Deserialize, Serialize};

/// Principal components of the columns, missing values filled in by the mean, scaled to mean 0 and deviation 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PrincipalComponents {
    /// Numeric columns that vary, in the table's order.
    pub columns: Vec<String>,
    /// Share of the total variance by component, falling, 0 to 1.
    pub explained_variance_ratio: Vec<f64>,
    /// `components[k][j]`: loading of column `j` on component `k`. Unit length; the loading of largest magnitude is positive.
    pub components: Vec<Vec<f64>>,
    /// A seeded sample of rows on the first two components.
    pub points: PcaPoints,
}

/// Coordinates in standard deviations of the columns, rounded to four decimals; lists of equal length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PcaPoints {
    /// Row of the table, from 0, ascending.
    pub row: Vec<u64>,
    /// Index into the classes; absent where the label is unknown.
    pub class: Vec<Option<u32>>,
    /// First principal component, a value for each point.
    pub x: Vec<f64>,
    /// Second principal component, a value for each point.
    pub y: Vec<f64>,
}
