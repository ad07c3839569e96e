//! Drawings as SVG documents: the style sheet, escaping, and numbers as text.
//!
//! Numbers have at most two decimals and are always finite, so equal input gives equal bytes.

use std::fmt::Write;

use super::drawing::Drawing;
use super::element::{Anchor, Element, PathData, Segment, Shape, Style};
use super::palette::Paint;

/// The fonts of every figure; the page uses the same.
pub(crate) const FONTS: &str = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif";

/// What the opening tag has where figures stand alone or directly in a page: the page's rules for a figure's size are not for nested ones.
/// What lies in an image is hidden from assistive technology; links must not be.
const IMAGE: &str = " class=\"figure\" role=\"img\"";
const LINKED: &str = " class=\"figure\" role=\"group\"";

impl Drawing {
    /// The document. Starts with `<svg` and has no XML declaration, so that it can be inlined.
    pub fn svg(&self) -> String {
        let mut out = String::with_capacity(8_000);
        self.open(&mut out, if self.has_links() { LINKED } else { IMAGE });
        out.push_str(&style_sheet());
        self.content(&mut out);
        out.push_str("</svg>\n");
        out
    }

    /// The same for inlining: without its own style sheet, which the page's replaces, and without a line break.
    pub fn inline(&self) -> String {
        let mut out = String::with_capacity(8_000);
        self.open(&mut out, if self.has_links() { LINKED } else { IMAGE });
        self.content(&mut out);
        out.push_str("</svg>");
        out
    }

    /// The opening tag after `<svg` and a place, if it is nested, then title and description.
    fn open(&self, out: &mut String, role: &str) {
        let (width, height) = self.size();
        let (width, height, cut) = (number(width), number(height), number(self.cut));
        out.push_str("<svg");
        let _ = write!(
            out,
            " xmlns=\"http://www.w3.org/2000/svg\"{role} width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 {cut} {width} {height}\" font-family=\"{FONTS}\" font-size=\"12\">"
        );
        out.push_str("<title>");
        escape_into(out, &self.title);
        out.push_str("</title>");
        if !self.description.is_empty() {
            out.push_str("<desc>");
            escape_into(out, &self.description);
            out.push_str("</desc>");
        }
    }

    fn content(&self, out: &mut String) {
        let _ = write!(
            out,
            "<rect class=\"f-surface background\" x=\"0\" y=\"0\" width=\"{}\" height=\"{}\" fill=\"{}\"/>",
            number(self.width),
            number(self.height),
            Paint::Surface.light()
        );
        self.body.iter().for_each(|element| write_element(out, element));
    }
}

fn write_element(out: &mut String, element: &Element) {
    if let Shape::Drawing { drawing, x, y } = &element.shape {
        let mut inner = String::new();
        drawing.open(&mut inner, "");
        drawing.content(&mut inner);
        let place = format!("<svg x=\"{}\" y=\"{}\"", number(*x), number(*y));
        out.push_str(&inner.replacen("<svg", &place, 1));
        out.push_str("</svg>");
        return;
    }
    let name = match element.shape {
        Shape::Rect { .. } => "rect",
        Shape::Line { .. } => "line",
        Shape::Circle { .. } => "circle",
        Shape::Path(_) => "path",
        Shape::Text { .. } => "text",
        Shape::Link { .. } => "a",
        Shape::Group(_) | Shape::Drawing { .. } => "g",
    };
    out.push('<');
    out.push_str(name);
    let stroked = element.style.iter().filter_map(|style| match style {
        Style::Stroke(paint, _) => Some(format!("s-{}", paint.name())),
        Style::Halo => Some(format!("s-{}", Paint::Surface.name())),
        _ => None,
    });
    let classes: Vec<String> =
        element.fill.map(|paint| format!("f-{}", paint.name())).into_iter().chain(stroked).collect();
    if !classes.is_empty() {
        let _ = write!(out, " class=\"{}\"", classes.join(" "));
    }
    write_place(out, &element.shape);
    element.style.iter().for_each(|style| write_style(out, style));
    if let Some(paint) = element.fill {
        attribute(out, "fill", paint.light());
    }
    let start = out.len();
    out.push('>');
    if let Some(tooltip) = &element.tooltip {
        out.push_str("<title>");
        escape_into(out, tooltip);
        out.push_str("</title>");
    }
    match &element.shape {
        Shape::Text { content, .. } => escape_into(out, content),
        Shape::Group(children) => children.iter().for_each(|child| write_element(out, child)),
        Shape::Link { child, .. } => write_element(out, child),
        _ => {}
    }
    if out.len() == start + 1 {
        out.truncate(start);
        out.push_str("/>");
    } else {
        let _ = write!(out, "</{name}>");
    }
}

fn write_place(out: &mut String, shape: &Shape) {
    let mut numbers =
        |pairs: &[(&str, f64)]| pairs.iter().for_each(|(name, value)| attribute(out, name, &number(*value)));
    match shape {
        Shape::Rect { x, y, width, height } => numbers(&[("x", *x), ("y", *y), ("width", *width), ("height", *height)]),
        Shape::Line { x1, y1, x2, y2 } => numbers(&[("x1", *x1), ("y1", *y1), ("x2", *x2), ("y2", *y2)]),
        Shape::Circle { x, y, radius } => numbers(&[("cx", *x), ("cy", *y), ("r", *radius)]),
        Shape::Text { x, y, .. } => numbers(&[("x", *x), ("y", *y)]),
        Shape::Path(data) => attribute(out, "d", &path_text(data)),
        Shape::Link { target, .. } => attribute(out, "href", target),
        Shape::Group(_) | Shape::Drawing { .. } => {}
    }
}

fn write_style(out: &mut String, style: &Style) {
    match style {
        Style::NoFill => attribute(out, "fill", "none"),
        Style::Stroke(paint, width) => {
            attribute(out, "stroke", paint.light());
            attribute(out, "stroke-width", &number(*width));
        }
        Style::RoundEnds => {
            attribute(out, "stroke-linecap", "round");
            attribute(out, "stroke-linejoin", "round");
        }
        Style::Dashed(pattern) => attribute(out, "stroke-dasharray", pattern),
        Style::Opacity(opacity) => attribute(out, "opacity", &number(*opacity)),
        Style::FillOpacity(opacity) => attribute(out, "fill-opacity", &number(*opacity)),
        Style::Corner(radius) => attribute(out, "rx", &number(*radius)),
        Style::Anchor(Anchor::Start) => {}
        Style::Anchor(Anchor::Middle) => attribute(out, "text-anchor", "middle"),
        Style::Anchor(Anchor::End) => attribute(out, "text-anchor", "end"),
        Style::Size(size) => attribute(out, "font-size", &number(*size)),
        Style::Bold => attribute(out, "font-weight", "600"),
        Style::Halo => {
            attribute(out, "stroke", Paint::Surface.light());
            attribute(out, "stroke-width", "3");
            attribute(out, "stroke-linejoin", "round");
            attribute(out, "paint-order", "stroke");
        }
        Style::Rotate { degrees, x, y } => {
            attribute(out, "transform", &format!("rotate({} {} {})", number(*degrees), number(*x), number(*y)));
        }
    }
}

fn attribute(out: &mut String, name: &str, value: &str) {
    let _ = write!(out, " {name}=\"");
    escape_into(out, value);
    out.push('"');
}

/// The `d` attribute.
fn path_text(path: &PathData) -> String {
    let mut text = String::new();
    for segment in &path.0 {
        let _ = match segment {
            Segment::Move(x, y) => write!(text, "M{} {}", number(*x), number(*y)),
            Segment::Line(x, y) => write!(text, "L{} {}", number(*x), number(*y)),
            Segment::Curve(ends) => {
                let [a, b, c, d, e, f] = ends.map(number);
                write!(text, "C{a} {b} {c} {d} {e} {f}")
            }
            Segment::Dot(x, y) => write!(text, "M{} {}h0", number(*x), number(*y)),
            Segment::Close => write!(text, "Z"),
        };
    }
    text
}

/// The style sheet that a figure carries: dark colours only, since the light ones are attributes. Renderers that know
/// neither media queries nor style sheets show the light form.
fn style_sheet() -> String {
    let mut rules = String::from("<style>@media (prefers-color-scheme:dark){");
    for paint in Paint::all() {
        let (name, colour) = (paint.name(), paint.dark());
        let _ = write!(rules, ".f-{name}{{fill:{colour}}}.s-{name}{{stroke:{colour}}}");
    }
    rules.push_str("}</style>");
    rules
}
/// Appends `text` with the five special characters of XML escaped. Characters that XML forbids, and those that turn the direction of writing or
/// are not seen, are shown as escapes, `\u{202e}`: a name from a table must not change how the words beside it read.
pub(crate) fn escape_into(out: &mut String, text: &str) {
    for character in runner_boundary::text::quoted(text).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => {}
            character => out.push(character),
        }
    }
}

/// At most two decimals, no trailing zeros; what is not finite becomes 0.
pub(crate) fn number(value: f64) -> String {
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
    fn an_element_escapes_what_it_says_and_shows() {
        let mut out = String::new();
        write_element(&mut out, &Element::text(1.0, 2.0, "a<b>&\"c\"").tooltip("</title><script>"));
        assert_eq!(
            out,
            "<text class=\"f-ink\" x=\"1\" y=\"2\" fill=\"#1b1f24\"><title>&lt;/title&gt;&lt;script&gt;</title>\
             a&lt;b&gt;&amp;&quot;c&quot;</text>"
        );
    }

    #[test]
    fn inlining_takes_the_style_away_and_nothing_else() {
        let mut drawing = Drawing::new(20.0, 10.0, "A title", "What it shows");
        drawing.add(Element::circle(5.0, 5.0, 2.0).fill(Paint::Class(1)));
        let (alone, inlined) = (drawing.svg(), drawing.inline());
        assert!(alone.contains("<style>@media (prefers-color-scheme:dark){") && alone.ends_with("</svg>\n"));
        assert!(!inlined.contains("<style>") && inlined.contains("<circle class=\"f-c1\""));
        assert!(inlined.contains("<title>A title</title><desc>What it shows</desc>"));
    }
}
