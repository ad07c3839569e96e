//! What mistakes cost: of each pair of classes, one that a row is of and another one that is predicted.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Costs as they are written: by true class, then by predicted class.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(rename = "CostsOfMistakes")]
pub struct Costs(
    #[schemars(with = "BTreeMap<String, BTreeMap<String, Cost>>")] BTreeMap<String, BTreeMap<String, f64>>,
);

/// The largest cost that can be written: sums over all rows of a table stay exact enough.
const MOST: f64 = 1e12;

/// The cost of one mistake, for the schema.
struct Cost;

impl JsonSchema for Cost {
    fn schema_name() -> Cow<'static, str> {
        "Cost".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "number", "description": "The cost of one mistake.", "minimum": 0, "maximum": MOST})
    }
}

/// More classes have no cost matrix, whose cells are as many as the square of the classes.
pub const MOST_CLASSES: usize = 2_000;

impl Costs {
    /// What is wrong with the values, as (path, message).
    pub fn problems(&self) -> Vec<([&str; 2], String)> {
        let mut found = Vec::new();
        for (truth, row) in &self.0 {
            for (predicted, cost) in row {
                if !(0.0..=MOST).contains(cost) {
                    let message = format!("a cost must be a number from 0 to {MOST:e}; got {cost}");
                    found.push(([truth.as_str(), predicted.as_str()], message));
                } else if truth == predicted && *cost != 0.0 {
                    let message =
                        format!("'{truth}' predicted of a row of '{truth}' is no mistake and costs 0; got {cost}");
                    found.push(([truth.as_str(), predicted.as_str()], message));
                }
            }
        }
        found
    }

    /// Whether nothing is said of any pair.
    pub fn is_empty(&self) -> bool {
        self.0.values().all(BTreeMap::is_empty)
    }

    /// The classes that are named, each once.
    pub fn named(&self) -> BTreeSet<&str> {
        self.0.iter().flat_map(|(truth, row)| std::iter::once(truth).chain(row.keys())).map(String::as_str).collect()
    }

    /// The matrix of so many classes, of which `place` knows the names: 0 for what is right, 1 for each pair that is not named. Names without a place
    /// are of classes that are not there.
    pub fn matrix(&self, classes: usize, place: impl Fn(&str) -> Option<usize>) -> CostMatrix {
        let plain = |truth: usize| (0..classes).map(|predicted| f64::from(u8::from(truth != predicted))).collect();
        let mut matrix: Vec<Vec<f64>> = (0..classes).map(plain).collect();
        for (truth, row) in &self.0 {
            for (predicted, cost) in row {
                if let (Some(truth), Some(predicted)) = (place(truth), place(predicted)) {
                    matrix[truth][predicted] = *cost;
                }
            }
        }
        CostMatrix(matrix)
    }
}

/// `[t][p]`: the cost of a row of class `t` that is predicted to be of class `p`, by their places among the classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CostMatrix(Vec<Vec<f64>>);

impl CostMatrix {
    /// The cost of a row.
    pub fn get(&self, truth: u32, predicted: u32) -> f64 {
        self.0[truth as usize][predicted as usize]
    }

    /// The class of least expected cost under these probabilities; of equals the likeliest, then the first.
    pub fn decide(&self, probabilities: &[f32]) -> u32 {
        let expected =
            |class: usize| self.0.iter().zip(probabilities).map(|(row, &p)| f64::from(p) * row[class]).sum::<f64>();
        let mut best = (f64::INFINITY, 0);
        for class in 0..probabilities.len() {
            let own = expected(class);
            if own < best.0 || (own == best.0 && probabilities[class] > probabilities[best.1]) {
                best = (own, class);
            }
        }
        best.1 as u32
    }

    /// The same costs with the classes in another order: `order[i]` is the place so far of the class at `i`.
    #[must_use]
    pub fn reordered(&self, order: &[usize]) -> CostMatrix {
        CostMatrix(order.iter().map(|&t| order.iter().map(|&p| self.0[t][p]).collect()).collect())
    }

    /// The mean cost of rows by their confusion matrix; `None` of no rows.
    pub fn mean(&self, confusion: &[Vec<u64>]) -> Option<f64> {
        let rows: u64 = confusion.iter().flatten().sum();
        let pairs = confusion.iter().flatten().zip(self.0.iter().flatten());
        (rows > 0).then(|| pairs.map(|(&rows, cost)| rows as f64 * cost).sum::<f64>() / rows as f64)
    }

    /// What is wrong with one that was read, for so many classes.
    pub fn problem(&self, classes: usize) -> Option<String> {
        let is_even = self.0.len() == classes && self.0.iter().all(|row| row.len() == classes);
        if !is_even {
            return Some(format!("its costs are no matrix of {classes} classes"));
        }
        let odd = self.0.iter().flatten().find(|cost| !(0.0..=MOST).contains(*cost));
        odd.map(|cost| format!("a cost of it is {cost}, not a number from 0 to {MOST:e}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(text: &str) -> Costs {
        serde_json::from_str(text).unwrap()
    }

    fn matrix(text: &str, names: &[&str]) -> CostMatrix {
        costs(text).matrix(names.len(), |name| names.iter().position(|own| *own == name))
    }

    #[test]
    fn pairs_that_are_not_named_cost_one_and_what_is_right_nothing() {
        let matrix = self::matrix(r#"{"b": {"a": 5, "c": 0.5, "gone": 7}}"#, &["a", "b", "c"]);
        assert_eq!(matrix, CostMatrix(vec![vec![0.0, 1.0, 1.0], vec![5.0, 0.0, 0.5], vec![1.0, 1.0, 0.0]]));
        let turned = matrix.reordered(&[2, 1, 0]);
        assert_eq!((turned.get(1, 2), turned.get(1, 0), turned.get(0, 1)), (5.0, 0.5, 1.0));
    }

    #[test]
    fn costs_out_of_range_are_told_by_their_place() {
        let wrong = costs(r#"{"a": {"a": 1, "b": -1}, "b": {"a": 1e13, "b": 0}}"#);
        let places: Vec<[&str; 2]> = wrong.problems().into_iter().map(|(place, _)| place).collect();
        assert_eq!(places, [["a", "a"], ["a", "b"], ["b", "a"]]);
    }

    // import numpy as np; C = np.array([[0, 1, 4], [2, 0, 1], [9, 3, 0.]])
    // P = np.array([[.5, .3, .2], [.2, .5, .3], [.8, .15, .05], [1/3] * 3]); (P @ C).argmin(1) -> [1, 1, 0, 1]
    #[test]
    fn predicted_is_the_class_of_least_expected_cost() {
        let matrix = CostMatrix(vec![vec![0.0, 1.0, 4.0], vec![2.0, 0.0, 1.0], vec![9.0, 3.0, 0.0]]);
        let rows = [[0.5, 0.3, 0.2], [0.2, 0.5, 0.3], [0.8, 0.15, 0.05], [1.0 / 3.0; 3]];
        assert_eq!(rows.map(|row| matrix.decide(&row)), [1, 1, 0, 1]);
        let plain = self::matrix("{}", &["a", "b", "c"]);
        assert_eq!(rows[..3].iter().map(|row| plain.decide(row)).collect::<Vec<_>>(), [0, 1, 0], "all mistakes alike");
        assert_eq!(matrix.mean(&[vec![1, 1, 0], vec![0, 2, 0], vec![1, 0, 0]]), Some(2.0));
    }
}
