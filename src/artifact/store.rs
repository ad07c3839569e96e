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
//! Formats are in `format`, the folder for people in `place`, locks in `hold`, memos in `memo`, tidying in `collect` and `verify`, what stands in the place of
//! a file in `obstacle`. A record is bytes here.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::SystemTime;

use super::digest::Digest;
use super::disk::{Access, Disk, Hook, Pending};

use super::error::{At, StoreError};
use super::layout::{digest_in, is_link, is_no_file, seal, unseal};
use super::stamp::FileStamp;
use super::stat_cache::StatCache;

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

///
/// ```
/// use runner_artifact::{Digest, Store};
///
/// let folder = tempfile::tempdir()?;
/// let store = Store::open(folder.path())?;
/// store.prepare()?;
/// let digest = store.put(b"content")?;
/// assert_eq!(digest, Digest::of(b"content"));
/// assert_eq!(store.get(digest)?, b"content");
/// assert!(!store.has(Digest::of(b"something else")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Store {
    pub(super) root: PathBuf,
    pub(super) disk: Disk,
    stats: StatCache,
    /// Files whose content was held against their digest since the store was opened, with the stamp that they had.
    verified: Mutex<HashMap<Digest, FileStamp>>,
    /// Blobs that were found damaged and removed since then, and have not been put back yet.
    set_aside: Mutex<HashSet<Digest>>,
    /// Held by who gives a blob its name, and alone by who removes a damaged one: a sound one that came in its place meanwhile must stay.
    pub(super) removal: RwLock<()>,
}

/// What the store knows of a blob, by its stamp or else by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlobState {
    /// Its content has the digest that it is named by.
    Sound,
    /// There is none.
    Missing,
    /// Its content has another digest.
    Damaged,
}

impl Store {
    /// The store of an artifacts folder. Creates nothing: a store that is not there yet is an empty one.
    pub fn open(artifacts: &Path) -> Result<Self, StoreError> {
        Store::open_with(artifacts, StoreOptions::default())
    }

    /// Opens a store with settings other than the usual ones.
    pub fn open_with(artifacts: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        let disk = Disk::new(options.durable, options.hook);
        let root = artifacts.join(".store");
        let stats = StatCache::open(root.join("stat"), disk.clone());
        let (verified, set_aside, removal) = Default::default();
        let store = Store { root, disk, stats, verified, set_aside, removal };
        store.refuse_links()?;
        store.check_format()?;
        Ok(store)
    }

    /// Makes the folder ready for writing, of an older format if need be; fails early where that is impossible.
    pub fn prepare(&self) -> Result<(), StoreError> {
        let scratch = self.scratch();
        self.refuse_links()?;
        for folder in [&self.root, &self.root.join("locks"), &scratch] {
            self.disk.create_folder(folder).at("create", folder)?;
        }
        // Last, so that a migration that was cut short is done again.
        self.renew_format()?;
        self.disk.pending(&scratch).map(drop).at("write in", &scratch)
    }

    /// The store's own folders lie in the artifacts folder, so that nothing is written elsewhere. That may be a link: the user named it.
    fn refuse_links(&self) -> Result<(), StoreError> {
        let folders = ["blobs", "records", "memo", "rows", "runs", "current", "locks", "scratch", "tmp"];
        let folders = folders.map(|name| self.root.join(name));
        match std::iter::once(&self.root).chain(&folders).find(|path| is_link(path)) {
            Some(path) => Err(StoreError::Link { path: path.clone() }),
            None => Ok(()),
        }
    }

    /// Digests of files that were read before.
    pub fn stats(&self) -> &StatCache {
        &self.stats
    }

    /// Where the blob is or would be.
    pub fn blob_path(&self, digest: Digest) -> PathBuf {
        self.sharded("blobs", digest)
    }

    /// Keeps `bytes`; a blob that is there already and sound is left alone.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of(bytes);
        if !self.has_verified(digest) {
            let path = self.blob_path(digest);
            let _writing = self.removal.read();
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
            self.refuse_links_above(&path)?;
            self.make_way(&path)?;
            let _writing = self.removal.read();
            pending.commit(&path, Access::ReadOnly).at("write", &path)?;
            self.note_sound(digest, &path);
        }
        Ok(())
    }

    /// Whether the blob is there and, by its stamp or else by its content, sound.
    pub fn has(&self, digest: Digest) -> bool {
        self.state(digest) == BlobState::Sound
    }

    /// Reads and hashes it, once in a process.
    pub fn state(&self, digest: Digest) -> BlobState {
        let path = self.blob_path(digest);
        let Ok(stamp) = FileStamp::at(&path) else {
            let damaged = locked(&self.set_aside).contains(&digest);
            return if damaged { BlobState::Damaged } else { BlobState::Missing };
        };
        if self.was_verified(digest, stamp) || self.stats.digest(&path).is_ok_and(|found| found == digest) {
            return BlobState::Sound;
        }
        BlobState::Damaged
    }

    /// The blob's content, verified. A damaged one is removed, so that the next run computes it anew.
    pub fn get(&self, digest: Digest) -> Result<Vec<u8>, StoreError> {
        let path = self.blob_path(digest);
        let looked = FileStamp::at(&path).ok();
        let bytes = self.disk.read(&path).map_err(|error| self.unreadable(digest, &path, error))?;
        match Digest::of(&bytes) == digest {
            true => Ok(bytes),
            false => Err(self.set_aside(digest, looked)),
        }
    }

    /// Reads the blob, unless this was done while the store is open and its stamp is the same, and removes a damaged one.
    pub fn examine(&self, digest: Digest) -> Result<(), StoreError> {
        self.open_verified(digest).map(drop)
    }

    /// The blob's file, its content held against its digest once per stamp while this store is open.
    pub(super) fn open_verified(&self, digest: Digest) -> Result<(PathBuf, File), StoreError> {
        let path = self.blob_path(digest);
        let file = self.disk.open(&path).map_err(|error| self.unreadable(digest, &path, error))?;
        match self.holds_by_content(digest, &path, &file) {
            Ok(true) => Ok((path, file)),
            Ok(false) => {
                let looked = file.metadata().ok().map(|metadata| FileStamp::of(&path, &metadata));
                Err(self.set_aside(digest, looked))
            }
            Err(error) => Err(error).at("read", &path),
        }
    }

    /// Whether the open file has that content: by reading it, once per stamp while this store is open.
    pub(super) fn holds_by_content(&self, digest: Digest, path: &Path, file: &File) -> io::Result<bool> {
        let moment = SystemTime::now();
        let stamp = FileStamp::of(path, &file.metadata()?);
        if self.was_verified(digest, stamp) {
            return Ok(true);
        }
        if Digest::of_reader(file)? != digest {
            return Ok(false);
        }
        self.stats.note(stamp, digest, moment);
        locked(&self.verified).insert(digest, stamp);
        Ok(true)
    }

    /// By content, unlike [`Store::has`]: what is computed anew because of damage must not be thought to be there already.
    fn has_verified(&self, digest: Digest) -> bool {
        self.blob_path(digest).exists() && self.open_verified(digest).is_ok()
    }

    pub(super) fn was_verified(&self, digest: Digest, stamp: FileStamp) -> bool {
        locked(&self.verified).get(&digest) == Some(&stamp)
    }

    /// A file of that content was just written.
    pub(super) fn note_sound(&self, digest: Digest, path: &Path) {
        if let Ok(stamp) = FileStamp::at(path) {
            locked(&self.verified).insert(digest, stamp);
        }
        locked(&self.set_aside).remove(&digest);
    }

    /// A blob was found damaged, and is removed now.
    pub(super) fn note_damaged(&self, digest: Digest) {
        locked(&self.set_aside).insert(digest);
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
            Err(error) if is_no_file(&error) => Ok(None),
            Err(error) => Err(error).at("read", &path),
        }
    }

    /// The keys of all records.
    pub fn record_keys(&self) -> Result<Vec<Digest>, StoreError> {
        Ok(self.files_below(&self.root.join("records"))?.iter().filter_map(|path| digest_in(path)).collect())
    }

    /// Whether there is a record, be it sound or not.
    pub fn has_record(&self, key: Digest) -> bool {
        self.record_path(key).exists()
    }

    pub(super) fn write(&self, path: &Path, bytes: &[u8], access: Access) -> Result<(), StoreError> {
        self.refuse_links_above(path)?;
        self.make_way(path)?;
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

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
}
