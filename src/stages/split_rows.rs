//! What a split adds to rows, checked wherever it is read: rows may come from a program of the user's.

use std::collections::HashMap;

use anyhow::{anyhow, bail};

use super::columns::{FOLD, LABEL, PART, ROW_ID, optional_integers, strings};
use runner_artifact::Table;
use runner_engine::{InputView, StageContext, listed};
use runner_ml::split::Part;

/// The rows at a port, which must have these columns of ours: a program of the user's may have left them out.
pub(super) fn rows_with<'a>(
    context: &StageContext<'a>,
    port: &str,
    names: &[&str],
) -> anyhow::Result<(InputView<'a>, Table)> {
    let input = context.input(port)?;
    let table = input.table()?;
    let missing: Vec<String> =
        names.iter().filter(|name| table.column(name).is_err()).map(|name| format!("'{name}'")).collect();
    if missing.is_empty() {
        return Ok((input, table));
    }
    let columns = if missing.len() == 1 { "column" } else { "columns" };
    let error = anyhow!(
        "the output '{}' of '{}' has no {columns} {} (a program that passes rows on keeps the columns whose names begin with 'runner.')",
        input.port(),
        input.stage(),
        listed(missing)
    );
    Err(context.placed(port, error))
}

/// Refuses rows whose added columns are not those of a split: a part of each row, the label of each row, folds of the training rows alone,
/// counted from 0. Of columns that the table has not there is nothing to say.
pub(super) fn check(table: &Table, input: &InputView) -> anyhow::Result<()> {
    let stage = input.stage();
    let has = |name: &str| table.column(name).is_ok();
    let parts = if has(PART) { Some(strings(table, PART)?) } else { None };
    if let Some(parts) = &parts {
        let is_part =
            |part: &Option<String>| part.as_deref().is_some_and(|part| Part::ALL.iter().any(|own| own.name() == part));
        refuse(
            table,
            stage,
            |i| !is_part(&parts[i]),
            |i| {
                let has =
                    parts[i].as_ref().map_or("is of no part".to_owned(), |part| format!("has the {PART} '{part}'"));
                format!(
                    "{has}, but every row is of {} (leave rows out that are not to be used)",
                    listed(Part::ALL.map(|part| format!("'{}'", part.name())))
                )
            },
        )?;
    }
    if has(LABEL) {
        let labels = strings(table, LABEL)?;
        refuse(
            table,
            stage,
            |i| labels[i].as_ref().is_none_or(|label| label.trim().is_empty()),
            |_| format!("has no {LABEL} (leave rows out whose class is not known, or name it)"),
        )?;
    }
    match &parts {
        Some(parts) if has(FOLD) => check_folds(table, stage, parts),
        _ => Ok(()),
    }
}

fn check_folds(table: &Table, stage: &str, parts: &[Option<String>]) -> anyhow::Result<()> {
    let folds = optional_integers(table, FOLD)?;
    let is_of_train = |i: usize| parts[i].as_deref() == Some(Part::Train.name());
    refuse(
        table,
        stage,
        |i| !is_of_train(i) && folds[i].is_some(),
        |i| {
            let part = parts[i].as_deref().unwrap_or_default();
            format!("of the part '{part}' has a {FOLD}, which training rows alone have (leave it missing there)")
        },
    )?;
    let mut found: Vec<i64> = folds.iter().flatten().copied().collect();
    found.sort_unstable();
    found.dedup();
    if found.is_empty() {
        return Ok(());
    }
    refuse(
        table,
        stage,
        |i| is_of_train(i) && folds[i].is_none(),
        |_| {
            format!(
                "of the part 'train' has no {FOLD}, although others have one (give each training row a fold, or none)"
            )
        },
    )?;
    if found.iter().zip(0..).any(|(fold, place)| *fold != place) {
        bail!(
            "the folds of the rows of '{stage}' are {}: write {FOLD} as numbers from 0 on, without gaps",
            listed(found.iter().map(i64::to_string))
        );
    }
    Ok(())
}

/// Refuses two rows with one number: embeddings and predictions are found by it.
pub(super) fn check_numbers(table: &Table, input: &InputView) -> anyhow::Result<()> {
    match twice(table)? {
        None => Ok(()),
        Some(what) => Err(anyhow!(
            "'{}' {what}, by which the embedding of a row is found (keep {ROW_ID} as it was read, and split tables of several `load` stages apart)",
            input.stage()
        )),
    }
}

/// Says of a table that two of its rows have one number, if they have.
pub(super) fn twice(table: &Table) -> anyhow::Result<Option<String>> {
    let mut seen = HashMap::new();
    for (row, id) in optional_integers(table, ROW_ID)?.into_iter().enumerate() {
        let Some(id) = id else { return Ok(Some(format!("has no {ROW_ID} in row {}", row + 1))) };
        if let Some(first) = seen.insert(id, row) {
            return Ok(Some(format!("has the {ROW_ID} {id} in row {} and in row {}", first + 1, row + 1)));
        }
    }
    Ok(None)
}

/// The error of the first row that is `wrong`, with what it says of it and how many more there are.
fn refuse(
    table: &Table,
    stage: &str,
    wrong: impl Fn(usize) -> bool,
    says: impl Fn(usize) -> String,
) -> anyhow::Result<()> {
    let found: Vec<usize> = (0..table.rows()).filter(|&row| wrong(row)).collect();
    let Some(&first) = found.first() else { return Ok(()) };
    let more = match found.len() - 1 {
        0 => String::new(),
        1 => "; so it is of one more row".to_owned(),
        more => format!("; so it is of {more} more rows"),
    };
    bail!("row {} of '{stage}' {}{more}", first + 1, says(first))
}
