//! Bytes of any encoding to UTF-8.

use std::borrow::Cow;

use encoding_rs::{DecoderResult, UTF_8, UTF_16BE, UTF_16LE};

use super::dialect::Encoding;
use super::encoding::utf16;
use super::error::{CsvError, Problem};
use super::extent::Extent;

/// Bytes beyond ASCII that are valid UTF-8, and yet are to be read in another encoding, are told of from the start of a file.
const LOOKED_AT: usize = 1 << 20;

/// The text, with what is worth telling of how it is read. That of UTF-8 is not looked at here.
pub(super) fn decoded<'b>(
    path: &str,
    bytes: &'b [u8],
    asked: Option<Encoding>,
    extent: Extent,
) -> Result<(Cow<'b, [u8]>, Option<String>), CsvError> {
    if bytes.starts_with(b"\xff\xfe\0\0") || bytes.starts_with(b"\0\0\xfe\xff") {
        return Err(CsvError::file(path, Problem::Utf32));
    }
    let kin = |encoding: &'static encoding_rs::Encoding| encoding == UTF_16LE || encoding == UTF_16BE;
    let asked = asked.map(Encoding::inner);
    let (encoding, mark, note) = match (encoding_rs::Encoding::for_bom(bytes), asked) {
        (Some((marked, mark)), Some(asked)) => {
            let is_as_asked = marked == asked || kin(marked) && kin(asked);
            let note = (!is_as_asked).then(|| {
                format!(
                    "{path}: read as {}, as its byte-order mark says, although `encoding` says {}",
                    marked.name(),
                    asked.name()
                )
            });
            (marked, mark, note)
        }
        (Some((marked, mark)), None) if marked != UTF_8 => {
            (marked, mark, Some(format!("{path}: read as {}, as its byte-order mark says", marked.name())))
        }
        (Some((marked, mark)), None) => (marked, mark, None),
        (None, asked) => {
            let encoding = asked.unwrap_or(UTF_8);
            (encoding, 0, asked.and_then(|asked| doubt(path, bytes, asked)))
        }
    };
    if encoding == UTF_8 {
        return Ok((Cow::Borrowed(bytes), note));
    }
    let text = decode(path, &bytes[mark..], encoding, extent)?;
    Ok((Cow::Owned(text), note))
}

/// What to say of a file that is UTF-8 by all signs, and is to be read as something else.
fn doubt(path: &str, bytes: &[u8], asked: &'static encoding_rs::Encoding) -> Option<String> {
    let start = &bytes[..bytes.len().min(LOOKED_AT)];
    let is_wide = asked == UTF_16LE || asked == UTF_16BE;
    let is_utf8 = match std::str::from_utf8(start) {
        Ok(_) => true,
        Err(error) => start.len() < bytes.len() && error.error_len().is_none(),
    };
    let counts = if is_wide { utf16(start).is_none() && !start.contains(&0) } else { !start.is_ascii() };
    (asked != UTF_8 && is_utf8 && counts).then(|| {
        format!(
            "{path}: the file is valid UTF-8, but read as {}, as `encoding` says (leave `encoding` out if letters come out wrong)",
            asked.name()
        )
    })
}

fn decode(
    path: &str,
    bytes: &[u8],
    encoding: &'static encoding_rs::Encoding,
    extent: Extent,
) -> Result<Vec<u8>, CsvError> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 4 + 16);
    let mut at = 0;
    loop {
        let (result, read) =
            decoder.decode_to_string_without_replacement(&bytes[at..], &mut text, extent == Extent::Whole);
        at += read;
        match result {
            DecoderResult::InputEmpty => return Ok(text.into_bytes()),
            DecoderResult::OutputFull => text.reserve(bytes.len() - at + 64),
            DecoderResult::Malformed(bad, after) => {
                let first = at.saturating_sub(usize::from(bad) + usize::from(after));
                let is_cut =
                    at == bytes.len() && after == 0 && bytes.len() - first < 4 && is_begun(encoding, &bytes[first..]);
                let problem = Problem::NotInEncoding { encoding: encoding.name(), byte: bytes[first], is_cut };
                return Err(super::encoding::at(path, text.as_bytes(), text.len(), problem));
            }
        }
    }
}

/// Whether more bytes would make a character of these.
fn is_begun(encoding: &'static encoding_rs::Encoding, bytes: &[u8]) -> bool {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(16);
    matches!(decoder.decode_to_string_without_replacement(bytes, &mut text, false).0, DecoderResult::InputEmpty)
}
