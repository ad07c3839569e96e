//! Matrix products on views of slices, through `gemm` on one thread.
//!
//! One thread, because a product that is split over threads may round otherwise; callers run many
//! products at once instead. Knows nothing of what is multiplied.

/// A matrix seen in a slice: element (i, j) is `data[i * row_stride + j * col_stride]`.
#[derive(Clone, Copy)]
pub struct View<'a, T> {
    data: &'a [T],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a, T> View<'a, T> {
    /// A row-major `rows` × `cols` matrix. Panics when the slice has another length.
    pub fn new(data: &'a [T], rows: usize, cols: usize) -> Self {
        assert_eq!(data.len(), rows * cols, "a {rows}×{cols} view needs {} values", rows * cols);
        View { data, rows, cols, row_stride: cols, col_stride: 1 }
    }

    pub fn transposed(self) -> Self {
        View { rows: self.cols, cols: self.rows, row_stride: self.col_stride, col_stride: self.row_stride, ..self }
    }
}

/// Element types that `gemm` multiplies here.
pub trait Element: Copy + 'static {
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
pub fn product<T: Element>(out: &mut [T], a: View<T>, b: View<T>) {
    assert_eq!(a.cols, b.rows, "inner dimensions differ");
    assert_eq!(out.len(), a.rows * b.cols, "the product needs {} values", a.rows * b.cols);
    if a.cols == 0 {
        out.fill(T::ZERO);
    }
    if out.is_empty() || a.cols == 0 {
        return;
    }
    // SAFETY: `gemm` reads elements (i, j) of both factors within the dimensions given here and
    // writes those of the result. A `View` is made by `new` alone, which checks that its slice
    // holds exactly rows × cols elements with unit column stride, and `transposed` only swaps both
    // pairs; so every offset is inside its slice. `out` is row-major with the length checked above,
    // and cannot overlap the factors because it is borrowed mutably. Strides fit `isize` because no
    // slice is longer than `isize::MAX` bytes. `T` is `f32` or `f64`, which `gemm` supports; all
    // their bits are valid.
    #[allow(unsafe_code)]
    unsafe {
        gemm::gemm(
            a.rows,
            b.cols,
            a.cols,
            out.as_mut_ptr(),
            1,
            b.cols as isize,
            false,
            a.data.as_ptr(),
            a.col_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.col_stride as isize,
            b.row_stride as isize,
            T::ZERO,
            T::ONE,
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
            product(&mut out, View::new(&a, m, k), View::new(&b, k, n));
            assert_eq!(out, expected);
            out.fill(f64::NAN);
            product(&mut out, View::new(&a, m, k), View::new(&b_transposed, n, k).transposed());
            assert_eq!(out, expected);
        }
    }

    #[test]
    #[should_panic(expected = "inner dimensions differ")]
    fn shapes_that_do_not_fit_are_refused() {
        product(&mut [0.0f32; 4], View::new(&[0.0; 6], 2, 3), View::new(&[0.0; 4], 2, 2));
    }
}
