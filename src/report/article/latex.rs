//! Articles for Springer's class `llncs`: the article, its bibliography, the figures as PDF, and the appendix as a document of its own.
//!
//! Spaces are those of the text: babel is kept from adding its own.

use std::fmt::Write as _;

use super::bibliography::{Kind, Work};
use super::document::{Align, Article, Block, Body, Float, Section, Table, running};
use super::tex_text::{address, breakable, code_line, declarations, escaped};
use super::text::{Piece, Text};

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
             % A float is apart from the text, and no more.\n\\setlength{{\\textfloatsep}}{{5mm plus 2pt minus 2pt}}\n\
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
        let size = if table.is_wide() { "\\scriptsize" } else { "\\footnotesize" };
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
    use super::*;

    #[test]
    fn places_of_works_become_fields() {
        let work = Work::find("forest").unwrap();
        assert_eq!(place_fields(work), "  volume = {45},\n  number = {1},\n  pages = {5--32},\n");
    }
}
