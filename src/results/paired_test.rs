//! Tests whether two classifiers are right on the same share of the same rows.

use serde::{Deserialize, Serialize};

/// A test's result; `p` is two-sided.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Test {
    pub method: Method,
    /// Exact and mid-p: the smaller count. Chi-squared: the statistic. Over groups: by how many rows one is right more often; normal: in
    /// standard errors.
    pub statistic: f64,
    pub p: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    Exact,
    MidP,
    ChiSquared,
    /// With Edwards' continuity correction.
    ChiSquaredCorrected,
    /// Mid-p over all ways to exchange the two within whole groups.
    GroupMidP,
    /// Its normal approximation.
    GroupNormal,
}
