//! The tables of a transfer: strategies on the parts, their comparisons, and what became of each tensor.

use runner_results::transfer::Transfer;
use runner_results::transfer::{Action, GroupScores, Outcome, Paired, Run, Strategy};

use super::runs::mean;
use crate::figure::scale::extent;
use crate::page::{Block, Cell, Column, Table};
use crate::part_name;
use crate::transfer::{action, detail};
use runner_results::Part;

/// Means over seeds on the validation part, with the least and greatest score where there are several.
pub(crate) fn strategies(found: &Transfer) -> Block {
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
    for of in &found.strategies {
        let own = &of.runs;
        let row = vec![
            Cell::text(of.strategy.name()),
            Cell::count(own.len() as u64),
            Cell::decimals(mean(own, |run| Some(run.valid.all.accuracy)), 3),
            Cell::decimals(mean(own, |run| Some(run.valid.all.macro_f1)), 3),
            match extent(own.iter().map(|run| run.valid.all.macro_f1)) {
                Some((low, high)) if own.len() > 1 => Cell::text(format!("{low:.3}–{high:.3}")).sort_by(low),
                _ => Cell::text("–").muted_if(true),
            },
            Cell::decimals(mean(own, |run| Some(run.best_epoch as f64)), 1),
            Cell::decimals(mean(own, |run| run.epochs_to_target.map(|epoch| epoch as f64)), 1),
        ];
        table.push(row.into_iter().map(|cell| cell.strong_if(found.best == of.strategy)).collect());
    }
    Block::Table(table)
}

/// What was learnt and what was forgotten: the old network's score first.
pub(crate) fn old_and_new(found: &Transfer, part: Part) -> Option<Block> {
    let score = |of: &[Run], value: fn(&GroupScores) -> Option<f64>| mean(of, |run| value(run.judged()));
    let before = found.before.iter().find(|before| before.part == found.part);
    let before = before.and_then(|before| before.old_classes.accuracy);
    let mut table = Table::new(
        format!("What was learnt and what was forgotten: the {} part, means over seeds", part_name(part)),
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
    for of in &found.strategies {
        let own = &of.runs;
        let retained = score(own, |s| s.retained);
        let change = retained.zip(before).map(|(after, before)| after - before);
        table.push(vec![
            Cell::text(of.strategy.name()),
            Cell::decimals(score(own, |s| Some(s.all.accuracy)), 3),
            Cell::decimals(score(own, |s| Some(s.all.macro_f1)), 3),
            Cell::decimals(score(own, |s| s.new_classes.accuracy), 3),
            Cell::decimals(score(own, |s| s.old_classes.accuracy), 3),
            Cell::decimals(retained, 3),
            signed(change),
        ]);
    }
    let mut runs = found.strategies.iter().flat_map(|of| &of.runs);
    let is_known = runs.any(|run| run.judged().retained.is_some());
    is_known.then_some(Block::Table(table))
}

/// Every strategy against the baseline, score by score, with corrected p values.
pub(crate) fn comparisons(found: &Transfer, part: Part) -> Option<Block> {
    let (part, metric) = (part_name(part), found.metric.label());
    let mut table = Table::new("Differences, paired by seed", comparison_columns(Column::text("score")));
    for comparison in &found.comparisons {
        for (paired, name) in [
            (Some(comparison.valid), format!("validation {metric}")),
            (Some(comparison.accuracy), format!("{part} accuracy")),
            (comparison.new_classes, format!("new classes, {part}")),
            (comparison.old_classes, format!("old classes, {part}")),
            (comparison.retained, format!("among old alone, {part}")),
        ] {
            table.rows.extend(paired.map(|paired| difference(comparison.strategy, Cell::text(name), &paired)));
        }
    }
    (!table.rows.is_empty()).then_some(Block::Table(table))
}

/// The same at every share of the new classes' rows, for accuracy.
pub(crate) fn shares(found: &Transfer) -> Option<Block> {
    let columns = comparison_columns(Column::number("share of new rows"));
    let mut table = Table::new("Accuracy with a share of the new classes' rows, paired by seed", columns);
    for one in &found.share_comparisons {
        table.push(difference(one.strategy, Cell::percent(one.share), &one.accuracy));
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

fn difference(strategy: Strategy, what: Cell, paired: &Paired) -> Vec<Cell> {
    let reading = match paired.outcome() {
        Outcome::Same => "no significant difference",
        Outcome::Higher => "higher",
        Outcome::Lower => "lower",
        Outcome::Untested => "cannot be told",
    };
    vec![
        Cell::text(strategy.name()),
        what,
        Cell::decimals(paired.mean, 3),
        Cell::decimals(paired.baseline_mean, 3),
        signed(Some(paired.mean_difference)),
        p_value(paired.p_value),
        p_value(paired.p_corrected),
        Cell::text(reading).muted_if(matches!(paired.outcome(), Outcome::Same | Outcome::Untested)),
    ]
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

pub(crate) fn tensors(found: &Transfer) -> Option<Block> {
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
    let shape = |shape: &Option<Vec<usize>>| match shape {
        Some(sides) => Cell::text(sides.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ")),
        None => Cell::text("–").muted_if(true),
    };
    let mut actions: Vec<(Action, u64)> = Vec::new();
    for tensor in &found.tensors {
        match actions.iter_mut().find(|(known, _)| *known == tensor.action) {
            Some((_, count)) => *count += 1,
            None => actions.push((tensor.action, 1)),
        }
        table.push(vec![
            Cell::text(&tensor.tensor),
            shape(&tensor.old_shape),
            shape(&tensor.new_shape),
            Cell::text(action(tensor.action)),
            Cell::text(detail(tensor)).muted_if(true),
        ]);
    }
    if table.rows.is_empty() {
        return None;
    }
    let counted: Vec<String> = actions.iter().map(|(done, count)| format!("{count} {}", action(*done))).collect();
    let summary = format!("tensors: {}", counted.join(", "));
    Some(Block::Details { summary, blocks: vec![Block::Table(table)] })
}
