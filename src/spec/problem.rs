//! What is wrong with a pipeline, as many findings as there are, each with its place.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;

use super::node::Node;
use super::pipeline::PipelineSpec;
use super::render;
use super::source::{Sources, Span};

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

/// All findings, in the order of the source, and the texts to show them with. Never empty when
/// returned as an error.
#[derive(Debug, Clone, Default)]
pub struct Problems {
    /// At least one.
    pub list: Vec<Problem>,
    /// The files that spans are in.
    pub sources: Sources,
    /// The stages without fault, if what is wrong is in some stages only: later checks can find the mistakes in these at once.
    pub(crate) rest: Option<Box<PipelineSpec>>,
}

impl Problems {
    /// Sorts by place (those without one first) and drops repetitions: the instances of a matrix,
    /// or stages that share an anchor, find the same fault several times. Findings about one thing become one.
    pub fn new(mut list: Vec<Problem>, sources: Sources) -> Self {
        tidy(&mut list);
        Problems { list, sources, rest: None }
    }

    /// The findings as `rustc` would print them: message, place, line with carets, help. At most
    /// 50 are shown. `color` adds ANSI escapes.
    pub fn render(&self, color: bool) -> String {
        let ansi = |code: &str, text: &str| format!("\u{1b}[{code}m{text}\u{1b}[0m");
        self.render_with(&|code, text| if color { ansi(code, text) } else { text.to_owned() })
    }

    /// Every finding as JSON, for programs: `{"message": …, "at": "full.yaml:3:5", "also": […], "help": …}`.
    pub fn json(&self) -> Vec<serde_json::Value> {
        let json = |problem: &Problem| {
            let place = |span: &Span| self.sources.location(*span);
            serde_json::json!({
                "message": problem.message,
                "at": problem.span.as_ref().map(place),
                "also": problem.also.iter().chain(problem.related.iter().map(|(span, _)| span)).map(place).collect::<Vec<_>>(),
                "help": problem.help,
            })
        };
        self.list.iter().map(json).collect()
    }

    /// These and what `further` finds in the stages without fault.
    pub fn with_rest(mut self, further: impl FnOnce(PipelineSpec) -> Vec<Problem>) -> Self {
        let Some(rest) = self.rest.take() else { return self };
        self.list.extend(further(*rest));
        Problems::new(self.list, self.sources)
    }

    /// The same as warnings, with colours of the caller's.
    pub fn render_warnings(&self, paint: &dyn Fn(&str, &str) -> String) -> String {
        render::render(&self.list, &self.sources, render::Severity::Warning, paint)
    }

    /// The same with colours of the caller's: `paint` gives a text that of a code, e.g. `1;31`.
    pub fn render_with(&self, paint: &dyn Fn(&str, &str) -> String) -> String {
        render::render(&self.list, &self.sources, render::Severity::Error, paint)
    }
}

/// Sorts problems by place, drops repetitions and what is said of a settled value or of what holds it, and makes one of those that are about one thing.
pub(super) fn tidy(list: &mut Vec<Problem>) {
    list.sort_by_key(|problem| problem.span);
    let settled: BTreeSet<Span> = list.iter().filter(|one| one.conclusive).filter_map(|one| one.span).collect();
    if !settled.is_empty() {
        // Of what holds such a value, e.g. a list, enough was said as well. They are plain values: none lies in another.
        let holds_settled = |span: Span| {
            let least = Span { end: span.start, ..span };
            settled.range(least..).next().is_some_and(|&first| span.contains(first))
        };
        list.retain(|problem| {
            let is_related = problem.related.as_ref().is_some_and(|(span, _)| settled.contains(span));
            problem.conclusive || !is_related && !problem.span.is_some_and(holds_settled)
        });
    }
    let mut subjects: HashMap<String, usize> = HashMap::new();
    let mut seen: HashSet<Problem> = HashSet::with_capacity(list.len());
    let mut kept: Vec<Problem> = Vec::with_capacity(list.len());
    for problem in list.drain(..) {
        match &problem.about {
            Some(about) => match subjects.get(about) {
                Some(&first) => {
                    let first = &mut kept[first];
                    for span in problem.span.into_iter().chain(problem.also) {
                        // Sorted: the same place again comes right behind itself.
                        if first.also.last().or(first.span.as_ref()) != Some(&span) {
                            first.also.push(span);
                        }
                    }
                    continue;
                }
                None => drop(subjects.insert(about.clone(), kept.len())),
            },
            None if !seen.insert(problem.clone()) => continue,
            None => {}
        }
        kept.push(problem);
    }
    *list = kept;
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Problems {}
