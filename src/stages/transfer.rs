//! `transfer`: a fitted network learns new classes; from scratch, from a copy, and from a copy whose first layers are held back.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::compute::concat_batches;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::adapter::Adapter;
use super::aims::{self, COSTS, METRIC, POSITIVE};
use super::calibration::{calibrate, findings, require_classes};
use super::categories::as_trained;
use super::checkpoint::CheckpointFile;
use super::columns::{FOLD, GROUP, LABEL, PART, PREDICTIONS, ROW_ID, embedded_by, readable_of};
use super::conditions::require_left;
use super::dataset::{Selection, dataset, distinct, model_columns, require_layers, tell_of_model};
use super::documents::put_document;
use super::figures::put_figures;
use super::fitted_on;
use super::network_shape::Shape;
use super::predictor::{NO_NETWORK, Predictor};
use super::procedure::{self, How, HowTransferred, Procedure};
use super::refit::{STARTED_FROM, refuse_refitted};
use super::required::{require_part, tell_not_rows};
use super::training::{at_parameter, curve_columns, headline, parameters, scores_by_part, with_training};
use runner_artifact::Table;
use runner_engine::{Aim, Arity, CheckContext, InputPort, OutputPort, PortType, Reads, Stage, StageContext, Threads};
use runner_ml::network::NetworkSpec;
use runner_ml::train::{Checkpoints, Data};
use runner_ml::transfer::{self, Execution, NewRows, Strategy, TransferReport, TransferResult, TransferSpec, Variant};
use runner_results::training::Fitted;
use runner_results::training_parameters;
use runner_results::{Documents, Inputs, training::Training};
use runner_tabular::{self as tabular, Filter};

training_parameters! { with_training! {
    /// Trains the old network's successor on rows that hold new classes, by several strategies with the same seeds and the same budget. The best network on the validation part is the stage's model.
    #[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    pub(crate) struct Transfer {
        /// What is compared.
        #[serde(default = "default_strategies")]
        #[schemars(extend("uniqueItems" = true))]
        strategies: Vec<Strategy>,
        /// frozen: hidden layers that stand still, counted from the inputs; the branches' first layers count as one.
        #[serde(default = "default_frozen_layers")]
        #[schemars(range(min = 0, max = 1000))]
        frozen_layers: usize,
        /// frozen: the last epoch in which they stand still; null (and no `release_share`) never releases them.
        #[serde(default)]
        #[schemars(range(min = 0, max = 1_000_000))]
        release_epoch: Option<usize>,
        /// frozen: the share of `epochs` after which they are released, instead of `release_epoch`.
        #[serde(default)]
        #[schemars(extend("exclusiveMinimum" = 0.0, "exclusiveMaximum" = 1.0))]
        release_share: Option<f64>,
        /// discriminative: the learning rate of a hidden layer as a share of that of the next one above; the outputs have the whole rate.
        #[serde(default = "default_layer_rate")]
        #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
        layer_rate: f64,
        /// First weights of the outputs of new classes, and of the vectors of new category values, where the old network is copied.
        #[serde(default)]
        new_rows: NewRows,
        /// Fewest training rows that a category value unknown to the old network needs for a vector of its own.
        #[serde(default = "default_min_count")]
        #[schemars(range(min = 1, max = 1_000_000_000))]
        min_count: usize,
        /// The shape of the new network, null for the old one's.
        #[serde(default)]
        network: Option<NetworkSpec>,
        /// Trainings of each strategy; the same seeds for all strategies.
        #[serde(default = "default_seeds")]
        #[schemars(range(min = 1, max = 1000))]
        seeds: usize,
        /// Shares of the new classes' training rows with which every strategy and seed is trained once more, e.g. [0.05, 0.25]: the learning curve.
        #[serde(default)]
        #[schemars(with = "Vec<transfer::Share>", length(max = 100), extend("uniqueItems" = true))]
        shares: Vec<f64>,
        /// Rows to learn from: the new classes alone, or old and new ones together.
        #[serde(default, rename = "where")]
        filter: Filter,
    }
} }

fn default_strategies() -> Vec<Strategy> {
    TransferSpec::default().strategies
}

fn default_frozen_layers() -> usize {
    TransferSpec::default().frozen_layers
}

fn default_layer_rate() -> f64 {
    TransferSpec::default().layer_rate
}

fn default_min_count() -> usize {
    TransferSpec::default().min_count
}

fn default_seeds() -> usize {
    TransferSpec::default().seeds
}

impl Stage for Transfer {
    const KIND: &'static str = "transfer";
    const VERSION: u32 = 22;
    const TIME_GROWS_WITH: &'static [&'static str] = &["epochs"];
    const SUMMARY: &'static str = "a fitted network learns new classes";
    const INPUTS: &'static [InputPort] = &[
        InputPort::model("model", "the fitted network, e.g. a `train` stage"),
        InputPort::table("rows", Arity::One, "split rows that hold the new classes, e.g. a `split` stage"),
        InputPort::table("embeddings", Arity::Any, "the `embed` stages of the model's text columns"),
    ];

    const AIMS: &'static [Aim] = &[METRIC, POSITIVE, COSTS];

    fn outputs(&self) -> Vec<OutputPort> {
        vec![
            OutputPort::new("model", PortType::Model),
            OutputPort::new("metrics", PortType::Json),
            OutputPort::new("transfer", PortType::Json),
            OutputPort::new("predictions", PortType::Table),
            OutputPort::new("curves", PortType::Table),
            OutputPort::new("figures", PortType::Files),
        ]
    }

    fn threads(&self) -> Threads {
        Threads::All
    }

    fn check(&self, context: &mut CheckContext) {
        Selection::of_rows(&self.filter).check(context);
        match context.fact("model", NO_NETWORK) {
            None => Predictor::check(context, "model"),
            Some(_) => fitted_on::check(context, "model"),
        }
        tell_not_rows(context, "predictions", PREDICTIONS);
        tell_not_rows(context, "curves", "learning curves");
        for (part, purpose) in [("train", "from which networks learn"), ("valid", "on which the epoch is chosen")] {
            require_part(context, "rows", part, purpose);
            require_left(context, "rows", &self.filter, part, purpose);
        }
        refuse_refitted(
            context,
            "model",
            "fitted on all labelled rows: it has seen those that the new network would be judged on",
        );
        if let Some(old) = context.inputs("model").first().map(|shape| shape.stage.clone()) {
            context.tell("model", STARTED_FROM, old);
            procedure::tell(context, "model", None, &self.filter);
        }
        if let Some(what) = context.fact("model", NO_NETWORK).copied() {
            let stage = context.inputs("model").first().map(|shape| shape.stage.clone()).unwrap_or_default();
            let message = format!("transfer starts from one network, but the model of '{stage}' is {what}");
            context.problem(&["model"], message, Some("name a `train` or `transfer` stage".to_owned()));
        }
        let adapted = self.newly_adapted(context);
        let filtered = readable_of(context, "rows", &self.filter);
        let rows = model_columns(context, "rows").map(|columns| {
            let columns = columns.into_iter().chain(adapted.iter().cloned()).chain(filtered);
            distinct([ROW_ID, LABEL, PART, FOLD, GROUP], columns)
        });
        context.reads("rows", rows.map_or(Reads::All, Reads::Columns));
        let embeddings = model_columns(context, "embeddings");
        let embeddings = embeddings.map(|columns| distinct([ROW_ID], columns));
        context.reads("embeddings", embeddings.map_or(Reads::All, Reads::Columns));
        if let Some(columns) = context.columns("model") {
            tell_of_model(context, "model", distinct([], columns.into_iter().chain(adapted.iter().cloned())));
        }
        let frozen = self.strategies.contains(&Strategy::Frozen);
        if let Some(epoch) = self.release_epoch.filter(|&epoch| frozen && epoch > self.epochs) {
            let message = format!("release_epoch must be at most `epochs`; got {epoch}, of {} epochs", self.epochs);
            context.problem(&["release_epoch"], message, Some("leave it out where they are never released".to_owned()));
        }
        if let Some(network) = &self.network {
            for (path, message) in network.problems() {
                context.parameter(&format!("network.{path}"), message);
            }
        }
        require_layers(context, &adapted);
        if let Some(old) = Shape::of(context, "model") {
            let old_shape = old.clone();
            let own = Shape { network: self.network.clone().unwrap_or_else(|| old.network.clone()), ..old };
            if self.network.is_some() {
                own.check(context);
                if frozen
                    && self.frozen_layers <= own.levels()
                    && let Some(tensor) = own.uncopied(&old_shape, self.frozen_layers)
                {
                    let message = format!(
                        "frozen_layers: '{tensor}', which is among the first {}, has another shape than in the old network: it cannot be copied, and would stay \
                         random",
                        self.frozen_layers
                    );
                    let help = "freeze fewer layers, keep the shape of these, or leave `frozen` out of `strategies`";
                    context.problem(&["network"], message, Some(help.to_owned()));
                }
            }
            let levels = own.levels();
            if frozen && self.frozen_layers > levels {
                let message = format!(
                    "frozen_layers must be at most {levels}, the hidden layers of the network; got {}",
                    self.frozen_layers
                );
                context.problem(&["frozen_layers"], message, None);
            }
            own.tell(context, "model");
        }
        aims::check_training(&self.training(), context);
        for (path, message) in self.training().problems() {
            context.parameter(&path, message);
        }
        for (path, message) in self.spec().problems() {
            context.parameter(&path, message);
        }
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let mut governed = self.clone();
        let metric = &mut governed.early_stopping.metric;
        *metric = Some(metric.or(aims::metric(context)).unwrap_or_default());
        governed.run_governed(context)
    }
}

impl Transfer {
    fn run_governed(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let input = context.input("model")?;
        let (old, networks) = Predictor::read_network(&input)?;
        let network = old.network()?;
        if networks > 1 {
            let stage = input.stage();
            context
                .report()
                .warn(&format!("'{stage}' is an average of {networks} networks: transfer starts from the first"));
        }
        let (numeric, text, categories) = (old.numeric(), old.text(), old.categories());
        // By the old network, the new one, or both.
        let mut adapted = old.adapted();
        let newly = |column: &&String| self.network.as_ref().is_some_and(|network| network.adapt(column).is_some());
        adapted.extend(text.iter().filter(newly).cloned());
        let selection = Selection {
            numeric: &numeric,
            text: &text,
            adapted: &adapted,
            categories: &categories,
            ..Selection::of_rows(&self.filter)
        };
        let mut data = dataset(context, &selection)?;
        data.require_parts(&self.filter, context)?;
        let metric = self.early_stopping.metric();
        let path = Some("early_stopping.metric").filter(|_| aims::metric(context) != Some(metric));
        aims::require_meaning(metric, path, &data, context)?;
        require_classes(&self.training().class_weights, &data.classes)
            .map_err(|error| context.placed("class_weights", error))?;
        for class in data.classes.iter().filter(|class| !network.classes().contains(class)) {
            let alike = network.classes().iter().find_map(|known| Some((known, tabular::alike(known, class)?)));
            if let Some((known, reason)) = alike {
                context.report().warn(&format!(
                    "class '{class}' is a new one beside '{known}' of the model, although it is {reason} (write both alike if they are one class)"
                ));
            }
        }
        for (name, known) in old.category_values() {
            if let Some(values) = data.frame.categories(name).map(<[_]>::to_vec) {
                data.frame.insert_categories(name, as_trained(values, known));
            }
        }
        old.check_encoders(&data.encoders)?;
        let examples = Data {
            frame: &data.frame,
            numeric: &numeric,
            text: &text,
            categories: &categories,
            labels: &data.labels,
            classes: &data.classes,
            weights: &[],
            train: &data.train,
            valid: &data.valid,
            scoring: &data.scoring,
        };
        let adapter = Adapter(context.report());
        let training = self.training();
        let checkpoints = |variant: &Variant| -> Box<dyn Checkpoints + '_> {
            Box::new(CheckpointFile::new(context, &self.subject(variant), &training, context.seed()))
        };
        let execution = Execution {
            seed: context.seed(),
            threads: context.threads(),
            groups: &data.groups,
            checkpoints: &checkpoints,
            progress: &adapter,
        };
        let result = transfer::transfer(network, examples, &data.test, &training, &self.spec(), execution);
        let result = result.map_err(|error| at_parameter(context, error.into()))?;
        let (resumed, report) = (result.resumed, &result.report);
        let epochs: usize = report.runs.iter().chain(&report.share_runs).map(|run| run.curves.len() - 1).sum();
        context.measure("epochs_computed", (epochs - resumed) as f64);
        context.measure("epochs_known", resumed as f64);
        let curves = curves(report)?;
        let TransferResult { report, mut models, .. } = result;
        let (best, mut model) = (&report.runs[report.best], models.swap_remove(report.best));
        let calibration = calibrate(&mut model, &data, &training, None, &Adapter(context.report()))?;
        let (parts, predictions) = scores_by_part(&model, &data, None, &Adapter(context.report()))?;
        let valid = parts.valid.as_ref();
        let findings = findings(&model, &data, &best.curves, best.best_epoch, best.diverged, &training, valid)?;
        let known = if resumed > 0 { format!("; {resumed} of {epochs} epochs were known") } else { String::new() };
        let (name, scores) = (best.strategy.name(), headline(&parts, aims::metric(context), best.best_epoch));
        context.headline(match self.strategies.len() {
            1 => format!("{name}: {scores}{known}"),
            _ => format!("best on validation rows: {name}; {scores}{known}"),
        });
        let how = HowTransferred {
            epochs: best.best_epoch,
            strategy: best.strategy,
            transfer: self.spec(),
            training: training.clone(),
        };
        let procedure = Procedure {
            seed: best.seed,
            sample_weight: None,
            filter: self.filter.clone(),
            how: How::Transfer(Box::new(how)),
        };
        let metrics = Training {
            parts,
            calibration,
            loss: training.loss,
            classes: data.classes.clone(),
            inputs: Inputs { numeric, text: text.clone(), categories },
            network: self.network.clone(),
            training,
            fitted: Fitted::One { best_epoch: best.best_epoch, diverged: best.diverged },
            diagnosis: findings,
            parameters: parameters(&model)?,
            strategy: Some(best.strategy),
        };
        Predictor::one(model, procedure, &data, &text).put(context, "model")?;
        put_document(context, "metrics", "metrics", &metrics)?;
        put_document(context, "transfer", "transfer", &report.found)?;
        context.put_table("curves", &curves)?;
        context.put_table("predictions", &predictions)?;
        let mut documents = Documents::default();
        documents.insert("metrics", metrics);
        documents.insert("transfer", report.found);
        put_figures(context, Self::KIND, documents, &[("curves", &curves)])
    }
}

impl Transfer {
    /// The text columns of the model whose encoder the new network adapts.
    fn newly_adapted(&self, context: &CheckContext) -> Vec<String> {
        let Some(network) = &self.network else { return Vec::new() };
        let columns = context.columns("model").unwrap_or_default();
        let texts = columns.iter().filter_map(|column| embedded_by(column));
        texts.filter(|text| network.adapt(text).is_some()).map(str::to_owned).collect()
    }

    /// What one training is of, beside the inputs; neither the other strategies nor the number of seeds.
    fn subject(&self, variant: &Variant) -> Value {
        let Variant { strategy, seed, share } = *variant;
        let mut subject = json!({
            "strategy": strategy,
            "seed": seed,
            "share": share,
            "network": self.network,
            "min_count": self.min_count,
            "where": self.filter,
        });
        if strategy.copies() {
            subject["new_rows"] = json!(self.new_rows);
        }
        match strategy {
            Strategy::Scratch | Strategy::Copy => {}
            Strategy::Frozen => {
                subject["frozen"] = json!([self.frozen_layers, self.spec().frozen_until(self.epochs)]);
            }
            Strategy::Discriminative => subject["layer_rate"] = json!(self.layer_rate),
        }
        subject
    }

    fn spec(&self) -> TransferSpec {
        TransferSpec {
            strategies: self.strategies.clone(),
            frozen_layers: self.frozen_layers,
            release_epoch: self.release_epoch,
            release_share: self.release_share,
            layer_rate: self.layer_rate,
            min_count: self.min_count,
            shares: self.shares.clone(),
            new_rows: self.new_rows,
            network: self.network.clone(),
            seeds: self.seeds,
        }
    }
}

/// The curves of all runs one below the other, with `strategy` and `seed`.
fn curves(report: &TransferReport) -> anyhow::Result<Table> {
    let mut batches = Vec::new();
    for run in &report.runs {
        let rows = run.curves.len();
        let strategy: ArrayRef = Arc::new(StringArray::from(vec![run.strategy.name(); rows]));
        let seed: ArrayRef = Arc::new(Int64Array::from(vec![run.seed as i64; rows]));
        let columns = [("strategy".to_owned(), strategy), ("seed".to_owned(), seed)];
        let table = Table::from_columns(columns.into_iter().chain(curve_columns(&run.curves)))?;
        batches.push(table.batch().clone());
    }
    let schema = batches
        .first()
        .map(arrow::array::RecordBatch::schema)
        .unwrap_or_else(|| Arc::new(arrow::datatypes::Schema::empty()));
    Ok(Table::new(concat_batches(&schema, &batches)?))
}
