//! What a network is made of: boxes from its inputs to its output, each column of boxes feeding the next.

use super::drawing::{Anchor, Drawing, Element, PathData};
use super::palette::Paint;
use super::text;

/// A part of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is, e.g. `linear, 512`.
    pub title: String,
    /// More of it, a line each.
    pub lines: Vec<String>,
}

/// Width of the whole figure, for which a printed line of text is as wide.
const WIDTH: f64 = 560.0;
const GAP: f64 = 20.0;
const SIZE: f64 = 11.5;
const LINE: f64 = 13.0;
const PADDING: f64 = 5.0;
/// Between boxes of one column.
const BETWEEN: f64 = 7.0;
const TOP: f64 = 24.0;

/// Draws the parts from left to right; every box of a column feeds every box of the next, but that of equal numbers those side by side do so alone.
pub fn architecture(title: &str, description: &str, columns: &[Vec<Part>]) -> Drawing {
    let height = |part: &Part| 2.0 * PADDING + LINE * (1 + part.lines.len()) as f64;
    let tall =
        |column: &Vec<Part>| column.iter().map(height).sum::<f64>() + BETWEEN * column.len().saturating_sub(1) as f64;
    let whole = columns.iter().map(tall).fold(0.0, f64::max);
    let mut drawing = Drawing::new(WIDTH, TOP + whole + 8.0, title, description);
    drawing.heading();
    let widths = widths(columns);
    let mut boxes: Vec<Vec<(f64, f64, f64, f64)>> = Vec::new();
    let mut x = 0.0;
    for (column, width) in columns.iter().zip(&widths) {
        let mut y = TOP + (whole - tall(column)) / 2.0;
        let mut own = Vec::new();
        for part in column {
            own.push((x, y, *width, height(part)));
            y += height(part) + BETWEEN;
        }
        boxes.push(own);
        x += width + GAP;
    }
    for pair in boxes.windows(2) {
        let [from, to] = pair else { continue };
        let is_side_by_side = from.len() == to.len();
        for (i, &(x, y, width, height)) in from.iter().enumerate() {
            for (j, &(x2, y2, _, height2)) in to.iter().enumerate() {
                if !is_side_by_side || i == j {
                    arrow(&mut drawing, (x + width, y + height / 2.0), (x2, y2 + height2 / 2.0));
                }
            }
        }
    }
    for (column, own) in columns.iter().zip(&boxes) {
        for (part, &(x, y, width, height)) in column.iter().zip(own) {
            drawing.add(Element::rect(x, y, width, height).corner(4.0).fill(Paint::Surface).stroke(Paint::Ink, 1.1));
            let middle = x + width / 2.0;
            let line = |drawing: &mut Drawing, i: usize, content: &str, bold: bool| {
                let shown = text::fit(content, SIZE, width - 6.0);
                let place = y + PADDING + LINE * (i as f64 + 1.0) - 3.5;
                let element = Element::text(middle, place, &shown).size(SIZE).anchor(Anchor::Middle);
                drawing.add(if bold { element.bold() } else { element.fill(Paint::Muted) });
            };
            line(&mut drawing, 0, &part.title, true);
            for (i, content) in part.lines.iter().enumerate() {
                line(&mut drawing, i + 1, content, false);
            }
        }
    }
    drawing
}

/// As wide as the texts want, and all together as wide as the figure.
fn widths(columns: &[Vec<Part>]) -> Vec<f64> {
    let of_part = |part: &Part| {
        let lines = part.lines.iter().map(|line| text::width(line, SIZE)).fold(0.0, f64::max);
        // Bold letters are wider.
        lines.max(text::width(&part.title, SIZE) * 1.08)
    };
    let wanted: Vec<f64> =
        columns.iter().map(|column| column.iter().map(of_part).fold(0.0, f64::max) + 2.0 * PADDING).collect();
    let room = WIDTH - GAP * columns.len().saturating_sub(1) as f64;
    let factor = room / wanted.iter().sum::<f64>().max(1.0);
    wanted.into_iter().map(|width| width * factor).collect()
}

fn arrow(drawing: &mut Drawing, from: (f64, f64), to: (f64, f64)) {
    /// Length and half the width of the head.
    const HEAD: (f64, f64) = (5.5, 3.0);
    let bend = (to.0 - from.0) / 2.0;
    let end = (to.0 - HEAD.0, to.1);
    let mut path = PathData::default();
    path.move_to(from.0, from.1);
    path.curve_to((from.0 + bend, from.1), (end.0 - bend, end.1), end);
    drawing.add(Element::path(&path).no_fill().stroke(Paint::Neutral, 1.2));
    let mut head = PathData::default();
    head.move_to(to.0, to.1);
    head.line_to(end.0, end.1 - HEAD.1);
    head.line_to(end.0, end.1 + HEAD.1);
    head.close();
    drawing.add(Element::path(&head).fill(Paint::Neutral));
}
