//! A fitted model with all that predicts rows which no pipeline has read: how their files are read, and what makes vectors of their texts.
//!
//! Made of a stage's result by [`Package::of_stage`], or read from a file that [`Package::write`] wrote; from then on both are the same.

mod archive;
mod assemble;
mod csv;
mod judged;
mod tally;
mod texts;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{anyhow, bail};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::adapter::Adapter;
use super::columns::{LINE, ROW_ID, RowPlaces, integers};
use super::model_file::ModelFiles;
use super::predictor::{Predictor, distinct};
use runner_artifact::Table;
use runner_engine::{Report, listed};
use runner_ml::matrix::Matrix;
use runner_results::encoder::Encoder;
use runner_tabular::{ColumnType, LoadOptions};
use texts::Texts;

pub use archive::is_package;
pub use csv::CsvWriter;
pub use judged::Judged;
pub use tally::{Tallied, Tally};

/// The layout of `package.json`; a reader refuses others.
const FORMAT: &str = "runner package 1";

/// `package.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    format: String,
    /// The program's version, for people.
    written_by: String,
    /// The stage that fitted the model.
    stage: String,
    /// The output of the stage that holds it.
    port: String,
    /// The column that is predicted, as the data names it.
    label: String,
    /// In the order of the probabilities' columns.
    classes: Vec<String>,
    /// The columns that a file must have.
    columns: Vec<String>,
    /// How files are read: the options of the `load` stage that the model's rows came from.
    load: LoadOptions,
    /// What makes vectors of texts, in no order.
    encoders: Vec<Encoder>,
    /// What is known of it; absent where nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    judged: Option<Judged>,
    /// BLAKE3 of each further file of the package, in hex.
    files: BTreeMap<String, String>,
}

/// A model that is ready for rows of files.
pub struct Package {
    head: Head,
    /// The model's files, by their own names.
    model: Files,
    predictor: Predictor,
    texts: Texts,
}

/// What is predicted of some rows.
pub struct Said {
    /// For each row an index into the classes.
    pub predicted: Vec<u32>,
    /// Rows × classes; sums to 1 where they are probabilities.
    pub probabilities: Matrix,
}

/// The files of a model in memory.
struct Files {
    stage: String,
    port: String,
    by_name: BTreeMap<String, Vec<u8>>,
}

impl ModelFiles for Files {
    fn stage(&self) -> &str {
        &self.stage
    }

    fn port(&self) -> &str {
        &self.port
    }

    fn has(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    fn file(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        self.by_name.get(name).cloned().ok_or_else(|| anyhow!("the model of '{}' has no file '{name}'", self.stage))
    }
}

impl Package {
    /// The stage that fitted the model.
    pub fn stage(&self) -> &str {
        &self.head.stage
    }

    /// The column that is predicted, as the data names it.
    pub fn label(&self) -> &str {
        &self.head.label
    }

    /// Names of the classes, in the order of the probabilities' columns.
    pub fn classes(&self) -> &[String] {
        &self.head.classes
    }

    /// The columns that a file must have.
    pub fn columns(&self) -> &[String] {
        &self.head.columns
    }

    /// The columns that it reads by what they are to it: numbers, categories, texts; those that are made of others among them.
    pub fn inputs(&self) -> [(&'static str, Vec<String>); 3] {
        let texts = distinct(self.predictor.texts().into_iter().chain(self.predictor.text()));
        [("numbers", self.predictor.numeric()), ("categories", self.predictor.categories()), ("texts", texts)]
    }

    /// The models in it, each with its share of the average.
    pub fn models(&self) -> Vec<(String, f64)> {
        let models = self.predictor.named_models(&self.head.stage).into_iter();
        models.map(|(name, share, _)| (name, share)).collect()
    }

    /// What makes vectors of its texts.
    pub fn encoders(&self) -> &[Encoder] {
        &self.head.encoders
    }

    /// The scores that were known when it was exported.
    pub fn judged(&self) -> Option<&Judged> {
        self.head.judged.as_ref()
    }

    /// The version of the program that wrote it.
    pub fn written_by(&self) -> &str {
        &self.head.written_by
    }

    /// `package.json` as it stands.
    ///
    /// # Errors
    /// None that is known: its parts came from JSON.
    pub fn head(&self) -> anyhow::Result<serde_json::Value> {
        Ok(serde_json::to_value(&self.head)?)
    }

    /// Whether what it gives are probabilities, not only scores in the right order.
    pub fn is_probabilistic(&self) -> bool {
        self.predictor.is_probabilistic()
    }

    /// How a file is read before anything is known of its columns.
    pub fn load_options(&self) -> &LoadOptions {
        &self.head.load
    }

    /// How a file with these columns is read: nothing of it but what the model needs.
    ///
    /// # Errors
    /// It lacks some of these.
    pub fn options(&self, path: &str, columns: &[String]) -> anyhow::Result<LoadOptions> {
        let lacking: Vec<&String> = self.head.columns.iter().filter(|name| !columns.contains(name)).collect();
        if !lacking.is_empty() {
            let (word, named) = (if lacking.len() == 1 { "column" } else { "columns" }, listed(&lacking));
            bail!(
                "{path}: no {word} {named}, which the model '{}' reads (the file has {})",
                self.head.stage,
                listed(columns)
            );
        }
        let mut options = self.head.load.clone();
        if self.reads_label(columns) && !options.keep.is_empty() {
            options.keep.push(self.label().to_owned());
            options.types.insert(self.label().to_owned(), ColumnType::Text);
        }
        Ok(options)
    }

    /// Whether a file with these columns tells the classes of its rows, and the model is not given them.
    pub(crate) fn reads_label(&self, columns: &[String]) -> bool {
        let label = self.label();
        let is_free =
            !self.head.columns.iter().any(|column| column == label) && !self.head.load.derive.contains_key(label);
        is_free && columns.iter().any(|column| column == label)
    }

    /// Predicts rows that were read by these options, of the file `path`.
    ///
    /// # Errors
    /// A value that the model cannot take, an encoder that is not to be had, an interruption.
    pub fn predict(&self, rows: &Table, path: &str, report: &dyn Report) -> anyhow::Result<Said> {
        let places = Places { rows, path };
        let vectors = self.texts.of(rows);
        let frames = self
            .predictor
            .frames(&self.head.stage, rows, &places, report, |model, frame| vectors.add(model, frame, report))?;
        let probabilities = self.predictor.probabilities(&frames, &Adapter(report))?;
        Ok(Said { predicted: self.predictor.decide(&probabilities), probabilities })
    }

    /// Writes all of it into one file; with `encoders`, the pretrained encoders that it needs, too, so that nothing need be fetched where it is read.
    ///
    /// # Errors
    /// The file cannot be written, or an encoder is not on this machine.
    pub fn write(&self, path: &Path, encoders: bool, report: &dyn Report) -> anyhow::Result<u64> {
        archive::write(self, path, encoders, report)
    }

    /// # Errors
    /// The file is none that [`Package::write`] wrote, or it is damaged.
    pub fn read(path: &Path) -> anyhow::Result<Package> {
        archive::read(path)
    }

    fn new(head: Head, model: Files, texts: Texts) -> anyhow::Result<Package> {
        let mut predictor = Predictor::read(&model)?;
        predictor.relocate(&|encoder| texts.place_of(encoder));
        if predictor.classes() != head.classes {
            bail!("the model of '{}' has other classes than its package tells", head.stage);
        }
        Ok(Package { head, model, predictor, texts })
    }
}

/// Of rows of one file.
struct Places<'a> {
    rows: &'a Table,
    path: &'a str,
}

impl RowPlaces for Places<'_> {
    fn of(&self, row_id: i64) -> String {
        let line = || -> Option<i64> {
            let row = integers(self.rows, ROW_ID).ok()?.into_iter().position(|id| id == row_id)?;
            integers(self.rows, LINE).ok()?.get(row).copied()
        };
        line().map_or_else(|| format!("{}: ", self.path), |line| format!("{}:{line}: ", self.path))
    }
}

/// The options by which the columns that a model reads are read from other files: numbers as such whatever a file holds, texts that something is derived from
/// as texts, and no column but these.
fn narrowed(
    all: &LoadOptions,
    wanted: &[String],
    numeric: &[String],
    categories: &[String],
) -> (LoadOptions, Vec<String>) {
    let mut derive = IndexMap::new();
    let mut columns: Vec<String> = Vec::new();
    let mut numbers: Vec<String> = numeric.to_vec();
    let mut texts: Vec<String> = Vec::new();
    let mut open: Vec<String> = wanted.to_vec();
    while let Some(name) = open.pop() {
        let Some(derivation) = all.derive.get(&name) else {
            if !columns.contains(&name) {
                columns.push(name);
            }
            continue;
        };
        if derive.insert(name, derivation.clone()).is_none() {
            let sources = derivation.sources().into_iter().map(str::to_owned);
            let read = if derivation.needs_numbers() { &mut numbers } else { &mut texts };
            read.extend(sources.clone());
            open.extend(sources);
        }
    }
    // As the file of the pipeline has them: one may use those before it.
    let derive = all.derive.keys().filter_map(|name| derive.swap_remove_entry(name)).collect();
    columns.sort_unstable();
    let mut types = all.types.clone();
    types.retain(|name, _| columns.contains(name));
    for name in numbers.iter().filter(|name| columns.contains(name)) {
        types.insert(name.clone(), ColumnType::Number);
    }
    // Which category a cell is depends on no other cell: a number is one in whatever spelling.
    for name in categories.iter().filter(|name| columns.contains(name) && !numeric.contains(name)) {
        types.entry(name.clone()).or_insert(ColumnType::Text);
    }
    // A derivation reads a cell as it is written, whatever the other cells of a file suggest.
    for name in texts.into_iter().filter(|name| columns.contains(name) && !wanted.contains(name)) {
        types.entry(name).or_insert(ColumnType::Text);
    }
    let keep = wanted.to_vec();
    let options =
        LoadOptions { label: None, types, derive, keep, where_: Default::default(), drop: Vec::new(), ..all.clone() };
    (options, columns)
}
