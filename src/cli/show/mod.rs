//! `runner show`: what a stage gave, as a person wants to read it in a terminal: what it amounts to first, then where the rest is.
//!
//! Blocks are chosen by the shapes of the documents, not by kinds of stages. What a summary leaves out is reached by port or with `--json`.

mod artifact;
mod curves;
mod data;
mod models;
mod overview;
mod package;
mod scores;

use clap::Args;
use serde_json::{Value, json};

use super::standing::Standing;

use super::study::{Study, invalid};
use super::{DONE, Outcome, StudyArguments, leaks, screen};
use crate::artifact::{Store, Table};
use crate::boundary::text::quoted;
use crate::engine::OutputRecord;
use crate::engine::{ActionRecord, PortType};
use crate::results::{
    AnyDocument, Documents, Split, baselines::Baselines, ensemble::Ensemble, inspection::Inspection, profile::Profile,
    training::Training, variations::Variations,
};
use crate::stages;
use crate::stages::aims::metric_of_result;
use crate::stages::documents::{documents, gives_documents};
use crate::stages::package::is_package;

#[derive(Args)]
pub(super) struct ShowArguments {
    #[command(flatten)]
    study: StudyArguments,
    /// A stage, or a port of it: STAGE.PORT; without it all stages, or of a file that `runner export` wrote the model in it
    stage: Option<String>,
    /// Rows of a table to show
    #[arg(long, default_value_t = 10)]
    rows: usize,
    /// JSON instead of text, nothing cut: of a stage a line with its record and its documents, of a port its document or a line for each row
    #[arg(long)]
    json: bool,
}

pub(super) fn show(arguments: &ShowArguments) -> Outcome {
    let file = &arguments.study.file;
    let Some(reference) = &arguments.stage else {
        return if is_package(file) { package::show(file, arguments.json) } else { overview::show(arguments) };
    };
    if is_package(file) {
        return Err(invalid("the file is a model by itself and has no stages: leave the stage out"));
    }
    let study = Study::of_results(&arguments.study)?;
    let (name, port) = study.reference(reference);
    let stage = study.stage(name)?;
    let Some(record) = study.workspace().current_record(stage) else {
        return Err(anyhow::anyhow!(
            "'{name}' has no result yet (`runner run {} {name}`)",
            arguments.study.file.display()
        )
        .into());
    };
    let style = screen::Style::stdout();
    let standing = Standing::of(&study, stage, &record, &arguments.study.file);
    let line = standing.line(&arguments.study.file, name);
    let Some(port) = port else {
        let result = StageResult::read(&study.store, &record)?;
        match arguments.json {
            true => super::print_json(&result.json(name, &standing)),
            false => super::print(&result.summary(name, &study, arguments, line.as_deref(), style)?),
        }
        return Ok(DONE);
    };
    let Some(output) = record.outputs.iter().find(|output| output.port == port) else {
        let ports: Vec<&str> = record.outputs.iter().map(|output| output.port.as_str()).collect();
        return Err(invalid(&format!("'{name}' has no such port; it has {}", ports.join(", "))));
    };
    // The port's content may go to another program.
    if let Some(line) = line {
        super::eprint(&format!("{} {line}\n", screen::Style::stderr().warning("warning:")));
    }
    match arguments.json {
        true => super::print_json_text(&artifact::json(&study.store, output)?),
        false => super::print(&artifact::text(&study.store, output, arguments.rows, style)?),
    }
    Ok(DONE)
}

/// What a stage gave, with its documents parsed.
struct StageResult<'a> {
    store: &'a Store,
    record: &'a ActionRecord,
    /// By port and file.
    documents: Vec<(&'a OutputRecord, &'a str, Value)>,
    /// Those of them that say what they are.
    typed: Documents,
}

impl<'a> StageResult<'a> {
    fn read(store: &'a Store, record: &'a ActionRecord) -> anyhow::Result<Self> {
        let typed = documents(store, record, |_| true)?;
        let mut documents = Vec::new();
        for output in record.outputs.iter().filter(|output| output.holds == PortType::Json) {
            for file in &output.files {
                let value: Value = serde_json::from_slice(&store.get(file.digest)?)?;
                documents.push((output, file.name.as_str(), value));
            }
        }
        Ok(StageResult { store, record, documents, typed })
    }

    /// Files of names that stages of ours give, which do not say what they are, as an earlier version wrote them.
    fn outdated(&self) -> impl Iterator<Item = &str> {
        const OURS: [(&str, &str); 5] = [
            ("metrics", "metrics.json"),
            ("scores", "baseline.json"),
            ("search", "search.json"),
            ("transfer", "transfer.json"),
            ("findings", "findings.json"),
        ];
        let is_ours = |port: &str, file: &str| OURS.contains(&(port, file));
        let found = self.documents.iter().filter(move |(output, file, _)| is_ours(&output.port, file));
        found
            .map(|(_, file, _)| *file)
            .filter(|file| matches!(self.typed.0.get(file.trim_end_matches(".json")), Some(AnyDocument::Foreign(_))))
    }

    fn table(&self, port: &str) -> anyhow::Result<Option<Table>> {
        let output = self.record.outputs.iter().find(|output| output.port == port && output.holds == PortType::Table);
        output.map(|output| Ok(output.reader(self.store)?.read()?)).transpose()
    }

    fn json(&self, name: &str, standing: &Standing) -> Value {
        let documents = self.documents.iter().map(|(_, file, value)| ((*file).to_owned(), value.clone()));
        json!({
            "event": "stage",
            "stage": name,
            "key": self.record.manifest.key(),
            "status": standing.status,
            "reasons": standing.reasons,
            "other_file": standing.other_file,
            "provenance": self.record.provenance,
            "outputs": self.record.outputs,
            "documents": documents.collect::<serde_json::Map<String, Value>>(),
        })
    }

    fn summary(
        &self,
        name: &str,
        study: &Study,
        arguments: &ShowArguments,
        standing: Option<&str>,
        style: screen::Style,
    ) -> anyhow::Result<String> {
        let planned = study.plan.stages.iter().find(|stage| stage.name == name);
        let kind = planned.map(|stage| stage.stage.kind().name).unwrap_or_default();
        let width = screen::width();
        let mut text = provenance(self.record, &format!("{} {}", style.bold(name), style.dim(kind)), style, width);
        if let Some(line) = standing {
            text.push_str(&screen::wrap(&quoted(line), &format!("  {} ", style.warning("!")), width));
        }
        for file in self.outdated().filter(|_| gives_documents(kind)) {
            let words = format!(
                "{file} was written by an earlier version of runner: `runner run {} {name}` writes it anew",
                arguments.study.file.display()
            );
            text.push_str(&screen::wrap(&quoted(&words), &format!("  {} ", style.warning("!")), width));
        }
        let leaks = leaks::leaks(study, |i| study.workspace().current_record(i).map(Box::new));
        let own = leaks.iter().filter(|leak| leak.stage == name);
        own.for_each(|leak| text.push_str(&leaks::line(leak, style)));
        // Of many settings those of the first say little.
        let is_varied = self.typed.get::<Variations>().is_some();
        let curves = self.table("curves")?.filter(|_| !is_varied);
        let curves = curves.map(|table| curves::curves(&table, self.typed.get(), style, width));
        let (training, ensemble) = (self.typed.get::<Training>(), self.typed.get::<Ensemble>());
        let cross_fitted = ensemble.map(|ensemble| &ensemble.cross_fitted_valid);
        let parts = training.map(|training| &training.parts).or(ensemble.map(|ensemble| &ensemble.parts));
        let calibration =
            training.map(|training| &training.calibration).or(ensemble.map(|ensemble| &ensemble.calibration));
        let metric = metric_of_result(self.record);
        let diagnosis = training.map_or(&[][..], |training| &training.diagnosis);
        let blocks = [
            parts.map(|parts| scores::parts(parts, cross_fitted, style)),
            self.typed.get::<Baselines>().map(|found| {
                models::baselines(&found.evaluations, metric, &self.record.provenance.measurements, style)
            }),
            parts.map(|parts| scores::metrics(parts, metric, style)),
            ensemble.map(|ensemble| models::members(&ensemble.members, style)),
            self.typed.get().map(|found| models::strategies(found, style)),
            self.typed.get().map(|search| models::trials(search, style, width)),
            self.typed.get().map(|found| models::variations(found, &self.record.provenance.measurements, style, width)),
            calibration.map(|calibration| scores::findings(diagnosis, calibration, style, width)),
            self.typed.get().map(|found| models::findings(found, style, width)),
            curves.transpose()?,
            parts.map(|parts| scores::classes(parts, style, width)),
            self.typed.get::<Profile>().map(|profile| data::profile(profile, style, width)),
            self.typed.get::<Inspection>().map(|found| data::importance(found, style)),
            self.typed.get::<Split>().map(|split| data::split(split, style)),
        ];
        let workspace = study.workspace();
        let position = study.plan.stages.iter().position(|stage| stage.name == name);
        let added = match position {
            Some(stage) => stages::show::lines(&workspace.whole_stage(stage, self.record))?.unwrap_or_default(),
            None => Vec::new(),
        };
        let mut told = !added.is_empty();
        if told {
            text.push('\n');
        }
        for line in added {
            text.push_str(&screen::wrap(&quoted(&line), "  ", width));
        }
        for block in blocks.into_iter().flatten().filter(|block| !block.is_empty()) {
            text.push_str(&format!("\n{block}"));
            told = true;
        }
        if !told {
            for (_, file, document) in &self.documents {
                let typed = self.typed.0.get(file.trim_end_matches(".json"));
                let is_ours = !matches!(typed, Some(AnyDocument::Foreign(_)));
                text.push_str(&data::facts(document, is_ours, style));
            }
            // A table that two ports give, as the only file of a `load` stage and all its rows, is shown once.
            let mut shown = Vec::new();
            for output in self.record.outputs.iter().filter(|output| output.holds == PortType::Table) {
                let content: Vec<_> = output.files.iter().map(|file| file.digest).collect();
                if shown.contains(&content) {
                    continue;
                }
                shown.push(content);
                text.push_str(&format!("\n{}\n", style.bold(&format!("{name}.{}", output.port))));
                text.push_str(&artifact::text(self.store, output, arguments.rows, style)?);
            }
        }
        text.push_str(&format!("\n{}\n{}", style.bold("Artifacts"), artifact::list(self.record, name, style)));
        let more = self.record.outputs.first().map(|output| format!("{name}.{}", output.port));
        if let Some(more) = more {
            let folder = study.workspace().folder(name);
            let file = screen::path(&arguments.study.file);
            text.push_str(&style.note(&format!("`runner show {file} {more}` shows one, --json all of it")));
            text.push_str(&style.note(&format!("files: {}", screen::path(&folder))));
        }
        Ok(text)
    }
}

/// The result in a line, what it took, and what the stage counted itself.
fn provenance(record: &ActionRecord, title: &str, style: screen::Style, width: usize) -> String {
    let run = &record.provenance;
    let memory = run.peak_memory.map(|memory| format!(", {}", screen::bytes(memory))).unwrap_or_default();
    let mut text = format!("{title}  {}\n", style.dim(&format!("{}{memory}", screen::duration(run.seconds))));
    if !run.headline.is_empty() {
        text.push_str(&screen::wrap(&quoted(&run.headline), "  ", width));
    }
    for warning in &run.warnings {
        text.push_str(&screen::wrap(&quoted(warning), &format!("  {} ", style.warning("!")), width));
    }
    // The times of single models stand beside their scores; what there was none of need not be said.
    let own = run.measurements.iter().filter(|(name, value)| !name.contains('.') && **value != 0.0);
    let counted: Vec<String> = own.map(|(name, value)| measured(name, *value)).collect();
    if !counted.is_empty() {
        text.push_str(&style.note(&counted.join(" · ")));
    }
    text
}

/// `fit 0.42 s`, `epochs computed 40`.
fn measured(name: &str, value: f64) -> String {
    match name.strip_suffix("_seconds") {
        Some(name) => format!("{} {}", name.replace('_', " "), screen::duration(value)),
        None => format!("{} {}", name.replace('_', " "), screen::compact(value)),
    }
}
