//! `runner plan`: the decision that `run` would take, read-only.

use clap::Args;
use serde_json::json;

use super::study::Study;
use super::{DONE, Outcome, StudyArguments, screen};
use crate::engine::{self, Basis, Forecast, Forecaster, Status};

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
    let study = Study::open(&arguments.study).inspect_err(|failure| {
        if arguments.json {
            super::print_mistakes(failure);
        }
    })?;
    let selected = study.select(&arguments.stages)?;
    let workspace = study.workspace();
    let decisions = engine::plan_decisions(&workspace, &selected)?;
    let forecaster = Forecaster::new(&workspace);
    let forecast = |i: usize, status: Status| match status {
        Status::Run => forecaster.stage(i),
        Status::Fresh | Status::Restore => Forecast::default(),
    };
    if arguments.json {
        for (i, decision) in &decisions {
            let forecast = forecast(*i, decision.status());
            let reasons: Vec<String> = decision.reasons().iter().map(ToString::to_string).collect();
            let line = json!({
                "stage": study.plan.stages[*i].name,
                "status": decision.status(),
                "reasons": reasons,
                "details": decision.reasons(),
                "seconds": forecast.seconds,
                "memory": forecast.memory,
                "basis": forecast.seconds.map(|_| forecast.basis),
            });
            super::print_json(&line);
        }
        return Ok(DONE);
    }
    let style = screen::Style::stdout();
    let mut rows = Vec::new();
    let (mut total, mut changed, mut unknown) = (Total::default(), 0, 0);
    for (i, decision) in &decisions {
        let (word, time) = match decision.status() {
            Status::Fresh => (style.dim("fresh"), String::new()),
            Status::Restore => (style.accent("restore"), String::new()),
            Status::Run => {
                let one = forecast(*i, decision.status());
                let took = one.seconds.map(screen::duration);
                let time = match (one.basis, took) {
                    (Basis::Alike | Basis::InProportion, Some(took)) => {
                        total.add(one);
                        format!("≈ {took}")
                    }
                    // Of other models or trials nobody has taken the time.
                    (Basis::OtherParameters, Some(took)) => {
                        changed += 1;
                        format!("took {took}")
                    }
                    _ => {
                        unknown += 1;
                        String::new()
                    }
                };
                (style.bold("run"), time)
            }
        };
        let mut reasons = decision.reasons().iter().take(3).map(ToString::to_string).collect::<Vec<_>>().join("; ");
        if decision.reasons().len() > 3 {
            reasons.push_str(&format!("; and {} more", decision.reasons().len() - 3));
        }
        rows.push(vec![study.plan.stages[*i].name.clone(), word, time, reasons]);
    }
    super::print(&screen::table_within(&rows, screen::width()));
    let count = |status| decisions.iter().filter(|(_, decision)| decision.status() == status).count();
    let (run, restore, fresh) = (count(Status::Run), count(Status::Restore), count(Status::Fresh));
    let mut line = format!("{run} to run, {restore} to restore, {fresh} fresh");
    if let Some(total) = total.text() {
        line.push_str(&format!("; about {total}"));
    }
    let timed: Vec<String> =
        [(changed, "timed with other parameters only"), (if run > unknown { unknown } else { 0 }, "never timed")]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, how)| format!("{count} {how}"))
            .collect();
    if !timed.is_empty() {
        let without = if total.text().is_some() { ", without " } else { "; " };
        line.push_str(&format!("{without}{}", timed.join(" and ")));
    }
    super::print(&format!("\n{}", screen::wrap(&line, "", screen::width())));
    Ok(DONE)
}

/// What all stages that must run will take together: the sum of their times, and the largest of their memories.
#[derive(Default)]
struct Total {
    seconds: f64,
    memory: Option<u64>,
}

impl Total {
    fn add(&mut self, one: Forecast) {
        self.seconds += one.seconds.unwrap_or(0.0);
        self.memory = self.memory.max(one.memory);
    }

    fn text(&self) -> Option<String> {
        let memory = self.memory.map(|memory| format!(", {}", screen::bytes(memory))).unwrap_or_default();
        (self.seconds > 0.0).then(|| format!("{}{memory}", screen::duration(self.seconds)))
    }
}
