//! Holds files against their pins: those of a folder, those fresh from the hub, and a look without reading.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::catalogue::CatalogueEntry;
use super::error::ResolveError;
use super::fetched::{CheckedFile, Fetched, Snapshot};
use super::hash_cache::{Verified, copy_hashed};
use super::{FetchProgress, Located, Resolved};
use super::{contents, digest};

/// Hashes the files of a folder and holds them against the pins.
pub(super) fn check_folder(
    name: &str,
    located: &Located,
    entry: Option<&'static CatalogueEntry>,
    verified: &mut Verified,
    progress: &dyn FetchProgress,
) -> Result<Resolved, ResolveError> {
    let place = format!("'{}'", located.folder.display());
    let mut files = Vec::new();
    let present = contents::in_folder(&located.folder, entry)?;
    let states_length = entry.is_some() || contents::states_length(&located.folder, &present);
    for file in present {
        let path = located.folder.join(&file);
        let sha256 = verified
            .sha256(&path, &|| progress.cancelled())
            .map_err(ResolveError::io("reading", &path))?
            .ok_or(ResolveError::Cancelled)?;
        if let Some(entry) = entry {
            entry.check(&place, &file, &sha256)?;
        }
        if digest::decides_vectors(&file, states_length) {
            files.push((file, sha256));
        }
    }
    files.sort();
    Ok(Resolved {
        name: name.to_string(),
        folder: located.folder.clone(),
        digest: digest::digest(&files),
        origin: located.origin,
        pinned: entry.is_some(),
        revision: located.revision.clone(),
        files,
    })
}

/// Holds freshly fetched files against the pins, or, without pins, against the sha256 that the hub gives as tag of large files.
pub(super) fn check_snapshot(
    endpoint: &str,
    entry: Option<&'static CatalogueEntry>,
    snapshot: Snapshot,
    progress: &dyn FetchProgress,
) -> Result<Vec<CheckedFile>, ResolveError> {
    let mut checked = Vec::new();
    for Fetched { path, file, tag } in snapshot.files {
        let sha256 = File::open(&file)
            .and_then(|mut bytes| copy_hashed(&mut bytes, &mut io::sink(), &mut |_| !progress.cancelled()))
            .map_err(ResolveError::io("reading", &file))?
            .ok_or(ResolveError::Cancelled)?;
        if let Some(entry) = entry {
            entry.check(endpoint, &path, &sha256)?;
        }
        let tag = tag.unwrap_or_default().to_ascii_lowercase();
        let is_sha256 = tag.len() == 64 && tag.bytes().all(|b| b.is_ascii_hexdigit());
        if is_sha256 && tag != sha256 {
            let reason = format!("{path} came damaged (sha256 {sha256}, expected {tag})");
            return Err(ResolveError::Hub(reason));
        }
        checked.push(CheckedFile { path, file, sha256 });
    }
    Ok(checked)
}

/// Complete, and nothing cheap speaks against the pins: sizes, and sums of unchanged files.
pub(super) fn is_plausible(folder: &Path, entry: Option<&'static CatalogueEntry>, verified: &Verified) -> bool {
    if contents::in_folder(folder, entry).is_err() {
        return false;
    }
    entry.into_iter().flat_map(|entry| entry.files).all(|pin| {
        let path = folder.join(pin.path);
        let Ok(metadata) = fs::metadata(&path) else {
            return true; // A missing companion: the required files were seen above.
        };
        metadata.len() == pin.bytes && verified.known(&path).is_none_or(|sha256| sha256 == pin.sha256)
    })
}
