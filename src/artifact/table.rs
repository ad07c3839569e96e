//! `Table`: an Arrow record batch, and its form on disk (Arrow IPC).

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};
use arrow::ipc::writer::FileWriter;

use super::error::TableError;
use super::table_digest::{TableDigests, TableHasher};

/// Rows and named columns, held in memory as one record batch.
///
/// ```
/// use std::sync::Arc;
///
/// use arrow::array::{ArrayRef, Int64Array, StringArray};
/// use runner_artifact::Table;
///
/// let plays: ArrayRef = Arc::new(Int64Array::from(vec![Some(3), None]));
/// let titles: ArrayRef = Arc::new(StringArray::from(vec!["Alpha", "Omega"]));
/// let table = Table::from_columns([("title", titles), ("plays", plays)])?;
/// assert_eq!(table.rows(), 2);
/// assert_eq!(table.column("plays")?.null_count(), 1);
/// assert!(table.column("tempo").unwrap_err().to_string().contains("tempo"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    batch: RecordBatch,
}

impl Table {
    /// Takes the batch as it is.
    pub fn new(batch: RecordBatch) -> Self {
        Table { batch }
    }

    /// A table without metadata from named columns of equal length.
    pub fn from_columns<N: Into<String>>(columns: impl IntoIterator<Item = (N, ArrayRef)>) -> Result<Self, TableError> {
        let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) =
            columns.into_iter().map(|(name, array)| (Field::new(name, array.data_type().clone(), true), array)).unzip();
        Ok(Table { batch: RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)? })
    }

    /// All rows.
    pub fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    /// All rows.
    pub fn into_batch(self) -> RecordBatch {
        self.batch
    }

    /// With its metadata.
    pub fn schema(&self) -> SchemaRef {
        self.batch.schema()
    }

    /// How many.
    pub fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// In their order.
    pub fn column_names(&self) -> Vec<String> {
        self.batch.schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    /// All values of a column.
    pub fn column(&self, name: &str) -> Result<&ArrayRef, TableError> {
        self.batch
            .column_by_name(name)
            .ok_or_else(|| TableError::NoColumn { name: name.to_owned(), present: listed(&self.column_names()) })
    }

    /// The named columns in that order; names that the table does not have are left out.
    pub fn project(&self, names: &[String]) -> Result<Table, TableError> {
        let schema = self.batch.schema();
        let indices: Vec<usize> = names.iter().filter_map(|name| schema.index_of(name).ok()).collect();
        Ok(Table { batch: self.batch.project(&indices)? })
    }

    /// The Arrow IPC file, uncompressed so that readers can map it.
    pub fn to_ipc(&self) -> Result<Vec<u8>, TableError> {
        let mut writer = FileWriter::try_new(Vec::new(), &self.batch.schema())?;
        writer.write(&self.batch)?;
        writer.finish()?;
        Ok(writer.into_inner()?)
    }

    /// What identifies the content: see [`TableHasher`].
    pub fn digests(&self) -> Result<TableDigests, TableError> {
        let mut hasher = TableHasher::new(&self.batch.schema())?;
        hasher.update(&self.batch)?;
        hasher.finish()
    }

    /// Without the schema's metadata, for readers that did not declare it.
    pub fn without_metadata(&self) -> Result<Table, TableError> {
        let schema = Schema::new(self.batch.schema().fields().clone());
        // A table without columns has rows all the same.
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows()));
        let columns = self.batch.columns().to_vec();
        Ok(Table { batch: RecordBatch::try_new_with_options(Arc::new(schema), columns, &options)? })
    }
}

/// The first names and how many more there are, for a message.
fn listed(names: &[impl AsRef<str>]) -> String {
    const MOST: usize = 30;
    let shown: Vec<&str> = names.iter().take(MOST).map(AsRef::as_ref).collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Float64Array, StringArray};

    fn table(numbers: Vec<Option<f64>>, texts: Vec<Option<&str>>) -> Table {
        let numbers: ArrayRef = Arc::new(Float64Array::from(numbers));
        let texts: ArrayRef = Arc::new(StringArray::from(texts));
        Table::from_columns([("tempo", numbers), ("title", texts)]).unwrap()
    }

    #[test]
    fn ipc_round_trips_and_is_repeatable() {
        let table = table(vec![Some(1.5), None], vec![Some("a, b"), None]);
        let bytes = table.to_ipc().unwrap();
        assert_eq!(bytes, table.to_ipc().unwrap());
        assert_eq!(Table::from_ipc(&bytes).unwrap(), table);
        assert!(Table::from_ipc(&bytes[..bytes.len() / 2]).is_err());
    }

    #[test]
    fn a_column_digest_sees_values_nulls_and_order_of_that_column_only() {
        let digests = |table: &Table| table.digests().unwrap().columns;
        let base = digests(&table(vec![Some(0.0), None], vec![Some("a"), Some("")]));
        let other_title = digests(&table(vec![Some(0.0), None], vec![Some("a"), None]));
        let other_tempo = digests(&table(vec![Some(0.0), Some(0.0)], vec![Some("a"), Some("")]));
        assert_eq!(base[0], other_title[0]);
        assert_ne!(base[1], other_title[1], "an empty text is not a missing one");
        assert_ne!(base[0], other_tempo[0], "a zero is not a missing number");
        assert_eq!(base[1], other_tempo[1]);
    }
}
