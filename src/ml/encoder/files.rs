//! Reading the files of an encoder's folder: regular files alone, each within a bound.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

use serde_json::Value;

use super::EncodeError;

/// Bytes of a JSON file that says what an encoder is; a few hundred are usual.
const LARGEST_JSON: u64 = 16 << 20;

/// The parsed file, `None` where there is none.
pub(crate) fn read_json(path: &Path) -> Result<Option<Value>, EncodeError> {
    let Some(text) = read_file(path, LARGEST_JSON)? else { return Ok(None) };
    match serde_json::from_slice(&text) {
        Ok(value) => Ok(Some(value)),
        Err(error) => Err(EncodeError::Corrupt { path: path.to_owned(), reason: error.to_string() }),
    }
}

/// As [`read_json`], of a file of settings: what is no object would be taken for one without any.
pub(super) fn read_settings(path: &Path) -> Result<Option<Value>, EncodeError> {
    let settings = read_json(path)?;
    match settings.as_ref().filter(|settings| !settings.is_object()) {
        None => Ok(settings),
        Some(other) => Err(EncodeError::Corrupt {
            path: path.to_owned(),
            reason: format!("it holds {}, not an object of settings", kind_of(other)),
        }),
    }
}

/// The settings of a file that must be there; `hint` helps whoever misses it.
pub(super) fn read_settings_file(path: &Path, hint: &str) -> Result<Value, EncodeError> {
    read_settings(path)?.ok_or_else(|| EncodeError::Missing { path: path.to_owned(), remedy: hint.to_owned() })
}

/// The setting `key`, `None` where it is left out or null. `what` is what it must be, of which `read` makes something.
pub(super) fn setting<'v, T>(
    settings: &'v Value,
    key: &str,
    path: &Path,
    what: &str,
    read: impl FnOnce(&'v Value) -> Option<T>,
) -> Result<Option<T>, EncodeError> {
    let value = &settings[key];
    if value.is_null() {
        return Ok(None);
    }
    let wrong = || EncodeError::Corrupt { path: path.to_owned(), reason: format!("'{key}' is {value}, not {what}") };
    read(value).map(Some).ok_or_else(wrong)
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// The bytes of a file that must be there, at most `largest`; `hint` helps whoever misses it.
pub(crate) fn read_bytes(path: &Path, largest: u64, hint: &str) -> Result<Vec<u8>, EncodeError> {
    read_file(path, largest)?.ok_or_else(|| EncodeError::Missing { path: path.to_owned(), remedy: hint.to_owned() })
}

/// `None` where there is nothing.
fn read_file(path: &Path, largest: u64) -> Result<Option<Vec<u8>>, EncodeError> {
    let Some((mut file, bytes)) = open_file(path, largest)? else { return Ok(None) };
    let mut text = Vec::with_capacity(bytes.min(largest) as usize);
    match file.read_to_end(&mut text) {
        Ok(_) => Ok(Some(text)),
        Err(source) => Err(EncodeError::Read { path: path.to_owned(), source }),
    }
}

/// The file with its size, `None` where there is nothing. What is no file (a named pipe, say) would keep a reader waiting, and is refused.
pub(crate) fn open_file(path: &Path, largest: u64) -> Result<Option<(File, u64)>, EncodeError> {
    let failed = |source: io::Error| EncodeError::Read { path: path.to_owned(), source };
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if !metadata.is_file() {
        return Err(failed(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file")));
    }
    if metadata.len() > largest {
        let reason = format!("it has {} bytes, more than the {largest} that such a file may have", metadata.len());
        return Err(EncodeError::Corrupt { path: path.to_owned(), reason });
    }
    let file = File::open(path).map_err(failed)?;
    Ok(Some((file, metadata.len())))
}
