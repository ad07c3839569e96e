//! The introduction: what is asked, and where it is answered.

use runner_results::training::Training;

use super::{ArticleContext, bilingual, codes};
use crate::article::document::Section;
use crate::article::markup;

pub(crate) fn section(tale: &ArticleContext) -> Section {
    let voice = tale.voice;
    let mut section = Section::new("sec:introduction", voice.say("Introduction", "Introduction"));
    section.blocks.extend(tale.paragraph([task(tale), columns(tale)]));
    section.blocks.extend(tale.paragraph([questions(tale)]));
    section.blocks.extend(tale.paragraph([Some(bilingual!(
        tale,
        "@sec:data describes the data{reached}, @sec:method {networks}the protocol; @sec:results gives the results, and @sec:conclusion concludes.",
        "La @sec:data décrit les données{reached}, la @sec:method {networks}le protocole ; la @sec:results donne les résultats et la \
         @sec:conclusion conclut.",
        reached = match tale.classical() {
            Some(_) => voice.say(
                " and what standard classifiers reach on them",
                " et ce qu'y atteignent des classifieurs usuels",
            ),
            None => "",
        },
        networks = match tale.of_kind("train").next() {
            Some(_) => voice.say("the networks and ", "les réseaux et "),
            None => "",
        },
    ))]));
    section
}

fn task(tale: &ArticleContext) -> Option<String> {
    let classes = &tale.main()?.classes;
    let rows = tale.profile().map(|profile| profile.rows);
    let classes_shown: Vec<String> = classes.iter().map(|class| markup::escaped(class)).collect();
    let label = markup::code(tale.label().unwrap_or("label"));
    let (number, list) = (classes.len(), tale.voice.list(&classes_shown, 12));
    let new = match super::transfer::added(tale) {
        Some(new) => {
            bilingual!(tale, "; {new} is added later, by transfer", " ; {new} s'y ajoute ensuite, par transfert")
        }
        None => String::new(),
    };
    Some(match rows {
        Some(rows) => bilingual!(
            tale,
            "This article asks how well {label} can be predicted from {rows} labelled rows. The {main}task has {number} classes: {list}{new}.",
            "Cet article étudie avec quelle exactitude on peut prédire {label} à partir de {rows} lignes étiquetées. La tâche {main}compte \
             {number} classes : {list}{new}.",
            rows = tale.voice.count(rows),
            main = if new.is_empty() { "" } else { tale.voice.say("main ", "principale ") },
        ),
        None => bilingual!(
            tale,
            "This article asks how well {label} can be predicted among {number} classes: {list}{new}.",
            "Cet article étudie avec quelle exactitude on peut prédire {label} parmi {number} classes : {list}{new}.",
        ),
    })
}

/// What the models read, together.
fn columns(tale: &ArticleContext) -> Option<String> {
    let mut read: [Vec<String>; 3] = Default::default();
    for stage in ["train", "baseline"].into_iter().flat_map(|kind| tale.of_kind(kind)) {
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
        (!all.is_empty()).then(|| format!("{} {}", all.len(), tale.voice.say(english, french)))
    };
    let kinds: Vec<String> = [
        counted(numeric, ("numeric column", "colonne numérique"), ("numeric columns", "colonnes numériques")),
        counted(
            categories,
            ("categorical column", "colonne catégorielle"),
            ("categorical columns", "colonnes catégorielles"),
        ),
        (!texts.is_empty()).then(|| {
            bilingual!(tale, "texts ({list})", "des textes ({list})", list = tale.voice.list(&codes(texts), 6))
        }),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!kinds.is_empty()).then(|| {
        bilingual!(
            tale,
            "Models read {list}{together}.",
            "Les modèles lisent {list}{together}.",
            list = tale.voice.list(&kinds, 3),
            together = match kinds.len() {
                1 => "",
                _ => tale.voice.say(", some of them or all together", ", en partie ou tous ensemble"),
            },
        )
    })
}

fn questions(tale: &ArticleContext) -> Option<String> {
    let mut asked = Vec::new();
    if tale.classical().is_some() {
        asked.push(tale.voice.say("how far do standard classifiers get", "jusqu'où vont des classifieurs usuels"));
    }
    if tale.network().is_some() {
        asked.push(tale.voice.say(
            "what do neural networks add to them, and does their training converge without over-fitting",
            "qu'y ajoutent des réseaux de neurones, et leur apprentissage converge-t-il sans surapprentissage",
        ));
    }
    if tale.of_kind("inspect").next().is_some() {
        asked.push(tale.voice.say("which features matter to a model", "quelles variables comptent pour un modèle"));
    }
    if tale.of_kind("transfer").next().is_some() {
        asked.push(match super::transfer::added(tale) {
            Some(_) => tale.voice.say(
                "does a trained network help where a class is added",
                "un réseau entraîné aide-t-il lorsqu'une classe s'ajoute",
            ),
            None => tale.voice.say(
                "does a trained network help where it is trained on",
                "un réseau entraîné aide-t-il lorsqu'on poursuit son apprentissage",
            ),
        });
    }
    let numbered: Vec<String> =
        asked.iter().enumerate().map(|(i, question)| format!("({})\u{a0}{question}", i + 1)).collect();
    let list = numbered.join(tale.voice.say("? ", " ? "));
    (!numbered.is_empty()).then(|| bilingual!(tale, "The questions are: {list}?", "Les questions sont : {list} ?"))
}
