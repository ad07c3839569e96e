//! The files that are handed in: from which model, fitted on what, what they predict, how right they may be expected to be, and where they disagree.

use runner_results::Predictions;
use runner_results::refit::Refit;

use super::{ArticleContext, bilingual};
use crate::article::document::{Align, Block, Section};
use crate::article::markup;
use crate::read::StageArtifacts;
use crate::study::models::models;

/// Classes in the table of shares; more do not fit the page.
const MOST_CLASSES: usize = 7;

pub(crate) fn section(context: &ArticleContext) -> Option<Section> {
    let voice = context.voice;
    let all: Vec<(&StageArtifacts, &Predictions)> = context.study.with::<Predictions>().collect();
    if all.is_empty() {
        return None;
    }
    let mut section = Section::new("sec:predictions", voice.say("Predictions", "Prédictions"));
    let mut classes: Vec<&String> = Vec::new();
    for (_, found) in &all {
        classes.extend(found.predicted.keys().filter(|class| !classes.contains(class)).collect::<Vec<_>>());
    }
    classes.sort_by_key(|class| context.study.palette.rank(class));
    classes.truncate(MOST_CLASSES);
    let names: Vec<String> = classes.iter().map(|class| markup::escaped(class)).collect();
    let mut heads = vec![
        (voice.say("File", "Fichier"), Align::Left),
        (voice.say("Model", "Modèle"), Align::Wrapped(0.3)),
        (voice.say("Expected", "Attendu"), Align::Right),
    ];
    heads.extend(names.iter().map(|name| (name.as_str(), Align::Right)));
    let alike = alike(&all.iter().map(|(_, found)| found.file.as_str()).collect::<Vec<_>>());
    let row = |(stage, found): &(&StageArtifacts, &Predictions)| {
        let (of, _) = origin(context, stage);
        let expected = expected(context, &of).map_or_else(|| "–".to_owned(), |accuracy| voice.decimals(accuracy, 3));
        let share = |class: &&String| {
            let rows = found.predicted.get(*class)?;
            Some(voice.percent(*rows as f64 / found.rows.max(1) as f64))
        };
        let shares = classes.iter().map(|class| share(class).unwrap_or_else(|| "–".to_owned()));
        [markup::code(&found.file[alike..]), context.stage_name(&of), expected]
            .into_iter()
            .chain(shares)
            .collect::<Vec<_>>()
    };
    let caption = bilingual!(
        context,
        "Files of predictions: model, expected accuracy (its score {on} before it was fitted again), and share of the {rows} that each class is predicted for.",
        "Fichiers de prédictions : modèle, exactitude attendue (son score {on} avant le nouvel ajustement), et part des {rows} pour laquelle chaque classe est prédite.",
        on = context.on(context.judged_on()),
        rows = context.subject.rows(voice),
    );
    let table = context.table("tab:predictions", &caption, &heads, all.iter().map(row).collect());
    section.blocks.extend(context.paragraph([files(context, &all), disagreement(context, &all)]));
    section.blocks.push(Block::Float(table));
    Some(section)
}

/// Bytes of the beginning that all names share, up to an underscore; none of a single name.
fn alike(names: &[&str]) -> usize {
    let Some((first, others)) = names.split_first().filter(|(_, others)| !others.is_empty()) else { return 0 };
    let shared = |other: &&str| first.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let shared = others.iter().map(shared).min().unwrap_or(0);
    first.as_bytes()[..shared].iter().rposition(|byte| *byte == b'_').map_or(0, |place| place + 1)
}

/// The judged model that predictions come from, and the rows that it was fitted on again.
fn origin(context: &ArticleContext, stage: &StageArtifacts) -> (String, Option<usize>) {
    let from = stage.inputs.iter().find(|(port, _)| port == "model").map_or("", |(_, from)| from.as_str());
    let from = from.split('.').next().unwrap_or(from);
    let refit = context.stage(from).and_then(|stage| stage.documents.get::<Refit>());
    match refit {
        Some(refit) => (refit.of.split('/').next().unwrap_or(&refit.of).to_owned(), Some(refit.rows)),
        None => (from.to_owned(), None),
    }
}

/// The score of the judged model.
fn expected(context: &ArticleContext, stage: &str) -> Option<f64> {
    let all = models(&context.study);
    all.iter().find(|model| model.stage == stage).and_then(|model| Some(model.judged()?.accuracy))
}

fn files(context: &ArticleContext, all: &[(&StageArtifacts, &Predictions)]) -> Option<String> {
    let voice = context.voice;
    let mut sizes: Vec<usize> = all.iter().map(|(_, found)| found.rows).collect();
    sizes.dedup();
    let rows = match sizes.as_slice() {
        [one] => bilingual!(
            context,
            "{rows} new {names}",
            "{rows} {names} sans étiquette",
            rows = voice.count(*one as u64),
            names = context.subject.rows(voice),
        ),
        _ => bilingual!(context, "the new {names}", "les {names} sans étiquette", names = context.subject.rows(voice),),
    };
    let refitted = all.iter().filter(|(stage, _)| origin(context, stage).1.is_some()).count();
    let again = match (refitted, refitted == all.len()) {
        (0, _) => String::new(),
        (_, true) => voice
            .say(
                " Each model was first fitted again on all labelled rows, with the epochs, rounds and weights that had been chosen; its expected accuracy is that of its twin, which was fitted on the training part alone.",
                " Chaque modèle a d'abord été réajusté sur toutes les lignes étiquetées, avec les époques, les itérations et les poids déjà choisis ; l'exactitude attendue est celle de son jumeau, ajusté sur le seul apprentissage.",
            )
            .to_owned(),
        (some, false) => bilingual!(
            context,
            " The models of {some} files were fitted again on all labelled rows first.",
            " Les modèles de {some} fichiers ont d'abord été réajustés sur toutes les lignes étiquetées.",
        ),
    };
    Some(match all.len() {
        1 => bilingual!(
            context,
            "One file answers for {rows} (@tab:predictions).{again}",
            "Un fichier donne les réponses pour {rows} (@tab:predictions).{again}",
        ),
        count => bilingual!(
            context,
            "{count} files answer for {rows} (@tab:predictions).{again}",
            "{count} fichiers donnent les réponses pour {rows} (@tab:predictions).{again}",
        ),
    })
}

/// Where the first two files that answer for the same rows differ.
fn disagreement(context: &ArticleContext, all: &[(&StageArtifacts, &Predictions)]) -> Option<String> {
    let rows_of =
        |stage: &StageArtifacts| stage.inputs.iter().find(|(port, _)| port == "rows").map(|(_, from)| from.clone());
    let (one, other) = all.iter().enumerate().find_map(|(i, (one, _))| {
        let mut rest = all[i + 1..].iter();
        let twin =
            rest.find(|(other, _)| rows_of(other) == rows_of(one) && other.predicted.len() == one.predicted.len());
        twin.filter(|_| !one.predicted.is_empty()).map(|(other, _)| (*one, *other))
    })?;
    let differ: Vec<(&String, &String)> = one.predicted.iter().zip(&other.predicted).filter(|(a, b)| a != b).collect();
    let share = differ.len() as f64 / one.predicted.len() as f64;
    let mut pairs: Vec<((&String, &String), usize)> = Vec::new();
    for pair in &differ {
        match pairs.iter_mut().find(|(known, _)| known == pair) {
            Some((_, count)) => *count += 1,
            None => pairs.push((*pair, 1)),
        }
    }
    pairs.sort_by_key(|((a, b), count)| (std::cmp::Reverse(*count), *a, *b));
    let names = [origin(context, one).0, origin(context, other).0].map(|name| context.stage_name(&name));
    let most = pairs.first().map(|((a, b), count)| {
        bilingual!(
            context,
            ", most often where the first says {a} and the second {b} ({count} times)",
            ", le plus souvent quand le premier répond {a} et le second {b} ({count} fois)",
            a = markup::escaped(a),
            b = markup::escaped(b),
            count = context.voice.count(*count as u64),
        )
    });
    Some(bilingual!(
        context,
        "The first two ({one}, {other}) disagree on {share} of the {rows}{most}.",
        "Les réponses de ces deux premiers fichiers ({one}, {other}) diffèrent pour {share} des {rows}{most}.",
        one = &names[0],
        other = &names[1],
        share = context.voice.percent(share),
        rows = context.subject.rows(context.voice),
        most = most.unwrap_or_default(),
    ))
}

#[cfg(test)]
mod tests {
    use super::alike;

    #[test]
    fn what_names_share_up_to_an_underscore_is_left_out() {
        assert_eq!(alike(&["me_prediction_base.csv", "me_prediction_full.csv"]), "me_prediction_".len());
        assert_eq!(alike(&["é_a.csv", "é_b.csv"]), "é_".len());
        assert_eq!(alike(&["new_data.csv", "old_data.csv"]), 0);
        assert_eq!(alike(&["only_one.csv"]), 0);
    }
}
