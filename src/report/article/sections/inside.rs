//! Inside the chosen model: its mistakes, its probabilities and the importance of its features.

use std::cmp::Ordering;

use runner_results::inspection::Inspection;

use super::{ArticleContext, HALF, bilingual};
use crate::article::document::{Block, Float, Section};
use crate::article::markup;
use crate::figure::confusion;
use crate::importance::{Most, is_clear, is_single, most};
use crate::read::StageArtifacts;
use crate::study::calibration::{self, Calibrated, Confidence};
use crate::study::models::Model;
use crate::{Confused, MOST_CLASSES};
use runner_results::scores::Scores;

/// Mistakes, probabilities and feature importance.
pub(crate) fn inside(tale: &ArticleContext) -> Option<Section> {
    let chosen = tale.chosen()?;
    let stage = tale.stage(&chosen.stage)?;
    let scores = chosen.judged()?;
    let mut section = Section::new(
        "sec:inside",
        tale.voice.say("Mistakes, Probabilities, and What Matters", "Erreurs, probabilités et ce qui compte"),
    );
    let (matrix, reliability) = (confusion_figure(tale, chosen, scores), reliability_figure(tale, stage));
    section.blocks.extend(tale.paragraph([matrix.as_ref().and_then(|_| mistakes(tale, chosen, scores))]));
    section.blocks.extend(matrix.map(Block::Float));
    section.blocks.extend(tale.paragraph([probabilities(tale, stage, reliability.is_some())]));
    section.blocks.extend(reliability.map(Block::Float));
    if let Some((sentence, figure)) = importance(tale) {
        section.blocks.extend(tale.paragraph([Some(sentence)]));
        section.blocks.extend(figure.map(Block::Float));
    }
    Some(section)
}

fn confusion_figure(tale: &ArticleContext, model: &Model, scores: &Scores) -> Option<Float> {
    if scores.confusion.is_empty() {
        return None;
    }
    let confused = Confused::of(scores, MOST_CLASSES);
    let drawing =
        confusion("Confusion", "Rows of each true class by predicted class", &confused.classes, &confused.counts);
    let mut caption = bilingual!(
        tale,
        "Confusion matrix of {name} {on}: rows, and their share of the true class.",
        "Matrice de confusion de {name} {on} : lignes, et leur part de la vraie classe.",
        name = tale.name(model),
        on = tale.on(model.judged_on()),
    );
    if confused.others > 0 {
        caption.push_str(&bilingual!(
            tale,
            " Of {of} classes the {shown} most confused; the others are summed.",
            " Des {of} classes, les {shown} les plus confondues ; les autres sont additionnées.",
            of = confused.of,
            shown = confused.of - confused.others,
        ));
    }
    Some(tale.figure("fig:confusion", &caption, vec![drawing], 0.7))
}

fn mistakes(tale: &ArticleContext, model: &Model, scores: &Scores) -> Option<String> {
    let class = |class: usize| markup::escaped(&scores.classes[class]);
    if let Some(only) = scores.only_predicted() {
        return Some(bilingual!(
            tale,
            "{name} predicts {only} for every row (@fig:confusion): it tells no class from another, and does what guessing one class does.",
            "{name} prédit {only} pour toutes les lignes (@fig:confusion) : il ne distingue aucune classe d'une autre, et ne fait que ce que ferait une réponse constante.",
            name = tale.name(model),
            only = class(only),
        ));
    }
    let Some(most) = scores.most_confused() else {
        return Some(bilingual!(
            tale,
            "{name} confuses no class (@fig:confusion).",
            "{name} ne confond aucune classe (@fig:confusion).",
            name = tale.name(model),
        ));
    };
    let recalls = scores.recalls().map_or_else(String::new, |recalls| {
        bilingual!(
            tale,
            "finds {found} best (recall {high}) and {lost} least ({low}); it ",
            "retrouve le mieux {found} (rappel {high}) et le moins bien {lost} ({low}) ; il ",
            high = tale.voice.decimals(recalls.best.1, 2),
            low = tale.voice.decimals(recalls.worst.1, 2),
            found = class(recalls.best.0),
            lost = class(recalls.worst.0),
        )
    });
    Some(bilingual!(
        tale,
        "Among the classes, {name} {recalls}confuses {t} and {p} most: it takes {rows} of {all} {t} for {p}, and {back} of {others} the other way (@fig:confusion).",
        "Parmi les classes, {name} {recalls}confond le plus {t} et {p} : il prend {t} pour {p} {rows} fois sur {all}, et l'inverse {back} fois sur {others} (@fig:confusion).",
        name = tale.name(model),
        rows = tale.voice.count(most.rows),
        all = tale.voice.count(most.of),
        back = tale.voice.count(most.back),
        others = tale.voice.count(most.back_of),
        t = class(most.truth),
        p = class(most.taken_for),
    ))
}

fn reliability_figure(tale: &ArticleContext, stage: &StageArtifacts) -> Option<Float> {
    let drawings = tale.drawings(stage, &["reliability"], HALF);
    let caption = bilingual!(
        tale,
        "Reliability of {name}: the share of rows that are right by confidence, before and after temperature scaling.",
        "Fiabilité de {name} : part des lignes bien classées selon la confiance, avant et après l'ajustement de la température.",
        name = markup::code(&stage.stage),
    );
    (!drawings.is_empty()).then(|| tale.figure("fig:reliability", &caption, drawings, 0.5))
}

fn probabilities(tale: &ArticleContext, stage: &StageArtifacts, has_figure: bool) -> Option<String> {
    let found = Calibrated::of(calibration::of(stage)?);
    // On rows that it was not fitted on, where there are any.
    let change = found.changes.last()?;
    let judgement = match found.confidence {
        Confidence::Over => {
            tale.voice.say("on validation rows it was over-confident", "sur la validation, il était trop confiant")
        }
        Confidence::Under => tale
            .voice
            .say("on validation rows it was under-confident", "sur la validation, il n'était pas assez confiant"),
        Confidence::Right => tale.voice.say(
            "on validation rows it needed hardly any correction",
            "sur la validation, il n'avait guère besoin de correction",
        ),
    };
    let see = if has_figure { " (@fig:reliability)" } else { "" };
    let [before, after] = [change.before, change.after].map(|error| tale.voice.decimals(error, 3));
    let verb = match change.direction() {
        Ordering::Less => bilingual!(tale, "falls from {before} to {after}", "baisse de {before} à {after}"),
        Ordering::Greater => bilingual!(tale, "rises from {before} to {after}", "monte de {before} à {after}"),
        Ordering::Equal => bilingual!(tale, "stays {after}", "reste à {after}"),
    };
    Some(bilingual!(
        tale,
        "The temperature of {name} is {temperature}: {judgement}. {on} its expected calibration error {verb}{see}.",
        "La température de {name} vaut {temperature} : {judgement}. {on}, son erreur de calibration attendue {verb}{see}.",
        on = super::super::text::upper(tale.on(change.part)),
        name = markup::code(&stage.stage),
        temperature = tale.voice.decimals(found.temperature, 2),
    ))
}

fn importance(tale: &ArticleContext) -> Option<(String, Option<Float>)> {
    let stage = tale.of_kind("inspect").next()?;
    let found = stage.documents.get::<Inspection>()?;
    let all = &found.importance;
    let most = most(all)?;
    let drawings = tale.drawings(stage, &["accuracy-lost-when"], None);
    let looked_at = tale
        .study
        .parents(&stage.stage)
        .find(|parent| matches!(tale.study.kind_of(parent), Some("train" | "ensemble" | "transfer")));
    let model = looked_at.map_or_else(|| tale.voice.say("the model", "le modèle").to_owned(), markup::code);
    let loses = match most {
        Most::Clear(one) => bilingual!(
            tale,
            "{model} loses most accuracy with {name}: {drop}",
            "{model} perd le plus d'exactitude avec {name} : {drop}",
            name = markup::code(&one.name),
            drop = tale.voice.decimals(one.accuracy.mean, 3),
        ),
        Most::Unclear(one) => bilingual!(
            tale,
            "{model} clearly loses accuracy with none; most with {name}, {drop} ± {deviation}, which is within two standard deviations of zero",
            "{model} ne perd nettement d'exactitude avec aucune ; le plus avec {name}, {drop} ± {deviation}, à moins de deux écarts-types de zéro",
            name = markup::code(&one.name),
            drop = tale.voice.decimals(one.accuracy.mean, 3),
            deviation = tale.voice.decimals(one.accuracy.sd, 3),
        ),
        Most::Nothing => {
            bilingual!(tale, "{model} loses accuracy with none", "{model} ne perd d'exactitude avec aucune",)
        }
    };
    let mut sentence = bilingual!(
        tale,
        "Shuffling one column at a time {on} ({repeats} times each), {loses}",
        "Quand on mélange une colonne à la fois {on} ({repeats} fois chacune), {loses}",
        on = tale.on(found.part),
        repeats = found.repeats,
    );
    let joint: Vec<String> = (all.iter().filter(|one| !is_single(one)))
        .map(|one| format!("{} {}", kind_of_input(tale, &one.name), tale.voice.decimals(one.accuracy.mean, 3)))
        .collect();
    if !joint.is_empty() {
        sentence.push_str(&bilingual!(
            tale,
            "; columns of a kind shuffled together cost {list}",
            " ; les colonnes d'un même type, mélangées ensemble, coûtent : {list}",
            list = tale.voice.list(&joint, 4),
        ));
    }
    if !drawings.is_empty() {
        sentence.push_str(" (@fig:importance)");
    }
    // A loss that shuffling by another seed might not show; where none is clear that is said already.
    let idle = all.iter().filter(|one| is_single(one) && !is_clear(one));
    let idle: Vec<String> = idle.map(|one| markup::code(&one.name)).collect();
    sentence.push('.');
    if matches!(most, Most::Clear(_)) && !idle.is_empty() {
        sentence.push_str(&bilingual!(
            tale,
            " For {list}, the loss is within two standard deviations of zero.",
            " Pour {list}, la perte est à moins de deux écarts-types de zéro.",
            list = tale.voice.list(&idle, 5),
        ));
    }
    let caption = bilingual!(
        tale,
        "Accuracy lost when a column is shuffled; whiskers are one standard deviation.",
        "Exactitude perdue quand une colonne est mélangée ; les moustaches valent un écart-type.",
    );
    let figure = (!drawings.is_empty()).then(|| tale.figure("fig:importance", &caption, drawings, 0.66));
    Some((sentence, figure))
}

fn kind_of_input(tale: &ArticleContext, name: &str) -> String {
    match name {
        "all texts" => tale.voice.say("texts", "textes").to_owned(),
        "all numbers" => tale.voice.say("numbers", "nombres").to_owned(),
        "all categories" => tale.voice.say("categories", "catégories").to_owned(),
        other => markup::escaped(other),
    }
}
