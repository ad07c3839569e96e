//! `load`: files → one table, with a port for each name.
//!
//! | file | holds |
//! |---|---|
//! | `files` | which files a pattern names |
//! | `check` | what can be known before any row is read |
//! | `read` | the work |

mod check;
mod files;
mod read;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::bail;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::download::Download;
use runner_engine::{CheckContext, External, InputPort, OutputPort, PortType, Report, Source, Stage, StageContext};
use runner_tabular::{
    self as tabular, ColumnType, Decimal, Derivation, Dialect, Encoding, Filter, LoadOptions, Missing, Quote, Scalar,
    Thousands,
};

pub(super) use read::all_of;

/// Reads CSV, Parquet and Arrow files into one Arrow table; CSV files may be packed with gzip or zstd. Rows keep the order of the files; port `rows` has them
/// all, and each name has a port with the rows of its files.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Load {
    /// Files by a name of your choice, e.g. `{train: data/sample/train.csv}`; paths count from where runner is started. A path with `*` or `?` names all files that
    /// match it, in the order of their paths, which must have the same columns; `runner.source` then has their paths.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    files: IndexMap<String, String>,
    /// Files to download, by name; they come after `files`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Download>")]
    downloads: IndexMap<String, Download>,
    /// The column to predict; files may lack it. Spellings of one number (`1` and `1.0`), where all labels are numbers, are one class unless `types` declares the column text.
    #[serde(default)]
    label: Option<String>,
    /// All classes of the label from the lowest to the highest, where they have an order, e.g. `[poor, fair, good]`. Classes are then listed so, `loss: ordinal` and
    /// the baseline `ordinal_logistic` learn from it, and the metrics `quadratic_kappa` and `rank_error` are computed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("uniqueItems" = true))]
    class_order: Vec<Scalar>,
    /// Declared column types; other columns are inferred.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, ColumnType>")]
    types: IndexMap<String, ColumnType>,
    /// Tokens that stand for a missing value: a list for every column, in place of '' (blank cells), NA, N/A, NaN, nan, null and NULL; or by column, where `"*"`
    /// stands for the others, e.g. `{country: [], tempo: {add: ["-"]}, "*": {add: ["?"]}}`.
    #[serde(default)]
    missing: Missing,
    /// The encoding of CSV files, by a name that the WHATWG knows, e.g. `windows-1252` or `shift_jis`. Without it UTF-8, or the UTF-16 that a byte-order mark says.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    encoding: Option<Encoding>,
    /// The character between fields, e.g. `";"` or `"\t"`.
    #[serde(default = "default_delimiter", deserialize_with = "tabular::read_delimiter")]
    #[schemars(with = "String", length(min = 1, max = 2))]
    delimiter: char,
    /// The character around fields that hold a delimiter or a line break, e.g. `"'"`; `none` where quotes are characters as others.
    #[serde(default)]
    #[schemars(with = "String")]
    quote: Quote,
    /// Whether the first line of CSV files names their columns. Without a header these are `column_1`, `column_2` …, or as `names` says.
    #[serde(default = "default_header")]
    header: bool,
    /// What the columns of files without a header are called, in their order; a file may lack the last ones.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true))]
    names: Vec<String>,
    /// What stands before the fraction of a number, `"."` or `","`.
    #[serde(default)]
    decimal: Decimal,
    /// What stands between the thousands of a number, e.g. `"."` in `1.234,5`; without it nothing.
    #[serde(default)]
    thousands: Option<Thousands>,
    /// New columns, e.g. `release_year: {year_of: track_album_release_date}`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Derivation>")]
    derive: IndexMap<String, Derivation>,
    /// Rows to keep, e.g. `{playlist_genre: [pop, rap], tempo: {min: 60}}`.
    #[serde(default, rename = "where")]
    filter: Filter,
    /// Columns to keep; empty keeps all.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true))]
    keep: Vec<String>,
    /// Columns to leave out.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true))]
    drop: Vec<String>,
}

fn default_delimiter() -> char {
    Dialect::default().delimiter
}

fn default_header() -> bool {
    Dialect::default().header
}

impl Stage for Load {
    const KIND: &'static str = "load";
    const VERSION: u32 = 9;
    const SUMMARY: &'static str = "CSV, Parquet and Arrow files to one table";
    const INPUTS: &'static [InputPort] = &[];
    const SEEDED: bool = false;
    const SOURCES_TRAVEL: bool = false;

    fn outputs(&self) -> Vec<OutputPort> {
        let names = self.names().filter(|name| name != "rows");
        std::iter::once("rows".to_owned()).chain(names).map(|name| OutputPort::new(name, PortType::Table)).collect()
    }

    fn sources(&self) -> Vec<Source> {
        self.member_sources()
    }

    fn source_folders(&self) -> Vec<PathBuf> {
        self.pattern_folders()
    }

    fn externals(&self) -> Vec<Box<dyn External>> {
        let external = |(name, download): (&String, &Download)| -> Box<dyn External> {
            Box::new(DownloadedFile { at: format!("downloads.{name}"), download: download.clone() })
        };
        self.downloads.iter().map(external).collect()
    }

    fn check(&self, context: &mut CheckContext) {
        self.look(context);
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        self.read(context)
    }
}

impl Load {
    fn names(&self) -> impl Iterator<Item = String> {
        self.files.keys().chain(self.downloads.keys()).cloned()
    }

    fn dialect(&self) -> Dialect {
        Dialect {
            encoding: self.encoding,
            delimiter: self.delimiter,
            quote: self.quote,
            header: self.header,
            names: self.names.clone(),
            decimal: self.decimal,
            thousands: self.thousands,
        }
    }

    pub(super) fn options(&self) -> LoadOptions {
        LoadOptions {
            label: self.label.clone(),
            types: self.types.clone(),
            missing: self.missing.clone(),
            dialect: self.dialect(),
            derive: self.derive.clone(),
            where_: self.filter.clone(),
            keep: self.keep.clone(),
            drop: self.drop.clone(),
        }
    }
}

struct DownloadedFile {
    at: String,
    download: Download,
}

impl External for DownloadedFile {
    fn at(&self) -> &str {
        &self.at
    }

    fn digest(&self) -> anyhow::Result<Option<String>> {
        Ok(Some(self.download.sha256.to_ascii_lowercase()))
    }

    fn fetch(&self, _report: &dyn Report) -> anyhow::Result<String> {
        bail!("the digest of a download is declared")
    }
}
