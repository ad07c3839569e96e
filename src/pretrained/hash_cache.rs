//! sha256 of files, remembered by path and stamp (see [`FileStamp`]), so that an unchanged file of 90 MB is read once.
//! Only a shortcut: lost or corrupt, it costs time and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::digest::hex;
use runner_artifact::FileStamp;
use runner_boundary::files::open_regular;

const FILE: &str = ".verified.json";
const BLOCK: usize = 1 << 20;

/// The remembered sums of one models folder.
pub(super) struct Verified {
    file: PathBuf,
    sums: BTreeMap<String, Sum>,
    /// What this process added or forgot; only these are written over what others wrote meanwhile.
    added: BTreeMap<String, Sum>,
    forgotten: BTreeSet<String>,
}

/// A sum, the file's stamp, and when the file was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Sum {
    stamp: FileStamp,
    looked: SystemTime,
    sha256: String,
}

impl Verified {
    pub(super) fn open(models: &Path) -> Verified {
        let file = models.join(FILE);
        Verified { sums: read(&file), added: BTreeMap::new(), forgotten: BTreeSet::new(), file }
    }

    /// The sum of a file that looks unchanged, without reading it. A hint: of a file that was read right after it was written, its stamp may hide a change.
    pub(super) fn known(&self, path: &Path) -> Option<&str> {
        let real = fs::canonicalize(path).ok()?;
        Some(&self.find(&real, &FileStamp::at(&real).ok()?)?.sha256)
    }

    /// The sum of a file, read unless its stamp shows that it has not changed. `Ok(None)`: stopped by `cancelled`.
    pub(super) fn sha256(&mut self, path: &Path, cancelled: &dyn Fn() -> bool) -> io::Result<Option<String>> {
        let real = fs::canonicalize(path)?;
        let looked = SystemTime::now();
        let mut file = open_regular(&real)?;
        let before = FileStamp::of(&real, &file.metadata()?);
        if let Some(sum) = self.find(&real, &before).filter(|sum| sum.stamp.is_settled_at(sum.looked)) {
            return Ok(Some(sum.sha256.clone()));
        }
        let Some(sha256) = copy_hashed(&mut file, &mut io::sink(), &mut |_| !cancelled())? else {
            return Ok(None);
        };
        // A file that changed while it was read is not remembered.
        if FileStamp::at(&real)? == before {
            self.remember(&real, Sum { stamp: before, looked, sha256: sha256.clone() });
        }
        Ok(Some(sha256))
    }

    /// Notes the sum of a file that was hashed while it was written.
    pub(super) fn record(&mut self, path: &Path, sha256: &str) {
        let Ok(real) = fs::canonicalize(path) else {
            return;
        };
        if let Ok(stamp) = FileStamp::at(&real) {
            self.remember(&real, Sum { stamp, looked: SystemTime::now(), sha256: sha256.to_string() });
        }
    }

    /// Forgets the file, so that the next look reads it.
    pub(super) fn forget(&mut self, path: &Path) {
        let Ok(real) = fs::canonicalize(path) else {
            return;
        };
        self.sums.remove(&key(&real));
        self.added.remove(&key(&real));
        self.forgotten.insert(key(&real));
    }

    /// Writes what was added. A folder that cannot be written is no error: then the next resolve reads again.
    pub(super) fn save(&self) {
        if !self.added.is_empty() || !self.forgotten.is_empty() {
            let _ = self.write();
        }
    }

    fn find(&self, real: &Path, stamp: &FileStamp) -> Option<&Sum> {
        self.sums.get(&key(real)).filter(|sum| sum.stamp == *stamp)
    }

    fn remember(&mut self, real: &Path, sum: Sum) {
        self.sums.insert(key(real), sum.clone());
        self.added.insert(key(real), sum);
    }

    fn write(&self) -> io::Result<()> {
        let mut sums = read(&self.file);
        sums.retain(|path, _| !self.forgotten.contains(path));
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
        let file = fs::File::options().write(true).open(&path).expect("file");
        file.set_modified(modified).expect("time set");
        assert_eq!(again.known(&path), None);
    }

    #[test]
    fn a_file_that_was_young_when_it_was_read_is_read_again_and_so_is_a_forgotten_one() {
        let root = tempfile::tempdir().expect("temp folder");
        let path = root.path().join("file");
        fs::write(&path, "abc").expect("file");
        let mut verified = Verified::open(root.path());
        // Another sum than that of the content shows that it is not read.
        let noted = |looked| Sum { stamp: FileStamp::at(&path).expect("a stamp"), looked, sha256: "noted".to_string() };
        let real = fs::canonicalize(&path).expect("a path");
        verified.remember(&real, noted(SystemTime::now()));
        assert_eq!(verified.known(&path), Some("noted"));
        assert_eq!(sum(&mut verified, &path).as_deref(), Some(ABC));
        let later = SystemTime::now() + std::time::Duration::from_secs(10);
        verified.remember(&real, noted(later));
        assert_eq!(sum(&mut verified, &path).as_deref(), Some("noted"));
        verified.save();
        let mut again = Verified::open(root.path());
        again.forget(&path);
        again.save();
        assert_eq!(Verified::open(root.path()).known(&path), None);
        assert_eq!(sum(&mut again, &path).as_deref(), Some(ABC));
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
