//! The history of results, read for a page: how each came about, what changed since an earlier run, and the models of then and now.
//!
//! Reads records and artifacts only; nothing is computed anew but statistics.

use super::compare::{Comparison, How, ModelRef, compare, lines, texts_of};
use runner_engine::{ActionRecord, RunRecord, Workspace, utc};
use runner_results::comparison::{Flip, PairedComparison};
use runner_results::history::History;
use runner_results::history::{Change, EarlierRun, FlippedRow, ModelChange, Since, StageHistory};

/// Rows that became right, and as many that became wrong, which are shown of a model.
const FLIPS_SHOWN: usize = 10;

/// A stage's result that lies in its folder.
pub(super) struct Result<'a> {
    /// Its place in the plan.
    pub(crate) stage: usize,
    pub(crate) record: &'a ActionRecord,
    /// Why it is not what the pipeline file asks for now.
    pub(crate) stale: Vec<String>,
}

/// The history of `results`, compared with an earlier run.
pub(super) fn history(
    workspace: &Workspace,
    results: &[Result],
    against: Option<&RunRecord>,
) -> anyhow::Result<History> {
    let earlier: Vec<Option<ActionRecord>> = results.iter().map(|one| then(workspace, one, against?)).collect();
    // Also those of stages that the page does not tell of, e.g. of the rows.
    let now: Vec<ActionRecord> =
        (0..workspace.plan.stages.len()).filter_map(|stage| workspace.current_record(stage)).collect();
    let before = against.iter().flat_map(|run| &run.stages).filter_map(|entry| entry.key);
    let before: Vec<ActionRecord> = before.filter_map(|key| ActionRecord::load(workspace.store, key)).collect();
    let pairs: Vec<(ModelRef, ModelRef)> = (results.iter().zip(&earlier))
        .filter_map(|(result, then)| {
            let stage = name(workspace, result);
            let then = ModelRef { stage, record: then.as_ref()?, model: None, run: &before };
            Some((then, ModelRef { stage, record: result.record, model: None, run: &now }))
        })
        .collect();
    let comparisons = compare(workspace.store, &pairs, &How::default())?;
    let stages = results.iter().zip(&earlier).map(|(now, then)| {
        let own = comparisons.iter().find(|one| pairs_of(one, name(workspace, now)));
        let provenance = &now.record.provenance;
        StageHistory {
            stage: name(workspace, now).to_owned(),
            made: utc(provenance.started),
            seconds: provenance.seconds,
            memory: provenance.peak_memory,
            headline: provenance.headline.clone(),
            warnings: provenance.warnings.clone(),
            since: match (against, then, own) {
                (Some(_), Some(_), Some(own)) if own.same => Since::Same,
                (Some(_), Some(_), Some(own)) => Since::Changed(changes(workspace, now, own)),
                (Some(run), None, _) if run.stage(name(workspace, now)).is_none_or(|entry| entry.key.is_none()) => {
                    Since::New
                }
                _ => Since::Unknown,
            },
            stale: now.stale.clone(),
        }
    });
    let stages = stages.collect();
    let tested = comparisons.iter().filter(|one| !one.same).filter_map(|one| Some((one, one.test.as_ref()?)));
    Ok(History {
        against: against.map(|run| EarlierRun { id: run.id.clone(), when: utc(run.started) }),
        stages,
        models: tested.map(|(one, paired)| model_change(workspace, results, one, paired)).collect(),
    })
}

fn name<'a>(workspace: &'a Workspace, result: &Result) -> &'a str {
    &workspace.plan.stages[result.stage].name
}

fn then(workspace: &Workspace, now: &Result, against: &RunRecord) -> Option<ActionRecord> {
    ActionRecord::load(workspace.store, against.stage(name(workspace, now))?.key?)
}

/// Whether the comparison is of this stage, or of one of its models.
fn pairs_of(one: &Comparison, stage: &str) -> bool {
    one.b.strip_prefix(stage).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn changes(workspace: &Workspace, now: &Result, own: &Comparison) -> Vec<Change> {
    let told = lines(&own.changes).into_iter();
    // What is out of date was written in an earlier state of the file.
    let is_fresh = now.stale.is_empty();
    told.map(|line| Change {
        at: line.path.filter(|_| is_fresh).and_then(|path| workspace.position(now.stage, &path)),
        what: line.what,
        how: line.how,
        inherited: line.inherited,
    })
    .collect()
}

fn model_change(workspace: &Workspace, results: &[Result], one: &Comparison, paired: &PairedComparison) -> ModelChange {
    let learner = results.iter().find(|result| pairs_of(one, name(workspace, result)));
    // Evenly from all: files are often sorted by class, so that the first rows would be of one.
    let some = |gained: bool| -> Vec<&Flip> {
        let all: Vec<&Flip> = paired.flips.iter().filter(|flip| flip.gained == gained).collect();
        let count = all.len().min(FLIPS_SHOWN);
        (0..count).map(|i| all[i * all.len() / count]).collect()
    };
    let flips = [some(false), some(true)].concat();
    ModelChange {
        model: one.b.clone(),
        stage: learner.map(|learner| name(workspace, learner).to_owned()).unwrap_or_default(),
        examples: flipped(workspace, learner.map(|learner| learner.record), &flips),
        test: paired.clone(),
    }
}

/// Texts that cannot be read any more are left out: the rows' numbers remain.
fn flipped(workspace: &Workspace, learner: Option<&ActionRecord>, flips: &[&Flip]) -> Vec<FlippedRow> {
    let sources: Vec<ActionRecord> = (0..workspace.plan.stages.len())
        .filter(|&stage| ["load", "split"].contains(&workspace.plan.stages[stage].stage.kind().name))
        .filter_map(|stage| workspace.current_record(stage))
        .collect();
    let ids: Vec<i64> = flips.iter().map(|flip| flip.row_id).collect();
    let sources: Vec<&ActionRecord> = sources.iter().collect();
    let texts = learner.and_then(|learner| texts_of(workspace.store, &sources, learner, &ids).ok()).flatten();
    let texts = texts.unwrap_or_default();
    let one = |(i, flip): (usize, &&Flip)| FlippedRow {
        flip: (*flip).clone(),
        texts: texts.iter().map(|(name, values)| (name.clone(), values[i].clone())).collect(),
    };
    flips.iter().enumerate().map(one).collect()
}
