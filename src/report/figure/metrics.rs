//! The two fonts that every PDF reader has and that our PDF figures use: Helvetica for text, Symbol for a few signs.
//!
//! Widths are Adobe's (Core 14 AFM files), in thousandths of the size.

use crate::characters::{clusters, parts};

/// A run of bytes in one of the two fonts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Run {
    pub(crate) symbol: bool,
    pub(crate) bytes: Vec<u8>,
    /// How far the run begins before the end of the one before, in thousandths of the size: an accent stands over its letter.
    pub(crate) back: i32,
    /// How high it stands above the line, in thousandths.
    pub(crate) rise: i32,
}

/// Widths of the characters from space to tilde.
const REGULAR: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
];
const BOLD: [u16; 95] = [
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611,
    556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389,
    280, 389, 584,
];

/// Characters beyond Latin-1 that WinAnsiEncoding has: the character, its byte, its width regular and bold.
const WIN_ANSI: [(char, u8, u16, u16); 29] = [
    ('€', 0x80, 556, 556),
    ('‚', 0x82, 222, 278),
    ('ƒ', 0x83, 556, 556),
    ('„', 0x84, 333, 500),
    ('…', 0x85, 1000, 1000),
    ('†', 0x86, 556, 556),
    ('‡', 0x87, 556, 556),
    ('‰', 0x89, 1000, 1000),
    ('Š', 0x8a, 667, 667),
    ('‹', 0x8b, 333, 333),
    ('Œ', 0x8c, 1000, 1000),
    ('Ž', 0x8e, 611, 611),
    ('‘', 0x91, 222, 278),
    ('’', 0x92, 222, 278),
    ('“', 0x93, 333, 500),
    ('”', 0x94, 333, 500),
    ('•', 0x95, 350, 350),
    ('–', 0x96, 556, 556),
    ('—', 0x97, 1000, 1000),
    ('™', 0x99, 1000, 1000),
    ('š', 0x9a, 500, 556),
    ('›', 0x9b, 333, 333),
    ('œ', 0x9c, 944, 944),
    ('ž', 0x9e, 500, 500),
    ('Ÿ', 0x9f, 667, 667),
    ('‐', b'-', 333, 333),
    ('‑', b'-', 333, 333),
    // Marks of a legend: the nearest that there are.
    ('●', 0x95, 350, 350),
    ('○', b'o', 556, 611),
];

/// Signs and Greek letters of the font Symbol: the character, its byte, its width.
const SYMBOL: [(char, u8, u16); 115] = [
    ('−', 0x2d, 549),
    ('∀', 0x22, 713),
    ('∃', 0x24, 549),
    ('∋', 0x27, 439),
    ('∗', 0x2a, 500),
    ('≅', 0x40, 549),
    ('∴', 0x5c, 863),
    ('⊥', 0x5e, 658),
    ('∼', 0x7e, 549),
    ('′', 0xa2, 247),
    ('≤', 0xa3, 549),
    ('⁄', 0xa4, 167),
    ('∞', 0xa5, 713),
    ('♣', 0xa7, 753),
    ('♦', 0xa8, 753),
    ('♥', 0xa9, 753),
    ('♠', 0xaa, 753),
    ('↔', 0xab, 1042),
    ('←', 0xac, 987),
    ('↑', 0xad, 603),
    ('→', 0xae, 987),
    ('↓', 0xaf, 603),
    ('″', 0xb2, 411),
    ('≥', 0xb3, 549),
    ('∝', 0xb5, 713),
    ('∂', 0xb6, 494),
    ('≠', 0xb9, 549),
    ('≡', 0xba, 549),
    ('≈', 0xbb, 549),
    ('ℵ', 0xc0, 823),
    ('ℑ', 0xc1, 686),
    ('ℜ', 0xc2, 795),
    ('℘', 0xc3, 987),
    ('⊗', 0xc4, 768),
    ('⊕', 0xc5, 768),
    ('∅', 0xc6, 823),
    ('∩', 0xc7, 768),
    ('∪', 0xc8, 768),
    ('⊃', 0xc9, 713),
    ('⊇', 0xca, 713),
    ('⊄', 0xcb, 713),
    ('⊂', 0xcc, 713),
    ('⊆', 0xcd, 713),
    ('∈', 0xce, 713),
    ('∉', 0xcf, 713),
    ('∠', 0xd0, 768),
    ('∇', 0xd1, 713),
    ('∏', 0xd5, 823),
    ('√', 0xd6, 549),
    ('⋅', 0xd7, 250),
    ('∧', 0xd9, 603),
    ('∨', 0xda, 603),
    ('⇔', 0xdb, 1042),
    ('⇐', 0xdc, 987),
    ('⇑', 0xdd, 603),
    ('⇒', 0xde, 987),
    ('⇓', 0xdf, 603),
    ('◊', 0xe0, 494),
    ('⟨', 0xe1, 329),
    ('∑', 0xe5, 713),
    ('⟩', 0xf1, 329),
    ('∫', 0xf2, 274),
    ('Α', 0x41, 722),
    ('Β', 0x42, 667),
    ('Γ', 0x47, 603),
    ('Δ', 0x44, 612),
    ('Ε', 0x45, 611),
    ('Ζ', 0x5a, 611),
    ('Η', 0x48, 722),
    ('Θ', 0x51, 741),
    ('Ι', 0x49, 333),
    ('Κ', 0x4b, 722),
    ('Λ', 0x4c, 686),
    ('Μ', 0x4d, 889),
    ('Ν', 0x4e, 722),
    ('Ξ', 0x58, 645),
    ('Ο', 0x4f, 722),
    ('Π', 0x50, 768),
    ('Ρ', 0x52, 556),
    ('Σ', 0x53, 592),
    ('Τ', 0x54, 611),
    ('Υ', 0x55, 690),
    ('Φ', 0x46, 763),
    ('Χ', 0x43, 722),
    ('Ψ', 0x59, 795),
    ('Ω', 0x57, 768),
    ('α', 0x61, 631),
    ('β', 0x62, 549),
    ('γ', 0x67, 411),
    ('δ', 0x64, 494),
    ('ε', 0x65, 439),
    ('ζ', 0x7a, 494),
    ('η', 0x68, 603),
    ('θ', 0x71, 521),
    ('ι', 0x69, 329),
    ('κ', 0x6b, 549),
    ('λ', 0x6c, 549),
    ('μ', 0x6d, 576),
    ('ν', 0x6e, 521),
    ('ξ', 0x78, 493),
    ('ο', 0x6f, 549),
    ('π', 0x70, 549),
    ('ρ', 0x72, 549),
    ('ς', 0x56, 439),
    ('σ', 0x73, 603),
    ('τ', 0x74, 439),
    ('υ', 0x75, 576),
    ('φ', 0x66, 521),
    ('χ', 0x63, 549),
    ('ψ', 0x79, 686),
    ('ω', 0x77, 686),
    ('ϑ', 0x4a, 631),
    ('ϕ', 0x6a, 603),
    ('ϖ', 0x76, 713),
    ('ϒ', 0xa1, 620),
];

/// Glyphs of Helvetica that WinAnsiEncoding leaves out, by the bytes that [`DIFFERENCES`] gives them: the character, its byte, its width regular and bold.
const BEYOND: [(char, u8, u16, u16); 3] = [('ı', 6, 278, 278), ('Ł', 7, 556, 611), ('ł', 8, 222, 278)];

/// The encoding of those, and of accents, from byte 1 on.
pub(super) const DIFFERENCES: &str = "1 /breve /caron /dotaccent /hungarumlaut /ring /dotlessi /Lslash /lslash /ogonek";

/// Bytes of [`DIFFERENCES`].
pub(super) const IS_BEYOND: std::ops::RangeInclusive<u8> = 1..=9;

/// Accents of Helvetica by their combining characters: the byte, its width, and how high it stands over a small letter.
const ACCENTS: [(char, u8, u16, i32); 15] = [
    ('\u{300}', b'`', 333, 0),
    ('\u{301}', 0xb4, 333, 0),
    ('\u{302}', 0x88, 333, 0),
    ('\u{303}', 0x98, 333, 0),
    ('\u{304}', 0xaf, 333, 0),
    ('\u{306}', 1, 333, 0),
    ('\u{307}', 3, 333, 0),
    ('\u{308}', 0xa8, 333, 0),
    ('\u{30a}', 5, 333, 0),
    ('\u{30b}', 4, 333, 0),
    ('\u{30c}', 2, 333, 0),
    ('\u{323}', b'.', 278, -220),
    ('\u{326}', b',', 278, -200),
    ('\u{327}', 0xb8, 333, 0),
    ('\u{328}', 9, 333, 0),
];

/// What a second accent stands above the first, and one over a capital above one over a small letter.
const ABOVE_ANOTHER: i32 = 180;
const ABOVE_CAPITAL: i32 = 195;

/// The text as runs, and its width in thousandths of the size. Characters that neither font has become question marks: see [`lacks`].
pub(super) fn runs(text: &str, bold: bool) -> (Vec<Run>, u32) {
    let mut runs: Vec<Run> = Vec::new();
    let mut width = 0;
    let mut letter = |found: Glyph, width: &mut u32, back: i32, rise: i32| {
        *width += u32::from(found.width);
        match runs.last_mut() {
            Some(run) if run.symbol == found.symbol && back == 0 && run.rise == rise => run.bytes.push(found.byte),
            _ => runs.push(Run { symbol: found.symbol, bytes: vec![found.byte], back, rise }),
        }
    };
    let mut back = 0;
    for cluster in clusters(text) {
        let Some((own, accents)) = glyphs(&cluster, bold) else {
            letter(UNKNOWN, &mut width, back, 0);
            back = 0;
            continue;
        };
        letter(own, &mut width, back, 0);
        back = 0;
        for (accent, rise) in accents {
            let mut ignored = 0;
            // Its middle over the middle of the letter, and then on from the letter's end.
            let half = |a: u16, b: u16| (i32::from(a) + i32::from(b)) / 2;
            letter(accent, &mut ignored, back + half(own.width, accent.width), rise);
            back = i32::from(accent.width) - half(own.width, accent.width);
        }
    }
    (runs, width)
}

/// A character of one of the two fonts.
#[derive(Clone, Copy)]
struct Glyph {
    symbol: bool,
    byte: u8,
    width: u16,
}

const UNKNOWN: Glyph = Glyph { symbol: false, byte: b'?', width: 556 };

/// The characters of a text that neither font has nor can compose.
pub(super) fn lacks(text: &str) -> Vec<char> {
    if text.is_ascii() {
        return Vec::new();
    }
    let missing = clusters(text).into_iter().filter(|cluster| glyphs(cluster, false).is_none());
    missing.flat_map(|cluster| cluster.chars().collect::<Vec<_>>()).collect()
}

/// A letter and its accents, each with its height.
fn glyphs(cluster: &str, bold: bool) -> Option<(Glyph, Vec<(Glyph, i32)>)> {
    let mut characters = cluster.chars();
    if let (Some(one), None) = (characters.next(), characters.next())
        && let Some(glyph) = glyph(one, bold)
    {
        return Some((glyph, Vec::new()));
    }
    let (letter, accents) = parts(cluster)?;
    if accents.is_empty() || !letter.is_alphabetic() {
        return None;
    }
    let is_above = |accent: &char| !matches!(accent, '\u{323}'..='\u{328}');
    let own = glyph(if letter == 'i' && accents.iter().any(is_above) { 'ı' } else { letter }, bold)?;
    let is_high = letter.is_uppercase() || matches!(letter, 'b' | 'd' | 'f' | 'h' | 'k' | 'l' | 't');
    let mut height = if is_high { ABOVE_CAPITAL } else { 0 };
    let mut found = Vec::new();
    for accent in accents {
        let (_, byte, width, rise) = ACCENTS.iter().find(|(known, ..)| *known == accent)?;
        let glyph = Glyph { symbol: false, byte: *byte, width: *width };
        match is_above(&accent) {
            true => {
                found.push((glyph, height + rise));
                height += ABOVE_ANOTHER;
            }
            false => found.push((glyph, *rise)),
        }
    }
    Some((own, found))
}

fn glyph(character: char, bold: bool) -> Option<Glyph> {
    let text = |byte: u8, width: u16| Some(Glyph { symbol: false, byte, width });
    if let Some((_, byte, width)) = SYMBOL.iter().find(|(sign, _, _)| *sign == character) {
        return Some(Glyph { symbol: true, byte: *byte, width: *width });
    }
    let latin_sets = WIN_ANSI.iter().chain(&BEYOND);
    if let Some((_, byte, regular, heavy)) = latin_sets.into_iter().find(|(sign, ..)| *sign == character) {
        return text(*byte, if bold { *heavy } else { *regular });
    }
    match character {
        ' '..='~' => text(character as u8, ascii(character as u8, bold)),
        // Spaces of any width.
        _ if character.is_whitespace() => text(b' ', 278),
        '\u{a1}'..='\u{ff}' => text(character as u8, latin(character as u8, bold)),
        _ => None,
    }
}

fn ascii(byte: u8, bold: bool) -> u16 {
    let widths = if bold { &BOLD } else { &REGULAR };
    widths.get(usize::from(byte.wrapping_sub(b' '))).copied().unwrap_or(556)
}

/// A letter with an accent is as wide as without; of the signs the widths that differ from a digit's.
fn latin(byte: u8, bold: bool) -> u16 {
    let base = match byte {
        0xc0..=0xc5 => b'A',
        0xc7 => b'C',
        0xc8..=0xcb => b'E',
        0xcc..=0xcf => b'I',
        0xd1 => b'N',
        0xd2..=0xd6 | 0xd8 => b'O',
        0xd9..=0xdc => b'U',
        0xdd => b'Y',
        0xe0..=0xe5 => b'a',
        0xe7 => b'c',
        0xe8..=0xeb => b'e',
        0xec..=0xef => b'i',
        0xf1 => b'n',
        0xf2..=0xf6 | 0xf8 => b'o',
        0xf9..=0xfc => b'u',
        0xfd | 0xff => b'y',
        0xb1 | 0xd7 | 0xf7 | 0xac => b'+',
        0xb7 | 0xa8 | 0xaf | 0xb4 | 0xb8 => b'.',
        0xb0 => return 400,
        0xdf => return 611,
        0xc6 => return 1000,
        0xe6 => return 889,
        0xa9 | 0xae => return 737,
        0xbc..=0xbe => return 834,
        _ => return 556,
    };
    ascii(base, bold)
}

#[cfg(test)]
mod tests {
    use super::*;

    // from fontTools.afmLib import AFM; m = AFM("Helvetica.afm")   # Adobe's Core 14 metrics
    // sum(m[c][1] for c in "Macro-F1 0.735".replace...) by name: M 833 a 556 c 500 r 333 o 556 hyphen 333 F 611 one 556
    // space 278 zero 556 period 278 seven 556 three 556 five 556
    #[test]
    fn widths_are_adobes() {
        assert_eq!(
            runs("Macro-F1 0.735", false).1,
            833 + 556 + 500 + 333 + 556 + 333 + 611 + 556 + 278 + 556 + 278 + 3 * 556
        );
        assert_eq!(runs("Wi", true).1, 944 + 278);
        assert_eq!(runs("éÀ", false).1, 556 + 667);
    }

    #[test]
    fn signs_that_helvetica_lacks_come_from_symbol() {
        let (found, width) = runs("−1 → ≈", false);
        assert_eq!(found.iter().filter(|run| run.symbol).count(), 3);
        assert_eq!(found[0], Run { symbol: true, bytes: vec![0x2d], ..Run::default() });
        assert_eq!(width, 549 + 556 + 278 + 987 + 278 + 549);
    }

    #[test]
    fn letters_are_composed_of_those_and_accents() {
        let run = |symbol: bool, bytes: &[u8], back: i32, rise: i32| Run { symbol, bytes: bytes.to_vec(), back, rise };
        // č is as wide as c, 500; the caron, 333, stands over its middle.
        let (found, width) = runs("ačb", false);
        assert_eq!(found, [run(false, b"ac", 0, 0), run(false, &[2], 416, 0), run(false, b"b", -83, 0)]);
        assert_eq!(width, 556 + 500 + 556);
        assert_eq!(runs("Č", false).0[1].rise, 195);
        // Tonos over alpha of Symbol.
        assert_eq!(runs("ά", false).0, [run(true, b"a", 0, 0), run(false, &[0xb4], 482, 0)]);
        assert_eq!(lacks("Ελλάδα Łódź naïve ế Straße ∑"), []);
        assert_eq!(lacks("北京 a\u{fe0f}"), ['北', '京', '\u{fe0f}']);
    }
}
