//! Which files make an encoder, and the digest over them. Knows file names and one JSON list, no tensors.

use std::path::Path;

use serde::Deserialize;

use super::catalogue::CatalogueEntry;
use super::digest::{COMPANION, TOKENIZER, decides_vectors};
use super::error::ResolveError;
use super::name;

/// Without these there is no encoder; static embeddings have no config.json.
pub(super) const REQUIRED: [&str; 3] = ["config.json", "tokenizer.json", "model.safetensors"];

/// Pooling, normalisation, prompts of a sentence-transformers folder; a plain BERT has none of them.
const OPTIONAL: [&str; 5] = [
    "modules.json",
    "config.json",
    "config_sentence_transformers.json",
    "1_Pooling/config.json",
    "2_Normalize/config.json",
];

/// Beside the transformer itself: the longest text, and lower case.
const LENGTH: &str = "sentence_bert_config.json";

/// Whether the folder's `LENGTH` states the longest text; in all catalogued encoders it does.
pub(super) fn states_length(folder: &Path, files: &[String]) -> bool {
    let file = files.iter().find(|file| file.ends_with(LENGTH));
    let text = file.and_then(|file| std::fs::read(folder.join(file)).ok());
    let config: Option<serde_json::Value> = text.and_then(|text| serde_json::from_slice(&text).ok());
    config.is_some_and(|config| config["max_seq_length"].is_u64())
}

/// A file to look for, in the order in which to fetch: small ones first, so that a wrong id is found before 90 MB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(crate) path: String,
    /// A missing required file is an error, a missing optional one is nothing.
    pub(crate) required: bool,
}

/// Bytes of an encoder's files together, where no pin says more exactly: more than any encoder for a laptop has.
pub(super) const LARGEST_ENCODER: u64 = 8 << 30;

/// Modules of an encoder: three or four are usual.
const MOST_MODULES: usize = 32;

/// Bytes that a file of an encoder may have where no pin says more exactly.
pub(super) fn largest(path: &str) -> u64 {
    match path.rsplit('/').next() {
        Some("model.safetensors") => 4 << 30,
        // Vocabularies of 250,000 tokens have 20 MB.
        Some("tokenizer.json") => 256 << 20,
        _ => 16 << 20,
    }
}

/// What to look for. `modules` is the text of `modules.json`, which names further folders; ignored for a pinned entry. Errors
/// say what is wrong with that list: where one of its paths would leave the folder, none is trusted.
pub(super) fn wanted(entry: Option<&CatalogueEntry>, modules: Option<&[u8]>) -> Result<Vec<Wanted>, String> {
    let mut files: Vec<Wanted> = match entry {
        Some(entry) => entry
            .files
            .iter()
            .map(|file| Wanted { path: file.path.to_string(), required: decides_vectors(file.path, true) })
            .collect(),
        None => {
            let modules = modules.map_or(Ok(Vec::new()), Module::list)?;
            let (place, is_static) = modules.first().map_or((String::new(), false), Module::body);
            let required: Vec<String> =
                (REQUIRED.iter().skip(usize::from(is_static))).map(|file| format!("{place}{file}")).collect();
            let beside = [LENGTH, TOKENIZER].iter().map(|file| format!("{place}{file}"));
            let further = modules.iter().skip(1).flat_map(Module::files);
            let optional = OPTIONAL.iter().chain([&COMPANION]).map(|file| file.to_string());
            let mut paths: Vec<String> = optional.chain(beside).chain(further).collect();
            paths.sort();
            paths.dedup();
            paths.retain(|path| !required.contains(path));
            let wanted = |required| move |path| Wanted { path, required };
            required.into_iter().map(wanted(true)).chain(paths.into_iter().map(wanted(false))).collect()
        }
    };
    let mut folded: Vec<String> = files.iter().map(|file| file.path.to_lowercase()).collect();
    folded.sort();
    if let Some(pair) = folded.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("modules.json names '{}' twice, in upper and lower case; refused", pair[0]));
    }
    files.sort_by_key(|file| file.path.ends_with(".safetensors"));
    Ok(files)
}

/// The files of an encoder that lie in `folder`, by the same rule as [`wanted`].
pub(super) fn in_folder(folder: &Path, entry: Option<&CatalogueEntry>) -> Result<Vec<String>, ResolveError> {
    let modules = read_modules(folder)?;
    let fail = |reason| ResolveError::Refused { place: folder.to_path_buf(), reason };
    let (mut present, mut missing) = (Vec::new(), Vec::new());
    for file in wanted(entry, modules.as_deref()).map_err(fail)? {
        match regular_bytes(&folder.join(&file.path))? {
            Some(_) => present.push(file.path),
            None => missing.push(file),
        }
    }
    complete(&format!("'{}'", folder.display()), &missing)?;
    Ok(present)
}

/// The text of a folder's modules.json, if it has one.
pub(super) fn read_modules(folder: &Path) -> Result<Option<Vec<u8>>, ResolveError> {
    let path = folder.join("modules.json");
    match regular_bytes(&path)? {
        None => Ok(None),
        Some(bytes) if bytes > largest("modules.json") => {
            let reason = format!("modules.json has {bytes} bytes, more than {}", largest("modules.json"));
            Err(ResolveError::Refused { place: folder.to_path_buf(), reason })
        }
        Some(_) => std::fs::read(&path).map(Some).map_err(ResolveError::io("reading", &path)),
    }
}

/// The size of a regular file (links are followed); `None` where there is nothing. Whatever else is there would block a reader
/// or never end, and is refused as what it is.
pub(super) fn regular_bytes(path: &Path) -> Result<Option<u64>, ResolveError> {
    let Ok(metadata) = std::fs::metadata(path) else { return Ok(None) };
    if metadata.is_file() {
        return Ok(Some(metadata.len()));
    }
    Err(ResolveError::Special { path: path.to_path_buf(), kind: kind(metadata.file_type()) })
}

#[cfg(unix)]
fn kind(file_type: std::fs::FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt as _;
    match file_type {
        kind if kind.is_dir() => "a folder",
        kind if kind.is_fifo() => "a named pipe",
        kind if kind.is_socket() => "a socket",
        _ => "a device",
    }
}

#[cfg(not(unix))]
fn kind(file_type: std::fs::FileType) -> &'static str {
    if file_type.is_dir() { "a folder" } else { "a device" }
}

/// An error that names the required files among `missing`, if there are any.
pub(super) fn complete(place: &str, missing: &[Wanted]) -> Result<(), ResolveError> {
    let missing: Vec<String> = missing.iter().filter(|file| file.required).map(|file| file.path.clone()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(ResolveError::Incomplete { place: place.to_string(), missing })
}

/// A line of modules.json.
#[derive(Deserialize)]
struct Module {
    #[serde(default)]
    path: String,
    #[serde(default, rename = "type")]
    kind: String,
}

impl Module {
    /// All of them, if their paths stay below the folder. What is no list names nothing: whoever opens the encoder says so.
    fn list(modules: &[u8]) -> Result<Vec<Module>, String> {
        let modules: Vec<Module> = serde_json::from_slice(modules).unwrap_or_default();
        if modules.len() > MOST_MODULES {
            return Err(format!("modules.json lists {} modules, more than {MOST_MODULES}; refused", modules.len()));
        }
        let leaves = |module: &&Module| !["", "."].contains(&module.path.as_str()) && !name::is_safe_path(&module.path);
        match modules.iter().find(leaves) {
            Some(module) => Err(format!("modules.json names '{}', which leaves the folder; refused", module.path)),
            None => Ok(modules),
        }
    }

    /// Where the first module's files are (empty, or ending in `/`), and whether it is a table of static embeddings.
    fn body(&self) -> (String, bool) {
        let place = if name::is_safe_path(&self.path) { format!("{}/", self.path) } else { String::new() };
        (place, self.kind.ends_with("StaticEmbedding"))
    }

    /// Those of a further module, e.g. `3_Dense/model.safetensors`.
    fn files(&self) -> Vec<String> {
        match name::is_safe_path(&self.path) {
            true => ["config.json", "model.safetensors"].map(|file| format!("{}/{file}", self.path)).to_vec(),
            false => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_name_further_files_but_never_outside() {
        let modules = br#"[{"path": ""}, {"path": "3_Dense"}]"#;
        let paths: Vec<String> = wanted(None, Some(modules)).expect("a list").into_iter().map(|w| w.path).collect();
        assert!(paths.contains(&"3_Dense/model.safetensors".to_string()));
        assert!(paths.last().is_some_and(|path| path.ends_with(".safetensors")));
        for path in ["../../etc", "/etc", "a/../../b", "C:/x", "..\\\\x", "a\\u0000b", "a\\nb"] {
            let modules = format!(r#"[{{"path": ""}}, {{"path": "{path}"}}]"#);
            let error = wanted(None, Some(modules.as_bytes())).expect_err(path);
            assert!(error.contains("leaves the folder"), "{error}");
        }
        let twice = br#"[{"path": ""}, {"path": "3_Dense"}, {"path": "3_dense"}]"#;
        assert!(wanted(None, Some(twice)).is_err());
        let many = format!("[{}]", vec![r#"{"path": ""}"#; 100].join(","));
        assert!(wanted(None, Some(many.as_bytes())).is_err());
    }

    #[test]
    fn the_first_module_says_what_there_must_be() {
        let required = |modules: &[u8]| -> Vec<String> {
            let wanted = wanted(None, Some(modules)).expect("a list");
            wanted.into_iter().filter(|w| w.required).map(|w| w.path).collect()
        };
        assert_eq!(required(b"[]"), REQUIRED);
        let inside = br#"[{"path": "0_Transformer", "type": "x.Transformer"}]"#;
        assert_eq!(required(inside), REQUIRED.map(|file| format!("0_Transformer/{file}")));
        let table = br#"[{"path": ".", "type": "x.StaticEmbedding"}]"#;
        assert_eq!(required(table), &REQUIRED[1..]);
    }
}
