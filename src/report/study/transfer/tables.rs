//! The tables of a transfer: strategies on the parts, their comparisons, and what became of each tensor.

use serde_json::Value;

use super::runs::{GroupScores, Run, distinct, mean};
use crate::JudgedOn;
use crate::figure::scale::extent;
use crate::page::{Block, Cell, Column, Table};
use crate::read::{list, number, shown, text};

/// Means over seeds on the validation part, with the least and greatest score where there are several.
pub fn strategies(document: &Value, runs: &[Run]) -> Option<Block> {
    if runs.iter().all(|r| r.valid.all.is_none() && r.best_epoch.is_none()) {
        return None;
    }
    let best = text(document, "best");
    let mut table = Table::new(
        "Strategies on the validation part, means over seeds",
        vec![
            Column::text("strategy"),
            Column::number("seeds"),
            Column::number("accuracy"),
            Column::number("macro-F1"),
            Column::number("least to greatest").hint("macro-F1 over the seeds"),
            Column::number("best epoch"),
            Column::number("epochs to scratch's best")
                .hint("epochs until the best score of training from scratch with the same seed is reached"),
        ],
    );
    for strategy in distinct(runs.iter().map(|run| &run.strategy)) {
        let own: Vec<&Run> = runs.iter().filter(|r| r.strategy == strategy).collect();
        let f1 = |r: &Run| r.valid.all.as_ref().map(|s| s.macro_f1);
        let is_best = best == Some(strategy);
        let row = vec![
            Cell::text(strategy),
            Cell::count(own.len() as u64),
            Cell::decimals(mean(&own, |r| r.valid.all.as_ref().map(|s| s.accuracy)), 3),
            Cell::decimals(mean(&own, f1), 3),
            match extent(own.iter().filter_map(|r| f1(r))) {
                Some((low, high)) if own.len() > 1 => Cell::text(format!("{low:.3}–{high:.3}")).sort_by(low),
                _ => Cell::text("–").muted_if(true),
            },
            Cell::decimals(mean(&own, |r| r.best_epoch), 1),
            Cell::decimals(mean(&own, |r| r.epochs_to_target), 1),
        ];
        table.push(row.into_iter().map(|cell| cell.strong_if(is_best)).collect());
    }
    Some(Block::Table(table))
}

/// What was learnt and what was forgotten: the old network's score first.
pub fn old_and_new(document: &Value, runs: &[Run], part: JudgedOn) -> Option<Block> {
    let score = |of: &[&Run], value: fn(&GroupScores) -> Option<f64>| mean(of, |run| value(run.judged()));
    let before = list(document, "before").find(|before| text(before, "part") == Some(part.key()));
    let before = before.and_then(|before| number(before.get("old_classes")?, "accuracy"));
    let mut table = Table::new(
        format!("What was learnt and what was forgotten: the {} part, means over seeds", part.name()),
        vec![
            Column::text("network"),
            Column::number("accuracy").hint("all rows"),
            Column::number("macro-F1"),
            Column::number("new classes").hint("share of the new classes' rows that are right"),
            Column::number("old classes").hint("share of the old classes' rows that are right"),
            Column::number("among old alone")
                .hint("the same when the network may choose among the old classes only: what it still knows of them"),
            Column::number("change").hint("of the last column against the network before the transfer"),
        ],
    );
    if let Some(before) = before {
        let nothing = || Cell::text("–").muted_if(true);
        let known = || Cell::decimals(before, 3);
        table.push(vec![Cell::text("before"), nothing(), nothing(), nothing(), known(), known(), nothing()]);
    }
    for strategy in distinct(runs.iter().map(|run| &run.strategy)) {
        let own: Vec<&Run> = runs.iter().filter(|r| r.strategy == strategy).collect();
        let retained = score(&own, |s| s.retained);
        let change = retained.zip(before).map(|(after, before)| after - before);
        table.push(vec![
            Cell::text(strategy),
            Cell::decimals(score(&own, |s| s.all.as_ref().map(|all| all.accuracy)), 3),
            Cell::decimals(score(&own, |s| s.all.as_ref().map(|all| all.macro_f1)), 3),
            Cell::decimals(score(&own, |s| s.new_classes), 3),
            Cell::decimals(score(&own, |s| s.old_classes), 3),
            Cell::decimals(retained, 3),
            signed(change),
        ]);
    }
    let is_known = runs.iter().any(|run| run.judged().retained.is_some());
    is_known.then_some(Block::Table(table))
}

/// Every strategy against the baseline, score by score, with corrected p values.
pub fn comparisons(document: &Value, part: JudgedOn) -> Option<Block> {
    let part = part.name();
    let mut table = Table::new("Differences, paired by seed", comparison_columns(Column::text("score")));
    for comparison in list(document, "comparisons") {
        let strategy = text(comparison, "strategy").unwrap_or("");
        let metric = text(document, "metric").unwrap_or("score").replace('_', "-");
        for (key, name) in [
            ("valid", format!("validation {metric}")),
            ("accuracy", format!("{part} accuracy")),
            ("new_classes", format!("new classes, {part}")),
            ("old_classes", format!("old classes, {part}")),
            ("retained", format!("among old alone, {part}")),
        ] {
            table.rows.extend(comparison.get(key).and_then(|paired| difference(strategy, Cell::text(name), paired)));
        }
    }
    (!table.rows.is_empty()).then_some(Block::Table(table))
}

/// The same at every share of the new classes' rows, for accuracy.
pub fn shares(document: &Value) -> Option<Block> {
    let columns = comparison_columns(Column::number("share of new rows"));
    let mut table = Table::new("Accuracy with a share of the new classes' rows, paired by seed", columns);
    for one in list(document, "share_comparisons") {
        let (strategy, share) = (text(one, "strategy").unwrap_or(""), Cell::percent(number(one, "share")));
        table.rows.extend(one.get("accuracy").and_then(|paired| difference(strategy, share, paired)));
    }
    (!table.rows.is_empty()).then_some(Block::Table(table))
}

fn comparison_columns(what: Column) -> Vec<Column> {
    vec![
        Column::text("strategy"),
        what,
        Column::number("mean"),
        Column::number("baseline"),
        Column::number("difference"),
        Column::number("p").hint("two-sided paired t-test over the seeds"),
        Column::number("corrected p").hint("after Holm, over the strategies (and shares) compared"),
        Column::text("reading"),
    ]
}

fn difference(strategy: &str, what: Cell, paired: &Value) -> Option<Vec<Cell>> {
    let difference = number(paired, "mean_difference")?;
    let corrected = number(paired, "p_corrected");
    let reading = match corrected {
        Some(p) if p >= 0.05 => "no significant difference",
        Some(_) if difference > 0.0 => "higher",
        Some(_) => "lower",
        None => "cannot be told",
    };
    Some(vec![
        Cell::text(strategy),
        what,
        Cell::decimals(number(paired, "mean"), 3),
        Cell::decimals(number(paired, "baseline_mean"), 3),
        signed(Some(difference)),
        p_value(number(paired, "p_value")),
        p_value(corrected),
        Cell::text(reading).muted_if(corrected.is_none_or(|p| p >= 0.05)),
    ])
}

fn p_value(p: Option<f64>) -> Cell {
    match p {
        Some(p) if p < 0.001 => Cell::text("< 0.001").sort_by(p),
        p => Cell::decimals(p, 3),
    }
}

fn signed(change: Option<f64>) -> Cell {
    match change {
        Some(change) => Cell::text(format!("{change:+.3}").replace('-', "−")).sort_by(change),
        None => Cell::decimals(None, 3),
    }
}

pub fn tensors(document: &Value) -> Option<Block> {
    let mut table = Table::new(
        "What became of each tensor of the old network",
        vec![
            Column::text("tensor"),
            Column::text("old shape"),
            Column::text("new shape"),
            Column::text("action"),
            Column::text("detail"),
        ],
    );
    let shape = |entry: &Value, key: &str| match entry.get(key).and_then(Value::as_array) {
        Some(sides) => Cell::text(sides.iter().map(shown).collect::<Vec<_>>().join(" × ")),
        None => Cell::text("–").muted_if(true),
    };
    let mut actions: Vec<(String, u64)> = Vec::new();
    for entry in list(document, "tensors") {
        let name = ["tensor", "name"].iter().find_map(|key| text(entry, key)).unwrap_or("");
        let action = text(entry, "action").unwrap_or("").replace('_', " ");
        match actions.iter_mut().find(|(known, _)| *known == action) {
            Some((_, count)) => *count += 1,
            None => actions.push((action.clone(), 1)),
        }
        table.push(vec![
            Cell::text(name),
            shape(entry, "old_shape"),
            shape(entry, "new_shape"),
            Cell::text(&action),
            Cell::text(text(entry, "detail").unwrap_or("")).muted_if(true),
        ]);
    }
    if table.rows.is_empty() {
        return None;
    }
    let counted: Vec<String> = actions.iter().map(|(action, count)| format!("{count} {action}")).collect();
    let summary = format!("tensors: {}", counted.join(", "));
    Some(Block::Details { summary, blocks: vec![Block::Table(table)] })
}
