//! `load`: the steps from bytes to a table.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;

use super::absent::{self, Absent, Unlabelled};
use super::body::{File, check_inputs, check_size, open, read};
use super::columns::{BEYOND_F32, derive, typed};
use super::contents::Contents;
use super::error::{Cancelled, CsvError, Problem, bounded};
use super::filter::Filtered;
use super::filter_error::{FilterError, Unmatched};
use super::header::ColumnNames;
use super::header_check;
use super::input::Input;
use super::layout::Layout;
use super::names::ROW_COLUMNS;
use super::options::LoadOptions;
use super::scalar::Scalar;
use super::words::{RowPlace, list};

/// A table, and what is worth telling although it is no error.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// `ROW_COLUMNS`, then the files' columns, then derived ones. The schema's metadata holds what `record` needs
    /// to give a file back byte for byte: for each source `header.NAME` (the exact line), `terminator.NAME` (what
    /// usually ends a line, e.g. `"\r\n"`), `ends.NAME` (what else stands behind a record, as blank lines or nothing at the end of the file: JSON by `row_id`, the
    /// header's under `header`), `quote.NAME` (`none` or the character around fields), of files without a header `names.NAME` (the columns as JSON), and `delimiter`.
    /// Of files in other encodings the text is the decoded one, of Parquet and Arrow files that of a CSV file with the same cells.
    pub batch: RecordBatch,
    /// In words, for the user.
    pub notes: Vec<String>,
    /// Of rows without a label.
    pub unlabelled: Option<Unlabelled>,
}

impl Loaded {
    /// All that is worth telling, in words.
    pub fn told(&self) -> Vec<String> {
        self.notes.iter().chain(self.unlabelled.iter().map(|found| &found.told)).cloned().collect()
    }
}

/// Joins the files by column name into one table; a column that a file lacks is missing there.
///
/// Errors are those of all files at once as far as they can be told apart: first of the bytes and headers, then of the
/// names in the options, then of the records, then of the values; ten of a kind, then their count.
///
/// ```
/// use runner_tabular::{Input, LoadOptions, load};
///
/// let bytes = b"title,tempo\nAlpha,120\nOmega,\n";
/// let input = Input { name: "all", path: "songs.csv", bytes };
/// let loaded = load(&[input], &LoadOptions::default()).expect("a table");
/// assert_eq!(loaded.batch.num_rows(), 2);
/// assert_eq!(loaded.batch.column_by_name("tempo").expect("a column").null_count(), 1);
///
/// let ragged = Input { bytes: b"title,tempo\nAlpha\n", ..input };
/// assert!(load(&[ragged], &LoadOptions::default()).unwrap_err()[0].to_string().contains("songs.csv:2"));
/// ```
pub fn load(inputs: &[Input], options: &LoadOptions) -> Result<Loaded, Vec<CsvError>> {
    load_until(inputs, options, &|| false)
}

/// The same, until it is cancelled.
pub fn load_until(inputs: &[Input], options: &LoadOptions, cancelled: Cancelled) -> Result<Loaded, Vec<CsvError>> {
    load_behind(inputs, options, None, cancelled)
}

/// The same of files that had so many more lines behind their header, which were left out.
pub(super) fn load_behind(
    inputs: &[Input],
    options: &LoadOptions,
    skipped: Option<u64>,
    cancelled: Cancelled,
) -> Result<Loaded, Vec<CsvError>> {
    let misfits: Vec<Problem> = options.dialect.misfits().into_iter().map(Problem::Misfit).collect();
    if !misfits.is_empty() {
        return Err(bounded(misfits));
    }
    check_inputs(inputs).map_err(|problem| vec![CsvError::options(problem)])?;
    let contents: Vec<Result<Contents, CsvError>> =
        inputs.iter().map(|input| Contents::read(input.path, input.bytes, &options.dialect, cancelled)).collect();
    check_size(&contents).map_err(|problem| vec![CsvError::options(problem)])?;
    let mut files = open(inputs, &contents, &options.dialect, skipped, cancelled)?;
    let headers: Vec<(&str, ColumnNames)> =
        files.iter().map(|file| (file.records.path(), file.header.columns.clone())).collect();
    let layout = Layout::new(&headers, options)?;
    let mut rows = read(&mut files, &layout, cancelled)?;
    let mut notes: Vec<String> = contents.iter().flatten().filter_map(|contents| contents.note.clone()).collect();
    notes.extend(files.iter().flat_map(File::notes));
    notes.extend(layout.notes.iter().cloned());

    let (source, line) = (std::mem::take(&mut rows.source), std::mem::take(&mut rows.line));
    let place = |row: usize| {
        let file = &files[source[row]];
        RowPlace { path: file.records.path(), number: line[row] as u64, unit: file.unit() }
    };
    let texts: Vec<StringArray> = rows.columns.iter_mut().map(StringBuilder::finish).collect();
    let with_header = |(_, file): &(usize, &File)| options.dialect.header && file.cells.is_none();
    notes.extend(files.iter().enumerate().filter(with_header).filter_map(|(index, file)| {
        let named = |name: &str| file.header.columns.is_written(name);
        let columns: Vec<(&str, &StringArray)> =
            layout.read.iter().map(String::as_str).zip(&texts).filter(|(name, _)| named(name)).collect();
        let first = source.partition_point(|&other| other < index);
        let end = source.partition_point(|&other| other <= index);
        header_check::note(file.records.path(), &columns, first..end, &place)
    }));
    let written: HashMap<&str, StringArray> =
        layout.read.iter().map(String::as_str).zip(texts.iter().cloned()).collect();
    let typed = typed(layout.read.iter().zip(texts), options, &place, &mut notes, cancelled)?;
    let (names, record) = (source.iter().map(|&file| files[file].name), rows.record.finish());
    let first: [ArrayRef; 4] = [
        Arc::new(Int64Array::from_iter_values(0..line.len() as i64)),
        Arc::new(StringArray::from_iter_values(names)),
        Arc::new(Int64Array::from_iter_values(line.iter().copied())),
        Arc::new(record),
    ];
    let mut columns: Vec<(String, ArrayRef)> = ROW_COLUMNS.map(str::to_owned).into_iter().zip(first).collect();
    columns.extend(typed.columns);
    derive(&mut columns, &written, options, &place, &mut notes)?;
    let batch = assemble(&files, columns, typed.beyond, options).map_err(|error| vec![error])?;
    let Filtered { batch, keep, unmatched } = filtered(&batch, options).map_err(|error| vec![error])?;
    notes.extend(unmatched.iter().map(|unmatched| format!("where: {unmatched}")));
    notes.extend(emptied(&files, &source, &keep, options));
    let kept = absent::Rows { keep: &keep, source: &source, place: &place };
    let unlabelled = typed.label.and_then(|label| label.unlabelled(&kept, &options.missing));
    notes.extend(Absent::text_note(typed.texts, &kept, &options.missing));

    let schema = batch.schema_ref();
    let kept = ROW_COLUMNS.iter().copied().chain(layout.output.iter().map(String::as_str));
    let kept: Result<Vec<usize>, ArrowError> = kept.map(|name| schema.index_of(name)).collect();
    let batch = kept.and_then(|kept| batch.project(&kept)).map_err(|e| vec![arrow_error(&e)])?;
    Ok(Loaded { batch, notes, unlabelled })
}

/// The table of all rows and columns, before `where` and `keep`.
fn assemble(
    files: &[File],
    all: Vec<(String, ArrayRef)>,
    mut beyond: HashMap<String, String>,
    options: &LoadOptions,
) -> Result<RecordBatch, CsvError> {
    let fields: Vec<Field> = all
        .iter()
        .enumerate()
        // Only what the files hold may be missing.
        .map(|(index, (name, column))| {
            let field = Field::new(name, column.data_type().clone(), index >= ROW_COLUMNS.len());
            let is_own_text = index >= ROW_COLUMNS.len() && *column.data_type() == DataType::Utf8;
            let numerals = options.dialect.numerals().metadata().filter(|_| is_own_text);
            let beyond = beyond.remove(name).map(|places| (BEYOND_F32.to_owned(), places));
            field.with_metadata(beyond.into_iter().chain(numerals).collect::<HashMap<_, _>>())
        })
        .collect();
    let schema = Schema::new_with_metadata(fields, metadata(files, options));
    let arrays = all.into_iter().map(|(_, array)| array).collect();
    RecordBatch::try_new(Arc::new(schema), arrays).map_err(|error| arrow_error(&error))
}

fn metadata(files: &[File], options: &LoadOptions) -> HashMap<String, String> {
    let mut metadata = HashMap::from([("delimiter".to_owned(), options.dialect.delimiter.to_string())]);
    for file in files {
        metadata.insert(format!("header.{}", file.name), file.header.text.to_owned());
        metadata.insert(format!("quote.{}", file.name), file.dialect.quote.text());
        if !file.dialect.header {
            metadata.insert(format!("names.{}", file.name), serde_json::json!(file.header.columns.names).to_string());
        }
        metadata.insert(format!("terminator.{}", file.name), file.header.terminator.to_owned());
        if !file.ends.is_empty() {
            metadata.insert(format!("ends.{}", file.name), serde_json::json!(file.ends).to_string());
        }
    }
    metadata
}

/// The rows that meet `where`.
fn filtered(batch: &RecordBatch, options: &LoadOptions) -> Result<Filtered, CsvError> {
    let hinted = |mut unmatched: Unmatched| {
        let column = &unmatched.column;
        if let Scalar::Text(token) = &unmatched.value
            && options.missing.tokens(column).iter().any(|missing| missing == token.trim())
        {
            unmatched.hint = format!(
                ": it stands for a missing value there (`{{missing: true}}` selects these, {} keeps it as text)",
                options.missing.changed(column, &[], &[token.trim()])
            );
        }
        unmatched
    };
    match options.where_.apply(batch) {
        Ok(mut filtered) => {
            filtered.unmatched = filtered.unmatched.into_iter().map(hinted).collect();
            Ok(filtered)
        }
        Err(FilterError::NothingLeft { rows, unmatched }) => {
            let unmatched = unmatched.into_iter().map(hinted).collect();
            Err(CsvError::options(FilterError::NothingLeft { rows, unmatched }.into()))
        }
        Err(error) => Err(CsvError::options(error.into())),
    }
}

/// What to say of files of which `where` leaves no row, unless it asks for rows by their file.
fn emptied(files: &[File], source: &[usize], keep: &[bool], options: &LoadOptions) -> Vec<String> {
    let mut left = vec![0usize; files.len()];
    source.iter().zip(keep).for_each(|(&file, &keep)| left[file] += usize::from(keep));
    let is_own = |name: &str| files.iter().any(|file| file.header.columns.names.iter().any(|own| own == name));
    if !options.where_.columns().all(is_own) {
        return Vec::new();
    }
    let emptied = files.iter().zip(left).filter(|(_, left)| *left == 0).map(|(file, _)| file);
    let note = |file: &File| {
        let path = file.records.path();
        let mut absent =
            options.where_.columns().filter(|name| !file.header.columns.names.iter().any(|own| own == name)).peekable();
        let why = match absent.peek() {
            Some(_) => format!(", as it has no column {}", list(absent, 10)),
            None => String::new(),
        };
        format!(
            "where: no row of {path} is left{why} (to choose rows to learn from only, write `where` in the `split` stage instead)"
        )
    };
    emptied.map(note).collect()
}

fn arrow_error(error: &ArrowError) -> CsvError {
    CsvError::options(Problem::Arrow(error.to_string()))
}
