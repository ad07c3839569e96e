//! `Store`: a folder of content-addressed blobs, action records and small named pointers. Every write is atomic.
//!
//! Layout (version 1), under `artifacts/.store/`:
//!
//! | path | holds |
//! |---|---|
//! | `format` | the layout's version |
//! | `blobs/ab/ab12…` | a file by the BLAKE3 digest of its content, read-only |
//! | `records/ab/ab12….json` | what an action (named by its cache key) produced |
//! | `memo/ab/ab12…` | finer-grained results inside a stage |
//! | `current/PIPELINE/STAGE` | the key of what lies in `artifacts/PIPELINE/STAGE` |
//! | `locks/KEY` | kernel locks; the files themselves mean nothing |
//! | `tmp/` | files that have no name of their own yet |
//! | `stat.json` | the stat cache |
//!
//! A commit is: blobs by temporary file, fsync and rename, then the record in the same way, last. So a record's blobs exist.
//! Knows nothing of stages; a record is bytes to it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::digest::Digest;
pub use super::disk::write_atomically;
use super::disk::{Access, Disk, Hook};
use super::stat_cache::StatCache;

const FORMAT: &str = "runner store 1\n";

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    // The field is not called `source`: the message holds the cause already, and must not be followed by it again.
    #[error("cannot {action} '{}': {}{}", path.display(), error.kind(), remedy(error))]
    Io { action: &'static str, path: PathBuf, error: io::Error },
    #[error("the store '{}' has another format ({found:?}, this runner writes {FORMAT:?}); use another --artifacts folder", path.display())]
    Format { path: PathBuf, found: String },
    #[error("blob {digest} in the store is damaged: it was set aside, run again to compute it anew")]
    Damaged { digest: Digest },
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
trait At<T> {
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
    root: PathBuf,
    disk: Disk,
    stats: StatCache,
}

/// A lock that the kernel releases with its process; nothing to clean up.
pub struct ActionLock {
    _file: File,
}

impl Store {
    /// The store of an artifacts folder. Creates nothing: a store that is not there yet is an empty one.
    pub fn open(artifacts: &Path) -> Result<Self, StoreError> {
        Store::open_with(artifacts, StoreOptions::default())
    }

    pub fn open_with(artifacts: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        let disk = Disk::new(options.durable, options.hook);
        let root = artifacts.join(".store");
        let format = root.join("format");
        match fs::read_to_string(&format) {
            Ok(found) if found == FORMAT => {}
            Ok(found) => return Err(StoreError::Format { path: root, found }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).at("read", &format),
        }
        let stats = StatCache::open(root.join("stat.json"), disk.clone());
        Ok(Store { root, disk, stats })
    }

    /// Makes the folder ready for writing; fails early where that is impossible.
    pub fn prepare(&self) -> Result<(), StoreError> {
        let scratch = self.scratch();
        for folder in [&self.root, &self.root.join("locks"), &scratch] {
            self.disk.create_folder(folder).at("create", folder)?;
        }
        let format = self.root.join("format");
        if !format.exists() {
            self.write(&format, FORMAT.as_bytes(), Access::ReadWrite)?;
        }
        self.disk.pending(&scratch).map(drop).at("write in", &scratch)
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
        if !self.has(digest) {
            let path = self.blob_path(digest);
            self.write(&path, bytes, Access::ReadOnly)?;
            self.stats.note(&path, digest);
        }
        Ok(digest)
    }

    /// Whether the blob is there and, by its stamp or else by its content, sound.
    pub fn has(&self, digest: Digest) -> bool {
        self.stats.digest(&self.blob_path(digest)).is_ok_and(|found| found == digest)
    }

    /// The blob's content, verified. A damaged one is removed, so that the next run computes it anew.
    pub fn get(&self, digest: Digest) -> Result<Vec<u8>, StoreError> {
        let path = self.blob_path(digest);
        let bytes = self.disk.read(&path).at("read", &path)?;
        if Digest::of(&bytes) != digest {
            self.disk.remove(&path).at("remove", &path)?;
            return Err(StoreError::Damaged { digest });
        }
        Ok(bytes)
    }

    pub fn put_record(&self, key: Digest, bytes: &[u8]) -> Result<(), StoreError> {
        self.write(&self.record_path(key), bytes, Access::ReadWrite)
    }

    pub fn get_record(&self, key: Digest) -> Option<Vec<u8>> {
        self.disk.read(&self.record_path(key)).ok()
    }

    pub fn put_memo(&self, key: Digest, bytes: &[u8]) -> Result<(), StoreError> {
        // The digest in front finds a damaged memo, which then is no memo at all.
        let mut content = Digest::of(bytes).to_string().into_bytes();
        content.extend_from_slice(bytes);
        self.write(&self.sharded("memo", key), &content, Access::ReadWrite)
    }

    pub fn get_memo(&self, key: Digest) -> Option<Vec<u8>> {
        let mut content = self.disk.read(&self.sharded("memo", key)).ok()?;
        if content.len() < 64 {
            return None;
        }
        let bytes = content.split_off(64);
        (content == Digest::of(&bytes).to_string().as_bytes()).then_some(bytes)
    }

    /// The key of what lies in the folder of that stage, if any.
    pub fn current(&self, pipeline: &str, stage: &str) -> Option<Digest> {
        let bytes = self.disk.read(&self.current_path(pipeline, stage)).ok()?;
        String::from_utf8(bytes).ok()?.trim().parse().ok()
    }

    pub fn set_current(&self, pipeline: &str, stage: &str, key: Digest) -> Result<(), StoreError> {
        self.write(&self.current_path(pipeline, stage), format!("{key}\n").as_bytes(), Access::ReadWrite)
    }

    /// Waits until no other runner works on the same action.
    pub fn lock(&self, key: Digest) -> Result<ActionLock, StoreError> {
        let path = self.root.join("locks").join(key.to_string());
        let file = self.disk.open_lock(&path).at("open", &path)?;
        file.lock().at("lock", &path)?;
        Ok(ActionLock { _file: file })
    }

    /// Puts a blob at `target` for people: a hard link where possible (read-only, no space), else a copy.
    pub fn materialise(&self, digest: Digest, target: &Path) -> Result<(), StoreError> {
        self.disk.link(&self.scratch(), &self.blob_path(digest), target).at("write", target)?;
        self.stats.note(target, digest);
        Ok(())
    }

    /// Takes away what [`Store::materialise`] put there.
    pub fn remove_materialised(&self, target: &Path) -> Result<(), StoreError> {
        self.disk.remove(target).at("remove", target)
    }

    /// Whether `target` holds exactly that blob.
    pub fn is_materialised(&self, digest: Digest, target: &Path) -> bool {
        self.stats.digest(target).is_ok_and(|found| found == digest)
    }

    fn write(&self, path: &Path, bytes: &[u8], access: Access) -> Result<(), StoreError> {
        self.disk.write(&self.scratch(), path, bytes, access).at("write", path)
    }

    /// Where temporary files lie until they get their names.
    fn scratch(&self) -> PathBuf {
        self.root.join("tmp")
    }

    fn record_path(&self, key: Digest) -> PathBuf {
        self.sharded("records", key).with_extension("json")
    }

    fn current_path(&self, pipeline: &str, stage: &str) -> PathBuf {
        self.root.join("current").join(pipeline).join(stage)
    }

    /// `FOLDER/ab/ab12…`: no folder grows beyond what file systems list quickly.
    fn sharded(&self, folder: &str, digest: Digest) -> PathBuf {
        let name = digest.to_string();
        self.root.join(folder).join(&name[..2]).join(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
