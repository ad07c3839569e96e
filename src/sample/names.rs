//! A small grammar of invented titles, artists, albums and identifiers.
//!
//! A title draws each word from its genre's list or from the common one, so that titles hint at a genre without
//! giving it away.

use runner_ml::rng::Stream;

use super::words::{COMMON, GENRES, Words};

/// How often a title's word comes from the list of its genre instead of the common one.
const GENRE_WORDS: f64 = 0.27;

/// How often an artist's name has its genre's sound.
const GENRE_NAMES: f64 = 0.5;

/// The place of latin in `GENRES`: its words have another grammar.
const LATIN: usize = 3;

/// Whether a chance comes true.
pub(super) fn chance(stream: &mut Stream, probability: f64) -> bool {
    stream.uniform() < probability
}

/// One of several words separated by `|`.
pub(super) fn pick(stream: &mut Stream, words: &'static str) -> &'static str {
    let index = stream.below(words.split('|').count());
    words.split('|').nth(index).unwrap_or(words)
}

/// A title for a song of `genre`, e.g. "Lost in the Storm".
pub(super) fn title(genre: usize, stream: &mut Stream) -> String {
    let spanish = genre == LATIN && chance(stream, 0.3);
    let plain = if spanish { spanish_title(stream) } else { english_title(genre, stream) };
    capitalised(&plain)
}

fn english_title(genre: usize, stream: &mut Stream) -> String {
    // Latin words fit no English sentence.
    let own = if genre == LATIN { &COMMON } else { GENRES[genre] };
    let word = |stream: &mut Stream, list: fn(&Words) -> &'static str| {
        let words = if chance(stream, GENRE_WORDS) { own } else { &COMMON };
        pick(stream, list(words))
    };
    let adjective = |words: &Words| words.adjectives;
    let noun = |words: &Words| words.nouns;
    let verb = |words: &Words| words.verbs;
    let place = |words: &Words| words.places;
    let phrase = |words: &Words| words.phrases;
    match stream.below(14) {
        0 | 1 => word(stream, noun).to_owned(),
        2..=4 => format!("{} {}", word(stream, adjective), word(stream, noun)),
        5 => format!("{} in {}", word(stream, verb), word(stream, place)),
        6 => format!("{} for {}", word(stream, verb), word(stream, noun)),
        7 => format!("the {} of {}", word(stream, noun), word(stream, place)),
        8 => format!("{} and {}", word(stream, noun), word(stream, noun)),
        9 => match stream.below(3) {
            0 => format!("{}, {}", word(stream, verb), word(stream, verb)),
            1 => format!("{}, {} {}", word(stream, phrase), word(stream, adjective), word(stream, noun)),
            _ => format!("my {}, my {}", word(stream, noun), word(stream, noun)),
        },
        10 => format!("{} ({})", word(stream, noun), word(stream, phrase)),
        _ => word(stream, phrase).to_owned(),
    }
}

fn spanish_title(stream: &mut Stream) -> String {
    let words = GENRES[LATIN];
    match stream.below(8) {
        0 => pick(stream, words.nouns).to_owned(),
        1 => format!("{} en {}", pick(stream, words.nouns), pick(stream, words.places)),
        2 => format!("{} {}", pick(stream, words.nouns), pick(stream, words.adjectives)),
        3 => format!("{} en {}", pick(stream, words.verbs), pick(stream, words.places)),
        4 => format!("{} y {}", pick(stream, words.nouns), pick(stream, words.nouns)),
        5 => format!("{}, {}", pick(stream, words.phrases), pick(stream, words.nouns)),
        _ => pick(stream, words.phrases).to_owned(),
    }
}

/// What comes after a title on some songs: guests, remasters, remixes, films in quotes.
pub(super) fn title_suffix(genre: usize, guest: &str, year: i64, stream: &mut Stream) -> String {
    // Shares of songs by genre, in the order of `GENRES`.
    let guests = [0.14, 0.24, 0.02, 0.2, 0.16, 0.22][genre];
    let remasters = [0.01, 0.0, 0.22, 0.01, 0.02, 0.0][genre];
    let mixes = [0.05, 0.02, 0.01, 0.05, 0.03, 0.3][genre];
    let mut suffix = String::new();
    if chance(stream, guests) {
        suffix = format!(" (feat. {guest})");
    }
    if chance(stream, remasters) && year < 2000 {
        suffix += &format!(" - Remastered {}", 2001 + stream.below(17));
    } else if chance(stream, mixes) {
        let word = ["Radio Edit", "Extended Mix", "Club Mix", "Original Mix"][stream.below(4)];
        match stream.below(3) {
            0 => suffix += &format!(" - {guest} Remix"),
            _ => suffix += &format!(" - {word}"),
        }
    } else if chance(stream, 0.01) {
        suffix += " - 12\" Version";
    } else if chance(stream, 0.012) {
        let film = capitalised(pick(stream, COMMON.nouns));
        suffix += &format!(" (From \"The {film}\")");
    }
    suffix
}

/// An artist's name, e.g. "The Howling Engines".
pub(super) fn artist(genre: usize, stream: &mut Stream) -> String {
    let words = |stream: &mut Stream| {
        if chance(stream, GENRE_NAMES) { GENRES[genre] } else { &COMMON }
    };
    let first = words(stream).first_names;
    let last = words(stream).last_names;
    let (first, last) = (pick(stream, first), pick(stream, last));
    match stream.below(10) {
        0 => last.to_owned(),
        1 => format!("{first} & {last}"),
        _ => format!("{first} {last}"),
    }
}

/// An album's name.
pub(super) fn album(genre: usize, stream: &mut Stream) -> String {
    let title = title(genre, stream);
    match stream.below(8) {
        0 => format!("{title} (Deluxe Edition)"),
        1 => format!("{title}, Vol. {}", 1 + stream.below(3)),
        _ => title,
    }
}

/// An identifier of 22 letters and digits.
pub(super) fn identifier(stream: &mut Stream) -> String {
    const LETTERS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    (0..22).map(|_| char::from(LETTERS[stream.below(LETTERS.len())])).collect()
}

/// Every word with a capital, but for small words within.
fn capitalised(text: &str) -> String {
    const SMALL: [&str; 10] = ["the", "of", "and", "in", "for", "en", "y", "de", "a", "del"];
    let mut words = Vec::new();
    for (index, word) in text.split(' ').enumerate() {
        let mut letters = word.chars();
        match letters.next() {
            Some(first) if index == 0 || !SMALL.contains(&word) => {
                let bracket = if first == '(' { letters.next() } else { None };
                let mut capital: String = if bracket.is_some() { "(".to_owned() } else { String::new() };
                capital.extend(bracket.unwrap_or(first).to_uppercase());
                words.push(capital + letters.as_str());
            }
            _ => words.push(word.to_owned()),
        }
    }
    words.join(" ")
}
