//! The discussion: what bounds the scores, and what the reader should keep in mind.

use runner_results::profile::audit::{ROWS_OF_MANY_VALUES, RowKey};
use runner_results::training::Training;

use super::{ArticleContext, bilingual, codes};
use crate::article::document::Section;

pub(crate) fn section(context: &ArticleContext) -> Section {
    let mut section = Section::new("sec:discussion", context.voice.say("Discussion", "Discussion"));
    section.blocks.extend(context.paragraph([limits(context), known(context)]));
    section.blocks.extend(context.own_blocks(context.subject.limits.as_ref()));
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
