//! `load`: CSV files → one table, with a port for each file.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::columns::{DELIMITER, HEADERS, LABEL_COLUMN, LABEL_NAME, LINE, RECORD, ROW_ID, SOURCE, WHERE, strings};
use super::conditions::{Types, check_files, check_types, tell_types};
use super::dataset::distinct;
use super::download::{self, Download};
use super::{fitted_on, unnamed};
use runner_artifact::Table;
use runner_boundary::files::open_regular;
use runner_boundary::text::{Lines, of_chain, yaml};
use runner_engine::{
    CheckContext, External, InputPort, OutputPort, PortType, Report, Source, Stage, StageContext, listed,
};
use runner_names::Folder;
use runner_report::noun;
use runner_tabular::names::meant;
use runner_tabular::{
    self as tabular, Changes, ColumnNames, ColumnType, CsvError, Derivation, Filter, Input, LoadOptions, Missing,
    Tokens,
};

/// Reads CSV files into one Arrow table. Rows keep the order of the files; port `rows` has them all, and each file has a port of its name.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Load {
    /// CSV files by a name of your choice, e.g. `{train: data/sample/train.csv}`; paths count from where runner is started.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, String>")]
    files: IndexMap<String, String>,
    /// CSV files to download, by name; they come after `files`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Download>")]
    downloads: IndexMap<String, Download>,
    /// The column to predict; files may lack it. Spellings of one number (`1` and `1.0`), where all labels are numbers, are one class unless `types` declares the column text.
    #[serde(default)]
    label: Option<String>,
    /// Declared column types; other columns are inferred.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, ColumnType>")]
    types: IndexMap<String, ColumnType>,
    /// Tokens that stand for a missing value: a list for every column, in place of '' (blank cells), NA, N/A, NaN, nan, null and NULL; or by column, where `"*"`
    /// stands for the others, e.g. `{country: [], tempo: {add: ["-"]}, "*": {add: ["?"]}}`.
    #[serde(default)]
    missing: Missing,
    /// The character between fields, e.g. `";"` or `"\t"`.
    #[serde(default = "default_delimiter", deserialize_with = "tabular::read_delimiter")]
    #[schemars(with = "String", length(min = 1, max = 2))]
    delimiter: char,
    /// New columns, e.g. `release_year: {year_of: track_album_release_date}`.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Derivation>")]
    derive: IndexMap<String, Derivation>,
    /// Rows to keep, e.g. `{playlist_genre: [pop, rap], tempo: {min: 60}}`.
    #[serde(default, rename = "where")]
    filter: Filter,
    /// Columns to keep; empty keeps all.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true))]
    keep: Vec<String>,
    /// Columns to leave out.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true))]
    drop: Vec<String>,
}

fn default_delimiter() -> char {
    LoadOptions::default().delimiter
}

impl Stage for Load {
    const KIND: &'static str = "load";
    const VERSION: u32 = 7;
    const SUMMARY: &'static str = "CSV files to one table";
    const INPUTS: &'static [InputPort] = &[];
    const SEEDED: bool = false;
    const SOURCES_TRAVEL: bool = false;

    fn outputs(&self) -> Vec<OutputPort> {
        let names = self.names().filter(|name| name != "rows");
        std::iter::once("rows".to_owned()).chain(names).map(|name| OutputPort::new(name, PortType::Table)).collect()
    }

    fn sources(&self) -> Vec<Source> {
        let source =
            |(name, path): (&String, &String)| Source { at: format!("files.{name}"), path: PathBuf::from(path) };
        self.files.iter().map(source).collect()
    }

    fn externals(&self) -> Vec<Box<dyn External>> {
        let external = |(name, download): (&String, &Download)| -> Box<dyn External> {
            Box::new(DownloadedFile { at: format!("downloads.{name}"), download: download.clone() })
        };
        self.downloads.iter().map(external).collect()
    }

    fn check(&self, context: &mut CheckContext) {
        if self.files.is_empty() && self.downloads.is_empty() {
            let help = Some("write e.g. `files: {train: data/train.csv}`".to_owned());
            context.problem(&[], "a `load` stage needs files", help);
            return;
        }
        if let Some(name) = self.downloads.keys().find(|name| self.files.contains_key(*name)) {
            context.problem(&["downloads", name], format!("'{name}' names a file and a download"), None);
        }
        // Each is a port, kept as NAME.arrow.
        let mut folder = Folder::with(&["rows.arrow"]);
        let files = self.files.keys().map(|name| ("files", name));
        let downloads = self.downloads.keys().map(|name| ("downloads", name));
        for (key, name) in files.chain(downloads.filter(|(_, name)| !self.files.contains_key(*name))) {
            if name == "rows" {
                let message = format!("a file cannot be named '{name}': that port holds the rows of all files");
                context.problem(&[key, name], message, Some("choose another name".to_owned()));
            } else {
                context.file_name(&[key, name], &mut folder, name, ".arrow");
            }
        }
        for (column, message) in self.filter.contradictions() {
            context.problem(&["where", column], format!("where.{column}: {message}"), None);
        }
        self.check_missing(context);
        for (name, download) in &self.downloads {
            if let Some((key, message)) = download.problem() {
                context.problem(&["downloads", name, key], message, None);
            }
        }
        for port in Stage::outputs(self) {
            self.label
                .iter()
                .for_each(|label| context.tell_written(&port.name, LABEL_COLUMN, &["label"], label.clone()));
        }
        for port in Stage::outputs(self) {
            context.tell(&port.name, DELIMITER, self.delimiter);
        }
        self.check_twice(context);
        let urls = self.downloads.values().map(|download| &download.url);
        fitted_on::tell_files(context, "rows", self.files.values().chain(urls));
        for (name, path) in &self.files {
            fitted_on::tell_files(context, name, std::iter::once(path));
        }
        for (name, download) in &self.downloads {
            fitted_on::tell_files(context, name, std::iter::once(&download.url));
        }
        let mut headers: Vec<(&str, ColumnNames)> = Vec::new();
        let read = |path: &str| {
            let opened = open(Path::new(path)).map_err(|error| vec![error]);
            opened.and_then(|file| tabular::header(path, file, self.delimiter))
        };
        let found: Vec<_> = self.files.iter().map(|(name, path)| (name, path, read(path))).collect();
        let sound = found.iter().find(|(_, _, header)| header.as_ref().is_ok_and(|header| header.names.len() > 1));
        let sound = sound.map(|(_, path, _)| (*path).clone());
        for (name, path, header) in found {
            match header {
                Ok(header) => headers.push((path, header)),
                Err(mut errors) => {
                    sound.iter().for_each(|sound| tabular::tell_of_delimiter(&mut errors, sound, self.delimiter));
                    for error in &errors {
                        // All files of a stage are read with one delimiter.
                        let about = match error.problem.as_ref() {
                            tabular::Problem::OneColumn { found, .. } => format!("delimiter {found:?}"),
                            _ => format!("file {error}"),
                        };
                        context.source_problem(&["files", name], about, error.to_string(), remedy(path));
                    }
                }
            }
        }
        if headers.len() < self.files.len() || !self.downloads.is_empty() {
            self.check_types(context, None);
            return;
        }
        self.check_types(context, Some(&headers));
        let all: Vec<(String, Vec<String>)> =
            self.files.keys().cloned().zip(headers.iter().map(|(_, header)| header.names.clone())).collect();
        for one in &all {
            context.tell(&one.0, HEADERS, vec![one.clone()]);
        }
        context.tell("rows", HEADERS, all);
        unnamed::tell_files(context, self.files.keys().zip(headers.iter().map(|(_, header)| header)));
        match tabular::columns(&headers, &self.options()) {
            Ok(columns) => {
                for port in Stage::outputs(self) {
                    context.output(&port.name, columns.clone());
                }
            }
            Err(errors) => {
                let places = |names: &[String]| -> HashMap<String, String> {
                    names.iter().enumerate().map(|(i, name)| (name.clone(), i.to_string())).collect()
                };
                let (keep, drop) = (places(&self.keep), places(&self.drop));
                if let Some(columns) = self.promised(&headers, &errors) {
                    for port in Stage::outputs(self) {
                        context.output(&port.name, columns.clone());
                    }
                }
                for error in errors {
                    let path = match error.problem.as_ref() {
                        tabular::Problem::UnknownColumn { option, name, .. }
                        | tabular::Problem::Reserved { option, name } => match (option.split_once('.'), &**option) {
                            (Some((key, inner)), _) => vec![key, inner],
                            (None, "keep") => std::iter::once("keep").chain(keep.get(name).map(|i| &**i)).collect(),
                            (None, "drop") => std::iter::once("drop").chain(drop.get(name).map(|i| &**i)).collect(),
                            (None, key) => vec![key, name],
                        },
                        tabular::Problem::DerivedUnnamed(name) | tabular::Problem::DerivedExists(name) => {
                            vec!["derive", name]
                        }
                        tabular::Problem::KeepAndDrop => vec!["drop"],
                        tabular::Problem::UnnamedDiffer { .. } | tabular::Problem::UnnamedWritten { .. } => {
                            vec!["files"]
                        }
                        _ => Vec::new(),
                    };
                    match error.problem.as_ref() {
                        tabular::Problem::UnknownColumn { .. } | tabular::Problem::DerivedExists(_) => {
                            context.source_problem(&path, error.to_string(), error.to_string(), None);
                        }
                        _ => context.problem(&path, error.to_string(), None),
                    }
                }
            }
        }
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let mut files: Vec<(String, String, Vec<u8>)> = Vec::new();
        let mut unreadable = Vec::new();
        for (name, path) in &self.files {
            match context.source(&format!("files.{name}")) {
                Ok((_, bytes)) => files.push((name.clone(), path.clone(), bytes)),
                Err(error) => unreadable.push(of_chain(error.chain())),
            }
        }
        for (name, download) in &self.downloads {
            match download::get(download, context.report()) {
                Ok(bytes) => files.push((name.clone(), download.shown().into_owned(), bytes)),
                Err(error) if context.report().cancelled() => return Err(error),
                Err(error) => unreadable.push(of_chain(error.chain())),
            }
        }
        if !unreadable.is_empty() {
            bail!(Lines::of_files(unreadable));
        }
        for (i, (name, path, bytes)) in files.iter().enumerate() {
            if let Some((first, other, _)) = files[..i].iter().find(|(_, _, other)| other == bytes) {
                context.report().warn(&format!(
                    "'{name}' ({path}) has the same content as '{first}' ({other}): all of its rows are there twice (leave one out unless that is meant)"
                ));
            }
        }
        let inputs: Vec<Input> = files.iter().map(|(name, path, bytes)| Input { name, path, bytes }).collect();
        let report = context.report();
        let loaded = tabular::load_until(&inputs, &self.options(), &|| report.cancelled());
        let loaded = loaded.map_err(|errors| match errors.as_slice() {
            [error] if matches!(*error.problem, tabular::Problem::Filter(_)) => context.placed(WHERE, all_of(&errors)),
            [error, others @ ..] => match error.problem.as_ref() {
                tabular::Problem::DerivedFromText { name, .. } if others.is_empty() => {
                    context.placed(&format!("derive.{name}"), all_of(&errors))
                }
                tabular::Problem::DerivedFromText { .. } => context.placed("derive", all_of(&errors)),
                _ => all_of(&errors),
            },
            [] => all_of(&errors),
        })?;
        for note in &loaded.notes {
            context.report().warn(note);
        }
        let rows = Table::new(with_label_name(loaded.batch, self.label.as_deref())?);
        context.put_table("rows", &rows)?;
        let sources = strings(&rows, SOURCE)?;
        for (name, _, _) in &files {
            let own: Vec<bool> = sources.iter().map(|source| source.as_deref() == Some(name)).collect();
            let own = arrow::compute::filter_record_batch(rows.batch(), &own.into())?;
            context.put_table(name, &Table::new(own))?;
        }
        context.headline(format!(
            "{} {}, {} {}",
            rows.rows(),
            noun(rows.rows() as u64, "row"),
            rows.column_names().len(),
            noun(rows.column_names().len() as u64, "column")
        ));
        Ok(())
    }
}

impl Load {
    fn names(&self) -> impl Iterator<Item = String> {
        self.files.keys().chain(self.downloads.keys()).cloned()
    }

    /// Finds conditions and derivations that do not fit the types that are declared, and tells these to the stages below.
    fn check_types(&self, context: &mut CheckContext, headers: Option<&[(&str, ColumnNames)]>) {
        let declared = self.types.iter().map(|(column, holds)| (column.clone(), *holds));
        let label = self.label.iter().filter(|label| !self.types.contains_key(*label));
        let label = label.map(|label| (label.clone(), ColumnType::Text));
        let derived = self.derive.iter().map(|(column, derivation)| (column.clone(), derivation.gives()));
        let added = [
            (ROW_ID, ColumnType::Integer),
            (SOURCE, ColumnType::Text),
            (LINE, ColumnType::Integer),
            (RECORD, ColumnType::Text),
        ];
        let added = added.map(|(column, holds)| (column.to_owned(), holds));
        let types: Types = declared.chain(label).chain(derived).chain(added).collect();
        let is_of_file = |column: &str| {
            headers.iter().copied().flatten().any(|(_, columns)| columns.names.iter().any(|own| own == column))
        };
        let is_there = |column: &str| is_of_file(column) || types.contains_key(column);
        let name_of = |column: &str| match headers {
            Some(_) => meant(column, is_there).unwrap_or_else(|| column.to_owned()),
            None => column.to_owned(),
        };
        check_types(context, &self.filter, |column| types.get(&name_of(column)).copied());
        for (name, derivation) in &self.derive {
            let source = derivation.source();
            if derivation.needs_numbers() && is_of_file(source) && types.get(source) == Some(&ColumnType::Text) {
                let message = format!("derive.{name}: column '{source}' holds text, not numbers");
                let help = match self.types.contains_key(source) {
                    true => format!("`types` declares it as text: write `{}: number` there", yaml(source)),
                    false => "it is the label, whose values are names".to_owned(),
                };
                context.problem(&["derive", name], message, Some(help));
            }
        }
        for port in Stage::outputs(self) {
            tell_types(context, &port.name, &types);
        }
        let files: Vec<String> = self.names().collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        check_files(context, &self.filter.only(|column| name_of(column) == SOURCE), &files);
    }

    /// The columns that the table will at most have once these mistakes are corrected, so that the stages below can be checked.
    fn promised(&self, headers: &[(&str, ColumnNames)], errors: &[tabular::CsvError]) -> Option<Vec<String>> {
        let unknown = errors.iter().filter_map(|error| match error.problem.as_ref() {
            tabular::Problem::UnknownColumn { option, name, .. } => Some((&**option, name)),
            _ => None,
        });
        let unknown: Vec<(&str, &String)> = unknown.collect();
        let is_unknown = |option: &str| unknown.iter().any(|(own, _)| *own == option);
        if is_unknown("label") {
            return None;
        }
        let is_left = |name: &&String| !self.derive.contains_key(*name) && unknown.iter().all(|(_, own)| own != name);
        let are_both = !self.keep.is_empty() && !self.drop.is_empty();
        let keeps = !are_both && !is_unknown("keep");
        let plain = LoadOptions {
            label: self.label.clone(),
            delimiter: self.delimiter,
            keep: self.keep.iter().filter(|_| keeps).filter(is_left).cloned().collect(),
            drop: self.drop.iter().filter(|_| !are_both).filter(is_left).cloned().collect(),
            ..LoadOptions::default()
        };
        let columns = tabular::columns(headers, &plain).ok()?;
        Some(distinct([], columns.into_iter().chain(self.derive.keys().cloned())))
    }

    /// Finds files and downloads that are named twice: all of their rows would count twice.
    fn check_twice(&self, context: &mut CheckContext) {
        let help = || Some("leave one of them out".to_owned());
        let mut seen: HashMap<PathBuf, &String> = HashMap::new();
        for (name, path) in &self.files {
            // What cannot be found is told as that.
            let Ok(whole) = std::fs::canonicalize(path) else { continue };
            if let Some(first) = seen.get(&whole) {
                let message = format!("'{name}' is the same file as '{first}': all of its rows would be there twice");
                context.problem(&["files", name], message, help());
            } else {
                seen.insert(whole, name);
            }
        }
        let mut seen: HashMap<String, &String> = HashMap::new();
        for (name, download) in &self.downloads {
            let digest = download.sha256.to_ascii_lowercase();
            if let Some(first) = seen.get(&digest) {
                let message =
                    format!("'{name}' has the same `sha256` as '{first}': all of its rows would be there twice");
                context.problem(&["downloads", name], message, help());
            } else {
                seen.insert(digest, name);
            }
        }
    }

    /// Finds tokens that are to be taken away from a list that does not have them.
    fn check_missing(&self, context: &mut CheckContext) {
        let Missing::ByColumn(columns) = &self.missing else { return };
        for (column, tokens) in columns {
            let Tokens::Changed(Changes { add, remove }) = tokens else { continue };
            // What a column's list begins with is that of `"*"`, whose own are the defaults.
            let before = if column == "*" { Missing::default().tokens(column) } else { self.missing.tokens("*") };
            for (i, token) in remove.iter().enumerate().filter(|(_, token)| add.contains(token)) {
                let message = format!("missing.{column}: '{token}' is to be added and to be removed");
                let help = Some("leave it out of one of both lists".to_owned());
                context.problem(&["missing", column, "remove", &i.to_string()], message, help);
            }
            for (i, token) in
                remove.iter().enumerate().filter(|(_, token)| !before.contains(token) && !add.contains(token))
            {
                let message = format!("missing.{column}.remove: '{token}' does not stand for a missing value there");
                let help = format!("these do: {}", listed(before.iter().map(|token| format!("'{token}'"))));
                context.problem(&["missing", column, "remove", &i.to_string()], message, Some(help));
            }
        }
    }

    pub(super) fn options(&self) -> LoadOptions {
        LoadOptions {
            label: self.label.clone(),
            types: self.types.clone(),
            missing: self.missing.clone(),
            delimiter: self.delimiter,
            derive: self.derive.clone(),
            where_: self.filter.clone(),
            keep: self.keep.clone(),
            drop: self.drop.clone(),
        }
    }
}

/// Marks the label column in its field's metadata, for the stages below.
fn with_label_name(batch: RecordBatch, label: Option<&str>) -> anyhow::Result<RecordBatch> {
    let Some(label) = label else { return Ok(batch) };
    let schema = batch.schema();
    let fields: Vec<_> = (schema.fields().iter())
        .map(|field| {
            let field = field.as_ref().clone();
            if field.name() != label {
                return field;
            }
            let mut metadata = field.metadata().clone();
            metadata.insert(LABEL_NAME.to_owned(), label.to_owned());
            field.with_metadata(metadata)
        })
        .collect();
    let schema = Schema::new_with_metadata(fields, schema.metadata().clone());
    Ok(RecordBatch::try_new(Arc::new(schema), batch.columns().to_vec())?)
}

struct DownloadedFile {
    at: String,
    download: Download,
}

impl External for DownloadedFile {
    fn at(&self) -> &str {
        &self.at
    }

    fn digest(&self) -> anyhow::Result<Option<String>> {
        Ok(Some(self.download.sha256.to_ascii_lowercase()))
    }

    fn fetch(&self, _report: &dyn Report) -> anyhow::Result<String> {
        bail!("the digest of a download is declared")
    }
}

fn open(path: &Path) -> Result<std::fs::File, CsvError> {
    open_regular(path).map_err(|error| CsvError {
        path: Some(path.display().to_string()),
        line: None,
        column: None,
        problem: Box::new(tabular::Problem::Unreadable(error.to_string())),
    })
}

fn remedy(path: &str) -> Option<String> {
    (!Path::new(path).exists()).then(|| {
        let here = std::env::current_dir().map(|here| here.display().to_string()).unwrap_or_default();
        format!("paths count from where runner is started: {here}")
    })
}

/// The errors as one.
pub(super) fn all_of(errors: &[CsvError]) -> anyhow::Error {
    anyhow::anyhow!(Lines::of_files(errors.iter().map(ToString::to_string)))
}
