//! `Fitted`: a fitted baseline with its columns and its classes; predicts from a frame and turns into bytes and back.

use runner_results::spec::ClassWeights;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::categories::LEAST_ROWS;
use super::evaluate::fit_weighted;
use super::texts::{TextOptions, Texts};
use super::{ArrayError, Arrays, Baselines, Estimator, Features, FitError, Model, Width, fit};
use crate::calibration::{Calibration, NO_CALIBRATION};
use crate::frame::Frame;
use crate::matrix::Matrix;
use crate::preprocess::{CategoryColumn, InputError, check_finite, numbers, texts, vectors};
use crate::progress::Progress;
#[cfg(test)]
use crate::progress::Silent;

/// The layout of the recipe and of the arrays, of models of categories or texts and of others, which are written as before there were either; a reader
/// refuses others.
const FORMAT: &str = "runner baseline 5";
const NUMBERS_ALONE: &str = "runner baseline 3";

/// A model of the whole training part, ready for new rows.
pub struct Fitted {
    /// Its kind and no other.
    kind: Baselines,
    inputs: Inputs,
    classes: Vec<String>,
    model: Box<dyn Model>,
    /// Of a model that gives only scores, where there were rows to make probabilities of them.
    calibration: Option<Calibration>,
}

/// The columns of a frame that make a model's features, side by side: numbers, then vectors, then categories, then texts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// Numeric columns, in the order of the features.
    pub numeric: Vec<String>,
    pub(crate) text: Vec<TextColumn>,
    /// Columns of categories with the values of the training rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<CategoryColumn>,
    /// Columns of texts, read as n-grams.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<String>,
    /// How these are cut and weighed; only where there are some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tfidf: Option<TextOptions>,
}

/// A text column, seen through its embedding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TextColumn {
    pub name: String,
    /// Components of its vectors.
    pub(crate) dim: usize,
}

/// Why a model cannot be kept, or made again from what was kept.
#[derive(Debug, Error)]
pub enum KeptError {
    #[error("the model's recipe cannot be read: {0}")]
    Recipe(String),
    #[error(transparent)]
    Arrays(#[from] ArrayError),
    #[error(transparent)]
    Parameters(#[from] FitError),
}

/// What stands beside the arrays.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recipe {
    /// One of the two.
    format: String,
    /// The kind with all its parameters, e.g. `{"knn": {"k": 25}}`.
    model: Baselines,
    /// Names of the outputs, in order.
    classes: Vec<String>,
    inputs: Inputs,
    /// What makes probabilities of its scores, where it gives no probabilities itself: fitted on the validation part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    calibration: Option<Calibration>,
}

impl Fitted {
    /// `model` is of the kind `name` of `models`; its features had the columns of `inputs`.
    pub fn new(
        models: &Baselines,
        name: &str,
        inputs: Inputs,
        classes: &[String],
        model: Box<dyn Model>,
        calibration: Option<Calibration>,
    ) -> Self {
        Fitted { kind: models.only(name), inputs, classes: classes.to_vec(), model, calibration }
    }

    /// Names of the outputs, in the order of the probabilities' columns.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The columns that it reads.
    pub fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// Whether what it gives are probabilities, by itself (see `Model::is_probabilistic`) or by its calibration.
    pub fn is_probabilistic(&self) -> bool {
        self.model.is_probabilistic() || self.calibration.is_some()
    }

    /// That makes its probabilities.
    pub fn calibration(&self) -> &Calibration {
        self.calibration.as_ref().unwrap_or(&NO_CALIBRATION)
    }

    /// The same kind with the same parameters on these rows, whose labels are indices into its classes. What makes probabilities of its scores stays.
    /// `weights` are of all rows of the frame, or empty where they count alike.
    ///
    /// # Errors
    /// What the kind refuses to learn from, columns that the frame lacks, and `Cancelled`.
    pub fn refit(
        &self,
        frame: &Frame,
        labels: &[u32],
        rows: &[usize],
        (weights, class_weights): (&[f64], &ClassWeights),
        seed: u64,
        progress: &dyn Progress,
    ) -> Result<Self, FitError> {
        let columns = |names: Vec<&String>| names.into_iter().cloned().collect::<Vec<_>>();
        let text = columns(self.inputs.text.iter().map(|column| &column.name).collect());
        let categories = columns(self.inputs.categories.iter().map(|column| &column.name).collect());
        let inputs = Inputs::of(frame, &self.inputs.numeric, &text, &categories, rows).map_err(FitError::Input)?;
        let inputs = inputs.with_texts(&self.inputs.texts, &self.inputs.tfidf.clone().unwrap_or_default());
        let features = inputs.features(frame, progress)?.with_weights(weights.to_vec()).take(rows);
        let labels: Vec<u32> = rows.iter().map(|&row| labels[row]).collect();
        let estimators = self.kind.estimators();
        let (_, estimator) = estimators.first().ok_or(FitError::NoModels)?;
        let given = (&features, labels.as_slice());
        let model = fit_weighted(estimator.as_ref(), given, &self.classes, class_weights, seed, progress)?;
        let (kind, classes, calibration) = (self.kind.clone(), self.classes.clone(), self.calibration.clone());
        Ok(Fitted { kind, inputs, classes, model, calibration })
    }

    /// Class probabilities (rows × classes; rows sum to 1) of every row, in order.
    #[cfg(test)]
    pub(crate) fn predict_probabilities(&self, frame: &Frame) -> Result<Matrix, FitError> {
        Ok(self.calibrated(self.model.predict_probabilities(&self.inputs.features(frame, &Silent)?)))
    }

    /// The same, until it is cancelled.
    pub fn predict_or_stop(&self, frame: &Frame, progress: &dyn Progress) -> Result<Matrix, FitError> {
        let inputs = self.inputs.features(frame, progress)?;
        Ok(self.calibrated(self.model.predict_or_stop(&inputs, progress)?))
    }

    fn calibrated(&self, mut probabilities: Matrix) -> Matrix {
        self.calibration().apply(&mut probabilities);
        probabilities
    }

    /// The model as (safetensors file, recipe). The same model always gives the same bytes.
    pub fn to_parts(&self) -> Result<(Vec<u8>, serde_json::Value), KeptError> {
        let mut arrays = Arrays::default();
        self.model.put(&mut arrays);
        let recipe = Recipe {
            format: self.inputs.format().to_owned(),
            model: self.kind.clone(),
            classes: self.classes.clone(),
            inputs: self.inputs.clone(),
            calibration: self.calibration.clone(),
        };
        let recipe = serde_json::to_value(recipe).map_err(|error| KeptError::Recipe(error.to_string()))?;
        Ok((arrays.to_bytes()?, recipe))
    }

    /// The model of `to_parts`. Refuses parts that do not belong together.
    pub fn from_parts(arrays: &[u8], recipe: &serde_json::Value) -> Result<Self, KeptError> {
        let Recipe { format, model: kind, classes, inputs, calibration } = Deserialize::deserialize(recipe)
            .map_err(|error: serde_json::Error| KeptError::Recipe(error.to_string()))?;
        if format != inputs.format() {
            let problem = match [FORMAT, NUMBERS_ALONE].contains(&format.as_str()) {
                true => format!("its format is '{format}', but with its columns it would be '{}'", inputs.format()),
                false => format!("its format is '{format}', this version reads '{FORMAT}' and '{NUMBERS_ALONE}'"),
            };
            return Err(KeptError::Recipe(problem));
        }
        if let Some(problem) = calibration.as_ref().and_then(|calibration| calibration.problem(classes.len())) {
            return Err(KeptError::Recipe(problem));
        }
        if let Some((path, reason)) = inputs.tfidf.as_ref().and_then(TextOptions::problem) {
            return Err(KeptError::Recipe(format!("tfidf.{}: {reason}", path.join("."))));
        }
        if inputs.texts.is_empty() != inputs.tfidf.is_none() {
            return Err(KeptError::Recipe("`tfidf` and `texts` stand together or not at all".to_owned()));
        }
        kind.check()?;
        let [(_, estimator)] = <[(String, Box<dyn Estimator>); 1]>::try_from(kind.estimators())
            .map_err(|all| KeptError::Recipe(format!("it names {} kinds of model instead of one", all.len())))?;
        let width = inputs.width().filter(|width| width.columns + width.categories + width.texts > 0);
        let width = width.ok_or_else(|| KeptError::Recipe("its inputs have no possible width".to_owned()))?;
        let model = fit::restore(estimator.as_ref(), Arrays::from_bytes(arrays)?, width, classes.len())?;
        Ok(Fitted { kind, inputs, classes, model, calibration })
    }
}

impl Inputs {
    /// These columns with the widths that they have in `frame`, and the categories of its `rows`.
    pub fn of(
        frame: &Frame,
        numeric: &[String],
        text: &[String],
        categories: &[String],
        rows: &[usize],
    ) -> Result<Self, InputError> {
        let text = text.iter().map(|name| Ok(TextColumn { name: name.clone(), dim: vectors(frame, name)?.0 }));
        let categories = categories.iter().map(|name| CategoryColumn::fit(frame, name, LEAST_ROWS, rows));
        Ok(Inputs {
            numeric: numeric.to_vec(),
            text: text.collect::<Result<_, InputError>>()?,
            categories: categories.collect::<Result<_, InputError>>()?,
            texts: Vec::new(),
            tfidf: None,
        })
    }

    /// The same with columns of texts that are read as n-grams.
    pub fn with_texts(self, texts: &[String], options: &TextOptions) -> Self {
        Inputs { texts: texts.to_vec(), tfidf: (!texts.is_empty()).then(|| options.clone()), ..self }
    }

    fn format(&self) -> &'static str {
        if self.categories.is_empty() && self.texts.is_empty() { NUMBERS_ALONE } else { FORMAT }
    }

    /// Of the features; `None` where no memory could hold a row of it.
    fn width(&self) -> Option<Width> {
        let columns = self.text.iter().try_fold(self.numeric.len(), |sum, column| sum.checked_add(column.dim))?;
        let texts = self.tfidf.as_ref().map_or(0, TextOptions::blocks) * self.texts.len();
        Some(Width { columns, categories: self.categories.len(), texts, sparse: 0 })
    }

    /// All columns side by side, NaN for missing numbers. Numbers that are infinite in 32 bits are refused, as networks do.
    pub fn features(&self, frame: &Frame, progress: &dyn Progress) -> Result<Features, FitError> {
        let finite = |name: &String| {
            let values = numbers(frame, name)?;
            check_finite(name, values, 0..values.len()).map(|()| values)
        };
        let numbers = self.numeric.iter().map(finite).collect::<Result<Vec<_>, _>>()?;
        let mut parts = Vec::with_capacity(self.text.len());
        for TextColumn { name, dim } in &self.text {
            let (found, values) = vectors(frame, name)?;
            if found != *dim {
                return Err(InputError::Dimension { name: name.clone(), found, needed: *dim }.into());
            }
            parts.push((found, values));
        }
        let mut rows = Vec::with_capacity(frame.rows * numbers.len());
        let mut components = Vec::with_capacity(parts.iter().map(|(_, values)| values.len()).sum());
        for i in 0..frame.rows {
            rows.extend(numbers.iter().map(|values| values[i]));
            parts.iter().for_each(|(dim, values)| components.extend_from_slice(&values[i * dim..(i + 1) * dim]));
        }
        let features = Features::new(frame.rows, numbers.len(), rows, components);
        let codes = self.categories.iter().map(|column| column.codes(frame)).collect::<Result<Vec<_>, _>>()?;
        let of_rows = (0..frame.rows).flat_map(|i| codes.iter().map(move |codes| codes[i]));
        let texts = self.texts.iter().map(|name| texts(frame, name)).collect::<Result<Vec<_>, _>>()?;
        let texts = match &self.tfidf {
            Some(options) => Texts::cut(&texts, options, progress)?,
            None => Texts::default(),
        };
        Ok(features.with_categories(codes.len(), of_rows.collect()).with_texts(texts))
    }
}
