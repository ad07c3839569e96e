//! What a look-up of one column's values predicts.

use serde::{Deserialize, Serialize};

use super::super::ColumnKind;

/// What one column alone predicts by looking its value up among other rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetLeak {
    /// As in the table.
    pub column: String,
    /// How it was read.
    pub kind: ColumnKind,
    /// By exact value (missing being one), or by 32 quantile bins or by whether there is a value, where that predicts better.
    pub read_by: ReadBy,
    /// Values or bins on labelled rows.
    pub distinct: u64,
    /// Labelled rows whose value occurs on another labelled row, 0 to 1.
    pub repeated: f64,
    /// Of those rows, the share in the largest class of their value, 0 to 1; absent when no value repeats.
    pub purity: Option<f64>,
    /// Folds drawn over rows.
    pub row_folds: ColumnScore,
    /// Folds drawn over connected groups and copies of rows, so that duplicates stay together; absent without either.
    pub group_folds: Option<ColumnScore>,
    /// Whether the column alone tells the label.
    pub verdict: TargetLeakVerdict,
}

/// Cross-validated score of predicting the most frequent class of a value among the other folds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnScore {
    /// Labelled rows whose value occurs in the other folds, 0 to 1.
    pub coverage: f64,
    /// Accuracy on those rows, 0 to 1; absent when there are none.
    pub accuracy_on_covered: Option<f64>,
    /// Accuracy on all labelled rows, the others being guessed as the largest class.
    pub accuracy: f64,
    /// Errors of always guessing the largest class that the look-up avoids, less those that it adds, as a share of them: 1 where it is always right.
    pub gain: f64,
    /// Lower end of the gain's 95 % interval over labelled rows, rows of one group counting as one.
    pub gain_low: f64,
    /// The same share among the rows whose value occurs in the other folds.
    pub gain_on_covered: f64,
}

/// How a column's values are turned into categories.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadBy {
    /// Each value is one.
    Value,
    /// Numbers fall into bins of equally many rows.
    QuantileBin,
    /// Only whether there is a value.
    Presence,
}

/// Whether one column alone tells the label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetLeakVerdict {
    /// Right on ≥ 95 % of covered rows, avoiding ≥ 60 % of the errors of guessing the largest class there, and by more than chance ≥ 40 % of them on
    /// all rows.
    #[serde(rename = "gives_away")]
    Leaks,
    /// Right on ≥ 83 % of covered rows, avoiding ≥ 60 % of these errors there, and by more than chance ≥ 15 % of them on all rows.
    Nearly,
    /// Knows repeated rows again, but says little of rows in other groups: an identifier.
    RecognisesRows,
    /// It does not.
    No,
}

impl TargetLeak {
    /// Over groups where there are any, else over rows: what a look-up on unknown things would reach.
    pub fn honest(&self) -> &ColumnScore {
        self.group_folds.as_ref().unwrap_or(&self.row_folds)
    }
}
