//! `runner init`: a new study, of a table of the user's or of the bundled songs.

mod columns;
mod draft;
mod order;
mod rows;
mod table;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

use super::study::invalid;
use super::{DONE, Outcome, screen};
use crate::boundary::files::{read_regular, refuse_special};
use crate::boundary::text::{in_shell, quoted};
use crate::report::counted;
use crate::spec::is_name;
use crate::tabular::Encoding;
use crate::{artifact, sample};

/// The pipelines of this repository, carried in the program.
const PIPELINES: [(&str, &str); 7] = [
    ("full.yaml", include_str!("../../pipelines/full.yaml")),
    ("quick.yaml", include_str!("../../pipelines/quick.yaml")),
    ("encoders.yaml", include_str!("../../pipelines/encoders.yaml")),
    ("architecture.yaml", include_str!("../../pipelines/architecture.yaml")),
    ("splits.yaml", include_str!("../../pipelines/splits.yaml")),
    ("songs.yaml", include_str!("../../pipelines/songs.yaml")),
    ("transfer.yaml", include_str!("../../pipelines/transfer.yaml")),
];

#[derive(Args)]
pub(super) struct InitArguments {
    /// The folder of the study
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// Without `--from`: the example to begin with, pipelines and data that run as they are
    #[arg(long, value_enum, default_value_t = Example::Songs, conflicts_with = "from")]
    example: Example,
    /// The table to learn from: writes a pipeline for it, in which each choice stands with its reason
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// The column to predict, by its name or its number from 1; without it, `--from` lists what may be meant
    #[arg(long, value_name = "COLUMN", requires = "from")]
    label: Option<String>,
    /// The table to predict, with the same columns
    #[arg(long, value_name = "FILE", requires = "from")]
    test: Option<PathBuf>,
    /// The encoding of the files, e.g. shift_jis, where it is not found out
    #[arg(long, value_name = "NAME", requires = "from", value_parser = encoding)]
    encoding: Option<Encoding>,
    /// About how long a first run may take on two cores, e.g. 90s, 5m or 1h: sizes, and from 20 minutes on a search, follow from it
    #[arg(long, value_name = "TIME", requires = "from", default_value = "5m", value_parser = budget)]
    budget: Duration,
    /// The encoder of texts, e.g. sentence-transformers/all-MiniLM-L6-v2; by default words are counted
    #[arg(long, value_name = "NAME", requires = "from")]
    encoder: Option<String>,
    /// Seed of the synthetic songs
    #[arg(long, default_value_t = sample::SEED)]
    seed: u64,
    /// Replace files that are there already
    #[arg(long)]
    overwrite: bool,
}

/// A study that comes with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Example {
    // Genres of songs: all that the program can do, on a synthetic sample.
    Songs,
}

/// `90s`, `5m`, `1.5h`.
fn budget(text: &str) -> Result<Duration, String> {
    let units = [('s', 1.0), ('m', 60.0), ('h', 3600.0)];
    let seconds = units.iter().find_map(|(unit, seconds)| {
        let number: f64 = text.trim().strip_suffix(*unit)?.trim().parse().ok()?;
        Some(number * seconds)
    });
    match seconds {
        Some(seconds) if (10.0..=7.0 * 86_400.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("a time is e.g. 90s, 5m or 1h: ten seconds to a week".to_owned()),
    }
}

fn encoding(name: &str) -> Result<Encoding, String> {
    let known = "of the WHATWG's standard, e.g. windows-1252, iso-8859-2, utf-16le, shift_jis, gb18030, koi8-r";
    Encoding::named(name).ok_or_else(|| format!("it is no encoding {known}"))
}

pub(super) fn init(arguments: &InitArguments) -> Outcome {
    match &arguments.from {
        Some(from) => of_table(arguments, from),
        None => match arguments.example {
            Example::Songs => of_songs(arguments),
        },
    }
}

/// A pipeline for a table of the user's.
fn of_table(arguments: &InitArguments, from: &Path) -> Outcome {
    let train = table::Source::read("train", from)?;
    let new = arguments.test.as_deref().map(|path| table::Source::read("new", path)).transpose()?;
    if let Some(test) = &arguments.test
        && let (Ok(one), Ok(other)) = (from.canonicalize(), test.canonicalize())
        && one == other
    {
        return Err(invalid(&format!("`--test` is the file to learn from: '{}'", test.display())));
    }
    let study = table::study(&train, new.as_ref(), arguments.label.as_deref(), arguments.encoding)?;
    let mut command =
        format!("runner init {} --from {}", in_shell(&arguments.folder.display().to_string()), in_shell(&train.path));
    command.push_str(&format!(" --label {}", in_shell(&study.label)));
    new.iter().for_each(|new| command.push_str(&format!(" --test {}", in_shell(&new.path))));
    arguments.encoding.iter().for_each(|encoding| command.push_str(&format!(" --encoding {encoding}")));
    if arguments.budget != draft::USUAL {
        command.push_str(&format!(" --budget {}s", arguments.budget.as_secs()));
    }
    arguments.encoder.iter().for_each(|encoder| command.push_str(&format!(" --encoder {}", in_shell(encoder))));
    let place = |path: &str| seen_from(&arguments.folder, Path::new(path));
    let places = draft::Places { train: place(&train.path), new: new.map(|new| place(&new.path)), command };
    let name = study_name(from);
    let pipeline = draft::pipeline(&name, &study, &places, arguments.encoder.as_deref(), arguments.budget);
    let files = vec![
        (arguments.folder.join("pipeline.yaml"), pipeline.into_bytes()),
        (arguments.folder.join("schema.json"), super::schema::text()?.into_bytes()),
    ];
    let left_out = study.columns.iter().filter(|column| column.use_ == columns::Use::LeftOut);
    let mut text = String::new();
    for note in study.unlabelled.iter().chain(&study.kept) {
        text.push_str(&format!("  {}\n", quoted(note)));
    }
    for column in left_out {
        text.push_str(&format!("  left out: {} ({})\n", quoted(&column.name), quoted(&column.why)));
    }
    for column in study.columns.iter().filter(|column| column.may_leak && column.use_ != columns::Use::LeftOut) {
        text.push_str(&format!("  may leak the label: {} ({})\n", quoted(&column.name), quoted(&column.why)));
    }
    write(arguments, &files, "pipeline.yaml")?;
    super::print(&text);
    Ok(DONE)
}

/// That of the file, or where that says nothing that of its folder.
fn study_name(file: &Path) -> String {
    const SAYS_NOTHING: [&str; 4] = ["train", "training", "data", "all"];
    let name = |path: &Path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    let own = name(file).filter(|stem| !SAYS_NOTHING.contains(&stem.to_lowercase().as_str()));
    let folder = || name(file.canonicalize().ok()?.parent()?);
    own.or_else(folder).filter(|name| is_name(name)).unwrap_or_else(|| "study".to_owned())
}

/// The path of a file from a folder that may not be there yet; absolute where the two share nothing.
fn seen_from(folder: &Path, file: &Path) -> String {
    let absolute =
        |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned());
    let (folder, file) = (absolute(folder), absolute(file));
    let shared = folder.components().zip(file.components()).take_while(|(a, b)| a == b).count();
    if shared <= 1 {
        return file.display().to_string();
    }
    let up = folder.components().skip(shared).map(|_| Path::new("..").to_owned());
    let down = file.components().skip(shared).map(|part| PathBuf::from(part.as_os_str()));
    up.chain(down).collect::<PathBuf>().display().to_string()
}

/// The pipelines and the sample of the songs.
fn of_songs(arguments: &InitArguments) -> Outcome {
    let mut files: Vec<(PathBuf, Vec<u8>)> = Vec::new();
    for (name, text) in PIPELINES {
        files.push((arguments.folder.join("pipelines").join(name), text.as_bytes().to_vec()));
    }
    files.push((arguments.folder.join("pipelines").join("schema.json"), super::schema::text()?.into_bytes()));
    for (name, bytes) in sample::generate(arguments.seed) {
        files.push((arguments.folder.join("data").join("sample").join(name), bytes));
    }
    write(arguments, &files, "pipelines/quick.yaml")
}

/// Writes the files, unless one of them is there with another content, and says how to go on.
fn write(arguments: &InitArguments, files: &[(PathBuf, Vec<u8>)], pipeline: &str) -> Outcome {
    for (path, _) in files {
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
    for (path, bytes) in files {
        artifact::disk::write_through_links(path, bytes)
            .with_context(|| format!("cannot write '{}'", path.display()))?;
    }
    let style = screen::Style::stdout();
    let folder = arguments.folder.display().to_string();
    super::print(&format!("{} {} in {}\n", style.good("made"), counted(files.len() as u64, "file"), quoted(&folder)));
    let enter = if folder == "." { String::new() } else { format!("cd {} && ", in_shell(&folder)) };
    super::print(&format!("next: {}\n", style.bold(&quoted(&format!("{enter}runner run {pipeline}")))));
    Ok(DONE)
}
