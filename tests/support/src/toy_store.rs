//! Toy stages, their pipelines, and how a run of them went.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use runner_artifact::{Collect, Collected, Digest, Store, StoreError, StoreOptions, Table};
use runner_engine as engine;
use runner_engine::{
    ActionRecord, Arity, CheckContext, Event, InputPort, Kind, KindInfo, Outcome, OutputPort, Plan, PortType, Reads,
    Registry, RunOptions, RunSummary, Source, Stage, StageContext, Workspace,
};
use runner_spec as spec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::toys::{numbers, table};

/// Numbers of a text file, as a table and as a file of the given name.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lines {
    pub file: String,
    pub called: String,
}

impl Stage for Lines {
    const KIND: &'static str = "lines";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str = "numbers of a file";
    const INPUTS: &'static [InputPort] = &[];
    const SEEDED: bool = false;

    fn outputs(&self) -> Vec<OutputPort> {
        vec![OutputPort::new("rows", PortType::Table), OutputPort::new("copy", PortType::Files)]
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source { at: "file".to_owned(), path: self.file.clone().into() }]
    }

    fn check(&self, context: &mut CheckContext) {
        context.output("rows", vec!["value".to_owned()]);
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let (bytes, values) = numbers(context)?;
        context.put_table("rows", &table(&[("value", values)]))?;
        context.put_file("copy", &self.called, &bytes)
    }
}

/// The sum of a column, times a factor; counted in a memo first.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Total {
    pub factor: i64,
}

impl Stage for Total {
    const KIND: &'static str = "total";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str = "a sum";
    const INPUTS: &'static [InputPort] = &[InputPort::table("rows", Arity::Many, "what to sum")];
    const SEEDED: bool = false;

    fn outputs(&self) -> Vec<OutputPort> {
        vec![OutputPort::new("rows", PortType::Table)]
    }

    fn check(&self, context: &mut CheckContext) {
        context.reads("rows", Reads::Columns(vec!["value".to_owned()]));
        context.output("rows", vec!["value".to_owned()]);
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let memo = context.memo(&serde_json::json!({"inputs": context.inputs_key()}));
        let total = match memo.get() {
            Some(bytes) => String::from_utf8(bytes)?.parse()?,
            None => {
                let total = sum(context)?;
                memo.put(total.to_string().as_bytes())?;
                total
            }
        };
        context.put_table("rows", &table(&[("value", vec![total * self.factor])]))
    }
}

/// As `total`, but without a memo: it reads its table each time. Readers begin at the same moment, as far as threads can.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Eager {
    pub factor: i64,
}

impl Stage for Eager {
    const KIND: &'static str = "eager";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str = "a sum";
    const INPUTS: &'static [InputPort] = &[InputPort::table("rows", Arity::One, "what to sum")];
    const SEEDED: bool = false;

    fn outputs(&self) -> Vec<OutputPort> {
        vec![OutputPort::new("rows", PortType::Table)]
    }

    fn check(&self, context: &mut CheckContext) {
        context.reads("rows", Reads::Columns(vec!["value".to_owned()]));
        context.output("rows", vec!["value".to_owned()]);
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let total = sum(context)?;
        context.put_table("rows", &table(&[("value", vec![total * self.factor])]))
    }
}

/// Of the values of all tables at `rows`.
fn sum(context: &StageContext) -> anyhow::Result<i64> {
    let tables = context.inputs("rows");
    let of = |table: Table| -> anyhow::Result<i64> {
        Ok(table.column("value")?.as_primitive::<Int64Type>().iter().flatten().sum())
    };
    tables.iter().map(|input| of(input.table()?)).sum()
}

pub static KINDS: &[KindInfo] = &[Lines::INFO, Total::INFO, Eager::INFO];

/// One of the configurations of the toy pipeline. B has another source, other file names and other factors; C only other factors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Study {
    A,
    B,
    C,
}

pub fn pipeline(folder: &Path, study: Study) -> Plan {
    let (source, called, factor) = match study {
        Study::A => ("a.txt", "old.txt", 2),
        Study::B => ("b.txt", "new.txt", 3),
        Study::C => ("a.txt", "old.txt", 7),
    };
    let source = folder.join(source).display().to_string();
    let yaml = format!(
        "name: toy\nstages:\n  a: {{kind: lines, file: {source}, called: {called}}}\n  t: {{kind: total, rows: a, factor: {factor}}}\n  u: {{kind: total, rows: t, factor: 5}}\n"
    );
    plan(&yaml)
}

pub fn plan(yaml: &str) -> Plan {
    let spec = spec::parse("toy.yaml", yaml, &[]).unwrap_or_else(|problems| panic!("{}", problems.render(false)));
    Plan::new(spec, Registry(KINDS)).unwrap_or_else(|problems| panic!("{}", problems.render(false)))
}

/// A folder with the sources, in which runs leave `toy` and `.store`.
pub fn fresh() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.txt"), "1\n2\n3\n").expect("a file");
    std::fs::write(folder.path().join("b.txt"), "10\n20\n").expect("a file");
    folder
}

/// What happened in a run: an error of the run itself, or its summary; and all events.
pub struct Ran {
    pub result: anyhow::Result<RunSummary>,
    pub warnings: Vec<String>,
    pub errors: Vec<String>,
}

impl Ran {
    pub fn succeeded(&self) -> bool {
        self.result.as_ref().is_ok_and(RunSummary::succeeded)
    }

    #[track_caller]
    pub fn ran(&self, stages: &[&str]) -> &Self {
        assert!(self.succeeded(), "{:?} {:?}", self.result, self.errors);
        assert_eq!(self.result.as_ref().expect("a summary").with(Outcome::Ran), stages);
        self
    }

    /// All that a person is told.
    pub fn messages(&self) -> Vec<String> {
        let whole = self.result.as_ref().err().map(|error| format!("{error:#}"));
        self.errors.iter().cloned().chain(whole).collect()
    }
}

pub fn run_with(folder: &Path, study: Study, options: StoreOptions) -> Ran {
    run_plan(folder, &pipeline(folder, study), options, 1, &|_| {})
}

/// Runs all of a plan on so many threads; `watch` sees each event first.
pub fn run_plan(
    folder: &Path,
    plan: &Plan,
    options: StoreOptions,
    threads: usize,
    watch: &(dyn Fn(&Event) + Sync),
) -> Ran {
    let (warnings, errors) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let sink = |event: Event| {
        watch(&event);
        match event {
            Event::Warned { stage, message } => warnings.lock().expect("no poison").push(format!("{stage}: {message}")),
            Event::Finished { error: Some(error), .. } => errors.lock().expect("no poison").push(error),
            _ => {}
        }
    };
    let go = || -> anyhow::Result<RunSummary> {
        let store = Store::open_with(folder, options)?;
        let workspace = Workspace { plan, store: &store, artifacts: folder, device: "cpu" };
        let options = RunOptions { threads, ..RunOptions::default() };
        engine::run(&workspace, &plan.order, &options, &sink, &|| false)
    };
    let result = go();
    let take = |list: Mutex<Vec<String>>| list.into_inner().expect("no poison");
    Ran { result, warnings: take(warnings), errors: take(errors) }
}

/// Not durable: these tests are about processes and devices that fail, which the kernel's cache survives.
pub fn quick() -> StoreOptions {
    StoreOptions { durable: false, hook: None }
}

pub fn run(folder: &Path, study: Study) -> Ran {
    run_with(folder, study, quick())
}

/// Everything that no root needs, however young.
pub fn all() -> Collect {
    Collect { grace: Duration::ZERO, used_since: SystemTime::now(), dry_run: false }
}

pub fn collect(folder: &Path, options: StoreOptions) -> Result<Collected, StoreError> {
    Store::open_with(folder, options)?.collect(&HashSet::new(), &blobs_of, all())
}

pub fn blobs_of(record: &[u8]) -> Vec<Digest> {
    let record: Option<ActionRecord> = serde_json::from_slice(record).ok();
    record.iter().flat_map(ActionRecord::files).map(|file| file.digest).collect()
}

/// The digests of the files for people, by path in the folder.
pub fn deliverables(folder: &Path) -> BTreeMap<PathBuf, Digest> {
    let name = |path: &Path| path.strip_prefix(folder).expect("in the folder").to_owned();
    let digest = |path: &Path| Digest::of_file(path).expect("a file");
    files(&folder.join("toy")).iter().map(|path| (name(path), digest(path))).collect()
}

pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path().is_dir() {
            true => found.extend(files(&entry.path())),
            false => found.push(entry.path()),
        }
    }
    found.sort();
    found
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).expect("a copy")),
        }
    }
}
