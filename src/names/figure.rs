//! File names made from any text, e.g. the title of a figure that holds a column's name.

use std::collections::HashMap;

/// Bytes of the readable beginning: with a digest, a stage's name and an ending it is far from what a file system can hold.
const READABLE: usize = 80;
/// Hexadecimal digits that tell texts of the same beginning apart.
const DIGITS: usize = 10;

/// Gives each text a name of its own, fit for a file: letters and digits in lower case, everything else as hyphens. A text that is long, is not
/// plain ASCII, or gives a name that another text has is named by its beginning and a digest of the whole, so that its name does not depend on
/// the texts beside it.
#[derive(Debug, Default)]
pub struct FigureNames {
    /// Who has which name.
    taken: HashMap<String, String>,
}

impl FigureNames {
    /// The name for a text, without an ending. The same text again gets a number.
    pub fn name(&mut self, text: &str) -> String {
        let slug = slug(text);
        let plain = slug.is_ascii() && slug.len() <= READABLE && super::check(&slug, "").is_ok();
        let free = |name: &String, taken: &HashMap<String, String>| taken.get(name).is_none_or(|owner| owner == text);
        let base = if plain && free(&slug, &self.taken) { slug } else { digested(&slug, text) };
        let numbered = (2..).map(|number| format!("{base}-{number}"));
        let name = std::iter::once(base.clone()).chain(numbered).find(|name| !self.taken.contains_key(name));
        let name = name.unwrap_or(base);
        self.taken.insert(name.clone(), text.to_owned());
        name
    }
}

fn digested(slug: &str, text: &str) -> String {
    let beginning = slug[..slug.floor_char_boundary(READABLE)].trim_end_matches('-');
    let digest = blake3::hash(text.as_bytes()).to_hex();
    format!("{beginning}-{}", &digest.as_str()[..DIGITS])
}

/// Letters and digits in lower case, everything else as single hyphens.
fn slug(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' }).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    if words.is_empty() { "figure".to_owned() } else { words.join("-") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_plain_texts_keep_readable_names() {
        let mut names = FigureNames::default();
        assert_eq!(names.name("Loss & accuracy"), "loss-accuracy");
        assert_eq!(names.name("Loss & accuracy"), "loss-accuracy-2");
        assert_eq!(names.name("?!"), "figure");
    }

    #[test]
    fn names_are_short_safe_and_their_own() {
        let long = "very ".repeat(60);
        let texts = [
            format!("{long}much"),
            format!("{long}muck"),
            "日本語の質問です".repeat(12),
            "Tempo".into(),
            "tempo".into(),
            "tempo?".into(),
            "nul".into(),
            "é".into(),
            "e\u{301}".into(),
            "tempo 2".into(),
            "tempo".into(),
        ];
        let mut names = FigureNames::default();
        let given: Vec<String> = texts.iter().map(|text| names.name(text)).collect();
        let distinct: std::collections::BTreeSet<String> = given.iter().map(|name| name.to_uppercase()).collect();
        assert_eq!(distinct.len(), texts.len(), "{given:?}");
        assert!(
            given.iter().all(|name| name.len() <= READABLE + DIGITS + 3 && crate::check(name, ".svg").is_ok()),
            "{given:?}"
        );
        assert!(given[0].starts_with("very-very-very") && given[2].starts_with("日本語"), "{given:?}");
    }

    #[test]
    fn a_long_texts_name_does_not_depend_on_its_neighbours() {
        let (one, two) = ("a ".repeat(100), "a ".repeat(101));
        let mut names = FigureNames::default();
        names.name(&one);
        assert_eq!(names.name(&two), FigureNames::default().name(&two));
    }
}
