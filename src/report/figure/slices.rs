//! Search trials by parameter: one panel for each, a dot per trial, its score upwards.
//!
//! Knows nothing of how trials were drawn. Shows one parameter at a time: what the others did is hidden in the scatter.

use super::palette::Paint;
use super::scale::{Scale, extent};
use super::svg::{Anchor, Element, Svg};
use super::{WIDTH, text};

/// One parameter's values over the trials, in trial order.
#[derive(Clone, Debug)]
pub enum Slice {
    /// Drawn on a logarithmic axis where they are positive and span more than a factor of 30.
    Numbers { name: String, values: Vec<f64> },
    /// Distinct texts side by side in natural order: `64` before `128`, `256` before `256×2`.
    Choices { name: String, values: Vec<String> },
}

/// Two panels a line. `scores[i]` belongs to trial `i`; `best` is drawn filled and labelled.
pub fn trial_slices(
    title: &str,
    description: &str,
    metric: &str,
    slices: &[Slice],
    scores: &[f64],
    best: Option<usize>,
) -> String {
    const PLOT: f64 = 104.0;
    let columns = slices.len().clamp(1, 2);
    let lines = slices.len().div_ceil(columns);
    let height = 44.0 + (PLOT + 62.0) * lines as f64;
    let mut svg = Svg::new(WIDTH, height, title, description);
    svg.heading();
    let shown = text::fit(&format!("↑ {metric}   ● best trial"), 11.0, WIDTH);
    svg.add(Element::text(0.0, 32.0, &shown).size(11.0).fill(Paint::Muted));

    let (low, high) = extent(scores.iter().copied()).unwrap_or((0.0, 1.0));
    let margin = ((high - low) * 0.08).max(1e-6);
    let gap = 26.0;
    let left = Scale::linear(low - margin, high + margin, 1.0, 0.0, 4).label_width(11.0) + 10.0;
    let side = (WIDTH - left - gap * (columns as f64 - 1.0) - 8.0) / columns as f64;
    for (index, slice) in slices.iter().enumerate() {
        let x = left + (side + gap) * (index % columns) as f64;
        let top = 62.0 + (PLOT + 62.0) * (index / columns) as f64;
        let bottom = top + PLOT;
        let y_scale = Scale::linear(low - margin, high + margin, bottom, top, 4);
        let name = match slice {
            Slice::Numbers { name, .. } | Slice::Choices { name, .. } => name,
        };
        svg.add(Element::text(x, top - 8.0, &text::fit(name, 12.0, side)).bold());
        if index % columns == 0 {
            y_scale.draw_left(&mut svg, x, x + side);
        } else {
            for &tick in &y_scale.ticks {
                let at = y_scale.at(tick);
                svg.add(Element::line(x, at, x + side, at).stroke(Paint::Grid, 1.0));
            }
        }
        let places = match slice {
            Slice::Numbers { values, .. } => number_axis(&mut svg, values, (x, x + side), (top, bottom)),
            Slice::Choices { values, .. } => choice_axis(&mut svg, values, (x, x + side), bottom),
        };
        let dot = |trial: usize, place: f64, score: f64| {
            let said = format!("trial {trial}: {metric} {}", text::decimals(score, 4));
            let circle = Element::circle(place, y_scale.at(score), 4.0).tooltip(&said);
            if best == Some(trial) {
                circle.fill(Paint::Negative).stroke(Paint::Surface, 1.0)
            } else {
                circle.fill(Paint::Positive).fill_opacity(0.4).stroke(Paint::Positive, 1.25)
            }
        };
        let known = |trial: &usize| places.get(*trial).is_some_and(|p| p.is_finite()) && scores[*trial].is_finite();
        let mut order: Vec<usize> = (0..scores.len()).filter(known).collect();
        // The best comes last, on top.
        order.sort_by_key(|&trial| best == Some(trial));
        for trial in order {
            svg.add(dot(trial, places[trial], scores[trial]));
        }
    }
    svg.finish()
}

fn number_axis(svg: &mut Svg, values: &[f64], (left, right): (f64, f64), (top, bottom): (f64, f64)) -> Vec<f64> {
    let (low, high) = extent(values.iter().copied()).unwrap_or((0.0, 1.0));
    let (start, end) = (left + 8.0, right - 8.0);
    let scale = if low > 0.0 && high / low > 30.0 {
        Scale::log(low, high, start, end, 4)
    } else {
        Scale::linear(low, high, start, end, 4)
    };
    scale.draw_below(svg, top, bottom, "");
    values.iter().map(|&v| if v.is_finite() { scale.at(v) } else { f64::NAN }).collect()
}

fn choice_axis(svg: &mut Svg, values: &[String], (left, right): (f64, f64), bottom: f64) -> Vec<f64> {
    let mut distinct: Vec<&String> = Vec::new();
    for value in values.iter().filter(|v| !v.is_empty()) {
        if !distinct.contains(&value) {
            distinct.push(value);
        }
    }
    let number = |text: &str| -> f64 {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        text[..end].parse().unwrap_or(f64::INFINITY)
    };
    distinct.sort_by(|a, b| number(a).total_cmp(&number(b)).then_with(|| a.cmp(b)));
    let room = (right - left) / distinct.len().max(1) as f64;
    let centre = |index: usize| left + room * (index as f64 + 0.5);
    for (index, value) in distinct.iter().enumerate() {
        let shown = text::fit(value, 11.0, room - 4.0);
        svg.add(
            Element::text(centre(index), bottom + 14.0, &shown)
                .size(11.0)
                .fill(Paint::Muted)
                .anchor(Anchor::Middle)
                .tooltip(value),
        );
    }
    values.iter().map(|value| distinct.iter().position(|d| *d == value).map_or(f64::NAN, centre)).collect()
}
