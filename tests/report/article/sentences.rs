//! What an article says of ensembles, averages over seeds and maps, against the artifacts.

use super::{MORE, json, tex};
use crate::studies::{AVERAGES, STUDY};
use crate::workspace::Workspace;

/// The study with a second network, two ensembles, a map and an average over seeds.
fn larger() -> Workspace {
    let told = "stages: [songs, folds, profile, baseline, titles, fused, predict]";
    let work = Workspace::with_songs().pipeline(&format!("{STUDY}{AVERAGES}{MORE}"));
    work.edit("pipeline.yaml", "trunk: {layers: [4]}}\n", "trunk: {layers: [4]}}\n    seeds: 2\n");
    work.edit(
        "pipeline.yaml",
        told,
        "stages: [songs, folds, profile, baseline, titles, fused, tempo, both, all, plane]",
    );
    work
}

#[test]
fn ensembles_seeds_and_the_map_are_told_by_their_numbers() {
    let work = larger();
    work.run().succeeded();
    let text = tex(&work);
    let appendix = work.path().join("artifacts/study/article/appendix.tex");
    let whole = format!("{text}{}", std::fs::read_to_string(appendix).unwrap_or_default());
    // Of the ensemble that validation prefers, if it is one.
    assert_eq!(
        text.contains("weights chosen on validation rows~\\cite{ensemble}"),
        text.contains("the ensemble \\texttt{"),
        "{text}"
    );
    let near = &json(&work, "plane/map.json")["neighbours"];
    let percent = |key: &str| format!("{:.1}\\%", near[key].as_f64().expect("a share") * 100.0);
    for said in [
        format!("{} of the 10 nearest neighbours", percent("of_own_class")),
        format!("are of its class, rather than {} by chance", percent("by_chance")),
    ] {
        assert!(text.contains(&said), "{said}: {text}");
    }
    assert!(whole.contains("\\label{fig:map}"), "{whole}");
    // Where axes mean nothing, they have neither names nor numbers.
    let svg = work.text("artifacts/study/plane/each-class-on-the-map-of-title-tempo.svg");
    assert!(
        svg.contains(">+ mean of the class<") && !svg.contains("→") && !svg.contains("text-anchor=\"middle\""),
        "{svg}"
    );
    // Only a training of one network has one epoch to mark.
    let one = json(&work, "fused/metrics.json")["best_epoch"].is_u64();
    let best = text.split("Learning curves of \\texttt{").nth(1).and_then(|rest| rest.split('}').next());
    assert!(one && json(&work, "tempo/metrics.json")["best_epoch"].is_null());
    assert_eq!(text.contains("the dashed rule is the epoch kept"), best == Some("fused"), "{text}");
}

/// Models that were judged on other rows, or have other classes, are no part of the table: a sentence says which, and why.
#[test]
fn models_that_do_not_compare_are_named_with_the_reason() {
    let more = "  again: {kind: split, rows: songs, groups: [artist], seed: 99}
  elsewhere: {kind: train, rows: again, numeric: [tempo], network: {trunk: {layers: [4]}}, epochs: 1}
  wide: {kind: load, files: {all: wide.csv}, label: genre}
  parts: {kind: split, rows: wide, folds: 2}
  three: {kind: train, rows: parts, numeric: [tempo], network: {trunk: {layers: [4]}}, epochs: 1}
  simple: {kind: baseline, rows: parts, numeric: [tempo], models: {majority: {}, logistic: {}}}
";
    let mut wide = crate::workspace::songs(120);
    wide.extend((0..60).map(|i| format!("p{i},\"tune {i}\",other {i},{},0.5,pop\n", 140 + i)));
    let told = "stages: [songs, folds, profile, baseline, titles, fused, predict]\n  report";
    for (language, said) in [
        (
            "en",
            "The comparison leaves out \\texttt{elsewhere} (judged on other rows) and \\texttt{three} and the models of \\texttt{simple} (other classes).",
        ),
        (
            "fr",
            "La comparaison laisse de côté \\texttt{elsewhere} (évaluation sur d'autres lignes) et \\texttt{three} et les modèles de \\texttt{simple} (autres classes).",
        ),
    ] {
        let work = Workspace::with_songs().pipeline(&format!("{STUDY}{AVERAGES}{more}{MORE}")).file("wide.csv", &wide);
        let all = "stages: [songs, folds, baseline, fused, tempo, elsewhere, three, simple]\n  report";
        work.edit("pipeline.yaml", told, all);
        work.edit("pipeline.yaml", "language: en", &format!("language: {language}"));
        work.run_with(&["article"]).succeeded();
        let text = tex(&work);
        assert!(text.contains(said), "{text}");
        let table = text.split("\\label{tab:models}").nth(1).and_then(|rest| rest.split("\\end{table}").next());
        assert!(!table.expect("a table").contains("elsewhere"), "{text}");
    }
    // Where all compare nothing is said.
    let work = larger();
    work.run_with(&["article"]).succeeded();
    assert!(!tex(&work).contains("leaves out"));
}

/// What validation chose is said to be chosen by it, be it a network or a standard classifier.
#[test]
fn the_abstract_says_by_what_each_model_was_chosen() {
    let told = "stages: [songs, folds, profile, baseline, titles, fused, predict]\n  report";
    let models = "models: {majority: {}, logistic: {}, naive_bayes: {}}";
    let article = |stages: &str, language: &str| {
        let work = Workspace::with_songs().pipeline(&format!("{STUDY}{AVERAGES}{MORE}"));
        work.edit("pipeline.yaml", told, &format!("stages: [{stages}]\n  report"));
        work.edit("pipeline.yaml", "models: {majority: {}, logistic: {}}", models);
        work.edit("pipeline.yaml", "language: en", &format!("language: {language}"));
        work.run_with(&["article"]).succeeded();
        let text = tex(&work);
        text.split("\\begin{abstract}")
            .nth(1)
            .and_then(|rest| rest.split("\\end{abstract}").next())
            .expect("one")
            .to_owned()
    };
    let standard = "the best standard classifier on validation rows, ";
    for (stages, language, said) in [
        ("songs, folds, baseline, fused", "en", standard),
        ("songs, folds, baseline, fused, tempo", "en", standard),
        ("songs, folds, baseline, fused, tempo", "en", "The model that validation rows prefer, the network "),
        ("songs, folds, baseline", "en", "The model that validation rows prefer, "),
        ("songs, folds, baseline, fused, tempo", "fr", "Le modèle que préfère la validation, le réseau \\texttt{"),
        ("songs, folds, baseline, fused, tempo", "fr", "meilleur classifieur usuel sur la validation, "),
        ("songs, folds, baseline", "fr", "Le modèle que préfère la validation, "),
    ] {
        let found = article(stages, language);
        assert!(found.contains(said), "{said}: {found}");
    }
    // Without a validation part the folds choose.
    let work = Workspace::with_songs().pipeline(
        "name: study
seed: 3
stages:
  songs: {kind: load, files: {all: songs.csv}, label: genre}
  folds: {kind: split, rows: songs, train: 0.8, valid: 0, test: 0.2, folds: 3}
  base: {kind: baseline, rows: folds, numeric: [tempo], models: {logistic: {}, naive_bayes: {}}}
  article: {kind: article, title: t, author: a, stages: [songs, folds, base]}
",
    );
    work.run().succeeded();
    let text = tex(&work);
    for said in ["The model that cross-validation prefers, ", "cross-validation prefers "] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(!text.contains("on validation rows; its"), "{text}");
}

/// A standard classifier that ranks higher than the network, which reads less; a class and rows that the split leaves out.
#[test]
fn what_ranks_higher_reads_more_or_is_left_out_is_told() {
    let rows: String = (0..300)
        .map(|i| {
            let x = f64::from(i * 7919 % 1009) / 1009.0;
            let label = if i % 30 == 0 { "rare" } else { ["low", "high"][usize::from(x > 0.5)] };
            format!("{x:.4},{},{label}\n", i * 31 % 17)
        })
        .collect();
    let study = "name: study
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 3, where: {y: {not: [rare]}}}
  base: {kind: baseline, rows: folds, numeric: [x, z], models: {majority: {}, logistic: {}}}
  net: {kind: train, rows: folds, numeric: [z], network: {trunk: {layers: [4]}}, epochs: 2}
  both: {kind: ensemble, members: [base, net], models: [base, net]}
  page: {kind: report, title: t, author: a, stages: [rows, folds, base, net, both]}
  article: {kind: article, title: t, author: a, stages: [rows, folds, base, net]}
";
    let work = Workspace::new().file("t.csv", &format!("x,z,y\n{rows}")).pipeline(study);
    work.run().succeeded();
    let text = tex(&work);
    let valid = |document: serde_json::Value| document["parts"]["valid"]["macro_f1"].as_f64().expect("a score");
    let baselines = json(&work, "base/baseline.json");
    let logistic = baselines["evaluations"].as_array().expect("a list").iter().find(|one| one["name"] == "logistic");
    let high = logistic.expect("one")["valid"]["macro_f1"].as_f64().expect("a score");
    let low = valid(json(&work, "net/metrics.json"));
    assert!(high > low, "{high} {low}");
    for said in [
        format!("ranks all models, logistic regression stands higher ({high:.3} against {low:.3})"),
        "The two have different inputs: only logistic regression reads \\texttt{x}.".to_owned(),
        "are 10 rows of the files, among them all rows of one class".to_owned(),
    ] {
        assert!(text.contains(&said), "{said}: {text}");
    }
    let page = work.text("artifacts/study/page/report.html");
    for said in
        ["besides z, ", " read x.", "10 rows not selected by", "leaves out all rows of 1 class.", "valid, cross-fitted"]
    {
        assert!(page.contains(said), "{said}");
    }
}
