//! Line charts: learning curves, curves of transfer strategies with a band over seeds.
//!
//! Lines carry their names at their ends; names that would meet are moved apart.

use super::chart_data::{self, Frame};
use super::drawing::{Anchor, Drawing, Element, PathData};
use super::line_chart::{Line, LineChart};
use super::palette::Paint;
use super::scale::{Scale, extent};
use super::{WIDTH, text};

/// Of a chart that is not asked for another.
const HEIGHT: f64 = 262.0;

/// The chart, 480 × 262 units, or as wide as it is asked to be.
pub fn line_chart(chart: &LineChart) -> Drawing {
    let (width, height) = chart.size.unwrap_or((WIDTH, HEIGHT));
    let (top, bottom) = (48.0, height - 36.0);
    let mut drawing = Drawing::new(width, height, chart.title, chart.description);
    drawing.heading();

    let xs = extent(chart.lines.iter().flat_map(|l| l.points.iter().map(|p| p.0)));
    let (x_low, x_high) = xs.unwrap_or((0.0, 1.0));
    let ys =
        chart.lines.iter().flat_map(|l| l.points.iter().map(|p| p.1).chain(l.band.iter().flat_map(|b| [b.0, b.1])));
    let (y_low, y_high) = chart.y_range.or_else(|| extent(ys)).unwrap_or((0.0, 1.0));
    let y_scale = if chart.log_y && y_low > 0.0 {
        Scale::log(y_low * 0.95, y_high * 1.05, bottom, top, 5)
    } else {
        let margin = ((y_high - y_low) * 0.04).max(f64::EPSILON);
        Scale::linear(y_low - margin, y_high + margin, bottom, top, 5)
    };
    let names = chart.lines.iter().map(|l| text::width(&l.name, 12.0)).fold(0.0, f64::max);
    let left = y_scale.label_width(11.0) + 10.0;
    let right = width - names.min(width * 0.32) - 10.0;
    let x_scale = Scale::linear(x_low, x_high, left, right, 6);
    if chart.explored && xs.is_some() {
        drawing.set_data(chart_data::json(chart, Frame { top, bottom, right, width }));
    }
    y_scale.draw_left(&mut drawing, left, right);
    draw_x_axis(&mut drawing, &x_scale, bottom, chart.x_label);
    drawing.add(Element::text(0.0, 34.0, &text::fit(chart.y_label, 11.0, width * 0.6)).size(11.0).fill(Paint::Muted));
    for line in &chart.lines {
        draw_band(&mut drawing, line, &x_scale, &y_scale);
    }
    if let Some((x, label)) = chart.marker.as_ref().filter(|(x, _)| x.is_finite()) {
        let at = x_scale.at(*x);
        drawing.add(Element::line(at, top - 4.0, at, bottom).stroke(Paint::Muted, 1.0).dashed("3 3"));
        let half = text::width(label, 11.0) / 2.0;
        let middle = at.clamp(left + half, (width - half).max(left + half));
        drawing.add(Element::text(middle, top - 8.0, label).size(11.0).fill(Paint::Muted).anchor(Anchor::Middle));
    }
    let mut ends = Vec::new();
    for (index, line) in chart.lines.iter().enumerate() {
        let places: Vec<(f64, f64)> = line
            .points
            .iter()
            .map(
                |&(x, y)| {
                    if x.is_finite() && y.is_finite() { (x_scale.at(x), y_scale.at(y)) } else { (f64::NAN, f64::NAN) }
                },
            )
            .collect();
        let is_named = !line.name.is_empty();
        let path = Element::path(&PathData::through(&places)).no_fill().round();
        let mut path = if is_named {
            path.stroke(line.paint, 2.0).tooltip(&line.name)
        } else {
            path.stroke(line.paint, 1.0).opacity(0.5)
        };
        if line.dashed {
            path = path.dashed("5 4");
        }
        drawing.add(path);
        let mut finite = places.iter().filter(|p| p.0.is_finite());
        if let Some(&(x, y)) = finite.next_back() {
            if finite.next().is_none() {
                drawing.add(Element::circle(x, y, 3.0).fill(line.paint));
            }
            if is_named {
                ends.push((index, x, y));
            }
        }
    }
    draw_names(&mut drawing, chart, ends, (top, bottom), right);
    if let Some((x, _)) = chart.marker.as_ref() {
        for line in &chart.lines {
            let value = line.points.iter().find(|p| p.0 == *x).map(|p| p.1).filter(|y| y.is_finite());
            if let Some(y) = value {
                let said = format!("{}: {}", line.name, text::compact(y));
                drawing.add(
                    Element::circle(x_scale.at(*x), y_scale.at(y), 3.5)
                        .fill(line.paint)
                        .stroke(Paint::Surface, 1.5)
                        .tooltip(&said),
                );
            }
        }
    }
    drawing
}

fn draw_x_axis(drawing: &mut Drawing, scale: &Scale, bottom: f64, name: &str) {
    for &tick in &scale.ticks {
        let x = scale.at(tick);
        drawing.add(Element::line(x, bottom, x, bottom + 4.0).stroke(Paint::Grid, 1.0));
        drawing.add(
            Element::text(x, bottom + 16.0, &scale.label(tick)).size(11.0).fill(Paint::Muted).anchor(Anchor::Middle),
        );
    }
    let (start, end) = scale.ends();
    drawing.add(
        Element::text((start + end) / 2.0, bottom + 31.0, &text::fit(name, 11.0, end - start))
            .size(11.0)
            .fill(Paint::Muted)
            .anchor(Anchor::Middle),
    );
}

fn draw_band(drawing: &mut Drawing, line: &Line, x_scale: &Scale, y_scale: &Scale) {
    let known: Vec<(f64, f64, f64)> = line
        .points
        .iter()
        .zip(&line.band)
        .filter(|((x, _), (low, high))| x.is_finite() && low.is_finite() && high.is_finite())
        .map(|((x, _), (low, high))| (x_scale.at(*x), y_scale.at(*low), y_scale.at(*high)))
        .collect();
    if known.len() < 2 {
        return;
    }
    let outline: Vec<(f64, f64)> =
        known.iter().map(|&(x, low, _)| (x, low)).chain(known.iter().rev().map(|&(x, _, high)| (x, high))).collect();
    let mut area = PathData::through(&outline);
    area.close();
    drawing.add(Element::path(&area).fill(line.paint).fill_opacity(0.16));
}

/// Names at the right of the plot beside the lines' ends, at least a line of text apart and in their order.
fn draw_names(
    drawing: &mut Drawing,
    chart: &LineChart,
    mut ends: Vec<(usize, f64, f64)>,
    (top, bottom): (f64, f64),
    right: f64,
) {
    const APART: f64 = 14.0;
    ends.sort_by(|a, b| a.2.total_cmp(&b.2).then(a.0.cmp(&b.0)));
    let mut places: Vec<f64> = Vec::with_capacity(ends.len());
    for &(_, _, y) in &ends {
        places.push(places.last().map_or(y, |above: &f64| y.max(above + APART)));
    }
    // Push back up what ran over the bottom: below it the last tick has its number.
    let mut limit = bottom - 4.0;
    for place in places.iter_mut().rev() {
        *place = place.min(limit);
        limit = *place - APART;
    }
    for (&(index, x, y), place) in ends.iter().zip(places) {
        let line = &chart.lines[index];
        let place = place.max(top - 10.0);
        if (place - y).abs() > 3.0 || right - x > 3.0 {
            drawing.add(Element::line(x + 2.0, y, right + 4.0, place).stroke(line.paint, 0.75).opacity(0.6));
        }
        let shown = text::fit(&line.name, 12.0, chart.size.map_or(WIDTH, |size| size.0) - right - 6.0);
        drawing.add(Element::text(right + 6.0, place + 4.0, &shown).fill(line.paint));
    }
}
