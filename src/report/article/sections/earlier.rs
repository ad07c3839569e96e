//! Earlier results: what standard classifiers reach.

use super::compared::source;
use super::{ArticleContext, bilingual, codes, methods};
use crate::article::document::{Align, Float};
use crate::ranking::{self, Source};
use crate::study::models::{Model, baselines};
use runner_results::Part;

/// What standard classifiers reach: the results that networks must beat.
pub(crate) fn earlier(context: &ArticleContext) -> (Vec<Option<String>>, Option<Float>) {
    let voice = context.voice;
    let in_main = |model: &Model| {
        context.main().is_some_and(|group| group.models.iter().any(|m| m.stage == model.stage && m.name == model.name))
    };
    let mut models: Vec<Model> = context.of_kind("baseline").flat_map(baselines).filter(in_main).collect();
    ranking::rank(&mut models, Some(context.metric()), Model::validation);
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
    let is_tested = context.judged_on() == Part::Test;
    let rows: Vec<Vec<String>> = models
        .iter()
        .map(|model| {
            let test = |of: &dyn Fn(&runner_results::scores::Scores) -> f64| {
                model.judged().map_or_else(|| "–".to_owned(), |s| voice.decimals(of(s), 3))
            };
            let work = methods::classical(&model.name).map_or("", |method| method.work);
            let cite = if work.is_empty() { String::new() } else { format!(" [@{work}]") };
            vec![
                context.name(model) + &cite,
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
        (
            if is_tested { voice.say("Test acc.", "Exact. test") } else { voice.say("Valid. acc.", "Exact. valid.") },
            Align::Right,
        ),
        (if is_tested { voice.say("Test F1", "F1 test") } else { voice.say("Valid. F1", "F1 valid.") }, Align::Right),
    ];
    let on = context.on(context.judged_on());
    let caption = bilingual!(
        context,
        "Earlier results: standard classifiers, cross-validated (CV) on the training part (mean ± deviation over the folds) and scored {on}; F1 is macro-F1.",
        "Résultats antérieurs : classifieurs usuels, en validation croisée (VC) sur l'apprentissage (moyenne ± écart-type sur les plis), puis {on} ; F1 : macro-F1.",
    );
    let best = ranking::best(&models, Some(context.metric()), |model| model.validation());
    let (by, par) = match best.map(source) {
        Some(Source::CrossValidation) => ("cross-validated", "de validation croisée"),
        _ => ("validation", "de validation"),
    };
    let floor = models.iter().find(|model| model.is_reference());
    let sentences =
        vec![
            Some(bilingual!(
            context,
            "As earlier results, @tab:baselines lists {listed}.",
            "Comme résultats antérieurs, le @tab:baselines présente {listed}.",
            listed = match (models.len(), best) {
                (1, Some(_)) => voice.say("a standard classifier", "un classifieur usuel").to_owned(),
                (_, None) => voice.say(
                    "the guess of the largest class, which is no model but the reference that models must beat",
                    "la prédiction de la classe majoritaire, qui n'est pas un modèle, mais ce à quoi on en compare",
                ).to_owned(),
                (count, Some(_)) => bilingual!(
                    context,
                    "{count} standard classifiers, the best by {by} {metric} first",
                    "{count} classifieurs usuels, le meilleur par {metric} {par} en tête",
                    metric = methods::bare_metric(voice, context.metric()),
                ),
            },
        )),
            best.and_then(|best| Some((best, best.cv_accuracy?))).map(|(best, cv)| {
                bilingual!(
                    context,
                    "{the} is {name}{reads} with a cross-validated accuracy of {cv}{test}.",
                    "{the} est {name}{reads} avec une exactitude de {cv} en validation croisée{test}.",
                    the = match models.iter().filter(|model| !model.is_reference()).count() {
                        1 => voice.say("The only model", "Le seul modèle"),
                        _ => voice.say("The best", "Le meilleur"),
                    },
                    name = context.subject(best),
                    reads = reads_texts(context, best),
                    cv = plus_minus(Some(cv)),
                    test = best.judged().map_or_else(String::new, |scores| bilingual!(
                        context,
                        ", and {accuracy} {on}",
                        ", et {accuracy} {on}",
                        on = context.on(best.judged_on()),
                        accuracy = voice.decimals(scores.accuracy, 3),
                    )),
                )
            }),
            floor.and_then(|model| Some((model.judged_on(), model.judged()?))).map(|(part, scores)| {
                bilingual!(
                    context,
                    "Guessing the largest class of the training part is right on {share} of the {rows}.",
                    "Prédire toujours la classe majoritaire de l'apprentissage est juste pour {share} des {rows}.",
                    rows = context.rows_on(part),
                    share = voice.percent(scores.accuracy),
                )
            }),
        ];
    (sentences, Some(context.table("tab:baselines", &caption, &heads, rows)))
}

/// What a classifier reads besides numbers, by the parameters of its stage.
fn reads_texts(context: &ArticleContext, model: &Model) -> String {
    let columns = context.stage(&model.stage).and_then(|stage| stage.settings().text).unwrap_or_default();
    if columns.is_empty() {
        return String::new();
    }
    bilingual!(
        context,
        ", which also reads {list},",
        ", qui lit aussi {list},",
        list = context.voice.list(&codes(&columns), 4)
    )
}
