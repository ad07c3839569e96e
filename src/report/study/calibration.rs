//! Whether a model's probabilities can be taken at their word: a sentence and the reliability diagram.
//!
//! Knows the shape of `calibration` in a stage's metrics, not how temperatures are fitted.

use serde_json::Value;

use crate::report::figure::text::decimals;
use crate::report::figure::{Line, LineChart, Paint, line_chart};
use crate::report::page::{Block, Figure};
use crate::report::read::{StageArtifacts, list, number};

/// A temperature this close to 1 changes nothing that one could see.
const NEUTRAL: f64 = 0.03;

/// Biases of more classes are not worth a line.
const BIASES_SHOWN: usize = 6;

/// The diagram with its sentence as caption; nothing where the stage tells of no calibration.
pub fn block(stage: &StageArtifacts, width: Option<f64>) -> Option<Block> {
    let calibration = stage.document("calibration")?.get("calibration")?;
    let (part, shown) =
        ["test", "valid"].into_iter().find_map(|name| Some((name, calibration.get("parts")?.get(name)?)))?;
    let title = format!("Reliability on the {} part", if part == "valid" { "validation" } else { part });
    let lines = [("before", Paint::Muted, true), ("after", Paint::Positive, false)]
        .into_iter()
        .map(|(when, paint, dashed)| Line {
            name: when.to_string(),
            points: points(shown.get(when)),
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
    let sentence = sentence(calibration)?;
    let svg = line_chart(&LineChart {
        title: &title,
        description: &sentence,
        x_label: "mean confidence of the bin",
        y_label: "share of rows that are right",
        lines,
        width,
        ..LineChart::default()
    });
    Some(Block::Figure(Figure::new(svg, sentence)))
}

/// Bins with rows enough to stand for something.
fn points(reliability: Option<&Value>) -> Vec<(f64, f64)> {
    let bins = reliability.into_iter().flat_map(|value| list(value, "bins"));
    let bins = bins.filter(|bin| number(bin, "rows").is_some_and(|rows| rows >= 10.0));
    bins.filter_map(|bin| Some((number(bin, "confidence")?, number(bin, "accuracy")?))).collect()
}

fn signed(value: f64) -> String {
    format!("{}{}", if value >= 0.0 { "+" } else { "" }, decimals(value, 2))
}

fn sentence(calibration: &Value) -> Option<String> {
    let temperature = number(calibration, "temperature")?;
    let judgement = if temperature > 1.0 + NEUTRAL {
        "the model was too sure of itself"
    } else if temperature < 1.0 - NEUTRAL {
        "the model was not sure enough of itself"
    } else {
        "the model needed hardly any correction"
    };
    let errors = |part: &str, name: &str| -> Option<String> {
        let part = calibration.get("parts")?.get(part)?;
        let of = |when: &str| number(part.get(when)?, "expected_error");
        Some(format!("from {} to {} on {name} rows", decimals(of("before")?, 3), decimals(of("after")?, 3)))
    };
    let errors: Vec<String> = [errors("valid", "validation"), errors("test", "test")].into_iter().flatten().collect();
    let bias = match calibration.get("bias").and_then(Value::as_object) {
        Some(bias) => {
            let one = |(class, value): (&String, &Value)| Some(format!("{class} {}", signed(value.as_f64()?)));
            let shown: Vec<String> = bias.iter().filter_map(one).take(BIASES_SHOWN).collect();
            let rest = if bias.len() > shown.len() { ", …" } else { "" };
            format!(
                " Since the classes' shares were off, as class weights or the choice of the epoch can make them, each class also has a bias (in nats: {}{rest}); \
                 what is predicted is the class that was likeliest before it, not always the likeliest one.",
                shown.join(", ")
            )
        }
        None => String::new(),
    };
    Some(format!(
        "Temperature {}, fitted on validation rows: {judgement}. It moves the expected calibration error (15 bins) {} and \
         changes no predicted class.{bias} Bins of fewer than 10 rows are not drawn.",
        decimals(temperature, 2),
        errors.join(", ")
    ))
}
