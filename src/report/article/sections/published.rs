//! What others have reached on these data, as the author gives it.

use super::{ArticleContext, bilingual, methods};
use crate::article::document::{Align, Float};
use crate::article::markup;

pub(crate) fn published(context: &ArticleContext) -> (Option<String>, Option<Float>) {
    let results = &context.subject.earlier_results;
    if results.is_empty() {
        return (None, None);
    }
    let voice = context.voice;
    let (has_inputs, has_classes, has_split) = (
        results.iter().any(|one| one.inputs.is_some()),
        results.iter().any(|one| one.classes.is_some()),
        results.iter().any(|one| one.split.is_some()),
    );
    let own = |text: Option<&runner_names::Localized>| {
        text.map_or_else(|| "–".to_owned(), |text| markup::escaped(text.get(voice.code())))
    };
    let mut heads = vec![(voice.say("Model", "Modèle"), Align::Wrapped(0.32))];
    heads.extend(has_inputs.then_some((voice.say("Reads", "Entrées"), Align::Wrapped(0.24))));
    heads.extend(has_classes.then_some((voice.say("Classes", "Classes"), Align::Right)));
    heads.extend(has_split.then_some((voice.say("Test rows", "Lignes de test"), Align::Wrapped(0.18))));
    heads.push((voice.say("Score", "Score"), Align::Right));
    let rows = results.iter().map(|one| {
        let mut cells = vec![format!("{} [@{}]", own(Some(&one.model)), one.cite)];
        cells.extend(has_inputs.then(|| own(one.inputs.as_ref())));
        cells.extend(has_classes.then(|| one.classes.map_or_else(|| "–".to_owned(), |count| count.to_string())));
        cells.extend(has_split.then(|| own(one.split.as_ref())));
        cells.push(voice.decimals(one.score, 3));
        cells
    });
    let mut metrics: Vec<&str> = results.iter().map(|one| methods::bare_metric(voice, one.metric)).collect();
    metrics.dedup();
    let metric = match metrics.as_slice() {
        [one] => *one,
        _ => voice.say("score", "score"),
    };
    let caption = bilingual!(
        context,
        "Published results on these data ({metric}), as their authors report them.",
        "Résultats publiés sur ces données ({metric}), tels que leurs auteurs les donnent.",
    );
    let best = results.iter().filter(|one| one.metric == results[0].metric);
    let best = best.reduce(|a, b| if b.metric.merit(b.score) > a.metric.merit(a.score) { b } else { a });
    let sentence = best.map(|best| {
        bilingual!(
            context,
            "@tab:published lists published results; the best of them is {score} ({model} [@{key}]).",
            "Le @tab:published rassemble des résultats publiés ; le meilleur est {score} ({model} [@{key}]).",
            score = voice.decimals(best.score, 3),
            model = own(Some(&best.model)),
            key = &best.cite,
        )
    });
    (sentence, Some(context.table("tab:published", &caption, &heads, rows.collect())))
}
