//! Pipes, devices, sockets and folders where a file is meant: refused as what they are, by name, and at once.

use std::os::unix::net::UnixListener;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::screen::stable;
use crate::workspace::Workspace;

const ROWS: &str = "name: p\nvars: {data: t.csv}\nstages:\n  rows: {kind: load, files: {all: \"${data}\"}, label: y}\n";

fn study() -> Workspace {
    Workspace::new().file("t.csv", "a,y\n1,p\n2,q\n").pipeline(ROWS)
}

/// What the program says when it refuses; it must not wait.
#[track_caller]
fn refused(work: &Workspace, arguments: &[&str], stdin: Stdio) -> String {
    let mut command = work.command(arguments);
    let mut child =
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let started = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        if started.elapsed() > Duration::from_secs(20) {
            let _ = child.kill();
            panic!("{arguments:?} waits");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let output = child.wait_with_output().expect("its output");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(matches!(output.status.code(), Some(1 | 2)), "{arguments:?}: {:?} {said}", output.status);
    said
}

#[test]
fn each_place_that_names_a_file_refuses_what_is_none() {
    let work = study();
    nix::unistd::mkfifo(&work.path().join("odd.pipe"), nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    let _socket = UnixListener::bind(work.path().join("odd.socket")).expect("a socket");
    std::fs::create_dir(work.path().join("odd.folder")).expect("a folder");
    for (odd, word) in [
        ("odd.pipe", "is a pipe"),
        ("odd.socket", "is a socket"),
        ("odd.folder", "is a folder"),
        ("/dev/zero", "is a device"),
    ] {
        for (place, text) in [
            ("include", format!("name: b\ninclude: {odd}\nstages:\n  rows: {{kind: load, files: {{all: t.csv}}}}\n")),
            ("files", format!("name: c\nstages:\n  copy: {{kind: command, run: [cp, t.csv, \"{{out}}/x\"], files: [{odd}], outputs: {{x: x}}}}\n")),
            ("text", format!("name: d\nstages:\n  rows: {{kind: load, files: {{all: t.csv}}, label: y}}\n  article: {{kind: article, title: T, author: A, text: {{introduction: {odd}}}, stages: [rows]}}\n")),
            ("bundle", format!("name: e\nstages:\n  rows: {{kind: load, files: {{all: t.csv}}, label: y}}\n  zip: {{kind: bundle, name: z, files: {{x: {odd}}}, stages: [rows]}}\n")),
            ("output", format!("name: f\nstages:\n  it: {{kind: command, run: [sh, -c, 'ln -s \"$1\" \"$2\"', x, $PWD/{odd}, \"{{out}}/x\"], outputs: {{x: x}}}}\n").replace("$PWD//", "/").replace("$PWD", &work.path().display().to_string())),
        ] {
            // A folder is declared with all that is in it.
            if (place, odd) == ("files", "odd.folder") {
                continue;
            }
            work.write("odd.yaml", text.as_bytes());
            let said = refused(&work, &["run", "odd.yaml"], Stdio::null());
            let named = if place == "output" { "'x'" } else { odd };
            assert!(said.contains(word) && said.contains(named), "{place} {odd}: {said}");
        }
        for arguments in [&["run", "pipeline.yaml", "--set", &format!("data={odd}")][..], &["plan", odd], &["run", odd]]
        {
            let said = refused(&work, arguments, Stdio::null());
            assert!(said.contains(word) && said.contains(odd), "{arguments:?}: {said}");
        }
    }
}

#[test]
fn lock_files_targets_of_init_and_pages_too() {
    let work = study();
    work.run().succeeded();
    let pipe =
        |name: &str| nix::unistd::mkfifo(&work.path().join(name), nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    pipe("pipeline.lock");
    for arguments in [&["run", "pipeline.yaml", "--locked"][..], &["run", "pipeline.yaml", "--lock"]] {
        assert!(refused(&work, arguments, Stdio::null()).contains("is a pipe"), "{arguments:?}");
    }
    std::fs::create_dir_all(work.path().join("new/pipelines")).expect("folders");
    pipe("new/pipelines/full.yaml");
    for arguments in [&["init", "new"][..], &["init", "new", "--overwrite"]] {
        assert!(refused(&work, arguments, Stdio::null()).contains("is a pipe"), "{arguments:?}");
    }
    assert!(!work.exists("new/pipelines/quick.yaml"), "nothing is written beside it");
    assert!(
        refused(&work, &["report", "pipeline.yaml", "--out", "pipeline.lock"], Stdio::null()).contains("is a pipe")
    );
    std::fs::remove_file(work.path().join("pipeline.lock")).expect("removed");
    // A file for people that was replaced by a pipe.
    std::fs::remove_file(work.path().join("artifacts/p/rows/rows.arrow")).expect("removed");
    pipe("artifacts/p/rows/rows.arrow");
    assert!(refused(&work, &["verify", "pipeline.yaml", "rows"], Stdio::null()).contains("is a pipe"));
}

#[test]
fn a_pipe_as_standard_input_is_refused_in_so_many_words_and_a_file_is_read() {
    let work = study();
    let (reader, _writer) = std::io::pipe().expect("a pipe");
    let said = refused(&work, &["run", "pipeline.yaml", "--set", "data=/dev/stdin"], reader.into());
    insta::assert_snapshot!(stable(&said), @r#"
    error: /dev/stdin: cannot be read: it is a pipe, not a file: write what comes out of it to a file first, and name that
     --> pipeline.yaml:4:35
      |
    4 |   rows: {kind: load, files: {all: "${data}"}, label: y}
      |                                   ^^^^^^^^^
     ::: command line
      |
      | --set data=/dev/stdin
      |            ---------- 'data' is set here
    "#);
    let (reader, _writer) = std::io::pipe().expect("a pipe");
    let said = refused(&work, &["plan", "/dev/fd/0"], reader.into());
    insta::assert_snapshot!(stable(&said), @"
    error: cannot read '/dev/fd/0': it is a pipe, not a file: write what comes out of it to a file first, and name that
      = help: name a pipeline file, e.g. `pipelines/full.yaml`
    ");
    let rows = std::fs::File::open(work.path().join("t.csv")).expect("rows");
    let read =
        work.command(&["run", "pipeline.yaml", "--set", "data=/dev/stdin"]).stdin(rows).output().expect("it starts");
    assert!(String::from_utf8_lossy(&read.stdout).contains("2 rows"), "{}", String::from_utf8_lossy(&read.stderr));
}

#[test]
fn what_stands_where_a_result_belongs_is_named_and_left_alone() {
    let work = Workspace::with_songs().pipeline(crate::studies::SHORT);
    work.run().succeeded();
    let (file, folder) =
        (work.path().join("artifacts/short/folds/split.json"), work.path().join("artifacts/short/folds"));
    std::fs::remove_file(&file).expect("a result");
    std::fs::create_dir(&file).expect("a folder");
    std::fs::write(file.join("mine.txt"), "mine").expect("written");
    let told = work.run().error();
    insta::assert_snapshot!(stable(&told), @"'artifacts/short/folds/split.json' is a folder, but a result belongs there: move it away and run again");
    assert_eq!(work.text("artifacts/short/folds/split.json/mine.txt"), "mine");
    std::fs::remove_dir_all(&folder).expect("removed");
    std::fs::write(&folder, "mine").expect("written");
    let told = work.run().error();
    insta::assert_snapshot!(stable(&told), @"'artifacts/short/folds' is no folder, but a result belongs there: move it away and run again");
    assert_eq!(work.text("artifacts/short/folds"), "mine");
    std::fs::remove_file(&folder).expect("moved away");
    work.run().restored(&["folds"]);
}
