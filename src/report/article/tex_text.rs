//! Text as TeX reads it: with what TeX takes for its own escaped, and letters composed that its fonts lack.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use runner_boundary::text::is_hidden;

use super::tex_characters::{composed, is_of_t1};
use crate::characters::{clusters, code_point};

/// Plain text with what TeX would take for its own, and with what its fonts compose. Other characters stay: the preamble declares them.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for cluster in letters(text) {
        // At the beginning of a row or an item it would be an option of what stands before.
        if cluster.starts_with(['[', '*']) && out.trim_start().is_empty() {
            out.push('{');
            letter(&cluster, &mut out);
            out.push('}');
        } else {
            letter(&cluster, &mut out);
        }
    }
    out
}

/// Letters with their accents.
pub(super) fn letters(text: &str) -> Vec<String> {
    if text.is_ascii() { text.chars().map(String::from).collect() } else { clusters(text) }
}

fn letter(cluster: &str, out: &mut String) {
    let mut characters = cluster.chars();
    let alone = match (characters.next(), characters.next()) {
        (Some(one), None) => plain(one),
        _ => None,
    };
    if let Some(found) = alone {
        return out.push_str(&found);
    }
    if let Some(composed) = composed(cluster, &escaped) {
        return out.push_str(&composed);
    }
    for character in cluster.chars() {
        let found = plain(character).or_else(|| composed(character.encode_utf8(&mut [0; 4]), &escaped).map(Cow::Owned));
        match found {
            Some(found) => out.push_str(&found),
            // Nothing hidden stands in a file of ours.
            None if is_hidden(character) => {
                let _ = write!(out, "{{[{}]}}", code_point(character));
            }
            None => out.push(character),
        }
    }
}

/// One character without accents of its own.
fn plain(character: char) -> Option<Cow<'static, str>> {
    Some(Cow::Borrowed(match character {
        '\\' => "\\textbackslash{}",
        '{' | '}' | '$' | '&' | '#' | '%' | '_' => return Some(Cow::Owned(format!("\\{character}"))),
        '~' => "\\textasciitilde{}",
        '^' => "\\textasciicircum{}",
        '`' => "\\textasciigrave{}",
        '<' => "\\textless{}",
        '>' => "\\textgreater{}",
        '|' => "\\textbar{}",
        '"' => "\\textquotedbl{}",
        '\u{a0}' => "~",
        '\u{202f}' | '\u{2009}' => "\\,",
        '’' => "'",
        '–' => "--",
        '—' => "---",
        '…' => "\\dots{}",
        '“' => "``",
        '”' => "''",
        '«' => "\\guillemotleft{}",
        '»' => "\\guillemotright{}",
        '×' => "$\\times$",
        '±' => "$\\pm$",
        '·' => "$\\cdot$",
        c if c.is_ascii_graphic() || c == ' ' || is_of_t1(c) => return Some(Cow::Owned(c.to_string())),
        c if c.is_whitespace() && !is_hidden(c) => " ",
        '\t' | '\n' | '\r' => " ",
        _ => return None,
    }))
}

/// What of a text the fonts of the article can neither show nor compose.
pub(crate) fn lacks(text: &str) -> Vec<char> {
    undeclared(&escaped(text))
}

/// Characters of TeX's source that none of its encodings declares.
fn undeclared(tex: &str) -> Vec<char> {
    tex.chars().filter(|character| !character.is_ascii() && !is_of_t1(*character)).collect()
}

/// The declarations of what the fonts lack of `body`: by its number.
pub(super) fn declarations(body: &str) -> String {
    let all: BTreeSet<char> = undeclared(body).into_iter().collect();
    if all.is_empty() {
        return String::new();
    }
    let mut out = String::from(
        "% Characters that the fonts lack are shown by their numbers. Instead of these lines, load a package for their script.\n\
         \\newcommand*{\\codepoint}[1]{\\scalebox{0.75}{[U+#1]}\\allowbreak{}}\n",
    );
    for character in all {
        let _ = writeln!(out, "\\DeclareUnicodeCharacter{{{0:04X}}}{{\\codepoint{{{0:04X}}}}}", u32::from(character));
    }
    out
}

/// Code may break after an underscore, a slash, a hyphen or a dot.
pub(super) fn breakable(code: &str) -> String {
    let mut out = String::new();
    for cluster in letters(code) {
        match cluster.as_str() {
            "-" => out.push_str("-{}"),
            // A text may begin with it.
            "[" | "*" => {
                let _ = write!(out, "{{{cluster}}}");
            }
            other => letter(other, &mut out),
        }
        if matches!(cluster.as_str(), "_" | "/" | "-" | "." | "@" | "=") {
            out.push_str("\\allowbreak{}");
        }
    }
    out
}

/// A line of code with its leading and inner spaces.
pub(super) fn code_line(line: &str) -> String {
    let shown = escaped(line).replace("  ", "~~").replace('-', "-{}");
    let shown = match shown.strip_prefix(' ') {
        Some(rest) => format!("~{rest}"),
        None => shown,
    };
    if shown.is_empty() { "~".to_owned() } else { format!("\\mbox{{{shown}}}") }
}

/// An address within `\href`. What an address cannot hold, and TeX could take for its own, is written by its bytes, as RFC 3986 has it: `^^7d`
/// is a brace to TeX wherever it stands.
pub(super) fn address(url: &str) -> String {
    let mut out = String::with_capacity(url.len() + 16);
    for byte in url.bytes() {
        match byte {
            b'%' | b'#' | b'&' | b'_' | b'~' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            _ if byte.is_ascii_alphanumeric() || b"-./:?@!'()*+,;=".contains(&byte) => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "\\%{byte:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::Strategy as _;

    use super::super::tex_characters::is_command;
    use super::*;

    #[test]
    fn what_the_fonts_have_not_is_composed_or_declared() {
        for (text, tex) in [
            ("Straße naïve Łódź", "Straße naïve Łódź"),
            ("e\u{301} ạ ế ǹ ḿ ǐ x\u{306}", "é \\d{a} \\'{\\^{e}} \\`{n} \\'{m} \\v{\\i} \\u{x}"),
            ("Ελλάδα", "$\\mathrm{E}$$\\lambda$$\\lambda$$\\acute{\\alpha}$$\\delta$$\\alpha$"),
            (
                "x ∈ ℝ, H₂O, 10⁻³, ⅔ ♭",
                "x $\\in$ $\\mathbb{R}$, H\\textsubscript{2}O, 10\\textsuperscript{$-$}³, \\textsuperscript{2}\\textfractionsolidus{}\\textsubscript{3} $\\flat$",
            ),
            ("北京 Москва \u{200d}", "北京 Москва \u{200d}"),
            ("a\u{7}\u{202e}", "a{[U+0007]}{[U+202E]}"),
        ] {
            assert_eq!(escaped(text), tex);
        }
        assert_eq!(lacks("Ελλάδα 北京 Straße Ж"), ['北', '京', 'Ж']);
        let declared = declarations("a 京北 ß ế");
        assert!(
            declared.ends_with("{4EAC}{\\codepoint{4EAC}}\n\\DeclareUnicodeCharacter{5317}{\\codepoint{5317}}\n"),
            "{declared}"
        );
        assert_eq!(declarations("Straße"), "");
    }

    /// pdfTeX takes twice as long for each accent on another.
    #[test]
    fn dozens_of_accents_are_no_accents() {
        assert_eq!(escaped("e\u{302}\u{301}"), "\\'{\\^{e}}");
        let many = escaped(&format!("a{}", "\u{301}".repeat(24)));
        assert!(!many.contains("{\\") && undeclared(&many).len() >= 23, "{many:?}");
    }

    #[test]
    fn nothing_that_a_name_holds_is_taken_for_tex() {
        assert_eq!(
            escaped("r&b_50% $x$ {a}\\b #1 ~^"),
            "r\\&b\\_50\\% \\$x\\$ \\{a\\}\\textbackslash{}b \\#1 \\textasciitilde{}\\textasciicircum{}"
        );
        assert_eq!(escaped("0,5\u{202f}% – a\u{a0}b"), "0,5\\,\\% -- a~b");
        assert_eq!(breakable("a_b"), "a\\_\\allowbreak{}b");
    }

    /// What of a text would leave its argument, or be taken by TeX for its own; `None` if nothing.
    fn leak(tex: &str) -> Option<String> {
        if tex.contains("^^") || tex.chars().any(|c| c.is_control()) {
            return Some("a raw ^^ or a control character".to_owned());
        }
        let (mut depth, mut dollars) = (0_i32, 0);
        let mut characters = tex.chars().peekable();
        while let Some(character) = characters.next() {
            match character {
                '\\' => match characters.next() {
                    Some(letter) if letter.is_ascii_alphabetic() => {
                        let mut name = String::from(letter);
                        while let Some(letter) = characters.next_if(char::is_ascii_alphabetic) {
                            name.push(letter);
                        }
                        let is_ours = name.starts_with("text")
                            || name.starts_with("guillemot")
                            || OURS.contains(&name.as_str())
                            || is_command(&name);
                        if !is_ours {
                            return Some(format!("the command \\{name}"));
                        }
                    }
                    Some('{' | '}' | '$' | '&' | '#' | '%' | '_' | '~' | ',') => {}
                    // Accents.
                    Some('`' | '\'' | '^' | '=' | '.' | '"') if characters.peek() == Some(&'{') => {}
                    other => return Some(format!("a backslash before {other:?}")),
                },
                '{' => depth += 1,
                '}' => depth -= 1,
                '$' => dollars += 1,
                '%' | '#' | '&' | '_' | '^' => return Some(format!("a raw {character}")),
                _ => {}
            }
            if depth < 0 {
                return Some("a closing brace too many".to_owned());
            }
        }
        (depth != 0 || dollars % 2 != 0).then(|| "something open at its end".to_owned())
    }

    const OURS: [&str; 12] =
        ["dots", "times", "pm", "leq", "geq", "approx", "neq", "infty", "rightarrow", "cdot", "allowbreak", "mbox"];

    #[test]
    fn what_leaks_is_found() {
        for tex in ["a^^7d", "}{", "{", "\\input{x}", "50%", "\\^a", "$", "a&b"] {
            assert!(leak(tex).is_some(), "{tex}");
        }
    }

    proptest::proptest! {
        /// Whatever an author or a table holds, braces stay balanced and nothing of it is a command.
        #[test]
        fn no_text_leaves_its_argument(parts in proptest::collection::vec(proptest::prelude::prop_oneof![
            proptest::sample::select(vec![
                "^^7d", "^^5cinput", "^", "\\", "}", "{", "%", "#", "&", "~", "_", "$", "$$", "[", "]", "*", "--", "``", "\n\n", "\u{b}",
                "\u{1b}", "\u{85}", "\u{2028}", "\\end{document}", "×", "«", "…", "é", "日", "\u{202e}", "http://", "\"", "'", "<", "|",
            ]).prop_map(str::to_owned),
            proptest::prelude::any::<String>(),
        ], 0..12)) {
            let text = parts.concat();
            for shown in [escaped(&text), breakable(&text), code_line(&text), address(&text)] {
                proptest::prop_assert_eq!(leak(&shown), None, "{}", shown);
            }
            // A row or an item may begin with it: neither an option nor a star.
            proptest::prop_assert!(!escaped(&text).trim_start().starts_with(['[', '*']));
            let is_uri = |c: char| c.is_ascii_alphanumeric() || "-./:?@!'()*+,;=\\%#&_~".contains(c);
            proptest::prop_assert!(address(&text).chars().all(is_uri));
        }
    }

    #[test]
    fn addresses_keep_what_they_mean() {
        assert_eq!(
            address("https://a.example/x_y?a=1&b=%41#~é^^7d"),
            "https://a.example/x\\_y?a=1\\&b=\\%41\\#\\~\\%C3\\%A9\\%5E\\%5E7d"
        );
        assert_eq!(escaped("[1] *"), "{[}1] *");
        assert_eq!(escaped(" *a*"), " {*}a*");
        // With a mark on it.
        assert!(escaped("[\u{301}").starts_with("{[") && escaped("[\u{16ff0}").starts_with("{["));
    }
}
