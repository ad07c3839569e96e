//! Which split a model or a vocabulary was fitted on, followed through the plan: rows of another split of the same files would show training rows
//! as unseen ones, and nothing in the scores would tell.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use runner_engine::{CheckContext, InputShape};

/// Facts at plan time. The files behind rows, as a JSON list.
const FILES: &str = "files";
/// Of the rows of a split: which of its parts they are, `rows` for all.
const PART_OF_SPLIT: &str = "part_of_split";
/// The splits whose training parts hold these rows, the outermost first, as a JSON list; of a model, those that it was fitted within.
const WITHIN: &str = "within";

/// Of vectors by a vocabulary that was learnt from more than a training part: the output whose rows it learnt from, e.g. `rows`.
const BEYOND_TRAINING: &str = "beyond_training";

/// The ports of a split.
const PORTS: [&str; 4] = ["rows", "train", "valid", "test"];

/// For a stage that reads files: which are behind `port`.
pub(super) fn tell_files<'f>(context: &mut CheckContext, port: &str, files: impl Iterator<Item = &'f String>) {
    let plain = |file: &String| -> PathBuf {
        Path::new(file).components().filter(|part| !matches!(part, Component::CurDir)).collect()
    };
    let files: BTreeSet<PathBuf> = files.map(plain).collect();
    context.tell(port, FILES, list(&files));
}

/// For `split`: its parts hold rows of the same files.
pub(super) fn tell_split(context: &mut CheckContext) {
    let inputs = context.inputs("rows");
    let Some(files) = inputs.iter().map(files).collect::<Option<Vec<_>>>() else { return };
    let files: BTreeSet<PathBuf> = files.into_iter().flatten().collect();
    // A split of another one's training part: whatever is fitted within it has not seen that one's other parts.
    let within = match inputs {
        [shape] if shape.facts.get(PART_OF_SPLIT).is_some_and(|part| part == "train") => splits(shape),
        _ => Vec::new(),
    };
    for port in PORTS {
        context.tell(port, FILES, list(&files));
        context.tell(port, PART_OF_SPLIT, port);
        context.tell(port, WITHIN, list(&within));
    }
}

/// For a stage that learns from the rows at the input `rows`: what it gives at `output` was fitted on their split.
pub(super) fn tell_fitted(context: &mut CheckContext, output: &str, rows: &str) {
    let Some(shape) = context.inputs(rows).first().filter(|shape| shape.facts.contains_key(PART_OF_SPLIT)) else {
        return;
    };
    let (files, within) = (shape.facts.get(FILES).cloned(), list(&splits(shape)));
    files.into_iter().for_each(|files| context.tell(output, FILES, files));
    context.tell(output, WITHIN, within);
}

/// For `embed` with a vocabulary of its own: as [`tell_fitted`], and whether rows that a split holds back may be among those that it learns from.
pub(super) fn tell_vocabulary(context: &mut CheckContext, output: &str, rows: &str) {
    tell_fitted(context, output, rows);
    let Some(shape) = context.inputs(rows).first().cloned() else { return };
    let part = shape.facts.get(PART_OF_SPLIT).map(String::as_str);
    if part == Some("train") {
        return;
    }
    let from = match part {
        Some(part) if part != "rows" => format!("{}.{part}", shape.stage),
        _ => shape.stage.clone(),
    };
    shape.facts.get(FILES).cloned().into_iter().for_each(|files| context.tell(output, FILES, files));
    context.tell(output, BEYOND_TRAINING, from);
}

/// Warns of vectors by a vocabulary that has seen rows which the split of `rows` holds back: they are not new to what is learnt from them.
fn warn_of_vocabulary(context: &mut CheckContext, fitted: &str) {
    let Some(rows) = context.inputs("rows").first().filter(|shape| shape.facts.contains_key(PART_OF_SPLIT)).cloned()
    else {
        return;
    };
    for (i, other) in context.inputs(fitted).to_vec().iter().enumerate() {
        let Some(from) = other.facts.get(BEYOND_TRAINING) else { continue };
        let shared = files(&rows).zip(files(other)).is_some_and(|(own, others)| !own.is_disjoint(&others));
        if !shared {
            continue;
        }
        let split = &rows.stage;
        let message = format!(
            "the vocabulary of '{}' is fitted on '{from}', so it has seen texts of the rows that '{split}' holds back: scores on these may be too high",
            other.stage
        );
        let help = format!("`fit: {split}.train` of '{}' learns it from the training part alone", other.stage);
        context.warn(&[fitted, &i.to_string()], message, Some(help));
    }
}

/// For a stage that passes on models: the first at `port` decides.
pub(super) fn pass_on(context: &mut CheckContext, port: &str, output: &str) {
    let told = |fact: &str| context.fact(port, fact).map(str::to_owned);
    let (files, within) = (told(FILES), told(WITHIN));
    files.into_iter().for_each(|files| context.tell(output, FILES, files));
    within.into_iter().for_each(|within| context.tell(output, WITHIN, within));
}

/// Refuses what was fitted on another split of the same files than the rows at `rows` come from. `fitted` is the port of the models or vectors.
pub(super) fn check(context: &mut CheckContext, fitted: &str) {
    warn_of_vocabulary(context, fitted);
    let Some(rows) = context.inputs("rows").first().filter(|shape| shape.facts.contains_key(PART_OF_SPLIT)).cloned()
    else {
        return;
    };
    for (i, other) in context.inputs(fitted).to_vec().iter().enumerate() {
        let within: Option<Vec<String>> = other.facts.get(WITHIN).and_then(|json| serde_json::from_str(json).ok());
        let Some(within) = within.filter(|within| !within.contains(&rows.stage)) else { continue };
        let shared = files(&rows).zip(files(other)).is_some_and(|(own, others)| !own.is_disjoint(&others));
        let Some(split) = within.last().filter(|_| shared) else { continue };
        let message = format!(
            "'{}' was fitted on the split '{split}', but these rows are of '{}': rows that it learnt from would count as unseen",
            other.stage, rows.stage
        );
        let help = format!("read the rows of '{split}' here, or fit '{}' on '{}'", other.stage, rows.stage);
        context.input_problem(fitted, i, message, Some(help));
    }
}

/// Refuses predictions at `port` of rows of several splits of the same files: only rows that none of the models learnt from could be averaged.
pub(super) fn check_alike(context: &mut CheckContext, port: &str) {
    let innermost = |shape: &InputShape| -> Option<String> {
        let within: Vec<String> = serde_json::from_str(shape.facts.get(WITHIN)?).ok()?;
        within.last().cloned()
    };
    let shapes = context.inputs(port).to_vec();
    let Some((first, split)) = shapes.iter().find_map(|shape| Some((shape, innermost(shape)?))) else { return };
    for (i, other) in shapes.iter().enumerate() {
        let shared = files(first).zip(files(other)).is_some_and(|(own, others)| !own.is_disjoint(&others));
        let Some(other_split) = innermost(other).filter(|own| *own != split && shared) else { continue };
        let message = format!(
            "'{}' was fitted on the split '{other_split}', but '{}' on '{split}': they have few unseen rows in common",
            other.stage, first.stage
        );
        let help = format!("fit '{}' on '{split}' too", other.stage);
        context.problem(&[port, &i.to_string()], message, Some(help));
    }
}

fn files(shape: &InputShape) -> Option<BTreeSet<PathBuf>> {
    shape.facts.get(FILES).and_then(|json| serde_json::from_str(json).ok())
}

/// The splits that something fitted on these rows would be within.
fn splits(shape: &InputShape) -> Vec<String> {
    let within = shape.facts.get(WITHIN).and_then(|json| serde_json::from_str(json).ok());
    let mut within: Vec<String> = within.unwrap_or_default();
    within.push(shape.stage.clone());
    within
}

fn list<T: serde::Serialize>(items: &T) -> String {
    serde_json::to_string(items).unwrap_or_default()
}
