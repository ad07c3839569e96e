//! What a program gives: declared files become the artifacts of ports.
//!
//! Knows nothing of how the program was run.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::foreign;
use crate::boundary::files::read_regular;
use crate::engine::{CheckContext, PortType, StageContext};

/// The files of a port: a file's name, or a list of names, e.g. `[model.safetensors, model.json]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a file's name or a list of names")]
pub(super) enum Files {
    One(String),
    Several(Vec<String>),
}

impl Files {
    pub fn names(&self) -> &[String] {
        match self {
            Files::One(name) => std::slice::from_ref(name),
            Files::Several(names) => names,
        }
    }

    /// By the ending of the first file.
    pub fn holds(&self) -> PortType {
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
    let mut seen: Vec<&str> = Vec::new();
    for (port, files) in outputs {
        if port.is_empty() || port.contains(['.', '/', ' ']) {
            let help = Some("names of ports hold no '.', '/' or space".to_owned());
            context.problem(&["outputs", port], format!("'{port}' cannot name a port"), help);
        }
        if files.names().is_empty() || (files.names().len() > 1 && files.holds() == PortType::Table) {
            let message = format!("port '{port}' needs one file, or files that are no tables");
            context.problem(&["outputs", port], message, Some("give every table a port of its own".to_owned()));
        }
        for name in files.names() {
            if Path::new(name).components().count() != 1 || name.starts_with('.') || name.contains('/') {
                let help = Some("outputs lie in `{out}` itself, not in folders below it".to_owned());
                context.problem(&["outputs", port], format!("'{name}' is not a plain file name"), help);
            } else if seen.contains(&name.as_str()) {
                context.problem(&["outputs", port], format!("the file '{name}' is named twice"), None);
            }
            seen.push(name);
        }
    }
}

/// Gives every declared file to its port, and warns of others.
pub(super) fn take(outputs: &IndexMap<String, Files>, folder: &Path, context: &mut StageContext) -> anyhow::Result<()> {
    let mut told = Vec::new();
    for (port, files) in outputs {
        for name in files.names() {
            let bytes = read(folder, port, name, context)?;
            let of = || format!("output '{port}': {name}");
            match files.holds() {
                PortType::Table => {
                    let table = foreign::table(bytes).with_context(of)?;
                    told.push(format!("{} rows in {port}", table.rows()));
                    context.put_table(port, &table)?;
                    continue;
                }
                PortType::Json | PortType::Model if name.ends_with(".json") => {
                    foreign::check_json(&bytes).with_context(of)?
                }
                PortType::Model if name.ends_with(".safetensors") => {
                    foreign::check_safetensors(&bytes).with_context(of)?;
                }
                _ => {}
            }
            context.put_file(port, name, &bytes)?;
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

fn read(folder: &Path, port: &str, name: &str, context: &StageContext) -> anyhow::Result<Vec<u8>> {
    read_regular(&folder.join(name)).map_err(|error| {
        let at = context.position(&["outputs", port]).map(|at| format!("{at}: ")).unwrap_or_default();
        match error.kind() {
            std::io::ErrorKind::NotFound => {
                anyhow!("{at}the program ended well but did not write '{name}' into {{out}}")
            }
            _ => anyhow!("{at}cannot read the output '{name}': {error}"),
        }
    })
}
