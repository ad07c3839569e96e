//! `map`: vectors of the training rows laid out in the plane, coloured by label, to be looked at.

use std::collections::HashSet;
use std::sync::Arc;

use anyhow::bail;
use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::adapter::Adapter;
use super::columns::{FOLD, LABEL, PART, ROW_ID, X, Y, named, readable, readable_of, strings};
use super::conditions::require_left;
use super::dataset::{self, Dataset, Selection, distinct};
use super::documents::put_document;
use super::figures::put_figures;
use super::required::{require, require_part, tell_not_rows};
use runner_artifact::Table;
use runner_engine::{Arity, CheckContext, InputPort, OutputPort, PortType, Reads, Stage, StageContext, Threads};
use runner_ml::frame::Column;
use runner_ml::matrix::Matrix;
use runner_ml::projection::{self, Place, TsneOptions};
use runner_ml::rng::Stream;
use runner_results::{Documents, Layout, MapColumns, Neighbours};
use runner_tabular::Filter;

/// Neighbours of a point that the picture is judged by.
const NEIGHBOURS: usize = 10;

/// A picture of what the vectors know before any network has learnt from them: rows of the training part in the plane.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Map {
    /// Text columns whose embeddings are laid out.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true))]
    text: Vec<String>,
    /// Numeric columns beside them, missing values filled in by the mean, each scaled to mean 0 and deviation 1.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true))]
    numeric: Vec<String>,
    /// How places are found.
    #[serde(default)]
    method: Method,
    /// Rows to show, drawn at random; rows with equal vectors count once.
    #[serde(default = "default_points")]
    #[schemars(range(min = 3, max = 5000))]
    points: usize,
    /// Effective number of neighbours of each point in t-SNE.
    #[serde(default = "default_perplexity")]
    #[schemars(range(min = 1.0, max = 5000.0))]
    perplexity: f64,
    /// Steps of t-SNE.
    #[serde(default = "default_iterations")]
    #[schemars(range(min = 1, max = 100_000))]
    iterations: usize,
    /// Columns that tell what a point is, e.g. a song's title and artist.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true))]
    show: Vec<String>,
    /// Rows to draw from.
    #[serde(default, rename = "where")]
    filter: Filter,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Method {
    /// t-distributed stochastic neighbour embedding: neighbours stay neighbours, distances mean little.
    #[default]
    Tsne,
    /// The two leading principal components: a straight view, in which distances are kept where they are large.
    Pca,
}

fn default_points() -> usize {
    1500
}

fn default_perplexity() -> f64 {
    30.0
}

fn default_iterations() -> usize {
    1000
}

impl Stage for Map {
    const KIND: &'static str = "map";
    const VERSION: u32 = 9;
    const SUMMARY: &'static str = "vectors of the training rows laid out in the plane";
    const INPUTS: &'static [InputPort] = &[
        InputPort::table("rows", Arity::One, "split rows, e.g. a `split` stage"),
        InputPort::table("embeddings", Arity::Any, "the `embed` stages of the text columns"),
    ];

    fn outputs(&self) -> Vec<OutputPort> {
        vec![
            OutputPort::new("points", PortType::Table),
            OutputPort::new("map", PortType::Json),
            OutputPort::new("figures", PortType::Files),
        ]
    }

    fn threads(&self) -> Threads {
        Threads::All
    }

    fn check(&self, context: &mut CheckContext) {
        self.selection().check(context);
        self.selection().warn_of_unread(context);
        let purpose = "whose rows are laid out";
        require_part(context, "rows", "train", purpose);
        require_left(context, "rows", &self.filter, "train", purpose);
        tell_not_rows(context, "points", "points of a map");
        require(context, "rows", &["show"], &self.show);
        let shown = readable(context, "rows", self.show.iter().map(String::as_str));
        let plain = self.numeric.iter().cloned().chain(shown).chain(readable_of(context, "rows", &self.filter));
        context.reads("rows", Reads::Columns(distinct([ROW_ID, LABEL, PART, FOLD], plain)));
        if self.text.is_empty() && self.numeric.is_empty() {
            let help = Some("e.g. `text: [track_name]` with `embeddings: titles`".to_owned());
            context.problem(&[], "there is nothing to lay out: name columns at `text` or `numeric`", help);
        }
        if (3..=5000).contains(&self.points) && !(1.0..self.points as f64 - 1.0).contains(&self.perplexity) {
            let message = format!("perplexity {} must lie between 1 and the number of points less 1", self.perplexity);
            context.problem(&["perplexity"], message, None);
        }
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let data = dataset::dataset(context, &self.selection())?;
        let (rows, vectors) = self.draw(&data, context.seed())?;
        let adapter = Adapter(context.report());
        let (places, left) = match self.method {
            Method::Pca => (projection::principal_plane(&vectors, &adapter)?.0, None),
            Method::Tsne => {
                let options = TsneOptions { perplexity: self.perplexity, iterations: self.iterations };
                let (places, left) = projection::tsne(&vectors, &options, context.threads(), &adapter)?;
                (places, Some(left))
            }
        };
        let near = projection::nearest(&vectors, NEIGHBOURS, context.threads(), &adapter)?;
        let labels: Vec<u32> = rows.iter().map(|&i| data.labels[i]).collect();
        let all = strings(&context.input("rows")?.table()?, LABEL)?;
        let neighbours = Neighbours {
            count: near.first().map_or(0, Vec::len) as u64,
            of_own_class: own_class(&near, &labels),
            by_chance: by_chance(&labels, data.classes.len()),
            kept_in_plane: projection::agreement(&near, &places, context.threads(), &adapter)?,
        };
        context.headline(format!(
            "{} points; {:.0} % of the {} nearest share the label ({:.0} % by chance)",
            rows.len(),
            100.0 * neighbours.of_own_class,
            neighbours.count,
            100.0 * neighbours.by_chance
        ));
        let document = runner_results::Map {
            layout: match self.method {
                Method::Tsne => Layout::Tsne,
                Method::Pca => Layout::Pca,
            },
            classes: data.classes.clone(),
            label_classes: dataset::classes(&all, None),
            label: data.label_name.clone(),
            columns: MapColumns { text: self.text.clone(), numeric: self.numeric.clone() },
            points: rows.len() as u64,
            drawn_from: data.train.len() as u64,
            perplexity: left.map(|_| self.perplexity),
            divergence: left,
            neighbours,
        };
        let table = self.table(context, &data, &rows, &places)?;
        context.put_table("points", &table)?;
        put_document(context, "map", "map", &document)?;
        let mut documents = Documents::default();
        documents.insert("map", document);
        put_figures(context, Self::KIND, documents, &[("points", &table)])
    }
}

impl Map {
    fn selection(&self) -> Selection<'_> {
        Selection { numeric: &self.numeric, text: &self.text, ..Selection::of_rows(&self.filter) }
    }

    /// Rows of the training part whose vectors differ, ascending, and their vectors.
    fn draw(&self, data: &Dataset, seed: u64) -> anyhow::Result<(Vec<usize>, Matrix)> {
        let mut rows = Vec::new();
        let mut seen = HashSet::new();
        for drawn in Stream::new(seed, "map: points", 0).permutation(data.train.len()) {
            if rows.len() == self.points {
                break;
            }
            let row = data.train[drawn];
            if seen.insert(raw(data, row)) {
                rows.push(row);
            }
        }
        rows.sort_unstable();
        if rows.len() < 3 {
            bail!("the training part has {} different vectors; a map needs 3 or more", rows.len());
        }
        Ok((rows.clone(), vectors(data, &rows)))
    }

    /// Each row with its label and its place, and the columns to show.
    fn table(&self, context: &StageContext, data: &Dataset, rows: &[usize], places: &[Place]) -> anyhow::Result<Table> {
        // `dataset` told of the conditions.
        let source = Table::new(self.filter.apply(context.input("rows")?.table()?.batch())?.batch);
        let classes = rows.iter().map(|&i| data.classes[data.labels[i] as usize].as_str());
        let across = |k: usize| -> ArrayRef {
            Arc::new(Float64Array::from_iter_values(places.iter().map(|place| place[k].into())))
        };
        let mut columns: Vec<(String, ArrayRef)> = vec![
            (ROW_ID.to_owned(), Arc::new(Int64Array::from_iter_values(rows.iter().map(|&i| data.row_id[i])))),
            (LABEL.to_owned(), Arc::new(StringArray::from_iter_values(classes))),
            (X.to_owned(), across(0)),
            (Y.to_owned(), across(1)),
        ];
        for name in distinct([], self.show.iter().map(|name| named(&source, name))) {
            if !columns.iter().any(|(taken, _)| *taken == name) {
                let texts = strings(&source, &name)?;
                let texts: StringArray = rows.iter().map(|&i| texts[i].as_deref()).collect();
                columns.push((name, Arc::new(texts)));
            }
        }
        Ok(Table::from_columns(columns)?)
    }
}

/// All that is laid out of a row, as bits.
fn raw(data: &Dataset, row: usize) -> Vec<u64> {
    let bits = |column: &Column| -> Vec<u64> {
        match column {
            Column::Numeric(values) => vec![values[row].to_bits()],
            Column::Vector { dim, values } => {
                values[row * dim..(row + 1) * dim].iter().map(|x| u64::from(x.to_bits())).collect()
            }
            Column::Text(_) | Column::Tokens { .. } => Vec::new(),
        }
    };
    data.frame.columns.values().flat_map(bits).collect()
}

/// Embeddings as they are and numbers standardised over these rows, missing ones filled in before, one beside the other.
fn vectors(data: &Dataset, rows: &[usize]) -> Matrix {
    let parts: Vec<(usize, Vec<f32>)> = (data.frame.columns.values())
        .map(|column| match column.take(rows) {
            Column::Numeric(values) => (1, standardised(&values)),
            Column::Vector { dim, values } => (dim, values),
            Column::Text(_) | Column::Tokens { .. } => (0, Vec::new()),
        })
        .collect();
    let width = parts.iter().map(|(dim, _)| dim).sum();
    let row = |i: usize| parts.iter().flat_map(move |(dim, values)| values[i * dim..(i + 1) * dim].iter().copied());
    Matrix::from_vec(rows.len(), width, (0..rows.len()).flat_map(row).collect())
}

fn standardised(values: &[f64]) -> Vec<f32> {
    let known: Vec<f64> = values.iter().copied().filter(|x| x.is_finite()).collect();
    let mean = known.iter().sum::<f64>() / known.len().max(1) as f64;
    let variance = known.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / values.len().max(1) as f64;
    let scale = if variance > 0.0 { 1.0 / variance.sqrt() } else { 0.0 };
    values.iter().map(|x| if x.is_finite() { ((x - mean) * scale) as f32 } else { 0.0 }).collect()
}

/// The share of all neighbours that have the label of their point.
fn own_class(near: &[Vec<usize>], labels: &[u32]) -> f64 {
    let pairs = near.iter().enumerate().flat_map(|(i, near)| near.iter().map(move |&j| (i, j)));
    let (same, all) = pairs.fold((0, 0), |(same, all), (i, j)| (same + usize::from(labels[i] == labels[j]), all + 1));
    same as f64 / f64::from(all.max(1))
}

/// The same share if neighbours were drawn at random.
fn by_chance(labels: &[u32], classes: usize) -> f64 {
    let count = |class: usize| labels.iter().filter(|&&label| label as usize == class).count() as f64;
    let others = labels.len().saturating_sub(1).max(1) as f64;
    (0..classes).map(count).map(|of| of / labels.len().max(1) as f64 * (of - 1.0).max(0.0) / others).sum()
}
