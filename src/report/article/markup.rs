//! The small Markdown that articles are written in, by their author and by this crate: paragraphs, `*emphasis*`, `**strong**`, `` `code` ``,
//! lists, fenced code, `[links](https://…)`; and, as Pandoc has it, references `@fig:curves` and citations `[@adamw; @tabm]`.
//!
//! What is not understood is told with its line, never passed over.

use std::borrow::Cow;

use runner_boundary::text::{self, quoted};

use super::document::Block;
use super::math::Formula;
use super::text::{Piece, Text};

/// Something that was not understood, with its line, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Misunderstood {
    pub(crate) line: usize,
    pub(crate) message: String,
}

/// Blocks, each with the line where it begins.
pub(crate) type Blocks = Vec<(usize, Block)>;

/// The blocks of a whole text, or all that is wrong with it.
pub(crate) fn blocks(source: &str) -> Result<Blocks, Vec<Misunderstood>> {
    let mut reader = Reader { blocks: Vec::new(), wrong: Vec::new() };
    // Hidden characters are shown as escapes, as those of every other text.
    let lines: Vec<Cow<str>> = lines(source).map(text::escaped).collect();
    let lines: Vec<&str> = lines.iter().map(AsRef::as_ref).collect();
    let mut at = 0;
    while at < lines.len() {
        at = reader.block(&lines, at);
    }
    if reader.wrong.is_empty() { Ok(reader.blocks) } else { Err(reader.wrong) }
}

/// Lines without the mark that some editors put before the first.
fn lines(source: &str) -> impl Iterator<Item = &str> {
    source.strip_prefix('\u{feff}').unwrap_or(source).lines()
}

/// The first hidden character of a text, and how many more lines have any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hidden {
    /// From 1.
    pub(crate) line: usize,
    /// From 1, in characters.
    pub(crate) column: usize,
    /// How it is shown, e.g. `\u{202e}`.
    pub(crate) shown: String,
    pub(crate) more_lines: usize,
}

/// What of a text is shown as an escape.
pub(super) fn hidden(source: &str) -> Option<Hidden> {
    let changed = |(i, line): (usize, &str)| {
        let shown = text::escaped(line);
        // Only there do the two part.
        let column = line.chars().zip(shown.chars()).take_while(|(a, b)| a == b).count();
        line.chars()
            .nth(column)
            .map(|character| (i + 1, column + 1, text::escaped(character.encode_utf8(&mut [0; 4])).into_owned()))
    };
    let mut all = lines(source).enumerate().filter_map(changed);
    let (line, column, shown) = all.next()?;
    Some(Hidden { line, column, shown, more_lines: all.count() })
}

/// One running text on one line; what is not understood stays as it is.
pub(crate) fn inline(source: &str) -> Text {
    pieces(source).unwrap_or_else(|_| Text::plain(source))
}

/// A name from data as markup that shows it as it is.
pub(crate) fn escaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for character in quoted(name).chars() {
        if matches!(character, '\\' | '*' | '`' | '[' | ']' | '@' | '<' | '$') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

/// A name in a fixed font.
pub(crate) fn code(name: &str) -> String {
    // A fixed font has no use for a grave accent, which would end it.
    format!("`{}`", quoted(name).replace('`', "'"))
}

struct Reader {
    blocks: Blocks,
    wrong: Vec<Misunderstood>,
}

impl Reader {
    /// Reads the block that begins at line `at`, and returns where the next may begin.
    fn block(&mut self, lines: &[&str], at: usize) -> usize {
        let line = lines[at].trim();
        if line.is_empty() {
            return at + 1;
        }
        if let Some(rest) = line.strip_prefix("```") {
            let _ = rest;
            return self.fenced(lines, at);
        }
        if let Some(message) = foreign(line) {
            // The lines of a table or a quotation are one thing.
            let length = lines[at..].iter().take_while(|next| foreign(next.trim()).as_ref() == Some(&message)).count();
            self.wrong.push(Misunderstood { line: at + 1, message });
            return at + length;
        }
        match item(line) {
            Some((numbered, _)) => self.list(lines, at, numbered),
            None => self.paragraph(lines, at),
        }
    }

    fn fenced(&mut self, lines: &[&str], at: usize) -> usize {
        let Some(length) = lines[at + 1..].iter().position(|line| line.trim() == "```") else {
            let message = "this code block has no end: close it with a line of ```".to_owned();
            self.wrong.push(Misunderstood { line: at + 1, message });
            return lines.len();
        };
        let code = lines[at + 1..at + 1 + length].join("\n");
        self.blocks.push((at + 1, Block::Code(code)));
        at + length + 2
    }

    fn paragraph(&mut self, lines: &[&str], at: usize) -> usize {
        let goes_on = |line: &&&str| {
            let line = line.trim();
            !line.is_empty() && !line.starts_with("```") && item(line).is_none() && foreign(line).is_none()
        };
        let length = lines[at..].iter().take_while(goes_on).count().max(1);
        let text = joined(&lines[at..at + length]);
        if let Some(equation) = equation(&text) {
            match equation {
                Ok(block) => self.blocks.push((at + 1, block)),
                Err(message) => self.wrong.push(Misunderstood { line: at + 1, message }),
            }
            return at + length;
        }
        if let Some(text) = self.text(&text, at) {
            self.blocks.push((at + 1, Block::Paragraph(text)));
        }
        at + length
    }

    fn list(&mut self, lines: &[&str], at: usize, numbered: bool) -> usize {
        let mut items = Vec::new();
        let mut next = at;
        while let Some((own, first)) = lines.get(next).and_then(|line| item(line.trim())) {
            if own != numbered {
                break;
            }
            // Lines that are set in go on with the item.
            let more = lines[next + 1..]
                .iter()
                .take_while(|line| line.starts_with([' ', '\t']) && item(line.trim()).is_none());
            let more: Vec<&str> = more.copied().take_while(|line| !line.trim().is_empty()).collect();
            let nested =
                lines.get(next + 1 + more.len()).filter(|line| line.starts_with("  ") && item(line.trim()).is_some());
            if nested.is_some() {
                let message = "lists within lists are not understood: write one list, or a sentence".to_owned();
                self.wrong.push(Misunderstood { line: next + more.len() + 2, message });
            }
            let whole = std::iter::once(first).chain(more.iter().copied()).collect::<Vec<_>>();
            items.extend(self.text(&joined(&whole), next));
            next += 1 + more.len();
        }
        self.blocks.push((at + 1, Block::List { numbered, items }));
        next
    }

    fn text(&mut self, source: &str, at: usize) -> Option<Text> {
        let read = pieces(source);
        read.map_err(|message| self.wrong.push(Misunderstood { line: at + 1, message })).ok()
    }
}

/// A paragraph that is a formula: `$$ … $$ {#eq:name}`.
pub(super) fn equation(text: &str) -> Option<Result<Block, String>> {
    let (source, after) = text.strip_prefix("$$")?.split_once("$$")?;
    let label = after.trim().strip_prefix("{#").and_then(|rest| rest.strip_suffix('}'));
    let is_label = |label: &&str| {
        let name = label.strip_prefix("eq:").unwrap_or_default();
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let Some(label) = label.filter(is_label) else {
        return Some(Err("a formula on a line of its own needs a label after it: `$$ … $$ {#eq:name}`".to_owned()));
    };
    Some(match Formula::read(source.trim()) {
        Ok(formula) => Ok(Block::Equation { label: label.to_owned(), formula }),
        Err(error) => Err(format!("'$${source}$$': {error}")),
    })
}

fn joined(lines: &[&str]) -> String {
    lines.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

/// Whether the line begins an item, of which kind, and what follows its mark.
fn item(line: &str) -> Option<(bool, &str)> {
    if let Some(rest) = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")) {
        return Some((false, rest));
    }
    let digits = line.chars().take_while(char::is_ascii_digit).count();
    let rest = line.get(digits..)?.strip_prefix(". ")?;
    (1..=2).contains(&digits).then_some((true, rest))
}

/// What of Markdown this is, if it is none of ours.
fn foreign(line: &str) -> Option<String> {
    let told = |what: &str, instead: &str| Some(format!("{what} not understood here: {instead}"));
    let heading = line.trim_start_matches('#');
    if heading.len() < line.len() && heading.starts_with(' ') {
        return told("headings are", "the article has its sections; `text` puts your own words into them");
    }
    match line {
        _ if line.starts_with("> ") => told("quotations are", "write «…» or \"…\" within a paragraph"),
        _ if line.starts_with('|') => told("tables are", "say it in a list"),
        _ if line.starts_with("![") => {
            told("pictures are", "the article's own figures can be referred to, e.g. @fig:curves")
        }
        "---" | "***" | "___" => told("rules are", "leave the line out"),
        _ => None,
    }
}

/// The pieces of one running text.
fn pieces(source: &str) -> Result<Text, String> {
    let characters: Vec<char> = source.chars().collect();
    let mut scanner = Scanner { characters: &characters, at: 0 };
    scanner.until(None)
}

struct Scanner<'a> {
    characters: &'a [char],
    at: usize,
}

impl Scanner<'_> {
    fn sees(&self, mark: &str) -> bool {
        mark.chars().enumerate().all(|(i, c)| self.characters.get(self.at + i) == Some(&c))
    }

    /// Reads up to the closing mark, which is consumed, or to the end.
    fn until(&mut self, close: Option<&str>) -> Result<Text, String> {
        let start = self.at;
        let mut found: Vec<Piece> = Vec::new();
        let mut plain = String::new();
        while self.at < self.characters.len() {
            if let Some(mark) = close.filter(|mark| self.sees(mark)) {
                self.at += mark.chars().count();
                flush(&mut plain, &mut found);
                return Ok(Text(found));
            }
            let character = self.characters[self.at];
            let piece = match character {
                '\\' => {
                    // As CommonMark has it: before anything else it is a backslash, `C:\temp`.
                    let escaped = self.characters.get(self.at + 1).filter(|next| next.is_ascii_punctuation());
                    plain.push(*escaped.unwrap_or(&'\\'));
                    self.at += 1 + usize::from(escaped.is_some());
                    continue;
                }
                '*' if self.sees("**") => self.marked("**", Piece::Strong)?,
                // A star between spaces is a star.
                '*' if self.characters.get(self.at + 1).is_some_and(|c| !c.is_whitespace()) => {
                    self.marked("*", Piece::Emphasis)?
                }
                '`' => self.code()?,
                '$' => match self.math()? {
                    Some(formula) => formula,
                    None => {
                        plain.push('$');
                        self.at += 1;
                        continue;
                    }
                },
                '[' if self.sees("[@") => self.citation()?,
                '[' => match self.link()? {
                    Some(link) => link,
                    None => {
                        plain.push('[');
                        self.at += 1;
                        continue;
                    }
                },
                '@' => match self.reference() {
                    Some(reference) => reference,
                    None => {
                        plain.push('@');
                        self.at += 1;
                        continue;
                    }
                },
                '<' if self.characters.get(self.at + 1).is_some_and(|c| c.is_ascii_alphabetic() || *c == '/') => {
                    return Err("HTML is not understood here: write Markdown, or \\< for the sign itself".to_owned());
                }
                _ => {
                    plain.push(character);
                    self.at += 1;
                    continue;
                }
            };
            flush(&mut plain, &mut found);
            found.push(piece);
        }
        match close {
            Some(mark) => {
                let text: String = self.characters[start..].iter().take(24).collect();
                Err(format!(
                    "'{mark}' before '{text}…' is never closed: close it, or write \\{mark} for the sign itself"
                ))
            }
            None => {
                flush(&mut plain, &mut found);
                Ok(Text(found))
            }
        }
    }

    fn marked(&mut self, mark: &str, piece: fn(Text) -> Piece) -> Result<Piece, String> {
        self.at += mark.chars().count();
        Ok(piece(self.until(Some(mark))?))
    }

    fn code(&mut self) -> Result<Piece, String> {
        let rest = &self.characters[self.at + 1..];
        let Some(length) = rest.iter().position(|c| *c == '`') else {
            return Err("'`' is never closed: close it, or write \\` for the sign itself".to_owned());
        };
        self.at += length + 2;
        Ok(Piece::Code(rest[..length].iter().collect()))
    }

    /// `$x_i$`, as Pandoc has it: no space inside next to the signs, and no digit after the last, so that sums of money are none.
    fn math(&mut self) -> Result<Option<Piece>, String> {
        let rest = &self.characters[self.at + 1..];
        let closes = |i: &usize| {
            rest[*i] == '$'
                && *i > 0
                && !rest[*i - 1].is_whitespace()
                && !rest.get(*i + 1).is_some_and(char::is_ascii_digit)
        };
        let is_open = rest.first().is_some_and(|first| !first.is_whitespace() && *first != '$');
        let Some(end) = (0..rest.len()).find(closes).filter(|_| is_open) else { return Ok(None) };
        let source: String = rest[..end].iter().collect();
        let formula =
            Formula::read(&source).map_err(|error| format!("'${source}$': {error}; for the sign itself write \\$"))?;
        self.at += end + 2;
        Ok(Some(Piece::Math(formula)))
    }

    /// `[@key; @other]`.
    fn citation(&mut self) -> Result<Piece, String> {
        let rest: String = self.characters[self.at + 1..].iter().take_while(|c| **c != ']').collect();
        let keys: Vec<String> = rest.split(';').map(|key| key.trim().trim_start_matches('@').to_owned()).collect();
        let is_key =
            |key: &String| !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
        if self.at + rest.chars().count() + 2 > self.characters.len() || !keys.iter().all(is_key) {
            return Err(format!("'[{rest}' is no citation: write e.g. [@adamw; @dropout]"));
        }
        self.at += rest.chars().count() + 2;
        Ok(Piece::Citation(keys))
    }

    /// `[text](url)`; brackets that no address follows are brackets.
    fn link(&mut self) -> Result<Option<Piece>, String> {
        let rest: String = self.characters[self.at + 1..].iter().collect();
        let Some((text, after)) = rest.split_once("](") else { return Ok(None) };
        if text.contains(['[', ']']) {
            return Ok(None);
        }
        let Some((url, _)) = after.split_once(')') else {
            return Err(format!("the address of the link '{text}' is never closed: write [text](https://…)"));
        };
        let is_known = ["https://", "http://", "mailto:"].iter().any(|scheme| url.starts_with(scheme));
        self.at += text.chars().count() + url.chars().count() + 4;
        let url = unescaped(url);
        // A backslash that is left is no part of an address, or comes from a hidden character.
        if !is_known || url.chars().any(|c| c.is_whitespace() || c.is_control() || c == '\\') {
            return Err(format!("'{url}' is no address that paper can show: write one that begins with https://"));
        }
        Ok(Some(Piece::Link { url, text: unescaped(text) }))
    }

    /// `@fig:name`, at the beginning of a word.
    fn reference(&mut self) -> Option<Piece> {
        let before = self.at.checked_sub(1).map(|at| self.characters[at]);
        if before.is_some_and(char::is_alphanumeric) {
            return None;
        }
        let is_part = |c: &&char| c.is_ascii_alphanumeric() || matches!(c, ':' | '_' | '-');
        let label: String = self.characters[self.at + 1..].iter().take_while(is_part).collect();
        // A colon that ends a sentence's part is none of the label.
        let label = label.trim_end_matches([':', '-']).to_owned();
        let is_label =
            ["fig:", "tab:", "sec:", "eq:"].iter().any(|kind| label.starts_with(kind) && label.len() > kind.len());
        is_label.then(|| {
            self.at += 1 + label.len();
            Piece::Reference(label)
        })
    }
}

/// Without the backslashes before signs.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let sign = if character == '\\' { characters.clone().next().filter(char::is_ascii_punctuation) } else { None };
        out.push(sign.unwrap_or(character));
        if sign.is_some() {
            characters.next();
        }
    }
    out
}

fn flush(plain: &mut String, found: &mut Vec<Piece>) {
    if !plain.is_empty() {
        found.push(Piece::Plain(std::mem::take(plain)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Piece {
        Piece::Plain(text.to_owned())
    }

    #[test]
    fn pieces_of_a_text() {
        let found =
            pieces("A *b* **c `d`** in @fig:curves, [@adamw; @tabm] and [e](https://e.org): 2 * 3 [f] x@y.z \\*")
                .unwrap();
        let expected = [
            plain("A "),
            Piece::Emphasis(Text::plain("b")),
            plain(" "),
            Piece::Strong(Text(vec![plain("c "), Piece::Code("d".to_owned())])),
            plain(" in "),
            Piece::Reference("fig:curves".to_owned()),
            plain(", "),
            Piece::Citation(vec!["adamw".to_owned(), "tabm".to_owned()]),
            plain(" and "),
            Piece::Link { url: "https://e.org".to_owned(), text: "e".to_owned() },
            plain(": 2 * 3 [f] x@y.z *"),
        ];
        assert_eq!(found.0, expected);
    }

    // From CommonMark 0.31, 2.4: before other characters backslashes are literal, and any ASCII punctuation may be escaped.
    #[test]
    fn a_backslash_escapes_signs_and_nothing_else() {
        let shown = |source: &str| pieces(source).unwrap().letters();
        assert_eq!(shown("C:\\temp\\new, \\Gamma \\é \\北 a\\"), "C:\\temp\\new, \\Gamma \\é \\北 a\\");
        for sign in (b'!'..=b'~').map(char::from).filter(char::is_ascii_punctuation) {
            assert_eq!(shown(&format!("a\\{sign}b")), format!("a{sign}b"));
        }
        let link = pieces("[a\\_b \\c](https://a.example/x\\_y)").unwrap();
        assert_eq!(link.0, [Piece::Link { url: "https://a.example/x_y".to_owned(), text: "a_b \\c".to_owned() }]);
    }

    #[test]
    fn hidden_characters_are_shown_and_found() {
        let source = "\u{feff}One\r\ntw\u{202e}o\n\u{1b}\n\n```\na\u{7}\tb\n```\n";
        let found = blocks(source).unwrap();
        assert!(
            matches!(&found[0].1, Block::Paragraph(text) if text.letters() == "One tw\\u{202e}o \\u{1b}"),
            "{found:?}"
        );
        assert!(matches!(&found[1].1, Block::Code(code) if code == "a\\u{7}\tb"), "{found:?}");
        assert_eq!(hidden(source), Some(Hidden { line: 2, column: 3, shown: "\\u{202e}".to_owned(), more_lines: 2 }));
        assert_eq!(hidden("\u{feff}a\tb 北 👩\u{200d}👧\r\n"), None);
        assert!(blocks("[a](https://a.example/\u{202e})").is_err());
    }

    #[test]
    fn blocks_of_a_file() {
        let found = blocks("One\ntwo.\n\n- a\n  b\n- c\n\n1. d\n\n```\nx = 1\n\ny\n```\nend\n").unwrap();
        let kinds: Vec<(usize, &str)> = found
            .iter()
            .map(|(line, block)| {
                let kind = match block {
                    Block::Paragraph(_) => "paragraph",
                    Block::List { numbered: true, .. } => "numbered",
                    Block::List { .. } => "list",
                    Block::Code(_) => "code",
                    Block::Equation { .. } => "equation",
                    Block::Float(_) => "float",
                };
                (*line, kind)
            })
            .collect();
        assert_eq!(kinds, [(1, "paragraph"), (4, "list"), (8, "numbered"), (10, "code"), (15, "paragraph")]);
        assert!(matches!(&found[1].1, Block::List { items, .. } if items[0] == Text::plain("a b") && items.len() == 2));
        assert!(matches!(&found[3].1, Block::Code(code) if code == "x = 1\n\ny"));
    }

    #[test]
    fn everything_that_is_not_understood_is_told_with_its_line() {
        let wrong =
            blocks("# Title\n\nfine\n\nan *open\n\n| a |\n\n<b>x</b>\n\n[a](javascript:x)\n\n```\n").unwrap_err();
        let lines: Vec<usize> = wrong.iter().map(|one| one.line).collect();
        assert_eq!(lines, [1, 5, 7, 9, 11, 13], "{wrong:?}");
    }

    #[test]
    fn names_survive() {
        for name in ["a*b*", "r&b", "[x](y)", "@fig:a", "a\\b", "<b>"] {
            assert_eq!(pieces(&escaped(name)).unwrap(), Text::plain(name));
        }
    }
}
