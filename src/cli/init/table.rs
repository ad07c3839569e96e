//! What a table is that a study begins with: how it is read, what its columns are for, and why.

use std::collections::HashSet;
use std::io::Cursor;
use std::path::Path;

use arrow::array::RecordBatch;
use indexmap::IndexMap;

use super::super::Failure;
use super::super::study::{invalid, invalid_lines};
use super::columns::{Chosen, Limits, Use, audited, beyond, chosen, name_derived};
use super::order::{self, Order};
use super::rows::{classes_of, labelled, rows_of, texts};
use crate::boundary::files::read_regular;
use crate::boundary::text::in_shell;
use crate::names::{did_you_mean, listed};
use crate::tabular::{
    Changes, ColumnRole, ColumnType, CsvError, Dialect, Encoding, Input, LoadOptions, Loaded, Missing, Problem,
    Sniffed, Tokens, column_roles, composed, header, load, sniff,
};

/// A file, and what the table of a `load` stage calls it.
pub(super) struct Source {
    pub(super) name: &'static str,
    pub(super) path: String,
    bytes: Vec<u8>,
}

impl Source {
    pub(super) fn read(name: &'static str, path: &Path) -> Result<Self, Failure> {
        let shown = path.display().to_string();
        let bytes = read_regular(path).map_err(|error| invalid(&format!("cannot read '{shown}': {error}")))?;
        Ok(Source { name, path: shown, bytes })
    }

    /// Its columns.
    fn header(&self, dialect: &Dialect) -> Result<Vec<String>, Failure> {
        header(&self.path, Cursor::new(self.bytes.as_slice()), dialect)
            .map(|columns| columns.names)
            .map_err(|errors| refused(&errors))
    }

    fn input(&self) -> Input<'_> {
        Input { name: self.name, path: &self.path, bytes: &self.bytes }
    }
}

/// All that a draft of a study needs to know.
pub(super) struct StudyTable {
    pub(super) label: String,
    /// How the files are read, and why so.
    pub(super) sniffed: Sniffed,
    /// Labelled rows of the training file.
    pub(super) rows: usize,
    /// What to say of the rows that have none.
    pub(super) unlabelled: Option<String>,
    /// What to say of tokens for missing values that are kept as classes.
    pub(super) kept: Option<String>,
    /// Rows by class, the most frequent first.
    pub(super) classes: Vec<(String, usize)>,
    /// The order that the names of the classes tell.
    pub(super) order: Option<Order>,
    /// The fewest rows of a class that is learnt.
    pub(super) least: usize,
    /// By column, tokens among its numbers that stand for a missing value, and those among the labels that do not.
    pub(super) missing: IndexMap<String, Changes>,
    /// Columns of numbers of which some have leading zeros.
    pub(super) numbers: Vec<String>,
    pub(super) columns: Vec<Chosen>,
    /// Columns whose equal values make rows copies of one another, with the number of rows that are copies.
    pub(super) groups: Option<(Vec<String>, usize)>,
}

/// The fewest rows of a class that can be in three parts and several folds, and fewer where a table has not so many.
const LEAST: [usize; 2] = [8, 4];

/// A look-up that is right on this share of all rows is the label under another name.
const IS_THE_LABEL: f64 = 0.995;

/// Reads the files and decides on every column.
pub(super) fn study(
    train: &Source,
    new: Option<&Source>,
    label: Option<&str>,
    encoding: Option<Encoding>,
) -> Result<StudyTable, Failure> {
    let sources: Vec<&Source> = std::iter::once(train).chain(new).collect();
    let inputs: Vec<Input> = sources.iter().map(|source| source.input()).collect();
    // A number is a place; anything else names a column, wherever it stands.
    let column = label.filter(|asked| asked.parse::<usize>().is_err());
    let sniffed = sniff(&inputs, encoding, column).map_err(|errors| match errors.as_slice() {
        [error] if matches!(error.problem.as_ref(), Problem::NotUtf8(_)) => {
            invalid_lines([error.to_string(), "to go on, name it: `--encoding NAME`".to_owned()])
        }
        errors => refused(errors),
    })?;
    let dialect = &sniffed.dialect;
    let names = train.header(dialect)?;
    let label = match label {
        Some(asked) => Some(named(&names, asked, dialect.header)?),
        None => None,
    };
    let mut options = LoadOptions { label: label.clone(), dialect: dialect.clone(), ..LoadOptions::default() };
    let (mut loaded, mut missing) = read(&inputs, &mut options, IndexMap::new())?;
    if let (Some(label), Some(found)) = (&label, loaded.unlabelled.clone().filter(|found| !found.tokens.is_empty()))
        && classes_of(&rows_of(&loaded.batch, train.name)?, label)?.len() < 2
    {
        // Without them nothing is left to tell apart.
        missing.entry(label.clone()).or_default().remove = found.tokens;
        (loaded, missing) = read(&inputs, &mut options, missing)?;
    }
    let tokens = label.as_ref().and_then(|label| missing.get(label)).map_or(Vec::new(), |own| own.remove.clone());
    let (batch, unlabelled) = (loaded.batch, loaded.unlabelled.map(|found| found.told));
    let of_train = rows_of(&batch, train.name)?;
    let columns = column_roles(&of_train, label.as_deref());
    let Some(label) = label else { return Err(candidates(&of_train, &columns)) };
    let (labelled, classes) = labelled(&of_train, &label, unlabelled.as_deref())?;
    let kept = kept(&label, &tokens, &classes);
    let in_new = new.map(|new| new.header(dialect)).transpose()?;
    // Where no line names columns, those of a file that has fewer are taken for the first ones.
    if !dialect.header
        && let (Some(new), Some(in_new)) = (new, &in_new)
        && in_new.len() < names.len()
        && in_new.contains(&label)
    {
        return Err(invalid(&format!(
            "{} has {} of the {} columns of {}, and no line says which: if it lacks '{label}', write a line of names above both files",
            new.path,
            in_new.len(),
            names.len(),
            train.path
        )));
    }
    let least = LEAST.into_iter().find(|least| classes.iter().filter(|(_, rows)| rows >= least).count() >= 2);
    let Some(least) = least else {
        return Err(too_few(&label, &classes));
    };
    let audited = audited(&labelled, &label)?;
    let decided = |is_the_label: f64| -> Vec<Chosen> {
        let choose = |column: &ColumnRole| {
            let limits = Limits { rows: of_train.num_rows(), is_the_label };
            chosen(column, &limits, in_new.as_deref(), &audited, beyond(&batch, &column.name))
        };
        columns.iter().map(choose).collect()
    };
    let are_left_out = |columns: &[Chosen]| columns.iter().all(|column| column.use_ == Use::LeftOut);
    let mut decisions = decided(IS_THE_LABEL);
    if are_left_out(&decisions) {
        // Where nothing else is there, classes may well be as easy to tell as that.
        decisions = decided(f64::INFINITY);
    }
    let mut columns = decisions;
    name_derived(&mut columns, &label);
    if columns.is_empty() {
        return Err(invalid(&format!("{} has no column but the label '{label}'", train.path)));
    }
    if are_left_out(&columns) {
        let reasons = columns.iter().map(|column| format!("  '{}': {}", column.name, column.why));
        return Err(invalid_lines(std::iter::once("no column is left to learn from".to_owned()).chain(reasons)));
    }
    let groups = copies(&labelled, &columns);
    let (rows, numbers) = (labelled.num_rows(), options.types.into_keys().collect());
    let order = order::of(&label, &classes.iter().map(|(class, _)| class.clone()).collect::<Vec<_>>());
    Ok(StudyTable { label, sniffed, rows, unlabelled, kept, classes, order, least, missing, numbers, columns, groups })
}

/// Of a label that nothing can be learnt of: each value is there a few times at most, or one alone is there more often.
fn too_few(label: &str, classes: &[(String, usize)]) -> Failure {
    let [.., least] = LEAST;
    let shown: Vec<String> = classes.iter().take(5).map(|(class, rows)| format!("'{class}' in {rows}")).collect();
    let more =
        if classes.len() > shown.len() { format!(", and {} more", classes.len() - shown.len()) } else { String::new() };
    invalid_lines([
        format!("no two of the {} values of '{label}' are there in {least} rows or more: {}{more}", classes.len(), shown.join(", ")),
        "classes are learnt from rows that have them; a number that was measured is no class, but ranges of it are: write them into a column of their own"
            .to_owned(),
    ])
}

/// The label by its name, or by its place in the header, counted from 1.
fn named(names: &[String], asked: &str, has_header: bool) -> Result<String, Failure> {
    if let Some(name) = names.iter().find(|name| **name == composed(asked)) {
        return Ok(name.clone());
    }
    let place = asked.parse::<usize>().ok().and_then(|place| place.checked_sub(1));
    match place.and_then(|place| names.get(place)) {
        Some(name) => Ok(name.clone()),
        None => {
            let meant = did_you_mean(asked, names.iter().map(String::as_str));
            let unknown = format!("there is no column '{asked}'{meant}; the columns are {}", listed(names));
            let counted = "the first line looks like a record, so columns are counted: give the number of the label's, or if that line does name the columns, the \
                           label's name as it stands there";
            Err(invalid_lines(std::iter::once(unknown).chain((!has_header).then(|| counted.to_owned()))))
        }
    }
}

/// Loads the files as the study will; words among the numbers of a column are taken for missing values.
fn read(
    inputs: &[Input],
    options: &mut LoadOptions,
    mut missing: IndexMap<String, Changes>,
) -> Result<(Loaded, IndexMap<String, Changes>), Failure> {
    /// Each time the words that were shown are made missing.
    const TRIES: usize = 12;
    let tokens = |missing: &IndexMap<String, Changes>| missing.values().map(|changes| changes.add.len()).sum::<usize>();
    for _ in 0..TRIES {
        let changed = |changes: &Changes| Tokens::Changed(changes.clone());
        if !missing.is_empty() {
            options.missing =
                Missing::ByColumn(missing.iter().map(|(column, changes)| (column.clone(), changed(changes))).collect());
        }
        let known = tokens(&missing) + options.types.len();
        let errors = match load(inputs, options) {
            Ok(loaded) => return Ok((loaded, missing)),
            Err(errors) => errors,
        };
        for error in &errors {
            match error.problem.as_ref() {
                // To make 02 missing would lose a number.
                Problem::StrayWord { column, is_code: true, .. } => {
                    options.types.insert(column.clone(), ColumnType::Number);
                }
                Problem::StrayWord { column, token, .. } | Problem::NotANumber { column, token, .. } => {
                    let tokens = &mut missing.entry(column.clone()).or_default().add;
                    if !tokens.contains(token) {
                        tokens.push(token.clone());
                    }
                }
                _ => {}
            }
        }
        if tokens(&missing) + options.types.len() == known {
            return Err(refused(&errors));
        }
    }
    Err(invalid(
        "too many words among numbers to tell what they mean: declare the columns' `types` in a pipeline of your own",
    ))
}

fn refused(errors: &[CsvError]) -> Failure {
    invalid_lines(errors.iter().map(ToString::to_string))
}

/// `label 'y': 100 rows are 'NA', which stands for a missing value by default; it is kept as a class, …`.
fn kept(label: &str, tokens: &[String], classes: &[(String, usize)]) -> Option<String> {
    let rows = |token: &String| classes.iter().find(|(class, _)| class == token).map_or(0, |(_, rows)| *rows);
    let told: Vec<String> = tokens
        .iter()
        .map(|token| format!("{} {} '{token}'", rows(token), if rows(token) == 1 { "row is" } else { "rows are" }))
        .collect();
    let (stand, it_is) =
        if tokens.len() == 1 { ("stands", "it is kept as a class") } else { ("stand", "they are kept as classes") };
    (!tokens.is_empty()).then(|| {
        format!(
            "label '{label}': {}, which {stand} for a missing value by default; {it_is}, as without {} the label would not have two",
            told.join(", "),
            if tokens.len() == 1 { "it" } else { "them" }
        )
    })
}

/// The columns by which rows are copies of one another, if one row in 200 is: a text where there is one, else all that is read.
fn copies(table: &RecordBatch, columns: &[Chosen]) -> Option<(Vec<String>, usize)> {
    const WORTH: usize = 200;
    let read = |wanted: &dyn Fn(Use) -> bool| -> Vec<String> {
        columns.iter().filter(|column| wanted(column.use_)).map(|column| column.name.clone()).collect()
    };
    let (texts, all) = (read(&|use_| use_ == Use::Text), read(&|use_| use_ != Use::LeftOut));
    let surplus = |names: &[String]| -> usize {
        let columns: Vec<Vec<Option<String>>> = names.iter().filter_map(|name| self::texts(table, name).ok()).collect();
        let mut known: HashSet<Vec<Option<&str>>> = HashSet::new();
        let key = |row: usize| columns.iter().map(|column| column[row].as_deref()).collect::<Vec<_>>();
        (0..table.num_rows()).filter(|&row| !known.insert(key(row))).count()
    };
    let is_worth = |copies: usize| WORTH * copies >= table.num_rows();
    // A text that comes again in many rows is a category of sorts, and links what does not belong together.
    let candidates = texts.into_iter().map(|text| vec![text]).chain((all.len() > 1).then_some(all));
    candidates
        .map(|names| {
            let copies = surplus(&names);
            (names, copies)
        })
        .find(|(_, copies)| is_worth(*copies) && 5 * copies < table.num_rows())
}

/// A list of the columns that may be meant, as a message.
fn candidates(table: &RecordBatch, columns: &[ColumnRole]) -> Failure {
    /// More classes than these are hardly meant.
    const MOST: usize = 100;
    const SHOWN: usize = 20;
    let is_label = |column: &&ColumnRole| {
        column.distinct >= 2 && column.distinct <= MOST && column.distinct * LEAST[0] <= table.num_rows()
    };
    let mut found: Vec<&ColumnRole> = columns.iter().filter(is_label).collect();
    found.sort_by_key(|column| column.distinct);
    let lines = found.iter().take(SHOWN);
    let lines = lines.map(|column| format!("  --label {}  ({} classes)", in_shell(&column.name), column.distinct));
    let more = found.len().saturating_sub(SHOWN);
    let more = (more > 0).then(|| format!("  and {more} more columns with up to {MOST} values"));
    match found.is_empty() {
        true => invalid("which column is the label? None has between 2 and 100 values: name it with --label"),
        false => invalid_lines(
            std::iter::once("which column is the label? Name it, e.g.".to_owned()).chain(lines).chain(more),
        ),
    }
}
