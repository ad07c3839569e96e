//! The abstract and the keywords: the results of the sections in a few sentences.

use super::super::text::upper;
use super::{ArticleContext, bilingual, convergence, design, source, transfer};
use crate::article::text::Text;
use crate::ranking::Source;
use crate::study::models::Model;
use runner_results::Part;
use runner_results::scores::Scores;

pub(crate) fn summary(context: &ArticleContext) -> Text {
    let chosen = context.recommended().and_then(|model| Some((model, model.judged()?)));
    let sentences = [
        task(context),
        chosen.map(|(model, scores)| reached(context, model, scores)),
        chosen.and_then(|(_, scores)| context.question(scores)),
        context.against_classical(),
        chosen.and_then(|(model, _)| context.leak(model)),
        design::in_short(context),
        convergence::in_short(context).map(|short| upper(&short) + "."),
        transfer::in_short(context).map(|short| upper(&short) + "."),
    ];
    context.text(&sentences.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

/// What the chosen model reaches.
fn reached(context: &ArticleContext, model: &Model, scores: &Scores) -> String {
    let is_tested = context.judged_on() == Part::Test;
    let name = context.introduced(model);
    let by = match (context.is_choice(), source(model)) {
        (false, _) => None,
        (true, Source::ValidationPart) => Some(("validation rows", "la validation")),
        (true, Source::CrossValidation) => Some(("cross-validation", "la validation croisée")),
    };
    let accuracy = context.accuracy(scores);
    let f1 = context.voice.decimals(scores.macro_f1, 3);
    let (on, sur) = match is_tested {
        true => ("on test rows that nothing was chosen by", "sur des lignes de test qui n'ont servi à aucun choix"),
        false => ("on validation rows, as there are no test rows", "sur la validation, faute de lignes de test"),
    };
    match by {
        None => bilingual!(
            context,
            "{name} reaches an accuracy of {accuracy} and a macro-F1 of {f1} {on}.",
            "{name} atteint une exactitude de {accuracy} et une macro-F1 de {f1} {sur}.",
            name = upper(&name),
        ),
        Some((by, par)) => bilingual!(
            context,
            "The model that {by} prefer{s}, {name}, reaches an accuracy of {accuracy} and a macro-F1 of {f1} {on}.",
            "Le modèle que préfère {par}, {name}, atteint une exactitude de {accuracy} et une macro-F1 de {f1} {sur}.",
            s = if by.ends_with("rows") { "" } else { "s" },
        ),
    }
}

fn task(context: &ArticleContext) -> Option<String> {
    let group = context.main()?;
    let rows = context.rows_of(&group.classes).unwrap_or(group.rows as u64);
    Some(bilingual!(
        context,
        "We predict {label} ({classes} classes) of {rows} {names} with {compared}{linked}.",
        "Nous prédisons {label} ({classes} classes) de {rows} {names} par {compared}{linked}.",
        compared = match (group.models.len(), context.voice.is_french()) {
            (1, false) => "one classifier".to_owned(),
            (1, true) => "un classifieur".to_owned(),
            (models, false) => format!("{models} classifiers"),
            (models, true) => format!("{models} classifieurs"),
        },
        linked = match context.keeps_together() {
            true => context.voice.say(
                ", copies of a row always on the same side of the split",
                ", les copies d'une ligne restant du même côté de la séparation",
            ),
            false => "",
        },
        label = context.label_name(),
        names = context.subject.rows(context.voice),
        classes = group.classes.len(),
        rows = context.voice.count(rows),
    ))
}

pub(crate) fn keywords(context: &ArticleContext) -> Vec<String> {
    let mut words = vec![context.voice.say("classification", "classification")];
    if context.of_kind("train").next().is_some() {
        words.push(context.voice.say("neural networks", "réseaux de neurones"));
    }
    if context.of_kind("embed").next().is_some() {
        words.push(context.voice.say("embeddings", "plongements"));
    }
    if context.of_kind("transfer").next().is_some() {
        words.push(context.voice.say("transfer learning", "apprentissage par transfert"));
    }
    words.into_iter().map(String::from).collect()
}
