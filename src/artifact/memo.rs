//! Memos: finer-grained results inside a stage, by a key that holds all that they depend on. What is damaged is no memo at all.

use std::fs::File;
use std::io::Seek as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::digest::Digest;
use super::disk::Access;
use super::error::StoreError;
use super::store::Store;

/// The time of last use is noted at most this often.
const USE_NOTED_EVERY: Duration = Duration::from_secs(600);

impl Store {
    /// Replaces one that is there.
    pub fn put_memo(&self, key: Digest, bytes: &[u8]) -> Result<(), StoreError> {
        // The digest in front finds a damaged memo, which then is no memo at all.
        let mut content = Digest::of(bytes).to_string().into_bytes();
        content.extend_from_slice(bytes);
        self.write(&self.sharded("memo", key), &content, Access::ReadWrite)
    }

    /// `None` where there is none, or it is damaged.
    pub fn get_memo(&self, key: Digest) -> Option<Vec<u8>> {
        let path = self.sharded("memo", key);
        let content = self.disk.read(&path).ok()?;
        self.note_use(&path);
        unwrap_memo(content)
    }

    /// So that `collect` can tell what is no longer used. A store that cannot be written keeps no such note.
    pub(super) fn note_use(&self, path: &Path) {
        let modified = path.metadata().and_then(|metadata| metadata.modified());
        // A time in the future is no time of use either.
        let noted = modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age < USE_NOTED_EVERY));
        if !noted {
            let _ = self.disk.touch(path);
        }
    }

    /// Takes a memo away, if it is there.
    pub fn remove_memo(&self, key: Digest) {
        // What cannot be removed is still true.
        let _ = self.disk.remove(&self.sharded("memo", key));
    }

    /// The folder of a row memo.
    pub(super) fn rows_folder(&self, key: Digest) -> PathBuf {
        self.root.join("rows").join(key.to_string())
    }

    /// Writes a file that is named by the digest of its content, unless it is there and sound.
    pub(super) fn put_named(&self, path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let digest = Digest::of(bytes);
        if self.open_named(path, digest).is_some() {
            return Ok(());
        }
        self.write(path, bytes, Access::ReadOnly)?;
        self.note_sound(digest, path);
        Ok(())
    }

    /// Such a file, its content held against the digest once while this store is open.
    pub(super) fn open_named(&self, path: &Path, digest: Digest) -> Option<File> {
        let mut file = self.disk.open(path).ok()?;
        let whole = self.holds_by_content(digest, path, &file).ok()?;
        file.rewind().ok()?;
        whole.then_some(file)
    }
}

/// The content of a memo behind its digest, if that is right.
pub(super) fn unwrap_memo(mut content: Vec<u8>) -> Option<Vec<u8>> {
    if content.len() < 64 {
        return None;
    }
    let bytes = content.split_off(64);
    (content == Digest::of(&bytes).to_string().as_bytes()).then_some(bytes)
}
