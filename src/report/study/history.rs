//! What the history tells: what changed since an earlier run, and the models of then and now on the same rows. Without a history there is nothing to tell.

use indexmap::IndexMap;
use runner_results::comparison::{Pairing, ScoreMetric, Verdict};
use runner_results::history::History;
use runner_results::history::{Change, FlippedRow, ModelChange, Since};

use super::pairs::bare;
use super::{Study, plural};
use crate::compared::other_verdicts;
use crate::figure::text::{count, decimals, duration};
use crate::figure::{Interval, Mark, Paint, Row, Series, grouped_bars};
use crate::intervals;
use crate::page::{Block, Cell, Column, Figure, Prose, Section, Table, panel_of};

pub(crate) const ID: &str = "then-and-now";

/// More lines are left to the stages' panels.
const CHANGES_SHOWN: usize = 30;

/// For the summary: when the results were made, what is out of date, and the values behind all that changed.
pub(crate) fn since(study: &Study) -> Option<Section> {
    let history = study.history?;
    let mut section = Section::new("summary-since", "What changed");
    let stale: Vec<&str> = history.stages.iter().filter(|s| !s.stale.is_empty()).map(|s| s.stage.as_str()).collect();
    if !stale.is_empty() {
        let (verb, noun) = if stale.len() == 1 { ("is", "stage") } else { ("are", "stages") };
        let mut line = Prose::new().strong(format!("{} {noun} {verb} out of date", stale.len()));
        line = line.text(": the pipeline file or its sources have changed since ");
        for (place, stage) in stale.iter().enumerate() {
            line = line.text(if place > 0 { ", " } else { "" }).link(panel_of(stage), *stage);
        }
        section.push(Block::Paragraph(line.text(if stale.len() == 1 { " was computed." } else { " were computed." })));
    }
    let Some(against) = &history.against else {
        section.say("No earlier run of this pipeline had other results.");
        return Some(section);
    };
    let of = |want: fn(&Since) -> bool| history.stages.iter().filter(move |stage| want(&stage.since));
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
pub(crate) fn changes_table(caption: &str, changes: &[(&[&str], &Change)]) -> Table {
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
            [only] => Cell::text(*only).link(panel_of(only)),
            several => Cell::text(several.join(", ")),
        });
        let at = is_placed.then(|| Cell::text(change.at.clone().unwrap_or_default()));
        let cells = [names, Some(Cell::text(&change.what)), Some(Cell::text(&change.how).unbroken()), at];
        table.push(cells.into_iter().flatten().collect());
    }
    table
}

/// The models of then and now.
pub(crate) fn section(study: &Study) -> Option<Section> {
    let history = study.history?;
    let against = history.against.as_ref()?;
    let mut section = Section::new(ID, format!("Compared with the run of {}", against.when));
    if history.models.is_empty() {
        return None;
    }
    section.push(Block::List(verdicts(history)));
    section.blocks.extend(table(history).map(Block::Table));
    if history.models.len() > 1 {
        section.push(Block::Figure(chart(history)));
    }
    for model in history.models.iter().filter(|model| !model.examples.is_empty()) {
        section.push(flips(study, model));
    }
    Some(section)
}

fn verdicts(history: &History) -> Vec<Prose> {
    let names = |verdict: Verdict| -> Vec<&str> {
        let found = history.models.iter().filter(|model| model.test.verdict == verdict);
        found.map(|model| model.model.as_str()).collect()
    };
    let mut said = Vec::new();
    let accurate = [(names(Verdict::MoreAccurate), "More accurate"), (names(Verdict::LessAccurate), "Less accurate")];
    for (names, word) in accurate {
        if !names.is_empty() {
            said.push(Prose::new().strong(word).text(format!(" than before, beyond chance: {}.", names.join(", "))));
        }
    }
    let same: Vec<&str> =
        history.models.iter().filter(|model| model.test.same_predictions).map(|model| model.model.as_str()).collect();
    if !same.is_empty() {
        said.push(Prose::from(format!("The same prediction as before for every row: {}.", same.join(", "))));
    }
    let others = history.models.iter().filter(|model| !model.test.same_predictions);
    let others: Vec<&ModelChange> =
        others.filter(|model| model.test.verdict == Verdict::NoSignificantDifference).collect();
    let rest = others.len();
    if rest > 0 {
        let which = match others.as_slice() {
            [only] => only.model.clone(),
            _ if said.is_empty() => "any of the models".to_string(),
            _ => format!("the other {}", plural(rest as u64, "model")),
        };
        said.push(Prose::from(format!("No significant difference in accuracy for {which}.")));
    }
    for model in &history.models {
        if let Some(others) = other_verdicts(&model.test) {
            said.push(Prose::from(format!(
                "Beside its accuracy, {} has {others} now, by the 95 % intervals, which are not corrected.",
                model.model
            )));
        }
    }
    if history.models.iter().any(|model| model.test.pairing == Pairing::Content) {
        let left_out: usize = history.models.iter().map(|model| model.test.left_out).max().unwrap_or(0);
        said.push(Prose::from(format!(
            "Other rows were loaded then, so the same rows are told by their content; up to {} without a partner.",
            plural(left_out as u64, "test row")
        )));
    }
    said
}

/// Whether nothing of what a reader is shown differs: neither a prediction nor a score.
fn is_unchanged(model: &ModelChange) -> bool {
    model.test.same_predictions && model.test.scores.iter().all(|score| score.a == score.b)
}

fn table(history: &History) -> Option<Table> {
    let shown: Vec<&ModelChange> = history.models.iter().filter(|model| !is_unchanged(model)).collect();
    if shown.is_empty() {
        return None;
    }
    let accuracies = shown.iter().filter_map(|model| model.test.score(ScoreMetric::Accuracy));
    let methods = match intervals::words(accuracies.filter_map(|score| score.difference.method)) {
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
    for model in shown {
        let test = &model.test;
        let both = |metric: ScoreMetric| match test.score(metric) {
            Some(s) => Cell::text(format!("{} → {}", decimals(s.a, 3), decimals(s.b, 3))).sort_by(s.b),
            None => Cell::text("–").muted_if(true),
        };
        let difference = match test.score(ScoreMetric::Accuracy) {
            Some(s) => {
                let interval = match s.difference.low.zip(s.difference.high) {
                    None => String::new(),
                    Some((low, high)) => format!(" ({} to {})", signed(low), signed(high)),
                };
                Cell::text(format!("{}{interval}", signed(s.b - s.a))).sort_by(s.b - s.a)
            }
            None => Cell::text("–").muted_if(true),
        };
        table.push(vec![
            Cell::text(&model.model).link(panel_of(&model.stage)),
            Cell::count(test.rows as u64),
            both(ScoreMetric::Accuracy),
            difference.strong_if(test.verdict != Verdict::NoSignificantDifference),
            both(ScoreMetric::MacroF1),
            both(ScoreMetric::LogLoss),
            Cell::count(test.right_to_wrong),
            Cell::count(test.wrong_to_right),
            Cell::text(bare(test.adjusted_p)).sort_by(test.adjusted_p),
        ]);
    }
    Some(table)
}

/// Three decimals with their sign.
fn signed(value: f64) -> String {
    format!("{}{}", if value >= 0.0 { "+" } else { "" }, decimals(value, 3))
}

fn chart(history: &History) -> Figure {
    let series = [
        Series { name: "then".to_string(), mark: Mark::Ring, paint: Paint::Muted },
        Series { name: "now".to_string(), mark: Mark::Point, paint: Paint::Positive },
    ];
    let row = |model: &ModelChange| {
        let accuracy = model.test.score(ScoreMetric::Accuracy)?;
        let values = vec![Some(Interval::plain(accuracy.a)), Some(Interval::plain(accuracy.b))];
        Some(Row { label: model.model.clone(), values })
    };
    let rows: Vec<Row> = history.models.iter().filter_map(row).collect();
    let description = history.models.iter().map(|model| model.model.as_str()).collect::<Vec<_>>().join(", ");
    let svg = grouped_bars("Test accuracy then and now", &description, "accuracy", &series, &rows);
    Figure::new(svg, "The number at the right is the accuracy now; the axis does not start at zero.")
}

/// Some rows that one of the two gets right, by what a person knows them by.
fn flips(study: &Study, model: &ModelChange) -> Block {
    let mut columns = vec![Column::number("row"), Column::text("label"), Column::text("then"), Column::text("now")];
    let names = model.examples[0].texts.iter().map(|(name, _)| Column::text(name));
    columns.extend(names);
    let mut table = Table::new("The right answer in bold", columns);
    for FlippedRow { flip, texts } in &model.examples {
        let said = |class: &str| Cell::text(class).swatch(study.palette.paint(class)).strong_if(class == flip.label);
        let mut row = vec![Cell::text(flip.row_id.to_string()).sort_by(flip.row_id as f64)];
        let label = Cell::text(&flip.label).swatch(study.palette.paint(&flip.label));
        row.extend([label, said(&flip.a), said(&flip.b)]);
        row.extend(texts.iter().map(|(_, text)| Cell::text(text)));
        table.push(row);
    }
    let all = model.test.right_to_wrong + model.test.wrong_to_right;
    let examples = model.examples.len() as u64;
    let shown = match all > examples {
        true => format!("{} of the {} that flipped", plural(examples, "row"), count(all)),
        false => format!("{} that flipped", plural(all, "row")),
    };
    Block::Details { summary: format!("{}: {shown}", model.model), blocks: vec![Block::Table(table)] }
}
