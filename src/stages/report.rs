//! `report`: one HTML page with the tables and figures of the stages that it reads, and the figures as files.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::report_input::ReportInput;
use runner_engine::{Accepts, Arity, CheckContext, InputPort, OutputPort, PortType, Stage, StageContext};
use runner_names::Localized;
use runner_report as report;

/// Writes `report.html`, a single file that opens from disk without any network, and every figure of it as SVG and PDF under `figures/`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Report {
    /// The page's title.
    title: Localized,
    /// The person who hands it in.
    #[serde(default)]
    author: Option<String>,
}

impl Stage for Report {
    const KIND: &'static str = "report";
    const VERSION: u32 = 20;
    const SUMMARY: &'static str = "one HTML page of everything";
    const INPUTS: &'static [InputPort] = &[InputPort {
        name: "stages",
        accepts: Accepts::WholeStage,
        arity: Arity::Many,
        summary: "the stages to tell of, in that order",
    }];
    const SEEDED: bool = false;

    fn outputs(&self) -> Vec<OutputPort> {
        vec![OutputPort::new("page", PortType::Files), OutputPort::new("figures", PortType::Files)]
    }

    fn check(&self, _context: &mut CheckContext) {}

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let told = ReportInput::read(context, "stages")?;
        let html =
            report::study(self.title.get("en"), self.author.as_deref(), &told.stages, &told.edges, &told.tests, None)?;
        let figures = report::all_figures(&told.stages);
        if let Some(message) = report::pdfs_lack(&figures) {
            context.report().warn(&message);
        }
        context.headline(format!(
            "report.html, {} kB, {}",
            html.len() / 1000,
            report::counted(figures.len() as u64, "figure")
        ));
        context.put_file("page", "report.html", html.as_bytes())?;
        for (name, drawing) in &figures {
            anyhow::ensure!(!context.report().cancelled(), "interrupted");
            context.put_file("figures", &format!("figures/{name}.svg"), drawing.svg().as_bytes())?;
            context.put_file("figures", &format!("figures/{name}.pdf"), &drawing.pdf())?;
        }
        if figures.is_empty() {
            // A port must not stay empty: stages without a picture are no error.
            context.put_file("figures", "figures/figures.txt", b"nothing to draw\n")?;
        }
        Ok(())
    }
}
