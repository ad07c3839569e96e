//! The page of a whole study: well-formed, self-contained, tolerant of odd artifacts, and saying what its numbers say.

use std::collections::HashSet;

use runner::report::{ColumnView, Delivered, ReportError, StageArtifacts, TableView, learning_curves, study};
use runner::results::comparison::Flip;
use runner::results::diagnosis::{Finding, Gap, GapJudgement};
use runner::results::history::{Change, FlippedRow, Since};
use runner::results::{AnyDocument, Parts, baselines::Baselines, history::History, training::Training};
use serde_json::{Value, json};

use super::fixture::{self, CLASSES, Noise, scores};
use super::markup::{Tag, check};

fn page() -> String {
    let (stages, edges) = fixture::study();
    study("Genres of songs", Some("full"), &stages, &edges, &[], None).unwrap()
}

fn stage(name: &str, kind: &str, port: &str, document: Value) -> StageArtifacts {
    let mut stage = StageArtifacts { stage: name.into(), kind: kind.into(), ..StageArtifacts::default() };
    stage.documents.0.insert(port.into(), AnyDocument::of(document).unwrap());
    stage
}

/// What a reader sees, without tags and scripts.
fn words(html: &str) -> String {
    let body = html.split_once("<body>").map_or(html, |(_, body)| body);
    let mut text = String::new();
    let mut inside = false;
    for c in body.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            c if !inside => text.push(c),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The page as a reader who sees no figures has it: a line for each block, cells of a row side by side.
fn readable(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html.split_once("<body>").expect("a body").1;
    while let Some((before, tag)) = rest.split_once('<') {
        let (tag, after) = tag.split_once('>').expect("a whole tag");
        text.push_str(&before.replace('\n', " "));
        let name = tag.split([' ', '/']).find(|part| !part.is_empty()).unwrap_or_default();
        rest = match name {
            "script" | "style" | "svg" if !tag.starts_with('/') => {
                after.split_once(&format!("</{name}>")).expect("its end").1
            }
            _ => after,
        };
        match name {
            "td" | "th" => text.push_str(if tag.starts_with('/') { " " } else { "| " }),
            "dt" if tag.starts_with('/') => text.push_str(": "),
            "dd" if !tag.starts_with('/') => {}
            "h1" | "h2" | "h3" | "h4" if !tag.starts_with('/') => text.push_str("\n# "),
            "a" | "b" | "code" | "em" | "i" | "span" | "strong" | "sub" | "sup" | "time" => {}
            _ => text.push('\n'),
        }
    }
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    let lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
    let text = lines.join("\n").replace("\n# ", "\n\n# ");
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " "), ("&amp;", "&")];
    entities.iter().fold(text, |text, (entity, sign)| text.replace(entity, sign))
}

#[test]
fn what_a_page_says() {
    let (stages, edges) = fixture::study();
    let html = study("Genres of songs", Some("full"), &stages, &edges, &[], Some(&fixture::history())).unwrap();
    check(&html).unwrap();
    insta::assert_snapshot!(readable(&html).replace(env!("CARGO_PKG_VERSION"), "[version]"));
}

#[test]
fn the_page_is_well_formed_with_ordered_headings_and_working_links() {
    let html = page();
    let tags = check(&html).unwrap();
    let ids: Vec<&String> = tags.iter().filter_map(|t| t.attributes.get("id")).collect();
    let distinct: HashSet<&String> = ids.iter().copied().collect();
    assert_eq!(ids.len(), distinct.len(), "an id occurs twice");
    for target in tags.iter().filter_map(|t| t.attributes.get("href")) {
        let id = target.strip_prefix('#').unwrap_or_else(|| panic!("{target} leaves the page"));
        assert!(distinct.contains(&id.to_string()), "#{id} leads nowhere");
    }
    let levels: Vec<u32> = tags
        .iter()
        .filter(|t| t.name.len() == 2 && t.name.starts_with('h') && t.name != "hr")
        .map(|t| t.name[1..].parse().unwrap())
        .collect();
    assert_eq!(levels[0], 1);
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1 && pair[1] > 1), "{levels:?}");
}

#[test]
fn the_page_needs_nothing_from_elsewhere() {
    let html = page();
    let without_namespace = html.replace("http://www.w3.org/2000/svg", "");
    for foreign in
        ["http:", "https:", "//cdn", "@import", "url(", " src=", "<link", "<iframe", "<img", "fetch(", "XMLHttpRequest"]
    {
        assert!(!without_namespace.contains(foreign), "{foreign}");
    }
    assert!(html.contains("default-src 'none'"));
    assert!(html.len() < 3_000_000, "{} bytes", html.len());
}

#[test]
fn equal_studies_give_equal_pages() {
    assert_eq!(page(), page());
}

#[test]
fn every_kind_of_stage_has_its_section() {
    let html = page();
    for id in [
        "summary",
        "pipeline",
        "data",
        "split",
        "baselines",
        "search",
        "training",
        "comparison",
        "transfer",
        "predictions",
        "appendix",
    ] {
        assert!(html.contains(&format!("<section id=\"{id}\">")), "{id}");
    }
    let audit = html.find("Leakage audit</h3>").unwrap();
    let columns = html.find("Columns</h3>").unwrap();
    assert!(audit < columns, "the audit comes first");
}

#[test]
fn hostile_names_stay_text() {
    let hostile = "</style><script>alert(1)</script><img src=x onerror=alert(1)>\"'&";
    let quoted = serde_json::to_string(hostile).unwrap();
    let (mut stages, mut edges) = fixture::study();
    for stage in &mut stages {
        let renamed = |text: String| text.replace("\"r&b\"", &quoted).replace("\"danceability\"", &quoted);
        for document in stage.documents.0.values_mut() {
            *document = AnyDocument::read(renamed(serde_json::to_string(document).unwrap()).as_bytes()).unwrap();
        }
        if stage.stage == "fused" {
            stage.stage = hostile.into();
            stage.kind = "train".into();
            stage.files.push(Delivered { name: hostile.into(), port: hostile.into(), ..Delivered::default() });
            stage.inputs.push((hostile.into(), hostile.into()));
            stage.params = json!({hostile: hostile});
        }
    }
    for (from, to) in &mut edges {
        for end in [from, to] {
            if end == "fused" {
                *end = hostile.into();
            }
        }
    }
    let html = study(hostile, Some(hostile), &stages, &edges, &[], Some(&hostile_history(hostile))).unwrap();
    let tags = check(&html).unwrap();
    let is_data = |tag: &&Tag| tag.attributes.get("type").is_some_and(|kind| kind == "application/json");
    assert_eq!(tags.iter().filter(|t| t.name == "script").filter(|tag| !is_data(tag)).count(), 1);
    assert!(!tags.iter().any(|t| t.name == "img" || t.attributes.keys().any(|k| k.starts_with("on"))));
    assert!(words(&html).contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
}

/// The history with that text in every place that a user's text can reach.
fn hostile_history(text: &str) -> History {
    let mut history = fixture::history();
    for stage in &mut history.stages {
        if stage.stage == "fused" {
            stage.stage = text.into();
        }
        stage.headline = text.into();
        stage.warnings = vec![text.into()];
        stage.stale = vec![text.into()];
        if let Since::Changed(changes) = &mut stage.since {
            changes[0] = Change { what: text.into(), how: text.into(), at: Some(text.into()), inherited: false };
        }
    }
    history.models[0].model = text.into();
    history.models[0].stage = text.into();
    history.models[0].examples[0] = FlippedRow {
        flip: Flip { row_id: 1, label: text.into(), a: text.into(), b: text.into(), gained: true },
        texts: vec![(text.into(), text.into())],
    };
    history
}

#[test]
fn every_stage_of_the_graph_opens_its_panel() {
    let (stages, _) = fixture::study();
    let html = page();
    for stage in &stages {
        let id = format!("panel-{}", stage.stage.replace('@', "-40").replace('=', "-3d"));
        assert_eq!(html.matches(&format!("<a href=\"#{id}\"><g>")).count(), 2, "wide and narrow: {id}");
        let panel = html.split_once(&format!("id=\"{id}\">")).unwrap_or_else(|| panic!("no {id}")).1;
        let panel = panel.split_once("</details>").unwrap().0;
        assert!(panel.contains(&format!("<code>{}</code>", stage.kind)), "{panel}");
        for file in stage.files.iter().take(24) {
            assert!(panel.contains(&file.name) && panel.contains(&file.digest[..12]), "{}: {panel}", file.name);
        }
    }
    let baseline = html.split_once("id=\"panel-baseline\">").unwrap().1;
    assert!(baseline.contains("<pre tabindex=\"0\"><code>"), "parameters as YAML");
}

#[test]
fn curves_lie_in_the_page_as_numbers() {
    let (stages, edges) = fixture::study();
    let html = study("t", None, &stages, &edges, &[], None).unwrap();
    let all: Vec<Value> = html
        .split("class=\"course\">")
        .skip(1)
        .map(|after| serde_json::from_str(after.split_once("</script>").unwrap().0).unwrap())
        .collect();
    let table = &stages.iter().find(|s| s.stage == "numeric").unwrap().tables["curves"];
    let Some(ColumnView::Number(loss)) = table.columns.get("valid_loss") else { panic!("no losses") };
    let told = all.iter().flat_map(|course| course["lines"].as_array().unwrap());
    let same = |line: &Value| {
        let found: Vec<f64> = line["y"].as_array().unwrap().iter().map(|y| y.as_f64().unwrap_or(f64::NAN)).collect();
        found.len() == loss.len() && found.iter().zip(loss).all(|(a, b)| (a - b).abs() < 1e-4 * b.abs())
    };
    assert!(told.into_iter().any(same), "the validation losses, to five digits");
}

#[test]
fn a_history_is_told_and_without_one_nothing_is() {
    let (stages, edges) = fixture::study();
    let html = study("t", None, &stages, &edges, &[], Some(&fixture::history())).unwrap();
    check(&html).unwrap();
    let said = words(&html);
    assert!(said.contains("Since the run of 2026-11-22 23:12 UTC (20261122-231205-3f)"), "{said}");
    let inherited = said.matches("2 columns or ports differ").count();
    assert_eq!(inherited, 1, "what follows from another stage is told in the panel alone");
    let without = words(&page());
    for told in ["Since the run", "out of date", "Computed on", "Compared with the run"] {
        assert!(!without.contains(told), "{told}");
    }
}

#[test]
fn a_class_has_one_colour_on_the_whole_page() {
    let html = page();
    let tags = check(&html).unwrap();
    let place = |needle: &str| html.find(needle).unwrap_or_else(|| panic!("{needle}"));
    // Only the six-class stages list edm, which comes first by name: pop is the third on all of the page.
    assert!(place("<i class=\"swatch b-c2\"></i>pop") > 0 && place("<i class=\"swatch b-c0\"></i>edm") > 0);
    assert!(!html.contains("<i class=\"swatch b-c1\"></i>pop"));
    let swatches: Vec<&Tag> =
        tags.iter().filter(|t| t.attributes.get("class").is_some_and(|c| c.starts_with("swatch"))).collect();
    assert!(swatches.len() > 20);
}

#[test]
fn overlapping_intervals_are_no_test() {
    let evaluations = [("forest", 0.60, 1), ("boosting", 0.61, 2), ("bayes", 0.35, 3)].map(|(name, accuracy, seed)| {
        let mut found = fixture::evaluation(name, accuracy, 0.01, 2_000, seed);
        found.cv_accuracy_mean = accuracy;
        found
    });
    let mut baseline =
        StageArtifacts { stage: "baseline".into(), kind: "baseline".into(), ..StageArtifacts::default() };
    baseline.documents.insert("baseline", Baselines { evaluations: evaluations.to_vec() });
    let html = study("t", Some("p"), &[baseline], &[], &[], None).unwrap();
    let said = words(&html);
    assert!(said.contains("Its 95 % interval overlaps that of forest; no paired test was made"), "{said}");
    assert!(!said.to_lowercase().contains("no significant difference"), "{said}");
    let rows: Vec<&str> = html
        .split("<tr>")
        .filter_map(|after| after.split_once("</tr>"))
        .map(|(row, _)| row)
        .filter(|row| row.contains("scope=\"row\""))
        .collect();
    let verdict = |model: &str, verdict: &str| rows.iter().any(|r| r.contains(model) && r.contains(verdict));
    assert!(verdict("bayes", "lower") && !verdict("bayes", "not tested"));
    assert!(verdict("boosting", ">best<") ^ verdict("forest", ">best<"));
    assert!(rows.iter().filter(|r| r.contains("not tested")).count() == 1);
}

#[test]
fn models_of_different_tests_are_not_compared() {
    let train = |name: &str, classes: &[&str], rows| {
        let mut stage = StageArtifacts { stage: name.into(), kind: "train".into(), ..StageArtifacts::default() };
        let parts = Parts { train: None, valid: None, test: Some(scores(classes, rows, 0.6, 9)) };
        stage.documents.insert("metrics", fixture::training(classes, parts, 3));
        stage
    };
    let stages = [train("five", &CLASSES, 1_000), train("three", &CLASSES[..3], 1_000)];
    let said = words(&study("t", Some("p"), &stages, &[], &[], None).unwrap());
    assert!(said.contains("5 classes, 1,000 test rows") && said.contains("3 classes, 1,000 test rows"), "{said}");
    assert!(!said.contains("intervals overlap") && !said.contains("do not overlap"));
}

#[test]
fn curves_are_judged_by_their_numbers() {
    let (stages, _) = fixture::study();
    let mut numeric = stages.into_iter().find(|s| s.stage == "numeric").unwrap();
    let mut metrics = numeric.documents.get::<Training>().unwrap().clone();
    let judgement = GapJudgement::Some;
    metrics.diagnosis =
        vec![Finding::Gap(Gap { epoch: 19, train_accuracy: 0.7, valid_accuracy: 0.6, gap: 0.1, judgement })];
    numeric.documents.insert("metrics", metrics);
    let said = words(&study("t", Some("p"), &[numeric], &[], &[], None).unwrap());
    assert!(said.contains("a gap of 0.100: some over-fitting."), "{said}");
    assert!(said.contains("best epoch 19") && said.contains("138,245 parameters"));
    assert!(said.contains("are confused most"));
}

#[test]
fn learning_curves_come_as_one_figure() {
    let (stages, _) = fixture::study();
    let table = &stages.iter().find(|s| s.stage == "numeric").unwrap().tables["curves"];
    let svg = learning_curves("numeric", table, "cross entropy", Some(19.0)).unwrap();
    let tags = check(&svg).unwrap();
    assert_eq!(tags.iter().filter(|t| t.name == "svg").count(), 6, "five charts in one document");
    assert_eq!(svg.matches("<style>").count(), 1);
    assert_eq!(learning_curves("empty", &TableView::default(), "", None), None);
}

#[test]
fn an_empty_report_and_twins_are_errors_with_remedies() {
    assert_eq!(study("t", Some("p"), &[], &[], &[], None), Err(ReportError::NoStages));
    let twin = || stage("a", "load", "x", Value::Null);
    let error = study("t", Some("p"), &[twin(), twin()], &[], &[], None).unwrap_err();
    assert_eq!(error.to_string(), "two stages of the report are named 'a': stage names must be unique");
}

#[test]
fn stages_without_artifacts_still_make_a_page() {
    let kinds = ["load", "split", "describe", "baseline", "embed", "train", "predict", "transfer", "something new"];
    let stages: Vec<StageArtifacts> = kinds
        .iter()
        .map(|kind| StageArtifacts { stage: kind.replace(' ', "_"), kind: (*kind).into(), ..StageArtifacts::default() })
        .collect();
    let html = study("", Some("p.yaml"), &stages, &[("load".into(), "nowhere".into())], &[], None).unwrap();
    check(&html).unwrap();
    assert!(words(&html).contains("something_new") && !html.contains("id=\"training\""));
}

/// Odd values at every place of every document: the page leaves blocks out, it neither fails nor breaks.
#[test]
fn odd_artifacts_never_break_the_page() {
    let mut noise = Noise::new(3);
    let (stages, _) = fixture::study();
    for original in &stages {
        for _ in 0..25 {
            let mut stage = original.clone();
            // What is no document any more, whoever reads it is told of; what still is one must not break the page.
            for (name, document) in std::mem::take(&mut stage.documents.0) {
                let mut value = serde_json::to_value(document).unwrap();
                damage(&mut value, &mut noise);
                if let Ok(document) = AnyDocument::of(value) {
                    stage.documents.0.insert(name, document);
                }
            }
            let html = study("t", Some("p"), &[stage], &[], &[], None).unwrap();
            let tags = check(&html).unwrap();
            for tag in tags.iter().filter(|t| matches!(t.name.as_str(), "rect" | "text" | "circle" | "path" | "line")) {
                assert!(!tag.attributes.values().any(|v| v.contains("NaN") || v.contains("inf")), "{tag:?}");
            }
        }
    }
}

/// Puts an odd value somewhere.
fn damage(document: &mut Value, noise: &mut Noise) {
    let odd =
        [Value::Null, json!("text"), json!(-1), json!(1e308), json!([]), json!({}), json!([[null], "x"]), json!(true)];
    let mut at = document;
    let mut depth = (noise.next() * 6.0) as usize;
    while depth > 0 && children(at) > 0 {
        let pick = (noise.next() * children(at) as f64) as usize;
        at = match at {
            Value::Array(items) => &mut items[pick],
            Value::Object(fields) => fields.values_mut().nth(pick).unwrap(),
            _ => unreachable!("children() counts none"),
        };
        depth -= 1;
    }
    *at = odd[(noise.next() * odd.len() as f64) as usize].clone();
}

fn children(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len(),
        Value::Object(fields) => fields.len(),
        _ => 0,
    }
}
