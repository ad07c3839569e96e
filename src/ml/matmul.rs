//! Matrix products on views of slices, through `gemm` on one thread.
//!
//! One thread for each matmul, because one that is split over threads may round otherwise; callers run many products at
//! once instead.

/// A matrix seen in a slice: element (i, j) is `data[i * row_stride + j * col_stride]`.
#[derive(Clone, Copy)]
pub(crate) struct View<'a, T> {
    data: &'a [T],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a, T> View<'a, T> {
    /// A row-major `rows` × `cols` matrix. Panics when the slice has another length.
    pub(crate) fn new(data: &'a [T], rows: usize, cols: usize) -> Self {
        assert_eq!(data.len(), rows * cols, "a {rows}×{cols} view needs {} values", rows * cols);
        View { data, rows, cols, row_stride: cols, col_stride: 1 }
    }

    /// Columns `first` up to `first + count`.
    pub(crate) fn columns(self, first: usize, count: usize) -> Self {
        assert!(first + count <= self.cols, "columns {first}+{count} of {}", self.cols);
        View { data: &self.data[(first * self.col_stride).min(self.data.len())..], cols: count, ..self }
    }

    pub(crate) fn transposed(self) -> Self {
        View { rows: self.cols, cols: self.rows, row_stride: self.col_stride, col_stride: self.row_stride, ..self }
    }

    /// Whether the last element is an element of the slice; there must be one.
    fn is_inside(&self) -> bool {
        (self.rows - 1) * self.row_stride + (self.cols - 1) * self.col_stride < self.data.len()
    }
}

/// Element types that `gemm` multiplies here.
pub(crate) trait Element: Copy + 'static {
    const ZERO: Self;
    const ONE: Self;
}

impl Element for f32 {
    const ZERO: f32 = 0.0;
    const ONE: f32 = 1.0;
}

impl Element for f64 {
    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;
}

/// Overwrites the row-major `out` with `a` × `b`. Panics when the shapes do not fit.
pub(crate) fn matmul<T: Element>(out: &mut [T], a: View<T>, b: View<T>) {
    scaled_matmul(out, a, b, T::ONE);
}

/// Overwrites the row-major `out` with `factor` · `a` × `b`. Panics when the shapes do not fit.
pub(crate) fn scaled_matmul<T: Element>(out: &mut [T], a: View<T>, b: View<T>, factor: T) {
    multiply(out, a, b, factor, false);
}

/// Adds `factor` · `a` × `b` to the row-major `out`. Panics when the shapes do not fit.
pub(crate) fn adding_product<T: Element>(out: &mut [T], a: View<T>, b: View<T>, factor: T) {
    multiply(out, a, b, factor, true);
}

fn multiply<T: Element>(out: &mut [T], a: View<T>, b: View<T>, factor: T, adds: bool) {
    assert_eq!(a.cols, b.rows, "inner dimensions differ");
    assert_eq!(out.len(), a.rows * b.cols, "the product needs {} values", a.rows * b.cols);
    if a.cols == 0 && !adds {
        out.fill(T::ZERO);
    }
    if out.is_empty() || a.cols == 0 {
        return;
    }
    assert!(a.is_inside() && b.is_inside(), "a view reaches beyond its slice");
    // SAFETY: `gemm` reads elements (i, j) of both factors within the dimensions given here and
    // writes those of the result, which it reads first where it adds. The farthest element of each
    // view is inside its slice, as was just checked. `out` is row-major with the length checked above, and cannot overlap the factors
    // because it is borrowed mutably. Strides fit `isize` because no slice is longer than
    // `isize::MAX` bytes. `T` is `f32` or `f64`, which `gemm` supports; all their bits are valid.
    #[allow(unsafe_code)]
    unsafe {
        gemm::gemm(
            a.rows,
            b.cols,
            a.cols,
            out.as_mut_ptr(),
            1,
            b.cols as isize,
            adds,
            a.data.as_ptr(),
            a.col_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.col_stride as isize,
            b.row_stride as isize,
            if adds { T::ONE } else { T::ZERO },
            factor,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_agree_with_the_definition_for_any_shape_and_orientation() {
        for (m, k, n) in [(1, 1, 1), (3, 2, 4), (17, 14, 33), (1, 40, 5), (65, 7, 1), (4, 0, 3), (0, 3, 2)] {
            let a: Vec<f64> = (0..m * k).map(|i| (i % 7) as f64 - 3.0).collect();
            let b: Vec<f64> = (0..k * n).map(|i| (i % 5) as f64 - 2.0).collect();
            let mut b_transposed = vec![0.0; n * k];
            for p in 0..k {
                for j in 0..n {
                    b_transposed[j * k + p] = b[p * n + j];
                }
            }
            let mut expected = vec![0.0; m * n];
            for i in 0..m {
                for j in 0..n {
                    expected[i * n + j] = (0..k).map(|p| a[i * k + p] * b[p * n + j]).sum();
                }
            }
            let mut out = vec![f64::NAN; m * n];
            matmul(&mut out, View::new(&a, m, k), View::new(&b, k, n));
            assert_eq!(out, expected);
            out.fill(f64::NAN);
            matmul(&mut out, View::new(&a, m, k), View::new(&b_transposed, n, k).transposed());
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn parts_of_a_matrix_multiply_as_copies_of_them() {
        let a: Vec<f64> = (0..7 * 6).map(|i| (i % 11) as f64 - 5.0).collect();
        let b: Vec<f64> = (0..3 * 2).map(|i| (i % 5) as f64 - 2.0).collect();
        let mut out = vec![0.0; 7 * 2];
        scaled_matmul(&mut out, View::new(&a, 7, 6).columns(2, 3), View::new(&b, 3, 2), 2.0);
        let copy: Vec<f64> = (0..7).flat_map(|i| a[i * 6 + 2..i * 6 + 5].to_vec()).collect();
        let mut expected = vec![0.0; 7 * 2];
        matmul(&mut expected, View::new(&copy, 7, 3), View::new(&b, 3, 2));
        assert_eq!(out, expected.iter().map(|x| 2.0 * x).collect::<Vec<_>>());
        adding_product(&mut out, View::new(&copy, 7, 3), View::new(&b, 3, 2), 3.0);
        assert_eq!(out, expected.iter().map(|x| 5.0 * x).collect::<Vec<_>>());
    }

    #[test]
    #[should_panic(expected = "inner dimensions differ")]
    fn shapes_that_do_not_fit_are_refused() {
        matmul(&mut [0.0f32; 4], View::new(&[0.0; 6], 2, 3), View::new(&[0.0; 4], 2, 2));
    }
}
