//! What every fit shares: its errors, the checks of its input, and classes that do not occur.

use thiserror::Error;

use super::encoding::{Encoding, Form};
use super::{ArrayError, Arrays, Estimator, Features, Model, Width};
use crate::matrix::Matrix;
use crate::preprocess::InputError;
use crate::progress::{Cancelled, Progress};

/// Why an estimator could not be fitted or evaluated.
#[derive(Debug, Error)]
#[allow(missing_docs, reason = "each message says what its values are")]
pub enum FitError {
    #[error("no rows to learn from: the training part is empty")]
    NoRows,
    #[error("no columns to learn from: name at least one numeric column")]
    NoColumns,
    #[error(
        "no n-gram of the texts occurs in enough of the {rows} training rows: lower `min_df` of `tfidf`, or name other columns too"
    )]
    NoGrams { rows: usize },
    #[error("only one class occurs in the {rows} training rows: a classifier needs at least two")]
    SingleClass { rows: usize },
    #[error("infinite value in row {row}, column {column} (counted from 0): replace it or leave it missing")]
    Infinite { row: usize, column: usize },
    #[error("label {label} of row {row} is not below the number of classes, {classes}")]
    Label { row: usize, label: u32, classes: usize },
    #[error("{classes} classes are too many: at most 65535 can be told apart")]
    TooManyClasses { classes: usize },
    #[error("{rows} rows but {labels} {what}: there must be one for each row")]
    Length { rows: usize, labels: usize, what: &'static str },
    #[error("row {row} is beyond the {rows} rows of the table")]
    RowIndex { row: usize, rows: usize },
    #[error("cross-validation needs at least 2 folds that hold rows, found {folds}")]
    Folds { folds: usize },
    #[error("{model}: {parameter} is {value}, but must be {range}")]
    Parameter { model: &'static str, parameter: &'static str, value: String, range: &'static str },
    #[error("no model is named: list at least one, e.g. `logistic: {{}}`")]
    NoModels,
    #[error("{0}")]
    ClassWeights(String),
    #[error("{model}, fold {fold}: {source}")]
    InFold { model: String, fold: usize, source: Box<FitError> },
    #[error("{model}: {source}")]
    InModel { model: String, source: Box<FitError> },
    #[error("cannot start {threads} threads: {reason}; ask for fewer")]
    Threads { threads: usize, reason: String },
    #[error(transparent)]
    Input(#[from] InputError),
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// The error of a parameter out of its range, unless it `holds`.
pub(super) fn require(
    holds: bool,
    model: &'static str,
    parameter: &'static str,
    value: impl std::fmt::Display,
    range: &'static str,
) -> Result<(), FitError> {
    if holds { Ok(()) } else { Err(FitError::Parameter { model, parameter, value: value.to_string(), range }) }
}

/// Refuses an infinite value. Missing values (NaN) pass.
pub(super) fn check_finite(x: &Features) -> Result<(), FitError> {
    match x.infinite() {
        Some((row, column)) => Err(FitError::Infinite { row, column }),
        None => Ok(()),
    }
}

/// Checks the input, numbers the classes that occur as `0..k`, calls `fit(x, labels, k)` with the categories and texts of `x` in that form, and gives the
/// classes that do not occur (as may happen in a fold) probability 0 in the model's predictions.
pub(super) fn fit_occurring(
    form: Form,
    (x, y, classes): (&Features, &[u32], usize),
    seed: u64,
    progress: &dyn Progress,
    fit: impl FnOnce(&Features, &[u32], usize) -> Result<Box<dyn Model>, FitError>,
) -> Result<Box<dyn Model>, FitError> {
    if x.rows == 0 {
        return Err(FitError::NoRows);
    }
    if x.width() == 0 {
        return Err(FitError::NoColumns);
    }
    if y.len() != x.rows {
        return Err(FitError::Length { rows: x.rows, labels: y.len(), what: "labels" });
    }
    if classes > usize::from(u16::MAX) {
        return Err(FitError::TooManyClasses { classes });
    }
    if let Some(row) = y.iter().position(|&label| label as usize >= classes) {
        return Err(FitError::Label { row, label: y[row], classes });
    }
    check_finite(x)?;
    if x.weights().contains(&0.0) {
        let counting: Vec<usize> = (0..x.rows).filter(|&row| x.weight(row) > 0.0).collect();
        let labels: Vec<u32> = counting.iter().map(|&row| y[row]).collect();
        return fit_occurring(form, (&x.take(&counting), &labels, classes), seed, progress, fit);
    }
    let fit = |y: &[u32], classes: usize| -> Result<Box<dyn Model>, FitError> {
        if (x.categories == 0 && x.texts.len() == 0) || form == Form::AsTheyAre {
            return fit(x, y, classes);
        }
        let (encoding, encoded) = Encoding::fit(form, x, y, classes, seed);
        progress.go_on()?;
        if encoded.width() == 0 {
            return Err(FitError::NoGrams { rows: x.rows });
        }
        Ok(Box::new(Encoded { inner: fit(&encoded, y, classes)?, encoding }))
    };

    let mut occurs = vec![false; classes];
    y.iter().for_each(|&label| occurs[label as usize] = true);
    let occurring: Vec<usize> = (0..classes).filter(|&class| occurs[class]).collect();
    match occurring.len() {
        1 => Err(FitError::SingleClass { rows: x.rows }),
        count if count == classes => fit(y, classes),
        count => {
            let mut number = vec![0; classes];
            for (k, &class) in occurring.iter().enumerate() {
                number[class] = k as u32;
            }
            let labels: Vec<u32> = y.iter().map(|&label| number[label as usize]).collect();
            let inner = fit(&labels, count)?;
            Ok(Box::new(Expanded { inner, occurring, classes }))
        }
    }
}

/// The array that a model of fewer classes than its data has beside its own.
const OCCURRING: &str = "occurring";

/// The model that `estimator` fitted, with `classes` in all, from what it wrote.
pub(super) fn restore(
    estimator: &dyn Estimator,
    mut arrays: Arrays,
    width: Width,
    classes: usize,
) -> Result<Box<dyn Model>, ArrayError> {
    let occurring = match arrays.has(OCCURRING) {
        true => Some(arrays.take_whole(OCCURRING, None, classes)?),
        false => None,
    };
    let count = occurring.as_ref().map_or(classes, Vec::len);
    if count < 2 {
        return Err(ArrayError::unfit(OCCURRING, format!("names {count} classes: a classifier has at least two")));
    }
    let encoding = Encoding::take(&mut arrays, width)?;
    let seen = encoding.as_ref().map_or(width, |encoding| encoding.width(width));
    let inner = estimator.restore(&mut arrays, seen, count)?;
    arrays.finish()?;
    let inner = match encoding {
        Some(encoding) => Box::new(Encoded { inner, encoding }),
        None => inner,
    };
    Ok(match occurring {
        None => inner,
        Some(occurring) => {
            let occurring = occurring.into_iter().map(|class| class as usize).collect();
            Box::new(Expanded { inner, occurring, classes })
        }
    })
}

/// A model of the classes that occurred in its training rows, seen as one of all classes.
struct Expanded {
    inner: Box<dyn Model>,
    /// `occurring[k]` is the class that `inner` calls `k`.
    occurring: Vec<usize>,
    classes: usize,
}

impl Model for Expanded {
    fn predict(&self, x: &Features, progress: &dyn Progress) -> Matrix {
        let inner = self.inner.predict(x, progress);
        let mut all = Matrix::zeros(x.rows, self.classes);
        for i in 0..x.rows {
            for (k, &class) in self.occurring.iter().enumerate() {
                all.row_mut(i)[class] = inner.get(i, k);
            }
        }
        all
    }

    fn is_probabilistic(&self) -> bool {
        self.inner.is_probabilistic()
    }

    fn put(&self, arrays: &mut Arrays) {
        self.inner.put(arrays);
        arrays.put_whole(OCCURRING, &self.occurring.iter().map(|&class| class as u32).collect::<Vec<_>>());
    }
}

/// A model of encoded categories and texts, seen as one of these themselves.
struct Encoded {
    inner: Box<dyn Model>,
    encoding: Encoding,
}

impl Model for Encoded {
    fn predict(&self, x: &Features, progress: &dyn Progress) -> Matrix {
        self.inner.predict(&self.encoding.apply(x), progress)
    }

    fn is_probabilistic(&self) -> bool {
        self.inner.is_probabilistic()
    }

    fn put(&self, arrays: &mut Arrays) {
        self.inner.put(arrays);
        self.encoding.put(arrays);
    }
}

/// Turns scores into probabilities in place: softmax, shifted by the largest score against
/// overflow.
pub(super) fn softmax(scores: &mut [f64]) {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - largest).exp();
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score /= sum);
}
