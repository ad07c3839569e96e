//! What the user wrote: a YAML pipeline file → [`PipelineSpec`], in which every value knows its
//! file, line and column.
//!
//! ```text
//! text → outline + serde_yaml → Node → include → templates → --set → variables → matrix → PipelineSpec
//! ```
//!
//! It knows nothing of what stages mean: kinds, ports and references are for the engine, and the
//! keys of a kind are a Rust type that [`typed`] reads a [`Node`] into. All findings are collected
//! and returned together as [`Problems`]; nothing here prints.
//!
//! ```
//! let text = "stages:\n  songs: {kind: load, files: {train: '${data}/train.csv'}}\nvars: {data: d}\n";
//! let spec = runner_spec::parse("songs.yaml", text, &["data=elsewhere".to_string()]).unwrap();
//! let file = spec.stages["songs"].body.at(&["files".into(), "train".into()]).unwrap();
//! assert_eq!(file.as_str(), Some("elsewhere/train.csv"));
//! ```

mod definitions;
mod deserialize;
mod effective;
mod extends;
mod fault;
mod file;
mod include;
mod instance;
mod matrix;
mod node;
mod outline;
mod pipeline;
mod problem;
mod problems;
mod read;
mod read_value;
mod reader;
mod render;
mod schema_hint;
mod settings;
mod source;
mod stand_ins;
mod template;
mod tidy;
mod typed;
mod variables;
mod wording;
mod yaml;

pub use include::AIMS;
pub use node::Entry;
pub use node::{Node, Step, Value, display_path, steps};
pub use pipeline::{PipelineSpec, StageSpec};
pub use problem::{MOST_ADVISED, Problem};
pub use problems::Problems;
pub use runner_names::{listed, suggest};
pub use source::Position;
pub use source::{Sources, Span};
pub use typed::{Misread, typed, typed_among, typed_as, typed_json};
pub use variables::is_name;

use std::path::Path;

/// Reads a pipeline file and applies `--set` arguments to it, each `name=value` (a variable, or
/// the pipeline's `name`, `seed`, `metric`, `positive` or `costs`) or `stage.path.to.key=value`, the value being YAML.
///
/// # Errors
/// Everything that is wrong with the file or the arguments, as far as it can be found at once.
pub fn load(path: &Path, sets: &[String]) -> Result<PipelineSpec, Problems> {
    let mut sources = Sources::default();
    match file::read(path, None, &mut sources) {
        Ok(_) => read::read(&pipeline_name(&path.display().to_string()), sources, sets),
        Err(problem) => Err(Problems::new(vec![*problem], sources)),
    }
}

/// As [`load`], for a text that is already in memory; `name` is shown in messages. What it includes is read from the folder of that name.
///
/// ```
/// let text = "seed: 3\nvars: {file: songs.csv}\nstages:\n  songs: {kind: load, files: {all: \"${file}\"}}\n";
/// let spec = runner_spec::parse("study.yaml", text, &["file=other.csv".to_owned()])?;
/// assert_eq!((spec.name.as_str(), spec.seed), ("study", 3));
/// assert_eq!(spec.stages["songs"].kind, "load");
///
/// let problems = runner_spec::parse("study.yaml", "stages: {songs: {}}", &[]).unwrap_err();
/// assert!(problems.to_string().contains("study.yaml:1:"));
/// # Ok::<(), runner_spec::Problems>(())
/// ```
///
/// # Errors
/// Everything that is wrong with the text or the arguments, as far as it can be found at once.
pub fn parse(name: &str, text: &str, sets: &[String]) -> Result<PipelineSpec, Problems> {
    let mut sources = Sources::default();
    sources.add_file(name, text);
    read::read(&pipeline_name(name), sources, sets)
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
