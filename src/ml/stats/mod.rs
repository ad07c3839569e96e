//! Statistics of comparisons: whether two classifiers differ on the same rows, and by how much.

mod bootstrap;
mod clusters;
mod holm;
mod mcnemar;
mod pairwise;
mod proportion;
mod sample;
#[cfg(test)]
mod simulation;
mod special;
mod t_test;

pub(crate) use bootstrap::paired_bootstrap;
pub use bootstrap::{Bootstrap, bootstrap_intervals};
pub use clusters::{Clusters, FEW_GROUPS};
pub use holm::holm;
pub use mcnemar::paired_test;
pub use pairwise::pairwise_tests;
pub(crate) use pairwise::{cells, scores};
pub use runner_results::interval::{Interval, IntervalMethod};
pub use runner_results::mcnemar::Test;
pub(crate) use sample::{mean_and_deviation, quantile};
pub(crate) use special::{chi_squared_tail, ln_gamma, normal_mass, normal_tail, student_tails};
pub(crate) use t_test::{PairedDifferences, paired_p_value};
