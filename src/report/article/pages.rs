//! How many pages an article will fill, estimated without a typesetter: for LaTeX, which need not be at hand.
//!
//! Counts lines of the LNCS page (122 × 193 mm of text in 10 pt on 12 pt) and errs on the side of too many, since a float that does not fit
//! leaves white space behind.

use super::document::{Align, Article, Block, Body, Float, Section, Table};
use super::tex_text::lacks;
use super::text::Text;
use crate::figure::Drawing;

/// The limit that the course sets.
pub const MOST_PAGES: usize = 8;

/// Lines of 12 pt on a page: 193 mm are 549 pt.
const LINES: f64 = 45.0;
/// Letters of 10 pt on a line of 122 mm, in running text.
const LETTERS: f64 = 80.0;
/// The same for captions, lists of works and the abstract in 9 pt on 11 pt.
const SMALL_LETTERS: f64 = 88.0;
const SMALL_LINE: f64 = 11.0 / 12.0;
/// Width of the text in lines of 12 pt: 122 mm are 347 pt.
const WIDTH: f64 = 347.0 / 12.0;
/// Space around a float.
const AROUND: f64 = 2.4;
/// What floats that do not fit and headings that keep with their text leave white: the most of the articles that were measured, which is that
/// of the study of the sample in French.
const WASTE: f64 = 1.0;

/// The number of pages, rounded up.
pub fn estimate(article: &Article) -> usize {
    filled(article).ceil() as usize
}

/// The same to the part of the last page.
pub fn filled(article: &Article) -> f64 {
    let title = 8.0 + (article.title.chars().count() as f64 / 50.0).ceil() * 1.5;
    let summary = small(&article.summary) + 5.0;
    let sections: f64 = article.sections.iter().map(section).sum::<f64>() + section(&article.note) - 2.0;
    let works: f64 = article
        .works
        .iter()
        .map(|work| {
            let letters = work.printed_authors().len()
                + work.title.len()
                + work.venue.len()
                + work.place.len()
                + work.printed_url().map_or(0, |url| url.len() * 5 / 4)
                + 20;
            (letters as f64 / (SMALL_LETTERS - 4.0)).ceil() * SMALL_LINE
        })
        .sum();
    let heading = if article.works.is_empty() { 0.0 } else { 2.5 };
    (title + summary + sections + works + heading) * WASTE / LINES
}

fn section(section: &Section) -> f64 {
    let inner: f64 = section.subsections.iter().map(self::section).sum();
    3.0 + inner + section.blocks.iter().map(block).sum::<f64>()
}

fn block(block: &Block) -> f64 {
    let lines = |text: &Text, letters: f64| (width(text) / letters).ceil().max(1.0);
    match block {
        Block::Paragraph(text) => lines(text, LETTERS),
        Block::List { items, .. } => 1.0 + items.iter().map(|item| lines(item, LETTERS - 5.0)).sum::<f64>(),
        Block::Code(code) => 1.0 + code.lines().count() as f64,
        Block::Equation { formula, .. } => 2.0 + if formula.is_tall() { 1.6 } else { 0.0 },
        Block::Float(one) => float(one),
    }
}

fn float(float: &Float) -> f64 {
    let body = match &float.body {
        Body::Figure { drawings, share } => {
            // Drawings that fit side by side share a line.
            let beside = ((1.0 / share).floor() as usize).max(1);
            let height = |drawing: &Drawing| {
                let (width, height) = drawing.with_legend(&Drawing::pdf_lacks).size();
                WIDTH * share * height / width.max(1.0)
            };
            drawings.chunks(beside).map(|line| line.iter().map(height).fold(0.0, f64::max)).sum::<f64>()
        }
        Body::Table(table) => rows(table),
    };
    body + small(&float.caption) + AROUND
}

fn rows(table: &Table) -> f64 {
    let height = |row: &[Text]| {
        let cell = |(text, column): (&Text, &super::document::Column)| match column.align {
            Align::Wrapped(share) => (width(text) / (SMALL_LETTERS * share)).ceil().max(1.0),
            _ => 1.0,
        };
        row.iter().zip(&table.columns).map(cell).fold(1.0, f64::max)
    };
    let line = if table.is_wide() { 8.5 / 12.0 } else { SMALL_LINE };
    line * (1.8 + table.rows.iter().map(|row| height(row)).sum::<f64>())
}

/// Letters as LaTeX shows them: those that its fonts lack by their numbers, e.g. `[U+5317]`, in three quarters of the size.
fn width(text: &Text) -> f64 {
    const OF_A_NUMBER: usize = 6;
    let letters = text.letters();
    (letters.chars().count() + (OF_A_NUMBER - 1) * lacks(&letters).len()) as f64
}

fn small(text: &Text) -> f64 {
    (width(text) / SMALL_LETTERS).ceil() * SMALL_LINE
}
