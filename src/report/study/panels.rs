//! The last section: a panel for every stage with its parameters as they were resolved, its inputs and files, and, where the history tells, when and
//! why its result came about. The picture of the pipeline opens them.

use indexmap::IndexMap;
use runner_results::history::{Since, StageHistory};
use runner_results::{inspection::Inspection, profile::Profile};

use super::history::changes_table;
use super::{Study, plural};
use crate::figure::text::{bytes, count, duration};
use crate::importance;
use crate::judged::scores_in_words;
use crate::page::{Block, Cell, Column, Panel, Prose, Section, Table, panel_of};
use crate::part_name;
use crate::ranking;
use crate::read::StageArtifacts;
use crate::study::models::{Model, baselines, network};

/// Parameters longer than this are cut: they are short, and the pipeline file has them all.
const LONGEST: usize = 20_000;

/// Hex digits of a digest that tell results apart at a glance.
const DIGITS: usize = 12;

/// More files than this say no more.
const FILES_SHOWN: usize = 24;

/// `told` are the page's sections by the stage that they tell of: id and title.
pub(crate) fn section(study: &Study, told: &IndexMap<String, (String, String)>) -> Section {
    let mut section = Section::new("appendix", "Stages in full");
    for stage in study.stages {
        let own = study.history.and_then(|history| history.stage(&stage.stage));
        let headline = own.map(|own| own.headline.clone()).filter(|line| !line.is_empty());
        let headline = headline.or_else(|| headline_of(stage));
        let note = [Some(stage.kind.clone()), headline.clone()].into_iter().flatten().collect::<Vec<_>>().join(" · ");
        let mut blocks = vec![Block::Paragraph(first_line(study, stage, headline, told.get(&stage.stage)))];
        blocks.extend(own.into_iter().flat_map(|own| made(study, own)));
        blocks.extend(inputs(study, stage));
        blocks.extend(files(stage));
        if let Some(text) = parameters(stage) {
            blocks.push(Block::Paragraph(Prose::new().strong("Parameters")));
            blocks.push(Block::Code(text));
        }
        let panel = Panel { id: panel_of(&stage.stage), title: stage.stage.clone(), note, blocks };
        section.push(Block::Panel(panel));
    }
    section
}

fn first_line(
    study: &Study,
    stage: &StageArtifacts,
    headline: Option<String>,
    told: Option<&(String, String)>,
) -> Prose {
    let headline = headline.map(|headline| format!(": {}", headline.trim_end_matches('.'))).unwrap_or_default();
    let mut line = Prose::new().text("Kind ").code(&stage.kind).text(format!("{headline}."));
    if let Some((id, title)) = told {
        line = line.text(" Told of under ").link(id, title).text(".");
    }
    let readers: Vec<&str> =
        study.edges.iter().filter(|(from, _)| *from == stage.stage).map(|e| e.1.as_str()).collect();
    let readers: Vec<&str> = readers.into_iter().filter(|name| study.kind_of(name).is_some()).collect();
    for (place, reader) in readers.iter().enumerate() {
        line = line.text(if place == 0 { " Read by " } else { ", " }).link(panel_of(reader), *reader);
    }
    if readers.is_empty() { line } else { line.text(".") }
}

/// When, in what time and why the result came about.
fn made(study: &Study, own: &StageHistory) -> Vec<Block> {
    let mut line =
        Prose::new().text(format!("Computed on {}", own.made)).text(format!(" in {}", duration(own.seconds)));
    if let Some(memory) = own.memory {
        line = line.text(format!(", with at most {} of memory", bytes(memory)));
    }
    let mut blocks = vec![Block::Paragraph(line.text("."))];
    if !own.stale.is_empty() {
        let words = "Out of date: the pipeline file as it is now asks for another result.";
        blocks.push(Block::Paragraph(Prose::new().strong(words)));
        blocks.push(Block::List(own.stale.iter().map(|reason| Prose::from(reason.as_str())).collect()));
    }
    let against =
        study.history.and_then(|history| history.against.as_ref()).map(|run| run.when.as_str()).unwrap_or_default();
    match &own.since {
        Since::Unknown => {}
        Since::Same => blocks.push(Block::Paragraph(format!("The same result as in the run of {against}.").into())),
        Since::New => blocks.push(Block::Paragraph(format!("The run of {against} had no result of it.").into())),
        Since::Changed(changes) => {
            let caption = format!("Why it differs from the run of {against}");
            let changes: Vec<(&[&str], _)> = changes.iter().map(|change| (&[][..], change)).collect();
            blocks.push(Block::Table(changes_table(&caption, &changes)));
        }
    }
    if !own.warnings.is_empty() {
        blocks.push(Block::List(own.warnings.iter().map(|warning| Prose::from(warning.as_str())).collect()));
    }
    blocks
}

fn inputs(study: &Study, stage: &StageArtifacts) -> Option<Block> {
    let mut table = Table::new("Inputs", vec![Column::text("port"), Column::text("reads")]);
    for (port, from) in &stage.inputs {
        let producer = study.stages.iter().map(|s| s.stage.as_str()).filter(|name| belongs(from, name));
        // Names may hold points: the longest that fits is meant.
        let producer = producer.max_by_key(|name| name.len());
        let cell = Cell::text(from);
        table.push(vec![
            Cell::text(port),
            match producer {
                Some(producer) => cell.link(panel_of(producer)),
                None => cell,
            },
        ]);
    }
    (!table.rows.is_empty()).then_some(Block::Table(table))
}

/// Whether `folds.train` is an output of `folds`, or `folds` itself.
fn belongs(output: &str, stage: &str) -> bool {
    output.strip_prefix(stage).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn files(stage: &StageArtifacts) -> Option<Block> {
    let columns = vec![
        Column::text("file"),
        Column::text("output"),
        Column::number("rows").hint("and columns, of a table"),
        Column::number("size"),
        Column::text("digest").hint("BLAKE3 of the content, its first digits"),
    ];
    let total: u64 = stage.files.iter().map(|file| file.bytes).sum();
    let all = plural(stage.files.len() as u64, "file");
    let caption = match stage.files.len() {
        most if most > FILES_SHOWN => format!("The first {FILES_SHOWN} of {all}, {} together", bytes(total)),
        _ => format!("{all}, {}", bytes(total)),
    };
    let mut table = Table::new(caption, columns);
    for file in stage.files.iter().take(FILES_SHOWN) {
        table.push(vec![
            Cell::text(&file.name),
            Cell::text(&file.port),
            match file.extent {
                Some((rows, columns)) => Cell::text(format!("{} × {columns}", count(rows))).sort_by(rows as f64),
                None => Cell::text("–").muted_if(true),
            },
            Cell::text(bytes(file.bytes)).sort_by(file.bytes as f64),
            Cell::text(file.digest.chars().take(DIGITS).collect::<String>()).code(),
        ]);
    }
    (!table.rows.is_empty()).then_some(Block::Table(table))
}

/// As YAML, like the pipeline file, with every default spelled out.
fn parameters(stage: &StageArtifacts) -> Option<String> {
    let empty = stage.params.is_null() || stage.params.as_object().is_some_and(serde_json::Map::is_empty);
    let mut text = serde_yaml::to_string(&stage.params).ok().filter(|_| !empty)?;
    if let Some((cut, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(cut);
        text.push_str("\n…");
    }
    Some(text)
}

/// What the artifacts themselves say in a line: the scores of a model, the best of several, or the rows of a table.
fn headline_of(stage: &StageArtifacts) -> Option<String> {
    let mut models = baselines(stage);
    models.extend(network(stage));
    let metric = ranking::rank(&mut models, stage.metric, Model::validation);
    let best = models.iter().find_map(|model| Some((model, model.judged()?)));
    if let Some((model, scores)) = best.filter(|(model, _)| models.len() == 1 || model.validation().is_some()) {
        let part = part_name(model.judged_on());
        let whose = if models.len() > 1 || model.is_reference() { format!("{}: ", model.name) } else { String::new() };
        return Some(format!("{whose}{part} {}", scores_in_words(scores, Some(metric))));
    }
    if let Some(found) = stage.documents.get::<Inspection>() {
        return importance::line(found);
    }
    let profiled = stage.documents.get::<Profile>().map(|profile| profile.rows);
    let rows = stage.files.iter().find_map(|file| file.extent).map(|(rows, _)| rows).or(profiled);
    rows.map(|rows| plural(rows, "row"))
}
