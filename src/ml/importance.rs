//! Permutation importance: how much worse a fitted model does when a column's values are dealt out to other rows (Breiman 2001; Fisher, Rudin and
//! Dominici 2019, arXiv 1801.01489).
//!
//! Correlated columns mask each other's importance. Columns shuffled together, in one order, show what they carry
//! jointly.

pub(crate) use runner_results::inspection::{Drop, Importance};

use super::frame::{Frame, category_key, tokens_key};
use super::matrix::Matrix;
use super::metrics::{FromProbabilities as _, Scores};
use super::rng::Stream;
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
    /// The frame after it; columns that it does not have are no matter. What a column is as a category or as tokens moves
    /// with it.
    pub fn apply(&self, frame: &Frame) -> Frame {
        let mut dealt = frame.clone();
        let moves = |name: &String| {
            self.columns.iter().any(|own| own == name || category_key(own) == *name || tokens_key(own) == *name)
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
    decide: impl Fn(&Matrix) -> Vec<u32> + Sync,
    predict: impl Fn(Option<&Shuffle>) -> Result<Matrix, E> + Sync,
) -> Result<Vec<Importance>, E> {
    let score = |shuffle: Option<&Shuffle>| -> Result<[f64; 3], E> {
        let probabilities = predict(shuffle)?;
        let scores = Scores::new(classes, labels, &decide(&probabilities)).with_loss(labels, &probabilities);
        Ok([scores.accuracy, scores.macro_f1, -scores.log_loss.unwrap_or(0.0)])
    };
    let whole = score(None)?;
    let drops = side_by_side(groups.len() * repeats, threads, |index| {
        let group = &groups[index / repeats];
        let purpose = format!("permutation importance {}", group.name);
        let order = Stream::new(seed, &purpose, (index % repeats) as u64).permutation(labels.len());
        let shuffled = score(Some(&Shuffle { columns: &group.columns, order }))?;
        Ok([0, 1, 2].map(|metric| whole[metric] - shuffled[metric]))
    })?;
    let of = |own: &[[f64; 3]], metric: usize| -> Drop {
        let count = own.len().max(1) as f64;
        let mean = own.iter().map(|drop| drop[metric]).sum::<f64>() / count;
        let sd = (own.iter().map(|drop| (drop[metric] - mean).powi(2)).sum::<f64>() / count).sqrt();
        Drop { mean, sd }
    };
    let importance = |(g, group): (usize, &Group)| {
        let own = &drops[g * repeats..(g + 1) * repeats];
        Importance {
            name: group.name.clone(),
            columns: group.columns.clone(),
            accuracy: of(own, 0),
            macro_f1: of(own, 1),
            log_loss: of(own, 2),
        }
    };
    Ok(groups.iter().enumerate().map(importance).collect())
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
        let found = permutation_importance(&labels, &classes, &groups, 400, 7, 2, Matrix::argmax_rows, |shuffle| {
            predict(&frame, shuffle)
        })
        .unwrap();
        for (found, expected) in found.iter().zip(EXPECTED) {
            for (drop, (mean, sd)) in [found.accuracy, found.macro_f1, found.log_loss].iter().zip(expected) {
                // Means of 400 and of 2,000 shufflings differ by chance: 4 standard errors.
                let apart = 4.0 * sd * (1.0f64 / 400.0 + 1.0 / 2000.0).sqrt() + 1e-7;
                assert!((drop.mean - mean).abs() < apart, "{}: {} for {mean}", found.name, drop.mean);
                assert!((drop.sd - sd).abs() < 0.15 * sd + 1e-9, "{}: sd {} for {sd}", found.name, drop.sd);
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

    #[test]
    fn threads_and_other_groups_change_nothing() {
        let (frame, labels) = frame();
        let classes = ["0", "1", "2"].map(String::from);
        let both = [group("strong", &["strong"]), group("all", &["strong", "weak", "noise"])];
        let run = |groups: &[Group], threads| {
            permutation_importance(&labels, &classes, groups, 5, 7, threads, Matrix::argmax_rows, |shuffle| {
                predict(&frame, shuffle)
            })
            .unwrap()
        };
        assert_eq!(run(&both, 1), run(&both, 3));
        assert_eq!(run(&both, 1)[0], run(&both[..1], 1)[0]);
        // Rows that move as a whole keep their own values together: right classes meet wrong labels.
        assert!(run(&both, 1)[1].accuracy.mean > 0.2);
    }
}
