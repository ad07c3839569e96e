//! Parquet and Arrow files, which keep each column on its own, as the text that the same table would be as CSV. So one path leads from any file to a
//! table: types, missing values and labels are what they would be, and predictions are written beside the rows that they belong to.

use std::io::{Read, Seek};

use arrow::array::{Array, ArrayRef, BooleanBufferBuilder, RecordBatch};
use arrow::buffer::NullBuffer;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use csv::{QuoteStyle, Terminator, Writer, WriterBuilder};
use runner_artifact::{IpcFile, TableError};

use super::dialect::Dialect;
use super::error::{Cancelled, CsvError, Problem, go_on};
use super::parquet;
use super::separators::Decimal;

/// Bytes in which a text that begins as a Parquet file is told from one: a text has no NUL.
const PROBE: usize = 1 << 16;

/// What `artifact::ipc` says of files whose batches are compressed otherwise than with LZ4.
const COMPRESSED: &str = "it is compressed";

/// A file of columns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Format {
    Parquet,
    Arrow,
}

/// Which cells of a file of columns hold nothing, which its text cannot say.
pub(super) struct Cells {
    /// By column.
    present: Vec<BooleanBufferBuilder>,
}

impl Cells {
    /// Whether a cell holds nothing at all.
    pub(crate) fn is_null(&self, row: usize, column: usize) -> bool {
        self.present.get(column).is_some_and(|present| row < present.len() && !present.get_bit(row))
    }
}

impl Format {
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        match () {
            () if bytes.starts_with(b"ARROW1\0\0") => Some(Format::Arrow),
            () if bytes.starts_with(b"PAR1") && bytes[..bytes.len().min(PROBE)].contains(&0) => Some(Format::Parquet),
            () => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Format::Parquet => "Parquet",
            Format::Arrow => "Arrow",
        }
    }
}

/// The names of the columns, without their values.
pub(super) fn names(path: &str, reader: &mut (impl Read + Seek), format: Format) -> Result<Vec<String>, CsvError> {
    let schema = match format {
        Format::Arrow => IpcFile::announced(reader).map_err(|error| damaged(path, format, why(&error)))?,
        Format::Parquet => parquet::schema(reader).map_err(|why| damaged(path, format, why))?.into(),
    };
    check(path, format, &schema)?;
    Ok(schema.fields().iter().map(|field| field.name().clone()).collect())
}

/// The line that names the columns.
pub(super) fn header_line(names: &[String], dialect: &Dialect) -> Vec<u8> {
    let mut writer = writer(dialect);
    // Into memory nothing fails.
    drop(writer.write_record(names));
    writer.into_inner().unwrap_or_default()
}

/// The whole file as text, with what its text cannot say.
pub(super) fn read(
    path: &str,
    bytes: &[u8],
    format: Format,
    dialect: &Dialect,
    cancelled: Cancelled,
) -> Result<(Vec<u8>, Cells), CsvError> {
    let written = match format {
        Format::Arrow => {
            let fault = |error: TableError| damaged(path, format, why(&error));
            let file = IpcFile::parse(bytes.to_vec()).map_err(fault)?;
            check(path, format, &file.schema())?;
            let table = file.unpack().map_err(fault)?;
            let mut written = Written::new(&file.schema(), dialect);
            // Between two looks at whether to stop.
            for start in (0..table.rows()).step_by(parquet::ROWS) {
                go_on(cancelled)?;
                written.add(path, &table.batch().slice(start, parquet::ROWS.min(table.rows() - start)))?;
            }
            written
        }
        Format::Parquet => {
            let fault = |why: String| damaged(path, format, why);
            let mut batches = parquet::Batches::open(bytes).map_err(fault)?;
            check(path, format, batches.schema())?;
            let mut written = Written::new(batches.schema(), dialect);
            while let Some(batch) = batches.next().map_err(fault)? {
                go_on(cancelled)?;
                written.add(path, &batch)?;
            }
            written
        }
    };
    Ok((written.writer.into_inner().unwrap_or_default(), Cells { present: written.present }))
}

/// What keeps an Arrow file from being read.
fn why(error: &TableError) -> String {
    match error {
        TableError::Arrow(ArrowError::IpcError(why)) if why == COMPRESSED => {
            format!("{why} with zstd: write it with `compression=\"lz4\"`, or as a Parquet file")
        }
        TableError::Arrow(ArrowError::IpcError(why) | ArrowError::ParseError(why)) => why.clone(),
        other => other.to_string(),
    }
}

fn damaged(path: &str, format: Format, why: String) -> CsvError {
    CsvError::file(path, Problem::Columns { format: format.name(), why })
}

/// Refuses columns that have no cells of one value.
fn check(path: &str, format: Format, schema: &Schema) -> Result<(), CsvError> {
    let refused: Vec<&Field> =
        schema.fields().iter().map(AsRef::as_ref).filter(|field| !is_plain(field.data_type())).collect();
    let Some(first) = refused.first() else { return Ok(()) };
    let (format, column) = (format.name(), first.name().clone());
    let problem = Problem::NotPlain { format, column, holds: kind(first.data_type()), others: refused.len() - 1 };
    Err(CsvError::file(path, problem))
}

fn is_plain(holds: &DataType) -> bool {
    match holds {
        DataType::Dictionary(_, values) => is_plain(values),
        DataType::Null | DataType::Boolean | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Date32 | DataType::Date64 | DataType::Timestamp(..) => true,
        DataType::Time32(_) | DataType::Time64(_) => true,
        other => other.is_numeric(),
    }
}

/// What a column holds, in a word.
fn kind(holds: &DataType) -> &'static str {
    match holds {
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::ListView(_)
        | DataType::LargeListView(_)
        | DataType::FixedSizeList(..) => "lists",
        DataType::Struct(_) => "records of several fields",
        DataType::Map(..) => "maps",
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => "bytes",
        DataType::Duration(_) | DataType::Interval(_) => "spans of time",
        DataType::Union(..) => "values of several types",
        DataType::Dictionary(_, values) => kind(values),
        _ => "values of another kind",
    }
}

fn writer(dialect: &Dialect) -> Writer<Vec<u8>> {
    let mut builder = WriterBuilder::new();
    builder.delimiter(dialect.delimiter as u8).terminator(Terminator::Any(b'\n')).quote_style(QuoteStyle::Necessary);
    builder.quote(dialect.quote_byte().unwrap_or(b'"'));
    builder.from_writer(Vec::new())
}

/// The text so far.
struct Written {
    writer: Writer<Vec<u8>>,
    decimal: Decimal,
    present: Vec<BooleanBufferBuilder>,
    rows: usize,
}

impl Written {
    fn new(schema: &Schema, dialect: &Dialect) -> Self {
        let names: Vec<&String> = schema.fields().iter().map(|field| field.name()).collect();
        let mut writer = writer(dialect);
        drop(writer.write_record(&names));
        let present = names.iter().map(|_| BooleanBufferBuilder::new(0)).collect();
        Written { writer, decimal: dialect.decimal, present, rows: 0 }
    }

    fn add(&mut self, path: &str, batch: &RecordBatch) -> Result<(), CsvError> {
        let rows = batch.num_rows();
        let fault = |error: ArrowError| CsvError::file(path, Problem::Arrow(error.to_string()));
        let columns: Vec<ArrayRef> = batch.columns().iter().map(plain).collect::<Result<_, _>>().map_err(fault)?;
        let nulls: Vec<Option<NullBuffer>> = columns.iter().map(|column| column.logical_nulls()).collect();
        for (present, nulls) in self.present.iter_mut().zip(&nulls) {
            match nulls {
                Some(nulls) => (0..rows).for_each(|row| present.append(nulls.is_valid(row))),
                None => present.append_n(rows, true),
            }
        }
        let formats = FormatOptions::new()
            .with_timestamp_format(Some("%Y-%m-%d %H:%M:%S%.f"))
            .with_timestamp_tz_format(Some("%Y-%m-%d %H:%M:%S%.f%:z"))
            .with_datetime_format(Some("%Y-%m-%d %H:%M:%S%.f"));
        let cells: Vec<ArrayFormatter> = columns
            .iter()
            .map(|column| ArrayFormatter::try_new(column.as_ref(), &formats))
            .collect::<Result<_, _>>()
            .map_err(fault)?;
        let (mut record, mut cell) = (csv::ByteRecord::new(), String::new());
        for row in 0..rows {
            record.clear();
            for (column, format) in columns.iter().zip(&cells) {
                cell.clear();
                if !column.is_null(row) {
                    format.value(row).write(&mut cell).map_err(fault)?;
                }
                if cell.contains('\0') {
                    return Err(CsvError::row(path, (self.rows + 1) as u64, Problem::NulCharacter));
                }
                let has_fraction = column.data_type().is_numeric() && self.decimal == Decimal::Comma;
                match has_fraction && cell.contains('.') {
                    true => record.push_field(cell.replace('.', ",").as_bytes()),
                    false => record.push_field(cell.as_bytes()),
                }
            }
            drop(self.writer.write_byte_record(&record));
            self.rows += 1;
        }
        let bytes = self.writer.get_ref().len();
        if bytes > i32::MAX as usize { Err(CsvError::file(path, Problem::TooLarge(bytes))) } else { Ok(()) }
    }
}

/// The column as it is shown: without dictionaries, and instants in universal time, for which no table of zones is needed.
fn plain(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let column = match column.data_type() {
        DataType::Dictionary(_, values) => cast(column, values)?,
        _ => column.clone(),
    };
    match column.data_type() {
        DataType::Timestamp(unit, Some(_)) => cast(&column, &DataType::Timestamp(*unit, Some("+00:00".into()))),
        _ => Ok(column),
    }
}
