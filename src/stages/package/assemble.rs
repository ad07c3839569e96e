//! From a stage's result to a package: the model's files, the `load` stage that its rows came from, the vocabularies of its texts.

use std::collections::BTreeMap;

use anyhow::{anyhow, bail};

use super::texts::Texts;
use super::{FORMAT, Files, Head, Judged, Package, narrowed};
use crate::embed::VOCABULARIES;
use crate::encoder::TFIDF;
use crate::load::Load;
use crate::predictor::Predictor;
use runner_engine::{ActionRecord, Plan, PortType, Stage as _, Workspace, listed};
use runner_results::encoder::Encoder;
use runner_tabular::{ColumnType, LoadOptions};

/// Ports that lead from a model to the rows that it learnt from.
const TO_ROWS: [&str; 2] = ["rows", "models"];

impl Package {
    /// The model at that output of a stage with what lies in the store; nothing is computed.
    ///
    /// # Errors
    /// The output holds no model, a result that it needs is missing, or its rows came from no `load` stage.
    pub fn of_stage(workspace: &Workspace, stage: usize, record: &ActionRecord, port: &str) -> anyhow::Result<Package> {
        let name = &workspace.plan.stages[stage].name;
        let Some(output) = record.output(port).filter(|output| output.holds == PortType::Model) else {
            let models = record.outputs.iter().filter(|output| output.holds == PortType::Model);
            let models: Vec<String> = models.map(|output| format!("{name}.{}", output.port)).collect();
            match models.as_slice() {
                [] => bail!("'{name}' has no model (name a stage that has one, e.g. of kind train, ensemble or refit)"),
                models => bail!("'{name}' has several models: name one of {}", listed(models)),
            }
        };
        let mut by_name = BTreeMap::new();
        for file in &output.files {
            by_name.insert(file.name.clone(), workspace.store.get(file.digest)?);
        }
        let model = Files { stage: name.clone(), port: port.to_owned(), by_name };
        let predictor = Predictor::read(&model)?;
        let encoders = predictor.encoders();
        let load = load_above(workspace.plan, stage)?;
        let options = options(workspace, load)?;
        let wanted: Vec<String> =
            [predictor.numeric(), predictor.categories(), predictor.texts(), predictor.text()].concat();
        let (load, columns) = narrowed(&options, &wanted, &predictor.numeric(), &predictor.categories());
        let texts = Texts::of_vocabularies(vocabularies(workspace, stage, &encoders)?);
        let head = Head {
            format: FORMAT.to_owned(),
            written_by: env!("CARGO_PKG_VERSION").to_owned(),
            stage: name.clone(),
            port: port.to_owned(),
            label: predictor.label().to_owned(),
            classes: predictor.classes().to_vec(),
            columns,
            load,
            encoders,
            judged: Judged::of_stage(workspace, stage, record, port),
            files: BTreeMap::new(),
        };
        Package::new(head, model, texts)
    }
}

/// All stages above one by these ports, from the nearest on.
fn above(plan: &Plan, stage: usize, ports: &[&str]) -> Vec<usize> {
    let mut found = vec![stage];
    let mut next = 0;
    while let Some(&stage) = found.get(next) {
        for input in plan.stages[stage].inputs.iter().filter(|input| ports.contains(&input.port)) {
            if !found.contains(&input.from) {
                found.push(input.from);
            }
        }
        next += 1;
    }
    found
}

fn load_above(plan: &Plan, stage: usize) -> anyhow::Result<usize> {
    let found = above(plan, stage, &TO_ROWS).into_iter().find(|&i| plan.stages[i].stage.kind().name == Load::KIND);
    found.ok_or_else(|| {
        let name = &plan.stages[stage].name;
        anyhow!(
            "the rows that '{name}' learnt from came from no `load` stage, so nobody knows how a file is read for it (predict by a `predict` stage)"
        )
    })
}

/// How a `load` stage reads files, with the type that each text was found to have.
fn options(workspace: &Workspace, load: usize) -> anyhow::Result<LoadOptions> {
    let planned = &workspace.plan.stages[load];
    let stage: Load = serde_json::from_value(planned.stage.params())?;
    let mut options = stage.options();
    let Some(record) = workspace.current_record(load) else {
        bail!("'{}' has no result: run the pipeline again", planned.name);
    };
    let rows = record.output("rows").ok_or_else(|| anyhow!("'{}' has no rows", planned.name))?;
    let schema = rows.reader(workspace.store)?.schema()?;
    for field in schema.fields().iter().filter(|field| field.data_type().is_string()) {
        if !options.derive.contains_key(field.name()) {
            options.types.entry(field.name().clone()).or_insert(ColumnType::Text);
        }
    }
    Ok(options)
}

/// What the built-in encoders above a model learnt, by digest.
fn vocabularies(
    workspace: &Workspace,
    stage: usize,
    encoders: &[Encoder],
) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let wanted: Vec<&String> =
        encoders.iter().filter(|encoder| encoder.name == TFIDF).map(|encoder| &encoder.digest).collect();
    let mut found = BTreeMap::new();
    for i in above(workspace.plan, stage, &["model", "models", "embeddings"]) {
        let Some(record) = workspace.current_record(i) else { continue };
        for file in record.output(VOCABULARIES).into_iter().flat_map(|output| &output.files) {
            let digest = file.digest.to_string();
            if wanted.contains(&&digest) {
                found.insert(digest, workspace.store.get(file.digest)?);
            }
        }
    }
    if wanted.iter().any(|digest| !found.contains_key(*digest)) {
        bail!(
            "the vocabulary by which '{}' reads a text is not in the store (run the pipeline again)",
            workspace.plan.stages[stage].name
        );
    }
    Ok(found)
}
