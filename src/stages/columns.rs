//! The columns of tables by their roles: what those that stages add are called, which one a name of the user's means, and their values.
//!
//! Every table of rows has the user's columns under their own names and added ones under `runner.…` (`tabular::names`), so that neither is ever taken for
//! the other.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use anyhow::{anyhow, bail};
use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};

use runner_artifact::Table;
use runner_engine::{CheckContext, Fact, InputView, StageContext};
pub(super) use runner_tabular::names::{LINE, RECORD, ROW_ID, SOURCE, added};
use runner_tabular::names::{added_as, meant};
use runner_tabular::{self as tabular, Filter, Numerals, Strays, is_exact};

/// The label's text, as `split` gives it; its field metadata names the original column.
pub(super) const LABEL: &str = "runner.label";
/// `train`, `valid` or `test`, as `split` gives it.
pub(super) const PART: &str = "runner.part";
/// The fold of a training row.
pub(super) const FOLD: &str = "runner.fold";
/// A number that rows share that must stay together, as `split` gives it where it has `groups`.
pub(super) const GROUP: &str = "runner.group";
/// The class that is predicted, which need not be the likeliest one (see `Calibration`).
pub(super) const PREDICTED: &str = "runner.predicted";
/// Its probability.
pub(super) const CONFIDENCE: &str = "runner.confidence";
/// The probability of the row's own label.
pub(super) const LABEL_PROBABILITY: &str = "runner.p_label";
/// Which of several models predicted.
pub(super) const MODEL: &str = "runner.model";
/// Places in a plane.
pub(super) const X: &str = "runner.x";
pub(super) const Y: &str = "runner.y";
/// Field metadata: the original name of the label column.
pub(super) const LABEL_NAME: &str = "label_name";
/// The same at plan time.
pub(super) const LABEL_COLUMN: Fact<String> = Fact::new(LABEL_NAME);

/// The parts that split rows have, e.g. `train` and `test`.
pub(super) const PARTS: Fact<Vec<&'static str>> = Fact::new("parts");
/// The number of folds of the training part.
pub(super) const FOLDS: Fact<usize> = Fact::new("folds");
/// What a table holds that is neither rows of the data nor embeddings of them, e.g. `predictions`.
pub(super) const NOT_ROWS: Fact<&'static str> = Fact::new("not_rows");
/// Of what a model said of rows that were split, which `ensemble` averages.
pub(super) const PREDICTIONS: &str = "predictions";
/// The character between the fields of the files behind rows.
pub(super) const DELIMITER: Fact<char> = Fact::new("delimiter");
/// The files behind a port.
pub(super) const HEADERS: Fact<Vec<FileHeader>> = Fact::new("headers");
/// The parameter that chooses rows.
pub(super) const WHERE: &str = "where";

/// A file behind a port.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct FileHeader {
    /// The port of the `load` stage that has its rows.
    pub(super) port: String,
    /// What `runner.source` calls it.
    pub(super) source: String,
    pub(super) columns: Vec<String>,
}

/// The column of a class' probability.
pub(super) fn probability_of(class: &str) -> String {
    added(&format!("p_{class}"))
}

/// The column of a class' score, where a model gives no probabilities.
pub(super) fn score_of(class: &str) -> String {
    added(&format!("score_{class}"))
}

/// The class that a column holds the probability of.
pub(super) fn class_of(column: &str) -> Option<&str> {
    added_as(column)?.strip_prefix("p_")
}

/// The column that holds the embedding of a text column.
pub(super) fn embedding_of(text: &str) -> String {
    added(&format!("{text}_embedding"))
}

/// The text column that a column holds the embedding of.
pub(super) fn embedded_by(embedding: &str) -> Option<&str> {
    added_as(embedding)?.strip_suffix("_embedding")
}

/// Whether a column is the user's, not one that a stage added.
pub(super) fn is_own(column: &str) -> bool {
    added_as(column).is_none()
}

/// The name of an added column as people are shown it, `label` for `runner.label`.
pub(super) fn shown_as(column: &str) -> &str {
    added_as(column).unwrap_or(column)
}

/// The names of a table's columns as people and their programs are shown them: added ones without `runner.`, unless the table has a column of the user's of
/// that name. So a shown name means the column that `named` finds by it.
pub fn shown_names(columns: &[String]) -> Vec<String> {
    let shown = |column: &String| match added_as(column) {
        Some(short) if !columns.iter().any(|other| other == short) => short.to_owned(),
        _ => column.clone(),
    };
    columns.iter().map(shown).collect()
}

/// The column of the table that a user means by `name`.
pub(super) fn named(table: &Table, name: &str) -> String {
    meant(name, |name| table.column(name).is_ok()).unwrap_or_else(|| name.to_owned())
}

/// What is to be read of the input `port` for these names of the user's; both candidates where the columns are not known yet.
pub(super) fn readable<'n>(
    context: &CheckContext,
    port: &str,
    names: impl IntoIterator<Item = &'n str>,
) -> Vec<String> {
    let present: Option<HashSet<String>> = context.columns(port).map(|present| present.into_iter().collect());
    let of = |name: &str| match &present {
        Some(present) => vec![meant(name, |name| present.contains(name)).unwrap_or(name.to_owned())],
        None => vec![name.to_owned(), added(name)],
    };
    names.into_iter().flat_map(of).collect()
}

/// [`readable`] for the columns of a filter.
pub(super) fn readable_of(context: &CheckContext, port: &str, filter: &Filter) -> Vec<String> {
    readable(context, port, filter.columns())
}

/// Where the rows of a table stand in the user's files.
pub(super) trait RowPlaces {
    /// `songs.csv:7: ` for the row of this number; as much of it as is known, for a message.
    fn of(&self, row_id: i64) -> String;
}

/// Those of the rows at an input of a stage.
pub(super) struct Origin<'a> {
    pub(crate) context: &'a StageContext<'a>,
    pub(crate) port: &'static str,
}

impl RowPlaces for Origin<'_> {
    fn of(&self, row_id: i64) -> String {
        self.find(row_id).unwrap_or_else(|_| format!("row {row_id}: "))
    }
}

impl Origin<'_> {
    fn find(&self, row_id: i64) -> anyhow::Result<String> {
        let input: InputView = self.context.input(self.port)?;
        let table = input.for_message(&[ROW_ID, SOURCE, LINE])?;
        let row = integers(&table, ROW_ID)?.into_iter().position(|id| id == row_id);
        let row = row.ok_or_else(|| anyhow!("no row {row_id}"))?;
        let source = strings(&table, SOURCE)?.swap_remove(row).unwrap_or_default();
        Ok(format!("{}:{}: ", self.file(&source), integers(&table, LINE)?[row]))
    }

    /// The file that a `load` stage above calls `source`; that name where it is not known.
    pub(crate) fn file(&self, source: &str) -> String {
        let path: Option<PathBuf> = self.context.source_above(self.port, &format!("files.{source}"));
        path.map_or(source.to_owned(), |path| path.display().to_string())
    }
}

/// Why a column does not serve as numbers.
pub(super) struct NoNumber {
    pub(crate) row: usize,
    pub(crate) value: String,
    /// Further values that are no numbers.
    pub(crate) others: usize,
    /// All of them beside the numbers; in a box, so that results stay small.
    strays: Box<Strays>,
}

impl NoNumber {
    /// `songs.csv:7: column 'tempo': 'fast' is not a number, like 3 more of its values`.
    pub(crate) fn message(&self, table: &Table, column: &str, places: &dyn RowPlaces) -> String {
        let at = integers(table, ROW_ID).map(|ids| places.of(ids[self.row])).unwrap_or_default();
        let others = match self.others {
            0 => String::new(),
            1 => ", nor is one more of its values".to_owned(),
            others => format!(", nor are {others} more of its values"),
        };
        let hint = self.strays.hint(column).map(|hint| format!("; {hint} in the `load` stage")).unwrap_or_default();
        format!("{at}column '{column}': '{}' is not a number{others}{hint}", self.value)
    }
}

/// A column as numbers; missing values become NaN, and a text that reads as a number is one.
pub(super) fn numbers(table: &Table, name: &str) -> anyhow::Result<Result<Vec<f64>, NoNumber>> {
    let array = table.column(name)?;
    if let Some(texts) = array.as_string_opt::<i32>() {
        let numerals = table.schema().field_with_name(name).map(Numerals::of_field).unwrap_or_default();
        let found = parsed(texts.iter(), numerals);
        if let Ok(values) = &found
            && let Some((one, other)) = merged(texts.iter(), values)
        {
            return Err(would_be_one(name, one, other));
        }
        return Ok(found);
    }
    if !matches!(array.data_type(), DataType::Int64 | DataType::Float64 | DataType::Float32 | DataType::Boolean) {
        bail!("column '{name}' holds {}, not numbers (leave it out of `numeric`)", array.data_type());
    }
    if let Some(integers) = array.as_primitive_opt::<Int64Type>()
        && let Some((one, other)) = same_float(integers.iter().flatten())
    {
        return Err(would_be_one(name, &one.to_string(), &other.to_string()));
    }
    let array = cast(array, &DataType::Float64)?;
    let array = array.as_primitive::<Float64Type>();
    Ok(Ok(array.iter().map(|value| value.unwrap_or(f64::NAN)).collect()))
}

fn would_be_one(name: &str, one: &str, other: &str) -> anyhow::Error {
    anyhow!(
        "column '{name}': '{one}' and '{other}' have more digits than a number holds, and would be one: leave it out of `numeric`, or list it under `categories`"
    )
}

/// The first whole number of a column that no float is equal to.
pub(super) fn inexact(table: &Table, name: &str) -> anyhow::Result<Option<i64>> {
    let Some(integers) = table.column(name)?.as_primitive_opt::<Int64Type>() else { return Ok(None) };
    Ok(integers.iter().flatten().find(|&integer| !is_exact(integer)))
}

/// Two integers that are the same float.
fn same_float(integers: impl Iterator<Item = i64>) -> Option<(i64, i64)> {
    let mut seen: HashMap<u64, i64> = HashMap::new();
    for integer in integers.filter(|integer| integer.unsigned_abs() >= 1 << f64::MANTISSA_DIGITS) {
        let first = *seen.entry((integer as f64).to_bits()).or_insert(integer);
        if first != integer {
            return Some((first, integer));
        }
    }
    None
}

/// Two whole numbers, written with different digits, that have the same value as floats.
fn merged<'t>(texts: impl Iterator<Item = Option<&'t str>>, values: &[f64]) -> Option<(&'t str, &'t str)> {
    /// From here on not every whole number is a float.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let mut seen: HashMap<u64, &str> = HashMap::new();
    for (text, value) in texts.zip(values).filter(|(_, value)| value.abs() >= EXACT) {
        let Some(text) = text else { continue };
        let digits = text.trim().trim_start_matches('+').trim_start_matches('0');
        if digits.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit()) {
            let first = *seen.entry(value.to_bits()).or_insert(digits);
            if first != digits {
                return Some((first, digits));
            }
        }
    }
    None
}

fn parsed<'t>(texts: impl Iterator<Item = Option<&'t str>>, numerals: Numerals) -> Result<Vec<f64>, NoNumber> {
    let mut values = Vec::new();
    let mut found: Option<(usize, String)> = None;
    let (mut others, mut strays) = (0, Strays::default());
    for (row, text) in texts.enumerate() {
        let value = text.map_or(Some(f64::NAN), |text| numerals.number(text));
        values.push(value.unwrap_or(f64::NAN));
        match (value, text) {
            (Some(number), _) if number.is_nan() => {}
            (Some(_), _) => strays.add_number(),
            (None, text) => {
                let text = text.unwrap_or_default();
                strays.add_word(text);
                others += usize::from(found.is_some());
                found.get_or_insert_with(|| (row, text.chars().take(SHOWN).collect()));
            }
        }
    }
    match found {
        Some((row, value)) => Err(NoNumber { row, value, others, strays: Box::new(strays) }),
        None => Ok(values),
    }
}

/// Characters of a value that a message shows.
const SHOWN: usize = 40;

pub(super) fn integers(table: &Table, name: &str) -> anyhow::Result<Vec<i64>> {
    let values: Option<Vec<i64>> = optional_integers(table, name)?.into_iter().collect();
    values.ok_or_else(|| anyhow!("column '{name}' has missing values"))
}

pub(super) fn optional_integers(table: &Table, name: &str) -> anyhow::Result<Vec<Option<i64>>> {
    let array = table.column(name)?;
    let array = array.as_primitive_opt::<Int64Type>();
    Ok(array.ok_or_else(|| anyhow!("column '{name}' does not hold integers"))?.iter().collect())
}

/// Texts of a column; numbers are written out, whole ones without a fraction, so that an id that looks like a number serves as a text, and the same one
/// where another row makes a column of fractions of it.
pub(super) fn strings(table: &Table, name: &str) -> anyhow::Result<Vec<Option<String>>> {
    Ok(texts(table, name)?.iter().map(|text| text.map(str::to_owned)).collect())
}

/// The same as an array, where it was read if it has texts.
pub(super) fn texts(table: &Table, name: &str) -> anyhow::Result<StringArray> {
    let array = table.column(name)?;
    if array.data_type().is_floating() {
        let numbers = cast(array, &DataType::Float64)?;
        let numbers = numbers.as_primitive::<Float64Type>();
        return Ok(numbers.iter().map(|number| number.map(tabular::spelled)).collect());
    }
    let array: ArrayRef = cast(array, &DataType::Utf8)?;
    Ok(array.as_string::<i32>().clone())
}
