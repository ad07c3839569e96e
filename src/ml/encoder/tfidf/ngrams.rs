//! Texts → words and character n-grams, as scikit-learn's analyzers `word` and `char_wb` cut them.
//!
//! One difference: a word of one letter is a word (`token_pattern=r"(?u)\b\w+\b"`), since titles have many.

/// Cuts one text after another into runs of words.
#[derive(Default)]
pub(crate) struct WordRuns {
    /// Where the words of the text at hand begin and end.
    words: Vec<(usize, usize)>,
    joined: String,
}

impl WordRuns {
    /// Calls `found` with each run of `shortest..=longest` words, joined by single spaces.
    pub(crate) fn each(&mut self, text: &str, [shortest, longest]: [usize; 2], mut found: impl FnMut(&str)) {
        self.words.clear();
        let mut start = None;
        for (at, character) in text.char_indices().chain([(text.len(), ' ')]) {
            match (character.is_alphanumeric() || character == '_', start) {
                (true, None) => start = Some(at),
                (false, Some(from)) => {
                    self.words.push((from, at));
                    start = None;
                }
                _ => {}
            }
        }
        for length in shortest.max(1)..=longest {
            for run in self.words.windows(length) {
                let (from, to) = (run[0].0, run[length - 1].1);
                // Mostly they stand there joined already.
                if run.windows(2).all(|pair| &text[pair[0].1..pair[1].0] == " ") {
                    found(&text[from..to]);
                    continue;
                }
                self.joined.clear();
                for (i, (from, to)) in run.iter().enumerate() {
                    if i > 0 {
                        self.joined.push(' ');
                    }
                    self.joined.push_str(&text[*from..*to]);
                }
                found(&self.joined);
            }
        }
    }
}

/// Calls `found` with each run of `shortest..=longest` characters within a word that a space was put at either end of.
/// A word too short for a length is taken whole, once.
pub(crate) fn characters(text: &str, [shortest, longest]: [usize; 2], mut found: impl FnMut(&str)) {
    let mut padded = String::new();
    let mut borders = Vec::new();
    for word in text.split_whitespace() {
        padded.clear();
        padded.push(' ');
        padded.push_str(word);
        padded.push(' ');
        borders.clear();
        borders.extend(padded.char_indices().map(|(at, _)| at));
        borders.push(padded.len());
        let characters = borders.len() - 1;
        for length in shortest.max(1)..=longest {
            if length >= characters {
                found(&padded);
                break;
            }
            for start in 0..=characters - length {
                found(&padded[borders[start]..borders[start + length]]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn characters_of(text: &str, range: [usize; 2]) -> Vec<String> {
        let mut all = Vec::new();
        characters(text, range, |gram| all.push(gram.to_owned()));
        all
    }

    fn words_of(text: &str, range: [usize; 2]) -> Vec<String> {
        let mut all = Vec::new();
        WordRuns::default().each(text, range, |gram| all.push(gram.to_owned()));
        all
    }

    // from sklearn.feature_extraction.text import CountVectorizer as V
    // V(analyzer="char_wb", ngram_range=(3, 5)).build_analyzer()("a café  x1") ->
    // [' a ', ' ca', 'caf', 'afé', 'fé ', ' caf', 'café', 'afé ', ' café', 'café ', ' x1', 'x1 ', ' x1 ']
    #[test]
    fn characters_are_cut_as_scikit_learn_does() {
        let grams = characters_of("a café  x1", [3, 5]);
        let expected =
            [" a ", " ca", "caf", "afé", "fé ", " caf", "café", "afé ", " café", "café ", " x1", "x1 ", " x1 "];
        assert_eq!(grams, expected);
    }

    // V(analyzer="word", ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b").build_analyzer()("i don't, no_1!") ->
    // ['i', 'don', 't', 'no_1', 'i don', 'don t', 't no_1']
    #[test]
    fn words_are_cut_as_scikit_learn_does() {
        let grams = words_of("i don't, no_1!", [1, 2]);
        assert_eq!(grams, ["i", "don", "t", "no_1", "i don", "don t", "t no_1"]);
        assert!(words_of("alone", [2, 3]).is_empty());
        assert!(words_of("none", [0, 0]).is_empty());
    }
}
