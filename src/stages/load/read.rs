//! The work of `load`: files to a table.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anyhow::bail;
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;

use super::super::class_order;
use super::super::columns::{LABEL_NAME, SOURCE, WHERE, strings};
use super::super::download;
use super::Load;
use runner_artifact::Table;
use runner_boundary::text::{Lines, of_chain};
use runner_engine::StageContext;
use runner_report::noun;
use runner_tabular::{self as tabular, CsvError, Input};

/// One file with its content.
struct Content {
    /// The port.
    name: String,
    /// What `runner.source` calls it.
    source: String,
    /// What messages call it.
    path: String,
    bytes: Vec<u8>,
}

impl Load {
    pub(super) fn read(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let files = self.contents(context)?;
        for (i, file) in files.iter().enumerate() {
            if let Some(first) = files[..i].iter().find(|other| other.bytes == file.bytes) {
                context.report().warn(&format!(
                    "'{}' ({}) has the same content as '{}' ({}): all of its rows are there twice (leave one out unless that is meant)",
                    file.name, file.path, first.name, first.path
                ));
            }
        }
        let inputs: Vec<Input> =
            files.iter().map(|file| Input { name: &file.source, path: &file.path, bytes: &file.bytes }).collect();
        let report = context.report();
        let loaded = tabular::load_until(&inputs, &self.options(), &|| report.cancelled());
        let loaded = loaded.map_err(|errors| match errors.as_slice() {
            [error] if matches!(*error.problem, tabular::Problem::Filter(_)) => context.placed(WHERE, all_of(&errors)),
            [error, others @ ..] => match error.problem.as_ref() {
                tabular::Problem::DerivedFromText { name, .. } if others.is_empty() => {
                    context.placed(&format!("derive.{name}"), all_of(&errors))
                }
                tabular::Problem::DerivedFromText { .. } => context.placed("derive", all_of(&errors)),
                _ => all_of(&errors),
            },
            [] => all_of(&errors),
        })?;
        for note in loaded.told() {
            context.report().warn(&note);
        }
        let rows = Table::new(self.with_label_name(loaded.batch, context)?);
        context.put_table("rows", &rows)?;
        let sources = strings(&rows, SOURCE)?;
        for name in self.names() {
            let of_name: HashSet<&str> =
                files.iter().filter(|file| file.name == name).map(|file| file.source.as_str()).collect();
            let is_own = |source: &str| of_name.contains(source);
            let own: Vec<bool> = sources.iter().map(|source| source.as_deref().is_some_and(is_own)).collect();
            let own = arrow::compute::filter_record_batch(rows.batch(), &own.into())?;
            context.put_table(&name, &Table::new(own))?;
        }
        context.headline(format!(
            "{} {}, {} {}",
            rows.rows(),
            noun(rows.rows() as u64, "row"),
            rows.column_names().len(),
            noun(rows.column_names().len() as u64, "column")
        ));
        Ok(())
    }

    /// Marks the label column in its field's metadata, for the stages below.
    fn with_label_name(&self, batch: RecordBatch, context: &StageContext) -> anyhow::Result<RecordBatch> {
        let Some(label) = &self.label else { return Ok(batch) };
        let mut marks = HashMap::from([(LABEL_NAME.to_owned(), label.clone())]);
        if !self.class_order.is_empty() && batch.schema().field_with_name(label).is_ok() {
            let labels = strings(&Table::new(batch.clone()), label)?;
            let order = class_order::names(&self.class_order);
            class_order::require_all(&order, labels.iter().flatten())
                .map_err(|error| context.placed(class_order::KEY, error))?;
            class_order::tell(&mut marks, &class_order::spelled_as(&order, labels.iter().flatten()))?;
        }
        let schema = batch.schema();
        let fields: Vec<_> = (schema.fields().iter())
            .map(|field| {
                let field = field.as_ref().clone();
                if field.name() != label {
                    return field;
                }
                let mut metadata = field.metadata().clone();
                metadata.extend(marks.clone());
                field.with_metadata(metadata)
            })
            .collect();
        let schema = Schema::new_with_metadata(fields, schema.metadata().clone());
        Ok(RecordBatch::try_new(Arc::new(schema), batch.columns().to_vec())?)
    }

    /// All files, or what keeps some from being read.
    fn contents(&self, context: &StageContext) -> anyhow::Result<Vec<Content>> {
        let (mut files, mut unreadable) = (Vec::new(), Vec::new());
        for member in self.members() {
            match context.source(&member.at()) {
                Ok((_, bytes)) => {
                    let path = member.shown();
                    files.push(Content { name: member.name, source: member.source, path, bytes });
                }
                Err(error) => unreadable.push(of_chain(error.chain())),
            }
        }
        for (name, download) in &self.downloads {
            match download::get(download, context.report()) {
                Ok(bytes) => {
                    let path = download.shown().into_owned();
                    files.push(Content { name: name.clone(), source: name.clone(), path, bytes });
                }
                Err(error) if context.report().cancelled() => return Err(error),
                Err(error) => unreadable.push(of_chain(error.chain())),
            }
        }
        if unreadable.is_empty() { Ok(files) } else { bail!(Lines::of_files(unreadable)) }
    }
}

/// The errors as one.
pub(in super::super) fn all_of(errors: &[CsvError]) -> anyhow::Error {
    anyhow::anyhow!(Lines::of_files(errors.iter().map(ToString::to_string)))
}
