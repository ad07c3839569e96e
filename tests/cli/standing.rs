//! `show` says in a line when what it shows is not what the pipeline file asks for.

use serde_json::Value;

use crate::workspace::Workspace;

const STUDY: &str = "name: study
stages:
  songs: {kind: load, files: {all: songs.csv}, label: genre}
  folds: {kind: split, rows: songs, folds: 2}
  look: {kind: describe, rows: folds}
";

fn shown(work: &Workspace, arguments: &[&str]) -> (String, String) {
    let output = work.runner(&[&["show"], arguments].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text =
        |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8").split_whitespace().collect::<Vec<_>>().join(" ");
    (text(output.stdout), text(output.stderr))
}

fn as_json(work: &Workspace, file: &str) -> Value {
    serde_json::from_str(&shown(work, &[file, "folds", "--json"]).0).expect("JSON")
}

#[test]
fn a_result_that_is_out_of_date_says_so_and_one_that_is_not_says_nothing() {
    let work = Workspace::with_songs().pipeline(STUDY);
    work.run().succeeded();
    for what in ["folds", "folds.summary"] {
        let (out, err) = shown(&work, &["pipeline.yaml", what]);
        assert!(!out.contains("out of date") && err.is_empty(), "{out}{err}");
    }
    assert_eq!(
        (&as_json(&work, "pipeline.yaml")["status"], &as_json(&work, "pipeline.yaml")["other_file"]),
        (&"fresh".into(), &Value::Null)
    );
    work.edit("pipeline.yaml", "folds: 2", "folds: 3");
    insta::assert_snapshot!(work.screen(&["show", "pipeline.yaml", "folds"]));
    // The content of a port may go to another program.
    insta::assert_snapshot!(work.screen(&["show", "pipeline.yaml", "folds.summary"]));
    let (out, _) = shown(&work, &["pipeline.yaml", "look"]);
    assert!(out.contains("out of date") && out.contains("'folds' runs before it"), "{out}");
    assert_eq!(as_json(&work, "pipeline.yaml")["status"], "run");
    // A setting of the command line counts as in `run`.
    let (out, _) = shown(&work, &["pipeline.yaml", "folds", "--set", "folds.folds=2"]);
    assert!(!out.contains("out of date"), "{out}");
}

#[test]
fn a_result_of_another_file_of_the_same_name_names_that_file() {
    let work = Workspace::with_songs().pipeline(STUDY).file("other.yaml", &STUDY.replace("folds: 2", "folds: 4"));
    work.run().succeeded();
    insta::assert_snapshot!(work.screen(&["show", "other.yaml", "folds"]));
    assert_eq!(as_json(&work, "other.yaml")["other_file"], "pipeline.yaml");
    // What is the same in both belongs to both.
    let (out, _) = shown(&work, &["other.yaml", "songs"]);
    assert!(!out.contains("another pipeline"), "{out}");
    // What is read has changed.
    work.write("songs.csv", b"id,genre\n1,a\n");
    insta::assert_snapshot!(work.screen(&["show", "pipeline.yaml", "songs"]));
}

#[test]
fn results_that_share_a_damaged_blob_tell_of_one_damage() {
    let say = |name: &str| {
        format!(
            "  {name}: {{kind: command, run: [sh, -c, 'echo same > \"$1/o.txt\"', {name}, \"{{out}}\"], outputs: {{out: o.txt}}}}\n"
        )
    };
    let work = Workspace::new().pipeline(&format!("name: study\nstages:\n{}{}", say("a"), say("b")));
    work.run().succeeded();
    let blobs = work.files_under("artifacts/.store/blobs");
    let [blob] = blobs.iter().collect::<Vec<_>>()[..] else { panic!("{blobs:?}") };
    let path = work.path().join("artifacts/.store/blobs").join(blob);
    std::fs::remove_file(&path).expect("removed");
    std::fs::write(&path, "samE\n").expect("written");
    let output = work.runner(&["verify", "pipeline.yaml", "--json"]);
    let told: Vec<serde_json::Value> =
        String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let faults: Vec<&str> =
        told.iter().filter(|line| line["event"] == "damaged").filter_map(|line| line["fault"].as_str()).collect();
    assert!(faults.len() == 2 && faults[0] == faults[1] && faults[0].contains("has changed"), "{faults:?}");
    work.run().succeeded();
    assert!(work.runner(&["verify", "pipeline.yaml"]).status.success());
}
