//! Text of others for a terminal and for JSON: characters that would steer a terminal, turn the direction of writing or are not seen at all are
//! shown as escapes, e.g. `\u{1b}`. Escaping twice changes nothing.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Write as _};
use std::ops::RangeInclusive;

/// Joiners, which Persian, Indic scripts and emoji need between two letters, and which are hidden anywhere else.
const JOINERS: RangeInclusive<char> = '\u{200c}'..='\u{200d}';

/// Whether a character is never shown as it is: C0, DEL and C1 controls, marks of direction, line separators, what Unicode lets programs ignore
/// (`Default_Ignorable_Code_Point`), letters that look like nothing, and private use, of which nobody knows how it looks.
/// Whether line breaks and tabs are meant is for the caller.
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{e000}'..='\u{f8ff}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d159}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
                | '\u{f0000}'..='\u{10ffff}'
        )
}

/// Whether a character that is hidden elsewhere belongs to the shown one before it: joiners where the next character is shown too, and selectors of a
/// form, of emoji and symbols, of ideographs, of Mongolian letters.
fn belongs(character: char, before: char, next: Option<char>) -> bool {
    match character {
        '\u{200c}'..='\u{200d}' => {
            before >= '\u{600}' && next.is_some_and(|next| next >= '\u{600}' && !may_be_hidden(next))
        }
        // `1` with a frame around it.
        '\u{fe0f}' if matches!(before, '0'..='9' | '#' | '*') => next == Some('\u{20e3}'),
        '\u{fe0e}'..='\u{fe0f}' => matches!(before, '\u{a9}' | '\u{ae}') || before >= '\u{2000}',
        '\u{fe00}'..='\u{fe0d}' => before >= '\u{1000}',
        '\u{e0100}'..='\u{e01ef}' => before >= '\u{2e80}',
        '\u{180b}'..='\u{180d}' | '\u{180f}' => matches!(before, '\u{1820}'..='\u{18aa}'),
        _ => false,
    }
}

fn may_be_hidden(character: char) -> bool {
    is_hidden(character) || JOINERS.contains(&character)
}

/// The text with every hidden character as an escape; line breaks and tabs stay.
pub fn escaped(text: &str) -> Cow<'_, str> {
    replaced(
        text,
        |character| !matches!(character, '\n' | '\t'),
        |character, out| match character {
            '\r' => out.push_str("\\r"),
            other => {
                let _ = write!(out, "{}", other.escape_unicode());
            }
        },
    )
}

/// The same in one line, as a message quotes it: line breaks and tabs are escapes too, `\n`, so that no name of others begins a line of ours.
pub fn quoted(text: &str) -> Cow<'_, str> {
    replaced(
        text,
        |_| true,
        |character, out| match character {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            other => {
                let _ = write!(out, "{}", other.escape_unicode());
            }
        },
    )
}

/// An error of several lines, e.g. one for each line of a file at fault. Only through it does a message have more than one line: a line break
/// in any other comes from what it quotes.
#[derive(Debug)]
pub struct Lines {
    lines: Vec<String>,
    name_files: bool,
}

impl Lines {
    /// Of texts that are shown below each other.
    pub fn new(lines: impl IntoIterator<Item = impl AsRef<str>>) -> Lines {
        let lines = lines.into_iter().map(|line| quoted(line.as_ref()).into_owned()).collect();
        Lines { lines, name_files: false }
    }

    /// Lines that each say of which file they are: no other place is needed to find the mistake.
    pub fn of_files(lines: impl IntoIterator<Item = impl AsRef<str>>) -> Lines {
        Lines { name_files: true, ..Lines::new(lines) }
    }

    /// Whether messages need to say which file a line is of.
    pub fn name_files(&self) -> bool {
        self.name_files
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines.join("\n"))
    }
}

impl Error for Lines {}

/// An error and its causes as a message whose only line breaks are those of [`Lines`].
pub fn of_chain<'e>(chain: impl Iterator<Item = &'e (dyn Error + 'static)>) -> String {
    let causes = chain.map(|cause| match cause.downcast_ref::<Lines>() {
        Some(lines) => lines.to_string(),
        None => quoted(cause.to_string().trim_end()).into_owned(),
    });
    causes.collect::<Vec<_>>().join(": ")
}

/// JSON in which such characters, which can only stand within strings there, are `\u` escapes. C0 controls are already; those between values,
/// as line breaks, stay.
pub fn json(text: &str) -> Cow<'_, str> {
    replaced(
        text,
        |character| !character.is_ascii() || character == '\x7f',
        |character, out| {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        },
    )
}

/// As a shell takes it for one word that is no option, e.g. a folder's name.
pub fn in_shell(word: &str) -> String {
    let plain = word.chars().all(|c| c.is_alphanumeric() || "_-./+:,@=".contains(c)) && !word.starts_with('-');
    match word.strip_prefix('-') {
        _ if plain && !word.is_empty() => word.to_owned(),
        Some(_) => in_shell(&format!("./{word}")),
        None => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// A text as it is written for a value of a pipeline file, where `${` would begin a variable: bare where it is plainly a name, else in quotes, in double ones where a character needs an escape. So what is shown of it
/// can be pasted, as none of its characters is hidden.
pub fn yaml(text: &str) -> String {
    const TAKEN: [&str; 3] = ["null", "true", "false"];
    let is_name = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_name && !TAKEN.iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return text.to_owned();
    }
    let text = &text.replace("${", "$${");
    if let Cow::Borrowed(_) = quoted(text) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    let escaped = replaced(
        &text,
        |_| true,
        |character, out| {
            let _ = match (character, u32::from(character)) {
                ('\n', _) => write!(out, "\\n"),
                ('\r', _) => write!(out, "\\r"),
                ('\t', _) => write!(out, "\\t"),
                (_, code @ ..=0xff) => write!(out, "\\x{code:02x}"),
                (_, code @ ..=0xffff) => write!(out, "\\u{code:04x}"),
                (_, code) => write!(out, "\\U{code:08x}"),
            };
        },
    );
    format!("\"{escaped}\"")
}

fn replaced(text: &str, counts: impl Fn(char) -> bool, write: impl Fn(char, &mut String)) -> Cow<'_, str> {
    if !text.chars().any(|character| may_be_hidden(character) && counts(character)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    // The shown character that the next one may belong to; each has one selector, and each joiner joins two.
    let mut before: Option<(char, bool)> = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let next = characters.peek().copied();
        let is_joiner = JOINERS.contains(&character);
        let belonging = before.filter(|(before, has_selector)| {
            may_be_hidden(character) && (is_joiner || !has_selector) && belongs(character, *before, next)
        });
        before = match belonging {
            Some(_) if is_joiner => None,
            Some((before, _)) => Some((before, true)),
            None => (!may_be_hidden(character)).then_some((character, false)),
        };
        if may_be_hidden(character) && belonging.is_none() && counts(character) {
            write(character, &mut out);
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_or_is_not_seen_is_shown() {
        for (text, shown) in [
            ("\u{1b}[31mred\u{1b}]0;t\u{7}", "\\u{1b}[31mred\\u{1b}]0;t\\u{7}"),
            ("a\u{9b}31m\u{7f}\r\0", "a\\u{9b}31m\\u{7f}\\r\\u{0}"),
            ("user\u{202e}nimda\u{2066}\u{200f}\u{61c}", "user\\u{202e}nimda\\u{2066}\\u{200f}\\u{61c}"),
            ("a\u{2028}b\u{200b}c\u{feff}\u{e0041}", "a\\u{2028}b\\u{200b}c\\u{feff}\\u{e0041}"),
            ("ad\u{200d}min", "ad\\u{200d}min"),
            ("a\u{ad}b\u{34f}c\u{115f}\u{3164}\u{ffa0}", "a\\u{ad}b\\u{34f}c\\u{115f}\\u{3164}\\u{ffa0}"),
            (
                "\u{17b4}\u{2800}\u{1bca0}\u{1d159}\u{e000}\u{f0000}",
                "\\u{17b4}\\u{2800}\\u{1bca0}\\u{1d159}\\u{e000}\\u{f0000}",
            ),
            ("a\u{fe0f}1\u{fe0f}é\u{fe00}é\u{e0100}a\u{180b}", "a\\u{fe0f}1\\u{fe0f}é\\u{fe00}é\\u{e0100}a\\u{180b}"),
            ("❤\u{fe0f}\u{fe0f}", "❤\u{fe0f}\\u{fe0f}"),
            ("é\u{200d}é 日\u{200d}\u{200d}日", "é\\u{200d}é 日\\u{200d}\\u{200d}日"),
            ("a\n\tb", "a\n\tb"),
        ] {
            assert_eq!(escaped(text), shown);
            assert_eq!(escaped(shown), shown, "escaping twice");
        }
    }

    #[test]
    fn yaml_of_a_text_shows_all_of_it() {
        for (text, written) in [
            ("rock", "rock"),
            ("5/5", "'5/5'"),
            ("it's", "'it''s'"),
            ("True", "'True'"),
            ("", "''"),
            ("a\\tb", "'a\\tb'"),
            ("${a} $b", "'$${a} $b'"),
            ("tab\there", "\"tab\\there\""),
            ("\u{feff}1", "\"\\ufeff1\""),
            ("\u{1b}[31m\"\\N", "\"\\x1b[31m\\\"\\\\N\""),
            ("\u{e0041}\u{85}", "\"\\U000e0041\\x85\""),
            ("\u{3164}❤\u{fe0f}", "\"\\u3164❤\u{fe0f}\""),
        ] {
            assert_eq!(yaml(text), written);
            assert_eq!(quoted(written), written, "nothing of it is shown otherwise");
        }
    }

    #[test]
    fn only_lines_of_ours_are_lines() {
        let name = "q\n✓ s  ran\r\u{85}\terror: fake";
        let shown = "q\\n✓ s  ran\\r\\u{85}\\terror: fake";
        assert_eq!(quoted(name), shown);
        assert_eq!(quoted(shown), shown, "escaping twice");
        let plain = std::io::Error::other(format!("no column '{name}'"));
        let lines = Lines::new([format!("t.csv:1: '{name}'"), "t.csv:2: short".to_owned()]);
        let chain: [&(dyn Error + 'static); 2] = [&plain, &lines];
        let expected = format!("no column '{shown}': t.csv:1: '{shown}'\nt.csv:2: short");
        assert_eq!(of_chain(chain.into_iter()), expected);
    }

    #[test]
    fn scripts_keep_what_they_need() {
        for text in [
            "می\u{200c}خواهم",
            "👩\u{200d}👩\u{200d}👧",
            "❤\u{fe0f}\u{200d}🔥 ©\u{fe0f} 1\u{fe0f}\u{20e3}",
            "日本e\u{301}",
            "葛\u{e0100}",
            "ᠰ\u{180b}ᠠ",
            "שלום",
        ] {
            assert!(matches!(escaped(text), Cow::Borrowed(_)) || escaped(text) == text, "{text}");
        }
    }

    #[test]
    fn json_says_the_same() {
        let value = serde_json::json!({"a\u{9b}": "\u{202e}x\u{7f}\u{e0041}\n\u{1b}é日"});
        let line = format!("{value}\n");
        let shown = json(&line);
        assert!(!shown.trim_end().chars().any(is_hidden), "{shown}");
        assert!(shown.contains("é日") && shown.contains("\\udb40\\udc41"));
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
    }
}
