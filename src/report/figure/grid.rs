//! Several figures as one drawing, e.g. the learning curves of a training.

use super::drawing::Drawing;

/// Space between figures.
const GAP: f64 = 16.0;

/// `figures` in lines of `columns`, under a common title.
pub fn grid(title: &str, description: &str, figures: Vec<Drawing>, columns: usize) -> Drawing {
    let columns = columns.clamp(1, figures.len().max(1));
    let sizes: Vec<(f64, f64)> = figures.iter().map(Drawing::size).collect();
    let widest = |column: usize| sizes.iter().skip(column).step_by(columns).map(|size| size.0).fold(0.0, f64::max);
    let lefts: Vec<f64> = (0..columns).map(|column| (0..column).map(|before| widest(before) + GAP).sum()).collect();
    let width: f64 = (0..columns).map(widest).sum::<f64>() + GAP * (columns - 1) as f64;
    let mut places = Vec::with_capacity(figures.len());
    let mut top = 26.0;
    for line in sizes.chunks(columns) {
        places.extend((0..line.len()).map(|column| (lefts[column], top)));
        top += line.iter().map(|size| size.1).fold(0.0, f64::max) + GAP;
    }
    let mut drawing = Drawing::new(width.max(super::WIDTH), top, title, description);
    drawing.heading();
    for (figure, (x, y)) in figures.into_iter().zip(places) {
        drawing.nest(figure, x, y);
    }
    drawing
}
