//! Learning curves as lines of little bars: training and validation of a score on one scale, so that a gap between them is seen.

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};

use super::super::screen::{self, Style};
use crate::artifact::Table;
use crate::report::noun;
use crate::results::training::Fitted;
use crate::results::training::Training;

/// What is drawn together: its name, and columns with the names of their lines.
const GROUPS: [(&str, [(&str, &str); 2]); 5] = [
    ("loss", [("train_loss", "train"), ("valid_loss", "validation")]),
    ("accuracy", [("train_accuracy", "train"), ("valid_accuracy", "validation")]),
    ("macro-F1", [("train_macro_f1", "train"), ("valid_macro_f1", "validation")]),
    ("learning rate", [("learning_rate", ""), ("", "")]),
    ("gradient norm", [("gradient_norm", ""), ("", "")]),
];

/// The widest line; epochs beyond it are thinned out.
const WIDEST: usize = 48;

/// What stands beside a line.
const BESIDE: usize = 58;

/// Of the curves of several seeds or strategies the first of each strategy; of these only what they are compared by.
pub(super) fn curves(table: &Table, training: Option<&Training>, style: Style, width: usize) -> anyhow::Result<String> {
    let names = table.column_names();
    let Some(epoch) = table_column(table, "epoch")? else { return Ok(String::new()) };
    let place = names.iter().position(|name| name == "epoch").unwrap_or(0);
    let wide = width.saturating_sub(BESIDE).clamp(8, WIDEST);
    // A curve begins where the epochs begin anew.
    let starts: Vec<usize> = (0..epoch.len()).filter(|&i| i == 0 || epoch[i] <= epoch[i - 1]).collect();
    let Some(end) = starts.get(1).copied().or(Some(epoch.len())).filter(|end| *end > 0) else {
        return Ok(String::new());
    };
    if names[..place].iter().any(|name| name == "strategy") {
        return strategies(table, &starts, epoch.len(), wide, style);
    }
    // The curves of several networks are of seeds that keep an epoch each.
    let kept = training.and_then(|training| match training.fitted {
        Fitted::One { best_epoch, .. } => Some(best_epoch),
        Fitted::Several { .. } => None,
    });
    let at = kept.and_then(|kept| epoch[..end].iter().position(|epoch| *epoch == kept as f64));
    let of = if starts.len() > 1 { format!(", the first of {} networks", starts.len()) } else { String::new() };
    let mut heads =
        vec![style.bold("Curves"), String::new(), style.dim("first"), style.dim("epoch by epoch"), style.dim("last")];
    if let Some(kept) = kept.filter(|_| at.is_some()) {
        heads.push(style.dim(&format!("at {kept}, kept")));
    }
    let mut rows = vec![heads];
    for (group, lines) in GROUPS {
        let mut drawn = Vec::new();
        for (column, name) in lines {
            let values = table_column(table, column)?.map(|values| values[..end].to_vec());
            drawn.extend(
                values.filter(|values| values.iter().any(|value| value.is_finite())).map(|values| (name, values)),
            );
        }
        let all = drawn.iter().flat_map(|(_, values)| values).copied().filter(|value| value.is_finite());
        let range =
            all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        for (i, (name, values)) in drawn.iter().enumerate() {
            let line = screen::sparkline_within(values, wide, range);
            let number = |value: Option<&f64>| value.copied().map(screen::compact).unwrap_or_default();
            let mut row = vec![
                if i == 0 { group.to_owned() } else { String::new() },
                (*name).to_owned(),
                number(values.first()),
                if *name == "train" { style.dim(&line) } else { style.accent(&line) },
                number(values.last()),
            ];
            row.extend(at.map(|at| number(values.get(at))));
            rows.push(row);
        }
    }
    if rows.len() == 1 {
        return Ok(String::new());
    }
    let epochs = epoch[end - 1];
    Ok(format!(
        "{}{}",
        screen::table(&rows),
        style.note(&format!("{epochs} {}{of}; train and validation on one scale", noun(epochs as u64, "epoch")))
    ))
}

/// The validation score of the first seed of each strategy, all on one scale.
fn strategies(table: &Table, starts: &[usize], rows: usize, wide: usize, style: Style) -> anyhow::Result<String> {
    let (Some(scores), Some(names)) = (table_column(table, "valid_macro_f1")?, texts(table, "strategy")?) else {
        return Ok(String::new());
    };
    let mut drawn: Vec<(&String, &[f64])> = Vec::new();
    for (i, &start) in starts.iter().enumerate() {
        let end = starts.get(i + 1).copied().unwrap_or(rows);
        if drawn.last().is_none_or(|(name, _)| **name != names[start]) {
            drawn.push((&names[start], &scores[start..end]));
        }
    }
    let all = drawn.iter().flat_map(|(_, values)| values.iter()).copied().filter(|value| value.is_finite());
    let range = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let mut lines =
        vec![vec![style.bold("Curves"), style.dim("first"), style.dim("epoch by epoch"), style.dim("last")]];
    for (name, values) in &drawn {
        let number = |value: Option<&f64>| value.copied().map(screen::compact).unwrap_or_default();
        let line = style.accent(&screen::sparkline_within(values, wide, range));
        lines.push(vec![(*name).clone(), number(values.first()), line, number(values.last())]);
    }
    let words = "validation macro-F1 of the first seed of each, all on one scale";
    Ok(format!("{}{}", screen::table(&lines), style.note(words)))
}

/// A column as numbers, NaN where there is none.
fn table_column(table: &Table, name: &str) -> anyhow::Result<Option<Vec<f64>>> {
    let Some(column) = table.batch().column_by_name(name).filter(|column| column.data_type().is_numeric()) else {
        return Ok(None);
    };
    let numbers = cast(column, &DataType::Float64)?;
    let numbers = numbers.as_primitive::<Float64Type>();
    Ok(Some(numbers.iter().map(|value| value.unwrap_or(f64::NAN)).collect()))
}

fn texts(table: &Table, name: &str) -> anyhow::Result<Option<Vec<String>>> {
    let Some(column) = table.batch().column_by_name(name) else { return Ok(None) };
    let texts = cast(column, &DataType::Utf8)?;
    Ok(Some(texts.as_string::<i32>().iter().map(|text| text.unwrap_or_default().to_owned()).collect()))
}
