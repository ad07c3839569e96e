//! Models that read a column which leaks the label, told beside their scores. Reads the records that it is given.

use super::screen::{self, Style};
use super::study::Study;
use crate::boundary::text::quoted;
use crate::engine::ActionRecord;
use crate::report::StageArtifacts;
use crate::report::leaks::{Leak, all, sentence};
use crate::stages::documents::documents;

/// The kinds that audit columns or have models.
const KINDS: [&str; 5] = ["describe", "baseline", "train", "transfer", "ensemble"];

/// Of the stages that `record` knows a result of, by their place in the plan.
pub(super) fn leaks<R: AsRef<ActionRecord>>(study: &Study, record: impl Fn(usize) -> Option<R>) -> Vec<Leak> {
    let plan = &study.plan;
    let (mut stages, mut edges) = (Vec::new(), Vec::new());
    for (i, stage) in plan.stages.iter().enumerate() {
        let kind = stage.stage.kind().name;
        let Some(record) = KINDS.contains(&kind).then(|| record(i)).flatten() else { continue };
        edges.extend(plan.dependencies(i).into_iter().map(|from| (plan.stages[from].name.clone(), stage.name.clone())));
        stages.push(StageArtifacts {
            stage: stage.name.clone(),
            kind: kind.to_owned(),
            params: stage.stage.params(),
            // What cannot be read, who shows it will say.
            documents: documents(&study.store, record.as_ref(), |_| true).unwrap_or_default(),
            ..StageArtifacts::default()
        });
    }
    all(&stages, &edges)
}

/// A leak in lines that fit.
pub(super) fn line(leak: &Leak, style: Style) -> String {
    screen::wrap(&quoted(&sentence(leak)), &format!("  {} ", style.error("danger:")), screen::width())
}
