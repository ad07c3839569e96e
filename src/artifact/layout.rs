//! How the files of a store are named and sealed, and what stands in their place.

use std::io;
use std::path::Path;

use super::digest::Digest;
use runner_boundary::files::says_special;

/// The layout's number, which the file `format` names.
pub(super) const CURRENT: u32 = 2;

/// Begins the last line of a record.
const SEAL: &[u8] = b"\nblake3 ";

/// A record with a last line that holds its digest.
pub(super) fn seal(bytes: &[u8]) -> Vec<u8> {
    [bytes, SEAL, Digest::of(bytes).to_string().as_bytes(), b"\n"].concat()
}

/// The content without its last line, if that is right. Of format 1 a record has none; what is damaged in it shows when it is parsed.
pub(super) fn unseal(mut content: Vec<u8>) -> Option<Vec<u8>> {
    let Some(at) = content.len().checked_sub(SEAL.len() + 65) else { return Some(content) };
    let Some(line) = content[at..].strip_prefix(SEAL) else { return Some(content) };
    let right = line.strip_suffix(b"\n") == Some(Digest::of(&content[..at]).to_string().as_bytes());
    content.truncate(at);
    right.then_some(content)
}

/// The digest that a file of the store is named by.
pub(super) fn digest_in(path: &Path) -> Option<Digest> {
    path.file_stem()?.to_str()?.parse().ok()
}

pub(super) fn is_link(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink())
}

/// Whether the error says that there is no such file, or something in its place that is none.
pub(super) fn is_no_file(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) || says_special(error)
}
