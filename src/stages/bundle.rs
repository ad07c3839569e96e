//! `bundle`: what is to be handed in, as one folder and one zip: articles, pages, predictions, the pipeline file, digests.
//!
//! Knows nothing of what the files say.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::boundary::files::open_regular;
use crate::engine::record::FileRecord;
use crate::engine::{
    Accepts, Arity, CheckContext, InputPort, OutputPort, PortType, Source, Stage, StageContext, WholeStage,
};

/// Collects the files of stages (articles, pages, figures, predictions) and files of your own, e.g. the pipeline, into one folder and a zip,
/// with a README, SHA-256 sums, and a lock of every result behind them. The same content gives the same zip, byte for byte.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// Name of the folder and of the zip, e.g. `${author}_handin`.
    name: String,
    /// The README's title.
    #[serde(default)]
    title: Option<String>,
    /// The person who hands it in.
    #[serde(default)]
    author: Option<String>,
    /// Files of your own by their name in the bundle, e.g. `{full.yaml: pipelines/full.yaml}`.
    #[serde(default)]
    files: BTreeMap<String, String>,
}

impl Stage for Bundle {
    const KIND: &'static str = "bundle";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str = "a folder and a zip to hand in";
    const INPUTS: &'static [InputPort] = &[InputPort {
        name: "stages",
        accepts: Accepts::WholeStage,
        arity: Arity::Many,
        summary: "the stages whose files are collected, e.g. `article` and `predict` stages",
    }];
    const SEEDED: bool = false;

    fn outputs(&self) -> Vec<OutputPort> {
        vec![OutputPort::new("zip", PortType::Files), OutputPort::new("folder", PortType::Files)]
    }

    fn sources(&self) -> Vec<Source> {
        let source =
            |(name, path): (&String, &String)| Source { at: format!("files.{name}"), path: PathBuf::from(path) };
        self.files.iter().map(source).collect()
    }

    fn check(&self, context: &mut CheckContext) {
        let is_plain = |name: &str| Path::new(name).components().count() == 1 && !name.starts_with('.');
        if !is_plain(&self.name) {
            context.problem(&["name"], format!("'{}' is not a plain name of a folder", self.name), None);
        }
        let own = ["README.md", "SHA256SUMS", "results.lock"];
        for name in self.files.keys().filter(|name| !is_plain(name) || own.contains(&name.as_str())) {
            let help = Some(format!("choose another; {} are the bundle's own", own.join(", ")));
            context.problem(&["files", name], format!("a file of the bundle cannot be named '{name}'"), help);
        }
        for (name, path) in &self.files {
            // One that is not there yet may be by then.
            if let Err(error) = open_regular(Path::new(path))
                && error.kind() != std::io::ErrorKind::NotFound
            {
                context.problem(&["files", name], format!("cannot read '{path}': {error}"), None);
            }
        }
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for name in self.files.keys() {
            files.insert(name.clone(), context.source(&format!("files.{name}"))?.1);
        }
        let mut lock = String::from(
            "# What the files of this bundle were made from: every output of its stages, by BLAKE3 digest.\n",
        );
        for whole in context.whole_stages("stages") {
            let stage = whole.view["stage"].as_str().unwrap_or_default().to_owned();
            add_lock(&mut lock, &stage, &whole);
            for output in whole.outputs.iter().filter(|output| output.holds() == PortType::Files) {
                for name in output.file_names() {
                    go_on(context)?;
                    files.insert(format!("{stage}/{name}"), output.file(name)?);
                }
            }
        }
        files.insert("results.lock".to_owned(), lock.into_bytes());
        let sums = sums(&files, context)?;
        // As `sha256sum` writes and checks them.
        let listed: String = files.keys().zip(&sums).map(|(name, sum)| format!("{sum}  {name}\n")).collect();
        files.insert("README.md".to_owned(), self.readme(&files, &sums).into_bytes());
        files.insert("SHA256SUMS".to_owned(), listed.into_bytes());
        let bytes = zipped(&self.name, &files, context)?;
        context.headline(format!("{}.zip, {} files, {} kB", self.name, files.len(), bytes.len() / 1000));
        context.put_file("zip", &format!("{}.zip", self.name), &bytes)?;
        files.iter().try_for_each(|(name, bytes)| {
            go_on(context)?;
            context.put_file("folder", &format!("{}/{name}", self.name), bytes)
        })
    }
}

impl Bundle {
    /// `sums` are those of the files, in their order.
    fn readme(&self, files: &BTreeMap<String, Vec<u8>>, sums: &[String]) -> String {
        let mut text = format!("# {}\n\n", self.title.as_deref().unwrap_or(&self.name));
        if let Some(author) = &self.author {
            let _ = writeln!(text, "{author}\n");
        }
        text.push_str("Collected by `runner`. `sha256sum -c SHA256SUMS` checks the files; `results.lock` names every result behind them.\n");
        let pipelines: Vec<&String> = self.files.keys().filter(|name| name.ends_with(".yaml")).collect();
        if let Some(pipeline) = pipelines.first() {
            let _ = writeln!(text, "`runner run {pipeline}` makes them anew, given the same data.");
        }
        text.push_str("\n| file | bytes | SHA-256 |\n|---|---:|---|\n");
        for ((name, bytes), sum) in files.iter().zip(sums) {
            let _ = writeln!(text, "| `{name}` | {} | `{sum}` |", bytes.len());
        }
        text
    }
}

/// A stage's block of the lock: YAML, one digest a line, as `runner run --lock` writes it.
fn add_lock(lock: &mut String, stage: &str, whole: &WholeStage) {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let _ = writeln!(lock, "{}:\n  kind: {}\n  outputs:", quoted(stage), whole.view["kind"]);
    for output in &whole.outputs {
        for FileRecord { name, digest, .. } in output.files() {
            let _ = writeln!(lock, "    {}: {digest}", quoted(name));
        }
    }
}

/// Bytes that are summed or packed between two looks at whether the user wants to stop.
const BETWEEN_LOOKS: usize = 1 << 20;

fn go_on(context: &StageContext) -> anyhow::Result<()> {
    anyhow::ensure!(!context.report().cancelled(), "interrupted");
    Ok(())
}

/// The sum of each file, in their order.
fn sums(files: &BTreeMap<String, Vec<u8>>, context: &StageContext) -> anyhow::Result<Vec<String>> {
    let sum = |bytes: &Vec<u8>| {
        let mut hasher = Sha256::new();
        for piece in bytes.chunks(BETWEEN_LOOKS) {
            go_on(context)?;
            hasher.update(piece);
        }
        Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    };
    files.values().map(sum).collect()
}

/// Sorted, all of one time and one mode.
fn zipped(folder: &str, files: &BTreeMap<String, Vec<u8>>, context: &StageContext) -> anyhow::Result<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644);
    for (name, bytes) in files {
        writer.start_file(format!("{folder}/{name}"), options)?;
        for piece in bytes.chunks(BETWEEN_LOOKS) {
            go_on(context)?;
            writer.write_all(piece)?;
        }
    }
    Ok(writer.finish()?.into_inner())
}
