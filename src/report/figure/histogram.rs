//! One column's distribution by class: a ridge of filled steps per class over a shared axis.
//!
//! Ridges rather than overlaid outlines: six outlines on one base line cannot be told apart. Each ridge is scaled by its
//! class' share of rows per bin, one scale for all, so that heights compare between classes.

use super::drawing::{Anchor, Drawing, Element, PathData};
use super::palette::Palette;
use super::scale::{Scale, extent};
use super::{Paint, text};

/// What one small figure shows. `edges` has one value more than each of the counts.
#[derive(Clone, Debug)]
pub struct HistogramPanel<'a> {
    /// The title.
    pub column: &'a str,
    /// One more than there are bins.
    pub edges: &'a [f64],
    /// Rows per bin for each class, from top to bottom.
    pub classes: Vec<(String, Vec<f64>)>,
}

/// Width of one small figure: two fit on a phone turned sideways, three or four on a page.
pub(crate) const PANEL_WIDTH: f64 = 260.0;

/// The panel as a figure of `PANEL_WIDTH`. Classes whose counts do not fit the edges are left out.
pub fn class_histogram(panel: &HistogramPanel, palette: &Palette) -> Drawing {
    const RIDGE: f64 = 26.0;
    let shown: Vec<(&str, Vec<f64>)> = panel
        .classes
        .iter()
        .filter(|(_, counts)| counts.len() + 1 == panel.edges.len())
        .map(|(class, counts)| (class.as_str(), densities(counts)))
        .collect();
    let top = 34.0;
    let bottom = top + RIDGE * shown.len() as f64;
    let description = format!("Distribution of {} in each of {} classes", panel.column, shown.len());
    let mut drawing = Drawing::new(PANEL_WIDTH, bottom + 20.0, panel.column, &description);
    drawing.heading();

    let labels = shown.iter().map(|(class, _)| text::width(class, 11.5)).fold(0.0, f64::max);
    let left = labels.clamp(12.0, 84.0) + 8.0;
    let (low, high) = extent(panel.edges.iter().copied()).unwrap_or((0.0, 1.0));
    let scale = Scale::linear(low, high, left, PANEL_WIDTH - 10.0, 5);
    scale.draw_below(&mut drawing, top - 4.0, bottom, "");

    let peak = extent(shown.iter().flat_map(|(_, d)| d.iter().copied())).map_or(1.0, |(_, high)| high);
    let height = |density: f64| {
        if peak > 0.0 { density / peak * (RIDGE + 4.0) } else { 0.0 }
    };
    for (row, (class, densities)) in shown.iter().enumerate() {
        let base = top + RIDGE * (row as f64 + 1.0);
        let mut outline = vec![(scale.at(panel.edges[0]), base)];
        for (bin, density) in densities.iter().enumerate() {
            for edge in [panel.edges[bin], panel.edges[bin + 1]] {
                outline.push((scale.at(edge), base - height(*density)));
            }
        }
        outline.push((scale.at(panel.edges[densities.len()]), base));
        let line = PathData::through(&outline);
        let mut area = line.clone();
        area.close();
        let paint = palette.paint(class);
        drawing.add(Element::path(&area).fill(paint).fill_opacity(0.32).tooltip(class));
        drawing.add(Element::path(&line).no_fill().stroke(paint, 1.25));
        drawing.add(Element::line(left, base, PANEL_WIDTH - 10.0, base).stroke(Paint::Grid, 1.0));
        let label = text::fit(class, 11.5, left - 8.0);
        drawing.add(Element::text(left - 7.0, base - 4.0, &label).size(11.5).anchor(Anchor::End));
    }
    drawing
}

/// Share of the class' rows in each bin.
fn densities(counts: &[f64]) -> Vec<f64> {
    let clean: Vec<f64> = counts.iter().map(|c| if c.is_finite() { c.max(0.0) } else { 0.0 }).collect();
    let total: f64 = clean.iter().sum();
    clean.iter().map(|c| if total > 0.0 { c / total } else { 0.0 }).collect()
}
