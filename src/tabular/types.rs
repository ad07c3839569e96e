//! Columns of text to columns of numbers: what a token is, and whether a column holds numbers.
//!
//! Knows nothing of CSV syntax.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array, Int64Array, StringArray};

use super::error::{CsvError, Problem, Problems};
use super::options::ColumnType;

/// A column is meant to be numeric while at most this many of 100 tokens are words; then the words are errors.
const STRAY_PERCENT: usize = 10;

/// Problems reported for each column, so that one column does not hide the next.
const SHOWN_BY_COLUMN: usize = 5;

/// A column before typing.
pub(super) struct RawColumn<'a> {
    pub name: &'a str,
    pub text: StringArray,
    /// `None`: infer.
    pub declared: Option<ColumnType>,
    pub missing: &'a [String],
    /// The file and line of a row.
    pub place: &'a dyn Fn(usize) -> (&'a str, u64),
}

/// What a token says as a number.
#[derive(Clone, Copy)]
enum Token {
    Missing,
    Integer(i64),
    Number(f64),
    Infinite,
    Word,
}

impl RawColumn<'_> {
    /// The typed column; what does not fit goes to `problems`.
    pub fn convert(&self, problems: &mut Problems) -> ArrayRef {
        let shape = match self.declared {
            Some(ColumnType::Text) => None,
            Some(_) => Some(self.tokens(100)),
            None => Some(self.tokens(STRAY_PERCENT)),
        };
        match shape.flatten() {
            None => self.as_text(),
            Some(tokens) => self.as_numbers(&tokens, problems),
        }
    }

    /// The tokens, or `None` once words are more than `stray_percent` of the column or no token is a number.
    fn tokens(&self, stray_percent: usize) -> Option<Vec<Token>> {
        let declared = self.declared.is_some();
        let (mut words, mut numbers, mut infinite) = (0usize, 0usize, 0usize);
        let mut tokens = Vec::with_capacity(self.text.len());
        for cell in &self.text {
            let token = self.present(cell).map_or(Token::Missing, |text| classify(text, declared));
            match token {
                Token::Missing => {}
                Token::Integer(_) | Token::Number(_) => numbers += 1,
                Token::Infinite => infinite += 1,
                Token::Word => words += 1,
            }
            if words * 100 > stray_percent * self.text.len() {
                return None;
            }
            tokens.push(token);
        }
        let present = words + numbers + infinite;
        let is_numeric = numbers > 0 && words * 100 <= stray_percent * present;
        (declared || is_numeric).then_some(tokens)
    }

    fn as_numbers(&self, tokens: &[Token], problems: &mut Problems) -> ArrayRef {
        let integers_only = match self.declared {
            Some(declared) => declared == ColumnType::Integer,
            None => !tokens.iter().any(|token| matches!(token, Token::Number(_))),
        };
        self.report(tokens, integers_only, problems);
        if integers_only {
            let values = tokens.iter().map(|token| match token {
                Token::Integer(value) => Some(*value),
                _ => None,
            });
            Arc::new(Int64Array::from_iter(values))
        } else {
            let values = tokens.iter().map(|token| match token {
                Token::Integer(value) => Some(*value as f64),
                Token::Number(value) => Some(*value),
                _ => None,
            });
            Arc::new(Float64Array::from_iter(values))
        }
    }

    /// The tokens that do not fit, with their places.
    fn report(&self, tokens: &[Token], integers_only: bool, problems: &mut Problems) {
        let is_number = |t: &&Token| matches!(t, Token::Integer(_) | Token::Number(_));
        let numbers = tokens.iter().filter(is_number).count();
        let present = tokens.iter().filter(|t| !matches!(t, Token::Missing)).count();
        let mut reported = 0;
        for (row, token) in tokens.iter().enumerate() {
            let (column, token) = match token {
                Token::Missing | Token::Integer(_) => continue,
                Token::Number(_) if !integers_only => continue,
                other => (self.name.to_owned(), (shorten(self.text.value(row)), other)),
            };
            reported += 1;
            if reported > SHOWN_BY_COLUMN {
                continue;
            }
            let problem = match (token, self.declared) {
                ((token, Token::Infinite), _) => Problem::Infinite { column, token },
                ((token, _), Some(ColumnType::Integer)) => Problem::NotAnInteger { column, token },
                ((token, _), Some(_)) => Problem::NotANumber { column, token },
                ((token, _), None) => {
                    let percent = 100.0 * numbers as f64 / present as f64;
                    Problem::StrayWord { column, token, percent }
                }
            };
            let (path, line) = (self.place)(row);
            problems.push(CsvError::line(path, line, problem));
        }
        problems.hide(reported.saturating_sub(SHOWN_BY_COLUMN));
    }

    fn as_text(&self) -> ArrayRef {
        Arc::new(StringArray::from_iter(self.text.iter().map(|cell| {
            self.present(cell)?;
            cell
        })))
    }

    /// The trimmed token, unless it stands for a missing value.
    fn present<'t>(&self, cell: Option<&'t str>) -> Option<&'t str> {
        let token = cell?.trim();
        (!self.missing.iter().any(|missing| missing == token)).then_some(token)
    }
}

/// `declared`: a leading zero is then no sign of an identifier.
fn classify(token: &str, declared: bool) -> Token {
    let digits = token.strip_prefix(['+', '-']).unwrap_or(token);
    match digits.as_bytes() {
        [] => return Token::Missing,
        // 00501 is a postal code: as a number it would lose its zeros.
        [b'0', b'0'..=b'9', ..] if !declared => return Token::Word,
        [b'0'..=b'9' | b'.', ..] => {}
        _ if digits.eq_ignore_ascii_case("nan") => return Token::Missing,
        _ if ["inf", "infinity"].iter().any(|name| digits.eq_ignore_ascii_case(name)) => {
            return Token::Infinite;
        }
        _ => return Token::Word,
    }
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        // An id of twenty digits would not survive as a float: two of them could become one.
        return token.parse().map_or(Token::Word, Token::Integer);
    }
    match token.parse::<f64>() {
        Ok(number) if number.is_finite() => Token::Number(number),
        Ok(_) => Token::Infinite,
        Err(_) => Token::Word,
    }
}

/// A token of a column that is known to hold numbers; NaN where it stands for a missing one.
pub fn number(token: &str) -> Option<f64> {
    match classify(token.trim(), true) {
        Token::Missing => Some(f64::NAN),
        Token::Integer(value) => Some(value as f64),
        Token::Number(value) => Some(value),
        Token::Infinite | Token::Word => None,
    }
}

/// A token that would be read as a number in a column of numbers whose type nobody declared: `1.0`, not `007` nor a missing value.
pub fn plain_number(token: &str) -> Option<f64> {
    match classify(token.trim(), false) {
        // Beyond 2^53 two ids could become one number.
        Token::Integer(value) if value.unsigned_abs() <= 1 << 53 => Some(value as f64),
        Token::Number(value) => Some(value + 0.0),
        _ => None,
    }
}

/// A token as it is shown in a message.
fn shorten(token: &str) -> String {
    const LENGTH: usize = 40;
    if token.chars().count() <= LENGTH {
        return token.to_owned();
    }
    token.chars().take(LENGTH).chain(['…']).collect()
}
