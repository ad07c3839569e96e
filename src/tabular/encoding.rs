//! Whether bytes are UTF-8 text; if not, what they seem to be, which lines are affected, and what to do about it.

use super::damage::{Damage, line_feed, lines_with};
use super::dialect::Encoding;
use super::error::{CsvError, Problem};

/// Bytes in which UTF-16 without a byte order mark is looked for.
const PROBE: usize = 1 << 12;

/// How files of other kinds begin, and what to do instead.
const SIGNATURES: [(&[u8], &str, &str); 12] = [
    (b"BZh", "compressed with bzip2", "unpack it first: bunzip2 -k FILE"),
    (b"\xfd7zXZ\0", "compressed with xz", "unpack it first: unxz -k FILE"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first, and name the CSV file in it"),
    (b"PK\x03\x04", "a zip archive", "unpack it first, and name the CSV file in it"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook", "save the sheet as CSV, UTF-8"),
    (b"PAR1", "a Parquet file that is packed once more", "unpack it first"),
    (b"ARROW1\0\0", "an Arrow file that is packed once more", "unpack it first"),
    (b"FEA1", "a Feather file of the first version", "write it anew, e.g. `pandas.read_feather(FILE).to_parquet(NEW)`"),
    (b"SQLite format 3\0", "an SQLite database", "export the table: sqlite3 -header -csv FILE 'select * from TABLE'"),
    (b"%PDF-", "a PDF", "save the table as CSV, UTF-8"),
    (b"<!DOCTYPE", "a page of HTML", "was it fetched from the address of a page instead of the file's own?"),
    (b"<html", "a page of HTML", "was it fetched from the address of a page instead of the file's own?"),
];

/// Refuses files of other kinds by how they begin.
pub(super) fn check_signature(path: &str, bytes: &[u8]) -> Result<(), CsvError> {
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
            Some(encoding) => CsvError::file(path, Problem::Utf16(encoding)),
            None => at(path, bytes, offset, Problem::NulByte(lines_with(bytes, 0))),
        });
    }
    std::str::from_utf8(bytes).map_err(|error| {
        let offset = error.valid_up_to();
        at(path, bytes, offset, Problem::NotUtf8(Damage::of(bytes, bytes[offset])))
    })
}

/// The name of the encoding, if every other byte is NUL for the most part.
pub(super) fn utf16(bytes: &[u8]) -> Option<Encoding> {
    let probe = &bytes[..bytes.len().min(PROBE)];
    let zeros = |parity: usize| probe.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    match () {
        () if odd * 4 > probe.len() && even * 8 < odd => Some(Encoding::UTF_16LE),
        () if even * 4 > probe.len() && odd * 8 < even => Some(Encoding::UTF_16BE),
        () => None,
    }
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
