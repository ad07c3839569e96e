//! The figures of variations, each a function from the document (and its curves) to a drawing, for pages and articles alike.

use runner_results::Metric;
use runner_results::variations::{Ablation, Effect, Factor, Variations};

use super::courses::Courses;
use crate::figure::{
    ChartLayout, Drawing, EffectLevel, EffectPanel, EffectRow, Line, LineChart, Paint, effect_panels, effect_rows,
    grid, line_chart,
};
use crate::study::curves::Curves;
use crate::variations::{factor_name, level_name, name, signed};

type Column = fn(&Curves) -> &[f64];

/// Lines of a chart that can be told apart and named.
const MOST_LINES: usize = 6;

/// The score by each factor's values: a dot per seed, the mean, the interval of its difference from the base.
pub(crate) fn effects(found: &Variations, layout: ChartLayout) -> Option<Drawing> {
    let panel = |factor: &Factor| EffectPanel {
        name: factor_name(factor),
        levels: factor.levels.iter().map(|level| effect_level(found, level_name(level), level.setting)).collect(),
    };
    let panels: Vec<EffectPanel> = found.factors.iter().map(panel).collect();
    let metric = found.metric.title();
    let title = format!("Validation {metric} by single changes");
    let description = panels.iter().map(|panel| panel.name.as_str()).collect::<Vec<_>>().join(", ");
    (!panels.is_empty()).then(|| effect_panels(&title, &description, metric, &panels, layout.columns.unwrap_or(2)))
}

fn effect_level(found: &Variations, label: String, place: usize) -> EffectLevel {
    let setting = &found.settings[place];
    let scores = setting.runs.iter().map(|run| run.valid.map_or(f64::NAN, |scores| scores.get(found.metric))).collect();
    // Around the setting's own mean: where it does not reach the base's line, the difference is more than chance.
    let base = found.base().score.map(|score| score.mean);
    let interval = setting.effect.as_ref().and_then(|effect| effect.interval);
    let interval = base.zip(interval).map(|(base, (low, high))| (base + low, base + high));
    EffectLevel { label, scores, interval, is_base: place == 0 }
}

/// What leaving each thing out does to the score.
pub(crate) fn ablations(found: &Variations) -> Option<Drawing> {
    let row = |ablation: &Ablation| {
        let name = ablation.name.clone();
        match &found.settings[ablation.setting].effect {
            Some(Effect { differences, mean, interval, .. }) => EffectRow {
                name,
                differences: differences.clone(),
                mean: *mean,
                interval: *interval,
                note: signed(*mean, 3),
            },
            None => {
                EffectRow { name, differences: Vec::new(), mean: f64::NAN, interval: None, note: "diverged".to_owned() }
            }
        }
    };
    let rows: Vec<EffectRow> = found.ablations.iter().map(row).collect();
    let metric = found.metric.title();
    let title = format!("Validation {metric} without …");
    let description = rows.iter().map(|row| format!("{} {}", row.name, row.note)).collect::<Vec<_>>().join("; ");
    let axis = format!("difference in {metric} from the base");
    (!rows.is_empty()).then(|| effect_rows(&title, &description, &axis, &rows))
}

/// Two settings to look at beside each other, the better first: the best and the worst of all that have a score.
pub(crate) fn good_and_bad(found: &Variations) -> Option<(usize, usize)> {
    let best = found.best_of(0..found.settings.len())?;
    let merit = |i: &usize| found.settings[*i].merit(found.metric);
    let scored = (0..found.settings.len()).filter_map(|i| Some((i, merit(&i)?)));
    let (worst, _) = scored.reduce(|a, b| if b.1 < a.1 { b } else { a })?;
    (best != worst).then_some((best, worst))
}

/// Learning curves of a good and a bad setting side by side: loss above, score below, each on one scale.
pub(crate) fn contrast(found: &Variations, courses: &Courses) -> Option<Drawing> {
    let (good, bad) = good_and_bad(found)?;
    let loss: [(&str, Column, Paint, bool); 2] =
        [("train", |c| &c.train_loss, Paint::Muted, true), ("valid", |c| &c.valid_loss, Paint::Positive, false)];
    let score: [(&str, Column, Paint, bool); 2] = match found.metric {
        Metric::Accuracy => [
            ("train", |c| &c.train_accuracy, Paint::Muted, true),
            ("valid", |c| &c.valid_accuracy, Paint::Positive, false),
        ],
        _ => [
            ("train", |c| &c.train_macro_f1, Paint::Muted, true),
            ("valid", |c| &c.valid_macro_f1, Paint::Positive, false),
        ],
    };
    let unit = if found.metric == Metric::Accuracy { "accuracy" } else { "macro-F1" };
    let mut panels = Vec::new();
    for (unit, columns) in [("log loss", loss), (unit, score)] {
        let lines = |setting: usize| -> Vec<Line> {
            let line = |(name, column, paint, dashed): (&str, Column, Paint, bool)| {
                courses.line(setting, name, column, paint, dashed)
            };
            columns.into_iter().filter_map(line).collect()
        };
        let (ours, theirs) = (lines(good), lines(bad));
        // Beside each other they are on one scale.
        let values =
            |lines: &[Line]| lines.iter().flat_map(|line| line.points.iter().map(|point| point.1)).collect::<Vec<_>>();
        let range = crate::figure::scale::extent(values(&ours).into_iter().chain(values(&theirs)));
        for (which, setting, lines) in [("Best", good, ours), ("Worst", bad, theirs)] {
            if lines.is_empty() {
                return None;
            }
            panels.push(line_chart(&LineChart {
                title: &format!("{which}: {}", name(found, setting)),
                description: unit,
                x_label: "epoch",
                y_label: unit,
                lines,
                y_range: range,
                size: Some((HALF, 196.0)),
                ..LineChart::default()
            }));
        }
    }
    let description = format!("{} beside {}", name(found, good), name(found, bad));
    Some(grid("Learning curves of the best and the worst setting", &description, panels, 2))
}

/// Two charts and the gap between them are as wide as a figure.
const HALF: f64 = 232.0;

/// The gradients' norms by epoch of the base and of what stabilises it left out: clipping and batch norm where they are among the ablations, else
/// of all.
pub(crate) fn gradient_norms(found: &Variations, courses: &Courses) -> Option<Drawing> {
    let stabilises = |ablation: &&Ablation| {
        let paths = found.settings[ablation.setting].changes.keys();
        paths.into_iter().any(|path| path == "clip_norm" || path == "network.batch_norm")
    };
    let mut chosen: Vec<&Ablation> = found.ablations.iter().filter(stabilises).collect();
    if chosen.is_empty() {
        chosen = found.ablations.iter().collect();
    }
    chosen.truncate(MOST_LINES - 2);
    let settings = std::iter::once((0, "base".to_owned()))
        .chain(chosen.into_iter().map(|ablation| (ablation.setting, format!("without {}", ablation.name))));
    let mut lines = Vec::new();
    let mut known: Vec<usize> = Vec::new();
    for (setting, name) in settings {
        if known.contains(&setting) {
            continue;
        }
        known.push(setting);
        let paint = Paint::series(known.len() - 1);
        lines.extend(courses.line(setting, &name, |c| &c.gradient_norm, paint, false).map(unbanded));
        lines.extend(courses.largest(setting, |c| &c.gradient_norm_max, paint));
    }
    let first = lines.first()?;
    if let Some(limit) = found.training.clip_norm {
        let ends = [first.points.first()?.0, first.points.last()?.0];
        let points = ends.map(|epoch| (epoch, limit)).to_vec();
        let name = format!("clipped above {}", crate::figure::text::compact(limit));
        lines.push(Line { name, points, band: Vec::new(), paint: Paint::Muted, dashed: true });
    }
    let description = lines.iter().filter(|line| !line.name.is_empty()).map(|line| line.name.as_str());
    Some(line_chart(&LineChart {
        title: "Gradient norms before clipping",
        description: &description.collect::<Vec<_>>().join(", "),
        x_label: "epoch",
        y_label: "mean norm of the epoch; dashed: largest",
        lines,
        log_y: true,
        ..LineChart::default()
    }))
}

fn unbanded(line: Line) -> Line {
    Line { band: Vec::new(), ..line }
}

/// For each factor the validation score by epoch, a line for each value.
pub(crate) fn by_epoch(found: &Variations, courses: &Courses, layout: ChartLayout) -> Vec<Drawing> {
    let (column, unit): (Column, &str) = match found.metric {
        Metric::Accuracy => (|c| &c.valid_accuracy, "accuracy"),
        Metric::Loss => (|c| &c.valid_loss, "log loss"),
        _ => (|c| &c.valid_macro_f1, "macro-F1"),
    };
    let chart = |factor: &Factor| {
        let lines: Vec<Line> = factor
            .levels
            .iter()
            .take(MOST_LINES)
            .enumerate()
            .filter_map(|(place, level)| {
                let line = courses.line(
                    level.setting,
                    &level_name(level),
                    column,
                    Paint::series(place),
                    level.setting == 0,
                )?;
                // More bands than a few hide one another.
                Some(if factor.levels.len() > 3 { unbanded(line) } else { line })
            })
            .collect();
        let parameter = factor_name(factor);
        (!lines.is_empty()).then(|| {
            line_chart(&LineChart {
                title: &format!("Validation {unit} by {parameter}"),
                description: &lines.iter().map(|line| line.name.as_str()).collect::<Vec<_>>().join(", "),
                x_label: "epoch",
                y_label: unit,
                lines,
                explored: true,
                size: layout.size,
                ..LineChart::default()
            })
        })
    };
    found.factors.iter().filter_map(chart).collect()
}
