//! Rows as their file has them, with what is predicted of each behind.

use std::fmt::Write as _;

use super::{Package, Said};
use crate::columns::{RECORD, strings};
use crate::predict::{free_name, quoted, taken_by};
use runner_artifact::Table;
use runner_tabular::{Dialect, Quote};

/// How predictions are written.
pub struct CsvWriter {
    delimiter: char,
    quote: Quote,
    terminator: &'static str,
    /// The columns that are added.
    names: Vec<String>,
    with_probabilities: bool,
}

impl CsvWriter {
    /// For a file with these columns, whose text is taken apart so. With `with_probabilities` each class has a column `p_CLASS`.
    pub fn new(
        package: &Package,
        columns: &[String],
        dialect: &Dialect,
        terminator: &'static str,
        with_probabilities: bool,
    ) -> CsvWriter {
        let mut names = vec![free_name(columns, package.label())];
        let sort = if package.is_probabilistic() { "p" } else { "score" };
        for class in package.classes().iter().filter(|_| with_probabilities) {
            let name = format!("{sort}_{class}");
            let numbered = (2..).map(|number| format!("{name}_{number}"));
            let is_free = |name: &String| !names.contains(name) && taken_by(columns, name).is_none();
            let free = std::iter::once(name.clone()).chain(numbered).find(is_free);
            names.push(free.unwrap_or(name));
        }
        CsvWriter { delimiter: dialect.delimiter, quote: dialect.quote, terminator, names, with_probabilities }
    }

    /// The columns that are added.
    pub fn added(&self) -> &[String] {
        &self.names
    }

    /// The first line: the file's own header, if it has one, with the names of what is added.
    ///
    /// # Errors
    /// A name holds what ends a field, and nothing can be put around fields.
    pub fn header(&self, own: Option<&str>) -> anyhow::Result<String> {
        let Some(own) = own else { return Ok(String::new()) };
        let mut line = own.to_owned();
        for name in &self.names {
            let _ = write!(line, "{}{}", self.delimiter, quoted(name, self.delimiter, self.quote)?);
        }
        Ok(line + self.terminator)
    }

    /// The rows' own text with what was said of them.
    ///
    /// # Errors
    /// The rows do not carry their text, or a class holds what ends a field, and nothing can be put around fields.
    pub fn rows(&self, rows: &Table, package: &Package, said: &Said) -> anyhow::Result<String> {
        let mut text = String::new();
        let classes = package.classes().iter().map(|class| quoted(class, self.delimiter, self.quote));
        let classes = classes.collect::<anyhow::Result<Vec<String>>>()?;
        for (row, record) in strings(rows, RECORD)?.into_iter().enumerate() {
            let class = classes.get(said.predicted[row] as usize).map_or("", String::as_str);
            let _ = write!(text, "{}{}{class}", record.unwrap_or_default(), self.delimiter);
            if self.with_probabilities {
                for value in said.probabilities.row(row) {
                    let _ = write!(text, "{}{value}", self.delimiter);
                }
            }
            text.push_str(self.terminator);
        }
        Ok(text)
    }
}
