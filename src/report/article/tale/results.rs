//! Results: models compared, training judged, mistakes and probabilities looked at, transfer. Knows nothing of how they came about.

use super::{HALF, Tale, convergence, told, transfer, validation};
use crate::report::article::document::{Align, Block, Float, Section};
use crate::report::article::markup;
use crate::report::figure::{Interval, Mark, Paint, Row, Series, confusion, grouped_bars};
use crate::report::read::{Scores, StageArtifacts, count, list, number, text, texts};
use crate::report::study::contest::duel;
use crate::report::study::models::{Group, Model};

/// Models in a table or chart; beyond these the worst are left out, and said to be.
const MOST_MODELS: usize = 20;

pub fn section(tale: &Tale) -> Section {
    let voice = tale.voice;
    let mut section = Section::new("sec:results", voice.say("Results", "Résultats"));
    let told = [comparison(tale), convergence::section(tale), inside(tale), transfer::section(tale)];
    section.subsections = told.into_iter().flatten().filter(|inner| !inner.is_empty()).collect();
    section
}

fn comparison(tale: &Tale) -> Option<Section> {
    let group = tale.main()?;
    let mut section = Section::new("sec:comparison", tale.voice.say("Models Compared", "Comparaison des modèles"));
    let chart = chart(tale, group);
    let see = if chart.is_some() {
        told!(tale, "@tab:models and @fig:models show", "Le @tab:models et la @fig:models montrent")
    } else {
        told!(tale, "@tab:models shows", "Le @tab:models montre")
    };
    section.blocks.extend(tale.paragraph([
        Some(told!(
            tale,
            "{see} all models on the same {rows} {part} rows.",
            "{see} tous les modèles sur les mêmes {rows} lignes de {part}.",
            rows = tale.voice.count(group.rows),
            part = group.part,
        )),
        best(tale),
        tied(tale, group),
        caution(tale, group),
        tale.chosen().zip(tale.classical()).and_then(|(chosen, classical)| {
            Some(format!("{} {}.", upper(&tale.name(chosen)), tale.against(chosen, classical)?))
        }),
        inputs(tale),
    ]));
    section.blocks.push(Block::Float(table(tale, group)));
    section.blocks.extend(chart.map(Block::Float));
    Some(section)
}

fn best(tale: &Tale) -> Option<String> {
    let chosen = tale.chosen()?;
    let scores = chosen.judged()?;
    Some(told!(
        tale,
        "Validation rows choose {name} among networks and ensembles; its accuracy on the test part is {accuracy} and its macro-F1 {f1}.",
        "La validation désigne {name} parmi réseaux et ensembles ; son exactitude sur le test est de {accuracy} et sa macro-F1 de {f1}.",
        name = tale.name(chosen),
        accuracy = tale.accuracy(scores),
        f1 = tale.voice.decimals(scores.macro_f1, 3),
    ))
}

/// Whom the paired tests do not tell apart from the highest score.
fn tied(tale: &Tale, group: &Group) -> Option<String> {
    let (first, others) = group.models.split_first()?;
    let tied: Vec<String> = others
        .iter()
        .filter(|model| tale.judge(first, model).is_some_and(|judgement| !judgement.differ))
        .map(|model| tale.subject(model))
        .collect();
    let name = upper(&tale.subject(first));
    Some(if tied.is_empty() {
        told!(
            tale,
            "{name} has the highest test score, significantly above every other.",
            "{name} a le score de test le plus élevé, significativement au-dessus de tous les autres.",
        )
    } else {
        told!(
            tale,
            "{name} has the highest test score, with no significant difference from {list}.",
            "{name} a le score de test le plus élevé, sans différence significative avec {list}.",
            list = tale.voice.list(&tied, 4),
        )
    })
}

/// Choosing by the test score would flatter the choice.
fn caution(tale: &Tale, group: &Group) -> Option<String> {
    let chosen =
        group.models.iter().filter_map(|m| Some((m, validation(m)?))).reduce(|a, b| if b.1 > a.1 { b } else { a })?.0;
    let first = group.models.first()?;
    let is = |model: &Model| chosen.name == model.name && chosen.stage == model.stage;
    if group.part != "test" || group.models.len() < 2 || is(first) {
        return None;
    }
    if tale.chosen().is_some_and(is) {
        return Some(told!(
            tale,
            "The highest of {count} test scores flatters; that of {name}, which was chosen without them, does not.",
            "Le plus élevé de {count} scores de test est flatteur ; celui de {name}, choisi sans eux, ne l'est pas.",
            count = group.models.len(),
            name = tale.subject(chosen),
        ));
    }
    Some(told!(
        tale,
        "Over all {count} models validation rows would choose {name} ({score}): the highest of so many test scores flatters.",
        "Parmi les {count} modèles, la validation choisirait {name} ({score}) : le plus élevé de tant de scores de test est flatteur.",
        count = group.models.len(),
        name = tale.subject(chosen),
        score = tale.voice.decimals(chosen.judged().map_or(f64::NAN, |s| s.accuracy), 3),
    ))
}

/// What texts add: the best network on numbers alone against the best on both.
fn inputs(tale: &Tale) -> Option<String> {
    let reads = |model: &&Model, numbers: bool, words: bool| {
        let inputs = tale.stage(&model.stage).and_then(|stage| stage.document("parts")).and_then(|m| m.get("inputs"));
        let has = |key: &str| inputs.is_some_and(|i| !texts(i.get(key)).is_empty());
        inputs.is_some() && has("numeric") == numbers && has("text") == words
    };
    let networks: Vec<&Model> = tale.main()?.models.iter().filter(|model| tale.kind(model) == Some("train")).collect();
    let best = |numbers: bool, words: bool| {
        let own = networks.iter().copied().filter(|model| reads(model, numbers, words));
        own.filter_map(|model| Some((model, validation(model)?)))
            .reduce(|a, b| if b.1 > a.1 { b } else { a })
            .map(|b| b.0)
    };
    let (both, numbers) = (best(true, true)?, best(true, false)?);
    let against = tale.against(both, numbers)?;
    let mut sentence = told!(
        tale,
        "As to the kinds of input, {name}, which fuses numbers and texts, {against}; {other} reads numbers alone",
        "Quant aux types d'entrées, {name}, qui fusionne nombres et textes, {against} ; {other} ne lit que les nombres",
        name = tale.name(both),
        other = tale.name(numbers),
    );
    if let Some(words) = best(false, true) {
        sentence.push_str(&told!(
            tale,
            ", and texts alone reach {score} with {name}",
            ", et les textes seuls atteignent {score} avec {name}",
            score = tale.voice.decimals(words.judged()?.accuracy, 3),
            name = tale.name(words),
        ));
    }
    Some(sentence + ".")
}

fn table(tale: &Tale, group: &Group) -> Float {
    let voice = tale.voice;
    let first = group.models.first();
    let row = |model: &Model| {
        let Some(scores) = model.judged() else { return vec![tale.name(model)] };
        let p = first.filter(|first| first.name != model.name || first.stage != model.stage);
        let p = p
            .and_then(|first| duel(&tale.study, first, model))
            .map_or_else(|| "–".to_owned(), |pair| voice.bare_p(pair.p));
        vec![
            tale.name(model),
            validation(model).map_or_else(|| "–".to_owned(), |v| voice.decimals(v, 3)),
            voice.decimals(scores.accuracy, 3),
            scores.interval().map_or_else(|| "–".to_owned(), |(low, high)| voice.interval(low, high)),
            voice.decimals(scores.macro_f1, 3),
            p,
        ]
    };
    let heads = [
        (voice.say("Model", "Modèle"), Align::Wrapped(0.34)),
        (voice.say("Validation", "Validation"), Align::Right),
        (voice.say("Test", "Test"), Align::Right),
        (voice.say("95% interval", "IC à 95 %"), Align::Right),
        (voice.say("Macro-F1", "Macro-F1"), Align::Right),
        ("*p*", Align::Right),
    ];
    let left_out = group.models.len().saturating_sub(MOST_MODELS);
    let mut caption = told!(
        tale,
        "Models by accuracy on the {part} part; macro-F1 on the same part. *p*: McNemar's test against the first, Holm-corrected over all pairs.",
        "Modèles par exactitude sur le {part} ; macro-F1 sur la même partie. *p* : test de McNemar contre le premier, avec la correction de Holm sur toutes les paires. IC : intervalle de confiance.",
        part = group.part,
    );
    if left_out > 0 {
        caption.push_str(&told!(tale, " Not shown from the end: {left_out}.", " Non montrés à la fin : {left_out}."));
    }
    tale.table("tab:models", &caption, &heads, group.models.iter().take(MOST_MODELS).map(row).collect())
}

fn chart(tale: &Tale, group: &Group) -> Option<Float> {
    let (kept, wanted) = (group.models.iter().take(MOST_MODELS), group.models.len() > 1);
    // Markup has no place in a drawing.
    let plain = |model: &Model| tale.text(&tale.name(model)).letters();
    let rows: Vec<Row> = kept
        .filter_map(|model| {
            let scores = model.judged()?;
            let (low, high) = scores.interval().unwrap_or((f64::NAN, f64::NAN));
            Some(Row { label: plain(model), values: vec![Some(Interval { value: scores.accuracy, low, high })] })
        })
        .collect();
    let series = [Series { name: group.part.to_owned(), mark: Mark::Point, paint: Paint::Positive }];
    let description = rows.iter().map(|row| row.label.as_str()).collect::<Vec<_>>().join(", ");
    let drawing = grouped_bars("Accuracy of the models", &description, "accuracy with 95 % interval", &series, &rows);
    let caption = told!(
        tale,
        "Accuracy on the {part} part with 95% intervals.",
        "Exactitude sur le {part} avec intervalles à 95 %.",
        part = group.part,
    );
    wanted.then(|| tale.figure("fig:models", &caption, vec![drawing], 0.74))
}

/// Mistakes, probabilities, and what the model leans on.
fn inside(tale: &Tale) -> Option<Section> {
    let chosen = tale.chosen()?;
    let stage = tale.stage(&chosen.stage)?;
    let scores = chosen.judged()?;
    let mut section = Section::new(
        "sec:inside",
        tale.voice.say("Mistakes, Probabilities, and What Matters", "Erreurs, probabilités et ce qui compte"),
    );
    let (matrix, reliability) = (confusion_figure(tale, chosen, scores), reliability_figure(tale, stage));
    section.blocks.extend(tale.paragraph([matrix.as_ref().and_then(|_| mistakes(tale, chosen, scores))]));
    section.blocks.extend(matrix.map(Block::Float));
    section.blocks.extend(tale.paragraph([calibration(tale, stage, reliability.is_some())]));
    section.blocks.extend(reliability.map(Block::Float));
    if let Some((sentence, figure)) = importance(tale) {
        section.blocks.extend(tale.paragraph([Some(sentence)]));
        section.blocks.extend(figure.map(Block::Float));
    }
    Some(section)
}

fn confusion_figure(tale: &Tale, model: &Model, scores: &Scores) -> Option<Float> {
    if scores.confusion.is_empty() {
        return None;
    }
    let drawing =
        confusion("Confusion", "Rows of each true class by predicted class", &scores.classes, &scores.confusion);
    let caption = told!(
        tale,
        "Confusion matrix of {name} on the test part: rows, and their share of the true class.",
        "Matrice de confusion de {name} sur le test : lignes, et leur part de la vraie classe.",
        name = tale.name(model),
    );
    Some(tale.figure("fig:confusion", &caption, vec![drawing], 0.7))
}

fn mistakes(tale: &Tale, model: &Model, scores: &Scores) -> Option<String> {
    let (classes, matrix) = (&scores.classes, &scores.confusion);
    let total = |class: usize| matrix[class].iter().sum::<u64>();
    let share = |t: usize, p: usize| matrix[t][p] as f64 / total(t).max(1) as f64;
    let pairs = (0..classes.len()).flat_map(|t| (0..classes.len()).map(move |p| (t, p))).filter(|(t, p)| t != p);
    let (t, p) = pairs.max_by(|a, b| share(a.0, a.1).total_cmp(&share(b.0, b.1)).then(b.cmp(a)))?;
    let recall = |class: &usize| share(*class, *class);
    let seen: Vec<usize> = (0..classes.len()).filter(|&class| total(class) > 0).collect();
    let found = seen.iter().max_by(|a, b| recall(a).total_cmp(&recall(b)).then(b.cmp(a)))?;
    let lost = seen.iter().min_by(|a, b| recall(a).total_cmp(&recall(b)).then(a.cmp(b)))?;
    if matrix[t][p] == 0 {
        return Some(told!(
            tale,
            "{name} confuses no class (@fig:confusion).",
            "{name} ne confond aucune classe (@fig:confusion).",
            name = tale.name(model),
        ));
    }
    Some(told!(
        tale,
        "Among the classes, {name} finds {found} best (recall {high}) and {lost} least ({low}); most often it takes {t} for {p}, in {rows} of {all} rows ({share}, @fig:confusion).",
        "Parmi les classes, {name} retrouve le mieux {found} (rappel {high}) et le moins bien {lost} ({low}) ; le plus souvent, il prend {t} pour {p}, dans {rows} lignes sur {all} ({share}, @fig:confusion).",
        name = tale.name(model),
        high = tale.voice.decimals(recall(found), 2),
        low = tale.voice.decimals(recall(lost), 2),
        found = markup::escaped(&classes[*found]),
        lost = markup::escaped(&classes[*lost]),
        rows = tale.voice.count(matrix[t][p]),
        all = tale.voice.count(total(t)),
        share = tale.voice.percent(share(t, p)),
        t = markup::escaped(&classes[t]),
        p = markup::escaped(&classes[p]),
    ))
}

fn reliability_figure(tale: &Tale, stage: &StageArtifacts) -> Option<Float> {
    let drawings = tale.drawings(stage, &["reliability"], HALF);
    let caption = told!(
        tale,
        "Reliability of {name}: the share of rows that are right by confidence, before and after temperature scaling.",
        "Fiabilité de {name} : part des lignes bien classées selon la confiance, avant et après l'ajustement de la température.",
        name = markup::code(&stage.stage),
    );
    (!drawings.is_empty()).then(|| tale.figure("fig:reliability", &caption, drawings, 0.5))
}

fn calibration(tale: &Tale, stage: &StageArtifacts, has_figure: bool) -> Option<String> {
    let calibration = stage.document("calibration")?.get("calibration")?;
    let temperature = number(calibration, "temperature")?;
    let part = calibration.get("parts")?.get("test")?;
    let error = |when: &str| number(part.get(when)?, "expected_error");
    let (before, after) = (error("before")?, error("after")?);
    let judgement = if temperature > 1.03 {
        tale.voice.say("it was too sure of itself", "il était trop sûr de lui")
    } else if temperature < 0.97 {
        tale.voice.say("it was not sure enough of itself", "il n'était pas assez sûr de lui")
    } else {
        tale.voice.say("it needed hardly any correction", "il n'avait guère besoin de correction")
    };
    let see = if has_figure { " (@fig:reliability)" } else { "" };
    let verb = match after.total_cmp(&before) {
        std::cmp::Ordering::Less => tale.voice.say("falls", "passe"),
        std::cmp::Ordering::Greater => tale.voice.say("rises", "monte"),
        std::cmp::Ordering::Equal => tale.voice.say("stays", "reste"),
    };
    Some(told!(
        tale,
        "The temperature of {name} is {temperature}: {judgement}. On the test part its expected calibration error {verb} from {before} to {after}{see}.",
        "La température de {name} vaut {temperature} : {judgement}. Sur le test, son erreur de calibration attendue {verb} de {before} à {after}{see}.",
        name = markup::code(&stage.stage),
        temperature = tale.voice.decimals(temperature, 2),
        before = tale.voice.decimals(before, 3),
        after = tale.voice.decimals(after, 3),
    ))
}

fn importance(tale: &Tale) -> Option<(String, Option<Float>)> {
    let stage = tale.of_kind("inspect").next()?;
    let findings = stage.document("importance")?;
    let all: Vec<(String, usize, f64, f64)> = list(findings, "importance")
        .filter_map(|one| {
            let drop = one.get("accuracy")?;
            Some((
                text(one, "name")?.to_owned(),
                texts(one.get("columns")).len(),
                number(drop, "mean")?,
                number(drop, "sd").unwrap_or(f64::NAN),
            ))
        })
        .collect();
    let most = all.iter().filter(|one| one.1 == 1).max_by(|a, b| a.2.total_cmp(&b.2))?;
    let drawings = tale.drawings(stage, &["accuracy-lost-when"], None);
    let looked_at = tale
        .study
        .parents(&stage.stage)
        .find(|parent| matches!(tale.study.kind_of(parent), Some("train" | "ensemble" | "transfer")));
    let model = looked_at.map_or_else(|| tale.voice.say("the model", "le modèle").to_owned(), markup::code);
    let mut sentence = told!(
        tale,
        "Shuffling one column at a time on validation rows ({repeats} times each), {model} loses most accuracy with {name}: {drop}",
        "Quand on mélange une colonne à la fois sur la validation ({repeats} fois chacune), {model} perd le plus d'exactitude avec {name} : {drop}",
        repeats = count(findings, "repeats").unwrap_or(1),
        name = markup::code(&most.0),
        drop = tale.voice.decimals(most.2, 3),
    );
    let joint: Vec<String> = (all.iter().filter(|one| one.1 > 1))
        .map(|one| format!("{} {}", kind_of_input(tale, &one.0), tale.voice.decimals(one.2, 3)))
        .collect();
    if !joint.is_empty() {
        sentence.push_str(&told!(
            tale,
            "; columns of a kind shuffled together cost {list}",
            " ; les colonnes d'un même type, mélangées ensemble, coûtent : {list}",
            list = tale.voice.list(&joint, 4),
        ));
    }
    if !drawings.is_empty() {
        sentence.push_str(" (@fig:importance)");
    }
    // A loss that shuffling by another seed might not show.
    let idle: Vec<String> =
        all.iter().filter(|one| one.1 == 1 && one.2 <= 2.0 * one.3).map(|one| markup::code(&one.0)).collect();
    sentence.push('.');
    if !idle.is_empty() {
        sentence.push_str(&told!(
            tale,
            " For {list}, the loss is within two standard deviations of zero.",
            " Pour {list}, la perte est à moins de deux écarts-types de zéro.",
            list = tale.voice.list(&idle, 5),
        ));
    }
    let caption = told!(
        tale,
        "Accuracy lost when a column is shuffled; whiskers are one standard deviation.",
        "Exactitude perdue quand une colonne est mélangée ; les moustaches valent un écart-type.",
    );
    let figure = (!drawings.is_empty()).then(|| tale.figure("fig:importance", &caption, drawings, 0.66));
    Some((sentence, figure))
}

fn kind_of_input(tale: &Tale, name: &str) -> String {
    match name {
        "all texts" => tale.voice.say("texts", "textes").to_owned(),
        "all numbers" => tale.voice.say("numbers", "nombres").to_owned(),
        "all categories" => tale.voice.say("categories", "catégories").to_owned(),
        other => markup::escaped(other),
    }
}

/// A sentence begins with a capital, unless with a name in a fixed font.
pub fn upper(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}
