//! Transfer to new classes: strategies over paired seeds, against the one that learns from scratch.

use serde_json::Value;

use super::{ArticleContext, HALF, bilingual};
use crate::JudgedOn;
use crate::article::document::{Align, Block, Float, Section};
use crate::article::markup;
use crate::read::{StageArtifacts, list, number, text};
use crate::study::transfer::runs::{Run, distinct, mean, runs};

const ALPHA: f64 = 0.05;
/// Of fewer pairs of seeds a test that finds nothing says little.
const ENOUGH_SEEDS: usize = 4;

pub fn section(tale: &ArticleContext) -> Option<Section> {
    let stages: Vec<(&StageArtifacts, &Value)> =
        tale.of_kind("transfer").filter_map(|stage| Some((stage, stage.document("strategies")?))).collect();
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
                    number = list(first, "classes").count(),
                    new = tale.voice.list(&new, 4),
                ),
            },
            strategies = strategies(tale, &stages),
        )),
    ]));
    let verdicts = stages.iter().map(|(stage, document)| verdict(tale, stage, document));
    section.blocks.extend(tale.paragraph(verdicts.collect::<Vec<_>>()));
    section.blocks.push(Block::Float(table(tale, &stages)));
    section.blocks.extend(figure.map(Block::Float));
    Some(section)
}

/// What the strategies that were tried do, by the names of the stage's parameter.
fn strategies(tale: &ArticleContext, stages: &[(&StageArtifacts, &Value)]) -> String {
    let all = [
        ("scratch", "starts from random weights", "part de poids aléatoires"),
        (
            "copy",
            "from those of the old network, with outputs matched by class",
            "de ceux de l'ancien réseau, les sorties appariées par classe",
        ),
        ("frozen", "likewise but keeps the first layers fixed", "de même, mais garde les premières couches fixes"),
        (
            "discriminative",
            "likewise but with smaller steps in lower layers [@ulmfit]",
            "de même, mais à pas plus petits dans les couches basses [@ulmfit]",
        ),
    ];
    let tried = |name: &str| {
        stages.iter().any(|(_, document)| list(document, "strategies").any(|s| text(s, "strategy") == Some(name)))
    };
    let told: Vec<String> = (all.iter().filter(|(name, _, _)| tried(name)))
        .map(|(name, english, french)| format!("{} {}", markup::code(name), tale.voice.say(english, french)))
        .collect();
    if told.is_empty() { String::new() } else { told.join(tale.voice.say(", ", ", ")) + "." }
}

fn new_classes(document: &Value) -> Vec<String> {
    let old = super::names_at(document, "old_classes");
    super::names_at(document, "classes")
        .into_iter()
        .filter(|class| !old.contains(class))
        .map(|class| markup::escaped(&class))
        .collect()
}

fn table(tale: &ArticleContext, stages: &[(&StageArtifacts, &Value)]) -> Float {
    let voice = tale.voice;
    let decimals = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |v| voice.decimals(v, 3));
    let mut rows = Vec::new();
    let mut ruled = Vec::new();
    for (stage, document) in stages {
        let runs = runs(stage, document);
        ruled.push(rows.len());
        for strategy in distinct(runs.iter().map(|run| &run.strategy)) {
            let own: Vec<&Run> = runs.iter().filter(|run| run.strategy == strategy).collect();
            let score = |of: &dyn Fn(&Run) -> Option<f64>| decimals(mean(&own, of));
            let p = comparison(document, strategy).and_then(|c| number(c.get("accuracy")?, "p_corrected"));
            rows.push(vec![
                // Once for all its rows.
                if ruled.last() == Some(&rows.len()) { markup::code(&stage.stage) } else { String::new() },
                markup::code(strategy),
                own.len().to_string(),
                score(&|run| run.judged().all.as_ref().map(|scores| scores.accuracy)),
                score(&|run| run.judged().all.as_ref().map(|scores| scores.macro_f1)),
                score(&|run| run.judged().new_classes),
                score(&|run| run.judged().old_classes),
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
    let mut parts: Vec<JudgedOn> = stages.iter().map(|(_, document)| JudgedOn::named(document)).collect();
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

fn comparison<'a>(document: &'a Value, strategy: &str) -> Option<&'a Value> {
    list(document, "comparisons").find(|comparison| text(comparison, "strategy") == Some(strategy))
}

/// The strategy that validation chose, against the baseline.
fn verdict(tale: &ArticleContext, stage: &StageArtifacts, document: &Value) -> Option<String> {
    let best = text(document, "best")?;
    let name = markup::code(&stage.stage);
    let Some(comparison) = comparison(document, best) else {
        return Some(bilingual!(
            tale,
            "For {name}, validation chooses {best}, the strategy that the others are measured by.",
            "Pour {name}, la validation choisit {best}, la stratégie qui sert de mesure aux autres.",
            best = markup::code(best),
        ));
    };
    let accuracy = comparison.get("accuracy")?;
    let mut sentence = bilingual!(
        tale,
        "For {name}, which extends {network}, validation chooses {best}; {on} it {against}",
        "Pour {name}, qui étend {network}, la validation choisit {best} ; {on}, cette stratégie {against}",
        network = network(stage),
        best = markup::code(best),
        on = tale.on(JudgedOn::named(document)),
        against = against(tale, comparison, accuracy)?,
    );
    if let Some(speed) = speed(tale, comparison) {
        sentence.push_str(&speed);
    }
    Some(sentence + ".")
}

/// `reaches 0.592 against 0.578 of scratch, a significant gain (p = 0.002)`.
fn against(tale: &ArticleContext, comparison: &Value, paired: &Value) -> Option<String> {
    let voice = tale.voice;
    let difference = number(paired, "mean_difference")?;
    let p = number(paired, "p_corrected");
    let seeds = list(comparison, "epochs_to_baseline_best").count();
    let judgement = match p {
        // So few pairs leave a test hardly any power: its silence is no sign of sameness.
        Some(p) if p >= ALPHA && seeds < ENOUGH_SEEDS => bilingual!(
            tale,
            "not significant, {p}, though {seeds} seeds could hardly show it",
            "non significatif, {p}, mais {seeds} graines ne pourraient guère le montrer",
            p = voice.p(p),
        ),
        Some(p) if p >= ALPHA => {
            bilingual!(tale, "no significant difference, {p}", "différence non significative, {p}", p = voice.p(p))
        }
        Some(p) if difference > 0.0 => {
            bilingual!(tale, "a significant gain, {p}", "un gain significatif, {p}", p = voice.p(p))
        }
        Some(p) => bilingual!(tale, "a significant loss, {p}", "une perte significative, {p}", p = voice.p(p)),
        None => voice.say("too few seeds for a test", "trop peu de graines pour un test").to_owned(),
    };
    Some(bilingual!(
        tale,
        "reaches an accuracy of {mean} against {baseline} with {other} ({judgement})",
        "atteint une exactitude de {mean} contre {baseline} avec {other} ({judgement})",
        mean = voice.decimals(number(paired, "mean")?, 3),
        baseline = voice.decimals(number(paired, "baseline_mean")?, 3),
        other = markup::code(text(comparison, "baseline").unwrap_or("scratch")),
    ))
}

/// How many epochs it takes to the baseline's best, where every seed got there.
fn speed(tale: &ArticleContext, comparison: &Value) -> Option<String> {
    let middle = |key: &str| -> Option<f64> {
        let all: Vec<f64> = list(comparison, key).map(|value| value.as_f64()).collect::<Option<_>>()?;
        crate::statistics::median(&all)
    };
    let (ours, theirs) = (middle("epochs_to_baseline_best")?, middle("baseline_best_epochs")?);
    (ours < theirs).then(|| bilingual!(
        tale,
        ", and it reaches the best validation score of {other} after {ours} epochs instead of {theirs} (medians)",
        ", et elle atteint le meilleur score de validation de {other} en {ours} époques au lieu de {theirs} (médianes)",
        other = markup::code(text(comparison, "baseline").unwrap_or("scratch")),
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
pub fn added(tale: &ArticleContext) -> Option<String> {
    let document = tale.of_kind("transfer").find_map(|stage| stage.document("strategies"))?;
    let new = new_classes(document);
    (!new.is_empty()).then(|| tale.voice.list(&new, 3))
}

/// The network that a transfer starts from, by its stage; the transfer's own where that is not told.
fn network(stage: &StageArtifacts) -> String {
    let model = stage.inputs.iter().find(|(port, _)| port == "model");
    markup::code(model.map_or(&stage.stage, |(_, from)| from.strip_suffix(".model").unwrap_or(from)))
}

/// The first transfer's verdict, for the abstract and the conclusion.
pub fn in_short(tale: &ArticleContext) -> Option<String> {
    let (stage, document) = tale.of_kind("transfer").find_map(|stage| Some((stage, stage.document("strategies")?)))?;
    let comparison = comparison(document, text(document, "best")?)?;
    let accuracy = comparison.get("accuracy")?;
    let new = new_classes(document);
    Some(bilingual!(
        tale,
        "{extended} by the strategy {best}, the network {name} {against}",
        "{extended} par la stratégie {best}, le réseau {name} {against}",
        extended = match new.is_empty() {
            true => tale.voice.say("trained on", "entraîné plus avant").to_owned(),
            false => bilingual!(tale, "extended to {new}", "étendu à {new}", new = tale.voice.list(&new, 3)),
        },
        best = markup::code(text(document, "best")?),
        name = network(stage),
        against = against(tale, comparison, accuracy)?,
    ))
}
