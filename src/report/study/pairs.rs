//! Whether two models differ: by the paired test on the same rows where there is one, else by their intervals; and every pair in one table.

use runner_results::comparison::{Direction, ScoreMetric};
use runner_results::paired_test::PairedTests;
use runner_results::paired_test::PairwiseTest;

use super::models::{Group, Model};
use super::{Study, plural};
use crate::compared;
use crate::figure::text::decimals;
use crate::intervals;
use crate::page::{Block, Cell, Column, Section, Table};

/// Chance of a false alarm over all pairs.
const ALPHA: f64 = 0.05;

/// What is known of the difference of two models.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Judgement {
    pub(crate) differ: bool,
    /// Corrected p value, of the paired test.
    pub(crate) p: Option<f64>,
    /// The test is over groups of rows.
    pub(crate) grouped: bool,
}

impl Judgement {
    /// Of a pair: the test decides.
    fn tested(tests: &PairedTests, pair: &PairwiseTest) -> Judgement {
        Judgement { differ: pair.adjusted_p < ALPHA, p: Some(pair.adjusted_p), grouped: tests.groups.is_some() }
    }

    /// What the judgement rests on.
    pub(crate) fn reason(self) -> String {
        match self.p {
            Some(p) => format!("{} on the same rows, Holm-corrected {}", test(self.grouped), p_value(p)),
            None if self.differ => "the 95 % intervals do not overlap".to_string(),
            None => "the 95 % intervals overlap".to_string(),
        }
    }
}

/// The paired test's name.
pub(crate) fn test(grouped: bool) -> &'static str {
    if grouped { "a sign-flip test over groups" } else { "McNemar's test" }
}

/// `p = 0.210`; below a thousandth as a bound.
fn p_value(p: f64) -> String {
    if p < 0.001 { format!("p {}", bare(p)) } else { format!("p = {}", bare(p)) }
}

/// `0.210` or `< 0.001`.
pub(crate) fn bare(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_string() } else { decimals(p, 3) }
}

/// Whether the models differ in accuracy; `None` where neither a test nor intervals tell.
pub(crate) fn judge(study: &Study, a: &Model, b: &Model) -> Option<Judgement> {
    let tested = study.tests.iter().find_map(|tests| {
        let found = pair(tests, place(tests, a)?, place(tests, b)?)?;
        Some(Judgement::tested(tests, found))
    });
    let of_intervals = || {
        let ((a_low, a_high), (b_low, b_high)) = (a.judged()?.accuracy_interval()?, b.judged()?.accuracy_interval()?);
        // A cautious test: intervals that overlap a little can hide a difference that a paired test would find.
        Some(Judgement { differ: a_low > b_high || b_low > a_high, p: None, grouped: false })
    };
    tested.or_else(of_intervals)
}

/// What other scores say of `a` against `b` where the test of the accuracy does not say the same.
pub(crate) fn other_verdicts(study: &Study, a: &Model, b: &Model) -> Vec<(ScoreMetric, Direction)> {
    let Some(pair) = paired_test(study, a, b) else { return Vec::new() };
    let has_losses = [a, b].iter().all(|model| model.judged().is_some_and(|scores| scores.log_loss.is_some()));
    pair.other_verdicts(pair.adjusted_p < ALPHA, has_losses)
}

/// The same of one model against several: each verdict once, with those that it is of.
pub(crate) fn other_verdicts_of_all<'m>(
    study: &Study,
    a: &Model,
    others: &[&'m Model],
) -> Vec<((ScoreMetric, Direction), Vec<&'m Model>)> {
    let mut found: Vec<((ScoreMetric, Direction), Vec<&Model>)> = Vec::new();
    for other in others {
        for verdict in other_verdicts(study, a, other) {
            match found.iter_mut().find(|(known, _)| *known == verdict) {
                Some((_, models)) => models.push(other),
                None => found.push((verdict, vec![other])),
            }
        }
    }
    found
}

/// The paired test of two models in the direction a − b, where they were tested on the same rows.
pub(crate) fn paired_test(study: &Study, a: &Model, b: &Model) -> Option<PairwiseTest> {
    study.tests.iter().find_map(|tests| {
        let (first, second) = (place(tests, a)?, place(tests, b)?);
        let found = pair(tests, first, second)?;
        // A pair's difference is that of its second model.
        Some(if found.b == first { *found } else { found.reversed() })
    })
}

fn place(tests: &PairedTests, model: &Model) -> Option<usize> {
    tests
        .models
        .iter()
        .position(|own| own.stage == model.stage && own.model.as_deref().is_none_or(|name| name == model.name))
}

fn pair(tests: &PairedTests, a: usize, b: usize) -> Option<&PairwiseTest> {
    tests.pairs.iter().find(|pair| (pair.a, pair.b) == (a.min(b), a.max(b)))
}

/// Every pair of every group of models that compare.
pub(crate) fn section(study: &Study, groups: &[Group]) -> Option<Section> {
    let mut section = Section::new("pairs", "Every pair of models");
    for group in groups {
        let Some((tests, models)) = tested(study, group) else { continue };
        let pairs = models.len() * (models.len() - 1) / 2;
        let mut differing = 0;
        let mut columns = vec![Column::number("#"), Column::text("model"), Column::number("accuracy")];
        columns.extend((1..models.len()).map(|number| Column::number(&number.to_string())));
        let mut table = Table::new(
            format!(
                "Accuracy minus that of the model of the column's number, in points, on {}",
                plural(tests.rows as u64, "test row")
            ),
            columns,
        );
        for (i, (place, model)) in models.iter().enumerate() {
            let mut row = vec![
                Cell::count(i as u64 + 1),
                Cell::text(&model.name),
                Cell::decimals(model.judged().map(|scores| scores.accuracy), 3),
            ];
            for (other, _) in models.iter().take(models.len() - 1) {
                let found =
                    models[..i].iter().any(|(own, _)| own == other).then(|| pair(tests, *place, *other)).flatten();
                row.push(match found {
                    Some(found) => {
                        let judgement = Judgement::tested(tests, found);
                        differing += usize::from(judgement.differ);
                        // The table runs from the best down: its differences are the row's minus the column's.
                        let sign = if found.b == *place { 100.0 } else { -100.0 };
                        Cell::decimals(sign * found.accuracy.estimate, 1)
                            .strong_if(judgement.differ)
                            .muted_if(!judgement.differ)
                    }
                    None => Cell::text(""),
                });
            }
            table.push(row);
        }
        section.say(format!(
            "{} on the same {}: {differing} of {} differ at 5 % by {} after Holm's correction over all of them \
             (bold); of the others no significant difference in accuracy can be told.",
            plural(models.len() as u64, "model"),
            plural(tests.rows as u64, "row"),
            plural(pairs as u64, "pair"),
            test(tests.groups.is_some()),
        ));
        section.push(Block::Table(table));
        section.push(Block::Details {
            summary: "intervals and p values of every pair".to_string(),
            blocks: vec![Block::Table(list(tests, &models))],
        });
    }
    Some(section)
}

/// The group's models that were tested on the same rows, best first; nothing for fewer than two.
fn tested<'a, 's>(study: &Study<'s>, group: &'a Group) -> Option<(&'s PairedTests, Vec<(usize, &'a Model)>)> {
    study.tests.iter().find_map(|tests| {
        let models: Vec<(usize, &Model)> =
            group.models.iter().filter_map(|model| Some((place(tests, model)?, model))).collect();
        (models.len() > 1).then_some((tests, models))
    })
}

fn list(tests: &PairedTests, models: &[(usize, &Model)]) -> Table {
    let mut pairs: Vec<(&PairwiseTest, &str, &str, bool)> = Vec::new();
    let has_loss = |model: &Model| model.judged().is_some_and(|scores| scores.log_loss.is_some());
    for (i, (a, first)) in models.iter().enumerate() {
        for (b, second) in &models[i + 1..] {
            if let Some(found) = pair(tests, *a, *b) {
                let (low, high) = if found.a == *a { (first, second) } else { (second, first) };
                let has_losses = has_loss(first) && has_loss(second);
                pairs.push((found, high.name.as_str(), low.name.as_str(), has_losses));
            }
        }
    }
    pairs.sort_by(|x, y| x.0.adjusted_p.total_cmp(&y.0.adjusted_p));
    let mut table = Table::new(
        "Differences in accuracy, smallest p value first",
        vec![
            Column::text("model"),
            Column::text("against"),
            Column::number("difference"),
            Column::number("95 % interval")
                .hint(&intervals::words(pairs.iter().map(|(pair, ..)| pair.accuracy.method))),
            Column::number("p").hint("of this pair alone, as `runner compare` tells it of two models"),
            Column::number("p, corrected").hint(match tests.groups {
                Some(_) => {
                    "mid-p test over all ways to exchange two models within groups, Holm's correction over all pairs"
                }
                None => "McNemar's mid-p test, Holm's correction over all pairs",
            }),
            Column::text("verdict")
                .hint("on the accuracy, by the corrected p; on macro-F1 and log loss by their 95 % intervals, which are not corrected, where accuracy does not say the same"),
        ],
    );
    for (pair, model, against, has_losses) in pairs {
        let difference = pair.accuracy;
        let differ = Judgement::tested(tests, pair).differ;
        let verdict = match (differ, pair.accuracy.estimate > 0.0) {
            (false, _) => "no significant difference in accuracy",
            (true, true) => "more accurate",
            (true, false) => "less accurate",
        };
        // What accuracy says is not all: guessing the largest class is accurate where classes are unbalanced.
        let others = compared::words(&pair.other_verdicts(differ, has_losses));
        let verdict = others.map_or_else(|| verdict.to_owned(), |others| format!("{verdict}, {others}"));
        table.push(vec![
            Cell::text(model),
            Cell::text(against),
            Cell::decimals(difference.estimate, 3),
            Cell::text(format!("{} to {}", decimals(difference.low, 3), decimals(difference.high, 3)))
                .sort_by(difference.low),
            Cell::text(bare(pair.test.p)).sort_by(pair.test.p),
            Cell::text(bare(pair.adjusted_p)).sort_by(pair.adjusted_p),
            Cell::text(verdict).muted_if(!differ),
        ]);
    }
    table
}
