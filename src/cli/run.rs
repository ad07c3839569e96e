//! `runner run`.

use std::collections::HashSet;
use std::path::Path;
use std::time::Instant;

use clap::Args;
use serde_json::json;

use super::interrupt::{self, interrupted};
use super::study::Study;
use super::{DONE, FAILED, Failure, INTERRUPTED, Outcome, StudyArguments, leaks, output, repeats, screen, watch};
use crate::boundary::text::quoted;
use crate::engine::{
    self, ActionRecord, Event, LockFile, Memory, PortType, Recorded, RunLabel, RunOptions, RunSummary,
};
use crate::engine::{Divergence, History, divergences};
use live::Live;

#[path = "live.rs"]
mod live;

#[derive(Args)]
pub(super) struct RunArguments {
    #[command(flatten)]
    study: StudyArguments,
    /// The stages to bring up to date, with what they depend on; all if none is named
    stages: Vec<String>,
    /// One JSON object per line instead of text
    #[arg(long)]
    json: bool,
    /// Threads in use at once [default: the machine's]
    #[arg(short, long, value_name = "N")]
    jobs: Option<std::num::NonZeroUsize>,
    /// Memory that the `resources` of stages running at once may add up to, e.g. `16 GB` [default: 90 % of the machine's]
    #[arg(long, value_name = "SIZE")]
    memory: Option<Memory>,
    /// Run this stage even if its result is known
    #[arg(long, value_name = "STAGE")]
    force: Vec<String>,
    /// After a failure, go on with what does not depend on it
    #[arg(long)]
    keep_going: bool,
    /// After a successful run of the whole pipeline, write what it depended on and gave to FILE's .lock
    #[arg(long, conflicts_with_all = ["locked", "stages"])]
    lock: bool,
    /// Fail if anything differs from FILE's .lock: inputs, stages, or the bytes that come out
    #[arg(long)]
    locked: bool,
    /// Then wait for a save of the pipeline or of a file that it reads, and run what changed, until Ctrl-C
    #[arg(long)]
    watch: bool,
}

pub(super) fn run(arguments: &RunArguments) -> Outcome {
    interrupt::catch()?;
    if !arguments.watch {
        return round(arguments, &arguments.force);
    }
    let mut force = arguments.force.as_slice();
    // What is forced is forced once, not after every save.
    let mut again = || round(arguments, std::mem::take(&mut force));
    let settled = |files: usize| {
        if !arguments.json {
            let style = screen::Style::stdout();
            let files = if files == 1 { "1 file".to_owned() } else { format!("{files} files") };
            super::print(&format!("{}\n", style.dim(&format!("watching {files}; Ctrl-C ends"))));
        }
    };
    let changed = |files: &[&Path]| {
        let shown: Vec<String> = files.iter().map(|file| screen::path(file)).collect();
        let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        if arguments.json {
            super::print_json(&json!({"event": "change", "files": files}));
        } else {
            super::print(&format!("\n{} {}\n", screen::Style::stdout().bold("changed:"), shown.join(", ")));
        }
    };
    watch::watch(&arguments.study, &interrupted, &mut again, &settled, &changed)
}

/// Two files of one name deliver into one folder, where each replaces what the other left.
fn warn_of_namesake(study: &Study, file: &Path) {
    /// Of the newest runs so many are looked at.
    const LOOKED_AT: usize = 20;
    let name = &study.plan.spec.name;
    let history = History::of(&study.store);
    let Some(last) = history.runs().take(LOOKED_AT).find(|run| run.record.pipeline == *name) else { return };
    let other = Path::new(&last.record.file);
    // A file that is not there any more was renamed, or the run was started elsewhere.
    let (Ok(own), Ok(before)) = (file.canonicalize(), other.canonicalize()) else { return };
    if own == before {
        return;
    }
    let folder = screen::path(study.workspace().folder("").components().as_path());
    super::eprint(&format!(
        "{} '{}' has the name '{name}' too: what it left in '{folder}' is replaced (give one of the two another `name`)\n",
        screen::Style::stderr().warning("warning:"),
        screen::path(other)
    ));
}

/// Reads the pipeline anew and brings it up to date once; the stages `force` run even if their result is known.
fn round(arguments: &RunArguments, force: &[String]) -> Outcome {
    let clock = Instant::now();
    let opened = Study::open(&arguments.study).and_then(|study| {
        let selected = study.select(&arguments.stages)?;
        let force = forced(&study, force)?;
        Ok((study, selected, force))
    });
    let (mut study, selected, force) = match opened {
        Ok(opened) => opened,
        Err(failure) => {
            if arguments.json {
                super::print_mistakes(&failure);
                super::print_json(&nothing_ran("invalid", &[]));
            }
            return Err(failure);
        }
    };
    let lock_file = arguments.study.file.with_extension("lock");
    if arguments.locked {
        let lock = LockFile::read(&lock_file)?;
        let divergences = divergences(&lock, &study.workspace(), &selected)?;
        if !divergences.is_empty() {
            return Ok(refuse(&divergences, &lock_file, arguments.json));
        }
        study.plan.lock_to(lock);
    }
    let mut options = RunOptions { keep_going: arguments.keep_going, force, ..RunOptions::default() };
    options.threads = arguments.jobs.map_or(options.threads, std::num::NonZeroUsize::get);
    options.memory = arguments.memory.map_or(options.memory, |memory| memory.0);
    let format_was_damaged = study.store.has_damaged_format();
    let workspace = study.workspace();
    let file = arguments.study.file.display().to_string();
    warn_of_namesake(&study, &arguments.study.file);
    let label = RunLabel { file: &file, set: &arguments.study.set, asked: &arguments.stages };
    let recorded = if arguments.json {
        let recorded =
            engine::run_recorded(&workspace, &selected, &options, label, &print_event, &interrupted, Some(leave_json))?;
        super::print_json(&summary_json(&recorded));
        recorded
    } else {
        let live = Live::new(&study.plan, &selected);
        let show = |event| live.show(event);
        let recorded = engine::run_recorded(&workspace, &selected, &options, label, &show, &interrupted, Some(leave))?;
        live.finish();
        super::print(&summary_text(&study, &arguments.study, &recorded.summary, clock.elapsed().as_secs_f64()));
        recorded
    };
    let style = screen::Style::stderr();
    if format_was_damaged && !study.store.has_damaged_format() {
        let folder = arguments.study.artifacts.join(".store");
        super::eprint(&format!(
            "{} the file '{}' was damaged or missing; the results beside it are whole, and it was written anew\n",
            style.warning("warning:"),
            screen::path(&folder.join("format"))
        ));
    }
    if let Some(reason) = &recorded.unrecorded {
        super::eprint(&format!("{} this run is missing in the history: {reason}\n", style.warning("warning:")));
    }
    let summary = recorded.summary;
    if arguments.lock && summary.succeeded() {
        let records = summary.stages.iter().map(|stage| (stage.stage.as_str(), stage.record.as_deref()));
        let lock = LockFile::of(&study.plan.spec.name, records);
        lock.ok_or_else(|| anyhow::anyhow!("a stage left no record, so nothing was locked"))?.write(&lock_file)?;
    }
    Ok(match (summary.interrupted, summary.succeeded()) {
        (true, _) => INTERRUPTED,
        (false, true) => DONE,
        (false, false) => FAILED,
    })
}

/// Ends the program although something still works: it did not look up in time.
fn leave(recorded: Recorded) -> ! {
    super::print(&format!("{}\n", ending(&recorded.summary)));
    std::process::exit(i32::from(output::finish(INTERRUPTED)))
}

fn leave_json(recorded: Recorded) -> ! {
    super::print_json(&summary_json(&recorded));
    std::process::exit(i32::from(output::finish(INTERRUPTED)))
}

/// Tells of every stage that is not as locked; nothing was run.
fn refuse(divergences: &[Divergence], lock_file: &std::path::Path, json: bool) -> u8 {
    if json {
        for one in divergences {
            let error = format!("{} ({})", one.message, lock_file.display());
            super::print_json(
                &json!({"event": "stage", "stage": one.stage, "outcome": "failed", "seconds": 0.0, "error": error}),
            );
        }
        let failed: Vec<&str> = divergences.iter().map(|one| one.stage.as_str()).collect();
        super::print_json(&nothing_ran("failed", &failed));
        return FAILED;
    }
    let style = screen::Style::stderr();
    for one in divergences {
        super::eprint(&format!("{} {}: {}\n", style.error("error:"), one.stage, one.message));
    }
    super::eprint(&format!(
        "nothing was run: '{}' says otherwise (`runner run --lock` renews it)\n",
        screen::path(lock_file)
    ));
    FAILED
}

fn forced(study: &Study, names: &[String]) -> Result<HashSet<String>, Failure> {
    let mut force = HashSet::new();
    for name in names {
        study.select(std::slice::from_ref(name))?;
        let meant = study.plan.spec.stages.values().filter(|stage| stage.name == *name || stage.base == *name);
        force.extend(meant.map(|stage| stage.name.clone()));
    }
    Ok(force)
}

fn print_event(event: Event) {
    let value = match event {
        Event::Finished { stage, outcome, seconds, error, .. } => {
            let mut value = json!({"event": "stage", "stage": stage, "outcome": outcome, "seconds": seconds});
            if let Some(error) = error {
                value["error"] = json!(error);
            }
            value
        }
        Event::Warned { stage, message } => json!({"event": "warning", "stage": stage, "message": message}),
        Event::Waiting { stage } => json!({"event": "waiting", "stage": stage}),
        Event::Started { .. } | Event::Progress { .. } => return,
    };
    super::print_json(&value);
}

/// The last line of a run that ended before any stage began, with the keys of [`summary_json`].
fn nothing_ran(outcome: &str, failed: &[&str]) -> serde_json::Value {
    let mut line = json!({"event": "run", "id": null, "outcome": outcome});
    for list in ["ran", "restored", "fresh", "failed", "blocked", "not_reached", "interrupted"] {
        line[list] = json!([]);
    }
    line["failed"] = json!(failed);
    line
}

fn summary_json(recorded: &Recorded) -> serde_json::Value {
    let summary = &recorded.summary;
    json!({
        "event": "run",
        "id": recorded.id,
        "outcome": outcome_word(summary),
        "ran": summary.with(engine::Outcome::Ran),
        "restored": summary.with(engine::Outcome::Restored),
        "fresh": summary.with(engine::Outcome::Fresh),
        "failed": summary.with(engine::Outcome::Failed),
        "blocked": summary.with(engine::Outcome::Blocked),
        "not_reached": summary.with(engine::Outcome::NotReached),
        "interrupted": summary.with(engine::Outcome::Interrupted),
    })
}

fn outcome_word(summary: &RunSummary) -> &'static str {
    match (summary.interrupted, summary.succeeded()) {
        (true, _) => "interrupted",
        (false, true) => "done",
        (false, false) => "failed",
    }
}

fn summary_text(study: &Study, arguments: &StudyArguments, summary: &RunSummary, seconds: f64) -> String {
    let style = screen::Style::stdout();
    let count = |outcome| summary.with(outcome).len();
    let mut text = String::new();
    let ran = count(engine::Outcome::Ran) + count(engine::Outcome::Restored) > 0;
    let headlines: Vec<Vec<String>> = (summary.stages.iter())
        .filter_map(|stage| Some((stage, stage.record.as_ref()?)))
        .filter(|(_, record)| ran && !record.provenance.headline.is_empty())
        .map(|(stage, record)| vec![style.bold(&stage.stage), record.provenance.headline.clone()])
        .collect();
    if !headlines.is_empty() {
        text.push_str(&format!("\n{}\n", style.dim("Results")));
        text.push_str(&screen::table_within(&headlines, screen::width()));
    }
    if ran {
        let result = |i: usize| summary.stages.iter().find(|result| result.stage == study.plan.stages[i].name);
        let found = leaks::together(study, |i| result(i)?.record.clone());
        text.push_str(&repeats::table(&found.repeated, style));
        found.to_use.iter().for_each(|model| text.push_str(&screen::wrap(&quoted(model), "  ", screen::width())));
        found.leaks.iter().for_each(|leak| text.push_str(&leaks::line(leak, style)));
    }
    let deliverables = deliverables(study, arguments, summary);
    if ran && !deliverables.is_empty() {
        text.push_str(&format!("\n{}\n", style.dim("Deliverables")));
        deliverables.iter().for_each(|path| text.push_str(&format!("  {path}\n")));
    }
    if ran {
        text.push('\n');
    }
    text.push_str(&format!("{} in {}\n", ending(summary), screen::duration(seconds)));
    text
}

/// How the run ended, e.g. `done: 3 ran, 1 fresh`.
fn ending(summary: &RunSummary) -> String {
    let style = screen::Style::stdout();
    let count = |outcome| summary.with(outcome).len();
    let word = match outcome_word(summary) {
        "done" => style.good("done"),
        "interrupted" => style.warning("interrupted; what had ended is kept"),
        word => style.error(word),
    };
    let mut parts = Vec::new();
    for (outcome, name) in [
        (engine::Outcome::Ran, "ran"),
        (engine::Outcome::Restored, "restored"),
        (engine::Outcome::Fresh, "fresh"),
        (engine::Outcome::Failed, "failed"),
        (engine::Outcome::Blocked, "blocked"),
        (engine::Outcome::NotReached, "not reached"),
        (engine::Outcome::Interrupted, "interrupted"),
    ] {
        if count(outcome) > 0 {
            parts.push(format!("{} {name}", count(outcome)));
        }
    }
    format!("{word}: {}", parts.join(", "))
}

/// Files that a person asked for: predictions, pages, articles. Those in a folder of a stage are one line.
fn deliverables(study: &Study, arguments: &StudyArguments, summary: &RunSummary) -> Vec<String> {
    let folder = arguments.artifacts.join(&study.plan.spec.name);
    let files = |stage: &str, record: &ActionRecord| -> Vec<String> {
        let outputs = record.outputs.iter().filter(|output| output.holds == PortType::Files);
        let names = outputs.flat_map(|output| &output.files).map(|file| &file.name);
        let wanted = names.filter(|name| {
            [".csv", ".tsv", ".txt", ".html", ".pdf", ".tex", ".zip"].iter().any(|end| name.ends_with(end))
        });
        let mut lines: Vec<(&str, &str, usize)> = Vec::new();
        for name in wanted {
            let shown = name.split_once('/').map_or(name.as_str(), |(inner, _)| inner);
            match lines.iter_mut().find(|line| line.0 == shown) {
                Some((_, _, files)) => *files += 1,
                None => lines.push((shown, name, 1)),
            }
        }
        let path = |name: &str| screen::path(&folder.join(stage).join(name));
        let line = |(shown, name, files)| match files {
            1 => path(name),
            _ => format!("{}/ ({files} files)", path(shown)),
        };
        lines.into_iter().map(line).collect()
    };
    let stages = summary.stages.iter().filter_map(|stage| Some((stage, stage.record.as_ref()?)));
    stages.flat_map(|(stage, record)| files(&stage.stage, record)).collect()
}
