//! t-SNE: places in the plane whose affinities under Student's t come near those of the points, by gradient descent.
//!
//! Van der Maaten and Hinton, 2008, with the schedule of scikit-learn: 250 steps of exaggerated affinities, momentum 0.5, then 0.8, a gain for
//! each coordinate. All pairs are visited: some thousand points take seconds.

use std::convert::Infallible;

use super::{Place, affinities, distances, pca};
use crate::matrix::Matrix;
use crate::progress::{Cancelled, Progress};
use crate::train::side_by_side;

/// Steps at the beginning with larger affinities, so that what belongs together finds itself.
const EARLY: usize = 250;
const EXAGGERATION: f32 = 12.0;
/// Independent sums of a row, so that they fit vector registers.
const LANES: usize = 16;
/// Points of one piece of work.
const BLOCK: usize = 128;

/// Options of t-SNE.
#[derive(Clone, Copy, Debug)]
pub struct TsneOptions {
    /// Effective number of neighbours of each point.
    pub perplexity: f64,
    /// Steps of the descent; the first 250 bring near what belongs together.
    pub iterations: usize,
}

/// Why points cannot be laid out.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "each message says what its values are")]
pub enum TsneError {
    /// Fewer points than the perplexity needs.
    #[error("{points} points are too few for perplexity {perplexity} (it must lie between 1 and {points} - 1)")]
    TooFew { points: usize, perplexity: f64 },
    /// The user asked to stop.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// The places, starting from the principal components, and the Kullback-Leibler divergence that is left, in nats.
pub fn tsne(
    points: &Matrix,
    options: &TsneOptions,
    threads: usize,
    progress: &dyn Progress,
) -> Result<(Vec<Place>, f64), TsneError> {
    let TsneOptions { perplexity, iterations } = *options;
    if !(perplexity >= 1.0 && perplexity < points.rows.saturating_sub(1) as f64) {
        return Err(TsneError::TooFew { points: points.rows, perplexity });
    }
    let distances = distances::squared(points, threads, progress)?;
    let affinities = affinities::joint(&distances, perplexity, threads, progress)?;
    let (mut start, _) = pca::principal_plane(points, progress)?;
    // Small, so that the affinities decide and not the start.
    let spread = (start.iter().map(|place| place[0] * place[0]).sum::<f32>() / points.rows as f32).sqrt();
    let scale = if spread > 0.0 { 1e-4 / spread } else { 0.0 };
    start.iter_mut().flatten().for_each(|x| *x *= scale);
    let rate = (points.rows as f32 / EXAGGERATION / 4.0).max(50.0);
    let places = descend(&affinities, start, rate, iterations, threads, progress)?;
    let divergence = divergence(&affinities, &places);
    Ok((places, divergence))
}

fn descend(
    affinities: &Matrix,
    start: Vec<Place>,
    rate: f32,
    iterations: usize,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Vec<Place>, Cancelled> {
    let mut places = start;
    let mut update = vec![[0.0f32; 2]; places.len()];
    let mut gains = vec![[1.0f32; 2]; places.len()];
    for step in 0..iterations {
        if progress.cancelled() {
            return Err(Cancelled);
        }
        progress.update(step as u64, iterations as u64, "t-SNE steps", "");
        let (exaggeration, momentum) = if step < EARLY { (EXAGGERATION, 0.5) } else { (1.0, 0.8) };
        // The first step after the exaggeration begins at rest, as a descent of its own.
        if step == EARLY {
            update.fill([0.0; 2]);
            gains.fill([1.0; 2]);
        }
        let gradient = gradient(affinities, &places, exaggeration, threads);
        for (((place, update), gains), gradient) in places.iter_mut().zip(&mut update).zip(&mut gains).zip(&gradient) {
            for k in 0..2 {
                gains[k] = if update[k] * gradient[k] < 0.0 { gains[k] + 0.2 } else { (gains[k] * 0.8).max(0.01) };
                update[k] = momentum * update[k] - rate * gains[k] * gradient[k];
                place[k] += update[k];
            }
        }
        centre(&mut places);
    }
    Ok(places)
}

/// Moves the places so that their mean is zero, as van der Maaten's own program does after each step. No affinity depends on it; but under
/// exaggeration points may draw together by many powers of ten, and beside a mean that is not zero their differences would round to nothing, for good.
fn centre(places: &mut [Place]) {
    let count = places.len().max(1) as f64;
    let mean = [0, 1].map(|k| (places.iter().map(|place| f64::from(place[k])).sum::<f64>() / count) as f32);
    places.iter_mut().for_each(|place| (0..2).for_each(|k| place[k] -= mean[k]));
}

/// 4 Σⱼ (e·pᵢⱼ − qᵢⱼ) wᵢⱼ (yᵢ − yⱼ), where wᵢⱼ = 1 / (1 + |yᵢ − yⱼ|²) and qᵢⱼ = wᵢⱼ / Σ w: equation 5, with exaggeration e.
fn gradient(affinities: &Matrix, places: &[Place], exaggeration: f32, threads: usize) -> Vec<Place> {
    let count = places.len();
    let across: [Vec<f32>; 2] = [0, 1].map(|k| places.iter().map(|place| place[k]).collect());
    let block = |index: usize| {
        let rows = index * BLOCK..((index + 1) * BLOCK).min(count);
        Ok::<_, Infallible>(rows.map(|i| forces(affinities.row(i), &across, places[i])).collect::<Vec<_>>())
    };
    let blocks = match side_by_side(count.div_ceil(BLOCK), threads, block) {
        Ok(blocks) => blocks,
        Err(never) => match never {},
    };
    let forces = blocks.concat();
    // Each point's weight with itself is 1.
    let total: f64 = forces.iter().map(|force| f64::from(force.weight) - 1.0).sum();
    let repulsion = (1.0 / total.max(f64::MIN_POSITIVE)) as f32;
    let force =
        |force: &Forces| [0, 1].map(|k| 4.0 * (exaggeration * force.attraction[k] - repulsion * force.repulsion[k]));
    forces.iter().map(force).collect()
}

/// Sums over all points j: of wᵢⱼ, of pᵢⱼ wᵢⱼ (yᵢ − yⱼ), and of wᵢⱼ² (yᵢ − yⱼ).
#[derive(Clone, Copy)]
struct Forces {
    weight: f32,
    attraction: Place,
    repulsion: Place,
}

fn forces(affinities: &[f32], across: &[Vec<f32>; 2], own: Place) -> Forces {
    let mut sums = [[0.0f32; LANES]; 5];
    let mut add = |affinities: &[f32], xs: &[f32], ys: &[f32]| {
        for lane in 0..affinities.len() {
            let (dx, dy) = (own[0] - xs[lane], own[1] - ys[lane]);
            let weight = 1.0 / (1.0 + dx * dx + dy * dy);
            let (pull, push) = (affinities[lane] * weight, weight * weight);
            sums[0][lane] += weight;
            sums[1][lane] += pull * dx;
            sums[2][lane] += pull * dy;
            sums[3][lane] += push * dx;
            sums[4][lane] += push * dy;
        }
    };
    let whole = affinities.len() / LANES * LANES;
    for at in (0..whole).step_by(LANES) {
        let lanes = at..at + LANES;
        add(&affinities[lanes.clone()], &across[0][lanes.clone()], &across[1][lanes]);
    }
    add(&affinities[whole..], &across[0][whole..], &across[1][whole..]);
    let [weight, ax, ay, rx, ry] = sums.map(|lanes| lanes.iter().sum());
    Forces { weight, attraction: [ax, ay], repulsion: [rx, ry] }
}

/// Σ p ln(p / q) over all pairs.
fn divergence(affinities: &Matrix, places: &[Place]) -> f64 {
    let weight = |i: usize, j: usize| {
        let [dx, dy] = [0, 1].map(|k| f64::from(places[i][k] - places[j][k]));
        1.0 / (1.0 + dx * dx + dy * dy)
    };
    let count = places.len();
    let pairs = || (0..count).flat_map(|i| (0..count).filter(move |&j| j != i).map(move |j| (i, j)));
    let total: f64 = pairs().map(|(i, j)| weight(i, j)).sum();
    let known = pairs().map(|(i, j)| (f64::from(affinities.get(i, j)), weight(i, j) / total));
    known.filter(|(p, _)| *p > 0.0).map(|(p, q)| p * (p / q).ln()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;
    use crate::projection::tests::points;

    fn affinities() -> Matrix {
        let distances = distances::squared(&points(), 1, &Silent).unwrap();
        affinities::joint(&distances, 10.0, 1, &Silent).unwrap()
    }

    // y = 2 * np.hstack([np.cos(1.3 * i), np.sin(1.7 * i)])   # x and i as in `principal_plane`'s test, P as in that of `joint`
    // from sklearn.manifold._t_sne import _kl_divergence
    // loss, gradient = _kl_divergence(y.ravel(), P, 1, 60, 2); print(loss, gradient.reshape(60, 2)[:3].tolist())
    #[test]
    fn loss_and_gradient_are_those_of_scikit_learn() {
        let places: Vec<Place> =
            (0..60).map(|i| [2.0 * (1.3 * i as f32).cos(), 2.0 * (1.7 * i as f32).sin()]).collect();
        let affinities = affinities();
        assert!((divergence(&affinities, &places) - 2.301_313_9).abs() < 1e-4);
        let expected =
            [[0.005_288_372, -0.000_828_097], [0.001_728_993_7, 0.000_432_619_3], [-0.005_483_856_3, -0.006_311_909]];
        for (found, expected) in gradient(&affinities, &places, 1.0, 2).iter().zip(expected) {
            assert!((0..2).all(|k| (found[k] - expected[k]).abs() < 1e-6), "{found:?} not {expected:?}");
        }
    }

    // The way there is chaotic: a start moved by a ten-millionth ends elsewhere, at the same loss to a hundredth.
    //
    // start = 1e-4 * np.hstack([np.cos(1.3 * i), np.sin(1.7 * i)])
    // t = TSNE(method="exact", init=start, perplexity=10, learning_rate=50, max_iter=1000, n_iter_without_progress=10**6, min_grad_norm=0)
    // t.fit(x); print(t.kl_divergence_)
    #[test]
    fn the_descent_ends_as_low_as_that_of_scikit_learn() {
        let start: Vec<Place> =
            (0..60).map(|i| [1e-4 * (1.3 * i as f32).cos(), 1e-4 * (1.7 * i as f32).sin()]).collect();
        let affinities = affinities();
        let places = descend(&affinities, start, 50.0, 1000, 1, &Silent).unwrap();
        let left = divergence(&affinities, &places);
        assert!((left / 0.016_233_65 - 1.0).abs() < 0.03, "{left}");
    }

    #[test]
    fn bits_do_not_depend_on_threads_and_groups_stay_together() {
        let options = TsneOptions { perplexity: 10.0, iterations: 400 };
        let (places, _) = tsne(&points(), &options, 1, &Silent).unwrap();
        assert_eq!(places, tsne(&points(), &options, 3, &Silent).unwrap().0);
        let distance = |i: usize, j: usize| (0..2).map(|k| (places[i][k] - places[j][k]).powi(2)).sum::<f32>();
        for i in 0..60 {
            let nearest =
                (0..60).filter(|&j| j != i).min_by(|&a, &b| distance(i, a).total_cmp(&distance(i, b))).unwrap();
            assert_eq!(nearest % 3, i % 3, "{i} lies beside {nearest}");
        }
    }

    /// Differences of 1e-22, which real titles had after the exaggeration, are told apart beside a mean of zero and no other.
    #[test]
    fn places_lie_around_zero_wherever_they_start() {
        let start: Vec<Place> =
            (0..60).map(|i| [1.0 + 1e-4 * (1.3 * i as f32).cos(), 1e-4 * (1.7 * i as f32).sin() - 2.0]).collect();
        let affinities = affinities();
        let mut places = descend(&affinities, start, 50.0, 300, 1, &Silent).unwrap();
        let spread = places.iter().fold(0.0f32, |most, place| most.max(place[0].abs()));
        let before = places.clone();
        centre(&mut places);
        for (place, before) in places.iter().zip(before) {
            assert!((0..2).all(|k| (place[k] - before[k]).abs() < 1e-5 * spread), "{before:?} is moved to {place:?}");
        }
    }

    #[test]
    fn too_few_points_are_told_so() {
        let error =
            tsne(&Matrix::zeros(20, 3), &TsneOptions { perplexity: 30.0, iterations: 5 }, 1, &Silent).unwrap_err();
        assert!(error.to_string().contains("20 points are too few for perplexity 30"), "{error}");
    }
}
