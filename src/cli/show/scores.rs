//! Scores of a model: by part, by class, the confusion matrix in colour, and what the stage says of its own training.

use serde_json::Value;

use super::super::screen::{self, Style};
use crate::report::{Confused, MOST_CLASSES, Scores, confusion_sentence, intervals, list, number, text};

/// Parts in the order of a study, with the name that is shown.
const PARTS: [(&str, &str); 3] = [("train", "train"), ("valid", "validation"), ("test", "test")];

/// A row for each part that has scores.
pub(super) fn parts(document: &Value, style: Style) -> String {
    let heads = ["Scores", "rows", "accuracy", "95 % interval", "macro-F1", "log loss"];
    let mut rows = vec![heads.map(|head| style.dim(head)).to_vec()];
    rows[0][0] = style.bold("Scores");
    let mut row = |name: &str, value: Option<&Value>| {
        let Some(scores) = value.and_then(Scores::read) else { return };
        // Of rows that it learnt from, an interval says nothing of new ones.
        let interval = scores.accuracy_interval.map(|(low, high)| format!("{low:.3}–{high:.3}")).unwrap_or_default();
        rows.push(vec![
            name.to_owned(),
            screen::count(scores.rows),
            screen::decimals(scores.accuracy, 3),
            style.dim(&interval),
            screen::decimals(scores.macro_f1, 3),
            screen::decimals(scores.log_loss, 3),
        ]);
    };
    PARTS.iter().for_each(|(part, name)| row(name, document["parts"].get(part)));
    row("cross-fitted", document.get("cross_fitted_valid"));
    if rows.len() == 1 {
        return String::new();
    }
    screen::right(&mut rows, &[1]);
    let mut text = screen::table(&rows);
    let shown = PARTS.iter().filter_map(|(part, _)| Scores::read(document["parts"].get(part)?));
    let shown: Vec<Scores> = shown.chain(document.get("cross_fitted_valid").and_then(Scores::read)).collect();
    let words = intervals::words(shown.iter().filter_map(|scores| scores.interval_method));
    if !words.is_empty() {
        let few = if shown.iter().any(|scores| scores.few_groups) { "; the groups are few: it is rough" } else { "" };
        text.push_str(&style.note(&format!("95 % interval: {words}{few}")));
    }
    if document.get("cross_fitted_valid").is_some() {
        text.push_str(&style.note("cross-fitted: the validation part, by weights that did not see the row"));
    }
    text
}

/// The part that the model is judged on, by class: who is taken for whom, and the scores of each.
pub(super) fn classes(document: &Value, style: Style, width: usize) -> String {
    let judged = PARTS.iter().rev().find_map(|(part, name)| Some((name, Scores::read(document["parts"].get(part)?)?)));
    let Some((part, scores)) = judged else { return String::new() };
    let mut text = String::new();
    if !scores.confusion.is_empty() {
        text.push_str(&format!("{} {}\n", style.bold("Confusion"), style.dim(&format!("rows of the {part} part"))));
        let confused = scores.confused(MOST_CLASSES);
        text.push_str(&confusion(&confused, style, width));
        if let Some(note) = confused.note() {
            text.push_str(&style.note(&note));
        }
        text.push_str(&screen::wrap(&confusion_sentence(&scores).unwrap_or_default(), "  ", width));
    }
    if !scores.per_class.is_empty() {
        let heads = ["class", "rows", "precision", "recall", "F1"];
        let mut rows = vec![heads.map(|head| style.dim(head)).to_vec()];
        let mut is_shown = vec![scores.per_class.len() <= MOST_LISTED; scores.per_class.len()];
        scores.worst_first().into_iter().take(MOST_LISTED).for_each(|class| is_shown[class] = true);
        let shown = scores.per_class.iter().zip(is_shown).filter(|(_, shown)| *shown).map(|(class, _)| class);
        rows.extend(shown.map(|class| {
            let [precision, recall, f1] =
                [class.precision, class.recall, class.f1].map(|value| screen::decimals(value, 3));
            vec![screen::cut(&class.class, 24), screen::count(class.support), precision, recall, f1]
        }));
        screen::right(&mut rows, &[1]);
        text.push_str(&format!("\n{} {}\n", style.bold("Classes"), style.dim(&format!("on the {part} part"))));
        text.push_str(&screen::table(&rows));
        if scores.per_class.len() > MOST_LISTED {
            let all = scores.per_class.len();
            text.push_str(&style.note(&format!("the {MOST_LISTED} classes with most mistakes, of {all}")));
        }
    }
    text
}

/// Classes listed with their scores.
const MOST_LISTED: usize = 40;

/// Blue what is right, orange what is not, the darker the larger the share of the true class; of a white that both begin with.
const RIGHT: [u8; 6] = [231, 195, 153, 111, 69, 26];
const WRONG: [u8; 6] = [231, 224, 223, 216, 209, 166];

/// True classes down, predicted ones across. With more classes than fit, the names across are cut, then numbers take their place, and at last
/// the matrix is left out.
fn confusion(scores: &Confused, style: Style, width: usize) -> String {
    let classes = scores.classes.len();
    let digits = scores.counts.iter().flatten().max().map_or(1, |most| screen::count(*most).len());
    let longest = scores.classes.iter().map(|class| screen::visible(class)).max().unwrap_or(0);
    let named = longest.clamp(LEAST_NAME, 16).max("true class".len()) + 1;
    let room = |first: usize| width.saturating_sub(first + 2) / classes.max(1);
    let is_numbered = room(named) <= longest.min(LEAST_NAME);
    let numbers = if is_numbered { classes.to_string().len() } else { 0 };
    let first = named + numbers + usize::from(is_numbered);
    let across = if is_numbered { numbers } else { longest };
    let cell = (across.max(digits) + 2).min(room(first));
    if cell < digits.max(numbers) + 1 {
        return format!("  {classes} classes: the matrix is wider than this terminal\n");
    }
    let pad = |text: &str, cell: usize| format!("{}{text}", " ".repeat(cell.saturating_sub(screen::visible(text))));
    let mut text = format!("  {}", style.dim(&format!("{:first$}", "true class")));
    for (i, class) in scores.classes.iter().enumerate() {
        let head = if is_numbered { (i + 1).to_string() } else { screen::cut(class, cell - 1) };
        // A column's name and its numbers end with a space, which a painted cell needs.
        text.push_str(&style.dim(&format!("{} ", pad(&head, cell - 1))));
    }
    text.push_str(&format!("{}\n", style.dim("← predicted")));
    if width < 2 + first + cell * classes + "← predicted".chars().count() {
        text.truncate(text.rfind(&style.dim("← predicted")).unwrap_or(text.len()));
        text.push('\n');
    }
    for (i, row) in scores.counts.iter().enumerate() {
        let class = screen::cut(&scores.classes[i], named - 1);
        let class = if is_numbered { format!("{:>numbers$} {class}", i + 1) } else { class };
        text.push_str(&format!("  {class}{}", " ".repeat(first.saturating_sub(screen::visible(&class)))));
        let total = row.iter().sum::<u64>().max(1);
        for (j, count) in row.iter().enumerate() {
            let share = *count as f64 / total as f64;
            // A mistake that takes half of a class is as dark as a class that is all right.
            let (ramp, share) = if i == j { (RIGHT, share) } else { (WRONG, share * 2.0) };
            let level = (share.min(1.0) * 5.0).round() as usize;
            let shade = ramp[level];
            let written = format!("{} ", pad(&screen::count(*count), cell - 1));
            text.push_str(&style.shade(shade, if level >= 5 { 231 } else { 16 }, &written));
        }
        text.push('\n');
    }
    text
}

/// Shorter names tell nothing.
const LEAST_NAME: usize = 4;

/// What a training says of itself, in its own sentences.
pub(super) fn said(document: &Value, style: Style, width: usize) -> String {
    let mut text = String::new();
    for finding in list(document, "diagnosis") {
        let sentence = self::text(finding, "sentence").unwrap_or_default();
        let wrong = ["divergence", "step_too_high", "single_class"].iter().any(|kind| finding["kind"] == *kind);
        let mark = if wrong { style.warning("!") } else { style.dim("·") };
        text.push_str(&screen::wrap(sentence, &format!("  {mark} "), width));
    }
    if let Some(calibration) = document.get("calibration") {
        let error = |part: &str, when: &str| number(&calibration["parts"][part][when], "expected_error");
        let moved = PARTS.iter().filter_map(|(part, name)| {
            Some(format!("{name} {:.3} → {:.3}", error(part, "before")?, error(part, "after")?))
        });
        let moved = moved.collect::<Vec<_>>().join(", ");
        let temperature = number(calibration, "temperature").unwrap_or(f64::NAN);
        let bias = if calibration.get("bias").is_some() { " and a bias for each class" } else { "" };
        let sentence = format!("Temperature {temperature:.3}{bias}; expected calibration error: {moved}.");
        text.push_str(&screen::wrap(&sentence, &format!("  {} ", style.dim("·")), width));
    }
    if text.is_empty() { text } else { format!("{}\n{text}", style.bold("Findings")) }
}
