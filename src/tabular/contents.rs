//! What a file holds, as UTF-8 text, whatever it is packed, encoded or laid out as.

use std::borrow::Cow;
use std::io::{Read, Seek, SeekFrom};

use super::columnar::{self, Cells, Format};
use super::decode::decoded;
use super::dialect::Dialect;
use super::error::{Cancelled, CsvError, Problem};
use super::extent::Extent;
use super::unpack::{is_packed, unpacked};

/// The text of a file, and how it is to be taken apart.
pub(super) struct Contents<'b> {
    pub(crate) text: Cow<'b, [u8]>,
    pub(crate) dialect: Dialect,
    /// Of a file of columns: its format, and which cells hold nothing.
    pub(crate) cells: Option<Cells>,
    pub(crate) note: Option<String>,
}

impl Contents<'_> {
    /// Whether a file that begins so is text of one byte order as it stands: neither packed, nor in another encoding, nor a file of columns.
    pub(crate) fn is_plain(start: &[u8], dialect: &Dialect) -> bool {
        let utf8 = encoding_rs::UTF_8;
        let is_utf8 = dialect.encoding.is_none_or(|encoding| encoding.inner() == utf8)
            && encoding_rs::Encoding::for_bom(start).is_none_or(|(marked, _)| marked == utf8);
        // Lines that end in `\r` alone are told from others by the whole file.
        let has_lines = start.contains(&b'\n') || !start.contains(&b'\r');
        is_utf8 && has_lines && Format::of(start).is_none() && !is_packed(start)
    }
}

impl<'b> Contents<'b> {
    pub(crate) fn read(path: &str, bytes: &'b [u8], dialect: &Dialect, cancelled: Cancelled) -> Result<Self, CsvError> {
        if let Some(format) = Format::of(bytes) {
            refuse_names(path, format, dialect)?;
            let own = dialect.of_columns();
            let (text, cells) = columnar::read(path, bytes, format, &own, cancelled)?;
            return Ok(Contents { text: Cow::Owned(text), dialect: own, cells: Some(cells), note: None });
        }
        Contents::of_text(path, bytes, dialect, Extent::Whole, cancelled)
    }

    pub(crate) fn of_text(
        path: &str,
        bytes: &'b [u8],
        dialect: &Dialect,
        extent: Extent,
        cancelled: Cancelled,
    ) -> Result<Self, CsvError> {
        let of = |bytes: &[u8]| -> Result<(Option<Vec<u8>>, Option<String>), CsvError> {
            let (text, note) = decoded(path, bytes, dialect.encoding, extent)?;
            Ok((if let Cow::Owned(text) = text { Some(text) } else { None }, note))
        };
        let (text, note) = match unpacked(path, bytes, extent, cancelled)? {
            Cow::Borrowed(bytes) => decoded(path, bytes, dialect.encoding, extent)?,
            Cow::Owned(bytes) => {
                let (text, note) = of(&bytes)?;
                (Cow::Owned(text.unwrap_or(bytes)), note)
            }
        };
        Ok(Contents { text, dialect: dialect.clone(), cells: None, note })
    }
}

/// What stands at the start of a file, or which columns it announces.
pub(super) enum Beginning {
    /// So many bytes at most.
    Text(Vec<u8>),
    Columns(Vec<String>),
}

impl Beginning {
    pub(crate) fn read(
        path: &str,
        mut reader: impl Read + Seek,
        dialect: &Dialect,
        most: usize,
    ) -> Result<Self, CsvError> {
        let unreadable = |error: std::io::Error| CsvError::file(path, Problem::Unreadable(error.to_string()));
        let mut bytes = Vec::new();
        reader.by_ref().take(most as u64).read_to_end(&mut bytes).map_err(unreadable)?;
        let Some(format) = Format::of(&bytes) else { return Ok(Beginning::Text(bytes)) };
        refuse_names(path, format, dialect)?;
        reader.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        Ok(Beginning::Columns(columnar::names(path, &mut reader, format)?))
    }
}

/// A file of columns has a name for each.
fn refuse_names(path: &str, format: Format, dialect: &Dialect) -> Result<(), CsvError> {
    let is_named = dialect.header && dialect.names.is_empty();
    if is_named { Ok(()) } else { Err(CsvError::file(path, Problem::NamesItsColumns(format.name()))) }
}
