//! A fitted model as an artifact: `NAME.safetensors` (weights) and `NAME.json` (the recipe: everything else that a prediction needs).

use anyhow::{Context as _, anyhow, bail};
use serde::{Deserialize, Serialize};

use super::dataset::{self, Dataset};
use super::procedure::Procedure;
use runner_artifact::Table;
use runner_engine::{InputView, Report, StageContext};
use runner_ml::calibration::Calibration;
use runner_ml::classical::Fitted;
use runner_ml::frame::Frame;
use runner_ml::matrix::Matrix;
use runner_ml::network::Classifier;
use runner_ml::preprocess::CategoryColumn;
use runner_ml::progress::Progress;
use runner_results::encoder::Encoder;

const FORMAT: u32 = 1;

/// What travels beside the weights.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Recipe {
    format: u32,
    /// The column that the model predicts, as the data names it.
    label: String,
    /// What made the embedding of each text column: name, digest, pooling.
    encoders: Vec<ColumnEncoder>,
    /// Absent of models of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    procedure: Option<Procedure>,
    #[serde(flatten)]
    learner: LearnerRecipe,
}

/// Classes, columns, imputation, scaling and architecture or parameters.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LearnerRecipe {
    Network(serde_json::Value),
    Baseline(serde_json::Value),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ColumnEncoder {
    column: String,
    /// Absent where the embedding does not tell.
    made_by: Option<Encoder>,
}

/// What has learnt.
pub(super) enum Learner {
    Network(Box<Classifier>),
    Baseline(Box<Fitted>),
}

impl From<Classifier> for Learner {
    fn from(network: Classifier) -> Self {
        Learner::Network(Box::new(network))
    }
}

impl From<Fitted> for Learner {
    fn from(baseline: Fitted) -> Self {
        Learner::Baseline(Box::new(baseline))
    }
}

/// Where the files of a model are read.
pub(super) trait ModelFiles {
    /// The stage that fitted it.
    fn stage(&self) -> &str;
    /// The output of the stage that holds it.
    fn port(&self) -> &str;
    /// Whether there is a file of this name.
    fn has(&self, name: &str) -> bool;
    /// # Errors
    /// There is none, or it cannot be read.
    fn file(&self, name: &str) -> anyhow::Result<Vec<u8>>;
}

impl ModelFiles for InputView<'_> {
    fn stage(&self) -> &str {
        InputView::stage(self)
    }

    fn port(&self) -> &str {
        InputView::port(self)
    }

    fn has(&self, name: &str) -> bool {
        self.file_names().contains(&name)
    }

    fn file(&self, name: &str) -> anyhow::Result<Vec<u8>> {
        InputView::file(self, name)
    }
}

pub(super) struct ModelFile {
    learner: Learner,
    pub(crate) label: String,
    /// By text column.
    encoders: Vec<ColumnEncoder>,
    procedure: Option<Procedure>,
}

impl ModelFile {
    pub(crate) fn new(learner: impl Into<Learner>, procedure: Procedure, data: &Dataset, text: &[String]) -> Self {
        let encoders = text.iter().zip(&data.encoders);
        let encoders =
            encoders.map(|(column, made_by)| ColumnEncoder { column: column.clone(), made_by: made_by.clone() });
        ModelFile {
            learner: learner.into(),
            label: data.label_name.clone(),
            encoders: encoders.collect(),
            procedure: Some(procedure),
        }
    }

    /// The same but for what was learnt.
    pub(crate) fn with_learner(&self, learner: Learner) -> Self {
        let ModelFile { label, encoders, procedure, .. } = self;
        ModelFile { learner, label: label.clone(), encoders: encoders.clone(), procedure: procedure.clone() }
    }

    pub(crate) fn learner(&self) -> &Learner {
        &self.learner
    }

    /// How it was fitted, where it tells.
    pub(crate) fn procedure(&self) -> Option<&Procedure> {
        self.procedure.as_ref()
    }

    /// Writes NAME.safetensors and NAME.json.
    pub(crate) fn put_as(&self, context: &mut StageContext, port: &str, name: &str) -> anyhow::Result<()> {
        let (weights, learner) = match &self.learner {
            Learner::Network(network) => {
                let (weights, recipe) = network.to_parts()?;
                (weights, LearnerRecipe::Network(recipe))
            }
            Learner::Baseline(baseline) => {
                let (arrays, recipe) = baseline.to_parts()?;
                (arrays, LearnerRecipe::Baseline(recipe))
            }
        };
        let recipe = Recipe {
            format: FORMAT,
            label: self.label.clone(),
            encoders: self.encoders.clone(),
            procedure: self.procedure.clone(),
            learner,
        };
        context.put_file(port, &format!("{name}.safetensors"), &weights)?;
        context.put_json(port, &format!("{name}.json"), &recipe)
    }

    pub(crate) fn read_as(input: &dyn ModelFiles, name: &str) -> anyhow::Result<Self> {
        let stage = input.stage();
        let recipe: Recipe = serde_json::from_slice(&input.file(&format!("{name}.json"))?)
            .with_context(|| format!("{name}.json of '{stage}' cannot be read"))?;
        if recipe.format != FORMAT {
            bail!("{name}.json of '{stage}' has format {}, this runner reads {FORMAT}", recipe.format);
        }
        let weights = input.file(&format!("{name}.safetensors"))?;
        let learner = match &recipe.learner {
            LearnerRecipe::Network(network) => {
                Classifier::from_parts(&weights, network).map(Learner::from).map_err(anyhow::Error::from)
            }
            LearnerRecipe::Baseline(baseline) => {
                Fitted::from_parts(&weights, baseline).map(Learner::from).map_err(anyhow::Error::from)
            }
        };
        let learner = learner.with_context(|| {
            format!("the model of '{stage}' cannot be read ({name}.safetensors and {name}.json; run that stage anew)")
        })?;
        let Recipe { label, encoders, procedure, .. } = recipe;
        Ok(ModelFile { learner, label, encoders, procedure })
    }

    /// The network, where it is one.
    pub(crate) fn network(&self) -> anyhow::Result<&Classifier> {
        match &self.learner {
            Learner::Network(network) => Ok(network),
            Learner::Baseline(_) => bail!("a network is wanted here, not a baseline (name a `train` stage)"),
        }
    }

    /// Names of the classes, in the order of the probabilities' columns.
    pub(crate) fn classes(&self) -> &[String] {
        match &self.learner {
            Learner::Network(network) => network.classes(),
            Learner::Baseline(baseline) => baseline.classes(),
        }
    }

    /// False where the probabilities are only scores in the right order, so that a log loss of them would mean nothing.
    pub(crate) fn is_probabilistic(&self) -> bool {
        match &self.learner {
            Learner::Network(_) => true,
            Learner::Baseline(baseline) => baseline.is_probabilistic(),
        }
    }

    pub(crate) fn calibration(&self) -> &Calibration {
        match &self.learner {
            Learner::Network(network) => network.calibration(),
            Learner::Baseline(baseline) => baseline.calibration(),
        }
    }

    /// Class probabilities (rows × classes) of every row, in order.
    pub(crate) fn predict_probabilities(&self, frame: &Frame, progress: &dyn Progress) -> anyhow::Result<Matrix> {
        Ok(match &self.learner {
            Learner::Network(network) => network.predict_or_stop(frame, progress)?,
            Learner::Baseline(baseline) => baseline.predict_or_stop(frame, progress)?,
        })
    }

    /// The numeric columns that the model reads.
    pub(crate) fn numeric(&self) -> Vec<String> {
        match &self.learner {
            Learner::Network(network) => {
                network.preprocessing().numeric.iter().map(|column| column.name.clone()).collect()
            }
            Learner::Baseline(baseline) => baseline.inputs().numeric.clone(),
        }
    }

    /// The columns that the model reads as categories.
    pub(crate) fn categories(&self) -> Vec<String> {
        match &self.learner {
            Learner::Network(network) => {
                network.preprocessing().categories.iter().map(|column| column.name.clone()).collect()
            }
            Learner::Baseline(baseline) => {
                baseline.inputs().categories.iter().map(|column| column.name.clone()).collect()
            }
        }
    }

    /// Those columns with the values that there were in training.
    pub(crate) fn category_columns(&self) -> &[CategoryColumn] {
        match &self.learner {
            Learner::Network(network) => &network.preprocessing().categories,
            Learner::Baseline(baseline) => &baseline.inputs().categories,
        }
    }

    /// Each of them with the values that the model learnt, sorted.
    pub(crate) fn category_values(&self) -> Vec<(&str, &[String])> {
        let columns = self.category_columns().iter();
        columns.map(|column| (column.name.as_str(), column.values.as_slice())).collect()
    }

    /// The columns that the model reads as texts by itself.
    pub(crate) fn texts(&self) -> &[String] {
        match &self.learner {
            Learner::Network(_) => &[],
            Learner::Baseline(baseline) => &baseline.inputs().texts,
        }
    }

    /// The text columns that the model wants embedded.
    pub(crate) fn text(&self) -> Vec<String> {
        self.encoders.iter().map(|encoder| encoder.column.clone()).collect()
    }

    /// Those with what made the vectors of each.
    pub(crate) fn encoders(&self) -> impl Iterator<Item = (&str, Option<&Encoder>)> {
        self.encoders.iter().map(|encoder| (encoder.column.as_str(), encoder.made_by.as_ref()))
    }

    /// Calls encoders otherwise, where `name_of` gives a name by which they are found.
    pub(crate) fn relocate(&mut self, name_of: &dyn Fn(&Encoder) -> Option<String>) {
        for made_by in self.encoders.iter_mut().filter_map(|encoder| encoder.made_by.as_mut()) {
            if let Some(name) = name_of(made_by) {
                made_by.name = name;
            }
        }
    }

    /// Those of them whose texts the model reads with layers of its own.
    pub(crate) fn adapted(&self) -> Vec<String> {
        let Learner::Network(network) = &self.learner else { return Vec::new() };
        let columns = network.preprocessing().text.iter();
        columns.filter(|column| column.adapted).map(|column| column.name.clone()).collect()
    }

    /// Adds the texts that the model reads with adapted layers, by the encoder that it learnt with.
    pub(crate) fn add_tokens(&self, frame: &mut Frame, rows: &Table, report: &dyn Report) -> anyhow::Result<()> {
        let adapted = self.adapted();
        let wanted = self.encoders.iter().map(|encoder| (&encoder.column, &encoder.made_by));
        let wanted = wanted.filter(|(column, _)| adapted.contains(column));
        dataset::add_tokens(frame, rows, wanted, rayon::current_num_threads(), report)
    }

    /// Joins the embeddings that the model learnt with to the frame; of several of one column those of its own encoder.
    pub(crate) fn add_embeddings(&self, frame: &mut Frame, row_id: &[i64], inputs: &[InputView]) -> anyhow::Result<()> {
        let wanted: Vec<&Option<Encoder>> = self.encoders.iter().map(|encoder| &encoder.made_by).collect();
        let found = dataset::add_embeddings(frame, row_id, inputs, &self.text(), &wanted)?;
        self.check_encoders(&found)
    }

    /// Refuses embeddings that another encoder made: their components mean something else.
    pub(crate) fn check_encoders(&self, found: &[Option<Encoder>]) -> anyhow::Result<()> {
        for (encoder, found) in self.encoders.iter().zip(found) {
            if encoder.made_by != *found {
                let name = |one: &Option<Encoder>| one.as_ref().map_or("unknown", |one| &one.name).to_owned();
                return Err(anyhow!(
                    "the model learnt '{}' as embedded by {}, but these rows were embedded by {} or with other options \
                     (use the same `embed` stage for both)",
                    encoder.column,
                    name(&encoder.made_by),
                    name(found)
                ));
            }
        }
        Ok(())
    }
}
