//! Transfer to new classes: strategies side by side, what became of each tensor, and the comments that were computed.
//!
//! Knows the shape of the transfer's JSON and, for curves, of a table with columns `strategy` and `seed`.

use serde_json::Value;

use super::curves::Curves;
use super::models::network;
use super::scores::{class_blocks, parts_table};
use super::train::diagnosis;
use super::{Study, calibration, plural, stage_id};
use crate::report::figure::{Line, LineChart, Paint, line_chart};
use crate::report::page::{Block, Cell, Column, Figure, Prose, Section, Table};
use crate::report::read::{ColumnView, Scores, StageArtifacts, TableView, list, number, numbers, shown, text, texts};

pub fn section(study: &Study) -> Option<Section> {
    let mut section = Section::new("transfer", "Transfer to new classes");
    for stage in study.stages.iter().filter(|s| s.kind == "transfer") {
        let inner = stage_section(study, stage);
        if !inner.is_empty() {
            section.subsections.push(inner);
        }
    }
    Some(section)
}

fn stage_section(study: &Study, stage: &StageArtifacts) -> Section {
    let mut section = Section::new(stage_id(stage), stage.stage.clone());
    let document = stage.document("strategies").or_else(|| stage.document("tensors")).unwrap_or(&Value::Null);
    let comments = texts(document.get("comments"));
    if !comments.is_empty() {
        section.push(Block::List(comments.into_iter().map(Prose::from).collect()));
    }
    let runs = runs(stage, document);
    section.blocks.extend(strategy_table(document, &runs));
    let figures: Vec<Figure> = [
        (
            "Validation macro-F1 by strategy",
            "mean over classes",
            (|c: &Curves| &c.valid_macro_f1) as fn(&Curves) -> &Vec<f64>,
        ),
        ("Validation accuracy by strategy", "share of rows", |c| &c.valid_accuracy),
        ("Validation loss by strategy", "nats", |c| &c.valid_loss),
        ("Training loss by strategy", "nats", |c| &c.train_loss),
    ]
    .into_iter()
    .filter_map(|(title, unit, column)| curves_figure(title, unit, &runs, column))
    .collect();
    if !figures.is_empty() {
        let seeds = |name: &&str| runs.iter().filter(|r| r.strategy == **name && r.curves.is_some()).count();
        let most = strategies(&runs).iter().map(seeds).max().unwrap_or(0) as u64;
        if most > 1 {
            section.say(format!(
                "Lines are means of {}, bands run from least to greatest; both end where the first seed stopped.",
                plural(most, "seed")
            ));
        }
        section.push(Block::Gallery { figures, narrow: false });
    }
    section.blocks.extend(diagnosis(stage));
    section.blocks.extend(calibration::block(stage));
    if let Some(model) = network(stage) {
        section.blocks.extend(parts_table(&model));
        if let Some(scores) = model.judged() {
            let part = if model.test.is_some() { "test" } else { "validation" };
            let title = format!("{} on the {part} part", stage.stage);
            section.blocks.extend(class_blocks(&title, scores, &study.palette));
        }
    }
    section.blocks.extend(tensor_table(document));
    section
}

/// One training of one strategy.
struct Run {
    strategy: String,
    curves: Option<Curves>,
    valid: Option<Scores>,
    old_classes: Option<f64>,
    new_classes: Option<f64>,
    best_epoch: Option<f64>,
    epochs_to_target: Option<f64>,
}

/// Runs from the JSON, with curves from the JSON or else from the table.
fn runs(stage: &StageArtifacts, document: &Value) -> Vec<Run> {
    let mut runs = Vec::new();
    for (place, strategy) in list(document, "strategies").enumerate() {
        let name = ["strategy", "name"].iter().find_map(|key| text(strategy, key));
        let name = name.map_or_else(|| format!("strategy {}", place + 1), String::from);
        let own: Vec<&Value> = ["runs", "seeds"].iter().flat_map(|key| list(strategy, key)).collect();
        let own = if own.is_empty() { vec![strategy] } else { own };
        for (index, run) in own.into_iter().enumerate() {
            let seed = run.get("seed").map_or_else(|| index.to_string(), shown);
            let apart = |keys: [&str; 2]| {
                let value = keys.iter().find_map(|key| run.get(*key))?;
                value.as_f64().or_else(|| number(value, "macro_f1")).or_else(|| number(value, "accuracy"))
            };
            let curves = run.get("curves").and_then(|c| Curves::from_columns(|column| numbers(c.get(column))));
            runs.push(Run {
                curves: curves.or_else(|| table_curves(stage, &name, &seed)),
                strategy: name.clone(),
                valid: run.get("valid").and_then(Scores::read),
                old_classes: apart(["old_classes", "valid_old"]),
                new_classes: apart(["new_classes", "valid_new"]),
                best_epoch: number(run, "best_epoch"),
                epochs_to_target: ["epochs_to_target", "epochs_to_scratch", "epochs_to_scratch_best"]
                    .iter()
                    .find_map(|key| number(run, key)),
            });
        }
    }
    if runs.is_empty() {
        runs.extend(table_runs(stage));
    }
    runs
}

fn curves_table(stage: &StageArtifacts) -> Option<(&TableView, &[String], Vec<String>)> {
    let table = stage.tables.get("curves")?;
    let strategies = table.texts("strategy")?;
    let seeds = match table.columns.get("seed") {
        Some(ColumnView::Number(seeds)) => seeds.iter().map(|s| format!("{s:.0}")).collect(),
        Some(ColumnView::Text(seeds)) => seeds.clone(),
        None => vec![String::new(); strategies.len()],
    };
    Some((table, strategies, seeds))
}

fn table_curves(stage: &StageArtifacts, strategy: &str, seed: &str) -> Option<Curves> {
    let (table, strategies, seeds) = curves_table(stage)?;
    let of = |i: &usize| strategies[*i] == strategy && seeds.get(*i).is_some_and(|s| s == seed || s.is_empty());
    let rows: Vec<usize> = (0..strategies.len()).filter(of).collect();
    Curves::from_columns(|column| {
        let values = table.numbers(column).unwrap_or(&[]);
        rows.iter().filter_map(|&row| values.get(row).copied()).collect()
    })
}

/// Strategies and seeds as they appear in the table, where the JSON names none.
fn table_runs(stage: &StageArtifacts) -> Vec<Run> {
    let Some((_, strategies, seeds)) = curves_table(stage) else {
        return Vec::new();
    };
    let mut pairs: Vec<(&String, &String)> = Vec::new();
    for pair in strategies.iter().zip(&seeds) {
        if !pairs.contains(&pair) {
            pairs.push(pair);
        }
    }
    pairs
        .into_iter()
        .map(|(strategy, seed)| Run {
            strategy: strategy.clone(),
            curves: table_curves(stage, strategy, seed),
            valid: None,
            old_classes: None,
            new_classes: None,
            best_epoch: None,
            epochs_to_target: None,
        })
        .collect()
}

/// Names of strategies in order of first appearance.
fn strategies(runs: &[Run]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for run in runs {
        if !names.contains(&run.strategy.as_str()) {
            names.push(&run.strategy);
        }
    }
    names
}

/// Means over seeds, with the least and greatest score where there are several.
fn strategy_table(document: &Value, runs: &[Run]) -> Option<Block> {
    if runs.iter().all(|r| r.valid.is_none() && r.best_epoch.is_none()) {
        return None;
    }
    let best = text(document, "best");
    let mut table = Table::new(
        "Strategies on the validation part, means over seeds",
        vec![
            Column::text("strategy"),
            Column::number("seeds"),
            Column::number("accuracy"),
            Column::number("macro-F1"),
            Column::number("least to greatest").hint("macro-F1 over the seeds"),
            Column::number("old classes").hint("rows of the classes that the old network knew"),
            Column::number("new classes"),
            Column::number("best epoch"),
            Column::number("epochs to scratch's best")
                .hint("epochs until the best score of training from scratch is reached"),
        ],
    );
    for strategy in strategies(runs) {
        let own: Vec<&Run> = runs.iter().filter(|r| r.strategy == strategy).collect();
        let mean = |of: &dyn Fn(&Run) -> Option<f64>| {
            let known: Vec<f64> = own.iter().filter_map(|r| of(r)).filter(|v| v.is_finite()).collect();
            (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
        };
        let f1 = |r: &Run| r.valid.as_ref().map(|s| s.macro_f1);
        let range = crate::report::figure::scale::extent(own.iter().filter_map(|r| f1(r)));
        let is_best = best == Some(strategy);
        let row = vec![
            Cell::text(strategy),
            Cell::count(own.len() as u64),
            Cell::decimals(mean(&|r| r.valid.as_ref().map(|s| s.accuracy)), 3),
            Cell::decimals(mean(&f1), 3),
            match range {
                Some((low, high)) if own.len() > 1 => Cell::text(format!("{low:.3}–{high:.3}")).sort_by(low),
                _ => Cell::text("–").muted_if(true),
            },
            Cell::decimals(mean(&|r| r.old_classes), 3),
            Cell::decimals(mean(&|r| r.new_classes), 3),
            Cell::decimals(mean(&|r| r.best_epoch), 1),
            Cell::decimals(mean(&|r| r.epochs_to_target), 1),
        ];
        table.push(row.into_iter().map(|cell| cell.strong_if(is_best)).collect());
    }
    Some(Block::Table(table))
}

/// The mean over seeds as a line, least to greatest as a band, one line per strategy.
fn curves_figure(title: &str, unit: &str, runs: &[Run], column: fn(&Curves) -> &Vec<f64>) -> Option<Figure> {
    let names = strategies(runs);
    let lines: Vec<Line> = names
        .iter()
        .enumerate()
        .filter_map(|(place, name)| {
            let curves: Vec<&Curves> =
                runs.iter().filter(|r| r.strategy == *name).filter_map(|r| r.curves.as_ref()).collect();
            let mut epochs: Vec<f64> = curves.iter().flat_map(|c| c.epoch.iter().copied()).collect();
            epochs.sort_by(f64::total_cmp);
            epochs.dedup();
            let mut points = Vec::new();
            let mut band = Vec::new();
            for epoch in epochs {
                let known: Vec<f64> = curves.iter().filter_map(|c| c.at(column(c), epoch)).collect();
                // Where some seeds have stopped already the mean would jump; the line ends instead.
                if known.is_empty() || known.len() < curves.len() {
                    continue;
                }
                points.push((epoch, known.iter().sum::<f64>() / known.len() as f64));
                band.extend(crate::report::figure::scale::extent(known));
            }
            let band = if curves.len() > 1 { band } else { Vec::new() };
            let paint = Paint::series(place);
            (!points.is_empty()).then(|| Line { name: (*name).to_string(), points, band, paint, dashed: false })
        })
        .collect();
    if lines.is_empty() {
        return None;
    }
    let description = lines.iter().map(|l| l.name.as_str()).collect::<Vec<_>>().join(", ");
    let svg = line_chart(&LineChart {
        title,
        description: &description,
        x_label: "epoch",
        y_label: unit,
        lines,
        marker: None,
        log_y: false,
    });
    Some(Figure::new(svg, ""))
}

fn tensor_table(document: &Value) -> Option<Block> {
    let mut table = Table::new(
        "What became of each tensor of the old network",
        vec![
            Column::text("tensor"),
            Column::text("old shape"),
            Column::text("new shape"),
            Column::text("action"),
            Column::text("detail"),
        ],
    );
    let shape = |entry: &Value, key: &str| match entry.get(key).and_then(Value::as_array) {
        Some(sides) => Cell::text(sides.iter().map(shown).collect::<Vec<_>>().join(" × ")),
        None => Cell::text("–").muted_if(true),
    };
    let mut actions: Vec<(String, u64)> = Vec::new();
    for entry in list(document, "tensors") {
        let name = ["tensor", "name"].iter().find_map(|key| text(entry, key)).unwrap_or("");
        let action = text(entry, "action").unwrap_or("").replace('_', " ");
        match actions.iter_mut().find(|(known, _)| *known == action) {
            Some((_, count)) => *count += 1,
            None => actions.push((action.clone(), 1)),
        }
        table.push(vec![
            Cell::text(name),
            shape(entry, "old_shape"),
            shape(entry, "new_shape"),
            Cell::text(&action),
            Cell::text(text(entry, "detail").unwrap_or("")).muted_if(true),
        ]);
    }
    if table.rows.is_empty() {
        return None;
    }
    let counted: Vec<String> = actions.iter().map(|(action, count)| format!("{count} {action}")).collect();
    let summary = format!("tensors: {}", counted.join(", "));
    Some(Block::Details { summary, blocks: vec![Block::Table(table)] })
}
