//! Copies an old network's tensors into a new one as far as they fit, rows that stand for a class or a category value by
//! its name, and tells for every tensor what was done.

use std::collections::{BTreeMap, HashMap};

use runner_results::transfer::{Action, MatchedRows, TensorChange};

use super::spec::NewRows;
use crate::network::{Blueprint, Embedding, Network, Snapshot};
use crate::preprocess::Preprocessing;
use crate::rng::Stream;
use crate::train::TrainError;

/// What the rows of a network's tensors stand for.
pub(crate) struct RowNames<'a> {
    classes: Vec<Option<&'a str>>,
    /// The values of a table of categories by its tensor's name; the first row, of what is unknown, has no name.
    tables: BTreeMap<String, Vec<Option<&'a str>>>,
}

/// Names the row of the missing value; no cell of a table holds a NUL.
const MISSING: &str = "missing\0";

/// Size of the noise on new rows, as a share of the old rows' root mean square: enough to tell several of them apart.
const NOISE: f64 = 0.01;

impl<'a> RowNames<'a> {
    pub(crate) fn new(blueprint: &Blueprint, preprocessing: &'a Preprocessing, classes: &'a [String]) -> Self {
        let tables = blueprint.branches.iter().filter(|branch| matches!(branch.embedding, Embedding::Table { .. }));
        let named = |column: &'a crate::preprocess::CategoryColumn| {
            let values = column.values.iter().map(|value| Some(value.as_str()));
            std::iter::once(None).chain(values).chain(column.missing.then_some(Some(MISSING))).collect()
        };
        RowNames {
            classes: classes.iter().map(|class| Some(class.as_str())).collect(),
            tables: tables
                .zip(&preprocessing.categories)
                .map(|(branch, column)| (format!("branches.{}.embedding.table", branch.key), named(column)))
                .collect(),
        }
    }

    fn of(&self, tensor: &str) -> Option<&[Option<&'a str>]> {
        if tensor.starts_with("head.") { Some(&self.classes) } else { self.tables.get(tensor).map(Vec::as_slice) }
    }
}

/// A tensor's shape and row-major values.
type Values = (Vec<usize>, Vec<f32>);

/// Takes over what fits from `old` into `network`, whose other values stay as they are.
pub(crate) fn transfer_weights(
    (old, old_names): (&Snapshot, &RowNames),
    network: &mut Network,
    names: &RowNames,
    new_rows: NewRows,
    seed: u64,
) -> Result<Vec<TensorChange>, TrainError> {
    let mut new = network.snapshot()?;
    let mut report = Vec::new();
    for (name, values) in &mut new {
        let found = old.get(name).filter(|(shape, _)| shape.len() == values.0.len());
        let (action, rows) = match (found, old_names.of(name), names.of(name)) {
            (None, _, _) => (Action::Reinitialised, None),
            (Some(found), Some(from), Some(to)) if name.starts_with("head.") || from != to => {
                let stream = Stream::new(seed, &format!("transfer {name}"), 0);
                let head = name.starts_with("head.");
                let (action, rows) = match_rows((found, from), (values, to), head, new_rows, stream);
                (action, Some(rows))
            }
            (Some(found), _, _) if found.0 == values.0 => {
                values.1.clone_from(&found.1);
                (Action::Copied, None)
            }
            (Some(found), _, _) => {
                copy_common((&found.0, &found.1), (&values.0, &mut values.1));
                (Action::Sliced, None)
            }
        };
        report.push(TensorChange {
            tensor: name.clone(),
            old_shape: old.get(name).map(|(shape, _)| shape.clone()),
            new_shape: Some(values.0.clone()),
            action,
            rows,
        });
    }
    for (name, (shape, _)) in old.iter().filter(|(name, _)| !new.contains_key(*name)) {
        report.push(TensorChange {
            tensor: name.clone(),
            old_shape: Some(shape.clone()),
            new_shape: None,
            action: Action::Skipped,
            rows: None,
        });
    }
    network.restore(&new).map_err(candle_core::Error::msg)?;
    Ok(report)
}

/// Copies rows of equal names; the others start as `new_rows` says.
fn match_rows(
    ((old_shape, old), old_names): (&Values, &[Option<&str>]),
    ((shape, values), names): (&mut Values, &[Option<&str>]),
    head: bool,
    new_rows: NewRows,
    mut stream: Stream,
) -> (Action, MatchedRows) {
    let (from, to) = (&old_shape[1..], &shape[1..]);
    let (old_width, width) = (from.iter().product::<usize>(), to.iter().product::<usize>());
    let place: HashMap<_, _> = old_names.iter().enumerate().map(|(i, name)| (*name, i)).collect();
    // What a new row starts as: no class more than another, or a value that is not known.
    let rows = if head { old_names.len() } else { 1 };
    let start: Vec<f64> = (0..old_width)
        .map(|j| old.iter().skip(j).step_by(old_width).take(rows).map(|x| f64::from(*x)).sum::<f64>() / rows as f64)
        .collect();
    let size = (old.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / old.len() as f64).sqrt();
    let mut added = Vec::new();
    for (name, row) in names.iter().zip(values.chunks_exact_mut(width)) {
        match (place.get(name), new_rows) {
            (Some(&at), _) => copy_common((from, &old[at * old_width..(at + 1) * old_width]), (to, row)),
            (None, NewRows::Mean) => {
                let made: Vec<f32> = start.iter().map(|x| (x + NOISE * size * stream.normal()) as f32).collect();
                copy_common((from, &made), (to, row));
                added.push(*name);
            }
            (None, NewRows::Fresh) => added.push(*name),
        }
    }
    let kept: Vec<&Option<&str>> = names.iter().filter(|name| place.contains_key(*name)).collect();
    let dropped: Vec<&Option<&str>> = old_names.iter().filter(|name| !names.contains(name)).collect();
    let shown = |name: &str| if name == MISSING { "(missing)".to_owned() } else { name.to_owned() };
    let named = |names: &[&Option<&str>]| names.iter().filter_map(|name| name.map(shown)).collect();
    let rows = match head {
        true => MatchedRows::Classes {
            kept: named(&kept),
            added: named(&added.iter().collect::<Vec<_>>()),
            dropped: named(&dropped),
            start: new_rows,
        },
        false => MatchedRows::Values { kept: kept.len() - 1, added: added.len(), start: new_rows },
    };
    let action = match (from == to, head) {
        (false, _) => Action::Sliced,
        (true, true) => Action::RowsMatchedByClass,
        (true, false) => Action::RowsMatchedByValue,
    };
    (action, rows)
}

/// Copies the block of the least indices that both tensors, of equally many dimensions, have.
fn copy_common((from_shape, from): (&[usize], &[f32]), (to_shape, to): (&[usize], &mut [f32])) {
    let (Some((&from_rows, from_rest)), Some((&to_rows, to_rest))) = (from_shape.split_first(), to_shape.split_first())
    else {
        return to.copy_from_slice(from);
    };
    let (from_width, to_width) = (from_rest.iter().product::<usize>(), to_rest.iter().product::<usize>());
    if from_rest == to_rest {
        let common = from_width * from_rows.min(to_rows);
        return to[..common].copy_from_slice(&from[..common]);
    }
    for row in 0..from_rows.min(to_rows) {
        let from = &from[row * from_width..(row + 1) * from_width];
        copy_common((from_rest, from), (to_rest, &mut to[row * to_width..(row + 1) * to_width]));
    }
}
