//! All stages of a pipeline, a line each.

use super::super::standing::Standing;
use super::super::study::Study;
use super::super::{DONE, Outcome, leaks, print, print_json, repeats, screen};
use super::{ShowArguments, StageResult};
use crate::engine::Status;

pub(super) fn show(arguments: &ShowArguments) -> Outcome {
    let file = &arguments.study.file;
    let study = Study::of_results(&arguments.study)?;
    let style = screen::Style::stdout();
    let mut rows = vec![["Stage", "kind", "result"].map(|head| style.dim(head)).to_vec()];
    let mut example = None;
    for (i, stage) in study.plan.stages.iter().enumerate() {
        let (name, kind) = (stage.name.as_str(), stage.stage.kind().name);
        let Some(record) = study.workspace().current_record(i) else {
            rows.push(vec![style.bold(name), kind.to_owned(), style.dim("none yet")]);
            continue;
        };
        let standing = Standing::of(&study, i, &record, file);
        if arguments.json {
            print_json(&StageResult::read(&study.store, &record)?.json(name, &standing));
            continue;
        }
        let mut headline = record.provenance.headline.clone();
        if standing.status.is_some_and(|status| status != Status::Fresh) {
            headline = format!("{} {headline}", style.warning("out of date:"));
        }
        rows.push(vec![style.bold(name), kind.to_owned(), headline]);
        example = example.or(Some(name));
    }
    if !arguments.json {
        print(&screen::table_within(&rows, screen::width()));
        let found = leaks::together(&study, |i| study.workspace().current_record(i).map(Box::new));
        print(&repeats::table(&found.repeated, style));
        let shown = screen::path(file);
        print(&style.note(&match example {
            Some(name) => format!("`runner show {shown} {name}` shows what a stage gave"),
            None => format!("`runner run {shown}` computes them"),
        }));
    }
    Ok(DONE)
}
