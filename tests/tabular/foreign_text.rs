//! Text of others on its way to the terminal: cells, classes, column names, file names, headlines, arguments, what a program printed. None of it
//! steers a terminal; all of it is shown.

use serde_json::Value;

use crate::workspace::Workspace;

/// ESC, OSC, BEL, DEL, C1 and marks of direction; and what looks like nothing, or like anything.
const HOSTILE: &str = "\u{1b}]0;T\u{7}\u{1b}[31m\u{7f}\u{9b}5m\u{9d}\u{202e}\u{2066}\u{2028}\u{61c}\u{200f}\u{ad}\u{34f}\u{115f}\u{3164}\u{2800}\u{e000}\u{fe0f}";

fn study() -> Workspace {
    let mut rows = format!("a,n{HOSTILE},t,y\n");
    for i in 0..60 {
        rows.push_str(&format!("{i},x{HOSTILE}{},word,{}\n", i % 7, ["plain", &format!("c{HOSTILE}")][i % 2]));
    }
    let file = format!("t{}.csv", HOSTILE.replace(['\u{7f}', '\u{7}'], ""));
    Workspace::new().file(&file, &rows).pipeline(&format!(
        "name: p
seed: 3
vars: {{csv: {}}}
stages:
  rows: {{kind: load, files: {{all: \"${{csv}}\"}}, label: y}}
  folds: {{kind: split, rows: rows, folds: 2}}
  profile: {{kind: describe, rows: folds}}
  base: {{kind: baseline, rows: folds, numeric: [a], models: {{majority: {{}}, logistic: {{}}}}}}
  net: {{kind: train, rows: folds, numeric: [a], network: {{trunk: {{layers: [4]}}}}, epochs: 2}}
  pred: {{kind: predict, model: net, rows: rows, file: o.csv}}
",
        quoted(&file)
    ))
}

/// In double quotes, as YAML wants controls.
fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|c| if c.is_ascii_graphic() { c.to_string() } else { format!("\\u{:04x}", c as u32) })
        .collect();
    format!("\"{escaped}\"")
}

fn hidden(text: &str) -> Option<char> {
    let is_hidden = |c: &char| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}' | '\u{2028}' | '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{3164}' | '\u{2800}' | '\u{e000}' | '\u{fe0f}')
    };
    text.chars().find(is_hidden)
}

/// All that a command prints, without our own colours.
#[track_caller]
fn said(work: &Workspace, arguments: &[&str], code: i32) -> String {
    let mut said = String::new();
    for color in ["0", "1"] {
        let mut command = work.command(arguments);
        let output = command.env_remove("NO_COLOR").env("CLICOLOR_FORCE", color).output().expect("the program starts");
        let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        let mut plain = text;
        for ours in ["1", "2", "32", "33", "36", "1;31", "1;34", "0", "4"] {
            plain = plain.replace(&format!("\u{1b}[{ours}m"), "");
        }
        while let Some(at) = plain.find("\u{1b}[38;5;") {
            let end = plain[at..].find('m').expect("an end");
            plain.replace_range(at..=at + end, "");
        }
        assert_eq!(hidden(&plain), None, "{arguments:?}: {plain:?}");
        said.push_str(&plain);
    }
    said
}

#[test]
fn nothing_from_a_table_steers_the_terminal() {
    let work = study();
    let text = said(&work, &["run", "pipeline.yaml"], 0);
    assert!(text.contains("done"), "{text}");
    for stage in
        ["rows", "rows.all", "folds", "folds.train", "profile", "profile.profile", "base", "net", "net.metrics", "pred"]
    {
        said(&work, &["show", "pipeline.yaml", stage], 0);
    }
    assert!(said(&work, &["show", "pipeline.yaml", "rows"], 0).contains(r"\u{1b}]0;T\u{7}"));
    assert!(said(&work, &["show", "pipeline.yaml", "net"], 0).contains(r"c\u{1b}"));
    for arguments in [
        &["explain", "pipeline.yaml", "base"][..],
        &["plan", "pipeline.yaml"],
        &["graph", "pipeline.yaml"],
        &["runs"],
        &["runs", "show", "last"],
        &["compare", "last", "last"],
    ] {
        said(&work, arguments, 0);
    }
}

#[test]
fn nor_anything_that_an_error_quotes() {
    let work = study();
    let set = format!("csv=none{HOSTILE}.csv").replace('\u{7f}', "");
    for (arguments, code) in [
        (&["run", "pipeline.yaml", "--set", &set][..], 2),
        (&["run", &format!("{HOSTILE}.yaml")], 2),
        (&["run", "pipeline.yaml", "--set", &format!("rows.label=n{HOSTILE}")], 2),
        (&["plan", "pipeline.yaml", &format!("stage{HOSTILE}")], 2),
        (&["plan", "pipeline.yaml", &format!("--{HOSTILE}")], 2),
        (&[HOSTILE], 2),
        (&["gc", "--grace", HOSTILE], 2),
        (&["runs", "show", HOSTILE], 1),
        (&["models", "import", HOSTILE], 1),
    ] {
        said(&work, arguments, code);
    }
    work.write("cells.csv", format!("a,y\n1,p\n{HOSTILE},q\n").as_bytes());
    let typed = "name: t\nstages:\n  rows: {kind: load, files: {all: cells.csv}, types: {a: number}}\n";
    work.write("typed.yaml", typed.as_bytes());
    assert!(said(&work, &["run", "typed.yaml"], 1).contains(r"\u{1b}"));
    let failing = "name: f\nstages:\n  it: {kind: command, run: [sh, -c, 'cat cells.csv >&2; exit 3', \"{out}\"], outputs: {x: x.txt}}\n";
    work.write("failing.yaml", failing.as_bytes());
    assert!(said(&work, &["run", "failing.yaml"], 1).contains(r"\u{1b}]0;T\u{7}"));
    said(&work, &["runs", "show", "last"], 0);
}

#[test]
fn lines_of_json_are_json_and_hold_no_control_either() {
    let work = study();
    for arguments in [
        &["run", "pipeline.yaml", "--json"][..],
        &["plan", "pipeline.yaml", "--json"],
        &["show", "pipeline.yaml", "rows.all", "--json"],
        &["show", "pipeline.yaml", "rows", "--json"],
        &["show", "pipeline.yaml", "net", "--json"],
        &["runs", "--json"],
        &["compare", "last", "last", "--json"],
    ] {
        let output = work.runner(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert_eq!(hidden(&text), None, "{arguments:?}");
        for line in text.lines() {
            let _: Value = serde_json::from_str(line).expect("JSON");
        }
    }
    let rows = work.runner(&["show", "pipeline.yaml", "rows.all", "--json"]);
    let first: Value =
        serde_json::from_str(String::from_utf8(rows.stdout).expect("UTF-8").lines().next().expect("a row"))
            .expect("JSON");
    assert_eq!(first[&format!("n{HOSTILE}")], format!("x{HOSTILE}0"), "nothing is lost by the escapes");
}

#[test]
fn no_name_begins_a_line_of_ours() {
    let mut rows = "a,\"q\n✓ s  ran\nerror: fake\",y\n".to_owned();
    for i in 0..24 {
        rows.push_str(&format!("{i},{},{}\n", i % 3, ["p", "q"][i % 2]));
    }
    rows.push_str("1,1,\"r\nerror: forged\r\n✓ net  ran\"\n");
    let stages = "name: p
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows}
";
    let work = Workspace::new().file("t.csv", &rows).pipeline(stages);
    let text = said(&work, &["run", "pipeline.yaml"], 1);
    assert!(text.contains(r"'r\nerror: forged\r\n✓ net  ran'"), "{text}");
    assert!(!text.lines().any(|line| line.trim_start().starts_with("error: forged")), "{text}");
    // Messages of ours that have several lines keep them.
    assert!(text.lines().any(|line| line.trim_start().starts_with("to leave them out, write in this stage")), "{text}");
    said(&work, &["runs", "show", "last"], 0);

    let net = "  net: {kind: train, rows: folds, numeric: [zz], epochs: 2}\n";
    work.write("pipeline.yaml", format!("{stages}{net}").as_bytes());
    let text = said(&work, &["plan", "pipeline.yaml"], 2);
    assert!(text.contains(r"it has a, q\n✓ s  ran\nerror: fake"), "{text}");
}

#[test]
fn a_page_shows_what_would_turn_its_words() {
    let work = study();
    work.edit("pipeline.yaml", "  pred:", "  page: {kind: report, title: \"t\\u202e\", stages: [rows, folds, profile, net]}\n  paper: {kind: article, title: t, author: a, stages: [rows, folds, profile, net]}\n  pred:");
    work.run().succeeded();
    let page = work.text("artifacts/p/page/report.html");
    assert_eq!(page.chars().find(|c| hidden(&c.to_string()).is_some()), None);
    assert!(page.contains(r"c\u{1b}]0;T"), "a class is shown whole");
    assert_eq!(hidden(&work.text("artifacts/p/paper/article.tex")), None);
}

#[test]
fn no_argument_begins_a_line_of_ours() {
    let work = study();
    let work = work.pipeline("name: p\nstages:\n  rows: {kind: load, files: {all: t.csv}}\n  page: {kind: report, title: T, stages: [rows]}\n");
    work.write("t.csv", b"a,y\n1,p\n");
    const NAME: &str = "x\nFORGED";
    for (arguments, code) in [
        (&["run", "pipeline.yaml", NAME][..], 2),
        (&["run", "pipeline.yaml", "--force", NAME], 2),
        (&["run", NAME], 2),
        (&["plan", "pipeline.yaml", NAME], 2),
        (&["explain", "pipeline.yaml", NAME], 2),
        (&["show", "pipeline.yaml", NAME], 2),
        (&["report", "pipeline.yaml", NAME], 2),
        (&["runs", "--artifacts", NAME], 0),
        (&["runs", "show", NAME, "--artifacts", NAME], 1),
        (&["run", "pipeline.yaml", "rows"], 0),
        (&["compare", NAME, "last"], 2),
        (&["gc", "--grace", NAME], 2),
        (&["gc", "--keep", NAME], 2),
        (&["run", "pipeline.yaml", "--memory", NAME], 2),
        (&["graph", "pipeline.yaml", "--format", NAME], 2),
        (&["completions", NAME], 2),
        (&[NAME], 2),
        (&["--x\nFORGED"], 2),
        (&["plan", "pipeline.yaml", "--x\nFORGED"], 2),
        (&["init", NAME], 0),
    ] {
        let text = said(&work, arguments, code);
        assert!(!text.lines().any(|line| line.trim_start().starts_with("FORGED")), "{arguments:?}: {text}");
        assert!(text.contains("FORGED") || arguments.last() == Some(&"rows"), "{arguments:?}: {text}");
    }
}

#[test]
fn classes_that_differ_in_a_line_break_look_different() {
    let mut rows = "a,y\n".to_owned();
    for i in 0..60 {
        rows.push_str(&format!("{i},{}\n", ["\"u\nv\"", "u v"][i % 2]));
    }
    let work = Workspace::new().file("t.csv", &rows).pipeline(
        "name: p
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2}
  net: {kind: train, rows: folds, numeric: [a], network: {trunk: {layers: [4]}}, epochs: 2}
  page: {kind: report, title: T, stages: [folds, net]}
",
    );
    work.run().succeeded();
    for stage in ["rows", "folds", "net"] {
        let text = said(&work, &["show", "pipeline.yaml", stage], 0);
        assert!(text.contains(r"u\nv") && text.contains("u v"), "{stage}: {text}");
    }
    let page = work.text("artifacts/p/page/report.html");
    assert!(page.contains(r"u\nv") && page.contains("u v"));
}

#[test]
fn title_and_author_are_shown_as_they_are() {
    let work = Workspace::new().file("t.csv", "a,y\n1,p\n2,q\n").pipeline(
        r#"name: p
vars: {title: "One\e[31m\u202e\nTwo\a", author: "A\e\nB"}
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  paper: {kind: article, title: "${title}", author: "${author}", affiliation: "${author}", email: "${author}", stages: [rows]}
  zip: {kind: bundle, name: z, title: "${title}", author: "${author}", stages: [paper]}
"#,
    );
    work.run().succeeded();
    let readme = work.text("artifacts/p/zip/z/README.md");
    assert!(readme.starts_with("# One\\u{1b}[31m\\u{202e}\\nTwo\\u{7}\n\nA\\u{1b}\\nB\n\n"), "{readme}");
    let tex = work.text("artifacts/p/paper/article.tex");
    let shown = r"One\textbackslash{}u\{1b\}[31m\textbackslash{}u\{202e\}\textbackslash{}nTwo\textbackslash{}u\{7\}";
    assert!(tex.contains(&format!("\\title{{{shown}}}")), "{tex}");
    for name in ["author", "email"] {
        let shown = r"A\textbackslash{}u\{1b\}\textbackslash{}nB";
        assert!(tex.contains(&format!("\\{name}{{{shown}}}")), "{name}: {tex}");
    }
}

#[test]
fn a_map_and_its_page_show_the_beginning_of_long_cells() {
    let mut rows = "a,t,y\n".to_owned();
    for i in 0..60 {
        rows.push_str(&format!("{i},{i}{},{}\n", "long ".repeat(4000), ["p", "q"][i % 2]));
    }
    let work = Workspace::new().file("t.csv", &rows).pipeline(
        "name: p
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2}
  plane: {kind: map, rows: folds, numeric: [a], show: [t], method: pca, perplexity: 5}
  net: {kind: train, rows: folds, numeric: [a], network: {trunk: {layers: [4]}}, epochs: 1}
  look: {kind: inspect, model: net, rows: folds, show: [t], repeats: 1}
  page: {kind: report, title: T, stages: [rows, folds, plane, look]}
",
    );
    work.run().succeeded();
    for (folder, most) in [("plane", 60_000), ("look", 60_000), ("page", 400_000)] {
        let files = work.files_under(&format!("artifacts/p/{folder}"));
        for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "svg" || end == "html")) {
            let bytes = work.read(&format!("artifacts/p/{folder}/{}", file.display()));
            assert!(bytes.len() < most, "{folder}/{}: {} bytes", file.display(), bytes.len());
        }
    }
    assert!(work.text("artifacts/p/page/report.html").contains("long long"));
}
