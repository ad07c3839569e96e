//! Several classifiers on the same rows: every pair's differences from the same resamples, a paired test, and Holm's correction over all pairs.

use serde::{Deserialize, Serialize};

use super::bootstrap::percentiles;
use super::{Bootstrap, Clusters, Interval, Test, holm, paired_test};
use crate::progress::{Cancelled, Progress};
use crate::rng::Stream;

/// Two of the classifiers, by their numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Duel {
    pub a: usize,
    pub b: usize,
    /// Of B's accuracy minus A's.
    pub accuracy: Interval,
    /// Of B's macro-F1 minus A's.
    pub macro_f1: Interval,
    /// See [`paired_test`].
    pub test: Test,
    /// The test's p after Holm's correction over all pairs.
    pub adjusted_p: f64,
}

/// Every pair of `predicted`, in order. `truth` and each of `predicted` hold class numbers below `classes` of the same rows; nothing without rows.
///
/// All pairs see the same resamples, so that one pass over the rows serves every pair. Nothing where all rows are of one group.
pub fn contest(
    truth: &[u32],
    predicted: &[Vec<u32>],
    classes: usize,
    clusters: &Clusters,
    how: &Bootstrap,
    progress: &dyn Progress,
) -> Result<Vec<Duel>, Cancelled> {
    let fits = |said: &Vec<u32>| said.len() == truth.len() && truth.len() == clusters.rows();
    if !clusters.can_vary() || how.resamples == 0 || !predicted.iter().all(fits) {
        return Ok(Vec::new());
    }
    let cells: Vec<Vec<u32>> = predicted.iter().map(|said| cells(truth, said, classes)).collect();
    let all: Vec<usize> = (0..truth.len()).collect();
    let estimates: Vec<[f64; 2]> = cells.iter().map(|cells| scores(&all, cells, classes)).collect();
    let mut resampled: Vec<Vec<[f64; 2]>> = vec![Vec::with_capacity(how.resamples); predicted.len()];
    let mut drawn = Vec::with_capacity(truth.len());
    for resample in 0..how.resamples {
        progress.go_on()?;
        let mut stream = Stream::new(how.seed, "bootstrap", resample as u64);
        clusters.draw(&mut stream, &mut drawn);
        for (own, cells) in resampled.iter_mut().zip(&cells) {
            own.push(scores(&drawn, cells, classes));
        }
    }
    let mut duels = Vec::new();
    for a in 0..predicted.len() {
        for b in a + 1..predicted.len() {
            let difference = |metric: usize| {
                let pairs = resampled[b].iter().zip(&resampled[a]);
                let distribution = pairs.map(|(b, a)| b[metric] - a[metric]).collect();
                percentiles(estimates[b][metric] - estimates[a][metric], distribution, clusters, how.level)
            };
            let right = |said: &[u32], row: usize| said[row] == truth[row];
            let test = paired_test(clusters, |row| (right(&predicted[a], row), right(&predicted[b], row)));
            let adjusted_p = test.p;
            let accuracy = clusters.difference(difference(0), how.level);
            duels.push(Duel { a, b, accuracy, macro_f1: difference(1), test, adjusted_p });
        }
    }
    let adjusted = holm(&duels.iter().map(|duel| duel.test.p).collect::<Vec<_>>());
    duels.iter_mut().zip(adjusted).for_each(|(duel, p)| duel.adjusted_p = p);
    Ok(duels)
}

/// The cell of the confusion matrix in which each row lies.
pub(crate) fn cells(truth: &[u32], predicted: &[u32], classes: usize) -> Vec<u32> {
    truth.iter().zip(predicted).map(|(t, p)| t * classes as u32 + p).collect()
}

/// Accuracy and macro-F1 (over the classes that occur as truth or prediction) of the drawn rows, of which at least one must be there.
pub(crate) fn scores(drawn: &[usize], cells: &[u32], classes: usize) -> [f64; 2] {
    // By class: rows of it, rows taken for it, and rows that are both.
    let mut counts = vec![[0u32; 3]; classes];
    for &row in drawn {
        let (truth, predicted) = (cells[row] as usize / classes, cells[row] as usize % classes);
        counts[truth][0] += 1;
        counts[predicted][1] += 1;
        counts[truth][2] += u32::from(truth == predicted);
    }
    let (mut hits, mut f1, mut occurring) = (0, 0.0, 0);
    for [support, claimed, hit] in counts {
        hits += hit;
        if support + claimed > 0 {
            f1 += f64::from(2 * hit) / f64::from(support + claimed);
            occurring += 1;
        }
    }
    [f64::from(hits) / drawn.len() as f64, f1 / f64::from(occurring.max(1))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Scores;
    use crate::progress::Silent;

    /// `right` rows of 200 that a classifier gets, by a rule that no other one shares.
    fn said(truth: &[u32], every: usize) -> Vec<u32> {
        truth.iter().enumerate().map(|(i, &t)| if i % every == 0 { (t + 1) % 3 } else { t }).collect()
    }

    #[test]
    fn pairs_agree_with_the_scores_and_with_the_test_of_two() {
        let truth: Vec<u32> = (0..200).map(|i| (i * 7 % 11 % 3) as u32).collect();
        let predicted = vec![said(&truth, 2), said(&truth, 5), said(&truth, 6)];
        let how = Bootstrap { resamples: 500, ..Bootstrap::default() };
        let duels = contest(&truth, &predicted, 3, &Clusters::singles(200), &how, &Silent).unwrap();
        assert_eq!(duels.iter().map(|duel| (duel.a, duel.b)).collect::<Vec<_>>(), [(0, 1), (0, 2), (1, 2)]);
        let classes = ["a", "b", "c"].map(String::from);
        let whole: Vec<Scores> = predicted.iter().map(|said| Scores::new(&classes, &truth, said)).collect();
        for duel in &duels {
            let (a, b) = (&whole[duel.a], &whole[duel.b]);
            assert!((duel.accuracy.estimate - (b.accuracy - a.accuracy)).abs() < 1e-12);
            assert!((duel.macro_f1.estimate - (b.macro_f1 - a.macro_f1)).abs() < 1e-12);
            // The same resamples as the interval of one pair has.
            let right = |said: &[u32]| said.iter().zip(&truth).map(|(s, t)| f64::from(u8::from(s == t))).collect();
            let (of_a, of_b): (Vec<f64>, Vec<f64>) = (right(&predicted[duel.a]), right(&predicted[duel.b]));
            let alone = super::super::paired_bootstrap(&of_a, &of_b, &Clusters::singles(200), &how).unwrap();
            assert!((alone.low - duel.accuracy.low).abs() < 1e-12 && (alone.high - duel.accuracy.high).abs() < 1e-12);
        }
        assert!(duels[0].adjusted_p < 1e-6 && duels[1].adjusted_p < 1e-6, "{duels:?}");
        // 40 and 34 rows wrong, 7 of them both: no difference.
        assert!(duels[2].adjusted_p > 0.05 && !duels[2].accuracy.excludes_zero(), "{:?}", duels[2]);
    }

    #[test]
    fn without_rows_there_is_nothing_to_tell() {
        let none = |truth: &[u32], said: [Vec<u32>; 2]| {
            contest(truth, &said, 2, &Clusters::singles(truth.len()), &Bootstrap::default(), &Silent)
                .unwrap()
                .is_empty()
        };
        assert!(none(&[], [vec![], vec![]]));
        assert!(none(&[0], [vec![0], vec![]]));
    }
}
