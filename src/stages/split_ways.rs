//! How rows come into their parts: drawn, by their order, or as a column says; and what becomes of rare classes.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{anyhow, bail};
use arrow::array::{Array, AsArray, BooleanArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::columns::{ROW_ID, RowPlaces, integers, named, strings};
use runner_artifact::Table;
use runner_boundary::text::{quoted, yaml};
use runner_engine::listed;
use runner_ml::split::{self, Part, SplitError, SplitOptions};
use runner_tabular::{Scalar, canonical_number, spelled};

/// Which column says what part a row is of, and by which values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct GivenParts {
    /// The column; every row needs one of the values below.
    pub(crate) column: String,
    /// Its values in rows to learn from.
    #[schemars(length(min = 1))]
    pub(crate) train: Vec<Scalar>,
    /// Its values in rows to choose with; without any there is no such part.
    #[serde(default)]
    pub(crate) valid: Vec<Scalar>,
    /// Its values in rows that only the last score sees; without any there is no such part.
    #[serde(default)]
    pub(crate) test: Vec<Scalar>,
}

impl GivenParts {
    pub(crate) fn lists(&self) -> [(Part, &[Scalar]); 3] {
        [(Part::Train, &self.train), (Part::Valid, &self.valid), (Part::Test, &self.test)]
    }

    /// A value that is in two lists, or twice in one.
    pub(crate) fn twice(&self) -> Option<String> {
        let mut seen = BTreeSet::new();
        let mut values = self.lists().into_iter().flat_map(|(_, values)| values).map(text);
        values.find(|value| !seen.insert(canonical(value)))
    }

    /// The part of every row.
    ///
    /// # Errors
    /// Rows without a value, or with one that is in no list; a part without rows.
    fn of_rows(&self, table: &Table, places: &dyn RowPlaces) -> anyhow::Result<Vec<Part>> {
        let column = &self.column;
        let cells = strings(table, &named(table, column))?;
        let lists = self.lists().into_iter().flat_map(|(part, values)| values.iter().map(move |value| (value, part)));
        let part_of: BTreeMap<String, Part> = lists.map(|(value, part)| (canonical(&text(value)), part)).collect();
        let parts: Vec<Option<Part>> =
            cells.iter().map(|cell| part_of.get(&canonical(cell.as_deref()?)).copied()).collect();
        let missing: Vec<usize> = (0..cells.len()).filter(|&row| cells[row].is_none()).collect();
        if !missing.is_empty() {
            bail!(without_value(table, column, &missing, places));
        }
        let mut unknown: BTreeMap<&str, usize> = BTreeMap::new();
        for (cell, _) in cells.iter().flatten().zip(&parts).filter(|(_, part)| part.is_none()) {
            *unknown.entry(cell.trim()).or_default() += 1;
        }
        if !unknown.is_empty() {
            let rows: usize = unknown.values().sum();
            bail!(
                "{} in column '{column}' {}, which `parts` does not name: {} (name {} under `train`, `valid` or `test`, or leave such rows out by `where`)",
                count(rows),
                if unknown.len() == 1 {
                    "have a value".to_owned()
                } else {
                    format!("have one of {} values", unknown.len())
                },
                some(unknown.iter().map(|(value, rows)| format!("{} ({})", quoted_value(value), count(*rows)))),
                if unknown.len() == 1 { "it" } else { "them" }
            );
        }
        let parts: Vec<Part> = parts.into_iter().flatten().collect();
        for (part, values) in self.lists().into_iter().filter(|(_, values)| !values.is_empty()) {
            if !parts.contains(&part) {
                bail!(
                    "the {} part has no rows: no labelled row has {} in column '{column}'",
                    part.name(),
                    listed(values.iter().take(SHOWN).map(|value| quoted_value(&text(value))))
                );
            }
        }
        Ok(parts)
    }
}

/// What becomes of classes with too few rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum RareClasses {
    /// Their rows are left out.
    #[default]
    Drop,
    /// They are one class, `other`, or `other_2` where a class is called so.
    Other,
}

/// Values or classes that a message names.
const SHOWN: usize = 20;

/// What became of rare classes.
pub(super) struct Rare {
    /// The labels that are left, and `None` where the row is left out.
    pub(crate) labels: Vec<Option<String>>,
    /// Rows that are left out.
    pub(crate) dropped: usize,
    /// Names them all; `None` where no class is rare.
    pub(crate) warning: Option<String>,
}

/// The labels without classes of fewer rows than `least`.
pub(super) fn without_rare(labels: &[String], least: usize, what: RareClasses) -> Rare {
    let mut rows_of: BTreeMap<&str, usize> = BTreeMap::new();
    labels.iter().for_each(|label| *rows_of.entry(label).or_default() += 1);
    let rare: BTreeMap<&str, usize> =
        rows_of.iter().filter(|(_, rows)| **rows < least).map(|(c, r)| (*c, *r)).collect();
    let rows: usize = rare.values().sum();
    if rare.is_empty() {
        return Rare { labels: labels.iter().cloned().map(Some).collect(), dropped: 0, warning: None };
    }
    let is_taken = |name: &str| rows_of.contains_key(name) && !rare.contains_key(name);
    let other = std::iter::once("other".to_owned())
        .chain((2..).map(|number: usize| format!("other_{number}")))
        .find(|name| !is_taken(name))
        .unwrap_or_default();
    let becomes = (what == RareClasses::Other && rows >= least).then_some(&other);
    let now = |label: &String| if rare.contains_key(label.as_str()) { becomes.cloned() } else { Some(label.clone()) };
    let mut by_rows: Vec<(&str, usize)> = rare.iter().map(|(class, rows)| (*class, *rows)).collect();
    by_rows.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    let named = some(by_rows.iter().map(|(class, rows)| format!("{} ({})", quoted_value(class), count(*rows))));
    let (noun, are) = if rare.len() == 1 { ("class", "is") } else { ("classes", "are") };
    let outcome = match (what, becomes) {
        (RareClasses::Drop, _) => format!("{are} left out, {} in all", count(rows)),
        (RareClasses::Other, Some(other)) => format!("{are} now the class '{other}' of {}", count(rows)),
        (RareClasses::Other, None) => format!("{are} left out, as together they have {} only", count(rows)),
    };
    let warning = format!("{} {noun} of fewer than {least} rows {outcome} (`min_class_rows`): {named}", rare.len());
    let dropped = if becomes.is_some() { 0 } else { rows };
    Rare { labels: labels.iter().map(now).collect(), dropped, warning: Some(warning) }
}

/// Keeps the rows that have a label.
pub(super) fn kept(rows: &Table, labels: Vec<Option<String>>) -> anyhow::Result<(Table, Vec<String>)> {
    let is_kept: BooleanArray = labels.iter().map(|label| Some(label.is_some())).collect();
    let rows = Table::new(arrow::compute::filter_record_batch(rows.batch(), &is_kept)?);
    Ok((rows, labels.into_iter().flatten().collect()))
}

/// What to say of classes that a part has no row of.
pub(super) fn lacking(part: Part, classes: &[&String]) -> String {
    let noun = if classes.len() == 1 { "class" } else { "classes" };
    let named = some(classes.iter().map(|class| quoted_value(class)));
    format!("no row of the {} part has the {noun} {named}, of which its scores say nothing", part.name())
}

/// How rows come into their parts.
pub(super) enum Way {
    Drawn,
    /// By the rank of each row.
    ByOrder(Vec<u32>),
    Given(Vec<Part>),
}

impl Way {
    pub(crate) fn given(parts: &GivenParts, table: &Table, places: &dyn RowPlaces) -> anyhow::Result<Way> {
        Ok(Way::Given(parts.of_rows(table, places)?))
    }

    /// By the values of a column: numbers, or dates as text in ISO order.
    pub(crate) fn by_order(column: &str, table: &Table, places: &dyn RowPlaces) -> anyhow::Result<Way> {
        Ok(Way::ByOrder(ranks(column, table, places)?))
    }

    /// Splits some of the rows.
    pub(crate) fn split(
        &self,
        rows: &[usize],
        labels: &[u32],
        classes: &[String],
        groups: &[Vec<Option<&str>>],
        options: &SplitOptions,
        seed: u64,
    ) -> Result<split::Split, SplitError> {
        match self {
            Way::Drawn => split::split(labels, classes, groups, options, seed),
            Way::ByOrder(ranks) => {
                let ranks: Vec<u32> = rows.iter().map(|&row| ranks[row]).collect();
                split::split_by_order(labels, classes, groups, &ranks, options, seed)
            }
            Way::Given(parts) => {
                let parts = rows.iter().map(|&row| parts[row]).collect();
                split::split_as_given(labels, classes, groups, parts, options.folds, seed)
            }
        }
    }
}

fn ranks(column: &str, table: &Table, places: &dyn RowPlaces) -> anyhow::Result<Vec<u32>> {
    let array = table.column(&named(table, column))?;
    let is_nan = |row: usize| {
        array
            .as_primitive_opt::<Float64Type>()
            .is_some_and(|numbers| numbers.is_valid(row) && numbers.value(row).is_nan())
    };
    let missing: Vec<usize> = (0..array.len()).filter(|&row| array.is_null(row) || is_nan(row)).collect();
    if !missing.is_empty() {
        bail!(without_value(table, column, &missing, places));
    }
    if array.data_type().is_integer() {
        let numbers = cast(array, &DataType::Int64)?;
        return Ok(ranked(numbers.as_primitive::<Int64Type>().values(), Ord::cmp));
    }
    if array.data_type().is_floating() {
        let numbers = cast(array, &DataType::Float64)?;
        return Ok(ranked(numbers.as_primitive::<Float64Type>().values(), f64::total_cmp));
    }
    let Some(texts) = array.as_string_opt::<i32>() else {
        bail!("column '{column}' holds {}, by which rows have no order (order by numbers or dates)", array.data_type());
    };
    let mut keys = Vec::with_capacity(texts.len());
    let mut zones: BTreeMap<&str, usize> = BTreeMap::new();
    for (row, text) in texts.iter().flatten().enumerate() {
        let Some((key, zone)) = iso(text) else {
            let at = integers(table, ROW_ID).map(|ids| places.of(ids[row])).unwrap_or_default();
            return Err(anyhow!(
                "{at}column '{column}': {} is no date in ISO order, e.g. 2021-09-25 or 2021-09-25 10:00, nor is the column one of numbers: derive one in the \
                 `load` stage, e.g. `derive: {{day: {{days_of: {}, since: 2000-01-01}}}}`, and write `order_by: day`",
                quoted_value(text),
                yaml(column)
            ));
        };
        keys.push(key);
        zones.entry(zone).or_insert(row);
    }
    if zones.len() > 1 {
        bail!(
            "column '{column}' has times of several zones, {}, whose texts are in no order (write all in one zone, or derive the day by `days_of`)",
            listed(zones.keys().take(SHOWN).map(|zone| format!("'{zone}'")))
        );
    }
    Ok(ranked(&keys, Ord::cmp))
}

/// The place of each value among the different ones.
fn ranked<T>(values: &[T], order: impl Fn(&T, &T) -> std::cmp::Ordering) -> Vec<u32> {
    let mut rows: Vec<usize> = (0..values.len()).collect();
    rows.sort_by(|&a, &b| order(&values[a], &values[b]));
    let mut ranks = vec![0; values.len()];
    for pair in rows.windows(2) {
        let grows = order(&values[pair[0]], &values[pair[1]]).is_lt();
        ranks[pair[1]] = ranks[pair[0]] + u32::from(grows);
    }
    ranks
}

/// A date in ISO order, as a text that compares as the dates do, and its zone: `2021`, `2021-09`, `2021-09-25`, `2021-09-25T10:00`, `2021-09-25 10:00:00.5Z`.
fn iso(text: &str) -> Option<(String, &str)> {
    /// Behind so many characters a date may end.
    const ENDS: [usize; 4] = [4, 7, 10, 16];
    let text = text.trim();
    let (mut key, mut rest) = (String::new(), text);
    for (place, expected) in "0000-00-00T00:00:00".chars().enumerate() {
        let next = rest.chars().next();
        key.push(match (expected, next) {
            ('0', Some(digit)) if digit.is_ascii_digit() => digit,
            ('T', Some('T' | ' ')) => ' ',
            (sign, Some(next)) if sign == next && sign != '0' => sign,
            _ if ENDS.contains(&place) => break,
            _ => return None,
        });
        rest = &rest[1..];
    }
    if let Some(fraction) = rest.strip_prefix('.').filter(|_| key.len() == 19) {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        key.push_str(&rest[..=digits]);
        rest = &fraction[digits..];
    }
    let zone = rest.trim();
    let is_offset = |zone: &str| zone.len() >= 3 && zone[1..].bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    let is_zone = matches!(zone, "" | "Z" | "z" | "UTC") || zone.starts_with(['+', '-']) && is_offset(zone);
    let is_month = |key: &str| key.get(5..7).is_none_or(|month| month <= "12");
    (is_zone && is_month(&key)).then_some((key, zone))
}

/// Of rows that the column says nothing of.
fn without_value(table: &Table, column: &str, rows: &[usize], places: &dyn RowPlaces) -> String {
    let at = integers(table, ROW_ID).map(|ids| places.of(ids[rows[0]])).unwrap_or_default();
    let more = match rows.len() - 1 {
        0 => String::new(),
        1 => ", nor has 1 more row".to_owned(),
        more => format!(", nor have {more} more rows"),
    };
    format!(
        "{at}column '{column}' has no value{more}: leave such rows out, in this stage by `where: {{{}: {{missing: false}}}}`",
        yaml(column)
    )
}

fn some(mut shown: impl ExactSizeIterator<Item = String>) -> String {
    let first: Vec<String> = shown.by_ref().take(SHOWN).collect();
    match shown.len() {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}

fn count(rows: usize) -> String {
    format!("{rows} {}", if rows == 1 { "row" } else { "rows" })
}

/// A value of a cell, of bounded length and without characters that a terminal would obey.
fn quoted_value(value: &str) -> String {
    const LENGTH: usize = 40;
    let short: String = value.chars().take(LENGTH).collect();
    let more = if short.len() < value.len() { "…" } else { "" };
    format!("'{}{more}'", quoted(&short))
}

/// A value as the cells of a column have it.
pub(super) fn text(value: &Scalar) -> String {
    match value {
        Scalar::Boolean(value) => value.to_string(),
        Scalar::Integer(value) => value.to_string(),
        Scalar::Unsigned(value) => value.to_string(),
        Scalar::Number(value) => spelled(*value),
        Scalar::Text(text) => text.clone(),
    }
}

/// One spelling of one number, and no white space around.
fn canonical(value: &str) -> String {
    canonical_number(value).unwrap_or_else(|| value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    // sorted(texts, key=datetime.fromisoformat)
    #[test]
    fn dates_in_iso_order_compare_as_texts() {
        let ordered = [
            "2020",
            "2020-12",
            "2020-12-31",
            "2021-01-01 09:59",
            "2021-01-01T10:00:00",
            "2021-01-01 10:00:00.25",
            "2021-01-01 10:00:00.5",
        ];
        let keys: Vec<String> = ordered.iter().map(|text| iso(text).expect("a date").0).collect();
        assert!(keys.is_sorted(), "{keys:?}");
        assert_eq!(iso("2021-01-01T10:00:00+02:00"), Some(("2021-01-01 10:00:00".to_owned(), "+02:00")));
        assert_eq!(iso("2021-01-01Z"), Some(("2021-01-01".to_owned(), "Z")));
        for text in ["", "25/03/2021", "2021-25-03", "2021-1-1", "20211", "2021-01-01 soon", "2021/01/01", "été"] {
            assert_eq!(iso(text), None, "{text}");
        }
        assert_eq!(ranked(&[3, 1, 3, 2], Ord::cmp), [2, 0, 2, 1]);
    }

    #[test]
    fn rare_classes_are_left_out_or_become_one() {
        let labels: Vec<String> = ["a", "a", "a", "b", "c", "c"].map(str::to_owned).to_vec();
        let found = without_rare(&labels, 3, RareClasses::Drop);
        assert_eq!((found.labels.iter().flatten().count(), found.dropped), (3, 3));
        let warning = found.warning.unwrap();
        assert_eq!(
            warning,
            "2 classes of fewer than 3 rows are left out, 3 rows in all (`min_class_rows`): 'c' (2 rows), 'b' (1 row)"
        );
        let found = without_rare(&labels, 3, RareClasses::Other);
        assert_eq!((found.labels[3].as_deref(), found.dropped), (Some("other"), 0));
        let found = without_rare(&labels[..5], 3, RareClasses::Other);
        assert!(found.warning.unwrap().contains("are left out, as together they have 2 rows only"));
        let taken: Vec<String> =
            labels.iter().map(|label| if label == "a" { "other".to_owned() } else { label.clone() }).collect();
        assert_eq!(without_rare(&taken, 3, RareClasses::Other).labels[3].as_deref(), Some("other_2"));
        assert!(without_rare(&labels, 1, RareClasses::Drop).warning.is_none());
    }
}
