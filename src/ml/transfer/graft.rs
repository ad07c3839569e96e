//! Copies an old network's tensors into a new one where shapes agree, output rows by class name, and says for every
//! tensor what was done.
//!
//! Knows nothing of training.

use serde::{Deserialize, Serialize};

use super::spec::NewRows;
use crate::ml::network::{Network, Snapshot};
use crate::ml::rng::Stream;
use crate::ml::train::TrainError;

/// What became of one tensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TensorReport {
    /// As in the model file, e.g. `trunk.layers.0.linear.weight`.
    pub tensor: String,
    /// `None` where the old network has no such tensor.
    pub old_shape: Option<Vec<usize>>,
    /// `None` where the new network has no such tensor.
    pub new_shape: Option<Vec<usize>>,
    pub action: Action,
    /// One sentence for a reader.
    pub detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Equal shapes: the old values.
    Copied,
    /// The head: the rows of classes of equal name are the old ones.
    RowsMatchedByClass,
    /// Another shape, or new: random values.
    Reinitialised,
    /// Only the old network has it.
    Skipped,
}

/// Size of the noise on the rows of new classes, as a share of the old rows' root mean square: enough to tell several new
/// classes apart.
const NOISE: f64 = 0.01;

/// Takes over what fits from `old` into `network`, whose other values stay as they are.
pub fn graft(
    old: &Snapshot,
    old_classes: &[String],
    network: &mut Network,
    classes: &[String],
    new_rows: NewRows,
    seed: u64,
) -> Result<Vec<TensorReport>, TrainError> {
    let mut new = network.snapshot()?;
    let mut report = Vec::new();
    for (name, (shape, values)) in &mut new {
        let found = old.get(name);
        let head = name.starts_with("head.");
        let (action, detail) = match found {
            Some((old_shape, old_values)) if head && old_shape[1..] == shape[1..] => {
                let stream = Stream::new(seed, &format!("transfer {name}"), 0);
                let detail = match_rows(old_values, old_classes, values, classes, new_rows, stream);
                (Action::RowsMatchedByClass, detail)
            }
            Some((old_shape, old_values)) if !head && old_shape == shape => {
                values.clone_from(old_values);
                (Action::Copied, "equal shape".to_string())
            }
            Some(_) => (Action::Reinitialised, "another shape: random first values".to_string()),
            None => (Action::Reinitialised, "not in the old network: its usual first values".to_string()),
        };
        report.push(TensorReport {
            tensor: name.clone(),
            old_shape: found.map(|(shape, _)| shape.clone()),
            new_shape: Some(shape.clone()),
            action,
            detail,
        });
    }
    for (name, (shape, _)) in old.iter().filter(|(name, _)| !new.contains_key(*name)) {
        report.push(TensorReport {
            tensor: name.clone(),
            old_shape: Some(shape.clone()),
            new_shape: None,
            action: Action::Skipped,
            detail: "not in the new network".into(),
        });
    }
    network.restore(&new).map_err(candle_core::Error::msg)?;
    Ok(report)
}

/// Fills `values` (one row for each of `classes`) from `old` (one row for each of `old_classes`); the sentence says how.
fn match_rows(
    old: &[f32],
    old_classes: &[String],
    values: &mut [f32],
    classes: &[String],
    new_rows: NewRows,
    mut stream: Stream,
) -> String {
    let width = old.len() / old_classes.len();
    let mean: Vec<f64> = (0..width)
        .map(|j| old.iter().skip(j).step_by(width).map(|x| f64::from(*x)).sum::<f64>() / old_classes.len() as f64)
        .collect();
    let size = (old.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / old.len() as f64).sqrt();
    let (mut kept, mut added) = (Vec::new(), Vec::new());
    for (class, row) in classes.iter().zip(values.chunks_exact_mut(width)) {
        if let Some(at) = old_classes.iter().position(|old| old == class) {
            row.copy_from_slice(&old[at * width..(at + 1) * width]);
            kept.push(class.as_str());
            continue;
        }
        added.push(class.as_str());
        if new_rows == NewRows::Mean {
            for (value, mean) in row.iter_mut().zip(&mean) {
                *value = (mean + NOISE * size * stream.normal()) as f32;
            }
        }
    }
    let dropped: Vec<&str> = old_classes.iter().filter(|class| !classes.contains(class)).map(String::as_str).collect();
    let mut detail = match kept.is_empty() {
        true => "no class of the old network is left".to_string(),
        false => format!("old rows of {}", kept.join(", ")),
    };
    if !added.is_empty() {
        let start = match new_rows {
            NewRows::Mean => "mean of the old rows and 1 % noise",
            NewRows::Fresh => "random",
        };
        detail += &format!("; {start} for {}", added.join(", "));
    }
    if !dropped.is_empty() {
        detail += &format!("; rows of {} left out", dropped.join(", "));
    }
    detail
}
