//! What the user may choose about a profile.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::ProfileError;

/// Options of `profile`, as written in a pipeline file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProfileOptions {
    /// Text columns that together name one thing, e.g. `[track_name, track_artist]`. Rows are near-duplicates when all
    /// of these agree but for case, punctuation, parentheses and suffixes such as `- Remix`. Empty: not looked for.
    #[schemars(extend("uniqueItems" = true))]
    pub near_duplicate_columns: Vec<String>,
    /// Significant digits kept when numeric columns are compared for near-duplicates (1 to 15).
    #[schemars(range(min = 1, max = 15))]
    pub(crate) near_duplicate_digits: usize,
    /// Principal components to keep.
    #[schemars(range(min = 0, max = 1000))]
    pub(crate) pca_components: usize,
    /// Most bins of a histogram (1 to 1000); columns of whole numbers may use fewer, so that bins hold whole steps.
    #[schemars(range(min = 1, max = 1000))]
    pub(crate) histogram_bins: usize,
    /// Rows drawn for the scatter plot of the first two components.
    #[schemars(range(min = 0, max = 100_000))]
    pub(crate) max_points: usize,
    /// Most frequent values listed for a text column.
    #[schemars(range(min = 0, max = 1000))]
    pub(crate) top_values: usize,
    /// Examples listed for each audit.
    #[schemars(range(min = 0, max = 1000))]
    pub(crate) examples: usize,
    /// Folds of the cross-validation that looks for columns that leak the label (2 to 100).
    #[schemars(range(min = 2, max = 100))]
    pub(crate) folds: usize,
    /// Neighbours of the mutual-information estimate of continuous columns (1 to 100), as `n_neighbors` in scikit-learn.
    #[schemars(range(min = 1, max = 100))]
    pub(crate) neighbours: usize,
}

impl Default for ProfileOptions {
    fn default() -> Self {
        ProfileOptions {
            near_duplicate_columns: Vec::new(),
            near_duplicate_digits: 3,
            pca_components: 5,
            histogram_bins: 24,
            max_points: 2000,
            top_values: 5,
            examples: 5,
            folds: 5,
            neighbours: 3,
        }
    }
}

impl ProfileOptions {
    /// Holds every number against its range; usable before any data is at hand.
    pub(crate) fn check(&self) -> Result<(), ProfileError> {
        let ranges = [
            ("near_duplicate_digits", self.near_duplicate_digits, 1, 15),
            ("histogram_bins", self.histogram_bins, 1, 1000),
            ("folds", self.folds, 2, 100),
            ("neighbours", self.neighbours, 1, 100),
        ];
        for (name, value, low, high) in ranges {
            if value < low || value > high {
                return Err(ProfileError::Option { name, value, low, high });
            }
        }
        Ok(())
    }
}
