//! The first section: what was run, and every model's headline scores in one table.

use std::collections::BTreeSet;

use runner_results::{profile::Profile, scores::Scores};

use super::models::{Group, Model, groups, models};
use super::pairs::{bare, judge, other_verdicts_of_all};
use super::scores::{grouping, interval_cell, interval_column};
use super::{Study, history, metrics, plural, stage_id, to_use};
use crate::compared::words;
use crate::figure::text::{count, decimals};
use crate::figure::{Interval, Mark, Paint, Row, Series, grouped_bars};
use crate::judged::at_threshold;
use crate::leaks;
use crate::page::{Block, Cell, Column, Figure, Prose, Section, Table};
use crate::part_name;
use crate::ranking::{Choice, rule};
use runner_results::{Metric, Part};

pub(crate) const ID: &str = "summary";

pub(crate) fn section(study: &Study) -> Option<Section> {
    let mut section = Section::new(ID, "Summary");
    let models = models(study);
    let groups = groups(&models, study.metric);
    let leaks = leaks::all(study.stages, study.edges);
    section.push(Block::Facts(facts(study, &models, &groups)));
    for (number, group) in groups.iter().enumerate() {
        let mut inner = Section::new(format!("summary-{number}"), heading(group, &groups));
        inner.push(Block::Paragraph(headline(study, group)));
        to_use::paragraphs(study, group).into_iter().for_each(|prose| inner.push(Block::Paragraph(prose)));
        for leak in leaks.iter().filter(|leak| group.models.iter().any(|model| model.stage == leak.stage)) {
            inner.push(Block::Paragraph(Prose::new().strong("Danger: ").text(format!("{}.", leaks::sentence(leak)))));
        }
        if let Some(caution) = caution(group) {
            inner.say(caution);
        }
        if let Some(inputs) = inputs(study, group) {
            inner.say(inputs);
        }
        if let Some(floor) = floor(group) {
            inner.say(floor);
        }
        if let Some(grouping) = best(group).and_then(|(_, scores)| grouping(scores)) {
            inner.say(grouping);
        }
        inner.push(Block::Table(table(study, group)));
        if group.models.len() > 1 {
            inner.push(Block::Figure(chart(group)));
        }
        inner.blocks.extend(metrics::blocks(group));
        section.subsections.push(inner);
    }
    if let Some(since) = history::since(study) {
        section.subsections.insert(0, since);
    }
    if let ([only], None) = (section.subsections.as_mut_slice(), study.history) {
        // A single group needs no heading of its own.
        section.blocks.append(&mut only.blocks);
        section.subsections.clear();
    }
    Some(section)
}

fn facts(study: &Study, models: &[Model], groups: &[Group]) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    if let Some((_, profile)) = study.with::<Profile>().next() {
        facts.push(("rows".to_string(), count(profile.rows)));
    }
    if let Some(group) = groups.first().filter(|g| !g.classes.is_empty()) {
        facts.push(("classes".to_string(), group.classes.len().to_string()));
    }
    if !models.is_empty() {
        facts.push(("models".to_string(), models.len().to_string()));
    }
    // Of the largest group that has a best one: what only a few were tried on comes later.
    if let Some((group, best, scores)) =
        groups.iter().find_map(|group| best(group).map(|(best, scores)| (group, best, scores)))
    {
        let what =
            if models.iter().filter(|model| !model.is_reference()).count() == 1 { "model" } else { "best model" };
        facts.push((what.to_string(), best.name.clone()));
        if let Some((metric, value)) = group.other_metric().and_then(|metric| Some((metric, scores.value(metric)?))) {
            facts.push((format!("its {}", metric.title()), decimals(value, 3)));
        }
        facts.push(("its accuracy".to_string(), decimals(scores.accuracy, 3)));
        facts.push(("its macro-F1".to_string(), decimals(scores.macro_f1, 3)));
    }
    facts.extend(to_use::fact(study, groups).map(|model| ("model to use".to_string(), model)));
    if facts.is_empty() {
        facts.push(("stages".to_string(), study.stages.len().to_string()));
    }
    facts
}

fn heading(group: &Group, all: &[Group]) -> String {
    let classes = plural(group.classes.len() as u64, "class");
    let rows = plural(group.rows as u64, &format!("{} row", part_name(group.part)));
    let several_splits = all.iter().any(|other| other.split != group.split);
    match &group.split {
        _ if all.len() == 1 => "Scores".to_string(),
        Some(split) if several_splits => format!("{classes}, {rows} of {split}"),
        _ => format!("{classes}, {rows}"),
    }
}

fn best(group: &Group) -> Option<(&Model, &Scores)> {
    let model = group.chosen()?;
    Some((model, model.judged()?))
}

/// Whether there is one model, but for the guess of the largest class.
fn is_alone(group: &Group) -> bool {
    group.models.iter().filter(|model| !model.is_reference()).count() == 1
}

/// The best model by validation, its scores, and which others do, and do not, differ from it.
fn headline(study: &Study, group: &Group) -> Prose {
    let (best, scores) = match (group.choice(), best(group)) {
        (Choice::Best(_), Some(best)) => best,
        (Choice::OnlyReference(reference), _) => {
            let prose = Prose::new().text("There is no model but ").strong(&reference.name);
            let scores = reference.judged().map_or_else(String::new, |scores| {
                format!(
                    ": on the {} part its accuracy is {}, its macro-F1 {}",
                    part_name(group.part),
                    decimals(scores.accuracy, 3),
                    decimals(scores.macro_f1, 3)
                )
            });
            return prose.text(format!(
                ", the guess of the largest class, which is the reference that models must beat{scores}."
            ));
        }
        _ => {
            return Prose::from(
                "No model has scores on validation rows or from cross-validation, so that none is called the best: the score of a choice by test scores would be optimistically biased.",
            );
        }
    };
    let alone = is_alone(group);
    let what = if alone { " is the only model" } else { " is the best model" };
    let mut prose = Prose::new().strong(&best.name).text(what);
    let metric = group.metric;
    if let Some(validation) = best.validation() {
        let score = validation.score(metric).unwrap_or(f64::NAN);
        let one = match metric.is_loss() {
            _ if alone => "",
            true => ", the lowest",
            false => ", the highest",
        };
        prose = prose.text(format!(": {} {} {}{one}", metric.title(), decimals(score, 3), validation.source.words()));
    }
    let on = match group.part {
        Part::Test => "On",
        Part::Valid => "There are no test rows: on",
    };
    let other = group.other_metric().and_then(|metric| Some((metric, scores.value(metric)?)));
    let other = other.map(|(metric, value)| {
        let interval = scores.interval(metric);
        let interval =
            interval.map(|(low, high)| format!(" (95 % interval {low:.3} to {high:.3})")).unwrap_or_default();
        format!("{} is {}{interval}, its ", metric.title(), decimals(value, 3))
    });
    prose = prose.text(format!(
        ". {on} the {} part its {}accuracy is {}",
        part_name(group.part),
        other.unwrap_or_default(),
        decimals(scores.accuracy, 3)
    ));
    if let Some((low, high)) = scores.accuracy_interval() {
        prose = prose.text(format!(" (95 % interval {low:.3} to {high:.3})"));
    }
    let at = scores.threshold.as_ref().map(at_threshold).unwrap_or_default();
    prose = prose.text(format!(", its macro-F1 {}{at}.", decimals(scores.macro_f1, 3)));
    let others: Vec<&Model> = group.models.iter().filter(|model| !std::ptr::eq(*model, best)).collect();
    // Where accuracy is not the question, that it is that of the largest class' share says nothing.
    let is_asked = |model: &&&Model| group.other_metric().is_none() || !model.is_reference();
    let tied: Vec<&str> = others
        .iter()
        .filter(is_asked)
        .filter(|m| judge(study, best, m).is_some_and(|judgement| !judgement.differ))
        .map(|m| m.name.as_str())
        .collect();
    let tests = others.iter().all(|m| judge(study, best, m).is_none_or(|judgement| judgement.p.is_some()));
    let next = others.first().and_then(|m| Some((m, m.judged()?)));
    let prose = match (tied.as_slice(), next) {
        ([], Some((next, next_scores))) => prose.text(format!(
            " The next, {}, reaches accuracy {}{}.",
            next.name,
            decimals(next_scores.accuracy, 3),
            match judge(study, best, next) {
                Some(judgement) if judgement.p.is_some() => {
                    format!(", a significant difference in accuracy ({})", judgement.reason())
                }
                Some(judgement) => format!(": {}, although no paired test was made", judgement.reason()),
                None => String::new(),
            },
        )),
        ([], None) => prose,
        (tied, _) if tests => prose.text(format!(" No significant difference in accuracy from {}.", joined(tied, 4))),
        (tied, _) => prose.text(format!(
            " Its 95 % interval overlaps that of {}; no paired test was made, which might find a difference.",
            joined(tied, 4)
        )),
    };
    // The sentence on the next is of it alone.
    let told = usize::from(tied.is_empty());
    let prose = prose.text(differing(study, best, others.get(told..).unwrap_or_default()));
    // What the accuracy's test does not say.
    let besides = other_verdicts_of_all(study, best, &others).into_iter().filter_map(|(verdict, models)| {
        let names: Vec<&str> = models.iter().map(|model| model.name.as_str()).collect();
        Some(format!("{} than {}", words(&[verdict])?, joined(&names, 4)))
    });
    let besides: Vec<String> = besides.collect();
    match besides.is_empty() {
        true => prose,
        false => prose.text(format!(
            " By the 95 % intervals, which are not corrected, {} has {}.",
            best.name,
            besides.join(", and ")
        )),
    }
}

/// Which of the others are less accurate than the best model, and which more, by paired tests and where there is none by intervals.
fn differing(study: &Study, best: &Model, others: &[&Model]) -> String {
    let accuracy = |model: &Model| model.judged().map(|scores| scores.accuracy);
    let of = |is_tested: bool, is_lower: bool| -> Option<String> {
        let names: Vec<&str> = (others.iter())
            .filter(|other| {
                judge(study, best, other).is_some_and(|found| found.differ && found.p.is_some() == is_tested)
            })
            .filter(|other| (accuracy(other) < accuracy(best)) == is_lower)
            .map(|other| other.name.as_str())
            .collect();
        (!names.is_empty()).then(|| joined(&names, 4))
    };
    let clauses = |is_tested, below: &str, above: &str| -> Option<String> {
        let [lower, higher] = [true, false].map(|is_lower| of(is_tested, is_lower));
        let lower = lower.map(|names| format!("{below} {names}"));
        let all: Vec<String> = lower.into_iter().chain(higher.map(|names| format!("{above} {names}"))).collect();
        (!all.is_empty()).then(|| all.join(", and "))
    };
    let name = &best.name;
    let tested = clauses(true, "significantly more accurate than", "significantly less accurate than");
    let untested = clauses(false, "above that of", "below that of");
    let tested = tested.map(|all| format!(" {name} is {all}."));
    let untested = untested.map(|all| format!(" The 95 % interval of {name} lies {all}."));
    tested.into_iter().chain(untested).collect()
}

/// Models that read different columns are not compared by what they are alone.
fn inputs(study: &Study, group: &Group) -> Option<String> {
    let mut read: Vec<(BTreeSet<String>, Vec<&str>)> = Vec::new();
    for model in group.models.iter().filter(|model| !model.is_reference()) {
        let own = leaks::inputs_of(study.stages, study.edges, &model.stage);
        match read.iter_mut().find(|(known, _)| *known == own) {
            Some((_, models)) => models.push(&model.name),
            None => read.push((own, vec![&model.name])),
        }
    }
    let common = read.iter().map(|(own, _)| own.clone()).reduce(|a, b| a.intersection(&b).cloned().collect())?;
    let told = read.iter().filter_map(|(own, models)| {
        let besides: Vec<&str> = own.difference(&common).map(String::as_str).collect();
        let verb = if models.len() == 1 { "reads" } else { "read" };
        (!besides.is_empty()).then(|| format!("{} {verb} {}", joined(models, 4), joined(&besides, 6)))
    });
    let told: Vec<String> = told.take(MOST_INPUTS).collect();
    let common: Vec<&str> = common.iter().map(String::as_str).collect();
    let besides = if common.is_empty() { String::new() } else { format!("besides {}, ", joined(&common, 6)) };
    let more = if read.len() > MOST_INPUTS { "; and others" } else { "" };
    (read.len() > 1 && !told.is_empty())
        .then(|| format!("The models do not all read the same columns: {besides}{}{more}.", told.join("; ")))
}

/// Sets of columns that a sentence names.
const MOST_INPUTS: usize = 4;

/// Where no model does better than the guess of the largest class, that is the finding.
fn floor(group: &Group) -> Option<String> {
    let metric = group.metric;
    let floor = group.models.iter().filter_map(Model::validation).find(|validation| validation.is_floor)?;
    let floor = floor.score(metric)?;
    let best = group.chosen()?.validation().filter(|validation| !validation.is_floor)?;
    (metric.merit(best.score(metric)?) <= metric.merit(floor)).then(|| {
        format!(
            "No model has a {} {} {} than guessing the largest class ({}): nothing was learnt that finds the others.",
            if metric.is_loss() { "lower" } else { "higher" },
            metric.title(),
            best.source.words(),
            decimals(floor, 3)
        )
    })
}

/// A test score by which one chooses is optimistically biased; say so where it would have chosen otherwise.
fn caution(group: &Group) -> Option<String> {
    if group.part != Part::Test || group.models.len() < 2 {
        return None;
    }
    let (best, (highest, metric, score)) = (group.chosen()?, group.highest()?);
    let own = best.judged().and_then(|own| own.value(metric));
    let agree = own.is_some_and(|own| metric.merit(own) >= metric.merit(score));
    let (name, more) = (metric.title(), if metric.is_loss() { "lower" } else { "higher" });
    let most = if metric.is_loss() { "lowest" } else { "highest" };
    let besides = if metric == Metric::Accuracy { ", and accuracy alone rewards guessing large classes" } else { "" };
    Some(if agree {
        format!("No other has a {more} {name} on the test part, which was not looked at to choose it.")
    } else {
        format!(
            "The {most} {name} on the test part, {}, is that of {}; it did not choose: the best of {} test scores is optimistically biased{besides}.",
            decimals(score, 3),
            highest.name,
            group.models.len()
        )
    })
}

/// A column of scores of the table of models.
#[derive(Clone, Copy)]
enum ScoreColumn {
    /// What ranks, or another score beside it.
    Valid(Metric),
    Judged(Metric),
    Interval(Metric),
}

/// The metric that ranks comes first, then accuracy and macro-F1, which tell of every study the same.
fn score_columns(group: &Group) -> Vec<ScoreColumn> {
    use ScoreColumn::{Interval, Judged, Valid};
    let usual = [Judged(Metric::Accuracy), Interval(Metric::Accuracy), Judged(Metric::MacroF1)];
    let first = match group.metric {
        Metric::MacroF1 => vec![Valid(Metric::MacroF1), Valid(Metric::Accuracy)],
        Metric::Accuracy => vec![Valid(Metric::Accuracy), Valid(Metric::MacroF1)],
        metric => vec![Valid(metric), Judged(metric), Interval(metric)],
    };
    first.into_iter().chain(usual).collect()
}

impl ScoreColumn {
    fn head(self, group: &Group) -> Column {
        let on = part_name(group.part);
        match self {
            ScoreColumn::Valid(metric) if metric == group.metric => Column::number(&format!("{} valid", metric.title()))
                .hint("on validation rows, of ensembles with weights chosen on others of them; without any, mean over the folds of cross-validation"),
            ScoreColumn::Valid(metric) => Column::number(&format!("{} valid", metric.title())),
            ScoreColumn::Judged(metric) => {
                let column = Column::number(&format!("{} {on}", metric.title()));
                if group.other_metric() == Some(metric) { column.hint(metric.meaning()) } else { column }
            }
            ScoreColumn::Interval(Metric::Accuracy) => interval_column(group.models.iter().filter_map(Model::judged)),
            ScoreColumn::Interval(metric) => {
                Column::number("95 % interval").hint(&format!("of the {}, by resampling", metric.title()))
            }
        }
    }

    fn value(self, model: &Model) -> Option<f64> {
        match self {
            ScoreColumn::Valid(metric) => model.validation()?.score(metric),
            ScoreColumn::Judged(metric) => model.judged()?.value(metric),
            ScoreColumn::Interval(_) => None,
        }
    }

    /// The best value of all models.
    fn top(self, group: &Group) -> Option<f64> {
        let (ScoreColumn::Valid(metric) | ScoreColumn::Judged(metric)) = self else { return None };
        let values = group.models.iter().filter_map(|model| self.value(model)).filter(|value| value.is_finite());
        values.max_by(|a, b| metric.merit(*a).total_cmp(&metric.merit(*b)))
    }

    fn cell(self, model: &Model, top: Option<f64>) -> Cell {
        match self {
            ScoreColumn::Interval(metric) => {
                model.judged().map_or_else(|| Cell::text("–"), |s| interval_cell(s, metric))
            }
            _ => {
                let value = self.value(model);
                Cell::decimals(value, 3).strong_if(value.is_some() && value == top)
            }
        }
    }
}

fn table(study: &Study, group: &Group) -> Table {
    let columns = score_columns(group);
    let mut heads = vec![Column::text("model"), Column::text("stage")];
    heads.extend(columns.iter().map(|column| column.head(group)));
    heads.push(
        Column::number("p")
            .hint("paired test of the accuracy against the best on the same rows, Holm-corrected over all pairs"),
    );
    heads.push(Column::text("accuracy against the best").hint(
        "at 5 %: by p where there is one, else where the 95 % intervals do not overlap; those that do are no test",
    ));
    let mut table = Table::new(format!("Models, {}; the best of each column in bold", rule(group.metric)), heads);
    let tops: Vec<Option<f64>> = columns.iter().map(|column| column.top(group)).collect();
    let best = group.chosen();
    let alone = is_alone(group);
    for model in &group.models {
        let Some(scores) = model.judged() else {
            continue;
        };
        let is_best = best.is_some_and(|best| std::ptr::eq(best, model));
        let judgement = best.filter(|_| !is_best).and_then(|best| judge(study, best, model));
        let is_higher = best.and_then(Model::judged).is_some_and(|best| scores.accuracy > best.accuracy);
        let verdict = match judgement {
            _ if is_best && group.models.len() == 1 => "",
            // Beside a reference alone there is nothing that it is the best of.
            _ if is_best && alone => "only model",
            _ if is_best => "best",
            _ if best.is_none() && model.is_reference() => "reference",
            Some(judgement) if judgement.differ && is_higher => "higher",
            Some(judgement) if judgement.differ => "lower",
            Some(judgement) if judgement.p.is_some() => "no significant difference",
            // Intervals that overlap are no test.
            Some(_) => "not tested",
            None => "–",
        };
        let stage = study.stages.iter().find(|s| s.stage == model.stage);
        let stage_cell = Cell::text(&model.stage);
        let mut cells =
            vec![Cell::text(&model.name), stage.map_or(stage_cell.clone(), |stage| stage_cell.link(stage_id(stage)))];
        cells.extend(columns.iter().zip(&tops).map(|(column, top)| column.cell(model, *top)));
        cells.push(match judgement.and_then(|judgement| judgement.p) {
            Some(p) => Cell::text(bare(p)).sort_by(p),
            None => Cell::text("–").muted_if(true),
        });
        cells.push(Cell::text(verdict).muted_if(["lower", "not tested", "–"].contains(&verdict)));
        table.push(cells);
    }
    table
}

fn chart(group: &Group) -> Figure {
    let metric = group.other_metric().unwrap_or(Metric::Accuracy);
    let rows: Vec<Row> = group
        .models
        .iter()
        .filter_map(|model| {
            let scores = model.judged()?;
            let (low, high) = scores.interval(metric).unwrap_or((f64::NAN, f64::NAN));
            let value = Interval { value: scores.value(metric)?, low, high };
            Some(Row { label: model.name.clone(), values: vec![Some(value)] })
        })
        .collect();
    let name = metric.title();
    let first: String = name.chars().take(1).flat_map(char::to_uppercase).collect();
    let title = format!("{first}{} on the {} part", &name[1..], part_name(group.part));
    let series = [Series { name: name.to_string(), mark: Mark::Point, paint: Paint::Positive }];
    let description = rows
        .iter()
        .map(|r| format!("{} {}", r.label, decimals(r.values[0].map_or(f64::NAN, |i| i.value), 3)))
        .collect::<Vec<_>>()
        .join("; ");
    let svg = grouped_bars(&title, &description, &format!("{name} with 95 % interval"), &series, &rows);
    let axis = if metric == Metric::Accuracy { "; the axis does not start at zero" } else { "" };
    Figure::new(svg, format!("Whiskers are 95 % intervals{axis}."))
}

/// `a, b and c`, at most `most` names and then how many others.
fn joined(names: &[&str], most: usize) -> String {
    let shown = &names[..names.len().min(most)];
    let rest = names.len() - shown.len();
    match (shown, rest) {
        ([one], 0) => (*one).to_string(),
        ([first @ .., last], 0) => format!("{} and {last}", first.join(", ")),
        (shown, rest) => format!("{} and {rest} more", shown.join(", ")),
    }
}
