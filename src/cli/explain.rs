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
}

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
            print_manifest(&record.manifest, style);
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
        for reason in decision.reasons() {
            super::print(&screen::wrap(&reason.to_string(), &format!("  {} ", style.accent("•")), screen::width()));
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
        print_manifest(manifest, style);
    }
    Ok(DONE)
}

fn print_manifest(manifest: &Manifest, style: screen::Style) {
    super::print(&format!("\n{} {}\n", style.dim("key"), manifest.key()));
    let rows: Vec<Vec<String>> = manifest
        .entries()
        .iter()
        .map(|(name, value)| vec![style.dim(&name.to_string()), engine::shorten(value)])
        .collect();
    super::print(&screen::table_within(&rows, screen::width()));
}
