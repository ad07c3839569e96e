//! Articles as Typst markup, in the proportions of Springer's class `llncs`.
//!
//! All text goes in as string literals, so that nothing of it can be taken for markup. Numbers of sections, figures and works are the
//! document's own.

use std::fmt::Write as _;

use super::document::{Align, Article, Block, Body, Float, Section, Table, running};
use super::text::{Piece, Text};
use crate::figure::svg::FONTS;

/// The source and the drawings that it names, as (`figures/NAME.svg`, bytes).
pub(crate) struct Source {
    pub(crate) markup: String,
    pub(crate) figures: Vec<(String, Vec<u8>)>,
}

/// `article.typ` and, where floats were moved there, `appendix.typ`, with the figures that they name.
pub fn sources(article: &Article) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut add = |name: &str, source: Source| {
        files.push((name.to_owned(), source.markup.into_bytes()));
        files.extend(source.figures);
    };
    add("article.typ", self::article(article));
    if !article.appendix.is_empty() {
        add("appendix.typ", appendix(article));
    }
    files
}

/// The article proper; references to floats of the appendix are their numbers.
pub(crate) fn article(article: &Article) -> Source {
    let mut writer = Writer { article, out: preamble(article), figures: Vec::new(), counts: [0, 0], prefix: "" };
    writer.head();
    for (place, section) in article.sections.iter().enumerate() {
        writer.section(section, &(place + 1).to_string());
    }
    let title = string(&format!("{}.", article.note.title));
    let _ = write!(writer.out, "\n#v(0.6em)\n#strong[{title}] ");
    writer.blocks(&article.note.blocks);
    writer.works();
    Source { markup: writer.out, figures: writer.figures }
}

/// The floats of the appendix as a document of its own.
pub(crate) fn appendix(article: &Article) -> Source {
    let mut writer = Writer { article, out: preamble(article), figures: Vec::new(), counts: [0, 0], prefix: "A" };
    let title = string(&article.appendix_title());
    // There is no text that floats could give way to: each stands where it comes.
    let _ = writeln!(
        writer.out,
        "#let float(label, body) = block(above: 2em, below: 2em, breakable: false, width: 100%, align(center, [#body#label]))\n\
         #align(center, {{ set par(justify: false); text(size: 14pt, weight: \"bold\", hyphenate: false)[{title}] }})"
    );
    article.appendix.iter().for_each(|float| writer.float(float));
    Source { markup: writer.out, figures: writer.figures }
}

/// The page: 122 × 193 mm of text on A4, New Computer Modern in 10 pt on 12 pt.
fn preamble(article: &Article) -> String {
    let language = article.voice.say("en", "fr");
    let (title, author) = (string_literal(&article.title), string_literal(&article.author));
    let short = string(&running(&article.title));
    format!(
        "#set document(title: {title}, author: {author}, date: none)\n\
         #set page(paper: \"a4\", margin: (x: 44mm, top: 52mm, bottom: 52mm), header: context {{\n  \
           let page = counter(page).get().first()\n  \
           set text(size: 9pt)\n  \
           if page > 1 {{ if calc.even(page) [#page #h(1fr) {}] else [{short} #h(1fr) #page] }}\n}}, header-ascent: 6mm)\n\
         #set text(font: \"New Computer Modern\", size: 10pt, lang: \"{language}\", costs: (widow: 400%, orphan: 400%))\n\
         #set par(justify: true, leading: 0.5em, spacing: 0.5em, first-line-indent: 1.5em)\n\
         #show raw: set text(font: \"DejaVu Sans Mono\", size: 1em)\n\
         #set heading(numbering: none)\n\
         #show heading.where(level: 1): it => block(above: 1.6em, below: 0.9em, sticky: true, text(size: 12pt, weight: \"bold\", it.body))\n\
         #show heading.where(level: 2): it => block(above: 1.4em, below: 0.8em, sticky: true, text(size: 10pt, weight: \"bold\", it.body))\n\
         #set list(indent: 1em)\n#set enum(indent: 1em)\n\
         #let float(label, body) = place(auto, float: true, clearance: 1.4em, block(breakable: false, width: 100%, [#body#label]))\n\
         #let caption(word, body) = block(width: 100%, above: 0.8em, below: 0.8em, {{\n  \
           set text(size: 9pt)\n  set par(first-line-indent: 0pt, justify: true)\n  \
           context {{ let whole = [*#word* #body]; if measure(whole).width < 122mm {{ align(center, whole) }} else {{ align(left, whole) }} }}\n}})\n",
        string(&article.author),
    )
}

struct Writer<'a> {
    article: &'a Article,
    out: String,
    figures: Vec<(String, Vec<u8>)>,
    /// Figures and tables so far.
    counts: [usize; 2],
    prefix: &'static str,
}

impl Writer<'_> {
    fn head(&mut self) {
        let article = self.article;
        let summary = self.text(&article.summary);
        let word = article.voice.say("Abstract.", "Résumé.");
        let place = Some(&article.affiliation).filter(|place| !place.is_empty());
        let institute: Vec<String> = place.into_iter().chain(&article.email).map(|line| string(line)).collect();
        let _ = write!(
            self.out,
            "#align(center)[\n#block(below: 1.6em, {{ set par(leading: 0.6em, justify: false); text(size: 14pt, weight: \"bold\", hyphenate: false)[{}] }})\n\
             #block(below: 0.8em)[{}]\n#text(size: 9pt)[{}]\n]\n\
             #v(1.4em)\n#pad(x: 10mm)[#set text(size: 9pt)\n#set par(first-line-indent: 0pt)\n*{word}* {summary}",
            string(&article.title),
            string(&article.author),
            institute.join("#linebreak()"),
        );
        if !article.keywords.is_empty() {
            let word = article.voice.say("Keywords:", "Mots-clés\u{202f}:");
            let _ = write!(self.out, "\n#v(0.6em)\n*{word}* {}", string(&article.keywords.join(" · ")));
        }
        self.out.push_str("]\n#v(0.6em)\n");
    }

    fn section(&mut self, section: &Section, number: &str) {
        let level = number.split('.').count();
        let title = string(&format!("{number}\u{2002}{}", section.title));
        let _ = writeln!(self.out, "\n#heading(level: {level})[{title}] {}", anchor(&section.label));
        self.blocks(&section.blocks);
        for (place, inner) in section.subsections.iter().enumerate() {
            self.section(inner, &format!("{number}.{}", place + 1));
        }
    }

    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            match block {
                Block::Paragraph(text) => {
                    let text = self.text(text);
                    let _ = writeln!(self.out, "\n{text}");
                }
                Block::List { numbered, items } => {
                    let name = if *numbered { "enum" } else { "list" };
                    let items: Vec<String> = items.iter().map(|item| format!("[{}]", self.text(item))).collect();
                    let _ = writeln!(self.out, "\n#{name}({})", items.join(", "));
                }
                Block::Code(code) => {
                    let _ = writeln!(
                        self.out,
                        "\n#block(inset: (x: 1em, y: 0.4em), raw(block: true, {}))",
                        string_literal(code)
                    );
                }
                Block::Equation { label, formula } => {
                    let _ = writeln!(
                        self.out,
                        "\n#math.equation(block: true, numbering: \"(1)\", $ {} $) {}",
                        formula.typst(),
                        anchor(label)
                    );
                }
                Block::Float(float) => self.float(float),
            }
        }
    }

    fn float(&mut self, float: &Float) {
        let (word, count) = if float.is_figure() {
            (self.article.voice.say("Fig.", "Fig."), &mut self.counts[0])
        } else {
            (self.article.voice.say("Table", "Tableau"), &mut self.counts[1])
        };
        *count += 1;
        let number = string(&format!("{word}\u{a0}{}{count}.", self.prefix));
        let caption = format!(
            "#caption({number_content}, [{text}])",
            number_content = format_args!("[{number}]"),
            text = self.text(&float.caption)
        );
        let body = match &float.body {
            Body::Figure { drawings, share } => {
                let mut images = Vec::new();
                for (place, drawing) in drawings.iter().enumerate() {
                    let name = format!("figures/{}-{}.svg", float.name(), place + 1);
                    // The fonts of a page are not at hand here; the article's own is.
                    let svg = drawing.inline().replace(FONTS, "New Computer Modern");
                    self.figures.push((name.clone(), svg.into_bytes()));
                    images.push(format!("box(image({}, width: {}%))", string_literal(&name), share * 100.0));
                }
                format!("#align(center, {{ {} }})\n{caption}", images.join("; h(1fr); "))
            }
            Body::Table(table) => format!("{caption}\n{}", self.table(table)),
        };
        let _ = writeln!(self.out, "\n#float({})[\n{body}\n]", anchor(&float.label).trim_start_matches('#'));
    }

    fn table(&self, table: &Table) -> String {
        let wrapped = table.columns.iter().filter(|column| matches!(column.align, Align::Wrapped(_))).count();
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|column| match column.align {
                // Alone it takes all that the others leave.
                Align::Wrapped(_) if wrapped == 1 => "1fr".to_owned(),
                Align::Wrapped(share) => format!("{}%", share * 100.0),
                _ => "auto".to_owned(),
            })
            .collect();
        let aligns: Vec<&str> =
            table.columns.iter().map(|column| if column.align == Align::Right { "right" } else { "left" }).collect();
        let cells =
            |row: &[Text]| row.iter().map(|cell| format!("[{}]", self.text(cell))).collect::<Vec<_>>().join(", ");
        let heads: Vec<Text> = table.columns.iter().map(|column| column.title.clone()).collect();
        let mut rows = String::new();
        for (place, row) in table.rows.iter().enumerate() {
            if table.ruled.contains(&place) {
                rows.push_str("  table.hline(stroke: 0.4pt),\n");
            }
            let _ = writeln!(rows, "  {},", cells(row));
        }
        let size = if table.is_wide() { "7pt" } else { "8pt" };
        format!(
            "#align(center)[#set text(size: {size})\n#set par(justify: false, first-line-indent: 0pt)\n#table(columns: ({},), align: ({},), stroke: none, \
             inset: (x: 2.5pt, top: 2.9pt, bottom: 2.2pt),\n  table.hline(stroke: 0.8pt),\n  {},\n  table.hline(stroke: 0.5pt),\n{rows}  table.hline(stroke: 0.8pt),\n)]",
            columns.join(", "),
            aligns.join(", "),
            cells(&heads),
        )
    }

    fn text(&self, text: &Text) -> String {
        let mut out = String::new();
        for piece in &text.0 {
            match piece {
                Piece::Plain(plain) => out.push_str(&string(&joined_ranges(plain))),
                Piece::Emphasis(inner) => {
                    let _ = write!(out, "#emph[{}]", self.text(inner));
                }
                Piece::Strong(inner) => {
                    let _ = write!(out, "#strong[{}]", self.text(inner));
                }
                Piece::Code(code) => {
                    // A break may come after an underscore.
                    let _ = write!(out, "#raw({})", string_literal(&code.replace('_', "_\u{200b}")));
                }
                Piece::Link { url, text } => {
                    let _ = write!(out, "#link({})[{}]", string_literal(url), string(text));
                }
                Piece::Math(formula) => {
                    let _ = write!(out, "${}$", formula.typst());
                }
                Piece::Reference(label) => {
                    let Some(target) = self.article.target(label) else { continue };
                    let shown = string(&format!("{}\u{a0}{}", target.word, target.number));
                    // A label of the other document cannot be linked to.
                    if target.in_appendix == (self.prefix == "A") {
                        let _ = write!(out, "#link({})[{shown}]", anchor(label).trim_start_matches('#'));
                    } else {
                        out.push_str(&shown);
                    }
                }
                Piece::Citation(keys) => {
                    let numbers: Vec<String> =
                        keys.iter().filter_map(|key| self.article.citation(key)).map(|n| n.to_string()).collect();
                    out.push_str(&string(&format!("[{}]", numbers.join(", "))));
                }
            }
        }
        out
    }

    fn works(&mut self) {
        let article = self.article;
        if article.works.is_empty() {
            return;
        }
        let title = article.voice.say("References", "Références");
        let _ = writeln!(
            self.out,
            "\n#heading(level: 1)[{}]\n#[#set text(size: 9pt)\n#set par(first-line-indent: 0pt)",
            string(title)
        );
        for (place, work) in article.works.iter().enumerate() {
            let mut line = format!("{}: {}", work.printed_authors(), work.title.trim_end_matches('.'));
            let is_alone = work.venue.is_empty() && work.place.is_empty();
            if !is_alone && !work.title.ends_with('?') {
                line.push('.');
            }
            if !work.venue.is_empty() {
                let _ = write!(line, " {}", work.venue);
            }
            if !work.place.is_empty() {
                let _ = write!(line, " {}", work.place);
            }
            let _ = write!(line, " ({}).", work.year);
            let link = match (work.printed_url(), work.link.as_ref()) {
                (Some(url), shown) => format!("#\" \"#link({})[{}]", string_literal(&url), string(shown)),
                (None, _) => String::new(),
            };
            let _ = writeln!(
                self.out,
                "#grid(columns: (1.8em, 1fr), [{}], [{}{link}])",
                string(&format!("{}.", place + 1)),
                string(&line)
            );
        }
        self.out.push_str("]\n");
    }
}

/// `#label("fig:curves")`.
fn anchor(label: &str) -> String {
    format!("#label({})", string_literal(label))
}

/// Text as content.
fn string(text: &str) -> String {
    format!("#{}", string_literal(text))
}

/// No line breaks within a range as `256–256`; a longer chain may need one.
fn joined_ranges(text: &str) -> String {
    let is_range = |(from, to): (&str, &str)| {
        from.ends_with(|c: char| c.is_ascii_digit())
            && to.starts_with(|c: char| c.is_ascii_digit())
            && !to.contains('–')
    };
    let words = text.split(' ').map(|word| match word.split_once('–') {
        Some(ends) if is_range(ends) => word.replace('–', "\u{2060}–\u{2060}"),
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn string_literal(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_stay_on_their_line() {
        assert_eq!(joined_ranges("256–128, a – b, –1"), "256\u{2060}–\u{2060}128, a – b, –1");
        assert_eq!(joined_ranges("64–32–16"), "64–32–16");
    }

    #[test]
    fn text_cannot_become_markup() {
        assert_eq!(string("a \"b\" \\ #x $y$ [z]"), "#\"a \\\"b\\\" \\\\ #x $y$ [z]\"");
    }

    proptest::proptest! {
        /// A literal ends at its last quotation mark, whatever it holds.
        #[test]
        fn no_text_leaves_its_literal(text in proptest::prelude::any::<String>(), tail in "[\"\\\\#$`@/*\\[\\]]{0,6}") {
            let literal = string_literal(&format!("{text}{tail}"));
            let inside = literal.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap();
            let mut escaped = false;
            for character in inside.chars() {
                proptest::prop_assert!(escaped || character != '"');
                escaped = !escaped && character == '\\';
            }
            proptest::prop_assert!(!escaped);
        }
    }
}
