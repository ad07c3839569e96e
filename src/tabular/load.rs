//! `load`: the steps from bytes to a table.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, StringBuilder};
use arrow::datatypes::{Field, Schema};
use arrow::error::ArrowError;

use super::absent::{self, Absent};
use super::columnar::Cells;
use super::columns::{BEYOND_F32, derive, typed};
use super::condition::Scalar;
use super::contents::Contents;
use super::dialect::Dialect;
use super::encoding::check_text;
use super::error::{Cancelled, CsvError, Problem, Problems, bounded, go_on, tell_of_delimiter};
use super::filter::{FilterError, Filtered, Unmatched};
use super::header::{ColumnNames, Header, read_header};
use super::header_check;
use super::layout::Layout;
use super::names::{ADDED, ROW_COLUMNS, in_file};
use super::options::LoadOptions;
use super::records::{Records, loosely_quoted};
use super::words::{RowPlace, Unit, list};

/// Records read between two looks at whether to stop.
const BETWEEN_LOOKS: usize = 1024;

/// A CSV file in memory.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// What the table's column of sources calls it, e.g. "train".
    pub name: &'a str,
    /// What messages call it.
    pub path: &'a str,
    /// The whole file.
    pub bytes: &'a [u8],
}

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
    let misfits: Vec<Problem> = options.dialect.misfits().into_iter().map(Problem::Misfit).collect();
    if !misfits.is_empty() {
        return Err(bounded(misfits));
    }
    check_inputs(inputs).map_err(|problem| vec![CsvError::options(problem)])?;
    let contents: Vec<Result<Contents, CsvError>> =
        inputs.iter().map(|input| Contents::read(input.path, input.bytes, &options.dialect, cancelled)).collect();
    check_size(&contents).map_err(|problem| vec![CsvError::options(problem)])?;
    let mut files = open(inputs, &contents, &options.dialect, cancelled)?;
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
    notes.extend(typed.label.into_iter().flat_map(|label| label.label_notes(&kept, &options.missing)));
    notes.extend(Absent::text_note(typed.texts, &kept, &options.missing));

    let schema = batch.schema_ref();
    let kept = ROW_COLUMNS.iter().copied().chain(layout.output.iter().map(String::as_str));
    let kept: Result<Vec<usize>, ArrowError> = kept.map(|name| schema.index_of(name)).collect();
    let batch = kept.and_then(|kept| batch.project(&kept)).map_err(|e| vec![arrow_error(&e)])?;
    Ok(Loaded { batch, notes })
}

/// Cells that a note shows.
const EXAMPLES: usize = 3;

/// Characters of a cell that a note shows.
const SHOWN: usize = 40;

/// One file while it is read.
struct File<'a> {
    name: &'a str,
    text: &'a str,
    records: Records<'a>,
    header: Header<'a>,
    dialect: &'a Dialect,
    /// Of a file of columns.
    cells: Option<&'a Cells>,
    /// Records that end otherwise than the header line.
    other_terminators: usize,
    /// Cells with text behind a closing quote: how many, and the first ones, each with its line and as what it is read.
    loose_quotes: (usize, Vec<String>),
    /// What stands behind records up to the next, where it is not the header's terminator: by row, the header's as `header`.
    ends: BTreeMap<String, &'a str>,
}

impl File<'_> {
    /// What its rows are counted by.
    fn unit(&self) -> Unit {
        if self.cells.is_some() { Unit::Row } else { Unit::Line }
    }

    /// Notes what stands between a record and the next.
    fn note_end(&mut self, record: String, from: usize, to: usize) {
        let end = &self.text[from..to];
        if end != self.header.terminator {
            self.ends.insert(record, end);
        }
    }

    fn notes(&self) -> Vec<String> {
        let path = self.records.path();
        let mut notes = Vec::new();
        let columns = &self.header.columns;
        match columns.unnamed.as_slice() {
            [] => {}
            [position] => {
                let name = &columns.names[position - 1];
                notes.push(format!("{path}: column {position} has no name, it is called '{name}'"))
            }
            many => {
                let positions: Vec<String> = many.iter().map(usize::to_string).collect();
                let positions = list(positions.iter().map(String::as_str), 10);
                let names = list(columns.of_unnamed(), 10);
                notes.push(format!("{path}: columns {positions} have no names, they are called {names}"));
            }
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
        if let (count @ 1.., examples) = &self.loose_quotes {
            let cells = if *count == 1 { "a cell has".to_owned() } else { format!("{count} cells have") };
            let more = if *count > examples.len() { " …" } else { "" };
            notes.push(format!(
                "{path}: {cells} text behind a closing quote, so that the quotes are lost: {}{more} (write a quote within a quoted cell twice, and put the whole \
                 cell in quotes)",
                examples.join("; ")
            ));
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

/// The same of what the files hold once they are unpacked and decoded.
fn check_size(contents: &[Result<Contents, CsvError>]) -> Result<(), Problem> {
    let bytes: usize = contents.iter().flatten().map(|contents| contents.text.len()).sum();
    if bytes > i32::MAX as usize { Err(Problem::TooLarge(bytes)) } else { Ok(()) }
}

/// Checks the bytes of every file and takes the headers off; if some fail, the records of the others are checked too.
fn open<'a>(
    inputs: &[Input<'a>],
    contents: &'a [Result<Contents<'a>, CsvError>],
    dialect: &Dialect,
    cancelled: Cancelled,
) -> Result<Vec<File<'a>>, Vec<CsvError>> {
    let (mut files, mut errors) = (Vec::new(), Vec::new());
    for (input, contents) in inputs.iter().zip(contents) {
        let contents = match contents {
            Ok(contents) => contents,
            Err(error) => {
                errors.push(error.clone());
                continue;
            }
        };
        let mut records = Records::new(input.path, &contents.text, &contents.dialect);
        // The header first: what it finds (an empty file, UTF-16) explains what the bytes look like.
        let header = read_header(&mut records, &contents.dialect, true, contents.cells.is_some());
        let text =
            |header| check_text(input.path, &contents.text).map(|text| (header, text)).map_err(|error| vec![error]);
        let file = header.and_then(text);
        match file {
            Ok((header, text)) => {
                files.push(File {
                    name: input.name,
                    text,
                    records,
                    header,
                    dialect: &contents.dialect,
                    cells: contents.cells.as_ref(),
                    other_terminators: 0,
                    loose_quotes: (0, Vec::new()),
                    ends: BTreeMap::new(),
                });
            }
            Err(found) => errors.extend(found),
        }
    }
    if errors.is_empty() {
        return Ok(files);
    }
    if let Some(sound) = files.iter().find(|file| file.header.columns.names.len() > 1) {
        tell_of_delimiter(&mut errors, sound.records.path(), dialect.delimiter);
    }
    errors.extend(read(&mut files, &Layout::default(), cancelled).err().into_iter().flatten());
    Err(errors)
}

/// Reads the body of every file.
fn read(files: &mut [File], layout: &Layout, cancelled: Cancelled) -> Result<Rows, Vec<CsvError>> {
    let mut rows = Rows {
        source: Vec::new(),
        line: Vec::new(),
        record: StringBuilder::new(),
        columns: layout.read.iter().map(|_| StringBuilder::new()).collect(),
    };
    let mut errors = Vec::new();
    for (index, file) in files.iter_mut().enumerate() {
        // For each file on its own, so that one does not hide the next.
        let mut problems = Problems::default();
        let before = rows.line.len();
        let places: HashMap<&str, usize> = file.header.columns.names.iter().map(String::as_str).zip(0..).collect();
        let positions: Vec<Option<usize>> = layout.read.iter().map(|name| places.get(name.as_str()).copied()).collect();
        if let Err(error) = read_file(index, file, &positions, layout.label, &mut rows, &mut problems, cancelled) {
            problems.push(error);
        } else if rows.line.len() == before {
            problems.push(CsvError::file(file.records.path(), Problem::HeaderOnly));
        }
        errors.extend(problems.check().err().into_iter().flatten());
    }
    if errors.is_empty() { Ok(rows) } else { Err(errors) }
}

fn read_file(
    index: usize,
    file: &mut File,
    positions: &[Option<usize>],
    label: Option<usize>,
    rows: &mut Rows,
    problems: &mut Problems,
    cancelled: Cancelled,
) -> Result<(), CsvError> {
    let expected = file.header.columns.names.len();
    let first = rows.line.len();
    let (mut record, mut end) = ("header".to_owned(), file.records.end());
    // What ended the record before; the first may follow anything.
    let mut before = Some(file.header.terminator);
    while let Some(span) = file.records.next_record()? {
        file.note_end(std::mem::replace(&mut record, rows.line.len().to_string()), end, span.start);
        end = span.end;
        if rows.line.len().is_multiple_of(BETWEEN_LOOKS) {
            go_on(cancelled)?;
        }
        let fields = file.records.fields();
        let is_alone = |terminator: Option<&str>| terminator == Some("\r") && file.header.terminator != "\r";
        let is_broken = is_alone(std::mem::replace(&mut before, span.terminator)) || is_alone(span.terminator);
        if fields.len() != expected {
            let (found, end) = (fields.len(), file.records.last_line());
            let last_line = (end != span.line).then_some(end);
            let problem = Problem::Ragged { expected, found, last_line, is_broken };
            problems.push(CsvError::line(file.records.path(), span.line, problem));
        }
        let row = rows.line.len() - first;
        // Nothing at all is missing whatever stands for a missing value.
        let is_null = |position: usize| file.cells.is_some_and(|cells| cells.is_null(row, position));
        for (i, (column, position)) in rows.columns.iter_mut().zip(positions).enumerate() {
            // Of labels that are not there, blank ones are told of.
            let position = position.filter(|position| label == Some(i) || !is_null(*position));
            match position.and_then(|position| fields.get(position)) {
                Some(field) => column.append_value(String::from_utf8_lossy(field)),
                None => column.append_null(),
            }
        }
        for (place, written) in loosely_quoted(&file.text[span.start..span.end], file.records.marks()) {
            let (count, examples) = &mut file.loose_quotes;
            *count += 1;
            if examples.len() < EXAMPLES {
                let read = file.records.fields().get(place).map(String::from_utf8_lossy).unwrap_or_default();
                let shown = |text: &str| -> String { text.chars().take(SHOWN).collect() };
                examples.push(format!("line {}: '{}' is read as '{}'", span.line, shown(written), shown(&read)));
            }
        }
        rows.source.push(index);
        rows.line.push(if file.cells.is_some() { row as i64 + 1 } else { span.line as i64 });
        rows.record.append_value(&file.text[span.start..span.end]);
        if span.terminator.is_some_and(|terminator| terminator != file.header.terminator) {
            file.other_terminators += 1;
        }
    }
    file.note_end(record, end, file.text.len());
    Ok(())
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
            match beyond.remove(name) {
                Some(places) => field.with_metadata(HashMap::from([(BEYOND_F32.to_owned(), places)])),
                None => field,
            }
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
