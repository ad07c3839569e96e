//! Files to one Arrow table: several files are joined by column name, typed, extended by derived columns and
//! filtered; every complaint names its file, line and column.
//!
//! | file | holds |
//! |---|---|
//! | `options` | what the user may ask for: label, types, `derive`, `where`, `keep`, `drop` |
//! | `missing` | which tokens stand for a missing value, by column |
//! | `dialect` | how text is taken apart: encoding, delimiter, quote, header, numbers |
//! | `contents` | what a file holds as text: `unpack` takes gzip and zstd off, `decode` other encodings, `columnar` writes Parquet (`parquet`) and Arrow as CSV |
//! | `encoding` | whether bytes are UTF-8 text, and what to do if not |
//! | `names` | what added columns are called, so that no file's own column can be taken for one |
//! | `header` | the first record of a file, read alone for checks before any work |
//! | `layout` | which columns the table will have: the one place that holds options against headers |
//! | `records` | records, their line numbers and exact text; `body` reads those of every file by column |
//! | `columns` | the body's columns with their types, and those derived from them |
//! | `numerals` | numbers as people write them |
//! | `token` | what a token says as a number, and which tokens say the same one |
//! | `types` | whether a column holds numbers |
//! | `header_check` | whether a header is rather the first row |
//! | `absent` | cells that a token makes missing, labels above all: which, how many, where |
//! | `placeholder` | tokens among numbers that may stand for a missing value |
//! | `spelling` | values in two spellings: one class as labels, a note as other texts |
//! | `derive` | columns made of others, row by row; `date` reads dates, `quantity` the number in a text |
//! | `filter` | conditions on rows, also for tables that come from elsewhere; `condition` is what one asks of a column, `exact` compares numbers, `filter_text` finds values among texts |
//! | `sniff` | how a file is to be read, for who begins a study |
//! | `column_roles` | what each column seems to be, for who begins a study |
//! | `words` | lists and examples in messages |
//!
//! Knows nothing of files on a disk, stages or caches: it is handed bytes.

mod absent;
mod body;
mod column_roles;
mod columnar;
mod columns;
mod condition;
mod contents;
mod date;
mod decode;
mod derive;
mod dialect;
mod encoding;
mod error;
mod exact;
mod filter;
mod filter_text;
mod header;
mod header_check;
mod in_file;
mod layout;
mod load;
mod missing;
pub mod names;
mod numerals;
mod options;
mod parquet;
mod placeholder;
mod quantity;
mod records;
mod sniff;
mod spelling;
mod stream;

#[cfg(test)]
mod tests;
mod token;
mod types;
mod unpack;
mod words;

pub use column_roles::{ColumnRole, DateOrder, DateSpan, Role, column_roles};
pub use columns::BEYOND_F32;
pub use condition::Condition;
pub use condition::{Scalar, Tests};
pub use derive::Derivation;
pub use dialect::{Decimal, Dialect, Encoding, Misfit, Quote, Thousands, read_delimiter};
pub use encoding::{Damage, Lines};
pub use error::{CsvError, Problem, tell_of_delimiter};
pub use filter::Filter;
pub use filter::FilterError;
pub use filter::Filtered;
pub use filter::Unmatched;
pub use header::{ColumnNames, header};
pub use in_file::InFile;
pub use layout::columns;
pub use load::Loaded;
pub use load::{Input, load, load_until};
pub use missing::{Changes, Missing, Tokens};
pub use numerals::Numerals;
pub use options::{ColumnType, LoadOptions};
pub use placeholder::Strays;
pub use sniff::{Sniffed, sniff};
pub use spelling::{alike, composed};
pub use stream::{Chunk, Chunks};
pub use token::{canonical_number, number, spelled};
