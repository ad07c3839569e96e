//! Whether a model's probabilities can be taken at their word: a sentence and the reliability diagram.

use std::cmp::Ordering;

use runner_results::calibration::{CalibrationReport, Reliability};
use runner_results::{ensemble::Ensemble, training::Training};

use crate::figure::text::decimals;
use crate::figure::{ChartLayout, Line, LineChart, Paint, line_chart};
use crate::page::{Block, Figure};
use crate::part_name;
use crate::read::StageArtifacts;
use runner_results::Part;

/// A temperature this close to 1 changes nothing that one could see.
const NEUTRAL: f64 = 0.03;

/// How a model's probabilities were on the rows that its calibration was fitted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Confidence {
    Over,
    Under,
    Right,
}

/// What a calibration did to a part's expected error, to three decimals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Change {
    pub(crate) part: Part,
    pub(crate) before: f64,
    pub(crate) after: f64,
}

impl Change {
    /// Less: it falls, and is better.
    pub(crate) fn direction(self) -> Ordering {
        let shown = |error: f64| (error * 1000.0).round();
        shown(self.after).total_cmp(&shown(self.before))
    }
}

/// A calibration, read and judged: each medium has its own words for it.
pub(crate) struct Calibrated {
    pub(crate) temperature: f64,
    pub(crate) confidence: Confidence,
    /// On validation rows, which it was fitted on, and on test rows, as far as there are any.
    pub(crate) changes: Vec<Change>,
}

impl Calibrated {
    pub(crate) fn of(calibration: &CalibrationReport) -> Calibrated {
        let temperature = calibration.temperature;
        let confidence = match temperature {
            high if high > 1.0 + NEUTRAL => Confidence::Over,
            low if low < 1.0 - NEUTRAL => Confidence::Under,
            _ => Confidence::Right,
        };
        let change = |part: Part| {
            let found = calibration.parts.get(part)?;
            Some(Change { part, before: found.before.expected_error, after: found.after.expected_error })
        };
        let changes = [Part::Valid, Part::Test].into_iter().filter_map(change).collect();
        Calibrated { temperature, confidence, changes }
    }
}

/// Biases of more classes are not worth a line.
const BIASES_SHOWN: usize = 6;

/// The calibration of a stage's model.
pub(crate) fn of(stage: &StageArtifacts) -> Option<&CalibrationReport> {
    let ensemble = || Some(&stage.documents.get::<Ensemble>()?.calibration);
    stage.documents.get::<Training>().map(|training| &training.calibration).or_else(ensemble)
}

/// The diagram with its sentence as caption; nothing where the stage tells of no calibration.
pub(crate) fn block(stage: &StageArtifacts, layout: ChartLayout) -> Option<Block> {
    let calibration = of(stage)?;
    let parts = [Part::Test, Part::Valid].into_iter();
    let (part, shown) = parts.filter_map(|part| Some((part, calibration.parts.get(part)?))).next()?;
    let title = format!("Reliability on the {} part", part_name(part));
    let lines = [("before", &shown.before, Paint::Muted, true), ("after", &shown.after, Paint::Positive, false)]
        .into_iter()
        .map(|(when, reliability, paint, dashed)| Line {
            name: when.to_string(),
            points: points(reliability),
            band: Vec::new(),
            paint,
            dashed,
        })
        .filter(|line| !line.points.is_empty());
    let mut lines: Vec<Line> = lines.collect();
    let edge = lines.iter().flat_map(|line| line.points.iter().map(|point| point.0)).fold(1.0, f64::min);
    lines.push(Line {
        name: "as said".to_string(),
        points: vec![(edge, edge), (1.0, 1.0)],
        band: Vec::new(),
        paint: Paint::Neutral,
        dashed: true,
    });
    if lines.len() < 2 {
        return None;
    }
    let sentence = sentence(calibration);
    let svg = line_chart(&LineChart {
        title: &title,
        description: &sentence,
        x_label: "mean confidence of the bin",
        y_label: "share of rows that are right",
        lines,
        size: layout.size,
        ..LineChart::default()
    });
    Some(Block::Figure(Figure::new(svg, sentence)))
}

/// Bins with rows enough to stand for something.
fn points(reliability: &Reliability) -> Vec<(f64, f64)> {
    let bins = reliability.bins.iter().filter(|bin| bin.rows >= 10);
    bins.map(|bin| (bin.confidence, bin.accuracy)).collect()
}

fn signed(value: f64) -> String {
    format!("{}{}", if value >= 0.0 { "+" } else { "" }, decimals(value, 2))
}

fn sentence(calibration: &CalibrationReport) -> String {
    let found = Calibrated::of(calibration);
    let judgement = match found.confidence {
        Confidence::Over => "on them the model was over-confident",
        Confidence::Under => "on them the model was under-confident",
        Confidence::Right => "on them the model needed hardly any correction",
    };
    let change = |change: &Change| {
        let (part, before, after) = (part_name(change.part), decimals(change.before, 3), decimals(change.after, 3));
        match change.direction() {
            Ordering::Less => format!("falls from {before} to {after} on {part} rows"),
            Ordering::Greater => format!("rises from {before} to {after} on {part} rows"),
            Ordering::Equal => format!("stays {after} on {part} rows"),
        }
    };
    let changes = found.changes.iter().map(change).collect::<Vec<_>>().join(", ");
    let errors = match changes.is_empty() {
        true => String::new(),
        false => format!(" The expected calibration error (15 bins) {changes}."),
    };
    let bias = match &calibration.bias {
        Some(bias) => {
            let one = |(class, value): (&String, &f64)| format!("{class} {}", signed(*value));
            let shown: Vec<String> = bias.iter().map(one).take(BIASES_SHOWN).collect();
            let rest = if bias.len() > shown.len() { ", …" } else { "" };
            format!(
                " Since the classes' shares were off, as class weights or the choice of the epoch can make them, each class also has a bias (in nats: {}{rest}); \
                 what is predicted is the class that was likeliest before it, not always the likeliest one.",
                shown.join(", ")
            )
        }
        None => String::new(),
    };
    format!(
        "Temperature {}, fitted to the likelihood of validation rows: {judgement}.{errors} No predicted class \
         changes.{bias} Bins of fewer than 10 rows are not drawn.",
        decimals(found.temperature, 2),
    )
}
