//! Opens a pipeline and its store: what most commands start with.

use std::path::Path;

use super::{Failure, StudyArguments, screen};
use crate::artifact::Store;
use crate::boundary::text::{Lines, quoted};
use crate::engine::{History, HistoryError, Plan, Registry, Run, Workspace};
use crate::spec;
use crate::stages;

/// A valid plan and the store it works on.
pub(super) struct Study {
    pub plan: Plan,
    pub store: Store,
    artifacts: std::path::PathBuf,
}

impl Study {
    pub(super) fn open(arguments: &StudyArguments) -> Result<Self, Failure> {
        Study::with(arguments, Plan::new)
    }

    /// To look at results that are there already, also where a file is gone that they were computed from.
    pub(super) fn of_results(arguments: &StudyArguments) -> Result<Self, Failure> {
        Study::with(arguments, Plan::of_results)
    }

    fn with(arguments: &StudyArguments, plan: MakePlan) -> Result<Self, Failure> {
        let plan = load(&arguments.file, &arguments.set, plan)?;
        let store = Store::open(&arguments.artifacts)?;
        Ok(Study { plan, store, artifacts: arguments.artifacts.clone() })
    }

    pub(super) fn workspace(&self) -> Workspace<'_> {
        Workspace { plan: &self.plan, store: &self.store, artifacts: &self.artifacts, device: stages::device_class() }
    }

    /// Indices of the named stages and of all below them.
    pub(super) fn select(&self, names: &[String]) -> Result<Vec<usize>, Failure> {
        self.plan.select(names).map_err(|error| invalid(&error.to_string()))
    }

    /// `STAGE` or `STAGE.PORT` taken apart. Instance names may hold points, so a whole stage name comes first.
    pub(super) fn reference<'a>(&self, reference: &'a str) -> (&'a str, Option<&'a str>) {
        let known = |name: &str| self.plan.spec.stages.contains_key(name);
        match reference.rsplit_once('.') {
            Some((stage, port)) if !known(reference) && known(stage) => (stage, Some(port)),
            _ => (reference, None),
        }
    }

    /// Index of exactly one stage.
    pub(super) fn stage(&self, name: &str) -> Result<usize, Failure> {
        let selected = self.select(&[name.to_owned()])?;
        let found = selected.into_iter().find(|&i| self.plan.stages[i].name == name);
        found.ok_or_else(|| invalid(&format!("'{name}' is a matrix: name one of its instances")))
    }
}

type MakePlan = fn(spec::PipelineSpec, Registry) -> Result<Plan, spec::Problems>;

fn load(file: &Path, sets: &[String], make: MakePlan) -> Result<Plan, Failure> {
    let style = screen::Style::stderr();
    let paint = |code: &str, text: &str| style.paint(code, text);
    let render = |problems: spec::Problems| Failure::Mistakes(Box::new(problems));
    // What is wrong with some stages must not hide what is wrong with the others.
    let further = |rest| Plan::new(rest, stages::registry()).err().map(|problems| problems.list).unwrap_or_default();
    let spec = spec::load(file, sets).map_err(|problems| render(problems.with_rest(further)))?;
    let warn = |warnings: spec::Problems| {
        if !warnings.list.is_empty() {
            super::eprint(&warnings.render_warnings(&paint));
        }
    };
    // Of a plan that fails only what the files say is known.
    let of_files = spec.warnings();
    let plan = make(spec, stages::registry()).map_err(|problems| {
        warn(of_files);
        render(problems)
    })?;
    warn(plan.spec.warnings());
    Ok(plan)
}

/// The run of that name; one that is not there is a mistake on the command line.
pub(super) fn run_named(history: &History, name: &str) -> Result<Run, Failure> {
    history.find(name).map_err(|error| match error {
        HistoryError::Unknown { .. } | HistoryError::Ambiguous { .. } => invalid(&error.to_string()),
        HistoryError::Empty { .. } | HistoryError::Io { .. } => error.into(),
    })
}

/// A message of several lines.
pub(super) fn invalid_lines(lines: impl IntoIterator<Item = String>) -> Failure {
    Failure::Invalid(format!("{} {}\n", screen::Style::stderr().error("error:"), Lines::new(lines)))
}

pub(super) fn invalid(message: &str) -> Failure {
    Failure::Invalid(format!("{} {}\n", screen::Style::stderr().error("error:"), quoted(message)))
}
