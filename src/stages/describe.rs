//! `describe`: what the data is, and where it would mislead a learner.

use std::collections::HashMap;

use anyhow::anyhow;
use arrow::datatypes::{DataType, FieldRef};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::adapter::Adapter;
use super::class_order;
use super::columns::{
    LABEL, LABEL_COLUMN, LABEL_NAME, LINE, PART, SOURCE, inexact, integers, is_own, named, numbers, strings,
};
use super::dataset;
use super::documents::put_document;
use super::figures::put_figures;
use super::range;
use super::required::{require, require_of, require_own, require_rows};
use super::split::GroupKey;
use super::split_rows;
use runner_artifact::Table;
use runner_engine::{Arity, CheckContext, InputPort, OutputPort, PortType, Report, Stage, StageContext, Threads};
use runner_ml::frame::{Column, Frame};
use runner_ml::profile::{self, Origins, ProfileInput, ProfileOptions, TEST, TRAIN, VALID};
use runner_report::audit;
use runner_report::{counted, noun};
use runner_results::Documents;
use runner_results::profile::Profile;
use runner_results::profile::audit::Severity;
use runner_tabular::Filter;

/// Profiles every column, overall and by class, and audits the data for leaks: duplicates, contradictory labels, columns that leak the label, groups torn apart by the split.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Describe {
    /// Keys that say which rows are the same thing, as in `split`.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true))]
    groups: Vec<GroupKey>,
    /// Columns to leave out.
    #[serde(default)]
    #[schemars(extend("uniqueItems" = true))]
    drop: Vec<String>,
    /// Rows to look at.
    #[serde(default, rename = "where")]
    filter: Filter,
    #[serde(default)]
    options: ProfileOptions,
}

impl Stage for Describe {
    const KIND: &'static str = "describe";
    const VERSION: u32 = 14;
    const SUMMARY: &'static str = "profile of the data and leakage audit";
    const INPUTS: &'static [InputPort] = &[InputPort::table(
        "rows",
        Arity::One,
        "the rows to describe; those of a `split` stage tell of torn groups too",
    )];

    fn outputs(&self) -> Vec<OutputPort> {
        vec![OutputPort::new("profile", PortType::Json), OutputPort::new("figures", PortType::Files)]
    }

    fn threads(&self) -> Threads {
        Threads::All
    }

    fn check(&self, context: &mut CheckContext) {
        require_rows(context, "rows");
        GroupKey::check(&self.groups, context);
        require(context, "rows", &["drop"], &self.drop);
        require_of(context, "rows", &self.filter);
        let near = &self.options.near_duplicate_columns;
        require_own(context, "rows", &["options", "near_duplicate_columns"], near);
        let label = context.fact("rows", LABEL_COLUMN).cloned();
        let stage = context.inputs("rows").first().map(|shape| shape.stage.clone()).unwrap_or_default();
        if label.is_none() && context.columns("rows").is_some_and(|columns| !columns.contains(&LABEL.to_owned())) {
            let message = format!("no label: '{stage}' does not say which column is to be predicted");
            let help =
                Some("set `label` of the `load` stage, and read the rows of a `load` or `split` stage".to_owned());
            context.common_problem(&["rows"], format!("label of {stage}"), message, help);
        }
        for (i, name) in near.iter().enumerate() {
            let path = ["options", "near_duplicate_columns", &i.to_string()];
            if self.drop.contains(name) {
                let message = format!("'{name}' is under `drop` too, so that no duplicate can be found by it");
                context.problem(&path, message, Some("leave it out of one of both lists".to_owned()));
            } else if Some(name) == label.as_ref() {
                let message = format!("'{name}' is the label, by which rows are compared anyway");
                context.problem(&path, message, Some("leave it out".to_owned()));
            }
        }
        if let Some(i) = self.drop.iter().position(|name| Some(name) == label.as_ref()) {
            let message =
                format!("'{}' is the label, by which the other columns are described: it is not dropped", self.drop[i]);
            context.warn(&["drop", &i.to_string()], message, Some("leave it out of `drop`".to_owned()));
        }
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let input = context.input("rows")?;
        let all = input.table()?;
        split_rows::check(&all, &input).map_err(|error| context.placed("rows", error))?;
        let rows = dataset::filtered(&all, &self.filter, context)?;
        let label = label_column(&rows)?;
        let texts = strings(&rows, &label)?;
        let order = class_order::of_table(&rows);
        let classes = dataset::classes(&texts, order.as_deref());
        let place: HashMap<&str, u32> = (0..).zip(&classes).map(|(place, class)| (class.as_str(), place)).collect();
        let code = |text: &Option<String>| text.as_ref().and_then(|text| place.get(text.as_str()).copied());
        let labels: Vec<Option<u32>> = texts.iter().map(code).collect();
        let frame = self.frame(&rows, &label, context.report())?;
        let part = parts(&rows)?;
        let mut groups = IndexMap::new();
        for key in &self.groups {
            groups.insert(key.name(), key.values(&rows)?);
        }
        let sources: Vec<String> = strings(&rows, SOURCE)?.into_iter().map(Option::unwrap_or_default).collect();
        let lines: Vec<u64> = integers(&rows, LINE)?.into_iter().map(|line| line.max(0) as u64).collect();
        let label_classes = dataset::classes(&strings(&all, &label)?, order.as_deref());
        // The frame has what is needed of a table that may be large.
        drop((all, rows));
        let input = ProfileInput {
            frame: &frame,
            label: &labels,
            classes: &classes,
            part: part.as_deref(),
            groups,
            origins: Some(Origins { source: &sources, line: &lines }),
            seed: context.seed(),
        };
        let mut profile = profile::profile(&input, &self.options, context.threads(), &Adapter(context.report()))?;
        profile.label_classes = label_classes;
        for finding in profile.audit.findings.iter().filter(|finding| finding.severity == Severity::Danger) {
            context.report().warn(&audit::title(finding));
        }
        context.headline(format!("{} {}, {}", profile.rows, noun(profile.rows, "row"), audited(&profile)));
        put_document(context, "profile", "profile", &profile)?;
        let mut documents = Documents::default();
        documents.insert("profile", profile);
        put_figures(context, Self::KIND, documents, &[])
    }
}

/// `1 danger and 2 warnings in the audit`: notes, and what was looked for and not found, are no alarm.
fn audited(profile: &Profile) -> String {
    let of = |severity| profile.audit.findings.iter().filter(|finding| finding.severity == severity).count() as u64;
    let parts = [(of(Severity::Danger), "danger"), (of(Severity::Warning), "warning")];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| counted(count, what));
    match parts.collect::<Vec<_>>().as_slice() {
        [] => "no danger or warning in the audit".to_owned(),
        parts => format!("{} in the audit", parts.join(" and ")),
    }
}

impl Describe {
    /// The user's columns but the label, as numbers or texts.
    fn frame(&self, rows: &Table, label: &str, report: &dyn Report) -> anyhow::Result<Frame> {
        let mut frame = Frame::new(rows.rows());
        for field in rows.schema().fields() {
            let name = field.name();
            if !is_own(name) || name == label || self.drop.contains(name) {
                continue;
            }
            let column = match field.data_type() {
                DataType::Utf8 => Column::Text(strings(rows, name)?),
                DataType::Int64 if inexact(rows, name)?.is_some() => Column::Text(strings(rows, name)?),
                _ => match self.numbers(rows, name, report)? {
                    Some(values) => Column::Numeric(values),
                    None => Column::Text(strings(rows, name)?),
                },
            };
            frame.insert(name.clone(), column);
        }
        Ok(frame)
    }

    /// A numeric column, if it is one; numbers that no model takes are told of and counted with the infinite ones.
    fn numbers(&self, rows: &Table, name: &str, report: &dyn Report) -> anyhow::Result<Option<Vec<f64>>> {
        // Texts alone can fail to be numbers.
        let Ok(mut values) = numbers(rows, name)? else { return Ok(None) };
        let beyond = range::beyond(&values);
        if !beyond.is_empty() {
            let (count, places) = (beyond.len(), range::places(rows, name, &values, &beyond));
            report.warn(&format!(
                "column '{name}': {} beyond ±3.4e38, the range of models, counted as infinite: {places}",
                if count == 1 { "a number".to_owned() } else { format!("{count} numbers") }
            ));
            beyond.into_iter().for_each(|row| values[row] = values[row].signum() * f64::INFINITY);
        }
        Ok(Some(values))
    }
}

fn label_column(rows: &Table) -> anyhow::Result<String> {
    let schema = rows.schema();
    let marked = |field: &&FieldRef| field.metadata().contains_key(LABEL_NAME);
    // A split may have another label than the rows came with.
    let field = schema.fields().iter().filter(marked).max_by_key(|field| field.name() == LABEL);
    let label = field.map(|field| {
        let own = named(rows, &field.metadata()[LABEL_NAME]);
        if rows.column(&own).is_ok() { own } else { field.name().clone() }
    });
    label.ok_or_else(|| anyhow!("no label: set `label` in the `load` stage"))
}

/// The part of every row, where the rows have been split.
fn parts(rows: &Table) -> anyhow::Result<Option<Vec<u8>>> {
    if rows.column(PART).is_err() {
        return Ok(None);
    }
    let code = |part: Option<String>| match part.as_deref() {
        Some("train") => Ok(TRAIN),
        Some("valid") => Ok(VALID),
        Some("test") => Ok(TEST),
        other => Err(anyhow!("'{}' is not a part of a split", other.unwrap_or("(missing)"))),
    };
    strings(rows, PART)?.into_iter().map(code).collect::<anyhow::Result<Vec<u8>>>().map(Some)
}
