//! How things look in a terminal: colours, numbers, durations, aligned tables, sparklines.

use std::io::IsTerminal;
use std::path::Path;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr as _};

use super::color::{begin, colored, pieces};
use crate::boundary::text::{escaped, quoted};

pub(super) use crate::report::figure::text::{bytes, compact, count, decimals, duration};

/// Whether to colour: in a terminal, or where `CLICOLOR_FORCE` asks for it; never against `NO_COLOR`.
#[derive(Clone, Copy)]
pub(super) struct Style {
    pub color: bool,
}

impl Style {
    pub(super) fn stdout() -> Self {
        Style { color: (std::io::stdout().is_terminal() || forced()) && allowed() }
    }

    pub(super) fn stderr() -> Self {
        Style { color: std::io::stderr().is_terminal() && allowed() }
    }

    pub(super) fn error(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    pub(super) fn warning(self, text: &str) -> String {
        self.paint("33", text)
    }

    pub(super) fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub(super) fn accent(self, text: &str) -> String {
        self.paint("36", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// A remark below a table, in lines that fit.
    pub(super) fn note(self, text: &str) -> String {
        wrap(text, "  ", width()).lines().map(|line| format!("{}\n", self.dim(line))).collect()
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    /// Text on a workspace, both of the 256 colours, so that it reads on a light terminal as on a dark one.
    pub(super) fn shade(self, workspace: u8, ink: u8, text: &str) -> String {
        self.paint(&format!("38;5;{ink};48;5;{workspace}"), text)
    }

    pub(super) fn paint(self, code: &str, text: &str) -> String {
        if self.color { colored(code, text) } else { text.to_owned() }
    }
}

fn allowed() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// E.g. for `runner show … | less -R`.
fn forced() -> bool {
    std::env::var_os("CLICOLOR_FORCE").is_some_and(|value| !value.is_empty() && value != "0")
}

/// A path in one line of text.
pub(super) fn path(path: &Path) -> String {
    quoted(&path.display().to_string()).into_owned()
}

/// `just now`, `5 min ago`, `3 h ago`, `12 days ago`, of seconds.
pub(super) fn ago(seconds: u64) -> String {
    match seconds {
        0..10 => "just now".to_owned(),
        10..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..172_800 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

/// A narrower column tells nothing: it may rather break the line.
const LEAST_CUT: usize = 16;

/// Left-aligned columns two spaces apart; the last one is not padded. Widths are those of the terminal: a cell is in one line, and what of it is
/// shown as an escape counts as one.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    table_within(rows, usize::MAX)
}

/// The characters in a line: those of the terminal; without one, what `COLUMNS` says, else as many as there are.
pub(super) fn width() -> usize {
    let said = || std::env::var("COLUMNS").ok()?.parse().ok().filter(|columns| *columns > 0);
    console::Term::stdout().size_checked().map(|(_, columns)| columns.into()).or_else(said).unwrap_or(usize::MAX)
}

/// The same, with the last column cut so that no line is longer than `width`.
pub(super) fn table_within(rows: &[Vec<String>], width: usize) -> String {
    let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| in_one_line(cell)).collect()).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|j| rows.iter().filter_map(|row| row.get(j)).map(|cell| visible(cell)).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in &rows {
        let mut line = String::from("  ");
        for (j, cell) in row.iter().enumerate() {
            if j + 1 < row.len() {
                line.push_str(cell);
                line.push_str(&" ".repeat(widths[j] - visible(cell) + 2));
            } else {
                let room = width.saturating_sub(visible(&line)).max(LEAST_CUT);
                if visible(cell) <= room { line.push_str(cell) } else { line.push_str(&cut(cell, room)) }
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Pads the cells of these columns on their left: numbers end below each other.
pub(super) fn right(rows: &mut [Vec<String>], columns: &[usize]) {
    for &j in columns {
        let width = rows.iter().filter_map(|row| row.get(j)).map(|cell| visible(cell)).max().unwrap_or(0);
        for cell in rows.iter_mut().filter_map(|row| row.get_mut(j)) {
            *cell = format!("{}{cell}", " ".repeat(width - visible(cell)));
        }
    }
}

/// Words in lines of at most `width` characters, the first behind `lead`, the others behind as many spaces.
pub(super) fn wrap(text: &str, lead: &str, width: usize) -> String {
    let indent = visible(lead);
    let mut lines = lead.to_owned();
    let mut used = indent;
    for (i, word) in text.split_whitespace().enumerate() {
        let long = visible(word);
        if i > 0 && used + 1 + long > width {
            lines.push_str(&format!("\n{}", " ".repeat(indent)));
            used = indent;
        } else if i > 0 {
            lines.push(' ');
            used += 1;
        }
        lines.push_str(word);
        used += long;
    }
    lines.push('\n');
    lines
}

/// Columns that a text takes in a terminal: colours take none, and hidden characters as many as their escapes.
pub(super) fn visible(text: &str) -> usize {
    pieces(text).map(|(_, piece)| escaped(piece).width()).sum()
}

/// The text with spaces behind it up to that width.
pub(super) fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(visible(text))))
}

/// The text as it is shown, line breaks and tabs as escapes.
fn in_one_line(text: &str) -> String {
    let piece = |(code, piece): (Option<&str>, &str)| match code {
        Some(code) => format!("{}{}", begin(code), quoted(piece)),
        None => quoted(piece).into_owned(),
    };
    pieces(text).map(piece).collect()
}

/// Characters of a text that stand in one column on average: a letter and its marks.
const MOST_BY_COLUMN: usize = 4;

/// The text in one line of at most `width` columns; colours take none.
pub(super) fn cut(text: &str, width: usize) -> String {
    let one_line = in_one_line(text);
    // Combining marks take no column, and a cell may have thousands of them.
    let most = width.saturating_mul(MOST_BY_COLUMN);
    if visible(&one_line) <= width && pieces(&one_line).map(|(_, piece)| piece.chars().count()).sum::<usize>() <= most {
        return one_line;
    }
    let (mut line, mut shown, mut characters, mut colored) = (String::new(), 0, 0, false);
    'line: for (code, piece) in pieces(&one_line) {
        if let Some(code) = code {
            line.push_str(&begin(code));
            colored = true;
        }
        for character in piece.chars() {
            let wide = UnicodeWidthChar::width(character).unwrap_or(0);
            // The last column is for the ellipsis.
            if shown + wide >= width || characters + 1 >= most {
                break 'line;
            }
            (shown, characters) = (shown + wide, characters + 1);
            line.push(character);
        }
    }
    line.push('…');
    if colored {
        line.push_str(&begin("0"));
    }
    line
}

/// A curve in one line of text between the bounds of `range`, e.g. `▁▂▄▆▇█`: at most `width` characters, the first and the last value among them.
pub(super) fn sparkline_within(values: &[f64], width: usize, (low, high): (f64, f64)) -> String {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    let count = finite.len().min(width.max(1));
    (0..count)
        .map(|i| {
            let value = finite[i * (finite.len() - 1) / (count - 1).max(1)];
            let level = if high > low { (value - low) / (high - low) * 7.0 } else { 3.0 };
            LEVELS[(level.round() as usize).min(7)]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::rendered;

    #[test]
    fn tables_align_by_visible_characters() {
        let rows = [vec!["é".to_owned(), "x".to_owned()], vec![colored("32", "abc"), "y".to_owned()]];
        assert_eq!(rendered(&table(&rows)), "  é    x\n  \x1b[32mabc\x1b[0m  y\n");
    }

    #[test]
    fn only_the_last_column_gives_way_to_a_narrow_terminal() {
        let rows = [vec!["a".into(), "long words that go on".into()], vec![colored("1", "bc"), "short".into()]];
        assert_eq!(
            rendered(&table_within(&rows, 23)),
            "  a   long words that g…\n  \x1b[1mbc\x1b[0m  short\n".replace("that g", "that ")
        );
        assert_eq!(table_within(&rows, 27), table(&rows));
    }

    #[test]
    fn sparklines_follow_the_values_and_keep_the_ends() {
        assert_eq!(sparkline_within(&[0.0, 1.0, f64::NAN, 0.5], 10, (0.0, 1.0)), "▁█▅");
        assert_eq!(sparkline_within(&[0.0, 0.5], 10, (0.0, 1.0)), "▁▅");
        assert_eq!(sparkline_within(&[1.0, 0.5, 0.5, 0.5, 0.0], 3, (0.0, 1.0)), "█▅▁");
        assert_eq!(sparkline_within(&[2.0, 2.0], 10, (2.0, 2.0)), "▄▄");
        assert_eq!(sparkline_within(&[], 10, (0.0, 1.0)), "");
    }

    #[test]
    fn what_is_cut_ends_its_colour() {
        assert_eq!(rendered(&cut(&colored("31", "failed"), 4)), "\x1b[31mfai…\x1b[0m");
        assert_eq!(rendered(&cut(&colored("31", "fail"), 4)), "\x1b[31mfail\x1b[0m");
        assert_eq!(cut("a\nb", 4), "a\\nb");
        // Marks take no column, and are cut all the same.
        let marked = format!("a{}b", "\u{301}".repeat(1000));
        assert_eq!(cut(&marked, 4), format!("a{}…", "\u{301}".repeat(14)));
        assert_eq!(cut("e\u{301}te\u{301}", 3), "e\u{301}te\u{301}");
    }

    #[test]
    fn words_wrap_behind_their_lead() {
        assert_eq!(
            rendered(&wrap("one two three", &format!("{} ", colored("2", "·")), 9)),
            "\x1b[2m·\x1b[0m one two\n  three\n"
        );
        assert_eq!(wrap("one two three", "", usize::MAX), "one two three\n");
    }

    #[test]
    fn numbers_end_below_each_other() {
        let mut rows = [vec!["a".to_owned(), colored("2", "5")], vec!["b".to_owned(), "1,234".to_owned()]];
        right(&mut rows, &[1]);
        assert_eq!(rendered(&rows[0][1]), "    \x1b[2m5\x1b[0m");
    }

    #[test]
    fn widths_are_those_of_what_is_shown() {
        let rows = [vec!["a\u{1b}[1m".to_owned(), "x".to_owned()], vec!["日本".to_owned(), "y\nz".to_owned()]];
        assert_eq!(rendered(&table(&rows)), "  a\\u{1b}[1m  x\n  日本        y\\nz\n");
        assert_eq!(cut("日本語日本語", 6), "日本…");
        assert_eq!(cut("ab\u{9b}cd", 6), "ab\\u{…");
        assert_eq!(pad("日", 4), "日  ");
    }
}
