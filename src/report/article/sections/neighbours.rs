//! What the vectors of texts know before anything is learnt: whether near texts are of one class.

use runner_results::{Layout, Map};

use super::{ArticleContext, bilingual, codes};
use crate::article::document::Float;
use crate::figure::ChartLayout;

/// How far nearest neighbours share the class before anything is learnt.
pub(crate) fn neighbours(context: &ArticleContext, has_figure: bool) -> Option<String> {
    let (_, map) = context.study.with::<Map>().next()?;
    let near = &map.neighbours;
    let see = match has_figure {
        true => bilingual!(
            context,
            " (@fig:map{method})",
            " (@fig:map{method})",
            method = match map.layout {
                Layout::Pca => "",
                Layout::Tsne => context.voice.say(", by t-SNE", ", par t-SNE"),
            },
        ),
        false => String::new(),
    };
    Some(bilingual!(
        context,
        "Before any training, {own} of the {number} nearest neighbours of a vector of {columns} are of its class, rather than {chance} by chance{see}.",
        "Avant tout apprentissage, {own} des {number} plus proches voisins d'un vecteur de {columns} sont de sa classe, contre {chance} au hasard{see}.",
        own = context.voice.percent(near.of_own_class),
        chance = context.voice.percent(near.by_chance),
        number = near.count,
        columns = context.voice.list(&codes(&map.columns.all()), 4),
    ))
}

/// All classes beside one another.
const IN_A_LINE: ChartLayout = ChartLayout { size: None, columns: Some(6) };

pub(crate) fn neighbours_figure(context: &ArticleContext) -> Option<Float> {
    let (stage, map) = context.study.with::<Map>().next()?;
    let drawings = context.drawings(stage, &["each-class-on-the-map"], IN_A_LINE);
    let caption = match map.layout {
        Layout::Pca => context.voice.say(
            "Training rows in the plane of the first two principal components of their vectors, one panel per class over all the others.",
            "Lignes d'apprentissage dans le plan des deux premières composantes principales de leurs vecteurs, un panneau par classe sur fond des autres.",
        ),
        Layout::Tsne => context.voice.say(
            "Training rows in the plane by t-SNE of their vectors, one panel per class over all the others; distances between groups mean nothing.",
            "Lignes d'apprentissage dans le plan par t-SNE de leurs vecteurs, un panneau par classe sur fond des autres ; les distances entre groupes n'ont pas de sens.",
        ),
    };
    (!drawings.is_empty()).then(|| context.figure("fig:map", caption, drawings, 1.0))
}
