//! Garbage collection: what no root needs goes, a record before the blobs that only it needs, so that no record ever points at nothing.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::digest::Digest;
use super::error::{At, StoreError};
use super::layout::{digest_in, is_link};
use super::store::Store;

/// What may go.
#[derive(Clone, Copy, Debug)]
pub struct Collect {
    /// What is younger stays: somebody may be about to need it.
    pub grace: Duration,
    /// Memos and rows that were not used since then go.
    pub used_since: SystemTime,
    /// Find what would be deleted, and delete nothing.
    pub dry_run: bool,
}

/// What went, or would go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Records that were removed.
    pub records: usize,
    /// Blobs that were removed.
    pub blobs: usize,
    /// Memos and files of rows.
    pub memos: usize,
    /// Temporary files of runs that were cut short.
    pub leftovers: usize,
    /// The sizes of all these.
    pub bytes: u64,
    /// Of these, of blobs.
    pub blob_bytes: u64,
    /// Of these, of memos and files of rows.
    pub memo_bytes: u64,
}

/// Letters of the folders in which files lie by the beginning of their digests.
const SHARD: usize = 2;

impl Store {
    /// Removes every record that is not among `roots` (nor pointed at by a folder for people), the blobs that no remaining record needs, memos
    /// out of use, and leftovers. `blobs_of` reads the digests of the blobs out of a record.
    ///
    /// Refused while a run works with the store ([`StoreError::Busy`]). It can be cut short anywhere: what is left is a store as good as before.
    pub fn collect(
        &self,
        roots: &HashSet<Digest>,
        blobs_of: &dyn Fn(&[u8]) -> Vec<Digest>,
        options: Collect,
    ) -> Result<Collected, StoreError> {
        if !self.root.exists() {
            return Ok(Collected::default());
        }
        let _alone = match options.dry_run {
            true => None,
            false => {
                self.prepare()?;
                Some(self.have_alone()?)
            }
        };
        let mut sweep = Sweep { store: self, options, collected: Collected::default(), touched: BTreeSet::new() };
        let mut roots = roots.clone();
        roots.extend(self.all_placed()?);
        let needed = sweep.records(&roots, blobs_of)?;
        // On the device before the blobs are touched: a power failure must not bring a record back without them.
        sweep.settle()?;
        let before = sweep.collected.bytes;
        sweep.blobs(&needed)?;
        sweep.collected.blob_bytes = sweep.collected.bytes - before;
        sweep.memos()?;
        sweep.collected.memo_bytes = sweep.collected.bytes - before - sweep.collected.blob_bytes;
        sweep.leftovers()?;
        sweep.settle()?;
        Ok(sweep.collected)
    }

    /// All files below a folder of the store, and what stands in the place of one: files lie in it or in its folders, not deeper. Links are names among others and lead nowhere: what lies behind them is not the store's.
    pub(super) fn files_below(&self, folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
        if is_link(folder) {
            return Err(StoreError::Link { path: folder.to_owned() });
        }
        let mut files = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(next) = folders.pop() {
            for path in self.disk.list(&next).at("list", &next)? {
                if next == folder && is_folder(&path) {
                    folders.push(path);
                } else if is_link(&path) && path.file_name().is_some_and(|name| name.len() == SHARD) {
                    // What lies behind it would be taken for gone. Under any other name it is a stranger.
                    return Err(StoreError::Link { path });
                } else {
                    files.push(path);
                }
            }
        }
        files.sort_unstable();
        Ok(files)
    }
}

struct Sweep<'s> {
    store: &'s Store,
    options: Collect,
    collected: Collected,
    /// Folders from which something was removed.
    touched: BTreeSet<PathBuf>,
}

impl Sweep<'_> {
    /// Removes records, and returns the blobs that the remaining ones need.
    fn records(
        &mut self,
        roots: &HashSet<Digest>,
        blobs_of: &dyn Fn(&[u8]) -> Vec<Digest>,
    ) -> Result<HashSet<Digest>, StoreError> {
        let mut needed = HashSet::new();
        for path in self.store.files_below(&self.store.root.join("records"))? {
            let Some(key) = digest_in(&path) else {
                self.leftover(&path)?;
                continue;
            };
            if !roots.contains(&key) && self.is_old(&path) {
                self.remove(&path)?;
                self.collected.records += 1;
            } else if let Some(record) = self.store.read_record(key)? {
                needed.extend(blobs_of(&record));
            }
        }
        Ok(needed)
    }

    fn blobs(&mut self, needed: &HashSet<Digest>) -> Result<(), StoreError> {
        for path in self.store.files_below(&self.store.root.join("blobs"))? {
            match digest_in(&path) {
                Some(digest) if needed.contains(&digest) || !self.is_old(&path) => {}
                Some(_) => {
                    self.remove(&path)?;
                    self.collected.blobs += 1;
                }
                None => self.leftover(&path)?,
            }
        }
        Ok(())
    }

    fn memos(&mut self) -> Result<(), StoreError> {
        for folder in ["memo", "rows"] {
            for path in self.store.files_below(&self.store.root.join(folder))? {
                let used = path.symlink_metadata().and_then(|metadata| metadata.modified());
                if used.is_ok_and(|used| used < self.options.used_since) {
                    self.remove(&path)?;
                    self.collected.memos += 1;
                }
            }
        }
        Ok(())
    }

    /// Nobody else has the store, so no lock is held and no temporary file is being filled; the grace is for file systems without locks.
    fn leftovers(&mut self) -> Result<(), StoreError> {
        for name in ["tmp", "locks"] {
            let folder = self.store.root.join(name);
            if is_link(&folder) {
                return Err(StoreError::Link { path: folder });
            }
            for path in self.store.disk.list(&folder).at("list", &folder)? {
                match name {
                    // An empty file stays of each lock that was ever held: that is nothing which was cut short.
                    "locks" if self.is_old(&path) => self.remove(&path)?,
                    "locks" => {}
                    _ => self.leftover(&path)?,
                }
            }
        }
        if !self.options.dry_run {
            self.store.sweep_scratch();
        }
        Ok(())
    }

    fn leftover(&mut self, path: &Path) -> Result<(), StoreError> {
        if self.is_old(path) {
            self.remove(path)?;
            self.collected.leftovers += 1;
        }
        Ok(())
    }

    /// A time in the future says nothing of the age: such a file stays.
    fn is_old(&self, path: &Path) -> bool {
        let modified = path.symlink_metadata().and_then(|metadata| metadata.modified());
        modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age >= self.options.grace))
    }

    fn remove(&mut self, path: &Path) -> Result<(), StoreError> {
        self.collected.bytes += path.symlink_metadata().map_or(0, |metadata| metadata.len());
        if !self.options.dry_run {
            let disk = &self.store.disk;
            if is_folder(path) { disk.remove_folder(path) } else { disk.remove(path) }.at("remove", path)?;
            self.touched.extend(path.parent().map(Path::to_owned));
        }
        Ok(())
    }

    fn settle(&mut self) -> Result<(), StoreError> {
        for folder in std::mem::take(&mut self.touched) {
            self.store.disk.sync_folder(&folder).at("write", &folder)?;
        }
        Ok(())
    }
}

fn is_folder(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir())
}
