//! The conclusion: what was asked, answered by the same tests as in the results; and what limits the answers.

use runner_results::profile::audit::{ROWS_OF_MANY_VALUES, RowKey};
use runner_results::training::Training;

use super::super::text::upper;
use super::compared::source;
use super::{ArticleContext, bilingual, codes, convergence, transfer};
use crate::article::document::Section;
use crate::ranking::Source;

pub(crate) fn section(context: &ArticleContext) -> Section {
    let mut section = Section::new("sec:conclusion", context.voice.say("Conclusion", "Conclusion"));
    let chosen = context.recommended().and_then(|model| Some((model, model.judged()?)));
    section.blocks.extend(context.paragraph([
        chosen.map(|(model, scores)| bilingual!(
            context,
            "{recommended} {accuracy} of the {rows} correctly.",
            "{recommended} {accuracy} des {rows}.",
            recommended = match (context.is_choice(), context.chosen().is_some(), source(model)) {
                (false, ..) => bilingual!(
                    context,
                    "{name} classifies",
                    "{name} classe correctement",
                    name = upper(&context.introduced(model)),
                ),
                (true, true, _) => bilingual!(
                    context,
                    "Of all networks and ensembles tried, validation recommends {name}, which classifies",
                    "De tous les réseaux et ensembles essayés, la validation recommande {name}, qui classe correctement",
                    name = context.introduced(model),
                ),
                (true, false, source) => bilingual!(
                    context,
                    "Of all standard classifiers tried, {by} recommends {name}, which classifies",
                    "De tous les classifieurs usuels essayés, la {par} recommande {name}, qui classe correctement",
                    name = context.introduced(model),
                    by = if source == Source::ValidationPart { "validation" } else { "cross-validation" },
                    par = if source == Source::ValidationPart { "validation" } else { "validation croisée" },
                ),
            },
            accuracy = context.voice.percent(scores.accuracy),
            rows = context.rows_on(model.judged_on()),
        )),
        chosen.and_then(|(_, scores)| context.question(scores)),
        context.against_classical(),
        chosen.and_then(|(model, _)| context.leak(model)),
        convergence::in_short(context).map(|short| upper(&short) + "."),
        transfer::in_short(context).map(|short| upper(&short) + "."),
    ]));
    section.blocks.extend(context.paragraph([limits(context), known(context)]));
    section
}

/// Contradictory labels bound every model that is told of rows no more than their key tells.
fn limits(context: &ArticleContext) -> Option<String> {
    let (found, key) = context.ceiling()?;
    Some(bilingual!(
        context,
        "These scores are to be read against a ceiling: since labels contradict one another, no function of {key}, which decides all that the models read, can be right on more than {ceiling} of the rows.",
        "Ces scores se lisent au regard d'un plafond : comme des étiquettes se contredisent, aucune fonction de {key}, qui détermine tout ce que lisent les modèles, ne peut être juste pour plus de {ceiling} des lignes.",
        key = codes(&key.split(" + ").map(String::from).collect::<Vec<_>>()).join(" + "),
        ceiling = context.voice.percent(found.ceiling),
    ))
}

/// Values that test rows share with training rows: new ones would score lower.
fn known(context: &ArticleContext) -> Option<String> {
    let profile = context.profile()?;
    let learnt: Vec<String> = context
        .of_kind("train")
        .filter_map(|stage| stage.documents.get::<Training>())
        .flat_map(|training| training.inputs.categories.iter().cloned())
        .collect();
    let shares = profile.audit.overlaps.iter().filter_map(|one| {
        // A category may be a group key of its own.
        let (RowKey::Column { name } | RowKey::Group { name }) = &one.key else { return None };
        let share = one.given.as_ref()?.test_in_train?;
        // Of few values all are known by nature, and new rows bring no others.
        let column = profile.columns.iter().find(|column| column.name == *name)?;
        let is_many = profile.rows < ROWS_OF_MANY_VALUES * column.distinct;
        (is_many && learnt.contains(name)).then_some((name, share))
    });
    let (key, share) = shares.reduce(|a, b| if b.1 > a.1 { b } else { a })?;
    Some(bilingual!(
        context,
        "Of the test rows, {share} have a value of {key} that training rows have too, and networks that learn it profit from this: where new data bring new values, a lower score is to be expected.",
        "Parmi les lignes de test, {share} ont une valeur de {key} déjà vue à l'apprentissage, ce dont profitent les réseaux qui l'apprennent : là où de nouvelles données en apportent d'autres, il faut s'attendre à un score plus bas.",
        key = crate::article::markup::code(key),
        share = context.voice.percent(share),
    ))
}
