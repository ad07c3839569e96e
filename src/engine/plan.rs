//! `Plan`: a validated DAG of stages. It exists only if every kind is known, every parameter checked, every reference resolved, and there is no cycle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use runner_spec::Node;

use super::bind::{Bound, bind, unknown_kind};
use super::check::{AimsTold, CheckContext, InputShape, Shape};
use super::comments::ParameterComments;
use super::dag::Dag;
use super::lineage::Lineage;
use super::lock::LockFile;
use super::port::{OutputPort, Reads, Source};
use super::resolve::{Input, Resolver};
use super::resources::Resources;
use super::stage::{AnyStage, Registry};
use runner_names::Localized;
use runner_spec::{MOST_ADVISED, PipelineSpec, Problem, Problems, Span, StageSpec, listed, suggest};

/// Fewer stages are bound faster than threads start.
const WORTH_SHARING: usize = 256;

/// A pipeline whose stages are bound to their kinds and connected.
pub struct Plan {
    /// As the user wrote it.
    pub spec: PipelineSpec,
    /// In the order written.
    pub stages: Vec<PlannedStage>,
    /// Indices into `stages`; a stage comes after all that it depends on, else in the order of the file.
    pub order: Vec<usize>,
    /// Who reads from whom.
    pub(super) dag: Dag,
    /// Results other than these are refused.
    pub(super) locked_to: Option<LockFile>,
}

pub struct PlannedStage {
    pub name: String,
    pub stage: Box<dyn AnyStage>,
    pub inputs: Vec<Input>,
    pub(crate) outputs: Vec<OutputPort>,
    /// What the stage may take of the machine, as written; no part of its result, nor of its key.
    pub(crate) resources: Resources,
    /// What people call it; no part of its result, but of reports'.
    pub(crate) display_name: Option<Localized>,
    /// What its random numbers follow from: its own seed, or the pipeline's.
    pub(crate) seed: u64,
    /// What models are chosen by, of the keys that the kind uses and the pipeline says.
    pub(crate) aims: BTreeMap<&'static str, String>,
    pub(super) reads: BTreeMap<&'static str, Reads>,
    /// How to make again what the stage reads, of kinds that ask for it.
    pub(crate) lineage: Option<Lineage>,
}

impl PlannedStage {
    /// The files whose content the stage reads.
    pub(crate) fn sources(&self) -> Vec<Source> {
        let mut sources = self.stage.sources();
        sources.extend(self.lineage.iter().flat_map(|lineage| lineage.carried.iter().cloned()));
        sources
    }

    /// What the stage reads of the tables at that port.
    pub(crate) fn reads(&self, port: &str) -> &Reads {
        self.reads.get(port).unwrap_or(&Reads::All)
    }
}

impl Plan {
    /// All problems are told at once.
    pub fn new(spec: PipelineSpec, registry: Registry) -> Result<Self, Problems> {
        Plan::with(spec, registry, false)
    }

    /// A plan to look at results by that are there already: that a file which a stage reads is gone is only warned of.
    pub fn of_results(spec: PipelineSpec, registry: Registry) -> Result<Self, Problems> {
        Plan::with(spec, registry, true)
    }

    fn with(mut spec: PipelineSpec, registry: Registry, is_to_look: bool) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let written: Vec<&StageSpec> = spec.stages.values().collect();
        let bind = |stage: &&StageSpec| {
            let mut problems = Vec::new();
            (bind(stage, registry, &mut problems), problems)
        };
        let (bound, found): (Vec<Option<Bound>>, Vec<Vec<Problem>>) = if written.len() < WORTH_SHARING {
            written.iter().map(bind).unzip()
        } else {
            written.par_iter().map(bind).unzip()
        };
        problems.extend(found.into_iter().flatten());
        let resolver = Resolver::new(&spec, &bound);
        let (inputs, broken): (Vec<_>, Vec<_>) = (0..bound.len())
            .map(|i| bound[i].as_ref().map(|stage| resolver.inputs(i, stage, &mut problems)).unwrap_or_default())
            .map(|resolved| (resolved.inputs, resolved.broken))
            .unzip();
        let reads_from = |to: usize| inputs[to].iter().map(move |(input, _)| (input.from, to));
        let dag = Dag::new(inputs.len(), (0..inputs.len()).flat_map(reads_from).collect());
        let order = dag.order().unwrap_or_else(|circle| {
            problems.push(circular(&spec, &circle));
            Vec::new()
        });
        let mut warnings = Vec::new();
        let mut of_aims = Vec::new();
        let aims = aims(&spec, registry, &mut of_aims, &mut warnings);
        let told = AimsTold { words: &aims, places: &spec.aims };
        let (reads, found) = check(&spec, &bound, (&inputs, &broken), &order, told, &mut problems);
        warnings.splice(0..0, found);
        problems.extend(unknown_kinds(&spec, registry));
        problems.append(&mut of_aims);
        if is_to_look && problems.iter().all(|problem| problem.is_of_source) {
            warnings.append(&mut problems);
        }
        if !problems.is_empty() {
            return Err(spec.problems(problems));
        }
        spec.warn(warnings);
        let names: Vec<String> = spec.stages.keys().cloned().collect();
        let stages = names
            .into_iter()
            .zip(bound)
            .zip(inputs)
            .zip(reads)
            .filter_map(|(((name, bound), inputs), reads)| {
                let Bound { stage, resources, display_name, seed, .. } = bound?;
                let (stage, outputs) = stage?;
                let inputs = inputs.into_iter().map(|(input, _)| input).collect();
                let seed = seed.or(spec.stages[&name].seed.map(|(seed, _)| seed)).unwrap_or(spec.seed);
                let is_used = |key: &&'static str| stage.kind().aims.iter().any(|aim| aim.key == *key);
                let aims =
                    aims.iter().filter(|(key, _)| is_used(key)).map(|(key, word)| (*key, word.clone())).collect();
                Some(PlannedStage {
                    name,
                    stage,
                    inputs,
                    outputs,
                    resources,
                    display_name,
                    seed,
                    aims,
                    reads,
                    lineage: None,
                })
            })
            .collect();
        let mut plan = Plan { spec, stages, order, dag, locked_to: None };
        for i in 0..plan.stages.len() {
            if plan.stages[i].stage.kind().lineage {
                plan.stages[i].lineage = Some(plan.lineage(i));
            }
        }
        Ok(plan)
    }

    /// From now on a stage whose key or output is not as in the lock fails, before it runs or before its result is committed.
    pub fn lock_to(&mut self, lock: LockFile) {
        self.locked_to = Some(lock);
    }

    /// The stages that `stage` reads from, each once, in the order of the file.
    pub fn dependencies(&self, stage: usize) -> Vec<usize> {
        self.dag.dependencies(stage).collect()
    }

    /// The files that stages above input `port` of `stage` name at a parameter.
    pub(super) fn sources_above(&self, stage: usize, port: &str, at: &str) -> BTreeSet<PathBuf> {
        let inputs = self.stages[stage].inputs.iter().filter(|input| input.port == port);
        let above = self.dag.closure(inputs.map(|input| input.from));
        let above = (0..above.len()).filter(|&stage| above[stage]);
        let sources = above.flat_map(|stage| self.stages[stage].stage.sources());
        sources.filter(|source| source.at == at).map(|source| source.path).collect()
    }

    /// Indices of the named stages (a matrix' bare name means all its instances) and of everything below them; all stages for no names.
    pub fn select(&self, names: &[String]) -> Result<Vec<usize>, UnknownStage> {
        if names.is_empty() {
            return Ok(self.order.clone());
        }
        let mut named = Vec::new();
        for name in names {
            let before = named.len();
            let stages = self.spec.stages.values().enumerate();
            named.extend(stages.filter(|(_, stage)| stage.name == *name || stage.base == *name).map(|(i, _)| i));
            if named.len() == before {
                let stages = || self.spec.stages.keys().map(String::as_str);
                let remedy = match suggest(name, stages()) {
                    Some(hint) => format!("did you mean '{hint}'?"),
                    None => format!("the pipeline has {}", listed(stages())),
                };
                return Err(UnknownStage { name: name.clone(), remedy });
            }
        }
        let wanted = self.dag.closure(named);
        Ok(self.order.iter().copied().filter(|&i| wanted[i]).collect())
    }

    /// How to make again what stage `i` reads: every stage below it, with all instances of a matrix of which one is needed.
    fn lineage(&self, i: usize) -> Lineage {
        let mut needed: Vec<bool> = vec![false; self.stages.len()];
        let mut todo: Vec<usize> = self.dag.dependencies(i).collect();
        while let Some(stage) = todo.pop() {
            if !std::mem::replace(&mut needed[stage], true) {
                todo.extend(self.dag.dependencies(stage));
                let same_matrix = |other: &usize| self.written(*other).base == self.written(stage).base;
                todo.extend((0..self.stages.len()).filter(same_matrix));
            }
        }
        let kept: BTreeMap<&str, usize> = (0..needed.len())
            .filter(|&stage| needed[stage])
            .map(|stage| (self.written(stage).base.as_str(), stage))
            .collect();
        let seed = |base: &str| {
            let stage = *kept.get(base)?;
            let seeded = self.stages[stage].stage.kind().seeded;
            self.written(stage).seed.filter(|_| seeded).map(|(seed, _)| seed)
        };
        let comments = ParameterComments::default();
        let comment = |base: &str, key: Option<&str>| {
            let kind = self.stages[*kept.get(base)?].stage.kind();
            match key {
                Some(key) => comments.of(kind, key),
                None => Some(kind.summary.to_owned()),
            }
        };
        let pipeline = self.spec.effective(&|base| kept.contains_key(base), &seed, &comment);
        let text = |(name, node): (&String, &Node)| Some((name.clone(), node.as_str()?.to_owned()));
        let variables = self.spec.vars.iter().filter_map(text).collect();
        let command = self.spec.command();
        let mut lineage = Lineage { command, variables, pipeline, carried: Vec::new(), needed: Vec::new() };
        for stage in (0..needed.len()).filter(|&stage| needed[stage]) {
            let stage = &self.stages[stage].stage;
            for Source { path, .. } in stage.sources() {
                let inside = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
                let at = format!("lineage.'{}'", path.display());
                if !stage.kind().sources_travel || !inside {
                    if !lineage.needed.contains(&path) {
                        lineage.needed.push(path);
                    }
                } else if lineage.carried.iter().all(|source| source.at != at) {
                    lineage.carried.push(Source { at, path });
                }
            }
        }
        lineage
    }

    /// What the user wrote for that stage.
    pub(crate) fn written(&self, stage: usize) -> &StageSpec {
        &self.spec.stages[stage]
    }
}

/// What the pipeline says that models are chosen by, as the kinds read it.
fn aims(
    spec: &PipelineSpec,
    registry: Registry,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<Problem>,
) -> BTreeMap<&'static str, String> {
    let mut found = BTreeMap::new();
    for (key, node) in &spec.aims {
        let Some(aim) = registry.0.iter().flat_map(|kind| kind.aims).find(|aim| aim.key == *key) else { continue };
        match (aim.read)(node) {
            Ok(word) => {
                found.insert(*key, word);
            }
            Err(told) => problems.extend(told),
        }
        let uses = |stage: &StageSpec| {
            registry.get(&stage.kind).is_none_or(|kind| kind.aims.iter().any(|aim| aim.key == *key))
        };
        if !spec.stages.values().any(uses) {
            let kinds = registry.0.iter().filter(|kind| kind.aims.iter().any(|aim| aim.key == *key));
            let help = format!("kinds that do are {}", listed(kinds.map(|kind| kind.name)));
            warnings.push(Problem::new(node.span, format!("no stage uses `{key}`")).help(help));
        }
    }
    found
}

/// The files that the stages read, and the folders in which further ones may appear, as far as their parameters are right: what to watch for changes, also while there is no valid plan.
pub fn sources(spec: &PipelineSpec, registry: Registry) -> Vec<PathBuf> {
    let bound = spec.stages.values().filter_map(|stage| bind(stage, registry, &mut Vec::new())?.stage);
    let files =
        |stage: &dyn AnyStage| stage.sources().into_iter().map(|source| source.path).chain(stage.source_folders());
    bound.flat_map(|(stage, _)| files(stage.as_ref()).collect::<Vec<_>>()).collect()
}

#[derive(Debug, thiserror::Error)]
#[error("unknown stage '{name}' ({remedy})")]
pub struct UnknownStage {
    name: String,
    remedy: String,
}

fn circular(spec: &PipelineSpec, circle: &[usize]) -> Problem {
    let stages: Vec<&StageSpec> = circle.iter().map(|&i| &spec.stages[i]).collect();
    let names: Vec<&str> = stages.iter().map(|stage| stage.name.as_str()).collect();
    let message = format!("stages depend on each other in a circle: {}", listed(names));
    let span = stages.first().map(|stage| stage.name_span);
    Problem::new(span, message).help("one of these must not read from another")
}

/// Kinds of templates that are none, also where no stage extends the template.
fn unknown_kinds(spec: &PipelineSpec, registry: Registry) -> Vec<Problem> {
    let unknown = spec.template_kinds().filter(|(kind, _)| registry.get(kind).is_none());
    unknown.map(|(kind, span)| unknown_kind(kind, span, registry)).collect()
}

/// Inputs of a stage, and where they are written.
type PlacedInputs = Vec<(Input, Span)>;
/// Those that lead nowhere, by their ports.
type BrokenInputs = Vec<(&'static str, InputShape)>;

/// Runs every stage's own check, with the shapes of its inputs where they are known; returns what each stage reads, and warnings.
fn check(
    spec: &PipelineSpec,
    bound: &[Option<Bound>],
    (inputs, broken): (&[PlacedInputs], &[BrokenInputs]),
    order: &[usize],
    aims: AimsTold,
    problems: &mut Vec<Problem>,
) -> (Vec<BTreeMap<&'static str, Reads>>, Vec<Problem>) {
    let mut warnings = Vec::new();
    let mut reads = vec![BTreeMap::new(); bound.len()];
    let mut outputs: Vec<BTreeMap<String, Shape>> = vec![BTreeMap::new(); bound.len()];
    let ports = |from: usize| {
        let outputs = bound[from].as_ref()?.outputs()?;
        Some(outputs.iter().map(|output| output.name.to_string()).collect())
    };
    let readers = readers(spec, inputs);
    for &i in order {
        let Some(bound) = &bound[i] else { continue };
        let mut shapes: BTreeMap<&'static str, Vec<InputShape>> = BTreeMap::new();
        for (input, span) in &inputs[i] {
            let shape = input.output.as_ref().and_then(|port| outputs[input.from].get(port));
            let Shape { columns, facts } = shape.cloned().unwrap_or_default();
            let (from, label) = (&spec.stages[input.from], input.label.clone());
            let (stage, kind) = (from.name.clone(), from.kind.clone());
            let outputs = ports(input.from);
            let readers = readers[input.from].clone();
            let shape = InputShape { stage, kind, label, columns, facts, outputs, readers, span: Some(*span) };
            shapes.entry(input.port).or_default().push(shape);
        }
        for (port, shape) in &broken[i] {
            shapes.entry(port).or_default().push(shape.clone());
        }
        let advises = problems.len() < MOST_ADVISED;
        let checked = |stage: &dyn AnyStage| {
            let mut context =
                CheckContext::new(&spec.stages[i].body, stage.kind().inputs, shapes.clone(), &bound.settled, aims);
            context.advises = advises;
            stage.check(&mut context);
            context
        };
        match &bound.stage {
            Some((stage, _)) => {
                let found = checked(stage.as_ref());
                (outputs[i], reads[i]) = (found.outputs, found.reads);
                problems.extend(found.problems);
                warnings.extend(found.warnings);
            }
            None => {
                let found = bound.guesses.iter().map(|guess| checked(guess.as_ref()).problems);
                problems.extend(certain(found.collect(), bound, spec.stages[i].body.span));
            }
        }
    }
    (reads, warnings)
}

/// By stage, those that read from it, each once.
fn readers(spec: &PipelineSpec, inputs: &[Vec<(Input, Span)>]) -> Vec<Arc<[(String, String)]>> {
    let mut readers: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); inputs.len()];
    for (reader, inputs) in inputs.iter().enumerate() {
        for (input, _) in inputs {
            readers[input.from].insert(reader);
        }
    }
    let named = |&reader: &usize| (spec.stages[reader].name.clone(), spec.stages[reader].kind.clone());
    readers.iter().map(|readers| readers.iter().map(named).collect()).collect()
}

/// What is wrong with a stage of which some parameters cannot be read: what every guess at them leads to. Nothing of that is about the values that were
/// guessed, nor about what lacks them: the stage as a whole (at `whole`), or a mapping in it.
fn certain(mut found: Vec<Vec<Problem>>, bound: &Bound, whole: Span) -> Vec<Problem> {
    let Some(first) = found.pop() else { return Vec::new() };
    let is_apart = |span: Span, replaced: Span| !replaced.contains(span) && !span.contains(replaced);
    let is_elsewhere = |span: Span| {
        span != whole
            && !bound.lacking.contains(&span)
            && bound.replaced.iter().all(|&replaced| is_apart(span, replaced))
    };
    let is_in_all = |problem: &Problem| {
        let same = |other: &Problem| (other.span, &other.message) == (problem.span, &problem.message);
        found.iter().all(|others| others.iter().any(same))
    };
    first.into_iter().filter(|problem| problem.span.is_some_and(is_elsewhere) && is_in_all(problem)).collect()
}
