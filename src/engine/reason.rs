//! `StaleReason`: why a stage must run or be restored, with old and new value.

use serde::Serialize;

use super::entry::{Entry, InputEntry};
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
        what: Entry,
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
        StaleReason::Changed { what: change.entry, old: change.old, new: change.new, at }
    }
}

impl std::fmt::Display for StaleReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StaleReason::NeverRan => write!(f, "no result yet"),
            StaleReason::Forced => write!(f, "forced"),
            StaleReason::Changed { what, old, new, at } => {
                let are_digests = [old, new].iter().all(|side| side.as_deref().is_some_and(is_digest));
                let (old, new) = sides(old.as_deref(), new.as_deref());
                match what {
                    Entry::Input(input, InputEntry::Column(column)) if are_digests => {
                        return write!(f, "column {column} of {input} has other values");
                    }
                    Entry::Parameter(path) => write!(f, "{path} {old} → {new}")?,
                    _ => write!(f, "{what} {old} → {new}")?,
                }
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

fn is_digest(value: &str) -> bool {
    value.len() == 64 && value.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Both values, without the long beginning that they may share.
fn sides(old: Option<&str>, new: Option<&str>) -> (String, String) {
    /// Of what is shared so much stays.
    const BEFORE: usize = 12;
    let start = match (old, new) {
        (Some(old), Some(new)) => {
            let same = old.char_indices().zip(new.chars()).take_while(|((_, a), b)| a == b);
            same.map(|((at, _), _)| at).collect::<Vec<_>>()
        }
        _ => Vec::new(),
    };
    let is_long = [old, new].iter().flatten().any(|value| value.chars().count() > LONGEST);
    let start = start.len().checked_sub(BEFORE).filter(|_| is_long).map_or(0, |place| start[place]);
    let side = |value: Option<&str>| match value {
        None => "(absent)".to_owned(),
        Some(value) if start > 0 => format!("…{}", shorten(&value[start..])),
        Some(value) => shorten(value),
    };
    (side(old), side(new))
}

/// Characters of a value that are shown.
const LONGEST: usize = 60;

/// Values at a glance: 12 of the 64 digits of a digest, the beginning of a long text or document; `--json` and the manifest have it whole.
pub fn shorten(value: &str) -> String {
    match value.char_indices().nth(LONGEST) {
        _ if is_digest(value) => value[..12].to_owned(),
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_told_by_its_name() {
        let reason = |old: Option<&str>| StaleReason::Changed {
            what: Entry::parse("input.members.5.columns.predicted"),
            old: old.map(str::to_owned),
            new: Some("ab".repeat(32)),
            at: None,
        };
        assert_eq!(reason(Some(&"0f".repeat(32))).to_string(), "column predicted of members.5 has other values");
        assert_eq!(reason(None).to_string(), "input.members.5.columns.predicted (absent) → abababababab");
    }

    #[test]
    fn of_long_values_the_difference_is_told() {
        let value = |more: &str| {
            Some(format!(
                "{{\"kind\":\"embed\",\"columns\":[\"track_name\"],\"max_features\":20000,{more}\"lowercase\":true}}"
            ))
        };
        let reason = StaleReason::Changed {
            what: Entry::parse("params.view"),
            old: value(""),
            new: value("\"texts\":5,"),
            at: None,
        };
        let told = reason.to_string();
        assert_eq!(told, "view …res\":20000,\"lowercase\":true} → …res\":20000,\"texts\":5,\"lowercase\":true}");
        let short =
            StaleReason::Changed { what: Entry::parse("params.lr"), old: Some("0.001".into()), new: None, at: None };
        assert_eq!(short.to_string(), "lr 0.001 → (absent)");
    }
}
