//! sha256 of files, remembered by path, size, times and inode, so that an unchanged file of 90 MB is read once.
//! Knows nothing of which sums are right. Only a shortcut: lost, stale or corrupt, it costs time and nothing else.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::contents::hex;

const FILE: &str = ".verified.json";
const BLOCK: usize = 1 << 20;

/// The remembered sums of one models folder.
pub(super) struct Verified {
    file: PathBuf,
    sums: BTreeMap<String, Sum>,
    /// What this process added; only these are written over what others wrote meanwhile.
    added: BTreeMap<String, Sum>,
}

/// A sum and the file's state when it was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Sum {
    state: State,
    sha256: String,
}

/// Changes whenever the contents change: the change time cannot be set back by programs, unlike the time of modification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    bytes: u64,
    modified_ns: u64,
    changed_ns: i64,
    inode: u64,
}

impl Verified {
    pub(super) fn open(models: &Path) -> Verified {
        let file = models.join(FILE);
        Verified { sums: read(&file), added: BTreeMap::new(), file }
    }

    /// The sum of an unchanged file, without reading it.
    pub(super) fn known(&self, path: &Path) -> Option<&str> {
        let real = fs::canonicalize(path).ok()?;
        let state = state(&fs::metadata(&real).ok()?);
        let sum = self.sums.get(&key(&real)).filter(|sum| sum.state == state)?;
        Some(&sum.sha256)
    }

    /// The sum of a file, read only if unknown. `Ok(None)`: stopped by `cancelled`.
    pub(super) fn sha256(&mut self, path: &Path, cancelled: &dyn Fn() -> bool) -> io::Result<Option<String>> {
        if let Some(sum) = self.known(path) {
            return Ok(Some(sum.to_string()));
        }
        let real = fs::canonicalize(path)?;
        let mut file = File::open(&real)?;
        let before = state(&file.metadata()?);
        let Some(sha256) = copy_hashed(&mut file, &mut io::sink(), &mut |_| !cancelled())? else {
            return Ok(None);
        };
        // A file that changed under our eyes is not remembered.
        if state(&fs::metadata(&real)?) == before {
            self.remember(&real, before, &sha256);
        }
        Ok(Some(sha256))
    }

    /// Notes the sum of a file that was hashed while it was written.
    pub(super) fn record(&mut self, path: &Path, sha256: &str) {
        let Ok(real) = fs::canonicalize(path) else {
            return;
        };
        if let Ok(metadata) = fs::metadata(&real) {
            self.remember(&real, state(&metadata), sha256);
        }
    }

    /// Writes what was added. A folder that cannot be written is no error: then the next resolve reads again.
    pub(super) fn save(&self) {
        if !self.added.is_empty() {
            let _ = self.write();
        }
    }

    fn remember(&mut self, real: &Path, state: State, sha256: &str) {
        let sum = Sum { state, sha256: sha256.to_string() };
        self.sums.insert(key(real), sum.clone());
        self.added.insert(key(real), sum);
    }

    fn write(&self) -> io::Result<()> {
        let mut sums = read(&self.file);
        sums.extend(self.added.clone());
        sums.retain(|path, _| Path::new(path).exists());
        let folder = self.file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut temporary, &sums)?;
        temporary.flush()?;
        temporary.persist(&self.file)?;
        Ok(())
    }
}

/// Copies `from` to `to` and returns the sha256 of what passed. `go_on` gets the bytes so far; `false` stops: `Ok(None)`.
pub(super) fn copy_hashed(
    from: &mut dyn Read,
    to: &mut dyn Write,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> io::Result<Option<String>> {
    let mut hasher = Sha256::new();
    let mut block = vec![0; BLOCK];
    let mut done = 0;
    loop {
        let read = match from.read(&mut block) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(&block[..read]);
        to.write_all(&block[..read])?;
        done += read as u64;
        if !go_on(done) {
            return Ok(None);
        }
    }
    Ok(Some(hex(&hasher.finalize())))
}

fn read(file: &Path) -> BTreeMap<String, Sum> {
    fs::read(file).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

/// Two odd paths may share a key; the inode still tells them apart.
fn key(real: &Path) -> String {
    real.to_string_lossy().into_owned()
}

fn state(metadata: &Metadata) -> State {
    let (inode, changed_ns) = identity(metadata);
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    State {
        bytes: metadata.len(),
        modified_ns: u64::try_from(modified.as_nanos()).unwrap_or(u64::MAX),
        changed_ns,
        inode,
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> (u64, i64) {
    use std::os::unix::fs::MetadataExt;
    let changed = metadata.ctime().wrapping_mul(1_000_000_000).wrapping_add(metadata.ctime_nsec());
    (metadata.ino(), changed)
}

#[cfg(not(unix))]
fn identity(_metadata: &Metadata) -> (u64, i64) {
    (0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"; // sha256sum of "abc"

    fn sum(verified: &mut Verified, path: &Path) -> Option<String> {
        verified.sha256(path, &|| false).expect("readable")
    }

    #[test]
    fn remembers_an_unchanged_file_and_forgets_a_changed_one() {
        let root = tempfile::tempdir().expect("temp folder");
        let path = root.path().join("file");
        fs::write(&path, "abc").expect("file");
        let mut verified = Verified::open(root.path());
        assert_eq!(verified.known(&path), None);
        assert_eq!(sum(&mut verified, &path).as_deref(), Some(ABC));
        verified.save();
        let again = Verified::open(root.path());
        assert_eq!(again.known(&path), Some(ABC));

        // The same size, and the time of modification set back: the change time still tells.
        let modified = fs::metadata(&path).and_then(|m| m.modified()).expect("time");
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(&path, "abd").expect("file");
        let file = File::options().write(true).open(&path).expect("file");
        file.set_modified(modified).expect("time set");
        assert_eq!(again.known(&path), None);
    }

    #[test]
    fn a_corrupt_cache_is_harmless() {
        let root = tempfile::tempdir().expect("temp folder");
        let path = root.path().join("file");
        fs::write(&path, "abc").expect("file");
        fs::write(root.path().join(FILE), "{\"/x\": 3").expect("file");
        let mut verified = Verified::open(root.path());
        assert_eq!(sum(&mut verified, &path).as_deref(), Some(ABC));
        verified.save();
        assert_eq!(Verified::open(root.path()).known(&path), Some(ABC));
    }

    #[test]
    fn stops_when_cancelled() {
        let root = tempfile::tempdir().expect("temp folder");
        let path = root.path().join("file");
        fs::write(&path, "abc").expect("file");
        let mut verified = Verified::open(root.path());
        assert_eq!(verified.sha256(&path, &|| true).expect("readable"), None);
    }
}
