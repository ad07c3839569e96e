//! Articles and bundles, through the program: numbers, references, languages, the author's own text, what makes them stale; and TeX, where
//! it is installed.

mod own_text;
mod scripts;
mod sentences;
#[cfg(unix)]
mod typesetters;

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::screen::stable;
use crate::studies::STUDY;
use crate::workspace::Workspace;

const MORE: &str = r#"  profile:
    kind: describe
    rows: folds
    groups: [artist]
  article:
    kind: article
    title: Two genres & what tells them apart
    author: A. Student
    affiliation: University of X
    language: en
    stages: [songs, folds, profile, baseline, titles, fused, predict]
  report:
    kind: report
    title: t
    stages: [songs, folds, profile, baseline, fused, predict]
  hand_in:
    kind: bundle
    name: student
    files: {study.yaml: pipeline.yaml}
    stages: [article, predict]
"#;

fn study() -> Workspace {
    Workspace::with_songs().pipeline(&format!("{STUDY}{MORE}"))
}

fn json(work: &Workspace, file: &str) -> Value {
    serde_json::from_slice(&work.read(&format!("artifacts/study/{file}"))).expect("JSON")
}

fn tex(work: &Workspace) -> String {
    work.text("artifacts/study/article/article.tex")
}

/// What stands in braces after each `command`.
fn arguments<'a>(text: &'a str, command: &str) -> Vec<&'a str> {
    let after = text.split(command).skip(1);
    after.filter_map(|rest| rest.split_once('}').map(|(inside, _)| inside)).collect()
}

#[test]
fn its_numbers_are_the_artifacts_and_a_new_number_makes_it_stale() {
    let work = study();
    work.run().succeeded();
    let shown = |work: &Workspace| {
        let test = &json(work, "fused/metrics.json")["parts"]["test"];
        let of = |value: &Value| format!("{:.3}", value.as_f64().expect("a number"));
        let interval = &test["intervals"]["accuracy"];
        (of(&test["accuracy"]), format!("[{}, {}]", of(&interval["low"]), of(&interval["high"])))
    };
    let (accuracy, interval) = shown(&work);
    let text = tex(&work);
    assert!(text.contains(&format!("reaches an accuracy of {accuracy} (95\\% interval {interval})")), "{text}");
    let baseline = json(&work, "baseline/baseline.json");
    for evaluation in baseline["evaluations"].as_array().expect("a list") {
        let of = |key: &str| evaluation[key].as_f64().expect("a number");
        let cell = format!("{:.3} $\\pm$ {:.3}", of("cv_accuracy_mean"), of("cv_accuracy_std"));
        assert!(text.contains(&cell), "{cell} is not in\n{text}");
    }
    let split = json(&work, "folds/split.json");
    let train = split["parts"]["train"]["rows"].as_u64().expect("a count").to_string();
    assert!(text.contains(&format!("training & {train} &")));
    // Another number: the article is made anew, and says it.
    work.edit("pipeline.yaml", "epochs: 3", "epochs: 9");
    let run = work.run();
    for stage in ["fused", "article", "hand_in"] {
        assert!(run.list("ran").iter().any(|ran| ran == stage), "{stage} did not run");
    }
    let (accuracy, interval) = shown(&work);
    assert!(tex(&work).contains(&format!("{accuracy} (95\\% interval {interval})")));
}

#[test]
fn the_kept_epoch_and_the_comparison_are_what_the_stages_found() {
    let work = study();
    work.run().succeeded();
    let metrics = json(&work, "fused/metrics.json");
    let text = tex(&work);
    let finding = |kind: &str| {
        let all = metrics["diagnosis"].as_array().expect("a list").clone();
        all.into_iter().find(|finding| finding["kind"] == kind)
    };
    // The epoch kept of those trained, in the table of networks.
    let kept = format!("& {}/{} &", metrics["best_epoch"], metrics["training"]["epochs"]);
    let is_network = |line: &&str| line.starts_with("\\texttt{fused} & ") && line.contains(&kept);
    assert!(text.lines().any(|line| is_network(&line)), "{kept}: {text}");
    assert_eq!(text.contains("over-fits from epoch"), finding("over_fitting").is_some());
    // The only two classifiers are a constant and a regression: whatever the test says, one of the three phrases stands there, and the p with it.
    let phrases = [
        "The accuracy of \\texttt{fused} does not differ significantly from",
        "\\texttt{fused} is more accurate by",
        "\\texttt{fused} is less accurate by",
    ];
    assert_eq!(phrases.iter().filter(|phrase| text.contains(**phrase)).count(), 1, "{text}");
}

#[test]
fn every_reference_and_citation_leads_somewhere() {
    let work = study();
    work.run().succeeded();
    let (text, works) = (tex(&work), work.text("artifacts/study/article/references.bib"));
    let labels = arguments(&text, "\\label{");
    let referred = arguments(&text, "\\ref{");
    assert!(referred.len() > 6 && referred.iter().all(|label| labels.contains(label)), "{referred:?} of {labels:?}");
    assert!(!text.contains("??"));
    // Every figure and table is referred to.
    for label in labels.iter().filter(|label| label.starts_with("fig:") || label.starts_with("tab:")) {
        assert!(referred.contains(label), "nothing refers to {label}");
    }
    let cited: Vec<&str> = arguments(&text, "\\cite{").into_iter().flat_map(|keys| keys.split(',')).collect();
    let known: Vec<&str> = works
        .lines()
        .filter_map(|line| line.strip_prefix('@')?.split_once('{'))
        .map(|(_, key)| key.trim_end_matches(','))
        .collect();
    assert!(
        !known.is_empty() && cited.iter().all(|key| known.contains(key)) && known.iter().all(|key| cited.contains(key))
    );
    for file in
        arguments(&text, "\\includegraphics[").into_iter().filter_map(|rest| rest.split_once('{')).map(|(_, file)| file)
    {
        let bytes = work.read(&format!("artifacts/study/article/{file}"));
        assert!(bytes.starts_with(b"%PDF-1.4") && bytes.ends_with(b"%%EOF\n"), "{file}");
    }
}

#[test]
fn own_text_is_kept_set_and_checked() {
    let work =
        study().file("intro.md", "We ask *one* question [@adamw], see @tab:models.\n").file("end.md", "- a\n- b\n");
    work.edit(
        "pipeline.yaml",
        "    language: en\n",
        "    language: en\n    text: {introduction: intro.md}\n    text_after: {conclusion: end.md}\n",
    );
    work.run().succeeded();
    let text = tex(&work);
    assert!(text.contains("We ask \\emph{one} question~\\cite{adamw}, see Table~\\ref{tab:models}."), "{text}");
    assert!(text.contains("\\begin{itemize}\n\\item a\n\\item b\n"));
    assert!(text.contains("The author's are passages of these sections: Introduction and Conclusion"));
    // An edit of the text runs the article and what holds it, and nothing else.
    work.write("intro.md", b"We ask another question.\n");
    work.run().ran(&["article", "hand_in"]);
    assert!(tex(&work).contains("We ask another question."));
    // A number changes: the text stays.
    work.edit("pipeline.yaml", "epochs: 3", "epochs: 4");
    work.run().succeeded();
    assert!(tex(&work).contains("We ask another question."));
    // What is not understood is told with file and line.
    work.write("intro.md", b"# Mine\n\nSee @fig:nothing and [@nobody].\n");
    let error = work.run().stderr;
    insta::assert_snapshot!(stable(&error), @"
    error: intro.md:1: headings are not understood here: the article has its sections; `text` puts your own words into them
      --> pipeline.yaml:50:26
       |
    50 |     text: {introduction: intro.md}
       |                          ^^^^^^^^
    ");
    // Lines of one table or quotation are one thing.
    work.write("intro.md", b"| a | b |\n|---|---|\n| 1 | 2 |\n\n> One\n> two\n");
    let error = work.run().stderr;
    let told: Vec<&str> = error.lines().filter(|line| line.starts_with("error:")).collect();
    assert!(
        told.len() == 2 && told[0].contains("intro.md:1: tables") && told[1].contains("intro.md:5: quotations"),
        "{error}"
    );
    work.write("intro.md", b"\n\nSee @fig:nothing and [@nobody].\n\n- @fig:map, @fig:classes\n");
    let run = work.run();
    assert!(run.code == Some(2) && run.list("ran").is_empty(), "{}", run.stderr);
    insta::assert_snapshot!(work.stable(&run.stderr));
    // Whether a stage gives its figure is known once it has run.
    work.write("intro.md", b"\n\nSee @fig:curves and @fig:distributions.\n");
    work.edit(
        "pipeline.yaml",
        "rows: folds\n    groups: [artist]",
        "rows: folds\n    groups: [artist]\n    drop: [energy]",
    );
    let run = work.run();
    let error = run.error();
    assert!(run.code == Some(1) && error.contains("intro.md:3: there is no '@fig:distributions'"), "{error}");
}

#[test]
fn french_is_set_as_the_french_do() {
    let work = study().file("intro.md", "Que voir ? Rien : « tout » ; 5 % !\n");
    work.edit("pipeline.yaml", "language: en", "language: fr\n    text: {introduction: intro.md}");
    work.run().succeeded();
    let text = tex(&work);
    let set = "Que voir\\,? Rien\\,: \\guillemotleft{}\\,tout\\,\\guillemotright{}\\,; 5\\,\\%\\,!";
    assert!(text.contains(set), "{text}");
    let accuracy = json(&work, "fused/metrics.json")["parts"]["test"]["accuracy"].as_f64().expect("a number");
    assert!(text.contains(&format!("{accuracy:.3}").replace('.', ",")));
    // Nothing English, no space that breaks before high punctuation, no decimal point but in measures and addresses.
    for english in [" the ", "Table~", "accuracy", "Fig.~\\ref{fig:curves} shows"] {
        assert!(!text[text.find("\\begin{document}").expect("a body")..].contains(english), "{english}");
    }
    for sign in [" ;", " :", " ?", " !", " \\%"] {
        assert!(!text.lines().filter(|line| !line.starts_with('%')).any(|line| line.contains(sign)), "{sign:?}");
    }
    let body = &text[text.find("\\begin{abstract}").expect("an abstract")..];
    let points: Vec<&str> = body
        .lines()
        .filter(|line| !line.contains("\\includegraphics") && !line.contains("tabular") && !line.contains("0.1.0"))
        .filter(|line| {
            line.as_bytes()
                .windows(3)
                .any(|three| three[0].is_ascii_digit() && three[1] == b'.' && three[2].is_ascii_digit())
        })
        .collect();
    assert!(points.is_empty(), "{points:#?}");
}

#[cfg(not(feature = "pdf"))]
#[test]
fn a_build_without_pdf_says_how_to_get_one() {
    let work = study();
    work.edit("pipeline.yaml", "    language: en\n", "    language: en\n    format: pdf\n");
    let output = work.runner(&["plan", "pipeline.yaml"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    insta::assert_snapshot!(stable(&error), @"
    error: this runner was built without PDF
      --> pipeline.yaml:50:13
       |
    50 |     format: pdf
       |             ^^^
       = help: build one with `cargo install --path . --features pdf`, or ask for `format: latex`
    ");
}

#[cfg(feature = "pdf")]
#[test]
fn the_pdf_has_at_most_eight_pages_and_the_same_bytes_twice() {
    for language in ["en", "fr"] {
        let make = || {
            let work = study();
            work.edit("pipeline.yaml", "    language: en\n", &format!("    language: {language}\n    format: pdf\n"));
            work.run().succeeded();
            work.read("artifacts/study/article/article.pdf")
        };
        let pdf = make();
        assert!(pdf.starts_with(b"%PDF-"));
        assert_eq!(pdf, make());
    }
}

#[test]
fn figures_stand_alone_as_svg_and_pdf() {
    let work = study();
    work.run().succeeded();
    let files = work.files_under("artifacts/study/report/figures");
    let of = |ending: &str| {
        let own = files.iter().filter(|path| path.extension().is_some_and(|e| e == ending));
        own.map(|path| path.with_extension("")).collect::<Vec<_>>()
    };
    assert_eq!(of("svg"), of("pdf"));
    assert!(of("svg").iter().any(|path| path == Path::new("fused-loss")), "{files:?}");
    for path in of("pdf") {
        let pdf = work.read(&format!("artifacts/study/report/figures/{}.pdf", path.display()));
        offsets_are_right(&pdf);
    }
}

/// The cross-reference table points at the objects.
#[track_caller]
fn offsets_are_right(pdf: &[u8]) {
    let text = String::from_utf8_lossy(pdf);
    let start: usize = text
        .rsplit("startxref\n")
        .next()
        .and_then(|rest| rest.lines().next())
        .expect("a start")
        .parse()
        .expect("a number");
    assert!(pdf[start..].starts_with(b"xref\n0 8\n"));
    let table = std::str::from_utf8(&pdf[start..]).expect("a table of letters");
    for (object, line) in table.lines().skip(3).take(7).enumerate() {
        let offset: usize = line[..10].parse().expect("an offset");
        assert!(pdf[offset..].starts_with(format!("{} 0 obj\n", object + 1).as_bytes()), "object {}", object + 1);
    }
}

#[test]
fn a_bundle_holds_everything_with_its_digests_and_is_the_same_twice() {
    use sha2::{Digest, Sha256};
    let zips: Vec<Vec<u8>> = (0..2)
        .map(|_| {
            let work = study();
            work.run().succeeded();
            let folder = "artifacts/study/hand_in/student";
            let files = work.files_under(folder);
            for wanted in
                ["README.md", "SHA256SUMS", "results.lock", "study.yaml", "article/article.tex", "predict/out.csv"]
            {
                assert!(files.iter().any(|path| path == Path::new(wanted)), "{wanted} is not in {files:?}");
            }
            for line in work.text(&format!("{folder}/SHA256SUMS")).lines() {
                let (sum, name) = line.split_once("  ").expect("a sum and a name");
                let bytes = work.read(&format!("{folder}/{name}"));
                assert_eq!(
                    sum,
                    Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
                    "{name}"
                );
            }
            assert_eq!(work.read(&format!("{folder}/study.yaml")), work.read("pipeline.yaml"));
            assert!(work.text(&format!("{folder}/results.lock")).contains("\"out.csv\": "));
            work.read("artifacts/study/hand_in/student.zip")
        })
        .collect();
    assert_eq!(zips[0], zips[1]);
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&zips[0])).expect("a zip");
    let names: Vec<String> = (0..archive.len())
        .map(|i| archive.by_index(i).expect("an entry").name().expect("a name").into_owned())
        .collect();
    assert!(names.is_sorted() && names.iter().all(|name| name.starts_with("student/")), "{names:?}");
}

/// Both languages compile with Debian's TeX Live to at most eight pages, nothing undefined, nothing beyond the margin.
#[test]
fn tex_compiles_it() {
    let has =
        |program: &str| Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    let class = Command::new("kpsewhich").arg("llncs.cls").output();
    if !has("latexmk") || !class.is_ok_and(|found| found.status.success()) {
        return crate::workspace::skip("latexmk or TeX Live's llncs.cls is not installed");
    }
    for language in ["en", "fr"] {
        let work = study();
        work.edit("pipeline.yaml", "language: en", &format!("language: {language}"));
        work.run().succeeded();
        let pages = compile(&work.path().join("artifacts/study/article"), &work.path().join("tex"));
        let shown = work.runner(&["show", "pipeline.yaml", "article", "--json"]).stdout;
        let shown: Value = serde_json::from_slice(&shown).expect("JSON");
        let estimated = shown["provenance"]["measurements"]["pages_estimated"].as_f64().expect("an estimate").ceil();
        assert!((pages..=pages + 1.0).contains(&estimated), "{estimated} pages estimated, {pages} by TeX");
    }
}

/// Compiles a copy of the folder, and gives the article's pages.
#[track_caller]
pub(crate) fn compile(from: &Path, to: &Path) -> f64 {
    std::fs::create_dir_all(to.join("figures")).expect("a folder");
    for folder in ["", "figures"].into_iter().filter(|folder| from.join(folder).exists()) {
        for entry in
            std::fs::read_dir(from.join(folder)).expect("a folder").flatten().filter(|entry| entry.path().is_file())
        {
            std::fs::copy(entry.path(), to.join(folder).join(entry.file_name())).expect("a copy");
        }
    }
    let names: Vec<&str> =
        ["article", "appendix"].into_iter().filter(|name| to.join(format!("{name}.tex")).exists()).collect();
    let mut of_article = 0;
    for name in names {
        let output = Command::new("latexmk")
            .args(["-pdf", "-interaction=nonstopmode", &format!("{name}.tex")])
            .current_dir(to)
            .output();
        let output = output.expect("latexmk starts");
        let log = String::from_utf8_lossy(&std::fs::read(to.join(format!("{name}.log"))).expect("a log")).into_owned();
        assert!(output.status.success(), "{log}");
        let wrong = |line: &&str| {
            let signs = ["undefined", "Missing character"];
            line.starts_with("Overfull") || line.starts_with("! ") || signs.iter().any(|sign| line.contains(sign))
        };
        let wrong: Vec<&str> = log.lines().filter(wrong).collect();
        assert!(wrong.is_empty(), "{name}: {wrong:#?}");
        let pages = log
            .split("Output written on")
            .nth(1)
            .and_then(|rest| rest.split_once('('))
            .and_then(|(_, rest)| rest.split(' ').next());
        let pages: usize = pages.expect("a number of pages").parse().expect("a number");
        assert!(name == "appendix" || pages <= 8, "{pages} pages");
        if name == "article" {
            of_article = pages;
        }
    }
    of_article as f64
}

#[test]
fn nothing_of_an_authors_text_or_a_table_is_tex() {
    let own = "See [here](https://a.example/^^7d^^5cinput^^7bx^^7d?a=%41&b_c#d~e) and **[*there*](mailto:a^^41@b.example)**, ^^42 and `^^43`.\n\n- [not an option]\n";
    let hostile = "a^^7d\\input{secret}%&#_~$[x]";
    let rows: String = (0..60).map(|i| format!("{i},{},{}\n", i * 7 % 11, [hostile, "q"][i % 2])).collect();
    let work =
        Workspace::new().file("t.csv", &format!("{hostile},b,y\n{rows}")).file("own.md", own).pipeline(&format!(
            "name: study
seed: 1
stages:
  rows: {{kind: load, files: {{all: t.csv}}, label: y}}
  folds: {{kind: split, rows: rows, folds: 2}}
  profile: {{kind: describe, rows: folds}}
  base: {{kind: baseline, rows: folds, numeric: ['{hostile}', b], models: {{majority: {{}}, logistic: {{}}}}}}
  article: {{kind: article, title: '{hostile}', author: '{hostile}', affiliation: '{hostile}', email: 'a^^7d@{hostile}',
    text: {{introduction: own.md}}, text_after: {{conclusion: own.md}}, stages: [rows, folds, profile, base]}}
"
        ));
    work.run().succeeded();
    for file in work
        .files_under("artifacts/study/article")
        .iter()
        .filter(|file| file.extension().is_some_and(|end| end == "tex" || end == "bib"))
    {
        let text = work.text(&format!("artifacts/study/article/{}", file.display()));
        assert!(!text.contains("^^"), "{}", file.display());
        assert!(!text.contains("\\input{"), "{}", file.display());
    }
    let text = tex(&work);
    assert!(text.contains("\\href{https://a.example/\\%5E\\%5E7d\\%5E\\%5E5cinput"), "{text}");
    assert!(text.contains("?a=\\%41\\&b\\_c\\#d\\~e}{here}") && text.contains("\\item {[}not an option]"), "{text}");
}
