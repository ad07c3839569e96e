//! `train`: a network on numbers, texts or both; optionally the best of a search.
//!
//! Knows nothing of how networks learn (`ml::train`, `ml::search`).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::anyhow;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::adapter::Adapter;
use super::checkpoint::{Place, told};
use super::dataset::{Dataset, Selection, dataset, tell_of_model};
use super::figures::put_figures;
use super::insight::{calibrate, findings};
use super::model_file::ModelFile;
use super::report::view;
use super::training::{curve_table, headline, parameters, scores_by_part, with_training};
use crate::engine::{Arity, CheckContext, InputPort, OutputPort, PortType, Stage, StageContext, Threads};
use crate::ml::network::{NetworkSpec, on_threads};
use crate::ml::progress::Progress;
use crate::ml::search::{self, SearchResult, SearchSpec, TrialResult};
use crate::ml::train::{Data, Fitted, PartScores, TrainError, train_on};
use crate::report::learning_curves;
use crate::tabular::Filter;

with_training! {
    /// Trains a network on the training part; the epoch (and with `search` the parameters) is chosen on the validation part, the test part is scored once.
    #[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    pub struct Train {
        /// Numeric columns to learn from.
        #[serde(default)]
        numeric: Vec<String>,
        /// Text columns to learn from, through `embeddings`.
        #[serde(default)]
        text: Vec<String>,
        /// Columns whose values get learned vectors, e.g. track_artist; a value that training did not see is unknown.
        #[serde(default)]
        categories: Vec<String>,
        /// Rows to learn from.
        #[serde(default, rename = "where")]
        filter: Filter,
        /// The network's shape.
        #[serde(default)]
        network: NetworkSpec,
        /// Tries parameters on the validation part first, and trains with the best.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        search: Option<SearchSpec>,
    }
}

impl Train {
    fn selection(&self) -> Selection<'_> {
        Selection { numeric: &self.numeric, text: &self.text, categories: &self.categories, filter: &self.filter }
    }
}

impl Stage for Train {
    const KIND: &'static str = "train";
    const VERSION: u32 = 3;
    const SUMMARY: &'static str = "a network on numbers, texts or both";
    const INPUTS: &'static [InputPort] = &[
        InputPort::table("rows", Arity::One, "split rows, e.g. a `split` stage"),
        InputPort::table("embeddings", Arity::Any, "the `embed` stages of the columns in `text`"),
    ];

    fn outputs(&self) -> Vec<OutputPort> {
        vec![
            OutputPort::new("model", PortType::Model),
            OutputPort::new("metrics", PortType::Json),
            OutputPort::new("predictions", PortType::Table),
            OutputPort::new("curves", PortType::Table),
            OutputPort::new("figures", PortType::Files),
            OutputPort::new("search", PortType::Json),
        ]
    }

    fn threads(&self) -> Threads {
        if self.search.is_some() { Threads::All } else { Threads::One }
    }

    fn check(&self, context: &mut CheckContext) {
        if self.numeric.is_empty() && self.text.is_empty() && self.categories.is_empty() {
            context.problem(&[], "name at least one column under `numeric`, `text` or `categories`", None);
        }
        self.selection().check(context);
        tell_of_model(context, self.selection().model_columns());
        for (path, message) in self.network.problems() {
            let path: Vec<&str> = std::iter::once("network").chain(path.split('.')).collect();
            context.problem(&path, message, None);
        }
        for (path, message) in self.training().problems() {
            context.problem(&path.split('.').collect::<Vec<_>>(), message, None);
        }
        if let Some(search) = &self.search {
            for (path, message) in search.problems() {
                context.problem(&["search", path.split('.').next().unwrap_or_default()], message, None);
            }
            // Every path must lead to a parameter, and every value must fit it: the first point shows both.
            for (path, value) in search.points(&Value::Null, 0).into_iter().next_back().into_iter().flatten() {
                if let Err(message) = self.at(&BTreeMap::from([(path.clone(), value)])) {
                    context.problem(&["search", "space", &path], message, None);
                }
            }
        }
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let data = dataset(context, &self.selection())?;
        let found = match &self.search {
            Some(spec) => Some(self.search(spec, &data, context)?),
            None => None,
        };
        let chosen = match &found {
            Some(found) => self.at(&found.trials[found.best].params).map_err(|message| anyhow!(message))?,
            None => self.clone(),
        };
        // A single training uses what threads the stage was given for its large products.
        let mut fitted = on_threads(context.threads(), || chosen.fit(&data, context, &Adapter(context.report())))?;
        let training = chosen.training();
        let remark = told(context, &chosen.subject(), &training, &fitted.curves, fitted.resumed);
        // A search leaves the state of its best trial, with which this ends at once: nothing of an earlier run.
        let remark = if found.is_some() { String::new() } else { remark };
        let calibration = calibrate(&mut fitted.model, &data)?;
        let (curves, metric) = (&fitted.curves, training.early_stopping.metric);
        let findings = findings(&fitted.model, &data, curves, fitted.best_epoch, fitted.diverged, metric)?;
        let (parts, predictions) = scores_by_part(&fitted.model, &data)?;
        context.headline(headline(&parts, fitted.best_epoch) + &remark);
        let metrics = json!({
            "parts": parts,
            "best_epoch": fitted.best_epoch,
            "diverged": fitted.diverged,
            "diagnosis": findings,
            "calibration": calibration,
            "loss": training.loss,
            "parameters": parameters(&fitted.model)?,
            "classes": data.classes,
            "inputs": {"numeric": self.numeric, "text": self.text, "categories": self.categories},
            "network": chosen.network,
            "training": training,
        });
        let search = serde_json::to_value(&found)?;
        ModelFile::new(fitted.model, &data, &self.text).put(context, "model")?;
        context.put_json("metrics", "metrics.json", &metrics)?;
        context.put_json("search", "search.json", &search)?;
        let curves = curve_table(&fitted.curves)?;
        context.put_table("curves", &curves)?;
        context.put_table("predictions", &predictions)?;
        let json = [("metrics", metrics), ("search", search)];
        if let Some(svg) =
            learning_curves("Learning curves", &view(&curves)?, training.loss.name(), Some(fitted.best_epoch as f64))
        {
            context.put_file("figures", "curves.svg", svg.as_bytes())?;
        }
        put_figures(context, Self::KIND, &json, &[("curves", &curves)])
    }
}

impl Train {
    /// What a training is of, beside its inputs.
    fn subject(&self) -> Value {
        json!({
            "numeric": self.numeric,
            "text": self.text,
            "categories": self.categories,
            "where": self.filter,
            "network": self.network,
        })
    }

    fn fit(&self, data: &Dataset, context: &StageContext, progress: &dyn Progress) -> Result<Fitted, TrainError> {
        let examples = Data {
            frame: &data.frame,
            numeric: &self.numeric,
            text: &self.text,
            categories: &self.categories,
            labels: &data.labels,
            classes: &data.classes,
            train: &data.train,
            valid: &data.valid,
        };
        let training = self.training();
        let place = Place::new(context, &self.subject(), &training);
        train_on(examples, &self.network, &training, context.seed(), &place, progress)
    }

    /// This stage with other values at some paths.
    fn at(&self, point: &BTreeMap<String, Value>) -> Result<Self, String> {
        let mut params = serde_json::to_value(self).map_err(|error| error.to_string())?;
        if let Some(object) = params.as_object_mut() {
            object.remove("search");
        }
        let changed = search::apply(&params, point)?;
        serde_json::from_value(changed).map_err(|error| error.to_string())
    }

    fn search(&self, spec: &SearchSpec, data: &Dataset, context: &StageContext) -> anyhow::Result<SearchResult> {
        let adapter = Adapter(context.report());
        let (known, computed, epochs) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
        let at = |point: &BTreeMap<String, Value>| -> Result<Self, String> {
            let mut chosen = self.at(point)?;
            chosen.epochs = spec.epochs.unwrap_or(chosen.epochs);
            Ok(chosen)
        };
        let trial = |point: &BTreeMap<String, Value>| -> Result<TrialResult, String> {
            let chosen = at(point)?;
            // All that a trial's result depends on; the test part never enters it, nor do the other trials.
            let inputs = context.inputs_key().to_string();
            let memo = context.memo(&json!({"trial": chosen, "inputs": inputs, "seed": context.seed()}));
            if let Some(result) = memo.get().and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
                known.fetch_add(1, Ordering::Relaxed);
                return Ok(result);
            }
            let fitted = chosen.fit(data, context, &Quiet(&adapter)).map_err(|error| error.to_string())?;
            computed.fetch_add(1, Ordering::Relaxed);
            epochs.fetch_add((fitted.curves.len() - 1 - fitted.resumed) as u64, Ordering::Relaxed);
            let curves = &fitted.curves;
            let row = curves.epoch.iter().position(|epoch| *epoch as usize == fitted.best_epoch).unwrap_or(0);
            let result = TrialResult {
                valid: PartScores {
                    loss: curves.valid_loss[row],
                    accuracy: curves.valid_accuracy[row],
                    macro_f1: curves.valid_macro_f1[row],
                },
                best_epoch: fitted.best_epoch,
                epochs: curves.len().saturating_sub(1),
            };
            let bytes = serde_json::to_vec(&result).map_err(|error| error.to_string())?;
            memo.put(&bytes).map_err(|error| format!("{error:#}"))?;
            Ok(result)
        };
        let written = serde_json::to_value(self)?;
        let found = search::search(spec, &written, context.seed(), context.threads(), &adapter, &trial)?;
        for (name, count) in [("trials_known", known), ("trials_computed", computed), ("trial_epochs_computed", epochs)]
        {
            context.measure(name, count.into_inner() as f64);
        }
        // The best trial's state is what the final training goes on from; the others' have served.
        let states = found.trials.iter().map(|trial| at(&trial.params)).collect::<Result<Vec<_>, _>>();
        let states = states.map_err(|message| anyhow!(message))?;
        let state = |chosen: &Train| (chosen.subject(), chosen.training().trajectory());
        let best = state(&states[found.best]);
        for chosen in states.iter().filter(|chosen| state(chosen) != best) {
            Place::new(context, &chosen.subject(), &chosen.training()).clear();
        }
        Ok(found)
    }
}

/// A trial's own epochs are not worth a line: the search tells of whole trials.
struct Quiet<'a>(&'a Adapter<'a>);

impl Progress for Quiet<'_> {
    fn update(&self, _done: u64, _total: u64, _note: &str) {}

    fn warn(&self, message: &str) {
        self.0.warn(message);
    }

    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}
