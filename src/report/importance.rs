//! The most important feature of a model, by permutation importance, and whether that can be told from nothing.
//!
//! One rule for pages, articles and the terminal; each has its own words.

use serde_json::Value;

use super::read::{list, number, text, texts};

/// What shuffling one column, or several together, costs.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    pub name: String,
    /// How many columns are shuffled in one order.
    pub columns: usize,
    /// Mean and standard deviation over the shufflings of the accuracy that is lost.
    pub accuracy: (f64, f64),
}

/// A loss that three decimals show as nothing.
const NOTHING: f64 = 0.0005;
/// A mean within so many deviations of zero might be missing with other shufflings.
const DEVIATIONS: f64 = 2.0;

impl Cost {
    pub(crate) fn read(value: &Value) -> Option<Cost> {
        let drop = value.get("accuracy")?;
        Some(Cost {
            name: text(value, "name")?.to_owned(),
            columns: texts(value.get("columns")).len(),
            accuracy: (number(drop, "mean")?, number(drop, "sd").unwrap_or(f64::NAN)),
        })
    }

    /// All of a document.
    pub fn all(findings: &Value) -> Vec<Cost> {
        list(findings, "importance").filter_map(Cost::read).collect()
    }

    pub fn is_something(&self) -> bool {
        self.accuracy.0 >= NOTHING
    }

    /// Whether other shufflings would show a loss too. A deviation that is not known is taken for none.
    pub fn is_clear(&self) -> bool {
        let (mean, deviation) = self.accuracy;
        self.is_something() && (deviation.is_nan() || mean > DEVIATIONS * deviation)
    }
}

/// The column that costs most alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Most<'a> {
    Clear(&'a Cost),
    /// Its cost is within two deviations of nothing.
    Unclear(&'a Cost),
    /// No column costs anything.
    Nothing,
}

/// `None` where no column was shuffled alone.
pub fn most(all: &[Cost]) -> Option<Most<'_>> {
    let single = || all.iter().filter(|one| one.columns == 1);
    // What is clear comes before what only looks larger.
    let clear = single().filter(|one| one.is_clear());
    let larger = |a: &&Cost, b: &&Cost| a.accuracy.0.total_cmp(&b.accuracy.0);
    if let Some(one) = clear.max_by(larger) {
        return Some(Most::Clear(one));
    }
    let one = single().max_by(larger)?;
    Some(if one.is_something() { Most::Unclear(one) } else { Most::Nothing })
}

/// In a line.
pub fn line(all: &[Cost], accuracy: f64) -> Option<String> {
    Some(match most(all)? {
        Most::Clear(one) => {
            format!(
                "most important: {}, whose shuffling costs {:.3} of accuracy {accuracy:.3}",
                one.name, one.accuracy.0
            )
        }
        Most::Unclear(one) => format!(
            "no column clearly matters: {} costs most when shuffled, {:.3} ± {:.3} of accuracy {accuracy:.3}",
            one.name, one.accuracy.0, one.accuracy.1
        ),
        Most::Nothing => format!("no column matters alone: shuffling one costs nothing of accuracy {accuracy:.3}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(name: &str, columns: usize, mean: f64, deviation: f64) -> Cost {
        Cost { name: name.to_owned(), columns, accuracy: (mean, deviation) }
    }

    #[test]
    fn a_column_matters_if_its_loss_can_be_told_from_nothing() {
        let (strong, noisy) = (cost("strong", 1, 0.1, 0.01), cost("noisy", 1, 0.12, 0.2));
        let (idle, joint) = (cost("idle", 1, 0.0, 0.0), cost("all numbers", 2, 0.4, 0.0));
        let of = |all: &[&Cost]| all.iter().map(|one| (*one).clone()).collect::<Vec<_>>();
        assert_eq!(most(&of(&[&noisy, &strong, &joint])), Some(Most::Clear(&strong)));
        assert_eq!(most(&of(&[&idle, &noisy])), Some(Most::Unclear(&noisy)));
        assert_eq!(most(&of(&[&idle, &joint])), Some(Most::Nothing));
        assert_eq!(most(&of(&[&joint])), None);
        assert!(!line(&of(&[&idle, &cost("worse", 1, -0.1, 0.0)]), 0.5).unwrap().contains("most important"));
    }
}
