//! One cloud of points in the colours of their classes, each telling on hover what it is.
//!
//! For where neighbours matter and axes mean nothing, as in t-SNE: there are none.

use super::drawing::{Drawing, Element};
use super::palette::{Paint, Palette};
use super::scale::{Scale, extent};
use super::scatter::{Point, most_frequent};
use super::{WIDTH, text};

/// What [`scatter_classes`] draws: `names[i]` is what point i says of itself.
#[derive(Clone, Debug)]
pub struct ClassScatterChart<'a> {
    pub(crate) title: &'a str,
    pub(crate) description: &'a str,
    pub(crate) classes: &'a [String],
    pub(crate) points: &'a [Point],
    pub(crate) names: &'a [String],
}

/// Classes with a colour and a name above the cloud; the points of others are grey.
const MOST_KEYS: usize = 24;

/// A square with one unit for both directions, under a line of the classes. Points are painted in their order, so that no class lies on top.
pub fn scatter_classes(chart: &ClassScatterChart, palette: &Palette) -> Drawing {
    const MARGIN: f64 = 8.0;
    let known = |p: &&Point| p.x.is_finite() && p.y.is_finite();
    let range = |of: fn(&Point) -> f64| extent(chart.points.iter().filter(known).map(of)).unwrap_or((0.0, 1.0));
    let (x, y) = (range(|p| p.x), range(|p| p.y));
    let span = (x.1 - x.0).max(y.1 - y.0).max(f64::MIN_POSITIVE);
    let unit = (WIDTH - 2.0 * MARGIN) / span;
    let told_apart = most_frequent(chart.points, chart.classes.len(), MOST_KEYS);
    let mut is_told_apart = vec![false; chart.classes.len()];
    told_apart.iter().for_each(|&class| is_told_apart[class] = true);
    let paint = |class: usize| if is_told_apart[class] { palette.paint(&chart.classes[class]) } else { Paint::Neutral };
    let mut named: Vec<(String, Paint)> =
        told_apart.iter().map(|&class| (chart.classes[class].clone(), paint(class))).collect();
    if named.len() < chart.classes.len() {
        named.push((format!("{} others", chart.classes.len() - named.len()), Paint::Neutral));
    }
    let keys = keys(named.iter().map(|(name, _)| name.as_str()));
    let top = 30.0 + 20.0 * (keys.last().map_or(0, |key| key.line) + 1) as f64;
    let (width, height) = (unit * (x.1 - x.0) + 2.0 * MARGIN, unit * (y.1 - y.0) + 2.0 * MARGIN);
    let left = (WIDTH - width) / 2.0;
    let mut drawing = Drawing::new(WIDTH, top + height + 4.0, chart.title, chart.description);
    drawing.heading();
    for ((_, paint), key) in named.iter().zip(&keys) {
        let line = 38.0 + 20.0 * key.line as f64;
        drawing.add(Element::circle(key.x + 5.0, line - 4.0, 4.5).fill(*paint));
        drawing.add(Element::text(key.x + 14.0, line, &key.name));
    }
    let across = Scale::linear(x.0, x.1, left + MARGIN, left + width - MARGIN, 2);
    let upwards = Scale::linear(y.0, y.1, top + height - MARGIN, top + MARGIN, 2);
    for (point, name) in chart.points.iter().zip(chart.names).filter(|(point, _)| known(point)) {
        let Some(class) = chart.classes.get(point.class) else { continue };
        let dot = Element::circle(across.at(point.x), upwards.at(point.y), 2.8).fill(paint(point.class));
        drawing.add(dot.fill_opacity(0.72).tooltip(&format!("{class}: {name}")));
    }
    drawing
}

/// Where a class stands in the lines above.
struct Key {
    name: String,
    x: f64,
    line: usize,
}

fn keys<'a>(classes: impl Iterator<Item = &'a str>) -> Vec<Key> {
    let (mut x, mut line) = (0.0, 0);
    let mut keys = Vec::new();
    for class in classes {
        let name = text::fit(class, 12.0, WIDTH / 2.0);
        let width = 30.0 + text::width(&name, 12.0);
        if x > 0.0 && x + width > WIDTH {
            (x, line) = (0.0, line + 1);
        }
        keys.push(Key { name, x, line });
        x += width;
    }
    keys
}
