//! Standard classifiers: `baseline.json` of `baseline`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::document::Document;
use crate::scores::Scores;

/// What a `baseline` stage found: `metrics.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baselines {
    /// One of each model that was asked for.
    pub evaluations: Vec<Evaluation>,
}

/// The scores of one estimator. Holds no times, so that equal inputs give equal bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The model's key under `models`, e.g. `boosting`.
    pub name: String,
    /// All parameters with their defaults filled in, which differ from kind to kind.
    pub params: Map<String, Value>,
    /// Scores of each fold by the model of the other folds.
    pub folds: Vec<Scores>,
    /// Unweighted mean over the folds.
    pub cv_accuracy_mean: f64,
    /// Population deviation over the folds, as NumPy's `std`.
    pub cv_accuracy_std: f64,
    /// Unweighted mean over the folds.
    pub cv_macro_f1_mean: f64,
    /// Population deviation over the folds.
    pub cv_macro_f1_std: f64,
    /// Scores of the validation part by the model of the whole training part; absent without rows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub valid: Option<Scores>,
    /// Scores of the test part by the model of the whole training part; absent without rows.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub test: Option<Scores>,
}

impl Document for Baselines {
    const NAME: &'static str = "baselines";
    const VERSION: u32 = 1;

    fn classes(&self) -> Vec<&str> {
        let tests = self.evaluations.iter().filter_map(|evaluation| evaluation.test.as_ref());
        tests.flat_map(|scores| &scores.classes).map(String::as_str).collect()
    }
}
