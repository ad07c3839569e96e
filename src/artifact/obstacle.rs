//! What stands in the place of a file of the store and is none - a folder, a pipe, a device - or is damaged: it is taken out of the way.
//!
//! A folder is not emptied but laid among the temporary files as it is, where `collect` finds it later: somebody may have put it there.

use std::io;
use std::path::Path;

use super::digest::Digest;
use super::error::{At, StoreError};
use super::layout::is_link;
use super::stamp::FileStamp;
use super::store::Store;
use runner_boundary::files::says_special;

impl Store {
    /// Makes sure that a file can get that name in the store. Links are not touched; who writes refuses them.
    pub(super) fn make_way(&self, path: &Path) -> Result<(), StoreError> {
        let is_folder = |path: &Path| path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
        // A file, or something else, in the place of the folder.
        if let Some(above) = path.parent().filter(|above| above.symlink_metadata().is_ok() && !is_folder(above)) {
            if !is_link(above) {
                self.disk.set_aside(&self.scratch(), above).at("move away", above)?;
            }
        } else if is_folder(path) {
            self.disk.set_aside(&self.scratch(), path).at("move away", path)?;
        }
        Ok(())
    }

    /// Takes away what stands in the place of a file.
    pub(super) fn take_away(&self, path: &Path) -> Result<(), StoreError> {
        self.make_way(path)?;
        self.disk.remove(path).at("remove", path)
    }

    /// Removes a damaged blob, unless another runner has put a sound one in its place meanwhile.
    pub(super) fn set_aside(&self, digest: Digest, looked: Option<FileStamp>) -> StoreError {
        let path = self.blob_path(digest);
        // Copies of it may have been taken for sound as well.
        self.stats().forget(digest);
        let _removing = self.removal.write();
        let removed = match FileStamp::at(&path).ok() {
            // Another reader was here first.
            None => true,
            now if now != looked => true,
            _ => {
                self.note_damaged(digest);
                self.take_away(&path).is_ok()
            }
        };
        let fate = if removed { "it was removed" } else { "it could not be removed, the store is not writable" };
        StoreError::Damaged { digest, fate }
    }

    /// What a blob is that cannot be read: missing, damaged if it is no file, or on a device that fails.
    pub(super) fn unreadable(&self, digest: Digest, path: &Path, error: io::Error) -> StoreError {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => StoreError::Missing { digest },
            _ if says_special(&error) => self.set_aside(digest, FileStamp::at(path).ok()),
            _ => StoreError::Io { action: "read", path: path.to_owned(), error },
        }
    }
}
