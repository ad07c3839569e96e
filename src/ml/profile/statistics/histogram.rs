//! Histograms of numeric columns, overall and per class over common bin edges.

use runner_results::profile::Histogram;

use super::super::table::input::{Checked, ColumnData, PreparedColumn};
use super::breadth::ClassGroups;
use super::column::finite;

/// `None` for texts, columns without values, and a range that overflows.
pub(super) fn of_column(input: &Checked, column: &PreparedColumn, classes: &ClassGroups) -> Option<Histogram> {
    let ColumnData::Numeric { values, order } = &column.data else {
        return None;
    };
    let value_at = |position: &u32| values[*position as usize];
    let edges = edges(order.iter().map(value_at), input.options.histogram_bins)?;
    let bins = edges.len() - 1;
    let mut histogram = Histogram {
        column: column.name.into(),
        overall: vec![0; bins],
        by_class: vec![vec![0; bins]; classes.names.len()],
        edges,
    };
    let mut bin = 0;
    for &row in order {
        while bin + 1 < bins && values[row as usize] >= histogram.edges[bin + 1] {
            bin += 1;
        }
        histogram.overall[bin] += 1;
        if let Some(group) = classes.of(input.label[row as usize]) {
            histogram.by_class[group][bin] += 1;
        }
    }
    Some(histogram)
}

fn edges(sorted: impl DoubleEndedIterator<Item = f64> + Clone, bins: usize) -> Option<Vec<f64>> {
    let (low, high) = (sorted.clone().next()?, sorted.clone().next_back()?);
    finite(high - low)?;
    let whole = low.abs().max(high.abs()) < 1e15 && sorted.clone().all(|x| x == x.trunc());
    if whole {
        let span = high - low + 1.0;
        let width = (span / bins as f64).ceil();
        let count = (span / width).ceil() as usize;
        return Some((0..=count).map(|i| low - 0.5 + width * i as f64).collect());
    }
    if low == high {
        return Some(vec![low - 0.5, high + 0.5]);
    }
    let width = (high - low) / bins as f64;
    let mut edges: Vec<f64> = (0..=bins).map(|i| low + width * i as f64).collect();
    edges[bins] = high;
    Some(edges)
}
