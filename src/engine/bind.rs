//! A stage as written → [`Bound`]: its kind, its parameters, the references at its inputs.
//!
//! Knows nothing of other stages.

use super::plan::{SEED, problem};
use super::ranges;
use super::resources::Resources;
use super::stage::{AnyStage, Arity, InputPort, OutputPort, Registry};
use runner_spec::{Misread, Node, Problem, Span, StageSpec, Value, suggest, typed_as};

/// A stage of a known kind. Its references are looked at even if its parameters are wrong, so that all mistakes are told at once.
pub(super) struct Bound {
    /// The stage and its ports; `None` if its parameters are wrong.
    pub stage: Option<(Box<dyn AnyStage>, Vec<OutputPort>)>,
    /// What the stage may be if its parameters are wrong: each time with other values in the places of those at fault.
    pub guesses: Vec<Box<dyn AnyStage>>,
    /// The values at fault.
    pub replaced: Vec<Span>,
    /// The nodes of the input ports, taken out of the stage's mapping.
    pub references: Vec<(&'static InputPort, Node)>,
    pub resources: Resources,
    pub seed: Option<u64>,
    /// Values that are out of their range, of which nothing more needs to be said.
    pub settled: Vec<Span>,
}

impl Bound {
    pub fn outputs(&self) -> Option<&[OutputPort]> {
        self.stage.as_ref().map(|(_, outputs)| outputs.as_slice())
    }
}

pub(super) fn bind(written: &StageSpec, registry: Registry, problems: &mut Vec<Problem>) -> Option<Bound> {
    let Some(kind) = registry.get(&written.kind) else {
        let hint = suggest(&written.kind, registry.names());
        let message = match hint {
            Some(hint) => format!("unknown stage kind '{}' (did you mean '{hint}'?)", written.kind),
            None => format!("unknown stage kind '{}'", written.kind),
        };
        let help = Some(format!("kinds are {}", registry.names().collect::<Vec<_>>().join(", ")));
        problems.push(problem(written.kind_span, message, help));
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
    let mut seed = None;
    if let Some(entry) = parameters.remove(SEED) {
        if !kind.seeded {
            let message =
                format!("'{SEED}' of stage '{}' has no use: kind '{}' draws no numbers", written.base, kind.name);
            problems.push(problem(entry.key_span, message, Some(format!("take `{SEED}` away"))));
        }
        match typed_as(&entry.node, SEED) {
            Ok(found) => seed = Some(found),
            Err(found) => problems.extend(found),
        }
    }
    if let Value::Mapping(entries) = &mut parameters.value {
        for port in kind.inputs {
            match entries.shift_remove(port.name) {
                Some(entry) => references.push((port, entry.node)),
                None if matches!(port.arity, Arity::One | Arity::Many) => {
                    let message = format!("stage '{}' lacks its input '{}': {}", written.base, port.name, port.summary);
                    let help = format!("write `{}: STAGE` or `{}: STAGE.PORT`", port.name, port.name);
                    problems.push(problem(written.name_span, message, Some(help)));
                }
                None => {}
            }
        }
    }
    let ranges = ranges::out_of_range(kind, &parameters.to_json()).into_iter();
    let ranges: Vec<Problem> =
        ranges.map(|(path, message)| Problem::of(parameters.nearest(&path).0, message)).collect();
    let settled: Vec<Span> = ranges.iter().filter_map(|problem| problem.span).collect();
    let (mut guesses, mut replaced) = (Vec::new(), Vec::new());
    let stage = match (kind.bind)(&parameters) {
        Ok(stage) => {
            let outputs = stage.outputs();
            Some((stage, outputs))
        }
        Err(Misread { problems: found, guesses: likely, replaced: faulty }) => {
            problems
                .extend(found.into_iter().filter(|problem| problem.span.is_none_or(|span| !settled.contains(&span))));
            // Without an input that is only misspelt much would be missing.
            if !misspells_input(&parameters, kind.inputs, &references) {
                (guesses, replaced) = (likely, faulty);
            }
            None
        }
    };
    problems.extend(ranges);
    Some(Bound { stage, guesses, replaced, references, resources, seed, settled })
}

/// Whether a key among the parameters may stand for an input that was not given.
fn misspells_input(parameters: &Node, ports: &[InputPort], given: &[(&'static InputPort, Node)]) -> bool {
    let Value::Mapping(entries) = &parameters.value else { return false };
    let absent = ports.iter().map(|port| port.name).filter(|name| given.iter().all(|(port, _)| port.name != *name));
    let absent: Vec<&str> = absent.collect();
    entries.keys().any(|key| suggest(key, absent.iter().copied()).is_some())
}
