//! The folder for people: links to blobs, and the pointer that says which result they belong to.
//!
//! Knows nothing of stages but their names.

use std::io;
use std::path::{Path, PathBuf};

use super::digest::Digest;
use super::disk::Access;
use super::store::{At, Store, StoreError};

/// The first line of a pointer while files of several results may lie in the folder.
const PLACING: &str = "placing";

impl Store {
    /// The key of what lies in the folder of that stage, if it is one whole result.
    pub fn current(&self, pipeline: &str, stage: &str) -> Option<Digest> {
        let bytes = self.disk.read(&self.pointer_path(pipeline, stage)).ok()?;
        String::from_utf8(bytes).ok()?.trim().parse().ok()
    }

    /// The keys of all results of which files may lie in the folder: more than one after a run that was cut short.
    pub fn placed(&self, pipeline: &str, stage: &str) -> Result<Vec<Digest>, StoreError> {
        let path = self.pointer_path(pipeline, stage);
        match self.disk.read(&path) {
            Ok(bytes) => Ok(keys_in(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            // Not the same as none: files of results that are forgotten would stay for ever.
            Err(error) => Err(error).at("read", &path),
        }
    }

    /// Says that files of `key` are about to be put beside those that are there, so that none is forgotten if this run is cut short.
    pub fn begin_placing(&self, pipeline: &str, stage: &str, key: Digest) -> Result<(), StoreError> {
        let mut lines = vec![PLACING.to_owned(), key.to_string()];
        lines.extend(self.placed(pipeline, stage)?.into_iter().filter(|&old| old != key).map(String::from));
        self.point(pipeline, stage, &lines)
    }

    /// Says that the folder holds that result and no other.
    pub fn set_current(&self, pipeline: &str, stage: &str, key: Digest) -> Result<(), StoreError> {
        self.point(pipeline, stage, &[key.to_string()])
    }

    /// Puts a blob at `target` for people: a hard link where possible (read-only, no space), else a copy.
    pub fn materialise(&self, digest: Digest, target: &Path) -> Result<(), StoreError> {
        self.disk.link(&self.scratch(), &self.blob_path(digest), target).at("write", target)?;
        self.stats().note(target, digest);
        Ok(())
    }

    /// Takes away what [`Store::materialise`] put there.
    pub fn remove_materialised(&self, target: &Path) -> Result<(), StoreError> {
        self.disk.remove(target).at("remove", target)
    }

    /// Whether `target` holds exactly that blob.
    pub fn is_materialised(&self, digest: Digest, target: &Path) -> bool {
        self.stats().digest(target).is_ok_and(|found| found == digest)
    }

    /// The keys in all pointers, of whatever pipeline.
    pub(super) fn all_placed(&self) -> Result<Vec<Digest>, StoreError> {
        let mut keys = Vec::new();
        let root = self.root.join("current");
        for pipeline in self.disk.list(&root).at("list", &root)? {
            for pointer in self.disk.list(&pipeline).at("list", &pipeline)? {
                let bytes = self.disk.read(&pointer).at("read", &pointer)?;
                keys.extend(keys_in(&bytes));
            }
        }
        Ok(keys)
    }

    fn point(&self, pipeline: &str, stage: &str, lines: &[String]) -> Result<(), StoreError> {
        let path = self.pointer_path(pipeline, stage);
        let content = lines.join("\n") + "\n";
        self.disk.relaxed().write(&self.scratch(), &path, content.as_bytes(), Access::ReadWrite).at("write", &path)
    }

    fn pointer_path(&self, pipeline: &str, stage: &str) -> PathBuf {
        self.root.join("current").join(pipeline).join(stage)
    }
}

fn keys_in(pointer: &[u8]) -> Vec<Digest> {
    String::from_utf8_lossy(pointer).lines().filter_map(|line| line.trim().parse().ok()).collect()
}
