//! Columns that leak the label: what a look-up of one column's values predicts, cross-validated over rows and over
//! groups.
//!
//! A look-up that works on unknown groups knows the label; one that only works on repeated rows recognises the rows.

use rayon::prelude::*;
use runner_results::profile::ColumnKind;
use runner_results::profile::audit::{ColumnScore, ReadBy, TargetLeak, TargetLeakVerdict};

use super::super::table::input::{Checked, ColumnData, PreparedColumn};
use super::super::table::key::{Key, MISSING, connected};
use super::keys::is_identifier;
use super::lookup::{LookUp, Reading};
use crate::progress::Cancelled;
use crate::rng::Stream;

/// Quantile bins through which a numeric column is read besides its exact values: a score that orders the classes tells
/// the label although no value repeats.
const BINS: usize = 32;

/// Accuracy on covered rows, and gain on all rows that lies above chance, from which a column leaks the label, and nearly does. On the public songs
/// an album nearly does (0.85 to 0.88) and an artist does not (0.77 to 0.81).
const GIVES_AWAY: (f64, f64) = (0.95, 0.4);
const NEARLY: (f64, f64) = (0.83, 0.15);

/// Least gain on covered rows: with one class at 96 % every column is right on 96 % of them.
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
    let group_folds = together.as_ref().map(|groups| {
        let of_group = fold_of(groups.distinct, folds, Stream::new(input.seed, "profile: group folds", 0));
        groups.codes.iter().map(|&group| of_group[group as usize]).collect::<Vec<u32>>()
    });
    let look_up = LookUp::new(input, row_folds, group_folds, together.as_ref());
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
    let by_presence =
        (column.key.codes.contains(&MISSING) && column.key.distinct > 1).then(|| look_up.read(&column.key.presence()));
    let better = |one: &ColumnScore, other: &ColumnScore| {
        // Of values that occur once it tells no more than that they are there.
        let reads_more = one.accuracy == other.accuracy && one.gain > 0.0 && one.coverage > other.coverage;
        one.accuracy > other.accuracy || reads_more
    };
    let (mut read_by, mut reading) = (ReadBy::Value, &by_value);
    for (by, other) in [(ReadBy::QuantileBin, &by_bin), (ReadBy::Presence, &by_presence)] {
        if let Some(other) = other.as_ref().filter(|other| better(other.honest(), reading.honest())) {
            (read_by, reading) = (by, other);
        }
    }
    // A value that half a dozen rows share names no row. Texts and whole numbers may be identifiers; measurements repeat with their row, but nobody reads
    // them one by one.
    let names_rows = by_value.distinct * ROWS_OF_A_NAME >= look_up.rows();
    let names_things = match &column.data {
        ColumnData::Numeric { values, .. } => values.iter().all(|x| !x.is_finite() || x.fract() == 0.0),
        ColumnData::Text(_) => true,
    };
    let mut verdict = judge(reading.honest());
    let recognises = || names_things && names_rows && recognises(&by_value);
    if verdict == TargetLeakVerdict::No && (is_identifier(column) || recognises()) {
        (verdict, read_by, reading) = (TargetLeakVerdict::RecognisesRows, ReadBy::Value, &by_value);
    }
    TargetLeak {
        column: column.name.into(),
        kind,
        read_by,
        distinct: reading.distinct,
        repeated: reading.repeated,
        purity: reading.purity,
        row_folds: reading.row_folds.clone(),
        group_folds: reading.group_folds.clone(),
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

fn judge(score: &ColumnScore) -> TargetLeakVerdict {
    let accuracy = score.accuracy_on_covered.unwrap_or(0.0);
    let reaches =
        |(least, gain): (f64, f64)| accuracy >= least && score.gain_low >= gain && score.gain_on_covered >= LEAST_GAIN;
    match () {
        _ if reaches(GIVES_AWAY) => TargetLeakVerdict::Leaks,
        _ if reaches(NEARLY) => TargetLeakVerdict::Nearly,
        _ => TargetLeakVerdict::No,
    }
}

/// Whether values are found again among rows, and much less among groups.
fn recognises(reading: &Reading) -> bool {
    let rows = reading.row_folds.coverage;
    reading.group_folds.as_ref().is_some_and(|groups| rows >= 0.05 && groups.coverage < 0.5 * rows)
}
