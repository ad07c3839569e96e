//! A made-up study with every kind of stage, as realistic as its report needs. Nothing here was measured.

use indexmap::IndexMap;
use runner::report::past::{Change, Duel, Earlier, Flip, Past, Score, Since, StagePast};
use runner::report::{ColumnView, Delivered, StageArtifacts, TableView};
use serde_json::{Value, json};

pub const CLASSES: [&str; 5] = ["latin", "pop", "r&b", "rap", "rock"];
const SIX: [&str; 6] = ["edm", "latin", "pop", "r&b", "rap", "rock"];
const COLUMNS: [&str; 14] = [
    "danceability",
    "energy",
    "key",
    "loudness",
    "mode",
    "speechiness",
    "acousticness",
    "instrumentalness",
    "liveness",
    "valence",
    "tempo",
    "duration_ms",
    "track_popularity",
    "release_year",
];

/// A small generator, so that the fixture needs no crate: Knuth's MMIX constants, the upper bits.
pub struct Noise(u64);

impl Noise {
    pub fn new(seed: u64) -> Noise {
        Noise(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Uniform in 0..1.
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// About normal: the sum of twelve uniforms less six.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum::<f64>() - 6.0
    }
}

/// All stages and their edges.
pub fn study() -> (Vec<StageArtifacts>, Vec<(String, String)>) {
    let stages = vec![
        stage("songs", "load", json!({"files": {"train": "data/sample/train.csv"}, "label": "playlist_genre"})),
        split(),
        describe(),
        baseline(),
        stage("titles", "embed", json!({"column": "track_name", "encoder": "sentence-transformers/all-MiniLM-L6-v2"})),
        stage(
            "artists",
            "embed",
            json!({"column": "track_artist", "encoder": "sentence-transformers/all-MiniLM-L6-v2"}),
        ),
        train("numeric", 0.592, true, 3),
        train("text", 0.397, false, 4),
        train("fused", 0.714, true, 5),
        predict("predict_base", &CLASSES),
        predict("predict_full", &CLASSES),
        transfer("transfer", 0.584),
        transfer("transfer_fused", 0.668),
        predict("predict_six", &SIX),
    ];
    let edges = [
        ("songs", "folds"),
        ("songs", "profile"),
        ("folds", "profile"),
        ("folds", "baseline"),
        ("songs", "titles"),
        ("songs", "artists"),
        ("folds", "numeric"),
        ("folds", "text"),
        ("titles", "text"),
        ("folds", "fused"),
        ("titles", "fused"),
        ("artists", "fused"),
        ("numeric", "predict_base"),
        ("songs", "predict_base"),
        ("fused", "predict_full"),
        ("songs", "predict_full"),
        ("numeric", "transfer"),
        ("folds", "transfer"),
        ("fused", "transfer_fused"),
        ("titles", "transfer_fused"),
        ("artists", "transfer_fused"),
        ("transfer_fused", "predict_six"),
        ("songs", "predict_six"),
    ];
    (stages, edges.map(|(from, to)| (from.to_string(), to.to_string())).to_vec())
}

/// A history in which everything occurs: a stage that changed, one that did not, a new one, one out of date; models better, worse and neither.
pub fn past() -> Past {
    let change = |what: &str, how: &str, at: Option<&str>, inherited| Change {
        what: what.to_owned(),
        how: how.to_owned(),
        at: at.map(str::to_owned),
        inherited,
    };
    let changed = vec![
        change("optimizer.lr", "0.001 → 0.003", Some("full.yaml:120:11"), false),
        change("version of the stage's code", "3 → 4", None, false),
        change("input rows folds", "2 columns or ports differ", None, true),
    ];
    let stage = |name: &str, since: Since, stale: &[&str]| StagePast {
        stage: name.to_owned(),
        made: "2026-11-23 23:12 UTC".to_owned(),
        seconds: 63.4,
        memory: Some(812_000_000),
        headline: format!("the headline of {name}"),
        warnings: vec!["a warning <of> it".to_owned()],
        since,
        stale: stale.iter().map(|reason| (*reason).to_owned()).collect(),
    };
    let duel = |stage: &str, before: f64, after: f64, p: f64| Duel {
        model: stage.to_owned(),
        stage: stage.to_owned(),
        rows: 2_000,
        left_out: 3,
        scores: ["accuracy", "macro-F1", "log loss"]
            .map(|metric| Score {
                metric: metric.to_owned(),
                before,
                after,
                low: after - before - 0.012,
                high: after - before + 0.012,
            })
            .to_vec(),
        lost: 40,
        gained: (40.0 + 2_000.0 * (after - before)) as u64,
        p,
        flips: vec![Flip {
            row: 17,
            label: "pop".to_owned(),
            before: "pop".to_owned(),
            after: "r&b".to_owned(),
            texts: vec![("track_name".to_owned(), "A <b>song</b> of 17".to_owned())],
        }],
    };
    Past {
        against: Some(Earlier { id: "20261122-231205-3f".to_owned(), when: "2026-11-22 23:12 UTC".to_owned() }),
        stages: vec![
            stage("songs", Since::Same, &[]),
            stage("fused", Since::Changed(changed), &[]),
            stage("text", Since::New, &["epochs 3 → 9 (full.yaml:26:13)"]),
            stage("numeric", Since::Unknown, &[]),
        ],
        duels: vec![
            duel("fused", 0.64, 0.68, 0.0004),
            duel("numeric", 0.592, 0.587, 0.61),
            duel("text", 0.42, 0.405, 0.012),
        ],
    }
}

fn delivered(name: &str) -> Delivered {
    let digest = format!("{:064x}", name.len());
    Delivered { name: name.to_owned(), port: "files".to_owned(), bytes: 12_345, digest, extent: None }
}

fn stage(name: &str, kind: &str, params: Value) -> StageArtifacts {
    StageArtifacts { stage: name.into(), kind: kind.into(), params, ..StageArtifacts::default() }
}

/// Scores whose confusion has about the accuracy asked for; errors prefer neighbouring classes.
pub fn scores(classes: &[&str], rows: u64, accuracy: f64, seed: u64) -> Value {
    let mut noise = Noise::new(seed);
    let count = classes.len();
    let mut confusion = vec![vec![0u64; count]; count];
    for row in 0..rows as usize {
        let truth = row % count;
        let easy = 0.14 * (truth as f64 / (count - 1) as f64 - 0.5);
        let guess = if noise.next() < accuracy + easy {
            truth
        } else {
            let step = 1 + (noise.next() * noise.next() * (count - 1) as f64) as usize;
            (truth + step.min(count - 1)) % count
        };
        confusion[truth][guess] += 1;
    }
    let total = |c: usize| confusion[c].iter().sum::<u64>();
    let claimed = |c: usize| confusion.iter().map(|r| r[c]).sum::<u64>();
    let ratio = |a: u64, b: u64| if b == 0 { 0.0 } else { a as f64 / b as f64 };
    let per_class: Vec<Value> = (0..count)
        .map(|c| {
            json!({"class": classes[c], "precision": ratio(confusion[c][c], claimed(c)), "recall": ratio(confusion[c][c], total(c)),
                "f1": ratio(2 * confusion[c][c], total(c) + claimed(c)), "support": total(c)})
        })
        .collect();
    let hits: u64 = (0..count).map(|c| confusion[c][c]).sum();
    let macro_f1 = per_class.iter().filter_map(|c| c["f1"].as_f64()).sum::<f64>() / count as f64;
    json!({"rows": rows, "accuracy": ratio(hits, rows), "macro_f1": macro_f1, "log_loss": 2.1 - 1.9 * accuracy, "classes": classes,
        "per_class": per_class, "confusion": confusion})
}

fn split() -> StageArtifacts {
    let part = |rows: u64| {
        let classes: IndexMap<&str, u64> =
            CLASSES.iter().enumerate().map(|(i, c)| (*c, rows / 5 + 7 * i as u64)).collect();
        json!({"rows": classes.values().sum::<u64>(), "classes": classes})
    };
    let mut split = stage("folds", "split", json!({"groups": ["track_id", "track_name + track_artist"]}));
    let parts = json!({"train": part(13_100), "valid": part(2_800), "test": part(2_800)});
    split.json.insert("split".into(), json!({"parts": parts, "groups": 15_061, "folds": 5}));
    split
}

fn baseline() -> StageArtifacts {
    let models = [
        ("majority", 0.213, 0.002),
        ("logistic_regression", 0.505, 0.007),
        ("linear_svm", 0.500, 0.008),
        ("svm_rbf", 0.564, 0.009),
        ("knn", 0.524, 0.006),
        ("naive_bayes", 0.369, 0.011),
        ("decision_tree", 0.516, 0.008),
        ("random_forest", 0.600, 0.006),
        ("extra_trees", 0.586, 0.007),
        ("gradient_boosting", 0.604, 0.008),
    ];
    let evaluations: Vec<Value> = models
        .iter()
        .enumerate()
        .map(|(i, (name, accuracy, deviation))| {
            json!({"name": name, "params": {"seed": 7, "size": 100 * i}, "folds": [], "cv_accuracy_mean": accuracy - 0.004,
                "cv_accuracy_std": deviation, "cv_macro_f1_mean": accuracy - 0.01, "cv_macro_f1_std": deviation,
                "test": scores(&CLASSES, 2_870, *accuracy, 40 + i as u64)})
        })
        .collect();
    let mut stage = stage("baseline", "baseline", json!({"models": models.map(|m| m.0)}));
    stage.json.insert("baseline".into(), json!({"evaluations": evaluations}));
    let timings: Vec<Value> =
        models.iter().map(|m| json!({"name": m.0, "fit_seconds": 1.25, "predict_seconds": 0.03})).collect();
    stage.json.insert("timings".into(), json!({"timings": timings}));
    stage.files = vec![delivered("baseline.json"), delivered("baseline.svg")];
    stage
}

/// Curves that rise to `top` and begin to over-fit.
pub fn curves(epochs: usize, top: f64, seed: u64) -> IndexMap<String, Vec<f64>> {
    let mut noise = Noise::new(seed);
    let mut table: IndexMap<String, Vec<f64>> = IndexMap::new();
    for epoch in 0..=epochs {
        let progress = 1.0 - (-(epoch as f64) / 6.0).exp();
        let late = (epoch as f64 / epochs as f64).powi(2);
        let valid = 0.2 + (top - 0.2) * progress + 0.006 * noise.normal() - 0.012 * late;
        let train = 0.2 + (top - 0.2) * progress + 0.17 * late;
        let mut push = |name: &str, value: f64| table.entry(name.to_string()).or_default().push(value);
        push("epoch", epoch as f64);
        push("train_loss", 1.61 - 1.5 * (train - 0.2));
        push("valid_loss", 1.61 - 1.25 * (valid - 0.2) + 0.12 * late);
        push("train_accuracy", train);
        push("valid_accuracy", valid);
        push("train_macro_f1", train - 0.004);
        push("valid_macro_f1", valid - 0.003);
        push(
            "learning_rate",
            if epoch == 0 {
                0.0
            } else {
                0.002 * (0.5 + 0.5 * (std::f64::consts::PI * epoch as f64 / epochs as f64).cos()).max(1e-4)
            },
        );
        push(
            "gradient_norm",
            if epoch == 0 { 0.0 } else { 0.4 + 2.0 * (-(epoch as f64) / 4.0).exp() + 0.05 * noise.next() },
        );
    }
    table
}

fn table(columns: IndexMap<String, Vec<f64>>) -> TableView {
    TableView { columns: columns.into_iter().map(|(name, values)| (name, ColumnView::Number(values))).collect() }
}

fn train(name: &str, accuracy: f64, numeric: bool, seed: u64) -> StageArtifacts {
    let columns: &[&str] = if numeric { &COLUMNS } else { &[] };
    let mut stage = stage(
        name,
        "train",
        json!({"numeric": columns, "epochs": 30, "network": {"trunk": {"layers": [256, 256, 256]}, "dropout": 0.3},
        "training": {"optimizer": {"kind": "adamw", "lr": 0.002}, "batch_size": 256}}),
    );
    let parts = json!({"train": scores(&CLASSES, 13_170, accuracy + 0.11, seed), "valid": scores(&CLASSES, 2_870, accuracy + 0.005, seed + 100),
        "test": scores(&CLASSES, 2_870, accuracy, seed + 200)});
    stage.json.insert(
        "metrics".into(),
        json!({"parts": parts, "best_epoch": 19, "loss": "cross_entropy", "parameters": 138_245, "classes": CLASSES,
            "inputs": {"numeric": columns, "text": if name == "numeric" { vec![] } else { vec!["track_name"] }, "categories": []},
            "network": {"numeric": {"embedding": "none"}, "trunk": {"kind": "mlp", "layers": [256, 256, 256]}, "batch_norm": true, "dropout": 0.3},
            "training": {"optimizer": {"kind": "adamw", "lr": 0.002}, "schedule": {"kind": "one_cycle"}, "batch_size": 256, "epochs": 30, "label_smoothing": 0.05},
            "diagnosis": [
                {"kind": "epoch_kept", "epoch": 19, "evidence": {"epochs": 30.0, "score": accuracy}, "sentence": "The weights of epoch 19 of 30 are kept."},
                {"kind": "gap", "epoch": 19, "evidence": {"train_accuracy": accuracy + 0.11, "valid_accuracy": accuracy, "gap": 0.11}, "sentence": "A gap of 0.110: some over-fitting."},
            ]}),
    );
    stage.tables.insert("curves".into(), table(curves(30, accuracy + 0.02, seed)));
    stage.files = ["model.safetensors", "model.json", "metrics.json", "curves.arrow"].map(delivered).to_vec();
    if name == "numeric" {
        stage.json.insert("search".into(), search());
    }
    stage
}

fn search() -> Value {
    let mut noise = Noise::new(11);
    let trials: Vec<Value> = (0..12)
        .map(|index| {
            let lr = 1e-4 * 100f64.powf(noise.next());
            let layers = [json!([256]), json!([256, 256]), json!([256, 256, 256]), json!([512, 512])][(noise.next() * 4.0) as usize].clone();
            let dropout = noise.next() * 0.5;
            let accuracy = 0.595 - 0.03 * (lr / 0.002).ln().abs() / 3.0 - 0.04 * (dropout - 0.25).abs() + 0.004 * noise.normal();
            json!({"index": index, "params": {"training.optimizer.lr": lr, "network.trunk.layers": layers, "network.dropout": dropout,
                "training.batch_size": if noise.next() < 0.5 { 128 } else { 256 }}, "valid": scores(&CLASSES, 2_870, accuracy, 60 + index),
                "state": if index == 3 { "pruned" } else { "complete" }, "best_epoch": 8 + index, "epochs": 20})
        })
        .collect();
    let best = (0..12).max_by(|a, b| {
        let of = |i: &usize| trials[*i]["valid"]["macro_f1"].as_f64().unwrap_or(0.0);
        of(a).total_cmp(&of(b))
    });
    let values = |path: &str| trials.iter().map(|trial: &Value| trial["params"][path].clone()).collect::<Vec<_>>();
    let layers = values("network.trunk.layers");
    let depth: Vec<usize> = layers.iter().map(|layers| layers.as_array().map_or(0, Vec::len)).collect();
    let width: Vec<Value> = layers.iter().map(|layers| layers[0].clone()).collect();
    let factors = json!([
        {"path": "training.optimizer.lr", "scale": "logarithmic", "values": values("training.optimizer.lr"), "importance": 0.5},
        {"path": "network.trunk.layers", "aspect": "depth", "scale": "choice", "values": depth, "importance": 0.02},
        {"path": "network.trunk.layers", "aspect": "width", "scale": "choice", "values": width, "importance": 0.05},
        {"path": "network.dropout", "scale": "linear", "values": values("network.dropout"), "importance": 0.2},
        {"path": "training.batch_size", "scale": "choice", "values": values("training.batch_size"), "importance": null},
    ]);
    json!({"method": "random", "trials": trials, "best": best, "metric": "macro_f1", "factors": factors,
        "test_opened": "once, after 12 trials (11 complete, 1 pruned)"})
}

fn transfer(name: &str, accuracy: f64) -> StageArtifacts {
    let mut stage =
        stage(name, "transfer", json!({"strategies": ["scratch", "copy", "frozen"], "seeds": 5, "frozen_layers": 2}));
    let gains = [("scratch", 0.0, 0u64), ("copy", 0.012, 10), ("frozen", -0.004, 20)];
    let strategies: Vec<Value> = gains
        .iter()
        .map(|(strategy, gain, offset)| {
            let runs: Vec<Value> = (0..5)
                .map(|seed| {
                    let groups = |accuracy: f64, noise: u64| {
                        json!({"all": scores(&SIX, 3_600, accuracy, noise), "old_classes": {"accuracy": accuracy - 0.02},
                            "new_classes": {"accuracy": accuracy + 0.08}, "retained": accuracy + 0.05})
                    };
                    json!({"seed": seed, "best_epoch": 14 + seed, "valid": groups(accuracy + gain, 70 + offset + seed),
                        "test": groups(accuracy + gain - 0.003, 170 + offset + seed), "epochs_to_target": 19 - offset / 2,
                        "curves": curves(24, accuracy + gain + 0.01, 90 + offset + seed)})
                })
                .collect();
            json!({"strategy": strategy, "runs": runs})
        })
        .collect();
    let tensors = json!([
        {"tensor": "trunk.layers.0.weight", "old_shape": [256, 14], "new_shape": [256, 14], "action": "copied", "detail": ""},
        {"tensor": "trunk.layers.0.bias", "old_shape": [256], "new_shape": [256], "action": "copied", "detail": ""},
        {"tensor": "head.weight", "old_shape": [5, 256], "new_shape": [6, 256], "action": "rows matched by class", "detail": "latin, pop, r&b, rap, rock; edm is the mean of the old rows"},
        {"tensor": "head.bias", "old_shape": [5], "new_shape": [6], "action": "rows matched by class", "detail": "edm is the mean of the old rows"},
    ]);
    let paired = |gain: f64, p: f64| {
        json!({"mean": accuracy + gain, "deviation": 0.004, "baseline_mean": accuracy, "baseline_deviation": 0.005,
            "mean_difference": gain, "p_value": p / 2.0, "p_corrected": p})
    };
    let comparisons: Vec<Value> = [("copy", 0.012, 0.0004), ("frozen", -0.004, 0.31)]
        .map(|(strategy, gain, p)| {
            json!({"strategy": strategy, "baseline": "scratch", "valid": paired(gain, p), "accuracy": paired(gain, p),
                "old_classes": paired(gain / 2.0, 0.6), "new_classes": paired(gain * 2.0, p), "retained": null})
        })
        .to_vec();
    let share_runs: Vec<Value> = [(0u32, 0.05, 210), (1, 0.25, 1050), (2, 1.0, 4200)]
        .into_iter()
        .flat_map(|(place, share, new_rows)| {
            gains.iter().flat_map(move |(strategy, gain, _)| {
                (0..5u32).map(move |seed| {
                    let reached = accuracy + gain - 0.03 * f64::from(2 - place) + 0.002 * f64::from(seed);
                    json!({"share": share, "new_rows": new_rows, "seed": seed,
                        "strategy": strategy, "accuracy": reached, "old_classes": reached + 0.01, "new_classes": reached - 0.1})
                })
            })
        })
        .collect();
    let share_comparisons = json!([{"share": 0.05, "strategy": "copy", "accuracy": paired(0.02, 0.0004)}]);
    let comments = json!([
        "copy reaches scratch's best validation macro-F1 after 9 epochs instead of 19 (mean of 5 seeds).",
        "no difference beyond seed noise between scratch and frozen: −0.004 ± 0.006.",
    ]);
    stage.json.insert(
        "transfer".into(),
        json!({"strategies": strategies, "tensors": tensors, "comments": comments, "best": "copy", "metric": "macro_f1",
            "part": "test", "old_classes": CLASSES, "classes": SIX, "before": [{"part": "test", "old_classes": {"accuracy": accuracy + 0.06}}],
            "comparisons": comparisons, "share_runs": share_runs, "share_comparisons": share_comparisons}),
    );
    let parts =
        json!({"valid": scores(&SIX, 3_600, accuracy + 0.012, 131), "test": scores(&SIX, 3_600, accuracy + 0.01, 132)});
    stage
        .json
        .insert("metrics".into(), json!({"parts": parts, "best_epoch": 15, "loss": "cross_entropy", "classes": SIX}));
    stage
}

fn predict(name: &str, classes: &[&str]) -> StageArtifacts {
    let mut stage = stage(name, "predict", json!({}));
    let predicted: IndexMap<&str, u64> = classes.iter().enumerate().map(|(i, c)| (*c, 840 + 131 * i as u64)).collect();
    let file = format!("NAME_{name}.csv");
    stage.json.insert("predict".into(), json!({"rows": predicted.values().sum::<u64>(), "predicted": predicted, "mean_confidence": 0.61, "column": "playlist_genre", "file": file}));
    let texts = |values: [&str; 3]| ColumnView::Text(values.map(String::from).to_vec());
    let rows = TableView {
        columns: IndexMap::from([
            ("track_name".to_string(), texts(["Paper Lanterns", "Noche de Sal (feat. Nadie)", "Untitled, \"Part 2\""])),
            ("track_artist".to_string(), texts(["The Made Up", "Los Inventados", "Nobody & Sons"])),
            ("tempo".to_string(), ColumnView::Number(vec![120.02, 97.5, f64::NAN])),
            ("playlist_genre".to_string(), texts([classes[1], classes[0], classes[2]])),
            ("confidence".to_string(), ColumnView::Number(vec![0.71, 0.55, 0.402])),
        ]),
    };
    stage.tables.insert("rows".into(), rows);
    stage.files = vec![delivered(&file)];
    stage
}

/// A profile in the shape of `describe`'s JSON.
fn describe() -> StageArtifacts {
    let mut noise = Noise::new(5);
    let bins = 24;
    let histograms: Vec<Value> = COLUMNS
        .iter()
        .map(|column| {
            let by_class: Vec<Vec<u64>> = (0..5)
                .map(|_| {
                    let (centre, spread) = (6.0 + 12.0 * noise.next(), 2.0 + 4.0 * noise.next());
                    (0..bins).map(|b| (900.0 * (-((b as f64 - centre) / spread).powi(2)).exp()) as u64).collect()
                })
                .collect();
            let edges: Vec<f64> = (0..=bins).map(|b| b as f64 / bins as f64).collect();
            json!({"column": column, "edges": edges, "overall": by_class[0], "by_class": by_class})
        })
        .collect();
    let mut matrix = vec![vec![1.0; COLUMNS.len()]; COLUMNS.len()];
    for (i, j) in (0..COLUMNS.len()).flat_map(|i| (0..i).map(move |j| (i, j))) {
        matrix[i][j] = (0.28 * noise.normal()).clamp(-0.9, 0.9);
        matrix[j][i] = matrix[i][j];
    }
    let mut columns: Vec<Value> = COLUMNS
        .iter()
        .map(|name| {
            let centre = 10.0 * noise.next();
            let quantiles = json!({"p01": centre - 2.3, "p05": centre - 1.6, "p25": centre - 0.7, "p50": centre, "p75": centre + 0.7, "p95": centre + 1.6, "p99": centre + 2.3});
            json!({"name": name, "kind": "numeric", "count": 18_745, "missing": 0, "infinite": 0, "distinct": 820, "by_class": [],
                "numeric": {"mean": centre, "standard_deviation": 1.0, "minimum": centre - 3.5, "maximum": centre + 3.5, "quantiles": quantiles, "outliers_low": 12, "outliers_high": 40}})
        })
        .collect();
    columns.push(json!({"name": "track_name", "kind": "text", "count": 18_740, "missing": 5, "distinct": 14_100, "by_class": [],
        "text": {"most_frequent": [{"value": "Paper Lanterns", "rows": 21}, {"value": "Home", "rows": 14}], "unique": 11_200, "mean_length": 16.4}}));
    let relevance: Vec<Value> = COLUMNS
        .iter()
        .enumerate()
        .map(|(i, column)| {
            let share = 0.13 / (1.0 + i as f64);
            json!({"column": column, "anova_f": 900.0 / (1.0 + i as f64), "p_value": if i < 3 { 0.0 } else { 1e-30 }, "eta_squared": share,
                "mutual_information": share * 1.6, "estimator": "neighbours", "by_chance": 0.0, "information_share": share})
        })
        .collect();
    let (mut x, mut y, mut class) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..1500 {
        let c = i % 5;
        x.push(noise.normal() * 1.4 + (c as f64 - 2.0) * 0.5);
        y.push(noise.normal() * 1.2 + ((c * 2) % 5) as f64 * 0.35 - 0.7);
        class.push(json!(c));
    }
    class[0] = Value::Null;
    let components: Vec<Vec<f64>> =
        (0..2).map(|_| (0..COLUMNS.len()).map(|_| 0.27 * noise.normal()).collect()).collect();
    let findings = json!([
        {"severity": "danger", "title": "playlist_name, playlist_id and playlist_subgenre give the label away",
         "detail": "One such column alone predicts the label, and rows to predict will hardly have it: leave it out of the features.",
         "evidence": ["playlist_name: looking its value up is right on 99.3 % of the rows", "playlist_subgenre: each of its 20 values has one label only"]},
        {"severity": "warning", "title": "contradictory labels cap accuracy at 93.5 %",
         "detail": "950 of 15,125 values of track_name + track_artist have more than one label: no function of it can be right on more than 93.5 % of these rows.", "evidence": []},
        {"severity": "note", "title": "3 columns have missing values", "detail": "Numbers are imputed from the training part, texts count as empty.", "evidence": ["track_name: 5 rows (< 0.1 %)"]},
        {"severity": "ok", "title": "no track stands on both sides of the split", "detail": "Every key of the audit keeps to one part.", "evidence": []},
    ]);
    let give_aways = json!([
        {"column": "playlist_name", "kind": "text", "read_by": "value", "distinct": 430, "repeated": 1.0, "purity": 0.99,
         "row_folds": {"coverage": 1.0, "accuracy_on_covered": 0.993, "accuracy": 0.993}, "group_folds": null, "verdict": "gives_away", "reason": "right on 99.3 % of the rows that can be looked up"},
        {"column": "tempo", "kind": "numeric", "read_by": "quantile_bin", "distinct": 32, "repeated": 1.0, "purity": 0.3,
         "row_folds": {"coverage": 1.0, "accuracy_on_covered": 0.27, "accuracy": 0.27}, "group_folds": null, "verdict": "no", "reason": ""},
    ]);
    let overlaps = json!([{"key": "track_id", "kind": "group", "given": {"test_in_train": 0.0, "test_in_valid": 0.0, "valid_in_train": 0.0},
        "random": {"test_in_train": 0.187, "test_in_valid": 0.04, "valid_in_train": 0.19}}]);
    let contradictions = json!([{"key": "track_id", "kind": "group", "values": 16_437, "contradictory": 816, "rows": 2_184, "ceiling": 0.946, "examples": []}]);
    let duplicates = json!([{"key": "track_id", "kind": "group", "rows_with_key": 18_745, "distinct": 16_437, "sets": 1_649, "rows": 3_957, "surplus": 2_308, "largest": 9}]);
    let classes: Vec<Value> = CLASSES
        .iter()
        .zip([3_659, 3_825, 3_816, 3_996, 3_449])
        .map(|(class, rows)| json!({"class": class, "rows": rows, "share": rows as f64 / 18_745.0}))
        .collect();
    let mut stage = stage("profile", "describe", json!({"histogram_bins": bins}));
    stage.json.insert("profile".into(), json!({
        "rows": 18_745, "labelled": 18_745, "columns": columns, "classes": classes, "parts": [],
        "correlations": {"columns": COLUMNS, "pearson": matrix, "spearman": matrix},
        "relevance": relevance,
        "pca": {"columns": COLUMNS, "explained_variance_ratio": [0.171, 0.112], "components": components, "points": {"row": [], "class": class, "x": x, "y": y}},
        "histograms": histograms,
        "audit": {"findings": findings, "give_aways": give_aways, "overlaps": overlaps, "contradictions": contradictions, "duplicates": duplicates},
    }));
    stage
}
