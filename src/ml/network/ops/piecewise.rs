//! The piecewise-linear encoding of numbers (Gorishniy et al. 2022, arXiv 2203.05556): how far a number has passed through each
//! of several bins.

use crate::matrix::Matrix;
use crate::preprocess::normal_quantile;

/// Where the outermost bins end, unless a number lies farther out.
const END: f64 = 3.0;

/// rows × numbers → rows × numbers·bins. The bins divide a standard normal variable evenly, which scaled columns are about,
/// and exactly so with `scaling: quantile`. 0 before a bin, 1 behind it; the outermost go on below 0 and above 1.
pub(crate) fn piecewise_linear(x: &Matrix, bins: usize) -> Matrix {
    let edge = |i: usize| match i {
        0 => -END,
        _ if i == bins => END,
        _ => normal_quantile(i as f64 / bins as f64),
    };
    let edges: Vec<(f32, f32)> = (0..bins).map(|i| (edge(i) as f32, (1.0 / (edge(i + 1) - edge(i))) as f32)).collect();
    let mut out = Matrix::zeros(x.rows, x.cols * bins);
    for (out, x) in out.data.chunks_exact_mut(bins).zip(&x.data) {
        for (i, (out, (start, slope))) in out.iter_mut().zip(&edges).enumerate() {
            let share = (x - start) * slope;
            let (lowest, highest) = (if i == 0 { f32::MIN } else { 0.0 }, if i + 1 == bins { f32::MAX } else { 1.0 });
            *out = share.clamp(lowest, highest);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    // import rtdl_num_embeddings as r; from statistics import NormalDist
    // e = torch.tensor([-3., NormalDist().inv_cdf(.25), 0., NormalDist().inv_cdf(.75), 3.])
    // r.PiecewiseLinearEncoding([e])(torch.tensor([[-3.5], [-.3], [.1], [3.2]])) — and by hand: (x − e_i)/(e_{i+1} − e_i)
    #[test]
    fn shares_of_bins_are_those_of_the_definition() {
        let x = Matrix::from_vec(4, 1, vec![-3.5, -0.3, 0.1, 3.2]);
        let found = piecewise_linear(&x, 4);
        let q = 0.674_489_75;
        let expected = [
            [-0.5 / (3.0 - q), 0.0, 0.0, 0.0],
            [1.0, (q - 0.3) / q, 0.0, 0.0],
            [1.0, 1.0, 0.1 / q, 0.0],
            [1.0, 1.0, 1.0, (3.2 - q) / (3.0 - q)],
        ];
        for (row, expected) in expected.iter().enumerate() {
            for (found, expected) in found.row(row).iter().zip(expected) {
                assert!((found - expected).abs() < 1e-5, "row {row}: {found} not {expected}");
            }
        }
    }
}
