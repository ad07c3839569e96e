//! What holds for every kind of stage: it is documented, gives the same bytes each time and after an interruption, and is shown to people.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use runner::artifact::Store;
use runner::engine::{self, Event, Outcome, Plan, RunOptions, Workspace as Engine};
use runner::{spec, stages};

use crate::kinds::{BASE, EXAMPLES, table};
use crate::records;
use crate::workspace::Workspace;

/// A study of all examples, each a stage named after its kind with `my-` before it, and a report on all of them.
fn study() -> (Workspace, String) {
    let work = Workspace::new().file("rows.csv", &table(240));
    let mut yaml = BASE.to_owned();
    for example in EXAMPLES {
        yaml += &format!("  my-{}: {}\n", example.kind, example.stage);
    }
    let named: Vec<String> = EXAMPLES.iter().map(|example| format!("my-{}", example.kind)).collect();
    yaml += &format!("  everything: {{kind: report, title: Every kind, stages: [{}]}}\n", named.join(", "));
    let yaml = yaml.replace(": rows.csv", &format!(": {}", work.path().join("rows.csv").display()));
    (work.pipeline(&yaml), yaml)
}

fn plan(yaml: &str) -> Plan {
    let spec = spec::parse("study.yaml", yaml, &[]).unwrap_or_else(|problems| panic!("{problems}"));
    Plan::new(spec, stages::registry()).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Runs everything into a store of its own. With `interrupted`, each example is asked to stop as it starts, and runs again later.
fn run(plan: &Plan, artifacts: &Path, threads: usize, interrupted: bool) {
    let store = Store::open(artifacts).expect("a store");
    let engine = Engine { plan, store: &store, artifacts, device: stages::device_class() };
    let options = RunOptions { threads, ..RunOptions::default() };
    for example in EXAMPLES.iter().filter(|_| interrupted) {
        let name = format!("my-{}", example.kind);
        let selected = plan.select(std::slice::from_ref(&name)).expect("a stage");
        let stop = AtomicBool::new(false);
        let sink = |event: Event| {
            if matches!(event, Event::Started { stage, .. } if stage == name) {
                stop.store(true, Ordering::SeqCst);
            }
        };
        let summary = engine::run(&engine, &selected, &options, &sink, &|| stop.load(Ordering::SeqCst));
        assert_eq!(summary.expect("a run").with(Outcome::Interrupted), [name.as_str()]);
        assert_eq!(store.current("study", &name), None, "{name} left a result");
    }
    let all = plan.select(&[]).expect("all stages");
    let summary = engine::run(&engine, &all, &options, &|_| {}, &|| false).expect("a run");
    assert!(summary.succeeded(), "{:?}", summary.with(Outcome::Failed));
}

#[test]
fn every_kind_has_an_example_and_documentation() {
    let registry = stages::registry();
    let kinds: Vec<&str> = registry.names().collect();
    let examples: Vec<&str> = EXAMPLES.iter().map(|example| example.kind).collect();
    assert_eq!(kinds, examples, "tests/support/src/kinds.rs has an example of every kind, in the order of the kinds");

    let schema = stages::schema::pipeline_schema();
    for kind in kinds {
        let info = registry.get(kind).expect("a kind of the list");
        assert!(info.summary.len() > 20, "{kind}: '{}' says nothing of what it does", info.summary);
        let mut of_kind = schema["$defs"].as_object().expect("definitions").values();
        let definition = of_kind.find(|definition| definition["properties"]["kind"]["const"] == kind);
        let definition = definition.unwrap_or_else(|| panic!("the schema has no kind {kind}"));
        let text = |value: &serde_json::Value| value["description"].as_str().unwrap_or_default().to_owned();
        assert!(text(definition).len() > 40, "{kind} has no documentation");
        assert_eq!(text(&definition["properties"]["kind"]), info.summary, "{kind}");
        for (name, property) in definition["properties"].as_object().expect("properties") {
            // What every stage may have is described once, beside the kinds.
            let elsewhere = property["$ref"].is_string() || property.is_boolean();
            assert!(elsewhere || !text(property).is_empty(), "{kind}.{name} has no documentation");
        }
    }
}

#[test]
fn every_kind_gives_the_same_bytes_again_and_after_an_interruption_and_is_shown() {
    let (work, yaml) = study();
    let plan = plan(&yaml);
    for (folder, threads, interrupted) in [("artifacts", 1, false), ("again", 2, false), ("interrupted", 2, true)] {
        run(&plan, &work.path().join(folder), threads, interrupted);
    }
    for example in EXAMPLES {
        let folder = format!("study/my-{}", example.kind);
        let files = work.files_under(&format!("artifacts/{folder}"));
        assert!(!files.is_empty(), "{} delivers nothing", example.kind);
        for other in ["again", "interrupted"] {
            assert_eq!(files, work.files_under(&format!("{other}/{folder}")), "{}", example.kind);
            for file in &files {
                let read = |root: &str| work.read(&format!("{root}/{folder}/{}", file.display()));
                assert!(read("artifacts") == read(other), "{}: {} differs ({other})", example.kind, file.display());
            }
        }
    }

    let page = work.text("artifacts/study/everything/report.html");
    for example in EXAMPLES {
        let name = format!("my-{}", example.kind);
        let output = work.runner(&["show", "pipeline.yaml", &name]);
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "show {name}: {}", String::from_utf8_lossy(&output.stderr));
        let headline = records::headline(&work, &name);
        assert!(!headline.is_empty(), "{name} has no headline");
        let first: String = headline.chars().take(20).collect();
        assert!(shown.contains(&first), "show {name} says nothing of '{headline}':\n{shown}");
        // The graph of the pipeline names every stage anyway.
        let mut sections = page.split("<section id=\"").skip(1).filter(|section| !section.starts_with("pipeline"));
        assert!(sections.any(|section| section.contains(&format!(">{name}<"))), "no section of the page names {name}");
    }
}
