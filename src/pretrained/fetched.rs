//! Files of an encoder on their way from a hub to the cache.

use std::path::PathBuf;

/// A file in the staging folder.
pub(super) struct Fetched {
    /// Relative to the encoder's folder.
    pub(crate) path: String,
    /// The file itself.
    pub(crate) file: PathBuf,
    /// What the hub calls it: for large files the sha256.
    pub(crate) tag: Option<String>,
}

/// What came: the commit of all files, and the files.
pub(super) struct Snapshot {
    pub(crate) commit: String,
    pub(crate) files: Vec<Fetched>,
}

/// A fetched file, ready to be published.
pub(super) struct CheckedFile {
    /// Relative to the encoder's folder.
    pub(crate) path: String,
    /// Where it waits.
    pub(crate) file: PathBuf,
    pub(crate) sha256: String,
}
