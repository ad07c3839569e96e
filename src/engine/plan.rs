//! `Plan`: a validated DAG of stages. It exists only if every kind is known, every parameter checked, every reference resolved, and there is no cycle.
//!
//! Knows nothing of the store; whether a stage is up to date is decided in `decision`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use petgraph::algo::{tarjan_scc, toposort};
use petgraph::graph::{DiGraph, NodeIndex};

use super::check::{CheckContext, InputShape};
use super::lock::LockFile;
use super::stage::{Accepts, AnyStage, Arity, InputPort, OutputPort, PortType, Registry};
use crate::spec::{Node, PipelineSpec, Problem, Problems, Span, StageSpec, Value, suggest};

pub struct Plan {
    pub spec: PipelineSpec,
    pub stages: Vec<PlannedStage>,
    /// Indices into `stages`; a stage comes after all that it depends on, else in the order of the file.
    pub order: Vec<usize>,
    /// Results other than these are refused.
    pub(super) held_to: Option<LockFile>,
}

pub struct PlannedStage {
    pub name: String,
    pub stage: Box<dyn AnyStage>,
    pub inputs: Vec<Input>,
    pub outputs: Vec<OutputPort>,
}

/// One resolved reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    pub port: &'static str,
    /// The name that the user gave it, of a port that takes named references.
    pub label: Option<String>,
    /// Its number among the references of that port.
    pub item: usize,
    /// Index into `Plan::stages`.
    pub from: usize,
    /// The output port; `None` for a whole stage.
    pub output: Option<String>,
}

impl Plan {
    pub fn new(spec: PipelineSpec, registry: Registry) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let bound: Vec<Option<Bound>> =
            spec.stages.values().map(|stage| bind(stage, registry, &mut problems)).collect();
        let resolver = Resolver { spec: &spec, bound: &bound };
        let inputs: Vec<Vec<(Input, Span)>> = (0..bound.len())
            .map(|i| bound[i].as_ref().map(|stage| resolver.inputs(i, stage, &mut problems)).unwrap_or_default())
            .collect();
        let order = match order(&spec, &inputs) {
            Ok(order) => order,
            Err(problem) => {
                problems.push(*problem);
                Vec::new()
            }
        };
        check(&spec, &bound, &inputs, &order, &mut problems);
        if !problems.is_empty() {
            return Err(spec.problems(problems));
        }
        let names: Vec<String> = spec.stages.keys().cloned().collect();
        let stages = names
            .into_iter()
            .zip(bound)
            .zip(inputs)
            .filter_map(|((name, bound), inputs)| {
                let (stage, outputs) = bound?.stage?;
                let inputs = inputs.into_iter().map(|(input, _)| input).collect();
                Some(PlannedStage { name, stage, inputs, outputs })
            })
            .collect();
        Ok(Plan { spec, stages, order, held_to: None })
    }

    /// From now on a stage whose key or output is not as in the lock fails, before it runs or before its result is committed.
    pub fn hold_to(&mut self, lock: LockFile) {
        self.held_to = Some(lock);
    }

    /// The stages that `stage` reads from, without repetition.
    pub fn dependencies(&self, stage: usize) -> Vec<usize> {
        let mut all: Vec<usize> = self.stages[stage].inputs.iter().map(|input| input.from).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Indices of the named stages (a matrix' bare name means all its instances) and of everything below them; all stages for no names.
    pub fn select(&self, names: &[String]) -> Result<Vec<usize>, UnknownStage> {
        let mut wanted = vec![names.is_empty(); self.stages.len()];
        for name in names {
            let mut found = false;
            for (i, stage) in self.spec.stages.values().enumerate() {
                if stage.name == *name || stage.base == *name {
                    wanted[i] = true;
                    found = true;
                }
            }
            if !found {
                let hint = suggest(name, self.spec.stages.keys().map(String::as_str)).map(str::to_owned);
                return Err(UnknownStage { name: name.clone(), hint });
            }
        }
        for &i in self.order.iter().rev() {
            if wanted[i] {
                self.stages[i].inputs.iter().for_each(|input| wanted[input.from] = true);
            }
        }
        Ok(self.order.iter().copied().filter(|&i| wanted[i]).collect())
    }

    /// What the user wrote for that stage.
    pub fn written(&self, stage: usize) -> &StageSpec {
        &self.spec.stages[stage]
    }
}

/// The files that the stages read, as far as their parameters are right: what to watch for changes, also while there is no valid plan.
pub fn sources(spec: &PipelineSpec, registry: Registry) -> Vec<PathBuf> {
    let bound = spec.stages.values().filter_map(|stage| bind(stage, registry, &mut Vec::new())?.stage);
    bound.flat_map(|(stage, _)| stage.sources()).map(|source| source.path).collect()
}

#[derive(Debug, thiserror::Error)]
#[error("unknown stage '{name}'{}", hint.as_ref().map(|hint| format!(" (did you mean '{hint}'?)")).unwrap_or_default())]
pub struct UnknownStage {
    name: String,
    hint: Option<String>,
}

/// A stage of a known kind. Its references are looked at even if its parameters are wrong, so that all mistakes are told at once.
struct Bound {
    /// The stage and its ports; `None` if its parameters are wrong.
    stage: Option<(Box<dyn AnyStage>, Vec<OutputPort>)>,
    /// The nodes of the input ports, taken out of the stage's mapping.
    references: Vec<(&'static InputPort, Node)>,
}

impl Bound {
    fn outputs(&self) -> Option<&[OutputPort]> {
        self.stage.as_ref().map(|(_, outputs)| outputs.as_slice())
    }
}

fn bind(written: &StageSpec, registry: Registry, problems: &mut Vec<Problem>) -> Option<Bound> {
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
    if let Value::Mapping(entries) = &mut parameters.value {
        for port in kind.inputs {
            match entries.shift_remove(port.name) {
                Some(entry) => references.push((port, entry.node)),
                None if matches!(port.arity, Arity::One | Arity::Many) => {
                    let message = format!("stage '{}' lacks its input '{}': {}", written.name, port.name, port.summary);
                    let help = format!("write `{}: STAGE` or `{}: STAGE.PORT`", port.name, port.name);
                    problems.push(problem(written.name_span, message, Some(help)));
                }
                None => {}
            }
        }
    }
    let stage = match (kind.bind)(&parameters) {
        Ok(stage) => {
            let outputs = stage.outputs();
            Some((stage, outputs))
        }
        Err(found) => {
            problems.extend(found);
            None
        }
    };
    Some(Bound { stage, references })
}

fn problem(span: Span, message: String, help: Option<String>) -> Problem {
    let mut problem = Problem::new(span, message);
    problem.help = help;
    problem
}

struct Resolver<'a> {
    spec: &'a PipelineSpec,
    bound: &'a [Option<Bound>],
}

impl Resolver<'_> {
    fn inputs(&self, own: usize, stage: &Bound, problems: &mut Vec<Problem>) -> Vec<(Input, Span)> {
        let mut inputs = Vec::new();
        for (port, node) in &stage.references {
            let many = matches!(port.arity, Arity::Many | Arity::Any | Arity::Named);
            let before = inputs.len();
            for (label, item) in written(port, node, problems) {
                match self.resolve(own, port, item) {
                    Ok(found) => inputs.extend(
                        found
                            .into_iter()
                            .enumerate()
                            .map(|(i, (from, output))| {
                                let (label, item_number) = (label.map(str::to_owned), inputs_of(&inputs, port) + i);
                                let input = Input { port: port.name, label, item: item_number, from, output };
                                (input, item.span)
                            })
                            .collect::<Vec<_>>(),
                    ),
                    Err(problem) => problems.push(*problem),
                }
            }
            if !many && inputs.len() > before + 1 {
                let message = format!("input '{}' takes one reference, not {}", port.name, inputs.len() - before);
                let help = Some("name one stage, or one instance of a matrix".to_owned());
                problems.push(problem(node.span, message, help));
            }
        }
        inputs
    }

    /// The stages and ports that one reference means.
    fn resolve(&self, own: usize, port: &InputPort, node: &Node) -> Result<Vec<(usize, Option<String>)>, Box<Problem>> {
        let problem = |message: String, help: Option<String>| Box::new(problem(node.span, message, help));
        let Value::String(reference) = &node.value else {
            let message = format!("input '{}' wants a reference such as `songs` or `folds.train`", port.name);
            return Err(problem(message, None));
        };
        let (stages, output) = self.find(reference).ok_or_else(|| {
            let candidates = self.candidates();
            let hint = suggest(reference, candidates.iter().map(String::as_str));
            let hint = hint.map(|hint| format!(" (did you mean '{hint}'?)")).unwrap_or_default();
            problem(format!("no stage '{reference}'{hint}"), Some(format!("stages are {}", self.names().join(", "))))
        })?;
        if stages.contains(&own) {
            return Err(problem("a stage cannot read from itself".to_owned(), None));
        }
        let mut found = Vec::new();
        for from in stages {
            // A stage that could not be bound has its own problem already.
            let Some(outputs) = self.bound[from].as_ref().and_then(Bound::outputs) else { continue };
            let name = self.spec.stages.keys().nth(from).map_or("", String::as_str);
            match port.accepts {
                Accepts::WholeStage if output.is_none() => found.push((from, None)),
                Accepts::WholeStage => {
                    return Err(problem(format!("input '{}' takes whole stages, not ports", port.name), None));
                }
                Accepts::Only(wanted) => {
                    found.push((
                        from,
                        Some(
                            pick(name, outputs, output, Some(wanted))
                                .map_err(|(message, help)| problem(message, help))?,
                        ),
                    ));
                }
                Accepts::Any => {
                    let port = pick(name, outputs, output, None).map_err(|(message, help)| problem(message, help))?;
                    found.push((from, Some(port)));
                }
            }
        }
        Ok(found)
    }

    /// `stage`, `stage.port`, or the bare name of a matrix. Instance names may hold points, so whole names come first.
    fn find<'r>(&self, reference: &'r str) -> Option<(Vec<usize>, Option<&'r str>)> {
        let stages = |name: &str| -> Option<Vec<usize>> {
            let named = |stage: &StageSpec| stage.name == name || stage.base == name;
            let all: Vec<usize> =
                self.spec.stages.values().enumerate().filter(|(_, stage)| named(stage)).map(|(i, _)| i).collect();
            (!all.is_empty()).then_some(all)
        };
        if let Some(found) = stages(reference) {
            return Some((found, None));
        }
        let (stage, port) = reference.rsplit_once('.')?;
        Some((stages(stage)?, Some(port)))
    }

    fn names(&self) -> Vec<String> {
        self.spec.stages.keys().cloned().collect()
    }

    fn candidates(&self) -> Vec<String> {
        let mut all = self.names();
        for (name, bound) in self.spec.stages.keys().zip(self.bound) {
            let ports = bound.iter().filter_map(Bound::outputs).flatten();
            all.extend(ports.map(|port| format!("{name}.{}", port.name)));
        }
        all
    }
}

/// The references written at a port, with their names where the port takes named ones. Those are sorted: their order means nothing.
fn written<'n>(port: &InputPort, node: &'n Node, problems: &mut Vec<Problem>) -> Vec<(Option<&'n str>, &'n Node)> {
    let items = |node: &'n Node| match &node.value {
        Value::Sequence(items) => items.iter().collect(),
        _ => vec![node],
    };
    if port.arity != Arity::Named {
        return items(node).into_iter().map(|item| (None, item)).collect();
    }
    let Value::Mapping(entries) = &node.value else {
        let message = format!("'{}' wants a mapping from names to references, not {}", port.name, node.value.noun());
        let help = Some(format!("e.g. `{}: {{rows: songs, model: numeric.model}}`", port.name));
        problems.push(problem(node.span, message, help));
        return Vec::new();
    };
    let mut named: Vec<(&str, &Node)> = entries.iter().map(|(name, entry)| (name.as_str(), &entry.node)).collect();
    named.sort_by_key(|(name, _)| *name);
    named.into_iter().flat_map(|(name, node)| items(node).into_iter().map(move |item| (Some(name), item))).collect()
}

fn inputs_of(inputs: &[(Input, Span)], port: &InputPort) -> usize {
    inputs.iter().filter(|(input, _)| input.port == port.name).count()
}

fn pick(
    stage: &str,
    outputs: &[OutputPort],
    named: Option<&str>,
    wanted: Option<PortType>,
) -> Result<String, (String, Option<String>)> {
    let list = || {
        let ports: Vec<String> = outputs.iter().map(|port| format!("{stage}.{}", port.name)).collect();
        Some(format!("its ports are {}", ports.join(", ")))
    };
    let Some(name) = named else {
        let first = outputs.iter().find(|port| wanted.is_none_or(|wanted| port.holds == wanted));
        let what = wanted.map_or("anything", type_name_with_article);
        return first
            .map(|port| port.name.clone())
            .ok_or_else(|| (format!("stage '{stage}' has no port that holds {what}"), list()));
    };
    match outputs.iter().find(|port| port.name == name) {
        Some(port) => match wanted.filter(|wanted| port.holds != *wanted) {
            None => Ok(port.name.clone()),
            Some(wanted) => {
                let (found, wanted) = (type_name(port.holds), type_name(wanted));
                Err((format!("'{stage}.{name}' holds a {found}, but a {wanted} is wanted here"), None))
            }
        },
        None => {
            let hint = suggest(name, outputs.iter().map(|port| port.name.as_str()));
            let hint = hint.map(|hint| format!(" (did you mean '{hint}'?)")).unwrap_or_default();
            Err((format!("stage '{stage}' has no port '{name}'{hint}"), list()))
        }
    }
}

fn type_name_with_article(port: PortType) -> &'static str {
    match port {
        PortType::Table => "a table",
        PortType::Model => "a model",
        PortType::Json => "a set of metrics",
        PortType::Files => "a set of files",
    }
}

fn type_name(port: PortType) -> &'static str {
    match port {
        PortType::Table => "table",
        PortType::Model => "model",
        PortType::Json => "set of metrics",
        PortType::Files => "set of files",
    }
}

/// Topological order; among the possible ones the one nearest to the file's.
fn order(spec: &PipelineSpec, inputs: &[Vec<(Input, Span)>]) -> Result<Vec<usize>, Box<Problem>> {
    let mut graph = DiGraph::<usize, ()>::new();
    let nodes: Vec<NodeIndex> = (0..inputs.len()).map(|i| graph.add_node(i)).collect();
    for (to, list) in inputs.iter().enumerate() {
        for (input, _) in list {
            graph.update_edge(nodes[input.from], nodes[to], ());
        }
    }
    if toposort(&graph, None).is_ok() {
        return Ok(file_order(&graph, &nodes));
    }
    let mut cycle: Vec<usize> = tarjan_scc(&graph)
        .into_iter()
        .find(|component| component.len() > 1)
        .map(|component| component.into_iter().map(|node| graph[node]).collect())
        .unwrap_or_default();
    cycle.sort_unstable();
    let names: Vec<&str> = cycle.iter().filter_map(|&i| spec.stages.keys().nth(i)).map(String::as_str).collect();
    let span = cycle.first().and_then(|&i| spec.stages.values().nth(i)).map(|stage| stage.name_span);
    let message = format!("stages depend on each other in a circle: {}", names.join(", "));
    Err(Box::new(Problem::new(span, message).help("one of these must not read from another")))
}

/// Kahn's algorithm with the smallest index first, so that screens list stages as the user wrote them.
fn file_order(graph: &DiGraph<usize, ()>, nodes: &[NodeIndex]) -> Vec<usize> {
    use std::cmp::Reverse;
    let mut waiting: Vec<usize> =
        nodes.iter().map(|&node| graph.neighbors_directed(node, petgraph::Incoming).count()).collect();
    let mut ready: std::collections::BinaryHeap<Reverse<usize>> =
        (0..nodes.len()).filter(|&i| waiting[i] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(nodes.len());
    while let Some(Reverse(i)) = ready.pop() {
        order.push(i);
        for next in graph.neighbors(nodes[i]) {
            let next = graph[next];
            waiting[next] -= 1;
            if waiting[next] == 0 {
                ready.push(Reverse(next));
            }
        }
    }
    order
}

/// Runs every stage's own check, with the columns of its inputs where they are known.
fn check(
    spec: &PipelineSpec,
    bound: &[Option<Bound>],
    inputs: &[Vec<(Input, Span)>],
    order: &[usize],
    problems: &mut Vec<Problem>,
) {
    let names: Vec<&String> = spec.stages.keys().collect();
    let written: Vec<&StageSpec> = spec.stages.values().collect();
    let mut columns: Vec<BTreeMap<String, Vec<String>>> = vec![BTreeMap::new(); bound.len()];
    for &i in order {
        let Some((stage, _)) = bound[i].as_ref().and_then(|bound| bound.stage.as_ref()) else { continue };
        let mut shapes: BTreeMap<&'static str, Vec<InputShape>> = BTreeMap::new();
        for (input, _) in &inputs[i] {
            let known = input.output.as_ref().and_then(|port| columns[input.from].get(port)).cloned();
            let (stage, label) = (names[input.from].clone(), input.label.clone());
            let shape = InputShape { stage, label, columns: known };
            shapes.entry(input.port).or_default().push(shape);
        }
        let mut context = CheckContext::new(&written[i].body, shapes);
        stage.check(&mut context);
        problems.extend(context.problems);
        columns[i] = context.outputs;
    }
}
