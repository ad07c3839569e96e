//! Which split a model or a vocabulary was fitted on, followed through the plan: rows of another split of the same files would show training rows
//! as unseen ones, and nothing in the scores would tell.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::split::Split;
use runner_engine::{CheckContext, Fact, InputShape, Stage as _};

/// The files behind rows.
const FILES: Fact<BTreeSet<PathBuf>> = Fact::new("files");
/// Of the rows of a split: which of its parts they are, `rows` for all.
const PART_OF_SPLIT: Fact<&str> = Fact::new("part_of_split");
/// The splits whose training parts hold these rows, the outermost first; of a model, those that it was fitted within.
const WITHIN: Fact<Vec<String>> = Fact::new("within");

/// Of vectors by a vocabulary that was learnt from more than a training part: the output whose rows it learnt from, e.g. `rows`.
const BEYOND_TRAINING: Fact<String> = Fact::new("beyond_training");

/// The ports of a split.
const PORTS: [&str; 4] = ["rows", "train", "valid", "test"];

/// For a stage that reads files: which are behind `port`.
pub(super) fn tell_files<'f>(context: &mut CheckContext, port: &str, files: impl Iterator<Item = &'f String>) {
    let plain = |file: &String| -> PathBuf {
        Path::new(file).components().filter(|part| !matches!(part, Component::CurDir)).collect()
    };
    let files: BTreeSet<PathBuf> = files.map(plain).collect();
    context.tell(port, FILES, files);
}

/// For `split`: its parts hold rows of the same files.
pub(super) fn tell_split(context: &mut CheckContext) {
    let inputs = context.inputs("rows");
    let Some(files) = inputs.iter().map(|shape| shape.facts.get(FILES)).collect::<Option<Vec<_>>>() else { return };
    let files: BTreeSet<PathBuf> = files.into_iter().flatten().cloned().collect();
    // A split of another one's training part: whatever is fitted within it has not seen that one's other parts.
    let within = match inputs {
        [shape] if shape.facts.get(PART_OF_SPLIT) == Some(&"train") => splits(shape),
        _ => Vec::new(),
    };
    for port in PORTS {
        context.tell(port, FILES, files.clone());
        context.tell(port, PART_OF_SPLIT, port);
        context.tell(port, WITHIN, within.clone());
    }
}

/// For a stage that learns from the rows at the input `rows`: what it gives at `output` was fitted on their split.
pub(super) fn tell_fitted(context: &mut CheckContext, output: &str, rows: &str) {
    let Some(shape) = context.inputs(rows).first().filter(|shape| shape.facts.get(PART_OF_SPLIT).is_some()) else {
        return;
    };
    let (files, within) = (shape.facts.get(FILES).cloned(), splits(shape));
    files.into_iter().for_each(|files| context.tell(output, FILES, files));
    context.tell(output, WITHIN, within);
}

/// For `embed` with a vocabulary of its own: as [`tell_fitted`], and whether rows that a split holds back may be among those that it learns from.
pub(super) fn tell_vocabulary(context: &mut CheckContext, output: &str, rows: &str) {
    tell_fitted(context, output, rows);
    let Some(shape) = context.inputs(rows).first().cloned() else { return };
    let part = shape.facts.get(PART_OF_SPLIT).copied();
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
    let Some(rows) = context.inputs("rows").first().filter(|shape| shape.facts.get(PART_OF_SPLIT).is_some()).cloned()
    else {
        return;
    };
    for (i, other) in context.inputs(fitted).to_vec().iter().enumerate() {
        let Some(from) = other.facts.get(BEYOND_TRAINING) else { continue };
        if !share_files(&rows, other) {
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
    let (files, within) = (context.fact(port, FILES).cloned(), context.fact(port, WITHIN).cloned());
    files.into_iter().for_each(|files| context.tell(output, FILES, files));
    within.into_iter().for_each(|within| context.tell(output, WITHIN, within));
}

/// Refuses what was fitted on another split of the same files than the rows at `rows` come from. `fitted` is the port of the models or vectors.
pub(super) fn check(context: &mut CheckContext, fitted: &str) {
    warn_of_vocabulary(context, fitted);
    let Some(rows) = context.inputs("rows").first().filter(|shape| shape.facts.get(PART_OF_SPLIT).is_some()).cloned()
    else {
        return;
    };
    for (i, other) in context.inputs(fitted).to_vec().iter().enumerate() {
        let Some(within) = other.facts.get(WITHIN).filter(|within| !within.contains(&rows.stage)) else { continue };
        let Some(split) = within.last().filter(|_| share_files(&rows, other)) else { continue };
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
    let innermost = |shape: &InputShape| shape.facts.get(WITHIN)?.last().cloned();
    let shapes = context.inputs(port).to_vec();
    let Some((first, split)) = shapes.iter().find_map(|shape| Some((shape, innermost(shape)?))) else { return };
    for (i, other) in shapes.iter().enumerate() {
        let of_other = innermost(other).filter(|own| *own != split && share_files(first, other));
        let Some(other_split) = of_other else { continue };
        let message = format!(
            "'{}' was fitted on the split '{other_split}', but '{}' on '{split}': they have few unseen rows in common",
            other.stage, first.stage
        );
        let help = format!("fit '{}' on '{split}' too", other.stage);
        context.problem(&[port, &i.to_string()], message, Some(help));
    }
}

/// Whether rows of one file are behind both.
fn share_files(one: &InputShape, other: &InputShape) -> bool {
    let both = one.facts.get(FILES).zip(other.facts.get(FILES));
    both.is_some_and(|(own, others)| !own.is_disjoint(others))
}

/// The split that made the parts of these rows, or of the rows of these predictions.
pub(super) fn split_of(shape: &InputShape) -> String {
    let within = shape.facts.get(WITHIN).and_then(|within| within.last());
    within.filter(|_| shape.facts.get(PART_OF_SPLIT).is_none()).unwrap_or(&shape.stage).clone()
}

/// The split that the rows at `port` come from, or else those that cut the rows of the same stage: what a remedy can name.
pub(super) fn known_splits(context: &CheckContext, port: &str) -> Vec<String> {
    let Some(shape) = context.inputs(port).first() else { return Vec::new() };
    if shape.facts.get(WITHIN).is_some() {
        return vec![split_of(shape)];
    }
    shape.readers.iter().filter(|(_, kind)| kind == Split::KIND).map(|(stage, _)| stage.clone()).collect()
}

/// The splits that something fitted on these rows would be within.
fn splits(shape: &InputShape) -> Vec<String> {
    let mut within = shape.facts.get(WITHIN).cloned().unwrap_or_default();
    within.push(shape.stage.clone());
    within
}
