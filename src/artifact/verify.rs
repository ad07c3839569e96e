//! Holds everything in the store against its digest, by reading it, and takes away what is damaged.

use std::io;
use std::path::{Path, PathBuf};

use super::digest::Digest;
use super::error::{At, StoreError};
use super::layout::{digest_in, unseal};
use super::memo::unwrap_memo;
use super::stamp::FileStamp;
use super::store::Store;
use runner_boundary::files::says_special;

/// What [`Store::verify`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// How many blobs were read, and how many bytes they have together.
    pub blobs: usize,
    /// Of the blobs that were hashed.
    pub bytes: u64,
    /// That were read.
    pub records: usize,
    /// Memos and files of rows.
    pub memos: usize,
    /// What is damaged; empty of a sound store.
    pub damaged: Vec<Damage>,
    /// Files among blobs and records that have no digest for a name: the leftovers of a run that was cut short, or strangers.
    pub orphaned: Vec<PathBuf>,
}

/// Something in the store that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// What it is.
    pub kind: Damaged,
    /// The digest or key that it is named by.
    pub(crate) name: Digest,
    /// Where it lies.
    pub path: PathBuf,
}

/// What a store keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damaged {
    /// Content of a result's file.
    Blob,
    /// What an action produced.
    Record,
    /// Harmless: a damaged memo counts as none.
    Memo,
}

impl Store {
    /// Reads every blob, record, memo and file of rows and holds it against its digest, without regard to stamps; what was read already while this
    /// store is open is not read again. Changes nothing. `progress` hears of bytes done and in all.
    pub fn verify(&self, progress: &dyn Fn(u64, u64)) -> Result<Verified, StoreError> {
        let is_json = |_, record: &[u8]| serde_json::from_slice::<serde::de::IgnoredAny>(record).is_ok();
        self.verify_with(&is_json, progress)
    }

    /// As [`Store::verify`]; `is_sound_record` judges by its key what a record says.
    pub fn verify_with(
        &self,
        is_sound_record: &dyn Fn(Digest, &[u8]) -> bool,
        progress: &dyn Fn(u64, u64),
    ) -> Result<Verified, StoreError> {
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
            // What the device cannot read is damaged too.
            let is_whole = match if_file(self.disk.open(&path), &path)? {
                Some(file) => self.holds_by_content(name, &path, &file).is_ok_and(|whole| whole),
                None => false,
            };
            if !is_whole {
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
            let content = if_file(self.disk.read(&path), &path)?;
            // Of format 1 there is no seal, but it is JSON.
            if content.and_then(unseal).is_none_or(|bytes| !is_sound_record(name, &bytes)) {
                found.damaged.push(Damage { kind: Damaged::Record, name, path });
            }
        }
        for path in self.files_below(&self.root.join("memo"))? {
            let Some(name) = digest_in(&path) else { continue };
            found.memos += 1;
            if if_file(self.disk.read(&path), &path)?.and_then(unwrap_memo).is_none() {
                found.damaged.push(Damage { kind: Damaged::Memo, name, path });
            }
        }
        for path in self.files_below(&self.root.join("rows"))? {
            let Some(name) = digest_in(&path) else { continue };
            found.memos += 1;
            let file = if_file(self.disk.open(&path), &path)?;
            if file.and_then(|file| Digest::of_reader(file).ok()) != Some(name) {
                found.damaged.push(Damage { kind: Damaged::Memo, name, path });
            }
        }
        Ok(found)
    }

    /// Takes away what [`Store::verify`] found, so that the next run computes it anew. Tells whether it is gone.
    pub fn discard(&self, damage: &Damage) -> bool {
        match damage.kind {
            Damaged::Blob => {
                let error = self.set_aside(damage.name, FileStamp::at(&damage.path).ok());
                matches!(error, StoreError::Damaged { .. }) && !damage.path.exists()
            }
            Damaged::Record | Damaged::Memo => self.take_away(&damage.path).is_ok(),
        }
    }
}

/// What was read; `None` of what is no file at all.
fn if_file<T>(read: io::Result<T>, path: &Path) -> Result<Option<T>, StoreError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if says_special(&error) => Ok(None),
        Err(error) => Err(error).at("read", path),
    }
}

fn size(path: &Path) -> u64 {
    path.metadata().map_or(0, |metadata| metadata.len())
}
