//! The models: standard classifiers with their settings; the network, drawn, and why it has this shape; its loss and its training.

use runner_results::encoder::{EncoderRecipe, Encoders};
use runner_results::spec::{
    ClassWeights, Fusion, Loss, NamedWeights, NetworkSpec, NumericEmbedding, TrainingSpec, TrunkKind, TrunkSpec,
};
use runner_results::{Inputs, Metric, baselines::Baselines, training::Training};

use super::{ArticleContext, bilingual, methods, protocol};
use crate::article::Formula;
use crate::article::document::{Align, Block, Float, Section};
use crate::article::markup;
use crate::article::text::{Piece, Text};
use crate::figure::{Part, architecture};
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

/// Texts that pass through like branches: their columns, the size of their vectors, the layers and the dropout of each.
type LikeTexts<'a> = (Vec<&'a String>, Option<usize>, Vec<usize>, f64);

/// The network from its inputs to its probabilities.
fn drawing(context: &ArticleContext, stage: &StageArtifacts, found: &Training, spec: &NetworkSpec) -> Float {
    let voice = context.voice;
    let part = |title: String, lines: Vec<String>| Part { title, lines };
    let inputs = &found.inputs;
    let dim = |column: &str| {
        let encoders = context.study.with::<Encoders>().find_map(|(_, encoders)| encoders.columns.get(column));
        encoders.map(|encoder| encoder.dim)
    };
    let wide = |width: usize| bilingual!(context, "{width} units", "{width} unités");
    let layer = |widths: &[usize]| widths.iter().map(|width| format!("→ {width}")).collect::<Vec<_>>().join(" ");
    let (mut sources, mut branches) = (Vec::new(), Vec::new());
    if !inputs.numeric.is_empty() {
        let count = inputs.numeric.len();
        sources.push(part(
            voice.say("numbers", "nombres").to_owned(),
            vec![bilingual!(context, "{count} columns", "{count} colonnes")],
        ));
        let embedding = match spec.numeric.embedding {
            NumericEmbedding::None => None,
            NumericEmbedding::Periodic => Some(voice.say("cosines", "cosinus").to_owned()),
            NumericEmbedding::PiecewiseLinear => Some(bilingual!(
                context,
                "{bins} bins each",
                "{bins} intervalles",
                bins = spec.numeric.bins.unwrap_or(24),
            )),
        };
        let mut lines: Vec<String> = embedding.into_iter().collect();
        lines.extend((!spec.numeric.layers.is_empty()).then(|| layer(&spec.numeric.layers)));
        let title = if lines.is_empty() {
            voice.say("scaled", "mis à l'échelle")
        } else {
            voice.say("embedding", "plongement")
        };
        branches.push(part(title.to_owned(), lines));
    }
    // Texts that pass through like branches share a box.
    let mut texts: Vec<LikeTexts> = Vec::new();
    for column in &inputs.text {
        let own = spec.columns.get(column);
        let layers = own.and_then(|own| own.layers.clone()).unwrap_or_else(|| spec.text.layers.clone());
        let dropout = own.and_then(|own| own.dropout).unwrap_or(spec.text.dropout);
        let like = |one: &&mut LikeTexts| one.1 == dim(column) && one.2 == layers && one.3 == dropout;
        match texts.iter_mut().find(like) {
            Some((columns, ..)) => columns.push(column),
            None => texts.push((vec![column], dim(column), layers, dropout)),
        }
    }
    for (columns, dim, layers, dropout) in texts {
        let mut lines: Vec<String> = columns.iter().skip(1).map(|column| (*column).clone()).collect();
        lines.extend(dim.map(|dim| match columns.len() {
            1 => bilingual!(context, "vector of {dim}", "vecteur de {dim}"),
            _ => bilingual!(context, "vectors of {dim}", "vecteurs de {dim}"),
        }));
        sources.push(part(columns[0].clone(), lines));
        let mut lines: Vec<String> = (!layers.is_empty()).then(|| layer(&layers)).into_iter().collect();
        lines.extend((dropout > 0.0).then(|| format!("dropout {}", voice.compact(dropout))));
        let title = match columns.len() {
            1 => voice.say("text branch", "branche texte"),
            _ => voice.say("text branches", "branches texte"),
        };
        branches.push(part(title.to_owned(), lines));
    }
    for column in &inputs.categories {
        sources.push(part(column.clone(), vec![voice.say("as a category", "comme catégorie").to_owned()]));
        let width = spec.category_columns.get(column).and_then(|own| own.width).unwrap_or(spec.categories.width);
        branches.push(part(voice.say("learned vector", "vecteur appris").to_owned(), vec![wide(width)]));
    }
    let mut columns = vec![sources, branches];
    let joined = match spec.fusion {
        Fusion::Concat => None,
        Fusion::Gated => Some(voice.say("gated sum", "somme pondérée")),
        Fusion::Late => Some(voice.say("each alone", "chacune seule")),
    };
    if let (Some(title), true) = (joined, columns[1].len() > 1) {
        columns.push(vec![part(title.to_owned(), Vec::new())]);
    }
    let trunk = &spec.trunk;
    if !trunk.layers.is_empty() {
        let mut lines: Vec<String> = Vec::new();
        let has_norm = spec.batch_norm && trunk.kind != TrunkKind::Tabm;
        lines.extend(has_norm.then(|| voice.say("batch norm", "norm. par lots").to_owned()));
        lines.push(methods::activation(spec.activation).to_owned());
        lines.extend((spec.dropout > 0.0).then(|| format!("dropout {}", voice.compact(spec.dropout))));
        lines.extend(
            trunk
                .members
                .filter(|_| trunk.kind == TrunkKind::Tabm)
                .map(|members| bilingual!(context, "{members} members", "{members} membres")),
        );
        let alike = trunk.layers.windows(2).all(|pair| pair[0] == pair[1]);
        match alike && trunk.layers.len() > 1 {
            true => {
                let title = bilingual!(
                    context,
                    "{layers} layers of {width}",
                    "{layers} couches de {width}",
                    layers = trunk.layers.len(),
                    width = trunk.layers[0],
                );
                columns.push(vec![part(title, lines)]);
            }
            false => columns.extend(trunk.layers.iter().map(|width| vec![part(wide(*width), lines.clone())])),
        }
    }
    columns.push(vec![part(
        "softmax".to_owned(),
        vec![bilingual!(context, "{count} classes", "{count} classes", count = found.classes.len())],
    )]);
    let title = format!("Architecture of {}", stage.stage);
    let drawn = architecture(&title, "Boxes from the inputs to the output", &columns);
    let caption = bilingual!(
        context,
        "Architecture of {name}: {parameters} parameters. Hidden layers are linear, followed by what their box lists.",
        "Architecture {of}, {parameters} paramètres. Les couches cachées sont linéaires, suivies de ce qu'indique leur cadre.",
        name = context.stage_subject(&stage.stage),
        of = methods::of_french(&context.stage_subject(&stage.stage)),
        parameters = voice.count(found.parameters as u64),
    );
    context.figure("fig:architecture", &caption, vec![drawn], 0.9)
}

/// The loss, what stabilises and regularises training, and how epochs, searches and ensembles are chosen.
fn fitting(context: &ArticleContext, networks: &[(&StageArtifacts, &Training)]) -> Vec<Block> {
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
