//! Running text of an article: pieces with emphasis, code, links, references to figures, tables and sections, and citations.

use super::math::Formula;

/// Text made of pieces.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Text(pub Vec<Piece>);

/// A run of text.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece {
    /// Without emphasis.
    Plain(String),
    /// Italic.
    Emphasis(Text),
    /// Bold.
    Strong(Text),
    /// In a typewriter face.
    Code(String),
    /// To a page of the web.
    Link {
        /// Where it leads.
        url: String,
        /// What is shown.
        text: String,
    },
    /// To a figure, table or section by its label, e.g. `fig:curves`.
    Reference(String),
    /// Of works, by their keys in the bibliography.
    Citation(Vec<String>),
    /// Within the line.
    Math(Formula),
}

impl Text {
    pub(crate) fn plain(text: impl Into<String>) -> Text {
        Text(vec![Piece::Plain(text.into())])
    }

    /// Applies `see` to every piece, also within others.
    pub(crate) fn visit(&self, see: &mut dyn FnMut(&Piece)) {
        for piece in &self.0 {
            see(piece);
            if let Piece::Emphasis(inner) | Piece::Strong(inner) = piece {
                inner.visit(see);
            }
        }
    }

    /// The same with every plain text changed, e.g. by a language's typography.
    pub(crate) fn map_plain(&mut self, change: &dyn Fn(&str) -> String) {
        for piece in &mut self.0 {
            match piece {
                Piece::Plain(text) => *text = change(text),
                Piece::Emphasis(inner) | Piece::Strong(inner) => inner.map_plain(change),
                Piece::Link { text, .. } => *text = change(text),
                Piece::Code(_) | Piece::Reference(_) | Piece::Citation(_) | Piece::Math(_) => {}
            }
        }
    }

    /// The same with every text that a reader sees changed, names in a fixed font too.
    #[cfg(feature = "pdf")]
    pub(crate) fn map_shown(&mut self, change: &dyn Fn(&str) -> String) {
        for piece in &mut self.0 {
            match piece {
                Piece::Plain(text) | Piece::Code(text) | Piece::Link { text, .. } => *text = change(text),
                Piece::Emphasis(inner) | Piece::Strong(inner) => inner.map_shown(change),
                Piece::Reference(_) | Piece::Citation(_) | Piece::Math(_) => {}
            }
        }
    }

    /// Without any markup, e.g. for an estimate of its length.
    pub fn letters(&self) -> String {
        let mut letters = String::new();
        self.visit(&mut |piece| match piece {
            Piece::Plain(text) | Piece::Code(text) | Piece::Link { text, .. } => letters.push_str(text),
            Piece::Reference(_) => letters.push_str("Fig. 1"),
            Piece::Citation(keys) => letters.push_str(&"[10]".repeat(keys.len())),
            Piece::Math(formula) => letters.push_str(&formula.plain()),
            Piece::Emphasis(_) | Piece::Strong(_) => {}
        });
        letters
    }
}

/// A sentence begins with a capital, unless with a name in a fixed font.
pub(crate) fn upper(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}
