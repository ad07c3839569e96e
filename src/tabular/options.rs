//! `LoadOptions`: what a user may ask of loading, as written in YAML.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::column_type::ColumnType;
use super::derivation::Derivation;
use super::dialect::Dialect;
use super::filter::Filter;
use super::missing::Missing;

/// How CSV files become one table. The steps are: read, type, `derive`, `where`, `keep` or `drop`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LoadOptions {
    /// The column to predict. It is read as text, without white space around it, unless `types` says otherwise; it may be absent from some
    /// files (missing there) or from all, and `keep` never removes it. A blank label is missing. Spellings of one number (`1` and `1.0`), where all labels are numbers, and
    /// Unicode forms of one text are one class.
    pub label: Option<String>,
    /// Declared column types; the other columns are inferred over all files: integers, else numbers, else text. Whole numbers with leading
    /// zeros, or that the column's type could not tell apart, make it text.
    #[schemars(with = "BTreeMap<String, ColumnType>")]
    pub types: IndexMap<String, ColumnType>,
    /// Tokens that stand for a missing value, for all columns or by column.
    pub missing: Missing,
    /// How the files are taken apart.
    pub dialect: Dialect,
    /// New columns by name, e.g. `release_year: {year_of: track_album_release_date}`. One may use those before it.
    #[schemars(with = "BTreeMap<String, Derivation>")]
    pub derive: IndexMap<String, Derivation>,
    /// Rows to keep, e.g. `{playlist_genre: [pop, rap], tempo: {min: 60}}`; all conditions must hold.
    #[serde(rename = "where")]
    pub where_: Filter,
    /// The columns to keep, derived ones included; empty keeps all.
    pub keep: Vec<String>,
    /// The columns to leave out, derived ones included.
    pub drop: Vec<String>,
}

impl Default for LoadOptions {
    fn default() -> Self {
        LoadOptions {
            label: None,
            types: IndexMap::new(),
            missing: Missing::default(),
            dialect: Dialect::default(),
            derive: IndexMap::new(),
            where_: Filter::default(),
            keep: Vec::new(),
            drop: Vec::new(),
        }
    }
}
