//! References: which stage and which port `rows: folds.train` means.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};

use super::bind::Bound;
use super::check::InputShape;
use super::entry::InputName;
use super::port::{Accepts, Arity, InputPort, OutputPort, PortType};
use runner_spec::{MOST_ADVISED, Node, PipelineSpec, Problem, Span, Value, is_name, listed, suggest};

/// One resolved reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    pub port: &'static str,
    /// The name that the user gave it, of a port that takes named references.
    pub label: Option<String>,
    /// Its number among the references of that port.
    pub(crate) item: usize,
    /// Index into `Plan::stages`.
    pub from: usize,
    /// The output port; `None` for a whole stage.
    pub output: Option<String>,
}

impl Input {
    /// Its name in manifests.
    pub(super) fn name(&self) -> InputName {
        InputName { port: self.port.to_owned(), label: self.label.clone(), item: self.item }
    }
}

/// Looks references up by name: a pipeline may have very many.
pub(super) struct Resolver<'a> {
    spec: &'a PipelineSpec,
    bound: &'a [Option<Bound>],
    /// The stages of each name, and the instances of each matrix' bare name.
    named: HashMap<&'a str, Vec<usize>>,
    /// References that no stage has, so far.
    advised: Cell<usize>,
}

/// What the references of a stage lead to.
#[derive(Default)]
pub(super) struct Resolved {
    /// With the place where each is written.
    pub(crate) inputs: Vec<(Input, Span)>,
    /// References that lead to nothing, or to a stage that is wrong itself, by port: told already, so that nothing behind them is missed.
    pub(crate) broken: Vec<(&'static str, InputShape)>,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(spec: &'a PipelineSpec, bound: &'a [Option<Bound>]) -> Self {
        let mut named: HashMap<&str, Vec<usize>> = HashMap::with_capacity(bound.len());
        for (i, stage) in spec.stages.values().enumerate() {
            named.entry(&stage.name).or_default().push(i);
            if stage.base != stage.name {
                named.entry(&stage.base).or_default().push(i);
            }
        }
        Resolver { spec, bound, named, advised: Cell::new(0) }
    }

    /// The resolved references of stage `own`, each with the place where it is written.
    pub(crate) fn inputs(&self, own: usize, stage: &Bound, problems: &mut Vec<Problem>) -> Resolved {
        let mut inputs = Vec::new();
        let mut broken = Vec::new();
        for (port, node) in &stage.references {
            let many = matches!(port.arity, Arity::Many | Arity::Any | Arity::Named);
            let (before, faulty) = (inputs.len(), broken.len());
            for (label, item) in written(port, node, problems) {
                // A port's references follow each other.
                let first = inputs.len() - before;
                match self.resolve(own, port, item) {
                    Ok(found) if found.is_empty() => {
                        broken.push((port.name, label.map(str::to_owned), item.to_owned()))
                    }
                    Ok(found) => inputs.extend(found.into_iter().enumerate().map(|(i, (from, output))| {
                        let label = label.map(str::to_owned);
                        (Input { port: port.name, label, item: first + i, from, output }, item.span)
                    })),
                    Err(problem) => {
                        problems.push(*problem);
                        broken.push((port.name, label.map(str::to_owned), item.to_owned()));
                    }
                }
            }
            if broken.len() == faulty {
                problems.extend(self.amiss(port, node, &inputs[before..]));
            }
            if !many && inputs.len() > before + 1 {
                problems.push(self.ambiguous(port, node, &inputs[before..]));
            }
        }
        let shape = |(port, label, node): (&'static str, Option<String>, Node)| {
            (port, InputShape { stage: node.as_str().unwrap_or_default().to_owned(), label, ..InputShape::default() })
        };
        Resolved { inputs, broken: broken.into_iter().map(shape).collect() }
    }

    /// A list without a reference where one is needed, or with the same one twice: once by its name, or by that of a matrix that holds it.
    fn amiss(&self, port: &InputPort, node: &Node, found: &[(Input, Span)]) -> Option<Problem> {
        if found.is_empty() {
            let message = format!("input '{}' names no stage: it needs {}", port.name, port.summary);
            let help = Some(format!("e.g. `{}: [STAGE]`", port.name));
            return (port.arity == Arity::Many).then(|| Problem::new(node.span, message).help_if(help));
        }
        if !matches!(port.arity, Arity::Many | Arity::Any) {
            return None;
        }
        let mut seen = HashSet::new();
        let (twice, span) = found.iter().find(|(input, _)| !seen.insert((input.from, input.output.as_deref())))?;
        let (name, _) = self.spec.stages.get_index(twice.from)?;
        let message = format!("input '{}' names '{name}' twice", port.name);
        Some(Problem::new(*span, message).help("leave one out"))
    }

    /// More than one reference, or one that means more than one port, where one is wanted.
    fn ambiguous(&self, port: &InputPort, node: &Node, found: &[(Input, Span)]) -> Problem {
        let stage = found[0].0.from;
        let name = self.spec.stages.get_index(stage).map_or("", |(name, _)| name.as_str());
        let equals: Vec<String> = found
            .iter()
            .filter(|(input, span)| input.from == stage && *span == found[0].1)
            .filter_map(|(input, _)| Some(format!("{name}.{}", input.output.as_ref()?)))
            .collect();
        if equals.len() == found.len() {
            let what = port.accepts.only().map_or("ports", type_names);
            let message = format!("stage '{name}' has {} {what}, but input '{}' takes one", equals.len(), port.name);
            return Problem::new(node.span, message).help(format!("name one of {}", listed(equals)));
        }
        let message = format!("input '{}' takes one reference, not {}", port.name, found.len());
        Problem::new(node.span, message).help("name one stage, or one instance of a matrix")
    }

    /// The stages and ports that one reference means.
    fn resolve(&self, own: usize, port: &InputPort, node: &Node) -> Result<Vec<(usize, Option<String>)>, Box<Problem>> {
        let problem = |message: String, help: Option<String>| Box::new(Problem::new(node.span, message).help_if(help));
        let Value::String(reference) = &node.value else {
            let message = format!("input '{}' wants a reference such as `songs` or `folds.train`", port.name);
            return Err(problem(message, None));
        };
        let found = self.find(reference);
        if found.is_none() && self.may_be_left_out(reference) {
            return Ok(Vec::new());
        }
        let (stages, output) = found.ok_or_else(|| {
            let about = format!("stage {reference}");
            if self.advised.replace(self.advised.get() + 1) >= MOST_ADVISED {
                return Box::new(Problem::new(node.span, format!("no stage '{reference}'")).about(about));
            }
            let candidates = self.candidates();
            let hint = suggest(reference, candidates.iter().map(String::as_str));
            let hint = hint.map(|hint| format!(" (did you mean '{hint}'?)")).unwrap_or_default();
            let help = format!("stages are {}", listed(self.names()));
            let unknown = Problem::new(node.span, format!("no stage '{reference}'{hint}")).help(help);
            Box::new(unknown.about(about))
        })?;
        if stages.contains(&own) {
            return Err(problem("a stage cannot read from itself".to_owned(), None));
        }
        let mut found = Vec::new();
        for &from in stages {
            // A stage that could not be bound has its own problem already.
            let Some(outputs) = self.bound[from].as_ref().and_then(Bound::outputs) else { continue };
            let name = self.spec.stages.get_index(from).map_or("", |(name, _)| name.as_str());
            match port.accepts {
                Accepts::WholeStage if output.is_none() => found.push((from, None)),
                Accepts::WholeStage => {
                    return Err(problem(format!("input '{}' takes whole stages, not ports", port.name), None));
                }
                Accepts::Only(_) | Accepts::Any => {
                    let ports = pick(name, outputs, output, port.accepts.only());
                    let ports = ports.map_err(|(message, help)| problem(message, help))?;
                    found.extend(ports.into_iter().map(|port| (from, Some(port))));
                }
            }
        }
        Ok(found)
    }

    /// `stage`, `stage.port`, or the bare name of a matrix. Instance names may hold points, so whole names come first.
    fn find<'r>(&self, reference: &'r str) -> Option<(&[usize], Option<&'r str>)> {
        if let Some(found) = self.named.get(reference) {
            return Some((found, None));
        }
        let (stage, port) = reference.rsplit_once('.')?;
        Some((self.named.get(stage)?, Some(port)))
    }

    /// Whether a reference may mean a stage that is at fault itself: by its name, or as one of instances that are not known then.
    fn may_be_left_out(&self, reference: &str) -> bool {
        let stage = reference.split(['.', '@']).next().unwrap_or_default();
        let has_matrix = |name: &String| self.spec.has_matrix(name);
        // A stage whose name is none is referred to by the name that it should have.
        let is_meant = |name: &String| !is_name(name) && suggest(stage, [name.as_str()]).is_some();
        self.spec.left_out.iter().any(|name| name == stage || has_matrix(name) || is_meant(name))
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.spec.stages.keys().map(String::as_str)
    }

    fn candidates(&self) -> Vec<String> {
        let mut all: Vec<String> = self.names().map(str::to_owned).collect();
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
        problems.push(Problem::new(node.span, message).help_if(help));
        return Vec::new();
    };
    let mut named: Vec<(&str, &Node)> = entries.iter().map(|(name, entry)| (name.as_str(), &entry.node)).collect();
    named.sort_by_key(|(name, _)| *name);
    named.into_iter().flat_map(|(name, node)| items(node).into_iter().map(move |item| (Some(name), item))).collect()
}

fn pick(
    stage: &str,
    outputs: &[OutputPort],
    named: Option<&str>,
    wanted: Option<PortType>,
) -> Result<Vec<String>, (String, Option<String>)> {
    let list = || {
        let ports: Vec<String> = outputs.iter().map(|port| format!("{stage}.{}", port.name)).collect();
        Some(format!("its ports are {}", listed(ports)))
    };
    let Some(name) = named else {
        let mut fitting = outputs.iter().filter(|port| wanted.is_none_or(|wanted| port.holds == wanted));
        let what = wanted.map_or("anything", type_name_with_article);
        let first = fitting.next().ok_or_else(|| (format!("stage '{stage}' has no port that holds {what}"), list()))?;
        let equals = fitting.filter(|port| first.alternative && port.alternative && port.holds == first.holds);
        return Ok(std::iter::once(first).chain(equals).map(|port| port.name.clone()).collect());
    };
    match outputs.iter().find(|port| port.name == name) {
        Some(port) => match wanted.filter(|wanted| port.holds != *wanted) {
            None => Ok(vec![port.name.clone()]),
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

fn type_names(port: PortType) -> &'static str {
    match port {
        PortType::Table => "tables",
        PortType::Model => "models",
        PortType::Json => "sets of metrics",
        PortType::Files => "sets of files",
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
