//! What pages, articles and the terminal state where there is little to state: no test rows, no model, no new class, no groups, nothing that matters.

use std::fmt::Write as _;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use serde_json::Value;

use crate::workspace::Workspace;

/// A table of two classes in turn; `a` tells of them by `strength` standard deviations or so, `b` of nothing.
fn rows(count: u32, strength: f64) -> String {
    let mut seed = 11u64;
    let mut uniform = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut text = "a,b,y\n".to_owned();
    for row in 0..count {
        let class = row % 2;
        let (a, b) = (strength * f64::from(class) + uniform(), uniform());
        writeln!(text, "{a:.4},{b:.4},{}", ["no", "yes"][class as usize]).expect("text");
    }
    text
}

const STUDY: &str = "name: p
seed: 3
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2, train: 0.6, valid: 0.4, test: 0}
  about: {kind: describe, rows: folds}
  base: {kind: baseline, rows: folds, numeric: [a, b], models: {logistic: {}, majority: {}}}
  net: {kind: train, rows: folds, numeric: [a, b], epochs: 4, batch_size: 32, network: {trunk: {layers: [4]}}}
  both: {kind: ensemble, members: [base, net]}
  look: {kind: inspect, model: net, rows: folds}
  moved: {kind: transfer, model: net, rows: folds, epochs: 2, seeds: 2}
  new: {kind: predict, model: net, rows: rows, file: out.csv}
  report: {kind: report, title: t, stages: [rows, folds, about, base, net, both, look, moved, new]}
  article: {kind: article, title: t, author: A, stages: [rows, folds, about, base, net, both, look, moved, new]}
";

/// The page without its tags and figures.
fn page(work: &Workspace) -> String {
    let html = work.text("artifacts/p/report/report.html");
    let (mut text, mut in_tag) = (String::new(), false);
    let body = html.split("<body").nth(1).expect("a body").split("<svg").enumerate();
    // Of what follows a figure's begin only what stands after its end.
    for piece in body.map(|(i, piece)| if i == 0 { piece } else { piece.split_once("</svg>").map_or("", |two| two.1) })
    {
        for character in piece.chars() {
            match character {
                '<' => in_tag = true,
                '>' => in_tag = false,
                other if !in_tag => text.push(other),
                _ => {}
            }
        }
    }
    text
}

fn article(work: &Workspace) -> String {
    work.text("artifacts/p/article/article.tex")
}

fn told(work: &Workspace, arguments: &[&str]) -> String {
    let out = work.runner(arguments);
    String::from_utf8(out.stdout).expect("UTF-8") + &String::from_utf8(out.stderr).expect("UTF-8")
}

fn json(work: &Workspace, file: &str) -> Value {
    serde_json::from_slice(&work.read(&format!("artifacts/p/{file}"))).expect("JSON")
}

#[track_caller]
fn has(text: &str, wanted: &[&str]) {
    for part in wanted {
        assert!(text.contains(part), "no '{part}' in:\n{text}");
    }
}

#[track_caller]
fn lacks(text: &str, unwanted: &[&str]) {
    for part in unwanted {
        let Some(at) = text.find(part) else { continue };
        let around: String = text[..at].chars().rev().take(120).collect::<Vec<_>>().into_iter().rev().collect();
        panic!("'{part}' after …{around}");
    }
}

#[test]
fn without_test_rows_everything_speaks_of_validation_rows() {
    let work = Workspace::new().file("t.csv", &rows(200, 0.5)).pipeline(STUDY);
    work.run().succeeded();
    let evaluations = json(&work, "base/baseline.json")["evaluations"].clone();
    assert!(evaluations.as_array().is_some_and(|all| all.iter().all(|one| one["test"].is_null())), "{evaluations:#}");
    let page = page(&work);
    // The paired tests are of test rows; those of a transfer are over seeds.
    has(&page, &["not tested"]);
    lacks(&page, &["o significant difference in accuracy"]);
    lacks(&article(&work), &["shows no significant difference"]);
    has(
        &page,
        &["There are no test rows: on the validation part its accuracy is", "there are no test rows; cross-validated"],
    );
    lacks(
        &page,
        &["0 test rows", "n the test part", "accuracy test", "accuracy NaN", "macro-F1 NaN", "on the diagonal"],
    );
    let article = article(&work);
    has(&article, &["there are no test rows", "on the validation part"]);
    lacks(&article, &["test accuracy", "on the test part", "test rows correctly", "scored once", "0 test rows", "NaN"]);
    for stage in ["base", "net", "both", "look", "moved", "new"] {
        let shown = told(&work, &["show", "pipeline.yaml", stage]);
        lacks(&shown, &["NaN", "test accuracy"]);
    }
    has(&told(&work, &["show", "pipeline.yaml", "net"]), &["validation accuracy", "no test rows"]);
    has(&told(&work, &["runs"]), &["validation accuracy"]);
    lacks(&told(&work, &["runs"]), &["NaN"]);
    has(&told(&work, &["compare", "base/logistic", "net"]), &["base/logistic and net have no test rows"]);

    // The same in French.
    work.edit("pipeline.yaml", "author: A,", "author: A, language: fr,");
    work.run().succeeded();
    let article = self::article(&work);
    has(&article, &["il n'y a pas de lignes de test", "sur la validation"]);
    lacks(&article, &["sur le test", "sur le valid", "de un ", "ne montre pas de différence significative"]);
}

#[test]
fn what_is_not_there_is_not_spoken_of() {
    let work = Workspace::new().file("t.csv", &rows(200, 0.5)).pipeline(STUDY);
    work.edit("pipeline.yaml", "valid: 0.4, test: 0}", "valid: 0.2, test: 0.2}");
    work.run().succeeded();
    let (page, article) = (page(&work), article(&work));
    // No groups.
    assert!(json(&work, "folds/split.json")["groups"].is_null());
    lacks(&page, &["groups stay whole", "group key", "allow for the groups"]);
    lacks(&article, &["copies of a row", "groups"]);
    lacks(&told(&work, &["show", "pipeline.yaml", "folds"]), &["groups"]);
    // No new class.
    let runs = json(&work, "moved/transfer.json")["strategies"][0]["runs"].clone();
    assert!(runs[0]["test"]["new_classes"]["accuracy"].is_null(), "{runs:#}");
    has(&page, &["no class is new"]);
    lacks(&page, &["Transfer to new classes", "of the new classes", "is taken for ."]);
    has(&article, &["none is new"]);
    lacks(&article, &["with  added", "xtended to  by", "to a New Class", "a class is added"]);
    // No largest class among equals.
    lacks(&page, &["1.0 times", "1.00 times"]);
    lacks(&article, &["is the largest class"]);

    // With groups they are told of.
    let grouped: String = rows(200, 0.5).lines().enumerate().fold(String::new(), |text, (i, line)| {
        let group = if i == 0 { "who".to_owned() } else { format!("g{}", (i - 1) / 4) };
        format!("{text}{line},{group}\n")
    });
    work.write("t.csv", grouped.as_bytes());
    work.edit("pipeline.yaml", "folds: 2, train", "folds: 2, groups: [who], train");
    work.run().succeeded();
    assert_eq!(json(&work, "folds/split.json")["groups"], 50);
    has(&self::page(&work), &["50 groups stay whole in one part each"]);
    has(&self::article(&work), &["copies of a row always on the same side of the split"]);
}

#[test]
fn the_guess_of_the_largest_class_is_never_the_best() {
    let only = "name: p
seed: 3
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2}
  base: {kind: baseline, rows: folds, numeric: [a, b], models: {majority: {}}}
  report: {kind: report, title: t, stages: [rows, folds, base]}
  article: {kind: article, title: t, author: A, stages: [rows, folds, base]}
";
    let work = Workspace::new().file("t.csv", &rows(120, 0.5)).pipeline(only);
    work.run().succeeded();
    let headline = "no model but majority, the guess of the largest class, as a reference: test accuracy 0.500";
    has(&told(&work, &["show", "pipeline.yaml", "base"]), &[headline]);
    has(&told(&work, &["runs"]), &[headline]);
    let (page, article) = (page(&work), article(&work));
    has(
        &page,
        &[
            "There is no model but majority",
            "majority is the guess of the largest class, the reference that models must beat",
        ],
    );
    lacks(&page, &["is the best", "best model", "is the only model"]);
    has(&article, &["no model but the reference that models must beat"]);
    lacks(&article, &["The best is", "the best by", "Le meilleur"]);
    // With one model beside it that one is not the best of several.
    work.edit("pipeline.yaml", "{majority: {}}", "{majority: {}, logistic: {}}");
    work.run().succeeded();
    has(&self::page(&work), &["logistic is the only model", "only model"]);
    has(&told(&work, &["show", "pipeline.yaml", "base"]), &["logistic: test accuracy"]);
    lacks(&told(&work, &["show", "pipeline.yaml", "base"]), &["best on", "best by macro-F1", "best in cross"]);
    lacks(&told(&work, &["runs"]), &["best"]);
}

#[test]
fn of_one_network_none_is_the_best() {
    let work = Workspace::new().file("t.csv", &rows(120, 0.5)).pipeline(
        "name: p
seed: 3
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2}
  base: {kind: baseline, rows: folds, numeric: [a, b], models: {logistic: {}}}
  net: {kind: train, rows: folds, numeric: [a, b], epochs: 3, batch_size: 32, network: {trunk: {layers: [4]}}}
  article: {kind: article, title: t, author: A, stages: [rows, folds, base, net]}
",
    );
    work.run().succeeded();
    has(&article(&work), &["The network"]);
    lacks(
        &article(&work),
        &["best single network", "Of all networks", "best standard classifier", "Chosen on validation rows"],
    );
    work.edit("pipeline.yaml", "author: A,", "author: A, language: fr,");
    work.run().succeeded();
    lacks(&article(&work), &["meilleur réseau", "De tous les réseaux", "meilleur classifieur usuel", "Choisi sur la"]);
}

#[test]
fn a_validation_part_of_a_single_class_shows_no_over_fitting() {
    let text = |is_kept: &dyn Fn(usize, &str) -> bool| -> String {
        let table = rows(120, 0.5);
        let line = |(i, line): (usize, &str)| match i {
            0 => format!("{line},keep\n"),
            _ => format!("{line},{}\n", u8::from(is_kept(i - 1, line))),
        };
        table.lines().enumerate().map(line).collect()
    };
    let work = Workspace::new().file("t.csv", &text(&|_, _| true)).pipeline(STUDY);
    work.edit("pipeline.yaml", "net: {kind: train,", "net: {kind: train, where: {keep: [1]},");
    work.run_with(&["folds"]).succeeded();
    let split = runner::artifact::Table::from_ipc(&work.read("artifacts/p/folds/rows.arrow")).expect("a table");
    let parts = split.column("runner.part").expect("parts").as_string::<i32>().clone();
    let ids = split.column("runner.row_id").expect("ids").as_primitive::<Int64Type>().values().to_vec();
    let valid: Vec<usize> =
        ids.iter().zip(parts.iter()).filter(|(_, part)| *part == Some("valid")).map(|(id, _)| *id as usize).collect();
    // Of the validation part one class is left.
    work.write("t.csv", text(&|row, line| !(valid.contains(&row) && line.ends_with("yes"))).as_bytes());
    work.run_with(&["net", "article"]).succeeded();
    let diagnosis = json(&work, "net/metrics.json")["diagnosis"].clone();
    let kinds: Vec<&str> =
        diagnosis.as_array().expect("findings").iter().map(|one| one["kind"].as_str().expect("a kind")).collect();
    assert!(kinds.contains(&"single_class") && !kinds.contains(&"gap") && !kinds.contains(&"plateau"), "{kinds:?}");
    let shown = told(&work, &["show", "pipeline.yaml", "net"]);
    has(&shown, &["All validation rows have the same class"]);
    lacks(&shown, &["no sign of over-fitting"]);
    has(&shown, &["the validation part has no row of 'yes'"]);
    let calibration = json(&work, "net/metrics.json")["calibration"].clone();
    assert!(calibration["temperature"] == 1.0 && calibration.get("bias").is_none(), "{calibration}");
    has(&article(&work), &["have a single class: they do not show whether it over-fits"]);
    lacks(&article(&work), &["o sign of over-fitting", "In no training does validation loss"]);
}

#[test]
fn a_perfect_score_has_the_interval_of_its_rows() {
    let work = Workspace::new().file("t.csv", &rows(200, 9.0)).pipeline(STUDY);
    work.edit("pipeline.yaml", "valid: 0.4, test: 0}", "valid: 0.2, test: 0.2}");
    work.edit("pipeline.yaml", "{logistic: {}, majority", "{logistic: {}, tree: {}, majority");
    work.run().succeeded();
    let all = json(&work, "base/baseline.json")["evaluations"].clone();
    let tree = all.as_array().expect("a list").iter().find(|one| one["name"] == "tree").expect("a tree").clone();
    let (rows, intervals) = (tree["test"]["rows"].as_f64().expect("rows"), tree["test"]["intervals"].clone());
    assert_eq!(tree["test"]["accuracy"], 1.0);
    // Wilson: n / (n + z²).
    let low = intervals["accuracy"]["low"].as_f64().expect("an end");
    assert!((low - rows / (rows + 3.841_458_8)).abs() < 1e-6 && intervals["accuracy"]["high"] == 1.0, "{intervals}");
    assert!(intervals["macro_f1"].is_null(), "no resample differs: {intervals}");
    lacks(&page(&work), &["1.000–1.000", "1.000 to 1.000", "0.000 to 0.000"]);
    lacks(&article(&work), &["[1.000, 1.000]", "[0.0, 0.0]"]);
    // Two that predict the same for every row: that is said, and no interval or test beside it.
    let compared = told(&work, &["compare", "base/logistic", "base/tree"]);
    lacks(&compared, &["+0.0000 … +0.0000"]);
    has(&compared, &["accuracy", "the same prediction for each of 40 rows"]);
}

#[test]
fn a_column_that_costs_nothing_is_not_the_most_important() {
    // Labels that no column knows of, and a network that guesses one class: shuffling changes nothing.
    let work = Workspace::new().file("t.csv", &rows(120, 0.0)).pipeline(STUDY);
    work.edit(
        "pipeline.yaml",
        "epochs: 4, batch_size: 32,",
        "epochs: 1, batch_size: 512, optimizer: {kind: sgd, lr: 1e-9},",
    );
    work.edit("pipeline.yaml", "model: net, rows: folds}", "model: base.majority, rows: folds}");
    work.run().succeeded();
    let shown = told(&work, &["show", "pipeline.yaml", "look"]);
    has(&shown, &["no column can be called important: accuracy", "is no better than guessing"]);
    lacks(&shown, &["most important"]);
    has(&page(&work), &["No column can be called important"]);
    lacks(&page(&work), &["matters most"]);
    has(&article(&work), &["no column can be called important, as"]);
    lacks(&article(&work), &["loses most accuracy"]);
    // And a training without a step, so to speak, has not converged.
    has(&page(&work), &["In no epoch is validation"]);
    lacks(&article(&work), &["training has converged"]);
}

/// 960 rows, of which some are `yes`: `a` makes it likelier, up to 42 % with all `strength`, so that no decision depends on it. Others are noise.
fn rare(seed: u64, strength: f64) -> String {
    let mut seed = seed;
    let mut uniform = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut text = "a,b,c,d,e,y\n".to_owned();
    for _ in 0..960 {
        let numbers: [f64; 5] = std::array::from_fn(|_| uniform());
        let is_yes = uniform() < 0.22 + strength * 0.2 * (2.0 * numbers[0] - 1.0);
        let cells: Vec<String> = numbers.iter().map(|number| format!("{number:.4}")).collect();
        writeln!(text, "{},{}", cells.join(","), if is_yes { "yes" } else { "no" }).expect("text");
    }
    text
}

const LOOK: &str = "name: p
seed: 3
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2, train: 0.5, valid: 0.5, test: 0}
  base: {kind: baseline, rows: folds, numeric: [a, b, c, d, e], models: {logistic: {}}}
  look: {kind: inspect, model: base.logistic, rows: folds, repeats: 10}
  report: {kind: report, title: t, stages: [rows, folds, base, look]}
  article: {kind: article, title: t, author: A, stages: [rows, folds, base, look]}
";

#[test]
fn a_column_that_moves_probabilities_alone_matters() {
    // Articles speak of the inside of networks.
    let net = "  net: {kind: train, rows: folds, numeric: [a, b], epochs: 2}\n  report:";
    let yaml = LOOK
        .replace("  report:", net)
        .replace("author: A, stages: [rows, folds, base,", "author: A, stages: [rows, folds, base, net,");
    let work = Workspace::new().file("t.csv", &rare(11, 1.0)).pipeline(&yaml);
    work.run().succeeded();
    let found = json(&work, "look/findings.json");
    let a = found["importance"].as_array().expect("a list").iter().find(|one| one["name"] == "a").expect("a").clone();
    let of = |measure: &str| ["mean", "sd"].map(|key| a[measure][key].as_f64().expect("a number"));
    let ([accuracy, accuracy_sd], [loss, loss_sd]) = (of("accuracy"), of("log_loss"));
    assert!(accuracy <= 2.0 * accuracy_sd && loss > 3.5 * loss_sd, "{a:#}");
    let line = format!("most important: a, whose shuffling adds {loss:.3} to log loss ");
    has(&told(&work, &["show", "pipeline.yaml", "look"]), &[&line]);
    let page = page(&work);
    has(
        &page,
        &[
            "a matters most: shuffled, it adds ",
            "cannot be told from chance.",
            "By no measure more than chance explains: b, c, d, e.",
        ],
    );
    lacks(&page, &["No column clearly matters", "No column can be called important"]);
    has(&article(&work), &["rises most with"]);
}

#[test]
fn columns_of_noise_are_rarely_called_important() {
    let named = (1..=15).filter(|&seed| {
        let work = Workspace::new().file("t.csv", &rare(seed, 0.0)).pipeline(LOOK);
        work.run_with(&["look"]).succeeded();
        told(&work, &["show", "pipeline.yaml", "look"]).contains("most important")
    });
    let named = named.count();
    assert!(named <= 1, "{named} of 15");
}

#[test]
fn filled_in_values_of_components_are_told_of() {
    let text = rows(120, 0.5);
    let gaps: Vec<String> =
        text.lines()
            .enumerate()
            .map(|(i, line)| {
                if i > 0 && i % 2 == 0 {
                    format!(",{}", line.split_once(',').expect("cells").1)
                } else {
                    line.to_owned()
                }
            })
            .collect();
    for (text, wanted) in [
        (text.clone(), "standardised columns."),
        (gaps.join("\n"), "standardised columns, missing values filled in by the mean."),
    ] {
        let yaml = LOOK.replace("a, b, c, d, e", "a, b").replace(
            "  look: {kind: inspect, model: base.logistic, rows: folds, repeats: 10}\n",
            "  look: {kind: describe, rows: folds}\n",
        );
        let work = Workspace::new().file("t.csv", &text).pipeline(&yaml);
        work.run().succeeded();
        has(&page(&work), &[&format!("of the variance of 2 {wanted}")]);
        // Two uncorrelated columns share the variance whatever is missing.
        let shares = json(&work, "look/profile.json")["pca"]["explained_variance_ratio"][0].as_f64().expect("a share");
        assert!((0.5..0.6).contains(&shares), "{shares}");
    }
}

#[test]
fn a_calibration_says_where_it_helps_and_where_it_does_not() {
    let work = Workspace::new().file("t.csv", &rows(200, 0.3)).pipeline(STUDY);
    work.edit("pipeline.yaml", "valid: 0.4, test: 0}", "valid: 0.2, test: 0.2}");
    work.run().succeeded();
    let page = page(&work);
    for stage in ["net", "both", "moved"] {
        let parts = json(&work, &format!("{stage}/metrics.json"))["calibration"]["parts"].clone();
        for (key, name) in [("valid", "validation"), ("test", "test")] {
            let error = |when: &str| parts[key][when]["expected_error"].as_f64().expect("an error");
            let (before, after) = (format!("{:.3}", error("before")), format!("{:.3}", error("after")));
            let words = match after.cmp(&before) {
                std::cmp::Ordering::Less => format!("falls from {before} to {after} on {name} rows"),
                std::cmp::Ordering::Greater => format!("rises from {before} to {after} on {name} rows"),
                std::cmp::Ordering::Equal => format!("stays {after} on {name} rows"),
            };
            has(&page, &[&words]);
        }
    }
}
