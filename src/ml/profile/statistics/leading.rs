//! The leading eigenpairs of the covariance of very many columns, without the covariance: a randomised block Krylov iteration (Musco and
//! Musco 2015, arXiv 1504.05477, algorithm 2) with Rayleigh's and Ritz's choice within the space that it spans.
//!
//! Time grows with the table, not with the cube of its columns. Sums run in an order that the shape alone decides.

use rayon::prelude::*;

use crate::eigen::symmetric_eigen;
use crate::matmul::{View, matmul};
use crate::progress::Cancelled;
use crate::rng::Stream;

/// Directions beyond those wanted, so that equal eigenvalues are told apart.
const OVERSAMPLING: usize = 5;
/// Powers of the matrix that the space holds.
const DEPTH: usize = 30;
/// The rows are summed in so many parts.
const PARTS: usize = 32;

/// Of `columns` with mean 0, one after the other with `rows` values each: the `count` largest eigenvalues of their covariance, falling, and
/// as many unit vectors.
pub(super) fn eigenpairs(
    data: &[f32],
    rows: usize,
    count: usize,
    mut stream: Stream,
    go_on: &(dyn Fn() -> Result<(), Cancelled> + Sync),
) -> Result<(Vec<f64>, Vec<Vec<f64>>), Cancelled> {
    let columns = data.len() / rows.max(1);
    let width = (count + OVERSAMPLING).min(columns);
    let size = (width * DEPTH).min(columns);
    // Vectors of the basis are rows; `images` are what the covariance makes of them.
    let (mut basis, mut images): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (Vec::new(), Vec::new());
    let mut next: Vec<Vec<f64>> = (0..width).map(|_| (0..columns).map(|_| stream.normal()).collect()).collect();
    while basis.len() < size {
        go_on()?;
        let first = basis.len();
        for vector in next.drain(..).take(size - first) {
            let vector = orthonormal(vector, &basis, &mut stream);
            basis.push(vector);
        }
        let block = times_covariance(data, rows, &basis[first..], go_on)?;
        images.extend(block.iter().cloned());
        next = block;
    }
    let projected: Vec<f64> = basis.iter().flat_map(|a| images.iter().map(move |b| dot(a, b))).collect();
    let at = |i: usize, j: usize| 0.5 * (projected[i * size + j] + projected[j * size + i]);
    let symmetric = (0..size * size).map(|place| at(place / size, place % size)).collect();
    let (values, vectors) = symmetric_eigen(symmetric, size, &|| go_on().is_err()).ok_or(Cancelled)?;
    let ritz = |k: usize| {
        let mut vector = vec![0.0; columns];
        for (weight, own) in vectors[k * size..(k + 1) * size].iter().zip(&basis) {
            vector.iter_mut().zip(own).for_each(|(sum, value)| *sum += weight * value);
        }
        vector
    };
    Ok((values[..count].to_vec(), (0..count).map(ritz).collect()))
}

/// What is left of a vector without its parts along the basis, at length 1. Where nothing is left, a drawn one takes its place.
fn orthonormal(mut vector: Vec<f64>, basis: &[Vec<f64>], stream: &mut Stream) -> Vec<f64> {
    loop {
        let before = dot(&vector, &vector).sqrt();
        // Twice is enough (Parlett 1998, 6.9).
        for _ in 0..2 {
            let along: Vec<f64> = basis.par_iter().map(|own| dot(&vector, own)).collect();
            for (along, own) in along.iter().zip(basis) {
                vector.iter_mut().zip(own).for_each(|(value, own)| *value -= along * own);
            }
        }
        let length = dot(&vector, &vector).sqrt();
        if length > 1e-10 * before && length > 0.0 {
            vector.iter_mut().for_each(|value| *value /= length);
            return vector;
        }
        vector = (0..vector.len()).map(|_| stream.normal()).collect();
    }
}

/// The product of the covariance with each vector.
fn times_covariance(
    data: &[f32],
    rows: usize,
    vectors: &[Vec<f64>],
    go_on: &(dyn Fn() -> Result<(), Cancelled> + Sync),
) -> Result<Vec<Vec<f64>>, Cancelled> {
    let (columns, count) = (data.len() / rows, vectors.len());
    let flat: Vec<f32> = vectors.iter().flatten().map(|value| *value as f32).collect();
    let part = rows.div_ceil(PARTS);
    let sums = (0..rows.div_ceil(part)).into_par_iter().map(|i| {
        go_on()?;
        let range = i * part..((i + 1) * part).min(rows);
        let table = View::new(data, columns, rows).columns(range.start, range.len());
        let mut scores = vec![0.0f32; count * range.len()];
        matmul(&mut scores, View::new(&flat, count, columns), table);
        let mut sums = vec![0.0f32; count * columns];
        matmul(&mut sums, View::new(&scores, count, range.len()), table.transposed());
        Ok(sums)
    });
    let mut total = vec![0.0f64; count * columns];
    for sums in sums.collect::<Result<Vec<_>, Cancelled>>()? {
        total.iter_mut().zip(sums).for_each(|(total, sum)| *total += f64::from(sum));
    }
    let scale = 1.0 / (rows as f64 - 1.0);
    Ok(total.chunks(columns).map(|sums| sums.iter().map(|sum| sum * scale).collect()).collect())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_leading_pairs_are_those_of_the_whole_covariance_for_any_number_of_threads() {
        let (columns, rows, count) = (90, 200, 4);
        let mut stream = Stream::new(3, "leading", 0);
        // Three columns that move together, two pairs that do, and noise; the eigenvalues of the two pairs are nearly equal.
        let shared: Vec<Vec<f64>> = (0..3).map(|_| (0..rows).map(|_| stream.normal()).collect()).collect();
        let group = |column: usize| [0, 0, 0, 1, 1, 2, 2].get(column).copied();
        let mut data: Vec<f32> = Vec::new();
        for column in 0..columns {
            let values: Vec<f64> = (0..rows)
                .map(|row| stream.normal() * 0.5 + group(column).map_or(0.0, |own: usize| 2.0 * shared[own][row]))
                .collect();
            let mean = values.iter().sum::<f64>() / rows as f64;
            data.extend(values.iter().map(|value| (value - mean) as f32));
        }
        let column = |j: usize| &data[j * rows..(j + 1) * rows];
        let product = |i: usize, j: usize| -> f64 {
            column(i).iter().zip(column(j)).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>() / (rows - 1) as f64
        };
        let whole = (0..columns * columns).map(|at| product(at / columns, at % columns)).collect();
        let (values, vectors) = symmetric_eigen(whole, columns, &|| false).unwrap();
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let stream = Stream::new(5, "leading", 1);
            pool.install(|| eigenpairs(&data, rows, count, stream, &|| Ok(()))).unwrap()
        };
        let found = on(1);
        assert_eq!(found, on(3));
        for k in 0..count {
            assert!((found.0[k] / values[k] - 1.0).abs() < 1e-4, "{k}: {} for {}", found.0[k], values[k]);
            let along = dot(&found.1[k], &vectors[k * columns..(k + 1) * columns]);
            assert!(along.abs() > 0.999, "{k}: {along}");
        }
        let stopped = eigenpairs(&data, rows, count, Stream::new(5, "leading", 1), &|| Err(Cancelled));
        assert_eq!(stopped.unwrap_err(), Cancelled);
    }
}
