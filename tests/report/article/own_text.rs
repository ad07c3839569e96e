//! An author's own text: backslashes, hidden characters, and references to what the article of this pipeline cannot have.

use super::{study, tex};
use crate::workspace::Workspace;

/// The study with an introduction of the author's own.
fn with_introduction(text: &str) -> Workspace {
    let work = study().file("own.md", text);
    work.edit("pipeline.yaml", "    language: en\n", "    language: en\n    text: {introduction: own.md}\n");
    work
}

/// What is said of the study, which is refused before anything runs.
#[track_caller]
fn refused(work: &Workspace) -> String {
    let run = work.run();
    assert!(run.code == Some(2) && run.list("ran").is_empty(), "{}", run.stderr);
    work.stable(&run.stderr)
}

#[test]
fn a_backslash_before_a_letter_is_one() {
    let work = with_introduction("In C:\\temp or \\\\server, 3\\*4 and `D:\\x`.\n");
    work.run().succeeded();
    let text = tex(&work);
    let shown = "In C:\\textbackslash{}temp or \\textbackslash{}server, 3*4 and \\texttt{D:\\textbackslash{}x}.";
    assert!(text.contains(shown), "{text}");
}

#[test]
fn hidden_characters_are_shown_and_warned_of_at_their_place() {
    let work = with_introduction("One\n\nT\u{202e}wo and th\u{1b}ree.\n\n    \u{85}\n");
    work.edit("pipeline.yaml", "author: A. Student", "author: \"A.\\u202e Student\"");
    let plan = work.runner(&["plan", "pipeline.yaml"]);
    let said = String::from_utf8(plan.stderr).expect("UTF-8");
    assert!(plan.status.success(), "{said}");
    insta::assert_snapshot!(work.stable(&said), @r#"
    warning: author has hidden characters, which the article shows as escapes: 'A.\u{202e} Student'
      --> pipeline.yaml:47:13
       |
    47 |     author: "A.\u202e Student"
       |             ^^^^^^^^^^^^^^^^^^
       = help: take them out

    warning: own.md:3:2: a hidden character, which the article shows as '\u{202e}', and another line has such characters
      --> pipeline.yaml:50:26
       |
    50 |     text: {introduction: own.md}
       |                          ^^^^^^
       = help: take it out
    "#);
    work.run().succeeded();
    let text = tex(&work);
    assert!(text.contains("T\\textbackslash{}u\\{202e\\}wo and th\\textbackslash{}u\\{1b\\}ree."), "{text}");
}

#[test]
fn references_to_what_the_pipeline_cannot_have_are_refused_before_anything_runs() {
    let work = with_introduction("One.\n\nSee @fig:search,\n@tab:transfer and @sec:transfer.\n");
    insta::assert_snapshot!(refused(&work));
    // With a search there is one.
    work.write("own.md", b"See @fig:search.\n");
    work.edit(
        "pipeline.yaml",
        "    epochs: 3\n",
        "    epochs: 3\n    search: {trials: 3, space: {optimizer.lr: {choice: [0.001, 0.01, 0.1]}}}\n",
    );
    work.run().succeeded();
    assert!(tex(&work).contains("See Fig.~\\ref{fig:search}."));

    // No network, no model at all.
    let work = with_introduction("@fig:confusion, @sec:inside, @fig:models, @tab:baselines.\n");
    let stages = "stages: [songs, folds, profile, baseline, titles, fused, predict]\n  report";
    work.edit("pipeline.yaml", stages, "stages: [songs, folds, baseline]\n  report");
    insta::assert_snapshot!(refused(&work));
    work.edit("pipeline.yaml", "stages: [songs, folds, baseline]\n", "stages: [songs, folds]\n");
    work.write("own.md", b"@fig:models, @tab:models and @sec:results.\n");
    insta::assert_snapshot!(refused(&work));
    // A section of the author's own is there.
    work.write("own.md", b"See @sec:results.\n");
    work.edit("pipeline.yaml", "text: {introduction: own.md}", "text: {introduction: own.md, results: own.md}");
    work.run().succeeded();
}

/// A text is read whole for the check of the plan: one that is no text of an article's is refused by its size.
#[test]
fn a_text_has_a_bound() {
    let work = with_introduction("");
    let file = std::fs::OpenOptions::new().write(true).open(work.path().join("own.md")).expect("the file");
    file.set_len(5 << 30).expect("a sparse file");
    insta::assert_snapshot!(refused(&work), @"
    error: cannot read 'own.md': it has more than [size]
      --> pipeline.yaml:50:26
       |
    50 |     text: {introduction: own.md}
       |                          ^^^^^^
       = help: paths count from where runner is started
    ");
}

/// What an author says in the pipeline file itself: checked like a file of texts, in each language, and shown.
#[test]
fn a_subject_is_checked_and_shown() {
    let with = |subject: &str| {
        let work = study();
        work.edit("pipeline.yaml", "    language: en\n", &format!("    language: en\n    subject:\n{subject}"));
        work
    };
    let wrong = with(
        "      motivation: {en: \"See [@nobody] and $\\\\input{x}$.\"}\n      limits: {fr: \"> cité\"}\n      earlier_results:\n        - {model: a tree, score: 0.5, cite: nobody}\n",
    );
    insta::assert_snapshot!(refused(&wrong), @r#"
    error: motivation:1: '$\input{x}$': '\input' is not understood in a formula; for the sign itself write \$
      --> pipeline.yaml:51:19
       |
    51 |       motivation: {en: "See [@nobody] and $\\input{x}$."}
       |                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    error: limits:1: quotations are not understood here: write «…» or "…" within a paragraph
      --> pipeline.yaml:52:15
       |
    52 |       limits: {fr: "> cité"}
       |               ^^^^^^^^^^^^^^

    error: no work has the key 'nobody' (there are adam, adamw, batchnorm, bootstrap, boosting, cart, calibration, coral, dropout, ensemble, esl, extratrees, fanova, focal, forest, halving, holm, knn, lightgbm, mccullagh, mcnemar, minilm, naivebayes, numembed, onecycle, randomsearch, realmlp, rmsprop, sbert, spotify, smoothing, svm, tabm, tango, tfidf, tpe, transfer, tsne, ulmfit, wilson, korngraubard)
      --> pipeline.yaml:54:45
       |
    54 |         - {model: a tree, score: 0.5, cite: nobody}
       |                                             ^^^^^^
       = help: give it under `references`
    "#);
    // Whether a stage gives its figure is known once it has run.
    let gone = with("      limits: See @fig:distributions.\n");
    gone.edit(
        "pipeline.yaml",
        "    groups: [artist]\n  article",
        "    groups: [artist]\n    drop: [energy]\n  article",
    );
    assert!(gone.run().error().contains("subject.limits:1: there is no '@fig:distributions'"));
    let work = with(
        "      rows: songs\n      motivation: \"Since $x_i \\\\in X$, see [@tree].\"\n      columns: {tempo: {meaning: speed, unit: bpm}}\n      earlier_results:\n        - {model: a tree, score: 0.544, cite: tree}\n      references:\n        tree: {authors: \"Oak, Ann\", title: On Trees, year: 2019, link: \"https://trees.example/a_b\"}\n",
    );
    work.run().succeeded();
    let appendix = work.path().join("artifacts/study/article/appendix.tex");
    let text = tex(&work) + &std::fs::read_to_string(appendix).unwrap_or_default();
    for part in ["Since $x_{i}\\in X$, see~\\cite{tree}.", "& speed &", " bpm", "a tree~\\cite{tree} & 0.544", "songs"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let works = work.text("artifacts/study/article/references.bib");
    assert!(works.contains("@misc{tree,") && works.contains("url = {https://trees.example/a_b}"), "{works}");
}
