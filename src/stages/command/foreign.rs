//! What a program wrote, held against what its ending says, before any other stage relies on it: tables, JSON, safetensors.
//!
//! A program's damaged output is its author's to mend: every error says what is wrong with the file, and none is a panic of ours.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::Path;

use anyhow::{anyhow, bail};
use arrow::array::{Array as _, ArrayRef, AsArray as _, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::columns::{FOLD, GROUP, LINE, ROW_ID};
use runner_artifact::TableError;
use runner_artifact::TableHasher;
use runner_artifact::{IpcFile, Table};
use runner_boundary::contained::contained;

/// Bytes at the beginning of a file by which it shows what it is not.
const HEAD: u64 = 4096;

/// Refuses what the beginning or the end of a file shows, before the whole of it is read: it may be larger than the memory.
pub(super) fn check_ends(name: &str, file: &mut File) -> anyhow::Result<()> {
    let mut head = Vec::new();
    file.by_ref().take(HEAD).read_to_end(&mut head)?;
    match Path::new(name).extension().and_then(|ending| ending.to_str()) {
        Some("arrow") => {
            let schema = IpcFile::announced(file).map_err(|error| unreadable(&head, &error))?;
            stored_schema(&schema)?;
        }
        Some("safetensors") => {
            let size = file.metadata()?.len();
            let length = head.first_chunk().map_or(0, |length| u64::from_le_bytes(*length));
            if length < 2 || length > size.saturating_sub(8) || head.get(8).is_some_and(|first| *first != b'{') {
                bail!("not a safetensors file: a header of {length} bytes in a file of {size}");
            }
        }
        Some("json") => {
            let first = head.iter().find(|byte| !byte.is_ascii_whitespace());
            if let Some(byte) = first.filter(|byte| !br#"{["-0123456789tfn"#.contains(byte)) {
                bail!("not JSON: it begins with '{}'", byte.escape_ascii());
            }
        }
        _ => {}
    }
    file.rewind()?;
    Ok(())
}

/// Why a file that begins so is no table.
fn unreadable(head: &[u8], error: &TableError) -> anyhow::Error {
    const UNCOMPRESSED: &str = " (write it uncompressed, e.g. with pyarrow.ipc.new_file or polars' write_ipc)";
    let remedy = match error {
        // A stream has no magic number at its beginning.
        _ if !head.starts_with(b"ARROW1") => UNCOMPRESSED,
        TableError::Arrow(ArrowError::IpcError(what)) if OTHERWISE.contains(&what.as_str()) => UNCOMPRESSED,
        TableError::Arrow(ArrowError::SchemaError(_)) => "",
        _ => " (it was not written to its end, or was changed afterwards: close the writer before the program ends)",
    };
    anyhow!("not an Arrow IPC file that can be read: {error}{remedy}")
}

/// What can be written in another way, as `artifact::ipc` says it.
const OTHERWISE: [&str; 2] = ["it is compressed", "its numbers are big-endian"];

/// Columns of runner's own that hold whole numbers.
const WHOLE_NUMBERS: [&str; 4] = [ROW_ID, LINE, FOLD, GROUP];

/// The columns as an artifact holds them.
fn stored_schema(schema: &Schema) -> anyhow::Result<Schema> {
    let fields = schema.fields().iter().map(|field| {
        let wanted = storable(field.data_type()).unwrap_or_else(|| field.data_type().clone());
        Field::new(field.name(), wanted, field.is_nullable()).with_metadata(field.metadata().clone())
    });
    let wanted = Schema::new_with_metadata(fields.collect::<Vec<_>>(), schema.metadata().clone());
    if let Err(error) = TableHasher::new(&wanted) {
        let TableError::Unsupported(name, found) = error else { return Err(error.into()) };
        let remedy = match found {
            DataType::FixedSizeList(_, 0) => "its lists have no items: leave it out",
            _ => "cast it to int64, float64, bool or string",
        };
        bail!("column '{name}' has type {found}, which no artifact can hold ({remedy})");
    }
    // Stages below rely on what a column of runner's holds.
    for field in wanted.fields().iter().filter(|field| WHOLE_NUMBERS.contains(&field.name().as_str())) {
        if *field.data_type() != DataType::Int64 {
            bail!(
                "column '{}' has type {}, but under that name runner keeps whole numbers (write it as int64, as it was read, or give the column another name)",
                field.name(),
                field.data_type()
            );
        }
    }
    Ok(wanted)
}

/// A table that an artifact can hold. Types that other programs like better are brought to ours where nothing is lost by it.
pub(super) fn table(bytes: Vec<u8>) -> anyhow::Result<Table> {
    let head = bytes.get(..HEAD as usize).unwrap_or(&bytes).to_vec();
    let unreadable = |error: TableError| unreadable(&head, &error);
    let file = IpcFile::parse(bytes).map_err(unreadable)?;
    // Before any row is read: what no artifact can hold need not be understood.
    let wanted = stored_schema(&file.schema())?;
    let batch = file.read().map_err(unreadable)?.into_batch();
    let mut columns = Vec::with_capacity(batch.num_columns());
    for (field, column) in wanted.fields().iter().zip(batch.columns()) {
        columns.push(converted(field.name(), column, field.data_type())?);
    }
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let table = Table::new(RecordBatch::try_new_with_options(wanted.into(), columns, &options)?);
    // What only shows in the values, as a missing list, is refused here and not by a stage that reads it.
    match table.digests() {
        Ok(_) => Ok(table),
        Err(TableError::Unsupported(name, found)) => {
            bail!(
                "column '{name}' of type {found} has missing values, which no artifact can hold (fill them, or leave such rows out)"
            )
        }
        Err(error) => Err(error.into()),
    }
}

/// The type of ours that holds all values of another.
fn storable(found: &DataType) -> Option<DataType> {
    match found {
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 => {
            Some(DataType::Int64)
        }
        DataType::Float16 => Some(DataType::Float32),
        DataType::LargeUtf8 | DataType::Utf8View => Some(DataType::Utf8),
        DataType::Dictionary(_, values) if !values.is_nested() && !matches!(**values, DataType::Dictionary(_, _)) => {
            Some(storable(values).unwrap_or_else(|| values.as_ref().clone()))
        }
        _ => None,
    }
}

fn converted(name: &str, column: &ArrayRef, wanted: &DataType) -> anyhow::Result<ArrayRef> {
    if column.data_type() == wanted {
        return Ok(column.clone());
    }
    // Few bytes can stand for much text: views and keys that all point at the same.
    let bytes = match column.data_type() {
        DataType::Utf8View => view_bytes(column),
        DataType::Dictionary(_, _) => dictionary_bytes(column)?,
        _ => 0,
    };
    if bytes > i32::MAX as u64 {
        bail!("column '{name}' has {bytes} bytes of text, more than the {} that a column can hold", i32::MAX);
    }
    let cast = contained(|| cast(column, wanted)).map_err(|panic| anyhow!("column '{name}': {panic}"))?;
    cast.map_err(|error| anyhow!("column '{name}': {error}"))
}

/// Bytes of text when each view has its own.
fn view_bytes(views: &ArrayRef) -> u64 {
    // The lower half of a view's first word is its length.
    views.as_string_view().views().iter().map(|view| u64::from(*view as u32)).sum()
}

/// Bytes of text when each row has its own.
fn dictionary_bytes(column: &ArrayRef) -> anyhow::Result<u64> {
    let Some(dictionary) = column.as_any_dictionary_opt() else { return Ok(0) };
    let values = dictionary.values();
    let lengths: Vec<u64> = match values.data_type() {
        DataType::Utf8 => values.as_string::<i32>().offsets().windows(2).map(|two| (two[1] - two[0]) as u64).collect(),
        DataType::LargeUtf8 => {
            values.as_string::<i64>().offsets().windows(2).map(|two| (two[1] - two[0]) as u64).collect()
        }
        DataType::Utf8View => values.as_string_view().views().iter().map(|view| u64::from(*view as u32)).collect(),
        _ => return Ok(0),
    };
    let keys = cast(dictionary.keys(), &DataType::Int64)?;
    let keys = keys.as_primitive::<arrow::datatypes::Int64Type>();
    Ok(keys.iter().flatten().filter_map(|key| lengths.get(usize::try_from(key).ok()?)).sum())
}

/// Whether the bytes are JSON that every reader takes, without keeping any of it.
pub(super) fn check_json(bytes: &[u8]) -> anyhow::Result<()> {
    serde_json::from_slice::<AnyJson>(bytes).map(|_| ()).map_err(|error| anyhow!("not JSON: {error}"))
}

/// Whether the header announces tensors that are there.
pub(super) fn check_safetensors(bytes: &[u8]) -> anyhow::Result<()> {
    match contained(|| safetensors::SafeTensors::deserialize(bytes).map(|_| ())) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => bail!("not a safetensors file: {error}"),
        Err(panic) => bail!("not a safetensors file: {panic}"),
    }
}

/// Any value. Not `IgnoredAny`, which passes over numbers and escapes that cannot be read later.
struct AnyJson;

impl<'de> Deserialize<'de> for AnyJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = AnyJson;

            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("any value")
            }

            fn visit_bool<E>(self, _: bool) -> Result<AnyJson, E> {
                Ok(AnyJson)
            }

            fn visit_i64<E>(self, _: i64) -> Result<AnyJson, E> {
                Ok(AnyJson)
            }

            fn visit_u64<E>(self, _: u64) -> Result<AnyJson, E> {
                Ok(AnyJson)
            }

            fn visit_f64<E>(self, _: f64) -> Result<AnyJson, E> {
                Ok(AnyJson)
            }

            fn visit_str<E>(self, _: &str) -> Result<AnyJson, E> {
                Ok(AnyJson)
            }

            fn visit_unit<E>(self) -> Result<AnyJson, E> {
                Ok(AnyJson)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<AnyJson, A::Error> {
                while items.next_element::<AnyJson>()?.is_some() {}
                Ok(AnyJson)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<AnyJson, A::Error> {
                while entries.next_entry::<String, AnyJson>()?.is_some() {}
                Ok(AnyJson)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Date32Array, DictionaryArray, Int32Array, LargeStringArray};
    use arrow::datatypes::Int32Type;
    use std::sync::Arc;

    #[test]
    fn types_of_other_programs_become_ours_or_are_refused_by_name() {
        let narrow: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None]));
        let large: ArrayRef = Arc::new(LargeStringArray::from(vec!["a", "b"]));
        let coded: ArrayRef = Arc::new(vec!["x", "x"].into_iter().collect::<DictionaryArray<Int32Type>>());
        let written = Table::from_columns([("n", narrow), ("t", large), ("c", coded)]).unwrap().to_ipc().unwrap();
        let read = table(written).unwrap();
        let schema = read.schema();
        let types: Vec<&DataType> = schema.fields().iter().map(|field| field.data_type()).collect();
        assert_eq!(types, [&DataType::Int64, &DataType::Utf8, &DataType::Utf8]);
        let days: ArrayRef = Arc::new(Date32Array::from(vec![1]));
        let written = Table::from_columns([("day", days)]).unwrap().to_ipc().unwrap();
        let error = table(written).unwrap_err().to_string();
        assert!(error.contains("column 'day' has type Date32") && error.contains("cast it"), "{error}");
        assert!(table(b"id,value\n1,2\n".to_vec()).unwrap_err().to_string().contains("not an Arrow IPC file"));
    }

    #[test]
    fn json_that_a_later_reader_would_not_take_is_refused_here() {
        check_json(br#"{"a": [1, 2.5, "x\u00e9", null, true, {"b": -3}]}"#).unwrap();
        for text in [&b"{\"a\": 1e999}"[..], b"[\"\\ud800\"]", b"{}{}", b"", b"[1,", b"\"\xff\""] {
            assert!(check_json(text).is_err(), "{}", String::from_utf8_lossy(text));
        }
        assert!(check_json("[".repeat(100_000).as_bytes()).is_err());
        assert!(check_safetensors(&[0xff; 16]).is_err());
        assert!(check_safetensors(b"\x02\0\0\0\0\0\0\0{}").is_ok());
    }

    #[test]
    fn a_dictionary_that_would_grow_beyond_all_bounds_is_refused() {
        let text = "x".repeat(1 << 20);
        let coded: ArrayRef =
            Arc::new(std::iter::repeat_n(text.as_str(), 4096).collect::<DictionaryArray<Int32Type>>());
        let written = Table::from_columns([("c", coded)]).unwrap().to_ipc().unwrap();
        assert!(table(written).unwrap_err().to_string().contains("column 'c' has 4294967296 bytes of text"));
    }
}
