//! The file that says which layout the store has, `runner store 2`.
//!
//! Format 1 had no `lock`, `tmp`, `rows`, `runs`, and records without their last line. It is read as it is, and becomes format 2 when something is
//! written ([`Store::prepare`]). A newer format is refused. A file that names none is damaged: where sealed records lie beside it, this is a store
//! of ours whose content is held against digests anyway, so it is read on, and the file is written anew with the next result.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::disk::Access;
use super::error::{At, StoreError};
use super::layout::{CURRENT, unseal};
use super::store::Store;
use runner_boundary::files::says_special;

/// Bytes that are read of the file, which has fewer.
const LONGEST: u64 = 64;
/// So many records are looked at where the format is not known.
const SAMPLE: usize = 8;

/// What the file says.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Format {
    /// There is no such file: a new store, or one that lost it.
    Absent,
    Known(u32),
    Damaged,
}

impl Store {
    /// Refuses a newer format, and a damaged file that nothing speaks for.
    pub(super) fn check_format(&self) -> Result<(), StoreError> {
        match self.format()? {
            Format::Known(found) if found > CURRENT => Err(StoreError::Format { path: self.root.clone(), found }),
            Format::Damaged if !self.has_own_records()? => Err(StoreError::FormatDamaged { path: self.format_path() }),
            _ => Ok(()),
        }
    }

    /// Whether the file that names the format is lost or damaged although the store has results.
    pub fn has_damaged_format(&self) -> bool {
        match self.format() {
            Ok(Format::Damaged) => true,
            Ok(Format::Absent) => self.has_own_records().unwrap_or(false),
            _ => false,
        }
    }

    /// Writes the present format, unless it stands there already.
    pub(super) fn renew_format(&self) -> Result<(), StoreError> {
        self.check_format()?;
        let text = format!("runner store {CURRENT}\n");
        match self.format()? {
            Format::Known(CURRENT) => Ok(()),
            _ => self.write(&self.format_path(), text.as_bytes(), Access::ReadWrite),
        }
    }

    fn format(&self) -> Result<Format, StoreError> {
        let path = self.format_path();
        let mut begin = Vec::new();
        let read = self.disk.open(&path).and_then(|file| file.take(LONGEST).read_to_end(&mut begin));
        match read {
            Ok(_) => Ok(parse(&begin).map_or(Format::Damaged, Format::Known)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Format::Absent),
            Err(error) if says_special(&error) => Ok(Format::Damaged),
            Err(error) => Err(error).at("read", &path),
        }
    }

    fn format_path(&self) -> PathBuf {
        self.root.join("format")
    }

    /// Whether most of the records at hand are whole, by their seals or as JSON.
    fn has_own_records(&self) -> Result<bool, StoreError> {
        let records = self.files_below(&self.root.join("records"))?;
        let sample = records.iter().take(SAMPLE);
        let whole = sample.clone().filter(|path| self.is_whole_record(path)).count();
        Ok(whole > 0 && 2 * whole >= sample.len())
    }

    fn is_whole_record(&self, path: &Path) -> bool {
        let content = self.disk.read(path).ok().and_then(unseal);
        content.is_some_and(|bytes| serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_ok())
    }
}

/// The number in `runner store 2`; there was never a format 0.
fn parse(bytes: &[u8]) -> Option<u32> {
    let number = std::str::from_utf8(bytes).ok()?.strip_prefix("runner store ")?;
    number.trim_end().parse().ok().filter(|&number| number > 0)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::digest::Digest;
    use super::*;

    fn with_format(text: &[u8], records: usize) -> (tempfile::TempDir, Result<Store, StoreError>) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        store.prepare().unwrap();
        for i in 0..records {
            store.put_record(Digest::of(&i.to_le_bytes()), b"{}").unwrap();
        }
        fs::write(folder.path().join(".store/format"), text).unwrap();
        let opened = Store::open(folder.path());
        (folder, opened)
    }

    #[test]
    fn a_newer_format_is_refused_with_and_without_results() {
        for records in [0, 3] {
            let (_folder, opened) = with_format(b"runner store 9\n", records);
            let error = opened.map(drop).unwrap_err();
            assert!(matches!(error, StoreError::Format { found: 9, .. }));
            assert!(error.to_string().contains("update runner"), "{error}");
        }
    }

    #[test]
    fn a_damaged_format_is_written_anew_where_the_records_are_whole_and_else_named() {
        for text in [&b"ru~ner store 2\n"[..], b"", b"runner", b"runner store 0\n", b"\xff\xfe", b"runner store two\n"]
        {
            let (folder, opened) = with_format(text, 3);
            let store = opened.unwrap();
            assert!(store.has_damaged_format());
            store.prepare().unwrap();
            assert!(!store.has_damaged_format());
            assert_eq!(fs::read(folder.path().join(".store/format")).unwrap(), b"runner store 2\n");
            let error = with_format(text, 0).1.map(drop).unwrap_err().to_string();
            assert!(error.contains("is damaged") && error.contains("remove that file"), "{error}");
            assert!(!error.contains("update"), "{error}");
        }
        let (folder, _) = with_format(b"runner store 2\n", 3);
        fs::remove_file(folder.path().join(".store/format")).unwrap();
        assert!(Store::open(folder.path()).unwrap().has_damaged_format());
    }
}
