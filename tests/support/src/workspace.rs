//! A folder with data and pipelines in which the program is run as a user would.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// For want of a tool that `.ci/run` installs: says so, and fails where `CI` is `true`.
pub fn skip(why: &str) {
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{why}: nothing may be skipped here");
    println!("skipped: {why}");
}

/// The program under test. Cargo names it when a test runs; a test that is started by hand finds it beside its own folder.
pub fn program() -> PathBuf {
    std::env::var_os("CARGO_BIN_EXE_runner").map_or_else(
        || {
            let test = std::env::current_exe().expect("a path");
            let folder = test.parent().and_then(Path::parent).expect("target/release");
            folder.join(format!("runner{}", std::env::consts::EXE_SUFFIX))
        },
        PathBuf::from,
    )
}

pub struct Workspace {
    folder: tempfile::TempDir,
    pipeline: String,
}

/// How one `runner run --json` ended.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub lines: Vec<Value>,
    pub stderr: String,
}

impl Default for Workspace {
    fn default() -> Self {
        Workspace::new()
    }
}

impl Workspace {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Workspace { folder, pipeline: "pipeline.yaml".to_owned() }
    }

    /// With `songs.csv`: a small study with two genres, duplicates, missing values.
    pub fn with_songs() -> Self {
        Workspace::new().file("songs.csv", &songs(240))
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn file(self, name: &str, content: &str) -> Self {
        self.write(name, content.as_bytes());
        self
    }

    pub fn write(&self, name: &str, content: &[u8]) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("folder");
        std::fs::write(path, content).expect("file");
    }

    pub fn pipeline(self, yaml: &str) -> Self {
        self.file("pipeline.yaml", yaml)
    }

    pub fn edit(&self, name: &str, from: &str, to: &str) {
        let text = String::from_utf8(self.read(name)).expect("text");
        assert!(text.contains(from), "'{from}' is not in {name}");
        self.write(name, text.replace(from, to).as_bytes());
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        let path = self.path().join(name);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).expect("UTF-8")
    }

    pub fn exists(&self, name: &str) -> bool {
        self.path().join(name).exists()
    }

    /// The program, in this folder, without the caller's own settings.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.current_dir(self.path()).args(arguments).env("NO_COLOR", "1");
        command.env_remove("COLUMNS").env_remove("CLICOLOR_FORCE");
        command.env("XDG_CACHE_HOME", self.path().join(".cache"));
        command
    }

    pub fn runner(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the program starts")
    }

    pub fn run(&self) -> Run {
        self.run_with(&[])
    }

    pub fn run_with(&self, more: &[&str]) -> Run {
        let mut arguments = vec!["run", self.pipeline.as_str(), "--json"];
        arguments.extend(more);
        let output = self.runner(&arguments);
        let lines = String::from_utf8(output.stdout).expect("UTF-8");
        let lines = lines.lines().map(|line| serde_json::from_str(line).expect("one JSON object per line"));
        Run {
            code: output.status.code(),
            lines: lines.collect(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The status of every stage according to `plan --json`.
    pub fn plan(&self) -> Vec<(String, String)> {
        let arguments = vec!["plan", self.pipeline.as_str(), "--json"];
        let output = self.runner(&arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = String::from_utf8(output.stdout).expect("UTF-8");
        let word = |value: &Value, key: &str| value[key].as_str().expect("text").to_owned();
        lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
            .map(|line| (word(&line, "stage"), word(&line, "status")))
            .collect()
    }

    /// Every file under a folder, by its path in it.
    pub fn files_under(&self, folder: &str) -> BTreeSet<PathBuf> {
        let mut files = BTreeSet::new();
        let root = self.path().join(folder);
        let mut folders = vec![root.clone()];
        while let Some(next) = folders.pop() {
            for entry in std::fs::read_dir(next).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.insert(path.strip_prefix(&root).expect("under the root").to_owned());
                }
            }
        }
        files
    }
}

impl Run {
    pub fn list(&self, key: &str) -> Vec<String> {
        let last = self.lines.last().unwrap_or_else(|| panic!("no output; stderr: {}", self.stderr));
        assert_eq!(last["event"], "run");
        last[key].as_array().into_iter().flatten().map(|name| name.as_str().expect("a name").to_owned()).collect()
    }

    #[track_caller]
    fn same(&self, key: &str, expected: &[&str]) {
        let (mut found, mut expected): (Vec<String>, Vec<&str>) = (self.list(key), expected.to_vec());
        found.sort();
        expected.sort_unstable();
        assert_eq!(found, expected, "{key}; stderr: {}", self.stderr);
    }

    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "stderr: {}\nlines: {:#?}", self.stderr, self.lines);
        self
    }

    /// Exactly these stages were executed.
    #[track_caller]
    pub fn ran(self, expected: &[&str]) -> Self {
        let this = self.succeeded();
        this.same("ran", expected);
        this
    }

    #[track_caller]
    pub fn restored(self, expected: &[&str]) -> Self {
        self.same("restored", expected);
        self
    }

    /// The error of the stage that failed.
    pub fn error(&self) -> String {
        let errors = self.lines.iter().filter_map(|line| line["error"].as_str());
        errors.collect::<Vec<_>>().join("\n")
    }
}

/// The lines of a command's JSON.
#[track_caller]
pub fn lines(work: &Workspace, arguments: &[&str]) -> Vec<Value> {
    let output = work.runner(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// A CSV of synthetic songs in two genres that tempo and title tell apart, mostly.
pub fn songs(rows: usize) -> String {
    let mut text = String::from("id,title,artist,tempo,energy,genre\n");
    let mut state = 12345u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1u32 << 31)
    };
    for i in 0..rows {
        let rock = i % 2 == 0;
        let tempo = if rock { 120.0 } else { 95.0 } + 30.0 * (draw() - 0.5);
        let word = if rock { ["stone", "road", "fire"] } else { ["street", "cash", "crown"] }[(draw() * 3.0) as usize];
        let energy = if i % 17 == 3 { String::new() } else { format!("{:.3}", draw()) };
        let genre = if rock { "rock" } else { "rap" };
        text.push_str(&format!("s{i},\"{word}, song {i}\",band {},{tempo:.2},{energy},{genre}\n", i / 3));
    }
    text
}
