//! What can go wrong with a store and with a table.

use std::io;
use std::path::{Path, PathBuf};

use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use super::digest::Digest;
use super::layout::CURRENT;
use runner_boundary::files::says_special;

/// Why a store cannot be used, or does not have what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    // The field is not called `source`: the message holds the cause already, and must not be followed by it again.
    /// The file system refused.
    #[error("cannot {action} '{}': {}{}", path.display(), cause(error), remedy(error))]
    Io {
        /// E.g. `write`.
        action: &'static str,
        /// In the store, or where results are delivered.
        path: PathBuf,
        /// As the system told it.
        error: io::Error,
    },
    /// A newer program made the store.
    #[error(
        "the store '{}' has a newer format ({found}; this runner reads {} and older): update runner, or use another --artifacts folder; if no newer runner \
         was ever used on it, its file `format` is damaged: remove that file",
        path.display(),
        CURRENT
    )]
    Format {
        /// In the store, or where results are delivered.
        path: PathBuf,
        /// The store's format.
        found: u32,
    },
    /// The file that says the store's format is damaged.
    #[error(
        "'{}' is damaged, and nothing beside it shows that this is a store of runner: if it is one, remove that file and run again; else use another --artifacts folder",
        path.display()
    )]
    FormatDamaged {
        /// In the store, or where results are delivered.
        path: PathBuf,
    },
    /// A blob whose content is not the one it is named by.
    #[error("blob {digest} in the store is damaged: {fate}; run again to compute it anew")]
    Damaged {
        /// That the blob is named by.
        digest: Digest,
        /// What was done with it.
        fate: &'static str,
    },
    /// The store has no such blob.
    #[error("blob {digest} is missing in the store; run again to compute it anew")]
    Missing {
        /// That the blob is named by.
        digest: Digest,
    },
    /// A symbolic link where the store keeps its own files.
    #[error(
        "'{}' is a symbolic link, and nothing is written or removed through links: remove it (for results on another disk, name a folder there with --artifacts)",
        path.display()
    )]
    Link {
        /// In the store, or where results are delivered.
        path: PathBuf,
    },
    /// Something else lies where a result belongs.
    #[error("'{}' {what}, but a result belongs there: move it away and run again", path.display())]
    InTheWay {
        /// In the store, or where results are delivered.
        path: PathBuf,
        /// What lies there.
        what: &'static str,
    },
    /// Other processes hold the store.
    #[error("another runner works with the store '{}'{holders}: let it end, then try again", path.display())]
    Busy {
        /// In the store, or where results are delivered.
        path: PathBuf,
        /// Who they are, as far as is known.
        holders: String,
    },
    /// The user asked to stop.
    #[error("interrupted while another runner tidied up the store")]
    Interrupted,
}

/// What stands in the place of a file says more than the kind of the error.
fn cause(error: &io::Error) -> String {
    if says_special(error) { error.to_string() } else { error.kind().to_string() }
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            " (free some space or choose another disk with --artifacts; nothing that existed was lost)"
        }
        io::ErrorKind::NotADirectory => " (a file lies where a folder is meant: choose another with --artifacts)",
        io::ErrorKind::FileTooLarge => {
            " (raise the limit on the size of files, see `ulimit -f`; nothing that existed was lost)"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            " (make the folder writable or choose another with --artifacts)"
        }
        _ => "",
    }
}

/// Attaches what was tried, and on which path, to an I/O error.
pub(super) trait At<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T, StoreError>;
}

impl<T> At<T> for io::Result<T> {
    fn at(self, action: &'static str, path: &Path) -> Result<T, StoreError> {
        self.map_err(|error| StoreError::Io { action, path: path.to_owned(), error })
    }
}

/// Why a table cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// What cannot be hashed is refused: a constant in its place would one day restore a wrong result.
    #[error("column '{0}' has type {1}, which no artifact can hold")]
    Unsupported(String, DataType),
    /// No column has that name.
    #[error("no column '{name}'; the table has {present}")]
    NoColumn {
        /// The column.
        name: String,
        /// The columns that there are.
        present: String,
    },
    /// The column is of another type than the reader wants.
    #[error("column '{name}' has type {found}, not {wanted}")]
    WrongType {
        /// The column.
        name: String,
        /// The column's type.
        found: DataType,
        /// In words.
        wanted: &'static str,
    },
    /// Arrow refused.
    #[error(transparent)]
    Arrow(#[from] ArrowError),
    /// The table's file cannot be had.
    #[error(transparent)]
    Store(#[from] Box<StoreError>),
}
