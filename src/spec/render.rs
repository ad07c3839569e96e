//! Draws problems in the manner of rustc: message, place, the line, carets, help.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar;

use super::problem::Problem;
use super::source::{Sources, Span};
use runner_boundary::text::quoted;

/// More problems than this are only counted: the first ones usually cause the rest.
const MOST_SHOWN: usize = 50;
/// Terminal columns of source text that are shown; longer lines are cut around the carets.
const LINE_WIDTH: usize = 100;
/// Characters shown of a message, label or help: what holds more quotes something endless.
const LONGEST: usize = 2000;
/// Terminal columns at which help is wrapped.
const HELP_WIDTH: usize = 100;
const TAB_WIDTH: usize = 4;
/// Further places of one mistake that are named.
const MOST_PLACES: usize = 4;

const BOLD: &str = "1";
const RED: &str = "1;31";
const YELLOW: &str = "1;33";
const BLUE: &str = "1;34";

/// How bad a finding is.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Severity {
    Error,
    Warning,
}

/// `paint` gives a text the colour of a code, e.g. `1;31`.
pub(super) fn render(
    problems: &[Problem],
    sources: &Sources,
    severity: Severity,
    paint: &dyn Fn(&str, &str) -> String,
) -> String {
    let paint = Paint { paint };
    let mut out = String::new();
    for (index, problem) in problems.iter().take(MOST_SHOWN).enumerate() {
        if index > 0 {
            out.push('\n');
        }
        // A list of columns or stages is read once.
        let repeated = problem.help.is_some() && problems[..index].iter().any(|before| before.help == problem.help);
        draw(&mut out, problem, sources, severity, repeated, &paint);
    }
    if problems.len() > MOST_SHOWN {
        out.push_str(&format!("\n… and {} more (`runner plan --json` lists all)\n", problems.len() - MOST_SHOWN));
    }
    out
}

struct Paint<'a> {
    paint: &'a dyn Fn(&str, &str) -> String,
}

impl Paint<'_> {
    fn with(&self, style: &str, text: &str) -> String {
        if text.is_empty() { String::new() } else { (self.paint)(style, text) }
    }
}

fn draw(out: &mut String, problem: &Problem, sources: &Sources, severity: Severity, repeated: bool, paint: &Paint) {
    let message = clipped(&problem.message);
    let first = format!(": {}", quoted(&message));
    out.push_str(&match severity {
        Severity::Error => paint.with(RED, "error"),
        Severity::Warning => paint.with(YELLOW, "warning"),
    });
    out.push_str(&paint.with(BOLD, &first));
    out.push('\n');
    let places = problem.span.iter().chain(problem.related.iter().map(|(span, _)| span));
    let gutter = places
        .filter(|span| !sources.is_argument(span.file))
        .map(|span| span.start.line.to_string().len())
        .max()
        .unwrap_or(1);
    let canvas = Canvas { sources, paint, gutter };
    if let Some(span) = problem.span {
        let label = problem.label.as_deref().unwrap_or("");
        canvas.snippet(out, span, Mark::Main, label);
    }
    if let Some((span, label)) = &problem.related {
        canvas.snippet(out, *span, Mark::Related, label);
    }
    if !problem.also.is_empty() {
        let mut places: Vec<String> = problem.also.iter().map(|span| sources.location(*span)).collect();
        let more = places.len().saturating_sub(MOST_PLACES);
        places.truncate(MOST_PLACES);
        let more = match more {
            0 => String::new(),
            1 => " and 1 more place".to_owned(),
            more => format!(" and {more} more places"),
        };
        canvas.remark(out, "note", &format!("also at {}{more}", places.join(", ")));
    }
    if let Some(help) = problem.help.as_ref().filter(|_| !repeated) {
        canvas.remark(out, "help", help);
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Main,
    Related,
}

struct Canvas<'a> {
    sources: &'a Sources,
    paint: &'a Paint<'a>,
    /// Width of the line numbers.
    gutter: usize,
}

impl Canvas<'_> {
    fn snippet(&self, out: &mut String, span: Span, mark: Mark, label: &str) {
        let (arrow, sign, style) = match mark {
            Mark::Main => ("-->", "^", RED),
            Mark::Related => (":::", "-", BLUE),
        };
        let (place, number) = if self.sources.is_argument(span.file) {
            ("command line".to_string(), String::new())
        } else {
            (quoted(&self.sources.location(span)).into_owned(), span.start.line.to_string())
        };
        let gutter = self.gutter;
        let arrow = self.paint.with(BLUE, arrow);
        out.push_str(&format!("{:gutter$}{arrow} {place}\n", ""));
        let line = self.sources.line(span.file, span.start.line);
        if line.is_empty() {
            return;
        }
        let drawn = Line::new(line, span);
        let bar = self.paint.with(BLUE, "|");
        let number = self.paint.with(BLUE, &format!("{number:>gutter$}"));
        let mut marks = sign.repeat(drawn.marks);
        if !label.is_empty() {
            marks = format!("{marks} {}", quoted(&clipped(label)));
        }
        let marks = self.paint.with(style, &marks);
        out.push_str(&format!("{:gutter$} {bar}\n", ""));
        out.push_str(&format!("{number} {bar} {}\n", drawn.text));
        out.push_str(&format!("{:gutter$} {bar} {:before$}{marks}\n", "", "", before = drawn.before));
    }

    fn remark(&self, out: &mut String, word: &str, text: &str) {
        let gutter = self.gutter;
        let lead = gutter + " = help: ".len();
        let lines = wrap(&quoted(&clipped(text)), HELP_WIDTH.saturating_sub(lead));
        let equals = self.paint.with(BLUE, "=");
        let word = self.paint.with(BOLD, word);
        let text = lines.join(&format!("\n{:lead$}", ""));
        out.push_str(&format!("{:gutter$} {equals} {word}: {text}\n", ""));
    }
}

/// A source line made fit for a terminal: tabs widened, control characters as escapes, cut to
/// [`LINE_WIDTH`] around the marked part. All measures are terminal columns.
struct Line {
    text: String,
    before: usize,
    marks: usize,
}

impl Line {
    fn new(line: &str, span: Span) -> Line {
        let first = span.start.column.saturating_sub(1);
        let last = if span.end.line == span.start.line {
            span.end.column.saturating_sub(1)
        } else {
            // Of several lines only the first is shown, marked up to its last visible character.
            line.trim_end().chars().count()
        };
        // Of a line without end only the surroundings are looked at.
        let skipped = first.saturating_sub(2 * LINE_WIDTH);
        let start = line.char_indices().nth(skipped).map_or(line.len(), |(at, _)| at);
        let (line, rest) = match line[start..].char_indices().nth(5 * LINE_WIDTH) {
            Some((end, _)) => line[start..].split_at(end),
            None => (&line[start..], ""),
        };
        let (first, last) = (first - skipped, last.saturating_sub(skipped));
        let cells: Vec<(char, usize)> = line.chars().flat_map(shown_as).collect();
        // A tab or an escape is several cells, so character columns are mapped onto cells first.
        let cell_of =
            |column: usize| -> usize { line.chars().take(column).map(|character| shown_as(character).len()).sum() };
        let (first, last) = (cell_of(first), cell_of(last));
        let width = |from: usize, to: usize| -> usize {
            let cells = cells.iter().take(to).skip(from);
            cells.map(|(_, width)| width).sum()
        };
        let (from, to) = window(&cells, first, last);
        let text: String = cells[from..to].iter().map(|(cell, _)| *cell).collect();
        let cut_left = from > 0 || skipped > 0;
        let cut_right = to < cells.len() || !rest.is_empty();
        Line {
            text: format!(
                "{}{}{}",
                if cut_left { "…" } else { "" },
                if cut_right { &text } else { text.trim_end() },
                if cut_right { "…" } else { "" }
            ),
            before: width(from, first) + usize::from(cut_left),
            marks: width(first, last.min(to)).max(1),
        }
    }
}

/// The cells to show: everything if it fits, else a stretch that starts a little before the mark.
fn window(cells: &[(char, usize)], first: usize, last: usize) -> (usize, usize) {
    let total: usize = cells.iter().map(|(_, width)| width).sum();
    if total <= LINE_WIDTH {
        return (0, cells.len());
    }
    let first = first.min(cells.len());
    let last = last.clamp(first, cells.len());
    let marked = (last - first).min(LINE_WIDTH);
    let mut from = first.saturating_sub((LINE_WIDTH - marked) / 2);
    // Near the end of the line the window moves left, so that its room is used.
    let mut tail = 0;
    for start in (0..cells.len()).rev() {
        tail += cells[start].1;
        if tail > LINE_WIDTH {
            from = from.min(start + 1).min(first);
            break;
        }
    }
    let mut to = from;
    let mut used = 0;
    while to < cells.len() && used + cells[to].1 <= LINE_WIDTH {
        used += cells[to].1;
        to += 1;
    }
    (from, to)
}

/// What is shown of a character, each with its width: a tab as spaces, a hidden character as its escape.
fn shown_as(character: char) -> Vec<(char, usize)> {
    let shown = match character {
        '\t' => " ".repeat(TAB_WIDTH),
        other => quoted(other.encode_utf8(&mut [0; 4])).into_owned(),
    };
    shown.chars().map(|shown| (shown, shown.width().unwrap_or(0))).collect()
}

/// A text by its beginning, where it is endless.
fn clipped(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}
