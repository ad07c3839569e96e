//! How things look in a terminal: colours, numbers, durations, aligned tables, sparklines.

use std::io::IsTerminal;

pub(super) use crate::report::figure::text::{bytes, duration};

/// Whether to colour. `NO_COLOR` is honoured.
#[derive(Clone, Copy)]
pub(super) struct Style {
    pub color: bool,
}

impl Style {
    pub fn stdout() -> Self {
        Style { color: std::io::stdout().is_terminal() && allowed() }
    }

    pub fn stderr() -> Self {
        Style { color: std::io::stderr().is_terminal() && allowed() }
    }

    pub fn error(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    pub fn warning(self, text: &str) -> String {
        self.paint("33", text)
    }

    pub fn good(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub fn accent(self, text: &str) -> String {
        self.paint("36", text)
    }

    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.color { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

fn allowed() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
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

/// Left-aligned columns two spaces apart; the last one is not padded. Widths count characters, not bytes.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    table_within(rows, usize::MAX)
}

/// The characters in a line of the terminal; without one, as many as there are.
pub(super) fn width() -> usize {
    console::Term::stdout().size_checked().map_or(usize::MAX, |(_, columns)| columns.into())
}

/// The same, with the last column (of plain text) cut so that no line is longer than `width`.
pub(super) fn table_within(rows: &[Vec<String>], width: usize) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|j| rows.iter().filter_map(|row| row.get(j)).map(|cell| visible(cell)).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in rows {
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

/// Characters that a terminal shows: without colour codes.
fn visible(text: &str) -> usize {
    let mut count = 0;
    let mut escape = false;
    for character in text.chars() {
        match (escape, character) {
            (false, '\x1b') => escape = true,
            (true, 'm') => escape = false,
            (true, _) => {}
            (false, _) => count += 1,
        }
    }
    count
}

/// The text in one line of at most `width` characters.
pub(super) fn cut(text: &str, width: usize) -> String {
    let one_line = text.replace(['\n', '\r'], " ");
    if one_line.chars().count() <= width {
        return one_line;
    }
    one_line.chars().take(width - 1).chain(['…']).collect()
}

/// A curve in one line of text, e.g. `▁▂▄▆▇█`, at most `width` characters.
pub(super) fn sparkline(values: &[f64], width: usize) -> String {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    let low = finite.iter().copied().fold(f64::INFINITY, f64::min);
    let high = finite.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let count = finite.len().min(width.max(1));
    (0..count)
        .map(|i| {
            let value = finite[i * finite.len() / count];
            let level = if high > low { (value - low) / (high - low) * 7.0 } else { 3.0 };
            LEVELS[(level.round() as usize).min(7)]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_align_by_visible_characters() {
        let rows = [vec!["é".to_owned(), "x".to_owned()], vec!["\x1b[32mabc\x1b[0m".to_owned(), "y".to_owned()]];
        assert_eq!(table(&rows), "  é    x\n  \x1b[32mabc\x1b[0m  y\n");
    }

    #[test]
    fn only_the_last_column_gives_way_to_a_narrow_terminal() {
        let rows = [vec!["a".into(), "long words that go on".into()], vec!["\x1b[1mbc\x1b[0m".into(), "short".into()]];
        assert_eq!(
            table_within(&rows, 23),
            "  a   long words that g…\n  \x1b[1mbc\x1b[0m  short\n".replace("that g", "that ")
        );
        assert_eq!(table_within(&rows, 27), table(&rows));
    }

    #[test]
    fn sparklines_follow_the_values() {
        assert_eq!(sparkline(&[0.0, 1.0, f64::NAN, 0.5], 10), "▁█▅");
        assert_eq!(sparkline(&[2.0, 2.0], 10), "▄▄");
        assert_eq!(sparkline(&[], 10), "");
    }
}
