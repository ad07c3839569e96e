//! `runner init`: a new study: the pipelines and a synthetic sample of songs.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::study::invalid;
use super::{DONE, Outcome, screen};
use crate::boundary::files::{read_regular, refuse_special};
use crate::boundary::text::quoted;
use crate::report::counted;
use crate::{artifact, sample};

/// The pipelines of this repository, carried in the program.
const PIPELINES: [(&str, &str); 6] = [
    ("full.yaml", include_str!("../../pipelines/full.yaml")),
    ("quick.yaml", include_str!("../../pipelines/quick.yaml")),
    ("encoders.yaml", include_str!("../../pipelines/encoders.yaml")),
    ("architecture.yaml", include_str!("../../pipelines/architecture.yaml")),
    ("splits.yaml", include_str!("../../pipelines/splits.yaml")),
    ("transfer.yaml", include_str!("../../pipelines/transfer.yaml")),
];

#[derive(Args)]
pub(super) struct InitArguments {
    /// The folder of the study
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Seed of the synthetic songs
    #[arg(long, default_value_t = sample::SEED)]
    seed: u64,
    /// Replace files that are there already
    #[arg(long)]
    overwrite: bool,
}

pub(super) fn init(arguments: &InitArguments) -> Outcome {
    let mut files: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    for (name, text) in PIPELINES {
        files.push((arguments.folder.join("pipelines").join(name), text.as_bytes().to_vec()));
    }
    files.push((arguments.folder.join("pipelines").join("schema.json"), super::schema::text()?.into_bytes()));
    for (name, bytes) in sample::generate(arguments.seed) {
        files.push((arguments.folder.join("data").join("sample").join(name), bytes));
    }
    for (path, _) in &files {
        if let Ok(metadata) = std::fs::metadata(path)
            && let Err(error) = refuse_special(&metadata)
        {
            return Err(invalid(&format!("cannot write '{}': {error}", path.display())));
        }
    }
    let present = files.iter().filter(|(path, bytes)| read_regular(path).is_ok_and(|found| found != *bytes));
    let present: Vec<String> = present.map(|(path, _)| path.display().to_string()).collect();
    if !present.is_empty() && !arguments.overwrite {
        let list = present.join(", ");
        return Err(invalid(&format!(
            "these files are there with another content: {list} (`--overwrite` replaces them)"
        )));
    }
    for (path, bytes) in &files {
        artifact::disk::write_through_links(path, bytes)
            .with_context(|| format!("cannot write '{}'", path.display()))?;
    }
    let style = screen::Style::stdout();
    let folder = arguments.folder.display().to_string();
    super::print(&format!("{} {} in {}\n", style.good("made"), counted(files.len() as u64, "file"), quoted(&folder)));
    let enter = if folder == "." { String::new() } else { format!("cd {} && ", for_shell(&folder)) };
    super::print(&format!("next: {}\n", style.bold(&quoted(&format!("{enter}runner run pipelines/quick.yaml")))));
    Ok(DONE)
}

/// A folder as a shell takes it for one word.
fn for_shell(folder: &str) -> String {
    let plain = folder.chars().all(|c| c.is_alphanumeric() || "_-./+:,@".contains(c)) && !folder.starts_with('-');
    match folder.strip_prefix('-') {
        _ if plain => folder.to_owned(),
        Some(_) => for_shell(&format!("./{folder}")),
        None => format!("'{}'", folder.replace('\'', "'\\''")),
    }
}
