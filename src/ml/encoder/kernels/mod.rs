//! The arithmetic that encoders share: products with prepared weights, and vector functions of rows.

mod ahead;
pub(crate) mod bfloat;
mod elementwise;
mod finish;
pub(crate) mod integer;
mod matmul;
mod words;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use ahead::Ahead;
pub(crate) use elementwise::{layer_norm_rows, softmax_rows};
pub(crate) use finish::Finish;
pub(crate) use matmul::{Levels, Panels, Rows, Target, multiply, multiply_column};
pub(crate) use words::{WIDTH, WordRows};
