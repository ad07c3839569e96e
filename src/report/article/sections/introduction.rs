//! The introduction: what is asked, and where it is answered.

use runner_results::training::Training;

use super::{ArticleContext, bilingual, codes};
use crate::article::document::Section;
use crate::article::markup;

pub(crate) fn section(context: &ArticleContext) -> Section {
    let voice = context.voice;
    let mut section = Section::new("sec:introduction", voice.say("Introduction", "Introduction"));
    section.blocks.extend(context.paragraph([task(context), columns(context)]));
    section.blocks.extend(context.paragraph([questions(context)]));
    section.blocks.extend(context.paragraph([Some(bilingual!(
        context,
        "@sec:data describes the data{reached}, @sec:method {networks}the protocol; @sec:results gives the results, and @sec:conclusion concludes.",
        "La @sec:data décrit les données{reached}, la @sec:method {networks}le protocole ; la @sec:results donne les résultats et la \
         @sec:conclusion conclut.",
        reached = match context.classical() {
            Some(_) => voice.say(
                " and what standard classifiers reach on them",
                " et ce qu'y atteignent des classifieurs usuels",
            ),
            None => "",
        },
        networks = match context.of_kind("train").next() {
            Some(_) => voice.say("the networks and ", "les réseaux et "),
            None => "",
        },
    ))]));
    section
}

fn task(context: &ArticleContext) -> Option<String> {
    let classes = &context.main()?.classes;
    let rows = context.profile().map(|profile| profile.rows);
    let classes_shown: Vec<String> = classes.iter().map(|class| markup::escaped(class)).collect();
    let label = markup::code(context.label().unwrap_or("label"));
    let (number, list) = (classes.len(), context.voice.list(&classes_shown, 12));
    let new = match super::transfer::added(context) {
        Some(new) => {
            bilingual!(context, "; {new} is added later, by transfer", " ; {new} s'y ajoute ensuite, par transfert")
        }
        None => String::new(),
    };
    Some(match rows {
        Some(rows) => bilingual!(
            context,
            "This article asks how well {label} can be predicted from {rows} labelled rows. The {main}task has {number} classes: {list}{new}.",
            "Cet article étudie avec quelle exactitude on peut prédire {label} à partir de {rows} lignes étiquetées. La tâche {main}compte \
             {number} classes : {list}{new}.",
            rows = context.voice.count(rows),
            main = if new.is_empty() { "" } else { context.voice.say("main ", "principale ") },
        ),
        None => bilingual!(
            context,
            "This article asks how well {label} can be predicted among {number} classes: {list}{new}.",
            "Cet article étudie avec quelle exactitude on peut prédire {label} parmi {number} classes : {list}{new}.",
        ),
    })
}

/// What the models read, together.
fn columns(context: &ArticleContext) -> Option<String> {
    let mut read: [Vec<String>; 3] = Default::default();
    for stage in ["train", "baseline"].into_iter().flat_map(|kind| context.of_kind(kind)) {
        let inputs = match stage.documents.get::<Training>() {
            Some(Training { inputs, .. }) => [inputs.numeric.clone(), inputs.text.clone(), inputs.categories.clone()],
            None => stage.settings().columns(),
        };
        for (known, names) in read.iter_mut().zip(inputs) {
            let new: Vec<String> = names.into_iter().filter(|name| !known.contains(name)).collect();
            known.extend(new);
        }
    }
    let [numeric, texts, categories] = &read;
    let counted = |all: &[String], one: (&'static str, &'static str), several: (&'static str, &'static str)| {
        let (english, french) = if all.len() == 1 { one } else { several };
        (!all.is_empty()).then(|| format!("{} {}", all.len(), context.voice.say(english, french)))
    };
    let kinds: Vec<String> = [
        counted(numeric, ("numeric column", "colonne numérique"), ("numeric columns", "colonnes numériques")),
        counted(
            categories,
            ("categorical column", "colonne catégorielle"),
            ("categorical columns", "colonnes catégorielles"),
        ),
        (!texts.is_empty()).then(|| {
            bilingual!(context, "texts ({list})", "des textes ({list})", list = context.voice.list(&codes(texts), 6))
        }),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!kinds.is_empty()).then(|| {
        bilingual!(
            context,
            "Models read {list}{together}.",
            "Les modèles lisent {list}{together}.",
            list = context.voice.list(&kinds, 3),
            together = match kinds.len() {
                1 => "",
                _ => context.voice.say(", some of them or all together", ", en partie ou tous ensemble"),
            },
        )
    })
}

fn questions(context: &ArticleContext) -> Option<String> {
    let mut asked = Vec::new();
    if context.classical().is_some() {
        asked.push(context.voice.say("how far do standard classifiers get", "jusqu'où vont des classifieurs usuels"));
    }
    if context.network().is_some() {
        asked.push(context.voice.say(
            "what do neural networks add to them, and does their training converge without over-fitting",
            "qu'y ajoutent des réseaux de neurones, et leur apprentissage converge-t-il sans surapprentissage",
        ));
    }
    if context.of_kind("inspect").next().is_some() {
        asked.push(context.voice.say("which features matter to a model", "quelles variables comptent pour un modèle"));
    }
    if context.of_kind("transfer").next().is_some() {
        asked.push(match super::transfer::added(context) {
            Some(_) => context.voice.say(
                "does a trained network help where a class is added",
                "un réseau entraîné aide-t-il lorsqu'une classe s'ajoute",
            ),
            None => context.voice.say(
                "does a trained network help where it is trained on",
                "un réseau entraîné aide-t-il lorsqu'on poursuit son apprentissage",
            ),
        });
    }
    let numbered: Vec<String> =
        asked.iter().enumerate().map(|(i, question)| format!("({})\u{a0}{question}", i + 1)).collect();
    let list = numbered.join(context.voice.say("? ", " ? "));
    (!numbered.is_empty()).then(|| bilingual!(context, "The questions are: {list}?", "Les questions sont : {list} ?"))
}
