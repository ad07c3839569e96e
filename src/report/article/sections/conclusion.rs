//! The conclusion: what was asked, answered by the same tests as in the results; and what limits the answers.

use super::super::text::upper;
use super::{ArticleContext, bilingual, convergence, source, transfer};
use crate::article::document::Section;
use crate::ranking::Source;

pub(crate) fn section(context: &ArticleContext) -> Section {
    let mut section = Section::new("sec:conclusion", context.voice.say("Conclusion", "Conclusion"));
    let chosen = context.recommended().and_then(|model| Some((model, model.judged()?)));
    section.blocks.extend(context.paragraph([
        chosen.map(|(model, scores)| bilingual!(
            context,
            "{recommended} {accuracy} of the {rows} correctly.",
            "{recommended} {accuracy} des {rows}.",
            recommended = match (context.is_choice(), context.chosen().is_some(), source(model)) {
                (false, ..) => bilingual!(
                    context,
                    "{name} classifies",
                    "{name} classe correctement",
                    name = upper(&context.introduced(model)),
                ),
                (true, true, _) => bilingual!(
                    context,
                    "Of all networks and ensembles tried, validation recommends {name}, which classifies",
                    "De tous les réseaux et ensembles essayés, la validation recommande {name}, qui classe correctement",
                    name = context.introduced(model),
                ),
                (true, false, source) => bilingual!(
                    context,
                    "Of all standard classifiers tried, {by} recommends {name}, which classifies",
                    "De tous les classifieurs usuels essayés, la {par} recommande {name}, qui classe correctement",
                    name = context.introduced(model),
                    by = if source == Source::ValidationPart { "validation" } else { "cross-validation" },
                    par = if source == Source::ValidationPart { "validation" } else { "validation croisée" },
                ),
            },
            accuracy = context.voice.percent(scores.accuracy),
            rows = context.rows_on(model.judged_on()),
        )),
        chosen.and_then(|(_, scores)| context.question(scores)),
        context.against_classical(),
        chosen.and_then(|(model, _)| context.leak(model)),
        convergence::in_short(context).map(|short| upper(&short) + "."),
        transfer::in_short(context).map(|short| upper(&short) + "."),
    ]));
    section
}
