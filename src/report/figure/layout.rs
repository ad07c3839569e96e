//! Where a figure's parts go, as far as whoever shows it decides.

/// How figures are laid out; the default is that of pages.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ChartLayout {
    /// Of line charts, in units: width and height.
    pub size: Option<(f64, f64)>,
    /// Panels a line.
    pub columns: Option<usize>,
}
