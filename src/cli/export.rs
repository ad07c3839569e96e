//! `runner export`: a fitted model, with all that predicting needs, as one file.

use std::path::PathBuf;

use clap::Args;
use indicatif::ProgressBar;

use super::interrupt::{self, interrupted};
use super::study::invalid;
use super::{DONE, INTERRUPTED, Outcome, StudyArguments, fitted, screen};
use crate::artifact::same_file;

#[derive(Args)]
pub(super) struct ExportArguments {
    #[command(flatten)]
    study: StudyArguments,
    /// A stage with a model, or a port of it: STAGE.PORT, e.g. baseline.boosting
    stage: String,
    /// The file to write, e.g. best.runner
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Pack the pretrained encoders that the model reads texts with, too; otherwise they are found, or fetched, where the file is used
    #[arg(long)]
    encoders: bool,
}

pub(super) fn export(arguments: &ExportArguments) -> Outcome {
    if same_file(&arguments.study.file, &arguments.output) {
        return Err(invalid("`--output` is the pipeline file: name another one"));
    }
    interrupt::catch()?;
    let package = fitted::of_stage(&arguments.study, &arguments.stage)?;
    let bar = ProgressBar::hidden();
    match package.write(&arguments.output, arguments.encoders, &fitted::WarnOnce::new(&bar)) {
        Ok(bytes) => {
            let path = screen::path(&arguments.output);
            super::print(&format!("{path}: the model '{}', {}\n", package.stage(), screen::bytes(bytes)));
            let style = screen::Style::stdout();
            super::print(&style.note(&format!("`runner predict {path} NEW.csv` predicts with it, wherever it lies")));
            Ok(DONE)
        }
        Err(_) if interrupted() => Ok(INTERRUPTED),
        Err(error) => Err(error.into()),
    }
}
