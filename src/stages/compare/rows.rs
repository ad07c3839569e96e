//! The texts of rows, so that a person sees which songs flipped.

use std::collections::HashMap;

use arrow::datatypes::DataType;

use crate::columns::{ROW_ID, integers, is_own, strings};
use runner_artifact::{Store, Table};
use runner_engine::ActionRecord;

/// More columns do not fit into a line.
const SHOWN: usize = 3;

/// Named columns with a text for each row.
pub type Texts = Vec<(String, Vec<String>)>;

/// Text columns of the rows with these ids: the texts that `learner` reads first, then others. From the first of the records' tables that has all
/// rows; `None` if none has.
pub fn texts_of(
    store: &Store,
    records: &[&ActionRecord],
    learner: &ActionRecord,
    ids: &[i64],
) -> anyhow::Result<Option<Texts>> {
    let learnt: Vec<&str> = (learner.manifest.parameters())
        .filter(|(path, _)| path.starts_with("text."))
        .map(|(_, value)| value.trim_matches('"'))
        .collect();
    // Split rows hold what was learnt from, loaded ones also the rest.
    let sources = ["split", "load"].iter().flat_map(|kind| records.iter().filter(move |record| record.kind == *kind));
    let has_ids = |table: &runner_engine::TableRecord| table.columns.iter().any(|(name, _)| name == ROW_ID);
    let outputs = sources.flat_map(|record| &record.outputs);
    for output in outputs.filter(|output| output.table.as_ref().is_some_and(has_ids)) {
        let table = output.reader(store)?.read()?;
        let place: HashMap<i64, usize> =
            integers(&table, ROW_ID)?.into_iter().enumerate().map(|(row, id)| (id, row)).collect();
        let Some(rows) = ids.iter().map(|id| place.get(id).copied()).collect::<Option<Vec<usize>>>() else { continue };
        let mut texts = Vec::new();
        for name in text_columns(&table, &learnt) {
            let values = strings(&table, &name)?;
            texts.push((name, rows.iter().map(|&row| values[row].clone().unwrap_or_default()).collect()));
        }
        return Ok(Some(texts));
    }
    Ok(None)
}

fn text_columns(table: &Table, learnt: &[&str]) -> Vec<String> {
    let schema = table.schema();
    let fields = schema.fields().iter().filter(|field| *field.data_type() == DataType::Utf8);
    let mut names: Vec<String> = (fields.map(|field| field.name().clone()))
        // Ids say nothing to a person.
        .filter(|name| is_own(name) && name != "id" && !name.ends_with("_id"))
        .collect();
    names.sort_by_key(|name| !learnt.contains(&name.as_str()));
    names.truncate(SHOWN);
    names
}
