//! Columns of text to columns of numbers: whether a column holds numbers.
//!
//! A type is chosen only if it can hold every value: identifiers that a float would merge, or that would lose leading
//! zeros, stay text.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, Int64Array, StringArray};

use super::column_type::ColumnType;
use super::error::{CsvError, Problem, Problems};
use super::missing::Missing;
use super::numerals::Numerals;
use super::placeholder::{LONGEST, Strays, remedy};
use super::token::{Token, canonical_or_code, classify, merging, written};
use super::words::Place;
use super::words::{examples, quoted, shorten, yaml};

/// A column is meant to be numeric while at most this many of 100 tokens are words; then the words are errors.
const STRAY_PERCENT: usize = 10;

/// Distinct tokens reported for each column, so that one column does not hide the next.
const SHOWN_BY_COLUMN: usize = 5;

/// A column before typing.
pub(super) struct RawColumn<'a, 'p> {
    pub(crate) name: &'a str,
    pub(crate) text: &'a StringArray,
    /// `None`: infer.
    pub(crate) declared: Option<ColumnType>,
    pub(crate) missing: &'a [String],
    /// What the user wrote of missing values.
    pub(crate) setting: &'a Missing,
    /// How its numbers are written.
    pub(crate) numerals: Numerals,
    /// The file and line of a row.
    pub(crate) place: &'a Place<'p>,
}

/// How a column is read.
enum Shape {
    Text,
    Integers(Vec<Token>),
    Floats(Vec<Token>),
}

/// How many tokens there are of each sort.
#[derive(Default)]
struct Counts {
    integers: usize,
    codes: usize,
    huge: usize,
    numbers: usize,
    inexact: usize,
    infinite: usize,
    words: usize,
}

impl RawColumn<'_, '_> {
    /// The typed column; what does not fit goes to `problems`, and why numbers stay text to `notes`.
    pub(crate) fn convert(&self, problems: &mut Problems, notes: &mut Vec<String>) -> ArrayRef {
        let shape = self.shape(notes);
        match &shape {
            Shape::Text => return self.as_text(),
            Shape::Integers(tokens) | Shape::Floats(tokens) => {
                self.report(tokens, matches!(shape, Shape::Integers(_)), problems);
            }
        }
        match shape {
            Shape::Integers(tokens) => {
                let values = tokens.iter().map(|token| match token {
                    Token::Integer(value) => Some(*value),
                    _ => None,
                });
                Arc::new(Int64Array::from_iter(values))
            }
            Shape::Floats(tokens) => {
                let values = tokens.iter().map(|token| match token {
                    Token::Integer(value) => Some(*value as f64),
                    Token::Number(value) | Token::Inexact(value) | Token::Huge(value) => Some(*value),
                    _ => None,
                });
                Arc::new(Float64Array::from_iter(values))
            }
            Shape::Text => self.as_text(),
        }
    }

    fn shape(&self, notes: &mut Vec<String>) -> Shape {
        let stray_percent = match self.declared {
            Some(ColumnType::Text) => return Shape::Text,
            Some(_) => 100,
            None => STRAY_PERCENT,
        };
        let Some((tokens, counts)) = self.tokens(stray_percent) else {
            notes.extend(self.text_note());
            return Shape::Text;
        };
        match self.declared {
            Some(ColumnType::Integer) => return Shape::Integers(tokens),
            Some(_) => {
                let rounded = |token: &Token| matches!(token, Token::Inexact(_) | Token::Huge(_)) || token.is_inexact();
                let rows: Vec<usize> = rows_of(&tokens, rounded);
                let merging = if rows.is_empty() { self.merging() } else { Vec::new() };
                if !merging.is_empty() {
                    notes.push(format!(
                        "column '{}': different numbers become one, as a float holds some 16 digits, e.g. {} (declare `types: {{{}: text}}` if they are identifiers)",
                        self.name, self.examples(&merging), yaml(self.name)
                    ));
                }
                if !rows.is_empty() {
                    notes.push(format!(
                        "column '{}': {} whole numbers beyond 2^53 are rounded, e.g. {} (declare `types: {{{}: text}}` or `integer` if they are identifiers)",
                        self.name, rows.len(), self.examples(&rows), yaml(self.name)
                    ));
                }
                return Shape::Floats(tokens);
            }
            None => {}
        }
        let fractions = counts.numbers + counts.inexact;
        let whole = counts.integers + counts.codes + counts.huge;
        let present = whole + fractions + counts.infinite + counts.words;
        if counts.words * 100 > STRAY_PERCENT * present || whole + fractions == 0 {
            notes.extend(self.text_note());
            return Shape::Text;
        }
        // A few of an identifier's values with a fraction, as a spreadsheet writes `46843.0`, make no number of the others.
        if counts.codes > 0 && fractions > 0 && fractions * 100 <= STRAY_PERCENT * present {
            let codes = rows_of(&tokens, |token| matches!(token, Token::Code));
            let rows = rows_of(&tokens, |token| matches!(token, Token::Number(_) | Token::Inexact(_)));
            notes.push(format!(
                "column '{}' is read as text, as {} of its {present} numbers have leading zeros, e.g. {}, although {} a fraction: {} (correct {}, or declare \
                 `types: {{{}: number}}` if they are no identifiers)",
                self.name,
                codes.len(),
                self.examples(&codes),
                if rows.len() == 1 { "one has".to_owned() } else { format!("{} have", rows.len()) },
                self.examples(&rows),
                if rows.len() == 1 { "it" } else { "these" },
                yaml(self.name)
            ));
            return Shape::Text;
        }
        if fractions == 0 && counts.codes + counts.huge > 0 {
            // Where most tokens are of that sort the column is plainly one of codes; a few must be told of.
            if (counts.codes + counts.huge) * 100 <= STRAY_PERCENT * present {
                let rows = rows_of(&tokens, |token| matches!(token, Token::Code | Token::Huge(_)));
                let why = "with leading zeros or beyond 64 bits";
                notes.push(format!(
                    "column '{}' is read as text, as {} of its {present} whole numbers {}: {} (correct them, or declare `types: {{{}: number}}`, if they are no identifiers)",
                    self.name, rows.len(), if rows.len() == 1 { format!("is one {why}") } else { format!("are {why}") }, self.examples(&rows), yaml(self.name)
                ));
            }
            return Shape::Text;
        }
        if fractions == 0 {
            return Shape::Integers(tokens);
        }
        let rounded =
            rows_of(&tokens, |token| matches!(token, Token::Inexact(_) | Token::Huge(_)) || token.is_inexact());
        if rounded.is_empty() {
            let merging = self.merging();
            if merging.is_empty() {
                return Shape::Floats(tokens);
            }
            notes.push(format!(
                "column '{}' is read as text: as fractions different numbers would become one, as a float holds some 16 digits, e.g. {} \
                 (declare `types: {{{}: number}}` if they are no identifiers)",
                self.name, self.examples(&merging), yaml(self.name)
            ));
            return Shape::Text;
        }
        let fractions = rows_of(&tokens, |token| matches!(token, Token::Number(_) | Token::Inexact(_)));
        notes.push(format!(
            "column '{}' is read as text: it has fractions, e.g. {}, and as fractions {} whole numbers beyond 2^53 would \
             be rounded and merge, e.g. {} (correct it, or declare `types: {{{}: number}}` if they are no identifiers)",
            self.name, self.examples(&fractions), rounded.len(), self.examples(&rounded), yaml(self.name)
        ));
        Shape::Text
    }

    /// The tokens and their counts, or `None` once words are more than `stray_percent` of the column.
    fn tokens(&self, stray_percent: usize) -> Option<(Vec<Token>, Counts)> {
        let declared = self.declared.is_some();
        let mut counts = Counts::default();
        let mut tokens = Vec::with_capacity(self.text.len());
        for cell in self.text {
            let token = self.present(cell).map_or(Token::Missing, |text| self.classify(text, declared));
            match token {
                Token::Missing => {}
                Token::Integer(_) => counts.integers += 1,
                Token::Code => counts.codes += 1,
                Token::Huge(_) => counts.huge += 1,
                Token::Number(_) => counts.numbers += 1,
                Token::Inexact(_) => counts.inexact += 1,
                Token::Infinite => counts.infinite += 1,
                Token::Word => counts.words += 1,
            }
            if counts.words * 100 > stray_percent * self.text.len() {
                return None;
            }
            tokens.push(token);
        }
        Some((tokens, counts))
    }

    /// What to say of a column of numbers that is text because of how they are written, or of a few words that may stand for missing values.
    fn text_note(&self) -> Option<String> {
        self.written_note().or_else(|| self.placeholder_note())
    }

    /// Of a column of which most values would be numbers, were it not for how some of them are written.
    fn written_note(&self) -> Option<String> {
        let (mut rows, mut hows, mut words, mut numbers) = (Vec::new(), Vec::new(), 0, 0);
        for (row, cell) in self.text.iter().enumerate() {
            let Some(text) = self.present(cell) else { continue };
            if matches!(self.classify(text, false), Token::Integer(_) | Token::Number(_)) {
                numbers += 1;
            } else if let Some(how) = written(text) {
                rows.push(row);
                if !hows.contains(&how) {
                    hows.push(how);
                }
            } else {
                words += 1;
                // A text, as most columns are that come here.
                if words * 100 > STRAY_PERCENT * self.text.len() {
                    return None;
                }
            }
        }
        let present = numbers + words + rows.len();
        if rows.is_empty() || words * 100 > STRAY_PERCENT * present {
            return None;
        }
        Some(format!(
            "column '{}' is read as text, as {} of its {present} values are numbers with {}, e.g. {} (if they are numbers, {}; \
             `types: {{{}: text}}` takes this note away)",
            self.name,
            rows.len(),
            hows.iter().map(|how| how.name()).collect::<Vec<_>>().join(" or "),
            self.examples(&rows),
            hows.iter().map(|how| how.remedy()).collect::<Vec<_>>().join(", or "),
            yaml(self.name)
        ))
    }

    fn placeholder_note(&self) -> Option<String> {
        let mut strays = Strays::default();
        for cell in self.text {
            let Some(text) = self.present(cell) else { continue };
            match self.classify(text, false) {
                Token::Integer(_) | Token::Number(_) => strays.add_number(),
                Token::Missing => {}
                _ => strays.add_word(text),
            }
            // A text, as most columns are that come here.
            if strays.are_many() {
                return None;
            }
        }
        let remedy = remedy(self.setting, self.name, &strays, &[]).filter(|_| strays.are_placeholders())?;
        let hint = strays.hint_with(&remedy)?;
        let (numbers, values) = (strays.numbers(), strays.total());
        Some(format!(
            "column '{}' is read as text, although {numbers} of its {values} values are numbers: {hint}",
            self.name
        ))
    }

    /// The tokens that do not fit, each distinct one with its first place.
    fn report(&self, tokens: &[Token], integers_only: bool, problems: &mut Problems) {
        let is_number = |t: &&Token| !matches!(t, Token::Missing | Token::Infinite | Token::Word | Token::Code);
        let numbers = tokens.iter().filter(is_number).count();
        let present = tokens.iter().filter(|t| !matches!(t, Token::Missing)).count();
        // In the order of their first rows, with how many rows have each.
        let mut unfit: Vec<(usize, usize)> = Vec::new();
        let mut known: HashMap<&str, usize> = HashMap::new();
        for (row, token) in tokens.iter().enumerate() {
            let fits = match token {
                Token::Missing | Token::Integer(_) => true,
                Token::Number(_) | Token::Inexact(_) | Token::Huge(_) => !integers_only,
                Token::Code | Token::Infinite | Token::Word => false,
            };
            if !fits {
                let place = *known.entry(self.text.value(row)).or_insert_with(|| {
                    unfit.push((row, 0));
                    unfit.len() - 1
                });
                unfit[place].1 += 1;
            }
        }
        let mut strays = Strays::default();
        for (row, token) in tokens.iter().enumerate() {
            match token {
                Token::Word => strays.add_word(self.text.value(row)),
                Token::Missing => {}
                _ => strays.add_number(),
            }
        }
        // One setting for all that is shown and what was written before, since each would replace the others.
        let shown = unfit.iter().take(SHOWN_BY_COLUMN);
        let words = shown.filter(|(row, _)| matches!(tokens[*row], Token::Word | Token::Infinite));
        let words: Vec<&str> = words.map(|&(row, _)| self.text.value(row).trim()).collect();
        let remedy = remedy(self.setting, self.name, &strays, &words);
        let hint = remedy.as_deref().and_then(|remedy| strays.hint_with(remedy));
        let placeholders = strays.placeholders();
        for &(row, rows) in unfit.iter().take(SHOWN_BY_COLUMN) {
            let trimmed = self.text.value(row).trim();
            let hint = hint.clone().filter(|_| placeholders.iter().any(|(token, _)| *token == trimmed));
            let remedy = remedy.clone().filter(|_| words.contains(&trimmed) && trimmed.len() <= LONGEST);
            let (column, token) = (self.name.to_owned(), shorten(self.text.value(row)));
            let problem = match (tokens[row], self.declared) {
                (Token::Infinite, _) => Problem::Infinite { column, token, rows, remedy },
                (_, Some(ColumnType::Integer)) => Problem::NotAnInteger { column, token, rows, hint, remedy },
                (_, Some(_)) => Problem::NotANumber { column, token, rows, hint, remedy },
                (_, None) => {
                    let percent = 100.0 * numbers as f64 / present as f64;
                    let is_code = canonical_or_code(trimmed).is_some();
                    Problem::StrayWord { column, token, rows, is_code, percent, hint, remedy }
                }
            };
            problems.push(CsvError::at((self.place)(row), problem));
        }
        problems.hide(unfit.iter().skip(SHOWN_BY_COLUMN).map(|(_, rows)| rows).sum());
    }

    fn as_text(&self) -> ArrayRef {
        Arc::new(StringArray::from_iter(self.text.iter().map(|cell| {
            self.present(cell)?;
            cell
        })))
    }

    /// What a token says in the writing of the files.
    fn classify(&self, token: &str, declared: bool) -> Token {
        classify(&self.numerals.plain(token), declared)
    }

    /// The trimmed token, unless it stands for a missing value.
    fn present<'t>(&self, cell: Option<&'t str>) -> Option<&'t str> {
        let token = cell?.trim();
        (!self.missing.iter().any(|missing| missing == token)).then_some(token)
    }

    /// The rows, one for each number that a float would not tell from another of the column.
    fn merging(&self) -> Vec<usize> {
        if self.numerals.are_plain() {
            return merging(self.text.iter().map(|cell| self.present(cell)));
        }
        let plain: Vec<Option<Cow<str>>> =
            self.text.iter().map(|cell| Some(self.numerals.plain(self.present(cell)?))).collect();
        merging(plain.iter().map(Option::as_deref))
    }

    /// Some of the rows' cells with their places.
    fn examples(&self, rows: &[usize]) -> String {
        examples(rows.iter().map(|&row| (quoted(self.text.value(row)), (self.place)(row))))
    }
}

fn rows_of(tokens: &[Token], wanted: impl Fn(&Token) -> bool) -> Vec<usize> {
    tokens.iter().enumerate().filter(|(_, token)| wanted(token)).map(|(row, _)| row).collect()
}
