//! Vectors laid out in the plane, to be looked at: principal components, and t-SNE; and what the picture keeps of them.
//!
//! | file | holds |
//! |---|---|
//! | `distances` | all pairs of squared distances |
//! | `pca` | the two leading principal components |
//! | `affinities` | how near each point feels every other |
//! | `tsne` | gradient descent on the plane |
//! | `neighbours` | the nearest points, and how two sets of them agree |
//!
//! Any number of threads gives the same bits.

mod affinities;
mod distances;
mod neighbours;
mod pca;
mod tsne;

pub use neighbours::{agreement, nearest};
pub use pca::principal_plane;
pub use tsne::TsneError;
pub use tsne::{TsneOptions, tsne};

/// A point's place.
pub type Place = [f32; 2];

#[cfg(test)]
mod tests {
    use crate::matrix::Matrix;

    /// Three groups of 20 in five dimensions: sin(0.7 i (j + 1)), and 3 (i mod 3) more in dimension i mod 3.
    pub(crate) fn points() -> Matrix {
        let at = |i: usize, j: usize| {
            let group = i % 3;
            (i as f64 * (j + 1) as f64 * 0.7).sin() + if j == group { 3.0 * group as f64 } else { 0.0 }
        };
        let values = (0..60).flat_map(|i| (0..5).map(move |j| at(i, j) as f32)).collect();
        Matrix::from_vec(60, 5, values)
    }
}
