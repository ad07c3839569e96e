//! What is generated refers to what is there, and its instructions work where somebody else follows them.

use std::io::Read as _;
use std::path::Path;

use super::accepted;
use crate::workspace::{Workspace, songs};

const COMMON: &str = "seed: 4
vars: {width: 8}
templates:
  net: {kind: train, rows: folds, numeric: [tempo], epochs: 9, network: {trunk: {layers: [\"${width}\"]}}}
stages:
  rows: {kind: load, files: {all: data/songs.csv}, label: genre}
  folds: {kind: split, rows: rows, folds: 2}
";

const MAIN: &str = "name: study
include: parts/common.yaml
stages:
  net: {extends: net, matrix: {lr: [1e-3, 2e-2]}, optimizer: {lr: \"${lr}\"}}
  predict: {kind: predict, model: net@lr=2e-2, rows: rows, file: out.csv}
  count: {kind: command, inputs: {rows: predict.file}, run: [sh, scripts/count.sh, \"{rows}\", \"{out}/n.txt\"], outputs: {n: n.txt}}
  unused: {kind: load, files: {all: elsewhere.csv}}
  hand: {kind: bundle, name: mine, author: A, stages: [predict, count], files: {notes.txt: notes.txt}}
";

fn unzip(bytes: &[u8], to: &Path) {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a zip");
    for i in 0..archive.len() {
        let mut file = archive.by_index(i).expect("a file");
        let path = to.join(file.name().expect("a name").as_ref());
        std::fs::create_dir_all(path.parent().expect("in a folder")).expect("a folder");
        let mut content = Vec::new();
        file.read_to_end(&mut content).expect("content");
        std::fs::write(path, content).expect("a file");
    }
}

/// The command in backquotes that a text tells to type.
fn instruction(text: &str) -> Vec<String> {
    let command = text.split('`').find(|part| part.starts_with("runner run ")).expect("a command");
    command.split_whitespace().skip(1).map(str::to_owned).collect()
}

#[test]
fn the_instruction_of_a_bundle_makes_the_same_predictions_in_an_empty_folder() {
    let work = Workspace::new()
        .file("data/songs.csv", &songs(90))
        .file("elsewhere.csv", "a\n1\n")
        .file("notes.txt", "mine\n")
        .file("scripts/count.sh", "wc -l < \"$1\" > \"$2\"\n")
        .file("pipelines/parts/common.yaml", COMMON)
        .file("pipelines/main.yaml", MAIN);
    let arguments = ["run", "pipelines/main.yaml", "--set", "templates.net.epochs=2", "--set", "width=5"];
    let output = work.runner(&arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let teacher = Workspace::new();
    unzip(&work.read("artifacts/study/hand/mine.zip"), teacher.path());
    let folder = teacher.path().join("mine");
    let readme = teacher.text("mine/README.md");
    assert!(readme.contains("`data/songs.csv`") && !readme.contains("elsewhere.csv"), "{readme}");
    teacher.write("mine/data/songs.csv", songs(90).as_bytes());
    let arguments = instruction(&readme);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = teacher.command(&arguments).current_dir(&folder).output().expect("the program starts");
    assert!(output.status.success(), "{arguments:?}\n{}", String::from_utf8_lossy(&output.stderr));
    for name in ["predict/out.csv", "count/n.txt"] {
        assert_eq!(
            teacher.read(&format!("mine/artifacts/study/{name}")),
            teacher.read(&format!("mine/{name}")),
            "{name}"
        );
    }
    insta::assert_snapshot!("readme_of_a_bundle", readme);
    let rerun = teacher.text("mine/rerun.yaml");
    insta::assert_snapshot!("rerun_of_a_bundle", rerun);
    assert!(rerun.contains("width: 5") && rerun.contains("epochs: 2") && !rerun.contains("unused"), "{rerun}");
    // An edit of what the bundle carries makes a new one.
    work.edit("scripts/count.sh", "wc -l", "# counts\nwc -l");
    assert!(
        work.runner(&["run", "pipelines/main.yaml", "--set", "templates.net.epochs=2", "--set", "width=5"])
            .status
            .success()
    );
    assert!(String::from_utf8_lossy(&work.read("artifacts/study/hand/mine/scripts/count.sh")).contains("# counts"));
}

#[test]
fn a_bundle_speaks_french_leaves_out_what_it_is_told_to_and_says_which_variable_holds_the_data() {
    let main = "name: study
vars: {data: my songs}
stages:
  rows: {kind: load, files: {all: \"${data}/all.csv\"}, label: genre}
  folds: {kind: split, rows: rows, folds: 2}
  page: {kind: report, title: {en: Songs, fr: Chansons}, stages: [folds]}
  hand: {kind: bundle, name: mine, title: {en: Songs, fr: Chansons}, language: fr, stages: [page], leave_out: [page/figures, page/gone]}
";
    let work = Workspace::new().file("my songs/all.csv", &songs(90)).pipeline(main);
    let output = work.runner(&["run", "pipeline.yaml", "--set", "seed=3"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("leave_out: no file of the stages lies at 'page/gone'"), "{said}");
    let folder = work.path().join("artifacts/study/hand/mine");
    assert!(folder.join("page/report.html").exists() && !folder.join("page/figures").exists());
    insta::assert_snapshot!(std::fs::read_to_string(folder.join("README.md")).expect("a README"));
}

#[test]
fn what_init_writes_names_a_schema_that_is_there_and_a_command_that_works() {
    let work = Workspace::new();
    let output = work.runner(&["init", "my study's folder"]);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "{text}");
    let schema = work.runner(&["schema"]).stdout;
    for entry in std::fs::read_dir(work.path().join("my study's folder/pipelines")).expect("pipelines").flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            let yaml = std::fs::read_to_string(&path).expect("text");
            let named = yaml.lines().next().and_then(|line| line.split_once("$schema=")).expect("a schema is named").1;
            assert_eq!(std::fs::read(path.with_file_name(named)).expect("the schema"), schema);
        }
    }
    let next = text.lines().find_map(|line| line.strip_prefix("next: ")).expect("what to do next");
    // The plan of what the command would run is enough here.
    let next = next.replace("runner run", &format!("'{}' plan", env!("CARGO_BIN_EXE_runner")));
    let output = std::process::Command::new("sh").args(["-c", &next]).current_dir(work.path()).output().expect("sh");
    assert!(output.status.success(), "{next}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_schema_that_is_named_and_not_there_is_a_warning() {
    let yaml = "# yaml-language-server: $schema=./gone.json\nstages:\n  songs: {kind: load, files: {all: songs.csv}}\n";
    let work = Workspace::with_songs().pipeline(yaml);
    insta::assert_snapshot!(accepted(&work), @"
    warning: the schema './gone.json' is not there, so editors cannot check this file
     --> pipeline.yaml:1:33
      |
    1 | # yaml-language-server: $schema=./gone.json
      |                                 ^^^^^^^^^^^
      = help: `runner schema > FILE` writes it; paths count from the folder of this file
    ");
    work.write("gone.json", b"{}");
    assert!(work.runner(&["plan", "pipeline.yaml"]).stderr.is_empty());
}
