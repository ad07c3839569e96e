//! What the statistics promise, held against simulated rows: how often intervals cover, and how often tests reject what is true.

use super::bootstrap::bootstrap_interval;
use super::{Bootstrap, Clusters, paired_bootstrap, paired_test};
use crate::rng::Stream;

const STUDIES: u64 = 1_000;

/// Which rows a classifier gets right: a group's share is drawn around the mean, as songs of one artist are all easy or all hard.
fn right(stream: &mut Stream, groups: usize, size: usize, mean: f64, spread: f64) -> Vec<f64> {
    let mut rows = Vec::with_capacity(groups * size);
    for _ in 0..groups {
        // Two kinds of groups keep the mean exact.
        let share = if stream.uniform() < 0.5 { mean - spread } else { mean + spread };
        rows.extend((0..size).map(|_| f64::from(u8::from(stream.uniform() < share))));
    }
    rows
}

fn clusters(groups: usize, size: usize) -> Clusters {
    Clusters::of(&(0..groups * size).map(|row| row / size).collect::<Vec<_>>())
}

/// The share of the studies in which the interval of the accuracy holds the truth.
fn coverage(groups: usize, size: usize, spread: f64, how: impl Fn(usize) -> Clusters) -> f64 {
    let drawing = Bootstrap { resamples: 400, ..Bootstrap::default() };
    let covered = (0..STUDIES).filter(|&study| {
        let mut stream = Stream::new(1, "coverage", study);
        let rows = right(&mut stream, groups, size, 0.6, spread);
        let mean = |drawn: &[usize]| drawn.iter().map(|&row| rows[row]).sum::<f64>() / drawn.len() as f64;
        let found = bootstrap_interval(&how(rows.len()), &drawing, mean).unwrap();
        found.low <= 0.6 && 0.6 <= found.high
    });
    covered.count() as f64 / STUDIES as f64
}

#[test]
fn intervals_cover_what_they_say() {
    for groups in [15, 40] {
        let found = coverage(groups, 10, 0.3, |_| clusters(groups, 10));
        assert!((0.93..=0.97).contains(&found), "{groups} groups of ten: {found}");
    }
    let found = coverage(200, 1, 0.0, Clusters::singles);
    assert!((0.93..=0.97).contains(&found), "single rows: {found}");
    // What is mended: rows of groups drawn one by one.
    let found = coverage(40, 10, 0.3, Clusters::singles);
    assert!(found < 0.85, "groups drawn row by row: {found}");
}

/// Groups of geometric size, 5 on average, whose rows are right with this correlation: of each row as often as of those before it in its group
/// (Pólya's urn, whose sums are beta-binomial).
fn correlated(stream: &mut Stream, groups: usize, mean: f64, correlation: f64) -> (Clusters, Vec<bool>) {
    let (mut numbers, mut right) = (Vec::new(), Vec::new());
    for group in 0..groups {
        let (mut size, mut hits) = (0.0, 0.0);
        loop {
            // An urn of (1 − ρ) / ρ balls to begin with.
            let chance = match correlation {
                0.0 => mean,
                rho => (mean * (1.0 - rho) / rho + hits) / ((1.0 - rho) / rho + size),
            };
            let is_right = stream.uniform() < chance;
            numbers.push(group);
            right.push(is_right);
            (size, hits) = (size + 1.0, hits + f64::from(u8::from(is_right)));
            if stream.uniform() < 0.2 {
                break;
            }
        }
    }
    (Clusters::of(&numbers), right)
}

#[test]
fn intervals_of_accuracies_cover_where_errors_are_clustered_and_rare() {
    let mut all = Vec::new();
    for groups in [30, 60, 120] {
        for mean in [0.7, 0.9, 0.95] {
            for correlation in [0.0, 0.3, 0.7] {
                let covered = (0..STUDIES).filter(|&study| {
                    let mut stream = Stream::new(3, "clustered errors", study);
                    let (clusters, right) = correlated(&mut stream, groups, mean, correlation);
                    let found = clusters.share(|row| right[row], 0.95).unwrap();
                    found.low <= mean && mean <= found.high
                });
                let share = covered.count() as f64 / STUDIES as f64;
                all.push(((groups, mean, correlation), share));
            }
        }
    }
    let bad: Vec<_> = all.iter().filter(|(_, share)| !(0.93..=0.985).contains(share)).collect();
    assert!(bad.is_empty(), "{bad:?} of {all:?}");
    // What is mended: percentiles of resampled groups.
    let drawing = Bootstrap { resamples: 200, ..Bootstrap::default() };
    let covered = (0..STUDIES).filter(|&study| {
        let mut stream = Stream::new(3, "clustered errors", study);
        let (clusters, right) = correlated(&mut stream, 30, 0.95, 0.7);
        let mean = |drawn: &[usize]| drawn.iter().filter(|row| right[**row]).count() as f64 / drawn.len() as f64;
        let found = bootstrap_interval(&clusters, &drawing, mean).unwrap();
        found.low <= 0.95 && 0.95 <= found.high
    });
    let found = covered.count() as f64 / STUDIES as f64;
    assert!(found < 0.91, "percentiles: {found}");
}

/// The share of the studies in which two equally good classifiers are told apart at 5 %, by the test and by the interval of the difference.
fn false_alarms(groups: usize, size: usize, by: &Clusters) -> (f64, f64) {
    let drawing = Bootstrap { resamples: 400, ..Bootstrap::default() };
    let (mut tests, mut intervals) = (0, 0);
    for study in 0..STUDIES {
        let mut stream = Stream::new(2, "false alarms", study);
        // Each has its own easy and hard groups.
        let (a, b) = (right(&mut stream, groups, size, 0.6, 0.3), right(&mut stream, groups, size, 0.6, 0.3));
        tests += u64::from(paired_test(by, |row| (a[row] == 1.0, b[row] == 1.0)).p < 0.05);
        intervals += u64::from(paired_bootstrap(&a, &b, by, &drawing).unwrap().excludes_zero());
    }
    (tests as f64 / STUDIES as f64, intervals as f64 / STUDIES as f64)
}

#[test]
fn equal_classifiers_are_told_apart_as_rarely_as_promised() {
    let by_groups = false_alarms(40, 10, &clusters(40, 10));
    assert!((0.03..=0.07).contains(&by_groups.0) && (0.03..=0.07).contains(&by_groups.1), "{by_groups:?}");
    let alone = false_alarms(200, 1, &Clusters::singles(200));
    assert!((0.03..=0.07).contains(&alone.0) && (0.03..=0.07).contains(&alone.1), "{alone:?}");
    let by_rows = false_alarms(40, 10, &Clusters::singles(400));
    assert!(by_rows.0 > 0.15, "McNemar's test of grouped rows: {by_rows:?}");
}
