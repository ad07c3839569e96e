//! Every metric of models that compare, and of two classes their ROC and precision-recall curves.

use runner_results::Metric;
use runner_results::scores::{Scores, ThresholdCurve};

use super::models::{Group, Model};
use crate::figure::text::decimals;
use crate::figure::{Line, LineChart, Paint, line_chart};
use crate::judged::{costs_told, threshold_told};
use crate::page::{Block, Cell, Column, Figure, Table};
use crate::part_name;

/// Models whose curves share a figure: the best ones.
const MOST_CURVES: usize = 5;
/// Models in the table of all metrics.
const MOST_MODELS: usize = 20;

/// The table of all metrics and the curves, as far as the models' results tell them.
pub(crate) fn blocks(group: &Group) -> Vec<Block> {
    table(group).into_iter().chain(curves(group)).collect()
}

/// Nothing where no model has more than the table of models shows.
fn table(group: &Group) -> Option<Block> {
    let scored = group.models.iter().filter_map(|model| Some((model, model.judged()?)));
    let scored: Vec<(&Model, &Scores)> = scored.take(MOST_MODELS).collect();
    if scored.iter().all(|(_, scores)| scores.by_probabilities.is_empty()) {
        return None;
    }
    let has_any = |metric: &Metric| scored.iter().any(|(_, scores)| scores.value(*metric).is_some());
    let others = Metric::ALL.into_iter().filter(|metric| *metric != group.metric);
    let metrics: Vec<Metric> = std::iter::once(group.metric).chain(others).filter(has_any).collect();
    let mut heads = vec![Column::text("model")];
    heads.extend(metrics.iter().map(|metric| Column::number(metric.title()).hint(metric.meaning())));
    let positive = scored.iter().find_map(|(_, scores)| scores.positive.as_ref());
    let of = positive.map(|class| format!("; of the two classes the positive one is '{class}'")).unwrap_or_default();
    let by_costs = scored.iter().find_map(|(_, scores)| costs_told(scores));
    let by_costs = by_costs.map(|told| format!("; {told}")).unwrap_or_default();
    let left_out = group.models.len().saturating_sub(MOST_MODELS);
    let left_out = if left_out > 0 { format!("; {left_out} more are not shown") } else { String::new() };
    let caption = format!(
        "Every metric on the {} part, what ranks first, with 95 % intervals{of}{by_costs}{left_out}",
        part_name(group.part)
    );
    let mut table = Table::new(caption, heads);
    for (model, scores) in &scored {
        let mut cells = vec![Cell::text(&model.name)];
        cells.extend(metrics.iter().map(|metric| cell(scores, *metric)));
        table.push(cells);
    }
    Some(Block::Table(table))
}

/// `0.412 (0.351 to 0.470)`; alone where both ends are the same to three decimals.
fn cell(scores: &Scores, metric: Metric) -> Cell {
    let Some(value) = scores.value(metric) else { return Cell::text("–").muted_if(true) };
    let ends = scores.interval(metric).map(|(low, high)| (decimals(low, 3), decimals(high, 3)));
    let ends = ends.filter(|(low, high)| low != high);
    let interval = ends.map(|(low, high)| format!(" ({low} to {high})")).unwrap_or_default();
    Cell::text(format!("{}{interval}", decimals(value, 3))).sort_by(value)
}

/// The ROC and the precision-recall curve of the best models of two classes; a reference has none to speak of.
fn curves(group: &Group) -> Option<Block> {
    let models = group.models.iter().filter(|model| !model.is_reference());
    let drawn = models.filter_map(|model| Some((model, model.judged()?)));
    let drawn: Vec<(&Model, &Scores, &ThresholdCurve)> =
        drawn.filter_map(|(model, scores)| Some((model, scores, scores.curve.as_ref()?))).take(MOST_CURVES).collect();
    let (_, first, _) = drawn.first()?;
    let positive = first.positive.as_deref().unwrap_or("positive");
    let supports = first.supports();
    let rows: u64 = supports.iter().sum();
    let place = first.classes.iter().position(|class| class == positive)?;
    let share = supports[place] as f64 / rows.max(1) as f64;
    let named = |metric: Metric| {
        let told = drawn
            .iter()
            .filter_map(|(model, scores, _)| Some(format!("{} {}", model.name, decimals(scores.value(metric)?, 3))));
        told.collect::<Vec<_>>().join(", ")
    };
    let line = |place: usize, model: &Model, points: Vec<(f64, f64)>| Line {
        name: model.name.clone(),
        points,
        band: Vec::new(),
        paint: Paint::Class(place),
        dashed: false,
    };
    let reference = |name: &str, points: Vec<(f64, f64)>| Line {
        name: name.to_owned(),
        points,
        band: Vec::new(),
        paint: Paint::Neutral,
        dashed: true,
    };
    let part = part_name(group.part);
    let roc = {
        let points = |curve: &ThresholdCurve| {
            let points = curve.false_positive_rate.iter().copied().zip(curve.recall.iter().copied());
            std::iter::once((0.0, 0.0)).chain(points).collect()
        };
        let mut lines: Vec<Line> =
            drawn.iter().enumerate().map(|(i, (model, _, curve))| line(i, model, points(curve))).collect();
        lines.push(reference("chance", vec![(0.0, 0.0), (1.0, 1.0)]));
        let caption = format!(
            "How many rows of '{positive}' are found (recall) for how many false alarms among the others, by falling threshold. Area under the curve: {}.",
            named(Metric::RocAuc)
        );
        let title = format!("ROC curves on the {part} part");
        chart(&title, caption, "false positive rate", "recall", lines)
    };
    let precision = {
        let points = |curve: &ThresholdCurve| {
            curve.recall.iter().copied().zip(curve.precision.iter().copied()).collect::<Vec<_>>()
        };
        let mut lines: Vec<Line> =
            drawn.iter().enumerate().map(|(i, (model, _, curve))| line(i, model, points(curve))).collect();
        lines.push(reference("chance", vec![(0.0, share), (1.0, share)]));
        let caption = format!(
            "How many of the rows predicted '{positive}' are, for the recall that a threshold reaches; by chance {}. Average precision: {}.",
            decimals(share, 3),
            named(Metric::AveragePrecision)
        );
        let title = format!("Precision-recall curves on the {part} part");
        chart(&title, at_thresholds(caption, &drawn), "recall", "precision", lines)
    };
    Some(Block::Gallery { figures: vec![roc, precision], narrow: false })
}

/// Adds by which thresholds the models predict.
fn at_thresholds(caption: String, drawn: &[(&Model, &Scores, &ThresholdCurve)]) -> String {
    let told = drawn.iter().filter_map(|(model, scores, _)| {
        Some(format!("{}: {}", model.name, threshold_told(scores.threshold.as_ref()?)))
    });
    let told: Vec<String> = told.collect();
    if told.is_empty() { caption } else { format!("{caption} {}.", told.join("; ")) }
}

fn chart(title: &str, caption: String, x_label: &str, y_label: &str, lines: Vec<Line>) -> Figure {
    let svg = line_chart(&LineChart { title, description: &caption, x_label, y_label, lines, ..LineChart::default() });
    Figure::new(svg, caption)
}
