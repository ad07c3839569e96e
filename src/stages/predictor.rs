//! `Predictor`: whatever a model port holds, ready for new rows: one network, or an ensemble of them.
//!
//! An ensemble's port holds its members' files under numbered names beside `ensemble.json`. Knows nothing of how weights were found.

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use super::dataset::{add_categories, numeric_frame};
use super::model_file::ModelFile;
use crate::artifact::Table;
use crate::engine::{CheckContext, InputView, Report, StageContext};
use crate::ml::ensemble::{Average, Combination};
use crate::ml::frame::Frame;
use crate::ml::matrix::Matrix;

const FORMAT: u32 = 1;
const ENSEMBLE: &str = "ensemble.json";
/// What an ensemble tells at plan time of members whose models it has not.
pub(super) const UNSERVED: &str = "unserved";

/// `ensemble.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct EnsembleFile {
    format: u32,
    average: Average,
    /// Of the average, as in a network's recipe.
    temperature: f64,
    members: Vec<MemberFile>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct MemberFile {
    /// `STAGE` or `STAGE/MODEL`.
    name: String,
    weight: f64,
    /// The member's files are FILE.json and FILE.safetensors; none where its model is not kept.
    file: Option<String>,
}

pub(super) struct Predictor {
    /// Those with a weight.
    members: Vec<ModelFile>,
    combination: Combination,
}

/// Writes an ensemble; a member without a model can be in it, but not be served.
pub(super) fn put_ensemble(
    context: &mut StageContext,
    port: &str,
    combination: &Combination,
    members: &[(String, Option<ModelFile>)],
) -> anyhow::Result<()> {
    let mut files = Vec::new();
    for (i, ((name, model), &weight)) in members.iter().zip(&combination.weights).enumerate() {
        let file = model.as_ref().filter(|_| weight > 0.0).map(|_| format!("member-{}", i + 1));
        if let (Some(model), Some(file)) = (model, &file) {
            model.put_as(context, port, file)?;
        }
        files.push(MemberFile { name: name.clone(), weight, file });
    }
    let (average, temperature) = (combination.average, combination.temperature);
    context.put_json(port, ENSEMBLE, &EnsembleFile { format: FORMAT, average, temperature, members: files })
}

impl Predictor {
    pub fn read(input: &InputView) -> anyhow::Result<Self> {
        if !Predictor::is_ensemble(input) {
            let alone = Combination { average: Average::Probabilities, weights: vec![1.0], temperature: 1.0 };
            return Ok(Predictor { members: vec![ModelFile::read(input)?], combination: alone });
        }
        let stage = input.stage();
        let file: EnsembleFile = serde_json::from_slice(&input.file(ENSEMBLE)?)
            .with_context(|| format!("{ENSEMBLE} of '{stage}' cannot be read"))?;
        if file.format != FORMAT {
            bail!("{ENSEMBLE} of '{stage}' has format {}, this runner reads {FORMAT}", file.format);
        }
        let (mut members, mut weights) = (Vec::new(), Vec::new());
        for member in file.members.iter().filter(|member| member.weight > 0.0) {
            let Some(name) = &member.file else { bail!(unserved(stage, &member.name)) };
            members.push(ModelFile::read_as(input, name)?);
            weights.push(member.weight);
        }
        let Some(first) = members.first() else { bail!("the ensemble '{stage}' has no member with a weight") };
        if let Some(other) = members.iter().find(|member| member.classifier.classes() != first.classifier.classes()) {
            bail!(
                "members of '{stage}' have different classes: {} and {}",
                first.classifier.classes().join(", "),
                other.classifier.classes().join(", ")
            );
        }
        let combination = Combination { average: file.average, weights, temperature: file.temperature };
        Ok(Predictor { members, combination })
    }

    pub fn is_ensemble(input: &InputView) -> bool {
        input.file_names().contains(&ENSEMBLE)
    }

    /// Says at plan time that the model at input `port` cannot predict, where that is known.
    pub fn check(context: &mut CheckContext, port: &str) {
        if let Some(member) = context.fact(port, UNSERVED).map(str::to_owned) {
            let stage = context.inputs(port).first().map(|shape| shape.stage.clone()).unwrap_or_default();
            let help = format!("leave '{member}' out of `members`, or name its model under `models` of '{stage}'");
            context.problem(&[port], unserved(&stage, &member), Some(help));
        }
    }

    pub fn classes(&self) -> &[String] {
        self.members[0].classifier.classes()
    }

    /// The column that it predicts, as the data names it.
    pub fn label(&self) -> &str {
        &self.members[0].label
    }

    /// The numeric columns that any member reads, in their order.
    pub fn numeric(&self) -> Vec<String> {
        distinct(self.members.iter().flat_map(ModelFile::numeric))
    }

    /// The text columns that any member wants embedded.
    pub fn text(&self) -> Vec<String> {
        distinct(self.members.iter().flat_map(ModelFile::text))
    }

    /// The columns that any member reads as categories.
    pub fn categories(&self) -> Vec<String> {
        distinct(self.members.iter().flat_map(ModelFile::categories))
    }

    /// Each member's inputs for these rows.
    pub fn frames(
        &self,
        rows: &Table,
        row_id: &[i64],
        embeddings: &[InputView],
        report: &dyn Report,
    ) -> anyhow::Result<Vec<Frame>> {
        let frame = |member: &ModelFile| {
            let mut frame = numeric_frame(rows, &member.numeric())?;
            add_categories(&mut frame, rows, &member.categories())?;
            member.add_embeddings(&mut frame, row_id, embeddings)?;
            member.add_texts(&mut frame, rows, report)?;
            Ok(frame)
        };
        self.members.iter().map(frame).collect()
    }

    /// Class probabilities (rows × classes) from the members' inputs.
    pub fn probabilities(&self, frames: &[Frame]) -> anyhow::Result<Matrix> {
        let said =
            self.members.iter().zip(frames).map(|(member, frame)| member.classifier.predict_probabilities(frame));
        let mut said = said.collect::<Result<Vec<_>, _>>()?;
        if let [_] = said.as_slice() {
            return Ok(said.swap_remove(0));
        }
        Ok(self.combination.combine(&said.iter().collect::<Vec<_>>()))
    }
}

fn unserved(stage: &str, member: &str) -> String {
    format!("the ensemble '{stage}' cannot predict new rows: the model of its member '{member}' is not kept")
}

pub(super) fn distinct(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in names {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}
