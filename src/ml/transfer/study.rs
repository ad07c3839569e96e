//! One training of a transfer: its rows and their preparation, the first weights, what is held back, the scores.

use runner_results::Part;
use runner_results::transfer::{Action, Before, ClassGroup, GroupScores, TensorChange};

use super::findings::Findings;
use super::inputs::{part_of_new, widened};
use super::report::{StrategyRun, TransferReport, Variant, group_scores};
use super::spec::{NewRows, Strategy, TransferSpec};
use super::weight_transfer::{RowNames, transfer_weights};
use crate::network::{Blueprint, Classifier, Embedding, Network, Snapshot};
use crate::preprocess::Preprocessing;
use crate::progress::Progress;
use crate::stats::Clusters;
use crate::train::{
    Checkpoints, Data, Examples, Job, Keep, Outcome, Restraint, TrainError, TrainingSpec, begin_encoders, logits, run,
};

/// What all trainings of a transfer have in common.
pub(crate) struct Study<'a> {
    pub(crate) old: &'a Classifier,
    pub(crate) tensors: Snapshot,
    pub(crate) data: Data<'a>,
    pub(crate) test: &'a [usize],
    pub(crate) training: &'a TrainingSpec,
    pub(crate) spec: &'a TransferSpec,
}

/// What a training is given: rows, prepared.
pub(crate) struct Setting {
    preprocessing: Preprocessing,
    pub(crate) blueprint: Blueprint,
    train: Examples,
    valid: Examples,
    test: Examples,
    /// Training rows of new classes.
    new_rows: u64,
}

/// What a training leaves.
pub(crate) struct Trained {
    pub(crate) run: StrategyRun,
    pub(crate) tensors: Vec<TensorChange>,
    pub(crate) model: Option<Classifier>,
    pub(crate) resumed: usize,
}

impl Study<'_> {
    /// With a share of the new classes' rows, chosen by `seed`.
    pub(crate) fn setting(&self, share: f64, seed: u64) -> Result<Setting, TrainError> {
        let Study { old, data, spec, .. } = self;
        let rows = match share < 1.0 {
            true => part_of_new(data, old.classes(), share, seed),
            false => data.train.to_vec(),
        };
        let mut preprocessing = widened(old.preprocessing(), data, &rows, spec.min_count)?;
        let blueprint = match &spec.network {
            Some(network) => {
                let adapted = data.adapted(network);
                preprocessing.text.iter_mut().for_each(|column| column.adapted = adapted.contains(&column.name));
                data.blueprint(network, &preprocessing)?
            }
            None => widened_blueprint(old.blueprint(), &preprocessing, data.classes.len()),
        };
        let is_new = |row: &&usize| !old.classes().contains(&data.classes[data.labels[**row] as usize]);
        Ok(Setting {
            blueprint,
            train: Examples::new(data, &preprocessing, &rows)?,
            valid: Examples::new(data, &preprocessing, data.valid)?,
            test: Examples::new(data, &preprocessing, self.test)?,
            new_rows: rows.iter().filter(is_new).count() as u64,
            preprocessing,
        })
    }

    /// Starts a network as `variant` says, and trains it.
    fn fit(
        &self,
        variant: &Variant,
        setting: &Setting,
        keep: Keep,
        checkpoints: &dyn Checkpoints,
        progress: &dyn Progress,
    ) -> Result<(Network, Vec<TensorChange>, Outcome), TrainError> {
        let Study { old, data, spec, training, .. } = self;
        let Variant { strategy, seed, .. } = *variant;
        let mut net = Network::new(&setting.blueprint, seed)?;
        begin_encoders(&mut net, &setting.train.inputs, progress)?;
        let mut tensors = Vec::new();
        if strategy.copies() {
            let names = RowNames::new(&setting.blueprint, &setting.preprocessing, data.classes);
            let old_names = RowNames::new(old.blueprint(), old.preprocessing(), old.classes());
            tensors = transfer_weights((&self.tensors, &old_names), &mut net, &names, spec.new_rows, seed)?;
        }
        let restraint = match strategy {
            Strategy::Scratch | Strategy::Copy => Restraint::NONE,
            Strategy::Frozen => {
                check_frozen(&net, &tensors, spec)?;
                let until = spec.frozen_until(training.epochs);
                Restraint { frozen: spec.frozen_layers, until, ..Restraint::NONE }
            }
            Strategy::Discriminative => Restraint { rate: spec.layer_rate, ..Restraint::NONE },
        };
        let (classes, scoring) = (data.classes, data.scoring);
        let job = Job { train: &setting.train, keep, classes, scoring, spec: training, seed, restraint };
        let outcome = run(&mut net, &job, checkpoints, progress)?;
        Ok((net, tensors, outcome))
    }

    fn classifier(&self, setting: &Setting, network: Network) -> Classifier {
        Classifier::new(setting.preprocessing.clone(), self.data.classes, network, self.training.loss.name())
    }

    /// The network of `variant` on all rows, which none is held back of, `epochs` long.
    pub(crate) fn refit(
        &self,
        variant: &Variant,
        epochs: usize,
        checkpoints: &dyn Checkpoints,
        progress: &dyn Progress,
    ) -> Result<Classifier, TrainError> {
        let setting = self.setting(1.0, variant.seed)?;
        let (network, ..) = self.fit(variant, &setting, Keep::Epoch(epochs), checkpoints, progress)?;
        Ok(self.classifier(&setting, network))
    }

    pub(crate) fn train(
        &self,
        variant: &Variant,
        setting: &Setting,
        checkpoints: &dyn Checkpoints,
        progress: &dyn Progress,
    ) -> Result<Trained, TrainError> {
        let Study { old, data, .. } = self;
        let Variant { strategy, seed, share } = *variant;
        let (net, tensors, outcome) = self.fit(variant, setting, Keep::Best(&setting.valid), checkpoints, progress)?;
        let Outcome { curves, best_epoch, diverged, resumed } = outcome;
        let scores = |examples: &Examples| -> Result<(GroupScores, Vec<bool>), TrainError> {
            Ok(group_scores(data.classes, old.classes(), &examples.labels, &logits(&net, examples, progress)?))
        };
        let (valid, mut hits) = scores(&setting.valid)?;
        let mut test = None;
        if !self.test.is_empty() {
            let (scores, right) = scores(&setting.test)?;
            (test, hits) = (Some(scores), right);
        }
        let run = StrategyRun {
            strategy,
            seed,
            share,
            new_rows: setting.new_rows,
            curves,
            best_epoch,
            diverged,
            valid,
            test,
            hits,
        };
        Ok(Trained { run, tensors, model: Some(self.classifier(setting, net)), resumed })
    }

    pub(crate) fn report(
        &self,
        runs: Vec<StrategyRun>,
        share_runs: Vec<StrategyRun>,
        tensors: Vec<TensorChange>,
        groups: &[i64],
        seed: u64,
    ) -> Result<TransferReport, TrainError> {
        let mut before = vec![Before { part: Part::Valid, old_classes: self.before(self.data.valid)? }];
        if !self.test.is_empty() {
            before.push(Before { part: Part::Test, old_classes: self.before(self.test)? });
        }
        let metric = self.training.early_stopping.metric();
        let judged = if self.test.is_empty() { self.data.valid } else { self.test };
        let clusters = Clusters::of_rows(groups, judged);
        let findings = Findings { runs, share_runs, tensors, before, metric, clusters, seed };
        Ok(findings.report(self.old.classes(), self.data.classes, self.spec))
    }

    /// The old network on those of the rows that are of its classes.
    fn before(&self, rows: &[usize]) -> Result<ClassGroup, TrainError> {
        let Data { frame, labels, classes, .. } = self.data;
        let old = self.old.classes();
        let place = |row: &usize| old.iter().position(|class| *class == classes[labels[*row] as usize]);
        let known: Vec<usize> = rows.iter().copied().filter(|row| place(row).is_some()).collect();
        let truth: Vec<u32> = known.iter().filter_map(place).map(|class| class as u32).collect();
        let predicted = self.old.predict_rows(frame, &known)?;
        Ok(group_scores(old, old, &truth, &predicted).0.old_classes)
    }
}

/// The old shape with as many outputs and table rows as there now are classes and values.
fn widened_blueprint(old: &Blueprint, preprocessing: &Preprocessing, classes: usize) -> Blueprint {
    let mut wide = Blueprint { classes, ..old.clone() };
    let widths = preprocessing.category_widths();
    let mut rows = widths.iter().map(|(_, values)| *values);
    for branch in &mut wide.branches {
        if let Embedding::Table { values, .. } = &mut branch.embedding {
            *values = rows.next().unwrap_or(*values);
        }
    }
    wide
}

/// Layers that could not be copied must not be frozen: they would stay random.
fn check_frozen(network: &Network, tensors: &[TensorChange], spec: &TransferSpec) -> Result<(), TrainError> {
    let frozen = spec.frozen_layers;
    let stands = |tensor: &TensorChange| match tensor.action {
        Action::Copied => true,
        Action::RowsMatchedByValue => spec.new_rows == NewRows::Mean || tensor.old_shape == tensor.new_shape,
        _ => false,
    };
    let copied = |name: &str| tensors.iter().any(|tensor| tensor.tensor == name && stands(tensor));
    let mut layers = network.parameters().into_iter().filter(|p| p.level.is_some_and(|level| level < frozen));
    match layers.find(|parameter| !copied(&parameter.name)) {
        None => Ok(()),
        Some(parameter) => Err(TrainError::Parameter {
            path: "frozen_layers".into(),
            message: format!("'{}' cannot be copied from the old network and would stay random", parameter.name),
        }),
    }
}
