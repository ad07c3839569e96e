//! Classical learners: cross-validation beside the test score, and the best one's confusion.

use runner_results::Metric;
use runner_results::baselines::Baselines;
use runner_results::baselines::Evaluation;

use super::models::{Model, baselines};
use super::pairs::{Judgement, judge, test as test_name};
use super::scores::{class_blocks, interval_cell, interval_column};
use super::{Study, stage_id};
use crate::figure::text::decimals;
use crate::figure::{Interval, Mark, Paint, Row, Series, grouped_bars};
use crate::judged::scores_in_words;
use crate::page::{Block, Cell, Column, Figure, Prose, Section, Table};
use crate::part_name;
use crate::ranking::{self, rule};
use crate::read::shown;

pub(crate) fn section(study: &Study) -> Option<Section> {
    let mut section = Section::new("baselines", "Baselines");
    for (stage, document) in study.with::<Baselines>() {
        let mut models = baselines(stage);
        let metric = ranking::rank(&mut models, study.metric, Model::validation);
        let Some(best) = models.first() else { continue };
        let mut inner = Section::new(stage_id(stage), stage.stage.clone());
        inner.push(Block::Paragraph(sentence(study, metric, best, &models)));
        let parameters = |evaluation: &Evaluation| {
            let params = evaluation.params.iter().map(|(key, value)| format!("{key} {}", shown(value)));
            (evaluation.name.clone(), params.collect::<Vec<_>>().join(", "))
        };
        let parameters: Vec<(String, String)> = document.evaluations.iter().map(parameters).collect();
        inner.push(Block::Table(table(&models, metric, &parameters)));
        if models.len() > 1 {
            inner.push(Block::Figure(chart(&models)));
        }
        if let Some(scores) = best.judged() {
            let title = format!("{} on the {} part", best.name, part_name(best.judged_on()));
            inner.blocks.extend(class_blocks(&title, scores, &study.palette));
        }
        section.subsections.push(inner);
    }
    Some(section)
}

/// The best by validation, who ties with it, and whether cross-validation foretold the test.
fn sentence(study: &Study, metric: Metric, best: &Model, models: &[Model]) -> Prose {
    let mut prose = Prose::new().strong(&best.name);
    prose = match best.validation().and_then(|validation| Some((validation.score(metric)?, validation.source))) {
        Some((score, source)) => {
            let what = match models.iter().filter(|model| !model.is_reference()).count() {
                _ if best.is_reference() => "is the guess of the largest class, the reference that models must beat",
                1 => "is the only model",
                _ => "is the best baseline",
            };
            prose.text(format!(" {what}: {} {} {}", metric.title(), decimals(score, 3), source.words()))
        }
        None => prose.text(" comes first"),
    };
    if best.test.is_none() {
        prose = prose.text("; there are no test rows");
    }
    if let Some(test) = &best.test {
        prose = prose.text(format!("; on the test part {}", scores_in_words(test, Some(metric))));
    }
    if let Some((mean, deviation)) = best.cv_accuracy {
        prose = prose.text(format!("; cross-validated accuracy {}", decimals(mean, 3)));
        if deviation.is_finite() {
            prose = prose.text(format!(" ± {} over the folds", decimals(deviation, 3)));
        }
    }
    prose = prose.text(".");
    let judged: Vec<Judgement> =
        models[1..].iter().filter(|m| m.test.is_some()).filter_map(|m| judge(study, best, m)).collect();
    let tied = judged.iter().filter(|judgement| !judgement.differ).count();
    if tied > 0 {
        let other = if tied == 1 { "one other shows" } else { "others show" };
        let amount = if tied == 1 { String::new() } else { format!("{tied} ") };
        prose = prose.text(if judged.iter().all(|judgement| judgement.p.is_some()) {
            let test = test_name(judged.iter().any(|judgement| judgement.grouped));
            format!(
                " On the test part {amount}{other} no significant difference in accuracy from it ({test}, Holm-corrected)."
            )
        } else {
            let others = if tied == 1 { "one other".to_string() } else { format!("{tied} others") };
            format!(
                " On the test part the 95 % interval of its accuracy overlaps those of {others}; no paired test was made."
            )
        });
    }
    let gaps: Vec<(f64, &str)> =
        models.iter().filter_map(|m| Some((m.test.as_ref()?.accuracy - m.cv_accuracy?.0, m.name.as_str()))).collect();
    if let Some((gap, name)) = gaps.iter().copied().reduce(|a, b| if b.0.abs() > a.0.abs() { b } else { a }) {
        let side = if gap >= 0.0 { "above" } else { "below" };
        prose = prose.text(format!(
            " Test and cross-validated accuracy differ by at most {} ({name}, test {side}).",
            decimals(gap.abs(), 3)
        ));
    }
    prose
}

fn table(models: &[Model], metric: Metric, parameters: &[(String, String)]) -> Table {
    // What ranks where it is not macro-F1, whose columns are always there.
    let first = Some(metric).filter(|metric| *metric != Metric::MacroF1);
    let mut columns = vec![Column::text("model")];
    if let Some(metric) = first {
        columns.push(Column::number(&format!("valid {}", metric.title())).hint(metric.meaning()));
        columns.push(Column::number(&format!("test {}", metric.title())));
    }
    columns.extend([
        Column::number("valid macro-F1").hint("on the validation part, by the model of the whole training part"),
        Column::number("CV accuracy").hint("mean over the folds of the training part"),
        Column::number("±").hint("standard deviation over the folds"),
        Column::number("CV macro-F1"),
        Column::number("±"),
        Column::number("test accuracy"),
        interval_column(models.iter().filter_map(|model| model.test.as_ref())),
        Column::number("test macro-F1"),
        Column::text("parameters"),
    ]);
    let mut table = Table::new(format!("Baselines, {}", rule(metric)), columns);
    for (place, model) in models.iter().enumerate() {
        let test = model.test.as_ref();
        let parameters = parameters.iter().find(|(name, _)| *name == model.name);
        let mut cells = vec![Cell::text(&model.name).strong_if(place == 0 && !model.is_reference())];
        if let Some(metric) = first {
            cells.push(Cell::decimals(model.validation().and_then(|validation| validation.score(metric)), 3));
            cells.push(Cell::decimals(test.and_then(|test| test.value(metric)), 3));
        }
        cells.extend([
            Cell::decimals(model.valid.as_ref().map(|s| s.macro_f1), 3),
            Cell::decimals(model.cv_accuracy.map(|c| c.0), 3),
            Cell::decimals(model.cv_accuracy.map(|c| c.1), 3),
            Cell::decimals(model.cv_macro_f1.map(|c| c.0), 3),
            Cell::decimals(model.cv_macro_f1.map(|c| c.1), 3),
            Cell::decimals(test.map(|s| s.accuracy), 3),
            test.map_or_else(|| Cell::text("–").muted_if(true), |test| interval_cell(test, Metric::Accuracy)),
            Cell::decimals(test.map(|s| s.macro_f1), 3),
            Cell::text(parameters.map_or("", |(_, parameters)| parameters.as_str())).muted_if(true),
        ]);
        table.push(cells);
    }
    table
}

fn chart(models: &[Model]) -> Figure {
    let series = [
        Series { name: "cross-validation, mean ± deviation".to_string(), mark: Mark::Bar, paint: Paint::Neutral },
        Series { name: "test".to_string(), mark: Mark::Point, paint: Paint::Positive },
    ];
    let rows: Vec<Row> = models
        .iter()
        .map(|model| Row {
            label: model.name.clone(),
            values: vec![
                model.cv_accuracy.map(|(mean, deviation)| Interval::around(mean, deviation)),
                model.test.as_ref().map(|s| Interval::plain(s.accuracy)),
            ],
        })
        .collect();
    let description = rows.iter().map(|r| r.label.as_str()).collect::<Vec<_>>().join(", ");
    let tested = models.iter().any(|model| model.test.is_some());
    // Without test rows there is one series: nothing to tell apart.
    let series = if tested { &series[..] } else { &series[..1] };
    let rows: Vec<Row> = rows
        .into_iter()
        .map(|row| Row { values: row.values.into_iter().take(series.len()).collect(), ..row })
        .collect();
    let svg = grouped_bars("Accuracy of the baselines", &description, "accuracy", series, &rows);
    let caption = match tested {
        true => "The number at the right is the test accuracy.",
        false => "By cross-validation; there are no test rows.",
    };
    Figure::new(svg, caption)
}
