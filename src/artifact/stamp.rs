//! `FileStamp`: what tells cheaply that a file is another or was written, and whether a digest taken under it may be believed later.
//!
//! Size and modification time are not enough: archives, `cp -p` and `touch` set the time. The change time is the kernel's own and cannot be
//! set; device and inode tell a file that was put in the place of another. Clocks tick, so a change right after a look may leave the very
//! same times: what was looked at while its times were that young says nothing later (the racily-clean rule of git's index).

use std::fs::Metadata;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// Which file it is, whatever its names: device and inode; where the system has none, a digest of the path.
pub(crate) type Identity = (u64, u64);

/// Times closer together than this may be the same tick: FAT counts in steps of two seconds, and the clock of a file server is not quite ours.
const TICK: Duration = Duration::from_secs(2);

/// Identity, size and times of a file, e.g. to see at the next look whether it is still the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStamp {
    pub(crate) identity: Identity,
    pub(crate) size: u64,
    /// Nanoseconds since 1970; before it, negative.
    pub(crate) modified_ns: i64,
    /// When content, name or rights changed last, in nanoseconds since 1970; where the system does not tell, the same as `modified_ns`.
    pub(crate) changed_ns: i64,
}

impl FileStamp {
    /// The stamp of the file at `path`, of which `metadata` was asked.
    pub fn of(path: &Path, metadata: &Metadata) -> Self {
        let modified_ns = metadata.modified().map_or(i64::MAX, nanoseconds);
        let changed_ns = changed(metadata).unwrap_or(modified_ns);
        FileStamp { identity: identity_of(path, metadata), size: metadata.len(), modified_ns, changed_ns }
    }

    /// Of the file that the path leads to, links followed.
    pub fn at(path: &Path) -> io::Result<Self> {
        Ok(FileStamp::of(path, &std::fs::metadata(path)?))
    }

    /// Whether any change after `moment` shows in the stamp: both times must be clearly older than that.
    pub fn is_settled_at(&self, moment: SystemTime) -> bool {
        let tick = i64::try_from(TICK.as_nanos()).unwrap_or(i64::MAX);
        self.modified_ns.max(self.changed_ns).saturating_add(tick) < nanoseconds(moment)
    }
}

fn nanoseconds(time: SystemTime) -> i64 {
    let count = |age: Duration| i64::try_from(age.as_nanos()).unwrap_or(i64::MAX);
    time.duration_since(SystemTime::UNIX_EPOCH).map_or_else(|before| -count(before.duration()), count)
}

#[cfg(unix)]
fn changed(metadata: &Metadata) -> Option<i64> {
    use std::os::unix::fs::MetadataExt as _;
    Some(metadata.ctime().saturating_mul(1_000_000_000).saturating_add(metadata.ctime_nsec()))
}

#[cfg(not(unix))]
fn changed(_metadata: &Metadata) -> Option<i64> {
    None
}

#[cfg(unix)]
fn identity_of(_path: &Path, metadata: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn identity_of(path: &Path, _metadata: &Metadata) -> Identity {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let digest = super::digest::Digest::of(path.as_os_str().as_encoded_bytes());
    let half = |at: usize| digest.as_bytes()[at..].first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    (half(0), half(8))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_settled_only_when_both_times_are_clearly_older_than_the_look() {
        let second = 1_000_000_000;
        let look = SystemTime::UNIX_EPOCH + Duration::from_secs(100);
        let stamp =
            |modified, changed| FileStamp { identity: (1, 2), size: 3, modified_ns: modified, changed_ns: changed };
        for (modified, changed, settled) in [
            (10 * second, 10 * second, true),
            (-10 * second, 97 * second, true),
            // `touch -d` an old time: the change is young all the same.
            (10 * second, 99 * second, false),
            (99 * second, 10 * second, false),
            (98 * second, 98 * second, false),
            (i64::MAX, 10 * second, false),
        ] {
            assert_eq!(stamp(modified, changed).is_settled_at(look), settled, "{modified} {changed}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_change_shows_although_size_and_modification_time_are_set_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, "abc").unwrap();
        let before = FileStamp::at(&path).unwrap();
        std::thread::sleep(Duration::from_millis(20));
        std::fs::write(&path, "abd").unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_nanos(u64::try_from(before.modified_ns).unwrap());
        std::fs::File::options().write(true).open(&path).and_then(|file| file.set_modified(time)).unwrap();
        let after = FileStamp::at(&path).unwrap();
        assert_eq!((after.identity, after.size, after.modified_ns), (before.identity, before.size, before.modified_ns));
        assert_ne!(after, before);
    }
}
