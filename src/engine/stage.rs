//! `Stage`: a kind of work, which is its own typed parameters; its ports, sources and externals.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::check::CheckContext;
use super::context::StageContext;
use super::keys;
use runner_spec::{Misread, Node};

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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arity {
    One,
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
    pub name: &'static str,
    pub accepts: Accepts,
    pub arity: Arity,
    pub summary: &'static str,
}

impl InputPort {
    pub const fn table(name: &'static str, arity: Arity, summary: &'static str) -> Self {
        InputPort { name, accepts: Accepts::Only(PortType::Table), arity, summary }
    }

    pub const fn model(name: &'static str, summary: &'static str) -> Self {
        InputPort { name, accepts: Accepts::Only(PortType::Model), arity: Arity::One, summary }
    }
}

/// A named stage output. A reference `stage` takes the first port of the type that the input wants.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputPort {
    pub name: String,
    pub holds: PortType,
    /// Whether it is one of several equals of that type, none of which comes first, e.g. one model of a `baseline`: a
    /// reference `stage` takes them all.
    pub among_equals: bool,
}

impl OutputPort {
    pub fn new(name: impl Into<String>, holds: PortType) -> Self {
        OutputPort { name: name.into(), holds, among_equals: false }
    }

    pub fn among_equals(name: impl Into<String>, holds: PortType) -> Self {
        OutputPort { among_equals: true, ..OutputPort::new(name, holds) }
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
    pub at: String,
    pub path: PathBuf,
}

/// Something outside the store that is known by a digest but may have to be fetched first, e.g. an encoder. `at` as in [`Source`].
pub trait External: Send + Sync {
    fn at(&self) -> &str;
    /// The digest, where it can be known without fetching.
    fn digest(&self) -> anyhow::Result<Option<String>>;
    /// Makes it available, and returns its digest.
    fn fetch(&self, report: &dyn Report) -> anyhow::Result<String>;
    /// Forgets what is remembered of its files by their stamps, so that they are read at the next look.
    fn forget(&self) {}
}

/// How work tells of itself and learns that it must stop.
pub trait Report: Sync {
    /// `done` of `total`, in `unit`, e.g. `epochs`; a `total` of 0 is not known. `note` is a short phrase.
    fn progress(&self, done: u64, total: u64, unit: &str, note: &str);
    fn warn(&self, message: &str);
    fn cancelled(&self) -> bool;
}

/// How many threads a stage can use, where its `resources` do not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    One,
    All,
}

/// A kind of work. The implementing type *is* the stage's parameters; unknown keys must be denied.
pub trait Stage: DeserializeOwned + Serialize + JsonSchema + Send + Sync + 'static {
    const KIND: &'static str;
    /// Bump when the same inputs give another result: code is an input too.
    const VERSION: u32;
    const SUMMARY: &'static str;
    const INPUTS: &'static [InputPort];
    /// Whether the pipeline's seed can change the result.
    const SEEDED: bool = true;

    /// Whether the stage hands on how its inputs can be made again; see [`StageContext::lineage`].
    const LINEAGE: bool = false;
    /// Whether its sources are parts of the study, to be carried along with it, e.g. scripts; data is not.
    const SOURCES_TRAVEL: bool = true;

    /// Whole numbers among its parameters with which its time grows in proportion, e.g. `epochs`: for forecasts.
    const TIME_GROWS_WITH: &'static [&'static str] = &[];

    fn outputs(&self) -> Vec<OutputPort>;

    fn sources(&self) -> Vec<Source> {
        Vec::new()
    }

    fn externals(&self) -> Vec<Box<dyn External>> {
        Vec::new()
    }

    fn threads(&self) -> Threads {
        Threads::One
    }

    /// Looks for mistakes before anything runs, and tells what the stage reads and which columns its outputs will have.
    fn check(&self, context: &mut CheckContext);

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()>;
}

/// [`Stage`] with its type forgotten: what the engine works with.
pub trait AnyStage: Send + Sync {
    fn kind(&self) -> &'static KindInfo;
    /// The parameters, defaulted and in canonical form.
    fn params(&self) -> serde_json::Value;
    fn outputs(&self) -> Vec<OutputPort>;
    fn sources(&self) -> Vec<Source>;
    fn externals(&self) -> Vec<Box<dyn External>>;
    fn threads(&self) -> Threads;
    fn check(&self, context: &mut CheckContext);
    fn run(&self, context: &mut StageContext) -> anyhow::Result<()>;
}

/// Makes a stage from its mapping, or tells all that is wrong with it.
pub type Bind = fn(&Node) -> Result<Box<dyn AnyStage>, Misread<Box<dyn AnyStage>>>;

/// What is known of a kind without any parameters.
pub struct KindInfo {
    pub name: &'static str,
    pub version: u32,
    pub summary: &'static str,
    pub inputs: &'static [InputPort],
    pub seeded: bool,
    pub lineage: bool,
    pub sources_travel: bool,
    pub time_grows_with: &'static [&'static str],
    /// Makes a stage of this kind from its YAML mapping (without `kind` and inputs).
    pub bind: Bind,
    pub schema: fn(&mut schemars::SchemaGenerator) -> schemars::Schema,
}

/// The entry of a kind in the list of kinds.
pub trait Kind {
    const INFO: KindInfo;
}

impl<S: Stage> Kind for S {
    const INFO: KindInfo = KindInfo {
        name: S::KIND,
        version: S::VERSION,
        summary: S::SUMMARY,
        inputs: S::INPUTS,
        seeded: S::SEEDED,
        lineage: S::LINEAGE,
        sources_travel: S::SOURCES_TRAVEL,
        time_grows_with: S::TIME_GROWS_WITH,
        bind: |node| match runner_spec::typed_among::<S>(node, S::KIND, &keys::paths::<S>) {
            Ok(stage) => Ok(Box::new(stage)),
            Err(Misread { problems, guesses, replaced, lacking }) => {
                let guesses = guesses.into_iter().map(|guess| Box::new(guess) as Box<dyn AnyStage>).collect();
                Err(Misread { problems, guesses, replaced, lacking })
            }
        },
        schema: |generator| generator.subschema_for::<S>(),
    };
}

impl<S: Stage> AnyStage for S {
    fn kind(&self) -> &'static KindInfo {
        &S::INFO
    }

    fn params(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    fn outputs(&self) -> Vec<OutputPort> {
        Stage::outputs(self)
    }

    fn sources(&self) -> Vec<Source> {
        Stage::sources(self)
    }

    fn externals(&self) -> Vec<Box<dyn External>> {
        Stage::externals(self)
    }

    fn threads(&self) -> Threads {
        Stage::threads(self)
    }

    fn check(&self, context: &mut CheckContext) {
        Stage::check(self, context);
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        Stage::run(self, context)
    }
}

/// The kinds that a pipeline may name, in the order in which they are presented.
#[derive(Clone, Copy)]
pub struct Registry(pub &'static [KindInfo]);

impl Registry {
    pub fn get(&self, name: &str) -> Option<&'static KindInfo> {
        self.0.iter().find(|kind| kind.name == name)
    }

    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|kind| kind.name)
    }
}
