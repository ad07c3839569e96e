//! From Arrow tables to what learners take: a frame of the wanted columns, labels, and the part of every row.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use arrow::array::AsArray;
use arrow::datatypes::{DataType, Field, Float32Type};
use indexmap::IndexSet;

use super::aims;
use super::categories::add_categories;
use super::class_order;
use super::columns::{
    FOLD, GROUP, LABEL, LABEL_COLUMN, LABEL_NAME, Origin, PART, ROW_ID, RowPlaces, WHERE, embedding_of, inexact,
    integers, is_own, numbers, optional_integers, readable_of, shown_as, strings,
};
use super::conditions::types;
use super::encoder::{self, TFIDF};
use super::range;
use super::required::{require_each, require_of, require_own, require_rows, require_split};
use super::split_rows;
use super::{fitted_on, unnamed};
use runner_artifact::Table;
use runner_boundary::text::{Lines, yaml};
use runner_engine::{CheckContext, Fact, InputShape, InputView, Reads, Report, StageContext, listed};
use runner_ml::encoder::TransformerOptions;
use runner_ml::frame::{Column, Frame};
use runner_ml::stats::Clusters;
use runner_results::encoder::Encoder;
use runner_results::scores::Scoring;
use runner_tabular::{ColumnType, Filter};

/// Field metadata of an embedding: the JSON of the [`Encoder`] that made it.
pub(super) const ENCODER: &str = "encoder";
/// At plan time: the encoder's name and options.
pub(super) const EMBEDDED_BY: Fact<(String, TransformerOptions)> = Fact::new(ENCODER);

/// What a learner is told to look at; the same in `baseline`, `train` and `transfer`.
pub(super) struct Selection<'a> {
    pub(crate) numeric: &'a [String],
    pub(crate) text: &'a [String],
    /// Those text columns whose encoder the learner adapts: their texts are read beside their embeddings.
    pub(crate) adapted: &'a [String],
    pub(crate) categories: &'a [String],
    /// Text columns that the learner reads itself, without an embedding.
    pub(crate) texts: &'a [String],
    /// The column by which rows count in a fit.
    pub(crate) sample_weight: Option<&'a str>,
    pub(crate) filter: &'a Filter,
}

impl<'a> Selection<'a> {
    /// These rows, and no column.
    pub(crate) fn of_rows(filter: &'a Filter) -> Self {
        Selection { numeric: &[], text: &[], adapted: &[], categories: &[], texts: &[], sample_weight: None, filter }
    }
}

impl Selection<'_> {
    /// The columns that a model fitted on this selection must be given.
    pub(crate) fn model_columns(&self) -> Vec<String> {
        let embeddings = self.text.iter().map(|text| embedding_of(text));
        let own = self.categories.iter().chain(self.texts).chain(self.adapted).cloned();
        distinct([], self.numeric.iter().cloned().chain(embeddings).chain(own))
    }

    /// Declares what is read of the inputs `rows` and `embeddings`, and finds missing columns before anything runs.
    pub(crate) fn check(&self, context: &mut CheckContext) {
        let fixed = [ROW_ID, LABEL, PART, FOLD, GROUP];
        let plain = self.numeric.iter().chain(self.categories).chain(self.texts).chain(self.adapted).cloned();
        let plain = plain.chain(self.sample_weight.map(str::to_owned));
        let plain = plain.chain(readable_of(context, "rows", self.filter));
        context.reads("rows", Reads::Columns(distinct(fixed, plain)));
        let embeddings = self.text.iter().map(|text| embedding_of(text));
        context.reads("embeddings", Reads::Columns(distinct([ROW_ID], embeddings)));
        require_rows(context, "rows");
        require_rows(context, "embeddings");
        require_own(context, "rows", &["numeric"], self.numeric);
        require_own(context, "rows", &["categories"], self.categories);
        require_own(context, "rows", &["texts"], self.texts);
        require_own(context, "rows", &["network"], self.adapted);
        let weight = self.sample_weight.map(|name| (vec!["sample_weight".to_owned()], name));
        require_each(context, "rows", weight.into_iter());
        require_of(context, "rows", self.filter);
        fitted_on::check(context, "embeddings");
        aims::check(context);
        self.refuse_label(context);
        self.refuse_texts(context);
        require_split(context, "rows");
        let embedded = context.columns("embeddings");
        for (i, text) in self.text.iter().enumerate() {
            let index = i.to_string();
            let missing = match &embedded {
                Some(columns) => !columns.contains(&embedding_of(text)),
                None => context.inputs("embeddings").is_empty(),
            };
            if missing {
                context.refuse_column(&embedding_of(text));
                let help = format!("add an `embed` stage with `columns: [{}]` to `embeddings`", yaml(text));
                context.problem(&["text", &index], format!("no embedding of column '{text}'"), Some(help));
            }
        }
        require_layers(context, self.adapted);
    }

    /// Warns of embeddings that nothing reads.
    pub(crate) fn warn_of_unread(&self, context: &mut CheckContext) {
        if self.text.is_empty() && !context.inputs("embeddings").is_empty() {
            let help = "name their columns under `text`, or leave `embeddings` out".to_owned();
            context.warn(
                &["embeddings"],
                "nothing reads `embeddings`: the stage has no columns under `text`",
                Some(help),
            );
        }
    }
}

/// Says so for text columns whose encoder is to be adapted, where it has no layers.
pub(super) fn require_layers(context: &mut CheckContext, adapted: &[String]) {
    for text in adapted {
        let is_bag_of_words = embedded_by(context, text).is_some_and(|(encoder, _)| encoder == TFIDF);
        if is_bag_of_words {
            let message = format!("`tfidf`, which embeds '{text}', has no layers to adapt");
            let help = Some("embed it by a sentence-transformers model, or leave `adapt` out".to_owned());
            context.problem(&["network", "text", "adapt"], message, help);
        }
    }
}

/// The encoder of a text column's embeddings with its options, where an `embed` stage above tells it.
pub(super) fn embedded_by<'a>(context: &'a CheckContext, text: &str) -> Option<&'a (String, TransformerOptions)> {
    let has_it =
        |shape: &&InputShape| shape.columns.as_ref().is_some_and(|columns| columns.contains(&embedding_of(text)));
    context.inputs("embeddings").iter().find(has_it)?.facts.get(EMBEDDED_BY)
}

impl Selection<'_> {
    /// What is declared as text is not learnt from as numbers.
    fn refuse_texts(&self, context: &mut CheckContext) {
        let types = types(context, "rows");
        let label = context.fact("rows", LABEL_COLUMN).cloned();
        for (i, name) in self.numeric.iter().enumerate().filter(|(_, name)| Some(*name) != label.as_ref()) {
            if is_own(name) && types.get(name) == Some(&ColumnType::Text) {
                let message = format!("column '{name}' holds text, not numbers");
                let help = format!(
                    "the `types` of its `load` stage say so: write `{}: number` there, or take it out of `numeric`, for `categories` or an `embed` stage",
                    yaml(name)
                );
                context.common_problem(
                    &["numeric", &i.to_string()],
                    format!("text {name} as numbers"),
                    message,
                    Some(help),
                );
            }
        }
    }

    /// A model that is given the answer learns nothing else.
    fn refuse_label(&self, context: &mut CheckContext) {
        let Some(label) = context.fact("rows", LABEL_COLUMN).cloned() else { return };
        let lists =
            [("numeric", self.numeric), ("categories", self.categories), ("texts", self.texts), ("text", self.text)];
        for (list, names) in lists {
            for (i, name) in names.iter().enumerate().filter(|(_, name)| **name == label) {
                let message = format!("'{label}' is the label: a model must not be given what it is to predict");
                context.refuse_column(name);
                let (about, help) = (format!("label {label} to learn from"), "leave it out".to_owned());
                context.common_problem(&[list, &i.to_string()], about, message, Some(help));
            }
        }
    }
}

/// The names in that order, each once.
pub(super) fn distinct<const N: usize>(fixed: [&str; N], more: impl IntoIterator<Item = String>) -> Vec<String> {
    fixed.into_iter().map(str::to_owned).chain(more).collect::<IndexSet<String>>().into_iter().collect()
}

/// For checks below: which columns the fitted model at `port` must be given, and the name of the label that it predicts.
pub(super) fn tell_of_model(context: &mut CheckContext, port: &str, columns: Vec<String>) {
    context.output(port, columns);
    for output in [port, "predictions"] {
        fitted_on::tell_fitted(context, output, "rows");
    }
    unnamed::pass_on(context, "rows", port);
    if let Some(label) = context.fact("rows", LABEL_COLUMN).cloned() {
        context.tell(port, LABEL_COLUMN, label);
    }
    class_order::pass_on(context, "rows", port);
}

/// Those columns of the model at the input `model` that the tables at `port` have, or may have; `None` if the stages above do not tell. A model
/// names columns of rows and of embeddings alike.
pub(super) fn model_columns(context: &CheckContext, port: &str) -> Option<Vec<String>> {
    let wanted = context.columns("model")?;
    let present = context.columns(port);
    let may_have = |name: &String| present.as_ref().is_none_or(|present| present.contains(name));
    Some(wanted.into_iter().filter(may_have).collect())
}

/// Rows ready for a learner.
pub(super) struct Dataset {
    pub(crate) frame: Frame,
    /// The number of each row among all rows of its `load` stage.
    pub(crate) row_id: Vec<i64>,
    /// The group of each row; empty where every row stands alone.
    pub(crate) groups: Vec<i64>,
    /// What made the embedding of each text column, in the order of the selection; `None` where it does not tell.
    pub(crate) encoders: Vec<Option<Encoder>>,
    /// Indices into `classes`.
    pub(crate) labels: Vec<u32>,
    pub(crate) classes: Vec<String>,
    pub(crate) label_name: String,
    pub(crate) train: Vec<usize>,
    pub(crate) valid: Vec<usize>,
    pub(crate) test: Vec<usize>,
    /// By row how much it counts in a fit; empty where all count alike.
    pub(crate) weights: Vec<f64>,
    /// The fold of each training row, aligned with `train`.
    pub(crate) folds: Vec<u32>,
    /// What scores depend on; of two classes there is a positive one.
    pub(crate) scoring: Scoring,
}

impl Dataset {
    /// The labels of these rows.
    pub(crate) fn labels_of(&self, rows: &[usize]) -> Vec<u32> {
        rows.iter().map(|&row| self.labels[row]).collect()
    }

    /// # Errors
    /// If the filter leaves nothing of a part that training needs.
    pub(crate) fn require_parts(&self, filter: &Filter, context: &StageContext) -> anyhow::Result<()> {
        for (name, rows) in [("train", &self.train), ("valid", &self.valid)] {
            if rows.is_empty() && !filter.is_empty() {
                let error =
                    anyhow!("`where` leaves no row of the {name} part: training needs both `train` and `valid`");
                return Err(context.placed(WHERE, error));
            }
        }
        let has = |rows: &[usize], class: u32| rows.iter().any(|&row| self.labels[row] == class);
        let trained = (0u32..).zip(&self.classes).filter(|(class, _)| has(&self.train, *class));
        let unseen = trained.filter(|(class, _)| !has(&self.valid, *class));
        let unseen: Vec<String> = unseen.map(|(_, class)| format!("'{class}'")).collect();
        if !unseen.is_empty() {
            context.report().warn(&format!(
                "the validation part has no row of {}: the epoch is chosen by the other classes alone, and the shares of the classes are not calibrated \
                 (write another `where`, or give `split` another `seed` or more validation rows)",
                listed(unseen)
            ));
        }
        Ok(())
    }

    /// Which of these rows belong together.
    pub(crate) fn clusters(&self, rows: &[usize]) -> Clusters {
        Clusters::of_rows(&self.groups, rows)
    }
}

/// The group of each row of a table; nothing where it has none.
pub(super) fn groups(table: &Table) -> anyhow::Result<Vec<i64>> {
    if table.column(GROUP).is_ok() { integers(table, GROUP) } else { Ok(Vec::new()) }
}

/// The names in a label column in their order, where they have one, or sorted.
pub(super) fn classes(labels: &[Option<String>], order: Option<&[String]>) -> Vec<String> {
    let mut classes: Vec<String> = labels.iter().flatten().cloned().collect();
    classes.sort_unstable();
    classes.dedup();
    class_order::sorted(classes, order)
}

/// Reads and joins the inputs `rows` and `embeddings`. Classes are sorted by name, unless they have an order.
pub(super) fn dataset(context: &StageContext, selection: &Selection) -> anyhow::Result<Dataset> {
    let (input, all) = split_rows::rows_with(context, "rows", &[ROW_ID, LABEL, PART])?;
    split_rows::check(&all, &input).map_err(|error| context.placed("rows", error))?;
    let rows = filtered(&all, selection.filter, context)?;
    if !selection.text.is_empty() {
        split_rows::check_numbers(&rows, &input).map_err(|error| context.placed("rows", error))?;
    } else if let Some(what) = split_rows::twice(&rows)? {
        context.report().warn(&format!("'{}' {what}: comparisons and ensembles take such rows for one", input.stage()));
    }
    let origin = Origin { context, port: "rows" };
    let mut frame = numeric_frame(&rows, selection.numeric, &origin, |column| {
        format!(
            "correct it, list it under `missing` of the `load` stage, or leave '{column}' out of `numeric`: `types: {{{}: text}}` makes a text of it, \
             for `categories` or an `embed` stage",
            yaml(column)
        )
    })?;
    for name in selection.numeric {
        if let Some(number) = inexact(&rows, name)? {
            context.report().warn(&format!(
                "column '{name}' has whole numbers of more digits than a number holds, which are rounded, e.g. {number} to {:.0} (if they are names, leave \
                 it out of `numeric`, or list it under `categories`)",
                number as f64
            ));
        }
    }
    add_categories(&mut frame, &rows, selection.categories, context.report())?;
    for name in selection.texts {
        frame.insert_texts(name, strings(&rows, name)?);
    }
    let (row_id, groups) = (integers(&rows, ROW_ID)?, groups(&rows)?);
    let encoders = add_embeddings(&mut frame, &row_id, &context.inputs("embeddings"), selection.text, &[])?;
    let adapted = selection.text.iter().zip(&encoders).filter(|(text, _)| selection.adapted.contains(text));
    add_tokens(&mut frame, &rows, adapted, context.threads(), context.report())?;
    let texts = strings(&rows, LABEL)?;
    let order = class_order::of_table(&rows);
    let classes = classes(&texts, order.as_deref());
    if classes.len() < 2 {
        let found = classes.first().map_or("no label".to_owned(), |class| format!("the single class '{class}'"));
        let error = anyhow!("there is nothing to learn: the rows have {found} (two classes or more are needed)");
        return Err(if selection.filter.is_empty() { error } else { context.placed(WHERE, error) });
    }
    let index: HashMap<&str, u32> = classes.iter().enumerate().map(|(i, class)| (class.as_str(), i as u32)).collect();
    let labels = texts
        .iter()
        .map(|text| text.as_deref().and_then(|text| index.get(text).copied()))
        .collect::<Option<Vec<u32>>>()
        .ok_or_else(|| anyhow!("a row to learn from has no label"))?;
    let parts = strings(&rows, PART)?;
    let of = |name: &str| -> Vec<usize> {
        parts.iter().enumerate().filter(|(_, part)| part.as_deref() == Some(name)).map(|(i, _)| i).collect()
    };
    let (train, valid, test) = (of("train"), of("valid"), of("test"));
    let weights = match selection.sample_weight {
        Some(name) => {
            sample_weights(&rows, name, &train, &origin).map_err(|error| context.placed("sample_weight", error))?
        }
        None => Vec::new(),
    };
    for name in without_values(&frame, selection.numeric, &train) {
        context.report().warn(&format!(
            "column '{name}' has no value in the training part, so nothing can be learnt from it (leave it out of `numeric`)"
        ));
    }
    let known = if selection.filter.is_empty() { classes.clone() } else { self::classes(&strings(&all, LABEL)?, None) };
    let scoring =
        aims::scoring(context, &classes, Some(&known), train.iter().map(|&row| labels[row]), order.is_some())?;
    let fold = optional_integers(&rows, FOLD)?;
    let folds = train.iter().map(|&i| fold[i].unwrap_or(0) as u32).collect();
    let schema = rows.schema();
    let label_field = schema.field_with_name(LABEL)?;
    let label_name = label_field.metadata().get(LABEL_NAME).cloned().unwrap_or_else(|| shown_as(LABEL).to_owned());
    Ok(Dataset {
        frame,
        row_id,
        groups,
        encoders,
        labels,
        classes,
        label_name,
        train,
        valid,
        test,
        weights,
        folds,
        scoring,
    })
}

/// The rows that the filter keeps; values of its conditions that no row has are told of.
pub(super) fn filtered(table: &Table, filter: &Filter, context: &StageContext) -> anyhow::Result<Table> {
    if filter.is_empty() {
        return Ok(table.clone());
    }
    let kept = filter.apply(table.batch()).context(WHERE).map_err(|error| context.placed(WHERE, error))?;
    kept.unmatched.iter().for_each(|unmatched| context.report().warn(&format!("where: {unmatched}")));
    Ok(Table::new(kept.batch))
}

/// A frame of the named numeric columns, as models take them; missing values become NaN. `remedy` tells what to do about a value that is no number.
pub(super) fn numeric_frame(
    table: &Table,
    names: &[String],
    places: &dyn RowPlaces,
    remedy: impl Fn(&str) -> String,
) -> anyhow::Result<Frame> {
    let (mut columns, mut unread) = (Vec::with_capacity(names.len()), Vec::new());
    for name in names {
        match numbers(table, name)? {
            Ok(values) => columns.push(values),
            Err(found) => unread.push(format!("{} ({})", found.message(table, name, places), remedy(name))),
        }
    }
    if !unread.is_empty() {
        bail!(Lines::new(unread));
    }
    let named = names.iter().map(String::as_str).zip(columns.iter().map(Vec::as_slice));
    range::check(table, &named.collect::<Vec<_>>())?;
    let mut frame = Frame::new(table.rows());
    names.iter().zip(columns).for_each(|(name, values)| frame.insert(name.clone(), Column::Numeric(values)));
    Ok(frame)
}

/// The weights of rows in a column; those of training rows must be numbers from 0 on, one of them above it.
fn sample_weights(table: &Table, name: &str, train: &[usize], origin: &Origin) -> anyhow::Result<Vec<f64>> {
    let remedy = "give each training row a number from 0 on, or leave the row out by `where`";
    let mut weights = match numbers(table, name)? {
        Ok(weights) => weights,
        Err(found) => bail!("{} ({remedy})", found.message(table, name, origin)),
    };
    let is_wrong = |row: &usize| !(weights[*row] >= 0.0 && weights[*row] <= f64::from(f32::MAX));
    let wrong: Vec<usize> = train.iter().copied().filter(is_wrong).collect();
    if let Some(&first) = wrong.first() {
        let at = origin.of(integers(table, ROW_ID)?[first]);
        let value = if weights[first].is_nan() { "no value".to_owned() } else { weights[first].to_string() };
        let others = match wrong.len() - 1 {
            0 => String::new(),
            others => format!(", as in {others} more of the training rows"),
        };
        bail!("{at}column '{name}' has {value} where a weight must be, a finite number from 0 on{others} ({remedy})");
    }
    if train.iter().all(|&row| weights[row] == 0.0) {
        bail!("column '{name}' is 0 in all training rows: nothing counts ({remedy})");
    }
    // Others count in no fit.
    weights.iter_mut().filter(|weight| weight.is_nan()).for_each(|weight| *weight = 0.0);
    Ok(weights)
}

/// Those of the columns that are missing in all of the rows.
fn without_values<'n>(frame: &Frame, names: &'n [String], rows: &[usize]) -> Vec<&'n String> {
    let is_empty =
        |name: &&String| frame.numeric(name).is_some_and(|values| rows.iter().all(|&row| values[row].is_nan()));
    names.iter().filter(is_empty).collect()
}

/// Joins the embeddings of the text columns by row id, each under the text column's own name: that which `wanted` made, of those that tell, else the
/// first. Returns what made them.
pub(super) fn add_embeddings(
    frame: &mut Frame,
    row_id: &[i64],
    inputs: &[InputView],
    texts: &[String],
    wanted: &[&Option<Encoder>],
) -> anyhow::Result<Vec<Option<Encoder>>> {
    let schemas = inputs.iter().map(InputView::schema).collect::<anyhow::Result<Vec<_>>>()?;
    let mut encoders = Vec::with_capacity(texts.len());
    for (i, text) in texts.iter().enumerate() {
        let name = embedding_of(text);
        let fields = inputs.iter().zip(&schemas).filter_map(|(input, schema)| {
            let field = schema.field_with_name(&name).ok()?;
            Some((input, field, made_by(field)))
        });
        let mut having: Vec<_> = fields.collect();
        if let Some(wanted) = wanted.get(i) {
            // Stable: the first stays the first among equals.
            having.sort_by_key(|(_, _, made_by)| made_by != *wanted);
        }
        let (input, field, made_by) = having.into_iter().next().ok_or_else(|| {
            anyhow!(
                "no embedding of column '{text}' (add an `embed` stage with `columns: [{}]` to `embeddings`)",
                yaml(text)
            )
        })?;
        frame.insert(text.clone(), join(input, field, row_id)?);
        encoders.push(made_by);
    }
    Ok(encoders)
}

/// Adds the tokens of text columns, each with what made its embedding.
pub(super) fn add_tokens<'a>(
    frame: &mut Frame,
    rows: &Table,
    columns: impl Iterator<Item = (&'a String, &'a Option<Encoder>)>,
    threads: usize,
    report: &dyn Report,
) -> anyhow::Result<()> {
    for (column, made_by) in columns {
        let texts: Vec<String> = strings(rows, column)?.into_iter().map(Option::unwrap_or_default).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let (tokens, of_row) = encoder::tokens(made_by.as_ref(), &texts, threads, report)
            .with_context(|| format!("the encoder of '{column}' cannot be adapted"))?;
        frame.insert_tokens(column, Arc::new(tokens), of_row);
    }
    Ok(())
}

/// What made an embedding column; vectors of a `command` do not tell.
fn made_by(field: &Field) -> Option<Encoder> {
    field.metadata().get(ENCODER).and_then(|made_by| serde_json::from_str(made_by).ok())
}

/// The vectors of the rows with these ids, batch by batch: of a large table no more is in memory beside them than one.
fn join(input: &InputView, field: &Field, row_id: &[i64]) -> anyhow::Result<Column> {
    let name = field.name();
    let dim = match field.data_type() {
        DataType::FixedSizeList(_, dim @ 1..) => usize::try_from(*dim)?,
        other => bail!("column '{name}' is not an embedding but {other}"),
    };
    let place: HashMap<i64, usize> = row_id.iter().enumerate().map(|(row, id)| (*id, row)).collect();
    let mut joined = vec![0.0f32; row_id.len() * dim];
    let mut found = vec![false; row_id.len()];
    input.batches(|table| {
        let values = table.column(name)?.as_fixed_size_list().values();
        let values = values.as_primitive_opt::<Float32Type>().ok_or_else(|| anyhow!("'{name}' does not hold f32"))?;
        for (vector, id) in values.values().chunks_exact(dim).zip(integers(&table, ROW_ID)?) {
            if let Some(&row) = place.get(&id) {
                let own = &mut joined[row * dim..(row + 1) * dim];
                if found[row] && own.iter().zip(vector).any(|(one, other): (&f32, &f32)| one.to_bits() != other.to_bits()) {
                    bail!(
                        "'{}' has two different '{name}' for the {ROW_ID} {id} (give each row one number of its own, as it was read)",
                        input.stage()
                    );
                }
                own.copy_from_slice(vector);
                found[row] = true;
            }
        }
        Ok(())
    })?;
    for (row, id) in row_id.iter().enumerate().filter(|(row, _)| !found[*row]) {
        // A row that is there twice was found where it stands last.
        let last = place.get(id).copied().filter(|&last| found[last]).ok_or_else(|| {
            anyhow!("row {id} has no '{name}' (the `embed` stage must read the same `load` stage as these rows)")
        })?;
        joined.copy_within(last * dim..(last + 1) * dim, row * dim);
    }
    Ok(Column::Vector { dim, values: joined })
}
