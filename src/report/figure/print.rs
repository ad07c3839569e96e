//! Small figures for a printed page: two or three stand beside one another, and their text is as large there as the caption's.

use super::drawing::{Anchor, Drawing, Element};
use super::palette::{Paint, Palette};
use super::scale::{Scale, extent};
use super::text;

/// A third of the text's width, and a half, in units of which a printed text of 11 is 7 points high.
const THIRD: f64 = 184.0;
const HALF: f64 = 272.0;
const SIZE: f64 = 11.0;
const HEADING: f64 = 22.0;

/// What a box shows of a column's values in one class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    /// The 5th and the 95th percentile: the whiskers.
    pub(crate) whiskers: (f64, f64),
    /// The quartiles: the box.
    pub(crate) quartiles: (f64, f64),
    /// The middle.
    pub(crate) median: f64,
}

/// A column by class: a box from quartile to quartile with the median, and whiskers from the 5th to the 95th percentile.
pub(crate) fn class_boxes(column: &str, classes: &[(String, Spread)], palette: &Palette) -> Drawing {
    const ROW: f64 = 15.0;
    let bottom = HEADING + ROW * classes.len() as f64 + 2.0;
    let mut drawing = Drawing::new(THIRD, bottom + 18.0, column, &format!("{column} in each class"));
    let shown = text::fit(column, SIZE * 1.08, THIRD - 4.0);
    drawing.add(Element::text(THIRD / 2.0, 12.0, &shown).size(SIZE).bold().anchor(Anchor::Middle));
    let labels = classes.iter().map(|(class, _)| text::width(class, SIZE)).fold(0.0, f64::max);
    let left = (labels * 1.1).clamp(12.0, 60.0) + 7.0;
    let ends = classes.iter().flat_map(|(_, spread)| [spread.whiskers.0, spread.whiskers.1]);
    let (low, high) = extent(ends).unwrap_or((0.0, 1.0));
    let scale = Scale::linear(low, high, left, THIRD - 8.0, 4);
    scale.draw_below(&mut drawing, HEADING - 3.0, bottom, "");
    for (i, (class, spread)) in classes.iter().enumerate() {
        let y = HEADING + ROW * (i as f64 + 0.5);
        let shown = text::fit(class, SIZE, left - 7.0);
        drawing.add(Element::text(left - 6.0, y + 3.8, &shown).size(SIZE).anchor(Anchor::End));
        let paint = palette.paint(class);
        let at = |value: f64| scale.at(value);
        let (from, to) = (at(spread.quartiles.0), at(spread.quartiles.1));
        drawing.add(Element::line(at(spread.whiskers.0), y, at(spread.whiskers.1), y).stroke(paint, 1.2));
        drawing.add(Element::rect(from, y - 4.5, (to - from).max(0.5), 9.0).fill(Paint::Surface));
        drawing.add(
            Element::rect(from, y - 4.5, (to - from).max(0.5), 9.0).fill(paint).fill_opacity(0.35).stroke(paint, 1.0),
        );
        drawing.add(Element::line(at(spread.median), y - 4.5, at(spread.median), y + 4.5).stroke(paint, 2.0));
    }
    drawing
}

/// A confusion matrix: in each row the shares of a true class that are predicted as each class, in per cent.
pub(crate) fn confusion_shares(classes: &[String], counts: &[Vec<u64>], predicted: &str) -> Drawing {
    let labels = classes.iter().map(|class| text::width(class, SIZE)).fold(0.0, f64::max).clamp(20.0, 90.0);
    let left = labels + 8.0;
    let cell = (HALF - left - 2.0) / classes.len().max(1) as f64;
    let (height, top) = (17.0_f64.min(cell), 34.0);
    let bottom = top + height * classes.len() as f64;
    let mut drawing = Drawing::new(HALF, bottom + 4.0, "Confusion", "Shares of each true class by predicted class");
    drawing.add(
        Element::text(left + (HALF - left) / 2.0, 12.0, predicted).size(SIZE).fill(Paint::Muted).anchor(Anchor::Middle),
    );
    for (t, class) in classes.iter().enumerate() {
        let y = top + height * t as f64;
        let shown = text::fit(class, SIZE, labels);
        drawing.add(Element::text(left - 6.0, y + height / 2.0 + 3.8, &shown).size(SIZE).anchor(Anchor::End));
        let x = left + cell * (t as f64 + 0.5);
        let shown = text::fit(class, SIZE, cell - 2.0);
        drawing.add(Element::text(x, top - 6.0, &shown).size(SIZE).anchor(Anchor::Middle));
        let Some(row) = counts.get(t) else { continue };
        let total = row.iter().fold(0u64, |sum, rows| sum.saturating_add(*rows));
        for (p, rows) in row.iter().take(classes.len()).enumerate() {
            let share = *rows as f64 / total.max(1) as f64;
            let shade = (share * 0.95).min(1.0);
            let x = left + cell * p as f64;
            drawing.add(
                Element::rect(x + 0.5, y + 0.5, cell - 1.0, height - 1.0).fill(Paint::Positive).fill_opacity(shade),
            );
            if total > 0 && cell >= 18.0 {
                let number = Element::text(x + cell / 2.0, y + height / 2.0 + 3.8, &text::decimals(share * 100.0, 0));
                let number = number.size(SIZE).fill(Paint::Positive.text_on(shade)).anchor(Anchor::Middle);
                drawing.add(if t == p { number.bold() } else { number });
            }
        }
    }
    drawing
}

/// A value with whiskers, by its name.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bar {
    /// Beside the bar.
    pub(crate) label: String,
    /// Its length.
    pub(crate) value: f64,
    /// What the whisker reaches to either side.
    pub(crate) reach: f64,
}

/// Bars from zero, the longest first.
pub(crate) fn loss_bars(title: &str, axis: &str, bars: &[Bar]) -> Drawing {
    const ROW: f64 = 15.0;
    let top = 6.0;
    let bottom = top + ROW * bars.len() as f64;
    let mut drawing = Drawing::new(HALF, bottom + 34.0, title, title);
    let labels = bars.iter().map(|bar| text::width(&bar.label, SIZE)).fold(0.0, f64::max);
    let left = labels.clamp(30.0, 120.0) + 7.0;
    let ends = bars.iter().flat_map(|bar| [bar.value - bar.reach, bar.value + bar.reach]).chain([0.0]);
    let (low, high) = extent(ends).unwrap_or((0.0, 1.0));
    let scale = Scale::linear(low.min(0.0), high.max(1e-9) * 1.02, left, HALF - 8.0, 5);
    scale.draw_below(&mut drawing, top, bottom, axis);
    for (i, bar) in bars.iter().enumerate() {
        let y = top + ROW * (i as f64 + 0.5);
        let shown = text::fit(&bar.label, SIZE, left - 7.0);
        drawing.add(Element::text(left - 6.0, y + 3.8, &shown).size(SIZE).anchor(Anchor::End));
        let (zero, end) = (scale.at(0.0), scale.at(bar.value));
        drawing.add(
            Element::rect(zero.min(end), y - 4.5, (end - zero).abs().max(0.5), 9.0)
                .fill(Paint::Positive)
                .fill_opacity(0.8),
        );
        let (from, to) = (scale.at(bar.value - bar.reach), scale.at(bar.value + bar.reach));
        drawing.add(Element::line(from, y, to, y).stroke(Paint::Ink, 1.4));
        for x in [from, to] {
            drawing.add(Element::line(x, y - 3.0, x, y + 3.0).stroke(Paint::Ink, 1.4));
        }
    }
    drawing
}
