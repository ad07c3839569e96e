//! Teaches a trained network new classes from new rows, in several ways that differ in nothing but their first weights
//! and what is held back: from scratch, from a copy, from a copy with frozen first layers or with slower ones.
//!
//! Preprocessing is the old network's for every strategy, so that copied weights see the units that they learnt.

mod compare;
mod findings;
mod inputs;
mod judge;
mod report;
mod shapes;
mod spec;
mod study;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod verdicts;
mod weight_transfer;

pub use report::{StrategyRun, TransferReport, Variant};
pub use shapes::first_uncopied;
pub use spec::{NewRows, Share, Strategy, TransferSpec};

use super::network::{Classifier, NetworkSpec, on_one_thread};
use super::progress::Progress;
use super::train::{Checkpoints, Common, Data, TrainError, TrainingSpec, check_specs, side_by_side};
use study::{Study, Trained};

/// All trainings of a transfer.
pub struct TransferResult {
    /// Curves, scores, comparisons and findings; the same for any number of threads.
    pub report: TransferReport,
    /// The network of each of `report.runs`.
    pub models: Vec<Classifier>,
    /// Epochs of all trainings that an earlier run had done.
    pub resumed: usize,
}

/// How the trainings are carried out.
#[derive(Clone, Copy)]
pub struct Execution<'a> {
    /// Of the first training of each strategy; the next one has the next number.
    pub seed: u64,
    /// How many trainings run side by side.
    pub threads: usize,
    /// For each row of the frame a number that rows share that belong together; empty where every row stands alone.
    pub groups: &'a [i64],
    /// Where a training keeps its state.
    pub checkpoints: &'a (dyn Fn(&Variant) -> Box<dyn Checkpoints + 'a> + Sync),
    /// Told of epochs, and asked whether to stop.
    pub progress: &'a dyn Progress,
}

impl TransferResult {
    /// The best strategy's best network, chosen on the validation part.
    #[cfg(test)]
    pub(crate) fn best_model(&self) -> &Classifier {
        &self.models[self.report.best]
    }
}

/// Trains every strategy with every seed (and every share of the new rows), `execution.threads` at a time.
///
/// `data` has the new list of classes, in any order; its columns must be the old network's. Rows of `test` are scored by the
/// networks that were kept; nothing is chosen by them.
pub fn transfer(
    old: &Classifier,
    data: Data,
    test: &[usize],
    training: &TrainingSpec,
    spec: &TransferSpec,
    execution: Execution,
) -> Result<TransferResult, TrainError> {
    let Execution { seed, threads, groups, checkpoints, progress } = execution;
    check_specs(spec.network.as_ref().unwrap_or(&NetworkSpec::default()), training)?;
    if let Some((path, message)) = spec.problems().into_iter().next() {
        return Err(TrainError::Parameter { path, message });
    }
    data.check(training.loss)?;
    let classes = data.classes.len();
    let is_known = |row: usize| row < data.frame.rows && (data.labels[row] as usize) < classes;
    if let Some(&row) = test.iter().find(|row| !is_known(**row)) {
        return Err(TrainError::Row { row, rows: data.frame.rows, classes });
    }
    check_columns(old, &data)?;
    let study = Study { old, tensors: old.tensors()?, data, test, training, spec };
    let all_rows = study.setting(1.0, seed)?;
    let levels = all_rows.blueprint.levels();
    if spec.strategies.contains(&Strategy::Frozen) && spec.frozen_layers > levels {
        return Err(TrainError::Parameter {
            path: "frozen_layers".into(),
            message: format!("{} of {levels} hidden layers cannot be frozen", spec.frozen_layers),
        });
    }
    let variants = spec.variants(seed);
    let common = Common::new(progress, variants.len(), training.epochs);
    let one = |variant: &Variant| -> Result<Trained, TrainError> {
        let whole = variant.share == 1.0;
        let part = if whole { None } else { Some(study.setting(variant.share, variant.seed)?) };
        let share = common.share(spec.title(variant, seed), training.epochs);
        let mut trained =
            study.train(variant, part.as_ref().unwrap_or(&all_rows), checkpoints(variant).as_ref(), &share)?;
        share.finish("done");
        trained.model = trained.model.filter(|_| whole);
        Ok(trained)
    };
    let all = side_by_side(variants.len(), threads, |index| on_one_thread(|| one(&variants[index])))?;
    let mut runs = Vec::with_capacity(all.len());
    let mut models = Vec::new();
    let mut tensors = Vec::new();
    let mut resumed = 0;
    for trained in all {
        if tensors.is_empty() {
            tensors = trained.tensors;
        }
        resumed += trained.resumed;
        models.extend(trained.model);
        runs.push(trained.run);
    }
    let share_runs = runs.split_off(models.len());
    let report = study.report(runs, share_runs, tensors, groups, seed)?;
    Ok(TransferResult { report, models, resumed })
}

/// Trains one network of an earlier transfer again, on all rows of `data.train`, which may be all that there are: from the same old network, or a better one of
/// the same columns, by the strategy and seed of `variant`, `epochs` long.
pub fn refit(
    old: &Classifier,
    data: Data,
    training: &TrainingSpec,
    spec: &TransferSpec,
    (variant, epochs): (&Variant, usize),
    checkpoints: &dyn Checkpoints,
    progress: &dyn Progress,
) -> Result<Classifier, TrainError> {
    check_specs(spec.network.as_ref().unwrap_or(&NetworkSpec::default()), training)?;
    data.check_training(training.loss)?;
    check_columns(old, &data)?;
    let study = Study { old, tensors: old.tensors()?, data, test: &[], training, spec };
    on_one_thread(|| study.refit(variant, epochs, checkpoints, progress))
}

impl TransferSpec {
    /// Strategy after strategy with all rows, each with all its seeds; then the same for each lesser share.
    fn variants(&self, seed: u64) -> Vec<Variant> {
        let shares = std::iter::once(&1.0).chain(&self.shares);
        let variant = |share: f64, strategy: Strategy, index: usize| Variant {
            strategy,
            seed: seed.wrapping_add(index as u64),
            share,
        };
        let strategies = &self.strategies;
        shares
            .flat_map(|share| strategies.iter().map(move |strategy| (*share, *strategy)))
            .flat_map(|(share, strategy)| (0..self.seeds).map(move |index| variant(share, strategy, index)))
            .collect()
    }

    /// What progress calls a training.
    fn title(&self, variant: &Variant, first_seed: u64) -> String {
        let number = variant.seed.wrapping_sub(first_seed) + 1;
        let share = if variant.share < 1.0 { format!(" at {} %", 100.0 * variant.share) } else { String::new() };
        format!("{}{share} {number}/{}", variant.strategy.name(), self.seeds)
    }
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
