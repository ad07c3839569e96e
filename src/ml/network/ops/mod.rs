//! Differentiable operations for candle on a CPU: linear, batch norm → activation → dropout in one pass, softmax
//! cross-entropy. Each runs on the calling thread.
//!
//! Why own ones: candle's element-wise operations above 64 Ki elements share one spinning pool, its dropout cannot be
//! seeded, and a batch norm made of a dozen of them costs more than the matrix products. The gradients are held against
//! finite differences and PyTorch by the tests of `ml::train`.
//!
//! What is left to candle's pool are the sums of gradients in `backward`. A process that starts with
//! `CANDLE_NUM_THREADS=1` in its environment keeps those on the thread as well: the bits are the same, trainings take a
//! third of the processor time.
//!
//! Knows nothing of layers' names or of optimizers.

mod cross_entropy;
mod linear;
mod normalize;

pub use cross_entropy::cross_entropy;
pub(super) use linear::linear;
pub(super) use normalize::{BatchStatistics, activate, normalize_and_activate, scale_and_activate};

use candle_core::{CpuStorage, Layout, Result, Tensor};

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
