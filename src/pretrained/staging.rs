//! A private folder beside the models, where files wait until they are complete and checked.
//!
//! A killed process leaves its folder behind. Its lock is gone then, so the next staging sweeps it away.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::error::ResolveError;

const PREFIX: &str = ".tmp-";
const LOCK: &str = ".alive";

/// Removed with everything in it when dropped.
pub(super) struct Staging {
    folder: TempDir,
    _alive: File,
}

impl Staging {
    /// A new folder in `root`, on the same file system, so that `install` can rename.
    pub(super) fn new_in(root: &Path) -> Result<Staging, ResolveError> {
        fs::create_dir_all(root).map_err(ResolveError::io("creating", root))?;
        sweep(root);
        Staging::create(root).map_err(ResolveError::io("creating a folder in", root))
    }

    fn create(root: &Path) -> io::Result<Staging> {
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(root)?;
        // Locked before it gets its name: a sweep of another process never sees it unlocked.
        let unnamed = folder.path().join(".alive-new");
        let alive = File::create(&unnamed)?;
        alive.lock()?;
        fs::rename(&unnamed, folder.path().join(LOCK))?;
        Ok(Staging { folder, _alive: alive })
    }

    /// A new empty folder inside.
    pub(super) fn folder(&self, name: &str) -> Result<PathBuf, ResolveError> {
        let path = self.folder.path().join(name);
        fs::create_dir_all(&path).map_err(ResolveError::io("creating", &path))?;
        Ok(path)
    }

    /// Renames `staged` (a folder inside) to `target`. What was there is put aside first, and back if the renaming fails.
    pub(super) fn install(&self, staged: &Path, target: &Path) -> Result<(), ResolveError> {
        sync_tree(staged).map_err(ResolveError::io("syncing", staged))?;
        let aside = self.folder.path().join("replaced");
        let replaced = match fs::rename(target, &aside) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(ResolveError::io("replacing", target)(error)),
        };
        if let Err(error) = fs::rename(staged, target) {
            if replaced {
                // Best effort: the error that follows is the one to tell.
                let _ = fs::rename(&aside, target);
            }
            return Err(ResolveError::io("writing", target)(error));
        }
        if let Some(parent) = target.parent() {
            sync_folder(parent).map_err(ResolveError::io("syncing", parent))?;
        }
        Ok(())
    }
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    // Folders open as files on Unix alone; elsewhere renames are durable enough.
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

fn sync_tree(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_tree(&entry.path())?;
        } else {
            File::open(entry.path())?.sync_all()?;
        }
    }
    sync_folder(folder)
}

/// Removes staging folders whose process is gone. Failures are left for the next sweep.
fn sweep(root: &Path) {
    let Ok(entries) = fs::read_dir(root) else {
        return;
    };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let abandoned = match File::open(entry.path().join(LOCK)) {
            Ok(alive) => alive.try_lock().is_ok(),
            // Being made at this moment, or the rest of a sweep that failed: age tells.
            Err(_) => is_older_than_a_day(&entry.path()),
        };
        if abandoned {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn is_older_than_a_day(path: &Path) -> bool {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    let age = modified.ok().and_then(|time| time.elapsed().ok());
    age.is_some_and(|age| age > Duration::from_secs(24 * 3600))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweeps_what_the_dead_left_and_spares_the_living() {
        let root = tempfile::tempdir().expect("temp folder");
        let dead = root.path().join(".tmp-dead");
        fs::create_dir_all(&dead).expect("folder");
        fs::write(dead.join(LOCK), "").expect("file");
        let living = Staging::new_in(root.path()).expect("staging");
        assert!(!dead.exists());
        let second = Staging::new_in(root.path()).expect("staging");
        assert!(living.folder.path().exists());
        drop(living);
        drop(second);
        assert_eq!(fs::read_dir(root.path()).expect("folder").count(), 0);
    }

    #[test]
    fn installing_replaces_the_whole_folder() {
        let root = tempfile::tempdir().expect("temp folder");
        let target = root.path().join("model");
        fs::create_dir(&target).expect("folder");
        fs::write(target.join("old"), "1").expect("file");
        let staging = Staging::new_in(root.path()).expect("staging");
        let staged = staging.folder("new").expect("folder");
        fs::write(staged.join("new"), "2").expect("file");
        staging.install(&staged, &target).expect("installed");
        assert!(target.join("new").exists() && !target.join("old").exists());
    }
}
