//! Articles of studies with results drawn at random: whatever was found, no article contradicts itself.

use runner::report::StageArtifacts;
use runner::report::article::{Language, Request, article};
use runner::results::diagnosis::{
    EpochKept, Finding, Gap, GapJudgement, KeptEpoch, OverFitting, Plateau, TrainingLoss, UnderFitting, WhyKept,
};
use runner::results::interval::{Interval, IntervalMethod};
use runner::results::mcnemar::{Method, Test};
use runner::results::paired_test::{ModelName, PairedTests, PairwiseTest};
use runner::results::{Metric, baselines::Baselines, training::Training};

use super::fixture::{self, Noise, evaluation};

const STUDIES: u64 = 60;

/// The study of the fixture with other scores, curves' diagnoses and tests.
fn drawn(seed: u64) -> (Vec<StageArtifacts>, Vec<(String, String)>, PairedTests) {
    let mut noise = Noise::new(seed);
    let (mut stages, edges) = fixture::study();
    // Close together in half of the studies.
    let (low, spread) = if seed.is_multiple_of(2) { (0.3, 0.6) } else { (0.6, 0.02) };
    for stage in &mut stages {
        let accuracy = low + spread * noise.next();
        match stage.kind.as_str() {
            "train" => {
                *stage = fixture::train(&stage.stage.clone(), accuracy, stage.stage != "text", seed);
                let mut found = stage.documents.get::<Training>().expect("a training").clone();
                found.diagnosis = diagnosis(&mut noise, accuracy);
                stage.documents.insert("metrics", found);
            }
            "transfer" => *stage = fixture::transfer(&stage.stage.clone(), accuracy),
            "baseline" => {
                let mut found = stage.documents.get::<Baselines>().expect("baselines").clone();
                let names = ["majority", "logistic", "linear_svm", "knn", "random_forest", "boosting"];
                let one = |(i, name): (usize, &&str)| {
                    evaluation(name, low + spread * noise.next(), 0.01, 2_870, seed + i as u64)
                };
                found.evaluations = names.iter().enumerate().map(one).collect();
                stage.documents.insert("baseline", found);
            }
            _ => {}
        }
    }
    let tests = tests(&stages, &mut noise);
    (stages, edges, tests)
}

/// Findings as `diagnose` gives them: one epoch kept, one gap, and at most one of over-fitting, under-fitting and a plateau.
fn diagnosis(noise: &mut Noise, accuracy: f64) -> Vec<Finding> {
    let metric = Metric::MacroF1;
    let epoch = 1 + (noise.next() * 29.0) as usize;
    let gap = 0.25 * noise.next() - 0.03;
    let judgement = match gap {
        gap if gap > 0.15 => GapJudgement::Strong,
        gap if gap > 0.05 => GapJudgement::Some,
        gap if gap > -0.01 => GapJudgement::None,
        _ => GapJudgement::Reversed,
    };
    let mut findings = vec![
        Finding::EpochKept(EpochKept { epoch, epochs: 30, metric, score: accuracy, why: WhyKept::Best }),
        Finding::Gap(Gap { epoch, train_accuracy: accuracy + gap, valid_accuracy: accuracy, gap, judgement }),
    ];
    match (noise.next() * 4.0) as usize {
        0 if gap > 0.05 => findings.push(Finding::OverFitting(OverFitting {
            epoch,
            epochs: 30,
            valid_loss_least: 0.8,
            valid_loss_last: 0.9,
            train_loss_then: 0.7,
            train_loss_last: 0.4,
            kept: KeptEpoch::NotLater,
        })),
        1 if gap < 0.05 => findings.push(Finding::UnderFitting(UnderFitting {
            epoch: 12,
            loss: TrainingLoss::Plain,
            train_loss_then: 1.21,
            train_loss_last: 1.2,
            gap,
        })),
        2 => findings.push(Finding::Plateau(Plateau {
            epoch,
            epochs: 30,
            metric,
            score_then: accuracy - 0.002,
            score_best: accuracy,
            near: 0.005,
        })),
        _ => {}
    }
    findings
}

/// Every pair of models, with differences and standard errors of any size, and p as they have it.
fn tests(stages: &[StageArtifacts], noise: &mut Noise) -> PairedTests {
    let mut models = Vec::new();
    for stage in stages {
        match stage.documents.get::<Baselines>() {
            Some(found) => models.extend(
                found.evaluations.iter().map(|one| (stage.stage.clone(), Some(one.name.clone()), one.test.clone())),
            ),
            None if stage.kind == "train" => {
                let test = stage.documents.get::<Training>().and_then(|training| training.parts.test.clone());
                models.push((stage.stage.clone(), None, test));
            }
            None => {}
        }
    }
    let accuracy = |place: usize| models[place].2.as_ref().map_or(f64::NAN, |scores| scores.accuracy);
    let mut pairs = Vec::new();
    for a in 0..models.len() {
        for b in a + 1..models.len() {
            let difference = accuracy(b) - accuracy(a);
            let error = 0.002 + 0.02 * noise.next();
            let around = |estimate: f64| Interval {
                estimate,
                low: estimate - 1.96 * error,
                high: estimate + 1.96 * error,
                method: IntervalMethod::Bootstrap,
            };
            // A logistic approximation of the normal tail.
            let z = difference.abs() / error;
            let p = 2.0 / (1.0 + (1.702 * z).exp());
            let loss = 0.1 * (noise.next() - 0.5);
            pairs.push(PairwiseTest {
                a,
                b,
                accuracy: around(difference),
                macro_f1: around(difference + 0.01 * noise.normal()),
                log_loss: around(loss),
                test: Test { method: Method::MidP, statistic: z * z, p },
                adjusted_p: (p * (1.0 + 4.0 * noise.next())).min(1.0),
            });
        }
    }
    let models = models.into_iter().map(|(stage, model, _)| ModelName { stage, model }).collect();
    PairedTests { rows: 2_870, groups: None, models, pairs }
}

fn sentences(
    stages: &[StageArtifacts],
    edges: &[(String, String)],
    tests: &PairedTests,
    language: Language,
) -> Vec<String> {
    let request = Request { title: "t".to_owned(), author: "A".to_owned(), language, ..Request::default() };
    let made = article(&request, stages, edges, std::slice::from_ref(tests)).expect("an article");
    assert_eq!(made.dangling(), Vec::<String>::new());
    let letters: Vec<String> = made.texts().iter().map(|text| text.letters()).collect();
    let text = letters.join("\n").replace(['\u{202f}', '\u{a0}'], " ").replace('’', "'").replace("Fig. ", "Fig.");
    text.split(['\n', ';']).flat_map(|line| line.split(". ")).map(str::to_owned).collect()
}

/// Numbers in brackets after `interval` or `IC`.
fn intervals(sentence: &str) -> Vec<(f64, f64)> {
    let number = |text: &str| text.trim().replace('−', "-").replace(',', ".").parse::<f64>();
    let inside = sentence.split('[').skip(1).filter_map(|rest| rest.split_once(']').map(|two| two.0));
    let ends = inside.filter_map(|inside| inside.split_once("; ").or_else(|| inside.split_once(", ")));
    ends.filter_map(|(low, high)| Some((number(low).ok()?, number(high).ok()?))).collect()
}

#[test]
fn nothing_is_called_significant_with_an_interval_over_zero() {
    let mut claims = 0;
    for seed in 0..STUDIES {
        let (stages, edges, tests) = drawn(seed);
        for language in [Language::English, Language::French] {
            for sentence in sentences(&stages, &edges, &tests, language) {
                let words = sentence.to_lowercase();
                let denied = [
                    "no significant",
                    "not significant",
                    "does not differ",
                    "do not differ",
                    "ne diff",
                    "non significati",
                    "pas significati",
                    "aucun",
                ];
                if !words.contains("signific") || denied.iter().any(|no| words.contains(no)) {
                    continue;
                }
                claims += 1;
                for (low, high) in intervals(&sentence) {
                    assert!(low * high > 0.0, "study {seed}: {sentence}");
                }
            }
        }
    }
    assert!(claims > STUDIES, "{claims} claims were looked at");
}

#[test]
fn over_and_under_fitting_of_one_network_are_not_both_told() {
    let mut told = 0;
    for seed in 0..STUDIES {
        let (stages, edges, tests) = drawn(seed);
        let all = sentences(&stages, &edges, &tests, Language::English);
        for network in ["numeric", "text", "fused"] {
            let says = |what: &str| {
                let own = all.iter().filter(|sentence| sentence.contains(network) && sentence.contains(what));
                own.cloned().collect::<Vec<_>>()
            };
            let free: Vec<String> = [says("no sign of over-fitting"), says("No sign of over-fitting")].concat();
            let mut over = says("over-fit");
            over.retain(|sentence| !sentence.to_lowercase().contains("no sign") && !sentence.contains("under-fit"));
            told += over.len() + free.len();
            assert!(free.is_empty() || over.is_empty(), "study {seed}, {network}: {free:?} {over:?}");
            let under = says("under-fit");
            assert!(under.is_empty() || over.is_empty(), "study {seed}, {network}: {under:?} {over:?}");
        }
    }
    assert!(told > STUDIES as usize / 2, "{told}");
}

/// What stands between two parts of a sentence.
fn between<'a>(sentences: &'a [String], before: &str, after: &str) -> Vec<&'a str> {
    let inside = |sentence: &'a String| Some(sentence.split_once(before)?.1.split_once(after)?.0);
    sentences.iter().filter_map(inside).map(|name| name.strip_prefix("the network ").unwrap_or(name)).collect()
}

#[test]
fn one_model_is_the_best_from_abstract_to_conclusion() {
    for seed in 0..STUDIES {
        let (stages, edges, tests) = drawn(seed);
        let all = sentences(&stages, &edges, &tests, Language::English);
        let mut named = between(&all, "The model that validation rows prefer, ", ",");
        assert_eq!(named.len(), 1, "study {seed}: the abstract");
        named.extend(between(&all, "By macro-F1 on validation rows, ", " is the best of"));
        let concluded = between(&all, "With ", ", playlist_genre is predicted right");
        assert_eq!(concluded.len(), 1, "study {seed}: the conclusion");
        named.extend(concluded);
        assert!(named.iter().all(|name| *name == named[0]), "study {seed}: {named:?}");
        let classifier = between(&all, "cross-validation prefers ", ", which");
        let again = between(&all, "the best standard classifier by cross-validation, ", " (");
        assert!(again.iter().all(|name| *name == classifier[0]), "study {seed}: {classifier:?} {again:?}");
    }
}
