//! A small SVG writer: the document, its style sheet, escaping, and numbers as text.
//!
//! Knows nothing of charts. Numbers have at most two decimals and are always finite, so equal input gives equal bytes.

use std::fmt::Write;

pub use super::element::{Anchor, Element, PathData};
use super::palette::Paint;

/// The fonts of every figure; the page uses the same.
pub const FONTS: &str = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

/// One SVG document under construction. Sizes and positions are in user units, the origin at the top left.
pub struct Svg {
    width: f64,
    height: f64,
    title: String,
    description: String,
    body: String,
}

impl Svg {
    /// `title` and `description` are what a screen reader says.
    pub fn new(width: f64, height: f64, title: &str, description: &str) -> Svg {
        Svg { width, height, title: title.to_string(), description: description.to_string(), body: String::new() }
    }

    pub fn add(&mut self, element: Element) {
        element.write(&mut self.body);
    }

    /// The visible heading at the top left, cut to the width of the figure.
    pub fn heading(&mut self) {
        let shown = super::text::fit(&self.title, 13.5, self.width - 8.0);
        self.add(Element::text(0.0, 14.0, &shown).size(13.0).bold());
    }

    /// Places a finished document inside this one, its top left corner at (`x`, `y`).
    pub fn nest(&mut self, figure: &str, x: f64, y: f64) {
        // Without the class: the page's rules for a figure's size are for the outer one.
        let place = format!("<svg x=\"{}\" y=\"{}\"", number(x), number(y));
        let inner = inline(figure).replacen(" class=\"figure\" role=\"img\"", "", 1);
        self.body.push_str(&inner.replacen("<svg", &place, 1));
    }

    /// The document. Starts with `<svg` and has no XML declaration, so that it can be inlined.
    pub fn finish(self) -> String {
        let (width, height) = (number(self.width), number(self.height));
        let mut out = String::with_capacity(self.body.len() + 2_000);
        let _ = write!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"figure\" role=\"img\" width=\"{width}\" \
             height=\"{height}\" viewBox=\"0 0 {width} {height}\" font-family=\"{FONTS}\" font-size=\"12\">"
        );
        out.push_str("<title>");
        escape_into(&mut out, &self.title);
        out.push_str("</title>");
        if !self.description.is_empty() {
            out.push_str("<desc>");
            escape_into(&mut out, &self.description);
            out.push_str("</desc>");
        }
        out.push_str(&style());
        let mut background = Element::rect(0.0, 0.0, self.width, self.height).fill(Paint::Surface);
        background.class("background");
        background.write(&mut out);
        out.push_str(&self.body);
        out.push_str("</svg>\n");
        out
    }
}

/// A figure made for inlining: without its own style sheet, which the page's replaces, and without a line break.
pub fn inline(svg: &str) -> String {
    svg.replacen(&style(), "", 1).trim_end().to_string()
}

/// Width and height that a figure asks for, in user units; 0 for what it does not name.
pub fn natural_size(svg: &str) -> (f64, f64) {
    let side = |key: &str| {
        let after = svg.split_once(key).map_or("", |(_, rest)| rest);
        after.split('"').next().and_then(|digits| digits.parse().ok()).unwrap_or(0.0)
    };
    (side(" width=\""), side(" height=\""))
}

/// The style sheet that a figure carries: dark colours only, since the light ones are attributes. Renderers that know
/// neither media queries nor style sheets show the light form.
fn style() -> String {
    let mut rules = String::from("<style>@media (prefers-color-scheme:dark){");
    for paint in Paint::all() {
        let (name, colour) = (paint.name(), paint.dark());
        let _ = write!(rules, ".f-{name}{{fill:{colour}}}.s-{name}{{stroke:{colour}}}");
    }
    rules.push_str("}</style>");
    rules
}

/// Appends `text` with the five special characters of XML escaped and characters that XML forbids left out.
pub fn escape_into(out: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\u{fffe}' | '\u{ffff}' => {}
            character if character.is_control() => {}
            character => out.push(character),
        }
    }
}

/// At most two decimals, no trailing zeros; what is not finite becomes 0.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "0".to_string();
    }
    let mut text = format!("{value:.2}");
    while text.ends_with('0') {
        text.pop();
    }
    if text.ends_with('.') {
        text.pop();
    }
    if text == "-0" { "0".to_string() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_finite() {
        assert_eq!(number(12.0), "12");
        assert_eq!(number(-0.001), "0");
        assert_eq!(number(0.126), "0.13");
        assert_eq!(number(f64::NAN), "0");
        assert_eq!(number(f64::NEG_INFINITY), "0");
    }

    #[test]
    fn inlining_takes_the_style_away_and_nothing_else() {
        let mut svg = Svg::new(20.0, 10.0, "A title", "What it shows");
        svg.add(Element::circle(5.0, 5.0, 2.0).fill(Paint::Class(1)));
        let alone = svg.finish();
        let inlined = inline(&alone);
        assert!(alone.contains("<style>@media (prefers-color-scheme:dark){") && alone.ends_with("</svg>\n"));
        assert!(!inlined.contains("<style>") && inlined.contains("<circle class=\"f-c1\""));
        assert!(inlined.contains("<title>A title</title><desc>What it shows</desc>"));
    }
}
