//! Static embeddings: a vector for each token of the vocabulary, a text's is their mean. As sentence-transformers'
//! StaticEmbedding or model2vec saves them; they differ in what becomes of unknown tokens (`tokens`).

use super::EncodeError;
use super::batches::{Engine, Session};
use super::weights::{Tensors, Weights};
use crate::progress::Cancelled;

pub(crate) struct StaticModel {
    /// rows × dim
    rows: Vec<f32>,
    dim: usize,
    /// The row of each token; several may share one.
    row_of: Option<Vec<usize>>,
    /// What the row of each token is multiplied with.
    scale: Option<Vec<f32>>,
    /// Number of tokens.
    vocabulary: usize,
}

impl StaticModel {
    pub(crate) fn load(weights: &Weights) -> Result<Self, EncodeError> {
        let tensors = weights.tensors()?;
        let name = name_of(&tensors);
        let [rows, dim] = tensors.shape(name)?[..] else {
            return Err(tensors.misfit(name, "it is not a table of tokens by dimensions"));
        };
        if rows == 0 || dim == 0 {
            return Err(tensors.misfit(name, "it is empty"));
        }
        let row_of = tensors.contains("mapping").then(|| tensors.integers("mapping")).transpose()?;
        if row_of.as_ref().is_some_and(|map| map.iter().any(|&row| row >= rows)) {
            return Err(tensors.misfit("mapping", &format!("it names rows beyond the {rows} of '{name}'")));
        }
        let vocabulary = row_of.as_ref().map_or(rows, Vec::len);
        let scale = tensors.contains("weights").then(|| tensors.get("weights", &[vocabulary])).transpose()?;
        Ok(StaticModel { rows: tensors.get(name, &[rows, dim])?, dim, row_of, scale, vocabulary })
    }

    pub(crate) fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    /// Whether the file is model2vec's rather than sentence-transformers' own.
    pub(crate) fn is_model2vec(weights: &Weights) -> Result<bool, EncodeError> {
        Ok(name_of(&weights.tensors()?) == MODEL2VEC)
    }
}

const MODEL2VEC: &str = "embeddings";

fn name_of(tensors: &Tensors) -> &'static str {
    if tensors.contains("embedding.weight") { "embedding.weight" } else { MODEL2VEC }
}

impl Engine for StaticModel {
    fn name(&self) -> &'static str {
        "static"
    }

    fn dim(&self) -> usize {
        self.dim
    }

    fn is_exact(&self) -> bool {
        true
    }

    fn session(&self) -> Box<dyn Session + '_> {
        Box::new(StaticSession(self))
    }
}

struct StaticSession<'a>(&'a StaticModel);

impl Session for StaticSession<'_> {
    fn run(&mut self, sequences: &[&[u32]], out: &mut [f32], cancelled: &dyn Fn() -> bool) -> Result<(), EncodeError> {
        if cancelled() {
            return Err(Cancelled.into());
        }
        let StaticSession(model) = self;
        for (tokens, out) in sequences.iter().zip(out.chunks_exact_mut(model.dim)) {
            out.fill(0.0);
            for &token in *tokens {
                let token = token as usize;
                let row = model.row_of.as_ref().map_or(token, |row_of| row_of[token]);
                let scale = model.scale.as_ref().map_or(1.0, |scale| scale[token]);
                for (out, value) in out.iter_mut().zip(&model.rows[row * model.dim..]) {
                    *out += scale * value;
                }
            }
            let count = tokens.len().max(1) as f32;
            out.iter_mut().for_each(|value| *value /= count);
        }
        Ok(())
    }
}
