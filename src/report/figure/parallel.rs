//! Parallel coordinates: a vertical axis for each parameter and one for the score, a line for each trial.
//!
//! Lines bend gently, so that they can be followed through a crossing at an axis.

use super::drawing::{Anchor, Drawing, Element, PathData};
use super::palette::Paint;
use super::scale::{Scale, extent};
use super::slices::{Scored, Slice, SliceAxis};
use super::{WIDTH, text};

/// Share of the trials that are drawn as good.
const GOOD: f64 = 0.2;

/// One axis for each of `slices` from left to right, then the score's. The best fifth of the trials is in colour, the best in one of its own.
pub fn parallel_coordinates(title: &str, description: &str, slices: &[Slice], trials: Scored) -> Drawing {
    let Scored { metric, scores, best, .. } = trials;
    let step = ((WIDTH - 76.0) / slices.len().max(1) as f64).max(84.0);
    let left = 30.0;
    let right = left + step * slices.len() as f64;
    let (above, bottom) = (76.0, 266.0);
    let mut drawing = Drawing::new((right + 46.0).max(WIDTH), bottom + 14.0, title, description);
    drawing.heading();
    let legend = "a line for each trial;  best fifth in colour,  best trial on top";
    drawing.add(Element::text(0.0, 32.0, legend).size(11.0).fill(Paint::Muted));

    let (low, high) = extent(scores.iter().copied()).unwrap_or((0.0, 1.0));
    let score_scale = Scale::linear(low, high, bottom, above, 5);
    let mut places: Vec<Vec<f64>> = Vec::with_capacity(slices.len() + 1);
    let mut marks: Vec<Vec<(f64, String)>> = Vec::with_capacity(slices.len() + 1);
    for slice in slices {
        let (at, ticks) = axis(&slice.axis, above, bottom);
        places.push(at);
        marks.push(ticks);
    }
    places.push(scores.iter().map(|&score| if score.is_finite() { score_scale.at(score) } else { f64::NAN }).collect());
    marks.push(score_scale.ticks.iter().map(|&tick| (score_scale.at(tick), score_scale.label(tick))).collect());

    let mut order: Vec<usize> = (0..scores.len()).filter(|&i| scores[i].is_finite()).collect();
    let top = best.and_then(|best| scores.get(best)).copied().unwrap_or(f64::NAN);
    let worth = |trial: usize| (scores[trial] - top).abs();
    // The farther from the best, the earlier: good ones lie on top.
    order.sort_by(|&a, &b| {
        (best == Some(a)).cmp(&(best == Some(b))).then(worth(b).total_cmp(&worth(a))).then(a.cmp(&b))
    });
    let good = order.len() - (order.len() as f64 * GOOD).ceil() as usize;
    for (rank, &trial) in order.iter().enumerate() {
        let points: Vec<(f64, f64)> = places
            .iter()
            .enumerate()
            .map(|(j, column)| (left + step * j as f64, column.get(trial).copied().unwrap_or(f64::NAN)))
            .collect();
        let said = format!("trial {trial}: {metric} {}", text::decimals(scores[trial], 4));
        let line = Element::path(&bent(&points)).no_fill().round().tooltip(&said);
        drawing.add(if best == Some(trial) {
            line.stroke(Paint::Negative, 2.5)
        } else if rank >= good {
            line.stroke(Paint::Positive, 1.5).opacity(0.8)
        } else {
            line.stroke(Paint::Neutral, 1.0).opacity(0.45)
        });
    }
    let names = slices.iter().map(|slice| slice.name.as_str()).chain([metric]);
    for (j, (name, ticks)) in names.zip(&marks).enumerate() {
        let x = left + step * j as f64;
        drawing.add(Element::line(x, above - 4.0, x, bottom + 4.0).stroke(Paint::Muted, 1.0));
        let shown = text::fit(name, 12.0, step - 8.0);
        let stands_out = text::width(&shown, 12.0) / 2.0 > x;
        let (anchor, at) = if stands_out { (Anchor::Start, 0.0) } else { (Anchor::Middle, x) };
        drawing.add(Element::text(at, above - 14.0, &shown).bold().anchor(anchor).tooltip(name));
        for (y, label) in ticks {
            let label = text::fit(label, 10.5, step * 0.6);
            drawing.add(Element::line(x - 3.0, *y, x + 3.0, *y).stroke(Paint::Muted, 1.0));
            drawing.add(Element::text(x + 6.0, y + 4.0, &label).size(10.5).halo());
        }
    }
    drawing
}

/// Each trial's place on the axis, and the ticks.
fn axis(axis: &SliceAxis, top: f64, bottom: f64) -> (Vec<f64>, Vec<(f64, String)>) {
    match axis {
        SliceAxis::Numbers { values, is_log } => {
            let (low, high) = extent(values.iter().copied()).unwrap_or((0.0, 1.0));
            let scale =
                if *is_log { Scale::log(low, high, bottom, top, 5) } else { Scale::linear(low, high, bottom, top, 5) };
            let places = values.iter().map(|&v| if v.is_finite() { scale.at(v) } else { f64::NAN }).collect();
            (places, scale.ticks.iter().map(|&tick| (scale.at(tick), scale.label(tick))).collect())
        }
        SliceAxis::Levels { levels, values } => {
            let step = (bottom - top) / levels.len().max(1) as f64;
            let centre = |level: usize| bottom - step * (level as f64 + 0.5);
            let places = values.iter().map(|value| value.map_or(f64::NAN, centre)).collect();
            (places, levels.iter().enumerate().map(|(level, name)| (centre(level), name.clone())).collect())
        }
    }
}

/// Through the points by curves that leave and reach every axis horizontally; what is not finite interrupts the line.
fn bent(points: &[(f64, f64)]) -> PathData {
    let mut path = PathData::default();
    let mut from: Option<(f64, f64)> = None;
    for &(x, y) in points {
        let to = Some((x, y)).filter(|_| y.is_finite());
        match (from, to) {
            (Some((x0, y0)), Some(_)) => {
                let reach = (x - x0) * 0.4;
                path.curve_to((x0 + reach, y0), (x - reach, y), (x, y));
            }
            (None, Some(_)) => path.move_to(x, y),
            _ => {}
        }
        from = to;
    }
    path
}
