//! What a table is that a study begins with: how it is read, what its columns are for, and why.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::Cursor;
use std::path::Path;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use indexmap::IndexMap;

use super::super::Failure;
use super::super::study::{invalid, invalid_lines};
use super::order::{self, Order};
use crate::boundary::files::read_regular;
use crate::boundary::text::{in_shell, yaml};
use crate::ml::frame::{Column, Frame};
use crate::ml::profile::{ProfileInput, ProfileOptions, profile};
use crate::ml::progress::Silent;
use crate::names::{did_you_mean, listed};
use crate::results::profile::audit::TargetLeakVerdict;
use crate::tabular::names::{SOURCE, added_as};
use crate::tabular::{
    BEYOND_F32, Changes, ColumnRole, ColumnType, CsvError, DateOrder, DateSpan, Dialect, Encoding, Input, LoadOptions,
    Loaded, Missing, Problem, Role, Sniffed, Tokens, column_roles, composed, header, load, sniff,
};

/// A file, and what the table of a `load` stage calls it.
pub(super) struct Source {
    pub(super) name: &'static str,
    pub(super) path: String,
    bytes: Vec<u8>,
}

impl Source {
    pub(super) fn read(name: &'static str, path: &Path) -> Result<Self, Failure> {
        let shown = path.display().to_string();
        let bytes = read_regular(path).map_err(|error| invalid(&format!("cannot read '{shown}': {error}")))?;
        Ok(Source { name, path: shown, bytes })
    }

    /// Its columns.
    fn header(&self, dialect: &Dialect) -> Result<Vec<String>, Failure> {
        header(&self.path, Cursor::new(self.bytes.as_slice()), dialect)
            .map(|columns| columns.names)
            .map_err(|errors| refused(&errors))
    }

    fn input(&self) -> Input<'_> {
        Input { name: self.name, path: &self.path, bytes: &self.bytes }
    }
}

/// What a study does with a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Numeric,
    Category,
    Text,
    /// Parts of its dates, as numbers.
    Date,
    /// The numbers in its texts.
    Quantity,
    /// Whether its cells have each of the most frequent values.
    Elements,
    LeftOut,
}

/// A column with its use, and the reason with its numbers.
pub(super) struct Chosen {
    pub(super) name: String,
    pub(super) use_: Use,
    pub(super) why: String,
    /// Whether it alone tells the label so well that it may not be known when one predicts.
    pub(super) may_leak: bool,
    /// Columns of numbers that are made of it, by names that no column has: how, as YAML.
    pub(super) derived: Vec<(String, String)>,
}

/// All that a draft of a study needs to know.
pub(super) struct StudyTable {
    pub(super) label: String,
    /// How the files are read, and why so.
    pub(super) sniffed: Sniffed,
    /// Labelled rows of the training file.
    pub(super) rows: usize,
    /// What to say of the rows that have none.
    pub(super) unlabelled: Option<String>,
    /// What to say of tokens for missing values that are kept as classes.
    pub(super) kept: Option<String>,
    /// Rows by class, the most frequent first.
    pub(super) classes: Vec<(String, usize)>,
    /// The order that the names of the classes tell.
    pub(super) order: Option<Order>,
    /// The fewest rows of a class that is learnt.
    pub(super) least: usize,
    /// By column, tokens among its numbers that stand for a missing value, and those among the labels that do not.
    pub(super) missing: IndexMap<String, Changes>,
    /// Columns of numbers of which some have leading zeros.
    pub(super) numbers: Vec<String>,
    pub(super) columns: Vec<Chosen>,
    /// Columns whose equal values make rows copies of one another, with the number of rows that are copies.
    pub(super) groups: Option<(Vec<String>, usize)>,
}

/// The fewest rows of a class that can be in three parts and several folds, and fewer where a table has not so many.
const LEAST: [usize; 2] = [8, 4];

/// Rows that are looked at for leaks and copies; of more, as many evenly from all.
const AUDITED: usize = 20_000;

/// Columns but those of numbers that lack more than this share of their values are left out.
const ALMOST_EMPTY: f64 = 0.95;

/// A look-up that is right on this share of all rows is the label under another name.
const IS_THE_LABEL: f64 = 0.995;

/// Reads the files and decides on every column.
pub(super) fn study(
    train: &Source,
    new: Option<&Source>,
    label: Option<&str>,
    encoding: Option<Encoding>,
) -> Result<StudyTable, Failure> {
    let sources: Vec<&Source> = std::iter::once(train).chain(new).collect();
    let inputs: Vec<Input> = sources.iter().map(|source| source.input()).collect();
    // A number is a place; anything else names a column, wherever it stands.
    let column = label.filter(|asked| asked.parse::<usize>().is_err());
    let sniffed = sniff(&inputs, encoding, column).map_err(|errors| match errors.as_slice() {
        [error] if matches!(error.problem.as_ref(), Problem::NotUtf8(_)) => {
            invalid_lines([error.to_string(), "to go on, name it: `--encoding NAME`".to_owned()])
        }
        errors => refused(errors),
    })?;
    let dialect = &sniffed.dialect;
    let names = train.header(dialect)?;
    let label = match label {
        Some(asked) => Some(named(&names, asked, dialect.header)?),
        None => None,
    };
    let mut options = LoadOptions { label: label.clone(), dialect: dialect.clone(), ..LoadOptions::default() };
    let (mut loaded, mut missing) = read(&inputs, &mut options, IndexMap::new())?;
    if let (Some(label), Some(found)) = (&label, loaded.unlabelled.clone().filter(|found| !found.tokens.is_empty()))
        && classes_of(&rows_of(&loaded.batch, train.name)?, label)?.len() < 2
    {
        // Without them nothing is left to tell apart.
        missing.entry(label.clone()).or_default().remove = found.tokens;
        (loaded, missing) = read(&inputs, &mut options, missing)?;
    }
    let tokens = label.as_ref().and_then(|label| missing.get(label)).map_or(Vec::new(), |own| own.remove.clone());
    let (batch, unlabelled) = (loaded.batch, loaded.unlabelled.map(|found| found.told));
    let of_train = rows_of(&batch, train.name)?;
    let columns = column_roles(&of_train, label.as_deref());
    let Some(label) = label else { return Err(candidates(&of_train, &columns)) };
    let (labelled, classes) = labelled(&of_train, &label, unlabelled.as_deref())?;
    let kept = kept(&label, &tokens, &classes);
    let in_new = new.map(|new| new.header(dialect)).transpose()?;
    // Where no line names columns, those of a file that has fewer are taken for the first ones.
    if !dialect.header
        && let (Some(new), Some(in_new)) = (new, &in_new)
        && in_new.len() < names.len()
        && in_new.contains(&label)
    {
        return Err(invalid(&format!(
            "{} has {} of the {} columns of {}, and no line says which: if it lacks '{label}', write a line of names above both files",
            new.path,
            in_new.len(),
            names.len(),
            train.path
        )));
    }
    let least = LEAST.into_iter().find(|least| classes.iter().filter(|(_, rows)| rows >= least).count() >= 2);
    let Some(least) = least else {
        return Err(too_few(&label, &classes));
    };
    let audited = audited(&labelled, &label)?;
    let decided = |is_the_label: f64| -> Vec<Chosen> {
        let choose = |column: &ColumnRole| {
            let limits = Limits { rows: of_train.num_rows(), is_the_label };
            chosen(column, &limits, in_new.as_deref(), &audited, beyond(&batch, &column.name))
        };
        columns.iter().map(choose).collect()
    };
    let are_left_out = |columns: &[Chosen]| columns.iter().all(|column| column.use_ == Use::LeftOut);
    let mut decisions = decided(IS_THE_LABEL);
    if are_left_out(&decisions) {
        // Where nothing else is there, classes may well be as easy to tell as that.
        decisions = decided(f64::INFINITY);
    }
    let mut columns = decisions;
    name_derived(&mut columns, &label);
    if columns.is_empty() {
        return Err(invalid(&format!("{} has no column but the label '{label}'", train.path)));
    }
    if are_left_out(&columns) {
        let reasons = columns.iter().map(|column| format!("  '{}': {}", column.name, column.why));
        return Err(invalid_lines(std::iter::once("no column is left to learn from".to_owned()).chain(reasons)));
    }
    let groups = copies(&labelled, &columns);
    let (rows, numbers) = (labelled.num_rows(), options.types.into_keys().collect());
    let order = order::of(&label, &classes.iter().map(|(class, _)| class.clone()).collect::<Vec<_>>());
    Ok(StudyTable { label, sniffed, rows, unlabelled, kept, classes, order, least, missing, numbers, columns, groups })
}

/// Of a label that nothing can be learnt of: each value is there a few times at most, or one alone is there more often.
fn too_few(label: &str, classes: &[(String, usize)]) -> Failure {
    let [.., least] = LEAST;
    let shown: Vec<String> = classes.iter().take(5).map(|(class, rows)| format!("'{class}' in {rows}")).collect();
    let more =
        if classes.len() > shown.len() { format!(", and {} more", classes.len() - shown.len()) } else { String::new() };
    invalid_lines([
        format!("no two of the {} values of '{label}' are there in {least} rows or more: {}{more}", classes.len(), shown.join(", ")),
        "classes are learnt from rows that have them; a number that was measured is no class, but ranges of it are: write them into a column of their own"
            .to_owned(),
    ])
}

/// The label by its name, or by its place in the header, counted from 1.
fn named(names: &[String], asked: &str, has_header: bool) -> Result<String, Failure> {
    if let Some(name) = names.iter().find(|name| **name == composed(asked)) {
        return Ok(name.clone());
    }
    let place = asked.parse::<usize>().ok().and_then(|place| place.checked_sub(1));
    match place.and_then(|place| names.get(place)) {
        Some(name) => Ok(name.clone()),
        None => {
            let meant = did_you_mean(asked, names.iter().map(String::as_str));
            let unknown = format!("there is no column '{asked}'{meant}; the columns are {}", listed(names));
            let counted = "the first line looks like a record, so columns are counted: give the number of the label's, or if that line does name the columns, the \
                           label's name as it stands there";
            Err(invalid_lines(std::iter::once(unknown).chain((!has_header).then(|| counted.to_owned()))))
        }
    }
}

/// Loads the files as the study will; words among the numbers of a column are taken for missing values.
fn read(
    inputs: &[Input],
    options: &mut LoadOptions,
    mut missing: IndexMap<String, Changes>,
) -> Result<(Loaded, IndexMap<String, Changes>), Failure> {
    /// Each time the words that were shown are made missing.
    const TRIES: usize = 12;
    let tokens = |missing: &IndexMap<String, Changes>| missing.values().map(|changes| changes.add.len()).sum::<usize>();
    for _ in 0..TRIES {
        let changed = |changes: &Changes| Tokens::Changed(changes.clone());
        if !missing.is_empty() {
            options.missing =
                Missing::ByColumn(missing.iter().map(|(column, changes)| (column.clone(), changed(changes))).collect());
        }
        let known = tokens(&missing) + options.types.len();
        let errors = match load(inputs, options) {
            Ok(loaded) => return Ok((loaded, missing)),
            Err(errors) => errors,
        };
        for error in &errors {
            match error.problem.as_ref() {
                // To make 02 missing would lose a number.
                Problem::StrayWord { column, is_code: true, .. } => {
                    options.types.insert(column.clone(), ColumnType::Number);
                }
                Problem::StrayWord { column, token, .. } | Problem::NotANumber { column, token, .. } => {
                    let tokens = &mut missing.entry(column.clone()).or_default().add;
                    if !tokens.contains(token) {
                        tokens.push(token.clone());
                    }
                }
                _ => {}
            }
        }
        if tokens(&missing) + options.types.len() == known {
            return Err(refused(&errors));
        }
    }
    Err(invalid(
        "too many words among numbers to tell what they mean: declare the columns' `types` in a pipeline of your own",
    ))
}

fn refused(errors: &[CsvError]) -> Failure {
    invalid_lines(errors.iter().map(ToString::to_string))
}

fn rows_of(table: &RecordBatch, source: &str) -> Result<RecordBatch, Failure> {
    let sources = table.column_by_name(SOURCE).map(|column| column.as_string::<i32>());
    let own = |row: &usize| sources.is_none_or(|sources| sources.value(*row) == source);
    rows_at(table, (0..table.num_rows()).filter(own).collect())
}

fn rows_at(table: &RecordBatch, rows: Vec<usize>) -> Result<RecordBatch, Failure> {
    let places = arrow::array::UInt64Array::from_iter_values(rows.into_iter().map(|row| row as u64));
    let columns: Result<Vec<ArrayRef>, _> = table.columns().iter().map(|column| take(column, &places, None)).collect();
    Ok(RecordBatch::try_new(table.schema(), columns?)?)
}

/// `label 'y': 100 rows are 'NA', which stands for a missing value by default; it is kept as a class, …`.
fn kept(label: &str, tokens: &[String], classes: &[(String, usize)]) -> Option<String> {
    let rows = |token: &String| classes.iter().find(|(class, _)| class == token).map_or(0, |(_, rows)| *rows);
    let told: Vec<String> = tokens
        .iter()
        .map(|token| format!("{} {} '{token}'", rows(token), if rows(token) == 1 { "row is" } else { "rows are" }))
        .collect();
    let (stand, it_is) =
        if tokens.len() == 1 { ("stands", "it is kept as a class") } else { ("stand", "they are kept as classes") };
    (!tokens.is_empty()).then(|| {
        format!(
            "label '{label}': {}, which {stand} for a missing value by default; {it_is}, as without {} the label would not have two",
            told.join(", "),
            if tokens.len() == 1 { "it" } else { "them" }
        )
    })
}

/// Rows by class, the most frequent first.
fn classes_of(table: &RecordBatch, label: &str) -> Result<Vec<(String, usize)>, Failure> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    texts(table, label)?.into_iter().flatten().for_each(|class| *counts.entry(class).or_default() += 1);
    let mut classes: Vec<(String, usize)> = counts.into_iter().collect();
    classes.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    Ok(classes)
}

/// The rows that have a label, and how many each class has.
fn labelled(
    table: &RecordBatch,
    label: &str,
    note: Option<&str>,
) -> Result<(RecordBatch, Vec<(String, usize)>), Failure> {
    let classes = classes_of(table, label)?;
    if classes.len() < 2 {
        let values = match classes.as_slice() {
            [] => "no value".to_owned(),
            [(only, rows), ..] => format!("one value, '{only}' in {rows} rows"),
        };
        let told = format!("column '{label}' has {values}, but a label needs two or more");
        return Err(invalid_lines(std::iter::once(told).chain(note.map(str::to_owned))));
    }
    let texts = texts(table, label)?;
    let is_there: Vec<usize> = (0..texts.len()).filter(|&row| texts[row].is_some()).collect();
    Ok((rows_at(table, is_there)?, classes))
}

fn texts(table: &RecordBatch, name: &str) -> Result<Vec<Option<String>>, Failure> {
    let column = table.column_by_name(name).ok_or_else(|| invalid(&format!("there is no column '{name}'")))?;
    let column = cast(column, &DataType::Utf8)?;
    Ok(column.as_string::<i32>().iter().map(|text| text.map(str::to_owned)).collect())
}

/// Of some columns what they alone say of the label.
struct Alone {
    /// The share of all rows on which a look-up is right.
    right: f64,
    verdict: TargetLeakVerdict,
}

fn audited(table: &RecordBatch, label: &str) -> Result<HashMap<String, Alone>, Failure> {
    let rows = table.num_rows();
    let every = rows.div_ceil(AUDITED).max(1);
    let some = rows_at(table, (0..rows).step_by(every).collect())?;
    let labels = texts(&some, label)?;
    let classes: Vec<String> = labels.iter().flatten().cloned().collect::<BTreeSet<_>>().into_iter().collect();
    let codes = labels
        .iter()
        .map(|label| label.as_ref().and_then(|label| classes.binary_search(label).ok()).map(|class| class as u32));
    let codes: Vec<Option<u32>> = codes.collect();
    let mut frame = Frame::new(some.num_rows());
    for (field, column) in some.schema().fields().iter().zip(some.columns()) {
        if added_as(field.name()).is_some() || field.name() == label || column.null_count() == column.len() {
            continue;
        }
        frame.insert(field.name().clone(), in_frame(column)?);
    }
    let input = ProfileInput {
        frame: &frame,
        label: &codes,
        classes: &classes,
        part: None,
        groups: IndexMap::new(),
        origins: None,
        seed: 1,
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let found = profile(&input, &ProfileOptions::default(), threads, &Silent)?;
    let alone = found.audit.target_leaks.into_iter().map(|leak| {
        let (right, verdict) = (leak.row_folds.accuracy * leak.row_folds.coverage, leak.verdict);
        (leak.column, Alone { right, verdict })
    });
    Ok(alone.collect())
}

fn in_frame(column: &ArrayRef) -> Result<Column, Failure> {
    if column.data_type() == &DataType::Utf8 {
        let texts = column.as_string::<i32>().iter().map(|text| text.map(str::to_owned));
        return Ok(Column::Text(texts.collect()));
    }
    // Whole numbers that would be one as floats are names.
    let is_exact = |integer: i64| integer as f64 as i128 == i128::from(integer);
    if column.as_primitive_opt::<Int64Type>().is_some_and(|integers| !integers.iter().flatten().all(is_exact)) {
        return in_frame(&cast(column, &DataType::Utf8)?);
    }
    let numbers = cast(column, &DataType::Float64)?;
    Ok(Column::Numeric(numbers.as_primitive::<Float64Type>().iter().map(|x| x.unwrap_or(f64::NAN)).collect()))
}

/// A number of the column in which no model computes, with its place in whichever file: `1e39 (data.csv:62)`.
fn beyond(table: &RecordBatch, name: &str) -> Option<String> {
    let field = table.schema_ref().field_with_name(name).ok()?;
    let places: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(field.metadata().get(BEYOND_F32)?).ok()?;
    let (row, place) = places.iter().min_by_key(|(row, _)| row.parse::<usize>().unwrap_or(usize::MAX))?;
    let values = table.column_by_name(name)?.as_primitive_opt::<Float64Type>()?;
    Some(format!("{:e} ({})", values.value(row.parse().ok()?), place.as_str()?))
}

/// By what columns are left out.
struct Limits {
    rows: usize,
    /// A look-up that is right on this share of all rows is the label under another name.
    is_the_label: f64,
}

fn chosen(
    column: &ColumnRole,
    limits: &Limits,
    in_new: Option<&[String]>,
    audited: &HashMap<String, Alone>,
    beyond: Option<String>,
) -> Chosen {
    let ColumnRole { name, role, missing, distinct, words, dates, .. } = column;
    let rows = limits.rows;
    let choose =
        |use_: Use, why: String| Chosen { name: name.clone(), use_, why, may_leak: false, derived: Vec::new() };
    if in_new.is_some_and(|names| !names.contains(name)) {
        return choose(Use::LeftOut, "the file to predict does not have it".to_owned());
    }
    let alone = audited.get(name);
    if let Some(Alone { right, .. }) = alone.filter(|alone| alone.right >= limits.is_the_label) {
        return choose(
            Use::LeftOut,
            format!("leaks the label: alone it is right on {:.1} % of the rows", 100.0 * right),
        );
    }
    if let Some(beyond) = beyond.or(column.beyond.as_ref().map(|text| format!("'{text}'"))).filter(|_| {
        // Neither is learnt from.
        !matches!(role, Role::Constant | Role::Identifier)
    }) {
        return choose(
            Use::LeftOut,
            format!(
                "{beyond} is beyond the numbers that models learn from, ±3.4e38: correct it and begin anew, or write it under `missing` and the column under `numeric`"
            ),
        );
    }
    // Of so few values some part of the data would have none.
    let is_almost_empty = *missing as f64 > ALMOST_EMPTY * rows as f64;
    if is_almost_empty && !matches!(role, Role::Empty | Role::Number) {
        return choose(Use::LeftOut, format!("{missing} of {rows} rows have no value"));
    }
    let gaps = if *missing > 0 { format!(", {missing} missing") } else { String::new() };
    let (use_, mut why) = match role {
        Role::Empty => (Use::LeftOut, "no value in any row to learn from".to_owned()),
        Role::Constant => (Use::LeftOut, "the same in every row".to_owned()),
        Role::Identifier => (Use::LeftOut, format!("another value in every one of {distinct} rows: an identifier")),
        Role::Number => (Use::Numeric, format!("numbers, {distinct} different{gaps}")),
        Role::Category => (Use::Category, format!("{distinct} categories{gaps}")),
        Role::Date => (Use::Date, format!("dates in {dates} rows{gaps}")),
        Role::Quantity => (Use::Quantity, format!("texts with a number{gaps}{}", of_units(&column.units))),
        Role::Elements => {
            let elements = column.elements.len();
            (Use::Elements, format!("several of {elements} values in a cell{gaps}{}", most_frequent(elements)))
        }
        Role::Text => (Use::Text, format!("texts of {words:.0} words on average, {distinct} different{gaps}")),
    };
    let (derived, said) = derived(column, use_);
    why.push_str(&said);
    let leaks = alone.filter(|alone| alone.verdict == TargetLeakVerdict::Leaks && use_ != Use::LeftOut);
    if let Some(Alone { right, .. }) = leaks {
        why.push_str(&format!(
            "; alone it is right on {:.1} % of the rows: leave it out if it is not known when you predict",
            100.0 * right
        ));
    }
    Chosen { derived, may_leak: leaks.is_some(), ..choose(use_, why) }
}

/// Values of a cell that become columns.
const ELEMENTS: usize = 20;

fn most_frequent(elements: usize) -> String {
    if elements > ELEMENTS { format!(": the {ELEMENTS} most frequent count") } else { String::new() }
}

/// The units of numbers, where there are any.
fn of_units(units: &[(String, usize)]) -> String {
    let named = units.iter().filter(|(unit, _)| !unit.is_empty());
    let named: Vec<String> = named.map(|(unit, rows)| format!("'{unit}' in {rows} rows")).collect();
    if named.is_empty() { String::new() } else { format!(", {}", named.join(", ")) }
}

/// What is made of a column, each by what its name ends in, and what to say of it.
fn derived(column: &ColumnRole, use_: Use) -> (Vec<(String, String)>, String) {
    let name = yaml(&column.name);
    match use_ {
        Use::Date => dates(&name, column.span),
        Use::Quantity => {
            let made = |unit: &String| match column.units.len() {
                1 => ("number".to_owned(), format!("{{number_of: {name}}}")),
                _ if unit.is_empty() => ("number".to_owned(), format!("{{number_of: {name}, unit: ''}}")),
                _ => (unit.clone(), format!("{{number_of: {name}, unit: {}}}", yaml(unit))),
            };
            (column.units.iter().map(|(unit, _)| made(unit)).collect(), String::new())
        }
        Use::Elements => {
            let separator = column.separator.unwrap_or(',').to_string();
            let beside = if separator == "," { String::new() } else { format!(", separator: {}", yaml(&separator)) };
            let made = |(element, _): &(String, usize)| {
                (element.clone(), format!("{{has: {}, of: {name}{beside}}}", yaml(element)))
            };
            (column.elements.iter().take(ELEMENTS).map(made).collect(), String::new())
        }
        _ => (Vec::new(), String::new()),
    }
}

/// The year of dates; where they span less than three, what tells more.
fn dates(name: &str, span: Option<DateSpan>) -> (Vec<(String, String)>, String) {
    let year = || ("year".to_owned(), format!("{{year_of: {name}}}"));
    let Some(DateSpan { years: (first, last), has_days, has_hours, order }) = span else {
        return (vec![year()], ": the year counts".to_owned());
    };
    let order = match order {
        DateOrder::Plain => Some(String::new()),
        DateOrder::Known { day_first } => Some(format!(", day_first: {day_first}")),
        DateOrder::Unknown => None,
    };
    let is_short = last - first < 3 && has_days;
    let mut made = Vec::new();
    if first < last || !is_short || order.is_none() {
        made.push(year());
    }
    if let Some(order) = order.as_ref().filter(|_| is_short) {
        made.push(("month".to_owned(), format!("{{month_of: {name}{order}}}")));
        made.push(("weekday".to_owned(), format!("{{weekday_of: {name}{order}}}")));
        made.push(("days".to_owned(), format!("{{days_of: {name}, since: {first:04}-01-01{order}}}")));
    }
    if has_hours {
        made.push(("hour".to_owned(), format!("{{hour_of: {name}}}")));
    }
    let parts: Vec<&str> = made.iter().map(|(part, _)| part.as_str()).collect();
    let said = match parts.as_slice() {
        [one] => format!(": the {one} counts"),
        [all @ .., last] => format!(": {} and {last} count", all.join(", ")),
        [] => String::new(),
    };
    let unknown = match order {
        None if is_short => "; say `day_first` to have the month too, as day and month cannot be told apart",
        _ => "",
    };
    (made, format!("{said}{unknown}"))
}

/// Gives derived columns names that no other column has.
fn name_derived(columns: &mut [Chosen], label: &str) {
    let mut taken: HashSet<String> =
        columns.iter().map(|column| column.name.clone()).chain([label.to_owned()]).collect();
    for column in columns {
        for (name, _) in &mut column.derived {
            let first = format!("{} {name}", column.name);
            let numbered = (2..).map(|number: usize| format!("{first} {number}"));
            let free = std::iter::once(first.clone()).chain(numbered).find(|name| !taken.contains(name));
            *name = free.unwrap_or(first.clone());
            taken.insert(name.clone());
        }
    }
}

/// The columns by which rows are copies of one another, if one row in 200 is: a text where there is one, else all that is read.
fn copies(table: &RecordBatch, columns: &[Chosen]) -> Option<(Vec<String>, usize)> {
    const WORTH: usize = 200;
    let read = |wanted: &dyn Fn(Use) -> bool| -> Vec<String> {
        columns.iter().filter(|column| wanted(column.use_)).map(|column| column.name.clone()).collect()
    };
    let (texts, all) = (read(&|use_| use_ == Use::Text), read(&|use_| use_ != Use::LeftOut));
    let surplus = |names: &[String]| -> usize {
        let columns: Vec<Vec<Option<String>>> = names.iter().filter_map(|name| self::texts(table, name).ok()).collect();
        let mut known: HashSet<Vec<Option<&str>>> = HashSet::new();
        let key = |row: usize| columns.iter().map(|column| column[row].as_deref()).collect::<Vec<_>>();
        (0..table.num_rows()).filter(|&row| !known.insert(key(row))).count()
    };
    let is_worth = |copies: usize| WORTH * copies >= table.num_rows();
    // A text that comes again in many rows is a category of sorts, and links what does not belong together.
    let candidates = texts.into_iter().map(|text| vec![text]).chain((all.len() > 1).then_some(all));
    candidates
        .map(|names| {
            let copies = surplus(&names);
            (names, copies)
        })
        .find(|(_, copies)| is_worth(*copies) && 5 * copies < table.num_rows())
}

/// A list of the columns that may be meant, as a message.
fn candidates(table: &RecordBatch, columns: &[ColumnRole]) -> Failure {
    /// More classes than these are hardly meant.
    const MOST: usize = 100;
    const SHOWN: usize = 20;
    let is_label = |column: &&ColumnRole| {
        column.distinct >= 2 && column.distinct <= MOST && column.distinct * LEAST[0] <= table.num_rows()
    };
    let mut found: Vec<&ColumnRole> = columns.iter().filter(is_label).collect();
    found.sort_by_key(|column| column.distinct);
    let lines = found.iter().take(SHOWN);
    let lines = lines.map(|column| format!("  --label {}  ({} classes)", in_shell(&column.name), column.distinct));
    let more = found.len().saturating_sub(SHOWN);
    let more = (more > 0).then(|| format!("  and {more} more columns with up to {MOST} values"));
    match found.is_empty() {
        true => invalid("which column is the label? None has between 2 and 100 values: name it with --label"),
        false => invalid_lines(
            std::iter::once("which column is the label? Name it, e.g.".to_owned()).chain(lines).chain(more),
        ),
    }
}
