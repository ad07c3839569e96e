//! Models that commands are given: `STAGE` of a pipeline, or a file that `runner export` wrote.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Mutex;

use anyhow::anyhow;
use indicatif::ProgressBar;

use super::interrupt::interrupted;
use super::standing::Standing;
use super::study::{Study, invalid};
use super::{Failure, StudyArguments, screen};
use crate::boundary::text::quoted;
use crate::engine::{Report, Status};
use crate::stages::package::Package;

/// The model of a stage as its last run left it. One that is not what the pipeline file asks for now is refused.
pub(super) fn of_stage(arguments: &StudyArguments, reference: &str) -> Result<Package, Failure> {
    let study = Study::of_results(arguments)?;
    let (name, port) = study.reference(reference);
    let stage = study.stage(name)?;
    let file = screen::path(&arguments.file);
    let Some(record) = study.workspace().current_record(stage) else {
        return Err(anyhow!("'{name}' has no result yet (`runner run {file} {name}`)").into());
    };
    let standing = Standing::of(&study, stage, &record, &arguments.file);
    if let Some(line) = standing.line(&arguments.file, name) {
        match standing.status {
            // E.g. as the data that it learnt from is not on this machine.
            None => warn(&line),
            Some(Status::Fresh) => {}
            Some(_) => return Err(invalid(&format!("the model of '{name}' is {line}"))),
        }
    }
    if let Some(port) = port.filter(|port| record.output(port).is_none()) {
        let ports: Vec<&str> = record.outputs.iter().map(|output| output.port.as_str()).collect();
        return Err(invalid(&format!("'{name}' has no such port as '{port}'; it has {}", ports.join(", "))));
    }
    Ok(Package::of_stage(&study.workspace(), stage, &record, port.unwrap_or("model"))?)
}

/// The model in a file.
pub(super) fn of_file(path: &Path) -> Result<Package, Failure> {
    Ok(Package::read(path)?)
}

pub(super) fn warn(message: &str) {
    super::eprint(&format!("{} {}\n", screen::Style::stderr().warning("warning:"), quoted(message)));
}

/// What a model tells while it works: each warning once, however many parts of a file give it.
pub(super) struct WarnOnce<'a> {
    pub bar: &'a ProgressBar,
    seen: Mutex<HashSet<String>>,
}

impl<'a> WarnOnce<'a> {
    pub(super) fn new(bar: &'a ProgressBar) -> Self {
        WarnOnce { bar, seen: Mutex::default() }
    }
}

impl Report for WarnOnce<'_> {
    fn progress(&self, _done: u64, _total: u64, _unit: &str, _note: &str) {}

    fn warn(&self, message: &str) {
        let mut seen = self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        // Parts of a file differ in how many rows a warning is of, and in its examples.
        let about: String =
            message.split(',').next().unwrap_or_default().chars().filter(|c| !c.is_ascii_digit()).collect();
        if seen.insert(about) {
            self.bar.suspend(|| warn(message));
        }
    }

    fn warn_of_machine(&self, message: &str) {
        self.warn(message);
    }

    fn cancelled(&self) -> bool {
        interrupted()
    }
}
