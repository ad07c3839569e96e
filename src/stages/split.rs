//! `split`: train / valid / test and folds, stratified by label, with linked rows kept together.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use anyhow::anyhow;
use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::class_order::{self, CLASS_ORDER};
use super::columns::{
    FOLD, FOLDS, GROUP, LABEL, LABEL_COLUMN, LABEL_NAME, Origin, PART, PARTS, RECORD, WHERE, is_own, named, strings,
};
use super::conditions::{tell_types, types};
use super::dataset;
use super::documents::put_document;
use super::joined::joined;
use super::labelled::{Labelled, is_told_of, labelled};
use super::required::{require, require_each, require_of, require_rows};
use super::split_ways::{self, GivenParts, Rare, RareClasses, Way, without_rare};
use super::{fitted_on, unnamed};
use runner_artifact::Table;
use runner_boundary::text::{Lines, yaml};
use runner_engine::{Arity, CheckContext, InputPort, InputShape, OutputPort, PortType, Span, Stage, StageContext};
use runner_ml::split::{self, Part, SplitError, SplitOptions};
use runner_ml::stats::{Clusters, FEW_GROUPS};
use runner_report::noun;
use runner_results::{SplitPart, SplitParts};
use runner_tabular::{ColumnType, Filter, Scalar};

/// Splits the labelled rows. Port `rows` has them all with `runner.label`, `runner.part` and `runner.fold`, and with `groups` the group of each row, `runner.group`; `train`, `valid` and `test`
/// have their own.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Split {
    /// The column to predict; the `label` of the `load` stage unless given.
    #[serde(default)]
    label: Option<String>,
    /// All classes of a `label` named here from the lowest to the highest, where they have an order, e.g. `[poor, fair, good]`; of the label of the `load` stage that stage has it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("uniqueItems" = true))]
    class_order: Vec<Scalar>,
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
    /// The column by which rows are split in time, of numbers or of dates as text in ISO order: the newest rows are the test part, those before them the
    /// validation part, the others the training part. Rows with one value stay together, as do `groups`, each where its newest row is. Folds are drawn within the training part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order_by: Option<String>,
    /// A column that says what part each row is of, e.g. `{column: fold_name, train: [a], valid: [b], test: [c]}`; instead of shares.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parts: Option<GivenParts>,
    /// Classes of fewer labelled rows are rare; `rare_classes` says what becomes of them. Without it all classes are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = 1_000_000))]
    min_class_rows: Option<usize>,
    /// What becomes of rare classes: `drop` leaves their rows out, `other` makes them one class.
    #[serde(default, skip_serializing_if = "is_default")]
    rare_classes: RareClasses,
    /// Rows to keep.
    #[serde(default, rename = "where")]
    filter: Filter,
}

fn is_default(rare_classes: &RareClasses) -> bool {
    *rare_classes == RareClasses::default()
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
        class_order::check(&self.class_order, self.label.is_some(), context);
        let order = self.order_told(context);
        if order.is_some() && self.rare_classes == RareClasses::Other {
            let message = "rare classes made one, `other`, have no place in the order of the classes";
            let help = Some("leave `rare_classes` out, which drops their rows".to_owned());
            context.problem(&["rare_classes"], message, help);
        }
        self.check_ways(context);
        let shares = [self.train, self.valid, self.test];
        let are_shares =
            self.train > 0.0 && self.train <= 1.0 && shares[1..].iter().all(|share| (0.0..1.0).contains(share));
        if (shares.iter().sum::<f64>() - 1.0).abs() > 1e-9 && are_shares && self.parts.is_none() {
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
            order.iter().for_each(|(order, place)| context.tell_from(port, CLASS_ORDER, *place, order.clone()));
            let own = self.part_names().into_iter().filter(|name| port == "rows" || port == *name);
            // Nobody is told to lack a part of which the share is a slip.
            if are_shares {
                context.tell(port, PARTS, own.collect());
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
        // Before rare ones go, which `where` did not leave out.
        let found: Vec<String> = labels.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
        let rare = self.min_class_rows.map(|least| without_rare(&labels, least, self.rare_classes));
        let rare_rows = rare.as_ref().map_or(0, |rare| rare.dropped);
        let (rows, labels) = match rare {
            Some(Rare { labels, warning: Some(warning), .. }) => {
                context.report().warn(&warning);
                split_ways::kept(&rows, labels)?
            }
            _ => (rows, labels),
        };
        if rows.rows() == 0 {
            let error = anyhow!(
                "every class is rare: none has as many rows as `min_class_rows` asks for (give a smaller number)"
            );
            return Err(context.placed("min_class_rows", error));
        }
        let origin = Origin { context, port: "rows" };
        let (way, parameter) = match (&self.parts, &self.order_by) {
            (Some(parts), _) => (Way::given(parts, &rows, &origin), "parts"),
            (None, Some(column)) => (Way::by_order(column, &rows, &origin), "order_by"),
            (None, None) => (Ok(Way::Drawn), WHERE),
        };
        let way = way.map_err(|error| context.placed(parameter, error))?;
        let order = self.order(&all, &label);
        if let Some(order) = &order {
            let fits = class_order::require_all(order, &labels);
            fits.map_err(|error| match self.class_order.is_empty() {
                true => error,
                false => context.placed(class_order::KEY, error),
            })?;
        }
        let order = order.map(|order| class_order::spelled_as(&order, &labels));
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
        let all_rows: Vec<usize> = (0..codes.len()).collect();
        let split = way.split(&all_rows, &codes, &names, &groups, &self.options(), context.seed());
        let split = split.map_err(|error| {
            let parameter = self.to_blame(&error);
            let rare = rare_classes(&way, &codes, &names, &groups, &self.options(), context.seed());
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
        let rows = with_parts(&rows, &label, order.as_deref(), &labels, &split, is_grouped)?;
        // Parts are drawn whatever the order of the classes is, in which they are listed.
        let listed: Vec<(String, usize)> = {
            let index: HashMap<&String, usize> = names.iter().enumerate().map(|(i, name)| (name, i)).collect();
            let sorted = class_order::sorted(names.clone(), order.as_deref());
            sorted.into_iter().map(|name| (name.clone(), index[&name])).collect()
        };
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
                classes: listed.iter().map(|(name, class)| (name.clone(), rows_of[*class])).collect(),
                // Without keys every row would be a group of its own: nothing was grouped.
                groups: is_grouped.then_some(groups as u64),
            }
        };
        for part in
            [Part::Valid, Part::Test].into_iter().filter(|part| !matches!(way, Way::Drawn) && split.part.contains(part))
        {
            let mut has = vec![false; names.len()];
            (0..codes.len()).filter(|&i| split.part[i] == part).for_each(|i| has[codes[i] as usize] = true);
            let lacking: Vec<&String> = names.iter().zip(has).filter(|(_, has)| !has).map(|(name, _)| name).collect();
            if !lacking.is_empty() {
                context.report().warn(&split_ways::lacking(part, &lacking));
            }
        }
        let parts =
            SplitParts { train: part_told(Part::Train), valid: part_told(Part::Valid), test: part_told(Part::Test) };
        let groups = is_grouped.then(|| split.group.iter().max().map_or(0, |&last| u64::from(last) + 1));
        let gone = if self.filter.is_empty() { BTreeSet::new() } else { classes_gone(&all, &label, &found) };
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
            rare: rare_rows as u64,
            order_by: self.order_by.clone(),
            parts_by: self.parts.as_ref().map(|parts| parts.column.clone()),
            class_order: order.clone(),
        };
        put_document(context, "summary", "split", &told)?;
        let of = |part| split.part.iter().filter(|found| **found == part).count();
        let (train, valid, test) = (of(Part::Train), of(Part::Valid), of(Part::Test));
        let filtered_out = match told.filtered_out {
            0 => String::new(),
            1 => "; `where` leaves out 1 row".to_owned(),
            count => format!("; `where` leaves out {count} rows"),
        };
        let rare = match rare_rows {
            0 => String::new(),
            1 => "; 1 row of a rare class is left out".to_owned(),
            count => format!("; {count} rows of rare classes are left out"),
        };
        let left_out = format!("{filtered_out}{}{rare}", unlabelled.headline());
        let in_groups = groups.map_or_else(String::new, |count| format!(" in {count} {}", noun(count, "group")));
        context.headline(format!("{train} train, {valid} valid, {test} test rows{in_groups}{left_out}"));
        Ok(())
    }
}

impl Split {
    /// The parts that there will be.
    fn part_names(&self) -> Vec<&'static str> {
        let drawn = [(Part::Train, self.train), (Part::Valid, self.valid), (Part::Test, self.test)];
        match &self.parts {
            Some(parts) => {
                parts.lists().iter().filter(|(_, values)| !values.is_empty()).map(|(part, _)| part.name()).collect()
            }
            None => drawn.iter().filter(|(_, share)| *share > 0.0).map(|(part, _)| part.name()).collect(),
        }
    }

    /// Finds columns that are not there and settings that contradict each other.
    fn check_ways(&self, context: &mut CheckContext) {
        if let Some(column) = &self.order_by {
            require_each(context, "rows", [(vec!["order_by".to_owned()], column.as_str())].into_iter());
        }
        if let Some(parts) = &self.parts {
            let place = vec!["parts".to_owned(), "column".to_owned()];
            require_each(context, "rows", [(place, parts.column.as_str())].into_iter());
            if parts.train.is_empty() {
                let help = Some("name the values of the rows to learn from".to_owned());
                context.problem(&["parts", "train"], "the training part needs a value", help);
            }
            if let Some(value) = parts.twice() {
                let help = Some("a row is of one part: name each value once".to_owned());
                context.problem(&["parts"], format!("the value '{value}' is named twice"), help);
            }
            if self.order_by.is_some() {
                let help = Some("leave one of them out".to_owned());
                context.problem(&["order_by"], "`parts` says already what part each row is of", help);
            }
            let shares = [
                ("train", self.train, default_train()),
                ("valid", self.valid, default_valid()),
                ("test", self.test, default_valid()),
            ];
            for (name, _, _) in shares.iter().filter(|(_, share, usual)| share != usual) {
                let message = format!("a share of `{name}` beside `parts`, which says what part each row is of");
                context.problem(&[name], message, Some("leave it out".to_owned()));
            }
        }
        if self.min_class_rows.is_none() && self.rare_classes != RareClasses::default() {
            let help = Some("say from how many rows on a class is not rare, e.g. `min_class_rows: 10`".to_owned());
            context.problem(&["rare_classes"], "no class is rare without `min_class_rows`", help);
        }
    }

    fn options(&self) -> SplitOptions {
        SplitOptions { train: self.train, valid: self.valid, test: self.test, folds: self.folds }
    }

    /// The parameter to change for the rows to be split.
    fn to_blame(&self, error: &SplitError) -> Option<&'static str> {
        match error {
            SplitError::FewerGroupsThanFolds { .. } | SplitError::InOneFold(_) | SplitError::OneFold => Some("folds"),
            SplitError::SingleClass(_) if self.min_class_rows.is_some() => Some("min_class_rows"),
            SplitError::NotInTrain(_) | SplitError::FewMoments { .. } if self.order_by.is_some() => Some("order_by"),
            SplitError::NotInTrain(_) | SplitError::Torn { .. } if self.parts.is_some() => Some("parts"),
            SplitError::SingleClass(_) | SplitError::NoRows | SplitError::TooRare { .. } if !self.filter.is_empty() => {
                Some(WHERE)
            }
            SplitError::SingleClass(_) if self.label.is_some() => Some("label"),
            SplitError::TooRare { .. } | SplitError::FewGroups { .. } if !self.groups.is_empty() => Some("groups"),
            _ => None,
        }
    }

    /// The order of the label's classes and where it is written, as far as the plan knows.
    fn order_told(&self, context: &CheckContext) -> Option<(Vec<String>, Option<Span>)> {
        match &self.label {
            Some(_) if !self.class_order.is_empty() => Some((class_order::names(&self.class_order), None)),
            Some(label) if context.fact("rows", LABEL_COLUMN) != Some(label) => None,
            _ => Some((context.fact("rows", CLASS_ORDER)?.clone(), context.place("rows", CLASS_ORDER))),
        }
    }

    /// The order of the label's classes, as it is said here or by the stage that marked the label.
    fn order(&self, rows: &Table, label: &str) -> Option<Vec<String>> {
        if !self.class_order.is_empty() {
            return Some(class_order::names(&self.class_order));
        }
        let schema = rows.schema();
        let own = |field: &&Arc<Field>| field.metadata().get(LABEL_NAME).is_some_and(|own| own == label);
        schema.fields().iter().find(own).and_then(|field| class_order::of_field(field))
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
    way: &Way,
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
        match way.split(&left, &labels, &kept, &groups, options, seed) {
            Ok(_) => return Some(rare),
            Err(
                SplitError::TooRare { classes, .. } | SplitError::InOneFold(classes) | SplitError::NotInTrain(classes),
            ) => {
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
    let is_of_classes =
        matches!(error, SplitError::TooRare { .. } | SplitError::InOneFold(_) | SplitError::NotInTrain(_));
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
    order: Option<&[String]>,
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
    let mut metadata = HashMap::from([(LABEL_NAME.to_owned(), label.to_owned())]);
    class_order::tell(&mut metadata, order.unwrap_or_default())?;
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
