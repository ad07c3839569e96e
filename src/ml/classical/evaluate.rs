//! Cross-validates estimators by given folds, then fits each on the whole training part and scores
//! the test part once.

use std::sync::atomic::AtomicU64;
use std::time::Instant;

use rayon::prelude::*;
use runner_results::baselines::Evaluation;
use runner_results::spec::{ClassWeights, NamedWeights};
use runner_results::threshold::ThresholdRows;
use serde::{Deserialize, Serialize};

use super::steps::{Fit, Steps};
use super::task::{Aims, Task};
use super::{Arrays, Estimator, Features, FitError, Model};
use crate::calibration::{Calibration, NO_CALIBRATION, Raw, decide_by};
use crate::matrix::Matrix;
use crate::metrics::{FromProbabilities as _, Scores};
use crate::progress::{Cancelled, Progress};
use crate::stats::{Clusters, mean_and_deviation};
use crate::threshold::{self};
use crate::train::weights_of_classes;

/// How long the final fit and the prediction of the test part took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    pub(crate) name: String,
    /// Of the fit on the whole training part, in seconds.
    pub fit_seconds: f64,
    /// Of predicting the test part, in seconds.
    pub predict_seconds: f64,
}

/// An estimator judged, and its model of the whole training part.
pub struct Evaluated {
    /// Its scores.
    pub evaluation: Evaluation,
    /// Wall-clock times, which are no part of the scores.
    pub timing: Timing,
    /// What it predicted.
    pub held_out: HeldOut,
    /// Fitted on the whole training part.
    pub model: Box<dyn Model>,
    /// Of a model that gives only scores: makes probabilities of them. Absent without validation rows.
    pub calibration: Option<Calibration>,
}

/// What the model of the whole training part says of the other parts.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldOut {
    /// Of the validation rows.
    pub valid: ModelPredictions,
    /// Of the test rows.
    pub test: ModelPredictions,
}

/// Class probabilities (only scores in the right order where neither `Model::is_probabilistic` nor a calibration makes them
/// more), and the classes that are predicted.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelPredictions {
    /// Rows × classes.
    pub probabilities: Matrix,
    /// A class for each row.
    pub predicted: Vec<u32>,
}

/// What is kept of a fit that left a fold out: the scores of that fold.
#[derive(Serialize, Deserialize)]
struct KeptScores {
    scores: Scores,
    /// Of the fold's rows, where they choose a threshold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    probabilities: Option<Vec<f32>>,
    warnings: Vec<String>,
}

/// What is kept of the fit on the whole training part, before the model's arrays.
#[derive(Serialize, Deserialize)]
struct KeptModel {
    seconds: f64,
    warnings: Vec<String>,
}

/// The largest model that is kept beside the result: writing a larger one takes longer than most fits.
const LARGEST_KEPT: usize = 64 << 20;

/// Evaluates every estimator on the rows of a task. Runs on `threads` threads, whose number changes no score.
///
/// # Errors
/// What `Estimator::fit` refuses, with the model and the fold; fewer than two folds with rows; row numbers, labels or lengths that do not fit;
/// `Cancelled`.
pub fn evaluate(
    estimators: &[(String, Box<dyn Estimator>)],
    task: &Task,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Vec<Evaluated>, FitError> {
    task.check()?;
    for (_, estimator) in estimators {
        estimator.check()?;
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .build()
        .map_err(|reason| FitError::Threads { threads, reason: reason.to_string() })?;
    let study = Study::new(task)?;
    let of = estimators.len();
    pool.install(|| {
        let each = estimators.iter().enumerate().map(|(i, (name, estimator))| {
            let unit = format!("fits of {name}, model {} of {of}", i + 1);
            let steps = Steps { done: AtomicU64::new(0), total: study.folds.len() as u64 + 1, unit, progress };
            study.evaluate(name, estimator.as_ref(), &steps)
        });
        each.collect()
    })
}

/// Rows with their labels.
struct Part {
    x: Features,
    y: Vec<u32>,
    clusters: Clusters,
}

impl Part {
    /// `groups` may be empty.
    fn take((x, y, groups): (&Features, &[u32], &[i64]), rows: &[usize]) -> Part {
        let y = rows.iter().map(|&row| y[row]).collect();
        Part { x: x.take(rows), y, clusters: Clusters::of_rows(groups, rows) }
    }
}

/// A task with its rows taken apart.
struct Study<'a> {
    task: &'a Task<'a>,
    train: Part,
    valid: Part,
    test: Part,
    folds: Vec<Fold>,
}

/// Rows of the training part: those of a fold and those of all others.
struct Fold {
    number: usize,
    inside: Vec<usize>,
    outside: Vec<usize>,
}

impl<'a> Study<'a> {
    fn new(task: &'a Task<'a>) -> Result<Self, FitError> {
        let Task { train, fold_of, valid, test, .. } = *task;
        let mut numbers = fold_of.to_vec();
        numbers.sort_unstable();
        numbers.dedup();
        if numbers.len() < 2 {
            return Err(FitError::Folds { folds: numbers.len() });
        }
        let folds = numbers
            .iter()
            .map(|&number| {
                let (inside, outside) = (0..train.len()).partition(|&i| fold_of[i] == number);
                Fold { number: number as usize, inside, outside }
            })
            .collect();
        let part = |rows: &[usize]| Part::take((task.x, task.y, task.groups), rows);
        Ok(Study { task, train: part(train), valid: part(valid), test: part(test), folds })
    }

    fn evaluate(&self, name: &str, estimator: &dyn Estimator, steps: &Steps) -> Result<Evaluated, FitError> {
        let in_model = |source| match source {
            FitError::Cancelled(cancelled) => FitError::Cancelled(cancelled),
            source => FitError::InModel { model: name.to_owned(), source: Box::new(source) },
        };
        // Folds run at once: some kinds have stretches for one thread only, which another fold's
        // work fills.
        let scored: Vec<Result<KeptScores, FitError>> =
            self.folds.par_iter().map(|fold| self.score_fold(name, estimator, fold, steps)).collect();
        let scored = scored.into_iter().collect::<Result<Vec<KeptScores>, FitError>>()?;
        let held_out = self.chooses_by_folds().then(|| self.of_folds(&scored)).flatten();
        let mut folds: Vec<Scores> = scored.into_iter().map(|kept| kept.scores).collect();

        // Alone, so that its time means something.
        let (model, fit_seconds) = self.whole_fit(name, estimator, steps).map_err(in_model)?;
        let start = Instant::now();
        let of_test = model.predict_or_stop(&self.test.x, steps.progress)?;
        let predict_seconds = start.elapsed().as_secs_f64();
        let of_valid = model.predict_or_stop(&self.valid.x, steps.progress)?;
        let weights = self.weights_of_classes(estimator, &self.train.y)?;
        let raw = match (model.is_probabilistic(), estimator.minimises_log_loss()) {
            (false, _) => Raw::Scores,
            (true, true) => Raw::LogLoss,
            (true, false) => Raw::Votes,
        };
        // Without validation rows there is only what the weights say, and nothing makes probabilities of scores.
        let wants = self.valid.x.rows > 0 || (model.is_probabilistic() && !weights.is_empty());
        let fit = || Calibration::fit(raw, &of_valid, &self.valid.y, &weights, steps.progress);
        let found = wants.then(fit).transpose()?;
        let mut calibration = found.filter(|found| *found != Calibration::NONE || !model.is_probabilistic());
        let mut threshold = None;
        if self.decides_by_costs(model.as_ref(), calibration.is_some()) {
            let costs = self.task.aims.scoring.costs.clone();
            calibration = Some(Calibration { costs, ..calibration.unwrap_or(Calibration::NONE) });
        }
        if let Some(wanted) = self.task.aims.threshold.filter(|_| model.is_probabilistic() || calibration.is_some()) {
            let own = calibration.clone().unwrap_or(Calibration::NONE);
            let (decision, fitted_on) = match &held_out {
                Some((said, truth)) => (threshold::fit(wanted, said, truth), ThresholdRows::CrossFitted),
                None => {
                    let mut said = of_valid.clone();
                    own.apply(&mut said);
                    (threshold::fit(wanted, &said, &self.valid.y), ThresholdRows::Validation)
                }
            };
            if let Some(decision) = decision {
                let own = Calibration { decision, ..own };
                threshold = threshold::told(wanted, self.task.classes, &own, fitted_on);
                if let Some((said, truth)) = &held_out {
                    self.judge_folds(&mut folds, &own, said, truth);
                }
                calibration = Some(own);
            }
        }
        let judge = |part: &Part, mut probabilities: Matrix| -> Result<(Scores, ModelPredictions), Cancelled> {
            let own = calibration.as_ref().unwrap_or(&NO_CALIBRATION);
            own.apply(&mut probabilities);
            let predicted = own.decide(&probabilities);
            let mut scores = Scores::new(self.task.classes, &part.y, &predicted);
            let is_probabilistic = model.is_probabilistic() || calibration.is_some();
            if is_probabilistic {
                scores = scores.with_loss(&part.y, &probabilities);
            }
            scores = scores.with_metrics(&part.y, &probabilities, &self.task.aims.scoring, is_probabilistic);
            scores.threshold.clone_from(&threshold);
            let (said, clusters) = (ModelPredictions { probabilities, predicted }, &part.clusters);
            let scores =
                scores.with_intervals(&part.y, &said.predicted, &said.probabilities, clusters, steps.progress)?;
            Ok((scores, said))
        };
        // Intervals of very many rows take as long as a fit.
        let (test, valid) = rayon::join(|| judge(&self.test, of_test), || judge(&self.valid, of_valid));
        let ((test, of_test), (valid, of_valid)) = (test?, valid?);
        let held_out = HeldOut { valid: of_valid, test: of_test };
        let (valid, test) = ((self.valid.x.rows > 0).then_some(valid), (self.test.x.rows > 0).then_some(test));
        steps.advance(&match (&test, &valid) {
            (Some(test), _) => format!("{name}: test accuracy {:.3}", test.accuracy),
            (None, Some(valid)) => format!("{name}: validation accuracy {:.3}", valid.accuracy),
            (None, None) => name.to_owned(),
        });

        // As scikit-learn's users take them, with `numpy.std`.
        let spread =
            |score: &dyn Fn(&Scores) -> f64| mean_and_deviation(&folds.iter().map(score).collect::<Vec<f64>>(), 0);
        let (cv_accuracy_mean, cv_accuracy_std) = spread(&|scores| scores.accuracy);
        let (cv_macro_f1_mean, cv_macro_f1_std) = spread(&|scores| scores.macro_f1);
        let evaluation = Evaluation {
            name: name.to_owned(),
            params: match estimator.params() {
                serde_json::Value::Object(params) => params,
                _ => serde_json::Map::new(),
            },
            folds,
            cv_accuracy_mean,
            cv_accuracy_std,
            cv_macro_f1_mean,
            cv_macro_f1_std,
            valid,
            test,
        };
        let timing = Timing { name: name.to_owned(), fit_seconds, predict_seconds };
        Ok(Evaluated { evaluation, timing, held_out, model, calibration })
    }

    /// Whether a model predicts the class of least expected cost, for which it needs probabilities.
    fn decides_by_costs(&self, model: &dyn Model, is_calibrated: bool) -> bool {
        let Aims { scoring, threshold } = &self.task.aims;
        scoring.costs.is_some() && threshold.is_none() && (model.is_probabilistic() || is_calibrated)
    }

    /// Whether the threshold is chosen on the folds of the training part, where there are no validation rows.
    fn chooses_by_folds(&self) -> bool {
        self.task.aims.threshold.is_some() && self.valid.x.rows == 0
    }

    /// What the models of the other folds say of the training rows, fold after fold, with their labels.
    fn of_folds(&self, scored: &[KeptScores]) -> Option<(Matrix, Vec<u32>)> {
        let mut data = Vec::new();
        for kept in scored {
            data.extend_from_slice(kept.probabilities.as_ref()?);
        }
        let truth: Vec<u32> = self.folds.iter().flat_map(|fold| fold.inside.iter().map(|&i| self.train.y[i])).collect();
        Some((Matrix::from_vec(truth.len(), self.task.classes.len(), data), truth))
    }

    /// The folds' scores by the threshold, which was chosen on all of them together.
    fn judge_folds(&self, folds: &mut [Scores], calibration: &Calibration, said: &Matrix, truth: &[u32]) {
        let mut start = 0;
        for (fold, scores) in self.folds.iter().zip(folds) {
            let rows: Vec<usize> = (start..start + fold.inside.len()).collect();
            start += rows.len();
            let (said, truth) = (said.take(&rows), &truth[rows[0]..=rows[rows.len() - 1]]);
            let at_threshold =
                Scores::new(self.task.classes, truth, &calibration.decide(&said)).with_loss(truth, &said);
            *scores = at_threshold.with_metrics(truth, &said, &self.task.aims.scoring, true);
        }
    }

    /// The model of the whole training part, and the seconds that its fit took, be it now or earlier.
    fn whole_fit(
        &self,
        name: &str,
        estimator: &dyn Estimator,
        steps: &Steps,
    ) -> Result<(Box<dyn Model>, f64), FitError> {
        let kept = self.task.kept.get(name, None);
        if let Some((model, KeptModel { seconds, warnings })) = kept.and_then(|bytes| self.model_in(estimator, &bytes))
        {
            warnings.iter().for_each(|warning| steps.progress.warn(warning));
            return Ok((model, seconds));
        }
        let fit = Fit::new(name, steps);
        let start = Instant::now();
        let model = self.fit(estimator, &self.train, &fit)?;
        let seconds = start.elapsed().as_secs_f64();
        let mut arrays = Arrays::default();
        model.put(&mut arrays);
        // What cannot be written here says so where the model is put.
        if let (Ok(arrays), Ok(head)) =
            (arrays.to_bytes(), serde_json::to_vec(&KeptModel { seconds, warnings: fit.warnings() }))
            && arrays.len() <= LARGEST_KEPT
        {
            self.task.kept.put(name, None, &[&(head.len() as u64).to_le_bytes(), head.as_slice(), &arrays].concat());
        }
        Ok((model, seconds))
    }

    fn model_in(&self, estimator: &dyn Estimator, bytes: &[u8]) -> Option<(Box<dyn Model>, KeptModel)> {
        let (length, rest) = bytes.split_first_chunk::<8>()?;
        let (head, arrays) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
        let arrays = Arrays::from_bytes(arrays).ok()?;
        let model = super::fit::restore(estimator, arrays, self.train.x.shape(), self.task.classes.len()).ok()?;
        Some((model, serde_json::from_slice(head).ok()?))
    }

    fn score_fold(
        &self,
        name: &str,
        estimator: &dyn Estimator,
        fold: &Fold,
        steps: &Steps,
    ) -> Result<KeptScores, FitError> {
        let whole = format!("{name}, fold {}", fold.number);
        let said = |scores: &Scores| steps.advance(&format!("{whole}: accuracy {:.3}", scores.accuracy));
        let kept = self.task.kept.get(name, Some(fold.number));
        let kept = kept.and_then(|bytes| serde_json::from_slice::<KeptScores>(&bytes).ok());
        if let Some(kept) = kept.filter(|kept| kept.probabilities.is_some() || !self.chooses_by_folds()) {
            kept.warnings.iter().for_each(|warning| steps.progress.warn(warning));
            said(&kept.scores);
            return Ok(kept);
        }
        let others = Part::take((&self.train.x, &self.train.y, &[]), &fold.outside);
        let own = Part::take((&self.train.x, &self.train.y, &[]), &fold.inside);
        let fit = Fit::new(&whole, steps);
        let model = self.fit(estimator, &others, &fit).map_err(|source| match source {
            FitError::Cancelled(cancelled) => FitError::Cancelled(cancelled),
            source => FitError::InFold { model: name.to_owned(), fold: fold.number, source: Box::new(source) },
        })?;
        let probabilities = model.predict_or_stop(&own.x, steps.progress)?;
        let weights = self.weights_of_classes(estimator, &others.y)?;
        let (scores, probabilities) = self.score(model.as_ref(), &own.y, probabilities, &weights, steps.progress)?;
        let kept = KeptScores {
            scores,
            probabilities: (self.chooses_by_folds() && model.is_probabilistic()).then_some(probabilities.data),
            warnings: fit.warnings(),
        };
        if let Ok(bytes) = serde_json::to_vec(&kept)
            // JSON has no infinities.
            && serde_json::from_slice(&bytes).is_ok_and(|read: KeptScores| read.scores == kept.scores)
        {
            self.task.kept.put(name, Some(fold.number), &bytes);
        }
        said(&kept.scores);
        Ok(kept)
    }

    fn fit(&self, estimator: &dyn Estimator, part: &Part, fit: &Fit) -> Result<Box<dyn Model>, FitError> {
        if fit.cancelled() {
            return Err(Cancelled.into());
        }
        fit_weighted(estimator, (&part.x, &part.y), self.task.classes, self.task.class_weights, self.task.seed, fit)
    }

    fn weights_of_classes(&self, estimator: &dyn Estimator, y: &[u32]) -> Result<Vec<f32>, FitError> {
        weights_for(estimator, self.task.classes, self.task.class_weights, y)
    }

    /// Of a fold, which is too much a part of the training to calibrate anything by: probabilities are set right by the weights alone.
    fn score(
        &self,
        model: &dyn Model,
        y: &[u32],
        mut probabilities: Matrix,
        weights: &[f32],
        progress: &dyn Progress,
    ) -> Result<(Scores, Matrix), Cancelled> {
        let is_probabilistic = model.is_probabilistic();
        let mut predicted = probabilities.argmax_rows();
        if is_probabilistic && !weights.is_empty() {
            let nothing = Matrix::zeros(0, self.task.classes.len());
            let own = Calibration::fit(Raw::Scores, &nothing, &[], weights, progress)?;
            own.apply(&mut probabilities);
        }
        if self.decides_by_costs(model, false) {
            predicted = decide_by(self.task.aims.scoring.costs.as_ref(), &probabilities);
        }
        let mut scores = Scores::new(self.task.classes, y, &predicted);
        if is_probabilistic {
            scores = scores.with_loss(y, &probabilities);
        }
        Ok((scores.with_metrics(y, &probabilities, &self.task.aims.scoring, is_probabilistic), probabilities))
    }
}

/// Fits on rows that count by their weights in `x` times those of their classes.
pub(super) fn fit_weighted(
    estimator: &dyn Estimator,
    (x, y): (&Features, &[u32]),
    classes: &[String],
    class_weights: &ClassWeights,
    seed: u64,
    progress: &dyn Progress,
) -> Result<Box<dyn Model>, FitError> {
    let weights = weights_for(estimator, classes, class_weights, y)?;
    if weights.is_empty() {
        return estimator.fit(x, y, classes.len(), seed, progress);
    }
    let each = y.iter().enumerate();
    let of_rows = each.map(|(row, &label)| x.weight(row) * f64::from(weights[label as usize])).collect();
    estimator.fit(&x.clone().with_weights(of_rows), y, classes.len(), seed, progress)
}

/// By class, for a fit on rows of these labels; empty where all classes count alike.
fn weights_for(
    estimator: &dyn Estimator,
    classes: &[String],
    class_weights: &ClassWeights,
    y: &[u32],
) -> Result<Vec<f32>, FitError> {
    if !estimator.heeds_weights() || *class_weights == ClassWeights::Named(NamedWeights::None) {
        return Ok(Vec::new());
    }
    weights_of_classes(class_weights, classes, y.iter().copied())
        .map_err(|error| FitError::ClassWeights(error.to_string()))
}
