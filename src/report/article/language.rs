//! The two languages of an article: numbers, lists, and the spaces that go with punctuation.

use crate::figure::text::{Rounded, rounded};
pub use crate::page::Language;

/// A space that neither breaks nor stretches, narrow: before the high punctuation of French, and between its thousands.
const NARROW: char = '\u{202f}';
/// A space that does not break.
const FIXED: char = '\u{a0}';

/// How a language writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Voice(pub Language);

impl Voice {
    /// The one of the two.
    pub(crate) fn say<'a>(self, english: &'a str, french: &'a str) -> &'a str {
        match self.0 {
            Language::English => english,
            Language::French => french,
        }
    }

    /// Of the language, e.g. `fr`.
    pub(crate) fn code(self) -> &'static str {
        self.say("en", "fr")
    }

    pub(crate) fn is_french(self) -> bool {
        self.0 == Language::French
    }

    /// `0.735` or `0,735`; a dash for what is no number.
    pub(crate) fn decimals(self, value: f64, places: usize) -> String {
        self.number(&crate::figure::text::decimals(value, places))
    }

    /// Three or four significant digits.
    pub(crate) fn compact(self, value: f64) -> String {
        self.number(&crate::figure::text::compact(value))
    }

    /// `27.1%` or `27,1 %`, of a share in 0..=1; never rounded to a bound that it does not reach.
    pub(crate) fn percent(self, share: f64) -> String {
        let (than, share) = match rounded(share) {
            Rounded::AlmostAll => (self.say("more than ", "plus de "), 0.999),
            Rounded::AlmostNone => (self.say("less than ", "moins de "), 0.001),
            Rounded::Other if share.is_nan() => return "–".to_owned(),
            Rounded::Other => ("", share),
        };
        let number = self.decimals(share * 100.0, 1);
        if self.is_french() { format!("{than}{number}{NARROW}%") } else { format!("{than}{number}%") }
    }

    /// `28,356` or `28 356`.
    pub(crate) fn count(self, value: u64) -> String {
        self.number(&crate::figure::text::count(value))
    }

    /// `1 group` or `28,356 groups`.
    pub(crate) fn counted(
        self,
        number: u64,
        english: (&'static str, &'static str),
        french: (&'static str, &'static str),
    ) -> String {
        // French has the singular of nothing too.
        let noun = match (self.is_french(), number) {
            (true, 0 | 1) => french.0,
            (true, _) => french.1,
            (false, 1) => english.0,
            (false, _) => english.1,
        };
        format!("{}{}{noun}", self.count(number), if self.is_french() { FIXED } else { ' ' })
    }

    /// `[0.704, 0.726]` or `[0,704 ; 0,726]`, where the comma already has its office.
    pub(crate) fn interval(self, low: f64, high: f64) -> String {
        let (low, high) = (self.decimals(low, 3), self.decimals(high, 3));
        if self.is_french() { format!("[{low}{NARROW};{FIXED}{high}]") } else { format!("[{low}, {high}]") }
    }

    /// `p = 0.210`, below a thousandth `p < 0.001`.
    pub(crate) fn p(self, p: f64) -> String {
        format!("*p*{FIXED}{}{FIXED}{}", if p < 0.001 { '<' } else { '=' }, self.decimals(p.max(0.001), 3))
    }

    /// The same without its name, for a table's cell.
    pub(crate) fn bare_p(self, p: f64) -> String {
        if p < 0.001 { format!("<{FIXED}{}", self.decimals(0.001, 3)) } else { self.decimals(p, 3) }
    }

    /// `a, b and c`; after `most` names the number of the others.
    pub(crate) fn list(self, names: &[String], most: usize) -> String {
        let and = self.say("and", "et");
        let (shown, rest) = names.split_at(names.len().min(most));
        match (shown, rest.len()) {
            ([], _) => String::new(),
            ([one], 0) => one.clone(),
            ([first @ .., last], 0) => format!("{} {and} {last}", first.join(", ")),
            (shown, 1) => format!("{} {and} {}", shown.join(", "), rest[0]),
            (shown, more) => format!("{} {and} {more} {}", shown.join(", "), self.say("more", "autres")),
        }
    }

    /// A number written the English way, as figures and the helpers of this crate write it.
    fn number(self, text: &str) -> String {
        if !self.is_french() {
            return text.to_owned();
        }
        text.chars()
            .map(|character| match character {
                ',' => NARROW,
                '.' => ',',
                other => other,
            })
            .collect()
    }

    /// A label of a figure: numbers written this language's way, other texts as they are.
    pub(crate) fn label(self, text: &str) -> String {
        let is_number =
            |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '−' | '-' | '+' | '%' | ' ' | '·' | '<');
        if !self.is_french() {
            // As the sentences around it have it.
            return text.replace(" %", "%");
        }
        if text.chars().any(|c| c.is_ascii_digit()) && text.chars().all(is_number) {
            // Where a figure saves the zero before the point, French still wants it before the comma.
            let number = self.number(text).replace(" %", &format!("{NARROW}%"));
            match number.trim_start_matches('−') {
                rest if rest.starts_with(',') => number.replacen(',', "0,", 1),
                _ => number,
            }
        } else {
            text.to_owned()
        }
    }

    /// Running text as the language's printers set it: the spaces of French punctuation, curly apostrophes, numbers that do not part from
    /// their unit. What is right already stays.
    pub(crate) fn typography(self, text: &str) -> String {
        let text = text.replace('\'', "’");
        if self.is_french() { french(&text) } else { text }
    }
}

/// A narrow space before `; : ! ? %` and `»` and after `«`, whatever space was there, or none where there was none before a sign within a word.
fn french(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let is_space = |c: char| c == ' ' || c == FIXED || c == NARROW;
    let mut out = String::with_capacity(text.len() + 16);
    for (i, &character) in characters.iter().enumerate() {
        let next = characters.get(i + 1).copied();
        let after = characters.get(i + 2).copied();
        if is_space(character) {
            // A sign of high punctuation that is followed by a letter belongs to a word: ` :name` is no French.
            let ends = after.is_none_or(|c| !c.is_alphanumeric());
            match next {
                Some(';' | ':' | '!' | '?' | '%') if ends => out.push(NARROW),
                Some('»') => out.push(NARROW),
                _ if i > 0 && characters[i - 1] == '«' => out.push(NARROW),
                _ => out.push(character),
            }
            continue;
        }
        let before = i.checked_sub(1).map(|at| characters[at]);
        let is_word = before.is_some_and(|c| c.is_alphanumeric() || matches!(c, ')' | ']' | '…'));
        let ends = next.is_none_or(|c| is_space(c) || matches!(c, ')' | '»'));
        match character {
            ';' | ':' | '!' | '?' if is_word && ends && !is_clock(before, next) => out.push(NARROW),
            '»' if is_word => out.push(NARROW),
            _ => {}
        }
        out.push(character);
        if character == '«' && next.is_some_and(|c| !is_space(c)) {
            out.push(NARROW);
        }
    }
    out
}

/// `12:30` and `1:2` are no punctuation.
fn is_clock(before: Option<char>, next: Option<char>) -> bool {
    before.is_some_and(|c| c.is_ascii_digit()) && next.is_some_and(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRENCH: Voice = Voice(Language::French);
    const ENGLISH: Voice = Voice(Language::English);

    #[test]
    fn numbers_are_written_as_each_language_does() {
        assert_eq!((ENGLISH.count(28_356), FRENCH.count(28_356)), ("28,356".to_owned(), "28\u{202f}356".to_owned()));
        assert_eq!((ENGLISH.decimals(0.7577, 3), FRENCH.decimals(0.7577, 3)), ("0.758".to_owned(), "0,758".to_owned()));
        assert_eq!((ENGLISH.percent(0.271), FRENCH.percent(0.271)), ("27.1%".to_owned(), "27,1\u{202f}%".to_owned()));
        assert_eq!(FRENCH.interval(0.7, 0.75), "[0,700\u{202f};\u{a0}0,750]");
        assert_eq!(FRENCH.label("1,405"), "1\u{202f}405");
        assert_eq!(FRENCH.label("best epoch 0.5"), "best epoch 0.5");
        assert_eq!((FRENCH.label(".07"), FRENCH.label("−.15")), ("0,07".into(), "−0,15".into()));
        assert_eq!(
            (ENGLISH.label("12 · 5.0 %"), FRENCH.label("12 · 5.0 %")),
            ("12 · 5.0%".into(), "12 · 5,0\u{202f}%".into())
        );
    }

    #[test]
    fn french_punctuation_has_its_spaces() {
        let set = |text: &str| FRENCH.typography(text);
        assert_eq!(
            set("Quoi ? Rien : « mot » ; fin !"),
            "Quoi\u{202f}? Rien\u{202f}: «\u{202f}mot\u{202f}»\u{202f}; fin\u{202f}!"
        );
        assert_eq!(
            set("Quoi? «mot» 12:30 a:b http://x 5 %"),
            "Quoi\u{202f}? «\u{202f}mot\u{202f}» 12:30 a:b http://x 5\u{202f}%"
        );
        assert_eq!(set("l'essai"), "l’essai");
        assert_eq!(set(&set("Quoi ? « mot »")), set("Quoi ? « mot »"));
        assert_eq!(ENGLISH.typography("What? It's: \"x\""), "What? It’s: \"x\"");
    }

    #[test]
    fn nouns_agree_with_their_number() {
        let of = |voice: Voice, number| voice.counted(number, ("group", "groups"), ("groupe", "groupes"));
        assert_eq!(
            (of(ENGLISH, 0), of(ENGLISH, 1), of(ENGLISH, 1_200)),
            ("0 groups".into(), "1 group".into(), "1,200 groups".into())
        );
        assert_eq!((of(FRENCH, 0), of(FRENCH, 2)), ("0\u{a0}groupe".into(), "2\u{a0}groupes".into()));
    }

    #[test]
    fn lists_end_with_and() {
        let names = |n: usize| (0..n).map(|i| format!("m{i}")).collect::<Vec<_>>();
        assert_eq!(ENGLISH.list(&names(3), 4), "m0, m1 and m2");
        assert_eq!(FRENCH.list(&names(2), 4), "m0 et m1");
        assert_eq!(ENGLISH.list(&names(6), 4), "m0, m1, m2, m3 and 2 more");
    }
}
