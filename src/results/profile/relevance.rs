//! How much each column, taken alone, says about the label: analysis of variance and mutual information.

use serde::{Deserialize, Serialize};

/// Relevance of one column to the label over the labelled rows: of the analysis of variance those with a value, of the mutual
/// information all, missing being a value of its own. So a column of which ten rows are filled tells little, whatever these say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Relevance {
    /// As in the table.
    pub column: String,
    /// F statistic of a one-way analysis of variance over the classes. Absent for texts, and where values do not vary
    /// within classes.
    pub anova_f: Option<f64>,
    /// Chance of such an F if all classes had one mean (normal values, equal variances); 0 stands for below 1e-308.
    pub p_value: Option<f64>,
    /// Share of the column's variance that lies between classes, 0 to 1. Absent for texts and constants.
    pub eta_squared: Option<f64>,
    /// Nats beyond what chance would show: 0 on average, hence at times a little below, where column and label are
    /// independent. Absent without any value. The estimate by neighbours counts rows of one group with equal value once.
    pub mutual_information: Option<f64>,
    /// How the mutual information was estimated.
    pub estimator: InformationEstimator,
    /// Nats that counting would show on average if labels were shuffled, already subtracted; high for identifiers. Of an estimate
    /// by neighbours, which chance does not raise, only those of counting which values are missing.
    pub by_chance: f64,
    /// Nats that `mutual_information` exceeds once in forty columns that have nothing to do with the label: two standard deviations over shuffled labels.
    pub chance_limit: f64,
    /// Share of the label's entropy that `mutual_information` is, 0 to 1, and 0 up to the limit of chance: compare columns by this one.
    pub information_share: f64,
}

impl Relevance {
    /// Whether there is more information than chance shows.
    pub fn is_beyond_chance(&self) -> bool {
        // Counts of an identifier are the same for all shuffles, but for rounding.
        const ROUNDING: f64 = 1e-9;
        self.mutual_information.is_some_and(|information| information > self.chance_limit + ROUNDING)
    }
}

/// How the mutual information was estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InformationEstimator {
    /// Counts of value and class, less what shuffled labels would show (Vinh, Epps and Bailey 2010).
    Counts,
    /// Nearest neighbours (Ross 2014) among the rows with a value, weighted by their share; and counts of which are missing.
    Neighbours,
}
