//! `runner report`: the page of a study with its history, from results that are there already.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::Args;

use super::study::{Study, invalid};
use super::{DONE, Failure, Outcome, StudyArguments, screen};
use crate::artifact::disk::{write_atomically, write_through_links};
use crate::boundary::files::open_regular;
use crate::engine::History;
use crate::stages::page;

/// How a page begins, in whatever letters.
const PAGE: &[u8] = b"<!doctype html>";

#[derive(Args)]
pub(super) struct ReportArguments {
    #[command(flatten)]
    study: StudyArguments,
    /// The `report` stage whose page it is; needed where the pipeline has several. Without one, the page has all stages
    stage: Option<String>,
    /// The run to compare the results with (its id, `last`, `last~1`); by default the newest that had other results
    #[arg(long, value_name = "RUN")]
    against: Option<String>,
    /// The file to write; by default `page.html` beside the folders of the pipeline's stages
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn report(arguments: &ReportArguments) -> Outcome {
    let study = Study::of_results(&arguments.study)?;
    let workspace = study.workspace();
    let stage = wanted(&study, arguments.stage.as_deref())?;
    let history = History::of(&study.store);
    let against = arguments
        .against
        .as_deref()
        .map(|name| super::study::run_named(&history, name))
        .transpose()?
        .map(|run| run.record);
    let Some(page) = page::page(&workspace, stage, against)? else {
        let file = screen::path(&arguments.study.file);
        return Err(anyhow!("no stage has a result yet (`runner run {file}`)").into());
    };
    let out = arguments.out.clone().unwrap_or_else(|| workspace.folder("page.html"));
    if arguments.out.is_none() {
        study.store.refuse_links_above(&out)?;
    }
    if let Some(asked) = &arguments.out {
        refuse_other_files(asked, &study)?;
    }
    let whole = std::path::absolute(&out).unwrap_or_else(|_| out.clone());
    // Among the results nothing is written through links.
    let write = if arguments.out.is_some() { write_through_links } else { write_atomically };
    write(&whole, page.html.as_bytes()).with_context(|| format!("cannot write '{}'", out.display()))?;
    let style = screen::Style::stdout();
    let mut text = format!("{} {}\n", style.bold(&screen::path(&out)), screen::bytes(page.html.len() as u64));
    text.push_str(&match &page.against {
        Some(run) => format!("  compared with the run {run}\n"),
        None => "  no earlier run of this pipeline had other results\n".to_owned(),
    });
    let mark = style.warning("!");
    if !page.stale.is_empty() {
        text.push_str(&format!(
            "  {mark} out of date: {} (`runner run {}` brings them up to date)\n",
            page.stale.join(", "),
            screen::path(&arguments.study.file)
        ));
    }
    if let Some(why) = &page.unknown {
        text.push_str(&format!("  {mark} whether the results are up to date is not known: {why}\n"));
    }
    if !page.missing.is_empty() {
        text.push_str(&format!("  {mark} without a result, left out: {}\n", page.missing.join(", ")));
    }
    super::print(&text);
    Ok(DONE)
}

/// A page takes the place of a page alone: never that of data, of the pipeline, or of anything in the store.
fn refuse_other_files(out: &Path, study: &Study) -> Result<(), Failure> {
    let shown = screen::path(out);
    // Folders that are not there yet lie where the nearest one above does that is.
    let whole = std::path::absolute(out)?;
    let folder = whole.ancestors().skip(1).find_map(|above| above.canonicalize().ok());
    let inside = |store: PathBuf| folder.is_some_and(|folder| folder.starts_with(store));
    if study.store.root().canonicalize().is_ok_and(inside) {
        return Err(invalid(&format!(
            "'{shown}' lies in the store, where only results are kept: give --out another folder"
        )));
    }
    let mut start = Vec::new();
    // What cannot be read, or is no file, the writing itself refuses.
    if let Ok(file) = open_regular(out) {
        file.take(PAGE.len() as u64).read_to_end(&mut start)?;
    }
    if !start.is_empty() && !start.eq_ignore_ascii_case(PAGE) {
        return Err(invalid(&format!(
            "'{shown}' is there and is no page of HTML: give --out another name, or remove the file"
        )));
    }
    Ok(())
}

/// The named `report` stage, else the only one; `None` where there is none.
fn wanted(study: &Study, name: Option<&str>) -> Result<Option<usize>, Failure> {
    let is_report = |stage: usize| study.plan.stages[stage].stage.kind().name == "report";
    if let Some(name) = name {
        let stage = study.stage(name)?;
        let kind = study.plan.stages[stage].stage.kind().name;
        let message = format!("'{name}' is a stage of kind '{kind}', not 'report'");
        return if is_report(stage) { Ok(Some(stage)) } else { Err(invalid(&message)) };
    }
    let all: Vec<usize> = (0..study.plan.stages.len()).filter(|&stage| is_report(stage)).collect();
    match all.as_slice() {
        [] => Ok(None),
        [only] => Ok(Some(*only)),
        several => {
            let names: Vec<&str> = several.iter().map(|&stage| study.plan.stages[stage].name.as_str()).collect();
            Err(invalid(&format!("the pipeline has several reports: name one of {}", names.join(", "))))
        }
    }
}
