//! `runner plan`: the decision that `run` would take, read-only.

use clap::Args;
use serde_json::json;

use super::study::Study;
use super::{DONE, Outcome, StudyArguments, screen};
use crate::engine::{self, Status};

#[derive(Args)]
pub(super) struct PlanArguments {
    #[command(flatten)]
    study: StudyArguments,
    /// The stages to look at, with what they depend on; all if none is named
    stages: Vec<String>,
    /// One JSON object per line instead of text
    #[arg(long)]
    json: bool,
}

pub(super) fn plan(arguments: &PlanArguments) -> Outcome {
    let study = Study::open(&arguments.study)?;
    let selected = study.select(&arguments.stages)?;
    let ground = study.ground();
    let decisions = engine::survey(&ground, &selected)?;
    if arguments.json {
        for (i, decision) in &decisions {
            let reasons: Vec<String> = decision.reasons.iter().map(ToString::to_string).collect();
            let line = json!({
                "stage": study.plan.stages[*i].name,
                "status": decision.status,
                "reasons": reasons,
                "details": decision.reasons,
            });
            super::print(&format!("{line}\n"));
        }
        return Ok(DONE);
    }
    let style = screen::Style::stdout();
    let mut rows = Vec::new();
    let mut forecast = 0.0;
    let mut unknown = 0;
    for (i, decision) in &decisions {
        let (word, time) = match decision.status {
            Status::Fresh => (style.dim("fresh"), String::new()),
            Status::Restore => (style.accent("restore"), String::new()),
            Status::Run => match engine::last_duration(&ground, *i) {
                Some(seconds) => {
                    forecast += seconds;
                    (style.bold("run"), format!("≈ {}", screen::duration(seconds)))
                }
                None => {
                    unknown += 1;
                    (style.bold("run"), String::new())
                }
            },
        };
        let mut reasons = decision.reasons.iter().take(3).map(ToString::to_string).collect::<Vec<_>>().join("; ");
        if decision.reasons.len() > 3 {
            reasons.push_str(&format!("; and {} more", decision.reasons.len() - 3));
        }
        rows.push(vec![study.plan.stages[*i].name.clone(), word, time, reasons]);
    }
    super::print(&screen::table(&rows));
    let count = |status| decisions.iter().filter(|(_, decision)| decision.status == status).count();
    let (run, restore, fresh) = (count(Status::Run), count(Status::Restore), count(Status::Fresh));
    let mut line = format!("\n{run} to run, {restore} to restore, {fresh} fresh");
    if forecast > 0.0 {
        line.push_str(&format!("; about {} if all of them change", screen::duration(forecast)));
    }
    if unknown > 0 && run > unknown {
        line.push_str(&format!(", plus {unknown} never timed"));
    }
    super::print(&format!("{line}\n"));
    Ok(DONE)
}
