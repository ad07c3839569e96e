//! Drawings as PDF files of one page, in the light colours: for LaTeX and for paper.
//!
//! Drawings have rectangles, lines, circles, paths and texts only, so that a page description of a few operators is all that is needed
//! (ISO 32000-1, 8 and 9). Fonts are two of the fourteen that every reader has; links and tooltips are left out. No date and no
//! identifier: equal drawings give equal bytes.

use super::drawing::Drawing;
use super::element::{Anchor, Element, PathData, Segment, Shape, Style};
use super::metrics;
use super::palette::Paint;
use super::svg::number;

/// User units are CSS pixels, of which 96 make an inch; points 72.
const POINT: f64 = 0.75;

/// Control points of a quarter circle lie this share of the radius from its ends.
const ARC: f64 = 0.552_284_75;

impl Drawing {
    /// The file. Its page is the drawing's size. Characters that its fonts lack stand as numbers that a legend explains: see `Drawing::with_legend`.
    pub fn pdf(&self) -> Vec<u8> {
        self.with_legend(&metrics::lacks).pdf_as_it_is()
    }

    /// The characters of a text that the file has no font for.
    pub(crate) fn pdf_lacks(text: &str) -> Vec<char> {
        metrics::lacks(text)
    }

    fn pdf_as_it_is(&self) -> Vec<u8> {
        let mut page = Content::default();
        let (width, height) = self.size();
        // The page's origin is at the bottom left, a drawing's at the top left.
        page.op(&[POINT, 0.0, 0.0, -POINT, 0.0, (height + self.cut) * POINT], "cm");
        page.drawing(self);
        file(&page, (width * POINT, height * POINT))
    }
}

/// A page description under construction, and the opacities that it uses.
#[derive(Default)]
struct Content {
    bytes: Vec<u8>,
    /// Opacity of strokes and of fills, in hundredths.
    opacities: Vec<(u32, u32)>,
    /// Whether a text needs glyphs that its font's usual encoding leaves out.
    beyond: bool,
}

/// How one element is painted.
struct Pen {
    fill: Option<&'static str>,
    stroke: Option<(&'static str, f64)>,
    corner: f64,
    anchor: Anchor,
    size: f64,
    bold: bool,
    halo: bool,
}

impl Content {
    fn op(&mut self, operands: &[f64], operator: &str) {
        for value in operands {
            // Four decimals: two would move what a nested drawing scales.
            let text = if value.fract() == 0.0 { number(*value) } else { trimmed(*value) };
            self.bytes.extend(text.as_bytes());
            self.bytes.push(b' ');
        }
        self.bytes.extend(operator.as_bytes());
        self.bytes.push(b'\n');
    }

    fn drawing(&mut self, drawing: &Drawing) {
        self.colour(Paint::Surface.light(), "rg");
        self.op(&[0.0, 0.0, drawing.width, drawing.height], "re");
        self.op(&[], "f");
        drawing.body.iter().for_each(|element| self.element(element));
    }

    fn element(&mut self, element: &Element) {
        self.op(&[], "q");
        let pen = self.take_up(element);
        match &element.shape {
            Shape::Rect { x, y, width, height } if pen.corner > 0.0 => {
                self.rounded([*x, *y, *width, *height], pen.corner);
                self.paint(&pen);
            }
            Shape::Rect { x, y, width, height } => {
                self.op(&[*x, *y, *width, *height], "re");
                self.paint(&pen);
            }
            Shape::Line { x1, y1, x2, y2 } => {
                self.op(&[*x1, *y1], "m");
                self.op(&[*x2, *y2], "l");
                self.paint(&Pen { fill: None, ..pen });
            }
            Shape::Circle { x, y, radius } => {
                self.rounded([x - radius, y - radius, 2.0 * radius, 2.0 * radius], *radius);
                self.paint(&pen);
            }
            Shape::Path(data) => {
                self.path(data);
                self.paint(&pen);
            }
            Shape::Text { x, y, content } => self.text((*x, *y), content, &pen),
            Shape::Group(children) => children.iter().for_each(|child| self.element(child)),
            Shape::Link { child, .. } => self.element(child),
            Shape::Drawing { drawing, x, y } => {
                self.op(&[1.0, 0.0, 0.0, 1.0, *x, y - drawing.cut], "cm");
                self.drawing(drawing);
            }
        }
        self.op(&[], "Q");
    }

    /// Sets the graphics state, and returns what the element needs to know itself.
    fn take_up(&mut self, element: &Element) -> Pen {
        let mut pen = Pen {
            // What has no fill of its own is black in SVG.
            fill: Some(element.fill.map_or("#000000", Paint::light)),
            stroke: None,
            corner: 0.0,
            anchor: Anchor::Start,
            size: 12.0,
            bold: false,
            halo: false,
        };
        let (mut opacity, mut fill_opacity) = (1.0, 1.0);
        for style in &element.style {
            match style {
                Style::NoFill => pen.fill = None,
                Style::Stroke(paint, width) => pen.stroke = Some((paint.light(), *width)),
                Style::RoundEnds => {
                    self.op(&[1.0], "J");
                    self.op(&[1.0], "j");
                }
                Style::Dashed(pattern) => self.bytes.extend(format!("[{pattern}] 0 d\n").as_bytes()),
                Style::Opacity(value) => opacity = *value,
                Style::FillOpacity(value) => fill_opacity = *value,
                Style::Corner(radius) => pen.corner = *radius,
                Style::Anchor(anchor) => pen.anchor = *anchor,
                Style::Size(size) => pen.size = *size,
                Style::Bold => pen.bold = true,
                Style::Halo => pen.halo = true,
                Style::Rotate { degrees, x, y } => {
                    let (sin, cos) = degrees.to_radians().sin_cos();
                    self.op(&[cos, sin, -sin, cos, x - cos * x + sin * y, y - sin * x - cos * y], "cm");
                }
            }
        }
        let hundredths = |share: f64| (share.clamp(0.0, 1.0) * 100.0).round() as u32;
        let state = (hundredths(opacity), hundredths(opacity * fill_opacity));
        if state != (100, 100) {
            let place = self.opacities.iter().position(|known| *known == state).unwrap_or_else(|| {
                self.opacities.push(state);
                self.opacities.len() - 1
            });
            self.bytes.extend(format!("/G{place} gs\n").as_bytes());
        }
        if let Some(colour) = pen.fill {
            self.colour(colour, "rg");
        }
        if let Some((colour, width)) = pen.stroke {
            self.colour(colour, "RG");
            self.op(&[width], "w");
        }
        pen
    }

    fn paint(&mut self, pen: &Pen) {
        let operator = match (pen.fill, pen.stroke) {
            (Some(_), Some(_)) => "B",
            (Some(_), None) => "f",
            (None, Some(_)) => "S",
            (None, None) => "n",
        };
        self.op(&[], operator);
    }

    /// A rectangle with round corners; a circle is one of which nothing else is left.
    fn rounded(&mut self, [x, y, width, height]: [f64; 4], radius: f64) {
        let radius = radius.min(width / 2.0).min(height / 2.0);
        let (right, bottom, near) = (x + width, y + height, radius * (1.0 - ARC));
        self.op(&[x + radius, y], "m");
        self.op(&[right - radius, y], "l");
        self.op(&[right - near, y, right, y + near, right, y + radius], "c");
        self.op(&[right, bottom - radius], "l");
        self.op(&[right, bottom - near, right - near, bottom, right - radius, bottom], "c");
        self.op(&[x + radius, bottom], "l");
        self.op(&[x + near, bottom, x, bottom - near, x, bottom - radius], "c");
        self.op(&[x, y + radius], "l");
        self.op(&[x, y + near, x + near, y, x + radius, y], "c");
        self.op(&[], "h");
    }

    fn path(&mut self, data: &PathData) {
        for segment in &data.0 {
            match segment {
                Segment::Move(x, y) => self.op(&[*x, *y], "m"),
                Segment::Line(x, y) => self.op(&[*x, *y], "l"),
                Segment::Curve(ends) => self.op(ends, "c"),
                Segment::Dot(x, y) => {
                    self.op(&[*x, *y], "m");
                    self.op(&[*x, *y], "l");
                }
                Segment::Close => self.op(&[], "h"),
            }
        }
    }

    fn text(&mut self, (x, y): (f64, f64), content: &str, pen: &Pen) {
        let (runs, width) = metrics::runs(content, pen.bold);
        let width = f64::from(width) / 1000.0 * pen.size;
        let start = match pen.anchor {
            Anchor::Start => x,
            Anchor::Middle => x - width / 2.0,
            Anchor::End => x - width,
        };
        let modes: &[f64] = if pen.halo { &[1.0, 0.0] } else { &[0.0] };
        for mode in modes {
            if *mode > 0.0 {
                self.colour(Paint::Surface.light(), "RG");
                self.op(&[3.0], "w");
                self.op(&[1.0], "j");
            }
            self.op(&[], "BT");
            self.op(&[*mode], "Tr");
            // Letters stand upright although the page is turned over.
            self.op(&[1.0, 0.0, 0.0, -1.0, start, y], "Tm");
            for run in &runs {
                let font = if run.symbol {
                    "/S"
                } else if pen.bold {
                    "/B"
                } else {
                    "/R"
                };
                self.beyond |= !run.symbol && run.bytes.iter().any(|byte| metrics::IS_BEYOND.contains(byte));
                self.bytes.extend(format!("{font} {} Tf\n", number(pen.size)).as_bytes());
                if run.rise != 0 {
                    self.op(&[f64::from(run.rise) / 1000.0 * pen.size], "Ts");
                }
                match run.back {
                    0 => self.bytes.push(b'('),
                    back => self.bytes.extend(format!("[{back} (").as_bytes()),
                }
                for &byte in &run.bytes {
                    match byte {
                        b'(' | b')' | b'\\' => self.bytes.extend([b'\\', byte]),
                        b' '..=b'~' => self.bytes.push(byte),
                        _ => self.bytes.extend(format!("\\{byte:03o}").as_bytes()),
                    }
                }
                self.bytes.extend(if run.back == 0 { &b") Tj\n"[..] } else { b")] TJ\n" });
                if run.rise != 0 {
                    self.op(&[0.0], "Ts");
                }
            }
            self.op(&[], "ET");
        }
    }

    fn colour(&mut self, hex: &str, operator: &str) {
        let part = |from: usize| {
            let digits = hex.get(from..from + 2).unwrap_or("00");
            f64::from(u8::from_str_radix(digits, 16).unwrap_or(0)) / 255.0
        };
        self.op(&[part(1), part(3), part(5)], operator);
    }
}

/// At most four decimals, no trailing zeros.
fn trimmed(value: f64) -> String {
    if !value.is_finite() {
        return "0".to_owned();
    }
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Objects, their offsets, and the trailer.
fn file(page: &Content, (width, height): (f64, f64)) -> Vec<u8> {
    let states: Vec<String> = (page.opacities.iter().enumerate())
        .map(|(i, (stroke, fill))| {
            format!("/G{i} <</CA {} /ca {}>>", f64::from(*stroke) / 100.0, f64::from(*fill) / 100.0)
        })
        .collect();
    let font = |name: &str, encoding: &str| format!("<</Type /Font /Subtype /Type1 /BaseFont /{name}{encoding}>>");
    let latin = match page.beyond {
        false => " /Encoding /WinAnsiEncoding".to_owned(),
        true => format!(
            " /Encoding <</Type /Encoding /BaseEncoding /WinAnsiEncoding /Differences [{}]>>",
            metrics::DIFFERENCES
        ),
    };
    // Not through flate2: its back end, and with it the bytes, depends on the features of other crates.
    let stream = miniz_oxide::deflate::compress_to_vec_zlib(&page.bytes, 6);
    let objects: [Vec<u8>; 7] = [
        b"<</Type /Catalog /Pages 2 0 R>>".to_vec(),
        b"<</Type /Pages /Kids [3 0 R] /Count 1>>".to_vec(),
        format!(
            "<</Type /Page /Parent 2 0 R /MediaBox [0 0 {} {}] /Contents 4 0 R /Group <</S /Transparency /CS /DeviceRGB>> \
             /Resources <</Font <</R 5 0 R /B 6 0 R /S 7 0 R>> /ExtGState <<{}>>>>>>",
            number(width),
            number(height),
            states.join(" ")
        )
        .into_bytes(),
        [format!("<</Length {} /Filter /FlateDecode>>\nstream\n", stream.len()).into_bytes(), stream, b"\nendstream".to_vec()].concat(),
        font("Helvetica", &latin).into_bytes(),
        font("Helvetica-Bold", &latin).into_bytes(),
        font("Symbol", "").into_bytes(),
    ];
    // The second line tells programs that look at the first bytes only that this is no text.
    let mut out = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut offsets = Vec::with_capacity(objects.len());
    for (i, object) in objects.iter().enumerate() {
        offsets.push(out.len());
        out.extend(format!("{} 0 obj\n", i + 1).as_bytes());
        out.extend(object);
        out.extend(b"\nendobj\n");
    }
    let table = out.len();
    out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).as_bytes());
    offsets.iter().for_each(|offset| out.extend(format!("{offset:010} 00000 n \n").as_bytes()));
    out.extend(format!("trailer\n<</Size {} /Root 1 0 R>>\nstartxref\n{table}\n%%EOF\n", objects.len() + 1).as_bytes());
    out
}
