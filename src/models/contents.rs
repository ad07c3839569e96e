//! Which files make an encoder, and the digest over them. Knows file names and one JSON list, no tensors.

use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::catalogue::CatalogueEntry;
use super::error::ResolveError;
use super::name;

/// Without these there is no encoder.
pub(super) const REQUIRED: [&str; 3] = ["config.json", "tokenizer.json", "model.safetensors"];

/// Pooling, normalisation and maximum length of a sentence-transformers folder; a plain BERT has none of them.
const OPTIONAL: [&str; 4] =
    ["modules.json", "sentence_bert_config.json", "1_Pooling/config.json", "2_Normalize/config.json"];

/// Fetched so that Python opens the folder too. They decide no vector of ours, so a copy without them has the same digest.
const COMPANIONS: [&str; 2] = ["special_tokens_map.json", "tokenizer_config.json"];

/// Whether the file enters the digest.
pub(super) fn decides_vectors(path: &str) -> bool {
    !COMPANIONS.contains(&path)
}

/// A file to look for, in the order in which to fetch: small ones first, so that a wrong id is found before 90 MB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub path: String,
    /// A missing required file is an error, a missing optional one is nothing.
    pub required: bool,
}

/// What to look for. `modules` is the text of `modules.json`, which names further folders; ignored for a pinned entry.
pub(super) fn wanted(entry: Option<&CatalogueEntry>, modules: Option<&[u8]>) -> Vec<Wanted> {
    let mut files: Vec<Wanted> = match entry {
        Some(entry) => entry
            .files
            .iter()
            .map(|file| Wanted { path: file.path.to_string(), required: decides_vectors(file.path) })
            .collect(),
        None => {
            let optional = OPTIONAL.iter().chain(&COMPANIONS).map(|p| p.to_string());
            let mut paths: Vec<String> = optional.chain(modules.map(module_files).unwrap_or_default()).collect();
            paths.sort();
            paths.dedup();
            let required = REQUIRED.iter().map(|p| (p.to_string(), true));
            required
                .chain(paths.into_iter().map(|p| (p, false)))
                .map(|(path, required)| Wanted { path, required })
                .collect()
        }
    };
    files.sort_by_key(|file| file.path.ends_with(".safetensors"));
    files
}

/// The files of an encoder that lie in `folder`, by the same rule as [`wanted`].
pub(super) fn in_folder(folder: &Path, entry: Option<&CatalogueEntry>) -> Result<Vec<String>, ResolveError> {
    let modules = std::fs::read(folder.join("modules.json")).ok();
    let (present, missing): (Vec<Wanted>, Vec<Wanted>) =
        wanted(entry, modules.as_deref()).into_iter().partition(|file| folder.join(&file.path).is_file());
    complete(&format!("'{}'", folder.display()), &missing)?;
    Ok(present.into_iter().map(|file| file.path).collect())
}

/// An error that names the required files among `missing`, if there are any.
pub(super) fn complete(place: &str, missing: &[Wanted]) -> Result<(), ResolveError> {
    let missing: Vec<String> = missing.iter().filter(|file| file.required).map(|file| file.path.clone()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(ResolveError::Incomplete { place: place.to_string(), missing })
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

/// Files of the modules beside the transformer itself, e.g. `3_Dense/model.safetensors`. Paths that would leave the folder are dropped.
fn module_files(modules: &[u8]) -> Vec<String> {
    #[derive(Deserialize)]
    struct Module {
        #[serde(default)]
        path: String,
    }
    let modules: Vec<Module> = serde_json::from_slice(modules).unwrap_or_default();
    modules
        .iter()
        .filter(|module| name::is_safe_path(&module.path))
        .flat_map(|module| ["config.json", "model.safetensors"].map(|file| format!("{}/{file}", module.path)))
        .collect()
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

    #[test]
    fn modules_name_further_files_but_never_outside() {
        let modules = br#"[{"path": ""}, {"path": "3_Dense"}, {"path": "../../etc"}, {"path": "/etc"}]"#;
        let paths: Vec<String> = wanted(None, Some(modules)).into_iter().map(|w| w.path).collect();
        assert!(paths.contains(&"3_Dense/model.safetensors".to_string()));
        assert!(!paths.iter().any(|path| path.contains("etc")));
        assert!(paths.last().is_some_and(|path| path.ends_with(".safetensors")));
    }
}
