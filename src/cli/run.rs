//! `runner run`.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::Args;
use serde_json::json;

use super::study::Study;
use super::{DONE, FAILED, Failure, INTERRUPTED, Outcome, StudyArguments, screen};
use crate::engine::{self, ActionRecord, Event, Memory, PortType, RunOptions, RunSummary};
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
}

static INTERRUPT: AtomicBool = AtomicBool::new(false);

pub(super) fn run(arguments: &RunArguments) -> Outcome {
    let clock = Instant::now();
    let opened = Study::open(&arguments.study).and_then(|study| {
        let selected = study.select(&arguments.stages)?;
        let force = forced(&study, &arguments.force)?;
        Ok((study, selected, force))
    });
    let (study, selected, force) = match opened {
        Ok(opened) => opened,
        Err(failure) => {
            if arguments.json {
                super::print(&format!(
                    "{}\n",
                    json!({"event": "run", "outcome": "invalid", "ran": [], "restored": [], "fresh": [], "failed": [], "blocked": []})
                ));
            }
            return Err(failure);
        }
    };
    catch_interrupts()?;
    let mut options = RunOptions { keep_going: arguments.keep_going, force, ..RunOptions::default() };
    options.threads = arguments.jobs.map_or(options.threads, std::num::NonZeroUsize::get);
    options.memory = arguments.memory.map_or(options.memory, |memory| memory.0);
    let ground = study.ground();
    let cancelled = || INTERRUPT.load(Ordering::Relaxed);
    let summary = if arguments.json {
        let summary = engine::run(&ground, &selected, &options, &print_json, &cancelled)?;
        super::print(&format!("{}\n", summary_json(&summary)));
        summary
    } else {
        let live = Live::new(&study.plan, &selected);
        let summary = engine::run(&ground, &selected, &options, &|event| live.show(event), &cancelled)?;
        live.finish();
        super::print(&summary_text(&study, &arguments.study, &summary, clock.elapsed().as_secs_f64()));
        summary
    };
    Ok(match (summary.interrupted, summary.succeeded()) {
        (true, _) => INTERRUPTED,
        (false, true) => DONE,
        (false, false) => FAILED,
    })
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

/// The first Ctrl-C asks the stages to stop, which they do within a second; the second ends the process at once. Either way nothing half-made remains.
fn catch_interrupts() -> anyhow::Result<()> {
    ctrlc::set_handler(|| {
        if INTERRUPT.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(INTERRUPTED));
        }
    })?;
    Ok(())
}

fn print_json(event: Event) {
    let value = match event {
        Event::Finished { stage, outcome, seconds, error } => {
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
    super::print(&format!("{value}\n"));
}

fn summary_json(summary: &RunSummary) -> serde_json::Value {
    json!({
        "event": "run",
        "outcome": outcome_word(summary),
        "ran": summary.with(engine::Outcome::Ran),
        "restored": summary.with(engine::Outcome::Restored),
        "fresh": summary.with(engine::Outcome::Fresh),
        "failed": summary.with(engine::Outcome::Failed),
        "blocked": summary.with(engine::Outcome::Blocked),
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
        text.push_str(&screen::table(&headlines));
    }
    let deliverables = deliverables(study, arguments, summary);
    if ran && !deliverables.is_empty() {
        text.push_str(&format!("\n{}\n", style.dim("Deliverables")));
        deliverables.iter().for_each(|path| text.push_str(&format!("  {path}\n")));
    }
    if ran {
        text.push('\n');
    }
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
    ] {
        if count(outcome) > 0 {
            parts.push(format!("{} {name}", count(outcome)));
        }
    }
    text.push_str(&format!("{word}: {} in {}\n", parts.join(", "), screen::duration(seconds)));
    text
}

/// Files that a person asked for: predictions, pages, articles.
fn deliverables(study: &Study, arguments: &StudyArguments, summary: &RunSummary) -> Vec<String> {
    let folder = arguments.artifacts.join(&study.plan.spec.name);
    let files = |stage: &str, record: &ActionRecord| -> Vec<String> {
        let outputs = record.outputs.iter().filter(|output| output.holds == PortType::Files);
        let names = outputs.flat_map(|output| &output.files).map(|file| &file.name);
        let wanted = names.filter(|name| [".csv", ".html", ".pdf", ".zip"].iter().any(|end| name.ends_with(end)));
        wanted.map(|name| folder.join(stage).join(name).display().to_string()).collect()
    };
    let stages = summary.stages.iter().filter_map(|stage| Some((stage, stage.record.as_ref()?)));
    stages.flat_map(|(stage, record)| files(&stage.stage, record)).collect()
}
