//! Models looked at: importance of columns and of kinds of input, and the most confident mistakes.

use runner_results::inspection::Importance;
use runner_results::inspection::Inspection;

use super::{Study, plural};
use crate::figure::text::{beginning, decimals};
use crate::figure::{Interval, Mark, Paint, Row, Series, grouped_bars};
use crate::importance::{Most, is_clear, is_single, most};
use crate::page::{Block, Cell, Column, Figure, Section, Table};
use crate::part_name;
use crate::read::{ColumnView, StageArtifacts, TableView};

pub(crate) fn section(study: &Study) -> Option<Section> {
    Some(study.each_of("inspect", Section::new("inspection", "Feature importance"), tell))
}

fn tell(study: &Study, stage: &StageArtifacts, section: &mut Section) {
    if let Some(found) = stage.documents.get::<Inspection>() {
        importance(section, found);
    }
    if let Some(table) = stage.tables.get("mistakes") {
        mistakes(study, section, stage, table);
    }
}

fn importance(section: &mut Section, found: &Inspection) {
    let all = &found.importance;
    if all.is_empty() {
        return;
    }
    let part = part_name(found.part);
    if let Some(sentence) = sentence(found) {
        section.say(sentence);
    }
    let series = [Series { name: "drop".to_string(), mark: Mark::Point, paint: Paint::Positive }];
    let shown = most_important(all);
    let rows: Vec<Row> = shown
        .iter()
        .map(|one| Row {
            label: one.name.clone(),
            values: vec![Some(Interval::around(one.accuracy.mean, one.accuracy.sd))],
        })
        .collect();
    let description = shown.iter().map(|one| format!("{} {}", one.name, decimals(one.accuracy.mean, 3)));
    let description = description.collect::<Vec<_>>().join("; ");
    let title = "Accuracy lost when a column is shuffled";
    let svg = grouped_bars(title, &description, "drop in accuracy", &series, &rows);
    section.push(Block::Figure(Figure::new(
        svg,
        format!(
            "Means of {} on {part} rows; whiskers are one standard deviation of the mean, over rows and shufflings. Correlated columns mask each other's \
             importance.{}",
            plural(found.repeats as u64, "shuffling"),
            match all.len() - shown.len() {
                0 => String::new(),
                _ => format!(" The {} that cost most, of {}.", shown.len(), all.len()),
            }
        ),
    )));
    let mut table = Table::new(
        format!("Permutation importance on the {part} part"),
        vec![
            Column::text("shuffled"),
            Column::number("columns"),
            Column::number("accuracy lost"),
            Column::number("±").hint("standard deviation of the mean, over rows and shufflings"),
            Column::number("macro-F1 lost"),
            Column::number("±"),
            Column::number("log loss gained"),
            Column::number("±"),
        ],
    );
    for one in all {
        let mut row = vec![Cell::text(&one.name), Cell::count(one.columns.len() as u64)];
        for drop in [one.accuracy, one.macro_f1, one.log_loss] {
            row.extend([Cell::decimals(drop.mean, 4), Cell::decimals(drop.sd, 4).muted_if(true)]);
        }
        table.push(row);
    }
    let table = table.first(MOST_ROWS, "first", "findings.json");
    section.push(Block::Details { summary: "the same in numbers".to_string(), blocks: vec![Block::Table(table)] });
}

/// Bars of the chart, and rows of the table beside it.
const MOST_BARS: usize = 40;
const MOST_ROWS: usize = 100;
/// Characters shown of a cell.
const LONGEST: usize = 200;
/// Columns named in a sentence.
const MOST_NAMES: usize = 12;

/// Those that cost most, in the order given.
fn most_important(all: &[Importance]) -> Vec<&Importance> {
    let mut ranked: Vec<usize> = (0..all.len()).collect();
    ranked.sort_by(|&a, &b| all[b].accuracy.mean.total_cmp(&all[a].accuracy.mean));
    ranked.truncate(MOST_BARS);
    ranked.sort_unstable();
    ranked.into_iter().map(|one| &all[one]).collect()
}

/// The column that matters most, those that do not, and how the kinds of input compare.
fn sentence(found: &Inspection) -> Option<String> {
    let all = &found.importance;
    let of = format!(" of accuracy {}", decimals(found.scores.accuracy, 3));
    let most = most(found)?;
    let mut sentence = match most {
        Most::Clear(one) => {
            format!("{} matters most: shuffled, it costs {}{of}.", one.name, decimals(one.accuracy.mean, 3))
        }
        Most::Unclear(one) => format!(
            "No column clearly matters alone: {} costs most when shuffled, {} ± {}{of}, within two standard deviations of nothing.",
            one.name,
            decimals(one.accuracy.mean, 3),
            decimals(one.accuracy.sd, 3)
        ),
        Most::Guessing(one) => format!(
            "No column can be called important: the model's accuracy of {} is no better than guessing, whatever is lost when {} is shuffled.",
            decimals(found.scores.accuracy, 3),
            one.name
        ),
        Most::Nothing => format!("No column matters alone: shuffling one costs nothing{of}."),
    };
    let joint: Vec<String> = (all.iter().filter(|one| !is_single(one)))
        .map(|one| format!("{} together {}", one.name, decimals(one.accuracy.mean, 3)))
        .collect();
    if !joint.is_empty() {
        sentence.push_str(&format!(" Shuffled in one order, {}.", joint.join(", ")));
    }
    let idle: Vec<&str> =
        all.iter().filter(|one| is_single(one) && !is_clear(one)).map(|one| one.name.as_str()).collect();
    // Where none is clear that is said already.
    if matches!(most, Most::Clear(_)) && !idle.is_empty() {
        let named = &idle[..idle.len().min(MOST_NAMES)];
        let more = match idle.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        sentence.push_str(&format!(" Within two standard deviations of nothing: {}{more}.", named.join(", ")));
    }
    Some(sentence)
}

fn mistakes(study: &Study, section: &mut Section, stage: &StageArtifacts, table: &TableView) {
    const ADDED: [&str; 5] = ["row_id", "label", "predicted", "confidence", "p_label"];
    let (Some(label), Some(predicted), Some(confidence), Some(right)) = (
        table.added_texts("label"),
        table.added_texts("predicted"),
        table.added_numbers("confidence"),
        table.added_numbers("p_label"),
    ) else {
        return;
    };
    if label.is_empty() {
        return;
    }
    let shown = table.asked_for(&ADDED);
    let mut columns: Vec<Column> = shown.iter().map(|(name, _)| Column::text(name)).collect();
    columns.extend([Column::text("label"), Column::text("predicted")]);
    columns.extend([Column::number("confidence"), Column::number("p of the label")]);
    let part = stage.documents.get::<Inspection>().map_or("validation", |found| part_name(found.part));
    let mut out = Table::new(format!("The most confident mistakes on the {part} part"), columns);
    for row in 0..label.len() {
        let mut cells: Vec<Cell> = (shown.iter())
            .map(|(_, column)| match column {
                ColumnView::Text(values) => Cell::text(beginning(&values[row], LONGEST)),
                ColumnView::Number(values) => Cell::compact(values[row]),
            })
            .collect();
        cells.extend([&label[row], &predicted[row]].map(|class| Cell::text(class).swatch(study.palette.paint(class))));
        cells.extend([Cell::decimals(confidence[row], 3), Cell::decimals(right[row], 3)]);
        out.push(cells);
    }
    section.push(Block::Table(out));
}
