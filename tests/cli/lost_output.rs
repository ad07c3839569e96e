//! Output that cannot be written: full disks, closed streams, pipes that nobody reads. The work is done all the same; what is lost is an error,
//! unless nobody wants it.

use std::fs::OpenOptions;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::studies::STUDY;
use crate::workspace::Workspace;

const SMALL: &str =
    "name: p\nstages:\n  rows: {kind: load, files: {all: t.csv}, label: y}\n  folds: {kind: split, rows: rows}\n";

fn small() -> Workspace {
    let rows: String = (0..40).map(|i| format!("{i},{}\n", ["p", "q"][i % 2])).collect();
    Workspace::new().file("t.csv", &format!("a,y\n{rows}")).pipeline(SMALL)
}

/// Every command that prints, with the exit code that it has where it can.
const COMMANDS: &[&[&str]] = &[
    &["--help"],
    &["--version"],
    &["run", "--help"],
    &["schema"],
    &["completions", "bash"],
    &["plan", "pipeline.yaml"],
    &["plan", "pipeline.yaml", "--json"],
    &["run", "pipeline.yaml"],
    &["run", "pipeline.yaml", "--json"],
    &["show", "pipeline.yaml", "rows"],
    &["show", "pipeline.yaml", "rows.all", "--json"],
    &["explain", "pipeline.yaml", "rows"],
    &["graph", "pipeline.yaml"],
    &["graph", "pipeline.yaml", "--format", "svg"],
    &["report", "pipeline.yaml"],
    &["runs"],
    &["runs", "--json"],
    &["runs", "show", "last"],
    &["runs", "pin", "last"],
    &["compare", "last", "last"],
    &["compare", "last", "last", "--json"],
    &["gc", "--dry-run"],
    &["verify", "pipeline.yaml"],
    &["verify", "pipeline.yaml", "--json"],
    &["models"],
    &["init", "new"],
];

fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").expect("/dev/full").into()
}

/// A pipe whose reader has gone.
fn unread() -> Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

/// By a shell, which closes the stream.
fn closed(work: &Workspace, arguments: &[&str], stream: &str) -> Output {
    let program = work.command(arguments);
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!("exec \"$@\" {stream}>&-"))
        .arg("sh")
        .arg(program.get_program())
        .args(program.get_args());
    shell.current_dir(work.path());
    for (name, value) in program.get_envs().filter_map(|(name, value)| Some((name, value?))) {
        shell.env(name, value);
    }
    shell.output().expect("the shell starts")
}

fn has_full() -> bool {
    std::path::Path::new("/dev/full").exists()
}

#[test]
fn a_full_or_closed_standard_output_is_an_error_of_every_command() {
    let work = small();
    work.run().succeeded();
    for arguments in COMMANDS {
        let mut outputs = vec![("closed", closed(&work, arguments, "1"))];
        if has_full() {
            let output = work.command(arguments).stdout(full()).stderr(Stdio::piped()).spawn();
            outputs.push(("full", output.expect("the program starts").wait_with_output().expect("an end")));
        }
        for (how, output) in outputs {
            let error = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{how} {arguments:?}: {error}");
            assert!(
                error.contains("cannot write to standard output") && !error.contains("panicked"),
                "{how} {arguments:?}: {error}"
            );
            let _ = std::fs::remove_dir_all(work.path().join("new"));
        }
    }
}

#[test]
fn output_that_nobody_reads_is_no_error_and_cuts_nothing_short() {
    let work = small();
    for arguments in [&["run", "pipeline.yaml"][..], &["run", "pipeline.yaml", "--json"]].iter().chain(COMMANDS) {
        let _ = std::fs::remove_dir_all(work.path().join("new"));
        let child =
            work.command(arguments).stdout(unread()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let output = child.wait_with_output().expect("an end");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(work.exists("artifacts/p/folds") || arguments[0].starts_with('-'), "{arguments:?}");
    }
    // A failure stays one.
    let child = work.command(&["plan", "nothing.yaml"]).stdout(unread()).stderr(unread()).spawn();
    assert_eq!(child.expect("the program starts").wait().expect("an end").code(), Some(2));
}

#[test]
fn a_run_without_standard_error_goes_on_to_its_end() {
    for (how, code) in [("closed", 1), ("full", 1), ("unread", 0)] {
        if how == "full" && !has_full() {
            continue;
        }
        let work = Workspace::with_songs().pipeline(STUDY);
        let output = match how {
            "closed" => closed(&work, &["run", "pipeline.yaml"], "2"),
            _ => {
                let stderr = if how == "full" { full() } else { unread() };
                let child = work.command(&["run", "pipeline.yaml"]).stdout(Stdio::piped()).stderr(stderr).spawn();
                child.expect("the program starts").wait_with_output().expect("an end")
            }
        };
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(code), "{how}: {said}");
        assert!(said.contains("done: 6 ran"), "{how}: {said}");
        assert_eq!(said.contains("cannot write to standard error"), code == 1, "{how}: {said}");
        work.run().ran(&[]);
    }
}

#[test]
fn errors_and_help_without_standard_error_do_not_panic() {
    let work = small();
    for arguments in [&["plan", "nothing.yaml"][..], &["frobnicate"], &[], &["run", "pipeline.yaml", "--set", "a.b=1"]]
    {
        let output = closed(&work, arguments, "2");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        if has_full() {
            let status = work.command(arguments).stderr(full()).status().expect("the program starts");
            assert_eq!(status.code(), Some(2), "{arguments:?}");
        }
    }
}

const WAITING: &str = "name: w\nstages:\n  it: {kind: command, run: [sh, -c, 'echo begun; sleep 30; : > \"$1\"', x, \"{out}/x\"], outputs: {x: x}}\n";

/// A run whose command sleeps; returned when it does.
fn waiting(work: &Workspace, through: &str) -> std::process::Child {
    let program = work.command(&["run", "pipeline.yaml"]);
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("{through} exec \"$@\"")).arg("sh").arg(program.get_program()).args(program.get_args());
    let log = std::fs::File::create(work.path().join("log")).expect("a file");
    shell.current_dir(work.path()).stdin(Stdio::null()).stdout(log.try_clone().expect("a file")).stderr(log);
    let child = shell.spawn().expect("the shell starts");
    let started = Instant::now();
    while work.files_under("artifacts/.store").iter().all(|path| !path.to_string_lossy().contains("out")) {
        // The scratch folder of the command is there once it runs; it may hold nothing yet.
        if started.elapsed() > Duration::from_millis(700) {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.is_some_and(|mask| u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask & 1 != 0))
}

#[test]
fn one_signal_ends_a_wait_within_a_second_and_nohup_outlives_the_terminal() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        // Children inherit what is ignored, and no shell can undo that.
        if signal == Signal::SIGHUP && hangup_is_ignored() {
            eprintln!("skipped: these tests run under nohup, which has SIGHUP ignored");
            continue;
        }
        let work = Workspace::new().pipeline(WAITING);
        let mut child = waiting(&work, "");
        let sent = Instant::now();
        kill(Pid::from_raw(child.id() as i32), signal).expect("sent");
        let status = child.wait().expect("an end");
        assert_eq!(status.code(), Some(130), "{signal}: {status:?} {:?}", status.signal());
        assert!(sent.elapsed() < Duration::from_millis(1500), "{signal}: {:?}", sent.elapsed());
    }
    let work = Workspace::new().pipeline(&WAITING.replace("sleep 30", "sleep 1.5"));
    let mut child = waiting(&work, "trap '' HUP;");
    kill(Pid::from_raw(child.id() as i32), Signal::SIGHUP).expect("sent");
    assert_eq!(child.wait().expect("an end").code(), Some(0), "{}", work.text("log"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_reader_that_stops_reading_does_not_hold_an_interrupted_run() {
    // More lines than the pipe holds.
    let stages: String =
        (0..80).map(|i| format!("  s{i}: {{kind: load, files: {{all: t.csv}}, label: y}}\n")).collect();
    let work = small().pipeline(&format!("name: many\nstages:\n{stages}"));
    let (reader, writer) = std::io::pipe().expect("a pipe");
    nix::fcntl::fcntl(&writer, nix::fcntl::FcntlArg::F_SETPIPE_SZ(4096)).expect("a small pipe");
    let mut command = work.command(&["run", "pipeline.yaml", "--json", "-j", "1"]);
    let mut child = command.stdout(writer).stderr(Stdio::null()).spawn().expect("the program starts");
    std::thread::sleep(Duration::from_secs(3));
    assert!(child.try_wait().expect("a child").is_none(), "the reader was not waited for");
    let sent = Instant::now();
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).expect("sent");
    assert_eq!(child.wait().expect("an end").code(), Some(130));
    assert!(sent.elapsed() < Duration::from_secs(2), "{:?}", sent.elapsed());
    drop(reader);
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_that_reads_a_huge_file_is_left_within_a_second_and_says_how_far_it_came() {
    for json in [true, false] {
        let yaml = "name: p\nstages:\n  many: {kind: load, files: {all: huge.csv}, label: y}\n";
        let work = Workspace::new().file("huge.csv", "a,y\n1,p\n2,q\n").pipeline(yaml);
        // It takes no room on the disk, but many seconds to be read.
        let huge = OpenOptions::new().write(true).open(work.path().join("huge.csv")).expect("the file");
        huge.set_len(1 << 36).expect("a sparse file");
        let mut arguments = vec!["run", "pipeline.yaml"];
        arguments.extend(json.then_some("--json"));
        let mut command = work.command(&arguments);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        std::thread::sleep(Duration::from_millis(700));
        let sent = Instant::now();
        kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).expect("sent");
        let output = child.wait_with_output().expect("an end");
        assert!(sent.elapsed() < Duration::from_secs(2), "{:?}", sent.elapsed());
        assert_eq!(output.status.code(), Some(130), "{output:?}");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        if json {
            let last: serde_json::Value = serde_json::from_str(text.lines().last().expect("a line")).expect("JSON");
            assert_eq!((&last["outcome"], &last["not_reached"]), (&"interrupted".into(), &["many"].as_slice().into()));
        } else {
            assert!(text.ends_with("interrupted; what had ended is kept: 1 not reached\n"), "{text}");
        }
        let runs = work.runner(&["runs", "--json"]);
        let runs = String::from_utf8(runs.stdout).expect("UTF-8");
        assert!(runs.contains("interrupted"), "the run is in the history: {runs}");
    }
}
