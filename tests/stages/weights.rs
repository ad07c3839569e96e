//! `class_weights` and `sample_weight` of baselines.

use arrow::array::AsArray;
use runner::artifact::Table;
use serde_json::Value;

use crate::workspace::Workspace;

/// 900 rows: a class of one in ten, which the number tells apart but for a stretch where either may be; `w` is 0 for every third row.
fn rows() -> String {
    let row = |i: usize| {
        let rare = i.is_multiple_of(10);
        let number = (i * 7919) % 997 + if rare { 700 } else { 0 };
        format!("{number},{},{}\n", i % 3, if rare { "rare" } else { "usual" })
    };
    format!("number,w,y\n{}", (0..900).map(row).collect::<String>())
}

const STAGES: &str = "name: study
seed: 3
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2, train: 0.6, valid: 0.2, test: 0.2}
  plain: {kind: baseline, rows: folds, numeric: [number], models: {logistic: {}, linear_svm: {}}}
  balanced: {kind: baseline, rows: folds, numeric: [number], class_weights: balanced, models: {logistic: {}, linear_svm: {}}}
  named: {kind: baseline, rows: folds, numeric: [number], class_weights: {rare: 9}, models: {logistic: {}}}
  weighted: {kind: baseline, rows: folds, numeric: [number], sample_weight: w, models: {logistic: {}}}
  twice: {kind: baseline, rows: folds, numeric: [number], where: {w: {min: 1}}, models: {logistic: {}}}
";

fn work(stages: &str) -> Workspace {
    Workspace::new().file("t.csv", &rows()).pipeline(stages)
}

fn json(work: &Workspace, file: &str) -> Value {
    serde_json::from_slice(&work.read(&format!("artifacts/study/{file}"))).expect("JSON")
}

/// How many rows of the test part a model calls rare.
fn rare(work: &Workspace, stage: &str, model: &str) -> usize {
    let said = Table::from_ipc(&work.read(&format!("artifacts/study/{stage}/predictions.arrow"))).expect("a table");
    let texts = |name: &str| -> Vec<String> {
        let column =
            arrow::compute::cast(said.column(name).expect(name), &arrow::datatypes::DataType::Utf8).expect("texts");
        column.as_string::<i32>().iter().map(|text| text.unwrap_or("").to_owned()).collect()
    };
    let (models, parts, predicted) = (texts("runner.model"), texts("runner.part"), texts("runner.predicted"));
    (0..models.len()).filter(|&i| models[i] == model && parts[i] == "test" && predicted[i] == "rare").count()
}

#[test]
fn weights_of_classes_and_rows_count_in_the_fits_alone() {
    let work = work(STAGES);
    work.run().succeeded();
    for model in ["logistic", "linear_svm"] {
        let (plain, balanced) = (rare(&work, "plain", model), rare(&work, "balanced", model));
        assert!(balanced > plain + 5, "{model}: {plain} and {balanced}");
    }
    assert!(rare(&work, "named", "logistic") > rare(&work, "plain", "logistic") + 5);
    let test = |stage: &str| json(&work, &format!("{stage}/baseline.json"))["evaluations"][0]["test"].clone();
    let loss = |stage: &str| test(stage)["log_loss"].as_f64().expect("a loss");
    // The decisions are others, the probabilities are as honest.
    assert!(loss("balanced") < loss("plain") + 0.05, "{} and {}", loss("plain"), loss("balanced"));
    assert_eq!(test("weighted")["rows"], test("plain")["rows"], "scores count all rows");
    let recipe = json(&work, "balanced/logistic.json");
    assert!(recipe["baseline"]["calibration"]["decision"].is_array(), "{recipe}");
    // A weight of 0 leaves a training row out, as `where` does; those of 2 are more than those of 1.
    let weights = |stage: &str| work.read(&format!("artifacts/study/{stage}/logistic.safetensors"));
    assert!(weights("weighted") != weights("twice") && weights("weighted") != weights("plain"));
    let ones = STAGES.replace("sample_weight: w", "sample_weight: one");
    let csv =
        rows().replace("number,w,y", "number,w,y,one").replace("usual\n", "usual,1\n").replace("rare\n", "rare,1\n");
    work.write("t.csv", csv.as_bytes());
    work.write("pipeline.yaml", ones.as_bytes());
    work.run().succeeded();
    assert_eq!(weights("weighted"), weights("plain"), "weights of 1 change nothing");
}

#[test]
fn what_is_no_weight_is_told_with_its_place() {
    let told = |csv: &str| {
        let stages = "name: study
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2, test: 0.0, valid: 0.0, train: 1.0}
  base: {kind: baseline, rows: folds, numeric: [number], sample_weight: w, models: {logistic: {}}}
";
        Workspace::new().file("t.csv", csv).pipeline(stages).run().error()
    };
    let with = |from: &str, to: &str| told(&rows().replacen(from, to, 1));
    let negative = with(",1,usual", ",-1,usual");
    assert!(negative.contains("pipeline.yaml:5:") && negative.contains("t.csv:3"), "{negative}");
    assert!(
        negative.contains("column 'w' has -1 where a weight must be, a finite number from 0 on (give"),
        "{negative}"
    );
    assert!(
        with(",1,usual", ",,usual").contains("t.csv:3: column 'w' has no value where a weight must be"),
        "a missing weight"
    );
    assert!(with(",1,usual", ",much,usual").contains("'much' is not a number"), "a word");
    let none = told(&rows().replace(",1,", ",0,").replace(",2,", ",0,"));
    assert!(none.contains("is 0 in all training rows"), "{none}");
    let plan = |base: &str| {
        let work = work(&STAGES.replace("sample_weight: w", base));
        let output = work.runner(&["run", "pipeline.yaml"]);
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let unknown = plan("sample_weight: weight");
    assert!(unknown.contains("pipeline.yaml:9:") && unknown.contains("weight"), "{unknown}");
    let class = plan("class_weights: {rar: 2}");
    assert!(class.contains("pipeline.yaml:9:") && class.contains("did you mean 'rare'"), "{class}");
    assert!(plan("class_weights: {rare: 0}").contains("pipeline.yaml:9:"));
}

#[test]
fn weights_of_rows_count_in_the_loss_of_a_network() {
    // Of the two classes that share all numbers the one that weighs more is learnt.
    let csv: String =
        (0..400).map(|i| format!("{},{},1,{}\n", i / 2 % 50, 1 + 8 * (i % 2), ["p", "q"][i % 2])).collect();
    let stages = "name: study
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2, train: 0.6, valid: 0.2, test: 0.2}
  plain: {kind: train, rows: folds, numeric: [number], epochs: 4, network: {trunk: {layers: [8]}}}
  ones: {kind: train, rows: folds, numeric: [number], sample_weight: one, epochs: 4, network: {trunk: {layers: [8]}}}
  heavy: {kind: train, rows: folds, numeric: [number], sample_weight: w, epochs: 4, network: {trunk: {layers: [8]}}}
";
    let work = Workspace::new().file("t.csv", &format!("number,w,one,y\n{csv}")).pipeline(stages);
    work.run().succeeded();
    let file = |stage: &str| work.read(&format!("artifacts/study/{stage}/model.safetensors"));
    assert_eq!(file("plain"), file("ones"), "weights of 1 change nothing");
    assert_ne!(file("plain"), file("heavy"));
    let wrong = stages.replace("sample_weight: w", "sample_weight: y");
    work.write("pipeline.yaml", wrong.as_bytes());
    let told = work.run().error();
    assert!(told.contains("t.csv:2: column 'y': 'p' is not a number"), "{told}");
}

/// Rows of two classes, one in twenty positive, of which two numbers and a category tell something: parts are written beside them.
fn rare_positives(seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut text = "a,b,c,k,part,y\n".to_owned();
    for (part, rows) in [("train", 1000), ("valid", 300), ("test", 3000)] {
        for _ in 0..rows {
            let positive = uniform() < 0.05;
            let shift = f64::from(u8::from(positive));
            let mut normal = || (0..12).map(|_| uniform()).sum::<f64>() - 6.0;
            let numbers = [normal() + shift, normal() - 0.7 * shift, normal()];
            let kind = if uniform() < 0.5 { shift } else { (uniform() * 6.0).floor() };
            let [a, b, c] = numbers.map(|number| format!("{number:.4}"));
            text += &format!("{a},{b},{c},k{kind},{part},{}\n", if positive { "B" } else { "A" });
        }
    }
    text
}

/// Means over tables of the log loss on test rows; a probability of 1 in 20 for every row has .199.
#[test]
fn class_weights_and_learning_by_heart_cost_no_calibration() {
    const TABLES: u64 = 2;
    const STUDY: &str = "name: study
seed: 3
stages:
  rows: {kind: load, files: {all: t.csv}, label: y}
  folds: {kind: split, rows: rows, folds: 2, parts: {column: part, train: [train], valid: [valid], test: [test]}}
  plain: {kind: baseline, rows: folds, numeric: [a, b, c], categories: [k], models: {knn: {}, naive_bayes: {}, tree: {}, logistic: {}, boosting: {}}}
  balanced: {kind: baseline, rows: folds, numeric: [a, b, c], categories: [k], class_weights: balanced, models: {knn: {}, naive_bayes: {}, tree: {}, logistic: {}, boosting: {}}}
";
    let mut sums = std::collections::BTreeMap::<(String, &str), f64>::new();
    for table in 0..TABLES {
        let work = Workspace::new().file("t.csv", &rare_positives(table)).pipeline(STUDY);
        work.run().succeeded();
        for stage in ["plain", "balanced"] {
            for found in json(&work, &format!("{stage}/baseline.json"))["evaluations"].as_array().expect("models") {
                let name = found["name"].as_str().expect("a name").to_owned();
                *sums.entry((name, stage)).or_default() +=
                    found["test"]["log_loss"].as_f64().expect("a loss") / TABLES as f64;
            }
        }
    }
    println!("{sums:#.3?}");
    let loss = |name: &str, stage| sums[&(name.to_owned(), stage)];
    // Votes for a class that weigh more are the same votes.
    assert!((loss("knn", "plain") - loss("knn", "balanced")).abs() < 1e-3);
    for name in ["knn", "naive_bayes", "tree", "logistic", "boosting"] {
        let (plain, balanced) = (loss(name, "plain"), loss(name, "balanced"));
        assert!(plain < 0.199 && balanced < plain + 0.01, "{name}: {plain} without weights, {balanced} with them");
    }
}
