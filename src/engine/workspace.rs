//! `Workspace`: a plan, the store and the folder that it delivers to; what is found there, and where the pipeline file says it.

use std::path::Path;
use std::sync::Arc;

use super::bind::SEED;
use super::input::{StageView, ViewedInput, WholeStage};
use super::plan::{Plan, PlannedStage};
use super::port::External;
use super::record::ActionRecord;
use runner_artifact::{Digest, Store};
use runner_spec::steps;

/// The records of stages that are up to date, by the stage's index in the plan. Shared: many stages may read from one.
pub(crate) type Known = [Option<Arc<ActionRecord>>];

/// What a decision rests on besides the plan.
pub struct Workspace<'a> {
    /// The pipeline.
    pub plan: &'a Plan,
    /// Shared by all pipelines of the artifacts folder.
    pub store: &'a Store,
    /// The folder that holds `.store` and the folders for people.
    pub artifacts: &'a Path,
    /// Part of every key, e.g. `cpu`.
    pub device: &'a str,
}

impl Workspace<'_> {
    /// What the store knows under that key, if it is a result of stage `i`.
    pub(super) fn record(&self, i: usize, key: Digest) -> Option<ActionRecord> {
        load_record(self.store, key).filter(|record| record.lacking(&self.plan.stages[i].outputs).is_none())
    }

    /// The record of what lies in the stage's folder.
    pub fn current_record(&self, stage: usize) -> Option<ActionRecord> {
        let key = self.store.current(&self.plan.spec.name, &self.plan.stages[stage].name)?;
        load_record(self.store, key)
    }

    /// Where a stage's results lie for people.
    pub fn folder(&self, stage: &str) -> std::path::PathBuf {
        self.artifacts.join(&self.plan.spec.name).join(stage)
    }

    /// What a report is told of a stage besides its outputs: name, kind, parameters, references.
    pub(crate) fn view(&self, i: usize) -> StageView {
        let planned = &self.plan.stages[i];
        let inputs = planned.inputs.iter().map(|input| ViewedInput {
            port: input.port.to_owned(),
            stage: self.plan.stages[input.from].name.clone(),
            output: input.output.clone(),
            label: input.label.clone(),
        });
        StageView {
            stage: planned.name.clone(),
            display_name: planned.display_name.clone(),
            kind: planned.stage.kind().name.to_owned(),
            version: planned.stage.kind().version,
            params: planned.stage.params(),
            aims: planned.aims.iter().map(|(key, word)| ((*key).to_owned(), word.clone())).collect(),
            inputs: inputs.collect(),
        }
    }

    /// A stage of the plan with a result of it, for those who look at results without running anything.
    pub fn whole_stage<'r>(&'r self, i: usize, record: &'r ActionRecord) -> WholeStage<'r> {
        WholeStage::new(self.store, &self.plan.stages[i].name, self.view(i), record)
    }

    /// `full.yaml:42:11` of a parameter, where the user wrote it.
    pub fn position(&self, i: usize, path: &str) -> Option<String> {
        self.plan.spec.position_of(&self.plan.stages[i].name, &steps(path.split('.')))
    }

    /// The error with the place of the parameter that led to it.
    pub(super) fn at(&self, i: usize, path: &str, error: anyhow::Error) -> anyhow::Error {
        match self.position(i, path) {
            Some(at) => error.context(at),
            None => error,
        }
    }

    pub(super) fn seed_position(&self, i: usize) -> Option<String> {
        let spec = &self.plan.spec;
        let own = spec.stages[i].body.entry(SEED).is_some();
        let file = spec.stages[i].seed.map(|(_, span)| span).or(spec.seed_span);
        if own { self.position(i, SEED) } else { file.map(|span| spec.location(span)) }
    }

    pub(super) fn external_name(&self, stage: &PlannedStage, external: &dyn External) -> String {
        let params = stage.stage.params();
        let pointer = format!("/{}", external.at().replace('.', "/"));
        params.pointer(&pointer).and_then(|value| value.as_str()).unwrap_or(external.at()).to_owned()
    }
}

pub(super) fn load_record(store: &Store, key: Digest) -> Option<ActionRecord> {
    ActionRecord::load(store, key)
}
