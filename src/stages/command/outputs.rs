//! What a program gives: declared files become the artifacts of ports.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::foreign;
use runner_boundary::files::open_regular;
use runner_engine::{CheckContext, PortType, StageContext};
use runner_names::{self as names, Folder};

/// The files of a port: a file's name, or a list of names, e.g. `[model.safetensors, model.json]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a file's name or a list of names")]
pub(super) enum Files {
    One(String),
    Several(Vec<String>),
}

impl Files {
    pub(crate) fn names(&self) -> &[String] {
        match self {
            Files::One(name) => std::slice::from_ref(name),
            Files::Several(names) => names,
        }
    }

    /// By the ending of the first file.
    pub(crate) fn holds(&self) -> PortType {
        let first = self.names().first().map(Path::new);
        match first.and_then(Path::extension).and_then(|ending| ending.to_str()) {
            Some("arrow") => PortType::Table,
            Some("json") => PortType::Json,
            Some("safetensors") => PortType::Model,
            _ => PortType::Files,
        }
    }
}

/// Looks for mistakes in what is declared.
pub(super) fn check(outputs: &IndexMap<String, Files>, context: &mut CheckContext) {
    if outputs.is_empty() {
        let help = Some("name what it writes, e.g. `outputs: {result: result.json}`".to_owned());
        context.problem(&["outputs"], "a command needs an output", help);
    }
    // What lies in `{out}`, and what becomes of it in the stage's folder: a table has its port's name there, as a file or, in parts, as a folder.
    let (mut given, mut kept) = (Folder::default(), Folder::default());
    let mut tables = Vec::new();
    for (port, files) in outputs {
        let path = ["outputs", port.as_str()];
        if port.contains(['.', ' ']) {
            let help = Some("names of ports hold no '.' or space".to_owned());
            context.problem(&path, format!("'{port}' cannot name a port"), help);
        }
        let is_table = files.holds() == PortType::Table;
        if files.names().is_empty() || (files.names().len() > 1 && is_table) {
            let message = format!("port '{port}' needs one file, or files that are no tables");
            context.problem(&path, message, Some("give every table a port of its own".to_owned()));
        }
        match names::check(port, "") {
            Ok(()) if is_table => {
                if context.file_name(&path, &mut kept, port, ".arrow") {
                    tables.push(port);
                }
            }
            Ok(()) => {}
            Err(fault) => context.problem(&path, fault.to_string(), Some(fault.help())),
        }
        for name in files.names() {
            if names::check(name, "").is_ok() && given.add(name, "").is_err() {
                context.problem(
                    &path,
                    format!("the file '{name}' is named twice"),
                    Some("upper and lower case are the same on many disks".to_owned()),
                );
            } else if let Err(fault) = names::check(name, "") {
                let help = format!("{}; outputs lie in `{{out}}` itself, not in folders below it", fault.help());
                context.problem(&path, fault.to_string(), Some(help));
            } else if !is_table {
                context.file_name(&path, &mut kept, name, "");
            }
        }
    }
    // Of many rows a table's parts lie in a folder of the port's name.
    for port in tables {
        if let Err(fault) = kept.add(port, "") {
            context.problem(
                &["outputs", port],
                fault.to_string(),
                Some("a table may be kept in a folder of its port's name".to_owned()),
            );
        }
    }
}

/// Gives every declared file to its port, and warns of others.
pub(super) fn take(outputs: &IndexMap<String, Files>, folder: &Path, context: &mut StageContext) -> anyhow::Result<()> {
    let mut told = Vec::new();
    for (port, files) in outputs {
        for name in files.names() {
            let rows = take_file(port, files, name, folder, context)
                .map_err(|error| context.placed(&format!("outputs.{port}"), error))?;
            told.extend(rows.map(|rows| format!("{rows} rows in {port}")));
        }
    }
    let declared = |name: &str| outputs.values().any(|files| files.names().iter().any(|file| file == name));
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut others: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    others.retain(|name| !declared(name));
    others.sort();
    if !others.is_empty() {
        context.report().warn(&format!("not kept, since `outputs` does not name it: {}", others.join(", ")));
    }
    context.headline(told.join(", "));
    Ok(())
}

/// Gives one file to its port; the rows of a table.
fn take_file(
    port: &str,
    files: &Files,
    name: &str,
    folder: &Path,
    context: &mut StageContext,
) -> anyhow::Result<Option<usize>> {
    let of = || format!("output '{port}': {name}");
    let mut file = open(folder, name)?;
    foreign::check_ends(name, &mut file).with_context(of)?;
    let bytes = whole(&mut file).with_context(of)?;
    match files.holds() {
        PortType::Table => {
            let table = foreign::table(bytes).with_context(of)?;
            context.put_table(port, &table)?;
            return Ok(Some(table.rows()));
        }
        PortType::Json | PortType::Model if name.ends_with(".json") => foreign::check_json(&bytes).with_context(of)?,
        PortType::Model if name.ends_with(".safetensors") => foreign::check_safetensors(&bytes).with_context(of)?,
        _ => {}
    }
    context.put_file(port, name, &bytes)?;
    Ok(None)
}

fn open(folder: &Path, name: &str) -> anyhow::Result<File> {
    open_regular(&folder.join(name)).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => anyhow!("the program ended well but did not write '{name}' into {{out}}"),
        _ => anyhow!("cannot read the output '{name}': {error}"),
    })
}

fn whole(file: &mut File) -> anyhow::Result<Vec<u8>> {
    let size = usize::try_from(file.metadata()?.len())?;
    let mut bytes = Vec::new();
    bytes.try_reserve(size).map_err(|_| anyhow!("its {size} bytes do not fit into memory"))?;
    file.read_to_end(&mut bytes).context("it cannot be read")?;
    Ok(bytes)
}
