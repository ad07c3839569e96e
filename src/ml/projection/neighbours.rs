//! The nearest points, by all pairs of distances.

use super::{Place, distances};
use crate::matrix::Matrix;
use crate::progress::{Cancelled, Progress};

/// For each point the `k` nearest others, the nearest first; the first of equals. Fewer where there are fewer.
pub fn nearest(
    points: &Matrix,
    k: usize,
    threads: usize,
    progress: &dyn Progress,
) -> Result<Vec<Vec<usize>>, Cancelled> {
    let distances = distances::squared(points, threads, progress)?;
    let of = |i: usize| {
        progress.go_on()?;
        let row = distances.row(i);
        let mut others: Vec<usize> = (0..points.rows).filter(|&j| j != i).collect();
        let by_distance = |a: &usize, b: &usize| row[*a].total_cmp(&row[*b]).then(a.cmp(b));
        if others.len() > k {
            others.select_nth_unstable_by(k, by_distance);
            others.truncate(k);
        }
        others.sort_unstable_by(by_distance);
        Ok(others)
    };
    (0..points.rows).map(of).collect()
}

/// The share of the neighbours `of` the points that are neighbours in the plane too, as many of them; 0 to 1, 1 for no neighbours.
pub fn agreement(
    of: &[Vec<usize>],
    places: &[Place],
    threads: usize,
    progress: &dyn Progress,
) -> Result<f64, Cancelled> {
    let k = of.first().map_or(0, Vec::len);
    let flat = Matrix::from_vec(places.len(), 2, places.concat());
    let both = nearest(&flat, k, threads, progress)?;
    let kept: usize = both.iter().zip(of).map(|(plane, of)| of.iter().filter(|i| plane.contains(i)).count()).sum();
    let all: usize = of.iter().map(Vec::len).sum();
    Ok(if all == 0 { 1.0 } else { kept as f64 / all as f64 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;
    use crate::projection::tests::points;

    // print(NearestNeighbors(n_neighbors=3).fit(x).kneighbors(return_distance=False)[:4].tolist())   # x as in `principal_plane`'s test
    #[test]
    fn neighbours_are_those_of_scikit_learn() {
        let found = nearest(&points(), 3, 2, &Silent).unwrap();
        assert_eq!(found[..4], [[9, 18, 27], [10, 19, 28], [11, 20, 29], [12, 21, 30]]);
    }

    #[test]
    fn a_plane_keeps_all_neighbours_of_points_that_lie_in_it() {
        let places: Vec<Place> = (0..40).map(|i| [(i * 13 % 40) as f32, (i % 5) as f32]).collect();
        let flat = Matrix::from_vec(40, 2, places.concat());
        let near = nearest(&flat, 4, 1, &Silent).unwrap();
        assert_eq!(agreement(&near, &places, 1, &Silent), Ok(1.0));
        let shuffled: Vec<Place> = (0..40).map(|i| places[i * i % 40]).collect();
        assert!(agreement(&near, &shuffled, 1, &Silent).unwrap() < 0.5);
    }
}
