//! `runner predict`: the rows of a file with the class that a fitted model gives each; part by part, so that the file may be larger than the memory.

use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail, ensure};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::fitted::{self, WarnOnce};
use super::input::StandardInput;
use super::interrupt::{self, interrupted};
use super::output::{is_lost, print_content};
use super::study::invalid;
use super::{DONE, Failure, INTERRUPTED, Outcome, StudyArguments, screen};
use crate::artifact::{NewFile, Table, same_file};
use crate::boundary::files::open_regular;
use crate::boundary::text::{Lines, quoted};
use crate::engine::Report as _;
use crate::report::counted;
use crate::stages::package::{CsvWriter, Package, Tallied, Tally, is_package};
use crate::tabular::{Chunk, Chunks, CsvError, InFile, LoadOptions};

/// Rows at fault that are told one by one.
const TOLD: usize = 20;
/// Rows that tell something of their columns.
const ROWS_THAT_TELL: usize = 100;

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
    #[arg(long, value_name = "FILE")]
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
    if arguments.rejected.is_some() && arguments.on_bad_row == OnBadRow::Refuse {
        return Err(invalid("`--rejected` goes with `--on-bad-row skip`: otherwise no row is left out"));
    }
    refuse_own(arguments)?;
    interrupt::catch()?;
    let Given { package, is_exported, input } = given(arguments)?;
    let bar = bar();
    let told = WarnOnce::new(&bar);
    let (path, reader): (&str, Box<dyn Read>) = match input {
        "-" => ("standard input", Box::new(StandardInput::open()?)),
        path => {
            let file = open_regular(Path::new(path)).map_err(|error| anyhow!("cannot read {path}: {error}"))?;
            (path, Box::new(file))
        }
    };
    let outcome =
        Run::begin(arguments, Model { package: &package, is_exported }, path, reader, &told).and_then(Run::finish);
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

/// Refuses to write over what is read, or twice to one file.
fn refuse_own(arguments: &PredictArguments) -> Result<(), Failure> {
    let written: Vec<&Path> =
        [&arguments.output, &arguments.rejected].into_iter().flatten().map(PathBuf::as_path).collect();
    let input = arguments.rest.last().filter(|input| *input != "-").map(Path::new);
    let read = std::iter::once(arguments.model.as_path()).chain(input);
    let twice = match written.as_slice() {
        [one, other] => Some((*one, *other)),
        _ => None,
    };
    let mut pairs = written.iter().flat_map(|written| read.clone().map(move |read| (read, *written))).chain(twice);
    match pairs.find(|(one, other)| same_file(one, other)) {
        Some((_, file)) => {
            Err(invalid(&format!("'{}' would be written over: name another file to write", file.display())))
        }
        None => Ok(()),
    }
}

/// What the command line names.
struct Given<'a> {
    package: Package,
    /// Whether the model is a file by itself.
    is_exported: bool,
    /// The file to predict.
    input: &'a str,
}

fn given(arguments: &PredictArguments) -> Result<Given<'_>, Failure> {
    // A file that cannot be read is neither.
    open_regular(&arguments.model).map_err(|error| anyhow!("cannot read {}: {error}", arguments.model.display()))?;
    let is_exported = is_package(&arguments.model);
    if !is_exported && arguments.model.extension().is_some_and(|end| end == "runner") {
        let is_empty = std::fs::metadata(&arguments.model).is_ok_and(|metadata| metadata.len() == 0);
        let what = if is_empty { "the file is empty" } else { "the file does not begin as one" };
        let model = arguments.model.display();
        return Err(invalid(&format!(
            "{model} is no model that `runner export` wrote: {what} (export or copy it again)"
        )));
    }
    let (package, input) = match (arguments.rest.as_slice(), is_exported) {
        ([input], true) => (fitted::of_file(&arguments.model)?, input),
        ([stage, input], false) => {
            let (file, set, artifacts) = (arguments.model.clone(), arguments.set.clone(), arguments.artifacts.clone());
            (fitted::of_stage(&StudyArguments { file, set, artifacts }, stage)?, input)
        }
        (_, true) => {
            return Err(invalid("the model's file says itself which model it is: give the file to predict alone"));
        }
        (_, false) => {
            return Err(invalid(
                "a pipeline has many stages: `runner predict PIPELINE STAGE INPUT`, e.g. `runner predict pipeline.yaml best new.csv`",
            ));
        }
    };
    Ok(Given { package, is_exported, input })
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    let style = ProgressStyle::with_template("{spinner} {human_pos} rows, {per_sec}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar
}

/// A model, and whether it is a file by itself.
#[derive(Clone, Copy)]
struct Model<'a> {
    package: &'a Package,
    is_exported: bool,
}

impl Model<'_> {
    /// What is wrong with a file: of a pipeline with the options to change, of an exported model with what to do to the file.
    fn lines(self, errors: &[CsvError]) -> anyhow::Error {
        let options = self.package.load_options();
        anyhow!(Lines::of_files(errors.iter().map(|error| match self.is_exported {
            true => InFile { error, options }.to_string(),
            false => error.to_string(),
        })))
    }
}

/// Predictions on their way out.
struct Run<'a> {
    arguments: &'a PredictArguments,
    model: Model<'a>,
    path: &'a str,
    told: &'a WarnOnce<'a>,
    chunks: Chunks<Box<dyn Read>>,
    options: LoadOptions,
    writer: CsvWriter,
    /// Where the file tells the classes.
    tally: Option<Tally>,
    target: Option<(NewFile, &'a Path)>,
    rejected: Option<(NewFile, &'a Path)>,
    rows: usize,
    /// Lines of rows at fault, and how many such rows there were.
    skipped: usize,
    faults: usize,
}

impl<'a> Run<'a> {
    fn begin(
        arguments: &'a PredictArguments,
        model: Model<'a>,
        path: &'a str,
        reader: Box<dyn Read>,
        told: &'a WarnOnce<'a>,
    ) -> anyhow::Result<Self> {
        let package = model.package;
        let chunks = Chunks::open(path, reader, &package.load_options().dialect, &interrupted);
        let chunks = chunks.map_err(|errors| model.lines(&errors))?;
        chunks.note().iter().for_each(|note| fitted::warn(note));
        let options = package.options(path, &chunks.columns().names)?;
        let (columns, terminator) = (&chunks.columns().names, chunks.terminator());
        let writer = CsvWriter::new(package, columns, chunks.dialect(), terminator, arguments.proba);
        let tally = Tally::new(package, columns);
        let open = |path: &'a Path| -> anyhow::Result<(NewFile, &'a Path)> {
            Ok((NewFile::at(path).with_context(|| cannot_write(path))?, path))
        };
        let target = arguments.output.as_deref().map(open).transpose()?;
        let rejected = arguments.rejected.as_deref().map(open).transpose()?;
        Ok(Run {
            arguments,
            model,
            path,
            told,
            chunks,
            options,
            writer,
            tally,
            target,
            rejected,
            rows: 0,
            skipped: 0,
            faults: 0,
        })
    }

    fn finish(mut self) -> anyhow::Result<String> {
        let own = self.chunks.header();
        let header = self.writer.header(own.as_deref())?;
        self.write(&header)?;
        if let (Some((rejected, path)), Some(own)) = (&mut self.rejected, &own) {
            writeln!(rejected, "{own}").with_context(|| cannot_write(path))?;
        }
        while let Some(chunk) = self.chunks.next_chunk(&interrupted)? {
            self.predict(&chunk)?;
            self.told.bar.set_position(self.rows as u64);
            if self.is_lost() {
                // Nobody reads on, as behind `| head`.
                break;
            }
        }
        let is_lost = self.is_lost();
        // A reader that does not read was left where it is.
        ensure!(!(is_lost && interrupted()), "interrupted");
        if self.rows == 0 && self.skipped == 0 {
            bail!("{}: the file has no rows to predict", self.path);
        }
        if let Some((rejected, path)) = self.rejected {
            rejected.persist().with_context(|| cannot_write(path))?;
        }
        if is_lost {
            // How much of it was read nobody knows.
            return Ok(String::new());
        }
        let mut place = "standard output".to_owned();
        if let Some((target, path)) = self.target {
            target.persist().with_context(|| cannot_write(path))?;
            place = screen::path(path);
        }
        let columns = match self.writer.added() {
            [one] => format!("column '{}'", quoted(one)),
            [one, ..] => format!("column '{}' and {} with probabilities", quoted(one), self.writer.added().len() - 1),
            [] => String::new(),
        };
        let skipped = match self.skipped {
            0 => String::new(),
            skipped => format!(", {} left out", counted(skipped as u64, "line")),
        };
        let scored = self.tally.map(|tally| scored(&tally.finish(), self.model.package.label())).unwrap_or_default();
        Ok(format!("{}{skipped}: {columns} → {place}\n{scored}", counted(self.rows as u64, "row")))
    }

    fn is_lost(&self) -> bool {
        self.target.is_none() && is_lost()
    }

    /// Predicts the rows of a chunk; one in which a row is at fault is halved until that row stands alone.
    fn predict(&mut self, chunk: &Chunk) -> anyhow::Result<()> {
        match self.said(chunk) {
            Ok((text, rows, notes)) => {
                // Of a few rows a column may well be empty.
                if self.rows == 0 || rows >= ROWS_THAT_TELL {
                    notes.iter().for_each(|note| self.told.warn(note));
                }
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

    /// What is written of a chunk, its number of rows, and what is worth telling of how they were read.
    fn said(&mut self, chunk: &Chunk) -> anyhow::Result<(String, usize, Vec<String>)> {
        let loaded = chunk.load(&self.options, &interrupted).map_err(|errors| self.model.lines(&errors))?;
        let rows = Table::new(loaded.batch);
        let said = self.model.package.predict(&rows, self.path, self.told)?;
        let text = self.writer.rows(&rows, self.model.package, &said)?;
        self.tally.as_mut().map(|tally| tally.add(&rows, &said)).transpose()?;
        Ok((text, rows.rows(), loaded.notes))
    }

    fn skip(&mut self, chunk: &Chunk, error: &anyhow::Error) -> anyhow::Result<()> {
        if chunk.text().is_empty() {
            // Of Parquet and Arrow files no row can be told from the others.
            return Err(anyhow!("{error:#}"));
        }
        let record = chunk.text().trim_ascii_end();
        let lines = 1 + record.iter().filter(|byte| **byte == b'\n').count();
        self.skipped += lines;
        self.faults += 1;
        match self.faults {
            ..=TOLD => {
                // An open quote takes what follows it along.
                let taken = if lines > 1 { format!(" ({lines} lines)") } else { String::new() };
                let why = format!("{error:#}").lines().collect::<Vec<_>>().join("; ");
                self.told.bar.suspend(|| fitted::warn(&format!("left out{taken}: {why}")));
            }
            faults if faults == TOLD + 1 => {
                self.told.bar.suspend(|| fitted::warn("further rows are left out, which are only counted"))
            }
            _ => {}
        }
        if let Some((rejected, path)) = &mut self.rejected {
            let end = chunk.text().iter().rposition(|byte| !b"\r\n".contains(byte)).map_or(0, |last| last + 1);
            let written = rejected.write_all(&chunk.text()[..end]).and_then(|()| rejected.write_all(b"\n"));
            written.with_context(|| cannot_write(path))?;
        }
        Ok(())
    }

    fn write(&mut self, text: &str) -> anyhow::Result<()> {
        match &mut self.target {
            Some((target, path)) => target.write_all(text.as_bytes()).with_context(|| cannot_write(path)),
            None => {
                print_content(text);
                Ok(())
            }
        }
    }
}

/// How good predictions of rows with a label are.
fn scored(tallied: &Tallied, label: &str) -> String {
    let Tallied { scores, without, foreign, example } = tallied;
    let mut apart = Vec::new();
    if *without > 0 {
        apart.push(format!("{} without it", counted(*without, "row")));
    }
    if let (1.., Some(example)) = (*foreign, example) {
        let rows = counted(*foreign, "row");
        apart.push(format!("{rows} of a class that the model does not know, e.g. '{}'", quoted(example)));
    }
    let apart = if apart.is_empty() { String::new() } else { format!("; besides {}", apart.join(" and ")) };
    if scores.rows == 0 {
        return format!("nothing was scored: no row has a '{}' that the model knows{apart}\n", quoted(label));
    }
    let loss = scores.log_loss.map(|loss| format!(", log loss {loss:.3}")).unwrap_or_default();
    format!(
        "by '{}' of {}: accuracy {:.3}, macro-F1 {:.3}{loss}{apart}\n",
        quoted(label),
        counted(scores.rows as u64, "row"),
        scores.accuracy,
        scores.macro_f1
    )
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}
