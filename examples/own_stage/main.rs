//! A program that knows all kinds of stages of `runner`, and one more: `words`, which counts the words of a text column.
//! `cargo run --release --example own_stage -- run examples/own_stage/words.yaml`

use std::collections::BTreeMap;

use arrow::array::AsArray;
use runner::Extension;
use runner::engine::{Arity, CheckContext, InputPort, OutputPort, PortType, Reads, Stage, StageContext};
use runner::report::StageArtifacts;
use runner::report::page::{Block, Cell, Column, Table};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Counts the words of a text column.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Words {
    /// The text column.
    column: String,
    /// How many of the most frequent words are kept.
    #[serde(default = "ten")]
    #[schemars(range(min = 1, max = 1000))]
    most: usize,
}

fn ten() -> usize {
    10
}

impl Stage for Words {
    const KIND: &'static str = "words";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str = "the most frequent words of a text column";
    const INPUTS: &'static [InputPort] = &[InputPort::table("rows", Arity::One, "rows with a text column")];
    const SEEDED: bool = false;

    fn outputs(&self) -> Vec<OutputPort> {
        vec![OutputPort::new("words", PortType::Json)]
    }

    fn check(&self, context: &mut CheckContext) {
        context.require("rows", &["column"], std::slice::from_ref(&self.column));
        context.reads("rows", Reads::Columns(vec![self.column.clone()]));
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let table = context.input("rows")?.table()?;
        let texts = table.column(&self.column)?.as_string_opt::<i32>();
        let texts = texts.ok_or_else(|| anyhow::anyhow!("column '{}' holds no text", self.column))?;
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for word in texts.iter().flatten().flat_map(str::split_whitespace) {
            *counts.entry(word.to_lowercase()).or_default() += 1;
        }
        let mut words: Vec<(String, u64)> = counts.into_iter().collect();
        words.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        words.truncate(self.most);
        context
            .headline(words.first().map_or("no words".to_owned(), |(word, count)| format!("'{word}' {count} times")));
        context.put_json("words", "words.json", &words)
    }
}

/// What the stage gave.
fn words(stage: &StageArtifacts) -> Vec<(String, u64)> {
    stage.foreign("words").and_then(|value| serde_json::from_value(value.clone()).ok()).unwrap_or_default()
}

fn page(stage: &StageArtifacts) -> Vec<Block> {
    let mut table = Table::new("The most frequent words", vec![Column::text("word"), Column::number("times")]);
    words(stage).into_iter().for_each(|(word, count)| table.push(vec![Cell::text(word), Cell::count(count)]));
    vec![Block::Table(table)]
}

fn terminal(stage: &StageArtifacts) -> Vec<String> {
    words(stage).into_iter().map(|(word, count)| format!("{count:>6}  {word}")).collect()
}

fn main() -> std::process::ExitCode {
    runner::main_with(vec![Extension::new::<Words>().on_page(page).on_terminal(terminal)])
}
