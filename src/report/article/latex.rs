//! Articles for Springer's class `llncs`: the article, its bibliography, the figures as PDF, and the appendix as a document of its own.
//!
//! Spaces are those of the text: babel is kept from adding its own.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use runner_boundary::text::is_hidden;

use super::bibliography::{Kind, Work};
use super::document::{Align, Article, Block, Body, Float, Section, Table, running};
use super::tex_characters::{composed, is_of_t1};
use super::text::{Piece, Text};
use crate::characters::{clusters, code_point};

/// The files, by their path: `article.tex`, `references.bib`, `figures/NAME.pdf`, and `appendix.tex` where floats were moved there.
pub fn latex(article: &Article) -> Vec<(String, Vec<u8>)> {
    let writer = Writer { article };
    let mut files = vec![("article.tex".to_owned(), writer.document().into_bytes())];
    if !article.works.is_empty() {
        files.push(("references.bib".to_owned(), bib(&article.works).into_bytes()));
    }
    if !article.appendix.is_empty() {
        files.push(("appendix.tex".to_owned(), writer.appendix().into_bytes()));
    }
    for float in article.floats().chain(&article.appendix) {
        if let Body::Figure { drawings, .. } = &float.body {
            let files_of = drawings.iter().enumerate();
            files.extend(files_of.map(|(i, drawing)| (file_of(float, i, drawings.len()), drawing.pdf())));
        }
    }
    files
}

/// `figures/curves-2.pdf`.
fn file_of(float: &Float, place: usize, count: usize) -> String {
    if count == 1 {
        format!("figures/{}.pdf", float.name())
    } else {
        format!("figures/{}-{}.pdf", float.name(), place + 1)
    }
}

struct Writer<'a> {
    article: &'a Article,
}

impl Writer<'_> {
    fn document(&self) -> String {
        let article = self.article;
        let mut out = String::new();
        let _ = write!(out, "\\begin{{document}}\n\\title{{{}}}\n", escaped(&article.title));
        let _ = writeln!(out, "\\titlerunning{{{}}}", escaped(&running(&article.title)));
        let _ = writeln!(out, "\\author{{{}}}\n\\authorrunning{{{0}}}", escaped(&article.author));
        // Either may be missing, and TeX knows no line break without a line before it.
        let place = Some(escaped(&article.affiliation)).filter(|place| !place.is_empty());
        let mail = article.email.as_ref().map(|mail| format!("\\email{{{}}}", escaped(mail)));
        let institute: Vec<String> = place.into_iter().chain(mail).collect();
        let _ = writeln!(out, "\\institute{{{}}}\n\\maketitle", institute.join("\\\\\n"));
        let _ = writeln!(out, "\\begin{{abstract}}\n{}", self.text(&article.summary));
        let words: Vec<String> = article.keywords.iter().map(|word| escaped(word)).collect();
        if !words.is_empty() {
            let _ = writeln!(out, "\\keywords{{{}}}", words.join(" \\and "));
        }
        out.push_str("\\end{abstract}\n");
        for section in &article.sections {
            self.section(&mut out, section, "section");
        }
        let _ = writeln!(out, "\n\\subsubsection*{{{}.}}", escaped(&article.note.title));
        self.blocks(&mut out, &article.note.blocks);
        if !article.works.is_empty() {
            out.push_str("\n\\bibliographystyle{splncs04}\n\\bibliography{references}\n");
        }
        out.push_str("\\end{document}\n");
        self.preamble() + &declarations(&out) + &out
    }

    /// A document with the floats that the pages had no room for; the article refers to them by number.
    fn appendix(&self) -> String {
        let article = self.article;
        let mut out = String::from(
            "\\renewcommand{\\thefigure}{A\\arabic{figure}}\n\\renewcommand{\\thetable}{A\\arabic{table}}\n",
        );
        let title = article.appendix_title();
        let _ = write!(out, "\\begin{{document}}\n\\title{{{}}}\n", escaped(&title));
        let _ = writeln!(out, "\\titlerunning{{{}}}", escaped(&running(&title)));
        let _ = writeln!(out, "\\author{{{}}}\n\\authorrunning{{{0}}}", escaped(&article.author));
        let _ = writeln!(out, "\\institute{{{}}}\n\\maketitle", escaped(&article.affiliation));
        // There is no text that floats could give way to.
        article.appendix.iter().for_each(|float| self.float(&mut out, float, "htbp"));
        if article.appendix.iter().any(|float| cites(&float.caption) || table_cites(float)) {
            out.push_str("\n\\bibliographystyle{splncs04}\n\\bibliography{references}\n");
        }
        out.push_str("\\end{document}\n");
        self.preamble() + &declarations(&out) + &out
    }

    fn preamble(&self) -> String {
        let language = self.article.voice.say("english", "french");
        // French sets its own spaces and captions; those of the text and of the class are meant to stay.
        let french = self.article.voice.say(
            "",
            "\\frenchsetup{AutoSpacePunctuation=false, StandardLayout=true, SmallCapsFigTabCaptions=false}\n\
             \\addto\\captionsfrench{\\renewcommand{\\abstractname}{Résumé.}\\renewcommand{\\figurename}{Fig.}\\renewcommand{\\tablename}{Tableau}}\n\
             \\AtBeginDocument{\\renewcommand{\\keywordname}{{\\bf Mots-clés\\,:}}}\n",
        );
        format!(
            "% Written by runner; compile with: latexmk -pdf article.tex\n\
             \\documentclass[runningheads,a4paper]{{llncs}}\n\
             \\usepackage[T1]{{fontenc}}\n\\usepackage[utf8]{{inputenc}}\n\\usepackage[{language}]{{babel}}\n{french}\
             \\usepackage{{lmodern}}\n\\usepackage{{textcomp}}\n\\usepackage{{microtype}}\n\\usepackage{{graphicx}}\n\\usepackage{{booktabs}}\n\
             \\usepackage{{array}}\n\\usepackage{{amsmath}}\n\\usepackage{{amssymb}}\n\\usepackage[hidelinks]{{hyperref}}\n\
             % Names in a fixed font do not hyphenate: lines may stretch a little.\n\
             \\emergencystretch=2em\n\\setlength{{\\tabcolsep}}{{3pt}}\n\
             \\renewcommand{{\\topfraction}}{{0.9}}\n\\renewcommand{{\\textfraction}}{{0.07}}\n\\renewcommand{{\\floatpagefraction}}{{0.8}}\n\
             \\clubpenalty=10000\n\\widowpenalty=10000\n\\raggedbottom\n\
             % A page of figures alone begins at its top.\n\
             \\makeatletter\\setlength{{\\@fptop}}{{0pt}}\\makeatother\n"
        )
    }

    fn section(&self, out: &mut String, section: &Section, command: &str) {
        let _ = writeln!(out, "\n\\{command}{{{}}}\\label{{{}}}", escaped(&section.title), section.label);
        self.blocks(out, &section.blocks);
        for inner in &section.subsections {
            self.section(out, inner, "subsection");
        }
    }

    fn blocks(&self, out: &mut String, blocks: &[Block]) {
        for block in blocks {
            match block {
                Block::Paragraph(text) => {
                    let _ = writeln!(out, "\n{}", self.text(text));
                }
                Block::List { numbered, items } => {
                    let name = if *numbered { "enumerate" } else { "itemize" };
                    let _ = writeln!(out, "\\begin{{{name}}}");
                    for item in items {
                        let _ = writeln!(out, "\\item {}", self.text(item));
                    }
                    let _ = writeln!(out, "\\end{{{name}}}");
                }
                Block::Code(code) => {
                    out.push_str("\\begin{quote}\\small\\ttfamily\n");
                    let lines: Vec<String> = code.lines().map(code_line).collect();
                    let _ = writeln!(out, "{}\n\\end{{quote}}", lines.join("\\\\\n"));
                }
                Block::Equation { label, formula } => {
                    let _ =
                        writeln!(out, "\\begin{{equation}}\\label{{{label}}}\n{}\n\\end{{equation}}", formula.latex());
                }
                Block::Float(float) => self.float(out, float, "tbp"),
            }
        }
    }

    fn float(&self, out: &mut String, float: &Float, place: &str) {
        let name = if float.is_figure() { "figure" } else { "table" };
        let caption = format!("\\caption{{{}}}\\label{{{}}}", self.text(&float.caption), float.label);
        let _ = writeln!(out, "\n\\begin{{{name}}}[{place}]\n\\centering");
        match &float.body {
            Body::Figure { drawings, share } => {
                for i in 0..drawings.len() {
                    let file = file_of(float, i, drawings.len());
                    let end = if i + 1 < drawings.len() { "\\hfill" } else { "" };
                    let _ = writeln!(out, "\\includegraphics[width={share}\\textwidth]{{{file}}}{end}%");
                }
                let _ = writeln!(out, "\n{caption}");
            }
            Body::Table(table) => {
                let _ = writeln!(out, "{caption}\n{}", self.table(table));
            }
        }
        let _ = writeln!(out, "\\end{{{name}}}");
    }

    fn table(&self, table: &Table) -> String {
        let align = |align: Align| match align {
            Align::Left => "l".to_owned(),
            Align::Right => "r".to_owned(),
            Align::Wrapped(share) => format!(">{{\\raggedright\\arraybackslash}}p{{{share}\\textwidth}}"),
        };
        let columns: String = table.columns.iter().map(|column| align(column.align)).collect();
        let heads: Vec<String> = table.columns.iter().map(|column| self.text(&column.title)).collect();
        // Columns beyond six need the smaller size.
        let size = match table.columns.len() {
            _ if table.is_wide() => "\\scriptsize",
            6.. => "\\footnotesize",
            _ => "\\small",
        };
        let mut out = format!(
            "{size}\n\\begin{{tabular}}{{@{{}}{columns}@{{}}}}\n\\toprule\n{} \\\\\n\\midrule\n",
            heads.join(" & ")
        );
        for (place, row) in table.rows.iter().enumerate() {
            if table.ruled.contains(&place) {
                out.push_str("\\midrule\n");
            }
            let cells: Vec<String> = row.iter().map(|cell| self.text(cell)).collect();
            let _ = writeln!(out, "{} \\\\", cells.join(" & "));
        }
        out.push_str("\\bottomrule\n\\end{tabular}");
        out
    }

    fn text(&self, text: &Text) -> String {
        let mut out = String::new();
        for piece in &text.0 {
            match piece {
                Piece::Plain(plain) => out.push_str(&escaped(plain)),
                Piece::Emphasis(inner) => {
                    let _ = write!(out, "\\emph{{{}}}", self.text(inner));
                }
                Piece::Strong(inner) => {
                    let _ = write!(out, "\\textbf{{{}}}", self.text(inner));
                }
                Piece::Code(code) => {
                    let _ = write!(out, "\\texttt{{{}}}", breakable(code));
                }
                Piece::Link { url, text } => {
                    let _ = write!(out, "\\href{{{}}}{{{}}}", address(url), escaped(text));
                }
                Piece::Math(formula) => {
                    let _ = write!(out, "${}$", formula.latex());
                }
                Piece::Reference(label) => out.push_str(&self.reference(label)),
                Piece::Citation(keys) => {
                    // A citation hangs on to the word before it.
                    if out.ends_with(' ') {
                        out.pop();
                        out.push('~');
                    }
                    let _ = write!(out, "\\cite{{{}}}", keys.join(","));
                }
            }
        }
        out
    }

    fn reference(&self, label: &str) -> String {
        match self.article.target(label) {
            Some(target) if target.in_appendix => format!("{}~{}", target.word, target.number),
            Some(target) if target.number.starts_with('(') => format!("{}~\\eqref{{{label}}}", target.word),
            Some(target) => format!("{}~\\ref{{{label}}}", target.word),
            None => String::from("??"),
        }
    }
}

fn cites(text: &Text) -> bool {
    let mut found = false;
    text.visit(&mut |piece| found |= matches!(piece, Piece::Citation(_)));
    found
}

fn table_cites(float: &Float) -> bool {
    matches!(&float.body, Body::Table(table) if table.rows.iter().flatten().any(cites))
}

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
fn letters(text: &str) -> Vec<String> {
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
    if let Some(composed) = composed(cluster) {
        return out.push_str(&composed);
    }
    for character in cluster.chars() {
        let found = plain(character).or_else(|| composed(character.encode_utf8(&mut [0; 4])).map(Cow::Owned));
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
fn declarations(body: &str) -> String {
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
fn breakable(code: &str) -> String {
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
fn code_line(line: &str) -> String {
    let shown = escaped(line).replace("  ", "~~").replace('-', "-{}");
    let shown = match shown.strip_prefix(' ') {
        Some(rest) => format!("~{rest}"),
        None => shown,
    };
    if shown.is_empty() { "~".to_owned() } else { format!("\\mbox{{{shown}}}") }
}

/// An address within `\href`. What an address cannot hold, and TeX could take for its own, is written by its bytes, as RFC 3986 has it: `^^7d`
/// is a brace to TeX wherever it stands.
fn address(url: &str) -> String {
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

fn bib(works: &[Work]) -> String {
    let mut out = String::new();
    for work in works {
        let (kind, venue) = match work.kind {
            Kind::Article => ("article", "journal"),
            Kind::Proceedings => ("inproceedings", "booktitle"),
            Kind::Book => ("book", "publisher"),
            Kind::Preprint | Kind::Data => ("misc", "howpublished"),
        };
        let _ = writeln!(out, "@{kind}{{{},", work.key);
        let _ =
            writeln!(out, "  author = {{{}}},\n  title = {{{{{}}}}},", escaped(&work.authors), escaped(&work.title));
        if !work.venue.is_empty() {
            let _ = writeln!(out, "  {venue} = {{{}}},", escaped(&work.venue));
        }
        out.push_str(&place_fields(work));
        if let Some(url) = work.printed_url() {
            let _ = writeln!(out, "  url = {{{url}}},");
        }
        let _ = writeln!(out, "  year = {{{}}}\n}}\n", work.year);
    }
    out
}

/// `45(1), 5–32` as volume, number and pages; what is not of that form as pages.
fn place_fields(work: &Work) -> String {
    let mut out = String::new();
    if work.place.is_empty() {
        return out;
    }
    let pages = match work.place.split_once(", ") {
        Some((volume, pages)) => {
            let (volume, number) = match volume.split_once('(') {
                Some((volume, number)) => (volume, number.trim_end_matches(')')),
                None => (volume, ""),
            };
            let _ = writeln!(out, "  volume = {{{volume}}},");
            if !number.is_empty() {
                let _ = writeln!(out, "  number = {{{number}}},");
            }
            pages
        }
        None => &work.place,
    };
    let _ = writeln!(out, "  pages = {{{}}},", pages.replace('–', "--"));
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

    #[test]
    fn places_of_works_become_fields() {
        let work = Work::find("forest").unwrap();
        assert_eq!(place_fields(work), "  volume = {45},\n  number = {1},\n  pages = {5--32},\n");
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
