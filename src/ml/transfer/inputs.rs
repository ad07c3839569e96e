//! What the networks of a transfer are given: the old preparation, wide enough for new category values, and a share of
//! the new classes' rows.

use std::collections::BTreeMap;

use crate::preprocess::{InputError, Preprocessing};
use crate::rng::Stream;
use crate::train::Data;

/// The old network's preparation, with a number for each category value that it does not know and `least` of `rows` hold.
pub(crate) fn widened(
    old: &Preprocessing,
    data: &Data,
    rows: &[usize],
    least: usize,
) -> Result<Preprocessing, InputError> {
    let mut wide = old.clone();
    for column in &mut wide.categories {
        let name = &column.name;
        let all = data.frame.categories(name).ok_or_else(|| InputError::Missing(name.clone()))?;
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for value in rows.iter().filter_map(|&row| all[row].as_deref()) {
            *counts.entry(value).or_default() += 1;
        }
        let known = |value: &str| column.values.binary_search_by(|known| known.as_str().cmp(value)).is_ok();
        let new = counts.into_iter().filter(|(value, count)| *count >= least && !known(value));
        let new: Vec<String> = new.map(|(value, _)| value.to_owned()).collect();
        column.values.extend(new);
        column.values.sort_unstable();
    }
    Ok(wide)
}

/// The training rows with only a share of each new class's, at least one of them. The rows of a lesser share are among
/// those of a greater one with the same seed.
pub(crate) fn part_of_new(data: &Data, old_classes: &[String], share: f64, seed: u64) -> Vec<usize> {
    let mut kept = vec![true; data.train.len()];
    for (label, class) in data.classes.iter().enumerate().filter(|(_, class)| !old_classes.contains(class)) {
        let own: Vec<usize> = (0..kept.len()).filter(|&i| data.labels[data.train[i]] as usize == label).collect();
        let wanted = (share * own.len() as f64).ceil().max(1.0) as usize;
        let order = Stream::new(seed, &format!("share of {class}"), 0).permutation(own.len());
        order.into_iter().skip(wanted).for_each(|i| kept[own[i]] = false);
    }
    data.train.iter().zip(kept).filter(|(_, kept)| *kept).map(|(row, _)| *row).collect()
}
