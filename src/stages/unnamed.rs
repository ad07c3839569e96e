//! Columns without a name, which are called by their order in a file, followed through the plan: of tables whose files have different numbers of them
//! nobody knows which are the same.

use runner_engine::{CheckContext, Fact, InputShape};
use runner_tabular::ColumnNames;

use super::columns::embedded_by;

/// What the columns without a name are called in the files behind a port.
const UNNAMED: Fact<Vec<String>> = Fact::new("unnamed");

/// For a stage that reads files: the names in each file, which has a port of its name, and of all together.
pub(super) fn tell_files<'f>(context: &mut CheckContext, files: impl Iterator<Item = (&'f String, &'f ColumnNames)>) {
    let mut longest = Vec::new();
    for (port, columns) in files {
        let names: Vec<String> = columns.of_unnamed().map(str::to_owned).collect();
        if names.len() > longest.len() {
            longest.clone_from(&names);
        }
        context.tell(port, UNNAMED, names);
    }
    context.tell("rows", UNNAMED, longest);
}

/// For a stage that passes on rows or models, or fits some on rows: those at `input` decide.
pub(super) fn pass_on(context: &mut CheckContext, input: &str, output: &str) {
    let names = context.inputs(input).iter().filter_map(|shape| shape.facts.get(UNNAMED));
    if let Some(names) = names.max_by_key(|names| names.len()).cloned() {
        context.tell(output, UNNAMED, names);
    }
}

/// Refuses tables at `port` that are joined by the names of their columns, where these say nothing.
pub(super) fn check_joined(context: &mut CheckContext, port: &str) {
    let shapes = context.inputs(port).to_vec();
    let Some(first) = shapes.first() else { return };
    for (i, other) in shapes.iter().enumerate().skip(1) {
        let both = first.columns.iter().flatten().filter(|name| other.columns.iter().flatten().any(|own| own == *name));
        if let Some(message) = differ(first, other, both) {
            context.input_problem(port, i, message, help());
        }
    }
}

/// Refuses rows for a model that reads columns without a name, where these may be others.
pub(super) fn check_model(context: &mut CheckContext, model: &str, rows: &str) {
    let [of_model, of_rows] = [model, rows].map(|port| context.inputs(port).first().cloned());
    let (Some(of_model), Some(of_rows)) = (of_model, of_rows) else { return };
    let wanted = of_model.columns.iter().flatten();
    if let Some(message) = differ(&of_model, &of_rows, wanted) {
        context.input_problem(rows, 0, message, help());
    }
}

/// What to say where one of the columns `used` has no name in the files of both, which have different numbers of these.
fn differ<'u>(one: &InputShape, other: &InputShape, used: impl Iterator<Item = &'u String>) -> Option<String> {
    let (names, others) = (one.facts.get(UNNAMED)?, other.facts.get(UNNAMED)?);
    let mut used = used.map(|column| embedded_by(column).unwrap_or(column));
    let column = used.find(|column| [names, others].iter().all(|names| names.iter().any(|name| name == column)));
    let column = column.filter(|_| names != others)?;
    Some(format!(
        "'{column}' has no name in the files: those behind '{}' have {} such columns, those behind '{}' {}, so it may be another column there",
        one.stage,
        names.len(),
        other.stage,
        others.len()
    ))
}

fn help() -> Option<String> {
    Some("write names into the header lines of the files".to_owned())
}
