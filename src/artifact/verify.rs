//! Holds everything in the store against its digest, by reading it. Changes nothing.

use std::path::{Path, PathBuf};

use super::collect::digest_in;
use super::digest::Digest;
use super::memo::unwrap_memo;
use super::store::{At, Store, StoreError, unseal};

/// What [`Store::verify`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// How many blobs were read, and how many bytes they have together.
    pub blobs: usize,
    pub bytes: u64,
    pub records: usize,
    /// Memos and files of rows.
    pub memos: usize,
    pub damaged: Vec<Damage>,
    /// Files among blobs and records that have no digest for a name: the leftovers of a run that was cut short, or strangers.
    pub orphaned: Vec<PathBuf>,
}

/// Something in the store that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    pub kind: Damaged,
    /// The digest or key that it is named by.
    pub name: Digest,
    pub path: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damaged {
    Blob,
    Record,
    /// Harmless: a damaged memo counts as none.
    Memo,
}

impl Store {
    /// Reads every blob, record, memo and file of rows and holds it against its digest, without regard to stamps. `progress` hears of bytes done and in all.
    pub fn verify(&self, progress: &dyn Fn(u64, u64)) -> Result<Verified, StoreError> {
        let mut found = Verified::default();
        let blobs = self.files_below(&self.root.join("blobs"))?;
        let total = blobs.iter().map(|path| size(path)).sum();
        for path in blobs {
            let Some(name) = digest_in(&path) else {
                found.orphaned.push(path);
                continue;
            };
            found.blobs += 1;
            found.bytes += size(&path);
            let digest = Digest::of_reader(self.disk.open(&path).at("read", &path)?);
            // What the device cannot read is damaged too.
            if digest.ok() != Some(name) {
                found.damaged.push(Damage { kind: Damaged::Blob, name, path });
            }
            progress(found.bytes, total);
        }
        for path in self.files_below(&self.root.join("records"))? {
            let Some(name) = digest_in(&path) else {
                found.orphaned.push(path);
                continue;
            };
            found.records += 1;
            let content = self.disk.read(&path).at("read", &path)?;
            // Of format 1 there is no seal, but it is JSON.
            if unseal(content).is_none_or(|bytes| serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_err()) {
                found.damaged.push(Damage { kind: Damaged::Record, name, path });
            }
        }
        for path in self.files_below(&self.root.join("memo"))? {
            let Some(name) = digest_in(&path) else { continue };
            found.memos += 1;
            if unwrap_memo(self.disk.read(&path).at("read", &path)?).is_none() {
                found.damaged.push(Damage { kind: Damaged::Memo, name, path });
            }
        }
        for path in self.files_below(&self.root.join("rows"))? {
            let Some(name) = digest_in(&path) else { continue };
            found.memos += 1;
            let digest = Digest::of_reader(self.disk.open(&path).at("read", &path)?);
            if digest.ok() != Some(name) {
                found.damaged.push(Damage { kind: Damaged::Memo, name, path });
            }
        }
        Ok(found)
    }
}

fn size(path: &Path) -> u64 {
    path.metadata().map_or(0, |metadata| metadata.len())
}
