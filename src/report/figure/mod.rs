//! Figures: pure functions from numbers to one drawing each, in one visual language, written as SVG or as PDF.
//!
//! Every figure is 480 units wide unless its content needs more: its text is 12 pixels high at that width. The bytes
//! depend on the arguments alone. A figure stands alone (light colours as attributes, dark ones in its own style sheet)
//! and can be inlined into a page that defines the theme: see [`Drawing::inline`].

pub(crate) mod architecture;
pub(crate) mod bars;
mod chart_data;
pub(crate) mod drawing;
pub(crate) mod effects;
pub(crate) mod element;
pub(crate) mod graph;
pub(crate) mod grid;
pub(crate) mod grouped;
pub(crate) mod heatmap;
pub(crate) mod histogram;
mod layout;
mod legend;
mod line_chart;
mod lines;
mod metrics;
pub(crate) mod narrow_graph;
pub(crate) mod palette;
pub(crate) mod parallel;
mod pdf;
pub(crate) mod print;
pub(crate) mod scale;
pub(crate) mod scatter;
pub(crate) mod scatter_classes;
pub(crate) mod slices;
pub(crate) mod svg;
pub mod text;

pub use architecture::{Part, architecture};
pub use bars::{Bar, bar_chart, class_balance};
pub use drawing::Drawing;
pub use effects::{EffectLevel, EffectPanel, EffectRow, effect_panels, effect_rows};
pub use graph::{Node, State, dag, feeds, transitive_reduction};
pub use grid::grid;
pub use grouped::{Interval, Mark, Row, Series, grouped_bars};
pub use heatmap::confusion;
pub use heatmap::correlation;
pub use histogram::{HistogramPanel, class_histogram};
pub use layout::ChartLayout;
pub use line_chart::{Line, LineChart};
pub use lines::line_chart;
pub use narrow_graph::narrow_graph;
pub use palette::Paint;
pub use palette::Palette;
pub use parallel::parallel_coordinates;
pub use scatter::{Point, ScatterChart, panels_caption, scatter};
pub use scatter_classes::{ClassScatterChart, scatter_classes};
pub use slices::{Joined, Scored, Slice, SliceAxis, trial_slices};

/// Width of a figure in user units.
pub(crate) const WIDTH: f64 = 480.0;
