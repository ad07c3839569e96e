//! Whether trainings converged and over-fitted: what the stages found in their curves, in sentences, and the curves themselves.
//!
//! Judges nothing itself: each word stands for a finding's kind, or for the judgement that the finding holds.

use runner_results::diagnosis::GapJudgement;
use runner_results::training::Training;

use super::super::text::upper;
use super::course::Course;
use super::{ArticleContext, HALF, bilingual, choosing, methods};
use crate::article::document::{Block, Float, Section};

pub(crate) fn section(context: &ArticleContext) -> Option<Section> {
    let courses: Vec<Course> = context.of_kind("train").filter_map(|stage| Course::of(context, stage)).collect();
    if courses.is_empty() {
        return None;
    }
    let mut section = Section::new("sec:convergence", context.voice.say("Learning Curves", "Courbes d'apprentissage"));
    let curves = curves(context);
    section.blocks.extend(context.paragraph([
        curves.as_ref().map(|(_, name)| {
            bilingual!(
                context,
                "@fig:curves shows how {name} learns.",
                "La @fig:curves montre l'apprentissage : {name}.",
            )
        }),
        trouble(context, &courses),
        gaps(context, &courses),
        over_fitting(context, &courses),
        under_fitting(context, &courses),
        ends(context, &courses),
    ]));
    section.blocks.extend(curves.map(|(figure, _)| Block::Float(figure)));
    section.blocks.extend(context.paragraph([choosing::search(context)]));
    section.blocks.extend(choosing::search_figure(context).map(Block::Float));
    Some(section)
}

/// Trainings that went wrong.
fn trouble(context: &ArticleContext, courses: &[Course]) -> Option<String> {
    let diverged = courses.iter().filter_map(|course| Some((course.name(), course.divergence()?.epoch)));
    let too_high = courses.iter().filter_map(|course| Some((course.name(), course.step_too_high()?.epoch)));
    let mut sentences: Vec<String> = diverged
        .map(|(name, epoch)| {
            bilingual!(
                context,
                "Training of {name} diverged in epoch {epoch}.",
                "L'apprentissage de {name} a divergé à l'époque {epoch}.",
            )
        })
        .collect();
    sentences.extend(too_high.map(|(name, epoch)| {
        bilingual!(
            context,
            "The step size of {name} is too high: its training loss rises, most in epoch {epoch}.",
            "Le pas de {name} est trop grand : sa perte d'apprentissage monte, surtout à l'époque {epoch}.",
        )
    }));
    for (course, name) in courses.iter().map(|course| (course, course.name())) {
        let found = course.single_class().map(|found| (found.train_classes, found.valid_classes));
        sentences.extend(match found {
            Some((..=1, _)) => Some(bilingual!(
                context,
                "The training rows of {name} have a single class: there is nothing to learn from them.",
                "Les lignes d'apprentissage de {name} n'ont qu'une classe : il n'y a rien à en apprendre.",
            )),
            Some((_, ..=1)) => Some(bilingual!(
                context,
                "The validation rows of {name} have a single class: they do not show whether it over-fits.",
                "Les lignes de validation de {name} n'ont qu'une classe : elles ne montrent pas s'il y a surapprentissage.",
            )),
            _ => None,
        });
    }
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

fn gaps(context: &ArticleContext, courses: &[Course]) -> Option<String> {
    let of = |wanted: GapJudgement| -> Vec<String> {
        let own = courses.iter().filter(|course| course.gap().is_some_and(|gap| gap.judgement == wanted));
        own.map(Course::name).collect()
    };
    let told = [
        (
            GapJudgement::Strong,
            "At the epoch kept, training accuracy is far ahead of validation accuracy in {list}: strong over-fitting.",
            "À l'époque retenue, l'exactitude d'apprentissage devance de loin celle de validation ({list}) : surapprentissage fort.",
        ),
        (GapJudgement::Some, "Some over-fitting shows in {list}.", "Surapprentissage modéré : {list}."),
        (
            GapJudgement::Unfinished,
            "The gap of {list} is no over-fitting yet: validation loss was still falling when training ended, which is under-training.",
            "L'écart observé ({list}) n'est pas encore du surapprentissage : la perte de validation baissait toujours à la fin, l'apprentissage est inachevé.",
        ),
        (
            GapJudgement::None,
            "No sign of over-fitting at the epoch kept shows in {list}.",
            "Aucun signe de surapprentissage à l'époque retenue : {list}.",
        ),
        (
            GapJudgement::Chance,
            "Validation rows are too few to tell the gap of {list} from chance.",
            "Les lignes de validation sont trop peu nombreuses pour distinguer l'écart du hasard : {list}.",
        ),
    ];
    let sentences: Vec<String> = told
        .into_iter()
        .filter_map(|(judgement, english, french)| {
            let own = of(judgement);
            let list = context.voice.list(&own, 6);
            (!own.is_empty()).then(|| context.voice.say(english, french).replace("{list}", &list))
        })
        .collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

fn over_fitting(context: &ArticleContext, courses: &[Course]) -> Option<String> {
    // Networks of which the same is to be said, as one alone and the first of several seeds, share the sentence.
    let mut told: Vec<(Vec<String>, [String; 5])> = Vec::new();
    for course in courses.iter().filter(|course| course.is_judged()) {
        let Some(found) = course.over_fitting() else { continue };
        let losses = [found.valid_loss_least, found.valid_loss_last, found.train_loss_then, found.train_loss_last];
        let [least, last, then, end] = losses.map(|loss| context.voice.decimals(loss, 3));
        let found = [found.epoch.to_string(), least, last, then, end];
        match told.iter_mut().find(|(_, same)| *same == found) {
            Some((names, _)) => names.push(course.name()),
            None => told.push((vec![course.name()], found)),
        }
    }
    if !courses.iter().any(Course::is_judged) {
        return None;
    }
    if told.is_empty() {
        return Some(bilingual!(
            context,
            "In no training does validation loss turn upwards while training loss still falls.",
            "Dans aucun apprentissage la perte de validation ne remonte pendant que celle d'apprentissage baisse encore.",
        ));
    }
    told.truncate(1);
    let sentence = |(names, [epoch, least, last, then, end]): &(Vec<String>, [String; 5])| {
        let (verb, verbe) = if names.len() == 1 { ("over-fits", "surapprend") } else { ("over-fit", "surapprennent") };
        bilingual!(
            context,
            "{list} {verb} from epoch {epoch} on: validation loss rises from {least} to {last} while training loss falls from {then} to {end}.",
            "{list} {verbe} à partir de l'époque {epoch} : la perte de validation monte de {least} à {last} tandis que celle d'apprentissage baisse de {then} à {end}.",
            list = upper(&context.voice.list(names, 6)),
        )
    };
    Some(told.iter().map(sentence).collect::<Vec<_>>().join(" "))
}

fn under_fitting(context: &ArticleContext, courses: &[Course]) -> Option<String> {
    let own: Vec<String> = courses.iter().filter(|course| course.is_under_fitting()).map(Course::name).collect();
    (!own.is_empty()).then(|| bilingual!(
        context,
        "The training loss of {list} has stopped falling although training rows are hardly ahead: under-fitting.",
        "La perte d'apprentissage de {list} ne baisse plus alors que l'apprentissage n'a guère d'avance : sous-apprentissage.",
        list = context.voice.list(&own, 6),
    ))
}

/// Which trainings had reached their level, and which were still getting better.
fn ends(context: &ArticleContext, courses: &[Course]) -> Option<String> {
    let mut sentences = Vec::new();
    let idle: Vec<String> = courses.iter().filter(|course| course.has_no_gain()).map(Course::name).collect();
    if !idle.is_empty() {
        sentences.push(bilingual!(
            context,
            "Training did not raise the validation score of {list} above that before training: nothing was learnt that it shows.",
            "L'apprentissage n'a pas amélioré le score de validation de {list} par rapport à celui d'avant : rien n'a été appris qui s'y voie.",
            list = context.voice.list(&idle, 6),
        ));
    }
    let fallen: Vec<String> = (courses.iter())
        .filter_map(|course| {
            let found = course.fell()?;
            let [best, last] = [found.score_best, found.score_last].map(|score| context.voice.decimals(score, 3));
            Some(bilingual!(
                context,
                "{name} (after epoch {epoch} of {epochs}, from {best} to {last})",
                "{name} (après l'époque {epoch} sur {epochs}, de {best} à {last})",
                name = course.name(),
                epoch = found.epoch,
                epochs = found.epochs,
            ))
        })
        .collect();
    if !fallen.is_empty() {
        sentences.push(bilingual!(
            context,
            "The validation score got worse in the course of training in {list}: later epochs are not kept.",
            "Le score de validation s'est dégradé au cours de l'apprentissage chez {list} : les époques suivantes ne sont pas retenues.",
            list = context.voice.list(&fallen, 6),
        ));
    }
    // More epochs are no remedy where the score gets worse.
    let is_open = |course: &&Course| course.is_unfinished() && course.fell().is_none();
    let reached = |course: &Course| {
        Some(bilingual!(
            context,
            "{name} (epoch {epoch})",
            "{name} (époque {epoch})",
            name = course.name(),
            epoch = course.plateau()?.epoch,
        ))
    };
    let sharpening: Vec<String> = courses.iter().filter(is_open).filter_map(reached).collect();
    if !sharpening.is_empty() {
        sentences.push(bilingual!(
            context,
            "The validation score of {list} had reached a plateau, but validation loss was still falling at the last epoch: more epochs may lower it further.",
            "Le score de validation de {list} avait atteint un plateau, mais la perte de validation baissait encore à la dernière époque : davantage d'époques peuvent la réduire.",
            list = context.voice.list(&sharpening, 6),
        ));
    }
    let open = courses.iter().filter(is_open).filter(|course| course.plateau().is_none());
    let open: Vec<String> = open.map(Course::name).collect();
    if !open.is_empty() {
        sentences.push(bilingual!(
            context,
            "Validation loss was still falling at the last epoch of {list}: more epochs may help.",
            "La perte de validation baissait encore à la dernière époque de {list} : davantage d'époques peuvent aider.",
            list = context.voice.list(&open, 6),
        ));
    }
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// Loss and accuracy of the best network.
fn curves(context: &ArticleContext) -> Option<(Float, String)> {
    let first = context.network()?;
    let stage = context.stage(&first.stage)?;
    let drawings = context.drawings(stage, &["loss", "accuracy"], HALF);
    if drawings.is_empty() {
        return None;
    }
    let name = context.stage_subject(&first.stage);
    // An average of several networks shows the curves of the first.
    let rule = match stage.documents.get::<Training>().map(|training| training.fitted.networks().len()) {
        Some(several) if several > 0 => context.voice.say(
            "; they are those of the first of its networks, and the dashed rule is the epoch it keeps",
            " ; ce sont celles du premier de ses réseaux, et le trait vertical marque l'époque qu'il retient",
        ),
        Some(_) => {
            context.voice.say("; the dashed rule is the epoch kept", " ; le trait vertical marque l'époque retenue")
        }
        None => "",
    };
    let caption = bilingual!(
        context,
        "Learning curves of {name}: loss in nats (left) and accuracy (right) on training and validation rows{rule}.",
        "Courbes d'apprentissage de {name} : perte en nats (à gauche) et exactitude (à droite) sur l'apprentissage et la validation{rule}.",
    );
    Some((context.figure("fig:curves", &caption, drawings, 0.49), name))
}

/// The best network's over-fitting in half a sentence, for the abstract and the conclusion.
pub(crate) fn in_short(context: &ArticleContext) -> Option<String> {
    let first = context.network()?;
    let course = Course::of(context, context.stage(&first.stage)?)?;
    let name = course.name();
    // Of one there is no best.
    let is_alone = context.count_of("train") == 1;
    let (network, reseau) = match is_alone {
        true => (context.introduced(first), context.introduced(first)),
        false => (format!("the best single network, {name},"), format!("le meilleur réseau seul, {name},")),
    };
    let of_network = || match is_alone {
        true => methods::of_french(&context.introduced(first)),
        false => format!("du meilleur réseau seul, {name}"),
    };
    if let Some(epoch) = course.divergence().map(|found| found.epoch) {
        return Some(bilingual!(
            context,
            "{network} diverged in epoch {epoch}",
            "{reseau} a divergé à l'époque {epoch}",
        ));
    }
    if course.has_no_gain() {
        return Some(bilingual!(
            context,
            "training did not improve the validation score of {network}",
            "l'apprentissage n'a pas amélioré le score de validation {du}",
            network = network.trim_end_matches(','),
            du = of_network(),
        ));
    }
    let falls = || {
        bilingual!(
            context,
            "the validation score of {network} fell after epoch {epoch}",
            "le score de validation {du} a baissé après l'époque {epoch}",
            network = network.trim_end_matches(','),
            epoch = course.epoch_kept().map_or(0, |kept| kept.epoch),
            du = of_network(),
        )
    };
    if let Some(epoch) = course.over_fitting().map(|found| found.epoch) {
        return Some(bilingual!(
            context,
            "{network} over-fits from epoch {epoch} on",
            "{reseau} surapprend à partir de l'époque {epoch}",
        ));
    }
    if course.is_unfinished() && course.fell().is_none() {
        return Some(bilingual!(
            context,
            "{network} is under-trained, as its validation loss was still falling at the last epoch",
            "{reseau} n'est pas assez entraîné, car sa perte de validation baissait encore à la dernière époque",
        ));
    }
    Some(match course.gap()?.judgement {
        GapJudgement::None | GapJudgement::Reversed if course.fell().is_some() => falls(),
        GapJudgement::Strong => {
            bilingual!(context, "{network} shows strong over-fitting", "{reseau} montre un surapprentissage fort")
        }
        GapJudgement::Some => {
            bilingual!(context, "{network} shows some over-fitting", "{reseau} montre un surapprentissage modéré")
        }
        GapJudgement::Chance => bilingual!(
            context,
            "validation rows are too few to tell whether {network} over-fits",
            "les lignes de validation sont trop peu nombreuses pour dire si {reseau} surapprend",
        ),
        GapJudgement::None | GapJudgement::Reversed | GapJudgement::Unfinished => {
            bilingual!(
                context,
                "{network} shows no sign of over-fitting",
                "{reseau} ne montre aucun signe de surapprentissage"
            )
        }
    })
}

/// What the curves of the best network suggest to try next.
pub(crate) fn advice(context: &ArticleContext) -> Option<String> {
    let course = Course::of(context, context.stage(&context.network()?.stage)?)?;
    let voice = context.voice;
    let told = if course.divergence().is_some() || course.step_too_high().is_some() {
        voice.say(
            "A smaller learning rate is what to try next.",
            "La suite serait d'essayer un taux d'apprentissage plus petit.",
        )
    } else if course.is_unfinished() && course.fell().is_none() {
        voice.say(
            "More epochs are what to try next, as the validation loss was still falling.",
            "La suite serait de prolonger l'apprentissage, car la perte de validation baissait encore.",
        )
    } else if course.over_fitting().is_some() || course.gap().is_some_and(|gap| gap.judgement == GapJudgement::Strong) {
        voice.say(
            "As the best network over-fits, more data or stronger regularisation would help it more than a larger one.",
            "Comme le meilleur réseau surapprend, davantage de données ou une régularisation plus forte l'aideraient plus qu'un réseau plus grand.",
        )
    } else {
        return None;
    };
    Some(told.to_owned())
}
