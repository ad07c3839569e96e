//! Names of encoders: which are safe, and how a name becomes one folder name.

use super::error::{BUILT_IN, ResolveError};
use runner_names::{self as names, NameFault};

/// Whether `name` is `name` or `organisation/name` by the hub's own rules: letters, digits, `-`, `_`, `.`;
/// no `--` or `..`, no `-` or `.` at either end. So no name leaves its folder, and `/` ↔ `--` is reversible.
pub(super) fn is_valid(name: &str) -> bool {
    let parts: Vec<&str> = name.split('/').collect();
    parts.len() <= 2 && name.len() <= 120 && parts.iter().all(|part| is_valid_part(part))
}

/// Whether an encoder can be imported under a name.
pub(super) fn check(name: &str) -> Result<(), ResolveError> {
    if !is_valid(name) {
        return Err(ResolveError::BadName(name.to_owned()));
    }
    if name.eq_ignore_ascii_case(BUILT_IN) {
        return Err(ResolveError::BuiltIn);
    }
    let unusable = |fault: NameFault| ResolveError::Unusable { reason: fault.to_string(), help: fault.help() };
    names::check(&to_folder(name), "").map_err(unusable)
}

/// `organisation/name` → `organisation--name`, as the Hugging Face cache does.
pub(super) fn to_folder(name: &str) -> String {
    name.replace('/', "--")
}

/// The inverse of [`to_folder`]; `None` for a folder that no valid name makes.
pub(super) fn from_folder(folder: &str) -> Option<String> {
    let name = folder.replacen("--", "/", 1);
    is_valid(&name).then_some(name)
}

/// Whether the user means a path, existing or not, rather than a name.
pub(super) fn looks_like_path(text: &str) -> bool {
    text == "."
        || text == ".."
        || text == "~"
        || text.starts_with(['/', '\\'])
        || text.starts_with("./")
        || text.starts_with("../")
        || text.starts_with("~/")
        || text.matches('/').count() > 1
}

/// Whether a relative path from a stranger (`1_Pooling/config.json`) stays below the folder that it is joined to.
pub(super) fn is_safe_path(path: &str) -> bool {
    !path.contains(|c: char| c.is_control() || matches!(c, '\\' | ':'))
        && path.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
}

fn is_valid_part(part: &str) -> bool {
    !part.is_empty()
        && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && !part.contains("--")
        && !part.contains("..")
        && !part.starts_with(['-', '.'])
        && !part.ends_with(['-', '.'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_their_folder_are_refused() {
        for name in ["", "..", "../x", "a/..", "/etc", "a//b", "a/b/c", "a\\b", "a b", "-x", "a--b", ".x"] {
            assert!(!is_valid(name), "{name:?}");
        }
        for name in ["bge", "BAAI/bge-small-en-v1.5", "sentence-transformers/all-MiniLM-L6-v2"] {
            assert!(is_valid(name), "{name:?}");
            assert_eq!(from_folder(&to_folder(name)).as_deref(), Some(name));
        }
    }

    #[test]
    fn names_that_mean_something_else_are_refused() {
        for name in ["tfidf", "TFIDF", "con", "Nul", "aux.v2", "com1", "lpt9.x"] {
            assert!(check(name).is_err(), "{name:?}");
        }
        for name in ["tfidf2", "my/tfidf", "console", "con-v2", "org/con"] {
            assert!(check(name).is_ok(), "{name:?}");
        }
    }

    #[test]
    fn paths_of_strangers_stay_below() {
        for path in ["", "/a", "a/../b", "./a", "a//b", "C:/a", "a\\b", "a/", "a\nb", "a\u{9b}b"] {
            assert!(!is_safe_path(path), "{path:?}");
        }
        assert!(is_safe_path("1_Pooling/config.json"));
    }
}
