//! The models: standard classifiers with their settings; networks, why they have their shape, and what they read.

use runner_results::encoder::{EncoderRecipe, Encoders};
use runner_results::spec::{Fusion, NetworkSpec, NumericEmbedding, TrunkKind, TrunkSpec};
use runner_results::{Inputs, baselines::Baselines, training::Training};

use super::architecture::drawing;
use super::fitting::fitting;
use super::{ArticleContext, bilingual, methods, protocol};
use crate::article::document::{Align, Block, Float, Section};
use crate::article::markup;
use crate::article::text::{Piece, Text};
use crate::fitting::{FittedOn, Ngrams};
use crate::read::StageArtifacts;

pub(crate) fn section(context: &ArticleContext) -> Section {
    let voice = context.voice;
    let mut section = Section::new("sec:method", voice.say("Models and Protocol", "Modèles et protocole"));
    let networks = context.of_kind("train").filter_map(|stage| Some((stage, stage.documents.get::<Training>()?)));
    let networks: Vec<(&StageArtifacts, &Training)> = networks.collect();
    let parts = [
        (
            voice.say("Standard classifiers.", "Classifieurs usuels."),
            context.paragraph([settings(context)]).into_iter().collect(),
        ),
        (voice.say("Networks.", "Réseaux."), network(context, &networks)),
        (voice.say("Loss and training.", "Fonction de perte et apprentissage."), fitting(context, &networks)),
        (
            voice.say("Protocol.", "Protocole."),
            context.paragraph(protocol::judging(context, &networks)).into_iter().collect(),
        ),
    ];
    section.blocks = parts.into_iter().flat_map(|(title, blocks)| led(title, blocks)).collect();
    section
}

/// Blocks whose first paragraph begins with a title: a heading of its own would take three lines.
fn led(title: &str, mut blocks: Vec<Block>) -> Vec<Block> {
    if let Some(Block::Paragraph(text)) = blocks.first_mut() {
        text.0.splice(0..0, [Piece::Strong(Text::plain(title)), Piece::Plain(" ".to_owned())]);
    }
    blocks
}

/// The parameters of standard classifiers that a reader asks for first, where they were tried.
fn settings(context: &ArticleContext) -> Option<String> {
    let voice = context.voice;
    let mut told: Vec<String> = Vec::new();
    for (_, found) in context.study.with::<Baselines>() {
        for model in &found.evaluations {
            let Some(method) = methods::classical(&model.name).filter(|method| method.name != "majority") else {
                continue;
            };
            let cite = if method.work.is_empty() { String::new() } else { format!(" [@{}]", method.work) };
            let name = format!("{}{cite}", voice.say(method.english, method.french));
            let number = |key: &str| model.params.get(key).and_then(serde_json::Value::as_f64);
            let values: Vec<String> = methods::telling_parameters(&model.name)
                .iter()
                .filter_map(|parameter| {
                    let value = voice.compact(number(parameter.key)?);
                    Some(match parameter.is_symbol {
                        true => format!("${}$\u{a0}=\u{a0}{value}", parameter.english),
                        false => format!("{} {value}", voice.say(parameter.english, parameter.french)),
                    })
                })
                .collect();
            let one = if values.is_empty() { name } else { format!("{name} ({})", values.join(", ")) };
            // The same model on other columns is told with its scores.
            if !told.iter().any(|known| known.starts_with(voice.say(method.english, method.french))) {
                told.push(one);
            }
        }
    }
    let (count, list) = (told.len(), voice.list(&told, 12));
    let folds = context.split().map(|split| split.folds).filter(|folds| *folds > 1);
    let judged = folds.map(|folds| bilingual!(
        context,
        " Each is cross-validated on {folds} folds of the training part, then fitted on all of it.",
        " Chacun passe par une validation croisée sur {folds} plis de l'apprentissage, puis est ajusté sur l'ensemble.",
    ));
    let judged = judged.unwrap_or_default();
    match count {
        0 => None,
        1 => Some(bilingual!(
            context,
            "The standard classifier [@esl] is {list}.{judged}",
            "Le classifieur usuel [@esl] est : {list}.{judged}",
        )),
        _ => Some(bilingual!(
            context,
            "{count} standard classifiers [@esl] serve as a reference: {list}.{judged}",
            "{count} classifieurs usuels [@esl] servent de référence : {list}.{judged}",
        )),
    }
}

/// The networks: how texts enter, the drawing of the one that validation prefers, and the reasons of its shape.
fn network(context: &ArticleContext, networks: &[(&StageArtifacts, &Training)]) -> Vec<Block> {
    let mut blocks = Vec::new();
    if networks.is_empty() {
        return blocks;
    }
    let drawn = context.network().and_then(|best| networks.iter().find(|(stage, _)| stage.stage == best.stage));
    let drawn = drawn.or(networks.first()).and_then(|(stage, found)| Some((*stage, *found, found.network.as_ref()?)));
    let table = table(context, networks);
    blocks.extend(context.paragraph([
        Some(bilingual!(
            context,
            "A network $p_\\theta(k \\mid x)$ gives each class $k$ a probability; @tab:networks lists those that were trained{drawing}.",
            "Un réseau $p_\\theta(k \\mid x)$ donne à chaque classe $k$ une probabilité ; le @tab:networks présente ceux qui ont été entraînés{drawing}.",
            drawing = match drawn {
                Some((stage, ..)) if networks.len() > 1 => bilingual!(
                    context,
                    ", and @fig:architecture draws {name}, which validation prefers",
                    " et la @fig:architecture dessine {name}, que préfère la validation",
                    name = context.stage_subject(&stage.stage),
                ),
                Some(_) => context.voice.say(", drawn in @fig:architecture", ", dessinés à la @fig:architecture").to_owned(),
                None => String::new(),
            },
        )),
        encoders(context),
        rationale(context, networks),
    ]));
    blocks.push(Block::Float(table));
    if let Some((stage, found, spec)) = drawn {
        blocks.push(Block::Float(drawing(context, stage, found, spec)));
    }
    blocks
}

/// What each part of the networks is there for.
fn rationale(context: &ArticleContext, networks: &[(&StageArtifacts, &Training)]) -> Option<String> {
    let of = |wanted: &dyn Fn(&NetworkSpec, &Training) -> bool| {
        networks.iter().any(|(_, found)| found.network.as_ref().is_some_and(|network| wanted(network, found)))
    };
    let both = of(&|_, found| !found.inputs.text.is_empty() && !found.inputs.numeric.is_empty());
    let reasons = [
        of(&|network, _| network.numeric.embedding == NumericEmbedding::PiecewiseLinear).then(|| {
            context.voice.say(
                "Each number first becomes a vector, by its place in bins [@numembed], so that a class can be likely in a middle range of it.",
                "Chaque nombre devient d'abord un vecteur, d'après sa place dans des intervalles [@numembed], si bien qu'une classe peut être probable dans une plage moyenne.",
            )
        }),
        of(&|network, _| network.numeric.embedding == NumericEmbedding::Periodic).then(|| {
            context.voice.say(
                "Each number first becomes a vector of learned cosines [@numembed], so that a class can be likely in several ranges of it.",
                "Chaque nombre devient d'abord un vecteur de cosinus appris [@numembed], si bien qu'une classe peut être probable dans plusieurs de ses plages.",
            )
        }),
        (both && of(&|network, _| !network.text.layers.is_empty())).then(|| {
            context.voice.say(
                "Each text passes through a narrow layer before it meets the numbers, which its hundreds of components would otherwise drown.",
                "Chaque texte passe par une couche étroite avant de rejoindre les nombres, que ses centaines de composantes noieraient sinon.",
            )
        }),
        of(&|_, found| !found.inputs.categories.is_empty()).then(|| {
            context.voice.say(
                "A category has a learned vector for each value, taken for unknown in a share of the training rows, so that new values do no harm.",
                "Une catégorie a un vecteur appris par valeur, tenue pour inconnue dans une part des lignes d'apprentissage, afin que des valeurs nouvelles ne nuisent pas.",
            )
        }),
        (both && of(&|network, _| network.branch_dropout > 0.0)).then(|| {
            context.voice.say(
                "Whole branches are dropped at random, so that none is relied on alone.",
                "Des branches entières sont supprimées au hasard, afin qu'aucune ne suffise à elle seule.",
            )
        }),
        of(&|network, _| network.fusion == Fusion::Concat).then_some(both).filter(|both| *both).map(|_| {
            context.voice.say(
                "Fully connected layers then combine the branches.",
                "Des couches complètement connectées combinent ensuite les branches.",
            )
        }),
        of(&|network, _| network.trunk.kind == TrunkKind::Tabm).then(|| {
            context.voice.say(
                "TabM [@tabm] is an ensemble in one network, whose members share most of their weights.",
                "TabM [@tabm] est un ensemble en un seul réseau, dont les membres partagent la plupart des poids.",
            )
        }),
    ];
    let sentences: Vec<&str> = reasons.into_iter().flatten().collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

fn table(context: &ArticleContext, networks: &[(&StageArtifacts, &Training)]) -> Float {
    let voice = context.voice;
    let accuracy = |scores: Option<&runner_results::scores::Scores>| {
        scores.map_or_else(|| "–".to_owned(), |scores| voice.decimals(scores.accuracy, 3))
    };
    let row = |(stage, found): &(&StageArtifacts, &Training)| {
        let training = &found.training;
        let kept = found.fitted.best_epoch().map_or_else(|| "–".to_owned(), |epoch| voice.count(epoch as u64));
        vec![
            context.stage_name(&stage.stage),
            inputs(context, &found.inputs),
            found.network.as_ref().map_or_else(|| "–".to_owned(), |network| layers(&network.trunk)),
            voice.count(found.parameters as u64),
            voice.compact(training.optimizer.lr),
            voice.count(training.batch_size as u64),
            format!("{kept}/{}", voice.count(training.epochs as u64)),
            accuracy(found.parts.train.as_ref()),
            accuracy(found.parts.valid.as_ref()),
        ]
    };
    let heads = [
        (voice.say("Network", "Réseau"), Align::Wrapped(0.16)),
        (voice.say("Reads", "Entrées"), Align::Wrapped(0.13)),
        (voice.say("Hidden layers", "Couches cachées"), Align::Wrapped(0.14)),
        (voice.say("Weights", "Poids"), Align::Right),
        (voice.say("Rate", "Taux"), Align::Right),
        (voice.say("Batch", "Lot"), Align::Right),
        (voice.say("Epoch", "Époque"), Align::Right),
        (voice.say("Train", "Appr."), Align::Right),
        (voice.say("Valid.", "Valid."), Align::Right),
    ];
    let caption = voice.say(
        "Networks: what they read, their hidden layers, learning rate and batch size (after a search those that it chose), the epoch kept of those trained, and its accuracy on training and validation rows.",
        "Réseaux : entrées, couches cachées, taux d'apprentissage et taille des lots (après une recherche, ceux qu'elle a choisis), époque retenue parmi celles de l'apprentissage, et exactitude à cette époque sur l'apprentissage et la validation.",
    );
    context.table("tab:networks", caption, &heads, networks.iter().map(row).collect())
}

fn inputs(context: &ArticleContext, inputs: &Inputs) -> String {
    let word = |count: usize, one: (&'static str, &'static str), many: (&'static str, &'static str)| {
        let (english, french) = if count == 1 { one } else { many };
        (count > 0).then(|| format!("{count} {}", context.voice.say(english, french)))
    };
    let parts = [
        word(inputs.numeric.len(), ("number", "nombre"), ("numbers", "nombres")),
        word(inputs.text.len(), ("text", "texte"), ("texts", "textes")),
        word(inputs.categories.len(), ("category", "catégorie"), ("categories", "catégories")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// `256–256` or `TabM 256–256`.
fn layers(trunk: &TrunkSpec) -> String {
    let widths: Vec<String> = trunk.layers.iter().map(usize::to_string).collect();
    let widths = if widths.is_empty() { "–".to_owned() } else { widths.join("–") };
    match (trunk.kind, trunk.members) {
        (TrunkKind::Tabm, Some(members)) => format!("TabM × {members}, {widths}"),
        (TrunkKind::Tabm, None) => format!("TabM, {widths}"),
        (TrunkKind::Residual, _) => format!("ResNet, {widths}"),
        (TrunkKind::Mlp, _) => widths,
    }
}

/// How one encoder makes vectors of texts, as far as a reader is told.
#[derive(PartialEq)]
enum Encoder {
    Tfidf { ngrams: Ngrams, fitted: Option<FittedOn> },
    Pretrained { name: String, dim: usize },
}

/// How texts become vectors.
fn encoders(context: &ArticleContext) -> Option<String> {
    let mut known: Vec<Encoder> = Vec::new();
    for (stage, encoders) in context.study.with::<Encoders>() {
        for made_by in encoders.columns.values() {
            let one = match &made_by.recipe {
                EncoderRecipe::Tfidf(recipe) => {
                    Encoder::Tfidf { ngrams: Ngrams::of(&recipe.options), fitted: FittedOn::of(&context.study, stage) }
                }
                EncoderRecipe::Transformer(_) => Encoder::Pretrained { name: made_by.name.clone(), dim: made_by.dim },
            };
            if !known.contains(&one) {
                known.push(one);
            }
        }
    }
    let all: Vec<String> = known.iter().map(|one| encoder(context, one)).collect();
    (!all.is_empty()).then(|| {
        bilingual!(
            context,
            "Texts enter as {list}.",
            "Les textes entrent comme {list}.",
            list = context.voice.list(&all, 4),
        )
    })
}

fn encoder(context: &ArticleContext, encoder: &Encoder) -> String {
    match encoder {
        Encoder::Tfidf { ngrams, fitted } => bilingual!(
            context,
            "the TF-IDF weights of their {grams} [@tfidf]{rows}",
            "poids TF-IDF de leurs {grams} [@tfidf]{rows}",
            grams = match ngrams {
                Ngrams::Words => context.voice.say("word n-grams", "n-grammes de mots"),
                Ngrams::Characters => context.voice.say("character n-grams", "n-grammes de caractères"),
                Ngrams::Both => context.voice.say("word and character n-grams", "n-grammes de mots et de caractères"),
            },
            rows = match fitted {
                None => String::new(),
                Some(FittedOn::TrainingPart) => {
                    context.voice.say(", fitted on the training part", ", ajustés sur l'apprentissage").to_owned()
                }
                Some(FittedOn::MoreRows(rows)) => bilingual!(
                    context,
                    ", fitted on {rows}, not on the training part alone",
                    ", ajustés sur {rows}, et non sur le seul apprentissage",
                    rows = markup::code(rows),
                ),
            },
        ),
        Encoder::Pretrained { name, dim } => bilingual!(
            context,
            "{dim}-dimensional vectors of the pretrained encoder {name}{cite}, whose weights stay fixed",
            "vecteurs de dimension {dim} de l'encodeur préentraîné {name}{cite}, dont les poids restent fixes",
            cite = match name.to_ascii_lowercase() {
                n if n.contains("minilm") => " [@sbert]",
                n if n.contains("sentence-transformers") => " [@sbert]",
                _ => "",
            },
            name = markup::code(name.rsplit('/').next().unwrap_or(name)),
        ),
    }
}
