//! Transfer to new classes: strategies over paired seeds, against the one that learns from scratch.

use runner_results::transfer::{
    Action, Comparison, MatchedRows, NewRows, Outcome, Run, Strategy, Transfer, TransferFinding,
};

use super::{ArticleContext, HALF, bilingual};
use crate::article::document::{Align, Block, Float, Section};
use crate::article::markup;
use crate::read::StageArtifacts;
use crate::statistics::median;
use crate::study::transfer::runs::mean;
use runner_results::Part;

/// Of fewer pairs of seeds a test that finds nothing says little.
const ENOUGH_SEEDS: usize = 4;
/// A smaller loss among the old classes alone is hardly worth the word.
const FORGOTTEN: f64 = 0.02;

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
    section.blocks.extend(context.paragraph([
        Some(match new.is_empty() {
            true => context.voice.say(
                "The trained networks are trained on for the classes that they know [@transfer]; none is new.",
                "Les réseaux entraînés continuent leur apprentissage sur les classes qu'ils connaissent [@transfer] ; aucune n'est nouvelle.",
            ).to_owned(),
            false => bilingual!(
                context,
                "To tell {new} apart too, the networks get {outputs} more [@transfer].",
                "Pour distinguer aussi {new}, les réseaux reçoivent {outputs} de plus [@transfer].",
                outputs = match new.len() {
                    1 => context.voice.say("one output", "une sortie").to_owned(),
                    several => bilingual!(context, "{several} outputs", "{several} sorties"),
                },
                new = context.voice.list(&new, 4),
            ),
        }),
        tensors(context, first),
        Some(strategies(context, &stages)),
    ]));
    let verdicts = stages.iter().enumerate().map(|(i, (stage, found))| verdict(context, stage, found, i == 0));
    let shown = figure.as_ref().map(|_| {
        context.voice.say("@fig:transfer shows the curves.", "La @fig:transfer montre les courbes.").to_owned()
    });
    section.blocks.extend(context.paragraph(verdicts.chain([shown]).collect::<Vec<_>>()));
    let (stage, found) = &stages[0];
    section.blocks.extend(context.paragraph([forgotten(context, stage, found), enough(context, found)]));
    section.blocks.push(Block::Float(table(context, &stages)));
    section.blocks.extend(figure.map(Block::Float));
    Some(section)
}

/// What the new network takes over.
fn tensors(context: &ArticleContext, found: &Transfer) -> Option<String> {
    let count = |wanted: &dyn Fn(Action) -> bool| found.tensors.iter().filter(|one| wanted(one.action)).count();
    let copied = count(&|action| action == Action::Copied);
    let matched = count(&|action| matches!(action, Action::RowsMatchedByClass));
    let start = found.tensors.iter().find_map(|one| match &one.rows {
        Some(MatchedRows::Classes { start, added, .. }) if !added.is_empty() => Some(*start),
        _ => None,
    });
    let begins = match start {
        Some(NewRows::Mean) => context
            .voice
            .say(", a new row being the mean of the old ones", ", une ligne nouvelle étant la moyenne des anciennes"),
        Some(NewRows::Fresh) => {
            context.voice.say(", a new row being random", ", une ligne nouvelle étant tirée au hasard")
        }
        None => "",
    };
    (copied > 0).then(|| bilingual!(
        context,
        "Of the tensors of the network, {copied} are copied as they are; in the {matched} of the output, rows are matched by class name{begins}.",
        "Des tenseurs du réseau, {copied} sont copiés tels quels ; dans les {matched} de la sortie, les lignes sont appariées par nom de classe{begins}.",
    ))
}

fn transfers<'a>(context: &ArticleContext<'a>) -> impl Iterator<Item = (&'a StageArtifacts, &'a Transfer)> {
    context.of_kind("transfer").filter_map(|stage| Some((stage, stage.documents.get()?)))
}

/// What the strategies that were tried do, and that all have the same budget.
fn strategies(context: &ArticleContext, stages: &[(&StageArtifacts, &Transfer)]) -> String {
    let tried =
        |strategy: Strategy| stages.iter().any(|(_, found)| found.strategies.iter().any(|of| of.strategy == strategy));
    let is_released = stages.iter().any(|(stage, _)| {
        let of = |key: &str| stage.params.get(key).is_some_and(|value| !value.is_null());
        of("release_epoch") || of("release_share")
    });
    let all = [
        (Strategy::Scratch, "starts from random weights", "part de poids aléatoires"),
        (Strategy::Copy, "trains all that was copied", "entraîne tout ce qui a été copié"),
        (
            Strategy::Frozen,
            match is_released {
                true => "holds the first layers still at first",
                false => "never moves the first layers",
            },
            match is_released {
                true => "laisse d'abord immobiles les premières couches",
                false => "ne bouge jamais les premières couches",
            },
        ),
        (
            Strategy::Discriminative,
            "takes smaller steps in lower layers",
            "fait des pas plus petits dans les couches basses",
        ),
    ];
    let told: Vec<String> = (all.iter().filter(|(strategy, _, _)| tried(*strategy)))
        .map(|(strategy, english, french)| {
            format!("{} {}", name(context, *strategy), context.voice.say(english, french))
        })
        .collect();
    if told.is_empty() {
        return String::new();
    }
    bilingual!(
        context,
        "With the same epochs, seeds and rows for all, {list}.",
        "À époques, graines et lignes égales, {list}.",
        list = context.voice.list(&told, 4),
    )
}

/// What a strategy is called in a sentence.
fn name(context: &ArticleContext, strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::Scratch => context.voice.say("*scratch*", "*scratch*"),
        Strategy::Copy => context.voice.say("*copy*", "*copie*"),
        Strategy::Frozen => context.voice.say("*frozen*", "*gel*"),
        Strategy::Discriminative => context.voice.say("*discriminative*", "*différencié*"),
    }
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
                if ruled.last() == Some(&rows.len()) { context.stage_name(source(stage)) } else { String::new() },
                name(context, of.strategy).to_owned(),
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
        (voice.say("Network", "Réseau"), Align::Wrapped(0.26)),
        (voice.say("Strategy", "Stratégie"), Align::Left),
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
        "Transfer {on}, means over seeds: accuracy, macro-F1, and shares of the rows of new and old classes that are right. *p*: paired t-test of accuracy against *scratch*, Holm-corrected.",
        "Transfert {on}, moyennes sur les graines : exactitude, macro-F1, et parts des lignes des nouvelles et anciennes classes bien classées. *p* : test *t* apparié de l'exactitude contre *scratch*, corrigé selon Holm.",
    );
    let mut float = context.table("tab:transfer", &caption, &heads, rows);
    if let crate::article::document::Body::Table(table) = &mut float.body {
        table.ruled = ruled.into_iter().filter(|row| *row > 0).collect();
    }
    float
}

/// The strategy that validation chose, against the baseline: over seeds, and over the rows of one pair of networks.
fn verdict(context: &ArticleContext, stage: &StageArtifacts, found: &Transfer, is_first: bool) -> Option<String> {
    let network = network(context, stage);
    let Some(comparison) = found.comparison(found.best) else {
        let others = match nearest(found) {
            Some(other) => bilingual!(
                context,
                "; {on}, {strategy} reaches {against}",
                " ; {on}, {strategy} atteint {against}",
                on = context.on(found.part),
                strategy = name(context, other.strategy),
                against = against(context, other),
            ),
            None => String::new(),
        };
        return Some(bilingual!(
            context,
            "For {network}, validation prefers {best}, which the others are measured by{others}.",
            "Pour {network}, la validation préfère {best}, qui sert de mesure aux autres{others}.",
            best = name(context, found.best),
        ));
    };
    let mut sentence = bilingual!(
        context,
        "For {network}, validation prefers {best}, which reaches {against}",
        "Pour {network}, la validation préfère {best}, qui atteint {against}",
        best = name(context, found.best),
        against = against(context, comparison),
    );
    if let Some(rows) = found.rows.as_ref().filter(|rows| rows.strategy == found.best) {
        let [low, high] = [rows.difference.low, rows.difference.high].map(|end| context.voice.decimals(end * 100.0, 1));
        sentence.push_str(&bilingual!(
            context,
            "; over the rows of one network each, the difference is {points} points [{low}, {high}] ({p})",
            " ; sur les lignes d'un réseau de chacune, la différence est de {points} points [{low} ; {high}] ({p})",
            points = context.voice.decimals(rows.difference.estimate * 100.0, 1),
            p = context.voice.p(rows.mcnemar.p),
        ));
    }
    sentence.push('.');
    if let Some(speed) = speed(context, comparison).filter(|_| is_first) {
        sentence.push_str(&speed);
    }
    Some(sentence)
}

/// Of the strategies that are compared with the baseline, the one with the highest accuracy.
fn nearest(found: &Transfer) -> Option<&Comparison> {
    let all = found.strategies.iter().filter_map(|of| found.comparison(of.strategy));
    all.reduce(|a, b| if b.accuracy.mean > a.accuracy.mean { b } else { a })
}

/// `0.592 against 0.578 from scratch, a gain of 1.4 points over 5 pairs of seeds (p = 0.002)`.
fn against(context: &ArticleContext, comparison: &Comparison) -> String {
    let (voice, paired) = (context.voice, &comparison.accuracy);
    let p = paired.p_corrected.map(|p| voice.p(p)).unwrap_or_default();
    let seeds = comparison.epochs_to_baseline_best.len();
    let points = voice.decimals(paired.mean_difference.abs() * 100.0, 1);
    let judgement = match paired.outcome() {
        // So few pairs leave a test hardly any power: its silence is no sign of sameness.
        Outcome::Same if seeds < ENOUGH_SEEDS => bilingual!(
            context,
            "not significant over {seeds} pairs of seeds, which could hardly show it ({p})",
            "non significatif sur {seeds} paires de graines, qui ne pourraient guère le montrer ({p})",
        ),
        Outcome::Same => bilingual!(
            context,
            "no significant difference over {seeds} pairs of seeds ({p})",
            "différence non significative sur {seeds} paires de graines ({p})",
        ),
        Outcome::Higher => bilingual!(
            context,
            "a gain of {points} points over {seeds} pairs of seeds ({p})",
            "un gain de {points} points sur {seeds} paires de graines ({p})",
        ),
        Outcome::Lower => bilingual!(
            context,
            "a loss of {points} points over {seeds} pairs of seeds ({p})",
            "une perte de {points} points sur {seeds} paires de graines ({p})",
        ),
        Outcome::Untested => voice.say("too few seeds for a test", "trop peu de graines pour un test").to_owned(),
    };
    bilingual!(
        context,
        "{mean} against {baseline} with {other}, {judgement}",
        "{mean} contre {baseline} avec {other}, {judgement}",
        mean = voice.decimals(paired.mean, 3),
        baseline = voice.decimals(paired.baseline_mean, 3),
        other = name(context, comparison.baseline),
    )
}

/// What the chosen network still knows of the old classes.
fn forgotten(context: &ArticleContext, stage: &StageArtifacts, found: &Transfer) -> Option<String> {
    let before = found.before.iter().find(|before| before.part == found.part)?.old_classes.accuracy?;
    let comparison = found.comparison(found.best)?;
    let after = comparison.old_classes.as_ref()?.mean;
    // What it knows among the old classes alone is not what it loses to the new ones.
    let retained = comparison.retained.as_ref().map(|retained| {
        let forgets = before - retained.mean > FORGOTTEN;
        let loses = retained.mean - after > FORGOTTEN && found.new_classes().next().is_some();
        bilingual!(
            context,
            "; with the choice among these alone it still is on {kept}: {judged}",
            " ; avec le choix entre celles-ci seulement, il l'est encore pour {kept} : {judged}",
            kept = context.voice.percent(retained.mean),
            judged = match (forgets, loses) {
                (false, true) => context.voice.say(
                    "hardly anything is forgotten, but rows are lost to what is new",
                    "presque rien n'est oublié, mais des lignes vont à ce qui est nouveau",
                ),
                (false, false) => context.voice.say("hardly anything is forgotten", "presque rien n'est oublié"),
                (true, true) => context.voice.say(
                    "something is forgotten, and rows are lost to what is new",
                    "une part est oubliée, et des lignes vont à ce qui est nouveau",
                ),
                (true, false) => context.voice.say("something is forgotten", "une part est oubliée"),
            },
        )
    });
    Some(bilingual!(
        context,
        "On the rows of the old classes, {network} was right on {before} and, extended, is right on {after}{retained}.",
        "Sur les lignes des anciennes classes, {network} était juste pour {before} et, étendu, l'est pour {after}{retained}.",
        network = network(context, stage),
        before = context.voice.percent(before),
        after = context.voice.percent(after),
        retained = retained.unwrap_or_default(),
    ))
}

/// How few rows of the new classes suffice.
fn enough(context: &ArticleContext, found: &Transfer) -> Option<String> {
    let shares = found.findings.iter().find_map(|finding| match finding {
        TransferFinding::Shares { strategy, baseline, enough, least, .. } if *strategy == found.best => {
            Some((*strategy, *baseline, *enough, *least))
        }
        _ => None,
    });
    let (strategy, baseline, enough, least) = shares?;
    let rows = context.subject.rows(context.voice);
    Some(match enough {
        Some(enough) => bilingual!(
            context,
            "With {share} of the {rows} of new classes ({count}), {strategy} is as accurate as {baseline} with all of them.",
            "Avec {share} des {rows} de nouvelles classes ({count}), {strategy} est aussi exact que {baseline} avec l'ensemble.",
            share = context.voice.percent(enough.share),
            count = context.voice.count(enough.rows),
            strategy = name(context, strategy),
            baseline = name(context, baseline),
        ),
        None => bilingual!(
            context,
            "No share of the {rows} of new classes that was tried, from {least} on, makes {strategy} as accurate as {baseline} with all of them.",
            "Aucune part essayée des {rows} de nouvelles classes, à partir de {least}, ne rend {strategy} aussi exact que {baseline} avec l'ensemble.",
            least = context.voice.percent(least),
            strategy = name(context, strategy),
            baseline = name(context, baseline),
        ),
    })
}

/// How many epochs it takes to the baseline's best, where every seed got there.
fn speed(context: &ArticleContext, comparison: &Comparison) -> Option<String> {
    let middle = |epochs: &[usize]| median(&epochs.iter().map(|epoch| *epoch as f64).collect::<Vec<_>>());
    let reached: Vec<usize> = comparison.epochs_to_baseline_best.iter().copied().collect::<Option<_>>()?;
    let (ours, theirs) = (middle(&reached)?, middle(&comparison.baseline_best_epochs)?);
    (ours < theirs).then(|| bilingual!(
        context,
        " It is there sooner too: the best validation score of {other} takes it {ours} epochs instead of {theirs} (medians).",
        " Il y est aussi plus vite : le meilleur score de validation de {other} lui prend {ours} époques au lieu de {theirs} (médianes).",
        other = name(context, comparison.baseline),
        ours = context.voice.compact(ours),
        theirs = context.voice.compact(theirs),
    ))
}

fn figure(context: &ArticleContext, stage: &StageArtifacts) -> Option<Float> {
    let drawings = context.drawings(stage, &["validation-macro-f1-by", "validation-loss-by"], HALF);
    let caption = bilingual!(
        context,
        "Transfer of {name}: validation macro-F1 (left) and loss in nats (right) by epoch, means over seeds with bands from least to greatest.",
        "Transfert : {name} ; macro-F1 (à gauche) et perte en nats (à droite) de validation par époque, moyennes sur les graines et bandes du minimum au maximum.",
        name = network(context, stage),
    );
    (!drawings.is_empty()).then(|| context.figure("fig:transfer", &caption, drawings, 0.49))
}

/// The classes that the first transfer adds, where there is one.
pub(crate) fn added(context: &ArticleContext) -> Option<String> {
    let new = new_classes(transfers(context).next()?.1);
    (!new.is_empty()).then(|| context.voice.list(&new, 3))
}

/// What people call the network that a transfer starts from, with its article; the transfer's own name where that is not told.
fn network(context: &ArticleContext, stage: &StageArtifacts) -> String {
    context.stage_subject(source(stage))
}

/// The stage of the network that a transfer starts from.
fn source(stage: &StageArtifacts) -> &str {
    let model = stage.inputs.iter().find(|(port, _)| port == "model");
    model.map_or(&stage.stage, |(_, from)| from.strip_suffix(".model").unwrap_or(from))
}

/// The first transfer's verdict, for the abstract and the conclusion.
pub(crate) fn in_short(context: &ArticleContext) -> Option<String> {
    let (stage, found) = transfers(context).next()?;
    let new = new_classes(found);
    let network = network(context, stage);
    let extended = match new.is_empty() {
        true => context.voice.say("trained on", "entraîné plus avant").to_owned(),
        false => bilingual!(context, "extended to {new}", "étendu à {new}", new = context.voice.list(&new, 3)),
    };
    let Some(comparison) = found.comparison(found.best) else {
        return Some(match nearest(found) {
            Some(other) => bilingual!(
                context,
                "{extended}, {network} does not profit from its old weights: {strategy} reaches {against}",
                "{extended}, {network} ne profite pas de ses anciens poids : {strategy} atteint {against}",
                strategy = name(context, other.strategy),
                against = against(context, other),
            ),
            None => bilingual!(
                context,
                "whether {network} profits from its old weights when {extended} stays open: {best} alone was tried",
                "que {network} profite ou non de ses anciens poids, {extended}, reste ouvert : seule la stratégie {best} a été essayée",
                best = name(context, found.best),
            ),
        });
    };
    Some(bilingual!(
        context,
        "{extended} from its old weights, {network} reaches {against}",
        "{extended} à partir de ses anciens poids, {network} atteint {against}",
        against = against(context, comparison),
    ))
}
