//! How networks are trained: the loss, what stabilises and regularises, and what is chosen by validation rows.

use runner_results::spec::{ClassWeights, Loss, NamedWeights, NetworkSpec, TrainingSpec, TrunkKind};
use runner_results::{Metric, training::Training};

use super::{ArticleContext, bilingual, methods};
use crate::article::Formula;
use crate::article::document::Block;
use crate::read::StageArtifacts;

/// The loss, what stabilises and regularises training, and how epochs, searches and ensembles are chosen.
pub(super) fn fitting(context: &ArticleContext, networks: &[(&StageArtifacts, &Training)]) -> Vec<Block> {
    let mut blocks = Vec::new();
    if networks.is_empty() {
        return blocks;
    }
    let smooth: Vec<f64> = networks.iter().map(|(_, found)| found.training.label_smoothing).collect();
    let is_smooth = smooth.iter().any(|share| *share > 0.0);
    let is_weighted = networks.iter().any(|(_, found)| match &found.training.class_weights {
        ClassWeights::Named(NamedWeights::None) => false,
        ClassWeights::Named(_) => true,
        ClassWeights::Map(all) => !all.is_empty(),
    });
    let ordinal = networks.iter().filter(|(_, found)| found.training.loss == Loss::Ordinal).count();
    let is_ordinal = ordinal == networks.len();
    let rows = context.subject.rows(context.voice);
    let opening = match is_ordinal {
        true => bilingual!(
            context,
            "Networks minimise the mean cross-entropy of the cuts between the ordered classes [@coral] over the $n$ training {rows} $(x_i, y_i)$,",
            "Les réseaux minimisent l'entropie croisée moyenne des coupures entre les classes ordonnées [@coral] sur les $n$ {rows} d'apprentissage $(x_i, y_i)$,",
        ),
        false => bilingual!(
            context,
            "Networks minimise the cross-entropy of the $n$ training {rows} $(x_i, y_i)$,",
            "Les réseaux minimisent l'entropie croisée des $n$ {rows} d'apprentissage $(x_i, y_i)$,",
        ),
    };
    blocks.extend(context.paragraph([Some(opening)]));
    blocks.push(Block::Equation {
        label: "eq:loss".to_owned(),
        formula: Formula::ours(match (is_smooth, is_weighted) {
            _ if is_ordinal => ordinal_loss(is_smooth, is_weighted),
            (true, true) => {
                r"\mathcal{L}(\theta) = -\frac{1}{n}\sum_{i=1}^{n} w_{y_i} \sum_{k=1}^{K} q_{ik} \log p_\theta(k \mid x_i), \quad q_{ik} = (1-\epsilon) \, \mathbf{1}[y_i = k] + \frac{\epsilon}{K},"
            }
            (true, false) => {
                r"\mathcal{L}(\theta) = -\frac{1}{n}\sum_{i=1}^{n} \sum_{k=1}^{K} q_{ik} \log p_\theta(k \mid x_i), \quad q_{ik} = (1-\epsilon) \, \mathbf{1}[y_i = k] + \frac{\epsilon}{K},"
            }
            (false, true) => r"\mathcal{L}(\theta) = -\frac{1}{n}\sum_{i=1}^{n} w_{y_i} \log p_\theta(y_i \mid x_i),",
            (false, false) => r"\mathcal{L}(\theta) = -\frac{1}{n}\sum_{i=1}^{n} \log p_\theta(y_i \mid x_i),",
        }),
    });
    blocks.extend(context.paragraph([
        Some(symbols(context, &smooth, is_weighted, is_ordinal)),
        (ordinal > 0 && !is_ordinal).then(|| {
            bilingual!(
                context,
                "{count} of them minimise the mean cross-entropy of the cuts between the ordered classes instead [@coral].",
                "{count} d'entre eux minimisent plutôt l'entropie croisée moyenne des coupures entre les classes ordonnées [@coral].",
                count = context.voice.count(ordinal as u64),
            )
        }),
        class_weights(context, networks),
        stabilisers(context, networks),
        training(context, networks),
    ]));
    blocks
}

/// The loss of classes that have an order.
fn ordinal_loss(is_smooth: bool, is_weighted: bool) -> &'static str {
    match (is_smooth, is_weighted) {
        (true, true) => {
            r"\mathcal{L}(\theta) = -\frac{1}{n}\sum_{i=1}^{n} \frac{w_{y_i}}{K-1} \sum_{k=1}^{K-1} \left( t_{ik} \log p_\theta(y > k \mid x_i) + (1-t_{ik}) \log p_\theta(y \le k \mid x_i) \right), \quad t_{ik} = (1-\epsilon) \, \mathbf{1}[y_i > k] + \epsilon \frac{K-k}{K},"
        }
        (true, false) => {
            r"\mathcal{L}(\theta) = -\frac{1}{n}\sum_{i=1}^{n} \frac{1}{K-1} \sum_{k=1}^{K-1} \left( t_{ik} \log p_\theta(y > k \mid x_i) + (1-t_{ik}) \log p_\theta(y \le k \mid x_i) \right), \quad t_{ik} = (1-\epsilon) \, \mathbf{1}[y_i > k] + \epsilon \frac{K-k}{K},"
        }
        (false, true) => {
            r"\mathcal{L}(\theta) = -\frac{1}{n}\sum_{i=1}^{n} \frac{w_{y_i}}{K-1} \sum_{k=1}^{K-1} \left( t_{ik} \log p_\theta(y > k \mid x_i) + (1-t_{ik}) \log p_\theta(y \le k \mid x_i) \right), \quad t_{ik} = \mathbf{1}[y_i > k],"
        }
        (false, false) => {
            r"\mathcal{L}(\theta) = -\frac{1}{n}\sum_{i=1}^{n} \frac{1}{K-1} \sum_{k=1}^{K-1} \left( t_{ik} \log p_\theta(y > k \mid x_i) + (1-t_{ik}) \log p_\theta(y \le k \mid x_i) \right), \quad t_{ik} = \mathbf{1}[y_i > k],"
        }
    }
}

/// What the letters of the loss mean.
fn symbols(context: &ArticleContext, smooth: &[f64], is_weighted: bool, is_ordinal: bool) -> String {
    let voice = context.voice;
    let mut means = vec![voice.say("$\\theta$ are the weights", "$\\theta$ sont les poids").to_owned()];
    let largest = smooth.iter().copied().fold(0.0, f64::max);
    if largest > 0.0 || is_ordinal {
        means.push(voice.say("$K$ is the number of classes", "$K$ est le nombre de classes").to_owned());
    }
    if largest > 0.0 {
        means.push(bilingual!(
            context,
            "$\\epsilon$ is the label smoothing [@smoothing], a share of certainty withheld from the given class ({share}{most})",
            "$\\epsilon$ est le lissage des étiquettes [@smoothing], la part de certitude retirée à la classe donnée ({share}{most})",
            share = voice.compact(largest),
            most = match smooth.iter().all(|share| *share == largest) {
                true => "",
                false => voice.say(", or none", ", ou aucune"),
            },
        ));
    }
    if is_weighted {
        means.push(voice.say("$w_k$ is the weight of class $k$", "$w_k$ est le poids de la classe $k$").to_owned());
    }
    bilingual!(context, "where {list}.", "où {list}.", list = voice.list(&means, 4))
}

/// What keeps training stable and from learning by heart.
fn stabilisers(context: &ArticleContext, networks: &[(&StageArtifacts, &Training)]) -> Option<String> {
    let voice = context.voice;
    let of = |wanted: &dyn Fn(&NetworkSpec) -> bool| {
        networks.iter().any(|(_, found)| found.network.as_ref().is_some_and(wanted))
    };
    let trains = |wanted: &dyn Fn(&TrainingSpec) -> bool| networks.iter().any(|(_, found)| wanted(&found.training));
    let clip = networks.iter().filter_map(|(_, found)| found.training.clip_norm).next();
    let decay = networks.iter().filter_map(|(_, found)| found.training.optimizer.weight_decay).fold(0.0, f64::max);
    let means: Vec<String> = [
        of(&|network| network.batch_norm && network.trunk.kind != TrunkKind::Tabm).then(|| {
            voice.say("batch normalisation [@batchnorm]", "la normalisation par lots [@batchnorm]").to_owned()
        }),
        clip.map(|norm| {
            bilingual!(
                context,
                "gradients clipped to a norm of {norm}",
                "des gradients écrêtés à une norme de {norm}",
                norm = voice.compact(norm),
            )
        }),
        of(&|network| network.dropout > 0.0 || network.text.dropout > 0.0)
            .then(|| voice.say("dropout [@dropout]", "le dropout [@dropout]").to_owned()),
        (decay > 0.0).then(|| {
            bilingual!(
                context,
                "weight decay (up to {decay})",
                "une pénalisation des poids (jusqu'à {decay})",
                decay = voice.compact(decay),
            )
        }),
        trains(&|training| training.average.is_some())
            .then(|| voice.say("a moving average of the weights", "une moyenne mobile des poids").to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect();
    (!means.is_empty()).then(|| {
        bilingual!(
            context,
            "Training is kept stable, and from learning by heart, by {list}.",
            "Pour stabiliser l'apprentissage et éviter qu'il mémorise : {list}.",
            list = voice.list(&means, 6),
        )
    })
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
    let mut schedules: Vec<String> = Vec::new();
    for method in networks.iter().filter_map(|(_, found)| methods::schedule(found.training.schedule.kind.name())) {
        let name = voice.say(method.english, method.french).to_owned();
        if !schedules.contains(&name) {
            schedules.push(name);
        }
    }
    if optimizers.is_empty() {
        return None;
    }
    Some(bilingual!(
        context,
        "{optimizers} makes the steps, at rates that follow a schedule ({schedules}); the epoch that is best on validation rows{metrics} is kept.",
        "Les pas sont ceux d'{optimizers}, à des taux qui suivent une planification ({schedules}) ; la meilleure époque sur la validation{metrics} est retenue.",
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

/// How the loss weighs classes: all networks alike, or which.
fn class_weights(context: &ArticleContext, networks: &[(&StageArtifacts, &Training)]) -> Option<String> {
    let names = |wanted: &dyn Fn(&ClassWeights) -> bool| -> Vec<String> {
        let own = networks.iter().filter(|(_, found)| wanted(&found.training.class_weights));
        own.map(|(stage, _)| context.stage_name(&stage.stage)).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ordinal_loss_is_a_formula() {
        for (is_smooth, is_weighted) in [(false, false), (false, true), (true, false), (true, true)] {
            let latex = Formula::ours(ordinal_loss(is_smooth, is_weighted)).latex();
            assert_eq!((latex.contains("epsilon"), latex.contains("w_")), (is_smooth, is_weighted), "{latex}");
        }
    }
}
