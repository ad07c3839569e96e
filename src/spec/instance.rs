//! `as`: what the instances of a matrix are called, e.g. `as: "fused-${size}"`.
//!
//! In it `${size}` is the choice's name, also where the value is a list or a mapping. A bare reference to the stage still takes all instances.
//! Does not know how a matrix is expanded.

use indexmap::IndexMap;

use super::node::{Entry, Node};
use super::pipeline::StageSpec;
use super::problem::Problem;
use super::source::Span;
use super::variables::is_name;
use runner_names::Folder;

/// The name that a pattern gives once its variables are replaced.
pub(super) fn name(pattern: &Node) -> Result<String, Box<Problem>> {
    let fit = |c: char| c.is_ascii_alphanumeric() || "_-.+=,@".contains(c);
    match pattern.as_str() {
        Some(name) if name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(fit) => {
            Ok(name.to_string())
        }
        Some(name) => Err(Box::new(
            Problem::new(pattern.span, format!("'{name}' cannot name an instance"))
                .help("names start with a letter and hold letters, digits and _ - . + = , @"),
        )),
        None => Err(Box::new(
            Problem::new(pattern.span, format!("`as` must be text, not {}", pattern.value.noun()))
                .help("e.g. `as: \"fused-${size}\"`"),
        )),
    }
}

pub(super) fn without_matrix(stage: &str, as_span: Span) -> Problem {
    Problem::new(as_span, format!("`as` names the instances of a matrix, and stage '{stage}' has none"))
        .help("add `matrix: {…}`, or remove `as`")
}

/// Why an instance cannot have its name: another stage or instance has it. `found` holds those before it, `written` all stages.
pub(super) fn clash(
    stage: &StageSpec,
    entry: &Entry,
    written: &IndexMap<String, Entry>,
    found: &IndexMap<String, StageSpec>,
) -> Option<Problem> {
    let name = &stage.name;
    let place = entry.node.get("as").map_or(stage.name_span, |pattern| pattern.span);
    if !stage.choices.is_empty()
        && let Some(other) = written.get(name)
    {
        let problem = if *name == stage.base {
            Problem::new(place, format!("an instance of '{name}' cannot have the stage's own name"))
        } else {
            Problem::new(place, format!("'{name}' names a stage and an instance of '{}'", stage.base))
        };
        return Some(problem.related(other.key_span, "the stage").help("choose another `as`"));
    }
    let twin = found.get(name)?;
    let choices = |stage: &StageSpec| {
        let pairs: Vec<String> = stage.choices.iter().map(|(key, label)| format!("{key}={label}")).collect();
        pairs.join(",")
    };
    if twin.base != stage.base {
        return Some(
            Problem::new(place, format!("'{name}' names instances of '{}' and of '{}'", twin.base, stage.base))
                .related(twin.name_span, "the other stage")
                .help("choose another `as`"),
        );
    }
    let (one, two) = (choices(twin), choices(stage));
    let message = format!("two instances of '{}' are called '{name}': {one} and {two}", stage.base);
    let keys = stage.choices.keys().map(|key| format!("${{{key}}}")).collect::<Vec<_>>();
    Some(Problem::new(place, message).help(format!("use every key of the matrix in `as`: {}", keys.join(" "))))
}

/// Why a stage cannot have a folder of its name among those before it: no file system holds the name, or one that ignores case knows it already.
pub(super) fn folder(
    stage: &StageSpec,
    entry: &Entry,
    folder: &mut Folder,
    found: &IndexMap<String, StageSpec>,
) -> Option<Problem> {
    // What is no name at all is told by itself.
    if !is_name(&stage.base) {
        return None;
    }
    let fault = folder.add(&stage.name, "").err()?;
    let pattern = entry.node.get("as").filter(|_| !stage.choices.is_empty());
    let place = pattern.map_or(stage.name_span, |pattern| pattern.span);
    let problem = Problem::new(place, fault.to_string()).help(fault.help());
    let twin = found.values().find(|other| other.name.to_uppercase() == stage.name.to_uppercase());
    Some(match twin.filter(|twin| twin.name_span != stage.name_span) {
        Some(twin) => problem.related(twin.name_span, "the other stage"),
        None => problem,
    })
}
