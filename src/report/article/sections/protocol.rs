//! Architecture and protocol: what the networks are, how they were trained, and how they are judged.

use runner_results::encoder::{EncoderRecipe, Encoders};
use runner_results::spec::{
    ClassWeights, Loss, NamedWeights, NetworkSpec, NumericEmbedding, TrainingSpec, TrunkKind, TrunkSpec,
};
use runner_results::{Inputs, Metric, training::Training};

use super::judging::judging;
use super::{ArticleContext, bilingual, choosing, codes, methods};
use crate::article::document::{Align, Block, Float, Section};
use crate::article::markup;
use crate::fitting::{FittedOn, Ngrams};
use crate::read::StageArtifacts;

pub(crate) fn section(context: &ArticleContext) -> Section {
    let voice = context.voice;
    let mut section = Section::new("sec:method", voice.say("Architecture and Protocol", "Architecture et protocole"));
    let networks = context.of_kind("train").filter_map(|stage| Some((stage, stage.documents.get::<Training>()?)));
    let networks: Vec<(&StageArtifacts, &Training)> = networks.collect();
    if !networks.is_empty() {
        let table = table(context, &networks);
        section.blocks.extend(context.paragraph([
            Some(bilingual!(context, "@tab:networks lists the networks.", "Le @tab:networks présente les réseaux.",)),
            encoders(context),
            branches(context, &networks),
            trunks(context, &networks),
        ]));
        section.blocks.push(Block::Float(table));
        let sentences = [
            training(context, &networks),
            class_weights(context, &networks),
            seeds(context, &networks),
            choosing::search(context),
            choosing::ensembles(context),
        ];
        section.blocks.extend(context.paragraph(sentences));
    }
    if let Some(figure) = choosing::search_figure(context) {
        section.blocks.push(Block::Float(figure));
    }
    section.blocks.extend(context.paragraph(judging(context, &networks)));
    section
}

fn table(context: &ArticleContext, networks: &[(&StageArtifacts, &Training)]) -> Float {
    let voice = context.voice;
    let row = |(stage, found): &(&StageArtifacts, &Training)| {
        let training = &found.training;
        let (optimizer, schedule) = (training.optimizer.kind.name(), training.schedule.kind.name());
        let name = |method: Option<&methods::Method>, name: &str| {
            method.map_or_else(|| markup::code(name), |m| voice.say(m.english, m.french).to_owned())
        };
        vec![
            markup::code(&stage.stage),
            inputs(context, &found.inputs),
            found.network.as_ref().map_or_else(|| "–".to_owned(), |network| layers(&network.trunk)),
            voice.count(found.parameters as u64),
            format!(
                "{}, {}",
                name(methods::optimizer(optimizer), optimizer),
                name(methods::schedule(schedule), schedule)
            ),
            voice.compact(training.optimizer.lr),
            [training.batch_size, training.epochs].map(|n| voice.count(n as u64)).join(" / "),
        ]
    };
    let heads = [
        (voice.say("Network", "Réseau"), Align::Wrapped(0.15)),
        (voice.say("Reads", "Entrées"), Align::Wrapped(0.14)),
        (voice.say("Hidden layers", "Couches cachées"), Align::Wrapped(0.14)),
        (voice.say("Weights", "Poids"), Align::Right),
        (voice.say("Optimizer, schedule", "Optimiseur, planification"), Align::Wrapped(0.14)),
        (voice.say("Rate", "Taux"), Align::Right),
        (voice.say("Batch / epochs", "Lot / époques"), Align::Wrapped(0.1)),
    ];
    let caption = voice.say(
        "Networks and their training; where a search was made, with the values that it chose.",
        "Réseaux et leur apprentissage ; après une recherche, avec les valeurs choisies.",
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
                n if n.contains("minilm") => " [@sbert; @minilm]",
                n if n.contains("sentence-transformers") => " [@sbert]",
                _ => "",
            },
            name = markup::code(name.rsplit('/').next().unwrap_or(name)),
        ),
    }
}

fn branches(context: &ArticleContext, networks: &[(&StageArtifacts, &Training)]) -> Option<String> {
    let voice = context.voice;
    let mut sentences = Vec::new();
    let with = |embedding: NumericEmbedding| -> Vec<String> {
        let has = |network: &NetworkSpec| network.numeric.embedding == embedding;
        let own = networks.iter().filter(|(_, found)| found.network.as_ref().is_some_and(has));
        own.map(|(stage, _)| markup::code(&stage.stage)).collect()
    };
    let (linear, periodic) = (with(NumericEmbedding::PiecewiseLinear), with(NumericEmbedding::Periodic));
    for (names, english, french) in
        [(linear, "piecewise linear", "linéaires par morceaux"), (periodic, "periodic", "périodiques")]
    {
        if !names.is_empty() {
            sentences.push(bilingual!(
                context,
                "Numbers enter {list} through {kind} embeddings [@numembed].",
                "Les nombres entrent dans {list} par des plongements {kind} [@numembed].",
                list = voice.list(&names, 4),
                kind = voice.say(english, french),
            ));
        }
    }
    let mut categories: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    for (stage, found) in networks {
        let columns = found.inputs.categories.clone();
        match categories.iter_mut().find(|(_, same)| *same == columns) {
            Some((names, _)) => names.push(markup::code(&stage.stage)),
            None => categories.push((vec![markup::code(&stage.stage)], columns)),
        }
    }
    for (names, columns) in categories.iter().filter(|(_, columns)| !columns.is_empty()) {
        let (verb, verbe) = if names.len() == 1 { ("learns", "apprend") } else { ("learn", "apprennent") };
        sentences.push(bilingual!(
            context,
            "{name} also {verb} a vector for each value of {list}, replaced at random by that of an unknown value while training.",
            "{name} {verbe} aussi un vecteur pour chaque valeur de {list}, remplacé au hasard pendant l'apprentissage par celui d'une valeur inconnue.",
            name = voice.list(names, 6),
            list = voice.list(&codes(columns), 4),
        ));
    }
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

fn trunks(context: &ArticleContext, networks: &[(&StageArtifacts, &Training)]) -> Option<String> {
    let of = |wanted: &dyn Fn(&NetworkSpec) -> bool| {
        networks.iter().any(|(_, found)| found.network.as_ref().is_some_and(wanted))
    };
    let mut means = Vec::new();
    if of(&|network| network.batch_norm && network.trunk.kind != TrunkKind::Tabm) {
        means.push(context.voice.say("batch normalisation [@batchnorm]", "la normalisation par lots [@batchnorm]"));
    }
    if of(&|network| network.dropout > 0.0) {
        means.push(context.voice.say("dropout [@dropout]", "le dropout [@dropout]"));
    }
    if networks.iter().any(|(_, found)| found.training.label_smoothing > 0.0) {
        means.push(context.voice.say("label smoothing [@smoothing]", "le lissage des étiquettes [@smoothing]"));
    }
    let means: Vec<String> = means.into_iter().map(String::from).collect();
    let mut sentences = Vec::new();
    if of(&|network| network.trunk.kind == TrunkKind::Tabm) {
        sentences.push(bilingual!(
            context,
            "TabM is one network that carries several members which share most of their weights and are averaged [@tabm].",
            "TabM est un réseau qui porte plusieurs membres, dont la plupart des poids sont communs et dont on fait la moyenne [@tabm].",
        ));
    }
    if !means.is_empty() {
        sentences.push(bilingual!(
            context,
            "Training is stabilised and regularised by {list}.",
            "L'apprentissage est stabilisé et régularisé par {list}.",
            list = context.voice.list(&means, 5),
        ));
    }
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

fn training(context: &ArticleContext, networks: &[(&StageArtifacts, &Training)]) -> Option<String> {
    let voice = context.voice;
    let cited = |find: &dyn Fn(&TrainingSpec) -> Option<&'static methods::Method>| -> Vec<String> {
        let mut found: Vec<&methods::Method> = Vec::new();
        for method in networks.iter().filter_map(|(_, found)| find(&found.training)) {
            if !found.iter().any(|known| known.name == method.name) {
                found.push(method);
            }
        }
        let told = |m: &&methods::Method| {
            let cite = if m.work.is_empty() { String::new() } else { format!(" [@{}]", m.work) };
            format!("{}{cite}", voice.say(m.english, m.french))
        };
        found.iter().map(told).collect()
    };
    let optimizers = cited(&|training| methods::optimizer(training.optimizer.kind.name()));
    let schedules = cited(&|training| methods::schedule(training.schedule.kind.name()));
    if optimizers.is_empty() {
        return None;
    }
    let mut losses: Vec<String> = Vec::new();
    for (_, found) in networks {
        let name = match found.loss {
            Loss::CrossEntropy => voice.say("cross-entropy", "l'entropie croisée"),
        };
        if !losses.iter().any(|known| known == name) {
            losses.push(name.to_owned());
        }
    }
    Some(bilingual!(
        context,
        "Networks minimise {losses} by {optimizers}, with step sizes scheduled as in @tab:networks ({schedules}); the weights of the epoch that is best on validation rows{metrics} are kept.",
        "Les réseaux minimisent {losses} par {optimizers}, le pas suivant le programme donné au @tab:networks ({schedules}) ; les poids retenus sont ceux de la meilleure époque sur la validation{metrics}.",
        losses = voice.list(&losses, 3),
        optimizers = voice.list(&optimizers, 4),
        schedules = voice.list(&schedules, 4),
        metrics = by_metrics(context, networks),
    ))
}

/// By what the epoch is chosen, e.g. ` by macro-F1`.
fn by_metrics(context: &ArticleContext, networks: &[(&StageArtifacts, &Training)]) -> String {
    let mut names: Vec<String> = Vec::new();
    for (_, found) in networks {
        let name = match found.training.early_stopping.metric() {
            Metric::Loss => context.voice.say("loss", "la perte"),
            metric => methods::metric(context.voice, metric),
        };
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    if names.is_empty() {
        return String::new();
    }
    bilingual!(context, " by {list}", " d'après {list}", list = names.join(context.voice.say(" or ", " ou ")))
}

/// Stages whose model is the average of networks of several seeds.
fn seeds(context: &ArticleContext, networks: &[(&StageArtifacts, &Training)]) -> Option<String> {
    let told = |(stage, found): &(&StageArtifacts, &Training)| {
        let seeds = found.fitted.networks().len();
        (seeds > 1).then(|| bilingual!(
            context,
            "{name} averages {seeds} networks that differ by their seed only; its curves are those of the first.",
            "{name} fait la moyenne de {seeds} réseaux qui ne diffèrent que par leur graine ; ses courbes sont celles du premier.",
            name = markup::code(&stage.stage),
        ))
    };
    let sentences: Vec<String> = networks.iter().filter_map(told).collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// How the loss weighs classes: all networks alike, or which.
fn class_weights(context: &ArticleContext, networks: &[(&StageArtifacts, &Training)]) -> Option<String> {
    let names = |wanted: &dyn Fn(&ClassWeights) -> bool| -> Vec<String> {
        let own = networks.iter().filter(|(_, found)| wanted(&found.training.class_weights));
        own.map(|(stage, _)| markup::code(&stage.stage)).collect()
    };
    let balanced = names(&|weights| *weights == ClassWeights::Named(NamedWeights::Balanced));
    let given = names(&|weights| matches!(weights, ClassWeights::Map(all) if !all.is_empty()));
    let mut sentences = Vec::new();
    if !balanced.is_empty() {
        sentences.push(bilingual!(
            context,
            "In the loss of {list}, classes are weighted inversely to their number of training rows.",
            "Dans la perte de {list}, les classes sont pondérées en raison inverse de leur nombre de lignes d'apprentissage.",
            list = context.voice.list(&balanced, 6),
        ));
    }
    if !given.is_empty() {
        sentences.push(bilingual!(
            context,
            "In the loss of {list}, classes have weights that were set by hand.",
            "Dans la perte de {list}, les classes ont des poids fixés à la main.",
            list = context.voice.list(&given, 6),
        ));
    }
    (!sentences.is_empty()).then(|| sentences.join(" "))
}
