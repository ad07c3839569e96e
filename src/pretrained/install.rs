//! Copies the files of an encoder, from a folder or an archive, into the models folder.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::archive::Archive;
use super::catalogue::CatalogueEntry;
use super::contents::{self, Wanted};
use super::error::ResolveError;
use super::hash_cache::{Verified, copy_hashed};
use super::staging::Staging;
use super::{FetchProgress, Located, Origin, name};
use runner_boundary::files::open_regular;

/// Where the files are read from.
pub(super) enum Source {
    Folder(PathBuf),
    Archive(Box<Archive>),
}

impl Source {
    pub(super) fn open(path: &Path) -> Result<Source, ResolveError> {
        if path.is_dir() {
            return Ok(Source::Folder(path.to_path_buf()));
        }
        if !path.exists() {
            return Err(ResolveError::NoFolder {
                path: path.to_path_buf(),
                remedy: ", nor a zip or wheel of that name",
            });
        }
        contents::regular_bytes(path)?;
        Ok(Source::Archive(Box::new(Archive::open(path)?.encoder()?)))
    }

    fn place(&self) -> String {
        match self {
            Source::Folder(path) => format!("'{}'", path.display()),
            Source::Archive(_) => "the archive".to_string(),
        }
    }

    /// Size of a file, if it is there. One that is larger than such a file may be is refused.
    fn bytes(&self, file: &str) -> Result<Option<u64>, ResolveError> {
        let bytes = match self {
            Source::Folder(folder) => contents::regular_bytes(&folder.join(file))?,
            Source::Archive(archive) => archive.bytes(file),
        };
        match bytes {
            Some(bytes) if bytes > contents::largest(file) => {
                let most = contents::largest(file);
                Err(self.refused(format!("{file} has {bytes} bytes, more than the {most} that such a file may have")))
            }
            bytes => Ok(bytes),
        }
    }

    fn modules(&mut self) -> Result<Option<Vec<u8>>, ResolveError> {
        let file = "modules.json";
        if self.bytes(file)?.is_none() {
            return Ok(None);
        }
        match self {
            Source::Folder(folder) => contents::read_modules(folder),
            Source::Archive(archive) => {
                let mut text = Vec::new();
                archive.copy(file, &mut text, &mut |_| true)?;
                Ok(Some(text))
            }
        }
    }

    fn refused(&self, reason: String) -> ResolveError {
        match self {
            Source::Folder(folder) => ResolveError::Refused { place: folder.clone(), reason },
            Source::Archive(archive) => ResolveError::Archive { path: archive.path().to_path_buf(), reason },
        }
    }

    /// Copies one file; returns its sha256.
    fn copy(&mut self, file: &str, to: &Path, progress: &dyn FetchProgress) -> Result<String, ResolveError> {
        let total = self.bytes(file)?.unwrap_or(0);
        let mut target = File::create(to).map_err(ResolveError::io("writing", to))?;
        let mut go_on = |done| {
            progress.bytes(file, done, total);
            !progress.cancelled()
        };
        let sha256 = match self {
            Source::Folder(folder) => {
                let path = folder.join(file);
                let fail = ResolveError::io("copying", &path);
                // One byte more shows that the file has grown, which it might go on to do.
                let from = open_regular(&path).map_err(ResolveError::io("opening", &path))?;
                let sha256 = copy_hashed(&mut from.take(total + 1), &mut target, &mut go_on).map_err(fail)?;
                let copied = target.metadata().map_err(ResolveError::io("reading", to))?.len();
                if sha256.is_some() && copied != total {
                    return Err(self.refused(format!("{file} changed while it was copied")));
                }
                sha256
            }
            Source::Archive(archive) => archive.copy(file, &mut target, &mut go_on)?,
        };
        sha256.ok_or(ResolveError::Cancelled)
    }
}

/// An encoder's files, copied and hashed but not yet visible.
pub(super) struct Staged {
    folder: PathBuf,
    /// (path, sha256) of all files, companions included.
    pub(crate) files: Vec<(String, String)>,
}

impl Staged {
    /// Removes what no pin names: under a catalogued name there is nothing that its digest does not cover.
    pub(super) fn keep_only(&mut self, entry: &CatalogueEntry) -> Result<(), ResolveError> {
        let (kept, other): (Vec<_>, Vec<_>) =
            self.files.drain(..).partition(|(path, _)| entry.files.iter().any(|pin| pin.path == path));
        self.files = kept;
        for (path, _) in other {
            let path = self.folder.join(path);
            fs::remove_file(&path).map_err(ResolveError::io("removing", &path))?;
        }
        Ok(())
    }
}

/// Copies an encoder's files into `staging`, refusing at once a file that is not the pinned one.
pub(super) fn stage(
    staging: &Staging,
    source: &mut Source,
    entry: Option<&'static CatalogueEntry>,
    progress: &dyn FetchProgress,
) -> Result<Staged, ResolveError> {
    let folder = staging.folder("model")?;
    let modules = source.modules()?;
    let (mut present, mut missing) = (Vec::new(), Vec::new());
    let mut total = 0u64;
    for file in contents::wanted(entry, modules.as_deref()).map_err(|reason| source.refused(reason))? {
        match source.bytes(&file.path)? {
            Some(bytes) => {
                total = total.saturating_add(bytes);
                present.push(file);
            }
            None => missing.push(file),
        }
    }
    if total > contents::LARGEST_ENCODER {
        let most = contents::LARGEST_ENCODER;
        return Err(source.refused(format!("its files have {total} bytes together, more than {most}")));
    }
    contents::complete(&source.place(), &missing)?;
    let mut files = Vec::new();
    for Wanted { path, .. } in present {
        let target = folder.join(&path);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(ResolveError::io("creating", parent))?;
        }
        let sha256 = source.copy(&path, &target, progress)?;
        if let Some(entry) = entry {
            entry.check(&source.place(), &path, &sha256)?;
        }
        files.push((path, sha256));
    }
    Ok(Staged { folder, files })
}

/// Makes staged files visible as `name`. The caller holds the lock of that name.
pub(super) fn commit(
    models: &Path,
    staging: &Staging,
    staged: Staged,
    name: &str,
    origin: Origin,
) -> Result<Located, ResolveError> {
    let target = models.join(name::to_folder(name));
    staging.install(&staged.folder, &target)?;
    let mut verified = Verified::open(models);
    for (path, sha256) in &staged.files {
        verified.record(&target.join(path), sha256);
    }
    verified.save();
    Ok(Located { folder: target, origin, revision: None })
}
