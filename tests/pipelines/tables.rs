//! docs/tables.md: its study runs as it stands, and each of its pieces in place of the stages of those names.

use indexmap::IndexMap;

use crate::workspace::Workspace;

const PAGE: &str = include_str!("../../docs/tables.md");

/// Customers with all that the page reads; between semicolons as in Germany, without a header.
fn customers(rows: std::ops::Range<usize>, is_german: bool) -> String {
    let names = "age,joined,plan,price,length,tags,region,note,weight,part,returned\n";
    let line = |i: usize| {
        let (age, day, month) = (18 + i * 37 % 60, 1 + i * 11 % 28, 1 + i * 7 % 12);
        let joined = format!("{day:02}/{month:02}/{}", 2019 + i * 5 % 4);
        let plan = ["basic", "plus", "pro"][i * 13 % 3];
        let price = if is_german { format!("1.{:03},5", i % 900) } else { format!("${}.50", 5 + i * 17 % 90) };
        let tags = ["gift", "new", "late"][i * 3 % 3];
        let region = ["north", "south"][i * 19 % 2];
        let note = [["slow", "quick"][i * 7 % 2], ["box", "letter", "bag"][i * 5 % 3]].join(" ");
        let part = ["a", "a", "a", "b", "c"][i % 5];
        let returned = if age > 40 || plan == "pro" && note.starts_with("slow") { "yes" } else { "no" };
        let fields = [&age.to_string(), &joined, plan, &price, "90 min", tags, region, &note, "1", part, returned];
        fields.join(if is_german { ";" } else { "," }) + "\n"
    };
    rows.map(line).fold(if is_german { String::new() } else { names.to_owned() }, |text, line| text + &line)
}

/// The blocks of YAML of the page, in their order.
fn snippets() -> Vec<&'static str> {
    let blocks = PAGE.split("\n```yaml\n").skip(1);
    blocks.map(|block| block.split("\n```").next().expect("an end")).collect()
}

/// The stages of a block by name, with their text.
fn stages(block: &str) -> IndexMap<String, String> {
    let mut found: IndexMap<String, String> = IndexMap::new();
    for line in block.lines() {
        let name = line.strip_prefix("  ").filter(|rest| !rest.starts_with([' ', '#']));
        if let Some((name, _)) = name.and_then(|rest| rest.split_once(':')) {
            found.insert(name.to_owned(), String::new());
        }
        if let Some((_, text)) = found.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    found
}

#[test]
fn each_piece_of_the_page_on_tables_plans_and_reads_rows() {
    let snippets = snippets();
    let (whole, pieces) = snippets.split_first().expect("a study");
    let (head, own) = whole.split_once("\nstages:\n").expect("stages");
    let study = stages(own);
    assert!(study.len() >= 9 && pieces.len() >= 8, "{study:?}");
    let work = Workspace::new()
        .file("train.csv", &customers(0..240, false))
        .file("new.csv", &customers(300..330, false))
        .file("german-1.csv", &customers(0..120, true))
        .file("german-2.csv", &customers(120..240, true));
    for piece in std::iter::once(own).chain(pieces.iter().copied()) {
        let mut all = study.clone();
        all.extend(stages(piece));
        let text = format!("{head}\nstages:\n{}", all.values().map(String::as_str).collect::<String>());
        work.write("pipeline.yaml", text.as_bytes());
        let plan = work.runner(&["plan", "pipeline.yaml"]);
        let told = String::from_utf8_lossy(&plan.stderr).into_owned();
        assert!(plan.status.success() && !told.contains("warning"), "{piece}\n{told}");
        let run = work.runner(&["run", "pipeline.yaml", "folds"]);
        assert!(run.status.success(), "{piece}\n{}", String::from_utf8_lossy(&run.stderr));
    }
}

#[test]
fn the_study_of_the_page_on_tables_runs_and_predicts_elsewhere() {
    let whole = snippets()[0].replace("epochs: 10", "epochs: 1").replace("boosting: {}", "boosting: {rounds: 5}");
    let work = Workspace::new()
        .file("train.csv", &customers(0..240, false))
        .file("new.csv", &customers(300..330, false))
        .pipeline(&whole);
    work.run().succeeded();
    let said = work.text("artifacts/returns/predictions/predictions.csv");
    assert_eq!(said.lines().count(), 31, "{said}");
    let export = work.runner(&["export", "pipeline.yaml", "best", "-o", "returns.runner"]);
    assert!(export.status.success(), "{}", String::from_utf8_lossy(&export.stderr));
    let elsewhere = work.runner(&["predict", "returns.runner", "new.csv"]);
    assert_eq!(String::from_utf8_lossy(&elsewhere.stdout), said);
}
