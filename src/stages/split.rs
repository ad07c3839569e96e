//! `split`: train / valid / test and folds, stratified by label, with linked rows kept together.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use anyhow::anyhow;
use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::columns::{
    FOLD, FOLDS, GROUP, LABEL, LABEL_COLUMN, LABEL_NAME, Origin, PART, PARTS, RECORD, WHERE, is_own, named, strings,
};
use super::conditions::{tell_types, types};
use super::dataset;
use super::documents::put_document;
use super::joined::joined;
use super::labelled::{Labelled, is_told_of, labelled};
use super::required::{require, require_each, require_of, require_rows};
use super::{fitted_on, unnamed};
use runner_artifact::Table;
use runner_boundary::text::{Lines, yaml};
use runner_engine::{Arity, CheckContext, InputPort, InputShape, OutputPort, PortType, Stage, StageContext};
use runner_ml::split::{self, Part, SplitError, SplitOptions};
use runner_ml::stats::{Clusters, FEW_GROUPS};
use runner_report::noun;
use runner_results::{SplitPart, SplitParts};
use runner_tabular::{ColumnType, Filter};

/// Splits the labelled rows. Port `rows` has them all with `runner.label`, `runner.part` and `runner.fold`, and with `groups` the group of each row, `runner.group`; `train`, `valid` and `test`
/// have their own.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Split {
    /// The column to predict; the `label` of the `load` stage unless given.
    #[serde(default)]
    label: Option<String>,
    /// Keys whose equal values must not be torn apart: a column, or a list of columns that count together. Rows linked by any key, also over others, stay together.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true))]
    groups: Vec<GroupKey>,
    /// Share of the rows to learn from.
    #[serde(default = "default_train")]
    #[schemars(range(max = 1.0), extend("exclusiveMinimum" = 0.0))]
    train: f64,
    /// Share of the rows to choose with: epochs, architectures, strategies.
    #[serde(default = "default_valid")]
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    valid: f64,
    /// Share of the rows that only the last score sees.
    #[serde(default = "default_valid")]
    #[schemars(range(min = 0.0), extend("exclusiveMaximum" = 1.0))]
    test: f64,
    /// Folds of the training part, for cross-validation.
    #[serde(default = "default_folds")]
    #[schemars(range(min = 0, max = 1000))]
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

/// The columns that splitting adds.
const ADDED: [&str; 4] = [LABEL, PART, FOLD, GROUP];
/// Columns of the rows to split that do not come along: those of an earlier split, and the raw records.
const REPLACED: [&str; 5] = [RECORD, LABEL, PART, FOLD, GROUP];

/// A column, or columns that count together, e.g. `[track_name, track_artist]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a column's name or a list of names")]
pub(super) enum GroupKey {
    Column(String),
    Columns(#[schemars(extend("uniqueItems" = true))] Vec<String>),
}

impl GroupKey {
    pub(crate) fn columns(&self) -> &[String] {
        match self {
            GroupKey::Column(name) => std::slice::from_ref(name),
            GroupKey::Columns(names) => names,
        }
    }

    /// `track_name + track_artist`.
    pub(crate) fn name(&self) -> String {
        self.columns().join(" + ")
    }

    /// The key of every row; a row that lacks one of the columns has none.
    pub(crate) fn values(&self, table: &Table) -> anyhow::Result<Vec<Option<String>>> {
        let columns = self.columns().iter().map(|name| strings(table, &named(table, name)));
        let columns = columns.collect::<anyhow::Result<Vec<_>>>()?;
        let key = |i: usize| -> Option<String> {
            let parts: Option<Vec<&str>> = columns.iter().map(|column| column[i].as_deref()).collect();
            // U+001F separates units; titles do not hold it.
            parts.map(|parts| parts.join("\u{1f}"))
        };
        Ok((0..table.rows()).map(key).collect())
    }

    /// Finds columns that are not there.
    pub(crate) fn check(keys: &[GroupKey], context: &mut CheckContext) {
        for (i, key) in keys.iter().enumerate() {
            let index = i.to_string();
            let path: &[&str] = &["groups", &index];
            if key.columns().is_empty() {
                let help = Some("e.g. `groups: [artist, [title, artist]]`".to_owned());
                context.problem(path, "a key needs at least one column: without one all rows are one group", help);
            }
        }
        let place = |i: usize, j: usize| vec!["groups".to_owned(), i.to_string(), j.to_string()];
        let columns = keys
            .iter()
            .enumerate()
            .flat_map(|(i, key)| key.columns().iter().enumerate().map(move |(j, name)| (place(i, j), name.as_str())));
        require_each(context, "rows", columns);
    }
}

/// A part with fewer rows, each for itself, gives scores that a single row changes by more than a tenth.
const FEW_ROWS: usize = 10;

impl Stage for Split {
    const KIND: &'static str = "split";
    const VERSION: u32 = 6;
    const SUMMARY: &'static str = "train, valid, test and folds: stratified, groups kept together";
    const INPUTS: &'static [InputPort] =
        &[InputPort::table("rows", Arity::Many, "the rows to split, e.g. a `load` stage")];

    fn outputs(&self) -> Vec<OutputPort> {
        let tables = ["rows", "train", "valid", "test"].map(|name| OutputPort::new(name, PortType::Table));
        tables.into_iter().chain([OutputPort::new("summary", PortType::Json)]).collect()
    }

    fn check(&self, context: &mut CheckContext) {
        require_rows(context, "rows");
        GroupKey::check(&self.groups, context);
        require_of(context, "rows", &self.filter);
        if let Some(label) = &self.label {
            require(context, "rows", &["label"], std::slice::from_ref(label));
        }
        // The label that `load` was given, where no file has it.
        if self.label.is_none()
            && let Some(label) = context.fact("rows", LABEL_COLUMN).cloned()
            && let Some(columns) = context.columns("rows")
            && !columns.contains(&label)
        {
            let own: Vec<&str> = columns.iter().map(String::as_str).filter(|name| is_own(name)).collect();
            match context.place("rows", LABEL_COLUMN) {
                Some(place) => context.missing_column_at(place, "rows", &label, &own),
                None => context.missing_column("rows", &["rows"], &label, &own),
            }
        }
        // Whoever reads something else than tables of `load` may have marked the label there.
        let is_unmarked = |shape: &InputShape| shape.columns.is_some() && shape.facts.get(LABEL_COLUMN).is_none();
        if self.label.is_none() && context.inputs("rows").iter().all(is_unmarked) {
            let stage = context.inputs("rows").first().map(|shape| shape.stage.clone()).unwrap_or_default();
            let message = format!("no label: neither this stage nor '{stage}' says which column is to be predicted");
            let help = Some("set `label` of the `load` stage, or here".to_owned());
            context.common_problem(&[], format!("label of {stage}"), message, help);
        }
        let shares = [self.train, self.valid, self.test];
        let are_shares =
            self.train > 0.0 && self.train <= 1.0 && shares[1..].iter().all(|share| (0.0..1.0).contains(share));
        if (shares.iter().sum::<f64>() - 1.0).abs() > 1e-9 && are_shares {
            let [train, valid, test] = shares;
            let message = format!("train, valid and test must add up to 1; got {train} + {valid} + {test}");
            context.problem(&[], message, Some("e.g. 0.7 + 0.15 + 0.15, which they are unless given".to_owned()));
        }
        if self.folds == 1 {
            let help = Some("0 makes none".to_owned());
            context.problem(
                &["folds"],
                "folds must be 0 or at least 2; got 1: one fold leaves nothing to fit on",
                help,
            );
        }
        let place = context.place("rows", LABEL_COLUMN).filter(|_| self.label.is_none());
        let label = self.label.clone().or_else(|| context.fact("rows", LABEL_COLUMN).cloned());
        for port in ["rows", "train", "valid", "test"] {
            label.iter().for_each(|label| context.tell_from(port, LABEL_COLUMN, place, label.clone()));
            let shares = [("train", self.train), ("valid", self.valid), ("test", self.test)];
            let own = shares.iter().filter(|(name, share)| *share > 0.0 && (port == "rows" || port == *name));
            // Nobody is told to lack a part of which the share is a slip.
            if are_shares {
                context.tell(port, PARTS, own.map(|(name, _)| *name).collect());
            }
            let has_folds = ["rows", "train"].contains(&port);
            context.tell(port, FOLDS, if has_folds { self.folds } else { 0 });
        }
        fitted_on::tell_split(context);
        unnamed::check_joined(context, "rows");
        ["rows", "train", "valid", "test"].iter().for_each(|port| unnamed::pass_on(context, "rows", port));
        let mut types = types(context, "rows");
        let added = [
            (LABEL, ColumnType::Text),
            (PART, ColumnType::Text),
            (FOLD, ColumnType::Integer),
            (GROUP, ColumnType::Integer),
        ];
        types.extend(added.map(|(column, holds)| (column.to_owned(), holds)));
        ["rows", "train", "valid", "test"].iter().for_each(|port| tell_types(context, port, &types));
        if let Some(columns) = context.columns("rows") {
            let kept = dataset::distinct([], columns).into_iter().filter(|name| !REPLACED.contains(&name.as_str()));
            let added = ADDED.into_iter().filter(|name| *name != GROUP || !self.groups.is_empty());
            let columns: Vec<String> = kept.chain(added.map(str::to_owned)).collect();
            ["rows", "train", "valid", "test"].iter().for_each(|port| context.output(port, columns.clone()));
        }
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let tables = context.inputs("rows").iter().map(|input| input.table()).collect::<anyhow::Result<Vec<_>>>()?;
        let all = joined(&tables, context.report())?;
        let label = self.label_column(&all)?;
        let kept = dataset::filtered(&all, &self.filter, context)?;
        let Labelled { rows, labels, unlabelled } = labelled(&kept, &label, &Origin { context, port: "rows" })?;
        if let Some(warning) = unlabelled.warning(&label).filter(|_| !is_told_of(&tables, &label)) {
            context.report().warn(&warning);
        }
        let mut classes: Vec<&String> = labels.iter().collect();
        classes.sort_unstable();
        classes.dedup();
        let index: HashMap<&String, u32> = classes.iter().enumerate().map(|(i, class)| (*class, i as u32)).collect();
        let codes: Vec<u32> = labels.iter().map(|label| index[label]).collect();
        let groups = self.groups.iter().map(|key| key.values(&rows)).collect::<anyhow::Result<Vec<_>>>()?;
        for (key, values) in self.groups.iter().zip(&groups) {
            let unlinked = values.iter().filter(|value| value.is_none()).count();
            if unlinked > 0 {
                let (rows, have) = if unlinked == 1 { ("row", "has") } else { ("rows", "have") };
                let others = if self.groups.len() > 1 { ", unless another key links it" } else { "" };
                context
                    .report()
                    .warn(&format!("{unlinked} {rows} {have} no `{}`: each is a group of its own{others}", key.name()));
            }
        }
        let groups: Vec<Vec<Option<&str>>> =
            groups.iter().map(|values| values.iter().map(Option::as_deref).collect()).collect();
        let names: Vec<String> = classes.iter().map(|class| (*class).clone()).collect();
        let split = split::split(&codes, &names, &groups, &self.options(), context.seed());
        let split = split.map_err(|error| {
            let parameter = self.to_blame(&error);
            let rare = rare_classes(&codes, &names, &groups, &self.options(), context.seed());
            // Those that `where` leaves out already stay out.
            let is_of_label = self.filter.columns().any(|column| column == label);
            let gone = if is_of_label { classes_gone(&all, &label, &names) } else { BTreeSet::new() };
            let error = with_remedy(error, &label, gone, rare);
            match parameter {
                Some(parameter) => context.placed(parameter, error),
                None => error,
            }
        })?;
        let is_grouped = !self.groups.is_empty();
        let rows = with_parts(&rows, &label, &labels, &split, is_grouped)?;
        context.put_table("rows", &rows)?;
        for (name, part) in [("train", Part::Train), ("valid", Part::Valid), ("test", Part::Test)] {
            let own: BooleanArray = split.part.iter().map(|found| Some(*found == part)).collect();
            context.put_table(name, &Table::new(arrow::compute::filter_record_batch(rows.batch(), &own)?))?;
        }
        let part_told = |part: Part| {
            let own: Vec<usize> = (0..codes.len()).filter(|&i| split.part[i] == part).collect();
            let mut rows_of = vec![0u64; names.len()];
            own.iter().for_each(|&i| rows_of[codes[i] as usize] += 1);
            let numbers: Vec<u32> = own.iter().map(|&i| split.group[i]).collect();
            let clusters = Clusters::of(&numbers);
            let groups = clusters.groups().unwrap_or(own.len());
            if clusters.are_few() && part == Part::Test {
                let effective = clusters.effective();
                let telling = match effective < 0.95 * groups as f64 {
                    true => format!(", which tell as much as {effective:.0} of equal size"),
                    false => String::new(),
                };
                context.report().warn(&format!(
                    "the {} part has {groups} {}{telling}: the intervals and tests of its scores, which go by \
                     groups, are wide and rough below {FEW_GROUPS:.0}; give it a larger share, or narrower `groups`",
                    part.name(),
                    if groups == 1 { "group" } else { "groups" },
                ));
            }
            if clusters.groups().is_none() && part == Part::Test && (1..FEW_ROWS).contains(&own.len()) {
                context.report().warn(&format!(
                    "the {} part has {} {}, of which no score says much: give it a larger share, or bring more rows",
                    part.name(),
                    own.len(),
                    if own.len() == 1 { "row" } else { "rows" },
                ));
            }
            SplitPart {
                rows: own.len() as u64,
                classes: names.iter().cloned().zip(rows_of).collect(),
                // Without keys every row would be a group of its own: nothing was grouped.
                groups: is_grouped.then_some(groups as u64),
            }
        };
        let parts =
            SplitParts { train: part_told(Part::Train), valid: part_told(Part::Valid), test: part_told(Part::Test) };
        let groups = is_grouped.then(|| split.group.iter().max().map_or(0, |&last| u64::from(last) + 1));
        let gone = if self.filter.is_empty() { BTreeSet::new() } else { classes_gone(&all, &label, &names) };
        let told = runner_results::Split {
            label,
            parts,
            groups,
            group_keys: self.groups.iter().map(GroupKey::name).collect(),
            folds: self.folds as u64,
            left_out: (all.rows() - rows.rows()) as u64,
            filtered_out: (all.rows() - kept.rows()) as u64,
            without_label: unlabelled.rows as u64,
            filtered_out_classes: gone.len() as u64,
        };
        put_document(context, "summary", "split", &told)?;
        let of = |part| split.part.iter().filter(|found| **found == part).count();
        let (train, valid, test) = (of(Part::Train), of(Part::Valid), of(Part::Test));
        let filtered_out = match told.filtered_out {
            0 => String::new(),
            1 => "; `where` leaves out 1 row".to_owned(),
            count => format!("; `where` leaves out {count} rows"),
        };
        let left_out = format!("{filtered_out}{}", unlabelled.headline());
        let in_groups = groups.map_or_else(String::new, |count| format!(" in {count} {}", noun(count, "group")));
        context.headline(format!("{train} train, {valid} valid, {test} test rows{in_groups}{left_out}"));
        Ok(())
    }
}

impl Split {
    fn options(&self) -> SplitOptions {
        SplitOptions { train: self.train, valid: self.valid, test: self.test, folds: self.folds }
    }

    /// The parameter to change for the rows to be split.
    fn to_blame(&self, error: &SplitError) -> Option<&'static str> {
        match error {
            SplitError::FewerGroupsThanFolds { .. } | SplitError::InOneFold(_) | SplitError::OneFold => Some("folds"),
            SplitError::SingleClass(_) | SplitError::NoRows | SplitError::TooRare { .. } if !self.filter.is_empty() => {
                Some(WHERE)
            }
            SplitError::SingleClass(_) if self.label.is_some() => Some("label"),
            SplitError::TooRare { .. } | SplitError::FewGroups { .. } if !self.groups.is_empty() => Some("groups"),
            _ => None,
        }
    }

    /// The declared label, or the one that `load` marked.
    fn label_column(&self, rows: &Table) -> anyhow::Result<String> {
        if let Some(label) = &self.label {
            return Ok(label.clone());
        }
        let schema = rows.schema();
        let marked = schema.fields().iter().find(|field| field.metadata().contains_key(LABEL_NAME));
        marked
            .map(|field| field.metadata()[LABEL_NAME].clone())
            .ok_or_else(|| anyhow!("no label: set `label` here or in the `load` stage"))
    }
}

/// The classes of the table that are not among these any more.
fn classes_gone(all: &Table, label: &str, names: &[String]) -> BTreeSet<String> {
    let all = strings(all, &named(all, label)).unwrap_or_default();
    let kept: HashSet<&str> = names.iter().map(String::as_str).collect();
    let classes = all.into_iter().flatten().map(|class| class.trim().to_owned());
    classes.filter(|class| !class.is_empty() && !kept.contains(class.as_str())).collect()
}

/// The classes without which the rows can be split: those that are too rare for the parts, then for the folds, and so on. `None` where that leaves
/// nothing to split, or something else is in the way.
fn rare_classes(
    codes: &[u32],
    names: &[String],
    groups: &[Vec<Option<&str>>],
    options: &SplitOptions,
    seed: u64,
) -> Option<BTreeSet<String>> {
    let mut rare = BTreeSet::new();
    loop {
        let left: Vec<usize> = (0..codes.len()).filter(|&row| !rare.contains(&names[codes[row] as usize])).collect();
        let kept: Vec<String> = names.iter().filter(|name| !rare.contains(*name)).cloned().collect();
        let number: HashMap<&String, u32> = kept.iter().zip(0..).collect();
        let labels: Vec<u32> = left.iter().map(|&row| number[&names[codes[row] as usize]]).collect();
        let groups: Vec<Vec<Option<&str>>> =
            groups.iter().map(|keys| left.iter().map(|&row| keys[row]).collect()).collect();
        match split::split(&labels, &kept, &groups, options, seed) {
            Ok(_) => return Some(rare),
            Err(SplitError::TooRare { classes, .. } | SplitError::InOneFold(classes)) => {
                rare.extend(classes.into_iter().map(|class| class.name));
            }
            Err(_) => return None,
        }
    }
}

/// The error with the line of YAML that leaves the rare classes out beside those that are gone already.
fn with_remedy(
    error: SplitError,
    label: &str,
    gone: BTreeSet<String>,
    rare: Option<BTreeSet<String>>,
) -> anyhow::Error {
    /// Classes that fit in a line.
    const MOST: usize = 50;
    let is_of_classes = matches!(error, SplitError::TooRare { .. } | SplitError::InOneFold(_));
    let Some(rare) = rare.filter(|rare| is_of_classes && rare.len() + gone.len() <= MOST) else { return error.into() };
    let names: Vec<String> = gone.union(&rare).map(|class| yaml(class)).collect();
    let remedy =
        format!("to leave them out, write in this stage `where: {{{}: {{not: [{}]}}}}`", yaml(label), names.join(", "));
    anyhow!(Lines::new([error.to_string(), remedy]))
}

/// The rows without their raw records, with their label, part and fold, and if wanted their group.
fn with_parts(
    rows: &Table,
    label: &str,
    labels: &[String],
    split: &split::Split,
    grouped: bool,
) -> anyhow::Result<Table> {
    let schema = rows.schema();
    let kept: Vec<usize> = (schema.fields().iter().enumerate())
        .filter(|(_, field)| !REPLACED.contains(&field.name().as_str()))
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
