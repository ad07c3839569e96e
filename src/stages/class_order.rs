//! The order of a label's classes: written once where the label is named, kept beside the label in the metadata of its column, and told to the stages
//! below for their checks.

use std::collections::{BTreeSet, HashMap};

use anyhow::anyhow;
use arrow::datatypes::Field;

use super::aims::some_of;
use super::columns::{LABEL, LABEL_COLUMN, LABEL_NAME};
use super::dataset::Dataset;
use super::split_ways::text;
use runner_artifact::Table;
use runner_engine::{CheckContext, Fact, StageContext};
use runner_ml::train::class_named;
use runner_tabular::Scalar;

/// The parameter, and the metadata of a label's field: the JSON of the classes' names, lowest first.
pub(super) const KEY: &str = "class_order";

/// The same at plan time.
pub(super) const CLASS_ORDER: Fact<Vec<String>> = Fact::new(KEY);

/// The classes as they are written.
pub(super) fn names(order: &[Scalar]) -> Vec<String> {
    order.iter().map(|value| text(value).trim().to_owned()).collect()
}

/// Says what is wrong with the parameter. `has_label`: the stage names the label whose order it is.
pub(super) fn check(order: &[Scalar], has_label: bool, context: &mut CheckContext) {
    if order.is_empty() {
        return;
    }
    if !has_label {
        let help = Some("say which column is to be predicted, e.g. `label: quality`".to_owned());
        context.problem(&[KEY], "an order of classes needs the label that has them", help);
    }
    if order.len() == 1 {
        context.problem(&[KEY], "one class has no order", Some("name all classes, the lowest first".to_owned()));
    }
    let names = names(order);
    for (i, name) in names.iter().enumerate() {
        if class_named(name, &names[..i]).is_some() {
            let help = Some("name each class once".to_owned());
            context.problem(&[KEY, &i.to_string()], format!("'{name}' is named twice"), help);
        }
    }
}

/// How to say in which order classes are.
pub(super) const HELP: &str =
    "name all classes beside `label`, the lowest first, e.g. `class_order: [poor, fair, good]`";

/// Whether the rows of a learner have a label whose classes are known to have no order.
pub(super) fn is_lacking(context: &CheckContext) -> bool {
    context.fact("rows", LABEL_COLUMN).is_some() && context.fact("rows", CLASS_ORDER).is_none()
}

/// Says at plan time that a parameter makes no sense of classes without an order; `what` learns from it.
pub(super) fn check_needed(context: &mut CheckContext, path: &[&str], what: &str) {
    if is_lacking(context) {
        context.problem(path, unordered(what), Some(HELP.to_owned()));
    }
}

/// # Errors
/// The classes have no order.
pub(super) fn require(data: &Dataset, path: &str, what: &str, context: &StageContext) -> anyhow::Result<()> {
    if data.scoring.is_ordered {
        return Ok(());
    }
    Err(context.placed(path, anyhow!("{} ({HELP})", unordered(what))))
}

fn unordered(what: &str) -> String {
    format!("{what} learns from the order of the classes, and these have none")
}

/// Passes on what the stages above told.
pub(super) fn pass_on(context: &mut CheckContext, input: &str, output: &str) {
    if let Some(order) = context.fact(input, CLASS_ORDER).cloned() {
        let place = context.place(input, CLASS_ORDER);
        context.tell_from(output, CLASS_ORDER, place, order);
    }
}

/// The order that the field of a label has.
pub(super) fn of_field(field: &Field) -> Option<Vec<String>> {
    serde_json::from_str(field.metadata().get(KEY)?).ok()
}

/// The order of the classes of a table's label: of split rows, or else as the file has it.
pub(super) fn of_table(table: &Table) -> Option<Vec<String>> {
    let schema = table.schema();
    match schema.field_with_name(LABEL) {
        Ok(field) => of_field(field),
        Err(_) => {
            schema.fields().iter().find(|field| field.metadata().contains_key(LABEL_NAME)).and_then(|f| of_field(f))
        }
    }
}

/// Adds the order to the metadata of a label's field.
pub(super) fn tell(metadata: &mut HashMap<String, String>, order: &[String]) -> anyhow::Result<()> {
    if !order.is_empty() {
        metadata.insert(KEY.to_owned(), serde_json::to_string(order)?);
    }
    Ok(())
}

/// The order with each class as the labels spell it, where they have it.
pub(super) fn spelled_as<'l>(order: &[String], labels: impl IntoIterator<Item = &'l String>) -> Vec<String> {
    let classes = distinct(labels);
    order.iter().map(|name| class_named(name, &classes).map_or(name, |class| &classes[class]).clone()).collect()
}

/// # Errors
/// Labels that the order does not name, all at once.
pub(super) fn require_all<'l>(order: &[String], labels: impl IntoIterator<Item = &'l String>) -> anyhow::Result<()> {
    let classes = distinct(labels);
    let quoted = |names: Vec<&String>| some_of(names.into_iter().map(|name| format!("'{name}'")).collect());
    let lacking: Vec<&String> = classes.iter().filter(|class| class_named(class, order).is_none()).collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let unused: Vec<&String> = order.iter().filter(|name| class_named(name, &classes).is_none()).collect();
    let unused = if unused.is_empty() { String::new() } else { format!("; no row has {}", quoted(unused)) };
    Err(anyhow!(
        "{KEY} lacks {}, which rows have{unused} (name every label where it belongs, or leave rows out by `where`)",
        quoted(lacking)
    ))
}

fn distinct<'l>(labels: impl IntoIterator<Item = &'l String>) -> Vec<String> {
    labels.into_iter().collect::<BTreeSet<_>>().into_iter().cloned().collect()
}

/// The classes in that order, those that it does not name after the others; without an order by name.
pub(super) fn sorted(mut classes: Vec<String>, order: Option<&[String]>) -> Vec<String> {
    classes.sort_unstable();
    if let Some(order) = order {
        let place: HashMap<&str, usize> = order.iter().enumerate().map(|(i, name)| (name.as_str(), i)).collect();
        classes.sort_by_key(|class| place.get(class.as_str()).copied().unwrap_or(order.len()));
    }
    classes
}
