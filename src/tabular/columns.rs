//! The table's columns from their text: types, labels, derived columns, and what to say of values that do not survive.

use std::collections::HashMap;

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::{DataType, Float64Type};
use indexmap::IndexMap;

use super::absent::Absent;
use super::column_type::ColumnType;
use super::derivation::Derivation;
use super::derive::{Derived, Source};
use super::error::{Cancelled, CsvError, Problem, Problems, go_on};
use super::names::ROW_COLUMNS;
use super::options::LoadOptions;
use super::spelling;
use super::types::RawColumn;
use super::words::{Place, examples, list, quoted, row_count, yaml};

/// Field metadata of a column with numbers beyond those of 32 bits, in which models compute: JSON, from the `row_id` of
/// the first such rows to their places, e.g. `{"60": "data/x.csv:62"}`.
pub const BEYOND_F32: &str = "beyond_f32";

/// Places that [`BEYOND_F32`] holds.
const PLACES: usize = 5;

/// The read columns with their types, and what to say of them.
#[derive(Default)]
pub(super) struct Typed {
    pub(crate) columns: Vec<(String, ArrayRef)>,
    /// Labels that are missing.
    pub(crate) label: Option<Absent>,
    /// Words of the other text columns that stand for a missing value.
    pub(crate) texts: Vec<Absent>,
    /// By column, what [`BEYOND_F32`] holds.
    pub(crate) beyond: HashMap<String, String>,
}

pub(super) fn typed<'a, 'c>(
    columns: impl Iterator<Item = (&'c String, StringArray)>,
    options: &LoadOptions,
    place: &Place<'a>,
    notes: &mut Vec<String>,
    cancelled: Cancelled,
) -> Result<Typed, Vec<CsvError>> {
    let mut problems: Vec<(&str, Problems)> = Vec::new();
    let mut typed = Typed::default();
    let mut empty: Vec<&str> = Vec::new();
    for (name, mut text) in columns {
        go_on(cancelled).map_err(|error| vec![error])?;
        let is_label = options.label.as_ref() == Some(name);
        let mut missing = options.missing.tokens(name);
        let declared = options.types.get(name).copied();
        if is_label {
            text = spelling::label(name, &text, &missing, declared, place, notes);
            // A class needs a name.
            missing.push(String::new());
        }
        let raw = RawColumn {
            name,
            text: &text,
            // Classes are names, also those that are called 1 and 2.
            declared: declared.or(is_label.then_some(ColumnType::Text)),
            missing: &missing,
            setting: &options.missing,
            numerals: options.dialect.numerals(),
            place,
        };
        let mut own = Problems::default();
        let column = raw.convert(&mut own, notes);
        problems.push((name, own));
        if column.null_count() == column.len() {
            empty.push(name);
        }
        if is_label {
            typed.label = Some(Absent::new(name, &text, &missing, true));
        } else if *column.data_type() == DataType::Utf8 {
            typed.texts.push(Absent::new(name, &text, &missing, false));
        }
        if let Some(places) = beyond_f32(name, &column, place, notes) {
            typed.beyond.insert(name.clone(), places);
        }
        typed.columns.push((name.clone(), column));
    }
    Problems::of_columns(problems)?;
    notes.extend(spelling::text_notes(&typed.columns, options.label.as_ref(), place));
    match empty.as_slice() {
        [] => {}
        [name] => notes.push(format!("column '{name}' holds no value at all")),
        names => notes.push(format!("columns {} hold no value at all", list(names.iter().copied(), 10))),
    }
    Ok(typed)
}

/// Where a column holds numbers that models, which compute in 32 bits, cannot take.
fn beyond_f32<'a>(name: &str, column: &ArrayRef, place: &Place<'a>, notes: &mut Vec<String>) -> Option<String> {
    let values = column.as_primitive_opt::<Float64Type>()?;
    let is_beyond = |row: &usize| !values.is_null(*row) && values.value(*row).abs() > f64::from(f32::MAX);
    let rows: Vec<usize> = (0..values.len()).filter(is_beyond).collect();
    let number = |row: usize| format!("{:e}", values.value(row));
    if rows.is_empty() {
        return None;
    }
    notes.push(format!(
        "column '{name}': {} beyond ±3.4e38, the range of 32-bit numbers in which models compute, so none will take the column: {}",
        if rows.len() == 1 { "a number is".to_owned() } else { format!("{} numbers are", rows.len()) },
        examples(rows.iter().map(|&row| (number(row), place(row))))
    ));
    let places = rows.into_iter().take(PLACES).map(|row| (row.to_string(), place(row).to_string().into()));
    Some(serde_json::Value::Object(places.collect()).to_string())
}

/// Bytes of joined texts, beside so many times those of the cells that are read.
const LARGEST_JOINED: usize = 16 << 20;
const TIMES_THE_FILES: usize = 4;

/// Adds the derived columns; those that lose values are told of, with examples of what was not understood, as it is `written` in the files.
pub(super) fn derive<'a>(
    columns: &mut Vec<(String, ArrayRef)>,
    written: &HashMap<&str, StringArray>,
    options: &LoadOptions,
    place: &Place<'a>,
    notes: &mut Vec<String>,
) -> Result<(), Vec<CsvError>> {
    let mut problems = Problems::default();
    let rows = columns[0].1.len();
    // Joined texts that are joined again may double every time.
    let most = LARGEST_JOINED + TIMES_THE_FILES * written.values().map(|cells| cells.value_data().len()).sum::<usize>();
    let mut ambiguous: IndexMap<&str, Ambiguous> = IndexMap::new();
    for (name, derivation) in &options.derive {
        let names = derivation.sources();
        let found = names.iter().map(|name| columns[ROW_COLUMNS.len()..].iter().find(|(other, _)| other == name));
        let nothing = arrow::array::new_null_array(&DataType::Utf8, rows);
        let sources: Vec<Source> = (names.iter().zip(found))
            // Only the label may be absent from all files.
            .map(|(name, found)| Source {
                column: found.map_or(&nothing, |(_, column)| column),
                written: written.get(name),
            })
            .collect();
        let cells = |rows: &[usize]| {
            let text = |row: usize| sources.first().map_or(String::new(), |source| quoted(source.cell(row).trim()));
            examples(rows.iter().map(|&row| (text(row), place(row))))
        };
        if let Some(bytes) = derivation.bytes(&sources).filter(|bytes| *bytes > most) {
            problems.push(CsvError::options(Problem::DerivedTooLarge { name: name.clone(), bytes, most }));
            columns.push((name.clone(), arrow::array::new_null_array(&derivation.data_type(), rows)));
            continue;
        }
        let derived = match derivation.apply(&sources, options.dialect.numerals()) {
            Some(derived) => {
                if let [source] = sources.as_slice() {
                    notes.extend(lost(name, derivation, source, &derived, &cells));
                }
                notes.extend(units(name, derivation, &derived));
                if !derived.ambiguous.is_empty() {
                    let told = ambiguous
                        .entry(names[0])
                        .or_insert_with(|| Ambiguous::new(&derived, cells(&derived.ambiguous)));
                    told.derived.push(name);
                }
                derived.column
            }
            None => {
                let source = sources[0].column;
                let present: Vec<usize> = (0..source.len()).filter(|&row| !source.is_null(row)).take(3).collect();
                let (name, source_column, examples) = (name.clone(), names[0].to_owned(), cells(&present));
                problems.push(CsvError::options(Problem::DerivedFromText { name, source_column, examples }));
                // For derivations of this one.
                arrow::array::new_null_array(&derivation.data_type(), rows)
            }
        };
        columns.push((name.clone(), derived));
    }
    notes.extend(ambiguous.iter().map(|(source, told)| told.note(source)));
    problems.check()
}

/// Dates of a column whose day and month cannot be told apart.
struct Ambiguous<'a> {
    /// The columns that are derived from it and lack these rows.
    derived: Vec<&'a str>,
    rows: usize,
    orders: [usize; 2],
    examples: String,
}

impl Ambiguous<'_> {
    fn new(derived: &Derived, examples: String) -> Self {
        Ambiguous { derived: Vec::new(), rows: derived.ambiguous.len(), orders: derived.orders, examples }
    }

    fn note(&self, source: &str) -> String {
        let (columns, are) = if self.derived.len() == 1 { ("column", "is") } else { ("columns", "are") };
        let remedy = match self.orders {
            [day_first, 0] if day_first > 0 => {
                format!("write `day_first: true`, as {} the day first for certain", have(day_first))
            }
            [0, month_first] if month_first > 0 => {
                format!("write `day_first: false`, as {} the month first for certain", have(month_first))
            }
            _ => "write `day_first: true`, `day_first: false` or a `format` beside it".to_owned(),
        };
        format!(
            "derived {columns} {} {are} missing in {}, as the day and the month of '{source}' cannot be told apart there, e.g. {} ({remedy})",
            list(self.derived.iter().copied(), 10),
            row_count(self.rows),
            self.examples
        )
    }
}

fn have(rows: usize) -> String {
    if rows == 1 { "1 other row has".to_owned() } else { format!("{rows} other rows have") }
}

/// What to say of numbers that count different things.
fn units(name: &str, derivation: &Derivation, derived: &Derived) -> Option<String> {
    /// Units that are named.
    const SHOWN: usize = 5;
    if !matches!(derivation, Derivation::Number { unit: None, .. }) || derived.units.len() < 2 {
        return None;
    }
    let mut units: Vec<(&str, usize)> = derived.units.iter().map(|(unit, rows)| (unit.as_str(), *rows)).collect();
    units.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    let shown: Vec<String> =
        units.iter().take(SHOWN).map(|(unit, rows)| format!("{} ({})", quoted(unit), row_count(*rows))).collect();
    let more = match units.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(format!(
        "derived column '{name}' has numbers of different units, which are not converted: {}{more} (if they cannot be compared, write `unit: {}` \
         beside `number_of` for these alone, and derive a column for each of the others)",
        shown.join(", "),
        yaml(units[0].0)
    ))
}

/// What to say of values that the derivation could make nothing of.
fn lost(
    name: &str,
    derivation: &Derivation,
    source: &Source,
    derived: &Derived,
    cells: &dyn Fn(&[usize]) -> String,
) -> Option<String> {
    let source_column = derivation.sources().first().copied().unwrap_or_default();
    let present = source.column.len() - source.column.null_count();
    if derived.lost.is_empty() {
        return None;
    }
    let extent = match derived.lost.len() {
        all if all == present => {
            format!("is empty, as none of the {present} values of '{source_column}' could be used")
        }
        some => {
            format!("is missing in {some} rows, as {some} of {present} values of '{source_column}' could not be used")
        }
    };
    Some(format!("derived column '{name}' {extent}, e.g. {} ({})", cells(&derived.lost), derivation.domain()))
}
