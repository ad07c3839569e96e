//! Axes: from data to positions, with ticks at round values.
//!
//! Linear ticks are 1, 2 or 5 times a power of ten; logarithmic ones powers of ten, with 2 and 5 between them where
//! there is room.

use super::drawing::{Anchor, Drawing, Element};
use super::palette::Paint;
use super::text;

/// A mapping of a data interval to a position interval, with its ticks.
#[derive(Clone, Debug)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
    start: f64,
    end: f64,
    log: bool,
    pub(crate) ticks: Vec<f64>,
}

impl Scale {
    /// Maps `low..high` of the data to `start..end`. An empty or broken interval is widened around its value.
    pub(crate) fn linear(low: f64, high: f64, start: f64, end: f64, tick_count: usize) -> Scale {
        let (low, high) = sane(low, high);
        Scale { low, high, start, end, log: false, ticks: linear_ticks(low, high, tick_count) }
    }

    /// A logarithmic scale; both ends must be positive, else it is linear.
    pub(crate) fn log(low: f64, high: f64, start: f64, end: f64, tick_count: usize) -> Scale {
        if !(low > 0.0 && high.is_finite() && high >= low) {
            return Scale::linear(low, high, start, end, tick_count);
        }
        let (low, high) = if high > low { (low, high) } else { (low / 2.0, high * 2.0) };
        Scale { low, high, start, end, log: true, ticks: log_ticks(low, high, tick_count) }
    }

    /// Position of a value; values outside the interval stay at its ends.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let share = if self.log {
            (value.max(f64::MIN_POSITIVE) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        if share.is_nan() {
            return f64::NAN;
        }
        self.start + share.clamp(0.0, 1.0) * (self.end - self.start)
    }

    /// The positions of the interval's ends.
    pub(crate) fn ends(&self) -> (f64, f64) {
        (self.start, self.end)
    }

    /// The tick's text, with as many decimals as its neighbours need.
    pub(crate) fn label(&self, tick: f64) -> String {
        if self.log {
            return text::compact(tick);
        }
        let step = match self.ticks.as_slice() {
            [first, second, ..] => second - first,
            _ => self.high - self.low,
        };
        let largest = self.low.abs().max(self.high.abs());
        if !(1e-4..1e6).contains(&largest) {
            return text::compact(tick);
        }
        let places = if step > 0.0 { (-(step.log10() + 1e-9).floor()).clamp(0.0, 6.0) } else { 0.0 };
        if places == 0.0 { text::compact(tick.round()) } else { text::decimals(tick, places as usize) }
    }

    /// Room that the tick labels need at the side of a vertical axis.
    pub(crate) fn label_width(&self, size: f64) -> f64 {
        self.ticks.iter().map(|&tick| text::width(&self.label(tick), size)).fold(0.0, f64::max)
    }

    /// A horizontal axis below the plot: light vertical rules from `top` to `bottom`, tick labels, and the axis' name.
    pub(crate) fn draw_below(&self, drawing: &mut Drawing, top: f64, bottom: f64, name: &str) {
        let mut last_end = f64::NEG_INFINITY;
        for &tick in &self.ticks {
            let x = self.at(tick);
            drawing.add(Element::line(x, top, x, bottom).stroke(Paint::Grid, 1.0));
            let label = self.label(tick);
            let half = text::width(&label, 11.0) / 2.0;
            // The last label may stand out by a little, not be cut off.
            let x = x.min(self.end + 9.0 - half);
            if x - half > last_end + 3.0 {
                last_end = x + half;
                drawing
                    .add(Element::text(x, bottom + 14.0, &label).size(11.0).fill(Paint::Muted).anchor(Anchor::Middle));
            }
        }
        if !name.is_empty() {
            let shown = text::fit(name, 11.5, (self.end - self.start).abs().max(60.0));
            drawing.add(
                Element::text((self.start + self.end) / 2.0, bottom + 29.0, &shown)
                    .size(11.0)
                    .fill(Paint::Muted)
                    .anchor(Anchor::Middle),
            );
        }
    }

    /// A vertical axis at the left of the plot: light horizontal rules from `left` to `right` and tick labels.
    pub(crate) fn draw_left(&self, drawing: &mut Drawing, left: f64, right: f64) {
        for &tick in &self.ticks {
            let y = self.at(tick);
            drawing.add(Element::line(left, y, right, y).stroke(Paint::Grid, 1.0));
            drawing.add(
                Element::text(left - 6.0, y + 4.0, &self.label(tick)).size(11.0).fill(Paint::Muted).anchor(Anchor::End),
            );
        }
    }
}

/// The finite least and greatest of some values.
pub(crate) fn extent(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values.into_iter().filter(|v| v.is_finite()).fold(None, |extent, v| match extent {
        None => Some((v, v)),
        Some((low, high)) => Some((low.min(v), high.max(v))),
    })
}

fn sane(low: f64, high: f64) -> (f64, f64) {
    match (low.is_finite(), high.is_finite()) {
        (true, true) if high > low && (high - low).is_finite() => (low, high),
        (true, true) if high < low && (low - high).is_finite() => (high, low),
        (true, _) | (_, true) => {
            let centre = if low.is_finite() { low } else { high };
            let reach = if centre == 0.0 { 1.0 } else { centre.abs() * 0.5 };
            ((centre - reach).max(f64::MIN / 4.0), (centre + reach).min(f64::MAX / 4.0))
        }
        _ => (0.0, 1.0),
    }
}

/// The smallest of 1, 2, 5 × a power of ten that gives at most `count` steps over `span`.
fn nice_step(span: f64, count: usize) -> f64 {
    let rough = (span / count.max(1) as f64).max(f64::MIN_POSITIVE);
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|&s| s >= rough * (1.0 - 1e-9));
    step.filter(|s| *s > 0.0 && s.is_finite()).unwrap_or(span)
}

fn linear_ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    let step = nice_step(high - low, count);
    let first = (low / step - 1e-9).ceil();
    (0..=count.max(1) * 2)
        .map(|i| (first + i as f64) * step)
        .take_while(|tick| *tick <= high + step * 1e-9)
        .map(|tick| if tick.abs() < step * 1e-9 { 0.0 } else { tick })
        .collect()
}

fn log_ticks(low: f64, high: f64, count: usize) -> Vec<f64> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let inside = |tick: &f64| *tick >= low * (1.0 - 1e-9) && *tick <= high * (1.0 + 1e-9);
    for factors in [&[1.0, 2.0, 5.0][..], &[1.0, 3.0][..], &[1.0][..]] {
        let ticks: Vec<f64> = (first..=last)
            .flat_map(|power| factors.iter().map(move |factor| factor * 10f64.powi(power)))
            .filter(inside)
            .collect();
        if ticks.len() <= count.max(2) && ticks.len() >= 2 {
            return ticks;
        }
    }
    let stride = ((last - first) as usize / count.max(1)).max(1);
    let powers: Vec<f64> = (first..=last).step_by(stride).map(|p| 10f64.powi(p)).filter(inside).collect();
    if powers.is_empty() { vec![low, high] } else { powers }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        let scale = Scale::linear(0.13, 0.72, 0.0, 100.0, 5);
        assert_eq!(scale.ticks.iter().map(|t| scale.label(*t)).collect::<Vec<_>>(), ["0.2", "0.4", "0.6"]);
        let scale = Scale::log(1e-4, 1e-2, 0.0, 100.0, 5);
        assert_eq!(scale.ticks.len(), 5);
        assert_eq!(scale.label(scale.ticks[0]), "0.0001");
    }

    #[test]
    fn broken_intervals_still_map_to_finite_places() {
        for (low, high) in [
            (f64::NAN, f64::NAN),
            (1.0, 1.0),
            (0.0, 0.0),
            (f64::NEG_INFINITY, 2.0),
            (f64::MIN, f64::MAX),
            (1e300, 1e300),
            (5.0, 1.0),
        ] {
            for scale in [Scale::linear(low, high, 0.0, 100.0, 5), Scale::log(low, high, 0.0, 100.0, 5)] {
                assert!((0.0..=100.0).contains(&scale.at(3.0)), "{low} {high}");
                assert!(scale.ticks.len() <= 12);
                assert!(scale.ticks.iter().all(|t| (0.0..=100.0).contains(&scale.at(*t))));
            }
        }
    }

    #[test]
    fn a_logarithmic_scale_spaces_powers_evenly() {
        let scale = Scale::log(0.001, 10.0, 0.0, 400.0, 5);
        assert!((scale.at(0.01) - 100.0).abs() < 1e-9 && (scale.at(1.0) - 300.0).abs() < 1e-9);
    }
}
