//! "Did you mean": the candidate nearest to a mistyped word.
//!
//! Knows nothing of where the words come from.

/// The candidate that the user most likely meant, or `None` if all are too far away.
///
/// Distance is optimal string alignment (a swap of neighbours counts once), blind to case and to
/// `-` against `_`; at most a third of the word may differ. The first of equals wins.
pub fn suggest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = normalise(word);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let other = normalise(candidate);
        let longest = wanted.chars().count().max(other.chars().count());
        let limit = (longest / 3).max(usize::from(longest > 1));
        let distance = strsim::osa_distance(&wanted, &other);
        if distance <= limit && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// ` (did you mean 'x'?)`, or nothing.
pub(super) fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    suggest(word, candidates).map(|candidate| format!(" (did you mean '{candidate}'?)")).unwrap_or_default()
}

fn normalise(word: &str) -> String {
    word.to_lowercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::suggest;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        let words = ["optimizer", "epochs", "batch_size", "lr", "seed"];
        assert_eq!(suggest("optimzer", words), Some("optimizer"));
        assert_eq!(suggest("epcohs", words), Some("epochs"));
        assert_eq!(suggest("Batch-Size", words), Some("batch_size"));
        assert_eq!(suggest("l", words), Some("lr"));
        assert_eq!(suggest("dropout", words), None);
        assert_eq!(suggest("", words), None);
        assert_eq!(suggest("x", []), None);
    }
}
