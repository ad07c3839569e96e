//! The same models on several draws of one split: the mean of their scores, and how far these move with the draw.

use super::Study;
use super::families::{Member, are_draws, families};
use super::models::Model;
use crate::figure::text::{counted, decimals};
use crate::page::{Block, Cell, Column, Section, Table};
use crate::part_name;
use crate::ranking::{Source, Validation, governing};
use crate::read::StageArtifacts;
use runner_results::{Metric, Part};

/// Mean and spread of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, as of a sample (n − 1).
    pub deviation: f64,
    /// The least.
    pub low: f64,
    /// The greatest.
    pub high: f64,
}

impl Spread {
    /// `None` of less than two values.
    pub fn of(values: &[f64]) -> Option<Spread> {
        if values.len() < 2 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let deviation = (squares / (values.len() - 1) as f64).sqrt();
        let [low, high] = [f64::min, f64::max].map(|of| values.iter().copied().fold(mean, of));
        Some(Spread { mean, deviation, low, high })
    }

    /// `0.787 ± 0.029`.
    pub fn told(&self) -> String {
        format!("{} ± {}", decimals(self.mean, 3), decimals(self.deviation, 3))
    }
}

/// A model on several draws of one split.
#[derive(Clone, Debug)]
pub struct Repeated {
    /// What the reader calls it.
    pub name: String,
    /// Draws.
    pub splits: usize,
    /// What scores are of; `None` where there is only cross-validation.
    pub part: Option<Part>,
    /// By which models are chosen, and its values.
    pub chosen_by: (Metric, Option<Spread>),
    /// Where these come from.
    pub source: Option<Source>,
    /// Its values on that part, with those of accuracy and macro-F1.
    pub scores: Vec<(Metric, Spread)>,
    /// Whether it is the guess of the largest class.
    pub is_reference: bool,
}

/// Of all stages of a pipeline, those of the first split first, and of each the best by validation first; `edges` go from producer to consumer.
pub fn repeated(stages: &[StageArtifacts], edges: &[(String, String)]) -> Vec<Repeated> {
    Study::new(stages, edges, &[]).map_or_else(|_| Vec::new(), |study| of_study(&study).into_iter().flatten().collect())
}

/// A model of every draw, by its name.
type Named<'a> = (String, Vec<Member<'a>>);

/// By split.
fn of_study(study: &Study) -> Vec<Vec<Repeated>> {
    let mut found: Vec<(&str, Vec<Named>)> = Vec::new();
    for family in families(study) {
        let mut draws: Vec<Vec<Member>> = Vec::new();
        for member in family.members {
            match draws.iter_mut().find(|own| are_draws(study, own[0].split, member.split)) {
                Some(own) => own.push(member),
                None => draws.push(vec![member]),
            }
        }
        for members in draws.into_iter().filter(|members| splits(members) > 1) {
            let first = members[0].split;
            match found.iter_mut().find(|(split, _)| are_draws(study, split, first)) {
                Some((_, models)) => models.push((family.name.clone(), members)),
                None => found.push((first, vec![(family.name.clone(), members)])),
            }
        }
    }
    found.into_iter().map(|(_, models)| ranked(study.metric, models)).collect()
}

/// How many splits there are.
fn splits(members: &[Member]) -> usize {
    let mut splits: Vec<&str> = members.iter().map(|member| member.split).collect();
    splits.sort_unstable();
    splits.dedup();
    splits.len()
}

fn ranked(named: Option<Metric>, models: Vec<(String, Vec<Member>)>) -> Vec<Repeated> {
    let known: Vec<Validation> =
        models.iter().flat_map(|(_, members)| members).filter_map(|member| member.model.validation()).collect();
    let metric = governing(named, &known);
    let mut all: Vec<Repeated> = models.into_iter().map(|(name, members)| one(name, metric, &members)).collect();
    let merit = |model: &Repeated| model.chosen_by.1.map_or(f64::NEG_INFINITY, |spread| metric.merit(spread.mean));
    all.sort_by(|a, b| a.is_reference.cmp(&b.is_reference).then(merit(b).total_cmp(&merit(a))));
    all
}

fn one(name: String, metric: Metric, members: &[Member]) -> Repeated {
    let all = |of: &dyn Fn(&Model) -> Option<f64>| -> Option<Spread> {
        let values: Option<Vec<f64>> = members.iter().map(|member| of(&member.model)).collect();
        Spread::of(&values?)
    };
    let metrics =
        std::iter::once(metric).chain([Metric::Accuracy, Metric::MacroF1].into_iter().filter(|own| *own != metric));
    let scores = metrics.filter_map(|metric| Some((metric, all(&|model| model.judged()?.value(metric))?)));
    let first = &members[0].model;
    Repeated {
        name,
        splits: splits(members),
        part: first.judged().map(|_| first.judged_on()),
        chosen_by: (metric, all(&|model| model.validation()?.score(metric))),
        scores: scores.collect(),
        source: first.validation().map(|validation| validation.source),
        is_reference: first.is_reference(),
    }
}

pub(crate) fn section(study: &Study) -> Option<Section> {
    let groups = of_study(study);
    let mut section = Section::new("repeats", "Repeated splits");
    for group in groups.iter().filter(|group| !group.is_empty()) {
        let splits = group.iter().map(|model| model.splits).max().unwrap_or(0);
        section.say(format!(
            "The same models on {}, which differ in their seeds alone: ± is the standard deviation, by how much a score moves with the draw of the rows. The draws \
             share rows, so that it is no standard error of the mean.",
            counted(splits as u64, "split")
        ));
        section.push(Block::Table(table(group)));
    }
    Some(section).filter(|section| !section.is_empty())
}

fn table(group: &[Repeated]) -> Table {
    let (metric, _) = group[0].chosen_by;
    let source = match group.iter().find_map(|model| model.source) {
        Some(Source::CrossValidation) => "cross-validated",
        _ => "validation",
    };
    let part = group.iter().find_map(|model| model.part).map_or("", part_name);
    let mut columns = vec![
        Column::text("model"),
        Column::number("splits"),
        Column::number(&format!("{} {}", source, metric.label())),
    ];
    let mut scored: Vec<Metric> = Vec::new();
    for (metric, _) in group.iter().flat_map(|model| &model.scores) {
        if !scored.contains(metric) {
            scored.push(*metric);
        }
    }
    for metric in &scored {
        columns.push(Column::number(&format!("{part} {}", metric.label())));
        columns.push(Column::number("range").hint("from the least to the greatest"));
    }
    let mut table = Table::new("Mean ± standard deviation over the splits", columns);
    let cell = |spread: Option<&Spread>| match spread {
        Some(spread) => Cell::text(spread.told()).sort_by(spread.mean),
        None => Cell::text("–").muted_if(true),
    };
    for model in group {
        let mut row = vec![Cell::text(&model.name), Cell::count(model.splits as u64), cell(model.chosen_by.1.as_ref())];
        for metric in &scored {
            let spread = model.scores.iter().find(|(own, _)| own == metric).map(|(_, spread)| spread);
            row.push(cell(spread));
            row.push(match spread {
                Some(Spread { low, high, .. }) => {
                    Cell::text(format!("{} to {}", decimals(*low, 3), decimals(*high, 3))).sort_by(*low)
                }
                None => Cell::text("–").muted_if(true),
            });
        }
        table.push(row);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    // import numpy as np; v = [.747, .8, .813]; np.mean(v), np.std(v, ddof=1) -> 0.7866666666666667, 0.034961884007206
    #[test]
    fn the_spread_is_that_of_a_sample() {
        let spread = Spread::of(&[0.747, 0.8, 0.813]).unwrap();
        assert!((spread.mean - 0.786_666_666_666_666_7).abs() < 1e-12);
        assert!((spread.deviation - 0.034_961_884_007_206).abs() < 1e-12, "{spread:?}");
        assert_eq!((spread.low, spread.high), (0.747, 0.813));
        assert_eq!(spread.told(), "0.787 ± 0.035");
        assert_eq!(Spread::of(&[0.5]), None);
    }
}
