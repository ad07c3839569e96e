//! What a model said of every row that it did not learn from: the port `predictions`, which comparisons read.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use anyhow::anyhow;
use arrow::array::{ArrayRef, AsArray, Float32Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{Field, Float32Type, Schema};

use super::class_order;
use super::columns::{GROUP, LABEL, MODEL, PART, PREDICTED, ROW_ID, class_of, integers, probability_of, strings};
use super::dataset::{self, Dataset};
use runner_artifact::Table;
use runner_ml::calibration::Calibration;
use runner_ml::matrix::Matrix;
use runner_ml::split::connected_groups;

/// Field metadata of the predicted class: the JSON of [`Calibration::decision`] by model; a stage's only model has the name ``.
const DECISION: &str = "decision";
/// Field metadata of the predicted class: the positive one of two.
const POSITIVE: &str = "positive";

/// Collects rows of the table: the model (where there are several), the row's number, its group (where there are any), part and label, the predicted
/// class, and every class' probability.
pub(super) struct Predictions<'a> {
    data: &'a Dataset,
    models: Vec<String>,
    row_id: Vec<i64>,
    groups: Vec<i64>,
    /// By model.
    decisions: BTreeMap<String, Vec<f64>>,
    parts: Vec<String>,
    labels: Vec<&'a str>,
    predicted: Vec<&'a str>,
    /// By class.
    probabilities: Vec<Vec<f32>>,
}

impl<'a> Predictions<'a> {
    pub(crate) fn new(data: &'a Dataset) -> Self {
        Predictions {
            data,
            models: Vec::new(),
            row_id: Vec::new(),
            groups: Vec::new(),
            decisions: BTreeMap::new(),
            parts: Vec::new(),
            labels: Vec::new(),
            predicted: Vec::new(),
            probabilities: vec![Vec::new(); data.classes.len()],
        }
    }

    /// Notes how a model chooses among its probabilities, for averages of it with others.
    pub(crate) fn decide(&mut self, model: Option<&str>, calibration: &Calibration) {
        if !calibration.decision.is_empty() {
            self.decisions.insert(model.unwrap_or_default().to_owned(), calibration.decision.clone());
        }
    }

    /// Adds the rows of one part; `rows` are indices into the dataset, in the order of the probabilities' rows and of the predicted classes.
    pub(crate) fn add(
        &mut self,
        model: Option<&str>,
        part: &str,
        rows: &[usize],
        probabilities: &Matrix,
        predicted: &[u32],
    ) {
        let classes = &self.data.classes;
        self.models.extend(model.iter().flat_map(|model| rows.iter().map(|_| (*model).to_owned())));
        self.row_id.extend(rows.iter().map(|&i| self.data.row_id[i]));
        if !self.data.groups.is_empty() {
            self.groups.extend(rows.iter().map(|&i| self.data.groups[i]));
        }
        self.parts.extend(rows.iter().map(|_| part.to_owned()));
        self.labels.extend(rows.iter().map(|&i| classes[self.data.labels[i] as usize].as_str()));
        self.predicted.extend(predicted.iter().map(|&class| classes[class as usize].as_str()));
        for (c, column) in self.probabilities.iter_mut().enumerate() {
            column.extend((0..probabilities.rows).map(|i| probabilities.get(i, c)));
        }
    }

    pub(crate) fn table(self) -> anyhow::Result<Table> {
        let mut columns: Vec<(String, ArrayRef)> = Vec::new();
        if !self.models.is_empty() {
            columns.push((MODEL.to_owned(), Arc::new(StringArray::from(self.models))));
        }
        columns.push((ROW_ID.to_owned(), Arc::new(Int64Array::from(self.row_id))));
        if !self.groups.is_empty() {
            columns.push((GROUP.to_owned(), Arc::new(Int64Array::from(self.groups))));
        }
        columns.push((PART.to_owned(), Arc::new(StringArray::from(self.parts))));
        columns.push((LABEL.to_owned(), Arc::new(StringArray::from(self.labels))));
        columns.push((PREDICTED.to_owned(), Arc::new(StringArray::from(self.predicted))));
        for (class, values) in self.data.classes.iter().zip(self.probabilities) {
            columns.push((probability_of(class), Arc::new(Float32Array::from(values))));
        }
        let table = Table::from_columns(columns)?;
        let mut told = HashMap::new();
        if !self.decisions.is_empty() {
            told.insert(DECISION.to_owned(), serde_json::to_string(&self.decisions)?);
        }
        if let Some(positive) = self.data.scoring.positive {
            told.insert(POSITIVE.to_owned(), self.data.classes[positive as usize].clone());
        }
        if self.data.scoring.is_ordered {
            class_order::tell(&mut told, &self.data.classes)?;
        }
        if told.is_empty() {
            return Ok(table);
        }
        let schema = table.schema();
        let fields = schema.fields().iter().map(|field| match field.name() == PREDICTED {
            true => field.as_ref().clone().with_metadata(told.clone()),
            false => field.as_ref().clone(),
        });
        let schema = Schema::new(fields.collect::<Vec<Field>>());
        Ok(Table::new(RecordBatch::try_new(Arc::new(schema), table.batch().columns().to_vec())?))
    }
}

/// One model's part of such a table.
pub(super) struct ModelPredictions {
    /// Of several models of one stage, this one's name.
    pub(crate) model: Option<String>,
    pub(crate) row_id: Vec<i64>,
    /// Of each row; empty where every row stands alone.
    pub(crate) groups: Vec<i64>,
    pub(crate) parts: Vec<String>,
    pub(crate) labels: Vec<String>,
    pub predicted: Vec<String>,
    /// As in [`Calibration`], by the model's own order of classes.
    pub(crate) decision: Vec<f64>,
    /// The positive class of two.
    pub(crate) positive: Option<String>,
    /// Whether the classes have an order, that of `classes`.
    pub(crate) is_ordered: bool,
    pub(crate) classes: Vec<String>,
    /// Rows × classes.
    pub probabilities: Matrix,
}

impl ModelPredictions {
    /// What every model of the table says, in the table's order.
    pub(crate) fn read(table: &Table) -> anyhow::Result<Vec<ModelPredictions>> {
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
        let (groups, predicted) = (dataset::groups(table)?, whole(PREDICTED)?);
        let decisions = decisions(table)?;
        let (positive, is_ordered) = (positive(table)?, is_ordered(table)?);
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
            ModelPredictions {
                model: model.cloned(),
                row_id: rows.iter().map(|&i| row_id[i]).collect(),
                groups: if groups.is_empty() { Vec::new() } else { rows.iter().map(|&i| groups[i]).collect() },
                predicted: rows.iter().map(|&i| predicted[i].clone()).collect(),
                decision: decisions.get(model.map_or("", String::as_str)).cloned().unwrap_or_default(),
                parts: rows.iter().map(|&i| parts[i].clone()).collect(),
                labels: rows.iter().map(|&i| labels[i].clone()).collect(),
                probabilities: Matrix::from_vec(rows.len(), classes.len(), data),
                classes: classes.clone(),
                positive: positive.clone(),
                is_ordered,
            }
        };
        Ok(order.into_iter().map(one).collect())
    }

    /// `STAGE` or `STAGE/MODEL`.
    pub(crate) fn name(&self, stage: &str) -> String {
        self.model.as_ref().map_or_else(|| stage.to_owned(), |model| format!("{stage}/{model}"))
    }
}

/// The positive class of two, where the table tells it.
pub(super) fn positive(table: &Table) -> anyhow::Result<Option<String>> {
    Ok(table.schema().field_with_name(PREDICTED)?.metadata().get(POSITIVE).cloned())
}

/// Whether the classes have an order, in which the columns of their probabilities stand.
pub(super) fn is_ordered(table: &Table) -> anyhow::Result<bool> {
    Ok(class_order::of_field(table.schema().field_with_name(PREDICTED)?).is_some())
}

fn decisions(table: &Table) -> anyhow::Result<BTreeMap<String, Vec<f64>>> {
    let schema = table.schema();
    let how = schema.field_with_name(PREDICTED)?.metadata().get(DECISION);
    Ok(how.map(|how| serde_json::from_str(how)).transpose()?.unwrap_or_default())
}

/// One grouping of rows from those of several tables, for the same rows in the same order: rows stay together that any of them keeps together. Empty where
/// none has groups.
pub(super) fn united_groups(all: &[&[i64]]) -> Vec<i64> {
    let mut kinds: Vec<&[i64]> = all.iter().copied().filter(|groups| !groups.is_empty()).collect();
    kinds.dedup();
    match kinds.as_slice() {
        [] => Vec::new(),
        [only] => only.to_vec(),
        several => {
            let texts: Vec<Vec<String>> =
                several.iter().map(|groups| groups.iter().map(i64::to_string).collect()).collect();
            let keys: Vec<Vec<Option<&str>>> =
                texts.iter().map(|texts| texts.iter().map(|text| Some(text.as_str())).collect()).collect();
            connected_groups(keys[0].len(), &keys).into_iter().map(i64::from).collect()
        }
    }
}
