//! Teaches a trained network new classes from new rows, in several ways that differ in nothing but their first weights
//! and what stands still: from scratch, from a copy, from a copy with frozen first layers.
//!
//! Preprocessing is the old network's for every strategy, so that copied weights see the units that they learnt.
//! Knows nothing of where rows come from, nor of test parts: the caller scores the models that are handed out.

mod compare;
mod graft;
mod report;
mod spec;
mod student;
#[cfg(test)]
mod tests;

pub use graft::{Action, TensorReport};
pub use report::{ClassGroup, Comparison, StrategyRun, TransferReport, score_groups};
pub use spec::{NewRows, Strategy, TransferSpec};

use super::network::{Blueprint, Classifier, Network, NetworkSpec, on_one_thread};
use super::progress::Progress;
use super::train::{
    Checkpoints, Common, Data, Examples, Freeze, Job, Outcome, TrainError, TrainingSpec, check_specs, predict, run,
    side_by_side,
};
use graft::graft;

/// All trainings of a transfer.
pub struct TransferResult {
    /// Curves, scores, comparisons and comments; the same bytes for any number of threads.
    pub report: TransferReport,
    /// The network of each of `report.runs`.
    pub models: Vec<Classifier>,
    /// For each of `report.runs` the epochs that an earlier run had done.
    pub resumed: Vec<usize>,
}

/// How the trainings are carried out.
#[derive(Clone, Copy)]
pub struct Execution<'a> {
    /// Of the first training of each strategy; the next one has the next number.
    pub seed: u64,
    pub threads: usize,
    /// Where the training of a strategy with a seed keeps its state.
    pub checkpoints: &'a (dyn Fn(Strategy, u64) -> Box<dyn Checkpoints + 'a> + Sync),
    pub progress: &'a dyn Progress,
}

impl TransferResult {
    /// The best strategy's best network, chosen on the validation part.
    pub fn best_model(&self) -> &Classifier {
        &self.models[self.report.best]
    }
}

/// Trains every strategy with every seed, `execution.threads` at a time.
///
/// `data` has the new list of classes, in any order; its columns must be the old network's.
pub fn transfer(
    old: &Classifier,
    data: Data,
    training: &TrainingSpec,
    spec: &TransferSpec,
    execution: Execution,
) -> Result<TransferResult, TrainError> {
    let Execution { seed, threads, checkpoints, progress } = execution;
    check_specs(spec.network.as_ref().unwrap_or(&NetworkSpec::default()), training)?;
    if let Some((path, message)) = spec.problems().into_iter().next() {
        return Err(TrainError::Parameter { path, message });
    }
    data.check()?;
    check_columns(old, &data)?;
    let blueprint = match &spec.network {
        Some(network) => data.blueprint(network, old.preprocessing())?,
        None => Blueprint { classes: data.classes.len(), ..old.blueprint().clone() },
    };
    if spec.strategies.contains(&Strategy::Frozen) && spec.frozen_layers > blueprint.levels() {
        return Err(TrainError::Parameter {
            path: "frozen_layers".into(),
            message: format!("{} of {} hidden layers cannot be frozen", spec.frozen_layers, blueprint.levels()),
        });
    }
    let train = Examples::new(&data, old.preprocessing(), data.train)?;
    let valid = Examples::new(&data, old.preprocessing(), data.valid)?;
    let old_tensors = old.tensors()?;
    let common = Common::new(progress, spec.strategies.len() * spec.seeds, training.epochs);
    let one = |index: usize| -> Result<(StrategyRun, Vec<TensorReport>, Classifier, usize), TrainError> {
        let (strategy, seed_index) = (spec.strategies[index / spec.seeds], index % spec.seeds);
        let seed = seed.wrapping_add(seed_index as u64);
        let share = common.share(format!("{} {}/{}", strategy.name(), seed_index + 1, spec.seeds), training.epochs);
        let mut net = Network::new(&blueprint, seed)?;
        let tensors = match strategy {
            Strategy::Scratch => Vec::new(),
            Strategy::Copy | Strategy::Frozen => {
                graft(&old_tensors, old.classes(), &mut net, data.classes, spec.new_rows, seed)?
            }
        };
        if strategy == Strategy::Frozen {
            check_frozen(&net, &tensors, spec.frozen_layers)?;
        }
        let freeze = match strategy {
            Strategy::Frozen => Freeze { levels: spec.frozen_layers, until: spec.release_epoch },
            _ => Freeze::NONE,
        };
        let job = Job { train: &train, valid: &valid, classes: data.classes, spec: training, seed, freeze };
        let place = checkpoints(strategy, seed);
        let Outcome { curves, best_epoch, diverged, resumed } = run(&mut net, &job, place.as_ref(), &share)?;
        share.finish("done");
        let predicted = predict(&net, &valid)?;
        let model = Classifier::new(old.preprocessing().clone(), data.classes, net, training.loss.name());
        let (scores, old_classes, new_classes) = score_groups(data.classes, old.classes(), &valid.labels, &predicted);
        let run = StrategyRun { strategy, seed, curves, best_epoch, diverged, valid: scores, old_classes, new_classes };
        Ok((run, tensors, model, resumed))
    };
    let count = spec.strategies.len() * spec.seeds;
    let all = side_by_side(count, threads, |index| on_one_thread(|| one(index)))?;
    let mut runs = Vec::with_capacity(count);
    let mut models = Vec::with_capacity(count);
    let mut known = Vec::with_capacity(count);
    let mut tensors = Vec::new();
    for (run, report, model, resumed) in all {
        if tensors.is_empty() {
            tensors = report;
        }
        runs.push(run);
        models.push(model);
        known.push(resumed);
    }
    let report = compare::compare(runs, tensors, old.classes(), data.classes, training.early_stopping.metric, spec);
    Ok(TransferResult { report, models, resumed: known })
}

/// The old network's inputs are the new one's: other columns asked for would silently be left out.
fn check_columns(old: &Classifier, data: &Data) -> Result<(), TrainError> {
    let inputs = old.preprocessing();
    let numeric = inputs.numeric.iter().map(|column| column.name.as_str());
    let text = inputs.text.iter().map(|column| column.name.as_str());
    let same = |ours: Vec<&str>, theirs: &[String], what: &str| match ours.iter().eq(theirs.iter()) {
        true => Ok(()),
        false => Err(TrainError::Parameter {
            path: what.into(),
            message: format!("the old network reads {ours:?}, not {theirs:?}"),
        }),
    };
    same(numeric.collect(), data.numeric, "numeric")?;
    same(text.collect(), data.text, "text")?;
    same(inputs.categories.iter().map(|column| column.name.as_str()).collect(), data.categories, "categories")
}

/// Layers that could not be copied must not be frozen: they would stay random.
fn check_frozen(network: &Network, tensors: &[TensorReport], frozen: usize) -> Result<(), TrainError> {
    let stands = |name: &str| tensors.iter().any(|t| t.tensor == name && t.action == Action::Copied);
    let mut layers = network.parameters().into_iter().filter(|p| p.level.is_some_and(|level| level < frozen));
    match layers.find(|parameter| !stands(&parameter.name)) {
        None => Ok(()),
        Some(parameter) => Err(TrainError::Parameter {
            path: "frozen_layers".into(),
            message: format!("'{}' cannot be copied from the old network and would stay random", parameter.name),
        }),
    }
}
