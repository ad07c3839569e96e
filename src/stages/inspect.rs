//! `inspect`: feature importance of a fitted model, and its most confident mistakes.
//!
//! A stage of its own, so that looking longer trains nothing anew.

use std::sync::Arc;

use anyhow::{anyhow, bail};
use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::adapter::Adapter;
use super::aims::{self, COSTS, POSITIVE};
use super::class_order;
use super::columns::{
    CONFIDENCE, GROUP, LABEL, LABEL_PROBABILITY, PART, PREDICTED, ROW_ID, WHERE, integers, named, readable,
    readable_of, strings,
};
use super::conditions::require_left;
use super::dataset::{self, distinct, model_columns};
use super::documents::put_document;
use super::figures::put_figures;
use super::predictor::{self, Predictor};
use super::refit::refuse_refitted;
use super::required::{require, require_of, require_part, require_rows, require_split, tell_not_rows};
use super::split_rows;
use runner_artifact::Table;
use runner_engine::{Aim, Arity, CheckContext, InputPort, OutputPort, PortType, Reads, Stage, StageContext, Threads};
use runner_ml::frame::Frame;
use runner_ml::importance::{Group, beyond_chance, permutation_importance};
use runner_ml::matrix::Matrix;
use runner_ml::metrics::{FromProbabilities as _, Scores};
use runner_ml::stats::Clusters;
use runner_report::importance;
use runner_results::inspection::Importance;
use runner_results::{Documents, Inputs, Part, inspection::Inspection};
use runner_tabular::{self as tabular, Filter};

/// Permutation importance of every column and of every kind of input, and the most confident mistakes with their texts.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Inspect {
    /// The part that is looked at; the test part only once everything is chosen.
    #[serde(default)]
    part: Part,
    /// Shufflings of each column.
    #[serde(default = "default_repeats")]
    #[schemars(range(min = 1, max = 10_000))]
    repeats: usize,
    /// Mistakes to list, the most confident first.
    #[serde(default = "default_mistakes")]
    #[schemars(range(min = 0, max = 100_000))]
    mistakes: usize,
    /// Columns to show beside each mistake, e.g. a song's title and artist.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true))]
    show: Vec<String>,
    /// Rows to look at; those that the model was chosen with, unless there is a reason.
    #[serde(default, rename = "where")]
    filter: Filter,
}

fn default_repeats() -> usize {
    5
}

fn default_mistakes() -> usize {
    20
}

impl Stage for Inspect {
    const KIND: &'static str = "inspect";
    const VERSION: u32 = 12;
    const SUMMARY: &'static str = "feature importance, and a model's most confident mistakes";
    const INPUTS: &'static [InputPort] = &[
        InputPort::model("model", "the fitted model, e.g. a `train` or `ensemble` stage"),
        InputPort::table("rows", Arity::One, "split rows, e.g. a `split` stage"),
        InputPort::table("embeddings", Arity::Any, "the `embed` stages of the model's text columns"),
    ];

    const AIMS: &'static [Aim] = &[POSITIVE, COSTS];

    fn outputs(&self) -> Vec<OutputPort> {
        vec![
            OutputPort::new("importance", PortType::Table),
            OutputPort::new("mistakes", PortType::Table),
            OutputPort::new("findings", PortType::Json),
            OutputPort::new("figures", PortType::Files),
        ]
    }

    fn threads(&self) -> Threads {
        Threads::All
    }

    fn check(&self, context: &mut CheckContext) {
        Predictor::check(context, "model");
        require_rows(context, "rows");
        require_rows(context, "embeddings");
        require_split(context, "rows");
        refuse_refitted(context, "model", "fitted on all labelled rows: none is left to look at that it has not seen");
        tell_not_rows(context, "importance", "importances");
        tell_not_rows(context, "mistakes", "mistakes of a model");
        require_part(context, "rows", self.part.key(), "which is to be looked at");
        require_left(context, "rows", &self.filter, self.part.key(), "which is to be looked at");
        require(context, "rows", &["show"], &self.show);
        if self.repeats == 0 {
            context.problem(&["repeats"], "at least one shuffling is needed", None);
        }
        require_of(context, "rows", &self.filter);
        let shown = readable(context, "rows", self.show.iter().map(String::as_str));
        let filtered = readable_of(context, "rows", &self.filter);
        let rows = model_columns(context, "rows")
            .map(|columns| distinct([ROW_ID, LABEL, PART, GROUP], columns.into_iter().chain(shown).chain(filtered)));
        context.reads("rows", rows.map_or(Reads::All, Reads::Columns));
        let embeddings = model_columns(context, "embeddings");
        let embeddings = embeddings.map(|columns| distinct([ROW_ID], columns));
        context.reads("embeddings", embeddings.map_or(Reads::All, Reads::Columns));
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let model = Predictor::read(&context.input("model")?)?;
        let (input, all) = split_rows::rows_with(context, "rows", &[ROW_ID, LABEL, PART])?;
        let checked = split_rows::check(&all, &input);
        let checked = checked
            .and_then(|()| if model.text().is_empty() { Ok(()) } else { split_rows::check_numbers(&all, &input) });
        checked.map_err(|error| context.placed("rows", error))?;
        let (parts, named) = (strings(&all, PART)?, strings(&all, LABEL)?);
        let place = |label: &String| model.classes().iter().position(|class| class == label);
        let of_train = parts.iter().zip(&named).filter(|(part, _)| part.as_deref() == Some("train"));
        let trained: Vec<u32> = of_train.filter_map(|(_, label)| Some(place(label.as_ref()?)? as u32)).collect();
        let rows = self.rows(&all, model.classes(), context)?;
        let row_id = integers(&rows, ROW_ID)?;
        let truth = labels(&rows, model.classes())?;
        let frames = model.frames_of_inputs(&rows, &row_id, context)?;
        let progress = Adapter(context.report());
        let probabilities = model.probabilities(&frames, &progress)?;
        let predicted = model.decide(&probabilities);
        let scores = Scores::new(model.classes(), &truth, &predicted);
        let scores = if model.is_probabilistic() { scores.with_loss(&truth, &probabilities) } else { scores };
        // Names are checked where models learn.
        let scoring = aims::scoring(context, model.classes(), None, trained, class_order::of_table(&all).is_some())?;
        let scores = scores.with_metrics(&truth, &probabilities, &scoring, model.is_probabilistic());
        let all: Vec<usize> = (0..truth.len()).collect();
        let clusters = Clusters::of_rows(&dataset::groups(&rows)?, &all);
        let scores = scores.with_intervals(&truth, &predicted, &probabilities, &clusters, &progress)?;
        let groups = groups(&model);
        let (seed, threads) = (context.seed(), context.threads());
        let decide = |probabilities: &Matrix| model.decide(probabilities);
        let mut found = permutation_importance(
            &truth,
            model.classes(),
            &groups,
            self.repeats,
            seed,
            threads,
            &clusters,
            decide,
            |shuffle| match shuffle {
                None => model.probabilities(&frames, &progress),
                Some(shuffle) => {
                    let frames: Vec<Frame> = frames.iter().map(|frame| shuffle.apply(frame)).collect();
                    model.probabilities(&frames, &progress)
                }
            },
        )?;
        // Most important first; equals stay in the order of the columns.
        found.sort_by(|a, b| b.accuracy.mean.total_cmp(&a.accuracy.mean));
        let importance = importance_table(&found)?;
        let mistakes = self.mistakes(&rows, &row_id, &truth, (&probabilities, &predicted), model.classes())?;
        let inputs = Inputs { numeric: model.numeric(), text: texts(&model), categories: model.categories() };
        let beyond_chance = beyond_chance(&truth, &predicted, model.classes().len(), &clusters);
        let findings =
            Inspection { part: self.part, repeats: self.repeats, scores, beyond_chance, importance: found, inputs };
        if let Some(line) = importance::line(&findings) {
            context.headline(line);
        }
        put_document(context, "findings", "findings", &findings)?;
        context.put_table("importance", &importance)?;
        context.put_table("mistakes", &mistakes)?;
        let mut documents = Documents::default();
        documents.insert("findings", findings);
        put_figures(context, Self::KIND, documents, &[("mistakes", &mistakes)])
    }
}

impl Inspect {
    /// The rows of the part, of which the model must know every label.
    fn rows(&self, table: &Table, classes: &[String], context: &StageContext) -> anyhow::Result<Table> {
        let table = dataset::filtered(table, &self.filter, context)?;
        let parts = strings(&table, PART)?;
        let keep: Vec<bool> = parts.iter().map(|part| part.as_deref() == Some(self.part.key())).collect();
        let rows =
            Table::new(arrow::compute::filter_record_batch(table.batch(), &arrow::array::BooleanArray::from(keep))?);
        if rows.rows() == 0 {
            let parameter = if self.filter.is_empty() { "part" } else { WHERE };
            let error = anyhow!("there are no rows in the {} part to look at", self.part.key());
            return Err(context.placed(parameter, error));
        }
        let labels = strings(&rows, LABEL)?;
        if let Some(label) = labels.iter().flatten().find(|label| !classes.contains(label)) {
            let alike = classes.iter().find_map(|class| Some((class, tabular::alike(class, label)?)));
            if let Some((class, reason)) = alike {
                bail!(
                    "the model does not know the class '{label}' of these rows, but '{class}', {reason}: write both alike in the files"
                );
            }
            bail!("the model does not know the class '{label}' of these rows (keep its own rows by `where`)");
        }
        Ok(rows)
    }

    /// Each with its label, the predicted class and the probabilities of both, and the columns to show.
    fn mistakes(
        &self,
        rows: &Table,
        row_id: &[i64],
        truth: &[u32],
        (probabilities, predicted): (&Matrix, &[u32]),
        classes: &[String],
    ) -> anyhow::Result<Table> {
        let confidence = |i: usize| f64::from(probabilities.get(i, predicted[i] as usize));
        let mut wrong: Vec<usize> = (0..truth.len()).filter(|&i| predicted[i] != truth[i]).collect();
        wrong.sort_by(|&a, &b| confidence(b).total_cmp(&confidence(a)));
        wrong.truncate(self.mistakes);
        let class = |of: &dyn Fn(usize) -> u32| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(wrong.iter().map(|&i| classes[of(i) as usize].as_str())))
        };
        let number = |of: &dyn Fn(usize) -> f64| -> ArrayRef {
            Arc::new(Float64Array::from_iter_values(wrong.iter().map(|&i| of(i))))
        };
        let mut columns: Vec<(String, ArrayRef)> = vec![
            (ROW_ID.to_owned(), Arc::new(Int64Array::from_iter_values(wrong.iter().map(|&i| row_id[i])))),
            (LABEL.to_owned(), class(&|i| truth[i])),
            (PREDICTED.to_owned(), class(&|i| predicted[i])),
            (CONFIDENCE.to_owned(), number(&confidence)),
            (LABEL_PROBABILITY.to_owned(), number(&|i| f64::from(probabilities.get(i, truth[i] as usize)))),
        ];
        for name in distinct([], self.show.iter().map(|name| named(rows, name))) {
            if columns.iter().any(|(taken, _)| *taken == name) {
                continue;
            }
            let texts = strings(rows, &name)?;
            let texts: StringArray = wrong.iter().map(|&i| texts[i].as_deref()).collect();
            columns.push((name, Arc::new(texts)));
        }
        Ok(Table::from_columns(columns)?)
    }
}

/// The text columns that a model reads, embedded or by itself.
fn texts(model: &Predictor) -> Vec<String> {
    predictor::distinct(model.text().into_iter().chain(model.texts()))
}

/// Every column alone, then all numbers and all texts, where that is more than one column.
fn groups(model: &Predictor) -> Vec<Group> {
    let (numeric, text, categories) = (model.numeric(), texts(model), model.categories());
    // A column that is read in two ways is one column.
    let all = predictor::distinct(numeric.iter().chain(&text).chain(&categories).cloned());
    let alone = all.into_iter().map(|name| Group { name: name.clone(), columns: vec![name] });
    let together = [("all numbers", &numeric), ("all texts", &text), ("all categories", &categories)];
    let together = together.into_iter().filter(|(_, own)| own.len() > 1);
    let together = together.map(|(name, own)| Group { name: name.to_owned(), columns: own.clone() });
    alone.chain(together).collect()
}

fn labels(rows: &Table, classes: &[String]) -> anyhow::Result<Vec<u32>> {
    let number = |label: Option<String>| {
        let place = label.and_then(|label| classes.iter().position(|class| *class == label));
        place.map(|place| place as u32).ok_or_else(|| anyhow!("a row to look at has no label"))
    };
    strings(rows, LABEL)?.into_iter().map(number).collect()
}

/// One row for each group: `name`, how many columns, and the drop of each score with its deviation.
fn importance_table(found: &[Importance]) -> anyhow::Result<Table> {
    let number =
        |of: fn(&Importance) -> f64| -> ArrayRef { Arc::new(Float64Array::from_iter_values(found.iter().map(of))) };
    let columns: Vec<(String, ArrayRef)> = vec![
        ("name".to_owned(), Arc::new(StringArray::from_iter_values(found.iter().map(|one| one.name.as_str())))),
        (
            "columns".to_owned(),
            Arc::new(Int64Array::from_iter_values(found.iter().map(|one| one.columns.len() as i64))),
        ),
        ("accuracy_drop".to_owned(), number(|one| one.accuracy.mean)),
        ("accuracy_drop_sd".to_owned(), number(|one| one.accuracy.sd)),
        ("macro_f1_drop".to_owned(), number(|one| one.macro_f1.mean)),
        ("macro_f1_drop_sd".to_owned(), number(|one| one.macro_f1.sd)),
        ("log_loss_rise".to_owned(), number(|one| one.log_loss.mean)),
        ("log_loss_rise_sd".to_owned(), number(|one| one.log_loss.sd)),
    ];
    Ok(Table::from_columns(columns)?)
}
