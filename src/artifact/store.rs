//! `Store`: a folder of content-addressed blobs, action records and small named pointers. Every write is atomic.
//!
//! Layout (format 2), under `artifacts/.store/`:
//!
//! | path | holds |
//! |---|---|
//! | `format` | the layout's version, `runner store 2` |
//! | `blobs/ab/ab12…` | a file by the BLAKE3 digest of its content, read-only |
//! | `records/ab/ab12….json` | what an action (named by its cache key) produced; the last line is a digest of what is before it |
//! | `memo/ab/ab12…` | finer-grained results inside a stage: a digest, then the content; its modification time says when it was last used |
//! | `rows/KEY/DIGEST.rows` | rows of numbers by the content that they come from (`rows`) |
//! | `runs/ID.json`, … | what was run when (see the engine's history) |
//! | `current/PIPELINE/STAGE` | the key of what lies in `artifacts/PIPELINE/STAGE`; while that changes, `placing` and all keys that have files there |
//! | `lock` | the kernel lock that runs share and that `gc` has for itself |
//! | `locks/KEY` | kernel locks of actions and folders; the files themselves mean nothing |
//! | `scratch/NAME` | folders of running programs, see `scratch` |
//! | `tmp/` | files that have no name of their own yet |
//! | `stat` | the stat cache |
//!
//! A commit is: blobs by temporary file, fsync and rename, then the record in the same way, last. So a record's blobs exist. Pointers and the
//! stat cache are atomic too, but nobody waits for the device: what a power failure takes of them, the next run restores from the records.
//!
//! Format 1 had no `lock`, `tmp`, `rows`, `runs`, and records without their last line. It is read as it is, and becomes format 2 when something is
//! written ([`Store::prepare`]). Any other format is refused.
//!
//! Knows nothing of stages; a record is bytes to it. The folder for people is in `place`, locks in `hold`, memos in `memo`, tidying in `collect` and `verify`.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::digest::Digest;
pub use super::disk::write_atomically;
use super::disk::{Access, Disk, Hook, Pending};
use super::stat_cache::{FileStamp, StatCache, stamp_of};

const FORMAT: &str = "runner store 2\n";
/// Formats that are read as they are, and brought to [`FORMAT`] by `prepare`.
const OLDER: &[&str] = &["runner store 1\n"];
/// Begins the last line of a record.
const SEAL: &[u8] = b"\nblake3 ";

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    // The field is not called `source`: the message holds the cause already, and must not be followed by it again.
    #[error("cannot {action} '{}': {}{}", path.display(), error.kind(), remedy(error))]
    Io { action: &'static str, path: PathBuf, error: io::Error },
    #[error(
        "the store '{}' has another format ({found:?}; this runner reads {FORMAT:?} and older): update runner, or use another --artifacts folder",
        path.display()
    )]
    Format { path: PathBuf, found: String },
    #[error("blob {digest} in the store is damaged: {fate}; run again to compute it anew")]
    Damaged { digest: Digest, fate: &'static str },
    #[error("another runner works with the store '{}'{holders}: let it end, then try again", path.display())]
    Busy { path: PathBuf, holders: String },
    #[error("interrupted while another runner tidied up the store")]
    Interrupted,
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

/// How a store treats its files.
#[derive(Clone)]
pub struct StoreOptions {
    /// Wait until the device has what was written, so that a power failure takes no result away. Without it a result survives the end of the
    /// process, but perhaps not that of the machine.
    pub durable: bool,
    /// Asked before and after each file operation; for tests.
    pub hook: Option<Arc<Hook>>,
}

impl Default for StoreOptions {
    fn default() -> Self {
        StoreOptions { durable: true, hook: None }
    }
}

pub struct Store {
    pub(super) root: PathBuf,
    pub(super) disk: Disk,
    stats: StatCache,
    /// Blobs whose content was held against their digest since the store was opened, with the stamp that they had.
    verified: Mutex<HashMap<Digest, FileStamp>>,
}

/// What the store knows of a blob, by its stamp or else by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlobState {
    Sound,
    Missing,
    Damaged,
}

impl Store {
    /// The store of an artifacts folder. Creates nothing: a store that is not there yet is an empty one.
    pub fn open(artifacts: &Path) -> Result<Self, StoreError> {
        Store::open_with(artifacts, StoreOptions::default())
    }

    pub fn open_with(artifacts: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        let disk = Disk::new(options.durable, options.hook);
        let root = artifacts.join(".store");
        let stats = StatCache::open(root.join("stat"), disk.clone());
        let store = Store { root, disk, stats, verified: Mutex::default() };
        store.format()?;
        Ok(store)
    }

    /// Makes the folder ready for writing, of an older format if need be; fails early where that is impossible.
    pub fn prepare(&self) -> Result<(), StoreError> {
        let scratch = self.scratch();
        for folder in [&self.root, &self.root.join("locks"), &scratch] {
            self.disk.create_folder(folder).at("create", folder)?;
        }
        // Last, so that a migration that was cut short is done again.
        if self.format()?.as_deref() != Some(FORMAT) {
            self.write(&self.root.join("format"), FORMAT.as_bytes(), Access::ReadWrite)?;
        }
        self.disk.pending(&scratch).map(drop).at("write in", &scratch)
    }

    /// The format on disk, if it is one that can be read.
    fn format(&self) -> Result<Option<String>, StoreError> {
        let path = self.root.join("format");
        match self.disk.read(&path) {
            Ok(found) => {
                let found = String::from_utf8_lossy(&found).into_owned();
                let known = found == FORMAT || OLDER.contains(&found.as_str());
                if known { Ok(Some(found)) } else { Err(StoreError::Format { path: self.root.clone(), found }) }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).at("read", &path),
        }
    }

    pub fn stats(&self) -> &StatCache {
        &self.stats
    }

    pub fn blob_path(&self, digest: Digest) -> PathBuf {
        self.sharded("blobs", digest)
    }

    /// Keeps `bytes`; a blob that is there already and sound is left alone.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of(bytes);
        if !self.has_verified(digest) {
            let path = self.blob_path(digest);
            self.write(&path, bytes, Access::ReadOnly)?;
            self.note_sound(digest, &path);
        }
        Ok(digest)
    }

    /// A file to be filled, for [`Store::keep`].
    pub(super) fn pending(&self) -> Result<Pending, StoreError> {
        let scratch = self.scratch();
        self.disk.pending(&scratch).at("write in", &scratch)
    }

    /// Keeps a file that was written in pieces and has that digest.
    pub(super) fn keep(&self, pending: Pending, digest: Digest) -> Result<(), StoreError> {
        if !self.has_verified(digest) {
            let path = self.blob_path(digest);
            pending.commit(&path, Access::ReadOnly).at("write", &path)?;
            self.note_sound(digest, &path);
        }
        Ok(())
    }

    /// Whether the blob is there and, by its stamp or else by its content, sound.
    pub fn has(&self, digest: Digest) -> bool {
        self.state(digest) == BlobState::Sound
    }

    pub fn state(&self, digest: Digest) -> BlobState {
        match self.stats.digest(&self.blob_path(digest)) {
            Ok(found) if found == digest => BlobState::Sound,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BlobState::Missing,
            _ => BlobState::Damaged,
        }
    }

    /// The blob's content, verified. A damaged one is removed, so that the next run computes it anew.
    pub fn get(&self, digest: Digest) -> Result<Vec<u8>, StoreError> {
        let path = self.blob_path(digest);
        let looked = stamp_at(&path);
        let bytes = self.disk.read(&path).at("read", &path)?;
        match Digest::of(&bytes) == digest {
            true => Ok(bytes),
            false => Err(self.set_aside(digest, looked)),
        }
    }

    /// The blob's file, its content held against its digest once per stamp while this store is open.
    pub(super) fn open_verified(&self, digest: Digest) -> Result<(PathBuf, File), StoreError> {
        let path = self.blob_path(digest);
        let file = self.disk.open(&path).at("read", &path)?;
        let looked = file.metadata().ok().map(|metadata| stamp_of(&path, &metadata));
        if looked.is_some() && self.verified().get(&digest) == looked.as_ref() {
            return Ok((path, file));
        }
        if Digest::of_reader(&file).at("read", &path)? != digest {
            return Err(self.set_aside(digest, looked));
        }
        if let Some(looked) = looked {
            self.verified().insert(digest, looked);
        }
        Ok((path, file))
    }

    /// By content, unlike [`Store::has`]: what is computed anew because of damage must not be thought to be there already.
    fn has_verified(&self, digest: Digest) -> bool {
        self.blob_path(digest).exists() && self.open_verified(digest).is_ok()
    }

    fn note_sound(&self, digest: Digest, path: &Path) {
        self.stats.note(path, digest);
        if let Some(stamp) = stamp_at(path) {
            self.verified().insert(digest, stamp);
        }
    }

    /// Removes a damaged blob, unless another runner has put a sound one in its place meanwhile.
    fn set_aside(&self, digest: Digest, looked: Option<FileStamp>) -> StoreError {
        let path = self.blob_path(digest);
        // The links to it in folders for people are damaged as well.
        self.stats.forget(digest);
        let removed = stamp_at(&path) != looked || self.disk.remove(&path).is_ok();
        let fate = if removed { "it was removed" } else { "it could not be removed, the store is not writable" };
        StoreError::Damaged { digest, fate }
    }

    fn verified(&self) -> std::sync::MutexGuard<'_, HashMap<Digest, FileStamp>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what an action produced, sealed by a digest in its last line.
    pub fn put_record(&self, key: Digest, bytes: &[u8]) -> Result<(), StoreError> {
        self.write(&self.record_path(key), &seal(bytes), Access::ReadWrite)
    }

    /// The record, unless it is missing or damaged.
    pub fn get_record(&self, key: Digest) -> Option<Vec<u8>> {
        self.read_record(key).ok().flatten()
    }

    /// As [`Store::get_record`], for those to whom a device that cannot be read is not the same as no record.
    pub fn read_record(&self, key: Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.record_path(key);
        match self.disk.read(&path) {
            Ok(content) => Ok(unseal(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).at("read", &path),
        }
    }

    /// Whether there is a record, be it sound or not.
    pub fn has_record(&self, key: Digest) -> bool {
        self.record_path(key).exists()
    }

    pub(super) fn write(&self, path: &Path, bytes: &[u8], access: Access) -> Result<(), StoreError> {
        self.disk.write(&self.scratch(), path, bytes, access).at("write", path)
    }

    /// Where temporary files lie until they get their names.
    pub(super) fn scratch(&self) -> PathBuf {
        self.root.join("tmp")
    }

    pub(super) fn record_path(&self, key: Digest) -> PathBuf {
        self.sharded("records", key).with_extension("json")
    }

    /// `FOLDER/ab/ab12…`: no folder grows beyond what file systems list quickly.
    pub(super) fn sharded(&self, folder: &str, digest: Digest) -> PathBuf {
        let name = digest.to_string();
        self.root.join(folder).join(&name[..2]).join(name)
    }
}

fn seal(bytes: &[u8]) -> Vec<u8> {
    [bytes, SEAL, Digest::of(bytes).to_string().as_bytes(), b"\n"].concat()
}

/// The content without its last line, if that is right. Of format 1 a record has none; what is damaged in it shows when it is parsed.
pub(super) fn unseal(mut content: Vec<u8>) -> Option<Vec<u8>> {
    let Some(at) = content.len().checked_sub(SEAL.len() + 65) else { return Some(content) };
    let Some(line) = content[at..].strip_prefix(SEAL) else { return Some(content) };
    let right = line.strip_suffix(b"\n") == Some(Digest::of(&content[..at]).to_string().as_bytes());
    content.truncate(at);
    right.then_some(content)
}

fn stamp_at(path: &Path) -> Option<FileStamp> {
    path.metadata().ok().map(|metadata| stamp_of(path, &metadata))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn blobs_records_memos_and_pointers_come_back_as_they_went() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.prepare().unwrap();
        let digest = store.put(b"rows").unwrap();
        assert!(store.has(digest));
        assert_eq!(store.get(digest).unwrap(), b"rows");
        store.put_record(digest, b"{}").unwrap();
        assert_eq!(store.get_record(digest).unwrap(), b"{}");
        store.put_memo(digest, b"trial").unwrap();
        assert_eq!(store.get_memo(digest).unwrap(), b"trial");
        store.set_current("full", "songs", digest).unwrap();
        assert_eq!(store.current("full", "songs"), Some(digest));
        assert_eq!(Store::open(folder.path()).unwrap().current("full", "titles"), None);
    }

    #[test]
    fn a_damaged_blob_is_found_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.prepare().unwrap();
        let digest = store.put(b"rows").unwrap();
        let path = store.blob_path(digest);
        fs::remove_file(&path).unwrap();
        fs::write(&path, b"rowz").unwrap();
        assert!(!store.has(digest));
        assert!(matches!(store.get(digest), Err(StoreError::Damaged { .. })));
        store.put(b"rows").unwrap();
        assert_eq!(store.get(digest).unwrap(), b"rows");
    }

    #[test]
    fn an_unknown_format_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".store")).unwrap();
        fs::write(folder.path().join(".store/format"), "runner store 9\n").unwrap();
        assert!(matches!(Store::open(folder.path()), Err(StoreError::Format { .. })));
    }
}
