//! The trainings of a transfer with their curves, which are in a table.

use runner_results::transfer::Strategy;
use runner_results::transfer::Transfer;

use crate::read::{StageArtifacts, TableView};
use crate::study::curves::Curves;

/// The curves of one training of one strategy on all rows.
pub(crate) struct Trained {
    pub(crate) strategy: Strategy,
    pub(crate) curves: Curves,
}

/// Strategy after strategy.
pub(crate) fn trained(stage: &StageArtifacts, found: &Transfer) -> Vec<Trained> {
    let Some(table) = stage.tables.get("curves") else { return Vec::new() };
    let all = found.strategies.iter().flat_map(|of| of.runs.iter().map(|run| (of.strategy, run.seed)));
    all.filter_map(|(strategy, seed)| Some(Trained { strategy, curves: curves(table, strategy, seed)? })).collect()
}

/// The mean of what is known.
pub(crate) fn mean<T>(of: &[T], value: impl Fn(&T) -> Option<f64>) -> Option<f64> {
    let known: Vec<f64> = of.iter().filter_map(value).filter(|v| v.is_finite()).collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}

fn curves(table: &TableView, strategy: Strategy, seed: u64) -> Option<Curves> {
    let (strategies, seeds) = (table.texts("strategy")?, table.numbers("seed")?);
    let of = |i: &usize| strategies[*i] == strategy.name() && seeds[*i] == seed as f64;
    let rows: Vec<usize> = (0..strategies.len()).filter(of).collect();
    Curves::from_columns(|column| {
        let values = table.numbers(column).unwrap_or(&[]);
        rows.iter().filter_map(|&row| values.get(row).copied()).collect()
    })
}
