//! Elements of an SVG document: shapes and texts with checked numbers, escaped text and themed paint.
//!
//! Knows nothing of the document around them.

use std::fmt::Write;

use super::palette::Paint;
use super::svg::{escape_into, number};

/// Where a text is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// One element with its attributes. Built by the constructors below, then refined.
#[derive(Clone, Debug)]
pub struct Element {
    name: &'static str,
    classes: String,
    attributes: String,
    fill: Option<Paint>,
    tooltip: Option<String>,
    content: String,
}

impl Element {
    fn new(name: &'static str) -> Element {
        Element {
            name,
            classes: String::new(),
            attributes: String::new(),
            fill: None,
            tooltip: None,
            content: String::new(),
        }
    }

    /// A rectangle; negative sizes become 0.
    pub fn rect(x: f64, y: f64, width: f64, height: f64) -> Element {
        Element::new("rect")
            .number("x", x)
            .number("y", y)
            .number("width", width.max(0.0))
            .number("height", height.max(0.0))
    }

    pub fn line(x1: f64, y1: f64, x2: f64, y2: f64) -> Element {
        Element::new("line").number("x1", x1).number("y1", y1).number("x2", x2).number("y2", y2)
    }

    pub fn circle(x: f64, y: f64, radius: f64) -> Element {
        Element::new("circle").number("cx", x).number("cy", y).number("r", radius)
    }

    /// `data` comes from a [`PathData`].
    pub fn path(data: &PathData) -> Element {
        Element::new("path").attribute("d", &data.0)
    }

    /// A text whose baseline starts at (`x`, `y`), in ink.
    pub fn text(x: f64, y: f64, content: &str) -> Element {
        let mut element = Element::new("text").number("x", x).number("y", y).fill(Paint::Ink);
        escape_into(&mut element.content, content);
        element
    }

    /// A group of finished elements.
    pub fn group(children: Vec<Element>) -> Element {
        let mut element = Element::new("g");
        for child in children {
            child.write(&mut element.content);
        }
        element
    }

    /// A link around one element, e.g. to `#stage-numeric`.
    pub fn link(target: &str, child: Element) -> Element {
        let mut element = Element::new("a").attribute("href", target);
        child.write(&mut element.content);
        element
    }

    pub fn fill(mut self, paint: Paint) -> Element {
        self.fill = Some(paint);
        self
    }

    pub fn no_fill(self) -> Element {
        self.attribute("fill", "none")
    }

    pub fn stroke(mut self, paint: Paint, width: f64) -> Element {
        self.class(&format!("s-{}", paint.name()));
        self.attribute("stroke", paint.light()).number("stroke-width", width)
    }

    pub fn round(self) -> Element {
        self.attribute("stroke-linecap", "round").attribute("stroke-linejoin", "round")
    }

    pub fn dashed(self, pattern: &str) -> Element {
        self.attribute("stroke-dasharray", pattern)
    }

    pub fn opacity(self, opacity: f64) -> Element {
        self.number("opacity", opacity)
    }

    pub fn fill_opacity(self, opacity: f64) -> Element {
        self.number("fill-opacity", opacity)
    }

    pub fn corner(self, radius: f64) -> Element {
        self.number("rx", radius)
    }

    pub fn anchor(self, anchor: Anchor) -> Element {
        match anchor {
            Anchor::Start => self,
            Anchor::Middle => self.attribute("text-anchor", "middle"),
            Anchor::End => self.attribute("text-anchor", "end"),
        }
    }

    pub fn size(self, size: f64) -> Element {
        self.number("font-size", size)
    }

    pub fn bold(self) -> Element {
        self.attribute("font-weight", "600")
    }

    /// A line of the surface's colour around the glyphs, so that text reads over marks.
    pub fn halo(mut self) -> Element {
        self.class("s-surface");
        self.attribute("stroke", Paint::Surface.light())
            .number("stroke-width", 3.0)
            .attribute("stroke-linejoin", "round")
            .attribute("paint-order", "stroke")
    }

    pub fn rotate(self, degrees: f64, x: f64, y: f64) -> Element {
        let transform = format!("rotate({} {} {})", number(degrees), number(x), number(y));
        self.attribute("transform", &transform)
    }

    /// What a pointer resting on the element shows.
    pub fn tooltip(mut self, text: &str) -> Element {
        self.tooltip = Some(text.to_string());
        self
    }

    pub(super) fn class(&mut self, name: &str) {
        if !self.classes.is_empty() {
            self.classes.push(' ');
        }
        self.classes.push_str(name);
    }

    fn number(self, name: &str, value: f64) -> Element {
        let value = number(value);
        self.attribute(name, &value)
    }

    fn attribute(mut self, name: &str, value: &str) -> Element {
        let _ = write!(self.attributes, " {name}=\"");
        escape_into(&mut self.attributes, value);
        self.attributes.push('"');
        self
    }

    pub(super) fn write(&self, out: &mut String) {
        out.push('<');
        out.push_str(self.name);
        let fill_class = self.fill.map(|paint| format!("f-{}", paint.name()));
        let classes: Vec<&str> = fill_class.iter().map(String::as_str).chain(self.classes.split_whitespace()).collect();
        if !classes.is_empty() {
            let _ = write!(out, " class=\"{}\"", classes.join(" "));
        }
        out.push_str(&self.attributes);
        if let Some(paint) = self.fill {
            let _ = write!(out, " fill=\"{}\"", paint.light());
        }
        if self.content.is_empty() && self.tooltip.is_none() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        if let Some(tooltip) = &self.tooltip {
            out.push_str("<title>");
            escape_into(out, tooltip);
            out.push_str("</title>");
        }
        out.push_str(&self.content);
        let _ = write!(out, "</{}>", self.name);
    }
}

/// The `d` attribute of a path.
#[derive(Clone, Debug, Default)]
pub struct PathData(String);

impl PathData {
    /// Straight lines through the finite points; a point that is not finite interrupts the line.
    pub fn through(points: &[(f64, f64)]) -> PathData {
        let mut path = PathData::default();
        let mut open = false;
        for &(x, y) in points {
            if x.is_finite() && y.is_finite() {
                if open {
                    path.line_to(x, y);
                } else {
                    path.move_to(x, y);
                }
            }
            open = x.is_finite() && y.is_finite();
        }
        path
    }

    pub fn move_to(&mut self, x: f64, y: f64) {
        let _ = write!(self.0, "M{} {}", number(x), number(y));
    }

    pub fn line_to(&mut self, x: f64, y: f64) {
        let _ = write!(self.0, "L{} {}", number(x), number(y));
    }

    /// A cubic Bézier curve with two control points.
    pub fn curve_to(&mut self, first: (f64, f64), second: (f64, f64), end: (f64, f64)) {
        let [a, b, c, d, e, f] = [first.0, first.1, second.0, second.1, end.0, end.1].map(number);
        let _ = write!(self.0, "C{a} {b} {c} {d} {e} {f}");
    }

    /// A dot: a line of no length, drawn by a round cap. Two thousand of them take a tenth of the bytes of circles.
    pub fn dot(&mut self, x: f64, y: f64) {
        let round = |value: f64| number((value * 10.0).round() / 10.0);
        let _ = write!(self.0, "M{} {}h0", round(x), round(y));
    }

    pub fn close(&mut self) {
        self.0.push('Z');
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_escapes_what_it_says_and_shows() {
        let mut out = String::new();
        Element::text(1.0, 2.0, "a<b>&\"c\"").tooltip("</title><script>").write(&mut out);
        assert_eq!(
            out,
            "<text class=\"f-ink\" x=\"1\" y=\"2\" fill=\"#1b1f24\"><title>&lt;/title&gt;&lt;script&gt;</title>\
             a&lt;b&gt;&amp;&quot;c&quot;</text>"
        );
    }

    #[test]
    fn a_gap_interrupts_a_line() {
        let path = PathData::through(&[(0.0, 0.0), (1.0, 1.0), (2.0, f64::NAN), (3.0, 0.0), (4.0, 1.0)]);
        assert_eq!(path.0, "M0 0L1 1M3 0L4 1");
    }
}
