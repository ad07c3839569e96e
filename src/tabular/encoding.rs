//! Whether bytes are UTF-8 text; if not, what they seem to be, which lines are affected, and what to do about it.

use std::fmt;

use super::error::{CsvError, Problem};

/// Lines that a message lists.
const LISTED: usize = 5;

/// Bytes in which UTF-16 without a byte order mark is looked for.
const PROBE: usize = 1 << 12;

/// How files of other kinds begin, and what to do instead.
const SIGNATURES: [(&[u8], &str, &str); 13] = [
    (b"\x1f\x8b", "compressed with gzip", "unpack it first: gunzip -k FILE"),
    (b"BZh", "compressed with bzip2", "unpack it first: bunzip2 -k FILE"),
    (b"\xfd7zXZ\0", "compressed with xz", "unpack it first: unxz -k FILE"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it first: unzstd FILE"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first, and name the CSV file in it"),
    (b"PK\x03\x04", "a zip archive", "unpack it first, and name the CSV file in it"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook", "save the sheet as CSV, UTF-8"),
    (b"PAR1", "a Parquet file", "write it as CSV, e.g. `pandas.read_parquet(FILE).to_csv(NEW, index=False)`"),
    (b"ARROW1\0\0", "an Arrow file", "write it as CSV, e.g. `pandas.read_feather(FILE).to_csv(NEW, index=False)`"),
    (b"SQLite format 3\0", "an SQLite database", "export the table: sqlite3 -header -csv FILE 'select * from TABLE'"),
    (b"%PDF-", "a PDF", "save the table as CSV, UTF-8"),
    (b"<!DOCTYPE", "a page of HTML", "was it fetched from the address of a page instead of the file's own?"),
    (b"<html", "a page of HTML", "was it fetched from the address of a page instead of the file's own?"),
];

/// Numbers of lines, of which a message lists the first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    first: Vec<u64>,
    count: usize,
}

/// Where and how text is not UTF-8.
#[derive(Clone, Debug, PartialEq)]
pub struct Damage {
    /// The first byte that is no UTF-8.
    byte: u8,
    bad: Lines,
    /// Lines with a character beyond ASCII in valid UTF-8, bad ones included.
    sound: usize,
    lines: usize,
    likely: Likely,
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

/// Refuses files of other kinds by how they begin.
pub(super) fn check_signature(path: &str, bytes: &[u8]) -> Result<(), CsvError> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(CsvError::file(path, Problem::Utf16("UTF-16")));
    }
    let begins = |signature: &[u8]| bytes.get(..signature.len()).is_some_and(|b| b.eq_ignore_ascii_case(signature));
    let Some((signature, kind, remedy)) = SIGNATURES.iter().find(|(signature, ..)| begins(signature)) else {
        return Ok(());
    };
    let is_binary = signature.iter().any(|byte| !byte.is_ascii() || byte.is_ascii_control());
    let is_workbook = contains(&bytes[..bytes.len().min(PROBE)], b"xl/");
    let (kind, remedy) = match *kind {
        "a zip archive" if is_workbook => ("an Excel workbook", "save the sheet as CSV, UTF-8"),
        // A column may well be called "PAR1" or "BZh…".
        _ if !is_binary && !signature.starts_with(b"<") && !bytes.contains(&0) => return Ok(()),
        kind => (kind, *remedy),
    };
    Err(CsvError::file(path, Problem::OtherKind { kind, remedy }))
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// `bytes` as text; else what is wrong, at its first place.
pub(super) fn check_text<'a>(path: &str, bytes: &'a [u8]) -> Result<&'a str, CsvError> {
    // `contains` is vectorised, `position` is not.
    if bytes.contains(&0)
        && let Some(offset) = bytes.iter().position(|b| *b == 0)
    {
        return Err(match utf16(bytes) {
            Some(name) => CsvError::file(path, Problem::Utf16(name)),
            None => at(path, bytes, offset, Problem::NulByte(lines_with(bytes, 0))),
        });
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let offset = error.valid_up_to();
        at(path, bytes, offset, Problem::NotUtf8(Damage::of(bytes, bytes[offset])))
    })
}

/// The name of the encoding, if every other byte is NUL for the most part.
fn utf16(bytes: &[u8]) -> Option<&'static str> {
    let probe = &bytes[..bytes.len().min(PROBE)];
    let zeros = |parity: usize| probe.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    match () {
        () if odd * 4 > probe.len() && even * 8 < odd => Some("UTF-16LE"),
        () if even * 4 > probe.len() && odd * 8 < even => Some("UTF-16BE"),
        () => None,
    }
}

fn lines_with(bytes: &[u8], wanted: u8) -> Lines {
    let line_feed = line_feed(bytes);
    let mut lines = Lines::default();
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == line_feed)) {
        if line.contains(&wanted) {
            lines.push(number);
        }
    }
    lines
}

impl Damage {
    fn of(bytes: &[u8], byte: u8) -> Self {
        let line_feed = line_feed(bytes);
        let (mut bad, mut sound, mut lines) = (Lines::default(), 0, 0);
        let (mut high, mut beside, mut windows, mut undefined) = (0usize, 0usize, false, false);
        for line in bytes.split(|byte| *byte == line_feed) {
            lines += 1;
            if line.is_ascii() {
                continue;
            }
            if std::str::from_utf8(line).is_ok() {
                sound += 1;
                continue;
            }
            bad.push(lines as u64);
            let mut is_sound = false;
            for chunk in line.utf8_chunks() {
                is_sound |= !chunk.valid().is_ascii();
                beside += usize::from(chunk.valid().is_empty() && !chunk.invalid().is_empty());
                high += chunk.invalid().len();
                beside += chunk.invalid().len().saturating_sub(1);
                for byte in chunk.invalid() {
                    windows |= (0x80..0xa0).contains(byte);
                    undefined |= [0x81, 0x8d, 0x8f, 0x90, 0x9d].contains(byte);
                }
            }
            sound += usize::from(is_sound);
        }
        // A line that ends the file is no further line.
        lines -= usize::from(bytes.ends_with(&[line_feed]));
        let likely = match () {
            () if undefined || beside * 2 > high => Likely::Other,
            () if windows => Likely::Windows1252,
            () => Likely::Latin1,
        };
        Damage { byte, bad, sound, lines, likely }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Damage { byte, bad, sound, lines, likely } = self;
        write!(f, "byte 0x{byte:02x} is not valid UTF-8; of {lines} lines {} not: {bad}", are(bad.count))?;
        if *sound >= bad.count {
            return write!(
                f,
                " (correct {}; {sound} {} characters beyond ASCII in valid UTF-8, which converting the whole file would spoil)",
                if bad.count == 1 { "it" } else { "these" },
                if *sound == 1 { "line has" } else { "lines have" },
            );
        }
        f.write_str(" (")?;
        if bad.count <= LISTED {
            f.write_str(if bad.count == 1 { "correct it; or, " } else { "correct them; or, " })?;
        }
        match likely {
            Likely::Latin1 => f.write_str("if the file is Latin-1 or Windows-1252: `iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW`")?,
            Likely::Windows1252 => f.write_str("if the file is Windows-1252: `iconv -f WINDOWS-1252 -t UTF-8 OLD > NEW`")?,
            Likely::Other => f.write_str(
                "find the file's encoding, e.g. in the program that wrote it, and convert it: `iconv -f ENCODING -t UTF-8 OLD > NEW`",
            )?,
        }
        if *sound > 0 {
            write!(f, "; but characters of {sound} of the lines are UTF-8 already and would be spoilt by that")?;
        }
        f.write_str(")")
    }
}

fn are(count: usize) -> String {
    format!("{count} {}", if count == 1 { "is" } else { "are" })
}

impl Lines {
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

/// The byte that ends a line: `\r` in files that have no `\n` at all.
pub(super) fn line_feed(bytes: &[u8]) -> u8 {
    if bytes.contains(&b'\n') { b'\n' } else { b'\r' }
}

/// A problem at a byte, as line and character.
pub(super) fn at(path: &str, bytes: &[u8], offset: usize, problem: Problem) -> CsvError {
    let before = &bytes[..offset];
    let line_feed = line_feed(bytes);
    let line = 1 + before.iter().filter(|b| **b == line_feed).count() as u64;
    let line_start = before.iter().rposition(|b| *b == line_feed).map_or(0, |last| last + 1);
    let column = String::from_utf8_lossy(&before[line_start..]).trim_start_matches('\u{feff}').chars().count() as u64;
    CsvError { column: Some(column + 1), ..CsvError::line(path, line, problem) }
}
