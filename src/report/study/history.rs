//! What the history tells: what changed since an earlier run, and the models of then and now on the same rows. Without a history there is nothing to tell.

use indexmap::IndexMap;

use super::contest::bare;
use super::{Study, panels, plural};
use crate::figure::text::{count, decimals, duration};
use crate::figure::{Interval, Mark, Paint, Row, Series, grouped_bars};
use crate::intervals;
use crate::page::{Block, Cell, Column, Figure, Prose, Section, Table};
use crate::past::{Change, Duel, Past, Since};

pub const ID: &str = "then-and-now";

/// Chance of a false alarm over all models together.
const ALPHA: f64 = 0.05;

/// More lines are left to the stages' panels.
const CHANGES_SHOWN: usize = 30;

/// For the summary: when the results were made, what is out of date, and the values behind all that changed.
pub fn since(study: &Study) -> Option<Section> {
    let past = study.past?;
    let mut section = Section::new("summary-since", "What changed");
    let stale: Vec<&str> = past.stages.iter().filter(|s| !s.stale.is_empty()).map(|s| s.stage.as_str()).collect();
    if !stale.is_empty() {
        let (verb, noun) = if stale.len() == 1 { ("is", "stage") } else { ("are", "stages") };
        let mut line = Prose::new().strong(format!("{} {noun} {verb} out of date", stale.len()));
        line = line.text(": the pipeline file or its sources have changed since ");
        for (place, stage) in stale.iter().enumerate() {
            line = line.text(if place > 0 { ", " } else { "" }).link(panels::id(stage), *stage);
        }
        section.push(Block::Paragraph(line.text(if stale.len() == 1 { " was computed." } else { " were computed." })));
    }
    let Some(against) = &past.against else {
        section.say("No earlier run of this pipeline had other results.");
        return Some(section);
    };
    let of = |want: fn(&Since) -> bool| past.stages.iter().filter(move |stage| want(&stage.since));
    let changed = of(|since| matches!(since, Since::Changed(_)));
    let (same, new) = (of(|since| *since == Since::Same).count(), of(|since| *since == Since::New).count());
    let seconds: f64 = changed.clone().map(|stage| stage.seconds).sum();
    let different = match changed.clone().count() {
        0 => "no stage has another result".to_string(),
        stages => format!("{} with another result, computed in {}", plural(stages as u64, "stage"), duration(seconds)),
    };
    let mut sentence =
        format!("Since the run of {} ({}): {different}; {} as before", against.when, against.id, count(same as u64),);
    if new > 0 {
        sentence.push_str(&format!("; {} that it had no result of", count(new as u64)));
    }
    section.say(format!("{sentence}."));
    // One value may reach many stages: the pipeline's seed, a template, a variable. It is told once, with all of them.
    let mut own: IndexMap<&Change, Vec<&str>> = IndexMap::new();
    for stage in changed {
        let Since::Changed(changes) = &stage.since else { continue };
        for change in changes.iter().filter(|change| !change.inherited) {
            own.entry(change).or_default().push(&stage.stage);
        }
    }
    if !own.is_empty() {
        let rows: Vec<(&[&str], &Change)> = own.iter().map(|(change, stages)| (stages.as_slice(), *change)).collect();
        section.push(Block::Table(changes_table("What was changed; the rest follows from it", &rows)));
    }
    Some(section)
}

/// Changes one below the other, with the stages that they reach before them where these are told of.
pub fn changes_table(caption: &str, changes: &[(&[&str], &Change)]) -> Table {
    let several = changes.iter().any(|(stages, _)| !stages.is_empty());
    let caption = match changes.len() {
        most if most > CHANGES_SHOWN => format!("{caption} (the first {CHANGES_SHOWN} of {most})"),
        _ => caption.to_string(),
    };
    let is_placed = changes.iter().any(|(_, change)| change.at.is_some());
    let columns = [several.then_some("stage"), Some("value"), Some("then → now"), is_placed.then_some("written at")];
    let mut table = Table::new(caption, columns.into_iter().flatten().map(Column::text).collect());
    for (stages, change) in changes.iter().take(CHANGES_SHOWN) {
        let names = several.then(|| match stages {
            [only] => Cell::text(*only).link(panels::id(only)),
            several => Cell::text(several.join(", ")),
        });
        let at = is_placed.then(|| Cell::text(change.at.clone().unwrap_or_default()));
        let cells = [names, Some(Cell::text(&change.what)), Some(Cell::text(&change.how).unbroken()), at];
        table.push(cells.into_iter().flatten().collect());
    }
    table
}

/// The models of then and now.
pub fn section(study: &Study) -> Option<Section> {
    let past = study.past?;
    let against = past.against.as_ref()?;
    let mut section = Section::new(ID, format!("Compared with the run of {}", against.when));
    if past.duels.is_empty() {
        return None;
    }
    section.push(Block::List(verdicts(past)));
    section.blocks.extend(table(past).map(Block::Table));
    if past.duels.len() > 1 {
        section.push(Block::Figure(chart(past)));
    }
    for duel in past.duels.iter().filter(|duel| !duel.flips.is_empty()) {
        section.push(flips(study, duel));
    }
    Some(section)
}

fn verdicts(past: &Past) -> Vec<Prose> {
    let differ = |duel: &&Duel| duel.p < ALPHA;
    let names = |gained: bool| -> Vec<&str> {
        let found = past.duels.iter().filter(differ).filter(|duel| (duel.gained > duel.lost) == gained);
        found.map(|duel| duel.model.as_str()).collect()
    };
    let mut said = Vec::new();
    for (names, word) in [(names(true), "Better"), (names(false), "Worse")] {
        if !names.is_empty() {
            said.push(Prose::new().strong(word).text(format!(" than before, beyond chance: {}.", names.join(", "))));
        }
    }
    let same: Vec<&str> =
        past.duels.iter().filter(|duel| duel.same_predictions).map(|duel| duel.model.as_str()).collect();
    if !same.is_empty() {
        said.push(Prose::from(format!("The same prediction as before for every row: {}.", same.join(", "))));
    }
    let others: Vec<&Duel> = past.duels.iter().filter(|duel| !differ(duel) && !duel.same_predictions).collect();
    let rest = others.len();
    if rest > 0 {
        let which = match others.as_slice() {
            [only] => only.model.clone(),
            _ if said.is_empty() => "any of the models".to_string(),
            _ => format!("the other {}", plural(rest as u64, "model")),
        };
        said.push(Prose::from(format!("No significant difference for {which}.")));
    }
    said
}

/// Whether nothing of what a reader is shown differs: neither a prediction nor a score.
fn is_unchanged(duel: &Duel) -> bool {
    duel.same_predictions && duel.scores.iter().all(|score| score.before == score.after)
}

fn table(past: &Past) -> Option<Table> {
    let shown: Vec<&Duel> = past.duels.iter().filter(|duel| !is_unchanged(duel)).collect();
    if shown.is_empty() {
        return None;
    }
    let accuracies = shown.iter().flat_map(|duel| &duel.scores).filter(|score| score.metric == "accuracy");
    let methods = match intervals::words(accuracies.filter_map(|score| score.method)) {
        none if none.is_empty() => none,
        some => format!(" ({some})"),
    };
    let mut table = Table::new(
        "Models that have another result, then → now, on the test rows that both runs have",
        vec![
            Column::text("model"),
            Column::number("rows"),
            Column::number("accuracy").hint("then → now"),
            Column::number("difference")
                .hint(&format!("of the accuracy, with its 95 % interval{methods}; none for the same predictions")),
            Column::number("macro-F1").hint("then → now"),
            Column::number("log loss").hint("then → now, in nats"),
            Column::number("right → wrong"),
            Column::number("wrong → right"),
            Column::number("p").hint("McNemar's test on the same rows, Holm-corrected over all models of this table"),
        ],
    );
    for duel in shown {
        let score = |metric: &str| duel.scores.iter().find(|score| score.metric == metric);
        let both = |metric: &str| match score(metric) {
            Some(s) => Cell::text(format!("{} → {}", decimals(s.before, 3), decimals(s.after, 3))).sort_by(s.after),
            None => Cell::text("–").muted_if(true),
        };
        let difference = match score("accuracy") {
            Some(s) => {
                let interval = match s.low.is_nan() {
                    true => String::new(),
                    false => format!(" ({} to {})", signed(s.low), signed(s.high)),
                };
                Cell::text(format!("{}{interval}", signed(s.after - s.before))).sort_by(s.after - s.before)
            }
            None => Cell::text("–").muted_if(true),
        };
        table.push(vec![
            Cell::text(&duel.model).link(panels::id(&duel.stage)),
            Cell::count(duel.rows),
            both("accuracy"),
            difference.strong_if(duel.p < ALPHA),
            both("macro-F1"),
            both("log loss"),
            Cell::count(duel.lost),
            Cell::count(duel.gained),
            Cell::text(bare(duel.p)).sort_by(duel.p),
        ]);
    }
    Some(table)
}

/// Three decimals with their sign.
fn signed(value: f64) -> String {
    format!("{}{}", if value >= 0.0 { "+" } else { "" }, decimals(value, 3))
}

fn chart(past: &Past) -> Figure {
    let series = [
        Series { name: "then".to_string(), mark: Mark::Ring, paint: Paint::Muted },
        Series { name: "now".to_string(), mark: Mark::Point, paint: Paint::Positive },
    ];
    let row = |duel: &Duel| {
        let accuracy = duel.scores.iter().find(|score| score.metric == "accuracy")?;
        let values = vec![Some(Interval::plain(accuracy.before)), Some(Interval::plain(accuracy.after))];
        Some(Row { label: duel.model.clone(), values })
    };
    let rows: Vec<Row> = past.duels.iter().filter_map(row).collect();
    let description = past.duels.iter().map(|duel| duel.model.as_str()).collect::<Vec<_>>().join(", ");
    let svg = grouped_bars("Test accuracy then and now", &description, "accuracy", &series, &rows);
    Figure::new(svg, "The number at the right is the accuracy now; the axis does not start at zero.")
}

/// Some rows that one of the two gets right, by what a person knows them by.
fn flips(study: &Study, duel: &Duel) -> Block {
    let mut columns = vec![Column::number("row"), Column::text("label"), Column::text("then"), Column::text("now")];
    let names = duel.flips[0].texts.iter().map(|(name, _)| Column::text(name));
    columns.extend(names);
    let mut table = Table::new("The right answer in bold", columns);
    for flip in &duel.flips {
        let said = |class: &str| Cell::text(class).swatch(study.palette.paint(class)).strong_if(class == flip.label);
        let mut row = vec![Cell::text(flip.row.to_string()).sort_by(flip.row as f64)];
        row.extend([
            Cell::text(&flip.label).swatch(study.palette.paint(&flip.label)),
            said(&flip.before),
            said(&flip.after),
        ]);
        row.extend(flip.texts.iter().map(|(_, text)| Cell::text(text)));
        table.push(row);
    }
    let all = duel.lost + duel.gained;
    let shown = match all > duel.flips.len() as u64 {
        true => format!("{} of the {} that flipped", plural(duel.flips.len() as u64, "row"), count(all)),
        false => format!("{} that flipped", plural(all, "row")),
    };
    Block::Details { summary: format!("{}: {shown}", duel.model), blocks: vec![Block::Table(table)] }
}
