//! One thing that is wrong with a pipeline, and its place.

use super::node::Node;
use super::source::Span;

/// Problems beyond this are found but not advised upon (no "did you mean", no list of what there is): fewer are shown, and to compare
/// each of thousands of names with thousands of others takes minutes.
pub const MOST_ADVISED: usize = 100;

/// One finding, e.g. an unknown key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Problem {
    /// The offending value or key; `None` when nothing written is at fault (an unreadable file).
    pub span: Option<Span>,
    /// A lower-case fragment with the value, e.g. `unknown key 'optimzer'`.
    pub message: String,
    /// Shown behind the carets.
    pub label: Option<String>,
    /// What to do.
    pub help: Option<String>,
    /// A second place that matters, with its label, e.g. the first of two equal keys.
    pub related: Option<(Span, String)>,
    /// What the finding is about, e.g. `variable data`: findings about one thing are one mistake, told once with all its places.
    pub about: Option<String>,
    /// The other places of the same mistake.
    pub also: Vec<Span>,
    /// Nothing more is to be said of the value there, which was replaced so that the rest could be read.
    pub conclusive: bool,
    /// A file that a stage reads is not there, cannot be read, or does not hold a column that is named: what was computed from it earlier can be
    /// looked at all the same.
    pub is_of_source: bool,
}

impl Problem {
    /// At a place, or without one.
    pub fn new(span: impl Into<Option<Span>>, message: impl Into<String>) -> Self {
        Problem {
            span: span.into(),
            message: message.into(),
            label: None,
            help: None,
            related: None,
            about: None,
            also: Vec::new(),
            conclusive: false,
            is_of_source: false,
        }
    }

    /// A finding about a value, at the place where it is used. If a variable supplied it, with that variable and where it is set: one variable
    /// that does not fit is one mistake, wherever it is used.
    pub fn of(node: &Node, message: impl Into<String>) -> Self {
        Problem::new(node.span, message).supplied(node)
    }

    /// As [`Problem::of`], for a finding with a place of its own.
    pub(super) fn supplied(mut self, node: &Node) -> Self {
        if let Some(origin) = &node.origin {
            let (variable, set) = (&origin.variable, origin.span);
            let about = format!("variable {variable} at {}:{}: {}", set.file, set.start.offset, self.message);
            self = self.related(set, format!("'{variable}' is set here"));
            self.about.get_or_insert(about);
        }
        self
    }

    /// Says beside the place what is wrong there, in place of the message.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Adds a remedy.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// As [`Problem::help`], where there is one.
    pub fn help_if(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }

    /// Marks it as one of a file that is read, not of the pipeline file.
    pub fn of_source(mut self) -> Self {
        self.is_of_source = true;
        self
    }

    pub(super) fn conclusive(mut self) -> Self {
        self.conclusive = true;
        self
    }

    /// Adds what it concerns.
    pub fn about(mut self, about: impl Into<String>) -> Self {
        self.about = Some(about.into());
        self
    }

    pub(crate) fn related(mut self, span: Span, label: impl Into<String>) -> Self {
        self.related = Some((span, label.into()));
        self
    }
}
