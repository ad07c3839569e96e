//! Models looked at: importance of columns and of kinds of input, and the most confident mistakes.

use runner_results::inspection::{Drop, Importance, Inspection};

use super::{Study, plural};
use crate::figure::text::{beginning, decimals};
use crate::figure::{Interval, Mark, Paint, Row, Series, grouped_bars};
use crate::importance::{Judge, Measure, Most, costs, is_single, measures, with_deviation};
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
    let mut columns = vec![Column::text("shuffled"), Column::number("columns")];
    for (i, measure) in measures(found).iter().enumerate() {
        let deviation = Column::number("±");
        columns.extend([
            Column::number(match measure {
                Measure::Accuracy => "accuracy lost",
                Measure::MacroF1 => "macro-F1 lost",
                Measure::LogLoss => "log loss gained",
            }),
            if i == 0 { deviation.hint("standard deviation of the mean, over rows and shufflings") } else { deviation },
        ]);
    }
    let mut table = Table::new(format!("Permutation importance on the {part} part"), columns);
    for one in all {
        let mut row = vec![Cell::text(&one.name), Cell::count(one.columns.len() as u64)];
        for drop in measures(found).iter().map(|measure| measure.of(one)) {
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
    let judge = Judge::new(found);
    let most = judge.most()?;
    let mut sentence = match most {
        Most::Clear(cost) => {
            let mut sentence = format!("{} matters most: shuffled, it {}.", cost.column.name, costs(found, &cost));
            if cost.measure != Measure::Accuracy {
                // The chart shows the accuracy alone.
                let Drop { mean, sd } = cost.column.accuracy;
                let accuracy = format!("{} ± {}", decimals(mean, 3), decimals(sd, 3));
                sentence.push_str(&format!(" What it costs in accuracy, {accuracy}, cannot be told from chance."));
            }
            sentence
        }
        Most::Unclear(cost) => format!(
            "No column clearly matters alone: {} costs most when shuffled, {}. By {} none costs more than chance explains, corrected for all columns and \
             measures.",
            cost.column.name,
            with_deviation(found, &cost),
            match measures(found) {
                [.., Measure::LogLoss] => "accuracy, macro-F1 and log loss",
                _ => "accuracy and macro-F1",
            }
        ),
        Most::Guessing(one) => format!(
            "No column can be called important: the model's accuracy of {} is no better than guessing, whatever is lost when {} is shuffled.",
            decimals(found.scores.accuracy, 3),
            one.name
        ),
        Most::Nothing => {
            format!(
                "No column matters alone: shuffling one costs nothing of accuracy {}.",
                decimals(found.scores.accuracy, 3)
            )
        }
    };
    let joint: Vec<String> = (all.iter().filter(|one| !is_single(one)))
        .map(|one| format!("{} together {}", one.name, decimals(one.accuracy.mean, 3)))
        .collect();
    if !joint.is_empty() {
        sentence.push_str(&format!(" Shuffled in one order, {}.", joint.join(", ")));
    }
    let idle: Vec<&str> =
        all.iter().filter(|one| is_single(one) && !judge.is_clear(one)).map(|one| one.name.as_str()).collect();
    // Where none is clear that is said already.
    if matches!(most, Most::Clear(_)) && !idle.is_empty() {
        let named = &idle[..idle.len().min(MOST_NAMES)];
        let more = match idle.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        sentence.push_str(&format!(" By no measure more than chance explains: {}{more}.", named.join(", ")));
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
