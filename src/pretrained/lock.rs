//! One fetch of an encoder at a time, over processes. The kernel frees a lock when its process dies, so none is ever stale.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::FetchProgress;
use super::error::ResolveError;

/// Held until dropped.
pub(super) struct FetchLock {
    _file: File,
}

/// Waits for `<root>/.locks/<name>.lock`; says so once if it must, and gives up when cancelled.
pub(super) fn acquire(root: &Path, name: &str, progress: &dyn FetchProgress) -> Result<FetchLock, ResolveError> {
    let folder = root.join(".locks");
    fs::create_dir_all(&folder).map_err(ResolveError::io("creating", &folder))?;
    let path = folder.join(format!("{name}.lock"));
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(ResolveError::io("opening the lock", &path))?;
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(FetchLock { _file: file }),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => {
                return Err(ResolveError::io("locking", &path)(error));
            }
        }
        if progress.cancelled() {
            return Err(ResolveError::Cancelled);
        }
        if !told {
            progress.note("waiting for another process that is fetching the same encoder");
            told = true;
        }
        thread::sleep(Duration::from_millis(50));
    }
}
