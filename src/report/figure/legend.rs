//! Numbers in place of characters that fonts lack, and what they stand for, below the drawing: two texts that differ stay different, and short.

use std::borrow::Cow;

use runner_boundary::text::quoted;

use super::drawing::{Drawing, Element};
use super::text;
use crate::characters::{Missing, clusters, code_point};

const SIZE: f64 = 10.0;
const LINE: f64 = 13.0;
/// Characters of which the legend gives the number; a name is told from another by fewer.
const MOST: usize = 24;

impl Drawing {
    /// The same with `[1]` for the first characters in a row of which `lacks` says that there is no font for them, and so on, and with a legend. Hidden
    /// characters are shown as escapes.
    pub(crate) fn with_legend(&self, lacks: &dyn Fn(&str) -> Vec<char>) -> Cow<'_, Drawing> {
        let mut texts = Vec::new();
        self.texts(&mut texts);
        let is_fine = |text: &&&str| matches!(quoted(text), Cow::Borrowed(_)) && lacks(text).is_empty();
        if texts.iter().all(|text| is_fine(&text)) {
            return Cow::Borrowed(self);
        }
        let mut known: Vec<String> = Vec::new();
        for text in &texts {
            for (part, is_missing) in parts(&quoted(text), lacks) {
                if is_missing && !known.contains(&part) {
                    known.push(part);
                }
            }
        }
        let mut drawing = self.clone();
        drawing.change_texts(&|text| {
            let numbered = |(part, is_missing): (String, bool)| match known.iter().position(|known| *known == part) {
                Some(place) if is_missing => format!("[{}]", place + 1),
                _ => part,
            };
            parts(&quoted(text), lacks).into_iter().map(numbered).collect()
        });
        for line in lines(&known, drawing.width) {
            drawing.height += LINE;
            let y = drawing.height - 4.0;
            drawing.add(Element::text(0.0, y, &line).size(SIZE));
        }
        Cow::Owned(drawing)
    }

    /// Adds what `lacks` gives of the texts of this drawing.
    pub(crate) fn missing(&self, lacks: &dyn Fn(&str) -> Vec<char>, missing: &mut Missing) {
        let mut texts = Vec::new();
        self.texts(&mut texts);
        texts.into_iter().for_each(|text| missing.add(&quoted(text), lacks));
    }
}

/// The text in parts, each of characters that there is a font for, or of such that there is none for.
fn parts(text: &str, lacks: &dyn Fn(&str) -> Vec<char>) -> Vec<(String, bool)> {
    let mut parts: Vec<(String, bool)> = Vec::new();
    for cluster in clusters(text) {
        let is_missing = !lacks(&cluster).is_empty();
        match parts.last_mut() {
            Some((part, same)) if *same == is_missing => part.push_str(&cluster),
            _ => parts.push((cluster, is_missing)),
        }
    }
    parts
}

/// `[1] U+5317 U+4EAC   [2] U+4E0A U+6D77`, in lines of that width.
fn lines(known: &[String], width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (place, part) in known.iter().enumerate() {
        let mut words = vec![format!("[{}]", place + 1)];
        words.extend(part.chars().take(MOST).map(code_point));
        if part.chars().count() > MOST {
            words.push("…".to_owned());
        }
        let fits = |line: &str| text::width(line, SIZE) <= width;
        let beside = lines.last().map(|line| format!("{line}   {}", words.join(" ")));
        if let (Some(beside), Some(line)) = (beside.filter(|beside| fits(beside)), lines.last_mut()) {
            *line = beside;
            continue;
        }
        // One that is longer than a line has several.
        let mut own: Vec<String> = Vec::new();
        for word in words {
            match own.last_mut() {
                Some(line) if fits(&format!("{line} {word}")) => {
                    line.push(' ');
                    line.push_str(&word);
                }
                _ => own.push(word),
            }
        }
        lines.extend(own);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(texts: &[&str]) -> Drawing {
        let mut drawing = Drawing::new(200.0, 50.0, "t", "d");
        texts.iter().for_each(|text| drawing.add(Element::text(0.0, 10.0, text)));
        drawing
    }

    fn lacks(text: &str) -> Vec<char> {
        text.chars().filter(|c| *c > '\u{2fff}').collect()
    }

    #[test]
    fn texts_that_differ_stay_different() {
        let drawing = of(&["北京, n", "上海", "北京", "plain", "a\u{202e}"]);
        let shown = drawing.with_legend(&lacks);
        let mut texts = Vec::new();
        shown.texts(&mut texts);
        let lines = ["[1] U+5317 U+4EAC", "[2] U+4E0A U+6D77"];
        assert_eq!(texts, ["[1], n", "[2]", "[1]", "plain", "a\\u{202e}", lines[0], lines[1]]);
        assert_eq!(shown.size(), (200.0, 50.0 + 2.0 * LINE));
        assert_eq!(super::lines(&["a".to_owned(), "b".to_owned()], 200.0), ["[1] U+0061   [2] U+0062"]);
        assert_eq!(super::lines(&["abc".to_owned()], 90.0), ["[1] U+0061", "U+0062 U+0063"]);
        assert!(matches!(of(&["plain", "ü"]).with_legend(&lacks), Cow::Borrowed(_)));
    }
}
