//! Reports: figures, pages, and the page that tells a whole study.
//!
//! Everything here is a pure function from artifacts that were read already to text. It prints nothing, opens nothing
//! and does not know how the numbers were computed, nor what a pipeline or a cache is.

pub mod article;
pub mod audit;
mod characters;
pub mod compared;
mod confused;
pub mod diagnosis;
pub mod figure;
mod fitting;
pub mod importance;
pub mod intervals;
mod judged;
pub mod leaks;
pub mod page;
pub mod ranking;
mod read;
pub mod search;
mod statistics;
mod study;
pub mod transfer;
pub mod variations;

pub use confused::{Confused, MOST_CLASSES};
pub use figure::text::{counted, noun};
pub use judged::{at_threshold, costs_told, part_name, score_line, scores_in_words, threshold_told};
pub use read::{ColumnView, Delivered, StageArtifacts, TableView, shown};
pub use study::{
    Repeated, Spread, all_figures, confusion_sentence, figures, learning_curves, models_to_use, repeated, study,
};

/// What the fonts of the figures' PDFs lack; `None` where they have everything.
pub fn pdfs_lack(figures: &[(String, figure::Drawing)]) -> Option<String> {
    let mut missing = characters::Missing::default();
    figures.iter().for_each(|(_, drawing)| drawing.missing(&figure::Drawing::pdf_lacks, &mut missing));
    (!missing.is_empty()).then(|| {
        format!(
            "the fonts of the figures' PDFs lack {}: they are numbered there, [1], with a legend below; report.html and the SVG files show them",
            missing.told()
        )
    })
}

/// Why a report cannot be made. Missing or odd values are no errors: the block that needs them is left out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// There is nothing to show.
    #[error("the report has no stage to tell of: name at least one stage as its input")]
    NoStages,
    /// Two stages have this name.
    #[error("two stages of the report are named '{0}': stage names must be unique")]
    DuplicateStage(String),
}
