//! `runner runs`: what was run, newest first; one run in full; runs that garbage collection must keep.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand};

use super::{DONE, Outcome, StoreArguments, leaks, screen};
use crate::artifact::{Digest, Store};
use crate::engine::{self, ActionRecord, History, Run, RunOutcome, StageEntry};
use crate::report::counted;
use crate::report::ranking::{self, Validation};
use crate::stages::aims::metric_of_result;
use crate::stages::compare::{JudgedRows, judged_rows, validation};

/// Characters of a line that hold a run with its best result.
const WIDE: usize = 120;

#[derive(Args)]
pub(super) struct RunsArguments {
    #[command(flatten)]
    store: StoreArguments,
    /// JSON instead of text: an object per line
    #[arg(long, global = true)]
    json: bool,
    /// Runs to list
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(subcommand)]
    action: Option<Action>,
}

/// Runs are named by their id, by a part of it, or as `last`, `last~1`, …
#[derive(Subcommand)]
enum Action {
    /// One run with all its stages
    Show { run: String },
    /// Keep these runs and their results from `runner gc`
    Pin {
        #[arg(required = true)]
        runs: Vec<String>,
    },
    /// No longer keep them
    Unpin {
        #[arg(required = true)]
        runs: Vec<String>,
    },
}

pub(super) fn runs(arguments: &RunsArguments) -> Outcome {
    let store = Store::open(&arguments.store.artifacts)?;
    let history = History::of(&store);
    match &arguments.action {
        None => {
            tell_unreadable(&history);
            list(&store, &history, arguments)
        }
        Some(Action::Show { run }) => show(&super::study::run_named(&history, run)?, arguments.json),
        Some(Action::Pin { runs }) => pin(&history, runs, true),
        Some(Action::Unpin { runs }) => pin(&history, runs, false),
    }
}

/// Warns of runs that nothing can be said of, and that keep no result.
pub(super) fn tell_unreadable(history: &History) {
    for path in history.unreadable() {
        let lead = screen::Style::stderr().warning("warning:");
        super::eprint(&format!(
            "{lead} '{}' cannot be read: that run is not listed and keeps no results (remove the file)\n",
            path.display()
        ));
    }
}

fn list(store: &Store, history: &History, arguments: &RunsArguments) -> Outcome {
    let runs: Vec<Run> = history.runs().take(arguments.limit as usize).collect();
    if arguments.json {
        for run in &runs {
            super::print_json(run);
        }
        return Ok(DONE);
    }
    if runs.is_empty() {
        super::print(&format!("no run is recorded in '{}' yet\n", screen::path(&arguments.store.artifacts)));
        return Ok(DONE);
    }
    let style = screen::Style::stdout();
    let width = screen::width();
    // The result stands beside its run, or below it where that is too narrow to be read.
    let beside = width >= WIDE;
    let one_pipeline = runs.windows(2).all(|two| two[0].record.pipeline == two[1].record.pipeline);
    let hidden = |head: &str| match head {
        "result" | "pipeline" => !beside,
        _ => false,
    };
    let mut best = Best { store, known: HashMap::new() };
    let heads = ["run", "when", "pipeline", "outcome", "ran", "restored", "fresh", "time", "result"];
    let shown = |cells: [String; 9]| -> Vec<String> {
        heads.iter().zip(cells).filter(|(head, _)| !hidden(head)).map(|(_, cell)| cell).collect()
    };
    let mut rows = vec![shown(heads.map(|head| style.dim(head)))];
    for run in &runs {
        let record = &run.record;
        let count = |outcome| match record.count(outcome) {
            0 => style.dim("·"),
            count => count.to_string(),
        };
        let mut when = screen::ago(since(record.started));
        if run.repeated > 0 && beside {
            when.push_str(&format!(" +{} idle", run.repeated));
        }
        let mark = if run.pinned { " *" } else { "" };
        rows.push(shown([
            format!("{}{mark}", style.bold(&record.id)),
            when,
            record.pipeline.clone(),
            outcome(record.outcome, style),
            count(engine::Outcome::Ran),
            count(engine::Outcome::Restored),
            count(engine::Outcome::Fresh),
            time(run),
            best.of(&record.stages).unwrap_or_default(),
        ]));
    }
    let table = screen::table_within(&rows, width);
    let mut lines = table.lines();
    let mut text = format!("{}\n", lines.next().unwrap_or_default());
    for (line, run) in lines.zip(&runs) {
        text.push_str(&format!("{line}\n"));
        if beside {
            continue;
        }
        let pipeline = (!one_pipeline).then(|| run.record.pipeline.clone());
        let idle = (run.repeated > 0).then(|| format!("+{} idle", run.repeated));
        let below: Vec<String> = [pipeline, idle, best.of(&run.record.stages)].into_iter().flatten().collect();
        if !below.is_empty() {
            let below = screen::cut(&below.join(" · "), width.saturating_sub(4).max(1));
            text.push_str(&format!("{}\n", style.dim(&format!("    {below}"))));
        }
    }
    super::print(&text);
    if runs.iter().any(|run| run.pinned) {
        super::print(&style.dim("  * pinned\n"));
    }
    Ok(DONE)
}

fn show(run: &Run, json: bool) -> Outcome {
    if json {
        super::print_json(run);
        return Ok(DONE);
    }
    let style = screen::Style::stdout();
    let record = &run.record;
    let mut command = vec!["runner run".to_owned(), record.file.clone()];
    command.extend(record.asked.iter().cloned());
    command.extend(record.set.iter().map(|set| format!("--set {set}")));
    let mut facts = vec![
        ("pipeline", record.pipeline.clone()),
        ("command", command.join(" ")),
        ("started", screen::ago(since(record.started))),
        ("outcome", outcome(record.outcome, style)),
        ("time", time(run)),
        ("memory", record.peak_memory.map(screen::bytes).unwrap_or_default()),
        ("runner", record.runner.clone()),
        (
            "machine",
            [record.host.clone(), Some(record.os.clone()), record.cpu.clone()]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(", "),
        ),
        ("threads", record.threads.to_string()),
    ];
    if run.pinned {
        facts.push(("pinned", "yes".to_owned()));
    }
    if let Some(at) = run.repeated_at {
        facts.push((
            "idle since",
            format!("{} with nothing to do, the last {}", counted(run.repeated, "run"), screen::ago(since(at))),
        ));
    }
    if let Some(error) = &record.error {
        facts.push(("error", style.error(error)));
    }
    let facts: Vec<Vec<String>> = facts
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| vec![style.dim(name), value])
        .collect();
    let mut text = format!("{}\n{}\n", style.bold(&record.id), screen::table_within(&facts, screen::width()));
    let stages = record.stages.iter().map(|stage| {
        // A look at what is fresh took no time worth a column; a stage that ran took some, however little.
        let ran = stage.outcome == engine::Outcome::Ran || stage.seconds >= 0.005;
        let time = if ran { screen::duration(stage.seconds) } else { String::new() };
        let key = stage.key.map(|key| style.dim(&key.short())).unwrap_or_default();
        let said = stage.error.as_deref().map(|error| style.error(error)).unwrap_or_else(|| stage.headline.clone());
        vec![stage.stage.clone(), word(stage), time, key, said]
    });
    text.push_str(&screen::table_within(&stages.collect::<Vec<_>>(), screen::width()));
    super::print(&text);
    Ok(DONE)
}

fn pin(history: &History, names: &[String], pinned: bool) -> Outcome {
    // All names first: one that is wrong must not leave half of the work done.
    let runs = names.iter().map(|name| super::study::run_named(history, name)).collect::<Result<Vec<_>, _>>()?;
    for run in runs {
        history.pin(&run.record.id, pinned)?;
        let word = if pinned { "pinned" } else { "no longer pinned" };
        super::print(&format!("{} {word}\n", run.record.id));
    }
    Ok(DONE)
}

fn outcome(outcome: RunOutcome, style: screen::Style) -> String {
    match outcome {
        RunOutcome::Done => style.good(outcome.name()),
        RunOutcome::Running => style.accent(outcome.name()),
        RunOutcome::Failed => style.error(outcome.name()),
        RunOutcome::Interrupted | RunOutcome::Killed => style.warning(outcome.name()),
    }
}

fn word(stage: &StageEntry) -> String {
    serde_json::to_value(stage.outcome).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

fn time(run: &Run) -> String {
    match run.record.outcome {
        RunOutcome::Running => screen::duration(since(run.record.started) as f64),
        RunOutcome::Killed => String::new(),
        _ => screen::duration(run.record.seconds),
    }
}

/// A result with what is read of it once.
#[derive(Clone)]
struct Known {
    record: Rc<ActionRecord>,
    /// Of its model.
    validation: Option<Validation>,
    /// The columns that its audit found to leak the label.
    leaking: Rc<[String]>,
}

/// Finds the headline of a run's best model.
struct Best<'a> {
    store: &'a Store,
    /// By the result's key, since runs share results.
    known: HashMap<Digest, Option<Known>>,
}

impl Best<'_> {
    /// The headline of the stage whose model validation ranks first, else the last one. Only models that were judged on the same rows are ranked: of several
    /// sets of rows the largest counts.
    fn of(&mut self, stages: &[StageEntry]) -> Option<String> {
        let mut records = Vec::new();
        let mut models = Vec::new();
        let mut leaking = Vec::new();
        for (i, stage) in stages.iter().enumerate() {
            let Some(known) = stage.key.and_then(|key| self.result(key)) else { continue };
            let Known { record, validation, leaking: columns } = known;
            leaking.extend(columns.iter().cloned());
            if let Some(validation) = validation.filter(|_| !stage.headline.is_empty()) {
                models.push((i, Rc::clone(&record), validation));
            }
            records.push(record);
        }
        let rows: Vec<Option<JudgedRows>> =
            models.iter().map(|(_, record, _)| judged_rows(self.store, record, &records)).collect();
        let size = |of: &Option<JudgedRows>| of.map_or(0, |rows| rows.valid + rows.test);
        // Of equals the first.
        let most = rows.iter().rev().max_by_key(|rows| size(rows)).copied();
        let named = models.iter().find_map(|(_, record, _)| metric_of_result(record));
        let (own, others): (Vec<_>, Vec<_>) = models.iter().zip(&rows).partition(|(_, rows)| Some(**rows) == most);
        let best = ranking::choose(own, named, |((_, _, validation), _)| Some(validation.clone())).any();
        let danger = best.and_then(|((_, record, _), _)| {
            let columns = leaks::read_by(record, &records, &leaking);
            (!columns.is_empty()).then(|| format!(" [danger: reads {}, which leaks the label]", columns.join(", ")))
        });
        let best = best.map(|((i, _, _), _)| &stages[*i]);
        let stage = best.or_else(|| stages.iter().rfind(|stage| !stage.headline.is_empty()))?;
        let others: Vec<&str> = others.iter().map(|((i, _, _), _)| stages[*i].stage.as_str()).collect();
        let apart =
            if others.is_empty() { String::new() } else { format!(" [judged on other rows: {}]", others.join(", ")) };
        let danger = danger.unwrap_or_default();
        Some(format!("{}: {}{danger}{apart}", stage.stage, stage.headline))
    }

    fn result(&mut self, key: Digest) -> Option<Known> {
        let store = self.store;
        let read = || {
            let record = ActionRecord::load(store, key)?;
            let validation = validation(store, &record);
            let leaking = leaks::found_by(store, &record).into();
            Some(Known { record: Rc::new(record), validation, leaking })
        };
        self.known.entry(key).or_insert_with(read).clone()
    }
}

/// Seconds from then to now; 0 if that moment is yet to come.
fn since(then: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs());
    now.saturating_sub(then)
}
