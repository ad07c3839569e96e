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
//! | `stat` | the stat cache |
//!
//! A commit is: blobs by temporary file, fsync and rename, then the record in the same way, last. So a record's blobs exist.
//! Knows nothing of stages; a record is bytes to it.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::digest::Digest;
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

pub struct Store {
    root: PathBuf,
    stats: StatCache,
}

/// A lock that the kernel releases with its process; nothing to clean up.
pub struct ActionLock {
    _file: File,
}

impl Store {
    /// The store of an artifacts folder. Creates nothing: a store that is not there yet is an empty one.
    pub fn open(artifacts: &Path) -> Result<Self, StoreError> {
        let root = artifacts.join(".store");
        let format = root.join("format");
        match fs::read_to_string(&format) {
            Ok(found) if found == FORMAT => {}
            Ok(found) => return Err(StoreError::Format { path: root, found }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error).at("read", &format),
        }
        let stats = StatCache::open(root.join("stat"));
        Ok(Store { root, stats })
    }

    /// Makes the folder ready for writing; fails early where that is impossible.
    pub fn prepare(&self) -> Result<(), StoreError> {
        let format = self.root.join("format");
        if !format.exists() {
            fs::create_dir_all(&self.root).at("create", &self.root)?;
            write_atomically(&format, FORMAT.as_bytes()).at("write", &format)?;
        }
        let probe = self.root.join("locks");
        fs::create_dir_all(&probe).at("create", &probe)?;
        tempfile::tempfile_in(&probe).at("write in", &probe)?;
        Ok(())
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
            write_read_only(&path, bytes).at("write", &path)?;
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
        let bytes = fs::read(&path).at("read", &path)?;
        if Digest::of(&bytes) != digest {
            fs::remove_file(&path).at("remove", &path)?;
            return Err(StoreError::Damaged { digest });
        }
        Ok(bytes)
    }

    pub fn put_record(&self, key: Digest, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.record_path(key);
        write_atomically(&path, bytes).at("write", &path)
    }

    pub fn get_record(&self, key: Digest) -> Option<Vec<u8>> {
        fs::read(self.record_path(key)).ok()
    }

    pub fn put_memo(&self, key: Digest, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.sharded("memo", key);
        // The digest in front finds a damaged memo, which then is no memo at all.
        let mut content = Digest::of(bytes).to_string().into_bytes();
        content.extend_from_slice(bytes);
        write_atomically(&path, &content).at("write", &path)
    }

    pub fn get_memo(&self, key: Digest) -> Option<Vec<u8>> {
        let mut content = fs::read(self.sharded("memo", key)).ok()?;
        if content.len() < 64 {
            return None;
        }
        let bytes = content.split_off(64);
        (content == Digest::of(&bytes).to_string().as_bytes()).then_some(bytes)
    }

    /// The key of what lies in the folder of that stage, if any.
    pub fn current(&self, pipeline: &str, stage: &str) -> Option<Digest> {
        fs::read_to_string(self.current_path(pipeline, stage)).ok()?.trim().parse().ok()
    }

    pub fn set_current(&self, pipeline: &str, stage: &str, key: Digest) -> Result<(), StoreError> {
        let path = self.current_path(pipeline, stage);
        write_atomically(&path, format!("{key}\n").as_bytes()).at("write", &path)
    }

    /// Waits until no other runner works on the same action.
    pub fn lock(&self, key: Digest) -> Result<ActionLock, StoreError> {
        let path = self.root.join("locks").join(key.to_string());
        let file = File::options().create(true).truncate(false).write(true).open(&path).at("open", &path)?;
        file.lock().at("lock", &path)?;
        Ok(ActionLock { _file: file })
    }

    /// The same without waiting: `None` if another runner has it.
    pub fn try_lock(&self, key: Digest) -> Result<Option<ActionLock>, StoreError> {
        let path = self.root.join("locks").join(key.to_string());
        let file = File::options().create(true).truncate(false).write(true).open(&path).at("open", &path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(ActionLock { _file: file })),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(error).at("lock", &path),
        }
    }

    /// Puts a blob at `target` for people: a hard link where possible (read-only, no space), else a copy.
    pub fn materialise(&self, digest: Digest, target: &Path) -> Result<(), StoreError> {
        let blob = self.blob_path(digest);
        let folder = target.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).at("create", folder)?;
        // Under a temporary name first, then renamed over whatever was there: never half a file under its own name.
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let temporary = folder.join(format!(".{name}.{}", std::process::id()));
        let _ = fs::remove_file(&temporary);
        if fs::hard_link(&blob, &temporary).is_err() {
            fs::copy(&blob, &temporary).at("write", &temporary)?;
        }
        fs::rename(&temporary, target).at("write", target)?;
        // Renaming one link of a file over another of the same file does nothing, and leaves the temporary name.
        let _ = fs::remove_file(&temporary);
        self.stats.note(target, digest);
        Ok(())
    }

    /// Whether `target` holds exactly that blob.
    pub fn is_materialised(&self, digest: Digest, target: &Path) -> bool {
        self.stats.digest(target).is_ok_and(|found| found == digest)
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

/// Writes a file so that it is there whole or not at all, also after a power failure: temporary file in the same folder, fsync, rename.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    persist(path, bytes, |_| Ok(()))
}

fn write_read_only(path: &Path, bytes: &[u8]) -> io::Result<()> {
    persist(path, bytes, |file| {
        let mut permissions = file.metadata()?.permissions();
        permissions.set_readonly(true);
        #[cfg(unix)]
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o444);
        file.set_permissions(permissions)
    })
}

fn persist(path: &Path, bytes: &[u8], adjust: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::create_dir_all(folder)?;
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(bytes)?;
    #[cfg(unix)]
    {
        // Temporary files are private; artifacts are for whoever may read the folder.
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
        temporary.as_file().set_permissions(mode)?;
    }
    adjust(temporary.as_file())?;
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|error| error.error)?;
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
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
