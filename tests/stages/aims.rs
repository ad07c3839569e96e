//! What models are chosen by, through the program: the metric and the positive class at the top of a file, and thresholds that stages fit.

use arrow::array::AsArray;
use arrow::datatypes::Float32Type;
use runner::artifact::Table;
use runner::results::{
    Metric, baselines::Baselines, ensemble::Ensemble, read, scores::Scores, search::Search, training::Training,
};

use crate::screen::stable;
use crate::workspace::Workspace;

/// Rows of which one in twelve churns, more often where use is high.
fn customers(rows: usize) -> String {
    let mut text = String::from("usage,calls,churn\n");
    for row in 0..rows {
        let (usage, calls) = (row * 37 % 101, row * 53 % 17);
        let churns = usage + 3 * calls + row * 7 % 29 > 150 || row % 41 == 0;
        text.push_str(&format!("{usage},{calls},{}\n", if churns { "yes" } else { "no" }));
    }
    text
}

const STUDY: &str = r#"name: study
seed: 3
stages:
  data: {kind: load, files: {all: customers.csv}, label: churn}
  folds: {kind: split, rows: data, folds: 3}
  base:
    kind: baseline
    rows: folds
    numeric: [usage, calls]
    models: {majority: {}, logistic: {}, naive_bayes: {}}
  net:
    kind: train
    rows: folds
    numeric: [usage, calls]
    epochs: 3
  mix: {kind: ensemble, members: [base, net], models: [base, net]}
"#;

fn study() -> Workspace {
    Workspace::new().file("customers.csv", &customers(600)).pipeline(STUDY)
}

fn training(work: &Workspace) -> Training {
    read(&work.read("artifacts/study/net/metrics.json")).expect("a training")
}

fn baselines(work: &Workspace) -> Baselines {
    read(&work.read("artifacts/study/base/baseline.json")).expect("baselines")
}

fn ensemble(work: &Workspace) -> Ensemble {
    read(&work.read("artifacts/study/mix/metrics.json")).expect("an ensemble")
}

#[test]
fn the_metric_governs_epochs_weights_and_the_best_model() {
    let work = study();
    work.run().succeeded();
    let own = training(&work).training.early_stopping.metric();
    assert_eq!((own, ensemble(&work).metric), (Metric::MacroF1, None), "without the key as ever");
    // A tenth of the rows churns: no accuracy ranks.
    assert!(work.screen(&["show", "pipeline.yaml", "base"]).contains("best on validation rows by average precision"));

    work.edit("pipeline.yaml", "seed: 3\n", "seed: 3\nmetric: roc_auc\n");
    work.run().succeeded().ran(&["base", "net", "mix"]);
    assert_eq!(training(&work).training.early_stopping.metric(), Metric::RocAuc);
    assert_eq!(ensemble(&work).metric, Some(Metric::RocAuc));
    assert!(work.screen(&["show", "pipeline.yaml", "base"]).contains("best on validation rows by ROC AUC"));
    // The epoch that is kept has the highest curve.
    let curves = Table::from_ipc(&work.read("artifacts/study/net/curves.arrow")).expect("curves");
    let column = curves.column("valid_roc_auc").expect("a column").clone();
    let values = column.as_primitive::<arrow::datatypes::Float64Type>().values().to_vec();
    let best = (1..values.len()).fold(1, |best, epoch| if values[epoch] > values[best] { epoch } else { best });
    assert_eq!(training(&work).fitted.best_epoch(), Some(best), "{values:?}");
    let reason = work.screen(&["explain", "pipeline.yaml", "net", "--set", "metric=mcc"]);
    assert!(reason.contains("metric roc_auc → mcc"), "{reason}");

    // A stage's own metric wins.
    work.edit("pipeline.yaml", "    epochs: 3\n", "    epochs: 3\n    early_stopping: {metric: loss}\n");
    work.run().succeeded();
    assert_eq!(training(&work).training.early_stopping.metric(), Metric::Loss);
}

#[test]
fn every_model_has_every_metric_with_its_interval() {
    let work = study();
    work.run().succeeded();
    let check = |scores: &Scores| {
        for metric in Metric::ALL {
            let is_of_more = matches!(metric, Metric::Top3Accuracy | Metric::Top5Accuracy);
            let is_of_what_is_said = matches!(metric, Metric::Cost | Metric::QuadraticKappa | Metric::RankError);
            assert_eq!(scores.value(metric).is_none(), is_of_more || is_of_what_is_said, "{metric:?}");
        }
        assert_eq!(scores.positive.as_deref(), Some("yes"), "the rarer class of the training part");
        assert!(scores.interval(Metric::AveragePrecision).is_some_and(|(low, high)| low < high));
        assert!(scores.curve.as_ref().is_some_and(|curve| curve.recall.last() == Some(&1.0)));
    };
    let trained = training(&work);
    [&trained.parts.valid, &trained.parts.test].into_iter().for_each(|part| check(part.as_ref().expect("scores")));
    check(ensemble(&work).parts.test.as_ref().expect("scores"));
    check(&ensemble(&work).cross_fitted_valid);
    for one in baselines(&work).evaluations.iter().filter(|one| one.name != "majority") {
        check(one.test.as_ref().expect("scores"));
        assert!(one.folds.iter().all(|fold| fold.value(Metric::RocAuc).is_some()));
    }
}

/// The share of the rows of class `yes` that are predicted so.
fn recall(scores: &Scores) -> f64 {
    let yes = scores.per_class.iter().find(|class| class.class == "yes").expect("a class");
    yes.recall
}

#[test]
fn a_threshold_is_fitted_on_validation_rows_kept_and_applied_to_new_rows() {
    let work = study();
    let threshold = "    threshold: {recall: 0.9}\n";
    work.edit("pipeline.yaml", "    epochs: 3\n", &format!("    epochs: 3\n{threshold}"));
    work.edit("pipeline.yaml", "naive_bayes: {}}\n", &format!("naive_bayes: {{}}}}\n{threshold}"));
    work.edit("pipeline.yaml", "models: [base, net]}", "models: [base, net], threshold: f1}");
    let predicts = ["net", "mix", "base.logistic"].map(|model| {
        let name = model.replace('.', "_");
        format!("  new_{name}: {{kind: predict, model: {model}, rows: data, file: {name}.csv}}\n")
    });
    work.edit("pipeline.yaml", "  folds:", &format!("{}  folds:", predicts.concat()));
    work.run().succeeded();
    let trained = training(&work);
    let base = baselines(&work);
    let logistic = base.evaluations.iter().find(|one| one.name == "logistic").expect("logistic");
    let mixed = ensemble(&work);
    for (name, valid, test) in [
        ("net", &trained.parts.valid, &trained.parts.test),
        ("base_logistic", &logistic.valid, &logistic.test),
        ("mix", &mixed.parts.valid, &mixed.parts.test),
    ] {
        let (valid, test) = (valid.as_ref().expect("scores"), test.as_ref().expect("scores"));
        let told = valid.threshold.clone().expect("a threshold");
        assert_eq!(test.threshold.as_ref(), Some(&told), "{name}: the same for all parts");
        assert!(name == "mix" || recall(valid) >= 0.9, "{name}: {}", recall(valid));
        // New rows are predicted by it, whatever the likelier class is.
        let rows = Table::from_ipc(&work.read(&format!("artifacts/study/new_{name}/rows.arrow"))).expect("rows");
        let p = rows.column("runner.p_yes").expect("p").as_primitive::<Float32Type>().values().to_vec();
        let said = rows.column("runner.predicted").expect("predicted").clone();
        let mut moved = 0;
        for (row, p) in p.iter().enumerate() {
            let is_yes = said.as_string::<i32>().value(row) == "yes";
            assert_eq!(is_yes, f64::from(*p) >= told.value, "{name}: {p} at {}", told.value);
            moved += usize::from(is_yes != (*p > 0.5));
        }
        assert!(moved > 0, "{name}: a threshold of {} moves nothing", told.value);
        let csv = work.text(&format!("artifacts/study/new_{name}/{name}.csv"));
        let column = csv.lines().skip(1).filter(|line| line.ends_with(",yes")).count();
        assert_eq!(column, (0..p.len()).filter(|row| f64::from(p[*row]) >= told.value).count(), "{name}");
    }
    let shown = work.screen(&["show", "pipeline.yaml", "net"]);
    assert!(shown.contains("at the threshold 0."), "{shown}");
    assert!(shown.contains("fewest false alarms at a recall of at least 0.9"), "{shown}");
}

#[test]
fn without_validation_rows_a_threshold_is_cross_fitted() {
    let work = study();
    work.edit("pipeline.yaml", "folds: 3}", "folds: 3, train: 0.85, valid: 0}");
    let from = work.text("pipeline.yaml").find("  net:").expect("net");
    let rest = work.text("pipeline.yaml")[from..].to_owned();
    work.edit("pipeline.yaml", &rest, "");
    work.edit("pipeline.yaml", "naive_bayes: {}}\n", "naive_bayes: {}}\n    threshold: {recall: 0.8}\n");
    work.run().succeeded();
    let base = baselines(&work);
    let one = base.evaluations.iter().find(|one| one.name == "logistic").expect("logistic");
    let told = one.test.as_ref().and_then(|test| test.threshold.clone()).expect("a threshold");
    assert_eq!(serde_json::to_value(&told).expect("JSON")["fitted_on"], "cross_fitted");
    // On all folds together it reaches the recall.
    let found: f64 = one.folds.iter().map(|fold| recall(fold) * fold.supports()[1] as f64).sum();
    let all: u64 = one.folds.iter().map(|fold| fold.supports()[1]).sum();
    assert!(found / all as f64 >= 0.8, "{found} of {all}");
}

#[test]
fn what_is_not_meant_is_refused_with_its_place() {
    let work = study();
    work.edit("pipeline.yaml", "seed: 3\n", "seed: 3\nmetric: balanced_acuracy\n");
    let refused = work.run();
    assert_eq!(refused.code, Some(2));
    insta::assert_snapshot!(stable(&refused.stderr), @"
    error: 'metric': unknown choice 'balanced_acuracy' (did you mean 'balanced_accuracy'?)
     --> pipeline.yaml:3:9
      |
    3 | metric: balanced_acuracy
      |         ^^^^^^^^^^^^^^^^
      = help: choices are log_loss, loss, accuracy, macro_f1, balanced_accuracy, weighted_f1, mcc,
              roc_auc, average_precision, brier, calibration_error, top_3_accuracy, top_5_accuracy,
              cost, quadratic_kappa, rank_error
    ");
    work.edit("pipeline.yaml", "metric: balanced_acuracy\n", "metric: balanced_accuracy\npositive: yess\n");
    insta::assert_snapshot!(stable(&work.run().error()), @"pipeline.yaml:4:11: positive: there is no class 'yess' (did you mean 'yes'?); the classes are 'no', 'yes'");
    work.edit("pipeline.yaml", "positive: yess\n", "positive: no\n");
    work.edit("pipeline.yaml", "    epochs: 3\n", "    epochs: 3\n    threshold: {recall: 1.5}\n");
    insta::assert_snapshot!(stable(&work.run().stderr), @"
    error: threshold.recall must be in (0, 1]; got 1.5
      --> pipeline.yaml:18:25
       |
    18 |     threshold: {recall: 1.5}
       |                         ^^^
    ");
    work.edit("pipeline.yaml", "    threshold: {recall: 1.5}\n", "    threshold: {cost: {false_positive: 1}}\n");
    insta::assert_snapshot!(stable(&work.run().stderr), @"
    error: missing key 'false_negative' in 'threshold.cost'
      --> pipeline.yaml:18:17
       |
    18 |     threshold: {cost: {false_positive: 1}}
       |                 ^^^^
       = help: add `false_negative: …`
    ");
    work.edit("pipeline.yaml", "    threshold: {cost: {false_positive: 1}}\n", "");
    work.run().succeeded();
    let positive = training(&work).parts.test.expect("scores").positive;
    assert_eq!(positive.as_deref(), Some("no"), "a word of YAML is a class too");
}

#[test]
fn a_threshold_of_three_classes_is_refused_and_a_metric_that_nothing_uses_is_told_of() {
    let three = customers(300).replace(",no\n1", ",maybe\n1");
    let work = Workspace::new().file("customers.csv", &three).pipeline(
        "name: study\nmetric: mcc\nstages:\n  data: {kind: load, files: {all: customers.csv}, label: churn}\n  \
         folds: {kind: split, rows: data, folds: 3}\n",
    );
    insta::assert_snapshot!(stable(&work.run().succeeded().stderr), @"
    warning: no stage uses `metric`
     --> pipeline.yaml:2:9
      |
    2 | metric: mcc
      |         ^^^
      = help: kinds that do are baseline, train, variations, ensemble, transfer
    ");
    work.edit(
        "pipeline.yaml",
        "folds: 3}\n",
        "folds: 3}\n  base: {kind: baseline, rows: folds, numeric: [usage], models: {logistic: {}}, threshold: f1}\n",
    );
    insta::assert_snapshot!(stable(&work.run().error()), @"pipeline.yaml:6:92: threshold: a threshold tells two classes apart, but these rows have 3 (leave `threshold` out)");
}

#[test]
fn a_search_is_by_the_metric_which_its_trials_are_stopped_by_too() {
    let work = study();
    let search = "    epochs: 3\n    search: {trials: 2, space: {optimizer.lr: {log_uniform: [1.0e-4, 1.0e-2]}}}\n";
    work.edit("pipeline.yaml", "    epochs: 3\n", search);
    work.edit("pipeline.yaml", "seed: 3\n", "seed: 3\nmetric: average_precision\n");
    work.run_with(&["net"]).succeeded();
    let found: Search = read(&work.read("artifacts/study/net/search.json")).expect("a search");
    assert_eq!(found.metric, Metric::AveragePrecision);
    let scores: Vec<f64> = found.trials.iter().filter_map(|trial| trial.score(found.metric)).collect();
    assert!(scores.len() == 2 && scores.iter().all(|score| *score <= scores[found.best]), "{scores:?}");
    assert_eq!(training(&work).training.early_stopping.metric(), Metric::AveragePrecision);

    work.edit(
        "pipeline.yaml",
        "search: {trials: 2,",
        "early_stopping: {metric: loss}\n    search: {trials: 2, metric: mcc,",
    );
    insta::assert_snapshot!(stable(&work.run().stderr), @"
    error: search.metric: trials have no MCC unless it chooses their epoch, which loss does
      --> pipeline.yaml:18:33
       |
    18 |     search: {trials: 2, metric: mcc, space: {optimizer.lr: {log_uniform: [1.0e-4, 1.0e-2]}}}
       |                                 ^^^
       = help: leave `early_stopping.metric` out, or write `mcc` there too
    ");
}
