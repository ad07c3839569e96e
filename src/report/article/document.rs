//! An article before it has a format: sections, paragraphs, floats with labels, citations.

use super::bibliography::Work;
use super::language::Voice;
use super::math::Formula;
use super::text::{Piece, Text};
use crate::characters::Missing;
use crate::figure::Drawing;

/// The whole article. Its floats are numbered in the order in which they stand, those of the appendix apart.
#[derive(Clone, Debug)]
pub struct Article {
    pub(crate) voice: Voice,
    pub(crate) title: String,
    pub(crate) author: String,
    /// May be empty.
    pub affiliation: String,
    /// Left out where there is none.
    pub email: Option<String>,
    pub(crate) summary: Text,
    pub(crate) keywords: Vec<String>,
    /// In their order.
    pub sections: Vec<Section>,
    /// How the article was made, after the conclusion and without a number.
    pub(crate) note: Section,
    /// The works that are cited, by their authors.
    pub works: Vec<Work>,
    /// Floats that the pages have no room for.
    pub appendix: Vec<Float>,
}

/// A numbered heading with what stands under it.
#[derive(Clone, Debug, Default)]
pub struct Section {
    /// What references name it by, e.g. `sec:data`.
    pub label: String,
    pub(crate) title: String,
    pub(crate) blocks: Vec<Block>,
    /// Below the section's own blocks.
    pub subsections: Vec<Section>,
}

/// A piece of a section.
#[derive(Clone, Debug)]
pub enum Block {
    /// Text with emphasis.
    Paragraph(Text),
    /// Numbered or with bullets.
    List {
        /// Or with bullets.
        numbered: bool,
        /// One for each entry.
        items: Vec<Text>,
    },
    /// As it stands.
    Code(String),
    /// A formula on a line of its own, with a number.
    Equation {
        /// What references name it by, e.g. `eq:loss`.
        label: String,
        /// What it says.
        formula: Formula,
    },
    /// A figure or table with a caption.
    Float(Float),
}

impl Block {
    /// The running texts of an author's block.
    pub(crate) fn texts_mut(&mut self) -> &mut [Text] {
        match self {
            Block::Paragraph(text) => std::slice::from_mut(text),
            Block::List { items, .. } => items,
            Block::Code(_) | Block::Float(_) | Block::Equation { .. } => &mut [],
        }
    }
}

/// A figure or a table: something with a number and a caption that text refers to.
#[derive(Clone, Debug)]
pub struct Float {
    /// e.g. `fig:confusion` or `tab:models`; also the name of a figure's file.
    pub label: String,
    pub(crate) caption: Text,
    pub(crate) body: Body,
}

#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// Drawn beside one another, each with this share of the text's width.
    Figure {
        drawings: Vec<Drawing>,
        share: f64,
    },
    Table(Table),
}

/// A table with one head line. The first column names the row.
#[derive(Clone, Debug, Default)]
pub struct Table {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Text>>,
    /// Rows with a rule above.
    pub(crate) ruled: Vec<usize>,
}

#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) title: Text,
    pub(crate) align: Align,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Align {
    Left,
    Right,
    /// Broken into lines within this share of the text's width.
    Wrapped(f64),
}

/// Letters on a line of a table in the usual size; a wider one is set smaller.
const TABLE_LETTERS: usize = 84;

impl Table {
    /// Whether its columns together are too wide for the usual size.
    pub(crate) fn is_wide(&self) -> bool {
        let width = |place: usize, column: &Column| match column.align {
            Align::Wrapped(share) => (share * TABLE_LETTERS as f64) as usize,
            _ => {
                let cells = self.rows.iter().filter_map(|row| row.get(place)).map(letters);
                cells.chain([letters(&column.title)]).max().unwrap_or(0)
            }
        };
        let columns = self.columns.iter().enumerate().map(|(place, column)| width(place, column) + 2);
        columns.sum::<usize>() > TABLE_LETTERS
    }
}

/// Names in a fixed font are wider.
fn letters(text: &Text) -> usize {
    let mut fixed = 0;
    text.visit(&mut |piece| {
        if let Piece::Code(code) = piece {
            fixed += code.chars().count();
        }
    });
    text.letters().chars().count() + fixed / 5
}

impl Section {
    pub(crate) fn new(label: &str, title: &str) -> Section {
        Section { label: label.to_owned(), title: title.to_owned(), ..Section::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.blocks.is_empty() && self.subsections.iter().all(Section::is_empty)
    }
}

impl Float {
    /// Or a table.
    pub fn is_figure(&self) -> bool {
        matches!(self.body, Body::Figure { .. })
    }

    /// The label as part of a file's name.
    pub(crate) fn name(&self) -> &str {
        self.label.split_once(':').map_or(&self.label, |(_, name)| name)
    }
}

/// Where a reference leads.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Target {
    /// What stands before the number, e.g. `Fig.`
    pub(crate) word: &'static str,
    /// e.g. `3`, `4.1` or, in the appendix, `A1`.
    pub(crate) number: String,
    pub(crate) in_appendix: bool,
}

impl Article {
    /// Every section in order, with its subsections.
    pub(crate) fn all_sections(&self) -> impl Iterator<Item = &Section> {
        self.sections.iter().flat_map(|section| std::iter::once(section).chain(&section.subsections))
    }

    /// The floats of the article proper, in order.
    pub fn floats(&self) -> impl Iterator<Item = &Float> {
        self.all_sections().flat_map(|section| &section.blocks).filter_map(|block| match block {
            Block::Float(float) => Some(float),
            _ => None,
        })
    }

    /// The labels of the numbered formulas, in order.
    pub fn equations(&self) -> impl Iterator<Item = &str> {
        self.all_sections().flat_map(|section| &section.blocks).filter_map(|block| match block {
            Block::Equation { label, .. } => Some(label.as_str()),
            _ => None,
        })
    }

    /// What the label stands for; `None` if nothing has it.
    pub(crate) fn target(&self, label: &str) -> Option<Target> {
        for (i, section) in self.sections.iter().enumerate() {
            let word = self.voice.say("Sect.", "sect.");
            if section.label == label {
                return Some(Target { word, number: (i + 1).to_string(), in_appendix: false });
            }
            if let Some(j) = section.subsections.iter().position(|inner| inner.label == label) {
                return Some(Target { word, number: format!("{}.{}", i + 1, j + 1), in_appendix: false });
            }
        }
        if let Some(place) = self.equations().position(|own| own == label) {
            let word = self.voice.say("Eq.", "éq.");
            return Some(Target { word, number: format!("({})", place + 1), in_appendix: false });
        }
        let place = |floats: &mut dyn Iterator<Item = &Float>| -> Option<(bool, usize)> {
            let (mut figures, mut tables) = (0, 0);
            for float in floats {
                let count = if float.is_figure() { &mut figures } else { &mut tables };
                *count += 1;
                if float.label == label {
                    return Some((float.is_figure(), *count));
                }
            }
            None
        };
        let word = |is_figure: bool| match is_figure {
            true => self.voice.say("Fig.", "fig."),
            false => self.voice.say("Table", "tableau"),
        };
        if let Some((is_figure, number)) = place(&mut self.floats()) {
            return Some(Target { word: word(is_figure), number: number.to_string(), in_appendix: false });
        }
        let (is_figure, number) = place(&mut self.appendix.iter())?;
        Some(Target { word: word(is_figure), number: format!("A{number}"), in_appendix: true })
    }

    /// Number of a work in the list, from 1.
    pub(crate) fn citation(&self, key: &str) -> Option<usize> {
        self.works.iter().position(|work| work.key == key).map(|place| place + 1)
    }

    /// Every running text: the abstract, paragraphs, items, captions and cells.
    pub fn texts(&self) -> Vec<&Text> {
        let mut texts = vec![&self.summary];
        for section in self.all_sections().chain([&self.note]) {
            for block in &section.blocks {
                match block {
                    Block::Paragraph(text) => texts.push(text),
                    Block::List { items, .. } => texts.extend(items),
                    Block::Float(float) => float_texts(float, &mut texts),
                    Block::Code(_) | Block::Equation { .. } => {}
                }
            }
        }
        self.appendix.iter().for_each(|float| float_texts(float, &mut texts));
        texts
    }

    /// What fonts lack of all that a reader sees, by what `lacks` gives of a text and `figure_lacks` of a text in a figure.
    pub(crate) fn missing(
        &self,
        lacks: &dyn Fn(&str) -> Vec<char>,
        figure_lacks: &dyn Fn(&str) -> Vec<char>,
    ) -> Missing {
        let mut missing = Missing::default();
        let lines = [&self.title, &self.author, &self.affiliation].into_iter().chain(&self.email).chain(&self.keywords);
        lines.for_each(|line| missing.add(line, lacks));
        self.texts().iter().for_each(|text| missing.add(&text.letters(), lacks));
        for section in self.all_sections().chain([&self.note]) {
            missing.add(&section.title, lacks);
            for block in &section.blocks {
                if let Block::Code(code) = block {
                    missing.add(code, lacks);
                }
            }
        }
        for float in self.floats().chain(&self.appendix) {
            if let Body::Figure { drawings, .. } = &float.body {
                drawings.iter().for_each(|drawing| drawing.missing(figure_lacks, &mut missing));
            }
        }
        missing
    }

    /// The same with numbers for the characters of which `lacks` says that there is no font for them.
    #[cfg(feature = "pdf")]
    pub(crate) fn with_numbers(mut self, lacks: &dyn Fn(&str) -> Vec<char>) -> Article {
        let change = |text: &str| numbered(text, lacks);
        let Article { title, author, affiliation, email, keywords, .. } = &mut self;
        for line in [title, author, affiliation].into_iter().chain(email).chain(keywords) {
            *line = change(line);
        }
        self.summary.map_shown(&change);
        let float = |float: &mut Float| {
            float.caption.map_shown(&change);
            match &mut float.body {
                Body::Figure { drawings, .. } => {
                    drawings.iter_mut().for_each(|drawing| *drawing = drawing.with_legend(lacks).into_owned());
                }
                Body::Table(table) => {
                    table.columns.iter_mut().for_each(|column| column.title.map_shown(&change));
                    table.rows.iter_mut().flatten().for_each(|cell| cell.map_shown(&change));
                }
            }
        };
        let section = |section: &mut Section| {
            section.title = change(&section.title);
            for block in &mut section.blocks {
                match block {
                    Block::Paragraph(text) => text.map_shown(&change),
                    Block::List { items, .. } => items.iter_mut().for_each(|item| item.map_shown(&change)),
                    Block::Code(code) => *code = change(code),
                    Block::Float(one) => float(one),
                    Block::Equation { .. } => {}
                }
            }
        };
        for outer in &mut self.sections {
            section(outer);
            outer.subsections.iter_mut().for_each(section);
        }
        section(&mut self.note);
        self.appendix.iter_mut().for_each(float);
        self
    }

    /// References and citations that lead nowhere; empty for an article that is whole.
    pub fn dangling(&self) -> Vec<String> {
        let mut found = Vec::new();
        for text in self.texts() {
            text.visit(&mut |piece| match piece {
                Piece::Reference(label) if self.target(label).is_none() => found.push(label.clone()),
                Piece::Citation(keys) => found.extend(keys.iter().filter(|key| self.citation(key).is_none()).cloned()),
                _ => {}
            });
        }
        found
    }

    /// What the document with the appendix is called.
    pub(crate) fn appendix_title(&self) -> String {
        let title = &self.title;
        if self.voice.is_french() {
            format!("Annexe à «\u{202f}{title}\u{202f}»")
        } else {
            format!("Appendix to “{title}”")
        }
    }

    /// The same with the floats of these labels in the appendix, in their order.
    pub(crate) fn without(&self, labels: &[&str]) -> Article {
        let mut article = self.clone();
        let Article { sections, appendix, .. } = &mut article;
        for section in sections {
            let Section { blocks, subsections, .. } = section;
            for blocks in std::iter::once(blocks).chain(subsections.iter_mut().map(|inner| &mut inner.blocks)) {
                let leaves =
                    |block: &Block| matches!(block, Block::Float(float) if labels.contains(&float.label.as_str()));
                let (gone, kept): (Vec<Block>, Vec<Block>) = std::mem::take(blocks).into_iter().partition(leaves);
                *blocks = kept;
                appendix.extend(gone.into_iter().filter_map(|block| match block {
                    Block::Float(float) => Some(float),
                    _ => None,
                }));
            }
        }
        article.tell_of_appendix();
        article
    }

    /// Says at the end of the introduction where figures and tables with an A are.
    fn tell_of_appendix(&mut self) {
        let sentence = self.voice.say(
            " Figures and tables numbered A are in the separate appendix.",
            " Les figures et tableaux numérotés A sont dans l’annexe séparée.",
        );
        let last = self.sections.first_mut().and_then(|introduction| introduction.blocks.last_mut());
        if let (false, Some(Block::Paragraph(text))) = (self.appendix.is_empty(), last) {
            text.0.push(Piece::Plain(sentence.to_owned()));
        }
    }
}

/// `[U+5317]` for a character that there is no font for.
#[cfg(feature = "pdf")]
fn numbered(text: &str, lacks: &dyn Fn(&str) -> Vec<char>) -> String {
    let shown = |cluster: String| match lacks(&cluster).as_slice() {
        [] => cluster,
        missing => missing.iter().map(|character| format!("[{}]", crate::characters::code_point(*character))).collect(),
    };
    crate::characters::clusters(text).into_iter().map(shown).collect()
}

fn float_texts<'a>(float: &'a Float, texts: &mut Vec<&'a Text>) {
    texts.push(&float.caption);
    if let Body::Table(table) = &float.body {
        texts.extend(table.columns.iter().map(|column| &column.title));
        texts.extend(table.rows.iter().flatten());
    }
}

/// A title short enough for the head of a page.
pub(crate) fn running(title: &str) -> String {
    // Sixty letters of the usual widths do not fit beside the number of the page.
    const MOST: usize = 54;
    match title.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", title[..end].rsplit_once(' ').map_or(&title[..end], |(words, _)| words)),
        None => title.to_owned(),
    }
}
