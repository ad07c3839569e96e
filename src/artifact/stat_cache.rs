//! `StatCache`: spares the re-reading of files whose size, modification time and inode have not changed.
//!
//! Only a shortcut: it is never the reason to call a file equal when its content differs, unless a program restores all three.
//! A file changed within the last two seconds is not remembered, since a second change could leave the same time stamp.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::disk::{Access, Disk};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Stamp {
    size: u64,
    modified_ns: u64,
    inode: u64,
    digest: Digest,
}

/// Digests of files by path, kept in one JSON file. A missing or unreadable cache file is an empty cache.
pub struct StatCache {
    file: PathBuf,
    disk: Disk,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    stamps: BTreeMap<PathBuf, Stamp>,
    changed: bool,
}

impl StatCache {
    pub fn open(file: PathBuf, disk: Disk) -> Self {
        let stamps =
            std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        StatCache { file, disk, state: Mutex::new(State { stamps, changed: false }) }
    }

    /// The digest of the file's content, from the cache when its stamp is unchanged.
    pub fn digest(&self, path: &Path) -> io::Result<Digest> {
        let metadata = std::fs::metadata(path)?;
        if metadata.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a folder, not a file"));
        }
        let (size, modified_ns, inode) = stamp_of(&metadata);
        let key = std::path::absolute(path)?;
        if let Some(stamp) = self.lock().stamps.get(&key)
            && (stamp.size, stamp.modified_ns, stamp.inode) == (size, modified_ns, inode)
        {
            return Ok(stamp.digest);
        }
        let digest = Digest::of_file(path)?;
        self.remember(key, size, modified_ns, inode, digest);
        Ok(digest)
    }

    /// Notes the digest of a file that was just written, so that the next look need not read it.
    pub fn note(&self, path: &Path, digest: Digest) {
        if let (Ok(metadata), Ok(key)) = (std::fs::metadata(path), std::path::absolute(path)) {
            let (size, modified_ns, inode) = stamp_of(&metadata);
            let mut state = self.lock();
            state.stamps.insert(key, Stamp { size, modified_ns, inode, digest });
            state.changed = true;
        }
    }

    /// Forgets the files of that content: one of them was read and has another.
    pub fn forget(&self, digest: Digest) {
        let mut state = self.lock();
        state.stamps.retain(|_, stamp| stamp.digest != digest);
        state.changed = true;
    }

    /// Writes the cache if it learnt anything. Failure is not an error: the next run reads more, that is all.
    pub fn save(&self) {
        let mut state = self.lock();
        if !state.changed {
            return;
        }
        state.stamps.retain(|path, _| path.exists());
        if let Ok(bytes) = serde_json::to_vec(&state.stamps)
            && let Some(folder) = self.file.parent()
            // A shortcut need not wait for the device.
            && self.disk.relaxed().write(&folder.join("tmp"), &self.file, &bytes, Access::ReadWrite).is_ok()
        {
            state.changed = false;
        }
    }

    fn remember(&self, key: PathBuf, size: u64, modified_ns: u64, inode: u64, digest: Digest) {
        let age = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH + Duration::from_nanos(modified_ns));
        if age.is_ok_and(|age| age > Duration::from_secs(2)) {
            let mut state = self.lock();
            state.stamps.insert(key, Stamp { size, modified_ns, inode, digest });
            state.changed = true;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Size, modification time in nanoseconds since 1970, and inode (0 where the system has none).
fn stamp_of(metadata: &std::fs::Metadata) -> (u64, u64, u64) {
    let nanoseconds = |age: Duration| u64::try_from(age.as_nanos()).unwrap_or(u64::MAX);
    let modified_ns = metadata.modified().map_or(0, |time| match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(age) => nanoseconds(age),
        // Before 1970, from a clock that was wrong: counted down from the end, so that two such times still differ.
        Err(before) => u64::MAX - nanoseconds(before.duration()),
    });
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(metadata);
    #[cfg(not(unix))]
    let inode = 0;
    (metadata.len(), modified_ns, inode)
}
