//! Tables as files of the store: written batch by batch, read through a memory map, so that neither side holds the whole table.
//!
//! The file is Arrow IPC, uncompressed. Knows nothing of stages.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::buffer::Buffer;
use arrow::compute::BatchCoalescer;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::convert::try_fb_to_schema;
use arrow::ipc::reader::{FileDecoder, read_footer_length};
use arrow::ipc::writer::FileWriter;
use arrow::ipc::{Block, MetadataVersion, root_as_footer};
use memmap2::MmapOptions;

use super::digest::Digest;
use super::disk::Pending;
use super::store::{Store, StoreError};
use super::table::{Table, TableError};
use super::table_digest::{TableDigests, TableHasher};

/// The footer's length and the magic word that end an Arrow file.
const TRAILER: u64 = 10;

/// A table on its way into the store. Dropped without [`TableWriter::finish`], nothing of it remains.
pub struct TableWriter<'s> {
    store: &'s Store,
    writer: FileWriter<BufWriter<Hashing>>,
    digests: TableHasher,
}

/// A table that lies in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredTable {
    pub digest: Digest,
    pub bytes: u64,
    pub content: TableDigests,
}

impl<'s> TableWriter<'s> {
    pub(super) fn new(store: &'s Store, schema: &Schema) -> Result<Self, TableError> {
        let digests = TableHasher::new(schema)?;
        let pending = store.pending().map_err(Box::new)?;
        let hashing = Hashing { pending, hasher: blake3::Hasher::new(), bytes: 0 };
        let writer = FileWriter::try_new(BufWriter::with_capacity(1 << 20, hashing), schema);
        Ok(TableWriter { store, writer: writer.map_err(|error| store.explain(error))?, digests })
    }

    /// Appends rows. Large tables are best given in batches of some ten thousand rows: a reader maps one at a time.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), TableError> {
        self.digests.update(batch)?;
        self.writer.write(batch).map_err(|error| self.store.explain(error))
    }

    /// Puts the whole table under the digest of its bytes.
    pub fn finish(self) -> Result<StoredTable, TableError> {
        let TableWriter { store, mut writer, digests } = self;
        let end = |error| store.explain(error);
        writer.finish().map_err(end)?;
        let hashing = writer.into_inner().map_err(end)?.into_inner();
        let Hashing { pending, hasher, bytes } = hashing.map_err(|error| end(error.into_error().into()))?;
        let digest = Digest::from(hasher.finalize());
        store.keep(pending, digest).map_err(Box::new)?;
        Ok(StoredTable { digest, bytes, content: digests.finish() })
    }
}

/// Computes the digest of what passes through.
struct Hashing {
    pending: Pending,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.pending.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pending.flush()
    }
}

/// A table of the store, not read yet. Only the columns and batches that are asked for are touched.
pub struct TableReader {
    path: PathBuf,
    file: File,
    /// Of the file; [`TableReader::schema`] is what is left after a projection.
    whole: SchemaRef,
    version: MetadataVersion,
    blocks: Vec<Block>,
    /// The columns to show.
    columns: Vec<usize>,
}

impl TableReader {
    /// Reads the footer. The content must have been verified: see [`Store::open_table`].
    pub(super) fn new(path: &Path, mut file: File) -> Result<Self, TableError> {
        let end = file.seek(SeekFrom::End(0)).map_err(ArrowError::from)?;
        let mut trailer = [0; TRAILER as usize];
        read_at(&mut file, end.checked_sub(TRAILER), &mut trailer)?;
        let length = read_footer_length(trailer)?;
        let mut footer = vec![0; length];
        read_at(&mut file, end.checked_sub(TRAILER + length as u64), &mut footer)?;
        let footer = root_as_footer(&footer).map_err(|error| ArrowError::ParseError(error.to_string()))?;
        let schema = footer.schema().ok_or_else(|| ArrowError::ParseError("no schema in the footer".to_owned()))?;
        let blocks: Vec<Block> = footer.recordBatches().into_iter().flatten().copied().collect();
        let inside = |block: &Block| {
            let length = length_of(block)?;
            u64::try_from(block.offset()).ok()?.checked_add(length).filter(|&to| to <= end)
        };
        if blocks.iter().any(|block| inside(block).is_none()) {
            return Err(ArrowError::ParseError("a batch lies beyond the end of the file".to_owned()).into());
        }
        let whole: SchemaRef = Arc::new(try_fb_to_schema(schema)?);
        let columns = (0..whole.fields().len()).collect();
        Ok(TableReader { path: path.to_owned(), file, whole, version: footer.version(), blocks, columns })
    }

    /// Leaves only the named columns, in that order; names that the table does not have are left out.
    pub fn project(mut self, names: &[String]) -> Self {
        self.columns = names.iter().filter_map(|name| self.whole.index_of(name).ok()).collect();
        self
    }

    pub fn schema(&self) -> Result<SchemaRef, TableError> {
        Ok(Arc::new(self.whole.project(&self.columns)?))
    }

    /// How many rows it has: only the heads of the batches are touched.
    pub fn rows(&self) -> Result<usize, TableError> {
        self.decoded(&[]).map(|table| table.map(|table| table.rows())).sum()
    }

    /// The whole table. Written as one batch, its columns stay in the file; else they are copied together, one batch after another.
    pub fn read(&self) -> Result<Table, TableError> {
        if let ([_], Some(only)) = (self.blocks.as_slice(), self.batches().next()) {
            return only;
        }
        let (schema, rows) = (self.schema()?, self.rows()?);
        if rows == 0 {
            return Ok(Table::new(RecordBatch::new_empty(schema)));
        }
        if schema.fields().is_empty() {
            let options = RecordBatchOptions::new().with_row_count(Some(rows));
            return Ok(Table::new(RecordBatch::try_new_with_options(schema, Vec::new(), &options)?));
        }
        // Not `concat_batches`, which wants all batches at once: here the pages of one are given back before the next comes in.
        let mut whole = BatchCoalescer::new(schema, rows);
        for table in self.batches() {
            whole.push_batch(table?.into_batch())?;
        }
        whole.finish_buffered_batch()?;
        let batch = whole.next_completed_batch();
        Ok(Table::new(batch.ok_or_else(|| ArrowError::ComputeError("no rows came together".to_owned()))?))
    }

    /// The table batch by batch as it was written. A batch leaves memory when its last column is dropped.
    pub fn batches(&self) -> impl Iterator<Item = Result<Table, TableError>> + '_ {
        self.decoded(&self.columns)
    }

    fn decoded(&self, columns: &[usize]) -> impl Iterator<Item = Result<Table, TableError>> + use<'_> {
        let decoder = FileDecoder::new(self.whole.clone(), self.version).with_projection(columns.to_vec());
        self.blocks.iter().map(move |block| {
            let batch = decoder.read_record_batch(block, &self.map(block)?)?;
            let batch = batch.ok_or_else(|| ArrowError::ParseError(format!("no rows in {}", self.path.display())))?;
            Ok(Table::new(batch))
        })
    }

    /// The bytes of one batch, mapped: pages come in when touched, and go with the buffer.
    fn map(&self, block: &Block) -> Result<Buffer, TableError> {
        let (Ok(offset), Some(length)) = (u64::try_from(block.offset()), length_of(block)) else {
            return Err(ArrowError::ParseError("a batch with a negative length".to_owned()).into());
        };
        let length = usize::try_from(length).map_err(|error| ArrowError::ParseError(error.to_string()))?;
        // SAFETY: the mapped bytes must not change while the map lives. A blob is written under a temporary name and gets its own by a rename;
        // from then on nobody opens it for writing: its mode is 0444, replacement is by rename and removal by unlink, both of which leave
        // this file's pages as they are. The range was held against the file's length. What remains is a person who takes the write
        // protection off and changes the file in place while it is being read; it is the same for a program's own executable.
        #[allow(unsafe_code)]
        let map = unsafe { MmapOptions::new().offset(offset).len(length).map(&self.file) };
        Ok(Buffer::from(bytes::Bytes::from_owner(map.map_err(ArrowError::from)?)))
    }
}

/// Metadata and body of a batch, in bytes.
fn length_of(block: &Block) -> Option<u64> {
    u64::try_from(block.metaDataLength()).ok()?.checked_add(u64::try_from(block.bodyLength()).ok()?)
}

fn read_at(file: &mut File, at: Option<u64>, into: &mut [u8]) -> Result<(), ArrowError> {
    let at = at.ok_or_else(|| ArrowError::ParseError("too short to be an Arrow file".to_owned()))?;
    file.seek(SeekFrom::Start(at))?;
    Ok(file.read_exact(into)?)
}

impl Store {
    /// Begins a table that is given batch by batch.
    pub fn table_writer(&self, schema: &Schema) -> Result<TableWriter<'_>, TableError> {
        TableWriter::new(self, schema)
    }

    /// A table of the store, for reading through a memory map.
    ///
    /// The content is held against its digest first, by plain reads of a quarter of a megabyte, so that it needs no memory and leaves no page
    /// mapped; and once only for as long as this store is open and the file's stamp stays the same. A map cannot be checked on every touch:
    /// what changes on the device after that is found by the next process, or by [`Store::verify`].
    pub fn open_table(&self, digest: Digest) -> Result<TableReader, TableError> {
        let (path, file) = self.open_verified(digest).map_err(Box::new)?;
        TableReader::new(&path, file)
    }

    /// Says what a failed write means for the person who has to free some space.
    fn explain(&self, error: ArrowError) -> TableError {
        match error {
            ArrowError::IoError(_, error) => {
                Box::new(StoreError::Io { action: "write", path: self.scratch(), error }).into()
            }
            error => error.into(),
        }
    }
}
