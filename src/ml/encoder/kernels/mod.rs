//! The arithmetic that encoders share: products with prepared weights, and vector functions of rows.
//!
//! Knows nothing of texts or models.

mod elementwise;
mod product;

pub use elementwise::{layer_norm_rows, softmax_rows};
pub use product::{Finish, Panels, Rows, multiply};
