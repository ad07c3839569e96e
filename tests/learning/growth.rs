//! What a study writes and how long it takes do not grow with the square of its columns and classes.

use std::fmt::Write as _;

use serde_json::Value;

use crate::studies::noise;
use crate::workspace::Workspace;

fn json(work: &Workspace, file: &str) -> Value {
    serde_json::from_slice(&work.read(file)).expect("JSON")
}

fn bytes_under(work: &Workspace, folder: &str) -> u64 {
    let files = work.files_under(folder);
    files.iter().map(|file| work.read(&format!("{folder}/{}", file.display())).len() as u64).sum()
}

#[test]
fn a_wide_table_is_described_by_what_matters_in_it() {
    const COLUMNS: usize = 300;
    let names: Vec<String> = (0..COLUMNS).map(|j| format!("f{j}")).collect();
    let mut table = format!("{},y\n", names.join(","));
    for i in 0..120 {
        let mut values: Vec<f64> = (0..COLUMNS).map(|j| noise(i * 307 + j)).collect();
        // The label shifts one column; another repeats a third.
        values[250] += f64::from(u8::from(i % 2 == 0));
        values[280] = -3.0 * values[17];
        let values: Vec<String> = values.iter().map(f64::to_string).collect();
        let _ = writeln!(table, "{},{}", values.join(","), ["p", "q"][i % 2]);
    }
    let work = Workspace::new().file("t.csv", &table).pipeline(
        "name: s\nstages:\n  rows: {kind: load, files: {all: t.csv}, label: y}\n  profile: {kind: describe, rows: rows}\n  \
         page: {kind: report, title: T, stages: [rows, profile]}\n",
    );
    work.run().succeeded();
    let profile = json(&work, "artifacts/s/profile/profile.json");
    let count = |key: &str| profile[key].as_array().expect("a list").len();
    assert_eq!((count("columns"), count("relevance"), count("histograms")), (COLUMNS, COLUMNS, 40));
    let histograms: Vec<&str> =
        profile["histograms"].as_array().expect("a list").iter().filter_map(|one| one["column"].as_str()).collect();
    assert!(histograms.contains(&"f250"), "{histograms:?}");
    let correlations = &profile["correlations"];
    assert_eq!(
        (correlations["columns"].as_array().expect("a list").len(), &correlations["numeric_columns"]),
        (40, &COLUMNS.into())
    );
    let strongest = &correlations["strongest"][0];
    assert_eq!((&strongest["a"], &strongest["b"]), (&"f17".into(), &"f280".into()));
    assert!((strongest["pearson"].as_f64().expect("a number") + 1.0).abs() < 1e-9);
    let page = work.text("artifacts/s/page/report.html");
    assert!(page.contains("The 40 columns that correlate most, of 300 numeric ones."));
    assert!(page.contains("The 40 most relevant of 300 numeric columns."));
    assert!(page.len() < 1_500_000, "the page has {} bytes", page.len());
    let bytes = bytes_under(&work, "artifacts/s/profile");
    assert!(bytes < 3_000_000, "the profile has {bytes} bytes");
}

#[test]
fn many_classes_make_no_larger_page_than_the_most_confused_of_them() {
    const CLASSES: usize = 160;
    let mut table = String::from("a,b,y\n");
    for i in 0..CLASSES * 8 {
        let _ = writeln!(table, "{},{},c{:03}", (i % CLASSES) as f64 + 2.0 * noise(i), noise(i + 1), i % CLASSES);
    }
    let work = Workspace::new().file("t.csv", &table).pipeline(
        "name: s\nseed: 3\nstages:\n  rows: {kind: load, files: {all: t.csv}, label: y}\n  folds: {kind: split, rows: rows, folds: 2}\n  \
         profile: {kind: describe, rows: folds}\n  base: {kind: baseline, rows: folds, numeric: [a, b], models: {knn: {k: 3}}}\n  \
         net: {kind: train, rows: folds, numeric: [a, b], epochs: 1, network: {trunk: {layers: [4]}}}\n  \
         page: {kind: report, title: T, stages: [rows, folds, profile, base, net]}\n",
    );
    work.run().succeeded();
    let page = work.text("artifacts/s/page/report.html");
    assert!(page.contains("The 20 most confused of 160 classes; the others are summed"));
    assert!(page.contains("the 50 with most mistakes of 160"));
    assert!(page.contains("one panel for each of the 12 classes with most points, of 160"));
    assert!(page.len() < 2_500_000, "the page has {} bytes", page.len());
    let scores = json(&work, "artifacts/s/base/baseline.json");
    let confusion = &scores["evaluations"][0]["test"]["confusion"];
    let rows: u64 = confusion["rows"].as_array().expect("cells").iter().filter_map(Value::as_u64).sum();
    assert_eq!(Some(rows), scores["evaluations"][0]["test"]["rows"].as_u64());
    let profile = json(&work, "artifacts/s/profile/profile.json");
    let groups = profile["class_groups"].as_array().expect("a list");
    assert_eq!((groups.len(), &groups[20]["others"]), (21, &140.into()));
    let shown = String::from_utf8(work.runner(&["show", "pipeline.yaml", "net"]).stdout).expect("UTF-8");
    assert!(shown.contains("most confused of 160 classes") && shown.contains("of 160"), "{shown}");
    assert!(shown.len() < 12_000, "{} bytes are shown", shown.len());
}
