//! The folder for people: links to blobs, and the pointer that says which result they belong to.
//!
//! Knows nothing of stages but their names.

use std::path::{Path, PathBuf};

use super::digest::Digest;
use super::disk::Access;
use super::store::{At, Store, StoreError};

/// The first line of a pointer while files of several results may lie in the folder.
const PLACING: &str = "placing";

impl Store {
    /// The key of what lies in the folder of that stage, if it is one whole result.
    pub fn current(&self, pipeline: &str, stage: &str) -> Option<Digest> {
        self.pointer(pipeline, stage).trim().parse().ok()
    }

    /// The keys of all results of which files may lie in the folder: more than one after a run that was cut short.
    pub fn placed(&self, pipeline: &str, stage: &str) -> Vec<Digest> {
        keys_in(&self.pointer(pipeline, stage))
    }

    /// Says that files of `key` are about to be put beside those that are there, so that none is forgotten if this run is cut short.
    pub fn begin_placing(&self, pipeline: &str, stage: &str, key: Digest) -> Result<(), StoreError> {
        let mut lines = vec![PLACING.to_owned(), key.to_string()];
        lines.extend(self.placed(pipeline, stage).into_iter().filter(|&old| old != key).map(String::from));
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
                keys.extend(keys_in(&String::from_utf8_lossy(&bytes)));
            }
        }
        Ok(keys)
    }

    fn pointer(&self, pipeline: &str, stage: &str) -> String {
        let bytes = self.disk.read(&self.pointer_path(pipeline, stage)).unwrap_or_default();
        String::from_utf8(bytes).unwrap_or_default()
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

fn keys_in(pointer: &str) -> Vec<Digest> {
    pointer.lines().filter_map(|line| line.trim().parse().ok()).collect()
}
