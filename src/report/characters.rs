//! Characters for fonts that have only some: a letter with its accents as one, its parts where a font has to compose it, and what a font lacks of all
//! texts of a document, for the reader to be told.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::{canonical_combining_class, is_combining_mark};

use super::figure::text::beginning;

/// The text letter by letter, each with the accents that follow it, composed where Unicode has it as one.
pub(crate) fn clusters(text: &str) -> Vec<String> {
    let mut clusters: Vec<String> = Vec::new();
    for character in text.nfc() {
        match clusters.last_mut() {
            Some(last) if canonical_combining_class(character) != 0 => last.push(character),
            _ => clusters.push(character.to_string()),
        }
    }
    clusters
}

/// The letter of a cluster and its accents.
pub(crate) fn parts(cluster: &str) -> Option<(char, Vec<char>)> {
    let mut characters = cluster.nfd();
    let letter = characters.next().filter(|letter| !is_combining_mark(*letter))?;
    Some((letter, characters.collect()))
}

/// The same characters in their plain form, e.g. `1⁄3` of `⅓`.
pub(crate) fn plain_form(character: char) -> String {
    std::iter::once(character).nfkd().collect()
}

/// `U+5317`.
pub(crate) fn code_point(character: char) -> String {
    format!("U+{:04X}", u32::from(character))
}

/// What fonts lack of the texts of a document.
#[derive(Clone, Debug, Default)]
pub(crate) struct Missing {
    characters: BTreeSet<char>,
    /// The words that have any of them, in the order in which they came.
    words: Vec<String>,
}

impl Missing {
    /// Adds the words of a text of which `lacks` gives characters.
    pub(crate) fn add(&mut self, text: &str, lacks: impl Fn(&str) -> Vec<char>) {
        for word in text.split_whitespace() {
            let found = lacks(word);
            if !found.is_empty() {
                self.characters.extend(found);
                let word = word.trim_matches(|c: char| c.is_ascii_punctuation());
                if !self.words.iter().any(|known| known == word) {
                    self.words.push(word.to_owned());
                }
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.characters.is_empty()
    }

    pub(crate) fn characters(&self) -> impl Iterator<Item = char> {
        self.characters.iter().copied()
    }

    /// `4 characters of 2 words ('北京', '上海')`.
    pub(crate) fn told(&self) -> String {
        const MOST: usize = 4;
        let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
        let mut shown: Vec<String> =
            self.words.iter().take(MOST).map(|word| format!("'{}'", beginning(word, 24))).collect();
        if self.words.len() > MOST {
            shown.push("…".to_owned());
        }
        let (characters, words) = (counted(self.characters.len(), "character"), counted(self.words.len(), "word"));
        format!("{characters} of {words} ({})", shown.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_keep_their_accents() {
        assert_eq!(clusters("e\u{301}x\u{323}\u{302}北"), ["é", "x\u{323}\u{302}", "北"]);
        assert_eq!(parts("ế"), Some(('e', vec!['\u{302}', '\u{301}'])));
        assert_eq!(parts("\u{301}"), None);
    }

    #[test]
    fn what_is_missing_is_counted_once() {
        let mut missing = Missing::default();
        let lacks = |text: &str| text.chars().filter(|c| !c.is_ascii()).collect::<Vec<_>>();
        missing.add("a 北京 b", lacks);
        missing.add("北京, (上海)", lacks);
        assert_eq!(missing.told(), "4 characters of 2 words ('北京', '上海')");
        missing.add("é", lacks);
        missing.add("ü ö ä", lacks);
        assert_eq!(missing.told(), "8 characters of 6 words ('北京', '上海', 'é', 'ü', …)");
    }
}
