//! Points by class in the plane, e.g. the first two principal components: one panel per class over all the others.
//!
//! Panels rather than one cloud of six colours: classes of real data overlap, and whichever is painted last would hide
//! the rest.

use super::drawing::{Drawing, Element, PathData};
use super::palette::{Paint, Palette};
use super::scale::{Scale, extent};
use super::{WIDTH, text};

/// A point and the index of its class in the chart's class list; a class out of range is context only.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// In units of the axis.
    pub x: f64,
    /// In units of the axis.
    pub y: f64,
    /// Index into the chart's classes.
    pub class: usize,
}

/// What [`scatter`] draws. Both axes share their scale over all panels.
#[derive(Clone, Debug)]
pub struct ScatterChart<'a> {
    /// Above the axes.
    pub title: &'a str,
    /// For those who cannot see the figure.
    pub description: &'a str,
    /// The names of the axes; without, they have no numbers either, as where only nearness means something.
    pub axes: Option<(&'a str, &'a str)>,
    /// In the order of the legend.
    pub classes: &'a [String],
    /// Drawn in this order.
    pub points: &'a [Point],
    /// Panels a line.
    pub columns: usize,
}

/// Panels of a scatter; with more classes those with most points have one each, and the others are context.
const MOST_PANELS: usize = 12;

/// The classes that have a panel, in the order of the class list.
fn panel_classes(chart: &ScatterChart) -> Vec<usize> {
    most_frequent(chart.points, chart.classes.len(), MOST_PANELS)
}

/// The classes with most points, at most `most`, in the order of the class list; of equals the first.
pub(super) fn most_frequent(points: &[Point], classes: usize, most: usize) -> Vec<usize> {
    let mut counts = vec![0u64; classes];
    for point in points {
        if let Some(count) = counts.get_mut(point.class) {
            *count += 1;
        }
    }
    let mut ranked: Vec<usize> = (0..classes).collect();
    ranked.sort_by_key(|&class| std::cmp::Reverse(counts[class]));
    ranked.truncate(most);
    ranked.sort_unstable();
    ranked
}

/// For a caption: which classes have a panel, of so many.
pub fn panels_caption(classes: usize) -> String {
    match classes {
        many if many > MOST_PANELS => {
            format!("one panel for each of the {MOST_PANELS} classes with most points, of {many}, over all the others")
        }
        _ => "one panel per class over all the others".to_owned(),
    }
}

/// The cross in each panel is the class' mean. Axes are cut at the 0.2 and 99.8 % quantiles, so
/// that single outliers do not shrink the cloud; points beyond lie on the border.
pub fn scatter(chart: &ScatterChart, palette: &Palette) -> Drawing {
    const GAP: f64 = 14.0;
    let points: Vec<Point> = chart.points.iter().copied().filter(|p| p.x.is_finite() && p.y.is_finite()).collect();
    let shown = panel_classes(chart);
    let panels = shown.len().max(1);
    let columns = panels.min(chart.columns);
    let left = 34.0;
    // A little room for the last frame's line.
    let side = (WIDTH - 1.0 - left - GAP * (columns as f64 - 1.0)) / columns as f64;
    let side = side.min(300.0);
    let height = side.min(230.0);
    let lines = panels.div_ceil(columns);
    let bottom = 34.0 + (height + 44.0) * lines as f64;
    let mut drawing = Drawing::new(WIDTH, bottom + 14.0, chart.title, chart.description);
    drawing.heading();

    let (x_low, x_high) = bulk(points.iter().map(|p| p.x));
    let (y_low, y_high) = bulk(points.iter().map(|p| p.y));
    for panel in 0..panels {
        let x = left + (side + GAP) * (panel % columns) as f64;
        let y = 34.0 + (height + 44.0) * (panel / columns) as f64;
        let x_scale = Scale::linear(x_low, x_high, x + 4.0, x + side - 4.0, 4);
        let y_scale = Scale::linear(y_low, y_high, y + 18.0 + height - 4.0, y + 18.0 + 4.0, 4);
        let place = shown.get(panel).copied();
        let class = place.and_then(|place| chart.classes.get(place));
        let paint = class.map_or(Paint::Neutral, |class| palette.paint(class));
        let name = text::fit(class.map_or("all rows", String::as_str), 12.0, side);
        drawing.add(Element::text(x, y + 10.0, &name).bold());
        drawing.add(Element::rect(x, y + 18.0, side, height).no_fill().stroke(Paint::Grid, 1.0));
        if chart.axes.is_some() {
            x_scale.draw_below(&mut drawing, y + 18.0, y + 18.0 + height, "");
            if panel % columns == 0 {
                y_scale.draw_left(&mut drawing, x, x + side);
            } else {
                for &tick in &y_scale.ticks {
                    let at = y_scale.at(tick);
                    drawing.add(Element::line(x, at, x + side, at).stroke(Paint::Grid, 1.0));
                }
            }
        }
        let (mut context, mut own) = (PathData::default(), PathData::default());
        let (mut sum, mut rows) = ((0.0, 0.0), 0.0);
        for point in &points {
            let (px, py) = (x_scale.at(point.x), y_scale.at(point.y));
            if place == Some(point.class) {
                own.dot(px, py);
                sum = (sum.0 + point.x, sum.1 + point.y);
                rows += 1.0;
            } else {
                context.dot(px, py);
            }
        }
        if !context.is_empty() {
            let dots = Element::path(&context).no_fill().stroke(Paint::Neutral, 2.0).round();
            drawing.add(dots.opacity(0.22));
        }
        if !own.is_empty() {
            drawing.add(Element::path(&own).no_fill().stroke(paint, 3.0).round().opacity(0.65));
            let (cx, cy) = (x_scale.at(sum.0 / rows), y_scale.at(sum.1 / rows));
            for (paint, width, reach) in [(Paint::Surface, 5.0, 7.0), (Paint::Ink, 2.0, 6.0)] {
                drawing.add(Element::line(cx - reach, cy, cx + reach, cy).stroke(paint, width));
                drawing.add(Element::line(cx, cy - reach, cx, cy + reach).stroke(paint, width));
            }
        }
    }
    let axes = chart.axes.map_or(String::new(), |(across, upwards)| format!("→ {across}   ↑ {upwards}   "));
    let key = text::fit(&format!("{axes}+ mean of the class"), 11.0, WIDTH);
    drawing.add(Element::text(left, bottom + 6.0, &key).size(11.0).fill(Paint::Muted));
    drawing
}

/// The interval that holds all but 0.2 % at either end, a little widened.
fn bulk(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    let cut = sorted.len() / 500;
    let kept = &sorted[cut..sorted.len() - cut];
    let (low, high) = extent(kept.iter().copied()).unwrap_or((0.0, 1.0));
    let margin = (high - low) * 0.02;
    (low - margin, high + margin)
}
