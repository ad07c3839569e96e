//! Classes, columns and texts of every script: what the fonts of an article can compose it shows, the rest by number, each text different; and it says so.

use std::process::Command;

use super::{compile, tex};
use crate::workspace::{Run, Workspace, skip};

const CLASSES: [&str; 6] = ["北京", "上海", "Ελλάδα", "Straße", "naïve", "a_b"];

/// A study of these classes.
fn study(classes: &[&str], own: &str) -> Workspace {
    let mut rows = "x,größe,y\n".to_owned();
    for i in 0..40 * classes.len() {
        let class = i % classes.len();
        rows.push_str(&format!("{},{},{}\n", class * 3 + i * 7 % 5, i % 11, classes[class]));
    }
    Workspace::new().file("t.csv", &rows).file("own.md", own).pipeline(
        "name: study
seed: 1
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2}
  profile: {kind: describe, rows: folds}
  base: {kind: baseline, rows: folds, numeric: [x, größe], models: {majority: {}, logistic: {}}}
  net: {kind: train, rows: folds, numeric: [x, größe], network: {trunk: {layers: [8]}}, epochs: 4}
  paper: {kind: article, title: T, author: A, text: {introduction: own.md}, stages: [rows, folds]}
  article: {kind: article, title: 'A study of 北京', author: Ælfric Łukasz Ηλίας, affiliation: Université de X, text: {introduction: own.md},
    stages: [rows, folds, profile, base, net]}
  report: {kind: report, title: T, stages: [folds, profile, base, net]}
",
    )
}

fn warnings<'a>(run: &'a Run, stage: &str) -> Vec<&'a str> {
    let own = run.lines.iter().filter(|line| line["event"] == "warning" && line["stage"] == stage);
    own.map(|line| line["message"].as_str().expect("text")).collect()
}

/// The texts that a figure's PDF draws, uncompressed.
fn drawn(pdf: &[u8]) -> String {
    let at = |sign: &[u8]| pdf.windows(sign.len()).position(|window| window == sign).expect("a stream");
    let stream = &pdf[at(b"stream\n") + 7..at(b"\nendstream")];
    let bytes = miniz_oxide::inflate::decompress_to_vec_zlib(stream).expect("zlib");
    bytes.into_iter().map(char::from).collect()
}

#[test]
fn classes_of_every_script_stay_different_in_tex_and_in_figures_and_the_run_says_what_it_numbered() {
    let work = study(&CLASSES, "We look at 北京 and 上海, Ελλάδα and ℝ.\n");
    let run = work.run().succeeded();
    let [said] = warnings(&run, "article")[..] else { panic!("{:?}", warnings(&run, "article")) };
    assert!(said.contains("lack 4 characters of ") && said.contains("'北京'") && said.contains("'上海"), "{said}");
    assert!(
        said.contains("by their numbers, e.g. [U+4E0A]") && said.contains("load a package for their script"),
        "{said}"
    );
    let [said] = warnings(&run, "report")[..] else { panic!("{:?}", warnings(&run, "report")) };
    assert!(said.contains("the figures' PDFs lack 4 characters of 2 words ('") && said.contains("SVG"), "{said}");

    let text = tex(&work);
    assert!(text.contains("We look at 北京 and 上海, $\\mathrm{E}$$\\lambda$$\\lambda$$\\acute{\\alpha}$$\\delta$$\\alpha$ and $\\mathbb{R}$."), "{text}");
    for character in ["5317", "4EAC", "4E0A", "6D77"] {
        let declared = format!("\\DeclareUnicodeCharacter{{{character}}}{{\\codepoint{{{character}}}}}");
        assert!(text.contains(&declared), "{text}");
    }
    assert_eq!(text.matches("\\DeclareUnicodeCharacter").count(), 4, "{text}");

    for (folder, name) in [("report/figures", "net-net-on-the-test-part"), ("report/figures", "profile-rows-by-class")]
    {
        let files = work.files_under(&format!("artifacts/study/{folder}"));
        let file = files
            .iter()
            .find(|file| file.to_string_lossy().starts_with(name) && file.extension().is_some_and(|end| end == "pdf"));
        let file = file.unwrap_or_else(|| panic!("no {name} in {files:?}"));
        let shown = drawn(&work.read(&format!("artifacts/study/{folder}/{}", file.display())));
        assert!(!shown.contains('?'), "{}: {shown}", file.display());
        for number in ["([1]", "([2]", "U+5317 U+4EAC", "U+4E0A U+6D77"] {
            assert!(shown.contains(number), "{number} in {}: {shown}", file.display());
        }
        assert!(shown.contains("(Stra\\337e") && shown.contains("(na\\357ve"), "{shown}");
        let svg = work.text(&format!("artifacts/study/{folder}/{}", file.with_extension("svg").display()));
        assert!(CLASSES.iter().all(|class| svg.contains(class)), "{svg}");
    }
    let page = work.text("artifacts/study/report/report.html");
    assert!(CLASSES.iter().all(|class| page.contains(class)));
}

#[test]
fn cyrillic_is_left_to_the_pdf_and_what_the_fonts_have_says_nothing() {
    let work = study(&["Москва", "b"], "One.\n");
    work.edit("pipeline.yaml", "'A study of 北京'", "T");
    let run = work.run().succeeded();
    let [said] = warnings(&run, "article")[..] else { panic!("{:?}", warnings(&run, "article")) };
    assert!(said.contains("'Москва'") && said.contains("`format: pdf` has fonts for them"), "{said}");
    let work = study(&["Łódź", "Ελλάδα", "ế"], "∀x ∈ ℝ: x² ≥ 0, ½ €, ‚ș‘ and « ő »…\n");
    work.edit("pipeline.yaml", "'A study of 北京'", "T");
    let run = work.run().succeeded();
    // The symbol of the reals is in the text only, where LaTeX has it.
    assert!(warnings(&run, "article").is_empty() && warnings(&run, "report").is_empty(), "{:?}", run.lines);
    assert!(!tex(&work).contains("DeclareUnicodeCharacter"));
}

/// Every Latin, Greek and mathematical character either is known to TeX or declared, and none is missing from a font.
#[test]
fn tex_shows_every_script() {
    let has = |program: &str, argument: &str| {
        Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success())
    };
    if !has("latexmk", "--version") || !has("kpsewhich", "llncs.cls") {
        return skip("latexmk or TeX Live's llncs.cls is not installed");
    }
    let ranges = [0xa1..=0x24f, 0x370..=0x3ff, 0x1e00..=0x1eff, 0x2010..=0x22ff, 0x25a0..=0x266f, 0xfb00..=0xfb06];
    let all = ranges.into_iter().flatten().filter_map(char::from_u32).filter(|c| !c.is_whitespace());
    let all: Vec<String> = all.chain(['x', '\u{323}', '\u{306}']).map(|c| format!("x{c}")).collect();
    let other = "- 北京 1\n- `上海/東京` **한국** 👩\u{200d}👧\n\n```\n  Привет 北\n```\n";
    let work = study(&CLASSES, &format!("{}\n\n{other}", all.join(" ")));
    work.edit("pipeline.yaml", "Université de X, text: {introduction: own.md}", "Université de X");
    work.run().succeeded();
    for stage in ["article", "paper"] {
        compile(&work.path().join("artifacts/study").join(stage), &work.path().join("tex").join(stage));
    }
}
