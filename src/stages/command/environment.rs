//! What a program sees of the environment: the declared variables, and four that every program needs.

use std::ffi::OsString;
use std::path::Path;

use runner_boundary::text::yaml;
use runner_engine::{External, Report};

/// Passed on without counting: they say where things are on this machine and how people read.
const ALWAYS: [&str; 4] = ["PATH", "HOME", "LANG", "TMPDIR"];

/// Words in a variable's name that call for its value to be kept out of records.
const SECRET: [&str; 5] = ["KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL"];

/// The whole environment of a program that declares these variables.
pub(super) fn of(declared: &[String]) -> Vec<(String, OsString)> {
    let names = ALWAYS.into_iter().chain(declared.iter().map(String::as_str));
    names.filter_map(|name| Some((name.to_owned(), std::env::var_os(name)?))).collect()
}

/// Why there is no program of that name, found as it will be when it is started, and what to do about it; `None` if there is one.
pub(super) fn fault_of_program(name: &str) -> Option<(String, String)> {
    let fault = |what: String, help: &str| Some((what, help.to_owned()));
    if name.contains('/') || cfg!(windows) && name.contains('\\') {
        let path = Path::new(name);
        if is_program(path) {
            return None;
        }
        return match path.metadata() {
            Err(_) => fault(format!("there is no program '{name}'"), "paths count from where runner is started"),
            Ok(found) if found.is_dir() => fault(format!("'{name}' is a folder, not a program"), "name a file in it"),
            Ok(found) if found.is_file() => Some((
                format!("'{name}' is a file that may not be executed"),
                format!("run `chmod +x {name}`, or name what runs it, e.g. `run: [sh, {}]`", yaml(name)),
            )),
            Ok(_) => fault(
                format!("'{name}' is neither a file nor a folder, and no program"),
                "it is a pipe, a socket or a device; name a file",
            ),
        };
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&folders).any(|folder| is_program(&folder.join(name))) {
        return None;
    }
    let help = match Path::new(name).is_file() {
        true => format!("it is on no folder of PATH; a file beside the pipeline is `./{name}`"),
        false => "it is on no folder of PATH".to_owned(),
    };
    Some((format!("there is no program '{name}'"), help))
}

#[cfg(unix)]
pub(crate) fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// The ending may be left out there.
#[cfg(not(unix))]
pub(crate) fn is_program(path: &Path) -> bool {
    ["", "exe", "bat", "cmd"].iter().any(|ending| path.with_extension(ending).is_file() || path.is_file())
}

pub(super) fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A declared variable: what its value is joins the cache key.
pub(super) struct Variable {
    name: String,
    at: String,
}

impl Variable {
    pub(crate) fn new(name: &str) -> Self {
        Variable { name: name.to_owned(), at: format!("env.{name}") }
    }

    /// The value as people should see it in explanations; of secrets a digest, since manifests are kept on disk.
    fn value(&self) -> String {
        let Some(value) = std::env::var_os(&self.name) else { return "(not set)".to_owned() };
        let name = self.name.to_ascii_uppercase();
        match value.to_str() {
            Some(text) if !SECRET.iter().any(|word| name.contains(word)) => format!("'{text}'"),
            _ => runner_artifact::Digest::of(value.as_encoded_bytes()).to_string(),
        }
    }
}

impl External for Variable {
    fn at(&self) -> &str {
        &self.at
    }

    fn digest(&self) -> anyhow::Result<Option<String>> {
        Ok(Some(self.value()))
    }

    fn fetch(&self, _report: &dyn Report) -> anyhow::Result<String> {
        Ok(self.value())
    }
}
