//! `load`: the steps from bytes to a table.
//!
//! Knows nothing of files on a disk: it is handed their bytes and the names to use in messages.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, StringBuilder};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Field, Schema};
use arrow::error::ArrowError;

use super::error::{CsvError, Problem, Problems};
use super::header::{Header, read_header};
use super::layout::Layout;
use super::names::{ADDED, ROW_COLUMNS, in_file};
use super::options::{ColumnType, LoadOptions};
use super::records::{Records, check_text, delimiter_byte};
use super::types::RawColumn;

/// A CSV file in memory.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// What the table's column of sources calls it, e.g. "train".
    pub name: &'a str,
    /// What messages call it.
    pub path: &'a str,
    pub bytes: &'a [u8],
}

/// A table, and what is worth telling although it is no error.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// [`ROW_COLUMNS`], then the files' columns, then derived ones. The schema's metadata holds what `record` needs
    /// to give a file back byte for byte: for each source `header.NAME` (the exact line), `terminator.NAME` (what
    /// ends that line, e.g. `"\r\n"`) and `trailer.NAME` (all that follows the last record), and `delimiter`.
    pub batch: RecordBatch,
    pub notes: Vec<String>,
}

/// Joins the files by column name into one table; a column that a file lacks is missing there.
///
/// Errors are those of all files at once as far as they can be told apart: first of the bytes and headers, then of the
/// names in the options, then of the records, then of the values; ten of a kind, then their count.
pub fn load(inputs: &[Input], options: &LoadOptions) -> Result<Loaded, Vec<CsvError>> {
    let delimiter = delimiter_byte(options.delimiter).map_err(|error| vec![error])?;
    check_inputs(inputs).map_err(|problem| vec![CsvError::options(problem)])?;
    let mut files = open(inputs, delimiter)?;
    let headers: Vec<(&str, Vec<String>)> =
        files.iter().map(|file| (file.records.path(), file.header.names.clone())).collect();
    let layout = Layout::new(&headers, options)?;
    let mut rows = read(&mut files, &layout)?;
    let mut notes: Vec<String> = files.iter().flat_map(File::notes).collect();
    notes.extend(layout.notes.iter().cloned());

    let columns = typed(&mut rows, inputs, &layout, options, &mut notes)?;
    let batch = assemble(&files, rows, columns, options).map_err(|error| vec![error])?;
    let batch = filtered(batch, options).map_err(|error| vec![error])?;
    let schema = batch.schema_ref();
    let kept = ROW_COLUMNS.iter().copied().chain(layout.output.iter().map(String::as_str));
    let kept: Result<Vec<usize>, ArrowError> = kept.map(|name| schema.index_of(name)).collect();
    let batch = kept.and_then(|kept| batch.project(&kept)).map_err(|e| vec![arrow_error(&e)])?;
    Ok(Loaded { batch, notes })
}

/// One file while it is read.
struct File<'a> {
    name: &'a str,
    text: &'a str,
    records: Records<'a>,
    header: Header<'a>,
    /// Records that end otherwise than the header line.
    other_terminators: usize,
}

impl File<'_> {
    fn notes(&self) -> Vec<String> {
        let path = self.records.path();
        let mut notes = Vec::new();
        for position in &self.header.unnamed {
            let name = &self.header.names[position - 1];
            notes.push(format!("{path}: column {position} has no name, it is called '{name}'"));
        }
        for name in &self.header.renamed {
            let written = in_file(name);
            notes.push(format!(
                "{path}: column '{written}' is called '{name}' here, as '{ADDED}' begins the names of added columns"
            ));
        }
        match self.records.blank_lines() {
            0 => {}
            1 => notes.push(format!("{path}: a blank line was skipped")),
            count => notes.push(format!("{path}: {count} blank lines were skipped")),
        }
        if self.other_terminators > 0 {
            let (count, usual) = (self.other_terminators, self.header.terminator);
            notes.push(format!("{path}: {count} lines do not end in {usual:?} like the header"));
        }
        notes
    }
}

/// All records as text, column by column.
struct Rows {
    /// Index of the file of each row.
    source: Vec<usize>,
    line: Vec<i64>,
    record: StringBuilder,
    columns: Vec<StringBuilder>,
}

fn check_inputs(inputs: &[Input]) -> Result<(), Problem> {
    if inputs.is_empty() {
        return Err(Problem::NoInput);
    }
    for (index, input) in inputs.iter().enumerate() {
        if inputs[..index].iter().any(|earlier| earlier.name == input.name) {
            return Err(Problem::DuplicateSource(input.name.to_owned()));
        }
    }
    // Arrow's texts have 32-bit offsets, and the builders panic beyond; `record` holds every byte.
    let bytes: usize = inputs.iter().map(|input| input.bytes.len()).sum();
    if bytes > i32::MAX as usize { Err(Problem::TooLarge(bytes)) } else { Ok(()) }
}

/// Checks the bytes of every file and takes the headers off.
fn open<'a>(inputs: &[Input<'a>], delimiter: u8) -> Result<Vec<File<'a>>, Vec<CsvError>> {
    let (mut files, mut errors) = (Vec::new(), Vec::new());
    for input in inputs {
        let mut records = Records::new(input.path, input.bytes, delimiter);
        // The header first: what it finds (an empty file, UTF-16) explains what the bytes look like.
        let header = read_header(&mut records);
        let file = header.and_then(|header| Ok((header, check_text(input.path, input.bytes)?)));
        match file {
            Ok((header, text)) => {
                files.push(File { name: input.name, text, records, header, other_terminators: 0 });
            }
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(files) } else { Err(errors) }
}

/// Reads the body of every file.
fn read(files: &mut [File], layout: &Layout) -> Result<Rows, Vec<CsvError>> {
    let mut rows = Rows {
        source: Vec::new(),
        line: Vec::new(),
        record: StringBuilder::new(),
        columns: layout.read.iter().map(|_| StringBuilder::new()).collect(),
    };
    let mut problems = Problems::default();
    for (index, file) in files.iter_mut().enumerate() {
        let before = rows.line.len();
        let positions: Vec<Option<usize>> =
            layout.read.iter().map(|name| file.header.names.iter().position(|n| n == name)).collect();
        if let Err(error) = read_file(index, file, &positions, &mut rows, &mut problems) {
            problems.push(error);
        } else if rows.line.len() == before {
            problems.push(CsvError::file(file.records.path(), Problem::HeaderOnly));
        }
    }
    problems.check()?;
    Ok(rows)
}

fn read_file(
    index: usize,
    file: &mut File,
    positions: &[Option<usize>],
    rows: &mut Rows,
    problems: &mut Problems,
) -> Result<(), CsvError> {
    let expected = file.header.names.len();
    while let Some(span) = file.records.next_record()? {
        let fields = file.records.fields();
        if fields.len() != expected {
            let (found, end) = (fields.len(), file.records.last_line());
            let last_line = (end != span.line).then_some(end);
            let problem = Problem::Ragged { expected, found, last_line };
            problems.push(CsvError::line(file.records.path(), span.line, problem));
        }
        for (column, position) in rows.columns.iter_mut().zip(positions) {
            match position.and_then(|position| fields.get(position)) {
                Some(field) => column.append_value(String::from_utf8_lossy(field)),
                None => column.append_null(),
            }
        }
        rows.source.push(index);
        rows.line.push(span.line as i64);
        rows.record.append_value(&file.text[span.start..span.end]);
        if span.terminator.is_some_and(|terminator| terminator != file.header.terminator) {
            file.other_terminators += 1;
        }
    }
    Ok(())
}

/// The read columns, typed, by name.
fn typed(
    rows: &mut Rows,
    inputs: &[Input],
    layout: &Layout,
    options: &LoadOptions,
    notes: &mut Vec<String>,
) -> Result<Vec<(String, ArrayRef)>, Vec<CsvError>> {
    let mut problems = Problems::default();
    let (source, line) = (&rows.source, &rows.line);
    let place = |row: usize| (inputs[source[row]].path, line[row] as u64);
    let mut columns = Vec::with_capacity(layout.read.len());
    for (name, text) in layout.read.iter().zip(&mut rows.columns) {
        let is_label = options.label.as_ref() == Some(name);
        let declared = options.types.get(name).copied();
        let raw = RawColumn {
            name,
            text: text.finish(),
            // Classes are names, also those that are called 1 and 2.
            declared: declared.or(is_label.then_some(ColumnType::Text)),
            missing: &options.missing,
            place: &place,
        };
        let column = raw.convert(&mut problems);
        if column.null_count() == column.len() {
            notes.push(format!("column '{name}' holds no value at all"));
        }
        columns.push((name.clone(), column));
    }
    problems.check()?;
    Ok(columns)
}

/// The table of all rows and columns, derived ones included, before `where` and `keep`.
fn assemble(
    files: &[File],
    mut rows: Rows,
    columns: Vec<(String, ArrayRef)>,
    options: &LoadOptions,
) -> Result<RecordBatch, CsvError> {
    let count = rows.line.len();
    let names = rows.source.iter().map(|index| files[*index].name);
    let first: [ArrayRef; 4] = [
        Arc::new(Int64Array::from_iter_values(0..count as i64)),
        Arc::new(StringArray::from_iter_values(names)),
        Arc::new(Int64Array::from(rows.line)),
        Arc::new(rows.record.finish()),
    ];
    let mut all: Vec<(String, ArrayRef)> = ROW_COLUMNS.map(str::to_owned).into_iter().zip(first).collect();
    all.extend(columns);
    for (name, derivation) in &options.derive {
        let source_column = derivation.source();
        let source = all[ROW_COLUMNS.len()..].iter().find(|(other, _)| other == source_column);
        let derived = match source {
            Some((_, column)) => derivation.apply(column),
            // Only the label may be absent from all files.
            None => Some(arrow::array::new_null_array(&derivation.data_type(), count)),
        };
        let Some(derived) = derived else {
            let (name, source_column) = (name.clone(), source_column.to_owned());
            return Err(CsvError::options(Problem::DerivedFromText { name, source_column }));
        };
        all.push((name.clone(), derived));
    }
    let fields: Vec<Field> = all
        .iter()
        .enumerate()
        // Only what the files hold may be missing.
        .map(|(index, (name, column))| Field::new(name, column.data_type().clone(), index >= ROW_COLUMNS.len()))
        .collect();
    let schema = Schema::new_with_metadata(fields, metadata(files, options));
    let arrays = all.into_iter().map(|(_, array)| array).collect();
    RecordBatch::try_new(Arc::new(schema), arrays).map_err(|error| arrow_error(&error))
}

fn metadata(files: &[File], options: &LoadOptions) -> HashMap<String, String> {
    let mut metadata = HashMap::from([("delimiter".to_owned(), options.delimiter.to_string())]);
    for file in files {
        let trailer = String::from_utf8_lossy(file.records.trailer()).into_owned();
        metadata.insert(format!("header.{}", file.name), file.header.text.to_owned());
        metadata.insert(format!("terminator.{}", file.name), file.header.terminator.to_owned());
        metadata.insert(format!("trailer.{}", file.name), trailer);
    }
    metadata
}

/// The rows that meet `where`.
fn filtered(batch: RecordBatch, options: &LoadOptions) -> Result<RecordBatch, CsvError> {
    if options.where_.is_empty() {
        return Ok(batch);
    }
    let keep = options.where_.rows(&batch).map_err(|error| CsvError::options(error.into()))?;
    let kept = filter_record_batch(&batch, &BooleanArray::from(keep));
    let kept = kept.map_err(|error| arrow_error(&error))?;
    match kept.num_rows() {
        0 => Err(CsvError::options(Problem::NothingLeft(batch.num_rows()))),
        _ => Ok(kept),
    }
}

fn arrow_error(error: &ArrowError) -> CsvError {
    CsvError::options(Problem::Arrow(error.to_string()))
}
