//! Which rows of two results are the same row: those of one number where both were computed from the same table, else those of the same content.
//!
//! A row's number counts the rows that were loaded, so that after a change of the file it may name another record.

use std::borrow::Borrow;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;

use crate::columns::{LABEL, PART, ROW_ID, integers, is_own, strings};
use runner_artifact::Hasher;
use runner_artifact::{Digest, Store};
use runner_engine::{ActionRecord, Entry, InputEntry};
use runner_engine::{OutputRecord, TableRecord};
use runner_results::comparison::Pairing;
use runner_tabular::canonical_number;

/// An ensemble of ensembles, and so on.
const DEEPEST: usize = 8;

/// One side: its record, those of the run that it is of, and the numbers of its rows.
pub(super) struct Rows<'a> {
    pub(crate) record: &'a ActionRecord,
    pub(crate) run: &'a [ActionRecord],
    pub(crate) row_id: &'a [i64],
}

/// Pairs of places in the lists of row numbers, in the order of B's numbers, and how they were found.
pub(super) fn pairs(store: &Store, a: &Rows, b: &Rows) -> anyhow::Result<(Vec<(usize, usize)>, Pairing)> {
    let by_number = |how: Pairing| {
        let keys = |side: &Rows| side.row_id.iter().copied().map(Some).collect::<Vec<_>>();
        (by_key(a.row_id, &keys(a), b.row_id, &keys(b)), how)
    };
    let Some((one, other)) = table_of(a.record, a.run, DEEPEST).zip(table_of(b.record, b.run, DEEPEST)) else {
        return Ok(by_number(Pairing::NumberUnchecked));
    };
    let common = common_columns(one.1, other.1);
    if same_rows(one.1, other.1) || common.is_empty() {
        return Ok(by_number(Pairing::Number));
    }
    let of_a = contents(store, one.0, a.row_id, &common)?;
    let of_b = contents(store, other.0, b.row_id, &common)?;
    Ok((by_key(a.row_id, &of_a, b.row_id, &of_b), Pairing::Content))
}

/// The k-th row of a key on one side with its k-th on the other, counted in the order of the numbers.
fn by_key<K: Eq + Hash>(ids_a: &[i64], a: &[Option<K>], ids_b: &[i64], b: &[Option<K>]) -> Vec<(usize, usize)> {
    let in_order = |ids: &[i64]| {
        let mut places: Vec<usize> = (0..ids.len()).collect();
        places.sort_by_key(|&place| ids[place]);
        places
    };
    let mut places: HashMap<&K, VecDeque<usize>> = HashMap::new();
    for i in in_order(ids_a) {
        a[i].iter().for_each(|key| places.entry(key).or_default().push_back(i));
    }
    let pair = |j: usize| Some((places.get_mut(b[j].as_ref()?)?.pop_front()?, j));
    in_order(ids_b).into_iter().filter_map(pair).collect()
}

/// The table that a learner read its rows from, of an ensemble that of its first member: the one with the columns that its manifest counts.
fn table_of<'r, R: Borrow<ActionRecord>>(
    learner: &ActionRecord,
    run: &'r [R],
    deepest: usize,
) -> Option<(&'r OutputRecord, &'r TableRecord)> {
    let digest = |port: &str, wanted: &str| {
        learner.manifest.entries().iter().find_map(|(entry, digest)| match entry {
            Entry::Input(input, InputEntry::Column(column)) if input.port == port && column == wanted => {
                Some(digest.clone())
            }
            _ => None,
        })
    };
    let has = |table: &TableRecord, column: &str, wanted: &str| {
        table.columns.iter().any(|(name, digest)| name == column && digest.to_string() == wanted)
    };
    let find = |port: &str| {
        let (rows, labels) = (digest(port, ROW_ID)?, digest(port, LABEL)?);
        run.iter().map(Borrow::borrow).find_map(|record: &ActionRecord| {
            let outputs = record.outputs.iter().filter_map(|output| Some((output, output.table.as_ref()?)));
            let mut own = outputs.filter(|(_, table)| has(table, ROW_ID, &rows) && has(table, LABEL, &labels));
            own.next().map(|found| (record, found))
        })
    };
    match find("rows") {
        Some((_, found)) => Some(found),
        None if deepest == 0 => None,
        None => table_of(find("members")?.0, run, deepest - 1),
    }
}

/// What tells the split apart by which a learner's rows have their parts.
pub(super) fn split_of<R: Borrow<ActionRecord>>(learner: &ActionRecord, run: &[R]) -> Option<Digest> {
    let (_, table) = table_of(learner, run, DEEPEST)?;
    table.columns.iter().find(|(name, _)| name == PART).map(|(_, digest)| *digest)
}

fn own_columns(table: &TableRecord) -> impl Iterator<Item = (&String, &Digest)> {
    table.columns.iter().filter(|(name, _)| is_own(name) || name == ROW_ID).map(|(name, digest)| (name, digest))
}

/// Whether both have the same rows under the same numbers, by digests alone.
fn same_rows(a: &TableRecord, b: &TableRecord) -> bool {
    own_columns(a).collect::<HashMap<_, _>>() == own_columns(b).collect::<HashMap<_, _>>()
}

fn common_columns(a: &TableRecord, b: &TableRecord) -> Vec<String> {
    let of_b: Vec<&String> = own_columns(b).map(|(name, _)| name).collect();
    let mut common: Vec<String> =
        (own_columns(a).map(|(name, _)| name)).filter(|name| *name != ROW_ID && of_b.contains(name)).cloned().collect();
    common.sort_unstable();
    common
}

/// What these columns hold in the rows of these numbers. A number counts in one spelling, as the type of a column may be another in another file.
fn contents(
    store: &Store,
    output: &OutputRecord,
    ids: &[i64],
    columns: &[String],
) -> anyhow::Result<Vec<Option<Digest>>> {
    let table = output.reader(store)?.read()?;
    let place: HashMap<i64, usize> = integers(&table, ROW_ID)?.into_iter().zip(0..).collect();
    let mut hashers: Vec<Option<Hasher>> = ids.iter().map(|id| place.get(id).map(|_| Hasher::new())).collect();
    for column in columns {
        let values = strings(&table, column)?;
        for (id, hasher) in ids.iter().zip(&mut hashers) {
            let (Some(hasher), Some(&row)) = (hasher, place.get(id)) else { continue };
            match &values[row] {
                Some(value) => hasher.field(b"1").field(canonical_number(value).as_ref().unwrap_or(value).as_bytes()),
                None => hasher.field(b"0"),
            };
        }
    }
    Ok(hashers.into_iter().map(|hasher| hasher.map(|hasher| hasher.finish())).collect())
}
