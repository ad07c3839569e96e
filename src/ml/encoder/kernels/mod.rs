//! The arithmetic that encoders share: products with prepared weights, and vector functions of rows.

mod ahead;
pub mod bfloat;
mod elementwise;
mod finish;
pub mod integer;
mod matmul;
mod words;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use ahead::Ahead;
pub use elementwise::{layer_norm_rows, softmax_rows};
pub use finish::Finish;
pub use matmul::{Levels, Panels, Rows, Target, multiply, multiply_column};
pub use words::{WIDTH, WordRows};
