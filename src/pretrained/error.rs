//! What can go wrong while an encoder is found, fetched or imported.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The encoder that needs no files.
pub(super) const BUILT_IN: &str = "tfidf";

/// Why there is no encoder.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each message says what its values are")]
pub enum ResolveError {
    /// The user asked to stop.
    #[error("interrupted")]
    Cancelled,

    /// No folder, and not of the form `NAME` or `ORGANISATION/NAME`.
    #[error(
        "'{0}' is not the name of an encoder: give a folder, an id such as \
         'sentence-transformers/all-MiniLM-L6-v2', or the name of an imported encoder"
    )]
    BadName(String),

    /// The built-in encoder has no files.
    #[error("'{BUILT_IN}' is built in: it needs no files, and no other encoder can have its name")]
    BuiltIn,

    /// The files are there, and cannot be used.
    #[error("{reason}: {help}, with `--name`")]
    Unusable { reason: String, help: String },

    /// No folder lies there.
    #[error("no encoder folder '{}'{}", .path.display(), .remedy)]
    NoFolder { path: PathBuf, remedy: &'static str },

    /// `place` is a folder or an archive.
    #[error("{place} lacks {}: an encoder needs config.json, tokenizer.json and model.safetensors", .missing.join(", "))]
    Incomplete { place: String, missing: Vec<String> },

    /// A file is not the pinned one.
    #[error(
        "{file} of '{encoder}' from {place} is not the pinned file (sha256 {actual}, expected {expected}); refused"
    )]
    Mismatch { encoder: String, place: String, file: String, expected: String, actual: String },

    /// A device, pipe or folder in place of a file.
    #[error("'{}' is {kind}, not a file; refused", .path.display())]
    Special { path: PathBuf, kind: &'static str },

    /// Something in a folder contradicts itself or would lead out of it.
    #[error("'{}': {reason}", .place.display())]
    Refused { place: PathBuf, reason: String },

    /// An archive that cannot be unpacked.
    #[error("archive '{}': {reason}", .path.display())]
    Archive { path: PathBuf, reason: String },

    /// The hub was not reached, or lacks the encoder. `resolve` goes on to the mirror and tells both in `Unreachable`.
    #[error("{0}")]
    Hub(String),

    /// The mirror gave nothing.
    #[error("{0}")]
    Mirror(String),

    /// No source has it.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),

    /// The file system refused.
    #[error("{doing} '{}': {source}", .path.display())]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
}

impl ResolveError {
    /// For `map_err`: names the deed and the path beside the system's reason.
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ResolveError {
        let path = path.to_path_buf();
        move |source| ResolveError::Io { doing, path, source }
    }
}

/// One source that was tried, and why it gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// E.g. `hub https://huggingface.co`.
    pub source: String,
    pub(crate) reason: String,
}

/// Every source was tried in vain. Its text has one line per source, and then the ways to go on.
#[derive(Debug)]
pub struct Unreachable {
    pub(crate) encoder: String,
    /// Each source, and why it did not help.
    pub tried: Vec<Attempt>,
    /// A command that brings the mirror's file on a machine with a network, where the catalogue names one.
    pub(crate) elsewhere: Option<String>,
}

impl std::error::Error for Unreachable {}

impl fmt::Display for Unreachable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tried: Vec<String> =
            self.tried.iter().map(|attempt| format!("{}: {}", attempt.source, attempt.reason)).collect();
        write!(f, "encoder '{}' was found nowhere ({}); ", self.encoder, tried.join("; "))?;
        match &self.elsewhere {
            Some(command) => write!(
                f,
                "run `{command}` on a machine with a network, then here `runner models import FOLDER_OR_WHEELS`"
            )?,
            None => write!(f, "run `runner models import FOLDER_OR_WHEELS --name {}`", self.encoder)?,
        }
        write!(f, "; or take the built-in encoder with `--set STAGE.encoder=tfidf`, with the name of the stage")
    }
}
