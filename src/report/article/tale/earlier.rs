//! Earlier results: what standard classifiers reach. Knows nothing of networks.

use super::{Tale, codes, methods, names_at, told};
use crate::report::article::document::{Align, Float};
use crate::report::ranking;
use crate::report::study::models::{Model, baselines};

/// What standard classifiers reach: the results that networks are held against.
pub fn earlier(tale: &Tale) -> (Vec<Option<String>>, Option<Float>) {
    let voice = tale.voice;
    let in_main = |model: &Model| {
        tale.main().is_some_and(|group| group.models.iter().any(|m| m.stage == model.stage && m.name == model.name))
    };
    let mut models: Vec<Model> = tale.of_kind("baseline").flat_map(baselines).filter(in_main).collect();
    ranking::rank(&mut models, Model::validation);
    if models.is_empty() {
        return (Vec::new(), None);
    }
    let plus_minus = |value: Option<(f64, f64)>| match value {
        Some((mean, deviation)) if deviation.is_finite() => {
            format!("{} ± {}", voice.decimals(mean, 3), voice.decimals(deviation, 3))
        }
        Some((mean, _)) => voice.decimals(mean, 3),
        None => "–".to_owned(),
    };
    let rows: Vec<Vec<String>> = models
        .iter()
        .map(|model| {
            let test = |of: &dyn Fn(&crate::report::read::Scores) -> f64| {
                model.test.as_ref().map_or_else(|| "–".to_owned(), |s| voice.decimals(of(s), 3))
            };
            let work = methods::classical(&model.name).map_or("", |method| method.work);
            let cite = if work.is_empty() { String::new() } else { format!(" [@{work}]") };
            vec![
                tale.name(model) + &cite,
                plus_minus(model.cv_accuracy),
                plus_minus(model.cv_macro_f1),
                test(&|s| s.accuracy),
                test(&|s| s.macro_f1),
            ]
        })
        .collect();
    let heads = [
        (voice.say("Classifier", "Classifieur"), Align::Wrapped(0.36)),
        (voice.say("CV accuracy", "Exact. VC"), Align::Right),
        (voice.say("CV macro-F1", "F1 VC"), Align::Right),
        (voice.say("Test acc.", "Exact. test"), Align::Right),
        (voice.say("Test F1", "F1 test"), Align::Right),
    ];
    let caption = voice.say(
        "Earlier results: standard classifiers, cross-validated (CV) on the training part (mean ± deviation over the folds) and scored on the test part; F1 is macro-F1.",
        "Résultats antérieurs : classifieurs usuels, en validation croisée (VC) sur l'apprentissage (moyenne ± écart-type sur les plis), puis sur le test ; F1 : macro-F1.",
    );
    let best = &models[0];
    let floor = models.iter().find(|model| model.name == "majority");
    let sentences = vec![
        Some(told!(
            tale,
            "As earlier results, @tab:baselines lists {count} standard classifiers, the best by validation macro-F1 first.",
            "Comme résultats antérieurs, le @tab:baselines présente {count} classifieurs usuels, le meilleur par macro-F1 de validation en tête.",
            count = models.len(),
        )),
        best.cv_accuracy.map(|cv| {
            told!(
                tale,
                "The best is {name}{reads} with a cross-validated accuracy of {cv}{test}.",
                "Le meilleur est {name}{reads} avec une exactitude de {cv} en validation croisée{test}.",
                name = tale.subject(best),
                reads = reads_texts(tale, best),
                cv = plus_minus(Some(cv)),
                test = best.test.as_ref().map_or_else(String::new, |scores| told!(
                    tale,
                    ", and {accuracy} on the test part",
                    ", et {accuracy} sur le test",
                    accuracy = voice.decimals(scores.accuracy, 3),
                )),
            )
        }),
        floor.and_then(|model| model.test.as_ref()).map(|scores| {
            told!(
                tale,
                "Guessing the largest class of the training part is right on {share} of the test rows.",
                "Prédire toujours la classe majoritaire de l'apprentissage est juste pour {share} des lignes de test.",
                share = voice.percent(scores.accuracy),
            )
        }),
    ];
    (sentences, Some(tale.table("tab:baselines", caption, &heads, rows)))
}

/// What a classifier reads besides numbers, by the parameters of its stage.
fn reads_texts(tale: &Tale, model: &Model) -> String {
    let columns = tale.stage(&model.stage).map(|stage| names_at(&stage.params, "text")).unwrap_or_default();
    if columns.is_empty() {
        return String::new();
    }
    told!(tale, ", which also reads {list},", ", qui lit aussi {list},", list = tale.voice.list(&codes(&columns), 4))
}
