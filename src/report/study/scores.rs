//! Tables and figures of one model's scores: parts, classes, confusion.

use super::models::Model;
use super::{comment, plural};
use crate::figure::{self, Palette};
use crate::intervals;
use crate::page::{Block, Cell, Column, Figure, Table};
use crate::{Confused, MOST_CLASSES};
use runner_results::Metric;
use runner_results::scores::ClassScores;
use runner_results::scores::Scores;

/// The column of the accuracies' intervals, with what they are.
pub(crate) fn interval_column<'s>(shown: impl IntoIterator<Item = &'s Scores>) -> Column {
    let words = intervals::words(shown.into_iter().filter_map(Scores::interval_method));
    let column = Column::number("95 % interval");
    if words.is_empty() { column } else { column.hint(&words) }
}

/// How intervals and tests heed groups, where there are any.
pub(crate) fn grouping(scores: &Scores) -> Option<String> {
    let groups = plural(scores.groups? as u64, "group");
    let telling = match scores.effective_groups {
        Some(effective) if scores.groups.is_some_and(|groups| effective < 0.95 * groups as f64) => {
            format!(", which tell as much as {effective:.0} of equal size")
        }
        _ => String::new(),
    };
    let few = match (&scores.intervals, scores.few_groups) {
        (None, _) => " A single group tells nothing of how others would differ: there is no interval.",
        (_, Some(true)) => " So few make intervals and tests rough.",
        _ => "",
    };
    Some(format!(
        "The rows are of {groups} that the split keeps together{telling}: they are not independent, so intervals allow for the groups, and tests compare whole groups.{few}"
    ))
}

/// Scores by part: accuracy with its interval, macro-F1, log loss.
pub(crate) fn parts_table(model: &Model) -> Option<Block> {
    let valid = if model.is_cross_fitted { "valid, cross-fitted" } else { "valid" };
    let parts = [("train", &model.train), (valid, &model.valid), ("test", &model.test)];
    let parts = parts.into_iter().filter_map(|(name, scores)| Some((name, scores.as_ref()?)));
    let grouped = parts.clone().any(|(_, scores)| scores.groups.is_some());
    // Of a part without intervals of its own Wilson's would take rows of a group for independent.
    let has_interval = |scores: &Scores| !grouped || scores.groups.is_some();
    let shown = parts.clone().map(|(_, scores)| scores).filter(|scores| has_interval(scores));
    let mut table = Table::new(
        "Scores by part",
        vec![
            Column::text("part"),
            Column::number("rows"),
            Column::number("accuracy"),
            interval_column(shown),
            Column::number("macro-F1").hint("mean of the F1 scores of the classes"),
            Column::number("log loss").hint("mean negative log-likelihood of the true class, in nats"),
        ],
    );
    for (name, scores) in parts {
        table.push(vec![
            Cell::text(name),
            Cell::count(scores.rows as u64),
            Cell::decimals(scores.accuracy, 3),
            if has_interval(scores) {
                interval_cell(scores, Metric::Accuracy)
            } else {
                Cell::text("–").muted_if(true)
            },
            Cell::decimals(scores.macro_f1, 3),
            Cell::decimals(scores.log_loss, 3),
        ]);
    }
    (!table.rows.is_empty()).then_some(Block::Table(table))
}

/// The metric's interval as `0.704–0.726`.
pub(crate) fn interval_cell(scores: &Scores, metric: Metric) -> Cell {
    match scores.interval(metric) {
        Some((low, high)) => Cell::text(format!("{low:.3}–{high:.3}")).sort_by(low),
        None => Cell::text("–").muted_if(true),
    }
}

/// Classes that a table lists one by one.
const MOST_LISTED: usize = 50;

/// Precision, recall and F1 by class on the part that the model is judged on.
fn class_table(caption: &str, scores: &Scores, palette: &Palette) -> Option<Block> {
    if scores.per_class.is_empty() {
        return None;
    }
    let columns = ["precision", "recall", "F1"].map(Column::number);
    let mut heads = vec![Column::text("class")];
    heads.extend(columns);
    heads.push(Column::number("rows"));
    let mut table = Table::new(caption, heads);
    let row = |name: Cell, [precision, recall, f1]: [f64; 3], support: u64| {
        let score = |value: f64| Cell::decimals(value, 3).bar(value);
        vec![name, score(precision), score(recall), score(f1), Cell::count(support)]
    };
    let (shown, others) = listed_classes(scores);
    if !others.is_empty() {
        let all = scores.per_class.len();
        table
            .caption
            .push_str(&format!("; the {} with most mistakes of {all}, and the means of the others", shown.len()));
    }
    for class in shown {
        let name = Cell::text(&class.class).swatch(palette.paint(&class.class));
        table.push(row(name, [class.precision, class.recall, class.f1], class.support));
    }
    if !others.is_empty() {
        let mean =
            |of: fn(&ClassScores) -> f64| others.iter().map(|class| of(class)).sum::<f64>() / others.len() as f64;
        let rows = others.iter().map(|class| class.support).sum();
        let name = Cell::text(format!("{} others", others.len())).muted_if(true);
        table.push(row(
            name,
            [mean(|class| class.precision), mean(|class| class.recall), mean(|class| class.f1)],
            rows,
        ));
    }
    Some(Block::Table(table))
}

/// The classes that a table lists, in the order of the class list, and those that it sums up.
fn listed_classes(scores: &Scores) -> (Vec<&ClassScores>, Vec<&ClassScores>) {
    let mut is_listed = vec![scores.per_class.len() <= MOST_LISTED + 1; scores.per_class.len()];
    scores.worst_first().into_iter().take(MOST_LISTED).for_each(|class| is_listed[class] = true);
    let of = |wanted: bool| {
        let found = scores.per_class.iter().zip(&is_listed).filter(move |(_, listed)| **listed == wanted);
        found.map(|(class, _)| class).collect()
    };
    (of(true), of(false))
}

/// Confusion matrix and scores by class, beside each other.
pub(crate) fn class_blocks(title: &str, scores: &Scores, palette: &Palette) -> Option<Block> {
    let figure = confusion_figure(title, scores).map(Block::Figure);
    let table = class_table(&format!("{title}: scores by class"), scores, palette);
    let blocks: Vec<Block> = figure.into_iter().chain(table).collect();
    (!blocks.is_empty()).then_some(Block::Beside(blocks))
}

/// The confusion matrix with the sentence that says what it shows.
fn confusion_figure(title: &str, scores: &Scores) -> Option<Figure> {
    if scores.confusion.is_empty() {
        return None;
    }
    let sentence = comment::confusion_sentence(scores).unwrap_or_default();
    let confused = Confused::of(scores, MOST_CLASSES);
    let caption = [Some(sentence), confused.note()].into_iter().flatten().collect::<Vec<_>>().join(" ");
    Some(Figure::new(figure::confusion(title, &caption, &confused.classes, &confused.counts), caption))
}
