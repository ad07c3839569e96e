//! `Scratch`: a folder for one piece of work that is gone afterwards, also if the process was killed.
//!
//! Beside each folder lies a file of its name that the owner holds locked; the kernel releases the lock with the process, so whoever makes
//! the next scratch folder finds and removes what a killed runner left.

use std::fs::{self, File, TryLockError};
use std::io::{self, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::digest::Digest;
use super::disk::{Access, protect};
use super::error::{At, StoreError};
use super::layout::is_link;
use super::store::Store;

/// An empty folder that is removed when this is dropped.
#[derive(Debug)]
pub struct Scratch {
    folder: PathBuf,
    lock: PathBuf,
    _held: File,
}

impl Scratch {
    /// Makes a folder with a name of its own in `parent`, after removing those whose owners are gone.
    pub(super) fn new(parent: &Path) -> io::Result<Self> {
        let parent = std::path::absolute(parent)?;
        fs::create_dir_all(&parent)?;
        sweep(&parent);
        let (held, lock) = tempfile::Builder::new().prefix("").suffix(".lock").tempfile_in(&parent)?.keep()?;
        held.lock()?;
        let folder = lock.with_extension("");
        fs::create_dir(&folder)?;
        Ok(Scratch { folder, lock, _held: held })
    }

    /// The folder's absolute path.
    pub fn path(&self) -> &Path {
        &self.folder
    }
}

impl Store {
    /// Copies a blob to `target`, which must not exist, read-only. Never a link: whoever writes through one would damage the blob.
    /// File systems that can share blocks until one side changes make this free.
    pub fn copy_out(&self, digest: Digest, target: &Path) -> Result<(), StoreError> {
        let (path, mut blob) = self.open_verified(digest)?;
        blob.seek(SeekFrom::Start(0)).at("read", &path)?;
        let mut copy = File::create_new(target).at("write", target)?;
        io::copy(&mut blob, &mut copy).at("write", target)?;
        protect(&copy, Access::ReadOnly).at("write", target)
    }

    /// An empty folder for work that is not to be kept; see [`Scratch`].
    pub fn scratch_folder(&self) -> Result<Scratch, StoreError> {
        let folder = self.root.join("scratch");
        Scratch::new(&folder).at("create a folder in", &folder)
    }

    /// Removes the scratch folders of killed runners.
    pub(super) fn sweep_scratch(&self) {
        let folder = self.root.join("scratch");
        if !is_link(&folder) {
            sweep(&folder);
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.folder, &self.lock);
    }
}

/// Removes the folders whose lock nobody holds. What cannot be removed waits for the next sweep.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let lock = entry.path();
        if lock.extension().is_none_or(|extension| extension != "lock") || is_new(&lock) {
            continue;
        }
        let Ok(file) = File::open(&lock) else { continue };
        match file.try_lock() {
            Ok(()) => remove(&lock.with_extension(""), &lock),
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
        }
    }
}

/// Between the making of a lock file and its locking there is a moment in which it looks abandoned.
fn is_new(lock: &Path) -> bool {
    let modified = fs::metadata(lock).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age.as_secs() < 10))
}

/// The folder first: a lock file without a folder is found again, a folder without a lock file would stay.
fn remove(folder: &Path, lock: &Path) {
    let gone = match fs::remove_dir_all(folder) {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    if gone {
        let _ = fs::remove_file(lock);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    #[test]
    fn folders_go_with_their_owner_and_abandoned_ones_with_the_next() {
        let parent = tempfile::tempdir().unwrap();
        let first = Scratch::new(parent.path()).unwrap();
        fs::write(first.path().join("file"), "x").unwrap();
        let old = SystemTime::now() - Duration::from_secs(60);
        File::options().write(true).open(&first.lock).unwrap().set_modified(old).unwrap();
        // What a killed process leaves: a folder, and a lock that nobody holds.
        fs::create_dir(parent.path().join("dead")).unwrap();
        let abandoned = File::create(parent.path().join("dead.lock")).unwrap();
        abandoned.set_modified(old).unwrap();
        drop(abandoned);
        let second = Scratch::new(parent.path()).unwrap();
        assert!(first.path().join("file").exists(), "its owner lives");
        assert!(!parent.path().join("dead").exists() && !parent.path().join("dead.lock").exists());
        let paths = [first.path().to_owned(), second.path().to_owned()];
        drop((first, second));
        assert!(paths.iter().all(|path| !path.exists()));
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
    }
}
