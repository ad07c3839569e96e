//! Two results compared: what went in differently, which scores differ by how much, and on which rows.
//!
//! Reads records and artifacts only; nothing is computed anew, nothing is written.

mod changes;
mod paired;
mod pairing;
mod rows;

use anyhow::{Context as _, anyhow, bail};
pub use changes::Line;
pub use changes::lines;
pub use rows::{Texts, texts_of};
use serde::Serialize;

use std::collections::BTreeSet;

use super::aims::{costs_of_result, metric_of_result};
use super::columns::{LABEL, MODEL, PART, ROW_ID, class_of};
use super::documents::documents;
use paired::Side;
use pairing::Rows;
use runner_artifact::{Digest, Store, Table};
use runner_boundary::text::of_chain;
use runner_engine::Change;
use runner_engine::{ActionRecord, Entry, InputEntry, PortType, listed};
/// How to resample rows.
pub use runner_ml::stats::Bootstrap as How;
use runner_ml::stats::holm;
use runner_report::ranking::{self, Validation};
use runner_results::baselines::Evaluation;
use runner_results::comparison::PairedComparison;
use runner_results::{baselines::Baselines, ensemble::Ensemble, scores::Scores, training::Training};

/// One stage's result.
pub struct ModelRef<'a> {
    /// In the pipeline.
    pub stage: &'a str,
    /// Of the stage's result.
    pub record: &'a ActionRecord,
    /// The model meant, where the stage fitted several; `None` for all of them.
    pub model: Option<&'a str>,
    /// The records of the run that it is of, among which are those of the tables that it read.
    pub run: &'a [ActionRecord],
}

/// Two results of one stage, or of two stages.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// Names as `STAGE` or `STAGE/MODEL`.
    pub a: String,
    /// As the user named it.
    pub b: String,
    /// The same cache key: there is nothing to compare.
    pub same: bool,
    /// Of A and of B.
    pub headlines: [String; 2],
    /// What the first result depends on and the second not, or with another value.
    pub changes: Vec<Changed>,
    /// Scores on the test part, where both results say what they predicted.
    pub test: Option<PairedComparison>,
    /// In words, for the user.
    pub notes: Vec<String>,
}

/// An entry of the manifests.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Changed {
    pub(crate) what: Entry,
    pub(crate) a: Option<String>,
    pub(crate) b: Option<String>,
}

/// Compares results pairwise. p values are corrected over all of them together.
pub fn compare(store: &Store, pairs: &[(ModelRef, ModelRef)], how: &How) -> anyhow::Result<Vec<Comparison>> {
    let mut all = Vec::new();
    for (a, b) in pairs {
        all.extend(compare_stages(store, a, b, how).with_context(|| format!("{} and {}", a.stage, b.stage))?);
    }
    let tested = all.iter_mut().filter(|one| !one.same).filter_map(|one| one.test.as_mut());
    let tested: Vec<&mut PairedComparison> = tested.collect();
    let adjusted = holm(&tested.iter().map(|paired| paired.mcnemar.p).collect::<Vec<_>>());
    for (paired, p) in tested.into_iter().zip(adjusted) {
        paired::conclude(paired, p);
    }
    Ok(all)
}

fn compare_stages(store: &Store, a: &ModelRef, b: &ModelRef, how: &How) -> anyhow::Result<Vec<Comparison>> {
    let same = a.record.manifest.key() == b.record.manifest.key() && a.model == b.model;
    let base = Comparison {
        a: a.stage.to_owned(),
        b: b.stage.to_owned(),
        same,
        headlines: [&a.record, &b.record].map(|record| record.provenance.headline.clone()),
        changes: b.record.manifest.changes_since(&a.record.manifest).into_iter().map(Changed::from).collect(),
        test: None,
        notes: Vec::new(),
    };
    if same {
        return Ok(vec![base]);
    }
    let (Some(table_a), Some(table_b)) = (predictions(store, a.record)?, predictions(store, b.record)?) else {
        return Ok(vec![base]);
    };
    let mut notes = Vec::new();
    // An ensemble reads predictions, not rows.
    if let (Some(of_a), Some(of_b)) = (learnt_from(a.record), learnt_from(b.record))
        && of_a != of_b
    {
        notes.push("the two learnt from different sets of rows: they are compared on those that both have".to_owned());
    }
    let (of_a, of_b) = (classes_of(&table_a), classes_of(&table_b));
    if of_a != of_b {
        let only = |own: &BTreeSet<String>, other: &BTreeSet<String>| {
            let names: Vec<String> = own.difference(other).map(|class| format!("'{class}'")).collect();
            if names.is_empty() { "none".to_owned() } else { listed(names) }
        };
        notes.push(format!(
            "they know different classes (only A: {}; only B: {}): whoever predicts a class that the other does not know is wrong on the rows that both have",
            only(&of_a, &of_b),
            only(&of_b, &of_a)
        ));
    }
    let pairs = models(store, (a, &table_a), (b, &table_b))?;
    if pairs.is_empty() {
        notes.push("they have no model in common; name one of each as STAGE/MODEL".to_owned());
        return Ok(vec![Comparison { notes, ..base }]);
    }
    let mut comparisons = Vec::new();
    for (model_a, model_b) in pairs {
        let name = |stage: &str, model: &Option<String>| match model {
            Some(model) => format!("{stage}/{model}"),
            None => stage.to_owned(),
        };
        let mut notes = notes.clone();
        let mut side = |of: &ModelRef, table: &Table, model: &Option<String>| {
            let probabilistic = gives_probabilities(store, of.record, model.as_deref()).unwrap_or_else(|error| {
                notes.push(format!("'{}' is compared without log loss: {}", of.stage, of_chain(error.chain())));
                false
            });
            let mut side = Side::read(table, model.as_deref(), probabilistic)?;
            side.metric = metric_of_result(of.record);
            side.costs = costs_of_result(of.record);
            Ok::<_, anyhow::Error>(side)
        };
        let sides = (side(a, &table_a, &model_a)?, side(b, &table_b, &model_b)?);
        let rows_a = Rows { record: a.record, run: a.run, row_id: &sides.0.row_id };
        let rows_b = Rows { record: b.record, run: b.run, row_id: &sides.1.row_id };
        let paired = pairing::pairs(store, &rows_a, &rows_b)?;
        let mut one = Comparison {
            a: name(a.stage, &model_a),
            b: name(b.stage, &model_b),
            test: paired::compare(&sides.0, &sides.1, paired, how),
            notes,
            ..base.clone()
        };
        let without: Vec<&str> = [(&one.a, &sides.0), (&one.b, &sides.1)]
            .into_iter()
            .filter(|(_, side)| side.is_empty())
            .map(|(name, _)| name.as_str())
            .collect();
        match (&one.test, without.as_slice()) {
            (Some(_), _) => {}
            (None, []) => one.notes.push(
                "no row of the test part is common to both, with the same label, or all are of one group".to_owned(),
            ),
            (None, names) => {
                let (a, b) = (names[0], names.last().filter(|last| **last != names[0]));
                let (names, have) = match b {
                    Some(b) => (format!("{a} and {b}"), "have"),
                    None => (a.to_owned(), "has"),
                };
                one.notes.push(format!(
                    "{names} {have} no test rows, on which two results are compared: give the split a `test` share, or see `runner show` for scores on \
                     validation rows"
                ));
            }
        }
        comparisons.push(one);
    }
    Ok(comparisons)
}

/// The table of the port `predictions`; absent where the stage predicts nothing, or was run before such tables were kept, or before their columns were called as now.
fn predictions(store: &Store, record: &ActionRecord) -> anyhow::Result<Option<Table>> {
    let output = record.output("predictions").filter(|output| output.holds == PortType::Table);
    let table = output.map(|output| output.reader(store)?.read()).transpose()?;
    Ok(table.filter(|table| table.column(ROW_ID).is_ok()))
}

/// What tells the rows that a learner read: the digests of their numbers, parts and labels, and its conditions. `None` where it read none.
fn learnt_from(record: &ActionRecord) -> Option<Vec<(String, &str)>> {
    let of_rows = record.manifest.entries().iter().filter_map(|(entry, digest)| match entry {
        Entry::Input(input, InputEntry::Column(column))
            if input.port == "rows" && [ROW_ID, PART, LABEL].contains(&column.as_str()) =>
        {
            Some((column.clone(), digest.as_str()))
        }
        _ => None,
    });
    let mut found: Vec<(String, &str)> = of_rows.collect();
    if found.is_empty() {
        return None;
    }
    let conditions = record.manifest.parameters().filter(|(path, _)| path.starts_with("where."));
    found.extend(conditions.map(|(path, value)| (path.to_owned(), value)));
    Some(found)
}

/// The classes that a table of predictions has probabilities of.
fn classes_of(table: &Table) -> BTreeSet<String> {
    table.column_names().iter().filter_map(|column| class_of(column)).map(str::to_owned).collect()
}

type Pair = (Option<String>, Option<String>);

/// A model that a stage does not have.
#[derive(Debug, thiserror::Error)]
#[error("'{stage}' has no model '{name}'; it has {has}")]
pub struct UnknownModel {
    stage: String,
    name: String,
    has: String,
}

/// Which models of the two sides belong together: those of one name, or the one meant.
fn models(store: &Store, a: (&ModelRef, &Table), b: (&ModelRef, &Table)) -> anyhow::Result<Vec<Pair>> {
    let (all_a, all_b) = (model_names(a.1)?, model_names(b.1)?);
    let meant = |side: &ModelRef, all: &[String]| -> anyhow::Result<Option<String>> {
        match (side.model, all) {
            (None, []) => Ok(None),
            (Some(name), all) if all.iter().any(|known| known == name) => Ok(Some(name.to_owned())),
            (Some(name), all) => {
                let has = if all.is_empty() { "one, without a name".to_owned() } else { all.join(", ") };
                Err(UnknownModel { stage: side.stage.to_owned(), name: name.to_owned(), has }.into())
            }
            (None, _) => Ok(Some(best_model(store, side.record)?)),
        }
    };
    if a.0.model.is_none() && b.0.model.is_none() && !all_a.is_empty() && !all_b.is_empty() {
        let common: Vec<Pair> = (all_a.into_iter().filter(|name| all_b.contains(name)))
            .map(|name| (Some(name.clone()), Some(name)))
            .collect();
        return Ok(common);
    }
    Ok(vec![(meant(a.0, &all_a)?, meant(b.0, &all_b)?)])
}

fn model_names(table: &Table) -> anyhow::Result<Vec<String>> {
    if table.column(MODEL).is_err() {
        return Ok(Vec::new());
    }
    let mut names: Vec<String> = super::columns::strings(table, MODEL)?.into_iter().flatten().collect();
    names.dedup();
    Ok(names)
}

/// The best model of a `baseline` stage by validation: the test part must not choose what is tested on it.
fn best_model(store: &Store, record: &ActionRecord) -> anyhow::Result<String> {
    let evaluations = evaluations(store, record)?;
    let best =
        ranking::choose(&evaluations, metric_of_result(record), |one| Some(Validation::of_evaluation(one))).any();
    best.map(|one| one.name.clone()).ok_or_else(|| anyhow!("name one of its models as STAGE/MODEL"))
}

/// What validation says of a result's model, of several that of the best; `None` where the stage has no model, or an earlier version of runner told
/// of it.
pub fn validation(store: &Store, record: &ActionRecord) -> Option<Validation> {
    let documents = documents(store, record, |port| ["scores", "metrics"].contains(&port)).ok()?;
    if let Some(Baselines { evaluations }) = documents.get() {
        let all = evaluations.iter().map(Validation::of_evaluation);
        return ranking::choose(all, metric_of_result(record), |validation| Some(validation.clone())).any();
    }
    let ensemble = || documents.get::<Ensemble>().map(Validation::of_ensemble);
    documents.get::<Training>().and_then(Validation::of_training).or_else(ensemble)
}

/// The rows that a result's models were judged on: only models of the same ones compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JudgedRows {
    /// Validation rows.
    pub valid: usize,
    /// Test rows.
    pub test: usize,
    /// The digest of the parts of all rows, where it is known.
    pub(crate) split: Option<Digest>,
}

/// `run`: the records of the run that the result is of.
pub fn judged_rows<R: std::borrow::Borrow<ActionRecord>>(
    store: &Store,
    record: &ActionRecord,
    run: &[R],
) -> Option<JudgedRows> {
    let documents = documents(store, record, |port| ["scores", "metrics"].contains(&port)).ok()?;
    let rows = |scores: Option<&Scores>| scores.map_or(0, |scores| scores.rows);
    let (valid, test) = if let Some(Baselines { evaluations }) = documents.get() {
        let first = evaluations.first()?;
        (rows(first.valid.as_ref()), rows(first.test.as_ref()))
    } else {
        let training = documents.get::<Training>().map(|training| &training.parts);
        let parts = training.or_else(|| documents.get::<Ensemble>().map(|ensemble| &ensemble.parts))?;
        (rows(parts.valid.as_ref()), rows(parts.test.as_ref()))
    };
    Some(JudgedRows { valid, test, split: pairing::split_of(record, run) })
}

/// Not so of support vector machines without a calibration, whose evaluation therefore has no log loss.
fn gives_probabilities(store: &Store, record: &ActionRecord, model: Option<&str>) -> anyhow::Result<bool> {
    let Some(model) = model else { return Ok(true) };
    let all = evaluations(store, record)?;
    let has_loss = |one: &Evaluation| one.test.as_ref().is_some_and(|test| test.log_loss.is_some());
    Ok(all.iter().any(|one| one.name == model && has_loss(one)))
}

/// What a `baseline` stage wrote of its models; nothing for other kinds.
fn evaluations(store: &Store, record: &ActionRecord) -> anyhow::Result<Vec<Evaluation>> {
    let documents = documents(store, record, |port| port == "scores")?;
    match documents.get::<Baselines>() {
        Some(found) => Ok(found.evaluations.clone()),
        None if documents.0.is_empty() => Ok(Vec::new()),
        None => bail!("its scores were written by an earlier version of runner; run it again"),
    }
}

impl From<Change> for Changed {
    fn from(change: Change) -> Self {
        Changed { what: change.entry, a: change.old, b: change.new }
    }
}
