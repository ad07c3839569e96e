//! Search trials by parameter: one panel for each, a dot per trial, its score upwards.
//!
//! Shows one parameter at a time: what the others did is hidden in the scatter, but where trials that differ in nothing
//! else are joined.

use super::drawing::{Anchor, Drawing, Element, PathData};
use super::palette::Paint;
use super::scale::{Scale, extent};
use super::{WIDTH, text};

/// One parameter's values over the trials, in trial order.
#[derive(Clone, Debug)]
pub struct Slice {
    /// The parameter's path.
    pub name: String,
    /// Its value in each trial.
    pub axis: SliceAxis,
    /// Trials that are connected.
    pub joined: Vec<Joined>,
}

/// How a parameter's values lie.
#[derive(Clone, Debug)]
pub enum SliceAxis {
    /// NaN where a trial has none.
    Numbers {
        /// One for each trial.
        values: Vec<f64>,
        /// Whether the axis is logarithmic.
        is_log: bool,
    },
    /// Levels side by side in the order given, and each trial's place among them.
    Levels {
        /// In the order of the axis.
        levels: Vec<String>,
        /// One for each trial.
        values: Vec<Option<usize>>,
    },
}

/// Trials that differ in nothing but the panel's parameter, in the order of its values.
#[derive(Clone, Debug)]
pub struct Joined {
    /// Indices of trials.
    pub trials: Vec<usize>,
    /// What they have in common, where one word tells it; else empty.
    pub name: String,
    /// The line's colour.
    pub paint: Paint,
}

/// The trials of a search: `scores[i]` belongs to trial `i`.
#[derive(Clone, Copy, Debug)]
pub struct Scored<'a> {
    /// The axis' label.
    pub metric: &'a str,
    /// One for each trial.
    pub scores: &'a [f64],
    /// Trials that were stopped early, drawn hollow.
    pub pruned: &'a [bool],
    /// Drawn on top in a colour of its own.
    pub best: Option<usize>,
}

/// Size of the names of joined trials.
const NAME: f64 = 10.5;

/// Two panels a line, one where lines have names.
pub fn trial_slices(title: &str, description: &str, slices: &[Slice], trials: Scored) -> Drawing {
    const PLOT: f64 = 120.0;
    let Scored { metric, scores, pruned, best } = trials;
    // Names beside the plot need room: one panel a line then.
    let is_named = slices.iter().flat_map(|slice| &slice.joined).any(|group| !group.name.is_empty());
    let columns = slices.len().clamp(1, if is_named { 1 } else { 2 });
    let lines = slices.len().div_ceil(columns);
    let height = 44.0 + (PLOT + 62.0) * lines as f64;
    let mut drawing = Drawing::new(WIDTH, height, title, description);
    drawing.heading();
    let hollow = if pruned.contains(&true) { "   ○ stopped early" } else { "" };
    let shown = text::fit(&format!("↑ {metric}   ● best trial{hollow}"), 11.0, WIDTH);
    drawing.add(Element::text(0.0, 32.0, &shown).size(11.0).fill(Paint::Muted));

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
        drawing.add(Element::text(x, top - 8.0, &text::fit(&slice.name, 12.0, side)).bold());
        if index % columns == 0 {
            y_scale.draw_left(&mut drawing, x, x + side);
        } else {
            for &tick in &y_scale.ticks {
                let at = y_scale.at(tick);
                drawing.add(Element::line(x, at, x + side, at).stroke(Paint::Grid, 1.0));
            }
        }
        let names = slice.joined.iter().map(|group| text::width(&group.name, NAME)).fold(0.0, f64::max);
        let names = if names > 0.0 { (names + 10.0).min(side * 0.4) } else { 0.0 };
        let ends = (x, x + side - names);
        let places = match &slice.axis {
            SliceAxis::Numbers { values, is_log } => number_axis(&mut drawing, values, *is_log, ends, (top, bottom)),
            SliceAxis::Levels { levels, values } => level_axis(&mut drawing, levels, values, ends, bottom),
        };
        let place = |trial: usize| places.get(trial).copied().filter(|x| x.is_finite() && scores[trial].is_finite());
        let at = |trial: usize| Some((place(trial)?, y_scale.at(scores[trial])));
        join(&mut drawing, &slice.joined, at, (top, bottom), (ends.1, names));
        let mut order: Vec<usize> = (0..scores.len()).filter(|&trial| place(trial).is_some()).collect();
        // The best comes last, on top; before it those that ran to their end.
        let is_pruned = |trial: usize| pruned.get(trial).copied().unwrap_or(false);
        order.sort_by_key(|&trial| (best == Some(trial), !is_pruned(trial)));
        for trial in order {
            let said = format!("trial {trial}: {metric} {}", text::decimals(scores[trial], 4));
            let circle = Element::circle(places[trial], y_scale.at(scores[trial]), 4.0).tooltip(&said);
            drawing.add(if best == Some(trial) {
                circle.fill(Paint::Negative).stroke(Paint::Surface, 1.0)
            } else if is_pruned(trial) {
                circle.no_fill().stroke(Paint::Neutral, 1.25)
            } else {
                circle.fill(Paint::Positive).fill_opacity(0.4).stroke(Paint::Positive, 1.25)
            });
        }
    }
    drawing
}

/// Lines below the dots, their names behind the plot in the order of their ends, moved apart where they would meet.
fn join(
    drawing: &mut Drawing,
    joined: &[Joined],
    place: impl Fn(usize) -> Option<(f64, f64)>,
    (top, bottom): (f64, f64),
    (right, room): (f64, f64),
) {
    const APART: f64 = 12.0;
    let mut names: Vec<(f64, f64, &Joined)> = Vec::new();
    for group in joined {
        let points: Vec<(f64, f64)> = group.trials.iter().filter_map(|&trial| place(trial)).collect();
        let path = Element::path(&PathData::through(&points)).no_fill().stroke(group.paint, 1.25).round();
        drawing.add(path.opacity(0.7).tooltip(&group.name));
        if let Some(&(x, y)) = points.last().filter(|_| !group.name.is_empty()) {
            names.push((x, y, group));
        }
    }
    names.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut above = top - APART;
    let count = names.len();
    for (rank, (x, y, group)) in names.into_iter().enumerate() {
        let lowest = bottom - APART * (count - 1 - rank) as f64;
        above = y.max(above + APART).min(lowest.max(above + APART));
        drawing.add(Element::line(x + 5.0, y, right + 4.0, above).stroke(group.paint, 0.75).opacity(0.5));
        let name = text::fit(&group.name, NAME, room - 6.0);
        drawing.add(Element::text(right + 6.0, above + 3.5, &name).size(NAME).fill(group.paint));
    }
}

fn number_axis(
    drawing: &mut Drawing,
    values: &[f64],
    is_log: bool,
    (left, right): (f64, f64),
    (top, bottom): (f64, f64),
) -> Vec<f64> {
    let (low, high) = extent(values.iter().copied()).unwrap_or((0.0, 1.0));
    let (start, end) = (left + 8.0, right - 8.0);
    let scale = if is_log { Scale::log(low, high, start, end, 4) } else { Scale::linear(low, high, start, end, 4) };
    scale.draw_below(drawing, top, bottom, "");
    values.iter().map(|&v| if v.is_finite() { scale.at(v) } else { f64::NAN }).collect()
}

fn level_axis(
    drawing: &mut Drawing,
    levels: &[String],
    values: &[Option<usize>],
    (left, right): (f64, f64),
    bottom: f64,
) -> Vec<f64> {
    let room = (right - left) / levels.len().max(1) as f64;
    let centre = |index: usize| left + room * (index as f64 + 0.5);
    // All in one size: a smaller one where that lets them be read in full.
    let fits = |size: f64| levels.iter().all(|level| text::width(level, size) <= room - 2.0);
    let size = if fits(11.0) { 11.0 } else { 9.0 };
    for (index, level) in levels.iter().enumerate() {
        let shown = text::fit(level, size, room - 2.0);
        drawing.add(
            Element::text(centre(index), bottom + 14.0, &shown)
                .size(size)
                .fill(Paint::Muted)
                .anchor(Anchor::Middle)
                .tooltip(level),
        );
    }
    values.iter().map(|value| value.map_or(f64::NAN, centre)).collect()
}
