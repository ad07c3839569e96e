//! The command line: the only layer that prints.
//!
//! Exit codes: 0 done, 1 a stage failed or output was lost, 2 the pipeline or the command line is wrong, 130 interrupted.

mod color;
mod compare;
mod explain;
mod export;
mod fitted;
mod gc;
mod graph;
mod init;
mod input;
mod interrupt;
mod leaks;
mod models;
mod output;
mod plan;
mod predict;
mod repeats;
mod report;
mod run;
mod runs;
mod schema;
mod screen;
mod show;
mod standing;
mod study;
mod verify;
mod watch;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::boundary::contained;
use crate::boundary::text::{of_chain, quoted};
use crate::spec::Problems;
use output::{eprint, print, print_json, print_json_text};

const DONE: u8 = 0;
const FAILED: u8 = 1;
const INVALID: u8 = 2;
const INTERRUPTED: u8 = 130;

#[derive(Parser)]
#[command(
    name = "runner",
    // Not the name by which it was called, which is anyone's.
    bin_name = "runner",
    version,
    about = "Runs pipelines of tabular + text classification; does only what an edit invalidated"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Bring stages up to date; runs only what is stale
    Run(run::RunArguments),
    /// Show what `run` would do, and why; changes nothing
    Plan(plan::PlanArguments),
    /// Show everything that one stage's result depends on, and what changed
    Explain(explain::ExplainArguments),
    /// Draw the DAG
    Graph(graph::GraphArguments),
    /// Show a stage's results: tables, metrics, curves
    Show(show::ShowArguments),
    /// Predict the rows of a file with a fitted model; no pipeline need name the file
    Predict(predict::PredictArguments),
    /// Write a fitted model, with all that predicting needs, into one file
    Export(export::ExportArguments),
    /// Write the page of the results with their history: times, reasons, what changed, then and now
    Report(report::ReportArguments),
    /// What was run: list, show, pin
    Runs(runs::RunsArguments),
    /// Compare two runs, or two models of one run
    Compare(compare::CompareArguments),
    /// Free what no recent run needs
    Gc(gc::GcArguments),
    /// Re-hash the store; with --rerun, execute stages again and compare the bytes
    Verify(verify::VerifyArguments),
    /// Known text encoders: list, fetch, import
    Models(models::ModelsArguments),
    /// Print the JSON Schema of pipeline files, for editors
    Schema,
    /// Start a new study: pipelines and a synthetic sample of songs
    Init(init::InitArguments),
    /// Print a completion script for a shell
    Completions { shell: clap_complete::Shell },
}

/// What every command that reads a pipeline takes.
#[derive(Args)]
struct StudyArguments {
    /// The pipeline file, e.g. pipelines/full.yaml
    file: PathBuf,
    /// Set a variable (`name=value`) or any parameter by path (`stage.optimizer.lr=3e-4`)
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// The folder of results and of the store
    #[arg(long, value_name = "DIR", default_value = "artifacts")]
    artifacts: PathBuf,
}

/// What every command takes that reads a store and no pipeline.
#[derive(Args)]
struct StoreArguments {
    /// The folder of results and of the store
    #[arg(long, value_name = "DIR", default_value = "artifacts", global = true)]
    artifacts: PathBuf,
}

/// What ends a command early, with the exit code that it deserves.
enum Failure {
    /// A message, and exit code 1.
    Failed(anyhow::Error),
    /// A rendered message, and exit code 2.
    Invalid(String),
    /// Mistakes of a pipeline, and exit code 2.
    Mistakes(Box<Problems>),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure::Failed(error.into())
    }
}

type Outcome = Result<u8, Failure>;

/// Runs the program. `closed`: whether standard output and standard error were closed when it was started.
pub(crate) fn main(closed: [bool; 2]) -> ExitCode {
    output::note_closed(closed[0], closed[1]);
    interrupt::outlive_file_limit();
    std::panic::set_hook(Box::new(|panic| {
        // Who contains a panic says what it means.
        if !contained::is_contained() {
            let thread = std::thread::current();
            let trace = std::backtrace::Backtrace::capture();
            let trace = match trace.status() {
                std::backtrace::BacktraceStatus::Captured => format!("{trace}\n"),
                _ => String::new(),
            };
            eprint(&format!("thread '{}' {panic}\n{trace}", thread.name().unwrap_or("<unnamed>")));
        }
    }));
    let outcome = match Cli::try_parse() {
        Ok(Cli { command }) => catch_unwind(AssertUnwindSafe(|| perform(command))),
        Err(error) => {
            // Found again in arguments without line breaks, the same mistake quotes none.
            let shown = std::env::args_os().map(|argument| quoted(&argument.to_string_lossy()).into_owned());
            Ok(Ok(say(&Cli::try_parse_from(shown).err().unwrap_or(error))))
        }
    };
    let code = match outcome {
        Ok(Ok(code)) => code,
        Ok(Err(failure)) => tell(failure),
        Err(_) => tell(Failure::Failed(anyhow::anyhow!("internal error, please report what stands above"))),
    };
    ExitCode::from(output::finish(code))
}

/// Says why the program cannot begin.
pub(crate) fn refuse(error: impl Into<anyhow::Error>) -> ExitCode {
    ExitCode::from(output::finish(tell(Failure::Failed(error.into()))))
}

fn perform(command: Command) -> Outcome {
    match command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Plan(arguments) => plan::plan(&arguments),
        Command::Explain(arguments) => explain::explain(&arguments),
        Command::Graph(arguments) => graph::graph(&arguments),
        Command::Show(arguments) => show::show(&arguments),
        Command::Predict(arguments) => predict::predict(&arguments),
        Command::Export(arguments) => export::export(&arguments),
        Command::Report(arguments) => report::report(&arguments),
        Command::Runs(arguments) => runs::runs(&arguments),
        Command::Compare(arguments) => compare::compare(&arguments),
        Command::Gc(arguments) => gc::gc(&arguments),
        Command::Verify(arguments) => verify::verify(&arguments),
        Command::Models(arguments) => models::models(&arguments),
        Command::Schema => schema::schema(),
        Command::Init(arguments) => init::init(&arguments),
        Command::Completions { shell } => {
            use clap::CommandFactory as _;
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "runner", &mut script);
            print(&String::from_utf8_lossy(&script));
            Ok(DONE)
        }
    }
}

/// Prints what clap has to say: help and version, or what is wrong with the command line.
fn say(error: &clap::Error) -> u8 {
    use clap::error::ErrorKind::{DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion};
    let text = error.render();
    let quotes_nobody = matches!(error.kind(), DisplayHelp | DisplayHelpOnMissingArgumentOrSubcommand | DisplayVersion);
    let style = if error.use_stderr() { screen::Style::stderr() } else { screen::Style::stdout() };
    let text = match (quotes_nobody && style.color, text.to_string()) {
        (true, _) => color::with_colors_of_clap(&text.ansi().to_string()),
        (false, plain) => match plain.strip_prefix("error:") {
            Some(rest) => format!("{}{rest}", style.error("error:")),
            None => plain,
        },
    };
    if error.use_stderr() {
        eprint(&text);
        INVALID
    } else {
        print(&text);
        DONE
    }
}

/// Prints each mistake of the pipeline as a line of JSON, where that is what ended a command.
fn print_mistakes(failure: &Failure) {
    if let Failure::Mistakes(problems) = failure {
        for mut mistake in problems.json() {
            mistake["event"] = "mistake".into();
            print_json(&mistake);
        }
    }
}

/// Says on standard error what ended a command early, and returns its exit code.
fn tell(failure: Failure) -> u8 {
    match failure {
        Failure::Failed(error) => {
            let style = screen::Style::stderr();
            // Set in, so that no line of what it quotes reads as one of ours.
            let text = of_chain(error.chain()).replace('\n', "\n  ");
            eprint(&format!("{} {text}\n", style.error("error:")));
            FAILED
        }
        Failure::Mistakes(problems) => {
            let style = screen::Style::stderr();
            let text = problems.render_with(&|code, text| style.paint(code, text));
            eprint(&format!("{}\n", text.trim_end_matches('\n')));
            INVALID
        }
        Failure::Invalid(message) => {
            eprint(&format!("{}\n", message.trim_end_matches('\n')));
            INVALID
        }
    }
}
