//! `normalise`: what is left of a title or name when its spelling no longer matters.
//!
//! Knows Latin brackets and English suffixes; folds no accents (`é` stays `é`).

/// Lower case; without parentheses and brackets, without what follows ` - ` or `feat.`; letters and digits only, single
/// spaces between. `Don't Stop (with X) - Loud Remix` → `dont stop`. A text with nothing left keeps what it has.
pub(super) fn normalise(text: &str) -> String {
    let lower = text.to_lowercase();
    let stem = words(without_guests(without_suffix(&without_brackets(&lower))));
    if !stem.is_empty() {
        return stem;
    }
    let all = words(&lower);
    if all.is_empty() { lower.trim().to_string() } else { all }
}

/// An unclosed bracket reaches to the end: long titles are often cut off.
fn without_brackets(text: &str) -> String {
    let mut depth = 0usize;
    let mut kept = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(letter),
            _ => {}
        }
    }
    kept
}

fn without_suffix(text: &str) -> &str {
    let cut = [" - ", " – ", " — "].iter().filter_map(|dash| text.find(dash)).min();
    match cut {
        Some(at) if !text[..at].trim().is_empty() => &text[..at],
        _ => text,
    }
}

fn without_guests(text: &str) -> &str {
    let cut = [" feat. ", " feat ", " ft. ", " ft ", " featuring "].iter().filter_map(|word| text.find(word)).min();
    cut.map_or(text, |at| &text[..at])
}

fn words(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_alphanumeric() {
            kept.push(letter);
        } else if !matches!(letter, '\'' | '’' | '‘' | '`') && !kept.ends_with(' ') && !kept.is_empty() {
            kept.push(' ');
        }
    }
    kept.truncate(kept.trim_end().len());
    kept
}

#[cfg(test)]
mod tests {
    use super::normalise;

    #[test]
    fn spelling_and_editions_do_not_matter() {
        for (title, stem) in [
            ("Don't Stop (with X) - Loud Remix", "dont stop"),
            ("DON’T  STOP!", "dont stop"),
            ("Don't Stop [Live feat. X", "dont stop"),
            ("Don't Stop feat. X & Y", "dont stop"),
            ("Straße – Edit", "straße"),
            ("Re-Start", "re start"),
            // Nothing would be left: what there is stays.
            ("(Interlude)", "interlude"),
            ("- Remix", "remix"),
            ("?!", "?!"),
            (" ... ", "..."),
        ] {
            assert_eq!(normalise(title), stem, "{title}");
        }
    }
}
