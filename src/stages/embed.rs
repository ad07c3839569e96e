//! `embed`: text columns → vectors, by a pretrained model or by the built-in `tfidf`.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use anyhow::{anyhow, bail};
use arrow::array::{Array as _, ArrayRef, FixedSizeListArray, Float32Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::adapter::Adapter;
use super::columns::{ROW_ID, embedding_of, texts};
use super::dataset::{EMBEDDED_BY, ENCODER};
use super::documents::put_document;
use super::encoder::{self, Opened, TFIDF};
use super::fitted_on;
use super::required::{require_own, require_rows};
use super::split_rows;
use super::text_vectors::TextVectors;
use runner_artifact::{PART_ROWS, Table, TableWriter};
use runner_boundary::text::yaml;
use runner_engine::{
    Arity, CheckContext, External, InputPort, Memo, OutputPort, PortType, Reads, Stage, StageContext, Threads, listed,
};
use runner_ml::encoder::{
    CANDLE, EncodeError, Precision, TextEncoder, Tfidf, TfidfOptions, TransformerOptions, check_tfidf,
};
use runner_ml::matrix::Matrix;
use runner_ml::progress::Silent;
use runner_report::noun;
use runner_results::encoder::{Encoder, EncoderRecipe, Encoders};

/// The output of `tfidf`: what it learnt of each column, by which texts of later rows become vectors; a file's digest stands in `encoder.json`.
pub(super) const VOCABULARIES: &str = "vocabularies";

/// Embeds text columns: for each, a column `runner.NAME_embedding` of type FixedSizeList<f32> beside `runner.row_id`. Each distinct text is computed once; a missing text counts as empty.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Embed {
    /// Text columns to embed.
    #[schemars(extend("uniqueItems" = true))]
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
    const VERSION: u32 = 8;
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
        let mut ports = vec![OutputPort::new("rows", PortType::Table), OutputPort::new("encoder", PortType::Json)];
        if self.encoder == TFIDF {
            ports.push(OutputPort::new(VOCABULARIES, PortType::Files));
        }
        ports
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
        require_rows(context, "rows");
        require_rows(context, "fit");
        let before = context.found();
        require_own(context, "rows", &["columns"], &self.columns);
        let all = context.found() == before;
        let with_id = std::iter::once(ROW_ID.to_owned()).chain(self.columns.iter().cloned());
        context.reads("rows", Reads::Columns(with_id.collect()));
        // A pretrained encoder learns nothing here, so that another split leaves its vectors fresh.
        let fit = if self.encoder == TFIDF { self.columns.clone() } else { Vec::new() };
        context.reads("fit", Reads::Columns(fit));
        if self.encoder == TFIDF {
            self.check_fit(context);
        }
        let (unread, read) = if self.encoder == TFIDF { ("transformer", "tfidf") } else { ("tfidf", "transformer") };
        if context.is_written(&[unread]) {
            let message = format!("nothing reads `{unread}`: the encoder is {}", self.encoder);
            context.warn(&[unread], message, Some(format!("leave it out; the settings of this encoder are `{read}`")));
        }
        if self.encoder == TFIDF && context.inputs("fit").is_empty() {
            let help = match fitted_on::known_splits(context, "rows").as_slice() {
                [] => "add the training part of a `split` stage, e.g. `fit: folds.train` of a stage `folds`".to_owned(),
                [split] => format!("add `fit: {split}.train`"),
                [first, ..] => format!("add the training part of a `split` stage, e.g. `fit: {first}.train`"),
            };
            let help = format!("{help}, so that no other row can leak into the vocabulary");
            context.problem(&["encoder"], "`tfidf` needs the rows to learn its vocabulary from", Some(help));
        }
        if self.encoder != TFIDF
            && let Some(encoder::Fault { option, message, help }) = encoder::fault(&self.encoder, &self.transformer)
        {
            let path: &[&str] = match &option {
                Some(option) => &["transformer", option],
                None => &["encoder"],
            };
            // However many stages name it.
            context.common_problem(path, format!("encoder {}: {message}", self.encoder), message, help);
        }
        if let Err(EncodeError::Option { option, reason }) = check_tfidf(&self.tfidf) {
            context.problem(&["tfidf", option], format!("tfidf.{option}: {reason}"), None);
        }
        if self.encoder == TFIDF {
            fitted_on::tell_vocabulary(context, "rows", "fit");
        }
        context.tell("rows", EMBEDDED_BY, (self.encoder.clone(), self.transformer.clone()));
        let embeddings = self.columns.iter().map(|name| embedding_of(name));
        // Whose columns are misspelt here must not be told that their embeddings are missing as well.
        if all {
            context.output("rows", std::iter::once(ROW_ID.to_owned()).chain(embeddings).collect());
        }
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let (_, rows) = split_rows::rows_with(context, "rows", &[ROW_ID])?;
        let ids = rows.column(ROW_ID)?.clone();
        let shared = self.pretrained(context)?;
        let mut columns = Vec::new();
        let mut fields = vec![Field::new(ROW_ID, DataType::Int64, true)];
        let mut encoders = Encoders::default();
        for (i, name) in self.columns.iter().enumerate() {
            let (encoder, told) = match &shared {
                Some((encoder, told)) => (encoder.clone(), told.clone()),
                None => {
                    let (tfidf, bytes, told) = self.fit_tfidf(context, name)?;
                    context.put_file(VOCABULARIES, &format!("vocabulary-{}.safetensors", i + 1), &bytes)?;
                    (tfidf, told)
                }
            };
            let field = Field::new(embedding_of(name), list_type(encoder.dim())?, true);
            fields.push(field.with_metadata(HashMap::from([(ENCODER.to_owned(), serde_json::to_string(&told)?)])));
            encoders.columns.insert(name.clone(), told.clone());
            if rows.column(name)?.data_type().is_floating() {
                context.report().warn(&format!(
                    "column '{name}' was read as numbers, and is embedded as they are written out, e.g. 1.5 for 1.50 \
                     (declare `types: {{{}: text}}` in the `load` stage to embed it as it stands)",
                    yaml(name)
                ));
            }
            columns.push((texts(&rows, name)?, encoder, told));
        }
        let schema = Arc::new(Schema::new(fields));
        let mut headline = String::new();
        context.stream_table("rows", &schema, |context, writer| {
            let mut vectors = Vec::new();
            for (texts, encoder, told) in &columns {
                let memo = encoder.is_exact().then(|| {
                    // Neither the encoder's name nor this kind's version: a row depends on files, recipe and arithmetic.
                    let device = super::device_class();
                    let key = json!({"digest": told.digest, "recipe": told.recipe, "device": device});
                    context.row_memo(&key, encoder.dim())
                });
                vectors.push(TextVectors::new(encoder.as_ref(), texts, memo, context)?);
            }
            let written = write(context, writer, &schema, &ids, &mut vectors);
            // Save finished rows even if interrupted.
            vectors.iter_mut().for_each(TextVectors::keep);
            written?;
            headline = self.tell(context, &vectors, ids.len())?;
            Ok(())
        })?;
        put_document(context, "encoder", "encoder", &encoders)?;
        context.headline(headline);
        Ok(())
    }
}

/// Writes the table in parts. One that an earlier run wrote from the same texts is taken as it is: its vectors are not even read.
fn write(
    context: &StageContext,
    writer: &mut TableWriter,
    schema: &SchemaRef,
    ids: &ArrayRef,
    columns: &mut [TextVectors],
) -> anyhow::Result<()> {
    let mut first = 0;
    // A table without rows has one part, too.
    while first == 0 || first < ids.len() {
        let rows = first..(first + PART_ROWS).min(ids.len());
        first = rows.end.max(1);
        let ids = ids.slice(rows.start, rows.len());
        let memo = part_memo(context, schema, &ids, &rows, columns)?;
        let known = memo.as_ref().and_then(Memo::get);
        if known.and_then(|part| serde_json::from_slice(&part).ok()).is_some_and(|part| writer.take(part)) {
            columns.iter_mut().for_each(|column| column.pass(rows.clone()));
            continue;
        }
        let mut arrays = vec![ids];
        for column in columns.iter_mut() {
            arrays.push(list_array(column.of_rows(rows.clone())?)?);
        }
        let part = writer.write(&RecordBatch::try_new(schema.clone(), arrays)?)?;
        if let (Some(memo), Some(part)) = (memo, part) {
            memo.put(&serde_json::to_vec(&part)?)?;
        }
    }
    Ok(())
}

/// Where the part of these rows is kept. The last one, which grows with the rows, is not, nor one whose vectors depend on other rows, too.
fn part_memo<'c>(
    context: &StageContext<'c>,
    schema: &SchemaRef,
    ids: &ArrayRef,
    rows: &Range<usize>,
    columns: &[TextVectors],
) -> anyhow::Result<Option<Memo<'c>>> {
    if rows.len() < PART_ROWS || !columns.iter().all(|column| column.encoder.is_exact()) {
        return Ok(None);
    }
    let texts = columns.iter().zip(schema.fields().iter().skip(1));
    let texts = texts.map(|(column, field)| (field.name().as_str(), column.texts(rows.clone())));
    let content = Table::from_columns(std::iter::once((ROW_ID, ids.clone())).chain(texts))?.digests()?.columns;
    let encoders: Vec<_> = schema.fields().iter().map(|field| field.metadata().get(ENCODER)).collect();
    Ok(Some(context.memo(&json!({"part": content, "encoders": encoders, "device": super::device_class()}))))
}

impl Embed {
    /// Finds columns that the rows to learn from lack, of those that the rows to embed have.
    fn check_fit(&self, context: &mut CheckContext) {
        let (Some(fit), rows) = (context.columns("fit"), context.columns("rows")) else { return };
        let is_there = |name: &&String| rows.as_ref().is_none_or(|rows| rows.contains(name));
        let lacking: Vec<&String> = self.columns.iter().filter(is_there).filter(|name| !fit.contains(name)).collect();
        if !lacking.is_empty() {
            let stage = context.inputs("fit").first().map(|shape| shape.stage.clone()).unwrap_or_default();
            let named = listed(lacking.iter().map(|name| format!("'{name}'")));
            let message = format!("the vocabulary cannot be learnt from '{stage}': it has no column {named}");
            let help = match fitted_on::known_splits(context, "rows").first() {
                Some(split) => format!("name rows with these texts, e.g. the training part `fit: {split}.train`"),
                None => "name rows with these texts, the training part of a `split` stage".to_owned(),
            };
            context.input_problem("fit", 0, message, Some(help));
        }
    }

    fn pretrained(&self, context: &StageContext) -> anyhow::Result<Option<Opened>> {
        if self.encoder == TFIDF {
            return Ok(None);
        }
        encoder::open(&self.encoder, &self.transformer, context.report()).map(Some)
    }

    /// The encoder of a column, as bytes too.
    fn fit_tfidf(
        &self,
        context: &StageContext,
        column: &str,
    ) -> anyhow::Result<(Arc<dyn TextEncoder>, Vec<u8>, Encoder)> {
        let fit = context.input("fit")?.table()?;
        let texts = texts(&fit, column)?;
        let texts: Vec<&str> = texts.iter().map(Option::unwrap_or_default).collect();
        let tfidf =
            Tfidf::fit(&texts, self.tfidf.clone(), context.seed(), context.threads(), &Adapter(context.report()))?;
        let bytes = tfidf.to_bytes();
        let told = encoder::told(TFIDF, &runner_artifact::Digest::of(&bytes).to_string(), &tfidf);
        Ok((Arc::new(tfidf), bytes, told))
    }

    /// Notes what was done, and says it in a line.
    fn tell(&self, context: &StageContext, columns: &[TextVectors], rows: usize) -> anyhow::Result<String> {
        let distinct: usize = columns.iter().map(TextVectors::distinct).sum();
        let computed: usize = columns.iter().map(|column| column.computed).sum();
        let spent: f64 = columns.iter().map(|column| column.spent.as_secs_f64()).sum();
        context.measure("texts", distinct as f64);
        context.measure("texts_computed", computed as f64);
        let mut headline =
            format!("{distinct} distinct {} of {rows} {}", noun(distinct as u64, "text"), noun(rows as u64, "row"));
        if computed > 0 {
            context.measure("texts_per_second", computed as f64 / spent);
        }
        if computed < distinct {
            headline += &format!(", {computed} of them new");
        }
        // All columns have the same one, but for `tfidf`, which counts none.
        let tokens = columns.first().map_or(0, |column| column.encoder.tokens());
        if computed > 0 && tokens > 0 {
            let speed = tokens as f64 / spent;
            context.measure("tokens_per_second", speed);
            if columns.iter().any(|column| is_slow(column.encoder)) {
                headline += &format!(", through candle-transformers at {speed:.0} tokens/s");
            }
        }
        if computed > 0 && self.encoder != TFIDF && !self.transformer.precision.is_f32() {
            let options = TransformerOptions { precision: Precision::F32, ..self.transformer.clone() };
            let (exact, _) = encoder::open(&self.encoder, &options, context.report())?;
            let (mean, least) = cosines(context, exact.as_ref(), columns)?;
            context.measure("cosine_to_f32", mean);
            context.measure("cosine_to_f32_least", least);
            headline += &format!(", cosine to f32 {mean:.4} (least {least:.4})");
        }
        Ok(headline)
    }
}

/// Whether an encoder is none of those that the fast engine of a CPU knows.
fn is_slow(encoder: &dyn TextEncoder) -> bool {
    matches!(encoder.recipe(), EncoderRecipe::Transformer(recipe) if recipe.engine == CANDLE)
}

/// Texts of a column of which vectors are compared with those of full precision.
const COMPARED: usize = 256;

/// Mean and least cosine of vectors with those of `exact`, over a sample of the texts.
fn cosines(context: &StageContext, exact: &dyn TextEncoder, columns: &[TextVectors]) -> anyhow::Result<(f64, f64)> {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let mut all = Vec::new();
    for column in columns {
        let texts = column.sample(COMPARED);
        let [a, b] = [column.encoder, exact].map(|encoder| encoder.encode(&texts, context.threads(), &Silent));
        let (a, b) = (a?, b?);
        all.extend((0..texts.len()).map(|i| {
            let (a, b) = (a.row(i), b.row(i));
            dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
        }));
    }
    Ok((all.iter().sum::<f64>() / all.len() as f64, all.iter().copied().fold(f64::MAX, f64::min)))
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
