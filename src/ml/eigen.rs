//! All eigenvalues and eigenvectors of a symmetric matrix: Householder's tridiagonal form, then QL steps with implicit
//! shifts (Golub and Van Loan, Matrix Computations, 4th ed., 8.3).
//!
//! Single-threaded and plain: the matrices are a few hundred wide.

/// Of the `n` × `n` matrix `a`: eigenvalues from the largest down, and as many eigenvectors, row after row.
/// `None` when `cancelled` said so.
pub(crate) fn symmetric_eigen(mut a: Vec<f64>, n: usize, cancelled: &dyn Fn() -> bool) -> Option<(Vec<f64>, Vec<f64>)> {
    // Rows of `z` become the eigenvectors: the product of all transformations, transposed.
    let mut z = vec![0.0; n * n];
    for i in 0..n {
        z[i * n + i] = 1.0;
    }
    tridiagonalize(&mut a, &mut z, n, cancelled)?;
    let mut diagonal: Vec<f64> = (0..n).map(|i| a[i * n + i]).collect();
    let mut beside: Vec<f64> = (0..n).map(|i| if i + 1 < n { a[i * n + i + 1] } else { 0.0 }).collect();
    ql(&mut diagonal, &mut beside, &mut z, n, cancelled)?;
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|&i, &j| diagonal[j].total_cmp(&diagonal[i]));
    let values = order.iter().map(|&i| diagonal[i]).collect();
    let vectors = order.iter().flat_map(|&i| z[i * n..(i + 1) * n].iter().copied()).collect();
    Some((values, vectors))
}

/// Reflects `a` to tridiagonal form T = Z A Zᵀ and applies the same reflections to the rows of `z`.
fn tridiagonalize(a: &mut [f64], z: &mut [f64], n: usize, cancelled: &dyn Fn() -> bool) -> Option<()> {
    let (mut v, mut w) = (vec![0.0; n], vec![0.0; n]);
    for k in 0..n.saturating_sub(2) {
        if cancelled() {
            return None;
        }
        let rest = k + 1..n;
        v.fill(0.0);
        for i in rest.clone() {
            v[i] = a[i * n + k];
        }
        let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
        if v[k + 2..].iter().all(|x| *x == 0.0) {
            continue;
        }
        let pivot = if v[k + 1] > 0.0 { -norm } else { norm };
        v[k + 1] -= pivot;
        let scale = 2.0 / v.iter().map(|x| x * x).sum::<f64>();
        // a ← (I − s v vᵀ) a (I − s v vᵀ) = a − v wᵀ − w vᵀ
        for i in rest.clone() {
            w[i] = scale * dot(&a[i * n..][k + 1..n], &v[k + 1..]);
        }
        let half = 0.5 * scale * dot(&w[k + 1..], &v[k + 1..]);
        for i in rest.clone() {
            w[i] -= half * v[i];
        }
        for i in rest.clone() {
            for j in rest.clone() {
                a[i * n + j] -= v[i] * w[j] + w[i] * v[j];
            }
        }
        for i in k + 2..n {
            a[i * n + k] = 0.0;
            a[k * n + i] = 0.0;
        }
        a[(k + 1) * n + k] = pivot;
        a[k * n + k + 1] = pivot;
        // z ← (I − s v vᵀ) z
        let mut sums = vec![0.0; n];
        for i in rest.clone() {
            for (sum, value) in sums.iter_mut().zip(&z[i * n..(i + 1) * n]) {
                *sum += v[i] * value;
            }
        }
        for i in rest {
            for (value, sum) in z[i * n..(i + 1) * n].iter_mut().zip(&sums) {
                *value -= scale * v[i] * sum;
            }
        }
    }
    Some(())
}

/// Diagonalises the tridiagonal matrix of `d` and `e` (`e[i]` couples `i` and `i + 1`), rotating the rows of `z`.
fn ql(d: &mut [f64], e: &mut [f64], z: &mut [f64], n: usize, cancelled: &dyn Fn() -> bool) -> Option<()> {
    for l in 0..n {
        if cancelled() {
            return None;
        }
        // Two or three steps an eigenvalue are usual; NaN would never converge.
        for _ in 0..60 {
            let small = |i: usize, e: &[f64]| e[i].abs() <= f64::EPSILON * (d[i].abs() + d[i + 1].abs());
            let m = (l..n - 1).find(|&i| small(i, e)).unwrap_or(n - 1);
            if m == l {
                break;
            }
            // Wilkinson's shift: the eigenvalue of the leading 2 × 2 block that is nearer to d[l].
            let g = (d[l + 1] - d[l]) / (2.0 * e[l]);
            let mut g = d[m] - d[l] + e[l] / (g + g.hypot(1.0).copysign(g));
            let (mut s, mut c, mut p) = (1.0, 1.0, 0.0);
            let mut split = false;
            for i in (l..m).rev() {
                let f = s * e[i];
                let b = c * e[i];
                let r = f.hypot(g);
                e[i + 1] = r;
                if r == 0.0 {
                    d[i + 1] -= p;
                    e[m] = 0.0;
                    split = true;
                    break;
                }
                (s, c) = (f / r, g / r);
                g = d[i + 1] - p;
                let t = (d[i] - g) * s + 2.0 * c * b;
                p = s * t;
                d[i + 1] = g + p;
                g = c * t - b;
                let (upper, lower) = z.split_at_mut((i + 1) * n);
                for (x, y) in upper[i * n..].iter_mut().zip(&mut lower[..n]) {
                    let old = *y;
                    *y = s * *x + c * old;
                    *x = c * *x - s * old;
                }
            }
            if !split {
                d[l] -= p;
                e[l] = g;
                e[m] = 0.0;
            }
        }
    }
    Some(())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Stream;

    #[test]
    fn eigenvectors_rebuild_the_matrix() {
        for n in [1, 2, 3, 17, 60] {
            let mut stream = Stream::new(5, "eigen", n as u64);
            let mut a = vec![0.0; n * n];
            for i in 0..n {
                for j in 0..=i {
                    let value = stream.normal();
                    (a[i * n + j], a[j * n + i]) = (value, value);
                }
            }
            let (values, vectors) = symmetric_eigen(a.clone(), n, &|| false).unwrap();
            assert!(values.is_sorted_by(|a, b| a >= b));
            for i in 0..n {
                for j in 0..n {
                    let rebuilt: f64 = (0..n).map(|k| values[k] * vectors[k * n + i] * vectors[k * n + j]).sum();
                    assert!((rebuilt - a[i * n + j]).abs() < 1e-12 * n as f64, "{n}: {i}, {j}");
                    let product = dot(&vectors[i * n..(i + 1) * n], &vectors[j * n..(j + 1) * n]);
                    let unit = if i == j { 1.0 } else { 0.0 };
                    assert!((product - unit).abs() < 1e-12 * n as f64);
                }
            }
        }
    }

    #[test]
    fn a_matrix_of_low_rank_and_one_of_zeros_have_eigenvalues() {
        let ones = symmetric_eigen(vec![1.0; 25], 5, &|| false).unwrap().0;
        assert!((ones[0] - 5.0).abs() < 1e-12 && ones[1..].iter().all(|x| x.abs() < 1e-12));
        assert_eq!(symmetric_eigen(vec![0.0; 9], 3, &|| false).unwrap().0, [0.0; 3]);
        assert!(symmetric_eigen(vec![1.0; 9], 3, &|| true).is_none());
    }
}
