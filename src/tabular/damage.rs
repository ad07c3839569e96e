//! Bytes that are not valid UTF-8: in which lines, and what they may be instead.

use std::fmt;

use unicode_normalization::char::is_combining_mark;

use super::dialect::Encoding;

/// Lines that a message lists.
const LISTED: usize = 5;

/// Where and how text is not UTF-8.
#[derive(Clone, Debug, PartialEq)]
pub struct Damage {
    /// The first byte that is no UTF-8.
    byte: u8,
    bad: Lines,
    /// Lines with a character beyond ASCII that is meant as UTF-8, bad ones included.
    sound: Lines,
    /// `None` of a part of a file.
    lines: Option<usize>,
    likely: Likely,
}

/// Numbers of lines, of which a message lists the first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    first: Vec<u64>,
    count: usize,
}

/// What the bytes that are no UTF-8 would be.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Likely {
    /// Without bytes 0x80 to 0x9f; Windows-1252 has the same characters there.
    Latin1,
    Windows1252,
    /// Runs of high bytes, or bytes that Windows-1252 does not have.
    Other,
}

impl Damage {
    /// How many lines are no UTF-8, e.g. `Of 10 lines 9 are no UTF-8`.
    pub(super) fn extent(&self) -> String {
        let verb = if self.bad.count == 1 { "is" } else { "are" };
        format!("Of {} lines {} {verb} no UTF-8", self.lines.unwrap_or_default(), self.bad.count)
    }

    /// What is no UTF-8, and where.
    pub(super) fn place(&self) -> String {
        let Damage { byte, bad, lines, .. } = self;
        match lines {
            Some(lines) => {
                format!("byte 0x{byte:02x} is not valid UTF-8; of {lines} lines {} not: {bad}", are(bad.count))
            }
            None if bad.count == 1 => format!("byte 0x{byte:02x} is not valid UTF-8"),
            None => format!("byte 0x{byte:02x} is not valid UTF-8; nor are {bad}"),
        }
    }

    /// The same of a part of a file.
    pub(super) fn behind(self, gap: Gap) -> Damage {
        Damage { bad: self.bad.behind(gap), sound: self.sound.behind(gap), lines: None, ..self }
    }

    /// The encoding that the whole file has by all signs.
    pub fn encoding(&self) -> Option<Encoding> {
        (self.likely != Likely::Other && self.sound.count == 0).then_some(Encoding::WINDOWS_1252)
    }

    pub(super) fn of(bytes: &[u8], byte: u8) -> Self {
        let line_feed = line_feed(bytes);
        let (mut bad, mut sound, mut lines) = (Lines::default(), Lines::default(), 0);
        let mut seen = HighBytes::default();
        for line in bytes.split(|byte| *byte == line_feed) {
            lines += 1;
            if line.is_ascii() {
                continue;
            }
            seen.is_after_high = false;
            let is_bad = std::str::from_utf8(line).is_err();
            if is_bad {
                bad.push(lines as u64);
                seen.letters += line.iter().filter(|byte| byte.is_ascii_alphabetic()).count();
            }
            let mut is_sound = false;
            for chunk in line.utf8_chunks() {
                is_sound |= add_characters(chunk.valid(), &mut seen);
                chunk.invalid().iter().for_each(|byte| seen.add(*byte));
            }
            if is_sound {
                sound.push(lines as u64);
            }
        }
        // A line that ends the file is no further line.
        lines -= usize::from(bytes.ends_with(&[line_feed]));
        let likely = seen.likely();
        Damage { byte, bad, sound, lines: Some(lines), likely }
    }
}

/// The bytes beyond ASCII that are no UTF-8, or are by chance.
#[derive(Default)]
struct HighBytes {
    count: usize,
    /// Those next to another one.
    beside: usize,
    /// ASCII letters in their lines.
    letters: usize,
    is_after_high: bool,
    has_windows: bool,
    has_undefined: bool,
}

impl HighBytes {
    fn add(&mut self, byte: u8) {
        self.count += 1;
        self.beside += usize::from(std::mem::replace(&mut self.is_after_high, true));
        self.has_windows |= (0x80..0xa0).contains(&byte);
        self.has_undefined |= [0x81, 0x8d, 0x8f, 0x90, 0x9d].contains(&byte);
    }

    fn likely(&self) -> Likely {
        // Languages that Windows-1252 is for have few letters beyond ASCII, though two may stand side by side.
        let are_runs = self.beside * 2 > self.count && self.count * 4 > self.letters;
        match () {
            () if self.has_undefined || are_runs => Likely::Other,
            () if self.has_windows => Likely::Windows1252,
            () => Likely::Latin1,
        }
    }
}

/// Whether some of these characters beyond ASCII are meant; bytes of the others are counted with those that are no UTF-8.
fn add_characters(text: &str, seen: &mut HighBytes) -> bool {
    let mut has_meant = false;
    let (mut before, mut characters) = (None, text.chars().peekable());
    while let Some(character) = characters.next() {
        if character.is_ascii() {
            seen.is_after_high = false;
        } else if is_meant(character, before, characters.peek().copied()) {
            (has_meant, seen.is_after_high) = (true, false);
        } else {
            character.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| seen.add(byte));
        }
        before = Some(character);
    }
    has_meant
}

/// Whether a character is more likely meant than two bytes of another encoding that happen to be UTF-8: as `Ì¼` in Windows-1252 are a combining mark. Latin
/// letters are, marks on a letter, and those of other scripts beside their like; three bytes are hardly ever UTF-8 by chance.
fn is_meant(character: char, before: Option<char>, after: Option<char>) -> bool {
    let is_beside = |other: Option<char>, fits: fn(char) -> bool| other.is_some_and(fits);
    match character {
        '\u{a0}'..='\u{17f}' | '\u{800}'.. => true,
        mark if is_combining_mark(mark) => is_beside(before, char::is_alphabetic),
        _ => [before, after]
            .into_iter()
            .any(|other| is_beside(other, |other| !other.is_ascii() && !is_combining_mark(other))),
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Damage { bad, sound, likely, .. } = self;
        f.write_str(&self.place())?;
        if sound.count >= bad.count {
            return write!(
                f,
                " (correct {}; {} {} characters beyond ASCII in valid UTF-8, which converting the whole file would spoil)",
                if bad.count == 1 { "it" } else { "these" },
                sound.count,
                if sound.count == 1 { "line has" } else { "lines have" },
            );
        }
        f.write_str(" (")?;
        if bad.count <= LISTED {
            f.write_str(if bad.count == 1 { "correct it; or, " } else { "correct them; or, " })?;
        }
        match likely {
            Likely::Latin1 => {
                f.write_str("if the file is Latin-1 or Windows-1252, write `encoding: windows-1252`")?;
            }
            Likely::Windows1252 => f.write_str("if the file is Windows-1252, write `encoding: windows-1252`")?,
            Likely::Other => f.write_str(
                "find the file's encoding, e.g. in the program that wrote it, and write it, e.g. `encoding: windows-1251` or `encoding: shift_jis`",
            )?,
        }
        if sound.count > 0 {
            let verb = if sound.count == 1 { "has" } else { "have" };
            write!(
                f,
                "; but {sound} {verb} characters that are UTF-8 already, which that would spoil: keep them as they are"
            )?;
        }
        f.write_str(")")
    }
}

fn are(count: usize) -> String {
    format!("{count} {}", if count == 1 { "is" } else { "are" })
}

/// Lines of a file that a part of it leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Gap {
    /// The line of the part behind which they lie: that of its header; 0 where it has none.
    pub(super) after: u64,
    /// How many.
    pub(super) lines: u64,
}

impl Gap {
    /// The file's number of a line of the part.
    pub(super) fn line(self, line: u64) -> u64 {
        if line > self.after { line + self.lines } else { line }
    }
}

impl Lines {
    /// The same by the numbers of the file.
    pub(super) fn behind(mut self, gap: Gap) -> Lines {
        self.first.iter_mut().for_each(|line| *line = gap.line(*line));
        self
    }

    fn push(&mut self, line: u64) {
        self.count += 1;
        if self.first.len() < LISTED {
            self.first.push(line);
        }
    }
}

impl fmt::Display for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first: Vec<String> = self.first.iter().map(u64::to_string).collect();
        write!(f, "line{} {}", if self.count == 1 { "" } else { "s" }, first.join(", "))?;
        match self.count - self.first.len() {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

pub(super) fn lines_with(bytes: &[u8], wanted: u8) -> Lines {
    let line_feed = line_feed(bytes);
    let mut lines = Lines::default();
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == line_feed)) {
        if line.contains(&wanted) {
            lines.push(number);
        }
    }
    lines
}

/// The byte that ends a line: `\r` in files that have no `\n` at all.
pub(super) fn line_feed(bytes: &[u8]) -> u8 {
    if bytes.contains(&b'\n') { b'\n' } else { b'\r' }
}
