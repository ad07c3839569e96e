//! Vectors of rows laid out in the plane: `map.json`.

use serde::{Deserialize, Serialize};

use crate::document::Document;

/// What a map shows; the places are in the table `points`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Map {
    /// How the places were found.
    pub layout: Layout,
    /// Classes of the rows to draw from, sorted.
    pub classes: Vec<String>,
    /// All classes of the label, those of rows that `where` left out too.
    pub label_classes: Vec<String>,
    /// The column to predict.
    pub label: String,
    /// What the vectors are made of.
    pub columns: MapColumns,
    /// Rows shown.
    pub points: u64,
    /// Rows of the training part.
    pub drawn_from: u64,
    /// Of t-SNE: the effective number of neighbours of each point.
    pub perplexity: Option<f64>,
    /// Of t-SNE: the Kullback-Leibler divergence that was left, in nats.
    pub divergence: Option<f64>,
    /// How often neighbours share a class.
    pub neighbours: Neighbours,
}

/// How places are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// t-SNE (van der Maaten and Hinton 2008).
    Tsne,
    /// The plane of the first two principal components.
    Pca,
}

/// The columns that the vectors are made of.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MapColumns {
    /// Embedded text columns.
    pub text: Vec<String>,
    /// Standardised numeric columns.
    pub numeric: Vec<String>,
}

impl MapColumns {
    /// Texts, then numbers.
    pub fn all(&self) -> Vec<String> {
        [self.text.as_slice(), self.numeric.as_slice()].concat()
    }
}

/// How far the nearest rows by their vectors share the class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Neighbours {
    /// Neighbours of each row.
    pub count: u64,
    /// Share of all neighbours that have the class of their row, 0 to 1.
    pub of_own_class: f64,
    /// The same share if neighbours were drawn at random.
    pub by_chance: f64,
    /// Share of the neighbours that are neighbours in the plane as well, 0 to 1.
    pub kept_in_plane: f64,
}

impl Document for Map {
    const NAME: &'static str = "map";
    const VERSION: u32 = 1;

    fn classes(&self) -> Vec<&str> {
        self.label_classes.iter().chain(&self.classes).map(String::as_str).collect()
    }
}
