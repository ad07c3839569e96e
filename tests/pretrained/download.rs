//! `downloads:` of a `load` stage: whoever answers, nothing but the declared content is kept, and no wait is without end.

use std::time::{Duration, Instant};

use crate::machine::sha256;
use crate::models::stranger::{Reply, Stranger};
use crate::workspace::{Run, Workspace, songs};

fn study(server: &Stranger, digest: &str) -> Workspace {
    Workspace::new().pipeline(&format!(
        "name: study\nseed: 1\nstages:\n  songs:\n    kind: load\n    label: genre\n    downloads:\n      \
         all: {{url: \"{}/songs.csv\", sha256: {digest}}}\n",
        server.endpoint()
    ))
}

fn fails(work: &Workspace, reason: &str) -> Run {
    let run = work.run();
    let text = format!("{}{}", run.error(), run.stderr);
    assert!(run.code == Some(1) && text.contains(reason), "'{reason}' is not in: {text}");
    assert!(!text.contains("panicked"), "{text}");
    assert!(work.files_under(".cache").is_empty(), "{:?}", work.files_under(".cache"));
    run
}

#[test]
fn what_was_declared_is_fetched_once() {
    let csv = songs(60);
    let digest = sha256(csv.as_bytes());
    let server = Stranger::start(move |asked, reply: &mut Reply| match asked.path.as_str() {
        "/songs.csv" => reply.whole("302 x", "Location: there/songs.csv\r\n", b""),
        _ => reply.whole("200 OK", "", csv.as_bytes()),
    });
    let work = study(&server, &digest);
    work.run().ran(&["songs"]);
    assert_eq!(server.asked().len(), 2);
    std::fs::remove_dir_all(work.path().join("artifacts")).expect("removed");
    work.run().ran(&["songs"]);
    assert_eq!(server.asked().len(), 2, "from the cache");
    assert_eq!(work.files_under(".cache").len(), 1);
}

/// A server that says no length marks the end itself; the digest tells whether all of it came.
#[test]
fn a_chunked_answer_is_taken() {
    let csv = songs(60);
    let digest = sha256(csv.as_bytes());
    let server = Stranger::start(move |_, reply: &mut Reply| {
        reply.head("200 OK", "Transfer-Encoding: chunked\r\n")?;
        reply.send(format!("{:x}\r\n{csv}\r\n0\r\n\r\n", csv.len()).as_bytes())
    });
    study(&server, &digest).run().ran(&["songs"]);
}

#[test]
fn anything_else_is_refused_and_not_kept() {
    let digest = sha256(b"x");
    let other = Stranger::start(|_, reply| reply.whole("200 OK", "", b"a,genre\n1,2\n"));
    fails(&study(&other, &digest), "not the declared");
    let short = Stranger::start(|_, reply| {
        reply.head("200 OK", "Content-Length: 100\r\n")?;
        reply.send(b"a,genre\n")
    });
    fails(&study(&short, &digest), "broke off");
    let huge = Stranger::start(|_, reply| {
        reply.head("200 OK", "Content-Length: 6000000000\r\n")?;
        reply.endlessly(&[b'1'; 65_536], Duration::ZERO)
    });
    fails(&study(&huge, &digest), "6000000000 bytes, more than");
    assert!(huge.sent() < 64_000_000);
    let packed = Stranger::start(|_, reply| reply.whole("200 OK", "Content-Encoding: gzip\r\n", &[0x1f, 0x8b, 8, 0]));
    fails(&study(&packed, &digest), "refused");
    let round = Stranger::start(|_, reply| reply.whole("302 x", "Location: /again\r\n", b""));
    fails(&study(&round, &digest), "more than 5 redirects");
    let file = Stranger::start(|_, reply| reply.whole("302 x", "Location: file:///etc/passwd\r\n", b""));
    fails(&study(&file, &digest), "no http or https address");
    let missing = Stranger::start(|_, reply| reply.not_found());
    fails(&study(&missing, &digest), "404");
}

#[test]
#[cfg(unix)]
fn an_interrupt_ends_the_wait() {
    let digest = sha256(b"x");
    let server = Stranger::start(|_, reply| {
        reply.head("200 OK", "Content-Length: 1000\r\n")?;
        reply.endlessly(b"1", Duration::from_millis(100))
    });
    let work = study(&server, &digest);
    let mut child = work.command(&["run", "pipeline.yaml"]).stderr(std::process::Stdio::null()).spawn().expect("a run");
    let begun = Instant::now();
    while server.sent() < 200 && begun.elapsed() < Duration::from_secs(10) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let told = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill");
    assert!(told.success());
    let begun = Instant::now();
    let status = child.wait().expect("its end");
    assert!(!status.success() && begun.elapsed() < Duration::from_secs(1), "{status}, {:?}", begun.elapsed());
}
