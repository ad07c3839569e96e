//! The two fonts that every PDF reader has and that our PDF figures use: Helvetica for text, Symbol for a few signs.
//!
//! Widths are Adobe's (Core 14 AFM files), in thousandths of the size.

/// A run of bytes in one of the two fonts.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Run {
    pub symbol: bool,
    pub bytes: Vec<u8>,
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
const WIN_ANSI: [(char, u8, u16, u16); 16] = [
    ('€', 0x80, 556, 556),
    ('…', 0x85, 1000, 1000),
    ('Š', 0x8a, 667, 667),
    ('Œ', 0x8c, 1000, 1000),
    ('‘', 0x91, 222, 278),
    ('’', 0x92, 222, 278),
    ('“', 0x93, 333, 500),
    ('”', 0x94, 333, 500),
    ('•', 0x95, 350, 350),
    ('–', 0x96, 556, 556),
    ('—', 0x97, 1000, 1000),
    ('š', 0x9a, 500, 556),
    ('œ', 0x9c, 944, 944),
    ('Ÿ', 0x9f, 667, 667),
    // Marks of a legend: the nearest that there are.
    ('●', 0x95, 350, 350),
    ('○', b'o', 556, 611),
];

/// Signs of the font Symbol: the character, its byte, its width.
const SYMBOL: [(char, u8, u16); 12] = [
    ('−', 0x2d, 549),
    ('≤', 0xa3, 549),
    ('∞', 0xa5, 713),
    ('←', 0xac, 987),
    ('↑', 0xad, 603),
    ('→', 0xae, 987),
    ('↓', 0xaf, 603),
    ('≥', 0xb3, 549),
    ('≠', 0xb9, 549),
    ('≈', 0xbb, 549),
    ('⋅', 0xd7, 250),
    ('η', 0x68, 603),
];

/// The text as runs, and its width in thousandths of the size. Characters that neither font has become question marks.
pub(super) fn runs(text: &str, bold: bool) -> (Vec<Run>, u32) {
    let mut runs: Vec<Run> = Vec::new();
    let mut width = 0;
    for character in text.chars() {
        let (symbol, byte, advance) = glyph(character, bold);
        width += u32::from(advance);
        match runs.last_mut() {
            Some(run) if run.symbol == symbol => run.bytes.push(byte),
            _ => runs.push(Run { symbol, bytes: vec![byte] }),
        }
    }
    (runs, width)
}

fn glyph(character: char, bold: bool) -> (bool, u8, u16) {
    if let Some((_, byte, width)) = SYMBOL.iter().find(|(sign, _, _)| *sign == character) {
        return (true, *byte, *width);
    }
    if let Some((_, byte, regular, heavy)) = WIN_ANSI.iter().find(|(sign, ..)| *sign == character) {
        return (false, *byte, if bold { *heavy } else { *regular });
    }
    match character {
        ' '..='~' => (false, character as u8, ascii(character as u8, bold)),
        // Spaces of any width that do not break.
        '\u{a0}' | '\u{202f}' | '\u{2009}' => (false, b' ', 278),
        '\u{a1}'..='\u{ff}' => (false, character as u8, latin(character as u8, bold)),
        _ => (false, b'?', ascii(b'?', bold)),
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
        assert_eq!(found[0], Run { symbol: true, bytes: vec![0x2d] });
        assert_eq!(width, 549 + 556 + 278 + 987 + 278 + 549);
        assert_eq!(runs("日", false).0, [Run { symbol: false, bytes: vec![b'?'] }]);
    }
}
