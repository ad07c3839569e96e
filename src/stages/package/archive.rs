//! A package as one file: a zip of `package.json`, the model's files, vocabularies and encoders, each known by its digest.
//!
//! A package comes from anywhere: what its entries are called decides nothing, and what is larger or other than it says is refused.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::Path;

use anyhow::{Context as _, anyhow, bail, ensure};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::texts::Texts;
use super::{FORMAT, Files, Head, Package};
use crate::encoder::{self, TFIDF};
use runner_artifact::{Digest, NewFile};
use runner_boundary::files::open_regular;
use runner_engine::Report;
use runner_names as names;

const HEAD: &str = "package.json";
const MODEL: &str = "model/";
const VOCABULARY: &str = "vocabularies/";
const ENCODER: &str = "encoders/";

/// Larger than the head of any package of ours.
const LARGEST_HEAD: u64 = 64 << 20;
/// Larger entries are refused: no model for a laptop needs them.
const LARGEST_ENTRY: u64 = 4 << 30;
/// Entries larger than this
const SMALL: u64 = 16 << 20;
/// are refused where they grow by more than this when unpacked: weights hardly shrink, a zip bomb shrinks a thousandfold.
const LARGEST_RATIO: u64 = 100;
/// More entries than any package of ours has.
const MOST_ENTRIES: usize = 10_000;

/// Whether a file begins as a zip does.
pub fn is_package(path: &Path) -> bool {
    let mut begin = [0; 4];
    open_regular(path).is_ok_and(|mut file| file.read_exact(&mut begin).is_ok()) && begin == *b"PK\x03\x04"
}

pub(super) fn write(package: &Package, path: &Path, encoders: bool, report: &dyn Report) -> anyhow::Result<u64> {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (name, bytes) in &package.model.by_name {
        files.insert(format!("{MODEL}{name}"), bytes.clone());
    }
    for (digest, bytes) in &package.texts.vocabularies {
        files.insert(format!("{VOCABULARY}{digest}.safetensors"), bytes.clone());
    }
    for made_by in package.head.encoders.iter().filter(|made_by| encoders && made_by.name != TFIDF) {
        for (name, path) in encoder::files_of(made_by, report)? {
            let bytes = std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
            files.insert(format!("{ENCODER}{}/{name}", made_by.digest), bytes);
        }
    }
    let mut head = package.head.clone();
    head.files = files.iter().map(|(name, bytes)| (name.clone(), Digest::of(bytes).to_string())).collect();
    files.insert(HEAD.to_owned(), serde_json::to_vec_pretty(&head)?);

    let place = || format!("cannot write {}", path.display());
    // Whole or not at all, also where it replaces an earlier one.
    let mut target = NewFile::at(path).with_context(place)?;
    let mut writer = ZipWriter::new(target.file_mut());
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    for (name, bytes) in &files {
        ensure!(!report.cancelled(), "interrupted");
        writer.start_file(name, options.large_file(bytes.len() as u64 >= LARGEST_ENTRY)).with_context(place)?;
        writer.write_all(bytes).with_context(place)?;
    }
    writer.finish().with_context(place)?;
    let bytes = target.file_mut().metadata().with_context(place)?.len();
    target.persist().with_context(place)?;
    Ok(bytes)
}

pub(super) fn read(path: &Path) -> anyhow::Result<Package> {
    let refused = || format!("{} is no package that `runner export` wrote, or it is damaged", path.display());
    let file = open_regular(path).with_context(|| format!("cannot read {}", path.display()))?;
    read_zip(file).with_context(refused)
}

fn read_zip(file: File) -> anyhow::Result<Package> {
    let mut zip = ZipArchive::new(BufReader::new(file))?;
    ensure!(zip.len() <= MOST_ENTRIES, "it has {} entries", zip.len());
    let head = entry(&mut zip, HEAD, LARGEST_HEAD)?;
    let value: serde_json::Value = serde_json::from_slice(&head).context(HEAD)?;
    if value["format"] != FORMAT {
        bail!("its format is {}, this version reads \"{FORMAT}\"", value["format"]);
    }
    let head: Head = serde_json::from_value(value).context(HEAD)?;
    let mut model = Files { stage: head.stage.clone(), port: head.port.clone(), by_name: BTreeMap::new() };
    let mut texts = Texts::default();
    for (name, digest) in &head.files {
        let bytes = entry(&mut zip, name, LARGEST_ENTRY)?;
        ensure!(Digest::of(&bytes).to_string() == *digest, "'{name}' has another content than it says");
        if let Some(own) = name.strip_prefix(MODEL) {
            check_name(own)?;
            model.by_name.insert(own.to_owned(), bytes);
        } else if name.starts_with(VOCABULARY) {
            texts.vocabularies.insert(digest.clone(), bytes);
        } else if let Some((of, own)) = name.strip_prefix(ENCODER).and_then(|rest| rest.split_once('/')) {
            unpack(&mut texts, &head, of, own, &bytes)?;
        } else {
            bail!("'{name}' is no file of a package");
        }
    }
    Package::new(head, model, texts)
}

/// Puts a file of an encoder into a folder of this process's own.
fn unpack(texts: &mut Texts, head: &Head, of: &str, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    ensure!(head.encoders.iter().any(|encoder| encoder.digest == of), "'{of}' is no encoder of this package");
    check_name(of)?;
    let parts: Vec<&str> = name.split('/').collect();
    parts.iter().try_for_each(|part| check_name(part))?;
    if texts.unpacked.is_none() {
        texts.unpacked = Some(tempfile::tempdir()?);
    }
    let Some(root) = &texts.unpacked else { bail!("no folder to unpack into") };
    let folder = root.path().join(of);
    let target = parts.iter().fold(folder.clone(), |path, part| path.join(part));
    if let Some(parent) = target.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::write(&target, bytes).with_context(|| format!("cannot write {}", target.display()))?;
    texts.folders.insert(of.to_owned(), folder);
    Ok(())
}

fn check_name(name: &str) -> anyhow::Result<()> {
    names::check(name, "").map_err(|fault| anyhow!("{fault}"))
}

/// The bytes of an entry, at most as many as it says to have.
fn entry(zip: &mut ZipArchive<BufReader<File>>, name: &str, most: u64) -> anyhow::Result<Vec<u8>> {
    let mut entry = zip.by_name(name).with_context(|| format!("'{name}'"))?;
    let size = entry.size();
    ensure!(size <= most, "'{name}' is too large ({size} bytes)");
    let grows = size / entry.compressed_size().max(1);
    ensure!(size <= SMALL || grows <= LARGEST_RATIO, "'{name}' grows {grows} times when unpacked");
    let mut bytes = Vec::new();
    entry.by_ref().take(size + 1).read_to_end(&mut bytes).with_context(|| format!("'{name}'"))?;
    ensure!(bytes.len() as u64 == size, "'{name}' has more bytes than it says");
    Ok(bytes)
}
