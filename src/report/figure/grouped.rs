//! Scores of several models: per row bars with whiskers and points with whiskers, on one axis.

use super::drawing::{Anchor, Drawing, Element};
use super::palette::Paint;
use super::scale::{Scale, extent};
use super::{WIDTH, text};

/// A value with its whisker from `low` to `high`; without a whisker these are NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Where the mark is.
    pub value: f64,
    /// Where the whisker begins.
    pub low: f64,
    /// Where the whisker ends.
    pub high: f64,
}

impl Interval {
    pub(crate) fn plain(value: f64) -> Interval {
        Interval { value, low: f64::NAN, high: f64::NAN }
    }

    /// `value` ± `reach`.
    pub fn around(value: f64, reach: f64) -> Interval {
        Interval { value, low: value - reach, high: value + reach }
    }
}

/// How a series is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// From the axis to the value.
    Bar,
    /// A filled circle.
    Point,
    /// A point that is not filled, to tell a second series of points apart without colour.
    Ring,
}

/// One measure over all rows.
#[derive(Clone, Debug)]
pub struct Series {
    /// In the legend.
    pub name: String,
    /// How its values are drawn.
    pub mark: Mark,
    /// Its colour.
    pub paint: Paint,
}

/// One model: a value per series, or none.
#[derive(Clone, Debug)]
pub struct Row {
    /// Beside the group.
    pub label: String,
    /// One for each series; `None` leaves a gap.
    pub values: Vec<Option<Interval>>,
}

/// Rows from top to bottom. With bars the axis starts at zero; with points alone it spans the whiskers.
/// The value of the last series is written at the right.
pub fn grouped_bars(title: &str, description: &str, axis: &str, series: &[Series], rows: &[Row]) -> Drawing {
    let lanes = series.iter().filter(|s| s.mark == Mark::Bar).count().max(1);
    // Several points of a row stand a little apart, lest equal values hide one another.
    let points = series.iter().filter(|s| s.mark != Mark::Bar).count();
    let row_height = 14.0 + 12.0 * lanes.max(points) as f64;
    let legend = legend_rows(series);
    let top = 28.0 + 18.0 * legend.len() as f64;
    let bottom = top + row_height * rows.len() as f64;
    let mut drawing = Drawing::new(WIDTH, bottom + 38.0, title, description);
    drawing.heading();
    draw_legend(&mut drawing, &legend, 32.0);

    let label_room =
        rows.iter().map(|r| text::width(&r.label, 12.0)).fold(0.0, f64::max).clamp(30.0, WIDTH * 0.42) + 8.0;
    let ends = rows.iter().flat_map(|r| &r.values).flatten().flat_map(|i| [i.value, i.low, i.high]);
    let (low, high) = extent(ends).unwrap_or((0.0, 1.0));
    let has_bars = series.iter().any(|s| s.mark == Mark::Bar);
    let scale = if has_bars {
        Scale::linear(0.0, high.max(1e-9) * 1.02, label_room, WIDTH - 46.0, 5)
    } else {
        let margin = ((high - low) * 0.08).max(0.005);
        Scale::linear(low - margin, high + margin, label_room, WIDTH - 46.0, 5)
    };
    scale.draw_below(&mut drawing, top, bottom, axis);

    for (index, row) in rows.iter().enumerate() {
        let y = top + row_height * index as f64;
        let middle = y + row_height / 2.0;
        let label = text::fit(&row.label, 12.0, label_room - 8.0);
        drawing.add(Element::text(label_room - 8.0, middle + 4.0, &label).anchor(Anchor::End));
        let mut lane = 0;
        let mut point = 0;
        for (series, value) in series.iter().zip(&row.values) {
            let lane_middle = middle + 12.0 * (lane as f64 - (lanes as f64 - 1.0) / 2.0);
            lane += usize::from(series.mark == Mark::Bar);
            let aside = 11.0 * (point as f64 - (points as f64 - 1.0) / 2.0);
            point += usize::from(series.mark != Mark::Bar);
            let Some(interval) = value.filter(|i| i.value.is_finite()) else {
                continue;
            };
            let centre = if series.mark == Mark::Bar { lane_middle } else { middle + aside };
            for element in mark(series, interval, &scale, centre, &row.label) {
                drawing.add(element);
            }
        }
        if let Some(last) = row.values.iter().flatten().rfind(|i| i.value.is_finite()) {
            let value = text::decimals(last.value, 3);
            drawing.add(Element::text(WIDTH, middle + 4.0, &value).anchor(Anchor::End));
        }
    }
    drawing
}

/// The shapes of one value. Whiskers are in ink over bars, in the series' colour around points.
fn mark(series: &Series, interval: Interval, scale: &Scale, y: f64, label: &str) -> Vec<Element> {
    let x = scale.at(interval.value);
    let has_whisker = interval.low.is_finite() && interval.high.is_finite();
    let mut said = format!("{label}, {}: {}", series.name, text::decimals(interval.value, 3));
    if has_whisker {
        let ends = [interval.low, interval.high].map(|v| text::decimals(v, 3));
        said.push_str(&format!(" ({} to {})", ends[0], ends[1]));
    }
    let whisker = |paint| {
        let (from, to) = (scale.at(interval.low), scale.at(interval.high));
        let mut shapes = vec![Element::line(from, y, to, y).stroke(paint, 1.5)];
        if series.mark == Mark::Bar {
            for x in [from, to] {
                shapes.push(Element::line(x, y - 3.0, x, y + 3.0).stroke(paint, 1.5));
            }
        }
        shapes
    };
    let mut shapes = Vec::new();
    match series.mark {
        Mark::Bar => {
            let start = scale.at(0.0);
            let bar = Element::rect(start, y - 5.0, x - start, 10.0).corner(1.5).fill(series.paint);
            shapes.push(bar.fill_opacity(0.8).tooltip(&said));
            if has_whisker {
                shapes.extend(whisker(Paint::Ink));
            }
        }
        Mark::Point | Mark::Ring => {
            if has_whisker {
                shapes.extend(whisker(series.paint));
            }
            let circle = Element::circle(x, y, 4.5).tooltip(&said);
            shapes.push(if series.mark == Mark::Point {
                circle.fill(series.paint).stroke(Paint::Surface, 1.5)
            } else {
                circle.fill(Paint::Surface).stroke(series.paint, 2.0)
            });
        }
    }
    shapes
}

/// Series laid out in lines of at most the figure's width: (x, series) by line. A single series needs no legend.
fn legend_rows(series: &[Series]) -> Vec<Vec<(f64, &Series)>> {
    if series.len() < 2 {
        return Vec::new();
    }
    let mut rows: Vec<Vec<(f64, &Series)>> = vec![Vec::new()];
    let mut x = 0.0;
    for one in series {
        let needed = 20.0 + text::width(&one.name, 12.0) + 14.0;
        if x + needed > WIDTH && x > 0.0 {
            rows.push(Vec::new());
            x = 0.0;
        }
        if let Some(row) = rows.last_mut() {
            row.push((x, one));
        }
        x += needed;
    }
    rows
}

fn draw_legend(drawing: &mut Drawing, rows: &[Vec<(f64, &Series)>], top: f64) {
    for (line, row) in rows.iter().enumerate() {
        let y = top + 18.0 * line as f64;
        for (x, series) in row {
            drawing.add(match series.mark {
                Mark::Bar => Element::rect(*x, y - 4.0, 14.0, 9.0).corner(1.5).fill(series.paint).fill_opacity(0.8),
                Mark::Point => Element::circle(x + 7.0, y, 4.5).fill(series.paint),
                Mark::Ring => Element::circle(x + 7.0, y, 4.0).fill(Paint::Surface).stroke(series.paint, 2.0),
            });
            drawing.add(Element::text(x + 20.0, y + 4.0, &text::fit(&series.name, 12.0, WIDTH - 24.0)));
        }
    }
}
