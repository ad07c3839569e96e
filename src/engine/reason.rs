//! `StaleReason`: why a stage must run or be restored, with old and new value.

use serde::Serialize;

use super::manifest::Change;

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum StaleReason {
    /// There is no result of this stage yet.
    NeverRan,
    /// `--force`.
    Forced,
    /// An entry of the manifest has another value; `at` is the place in the YAML, `full.yaml:42:11`.
    Changed {
        what: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        old: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        new: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        at: Option<String>,
    },
    /// A stage that this one reads from will run.
    Upstream {
        stage: String,
        /// Nothing else has changed: if its output stays the same, this one stays fresh.
        only_if_changed: bool,
    },
    /// Another stage of this plan will do exactly the same work.
    SameAs { stage: String },
    /// Something outside has to be fetched before its digest is known.
    NotFetched { what: String },
    /// The result is known, but its blob is gone or damaged.
    BlobLost { file: String },
    /// The result is known, but its file for people is gone or was changed.
    FileLost { file: String },
}

impl StaleReason {
    pub(super) fn changed(change: Change, at: Option<String>) -> Self {
        StaleReason::Changed { what: change.name, old: change.old, new: change.new, at }
    }
}

impl std::fmt::Display for StaleReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StaleReason::NeverRan => write!(f, "never ran"),
            StaleReason::Forced => write!(f, "forced"),
            StaleReason::Changed { what, old, new, at } => {
                let what = what.strip_prefix("params.").unwrap_or(what);
                let side = |value: &Option<String>| value.as_deref().map_or("(absent)".to_owned(), shorten);
                write!(f, "{what} {} → {}", side(old), side(new))?;
                at.as_ref().map_or(Ok(()), |at| write!(f, " ({at})"))
            }
            StaleReason::Upstream { stage, only_if_changed: true } => {
                write!(f, "'{stage}' runs before it: runs if its output changes")
            }
            StaleReason::Upstream { stage, .. } => write!(f, "'{stage}' runs before it"),
            StaleReason::SameAs { stage } => write!(f, "'{stage}' does the same"),
            StaleReason::NotFetched { what } => write!(f, "{what} has to be fetched"),
            StaleReason::BlobLost { file } => write!(f, "{file} is missing or damaged in the store"),
            StaleReason::FileLost { file } => write!(f, "{file} is missing or was changed"),
        }
    }
}

/// Digests at a glance: 12 of 64 digits.
pub fn shorten(value: &str) -> String {
    let is_digest = value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_digest { value[..12].to_owned() } else { value.to_owned() }
}
