//! CSV bytes to one Arrow table: several files are joined by column name, typed, extended by derived columns and
//! filtered; every complaint names its file, line and column.
//!
//! | file | holds |
//! |---|---|
//! | `options` | what the user may ask for: label, types, missing tokens, `derive`, `where`, `keep`, `drop` |
//! | `names` | what added columns are called, so that no file's own column can be taken for one |
//! | `header` | the first record of a file, read alone for checks before any work |
//! | `layout` | which columns the table will have: the one place that holds options against headers |
//! | `records` | the body: records, their line numbers and exact text |
//! | `types` | tokens to numbers, and whether a column holds numbers |
//! | `derive` | year, sine, cosine and logarithm of a column |
//! | `filter` | conditions on rows, also for tables that come from elsewhere |
//!
//! Knows nothing of files on a disk, stages or caches: it is handed bytes.

mod derive;
mod error;
mod filter;
mod header;
mod layout;
mod load;
pub mod names;
mod options;
mod records;
#[cfg(test)]
mod tests;
mod types;

pub use derive::Derivation;
pub use error::{CsvError, Problem};
pub use filter::{Condition, Filter, FilterError, OneOrMany, Scalar, Tests};
pub use header::header;
pub use layout::columns;
pub use load::{Input, Loaded, load};
pub use options::{ColumnType, LoadOptions};
pub use types::{number, plain_number};
