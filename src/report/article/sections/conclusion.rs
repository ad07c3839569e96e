//! The conclusion: what was asked, answered in a sentence each by the same tests as in the results, and what to do next.

use super::{ArticleContext, bilingual, convergence, design, transfer};
use crate::article::document::Section;
use crate::article::text::upper;

pub(crate) fn section(context: &ArticleContext) -> Section {
    let mut section = Section::new("sec:conclusion", context.voice.say("Conclusion", "Conclusion"));
    let chosen = context.recommended().and_then(|model| Some((model, model.judged()?)));
    section.blocks.extend(context.paragraph([
        chosen.map(|(model, scores)| {
            bilingual!(
                context,
                "With {name}, {label} is predicted right for {accuracy} of the {rows}.",
                "Avec {name}, la prédiction est juste pour {accuracy} des {rows}.",
                label = context.label_name(),
                name = context.introduced(model),
                accuracy = context.voice.percent(scores.accuracy),
                rows = context.rows_on(model.judged_on()),
            )
        }),
        chosen.and_then(|(_, scores)| context.question(scores)),
        inputs(context),
        design::in_short(context),
        chosen.and_then(|(model, _)| context.leak(model)),
        learned(context),
        next(context),
    ]));
    section
}

/// What texts were worth, in points.
fn inputs(context: &ArticleContext) -> Option<String> {
    let (both, numbers) = context.with_and_without_texts()?;
    let gain = both.judged()?.accuracy - numbers.judged()?.accuracy;
    let differs = context.judge(both, numbers).is_some_and(|judgement| judgement.differ);
    (differs && gain > 0.0).then(|| {
        bilingual!(
            context,
            "The texts add {points} points to the numbers.",
            "Les textes ajoutent {points} points aux nombres.",
            points = context.voice.decimals(gain * 100.0, 1),
        )
    })
}

/// Whether old weights helped.
fn learned(context: &ArticleContext) -> Option<String> {
    transfer::in_short(context).map(|short| upper(&short) + ".")
}

/// What the curves suggest next.
fn next(context: &ArticleContext) -> Option<String> {
    convergence::advice(context)
}
