//! Statistics of comparisons: whether two classifiers differ on the same rows, and by how much.
//!
//! Knows nothing of models, metrics or where predictions come from.

mod bootstrap;
mod contest;
mod holm;
mod mcnemar;
mod special;

pub use bootstrap::{Bootstrap, Interval, bootstrap_interval, bootstrap_intervals, paired_bootstrap};
pub use contest::{Duel, contest};
pub(in crate::ml) use contest::{cells, scores};
pub use holm::holm;
pub use mcnemar::{Method, Test, mcnemar, mcnemar_chi2, mcnemar_exact, mcnemar_mid_p};
pub(in crate::ml) use special::{normal_mass, normal_tail};
