//! The folder for people: copies of blobs, and the pointer that says which result they belong to.
//!
//! Copies, never other names of a blob: whoever writes into a delivered file must not damage the store.

use std::path::{Component, Path, PathBuf};

use super::digest::Digest;
use super::disk::Access;
use super::error::{At, StoreError};
use super::layout::{is_link, is_no_file};
use super::stamp::FileStamp;
use super::store::Store;
use runner_boundary::files::says_special;

/// Bytes of the name of a file or folder on the common file systems.
const LONGEST_NAME: usize = 255;
/// Bytes of a file's name with the folders in it; systems know no path of more than 4096, nor one with the path of the artifacts folder.
const LONGEST_PATH: usize = 2048;

/// The first line of a pointer while files of several results may lie in the folder.
const PLACING: &str = "placing";

impl Store {
    /// The key of what lies in the folder of that stage, if it is one whole result.
    pub fn current(&self, pipeline: &str, stage: &str) -> Option<Digest> {
        let bytes = self.disk.read(&self.pointer_path(pipeline, stage)).ok()?;
        String::from_utf8(bytes).ok()?.trim().parse().ok()
    }

    /// The keys of all results of which files may lie in the folder: more than one after a run that was cut short.
    ///
    /// `None` if that is not known: the pointer is damaged or lost.
    pub fn placed(&self, pipeline: &str, stage: &str) -> Result<Option<Vec<Digest>>, StoreError> {
        let path = self.pointer_path(pipeline, stage);
        match self.disk.read(&path) {
            Ok(bytes) => Ok(whole_keys_in(&bytes)),
            // What is no file tells as little as one that is not there.
            Err(error) if is_no_file(&error) => Ok(None),
            // Not the same as none: files of results that are forgotten would stay for ever.
            Err(error) => Err(error).at("read", &path),
        }
    }

    /// Says that files of `key` are about to be put beside those that are there, so that none is forgotten if this run is cut short.
    pub fn begin_placing(&self, pipeline: &str, stage: &str, key: Digest) -> Result<(), StoreError> {
        let mut lines = vec![PLACING.to_owned(), key.to_string()];
        lines.extend(self.placed(pipeline, stage)?.into_iter().flatten().filter(|&old| old != key).map(String::from));
        self.point(pipeline, stage, &lines)
    }

    /// Says that the folder holds that result and no other.
    pub fn set_current(&self, pipeline: &str, stage: &str, key: Digest) -> Result<(), StoreError> {
        self.point(pipeline, stage, &[key.to_string()])
    }

    /// Puts a copy of a blob at `target` for people, read-only; its content is held against the digest unless that was done while this store is open.
    pub fn materialise(&self, digest: Digest, target: &Path) -> Result<(), StoreError> {
        self.refuse_links_above(target)?;
        let (_, blob) = self.open_verified(digest)?;
        let folder = target.parent().unwrap_or(Path::new("."));
        refuse_in_the_way(folder, target)?;
        self.disk.create_folder(folder).at("create", folder)?;
        self.disk.copy(&self.scratch(), &blob, target).at("write", target)
    }

    /// Takes away what [`Store::materialise`] put at `target` in `folder`, with folders between them that are empty then.
    pub fn remove_materialised(&self, target: &Path, folder: &Path) -> Result<(), StoreError> {
        self.refuse_links_above(target)?;
        self.disk.remove(target).at("remove", target)?;
        for above in target.ancestors().skip(1).take_while(|above| *above != folder && above.starts_with(folder)) {
            if !self.disk.remove_if_empty(above).at("remove", above)? {
                break;
            }
        }
        Ok(())
    }

    /// Whether `target` is a file of its own with the content of that blob. Not so a symbolic link, nor a second name of the blob.
    pub fn is_materialised(&self, digest: Digest, target: &Path) -> bool {
        self.holds(digest, target) && !self.is_blob(digest, target)
    }

    /// The same by the bytes that the file has now, whatever its stamp says of them.
    pub fn is_materialised_whole(&self, digest: Digest, target: &Path) -> bool {
        is_file(target)
            && self.stats().read_digest(target).is_ok_and(|found| found == digest)
            && !self.is_blob(digest, target)
    }

    fn is_blob(&self, digest: Digest, target: &Path) -> bool {
        let identity = |path: &Path| FileStamp::at(path).map(|stamp| stamp.identity).ok();
        identity(target) == identity(&self.blob_path(digest))
    }

    /// Whether `target` is a file, and no symbolic link, of that content.
    pub fn holds(&self, digest: Digest, target: &Path) -> bool {
        is_file(target) && self.stats().digest(target).is_ok_and(|found| found == digest)
    }

    /// Refuses a target below a symbolic link. The artifacts folder itself may be one: the user named it.
    pub fn refuse_links_above(&self, target: &Path) -> Result<(), StoreError> {
        let artifacts = self.root.parent().unwrap_or(Path::new(""));
        let between =
            target.ancestors().skip(1).take_while(|above| above.starts_with(artifacts) && *above != artifacts);
        for above in between {
            if is_link(above) {
                return Err(StoreError::Link { path: above.to_owned() });
            }
        }
        Ok(())
    }

    /// The keys in all pointers, of whatever pipeline.
    pub(super) fn all_placed(&self) -> Result<Vec<Digest>, StoreError> {
        Ok(self.pointers()?.iter().flat_map(|(_, bytes)| keys_in(bytes)).collect())
    }

    /// How many pointers there are, of whatever pipeline, and those in which no key can be read.
    pub fn check_pointers(&self) -> Result<(usize, Vec<PathBuf>), StoreError> {
        let pointers = self.pointers()?;
        let all = pointers.len();
        let damaged = pointers.into_iter().filter(|(_, bytes)| whole_keys_in(bytes).is_none());
        Ok((all, damaged.map(|(path, _)| path).collect()))
    }

    fn pointers(&self) -> Result<Vec<(PathBuf, Vec<u8>)>, StoreError> {
        let mut found = Vec::new();
        let root = self.root.join("current");
        for pipeline in self.disk.list(&root).at("list", &root)?.into_iter().filter(|path| path.is_dir()) {
            for pointer in self.disk.list(&pipeline).at("list", &pipeline)? {
                match self.disk.read(&pointer) {
                    Ok(bytes) => found.push((pointer, bytes)),
                    Err(error) if says_special(&error) => {}
                    Err(error) => return Err(error).at("read", &pointer),
                }
            }
        }
        Ok(found)
    }

    fn point(&self, pipeline: &str, stage: &str, lines: &[String]) -> Result<(), StoreError> {
        let path = self.pointer_path(pipeline, stage);
        self.refuse_links_above(&path)?;
        self.make_way(&path)?;
        let content = lines.join("\n") + "\n";
        self.disk.relaxed().write(&self.scratch(), &path, content.as_bytes(), Access::ReadWrite).at("write", &path)
    }

    fn pointer_path(&self, pipeline: &str, stage: &str) -> PathBuf {
        self.root.join("current").join(pipeline).join(stage)
    }
}

/// Not of a symbolic link.
fn is_file(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_file())
}

/// What somebody put where a result belongs is theirs: it is neither replaced nor emptied. A file is replaced, and told of by whoever knows what it held.
fn refuse_in_the_way(folder: &Path, target: &Path) -> Result<(), StoreError> {
    let type_of = |path: &Path| path.symlink_metadata().map(|metadata| metadata.file_type()).ok();
    let in_the_way = |path: &Path, what| Err(StoreError::InTheWay { path: path.to_owned(), what });
    if let Some((above, kind)) = folder.ancestors().find_map(|above| Some((above, type_of(above)?)))
        && !kind.is_dir()
        && !kind.is_symlink()
    {
        return in_the_way(above, "is no folder");
    }
    if type_of(target).is_some_and(|kind| kind.is_dir()) { in_the_way(target, "is a folder") } else { Ok(()) }
}

/// Whether the name can only mean a file below the folder that it is looked up in, on any system: parts between single slashes, none of them
/// hidden, `..` or with a backslash or control character.
pub fn is_inner_name(name: &str) -> bool {
    let is_plain = |part: &str| !part.is_empty() && !part.starts_with('.') && part.len() <= LONGEST_NAME;
    name.len() <= LONGEST_PATH
        && !name.contains(|c: char| c == '\\' || c.is_control())
        && name.split('/').all(is_plain)
        && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}

/// The keys of a pointer in which nothing else stands.
fn whole_keys_in(pointer: &[u8]) -> Option<Vec<Digest>> {
    let keys = keys_in(pointer);
    let lines = String::from_utf8_lossy(pointer).lines().filter(|line| line.trim() != PLACING).count();
    (!keys.is_empty() && keys.len() == lines).then_some(keys)
}

fn keys_in(pointer: &[u8]) -> Vec<Digest> {
    String::from_utf8_lossy(pointer).lines().filter_map(|line| line.trim().parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_names_lead_nowhere_else() {
        for name in ["rows.arrow", "figures/loss.svg", "rows/00000.arrow", "a b", "é", "a..b", "c:x"] {
            assert_eq!(is_inner_name(name), name != "c:x" || cfg!(not(windows)), "{name}");
        }
        for name in [
            "",
            "/",
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a/..",
            ".",
            "./x",
            ".hidden",
            "a//b",
            "a/",
            "a\\b",
            "..\\x",
            "a\nb",
            "a\u{1b}[2J",
            "a\0",
        ] {
            assert!(!is_inner_name(name), "{name:?}");
        }
    }
}
