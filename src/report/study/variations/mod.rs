//! Variations of a network: what each factor and each ablation does, in sentences, tables and figures.

mod courses;
pub(crate) mod figures;

pub(crate) use courses::Courses;

use runner_results::variations::{Run, Setting, Variations};

use super::{Study, stage_id};
use crate::figure::text::{compact, decimals};
use crate::page::{Block, Cell, Column, Figure, Prose, Section, Table};
use crate::variations::{factor_name, level_name, limits, protocol, score, signed, verdict};

pub(crate) fn section(study: &Study) -> Option<Section> {
    let mut section = Section::new("variations", "Variations");
    for (stage, found) in study.with::<Variations>() {
        if found.settings.is_empty() {
            continue;
        }
        let mut inner = Section::new(stage_id(stage), stage.stage.clone());
        inner.say(protocol(found));
        let sentences =
            crate::variations::sentences(found).into_iter().map(|sentence| Prose::from(format!("{sentence}.")));
        inner.push(Block::List(sentences.collect()));
        inner.say(limits(found));
        let courses = stage.tables.get("curves").and_then(Courses::read);
        let caption = "The interval is that of the difference from the base, paired by seed and drawn around the mean: where it does not reach the base's line, the seeds differ by more than chance \
                       (before correction for the number of settings).";
        inner
            .blocks
            .extend(figures::effects(found, study.layout).map(|drawing| Block::Figure(Figure::new(drawing, caption))));
        for factor in &found.factors {
            let parameter = factor_name(factor);
            let levels: Vec<(String, usize)> =
                factor.levels.iter().map(|level| (level_name(level), level.setting)).collect();
            inner.push(Block::Table(table(found, format!("By {parameter}"), &parameter, &levels)));
        }
        let caption = "Differences from the base, paired by seed.";
        inner.blocks.extend(figures::ablations(found).map(|drawing| Block::Figure(Figure::new(drawing, caption))));
        if !found.ablations.is_empty() {
            let rows = found.ablations.iter().map(|ablation| (ablation.name.clone(), ablation.setting));
            let rows: Vec<(String, usize)> = std::iter::once(("base".to_owned(), 0)).chain(rows).collect();
            inner.push(Block::Table(table(found, "Without single parts".to_owned(), "without", &rows)));
        }
        if let Some(courses) = courses {
            let spread = if found.seeds.len() > 1 { "Means over the seeds; the band spans them." } else { "" };
            let contrast = figures::contrast(found, &courses).map(|drawing| Figure::new(drawing, spread));
            let gradients = figures::gradient_norms(found, &courses).map(|drawing| {
                Figure::new(drawing, "Means over the seeds; thin and dashed the largest norm of any step of the epoch.")
            });
            let figures: Vec<Figure> = contrast.into_iter().chain(gradients).collect();
            if !figures.is_empty() {
                inner.push(Block::Gallery { figures, narrow: false });
            }
            let by_epoch = figures::by_epoch(found, &courses, study.layout);
            if !by_epoch.is_empty() {
                let figures = by_epoch.into_iter().map(|drawing| Figure::new(drawing, "")).collect();
                let summary = "Validation score by epoch for each factor".to_owned();
                inner.push(Block::Details { summary, blocks: vec![Block::Gallery { figures, narrow: false }] });
            }
        }
        section.subsections.push(inner);
    }
    Some(section)
}

/// A row for each of these settings.
fn table(found: &Variations, caption: String, head: &str, rows: &[(String, usize)]) -> Table {
    let metric = found.metric;
    let several = found.seeds.len() > 1;
    let scored = if several { "mean over the seeds ± deviation, on validation rows" } else { "on validation rows" };
    let mut columns = vec![Column::text(head), Column::number(metric.title()).hint(scored)];
    columns.push(Column::number("difference").hint("from the base, paired by seed"));
    if several {
        columns
            .push(Column::number("95 % interval").hint("of the difference over the seeds, by Student's distribution"));
        columns.push(
            Column::number("p").hint("paired t-test over the seeds, corrected over all settings by Holm's method"),
        );
        columns.push(Column::text("seeds show"));
    }
    columns.push(Column::number("rows show").hint(
        "difference in accuracy of the seeds' average prediction from that of the base, with its 95 % interval over the validation rows",
    ));
    for (title, hint) in [
        ("train loss", "log loss of training rows at the epoch kept"),
        ("valid loss", "log loss of validation rows at the epoch kept"),
        ("epoch kept", "mean over the seeds"),
        ("gradient norm", "before clipping, mean over steps and seeds"),
        ("largest", "norm of any step"),
        ("clipped", "share of steps whose gradient was shortened"),
        ("parameters", "numbers that the network holds"),
    ] {
        columns.push(Column::number(title).hint(hint));
    }
    let mut table = Table::new(caption, columns);
    let best = found.best_of(rows.iter().map(|(_, setting)| *setting));
    for (name, place) in rows {
        let setting = &found.settings[*place];
        let name = if *place == 0 && name != "base" { format!("{name} (base)") } else { name.clone() };
        let cells = row(found, setting, name, several);
        table.push(cells.into_iter().map(|cell| cell.strong_if(best == Some(*place))).collect());
    }
    table
}

fn row(found: &Variations, setting: &Setting, name: String, several: bool) -> Vec<Cell> {
    let effect = setting.effect.as_ref();
    let none = || Cell::text("–").muted_if(true);
    let mean = |figure: fn(&Run) -> Option<f64>| setting.mean_of(figure);
    let mut cells = vec![Cell::text(name).unbroken()];
    cells.push(Cell::text(score(setting, 3)).unbroken().sort_by(setting.score.map_or(f64::NAN, |score| score.mean)));
    cells.push(effect.map_or_else(none, |effect| Cell::text(signed(effect.mean, 3)).sort_by(effect.mean)));
    if several {
        let interval = effect.and_then(|effect| effect.interval);
        cells.push(interval.map_or_else(none, |(low, high)| {
            Cell::text(format!("{} to {}", decimals(low, 3), decimals(high, 3))).unbroken()
        }));
        cells.push(Cell::decimals(effect.and_then(|effect| effect.p_corrected), 3));
        cells.push(effect.map_or_else(none, |effect| Cell::text(verdict(effect, found))));
    }
    cells.push(effect.and_then(|effect| effect.rows).map_or_else(none, |rows| {
        let found = rows.accuracy;
        let text = format!("{} ({} to {})", signed(found.estimate, 3), decimals(found.low, 3), decimals(found.high, 3));
        Cell::text(text).unbroken().sort_by(found.estimate)
    }));
    cells.push(Cell::decimals(mean(|run| run.train.map(|scores| scores.loss)), 3));
    cells.push(Cell::decimals(mean(|run| run.valid.map(|scores| scores.loss)), 3));
    cells.push(
        mean(|run| run.best_epoch.map(|epoch| epoch as f64))
            .map_or_else(none, |epoch| Cell::text(decimals(epoch, 1)).sort_by(epoch)),
    );
    cells.push(Cell::decimals(mean(|run| run.gradients.map(|of| of.mean_norm)), 2));
    let largest = setting.runs.iter().filter_map(|run| run.gradients).map(|of| of.largest_norm);
    cells.push(largest.reduce(f64::max).map_or_else(none, |norm| Cell::text(compact(norm)).sort_by(norm)));
    cells.push(Cell::percent(mean(|run| run.gradients.map(|of| of.clipped))));
    cells.push(Cell::count(setting.parameters as u64));
    cells
}
