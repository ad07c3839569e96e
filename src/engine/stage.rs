//! `Stage`: a kind of work, which is its own typed parameters.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::check::CheckContext;
use super::context::StageContext;
use super::keys;
use super::port::{External, InputPort, OutputPort, Source, Threads};
use runner_spec::{Misread, Node, Problem};

/// A kind of work. The implementing type *is* the stage's parameters; unknown keys must be denied.
///
/// ```
/// use runner_artifact::Store;
/// use runner_engine::*;
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// /// Doubles a number.
/// #[derive(Serialize, Deserialize, JsonSchema)]
/// #[serde(deny_unknown_fields)]
/// struct Twice {
///     /// The number.
///     of: u32,
/// }
///
/// impl Stage for Twice {
///     const KIND: &'static str = "twice";
///     const VERSION: u32 = 1;
///     const SUMMARY: &'static str = "doubles a number";
///     const INPUTS: &'static [InputPort] = &[];
///
///     fn outputs(&self) -> Vec<OutputPort> {
///         vec![OutputPort::new("number", PortType::Json)]
///     }
///
///     fn check(&self, _: &mut CheckContext) {}
///
///     fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
///         context.put_json("number", "number.json", &(2 * self.of))
///     }
/// }
///
/// let registry = Registry(const { &[Twice::INFO] });
/// let spec = runner_spec::parse("study.yaml", "stages: {four: {kind: twice, of: 2}}", &[])?;
/// let plan = Plan::new(spec, registry)?;
/// let folder = tempfile::tempdir()?;
/// let store = Store::open(folder.path())?;
/// let workspace = Workspace { plan: &plan, store: &store, artifacts: folder.path(), device: "cpu" };
/// let all = plan.select(&[])?;
/// let first = run(&workspace, &all, &RunOptions::default(), &|_| {}, &|| false)?;
/// assert_eq!(first.with(Outcome::Ran), ["four"]);
/// assert_eq!(std::fs::read_to_string(folder.path().join("study/four/number.json"))?.trim(), "4");
/// let second = run(&workspace, &all, &RunOptions::default(), &|_| {}, &|| false)?;
/// assert_eq!(second.with(Outcome::Fresh), ["four"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Stage: DeserializeOwned + Serialize + JsonSchema + Send + Sync + 'static {
    /// The name after `kind:` in a pipeline file.
    const KIND: &'static str;
    /// Bump when the same inputs give another result: code is an input too.
    const VERSION: u32;
    /// A phrase for the schema and for messages.
    const SUMMARY: &'static str;
    /// The ports that may be connected.
    const INPUTS: &'static [InputPort];
    /// Whether the pipeline's seed can change the result.
    const SEEDED: bool = true;

    /// What the pipeline says once for all stages and can change the result; see [`StageContext::aim`].
    const AIMS: &'static [Aim] = &[];

    /// Whether the stage hands on how its inputs can be made again; see [`StageContext::lineage`].
    const LINEAGE: bool = false;
    /// Whether its sources are parts of the study, to be carried along with it, e.g. scripts; data is not.
    const SOURCES_TRAVEL: bool = true;

    /// Whole numbers among its parameters with which its time grows in proportion, e.g. `epochs`: for forecasts.
    const TIME_GROWS_WITH: &'static [&'static str] = &[];

    /// May depend on the parameters.
    fn outputs(&self) -> Vec<OutputPort>;

    /// Files whose content is part of the key.
    fn sources(&self) -> Vec<Source> {
        Vec::new()
    }

    /// Folders in which further sources may appear, e.g. those of a pattern.
    fn source_folders(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// What else is part of the key, e.g. an encoder's files.
    fn externals(&self) -> Vec<Box<dyn External>> {
        Vec::new()
    }

    /// What the scheduler should give it.
    fn threads(&self) -> Threads {
        Threads::One
    }

    /// Looks for mistakes before anything runs, and tells what the stage reads and which columns its outputs will have.
    fn check(&self, context: &mut CheckContext);

    /// Computes the result. What is not put into an output is lost.
    fn run(&self, context: &mut StageContext) -> anyhow::Result<()>;
}

/// A key at the top of a pipeline file that says what models are chosen by, and how its word is read.
#[derive(Clone, Copy, Debug)]
pub struct Aim {
    /// One of [`runner_spec::AIMS`].
    pub key: &'static str,
    /// The word in its canonical form, or what is wrong with it.
    pub read: fn(&Node) -> Result<String, Vec<Problem>>,
}

/// A type-erased [`Stage`]: what the engine works with.
pub trait AnyStage: Send + Sync {
    fn kind(&self) -> &'static KindInfo;
    /// The parameters, defaulted and in canonical form.
    fn params(&self) -> serde_json::Value;
    fn outputs(&self) -> Vec<OutputPort>;
    fn sources(&self) -> Vec<Source>;
    fn source_folders(&self) -> Vec<PathBuf>;
    fn externals(&self) -> Vec<Box<dyn External>>;
    fn threads(&self) -> Threads;
    fn check(&self, context: &mut CheckContext);
    fn run(&self, context: &mut StageContext) -> anyhow::Result<()>;
}

/// Makes a stage from its mapping, or tells all that is wrong with it.
pub(crate) type Bind = fn(&Node) -> Result<Box<dyn AnyStage>, Misread<Box<dyn AnyStage>>>;

/// What is known of a kind without any parameters.
#[derive(Clone, Copy)]
pub struct KindInfo {
    /// See [`Stage::KIND`].
    pub name: &'static str,
    pub(crate) version: u32,
    /// See [`Stage::SUMMARY`].
    pub summary: &'static str,
    /// See [`Stage::INPUTS`].
    pub inputs: &'static [InputPort],
    /// See [`Stage::SEEDED`].
    pub seeded: bool,
    pub(crate) aims: &'static [Aim],
    pub(crate) lineage: bool,
    pub(crate) sources_travel: bool,
    pub(crate) time_grows_with: &'static [&'static str],
    /// Makes a stage of this kind from its YAML mapping (without `kind` and inputs).
    pub(crate) bind: Bind,
    /// The JSON Schema of its parameters.
    pub schema: fn(&mut schemars::SchemaGenerator) -> schemars::Schema,
}

/// The entry of a kind in the list of kinds.
pub trait Kind {
    /// What is known of the kind.
    const INFO: KindInfo;
}

impl<S: Stage> Kind for S {
    const INFO: KindInfo = KindInfo {
        name: S::KIND,
        version: S::VERSION,
        summary: S::SUMMARY,
        inputs: S::INPUTS,
        seeded: S::SEEDED,
        aims: S::AIMS,
        lineage: S::LINEAGE,
        sources_travel: S::SOURCES_TRAVEL,
        time_grows_with: S::TIME_GROWS_WITH,
        bind: |node| {
            let inputs: Vec<&str> = S::INPUTS.iter().map(|port| port.name).collect();
            match runner_spec::typed_among::<S>(node, S::KIND, &inputs, &keys::parameter_paths::<S>) {
                Ok(stage) => Ok(Box::new(stage)),
                Err(Misread { problems, guesses, replaced, lacking }) => {
                    let guesses = guesses.into_iter().map(|guess| Box::new(guess) as Box<dyn AnyStage>).collect();
                    Err(Misread { problems, guesses, replaced, lacking })
                }
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

    fn source_folders(&self) -> Vec<PathBuf> {
        Stage::source_folders(self)
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
    /// The kind of that name.
    pub fn get(&self, name: &str) -> Option<&'static KindInfo> {
        self.0.iter().find(|kind| kind.name == name)
    }

    /// In the order in which kinds are presented.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|kind| kind.name)
    }
}
