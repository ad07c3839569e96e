//! Summary of one column, overall and per class: counts, moments, quantiles, outliers; for texts frequent values and lengths.

use runner_results::profile::{
    ClassColumn, ClassGroup, ColumnKind, ColumnProfile, NumericSummary, Quantiles, TextSummary, ValueCount,
};

use super::super::table::input::{Checked, ColumnData, PreparedColumn};
use super::super::table::key::{Key, MISSING};
use super::super::table::short::short;
use super::breadth::ClassGroups;
use crate::preprocess::unit;
use crate::stats::quantile;

/// Longest text value that a profile repeats, in characters.
const LONGEST_VALUE: usize = 120;

/// `classes`: what the column is described by, if it is.
pub(super) fn summarise(input: &Checked, column: &PreparedColumn, classes: Option<&ClassGroups>) -> ColumnProfile {
    let (overall, by_class, kind, infinite) = match &column.data {
        ColumnData::Numeric { values, order } => {
            let infinite = values.iter().filter(|x| x.is_infinite()).count();
            let (overall, by_class) = numeric(input, column, values, order, classes);
            (overall, by_class, ColumnKind::Numeric, infinite)
        }
        ColumnData::Text(values) => {
            let (overall, by_class) = text(input, column, values, classes);
            (overall, by_class, ColumnKind::Text, 0)
        }
    };
    ColumnProfile {
        name: column.name.into(),
        kind,
        count: overall.count,
        missing: overall.missing,
        infinite: infinite as u64,
        distinct: overall.distinct,
        numeric: overall.numeric,
        text: overall.text,
        by_class,
    }
}

/// Where a summary is not of one class: its place is not read.
fn all_rows() -> ClassGroup {
    ClassGroup::Class(String::new())
}

fn numeric(
    input: &Checked,
    column: &PreparedColumn,
    values: &[f64],
    order: &[u32],
    classes: Option<&ClassGroups>,
) -> (ClassColumn, Vec<ClassColumn>) {
    // `+ 0.0` turns −0 into 0.
    let sorted: Vec<f64> = order.iter().map(|&i| values[i as usize] + 0.0).collect();
    let entry = |class: &ClassGroup, sorted: &[f64], rows: usize, distinct: usize| ClassColumn {
        class: class.clone(),
        count: sorted.len() as u64,
        missing: (rows - sorted.len()) as u64,
        distinct: distinct as u64,
        numeric: numeric_summary(sorted),
        text: None,
    };
    let overall = entry(&all_rows(), &sorted, input.rows, column.key.distinct);
    let Some(classes) = classes else { return (overall, Vec::new()) };
    // Walking the sorted rows leaves every class sorted as well.
    let mut sorted_by_class: Vec<Vec<f64>> = vec![Vec::new(); classes.names.len()];
    for &row in order {
        if let Some(group) = classes.of(input.label[row as usize]) {
            sorted_by_class[group].push(values[row as usize] + 0.0);
        }
    }
    let class_rows = rows_by_class(input, classes);
    let by_class = classes.names.iter().enumerate().map(|(c, class)| {
        let sorted = &sorted_by_class[c];
        let steps = sorted.windows(2).filter(|pair| pair[0] != pair[1]).count();
        entry(class, sorted, class_rows[c].len(), if sorted.is_empty() { 0 } else { steps + 1 })
    });
    let by_class = by_class.collect();
    (overall, by_class)
}

fn text(
    input: &Checked,
    column: &PreparedColumn,
    values: &[Option<String>],
    classes: Option<&ClassGroups>,
) -> (ClassColumn, Vec<ClassColumn>) {
    let all: Vec<u32> = (0..input.rows as u32).collect();
    let mut scratch = vec![0u64; column.key.distinct];
    let mut entry = |class: &ClassGroup, rows: &[u32]| {
        let (count, distinct, summary) =
            text_summary(rows, values, &column.key, &mut scratch, input.options.top_values);
        ClassColumn {
            class: class.clone(),
            count,
            missing: rows.len() as u64 - count,
            distinct,
            numeric: None,
            text: summary,
        }
    };
    let overall = entry(&all_rows(), &all);
    let Some(classes) = classes else { return (overall, Vec::new()) };
    let by_class = classes.names.iter().zip(rows_by_class(input, classes)).map(|(class, rows)| entry(class, &rows));
    let by_class = by_class.collect();
    (overall, by_class)
}

fn rows_by_class(input: &Checked, classes: &ClassGroups) -> Vec<Vec<u32>> {
    let mut rows = vec![Vec::new(); classes.names.len()];
    for (row, label) in input.label.iter().enumerate() {
        if let Some(group) = classes.of(*label) {
            rows[group].push(row as u32);
        }
    }
    rows
}

fn numeric_summary(sorted: &[f64]) -> Option<NumericSummary> {
    let (&minimum, &maximum) = (sorted.first()?, sorted.last()?);
    let (mean, deviation) = mean_and_deviation(sorted);
    let quantiles = quantiles_of(sorted);
    let reach = 1.5 * (quantiles.p75 - quantiles.p25);
    let (lower, upper) = (quantiles.p25 - reach, quantiles.p75 + reach);
    Some(NumericSummary {
        mean,
        standard_deviation: deviation,
        minimum,
        maximum,
        lower_fence: finite(lower),
        upper_fence: finite(upper),
        outliers_low: sorted.partition_point(|&x| x < lower) as u64,
        outliers_high: (sorted.len() - sorted.partition_point(|&x| x <= upper)) as u64,
        quantiles,
    })
}

/// `counts` has one zero per code and is left so. Returns rows with a value, distinct values, and the summary.
fn text_summary(
    rows: &[u32],
    values: &[Option<String>],
    key: &Key,
    counts: &mut [u64],
    top: usize,
) -> (u64, u64, Option<TextSummary>) {
    // (code, a row that has it), in order of first occurrence.
    let mut seen: Vec<(u32, u32)> = Vec::new();
    let mut lengths = Vec::with_capacity(rows.len());
    for &row in rows {
        let code = key.codes[row as usize];
        if code == MISSING {
            continue;
        }
        counts[code as usize] += 1;
        if counts[code as usize] == 1 {
            seen.push((code, row));
        }
        lengths.push(values[row as usize].as_deref().map_or(0, |text| text.chars().count()) as f64);
    }
    let distinct = seen.len() as u64;
    let unique = seen.iter().filter(|(code, _)| counts[*code as usize] == 1).count() as u64;
    let mut frequent: Vec<(u64, u32)> = seen.iter().map(|&(code, row)| (counts[code as usize], row)).collect();
    for (code, _) in &seen {
        counts[*code as usize] = 0;
    }
    frequent.sort_by_key(|&(count, _)| std::cmp::Reverse(count));
    let most_frequent = frequent.iter().take(top).map(|&(count, row)| ValueCount {
        value: short(values[row as usize].as_deref().unwrap_or_default(), LONGEST_VALUE),
        rows: count,
    });
    lengths.sort_unstable_by(f64::total_cmp);
    let summary = match (lengths.first(), lengths.last()) {
        (Some(&minimum_length), Some(&maximum_length)) => Some(TextSummary {
            most_frequent: most_frequent.collect(),
            unique,
            mean_length: mean_and_deviation(&lengths).0,
            minimum_length,
            maximum_length,
            length_quantiles: quantiles_of(&lengths),
        }),
        _ => None,
    };
    (lengths.len() as u64, distinct, summary)
}

/// `sorted` is ascending, finite and not empty.
fn quantiles_of(sorted: &[f64]) -> Quantiles {
    let at = |level: f64| quantile(sorted, level);
    Quantiles { p01: at(0.01), p05: at(0.05), p25: at(0.25), p50: at(0.5), p75: at(0.75), p95: at(0.95), p99: at(0.99) }
}

/// Welford's running mean and sample deviation (Welford 1962): the mean never overflows.
pub(super) fn mean_and_deviation(values: &[f64]) -> (f64, Option<f64>) {
    let (low, high) =
        values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| (low.min(value), high.max(value)));
    let unit = unit(high - low);
    let (mut mean, mut squares) = (0.0f64, 0.0f64);
    for (i, &value) in values.iter().enumerate() {
        let count = (i + 1) as f64;
        let step = value / count - mean / count;
        squares += (value - mean) / unit * ((value - mean - step) / unit);
        mean += step;
    }
    let deviation = if values.len() < 2 { None } else { finite(unit * (squares / (values.len() - 1) as f64).sqrt()) };
    (mean, deviation)
}

/// JSON has no infinities or NaN: what is not finite is absent.
pub(super) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}
