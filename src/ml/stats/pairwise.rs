//! Several classifiers on the same rows: every pair's differences from the same resamples, a paired test, and Holm's correction over all pairs.

use runner_results::paired_test::PairwiseTest;

use super::bootstrap::percentiles;
use super::{Bootstrap, Clusters, holm, paired_test};
use crate::progress::{Cancelled, Progress};
use crate::rng::Stream;

/// Every pair of `predicted`, in order. `truth` and each of `predicted` hold class numbers below `classes` of the same rows, each of `losses` the log
/// losses of a model there; nothing without rows.
///
/// All pairs see the same resamples, so that one pass over the rows serves every pair. Nothing where all rows are of one group.
pub fn pairwise_tests(
    truth: &[u32],
    predicted: &[Vec<u32>],
    losses: &[Vec<f64>],
    classes: usize,
    clusters: &Clusters,
    how: &Bootstrap,
    progress: &dyn Progress,
) -> Result<Vec<PairwiseTest>, Cancelled> {
    let fits = |said: &Vec<u32>| said.len() == truth.len() && truth.len() == clusters.rows();
    let is_whole = losses.len() == predicted.len() && losses.iter().all(|losses| losses.len() == truth.len());
    if !clusters.can_vary() || how.resamples == 0 || !predicted.iter().all(fits) || !is_whole {
        return Ok(Vec::new());
    }
    let cells: Vec<Vec<u32>> = predicted.iter().map(|said| cells(truth, said, classes)).collect();
    let all: Vec<usize> = (0..truth.len()).collect();
    let figures = |drawn: &[usize], model: usize| {
        let [accuracy, macro_f1] = scores(drawn, &cells[model], classes);
        [accuracy, macro_f1, drawn.iter().map(|&row| losses[model][row]).sum::<f64>() / drawn.len() as f64]
    };
    let estimates: Vec<[f64; 3]> = (0..cells.len()).map(|model| figures(&all, model)).collect();
    let mut resampled: Vec<Vec<[f64; 3]>> = vec![Vec::with_capacity(how.resamples); predicted.len()];
    let mut drawn = Vec::with_capacity(truth.len());
    for resample in 0..how.resamples {
        progress.go_on()?;
        let mut stream = Stream::new(how.seed, "bootstrap", resample as u64);
        clusters.draw(&mut stream, &mut drawn);
        for (model, own) in resampled.iter_mut().enumerate() {
            own.push(figures(&drawn, model));
        }
    }
    let mut tests = Vec::new();
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
            let (macro_f1, log_loss) = (difference(1), difference(2));
            tests.push(PairwiseTest { a, b, accuracy, macro_f1, log_loss, test, adjusted_p });
        }
    }
    let adjusted = holm(&tests.iter().map(|pair| pair.test.p).collect::<Vec<_>>());
    tests.iter_mut().zip(adjusted).for_each(|(pair, p)| pair.adjusted_p = p);
    Ok(tests)
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
        let losses: Vec<Vec<f64>> =
            (0..3).map(|model| (0..200).map(|row| f64::from(row % 7 + model * 7)).collect()).collect();
        let tests = pairwise_tests(&truth, &predicted, &losses, 3, &Clusters::singles(200), &how, &Silent).unwrap();
        assert_eq!(tests.iter().map(|pair| (pair.a, pair.b)).collect::<Vec<_>>(), [(0, 1), (0, 2), (1, 2)]);
        let classes = ["a", "b", "c"].map(String::from);
        let whole: Vec<Scores> = predicted.iter().map(|said| Scores::new(&classes, &truth, said)).collect();
        for pair in &tests {
            let (a, b) = (&whole[pair.a], &whole[pair.b]);
            assert!((pair.accuracy.estimate - (b.accuracy - a.accuracy)).abs() < 1e-12);
            assert!((pair.macro_f1.estimate - (b.macro_f1 - a.macro_f1)).abs() < 1e-12);
            let apart = 7.0 * (pair.b - pair.a) as f64;
            assert!((pair.log_loss.low - apart).abs() < 1e-9 && (pair.log_loss.high - apart).abs() < 1e-9);
            // The same resamples as the interval of one pair has.
            let right = |said: &[u32]| said.iter().zip(&truth).map(|(s, t)| f64::from(u8::from(s == t))).collect();
            let (of_a, of_b): (Vec<f64>, Vec<f64>) = (right(&predicted[pair.a]), right(&predicted[pair.b]));
            let alone = super::super::paired_bootstrap(&of_a, &of_b, &Clusters::singles(200), &how).unwrap();
            assert!((alone.low - pair.accuracy.low).abs() < 1e-12 && (alone.high - pair.accuracy.high).abs() < 1e-12);
        }
        assert!(tests[0].adjusted_p < 1e-6 && tests[1].adjusted_p < 1e-6, "{tests:?}");
        // 40 and 34 rows wrong, 7 of them both: no difference.
        assert!(tests[2].adjusted_p > 0.05 && !tests[2].accuracy.excludes_zero(), "{:?}", tests[2]);
    }

    #[test]
    fn without_rows_there_is_nothing_to_tell() {
        let none = |truth: &[u32], said: [Vec<u32>; 2]| {
            let losses = [vec![0.5; truth.len()], vec![0.5; truth.len()]];
            pairwise_tests(truth, &said, &losses, 2, &Clusters::singles(truth.len()), &Bootstrap::default(), &Silent)
                .unwrap()
                .is_empty()
        };
        assert!(none(&[], [vec![], vec![]]));
        assert!(none(&[0], [vec![0], vec![]]));
    }
}
