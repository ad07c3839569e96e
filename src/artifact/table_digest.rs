//! `TableHasher`: a canonical digest for every column, batch by batch: the same whatever the boundaries of the batches.
//!
//! Rows are hashed in parts of [`PART_ROWS`], so that what is known of a part need not be computed anew. Covers type,
//! field metadata, nulls, order and values; what lies under a null does not count.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, RecordBatch};
use arrow::datatypes::{
    ArrowNativeType, DataType, Field, Float32Type, Float64Type, Int64Type, Schema, SchemaRef, ToByteSlice, UInt32Type,
    UInt64Type,
};

use super::digest::{Digest, Hasher};
use super::error::TableError;

/// Rows that are hashed together, from the first on: a table whose first so many rows are those of another shares that part's digests with it.
pub const PART_ROWS: usize = 65_536;

/// Takes a table in pieces and gives the digests of its columns.
pub struct TableHasher {
    schema: SchemaRef,
    /// Of the part that is being filled.
    columns: Vec<ColumnHasher>,
    /// For each part that is full, the digests of its columns.
    parts: Vec<Vec<Digest>>,
    /// Rows in the part that is being filled.
    rows: usize,
}

/// What identifies a table's content: of each column, in order, its name and digest; and the digest of the schema's own metadata.
///
/// A column of one part has the digest of that part; of more, the digest of their digests.
#[derive(Clone, Debug, PartialEq)]
pub struct TableDigests {
    pub rows: usize,
    pub columns: Vec<(String, Digest)>,
    pub metadata: Digest,
}

impl TableHasher {
    /// Refuses types that cannot be hashed: a constant in their place would one day restore a wrong result.
    pub fn new(schema: &Schema) -> Result<Self, TableError> {
        Ok(TableHasher { schema: Arc::new(schema.clone()), columns: hashers(schema)?, parts: Vec::new(), rows: 0 })
    }

    /// Takes the next rows.
    pub(crate) fn update(&mut self, batch: &RecordBatch) -> Result<(), TableError> {
        let mut first = 0;
        while first < batch.num_rows() {
            let count = (PART_ROWS - self.rows).min(batch.num_rows() - first);
            for (column, array) in self.columns.iter_mut().zip(batch.columns()) {
                column.update(&array.slice(first, count))?;
            }
            self.rows += count;
            first += count;
            if self.rows == PART_ROWS {
                self.close()?;
            }
        }
        Ok(())
    }

    /// Whether the next rows begin a part.
    pub(super) fn is_aligned(&self) -> bool {
        self.rows == 0
    }

    /// Takes the next [`PART_ROWS`] rows by what is known of them; `false` where they would not be a part of this table.
    pub(super) fn take(&mut self, part: Vec<Digest>) -> bool {
        let fits = self.is_aligned() && part.len() == self.columns.len();
        if fits {
            self.parts.push(part);
        }
        fits
    }

    /// The digests of the last part that is full.
    pub(super) fn part(&self) -> Option<&[Digest]> {
        self.parts.last().map(Vec::as_slice)
    }

    pub(crate) fn finish(mut self) -> Result<TableDigests, TableError> {
        let rows = self.parts.len() * PART_ROWS + self.rows;
        if self.rows > 0 || self.parts.is_empty() {
            self.close()?;
        }
        let names = self.schema.fields().iter().map(|field| field.name().clone());
        let columns = names.enumerate().map(|(i, name)| (name, together(&self.parts, i)));
        let mut metadata = Hasher::new();
        hash_metadata(&mut metadata, self.schema.metadata().iter());
        Ok(TableDigests { rows, columns: columns.collect(), metadata: metadata.finish() })
    }

    fn close(&mut self) -> Result<(), TableError> {
        let full = std::mem::replace(&mut self.columns, hashers(&self.schema)?);
        self.parts.push(full.into_iter().map(ColumnHasher::finish).collect());
        self.rows = 0;
        Ok(())
    }
}

fn hashers(schema: &Schema) -> Result<Vec<ColumnHasher>, TableError> {
    schema.fields().iter().map(|field| ColumnHasher::new(field)).collect()
}

/// The digest of a column from those of its parts.
fn together(parts: &[Vec<Digest>], column: usize) -> Digest {
    if let [only] = parts {
        return only[column];
    }
    let mut hasher = Hasher::new();
    for part in parts {
        hasher.field(part[column].as_bytes());
    }
    hasher.finish()
}

/// Of a part of a column.
struct ColumnHasher {
    name: String,
    /// Type and metadata.
    head: Hasher,
    values: Values,
}

impl ColumnHasher {
    fn new(field: &Field) -> Result<Self, TableError> {
        let mut head = Hasher::new();
        head.field(field.data_type().to_string().as_bytes());
        hash_metadata(&mut head, field.metadata().iter());
        Ok(ColumnHasher { name: field.name().clone(), head, values: Values::new(field.name(), field.data_type())? })
    }

    fn update(&mut self, array: &ArrayRef) -> Result<(), TableError> {
        self.values.update(&self.name, array)
    }

    fn finish(mut self) -> Digest {
        self.values.finish(&mut self.head);
        self.head.finish()
    }
}

/// Nulls and values as two streams, so that neither needs to know how many rows will come.
struct Values {
    length: u64,
    /// The positions of the nulls.
    nulls: blake3::Hasher,
    /// Zeros under nulls; texts each behind its length.
    values: blake3::Hasher,
    /// The items of lists.
    items: Option<Box<Values>>,
}

impl Values {
    fn new(name: &str, data_type: &DataType) -> Result<Self, TableError> {
        use DataType::{Boolean, FixedSizeList, Float32, Float64, Int64, UInt32, UInt64, Utf8};
        let items = match data_type {
            Int64 | UInt32 | UInt64 | Float32 | Float64 | Boolean | Utf8 => None,
            // Of lists without items nothing is stored, not even how many there are.
            FixedSizeList(inner, 1..) => Some(Box::new(Values::new(name, inner.data_type())?)),
            other => return Err(TableError::Unsupported(name.to_owned(), other.clone())),
        };
        Ok(Values { length: 0, nulls: blake3::Hasher::new(), values: blake3::Hasher::new(), items })
    }

    fn update(&mut self, name: &str, array: &ArrayRef) -> Result<(), TableError> {
        match array.data_type() {
            DataType::Int64 => self.primitive(array.as_primitive::<Int64Type>()),
            DataType::UInt32 => self.primitive(array.as_primitive::<UInt32Type>()),
            DataType::UInt64 => self.primitive(array.as_primitive::<UInt64Type>()),
            DataType::Float32 => self.primitive(array.as_primitive::<Float32Type>()),
            DataType::Float64 => self.primitive(array.as_primitive::<Float64Type>()),
            DataType::Boolean => {
                let array = array.as_boolean();
                let bytes: Vec<u8> = (0..array.len()).map(|i| u8::from(array.is_valid(i) && array.value(i))).collect();
                self.values.update(&bytes);
            }
            DataType::Utf8 => self.texts(array.as_string::<i32>()),
            DataType::FixedSizeList(_, _) if array.null_count() == 0 => {
                let Some(items) = &mut self.items else { return Err(unsupported(name, array)) };
                items.update(name, array.as_fixed_size_list().values())?;
            }
            _ => return Err(unsupported(name, array)),
        }
        if let Some(nulls) = array.nulls().filter(|nulls| nulls.null_count() > 0) {
            for i in (0..array.len()).filter(|&i| nulls.is_null(i)) {
                self.nulls.update(&(self.length + i as u64).to_le_bytes());
            }
        }
        self.length += array.len() as u64;
        Ok(())
    }

    /// The values as they lie in memory, which Arrow defines as little-endian in files, and which all supported processors use.
    fn primitive<T: ArrowPrimitiveType>(&mut self, array: &PrimitiveArray<T>) {
        if array.null_count() == 0 {
            self.values.update(array.values().to_byte_slice());
            return;
        }
        let cleaned: Vec<T::Native> =
            (0..array.len()).map(|i| if array.is_null(i) { T::Native::usize_as(0) } else { array.value(i) }).collect();
        self.values.update(cleaned.to_byte_slice());
    }

    fn texts(&mut self, array: &arrow::array::StringArray) {
        // Gathered first: the hash is quick with long pieces and slow with short ones.
        let mut bytes = Vec::with_capacity(1 << 16);
        for value in array {
            let value = value.unwrap_or_default();
            bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
            bytes.extend_from_slice(value.as_bytes());
            if bytes.len() >= 1 << 16 {
                self.values.update(&bytes);
                bytes.clear();
            }
        }
        self.values.update(&bytes);
    }

    fn finish(self, into: &mut Hasher) {
        into.field(&self.length.to_le_bytes());
        into.field(self.nulls.finalize().as_bytes()).field(self.values.finalize().as_bytes());
        if let Some(items) = self.items {
            items.finish(into);
        }
    }
}

fn unsupported(name: &str, array: &ArrayRef) -> TableError {
    TableError::Unsupported(name.to_owned(), array.data_type().clone())
}

fn hash_metadata<'a>(hasher: &mut Hasher, entries: impl Iterator<Item = (&'a String, &'a String)>) {
    let mut sorted: Vec<_> = entries.collect();
    sorted.sort_unstable();
    hasher.field(&(sorted.len() as u64).to_le_bytes());
    for (key, value) in sorted {
        hasher.field(key.as_bytes()).field(value.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Table;
    use arrow::array::{BooleanArray, FixedSizeListArray, Float32Array, Int64Array, StringArray};

    fn digests(pieces: &[RecordBatch]) -> TableDigests {
        let mut hasher = TableHasher::new(&pieces[0].schema()).unwrap();
        pieces.iter().for_each(|piece| hasher.update(piece).unwrap());
        hasher.finish().unwrap()
    }

    fn mixed() -> RecordBatch {
        let vectors = Float32Array::from((0..20).map(|i| (i % 7 != 0).then_some(i as f32)).collect::<Vec<_>>());
        let item = Arc::new(Field::new("item", DataType::Float32, true));
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("number", Arc::new(Int64Array::from((0..10).map(|i| (i % 3 != 1).then_some(i)).collect::<Vec<_>>()))),
            ("whole", Arc::new(Int64Array::from((0..10).collect::<Vec<i64>>()))),
            ("text", Arc::new(StringArray::from((0..10).map(|i| (i != 4).then(|| "x".repeat(i))).collect::<Vec<_>>()))),
            ("flag", Arc::new(BooleanArray::from((0..10).map(|i| (i != 2).then_some(i % 2 == 0)).collect::<Vec<_>>()))),
            ("vector", Arc::new(FixedSizeListArray::new(item, 2, Arc::new(vectors), None))),
        ];
        Table::from_columns(columns).unwrap().batch().clone()
    }

    #[test]
    fn boundaries_of_batches_do_not_count() {
        let whole = mixed();
        let expected = digests(std::slice::from_ref(&whole));
        assert_eq!(expected.rows, 10);
        for cuts in [vec![5], vec![1, 2], vec![0, 3, 9, 10]] {
            let mut pieces = Vec::new();
            let mut from = 0;
            for to in cuts.into_iter().chain([10]) {
                pieces.push(whole.slice(from, to - from));
                from = to;
            }
            assert_eq!(digests(&pieces), expected);
        }
    }

    #[test]
    fn parts_are_cut_by_rows_and_can_be_taken_by_their_digests() {
        let rows = 2 * PART_ROWS + 3;
        let numbers = Int64Array::from((0..rows as i64).map(|i| (i % 5 != 0).then_some(i)).collect::<Vec<_>>());
        let whole = Table::from_columns([("number", Arc::new(numbers) as ArrayRef)]).unwrap().batch().clone();
        let expected = digests(std::slice::from_ref(&whole));
        assert_eq!(expected.rows, rows);
        let pieces = |cuts: &[usize]| -> Vec<RecordBatch> {
            cuts.windows(2).map(|cut| whole.slice(cut[0], cut[1] - cut[0])).collect()
        };
        assert_eq!(digests(&pieces(&[0, 7, PART_ROWS + 1, 2 * PART_ROWS, rows])), expected);
        let parts = pieces(&[0, PART_ROWS, 2 * PART_ROWS, rows]);
        let mut hasher = TableHasher::new(&whole.schema()).unwrap();
        hasher.update(&parts[0]).unwrap();
        let known: Vec<Vec<Digest>> =
            parts.iter().map(|part| vec![digests(std::slice::from_ref(part)).columns[0].1]).collect();
        assert_eq!(hasher.part(), Some(known[0].as_slice()), "of one part the digest is that of the table");
        assert!(hasher.take(known[1].clone()) && !hasher.take(Vec::new()));
        hasher.update(&parts[2]).unwrap();
        assert!(!hasher.take(known[2].clone()), "no part begins here");
        assert_eq!(hasher.finish().unwrap(), expected);
        // Which part comes first is told.
        assert_ne!(digests(&[parts[1].clone(), parts[0].clone()]), digests(&parts[..2]));
    }

    #[test]
    fn every_value_and_null_counts_also_inside_lists() {
        let list = |values: Vec<Option<f32>>| {
            let item = Arc::new(Field::new("item", DataType::Float32, true));
            let array: ArrayRef =
                Arc::new(FixedSizeListArray::new(item, 2, Arc::new(Float32Array::from(values)), None));
            digests(&[Table::from_columns([("vector", array)]).unwrap().batch().clone()]).columns
        };
        let base = list(vec![Some(0.0), Some(1.0)]);
        assert_eq!(base, list(vec![Some(0.0), Some(1.0)]));
        assert_ne!(base, list(vec![None, Some(1.0)]), "a zero is not a missing number");
        assert_ne!(base, list(vec![Some(0.0), Some(2.0)]));
        assert_ne!(base, list(vec![Some(-0.0), Some(1.0)]), "bits count, since they are what a reader gets");
    }
}
