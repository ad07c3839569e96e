//! `Input`: what one branch of a network is given for some rows.

use std::sync::Arc;

use super::encoder::Tokens;
use super::matrix::Matrix;

/// Some rows of a branch's input.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// rows × width numbers, or rows × 1 codes of categories.
    Matrix(Matrix),
    /// As tokens, for encoders that learn.
    Texts(Texts),
}

/// Texts for a branch that reads them with an encoder of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Texts {
    /// Each different text once.
    pub tokens: Arc<Tokens>,
    /// For each row the number of its text among `tokens`.
    pub of_row: Vec<u32>,
    /// Whether each vector is scaled to length 1, whatever the encoder does.
    pub normalize: bool,
    /// Multiplies every component of the vectors.
    pub factor: f32,
}

impl Input {
    pub(crate) fn rows(&self) -> usize {
        match self {
            Input::Matrix(matrix) => matrix.rows,
            Input::Texts(texts) => texts.of_row.len(),
        }
    }

    /// The rows at `indices`, in that order.
    pub(crate) fn take(&self, indices: &[usize]) -> Input {
        match self {
            Input::Matrix(matrix) => Input::Matrix(matrix.take(indices)),
            Input::Texts(texts) => {
                Input::Texts(Texts { of_row: indices.iter().map(|&i| texts.of_row[i]).collect(), ..texts.clone() })
            }
        }
    }
}

impl From<Matrix> for Input {
    fn from(matrix: Matrix) -> Self {
        Input::Matrix(matrix)
    }
}
