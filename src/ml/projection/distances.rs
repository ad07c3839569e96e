//! All pairs of squared Euclidean distances.

use crate::matmul::{View, matmul};
use crate::matrix::Matrix;
use crate::progress::{Cancelled, Progress};
use crate::train::side_by_side;

/// Rows that are multiplied together.
const BLOCK: usize = 64;

/// `points.rows` × `points.rows`; zero on the diagonal, never below zero.
pub(crate) fn squared(points: &Matrix, threads: usize, progress: &dyn Progress) -> Result<Matrix, Cancelled> {
    let (count, dim) = (points.rows, points.cols);
    let norms: Vec<f32> = (0..count).map(|i| points.row(i).iter().map(|x| x * x).sum()).collect();
    let all = View::new(&points.data, count, dim).transposed();
    let block = |index: usize| {
        progress.go_on()?;
        let rows = index * BLOCK..((index + 1) * BLOCK).min(count);
        let mut out = vec![0.0; rows.len() * count];
        let some = View::new(&points.data[rows.start * dim..rows.end * dim], rows.len(), dim);
        matmul(&mut out, some, all);
        for (i, row) in rows.clone().zip(out.chunks_exact_mut(count.max(1))) {
            for (j, value) in row.iter_mut().enumerate() {
                *value = if i == j { 0.0 } else { (norms[i] + norms[j] - 2.0 * *value).max(0.0) };
            }
        }
        Ok::<_, Cancelled>(out)
    };
    let blocks = side_by_side(count.div_ceil(BLOCK), threads, block)?;
    Ok(Matrix::from_vec(count, count, blocks.concat()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    #[test]
    fn distances_agree_with_the_definition() {
        let points = Matrix::from_vec(130, 3, (0..390).map(|i| (i * 7 % 23) as f32 / 4.0).collect());
        let found = squared(&points, 2, &Silent).unwrap();
        for (i, j) in [(0, 1), (63, 64), (129, 5), (77, 77)] {
            let expected: f32 = points.row(i).iter().zip(points.row(j)).map(|(a, b)| (a - b) * (a - b)).sum();
            assert!((found.get(i, j) - expected).abs() < 1e-4, "{i} {j}: {} not {expected}", found.get(i, j));
        }
        assert_eq!(found, squared(&points, 1, &Silent).unwrap());
    }
}
