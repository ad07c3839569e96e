//! What pages, articles and the terminal claim of a study is true of it: leaks stand beside the score, preprocessing is as clean as it was, and
//! what is counted is all there is.

use std::fmt::Write as _;

use crate::workspace::Workspace;

/// Rows of `classes` classes: `number` and `words` tell something of the class, `code` is its other name.
fn rows(classes: usize) -> String {
    let mut text = "number,code,words,y\n".to_owned();
    let mut seed = 5u64;
    let mut any = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 40) as usize % below
    };
    for row in 0..classes * 40 {
        // The first classes have more rows.
        let class = (row % classes).min(row / 7 % classes);
        let number = (class * 3 + any(11)) as f64 / 10.0;
        let (word, noise) = ((class + any(4)) % 5, any(9));
        writeln!(text, "{number},k{class},word{word} text{noise},c{class:02}").expect("text");
    }
    text
}

const STUDY: &str = "name: p
seed: 3
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2}
  about: {kind: describe, rows: folds}
  words: {kind: embed, rows: rows, fit: folds.train, columns: [words], encoder: tfidf, tfidf: {dim: 4, min_count: 1}}
  net: {kind: train, rows: folds, numeric: [number], text: [words], embeddings: words, categories: [code], epochs: 3, network: {trunk: {layers: [4]}}, class_weights: balanced}
  only: {kind: ensemble, members: [net]}
  page: {kind: report, title: t, stages: [rows, folds, about, words, net, only]}
  paper: {kind: article, title: t, author: A, stages: [rows, folds, about, words, net, only]}
";

fn study(classes: usize) -> Workspace {
    Workspace::new().file("t.csv", &rows(classes)).pipeline(STUDY)
}

/// The article in one line, its font commands and allowed breaks left out.
fn paper(work: &Workspace) -> String {
    let tex = work.text("artifacts/p/paper/article.tex").replace("\\allowbreak{}", "").replace("\\texttt", "");
    tex.replace(['{', '}', '\n'], " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn told(work: &Workspace, arguments: &[&str]) -> String {
    let out = work.runner(arguments);
    String::from_utf8(out.stdout).expect("UTF-8") + &String::from_utf8(out.stderr).expect("UTF-8")
}

#[track_caller]
fn has(text: &str, wanted: &[&str]) {
    wanted.iter().for_each(|part| assert!(text.contains(part), "no '{part}' in:\n{text}"));
}

#[track_caller]
fn lacks(text: &str, unwanted: &[&str]) {
    unwanted.iter().for_each(|part| assert!(!text.contains(part), "'{part}' in:\n{text}"));
}

#[test]
fn a_leak_stands_beside_every_score_that_rests_on_it() {
    let work = study(3);
    let said = told(&work, &["run", "pipeline.yaml"]);
    has(&said, &["net reads code, which leaks the label", "only averages net, which reads code"]);
    has(&work.text("artifacts/p/page/report.html"), &["net reads code, which leaks the label: its scores measure"]);
    has(&told(&work, &["show", "pipeline.yaml", "net"]), &["danger: net reads code"]);
    lacks(&told(&work, &["show", "pipeline.yaml", "about"]), &["danger: net"]);
    has(&told(&work, &["runs"]), &["[danger: reads code, which leaks the label]"]);
    let paper = paper(&work);
    assert_eq!(paper.matches("Caution:").count(), 3, "abstract, results and conclusion: {paper}");
    lacks(&paper, &["no model is shown"]);

    // Without it there is no word of one.
    work.edit("pipeline.yaml", "categories: [code], ", "");
    let said = told(&work, &["run", "pipeline.yaml"]);
    lacks(&said, &["danger:"]);
    assert_eq!(told(&work, &["runs"]).matches("danger:").count(), 1, "of the first run alone");
    lacks(&work.text("artifacts/p/page/report.html"), &["its scores measure"]);
    let paper = self::paper(&work);
    has(&paper, &["no model is shown it"]);
    lacks(&paper, &["Caution:"]);
}

#[test]
fn what_stages_warn_of_is_on_the_page_and_part_of_what_it_depends_on() {
    let work = study(3);
    let sound = work.text("t.csv");
    // Labels are trimmed, and that is said.
    work.write("t.csv", sound.replacen(",c00\n", ", c00\n", 3).as_bytes());
    work.run_with(&["page"]).succeeded();
    let page = work.text("artifacts/p/page/report.html");
    let warnings =
        page.split_once("id=\"warnings\"").expect("a section").1.split_once("</section>").expect("its end").0;
    insta::assert_snapshot!(warnings, @"
    >
    <h2>Warnings</h2>
    <ul>
    <li><strong>rows: </strong>label &#39;y&#39;: white space around 3 labels is left out, e.g. &#39; c00&#39; (t.csv:2), &#39; c00&#39; (t.csv:3), &#39; c00&#39; (t.csv:4)</li>
    <li><strong>about: </strong>code leaks the label</li>
    </ul>
    ");

    // The same rows, and nothing to warn of.
    work.write("t.csv", sound.as_bytes());
    work.run_with(&["page"]).succeeded();
    let page = work.text("artifacts/p/page/report.html");
    has(&page, &["<strong>about: </strong>code leaks the label"]);
    lacks(&page, &["<strong>rows: </strong>"]);
}

#[test]
fn preprocessing_is_called_clean_only_where_it_was() {
    let work = study(3);
    lacks(&told(&work, &["plan", "pipeline.yaml"]), &["warning"]);
    work.run().succeeded();
    has(&paper(&work), &["fitted on the training part.", "fitted on the training part alone; epochs"]);

    for (fit, shown) in [("rows", "rows"), ("folds.valid", "folds.valid"), ("folds", "folds")] {
        work.write("pipeline.yaml", STUDY.replace("fit: folds.train", &format!("fit: {fit}")).as_bytes());
        let plan = told(&work, &["plan", "pipeline.yaml"]);
        has(&plan, &["warning: the vocabulary of 'words' is fitted on", "`fit: folds.train` of 'words'"]);
        work.run().succeeded();
        let paper = paper(&work);
        has(
            &paper,
            &[&format!("fitted on {shown} , not on the training part alone"), "alone, but for the vocabulary of words"],
        );
    }
}

#[test]
fn what_models_read_and_how_they_learn_is_counted_whole() {
    let work = study(12);
    work.run().succeeded();
    let paper = paper(&work);
    has(
        &paper,
        &[
            "word and character n-grams",
            "In the loss of net , classes are weighted inversely",
            "of 12 classes the 8 with most rows",
        ],
    );
    work.edit("pipeline.yaml", "dim: 4,", "dim: 4, char_ngrams: [0, 0],");
    work.edit("pipeline.yaml", "author: A,", "author: A, language: fr,");
    work.run().succeeded();
    let paper = self::paper(&work);
    has(&paper, &["n-grammes de mots", "des 12 classes, les 8 qui comptent le plus"]);
    lacks(&paper, &["1 colonnes", "n-grammes de caractères", "classifieurs usuels, la"]);
}

#[test]
fn the_same_predictions_have_no_difference_to_be_unsure_of() {
    let work = study(3);
    work.run().succeeded();
    let said = told(&work, &["compare", "net", "only"]);
    has(&said, &["the same prediction for each of"]);
    lacks(&said, &["different sets of rows", "+0.0000 −", "−0.0"]);
    let line = told(&work, &["compare", "net", "only", "--json"]);
    let stage: serde_json::Value = serde_json::from_str(line.lines().nth(1).expect("a stage")).expect("JSON");
    let accuracy = &stage["test"]["scores"][0];
    assert!(accuracy["metric"] == "accuracy" && accuracy["difference"]["low"].is_null(), "{stage:#}");
    assert_eq!(stage["test"]["same_predictions"], true);

    // A run that changed no result of the page's stages has nothing that took a time.
    work.edit("pipeline.yaml", "title: t, author", "title: u, author");
    work.run().succeeded();
    work.edit("pipeline.yaml", "title: t,", "title: v,");
    work.run().succeeded();
    let page = || {
        let out = work.runner(&["report", "pipeline.yaml", "--against", "last~1"]);
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        work.text("artifacts/p/page.html")
    };
    let text = page();
    has(&text, &["no stage has another result"]);
    lacks(&text, &["-0.00 s", "0 stages with"]);

    // Another way to weigh one member is another stage, and the same model.
    work.edit("pipeline.yaml", "members: [net]}", "members: [net], weights: greedy}");
    work.run().succeeded();
    let text = page();
    has(&text, &["The same prediction as before for every row: only."]);
    lacks(&text, &["Models that have another result"]);
    has(&told(&work, &["compare"]), &["the same prediction for each of"]);
}

#[test]
fn a_model_of_a_stage_is_named_as_the_pipeline_names_it() {
    let work = study(3);
    work.edit(
        "pipeline.yaml",
        "  only:",
        "  base: {kind: baseline, rows: folds, numeric: [number], models: {logistic: {}, majority: {}}}\n  only:",
    );
    work.run_with(&["base", "net"]).succeeded();
    assert_eq!(told(&work, &["compare", "base.logistic", "net"]), told(&work, &["compare", "base/logistic", "net"]));
    has(&told(&work, &["compare", "nobody.logistic", "net"]), &["has no stage 'nobody.logistic'"]);
    // The guess of one class says so of itself, whatever its accuracy.
    let page = STUDY.replace("about, words, net, only", "about, base");
    let base = "  base: {kind: baseline, rows: folds, numeric: [number], models: {majority: {}}}\n";
    work.write("pipeline.yaml", page.replace("  only:", &format!("{base}  only:")).as_bytes());
    work.run_with(&["page"]).succeeded();
    has(&work.text("artifacts/p/page/report.html"), &["the model tells no class from another"]);
}

#[test]
fn a_map_of_few_points_has_no_more_neighbours_than_there_are() {
    let work = study(3);
    work.edit(
        "pipeline.yaml",
        "  only:",
        "  plane: {kind: map, rows: folds, numeric: [number], points: 5, perplexity: 2, method: pca}\n  only:",
    );
    let said = told(&work, &["run", "pipeline.yaml", "plane"]);
    has(&said, &["5 points; ", " % of the 4 nearest share the label"]);
}

#[test]
fn three_quarters_of_one_class_are_not_balanced() {
    for (minority, title) in [(4, "classes are somewhat unbalanced"), (2, "classes are fairly balanced")] {
        let mut text = "a,y\n".to_owned();
        (0..200).for_each(|row| {
            writeln!(text, "{},{}", row % 13, ["few", "most"][usize::from(row % minority > 0)]).expect("text")
        });
        let work = Workspace::new().file("t.csv", &text).pipeline(STUDY.split("  words:").next().expect("a beginning"));
        work.run_with(&["about"]).succeeded();
        has(&told(&work, &["show", "pipeline.yaml", "about"]), &[title]);
    }
}
