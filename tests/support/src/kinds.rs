//! An example of every kind of stage, and how each can be interrupted.

use std::fmt::Write as _;
use std::time::Duration;

use crate::studies::noise;

/// A kind with a stage of it that is over in a moment, and what to interrupt.
pub struct Example {
    pub kind: &'static str,
    /// YAML in flow style; its inputs are stages of [`BASE`].
    pub stage: &'static str,
    pub interrupted: &'static [Work],
}

/// A stage, and how long after its start the user asks it to stop.
pub struct Work {
    pub stage: &'static str,
    pub after: Duration,
}

/// Work that would go on for many seconds.
const fn long(stage: &'static str) -> Work {
    Work { stage, after: Duration::from_millis(400) }
}

/// Work that no small table makes long: the user asks as it starts.
const fn short(stage: &'static str) -> Work {
    Work { stage, after: Duration::ZERO }
}

/// Every kind. `large.csv` and the stage `wide` are the interrupting test's own.
pub const EXAMPLES: &[Example] = &[
    Example {
        kind: "load",
        stage: "{kind: load, files: {all: rows.csv}, label: y}",
        interrupted: &[short("{kind: load, files: {all: large.csv}, label: y}")],
    },
    Example {
        kind: "split",
        stage: "{kind: split, rows: rows, groups: [word], folds: 10}",
        interrupted: &[short("{kind: split, rows: rows, groups: [word], folds: 10}")],
    },
    Example {
        kind: "describe",
        stage: "{kind: describe, rows: folds}",
        interrupted: &[long("{kind: describe, rows: wide, options: {folds: 100}}")],
    },
    Example {
        kind: "baseline",
        stage: "{kind: baseline, rows: folds, numeric: [a, b, c], models: {logistic: {}, tree: {}}}",
        interrupted: &[
            long("{kind: baseline, rows: folds, numeric: [a, b, c], models: {boosting: {rounds: 100000}}}"),
            long("{kind: baseline, rows: folds, numeric: [a, b, c], models: {random_forest: {trees: 100000}}}"),
            long(
                "{kind: baseline, rows: folds, numeric: [a, b, c], models: {rbf_svm: {c: 100000, tolerance: 1.0e-9}}}",
            ),
            // It ends by rounding long before its iterations do.
            short(
                "{kind: baseline, rows: folds, numeric: [a, b, c], models: {logistic: {c: 1.0e9, tolerance: 1.0e-300, max_iterations: 1000000}}}",
            ),
        ],
    },
    Example {
        kind: "embed",
        stage: "{kind: embed, rows: rows, fit: folds.train, columns: [text], encoder: tfidf, tfidf: {dim: 8}}",
        interrupted: &[long(
            "{kind: embed, rows: rows, fit: folds.train, columns: [text], encoder: tfidf, tfidf: {dim: 700}}",
        )],
    },
    Example {
        kind: "train",
        stage: "{kind: train, rows: folds, numeric: [a, b, c], network: {trunk: {layers: [8]}}, epochs: 3}",
        interrupted: &[long(
            "{kind: train, rows: folds, numeric: [a, b, c], network: {trunk: {layers: [64]}}, epochs: 1000000, early_stopping: {patience: 1000000}}",
        )],
    },
    Example {
        kind: "variations",
        stage: "{kind: variations, rows: folds, numeric: [a, b, c], network: {trunk: {layers: [8]}}, epochs: 3, seeds: 2, vary: {batch_size: [16, 64]}, without: {dropout: {network.dropout: 0}}}",
        interrupted: &[long(
            "{kind: variations, rows: folds, numeric: [a, b, c], network: {trunk: {layers: [64]}}, epochs: 1000000, vary: {batch_size: [16]}}",
        )],
    },
    Example {
        kind: "ensemble",
        stage: "{kind: ensemble, members: [base, net], models: [base, net]}",
        interrupted: &[short("{kind: ensemble, members: [base, net], models: [base, net]}")],
    },
    Example {
        kind: "inspect",
        stage: "{kind: inspect, model: net, rows: folds, repeats: 2}",
        interrupted: &[long("{kind: inspect, model: net, rows: folds, repeats: 10000}")],
    },
    Example {
        kind: "map",
        stage: "{kind: map, rows: folds, numeric: [a, b, c], points: 60, perplexity: 5, iterations: 300}",
        interrupted: &[long("{kind: map, rows: folds, numeric: [a, b, c], points: 2500, iterations: 100000}")],
    },
    Example {
        kind: "transfer",
        stage: "{kind: transfer, model: net, rows: folds, strategies: [copy], seeds: 1, epochs: 2}",
        interrupted: &[long(
            "{kind: transfer, model: net, rows: folds, strategies: [copy], seeds: 1, epochs: 1000000, early_stopping: {patience: 1000000}}",
        )],
    },
    Example {
        kind: "refit",
        stage: "{kind: refit, model: net, rows: folds}",
        interrupted: &[short("{kind: refit, model: net, rows: folds}")],
    },
    Example {
        kind: "predict",
        stage: "{kind: predict, model: net, rows: rows, file: out.csv}",
        interrupted: &[short("{kind: predict, model: net, rows: rows, file: out.csv}")],
    },
    Example {
        kind: "report",
        stage: "{kind: report, title: t, stages: [rows, folds, base, net]}",
        interrupted: &[short("{kind: report, title: t, stages: [rows, folds, base, net]}")],
    },
    Example {
        kind: "article",
        stage: "{kind: article, title: t, author: a, stages: [rows, folds, base, net]}",
        interrupted: &[short("{kind: article, title: t, author: a, stages: [rows, folds, base, net]}")],
    },
    Example {
        kind: "bundle",
        stage: "{kind: bundle, name: all, stages: [pages], files: {rows.csv: rows.csv}}",
        interrupted: &[long("{kind: bundle, name: all, stages: [pages], files: {large.csv: large.csv}}")],
    },
    Example {
        kind: "command",
        stage: "{kind: command, run: [sh, -c, 'echo done > \"$1/out.txt\"', sh, \"{out}\"], outputs: {out: out.txt}}",
        interrupted: &[long("{kind: command, run: [sh, -c, 'sleep 60', \"{out}\"], outputs: {out: out.txt}}")],
    },
];

/// What the examples read: small tables, so that it is there in seconds.
pub const BASE: &str = "name: study
seed: 3
stages:
  rows: {kind: load, files: {all: rows.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2}
  base: {kind: baseline, rows: folds, numeric: [a, b], models: {majority: {}, naive_bayes: {}}}
  net: {kind: train, rows: folds, numeric: [a, b, c], network: {trunk: {layers: [8]}}, epochs: 1}
  pages: {kind: report, title: t, stages: [rows]}
";

/// `rows.csv` of [`BASE`]: three numbers, a group of three rows, twelve words and one of six classes.
pub fn table(rows: usize) -> String {
    let mut text = String::from("a,b,c,word,text,y\n");
    for i in 0..rows {
        let [a, b, c] = [1, 2, 3].map(|k| noise(i * 7 + k));
        let words: Vec<String> = (0..12).map(|k| format!("w{}", (noise(i * 13 + k) * 5000.0) as usize)).collect();
        let _ = writeln!(text, "{a},{b},{c},g{},{},k{}", i / 3, words.join(" "), (noise(i) * 6.0) as usize);
    }
    text
}
