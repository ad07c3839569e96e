//! The numbers behind a line chart, compact enough to lie in the page beside it: what its script draws anew on another scale, smoothed, or with
//! lines hidden.
//!
//! Values have five significant digits.

use serde_json::{Map, Number, Value, json};

use super::line_chart::{Line, LineChart};

/// Where the plot lies in its drawing, in user units.
pub(super) struct Frame {
    pub(crate) top: f64,
    pub(crate) bottom: f64,
    /// Where the lines end and their names begin.
    pub(crate) right: f64,
    pub(crate) width: f64,
}

/// `frame` (top, right, bottom, width), the texts of both axes, the marker, and of each line `name`, `paint`, its `y`, and either `from` (its first x,
/// where they are whole numbers in a row) or `x`; `low` and `high` where it has a band. Safe within a `<script>`.
pub(super) fn json(chart: &LineChart, frame: Frame) -> String {
    let lines: Vec<Value> = chart.lines.iter().map(line).collect();
    let mut data = json!({
        "frame": [short(frame.top), short(frame.right), short(frame.bottom), short(frame.width)],
        "x": chart.x_label,
        "y": chart.y_label,
        "lines": lines,
    });
    if chart.log_y {
        data["log"] = json!(true);
    }
    if let Some((place, label)) = &chart.marker {
        data["marker"] = json!([short(*place), label]);
    }
    // No text of a user's can end the script that holds it.
    data.to_string().replace('<', "\\u003c")
}

fn line(line: &Line) -> Value {
    let all = |values: &mut dyn Iterator<Item = f64>| Value::Array(values.map(short).collect());
    let mut told = Map::new();
    told.insert("name".to_owned(), json!(line.name));
    told.insert("paint".to_owned(), json!(line.paint.name()));
    if line.dashed {
        told.insert("dashed".to_owned(), json!(true));
    }
    let first = line.points.first().map_or(0.0, |point| point.0);
    let in_a_row = line.points.iter().enumerate().all(|(i, point)| point.0 == first + i as f64);
    if in_a_row && first.fract() == 0.0 {
        told.insert("from".to_owned(), short(first));
    } else {
        told.insert("x".to_owned(), all(&mut line.points.iter().map(|point| point.0)));
    }
    told.insert("y".to_owned(), all(&mut line.points.iter().map(|point| point.1)));
    if !line.band.is_empty() {
        told.insert("low".to_owned(), all(&mut line.band.iter().map(|band| band.0)));
        told.insert("high".to_owned(), all(&mut line.band.iter().map(|band| band.1)));
    }
    Value::Object(told)
}

/// Five significant digits; what is not finite is `null`. Whole numbers have no point.
fn short(value: f64) -> Value {
    let rounded: f64 = format!("{value:.4e}").parse().unwrap_or(f64::NAN);
    if rounded.fract() == 0.0 && rounded.abs() < 1e9 {
        return Value::from(rounded as i64);
    }
    Number::from_f64(rounded).map_or(Value::Null, Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::Paint;

    #[test]
    fn numbers_are_short_and_no_text_ends_the_script() {
        let line = Line {
            name: "</script>".to_owned(),
            points: vec![(1.0, 0.123_456_789), (2.0, f64::NAN), (3.0, 1234.0)],
            band: Vec::new(),
            paint: Paint::Positive,
            dashed: false,
        };
        let chart = LineChart { lines: vec![line], log_y: true, ..LineChart::default() };
        let text = json(&chart, Frame { top: 48.0, bottom: 226.0, right: 400.5, width: 480.0 });
        assert!(!text.contains('<'));
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["lines"][0]["name"], "</script>");
        assert_eq!(read["lines"][0]["y"].to_string(), "[0.12346,null,1234]");
        assert_eq!((&read["lines"][0]["from"], &read["log"]), (&json!(1), &json!(true)));
        assert_eq!(read["frame"].to_string(), "[48,400.5,226,480]");
    }
}
