//! Inside the chosen model: its mistakes, its probabilities and the importance of its features.

use std::cmp::Ordering;

use runner_results::inspection::Inspection;

use super::{ArticleContext, bilingual, methods};
use crate::Confused;
use crate::article::document::{Block, Float, Section};
use crate::article::markup;
use crate::figure::Drawing;
use crate::figure::print::{Bar, confusion_shares, loss_bars};
use crate::importance::{Judge, Measure, Most, is_single};
use crate::read::StageArtifacts;
use crate::study::calibration::{self, Calibrated};
use crate::study::models::Model;
use runner_results::scores::Scores;

/// Classes and columns of a small figure.
const MOST_SHOWN: usize = 8;
/// Columns whose loss is drawn, beside a confusion matrix of as much height.
const MOST_BARS: usize = 6;

/// Mistakes, probabilities and feature importance.
pub(crate) fn inside(context: &ArticleContext) -> Option<Section> {
    let chosen = context.chosen()?;
    let stage = context.stage(&chosen.stage)?;
    let scores = chosen.judged()?;
    let mut section = Section::new("sec:inside", context.voice.say("Mistakes and Features", "Erreurs et variables"));
    let lost = importance(context);
    let sentence = lost.as_ref().map(|(sentence, _)| sentence.clone());
    let figure = figure(context, chosen, scores, lost.and_then(|(_, bars)| bars));
    let mistakes = figure.as_ref().and_then(|_| mistakes(context, chosen, scores));
    section.blocks.extend(context.paragraph([mistakes, probabilities(context, stage), sentence]));
    section.blocks.extend(figure.map(Block::Float));
    Some(section)
}

/// What is confused, and beside it which columns matter.
fn figure(context: &ArticleContext, model: &Model, scores: &Scores, bars: Option<Drawing>) -> Option<Float> {
    if scores.confusion.is_empty() {
        return None;
    }
    let confused = Confused::of(scores, MOST_SHOWN);
    let matrix = confusion_shares(
        &confused.classes,
        &confused.counts,
        context.voice.say("predicted, % of the true class", "prédit, % de la vraie classe"),
    );
    let mut caption = bilingual!(
        context,
        "{left}onfusion matrix of {name} {on}, in per cent of each true class",
        "{gauche}atrice de confusion {of} {on}, en % de chaque vraie classe",
        left = if bars.is_some() { "Left: c" } else { "C" },
        gauche = if bars.is_some() { "À gauche : m" } else { "M" },
        name = context.subject(model),
        of = methods::of_french(&context.subject(model)),
        on = context.on(model.judged_on()),
    );
    if confused.others > 0 {
        caption.push_str(&bilingual!(
            context,
            " (of {of} classes the {shown} most confused, the others summed)",
            " (des {of} classes, les {shown} les plus confondues, les autres additionnées)",
            of = confused.of,
            shown = confused.of - confused.others,
        ));
    }
    if bars.is_some() {
        caption.push_str(context.voice.say(
            "; right: accuracy lost when a column is shuffled, ± one standard error",
            " ; à droite : exactitude perdue quand une colonne est mélangée, ± une erreur type",
        ));
    }
    caption.push('.');
    let drawings: Vec<Drawing> = [Some(matrix), bars].into_iter().flatten().collect();
    Some(context.figure("fig:confusion", &caption, drawings, 0.44))
}

fn mistakes(context: &ArticleContext, model: &Model, scores: &Scores) -> Option<String> {
    let class = |class: usize| markup::escaped(&scores.classes[class]);
    if let Some(only) = scores.only_predicted() {
        return Some(bilingual!(
            context,
            "{name} predicts {only} for every row (@fig:confusion): it tells no class from another, and does what guessing one class does.",
            "{name} prédit {only} pour toutes les lignes (@fig:confusion) : il ne distingue aucune classe d'une autre, et ne fait que ce que ferait une réponse constante.",
            name = context.subject(model),
            only = class(only),
        ));
    }
    let Some(most) = scores.most_confused() else {
        return Some(bilingual!(
            context,
            "{name} confuses no class (@fig:confusion).",
            "{name} ne confond aucune classe (@fig:confusion).",
            name = context.subject(model),
        ));
    };
    let recalls = scores.recalls().map_or_else(String::new, |recalls| {
        bilingual!(
            context,
            "finds {found} best (recall {high}) and {lost} least ({low}); it ",
            "retrouve le mieux {found} (rappel {high}) et le moins bien {lost} ({low}) ; il ",
            high = context.voice.decimals(recalls.best.1, 2),
            low = context.voice.decimals(recalls.worst.1, 2),
            found = class(recalls.best.0),
            lost = class(recalls.worst.0),
        )
    });
    let (confuses, confond) = match scores.classes.len() {
        // There is no other pair.
        2 => (String::new(), String::new()),
        _ => bilingual_pair(&class(most.truth), &class(most.taken_for)),
    };
    Some(bilingual!(
        context,
        "Among the classes, {name} {recalls}{confuses}takes {rows} of {all} {t} for {p}, and {back} of {others} the other way (@fig:confusion).",
        "Parmi les classes, {name} {recalls}{confond}prend {t} pour {p} {rows} fois sur {all}, et l'inverse {back} fois sur {others} (@fig:confusion).",
        name = context.subject(model),
        rows = context.voice.count(most.rows),
        all = context.voice.count(most.of),
        back = context.voice.count(most.back),
        others = context.voice.count(most.back_of),
        t = class(most.truth),
        p = class(most.taken_for),
    ))
}

/// Which classes are mixed up most, before what is taken for what.
fn bilingual_pair(t: &str, p: &str) -> (String, String) {
    (format!("confuses {t} and {p} most: it "), format!("confond le plus {t} et {p} : il "))
}

fn probabilities(context: &ArticleContext, stage: &StageArtifacts) -> Option<String> {
    let found = Calibrated::of(calibration::of(stage)?);
    // On rows that it was not fitted on, where there are any.
    let change = found.changes.last()?;
    let [before, after] = [change.before, change.after].map(|error| context.voice.decimals(error, 3));
    let verb = match change.direction() {
        Ordering::Less => bilingual!(context, "falls from {before} to {after}", "baisse de {before} à {after}"),
        Ordering::Greater => bilingual!(context, "rises from {before} to {after}", "monte de {before} à {after}"),
        Ordering::Equal => bilingual!(context, "stays {after}", "reste à {after}"),
    };
    Some(bilingual!(
        context,
        "{on} its calibration error {verb} by a temperature of {temperature}.",
        "{on}, son erreur de calibration {verb} grâce à une température de {temperature}.",
        on = super::super::text::upper(context.on(change.part)),
        temperature = context.voice.decimals(found.temperature, 2),
    ))
}

fn importance(context: &ArticleContext) -> Option<(String, Option<Drawing>)> {
    let stage = context.of_kind("inspect").next()?;
    let found = stage.documents.get::<Inspection>()?;
    let all = &found.importance;
    let judge = Judge::new(found);
    let most = judge.most()?;
    let looked_at = context
        .study
        .parents(&stage.stage)
        .find(|parent| matches!(context.study.kind_of(parent), Some("train" | "ensemble" | "transfer")));
    let model = looked_at
        .map_or_else(|| context.voice.say("the model", "le modèle").to_owned(), |stage| context.stage_subject(stage));
    let loses = match most {
        Most::Clear(cost) => {
            let (name, drop) = (markup::code(&cost.column.name), context.voice.decimals(cost.drop().mean, 3));
            match cost.measure {
                Measure::Accuracy => bilingual!(
                    context,
                    "{model} loses most accuracy with {name}: {drop}",
                    "{model} perd le plus d'exactitude avec {name} : {drop}",
                ),
                Measure::MacroF1 => bilingual!(
                    context,
                    "{model} loses most macro-F1 with {name}: {drop}",
                    "{model} perd le plus de macro-F1 avec {name} : {drop}",
                ),
                Measure::LogLoss => bilingual!(
                    context,
                    "the log loss of {model} rises most with {name}, by {drop}",
                    "la perte logarithmique de {model} monte le plus avec {name}, de {drop}",
                ),
            }
        }
        Most::Unclear(cost) => {
            let (name, drop) = (markup::code(&cost.column.name), context.voice.decimals(cost.drop().mean, 3));
            let deviation = context.voice.decimals(cost.drop().sd, 3);
            let of = match cost.measure {
                Measure::Accuracy => context.voice.say("accuracy", "d'exactitude"),
                Measure::MacroF1 => context.voice.say("macro-F1", "de macro-F1"),
                Measure::LogLoss => context.voice.say("log loss", "de perte logarithmique"),
            };
            bilingual!(
                context,
                "no column clearly matters to {model}: {name} costs most, {drop} ± {deviation} of {of}, and none costs more than chance explains (corrected for all columns and measures)",
                "aucune colonne ne compte nettement pour {model} : {name} coûte le plus, {drop} ± {deviation} {of}, et aucune ne coûte plus que le hasard n'explique (corrigé pour toutes les colonnes et mesures)",
            )
        }
        Most::Guessing(_) => bilingual!(
            context,
            "no column can be called important, as {model} is no better than guessing there",
            "aucune colonne ne peut être dite importante, car {model} n'y fait pas mieux que le hasard",
        ),
        Most::Nothing => {
            bilingual!(context, "{model} loses accuracy with none", "{model} ne perd d'exactitude avec aucune",)
        }
    };
    let mut sentence = bilingual!(
        context,
        "Shuffling one column at a time {on} ({repeats} times each), {loses}",
        "Quand on mélange une colonne à la fois {on} ({repeats} fois chacune), {loses}",
        on = context.on(found.part),
        repeats = found.repeats,
    );
    let joint: Vec<String> = (all.iter().filter(|one| !is_single(one)))
        .map(|one| format!("{} {}", kind_of_input(context, &one.name), context.voice.decimals(one.accuracy.mean, 3)))
        .collect();
    if !joint.is_empty() {
        sentence.push_str(&bilingual!(
            context,
            "; columns of a kind shuffled together cost {list}",
            " ; les colonnes d'un même type, mélangées ensemble, coûtent : {list}",
            list = context.voice.list(&joint, 4),
        ));
    }
    sentence.push('.');
    let mut single: Vec<&runner_results::inspection::Importance> = all.iter().filter(|one| is_single(one)).collect();
    single.sort_by(|a, b| b.accuracy.mean.total_cmp(&a.accuracy.mean));
    let bars = single.iter().take(MOST_BARS).map(|one| Bar {
        label: one.name.clone(),
        value: one.accuracy.mean,
        reach: one.accuracy.sd,
    });
    let bars: Vec<Bar> = bars.collect();
    let axis = context.voice.say("accuracy lost", "exactitude perdue");
    let drawing = (bars.len() > 1).then(|| loss_bars("Accuracy lost when a column is shuffled", axis, &bars));
    Some((sentence, drawing))
}

fn kind_of_input(context: &ArticleContext, name: &str) -> String {
    match name {
        "all texts" => context.voice.say("texts", "textes").to_owned(),
        "all numbers" => context.voice.say("numbers", "nombres").to_owned(),
        "all categories" => context.voice.say("categories", "catégories").to_owned(),
        other => markup::escaped(other),
    }
}
