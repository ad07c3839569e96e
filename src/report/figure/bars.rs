//! Horizontal bars with direct labels: class balance, relevance of columns, counts of predictions.
//!
//! Bars start at zero.

use super::drawing::{Anchor, Drawing, Element};
use super::palette::{Paint, Palette};
use super::scale::{Scale, extent};
use super::{WIDTH, text};

/// One bar: its label at the left, its value as length and the note behind it.
#[derive(Clone, Debug)]
pub struct Bar {
    /// Beside the bar.
    pub label: String,
    /// Values that are negative or not finite are drawn as zero.
    pub value: f64,
    /// Its colour.
    pub paint: Paint,
    /// What stands behind the bar, e.g. `5 043 · 24.1 %`.
    pub note: String,
}

/// Bars in the given order. `axis` names the value and its unit.
pub fn bar_chart(title: &str, description: &str, axis: &str, bars: &[Bar]) -> Drawing {
    const ROW: f64 = 25.0;
    let top = 30.0;
    let bottom = top + ROW * bars.len() as f64;
    let height = bottom + if axis.is_empty() { 8.0 } else { 38.0 };
    let mut drawing = Drawing::new(WIDTH, height, title, description);
    drawing.heading();

    let widest = |texts: &mut dyn Iterator<Item = &String>| texts.map(|t| text::width(t, 12.0)).fold(0.0, f64::max);
    let label_room = widest(&mut bars.iter().map(|b| &b.label)).clamp(30.0, WIDTH * 0.36) + 8.0;
    let note_room = widest(&mut bars.iter().map(|b| &b.note)).min(WIDTH * 0.36) + 10.0;
    let most = extent(bars.iter().map(|b| b.value)).map_or(1.0, |(_, high)| high.max(0.0));
    let most = if most > 0.0 { most } else { 1.0 };
    let scale = Scale::linear(0.0, most, label_room, (WIDTH - note_room).max(label_room + 60.0), 5);
    if !axis.is_empty() {
        scale.draw_below(&mut drawing, top, bottom, axis);
    }
    for (row, bar) in bars.iter().enumerate() {
        let y = top + ROW * row as f64;
        let value = if bar.value.is_finite() { bar.value.max(0.0) } else { 0.0 };
        let end = scale.at(value);
        let label = text::fit(&bar.label, 12.0, label_room - 8.0);
        drawing.add(Element::text(label_room - 8.0, y + 16.5, &label).anchor(Anchor::End));
        drawing.add(
            Element::rect(label_room, y + 4.0, end - label_room, ROW - 8.0)
                .corner(1.5)
                .fill(bar.paint)
                .tooltip(&format!("{}: {}", bar.label, bar.note)),
        );
        let note = text::fit(&bar.note, 12.0, WIDTH * 0.36);
        drawing.add(Element::text(end + 6.0, y + 16.5, &note).halo());
    }
    drawing
}

/// Bars of a class balance; with more classes the largest have one each.
pub(crate) const MOST_BARS: usize = 40;

/// Rows of each class, in the colours of `palette` and in the order given. Of more than `MOST_BARS` classes the smallest share a bar.
pub fn class_balance(title: &str, classes: &[(String, u64)], palette: &Palette) -> Drawing {
    let total: f64 = classes.iter().map(|(_, rows)| *rows as f64).sum();
    let bar = |label: String, rows: u64, paint: Paint| {
        let share = rows as f64 / total.max(1.0);
        let note = format!("{} · {}", text::count(rows), text::percent(share));
        Bar { label, value: rows as f64, paint, note }
    };
    let mut is_shown = vec![classes.len() <= MOST_BARS + 1; classes.len()];
    let mut ranked: Vec<usize> = (0..classes.len()).collect();
    ranked.sort_by_key(|&class| std::cmp::Reverse(classes[class].1));
    ranked.iter().take(MOST_BARS).for_each(|&class| is_shown[class] = true);
    let shown = classes.iter().zip(&is_shown).filter(|(_, shown)| **shown).map(|(class, _)| class);
    let mut bars: Vec<Bar> = shown.map(|(class, rows)| bar(class.clone(), *rows, palette.paint(class))).collect();
    if bars.len() < classes.len() {
        let others = classes.iter().zip(&is_shown).filter(|(_, shown)| !**shown);
        let rows = others.map(|((_, rows), _)| *rows).fold(0, u64::saturating_add);
        bars.push(bar(format!("{} others", classes.len() - bars.len()), rows, Paint::Neutral));
    }
    let description = bars.iter().map(|b| format!("{}: {}", b.label, b.note)).collect::<Vec<_>>();
    bar_chart(title, &description.join("; "), "", &bars)
}
