//! `StatCache`: spares the re-reading of files whose stamp has not changed since they were read.
//!
//! Only a shortcut. A digest is kept only if any later change would show in the stamp (see [`FileStamp::is_settled_at`]); what was written
//! just now is read once more at the next look.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::digest::Digest;
use super::disk::{Access, Disk};
use super::stamp::{FileStamp, Identity};
use runner_boundary::files::{open_regular, read_regular, refuse_special};

#[derive(Clone, Copy, Debug, PartialEq)]
struct Entry {
    stamp: FileStamp,
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
    entries: HashMap<Identity, Entry>,
    changed: bool,
}

/// Of the first form the stamps had no change time: it is not read.
const MAGIC: &[u8; 8] = b"stamps2\n";
const NUMBERS: usize = 6;
const ENTRY: usize = 8 * NUMBERS + 32;
const KEPT_DAYS: u64 = 60;

impl StatCache {
    pub(crate) fn open(file: PathBuf, disk: Disk) -> Self {
        let entries = read_regular(&file).ok().and_then(|bytes| decode(&bytes)).unwrap_or_default();
        StatCache { file, disk, state: Mutex::new(State { entries, changed: false }) }
    }

    /// The digest of the file's content, from the cache when its stamp is unchanged.
    pub fn digest(&self, path: &Path) -> io::Result<Digest> {
        let metadata = std::fs::metadata(path)?;
        refuse_special(&metadata)?;
        let known = self.lock().find(&FileStamp::of(path, &metadata));
        known.map_or_else(|| self.read_digest(path), Ok)
    }

    /// The same by reading the file, whatever is known of it.
    pub fn read_digest(&self, path: &Path) -> io::Result<Digest> {
        let looked = SystemTime::now();
        let file = open_regular(path)?;
        let before = FileStamp::of(path, &file.metadata()?);
        let digest = Digest::of_reader(&file)?;
        if FileStamp::of(path, &file.metadata()?) == before {
            self.note(before, digest, looked);
        } else {
            // Written while it was read.
            self.lock().forget(|entry| entry.stamp.identity == before.identity);
        }
        Ok(digest)
    }

    /// What is known of the file without reading it.
    pub fn known(&self, path: &Path) -> Option<Digest> {
        let stamp = FileStamp::at(path).ok()?;
        let state = self.lock();
        let entry = state.entries.get(&stamp.identity)?;
        (entry.stamp == stamp).then_some(entry.digest)
    }

    /// Notes the digest of what a file held at that moment and under that stamp, if any change since would show.
    pub fn note(&self, stamp: FileStamp, digest: Digest, moment: SystemTime) {
        let mut state = self.lock();
        if stamp.is_settled_at(moment) {
            state.remember(stamp, digest);
        } else {
            state.forget(|entry| entry.stamp.identity == stamp.identity);
        }
    }

    /// Forgets the files of that content: one of them was read and has another.
    pub(crate) fn forget(&self, digest: Digest) {
        self.lock().forget(|entry| entry.digest == digest);
    }

    /// Forgets what is known of the file, so that the next look reads it.
    pub fn forget_file(&self, path: &Path) {
        if let Ok(stamp) = FileStamp::at(path) {
            self.lock().forget(|entry| entry.stamp.identity == stamp.identity);
        }
    }

    /// Writes the cache if it learnt anything. Failure is not an error: the next run reads more, that is all.
    pub fn save(&self) {
        let mut state = self.lock();
        if !state.changed {
            return;
        }
        let today = today();
        state.entries.retain(|_, entry| entry.used + KEPT_DAYS >= today);
        let bytes = encode(&state.entries);
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
    fn find(&mut self, stamp: &FileStamp) -> Option<Digest> {
        let entry = self.entries.get_mut(&stamp.identity).filter(|entry| entry.stamp == *stamp)?;
        let today = today();
        self.changed |= entry.used != today;
        entry.used = today;
        Some(entry.digest)
    }

    fn remember(&mut self, stamp: FileStamp, digest: Digest) {
        let entry = Entry { stamp, used: today(), digest };
        self.changed |= self.entries.insert(stamp.identity, entry) != Some(entry);
    }

    fn forget(&mut self, which: impl Fn(&Entry) -> bool) {
        let before = self.entries.len();
        self.entries.retain(|_, entry| !which(entry));
        self.changed |= self.entries.len() != before;
    }
}

/// Sorted, so that equal caches are equal files.
fn encode(entries: &HashMap<Identity, Entry>) -> Vec<u8> {
    let mut sorted: Vec<_> = entries.values().collect();
    sorted.sort_unstable_by_key(|entry| entry.stamp.identity);
    let mut bytes = Vec::with_capacity(MAGIC.len() + ENTRY * sorted.len() + 32);
    bytes.extend_from_slice(MAGIC);
    for Entry { stamp, used, digest } in sorted {
        let (device, inode) = stamp.identity;
        let times = [stamp.modified_ns, stamp.changed_ns].map(i64::cast_unsigned);
        for number in [device, inode, stamp.size, times[0], times[1], *used] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        bytes.extend_from_slice(digest.as_bytes());
    }
    // A flipped bit here would call a sound blob damaged, or give a source another key.
    let digest = Digest::of(&bytes);
    bytes.extend_from_slice(digest.as_bytes());
    bytes
}

fn decode(bytes: &[u8]) -> Option<HashMap<Identity, Entry>> {
    let (body, digest) = bytes.split_last_chunk::<32>()?;
    if Digest::of(body).as_bytes() != digest {
        return None;
    }
    let entries = body.strip_prefix(MAGIC)?.chunks_exact(ENTRY);
    let entries = entries.map(|entry| {
        let (numbers, digest) = entry.split_at(8 * NUMBERS);
        let mut words = numbers.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
        let mut next = || words.next().unwrap_or_default();
        let identity = (next(), next());
        let (size, modified_ns, changed_ns) = (next(), next().cast_signed(), next().cast_signed());
        let stamp = FileStamp { identity, size, modified_ns, changed_ns };
        Some((identity, Entry { stamp, used: next(), digest: Digest::from_bytes(digest.try_into().ok()?) }))
    });
    entries.collect()
}

fn today() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |age| age.as_secs() / 86_400)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn cache(folder: &Path) -> StatCache {
        StatCache::open(folder.join("stat"), Disk::new(false, None))
    }

    /// As if it had been looked at when its times were old; a digest that the content does not have shows that it is not read again.
    fn note_later(cache: &StatCache, path: &Path, digest: Digest) {
        cache.note(FileStamp::at(path).unwrap(), digest, SystemTime::now() + Duration::from_secs(10));
    }

    #[test]
    fn it_comes_back_as_it_went_and_a_damaged_one_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let (file, blob) = (folder.path().join("stat"), folder.path().join("blob"));
        std::fs::write(&blob, "rows").unwrap();
        let first = cache(folder.path());
        let noted = Digest::of(b"noted");
        note_later(&first, &blob, noted);
        first.save();
        assert_eq!(cache(folder.path()).digest(&blob).unwrap(), noted);
        assert_eq!(cache(folder.path()).read_digest(&blob).unwrap(), Digest::of(b"rows"));
        let mut bytes = std::fs::read(&file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&file, bytes).unwrap();
        assert_eq!(cache(folder.path()).digest(&blob).unwrap(), Digest::of(b"rows"));
    }

    #[test]
    fn a_file_as_young_as_the_look_at_it_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "rows").unwrap();
        let cache = cache(folder.path());
        assert_eq!(cache.digest(&path).unwrap(), Digest::of(b"rows"));
        assert_eq!(cache.known(&path), None);
        cache.note(FileStamp::at(&path).unwrap(), Digest::of(b"noted"), SystemTime::now());
        assert_eq!(cache.digest(&path).unwrap(), Digest::of(b"rows"));
        note_later(&cache, &path, Digest::of(b"noted"));
        assert_eq!(cache.known(&path), Some(Digest::of(b"noted")));
        cache.forget_file(&path);
        assert_eq!(cache.known(&path), None);
    }

    #[test]
    fn other_names_are_the_same_file_and_other_contents_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let (blob, link) = (folder.path().join("blob"), folder.path().join("link"));
        std::fs::write(&blob, "rows").unwrap();
        std::fs::hard_link(&blob, &link).unwrap();
        let cache = cache(folder.path());
        note_later(&cache, &blob, Digest::of(b"noted"));
        #[cfg(unix)]
        assert_eq!(cache.digest(&link).unwrap(), Digest::of(b"noted"));
        std::fs::remove_file(&link).unwrap();
        std::fs::write(&link, "edited").unwrap();
        assert_eq!(cache.digest(&link).unwrap(), Digest::of(b"edited"));
        std::fs::write(&blob, "longer rows").unwrap();
        assert_eq!(cache.digest(&blob).unwrap(), Digest::of(b"longer rows"));
    }
}
