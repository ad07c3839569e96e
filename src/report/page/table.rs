//! Tables: aligned columns, cells with a sort key, a class colour or a small bar.

use super::html::Html;
use crate::figure::Paint;
use crate::figure::text;

/// How a column's cells stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    Text,
    Number,
}

/// A column's heading. The hint explains it when the pointer rests on it; it may be empty.
#[derive(Clone, Debug)]
pub struct Column {
    pub(crate) title: String,
    pub(crate) align: Align,
    pub(crate) hint: String,
}

impl Column {
    /// Aligned to the left.
    pub fn text(title: &str) -> Column {
        Column { title: title.to_string(), align: Align::Text, hint: String::new() }
    }

    /// Aligned to the right.
    pub fn number(title: &str) -> Column {
        Column { title: title.to_string(), align: Align::Number, hint: String::new() }
    }

    pub(crate) fn hint(mut self, hint: &str) -> Column {
        self.hint = hint.to_string();
        self
    }
}

/// One cell.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    text: String,
    sort: Option<f64>,
    strong: bool,
    muted: bool,
    swatch: Option<Paint>,
    bar: Option<f64>,
    link: Option<String>,
    code: bool,
    unbroken: bool,
}

impl Cell {
    /// As it stands.
    pub fn text(text: impl Into<String>) -> Cell {
        Cell { text: text.into(), ..Cell::default() }
    }

    /// A number with a fixed count of decimals; `–` when absent or not finite.
    pub(crate) fn decimals(value: impl Into<Option<f64>>, places: usize) -> Cell {
        Cell::shown(value.into(), |v| text::decimals(v, places))
    }

    /// A share in 0..=1 as a percentage.
    pub(crate) fn percent(value: impl Into<Option<f64>>) -> Cell {
        Cell::shown(value.into(), text::percent)
    }

    /// About four significant digits.
    pub(crate) fn compact(value: impl Into<Option<f64>>) -> Cell {
        Cell::shown(value.into(), text::compact)
    }

    /// With thousands separated; a muted dash for `None`.
    pub fn count(value: impl Into<Option<u64>>) -> Cell {
        match value.into() {
            Some(rows) => Cell { sort: Some(rows as f64), ..Cell::text(text::count(rows)) },
            None => Cell { muted: true, ..Cell::text("–") },
        }
    }

    fn shown(value: Option<f64>, show: impl Fn(f64) -> String) -> Cell {
        match value.filter(|v| v.is_finite()) {
            Some(v) => Cell { sort: Some(v), ..Cell::text(show(v)) },
            None => Cell { muted: true, ..Cell::text("–") },
        }
    }

    /// Sets what the column is sorted by in place of the text.
    pub(crate) fn sort_by(mut self, key: f64) -> Cell {
        self.sort = Some(key).filter(|k| k.is_finite());
        self
    }

    pub(crate) fn strong_if(mut self, strong: bool) -> Cell {
        self.strong = strong;
        self
    }

    pub(crate) fn muted_if(mut self, muted: bool) -> Cell {
        self.muted = self.muted || muted;
        self
    }

    /// A small square of the class' colour before the text.
    pub(crate) fn swatch(mut self, paint: Paint) -> Cell {
        self.swatch = Some(paint);
        self
    }

    /// A bar behind the number, a share in 0..=1 of the cell's width.
    pub(crate) fn bar(mut self, share: f64) -> Cell {
        self.bar = Some(share.clamp(0.0, 1.0)).filter(|s| s.is_finite());
        self
    }

    /// Makes the text a link to the section with that id.
    pub(crate) fn link(mut self, id: impl Into<String>) -> Cell {
        self.link = Some(id.into());
        self
    }

    /// In a fixed font.
    pub(crate) fn code(mut self) -> Cell {
        self.code = true;
        self
    }

    /// In one line, whatever the width of the column.
    pub(crate) fn unbroken(mut self) -> Cell {
        self.unbroken = true;
        self
    }

    fn write(&self, out: &mut Html, align: Align, heads_row: bool) {
        let tag = if heads_row { "th" } else { "td" };
        out.raw(&format!("<{tag}"));
        if heads_row {
            out.raw(" scope=\"row\"");
        }
        let mut classes = Vec::new();
        if align == Align::Number {
            classes.push("n");
        }
        if self.strong {
            classes.push("best");
        }
        if self.muted {
            classes.push("muted");
        }
        if self.text.chars().count() > 40 {
            classes.push("long");
        }
        // A swatch stays beside its word.
        if self.unbroken || (self.swatch.is_some() && self.text.chars().count() <= 24) {
            classes.push("whole");
        }
        if self.bar.is_some() {
            classes.push("bar");
        }
        if !classes.is_empty() {
            out.raw(&format!(" class=\"{}\"", classes.join(" ")));
        }
        if let Some(key) = self.sort {
            out.raw(&format!(" data-key=\"{key}\""));
        }
        if let Some(share) = self.bar {
            out.raw(&format!(" style=\"--part:{share:.3}\""));
        }
        out.raw(">");
        if let Some(paint) = self.swatch {
            out.raw(&format!("<i class=\"swatch b-{}\"></i>", paint.name()));
        }
        match &self.link {
            Some(id) => {
                out.raw("<a href=\"#");
                out.text(id);
                out.raw("\">");
                out.text(&self.text);
                out.raw("</a>");
            }
            None if self.code => out.element("code", &self.text),
            None => out.text(&self.text),
        }
        out.raw(&format!("</{tag}>"));
    }
}

/// A table of more rows shows the first ones: nobody reads on, and pages stay small whatever a table holds.
const MOST_ROWS: usize = 1000;

/// A table; the first cell of each row names the row.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub(crate) caption: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

impl Table {
    /// Without rows yet.
    pub fn new(caption: impl Into<String>, columns: Vec<Column>) -> Table {
        Table { caption: caption.into(), columns, rows: Vec::new() }
    }

    /// A cell for each column.
    pub fn push(&mut self, row: Vec<Cell>) {
        self.rows.push(row);
    }

    /// Keeps the first rows, where there are many more, and says so in the caption: `order` is what the first ones are, e.g. `most relevant`,
    /// `whole` where all are found.
    pub(crate) fn first(mut self, most: usize, order: &str, whole: &str) -> Table {
        let all = self.rows.len();
        if all > most + most / 10 {
            self.rows.truncate(most);
            let (shown, all) = (text::count(most as u64), text::count(all as u64));
            self.caption.push_str(&format!("; the {shown} {order} of {all}, all are in {whole}"));
        }
        self
    }

    pub(super) fn write(&self, out: &mut Html) {
        let left_out = self.rows.len().saturating_sub(MOST_ROWS);
        // What scrolls must be reachable by keyboard and have a name; as a region it would be a landmark, of which a page has few.
        out.raw("<div class=\"scroll table\" tabindex=\"0\" role=\"group\" aria-label=\"");
        out.text(if self.caption.is_empty() { "table" } else { &self.caption });
        out.raw("\">\n<table>\n");
        if !self.caption.is_empty() {
            // The words stay in sight of a narrow screen while the table scrolls under them.
            out.raw("<caption><span>");
            out.text(&self.caption);
            if left_out > 0 {
                out.text(&format!(
                    "; the first {} of {} rows",
                    text::count(MOST_ROWS as u64),
                    text::count(self.rows.len() as u64)
                ));
            }
            out.raw("</span></caption>\n");
        }
        out.raw("<thead><tr>");
        for column in &self.columns {
            out.raw("<th scope=\"col\"");
            if column.align == Align::Number {
                out.raw(" class=\"n\"");
            }
            if !column.hint.is_empty() {
                out.raw(" title=\"");
                out.text(&column.hint);
                out.raw("\"");
            }
            out.raw(">");
            out.text(&column.title);
            out.raw("</th>");
        }
        out.raw("</tr></thead>\n<tbody>\n");
        for row in self.rows.iter().take(MOST_ROWS) {
            out.raw("<tr>");
            for (place, (cell, column)) in row.iter().zip(&self.columns).enumerate() {
                cell.write(out, column.align, place == 0);
            }
            out.raw("</tr>\n");
        }
        out.raw("</tbody>\n</table>\n</div>\n");
    }
}
