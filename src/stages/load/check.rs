//! What a `load` stage can know before any row is read.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::super::class_order::{self, CLASS_ORDER};
use super::super::columns::{DELIMITER, FileHeader, HEADERS, LABEL_COLUMN, LINE, RECORD, ROW_ID, SOURCE};
use super::super::conditions::{Types, check_files, check_types, tell_types};
use super::super::dataset::distinct;
use super::super::{fitted_on, unnamed};
use super::Load;
use super::files::{Member, is_pattern};
use runner_boundary::files::open_regular;
use runner_boundary::text::yaml;
use runner_engine::{CheckContext, Stage, listed};
use runner_names::Folder;
use runner_tabular::names::meant;
use runner_tabular::{self as tabular, Changes, ColumnNames, ColumnType, CsvError, LoadOptions, Missing, Tokens};

impl Load {
    pub(super) fn look(&self, context: &mut CheckContext) {
        if self.files.is_empty() && self.downloads.is_empty() {
            let help = Some("write e.g. `files: {train: data/train.csv}`".to_owned());
            context.problem(&[], "a `load` stage needs files", help);
            return;
        }
        self.check_names(context);
        class_order::check(&self.class_order, self.label.is_some(), context);
        for (column, message) in self.filter.contradictions() {
            context.problem(&["where", column], format!("where.{column}: {message}"), None);
        }
        self.check_missing(context);
        for (name, download) in &self.downloads {
            if let Some((key, message)) = download.problem() {
                context.problem(&["downloads", name, key], message, None);
            }
        }
        let members = self.members();
        self.tell_files(context, &members);
        self.check_twice(context, &members);
        let headers = self.headers(context, &members);
        let Some(headers) = headers.filter(|_| self.downloads.is_empty()) else {
            self.check_types(context, &members, None);
            return;
        };
        let shown: Vec<String> = members.iter().map(Member::shown).collect();
        let by_path: Vec<(&str, ColumnNames)> = shown.iter().map(String::as_str).zip(headers).collect();
        self.check_types(context, &members, Some(&by_path));
        self.check_equal(context, &members, &by_path);
        self.tell_headers(context, &members, &by_path);
        match tabular::columns(&by_path, &self.options()) {
            Ok(columns) => {
                for port in Stage::outputs(self) {
                    context.output(&port.name, columns.clone());
                }
            }
            Err(errors) => {
                self.tell_options(context, &errors);
                if let Some(columns) = self.promised(&by_path, &errors) {
                    for port in Stage::outputs(self) {
                        context.output(&port.name, columns.clone());
                    }
                }
            }
        }
    }

    /// Each name is a port, kept as NAME.arrow.
    fn check_names(&self, context: &mut CheckContext) {
        if let Some(name) = self.downloads.keys().find(|name| self.files.contains_key(*name)) {
            context.problem(&["downloads", name], format!("'{name}' names a file and a download"), None);
        }
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
    }

    /// Tells the stages below of the label, the delimiter and the files.
    fn tell_files(&self, context: &mut CheckContext, members: &[Member]) {
        for port in Stage::outputs(self) {
            if let Some(label) = &self.label {
                context.tell_written(&port.name, LABEL_COLUMN, &["label"], label.clone());
            }
            if !self.class_order.is_empty() {
                let order = class_order::names(&self.class_order);
                context.tell_written(&port.name, CLASS_ORDER, &[class_order::KEY], order);
            }
            context.tell(&port.name, DELIMITER, self.delimiter);
        }
        let files: Vec<(&str, String)> = members.iter().map(|member| (member.name.as_str(), member.shown())).collect();
        let urls = self.downloads.values().map(|download| &download.url);
        fitted_on::tell_files(context, "rows", files.iter().map(|(_, path)| path).chain(urls));
        for name in self.files.keys() {
            let own = files.iter().filter(|(of, _)| of == name).map(|(_, path)| path);
            fitted_on::tell_files(context, name, own);
        }
        for (name, download) in &self.downloads {
            fitted_on::tell_files(context, name, std::iter::once(&download.url));
        }
    }

    /// The columns of every file; `None` where those of one are not known.
    fn headers(&self, context: &mut CheckContext, members: &[Member]) -> Option<Vec<ColumnNames>> {
        let dialect = self.dialect();
        let misfits = dialect.misfits();
        for misfit in &misfits {
            context.problem(&[misfit.key], format!("{}: {}", misfit.key, misfit.message), Some(misfit.help.clone()));
        }
        let unmatched = self
            .files
            .iter()
            .filter(|(name, path)| is_pattern(path) && members.iter().all(|member| member.name != **name));
        let unmatched: Vec<(&String, &String)> = unmatched.collect();
        for (name, path) in &unmatched {
            context.source_problem(
                &["files", name],
                format!("file {path}"),
                format!("no file matches '{path}'"),
                Some(counted_from()),
            );
        }
        if !misfits.is_empty() {
            return None;
        }
        let read = |path: &Path| {
            let opened = open(path).map_err(|error| vec![error]);
            opened.and_then(|file| tabular::header(&path.display().to_string(), file, &dialect))
        };
        let found: Vec<_> = members.iter().map(|member| (member, read(&member.path))).collect();
        let sound = found.iter().find(|(_, header)| header.as_ref().is_ok_and(|header| header.names.len() > 1));
        let sound = sound.map(|(member, _)| member.shown());
        let mut headers = Vec::new();
        for (member, header) in found {
            let mut errors = match header {
                Ok(header) => {
                    headers.push(header);
                    continue;
                }
                Err(errors) => errors,
            };
            sound.iter().for_each(|sound| tabular::tell_of_delimiter(&mut errors, sound, self.delimiter));
            for error in &errors {
                // All files of a stage are read with one delimiter.
                let about = match error.problem.as_ref() {
                    tabular::Problem::OneColumn { found, .. } => format!("delimiter {found:?}"),
                    _ => format!("file {error}"),
                };
                context.source_problem(&["files", &member.name], about, error.to_string(), remedy(&member.path));
            }
        }
        (headers.len() == members.len() && unmatched.is_empty()).then_some(headers)
    }

    /// Finds files of one pattern that have other columns than its first.
    fn check_equal(&self, context: &mut CheckContext, members: &[Member], headers: &[(&str, ColumnNames)]) {
        for name in self.files.keys() {
            let mut own =
                members.iter().zip(headers).filter(|(member, _)| member.name == *name).map(|(_, header)| header);
            let Some((first, columns)) = own.next() else { continue };
            if let Some((other, others)) = own.find(|(_, others)| others.names != columns.names) {
                let message = format!("{other} has other columns than {first}: {}", difference(columns, others));
                let help = "the files of one pattern must have the same columns in one order: name this one on its own, or change the pattern";
                context.source_problem(&["files", name], message.clone(), message, Some(help.to_owned()));
            }
        }
    }

    /// Tells the stages below which columns each file has.
    fn tell_headers(&self, context: &mut CheckContext, members: &[Member], headers: &[(&str, ColumnNames)]) {
        let all: Vec<FileHeader> = (members.iter().zip(headers))
            .map(|(member, (_, columns))| FileHeader {
                port: member.name.clone(),
                source: member.source.clone(),
                columns: columns.names.clone(),
            })
            .collect();
        for name in self.files.keys() {
            context.tell(name, HEADERS, all.iter().filter(|header| header.port == *name).cloned().collect());
        }
        context.tell("rows", HEADERS, all);
        // Files of one pattern have the same columns.
        let first = |name: &String| members.iter().zip(headers).find(|(member, _)| member.name == *name);
        let named = self.files.keys().filter_map(|name| Some((name, &first(name)?.1.1)));
        unnamed::tell_files(context, named);
    }

    /// Tells which names in the options no file has, and the like, each at its place.
    fn tell_options(&self, context: &mut CheckContext, errors: &[CsvError]) {
        let places = |names: &[String]| -> HashMap<String, String> {
            names.iter().enumerate().map(|(i, name)| (name.clone(), i.to_string())).collect()
        };
        let (keep, drop) = (places(&self.keep), places(&self.drop));
        for error in errors {
            let path = match error.problem.as_ref() {
                tabular::Problem::UnknownColumn { option, name, .. } | tabular::Problem::Reserved { option, name } => {
                    match (option.split_once('.'), &**option) {
                        (Some((key, inner)), _) => vec![key, inner],
                        (None, "keep") => std::iter::once("keep").chain(keep.get(name).map(|i| &**i)).collect(),
                        (None, "drop") => std::iter::once("drop").chain(drop.get(name).map(|i| &**i)).collect(),
                        (None, key) => vec![key, name],
                    }
                }
                tabular::Problem::DerivedUnnamed(name)
                | tabular::Problem::DerivedExists(name)
                | tabular::Problem::JoinedOfTooMany { name, .. } => {
                    vec!["derive", name]
                }
                tabular::Problem::KeepAndDrop => vec!["drop"],
                tabular::Problem::UnnamedDiffer { .. } | tabular::Problem::UnnamedWritten { .. } => {
                    vec!["files"]
                }
                tabular::Problem::NamesLeft { .. } => vec!["names"],
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

    /// Finds conditions and derivations that do not fit the types that are declared, and tells these to the stages below.
    fn check_types(&self, context: &mut CheckContext, members: &[Member], headers: Option<&[(&str, ColumnNames)]>) {
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
            let Some(source) = derivation.sources().first().copied() else { continue };
            let is_text = self.derive.get(source).is_some_and(|other| other.gives() == ColumnType::Text);
            if derivation.needs_numbers() && is_text {
                let message = format!("derive.{name}: '{source}' is a derived text, not numbers");
                let help = "derive from another column, or take a number out of the text by `number_of`".to_owned();
                context.problem(&["derive", name], message, Some(help));
            }
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
        let files: Vec<&str> = (members.iter().map(|member| member.source.as_str()))
            .chain(self.downloads.keys().map(String::as_str))
            .collect();
        check_files(context, &self.filter.only(|column| name_of(column) == SOURCE), &files);
    }

    /// The columns that the table will at most have once these mistakes are corrected, so that the stages below can be checked.
    fn promised(&self, headers: &[(&str, ColumnNames)], errors: &[CsvError]) -> Option<Vec<String>> {
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
            dialect: self.dialect(),
            keep: self.keep.iter().filter(|_| keeps).filter(is_left).cloned().collect(),
            drop: self.drop.iter().filter(|_| !are_both).filter(is_left).cloned().collect(),
            ..LoadOptions::default()
        };
        let columns = tabular::columns(headers, &plain).ok()?;
        Some(distinct([], columns.into_iter().chain(self.derive.keys().cloned())))
    }

    /// Finds files and downloads that are named twice: all of their rows would count twice.
    fn check_twice(&self, context: &mut CheckContext, members: &[Member]) {
        let help = || Some("leave one of them out".to_owned());
        let mut seen: HashMap<PathBuf, &Member> = HashMap::new();
        let mut sources: HashMap<&str, &Member> = HashMap::new();
        for member in members {
            let Member { name, source, path } = member;
            if let Some(first) = sources.insert(source, member) {
                let message = format!("'{source}' is a file of '{name}', and of '{}'", first.name);
                context.problem(&["files", name], message, Some("choose another name or pattern".to_owned()));
                continue;
            }
            // What cannot be found is told as that.
            let Ok(whole) = std::fs::canonicalize(path) else { continue };
            if let Some(first) = seen.get(&whole) {
                let message =
                    format!("'{source}' is the same file as '{}': all of its rows would be there twice", first.source);
                context.problem(&["files", name], message, help());
            } else {
                seen.insert(whole, member);
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
}

/// In what two files differ.
fn difference(first: &ColumnNames, other: &ColumnNames) -> String {
    let beyond = |these: &ColumnNames, those: &ColumnNames| -> Vec<String> {
        let beyond = these.names.iter().filter(|name| !those.names.contains(name));
        beyond.map(|name| format!("'{name}'")).collect()
    };
    let (lacks, has) = (beyond(first, other), beyond(other, first));
    let parts = [("it lacks", lacks), ("it has", has)].into_iter().filter(|(_, names)| !names.is_empty());
    let parts: Vec<String> = parts.map(|(verb, names)| format!("{verb} {}", listed(names))).collect();
    if parts.is_empty() { "they stand in another order".to_owned() } else { parts.join(", and ") }
}

fn open(path: &Path) -> Result<std::fs::File, CsvError> {
    open_regular(path).map_err(|error| CsvError {
        path: Some(path.display().to_string()),
        line: None,
        column: None,
        row: None,
        problem: Box::new(tabular::Problem::Unreadable(error.to_string())),
    })
}

fn remedy(path: &Path) -> Option<String> {
    (!path.exists()).then(counted_from)
}

fn counted_from() -> String {
    let here = std::env::current_dir().map(|here| here.display().to_string()).unwrap_or_default();
    format!("paths count from where runner is started: {here}")
}
