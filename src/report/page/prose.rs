//! A run of text with strong words, code words and links to places of the page.

use super::html::Html;

/// Text made of pieces, each escaped when written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prose(Vec<Piece>);

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Plain(String),
    Strong(String),
    Code(String),
    Link { target: String, text: String },
}

impl Prose {
    pub(crate) fn new() -> Prose {
        Prose::default()
    }

    pub(crate) fn text(mut self, text: impl Into<String>) -> Prose {
        self.0.push(Piece::Plain(text.into()));
        self
    }

    pub(crate) fn strong(mut self, text: impl Into<String>) -> Prose {
        self.0.push(Piece::Strong(text.into()));
        self
    }

    pub(crate) fn code(mut self, text: impl Into<String>) -> Prose {
        self.0.push(Piece::Code(text.into()));
        self
    }

    /// A link to the section with that id.
    pub(crate) fn link(mut self, id: impl Into<String>, text: impl Into<String>) -> Prose {
        self.0.push(Piece::Link { target: id.into(), text: text.into() });
        self
    }

    /// True when nothing would show.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|piece| match piece {
            Piece::Plain(text) | Piece::Strong(text) | Piece::Code(text) => text.is_empty(),
            Piece::Link { text, .. } => text.is_empty(),
        })
    }

    pub(super) fn write(&self, out: &mut Html) {
        for piece in &self.0 {
            match piece {
                Piece::Plain(text) => out.text(text),
                Piece::Strong(text) => wrapped(out, "strong", text),
                Piece::Code(text) => wrapped(out, "code", text),
                Piece::Link { target, text } => {
                    out.raw("<a href=\"#");
                    out.text(target);
                    out.raw("\">");
                    out.text(text);
                    out.raw("</a>");
                }
            }
        }
    }
}

impl From<String> for Prose {
    fn from(text: String) -> Prose {
        Prose::new().text(text)
    }
}

impl From<&str> for Prose {
    fn from(text: &str) -> Prose {
        Prose::new().text(text)
    }
}

fn wrapped(out: &mut Html, tag: &str, text: &str) {
    out.raw(&format!("<{tag}>"));
    out.text(text);
    out.raw(&format!("</{tag}>"));
}
