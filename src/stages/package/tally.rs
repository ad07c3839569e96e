//! Scores of predictions for rows whose class their file tells: row by row, so that the file may be larger than the memory.

use std::collections::HashMap;

use super::{Package, Said};
use crate::columns::strings;
use runner_artifact::Table;
use runner_results::scores::Scores;
use runner_tabular::alike;

/// Texts of labels whose class is remembered: a column of the label's name may hold anything.
const KNOWN: usize = 10_000;

/// What is counted.
pub struct Tally {
    label: String,
    classes: Vec<String>,
    /// The class of texts that occurred, of at most [`KNOWN`].
    known: HashMap<String, Option<u32>>,
    /// Rows by true and by predicted class.
    confusion: Vec<Vec<u64>>,
    /// Of −ln p of the true class; `None` of a model without probabilities.
    loss: Option<f64>,
    without: u64,
    foreign: u64,
    example: Option<String>,
}

/// Scores of rows with a label.
pub struct Tallied {
    /// Of the rows whose label is a class of the model.
    pub scores: Scores,
    /// Rows without a label.
    pub without: u64,
    /// Rows whose label is no class of the model.
    pub foreign: u64,
    /// The first such label.
    pub example: Option<String>,
}

impl Tally {
    /// For a file with these columns, if the label is among them.
    pub fn new(package: &Package, columns: &[String]) -> Option<Tally> {
        if !package.reads_label(columns) {
            return None;
        }
        let classes = package.classes().to_vec();
        Some(Tally {
            label: package.label().to_owned(),
            known: HashMap::new(),
            confusion: vec![vec![0; classes.len()]; classes.len()],
            loss: package.is_probabilistic().then_some(0.0),
            without: 0,
            foreign: 0,
            example: None,
            classes,
        })
    }

    /// Counts rows that were read by the package's options.
    ///
    /// # Errors
    /// They do not have the label.
    pub fn add(&mut self, rows: &Table, said: &Said) -> anyhow::Result<()> {
        for (row, label) in strings(rows, &self.label)?.into_iter().enumerate() {
            let text = label.as_deref().map(str::trim).filter(|text| !text.is_empty());
            let Some(text) = text else {
                self.without += 1;
                continue;
            };
            let Some(class) = self.class(text) else {
                self.foreign += 1;
                self.example.get_or_insert_with(|| text.to_owned());
                continue;
            };
            self.confusion[class as usize][said.predicted[row] as usize] += 1;
            if let Some(loss) = &mut self.loss {
                // As scikit-learn's `log_loss` bounds it.
                *loss -= f64::from(said.probabilities.get(row, class as usize)).max(1e-15).ln();
            }
        }
        Ok(())
    }

    fn class(&mut self, text: &str) -> Option<u32> {
        if let Some(known) = self.known.get(text) {
            return *known;
        }
        let place = self.classes.iter().position(|class| class == text);
        let place = place.or_else(|| self.classes.iter().position(|class| alike(class, text).is_some()));
        let class = place.map(|place| place as u32);
        if self.known.len() < KNOWN {
            self.known.insert(text.to_owned(), class);
        }
        class
    }

    /// What came out.
    pub fn finish(self) -> Tallied {
        let mut scores = Scores::of_confusion(&self.classes, self.confusion);
        scores.log_loss = self.loss.filter(|_| scores.rows > 0).map(|loss| loss / scores.rows as f64);
        Tallied { scores, without: self.without, foreign: self.foreign, example: self.example }
    }
}
