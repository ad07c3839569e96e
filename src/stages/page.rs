//! The page of a `report` stage made anew from the results that lie in the stages' folders, with what no artifact may hold: the history.
//!
//! A `report` stage gives the same bytes for the same inputs, so it cannot tell times, reasons or what another run found. This reads all of it
//! beside the cache, runs nothing and stores nothing.

use super::report_input::ReportInput;
use super::run_history::{self, Result};
use runner_boundary::text::of_chain;
use runner_engine::{self as engine, ActionRecord, History, RunRecord, Status, WholeStage, Workspace, utc};
use runner_ml::progress::Silent;
use runner_report as report;

/// A page, and what its maker should be told.
pub struct Page {
    /// One file without references to others.
    pub html: String,
    /// The run that it is compared with, e.g. `20261122-231205-3f of 2026-11-22 23:12 UTC`.
    pub against: Option<String>,
    /// Stages that are told of although the pipeline file asks for another result now.
    pub stale: Vec<String>,
    /// Why that is not known, e.g. as a source is gone.
    pub unknown: Option<String>,
    /// Stages without a result.
    pub missing: Vec<String>,
}

/// The page of the `report` stage at that place of the plan, or of all stages. `against` defaults to the newest run of the pipeline that had other
/// results. `None` if no stage has a result.
pub fn page(workspace: &Workspace, report: Option<usize>, against: Option<RunRecord>) -> anyhow::Result<Option<Page>> {
    let plan = workspace.plan;
    let mut told: Vec<usize> = match report {
        Some(report) => plan.stages[report].inputs.iter().map(|input| input.from).collect(),
        None => (0..plan.stages.len()).collect(),
    };
    let mut seen = std::collections::HashSet::new();
    told.retain(|stage| seen.insert(*stage));
    let records: Vec<(usize, Option<ActionRecord>)> =
        told.iter().map(|&stage| (stage, workspace.current_record(stage))).collect();
    let (judged, unknown) = match stale(workspace, &told) {
        Ok(judged) => (judged, None),
        Err(error) => (vec![Vec::new(); plan.stages.len()], Some(of_chain(error.chain()))),
    };
    let mut results = Vec::new();
    let mut missing = Vec::new();
    for (stage, record) in &records {
        match record {
            Some(record) => results.push(Result { stage: *stage, record, stale: judged[*stage].clone() }),
            None => missing.push(plan.stages[*stage].name.clone()),
        }
    }
    if results.is_empty() {
        return Ok(None);
    }
    let against = against.or_else(|| earlier(workspace, &results));
    let history = run_history::history(workspace, &results, against.as_ref())?;
    let wholes: Vec<WholeStage> = results.iter().map(|one| workspace.whole_stage(one.stage, one.record)).collect();
    let read = ReportInput::of(&wholes, &Silent)?;
    let params = report.map(|report| plan.stages[report].stage.params()).unwrap_or_default();
    let title = params["title"].as_str().unwrap_or(&plan.spec.name);
    let html = report::study(title, params["author"].as_str(), &read.stages, &read.edges, &read.tests, Some(&history))?;
    let is_stale = |one: &&Result| !one.stale.is_empty();
    Ok(Some(Page {
        html,
        against: against.map(|run| format!("{} of {}", run.id, utc(run.started))),
        stale: results.iter().filter(is_stale).map(|one| plan.stages[one.stage].name.clone()).collect(),
        unknown,
        missing,
    }))
}

/// Why the results in the folders are not those that the pipeline file asks for, by stage.
fn stale(workspace: &Workspace, told: &[usize]) -> anyhow::Result<Vec<Vec<String>>> {
    let names: Vec<String> = told.iter().map(|&stage| workspace.plan.stages[stage].name.clone()).collect();
    let selected = workspace.plan.select(&names)?;
    let mut reasons = vec![Vec::new(); workspace.plan.stages.len()];
    for (stage, decision) in engine::plan_decisions(workspace, &selected)? {
        if decision.status() != Status::Fresh {
            reasons[stage] = decision.reasons().iter().map(ToString::to_string).collect();
        }
    }
    Ok(reasons)
}

/// The newest run of this pipeline that had another result of one of the stages.
fn earlier(workspace: &Workspace, results: &[Result]) -> Option<RunRecord> {
    let differs = |run: &RunRecord| {
        results.iter().any(|now| {
            let then = run.stage(&workspace.plan.stages[now.stage].name).and_then(|entry| entry.key);
            then.is_some_and(|then| then != now.record.manifest.key())
        })
    };
    let history = History::of(workspace.store);
    let mut runs = history.runs().map(|run| run.record);
    runs.find(|run| run.pipeline == workspace.plan.spec.name && differs(run))
}
