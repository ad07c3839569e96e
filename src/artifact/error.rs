//! What can go wrong with a store and with a table.

use std::io;
use std::path::{Path, PathBuf};

use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use super::digest::Digest;
use super::layout::CURRENT;
use runner_boundary::files::says_special;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    // The field is not called `source`: the message holds the cause already, and must not be followed by it again.
    #[error("cannot {action} '{}': {}{}", path.display(), cause(error), remedy(error))]
    Io { action: &'static str, path: PathBuf, error: io::Error },
    #[error(
        "the store '{}' has a newer format ({found}; this runner reads {} and older): update runner, or use another --artifacts folder; if no newer runner \
         was ever used on it, its file `format` is damaged: remove that file",
        path.display(),
        CURRENT
    )]
    Format { path: PathBuf, found: u32 },
    #[error(
        "'{}' is damaged, and nothing beside it shows that this is a store of runner: if it is one, remove that file and run again; else use another --artifacts folder",
        path.display()
    )]
    FormatDamaged { path: PathBuf },
    #[error("blob {digest} in the store is damaged: {fate}; run again to compute it anew")]
    Damaged { digest: Digest, fate: &'static str },
    #[error("blob {digest} is missing in the store; run again to compute it anew")]
    Missing { digest: Digest },
    #[error(
        "'{}' is a symbolic link, and nothing is written or removed through links: remove it (for results on another disk, name a folder there with --artifacts)",
        path.display()
    )]
    Link { path: PathBuf },
    #[error("'{}' {what}, but a result belongs there: move it away and run again", path.display())]
    InTheWay { path: PathBuf, what: &'static str },
    #[error("another runner works with the store '{}'{holders}: let it end, then try again", path.display())]
    Busy { path: PathBuf, holders: String },
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

#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// What cannot be hashed is refused: a constant in its place would one day restore a wrong result.
    #[error("column '{0}' has type {1}, which no artifact can hold")]
    Unsupported(String, DataType),
    #[error("no column '{name}'; the table has {present}")]
    NoColumn { name: String, present: String },
    #[error("column '{name}' has type {found}, not {wanted}")]
    WrongType { name: String, found: DataType, wanted: &'static str },
    #[error(transparent)]
    Arrow(#[from] ArrowError),
    #[error(transparent)]
    Store(#[from] Box<StoreError>),
}
