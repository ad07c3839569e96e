//! Effects of changes against a base: panels of scores by value, and rows of differences; a dot per seed, the mean, and the interval of the difference.

use super::drawing::{Anchor, Drawing, Element, PathData};
use super::palette::Paint;
use super::scale::{Scale, extent};
use super::{WIDTH, text};

/// One parameter and its values.
#[derive(Clone, Debug)]
pub struct EffectPanel {
    /// Above the panel.
    pub name: String,
    /// From left to right.
    pub levels: Vec<EffectLevel>,
}

/// One value of a parameter.
#[derive(Clone, Debug)]
pub struct EffectLevel {
    /// Below the axis.
    pub label: String,
    /// One score for each seed, in the order of the seeds; NaN where there is none.
    pub scores: Vec<f64>,
    /// The interval of the mean, as far as it differs from the base's.
    pub interval: Option<(f64, f64)>,
    /// Whether it is that of the base.
    pub is_base: bool,
}

/// One change as a row.
#[derive(Clone, Debug)]
pub struct EffectRow {
    /// Before the row.
    pub name: String,
    /// One difference for each seed.
    pub differences: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// Of the mean.
    pub interval: Option<(f64, f64)>,
    /// Behind the row.
    pub note: String,
}

/// Space between panels.
const GAP: f64 = 26.0;
/// Height of a panel's plot where two stand beside each other; where there are more it is as much less as they are narrower.
const PLOT: f64 = 120.0;
/// Below and above it: the values, and the panel's name.
const BESIDE: f64 = 52.0;
/// A mean farther from the base than so many times the usual distance is drawn at the edge, with its value: it would press all others together.
const FAR: f64 = 5.0;

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// How far from `base` values are shown, by the distances of the means from it.
fn reach(distances: impl Iterator<Item = f64>) -> f64 {
    let mut distances: Vec<f64> = distances.filter(|distance| distance.is_finite()).collect();
    distances.sort_by(f64::total_cmp);
    let usual = distances.get(distances.len() / 2).copied().unwrap_or(f64::INFINITY);
    if usual > 0.0 { FAR * usual } else { f64::INFINITY }
}

/// A mark of the legend.
#[derive(Clone, Copy)]
enum Sign {
    None,
    Dot,
    Bar,
    Dashes,
    Filled,
    Ring,
}

/// Signs and what they stand for, in a line below the heading.
fn legend(drawing: &mut Drawing, keys: &[(Sign, String)]) {
    const Y: f64 = 28.0;
    let mut x = 0.0;
    for (sign, words) in keys {
        let room = match sign {
            Sign::None => 0.0,
            Sign::Dot => 10.0,
            Sign::Filled | Sign::Ring => 14.0,
            Sign::Bar | Sign::Dashes => 22.0,
        };
        let mark = match sign {
            Sign::None => None,
            Sign::Dot => Some(Element::circle(x + 3.0, Y, 3.0).fill(Paint::Neutral)),
            Sign::Bar => Some(Element::group(vec![
                Element::line(x, Y, x + 16.0, Y).stroke(Paint::Positive, 2.5),
                Element::line(x + 8.0, Y - 6.0, x + 8.0, Y + 6.0).stroke(Paint::Positive, 1.5),
            ])),
            Sign::Dashes => Some(Element::line(x, Y, x + 16.0, Y).stroke(Paint::Muted, 1.0).dashed("4 3")),
            Sign::Filled => Some(Element::circle(x + 5.0, Y, 4.5).fill(Paint::Positive).stroke(Paint::Positive, 1.75)),
            Sign::Ring => Some(Element::circle(x + 5.0, Y, 4.5).fill(Paint::Surface).stroke(Paint::Positive, 1.75)),
        };
        mark.into_iter().for_each(|mark| drawing.add(mark));
        drawing.add(Element::text(x + room, Y + 4.0, words).size(11.0).fill(Paint::Muted));
        x += room + text::width(words, 11.0) + 14.0;
    }
}

/// So many panels a line, all on one scale of scores.
pub fn effect_panels(title: &str, description: &str, metric: &str, panels: &[EffectPanel], columns: usize) -> Drawing {
    let columns = panels.len().clamp(1, columns.max(1));
    let lines = panels.len().div_ceil(columns);
    let plot = PLOT * (1.5 / columns as f64).min(1.0);
    let mut drawing = Drawing::new(WIDTH, 44.0 + (plot + BESIDE) * lines as f64, title, description);
    drawing.heading();
    let seeds = panels.iter().flat_map(|panel| &panel.levels).map(|level| level.scores.len()).max().unwrap_or(0);
    let mut keys = vec![(Sign::None, format!("↑ {metric}")), (Sign::Dot, "one seed".to_owned())];
    if seeds > 1 {
        keys.push((Sign::Bar, "mean, 95 % interval of its difference".to_owned()));
    }
    keys.push((Sign::Dashes, "base".to_owned()));
    legend(&mut drawing, &keys);

    let all = || panels.iter().flat_map(|panel| &panel.levels);
    let base = all().find(|level| level.is_base).map_or(f64::NAN, |level| mean(&level.scores));
    let reach = reach(all().filter(|level| !level.is_base).map(|level| (mean(&level.scores) - base).abs()));
    let is_near = |level: &&EffectLevel| level.is_base || (mean(&level.scores) - base).abs() <= reach;
    let dots = extent(all().filter(is_near).flat_map(|level| level.scores.iter().copied())).unwrap_or((0.0, 1.0));
    let room = ((dots.1 - dots.0) * 0.25).max(1e-4);
    let ends = all().filter(is_near).filter_map(|level| level.interval).flat_map(|(low, high)| [low, high]);
    let ends = ends.map(|end| end.clamp(dots.0 - room, dots.1 + room));
    let (low, high) = extent(ends.chain([dots.0, dots.1])).unwrap_or(dots);
    let margin = ((high - low) * 0.08).max(1e-6);
    let (low, high) = (low - margin, high + margin);

    let left = Scale::linear(low, high, 1.0, 0.0, 4).label_width(11.0) + 10.0;
    let side = (WIDTH - left - GAP * (columns as f64 - 1.0) - 4.0) / columns as f64;
    for (index, panel) in panels.iter().enumerate() {
        let x = left + (side + GAP) * (index % columns) as f64;
        let top = 62.0 + (plot + BESIDE) * (index / columns) as f64;
        let scale = Scale::linear(low, high, top + plot, top, 4);
        drawing.add(Element::text(x, top - 8.0, &text::fit(&panel.name, 12.0, side)).bold());
        if index % columns == 0 {
            scale.draw_left(&mut drawing, x, x + side);
        } else {
            let rules = scale.ticks.iter().map(|&tick| scale.at(tick));
            rules.for_each(|y| drawing.add(Element::line(x, y, x + side, y).stroke(Paint::Grid, 1.0)));
        }
        if base.is_finite() {
            let y = scale.at(base);
            drawing.add(Element::line(x, y, x + side, y).stroke(Paint::Muted, 1.0).dashed("4 3"));
        }
        draw_levels(&mut drawing, panel, &scale, (x, side), (top, top + plot, low, high), is_near);
    }
    drawing
}

fn draw_levels(
    drawing: &mut Drawing,
    panel: &EffectPanel,
    scale: &Scale,
    (left, side): (f64, f64),
    (top, bottom, low, high): (f64, f64, f64, f64),
    is_near: impl Fn(&&EffectLevel) -> bool,
) {
    let room = side / panel.levels.len().max(1) as f64;
    let centre = |place: usize| left + room * (place as f64 + 0.5);
    // Dots of one seed lie at the same place within every level.
    let step = (room * 0.12).min(9.0);
    let at_seed =
        |place: usize, seed: usize, seeds: usize| centre(place) + (seed as f64 - (seeds as f64 - 1.0) / 2.0) * step;
    let fits = |size: f64| panel.levels.iter().all(|level| text::width(&level.label, size) <= room - 3.0);
    let size = [11.0, 10.0, 9.0].into_iter().find(|size| fits(*size)).unwrap_or(8.5);
    for (place, level) in panel.levels.iter().enumerate() {
        let label = Element::text(centre(place), bottom + 14.0, &text::fit(&level.label, size, room - 2.0));
        let label = label.size(size).anchor(Anchor::Middle).tooltip(&level.label);
        drawing.add(if level.is_base { label.bold() } else { label.fill(Paint::Muted) });
        if level.is_base {
            let below = Element::text(centre(place), bottom + 26.0, "base").size(10.0).fill(Paint::Muted);
            drawing.add(below.anchor(Anchor::Middle));
        }
        let average = mean(&level.scores);
        if !average.is_finite() {
            let said = Element::text(centre(place), bottom - 5.0, &text::fit("diverged", 10.0, room)).size(10.0);
            drawing.add(said.fill(Paint::Negative).anchor(Anchor::Middle));
            continue;
        }
        if !is_near(&level) {
            let is_low = average < low;
            let (arrow, y) = if is_low { ("↓", bottom - 5.0) } else { ("↑", top + 11.0) };
            let said = Element::text(centre(place), y, &format!("{arrow} {}", text::decimals(average, 3))).size(10.0);
            drawing.add(said.fill(Paint::Negative).anchor(Anchor::Middle));
            continue;
        }
        let paint = if level.is_base { Paint::Muted } else { Paint::Positive };
        if let Some((from, to)) = level.interval {
            let x = centre(place);
            drawing.add(Element::line(x, scale.at(from), x, scale.at(to)).stroke(paint, 1.5));
            // An end that lies beyond the plot has no cap.
            for end in [from, to].into_iter().filter(|end| (low..=high).contains(end)) {
                drawing.add(Element::line(x - 4.0, scale.at(end), x + 4.0, scale.at(end)).stroke(paint, 1.5));
            }
        }
        if level.scores.len() > 1 {
            let half = (room * 0.3).min(16.0);
            let y = scale.at(average);
            drawing.add(Element::line(centre(place) - half, y, centre(place) + half, y).stroke(paint, 2.5));
        }
        for (seed, score) in level.scores.iter().enumerate() {
            let said = format!("{}, seed {}: {}", level.label, seed + 1, text::decimals(*score, 4));
            let x = at_seed(place, seed, level.scores.len());
            let dot = Element::circle(x, scale.at(*score), 3.0).fill(paint).fill_opacity(0.55);
            drawing.add(dot.stroke(Paint::Surface, 0.75).tooltip(&said));
        }
    }
}

/// A row for each change, its differences along a common axis on which the base is 0.
pub fn effect_rows(title: &str, description: &str, axis: &str, rows: &[EffectRow]) -> Drawing {
    const ROW: f64 = 26.0;
    const TOP: f64 = 44.0;
    let bottom = TOP + ROW * rows.len().max(1) as f64;
    let mut drawing = Drawing::new(WIDTH, bottom + 36.0, title, description);
    drawing.heading();
    let seeds = rows.iter().map(|row| row.differences.len()).max().unwrap_or(0);
    legend(
        &mut drawing,
        &match seeds {
            0 | 1 => vec![(Sign::Filled, "one seed".to_owned())],
            _ => vec![
                (Sign::Dot, "one seed".to_owned()),
                (Sign::Filled, "mean, interval without 0".to_owned()),
                (Sign::Ring, "mean, interval with 0".to_owned()),
            ],
        },
    );
    let names = rows.iter().map(|row| text::width(&row.name, 12.0)).fold(0.0, f64::max).min(150.0);
    let notes = rows.iter().map(|row| text::width(&row.note, 11.0)).fold(0.0, f64::max).min(120.0);
    let (left, right) = (names + 14.0, WIDTH - notes - 12.0);

    let reach = reach(rows.iter().map(|row| row.mean.abs()));
    let near = || rows.iter().filter(|row| row.mean.abs() <= reach);
    let dots = near().flat_map(|row| row.differences.iter().copied()).chain([0.0]);
    let (low, high) = extent(dots).unwrap_or((-1.0, 1.0));
    let room = ((high - low) * 0.5).max(1e-4);
    let ends = near().filter_map(|row| row.interval).flat_map(|(from, to)| [from, to]);
    let ends = ends.map(|end| end.clamp(low - room, high + room));
    let (low, high) = extent(ends.chain([low, high])).unwrap_or((low, high));
    let margin = ((high - low) * 0.04).max(1e-6);
    let (low, high) = (low - margin, high + margin);
    let scale = Scale::linear(low, high, left, right, 6);
    scale.draw_below(&mut drawing, TOP, bottom, axis);
    let zero = scale.at(0.0);
    drawing.add(Element::line(zero, TOP - 2.0, zero, bottom).stroke(Paint::Ink, 1.25));
    for (place, row) in rows.iter().enumerate() {
        let y = TOP + ROW * (place as f64 + 0.5);
        drawing.add(Element::text(0.0, y + 4.0, &text::fit(&row.name, 12.0, names + 2.0)).tooltip(&row.name));
        drawing.add(
            Element::text(right + 10.0, y + 4.0, &text::fit(&row.note, 11.0, notes + 2.0))
                .size(11.0)
                .fill(Paint::Muted),
        );
        if !row.mean.is_finite() {
            continue;
        }
        if row.mean.abs() > reach {
            let (arrow, at, anchor) =
                if row.mean < 0.0 { ("←", left + 2.0, Anchor::Start) } else { ("→", right - 2.0, Anchor::End) };
            drawing.add(Element::text(at, y + 4.0, arrow).fill(Paint::Negative).anchor(anchor));
            continue;
        }
        if let Some((from, to)) = row.interval {
            drawing.add(Element::line(scale.at(from), y, scale.at(to), y).stroke(Paint::Positive, 1.75));
            for end in [from, to].into_iter().filter(|end| (low..=high).contains(end)) {
                drawing
                    .add(Element::line(scale.at(end), y - 4.0, scale.at(end), y + 4.0).stroke(Paint::Positive, 1.75));
            }
        }
        if row.differences.len() > 1 {
            let mut dots = PathData::default();
            row.differences.iter().for_each(|difference| dots.dot(scale.at(*difference), y + 7.0));
            drawing.add(Element::path(&dots).no_fill().stroke(Paint::Neutral, 4.0).round());
        }
        let is_apart = row.differences.len() == 1 || row.interval.is_some_and(|(from, to)| from > 0.0 || to < 0.0);
        let dot = Element::circle(scale.at(row.mean), y, 4.5).tooltip(&format!("{}: {}", row.name, row.note));
        let dot = dot.fill(if is_apart { Paint::Positive } else { Paint::Surface });
        drawing.add(dot.stroke(Paint::Positive, 1.75));
    }
    drawing
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(label: &str, scores: &[f64], interval: Option<(f64, f64)>, is_base: bool) -> EffectLevel {
        EffectLevel { label: label.to_owned(), scores: scores.to_vec(), interval, is_base }
    }

    #[test]
    fn what_diverged_or_lies_far_off_is_written_and_leaves_the_others_apart() {
        let levels = vec![
            level("32", &[0.60, 0.61, 0.62], None, true),
            level("64", &[0.62, 0.63, 0.64], Some((0.60, 0.66)), false),
            level("128", &[0.61, 0.62, 0.60], Some((0.5, 0.7)), false),
            level("huge", &[0.1, 0.2, 0.15], Some((0.1, 0.2)), false),
            level("hasty", &[f64::NAN; 3], None, false),
        ];
        let panels = [EffectPanel { name: "batch size".to_owned(), levels }];
        let svg = effect_panels("Scores", "d", "macro-F1", &panels, 2).svg();
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert!(svg.contains("↓ 0.150") && svg.contains(">diverged<") && svg.contains(">base<"));
        // A dot for each seed of the three settings in reach, and the one of the legend.
        assert_eq!(svg.matches("<circle").count(), 3 * 3 + 1);
        assert_eq!(svg, effect_panels("Scores", "d", "macro-F1", &panels, 2).svg());
    }

    #[test]
    fn rows_say_whether_their_interval_leaves_zero_out() {
        let row = |name: &str, differences: &[f64], interval| EffectRow {
            name: name.to_owned(),
            differences: differences.to_vec(),
            mean: if differences.is_empty() { f64::NAN } else { mean(differences) },
            interval,
            note: "note".to_owned(),
        };
        let rows = [
            row("dropout", &[-0.02, -0.03], Some((-0.04, -0.01))),
            row("clipping", &[0.01, -0.01], Some((-0.02, 0.02))),
            row("batch norm", &[], None),
        ];
        let svg = effect_rows("Without", "d", "difference", &rows).svg();
        assert!(!svg.contains("NaN") && svg.contains("batch norm"), "{svg}");
        let none = effect_rows("Without", "d", "difference", &[]).svg();
        assert!(!none.contains("NaN"), "{none}");
        let alone = [row("dropout", &[-0.02], None)];
        assert!(effect_rows("Without", "d", "difference", &alone).svg().contains("one seed"));
    }
}
