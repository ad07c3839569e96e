//! `embed`: text columns → vectors, by a pretrained model or by the built-in `tfidf`.
//!
//! Knows nothing of how encoders compute or where they come from (`encoder`).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{anyhow, bail};
use arrow::array::{ArrayRef, FixedSizeListArray, Float32Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::adapter::Adapter;
use super::dataset::{self, ENCODER, ROW_ID, embedding_of};
use super::encoder::{self, TFIDF};
use super::pace::Pace;
use crate::artifact::{RowKey, RowMemo, Table};
use crate::engine::{
    Arity, CheckContext, External, InputPort, OutputPort, PortType, Reads, Report, Stage, StageContext, Threads,
};
use crate::ml::encoder::{TextEncoder, Tfidf, TfidfOptions, TransformerOptions};
use crate::ml::matrix::Matrix;

/// Embeds text columns: for each, a column `NAME_embedding` of type FixedSizeList<f32> beside `row_id`. Each distinct text is computed once; a missing text counts as empty.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Embed {
    /// Text columns to embed.
    columns: Vec<String>,
    /// A model by its hub id, folder or imported name (sentence-transformers, model2vec), or `tfidf`, which needs no model.
    encoder: String,
    /// For models: what differs from their own files.
    #[serde(default)]
    transformer: TransformerOptions,
    /// For `tfidf`.
    #[serde(default)]
    tfidf: TfidfOptions,
}

impl Stage for Embed {
    const KIND: &'static str = "embed";
    const VERSION: u32 = 1;
    const SUMMARY: &'static str = "text columns to vectors";
    const INPUTS: &'static [InputPort] = &[
        InputPort::table("rows", Arity::One, "the rows whose texts to embed, e.g. a `load` stage"),
        InputPort::table(
            "fit",
            Arity::Optional,
            "the rows that `tfidf` learns its vocabulary from: the training part, e.g. `folds.train`",
        ),
    ];

    fn outputs(&self) -> Vec<OutputPort> {
        vec![OutputPort::new("rows", PortType::Table), OutputPort::new("encoder", PortType::Json)]
    }

    fn externals(&self) -> Vec<Box<dyn External>> {
        if self.encoder == TFIDF {
            Vec::new()
        } else {
            vec![Box::new(encoder::Pretrained::new("encoder", &self.encoder))]
        }
    }

    fn threads(&self) -> Threads {
        Threads::All
    }

    fn check(&self, context: &mut CheckContext) {
        if self.columns.is_empty() {
            context.problem(&["columns"], "name at least one text column", None);
        }
        context.require("rows", &["columns"], &self.columns);
        let with_id = std::iter::once(ROW_ID.to_owned()).chain(self.columns.iter().cloned());
        context.reads("rows", Reads::Columns(with_id.collect()));
        // A pretrained encoder learns nothing here, so that another split leaves its vectors fresh.
        let fit = if self.encoder == TFIDF { self.columns.clone() } else { Vec::new() };
        context.reads("fit", Reads::Columns(fit));
        if self.encoder == TFIDF && context.inputs("fit").is_empty() {
            let help = "add `fit: folds.train`, so that no other row can leak into the vocabulary".to_owned();
            context.problem(&["encoder"], "`tfidf` needs the rows to learn its vocabulary from", Some(help));
        }
        context.tell("rows", ENCODER, self.encoder.clone());
        let embeddings = self.columns.iter().map(|name| embedding_of(name));
        context.output("rows", std::iter::once(ROW_ID.to_owned()).chain(embeddings).collect());
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let rows = context.input("rows")?.table()?;
        let mut fields = vec![Field::new(ROW_ID, DataType::Int64, true)];
        let mut arrays: Vec<ArrayRef> = vec![rows.column(ROW_ID)?.clone()];
        let mut recipes = serde_json::Map::new();
        let (mut distinct, mut computed) = (0, 0);
        let shared = self.pretrained(context)?;
        for column in &self.columns {
            let texts = texts(&rows, column)?;
            let fitted;
            let (encoder, recipe): (&dyn TextEncoder, serde_json::Value) = match &shared {
                Some((encoder, recipe)) => (encoder.as_ref(), recipe.clone()),
                None => {
                    fitted = self.fit_tfidf(context, column)?;
                    (&fitted.0, fitted.1)
                }
            };
            let memo = shared.as_ref().filter(|(encoder, _)| encoder.is_exact()).map(|(encoder, recipe)| {
                // Neither the encoder's name nor this kind's version: a row depends on files, recipe and arithmetic.
                let key =
                    json!({"digest": recipe["digest"], "recipe": recipe["recipe"], "device": super::device_class()});
                context.row_memo(&key, encoder.dim())
            });
            let (vectors, count) = encode(encoder, &texts, memo, context)?;
            distinct += count.distinct;
            computed += count.computed;
            let field = Field::new(embedding_of(column), list_type(encoder.dim())?, true);
            fields.push(field.with_metadata(HashMap::from([(ENCODER.to_owned(), recipe.to_string())])));
            arrays.push(list_array(vectors)?);
            recipes.insert(column.clone(), recipe);
        }
        let table = Table::new(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?);
        context.put_table("rows", &table)?;
        context.put_json("encoder", "encoder.json", &recipes)?;
        let known = if computed < distinct { format!(", {computed} of them new") } else { String::new() };
        context.headline(format!("{distinct} distinct texts of {} rows{known}", table.rows()));
        Ok(())
    }
}

impl Embed {
    fn pretrained(&self, context: &StageContext) -> anyhow::Result<Option<(Box<dyn TextEncoder>, serde_json::Value)>> {
        if self.encoder == TFIDF {
            return Ok(None);
        }
        encoder::open(&self.encoder, &self.transformer, context.report()).map(Some)
    }

    fn fit_tfidf(&self, context: &StageContext, column: &str) -> anyhow::Result<(Tfidf, serde_json::Value)> {
        let fit = context.input("fit")?.table()?;
        let texts = texts(&fit, column)?;
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let tfidf =
            Tfidf::fit(&texts, self.tfidf.clone(), context.seed(), context.threads(), &Adapter(context.report()))?;
        let recipe = encoder::recipe(TFIDF, &crate::artifact::Digest::of(&tfidf.to_bytes()).to_string(), &tfidf);
        Ok((tfidf, recipe))
    }
}

fn texts(table: &Table, column: &str) -> anyhow::Result<Vec<String>> {
    Ok(dataset::strings(table, column)?.into_iter().map(Option::unwrap_or_default).collect())
}

/// Texts of a column.
struct Count {
    distinct: usize,
    /// Those that no memo knew.
    computed: usize,
}

/// Vectors for all texts, and how many distinct ones there were. With a memo only the texts that it does not know are
/// computed, and kept in it as they come.
fn encode(
    encoder: &dyn TextEncoder,
    texts: &[String],
    memo: Option<RowMemo>,
    context: &StageContext,
) -> anyhow::Result<(Matrix, Count)> {
    let mut place: HashMap<&str, usize> = HashMap::new();
    let mut distinct: Vec<&str> = Vec::new();
    let index: Vec<usize> = (texts.iter())
        .map(|text| {
            *place.entry(text.as_str()).or_insert_with(|| {
                distinct.push(text);
                distinct.len() - 1
            })
        })
        .collect();
    let clock = Instant::now();
    let adapter = Adapter(context.report());
    let (vectors, computed) = match memo {
        None => (encoder.encode(&distinct, context.threads(), &adapter)?, distinct.len()),
        Some(memo) => remembered(encoder, &distinct, memo, context)?,
    };
    context.measure("texts", distinct.len() as f64);
    context.measure("texts_computed", computed as f64);
    if computed > 0 {
        context.measure("texts_per_second", computed as f64 / clock.elapsed().as_secs_f64());
    }
    Ok((vectors.take(&index), Count { distinct: distinct.len(), computed }))
}

/// Vectors of distinct texts, and how many were computed.
fn remembered(
    encoder: &dyn TextEncoder,
    texts: &[&str],
    memo: RowMemo,
    context: &StageContext,
) -> anyhow::Result<(Matrix, usize)> {
    let keys: Vec<RowKey> = texts.iter().map(|text| RowKey::of(text.as_bytes())).collect();
    let mut vectors = Matrix::zeros(texts.len(), encoder.dim());
    let known = memo.read(&keys, &mut vectors.data, context.threads());
    let unknown: Vec<usize> = (0..texts.len()).filter(|i| !known[*i]).collect();
    let unknown_texts: Vec<&str> = unknown.iter().map(|&i| texts[i]).collect();
    let mut keeper = Keeper { memo, keys: Vec::new(), rows: Vec::new(), pace: Pace::new(), report: context.report() };
    let mut ready = |i: usize, row: &[f32]| {
        keeper.keys.push(keys[unknown[i]]);
        keeper.rows.extend_from_slice(row);
        if keeper.pace.is_due() {
            keeper.keep();
        }
    };
    let computed = encoder.encode_by_row(&unknown_texts, context.threads(), &Adapter(context.report()), &mut ready);
    // Also when it was interrupted: what is computed is computed.
    keeper.keep();
    let computed = computed?;
    for (row, &i) in unknown.iter().enumerate() {
        vectors.row_mut(i).copy_from_slice(computed.row(row));
    }
    Ok((vectors, unknown.len()))
}

/// Rows on their way into the memo.
struct Keeper<'a> {
    memo: RowMemo<'a>,
    keys: Vec<RowKey>,
    rows: Vec<f32>,
    pace: Pace,
    report: &'a dyn Report,
}

impl Keeper<'_> {
    fn keep(&mut self) {
        let begun = Instant::now();
        if let Err(error) = self.memo.add(&self.keys, &self.rows) {
            self.report.warn(&format!("these texts will have to be embedded again: {error}"));
        }
        self.keys.clear();
        self.rows.clear();
        self.pace.saved(begun);
    }
}

fn list_type(dim: usize) -> anyhow::Result<DataType> {
    let item = Arc::new(Field::new("item", DataType::Float32, true));
    Ok(DataType::FixedSizeList(item, i32::try_from(dim)?))
}

fn list_array(vectors: Matrix) -> anyhow::Result<ArrayRef> {
    if vectors.cols == 0 {
        bail!("the encoder gave vectors without components");
    }
    let DataType::FixedSizeList(item, dim) = list_type(vectors.cols)? else {
        return Err(anyhow!("not a list type"));
    };
    Ok(Arc::new(FixedSizeListArray::try_new(item, dim, Arc::new(Float32Array::from(vectors.data)), None)?))
}
