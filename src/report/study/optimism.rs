//! The same model under several splits: how much a split inflates scores that lets linked rows sit on both sides.
//!
//! Draws of one split by several seeds are told of under `repeats`.

use super::families::{Family, are_draws, families};
use super::scores::{interval_cell, interval_column};
use super::{Study, stage_id};
use crate::figure::text::decimals;
use crate::figure::{Interval, Mark, Paint, Row, Series, grouped_bars};
use crate::page::{Block, Cell, Column, Figure, Prose, Section, Table};
use crate::statistics::newcombe;
use runner_results::Metric;
use runner_results::{Split, scores::Scores};

pub(crate) fn section(study: &Study) -> Option<Section> {
    let mut section = Section::new("optimism", "Splits side by side");
    let families = compared(study);
    if families.is_empty() {
        return None;
    }
    section.say(
        "The same models, trained and tested under each split. A split that lets rows which belong together, such as \
         repeats of one thing, stand on both sides promises more than new rows will hold: that surplus is optimism, not skill.",
    );
    let sentences: Vec<Prose> = families.iter().filter_map(sentence).map(Prose::from).collect();
    section.push(Block::List(sentences));
    section.push(Block::Figure(chart(&families)));
    section.push(Block::Table(table(study, &families)));
    Some(section)
}

/// A model with its test scores under every split; the others are compared with the first.
struct Compared<'a> {
    name: String,
    members: Vec<(&'a str, Scores)>,
}

/// Of splits that are not all draws of one.
fn compared<'a>(study: &Study<'a>) -> Vec<Compared<'a>> {
    let tested = |family: Family<'a>| {
        let members = family.members.into_iter().filter_map(|member| Some((member.split, member.model.test?)));
        Compared { name: family.name, members: members.collect() }
    };
    let differs = |family: &Compared| {
        let mut others = family.members.iter().skip(1);
        family.members.first().is_some_and(|(first, _)| others.any(|(split, _)| !are_draws(study, first, split)))
    };
    families(study).into_iter().map(tested).filter(differs).collect()
}

/// First minus this, with Newcombe's interval for two different sets of rows.
fn gap(first: &Scores, other: &Scores) -> Option<(f64, f64, f64)> {
    let (low, high) =
        newcombe((first.accuracy, first.accuracy_interval()?), (other.accuracy, other.accuracy_interval()?));
    Some((first.accuracy - other.accuracy, low, high))
}

fn sentence(family: &Compared) -> Option<String> {
    let ((first_split, first), (last_split, last)) = (family.members.first()?, family.members.last()?);
    let (gap, low, high) = gap(first, last)?;
    let verdict = if low > 0.0 {
        "the former is optimistic by"
    } else if high < 0.0 {
        "the former is pessimistic by"
    } else {
        "no significant difference:"
    };
    Some(format!(
        "{}: accuracy {} under {first_split}, {} under {last_split}; {verdict} {} (95 % interval {} to {}).",
        family.name,
        decimals(first.accuracy, 3),
        decimals(last.accuracy, 3),
        decimals(gap, 3),
        decimals(low, 3),
        decimals(high, 3),
    ))
}

fn chart(families: &[Compared]) -> Figure {
    let mut splits: Vec<&str> = Vec::new();
    for (split, _) in families.iter().flat_map(|family| &family.members) {
        if !splits.contains(split) {
            splits.push(split);
        }
    }
    let marks = [Mark::Ring, Mark::Point, Mark::Point];
    let series: Vec<Series> = (splits.iter().enumerate())
        .map(|(i, split)| Series { name: (*split).to_string(), mark: marks[i.min(2)], paint: Paint::series(i) })
        .collect();
    let rows: Vec<Row> = families
        .iter()
        .map(|family| Row {
            label: family.name.clone(),
            values: (splits.iter())
                .map(|split| {
                    let (_, scores) = family.members.iter().find(|(own, _)| own == split)?;
                    let (low, high) = scores.accuracy_interval().unwrap_or((f64::NAN, f64::NAN));
                    Some(Interval { value: scores.accuracy, low, high })
                })
                .collect(),
        })
        .collect();
    let description = families.iter().map(|family| family.name.as_str()).collect::<Vec<_>>().join(", ");
    let svg = grouped_bars("Test accuracy by split", &description, "accuracy with 95 % interval", &series, &rows);
    Figure::new(svg, "The number at the right is that of the last split.")
}

fn table(study: &Study, families: &[Compared]) -> Table {
    let mut table = Table::new(
        "Test scores by split, and the gap to the first one",
        vec![
            Column::text("model"),
            Column::text("split"),
            Column::text("kept together"),
            Column::number("test rows"),
            Column::number("accuracy"),
            interval_column(families.iter().flat_map(|family| &family.members).map(|(_, scores)| scores)),
            Column::number("macro-F1"),
            Column::number("optimism").hint("accuracy under the first split minus this one"),
            Column::number("95 % interval").hint("Newcombe's hybrid interval for two different sets of rows"),
        ],
    );
    for family in families {
        let first = &family.members[0].1;
        for (i, (split, scores)) in family.members.iter().enumerate() {
            let stage = study.stages.iter().find(|stage| stage.stage == *split);
            let told = stage.and_then(|stage| stage.documents.get::<Split>());
            let groups = told.map_or(&[][..], |split| &split.group_keys);
            let together = if groups.is_empty() { "nothing".to_string() } else { groups.join("; ") };
            let gap = if i > 0 { gap(first, scores) } else { None };
            let split_cell = Cell::text(*split);
            table.push(vec![
                Cell::text(&family.name),
                match stage {
                    Some(stage) => split_cell.link(stage_id(stage)),
                    None => split_cell,
                },
                Cell::text(together),
                Cell::count(scores.rows as u64),
                Cell::decimals(scores.accuracy, 3),
                interval_cell(scores, Metric::Accuracy),
                Cell::decimals(scores.macro_f1, 3),
                Cell::decimals(gap.map(|gap| gap.0), 3)
                    .strong_if(gap.is_some_and(|(_, low, high)| low > 0.0 || high < 0.0)),
                match gap {
                    Some((_, low, high)) => {
                        Cell::text(format!("{} to {}", decimals(low, 3), decimals(high, 3))).sort_by(low)
                    }
                    None => Cell::text("–").muted_if(true),
                },
            ]);
        }
    }
    table
}
