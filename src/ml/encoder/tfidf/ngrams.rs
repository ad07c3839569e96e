//! Texts → words and character n-grams, as scikit-learn's analyzers `word` and `char_wb` cut them.
//!
//! One difference: a word of one letter is a word (`token_pattern=r"(?u)\b\w+\b"`), since titles have many.
//! Knows nothing of counts or weights.

/// Calls `found` with each run of `shortest..=longest` words, joined by single spaces.
pub fn words(text: &str, [shortest, longest]: [usize; 2], mut found: impl FnMut(&str)) {
    let words: Vec<&str> =
        text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()).collect();
    let mut joined = String::new();
    for length in shortest.max(1)..=longest {
        for run in words.windows(length) {
            joined.clear();
            for (i, word) in run.iter().enumerate() {
                if i > 0 {
                    joined.push(' ');
                }
                joined.push_str(word);
            }
            found(&joined);
        }
    }
}

/// Calls `found` with each run of `shortest..=longest` characters within a word that a space was put at either end of.
/// A word too short for a length is taken whole, once.
pub fn characters(text: &str, [shortest, longest]: [usize; 2], mut found: impl FnMut(&str)) {
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

    macro_rules! collect {
        ($cut:ident, $text:expr, $range:expr) => {{
            let mut all = Vec::new();
            $cut($text, $range, |gram| all.push(gram.to_owned()));
            all
        }};
    }

    // from sklearn.feature_extraction.text import CountVectorizer as V
    // V(analyzer="char_wb", ngram_range=(3, 5)).build_analyzer()("a café  x1") ->
    // [' a ', ' ca', 'caf', 'afé', 'fé ', ' caf', 'café', 'afé ', ' café', 'café ', ' x1', 'x1 ', ' x1 ']
    #[test]
    fn characters_are_cut_as_scikit_learn_does() {
        let grams = collect!(characters, "a café  x1", [3, 5]);
        let expected =
            [" a ", " ca", "caf", "afé", "fé ", " caf", "café", "afé ", " café", "café ", " x1", "x1 ", " x1 "];
        assert_eq!(grams, expected);
    }

    // V(analyzer="word", ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b").build_analyzer()("i don't, no_1!") ->
    // ['i', 'don', 't', 'no_1', 'i don', 'don t', 't no_1']
    #[test]
    fn words_are_cut_as_scikit_learn_does() {
        let grams = collect!(words, "i don't, no_1!", [1, 2]);
        assert_eq!(grams, ["i", "don", "t", "no_1", "i don", "don t", "t no_1"]);
        assert!(collect!(words, "alone", [2, 3]).is_empty());
        assert!(collect!(words, "none", [0, 0]).is_empty());
    }
}
