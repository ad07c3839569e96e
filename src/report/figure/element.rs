//! Elements of a figure: shapes and texts with how they are painted. [`super::svg`] and [`super::pdf`] write them.

use super::drawing::Drawing;
use super::palette::Paint;

/// Where a text is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// One element with its style. Built by the constructors below, then refined.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    pub(super) shape: Shape,
    /// In the order in which it was given.
    pub(super) style: Vec<Style>,
    pub(super) fill: Option<Paint>,
    pub(super) tooltip: Option<String>,
}

/// What an element is. Positions are in user units, the origin at the top left.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Rect {
        x: f64,
        y: f64,
        width: f64,
        height: f64,
    },
    Line {
        x1: f64,
        y1: f64,
        x2: f64,
        y2: f64,
    },
    Circle {
        x: f64,
        y: f64,
        radius: f64,
    },
    Path(PathData),
    Text {
        x: f64,
        y: f64,
        content: String,
    },
    Group(Vec<Element>),
    Link {
        target: String,
        child: Box<Element>,
    },
    /// A whole drawing with its top left corner at (`x`, `y`).
    Drawing {
        drawing: Box<Drawing>,
        x: f64,
        y: f64,
    },
}

/// How an element is painted, besides its fill.
#[derive(Clone, Debug)]
pub(super) enum Style {
    NoFill,
    Stroke(Paint, f64),
    RoundEnds,
    /// Lengths of dashes and gaps, e.g. `5 4`.
    Dashed(&'static str),
    Opacity(f64),
    FillOpacity(f64),
    Corner(f64),
    Anchor(Anchor),
    Size(f64),
    Bold,
    Halo,
    Rotate {
        degrees: f64,
        x: f64,
        y: f64,
    },
}

impl Element {
    pub(super) fn new(shape: Shape) -> Element {
        Element { shape, style: Vec::new(), fill: None, tooltip: None }
    }

    /// A rectangle; negative sizes become 0.
    pub(crate) fn rect(x: f64, y: f64, width: f64, height: f64) -> Element {
        Element::new(Shape::Rect { x, y, width: width.max(0.0), height: height.max(0.0) })
    }

    pub(crate) fn line(x1: f64, y1: f64, x2: f64, y2: f64) -> Element {
        Element::new(Shape::Line { x1, y1, x2, y2 })
    }

    pub(crate) fn circle(x: f64, y: f64, radius: f64) -> Element {
        Element::new(Shape::Circle { x, y, radius })
    }

    pub(crate) fn path(data: &PathData) -> Element {
        Element::new(Shape::Path(data.clone()))
    }

    /// A text whose baseline starts at (`x`, `y`), in ink.
    pub(crate) fn text(x: f64, y: f64, content: &str) -> Element {
        Element::new(Shape::Text { x, y, content: content.to_owned() }).fill(Paint::Ink)
    }

    /// A group of finished elements.
    pub(crate) fn group(children: Vec<Element>) -> Element {
        Element::new(Shape::Group(children))
    }

    /// A link around one element, e.g. to `#stage-numeric`.
    pub(crate) fn link(target: &str, child: Element) -> Element {
        Element::new(Shape::Link { target: target.to_owned(), child: Box::new(child) })
    }

    pub(crate) fn fill(mut self, paint: Paint) -> Element {
        self.fill = Some(paint);
        self
    }

    pub(crate) fn no_fill(self) -> Element {
        self.with(Style::NoFill)
    }

    pub(crate) fn stroke(self, paint: Paint, width: f64) -> Element {
        self.with(Style::Stroke(paint, width))
    }

    pub(crate) fn round(self) -> Element {
        self.with(Style::RoundEnds)
    }

    pub(crate) fn dashed(self, pattern: &'static str) -> Element {
        self.with(Style::Dashed(pattern))
    }

    pub(crate) fn opacity(self, opacity: f64) -> Element {
        self.with(Style::Opacity(opacity))
    }

    pub(crate) fn fill_opacity(self, opacity: f64) -> Element {
        self.with(Style::FillOpacity(opacity))
    }

    pub(crate) fn corner(self, radius: f64) -> Element {
        self.with(Style::Corner(radius))
    }

    pub(crate) fn anchor(self, anchor: Anchor) -> Element {
        self.with(Style::Anchor(anchor))
    }

    pub(crate) fn size(self, size: f64) -> Element {
        self.with(Style::Size(size))
    }

    pub(crate) fn bold(self) -> Element {
        self.with(Style::Bold)
    }

    /// A line of the surface's colour around the glyphs, so that text reads over marks.
    pub(crate) fn halo(self) -> Element {
        self.with(Style::Halo)
    }

    pub(crate) fn rotate(self, degrees: f64, x: f64, y: f64) -> Element {
        self.with(Style::Rotate { degrees, x, y })
    }

    /// What a pointer resting on the element shows.
    pub(crate) fn tooltip(mut self, text: &str) -> Element {
        self.tooltip = Some(text.to_owned());
        self
    }

    fn with(mut self, style: Style) -> Element {
        self.style.push(style);
        self
    }

    /// Applies `change` to every text that shows.
    pub(super) fn texts<'a>(&'a self, found: &mut Vec<&'a str>) {
        match &self.shape {
            Shape::Text { content, .. } => found.push(content),
            Shape::Group(children) => children.iter().for_each(|child| child.texts(found)),
            Shape::Link { child, .. } => child.texts(found),
            Shape::Drawing { drawing, .. } => drawing.texts(found),
            _ => {}
        }
    }

    pub(super) fn change_texts(&mut self, change: &dyn Fn(&str) -> String) {
        match &mut self.shape {
            Shape::Text { content, .. } => *content = change(content),
            Shape::Group(children) => children.iter_mut().for_each(|child| child.change_texts(change)),
            Shape::Link { child, .. } => child.change_texts(change),
            Shape::Drawing { drawing, .. } => drawing.change_texts(change),
            _ => {}
        }
    }
}

/// The segments of a path.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PathData(pub(super) Vec<Segment>);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Segment {
    Move(f64, f64),
    Line(f64, f64),
    Curve([f64; 6]),
    /// A line of no length, drawn by a round cap.
    Dot(f64, f64),
    Close,
}

impl PathData {
    /// Straight lines through the finite points; a point that is not finite interrupts the line.
    pub(crate) fn through(points: &[(f64, f64)]) -> PathData {
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

    pub(crate) fn move_to(&mut self, x: f64, y: f64) {
        self.0.push(Segment::Move(x, y));
    }

    pub(crate) fn line_to(&mut self, x: f64, y: f64) {
        self.0.push(Segment::Line(x, y));
    }

    /// A cubic Bézier curve with two control points.
    pub(crate) fn curve_to(&mut self, first: (f64, f64), second: (f64, f64), end: (f64, f64)) {
        self.0.push(Segment::Curve([first.0, first.1, second.0, second.1, end.0, end.1]));
    }

    /// A dot. Two thousand of them take a tenth of the bytes of circles; a tenth of a unit is exact enough.
    pub(crate) fn dot(&mut self, x: f64, y: f64) {
        let round = |value: f64| (value * 10.0).round() / 10.0;
        self.0.push(Segment::Dot(round(x), round(y)));
    }

    pub(crate) fn close(&mut self) {
        self.0.push(Segment::Close);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_interrupts_a_line() {
        let path = PathData::through(&[(0.0, 0.0), (1.0, 1.0), (2.0, f64::NAN), (3.0, 0.0), (4.0, 1.0)]);
        let (go, draw) = (Segment::Move, Segment::Line);
        assert_eq!(path.0, [go(0.0, 0.0), draw(1.0, 1.0), go(3.0, 0.0), draw(4.0, 1.0)]);
    }
}
