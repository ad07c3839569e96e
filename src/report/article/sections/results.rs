//! Results: models compared, training judged, mistakes and probabilities looked at, transfer.

use super::super::text::upper;
use super::methods::{self, of_french};
use super::{
    ArticleContext, bilingual, choosing, convergence, design, inside, neighbours, predictions, source, standard,
    transfer, validation,
};
use crate::article::document::{Align, Block, Float, Section};
use crate::article::markup;
use crate::ranking::{Choice, Source};
use crate::study::models::{Group, Model};
use crate::study::pairs::paired_test;
use runner_results::scores::Scores;
use runner_results::{Metric, Part};

/// Models in a table or chart; beyond these the worst are left out, and said to be.
const MOST_MODELS: usize = 20;

pub(crate) fn section(context: &ArticleContext) -> Section {
    let voice = context.voice;
    let mut section = Section::new("sec:results", voice.say("Results", "Résultats"));
    let told = [
        Some(standard::section(context)),
        design::section(context),
        convergence::section(context),
        comparison(context),
        inside::inside(context),
        transfer::section(context),
        predictions::section(context),
    ];
    section.subsections = told.into_iter().flatten().filter(|inner| !inner.is_empty()).collect();
    section
}

/// The models that a reader compares: networks and ensembles, and of each stage of standard classifiers the best.
fn shown<'a>(context: &ArticleContext, group: &'a Group) -> Vec<&'a Model> {
    let mut stages: Vec<&str> = Vec::new();
    let mut kept = Vec::new();
    for model in &group.models {
        if context.kind(model) == Some("baseline") {
            if model.is_reference() || stages.contains(&model.stage.as_str()) {
                continue;
            }
            stages.push(&model.stage);
        }
        kept.push(model);
    }
    // Where nothing but a reference was fitted it is all that there is.
    if kept.is_empty() { group.models.iter().collect() } else { kept }
}

fn comparison(context: &ArticleContext) -> Option<Section> {
    let group = context.main()?;
    let has_texts = context.of_kind("embed").next().is_some();
    let title = match has_texts {
        true => context.voice.say("Texts, Fusion, and Ensembles", "Textes, fusion et ensembles"),
        false => context.voice.say("Models Compared", "Comparaison des modèles"),
    };
    let mut section = Section::new("sec:comparison", title);
    let map = neighbours::neighbours_figure(context);
    section.blocks.extend(context.paragraph([neighbours::neighbours(context, map.is_some()), inputs(context)]));
    section.blocks.extend(map.map(Block::Float));
    section.blocks.extend(
        context.paragraph([
            reference(context, group),
            best(context).or_else(|| {
                Some(bilingual!(
                    context,
                    "@tab:models lists the models, the best first.",
                    "Le @tab:models présente les modèles, le meilleur en tête.",
                ))
            }),
            context.chosen().and_then(|model| context.threshold(model.judged()?)),
            context.chosen().and_then(|model| context.leak(model)),
            tied(context, group),
            context.chosen().zip(context.classical()).and_then(|(chosen, classical)| {
                let name = context.subject(chosen);
                let whose = bilingual!(context, "The accuracy of {name}", "L'exactitude {of}", of = of_french(&name));
                Some(context.against(&upper(&name), &whose, chosen, classical, &context.subject(classical))? + ".")
            }),
            context
                .chosen()
                .zip(context.classical())
                .and_then(|(chosen, classical)| context.other_inputs(chosen, classical)),
            choosing::ensembles(context),
            caution(context, group),
            context.left_out(),
        ]),
    );
    section.blocks.push(Block::Float(table(context, group)));
    Some(section)
}

/// Where nothing was learnt there is no best.
fn reference(context: &ArticleContext, group: &Group) -> Option<String> {
    let Choice::OnlyReference(model) = group.choice() else { return None };
    Some(bilingual!(
        context,
        "{name} is no model but the reference that models must beat; none was fitted.",
        "{name} n'est pas un modèle, mais ce à quoi on en compare ; aucun n'a été ajusté.",
        name = upper(&context.subject(model)),
    ))
}

fn best(context: &ArticleContext) -> Option<String> {
    let chosen = context.chosen()?;
    let scores = chosen.judged()?;
    let other = |sentence: bool| {
        context.other_score_of(scores).map(|(name, value)| match sentence {
            true => bilingual!(
                context,
                "The {name} of {model} is {value}. ",
                "Pour {model}, {name} est de {value}. ",
                model = context.name(chosen),
            ),
            false => bilingual!(context, "its {name} is {value}, ", "{name} est de {value}, "),
        })
    };
    if context.count_of("train") + context.count_of("ensemble") == 1 {
        return Some(bilingual!(
            context,
            "{other}The accuracy of {name} {on} is {accuracy}, its macro-F1 {f1} (@tab:models).",
            "{other}L'exactitude {of} {on} est de {accuracy}, sa macro-F1 de {f1} (@tab:models).",
            other = other(true).unwrap_or_default(),
            of = of_french(&context.subject(chosen)),
            name = context.subject(chosen),
            on = context.on(chosen.judged_on()),
            accuracy = context.accuracy(scores),
            f1 = context.voice.decimals(scores.macro_f1, 3),
        ));
    }
    Some(bilingual!(
        context,
        "By {metric} on validation rows, {name} is the best of all networks and ensembles (@tab:models); {other}its accuracy {on} is {accuracy}.",
        "D'après {metric} de validation, {name} est le meilleur des réseaux et ensembles (@tab:models) ; {other}son exactitude {on} est de {accuracy}.",
        metric = methods::metric(context.voice, context.metric()),
        other = other(false).unwrap_or_default(),
        name = context.subject(chosen),
        on = context.on(chosen.judged_on()),
        accuracy = context.accuracy(scores),
    ))
}

/// Whom the paired tests do not tell apart from the model that validation chooses among all.
fn tied(context: &ArticleContext, group: &Group) -> Option<String> {
    let first = group.chosen()?;
    // Where accuracy is not the question, that it is that of the largest class' share says nothing.
    let is_asked = |model: &&Model| group.other_metric().is_none() || !model.is_reference();
    let others: Vec<&Model> = group.models.iter().skip(1).filter(is_asked).collect();
    let tied: Vec<String> = others
        .iter()
        .filter(|model| context.judge(first, model).is_some_and(|judgement| !judgement.differ))
        .map(|model| context.subject(model))
        .collect();
    // Where nothing compares two models nothing is said of their difference.
    let others: Vec<&Model> = others.into_iter().filter(|model| context.judge(first, model).is_some()).collect();
    let (name, part) = (upper(&context.subject(first)), context.part(group.part));
    let (there, de) = match source(first) {
        Source::ValidationPart => ("on validation rows", "de validation"),
        Source::CrossValidation => ("in cross-validation", "de validation croisée"),
    };
    let top = context.top_score(de);
    // Intervals that overlap are no test: a difference may hide in them.
    if others.iter().filter_map(|model| context.judge(first, model)).any(|judgement| judgement.p.is_none()) {
        let intervals = match tied.is_empty() {
            true => context
                .voice
                .say(
                    "no other's 95% interval overlaps that of its accuracy",
                    "aucun autre intervalle à 95 % ne recoupe celui de son exactitude",
                )
                .to_owned(),
            false => bilingual!(
                context,
                "the 95% interval of its {part} accuracy overlaps that of {list}",
                "l'intervalle à 95 % de son exactitude {part} recoupe celui {list_de}",
                list = context.voice.list(&tied, 4),
                list_de = context.voice.list(&tied.iter().map(|name| of_french(name)).collect::<Vec<_>>(), 4),
            ),
        };
        return (!others.is_empty())
            .then(|| bilingual!(context, "{name} has {top} {there}; {intervals}.", "{name} a {top} ; {intervals}.",));
    }
    if others.is_empty() {
        return None;
    }
    // The sentence before is on the best of networks and ensembles, which need not be the best of all.
    let is_told = context.chosen().is_some_and(|chosen| chosen.stage == first.stage && chosen.name == first.name);
    let its = match is_told {
        true => context.voice.say("Its", "Son exactitude").to_owned(),
        false => {
            bilingual!(context, "{name} has {top} {there}; its", "{name} a {top} ; son exactitude")
        }
    };
    let sentence = match tied.is_empty() {
        true => bilingual!(
            context,
            "{its} {part} accuracy differs significantly from that of every other.",
            "{its} {part} diffère significativement de celle de tous les autres.",
        ),
        false => bilingual!(
            context,
            "{its} {part} accuracy does not differ significantly from that of {list}.",
            "{its} {part} ne diffère pas significativement de celle {list_de}.",
            list = context.voice.list(&tied, 4),
            list_de = context.voice.list(&tied.iter().map(|name| of_french(name)).collect::<Vec<_>>(), 4),
        ),
    };
    Some(sentence)
}

/// Choosing by the test score would bias it.
fn caution(context: &ArticleContext, group: &Group) -> Option<String> {
    let (chosen, (highest, metric, score)) = (group.chosen()?, group.highest()?);
    let own = chosen.judged().and_then(|own| own.value(metric));
    let agree = own.is_some_and(|own| metric.merit(own) >= metric.merit(score));
    if group.part != Part::Test || group.models.len() < 2 || agree {
        return None;
    }
    Some(bilingual!(
        context,
        "The best of {count} test {values}, {score} by {name}, is optimistically biased and chose nothing.",
        "La meilleure des {count} {values} de test, {score} pour {name}, est biaisée par optimisme et n'a servi à aucun choix.",
        count = group.models.len(),
        values = match (metric, context.voice.is_french()) {
            (Metric::Accuracy, false) => "accuracies".to_owned(),
            (Metric::Accuracy, true) => "exactitudes".to_owned(),
            (_, false) => format!("values of the {}", methods::bare_metric(context.voice, metric)),
            (_, true) => format!("valeurs {}", of_french(methods::metric(context.voice, metric))),
        },
        score = context.voice.decimals(score, 3),
        name = context.subject(highest),
    ))
}

/// What texts add: the best network on numbers alone against the best on both.
fn inputs(context: &ArticleContext) -> Option<String> {
    let (both, numbers) = context.with_and_without_texts()?;
    let who = upper(&context.subject(both));
    let whose = bilingual!(context, "The accuracy of {name}", "L'exactitude {name}", name = of_name(context, both));
    let mut sentence = bilingual!(
        context,
        "{against}",
        "{against}",
        against = context.against(&who, &whose, both, numbers, &context.subject(numbers))?,
    );
    if let Some(words) = context.on_texts_alone() {
        sentence.push_str(&bilingual!(
            context,
            "; {name} alone reaches {score}",
            " ; seul, {name} atteint {score}",
            score = context.voice.decimals(words.judged()?.accuracy, 3),
            name = context.subject(words),
        ));
    }
    Some(sentence + "." + &gains(context, both, numbers).unwrap_or_default())
}

/// A model after `of` or, in French, with its `de`.
fn of_name(context: &ArticleContext, model: &Model) -> String {
    let subject = context.subject(model);
    if context.voice.is_french() { of_french(&subject) } else { subject }
}

/// Which classes profit most, by recall.
fn gains(context: &ArticleContext, both: &Model, numbers: &Model) -> Option<String> {
    let (with, without) = (both.judged()?, numbers.judged()?);
    let recall = |scores: &Scores, class: &String| {
        let place = scores.classes.iter().position(|own| own == class)?;
        let row = scores.confusion.get(place)?;
        let all: u64 = row.iter().sum();
        (all > 0).then(|| row[place] as f64 / all as f64)
    };
    let mut found: Vec<(f64, &String)> =
        with.classes.iter().filter_map(|class| Some((recall(with, class)? - recall(without, class)?, class))).collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let ((high, most), (low, least)) = (*found.first()?, *found.last()?);
    (found.len() > 2 && high > 0.0).then(|| {
        bilingual!(
            context,
            " Its recall gains most for {most} ({high} points) and least for {least} ({low}).",
            " Son rappel gagne le plus pour {most} ({high} points) et le moins pour {least} ({low}).",
            most = markup::escaped(most),
            least = markup::escaped(least),
            high = context.voice.decimals(high * 100.0, 1),
            low = context.voice.decimals(low * 100.0, 1),
        )
    })
}

fn table(context: &ArticleContext, group: &Group) -> Float {
    let voice = context.voice;
    let shown = shown(context, group);
    let first = shown.first().copied();
    let other = group.other_metric();
    let row = |model: &Model| {
        let Some(scores) = model.judged() else { return vec![context.name(model)] };
        let p = first.filter(|first| first.name != model.name || first.stage != model.stage);
        let p = p
            .and_then(|first| paired_test(&context.study, first, model))
            .map_or_else(|| "–".to_owned(), |pair| voice.bare_p(pair.adjusted_p));
        let decimals = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| voice.decimals(value, 3));
        let mut cells = vec![context.name(model), decimals(validation(model, context.metric()))];
        cells.extend(other.map(|metric| decimals(scores.value(metric))));
        cells.extend([
            voice.decimals(scores.accuracy, 3),
            scores.accuracy_interval().map_or_else(|| "–".to_owned(), |(low, high)| voice.interval(low, high)),
            voice.decimals(scores.macro_f1, 3),
            p,
        ]);
        cells
    };
    let mut sources: Vec<Source> = group.models.iter().filter_map(|model| Some(model.validation()?.source)).collect();
    sources.dedup();
    let short = methods::short_metric(group.metric);
    let by_folds = matches!(sources.as_slice(), [Source::CrossValidation]);
    let ranking = match (by_folds, voice.is_french()) {
        (true, false) => format!("CV {short}"),
        (true, true) => format!("{short} VC"),
        (false, false) => format!("Valid. {short}"),
        (false, true) => format!("{short} valid."),
    };
    let other = other.map(|metric| methods::short_metric(metric).to_owned());
    let mut heads = vec![(voice.say("Model", "Modèle"), Align::Wrapped(0.34)), (ranking.as_str(), Align::Right)];
    heads.extend(other.as_ref().map(|other| (other.as_str(), Align::Right)));
    heads.extend([
        (voice.say("Accuracy", "Exactitude"), Align::Right),
        (voice.say("95% interval", "IC à 95 %"), Align::Right),
        (voice.say("Macro-F1", "Macro-F1"), Align::Right),
        ("*p*", Align::Right),
    ]);
    let left_out = shown.len().saturating_sub(MOST_MODELS);
    let test = match context.is_grouped() {
        true => voice.say("a sign-flip test over groups", "test de permutation des signes par groupes"),
        false => voice.say("McNemar's test", "test de McNemar"),
    };
    let named = methods::bare_metric(voice, group.metric);
    let metric = match group.other_metric() {
        Some(metric) if named != methods::short_metric(metric) => {
            format!("{named} ({})", methods::short_metric(metric))
        }
        _ => named.to_owned(),
    };
    let mut caption = bilingual!(
        context,
        "Models by {by}; {other}accuracy, its interval and macro-F1 {part}. *p*: {test} against the first, Holm-corrected.",
        "Modèles par {par} ; {other}exactitude, son intervalle et macro-F1 {part}. *p* : {test} contre le premier, corrigé selon Holm. IC : intervalle de confiance.",
        by = match sources.as_slice() {
            [Source::CrossValidation] => format!("cross-validated (CV) {metric}"),
            [_] => format!("{metric} on validation rows"),
            _ => format!("{metric} on validation rows (cross-validated without any)"),
        },
        par = match sources.as_slice() {
            [Source::CrossValidation] => format!("{metric} de validation croisée (VC)"),
            [_] => format!("{metric} de validation"),
            _ => format!("{metric} de validation (croisée à défaut)"),
        },
        other = group.other_metric().map(|_| format!("{named}, ")).unwrap_or_default(),
        part = context.on(group.part),
    );
    if left_out > 0 {
        caption.push_str(&bilingual!(
            context,
            " Not shown from the end: {left_out}.",
            " Non montrés à la fin : {left_out}."
        ));
    }
    context.table("tab:models", &caption, &heads, shown.iter().take(MOST_MODELS).copied().map(row).collect())
}
