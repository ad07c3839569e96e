//! What is known of a `where` before anything runs: the types of the columns that it reads, and the rows that it may leave.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};

use super::columns::{FOLD, FOLDS, HEADERS, PART, PARTS, SOURCE, readable};
use runner_engine::{CheckContext, Fact, listed};
use runner_tabular::{ColumnType, Filter};

/// The types of columns, as far as they are known.
const TYPES: Fact<Types> = Fact::new("types");

/// Types by column.
pub(super) type Types = BTreeMap<String, ColumnType>;

/// The types of the columns at `port`, as far as they are known; of a column of several tables, if they agree.
pub(super) fn types(context: &CheckContext, port: &str) -> Types {
    let tables = context.inputs(port).iter().map(|shape| {
        let told: Types = shape.facts.get(TYPES).cloned().unwrap_or_default();
        (told, shape.columns.as_ref())
    });
    let tables: Vec<_> = tables.collect();
    let mut types: Types = tables.iter().flat_map(|(told, _)| told.clone()).collect();
    types.retain(|column, holds| {
        tables.iter().all(|(told, columns)| match told.get(column) {
            Some(own) => own == holds,
            None => columns.is_some_and(|columns| !columns.contains(column)),
        })
    });
    types
}

/// Tells the types of columns of an output, for the checks of the stages below.
pub(super) fn tell_types(context: &mut CheckContext, port: &str, types: &Types) {
    context.tell(port, TYPES, types.clone());
}

/// Finds conditions that do not fit the type of their column.
pub(super) fn check_types(context: &mut CheckContext, filter: &Filter, type_of: impl Fn(&str) -> Option<ColumnType>) {
    for column in filter.columns() {
        if let Some(error) = type_of(column).and_then(|holds| filter.misfit(column, holds)) {
            context.problem(&["where", column], format!("where: {error}"), None);
        }
    }
}

/// Finds what is wrong with a filter of the rows at `port`, whatever the rows are.
pub(super) fn check(context: &mut CheckContext, port: &str, filter: &Filter) {
    let (types, names) = (types(context, port), meanings(context, port, filter));
    check_types(context, filter, |column| types.get(names.get(column)?).copied());
    let headers = context.fact(port, HEADERS).cloned().unwrap_or_default();
    if context.inputs(port).len() == 1 && !headers.is_empty() {
        let files: Vec<&str> = headers.iter().map(|header| header.source.as_str()).collect();
        check_files(context, &filter.only(|column| names.get(column).is_some_and(|name| name == SOURCE)), &files);
    }
    let (parts, left) = parts(context, port, filter);
    if !parts.is_empty() && left.is_empty() {
        let stage = context.inputs(port).first().map(|shape| shape.stage.clone()).unwrap_or_default();
        let help =
            format!("the rows of '{stage}' have the parts {}; rows of others than train have no fold", listed(&parts));
        context.problem(&["where"], "where: no row can be left by the conditions on `part` and `fold`", Some(help));
    }
}

/// Finds conditions on the file of a row that the rows of none of these files meet.
pub(super) fn check_files(context: &mut CheckContext, of_files: &Filter, files: &[&str]) {
    let Some(column) = of_files.columns().next().map(str::to_owned) else { return };
    let sources: ArrayRef = Arc::new(StringArray::from(files.to_vec()));
    let rows = RecordBatch::try_from_iter([(SOURCE, sources)]);
    let kept = rows.ok().and_then(|rows| of_files.rows(&rows).ok());
    if !files.is_empty() && kept.is_some_and(|kept| !kept.contains(&true)) {
        let help = format!("the names of the files are {}", listed(files));
        context.problem(
            &["where", &column],
            format!("where: no row can be left by the condition on `{column}`"),
            Some(help),
        );
    }
}

/// Says so if the filter leaves nothing of a part that the rows at `port` have; `purpose` is what it is for.
pub(super) fn require_left(context: &mut CheckContext, port: &str, filter: &Filter, part: &str, purpose: &str) {
    let (parts, left) = parts(context, port, filter);
    if !left.is_empty() && parts.iter().any(|own| own == part) && !left.iter().any(|own| own == part) {
        let message = format!("where: no row of the {part} part is left, {purpose}");
        let help = "leave `part` and `fold` out: the stage tells the parts apart by itself".to_owned();
        context.common_problem(&["where"], format!("{part} part by where of {port}"), message, Some(help));
    }
}

/// What the columns of a filter are called at `port`, where that is known.
fn meanings(context: &CheckContext, port: &str, filter: &Filter) -> BTreeMap<String, String> {
    let meaning = |column: &str| match readable(context, port, [column]).as_slice() {
        [name] => Some((column.to_owned(), name.clone())),
        _ => None,
    };
    filter.columns().filter_map(meaning).collect()
}

/// The parts that the rows at `port` have, and those of which the conditions on `part` and `fold` leave something; nothing where they are not known.
fn parts(context: &CheckContext, port: &str, filter: &Filter) -> (Vec<String>, Vec<String>) {
    let parts: Vec<String> = context.fact(port, PARTS).into_iter().flatten().map(|part| (*part).to_owned()).collect();
    let names = meanings(context, port, filter);
    let own = filter.only(|column| names.get(column).is_some_and(|name| name == PART || name == FOLD));
    if parts.is_empty() || own.is_empty() || context.inputs(port).len() > 1 {
        return (parts.clone(), parts);
    }
    let folds = context.fact(port, FOLDS).map_or(0, |folds| *folds as i64);
    let of = |part: &String| -> Vec<(String, Option<i64>)> {
        match part.as_str() {
            "train" if folds > 0 => (0..folds).map(|fold| (part.clone(), Some(fold))).collect(),
            _ => vec![(part.clone(), None)],
        }
    };
    let rows: Vec<(String, Option<i64>)> = parts.iter().flat_map(of).collect();
    let part: ArrayRef = Arc::new(StringArray::from_iter_values(rows.iter().map(|(part, _)| part)));
    let fold: ArrayRef = Arc::new(Int64Array::from_iter(rows.iter().map(|(_, fold)| *fold)));
    let table = RecordBatch::try_from_iter_with_nullable([(PART, part, true), (FOLD, fold, true)]);
    // What does not fit the types is told as that.
    let Some(kept) = table.ok().and_then(|table| own.rows(&table).ok()) else { return (parts.clone(), parts) };
    let is_left = |part: &&String| rows.iter().zip(&kept).any(|((own, _), kept)| *kept && own == *part);
    let left = parts.iter().filter(is_left).cloned().collect();
    (parts, left)
}
