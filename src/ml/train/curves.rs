//! `Curves`: what every epoch of a training looked like.

use serde::{Deserialize, Serialize};

use runner_results::{Metric, PartScores};

/// One row for each epoch; row 0 is the network before training. Losses in nats.
///
/// `train_*` and `valid_*` are taken after the epoch with the network as it predicts (no dropout, running statistics, no
/// smoothing; class weights taken back from the losses), so they can be compared with each other; `objective` is what training minimised.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Curves {
    /// Numbered from 1; 0 is the network before any step.
    pub epoch: Vec<u32>,
    /// Mean over the epoch's batches of the minimised loss, with dropout, smoothing and class weights; `train_loss` at
    /// epoch 0.
    pub(crate) objective: Vec<f64>,
    /// Of training rows, after each epoch, in nats.
    pub train_loss: Vec<f64>,
    /// Of validation rows, after each epoch, in nats.
    pub valid_loss: Vec<f64>,
    pub(crate) train_accuracy: Vec<f64>,
    /// Of validation rows, after each epoch.
    pub valid_accuracy: Vec<f64>,
    pub(crate) train_macro_f1: Vec<f64>,
    pub(crate) valid_macro_f1: Vec<f64>,
    /// Of validation rows, the metric by which the epoch is chosen, where it is none of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) valid_chosen_by: Option<(Metric, Vec<f64>)>,
    /// Of the epoch's last step; 0 at epoch 0.
    pub(crate) learning_rate: Vec<f64>,
    /// Mean over the epoch's steps of the gradient's Euclidean norm before clipping; 0 at epoch 0.
    pub(crate) gradient_norm: Vec<f64>,
    /// The largest of those norms.
    pub(crate) gradient_norm_max: Vec<f64>,
    /// Share of the epoch's steps whose gradient was longer than `clip_norm`.
    pub(crate) clipped: Vec<f64>,
}

/// What steps did in one epoch.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Steps {
    pub(crate) objective: f64,
    pub(crate) learning_rate: f64,
    pub(crate) gradient_norm: f64,
    pub(crate) gradient_norm_max: f64,
    pub(crate) clipped: f64,
}

impl Curves {
    pub(crate) fn push(&mut self, epoch: usize, steps: Steps, train: PartScores, valid: PartScores) {
        self.epoch.push(epoch as u32);
        self.objective.push(steps.objective);
        self.train_loss.push(train.loss);
        self.valid_loss.push(valid.loss);
        self.train_accuracy.push(train.accuracy);
        self.valid_accuracy.push(valid.accuracy);
        self.train_macro_f1.push(train.macro_f1);
        self.valid_macro_f1.push(valid.macro_f1);
        if let Some((metric, value)) = valid.chosen_by {
            self.valid_chosen_by.get_or_insert_with(|| (metric, Vec::new())).1.push(value);
        }
        self.learning_rate.push(steps.learning_rate);
        self.gradient_norm.push(steps.gradient_norm);
        self.gradient_norm_max.push(steps.gradient_norm_max);
        self.clipped.push(steps.clipped);
    }

    /// Rows, epoch 0 included.
    pub fn len(&self) -> usize {
        self.epoch.len()
    }

    /// Whether there is no epoch at all.
    pub fn is_empty(&self) -> bool {
        self.epoch.is_empty()
    }

    /// Every column but `epoch`, by its name.
    pub fn columns(&self) -> Vec<(String, &Vec<f64>)> {
        let own = [
            ("objective", &self.objective),
            ("train_loss", &self.train_loss),
            ("valid_loss", &self.valid_loss),
            ("train_accuracy", &self.train_accuracy),
            ("valid_accuracy", &self.valid_accuracy),
            ("train_macro_f1", &self.train_macro_f1),
            ("valid_macro_f1", &self.valid_macro_f1),
        ];
        let chosen_by = self.valid_chosen_by.iter().map(|(metric, values)| (valid_column(*metric), values));
        let steps = [
            ("learning_rate", &self.learning_rate),
            ("gradient_norm", &self.gradient_norm),
            ("gradient_norm_max", &self.gradient_norm_max),
            ("clipped", &self.clipped),
        ];
        let named = |(name, values): (&str, _)| (name.to_owned(), values);
        own.into_iter().map(named).chain(chosen_by).chain(steps.into_iter().map(named)).collect()
    }

    pub(crate) fn columns_mut(&mut self) -> Vec<(String, &mut Vec<f64>)> {
        let own = [
            ("objective", &mut self.objective),
            ("train_loss", &mut self.train_loss),
            ("valid_loss", &mut self.valid_loss),
            ("train_accuracy", &mut self.train_accuracy),
            ("valid_accuracy", &mut self.valid_accuracy),
            ("train_macro_f1", &mut self.train_macro_f1),
            ("valid_macro_f1", &mut self.valid_macro_f1),
            ("learning_rate", &mut self.learning_rate),
            ("gradient_norm", &mut self.gradient_norm),
            ("gradient_norm_max", &mut self.gradient_norm_max),
            ("clipped", &mut self.clipped),
        ];
        let chosen_by = self.valid_chosen_by.iter_mut().map(|(metric, values)| (valid_column(*metric), values));
        own.into_iter().map(|(name, values)| (name.to_owned(), values)).chain(chosen_by).collect()
    }

    /// The column of that name, to be filled; `None` where there is no such column.
    pub(crate) fn column_mut(&mut self, name: &str) -> Option<&mut Vec<f64>> {
        let chosen_by = Metric::ALL.into_iter().find(|metric| !metric.has_curve() && valid_column(*metric) == name);
        if let Some(metric) = chosen_by {
            return Some(&mut self.valid_chosen_by.insert((metric, Vec::new())).1);
        }
        self.columns_mut().into_iter().find(|(column, _)| column == name).map(|(_, values)| values)
    }

    /// Leaves the first rows, epoch 0 included.
    pub fn truncate(&mut self, rows: usize) {
        self.epoch.truncate(rows);
        self.columns_mut().into_iter().for_each(|(_, values)| values.truncate(rows));
    }

    /// The validation part's course of a metric.
    pub(crate) fn valid(&self, metric: Metric) -> &[f64] {
        match metric {
            Metric::Loss => &self.valid_loss,
            Metric::Accuracy => &self.valid_accuracy,
            Metric::MacroF1 => &self.valid_macro_f1,
            _ => self.valid_chosen_by.as_ref().filter(|(own, _)| *own == metric).map_or(&[], |(_, values)| values),
        }
    }

    /// The scores on the training part in a row.
    pub(crate) fn train_scores(&self, row: usize) -> PartScores {
        PartScores {
            loss: self.train_loss[row],
            accuracy: self.train_accuracy[row],
            macro_f1: self.train_macro_f1[row],
            chosen_by: None,
        }
    }

    /// The scores on the validation part in a row.
    pub(crate) fn valid_scores(&self, row: usize) -> PartScores {
        PartScores {
            loss: self.valid_loss[row],
            accuracy: self.valid_accuracy[row],
            macro_f1: self.valid_macro_f1[row],
            chosen_by: self.valid_chosen_by.as_ref().map(|(metric, values)| (*metric, values[row])),
        }
    }
}

fn valid_column(metric: Metric) -> String {
    format!("valid_{}", metric.key())
}
