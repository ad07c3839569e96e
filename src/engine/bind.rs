//! A stage as written → [`Bound`]: its kind, its parameters, the references at its inputs.

use super::port::{Arity, InputPort, OutputPort};
use super::ranges::{self, OutOfRange};
use super::resources::Resources;
use super::stage::{AnyStage, KindInfo, Registry};
use runner_names::Localized;
use runner_spec::{Misread, Node, Problem, Span, StageSpec, Value, suggest, typed_as};

/// The key of a stage's own seed in its mapping.
pub const SEED: &str = "seed";
/// The key of what people call a stage.
pub const DISPLAY_NAME: &str = "display_name";

/// A stage of a known kind. Its references are looked at even if its parameters are wrong, so that all mistakes are told at once.
pub(super) struct Bound {
    /// The stage and its ports; `None` if its parameters are wrong.
    pub(crate) stage: Option<(Box<dyn AnyStage>, Vec<OutputPort>)>,
    /// What the stage may be if its parameters are wrong: each time with other values in the places of those at fault.
    pub(crate) guesses: Vec<Box<dyn AnyStage>>,
    /// The values at fault.
    pub(crate) replaced: Vec<Span>,
    /// Mappings that lack a key which was guessed.
    pub(crate) lacking: Vec<Span>,
    /// The nodes of the input ports, taken out of the stage's mapping.
    pub(crate) references: Vec<(&'static InputPort, Node)>,
    pub(crate) resources: Resources,
    pub(crate) display_name: Option<Localized>,
    pub(crate) seed: Option<u64>,
    /// Values that are out of their range, of which nothing more needs to be said.
    pub(crate) settled: Vec<Span>,
}

impl Bound {
    pub(crate) fn outputs(&self) -> Option<&[OutputPort]> {
        self.stage.as_ref().map(|(_, outputs)| outputs.as_slice())
    }
}

pub(super) fn bind(written: &StageSpec, registry: Registry, problems: &mut Vec<Problem>) -> Option<Bound> {
    let Some(kind) = registry.get(&written.kind) else {
        problems.push(unknown_kind(&written.kind, written.kind_span, registry));
        return None;
    };
    let mut parameters = written.body.clone();
    let mut references = Vec::new();
    let mut resources = Resources::default();
    if let Some(entry) = parameters.remove(Resources::KEY) {
        match Resources::read(&entry.node) {
            Ok(found) => resources = found,
            Err(found) => problems.extend(found),
        }
    }
    let mut display_name = None;
    if let Some(entry) = parameters.remove(DISPLAY_NAME) {
        match typed_as(&entry.node, DISPLAY_NAME) {
            Ok(found) => display_name = Some(found),
            Err(found) => problems.extend(found),
        }
    }
    let mut seed = None;
    if let Some(entry) = parameters.remove(SEED) {
        if !kind.seeded {
            let message =
                format!("'{SEED}' of stage '{}' has no use: kind '{}' draws no numbers", written.base, kind.name);
            problems.push(Problem::new(entry.key_span, message).help(format!("take `{SEED}` away")));
        }
        match typed_as(&entry.node, SEED) {
            Ok(found) => seed = Some(found),
            Err(found) => problems.extend(found),
        }
    }
    if let Value::Mapping(entries) = &mut parameters.value {
        for port in kind.inputs {
            let is_misspelt = |key: &String| !ranges::has_parameter(kind, key) && suggest(key, [port.name]).is_some();
            match entries.shift_remove(port.name) {
                Some(entry) => references.push((port, entry.node)),
                // That the key is none is said.
                None if entries.keys().any(is_misspelt) => {}
                None if matches!(port.arity, Arity::One | Arity::Many) => {
                    let message = format!("stage '{}' lacks its input '{}': {}", written.base, port.name, port.summary);
                    let help = format!("write `{}: STAGE` or `{}: STAGE.PORT`", port.name, port.name);
                    problems.push(Problem::new(written.name_span, message).help(help));
                }
                None => {}
            }
        }
    }
    let ranges = ranges::out_of_range(kind, &parameters.to_json()).into_iter();
    let ranges: Vec<Problem> = ranges
        .map(|OutOfRange { path, message, is_percentage }| {
            let problem = Problem::of(parameters.nearest(&path).0, message);
            // Who writes one share as a percentage writes them all so.
            if is_percentage { problem.about(format!("percentages at {:?}", written.name_span)) } else { problem }
        })
        .collect();
    let settled: Vec<Span> = ranges.iter().filter_map(|problem| problem.span).collect();
    let (mut guesses, mut replaced, mut lacking) = (Vec::new(), Vec::new(), Vec::new());
    let stage = match (kind.bind)(&parameters) {
        Ok(stage) => {
            let outputs = stage.outputs();
            Some((stage, outputs))
        }
        Err(Misread { problems: found, guesses: likely, replaced: faulty, lacking: without }) => {
            let found = found.into_iter().filter(|problem| problem.span.is_none_or(|span| !settled.contains(&span)));
            problems.extend(found.map(|problem| elsewhere(problem, &parameters, kind, registry)));
            // Without an input that is only misspelt much would be missing.
            if !misspells_input(&parameters, kind.inputs, &references) {
                (guesses, replaced, lacking) = (likely, faulty, without);
            }
            None
        }
    };
    problems.extend(ranges);
    Some(Bound { stage, guesses, replaced, lacking, references, resources, display_name, seed, settled })
}

/// What is said of a kind that there is not.
pub(super) fn unknown_kind(kind: &str, span: Span, registry: Registry) -> Problem {
    let hint = suggest(kind, registry.names()).map(|hint| format!(" (did you mean '{hint}'?)")).unwrap_or_default();
    let help = Some(format!("kinds are {}", registry.names().collect::<Vec<_>>().join(", ")));
    Problem::new(span, format!("unknown stage kind '{kind}'{hint}")).help_if(help)
}

/// Adds to what is said of a key that this kind does not take which kinds do: it is no slip of the keyboard then.
fn elsewhere(problem: Problem, parameters: &Node, kind: &KindInfo, registry: Registry) -> Problem {
    let Value::Mapping(entries) = &parameters.value else { return problem };
    let Some(help) = problem.help.clone().filter(|_| problem.message.starts_with("unknown key")) else {
        return problem;
    };
    let Some((key, _)) = entries.iter().find(|(_, entry)| Some(entry.key_span) == problem.span) else { return problem };
    let takes = |other: &&KindInfo| ranges::has_parameter(other, key);
    if problem.message.contains("did you mean") || ranges::has_parameter(kind, key) {
        return problem;
    }
    let others: Vec<&str> = registry.0.iter().filter(takes).map(|other| other.name).collect();
    match others.is_empty() {
        true => problem,
        false => problem.help(format!("'{}' takes no `{key}`, {} does; {help}", kind.name, either(&others))),
    }
}

/// Whether a key among the parameters may stand for an input that was not given.
fn misspells_input(parameters: &Node, ports: &[InputPort], given: &[(&'static InputPort, Node)]) -> bool {
    let Value::Mapping(entries) = &parameters.value else { return false };
    let absent = ports.iter().map(|port| port.name).filter(|name| given.iter().all(|(port, _)| port.name != *name));
    let absent: Vec<&str> = absent.collect();
    entries.keys().any(|key| suggest(key, absent.iter().copied()).is_some())
}

/// `train`, `train or transfer`, `train, variations or transfer`.
fn either(names: &[&str]) -> String {
    match names {
        [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => names.concat(),
    }
}
