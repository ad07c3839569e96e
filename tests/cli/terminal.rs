//! What a person sees in a terminal: summaries, states, colours and widths, without a terminal (`COLUMNS`, `CLICOLOR_FORCE`).

use runner::artifact::Store;
use runner::engine::ActionRecord;
use serde_json::Value;

use crate::studies::{STUDY, many_classes};
use crate::workspace::Workspace;

fn done() -> Workspace {
    let work = Workspace::with_songs().pipeline(STUDY);
    work.run().succeeded();
    work
}

fn said(work: &Workspace, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let mut command = work.command(arguments);
    command.env_remove("NO_COLOR").envs(variables.iter().copied());
    let output = command.output().expect("the program starts");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// Characters without colour codes.
fn visible(line: &str) -> usize {
    let mut parts = line.split('\x1b');
    let first = parts.next().unwrap_or_default().chars().count();
    first + parts.map(|part| part.split_once('m').map_or(0, |(_, rest)| rest.chars().count())).sum::<usize>()
}

#[test]
fn a_model_is_summed_up_without_json() {
    let work = done();
    let text = said(&work, &["show", "pipeline.yaml", "fused"], &[]);
    assert!(!text.contains('{') && !text.contains('\x1b'), "{text}");
    let metrics: Value = serde_json::from_slice(&work.read("artifacts/study/fused/metrics.json")).expect("JSON");
    let test = &metrics["parts"]["test"];
    let accuracy = format!("{:.3}", test["accuracy"].as_f64().expect("a number"));
    let line = text.lines().find(|line| line.trim_start().starts_with("test ")).expect("the test part");
    assert!(line.contains(&accuracy), "{line}");
    // Every cell of the matrix, in its row.
    for (class, row) in
        test["classes"].as_array().into_iter().flatten().zip(test["confusion"].as_array().expect("rows"))
    {
        let counts: Vec<String> = row.as_array().into_iter().flatten().map(Value::to_string).collect();
        let name = class.as_str().expect("a name");
        let found = text.lines().any(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some(name) && words.eq(counts.iter().map(String::as_str))
        });
        assert!(found, "{name} {counts:?}:\n{text}");
    }
}

#[test]
fn nothing_becomes_unreachable() {
    let work = done();
    let metrics: Value = serde_json::from_slice(&work.read("artifacts/study/fused/metrics.json")).expect("JSON");
    let line: Value =
        serde_json::from_str(&said(&work, &["show", "pipeline.yaml", "fused", "--json"], &[])).expect("JSON");
    assert_eq!(line["documents"]["metrics.json"], metrics);
    assert!(line["provenance"]["seconds"].is_number() && line["outputs"].is_array());
    let text = said(&work, &["show", "pipeline.yaml", "fused.metrics", "--json"], &[]);
    assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), metrics);
    // What is shown of a document is JSON too.
    let text = said(&work, &["show", "pipeline.yaml", "fused.metrics"], &[]);
    assert_eq!(
        serde_json::from_str::<Value>(&text).expect("JSON")["parts"]["test"]["per_class"],
        metrics["parts"]["test"]["per_class"]
    );
    let rows = said(&work, &["show", "pipeline.yaml", "songs.rows", "--json"], &[]);
    let rows: Vec<Value> = rows.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(rows.len(), 240);
    assert!(rows[0]["tempo"].is_number() && rows[0]["title"].is_string());
    // `songs` leaves the energy of every 17th row open, from the fourth on.
    assert!(rows[3]["energy"].is_null() && rows[4]["energy"].is_number());
}

#[test]
fn colours_are_for_terminals_and_never_against_no_color() {
    let work = done();
    let show = ["show", "pipeline.yaml", "fused"];
    let forced = said(&work, &show, &[("CLICOLOR_FORCE", "1")]);
    assert!(forced.contains("\x1b[38;5;16;48;5;") || forced.contains("\x1b[38;5;231;48;5;"), "{forced}");
    let plain = said(&work, &show, &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]);
    assert!(!plain.contains('\x1b'));
    assert_eq!(said(&work, &show, &[]), plain);
    // Colour is never all that tells: without the codes the words are the same.
    let mut bare = String::new();
    for (i, part) in forced.split('\x1b').enumerate() {
        bare.push_str(if i == 0 { part } else { part.split_once('m').expect("a code").1 });
    }
    let lines = |text: &str| text.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>();
    assert_eq!(lines(&bare), lines(&plain));
}

#[test]
fn every_screen_fits_its_terminal() {
    let work = done();
    work.edit("pipeline.yaml", "epochs: 3", "epochs: 4");
    work.run().succeeded();
    work.edit("pipeline.yaml", "epochs: 4", "epochs: 5");
    let mut screens: Vec<Vec<&str>> = ["songs", "folds", "baseline", "titles", "predict", "songs.rows", "titles.rows"]
        .iter()
        .map(|name| vec!["show", "pipeline.yaml", *name])
        .collect();
    screens.push(vec!["graph", "pipeline.yaml"]);
    screens.push(vec!["plan", "pipeline.yaml"]);
    screens.push(vec!["explain", "pipeline.yaml", "fused"]);
    screens.push(vec!["runs"]);
    screens.push(vec!["runs", "show", "last"]);
    screens.push(vec!["compare", "--flips", "3"]);
    screens.push(vec!["gc", "--dry-run"]);
    screens.push(vec!["show", "pipeline.yaml", "fused"]);
    for columns in ["80", "140"] {
        for screen in &screens {
            let text = said(&work, screen, &[("COLUMNS", columns), ("CLICOLOR_FORCE", "1")]);
            for line in text.lines() {
                assert!(visible(line) <= columns.parse().expect("a number"), "{screen:?} at {columns}: {line}");
            }
        }
    }
}

#[test]
fn the_drawn_graph_shows_the_state_of_each_stage() {
    let work = Workspace::with_songs().pipeline(STUDY);
    work.run().succeeded();
    work.edit("pipeline.yaml", "epochs: 3", "epochs: 4");
    work.run().succeeded();
    work.edit("pipeline.yaml", "epochs: 4", "epochs: 3");
    let svg = said(&work, &["graph", "pipeline.yaml", "--format", "svg"], &[]);
    assert!(svg.starts_with("<svg ") && svg.contains("<title>study</title>"), "{svg}");
    assert!(svg.contains(">train · restore</text>") && svg.contains(">embed · fresh</text>"), "{svg}");
    assert!(
        svg.contains("titles feeds fused") && !svg.contains("folds feeds fused"),
        "the implied edge is left out: {svg}"
    );
}

#[test]
fn what_a_verification_says_fits_its_terminal() {
    let work = done();
    let lines = |arguments: &[&str], columns: &str| {
        let mut command = work.command(arguments);
        command.env_remove("NO_COLOR").env("COLUMNS", columns).env("CLICOLOR_FORCE", "1");
        let text = String::from_utf8(command.output().expect("the program starts").stdout).expect("UTF-8");
        for line in text.lines() {
            assert!(visible(line) <= columns.parse().expect("a number"), "{arguments:?} at {columns}: {line}");
        }
        text
    };
    for columns in ["80", "140"] {
        assert!(lines(&["verify", "pipeline.yaml", "--rerun"], columns).contains("6 stages gave the same again"));
    }
    // A result that others may not write is damaged in place.
    work.write("artifacts/study/baseline/baseline.json.new", b"{}");
    let [new, old] =
        ["baseline.json.new", "baseline.json"].map(|name| work.path().join("artifacts/study/baseline").join(name));
    std::fs::rename(new, old).expect("replaced");
    work.edit("pipeline.yaml", "epochs: 3", "epochs: 4");
    let fault = "it was changed in the folder, and is sound in the store (run again to put it back)";
    for columns in ["80", "140"] {
        let told = lines(&["verify", "pipeline.yaml"], columns);
        let told: Vec<&str> = told.split_whitespace().collect();
        assert!(told.join(" ").contains(fault), "{columns}: {told:?}");
    }
    work.edit("pipeline.yaml", "epochs: 4", "epochs: 3");
    work.run().succeeded();
    work.edit("pipeline.yaml", "epochs: 3", "epochs: 4");
    assert!(
        lines(&["verify", "pipeline.yaml", "--rerun"], "80")
            .contains("not up to date: there is nothing to compare with")
    );
}

#[test]
fn a_matrix_of_many_classes_keeps_its_cells_and_says_whose_they_are() {
    let work = many_classes();
    work.run().succeeded();
    let metrics: Value = serde_json::from_slice(&work.read("artifacts/many/net/metrics.json")).expect("JSON");
    let confusion = metrics["parts"]["test"]["confusion"].as_array().expect("rows");
    let row: Vec<String> = confusion[6].as_array().expect("counts").iter().map(Value::to_string).collect();
    // Eighty columns leave two letters for a name: numbers stand for the names across, and before the names down.
    for (columns, head, name) in [("80", " 1  2  3 ", "7 drum and bass"), ("140", "ambient", "drum and bass")] {
        let text = said(
            &work,
            &["show", "pipeline.yaml", "net"],
            &[("COLUMNS", columns), ("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")],
        );
        let matrix = text.split_once("Confusion").expect("a matrix").1;
        assert!(matrix.lines().nth(1).is_some_and(|line| line.contains(head)), "{matrix}");
        let line =
            matrix.lines().find(|line| line.trim_start().starts_with(name)).unwrap_or_else(|| panic!("{matrix}"));
        let counts: Vec<&str> = line.trim_start()[name.len()..].split_whitespace().collect();
        assert_eq!(counts, row, "{line}");
        assert!(text.lines().all(|line| visible(line) <= columns.parse().expect("a number")), "{text}");
    }
}

/// An earlier version wrote its documents without saying what they are.
#[test]
fn what_an_earlier_version_wrote_is_said() {
    let work = done();
    let warning = "metrics.json was written by an earlier version of runner";
    assert!(!said(&work, &["show", "pipeline.yaml", "fused"], &[]).contains(warning));
    let store = Store::open(&work.path().join("artifacts")).expect("a store");
    let key = store.current("study", "fused").expect("a key");
    let mut record = ActionRecord::load(&store, key).expect("a record");
    let metrics = record.outputs.iter_mut().find(|output| output.port == "metrics").expect("the port");
    let mut value: Value = serde_json::from_slice(&store.get(metrics.files[0].digest).expect("bytes")).expect("JSON");
    value.as_object_mut().expect("an object").retain(|name, _| name != "document" && name != "version");
    let bytes = serde_json::to_vec(&value).expect("JSON");
    metrics.files[0].digest = store.put(&bytes).expect("written");
    metrics.files[0].bytes = bytes.len() as u64;
    store.put_record(key, &serde_json::to_vec(&record).expect("JSON")).expect("written");
    let text = said(&work, &["show", "pipeline.yaml", "fused"], &[]);
    assert!(text.split_whitespace().collect::<Vec<_>>().join(" ").contains(warning), "{text}");
    assert!(text.contains("runner run pipeline.yaml fused"), "{text}");
}
