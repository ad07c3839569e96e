//! What can be found wrong before anything runs: columns are followed through the plan.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Display;
use std::sync::Arc;

use super::fact::{Fact, Facts};
use super::port::{InputPort, Reads};
use indexmap::IndexMap;
use runner_names::Folder;
use runner_spec::{MOST_ADVISED, Node, Problem, Span, listed, steps, suggest};

/// What a stage can be told about one input before anything ran.
#[derive(Clone, Debug, Default)]
pub struct InputShape {
    /// The stage that the reference names.
    pub stage: String,
    /// Its kind, as written; empty where there is no such stage.
    pub kind: String,
    /// The name that the user gave the reference, of a port that takes named ones.
    pub label: Option<String>,
    /// The columns of a table, where they are known; of a model, those that it must be given.
    pub columns: Option<Vec<String>>,
    /// What else the stages above told of it, e.g. its label.
    pub facts: Facts,
    /// The names of all outputs of that stage, where its parameters can be read.
    pub outputs: Option<Vec<String>>,
    /// All stages that read that stage, the one at hand among them, each with its kind.
    pub readers: Arc<[(String, String)]>,
    /// Where the reference is written.
    pub(crate) span: Option<Span>,
}

/// What a stage tells of one of its outputs.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    pub(crate) columns: Option<Vec<String>>,
    pub(crate) facts: Facts,
}

/// What a stage's `check` sees and fills.
pub struct CheckContext<'a> {
    body: &'a Node,
    ports: &'static [InputPort],
    inputs: BTreeMap<&'static str, Vec<InputShape>>,
    /// Whether problems say what was perhaps meant: not where many came before.
    pub(super) advises: bool,
    /// Places of which enough was said.
    settled: &'a [Span],
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<Problem>,
    /// Columns that were told to be at fault: no output promises them, so that nothing below is told of the same mistake.
    refused: BTreeSet<String>,
    pub(super) outputs: BTreeMap<String, Shape>,
    pub(super) reads: BTreeMap<&'static str, Reads>,
    aims: AimsTold<'a>,
}

/// What the pipeline says that models are chosen by, as far as it can be read, and where.
#[derive(Clone, Copy)]
pub(super) struct AimsTold<'a> {
    pub(crate) words: &'a BTreeMap<&'static str, String>,
    pub(crate) places: &'a IndexMap<&'static str, Node>,
}

impl<'a> CheckContext<'a> {
    pub(super) fn new(
        body: &'a Node,
        ports: &'static [InputPort],
        inputs: BTreeMap<&'static str, Vec<InputShape>>,
        settled: &'a [Span],
        aims: AimsTold<'a>,
    ) -> Self {
        CheckContext {
            body,
            ports,
            inputs,
            advises: true,
            settled,
            problems: Vec::new(),
            warnings: Vec::new(),
            refused: BTreeSet::new(),
            outputs: BTreeMap::new(),
            reads: BTreeMap::new(),
            aims,
        }
    }

    /// As [`StageContext::aim`](crate::StageContext::aim), where what is written under the key can be read.
    pub fn aim(&self, key: &str) -> Option<&'a str> {
        self.aims.words.get(key).map(String::as_str)
    }

    /// Whether the pipeline says something under a key that models are chosen by, be it right or wrong.
    pub fn has_aim(&self, key: &str) -> bool {
        self.aims.places.contains_key(key)
    }

    /// A mistake in what the pipeline says under such a key, at a path in it; found by several stages it is told once.
    pub fn aim_problem(&mut self, key: &str, path: &[&str], message: impl Into<String>, help: Option<String>) {
        let message = message.into();
        let place = self.aims.places.get(key).map(|node| node.nearest(&steps(path.iter().copied())).0.span);
        let mut problem = Problem::of(self.body, message.clone()).about(message);
        problem.span = place.or(problem.span);
        self.push(Problem { help, ..problem });
    }

    /// What is connected to a port, in the order written; empty of ports that are not used.
    pub fn inputs(&self, port: &str) -> &[InputShape] {
        self.inputs.get(port).map_or(&[], Vec::as_slice)
    }

    /// The columns of an input table, of all references together where there are several. `None`: not connected, or not known yet.
    pub fn columns(&self, port: &str) -> Option<Vec<String>> {
        let shapes = self.inputs(port);
        if shapes.is_empty() {
            return None;
        }
        let mut all = Vec::new();
        for shape in shapes {
            all.extend(shape.columns.clone()?);
        }
        Some(all)
    }

    /// A fact that the stages above told of the first reference of `port`.
    pub fn fact<T: Any>(&self, port: &str, fact: Fact<T>) -> Option<&T> {
        self.inputs(port).first()?.facts.get(fact)
    }

    /// Where the fact was written that the stages above told of the first reference of `port`.
    pub fn place<T>(&self, port: &str, fact: Fact<T>) -> Option<Span> {
        self.inputs(port).first()?.facts.place(fact)
    }

    /// Whether the user wrote the parameter at that path, so that a default can be told from a value that means something.
    pub fn is_written(&self, path: &[&str]) -> bool {
        self.body.at(&steps(path.iter().copied())).is_some()
    }

    /// Declares the columns of an output table, or those that an output model must be given. Columns at fault are left out of them.
    pub fn output(&mut self, port: &str, mut columns: Vec<String>) {
        columns.retain(|column| !self.refused.contains(column));
        self.outputs.entry(port.to_owned()).or_default().columns = Some(columns);
    }

    /// Tells something else of an output, for the checks of the stages below.
    pub fn tell<T: Any + Send + Sync>(&mut self, port: &str, fact: Fact<T>, value: T) {
        self.tell_from(port, fact, None, value);
    }

    /// As [`CheckContext::tell`], of a fact that the user wrote at `path`: messages of the stages below point there.
    pub fn tell_written<T: Any + Send + Sync>(&mut self, port: &str, fact: Fact<T>, path: &[&str], value: T) {
        let place = self.written(path).span;
        self.tell_from(port, fact, Some(place), value);
    }

    /// As [`CheckContext::tell_written`], of a fact that an earlier stage told, with its place.
    pub fn tell_from<T: Any + Send + Sync>(&mut self, port: &str, fact: Fact<T>, place: Option<Span>, value: T) {
        self.outputs.entry(port.to_owned()).or_default().facts.insert(fact, value, place);
    }

    /// Declares what the stage reads of the tables at an input port; everything unless it says so. Only this enters the cache key, and only
    /// this does the stage see when it runs.
    pub fn reads(&mut self, port: &str, reads: Reads) {
        if let Some(port) = self.ports.iter().find(|declared| declared.name == port) {
            self.reads.insert(port.name, reads);
        }
    }

    /// How many mistakes were found so far.
    pub fn found(&self) -> usize {
        self.problems.len()
    }

    /// A mistake in the parameter at `path`, e.g. `&["optimizer", "lr"]`.
    pub fn problem(&mut self, path: &[&str], message: impl Into<String>, help: Option<String>) {
        let mut problem = Problem::of(self.written(path), message);
        problem.help = help;
        self.push(problem);
    }

    /// Something in the parameter at `path` that is accepted although it probably is not meant.
    pub fn warn(&mut self, path: &[&str], message: impl Into<String>, help: Option<String>) {
        let message = message.into();
        // Whichever stage finds it, it is one thing.
        let warning = Problem::of(self.written(path), message.clone()).about(message);
        self.warnings.push(Problem { help, ..warning });
    }

    /// A mistake in reference number `i` of those at `port`. One that means several ports, e.g. a matrix, is told once.
    pub fn input_problem(&mut self, port: &str, i: usize, message: impl Into<String>, help: Option<String>) {
        let span = self.inputs(port).get(i).and_then(|shape| shape.span);
        let mut problem = Problem::of(self.written(&[port]), message);
        problem.span = span.or(problem.span);
        self.push(Problem { help, ..problem });
    }

    /// A mistake in the parameter at a dotted path, with which the message begins, e.g. `optimizer.betas: …`.
    pub fn parameter(&mut self, path: &str, message: impl Display) {
        let steps: Vec<&str> = path.split('.').collect();
        self.problem(&steps, format!("{path}: {message}"), None);
    }

    /// As [`CheckContext::problem`]; findings of all stages about the same thing, e.g. `folds of 'split'`, are one mistake, told once with all its places.
    pub fn common_problem(&mut self, path: &[&str], about: String, message: impl Into<String>, help: Option<String>) {
        let problem = Problem::of(self.written(path), message).about(about);
        self.push(Problem { help, ..problem });
    }

    /// As [`CheckContext::common_problem`], of a file that cannot be read or does not hold what is asked of it.
    pub fn source_problem(&mut self, path: &[&str], about: String, message: impl Into<String>, help: Option<String>) {
        let problem = Problem::of(self.written(path), message).about(about).of_source();
        self.push(Problem { help, ..problem });
    }

    /// A column at fault: what comes out does not promise it, and no stage below is told that it is not there.
    pub fn refuse_column(&mut self, name: &str) {
        self.refused.insert(name.to_owned());
    }

    /// Of what holds a value that enough was said of, e.g. a list, enough was said as well.
    fn push(&mut self, problem: Problem) {
        let is_new = |span: Span| self.settled.iter().all(|&settled| !span.contains(settled));
        if problem.span.is_none_or(is_new) {
            self.problems.push(problem);
        }
    }

    /// The mistakes that `check` finds in other parameters on the same inputs; nothing else of it counts.
    pub fn probe(&self, check: impl FnOnce(&mut CheckContext)) -> Vec<Problem> {
        let mut other = CheckContext::new(self.body, self.ports, self.inputs.clone(), &[], self.aims);
        other.advises = self.advises && self.problems.len() < MOST_ADVISED;
        check(&mut other);
        other.problems
    }

    /// Reports what [`CheckContext::probe`] found, as a mistake in the parameter at `path`.
    /// Several values with the same mistake are told once.
    pub fn adopt(&mut self, path: &[&str], problem: Problem) {
        let Problem { message, help, about, .. } = problem;
        let about = about.unwrap_or_else(|| format!("search at {:?}: {message}", self.body.span));
        let mut problem = Problem::of(self.written(path), message);
        (problem.help, problem.about) = (help, Some(about));
        self.push(problem);
    }

    /// Refuses a name that no file can have, or that another in `folder` has; `ending` is what is added to it there, e.g. `.arrow`. Returns whether all is well.
    pub fn file_name(&mut self, path: &[&str], folder: &mut Folder, name: &str, ending: &str) -> bool {
        let fault = folder.add(name, ending).err();
        if let Some(fault) = &fault {
            self.problem(path, fault.to_string(), Some(fault.help()));
        }
        fault.is_none()
    }

    /// Says so for every name that the input lacks. `path` is the parameter that holds the names, as one text or a list of texts.
    pub fn require(&mut self, port: &str, path: &[&str], names: &[String]) {
        let Some(present) = self.columns(port) else { return };
        let present: Vec<&str> = present.iter().map(String::as_str).collect();
        let known: HashSet<&str> = present.iter().copied().collect();
        for (i, name) in names.iter().enumerate().filter(|(_, name)| !known.contains(name.as_str())) {
            let index = i.to_string();
            let mut item: Vec<&str> = path.to_vec();
            item.push(&index);
            self.missing_column(port, &item, name, &present);
        }
    }

    /// Says that the input has no column `name`, which stands at `path`; `present` are those that would do.
    pub fn missing_column(&mut self, port: &str, path: &[&str], name: &str, present: &[&str]) {
        let problem = Problem::of(self.written(path), "");
        self.missing(problem, port, name, present);
    }

    /// As [`CheckContext::missing_column`], of a name that stands in a stage above.
    pub fn missing_column_at(&mut self, place: Span, port: &str, name: &str, present: &[&str]) {
        self.missing(Problem::new(place, ""), port, name, present);
    }

    fn missing(&mut self, at: Problem, port: &str, name: &str, present: &[&str]) {
        let mut from: Vec<&str> = self.inputs(port).iter().map(|shape| shape.stage.as_str()).collect();
        from.dedup();
        let from = listed(from);
        self.refuse_column(name);
        let advises = self.advises && self.problems.len() < MOST_ADVISED;
        let hint = if advises { suggest(name, present.iter().copied()) } else { None };
        let hint = hint.map(|hint| format!(" (did you mean '{hint}'?)")).unwrap_or_default();
        // One column that is missing is one mistake, wherever it is named.
        let message = format!("no column '{name}' in '{from}'{hint}");
        let help = advises.then(|| format!("it has {}", listed(present.iter().copied())));
        self.push(Problem { message, help, about: Some(format!("column {name}")), is_of_source: true, ..at });
    }

    /// The value at the path, or the nearest thing around it that the user wrote.
    fn written(&self, path: &[&str]) -> &Node {
        self.body.nearest(&steps(path.iter().copied())).0
    }
}
