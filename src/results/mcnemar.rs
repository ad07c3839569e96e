//! McNemar's test of two classifiers on the same rows, and its forms for whole groups of rows.

use serde::{Deserialize, Serialize};

/// A test's result; `p` is two-sided.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// Which test it was.
    pub method: Method,
    /// Exact and mid-p: the smaller count. Chi-squared: the statistic. Over groups: by how many rows one is right more often; normal: in
    /// standard errors.
    pub statistic: f64,
    /// 0 to 1.
    pub p: f64,
}

/// A test of two models on the same rows (McNemar 1947).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Binomial test of the rows on which exactly one is right.
    Exact,
    /// The exact test with half the weight of the outcome itself.
    MidP,
    /// Without continuity correction.
    ChiSquared,
    /// With Edwards' continuity correction.
    ChiSquaredCorrected,
    /// Mid-p over all ways to exchange the two within whole groups.
    GroupMidP,
    /// Its normal approximation.
    GroupNormal,
}
