//! `include`: several files, one pipeline.

use std::path::{Path, PathBuf};

use runner::spec::{self, PipelineSpec, Problems};
use serde_json::json;

/// A folder of pipeline files; `main.yaml` is read.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("in a folder")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        Folder(folder)
    }

    fn read(&self, sets: &[&str]) -> Result<PipelineSpec, Problems> {
        let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
        spec::load(&self.0.path().join("main.yaml"), &sets)
    }

    #[track_caller]
    fn spec(&self) -> PipelineSpec {
        self.read(&[]).unwrap_or_else(|problems| panic!("{problems}"))
    }

    /// The rendered problems, with paths from the folder on.
    fn says(&self) -> String {
        let text = self.read(&[]).expect_err("a faulty pipeline").render(false);
        text.replace(&format!("{}/", self.0.path().display()), "")
    }

    fn relative(&self, files: &[PathBuf]) -> Vec<PathBuf> {
        files.iter().map(|file| file.strip_prefix(self.0.path()).unwrap_or(file).to_owned()).collect()
    }
}

fn study() -> Folder {
    Folder::new(&[
        (
            "main.yaml",
            "include: [parts/data.yaml, parts/nets.yaml]\nvars: {data: mine}\nstages:\n  report: {kind: report, stages: [songs, net]}\n",
        ),
        (
            "parts/data.yaml",
            "name: data\nseed: 3\ninclude: common.yaml\nvars: {data: theirs, rows: 5}\nstages:\n  songs: {kind: load, file: '${data}', rows: '${rows}'}\n",
        ),
        ("parts/nets.yaml", "include: common.yaml\nstages:\n  net:\n    extends: net\n    epochs: ${rows}\n"),
        ("parts/common.yaml", "vars: {rows: 1, data: far}\ntemplates: {net: {kind: train, lr: 0.1}}\n"),
    ])
}

#[test]
fn files_join_and_the_nearest_variable_wins() {
    let folder = study();
    let spec = folder.spec();
    assert_eq!((spec.name.as_str(), spec.seed), ("main", 0));
    assert_eq!(spec.stages.keys().collect::<Vec<_>>(), ["songs", "net", "report"]);
    assert_eq!(spec.stages["songs"].body.to_json(), json!({"file": "mine", "rows": 5}));
    assert_eq!(spec.stages["net"].body.to_json(), json!({"lr": 0.1, "epochs": 5}));
    let files = ["main.yaml", "parts/data.yaml", "parts/common.yaml", "parts/nets.yaml"].map(PathBuf::from);
    assert_eq!(folder.relative(spec.files()), files);
    let spec = folder.read(&["rows=9", "songs.extra=1"]).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(spec.stages["songs"].body.to_json(), json!({"file": "mine", "rows": 9, "extra": 1}));
}

#[test]
fn values_name_the_file_in_which_they_were_written() {
    let folder = study();
    let place = |stage: &str, key: &str| {
        let place = folder.spec().position_of(stage, &[key.into()]).expect("a place");
        place.replace(&format!("{}/", folder.0.path().display()), "")
    };
    assert_eq!(place("songs", "rows"), "parts/data.yaml:4:28");
    assert_eq!(place("songs", "file"), "main.yaml:2:14");
    assert_eq!(place("net", "lr"), "parts/common.yaml:2:36");
    assert_eq!(place("report", "stages"), "main.yaml:4:34");
}

#[test]
fn a_stage_has_one_place() {
    let folder = Folder::new(&[
        ("main.yaml", "include: a.yaml\nstages:\n  songs: {kind: k}\n"),
        ("a.yaml", "stages:\n\n  songs: {kind: k}\n"),
    ]);
    insta::assert_snapshot!(folder.says(), @"
    error: stage 'songs' is defined twice
     --> main.yaml:3:3
      |
    3 |   songs: {kind: k}
      |   ^^^^^
     ::: a.yaml:3:3
      |
    3 |   songs: {kind: k}
      |   ----- first defined here
      = help: rename one of them; `extends` makes a variant of a template
    ");
}

#[test]
fn what_cannot_be_included_is_told_at_its_line() {
    let folder = Folder::new(&[
        (
            "main.yaml",
            "include:\n  - dta.yaml\n  - a.yaml\n  - 5\n  - ${x}.yaml\n  - latin.yaml\nstages: {s: {kind: k}}\n",
        ),
        ("data.yaml", "stages: {}\n"),
        ("a.yaml", "include: b.yaml\nstges: {}\n"),
        ("b.yaml", "include: a.yaml\nstages: [1]\nvars: {a: [}\n"),
    ]);
    std::fs::write(folder.0.path().join("latin.yaml"), b"vars: {a: \xe9}").expect("a file");
    insta::assert_snapshot!(folder.says(), @"
    error: cannot read 'dta.yaml': No such file or directory (os error 2)
     --> main.yaml:2:5
      |
    2 |   - dta.yaml
      |     ^^^^^^^^
      = help: did you mean 'data.yaml'?

    error: `include` wants paths of pipeline files, not a number
     --> main.yaml:4:5
      |
    4 |   - 5
      |     ^
      = help: e.g. `include: [common.yaml]`

    error: a variable in the path '${x}.yaml'
     --> main.yaml:5:5
      |
    5 |   - ${x}.yaml
      |     ^^^^^^^^^
      = help: files are included before variables are known: write the path out

    error: unknown key 'stges' (did you mean 'stages'?)
     --> a.yaml:2:1
      |
    2 | stges: {}
      | ^^^^^
      = help: keys of a pipeline are name, seed, metric, positive, costs, include, vars, templates,
              stages

    error: invalid YAML: mismatched bracket '[' closed by '}'
     --> b.yaml:3:11
      |
    3 | vars: {a: [}
      |           ^

    error: invalid UTF-8: byte 0xe9
     --> latin.yaml:1:11
      |
    1 | vars: {a: �}
      |           ^
      = help: save the file as UTF-8
    ");
    std::fs::write(folder.0.path().join("b.yaml"), "include: a.yaml\nstages: [1]\n").expect("a file");
    insta::assert_snapshot!(folder.says(), @"
    error: cannot read 'dta.yaml': No such file or directory (os error 2)
     --> main.yaml:2:5
      |
    2 |   - dta.yaml
      |     ^^^^^^^^
      = help: did you mean 'data.yaml'?

    error: `include` wants paths of pipeline files, not a number
     --> main.yaml:4:5
      |
    4 |   - 5
      |     ^
      = help: e.g. `include: [common.yaml]`

    error: a variable in the path '${x}.yaml'
     --> main.yaml:5:5
      |
    5 |   - ${x}.yaml
      |     ^^^^^^^^^
      = help: files are included before variables are known: write the path out

    error: unknown key 'stges' (did you mean 'stages'?)
     --> a.yaml:2:1
      |
    2 | stges: {}
      | ^^^^^
      = help: keys of a pipeline are name, seed, metric, positive, costs, include, vars, templates,
              stages

    error: files include each other in a circle: a.yaml → b.yaml → a.yaml
     --> b.yaml:1:10
      |
    1 | include: a.yaml
      |          ^^^^^^
      = help: remove this line, or move what both need to a third file

    error: `stages` must be a mapping, not a list
     --> b.yaml:2:9
      |
    2 | stages: [1]
      |         ^^^

    error: invalid UTF-8: byte 0xe9
     --> latin.yaml:1:11
      |
    1 | vars: {a: �}
      |           ^
      = help: save the file as UTF-8
    ");
    let folder = Folder::new(&[("main.yaml", "include: ./main.yaml\nstages: {s: {kind: k}}\n")]);
    insta::assert_snapshot!(folder.says(), @"
    error: 'main.yaml' includes itself
     --> main.yaml:1:10
      |
    1 | include: ./main.yaml
      |          ^^^^^^^^^^^
      = help: remove this line, or move what both need to a third file
    ");
}

#[test]
fn faults_in_included_files_point_there_and_the_files_are_known() {
    let folder = Folder::new(&[
        ("main.yaml", "include: [a.yaml, gone.yaml]\nstages: {s: {kind: k}}\n"),
        ("a.yaml", "stages:\n  t: {kind: 3, x: '${perhaps_there}'}\n"),
    ]);
    let problems = folder.read(&[]).expect_err("a faulty pipeline");
    assert!(
        problems.render(false).contains("'kind' must be text, not a number\n --> ") && problems.list.len() == 2,
        "{problems}"
    );
    assert!(problems.render(false).contains("a.yaml:2:13"), "{problems}");
    let files = ["main.yaml", "a.yaml", "gone.yaml"].map(|name| Path::new(name).to_owned());
    assert_eq!(folder.relative(problems.sources.files()), files);
}

#[test]
fn a_study_has_one_metric_which_an_included_file_may_name() {
    let folder = |main: &str| {
        Folder::new(&[
            ("main.yaml", &format!("{main}include: part.yaml\nstages:\n  net: {{kind: train, rows: songs}}\n")),
            ("part.yaml", "metric: mcc\npositive: 1.0\nstages:\n  songs: {kind: load}\n"),
        ])
    };
    let words = |spec: &PipelineSpec| {
        let word = |key: &str| spec.aims.get(key).and_then(|node| node.as_str().map(str::to_owned));
        (word("metric"), word("positive"))
    };
    let spec = folder("").spec();
    assert_eq!(words(&spec), (Some("mcc".to_owned()), Some("1.0".to_owned())), "a class is the word that is written");
    assert!(spec.effective(&|_| true, &|_| None, &|_, _| None).contains("\nmetric: mcc\npositive: 1.0\n"));
    let spec = folder("metric: roc_auc\n").spec();
    assert_eq!(words(&spec).0.as_deref(), Some("roc_auc"));
    let warnings = spec.warnings().render(false);
    assert!(warnings.contains("part.yaml' does not hold here: this one does, for all stages"), "{warnings}");
    let spec = folder("metric: roc_auc\n").read(&["metric=brier"]).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(words(&spec).0.as_deref(), Some("brier"));
}
