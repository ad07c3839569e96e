//! Columns that leak the label: what a look-up of one column's values predicts, cross-validated over rows and over
//! groups.
//!
//! A look-up that works on unknown groups knows the label; one that only works on repeated rows recognises the rows.

use rayon::prelude::*;
use runner_results::profile::ColumnKind;
use runner_results::profile::audit::{ReadBy, TargetLeak, TargetLeakVerdict};

use super::super::table::input::{Checked, ColumnData, PreparedColumn};
use super::super::table::key::{Key, connected};
use super::keys::is_identifier;
use super::lookup::{LookUp, Reading};
use crate::progress::Cancelled;
use crate::rng::Stream;

/// Quantile bins through which a numeric column is read besides its exact values: a score that orders the classes tells
/// the label although no value repeats.
const BINS: usize = 32;

/// Accuracy on covered rows and coverage from which a column leaks the label, and nearly does. On the public songs
/// an album nearly does (0.85 to 0.88) and an artist does not (0.77 to 0.81).
const GIVES_AWAY: (f64, f64) = (0.95, 0.5);
const NEARLY: (f64, f64) = (0.83, 0.2);

/// Least share of the errors of guessing the largest class that a verdict needs removed: with one class at 96 % every
/// column is right on 96 % of rows.
const LEAST_GAIN: f64 = 0.6;

/// Rows that a value of an identifier has at most, on average: a thing and its copies.
const ROWS_OF_A_NAME: u64 = 3;

/// `copies`: the key of whole rows, where some are copies of others. What a copy says of another one is no leak of a column's, so they stand in one fold.
pub(super) fn of_columns(input: &Checked, copies: Option<&Key>) -> Result<Vec<TargetLeak>, Cancelled> {
    let folds = input.options.folds;
    let row_folds: Vec<u32> = fold_of(input.rows, folds, Stream::new(input.seed, "profile: row folds", 0));
    let together = match copies {
        Some(copies) => Some(connected(input.connected.iter().chain([copies]), input.rows)),
        None => input.connected.clone(),
    };
    let group_folds = together.map(|groups| {
        let of_group = fold_of(groups.distinct, folds, Stream::new(input.seed, "profile: group folds", 0));
        groups.codes.iter().map(|&group| of_group[group as usize]).collect::<Vec<u32>>()
    });
    let look_up = LookUp::new(input, row_folds, group_folds);
    let of_each = input.columns.par_iter().map(|column| {
        input.go_on()?;
        Ok(of_column(&look_up, column))
    });
    of_each.collect()
}

/// A fold for each of `count` things, sizes differing by one at most.
fn fold_of(count: usize, folds: usize, mut stream: Stream) -> Vec<u32> {
    let mut fold = vec![0; count];
    for (position, thing) in stream.permutation(count).into_iter().enumerate() {
        fold[thing] = (position % folds) as u32;
    }
    fold
}

fn of_column(look_up: &LookUp, column: &PreparedColumn) -> TargetLeak {
    let by_value = look_up.read(&column.key.with_missing_as_value());
    let (kind, by_bin) = match &column.data {
        ColumnData::Numeric { values, order } if column.key.distinct > BINS => {
            (ColumnKind::Numeric, Some(look_up.read(&quantile_bins(values, order).with_missing_as_value())))
        }
        ColumnData::Numeric { .. } => (ColumnKind::Numeric, None),
        ColumnData::Text(_) => (ColumnKind::Text, None),
    };
    let (read_by, reading) = match by_bin {
        Some(by_bin) if by_bin.honest().accuracy > by_value.honest().accuracy => (ReadBy::QuantileBin, by_bin),
        _ => (ReadBy::Value, by_value),
    };
    // A value that half a dozen rows share names no row.
    let names_rows = reading.distinct * ROWS_OF_A_NAME >= look_up.rows();
    let names_things = match &column.data {
        ColumnData::Numeric { values, .. } => values.iter().all(|x| !x.is_finite() || x.fract() == 0.0),
        ColumnData::Text(_) => true,
    };
    let verdict = match judge(&reading, look_up.majority, names_things && names_rows) {
        TargetLeakVerdict::No if is_identifier(column) => TargetLeakVerdict::RecognisesRows,
        verdict => verdict,
    };
    TargetLeak {
        column: column.name.into(),
        kind,
        read_by,
        distinct: reading.distinct,
        repeated: reading.repeated,
        purity: reading.purity,
        row_folds: reading.row_folds,
        group_folds: reading.group_folds,
        verdict,
    }
}

/// Equal values share a bin, so bins may be fewer than `BINS`.
fn quantile_bins(values: &[f64], order: &[u32]) -> Key {
    let mut bins = vec![None; values.len()];
    let mut position = 0;
    for ties in order.chunk_by(|&a, &b| values[a as usize] == values[b as usize]) {
        for &row in ties {
            bins[row as usize] = Some(position * BINS / order.len());
        }
        position += ties.len();
    }
    Key::of(bins.into_iter())
}

/// `names_things`: whether values may be identifiers, as texts and whole numbers may; measurements repeat with their row,
/// but nobody reads them one by one.
fn judge(reading: &Reading, majority: f64, names_things: bool) -> TargetLeakVerdict {
    let honest = reading.honest();
    let accuracy = honest.accuracy_on_covered.unwrap_or(0.0);
    let gain = if majority < 1.0 { (accuracy - majority) / (1.0 - majority) } else { 0.0 };
    let reaches =
        |(least, coverage): (f64, f64)| accuracy >= least && honest.coverage >= coverage && gain >= LEAST_GAIN;
    if reaches(GIVES_AWAY) {
        return TargetLeakVerdict::GivesAway;
    }
    if reaches(NEARLY) {
        return TargetLeakVerdict::Nearly;
    }
    match &reading.group_folds {
        Some(groups)
            if names_things
                && reading.row_folds.coverage >= 0.05
                && groups.coverage < 0.5 * reading.row_folds.coverage =>
        {
            TargetLeakVerdict::RecognisesRows
        }
        _ => TargetLeakVerdict::No,
    }
}
