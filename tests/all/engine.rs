//! The engine with toy stages: one test for each row of the table at the head of `src/engine/mod.rs`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use runner::artifact::{Digest, Store, Table};
use runner::engine::{
    self, Accepts, Arity, CheckContext, External, Ground, InputPort, Kind, KindInfo, Outcome, OutputPort, Plan,
    PortType, Reads, Registry, RunOptions, Source, Stage, StageContext, Status,
};
use runner::spec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reads a text file of numbers, gives columns `value` and `other`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Numbers {
    file: String,
    #[serde(default)]
    other: i64,
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
        let (_, bytes) = context.source("file")?;
        let values: Vec<i64> = String::from_utf8(bytes)?.lines().map(str::parse).collect::<Result<_, _>>()?;
        let other = vec![self.other; values.len()];
        context.put_table("rows", &table(&[("value", values), ("other", other)]))
    }
}

/// Sums one column of its input, times a factor, plus the seed.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Sum {
    column: String,
    #[serde(default = "one")]
    factor: i64,
    #[serde(default)]
    round_to: Option<i64>,
    #[serde(default)]
    fail: bool,
}

fn one() -> i64 {
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

fn table(columns: &[(&str, Vec<i64>)]) -> Table {
    use std::sync::Arc;
    let array =
        |values: &Vec<i64>| -> arrow::array::ArrayRef { Arc::new(arrow::array::Int64Array::from(values.clone())) };
    Table::from_columns(columns.iter().map(|(name, values)| (*name, array(values)))).expect("a table")
}

/// Passes on a text that has to be fetched; it is known by its digest.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Fetched {
    from: String,
}

struct Remote {
    from: String,
}

impl Remote {
    /// What a cache folder of the machine would be.
    fn here(&self) -> std::path::PathBuf {
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
struct Report {}

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
        let text: String = context.whole_stages("stages").iter().map(|stage| format!("{}\n", stage.view)).collect();
        context.put_file("page", "page.txt", text.as_bytes())
    }
}

static KINDS: &[KindInfo] = &[Numbers::INFO, Sum::INFO, Fetched::INFO, Report::INFO];

struct Toy {
    folder: tempfile::TempDir,
    yaml: String,
    device: &'static str,
}

impl Toy {
    fn new(yaml: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("a.txt"), "1\n2\n3\n").expect("a file");
        std::fs::write(folder.path().join("b.txt"), "10\n20\n").expect("a file");
        let yaml = yaml.replace("DIR", folder.path().to_str().expect("UTF-8"));
        Toy { folder, yaml, device: "cpu" }
    }

    fn edit(&mut self, from: &str, to: &str) -> &mut Self {
        assert!(self.yaml.contains(from), "'{from}' is not in the pipeline");
        self.yaml = self.yaml.replace(from, to);
        self
    }

    fn write(&mut self, name: &str, text: &str) -> &mut Self {
        std::fs::write(self.folder.path().join(name), text).expect("a file");
        self
    }

    fn plan(&self) -> Plan {
        let spec =
            spec::parse("toy.yaml", &self.yaml, &[]).unwrap_or_else(|problems| panic!("{}", problems.render(false)));
        Plan::new(spec, Registry(KINDS)).unwrap_or_else(|problems| panic!("{}", problems.render(false)))
    }

    fn outcome(&self, threads: usize) -> engine::RunSummary {
        let (plan, store) = (self.plan(), Store::open(self.folder.path()).expect("a store"));
        let ground = Ground { plan: &plan, store: &store, artifacts: self.folder.path(), device: self.device };
        let options = RunOptions { threads, keep_going: true, ..RunOptions::default() };
        engine::run(&ground, &plan.order, &options, &|_| {}, &|| false).expect("a run")
    }

    #[track_caller]
    fn ran(&mut self, expected: &[&str]) -> &mut Self {
        let summary = self.outcome(2);
        assert!(summary.succeeded(), "{summary:?}");
        assert_eq!(summary.with(Outcome::Ran), expected);
        self
    }

    #[track_caller]
    fn restored(&mut self, expected: &[&str]) -> &mut Self {
        let summary = self.outcome(2);
        assert!(summary.succeeded(), "{summary:?}");
        assert_eq!((summary.with(Outcome::Ran), summary.with(Outcome::Restored)), (vec![], expected.to_vec()));
        self
    }

    fn reasons(&self, stage: &str) -> Vec<String> {
        let (plan, store) = (self.plan(), Store::open(self.folder.path()).expect("a store"));
        let ground = Ground { plan: &plan, store: &store, artifacts: self.folder.path(), device: self.device };
        let decisions = engine::survey(&ground, &plan.order).expect("decisions");
        let found = decisions.into_iter().find(|(i, _)| plan.stages[*i].name == stage).expect("the stage");
        assert!(found.1.status != Status::Fresh || found.1.reasons.is_empty());
        found.1.reasons.iter().map(ToString::to_string).collect()
    }
}

const CHAIN: &str = "name: toy\nseed: 5\nstages:\n  a: {kind: numbers, file: DIR/a.txt}\n  s: {kind: sum, rows: a, column: value}\n  t: {kind: sum, rows: s, column: value, factor: 2}\n";

#[test]
fn nothing_changed_runs_nothing() {
    Toy::new(CHAIN).ran(&["a", "s", "t"]).ran(&[]).ran(&[]);
}

#[test]
fn a_parameter_reruns_its_stage_and_what_follows() {
    Toy::new(CHAIN).ran(&["a", "s", "t"]).edit("factor: 2", "factor: 3").ran(&["t"]);
    Toy::new(CHAIN)
        .ran(&["a", "s", "t"])
        .edit("rows: a, column: value", "rows: a, column: value, factor: 7")
        .ran(&["s", "t"]);
}

#[test]
fn comments_order_and_spelling_of_defaults_rerun_nothing() {
    let mut toy = Toy::new(CHAIN);
    toy.ran(&["a", "s", "t"]).edit("stages:", "# a comment\nstages:").ran(&[]);
    toy.edit("{kind: sum, rows: a, column: value}", "{column: \"value\", factor: 1, rows: a, kind: sum}").ran(&[]);
}

#[test]
fn going_back_restores_without_computing() {
    let mut toy = Toy::new(CHAIN);
    toy.ran(&["a", "s", "t"]).edit("factor: 2", "factor: 3").ran(&["t"]);
    toy.edit("factor: 3", "factor: 2").restored(&["t"]).ran(&[]);
}

#[test]
fn identical_output_upstream_cuts_off_early() {
    let mut toy = Toy::new(&CHAIN.replace("column: value}", "column: value, round_to: 100}"));
    toy.ran(&["a", "s", "t"]).write("a.txt", "1\n2\n4\n").ran(&["a", "s"]);
}

#[test]
fn an_unread_column_leaves_readers_fresh() {
    Toy::new(CHAIN).ran(&["a", "s", "t"]).edit("{kind: numbers,", "{kind: numbers, other: 9,").ran(&["a"]);
}

#[test]
fn content_counts_and_time_stamps_do_not() {
    let mut toy = Toy::new(CHAIN);
    toy.ran(&["a", "s", "t"]).write("a.txt", "1\n2\n3\n").ran(&[]);
    toy.write("a.txt", "1\n2\n30\n").ran(&["a", "s", "t"]);
    std::fs::copy(toy.folder.path().join("a.txt"), toy.folder.path().join("c.txt")).expect("a copy");
    toy.edit("a.txt", "c.txt").ran(&[]);
}

#[test]
fn the_seed_reruns_the_kinds_that_draw() {
    Toy::new(CHAIN).ran(&["a", "s", "t"]).edit("seed: 5", "seed: 6").ran(&["s", "t"]);
}

#[test]
fn the_device_reruns_everything_and_going_back_restores() {
    let mut toy = Toy::new(CHAIN);
    toy.ran(&["a", "s", "t"]).device = "cuda";
    toy.ran(&["a", "s", "t"]).device = "cpu";
    toy.restored(&["a", "s", "t"]);
}

#[test]
fn what_is_fetched_counts_by_content_and_not_by_place() {
    let mut toy = Toy::new("name: toy\nstages:\n  f: {kind: fetched, from: DIR/a.txt}\n");
    let place = toy.folder.path().join("a.txt").display().to_string();
    assert_eq!(toy.reasons("f"), [format!("{place} has to be fetched")]);
    toy.ran(&["f"]).ran(&[]);
    // Another place with the same content, fetched anew, is the same input.
    std::fs::copy(toy.folder.path().join("a.txt"), toy.folder.path().join("c.txt")).expect("a copy");
    toy.edit("a.txt", "c.txt");
    let summary = toy.outcome(1);
    assert_eq!(summary.with(Outcome::Ran), [""; 0], "{summary:?}");
    toy.edit("c.txt", "b.txt").ran(&["f"]).ran(&[]);
}

#[test]
fn a_report_counts_what_it_is_told_of_stages_and_other_stages_do_not() {
    let yaml = format!("{CHAIN}  r: {{kind: report, stages: [s, t]}}\n");
    let mut toy = Toy::new(&yaml);
    toy.ran(&["a", "s", "t", "r"]).ran(&[]);
    // The same sum by another parameter: nothing changes but what the report tells.
    toy.edit("rows: s, column: value, factor: 2", "rows: s, column: value, round_to: 1, factor: 2").ran(&["t", "r"]);
    // Names and links too; the stages themselves are restored.
    toy.edit("  t:", "  total:").edit("[s, t]", "[s, total]").ran(&["r"]);
    toy.edit("{kind: numbers,", "{kind: numbers, other: 9,").ran(&["a"]);
}

#[test]
fn threads_hosts_and_times_do_not_count() {
    let toy = Toy::new(CHAIN);
    assert_eq!(toy.outcome(1).with(Outcome::Ran).len(), 3);
    assert_eq!(toy.outcome(7).with(Outcome::Fresh).len(), 3);
    // The same bytes on another day, under another thread count, in another folder.
    let other = Toy::new(CHAIN);
    other.outcome(7);
    for file in ["toy/a/rows.arrow", "toy/s/rows.arrow", "toy/t/rows.arrow"] {
        let read = |toy: &Toy| std::fs::read(toy.folder.path().join(file)).expect("a file");
        assert_eq!(read(&toy), read(&other), "{file}");
    }
    let keys = |toy: &Toy| {
        let (plan, store) = (toy.plan(), Store::open(toy.folder.path()).expect("a store"));
        plan.stages.iter().map(|stage| store.current("toy", &stage.name)).collect::<Vec<_>>()
    };
    assert_eq!(keys(&toy), keys(&other));
}

#[test]
fn two_stages_that_do_the_same_are_computed_once_and_planned_so() {
    let mut toy = Toy::new(&format!("{CHAIN}  twin: {{kind: sum, rows: a, column: value}}\n"));
    toy.outcome(2);
    toy.edit("rows: a, column: value}", "rows: a, column: value, factor: 9}");
    assert_eq!(toy.reasons("twin"), ["'s' does the same"]);
    let summary = toy.outcome(2);
    assert_eq!((summary.with(Outcome::Ran).len(), summary.with(Outcome::Restored).len()), (2, 1), "{summary:?}");
}

#[test]
fn names_of_stages_and_pipeline_do_not_count() {
    let mut toy = Toy::new(CHAIN);
    toy.ran(&["a", "s", "t"]).edit("  t:", "  total:").restored(&["total"]);
    toy.edit("name: toy", "name: other").restored(&["a", "s", "total"]);
}

#[test]
fn lost_and_damaged_files_come_back() {
    let mut toy = Toy::new(CHAIN);
    toy.ran(&["a", "s", "t"]);
    std::fs::remove_dir_all(toy.folder.path().join("toy")).expect("the folder for people");
    toy.restored(&["a", "s", "t"]).ran(&[]);
    let people = toy.folder.path().join("toy/t/rows.arrow");
    std::fs::remove_file(&people).expect("removed");
    std::fs::write(&people, "edited").expect("written");
    toy.restored(&["t"]).ran(&[]);
    std::fs::remove_dir_all(toy.folder.path().join(".store/blobs")).expect("the blobs");
    toy.ran(&["a", "s", "t"]).ran(&[]);
}

#[test]
fn a_bit_flipped_in_the_store_is_found() {
    let mut toy = Toy::new(CHAIN);
    toy.ran(&["a", "s", "t"]);
    let blobs = walk(&toy.folder.path().join(".store/blobs"));
    for blob in &blobs {
        let mut bytes = std::fs::read(blob).expect("a blob");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        let _ = std::fs::remove_file(blob);
        std::fs::write(blob, bytes).expect("written");
    }
    assert_eq!(blobs.len(), 3);
    toy.ran(&["a", "s", "t"]).ran(&[]);
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        if entry.path().is_dir() {
            files.extend(walk(&entry.path()));
        } else {
            files.push(entry.path());
        }
    }
    files
}

#[test]
fn a_failure_blocks_what_depends_on_it_and_nothing_else() {
    let yaml = "name: toy\nstages:\n  a: {kind: numbers, file: DIR/a.txt}\n  bad: {kind: sum, rows: a, column: value, fail: true}\n  below: {kind: sum, rows: bad, column: value}\n  good: {kind: sum, rows: a, column: other}\n";
    let summary = Toy::new(yaml).outcome(1);
    assert_eq!(summary.with(Outcome::Failed), ["bad"]);
    assert_eq!(summary.with(Outcome::Blocked), ["below"]);
    assert_eq!(summary.with(Outcome::Ran), ["a", "good"]);
}

#[test]
fn reasons_name_old_and_new_value_and_place() {
    let mut toy = Toy::new(CHAIN);
    assert_eq!(toy.reasons("a"), ["never ran"]);
    assert_eq!(toy.reasons("s"), ["never ran", "'a' runs before it"]);
    toy.ran(&["a", "s", "t"]).edit("factor: 2", "factor: 3");
    assert_eq!(toy.reasons("t"), ["factor 2 → 3 (toy.yaml:6:50)"]);
    assert!(toy.reasons("s").is_empty());
    toy.write("a.txt", "7\n");
    assert_eq!(toy.reasons("s"), ["'a' runs before it: runs if its output changes"]);
    assert_eq!(toy.reasons("t"), ["factor 2 → 3 (toy.yaml:6:50)", "'s' runs before it"]);
}

#[test]
fn a_bare_matrix_name_means_all_instances() {
    let yaml = "name: toy\nstages:\n  a: {kind: numbers, file: DIR/a.txt}\n  m: {kind: sum, matrix: {factor: [1, 2]}, rows: a, column: value, factor: \"${factor}\"}\n  all: {kind: sum, rows: m, column: value}\n";
    Toy::new(yaml)
        .ran(&["a", "m@factor=1", "m@factor=2", "all"])
        .edit("[1, 2]", "[1, 2, 3]")
        .ran(&["m@factor=3", "all"]);
}

#[test]
fn runners_side_by_side_compute_once() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let toy = Toy::new(CHAIN);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let summary = toy.outcome(1);
                RUNS.fetch_add(summary.with(Outcome::Ran).len(), Ordering::Relaxed);
                if !summary.succeeded() {
                    failures.lock().expect("no poison").push(format!("{summary:?}"));
                }
            });
        }
    });
    assert!(failures.lock().expect("no poison").is_empty(), "{failures:?}");
    assert_eq!(RUNS.load(Ordering::Relaxed), 3, "each of the three stages once");
}

#[test]
fn planning_changes_nothing_on_disk() {
    let toy = Toy::new(CHAIN);
    toy.reasons("t");
    assert!(!toy.folder.path().join(".store").exists());
}
