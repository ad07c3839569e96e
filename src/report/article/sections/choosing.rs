//! What validation rows chose: the best trial of a search, the weights of an ensemble.

use runner_results::ensemble::Ensemble;
use runner_results::ensemble::Weighting;
use serde_json::Value;

use super::{ArticleContext, bilingual, methods};
use crate::article::document::Float;
use crate::article::markup;
use crate::figure::ChartLayout;
use crate::read::{StageArtifacts, shown};
use crate::study::search::trials::Trials;

/// Of fewer trials a share of variance is not worth a sentence.
const ENOUGH_TRIALS: usize = 16;
/// Two decimals would show a smaller weight of an ensemble as nothing, or as more than it is.
const SHOWN_WEIGHT: f64 = 0.01;

/// Searches that were made, with the best trial.
pub(super) fn search(context: &ArticleContext) -> Option<String> {
    let voice = context.voice;
    let mut sentences = Vec::new();
    for (stage, Trials { search, best, factors, .. }) in searches(context) {
        let method = methods::search(search.method);
        let cite = if method.work.is_empty() { String::new() } else { format!(" [@{}]", method.work) };
        let shown_value = |value: &Value| match value {
            Value::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join("–"),
            Value::Number(n) => n.as_f64().map_or_else(|| n.to_string(), |x| voice.compact(x)),
            other => shown(other),
        };
        let settings: Vec<String> = best
            .params
            .iter()
            .map(|(path, value)| {
                format!("{} {}", markup::code(path.rsplit('.').next().unwrap_or(path)), shown_value(value))
            })
            .collect();
        let importances = factors.iter().filter_map(|(name, factor)| Some((name, factor.importance?)));
        let most = importances.max_by(|a, b| a.1.total_cmp(&b.1));
        let mut sentence = bilingual!(
            context,
            "For {name}, {method} over {trials} trials{cite} chose {settings} by validation {metric} ({score})",
            "Pour {name}, {article}{method} en {trials} essais{cite} a choisi {settings} d'après {metric} de validation ({score})",
            name = context.stage_subject(&stage.stage),
            article = if method.french.starts_with("recherche") { "une " } else { "" },
            method = voice.say(method.english, method.french),
            trials = search.trials.len(),
            settings = settings.join(", "),
            metric = methods::metric(voice, search.metric),
            score = voice.decimals(best.score(search.metric).unwrap_or(f64::NAN), 3),
        );
        if let Some((name, share)) = most.filter(|_| search.trials.len() >= ENOUGH_TRIALS) {
            sentence.push_str(&bilingual!(
                context,
                "; {name} alone explains {share} of the variance of the score [@fanova]",
                " ; {name} explique à lui seul {share} de la variance du score [@fanova]",
                name = markup::code(name),
                share = voice.percent(share),
            ));
        }
        sentences.push(sentence + ".");
    }
    if search_figure(context).is_some() {
        sentences.push(bilingual!(context, "@fig:search shows the trials.", "La @fig:search montre les essais."));
    }
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

fn searches<'a>(context: &ArticleContext<'a>) -> impl Iterator<Item = (&'a StageArtifacts, Trials<'a>)> {
    context.study.with().filter_map(|(stage, search)| Some((stage, Trials::of(search)?)))
}

pub(crate) fn search_figure(context: &ArticleContext) -> Option<Float> {
    let (stage, _) = searches(context).next()?;
    let drawings = context.drawings(stage, &["trials-by-parameter"], ChartLayout::default());
    let caption = bilingual!(
        context,
        "Trials of the search for {name}: the validation score by each parameter, the best trial filled in orange.",
        "Essais de la recherche pour {name} : score de validation selon chaque paramètre, le meilleur essai en orange plein.",
        name = markup::code(&stage.stage),
    );
    (!drawings.is_empty()).then(|| context.figure("fig:search", &caption, drawings, 0.82))
}

pub(crate) fn ensembles(context: &ArticleContext) -> Option<String> {
    let chosen = context.chosen()?;
    let (_, document) = context.study.with::<Ensemble>().find(|(stage, _)| stage.stage == chosen.stage)?;
    let mut members: Vec<(&str, f64)> = document
        .members
        .iter()
        .map(|member| (member.name.as_str(), member.weight))
        .filter(|(_, weight)| *weight >= SHOWN_WEIGHT)
        .collect();
    members.sort_by(|a, b| b.1.total_cmp(&a.1));
    let count = members.len();
    let (first, weight) = *members.first()?;
    let cite = if document.weights == Weighting::Greedy { " [@ensemble]" } else { "" };
    Some(match document.weights {
        Weighting::Equal => bilingual!(
            context,
            "It is the plain average of {count} models.",
            "C'est la moyenne simple de {count} modèles.",
        ),
        _ => bilingual!(
            context,
            "It averages {count} models with weights chosen on validation rows{cite}; {first} has most, {weight}.",
            "Il fait la moyenne de {count} modèles, avec des poids choisis sur la validation{cite} ; {first} a le plus grand, {weight}.",
            first = context.member_name(first),
            weight = context.voice.decimals(weight, 2),
        ),
    })
}
