//! Trains networks: fits the preprocessing, runs the epochs, keeps the best one, and says what happened in curves.
//!
//! One training runs on one thread and gives the same bits every time; side by side they do not disturb each other.

mod average;
mod checkpoint;
mod class_weights;
mod curves;
mod encoders;
mod error;
mod optimizer;
mod run;
mod schedule;
mod stopping;
mod workers;

pub use checkpoint::Checkpoints;
pub(crate) use checkpoint::NoCheckpoints;
pub use class_weights::{class_named, unknown_classes, weights_of_classes};
pub use curves::Curves;
pub(crate) use encoders::begin_encoders;
pub use error::TrainError;
pub(crate) use run::{Examples, Job, Keep, Outcome, Restraint, logits, run};
pub use runner_results::Metric;
pub(crate) use runner_results::PartScores;
use runner_results::spec::Loss;
pub use runner_results::spec::TrainingSpec;
pub use stopping::Replay;
pub use stopping::replay;
pub use workers::{Common, side_by_side};

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod parity;
#[cfg(test)]
mod tests;

use super::frame::Frame;
use super::network::{Blueprint, Classifier, Network, NetworkSpec, Widths, on_one_thread};
use super::preprocess::{Preprocessing, Wishes};
use super::progress::Progress;
use runner_results::scores::Scoring;

/// Labelled rows and how they are divided. `train` and `valid` are indices of rows; other rows are never looked at.
#[derive(Clone, Copy)]
pub struct Data<'a> {
    /// The columns.
    pub frame: &'a Frame,
    /// Names of numeric columns.
    pub numeric: &'a [String],
    /// Names of vector columns, one branch each.
    pub text: &'a [String],
    /// Names of columns of categories, one branch each.
    pub categories: &'a [String],
    /// For each row of the frame an index into `classes`.
    pub labels: &'a [u32],
    /// Names of the labels.
    pub classes: &'a [String],
    /// For each row of the frame how much it counts in the loss; empty where all count alike.
    pub weights: &'a [f64],
    /// Indices of the training rows.
    pub train: &'a [usize],
    /// Indices of the validation rows.
    pub valid: &'a [usize],
    /// What a metric that chooses the epoch depends on; the positive class of two is the rarer one of the training rows unless given.
    pub scoring: &'a Scoring,
}

/// A trained network.
pub struct Fitted {
    /// The network of the best epoch.
    pub model: Classifier,
    /// One entry for each epoch.
    pub curves: Curves,
    /// The epoch whose weights are kept, by the early-stopping metric on the validation part.
    pub best_epoch: usize,
    /// The epoch in which the loss stopped being finite, if it did: the curves end before it.
    pub diverged: Option<usize>,
    /// Epochs that an earlier run had done and that were not computed again.
    pub resumed: usize,
}

/// Trains a network. The same data, specs and seed give the same bits, whatever the number of threads around it.
///
/// `progress` is told of every epoch; cancelling takes effect within a batch.
pub fn train(
    data: Data,
    network: &NetworkSpec,
    training: &TrainingSpec,
    seed: u64,
    progress: &dyn Progress,
) -> Result<Fitted, TrainError> {
    train_on(data, network, training, seed, &NoCheckpoints, progress)
}

/// The same, going on from the state that `checkpoints` holds and keeping its own there. They must belong to this data,
/// network and seed, and to this training's [`TrainingSpec::trajectory`].
pub fn train_on(
    data: Data,
    network: &NetworkSpec,
    training: &TrainingSpec,
    seed: u64,
    checkpoints: &dyn Checkpoints,
    progress: &dyn Progress,
) -> Result<Fitted, TrainError> {
    check_specs(network, training)?;
    data.check(training.loss)?;
    fit(data, network, training, None, seed, checkpoints, progress)
}

/// Trains on all rows of `train`, which may be all that there are: `epochs` long, as an earlier training of the same specs and seed found best. The schedule of
/// the learning rate is that training's, so that the two differ in nothing but their rows. A plateau is seen on the training rows.
pub fn refit(
    data: Data,
    network: &NetworkSpec,
    training: &TrainingSpec,
    epochs: usize,
    seed: u64,
    checkpoints: &dyn Checkpoints,
    progress: &dyn Progress,
) -> Result<Fitted, TrainError> {
    check_specs(network, training)?;
    data.check_training(training.loss)?;
    fit(data, network, training, Some(epochs), seed, checkpoints, progress)
}

fn fit(
    data: Data,
    network: &NetworkSpec,
    training: &TrainingSpec,
    epochs: Option<usize>,
    seed: u64,
    checkpoints: &dyn Checkpoints,
    progress: &dyn Progress,
) -> Result<Fitted, TrainError> {
    on_one_thread(|| {
        let preprocessing = data.fit_preprocessing(network)?;
        let blueprint = data.blueprint(network, &preprocessing)?;
        let mut net = Network::new(&blueprint, seed)?;
        let train = Examples::new(&data, &preprocessing, data.train)?;
        let valid = Examples::new(&data, &preprocessing, data.valid)?;
        begin_encoders(&mut net, &train.inputs, progress)?;
        let job = Job {
            train: &train,
            keep: epochs.map_or(Keep::Best(&valid), Keep::Epoch),
            classes: data.classes,
            scoring: data.scoring,
            spec: training,
            seed,
            restraint: Restraint::NONE,
        };
        let Outcome { curves, best_epoch, diverged, resumed } = run(&mut net, &job, checkpoints, progress)?;
        let model = Classifier::new(preprocessing, data.classes, net, training.loss.name());
        Ok(Fitted { model, curves, best_epoch, diverged, resumed })
    })
}

/// The first problem of either spec, with its path.
pub(crate) fn check_specs(network: &NetworkSpec, training: &TrainingSpec) -> Result<(), TrainError> {
    let network = network.problems().into_iter().map(|(path, message)| (format!("network.{path}"), message));
    let training = training.problems().into_iter();
    match network.chain(training).next() {
        Some((path, message)) => Err(TrainError::Parameter { path, message }),
        None => Ok(()),
    }
}

impl Data<'_> {
    /// Whether there is something to learn from and to choose by.
    pub(crate) fn check(&self, loss: Loss) -> Result<(), TrainError> {
        self.check_training(loss)?;
        if self.valid.is_empty() { Err(TrainError::NoRows { part: "validation" }) } else { Ok(()) }
    }

    /// Whether there is something to learn from, as that loss wants it.
    pub(crate) fn check_training(&self, loss: Loss) -> Result<(), TrainError> {
        if loss == Loss::Ordinal && !self.scoring.is_ordered {
            let message = "`ordinal` learns from the order of the classes, and these have none: name all of them beside `label`, the lowest first, e.g. `class_order: [poor, fair, good]`".to_owned();
            return Err(TrainError::Parameter { path: "loss".to_owned(), message });
        }
        if self.train.is_empty() {
            return Err(TrainError::NoRows { part: "training" });
        }
        if self.labels.len() != self.frame.rows {
            return Err(TrainError::Labels { labels: self.labels.len(), rows: self.frame.rows });
        }
        let mut rows = self.train.iter().chain(self.valid);
        if let Some(&row) = rows.find(|&&row| row >= self.frame.rows || self.labels[row] as usize >= self.classes.len())
        {
            return Err(TrainError::Row { row, rows: self.frame.rows, classes: self.classes.len() });
        }
        let mut counts = vec![0usize; self.classes.len()];
        self.train.iter().for_each(|&row| counts[self.labels[row] as usize] += 1);
        if counts.iter().filter(|&&count| count > 0).count() < 2 {
            let class = self.classes[self.labels[self.train[0]] as usize].clone();
            return Err(TrainError::SingleClass { class });
        }
        match counts.iter().position(|&count| count == 0) {
            Some(class) => Err(TrainError::UnseenClass { class: self.classes[class].clone() }),
            None => Ok(()),
        }
    }

    pub(crate) fn fit_preprocessing(&self, spec: &NetworkSpec) -> Result<Preprocessing, TrainError> {
        let least = |column: &String| {
            let own = spec.category_columns.get(column).and_then(|own| own.min_count);
            (column.clone(), own.unwrap_or(spec.categories.min_count))
        };
        let categories: Vec<(String, usize)> = self.categories.iter().map(least).collect();
        let wishes = Wishes {
            numeric: self.numeric,
            text: self.text,
            categories: &categories,
            scaling: spec.scaling,
            indicators: spec.missing_indicators,
            normalize: spec.text.normalize,
            adapted: &self.adapted(spec),
        };
        Ok(Preprocessing::fit(self.frame, wishes, self.train)?)
    }

    /// The text columns whose encoder the network adapts.
    pub(crate) fn adapted(&self, spec: &NetworkSpec) -> Vec<String> {
        self.text.iter().filter(|column| spec.adapt(column).is_some()).cloned().collect()
    }

    pub(crate) fn blueprint(&self, spec: &NetworkSpec, preprocessing: &Preprocessing) -> Result<Blueprint, TrainError> {
        let (text, categories) = (preprocessing.text_widths(), preprocessing.category_widths());
        let encoder = |name: &String| Some((name.clone(), self.frame.tokens(name)?.0.shape()));
        let encoders: Vec<_> = self.text.iter().filter_map(encoder).collect();
        let numeric = preprocessing.numeric_width();
        let widths = Widths { numeric, text: &text, encoders: &encoders, categories: &categories };
        Blueprint::new(spec, widths, self.classes.len())
            .map_err(|(path, message)| TrainError::Parameter { path: format!("network.{path}"), message })
    }
}
