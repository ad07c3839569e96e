//! The most important feature of a model, by permutation importance, and whether that can be told from nothing.
//!
//! One rule for pages, articles and the terminal; each has its own words.

use std::f64::consts::PI;

use runner_results::inspection::{Drop, Importance, Inspection};

use crate::figure::text::decimals;

/// A loss that three decimals show as nothing.
const NOTHING: f64 = 0.0005;
/// A single mean within so many deviations of zero might be missing with other rows and shufflings.
const DEVIATIONS: f64 = 2.0;

/// What a shuffling can cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Measure {
    Accuracy,
    MacroF1,
    /// Moves with every probability, so that it shows what no decision does.
    LogLoss,
}

impl Measure {
    pub(crate) fn of(self, one: &Importance) -> Drop {
        match self {
            Measure::Accuracy => one.accuracy,
            Measure::MacroF1 => one.macro_f1,
            Measure::LogLoss => one.log_loss,
        }
    }
}

/// Those that say something of the model: its decisions alone, where it gives no probabilities.
pub(crate) fn measures(found: &Inspection) -> &'static [Measure] {
    const ALL: &[Measure] = &[Measure::Accuracy, Measure::MacroF1, Measure::LogLoss];
    if found.scores.log_loss.is_some() { ALL } else { &ALL[..2] }
}

/// What one column costs, by one measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Cost<'a> {
    pub(crate) column: &'a Importance,
    pub(crate) measure: Measure,
}

impl Cost<'_> {
    pub(crate) fn drop(&self) -> Drop {
        self.measure.of(self.column)
    }

    fn is_something(&self) -> bool {
        self.drop().mean >= NOTHING
    }
}

/// Whether one column was shuffled, not several together.
pub(crate) fn is_single(one: &Importance) -> bool {
    one.columns.len() == 1
}

/// The column that costs most alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Most<'a> {
    /// More than chance explains by this measure, the first by which any column does.
    Clear(Cost<'a>),
    /// No column costs more than chance explains by any measure.
    Unclear(Cost<'a>),
    /// No column costs anything.
    Nothing,
    /// The model's decisions are not better than guessing and its log loss depends on no column; but this one costs most accuracy.
    Guessing(&'a Importance),
}

/// Which costs are more than chance explains: those of all columns by all measures are one family of tests.
pub(crate) struct Judge<'a> {
    found: &'a Inspection,
    /// Deviations from zero (Bonferroni).
    threshold: f64,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(found: &'a Inspection) -> Self {
        let columns = found.importance.iter().filter(|one| is_single(one)).count();
        Self { found, threshold: corrected(DEVIATIONS, columns * measures(found).len()) }
    }

    /// Whether other rows and shufflings would show this cost too.
    fn is_beyond_chance(&self, cost: &Cost) -> bool {
        // A guess that changes is still a guess: of a model that guesses only the probabilities can depend on a column.
        let counts = cost.measure == Measure::LogLoss || !self.is_guessing();
        counts && cost.is_something() && cost.drop().mean > self.threshold * cost.drop().sd
    }

    /// Whether the column costs something by any measure.
    pub(crate) fn is_clear(&self, column: &Importance) -> bool {
        measures(self.found).iter().any(|&measure| self.is_beyond_chance(&Cost { column, measure }))
    }

    /// Whether the model's predictions may be right as often as when dealt out at random.
    fn is_guessing(&self) -> bool {
        self.found.beyond_chance.mean <= DEVIATIONS * self.found.beyond_chance.sd
    }

    /// `None` where no column was shuffled alone.
    pub(crate) fn most(&self) -> Option<Most<'a>> {
        let costs = |measure| {
            let single = self.found.importance.iter().filter(|one| is_single(one));
            single.map(move |column| Cost { column, measure })
        };
        let larger = |a: &Cost, b: &Cost| a.drop().mean.total_cmp(&b.drop().mean);
        let largest = costs(Measure::Accuracy).max_by(larger)?;
        // What is clear comes before what only looks larger.
        let clear = |&measure| costs(measure).filter(|cost| self.is_beyond_chance(cost)).max_by(larger);
        if let Some(cost) = measures(self.found).iter().find_map(clear) {
            return Some(Most::Clear(cost));
        }
        if self.is_guessing() {
            return Some(Most::Guessing(largest.column));
        }
        let something = |&measure| costs(measure).max_by(larger).filter(Cost::is_something);
        Some(measures(self.found).iter().find_map(something).map_or(Most::Nothing, Most::Unclear))
    }
}

/// The deviations that one of so many normal means exceeds as rarely as a single one exceeds these.
fn corrected(deviations: f64, comparisons: usize) -> f64 {
    let wanted = normal_tail(deviations) / comparisons.max(1) as f64;
    let (mut low, mut high) = (deviations, 40.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if normal_tail(middle) > wanted { low = middle } else { high = middle }
    }
    low
}

/// P(X > z) of the standard normal distribution for z of 2 and more: Laplace's continued fraction.
fn normal_tail(z: f64) -> f64 {
    let fraction = (1..=100).rev().fold(z, |rest, k| z + f64::from(k) / rest);
    (-z * z / 2.0).exp() / (2.0 * PI).sqrt() / fraction
}

/// In words: what the shuffling of a column does.
pub(crate) fn costs(found: &Inspection, cost: &Cost) -> String {
    let much = decimals(cost.drop().mean, 3);
    match cost.measure {
        Measure::LogLoss => format!("adds {much} to {}", score(found, cost.measure)),
        _ => format!("costs {much} of {}", score(found, cost.measure)),
    }
}

/// In words: the cost with the deviation of its mean.
pub(crate) fn with_deviation(found: &Inspection, cost: &Cost) -> String {
    let Drop { mean, sd } = cost.drop();
    let of = if cost.measure == Measure::LogLoss { "on top of" } else { "of" };
    format!("{} ± {} {of} {}", decimals(mean, 3), decimals(sd, 3), score(found, cost.measure))
}

/// The model's own, with its name.
fn score(found: &Inspection, measure: Measure) -> String {
    let scores = &found.scores;
    match measure {
        Measure::Accuracy => format!("accuracy {}", decimals(scores.accuracy, 3)),
        Measure::MacroF1 => format!("macro-F1 {}", decimals(scores.macro_f1, 3)),
        Measure::LogLoss => format!("log loss {}", decimals(scores.log_loss.unwrap_or(f64::NAN), 3)),
    }
}

/// In a line.
pub fn line(found: &Inspection) -> Option<String> {
    let accuracy = decimals(found.scores.accuracy, 3);
    Some(match Judge::new(found).most()? {
        Most::Clear(cost) => {
            format!("most important: {}, whose shuffling {}", cost.column.name, costs(found, &cost))
        }
        Most::Unclear(cost) => format!(
            "no column clearly matters: {} costs most when shuffled, {}",
            cost.column.name,
            with_deviation(found, &cost)
        ),
        Most::Guessing(_) => {
            format!("no column can be called important: accuracy {accuracy} is no better than guessing")
        }
        Most::Nothing => format!("no column matters alone: shuffling one costs nothing of accuracy {accuracy}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use runner_results::{Inputs, Part, scores::Scores};

    /// A column, or several together, by their loss of accuracy and of macro-F1; the log loss does not move.
    fn importance(name: &str, columns: usize, mean: f64, sd: f64) -> Importance {
        let columns = vec![name.to_owned(); columns];
        let accuracy = Drop { mean, sd };
        Importance { name: name.to_owned(), columns, accuracy, macro_f1: accuracy, log_loss: Drop::default() }
    }

    fn of(beyond_chance: f64, all: &[&Importance]) -> Inspection {
        let mut scores = Scores::new(&["a".to_owned()], &[0], &[0]);
        scores.log_loss = Some(0.4);
        Inspection {
            part: Part::Valid,
            repeats: 5,
            scores,
            beyond_chance: Drop { mean: beyond_chance, sd: 0.1 },
            importance: all.iter().map(|one| (*one).clone()).collect(),
            inputs: Inputs::default(),
        }
    }

    #[test]
    fn a_column_matters_if_its_loss_can_be_told_from_nothing() {
        let (strong, noisy) = (importance("strong", 1, 0.1, 0.01), importance("noisy", 1, 0.12, 0.2));
        let (idle, joint) = (importance("idle", 1, 0.0, 0.0), importance("all numbers", 2, 0.4, 0.0));
        let most = |found: &Inspection, wanted: Option<(&str, Measure, bool)>| {
            let named = |cost: Cost, clear| (cost.column.name.clone(), cost.measure, clear);
            let found = match Judge::new(found).most() {
                Some(Most::Clear(cost)) => Some(named(cost, true)),
                Some(Most::Unclear(cost)) => Some(named(cost, false)),
                _ => None,
            };
            assert_eq!(found, wanted.map(|(name, measure, clear)| (name.to_owned(), measure, clear)));
        };
        most(&of(0.3, &[&noisy, &strong, &joint]), Some(("strong", Measure::Accuracy, true)));
        most(&of(0.3, &[&idle, &noisy]), Some(("noisy", Measure::Accuracy, false)));
        assert_eq!(Judge::new(&of(0.3, &[&idle, &joint])).most(), Some(Most::Nothing));
        assert_eq!(Judge::new(&of(0.3, &[&joint])).most(), None);
        // What is no better than guessing can lose nothing.
        assert_eq!(Judge::new(&of(0.15, &[&noisy, &strong])).most(), Some(Most::Guessing(&noisy)));
        assert!(!line(&of(0.15, &[&strong])).unwrap().contains("most important"));
        assert!(!line(&of(0.3, &[&idle, &importance("worse", 1, -0.1, 0.0)])).unwrap().contains("most important"));
    }

    #[test]
    fn any_measure_can_show_that_a_column_matters() {
        let mut quiet = importance("quiet", 1, 0.002, 0.003);
        quiet.macro_f1 = Drop { mean: 0.087, sd: 0.026 };
        let found = of(0.3, &[&quiet]);
        let said = line(&found).unwrap();
        assert_eq!(said, "most important: quiet, whose shuffling costs 0.087 of macro-F1 1.000");
        // Probabilities may depend on a column although the decisions are those of a guess.
        quiet.log_loss = Drop { mean: 0.05, sd: 0.01 };
        let said = line(&of(0.0, &[&quiet])).unwrap();
        assert_eq!(said, "most important: quiet, whose shuffling adds 0.050 to log loss 0.400");
        // Scores that are no probabilities have no log loss.
        let mut found = of(0.0, &[&quiet]);
        found.scores.log_loss = None;
        assert!(matches!(Judge::new(&found).most(), Some(Most::Guessing(_))));
    }

    // from scipy.stats import norm
    // [norm.isf(norm.sf(2) / n) for n in (1, 3, 9, 600, 10**6)]
    #[test]
    fn thresholds_are_those_of_bonferroni() {
        for (comparisons, expected) in THRESHOLDS {
            let found = corrected(DEVIATIONS, comparisons);
            assert!((found - expected).abs() < 1e-9, "{comparisons}: {found}");
        }
    }

    const THRESHOLDS: [(usize, f64); 5] = [
        (1, 2.000000000000),
        (3, 2.428372552610),
        (9, 2.803470552529),
        (600, 3.957198936970),
        (1_000_000, 5.468054248845),
    ];
}
