//! Parquet files in memory. The library trusts what they announce, and panics at some of it: that is contained, and becomes an error like any other.

use std::io::{Read, Seek, SeekFrom};

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::arrow::parquet_to_arrow_schema;
use parquet::basic::Compression;
use parquet::file::FOOTER_SIZE;
use parquet::file::metadata::{FooterTail, ParquetMetaData, ParquetMetaDataReader};
use runner_boundary::contained::contained;

/// Rows read at a time.
pub(super) const ROWS: usize = 1024;

/// What a file says of its columns may be this long.
const LONGEST_FOOTER: u64 = 1 << 26;

/// The columns, of which only the end of the file is read.
pub(super) fn schema(reader: &mut (impl Read + Seek)) -> Result<Schema, String> {
    let mut last = |length: u64, before: u64| -> std::io::Result<Vec<u8>> {
        let end = reader.seek(SeekFrom::End(0))?;
        let at = end.checked_sub(before + length).ok_or(std::io::ErrorKind::UnexpectedEof)?;
        reader.seek(SeekFrom::Start(at))?;
        let mut bytes = vec![0; length as usize];
        reader.read_exact(&mut bytes)?;
        Ok(bytes)
    };
    let text = |error: std::io::Error| error.to_string();
    let tail = last(FOOTER_SIZE as u64, 0).map_err(text)?;
    let tail = FooterTail::try_from(tail.as_slice()).map_err(|error| error.to_string())?;
    let length = tail.metadata_length() as u64;
    if length > LONGEST_FOOTER {
        return Err(format!("it announces {length} bytes of descriptions"));
    }
    let footer = last(length, FOOTER_SIZE as u64).map_err(text)?;
    contained(|| {
        let metadata = ParquetMetaDataReader::decode_metadata(&footer).map_err(|error| error.to_string())?;
        check(&metadata)?;
        let file = metadata.file_metadata();
        parquet_to_arrow_schema(file.schema_descr(), file.key_value_metadata()).map_err(|error| error.to_string())
    })?
}

/// Refuses files that are packed as this build cannot unpack, and counts that cannot be.
fn check(metadata: &ParquetMetaData) -> Result<(), String> {
    let mut rows: i64 = 0;
    for group in metadata.row_groups() {
        rows = rows.saturating_add(group.num_rows());
        if group.num_rows() < 0 || rows > i64::from(i32::MAX) {
            return Err(format!("it announces {rows} rows"));
        }
        for column in group.columns() {
            let compression = column.compression();
            let is_known = matches!(
                compression,
                Compression::UNCOMPRESSED
                    | Compression::SNAPPY
                    | Compression::GZIP(_)
                    | Compression::LZ4
                    | Compression::LZ4_RAW
            );
            if !is_known {
                let name = compression.to_string();
                let name = name.split('(').next().unwrap_or_default();
                return Err(format!("its columns are packed with {name}: write it with `compression=\"snappy\"`"));
            }
        }
    }
    Ok(())
}

/// The rows of a file, some at a time.
pub(super) struct Batches {
    schema: Schema,
    reader: ParquetRecordBatchReader,
}

impl Batches {
    pub(super) fn open(bytes: &[u8]) -> Result<Self, String> {
        let bytes = bytes::Bytes::copy_from_slice(bytes);
        contained(|| {
            let builder = ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|error| error.to_string())?;
            check(builder.metadata())?;
            let schema = builder.schema().as_ref().clone();
            let reader = builder.with_batch_size(ROWS).build().map_err(|error| error.to_string())?;
            Ok(Batches { schema, reader })
        })?
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    pub(super) fn next(&mut self) -> Result<Option<RecordBatch>, String> {
        contained(|| self.reader.next().transpose().map_err(|error| error.to_string()))?
    }
}
