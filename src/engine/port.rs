//! What connects a stage with others and with the world: ports, what it reads at them, sources, externals, and how work reports.

use std::path::PathBuf;

use serde::Serialize;

/// What a port carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PortType {
    /// One Arrow table.
    Table,
    /// Weights and recipe of a fitted predictor.
    Model,
    /// Numbers and findings as JSON, for people and for reports.
    Json,
    /// Figures, pages, predictions: files that no stage reads but a report.
    Files,
}

/// What an input takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepts {
    /// Ports that hold this.
    Only(PortType),
    /// A port of any type; a stage's first one if none is named.
    Any,
    /// A whole stage: every port, with its name, kind, parameters and inputs. For reports.
    WholeStage,
}

impl Accepts {
    /// The one type of port that fits; `None` if any does.
    pub(super) fn only(self) -> Option<PortType> {
        match self {
            Accepts::Only(wanted) => Some(wanted),
            Accepts::Any | Accepts::WholeStage => None,
        }
    }
}

/// How many outputs may be connected to a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arity {
    /// Exactly one.
    One,
    /// One or none.
    Optional,
    /// One or more references.
    Many,
    /// Any number of references, also none.
    Any,
    /// A mapping from names of the user's choice to references or lists of them, e.g. `inputs: {rows: folds, model: numeric.model}`.
    Named,
}

/// A named stage input, written in YAML beside the parameters, e.g. `rows: folds.train`.
#[derive(Clone, Copy, Debug)]
pub struct InputPort {
    /// The key in the pipeline file.
    pub name: &'static str,
    /// What may be connected.
    pub accepts: Accepts,
    /// How many.
    pub arity: Arity,
    /// A phrase for the schema and for messages.
    pub summary: &'static str,
}

impl InputPort {
    /// A port that reads tables.
    pub const fn table(name: &'static str, arity: Arity, summary: &'static str) -> Self {
        InputPort { name, accepts: Accepts::Only(PortType::Table), arity, summary }
    }

    /// A port that reads one model.
    pub const fn model(name: &'static str, summary: &'static str) -> Self {
        InputPort { name, accepts: Accepts::Only(PortType::Model), arity: Arity::One, summary }
    }
}

/// A named stage output. A reference `stage` takes the first port of the type that the input wants.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputPort {
    /// As in `STAGE.NAME`.
    pub name: String,
    pub(crate) holds: PortType,
    /// Whether it is one of several ports of that type of which none comes first, e.g. one model of a `baseline`: a
    /// reference `stage` takes them all.
    pub(crate) alternative: bool,
}

impl OutputPort {
    /// A port that every run of the stage fills.
    pub fn new(name: impl Into<String>, holds: PortType) -> Self {
        OutputPort { name: name.into(), holds, alternative: false }
    }

    /// A port that is filled in place of its siblings.
    pub fn alternative(name: impl Into<String>, holds: PortType) -> Self {
        OutputPort { alternative: true, ..OutputPort::new(name, holds) }
    }
}

/// What a stage reads of a table input, declared in its `check`; only this enters its cache key, and only this does it see.
#[derive(Clone, Debug, PartialEq)]
pub enum Reads {
    /// Every column, and the schema's metadata.
    All,
    /// These columns; one that the table lacks counts as absent.
    Columns(Vec<String>),
    /// These columns, and the schema's metadata.
    ColumnsAndMetadata(Vec<String>),
}

/// A file outside the store whose content the stage reads. `at` is the parameter that names it, e.g. `files.train`.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// The parameter that names it.
    pub at: String,
    /// As written.
    pub path: PathBuf,
}

/// Something outside the store that is known by a digest but may have to be fetched first, e.g. an encoder. `at` as in [`Source`].
pub trait External: Send + Sync {
    /// The parameter that names it.
    fn at(&self) -> &str;
    /// The digest, where it can be known without fetching.
    fn digest(&self) -> anyhow::Result<Option<String>>;
    /// Makes it available, and returns its digest.
    fn fetch(&self, report: &dyn Report) -> anyhow::Result<String>;
    /// Forgets what is remembered of its files by their stamps, so that they are read at the next look.
    fn forget(&self) {}
}

/// Progress, warnings and cancellation.
pub trait Report: Sync {
    /// `done` of `total`, in `unit`, e.g. `epochs`; a `total` of 0 is not known. `note` is a short phrase.
    fn progress(&self, done: u64, total: u64, unit: &str, note: &str);
    /// Of the result: shown at once, kept with it, and told in reports. It has to follow from the stage's inputs alone.
    fn warn(&self, message: &str);
    /// Of this machine at this moment, e.g. a full disk: shown at once, and not kept.
    fn warn_of_machine(&self, message: &str);
    /// True once the stage should stop.
    fn cancelled(&self) -> bool;
}

/// How many threads a stage can use, where its `resources` do not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// It computes on one thread.
    One,
    /// It uses as many as it is given.
    All,
}
