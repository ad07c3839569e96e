//! Differentiable operations for candle on a CPU: a whole layer (matmul, bias or batch norm, activation, dropout, skip) in
//! few passes, numeric embeddings, tables, ensemble members, softmax cross-entropy.
//!
//! Why own ones: candle's element-wise operations above 64 Ki elements share one spinning pool, its dropout cannot be
//! seeded, and a batch norm made of a dozen of them costs more than the matrix products. With the optimizer of `ml::train`
//! an epoch takes 0.42 of the time that it takes with candle-nn's layers, loss and optimizer (`cargo bench --bench network
//! -- mlp`, one thread). The gradients are compared with finite differences and PyTorch by tests.
//!
//! The rows of a layer are cut into pieces of a fixed size, and a piece passes the whole layer while it is in a core's cache;
//! in a pool of several threads (`on_threads`) the pieces are computed side by side, to the same bits.
//!
//! What is left to candle's pool are the sums of gradients in `backward`. A process that starts with
//! `CANDLE_NUM_THREADS=1` in its environment keeps those on the thread as well.

mod attention;
mod cross_entropy;
mod dense;
mod grouped;
mod layer_norm;
mod lookup;
mod low_rank;
mod members;
mod ordinal;
mod periodic;
mod pieces;
mod piecewise;
mod pooled;
mod scale;
mod slices;
mod spread;

pub(super) use attention::attention;
pub use cross_entropy::cross_entropy;
pub(super) use dense::{Affine, BatchStatistics, Finish, dense};
pub(super) use grouped::{grouped, member_head};
pub(super) use layer_norm::sum_and_norm;
pub(super) use lookup::lookup;
pub(super) use low_rank::with_update;
pub(super) use members::log_mean_probabilities;
pub use ordinal::ordinal;
pub(super) use periodic::periodic;
pub(super) use piecewise::piecewise_linear;
pub(super) use pooled::pooled;
pub(super) use scale::scale;
pub(super) use spread::spread;

use pulp::{Simd, WithSimd};
use slices::{of_storage as values, with_values};

/// Runs loops that are inlined into it, compiled for the widest vectors of this processor. No sum is reordered and nothing
/// fused: the bits are those of any processor.
#[inline(always)]
pub(crate) fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    struct Work<F>(F);
    impl<R, F: FnOnce() -> R> WithSimd for Work<F> {
        type Output = R;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _simd: S) -> R {
            (self.0)()
        }
    }
    crate::simd::dispatch(Work(work))
}
