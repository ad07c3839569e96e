//! Artifacts: immutable tables and files, named by the digest of their content, and the store that keeps them.
//!
//! Knows nothing of pipelines, stages or learning.

mod collect;
mod digest;
pub mod disk;
mod error;
mod format;
mod ipc;
mod layout;
mod locks;
mod materialize;
mod memo;
mod new_file;
mod obstacle;
mod rows;
mod runs;
mod scratch;
mod stamp;
mod stat_cache;
mod store;
mod table;
mod table_digest;
mod table_file;
mod verify;

pub use collect::{Collect, Collected};
pub use digest::{Digest, Hasher};
pub use error::{StoreError, TableError};
pub use ipc::IpcFile;
pub use locks::{ActionLock, StoreGuard};
pub use materialize::is_inner_name;
pub use new_file::{NewFile, same_file};
pub use rows::{RowKey, RowMemo};
pub use scratch::Scratch;
pub use stamp::FileStamp;
pub use stat_cache::StatCache;
pub use store::{BlobState, Store, StoreOptions};
pub use table::Table;
pub use table_digest::{PART_ROWS, TableHasher};
pub use table_file::{StoredFile, StoredTable, TablePart, TableReader, TableWriter};
pub use verify::{Damage, Damaged, Verified};
