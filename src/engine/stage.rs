//! `Stage`: a kind of work, which is its own typed parameters.

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::check::CheckContext;
use super::context::StageContext;
use super::keys;
use super::port::{External, InputPort, OutputPort, Source, Threads};
use runner_spec::{Misread, Node};

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

/// A type-erased [`Stage`]: what the engine works with.
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
#[derive(Clone, Copy)]
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
