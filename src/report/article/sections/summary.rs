//! The abstract and the keywords: the results of the sections in a few sentences.

use super::super::text::upper;
use super::{ArticleContext, bilingual, convergence, source, transfer};
use crate::article::markup;
use crate::article::text::Text;
use crate::ranking::Source;
use runner_results::Part;

pub(crate) fn summary(tale: &ArticleContext) -> Text {
    let chosen = tale.recommended().and_then(|model| Some((model, model.judged()?)));
    let is_tested = tale.judged_on() == Part::Test;
    let is_alone = !tale.is_choice();
    let sentences = [
        task(tale),
        chosen.map(|(model, scores)| {
            let name = tale.introduced(model);
            bilingual!(
                tale,
                "{chosen} reaches {part} accuracy of {accuracy} and a macro-F1 of {f1}{none}.",
                "{choisi} {y} une exactitude de {accuracy} et une macro-F1 de {f1}{none}.",
                chosen = match (is_alone, source(model)) {
                    (true, _) => upper(&name),
                    (false, Source::ValidationPart) => format!("Chosen on validation rows, {name}"),
                    (false, Source::CrossValidation) => format!("Chosen by cross-validation, {name}"),
                },
                // No participle, which would have to agree with the name.
                choisi = match (is_alone, source(model)) {
                    (true, _) => upper(&name),
                    (false, Source::ValidationPart) => format!("Le choix sur la validation désigne {name}, qui"),
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
                    tale.voice.say("; there are no test rows", " ; il n'y a pas de lignes de test")
                },
                accuracy = tale.accuracy(scores),
                f1 = tale.voice.decimals(scores.macro_f1, 3),
            )
        }),
        tale.against_classical(),
        chosen.and_then(|(model, _)| tale.leak(model)),
        convergence::in_short(tale).map(|short| upper(&short) + "."),
        transfer::in_short(tale).map(|short| upper(&short) + "."),
    ];
    tale.text(&sentences.into_iter().flatten().collect::<Vec<_>>().join(" "))
}

fn task(tale: &ArticleContext) -> Option<String> {
    let group = tale.main()?;
    let rows = tale.rows_of(&group.classes).unwrap_or(group.rows as u64);
    Some(bilingual!(
        tale,
        "We {compare} of {label} ({classes} classes) on {rows} rows{linked}.",
        "Nous {compare} de {label} ({classes} classes) sur {rows} lignes{linked}.",
        compare = match (group.models.len(), tale.voice.is_french()) {
            (1, false) => "look at one classifier".to_owned(),
            (1, true) => "étudions un classifieur".to_owned(),
            (models, false) => format!("compare {models} classifiers"),
            (models, true) => format!("comparons {models} classifieurs"),
        },
        linked = match tale.keeps_together() {
            true => tale.voice.say(
                ", split so that linked rows stay in the same part",
                ", réparties de sorte que des lignes liées restent dans la même partie",
            ),
            false => "",
        },
        label = markup::code(tale.label().unwrap_or("label")),
        classes = group.classes.len(),
        rows = tale.voice.count(rows),
    ))
}

pub(crate) fn keywords(tale: &ArticleContext) -> Vec<String> {
    let mut words = vec![tale.voice.say("classification", "classification")];
    if tale.of_kind("train").next().is_some() {
        words.push(tale.voice.say("neural networks", "réseaux de neurones"));
    }
    if tale.of_kind("embed").next().is_some() {
        words.push(tale.voice.say("text embeddings", "plongements de textes"));
    }
    if tale.of_kind("transfer").next().is_some() {
        words.push(tale.voice.say("transfer learning", "apprentissage par transfert"));
    }
    words.into_iter().map(String::from).collect()
}
