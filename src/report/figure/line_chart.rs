//! What a line chart shows.

use super::palette::Paint;

/// One line. Points that are not finite interrupt it.
#[derive(Clone, Debug)]
pub struct Line {
    /// A line without a name is background: thin, and not told of.
    pub name: String,
    /// x and y; those that are not finite leave a gap.
    pub points: Vec<(f64, f64)>,
    /// Low and high at each point (e.g. least and greatest over seeds), as many as points, or none.
    pub band: Vec<(f64, f64)>,
    /// Its colour.
    pub paint: Paint,
    /// Or drawn through.
    pub dashed: bool,
}

/// What [`line_chart`](super::line_chart) draws.
#[derive(Clone, Debug, Default)]
pub struct LineChart<'a> {
    /// Above the axes.
    pub title: &'a str,
    /// For those who cannot see the figure.
    pub description: &'a str,
    /// Below the axis.
    pub x_label: &'a str,
    /// Beside the axis.
    pub y_label: &'a str,
    /// In the order of the legend.
    pub lines: Vec<Line>,
    /// A vertical rule with its label, e.g. the best epoch.
    pub marker: Option<(f64, String)>,
    /// Logarithmic y axis, where all values are positive.
    pub log_y: bool,
    /// The lines are curves over epochs, which a page lets its reader explore.
    pub explored: bool,
    /// The ends of the y axis, for charts that are looked at beside each other; those of the values unless given.
    pub y_range: Option<(f64, f64)>,
    /// Width and height in units; `WIDTH` and 262 unless given. Where little room is left a narrower chart keeps its text readable.
    pub size: Option<(f64, f64)>,
}
