//! `Key`: one value per row as a dense code, so that equality of texts, numbers or whole rows is equality of integers.
//!
//! Codes count from 0 in the order of first occurrence: hash maps only look up, and never decide an order.

use std::collections::HashMap;
use std::hash::Hash;

use crate::progress::Cancelled;

/// The code of a row without a value.
pub(in crate::profile) const MISSING: u32 = u32::MAX;

/// `codes[i] < distinct`, or `MISSING`.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::profile) struct Key {
    pub(crate) codes: Vec<u32>,
    pub(crate) distinct: usize,
}

impl Key {
    /// Not-finite numbers are missing; -0 equals 0.
    pub(crate) fn of_numbers(values: &[f64]) -> Key {
        Key::of(values.iter().map(|&x| x.is_finite().then(|| (x + 0.0).to_bits())))
    }

    pub(crate) fn of_texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> Key {
        Key::of(values)
    }

    pub(crate) fn of<T: Hash + Eq>(values: impl Iterator<Item = Option<T>>) -> Key {
        let mut seen: HashMap<T, u32> = HashMap::new();
        let codes = values
            .map(|value| {
                value.map_or(MISSING, |value| {
                    let next = seen.len() as u32;
                    *seen.entry(value).or_insert(next)
                })
            })
            .collect();
        Key { codes, distinct: seen.len() }
    }

    /// The key of numbers that agree to `digits` significant digits. Values on two sides of a rounding step differ,
    /// however close: the price of hashing instead of comparing all pairs.
    pub(crate) fn of_rounded_numbers(values: &[f64], exact: &Key, digits: usize) -> Key {
        // Only distinct values are formatted. Formatting is exact, unlike a multiplication by a power of ten.
        let mut representative = vec![f64::NAN; exact.distinct];
        for (&code, &value) in exact.codes.iter().zip(values) {
            if code != MISSING {
                representative[code as usize] = value;
            }
        }
        let rounded = Key::of(representative.iter().map(|value| Some(format!("{:.*e}", digits - 1, value + 0.0))));
        let codes =
            exact.codes.iter().map(|&code| if code == MISSING { MISSING } else { rounded.codes[code as usize] });
        Key { codes: codes.collect(), distinct: rounded.distinct }
    }

    /// Rows are equal when they are in every one of `keys`, missing being equal to missing. Missing where all are.
    /// `go_on` is asked between two keys.
    pub(crate) fn all_of(
        keys: &[&Key],
        rows: usize,
        go_on: &dyn Fn() -> Result<(), Cancelled>,
    ) -> Result<Key, Cancelled> {
        let Some((first, rest)) = keys.split_first() else {
            return Ok(Key { codes: vec![MISSING; rows], distinct: 0 });
        };
        let mut joined = (*first).clone();
        for key in rest {
            // Rows that all differ already stay so, with the same codes.
            if joined.distinct == rows {
                break;
            }
            go_on()?;
            joined = Key::of(joined.codes.iter().zip(&key.codes).map(|(&a, &b)| {
                let missing = a == MISSING && b == MISSING;
                (!missing).then_some((a, b))
            }));
        }
        Ok(joined)
    }

    /// Two values: rows that have one here, and those that have none.
    pub(crate) fn presence(&self) -> Key {
        Key::of(self.codes.iter().map(|&code| Some(code == MISSING)))
    }

    /// Missing rows as one more value.
    pub(crate) fn with_missing_as_value(&self) -> Key {
        let mut known = vec![MISSING; self.distinct + 1];
        let mut distinct = 0;
        let codes = self.codes.iter().map(|&code| {
            let slot = &mut known[(code as usize).min(self.distinct)];
            if *slot == MISSING {
                *slot = distinct;
                distinct += 1;
            }
            *slot
        });
        Key { codes: codes.collect(), distinct: distinct as usize }
    }

    /// The rows of each value, ascending, in the order of codes.
    pub(crate) fn sets(&self) -> RowSets {
        let mut starts = vec![0usize; self.distinct + 1];
        for &code in &self.codes {
            if code != MISSING {
                starts[code as usize + 1] += 1;
            }
        }
        for i in 0..self.distinct {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let mut rows = vec![0u32; starts[self.distinct]];
        for (row, &code) in self.codes.iter().enumerate() {
            if code != MISSING {
                rows[next[code as usize]] = row as u32;
                next[code as usize] += 1;
            }
        }
        RowSets { starts, rows }
    }

    /// Pairs of rows with an equal value, Σ n(n−1)/2 over the values; missing counts as a value.
    pub(crate) fn equal_pairs(&self) -> f64 {
        let mut counts = vec![0u64; self.distinct + 1];
        for &code in &self.codes {
            counts[(code as usize).min(self.distinct)] += 1;
        }
        counts.iter().map(|&n| n as f64 * (n as f64 - 1.0) / 2.0).sum()
    }
}

/// Rows sorted by value: compressed lists, one per value.
pub(in crate::profile) struct RowSets {
    starts: Vec<usize>,
    rows: Vec<u32>,
}

impl RowSets {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        self.starts.windows(2).map(|bounds| &self.rows[bounds[0]..bounds[1]])
    }

    /// How many rows have a value.
    pub(crate) fn rows_with_value(&self) -> usize {
        self.rows.len()
    }
}

/// Connected groups: rows linked by an equal value of any key, transitively. Rows without a link are groups of one.
pub(in crate::profile) fn connected<'a>(keys: impl Iterator<Item = &'a Key>, rows: usize) -> Key {
    let mut parent: Vec<u32> = (0..rows as u32).collect();
    for key in keys {
        for set in key.sets().iter() {
            for pair in set.windows(2) {
                let (a, b) = (root(&mut parent, pair[0]), root(&mut parent, pair[1]));
                // The smaller row becomes the root, which keeps the result independent of the order of keys.
                parent[a.max(b) as usize] = a.min(b);
            }
        }
    }
    let roots: Vec<u32> = (0..rows as u32).map(|row| root(&mut parent, row)).collect();
    Key::of(roots.into_iter().map(Some))
}

fn root(parent: &mut [u32], mut row: u32) -> u32 {
    while parent[row as usize] != row {
        parent[row as usize] = parent[parent[row as usize] as usize];
        row = parent[row as usize];
    }
    row
}
