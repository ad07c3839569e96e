//! Scores of a model: by part, by class, the confusion matrix in colour, and what the stage says of its own training.

use super::super::screen::{self, Style};
use crate::report::diagnosis::{is_fault, sentence};
use crate::report::{Confused, MOST_CLASSES, confusion_sentence, costs_told, intervals, threshold_told};
use crate::results::calibration::CalibrationReport;
use crate::results::diagnosis::Finding;
use crate::results::{Metric, Parts, scores::Scores};

/// The parts in the order of a study, with the names that are shown.
fn named<T>(parts: &Parts<T>) -> [(&'static str, Option<&T>); 3] {
    [("train", parts.train.as_ref()), ("validation", parts.valid.as_ref()), ("test", parts.test.as_ref())]
}

/// The part that is shown by class: the last one that has scores.
fn shown(parts: &Parts<Scores>) -> Option<(&'static str, &Scores)> {
    named(parts).into_iter().rev().find_map(|(name, scores)| Some((name, scores?)))
}

/// A row for each part that has scores; `cross_fitted` of an ensemble, by weights that did not see the row.
pub(super) fn parts(parts: &Parts<Scores>, cross_fitted: Option<&Scores>, style: Style) -> String {
    let heads = ["Scores", "rows", "accuracy", "95 % interval", "macro-F1", "log loss"];
    let mut rows = vec![heads.map(|head| style.dim(head)).to_vec()];
    rows[0][0] = style.bold("Scores");
    for (name, scores) in named(parts).into_iter().chain([("cross-fitted", cross_fitted)]) {
        let Some(scores) = scores else { continue };
        // Of rows that it learnt from, an interval says nothing of new ones.
        let interval = scores.intervals.as_ref().map(|intervals| intervals.accuracy);
        let interval = interval.map(|found| format!("{:.3}–{:.3}", found.low, found.high)).unwrap_or_default();
        rows.push(vec![
            name.to_owned(),
            screen::count(scores.rows as u64),
            screen::decimals(scores.accuracy, 3),
            style.dim(&interval),
            screen::decimals(scores.macro_f1, 3),
            screen::decimals(scores.log_loss.unwrap_or(f64::NAN), 3),
        ]);
    }
    if rows.len() == 1 {
        return String::new();
    }
    screen::right(&mut rows, &[1]);
    let mut text = screen::table(&rows);
    let all: Vec<&Scores> = parts.iter().chain(cross_fitted).collect();
    let methods = all.iter().filter_map(|scores| scores.intervals.as_ref()).map(|found| found.accuracy.method);
    let words = intervals::words(methods);
    if !words.is_empty() {
        let is_rough = all.iter().any(|scores| scores.few_groups == Some(true));
        let few = if is_rough { "; the groups are few: it is rough" } else { "" };
        text.push_str(&style.note(&format!("95 % interval: {words}{few}")));
    }
    if cross_fitted.is_some() {
        text.push_str(&style.note("cross-fitted: the validation part, by weights that did not see the row"));
    }
    text
}

/// Every metric of the part that the model is judged on, what ranks first, with the threshold that it predicts by.
pub(super) fn metrics(parts: &Parts<Scores>, named: Option<Metric>, style: Style) -> String {
    let Some((part, scores)) = shown(parts).filter(|(part, _)| *part != "train") else { return String::new() };
    // An earlier version wrote no more than stands above.
    if scores.by_probabilities.is_empty() {
        return String::new();
    }
    let ranking = named.unwrap_or_else(|| Metric::suited(&scores.supports()));
    let others = Metric::ALL.into_iter().filter(|metric| *metric != ranking);
    let mut rows = vec![["Metrics", part, "95 % interval"].map(|head| style.dim(head)).to_vec()];
    rows[0][0] = style.bold("Metrics");
    for metric in std::iter::once(ranking).chain(others) {
        let Some(value) = scores.value(metric) else { continue };
        let ends = scores.interval(metric).map(|(low, high)| [low, high].map(|end| screen::decimals(end, 3)));
        let interval = ends.filter(|[low, high]| low != high).map(|[low, high]| format!("{low}–{high}"));
        let name = if metric == ranking { style.bold(metric.title()) } else { metric.title().to_owned() };
        rows.push(vec![name, screen::decimals(value, 3), style.dim(&interval.unwrap_or_default())]);
    }
    let mut text = screen::table(&rows);
    let positive = scores.positive.as_ref().map(|class| format!("; of two classes the positive one is '{class}'"));
    let chosen = if named.is_some() { "the pipeline's metric" } else { "the metric that suits the classes" };
    text.push_str(&style.note(&format!("first {chosen}, which ranks models{}", positive.unwrap_or_default())));
    if let Some(threshold) = &scores.threshold {
        text.push_str(&style.note(&threshold_told(threshold)));
    }
    if let Some(told) = costs_told(scores) {
        text.push_str(&style.note(told));
    }
    text
}

/// The part that the model is judged on, by class: who is taken for whom, and the scores of each.
pub(super) fn classes(parts: &Parts<Scores>, style: Style, width: usize) -> String {
    let Some((part, scores)) = shown(parts) else { return String::new() };
    let mut text = String::new();
    if !scores.confusion.is_empty() {
        text.push_str(&format!("{} {}\n", style.bold("Confusion"), style.dim(&format!("rows of the {part} part"))));
        let confused = Confused::of(scores, MOST_CLASSES);
        text.push_str(&confusion(&confused, style, width));
        if let Some(note) = confused.note() {
            text.push_str(&style.note(&note));
        }
        text.push_str(&screen::wrap(&confusion_sentence(scores).unwrap_or_default(), "  ", width));
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

/// What was found of a training's curves, and what the calibration did.
pub(super) fn findings(diagnosis: &[Finding], calibration: &CalibrationReport, style: Style, width: usize) -> String {
    let mut text = format!("{}\n", style.bold("Findings"));
    for finding in diagnosis {
        let mark = if is_fault(finding) { style.warning("!") } else { style.dim("·") };
        text.push_str(&screen::wrap(&sentence(finding), &format!("  {mark} "), width));
    }
    let moved = named(&calibration.parts).into_iter().filter_map(|(name, found)| {
        let found = found?;
        Some(format!("{name} {:.3} → {:.3}", found.before.expected_error, found.after.expected_error))
    });
    let moved = moved.collect::<Vec<_>>().join(", ");
    let bias = if calibration.bias.is_some() { " and a bias for each class" } else { "" };
    let words = format!("Temperature {:.3}{bias}; expected calibration error: {moved}.", calibration.temperature);
    text.push_str(&screen::wrap(&words, &format!("  {} ", style.dim("·")), width));
    text
}
