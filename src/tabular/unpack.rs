//! Files packed with gzip or zstd, told by how they begin, unpacked within bounds.

use std::borrow::Cow;
use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use runner_boundary::contained::contained;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use super::error::{Cancelled, CsvError, Problem, go_on};
use super::extent::Extent;

/// What is unpacked at a time, between two looks at whether to stop.
const STEP: usize = 1 << 20;

/// As much as the table of a `load` stage takes.
const MOST: usize = i32::MAX as usize;

/// Up to so many bytes a file may unpack to whatever it has itself; beyond, to at most [`RATIO`] times its size. Tables that people have shrink to a hundredth at best.
const FREE: usize = 1 << 28;
const RATIO: usize = 250;

/// How a file is packed.
#[derive(Clone, Copy, PartialEq)]
enum Packed {
    Gzip,
    Zstd,
}

impl Packed {
    fn of(bytes: &[u8]) -> Option<Self> {
        const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
        match bytes {
            [0x1f, 0x8b, ..] => Some(Packed::Gzip),
            // A frame to skip may stand before the first, as `pzstd` writes it.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Packed::Zstd),
            _ if bytes.starts_with(&ZSTD) => Some(Packed::Zstd),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Packed::Gzip => "gzip",
            Packed::Zstd => "zstd",
        }
    }
}

/// Whether a file is packed.
pub(super) fn is_packed(bytes: &[u8]) -> bool {
    Packed::of(bytes).is_some()
}

/// What the bytes hold: the same where they are not packed. Of the start of a file as much as can be had.
pub(super) fn unpacked<'b>(
    path: &str,
    bytes: &'b [u8],
    extent: Extent,
    cancelled: Cancelled,
) -> Result<Cow<'b, [u8]>, CsvError> {
    let Some(packed) = Packed::of(bytes) else { return Ok(Cow::Borrowed(bytes)) };
    let most = match extent {
        Extent::Start(most) => most,
        Extent::Whole => MOST.min(FREE.max(bytes.len().saturating_mul(RATIO))),
    };
    let mut reader: Box<dyn Read + '_> = match packed {
        Packed::Gzip => Box::new(MultiGzDecoder::new(bytes)),
        Packed::Zstd => Box::new(Frames { rest: bytes, frame: None }),
    };
    let mut found = Vec::new();
    loop {
        go_on(cancelled)?;
        // One more than is taken tells whether there is more.
        let room = (most + 1 - found.len()).min(STEP) as u64;
        let read = contained(|| reader.by_ref().take(room).read_to_end(&mut found));
        let read = read.unwrap_or_else(|panic| Err(io::Error::other(panic)));
        match read {
            Ok(0) => return Ok(Cow::Owned(found)),
            Ok(_) if found.len() <= most => {}
            Ok(_) if extent == Extent::Whole => {
                let problem = Problem::UnpacksToMuch { packed: packed.name(), bytes: bytes.len(), most };
                return Err(CsvError::file(path, problem));
            }
            Ok(_) => {
                found.truncate(most);
                return Ok(Cow::Owned(found));
            }
            // What is packed in the rest is not known here.
            Err(_) if extent != Extent::Whole && !found.is_empty() => return Ok(Cow::Owned(found)),
            Err(error) => {
                let (packed, why) = (packed.name(), error.to_string());
                return Err(CsvError::file(path, Problem::Packed { packed, why }));
            }
        }
    }
}

/// The frames of zstd, one after the other; those to skip are skipped.
struct Frames<'b> {
    rest: &'b [u8],
    frame: Option<StreamingDecoder<&'b [u8], FrameDecoder>>,
}

impl Read for Frames<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(frame) = &mut self.frame {
                let count = frame.read(buffer)?;
                if count > 0 || buffer.is_empty() {
                    return Ok(count);
                }
                let written = frame.decoder.get_checksum_from_data();
                if written.is_some() && written != frame.decoder.get_calculated_checksum() {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "its checksum is another"));
                }
                self.rest = frame.get_ref();
                self.frame = None;
            }
            match self.rest {
                [] => return Ok(0),
                // A frame to skip: its magic word, its length and as many bytes.
                [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, ..] => {
                    let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
                    self.rest = self.rest.get(8 + length..).ok_or(io::ErrorKind::UnexpectedEof)?;
                }
                rest => self.frame = Some(StreamingDecoder::new(rest).map_err(io::Error::other)?),
            }
        }
    }
}
