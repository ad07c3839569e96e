//! A stage's own figures: those that the report would show of it, each as a file.

use anyhow::Context as _;
use indexmap::IndexMap;

use super::report_input::view;
use runner_artifact::Table;
use runner_engine::StageContext;
use runner_report::{StageArtifacts, figures};
use runner_results::Documents;

/// Gives the figures of these documents and tables at the port `figures`.
pub(super) fn put_figures(
    context: &mut StageContext,
    kind: &str,
    documents: Documents,
    tables: &[(&str, &Table)],
) -> anyhow::Result<()> {
    let mut artifacts = StageArtifacts { stage: kind.to_owned(), kind: kind.to_owned(), ..StageArtifacts::default() };
    artifacts.documents = documents;
    let views = tables.iter().map(|(name, table)| Ok(((*name).to_owned(), view(table)?)));
    artifacts.tables = views.collect::<anyhow::Result<IndexMap<_, _>>>()?;
    let drawn = figures(&artifacts);
    for (name, drawing) in &drawn {
        context.put_file("figures", &format!("{name}.svg"), drawing.svg().as_bytes()).context("figures")?;
    }
    if drawn.is_empty() {
        // A port must not stay empty: too few epochs or columns for a picture are no error.
        context.put_file("figures", "figures.txt", b"nothing to draw\n")?;
    }
    Ok(())
}
