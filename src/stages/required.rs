//! Checks that columns and parts are there before anything runs.

use std::collections::HashSet;

use super::columns::{NOT_ROWS, PART, PARTS, is_own};
use super::conditions;
use super::fitted_on;
use runner_engine::{CheckContext, listed};
use runner_tabular::Filter;
use runner_tabular::names::{in_file, meant};

/// Says so for every name that the input has neither as a column of the user's nor as an added one.
pub(super) fn require(context: &mut CheckContext, port: &str, path: &[&str], names: &[String]) {
    let place = |i: usize| path.iter().map(|step| (*step).to_owned()).chain([i.to_string()]).collect();
    require_each(context, port, names.iter().enumerate().map(|(i, name)| (place(i), name.as_str())));
}

/// The same for names at places of their own.
pub(super) fn require_each<'n>(
    context: &mut CheckContext,
    port: &str,
    names: impl Iterator<Item = (Vec<String>, &'n str)>,
) {
    let Some(present) = context.columns(port) else { return };
    let present: Vec<&str> = present.iter().map(String::as_str).collect();
    let known: HashSet<&str> = present.iter().copied().collect();
    for (path, name) in names.filter(|(_, name)| meant(name, |name| known.contains(name)).is_none()) {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        context.missing_column(port, &path, name, &present);
    }
}

/// [`require`] for the columns of the filter at `where`; also finds conditions that no row can meet.
pub(super) fn require_of(context: &mut CheckContext, port: &str, filter: &Filter) {
    let names: Vec<String> = filter.columns().map(str::to_owned).collect();
    require(context, port, &["where"], &names);
    for (column, message) in filter.contradictions() {
        context.problem(&["where", column], format!("where.{column}: {message}"), None);
    }
    conditions::check(context, port, filter);
}

/// Says so for every name that is not a column of the user's: nothing is to be learnt from what a stage added, least of all its label.
pub(super) fn require_own(context: &mut CheckContext, port: &str, path: &[&str], names: &[String]) {
    let present = context.columns(port);
    let own: Option<Vec<&str>> =
        present.as_ref().map(|present| present.iter().map(String::as_str).filter(|name| is_own(name)).collect());
    let known: Option<HashSet<&str>> = present.as_ref().map(|present| present.iter().map(String::as_str).collect());
    let is_present = |name: &str| known.as_ref().is_none_or(|known| known.contains(name));
    for (i, name) in names.iter().enumerate() {
        if is_own(name) && is_present(name) {
            continue;
        }
        let index = i.to_string();
        let item: Vec<&str> = path.iter().copied().chain([index.as_str()]).collect();
        match (meant(name, is_present), &own) {
            (None, Some(own)) => context.missing_column(port, &item, name, own),
            (added, own) => {
                let added = added.unwrap_or_else(|| name.clone());
                let stage = context.inputs(port).first().map(|shape| shape.stage.clone()).unwrap_or_default();
                let message = format!(
                    "no column '{name}' in the data of '{stage}': '{added}' is added by runner, and not to be learnt from"
                );
                let help = own.as_ref().map(|own| match own.iter().find(|column| in_file(column) == *name) {
                    Some(column) => format!("the file's own column '{name}' is called '{column}' here"),
                    None => format!("the data has {}", listed(own)),
                });
                context.refuse_column(name);
                context.common_problem(&item, format!("added column {added}"), message, help);
            }
        }
    }
}

/// Says so if the rows at `port` are known to lack a part, `train`, `valid` or `test`; `purpose` is what it is for.
pub(super) fn require_part(context: &mut CheckContext, port: &str, part: &str, purpose: &str) {
    let lacking = context
        .inputs(port)
        .iter()
        .position(|shape| shape.facts.get(PARTS).is_some_and(|parts| !parts.contains(&part)));
    let Some(i) = lacking else { return };
    let shape = &context.inputs(port)[i];
    // However many stages pass the rows on: what is lacking is lacking in the split.
    let (stage, split) = (shape.stage.clone(), fitted_on::split_of(shape));
    let message = format!("the rows of '{stage}' have no {part} part here, {purpose}");
    let help =
        format!("give `{part}` of the `split` stage a share above 0, and read its port `rows`, which has all parts");
    context.common_problem(&[port, &i.to_string()], format!("{part} part of {split}"), message, Some(help));
}

/// Says so of tables that hold something else than rows of data, where the stages above tell it.
pub(super) fn require_rows(context: &mut CheckContext, port: &str) {
    let found = context.inputs(port).iter().enumerate();
    let found: Vec<(usize, String, &'static str)> =
        found.filter_map(|(i, shape)| Some((i, shape.stage.clone(), *shape.facts.get(NOT_ROWS)?))).collect();
    for (i, stage, what) in found {
        let (wanted, help) = match port {
            "embeddings" => ("embeddings", "name an `embed` stage, e.g. `embeddings: titles`".to_owned()),
            _ => (
                "rows of the data",
                format!("name the rows themselves, e.g. a `load` or `split` stage above '{stage}'"),
            ),
        };
        context.input_problem(port, i, format!("this table of '{stage}' holds {what}, not {wanted}"), Some(help));
    }
}

/// Says so if the rows at `port` are known not to have been split.
pub(super) fn require_split(context: &mut CheckContext, port: &str) {
    let is_unsplit = context.columns(port).is_some_and(|columns| columns.iter().all(|column| column != PART));
    if is_unsplit {
        let help = Some(match fitted_on::known_splits(context, port).as_slice() {
            [] => format!("add a `split` stage and read from it, e.g. `{port}: folds`"),
            [split] => format!("read from the `split` stage: `{port}: {split}`"),
            [first, ..] => format!("read from a `split` stage, e.g. `{port}: {first}`"),
        });
        context.problem(&[port], "these rows have not been split into train, valid and test", help);
    }
}

/// Tells the stages below that a table holds something else than rows of the data, e.g. `predictions`.
pub(super) fn tell_not_rows(context: &mut CheckContext, port: &str, what: &'static str) {
    context.tell(port, NOT_ROWS, what);
}
