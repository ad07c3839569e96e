//! Networks on numeric columns, text embeddings or both: one branch for the numbers, one branch for each embedding
//! column, joined by a trunk and read by a linear head. A numeric network is the case without text branches.
//!
//! ```text
//! numbers ── branch numeric ──┐
//! title ──── branch title ────┼── concatenate ── trunk ── head ── logits, one per class
//! artist ─── branch artist ───┘
//! ```
//! Every layer is linear → batch norm → activation → dropout. candle holds the tensors and differentiates; the passes
//! that are slow or not seedable there are own operations (`ops`), each on one thread.
//!
//! Knows nothing of how weights are learnt (`ml::train`) nor of where models are stored.

mod activation;
mod blueprint;
mod classifier;
#[cfg(test)]
mod gradients;
mod layer;
mod model;
mod ops;
mod recipe;
mod spec;

pub use activation::Activation;
pub use blueprint::{Blueprint, BranchBlueprint};
pub use classifier::{Classifier, ModelError};
pub use model::{Network, Parameter, Snapshot};
pub use ops::cross_entropy;
pub use recipe::Recipe;
pub use spec::{ColumnBranchSpec, NetworkSpec, NumericBranchSpec, TextBranchSpec, TrunkSpec};

/// Runs `work` in a pool of one thread, where candle's matrix products stay on it.
///
/// candle splits a product over as many tasks as the machine has cores; in this pool they run one after the other, so
/// that trainings side by side do not fight. The bits do not depend on it: a product is split over rows and columns only.
pub fn on_one_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
        Ok(pool) => pool.install(work),
        // A system that grants no further thread still gets the same result, in the pool that is there.
        Err(_) => work(),
    }
}
