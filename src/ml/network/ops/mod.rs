//! Differentiable operations for candle on a CPU: a whole layer (product, bias or batch norm, activation, dropout, skip) in
//! few passes, numeric embeddings, tables, ensemble members, softmax cross-entropy.
//!
//! Why own ones: candle's element-wise operations above 64 Ki elements share one spinning pool, its dropout cannot be
//! seeded, and a batch norm made of a dozen of them costs more than the matrix products. The gradients are held against
//! finite differences and PyTorch by tests.
//!
//! Large products are cut into pieces of a fixed number of rows; in a pool of several threads (`on_threads`) the pieces are
//! computed side by side, to the same bits. All else runs on the calling thread.
//!
//! What is left to candle's pool are the sums of gradients in `backward`. A process that starts with
//! `CANDLE_NUM_THREADS=1` in its environment keeps those on the thread as well.
//!
//! Knows nothing of layers' names or of optimizers.

mod attention;
mod cross_entropy;
mod dense;
mod grouped;
mod layer_norm;
mod lookup;
mod low_rank;
mod members;
mod periodic;
mod pieces;
mod piecewise;
mod pooled;
mod spread;

pub(super) use attention::attention;
pub use cross_entropy::cross_entropy;
pub(super) use dense::{Affine, BatchStatistics, Finish, dense, scale_and_activate};
pub(super) use grouped::grouped;
pub(super) use layer_norm::sum_and_norm;
pub(super) use lookup::lookup;
pub(super) use low_rank::with_update;
pub(super) use members::{adapt, log_mean_probabilities, member_head};
pub(super) use periodic::periodic;
pub(super) use piecewise::piecewise_linear;
pub(super) use pooled::pooled;
pub(super) use spread::spread;

use candle_core::{CpuStorage, Layout, Result, Tensor};
use pulp::{Simd, WithSimd};

/// Runs loops that are inlined into it, compiled for the widest vectors of this processor. No sum is reordered and nothing
/// fused: the bits are those of any processor.
#[inline(always)]
pub(in crate::ml) fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    struct Work<F>(F);
    impl<R, F: FnOnce() -> R> WithSimd for Work<F> {
        type Output = R;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _simd: S) -> R {
            (self.0)()
        }
    }
    crate::ml::simd::dispatch(Work(work))
}

/// The contiguous f32 values of an operation's argument.
fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let all = storage.as_slice::<f32>()?;
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&all[start..end]),
        None => candle_core::bail!("operation on a tensor that is not contiguous"),
    }
}

/// Calls `read` with the values of a tensor, made contiguous first where it is not.
fn with_values<T>(tensor: &Tensor, read: impl FnOnce(&[f32]) -> Result<T>) -> Result<T> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        candle_core::Storage::Cpu(storage) => read(values(storage, layout)?),
        _ => candle_core::bail!("networks are computed on the CPU"),
    }
}
