//! The tree engine: columns cut into at most 255 bins, and trees grown on the bins.
//!
//! `bins` cuts the columns, `tree` holds and applies a grown tree, `gini` grows classification trees (single ones and those of both forests) and
//! `gradient` regression trees for boosting, by way of `histogram`; `flat` writes trees down as a few arrays. A split is "code ≤ cut" on one column,
//! with a side for missing values.

pub(crate) mod bins;
pub(crate) mod flat;
pub(crate) mod gini;
pub(crate) mod gradient;
pub(crate) mod histogram;
pub(crate) mod tree;
