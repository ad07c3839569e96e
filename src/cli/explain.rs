//! `runner explain`: everything that a stage's result depends on, value by value, and what changed.

use clap::Args;

use super::study::Study;
use super::{DONE, Outcome, StudyArguments, screen};
use crate::boundary::text::of_chain;
use crate::engine::Manifest;
use crate::engine::{self, Basis, Forecast, Forecaster, Status};

#[derive(Args)]
pub(super) struct ExplainArguments {
    #[command(flatten)]
    study: StudyArguments,
    /// The stage to explain
    stage: String,
    /// Every value, also of long lists and wide tables
    #[arg(long)]
    all: bool,
}

/// Values of a parameter or an input that are shown without `--all`, and reasons.
const SHOWN: usize = 100;

pub(super) fn explain(arguments: &ExplainArguments) -> Outcome {
    let study = Study::of_results(&arguments.study)?;
    let wanted = study.stage(&arguments.stage)?;
    let selected = study.select(std::slice::from_ref(&arguments.stage))?;
    let workspace = study.workspace();
    let style = screen::Style::stdout();
    let decisions = match engine::plan_decisions(&workspace, &selected) {
        Ok(decisions) => decisions,
        // What its last result depends on is known all the same.
        Err(error) => {
            let Some(record) = workspace.current_record(wanted) else { return Err(error.into()) };
            let why = of_chain(error.chain());
            super::print(&format!(
                "{}: whether this is up to date is not known: {why}\n",
                style.bold(&arguments.stage)
            ));
            print_manifest(&record.manifest, arguments.all, style);
            return Ok(DONE);
        }
    };
    for (i, decision) in &decisions {
        if *i != wanted {
            continue;
        }
        let word = match decision.status() {
            Status::Fresh => "is fresh: nothing that it depends on has changed",
            Status::Restore => "will be restored from the store",
            Status::Run => "must run",
        };
        super::print(&format!("{} {word}\n", style.bold(&arguments.stage)));
        let reasons = decision.reasons();
        let shown = if arguments.all { reasons.len() } else { SHOWN };
        for reason in reasons.iter().take(shown) {
            super::print(&screen::wrap(&reason.to_string(), &format!("  {} ", style.accent("•")), screen::width()));
        }
        if reasons.len() > shown {
            super::print(&style.note(&more(reasons.len() - shown)));
        }
        if decision.status() == Status::Run
            && let Forecast { seconds: Some(seconds), memory, basis } = Forecaster::new(&workspace).stage(*i)
        {
            let basis = match basis {
                Basis::Alike => "about",
                Basis::InProportion => "in proportion to its last time about",
                Basis::OtherParameters => "with other parameters it took",
                Basis::Kind => "never timed; another stage of its kind took",
            };
            let memory = memory.map(|memory| format!(", {}", screen::bytes(memory))).unwrap_or_default();
            super::print(&format!("  {basis} {}{memory}\n", screen::duration(seconds)));
        }
        let Some(manifest) = decision.manifest() else { continue };
        print_manifest(manifest, arguments.all, style);
    }
    Ok(DONE)
}

/// What is said of values that are left out.
fn more(count: usize) -> String {
    format!("… and {} more (--all shows them)", screen::count(count as u64))
}

/// What an entry is a value of: a parameter of the stage or one of its inputs, all of whose values stand together.
fn whole_of(entry: &str) -> &str {
    let segments = match entry.split('.').next() {
        Some("input") => 3,
        _ => 2,
    };
    entry.match_indices('.').nth(segments - 1).map_or(entry, |(end, _)| &entry[..end])
}

fn print_manifest(manifest: &Manifest, all: bool, style: screen::Style) {
    super::print(&format!("\n{} {}\n", style.dim("key"), manifest.key()));
    let entries: Vec<(String, &String)> =
        manifest.entries().iter().map(|(name, value)| (name.to_string(), value)).collect();
    let mut rows = Vec::new();
    for values in entries.chunk_by(|(one, _), (other, _)| whole_of(one) == whole_of(other)) {
        let shown = if all { values.len() } else { SHOWN };
        rows.extend(values.iter().take(shown).map(|(name, value)| vec![style.dim(name), engine::shorten(value)]));
        if values.len() > shown {
            rows.push(vec![style.dim(whole_of(&values[0].0)), style.dim(&more(values.len() - shown))]);
        }
    }
    super::print(&screen::table_within(&rows, screen::width()));
}
