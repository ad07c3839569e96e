//! What the user wrote: a YAML pipeline file → [`PipelineSpec`], in which every value knows its
//! file, line and column.
//!
//! ```text
//! text → outline + serde_yaml → Node → --set → variables → matrix → PipelineSpec
//! ```
//!
//! It knows nothing of what stages mean: kinds, ports and references are for the engine, and the
//! keys of a kind are a Rust type that [`typed`] reads a [`Node`] into. All findings are collected
//! and returned together as [`Problems`]; nothing here prints.
//!
//! ```
//! let text = "stages:\n  songs: {kind: load, files: {train: '${data}/train.csv'}}\nvars: {data: d}\n";
//! let spec = runner::spec::parse("songs.yaml", text, &["data=elsewhere".to_string()]).unwrap();
//! let file = spec.stages["songs"].body.at(&["files".into(), "train".into()]).unwrap();
//! assert_eq!(file.as_str(), Some("elsewhere/train.csv"));
//! ```

mod definitions;
mod deserialize;
mod fault;
mod matrix;
mod node;
mod outline;
mod pipeline;
mod problem;
mod render;
mod settings;
mod source;
mod suggest;
mod template;
mod typed;
mod variables;
mod wording;
mod yaml;

pub use node::{Entry, Node, Origin, Step, Value, display_path};
pub use pipeline::{PipelineSpec, StageSpec};
pub use problem::{Problem, Problems};
pub use source::{Position, Sources, Span};
pub use suggest::suggest;
pub use typed::{typed, typed_as};

use std::path::Path;

/// A larger file is no pipeline but, most likely, a table given by mistake.
const LARGEST_FILE: u64 = 4 << 20;

/// Reads a pipeline file and applies `--set` arguments to it, each `name=value` (a variable, or
/// the pipeline's `name` or `seed`) or `stage.path.to.key=value`, the value being YAML.
///
/// # Errors
/// Everything that is wrong with the file or the arguments, as far as it can be found at once.
pub fn load(path: &Path, sets: &[String]) -> Result<PipelineSpec, Problems> {
    let name = path.display().to_string();
    let bytes = read_file(path, &name).map_err(|problem| Problems::new(vec![*problem], Sources::default()))?;
    let broken = |offset: usize, width: usize, message: &str, help: &str| {
        let mut sources = Sources::default();
        let file = sources.add_file(&name, &String::from_utf8_lossy(&bytes));
        let span = sources.span(file, offset..offset + width);
        Problems::new(vec![Problem::new(span, message).help(help)], sources)
    };
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(broken(0, 0, "the file is UTF-16", "save it as UTF-8"));
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => parse(&name, text, sets),
        Err(error) => {
            let at = error.valid_up_to();
            let message = format!("invalid UTF-8: byte 0x{:02x}", bytes[at]);
            let width = char::REPLACEMENT_CHARACTER.len_utf8();
            Err(broken(at, width, &message, "save the file as UTF-8"))
        }
    }
}

/// As [`load`], for a text that is already in memory; `name` is shown in messages.
///
/// # Errors
/// Everything that is wrong with the text or the arguments, as far as it can be found at once.
pub fn parse(name: &str, text: &str, sets: &[String]) -> Result<PipelineSpec, Problems> {
    let mut sources = Sources::default();
    sources.add_file(name, text);
    pipeline::read(&pipeline_name(name), sources, sets)
}

/// The name of a pipeline that does not give itself one: its file's, made fit for a folder.
fn pipeline_name(file: &str) -> String {
    let stem = Path::new(file).file_stem().map(|stem| stem.to_string_lossy());
    let fit = |c: char| {
        if c.is_alphanumeric() || c == '_' { c } else { '-' }
    };
    match stem {
        Some(stem) => stem.chars().map(fit).collect(),
        None => "pipeline".to_string(),
    }
}

fn read_file(path: &Path, name: &str) -> Result<Vec<u8>, Box<Problem>> {
    let failed = |error: std::io::Error| {
        let problem = Problem::new(None, format!("cannot read '{name}': {error}"));
        Box::new(match neighbour(path) {
            Some(other) if error.kind() == std::io::ErrorKind::NotFound => {
                problem.help(format!("did you mean '{other}'?"))
            }
            _ => problem.help("name a pipeline file, e.g. `pipelines/full.yaml`"),
        })
    };
    let length = std::fs::metadata(path).map_err(failed)?.len();
    if length > LARGEST_FILE {
        let message = format!("'{name}' has {length} bytes: too large for a pipeline file");
        return Err(Box::new(Problem::new(None, message).help("name a pipeline file, e.g. `pipelines/full.yaml`")));
    }
    std::fs::read(path).map_err(failed)
}

/// A file in the same folder whose name is nearly that of `path`.
fn neighbour(path: &Path) -> Option<String> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".yaml") || name.ends_with(".yml"))
        .collect();
    names.sort();
    let wanted = path.file_name()?.to_str()?;
    let found = suggest(wanted, names.iter().map(String::as_str))?;
    Some(path.with_file_name(found).display().to_string())
}
