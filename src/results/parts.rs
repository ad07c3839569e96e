//! Something of each part of a split.

use serde::{Deserialize, Serialize};

use crate::part::Part;

/// By part; absent of a part without rows, and of one that nobody asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts<T> {
    /// What is known of the training part.
    #[serde(skip_serializing_if = "Option::is_none", default = "Option::default")]
    pub train: Option<T>,
    /// What is known of the validation part.
    #[serde(skip_serializing_if = "Option::is_none", default = "Option::default")]
    pub valid: Option<T>,
    /// What is known of the test part.
    #[serde(skip_serializing_if = "Option::is_none", default = "Option::default")]
    pub test: Option<T>,
}

impl<T> Default for Parts<T> {
    fn default() -> Self {
        Parts { train: None, valid: None, test: None }
    }
}

impl<T> Parts<T> {
    /// Of a part that the model did not learn from.
    pub fn get(&self, part: Part) -> Option<&T> {
        match part {
            Part::Valid => self.valid.as_ref(),
            Part::Test => self.test.as_ref(),
        }
    }

    /// Replaces the value of a part.
    pub fn set(&mut self, part: Part, value: T) {
        match part {
            Part::Valid => self.valid = Some(value),
            Part::Test => self.test = Some(value),
        }
    }

    /// What there is, in the order train, valid, test.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        [&self.train, &self.valid, &self.test].into_iter().flatten()
    }

    /// Of the test part, else of the validation part: what a model is judged by.
    pub fn judged(&self) -> Option<(Part, &T)> {
        [Part::Test, Part::Valid].into_iter().find_map(|part| Some((part, self.get(part)?)))
    }
}
