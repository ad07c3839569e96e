//! What a stage will probably take, from what it took before.
//!
//! A guess, for people and for the order of the queue: no result depends on it.

use std::cell::OnceCell;
use std::collections::HashMap;

use super::event::Outcome;
use super::history::History;
use super::manifest::Manifest;
use super::record::ActionRecord;
use super::workspace::Workspace;

/// Runs that are looked through for a stage or a kind that has no result in place.
const RUNS: usize = 50;

/// Seconds and bytes of an execution that was like the one to come; absent where nothing like it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Forecast {
    /// `None` where nothing alike was ever run.
    pub seconds: Option<f64>,
    /// The most memory of the whole process at that time.
    pub memory: Option<u64>,
    /// What it rests on; a guess from less than the stage's own parameters is for the order of the queue, not for people.
    pub basis: Basis,
}

/// How like the execution to come the known one was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The same stage with the same parameters; its inputs may have changed.
    Alike,
    /// The same stage with another number of epochs or the like; its time then was scaled in proportion.
    InProportion,
    /// The same stage with other parameters, whose part in its time is not known.
    OtherParameters,
    /// Any stage of the kind.
    #[default]
    Kind,
}

/// Forecasts for the stages of one plan.
pub struct Forecaster<'a> {
    workspace: &'a Workspace<'a>,
    /// Read when the first stage has no result of its own.
    past: OnceCell<Past>,
}

/// The latest known execution of each stage of this pipeline, and of each kind.
#[derive(Default)]
struct Past {
    stages: HashMap<String, Forecast>,
    kinds: HashMap<String, Forecast>,
}

impl<'a> Forecaster<'a> {
    /// From the runs that the store remembers.
    pub fn new(workspace: &'a Workspace<'a>) -> Self {
        Forecaster { workspace, past: OnceCell::new() }
    }

    /// From the stage's result in place, else its last execution in the history, else the last one of any stage of its kind.
    pub fn stage(&self, stage: usize) -> Forecast {
        let planned = &self.workspace.plan.stages[stage];
        let kind = planned.stage.kind().name;
        if let Some(record) = self.workspace.current_record(stage)
            && record.kind == kind
        {
            let (basis, factor) = self.basis(stage, &record);
            let known = of(&record);
            return Forecast { basis, seconds: known.seconds.map(|seconds| seconds * factor), ..known };
        }
        let past = self.past.get_or_init(|| self.look_back());
        past.stages.get(&planned.name).or_else(|| past.kinds.get(kind)).copied().unwrap_or_default()
    }

    /// What the record's time says of the stage as it is now, and by which factor it is to be multiplied.
    fn basis(&self, stage: usize, record: &ActionRecord) -> (Basis, f64) {
        let stage = &self.workspace.plan.stages[stage].stage;
        // As in the manifest: what is known by its content is no parameter.
        let of_sources = stage.sources().into_iter().map(|source| source.at);
        let by_content: Vec<String> =
            of_sources.chain(stage.externals().iter().map(|external| external.at().to_owned())).collect();
        let mut planned = Manifest::default();
        planned.add_parameters(&stage.params(), &|path| by_content.iter().any(|name| name == path));
        if planned.parameters().eq(record.manifest.parameters()) {
            return (Basis::Alike, 1.0);
        }
        let grows_with = stage.kind().time_grows_with;
        let others = |manifest: &Manifest| -> Vec<(String, String)> {
            let entries = manifest.parameters().filter(|(name, _)| !grows_with.contains(name));
            entries.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        let number = |manifest: &Manifest, wanted: &str| {
            let found = manifest.parameters().find(|(name, _)| *name == wanted);
            found.and_then(|(_, value)| value.parse::<f64>().ok()).filter(|number| *number > 0.0)
        };
        let factors = grows_with.iter().map(|name| Some(number(&planned, name)? / number(&record.manifest, name)?));
        match factors.product::<Option<f64>>() {
            Some(factor) if others(&planned) == others(&record.manifest) => (Basis::InProportion, factor),
            _ => (Basis::OtherParameters, 1.0),
        }
    }

    fn look_back(&self) -> Past {
        let mut past = Past::default();
        let plan = self.workspace.plan;
        let history = History::of(self.workspace.store);
        for run in history.runs().take(RUNS) {
            for entry in run.record.stages.iter().filter(|entry| entry.outcome == Outcome::Ran) {
                let forecast = Forecast { seconds: Some(entry.seconds), memory: entry.peak_memory, basis: Basis::Kind };
                past.kinds.entry(entry.kind.clone()).or_insert(forecast);
                let own = run.record.pipeline == plan.spec.name
                    && plan.spec.stages.get(&entry.stage).is_some_and(|stage| stage.kind == entry.kind);
                if own {
                    // Its parameters then are not in the history.
                    let own = Forecast { basis: Basis::OtherParameters, ..forecast };
                    past.stages.entry(entry.stage.clone()).or_insert(own);
                }
            }
        }
        // Results in place, for stores whose runs were not recorded or have been removed.
        let mut placed: Vec<ActionRecord> =
            (0..plan.stages.len()).filter_map(|i| self.workspace.current_record(i)).collect();
        placed.sort_by_key(|record| std::cmp::Reverse(record.provenance.started));
        for record in placed {
            past.kinds.entry(record.kind.clone()).or_insert(of(&record));
        }
        past
    }
}

fn of(record: &ActionRecord) -> Forecast {
    Forecast { seconds: Some(record.provenance.seconds), memory: record.provenance.peak_memory, basis: Basis::Kind }
}
