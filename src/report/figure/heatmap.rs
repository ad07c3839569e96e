//! Coloured tables: correlations on a diverging scale, confusion matrices by the share of each true class.
//!
//! A cell's colour is one strong hue laid over the background as far as its value is large, so the same figure works in
//! the light and in the dark; the ink of its number is chosen by contrast.

use super::drawing::{Anchor, Drawing, Element};
use super::palette::Paint;
use super::{WIDTH, text};

/// A symmetric matrix of coefficients in −1..=1 as its lower triangle. Rows that are missing or not finite stay empty.
pub fn correlation(title: &str, description: &str, labels: &[String], matrix: &[Vec<f64>]) -> Drawing {
    let count = labels.len();
    let row_labels = labels.iter().map(|l| text::width(l, 11.5)).fold(0.0, f64::max).min(132.0) + 8.0;
    let cell = ((WIDTH - row_labels) / count.max(1) as f64).clamp(16.0, 44.0);
    let width = (row_labels + cell * count as f64 + 2.0).max(WIDTH);
    let top = 26.0;
    let bottom = top + cell * count as f64;
    let column_labels = row_labels.min(104.0);
    let mut drawing = Drawing::new(width, bottom + column_labels * 0.75 + 14.0, title, description);
    drawing.heading();
    draw_correlation_key(&mut drawing, width);
    for (i, label) in labels.iter().enumerate() {
        let y = top + cell * i as f64;
        let shown = text::fit(label, 11.5, row_labels - 8.0);
        drawing.add(Element::text(row_labels - 7.0, y + cell / 2.0 + 4.0, &shown).size(11.5).anchor(Anchor::End));
        let (x, label_y) = (row_labels + cell * (i as f64 + 0.5) + 3.0, bottom + 10.0);
        let shown = text::fit(label, 11.5, column_labels - 6.0);
        drawing.add(Element::text(x, label_y, &shown).size(11.5).anchor(Anchor::End).rotate(-45.0, x, label_y));
        // Every column correlates with itself: the diagonal only joins row and column.
        let x = row_labels + cell * i as f64;
        drawing.add(Element::rect(x + 0.5, y + 0.5, cell - 1.0, cell - 1.0).fill(Paint::Grid).fill_opacity(0.5));
        for (j, other) in labels.iter().enumerate().take(i) {
            let Some(value) = matrix.get(i).and_then(|row| row.get(j)).filter(|v| v.is_finite()) else {
                continue;
            };
            let strength = value.abs().min(1.0);
            let paint = if *value >= 0.0 { Paint::Positive } else { Paint::Negative };
            let x = row_labels + cell * j as f64;
            drawing.add(
                Element::rect(x + 0.5, y + 0.5, cell - 1.0, cell - 1.0)
                    .fill(paint)
                    .fill_opacity(strength)
                    .tooltip(&format!("{label} and {other}: {}", text::decimals(*value, 3))),
            );
            if cell >= 20.0 && strength >= 0.05 {
                let shown = text::decimals(*value, if cell >= 26.0 { 2 } else { 1 });
                // The leading zero carries nothing in a coefficient.
                let shown = shown.replacen("0.", ".", 1);
                drawing.add(
                    Element::text(x + cell / 2.0, y + cell / 2.0 + 3.5, &shown)
                        .size(9.5)
                        .fill(paint.text_on(strength))
                        .anchor(Anchor::Middle),
                );
            }
        }
    }
    drawing
}

/// The scale from −1 to 1, at the top right where the lower triangle leaves room.
fn draw_correlation_key(drawing: &mut Drawing, width: f64) {
    const STEPS: usize = 9;
    let left = width - 156.0; // 144 of boxes, and half of the last label
    for step in 0..STEPS {
        let value = step as f64 / (STEPS - 1) as f64 * 2.0 - 1.0;
        let paint = if value >= 0.0 { Paint::Positive } else { Paint::Negative };
        let x = left + 16.0 * step as f64;
        drawing.add(Element::rect(x, 30.0, 16.0, 9.0).fill(paint).fill_opacity(value.abs()));
    }
    for (label, at) in [("−1", 0.0), ("0", 72.0), ("+1", 144.0)] {
        drawing.add(Element::text(left + at, 52.0, label).size(11.0).fill(Paint::Muted).anchor(Anchor::Middle));
    }
}

/// A confusion matrix: `counts[t][p]` rows of true class `t` predicted as `p`, each cell with its count and its share
/// of the true class, coloured by that share.
pub fn confusion(title: &str, description: &str, classes: &[String], counts: &[Vec<u64>]) -> Drawing {
    let count = classes.len();
    let labels = classes.iter().map(|c| text::width(c, 12.0)).fold(0.0, f64::max).min(110.0);
    let left = labels + 30.0;
    let cell = ((WIDTH - left - 4.0) / count.max(1) as f64).clamp(44.0, 84.0);
    let cell_height = cell.min(50.0);
    let (width, top) = ((left + cell * count as f64 + 4.0).max(WIDTH), 62.0);
    let bottom = top + cell_height * count as f64;
    let mut drawing = Drawing::new(width, bottom + 10.0, title, description);
    drawing.heading();
    let centre = left + cell * count as f64 / 2.0;
    drawing.add(Element::text(centre, 34.0, "predicted").size(11.0).fill(Paint::Muted).anchor(Anchor::Middle));
    let middle = (top + bottom) / 2.0;
    drawing.add(
        Element::text(11.0, middle, "true")
            .size(11.0)
            .fill(Paint::Muted)
            .anchor(Anchor::Middle)
            .rotate(-90.0, 11.0, middle),
    );
    for (t, class) in classes.iter().enumerate() {
        let y = top + cell_height * t as f64;
        let shown = text::fit(class, 12.0, labels);
        drawing.add(Element::text(left - 8.0, y + cell_height / 2.0 + 4.0, &shown).anchor(Anchor::End));
        let shown = text::fit(class, 11.5, cell - 4.0);
        let x = left + cell * (t as f64 + 0.5);
        drawing.add(Element::text(x, top - 8.0, &shown).size(11.5).anchor(Anchor::Middle));
        let Some(row) = counts.get(t) else { continue };
        let total = row.iter().take(count).fold(0u64, |sum, rows| sum.saturating_add(*rows));
        for (p, (predicted, &rows)) in classes.iter().zip(row).enumerate() {
            let share = rows as f64 / total.max(1) as f64;
            let x = left + cell * p as f64;
            let shade = (share * 0.95).min(1.0);
            let said = format!("{class} predicted as {predicted}: {rows} of {total} rows");
            drawing.add(
                Element::rect(x + 0.75, y + 0.75, cell - 1.5, cell_height - 1.5)
                    .corner(2.0)
                    .fill(Paint::Positive)
                    .fill_opacity(shade)
                    .tooltip(&said),
            );
            if total == 0 {
                continue;
            }
            let ink = Paint::Positive.text_on(shade);
            let (centre, middle) = (x + cell / 2.0, y + cell_height / 2.0);
            let mut number = Element::text(centre, middle - 1.0, &text::count(rows)).fill(ink).anchor(Anchor::Middle);
            if t == p {
                number = number.bold();
            }
            drawing.add(number);
            let share = format!("{} %", text::decimals(share * 100.0, 0));
            drawing.add(Element::text(centre, middle + 13.0, &share).size(10.5).fill(ink).anchor(Anchor::Middle));
        }
    }
    drawing.add(
        Element::rect(left, top, cell * count as f64, cell_height * count as f64).no_fill().stroke(Paint::Grid, 1.0),
    );
    drawing
}
