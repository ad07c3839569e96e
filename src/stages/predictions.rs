//! What a model said of every row that it did not learn from: the port `predictions`, which comparisons read.
//!
//! Knows nothing of how the probabilities came about, nor of comparisons.

use std::sync::Arc;

use anyhow::anyhow;
use arrow::array::{ArrayRef, AsArray, Float32Array, Int64Array, StringArray};
use arrow::datatypes::Float32Type;

use super::columns::{LABEL, MODEL, PART, PREDICTED, ROW_ID, class_of, integers, probability_of, strings};
use super::dataset::Dataset;
use crate::artifact::{Table, TableError};
use crate::ml::matrix::Matrix;

/// Collects rows of the table: the model (where there are several), the row's number, part and label, the predicted class, and every class'
/// probability.
pub(super) struct Predictions<'a> {
    data: &'a Dataset,
    models: Vec<String>,
    row_id: Vec<i64>,
    parts: Vec<String>,
    labels: Vec<&'a str>,
    predicted: Vec<&'a str>,
    /// By class.
    probabilities: Vec<Vec<f32>>,
}

impl<'a> Predictions<'a> {
    pub fn new(data: &'a Dataset) -> Self {
        Predictions {
            data,
            models: Vec::new(),
            row_id: Vec::new(),
            parts: Vec::new(),
            labels: Vec::new(),
            predicted: Vec::new(),
            probabilities: vec![Vec::new(); data.classes.len()],
        }
    }

    /// Adds the rows of one part; `rows` are indices into the dataset, in the order of the probabilities' rows.
    pub fn add(&mut self, model: Option<&str>, part: &str, rows: &[usize], probabilities: &Matrix) {
        let classes = &self.data.classes;
        self.models.extend(model.iter().flat_map(|model| rows.iter().map(|_| (*model).to_owned())));
        self.row_id.extend(rows.iter().map(|&i| self.data.row_id[i]));
        self.parts.extend(rows.iter().map(|_| part.to_owned()));
        self.labels.extend(rows.iter().map(|&i| classes[self.data.labels[i] as usize].as_str()));
        self.predicted.extend(probabilities.argmax_rows().iter().map(|&class| classes[class as usize].as_str()));
        for (c, column) in self.probabilities.iter_mut().enumerate() {
            column.extend((0..probabilities.rows).map(|i| probabilities.get(i, c)));
        }
    }

    pub fn table(self) -> Result<Table, TableError> {
        let mut columns: Vec<(String, ArrayRef)> = Vec::new();
        if !self.models.is_empty() {
            columns.push((MODEL.to_owned(), Arc::new(StringArray::from(self.models))));
        }
        columns.push((ROW_ID.to_owned(), Arc::new(Int64Array::from(self.row_id))));
        columns.push((PART.to_owned(), Arc::new(StringArray::from(self.parts))));
        columns.push((LABEL.to_owned(), Arc::new(StringArray::from(self.labels))));
        columns.push((PREDICTED.to_owned(), Arc::new(StringArray::from(self.predicted))));
        for (class, values) in self.data.classes.iter().zip(self.probabilities) {
            columns.push((probability_of(class), Arc::new(Float32Array::from(values))));
        }
        Table::from_columns(columns)
    }
}

/// One model's part of such a table.
pub(super) struct Said {
    /// Of several models of one stage, this one's name.
    pub model: Option<String>,
    pub row_id: Vec<i64>,
    pub parts: Vec<String>,
    pub labels: Vec<String>,
    pub classes: Vec<String>,
    /// Rows × classes.
    pub probabilities: Matrix,
}

impl Said {
    /// What every model of the table says, in the table's order.
    pub fn read(table: &Table) -> anyhow::Result<Vec<Said>> {
        let whole = |name: &str| -> anyhow::Result<Vec<String>> {
            let values: Option<Vec<String>> = strings(table, name)?.into_iter().collect();
            values.ok_or_else(|| anyhow!("column '{name}' of the predictions has missing values"))
        };
        let names = table.column_names();
        let classes: Vec<String> = names.iter().filter_map(|name| class_of(name)).map(str::to_owned).collect();
        let mut columns = Vec::new();
        for class in &classes {
            let column = table.column(&probability_of(class))?.as_primitive_opt::<Float32Type>();
            columns.push(column.ok_or_else(|| anyhow!("'{}' does not hold f32", probability_of(class)))?.values());
        }
        let (row_id, parts, labels) = (integers(table, ROW_ID)?, whole(PART)?, whole(LABEL)?);
        let models = if names.iter().any(|name| name == MODEL) { whole(MODEL)? } else { Vec::new() };
        let mut order: Vec<Option<&String>> = Vec::new();
        for i in 0..table.rows() {
            if !order.contains(&models.get(i)) {
                order.push(models.get(i));
            }
        }
        let one = |model: Option<&String>| {
            let rows: Vec<usize> = (0..table.rows()).filter(|&i| models.get(i) == model).collect();
            let data = rows.iter().flat_map(|&i| columns.iter().map(move |column| column[i])).collect();
            Said {
                model: model.cloned(),
                row_id: rows.iter().map(|&i| row_id[i]).collect(),
                parts: rows.iter().map(|&i| parts[i].clone()).collect(),
                labels: rows.iter().map(|&i| labels[i].clone()).collect(),
                probabilities: Matrix::from_vec(rows.len(), classes.len(), data),
                classes: classes.clone(),
            }
        };
        Ok(order.into_iter().map(one).collect())
    }

    /// `STAGE` or `STAGE/MODEL`.
    pub fn name(&self, stage: &str) -> String {
        self.model.as_ref().map_or_else(|| stage.to_owned(), |model| format!("{stage}/{model}"))
    }
}
