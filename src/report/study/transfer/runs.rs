//! The trainings of a transfer, read from its JSON and its table of curves.

use serde_json::Value;

use crate::read::{ColumnView, Scores, StageArtifacts, TableView, list, number, numbers, shown, text};
use crate::study::curves::Curves;

/// One training of one strategy on all rows.
#[derive(Default)]
pub struct Run {
    pub strategy: String,
    pub curves: Option<Curves>,
    pub valid: GroupScores,
    pub test: GroupScores,
    pub best_epoch: Option<f64>,
    pub epochs_to_target: Option<f64>,
}

/// Scores of one part, as far as they were given.
#[derive(Default)]
pub struct GroupScores {
    pub all: Option<Scores>,
    pub old_classes: Option<f64>,
    pub new_classes: Option<f64>,
    pub retained: Option<f64>,
}

/// One training with a share of the new rows.
pub struct ShareRun {
    pub strategy: String,
    pub new_rows: f64,
    pub accuracy: Option<f64>,
    pub old_classes: Option<f64>,
    pub new_classes: Option<f64>,
}

impl Run {
    /// On the test part, else on the validation part.
    pub fn judged(&self) -> &GroupScores {
        if self.test.all.is_some() { &self.test } else { &self.valid }
    }
}

/// Runs from the JSON, with curves from the JSON or else from the table.
pub fn runs(stage: &StageArtifacts, document: &Value) -> Vec<Run> {
    let mut runs = Vec::new();
    for (place, strategy) in list(document, "strategies").enumerate() {
        let name = text(strategy, "strategy").map_or_else(|| format!("strategy {}", place + 1), String::from);
        for (index, run) in list(strategy, "runs").enumerate() {
            let seed = run.get("seed").map_or_else(|| index.to_string(), shown);
            let curves = run.get("curves").and_then(|c| Curves::from_columns(|column| numbers(c.get(column))));
            runs.push(Run {
                curves: curves.or_else(|| table_curves(stage, &name, &seed)),
                strategy: name.clone(),
                valid: group_scores(run.get("valid")),
                test: group_scores(run.get("test")),
                best_epoch: number(run, "best_epoch"),
                epochs_to_target: number(run, "epochs_to_target"),
            });
        }
    }
    if runs.is_empty() {
        runs.extend(table_runs(stage));
    }
    runs
}

/// Runs of the learning curve over the share of new rows, the whole included.
pub fn share_runs(document: &Value) -> Vec<ShareRun> {
    let run = |value: &Value| {
        Some(ShareRun {
            strategy: text(value, "strategy")?.to_owned(),
            new_rows: number(value, "new_rows")?,
            accuracy: number(value, "accuracy"),
            old_classes: number(value, "old_classes"),
            new_classes: number(value, "new_classes"),
        })
    };
    list(document, "share_runs").filter_map(run).collect()
}

/// Names in order of first appearance.
pub fn distinct<'a>(names: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
    let mut found: Vec<&str> = Vec::new();
    for name in names {
        if !found.contains(&name.as_str()) {
            found.push(name);
        }
    }
    found
}

/// The mean of what is known.
pub fn mean<T>(of: &[&T], value: impl Fn(&T) -> Option<f64>) -> Option<f64> {
    let known: Vec<f64> = of.iter().filter_map(|one| value(one)).filter(|v| v.is_finite()).collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}

fn group_scores(value: Option<&Value>) -> GroupScores {
    let Some(value) = value else { return GroupScores::default() };
    let group = |key: &str| value.get(key).and_then(|group| number(group, "accuracy"));
    GroupScores {
        all: value.get("all").and_then(Scores::read),
        old_classes: group("old_classes"),
        new_classes: group("new_classes"),
        retained: number(value, "retained"),
    }
}

fn curves_table(stage: &StageArtifacts) -> Option<(&TableView, &[String], Vec<String>)> {
    let table = stage.tables.get("curves")?;
    let strategies = table.texts("strategy")?;
    let seeds = match table.columns.get("seed") {
        Some(ColumnView::Number(seeds)) => seeds.iter().map(|s| format!("{s:.0}")).collect(),
        Some(ColumnView::Text(seeds)) => seeds.clone(),
        None => vec![String::new(); strategies.len()],
    };
    Some((table, strategies, seeds))
}

fn table_curves(stage: &StageArtifacts, strategy: &str, seed: &str) -> Option<Curves> {
    let (table, strategies, seeds) = curves_table(stage)?;
    let of = |i: &usize| strategies[*i] == strategy && seeds.get(*i).is_some_and(|s| s == seed || s.is_empty());
    let rows: Vec<usize> = (0..strategies.len()).filter(of).collect();
    Curves::from_columns(|column| {
        let values = table.numbers(column).unwrap_or(&[]);
        rows.iter().filter_map(|&row| values.get(row).copied()).collect()
    })
}

/// Strategies and seeds as they appear in the table, where the JSON names none.
fn table_runs(stage: &StageArtifacts) -> Vec<Run> {
    let Some((_, strategies, seeds)) = curves_table(stage) else {
        return Vec::new();
    };
    let mut pairs: Vec<(&String, &String)> = Vec::new();
    for pair in strategies.iter().zip(&seeds) {
        if !pairs.contains(&pair) {
            pairs.push(pair);
        }
    }
    pairs
        .into_iter()
        .map(|(strategy, seed)| Run {
            strategy: strategy.clone(),
            curves: table_curves(stage, strategy, seed),
            ..Run::default()
        })
        .collect()
}
