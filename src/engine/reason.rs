//! `StaleReason`: why a stage must run or be restored, with old and new value.

use std::collections::HashSet;

use serde::Serialize;

use super::entry::{Entry, InputEntry};
use super::input::StageView;
use super::manifest::{Change, Manifest};
use runner_names::listed_up_to;

/// Why a stage's result does not hold any more.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum StaleReason {
    /// There is no result of this stage yet.
    NeverRan,
    /// `--force`.
    Forced,
    /// An entry of the manifest has another value; `at` is the place in the YAML, `full.yaml:42:11`, and `from` the stage that the entry's input
    /// comes from now.
    Changed {
        /// What differs.
        what: Entry,
        /// The stage from which it comes, if another.
        #[serde(skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// `None` where it is new.
        #[serde(skip_serializing_if = "Option::is_none")]
        old: Option<String>,
        /// `None` where it is gone.
        #[serde(skip_serializing_if = "Option::is_none")]
        new: Option<String>,
        /// Where it is written, as `file:line:column`.
        #[serde(skip_serializing_if = "Option::is_none")]
        at: Option<String>,
    },
    /// A stage that this one reads from will run.
    Upstream {
        /// That will run, and whose output decides.
        stage: String,
        /// Nothing else has changed: if its output stays the same, this one stays fresh.
        only_if_changed: bool,
    },
    /// Another stage of this plan will do exactly the same work.
    SameAs {
        /// That will run, and whose output decides.
        stage: String,
    },
    /// Something outside has to be fetched before its digest is known.
    NotFetched {
        /// What differs.
        what: String,
    },
    /// The result is known, but its blob is gone or damaged.
    BlobLost {
        /// Inside the stage's folder.
        file: String,
    },
    /// The result is known, but its file for people is gone or was changed.
    FileLost {
        /// Inside the stage's folder.
        file: String,
    },
}

impl StaleReason {
    pub(super) fn changed(change: Change, from: Option<String>, at: Option<String>) -> Self {
        StaleReason::Changed { what: change.entry, from, old: change.old, new: change.new, at }
    }
}

impl std::fmt::Display for StaleReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StaleReason::NeverRan => write!(f, "no result yet"),
            StaleReason::Forced => write!(f, "forced"),
            StaleReason::Changed { what, from, old, new, at } => {
                f.write_str(&described(what, from.as_deref(), old.as_deref(), new.as_deref()))?;
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

/// One entry that differs, in words.
fn described(what: &Entry, from: Option<&str>, old: Option<&str>, new: Option<&str>) -> String {
    let (before, after) = sides(old, new);
    match what {
        Entry::Parameter(path) => match of_list(old, new) {
            Some(difference) => format!("{path} {difference}"),
            None => format!("{path} {before} → {after}"),
        },
        Entry::Source(path) | Entry::External(path) => match (old, new) {
            (Some(old), Some(new)) if is_digest(old) && is_digest(new) => format!("{path}: its content has changed"),
            _ => format!("{path} {before} → {after}"),
        },
        Entry::Version => format!("version of the kind {before} → {after}"),
        Entry::Engine => format!("version of the engine {before} → {after}"),
        Entry::Lineage => "the pipeline above it has changed".to_owned(),
        Entry::Needed(file) => format!("{file}: needed {}", if old.is_none() { "now" } else { "no more" }),
        Entry::Input(input, what) => {
            let from = from.map_or_else(|| input.to_string(), |stage| format!("'{stage}'"));
            of_input(what, &from, (old, new), (&before, &after))
        }
        Entry::Kind | Entry::Device | Entry::Seed | Entry::Aim(_) | Entry::Unknown(_) => {
            format!("{what} {before} → {after}")
        }
    }
}

/// Two values of a manifest's entry: `0.1 → 0.2`, or of lists of names `without energy, with tempo`.
pub fn difference(old: Option<&str>, new: Option<&str>) -> String {
    let (before, after) = sides(old, new);
    of_list(old, new).unwrap_or_else(|| format!("{before} → {after}"))
}

/// What came to a list of names, and what went.
fn of_list(old: Option<&str>, new: Option<&str>) -> Option<String> {
    /// So many names are told.
    const NAMED: usize = 4;
    let names = |side: Option<&str>| serde_json::from_str::<Vec<String>>(side?).ok();
    let (old, new) = (names(old)?, names(new)?);
    let only = |word: &str, own: &[String], other: &[String]| {
        let other: HashSet<&String> = other.iter().collect();
        let mut names = own.iter().filter(|name| !other.contains(name)).map(|name| shorten(name)).peekable();
        names.peek().is_some().then(|| format!("{word} {}", listed_up_to(NAMED, names)))
    };
    let parts: Vec<String> = [only("without", &old, &new), only("with", &new, &old)].into_iter().flatten().collect();
    Some(if parts.is_empty() { "in another order".to_owned() } else { parts.join(", ") })
}

fn of_input(
    what: &InputEntry,
    from: &str,
    sides: (Option<&str>, Option<&str>),
    (before, after): (&str, &str),
) -> String {
    let what = match what {
        InputEntry::Stage => return of_stage(from, sides),
        InputEntry::Warnings => return format!("{from} warns of something else"),
        InputEntry::Rows => return format!("rows of {from} {before} → {after}"),
        InputEntry::Whole => from.to_owned(),
        InputEntry::Metadata => format!("metadata of {from}"),
        InputEntry::Column(name) => format!("column {name} of {from}"),
        InputEntry::Output(name) => format!("output {name} of {from}"),
    };
    // A column that was asked for and did not exist is written as such a word.
    match sides {
        (Some(old), Some(new)) if is_digest(old) && !is_digest(new) => format!("{what} is gone"),
        (Some(old), Some(new)) if is_digest(new) && !is_digest(old) => format!("{what} is new"),
        (Some(_), Some(_)) => format!("{what} has changed"),
        (None, _) => format!("{what} is new"),
        (_, None) => format!("{what} is gone"),
    }
}

/// What differs of a whole stage that is read: its parameters by name.
fn of_stage(from: &str, views: (Option<&str>, Option<&str>)) -> String {
    /// So many parameters are named.
    const NAMED: usize = 3;
    let view = |side: Option<&str>| side.and_then(|text| serde_json::from_str::<StageView>(text).ok());
    let (Some(old), Some(new)) = (view(views.0), view(views.1)) else {
        return match views {
            (None, _) => format!("{from} is new"),
            (_, None) => format!("{from} is gone"),
            _ => format!("{from} has changed"),
        };
    };
    if old.stage != new.stage {
        return format!("reads '{}' in place of '{}'", new.stage, old.stage);
    }
    let parameters = |view: &StageView| {
        let mut manifest = Manifest::default();
        manifest.add_parameters(&view.params, &|_| false);
        manifest
    };
    let changes = parameters(&new).changes_since(&parameters(&old));
    let mut parts: Vec<String> = (changes.iter().take(NAMED))
        .map(|change| described(&change.entry, None, change.old.as_deref(), change.new.as_deref()))
        .collect();
    match changes.len().saturating_sub(NAMED) {
        0 => {}
        1 => parts.push("1 more parameter".to_owned()),
        more => parts.push(format!("{more} more parameters")),
    }
    if old.kind != new.kind {
        parts.insert(0, format!("kind {} → {}", old.kind, new.kind));
    } else if old.version != new.version {
        parts.insert(0, format!("version of the kind {} → {}", old.version, new.version));
    }
    let keys = old.aims.keys().chain(new.aims.keys().filter(|key| !old.aims.contains_key(*key)));
    for key in keys.filter(|key| old.aims.get(*key) != new.aims.get(*key)) {
        let (before, after) = sides(old.aims.get(key).map(String::as_str), new.aims.get(key).map(String::as_str));
        parts.push(format!("{key} {before} → {after}"));
    }
    if old.display_name != new.display_name {
        parts.push("is called otherwise".to_owned());
    }
    if old.inputs != new.inputs {
        parts.push("reads other stages".to_owned());
    }
    format!("{from}: {}", parts.join(", "))
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

    fn changed(what: &str, from: Option<&str>, old: Option<&str>, new: Option<&str>) -> String {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let (from, old, new) = (owned(from), owned(old), owned(new));
        StaleReason::Changed { what: Entry::parse(what), from, old, new, at: None }.to_string()
    }

    #[test]
    fn inputs_are_told_by_the_names_of_stages_columns_and_parameters() {
        let (one, other) = ("0f".repeat(32), "ab".repeat(32));
        let (one, other) = (Some(one.as_str()), Some(other.as_str()));
        let told = |what: &str, old: Option<&str>, new: Option<&str>| changed(what, Some("songs"), old, new);
        assert_eq!(told("input.rows.0.columns.tempo", one, other), "column tempo of 'songs' has changed");
        assert_eq!(told("input.rows.0.columns.tempo", None, other), "column tempo of 'songs' is new");
        assert_eq!(told("input.rows.0.columns.tempo", one, Some("absent")), "column tempo of 'songs' is gone");
        assert_eq!(told("input.rows.0.rows", Some("200"), Some("240")), "rows of 'songs' 200 → 240");
        assert_eq!(told("input.model.0", one, other), "'songs' has changed");
        assert_eq!(told("input.stages.7.warnings", None, Some("[]")), "'songs' warns of something else");
        assert_eq!(told("input.stages.7.curves", one, other), "output curves of 'songs' has changed");
        assert_eq!(changed("input.members.5.columns.p", None, one, other), "column p of members.5 has changed");
        assert_eq!(changed("source.path", None, one, other), "path: its content has changed");
        let view = |lr: f64, batch: u32, depth: u32, epochs: u32, version: u32| {
            let params = serde_json::json!({"lr": lr, "batch": batch, "depth": depth, "epochs": epochs});
            let view = StageView {
                stage: "songs".into(),
                display_name: None,
                kind: "train".into(),
                version,
                params,
                aims: Default::default(),
                inputs: Vec::new(),
            };
            serde_json::to_string(&view).expect("a view")
        };
        let stage = |old: &str, new: &str| told("input.stages.7.stage", Some(old), Some(new));
        assert_eq!(stage(&view(0.1, 8, 2, 5, 1), &view(0.2, 8, 2, 5, 1)), "'songs': lr 0.1 → 0.2");
        assert_eq!(stage(&view(0.1, 8, 2, 5, 1), &view(0.1, 8, 2, 5, 2)), "'songs': version of the kind 1 → 2");
        let many = stage(&view(0.1, 8, 2, 5, 1), &view(0.2, 9, 3, 6, 1));
        assert_eq!(many, "'songs': batch 8 → 9, depth 2 → 3, epochs 5 → 6, 1 more parameter");
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
            from: None,
            old: value(""),
            new: value("\"texts\":5,"),
            at: None,
        };
        let told = reason.to_string();
        assert_eq!(told, "view …res\":20000,\"lowercase\":true} → …res\":20000,\"texts\":5,\"lowercase\":true}");
        assert_eq!(changed("params.lr", None, Some("0.001"), None), "lr 0.001 → (absent)");
    }

    #[test]
    fn of_lists_of_names_what_came_and_went_is_told() {
        let told = |old: &str, new: &str| changed("params.numeric", None, Some(old), Some(new));
        assert_eq!(told(r#"["a", "b"]"#, r#"["b", "c"]"#), "numeric without a, with c");
        assert_eq!(told(r#"["a", "b"]"#, r#"["b", "a"]"#), "numeric in another order");
        assert_eq!(told("[]", r#"["1","2","3","4","5","6"]"#), "numeric with 1, 2, 3, 4 and 2 more");
        assert_eq!(told("[256, 128]", "[256]"), "numeric [256, 128] → [256]");
    }
}
