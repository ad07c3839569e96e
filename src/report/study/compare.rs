//! Networks side by side: numbers alone, text alone, both fused.

use super::Study;
use super::models::{Group, Model, groups, inputs, network};
use super::pairs::judge;
use crate::figure::text::{decimals, percent};
use crate::figure::{Interval, Mark, Paint, Row, Series, grouped_bars};
use crate::page::{Block, Cell, Column, Figure, Prose, Section, Table};
use crate::part_name;

pub(crate) fn section(study: &Study) -> Option<Section> {
    let trained = study.stages.iter().filter(|s| s.kind == "train");
    let models: Vec<Model> = trained.filter_map(network).collect();
    let mut section = Section::new("comparison", "Numbers, text and both");
    for group in groups(&models, study.metric).iter().filter(|g| g.models.len() > 1) {
        let sentences = sentences(study, group);
        if !sentences.is_empty() {
            section.push(Block::List(sentences));
        }
        section.push(Block::Figure(chart(study, group)));
        section.blocks.extend(class_table(study, group));
    }
    Some(section)
}

/// What a network reads, in words.
fn reads(study: &Study, model: &Model) -> Option<&'static str> {
    let stage = study.stages.iter().find(|s| s.stage == model.stage)?;
    match inputs(study, stage) {
        (Some(true), Some(true)) => Some("numbers and text"),
        (Some(true), _) => Some("numbers"),
        (Some(false), Some(true)) => Some("text"),
        _ => None,
    }
}

fn sentences(study: &Study, group: &Group) -> Vec<Prose> {
    let of = |kind: &str| group.models.iter().find(|m| reads(study, m) == Some(kind));
    let single = group.models.iter().find(|m| matches!(reads(study, m), Some("numbers" | "text")));
    let mut said = Vec::new();
    let scored = |model: Option<&'_ Model>| model.and_then(|m| Some((m.clone(), m.judged()?.clone())));
    if let (Some((fused, fused_scores)), Some((single, single_scores))) =
        (scored(of("numbers and text")), scored(single))
    {
        let gain = fused_scores.accuracy - single_scores.accuracy;
        let verdict = match judge(study, &fused, &single) {
            Some(judgement) if judgement.p.is_none() => {
                format!("not tested on the same rows; {}", judgement.reason())
            }
            Some(judgement) if !judgement.differ => format!("no significant difference: {}", judgement.reason()),
            Some(judgement) if gain > 0.0 => format!("more than chance explains: {}", judgement.reason()),
            Some(judgement) => format!("a loss beyond chance: {}", judgement.reason()),
            None => "without intervals to judge by".to_string(),
        };
        let sign = if gain >= 0.0 { "+" } else { "" };
        said.push(Prose::new().strong(&fused.name).text(format!(
            " reads numbers and text and has accuracy {}, against {} of {}, the best that reads one of them: \
             {sign}{} ({verdict}).",
            decimals(fused_scores.accuracy, 3),
            decimals(single_scores.accuracy, 3),
            single.name,
            decimals(gain, 3),
        )));
        let changes = fused_scores.per_class.iter().filter_map(|class| {
            let other = single_scores.per_class.iter().find(|c| c.class == class.class)?;
            let change = class.f1 - other.f1;
            change.is_finite().then_some((change, class.class.as_str()))
        });
        let changes: Vec<(f64, &str)> = changes.collect();
        let most = changes.iter().copied().reduce(|a, b| if b.0 > a.0 { b } else { a });
        let least = changes.iter().copied().reduce(|a, b| if b.0 < a.0 { b } else { a });
        if let (Some(most), Some(least)) = (most, least)
            && changes.len() > 1
        {
            let signed = |v: f64| format!("{}{}", if v >= 0.0 { "+" } else { "" }, decimals(v, 3));
            said.push(Prose::from(format!(
                "By class, F1 changes most for {} ({}) and least for {} ({}).",
                most.1,
                signed(most.0),
                least.1,
                signed(least.0)
            )));
        }
    }
    if let (Some((numbers, a)), Some((words, b))) = (scored(of("numbers")), scored(of("text"))) {
        let (better, worse) = if a.accuracy >= b.accuracy { (&numbers, &words) } else { (&words, &numbers) };
        let gap = (a.accuracy - b.accuracy).abs();
        let same = judge(study, &numbers, &words).is_some_and(|judgement| judgement.p.is_some() && !judgement.differ);
        let (better, worse, numbers, words) = (&better.name, &worse.name, &numbers.name, &words.name);
        said.push(Prose::from(match same {
            true => format!("{numbers} and {words} show no significant difference."),
            false => format!(
                "Of the networks that read one kind of input, {better} is ahead of {worse} by {}.",
                percent(gap).replace(" %", " points")
            ),
        }));
    }
    said
}

fn chart(study: &Study, group: &Group) -> Figure {
    let series = [
        Series { name: "macro-F1".to_string(), mark: Mark::Ring, paint: Paint::Negative },
        Series { name: "accuracy with 95 % interval".to_string(), mark: Mark::Point, paint: Paint::Positive },
    ];
    let rows: Vec<Row> = group
        .models
        .iter()
        .filter_map(|model| {
            let scores = model.judged()?;
            let (low, high) = scores.accuracy_interval().unwrap_or((f64::NAN, f64::NAN));
            let label = match reads(study, model) {
                Some(reads) => format!("{} ({reads})", model.name),
                None => model.name.clone(),
            };
            let accuracy = Interval { value: scores.accuracy, low, high };
            let macro_f1 = Some(Interval::plain(scores.macro_f1));
            Some(Row { label, values: vec![macro_f1, Some(accuracy)] })
        })
        .collect();
    let title = format!("Networks on the {} part", part_name(group.part));
    let description = rows.iter().map(|r| r.label.as_str()).collect::<Vec<_>>().join(", ");
    let svg = grouped_bars(&title, &description, "score", &series, &rows);
    Figure::new(svg, "The number at the right is the accuracy; the axis does not start at zero.")
}

/// F1 of every class under each network.
fn class_table(study: &Study, group: &Group) -> Option<Block> {
    let mut classes: Vec<&str> = Vec::new();
    for model in &group.models {
        for class in model.judged().into_iter().flat_map(|s| &s.per_class) {
            if !classes.contains(&class.class.as_str()) {
                classes.push(&class.class);
            }
        }
    }
    if classes.is_empty() {
        return None;
    }
    classes.sort_by_key(|class| study.palette.rank(class));
    let mut columns = vec![Column::text("class")];
    columns.extend(group.models.iter().map(|m| Column::number(&m.name)));
    let caption = format!("F1 by class on the {} part, the best of each class in bold", part_name(group.part));
    let mut table = Table::new(caption, columns);
    for class in classes {
        let scores: Vec<Option<f64>> = group
            .models
            .iter()
            .map(|m| m.judged()?.per_class.iter().find(|c| c.class == class).map(|c| c.f1))
            .collect();
        let top = scores.iter().flatten().copied().fold(f64::NAN, f64::max);
        let mut row = vec![Cell::text(class).swatch(study.palette.paint(class))];
        row.extend(scores.iter().map(|f1| Cell::decimals(*f1, 3).bar(f1.unwrap_or(0.0)).strong_if(*f1 == Some(top))));
        table.push(row);
    }
    Some(Block::Table(table))
}
