//! Models that read a column which leaks the label, by the audit of a `describe` stage: their scores measure a look-up of that column.
//!
//! One judgement for pages, articles and the terminal; each has its own words.

use std::collections::BTreeSet;

use runner_results::{ensemble::Ensemble, profile::Profile, training::Training};

use super::read::StageArtifacts;

/// A model and the leaking columns that it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak {
    /// The stage of the model.
    pub stage: String,
    /// In the order of the audit.
    pub(crate) columns: Vec<String>,
    /// The members that read them, where the stage averages models of other stages; empty where it reads them itself.
    pub(crate) members: Vec<String>,
}

/// The kinds of stages whose models read columns of the rows.
const READERS: [&str; 3] = ["baseline", "train", "transfer"];

/// All leaks among these stages, in their order. `edges` go from producer to consumer.
pub fn all(stages: &[StageArtifacts], edges: &[(String, String)]) -> Vec<Leak> {
    let mut leaking: Vec<String> = Vec::new();
    let profiles = stages.iter().filter_map(|stage| stage.documents.get::<Profile>());
    for column in profiles.flat_map(|profile| profile.audit.leaking()) {
        if !leaking.iter().any(|other| other == column) {
            leaking.push(column.to_owned());
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

/// The columns that all models of these stages read.
pub(crate) fn all_inputs(stages: &[StageArtifacts]) -> BTreeSet<String> {
    stages.iter().filter(|stage| READERS.contains(&stage.kind.as_str())).flat_map(inputs).collect()
}

/// The columns that a stage's models read, whatever they are read as.
fn inputs(stage: &StageArtifacts) -> BTreeSet<String> {
    if let Some(Training { inputs, .. }) = stage.documents.get::<Training>() {
        return [&inputs.numeric, &inputs.text, &inputs.categories].into_iter().flatten().cloned().collect();
    }
    stage.settings().columns().into_iter().flatten().collect()
}

/// The columns that the models of a stage read, those of its members where it averages models of other stages.
pub(crate) fn inputs_of(stages: &[StageArtifacts], edges: &[(String, String)], name: &str) -> BTreeSet<String> {
    let (mut wanted, mut found, mut seen) = (vec![name], BTreeSet::new(), BTreeSet::new());
    while let Some(name) = wanted.pop() {
        let Some(stage) = stages.iter().find(|stage| stage.stage == name).filter(|_| seen.insert(name)) else {
            continue;
        };
        match stage.kind.as_str() {
            "ensemble" => {
                let parents = edges.iter().filter(|(_, to)| to == name).map(|(from, _)| from.as_str());
                wanted.extend(parents.filter(|parent| counts(stage, parent)));
            }
            kind if READERS.contains(&kind) => found.extend(inputs(stage)),
            _ => {}
        }
    }
    found
}

/// Whether a member, or a model of that stage, has a weight in an ensemble; where no weight is known it has.
fn counts(ensemble: &StageArtifacts, member: &str) -> bool {
    let Some(document) = ensemble.documents.get::<Ensemble>() else { return true };
    let is_of = |name: &str| name.strip_prefix(member).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    let mut own = document.members.iter().filter(|one| is_of(&one.name)).peekable();
    own.peek().is_none() || own.any(|one| one.weight > 0.0)
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
    use runner_results::calibration::CalibrationReport;
    use runner_results::ensemble::{Average, Member, Weighting};
    use runner_results::profile::ColumnKind;
    use runner_results::profile::audit::{Audit, ColumnScore, ReadBy, TargetLeak, TargetLeakVerdict};
    use runner_results::spec::{Loss, TrainingSpec};
    use runner_results::training::Fitted;
    use runner_results::{Inputs, Parts, scores::Scores};
    use serde_json::{Value, json};

    fn stage(name: &str, kind: &str, params: Value) -> StageArtifacts {
        StageArtifacts { stage: name.into(), kind: kind.into(), params, ..StageArtifacts::default() }
    }

    fn uncalibrated() -> CalibrationReport {
        CalibrationReport { temperature: 1.0, parts: Parts::default(), bias: None, decision: None }
    }

    #[test]
    fn who_reads_a_leaking_column_and_who_averages_them() {
        let looked_up = |column: &str, verdict| TargetLeak {
            column: column.to_owned(),
            kind: ColumnKind::Text,
            read_by: ReadBy::Value,
            distinct: 9,
            repeated: 1.0,
            purity: None,
            row_folds: ColumnScore {
                coverage: 1.0,
                accuracy_on_covered: None,
                accuracy: 0.9,
                gain: 0.8,
                gain_low: 0.7,
                gain_on_covered: 0.8,
            },
            group_folds: None,
            verdict,
        };
        let target_leaks =
            vec![looked_up("fine", TargetLeakVerdict::Leaks), looked_up("album", TargetLeakVerdict::Nearly)];
        let profile = Profile { audit: Audit { target_leaks, ..Audit::default() }, ..Profile::default() };
        let mut about = stage("about", "describe", Value::Null);
        about.documents.insert("profile", profile);
        let train = |name: &str, category: &str| {
            let inputs = Inputs { categories: vec![category.to_owned()], ..Inputs::default() };
            let training = Training {
                parts: Parts::default(),
                calibration: uncalibrated(),
                loss: Loss::CrossEntropy,
                classes: Vec::new(),
                inputs,
                network: None,
                training: TrainingSpec::default(),
                fitted: Fitted::One { best_epoch: 1, diverged: None },
                diagnosis: Vec::new(),
                parameters: 1,
                strategy: None,
            };
            let mut stage = stage(name, "train", Value::Null);
            stage.documents.insert("metrics", training);
            stage
        };
        let ensemble = |name: &str, members: &[(&str, f64)]| {
            let valid = || Scores::new(&[], &[], &[]);
            let member = |&(name, weight): &(&str, f64)| Member { name: name.to_owned(), weight, valid: valid() };
            let document = Ensemble {
                parts: Parts::default(),
                members: members.iter().map(member).collect(),
                average: Average::Logits,
                weights: Weighting::Convex,
                metric: None,
                cross_fitted_valid: valid(),
                calibration: uncalibrated(),
                classes: Vec::new(),
            };
            let mut stage = stage(name, "ensemble", Value::Null);
            stage.documents.insert("metrics", document);
            stage
        };
        let stages = [
            about,
            train("clean", "album"),
            train("net", "fine"),
            stage("base", "baseline", json!({"numeric": ["fine"], "text": []})),
            ensemble("ens", &[("net", 0.5), ("clean", 0.5)]),
            ensemble("idle", &[("net", 0.0), ("clean", 1.0)]),
            ensemble("outer", &[("ens", 1.0)]),
        ];
        let edges = [("net", "ens"), ("clean", "ens"), ("net", "idle"), ("clean", "idle"), ("ens", "outer")];
        let edges = edges.map(|(from, to)| (from.to_owned(), to.to_owned()));
        let read = |name: &str| inputs_of(&stages, &edges, name).into_iter().collect::<Vec<_>>();
        assert_eq!(read("net"), ["fine"]);
        assert_eq!((read("outer"), read("idle")), (vec!["album".into(), "fine".into()], vec!["album".to_owned()]));
        let found = all(&stages, &edges);
        let names: Vec<&str> = found.iter().map(|leak| leak.stage.as_str()).collect();
        assert_eq!(names, ["net", "base", "ens", "outer"]);
        assert!(sentence(&found[0]).starts_with("net reads fine, which leaks the label: "));
        assert!(sentence(&found[2]).starts_with("ens averages net, which reads fine, which leaks the label: "));
    }
}
