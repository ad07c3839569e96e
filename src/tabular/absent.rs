//! Cells that a token makes missing: which tokens, in how many rows, and where. Of a label they take the row out of the data.

use arrow::array::StringArray;
use indexmap::IndexMap;

use super::missing::Missing;
use super::words::{RowPlace, places, quoted, row_count};

/// Why rows have no label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlabelled {
    /// How many, why, and what to do about tokens that are classes, in words.
    pub told: String,
    /// The first tokens that stand there for a missing value.
    pub tokens: Vec<String>,
}

/// Tokens and columns that a note lists.
const LISTED: usize = 5;

/// The rows of a text column whose cell is a missing token.
pub(super) struct Absent {
    column: String,
    /// By token; blank cells only of a label.
    rows: IndexMap<String, Vec<usize>>,
}

/// Where rows come from, and which are still there.
pub(super) struct Rows<'a> {
    pub(crate) keep: &'a [bool],
    /// The number of each row's file.
    pub(crate) source: &'a [usize],
    pub(crate) place: &'a dyn Fn(usize) -> RowPlace<'a>,
}

impl Absent {
    pub(crate) fn new(column: &str, text: &StringArray, missing: &[String], is_label: bool) -> Self {
        let mut rows: IndexMap<String, Vec<usize>> = IndexMap::new();
        for (row, cell) in text.iter().enumerate() {
            let Some(token) = cell.map(str::trim) else { continue };
            let counts = if token.is_empty() { is_label } else { missing.iter().any(|missing| missing == token) };
            if counts {
                match rows.get_mut(token) {
                    Some(rows) => rows.push(row),
                    None => drop(rows.insert(token.to_owned(), vec![row])),
                }
            }
        }
        Absent { column: column.to_owned(), rows }
    }

    /// Forgets the rows that a filter took out.
    fn retain(&mut self, keep: &[bool]) {
        self.rows.values_mut().for_each(|rows| rows.retain(|&row| keep[row]));
        self.rows.retain(|_, rows| !rows.is_empty());
    }

    fn count(&self) -> usize {
        self.rows.values().map(Vec::len).sum()
    }

    /// What to say of the label, in notes: which rows have none, although their file has labels.
    pub(crate) fn unlabelled(mut self, rows: &Rows, missing: &Missing) -> Option<Unlabelled> {
        self.retain(rows.keep);
        // A file without a single label holds rows to predict; it is no news that these are blank.
        let files = rows.source.iter().max().map_or(0, |last| last + 1);
        let (mut all, mut blank) = (vec![0usize; files], vec![0usize; files]);
        rows.source.iter().zip(rows.keep).filter(|(_, keep)| **keep).for_each(|(&file, _)| all[file] += 1);
        self.rows.get("").into_iter().flatten().for_each(|&row| blank[rows.source[row]] += 1);
        if let Some(cells) = self.rows.get_mut("") {
            cells.retain(|&row| blank[rows.source[row]] < all[rows.source[row]]);
        }
        self.rows.retain(|_, rows| !rows.is_empty());
        if self.rows.is_empty() {
            return None;
        }
        let (column, count) = (&self.column, self.count());
        let mut parts: Vec<String> = Vec::new();
        let mut tokens: Vec<&str> = Vec::new();
        for (token, cells) in self.rows.iter().take(LISTED) {
            let is_one = cells.len() == 1;
            let said = match token.as_str() {
                "" => if is_one { "is blank" } else { "are blank" }.to_owned(),
                token => {
                    tokens.push(token);
                    let verb = if is_one { "says" } else { "say" };
                    format!("{verb} {}, which stands for a missing value", quoted(token))
                }
            };
            parts.push(format!("{} {said} ({})", cells.len(), places(cells.iter().map(|&row| (rows.place)(row)))));
        }
        if self.rows.len() > LISTED {
            let more = self.rows.len() - LISTED;
            parts.push(format!("{more} more {}", if more == 1 { "token" } else { "tokens" }));
        }
        let remedy = match tokens.as_slice() {
            [] => String::new(),
            tokens => format!("; for classes of these names write {}", missing.changed(column, &[], tokens)),
        };
        let noun = if count == 1 { "row has" } else { "rows have" };
        let parts = parts.join("; ");
        let told = format!("label '{column}': {count} {noun} none and cannot be learnt from: {parts}{remedy}");
        Some(Unlabelled { told, tokens: tokens.into_iter().map(str::to_owned).collect() })
    }

    /// What to say of all text columns beside the label, in one note.
    pub(crate) fn text_note(columns: Vec<Absent>, rows: &Rows, missing: &Missing) -> Option<String> {
        let mut parts = Vec::new();
        let mut first = None;
        let mut count = 0usize;
        for mut column in columns {
            column.retain(rows.keep);
            let Some((token, cells)) = column.rows.first() else { continue };
            count += 1;
            if parts.len() < LISTED {
                let place = places(cells.iter().take(1).map(|&row| (rows.place)(row)));
                parts.push(format!(
                    "'{}' in {} (e.g. {} at {place})",
                    column.column,
                    row_count(column.count()),
                    quoted(token)
                ));
                first.get_or_insert_with(|| missing.changed(&column.column, &[], &[token]));
            }
        }
        let remedy = first?;
        let more = match count.saturating_sub(parts.len()) {
            0 => String::new(),
            1 => " and 1 more column".to_owned(),
            more => format!(" and {more} more columns"),
        };
        Some(format!(
            "words that stand for a missing value are taken so in {}{more} (to keep them as texts: {remedy})",
            parts.join(", ")
        ))
    }
}
