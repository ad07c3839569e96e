//! `train`: a network on numbers, texts or both; optionally the best of a search.
//!
//! Knows nothing of how networks learn (`ml::train`, `ml::search`).

mod search;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::adapter::Adapter;
use super::checkpoint::{Place, told};
use super::dataset::{Dataset, Selection, dataset, tell_of_model};
use super::figures::put_figures;
use super::insight::{calibrate, findings};
use super::model_file::ModelFile;
use super::told::view;
use super::training::{curve_table, headline, parameters, scores_by_part, with_training};
use crate::engine::{Arity, CheckContext, InputPort, OutputPort, PortType, Stage, StageContext, Threads};
use crate::ml::network::{NetworkSpec, on_threads};
use crate::ml::progress::Progress;
use crate::ml::search::SearchSpec;
use crate::ml::train::{Data, Fitted, TrainError, train_on};
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
    const VERSION: u32 = 4;
    const SUMMARY: &'static str = "a network on numbers, texts or both";
    const INPUTS: &'static [InputPort] = &[
        InputPort::table("rows", Arity::One, "split rows, e.g. a `split` stage"),
        InputPort::table("embeddings", Arity::Any, "the `embed` stages of the columns in `text`"),
    ];

    fn outputs(&self) -> Vec<OutputPort> {
        let mut ports = vec![
            OutputPort::new("model", PortType::Model),
            OutputPort::new("metrics", PortType::Json),
            OutputPort::new("predictions", PortType::Table),
            OutputPort::new("curves", PortType::Table),
            OutputPort::new("figures", PortType::Files),
            OutputPort::new("search", PortType::Json),
        ];
        if self.search.is_some() {
            ports.push(OutputPort::new("trials", PortType::Table));
        }
        ports
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
            self.check_search(search, context);
        }
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let data = dataset(context, &self.selection())?;
        let found = match &self.search {
            Some(spec) => Some(self.search(spec, &data, context)?),
            None => None,
        };
        let chosen = match &found {
            Some(found) => found.chosen.clone(),
            None => self.clone(),
        };
        // A single training uses what threads the stage was given for its large products.
        let report = Adapter(context.report());
        let mut fitted = on_threads(context.threads(), || chosen.fit(&data, context, None, &report))?;
        let training = chosen.training();
        let remark = told(context, &chosen.subject(), &training, &fitted.curves, fitted.resumed);
        // A search leaves the state of its best trial, with which this ends at once: nothing of an earlier run.
        let remark = found.as_ref().map_or(remark, search::Found::remark);
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
        let search = found.as_ref().map_or(Ok(Value::Null), search::Found::document)?;
        ModelFile::new(fitted.model, &data, &self.text).put(context, "model")?;
        context.put_json("metrics", "metrics.json", &metrics)?;
        context.put_json("search", "search.json", &search)?;
        let curves = curve_table(&fitted.curves)?;
        context.put_table("curves", &curves)?;
        context.put_table("predictions", &predictions)?;
        let json = [("metrics", metrics), ("search", search)];
        let mut tables = vec![("curves", curves.clone())];
        if let Some(found) = &found {
            let trials = found.table()?;
            context.put_table("trials", &trials)?;
            tables.push(("trials", trials));
        }
        if let Some(svg) =
            learning_curves("Learning curves", &view(&curves)?, training.loss.name(), Some(fitted.best_epoch as f64))
        {
            context.put_file("figures", "curves.svg", svg.as_bytes())?;
        }
        put_figures(context, Self::KIND, &json, &tables.iter().map(|(name, table)| (*name, table)).collect::<Vec<_>>())
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

    /// Trains to the end, or to the epoch of a pause.
    fn fit(
        &self,
        data: &Dataset,
        context: &StageContext,
        pause: Option<usize>,
        progress: &dyn Progress,
    ) -> Result<Fitted, TrainError> {
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
        let place = Place::new(context, &self.subject(), &training).pausing(pause);
        train_on(examples, &self.network, &training, context.seed(), &place, progress)
    }
}
