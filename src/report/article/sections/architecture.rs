//! The drawing of a network, from its blueprint.

use runner_results::encoder::Encoders;
use runner_results::spec::{Fusion, NetworkSpec, NumericEmbedding, TrunkKind};
use runner_results::training::Training;

use super::{ArticleContext, bilingual, methods};
use crate::article::document::Float;
use crate::figure::{Part, architecture};
use crate::read::StageArtifacts;

/// Texts that pass through like branches: their columns, the size of their vectors, the layers and the dropout of each.
type LikeTexts<'a> = (Vec<&'a String>, Option<usize>, Vec<usize>, f64);

/// The network from its inputs to its probabilities.
pub(super) fn drawing(context: &ArticleContext, stage: &StageArtifacts, found: &Training, spec: &NetworkSpec) -> Float {
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
