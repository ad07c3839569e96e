//! Tables as files of the store: written part by part, read through memory maps, so that neither side holds the whole table.
//!
//! Each part is an Arrow IPC file of its own, uncompressed. Tables that have a part in common share its file.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::buffer::Buffer;
use arrow::compute::{BatchCoalescer, concat_batches};
use arrow::datatypes::{Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::reader::FileDecoder;
use arrow::ipc::writer::FileWriter;
use arrow::ipc::{Block, MetadataVersion};
use memmap2::MmapOptions;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::disk::{Access, Pending, protect};
use super::error::{StoreError, TableError};
use super::ipc::{self, Footer, length_of};
use super::store::Store;
use super::table::Table;
use super::table_digest::{PART_ROWS, TableDigests, TableHasher};

/// A table on its way into the store. Dropped without [`TableWriter::finish`], no table points at its parts, and `collect` takes them.
pub struct TableWriter<'s> {
    store: &'s Store,
    schema: SchemaRef,
    digests: TableHasher,
    files: Vec<StoredFile>,
}

/// A table that lies in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredTable {
    /// Its parts in their order, one at least.
    pub files: Vec<StoredFile>,
    /// What identifies rows and columns, whatever files they lie in.
    pub content: TableDigests,
}

/// An Arrow file of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredFile {
    /// By which the store has it.
    pub digest: Digest,
    /// Its size.
    pub bytes: u64,
}

/// [`PART_ROWS`] rows of a table that lie in the store, with all that another table has to know to hold them, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TablePart {
    file: StoredFile,
    columns: Vec<Digest>,
}

impl<'s> TableWriter<'s> {
    pub(super) fn new(store: &'s Store, schema: SchemaRef) -> Result<Self, TableError> {
        let digests = TableHasher::new(&schema)?;
        Ok(TableWriter { store, schema, digests, files: Vec::new() })
    }

    /// Appends rows as a file of their own. Large tables are best given in batches of [`PART_ROWS`] rows: a reader maps one at a time, and
    /// each is returned as a part that other tables can take.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<Option<TablePart>, TableError> {
        let is_part = self.digests.is_aligned() && batch.num_rows() == PART_ROWS;
        self.digests.update(batch)?;
        let explain = |error| self.store.explain(error);
        let pending = self.store.pending().map_err(Box::new)?;
        let hashing = Hashing { pending, hasher: blake3::Hasher::new(), bytes: 0 };
        let buffered = BufWriter::with_capacity(1 << 20, hashing);
        let mut writer = FileWriter::try_new(buffered, &self.schema).map_err(explain)?;
        writer.write(batch).and_then(|()| writer.finish()).map_err(explain)?;
        let hashing = writer.into_inner().map_err(explain)?.into_inner();
        let Hashing { pending, hasher, bytes } = hashing.map_err(|error| explain(error.into_error().into()))?;
        let file = StoredFile { digest: Digest::from(hasher.finalize()), bytes };
        self.store.keep(pending, file.digest).map_err(Box::new)?;
        self.files.push(file);
        Ok(self.digests.part().filter(|_| is_part).map(|columns| TablePart { file, columns: columns.to_vec() }))
    }

    /// Appends the rows of a part that the store has; `false` where it has it no more, or where the part is none of a table like this one.
    pub fn take(&mut self, part: TablePart) -> bool {
        let taken = self.store.has(part.file.digest) && self.digests.take(part.columns);
        if taken {
            self.files.push(part.file);
        }
        taken
    }

    /// The whole table. Without any rows it has one part, too.
    pub fn finish(mut self) -> Result<StoredTable, TableError> {
        if self.files.is_empty() {
            self.write(&RecordBatch::new_empty(self.schema.clone()))?;
        }
        Ok(StoredTable { files: self.files, content: self.digests.finish()? })
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
    parts: Vec<Part>,
    /// Of the files; [`TableReader::schema`] is what is left after a projection.
    whole: SchemaRef,
    /// The columns to show.
    columns: Vec<usize>,
}

/// A file of it.
struct Part {
    path: PathBuf,
    file: File,
    version: MetadataVersion,
    blocks: Vec<Block>,
}

impl TableReader {
    /// Reads the footers. The contents must have been verified: see [`Store::open_table`].
    pub(super) fn new(files: Vec<(PathBuf, File)>) -> Result<Self, TableError> {
        let mut whole: Option<SchemaRef> = None;
        let mut parts = Vec::with_capacity(files.len());
        for (path, file) in files {
            let (part, schema) = Part::new(path, file)?;
            if whole.as_ref().is_some_and(|whole| *whole != schema) {
                let message = format!("'{}' has other columns than the parts before it", part.path.display());
                return Err(ArrowError::SchemaError(message).into());
            }
            whole = Some(schema);
            parts.push(part);
        }
        let whole = whole.ok_or_else(|| ArrowError::SchemaError("a table without a file".to_owned()))?;
        let columns = (0..whole.fields().len()).collect();
        Ok(TableReader { parts, whole, columns })
    }

    /// Leaves only the named columns, in that order; names that the table does not have are left out.
    pub fn project(mut self, names: &[String]) -> Self {
        self.columns = names.iter().filter_map(|name| self.whole.index_of(name).ok()).collect();
        self
    }

    /// Of the columns that are shown.
    pub fn schema(&self) -> Result<SchemaRef, TableError> {
        Ok(Arc::new(self.whole.project(&self.columns)?))
    }

    /// How many rows it has: only the heads of the batches are touched.
    pub fn rows(&self) -> Result<usize, TableError> {
        self.decoded(&[]).map(|table| table.map(|table| table.rows())).sum()
    }

    /// The whole table. Written as one batch, its columns stay in the file; else they are copied together, one batch after another.
    pub fn read(&self) -> Result<Table, TableError> {
        let mut batches = self.batches();
        if let (Some(only), None) = (batches.next(), batches.next()) {
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

    /// The first `count` rows, or all if they are fewer; batches behind them are not touched.
    pub fn head(&self, count: usize) -> Result<Table, TableError> {
        let mut head: Vec<RecordBatch> = Vec::new();
        let mut rows = 0;
        for table in self.batches() {
            let batch = table?.into_batch();
            head.push(batch.slice(0, batch.num_rows().min(count - rows)));
            rows += head.last().map_or(0, RecordBatch::num_rows);
            if rows == count {
                break;
            }
        }
        Ok(Table::new(concat_batches(&self.schema()?, &head)?))
    }

    /// Writes the whole table as one Arrow file at `target`, which must not exist, read-only.
    pub fn copy_out(&self, target: &Path) -> Result<(), TableError> {
        let write = || -> Result<(), TableError> {
            let file = File::create_new(target).map_err(ArrowError::from)?;
            let mut writer = FileWriter::try_new_buffered(file, &*self.schema()?)?;
            self.batches().try_for_each(|table| Ok::<_, TableError>(writer.write(table?.batch())?))?;
            writer.finish()?;
            let file = writer.into_inner()?.into_inner().map_err(|error| ArrowError::from(error.into_error()))?;
            Ok(protect(&file, Access::ReadOnly).map_err(ArrowError::from)?)
        };
        write().map_err(|error| explain(target, error))
    }

    fn decoded(&self, columns: &[usize]) -> impl Iterator<Item = Result<Table, TableError>> + use<'_> {
        let columns = columns.to_vec();
        self.parts.iter().flat_map(move |part| {
            let decoder = FileDecoder::new(self.whole.clone(), part.version).with_projection(columns.clone());
            part.blocks.iter().map(move |block| {
                let batch = ipc::decode(&decoder, block, &part.map(block)?)?;
                let none = || ArrowError::ParseError(format!("no rows in {}", part.path.display()));
                Ok(Table::new(batch.ok_or_else(none)?))
            })
        })
    }
}

impl Part {
    fn new(path: PathBuf, mut file: File) -> Result<(Self, SchemaRef), TableError> {
        let Footer { schema, version, batches, .. } = Footer::read(&mut file)?;
        Ok((Part { path, file, version, blocks: batches }, schema))
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

impl Store {
    /// Begins a table that is given batch by batch.
    pub fn table_writer(&self, schema: &Schema) -> Result<TableWriter<'_>, TableError> {
        TableWriter::new(self, Arc::new(schema.clone()))
    }

    /// A table of the store, by the digests of its parts, for reading through memory maps.
    ///
    /// The content is held against the digests first, by plain reads of a quarter of a megabyte, so that it needs no memory and leaves no page
    /// mapped; and once only for as long as this store is open and a file's stamp stays the same. A map cannot be checked on every touch:
    /// what changes on the device after that is found by the next process, or by [`Store::verify`].
    pub fn open_table(&self, parts: impl IntoIterator<Item = Digest>) -> Result<TableReader, TableError> {
        let open = |digest| self.open_verified(digest).map_err(Box::new);
        TableReader::new(parts.into_iter().map(open).collect::<Result<_, _>>()?)
    }

    fn explain(&self, error: ArrowError) -> TableError {
        explain(&self.scratch(), error.into())
    }
}

/// Says what a failed write means for the person who has to free some space.
fn explain(path: &Path, error: TableError) -> TableError {
    match error {
        TableError::Arrow(ArrowError::IoError(_, error)) => {
            Box::new(StoreError::Io { action: "write", path: path.to_owned(), error }).into()
        }
        error => error,
    }
}
