//! Overlap: how many rows of one part have a duplicate, or a known value, in another; under the given split and under a
//! random split of rows.

use rayon::prelude::*;
use runner_results::profile::audit::{Overlap, PartOverlap};

use super::super::table::input::{Checked, TEST, TRAIN, VALID};
use super::keys::AuditKey;
use crate::progress::Cancelled;
use crate::rng::Stream;

/// Without a given split the random one puts this share of the rows into test, the rest into train.
const TEST_SHARE: f64 = 0.2;

pub(super) fn of_keys(input: &Checked, keys: &[AuditKey]) -> Result<Vec<Overlap>, Cancelled> {
    let mut random = match input.part {
        Some(part) => part.to_vec(),
        None => {
            let test = (input.rows as f64 * TEST_SHARE).round() as usize;
            (0..input.rows).map(|row| if row < test { TEST } else { TRAIN }).collect()
        }
    };
    Stream::new(input.seed, "profile: random split", 0).shuffle(&mut random);
    keys.par_iter()
        .map(|key| {
            input.go_on()?;
            Ok(Overlap {
                key: key.by.clone(),
                given: input.part.map(|part| of_key(key, part)),
                random: of_key(key, &random),
            })
        })
        .collect()
}

fn of_key(key: &AuditKey, part: &[u8]) -> PartOverlap {
    let mut sizes = [0u64; 3];
    for &part in part {
        sizes[usize::from(part)] += 1;
    }
    let (mut test_in_train, mut test_in_valid, mut valid_in_train) = (0, 0, 0);
    for rows in key.key.sets().iter() {
        let mut counts = [0u64; 3];
        for &row in rows {
            counts[usize::from(part[row as usize])] += 1;
        }
        let [train, valid, test] = counts;
        test_in_train += if train > 0 { test } else { 0 };
        test_in_valid += if valid > 0 { test } else { 0 };
        valid_in_train += if train > 0 { valid } else { 0 };
    }
    let share = |count: u64, of: u8, within: u8| {
        let (rows, known) = (sizes[usize::from(of)], sizes[usize::from(within)]);
        (rows > 0 && known > 0).then(|| count as f64 / rows as f64)
    };
    PartOverlap {
        test_in_train: share(test_in_train, TEST, TRAIN),
        test_in_valid: share(test_in_valid, TEST, VALID),
        valid_in_train: share(valid_in_train, VALID, TRAIN),
    }
}
