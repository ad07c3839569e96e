//! `bundle`: what is to be handed in, as one folder and one zip: articles, pages, predictions, the pipeline file, digests.

mod readme;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::path::{Component, Path, PathBuf};

use anyhow::{anyhow, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use runner_boundary::files::open_regular;
use runner_boundary::text::quoted;
use runner_engine::FileRecord;
use runner_engine::{
    Accepts, Arity, CheckContext, InputPort, OutputPort, PortType, Source, Stage, StageContext, WholeStage,
};
use runner_names::{Folder, Localized};
use runner_report::counted;

use super::language::TextLanguage;
use readme::Collected;

/// Collects the files of stages (articles, pages, figures, predictions) and files of your own, e.g. the pipeline, into one folder and a zip,
/// with a README, SHA-256 sums, a lock of every result behind them, and `rerun.yaml`, the pipeline as it was run, which makes them anew. The same content gives the same zip, byte for byte.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bundle {
    /// Name of the folder and of the zip, e.g. `${author}_handin`.
    name: String,
    /// The README's title; in two languages as `{en: …, fr: …}`.
    #[serde(default)]
    title: Option<Localized>,
    /// The person who hands it in.
    #[serde(default)]
    author: Option<String>,
    /// Files of your own by their name in the bundle, e.g. `{full.yaml: pipelines/full.yaml}`.
    #[serde(default)]
    files: BTreeMap<String, String>,
    /// Files and folders of the stages that stay out, e.g. `report/figures`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    leave_out: Vec<String>,
    /// The README's language: `en` or `fr`.
    #[serde(default)]
    language: TextLanguage,
}

const RERUN_HEAD: &str = "# The pipeline as it was run: includes, templates and settings of the command line are in it. Every kind and parameter is explained where it comes first.\n";

/// What the bundle itself writes.
const OWN: [&str; 4] = ["README.md", "SHA256SUMS", "results.lock", RERUN];
/// The pipeline that makes the results again.
const RERUN: &str = "rerun.yaml";

impl Stage for Bundle {
    const KIND: &'static str = "bundle";
    const VERSION: u32 = 4;
    const SUMMARY: &'static str = "a folder and a zip to hand in";
    const INPUTS: &'static [InputPort] = &[InputPort {
        name: "stages",
        accepts: Accepts::WholeStage,
        arity: Arity::Many,
        summary: "the stages whose files are collected, e.g. `article` and `predict` stages",
    }];
    const SEEDED: bool = false;
    const LINEAGE: bool = true;

    fn outputs(&self) -> Vec<OutputPort> {
        vec![OutputPort::new("zip", PortType::Files), OutputPort::new("folder", PortType::Files)]
    }

    fn sources(&self) -> Vec<Source> {
        let source =
            |(name, path): (&String, &String)| Source { at: format!("files.{name}"), path: PathBuf::from(path) };
        self.files.iter().map(source).collect()
    }

    fn check(&self, context: &mut CheckContext) {
        // A zip and a folder are called so.
        if context.file_name(&["name"], &mut Folder::default(), &self.name, ".zip") {
            context.file_name(&["name"], &mut Folder::default(), &self.name, "");
        }
        // Each stage has a folder of its name beside the files.
        let stages: Vec<String> = context.inputs("stages").iter().map(|shape| shape.stage.clone()).collect();
        let mut folder = Folder::with(&OWN);
        for (i, stage) in distinct(&stages) {
            context.file_name(&["stages", &i.to_string()], &mut folder, stage, "");
        }
        for name in self.files.keys() {
            context.file_name(&["files", name], &mut folder, name, "");
        }
        for (name, path) in &self.files {
            if let Err(error) = open_regular(Path::new(path)) {
                let help = Some("paths count from where runner is started".to_owned());
                let message = format!("cannot read '{path}': {error}");
                context.source_problem(&["files", name], format!("file {path}"), message, help);
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
        let (mut collected, mut is_used) = (Vec::new(), vec![false; self.leave_out.len()]);
        for whole in context.whole_stages("stages") {
            let stage = whole.view.stage.clone();
            add_lock(&mut lock, &stage, &whole);
            for output in whole.outputs.iter().filter(|output| output.holds() == PortType::Files) {
                for name in output.file_names() {
                    go_on(context)?;
                    let path = format!("{stage}/{name}");
                    let left = self.leave_out.iter().position(|out| Path::new(&path).starts_with(out));
                    match left {
                        Some(place) => is_used[place] = true,
                        None => _ = files.insert(path, output.file(name)?),
                    }
                }
            }
            collected.push(Collected {
                model: whole.view.inputs.iter().find(|input| input.port == "model").map(|input| input.stage.clone()),
                kind: whole.view.kind.clone(),
                stage,
            });
        }
        for (path, _) in self.leave_out.iter().zip(&is_used).filter(|(_, is_used)| !**is_used) {
            context.report().warn(&format!("leave_out: no file of the stages lies at '{}'", quoted(path)));
        }
        files.insert("results.lock".to_owned(), lock.into_bytes());
        let lineage =
            context.lineage().cloned().ok_or_else(|| anyhow!("a bundle must know how its results are made"))?;
        files.insert(RERUN.to_owned(), [RERUN_HEAD, &lineage.pipeline].concat().into_bytes());
        for Source { at, path, .. } in lineage.carried.clone() {
            let parts = path.components().filter_map(|part| match part {
                Component::Normal(part) => part.to_str(),
                _ => None,
            });
            let (name, bytes) = (parts.collect::<Vec<_>>().join("/"), context.source(&at)?.1);
            if files.get(&name).is_some_and(|other| *other != bytes) {
                bail!("'{name}' is a file that a stage reads and another file of the bundle: rename one of them");
            }
            files.insert(name, bytes);
        }
        let sums = sums(&files, context)?;
        // As `sha256sum` writes and checks them.
        let listed: String = files.keys().zip(&sums).map(|(name, sum)| format!("{sum}  {name}\n")).collect();
        files.insert("README.md".to_owned(), readme::text(self, &files, &collected, &lineage).into_bytes());
        files.insert("SHA256SUMS".to_owned(), listed.into_bytes());
        let bytes = zipped(&self.name, &files, context)?;
        context.headline(format!(
            "{}.zip, {}, {} kB",
            self.name,
            counted(files.len() as u64, "file"),
            bytes.len() / 1000
        ));
        context.put_file("zip", &format!("{}.zip", self.name), &bytes)?;
        files.iter().try_for_each(|(name, bytes)| {
            go_on(context)?;
            context.put_file("folder", &format!("{}/{name}", self.name), bytes)
        })
    }
}

/// Each name once, with its first place.
fn distinct(names: &[String]) -> impl Iterator<Item = (usize, &String)> {
    names.iter().enumerate().filter(|(i, name)| !names[..*i].contains(name))
}

/// A stage's block of the lock: YAML, one digest a line, as `runner run --lock` writes it.
fn add_lock(lock: &mut String, stage: &str, whole: &WholeStage) {
    let in_quotes = |text: &str| serde_json::Value::from(text).to_string();
    let _ = writeln!(lock, "{}:\n  kind: {}\n  outputs:", in_quotes(stage), in_quotes(&whole.view.kind));
    for output in &whole.outputs {
        for FileRecord { name, digest, .. } in output.files() {
            let _ = writeln!(lock, "    {}: {digest}", in_quotes(name));
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

/// Sorted, all of one time; scripts can be executed.
fn zipped(folder: &str, files: &BTreeMap<String, Vec<u8>>, context: &StageContext) -> anyhow::Result<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default());
    for (name, bytes) in files {
        let mode = if bytes.starts_with(b"#!") { 0o755 } else { 0o644 };
        writer.start_file(format!("{folder}/{name}"), options.unix_permissions(mode))?;
        for piece in bytes.chunks(BETWEEN_LOOKS) {
            go_on(context)?;
            writer.write_all(piece)?;
        }
    }
    Ok(writer.finish()?.into_inner())
}
