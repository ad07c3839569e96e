//! Artifacts: immutable tables and files, named by the digest of their content, and the store that keeps them.
//!
//! Knows nothing of pipelines, stages or learning.

pub mod collect;
pub mod digest;
pub mod disk;
mod error;
mod format;
pub mod ipc;
mod layout;
pub mod locks;
mod materialize;
mod memo;
mod obstacle;
pub mod rows;
mod runs;
pub mod scratch;
pub mod stamp;
pub mod stat_cache;
pub mod store;
pub mod table;
pub mod table_digest;
pub mod table_file;
pub mod verify;

pub use collect::{Collect, Collected};
pub use digest::Digest;
pub use error::{StoreError, TableError};
pub use ipc::IpcFile;
pub use locks::{ActionLock, StoreGuard};
pub use materialize::is_inner_name;
pub use rows::{RowKey, RowMemo};
pub use scratch::Scratch;
pub use stamp::FileStamp;
pub use stat_cache::StatCache;
pub use store::{BlobState, Store, StoreOptions};
pub use table::Table;
pub use table_digest::PART_ROWS;
pub use table_file::{StoredFile, StoredTable, TablePart, TableReader, TableWriter};
pub use verify::{Damage, Damaged, Verified};
