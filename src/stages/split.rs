//! `split`: train / valid / test and folds, stratified by label, with linked rows kept together.
//!
//! Knows nothing of models.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{anyhow, bail};
use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::dataset::{self, FOLD, GROUP, LABEL, LABEL_NAME, PART};
use crate::artifact::Table;
use crate::engine::{Arity, CheckContext, InputPort, OutputPort, PortType, Stage, StageContext};
use crate::ml::split::{self, Part, SplitOptions};
use crate::ml::stats::{Clusters, FEW_GROUPS};
use crate::tabular::Filter;

/// Splits the labelled rows. Port `rows` has them all with `label`, `part` and `fold`, and with `groups` the group of each row; `train`, `valid` and `test`
/// have their own.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// The column to predict; the `label` of the `load` stage unless given.
    #[serde(default)]
    label: Option<String>,
    /// Keys whose equal values must not be torn apart: a column, or a list of columns that count together. Rows linked by any key, also over others, stay together.
    #[serde(default)]
    groups: Vec<GroupKey>,
    /// Share of the rows to learn from.
    #[serde(default = "default_train")]
    train: f64,
    /// Share of the rows to choose with: epochs, architectures, strategies.
    #[serde(default = "default_valid")]
    valid: f64,
    /// Share of the rows that only the last score sees.
    #[serde(default = "default_valid")]
    test: f64,
    /// Folds of the training part, for cross-validation.
    #[serde(default = "default_folds")]
    folds: usize,
    /// Rows to keep.
    #[serde(default, rename = "where")]
    filter: Filter,
}

fn default_train() -> f64 {
    0.7
}

fn default_valid() -> f64 {
    0.15
}

fn default_folds() -> usize {
    5
}

/// A column, or columns that count together, e.g. `[track_name, track_artist]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a column's name or a list of names")]
pub(super) enum GroupKey {
    Column(String),
    Columns(Vec<String>),
}

impl GroupKey {
    pub fn columns(&self) -> &[String] {
        match self {
            GroupKey::Column(name) => std::slice::from_ref(name),
            GroupKey::Columns(names) => names,
        }
    }

    /// `track_name + track_artist`.
    pub fn name(&self) -> String {
        self.columns().join(" + ")
    }

    /// The key of every row; a row that lacks one of the columns has none.
    pub fn values(&self, table: &Table) -> anyhow::Result<Vec<Option<String>>> {
        let columns = self.columns().iter().map(|name| dataset::strings(table, name));
        let columns = columns.collect::<anyhow::Result<Vec<_>>>()?;
        let key = |i: usize| -> Option<String> {
            let parts: Option<Vec<&str>> = columns.iter().map(|column| column[i].as_deref()).collect();
            // U+001F separates units; titles do not hold it.
            parts.map(|parts| parts.join("\u{1f}"))
        };
        Ok((0..table.rows()).map(key).collect())
    }

    /// Finds columns that are not there.
    pub fn check(keys: &[GroupKey], context: &mut CheckContext) {
        for (i, key) in keys.iter().enumerate() {
            let index = i.to_string();
            let path: &[&str] = &["groups", &index];
            context.require("rows", path, key.columns());
        }
    }
}

impl Stage for Split {
    const KIND: &'static str = "split";
    const VERSION: u32 = 2;
    const SUMMARY: &'static str = "train, valid, test and folds: stratified, groups kept together";
    const INPUTS: &'static [InputPort] =
        &[InputPort::table("rows", Arity::Many, "the rows to split, e.g. a `load` stage")];

    fn outputs(&self) -> Vec<OutputPort> {
        let tables = ["rows", "train", "valid", "test"].map(|name| OutputPort::new(name, PortType::Table));
        tables.into_iter().chain([OutputPort::new("summary", PortType::Json)]).collect()
    }

    fn check(&self, context: &mut CheckContext) {
        GroupKey::check(&self.groups, context);
        let filtered: Vec<String> = self.filter.columns().map(str::to_owned).collect();
        context.require("rows", &["where"], &filtered);
        if let Some(label) = &self.label {
            context.require("rows", &["label"], std::slice::from_ref(label));
        }
        if let Err(error) = split::check_options(&self.options()) {
            context.problem(&[], error.to_string(), None);
        }
        let label = self.label.clone().or_else(|| context.fact("rows", LABEL).map(str::to_owned));
        for port in ["rows", "train", "valid", "test"] {
            label.iter().for_each(|label| context.tell(port, LABEL, label));
        }
        if let Some(shape) = context.inputs("rows").first().cloned()
            && let Some(columns) = shape.columns
        {
            let added = [LABEL, PART, FOLD, GROUP];
            let kept = columns.into_iter().filter(|name| name != "record" && !added.contains(&name.as_str()));
            let added = added.into_iter().filter(|name| *name != GROUP || !self.groups.is_empty());
            let columns: Vec<String> = kept.chain(added.map(str::to_owned)).collect();
            ["rows", "train", "valid", "test"].iter().for_each(|port| context.output(port, columns.clone()));
        }
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let tables = context.inputs("rows").iter().map(|input| input.table()).collect::<anyhow::Result<Vec<_>>>()?;
        let schema = tables.first().ok_or_else(|| anyhow!("no rows are connected"))?.schema();
        let batches: Vec<&RecordBatch> = tables.iter().map(Table::batch).collect();
        let all = Table::new(arrow::compute::concat_batches(&schema, batches)?);
        let label = self.label_column(&all)?;
        let (rows, labels) = labelled(&dataset::filtered(&all, &self.filter)?, &label)?;
        let mut classes: Vec<&String> = labels.iter().collect();
        classes.sort_unstable();
        classes.dedup();
        let index: HashMap<&String, u32> = classes.iter().enumerate().map(|(i, class)| (*class, i as u32)).collect();
        let codes: Vec<u32> = labels.iter().map(|label| index[label]).collect();
        let groups = self.groups.iter().map(|key| key.values(&rows)).collect::<anyhow::Result<Vec<_>>>()?;
        let groups: Vec<Vec<Option<&str>>> =
            groups.iter().map(|values| values.iter().map(Option::as_deref).collect()).collect();
        let names: Vec<String> = classes.iter().map(|class| (*class).clone()).collect();
        let split = split::split(&codes, &names, &groups, &self.options(), context.seed())?;
        let rows = with_parts(&rows, &label, &labels, &split, !self.groups.is_empty())?;
        context.put_table("rows", &rows)?;
        for (name, part) in [("train", Part::Train), ("valid", Part::Valid), ("test", Part::Test)] {
            let own: BooleanArray = split.part.iter().map(|found| Some(*found == part)).collect();
            context.put_table(name, &Table::new(arrow::compute::filter_record_batch(rows.batch(), &own)?))?;
        }
        let mut parts = serde_json::Map::new();
        for (name, part) in [("train", Part::Train), ("valid", Part::Valid), ("test", Part::Test)] {
            let own: Vec<usize> = (0..codes.len()).filter(|&i| split.part[i] == part).collect();
            let counts: serde_json::Map<String, serde_json::Value> = (names.iter().enumerate())
                .map(|(c, class)| (class.clone(), json!(own.iter().filter(|&&i| codes[i] as usize == c).count())))
                .collect();
            let numbers: Vec<u32> = own.iter().map(|&i| split.group[i]).collect();
            let clusters = Clusters::of(&numbers);
            if clusters.are_few() && part == Part::Test {
                let found = clusters.groups().unwrap_or(own.len());
                context.report().warn(&format!(
                    "the {name} part has {found} groups, which tell as much as {:.0} of equal size: the intervals and tests of its scores, which resample \
                     groups, are wide and rough below {FEW_GROUPS:.0}; give it a larger share, or narrower `groups`",
                    clusters.effective()
                ));
            }
            let groups = clusters.groups().unwrap_or(own.len());
            parts.insert(name.to_owned(), json!({"rows": own.len(), "groups": groups, "classes": counts}));
        }
        let count = split.group.iter().max().map_or(0, |&last| last as usize + 1);
        let keys: Vec<String> = self.groups.iter().map(GroupKey::name).collect();
        let unlabelled = all.rows() - rows.rows();
        let summary = json!({
            "label": label, "parts": parts, "groups": count, "group_keys": keys, "folds": self.folds, "left_out": unlabelled,
        });
        context.put_json("summary", "split.json", &summary)?;
        let of = |part| split.part.iter().filter(|found| **found == part).count();
        let (train, valid, test) = (of(Part::Train), of(Part::Valid), of(Part::Test));
        context.headline(format!("{train} train, {valid} valid, {test} test rows in {count} groups"));
        Ok(())
    }
}

impl Split {
    fn options(&self) -> SplitOptions {
        SplitOptions { train: self.train, valid: self.valid, test: self.test, folds: self.folds }
    }

    /// The declared label, or the one that `load` marked.
    fn label_column(&self, rows: &Table) -> anyhow::Result<String> {
        if let Some(label) = &self.label {
            return Ok(label.clone());
        }
        let schema = rows.schema();
        let marked = schema.fields().iter().find(|field| field.metadata().contains_key(LABEL_NAME));
        marked
            .map(|field| field.name().clone())
            .ok_or_else(|| anyhow!("no label: set `label` here or in the `load` stage"))
    }
}

/// The rows that have a label, and their labels.
fn labelled(rows: &Table, label: &str) -> anyhow::Result<(Table, Vec<String>)> {
    let labels = dataset::strings(rows, label)?;
    let has: Vec<bool> = labels.iter().map(Option::is_some).collect();
    let kept = arrow::compute::filter_record_batch(rows.batch(), &BooleanArray::from(has))?;
    if kept.num_rows() == 0 {
        bail!("no row has a value in the label column '{label}'");
    }
    Ok((Table::new(kept), labels.into_iter().flatten().collect()))
}

/// The rows without their raw records, with `label`, `part` and `fold`, and if wanted the group.
fn with_parts(
    rows: &Table,
    label: &str,
    labels: &[String],
    split: &split::Split,
    grouped: bool,
) -> anyhow::Result<Table> {
    let schema = rows.schema();
    let kept: Vec<usize> = (schema.fields().iter().enumerate())
        .filter(|(_, field)| !["record", LABEL, PART, FOLD, GROUP].contains(&field.name().as_str()))
        .map(|(i, _)| i)
        .collect();
    let mut fields: Vec<Field> = kept.iter().map(|&i| schema.field(i).clone()).collect();
    let mut arrays: Vec<ArrayRef> = kept.iter().map(|&i| rows.batch().column(i).clone()).collect();
    let metadata = HashMap::from([(LABEL_NAME.to_owned(), label.to_owned())]);
    fields.push(Field::new(LABEL, DataType::Utf8, true).with_metadata(metadata));
    arrays.push(Arc::new(StringArray::from_iter_values(labels)));
    fields.push(Field::new(PART, DataType::Utf8, true));
    arrays.push(Arc::new(StringArray::from_iter_values(split.part.iter().map(|part| part.name()))));
    fields.push(Field::new(FOLD, DataType::Int64, true));
    arrays.push(Arc::new(split.fold.iter().map(|fold| fold.map(i64::from)).collect::<Int64Array>()));
    if grouped {
        fields.push(Field::new(GROUP, DataType::Int64, true));
        arrays.push(Arc::new(Int64Array::from_iter_values(split.group.iter().map(|group| i64::from(*group)))));
    }
    Ok(Table::new(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?))
}
