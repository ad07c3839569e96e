//! `runner predict`: the rows of a file with the class that a fitted model gives each; part by part, so that the file may be larger than the memory.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use tempfile::NamedTempFile;

use super::fitted::{self, Told};
use super::interrupt::{self, interrupted};
use super::output::{is_lost, print_content};
use super::study::invalid;
use super::{DONE, Failure, INTERRUPTED, Outcome, StudyArguments, screen};
use crate::artifact::Table;
use crate::boundary::files::open_regular;
use crate::boundary::text::Lines;
use crate::report::counted;
use crate::stages::package::{CsvWriter, Package, is_package};
use crate::tabular::{Chunk, Chunks, LoadOptions};

/// Rows at fault that are told one by one.
const TOLD: usize = 20;

#[derive(Args)]
pub(super) struct PredictArguments {
    /// The pipeline file, e.g. pipelines/full.yaml, or a file that `runner export` wrote
    model: PathBuf,
    /// Of a pipeline the stage with the model, e.g. best or baseline.boosting; then the file to predict, `-` for standard input
    #[arg(required = true, num_args = 1..=2, value_names = ["STAGE", "INPUT"])]
    rest: Vec<String>,
    /// Where to write, instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Add a column p_CLASS for each class, with its probability
    #[arg(long)]
    proba: bool,
    /// What becomes of a row that cannot be read
    #[arg(long, value_enum, default_value_t = OnBadRow::Refuse)]
    on_bad_row: OnBadRow,
    /// With `--on-bad-row skip`, where the rows go that were left out, as they stand
    #[arg(long, value_name = "FILE", requires = "on_bad_row")]
    rejected: Option<PathBuf>,
    /// Of a pipeline: set a variable (`name=value`) or any parameter by path, as for `runner run`
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Of a pipeline: the folder of results and of the store
    #[arg(long, value_name = "DIR", default_value = "artifacts")]
    artifacts: PathBuf,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OnBadRow {
    /// End with an error; a file under `--output` is not written
    Refuse,
    /// Leave it out, and say so
    Skip,
}

pub(super) fn predict(arguments: &PredictArguments) -> Outcome {
    interrupt::catch()?;
    let (package, input) = model(arguments)?;
    let bar = bar();
    let told = Told::new(&bar);
    let (path, reader): (&str, Box<dyn Read>) = match input {
        "-" => ("standard input", Box::new(io::stdin().lock())),
        path => {
            let file = open_regular(Path::new(path)).map_err(|error| anyhow!("cannot read {path}: {error}"))?;
            (path, Box::new(file))
        }
    };
    let outcome = Run::begin(arguments, &package, path, reader, &told).and_then(Run::finish);
    bar.finish_and_clear();
    match outcome {
        Ok(summary) => {
            super::eprint(&summary);
            Ok(DONE)
        }
        Err(_) if interrupted() => {
            super::eprint(&format!("{}\n", screen::Style::stderr().warning("interrupted")));
            Ok(INTERRUPTED)
        }
        Err(error) => Err(error.into()),
    }
}

/// The model and the name of the file to predict.
fn model(arguments: &PredictArguments) -> Result<(Package, &str), Failure> {
    let is_package = is_package(&arguments.model);
    match (arguments.rest.as_slice(), is_package) {
        ([input], true) => Ok((fitted::of_file(&arguments.model)?, input)),
        ([stage, input], false) => {
            let (file, set, artifacts) = (arguments.model.clone(), arguments.set.clone(), arguments.artifacts.clone());
            Ok((fitted::of_stage(&StudyArguments { file, set, artifacts }, stage)?, input))
        }
        (_, true) => Err(invalid("the model's file says itself which model it is: give the file to predict alone")),
        (_, false) => Err(invalid(
            "a pipeline has many stages: `runner predict PIPELINE STAGE INPUT`, e.g. `runner predict pipeline.yaml best new.csv`",
        )),
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("{spinner} {human_pos} rows, {per_sec}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar
}

/// Predictions on their way out.
struct Run<'a> {
    arguments: &'a PredictArguments,
    package: &'a Package,
    path: &'a str,
    told: &'a Told<'a>,
    chunks: Chunks<Box<dyn Read>>,
    options: LoadOptions,
    writer: CsvWriter,
    target: Option<(NamedTempFile, &'a Path)>,
    rejected: Option<BufWriter<File>>,
    rows: usize,
    skipped: usize,
}

impl<'a> Run<'a> {
    fn begin(
        arguments: &'a PredictArguments,
        package: &'a Package,
        path: &'a str,
        reader: Box<dyn Read>,
        told: &'a Told<'a>,
    ) -> anyhow::Result<Self> {
        let chunks = Chunks::open(path, reader, &package.load_options().dialect, &interrupted);
        let chunks = chunks.map_err(|errors| lines(&errors))?;
        let options = package.options(path, &chunks.columns().names)?;
        let (columns, terminator) = (&chunks.columns().names, chunks.terminator());
        let writer = CsvWriter::new(package, columns, chunks.dialect(), terminator, arguments.proba);
        let target = arguments.output.as_deref().map(|path| Ok::<_, anyhow::Error>((temporary(path)?, path)));
        let rejected = match &arguments.rejected {
            Some(_) if arguments.on_bad_row == OnBadRow::Refuse => {
                bail!("`--rejected` goes with `--on-bad-row skip`: otherwise no row is left out")
            }
            Some(path) => {
                let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
                Some(BufWriter::new(file))
            }
            None => None,
        };
        let target = target.transpose()?;
        Ok(Run { arguments, package, path, told, chunks, options, writer, target, rejected, rows: 0, skipped: 0 })
    }

    fn finish(mut self) -> anyhow::Result<String> {
        let own = self.chunks.header();
        let header = self.writer.header(own.as_deref())?;
        self.write(&header)?;
        if let (Some(rejected), Some(own)) = (&mut self.rejected, &own) {
            writeln!(rejected, "{own}")?;
        }
        while let Some(chunk) = self.chunks.next_chunk(&interrupted)? {
            self.predict(&chunk)?;
            self.told.bar.set_position(self.rows as u64);
            if self.target.is_none() && is_lost() {
                // Nobody reads on, as behind `| head`.
                break;
            }
        }
        if self.rows == 0 && self.skipped == 0 {
            bail!("{}: the file has no rows to predict", self.path);
        }
        if let Some(mut rejected) = self.rejected {
            rejected.flush().context("cannot write the rows that were left out")?;
        }
        let mut place = "standard output".to_owned();
        if let Some((target, path)) = self.target {
            target.persist(path).map_err(|error| anyhow!("cannot write {}: {}", path.display(), error.error))?;
            place = screen::path(path);
        }
        let columns = match self.writer.added() {
            [one] => format!("column '{one}'"),
            [one, ..] => format!("column '{one}' and {} with probabilities", self.writer.added().len() - 1),
            [] => String::new(),
        };
        let skipped = match self.skipped {
            0 => String::new(),
            skipped => format!(", {} left out", counted(skipped as u64, "row")),
        };
        Ok(format!("{}{skipped}: {columns} → {place}\n", counted(self.rows as u64, "row")))
    }

    /// Predicts the rows of a chunk; one in which a row is at fault is halved until that row stands alone.
    fn predict(&mut self, chunk: &Chunk) -> anyhow::Result<()> {
        match self.said(chunk) {
            Ok((text, rows)) => {
                self.rows += rows;
                self.write(&text)
            }
            Err(error) if interrupted() || self.arguments.on_bad_row == OnBadRow::Refuse => Err(error),
            Err(error) => match chunk.halves() {
                Some(halves) => halves.iter().try_for_each(|half| self.predict(half)),
                None => self.skip(chunk, &error),
            },
        }
    }

    fn said(&self, chunk: &Chunk) -> anyhow::Result<(String, usize)> {
        let loaded = chunk.load(&self.options, &interrupted).map_err(|errors| lines(&errors))?;
        let rows = Table::new(loaded.batch);
        let said = self.package.predict(&rows, self.path, self.told)?;
        Ok((self.writer.rows(&rows, self.package, &said)?, rows.rows()))
    }

    fn skip(&mut self, chunk: &Chunk, error: &anyhow::Error) -> anyhow::Result<()> {
        if chunk.text().is_empty() {
            // Of Parquet and Arrow files no row can be told from the others.
            return Err(anyhow!("{error:#}"));
        }
        self.skipped += 1;
        match self.skipped {
            ..=TOLD => self.told.bar.suspend(|| fitted::warn(&format!("left out: {error:#}"))),
            skipped if skipped == TOLD + 1 => {
                self.told.bar.suspend(|| fitted::warn("further rows are left out, which are only counted"))
            }
            _ => {}
        }
        if let Some(rejected) = &mut self.rejected {
            let text = chunk.text();
            writeln!(rejected, "{}", text.trim_end_matches(['\r', '\n']))
                .context("cannot write the rows that were left out")?;
        }
        Ok(())
    }

    fn write(&mut self, text: &str) -> anyhow::Result<()> {
        match &mut self.target {
            Some((target, path)) => {
                target.write_all(text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
            }
            None => {
                print_content(text);
                Ok(())
            }
        }
    }
}

/// Beside the file that it becomes when it is whole.
fn temporary(path: &Path) -> anyhow::Result<NamedTempFile> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    NamedTempFile::new_in(folder).with_context(|| format!("cannot write {}", path.display()))
}

fn lines(errors: &[crate::tabular::CsvError]) -> anyhow::Error {
    anyhow!(Lines::of_files(errors.iter().map(ToString::to_string)))
}
