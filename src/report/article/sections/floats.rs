//! Paragraphs, tables and figures in the article's language.

use super::{ArticleContext, methods};
use crate::article::document::{Align, Block, Body, Column, Float, Table};
use crate::article::markup;
use crate::article::text::Text;
use crate::figure::Drawing;
use crate::read::StageArtifacts;
use crate::study::figures::in_colours;

impl ArticleContext<'_> {
    /// Sentences as a paragraph; nothing without any.
    pub(super) fn paragraph(&self, sentences: impl IntoIterator<Item = Option<String>>) -> Option<Block> {
        let sentences: Vec<String> = sentences.into_iter().flatten().filter(|one| !one.is_empty()).collect();
        (!sentences.is_empty()).then(|| Block::Paragraph(self.text(&sentences.join(" "))))
    }

    /// Markup of this crate's own as text, with the language's spaces.
    pub(crate) fn text(&self, source: &str) -> Text {
        let mut text = markup::inline(source);
        text.map_plain(&|plain| self.voice.typography(plain));
        text
    }

    pub(super) fn table(&self, label: &str, caption: &str, heads: &[(&str, Align)], rows: Vec<Vec<String>>) -> Float {
        let columns = heads.iter().map(|(title, align)| Column { title: self.text(title), align: *align }).collect();
        let rows = rows.into_iter().map(|row| row.iter().map(|cell| self.text(cell)).collect()).collect();
        Float {
            label: label.to_owned(),
            caption: self.text(caption),
            body: Body::Table(Table { columns, rows, ruled: Vec::new() }),
        }
    }

    pub(super) fn figure(&self, label: &str, caption: &str, drawings: Vec<Drawing>, share: f64) -> Float {
        let drawn = drawings.into_iter().map(|drawing| self.own_words(drawing.without_heading())).collect();
        Float { label: label.to_owned(), caption: self.text(caption), body: Body::Figure { drawings: drawn, share } }
    }

    /// The drawings of the report that a stage has under these names, or names that begin so; line charts as wide as it is asked for.
    pub(super) fn drawings(&self, stage: &StageArtifacts, names: &[&str], width: Option<f64>) -> Vec<Drawing> {
        let all = in_colours(stage, self.study.palette.clone(), false, width);
        let found = names.iter().filter_map(|wanted| all.iter().find(|(name, _)| name.starts_with(wanted)));
        found.map(|(_, drawing)| drawing.clone()).collect()
    }

    /// A figure of the report in the article's language.
    pub(super) fn own_words(&self, mut drawing: Drawing) -> Drawing {
        let voice = self.voice;
        drawing.change_texts(&|text| {
            let own = if voice.is_french() { methods::french_label(text) } else { None };
            own.unwrap_or_else(|| voice.label(text))
        });
        drawing
    }
}
