//! `refit`: a model that was chosen and judged, fitted again on all labelled rows.

use anyhow::{anyhow, bail};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::adapter::{Adapter, Quiet};
use super::categories::as_trained;
use super::checkpoint::CheckpointFile;
use super::columns::{FOLD, GROUP, LABEL, PART, ROW_ID, WHERE, readable_of};
use super::dataset::{Dataset, Selection, dataset, distinct, model_columns};
use super::documents::put_document;
use super::fitted_on;
use super::model_file::{Learner, ModelFile};
use super::network_shape::Shape;
use super::predictor::{NO_NETWORK, Predictor, Several, model_name};
use super::procedure::{How, HowTrained, HowTransferred, Procedure, fitted_where, weighted_by};
use super::required::require_split;
use super::training::at_parameter;
use super::{columns::LABEL_COLUMN, unnamed};
use runner_engine::{
    Arity, CheckContext, Fact, InputPort, OutputPort, PortType, Reads, Stage, StageContext, Threads, listed,
};
use runner_ml::network::on_threads;
use runner_ml::progress::Progress;
use runner_ml::train::{self, Common, Data, side_by_side};
use runner_ml::transfer::{self, Variant};
use runner_report::noun;
use runner_results::refit::{self as results, RefittedModel};
use runner_tabular::Filter;

/// What a model says of itself at plan time: no labelled row of its split is left that it has not learnt from.
pub(super) const REFITTED: Fact<()> = Fact::new("refitted");
/// Of a model that began with the weights of another: which stage's.
pub(super) const STARTED_FROM: Fact<String> = Fact::new("started_from");

/// Fits a model again on the training, validation and test part together, with the parameters, epochs, rounds, weights and calibration that were chosen.
/// No row is left to judge it: its scores are those of the model that was judged, which had fewer rows.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refit {
    /// Rows to learn from, where they are not those of the model's own `where`.
    #[serde(default, rename = "where")]
    filter: Filter,
}

impl Stage for Refit {
    const KIND: &'static str = "refit";
    const VERSION: u32 = 3;
    const SUMMARY: &'static str = "a chosen model on all labelled rows";
    const INPUTS: &'static [InputPort] = &[
        InputPort::model(
            "model",
            "the model that was chosen, e.g. a `train` or `ensemble` stage, or `baseline.boosting`",
        ),
        InputPort::table("rows", Arity::One, "the rows of the split that it was fitted on"),
        InputPort::table("embeddings", Arity::Any, "the `embed` stages of the model's text columns"),
        InputPort {
            name: "start",
            accepts: runner_engine::Accepts::Only(PortType::Model),
            arity: Arity::Any,
            summary: "for the model of a `transfer` stage: the network that it started from, or that one fitted again",
        },
    ];

    fn outputs(&self) -> Vec<OutputPort> {
        vec![OutputPort::new("model", PortType::Model), OutputPort::new("metrics", PortType::Json)]
    }

    fn threads(&self) -> Threads {
        Threads::All
    }

    fn check(&self, context: &mut CheckContext) {
        Predictor::check(context, "model");
        require_split(context, "rows");
        Selection::of_rows(&self.filter).check(context);
        refuse_refitted(context, "model", "fitted again already: there are no further rows");
        let starts = context.inputs("start").len();
        match context.fact("model", STARTED_FROM).cloned() {
            Some(from) if starts == 0 => {
                let message = format!("the model of this stage started from the weights of '{from}', which it needs");
                context.problem(&[], message, Some(format!("add `start: {from}`")));
            }
            None if starts > 0 => {
                let help = Some("leave `start` out".to_owned());
                context.warn(&["start"], "nothing reads `start`: the model began with random weights", help);
            }
            _ if starts > 1 => {
                context.problem(&["start"], "one network is wanted", Some("name one stage".to_owned()));
            }
            _ => {}
        }
        let filters = [vec![self.filter.clone()], fitted_where(context, "model")].concat();
        let filtered: Vec<String> = filters.iter().flat_map(|filter| readable_of(context, "rows", filter)).collect();
        let weights = weighted_by(context, "model");
        let rows = model_columns(context, "rows").map(|columns| {
            distinct([ROW_ID, LABEL, PART, FOLD, GROUP], columns.into_iter().chain(filtered).chain(weights))
        });
        context.reads("rows", rows.map_or(Reads::All, Reads::Columns));
        let embeddings = model_columns(context, "embeddings");
        let embeddings = embeddings.map(|columns| distinct([ROW_ID], columns));
        context.reads("embeddings", embeddings.map_or(Reads::All, Reads::Columns));
        if let Some(columns) = context.columns("model") {
            context.output("model", columns);
        }
        context.tell("model", REFITTED, ());
        fitted_on::pass_on(context, "model", "model");
        unnamed::pass_on(context, "model", "model");
        if let Some(label) = context.fact("model", LABEL_COLUMN).cloned() {
            context.tell("model", LABEL_COLUMN, label);
        }
        if let Some(what) = context.fact("model", NO_NETWORK).copied() {
            context.tell("model", NO_NETWORK, what);
        }
        if let Some(shape) = Shape::of(context, "model") {
            shape.tell(context, "model");
        }
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let input = context.input("model")?;
        let (name, chosen) = (model_name(&input), Predictor::read(&input)?);
        let start = match context.inputs("start") {
            starts if starts.is_empty() => None,
            starts => Some(Predictor::read_network(&starts[0])?.0),
        };
        let models = chosen.named_models(&name);
        let epochs = |model: &ModelFile| model.procedure().and_then(Procedure::epochs);
        let adapter = Adapter(context.report());
        let common = Common::new(&adapter, 1, models.iter().map(|(_, _, model)| epochs(model).unwrap_or(1)).sum());
        let threads = (context.threads() / models.len().max(1)).max(1);
        let fitted = side_by_side(models.len(), context.threads(), |i| -> anyhow::Result<Refitted> {
            let (name, _, model) = &models[i];
            let share = common.share(name.clone(), epochs(model).unwrap_or(1));
            let fitted = self.fit(model, start.as_ref(), context, threads, &share);
            let fitted = fitted.map_err(|error| at_parameter(context, error))?;
            share.finish("fitted");
            Ok(fitted)
        })?;
        let first = fitted.first().ok_or_else(|| anyhow!("'{name}' has no model to fit again"))?;
        let (rows, training_rows) = (first.rows, first.training_rows);
        let told = models.iter().map(|(name, weight, model)| RefittedModel {
            name: name.clone(),
            weight: *weight,
            epochs: epochs(model),
        });
        let document = results::Refit {
            of: name.clone(),
            rows,
            training_rows,
            models: told.collect(),
            classes: chosen.classes().to_vec(),
        };
        context.headline(format!(
            "'{name}' on all {rows} labelled {}, of which it had {training_rows} before",
            noun(rows as u64, "row")
        ));
        let mut fitted = fitted.into_iter().map(|refitted| refitted.model);
        again(&chosen, &mut fitted)?.put(context, "model")?;
        put_document(context, "metrics", "metrics", &document)
    }
}

/// A model of all labelled rows.
struct Refitted {
    model: ModelFile,
    rows: usize,
    training_rows: usize,
}

impl Refit {
    fn fit(
        &self,
        model: &ModelFile,
        start: Option<&ModelFile>,
        context: &StageContext,
        threads: usize,
        progress: &dyn Progress,
    ) -> anyhow::Result<Refitted> {
        let Some(procedure) = model.procedure() else {
            bail!("the model does not say how it was fitted (run its stage anew with this version of runner)");
        };
        let (numeric, text, categories, adapted) = (model.numeric(), model.text(), model.categories(), model.adapted());
        let selection = Selection {
            numeric: &numeric,
            text: &text,
            adapted: &adapted,
            categories: &categories,
            texts: model.texts(),
            sample_weight: procedure.sample_weight.as_deref(),
            filter: if self.filter.is_empty() { &procedure.filter } else { &self.filter },
        };
        let mut data = dataset(context, &selection)?;
        if data.classes != model.classes() {
            let error = anyhow!(
                "the rows have the classes {}, but the model learnt {} (leave `where` out: the rows are then those of the model's own)",
                listed(&data.classes),
                listed(model.classes())
            );
            return Err(context.placed(WHERE, error));
        }
        model.check_encoders(&data.encoders)?;
        let mut rows = [data.train.as_slice(), &data.valid, &data.test].concat();
        rows.sort_unstable();
        let training_rows = data.train.len();
        let seed = procedure.seed;
        let learner: Learner = match (model.learner(), &procedure.how) {
            (Learner::Baseline(baseline), How::Baseline { class_weights }) => {
                let weights = (data.weights.as_slice(), class_weights);
                let fit = || baseline.refit(&data.frame, &data.labels, &rows, weights, seed, &Quiet(progress));
                on_threads(threads, fit)?.into()
            }
            (Learner::Network(network), How::Training(trained)) => {
                let HowTrained { epochs, network: shape, training } = trained.as_ref();
                let place = self.place(context, &json!([procedure, numeric, text, categories]), training, seed);
                let examples = examples(&data, &rows, [&numeric, &text, &categories]);
                let fit = || train::refit(examples, shape, training, *epochs, seed, &place, progress);
                let mut fitted = on_threads(threads, fit)?.model;
                fitted.set_calibration(network.calibration().clone());
                fitted.into()
            }
            (Learner::Network(network), How::Transfer(transferred)) => {
                let start = start.ok_or_else(|| anyhow!("the network that it started from is wanted at `start`"))?;
                let HowTransferred { epochs, strategy, transfer, training } = transferred.as_ref();
                for (name, known) in start.category_values() {
                    if let Some(values) = data.frame.categories(name).map(<[_]>::to_vec) {
                        data.frame.insert_categories(name, as_trained(values, known));
                    }
                }
                let place = self.place(context, &json!(procedure), training, seed);
                let variant = Variant { strategy: *strategy, seed, share: 1.0 };
                let examples = examples(&data, &rows, [&numeric, &text, &categories]);
                let (old, chosen) = (start.network()?, (&variant, *epochs));
                let mut fitted = transfer::refit(old, examples, training, transfer, chosen, &place, progress)?;
                fitted.set_calibration(network.calibration().clone());
                fitted.into()
            }
            _ => bail!("the model's recipe tells of another kind of model than it is"),
        };
        Ok(Refitted { model: model.with_learner(learner), rows: rows.len(), training_rows })
    }

    /// Where a network's training keeps its state.
    fn place<'a>(
        &self,
        context: &'a StageContext,
        procedure: &serde_json::Value,
        training: &train::TrainingSpec,
        seed: u64,
    ) -> CheckpointFile<'a> {
        let subject = json!({"refit of": procedure, "where": self.filter});
        CheckpointFile::new(context, &subject, training, seed)
    }
}

fn examples<'a>(data: &'a Dataset, rows: &'a [usize], columns: [&'a [String]; 3]) -> Data<'a> {
    let [numeric, text, categories] = columns;
    Data {
        frame: &data.frame,
        numeric,
        text,
        categories,
        labels: &data.labels,
        classes: &data.classes,
        weights: &data.weights,
        scoring: &data.scoring,
        train: rows,
        valid: &[],
    }
}

/// The same average of the models given, in the order of [`Predictor::named_models`].
fn again(chosen: &Predictor, models: &mut impl Iterator<Item = ModelFile>) -> anyhow::Result<Predictor> {
    match chosen {
        Predictor::One(_) => {
            let model = models.next().ok_or_else(|| anyhow!("a model was not fitted"))?;
            Ok(Predictor::One(Box::new(model)))
        }
        Predictor::Several(Several { combination, alike, members }) => {
            let member = |(name, model): &(String, Option<Predictor>)| -> anyhow::Result<_> {
                Ok((name.clone(), model.as_ref().map(|model| again(model, models)).transpose()?))
            };
            let members = members.iter().map(member).collect::<anyhow::Result<_>>()?;
            Ok(Predictor::Several(Several { combination: combination.clone(), alike: *alike, members }))
        }
    }
}

/// Refuses a model that has learnt from all labelled rows, where its judgement of some would be taken for that of unseen ones.
pub(super) fn refuse_refitted(context: &mut CheckContext, port: &str, why: &str) {
    let shapes = context.inputs(port).to_vec();
    for (i, shape) in shapes.iter().enumerate().filter(|(_, shape)| shape.facts.get(REFITTED).is_some()) {
        let message = format!("'{}' is {why}", shape.stage);
        context.input_problem(port, i, message, Some("name the model that it was made of".to_owned()));
    }
}
