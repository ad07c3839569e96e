//! How a fitted model does without the values of its columns: `findings.json` of `inspect`.

use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::scores::Scores;
use crate::{Inputs, Part};

/// A model looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inspection {
    /// The part that was looked at.
    pub part: Part,
    /// Shufflings of each column.
    pub repeats: usize,
    /// Of the model as it is.
    pub scores: Scores,
    /// Accuracy above that of dealing the same predictions out at random, Σ P(truth = c) P(prediction = c): about 0 where the model guesses.
    pub beyond_chance: Drop,
    /// Every column alone, and all of a kind together; what costs most accuracy first.
    pub importance: Vec<Importance>,
    /// The columns that the model reads.
    pub inputs: Inputs,
}

/// How much a score suffers from one shuffling: larger is more important, about 0 is not important.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Importance {
    /// A column, or a kind of input.
    pub name: String,
    /// Those that are shuffled in one order.
    pub columns: Vec<String>,
    /// Fall of the accuracy.
    pub accuracy: Drop,
    /// Fall of the macro-F1.
    pub macro_f1: Drop,
    /// Rise of the log loss in nats.
    pub log_loss: Drop,
}

/// The mean over the repetitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Drop {
    /// Below 0 where the score got better.
    pub mean: f64,
    /// Standard deviation of the mean, had other rows (or groups of them) been drawn and shuffled otherwise.
    pub sd: f64,
}

impl Document for Inspection {
    const NAME: &'static str = "inspection";
    const VERSION: u32 = 2;
}
