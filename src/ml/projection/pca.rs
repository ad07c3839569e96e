//! The two leading principal components.

use super::Place;
use crate::matrix::Matrix;
use crate::progress::{Cancelled, Progress};

/// Alternations of the two directions with the points; each brings the error down by the ratio of the second and third singular
/// value, squared.
const ITERATIONS: usize = 100;

/// The points on their two leading principal components, and the share of the variance that each of these holds. The entry of largest size
/// of a direction is positive. Orthogonal iteration (Golub and Van Loan, Matrix Computations, 4th ed., 8.2.4).
pub fn principal_plane(points: &Matrix, progress: &dyn Progress) -> Result<(Vec<Place>, [f64; 2]), Cancelled> {
    let (count, dim) = (points.rows, points.cols);
    let mut means = vec![0.0; dim];
    for i in 0..count {
        means.iter_mut().zip(points.row(i)).for_each(|(mean, x)| *mean += f64::from(*x) / count as f64);
    }
    let centred = |i: usize| points.row(i).iter().zip(&means).map(|(x, mean)| f64::from(*x) - mean);
    let total: f64 = (0..count).map(|i| centred(i).map(|x| x * x).sum::<f64>()).sum();
    // Any start that no direction is orthogonal to by design.
    let mut axes: [Vec<f64>; 2] =
        [1.0, 2.0].map(|phase: f64| (0..dim).map(|j| (phase * (j as f64 + 1.0)).sin() + 0.1).collect());
    let mut places = vec![[0.0; 2]; count];
    for _ in 0..ITERATIONS {
        progress.go_on()?;
        orthonormalise(&mut axes);
        let mut next = [vec![0.0; dim], vec![0.0; dim]];
        for (i, place) in places.iter_mut().enumerate() {
            for (k, axis) in axes.iter().enumerate() {
                place[k] = centred(i).zip(axis).map(|(x, a)| x * a).sum::<f64>();
                next[k].iter_mut().zip(centred(i)).for_each(|(sum, x)| *sum += place[k] * x);
            }
        }
        axes = next;
    }
    let variance = [0, 1].map(|k| places.iter().map(|place| place[k] * place[k]).sum::<f64>());
    let signs = [0, 1].map(|k| {
        let largest = axes[k].iter().fold(0.0f64, |a, b| if b.abs() > a.abs() { *b } else { a });
        if largest < 0.0 { -1.0 } else { 1.0 }
    });
    let places = places.iter().map(|place| [0, 1].map(|k| (signs[k] * place[k]) as f32)).collect();
    Ok((places, variance.map(|one| if total > 0.0 { one / total } else { 0.0 })))
}

/// Gram and Schmidt. A direction of length zero stays so: there is no variance left for it.
fn orthonormalise(axes: &mut [Vec<f64>; 2]) {
    let [first, second] = axes;
    normalise(first);
    let along: f64 = first.iter().zip(second.iter()).map(|(a, b)| a * b).sum();
    second.iter_mut().zip(first.iter()).for_each(|(b, a)| *b -= along * a);
    normalise(second);
}

fn normalise(axis: &mut [f64]) {
    let length = axis.iter().map(|x| x * x).sum::<f64>().sqrt();
    if length > 0.0 {
        axis.iter_mut().for_each(|x| *x /= length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    // import numpy as np; from sklearn.decomposition import PCA
    // i, j = np.arange(60)[:, None], np.arange(5)
    // x = np.sin(i * (j + 1) * 0.7) + 3.0 * (i % 3) * (j == i % 3)
    // p = PCA(2).fit(x); y = p.transform(x); a = p.components_
    // y *= np.sign(a[[0, 1], np.abs(a).argmax(1)]); print(y[:3].tolist(), p.explained_variance_ratio_.tolist())
    const PLACES: [[f32; 2]; 3] =
        [[-1.445_760_7, -1.707_844_1], [-2.203_779_6, 2.279_718_4], [3.140_198_2, 0.624_596_7]];
    const SHARES: [f64; 2] = [0.599_373_186_571, 0.231_336_728_998];

    #[test]
    fn places_and_shares_are_those_of_scikit_learn() {
        let (places, shares) = principal_plane(&super::super::tests::points(), &Silent).unwrap();
        for (found, expected) in places.iter().zip(PLACES) {
            assert!((found[0] - expected[0]).abs() < 1e-4 && (found[1] - expected[1]).abs() < 1e-4, "{found:?}");
        }
        assert!((shares[0] - SHARES[0]).abs() < 1e-6 && (shares[1] - SHARES[1]).abs() < 1e-6, "{shares:?}");
    }

    #[test]
    fn points_that_are_all_alike_have_no_spread() {
        let (places, shares) = principal_plane(&Matrix::from_vec(3, 2, vec![1.0; 6]), &Silent).unwrap();
        assert_eq!((places, shares), (vec![[0.0; 2]; 3], [0.0; 2]));
    }
}
