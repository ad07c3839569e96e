//! `train`: a network on numbers, texts or both; optionally the best of a search.

mod changes;
mod search;
mod search_check;
mod seeds;
mod trials;
mod variations;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::trials::Trials;
pub(crate) use self::variations::Variations;
use super::adapter::Adapter;
use super::aims::{self, COSTS, METRIC, POSITIVE};
use super::calibration::{calibrate, findings, require_classes};
use super::checkpoint::{CheckpointFile, remark_on_resuming};
use super::columns::PREDICTIONS;
use super::conditions::require_left;
use super::dataset::{Dataset, Selection, dataset, tell_of_model};
use super::documents::put_document;
use super::ensemble_scores::Averaged;
use super::figures::put_figures;
use super::network_shape::Shape;
use super::predictor::Predictor;
use super::procedure::{self, How, HowTrained, Procedure};
use super::report_input::view;
use super::required::{require_part, tell_not_rows};
use super::training::{at_parameter, curve_table, headline, parameters, scores_by_part, with_training};
use runner_artifact::Table;
use runner_engine::{Aim, Arity, CheckContext, InputPort, OutputPort, PortType, Stage, StageContext, Threads};
use runner_ml::network::{NetworkSpec, on_threads};
use runner_ml::progress::Progress;
use runner_ml::search::SearchSpec;
use runner_ml::train::{Data, Fitted, TrainError, train_on};
use runner_report::learning_curves;
use runner_results::Metric;
use runner_results::diagnosis::Finding;
use runner_results::threshold::ThresholdAim;
use runner_results::training_parameters;
use runner_results::{
    Documents, Inputs,
    training::{self, Training},
};
use runner_tabular::Filter;

training_parameters! { with_training! {
    /// Trains a network on the training part; the epoch (and with `search` the parameters) is chosen on the validation part, the test part is scored once.
    #[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    pub(crate) struct Train {
        /// Numeric columns to learn from.
        #[serde(default)]
        #[schemars(extend("uniqueItems" = true))]
        numeric: Vec<String>,
        /// Text columns to learn from, through `embeddings`.
        #[serde(default)]
        #[schemars(extend("uniqueItems" = true))]
        text: Vec<String>,
        /// Columns whose values get learned vectors, e.g. track_artist; a value that training did not see is unknown; a missing one is a value of its
        /// own where training has any.
        #[serde(default)]
        #[schemars(extend("uniqueItems" = true))]
        categories: Vec<String>,
        /// Column of numbers from 0 on, by which training rows count in the loss; scores count all rows alike.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sample_weight: Option<String>,
        /// Rows to learn from.
        #[serde(default, rename = "where")]
        filter: Filter,
        /// The network's shape.
        #[serde(default)]
        network: NetworkSpec,
        /// Networks of as many seeds, trained side by side: the stage's model is their average.
        #[serde(default = "one")]
        #[schemars(range(min = 1, max = 1000))]
        seeds: usize,
        /// Tries parameters on the validation part first, and trains with the best.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        search: Option<SearchSpec>,
        /// Of two classes, the threshold on the probability of the positive one from which on it is predicted, chosen on the validation part: `f1`, `cost` by the
        /// pipeline's `costs`,
        /// `{cost: {false_positive: 1, false_negative: 5}}`, or `{recall: 0.9}` for at least that recall with the fewest false alarms. Without it the
        /// likeliest class is predicted, or that of least expected cost.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        threshold: Option<ThresholdAim>,
    }
} }

/// A trained model and what is told of it.
struct Outcome {
    model: Predictor,
    averaged: Averaged,
    fitted: training::Fitted,
    findings: Vec<Finding>,
    parameters: usize,
    curves: Table,
    /// Of the network whose curves are drawn.
    best_epoch: usize,
    headline: String,
    /// What was known before, for the end of the headline.
    remark: String,
}

/// The output of a stage with a search.
pub(super) const SEARCH: &str = "search";

/// Parameters that say which columns a trial of a search is on.
const INPUTS_OF_A_TRIAL: [&str; 3] = ["numeric", "text", "categories"];

fn one() -> usize {
    1
}

impl Train {
    fn selection<'a>(&'a self, adapted: &'a [String]) -> Selection<'a> {
        let Train { numeric, text, categories, filter, .. } = self;
        let sample_weight = self.sample_weight.as_deref();
        Selection { numeric, text, adapted, categories, texts: &[], sample_weight, filter }
    }

    /// The text columns whose encoder is adapted, by this stage or a trial of its search.
    fn adapted(&self) -> Vec<String> {
        let searched = |column: &str| {
            let paths = self.search.iter().flat_map(|search| search.space.keys());
            let own = format!("network.columns.{column}.adapt");
            paths.into_iter().any(|path| path.starts_with("network.text.adapt") || path.starts_with(&own))
        };
        let adapts = |column: &&String| self.network.adapt(column).is_some() || searched(column);
        self.text.iter().filter(adapts).cloned().collect()
    }
}

impl Stage for Train {
    const KIND: &'static str = "train";
    const VERSION: u32 = 21;
    const TIME_GROWS_WITH: &'static [&'static str] = &["epochs"];
    const SUMMARY: &'static str = "a network on numbers, texts or both";
    const INPUTS: &'static [InputPort] = &[
        InputPort::table("rows", Arity::One, "split rows, e.g. a `split` stage"),
        InputPort::table("embeddings", Arity::Any, "the `embed` stages of the columns in `text`"),
    ];

    const AIMS: &'static [Aim] = &[METRIC, POSITIVE, COSTS];

    fn outputs(&self) -> Vec<OutputPort> {
        let mut ports = vec![
            OutputPort::new("model", PortType::Model),
            OutputPort::new("metrics", PortType::Json),
            OutputPort::new("predictions", PortType::Table),
            OutputPort::new("curves", PortType::Table),
            OutputPort::new("figures", PortType::Files),
        ];
        if self.search.is_some() {
            ports.push(OutputPort::new(SEARCH, PortType::Json));
            ports.push(OutputPort::new("trials", PortType::Table));
        }
        ports
    }

    fn threads(&self) -> Threads {
        // The layers of an encoder are work for all of them.
        let shared = self.search.is_some() || self.seeds > 1 || !self.adapted().is_empty();
        if shared { Threads::All } else { Threads::One }
    }

    fn check(&self, context: &mut CheckContext) {
        let adapted = self.adapted();
        self.check_training(&adapted, context);
        tell_not_rows(context, "predictions", PREDICTIONS);
        tell_not_rows(context, "curves", "learning curves");
        if self.search.is_some() {
            tell_not_rows(context, "trials", "trials");
        }
        let selection = self.selection(&adapted);
        tell_of_model(context, "model", selection.model_columns());
        procedure::tell(context, "model", selection.sample_weight, selection.filter);
        let is_searched = |path: &String| path.starts_with("network") || INPUTS_OF_A_TRIAL.contains(&path.as_str());
        if !self.search.iter().flat_map(|search| search.space.keys()).any(is_searched) {
            self.shape().tell(context, "model");
        }
        if let Some(search) = &self.search {
            aims::check_metric(search.metric, Some(&["search", "metric"]), context);
            let own = self.early_stopping.metric;
            let searched = search.metric.filter(|metric| !metric.has_curve() && own.is_some_and(|own| own != *metric));
            if let Some(metric) = searched {
                let message = format!(
                    "search.metric: trials have no {} unless it chooses their epoch, which {} does",
                    metric.label(),
                    own.unwrap_or_default().label()
                );
                let help = format!("leave `early_stopping.metric` out, or write `{}` there too", metric.key());
                context.problem(&["search", "metric"], message, Some(help));
            }
            Trials::of(self, search).check(context);
        }
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        self.governed_by(aims::metric(context)).run_governed(context)
    }
}

impl Train {
    /// What is wrong with one training of these parameters; `adapted` as in [`Train::selection`].
    fn check_training(&self, adapted: &[String], context: &mut CheckContext) {
        if self.numeric.is_empty() && self.text.is_empty() && self.categories.is_empty() {
            let message = "name at least one column under `numeric`, `text` or `categories`";
            context.common_problem(&[], message.to_owned(), message, None);
        }
        if self.seeds == 0 {
            context.problem(&["seeds"], "at least one network is needed", None);
        }
        let selection = self.selection(adapted);
        selection.check(context);
        if !self.search.iter().any(|search| search.space.contains_key("text")) {
            selection.warn_of_unread(context);
        }
        for (part, purpose) in [("train", "from which networks learn"), ("valid", "on which the epoch is chosen")] {
            require_part(context, "rows", part, purpose);
            require_left(context, "rows", &self.filter, part, purpose);
        }
        aims::check_threshold(self.threshold, context);
        aims::check_training(&self.training(), context);
        for (path, message) in self.network.problems() {
            context.parameter(&format!("network.{path}"), message);
        }
        for (path, message) in self.training().problems() {
            context.parameter(&path, message);
        }
        self.shape().check(context);
    }

    fn shape(&self) -> Shape {
        Shape {
            network: self.network.clone(),
            numeric: self.numeric.clone(),
            text: self.text.clone(),
            categories: self.categories.clone(),
        }
    }

    /// With the metrics written out that choose the epoch and, in a search, the trial: the stage's own, else the pipeline's.
    fn governed_by(&self, metric: Option<Metric>) -> Train {
        let mut governed = self.clone();
        if let Some(search) = &mut governed.search {
            search.metric = Some(search.metric.or(metric).unwrap_or_default());
        }
        let searched = governed.search.as_ref().map(SearchSpec::metric).filter(|metric| !metric.has_curve());
        let own = &mut governed.early_stopping.metric;
        *own = Some(own.or(searched).or(metric).unwrap_or_default());
        governed
    }

    fn run_governed(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let adapted = self.adapted();
        let data = dataset(context, &self.selection(&adapted))?;
        data.require_parts(&self.filter, context)?;
        self.require_metrics(&data, context)?;
        require_classes(&self.training().class_weights, &data.classes)
            .map_err(|error| context.placed("class_weights", error))?;
        let found = match &self.search {
            Some(spec) => Some(self.search(spec, &data, context).map_err(|error| at_parameter(context, error))?),
            None => None,
        };
        let chosen = match &found {
            Some(found) => found.chosen.clone(),
            None => self.clone(),
        };
        let report = Adapter(context.report());
        let outcome = match chosen.seeds {
            1 => chosen.single(&data, context, &report),
            _ => chosen.average_of_seeds(&data, context, &report),
        };
        let outcome = outcome.map_err(|error| at_parameter(context, error))?;
        let Outcome { model, averaged, fitted, findings, parameters, curves, best_epoch, headline, remark } = outcome;
        // A search leaves the state of its best trial, with which this ends at once: nothing of an earlier run.
        context.headline(headline + &found.as_ref().map_or(remark, search::Found::remark));
        let training = chosen.training();
        let Train { numeric, text, categories, .. } = self.clone();
        let document = Training {
            parts: averaged.parts,
            calibration: averaged.calibration,
            loss: training.loss,
            classes: data.classes.clone(),
            inputs: Inputs { numeric, text, categories },
            network: Some(chosen.network),
            training,
            fitted,
            diagnosis: findings,
            parameters,
            strategy: None,
        };
        model.put(context, "model")?;
        put_document(context, "metrics", "metrics", &document)?;
        context.put_table("curves", &curves)?;
        context.put_table("predictions", &averaged.predictions)?;
        let mut documents = Documents::default();
        let mut tables = vec![("curves", curves.clone())];
        if let Some(found) = &found {
            put_document(context, "search", "search", found.document())?;
            documents.insert("search", found.document().clone());
            let trials = found.table()?;
            context.put_table("trials", &trials)?;
            tables.push(("trials", trials));
        }
        let title = if chosen.seeds > 1 { "Learning curves of the first network" } else { "Learning curves" };
        let loss = document.loss.name().replace('_', " ");
        if let Some(svg) = learning_curves(title, &view(&curves)?, &loss, Some(best_epoch as f64)) {
            context.put_file("figures", "curves.svg", svg.as_bytes())?;
        }
        documents.insert("metrics", document);
        put_figures(
            context,
            Self::KIND,
            documents,
            &tables.iter().map(|(name, table)| (*name, table)).collect::<Vec<_>>(),
        )
    }
}

impl Train {
    /// How the network of a seed was fitted.
    fn procedure(&self, seed: u64, epochs: usize) -> Procedure {
        let (network, training) = (self.network.clone(), self.training());
        let how = How::Training(Box::new(HowTrained { epochs, network, training }));
        Procedure { seed, sample_weight: self.sample_weight.clone(), filter: self.filter.clone(), how }
    }

    /// What a training is of, beside its inputs.
    fn subject(&self) -> Value {
        json!({
            "numeric": self.numeric,
            "text": self.text,
            "categories": self.categories,
            "sample_weight": self.sample_weight,
            "where": self.filter,
            "network": self.network,
        })
    }

    /// # Errors
    /// Nothing can be chosen by a metric on these rows.
    fn require_metrics(&self, data: &Dataset, context: &StageContext) -> anyhow::Result<()> {
        let is_own = |metric: &Metric| aims::metric(context) != Some(*metric);
        let metric = self.early_stopping.metric();
        let path = Some("early_stopping.metric").filter(|_| is_own(&metric));
        aims::require_meaning(metric, path, data, context)?;
        let Some(metric) = self.search.as_ref().map(SearchSpec::metric) else { return Ok(()) };
        aims::require_meaning(metric, Some("search.metric").filter(|_| is_own(&metric)), data, context)
    }

    fn single(&self, data: &Dataset, context: &StageContext, progress: &dyn Progress) -> anyhow::Result<Outcome> {
        // A single training uses what threads the stage was given for its large products.
        let fit = || self.fit(data, context, context.seed(), None, progress);
        let mut fitted = on_threads(context.threads(), fit)?;
        let training = self.training();
        let remark = remark_on_resuming(context, &self.subject(), &training, &fitted.curves, fitted.resumed);
        let threshold = aims::threshold(self.threshold, data, context)?;
        let calibration = calibrate(&mut fitted.model, data, &training, threshold, progress)?;
        if threshold.is_some() && fitted.model.calibration().decision.is_empty() {
            aims::warn_of_no_threshold("", context);
        }
        let (curves, best_epoch) = (&fitted.curves, fitted.best_epoch);
        let (parts, predictions) = scores_by_part(&fitted.model, data, threshold, progress)?;
        let valid = parts.valid.as_ref();
        let findings = findings(&fitted.model, data, curves, best_epoch, fitted.diverged, &training, valid)?;
        Ok(Outcome {
            headline: headline(&parts, aims::metric(context), best_epoch),
            averaged: Averaged { parts, calibration, predictions },
            fitted: training::Fitted::One { best_epoch, diverged: fitted.diverged },
            findings,
            parameters: parameters(&fitted.model)?,
            curves: curve_table(curves)?,
            best_epoch,
            model: Predictor::one(fitted.model, self.procedure(context.seed(), best_epoch), data, &self.text),
            remark,
        })
    }

    /// Trains one network to the end, or to the epoch of a pause.
    fn fit(
        &self,
        data: &Dataset,
        context: &StageContext,
        seed: u64,
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
            weights: &data.weights,
            train: &data.train,
            valid: &data.valid,
            scoring: &data.scoring,
        };
        let training = self.training();
        let place = CheckpointFile::new(context, &self.subject(), &training, seed).pausing(pause);
        train_on(examples, &self.network, &training, seed, &place, progress)
    }
}
