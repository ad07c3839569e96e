//! Classical baselines: fittable estimators, the models that they yield, and their cross-validated
//! evaluation.
//!
//! Every estimator takes rows (`Features`) with NaN for missing values and yields class probabilities. Categories reach trees as places, which
//! they split into sets, linear models, kernels and distances as columns of 0 and 1 (`encoding`, `categories`); naive Bayes counts them. Texts reach
//! linear models as sparse TF-IDF weights (`texts`), naive Bayes as counts of n-grams, and all others as the weights of those n-grams that tell most.
//! Its recipe (imputation, scaling, binning) is fitted on the rows that it is given and travels
//! inside the model. Results depend on the rows, the parameters and the seed, never on the number
//! of threads: work is cut into pieces of fixed size, and sums over pieces run in their order.
//!
//! | kind | file | counterpart in scikit-learn |
//! |---|---|---|
//! | `majority` | `majority.rs` | `DummyClassifier(strategy="prior")` |
//! | `logistic` | `logistic.rs` | `LogisticRegression` behind imputer and scaler |
//! | `linear_svm` | `linear_svm.rs` | `LinearSVC` behind imputer and scaler |
//! | `rbf_svm` | `rbf_svm.rs`, `smo.rs`, `kernel.rs` | `SVC` behind imputer and scaler |
//! | `knn` | `knn.rs` | `KNeighborsClassifier` behind imputer and scaler |
//! | `naive_bayes` | `naive_bayes.rs` | `GaussianNB` |
//! | `tree` | `decision_tree.rs` | `DecisionTreeClassifier` |
//! | `random_forest`, `extra_trees` | `forest.rs` | `RandomForestClassifier`, `ExtraTreesClassifier` |
//! | `ordinal_logistic` | `ordinal_logistic.rs` | statsmodels' `OrderedModel(distr="logit")`, with a penalty |
//! | `boosting` | `boosting.rs` | LightGBM's `LGBMClassifier` |
//!
//! A fitted model is kept as named arrays (`arrays`) beside a recipe (`fitted`).
//!
//! A new kind is one file here and one line in the list of `baselines.rs`.

pub(crate) mod arrays;
pub(crate) mod baselines;
pub(crate) mod boosting;
pub(crate) mod decision_tree;
pub(crate) mod evaluate;
pub(crate) mod features;
pub(crate) mod fitted;
pub(crate) mod forest;
pub(crate) mod knn;
pub(crate) mod linear_svm;
pub(crate) mod logistic;
pub(crate) mod majority;
pub(crate) mod naive_bayes;
pub(crate) mod ordinal_logistic;
pub(crate) mod rbf_svm;

mod categories;
mod class_totals;
mod design;
mod early_stopping;
mod encoding;
mod fit;
mod kernel;
pub(crate) mod lbfgs;
mod preprocess;
mod smo;
mod steps;
mod task;
#[cfg(test)]
mod tests;
mod texts;
mod trees;

pub use arrays::{ArrayError, Arrays};
pub use baselines::Baselines;
pub use boosting::Boosting;
pub use evaluate::{Evaluated, HeldOut, ModelPredictions, Timing, evaluate};
pub use features::Features;
pub use fit::FitError;
pub use fitted::{Fitted, Inputs};
pub use runner_results::baselines::Evaluation;
pub use task::{Aims, KeptFits, Task};
pub use texts::{CharacterGrams, TextOptions, WordGrams};

use crate::matmul;
use crate::matrix::Matrix;
use crate::progress::{Cancelled, Progress, Silent};

/// A kind of model with its parameters, ready to be fitted, e.g. `Knn { k: 25 }`.
///
/// ```
/// use runner_ml::classical::{Boosting, Estimator, Features};
/// use runner_ml::metrics::{FromProbabilities, Scores};
/// use runner_ml::progress::Silent;
///
/// let numbers: Vec<f64> = (0..200).map(|row| f64::from(row % 10)).collect();
/// let labels: Vec<u32> = (0..200).map(|row| u32::from(row % 10 >= 5)).collect();
/// let features = Features::new(200, 1, numbers, Vec::new());
/// let model = Boosting { rounds: 10, ..Boosting::default() }.fit(&features, &labels, 2, 7, &Silent)?;
/// let classes = ["low".to_owned(), "high".to_owned()];
/// let scores = Scores::from_probabilities(&classes, &labels, &model.predict_probabilities(&features));
/// assert_eq!(scores.accuracy, 1.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Estimator: Send + Sync {
    /// The key of the kind in a `models` block, e.g. `random_forest`.
    fn name(&self) -> &'static str;

    /// Whether rows count by their weights in its fits.
    fn heeds_weights(&self) -> bool {
        true
    }

    /// Whether what it fits is the log loss itself, or the shares of the classes: its probabilities are taken as they are unless the validation rows
    /// object. Votes of neighbours and leaves, and the products of naive Bayes, are far too sure of themselves.
    fn minimises_log_loss(&self) -> bool {
        false
    }

    /// Whether it learns from the order of the classes, so that it means nothing of classes without one.
    fn needs_order(&self) -> bool {
        false
    }

    /// All parameters with their defaults filled in, as an object.
    fn params(&self) -> serde_json::Value;

    /// Refuses a parameter that is out of its range, before any data is seen.
    fn check(&self) -> Result<(), FitError>;

    /// Fits on `x` (rows × columns, NaN = missing; categories by number) and `y` (one class below `classes` for each
    /// row). Rows of `x` count by their weights, where they have some; one of weight 0 is as though it were not there.
    ///
    /// A class that does not occur in `y` gets probability 0. Errors: a parameter out of range, no
    /// rows, no columns, fewer than two classes in `y`, an infinite value, or `Cancelled`.
    fn fit(
        &self,
        x: &Features,
        y: &[u32],
        classes: usize,
        seed: u64,
        progress: &dyn Progress,
    ) -> Result<Box<dyn Model>, FitError>;

    /// The model that an estimator with these parameters fitted, from what its `put` wrote: it predicts the same bits.
    ///
    /// `width` is that of the rows of the fit, `classes` those that occurred in it. Errors: arrays that are not such a model's.
    fn restore(&self, arrays: &mut Arrays, width: Width, classes: usize) -> Result<Box<dyn Model>, ArrayError>;
}

/// How wide the rows of a fit are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Width {
    /// Numbers and components of vectors.
    pub columns: usize,
    /// Columns of categories.
    pub categories: usize,
    /// Blocks of n-grams of texts.
    pub(crate) texts: usize,
    /// Columns that are mostly 0, which categories and texts are to linear models.
    pub(crate) sparse: usize,
}

/// A fitted predictor.
pub trait Model: Send + Sync {
    /// Class probabilities for `x` (rows × the columns of the fit, NaN = missing) as rows ×
    /// classes; each row sums to 1. Looks at `progress` between blocks of rows: once that is
    /// cancelled the rest is left out, and what is returned means nothing.
    ///
    /// Panics when `x` has another number of columns than the rows of the fit.
    fn predict(&self, x: &Features, progress: &dyn Progress) -> Matrix;

    /// The same, with an error where it was cancelled.
    fn predict_or_stop(&self, x: &Features, progress: &dyn Progress) -> Result<Matrix, Cancelled> {
        let probabilities = self.predict(x, progress);
        progress.go_on().map(|()| probabilities)
    }

    /// The same to the end.
    fn predict_probabilities(&self, x: &Features) -> Matrix {
        self.predict(x, &Silent)
    }

    /// False where the "probabilities" are only scores in the right order (the support vector
    /// machines), so that a log loss of them would mean nothing.
    fn is_probabilistic(&self) -> bool {
        true
    }

    /// Writes down all that `Estimator::restore` needs.
    fn put(&self, arrays: &mut Arrays);
}
