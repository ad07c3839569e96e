//! Connected groups of rows that share keys, by union-find.

use std::collections::HashMap;
use std::hash::Hash;

/// The connected group of every row, numbered from 0 by first occurrence.
///
/// `groups` holds for each group column one key per row, `None` where the row is linked to no other. Rows with an equal
/// key in the same column are linked, and links are transitive. Columns longer than `rows` are cut.
pub fn connected_groups(rows: usize, groups: &[Vec<Option<&str>>]) -> Vec<u32> {
    let mut parent: Vec<usize> = (0..rows).collect();
    for keys in groups {
        let mut first: HashMap<&str, usize> = HashMap::new();
        for (row, key) in keys.iter().enumerate().take(rows) {
            if let Some(key) = key {
                let earlier = *first.entry(key).or_insert(row);
                let (a, b) = (root(&mut parent, earlier), root(&mut parent, row));
                // The smaller root wins, so that the result does not depend on the order of the columns.
                parent[a.max(b)] = a.min(b);
            }
        }
    }
    let roots: Vec<usize> = (0..rows).map(|row| root(&mut parent, row)).collect();
    renumbered(&roots)
}

/// The same grouping with numbers from 0 by first occurrence.
pub(super) fn renumbered<T: Copy + Eq + Hash>(group: &[T]) -> Vec<u32> {
    let mut numbers: HashMap<T, u32> = HashMap::new();
    group
        .iter()
        .map(|group| {
            let next = numbers.len() as u32;
            *numbers.entry(*group).or_insert(next)
        })
        .collect()
}

/// The root of a row's tree, halving the path on the way (Tarjan and van Leeuwen 1984).
fn root(parent: &mut [usize], mut row: usize) -> usize {
    while parent[row] != row {
        parent[row] = parent[parent[row]];
        row = parent[row];
    }
    row
}
