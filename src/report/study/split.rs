//! How rows were dealt into parts.

use std::collections::HashSet;

use runner_results::{Split, SplitPart};

use super::{Study, plural, stage_id};
use crate::figure::text::decimals;
use crate::page::{Block, Cell, Column, Section, Table};

pub(crate) fn section(study: &Study) -> Option<Section> {
    let mut section = Section::new("split", "Split");
    for (stage, split) in study.with::<Split>() {
        let mut inner = Section::new(stage_id(stage), stage.stage.clone());
        let parts = split.parts.all();
        let total: u64 = parts.iter().map(|(_, part)| part.rows).sum();
        let mut facts = Vec::new();
        if let Some(column) = &split.order_by {
            facts.push(format!("the newest rows by '{column}' are the test part"));
        }
        if let Some(column) = &split.parts_by {
            facts.push(format!("column '{column}' says what part each is of"));
        }
        if let Some(groups) = split.groups {
            facts.push(format!("{} stay whole in one part each", plural(groups, "group")));
        }
        if split.folds > 0 {
            facts.push(format!("the training part is cut into {} for cross-validation", plural(split.folds, "fold")));
        }
        let mut sentence = format!("{} in {} parts", plural(total, "row"), parts.len());
        if !facts.is_empty() {
            sentence.push_str(&format!("; {}", facts.join(", ")));
        }
        inner.say(format!("{sentence}."));
        let left_out: Vec<String> = [
            (split.filtered_out, "not selected by `where`"),
            (split.without_label, "without a label"),
            (split.rare, "of rare classes"),
        ]
        .into_iter()
        .filter(|(rows, _)| *rows > 0)
        .map(|(rows, why)| format!("{} {why}", plural(rows, "row")))
        .collect();
        let classes = match split.filtered_out_classes {
            0 => String::new(),
            gone => format!(" `where` leaves out all rows of {}.", plural(gone, "class")),
        };
        if !left_out.is_empty() {
            inner.say(format!("Left out: {}.{classes}", left_out.join(", ")));
        }
        if let Some(balance) = balance(&parts) {
            inner.say(balance);
        }
        inner.push(Block::Table(table(study, &parts, total)));
        section.subsections.push(inner);
    }
    Some(section)
}

/// A part by its name.
type Part<'a> = (&'static str, &'a SplitPart);

fn class_rows(part: &Part, class: &str) -> u64 {
    part.1.classes.get(class).copied().unwrap_or(0)
}

/// The class whose share differs most between a part and the whole.
fn balance(parts: &[Part]) -> Option<String> {
    let labelled = |part: &Part| part.1.classes.values().sum::<u64>();
    let total: u64 = parts.iter().map(labelled).sum();
    let mut worst: Option<(f64, &str, &str)> = None;
    for part in parts.iter().filter(|p| labelled(p) > 0) {
        for (class, rows) in &part.1.classes {
            let whole: u64 = parts.iter().map(|p| class_rows(p, class)).sum();
            let off = *rows as f64 / labelled(part) as f64 - whole as f64 / total as f64;
            if worst.is_none_or(|(most, _, _)| off.abs() > most.abs()) {
                worst = Some((off, class, part.0));
            }
        }
    }
    let (off, class, part) = worst?;
    let points = decimals(off.abs() * 100.0, 1);
    Some(if off.abs() < 0.01 {
        format!(
            "Class shares agree between the parts: the largest difference from the whole is {points} points ({class} in {part})."
        )
    } else {
        let side = if off > 0.0 { "above" } else { "below" };
        format!(
            "Class shares differ between the parts: {class} in {part} is {points} points {side} its share of the whole."
        )
    })
}

/// Classes that stand beside one another.
const MOST_ACROSS: usize = 12;
/// Classes that stand one below the other; the smaller ones are summed.
const MOST_DOWN: usize = 50;

/// A row for each class, the largest first.
fn long_table(study: &Study, parts: &[Part], mut classes: Vec<String>) -> Table {
    let all = |class: &String| parts.iter().map(|part| class_rows(part, class)).sum::<u64>();
    let mut columns = vec![Column::text("class")];
    columns.extend(parts.iter().map(|part| Column::number(part.0)));
    let mut caption = format!("Rows of each of {} classes by part", classes.len());
    classes.sort_by_cached_key(|class| std::cmp::Reverse(all(class)));
    let others = if classes.len() > MOST_DOWN + 1 { classes.split_off(MOST_DOWN) } else { Vec::new() };
    if !others.is_empty() {
        caption.push_str(&format!("; the {MOST_DOWN} largest, and the others in sum"));
    }
    let mut table = Table::new(caption, columns);
    for class in &classes {
        let mut row = vec![Cell::text(class).swatch(study.palette.paint(class))];
        row.extend(parts.iter().map(|part| Cell::count(class_rows(part, class))));
        table.push(row);
    }
    let sums =
        |row: &mut Vec<Cell>, of: &dyn Fn(&Part) -> u64| row.extend(parts.iter().map(|part| Cell::count(of(part))));
    if !others.is_empty() {
        let mut row = vec![Cell::text(format!("{} others", others.len())).muted_if(true)];
        sums(&mut row, &|part| others.iter().map(|class| class_rows(part, class)).sum());
        table.push(row);
    }
    let mut row = vec![Cell::text("all rows").strong_if(true)];
    sums(&mut row, &|part| part.1.rows);
    table.push(row);
    table
}

fn table(study: &Study, parts: &[Part], total: u64) -> Table {
    let mut classes: Vec<String> = Vec::new();
    let mut seen = HashSet::new();
    for class in parts.iter().flat_map(|(_, part)| part.classes.keys()) {
        if seen.insert(class) {
            classes.push(class.clone());
        }
    }
    classes.sort_by_key(|class| study.palette.rank(class));
    if classes.len() > MOST_ACROSS {
        return long_table(study, parts, classes);
    }
    let mut columns = vec![Column::text("part"), Column::number("rows"), Column::number("share")];
    columns.extend(classes.iter().map(|class| Column::number(class)));
    let mut table = Table::new("Rows of each class by part", columns);
    for part in parts {
        let (name, SplitPart { rows, .. }) = part;
        let mut row = vec![Cell::text(*name), Cell::count(*rows), Cell::percent(*rows as f64 / total.max(1) as f64)];
        row.extend(classes.iter().map(|class| Cell::count(class_rows(part, class))));
        table.push(row);
    }
    table
}
