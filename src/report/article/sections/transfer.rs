//! Transfer to new classes: strategies over paired seeds, against the one that learns from scratch.

use runner_results::transfer::Transfer;
use runner_results::transfer::{Comparison, Outcome, Run, Strategy};

use super::{ArticleContext, HALF, bilingual};
use crate::article::document::{Align, Block, Float, Section};
use crate::article::markup;
use crate::read::StageArtifacts;
use crate::statistics::median;
use crate::study::transfer::runs::mean;
use runner_results::Part;

/// Of fewer pairs of seeds a test that finds nothing says little.
const ENOUGH_SEEDS: usize = 4;

pub(crate) fn section(context: &ArticleContext) -> Option<Section> {
    let stages: Vec<(&StageArtifacts, &Transfer)> = transfers(context).collect();
    let (_, first) = stages.first()?;
    let new = new_classes(first);
    let title = match new.len() {
        0 => context.voice.say("Transfer", "Transfert"),
        1 => context.voice.say("Transfer to a New Class", "Transfert vers une nouvelle classe"),
        _ => context.voice.say("Transfer to New Classes", "Transfert vers de nouvelles classes"),
    };
    let mut section = Section::new("sec:transfer", title);
    let figure = figure(context, stages[0].0);
    let see = if figure.is_some() {
        bilingual!(context, ", and @fig:transfer the training curves", " et la @fig:transfer les courbes")
    } else {
        String::new()
    };
    section.blocks.extend(context.paragraph([
        Some(bilingual!(
            context,
            "{extended} [@transfer]. {strategies} @tab:transfer shows means over paired seeds{see}.",
            "{extended} [@transfer]. {strategies} Le @tab:transfer donne les moyennes sur des graines appariées{see}.",
            extended = match new.is_empty() {
                true => context.voice.say(
                    "The trained networks are trained on for the classes that they know; none is new",
                    "Les réseaux entraînés continuent leur apprentissage sur les classes qu'ils connaissent ; aucune n'est nouvelle",
                ).to_owned(),
                false => bilingual!(
                    context,
                    "The trained networks are extended to {number} classes, with {new} added",
                    "Les réseaux entraînés sont étendus à {number} classes en ajoutant {new}",
                    number = first.classes.len(),
                    new = context.voice.list(&new, 4),
                ),
            },
            strategies = strategies(context, &stages),
        )),
    ]));
    let verdicts = stages.iter().map(|(stage, found)| verdict(context, stage, found));
    section.blocks.extend(context.paragraph(verdicts.collect::<Vec<_>>()));
    section.blocks.push(Block::Float(table(context, &stages)));
    section.blocks.extend(figure.map(Block::Float));
    Some(section)
}

fn transfers<'a>(context: &ArticleContext<'a>) -> impl Iterator<Item = (&'a StageArtifacts, &'a Transfer)> {
    context.of_kind("transfer").filter_map(|stage| Some((stage, stage.documents.get()?)))
}

/// What the strategies that were tried do, by the names of the stage's parameter.
fn strategies(context: &ArticleContext, stages: &[(&StageArtifacts, &Transfer)]) -> String {
    let all = [
        (Strategy::Scratch, "starts from random weights", "part de poids aléatoires"),
        (
            Strategy::Copy,
            "from those of the old network, with outputs matched by class",
            "de ceux de l'ancien réseau, les sorties appariées par classe",
        ),
        (
            Strategy::Frozen,
            "likewise but keeps the first layers fixed",
            "de même, mais garde les premières couches fixes",
        ),
        (
            Strategy::Discriminative,
            "likewise but with smaller steps in lower layers [@ulmfit]",
            "de même, mais à pas plus petits dans les couches basses [@ulmfit]",
        ),
    ];
    let tried =
        |strategy: Strategy| stages.iter().any(|(_, found)| found.strategies.iter().any(|of| of.strategy == strategy));
    let told: Vec<String> = (all.iter().filter(|(strategy, _, _)| tried(*strategy)))
        .map(|(strategy, english, french)| format!("{} {}", code(*strategy), context.voice.say(english, french)))
        .collect();
    if told.is_empty() { String::new() } else { told.join(context.voice.say(", ", ", ")) + "." }
}

fn code(strategy: Strategy) -> String {
    markup::code(strategy.name())
}

fn new_classes(found: &Transfer) -> Vec<String> {
    found.new_classes().map(|class| markup::escaped(class)).collect()
}

fn table(context: &ArticleContext, stages: &[(&StageArtifacts, &Transfer)]) -> Float {
    let voice = context.voice;
    let decimals = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |v| voice.decimals(v, 3));
    let mut rows = Vec::new();
    let mut ruled = Vec::new();
    for (stage, found) in stages {
        ruled.push(rows.len());
        for of in &found.strategies {
            let own = &of.runs;
            let score = |of: &dyn Fn(&Run) -> Option<f64>| decimals(mean(own, of));
            let p = found.comparison(of.strategy).and_then(|comparison| comparison.accuracy.p_corrected);
            rows.push(vec![
                // Once for all its rows.
                if ruled.last() == Some(&rows.len()) { markup::code(&stage.stage) } else { String::new() },
                code(of.strategy),
                own.len().to_string(),
                score(&|run| Some(run.judged().all.accuracy)),
                score(&|run| Some(run.judged().all.macro_f1)),
                score(&|run| run.judged().new_classes.accuracy),
                score(&|run| run.judged().old_classes.accuracy),
                p.map_or_else(|| "–".to_owned(), |p| voice.bare_p(p)),
            ]);
        }
    }
    let heads = [
        (voice.say("Stage", "Étape"), Align::Wrapped(0.2)),
        (voice.say("Strategy", "Stratégie"), Align::Wrapped(0.2)),
        (voice.say("Seeds", "Graines"), Align::Right),
        (voice.say("Acc.", "Exact."), Align::Right),
        (voice.say("F1", "F1"), Align::Right),
        (voice.say("New", "Nouv."), Align::Right),
        (voice.say("Old", "Anc."), Align::Right),
        ("*p*", Align::Right),
    ];
    // Each stage is judged on a part of its own; where they differ the table has both.
    let mut parts: Vec<Part> = stages.iter().map(|(_, found)| found.part).collect();
    parts.dedup();
    let on = parts.iter().map(|part| context.on(*part)).collect::<Vec<_>>().join(voice.say(" or ", " ou "));
    let caption = bilingual!(
        context,
        "Transfer {on}, means over seeds: accuracy, macro-F1, and the share of the rows of new and of old classes that are right. *p*: paired t-test of the accuracy against `scratch`, Holm-corrected.",
        "Transfert {on}, moyennes sur les graines : exactitude, macro-F1, et part des lignes des nouvelles et des anciennes classes bien classées. *p* : test *t* apparié de l'exactitude contre `scratch`, avec la correction de Holm.",
    );
    let mut float = context.table("tab:transfer", &caption, &heads, rows);
    if let crate::article::document::Body::Table(table) = &mut float.body {
        table.ruled = ruled.into_iter().filter(|row| *row > 0).collect();
    }
    float
}

/// The strategy that validation chose, against the baseline.
fn verdict(context: &ArticleContext, stage: &StageArtifacts, found: &Transfer) -> Option<String> {
    let name = markup::code(&stage.stage);
    let Some(comparison) = found.comparison(found.best) else {
        let others = match nearest(found) {
            Some(other) => bilingual!(
                context,
                "; {on} {strategy} {against}",
                " ; {on}, {strategy} {against}",
                on = context.on(found.part),
                strategy = code(other.strategy),
                against = against(context, other),
            ),
            None => String::new(),
        };
        return Some(bilingual!(
            context,
            "For {name}, validation chooses {best}, the strategy that the others are measured by{others}.",
            "Pour {name}, la validation choisit {best}, la stratégie qui sert de mesure aux autres{others}.",
            best = code(found.best),
        ));
    };
    let mut sentence = bilingual!(
        context,
        "For {name}, which extends {network}, validation chooses {best}; {on} it {against}",
        "Pour {name}, qui étend {network}, la validation choisit {best} ; {on}, cette stratégie {against}",
        network = network(stage),
        best = code(found.best),
        on = context.on(found.part),
        against = against(context, comparison),
    );
    if let Some(speed) = speed(context, comparison) {
        sentence.push_str(&speed);
    }
    Some(sentence + ".")
}

/// Of the strategies that are compared with the baseline, the one with the highest accuracy.
fn nearest(found: &Transfer) -> Option<&Comparison> {
    let all = found.strategies.iter().filter_map(|of| found.comparison(of.strategy));
    all.reduce(|a, b| if b.accuracy.mean > a.accuracy.mean { b } else { a })
}

/// `reaches 0.592 against 0.578 of scratch, a significant gain (p = 0.002)`.
fn against(context: &ArticleContext, comparison: &Comparison) -> String {
    let (voice, paired) = (context.voice, &comparison.accuracy);
    let p = paired.p_corrected.map(|p| voice.p(p)).unwrap_or_default();
    let seeds = comparison.epochs_to_baseline_best.len();
    let judgement = match paired.outcome() {
        // So few pairs leave a test hardly any power: its silence is no sign of sameness.
        Outcome::Same if seeds < ENOUGH_SEEDS => bilingual!(
            context,
            "not significant, {p}, though {seeds} seeds could hardly show it",
            "non significatif, {p}, mais {seeds} graines ne pourraient guère le montrer",
        ),
        Outcome::Same => bilingual!(context, "no significant difference, {p}", "différence non significative, {p}"),
        Outcome::Higher => bilingual!(context, "a significant gain, {p}", "un gain significatif, {p}"),
        Outcome::Lower => bilingual!(context, "a significant loss, {p}", "une perte significative, {p}"),
        Outcome::Untested => voice.say("too few seeds for a test", "trop peu de graines pour un test").to_owned(),
    };
    bilingual!(
        context,
        "reaches an accuracy of {mean} against {baseline} with {other} ({judgement})",
        "atteint une exactitude de {mean} contre {baseline} avec {other} ({judgement})",
        mean = voice.decimals(paired.mean, 3),
        baseline = voice.decimals(paired.baseline_mean, 3),
        other = code(comparison.baseline),
    )
}

/// How many epochs it takes to the baseline's best, where every seed got there.
fn speed(context: &ArticleContext, comparison: &Comparison) -> Option<String> {
    let middle = |epochs: &[usize]| median(&epochs.iter().map(|epoch| *epoch as f64).collect::<Vec<_>>());
    let reached: Vec<usize> = comparison.epochs_to_baseline_best.iter().copied().collect::<Option<_>>()?;
    let (ours, theirs) = (middle(&reached)?, middle(&comparison.baseline_best_epochs)?);
    (ours < theirs).then(|| bilingual!(
        context,
        ", and it reaches the best validation score of {other} after {ours} epochs instead of {theirs} (medians)",
        ", et elle atteint le meilleur score de validation de {other} en {ours} époques au lieu de {theirs} (médianes)",
        other = code(comparison.baseline),
        ours = context.voice.compact(ours),
        theirs = context.voice.compact(theirs),
    ))
}

fn figure(context: &ArticleContext, stage: &StageArtifacts) -> Option<Float> {
    let drawings = context.drawings(stage, &["validation-macro-f1-by", "validation-loss-by"], HALF);
    let caption = bilingual!(
        context,
        "Courses of the stage {name}: validation macro-F1 (left) and loss in nats (right) by epoch, means over seeds with bands from least to greatest.",
        "Courbes de l'étape {name} : macro-F1 (à gauche) et perte en nats (à droite) de validation par époque, moyennes sur les graines et bandes du minimum au maximum.",
        name = markup::code(&stage.stage),
    );
    (!drawings.is_empty()).then(|| context.figure("fig:transfer", &caption, drawings, 0.49))
}

/// The classes that the first transfer adds, where there is one.
pub(crate) fn added(context: &ArticleContext) -> Option<String> {
    let new = new_classes(transfers(context).next()?.1);
    (!new.is_empty()).then(|| context.voice.list(&new, 3))
}

/// The network that a transfer starts from, by its stage; the transfer's own where that is not told.
fn network(stage: &StageArtifacts) -> String {
    let model = stage.inputs.iter().find(|(port, _)| port == "model");
    markup::code(model.map_or(&stage.stage, |(_, from)| from.strip_suffix(".model").unwrap_or(from)))
}

/// The first transfer's verdict, for the abstract and the conclusion.
pub(crate) fn in_short(context: &ArticleContext) -> Option<String> {
    let (stage, found) = transfers(context).next()?;
    let new = new_classes(found);
    let Some(comparison) = found.comparison(found.best) else {
        let (best, name) = (code(found.best), network(stage));
        let what = match new.is_empty() {
            true => context.voice.say("where it is trained on", "lorsqu'on poursuit son apprentissage").to_owned(),
            false => bilingual!(
                context,
                "where {new} {is} added",
                "lorsqu'on ajoute {new}",
                is = if new.len() == 1 { "is" } else { "are" },
                new = context.voice.list(&new, 3),
            ),
        };
        return Some(match nearest(found) {
            Some(other) => bilingual!(
                context,
                "by validation the network {name} does not help {what}: {best} is chosen; {on} {strategy} {against}",
                "d'après la validation, le réseau {name} n'aide pas {what} : {best} est choisie ; {on}, {strategy} {against}",
                on = context.on(found.part),
                strategy = code(other.strategy),
                against = against(context, other),
            ),
            None => bilingual!(
                context,
                "whether the network {name} helps {what} stays open: {best} alone was tried",
                "que le réseau {name} aide ou non {what} reste ouvert : seule la stratégie {best} a été essayée",
            ),
        });
    };
    Some(bilingual!(
        context,
        "{extended} by the strategy {best}, the network {name} {against}",
        "{extended} par la stratégie {best}, le réseau {name} {against}",
        extended = match new.is_empty() {
            true => context.voice.say("trained on", "entraîné plus avant").to_owned(),
            false => bilingual!(context, "extended to {new}", "étendu à {new}", new = context.voice.list(&new, 3)),
        },
        best = code(found.best),
        name = network(stage),
        against = against(context, comparison),
    ))
}
