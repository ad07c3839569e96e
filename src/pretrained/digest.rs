//! The digest over the files of an encoder that decide its vectors.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// Beside the tokenizer. States the longest text too, for folders in which `LENGTH` does not.
pub(super) const TOKENIZER: &str = "tokenizer_config.json";

/// Fetched so that Python opens the folder too.
pub(super) const COMPANION: &str = "special_tokens_map.json";

/// Whether the file enters the digest of a folder, in which `LENGTH` states the longest text or not. A companion decides no
/// vector of ours, so a copy without it has the same digest.
pub(super) fn decides_vectors(path: &str, states_length: bool) -> bool {
    path != COMPANION && !(states_length && path.ends_with(TOKENIZER))
}

/// The digest of an encoder: sha256 over the sorted lines `path\nsha256\n`. Companions must be left out by the caller.
pub(super) fn digest(files: &[(String, String)]) -> String {
    let mut sorted: Vec<&(String, String)> = files.iter().collect();
    sorted.sort();
    let mut hasher = Sha256::new();
    hasher.update(b"encoder 1\n");
    for (path, sha256) in sorted {
        hasher.update(path.as_bytes());
        hasher.update(b"\n");
        hasher.update(sha256.as_bytes());
        hasher.update(b"\n");
    }
    hex(&hasher.finalize())
}

/// Lower-case hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ```python
    /// import hashlib
    /// h = lambda b: hashlib.sha256(b).hexdigest()
    /// print(h(b"encoder 1\n" + b"".join(f"{p}\n{s}\n".encode() for p, s in sorted([("b", h(b"2")), ("a", h(b"1"))]))))
    /// ```
    #[test]
    fn the_digest_depends_on_contents_and_not_on_order() {
        let one = ("a".to_string(), hex(&Sha256::digest(b"1")));
        let two = ("b".to_string(), hex(&Sha256::digest(b"2")));
        let expected = "daae380f3e9c6545ea39c7cc17cc693a5d95c8a02581680a5787a11f1684c62d";
        assert_eq!(digest(&[one.clone(), two.clone()]), expected);
        assert_eq!(digest(&[two, one]), expected);
    }
}
