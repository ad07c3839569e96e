//! Networks on numeric columns, text embeddings, categories or all of them: one branch for the numbers, one for each
//! embedded text column, one for each column of categories, joined and read by a trunk with a linear head. A numeric
//! network is the case with one branch.
//!
//! ```text
//! numbers ── embedding ── layers ──┐
//! title ───────────────── layers ──┼── fusion ── trunk ── head ── logits, one per class
//! artist ─── table ────── layers ──┘
//! ```
//! Every layer is linear → batch norm → activation → dropout. A trunk may be a plain stack, one with skip connections, or an
//! ensemble that shares its weights. candle holds the tensors and differentiates; the passes that are slow or not seedable
//! there are own operations (`ops`).

mod activation;
mod adapted;
mod blueprint;
mod branch;
mod classifier;
mod fusion;
#[cfg(test)]
mod gradients;
mod layer;
mod masks;
mod model;
mod ops;
mod parameter;
mod recipe;
mod trunk;

pub use blueprint::{Blueprint, Widths};
pub(crate) use blueprint::{BranchBlueprint, Embedding};
pub use classifier::{Classifier, ModelError};
pub(crate) use model::Snapshot;
pub use model::{Network, Training};
pub(crate) use ops::vectorized;
pub use ops::{cross_entropy, ordinal};
pub use parameter::Parameter;
pub(crate) use parameter::Role;
pub(crate) use recipe::Recipe;
pub use runner_results::spec::NetworkSpec;
pub(crate) use runner_results::spec::{Activation, AdaptSpec, Fusion, NumericEmbedding, Parametrization, TrunkKind};

/// Runs `work` in a pool of one thread, so that trainings side by side do not fight; where it already is in a pool
/// ([`on_threads`]) it stays there. The bits do not depend on it: a product is split over rows and columns only.
pub(crate) fn on_one_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    if rayon::current_thread_index().is_some() { work() } else { on_threads(1, work) }
}

/// Runs `work` in a pool of `threads` threads, over which large matrix products are split. The bits do not depend on it.
pub fn on_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    match rayon::ThreadPoolBuilder::new().num_threads(threads.max(1)).build() {
        Ok(pool) => pool.install(work),
        // A system that grants no further thread still gets the same result, in the pool that is there.
        Err(_) => work(),
    }
}
