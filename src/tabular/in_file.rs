//! `InFile`: an error for somebody who has the file and not the options by which it is read, which lie in a model that was exported.

use std::fmt;

use super::error::{CsvError, Problem, forms, in_rows};
use super::options::LoadOptions;

/// Errors are told with what to do to the file; their own text tells which option to change.
#[derive(Clone, Copy)]
pub struct InFile<'a> {
    /// What is wrong.
    pub error: &'a CsvError,
    /// How the file is read.
    pub options: &'a LoadOptions,
}

impl fmt::Display for InFile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt_place(f)?;
        match self.error.problem.as_ref() {
            Problem::HeaderOnly => f.write_str("the file has a header but no rows (add some below it)"),
            Problem::Utf16(other) => write!(f, "the file is {other} (save it as UTF-8)"),
            Problem::NotUtf8(damage) => write!(f, "{} (save the file as UTF-8)", damage.place()),
            Problem::NotInEncoding { encoding, byte, is_cut: false } => {
                write!(f, "byte 0x{byte:02x} is not valid {encoding}, which the model reads (save the file as UTF-8)")
            }
            Problem::OneColumn { header, .. } => {
                let delimiter = self.options.dialect.delimiter;
                write!(
                    f,
                    "the header is one column, '{header}', but the model reads fields that {delimiter:?} separates (save the file so)"
                )
            }
            Problem::DuplicateColumn { name, first, second, differ } => {
                let forms = forms(*differ);
                write!(
                    f,
                    "column '{name}' occurs twice in the header, as number {first} and {second}{forms} (rename one)"
                )
            }
            Problem::Unnamed { found, named } => write!(
                f,
                "the first line has {found} fields, but the files that the model knows have {named} columns and no header (leave out what is behind them)"
            ),
            Problem::NamesItsColumns(format) => write!(
                f,
                "{format} files name their columns themselves, and the files that the model knows have no names (write it as CSV without a header)"
            ),
            Problem::NotANumber { column, token, rows, .. } | Problem::StrayWord { column, token, rows, .. } => {
                write!(f, "column '{column}': '{token}' is not a number{}{}", in_rows(*rows), self.corrected(column))
            }
            Problem::NotAnInteger { column, token, rows, .. } => {
                write!(
                    f,
                    "column '{column}': '{token}' is not a 64-bit integer{}{}",
                    in_rows(*rows),
                    self.corrected(column)
                )
            }
            Problem::Infinite { column, token, rows, .. } => {
                let rows = in_rows(*rows);
                write!(
                    f,
                    "column '{column}': '{token}' is infinite or too large for a number{rows}{}",
                    self.corrected(column)
                )
            }
            problem => problem.fmt(f),
        }
    }
}

impl InFile<'_> {
    /// What a cell of the column may hold instead.
    fn corrected(&self, column: &str) -> &'static str {
        let may_be_blank = self.options.missing.tokens(column).iter().any(String::is_empty);
        if may_be_blank { " (correct it, or leave the cell empty)" } else { " (correct it)" }
    }
}
