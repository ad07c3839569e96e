//! Histograms of numeric columns, overall and per class over common bin edges.

use serde::{Deserialize, Serialize};

use super::breadth::ClassGroups;
use super::column::finite;
use super::input::{Checked, ColumnData, PreparedColumn};

/// Counts over `edges.len() - 1` bins of equal width; a bin holds its lower edge, the last one both, as in numpy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    pub column: String,
    /// Ascending, in the column's unit. For whole numbers they lie at halves, so that no bin splits a value.
    pub edges: Vec<f64>,
    /// All rows with a value, labelled or not.
    pub overall: Vec<u64>,
    /// `by_class[c][b]`: rows of the profile's class group `c` in bin `b`.
    pub by_class: Vec<Vec<u64>>,
}

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
