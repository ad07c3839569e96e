//! `Classifier`: a trained network with its preprocessing and its classes; predicts from a frame and turns into bytes
//! and back.

use std::borrow::Cow;

use candle_core::D;
use candle_core::safetensors::BufferedSafetensors;
use candle_nn::ops::softmax;
use rayon::prelude::*;
use safetensors::tensor::{Dtype, TensorView};

use super::recipe::FORMAT;
use super::{Activation, Blueprint, Embedding, Network, Recipe, Snapshot, on_one_thread};
use crate::calibration::Calibration;
use crate::diagnosis::Units;
use crate::frame::Frame;
use crate::matrix::Matrix;
use crate::preprocess::{InputError, Preprocessing};
use crate::progress::{Cancelled, Progress, Silent};

/// Rows that pass the network at once. Few, so that what passes between layers stays in a core's cache.
const ROWS_AT_ONCE: usize = 256;

/// A fitted network.
pub struct Classifier {
    preprocessing: Preprocessing,
    classes: Vec<String>,
    network: Network,
    loss: String,
    calibration: Calibration,
}

/// Why a model cannot be read or used.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each message says what its values are")]
pub enum ModelError {
    #[error(transparent)]
    Input(#[from] InputError),
    #[error("the model's recipe cannot be read: {0}")]
    Recipe(String),
    #[error("the model's weights cannot be read: {0}")]
    Weights(String),
    #[error("the network cannot be computed: {0}")]
    Compute(#[from] candle_core::Error),
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl Classifier {
    /// `loss`: the name of what was minimised.
    pub(crate) fn new(preprocessing: Preprocessing, classes: &[String], network: Network, loss: &str) -> Self {
        Classifier {
            preprocessing,
            classes: classes.to_vec(),
            network,
            loss: loss.into(),
            calibration: Calibration::NONE,
        }
    }

    /// Names of the outputs, in the order of the probabilities' columns.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    pub(crate) fn blueprint(&self) -> &Blueprint {
        self.network.blueprint()
    }

    /// From columns to the network's inputs.
    pub fn preprocessing(&self) -> &Preprocessing {
        &self.preprocessing
    }

    /// Lets all later probabilities and predictions be those of this calibration.
    pub fn set_calibration(&mut self, calibration: Calibration) {
        self.calibration = calibration;
    }

    /// That makes its probabilities.
    pub fn calibration(&self) -> &Calibration {
        &self.calibration
    }

    /// How many hidden units are zero for all of those rows of `frame`; `None` where the activation is never exactly zero.
    pub fn silent_units(&self, frame: &Frame, rows: &[usize]) -> Result<Option<Units>, ModelError> {
        if self.blueprint().activation != Activation::Relu {
            return Ok(None);
        }
        on_one_thread(|| {
            let mut fired: Vec<Vec<bool>> = Vec::new();
            for part in rows.chunks(ROWS_AT_ONCE) {
                let inputs = self.preprocessing.apply(frame, part)?;
                self.network.infer_watched(inputs, &mut |layer, outputs| {
                    let highest = outputs.max(0)?.to_vec1::<f32>()?;
                    fired.resize(fired.len().max(layer + 1), vec![false; highest.len()]);
                    fired[layer].iter_mut().zip(highest).for_each(|(fired, value)| *fired |= value > 0.0);
                    Ok(())
                })?;
            }
            let dead = fired.iter().flatten().filter(|fired| !**fired).count();
            Ok(Some(Units { all: fired.iter().map(Vec::len).sum(), dead }))
        })
    }

    /// Every tensor's shape and values by name.
    pub fn tensors(&self) -> Result<Snapshot, ModelError> {
        Ok(self.network.snapshot()?)
    }

    /// Class probabilities (rows × classes; rows sum to 1) of every row, in order. Missing numbers are imputed as in training.
    pub fn predict_probabilities(&self, frame: &Frame) -> Result<Matrix, ModelError> {
        self.predict_rows(frame, &(0..frame.rows).collect::<Vec<_>>())
    }

    /// The same, until it is cancelled.
    pub fn predict_or_stop(&self, frame: &Frame, progress: &dyn Progress) -> Result<Matrix, ModelError> {
        self.predict_rows_or_stop(frame, &(0..frame.rows).collect::<Vec<_>>(), progress)
    }

    /// The same of some rows, without a copy of the frame.
    pub fn predict_rows(&self, frame: &Frame, rows: &[usize]) -> Result<Matrix, ModelError> {
        self.predict_rows_or_stop(frame, rows, &Silent)
    }

    /// The same, until it is cancelled.
    pub fn predict_rows_or_stop(
        &self,
        frame: &Frame,
        rows: &[usize],
        progress: &dyn Progress,
    ) -> Result<Matrix, ModelError> {
        on_one_thread(|| {
            // Without any rows the columns are still checked.
            let parts = if rows.is_empty() { vec![rows] } else { rows.chunks(ROWS_AT_ONCE).collect() };
            let said = parts.into_par_iter().map(|part| -> Result<Vec<f32>, ModelError> {
                progress.go_on()?;
                let inputs = self.preprocessing.apply(frame, part)?;
                match part.is_empty() {
                    true => Ok(Vec::new()),
                    false => Ok(softmax(&self.network.infer(inputs)?, D::Minus1)?.flatten_all()?.to_vec1()?),
                }
            });
            let data = said.collect::<Result<Vec<_>, _>>()?.concat();
            let mut probabilities = Matrix::from_vec(rows.len(), self.classes.len(), data);
            self.calibration.apply(&mut probabilities);
            Ok(probabilities)
        })
    }

    /// The model as (safetensors file, recipe). The same model always gives the same bytes.
    pub fn to_parts(&self) -> Result<(Vec<u8>, serde_json::Value), ModelError> {
        let snapshot = self.network.snapshot()?;
        let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = snapshot
            .into_iter()
            .map(|(name, (shape, values))| (name, shape, values.iter().flat_map(|x| x.to_le_bytes()).collect()))
            .collect();
        let weights = |e: safetensors::SafeTensorError| ModelError::Weights(e.to_string());
        let views = bytes
            .iter()
            .map(|(name, shape, bytes)| Ok((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes)?)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(weights)?;
        let file = safetensors::serialize(views, None).map_err(weights)?;
        let recipe = Recipe {
            format: FORMAT.into(),
            classes: self.classes.clone(),
            inputs: self.preprocessing.clone(),
            network: self.network.blueprint().clone(),
            loss: self.loss.clone(),
            temperature: self.calibration.temperature,
            bias: self.calibration.bias.clone(),
            decision: self.calibration.decision.clone(),
            costs: self.calibration.costs.clone(),
        };
        Ok((file, serde_json::to_value(recipe).map_err(|e| ModelError::Recipe(e.to_string()))?))
    }

    /// The model of `to_parts`. Refuses parts that do not belong together.
    pub fn from_parts(weights: &[u8], recipe: &serde_json::Value) -> Result<Self, ModelError> {
        let recipe: Recipe = serde::Deserialize::deserialize(recipe)
            .map_err(|e: serde_json::Error| ModelError::Recipe(e.to_string()))?;
        check(&recipe).map_err(ModelError::Recipe)?;
        let file = BufferedSafetensors::new(weights.to_vec()).map_err(|e| ModelError::Weights(e.to_string()))?;
        let mut snapshot = Snapshot::new();
        for (name, view) in file.tensors() {
            if view.dtype() != Dtype::F32 {
                return Err(ModelError::Weights(format!("tensor '{name}' is {:?} instead of F32", view.dtype())));
            }
            let values: Vec<f32> =
                view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
            if let Some(value) = values.iter().find(|value| !value.is_finite()) {
                return Err(ModelError::Weights(format!("tensor '{name}' holds {value}, which is not finite")));
            }
            snapshot.insert(name, (view.shape().to_vec(), values));
        }
        let calibration = calibration(&recipe);
        let mut network = Network::new(&recipe.network, 0)?;
        network.restore(&snapshot).map_err(ModelError::Weights)?;
        Ok(Classifier {
            preprocessing: recipe.inputs,
            classes: recipe.classes,
            network,
            loss: recipe.loss,
            calibration,
        })
    }
}

fn calibration(recipe: &Recipe) -> Calibration {
    let Recipe { temperature, bias, decision, costs, .. } = recipe;
    let (bias, decision, costs) = (bias.clone(), decision.clone(), costs.clone());
    Calibration { temperature: *temperature, bias, decision, costs, ..Calibration::NONE }
}

/// Whether the recipe's parts agree with each other, so that a damaged one is refused before memory is asked for.
fn check(recipe: &Recipe) -> Result<(), String> {
    let mut widths: Vec<usize> = Vec::new();
    if !recipe.inputs.numeric.is_empty() {
        widths.push(recipe.inputs.numeric_width());
    }
    widths.extend(recipe.inputs.text.iter().map(|column| column.dim));
    widths.extend(recipe.inputs.categories.iter().map(|_| 1));
    let values: Vec<usize> = recipe.inputs.category_widths().into_iter().map(|(_, values)| values).collect();
    let tables = recipe.network.branches.iter().filter_map(|branch| match branch.embedding {
        Embedding::Table { values, .. } => Some(values),
        _ => None,
    });
    let texts = recipe.network.branches.iter().skip(usize::from(!recipe.inputs.numeric.is_empty()));
    let texts = texts.take(recipe.inputs.text.len());
    let adapted = texts.map(|branch| matches!(branch.embedding, Embedding::Encoder { .. }));
    let branches: Vec<usize> = recipe.network.branches.iter().map(|branch| branch.input).collect();
    let problem: Cow<str> = if recipe.format != FORMAT {
        format!("its format is '{}', this version reads '{FORMAT}'", recipe.format).into()
    } else if recipe.classes.len() != recipe.network.classes {
        format!("{} classes for {} outputs", recipe.classes.len(), recipe.network.classes).into()
    } else if widths != branches || branches.is_empty() {
        format!("inputs of widths {widths:?} for branches of {branches:?}").into()
    } else if !adapted.eq(recipe.inputs.text.iter().map(|column| column.adapted)) {
        "texts for branches that do not read any, or the other way round".into()
    } else if !tables.eq(values.iter().copied()) {
        format!("tables that do not fit columns of {values:?} categories").into()
    } else if !recipe.network.is_plausible() {
        "its network has layers of impossible width".into()
    } else if let Some(problem) = calibration(recipe).problem(recipe.classes.len()) {
        problem.into()
    } else if recipe.inputs.has_short_quantiles() {
        "a column has fewer than two quantiles".into()
    } else {
        return Ok(());
    };
    Err(problem.into_owned())
}
