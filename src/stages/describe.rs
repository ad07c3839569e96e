//! `describe`: what the data is, and where it would mislead a learner.
//!
//! Knows nothing of the statistics (`ml::profile`) nor of drawing (`report`).

use anyhow::anyhow;
use arrow::datatypes::DataType;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::dataset::{self, FOLD, GROUP, LABEL, LABEL_NAME, PART};
use super::figures::put_figures;
use super::split::GroupKey;
use crate::artifact::Table;
use crate::engine::{Arity, CheckContext, InputPort, OutputPort, PortType, Stage, StageContext, Threads};
use crate::ml::frame::{Column, Frame};
use crate::ml::profile::{self, Origins, ProfileInput, ProfileOptions, TEST, TRAIN, VALID};
use crate::tabular::{Filter, ROW_COLUMNS};

/// Profiles every column, overall and by class, and audits the data for leaks: duplicates, contradictory labels, columns that give the label away, groups torn apart by the split.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    /// Keys that say which rows are the same thing, as in `split`.
    #[serde(default)]
    groups: Vec<GroupKey>,
    /// Columns to leave out.
    #[serde(default)]
    drop: Vec<String>,
    /// Rows to look at.
    #[serde(default, rename = "where")]
    filter: Filter,
    #[serde(default)]
    options: ProfileOptions,
}

impl Stage for Describe {
    const KIND: &'static str = "describe";
    const VERSION: u32 = 3;
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
        GroupKey::check(&self.groups, context);
        context.require("rows", &["drop"], &self.drop);
        let filtered: Vec<String> = self.filter.columns().map(str::to_owned).collect();
        context.require("rows", &["where"], &filtered);
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let all = context.input("rows")?.table()?;
        let rows = dataset::filtered(&all, &self.filter)?;
        let label = label_column(&rows)?;
        let texts = dataset::strings(&rows, &label)?;
        let classes = dataset::classes(&texts);
        let code = |text: &Option<String>| {
            text.as_ref().and_then(|text| classes.binary_search(text).ok()).map(|class| class as u32)
        };
        let labels: Vec<Option<u32>> = texts.iter().map(code).collect();
        let frame = self.frame(&rows, &label)?;
        let part = parts(&rows)?;
        let mut groups = IndexMap::new();
        for key in &self.groups {
            groups.insert(key.name(), key.values(&rows)?);
        }
        let sources: Vec<String> =
            dataset::strings(&rows, "source")?.into_iter().map(Option::unwrap_or_default).collect();
        let lines: Vec<u64> = dataset::integers(&rows, "line")?.into_iter().map(|line| line.max(0) as u64).collect();
        let input = ProfileInput {
            frame: &frame,
            label: &labels,
            classes: &classes,
            part: part.as_deref(),
            groups,
            origins: Some(Origins { source: &sources, line: &lines }),
            seed: context.seed(),
        };
        let profile = profile::profile(&input, &self.options, context.threads())?;
        let mut json = serde_json::to_value(&profile)?;
        json["label_classes"] = serde_json::to_value(dataset::classes(&dataset::strings(&all, &label)?))?;
        put_figures(context, Self::KIND, &[("profile", json.clone())], &[])?;
        for finding in &profile.audit.findings {
            if finding.severity == profile::Severity::Danger {
                context.report().warn(&finding.title);
            }
        }
        context.headline(format!(
            "{} rows, {} findings of the leakage audit",
            profile.rows,
            profile.audit.findings.len()
        ));
        context.put_json("profile", "profile.json", &json)
    }
}

impl Describe {
    /// All columns but the bookkeeping ones and the label, as numbers or texts.
    fn frame(&self, rows: &Table, label: &str) -> anyhow::Result<Frame> {
        let mut frame = Frame::new(rows.rows());
        for field in rows.schema().fields() {
            let name = field.name();
            let bookkeeping =
                ROW_COLUMNS.contains(&name.as_str()) || [LABEL, PART, FOLD, GROUP, label].contains(&name.as_str());
            if bookkeeping || self.drop.contains(name) {
                continue;
            }
            let column = match field.data_type() {
                DataType::Utf8 => Column::Text(dataset::strings(rows, name)?),
                _ => Column::Numeric(dataset::numbers(rows, name)?),
            };
            frame.insert(name.clone(), column);
        }
        Ok(frame)
    }
}

fn label_column(rows: &Table) -> anyhow::Result<String> {
    let schema = rows.schema();
    let marked =
        schema.fields().iter().find(|field| field.metadata().contains_key(LABEL_NAME) && field.name() != LABEL);
    marked.map(|field| field.name().clone()).ok_or_else(|| anyhow!("no label: set `label` in the `load` stage"))
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
    dataset::strings(rows, PART)?.into_iter().map(code).collect::<anyhow::Result<Vec<u8>>>().map(Some)
}
