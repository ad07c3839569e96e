//! "Did you mean": the candidate nearest to a mistyped word, and lists of names in messages.

/// The candidate that the user most likely meant, or `None` if all are too far away.
///
/// Distance is optimal string alignment (a swap of neighbours counts once), blind to case and to
/// `-` against `_`; at most a third of the word may differ. The first of equals wins.
pub fn suggest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let wanted = normalise(word);
    let length = wanted.chars().count();
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let other_length = candidate.chars().count();
        let longest = length.max(other_length);
        let limit = (longest / 3).max(usize::from(longest > 1));
        // Words differ by at least the difference of their lengths; what is no nearer than the best so far is not looked at.
        let apart = length.abs_diff(other_length);
        if apart > limit || best.is_some_and(|(least, _)| apart >= least) {
            continue;
        }
        let other = normalise(candidate);
        let distance = strsim::osa_distance(&wanted, &other);
        if distance <= limit && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Names in a message, e.g. `a, b, c`: the first thirty, then how many there are besides.
pub fn listed<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    listed_up_to(MOST_LISTED, names)
}

/// The first `most` names, then how many there are besides.
pub fn listed_up_to<S: AsRef<str>>(most: usize, names: impl IntoIterator<Item = S>) -> String {
    let mut names = names.into_iter();
    let mut text = String::new();
    for (place, name) in names.by_ref().take(most).enumerate() {
        if place > 0 {
            text.push_str(", ");
        }
        text.push_str(name.as_ref());
    }
    match names.count() {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

/// Names that a message lists: with more, a reader looks into the file.
const MOST_LISTED: usize = 30;

/// A longer word is no name mistyped.
const LONGEST: usize = 200;

/// ` (did you mean 'x'?)`, or nothing.
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    suggest(word, candidates).map(|candidate| format!(" (did you mean '{candidate}'?)")).unwrap_or_default()
}

fn normalise(word: &str) -> String {
    word.to_lowercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::{listed, suggest};

    #[test]
    fn a_long_list_ends_with_a_count() {
        assert_eq!(listed(["a", "b"]), "a, b");
        assert_eq!(listed([""; 0]), "");
        let names: Vec<String> = (0..1000).map(|i| format!("f{i}")).collect();
        let text = listed(&names);
        assert!(text.starts_with("f0, f1, ") && text.ends_with(", f29 and 970 more"), "{text}");
    }

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
