//! Permutation importance: how much worse a fitted model does when a column's values are dealt out to other rows (Breiman 2001; Fisher, Rudin and
//! Dominici 2019, arXiv 1801.01489).
//!
//! Correlated columns mask each other's importance. Columns shuffled together, in one order, show what they carry
//! jointly.

pub(crate) use runner_results::inspection::{Drop, Importance};

use super::frame::{Frame, category_key, text_key, tokens_key};
use super::matrix::Matrix;
use super::metrics::{FromProbabilities as _, Scores, losses};
use super::rng::Stream;
use super::stats::Clusters;
use super::train::side_by_side;

/// Columns that are shuffled together.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// A column, or a kind of input.
    pub name: String,
    /// Those that are shuffled in one order.
    pub columns: Vec<String>,
}

/// One dealing out: which columns' values go to other rows, and where.
pub struct Shuffle<'a> {
    columns: &'a [String],
    /// Row i gets the values of row `order[i]`.
    order: Vec<usize>,
}

impl Shuffle<'_> {
    /// The frame after it; columns that it does not have are no matter. What a column is as a category, a text or tokens moves
    /// with it.
    pub fn apply(&self, frame: &Frame) -> Frame {
        let mut dealt = frame.clone();
        let moves = |name: &String| {
            let is = |own: &String| own == name || [category_key(own), text_key(own), tokens_key(own)].contains(name);
            self.columns.iter().any(is)
        };
        for (_, column) in dealt.columns.iter_mut().filter(|(name, _)| moves(name)) {
            *column = column.take(&self.order);
        }
        dealt
    }
}

/// Importance of every group, by `repeats` shufflings of each. `predict` gives the probabilities (rows × classes) of all rows, after a shuffling or
/// without one, and `decide` the classes that they lead to.
///
/// Deviations are those of the mean over rows, by `clusters`, and over shufflings: means of other rows would be others too.
///
/// `labels` are indices into `classes`. A group's shufflings depend on the seed, its name and the repetition only, not on other groups nor on the
/// number of threads.
#[allow(clippy::too_many_arguments)] // One call of one caller; a struct would only repeat these names.
pub fn permutation_importance<E: Send>(
    labels: &[u32],
    classes: &[String],
    groups: &[Group],
    repeats: usize,
    seed: u64,
    threads: usize,
    clusters: &Clusters,
    decide: impl Fn(&Matrix) -> Vec<u32> + Sync,
    predict: impl Fn(Option<&Shuffle>) -> Result<Matrix, E> + Sync,
) -> Result<Vec<Importance>, E> {
    let score = |shuffle: Option<&Shuffle>| -> Result<[Score; 3], E> {
        let probabilities = predict(shuffle)?;
        Ok(scores(labels, classes, &decide(&probabilities), &probabilities))
    };
    let whole = score(None)?;
    side_by_side(groups.len(), threads, |index| {
        let group = &groups[index];
        let purpose = format!("permutation importance {}", group.name);
        let mut drops = [0, 1, 2].map(|_| Drops { of_shuffles: Vec::new(), of_rows: vec![0.0; labels.len()] });
        for repeat in 0..repeats {
            let order = Stream::new(seed, &purpose, repeat as u64).permutation(labels.len());
            let shuffled = score(Some(&Shuffle { columns: &group.columns, order }))?;
            for (drops, (whole, shuffled)) in drops.iter_mut().zip(whole.iter().zip(&shuffled)) {
                drops.of_shuffles.push(whole.score - shuffled.score);
                let of_rows = whole.influence.iter().zip(&shuffled.influence);
                drops.of_rows.iter_mut().zip(of_rows).for_each(|(sum, (a, b))| *sum += (a - b) / repeats as f64);
            }
        }
        let [accuracy, macro_f1, log_loss] = drops.map(|drops| drops.summary(clusters));
        Ok(Importance { name: group.name.clone(), columns: group.columns.clone(), accuracy, macro_f1, log_loss })
    })
}

/// How much more often predictions are right than if they were dealt out to the rows at random; about 0 where a model guesses.
pub fn beyond_chance(labels: &[u32], predicted: &[u32], classes: usize, clusters: &Clusters) -> Drop {
    let rows = labels.len().max(1) as f64;
    let shares = |of: &[u32]| {
        let mut shares = vec![0.0; classes];
        of.iter().for_each(|&class| shares[class as usize] += 1.0 / rows);
        shares
    };
    let (truth, claimed) = (shares(labels), shares(predicted));
    let by_chance: f64 = truth.iter().zip(&claimed).map(|(a, b)| a * b).sum();
    let influence = |(&t, &p): (&u32, &u32)| f64::from(u8::from(t == p)) - claimed[t as usize] - truth[p as usize];
    let influence: Vec<f64> = labels.iter().zip(predicted).map(influence).collect();
    let mean = influence.iter().sum::<f64>() / rows + by_chance;
    Drop { mean, sd: clusters.error_of_mean(&influence) }
}

/// A score, larger being better, and how much each row counts in it: the influence function times the rows, up to a constant.
struct Score {
    score: f64,
    influence: Vec<f64>,
}

/// Accuracy, macro-F1 and the negative log loss.
fn scores(labels: &[u32], classes: &[String], predicted: &[u32], probabilities: &Matrix) -> [Score; 3] {
    let scores = Scores::new(classes, labels, predicted).with_loss(labels, probabilities);
    let mut claims = vec![0.0; classes.len()];
    predicted.iter().for_each(|&class| claims[class as usize] += 1.0);
    // F1 is twice the hits over the rows that are of the class plus those that are said to be.
    let sums: Vec<f64> =
        scores.per_class.iter().zip(&claims).map(|(class, claims)| class.support as f64 + claims).collect();
    let occurring = sums.iter().filter(|sum| **sum > 0.0).count().max(1) as f64;
    let scale = |class: u32| labels.len() as f64 / (sums[class as usize] * occurring);
    let of_f1 = |(&truth, &predicted): (&u32, &u32)| {
        let hit = if truth == predicted { 2.0 * scale(truth) } else { 0.0 };
        let missed = [truth, predicted].map(|class| scores.per_class[class as usize].f1 * scale(class));
        hit - missed[0] - missed[1]
    };
    let rows = || labels.iter().zip(predicted);
    let right = rows().map(|(truth, predicted)| f64::from(u8::from(truth == predicted))).collect();
    [
        Score { score: scores.accuracy, influence: right },
        Score { score: scores.macro_f1, influence: rows().map(of_f1).collect() },
        Score {
            score: -scores.log_loss.unwrap_or(0.0),
            influence: losses(labels, probabilities).into_iter().map(|loss| -loss).collect(),
        },
    ]
}

/// What shufflings of a group cost: in each of them, and each row over all of them.
struct Drops {
    of_shuffles: Vec<f64>,
    of_rows: Vec<f64>,
}

impl Drops {
    fn summary(&self, clusters: &Clusters) -> Drop {
        let count = self.of_shuffles.len().max(1) as f64;
        let mean = self.of_shuffles.iter().sum::<f64>() / count;
        let squares: f64 = self.of_shuffles.iter().map(|drop| (drop - mean).powi(2)).sum();
        // One shuffling tells nothing of others, but its rows do.
        let of_shuffles = squares / (count * (count - 1.0).max(1.0));
        Drop { mean, sd: (clusters.error_of_mean(&self.of_rows).powi(2) + of_shuffles).sqrt() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Column;

    /// 400 rows: `strong` decides three classes, `weak` shifts them a little, `twin` repeats `strong`, `noise` is not looked at.
    fn frame() -> (Frame, Vec<u32>) {
        let mut frame = Frame::new(400);
        let strong: Vec<f64> = (0..400).map(|i| f64::from(i % 3)).collect();
        let weak: Vec<f64> = (0..400).map(|i| f64::from(i * 7 % 10) / 10.0).collect();
        let labels = strong.iter().map(|x| *x as u32).collect();
        frame.insert("strong", Column::Numeric(strong));
        frame.insert("weak", Column::Numeric(weak));
        frame.insert("noise", Column::Numeric((0..400).map(|i| f64::from(i * 31 % 17)).collect()));
        (frame, labels)
    }

    /// softmax over classes of −2·|strong + 0.8·weak − class|.
    fn predict(frame: &Frame, shuffle: Option<&Shuffle>) -> Result<Matrix, ()> {
        let frame = shuffle.map_or_else(|| frame.clone(), |shuffle| shuffle.apply(frame));
        let (strong, weak) = (frame.numeric("strong").unwrap(), frame.numeric("weak").unwrap());
        let mut data = Vec::new();
        for (s, w) in strong.iter().zip(weak) {
            let powers = [0.0, 1.0, 2.0].map(|class| (-2.0 * (s + 0.8 * w - class).abs()).exp());
            let total: f64 = powers.iter().sum();
            data.extend(powers.map(|power| (power / total) as f32));
        }
        Ok(Matrix::from_vec(frame.rows, 3, data))
    }

    fn group(name: &str, columns: &[&str]) -> Group {
        Group { name: name.to_owned(), columns: columns.iter().map(|name| (*name).to_owned()).collect() }
    }

    fn singles() -> Clusters {
        Clusters::singles(400)
    }

    // import numpy as np; from sklearn.inspection import permutation_importance
    // i = np.arange(400); X = np.c_[i % 3, i * 7 % 10 / 10, i * 31 % 17]; y = i % 3
    // class M:
    //     classes_ = np.arange(3); _estimator_type = "classifier"
    //     def fit(self, X, y): return self
    //     def predict_proba(self, X):
    //         p = np.exp(-2 * np.abs((X[:, 0] + .8 * X[:, 1])[:, None] - np.arange(3))); return p / p.sum(1, keepdims=True)
    //     def predict(self, X): return self.predict_proba(X).argmax(1)
    // r = permutation_importance(M(), X, y, scoring=["accuracy", "f1_macro", "neg_log_loss"], n_repeats=2000, random_state=0)
    // {k: (v.importances_mean, v.importances_std) for k, v in r.items()}
    #[test]
    fn importances_agree_with_scikit_learn_up_to_chance() {
        let (frame, labels) = frame();
        let classes = ["0", "1", "2"].map(String::from);
        let groups = ["strong", "weak", "noise"].map(|name| group(name, &[name]));
        let found =
            permutation_importance(&labels, &classes, &groups, 400, 7, 2, &singles(), Matrix::argmax_rows, |shuffle| {
                predict(&frame, shuffle)
            })
            .unwrap();
        for (found, expected) in found.iter().zip(EXPECTED) {
            for (drop, (mean, sd)) in [found.accuracy, found.macro_f1, found.log_loss].iter().zip(expected) {
                // Means of 400 and of 2,000 shufflings differ by chance: 4 standard errors.
                let apart = 4.0 * sd * (1.0f64 / 400.0 + 1.0 / 2000.0).sqrt() + 1e-7;
                assert!((drop.mean - mean).abs() < apart, "{}: {} for {mean}", found.name, drop.mean);
            }
        }
        assert_eq!(found[2].accuracy, Drop::default(), "a column that is not looked at has no importance at all");
    }

    /// By column: mean and deviation for accuracy, macro-F1 and log loss.
    const EXPECTED: [[(f64, f64); 3]; 3] = [
        [(0.463_941, 0.022_512), (0.466_322, 0.022_546), (1.295_439, 0.060_351)],
        [(-0.001_949, 0.010_837), (-0.001_838, 0.011_216), (0.000_528, 0.008_622)],
        [(0.0, 0.0); 3],
    ];

    /// Macro-F1 and accuracy of rows drawn with replacement move as the deviations say: 2,000 resamples of groups of four rows, for one shuffling, which
    /// keeps its predictions.
    #[test]
    fn deviations_are_those_of_resampled_groups() {
        let (frame, labels) = frame();
        let classes = ["0", "1", "2"].map(String::from);
        let clusters = Clusters::of(&(0..400).map(|row| row / 4).collect::<Vec<usize>>());
        let groups = [group("strong", &["strong"])];
        let found =
            permutation_importance(&labels, &classes, &groups, 1, 7, 1, &clusters, Matrix::argmax_rows, |shuffle| {
                predict(&frame, shuffle)
            })
            .unwrap();
        let order = Stream::new(7, "permutation importance strong", 0).permutation(400);
        let shuffle = Shuffle { columns: &groups[0].columns, order };
        let [whole, dealt] = [None, Some(&shuffle)].map(|shuffle| predict(&frame, shuffle).unwrap().argmax_rows());
        let mut stream = Stream::new(1, "test resamples", 0);
        let resampled: Vec<[f64; 3]> = (0..2000)
            .map(|_| {
                let rows: Vec<usize> = (0..100)
                    .flat_map(|_| {
                        let g = stream.below(100);
                        g * 4..g * 4 + 4
                    })
                    .collect();
                let of = |values: &[u32]| rows.iter().map(|&row| values[row]).collect::<Vec<u32>>();
                let chance = beyond_chance(&of(&labels), &of(&dealt), 3, &clusters);
                let [whole, dealt] =
                    [&whole, &dealt].map(|predicted| Scores::new(&classes, &of(&labels), &of(predicted)));
                [whole.accuracy - dealt.accuracy, whole.macro_f1 - dealt.macro_f1, chance.mean]
            })
            .collect();
        let deviation = |metric: usize| {
            let mean = resampled.iter().map(|one| one[metric]).sum::<f64>() / 2000.0;
            (resampled.iter().map(|one| (one[metric] - mean).powi(2)).sum::<f64>() / 2000.0).sqrt()
        };
        let chance = beyond_chance(&labels, &dealt, 3, &clusters);
        // Dealt out at random they are right as often as chance has it.
        assert!(chance.mean.abs() < 3.0 * chance.sd, "{chance:?}");
        let deviations = [found[0].accuracy.sd, found[0].macro_f1.sd, chance.sd];
        for (found, expected) in deviations.into_iter().zip([0, 1, 2].map(deviation)) {
            assert!((found / expected - 1.0).abs() < 0.07, "{found} {expected}");
        }
    }

    #[test]
    fn threads_and_other_groups_change_nothing() {
        let (frame, labels) = frame();
        let classes = ["0", "1", "2"].map(String::from);
        let both = [group("strong", &["strong"]), group("all", &["strong", "weak", "noise"])];
        let run = |groups: &[Group], threads| {
            permutation_importance(
                &labels,
                &classes,
                groups,
                5,
                7,
                threads,
                &singles(),
                Matrix::argmax_rows,
                |shuffle| predict(&frame, shuffle),
            )
            .unwrap()
        };
        assert_eq!(run(&both, 1), run(&both, 3));
        assert_eq!(run(&both, 1)[0], run(&both[..1], 1)[0]);
        // Rows that move as a whole keep their own values together: right classes meet wrong labels.
        assert!(run(&both, 1)[1].accuracy.mean > 0.2);
    }
}
