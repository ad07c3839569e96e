//! Arrow IPC files that others wrote, read without trust in what they announce.
//!
//! Arrow's decoder checks values (offsets, UTF-8, dictionary keys), yet asserts that a buffer lies within its batch, and allocates what a footer
//! announces. So all that is announced is held against the bytes that are there before the decoder sees it. What it asserts all the same is
//! contained, and becomes an error like any other.

use std::collections::BTreeSet;
use std::io::{Read, Seek, SeekFrom};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::convert::try_fb_to_schema;
use arrow::ipc::reader::{FileDecoder, read_footer_length};
use arrow::ipc::{Block, CompressionType, MetadataVersion, RecordBatch as Announced, root_as_footer, root_as_message};

use super::error::TableError;
use super::table::Table;
use runner_boundary::contained::contained;

/// The footer's length and the magic word that end an Arrow file.
const TRAILER: u64 = 10;

/// What packed buffers of a file may unpack to.
const LARGEST: u64 = 2 << 30;

/// LZ4 makes nothing smaller than a 255th.
const LARGEST_RATIO: u64 = 255;

/// Whether buffers may be packed: an artifact's are not, so that readers can map it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Packing {
    None,
    Lz4,
}

/// What the footer of a file announces; all of it lies within the file.
pub(super) struct Footer {
    pub(crate) schema: SchemaRef,
    pub(crate) version: MetadataVersion,
    dictionaries: Vec<Block>,
    pub(crate) batches: Vec<Block>,
}

/// The length of the footer of a file of `end` bytes that ends in `trailer`.
fn footer_length(trailer: [u8; TRAILER as usize], end: u64) -> Result<usize, ArrowError> {
    let length = contained(|| read_footer_length(trailer)).map_err(damaged)??;
    match end.checked_sub(TRAILER) {
        Some(most) if length as u64 <= most => Ok(length),
        _ => Err(damaged(format!("a footer of {length} bytes in a file of {end}"))),
    }
}

impl Footer {
    /// Reads the footer of a file, and nothing else of it.
    pub(crate) fn read(file: &mut (impl Read + Seek)) -> Result<Self, ArrowError> {
        let end = file.seek(SeekFrom::End(0))?;
        let mut last = |length: usize, before: u64| -> Result<Vec<u8>, ArrowError> {
            let at = end.checked_sub(before + length as u64).ok_or_else(too_short)?;
            file.seek(SeekFrom::Start(at))?;
            let mut bytes = vec![0; length];
            file.read_exact(&mut bytes)?;
            Ok(bytes)
        };
        let trailer = last(TRAILER as usize, 0)?;
        let length = footer_length(*trailer.first_chunk().ok_or_else(too_short)?, end)?;
        Footer::parse(&last(length, TRAILER)?, end)
    }

    /// Reads the footer of a file of `end` bytes.
    fn parse(footer: &[u8], end: u64) -> Result<Self, ArrowError> {
        let read = contained(|| -> Result<Footer, ArrowError> {
            let footer = root_as_footer(footer).map_err(|error| damaged(error.to_string()))?;
            let schema = footer.schema().ok_or_else(|| damaged("no schema in the footer"))?;
            if !schema.endianness().equals_to_target_endianness() {
                return Err(ArrowError::IpcError("its numbers are big-endian".to_owned()));
            }
            Ok(Footer {
                schema: Arc::new(try_fb_to_schema(schema)?),
                version: footer.version(),
                dictionaries: footer.dictionaries().into_iter().flatten().copied().collect(),
                batches: footer.recordBatches().into_iter().flatten().copied().collect(),
            })
        });
        let footer = read.map_err(damaged)??;
        let mut total: u64 = 0;
        for block in footer.dictionaries.iter().chain(&footer.batches) {
            let length = length_of(block).filter(|length| {
                let to = u64::try_from(block.offset()).ok().and_then(|offset| offset.checked_add(*length));
                to.is_some_and(|to| to <= end)
            });
            let length = length.ok_or_else(|| damaged("a batch lies beyond the end of the file"))?;
            // Each block has bytes of its own; else a small file could announce any number of rows.
            total = total.saturating_add(length);
        }
        if total > end {
            return Err(damaged(format!("batches of {total} bytes in a file of {end}")));
        }
        Ok(footer)
    }
}

/// Metadata and body of a batch, in bytes.
pub(super) fn length_of(block: &Block) -> Option<u64> {
    u64::try_from(block.metaDataLength()).ok()?.checked_add(u64::try_from(block.bodyLength()).ok()?)
}

/// The rows of a block whose bytes are `bytes`; `None` where it holds none.
pub(super) fn decode(decoder: &FileDecoder, block: &Block, bytes: &Buffer) -> Result<Option<RecordBatch>, ArrowError> {
    decode_packed(decoder, block, bytes, Packing::None).map(|(batch, _)| batch)
}

/// The same of a block that may be packed, with the bytes that its buffers have when they are not.
fn decode_packed(
    decoder: &FileDecoder,
    block: &Block,
    bytes: &Buffer,
    packing: Packing,
) -> Result<(Option<RecordBatch>, u64), ArrowError> {
    let unpacked = check(block, bytes, packing)?;
    let batch = contained(|| decoder.read_record_batch(block, bytes)).map_err(damaged)??;
    Ok((batch, unpacked))
}

/// A whole file in memory.
pub struct IpcFile {
    bytes: Buffer,
    footer: Footer,
}

impl Table {
    /// All record batches of an Arrow IPC file as one.
    pub fn from_ipc(bytes: &[u8]) -> Result<Self, TableError> {
        IpcFile::parse(bytes.to_vec())?.read()
    }
}

impl IpcFile {
    /// Reads what the file announces, and no rows yet.
    ///
    /// # Errors
    /// If it is no Arrow file, or announces what it does not hold.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, TableError> {
        let end = bytes.len() as u64;
        let trailer = bytes.last_chunk().ok_or_else(too_short)?;
        let length = footer_length(*trailer, end)?;
        let to = bytes.len() - TRAILER as usize;
        let footer = Footer::parse(&bytes[to - length..to], end)?;
        refuse_twice(&footer.schema)?;
        Ok(IpcFile { bytes: Buffer::from_vec(bytes), footer })
    }

    /// What a file announces, of which nothing but the end is read: quick, however large it is.
    ///
    /// # Errors
    /// As [`IpcFile::parse`].
    pub fn announced(file: &mut (impl Read + Seek)) -> Result<SchemaRef, TableError> {
        let footer = Footer::read(file)?;
        refuse_twice(&footer.schema)?;
        Ok(footer.schema)
    }

    /// As the file's footer says.
    pub fn schema(&self) -> SchemaRef {
        self.footer.schema.clone()
    }

    /// All rows, every value checked.
    ///
    /// # Errors
    /// If something in it is damaged, or packed.
    pub fn read(&self) -> Result<Table, TableError> {
        self.read_with(Packing::None)
    }

    /// The same of a file whose buffers may be packed with LZ4, as those of Feather are.
    ///
    /// # Errors
    /// If something in it is damaged, packed otherwise, or unpacks to more than 2 GiB.
    pub fn unpack(&self) -> Result<Table, TableError> {
        self.read_with(Packing::Lz4)
    }

    fn read_with(&self, packing: Packing) -> Result<Table, TableError> {
        let mut total: u64 = 0;
        let mut count = |unpacked: u64| {
            total = total.saturating_add(unpacked);
            match total {
                ..=LARGEST => Ok(()),
                _ if packing == Packing::None => Ok(()),
                _ => Err(ArrowError::IpcError("it unpacks to more than 2 GiB".to_owned())),
            }
        };
        let mut decoder = FileDecoder::new(self.schema(), self.footer.version);
        for block in &self.footer.dictionaries {
            let bytes = self.slice(block)?;
            count(check(block, &bytes, packing)?)?;
            contained(|| decoder.read_dictionary(block, &bytes)).map_err(damaged)??;
        }
        let mut batches = Vec::with_capacity(self.footer.batches.len());
        for block in &self.footer.batches {
            let (batch, unpacked) = decode_packed(&decoder, block, &self.slice(block)?, packing)?;
            count(unpacked)?;
            batches.extend(batch);
        }
        let batch = match <[RecordBatch; 1]>::try_from(batches) {
            Ok([batch]) => batch,
            Err(batches) => {
                contained(|| arrow::compute::concat_batches(&self.schema(), &batches)).map_err(damaged)??
            }
        };
        Ok(Table::new(batch))
    }

    fn slice(&self, block: &Block) -> Result<Buffer, ArrowError> {
        let range = usize::try_from(block.offset()).ok().zip(length_of(block).and_then(|one| one.try_into().ok()));
        let inside =
            |(offset, length): &(usize, usize)| offset.checked_add(*length).is_some_and(|to| to <= self.bytes.len());
        let (offset, length) =
            range.filter(inside).ok_or_else(|| damaged("a batch lies beyond the end of the file"))?;
        Ok(self.bytes.slice_with_length(offset, length))
    }
}

/// Holds what the metadata of a block announces against the bytes that follow it; the bytes of its buffers when they are not packed.
fn check(block: &Block, bytes: &Buffer, packing: Packing) -> Result<u64, ArrowError> {
    let cut = || damaged("the metadata of a batch is cut off");
    let metadata =
        usize::try_from(block.metaDataLength()).ok().and_then(|length| bytes.get(..length)).ok_or_else(cut)?;
    let body = &bytes[metadata.len()..];
    // Since version 0.15 of the format a marker stands before the length.
    let prefix = if metadata.starts_with(&[0xff; 4]) { 8 } else { 4 };
    let message = metadata.get(prefix..).ok_or_else(cut)?;
    let message = root_as_message(message).map_err(|error| damaged(error.to_string()))?;
    let dictionary = message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data());
    match message.header_as_record_batch().or(dictionary) {
        Some(batch) => check_batch(batch, body, packing),
        // The decoder says what it misses.
        None => Ok(0),
    }
}

fn check_batch(batch: Announced, body: &[u8], packing: Packing) -> Result<u64, ArrowError> {
    let packed = batch.compression();
    if packed.is_some_and(|packed| packing == Packing::None || packed.codec() != CompressionType::LZ4_FRAME) {
        return Err(ArrowError::IpcError("it is compressed".to_owned()));
    }
    let (mut total, mut unpacked): (usize, u64) = (0, 0);
    for buffer in batch.buffers().into_iter().flatten() {
        let range = usize::try_from(buffer.offset()).ok().zip(usize::try_from(buffer.length()).ok());
        let own = range.and_then(|(offset, length)| body.get(offset..offset.checked_add(length)?));
        let own = own.ok_or_else(|| damaged("a buffer lies beyond the end of its batch"))?;
        total = total.saturating_add(own.len());
        let plain = if packed.is_some() { unpacked_length(own)? } else { own.len() as u64 };
        unpacked = unpacked.saturating_add(plain);
    }
    if total > body.len() {
        return Err(damaged(format!("buffers of {total} bytes in a batch of {}", body.len())));
    }
    if packed.is_some() && unpacked > LARGEST {
        return Err(ArrowError::IpcError("it unpacks to more than 2 GiB".to_owned()));
    }
    let nodes: Vec<(i64, i64)> =
        batch.nodes().into_iter().flatten().map(|node| (node.length(), node.null_count())).collect();
    // Nothing is stored in less than a bit. Without any columns, rows take nothing at all.
    let held = unpacked.max(body.len() as u64);
    let most =
        if nodes.is_empty() { i64::from(i32::MAX) } else { i64::try_from(held).unwrap_or(i64::MAX).saturating_mul(8) };
    let is_sound = |rows: i64, nulls: i64| (0..=most).contains(&rows) && (0..=rows).contains(&nulls);
    match std::iter::once((batch.length(), 0)).chain(nodes).find(|(rows, nulls)| !is_sound(*rows, *nulls)) {
        Some((rows, nulls)) => Err(damaged(format!("{rows} values, {nulls} of them missing, in {held} bytes"))),
        None => Ok(unpacked),
    }
}

/// What a packed buffer announces to hold: that stands before it, -1 where it is not packed after all.
fn unpacked_length(buffer: &[u8]) -> Result<u64, ArrowError> {
    if buffer.is_empty() {
        return Ok(0);
    }
    let (length, packed) = buffer.split_first_chunk().ok_or_else(|| damaged("a packed buffer is cut off"))?;
    let packed = packed.len() as u64;
    match i64::from_le_bytes(*length) {
        -1 => Ok(packed),
        length => (u64::try_from(length).ok())
            .filter(|length| *length <= packed.saturating_mul(LARGEST_RATIO))
            .ok_or_else(|| damaged(format!("a buffer of {length} bytes in {packed} packed ones"))),
    }
}

fn refuse_twice(schema: &SchemaRef) -> Result<(), ArrowError> {
    let mut names = BTreeSet::new();
    match schema.fields().iter().find(|field| !names.insert(field.name())) {
        Some(field) => Err(ArrowError::SchemaError(format!("two columns are named '{}'", field.name()))),
        None => Ok(()),
    }
}

fn too_short() -> ArrowError {
    damaged("too short to be an Arrow file")
}

fn damaged(what: impl Into<String>) -> ArrowError {
    // The lines behind the first say through which fields of the format the decoder came.
    let what = what.into();
    ArrowError::ParseError(format!("it is damaged: {}", what.lines().next().unwrap_or_default()))
}
