//! What the machinery itself costs: planning and running generated pipelines of toy stages.
//!
//!     cargo bench --bench engine            # 1,000 and 10,000 stages
//!     cargo bench --bench engine -- all     # and 100,000
//!
//! Every measurement is a process of its own, so that its peak memory (VmHWM) is its own too. Where `make` or `dvc` are on PATH, they do the
//! same DAG in the same run.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use runner::artifact::{Store, StoreOptions, Table};
use runner::engine::{
    self, Arity, CheckContext, InputPort, Kind, KindInfo, Outcome, OutputPort, Plan, PortType, Registry, RunOptions,
    Stage, StageContext, Status, Workspace,
};
use runner::spec;
use schemars::JsonSchema;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

use serde::{Deserialize, Serialize};

/// Adds its parameter to the sum of its inputs.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Add {
    plus: i64,
}

impl Stage for Add {
    const KIND: &'static str = "add";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str = "a sum";
    const INPUTS: &'static [InputPort] = &[InputPort::table("rows", Arity::Any, "what to add up")];
    const SEEDED: bool = false;

    fn outputs(&self) -> Vec<OutputPort> {
        vec![OutputPort::new("rows", PortType::Table)]
    }

    fn check(&self, context: &mut CheckContext) {
        context.require("rows", &["rows"], &["value".to_owned()]);
        context.output("rows", vec!["value".to_owned()]);
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        use arrow::array::{ArrayRef, AsArray, Int64Array};
        let mut total = self.plus;
        for input in context.inputs("rows") {
            let table = input.table()?;
            total = total.wrapping_add(
                table.column("value")?.as_primitive::<arrow::datatypes::Int64Type>().iter().flatten().sum::<i64>(),
            );
        }
        let column: ArrayRef = std::sync::Arc::new(Int64Array::from(vec![total]));
        context.put_table("rows", &Table::from_columns([("value", column)])?)
    }
}

static KINDS: &[KindInfo] = &[Add::INFO];

/// Stages in layers of 100, each reading from two of the layer above.
const WIDTH: usize = 100;

fn inputs(i: usize) -> Option<[usize; 2]> {
    let above = (i / WIDTH).checked_sub(1)? * WIDTH;
    Some([above + i % WIDTH, above + (i * 7 + 3) % WIDTH])
}

fn yaml(stages: usize) -> String {
    let mut text = String::from("name: toy\nstages:\n");
    for i in 0..stages {
        let rows = inputs(i).map(|[a, b]| format!(", rows: [s{a}, s{b}]")).unwrap_or_default();
        let _ = writeln!(text, "  s{i}: {{kind: add, plus: {i}{rows}}}");
    }
    text
}

fn plan_of(text: &str) -> Plan {
    let spec = spec::parse("toy.yaml", text, &[]).unwrap_or_else(|found| panic!("{}", found.render(false)));
    Plan::new(spec, Registry(KINDS)).unwrap_or_else(|found| panic!("{}", found.render(false)))
}

fn run(folder: &Path, plan: &Plan, durable: bool) -> engine::RunSummary {
    let store = Store::open_with(folder, StoreOptions { durable, ..StoreOptions::default() }).expect("a store");
    let workspace = Workspace { plan, store: &store, artifacts: folder, device: "cpu" };
    let options = RunOptions { threads: 2, ..RunOptions::default() };
    engine::run(&workspace, &plan.order, &options, &|_| {}, &|| false).expect("a run")
}

/// One line of measurements of this process.
fn child(task: &str, folder: &Path) {
    let text = std::fs::read_to_string(folder.join("toy.yaml")).expect("the pipeline");
    let clock = Instant::now();
    match task {
        "run" | "run durably" | "rerun" => {
            let plan = plan_of(&text);
            let summary = run(folder, &plan, task == "run durably");
            assert!(summary.succeeded());
            let seconds = clock.elapsed().as_secs_f64();
            let ran = summary.with(Outcome::Ran).len();
            assert_eq!(ran, if task != "rerun" { plan.stages.len() } else { 0 });
            println!("{seconds:.4} {} {} ran {ran}", cpu_seconds(), peak_megabytes());
        }
        "plan" => {
            let start = cpu_seconds();
            let spec = spec::parse("toy.yaml", &text, &[]).unwrap_or_else(|found| panic!("{}", found.render(false)));
            let parsed = cpu_seconds();
            let plan = Plan::new(spec, Registry(KINDS)).unwrap_or_else(|found| panic!("{}", found.render(false)));
            let checked = cpu_seconds();
            let store = Store::open(folder).expect("a store");
            let workspace = Workspace { plan: &plan, store: &store, artifacts: folder, device: "cpu" };
            let decisions = engine::plan_decisions(&workspace, &plan.order).expect("decisions");
            assert!(decisions.iter().all(|(_, decision)| decision.status() == Status::Fresh));
            let (seconds, decided) = (clock.elapsed().as_secs_f64(), cpu_seconds());
            println!(
                "{seconds:.4} {decided:.3} {} cpu: parse {:.0} ms, check {:.0} ms, decide {:.0} ms",
                peak_megabytes(),
                1e3 * (parsed - start),
                1e3 * (checked - parsed),
                1e3 * (decided - checked)
            );
        }
        other => panic!("unknown task {other}"),
    }
}

/// The most memory that this process ever had, in MB (Linux; 0 elsewhere).
fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) / 1000
}

/// What the threads of this process had of the processors, in seconds (Linux; 0 elsewhere). On a busy machine it says more than wall time.
fn cpu_seconds() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let times = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok());
    times.filter_map(|text| text.split(' ').next()?.parse::<f64>().ok()).sum::<f64>() / 1e9
}

struct Measured {
    seconds: f64,
    cpu: f64,
    megabytes: u64,
    note: String,
}

/// The best of several processes: other work on the machine only ever adds.
fn measure(task: &str, folder: &Path, times: usize) -> Measured {
    let own = std::env::current_exe().expect("this program");
    let once = || {
        let output = Command::new(&own).args(["child", task]).arg(folder).output().expect("this program");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{task}: {text}{}", String::from_utf8_lossy(&output.stderr));
        let mut words = text.trim().splitn(4, ' ');
        let mut next = || words.next().unwrap_or_default().to_owned();
        let (seconds, cpu, megabytes, note) = (next(), next(), next(), next());
        let cpu = cpu.parse().expect("seconds");
        Measured { seconds: seconds.parse().expect("seconds"), cpu, megabytes: megabytes.parse().expect("MB"), note }
    };
    let all = (0..times).map(|_| once());
    all.min_by(|a, b| a.seconds.total_cmp(&b.seconds)).expect("one or more")
}

fn report(what: &str, stages: usize, measured: &Measured) {
    let each = 1e3 * measured.seconds / stages as f64;
    let Measured { seconds, cpu, megabytes, note } = measured;
    println!(
        "{stages:>7} stages  {what:<24} {seconds:>8.3} s  cpu {cpu:>7.2} s  {each:>7.3} ms each  {megabytes:>5} MB  {note}"
    );
}

/// The best of three runs in new folders, the last of them `folder`; of one, where that takes long.
fn from_nothing(task: &str, stages: usize, folder: &tempfile::TempDir) -> Measured {
    let others = if stages > 1_000 { 0 } else { 2 };
    let others = (0..others).map(|_| measure(task, workplace(stages).path(), 1));
    let all = others.chain([measure(task, folder.path(), 1)]);
    all.min_by(|a, b| a.seconds.total_cmp(&b.seconds)).expect("one or more")
}

fn workplace(stages: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("toy.yaml"), yaml(stages)).expect("the pipeline");
    folder
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, task, folder] = arguments.as_slice()
        && word == "child"
    {
        return child(task, &PathBuf::from(folder));
    }
    let mut sizes = vec![1_000, 10_000];
    if arguments.iter().any(|word| word == "all") {
        sizes.push(100_000);
    }
    for stages in sizes {
        let folder = workplace(stages);
        report("run, nothing known", stages, &from_nothing("run", stages, &folder));
        report("plan, all fresh", stages, &measure("plan", folder.path(), 5));
        report("run, all fresh", stages, &measure("rerun", folder.path(), 3));
        if stages == 1_000 {
            report("run durably", stages, &from_nothing("run durably", stages, &workplace(stages)));
        }
    }
    for (program, stages) in [("make", 1_000), ("dvc", 100)] {
        compare(program, stages);
    }
}

/// The same DAG by another program (which starts a command for each stage, as we would for `kind: command`), first with nothing done and then with nothing to do, and how many times as long it takes as we do.
fn compare(program: &str, stages: usize) {
    if !Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success()) {
        return println!("{program} is not on PATH");
    }
    let (own, theirs) = (workplace(stages), tempfile::tempdir().expect("a folder"));
    let own = [from_nothing("run durably", stages, &own), measure("rerun", own.path(), 3)];
    let folder = theirs.path();
    let start = |program: &str, arguments: &[&str]| {
        let clock = Instant::now();
        let output = Command::new(program).args(arguments).current_dir(folder).output().expect("the program starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{program} {arguments:?}: {said}");
        clock.elapsed().as_secs_f64()
    };
    let arguments: &[&str] = match program {
        "make" => {
            std::fs::write(folder.join("Makefile"), makefile(stages)).expect("a Makefile");
            &["-j2", "-s"]
        }
        _ => {
            std::fs::write(folder.join("dvc.yaml"), dvc_yaml(stages)).expect("dvc.yaml");
            start(program, &["init", "--no-scm", "-q"]);
            &["repro", "-q"]
        }
    };
    let first = start(program, arguments);
    let again = (0..3).map(|_| start(program, arguments)).fold(f64::INFINITY, f64::min);
    for (what, seconds, own) in [("nothing known", first, &own[0]), ("nothing to do", again, &own[1])] {
        let ratio = seconds / own.seconds;
        println!(
            "{stages:>7} stages  {program}, {what:<17} {seconds:>8.3} s, {ratio:.2} times our {:.3} s",
            own.seconds
        );
    }
}

/// What a stage is to a program that runs commands: its inputs put together.
fn command(i: usize) -> (Vec<String>, String) {
    let names: Vec<String> = inputs(i).iter().flatten().map(|above| format!("s{above}")).collect();
    let command =
        if names.is_empty() { format!("echo {i} > s{i}") } else { format!("head -qn1 {} > s{i}", names.join(" ")) };
    (names, command)
}

fn makefile(stages: usize) -> String {
    let all: Vec<String> = (0..stages).map(|i| format!("s{i}")).collect();
    let mut text = format!("all: {}\n", all.join(" "));
    for i in 0..stages {
        let (names, command) = command(i);
        let _ = writeln!(text, "s{i}: {}\n\t{command}", names.join(" "));
    }
    text
}

fn dvc_yaml(stages: usize) -> String {
    let mut text = String::from("stages:\n");
    for i in 0..stages {
        let (mut names, command) = command(i);
        // It counts a dependency once.
        names.dedup();
        let deps = if names.is_empty() { String::new() } else { format!(", deps: [{}]", names.join(", ")) };
        let _ = writeln!(text, "  s{i}: {{cmd: '{command}'{deps}, outs: [s{i}]}}");
    }
    text
}
