//! What standard classifiers reach: the reference that networks must beat.

use super::{ArticleContext, bilingual, codes, methods, source};
use crate::article::document::{Align, Block, Section};
use crate::article::text::upper;
use crate::ranking::{self, Source};
use crate::study::models::{Model, baselines};

/// Classifiers in the table; the worst of more are left out, and said to be.
const MOST: usize = 14;

pub(crate) fn section(context: &ArticleContext) -> Section {
    let voice = context.voice;
    let mut section = Section::new("sec:standard", voice.say("Standard Classifiers", "Classifieurs usuels"));
    let in_main = |model: &Model| {
        context.main().is_some_and(|group| group.models.iter().any(|m| m.stage == model.stage && m.name == model.name))
    };
    let mut models: Vec<Model> = context.of_kind("baseline").flat_map(baselines).filter(in_main).collect();
    ranking::rank(&mut models, Some(context.metric()), Model::validation);
    if models.is_empty() {
        return section;
    }
    let left_out = models.len().saturating_sub(MOST);
    let decimals = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| voice.decimals(value, 3));
    let other = context.main().and_then(|group| group.other_metric());
    let row = |model: &Model| {
        let judged = model.judged();
        let cv = match model.cv_accuracy {
            Some((mean, deviation)) if deviation.is_finite() => {
                format!("{} ± {}", voice.decimals(mean, 3), voice.decimals(deviation, 3))
            }
            Some((mean, _)) => voice.decimals(mean, 3),
            None => "–".to_owned(),
        };
        let mut cells = vec![context.name(model), cv, decimals(judged.map(|scores| scores.accuracy))];
        cells.push(
            judged
                .and_then(|scores| scores.accuracy_interval())
                .map_or_else(|| "–".to_owned(), |(low, high)| voice.interval(low, high)),
        );
        cells.push(decimals(judged.map(|scores| scores.macro_f1)));
        cells.extend(other.map(|metric| decimals(judged.and_then(|scores| scores.value(metric)))));
        cells
    };
    let mut heads = vec![
        (voice.say("Classifier", "Classifieur"), Align::Wrapped(0.36)),
        (voice.say("CV accuracy", "Exactitude VC"), Align::Right),
        (voice.say("Accuracy", "Exactitude"), Align::Right),
        (voice.say("95% interval", "IC à 95 %"), Align::Right),
        (voice.say("Macro-F1", "Macro-F1"), Align::Right),
    ];
    heads.extend(other.map(|metric| (methods::short_metric(metric), Align::Right)));
    let mut caption = bilingual!(
        context,
        "Standard classifiers: cross-validated accuracy on the training part (CV, mean ± deviation over the folds), then {on} accuracy, its interval and macro-F1.",
        "Classifieurs usuels : exactitude en validation croisée sur l'apprentissage (VC, moyenne ± écart-type sur les plis), puis, {on}, exactitude, son intervalle de confiance (IC) et macro-F1.",
        on = context.on(context.judged_on()),
    );
    if left_out > 0 {
        caption.push_str(&bilingual!(
            context,
            " The last {left_out} are not shown.",
            " Les {left_out} derniers ne sont pas montrés.",
        ));
    }
    let rows = models.iter().take(MOST).map(row).collect();
    let table = context.table("tab:baselines", &caption, &heads, rows);
    section.blocks.extend(context.paragraph([
        floor(context, &models),
        best(context, &models),
        linear(context, &models),
    ]));
    section.blocks.push(Block::Float(table));
    section
}

/// The guess that every model must beat.
fn floor(context: &ArticleContext, models: &[Model]) -> Option<String> {
    let floor = models.iter().find(|model| model.is_reference())?;
    let scores = floor.judged()?;
    Some(bilingual!(
        context,
        "Always guessing the largest class is right on {share} of the {rows}.",
        "Répondre toujours par la classe la plus nombreuse est juste pour {share} des {rows}.",
        rows = context.rows_on(floor.judged_on()),
        share = context.voice.percent(scores.accuracy),
    ))
}

fn best(context: &ArticleContext, models: &[Model]) -> Option<String> {
    let best = ranking::best(models, Some(context.metric()), |model| model.validation())?;
    let scores = best.judged()?;
    let (by, par) = match source(best) {
        Source::CrossValidation => ("cross-validation", "la validation croisée"),
        Source::ValidationPart => ("validation", "la validation"),
    };
    let reads = reads_texts(context, best);
    let is_only = models.iter().filter(|model| !model.is_reference()).count() == 1;
    Some(match is_only {
        true => bilingual!(
            context,
            "{name}{reads} reaches an accuracy of {accuracy} {on} (@tab:baselines).",
            "{name}{reads} atteint {on} une exactitude de {accuracy} (@tab:baselines).",
            name = upper(&context.subject(best)),
            on = context.on(best.judged_on()),
            accuracy = context.voice.decimals(scores.accuracy, 3),
        ),
        false => bilingual!(
            context,
            "Of the standard classifiers in @tab:baselines, {by} prefers {name}{reads}, which reaches {accuracy} {on}.",
            "Parmi les classifieurs usuels du @tab:baselines, {par} préfère {name}{reads}, dont l'exactitude {on} est de {accuracy}.",
            name = context.subject(best),
            on = context.on(best.judged_on()),
            accuracy = context.voice.decimals(scores.accuracy, 3),
        ),
    })
}

/// How far straight boundaries are from the best that reads the same columns.
fn linear(context: &ArticleContext, models: &[Model]) -> Option<String> {
    let stage = context.of_kind("baseline").next()?;
    let own = || models.iter().filter(|model| model.stage == stage.stage && !model.is_reference());
    let is_linear = |model: &&Model| matches!(model.name.as_str(), "logistic" | "ordinal_logistic" | "linear_svm");
    let linear = ranking::best(own().filter(is_linear), Some(context.metric()), |model| model.validation())?;
    let curved =
        ranking::best(own().filter(|model| !is_linear(model)), Some(context.metric()), |model| model.validation())?;
    let (straight, bent) = (linear.judged()?, curved.judged()?);
    let gain = bent.accuracy - straight.accuracy;
    let differs = context.judge(curved, linear).is_some_and(|judgement| judgement.differ);
    (differs && gain > 0.0).then(|| bilingual!(
        context,
        "With the same inputs, {curved} is {points} points ahead of {linear}: the boundaries between the {classes} are not straight.",
        "À entrées égales, {curved} devance de {points} points {linear} : les frontières entre {classes} ne sont pas droites.",
        curved = context.subject(curved),
        linear = context.subject(linear),
        points = context.voice.decimals(gain * 100.0, 1),
        classes = context.subject.classes(context.voice),
    ))
}

/// What a classifier reads besides numbers, by the parameters of its stage.
fn reads_texts(context: &ArticleContext, model: &Model) -> String {
    let columns = context.stage(&model.stage).and_then(|stage| stage.settings().text).unwrap_or_default();
    if columns.is_empty() || context.of_kind("baseline").count() < 2 {
        return String::new();
    }
    bilingual!(
        context,
        " (which also reads {list})",
        " (qui lit aussi {list})",
        list = context.voice.list(&codes(&columns), 4)
    )
}
