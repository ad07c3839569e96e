//! The abstract and the keywords: the results of the sections in a few sentences.

use super::super::text::upper;
use super::{ArticleContext, bilingual, convergence, source, transfer};
use crate::article::markup;
use crate::article::text::Text;
use crate::ranking::Source;
use runner_results::Part;

pub(crate) fn summary(context: &ArticleContext) -> Text {
    let chosen = context.recommended().and_then(|model| Some((model, model.judged()?)));
    let is_tested = context.judged_on() == Part::Test;
    let is_alone = !context.is_choice();
    let among = context.among();
    let sentences = [
        task(context),
        chosen.map(|(model, scores)| {
            let name = context.introduced(model);
            bilingual!(
                context,
                "{chosen} reaches {part} accuracy of {accuracy} and a macro-F1 of {f1}{none}.",
                "{choisi} {y} une exactitude de {accuracy} et une macro-F1 de {f1}{none}.",
                chosen = match (is_alone, source(model)) {
                    (true, _) => upper(&name),
                    (false, Source::ValidationPart) => format!("Chosen on validation rows{}, {name}", among.0),
                    (false, Source::CrossValidation) => format!("Chosen by cross-validation, {name}"),
                },
                // No participle, which would have to agree with the name.
                choisi = match (is_alone, source(model)) {
                    (true, _) => upper(&name),
                    (false, Source::ValidationPart) => {
                        format!("Le choix sur la validation{} désigne {name}, qui", among.1)
                    }
                    (false, Source::CrossValidation) => format!("Le choix par validation croisée désigne {name}, qui"),
                },
                part = match (is_tested, is_alone || source(model) == Source::CrossValidation) {
                    (true, _) => "a test",
                    (false, true) => "a validation",
                    (false, false) => "there an",
                },
                y = match (is_tested, is_alone || source(model) == Source::CrossValidation) {
                    (true, _) => "atteint sur le test",
                    (false, true) => "atteint sur la validation",
                    (false, false) => "y atteint",
                },
                none = if is_tested {
                    ""
                } else {
                    context.voice.say("; there are no test rows", " ; il n'y a pas de lignes de test")
                },
                accuracy = context.accuracy(scores),
                f1 = context.voice.decimals(scores.macro_f1, 3),
            )
        }),
        chosen.and_then(|(_, scores)| context.question(scores)),
        context.against_classical(),
        chosen.and_then(|(model, _)| context.leak(model)),
        convergence::in_short(context).map(|short| upper(&short) + "."),
        transfer::in_short(context).map(|short| upper(&short) + "."),
    ];
    context.text(&sentences.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

fn task(context: &ArticleContext) -> Option<String> {
    let group = context.main()?;
    let rows = context.rows_of(&group.classes).unwrap_or(group.rows as u64);
    Some(bilingual!(
        context,
        "We {compare} of {label} ({classes} classes) on {rows} rows{linked}.",
        "Nous {compare} de {label} ({classes} classes) sur {rows} lignes{linked}.",
        compare = match (group.models.len(), context.voice.is_french()) {
            (1, false) => "look at one classifier".to_owned(),
            (1, true) => "étudions un classifieur".to_owned(),
            (models, false) => format!("compare {models} classifiers"),
            (models, true) => format!("comparons {models} classifieurs"),
        },
        linked = match context.keeps_together() {
            true => context.voice.say(
                ", split so that linked rows stay in the same part",
                ", réparties de sorte que des lignes liées restent dans la même partie",
            ),
            false => "",
        },
        label = markup::code(context.label().unwrap_or("label")),
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
        words.push(context.voice.say("text embeddings", "plongements de textes"));
    }
    if context.of_kind("transfer").next().is_some() {
        words.push(context.voice.say("transfer learning", "apprentissage par transfert"));
    }
    words.into_iter().map(String::from).collect()
}
