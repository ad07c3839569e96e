//! The figures of a search: importance, slices, parallel coordinates, learning curves.

use indexmap::IndexMap;
use runner_results::search::{Factor, Method, Scale, State};
use serde_json::Value;

use super::trials::{Trials, brief, column, label};
use crate::figure::text::{decimals, percent};
use crate::figure::{
    Bar, Joined, Line, LineChart, Paint, Scored, Slice, SliceAxis, bar_chart, line_chart, parallel_coordinates,
    trial_slices,
};
use crate::page::Figure;
use crate::read::TableView;

/// Lines of a chart that can still be told apart, and named.
const MOST_LINES: usize = 8;

/// Bands of a chart that do not hide one another.
const MOST_BANDS: usize = 3;

/// All figures that the trials are enough for.
pub(super) fn figures(search: &Trials, curves: Option<&TableView>) -> Vec<Figure> {
    let slices: Vec<Slice> = search.factors.iter().map(|(name, factor)| slice(name, factor, search)).collect();
    let pruned = search.pruned();
    let label = label(search.search.metric);
    let scored = Scored { metric: label, scores: &search.scores, pruned: &pruned, best: Some(search.search.best) };
    let mut figures = Vec::new();
    if !slices.is_empty() && search.scores.iter().any(|score| score.is_finite()) {
        let description = format!("{} trials, {} parameters", search.scores.len(), slices.len());
        let title = format!("Trials by parameter, validation {label}");
        let caption = if slices.iter().any(|slice| !slice.joined.is_empty()) {
            "One dot per trial. A line joins trials that differ in nothing but this parameter."
        } else {
            "One dot per trial. The other parameters vary as well, so that dots above one another differ in them."
        };
        figures.push(Figure::new(trial_slices(&title, &description, &slices, scored), caption));
        if slices.len() > 1 {
            let title = format!("Trials across parameters, validation {label}");
            figures.push(Figure::new(parallel_coordinates(&title, &description, &slices, scored), ""));
        }
    }
    figures.extend(importance(search));
    if let Some(curves_of_trials) = curves.and_then(|table| curves_of_trials(search, table)) {
        if search.search.method == Method::Grid {
            let factors = search.factors.iter();
            figures.extend(factors.filter_map(|(name, factor)| curves_by(name, factor, search, &curves_of_trials)));
        } else {
            figures.push(all_curves(search, &curves_of_trials));
        }
    }
    figures
}

/// How much of the variance each parameter explains alone.
fn importance(search: &Trials) -> Option<Figure> {
    let mut known: Vec<(&str, f64)> =
        search.factors.iter().filter_map(|(name, factor)| Some((name.as_str(), factor.importance?))).collect();
    if known.is_empty() {
        return None;
    }
    known.sort_by(|a, b| b.1.total_cmp(&a.1));
    let rest = (1.0 - known.iter().map(|(_, share)| share).sum::<f64>()).max(0.0);
    let bar = |(name, share): &(&str, f64), paint| Bar {
        label: (*name).to_owned(),
        value: *share,
        paint,
        note: percent(*share),
    };
    let mut bars: Vec<Bar> = known.iter().map(|one| bar(one, Paint::Positive)).collect();
    bars.push(bar(&("interactions", rest), Paint::Neutral));
    let title = format!("Importance of parameters for validation {}", label(search.search.metric));
    let description = bars.iter().map(|bar| format!("{} {}", bar.label, bar.note)).collect::<Vec<_>>().join("; ");
    let caption = "Share of the score's variance over the whole space that a parameter explains alone, by a functional analysis of variance of a forest \
         on the trials. Interactions are what only several of them explain together; noise is among it.";
    Some(Figure::new(bar_chart(&title, &description, "", &bars), caption))
}

fn slice(name: &str, factor: &Factor, search: &Trials) -> Slice {
    let axis = if factor.scale == Scale::Choice {
        let levels = levels(factor);
        let place = |value: &Value| levels.iter().position(|level| *level == value);
        SliceAxis::Levels {
            values: factor.values.iter().map(place).collect(),
            levels: levels.iter().map(|level| brief(level)).collect(),
        }
    } else {
        let values = factor.values.iter().map(|value| value.as_f64().unwrap_or(f64::NAN)).collect();
        SliceAxis::Numbers { values, is_log: factor.scale == Scale::Logarithmic }
    };
    Slice { name: name.to_owned(), joined: joined(factor, search, &axis), axis }
}

/// The distinct values: numbers by size, others by their text, `64×2` before `128`.
fn levels(factor: &Factor) -> Vec<&Value> {
    let mut levels: Vec<&Value> = Vec::new();
    for value in factor.values.iter().filter(|value| !value.is_null()) {
        if !levels.contains(&value) {
            levels.push(value);
        }
    }
    if levels.iter().all(|level| level.is_number()) {
        levels.sort_by(|a, b| a.as_f64().unwrap_or(f64::NAN).total_cmp(&b.as_f64().unwrap_or(f64::NAN)));
    } else {
        let leading = |text: &str| -> u64 {
            let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().unwrap_or(u64::MAX)
        };
        levels.sort_by_cached_key(|level| (leading(&brief(level)), brief(level)));
    }
    levels
}

/// Groups of trials that share the values of all other factors. With one other of few values each group has its name and colour.
fn joined(factor: &Factor, search: &Trials, axis: &SliceAxis) -> Vec<Joined> {
    let others: Vec<&Factor> =
        search.factors.iter().map(|(_, other)| *other).filter(|other| !std::ptr::eq(*other, factor)).collect();
    let mut groups: IndexMap<String, Vec<usize>> = IndexMap::new();
    for trial in 0..search.scores.len() {
        let key: Vec<String> = others.iter().map(|other| other.values[trial].to_string()).collect();
        groups.entry(key.join("\n")).or_default().push(trial);
    }
    let x = |trial: &usize| match axis {
        SliceAxis::Numbers { values, .. } => values[*trial],
        SliceAxis::Levels { values, .. } => values[*trial].map_or(f64::NAN, |place| place as f64),
    };
    let named = match others.as_slice() {
        [other] => Some((other, levels(other))).filter(|(_, levels)| (2..=MOST_LINES).contains(&levels.len())),
        _ => None,
    };
    let groups = groups.into_values().filter(|trials| trials.len() > 1);
    groups
        .map(|mut trials| {
            trials.sort_by(|a, b| x(a).total_cmp(&x(b)));
            let level = named.as_ref().and_then(|(other, levels)| {
                let value = &other.values[trials[0]];
                Some((levels.iter().position(|level| *level == value)?, brief(value)))
            });
            match level {
                Some((place, name)) => Joined { trials, name, paint: Paint::Class(place) },
                None => Joined { trials, name: String::new(), paint: Paint::Neutral },
            }
        })
        .collect()
}

/// By trial, in the order of the trials: the metric on the validation part by epoch.
fn curves_of_trials(search: &Trials, table: &TableView) -> Option<Vec<Vec<(f64, f64)>>> {
    let (trial, epoch) = (table.numbers("trial")?, table.numbers("epoch")?);
    let score = table.numbers(&column(search.search.metric))?;
    let mut by_index: IndexMap<usize, Vec<(f64, f64)>> = IndexMap::new();
    for ((trial, epoch), score) in trial.iter().zip(epoch).zip(score) {
        // Epoch 0 is the network before training: it would only stretch the axis.
        if *epoch > 0.0 {
            by_index.entry(*trial as usize).or_default().push((*epoch, *score));
        }
    }
    let curves_of_trials: Vec<_> =
        search.search.trials.iter().map(|trial| by_index.swap_remove(&trial.index).unwrap_or_default()).collect();
    curves_of_trials.iter().any(|curve| curve.len() > 1).then_some(curves_of_trials)
}

/// A line for each value of a factor: the mean over the trials that have it, with a band from the lowest to the highest.
fn curves_by(name: &str, factor: &Factor, search: &Trials, curves_of_trials: &[Vec<(f64, f64)>]) -> Option<Figure> {
    let levels = levels(factor);
    if !(2..=MOST_LINES).contains(&levels.len()) {
        return None;
    }
    let mut is_mean = false;
    let lines: Vec<Line> = levels
        .iter()
        .enumerate()
        .filter_map(|(place, level)| {
            let of_level = |trial: &usize| {
                factor.values[*trial] == **level
                    && search.search.trials[*trial].state == State::Complete
                    && !curves_of_trials[*trial].is_empty()
            };
            let trials: Vec<usize> = (0..curves_of_trials.len()).filter(of_level).collect();
            // Where some have stopped, a mean would jump.
            let epochs = trials.iter().map(|&trial| curves_of_trials[trial].len()).min()?;
            let at = |epoch: usize| trials.iter().map(move |&trial| curves_of_trials[trial][epoch].1);
            let mean = |epoch: usize| at(epoch).sum::<f64>() / trials.len() as f64;
            let points = (0..epochs).map(|epoch| (curves_of_trials[trials[0]][epoch].0, mean(epoch))).collect();
            let band = |epoch: usize| {
                at(epoch).fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)))
            };
            // More bands than a few hide one another.
            let is_banded = trials.len() > 1 && levels.len() <= MOST_BANDS;
            let band = if is_banded { (0..epochs).map(band).collect() } else { Vec::new() };
            is_mean |= trials.len() > 1;
            Some(Line { name: brief(level), points, band, paint: Paint::Class(place), dashed: false })
        })
        .collect();
    let has_bands = lines.iter().any(|line| !line.band.is_empty());
    let title = format!("Learning curves by {name}");
    let last = |line: &Line| line.points.last().map(|point| format!("{} ends at {}", line.name, decimals(point.1, 3)));
    let description = lines.iter().filter_map(last).collect::<Vec<_>>().join("; ");
    let y_label = format!("validation {}", label(search.search.metric));
    let (title, description, y_label) = (title.as_str(), description.as_str(), y_label.as_str());
    let chart =
        LineChart { title, description, x_label: "epoch", y_label, lines, explored: true, ..LineChart::default() };
    let caption = match (is_mean, has_bands) {
        (true, true) => "Mean over the trials with that value; the band spans them.",
        (true, false) => "Mean over the trials with that value.",
        (false, _) => "",
    };
    Some(Figure::new(line_chart(&chart), caption))
}

/// Every trial's curve; the best one has its name.
fn all_curves(search: &Trials, curves_of_trials: &[Vec<(f64, f64)>]) -> Figure {
    let mut order: Vec<usize> = (0..curves_of_trials.len()).collect();
    let best = search.search.best;
    order.sort_by_key(|&trial| trial == best);
    let lines = order.into_iter().map(|trial| {
        let (name, paint) = match search.search.trials[trial].state {
            _ if trial == best => ("best", Paint::Negative),
            State::Complete => ("", Paint::Positive),
            _ => ("", Paint::Neutral),
        };
        Line { name: name.to_owned(), points: curves_of_trials[trial].clone(), band: Vec::new(), paint, dashed: false }
    });
    let description = format!("{} trials", curves_of_trials.len());
    let y_label = format!("validation {}", label(search.search.metric));
    let svg = line_chart(&LineChart {
        title: "Learning curves of all trials",
        description: &description,
        x_label: "epoch",
        y_label: &y_label,
        lines: lines.collect(),
        explored: true,
        ..LineChart::default()
    });
    let stopped = curves_of_trials.len() - search.search.ended(State::Complete);
    let caption = match stopped {
        0 => String::new(),
        count => {
            format!("Trials that ran to their end in blue; in grey {count} that stopped early.")
        }
    };
    Figure::new(svg, caption)
}
