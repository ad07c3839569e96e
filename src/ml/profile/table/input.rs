//! What a profile is made of, its checks, and the per-column preparation that all statistics share.

use indexmap::IndexMap;
use rayon::prelude::*;

use super::error::ProfileError;
use super::key::{Key, connected};
use super::options::ProfileOptions;
use crate::frame::{Column, Frame};
use crate::progress::{Cancelled, Progress};

/// Part codes of `ProfileInput::part`.
pub const TRAIN: u8 = 0;
/// The validation part.
pub const VALID: u8 = 1;
/// The test part.
pub const TEST: u8 = 2;

/// A table with its labels and whatever is known of its groups, its split and where its rows come from.
#[derive(Clone, Debug)]
pub struct ProfileInput<'a> {
    /// Numeric and text columns, without the label.
    pub frame: &'a Frame,
    /// One index into `classes` per row; `None` where the label is unknown.
    pub label: &'a [Option<u32>],
    /// Names of the labels.
    pub classes: &'a [String],
    /// One of `TRAIN`, `VALID`, `TEST` per row, when a split is at hand.
    pub part: Option<&'a [u8]>,
    /// Named keys with one value per row, e.g. `track_id` or `track_name + track_artist`: rows with an equal key are one
    /// thing. The first key counts as the identity that near-duplicates are held against. `None` links to nothing.
    pub groups: IndexMap<String, Vec<Option<String>>>,
    /// Where rows come from, to point at them; without it they are called `row 1`, `row 2`, …
    pub origins: Option<Origins<'a>>,
    /// Seed of the sampled points, the folds and the hypothetical random split.
    pub seed: u64,
}

/// For each row the name of its source, e.g. `train.csv`, and the 1-based line where it starts there.
#[derive(Clone, Copy, Debug)]
pub struct Origins<'a> {
    /// For each row the file that it is from.
    pub source: &'a [String],
    /// For each row its line in that file.
    pub line: &'a [u64],
}

/// A checked input with what several statistics need of each column. Exists only if valid.
pub(in crate::profile) struct Checked<'a> {
    pub(crate) rows: usize,
    pub(crate) labelled: usize,
    pub(crate) label: &'a [Option<u32>],
    pub(crate) classes: &'a [String],
    pub(crate) part: Option<&'a [u8]>,
    pub(crate) columns: Vec<PreparedColumn<'a>>,
    pub(crate) groups: Vec<Group<'a>>,
    /// Rows linked by any group key, transitively; `None` without group keys.
    pub(crate) connected: Option<Key>,
    pub(crate) origins: Option<Origins<'a>>,
    pub(crate) seed: u64,
    pub(crate) options: &'a ProfileOptions,
    progress: &'a dyn Progress,
}

pub(in crate::profile) struct PreparedColumn<'a> {
    pub(crate) name: &'a str,
    pub(crate) data: ColumnData<'a>,
    pub(crate) key: Key,
}

pub(in crate::profile) enum ColumnData<'a> {
    /// `order`: the rows with finite values by ascending value, then by row.
    Numeric {
        values: &'a [f64],
        order: Vec<u32>,
    },
    Text(&'a [Option<String>]),
}

pub(in crate::profile) struct Group<'a> {
    pub name: &'a str,
    pub(crate) values: &'a [Option<String>],
    pub(crate) key: Key,
}

impl<'a> Checked<'a> {
    pub(crate) fn new(
        input: &'a ProfileInput,
        options: &'a ProfileOptions,
        progress: &'a dyn Progress,
    ) -> Result<Self, ProfileError> {
        options.check()?;
        let rows = input.frame.rows;
        if rows == 0 {
            return Err(ProfileError::Empty);
        }
        if rows >= u32::MAX as usize {
            return Err(ProfileError::TooManyRows(rows));
        }
        check_lengths(input, rows)?;
        check_codes(input)?;
        check_near_duplicate_columns(input.frame, options)?;
        let named: Vec<(&String, &Column)> = input.frame.columns.iter().collect();
        let columns = named
            .into_par_iter()
            .map(|(name, column)| {
                progress.go_on()?;
                prepare(name, column)
            })
            .collect::<Result<_, _>>()?;
        let groups: Vec<Group> = input
            .groups
            .iter()
            .map(|(name, values)| {
                progress.go_on()?;
                Ok(Group { name, values, key: Key::of_texts(values.iter().map(Option::as_deref)) })
            })
            .collect::<Result<_, Cancelled>>()?;
        Ok(Checked {
            rows,
            labelled: input.label.iter().flatten().count(),
            label: input.label,
            classes: input.classes,
            part: input.part,
            columns,
            connected: (!groups.is_empty()).then(|| connected(groups.iter().map(|group| &group.key), rows)),
            groups,
            origins: input.origins,
            seed: input.seed,
            options,
            progress,
        })
    }

    /// An error once the user wants to stop; every loop over columns, keys or pairs asks.
    pub(crate) fn go_on(&self) -> Result<(), Cancelled> {
        self.progress.go_on()
    }

    /// The numeric columns as (position in the table, name, values, order).
    pub(crate) fn numeric(&self) -> impl Iterator<Item = (&PreparedColumn<'a>, &'a [f64], &[u32])> {
        self.columns.iter().filter_map(|column| match &column.data {
            ColumnData::Numeric { values, order } => Some((column, *values, order.as_slice())),
            ColumnData::Text(_) => None,
        })
    }
}

fn prepare<'a>(name: &'a str, column: &'a Column) -> Result<PreparedColumn<'a>, ProfileError> {
    match column {
        Column::Numeric(values) => {
            let mut order: Vec<u32> = (0..values.len() as u32).filter(|&i| values[i as usize].is_finite()).collect();
            order.sort_unstable_by(|&a, &b| values[a as usize].total_cmp(&values[b as usize]).then(a.cmp(&b)));
            Ok(PreparedColumn { name, key: Key::of_numbers(values), data: ColumnData::Numeric { values, order } })
        }
        Column::Text(values) => Ok(PreparedColumn {
            name,
            key: Key::of_texts(values.iter().map(Option::as_deref)),
            data: ColumnData::Text(values),
        }),
        Column::Vector { .. } | Column::Tokens { .. } => Err(ProfileError::Vector(name.into())),
    }
}

fn check_lengths(input: &ProfileInput, rows: usize) -> Result<(), ProfileError> {
    let check = |what: String, found: usize| {
        if found == rows { Ok(()) } else { Err(ProfileError::Length { what, found, rows }) }
    };
    for (name, column) in &input.frame.columns {
        check(format!("column '{name}'"), column.len())?;
    }
    check("the label".into(), input.label.len())?;
    for (name, values) in &input.groups {
        check(format!("group key '{name}'"), values.len())?;
    }
    if let Some(part) = input.part {
        check("the split".into(), part.len())?;
    }
    if let Some(origins) = input.origins {
        check("the list of sources".into(), origins.source.len())?;
        check("the list of lines".into(), origins.line.len())?;
    }
    Ok(())
}

fn check_codes(input: &ProfileInput) -> Result<(), ProfileError> {
    let classes = input.classes.len();
    for (i, label) in input.label.iter().enumerate() {
        if let Some(label) = *label
            && label as usize >= classes
        {
            return Err(ProfileError::Label { row: i + 1, label, classes });
        }
    }
    for (i, &part) in input.part.unwrap_or_default().iter().enumerate() {
        if part > TEST {
            return Err(ProfileError::Part { row: i + 1, part });
        }
    }
    Ok(())
}

fn check_near_duplicate_columns(frame: &Frame, options: &ProfileOptions) -> Result<(), ProfileError> {
    for name in &options.near_duplicate_columns {
        if frame.text(name).is_none() {
            let texts = frame.columns.iter().filter(|(_, column)| matches!(column, Column::Text(_)));
            let known: Vec<&str> = texts.map(|(name, _)| name.as_str()).collect();
            let known = if known.is_empty() { "none".into() } else { known.join(", ") };
            return Err(ProfileError::NearDuplicateColumn { name: name.clone(), known });
        }
    }
    Ok(())
}
