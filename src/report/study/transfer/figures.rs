//! The lines of a transfer: by epoch, and by the number of the new classes' rows.

use runner_results::transfer::{ShareRun, Strategy};

use super::runs::Trained;
use crate::figure::scale::extent;
use crate::figure::{ChartLayout, Line, LineChart, Paint, line_chart};
use crate::page::Figure;
use crate::study::curves::Curves;

type CurveOf = fn(&Curves) -> &Vec<f64>;
type ScoreOf = fn(&ShareRun) -> Option<f64>;

/// Scores and losses by epoch, one line for each strategy.
pub(crate) fn by_epoch(runs: &[Trained], layout: ChartLayout) -> Vec<Figure> {
    let charts: [(&str, &str, CurveOf); 4] = [
        ("Validation macro-F1 by strategy", "mean over classes", |c| &c.valid_macro_f1),
        ("Validation accuracy by strategy", "share of rows", |c| &c.valid_accuracy),
        ("Validation loss by strategy", "nats", |c| &c.valid_loss),
        ("Training loss by strategy", "nats", |c| &c.train_loss),
    ];
    let figure = |(title, unit, column): (&str, &str, CurveOf)| {
        chart(layout, title, unit, "epoch", lines(&strategies(runs), |name| curve_points(runs, name, column)))
    };
    charts.into_iter().filter_map(figure).collect()
}

/// Scores by the number of training rows of the new classes, one line for each strategy.
pub(crate) fn by_share(runs: &[ShareRun], part: &str) -> Vec<Figure> {
    let names = distinct(runs.iter().map(|run| run.strategy));
    let charts: [(&str, ScoreOf); 3] = [
        ("Accuracy by rows of the new classes", |run| Some(run.accuracy)),
        ("Recall of the new classes by their rows", |run| run.new_classes),
        ("Old classes by rows of the new ones", |run| run.old_classes),
    ];
    let unit = format!("share of {part} rows that are right");
    let label = "training rows of the new classes";
    let figure = |(title, score): (&str, ScoreOf)| {
        chart(ChartLayout::default(), title, &unit, label, lines(&names, |name| share_points(runs, name, score)))
    };
    charts.into_iter().filter_map(figure).collect()
}

/// How many trainings of a strategy have curves, at most.
pub(crate) fn most_seeds(runs: &[Trained]) -> u64 {
    let seeds = |name: &Strategy| runs.iter().filter(|r| r.strategy == *name).count();
    strategies(runs).iter().map(seeds).max().unwrap_or(0) as u64
}

fn strategies(runs: &[Trained]) -> Vec<Strategy> {
    distinct(runs.iter().map(|run| run.strategy))
}

/// In order of first appearance.
fn distinct(strategies: impl Iterator<Item = Strategy>) -> Vec<Strategy> {
    let mut found: Vec<Strategy> = Vec::new();
    for strategy in strategies {
        if !found.contains(&strategy) {
            found.push(strategy);
        }
    }
    found
}

/// Places and, at each, what the seeds gave.
type Spread = Vec<(f64, Vec<f64>)>;

/// The mean over seeds as a line, least to greatest as a band where there are several.
fn lines(names: &[Strategy], points: impl Fn(Strategy) -> Spread) -> Vec<Line> {
    let line = |(place, name): (usize, &Strategy)| {
        let spread = points(*name);
        let several = spread.iter().any(|(_, values)| values.len() > 1);
        let mean = |(x, values): &(f64, Vec<f64>)| (*x, values.iter().sum::<f64>() / values.len() as f64);
        let band = spread.iter().filter_map(|(_, values)| extent(values.iter().copied()));
        (!spread.is_empty()).then(|| Line {
            name: name.name().to_owned(),
            points: spread.iter().map(mean).collect(),
            band: if several { band.collect() } else { Vec::new() },
            paint: Paint::series(place),
            dashed: false,
        })
    };
    names.iter().enumerate().filter_map(line).collect()
}

fn curve_points(runs: &[Trained], name: Strategy, column: CurveOf) -> Spread {
    let curves: Vec<&Curves> = runs.iter().filter(|r| r.strategy == name).map(|r| &r.curves).collect();
    let mut epochs: Vec<f64> = curves.iter().flat_map(|c| c.epoch.iter().copied()).collect();
    epochs.sort_by(f64::total_cmp);
    epochs.dedup();
    let at = |epoch: f64| (epoch, curves.iter().filter_map(|c| c.at(column(c), epoch)).collect::<Vec<f64>>());
    // Where some seeds have stopped already the mean would jump; the line ends instead.
    let is_whole = |(_, known): &(f64, Vec<f64>)| !known.is_empty() && known.len() == curves.len();
    epochs.into_iter().map(at).filter(is_whole).collect()
}

fn share_points(runs: &[ShareRun], name: Strategy, score: ScoreOf) -> Spread {
    let own: Vec<&ShareRun> = runs.iter().filter(|run| run.strategy == name).collect();
    let mut places: Vec<u64> = own.iter().map(|run| run.new_rows).collect();
    places.sort_unstable();
    places.dedup();
    let at =
        |rows: u64| (rows as f64, own.iter().filter(|run| run.new_rows == rows).filter_map(|run| score(run)).collect());
    places.into_iter().map(at).filter(|(_, known): &(f64, Vec<f64>)| !known.is_empty()).collect()
}

fn chart(layout: ChartLayout, title: &str, unit: &str, x_label: &str, lines: Vec<Line>) -> Option<Figure> {
    if lines.is_empty() {
        return None;
    }
    let description = lines.iter().map(|l| l.name.as_str()).collect::<Vec<_>>().join(", ");
    let chart = LineChart {
        title,
        description: &description,
        x_label,
        y_label: unit,
        lines,
        marker: None,
        log_y: false,
        y_range: None,
        explored: x_label == "epoch",
        size: layout.size,
    };
    Some(Figure::new(line_chart(&chart), ""))
}
