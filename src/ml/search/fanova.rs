//! Functional analysis of variance (Hutter, Hoos and Leyton-Brown 2014): how much of a score's variation over the space
//! each parameter explains alone.
//!
//! A forest of regression trees on the trials splits the space into boxes; over boxes the means that the formula asks for are exact. As Optuna's
//! `FanovaImportanceEvaluator`, but for unordered choices, which a tree divides as they are. The trees of `classical` serve elsewhere: they keep
//! classes or gradients, and no boxes.

use crate::rng::Stream;

/// Trees of the forest, as Optuna's.
const TREES: usize = 64;

/// One parameter's values, divided into cells.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cells {
    /// Each cell's share of the axis; they sum to 1.
    pub(crate) shares: Vec<f64>,
    /// Whether neighbouring cells have neighbouring values; else any may stand together.
    pub(crate) is_ordered: bool,
}

/// A box, as the cells of each axis that it spans, and the mean of what fell into it.
struct Leaf {
    spans: Vec<Vec<bool>>,
    mean: f64,
}

/// For each axis the share of the variance that it explains alone; what is missing to 1 are interactions. `rows[i]` holds a
/// cell of each axis, `scores[i]` what came of it. `None` where nothing varies.
pub(super) fn importance(axes: &[Cells], rows: &[Vec<usize>], scores: &[f64], seed: u64) -> Option<Vec<f64>> {
    let mut sums = vec![0.0; axes.len()];
    let mut varying = 0;
    for tree in 0..TREES {
        let mut stream = Stream::new(seed, "importance", tree as u64);
        let sample: Vec<usize> = rows.iter().map(|_| stream.below(rows.len())).collect();
        if let Some(shares) = shares(axes, &grow(axes, rows, scores, sample)) {
            varying += 1;
            sums.iter_mut().zip(shares).for_each(|(sum, share)| *sum += share);
        }
    }
    (varying > 0).then(|| sums.into_iter().map(|sum| sum / f64::from(varying)).collect())
}

/// The variance of the marginal mean over each axis, as a share of the whole; `None` for a tree of one leaf.
fn shares(axes: &[Cells], leaves: &[Leaf]) -> Option<Vec<f64>> {
    let size = |leaf: &Leaf, j: usize| -> f64 {
        axes[j].shares.iter().zip(&leaf.spans[j]).filter(|(_, inside)| **inside).map(|(share, _)| share).sum()
    };
    let sizes: Vec<Vec<f64>> = leaves.iter().map(|leaf| (0..axes.len()).map(|j| size(leaf, j)).collect()).collect();
    let volumes: Vec<f64> = sizes.iter().map(|sizes| sizes.iter().product()).collect();
    let mean: f64 = leaves.iter().zip(&volumes).map(|(leaf, volume)| leaf.mean * volume).sum();
    let whole: f64 = leaves.iter().zip(&volumes).map(|(leaf, volume)| (leaf.mean - mean).powi(2) * volume).sum();
    let alone = |j: usize| -> f64 {
        let mut marginal = vec![0.0; axes[j].shares.len()];
        for (leaf, sizes) in leaves.iter().zip(&sizes) {
            let others: f64 = sizes.iter().enumerate().filter(|(k, _)| *k != j).map(|(_, size)| size).product();
            let inside = marginal.iter_mut().zip(&leaf.spans[j]).filter(|(_, inside)| **inside);
            inside.for_each(|(sum, _)| *sum += leaf.mean * others);
        }
        marginal.iter().zip(&axes[j].shares).map(|(value, share)| (value - mean).powi(2) * share).sum()
    };
    (leaves.len() > 1 && whole > 0.0).then(|| (0..axes.len()).map(|j| alone(j) / whole).collect())
}

/// A regression tree on the sampled rows, grown until its leaves are pure (Breiman et al. 1984).
fn grow(axes: &[Cells], rows: &[Vec<usize>], scores: &[f64], sample: Vec<usize>) -> Vec<Leaf> {
    let whole = axes.iter().map(|axis| vec![true; axis.shares.len()]).collect::<Vec<_>>();
    let mut pending = vec![(whole, sample)];
    let mut leaves = Vec::new();
    while let Some((spans, sample)) = pending.pop() {
        match split(axes, rows, scores, &sample) {
            Some((j, goes_left)) => {
                let side = |left: bool| {
                    let mut spans = spans.clone();
                    spans[j].iter_mut().zip(&goes_left).for_each(|(inside, goes)| *inside &= *goes == left);
                    let sample = sample.iter().copied().filter(|&row| goes_left[rows[row][j]] == left).collect();
                    (spans, sample)
                };
                pending.extend([side(false), side(true)]);
            }
            None => {
                let mean = sample.iter().map(|&row| scores[row]).sum::<f64>() / sample.len() as f64;
                leaves.push(Leaf { spans, mean });
            }
        }
    }
    leaves
}

/// The axis, and the cells on the left, of the split that leaves the least squared error; `None` for a pure sample.
fn split(axes: &[Cells], rows: &[Vec<usize>], scores: &[f64], sample: &[usize]) -> Option<(usize, Vec<bool>)> {
    let first = scores[*sample.first()?];
    if sample.iter().all(|&row| scores[row] == first) {
        return None;
    }
    // The sum of squares falls most where Σ (sum of a side)² / rows of the side is largest.
    let mut best: Option<(f64, usize, Vec<bool>)> = None;
    for (j, axis) in axes.iter().enumerate() {
        let mut sums = vec![(0.0, 0u32); axis.shares.len()];
        for &row in sample {
            let (sum, count) = &mut sums[rows[row][j]];
            // Around the first score: sums of squares of small differences keep their digits.
            *sum += scores[row] - first;
            *count += 1;
        }
        let mut cells: Vec<usize> = (0..sums.len()).filter(|&cell| sums[cell].1 > 0).collect();
        if !axis.is_ordered {
            // For a squared error the best of all divisions is one along the means (Fisher 1958).
            let mean = |cell: usize| sums[cell].0 / f64::from(sums[cell].1);
            cells.sort_by(|&a, &b| mean(a).total_cmp(&mean(b)));
        }
        let total = cells.iter().fold((0.0, 0), |(sum, count), &cell| (sum + sums[cell].0, count + sums[cell].1));
        let mut left = (0.0, 0);
        for cut in 1..cells.len() {
            let (sum, count) = sums[cells[cut - 1]];
            left = (left.0 + sum, left.1 + count);
            let right = (total.0 - left.0, total.1 - left.1);
            let gain = left.0 * left.0 / f64::from(left.1) + right.0 * right.0 / f64::from(right.1);
            if best.as_ref().is_none_or(|(top, ..)| gain > *top) {
                let goes_left = if axis.is_ordered {
                    // Cells between that hold no row are shared.
                    let last = (cells[cut - 1] + cells[cut]) / 2;
                    (0..sums.len()).map(|cell| cell <= last).collect()
                } else {
                    // Choices without a row go with the majority.
                    let majority = left.1 > right.1;
                    let side = |cell: usize| if sums[cell].1 == 0 { majority } else { cells[..cut].contains(&cell) };
                    (0..sums.len()).map(side).collect()
                };
                best = Some((gain, j, goes_left));
            }
        }
    }
    best.map(|(_, j, goes_left)| (j, goes_left))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn even(cells: usize) -> Cells {
        Cells { shares: vec![1.0 / cells as f64; cells], is_ordered: true }
    }

    fn product(sizes: &[usize]) -> Vec<Vec<usize>> {
        sizes.iter().fold(vec![vec![]], |rows, &size| {
            rows.iter().flat_map(|row| (0..size).map(move |cell| [row.clone(), vec![cell]].concat())).collect()
        })
    }

    // One tree on all points of a grid is the function itself.
    //
    // import itertools, numpy as np
    // from sklearn.tree import DecisionTreeRegressor
    // from optuna.importance._fanova._tree import _FanovaTree        # optuna 5.0.0, scikit-learn 1.9.1
    // X = np.array(list(itertools.product(range(4), range(3), range(5))), float)
    // a, b, c = X.T
    // y = np.sin(1.3 * a) + 0.4 * b * a + 0.1 * c ** 2 - 0.05 * a * b * c
    // tree = _FanovaTree(DecisionTreeRegressor(random_state=0).fit(X, y).tree_, np.array([[-.5, 3.5], [-.5, 2.5], [-.5, 4.5]]))
    // print([tree.get_marginal_variance(np.array([i])) / tree.variance for i in range(3)])
    #[test]
    fn a_tree_has_the_marginal_variances_of_optuna() {
        let rows = product(&[4, 3, 5]);
        let scores: Vec<f64> = rows
            .iter()
            .map(|row| {
                let [a, b, c] = [0, 1, 2].map(|j| row[j] as f64);
                (1.3 * a).sin() + 0.4 * b * a + 0.1 * c * c - 0.05 * a * b * c
            })
            .collect();
        let axes = [even(4), even(3), even(5)];
        let leaves = grow(&axes, &rows, &scores, (0..rows.len()).collect());
        let found = shares(&axes, &leaves).unwrap();
        for (found, expected) in found.iter().zip(EXPECTED_SHARES) {
            assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
        }
    }

    const EXPECTED_SHARES: [f64; 3] = [0.392_487_673_282_830_13, 0.175_556_541_077_740_74, 0.311_125_203_354_440_77];

    // x = np.arange(10); np.var(3 * x), np.var((x - 5) ** 2 / 3)  →  74.25, 6.7833: shares 0.9163 and 0.0837, nothing interacts
    #[test]
    fn a_forest_finds_the_shares_of_a_sum() {
        let mut stream = Stream::new(1, "test", 0);
        let rows: Vec<Vec<usize>> = (0..150).map(|_| (0..3).map(|_| stream.below(10)).collect()).collect();
        let scores: Vec<f64> =
            rows.iter().map(|row| 3.0 * row[0] as f64 + (row[1] as f64 - 5.0).powi(2) / 3.0).collect();
        let axes = [even(10), even(10), even(10)];
        let found = importance(&axes, &rows, &scores, 7).unwrap();
        for (found, expected) in found.iter().zip([0.9163, 0.0837, 0.0]) {
            assert!((found - expected).abs() < 0.04, "{found} is not near {expected}");
        }
        assert_eq!(Some(found), importance(&axes, &rows, &scores, 7));
        assert_eq!(importance(&axes, &rows, &vec![1.0; 150], 7), None, "a constant has no variance to share");
    }

    #[test]
    fn unordered_choices_are_divided_as_they_are() {
        // Choices 0 and 2 against 1 and 3: one split, no matter how they are numbered.
        let axes = [Cells { is_ordered: false, ..even(4) }, even(2)];
        let rows = product(&[4, 2]);
        let scores: Vec<f64> = rows.iter().map(|row| (row[0] % 2) as f64).collect();
        let leaves = grow(&axes, &rows, &scores, (0..rows.len()).collect());
        assert_eq!(leaves.len(), 2);
        assert_eq!(shares(&axes, &leaves).unwrap(), [1.0, 0.0]);
    }
}
