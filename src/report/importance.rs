//! The most important feature of a model, by permutation importance, and whether that can be told from nothing.
//!
//! One rule for pages, articles and the terminal; each has its own words.

use runner_results::inspection::Importance;
use runner_results::inspection::Inspection;

/// A loss that three decimals show as nothing.
const NOTHING: f64 = 0.0005;
/// A mean within so many deviations of zero might be missing with other shufflings.
const DEVIATIONS: f64 = 2.0;

fn is_something(one: &Importance) -> bool {
    one.accuracy.mean >= NOTHING
}

/// Whether other shufflings would show a loss of accuracy too.
pub(crate) fn is_clear(one: &Importance) -> bool {
    is_something(one) && one.accuracy.mean > DEVIATIONS * one.accuracy.sd
}

/// Whether one column was shuffled, not several together.
pub(crate) fn is_single(one: &Importance) -> bool {
    one.columns.len() == 1
}

/// The column that costs most alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Most<'a> {
    Clear(&'a Importance),
    /// Its cost is within two deviations of nothing.
    Unclear(&'a Importance),
    /// No column costs anything.
    Nothing,
}

/// `None` where no column was shuffled alone.
pub(crate) fn most(all: &[Importance]) -> Option<Most<'_>> {
    let single = || all.iter().filter(|one| is_single(one));
    // What is clear comes before what only looks larger.
    let clear = single().filter(|one| is_clear(one));
    let larger = |a: &&Importance, b: &&Importance| a.accuracy.mean.total_cmp(&b.accuracy.mean);
    if let Some(one) = clear.max_by(larger) {
        return Some(Most::Clear(one));
    }
    let one = single().max_by(larger)?;
    Some(if is_something(one) { Most::Unclear(one) } else { Most::Nothing })
}

/// In a line.
pub fn line(found: &Inspection) -> Option<String> {
    let accuracy = found.scores.accuracy;
    Some(match most(&found.importance)? {
        Most::Clear(one) => {
            format!(
                "most important: {}, whose shuffling costs {:.3} of accuracy {accuracy:.3}",
                one.name, one.accuracy.mean
            )
        }
        Most::Unclear(one) => format!(
            "no column clearly matters: {} costs most when shuffled, {:.3} ± {:.3} of accuracy {accuracy:.3}",
            one.name, one.accuracy.mean, one.accuracy.sd
        ),
        Most::Nothing => format!("no column matters alone: shuffling one costs nothing of accuracy {accuracy:.3}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use runner_results::inspection::Drop;
    use runner_results::{Inputs, Part, scores::Scores};

    fn importance(name: &str, columns: usize, mean: f64, sd: f64) -> Importance {
        let columns = vec![name.to_owned(); columns];
        let accuracy = Drop { mean, sd };
        Importance { name: name.to_owned(), columns, accuracy, macro_f1: accuracy, log_loss: accuracy }
    }

    #[test]
    fn a_column_matters_if_its_loss_can_be_told_from_nothing() {
        let (strong, noisy) = (importance("strong", 1, 0.1, 0.01), importance("noisy", 1, 0.12, 0.2));
        let (idle, joint) = (importance("idle", 1, 0.0, 0.0), importance("all numbers", 2, 0.4, 0.0));
        let of = |all: &[&Importance]| all.iter().map(|one| (*one).clone()).collect::<Vec<_>>();
        assert_eq!(most(&of(&[&noisy, &strong, &joint])), Some(Most::Clear(&strong)));
        assert_eq!(most(&of(&[&idle, &noisy])), Some(Most::Unclear(&noisy)));
        assert_eq!(most(&of(&[&idle, &joint])), Some(Most::Nothing));
        assert_eq!(most(&of(&[&joint])), None);
        let found = Inspection {
            part: Part::Valid,
            repeats: 5,
            scores: Scores::new(&["a".to_owned()], &[0], &[0]),
            importance: of(&[&idle, &importance("worse", 1, -0.1, 0.0)]),
            inputs: Inputs::default(),
        };
        assert!(!line(&found).unwrap().contains("most important"));
    }
}
