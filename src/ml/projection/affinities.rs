//! How near each point feels every other: a Gaussian around each, as wide as its surroundings are sparse, made symmetric.
//!
//! Van der Maaten and Hinton, 2008, Visualizing data using t-SNE, equations 1 and 2.

use crate::matrix::Matrix;
use crate::progress::{Cancelled, Progress};
use crate::train::side_by_side;

/// Halvings of the interval of a point's precision; fewer are enough where the entropy is met before.
const STEPS: usize = 100;
/// How near the entropy must come, in nats.
const TOLERANCE: f64 = 1e-5;

/// The joint probabilities of all pairs, from squared distances: symmetric, zero on the diagonal, of sum 1. `perplexity` is the effective number
/// of neighbours of each point, below the number of points less one.
pub(crate) fn joint(
    distances: &Matrix,
    perplexity: f64,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Matrix, Cancelled> {
    let count = distances.rows;
    let row = |i: usize| progress.go_on().map(|()| conditional(distances.row(i), i, perplexity.ln()));
    let conditional = side_by_side(count, threads, row)?;
    let total: f64 = conditional.iter().flatten().sum();
    let scale = 1.0 / (2.0 * total.max(f64::MIN_POSITIVE));
    let mut joint = Matrix::zeros(count, count);
    for (i, row) in conditional.iter().enumerate() {
        for (j, one) in row.iter().enumerate() {
            joint.data[i * count + j] = ((one + conditional[j][i]) * scale) as f32;
        }
    }
    Ok(joint)
}

/// p(j | i) for all j, with the precision at which their entropy is `wanted`.
fn conditional(distances: &[f32], own: usize, wanted: f64) -> Vec<f64> {
    let (mut low, mut high, mut precision) = (0.0, f64::INFINITY, 1.0);
    // Only differences count: the nearest at 1 keeps the others from vanishing all together.
    let others = distances.iter().enumerate().filter(|(j, _)| *j != own);
    let nearest = others.map(|(_, d)| f64::from(*d)).fold(f64::INFINITY, f64::min);
    let mut found = vec![0.0; distances.len()];
    for _ in 0..STEPS {
        let (mut sum, mut weighted) = (0.0, 0.0);
        for (j, (place, distance)) in found.iter_mut().zip(distances).enumerate() {
            let beyond = f64::from(*distance) - nearest;
            *place = if j == own { 0.0 } else { (-precision * beyond).exp() };
            sum += *place;
            weighted += *place * beyond;
        }
        let entropy = sum.ln() + precision * weighted / sum;
        found.iter_mut().for_each(|p| *p /= sum);
        let excess = entropy - wanted;
        if excess.abs() <= TOLERANCE {
            break;
        }
        if excess > 0.0 {
            low = precision;
            precision = if high.is_finite() { (precision + high) / 2.0 } else { precision * 2.0 };
        } else {
            high = precision;
            precision = (precision + low) / 2.0;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;
    use crate::projection::{distances, tests::points};

    // from sklearn.manifold._t_sne import _joint_probabilities; from scipy.spatial.distance import pdist, squareform
    // d = squareform(pdist(x, "sqeuclidean")).astype(np.float32)   # x as in `principal_plane`'s test
    // print(squareform(_joint_probabilities(d, 10, 0))[0, 1:5].tolist())
    #[test]
    fn affinities_are_those_of_scikit_learn() {
        let found = joint(&distances::squared(&points(), 1, &Silent).unwrap(), 10.0, 2, &Silent).unwrap();
        let expected = [2.234_815_7e-7, 2.640_837e-9, 3.386_818e-4, 1.025_321e-5];
        for (found, expected) in found.row(0)[1..].iter().zip(expected) {
            assert!((found / expected - 1.0).abs() < 1e-3, "{found} not {expected}");
        }
        assert!((found.data.iter().sum::<f32>() - 1.0).abs() < 1e-4);
        assert!((0..60).all(|i| found.get(i, i) == 0.0 && found.get(i, 7) == found.get(7, i)));
    }

    #[test]
    fn equal_points_feel_each_other_equally() {
        let found = joint(&Matrix::zeros(5, 5), 2.0, 1, &Silent).unwrap();
        assert!(found.data.iter().enumerate().all(|(at, p)| *p == if at % 6 == 0 { 0.0 } else { 0.05 }), "{found:?}");
    }
}
