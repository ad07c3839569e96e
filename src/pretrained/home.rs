//! The user's home folder, and paths that begin with `~`.

use std::path::PathBuf;

/// `~` and `~/x` → the home folder and below.
pub(super) fn expand_home(path: &str) -> PathBuf {
    match path.strip_prefix('~') {
        Some("") => home(),
        Some(rest) if rest.starts_with('/') => home().join(rest.trim_start_matches('/')),
        _ => PathBuf::from(path),
    }
}

/// The current folder where there is no home, as in some containers.
pub(super) fn home() -> PathBuf {
    std::env::home_dir().filter(|home| !home.as_os_str().is_empty()).unwrap_or_else(|| PathBuf::from("."))
}
