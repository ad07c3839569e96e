//! Models that read a column which leaks the label, by the audit of a `describe` stage: their scores measure a look-up of that column.
//!
//! One judgement for pages, articles and the terminal; each has its own words.

use std::collections::BTreeSet;

use serde_json::Value;

use super::read::{StageArtifacts, list, number, text, texts};

/// A model and the leaking columns that it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    /// The stage of the model.
    pub stage: String,
    /// In the order of the audit.
    pub columns: Vec<String>,
    /// The members that read them, where the stage averages models of other stages; empty where it reads them itself.
    pub members: Vec<String>,
}

/// The kinds of stages whose models read columns of the rows.
const READERS: [&str; 3] = ["baseline", "train", "transfer"];

/// The columns that an audit found to leak the label.
pub fn columns(profile: &Value) -> Vec<String> {
    let all = profile.get("audit").into_iter().flat_map(|audit| list(audit, "give_aways"));
    let found = all.filter(|entry| text(entry, "verdict") == Some("gives_away"));
    found.filter_map(|entry| text(entry, "column").map(String::from)).collect()
}

/// All leaks among these stages, in their order. `edges` go from producer to consumer.
pub fn all(stages: &[StageArtifacts], edges: &[(String, String)]) -> Vec<Leak> {
    let mut leaking: Vec<String> = Vec::new();
    for column in stages.iter().filter_map(|stage| stage.document("audit")).flat_map(columns) {
        if !leaking.contains(&column) {
            leaking.push(column);
        }
    }
    let mut found: Vec<Leak> = Vec::new();
    for stage in stages.iter().filter(|stage| READERS.contains(&stage.kind.as_str())) {
        let inputs = inputs(stage);
        let columns: Vec<String> = leaking.iter().filter(|column| inputs.contains(column.as_str())).cloned().collect();
        if !columns.is_empty() {
            found.push(Leak { stage: stage.stage.clone(), columns, members: Vec::new() });
        }
    }
    // A new ensemble may average another one: as often as there are stages is often enough.
    for _ in 0..stages.len() {
        let before = found.len();
        for stage in stages.iter().filter(|stage| stage.kind == "ensemble") {
            if found.iter().any(|leak| leak.stage == stage.stage) {
                continue;
            }
            let parents: Vec<&str> =
                edges.iter().filter(|(_, to)| *to == stage.stage).map(|(from, _)| from.as_str()).collect();
            let own: Vec<&Leak> = found
                .iter()
                .filter(|leak| parents.contains(&leak.stage.as_str()) && counts(stage, &leak.stage))
                .collect();
            if own.is_empty() {
                continue;
            }
            let columns = leaking.iter().filter(|column| own.iter().any(|leak| leak.columns.contains(column)));
            found.push(Leak {
                stage: stage.stage.clone(),
                columns: columns.cloned().collect(),
                members: own.iter().map(|leak| leak.stage.clone()).collect(),
            });
        }
        if found.len() == before {
            break;
        }
    }
    let place = |leak: &Leak| stages.iter().position(|stage| stage.stage == leak.stage);
    found.sort_by_key(place);
    found
}

/// The columns that a stage's models read, whatever they are read as.
fn inputs(stage: &StageArtifacts) -> BTreeSet<String> {
    let told = stage.document("inputs").and_then(|document| document.get("inputs"));
    let of = told.unwrap_or(&stage.params);
    ["numeric", "text", "categories"].into_iter().flat_map(|key| texts(of.get(key))).collect()
}

/// Whether a member, or a model of that stage, has a weight in an ensemble; where no weight is known it has.
fn counts(ensemble: &StageArtifacts, member: &str) -> bool {
    let Some(document) = ensemble.document("members") else { return true };
    let own = list(document, "members").filter(|one| {
        text(one, "name")
            .is_some_and(|name| name == member || name.strip_prefix(member).is_some_and(|rest| rest.starts_with('/')))
    });
    let weights: Vec<Option<f64>> = own.map(|one| number(one, "weight")).collect();
    weights.is_empty() || weights.iter().any(|weight| weight.is_none_or(|weight| weight > 0.0))
}

/// In a sentence for a terminal or a page, e.g. `net reads fine, which leaks the label: …`.
pub fn sentence(leak: &Leak) -> String {
    let columns = and(&leak.columns);
    let (which, of, known) = match leak.columns.len() {
        1 => ("which leaks the label", "it", "it is"),
        _ => ("which leak the label", "them", "they are"),
    };
    let reads = match leak.members.as_slice() {
        [] => format!("{} reads {columns}", leak.stage),
        [member] => format!("{} averages {member}, which reads {columns}", leak.stage),
        members => format!("{} averages {}, which read {columns}", leak.stage, and(members)),
    };
    format!(
        "{reads}, {which}: its scores measure a look-up of {of}, and mean nothing for rows where {known} not yet known"
    )
}

/// `a`, `a and b`, `a, b and c`.
fn and(names: &[String]) -> String {
    match names {
        [first @ .., last] if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        names => names.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn stage(name: &str, kind: &str, document: Value, params: Value) -> StageArtifacts {
        let json = [("document".to_owned(), document)].into_iter().collect();
        StageArtifacts { stage: name.into(), kind: kind.into(), json, params, ..StageArtifacts::default() }
    }

    #[test]
    fn who_reads_a_leaking_column_and_who_averages_them() {
        let audit = json!({"audit": {"give_aways": [
            {"column": "fine", "verdict": "gives_away"}, {"column": "album", "verdict": "nearly"}]}});
        let reads = |columns: Value| json!({"inputs": {"numeric": [], "text": ["text"], "categories": columns}});
        let member = |name: &str, weight: f64| json!({"name": name, "weight": weight});
        let stages = [
            stage("about", "describe", audit, Value::Null),
            stage("clean", "train", reads(json!(["album"])), Value::Null),
            stage("net", "train", reads(json!(["fine"])), Value::Null),
            stage("base", "baseline", json!({"evaluations": []}), json!({"numeric": ["fine"], "text": []})),
            stage("ens", "ensemble", json!({"members": [member("net", 0.5), member("clean", 0.5)]}), Value::Null),
            stage("idle", "ensemble", json!({"members": [member("net", 0.0), member("clean", 1.0)]}), Value::Null),
            stage("outer", "ensemble", json!({"members": [member("ens", 1.0)]}), Value::Null),
        ];
        let edges = [("net", "ens"), ("clean", "ens"), ("net", "idle"), ("clean", "idle"), ("ens", "outer")];
        let edges = edges.map(|(from, to)| (from.to_owned(), to.to_owned()));
        let found = all(&stages, &edges);
        let names: Vec<&str> = found.iter().map(|leak| leak.stage.as_str()).collect();
        assert_eq!(names, ["net", "base", "ens", "outer"]);
        assert!(sentence(&found[0]).starts_with("net reads fine, which leaks the label: "));
        assert!(sentence(&found[2]).starts_with("ens averages net, which reads fine, which leaks the label: "));
    }
}
