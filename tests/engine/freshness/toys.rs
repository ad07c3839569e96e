//! Toy stages, and a folder in which they run.

use runner::artifact::{Digest, Store};
use runner::engine::{
    self, Accepts, Arity, CheckContext, External, InputPort, Kind, KindInfo, Outcome, OutputPort, Plan, PortType,
    Reads, Registry, RunOptions, Source, Stage, StageContext, Status, Workspace,
};
use runner::spec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::toys::{numbers, table};

/// Reads a text file of numbers, gives columns `value` and `other`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Numbers {
    pub(super) file: String,
    #[serde(default)]
    pub(super) other: i64,
}

impl Stage for Numbers {
    const KIND: &'static str = "numbers";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str = "numbers of a file";
    const INPUTS: &'static [InputPort] = &[];
    const SEEDED: bool = false;

    fn outputs(&self) -> Vec<OutputPort> {
        vec![OutputPort::new("rows", PortType::Table)]
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source { at: "file".to_owned(), path: self.file.clone().into() }]
    }

    fn check(&self, context: &mut CheckContext) {
        context.output("rows", vec!["value".to_owned(), "other".to_owned()]);
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let (_, values) = numbers(context)?;
        let other = vec![self.other; values.len()];
        context.put_table("rows", &table(&[("value", values), ("other", other)]))
    }
}

/// Sums one column of its input, times a factor, plus the seed.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Sum {
    pub(super) column: String,
    #[serde(default = "one")]
    pub(super) factor: i64,
    #[serde(default)]
    pub(super) round_to: Option<i64>,
    #[serde(default)]
    pub(super) fail: bool,
}

pub(super) fn one() -> i64 {
    1
}

impl Stage for Sum {
    const KIND: &'static str = "sum";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str = "a sum";
    const INPUTS: &'static [InputPort] = &[InputPort::table("rows", Arity::Many, "what to sum")];

    fn outputs(&self) -> Vec<OutputPort> {
        vec![OutputPort::new("rows", PortType::Table)]
    }

    fn check(&self, context: &mut CheckContext) {
        context.require("rows", &["column"], std::slice::from_ref(&self.column));
        context.reads("rows", Reads::Columns(vec![self.column.clone()]));
        context.output("rows", vec!["value".to_owned()]);
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        use arrow::array::AsArray;
        anyhow::ensure!(!self.fail, "told to fail");
        let mut total = 0;
        for input in context.inputs("rows") {
            let table = input.table()?;
            assert_eq!(table.column_names(), [self.column.as_str()], "only declared columns are seen");
            let values = table.column(&self.column)?.as_primitive::<arrow::datatypes::Int64Type>().clone();
            total += values.iter().flatten().sum::<i64>();
        }
        let mut value = total * self.factor + context.seed() as i64;
        if let Some(step) = self.round_to {
            value = value / step * step;
        }
        context.put_table("rows", &table(&[("value", vec![value])]))
    }
}

/// Passes on a text that has to be fetched; it is known by its digest.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Fetched {
    pub(super) from: String,
}

pub(super) struct Remote {
    pub(super) from: String,
}

impl Remote {
    /// What a cache folder of the machine would be.
    pub(super) fn here(&self) -> std::path::PathBuf {
        format!("{}.fetched", self.from).into()
    }
}

impl External for Remote {
    fn at(&self) -> &str {
        "from"
    }

    fn digest(&self) -> anyhow::Result<Option<String>> {
        Ok(std::fs::read(self.here()).ok().map(|bytes| Digest::of(&bytes).to_string()))
    }

    fn fetch(&self, _report: &dyn engine::Report) -> anyhow::Result<String> {
        std::fs::copy(&self.from, self.here())?;
        Ok(self.digest()?.unwrap_or_default())
    }
}

impl Stage for Fetched {
    const KIND: &'static str = "fetched";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str = "a text from elsewhere";
    const INPUTS: &'static [InputPort] = &[];
    const SEEDED: bool = false;

    fn outputs(&self) -> Vec<OutputPort> {
        vec![OutputPort::new("text", PortType::Files)]
    }

    fn externals(&self) -> Vec<Box<dyn External>> {
        vec![Box::new(Remote { from: self.from.clone() })]
    }

    fn check(&self, _context: &mut CheckContext) {}

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let text = std::fs::read(Remote { from: self.from.clone() }.here())?;
        context.put_file("text", "text.txt", &text)
    }
}

/// Lists the stages that it is told of.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Report {}

impl Stage for Report {
    const KIND: &'static str = "report";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str = "a page";
    const INPUTS: &'static [InputPort] =
        &[InputPort { name: "stages", accepts: Accepts::WholeStage, arity: Arity::Many, summary: "what to tell of" }];
    const SEEDED: bool = false;

    fn outputs(&self) -> Vec<OutputPort> {
        vec![OutputPort::new("page", PortType::Files)]
    }

    fn check(&self, _context: &mut CheckContext) {}

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let text: String = context
            .whole_stages("stages")
            .iter()
            .map(|stage| serde_json::to_string(&stage.view).unwrap() + "\n")
            .collect();
        context.put_file("page", "page.txt", text.as_bytes())
    }
}

pub(super) static KINDS: &[KindInfo] = &[Numbers::INFO, Sum::INFO, Fetched::INFO, Report::INFO];

pub(super) struct Toy {
    pub(super) folder: tempfile::TempDir,
    pub(super) yaml: String,
    pub(super) device: &'static str,
}

impl Toy {
    pub(super) fn new(yaml: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("a.txt"), "1\n2\n3\n").expect("a file");
        std::fs::write(folder.path().join("b.txt"), "10\n20\n").expect("a file");
        let yaml = yaml.replace("DIR", folder.path().to_str().expect("UTF-8"));
        Toy { folder, yaml, device: "cpu" }
    }

    pub(super) fn edit(&mut self, from: &str, to: &str) -> &mut Self {
        assert!(self.yaml.contains(from), "'{from}' is not in the pipeline");
        self.yaml = self.yaml.replace(from, to);
        self
    }

    pub(super) fn write(&mut self, name: &str, text: &str) -> &mut Self {
        std::fs::write(self.folder.path().join(name), text).expect("a file");
        self
    }

    pub(super) fn plan(&self) -> Plan {
        self.planned().unwrap_or_else(|problems| panic!("{problems}"))
    }

    /// The plan, or what is wrong with the file.
    pub(super) fn planned(&self) -> Result<Plan, String> {
        let spec = spec::parse("toy.yaml", &self.yaml, &[]).map_err(|problems| problems.render(false))?;
        Plan::new(spec, Registry(KINDS)).map_err(|problems| problems.render(false))
    }

    pub(super) fn outcome(&self, threads: usize) -> engine::RunSummary {
        let (plan, store) = (self.plan(), Store::open(self.folder.path()).expect("a store"));
        let workspace = Workspace { plan: &plan, store: &store, artifacts: self.folder.path(), device: self.device };
        let options = RunOptions { threads, keep_going: true, ..RunOptions::default() };
        engine::run(&workspace, &plan.order, &options, &|_| {}, &|| false).expect("a run")
    }

    #[track_caller]
    pub(super) fn ran(&mut self, expected: &[&str]) -> &mut Self {
        let summary = self.outcome(2);
        assert!(summary.succeeded(), "{summary:?}");
        assert_eq!(summary.with(Outcome::Ran), expected);
        self
    }

    #[track_caller]
    pub(super) fn restored(&mut self, expected: &[&str]) -> &mut Self {
        let summary = self.outcome(2);
        assert!(summary.succeeded(), "{summary:?}");
        assert_eq!((summary.with(Outcome::Ran), summary.with(Outcome::Restored)), (vec![], expected.to_vec()));
        self
    }

    pub(super) fn reasons(&self, stage: &str) -> Vec<String> {
        let (plan, store) = (self.plan(), Store::open(self.folder.path()).expect("a store"));
        let workspace = Workspace { plan: &plan, store: &store, artifacts: self.folder.path(), device: self.device };
        let decisions = engine::plan_decisions(&workspace, &plan.order).expect("decisions");
        let found = decisions.into_iter().find(|(i, _)| plan.stages[*i].name == stage).expect("the stage");
        assert!(found.1.status() != Status::Fresh || found.1.reasons().is_empty());
        found.1.reasons().iter().map(ToString::to_string).collect()
    }
}
