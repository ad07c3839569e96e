//! Trees as a few long arrays, to keep them.
//!
//! | array | holds |
//! |---|---|
//! | `trees` | nodes of each tree |
//! | `columns` | by node: 0 for a leaf, else 1 + the column of its split |
//! | `cut_codes`, `missing_left` | by split: the last code that goes left, and whether a missing value does |
//! | `sets` | by split: 0, or of a split of categories 1 + the number of the set of codes that go left; absent where there are none |
//! | `set_codes` | 32 bytes for each different set, the lowest bit of the first for code 0 |
//! | `leaves` | by leaf: its row in `leaf_values` |
//! | `leaf_values` | the different values that leaves have, each once |
//!
//! The nodes of a tree come level by level, so that the children of its n-th split (from 0) are its nodes 2n + 1 and 2n + 2
//! and no pointer is needed. Most leaves of a full-grown forest are of one class only and share their values: a node takes
//! two or three bytes.

use std::collections::HashMap;

use super::tree::{Place, Set, Split, Tree};
use crate::classical::Width;
use crate::classical::arrays::{ArrayError, Arrays};

/// Writes trees whose leaves have `width` values each.
pub(crate) fn put(trees: &[Tree], width: usize, arrays: &mut Arrays) {
    let sizes: Vec<u32> = trees.iter().map(|tree| tree.len() as u32).collect();
    let (mut columns, mut cuts, mut missing_left, mut leaves) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut sets, mut different, mut known_sets) = (Vec::new(), Vec::<Set>::new(), HashMap::<Set, u32>::new());
    let (mut values, mut known, mut bits) = (Vec::new(), HashMap::<Vec<u32>, u32>::new(), Vec::new());
    for tree in trees {
        let mut order = vec![0];
        for next in 0..tree.len() {
            match tree.at(order[next]) {
                Place::Split(split, children) => {
                    columns.push(split.column + 1);
                    cuts.push(u32::from(split.cut));
                    missing_left.push(u32::from(split.missing_left));
                    sets.push(split.set.map_or(0, |set| {
                        *known_sets.entry(set).or_insert_with(|| {
                            different.push(set);
                            different.len() as u32
                        })
                    }));
                    order.extend(children);
                }
                Place::Leaf(own) => {
                    columns.push(0);
                    bits.clear();
                    bits.extend(own.iter().map(|value| value.to_bits()));
                    let number = known.get(&bits).copied().unwrap_or_else(|| {
                        let number = known.len() as u32;
                        known.insert(bits.clone(), number);
                        values.extend_from_slice(own);
                        number
                    });
                    leaves.push(number);
                }
            }
        }
    }
    arrays.put_whole("trees", &sizes);
    arrays.put_whole("columns", &columns);
    arrays.put_whole("cut_codes", &cuts);
    arrays.put_whole("missing_left", &missing_left);
    if !different.is_empty() {
        arrays.put_whole("sets", &sets);
        let bytes = different.iter().flat_map(Set::bytes).map(u32::from);
        arrays.put_whole("set_codes", &bytes.collect::<Vec<_>>());
    }
    arrays.put_whole("leaves", &leaves);
    arrays.put_f32("leaf_values", &[known.len(), width], &values);
}

/// Reads them back; their splits look at columns of rows of that shape.
pub(crate) fn take(arrays: &mut Arrays, width: usize, shape: Width) -> Result<Vec<Tree>, ArrayError> {
    let sizes = arrays.take_whole("trees", None, usize::MAX)?;
    let nodes = arrays.take_whole("columns", None, shape.columns + shape.categories + 1)?;
    let splits = nodes.iter().filter(|&&column| column > 0).count();
    let cuts = arrays.take_whole("cut_codes", Some(splits), 256)?;
    let missing_left = arrays.take_whole("missing_left", Some(splits), 2)?;
    let (mut sets, mut different) = (vec![0; splits], Vec::new());
    if arrays.has("sets") {
        let bytes: Vec<u8> = arrays.take_whole("set_codes", None, 256)?.into_iter().map(|byte| byte as u8).collect();
        different = bytes.as_chunks().0.iter().map(Set::of_bytes).collect();
        sets = arrays.take_whole("sets", Some(splits), different.len() + 1)?;
    }
    let values = arrays.take_f32("leaf_values", &[None, Some(width)])?;
    let distinct = values.len() / width.max(1);
    let leaves = arrays.take_whole("leaves", Some(nodes.len() - splits), distinct)?;
    if sizes.iter().map(|&size| u64::from(size)).sum::<u64>() != nodes.len() as u64 {
        return Err(ArrayError::unfit("trees", format!("does not share out the {} nodes", nodes.len())));
    }

    let (mut nodes, mut leaves) = (nodes.as_slice(), leaves.iter());
    let mut splits = cuts.iter().zip(&missing_left).zip(&sets);
    let mut trees = Vec::with_capacity(sizes.len());
    for (number, &size) in sizes.iter().enumerate() {
        let (own, rest) = nodes.split_at(size as usize);
        nodes = rest;
        let broken = || ArrayError::unfit("columns", format!("does not make a tree of tree {number}"));
        let mut tree = Tree::new(width);
        for (node, &column) in own.iter().enumerate() {
            if node >= tree.len() {
                return Err(broken());
            }
            if column == 0 {
                let first = *leaves.next().ok_or_else(broken)? as usize * width;
                tree.set_leaf(node, values[first..first + width].iter().copied());
            } else {
                let ((&cut, &missing_left), &set) = splits.next().ok_or_else(broken)?;
                let set = set.checked_sub(1).map(|set| different[set as usize]);
                tree.split(node, Split { column: column - 1, cut: cut as u8, missing_left: missing_left == 1, set });
            }
        }
        if own.len() != tree.len() {
            return Err(broken());
        }
        trees.push(tree);
    }
    Ok(trees)
}
