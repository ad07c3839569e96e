//! What a report or an article is told: the artifacts of whole stages, read; who feeds whom; and the paired tests of models on the same rows.

use anyhow::Context as _;
use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use indexmap::IndexMap;

use super::adapter::Adapter;
use super::aims::{METRIC, metric_of};
use super::columns::PREDICTED;
use super::documents::read_document;
use super::extension;
use super::paired_tests::{ModelOnTest, paired_tests};
use super::predict::Predict;
use runner_artifact::Table;
use runner_engine::{InputView, PortType, Stage as _, StageContext, StageView, WholeStage};
use runner_ml::progress::Progress;
use runner_report::{ColumnView, Delivered, StageArtifacts, TableView};
use runner_results::paired_test::PairedTests;
use runner_tabular::names;

/// Rows of a table that a page may show or draw; larger tables are cut, curves are far shorter.
const ROWS_SHOWN: usize = 2_000;

/// Everything that is told of some stages.
pub(super) struct ReportInput {
    /// In the order in which they are named.
    pub(crate) stages: Vec<StageArtifacts>,
    /// From producer to consumer, sorted.
    pub(crate) edges: Vec<(String, String)>,
    pub(crate) tests: Vec<PairedTests>,
}

impl ReportInput {
    /// Of the whole stages at `port`.
    pub(crate) fn read(context: &StageContext, port: &str) -> anyhow::Result<ReportInput> {
        ReportInput::of(&context.whole_stages(port), &Adapter(context.report()))
    }

    pub(crate) fn of(wholes: &[WholeStage], progress: &dyn Progress) -> anyhow::Result<ReportInput> {
        let mut stages = Vec::new();
        let mut edges = Vec::new();
        let mut tested = Vec::new();
        for whole in wholes {
            progress.go_on()?;
            let StageView { stage, display_name, kind, params, aims, inputs: connected, .. } = whole.view.clone();
            let mut inputs = Vec::new();
            for input in connected {
                let output = input.output.map(|output| format!(".{output}")).unwrap_or_default();
                inputs.push((input.port, format!("{}{output}", input.stage)));
                edges.push((input.stage, stage.clone()));
            }
            let warnings = whole.warnings.to_vec();
            let mut artifacts =
                StageArtifacts { stage, display_name, kind, params, inputs, warnings, ..StageArtifacts::default() };
            artifacts.metric = aims.get(METRIC.key).and_then(|word| metric_of(word));
            for output in &whole.outputs {
                artifacts.files.extend(output.delivered().into_iter().map(|file| Delivered {
                    name: file.name,
                    port: output.port().to_owned(),
                    bytes: file.bytes,
                    digest: file.digest.to_string(),
                    extent: output.extent(),
                }));
                match output.holds() {
                    PortType::Json => {
                        for file in output.files() {
                            let bytes = output.file(&file.name)?;
                            let name = file.name.trim_end_matches(".json").to_owned();
                            let document = read_document(&artifacts.kind, &bytes);
                            let document = document.with_context(|| format!("{}/{}", artifacts.stage, file.name))?;
                            artifacts.documents.0.insert(name, document);
                        }
                    }
                    PortType::Table => {
                        if artifacts.kind == Predict::KIND && output.port() == "rows" {
                            artifacts.predicted = predicted(output)?;
                        }
                        if output.port() == "predictions" {
                            tested.extend(ModelOnTest::read(&artifacts.stage, &output.table()?)?);
                        }
                        artifacts.tables.insert(output.port().to_owned(), view(&output.head(ROWS_SHOWN)?)?);
                    }
                    PortType::Files | PortType::Model => {}
                }
            }
            if let Some(blocks) = extension::on_page(&artifacts.kind) {
                artifacts.blocks = blocks(&artifacts);
            }
            stages.push(artifacts);
        }
        edges.sort();
        edges.dedup();
        Ok(ReportInput { stages, edges, tests: paired_tests(tested, progress)? })
    }
}

/// Rows whose predicted classes a report compares one by one; of more it says nothing.
const MOST_PREDICTED: u64 = 1_000_000;

/// The class predicted for each row.
fn predicted(output: &InputView) -> anyhow::Result<Vec<String>> {
    let mut classes = Vec::new();
    if output.extent().is_some_and(|(rows, _)| rows <= MOST_PREDICTED) {
        output.batches(|batch| {
            let texts = batch.column(PREDICTED)?.as_string::<i32>();
            classes.extend(texts.iter().map(|text| text.unwrap_or_default().to_owned()));
            Ok(())
        })?;
    }
    Ok(classes)
}

/// The first rows of a table's numbers and texts; vectors are left out.
pub(super) fn view(table: &Table) -> anyhow::Result<TableView> {
    let batch = table.batch().slice(0, table.rows().min(ROWS_SHOWN));
    let (mut columns, mut added) = (IndexMap::new(), IndexMap::new());
    for (field, array) in batch.schema().fields().iter().zip(batch.columns()) {
        let column = match field.data_type() {
            DataType::FixedSizeList(..) => continue,
            DataType::Utf8 => {
                let texts = array.as_string::<i32>();
                ColumnView::Text(texts.iter().map(|text| text.unwrap_or_default().to_owned()).collect())
            }
            _ => {
                let numbers = cast(array, &DataType::Float64)?;
                let numbers = numbers.as_primitive::<Float64Type>();
                ColumnView::Number(numbers.iter().map(|value| value.unwrap_or(f64::NAN)).collect())
            }
        };
        match names::added_as(field.name()) {
            Some(name) => added.insert(name.to_owned(), column),
            None => columns.insert(field.name().clone(), column),
        };
    }
    Ok(TableView { columns, added })
}
