//! One self-contained HTML file: headings, prose, tables and figures, light and dark, on paper and on a phone.
//!
//! No network, no font, no image from elsewhere; everything reads without the script, which sorts tables, switches the theme, opens panels
//! and draws curves anew as their reader wants them. Equal pages give equal bytes.

mod html;
mod prose;
mod script;
mod table;
mod theme;

pub use html::Language;
pub(crate) use html::{anchor, panel_of};
pub use prose::Prose;
pub use table::{Cell, Column, Table};

use super::figure::{self, Drawing};
use html::{Html, Words};

/// A whole page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    pub(crate) title: String,
    pub(crate) subtitle: String,
    pub(crate) language: Language,
    pub(crate) sections: Vec<Section>,
}

/// A heading with what stands under it. Subsections are one heading level deeper.
#[derive(Clone, Debug, Default)]
pub(crate) struct Section {
    /// Target of links, unique in the page; see [`anchor`].
    pub(crate) id: String,
    pub(crate) title: String,
    pub(crate) blocks: Vec<Block>,
    pub subsections: Vec<Section>,
    /// Keeps the subsections out of the table of contents.
    pub(crate) unlisted: bool,
}

impl Section {
    pub(crate) fn new(id: impl Into<String>, title: impl Into<String>) -> Section {
        Section { id: id.into(), title: title.into(), ..Section::default() }
    }

    pub(crate) fn push(&mut self, block: Block) {
        self.blocks.push(block);
    }

    /// A paragraph of plain text.
    pub(crate) fn say(&mut self, sentence: impl Into<String>) {
        self.blocks.push(Block::Paragraph(Prose::from(sentence.into())));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.blocks.is_empty() && self.subsections.is_empty()
    }
}

/// What can stand under a heading.
#[derive(Clone, Debug)]
pub enum Block {
    /// Text with emphasis.
    Paragraph(Prose),
    /// Sentences as a bulleted list.
    List(Vec<Prose>),
    /// With its caption.
    Figure(Figure),
    /// Figures side by side where there is room; `narrow` ones need half the width.
    Gallery {
        /// Side by side where there is room.
        figures: Vec<Figure>,
        /// Whether each needs little room.
        narrow: bool,
    },
    /// With its caption.
    Table(Table),
    /// Blocks in one row where there is room, else one below the other.
    Beside(Vec<Block>),
    /// Marked by how much they matter.
    Findings(Vec<Finding>),
    /// Label and value pairs, as large numbers.
    Facts(Vec<(String, String)>),
    /// Folded away until asked for.
    Details {
        /// What is seen before it is opened.
        summary: String,
        /// What is seen once it is opened.
        blocks: Vec<Block>,
    },
    /// A part that is found by its title.
    Panel(Panel),
    /// Text in a fixed font, as it is.
    Code(String),
}

/// What a link anywhere on the page opens: folded away where it stands, and a dialog where the script runs.
#[derive(Clone, Debug)]
pub struct Panel {
    /// Target of links. It lies within what is folded, so that a browser unfolds it without any script.
    pub(crate) id: String,
    pub(crate) title: String,
    /// A few words beside the title.
    pub(crate) note: String,
    pub(crate) blocks: Vec<Block>,
}

/// A drawing and a sentence under it, which may be empty.
#[derive(Clone, Debug)]
pub struct Figure {
    pub(crate) drawing: Drawing,
    pub(crate) caption: Prose,
    pub(crate) screen: Screen,
}

/// Where a figure shows, if there is another for the other screens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Screen {
    Any,
    /// And paper.
    Wide,
    Narrow,
}

impl Figure {
    pub(crate) fn new(drawing: Drawing, caption: impl Into<Prose>) -> Figure {
        Figure { drawing, caption: caption.into(), screen: Screen::Any }
    }

    pub(crate) fn on(mut self, screen: Screen) -> Figure {
        self.screen = screen;
        self
    }
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    Ok,
    Note,
    Warning,
    Danger,
}

/// A sentence that judges, with what it rests on.
#[derive(Clone, Debug)]
pub struct Finding {
    pub(crate) severity: Severity,
    pub(crate) title: String,
    pub(crate) detail: String,
    pub(crate) evidence: Vec<String>,
}

/// Lines of evidence that show at once.
const EVIDENCE_SHOWN: usize = 3;

/// The HTML document, UTF-8, starting with `<!doctype html>`.
pub(crate) fn render(page: &Page) -> String {
    let words = Words::of(page.language);
    let mut out = Html(String::with_capacity(256 * 1024));
    out.raw("<!doctype html>\n<html lang=\"");
    out.raw(words.code);
    out.raw("\">\n<head>\n<meta charset=\"utf-8\"/>\n");
    out.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n");
    out.raw("<meta name=\"color-scheme\" content=\"light dark\"/>\n");
    // Whatever a hostile class name or a later change puts into the page, the browser fetches nothing.
    out.raw(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\"/>\n<title>",
    );
    out.text(&page.title);
    out.raw("</title>\n<style>\n");
    out.raw(&theme::style_sheet());
    out.raw("</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#content\">");
    out.text(words.skip);
    out.raw("</a>\n<header class=\"top\">\n<h1>");
    out.text(&page.title);
    out.raw("</h1>\n");
    if !page.subtitle.is_empty() {
        out.raw("<p class=\"subtitle\">");
        out.text(&page.subtitle);
        out.raw("</p>\n");
    }
    out.raw("</header>\n<div class=\"layout\">\n");
    contents(&mut out, page, &words);
    out.raw("<main id=\"content\">\n");
    for section in &page.sections {
        write_section(&mut out, section, 2);
    }
    out.raw("</main>\n</div>\n<script>\n");
    out.raw(&script::with(&words));
    out.raw("</script>\n</body>\n</html>\n");
    out.0
}

fn contents(out: &mut Html, page: &Page, words: &Words) {
    out.raw("<nav class=\"contents\" aria-label=\"");
    out.text(words.contents);
    out.raw("\">\n<ol>\n");
    for section in &page.sections {
        out.raw("<li>");
        link(out, section);
        if !section.subsections.is_empty() && !section.unlisted {
            out.raw("\n<ol>\n");
            for inner in &section.subsections {
                out.raw("<li>");
                link(out, inner);
                out.raw("</li>\n");
            }
            out.raw("</ol>\n");
        }
        out.raw("</li>\n");
    }
    out.raw("</ol>\n</nav>\n");
}

fn link(out: &mut Html, section: &Section) {
    out.raw("<a href=\"#");
    out.text(&section.id);
    out.raw("\">");
    out.text(&section.title);
    out.raw("</a>");
}

fn write_section(out: &mut Html, section: &Section, level: usize) {
    let tag = format!("h{}", level.min(6));
    out.raw("<section id=\"");
    out.text(&section.id);
    out.raw("\">\n");
    out.element(&tag, &section.title);
    for block in &section.blocks {
        write_block(out, block);
    }
    for inner in &section.subsections {
        write_section(out, inner, level + 1);
    }
    out.raw("</section>\n");
}

fn write_block(out: &mut Html, block: &Block) {
    match block {
        Block::Paragraph(prose) => {
            out.raw("<p>");
            prose.write(out);
            out.raw("</p>\n");
        }
        Block::List(items) => {
            out.raw("<ul>\n");
            for item in items {
                out.raw("<li>");
                item.write(out);
                out.raw("</li>\n");
            }
            out.raw("</ul>\n");
        }
        Block::Figure(figure) => write_figure(out, figure),
        Block::Gallery { figures, narrow } => {
            out.raw(if *narrow { "<div class=\"gallery narrow\">\n" } else { "<div class=\"gallery\">\n" });
            figures.iter().for_each(|figure| write_figure(out, figure));
            out.raw("</div>\n");
        }
        Block::Table(table) => table.write(out),
        Block::Beside(blocks) => {
            out.raw("<div class=\"beside\">\n");
            for block in blocks {
                out.raw("<div>\n");
                write_block(out, block);
                out.raw("</div>\n");
            }
            out.raw("</div>\n");
        }
        Block::Findings(findings) => {
            out.raw("<ul class=\"findings\">\n");
            findings.iter().for_each(|finding| write_finding(out, finding));
            out.raw("</ul>\n");
        }
        Block::Facts(facts) => {
            out.raw("<dl class=\"facts\">\n");
            for (label, value) in facts {
                out.raw("<div>");
                out.element("dt", label);
                out.element("dd", value);
                out.raw("</div>\n");
            }
            out.raw("</dl>\n");
        }
        Block::Details { summary, blocks } => {
            out.raw("<details>");
            out.element("summary", summary);
            blocks.iter().for_each(|block| write_block(out, block));
            out.raw("</details>\n");
        }
        Block::Panel(panel) => {
            out.raw("<details class=\"panel\"><summary>");
            out.element("h3", &panel.title);
            out.raw("<span>");
            out.text(&panel.note);
            out.raw("</span></summary>\n<div class=\"sheet\" id=\"");
            out.text(&panel.id);
            out.raw("\">\n");
            panel.blocks.iter().for_each(|block| write_block(out, block));
            out.raw("</div>\n</details>\n");
        }
        Block::Code(text) => {
            out.raw("<pre tabindex=\"0\"><code>");
            // Line breaks matter here, so that each line is escaped on its own.
            for (number, line) in text.lines().enumerate() {
                if number > 0 {
                    out.raw("\n");
                }
                out.text(line);
            }
            out.raw("</code></pre>\n");
        }
    }
}

fn write_figure(out: &mut Html, figure: &Figure) {
    // A figure that needs much room scrolls on a phone rather than shrink beyond reading.
    let wide = figure.drawing.size().0 > figure::WIDTH * 1.2;
    let mut classes = if wide { vec!["wide"] } else { Vec::new() };
    match figure.screen {
        Screen::Any => {}
        Screen::Wide => classes.push("on-wide"),
        Screen::Narrow => classes.push("on-narrow"),
    }
    out.raw(&if classes.is_empty() {
        "<figure>\n".to_owned()
    } else {
        format!("<figure class=\"{}\">\n", classes.join(" "))
    });
    // What scrolls must be reachable by keyboard and have a name; what holds links is.
    match wide && !figure.drawing.has_links() {
        true => {
            out.raw("<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"");
            out.text(figure.drawing.title());
            out.raw("\">");
        }
        false => out.raw("<div class=\"scroll\">"),
    }
    out.raw(&figure.drawing.inline());
    out.raw("</div>\n");
    if !figure.caption.is_empty() {
        out.raw("<figcaption>");
        figure.caption.write(out);
        out.raw("</figcaption>\n");
    }
    if let Some(data) = figure.drawing.data() {
        out.raw(&format!("<script type=\"application/json\" class=\"course\">{data}</script>\n"));
    }
    out.raw("</figure>\n");
}

fn write_finding(out: &mut Html, finding: &Finding) {
    let (class, word) = match finding.severity {
        Severity::Ok => ("ok", "ok"),
        Severity::Note => ("note", "note"),
        Severity::Warning => ("warning", "warning"),
        Severity::Danger => ("danger", "danger"),
    };
    out.raw(&format!("<li class=\"{class}\"><span class=\"severity\">{word}</span> <strong>"));
    out.text(&finding.title);
    out.raw("</strong>");
    if !finding.detail.is_empty() {
        out.element("p", &finding.detail);
    }
    let (shown, folded) = finding.evidence.split_at(finding.evidence.len().min(EVIDENCE_SHOWN));
    write_evidence(out, shown);
    if !folded.is_empty() {
        out.raw("<details>");
        out.element("summary", &format!("{} more", folded.len()));
        write_evidence(out, folded);
        out.raw("</details>");
    }
    out.raw("</li>\n");
}

fn write_evidence(out: &mut Html, lines: &[String]) {
    if !lines.is_empty() {
        out.raw("<ul class=\"evidence\">");
        lines.iter().for_each(|line| out.element("li", line));
        out.raw("</ul>");
    }
}
