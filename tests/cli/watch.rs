//! `runner run --watch`: a save is noticed at once, and only what it changed runs.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::workspace::Workspace;

const STUDY: &str = r#"
name: watched
include: parts/below.yaml
vars: {word: one}
stages:
  text:
    kind: command
    run: [sh, -c, 'cat text.txt - > "$1/text.txt"; echo "$0" >> "$1/text.txt"', "${word}", "{out}"]
    files: [text.txt]
    outputs: {text: text.txt}
"#;

const BELOW: &str = r#"
stages:
  below:
    kind: command
    run: [cp, "{text}", "{out}/copy.txt"]
    inputs: {text: text}
    outputs: {copy: copy.txt}
"#;

fn study() -> Workspace {
    Workspace::new().file("text.txt", "said: ").file("parts/below.yaml", BELOW).pipeline(STUDY)
}

/// A runner that watches; ended when dropped.
struct Watcher {
    runner: Child,
    lines: Receiver<(Instant, Value)>,
}

impl Watcher {
    fn start(work: &Workspace) -> Self {
        let mut command = work.command(&["run", "pipeline.yaml", "--watch", "--json"]);
        command.stdout(Stdio::piped()).stderr(std::fs::File::create(work.path().join("stderr")).expect("a file"));
        let mut runner = command.spawn().expect("the program starts");
        let (sender, lines) = channel();
        let output = BufReader::new(runner.stdout.take().expect("a pipe"));
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let value = serde_json::from_str(&line).expect("one JSON object per line");
                if sender.send((Instant::now(), value)).is_err() {
                    break;
                }
            }
        });
        Watcher { runner, lines }
    }

    /// Waits for the end of the next round; returns it, and all events before it with their times.
    fn round(&self) -> (Value, Vec<(Instant, Value)>) {
        let mut events = Vec::new();
        loop {
            let (at, value) = self.lines.recv_timeout(Duration::from_secs(20)).expect("an event");
            if value["event"] == "run" {
                return (value, events);
            }
            events.push((at, value));
        }
    }

    /// The next round ran exactly these stages, after these files changed.
    #[track_caller]
    fn ran(&self, changed: &[&str], expected: &[&str]) {
        let (run, events) = self.round();
        assert_eq!(run["outcome"], "done", "{events:?}");
        let names = |value: &Value| -> Vec<String> {
            value.as_array().into_iter().flatten().filter_map(|name| Some(name.as_str()?.to_owned())).collect()
        };
        assert_eq!(names(&run["ran"]), expected, "{events:?}");
        let change = events.iter().find(|(_, value)| value["event"] == "change");
        assert_eq!(change.map(|(_, value)| names(&value["files"])).unwrap_or_default(), changed);
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.runner.id() as i32), signal).expect("a signal");
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.runner.kill();
        let _ = self.runner.wait();
    }
}

#[test]
fn every_kind_of_save_is_noticed_and_runs_only_what_it_changed() {
    let work = study();
    let mut watcher = Watcher::start(&work);
    watcher.ran(&[], &["text", "below"]);
    // A comment runs nothing.
    work.edit("pipeline.yaml", "name: watched", "name: watched # a comment");
    watcher.ran(&["pipeline.yaml"], &[]);
    work.edit("pipeline.yaml", "word: one", "word: two");
    watcher.ran(&["pipeline.yaml"], &["text", "below"]);
    // A source that a stage names.
    work.write("text.txt", b"told: ");
    watcher.ran(&["text.txt"], &["text", "below"]);
    // An included file, saved by rename as editors do.
    work.write("parts/.below.swp", BELOW.replace("copy.txt", "copied.txt").as_bytes());
    std::fs::rename(work.path().join("parts/.below.swp"), work.path().join("parts/below.yaml")).expect("renamed");
    watcher.ran(&["parts/below.yaml"], &["below"]);
    // A file that an edit names is watched from then on.
    work.write("other.txt", b"other");
    work.edit("pipeline.yaml", "files: [text.txt]", "files: [text.txt, other.txt]");
    watcher.ran(&["pipeline.yaml"], &["text"]);
    work.write("other.txt", b"another");
    watcher.ran(&["other.txt"], &["text"]);
    // A mistake is shown, and waited for.
    work.edit("pipeline.yaml", "kind: command", "kind: comand");
    assert_eq!(watcher.round().0["outcome"], "invalid");
    work.edit("pipeline.yaml", "kind: comand", "kind: command");
    watcher.ran(&["pipeline.yaml"], &[]);
    assert!(work.text("stderr").contains("did you mean 'command'?"));
    // Idle, Ctrl-C is a plain end.
    watcher.signal(Signal::SIGINT);
    assert_eq!(watcher.runner.wait().expect("an end").code(), Some(0));
}

#[test]
fn a_save_is_answered_within_200_ms() {
    let work = study();
    let watcher = Watcher::start(&work);
    watcher.round();
    let mut best = Duration::MAX;
    for i in 0..6 {
        work.write("text.txt", format!("take {i}: ").as_bytes());
        let saved = Instant::now();
        let (_, events) = watcher.round();
        let stage = events.iter().find(|(_, value)| value["event"] == "stage" && value["outcome"] == "ran");
        let (at, _) = stage.unwrap_or_else(|| panic!("no stage ran: {events:?}"));
        best = best.min(at.duration_since(saved));
    }
    eprintln!("from a save to the end of the first stage that it changed: {best:?}");
    // The best of a few, since other tests share the machine.
    assert!(best < Duration::from_millis(200), "took {best:?}");
}

#[test]
fn ctrl_c_during_a_round_interrupts_it() {
    let work = Workspace::new().pipeline(
        "name: slow\nstages: {slow: {kind: command, run: [sh, -c, 'touch started; sleep 60', '{out}'], outputs: {x: x.txt}}}\n",
    );
    let mut watcher = Watcher::start(&work);
    let started = Instant::now();
    while !work.exists("started") {
        assert!(started.elapsed() < Duration::from_secs(20), "the program did not start");
        std::thread::sleep(Duration::from_millis(10));
    }
    watcher.signal(Signal::SIGINT);
    assert_eq!(watcher.runner.wait().expect("an end").code(), Some(130));
}

#[test]
fn a_pipeline_that_is_not_there_is_not_waited_for() {
    let work = Workspace::new();
    let output = work.runner(&["run", "pipelin.yaml", "--watch"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_new_file_of_a_pattern_is_noticed() {
    let table = "name: watched\nstages:\n  rows: {kind: load, files: {all: 'data/*.csv'}}\n";
    let work = Workspace::new().file("data/a.csv", "x\n1\n").pipeline(table);
    let watcher = Watcher::start(&work);
    watcher.ran(&[], &["rows"]);
    work.write("data/b.csv", b"x\n2\n");
    watcher.ran(&["data"], &["rows"]);
    std::fs::remove_file(work.path().join("data/a.csv")).expect("removed");
    watcher.ran(&["data", "data/a.csv"], &["rows"]);
}
