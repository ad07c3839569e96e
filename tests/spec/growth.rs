//! Hopeless files are refused in a time that grows with their length, by a message that anyone can read.

use std::time::{Duration, Instant};

use runner::engine::Plan;
use runner::{spec, stages};

/// What is said of a file, and nothing more than a screenful; within seconds, however slow the machine.
#[track_caller]
fn refused(text: &str, words: &str) {
    let clock = Instant::now();
    let problems = match spec::parse("t.yaml", text, &[]) {
        Err(problems) => problems,
        Ok(spec) => Plan::new(spec, stages::registry()).map(|_| ()).expect_err("a mistake"),
    };
    let told = problems.render(false);
    let took = clock.elapsed();
    assert!(told.contains(words), "'{words}' is not in: {}", &told[..told.floor_char_boundary(2000)]);
    assert!(told.len() < 100_000, "{} bytes are said", told.len());
    assert!(took < Duration::from_secs(20), "it took {took:?}");
}

const ONE: &str = "\nstages:\n  s: {kind: load, files: {a: t.csv}}\n";

#[test]
fn nesting_without_end() {
    let n = 40_000;
    for value in [
        format!("{}{}", "[".repeat(n), "]".repeat(n)),
        format!("{}1{}", "{b: ".repeat(n), "}".repeat(n)),
        "[".repeat(n),
        format!("\n    {}1", "- ".repeat(n)),
    ] {
        refused(&format!("name: t\nvars:\n  a: {value}{ONE}"), "nested more than 64 levels deep");
    }
    let path = format!("s.{}=1", vec!["a"; 20_000].join("."));
    let told = spec::parse("t.yaml", &format!("name: t{ONE}"), &[path]).expect_err("a long path").render(false);
    assert!(told.contains("a path of 20001 keys") && told.len() < 2_000, "{}", told.len());
}

#[test]
fn thousands_of_mistakes() {
    let n = 3_000;
    let stages = |stage: &dyn Fn(usize) -> String| -> String {
        let written: String = (0..n).map(|i| format!("  s{i:05}: {}\n", stage(i))).collect();
        format!("name: t\nstages:\n{written}")
    };
    let vars: String = (0..n).map(|i| format!("  v{i:05}: 1\n")).collect();
    let templates: String = (0..n).map(|i| format!("  t{i:05}: {{kind: load, fils: 1}}\n")).collect();
    refused(&stages(&|_| "{kind: lod, files: {a: t.csv}}".into()), "did you mean 'load'?");
    refused(&stages(&|_| "{kind: load, fils: {a: t.csv}}".into()), "… and");
    refused(&stages(&|i| format!("{{kind: split, rows: s{i:05}x}}")), "2970");
    refused(&format!("{}vars:\n{vars}", stages(&|i| format!("{{kind: load, files: {{a: '${{v{i:05}x}}'}}}}"))), "2970");
    refused(&format!("{}templates:\n{templates}", stages(&|i| format!("{{extends: t{i:05}x}}"))), "2970");
    refused(
        &format!("{}templates:\n{templates}", stages(&|i| format!("{{extends: t{i:05}, files: {{a: t.csv}}}}"))),
        "unknown key 'fils'",
    );
    refused(&stages(&|i| format!("{{kind: split, rows: s{:05}}}", (i + 1) % n)), "in a circle");
    let circle: String = (0..n).map(|i| format!("  v{i:05}: '${{v{:05}}}'\n", (i + 1) % n)).collect();
    refused(&format!("name: t\nvars:\n{circle}{ONE}"), "in a circle: v00000 → v00001");
}

#[test]
fn long_chains_and_long_lines_are_read() {
    let n = 5_000;
    let chain: String = (0..n).map(|i| format!("  v{i:05}: '${{v{:05}}}'\n", i + 1)).collect();
    let items = vec!["x"; 50_000].join(", ");
    let text = format!("name: t\nvars:\n{chain}  v{n:05}: 1\n  list: [{items}]{ONE}");
    let clock = Instant::now();
    let read = spec::parse("t.yaml", &text, &[]).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(read.vars["v00000"].to_json(), 1);
    assert!(clock.elapsed() < Duration::from_secs(20), "it took {:?}", clock.elapsed());
}

#[test]
fn copies_of_copies() {
    let laughs = |reference: &dyn Fn(usize) -> String, anchor: &dyn Fn(usize) -> String| -> String {
        let line = |i: usize| format!("  a{i}: {}[{}]\n", anchor(i), vec![reference(i - 1); 10].join(","));
        format!("name: t\nvars:\n  a0: {}[x,x]\n{}{ONE}", anchor(0), (1..12).map(line).collect::<String>())
    };
    refused(&laughs(&|i| format!("*b{i}"), &|i| format!("&b{i} ")), "values by aliases");
    refused(&laughs(&|i| format!("'${{a{i}}}'"), &|_| String::new()), "expand without measure");
    let keys: String = (0..20_000).map(|i| format!("k{i}: 1, ")).collect();
    let stages: String = (0..2_000).map(|i| format!("  s{i}: {{extends: t}}\n")).collect();
    refused(
        &format!("name: t\ntemplates:\n  t: {{kind: load, {keys}}}\nstages:\n{stages}"),
        "templates give more than",
    );
}

#[test]
fn values_without_end_are_quoted_by_their_beginning() {
    let long = "k".repeat(1_000_000);
    refused(&format!("name: t\nstages:\n  s: {{kind: {long}}}\n"), "unknown stage kind 'kkkk");
    refused(&format!("name: t\n? {long}\n: 1{ONE}"), "unknown key 'kkkk");
}
