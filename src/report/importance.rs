//! The most important feature of a model, by permutation importance, and whether that can be told from nothing.
//!
//! One rule for pages, articles and the terminal; each has its own words.

use runner_results::inspection::Importance;
use runner_results::inspection::Inspection;

/// A loss that three decimals show as nothing.
const NOTHING: f64 = 0.0005;
/// A mean within so many deviations of zero might be missing with other rows and shufflings.
const DEVIATIONS: f64 = 2.0;

fn is_something(one: &Importance) -> bool {
    one.accuracy.mean >= NOTHING
}

/// Whether other rows and shufflings would show a loss of accuracy too.
pub(crate) fn is_clear(one: &Importance) -> bool {
    is_something(one) && one.accuracy.mean > DEVIATIONS * one.accuracy.sd
}

/// Whether the model's predictions may be right as often as when dealt out at random.
fn is_guessing(found: &Inspection) -> bool {
    found.beyond_chance.mean <= DEVIATIONS * found.beyond_chance.sd
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
    /// The model is not better than guessing, so that nothing can be lost; but this column costs most.
    Guessing(&'a Importance),
}

/// `None` where no column was shuffled alone.
pub(crate) fn most(found: &Inspection) -> Option<Most<'_>> {
    let all = &found.importance;
    let single = || all.iter().filter(|one| is_single(one));
    let larger = |a: &&Importance, b: &&Importance| a.accuracy.mean.total_cmp(&b.accuracy.mean);
    // What is clear comes before what only looks larger.
    let clear = single().filter(|one| is_clear(one));
    if is_guessing(found) {
        return single().max_by(larger).map(Most::Guessing);
    }
    if let Some(one) = clear.max_by(larger) {
        return Some(Most::Clear(one));
    }
    let one = single().max_by(larger)?;
    Some(if is_something(one) { Most::Unclear(one) } else { Most::Nothing })
}

/// In a line.
pub fn line(found: &Inspection) -> Option<String> {
    let accuracy = found.scores.accuracy;
    Some(match most(found)? {
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
        Most::Guessing(_) => {
            format!("no column can be called important: accuracy {accuracy:.3} is no better than guessing")
        }
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
        let of = |beyond_chance: f64, all: &[&Importance]| Inspection {
            part: Part::Valid,
            repeats: 5,
            scores: Scores::new(&["a".to_owned()], &[0], &[0]),
            beyond_chance: Drop { mean: beyond_chance, sd: 0.1 },
            importance: all.iter().map(|one| (*one).clone()).collect(),
            inputs: Inputs::default(),
        };
        assert_eq!(most(&of(0.3, &[&noisy, &strong, &joint])), Some(Most::Clear(&strong)));
        assert_eq!(most(&of(0.3, &[&idle, &noisy])), Some(Most::Unclear(&noisy)));
        assert_eq!(most(&of(0.3, &[&idle, &joint])), Some(Most::Nothing));
        assert_eq!(most(&of(0.3, &[&joint])), None);
        // What is no better than guessing can lose nothing.
        assert_eq!(most(&of(0.15, &[&noisy, &strong])), Some(Most::Guessing(&noisy)));
        assert!(!line(&of(0.15, &[&strong])).unwrap().contains("most important"));
        assert!(!line(&of(0.3, &[&idle, &importance("worse", 1, -0.1, 0.0)])).unwrap().contains("most important"));
    }
}
