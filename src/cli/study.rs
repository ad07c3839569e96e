//! Opens a pipeline and its store: what most commands start with.

use std::path::Path;

use super::{Failure, StudyArguments, screen};
use crate::artifact::Store;
use crate::engine::{Ground, Plan};
use crate::spec;
use crate::stages;

/// A valid plan and the store it works on.
pub(super) struct Study {
    pub plan: Plan,
    pub store: Store,
    artifacts: std::path::PathBuf,
}

impl Study {
    pub fn open(arguments: &StudyArguments) -> Result<Self, Failure> {
        let plan = load(&arguments.file, &arguments.set)?;
        let store = Store::open(&arguments.artifacts)?;
        Ok(Study { plan, store, artifacts: arguments.artifacts.clone() })
    }

    pub fn ground(&self) -> Ground<'_> {
        Ground { plan: &self.plan, store: &self.store, artifacts: &self.artifacts, device: stages::device_class() }
    }

    /// Indices of the named stages and of all below them.
    pub fn select(&self, names: &[String]) -> Result<Vec<usize>, Failure> {
        self.plan.select(names).map_err(|error| invalid(&error.to_string()))
    }

    /// Index of exactly one stage.
    pub fn stage(&self, name: &str) -> Result<usize, Failure> {
        let selected = self.select(&[name.to_owned()])?;
        let found = selected.into_iter().find(|&i| self.plan.stages[i].name == name);
        found.ok_or_else(|| invalid(&format!("'{name}' is a matrix: name one of its instances")))
    }
}

fn load(file: &Path, sets: &[String]) -> Result<Plan, Failure> {
    let style = screen::Style::stderr();
    let render =
        |problems: spec::Problems| Failure::Invalid(problems.render_with(&|code, text| style.paint(code, text)));
    let spec = spec::load(file, sets).map_err(render)?;
    Plan::new(spec, stages::registry()).map_err(render)
}

pub(super) fn invalid(message: &str) -> Failure {
    Failure::Invalid(format!("{} {message}\n", screen::Style::stderr().error("error:")))
}
