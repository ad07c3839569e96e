//! `Trial`: a point of the space with what came of it.

use serde::{Deserialize, Serialize};

use super::space::Point;
use crate::train::{Curves, Metric, PartScores};

/// What a trial went through, up to its last epoch or to the rung that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    pub curves: Curves,
    /// The epoch whose weights are kept; none where the loss was never finite.
    pub best_epoch: Option<usize>,
    /// The epoch in which the loss stopped being finite, if it did.
    pub diverged: Option<usize>,
}

/// How a trial ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It had all its epochs, or stopped by its own early stopping.
    Complete,
    /// It was among the worse of its rung.
    Pruned,
    /// Its loss was not finite.
    Diverged,
}

/// One point of the space and its result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    pub index: usize,
    /// The searched parameters by path.
    pub params: Point,
    pub state: State,
    /// The scores of its kept epoch on the validation part; none where the loss was never finite.
    pub valid: Option<PartScores>,
    pub best_epoch: Option<usize>,
    /// Epochs that it had.
    pub epochs: usize,
    #[serde(skip)]
    pub curves: Curves,
}

impl Course {
    pub(super) fn nothing() -> Self {
        Course { curves: Curves::default(), best_epoch: None, diverged: None }
    }

    /// The scores of the kept epoch on the validation part.
    pub(super) fn scores(&self) -> Option<PartScores> {
        let curves = &self.curves;
        let row = curves.epoch.iter().position(|epoch| Some(*epoch as usize) == self.best_epoch)?;
        Some(PartScores {
            loss: curves.valid_loss[row],
            accuracy: curves.valid_accuracy[row],
            macro_f1: curves.valid_macro_f1[row],
        })
    }
}

impl Trial {
    /// By the metric, the larger the better; none where the loss was never finite.
    pub fn merit(&self, metric: Metric) -> Option<f64> {
        self.score(metric).map(|score| metric.merit(score))
    }

    pub(super) fn score(&self, metric: Metric) -> Option<f64> {
        self.valid.map(|scores| scores.get(metric)).filter(|score| score.is_finite())
    }

    /// A trial that stands at a rung counts as pruned there until it goes on.
    pub(super) fn of(index: usize, params: &Point, course: Course, rung: Option<usize>) -> Self {
        let valid = course.scores();
        let Course { curves, best_epoch, diverged } = course;
        let state = match (diverged, rung) {
            (Some(_), _) => State::Diverged,
            (None, Some(_)) => State::Pruned,
            (None, None) => State::Complete,
        };
        let epochs = curves.len().saturating_sub(1);
        Trial { index, params: params.clone(), state, valid, best_epoch, epochs, curves }
    }
}
