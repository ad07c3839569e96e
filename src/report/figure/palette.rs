//! The colours: eight for classes and series, a few for text and rules, each with a light and a dark form.
//!
//! The first six class colours keep an OKLab distance of at least 0.10 from one another under normal vision and under
//! simulated deuteranopia and protanopia (Machado, Oliveira and Fernandes 2009, doi 10.1109/TVCG.2009.113), and all
//! reach the contrast of 3:1 with the background that WCAG asks of graphics.

use indexmap::IndexMap;

/// Number of distinct class colours; further classes start again from the first.
pub(crate) const CLASS_COLOURS: usize = 8;

/// What a shape is painted with. Each has a name for style sheets and a colour in either theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// Text and axes.
    Ink,
    /// Secondary text, tick labels.
    Muted,
    /// Grid lines and outlines.
    Grid,
    /// Marks that carry no class: plain bars, context points.
    Neutral,
    /// The background.
    Surface,
    /// A class or a series, by its place in the list.
    Class(usize),
    /// The two ends of the diverging scale.
    Positive,
    /// For what is worse.
    Negative,
    /// Text on a coloured cell: dark or light in the light theme, and in the dark theme.
    OnCell {
        /// Whether text on it is dark in the light theme.
        dark_ink_in_light: bool,
        /// Whether text on it is dark in the dark theme.
        dark_ink_in_dark: bool,
    },
}

const CLASS_LIGHT: [&str; CLASS_COLOURS] =
    ["#154d8c", "#c3610d", "#2ea37a", "#6e034f", "#664610", "#814ec6", "#2a7a8c", "#f36069"];
const CLASS_DARK: [&str; CLASS_COLOURS] =
    ["#2389e2", "#fd8453", "#8ae7c7", "#c6589c", "#facb39", "#bcb3fa", "#74b9b8", "#d55948"];
const CLASS_NAMES: [&str; CLASS_COLOURS] = ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"];

impl Paint {
    /// The name that `f-NAME` (fill) and `s-NAME` (stroke) style classes are made of.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Paint::Ink => "ink",
            Paint::Muted => "muted",
            Paint::Grid => "grid",
            Paint::Neutral => "neutral",
            Paint::Surface => "surface",
            Paint::Class(index) => CLASS_NAMES[index % CLASS_COLOURS],
            Paint::Positive => "positive",
            Paint::Negative => "negative",
            Paint::OnCell { dark_ink_in_light: true, dark_ink_in_dark: true } => "on-kk",
            Paint::OnCell { dark_ink_in_light: true, dark_ink_in_dark: false } => "on-kw",
            Paint::OnCell { dark_ink_in_light: false, dark_ink_in_dark: true } => "on-wk",
            Paint::OnCell { dark_ink_in_light: false, dark_ink_in_dark: false } => "on-ww",
        }
    }

    /// The colour in the light theme, as `#rrggbb`.
    pub fn light(self) -> &'static str {
        match self {
            Paint::Ink => "#1b1f24",
            Paint::Muted => "#59616b",
            Paint::Grid => "#e1e4e8",
            Paint::Neutral => "#8a929c",
            Paint::Surface => "#ffffff",
            Paint::Class(index) => CLASS_LIGHT[index % CLASS_COLOURS],
            Paint::Positive => "#0b5aa2",
            Paint::Negative => "#b4540a",
            Paint::OnCell { dark_ink_in_light, .. } => ink(dark_ink_in_light),
        }
    }

    /// The colour in the dark theme, as `#rrggbb`.
    pub fn dark(self) -> &'static str {
        match self {
            Paint::Ink => "#e7eaee",
            Paint::Muted => "#a4adb7",
            Paint::Grid => "#31373e",
            Paint::Neutral => "#7b848e",
            Paint::Surface => "#15181c",
            Paint::Class(index) => CLASS_DARK[index % CLASS_COLOURS],
            Paint::Positive => "#5aaeee",
            Paint::Negative => "#fd8453",
            Paint::OnCell { dark_ink_in_dark, .. } => ink(dark_ink_in_dark),
        }
    }

    /// The paint of a series that is no class (a strategy, a part), by its place: the reference first, in grey.
    pub fn series(place: usize) -> Paint {
        const SERIES: [Paint; 5] = [Paint::Muted, Paint::Positive, Paint::Negative, Paint::Class(6), Paint::Class(7)];
        SERIES[place % SERIES.len()]
    }

    /// Every paint, in a fixed order: what a style sheet has to define.
    pub(crate) fn all() -> Vec<Paint> {
        let mut all = vec![
            Paint::Ink,
            Paint::Muted,
            Paint::Grid,
            Paint::Neutral,
            Paint::Surface,
            Paint::Positive,
            Paint::Negative,
        ];
        all.extend((0..CLASS_COLOURS).map(Paint::Class));
        for dark_ink_in_light in [true, false] {
            for dark_ink_in_dark in [true, false] {
                all.push(Paint::OnCell { dark_ink_in_light, dark_ink_in_dark });
            }
        }
        all
    }

    /// The ink that reads best on this paint laid over the surface with `opacity` in 0..=1: black or white, whichever
    /// has the higher contrast, so at least 4.5:1, chosen for each theme.
    pub(crate) fn text_on(self, opacity: f64) -> Paint {
        // Black and white are equally readable on a background of relative luminance 0.179 (WCAG 2).
        let bright = |over: &str, under: &str| luminance(blend(parse(over), parse(under), opacity)) > 0.179;
        Paint::OnCell {
            dark_ink_in_light: bright(self.light(), Paint::Surface.light()),
            dark_ink_in_dark: bright(self.dark(), Paint::Surface.dark()),
        }
    }
}

/// The colours of classes: the order of the class list decides, wherever the class is shown.
#[derive(Clone, Debug, Default)]
pub struct Palette {
    order: IndexMap<String, usize>,
}

impl Palette {
    /// The same classes have the same colours in every figure of a study.
    pub fn for_classes<S: AsRef<str>>(classes: &[S]) -> Palette {
        let mut order = IndexMap::new();
        for class in classes {
            let next = order.len();
            order.entry(class.as_ref().to_string()).or_insert(next);
        }
        Palette { order }
    }

    /// The paint of a class; an unknown class is neutral.
    pub(crate) fn paint(&self, class: &str) -> Paint {
        self.order.get(class).map_or(Paint::Neutral, |&index| Paint::Class(index))
    }

    /// Place of a class in the list; unknown classes come last.
    pub(crate) fn rank(&self, class: &str) -> usize {
        self.order.get(class).copied().unwrap_or(usize::MAX)
    }
}

fn ink(dark: bool) -> &'static str {
    if dark { "#000000" } else { "#ffffff" }
}

/// Reads one of this file's own `#rrggbb` constants into 0..=1 channels.
fn parse(colour: &str) -> [f64; 3] {
    let channel =
        |at: usize| colour.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok()).unwrap_or(0);
    [1, 3, 5].map(|at| f64::from(channel(at)) / 255.0)
}

fn blend(over: [f64; 3], under: [f64; 3], opacity: f64) -> [f64; 3] {
    let opacity = if opacity.is_finite() { opacity.clamp(0.0, 1.0) } else { 0.0 };
    [0, 1, 2].map(|i| over[i] * opacity + under[i] * (1.0 - opacity))
}

fn linear(channel: f64) -> f64 {
    if channel <= 0.04045 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
}

/// Relative luminance of an sRGB colour, WCAG 2.
fn luminance(colour: [f64; 3]) -> f64 {
    let [r, g, b] = colour.map(linear);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(parse(a)), luminance(parse(b)));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// OKLab of a linear sRGB colour (Ottosson 2020).
    fn oklab([r, g, b]: [f64; 3]) -> [f64; 3] {
        let l = (0.412_221_470_8 * r + 0.536_332_536_3 * g + 0.051_445_992_9 * b).max(0.0).cbrt();
        let m = (0.211_903_498_2 * r + 0.680_699_545_1 * g + 0.107_396_956_6 * b).max(0.0).cbrt();
        let s = (0.088_302_461_9 * r + 0.281_718_837_6 * g + 0.629_978_700_5 * b).max(0.0).cbrt();
        [
            0.210_454_255_3 * l + 0.793_617_785_0 * m - 0.004_072_046_8 * s,
            1.977_998_495_1 * l - 2.428_592_205_0 * m + 0.450_593_709_9 * s,
            0.025_904_037_1 * l + 0.782_771_766_2 * m - 0.808_675_766_0 * s,
        ]
    }

    const NORMAL: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
    const DEUTERANOPIA: [[f64; 3]; 3] =
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]];
    const PROTANOPIA: [[f64; 3]; 3] =
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]];

    #[test]
    fn class_colours_differ_for_colour_blind_readers() {
        for list in [CLASS_LIGHT, CLASS_DARK] {
            for vision in [NORMAL, DEUTERANOPIA, PROTANOPIA] {
                let seen: Vec<[f64; 3]> = list
                    .iter()
                    .map(|colour| {
                        let rgb = parse(colour).map(linear);
                        oklab(vision.map(|row| (0..3).map(|i| row[i] * rgb[i]).sum::<f64>().clamp(0.0, 1.0)))
                    })
                    .collect();
                for i in 0..list.len() {
                    for j in 0..i {
                        let distance = (0..3).map(|k| (seen[i][k] - seen[j][k]).powi(2)).sum::<f64>().sqrt();
                        let least = if i < 6 { 0.10 } else { 0.07 };
                        assert!(distance >= least, "{} and {}: {distance}", list[i], list[j]);
                    }
                }
            }
        }
    }

    #[test]
    fn contrast_meets_wcag() {
        let (white, dark) = (Paint::Surface.light(), Paint::Surface.dark());
        for paint in (0..CLASS_COLOURS).map(Paint::Class).chain([Paint::Neutral]) {
            assert!(contrast(paint.light(), white) >= 3.0, "{paint:?}");
            assert!(contrast(paint.dark(), dark) >= 3.0, "{paint:?}");
        }
        for paint in [Paint::Ink, Paint::Muted, Paint::Positive, Paint::Negative] {
            assert!(contrast(paint.light(), white) >= 4.5, "{paint:?}");
            assert!(contrast(paint.dark(), dark) >= 4.5, "{paint:?}");
        }
    }

    #[test]
    fn text_on_a_cell_reads_in_both_themes() {
        for paint in [Paint::Positive, Paint::Negative, Paint::Class(0)] {
            for step in 0..=20 {
                let opacity = f64::from(step) / 20.0;
                let text = paint.text_on(opacity);
                for (ink, over, under) in [
                    (text.light(), paint.light(), Paint::Surface.light()),
                    (text.dark(), paint.dark(), Paint::Surface.dark()),
                ] {
                    let cell = luminance(blend(parse(over), parse(under), opacity));
                    let ink = luminance(parse(ink));
                    assert!((cell.max(ink) + 0.05) / (cell.min(ink) + 0.05) >= 4.5);
                }
            }
        }
    }

    #[test]
    fn a_class_has_the_colour_of_its_first_place() {
        let palette = Palette::for_classes(&["latin", "pop", "latin", "edm"]);
        assert_eq!(palette.paint("latin"), Paint::Class(0));
        assert_eq!(palette.paint("pop"), Paint::Class(1));
        assert_eq!(palette.paint("edm"), Paint::Class(2));
        assert_eq!(palette.paint("unheard"), Paint::Neutral);
    }
}
