//! Which rows a TF-IDF vocabulary was fitted on: a promise that preprocessing saw the training part alone holds only where this says so.

use runner_results::encoder::{EncoderRecipe, Encoders, TfidfOptions};

use super::read::StageArtifacts;
use super::study::Study;

/// The rows behind an `embed` stage's input `fit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FittedOn {
    /// The training part of a split.
    TrainingPart,
    /// Rows that a split may hold back, by the output that has them, e.g. `rows`.
    MoreRows(String),
}

impl FittedOn {
    /// `None` for a stage that fits nothing: a pretrained encoder learns nothing here.
    pub(crate) fn of(study: &Study, stage: &StageArtifacts) -> Option<FittedOn> {
        let mut encoders = stage.documents.get::<Encoders>()?.columns.values();
        let fits = encoders.any(|encoder| matches!(encoder.recipe, EncoderRecipe::Tfidf(_)));
        let (_, source) = stage.inputs.iter().find(|(port, _)| port == "fit").filter(|_| fits)?;
        let (from, port) = match source.rsplit_once('.') {
            Some((from, port)) => (from, port),
            None => (source.as_str(), ""),
        };
        // A file of a `load` stage may be called `train` as well; of a stage that is not told of, what it gives as such is taken for a part.
        let is_training = port == "train" && study.kind_of(from).is_none_or(|kind| kind == "split");
        // All rows of a stage are called as the stage is.
        let rows = if port == "rows" { from } else { source };
        Some(if is_training { FittedOn::TrainingPart } else { FittedOn::MoreRows(rows.to_owned()) })
    }
}

/// What a vocabulary is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ngrams {
    Words,
    Characters,
    Both,
}

impl Ngrams {
    pub(crate) fn of(options: &TfidfOptions) -> Ngrams {
        match (options.word_ngrams[1] > 0, options.char_ngrams[1] > 0) {
            (true, false) => Ngrams::Words,
            (false, true) => Ngrams::Characters,
            _ => Ngrams::Both,
        }
    }
}
