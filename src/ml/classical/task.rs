//! What estimators are evaluated on: rows, their labels and parts, and by what they are judged.

use runner_results::scores::Scoring;
use runner_results::spec::{ClassWeights, NamedWeights};

use super::fit::check_finite;
use super::{Features, FitError};
use crate::threshold::Wanted;

/// Rows with their labels, divided into parts.
#[derive(Clone)]
pub struct Task<'a> {
    /// NaN = missing. Rows count in fits by its weights times those of their classes, in scores all alike; probabilities of weighted models are set
    /// right for what the weights did to the classes' shares, their decisions are not.
    pub x: &'a Features,
    /// Indices into `classes`.
    pub y: &'a [u32],
    /// Equal for rows that belong together, which intervals heed; empty where every row stands alone.
    pub groups: &'a [i64],
    /// Names.
    pub classes: &'a [String],
    /// Row numbers.
    pub train: &'a [usize],
    /// The fold of each row of `train`. A fold without rows counts for nothing.
    pub fold_of: &'a [u32],
    /// Row numbers.
    pub valid: &'a [usize],
    /// Row numbers.
    pub test: &'a [usize],
    /// How much rows of a class count in fits.
    pub class_weights: &'a ClassWeights,
    /// Of all random numbers.
    pub seed: u64,
    /// By what models are judged and predict.
    pub aims: Aims,
    /// What it has is not fitted again: the result is the same.
    pub kept: &'a dyn KeptFits,
}

static UNWEIGHTED: ClassWeights = ClassWeights::Named(NamedWeights::None);

impl<'a> Task<'a> {
    /// With training rows alone, each of which counts once; seed 0.
    pub fn new(x: &'a Features, y: &'a [u32], classes: &'a [String], train: &'a [usize], fold_of: &'a [u32]) -> Self {
        Task {
            x,
            y,
            groups: &[],
            classes,
            train,
            fold_of,
            valid: &[],
            test: &[],
            class_weights: &UNWEIGHTED,
            seed: 0,
            aims: Aims::default(),
            kept: &(),
        }
    }

    /// # Errors
    /// Lengths, labels or row numbers do not fit, or there is nothing to learn from.
    pub(super) fn check(&self) -> Result<(), FitError> {
        let Task { x, y, classes, train, fold_of, valid, test, .. } = *self;
        if y.len() != x.rows {
            return Err(FitError::Length { rows: x.rows, labels: y.len(), what: "labels" });
        }
        if fold_of.len() != train.len() {
            return Err(FitError::Length { rows: train.len(), labels: fold_of.len(), what: "folds" });
        }
        if let Some(&row) = train.iter().chain([valid, test].into_iter().flatten()).find(|&&row| row >= x.rows) {
            return Err(FitError::RowIndex { row, rows: x.rows });
        }
        if let Some(row) = y.iter().position(|&label| label as usize >= classes.len()) {
            return Err(FitError::Label { row, label: y[row], classes: classes.len() });
        }
        if train.is_empty() {
            return Err(FitError::NoRows);
        }
        if x.width() == 0 {
            return Err(FitError::NoColumns);
        }
        if train.iter().all(|&row| y[row] == y[train[0]]) {
            return Err(FitError::SingleClass { rows: train.len() });
        }
        check_finite(x)
    }
}

/// What models are judged and predict by.
#[derive(Clone, Debug, Default)]
pub struct Aims {
    /// What scores depend on; where mistakes have costs, the class of least expected cost is predicted unless there is a threshold.
    pub scoring: Scoring,
    /// From which on the positive class of two is predicted.
    pub threshold: Option<Wanted>,
}

/// Fits of earlier evaluations, so that one that was interrupted goes on from there. Each is named by the model and by the fold that it left out;
/// the one on the whole training part left out none. Whoever keeps them tells apart whatever else a fit depends on: rows, columns, parameters, seed.
pub trait KeptFits: Sync {
    /// `None` where nothing was kept. Without `fold`, the fit on the whole training part.
    fn get(&self, model: &str, fold: Option<usize>) -> Option<Vec<u8>>;

    /// Keeps a fit for a later run.
    fn put(&self, model: &str, fold: Option<usize>, bytes: &[u8]);
}

/// Keeps nothing.
impl KeptFits for () {
    fn get(&self, _model: &str, _fold: Option<usize>) -> Option<Vec<u8>> {
        None
    }

    fn put(&self, _model: &str, _fold: Option<usize>, _bytes: &[u8]) {}
}
