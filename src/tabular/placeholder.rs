//! Tokens among numbers that are none and may stand for a missing value: `?`, `-`, `unknown`.

use indexmap::{IndexMap, IndexSet};

use super::missing::Missing;
use super::words::{quoted, row_count};

/// Different tokens that a hint names, and up to which a text column looks like one of numbers with placeholders.
const MOST: usize = 5;

/// Different tokens that are counted; a column that has more holds texts.
const COUNTED: usize = 100;

/// Bytes of a token that a remedy names.
pub(super) const LONGEST: usize = 200;

/// A column as numbers: how many of its values are some, and the tokens that are none.
#[derive(Default)]
pub struct Strays {
    numbers: usize,
    words: usize,
    /// Rows by token, in the order of their first ones.
    rows: IndexMap<String, usize>,
}

impl Strays {
    /// Counts a value that is a number.
    pub fn add_number(&mut self) {
        self.numbers += 1;
    }

    /// Counts a value that is none.
    pub fn add_word(&mut self, token: &str) {
        let token = token.trim();
        self.words += 1;
        if self.rows.len() < COUNTED || self.rows.contains_key(token) {
            *self.rows.entry(token.to_owned()).or_default() += 1;
        }
    }

    /// Words and numbers.
    pub(super) fn total(&self) -> usize {
        self.numbers + self.words
    }

    pub(super) fn numbers(&self) -> usize {
        self.numbers
    }

    /// Whether there are more different words than a column of numbers has placeholders.
    pub(super) fn are_many(&self) -> bool {
        self.rows.len() > MOST
    }

    /// Whether every word may stand for a missing value.
    pub(super) fn are_placeholders(&self) -> bool {
        !self.are_many() && self.rows.iter().all(|(token, &rows)| is_placeholder(token, rows))
    }

    /// The words that may stand for a missing value with their rows, most frequent first. None of a column that holds words rather than numbers.
    pub(super) fn placeholders(&self) -> Vec<(&str, usize)> {
        let are_signs = self.rows.keys().all(|token| is_sign(token));
        let mut likely: Vec<(&str, usize)> = self.rows.iter().map(|(token, &rows)| (token.as_str(), rows)).collect();
        likely.retain(|(token, rows)| is_placeholder(token, *rows));
        if self.numbers == 0 || self.numbers < self.words && !are_signs {
            return Vec::new();
        }
        // Stable: of equally frequent ones the first.
        likely.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
        likely.truncate(MOST);
        likely
    }

    /// Which of the words may stand for a missing value, and how to say so whatever is written under `missing`, e.g. `'?' (16 rows) may stand for a missing
    /// value: if so, write 'age: {add: ["?"]}' under 'missing'`.
    pub fn hint(&self, column: &str) -> Option<String> {
        self.hint_with(&Missing::entry(column, &tokens_to_add(self, &[])?))
    }

    /// The same with the remedy.
    pub(super) fn hint_with(&self, remedy: &str) -> Option<String> {
        let likely = self.placeholders();
        let tokens = likely.iter().map(|(token, rows)| format!("{} ({})", quoted(token), row_count(*rows)));
        let tokens: Vec<String> = tokens.collect();
        (!tokens.is_empty())
            .then(|| format!("{} may stand for a missing value: if so, write {remedy}", tokens.join(", ")))
    }
}

/// The one setting by which the placeholders of a column and `others` are missing, beside what `missing` says already. Long texts are left out: nobody wants
/// to write these into a setting.
pub(super) fn remedy(missing: &Missing, column: &str, strays: &Strays, others: &[&str]) -> Option<String> {
    Some(missing.changed(column, &tokens_to_add(strays, others)?, &[]))
}

fn tokens_to_add<'s>(strays: &'s Strays, others: &[&'s str]) -> Option<Vec<&'s str>> {
    let likely = strays.placeholders().into_iter().map(|(token, _)| token);
    let tokens: IndexSet<&str> = likely.chain(others.iter().copied()).filter(|token| token.len() <= LONGEST).collect();
    (!tokens.is_empty()).then(|| tokens.into_iter().collect())
}

/// A word that is repeated, or a sign. With digits it is rather a number with a unit or a slip.
fn is_placeholder(token: &str, rows: usize) -> bool {
    is_sign(token) || rows > 1 && !token.chars().any(|c| c.is_ascii_digit())
}

/// Nothing but punctuation, as `-`, or nothing at all, where blank cells do not stand for a missing value.
fn is_sign(token: &str) -> bool {
    token.chars().all(|c| c.is_ascii_punctuation())
}
