//! `report`: one HTML page with the tables and figures of the stages that it reads.
//!
//! Knows nothing of how they were computed.

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tested::{Tested, contests};
use crate::artifact::Table;
use crate::engine::{Accepts, Arity, CheckContext, InputPort, OutputPort, PortType, Stage, StageContext};
use crate::report::{self, ColumnView, StageArtifacts, TableView};

/// Rows of a table that a page may show or draw; larger tables are cut, curves are far shorter.
const ROWS_SHOWN: usize = 2_000;

/// Writes `report.html`: a single file that opens from disk, without any network.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The page's title.
    title: String,
    /// The person who hands it in.
    #[serde(default)]
    author: Option<String>,
}

impl Stage for Report {
    const KIND: &'static str = "report";
    const VERSION: u32 = 2;
    const SUMMARY: &'static str = "one HTML page of everything";
    const INPUTS: &'static [InputPort] = &[InputPort {
        name: "stages",
        accepts: Accepts::WholeStage,
        arity: Arity::Many,
        summary: "the stages to tell of, in that order",
    }];
    const SEEDED: bool = false;

    fn outputs(&self) -> Vec<OutputPort> {
        vec![OutputPort::new("page", PortType::Files)]
    }

    fn check(&self, _context: &mut CheckContext) {}

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let mut stages = Vec::new();
        let mut edges = Vec::new();
        let mut tested = Vec::new();
        for whole in context.whole_stages("stages") {
            let text = |key: &str| whole.view[key].as_str().unwrap_or_default().to_owned();
            let stage = text("stage");
            for input in whole.view["inputs"].as_array().into_iter().flatten() {
                edges.push((input["stage"].as_str().unwrap_or_default().to_owned(), stage.clone()));
            }
            let mut artifacts = StageArtifacts {
                stage,
                kind: text("kind"),
                params: whole.view["params"].clone(),
                json: IndexMap::new(),
                tables: IndexMap::new(),
                files: Vec::new(),
            };
            for output in &whole.outputs {
                match output.holds() {
                    PortType::Json => {
                        for name in output.file_names() {
                            let value = serde_json::from_slice(&output.file(name)?)?;
                            artifacts.json.insert(name.trim_end_matches(".json").to_owned(), value);
                        }
                    }
                    PortType::Table => {
                        if output.port() == "predictions" {
                            tested.extend(Tested::read(&artifacts.stage, &output.table()?)?);
                        }
                        artifacts.tables.insert(output.port().to_owned(), view(&output.table()?)?);
                    }
                    PortType::Files | PortType::Model => {
                        artifacts.files.extend(output.file_names().iter().map(|name| (*name).to_owned()));
                    }
                }
            }
            stages.push(artifacts);
        }
        edges.sort();
        edges.dedup();
        let html = report::study(&self.title, self.author.as_deref(), &stages, &edges, &contests(tested))?;
        context.headline(format!("report.html, {} kB", html.len() / 1000));
        context.put_file("page", "report.html", html.as_bytes())
    }
}

/// The first rows of a table's numbers and texts; vectors are left out.
pub(super) fn view(table: &Table) -> anyhow::Result<TableView> {
    let batch = table.batch().slice(0, table.rows().min(ROWS_SHOWN));
    let mut columns = IndexMap::new();
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
        columns.insert(field.name().clone(), column);
    }
    Ok(TableView { columns })
}
