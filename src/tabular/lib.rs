//! Files to one Arrow table: several files are joined by column name, typed, extended by derived columns and
//! filtered; every complaint names its file, line and column.
//!
//! | file | holds |
//! |---|---|
//! | `options` | what the user may ask for: label, types (`column_type`), `derive`, `where`, `keep`, `drop` |
//! | `missing` | which tokens stand for a missing value, by column |
//! | `dialect` | how text is taken apart: encoding, delimiter, quote, header, numbers (`separators`) |
//! | `contents` | what a file (`input`) holds as text, of all of it or its start (`extent`): `unpack` takes gzip and zstd off, `decode` other encodings, `columnar` writes Parquet (`parquet`) and Arrow as CSV |
//! | `encoding` | whether bytes are UTF-8 text; `damage` is where and how they are not |
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
//! | `derivation` | how a column is made of others; `derive` makes it, row by row |
//! | `date` | dates in all common forms (`date_words`), or in one that is given (`date_format`); `quantity` is the number in a text |
//! | `filter` | conditions on rows, also for tables that come from elsewhere; `condition` is what one asks of a column with `scalar` values, `filter_error` why it does not fit, `exact` compares numbers, `filter_text` finds values among texts |
//! | `sniff` | how a file is to be read, for who begins a study |
//! | `column_roles` | what each column seems to be, for who begins a study |
//! | `words` | lists and examples in messages |
//!
//! It is handed bytes: which file they are of, and what becomes of the table, is known above.

mod absent;
mod body;
mod column_roles;
mod column_type;
mod columnar;
mod columns;
mod condition;
mod contents;
mod damage;
mod date;
mod date_format;
mod date_words;
mod decode;
mod derivation;
mod derive;
mod dialect;
mod encoding;
mod error;
mod exact;
mod extent;
mod filter;
mod filter_error;
mod filter_text;
mod header;
mod header_check;
mod in_file;
mod input;
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
mod scalar;
mod separators;
mod sniff;
mod spelling;
mod stream;

#[cfg(test)]
mod tests;
mod token;
mod types;
mod unpack;
mod words;

pub use absent::Unlabelled;
pub use column_roles::{ColumnRole, DateOrder, DateSpan, Role, column_roles};
pub use column_type::ColumnType;
pub use columns::BEYOND_F32;
pub use condition::{Condition, Tests};
pub use damage::{Damage, Lines};
pub use derivation::Derivation;
pub use dialect::{Dialect, Encoding, Misfit, Quote, read_delimiter};
pub use error::{CsvError, Problem, tell_of_delimiter};
pub use exact::is_exact;
pub use filter::{Filter, Filtered};
pub use filter_error::{FilterError, Unmatched};
pub use header::{ColumnNames, header};
pub use in_file::InFile;
pub use input::Input;
pub use layout::columns;
pub use load::{Loaded, load, load_until};
pub use missing::{Changes, Missing, Tokens};
pub use numerals::Numerals;
pub use options::LoadOptions;
pub use placeholder::Strays;
pub use scalar::Scalar;
pub use separators::{Decimal, Thousands};
pub use sniff::{Sniffed, sniff};
pub use spelling::{alike, composed};
pub use stream::{Chunk, Chunks};
pub use token::{canonical_number, number, spelled};
