//! What articles and pages judge, from results of a made-up study: each sentence as its numbers have it, in both languages.

use runner::report::article::{Language, Request, article};
use runner::report::{StageArtifacts, study};
use runner::results::diagnosis::{EpochKept, Fell, Finding, Gap, GapJudgement, WhyKept};
use runner::results::mcnemar::{Method, Test};
use runner::results::paired_test::{ModelName, PairwiseTest};
use runner::results::profile::audit::{Overlap, PartOverlap, RowKey};
use runner::results::scores::ScoreIntervals;
use runner::results::transfer::Strategy;
use runner::results::{
    Known, Metric,
    baselines::Baselines,
    interval::{Interval, IntervalMethod},
    paired_test::PairedTests,
    profile::Profile,
    training::Training,
    transfer::Transfer,
};

use super::fixture::{self, evaluation, scores};

type Edges = Vec<(String, String)>;

/// All sentences of the article in one line, with plain spaces and apostrophes.
fn told(stages: &[StageArtifacts], edges: &Edges, tests: &[PairedTests], language: Language) -> String {
    let request = Request {
        title: "t".to_owned(),
        author: "A".to_owned(),
        affiliation: String::new(),
        language,
        ..Request::default()
    };
    let made = article(&request, stages, edges, tests).expect("an article");
    let letters: Vec<String> = made.texts().iter().map(|text| text.letters()).collect();
    letters.join("\n").replace(['\u{202f}', '\u{a0}'], " ").replace('’', "'")
}

fn both(stages: &[StageArtifacts], edges: &Edges, tests: &[PairedTests]) -> [String; 2] {
    [Language::English, Language::French].map(|language| told(stages, edges, tests, language))
}

fn page(stages: &[StageArtifacts], edges: &Edges, tests: &[PairedTests]) -> String {
    let html = study("t", None, stages, edges, tests, None).expect("a page");
    let body = html.split("<body").nth(1).expect("a body");
    let pieces = body.split('<').map(|piece| piece.split_once('>').map_or("", |two| two.1));
    pieces.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn has(text: &str, wanted: &str) {
    assert!(text.contains(wanted), "no '{wanted}' in:\n{text}");
}

#[track_caller]
fn lacks(text: &str, unwanted: &str) {
    let at = text.find(unwanted);
    assert!(
        at.is_none(),
        "'{unwanted}' after …{}",
        &text[text[..at.unwrap_or(0)].rfind('\n').unwrap_or(0)..at.unwrap_or(0)]
    );
}

/// The study with another document of this stage.
fn changed<D: Known + Clone>(stages: &mut [StageArtifacts], stage: &str, name: &str, change: impl FnOnce(&mut D)) {
    let stage = stages.iter_mut().find(|one| one.stage == stage).expect("a stage");
    let mut document = stage.documents.get::<D>().expect("a document").clone();
    change(&mut document);
    stage.documents.insert(name, document);
}

#[test]
fn a_score_that_fell_is_not_said_to_have_gained() {
    let (mut stages, edges) = fixture::study();
    let metric = Metric::MacroF1;
    let kept =
        |epoch, epochs| Finding::EpochKept(EpochKept { epoch, epochs, metric, score: 0.725, why: WhyKept::Best });
    let gap = |epoch| {
        let judgement = GapJudgement::None;
        Finding::Gap(Gap { epoch, train_accuracy: 0.6, valid_accuracy: 0.6, gap: 0.0, judgement })
    };
    let mut of = |diagnosis: Vec<Finding>| {
        for stage in ["numeric", "text", "fused"] {
            changed(&mut stages, stage, "metrics", |training: &mut Training| training.diagnosis.clone_from(&diagnosis));
        }
        both(&stages, &edges, &[])
    };
    let fell = Finding::Fell(Fell { epoch: 1, epochs: 8, metric, score_best: 0.725, score_last: 0.622 });
    let [english, french] = of(vec![kept(1, 8), gap(1), fell]);
    has(&english, "numeric (after epoch 1 of 8, from 0.725 to 0.622)");
    has(&english, "fell after epoch 1");
    lacks(&english, "gained until");
    lacks(&english, "shows no sign of over-fitting.");
    has(&french, "numeric (après l'époque 1 sur 8, de 0,725 à 0,622)");
    has(&french, "a baissé après l'époque 1");
    let [english, french] = of(vec![kept(6, 10), gap(6)]);
    lacks(&english, "fell after epoch");
    lacks(&french, "a baissé après l'époque");
}

#[test]
fn without_a_validation_part_cross_validation_is_what_chose() {
    let (stages, edges) = fixture::study();
    let own: Vec<StageArtifacts> = stages
        .into_iter()
        .filter(|stage| ["load", "split", "describe", "baseline"].contains(&stage.kind.as_str()))
        .collect();
    let [english, french] = both(&own, &edges, &[]);
    has(&english, "The model that cross-validation prefers, ");
    has(&english, "Of the standard classifiers in Fig. 1, cross-validation prefers ");
    has(&english, "; standard classifiers are ranked by cross-validation on the training part");
    has(&english, "Models by cross-validated (CV) macro-F1");
    has(&french, "la validation croisée préfère ");
    has(&french, "les classifieurs usuels sont classés par validation croisée");
    for (text, words) in [
        (&english, ["epochs", "searches", "validation rows", "weights of ensembles"]),
        (&french, ["époques", "recherches", "sur la validation", "poids des ensembles"]),
    ] {
        words.iter().for_each(|word| lacks(text, word));
    }
}

/// `fused` against the other models, none different in accuracy; it has a higher macro-F1 and a lower log loss than the first of them.
fn tests(stages: &[StageArtifacts]) -> PairedTests {
    let mut models = vec![ModelName { stage: "fused".to_owned(), model: None }];
    let baselines = stages.iter().filter_map(|stage| Some((stage, stage.documents.get::<Baselines>()?)));
    models.extend(baselines.flat_map(|(stage, found)| {
        found.evaluations.iter().map(|one| ModelName { stage: stage.stage.clone(), model: Some(one.name.clone()) })
    }));
    let around = |estimate: f64, reach: f64| Interval {
        estimate,
        low: estimate - reach,
        high: estimate + reach,
        method: IntervalMethod::Bootstrap,
    };
    let pair = |b: usize| PairwiseTest {
        a: 0,
        b,
        accuracy: around(-0.01, 0.02),
        macro_f1: around(-0.03, if b == 1 { 0.01 } else { 0.1 }),
        log_loss: around(0.2, if b == 1 { 0.1 } else { 0.5 }),
        test: Test { method: Method::MidP, statistic: 40.0, p: 0.2 },
        adjusted_p: 0.4,
    };
    PairedTests { rows: 2_870, groups: None, pairs: (1..models.len()).map(pair).collect(), models }
}

/// The study with these standard classifiers alone, the first the best.
fn with_baselines(names: &[&str]) -> (Vec<StageArtifacts>, Edges) {
    let (mut stages, edges) = fixture::study();
    changed(&mut stages, "baseline", "baseline", |found: &mut Baselines| {
        let each = names.iter().enumerate();
        found.evaluations =
            each.map(|(i, name)| evaluation(name, 0.6 - 0.01 * i as f64, 0.01, 2_870, 40 + i as u64)).collect();
    });
    stages.retain(|stage| stage.stage != "numeric" && stage.stage != "text");
    (stages, edges)
}

#[test]
fn models_that_differ_significantly_are_named_in_both_directions() {
    let (stages, edges) = with_baselines(&["random_forest", "linear_svm", "knn", "logistic"]);
    let mut made = tests(&stages);
    let differs = |pair: &mut PairwiseTest| pair.adjusted_p = 0.01;
    let names: Vec<Option<String>> = made.models.iter().map(|one| one.model.clone()).collect();
    for pair in &mut made.pairs {
        if let Some("knn" | "logistic") = names[pair.b].as_deref() {
            differs(pair);
        }
    }
    // One of the two is more accurate on the test rows.
    let mut better = stages.clone();
    changed(&mut better, "baseline", "baseline", |found: &mut Baselines| {
        let one = found.evaluations.iter_mut().find(|one| one.name == "knn").expect("one");
        one.test.as_mut().expect("scores").accuracy = 0.99;
    });
    let told = page(&better, &edges, &[made.clone()]);
    has(&told, "No significant difference in accuracy from random_forest and linear_svm.");
    has(&told, "fused is significantly more accurate than logistic, and significantly less accurate than knn.");
    // Where all differ, the next is told of by itself.
    made.pairs.iter_mut().for_each(differs);
    let told = page(&stages, &edges, &[made]);
    has(&told, "The next, random_forest, reaches accuracy");
    has(&told, "fused is significantly more accurate than linear_svm, knn and logistic.");
    // Without a test intervals tell, and are called that.
    let told = page(&better, &edges, &[]);
    has(&told, "The 95 % interval of fused lies ");
    has(&told, "no paired test was made");
}

#[test]
fn what_macro_f1_and_log_loss_say_stands_beside_the_test_of_the_accuracy() {
    let (stages, edges) = with_baselines(&["random_forest", "linear_svm", "knn"]);
    let tests = [tests(&stages)];
    let [english, french] = both(&stages, &edges, &tests);
    let best = "Its accuracy does not differ significantly from that of the best standard classifier by cross-validation, the random forest (";
    assert_eq!(english.matches(best).count(), 1, "abstract: {english}");
    has(&english, "; by their 95% intervals, not corrected, it has a higher macro-F1 and a lower log loss");
    has(
        &english,
        "does not differ significantly from that of the random forest, the linear SVM and the nearest-neighbour classifier",
    );
    lacks(&english, "shows no significant difference");
    has(
        &french,
        "Son exactitude ne diffère pas significativement de celle du meilleur classifieur usuel par validation croisée, la forêt aléatoire (",
    );
    has(&french, "de celle de la forêt aléatoire, du SVM linéaire et de la méthode des plus proches voisins");
    has(&french, "non corrigés, il a une macro-F1 plus élevée et une perte logarithmique plus basse");
    lacks(&french, "de le ");
    let page = page(&stages, &edges, &tests);
    has(&page, "No significant difference in accuracy from random_forest, linear_svm and knn.");
    has(
        &page,
        "By the 95 % intervals, which are not corrected, fused has a higher macro-F1 than random_forest, and a lower log loss than random_forest.",
    );
    has(&page, "no significant difference in accuracy, a lower macro-F1 and a higher log loss");

    // A model without probabilities has no log loss to compare.
    let (mut stages, edges) = with_baselines(&["random_forest"]);
    changed(&mut stages, "baseline", "baseline", |found: &mut Baselines| {
        found.evaluations.iter_mut().filter_map(|one| one.test.as_mut()).for_each(|test| test.log_loss = None);
    });
    lacks(&told(&stages, &edges, &tests, Language::English), "a lower log loss");
}

#[test]
fn verbs_agree_with_the_names_of_methods() {
    let (stages, edges) = with_baselines(&["knn", "extra_trees"]);
    let own: Vec<StageArtifacts> =
        stages.into_iter().filter(|stage| ["load", "split", "baseline"].contains(&stage.kind.as_str())).collect();
    let [english, french] = both(&own, &edges, &[]);
    has(&english, "The nearest-neighbour classifier has the highest macro-F1");
    has(&french, "La méthode des plus proches voisins a la macro-F1");
    has(&french, "recoupe celui de la méthode extra-trees");
    lacks(&french, "oisins ont");
}

#[test]
fn a_transfer_in_which_scratch_is_chosen_answers_the_question() {
    let (mut stages, edges) = fixture::study();
    let transfer = stages.iter().find(|stage| stage.kind == "transfer").expect("a transfer").stage.clone();
    changed(&mut stages, &transfer, "transfer", |found: &mut Transfer| found.best = Strategy::Scratch);
    let [english, french] = both(&stages, &edges, &[]);
    assert_eq!(english.matches("transfer does not profit from its old weights: copy reaches").count(), 2, "{english}");
    assert_eq!(french.matches("transfer ne profite pas de ses anciens poids : copie atteint").count(), 2, "{french}");
    changed(&mut stages, &transfer, "transfer", |found: &mut Transfer| found.comparisons.clear());
    let [english, french] = both(&stages, &edges, &[]);
    has(&english, "stays open: scratch alone was tried");
    has(&french, "reste ouvert : seule la stratégie scratch");
}

#[test]
fn a_ceiling_is_one_of_models_only_where_its_key_decides_what_they_read() {
    let (mut stages, edges) = fixture::study();
    let [english, french] = both(&stages, &edges, &[]);
    has(&english, "no function of track_id, which decides all that the models read, can be right on more than 94.6%");
    has(&french, "aucune fonction de track_id, qui détermine tout ce que lisent les modèles,");
    let about = stages.iter().find(|stage| stage.kind == "describe").expect("a profile").stage.clone();
    let mut varying = |column: &str| {
        changed(&mut stages, &about, "profile", |profile: &mut Profile| {
            profile.audit.contradictions[0].varying = vec![column.to_owned()];
        });
        both(&stages, &edges, &[])
    };
    // A column that no model reads.
    has(&varying("playlist_id")[0], "to be read against a ceiling");
    let [english, french] = varying("tempo");
    lacks(&english, "to be read against a ceiling");
    has(&english, "no function of it alone can be right on more than 94.6%");
    lacks(&french, "au regard d'un plafond");
    has(&french, "aucune fonction de cette seule clé");
}

#[test]
fn new_values_are_spoken_of_only_where_there_are_many() {
    let (mut stages, edges) = fixture::study();
    let about = stages.iter().find(|stage| stage.kind == "describe").expect("a profile").stage.clone();
    changed(&mut stages, "fused", "metrics", |found: &mut Training| found.inputs.categories = vec!["style".to_owned()]);
    let mut with = |distinct: u64| {
        changed(&mut stages, &about, "profile", |profile: &mut Profile| {
            profile.columns[0].name = "style".to_owned();
            profile.columns[0].distinct = distinct;
            let shares = |share| PartOverlap { test_in_train: Some(share), test_in_valid: None, valid_in_train: None };
            let key = RowKey::Column { name: "style".to_owned() };
            profile.audit.overlaps = vec![Overlap { key, given: Some(shares(0.997)), random: shares(0.997) }];
        });
        told(&stages, &edges, &[], Language::English)
    };
    lacks(&with(8), "a lower score is to be expected");
    has(&with(15_000), "99.7% have a value of style that training rows have too");
}

#[test]
fn few_groups_are_told_with_what_they_tell() {
    let (mut stages, edges) = fixture::study();
    changed(&mut stages, "fused", "metrics", |found: &mut Training| {
        let mut test = scores(&fixture::CLASSES, 2_870, 0.62, 3);
        (test.groups, test.effective_groups, test.few_groups) = (Some(62), Some(19.2), Some(true));
        let method = IntervalMethod::GroupWilson;
        let accuracy = Interval { estimate: test.accuracy, low: 0.4, high: 0.7, method };
        test.intervals = Some(ScoreIntervals { accuracy, macro_f1: None, log_loss: None, others: Default::default() });
        found.parts.test = Some(test);
    });
    stages.retain(|stage| !["baseline", "transfer"].contains(&stage.kind.as_str()));
    stages.retain(|stage| stage.stage != "numeric" && stage.stage != "text");
    let page = page(&stages, &edges, &[]);
    has(&page, "62 groups that the split keeps together, which tell as much as 19 of equal size");
    has(&page, "So few make intervals and tests rough.");
    let [english, french] = both(&stages, &edges, &[]);
    has(&english, "The test rows are of 62 groups, which tell as much as 19 of equal size: so few make");
    has(&french, "Les lignes de test forment 62 groupes, qui en disent autant que 19 de même taille");
    has(&english, "with the design effect of the groups [");
    has(&french, "avec l'effet de plan des groupes [");
}
