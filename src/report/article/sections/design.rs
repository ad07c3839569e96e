//! How the network was designed: what each choice does, one at a time with the same seeds, and what keeps training stable.

use runner_results::comparison::Direction;
use runner_results::variations::{Effect, Variations};

use super::{ArticleContext, PANELS, bilingual, methods};
use crate::article::document::{Align, Block, Float, Section};
use crate::article::markup;
use crate::study::variations::figures::effects;
use crate::variations::{Changed, factor_name, level_name};

/// Settings that a sentence names.
const NAMED: usize = 3;

pub(crate) fn section(context: &ArticleContext) -> Option<Section> {
    let found = variations(context)?;
    let voice = context.voice;
    let mut section = Section::new("sec:design", voice.say("Design of the Network", "Conception du réseau"));
    let figure = effects(found, PANELS).map(|drawing| {
        let caption = bilingual!(
            context,
            "What single changes do to {metric} on validation rows: each seed a dot, the mean and its 95% interval.",
            "Effet de chaque changement sur {metric} de validation : un point par graine, la moyenne et son intervalle à 95 %.",
            metric = methods::metric(voice, found.metric),
        );
        context.figure("fig:variations", &caption, vec![drawing], 0.95)
    });
    let table = table(context, found);
    section.blocks.extend(context.paragraph([
        Some(bilingual!(
            context,
            "One network is changed in one thing at a time: {count} settings, each trained with the same {seeds} seeds and compared on validation rows{see}.",
            "Un réseau est modifié d'une seule chose à la fois : {count} variantes, chacune entraînée avec les mêmes {seeds} graines et comparée sur la validation{see}.",
            count = found.settings.len().saturating_sub(1),
            seeds = found.seeds.len(),
            see = if figure.is_some() { " (@fig:variations)" } else { "" },
        )),
        outcome(context, found),
        best(context, found),
        table.as_ref().map(|_| {
            voice
                .say("@tab:variations leaves out one stabiliser at a time.", "Le @tab:variations retire un stabilisateur à la fois.")
                .to_owned()
        }),
    ]));
    section.blocks.extend(figure.map(Block::Float));
    section.blocks.extend(table.map(Block::Float));
    Some(section)
}

fn variations<'a>(context: &ArticleContext<'a>) -> Option<&'a Variations> {
    context.study.with::<Variations>().map(|(_, found)| found).find(|found| found.settings.len() > 1)
}

/// A setting by what it changes.
fn name(context: &ArticleContext, found: &Variations, setting: usize) -> String {
    let own = |name: &str| methods::parameter(context.voice, name);
    match Changed::of(&found.factors, &found.ablations, setting) {
        Some(Changed::Level(factor, level)) => format!("{} {}", own(&factor_name(factor)), level_name(level)),
        Some(Changed::Without(ablation)) => {
            bilingual!(context, "without {name}", "sans {name}", name = own(&ablation.name))
        }
        None => context.voice.say("base", "base").to_owned(),
    }
}

/// Settings whose difference from the base is significant after correction, in one direction.
fn clear(found: &Variations, wanted: Direction) -> Vec<(usize, &Effect)> {
    let settings = found.settings.iter().enumerate().filter_map(|(i, setting)| Some((i, setting.effect.as_ref()?)));
    let mut clear: Vec<(usize, &Effect)> =
        settings.filter(|(_, effect)| effect.verdict(found.metric) == Some(wanted)).collect();
    clear.sort_by(|a, b| b.1.mean.abs().total_cmp(&a.1.mean.abs()));
    clear
}

fn named(context: &ArticleContext, found: &Variations, settings: &[(usize, &Effect)]) -> String {
    let told: Vec<String> = settings
        .iter()
        .map(|(setting, effect)| {
            format!("{} ({})", markup::escaped(&name(context, found, *setting)), signed(context, effect.mean))
        })
        .collect();
    context.voice.list(&told, NAMED)
}

fn signed(context: &ArticleContext, value: f64) -> String {
    let sign = if value < 0.0 { "−" } else { "+" };
    format!("{sign}{}", context.voice.decimals(value.abs(), 3))
}

/// Which changes the seeds show to matter.
fn outcome(context: &ArticleContext, found: &Variations) -> Option<String> {
    let (better, worse) = (clear(found, Direction::Better), clear(found, Direction::Worse));
    let told = |settings: &[(usize, &Effect)], english: &'static str, french: &'static str| {
        (!settings.is_empty())
            .then(|| format!("{}: {}", context.voice.say(english, french), named(context, found, settings)))
    };
    let parts: Vec<String> = [
        told(
            &better,
            "significantly better after Holm's correction",
            "Significativement meilleurs après la correction de Holm",
        ),
        told(&worse, "significantly worse", "Significativement moins bons"),
    ]
    .into_iter()
    .flatten()
    .map(|part| crate::article::text::upper(&part) + ".")
    .collect();
    match parts.is_empty() {
        false => Some(parts.join(" ")),
        true => Some(bilingual!(
            context,
            "After Holm's correction, {seeds} seeds show none to make a significant difference.",
            "Après la correction de Holm, {seeds} graines n'en montrent aucune qui fasse une différence significative.",
            seeds = found.seeds.len(),
        )),
    }
}

/// The best setting and the base.
fn best(context: &ArticleContext, found: &Variations) -> Option<String> {
    let best = found.best_of(0..found.settings.len()).filter(|best| *best > 0)?;
    let of = |setting: usize| Some(context.voice.decimals(found.settings[setting].score.as_ref()?.mean, 3));
    Some(bilingual!(
        context,
        "The highest mean is that of {best}: {score} against {base}.",
        "La plus haute moyenne est celle de {best} : {score} contre {base}.",
        score = of(best)?,
        base = of(0)?,
        best = markup::escaped(&name(context, found, best)),
    ))
}

/// The ablations against the base.
fn table(context: &ArticleContext, found: &Variations) -> Option<Float> {
    let voice = context.voice;
    let decimals = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| voice.decimals(value, 3));
    let row = |title: String, setting: usize| {
        let setting = &found.settings[setting];
        let effect = setting.effect.as_ref();
        let clipped = setting.mean_of(|run| run.gradients.as_ref().map(|gradients| gradients.mean_norm));
        vec![
            title,
            decimals(setting.score.as_ref().map(|score| score.mean)),
            effect.map_or_else(|| "–".to_owned(), |effect| signed(context, effect.mean)),
            effect
                .and_then(|effect| effect.interval)
                .map_or_else(|| "–".to_owned(), |(low, high)| voice.interval(low, high)),
            effect.and_then(|effect| effect.p_corrected).map_or_else(|| "–".to_owned(), |p| voice.bare_p(p)),
            decimals(clipped),
        ]
    };
    let mut rows = vec![row(voice.say("all of them", "tous").to_owned(), 0)];
    rows.extend(found.ablations.iter().map(|ablation| {
        let name = markup::escaped(&methods::parameter(voice, &ablation.name));
        row(bilingual!(context, "without {name}", "sans {name}"), ablation.setting)
    }));
    let heads = [
        (voice.say("Training", "Apprentissage"), Align::Left),
        ("Valid.", Align::Right),
        (voice.say("Difference", "Différence"), Align::Right),
        (voice.say("95% interval", "IC à 95 %"), Align::Right),
        ("*p*", Align::Right),
        (voice.say("Gradient", "Gradient"), Align::Right),
    ];
    let caption = bilingual!(
        context,
        "Stabilisers left out one at a time: {metric} on validation rows, mean over {seeds} seeds; its paired difference; *p* after Holm's correction; mean norm of the gradients.",
        "Stabilisateurs retirés un à un : {metric} de validation, moyenne sur {seeds} graines ; sa différence appariée ; *p* après la correction de Holm ; norme moyenne des gradients.",
        metric = methods::metric(voice, found.metric),
        seeds = found.seeds.len(),
    );
    (!found.ablations.is_empty()).then(|| context.table("tab:variations", &caption, &heads, rows))
}

/// The choice that mattered most, for the abstract and the conclusion.
pub(crate) fn in_short(context: &ArticleContext) -> Option<String> {
    let found = variations(context)?;
    let count = found.settings.len() - 1;
    let clear: usize =
        [Direction::Better, Direction::Worse].map(|direction| self::clear(found, direction).len()).iter().sum();
    Some(match clear {
        0 => bilingual!(
            context,
            "Of {count} single changes of one network, {seeds} seeds show none to make a significant difference.",
            "De {count} changements isolés d'un réseau, {seeds} graines n'en montrent aucun qui fasse une différence significative.",
            seeds = found.seeds.len(),
        ),
        _ => bilingual!(
            context,
            "Of {count} single changes of one network, {clear} make a significant difference.",
            "De {count} changements isolés d'un réseau, {clear} font une différence significative.",
        ),
    })
}
