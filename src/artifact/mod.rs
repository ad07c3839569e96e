//! Artifacts: immutable tables and files, named by the digest of their content, and the store that keeps them.
//!
//! Knows nothing of pipelines, stages or learning.

pub mod digest;
pub mod rows;
pub mod stat_cache;
pub mod store;
pub mod table;

pub use digest::Digest;
pub use rows::{RowKey, RowMemo};
pub use stat_cache::StatCache;
pub use store::{Store, StoreError};
pub use table::{Table, TableError};
