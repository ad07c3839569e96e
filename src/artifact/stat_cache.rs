//! `StatCache`: spares the re-reading of files whose size, modification time and identity have not changed.
//!
//! Only a shortcut: it is never the reason to call a file equal when its content differs, unless a program restores all three.
//! A file changed within the last two seconds is not remembered, since a second change could leave the same time stamp.
//! Knows nothing of names: a file is its device and inode, so that a blob and its hard link for people are one entry.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use super::digest::Digest;
use super::disk::{Access, Disk};

/// Which file it is, whatever its names: device and inode; where the system has none, a digest of the path.
type Identity = (u64, u64);

#[derive(Clone, Copy, Debug, PartialEq)]
struct Stamp {
    size: u64,
    modified_ns: u64,
    /// Days since 1970 of its last use: what was not used for long is forgotten.
    used: u64,
    digest: Digest,
}

/// Digests of files, kept in one file of fixed-size entries that ends in its own digest. A missing or damaged file is an empty cache.
pub struct StatCache {
    file: PathBuf,
    disk: Disk,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    stamps: HashMap<Identity, Stamp>,
    changed: bool,
}

const MAGIC: &[u8; 8] = b"stamps1\n";
const NUMBERS: usize = 5;
const ENTRY: usize = 8 * NUMBERS + 32;
const KEPT_DAYS: u64 = 60;

impl StatCache {
    pub fn open(file: PathBuf, disk: Disk) -> Self {
        let stamps = std::fs::read(&file).ok().and_then(|bytes| decode(&bytes)).unwrap_or_default();
        StatCache { file, disk, state: Mutex::new(State { stamps, changed: false }) }
    }

    /// The digest of the file's content, from the cache when its stamp is unchanged.
    pub fn digest(&self, path: &Path) -> io::Result<Digest> {
        let metadata = std::fs::metadata(path)?;
        if metadata.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a folder, not a file"));
        }
        let (identity, size, modified_ns) = stamp_of(path, &metadata);
        if let Some(digest) = self.lock().find(identity, size, modified_ns) {
            return Ok(digest);
        }
        let digest = Digest::of_file(path)?;
        let age = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH + Duration::from_nanos(modified_ns));
        if age.is_ok_and(|age| age > Duration::from_secs(2)) {
            self.lock().remember(identity, size, modified_ns, digest);
        }
        Ok(digest)
    }

    /// Notes the digest of a file that was just written, so that the next look need not read it.
    pub fn note(&self, path: &Path, digest: Digest) {
        if let Ok(metadata) = std::fs::metadata(path) {
            let (identity, size, modified_ns) = stamp_of(path, &metadata);
            self.lock().remember(identity, size, modified_ns, digest);
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
        let today = today();
        state.stamps.retain(|_, stamp| stamp.used + KEPT_DAYS >= today);
        let bytes = encode(&state.stamps);
        if let Some(folder) = self.file.parent()
            // A shortcut need not wait for the device.
            && self.disk.relaxed().write(&folder.join("tmp"), &self.file, &bytes, Access::ReadWrite).is_ok()
        {
            state.changed = false;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn find(&mut self, identity: Identity, size: u64, modified_ns: u64) -> Option<Digest> {
        let stamp = self.stamps.get_mut(&identity)?;
        if (stamp.size, stamp.modified_ns) != (size, modified_ns) {
            return None;
        }
        let today = today();
        self.changed |= stamp.used != today;
        stamp.used = today;
        Some(stamp.digest)
    }

    fn remember(&mut self, identity: Identity, size: u64, modified_ns: u64, digest: Digest) {
        let stamp = Stamp { size, modified_ns, used: today(), digest };
        self.changed |= self.stamps.insert(identity, stamp) != Some(stamp);
    }
}

/// Sorted, so that equal caches are equal files.
fn encode(stamps: &HashMap<Identity, Stamp>) -> Vec<u8> {
    let mut sorted: Vec<_> = stamps.iter().collect();
    sorted.sort_unstable_by_key(|(identity, _)| **identity);
    let mut bytes = Vec::with_capacity(MAGIC.len() + ENTRY * sorted.len() + 32);
    bytes.extend_from_slice(MAGIC);
    for ((device, inode), stamp) in sorted {
        for number in [*device, *inode, stamp.size, stamp.modified_ns, stamp.used] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(stamp.digest.as_bytes());
    }
    // A flipped bit here would call a sound blob damaged, or give a source another key.
    let digest = Digest::of(&bytes);
    bytes.extend_from_slice(digest.as_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<HashMap<Identity, Stamp>> {
    let (body, digest) = bytes.split_last_chunk::<32>()?;
    if Digest::of(body).as_bytes() != digest {
        return None;
    }
    let entries = body.strip_prefix(MAGIC)?.chunks_exact(ENTRY);
    let stamps = entries.map(|entry| {
        let (numbers, digest) = entry.split_at(8 * NUMBERS);
        let mut words = numbers.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
        let mut next = || words.next().unwrap_or_default();
        let identity = (next(), next());
        let (size, modified_ns, used) = (next(), next(), next());
        Some((identity, Stamp { size, modified_ns, used, digest: Digest::from_bytes(digest.try_into().ok()?) }))
    });
    stamps.collect()
}

/// What tells cheaply that a file is another or was written: its identity, its size, and its modification time in nanoseconds since 1970.
pub type FileStamp = (Identity, u64, u64);

/// The stamp of the file at `path`, of which `metadata` was asked.
pub fn stamp_of(path: &Path, metadata: &std::fs::Metadata) -> FileStamp {
    let nanoseconds = |age: Duration| u64::try_from(age.as_nanos()).unwrap_or(u64::MAX);
    let modified_ns = metadata.modified().map_or(0, |time| match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(age) => nanoseconds(age),
        // Before 1970, from a clock that was wrong: counted down from the end, so that two such times still differ.
        Err(before) => u64::MAX - nanoseconds(before.duration()),
    });
    (identity_of(path, metadata), metadata.len(), modified_ns)
}

#[cfg(unix)]
fn identity_of(_path: &Path, metadata: &std::fs::Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn identity_of(path: &Path, _metadata: &std::fs::Metadata) -> Identity {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let digest = Digest::of(path.as_os_str().as_encoded_bytes());
    let half = |at: usize| digest.as_bytes()[at..].first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    (half(0), half(8))
}

fn today() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |age| age.as_secs() / 86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_comes_back_as_it_went_and_a_damaged_one_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let (file, blob) = (folder.path().join("stat"), folder.path().join("blob"));
        std::fs::write(&blob, "rows").unwrap();
        let cache = StatCache::open(file.clone(), Disk::new(false, None));
        // A digest that the content does not have shows that it is not read again.
        let noted = Digest::of(b"noted");
        cache.note(&blob, noted);
        cache.save();
        assert_eq!(StatCache::open(file.clone(), Disk::new(false, None)).digest(&blob).unwrap(), noted);
        let mut bytes = std::fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&file, bytes).unwrap();
        assert_eq!(StatCache::open(file, Disk::new(false, None)).digest(&blob).unwrap(), Digest::of(b"rows"));
    }

    #[test]
    fn other_names_are_the_same_file_and_other_contents_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let (blob, link) = (folder.path().join("blob"), folder.path().join("link"));
        std::fs::write(&blob, "rows").unwrap();
        std::fs::hard_link(&blob, &link).unwrap();
        let cache = StatCache::open(folder.path().join("stat"), Disk::new(false, None));
        cache.note(&blob, Digest::of(b"noted"));
        #[cfg(unix)]
        assert_eq!(cache.digest(&link).unwrap(), Digest::of(b"noted"));
        std::fs::remove_file(&link).unwrap();
        std::fs::write(&link, "edited").unwrap();
        assert_eq!(cache.digest(&link).unwrap(), Digest::of(b"edited"));
        std::fs::write(&blob, "longer rows").unwrap();
        assert_eq!(cache.digest(&blob).unwrap(), Digest::of(b"longer rows"));
    }
}
