//! What the store says of the study's stages, and whether two runs delivered the same.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::workspace::Workspace;

/// What the stage measured when it was last computed.
pub fn measured(work: &Workspace, stage: &str) -> BTreeMap<String, f64> {
    serde_json::from_value(record(work, stage)["provenance"]["measurements"].clone()).expect("numbers")
}

pub fn warnings(work: &Workspace, stage: &str) -> Vec<String> {
    serde_json::from_value(record(work, stage)["provenance"]["warnings"].clone()).expect("texts")
}

fn record(work: &Workspace, stage: &str) -> Value {
    let key = work.text(&format!("artifacts/.store/current/study/{stage}")).trim().to_owned();
    let text = work.text(&format!("artifacts/.store/records/{}/{key}.json", &key[..2]));
    // The last line is the record's own digest.
    serde_json::from_str(text.rsplit_once("\nblake3 ").expect("a sealed record").0).expect("a record")
}

pub fn headline(work: &Workspace, stage: &str) -> String {
    record(work, stage)["provenance"]["headline"].as_str().expect("text").to_owned()
}

#[track_caller]
pub fn assert_same_artifacts(one: &Workspace, other: &Workspace) {
    let files = one.files_under("artifacts/study");
    assert!(!files.is_empty());
    assert_eq!(files, other.files_under("artifacts/study"));
    for file in files {
        let name = format!("artifacts/study/{}", file.display());
        assert!(one.read(&name) == other.read(&name), "{name} differs");
    }
}
