//! Toy stages, and pipelines of them as values.

use std::path::Path;

use runner::artifact::{Digest, Table};
use runner::engine::{
    Accepts, Arity, CheckContext, InputPort, Kind, KindInfo, OutputPort, Plan, PortType, Reads, Registry, Source,
    Stage, StageContext,
};
use runner::spec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::toys::{self, numbers};

/// The numbers of a file; port `head` has the first one only.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Lines {
    pub(super) file: String,
    pub(super) extra: i64,
}

impl Stage for Lines {
    const KIND: &'static str = "lines";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str = "numbers of a file";
    const INPUTS: &'static [InputPort] = &[];
    const SEEDED: bool = false;

    fn outputs(&self) -> Vec<OutputPort> {
        vec![OutputPort::new("rows", PortType::Table), OutputPort::new("head", PortType::Table)]
    }

    fn sources(&self) -> Vec<Source> {
        vec![Source { at: "file".to_owned(), path: self.file.clone().into() }]
    }

    fn check(&self, _context: &mut CheckContext) {}

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let (_, values) = numbers(context)?;
        let head = values[..1].to_vec();
        context.put_table("rows", &table(values, self.extra))?;
        context.put_table("head", &table(head, self.extra))
    }
}

/// The sum of a column over its inputs; `VERSION` is part of the result, as the code of a stage is.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Sum<const VERSION: u32> {
    pub(super) column: String,
    pub(super) factor: i64,
    pub(super) round_to: i64,
    pub(super) extra: i64,
    pub(super) fail: bool,
}

impl<const V: u32> Stage for Sum<V> {
    const KIND: &'static str = "sum";
    const VERSION: u32 = V;
    const SUMMARY: &'static str = "a sum";
    const INPUTS: &'static [InputPort] = &[InputPort::table("rows", Arity::Many, "what to sum")];

    fn outputs(&self) -> Vec<OutputPort> {
        vec![OutputPort::new("rows", PortType::Table)]
    }

    fn check(&self, context: &mut CheckContext) {
        context.reads("rows", Reads::Columns(vec![self.column.clone()]));
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        use arrow::array::AsArray;
        anyhow::ensure!(!self.fail, "told to fail");
        let mut total = context.seed() as i64 + i64::from(V);
        for input in context.inputs("rows") {
            let table = input.table()?;
            let column = table.column(&self.column)?.as_primitive::<arrow::datatypes::Int64Type>().clone();
            total += column.iter().flatten().sum::<i64>() * self.factor;
        }
        context.put_table("rows", &table(vec![total / self.round_to * self.round_to], self.extra))
    }
}

/// Tells of whole stages, in one file.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Tell {
    pub(super) title: i64,
}

impl Stage for Tell {
    const KIND: &'static str = "tell";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str = "a report";
    const INPUTS: &'static [InputPort] = &[InputPort {
        name: "stages",
        accepts: Accepts::WholeStage,
        arity: Arity::Many,
        summary: "the stages to tell of",
    }];
    const SEEDED: bool = false;

    fn outputs(&self) -> Vec<OutputPort> {
        vec![OutputPort::new("page", PortType::Files)]
    }

    fn check(&self, _context: &mut CheckContext) {}

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let mut text = format!("{}\n", self.title);
        for whole in context.whole_stages("stages") {
            text.push_str(&(serde_json::to_string(&whole.view).unwrap() + "\n"));
            for output in &whole.outputs {
                for name in output.file_names() {
                    text.push_str(&format!("{name} {}\n", Digest::of(&output.file(name)?)));
                }
            }
        }
        context.put_file("page", "page.txt", text.as_bytes())
    }
}

pub(super) fn table(values: Vec<i64>, extra: i64) -> Table {
    let extra = vec![extra; values.len()];
    toys::table(&[("value", values), ("extra", extra)])
}

/// The same program before and after a change of its code.
pub(super) static BEFORE: &[KindInfo] = &[Lines::INFO, Sum::<1>::INFO, Tell::INFO];
pub(super) static AFTER: &[KindInfo] = &[Lines::INFO, Sum::<2>::INFO, Tell::INFO];

pub(super) const FILES: usize = 3;
pub(super) const CONTENTS: [&str; 4] = ["1\n2\n3\n", "1\n2\n30\n", "40\n", "7\n7\n7\n7\n"];

#[derive(Clone, Debug)]
pub(super) struct Study {
    /// Index into `CONTENTS` of each source file.
    pub(super) files: [usize; FILES],
    pub(super) stages: Vec<Toy>,
    pub(super) seed: i64,
    /// 1 or 2.
    pub(super) version: i64,
}

#[derive(Clone, Debug)]
pub(super) struct Toy {
    pub(super) name: String,
    /// Makes the contents of different stages differ, and is a column that hardly anybody reads.
    pub(super) extra: i64,
    pub(super) work: Work,
}

#[derive(Clone, Debug)]
pub(super) enum Work {
    Lines { file: usize },
    Sum { rows: Vec<(usize, bool)>, reads_extra: bool, factor: i64, round_to: i64, fail: bool },
    Tell { stages: Vec<usize> },
}

impl Study {
    pub(super) fn yaml(&self, folder: &Path) -> String {
        let mut text = format!("name: toy\nseed: {}\nstages:\n", self.seed);
        for toy in &self.stages {
            let Toy { name, extra, work } = toy;
            let line = match work {
                Work::Lines { file } => {
                    format!("kind: lines, file: '{}', extra: {extra}", folder.join(format!("{file}.txt")).display())
                }
                Work::Sum { rows, reads_extra, factor, round_to, fail } => {
                    let column = if *reads_extra { "extra" } else { "value" };
                    let rows: Vec<String> = rows.iter().map(|input| self.reference(*input)).collect();
                    format!(
                        "kind: sum, rows: [{}], column: {column}, factor: {factor}, round_to: {round_to}, extra: {extra}, fail: {fail}",
                        rows.join(", ")
                    )
                }
                Work::Tell { stages } => {
                    let names: Vec<&str> = stages.iter().map(|&i| self.stages[i].name.as_str()).collect();
                    format!("kind: tell, stages: [{}], title: {extra}", names.join(", "))
                }
            };
            text.push_str(&format!("  {name}: {{{line}}}\n"));
        }
        text
    }

    pub(super) fn reference(&self, (from, head): (usize, bool)) -> String {
        let head = head && matches!(self.stages[from].work, Work::Lines { .. });
        format!("{}.{}", self.stages[from].name, if head { "head" } else { "rows" })
    }

    pub(super) fn plan(&self, folder: &Path) -> Plan {
        let registry = Registry(if self.version == 1 { BEFORE } else { AFTER });
        let spec = spec::parse("toy.yaml", &self.yaml(folder), &[]);
        let spec = spec.unwrap_or_else(|problems| panic!("{}", problems.render(false)));
        Plan::new(spec, registry).unwrap_or_else(|problems| panic!("{}", problems.render(false)))
    }
}
