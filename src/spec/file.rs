//! Pipeline files from the disk into [`Sources`], with a problem for what cannot be read.

use std::io::Read as _;
use std::path::Path;

use super::problem::Problem;
use super::source::{Sources, Span};
use runner_boundary::files::open_regular;
use runner_names::suggest;

/// A larger file is no pipeline but, most likely, a table given by mistake.
const LARGEST_FILE: u64 = 16 << 20;

/// Reads a file and returns its index. `named_at` is where another file names it, if one does. The path joins [`Sources::files`] also when
/// it cannot be read, since whoever waits for changes must see it appear.
pub(super) fn read(path: &Path, named_at: Option<Span>, sources: &mut Sources) -> Result<usize, Box<Problem>> {
    let name = path.display().to_string();
    let bytes = match read_bytes(path, &name) {
        Ok(bytes) => bytes,
        Err(problem) => {
            sources.note_unread(path);
            return Err(Box::new(Problem { span: named_at, ..*problem }));
        }
    };
    let mut broken = |offset: usize, width: usize, message: &str, help: &str| {
        let file = sources.add_file(&name, &String::from_utf8_lossy(&bytes));
        let span = sources.span(file, offset..offset + width);
        Box::new(Problem::new(span, message).help(help))
    };
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(broken(0, 0, "the file is UTF-16", "save it as UTF-8"));
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(sources.add_file(&name, text)),
        Err(error) => {
            let at = error.valid_up_to();
            let message = format!("invalid UTF-8: byte 0x{:02x}", bytes[at]);
            Err(broken(at, char::REPLACEMENT_CHARACTER.len_utf8(), &message, "save the file as UTF-8"))
        }
    }
}

fn read_bytes(path: &Path, name: &str) -> Result<Vec<u8>, Box<Problem>> {
    let failed = |error: std::io::Error| {
        let problem = Problem::new(None, format!("cannot read '{name}': {error}"));
        Box::new(match neighbour(path) {
            Some(other) if error.kind() == std::io::ErrorKind::NotFound => {
                problem.help(format!("did you mean '{other}'?"))
            }
            _ => problem.help("name a pipeline file, e.g. `pipelines/full.yaml`"),
        })
    };
    let mut bytes = Vec::new();
    let file = open_regular(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    // One more than is allowed, where the system tells no size.
    file.take(LARGEST_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
    let length = length.max(bytes.len() as u64);
    if length > LARGEST_FILE {
        let message = format!("'{name}' has {length} bytes: too large for a pipeline file");
        return Err(Box::new(Problem::new(None, message).help("name a pipeline file, e.g. `pipelines/full.yaml`")));
    }
    Ok(bytes)
}

/// A file in the same folder whose name is nearly that of `path`.
fn neighbour(path: &Path) -> Option<String> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .ok()?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".yaml") || name.ends_with(".yml"))
        .collect();
    names.sort();
    let wanted = path.file_name()?.to_str()?;
    let found = suggest(wanted, names.iter().map(String::as_str))?;
    Some(path.with_file_name(found).display().to_string())
}
