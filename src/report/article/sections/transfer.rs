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

pub(crate) fn section(tale: &ArticleContext) -> Option<Section> {
    let stages: Vec<(&StageArtifacts, &Transfer)> = transfers(tale).collect();
    let (_, first) = stages.first()?;
    let new = new_classes(first);
    let title = match new.len() {
        0 => tale.voice.say("Transfer", "Transfert"),
        1 => tale.voice.say("Transfer to a New Class", "Transfert vers une nouvelle classe"),
        _ => tale.voice.say("Transfer to New Classes", "Transfert vers de nouvelles classes"),
    };
    let mut section = Section::new("sec:transfer", title);
    let figure = figure(tale, stages[0].0);
    let see = if figure.is_some() {
        bilingual!(tale, ", and @fig:transfer the training curves", " et la @fig:transfer les courbes")
    } else {
        String::new()
    };
    section.blocks.extend(tale.paragraph([
        Some(bilingual!(
            tale,
            "{extended} [@transfer]. {strategies} @tab:transfer shows means over paired seeds{see}.",
            "{extended} [@transfer]. {strategies} Le @tab:transfer donne les moyennes sur des graines appariées{see}.",
            extended = match new.is_empty() {
                true => tale.voice.say(
                    "The trained networks are trained on for the classes that they know; none is new",
                    "Les réseaux entraînés continuent leur apprentissage sur les classes qu'ils connaissent ; aucune n'est nouvelle",
                ).to_owned(),
                false => bilingual!(
                    tale,
                    "The trained networks are extended to {number} classes, with {new} added",
                    "Les réseaux entraînés sont étendus à {number} classes en ajoutant {new}",
                    number = first.classes.len(),
                    new = tale.voice.list(&new, 4),
                ),
            },
            strategies = strategies(tale, &stages),
        )),
    ]));
    let verdicts = stages.iter().map(|(stage, found)| verdict(tale, stage, found));
    section.blocks.extend(tale.paragraph(verdicts.collect::<Vec<_>>()));
    section.blocks.push(Block::Float(table(tale, &stages)));
    section.blocks.extend(figure.map(Block::Float));
    Some(section)
}

fn transfers<'a>(tale: &ArticleContext<'a>) -> impl Iterator<Item = (&'a StageArtifacts, &'a Transfer)> {
    tale.of_kind("transfer").filter_map(|stage| Some((stage, stage.documents.get()?)))
}

/// What the strategies that were tried do, by the names of the stage's parameter.
fn strategies(tale: &ArticleContext, stages: &[(&StageArtifacts, &Transfer)]) -> String {
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
        .map(|(strategy, english, french)| format!("{} {}", code(*strategy), tale.voice.say(english, french)))
        .collect();
    if told.is_empty() { String::new() } else { told.join(tale.voice.say(", ", ", ")) + "." }
}

fn code(strategy: Strategy) -> String {
    markup::code(strategy.name())
}

fn new_classes(found: &Transfer) -> Vec<String> {
    found.new_classes().map(|class| markup::escaped(class)).collect()
}

fn table(tale: &ArticleContext, stages: &[(&StageArtifacts, &Transfer)]) -> Float {
    let voice = tale.voice;
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
    let on = parts.iter().map(|part| tale.on(*part)).collect::<Vec<_>>().join(voice.say(" or ", " ou "));
    let caption = bilingual!(
        tale,
        "Transfer {on}, means over seeds: accuracy, macro-F1, and the share of the rows of new and of old classes that are right. *p*: paired t-test of the accuracy against `scratch`, Holm-corrected.",
        "Transfert {on}, moyennes sur les graines : exactitude, macro-F1, et part des lignes des nouvelles et des anciennes classes bien classées. *p* : test *t* apparié de l'exactitude contre `scratch`, avec la correction de Holm.",
    );
    let mut float = tale.table("tab:transfer", &caption, &heads, rows);
    if let crate::article::document::Body::Table(table) = &mut float.body {
        table.ruled = ruled.into_iter().filter(|row| *row > 0).collect();
    }
    float
}

/// The strategy that validation chose, against the baseline.
fn verdict(tale: &ArticleContext, stage: &StageArtifacts, found: &Transfer) -> Option<String> {
    let name = markup::code(&stage.stage);
    let Some(comparison) = found.comparison(found.best) else {
        let others = match nearest(found) {
            Some(other) => bilingual!(
                tale,
                "; {on} {strategy} {against}",
                " ; {on}, {strategy} {against}",
                on = tale.on(found.part),
                strategy = code(other.strategy),
                against = against(tale, other),
            ),
            None => String::new(),
        };
        return Some(bilingual!(
            tale,
            "For {name}, validation chooses {best}, the strategy that the others are measured by{others}.",
            "Pour {name}, la validation choisit {best}, la stratégie qui sert de mesure aux autres{others}.",
            best = code(found.best),
        ));
    };
    let mut sentence = bilingual!(
        tale,
        "For {name}, which extends {network}, validation chooses {best}; {on} it {against}",
        "Pour {name}, qui étend {network}, la validation choisit {best} ; {on}, cette stratégie {against}",
        network = network(stage),
        best = code(found.best),
        on = tale.on(found.part),
        against = against(tale, comparison),
    );
    if let Some(speed) = speed(tale, comparison) {
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
fn against(tale: &ArticleContext, comparison: &Comparison) -> String {
    let (voice, paired) = (tale.voice, &comparison.accuracy);
    let p = paired.p_corrected.map(|p| voice.p(p)).unwrap_or_default();
    let seeds = comparison.epochs_to_baseline_best.len();
    let judgement = match paired.outcome() {
        // So few pairs leave a test hardly any power: its silence is no sign of sameness.
        Outcome::Same if seeds < ENOUGH_SEEDS => bilingual!(
            tale,
            "not significant, {p}, though {seeds} seeds could hardly show it",
            "non significatif, {p}, mais {seeds} graines ne pourraient guère le montrer",
        ),
        Outcome::Same => bilingual!(tale, "no significant difference, {p}", "différence non significative, {p}"),
        Outcome::Higher => bilingual!(tale, "a significant gain, {p}", "un gain significatif, {p}"),
        Outcome::Lower => bilingual!(tale, "a significant loss, {p}", "une perte significative, {p}"),
        Outcome::Untested => voice.say("too few seeds for a test", "trop peu de graines pour un test").to_owned(),
    };
    bilingual!(
        tale,
        "reaches an accuracy of {mean} against {baseline} with {other} ({judgement})",
        "atteint une exactitude de {mean} contre {baseline} avec {other} ({judgement})",
        mean = voice.decimals(paired.mean, 3),
        baseline = voice.decimals(paired.baseline_mean, 3),
        other = code(comparison.baseline),
    )
}

/// How many epochs it takes to the baseline's best, where every seed got there.
fn speed(tale: &ArticleContext, comparison: &Comparison) -> Option<String> {
    let middle = |epochs: &[usize]| median(&epochs.iter().map(|epoch| *epoch as f64).collect::<Vec<_>>());
    let reached: Vec<usize> = comparison.epochs_to_baseline_best.iter().copied().collect::<Option<_>>()?;
    let (ours, theirs) = (middle(&reached)?, middle(&comparison.baseline_best_epochs)?);
    (ours < theirs).then(|| bilingual!(
        tale,
        ", and it reaches the best validation score of {other} after {ours} epochs instead of {theirs} (medians)",
        ", et elle atteint le meilleur score de validation de {other} en {ours} époques au lieu de {theirs} (médianes)",
        other = code(comparison.baseline),
        ours = tale.voice.compact(ours),
        theirs = tale.voice.compact(theirs),
    ))
}

fn figure(tale: &ArticleContext, stage: &StageArtifacts) -> Option<Float> {
    let drawings = tale.drawings(stage, &["validation-macro-f1-by", "validation-loss-by"], HALF);
    let caption = bilingual!(
        tale,
        "Courses of the stage {name}: validation macro-F1 (left) and loss in nats (right) by epoch, means over seeds with bands from least to greatest.",
        "Courbes de l'étape {name} : macro-F1 (à gauche) et perte en nats (à droite) de validation par époque, moyennes sur les graines et bandes du minimum au maximum.",
        name = markup::code(&stage.stage),
    );
    (!drawings.is_empty()).then(|| tale.figure("fig:transfer", &caption, drawings, 0.49))
}

/// The classes that the first transfer adds, where there is one.
pub(crate) fn added(tale: &ArticleContext) -> Option<String> {
    let new = new_classes(transfers(tale).next()?.1);
    (!new.is_empty()).then(|| tale.voice.list(&new, 3))
}

/// The network that a transfer starts from, by its stage; the transfer's own where that is not told.
fn network(stage: &StageArtifacts) -> String {
    let model = stage.inputs.iter().find(|(port, _)| port == "model");
    markup::code(model.map_or(&stage.stage, |(_, from)| from.strip_suffix(".model").unwrap_or(from)))
}

/// The first transfer's verdict, for the abstract and the conclusion.
pub(crate) fn in_short(tale: &ArticleContext) -> Option<String> {
    let (stage, found) = transfers(tale).next()?;
    let new = new_classes(found);
    let Some(comparison) = found.comparison(found.best) else {
        let (best, name) = (code(found.best), network(stage));
        let what = match new.is_empty() {
            true => tale.voice.say("where it is trained on", "lorsqu'on poursuit son apprentissage").to_owned(),
            false => bilingual!(
                tale,
                "where {new} {is} added",
                "lorsqu'on ajoute {new}",
                is = if new.len() == 1 { "is" } else { "are" },
                new = tale.voice.list(&new, 3),
            ),
        };
        return Some(match nearest(found) {
            Some(other) => bilingual!(
                tale,
                "by validation the network {name} does not help {what}: {best} is chosen; {on} {strategy} {against}",
                "d'après la validation, le réseau {name} n'aide pas {what} : {best} est choisie ; {on}, {strategy} {against}",
                on = tale.on(found.part),
                strategy = code(other.strategy),
                against = against(tale, other),
            ),
            None => bilingual!(
                tale,
                "whether the network {name} helps {what} stays open: {best} alone was tried",
                "que le réseau {name} aide ou non {what} reste ouvert : seule la stratégie {best} a été essayée",
            ),
        });
    };
    Some(bilingual!(
        tale,
        "{extended} by the strategy {best}, the network {name} {against}",
        "{extended} par la stratégie {best}, le réseau {name} {against}",
        extended = match new.is_empty() {
            true => tale.voice.say("trained on", "entraîné plus avant").to_owned(),
            false => bilingual!(tale, "extended to {new}", "étendu à {new}", new = tale.voice.list(&new, 3)),
        },
        best = code(found.best),
        name = network(stage),
        against = against(tale, comparison),
    ))
}
