//! The introduction: why the task is worth doing, what others have reached, what is asked, and where it is answered.

use super::{ArticleContext, bilingual, published};
use crate::article::document::{Block, Section};
use crate::article::markup;

pub(crate) fn section(context: &ArticleContext) -> Section {
    let voice = context.voice;
    let subject = context.subject;
    let mut section = Section::new("sec:introduction", voice.say("Introduction", "Introduction"));
    section.blocks.extend(context.own_blocks(subject.motivation.as_ref()));
    section.blocks.extend(context.paragraph([task(context)]));
    section.blocks.extend(context.own_blocks(subject.related_work.as_ref()));
    let (sentence, table) = published::published(context);
    section.blocks.extend(context.paragraph([sentence]));
    section.blocks.extend(table.map(Block::Float));
    section.blocks.extend(context.paragraph([questions(context)]));
    section
}

/// What is predicted, of how many rows, among which classes.
fn task(context: &ArticleContext) -> Option<String> {
    let classes = &context.main()?.classes;
    let shown: Vec<String> = classes.iter().map(|class| markup::escaped(class)).collect();
    let new = match super::transfer::added(context) {
        Some(new) => {
            bilingual!(context, "; a last experiment adds {new}", " ; une dernière expérience y ajoute {new}",)
        }
        None => String::new(),
    };
    let rows = context.rows_of(classes).map(|rows| context.voice.count(rows));
    let names = context.subject.rows(context.voice);
    let number = classes.len();
    Some(match rows {
        Some(rows) => bilingual!(
            context,
            "The task of this article is to predict {label} for {rows} labelled {names}, among {number} {classes}: {list}{new}.",
            "La tâche consiste ici à prédire {label} pour {rows} {names}, parmi {number} {classes} : {list}{new}.",
            label = context.label_name(),
            classes = context.subject.classes(context.voice),
            list = context.voice.list(&shown, 12),
        ),
        None => bilingual!(
            context,
            "The task of this article is to predict {label} among {number} {classes}: {list}{new}.",
            "La tâche consiste ici à prédire {label} parmi {number} {classes} : {list}{new}.",
            label = context.label_name(),
            classes = context.subject.classes(context.voice),
            list = context.voice.list(&shown, 12),
        ),
    })
}

fn questions(context: &ArticleContext) -> Option<String> {
    let voice = context.voice;
    let mut asked = Vec::new();
    if context.classical().is_some() {
        asked.push(voice.say("how far do standard classifiers get", "jusqu'où vont les classifieurs usuels"));
    }
    if context.network().is_some() {
        asked.push(match context.varies() {
            true => voice.say(
                "which choices in the design and the training of a neural network matter",
                "quels choix de conception et d'apprentissage d'un réseau de neurones comptent vraiment",
            ),
            false => voice.say("what does a neural network add to them", "qu'y ajoute un réseau de neurones"),
        });
    }
    if context.network().is_some() && context.of_kind("embed").next().is_some() {
        asked.push(voice.say("what do the texts add", "qu'apportent les textes"));
    }
    if context.of_kind("transfer").next().is_some() {
        asked.push(match super::transfer::added(context) {
            Some(_) => voice.say(
                "does a trained network help once a class is added",
                "un réseau déjà entraîné aide-t-il lorsqu'une classe s'ajoute",
            ),
            None => voice.say(
                "does a trained network help where its training goes on",
                "un réseau déjà entraîné aide-t-il lorsqu'on poursuit son apprentissage",
            ),
        });
    }
    let count = asked.len();
    let numbered: Vec<String> =
        asked.iter().enumerate().map(|(i, question)| format!("({})\u{a0}{question}", i + 1)).collect();
    let list = numbered.join(voice.say("; ", " ; "));
    match count {
        0 => None,
        1 => Some(bilingual!(
            context,
            "One question is asked: {question}?",
            "Une question se pose : {question} ?",
            question = asked[0],
        )),
        _ => Some(bilingual!(
            context,
            "{number} questions are asked: {list}?",
            "{number} questions se posent : {list} ?",
            number = match count {
                2 => voice.say("Two", "Deux"),
                3 => voice.say("Three", "Trois"),
                _ => voice.say("Four", "Quatre"),
            },
        )),
    }
}
