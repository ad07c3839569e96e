//! The files that a program reads beside its inputs: those that are declared, and those that its words name without saying so.

use std::path::{Path, PathBuf};

use runner_boundary::files::open_regular;

/// Files of a folder that are looked at before each run.
const MOST: usize = 10_000;

/// Folders of the machine's own.
const SYSTEM: [&str; 10] = ["/bin", "/dev", "/etc", "/lib", "/lib64", "/opt", "/proc", "/sbin", "/sys", "/usr"];

/// The file of that path, or all files in the folder of that path and in folders in it, in the order of their names. What is hidden is left out, and
/// what programs leave there themselves: Python's `__pycache__`, artifacts folders. Opens none of them.
///
/// # Errors
/// Why the folder cannot be listed, in words.
pub(super) fn files(path: &str) -> Result<Vec<String>, String> {
    if !Path::new(path).is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let (mut found, mut folders) = (Vec::new(), vec![path.trim_end_matches('/').to_owned()]);
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).map_err(|error| format!("'{folder}': {error}"))?;
        for entry in entries {
            let entry = entry.map_err(|error| format!("'{folder}': {error}"))?;
            let kind = entry.file_type().map_err(|error| format!("'{folder}': {error}"))?;
            let name = entry.file_name().into_string().map_err(|name| format!("{name:?} in it is not UTF-8"))?;
            let inner = format!("{folder}/{name}");
            if name.starts_with('.') || name == "__pycache__" || Path::new(&inner).join(".store").is_dir() {
                continue;
            }
            match kind.is_dir() {
                true => folders.push(inner),
                false => found.push(inner),
            }
            if found.len() > MOST {
                return Err(format!("it holds more than {MOST} files, all of which would be read before each run"));
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Why one of the files that [`files`] lists cannot be read, if it cannot.
pub(super) fn unreadable(path: &str) -> Option<String> {
    let listed = match files(path) {
        Ok(listed) => listed,
        Err(problem) => return Some(problem),
    };
    listed.iter().find_map(|file| {
        let error = open_regular(Path::new(file)).err()?;
        Some(if file == path { error.to_string() } else { format!("'{file}': {error}") })
    })
}

/// Files and folders that exist and stand inside of a word, as in `--config=c.json`, `@c.json` and `sh -c "cat c.json"`, or folders that are the word
/// itself; a file that is the whole word is a source of the stage without more ado.
pub(super) fn named_in(word: &str) -> Vec<PathBuf> {
    let is_between = |character: char| character.is_whitespace() || "=@,;:|<>&()'\"`".contains(character);
    let mut found: Vec<PathBuf> = Vec::new();
    for piece in std::iter::once(word).chain(word.split(is_between)) {
        let path = Path::new(piece);
        let is_there = if piece == word { path.is_dir() } else { path.is_file() || path.is_dir() };
        // `.`, `/` and programs of the machine are no data of anybody's.
        let names_something = path.file_name().is_some() && SYSTEM.iter().all(|root| !path.starts_with(root));
        if is_there && names_something && !found.iter().any(|known| known == path) {
            found.push(path.to_owned());
        }
    }
    found
}
