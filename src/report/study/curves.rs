//! Learning curves: reading them from a table, drawing loss, score, learning rate and gradient norm by epoch.

use crate::figure::{ChartLayout, Drawing, Line, LineChart, Paint, grid, line_chart};
use crate::page::Figure;
use crate::read::TableView;

/// Columns of a curves table; those that are missing are empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Curves {
    pub epoch: Vec<f64>,
    pub train_loss: Vec<f64>,
    pub valid_loss: Vec<f64>,
    pub(crate) train_accuracy: Vec<f64>,
    pub valid_accuracy: Vec<f64>,
    pub(crate) train_macro_f1: Vec<f64>,
    pub(crate) valid_macro_f1: Vec<f64>,
    pub(crate) learning_rate: Vec<f64>,
    pub(crate) gradient_norm: Vec<f64>,
    pub(crate) gradient_norm_max: Vec<f64>,
}

impl Curves {
    /// `None` without epochs. Of the curves of several seeds those of the first.
    pub(crate) fn read(table: &TableView) -> Option<Curves> {
        let numbers = |name: &str| table.numbers(name).unwrap_or_default();
        let seeds = numbers("seed");
        let rows = seeds.iter().take_while(|seed| **seed == seeds[0]).count();
        let column = |name: &str| {
            let values = numbers(name);
            if seeds.is_empty() { values.to_vec() } else { values[..rows.min(values.len())].to_vec() }
        };
        Curves::from_columns(column)
    }

    /// The same from anything that has columns by name.
    pub(crate) fn from_columns(column: impl Fn(&str) -> Vec<f64>) -> Option<Curves> {
        let epoch = column("epoch");
        let fitting = |name: &str| Some(column(name)).filter(|c| c.len() == epoch.len()).unwrap_or_default();
        let curves = Curves {
            train_loss: fitting("train_loss"),
            valid_loss: fitting("valid_loss"),
            train_accuracy: fitting("train_accuracy"),
            valid_accuracy: fitting("valid_accuracy"),
            train_macro_f1: fitting("train_macro_f1"),
            valid_macro_f1: fitting("valid_macro_f1"),
            learning_rate: fitting("learning_rate"),
            gradient_norm: fitting("gradient_norm"),
            gradient_norm_max: fitting("gradient_norm_max"),
            epoch,
        };
        (!curves.epoch.is_empty()).then_some(curves)
    }

    /// A column's finite value at an epoch.
    pub(crate) fn at(&self, column: &[f64], epoch: f64) -> Option<f64> {
        let place = self.epoch.iter().position(|e| *e == epoch)?;
        column.get(place).copied().filter(|v| v.is_finite())
    }

    pub(crate) fn points(&self, column: &[f64]) -> Vec<(f64, f64)> {
        self.epoch.iter().copied().zip(column.iter().copied()).collect()
    }
}

/// The curves of one training as one figure, two charts a line: what a train stage stores beside its table.
///
/// The table has a column `epoch`, and any of `train_loss`, `valid_loss`, `train_accuracy`, `valid_accuracy`,
/// `train_macro_f1`, `valid_macro_f1`, `learning_rate`, `gradient_norm`. `loss` names the loss and its unit.
/// `None` when there is nothing to draw.
pub fn learning_curves(title: &str, table: &TableView, loss: &str, best_epoch: Option<f64>) -> Option<String> {
    let charts = figures(&Curves::read(table)?, loss, best_epoch, ChartLayout::default());
    let charts: Vec<Drawing> = charts.into_iter().map(|figure| figure.drawing).collect();
    let description = format!("{} charts by epoch", charts.len());
    (!charts.is_empty()).then(|| grid(title, &description, charts, 2).svg())
}

/// Loss, accuracy and macro-F1 on training and validation rows, then learning rate and gradient norm; what the table
/// does not have is left out.
pub(super) fn figures(curves: &Curves, loss: &str, best_epoch: Option<f64>, layout: ChartLayout) -> Vec<Figure> {
    let marker = best_epoch.map(|epoch| (epoch, format!("best epoch {epoch}")));
    let mut figures = Vec::new();
    let mut draw = |title: &str, unit: &str, columns: [(&str, &[f64], Paint, bool); 2], log_y: bool| {
        let lines: Vec<Line> = columns
            .into_iter()
            .filter(|(_, column, _, _)| column.iter().any(|v| v.is_finite()))
            .map(|(name, column, paint, dashed)| Line {
                name: name.to_string(),
                points: curves.points(column),
                band: Vec::new(),
                paint,
                dashed,
            })
            .collect();
        if lines.is_empty() {
            return;
        }
        let ends: Vec<String> = lines
            .iter()
            .filter_map(|line| {
                let last = line.points.iter().rev().find(|p| p.1.is_finite())?;
                Some(format!("{} ends at {}", line.name, crate::figure::text::compact(last.1)))
            })
            .collect();
        let svg = line_chart(&LineChart {
            title,
            description: &ends.join("; "),
            x_label: "epoch",
            y_label: unit,
            lines,
            marker: marker.clone(),
            log_y,
            y_range: None,
            explored: true,
            size: layout.size,
        });
        figures.push(Figure::new(svg, ""));
    };
    let (train, valid) = (Paint::Muted, Paint::Positive);
    draw(
        "Loss",
        loss,
        [("train", &curves.train_loss, train, true), ("valid", &curves.valid_loss, valid, false)],
        false,
    );
    draw(
        "Accuracy",
        "share of rows",
        [("train", &curves.train_accuracy, train, true), ("valid", &curves.valid_accuracy, valid, false)],
        false,
    );
    draw(
        "Macro-F1",
        "mean over classes",
        [("train", &curves.train_macro_f1, train, true), ("valid", &curves.valid_macro_f1, valid, false)],
        false,
    );
    // Epoch 0 is the network before its first step: it has neither a rate nor a gradient.
    let stepped =
        |column: &[f64]| -> Vec<f64> { column.iter().map(|v| if *v > 0.0 { *v } else { f64::NAN }).collect() };
    let (rate, norm) = (stepped(&curves.learning_rate), stepped(&curves.gradient_norm));
    draw("Learning rate", "", [("rate", &rate, Paint::Positive, false), ("", &[], train, false)], false);
    draw(
        "Gradient norm",
        "before clipping, logarithmic",
        [("norm", &norm, Paint::Positive, false), ("", &[], train, false)],
        true,
    );
    figures
}
