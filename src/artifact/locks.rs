//! Kernel locks: of one action, of one folder for people, of the whole store. The kernel releases them with their process; nothing to clean up.
//!
//! Runs share the store; `collect` has it for itself. `plan` and other readers need none, since files appear whole and the worst that a reader
//! can meet is one that is gone.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

use super::digest::{Digest, Hasher};
use super::error::{At, StoreError};
use super::layout::is_link;
use super::store::Store;

/// How long to wait between two looks at a lock that somebody else has.
const PATIENCE: Duration = Duration::from_millis(20);

/// A lock that ends with this value, or with the process.
pub struct ActionLock {
    _file: File,
}

/// The store, shared with other runs or had alone, until this value is dropped.
pub struct StoreGuard {
    _file: Option<File>,
}

impl StoreGuard {
    /// Whether there was something to hold: not so while the store has no folder yet.
    pub fn is_held(&self) -> bool {
        self._file.is_some()
    }
}

impl Store {
    /// The lock of an action, unless another runner works on it.
    pub fn try_lock(&self, key: Digest) -> Result<Option<ActionLock>, StoreError> {
        let path = self.root.join("locks").join(key.to_string());
        refuse_link(&path)?;
        let file = self.disk.open_lock(&path).at("open", &path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(ActionLock { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error).at("lock", &path),
        }
    }

    /// Waits until no other runner changes the folder for people of that stage.
    pub fn lock_folder(
        &self,
        pipeline: &str,
        stage: &str,
        cancelled: &dyn Fn() -> bool,
    ) -> Result<ActionLock, StoreError> {
        let mut name = Hasher::new();
        name.field(b"folder").field(pipeline.as_bytes()).field(stage.as_bytes());
        let name = name.finish();
        loop {
            match self.try_lock(name)? {
                Some(lock) => return Ok(lock),
                None if cancelled() => return Err(StoreError::Interrupted),
                None => std::thread::sleep(PATIENCE),
            }
        }
    }

    /// Shares the store with other runs, so that nothing is collected meanwhile; waits while somebody has it alone.
    /// A store that is not there or cannot be written has nothing to collect, and needs no lock.
    pub fn share(&self, cancelled: &dyn Fn() -> bool) -> Result<StoreGuard, StoreError> {
        let path = self.root.join("lock");
        refuse_link(&path)?;
        let Ok(file) = self.disk.open_lock(&path) else { return Ok(StoreGuard { _file: None }) };
        loop {
            match file.try_lock_shared() {
                Ok(()) => return Ok(StoreGuard { _file: Some(file) }),
                Err(TryLockError::WouldBlock) if cancelled() => return Err(StoreError::Interrupted),
                Err(TryLockError::WouldBlock) => std::thread::sleep(PATIENCE),
                // Some network file systems know no locks.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {
                    return Ok(StoreGuard { _file: None });
                }
                Err(TryLockError::Error(error)) => return Err(error).at("lock", &path),
            }
        }
    }

    /// Has the store alone, or says who works with it.
    pub fn have_alone(&self) -> Result<StoreGuard, StoreError> {
        let path = self.root.join("lock");
        refuse_link(&path)?;
        let file = self.disk.open_lock(&path).at("open", &path)?;
        match file.try_lock() {
            Ok(()) => Ok(StoreGuard { _file: Some(file) }),
            Err(TryLockError::WouldBlock) => {
                Err(StoreError::Busy { path: self.root.clone(), holders: holders(&file).unwrap_or_default() })
            }
            Err(TryLockError::Error(error)) => Err(error).at("lock", &path),
        }
    }
}

/// Two names of one lock would wait for each other, and the file may lie anywhere.
fn refuse_link(path: &Path) -> Result<(), StoreError> {
    if is_link(path) { Err(StoreError::Link { path: path.to_owned() }) } else { Ok(()) }
}

/// ` (process 4711: runner run full.yaml)`, where the kernel tells who holds a lock.
#[cfg(target_os = "linux")]
fn holders(file: &File) -> Option<String> {
    let inode = std::os::unix::fs::MetadataExt::ino(&file.metadata().ok()?);
    let locks = std::fs::read_to_string("/proc/locks").ok()?;
    // `1: FLOCK  ADVISORY  READ 4711 fe:00:123456 0 EOF`
    let mut names = Vec::new();
    for line in locks.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(at) = words.iter().position(|word| *word == "FLOCK") else { continue };
        let of_this_file = words.get(at + 4).and_then(|place| place.rsplit(':').next()?.parse().ok()) == Some(inode);
        // Waiters are marked by an arrow before the word.
        if let (true, false, Some(process)) = (of_this_file, words.contains(&"->"), words.get(at + 3)) {
            let command = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
            let command = String::from_utf8_lossy(&command).trim_end_matches('\0').replace('\0', " ");
            names.push(format!("process {process}: {command}"));
        }
    }
    names.dedup();
    (!names.is_empty()).then(|| format!(" ({})", names.join("; ")))
}

#[cfg(not(target_os = "linux"))]
fn holders(_file: &File) -> Option<String> {
    None
}
