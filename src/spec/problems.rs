//! All that is wrong with a pipeline: sorted, each mistake once, and shown with its lines.

use std::fmt;

use unicode_normalization::is_nfc;

use super::pipeline::PipelineSpec;
use super::problem::Problem;
use super::render;
use super::source::{Sources, Span};
use super::tidy::tidy;

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

/// Names of tables are in Unicode's composed form; one that looks the same and is not is found nowhere.
fn tell_of_decomposed(problem: &mut Problem, sources: &Sources) {
    const TOLD: &str =
        "letters and accents stand apart in what is written here (Unicode's decomposed form): type it anew";
    let is_decomposed = problem.span.is_some_and(|span| !is_nfc(sources.slice(span)));
    if is_decomposed {
        let help = problem.help.take().map(|help| format!("{help}; "));
        problem.help = Some(help.unwrap_or_default() + TOLD);
    }
}

impl Problems {
    /// Sorts by place (those without one first) and drops repetitions: the instances of a matrix,
    /// or stages that share an anchor, find the same fault several times. Findings about one thing become one.
    pub fn new(mut list: Vec<Problem>, sources: Sources) -> Self {
        tidy(&mut list);
        list.iter_mut().for_each(|problem| tell_of_decomposed(problem, &sources));
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

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Problems {}
