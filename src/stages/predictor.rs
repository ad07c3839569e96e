//! `Predictor`: whatever a model port holds, ready for new rows: one model, or an average of several, each again one or several.
//!
//! An average's port holds its members' files under numbered names beside `ensemble.json`.

use anyhow::{Context as _, anyhow, bail};
use indexmap::{IndexMap, IndexSet};
use serde::{Deserialize, Serialize};

use super::categories::{Unknown, as_trained, warn_of_unknown};
use super::columns::{Origin, RowPlaces, embedded_by, is_own, strings};
use super::dataset::{Dataset, numeric_frame};
use super::model_file::{Learner, ModelFile, ModelFiles};
use super::procedure::Procedure;
use super::{fitted_on, unnamed};
use runner_artifact::Table;
use runner_engine::{CheckContext, Fact, InputView, Report, StageContext, listed};
use runner_ml::calibration::Calibration;
use runner_ml::ensemble::{Average, Combination};
use runner_ml::frame::Frame;
use runner_ml::matrix::Matrix;
use runner_ml::progress::Progress;
use runner_results::costs::CostMatrix;
use runner_results::encoder::Encoder;

const FORMAT: u32 = 2;
const ENSEMBLE: &str = "ensemble.json";
/// What an ensemble tells at plan time of members whose models it has not.
pub(super) const UNSERVED: Fact<Vec<String>> = Fact::new("unserved");
/// What a model is told to be at plan time where it is not a network, e.g. `an ensemble`.
pub(super) const NO_NETWORK: Fact<&str> = Fact::new("no_network");
/// The port of a stage's only model.
const ONLY: &str = "model";

/// `ensemble.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct EnsembleFile {
    format: u32,
    average: Average,
    /// Of the average, as in a network's recipe, as are the three below.
    temperature: f64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    bias: Vec<f64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    decision: Vec<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    costs: Option<CostMatrix>,
    /// Whether the members are one network, trained from several seeds.
    #[serde(default)]
    alike: bool,
    members: Vec<MemberFile>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct MemberFile {
    /// `STAGE`, `STAGE/MODEL`, or `seed N`.
    name: String,
    weight: f64,
    /// The member's files are FILE.json and FILE.safetensors, or FILE.ensemble.json with those of its own members; none where its model was
    /// not given.
    file: Option<String>,
}

pub(super) enum Predictor {
    One(Box<ModelFile>),
    Several(Several),
}

/// An average; its combination has a weight for each member, and a member with a weight of 0 needs no model.
pub(super) struct Several {
    pub(crate) combination: Combination,
    /// Whether the members are one network, trained from several seeds.
    pub(crate) alike: bool,
    /// With their names.
    pub(crate) members: Vec<(String, Option<Predictor>)>,
}

impl Predictor {
    /// A fitted model and what made its embeddings.
    pub(crate) fn one(model: impl Into<Learner>, procedure: Procedure, data: &Dataset, text: &[String]) -> Self {
        Predictor::One(Box::new(ModelFile::new(model, procedure, data, text)))
    }

    pub(crate) fn read(input: &dyn ModelFiles) -> anyhow::Result<Self> {
        Predictor::read_at(input, "")
    }

    fn read_at(input: &dyn ModelFiles, place: &str) -> anyhow::Result<Self> {
        let (stage, ensemble) = (input.stage(), ensemble_at(place));
        if !input.has(&ensemble) {
            return Ok(Predictor::One(Box::new(ModelFile::read_as(input, file_at(input.port(), place))?)));
        }
        let mut file: EnsembleFile = serde_json::from_slice(&input.file(&ensemble)?)
            .with_context(|| format!("{ensemble} of '{stage}' cannot be read"))?;
        if file.format != FORMAT {
            bail!("{ensemble} of '{stage}' has format {}, this runner reads {FORMAT}", file.format);
        }
        let (mut members, mut weights) = (Vec::new(), Vec::new());
        file.members.retain(|member| member.weight > 0.0);
        let without = file.members.iter().filter(|member| member.file.is_none());
        let without: Vec<String> = without.map(|member| member.name.clone()).collect();
        for member in std::mem::take(&mut file.members) {
            let Some(place) = &member.file else { bail!(unserved(stage, &without)) };
            weights.push(member.weight);
            members.push((member.name, Some(Predictor::read_at(input, place)?)));
        }
        let EnsembleFile { average, temperature, bias, decision, costs, .. } = file;
        let calibration = Calibration { temperature, bias, decision, costs, ..Calibration::NONE };
        let combination = Combination { average, weights, calibration };
        let several = Predictor::Several(Several { combination, alike: file.alike, members });
        let models = several.models();
        let Some(first) = models.first() else { bail!("the ensemble '{stage}' has no member with a weight") };
        if let Predictor::Several(Several { combination, .. }) = &several
            && let Some(problem) = combination.calibration.problem(first.classes().len())
        {
            bail!("{ensemble} of '{stage}' cannot be used: {problem}");
        }
        if let Some(other) = models.iter().find(|other| other.classes() != first.classes()) {
            bail!(
                "members of '{stage}' have different classes: {} and {}",
                listed(first.classes()),
                listed(other.classes())
            );
        }
        Ok(several)
    }

    /// One network of the port: the only one, or the first of several seeds; then also how many they are.
    pub(crate) fn read_network(input: &InputView) -> anyhow::Result<(ModelFile, usize)> {
        match Predictor::read(input)? {
            Predictor::One(model) => Ok((*model, 1)),
            Predictor::Several(Several { alike: true, members, .. }) => {
                let count = members.len();
                match members.into_iter().next() {
                    Some((_, Some(Predictor::One(model)))) => Ok((*model, count)),
                    _ => bail!("the first network of '{}' is missing", input.stage()),
                }
            }
            Predictor::Several(_) => {
                bail!("'{}' is an ensemble, a single network is wanted here (name one of its members)", input.stage())
            }
        }
    }

    pub(crate) fn put(&self, context: &mut StageContext, port: &str) -> anyhow::Result<()> {
        self.put_at(context, port, "")
    }

    fn put_at(&self, context: &mut StageContext, port: &str, place: &str) -> anyhow::Result<()> {
        match self {
            Predictor::One(model) => model.put_as(context, port, file_at(port, place)),
            Predictor::Several(several) => several.put_at(context, port, place),
        }
    }

    /// The models in it, from the first member's on.
    fn models(&self) -> Vec<&ModelFile> {
        match self {
            Predictor::One(model) => vec![model],
            Predictor::Several(several) => {
                several.members.iter().filter_map(|(_, model)| model.as_ref()).flat_map(Predictor::models).collect()
            }
        }
    }

    /// The same with what each is called in the port's model of that name, and its share of the average.
    pub(crate) fn named_models(&self, name: &str) -> Vec<(String, f64, &ModelFile)> {
        match self {
            Predictor::One(model) => vec![(name.to_owned(), 1.0, model)],
            Predictor::Several(Several { combination, alike, members }) => {
                let members = members.iter().zip(&combination.weights);
                let members = members.filter_map(|((own, model), weight)| Some((own, weight, model.as_ref()?)));
                let named = members.flat_map(|(own, weight, model)| {
                    let own = if *alike { format!("{name}: {own}") } else { own.clone() };
                    let models = model.named_models(&own).into_iter();
                    models.map(move |(name, share, model)| (name, share * weight, model))
                });
                named.collect()
            }
        }
    }

    /// Says at plan time that the model at input `port` cannot predict the inputs `rows` and `embeddings`, where that is known.
    pub(crate) fn check(context: &mut CheckContext, port: &str) {
        if let Some(members) = context.fact(port, UNSERVED).cloned() {
            let stage = context.inputs(port).first().map(|shape| shape.stage.clone()).unwrap_or_default();
            let it = if members.len() == 1 { "it" } else { "them" };
            let help = format!("add {} to `models` of '{stage}', or leave {it} out of `members`", members.join(", "));
            context.common_problem(&[port], format!("models of {stage}"), unserved(&stage, &members), Some(help));
        }
        fitted_on::check(context, port);
        unnamed::check_model(context, port, "rows");
        let embedded = match context.inputs("embeddings") {
            [] => Some(Vec::new()),
            _ => context.columns("embeddings"),
        };
        if !context.inputs("embeddings").is_empty()
            && let Some(wanted) = context.columns(port)
            && wanted.iter().all(|column| embedded_by(column).is_none())
        {
            let help = "leave `embeddings` out".to_owned();
            context.warn(&["embeddings"], "nothing reads `embeddings`: the model learnt from no text", Some(help));
        }
        let known = (context.columns(port), context.columns("rows"), embedded);
        let (Some(wanted), Some(rows), Some(embedded)) = known else { return };
        let stage = context.inputs("rows").first().map(|shape| shape.stage.clone()).unwrap_or_default();
        let wanted = distinct(wanted);
        let plain: Vec<&str> = wanted.iter().map(String::as_str).filter(|name| embedded_by(name).is_none()).collect();
        let own: Vec<&str> = rows.iter().map(String::as_str).filter(|name| is_own(name)).collect();
        let help = Some(format!("it has {}", listed(own)));
        // A wrong header is one mistake, whichever columns which models miss.
        let has_none = !plain.is_empty() && plain.iter().all(|name| rows.iter().all(|own| own != name));
        if has_none {
            let message = format!("'{stage}' has none of the columns that the model reads: {}", listed(&plain));
            context.common_problem(&["rows"], format!("columns of {stage}"), message, help.clone());
        }
        for column in wanted.iter().filter(|column| !rows.contains(column) && !embedded.contains(column)) {
            match embedded_by(column) {
                Some(text) => {
                    let help = "add the `embed` stage that the model learnt with to `embeddings`".to_owned();
                    context.problem(
                        &["embeddings"],
                        format!("the model wants an embedding of column '{text}'"),
                        Some(help),
                    );
                }
                None if has_none => {}
                None => {
                    let message = format!("the model reads column '{column}', which '{stage}' does not have");
                    context.common_problem(&["rows"], format!("column {column} of {stage}"), message, help.clone());
                }
            }
        }
    }

    pub(crate) fn classes(&self) -> &[String] {
        self.models().first().map_or(&[], |model| model.classes())
    }

    /// The column that it predicts, as the data names it.
    pub(crate) fn label(&self) -> &str {
        self.models().first().map_or("", |model| &model.label)
    }

    /// The numeric columns that any member reads, in their order.
    pub(crate) fn numeric(&self) -> Vec<String> {
        distinct(self.models().into_iter().flat_map(ModelFile::numeric))
    }

    /// The text columns that any member wants embedded.
    pub(crate) fn text(&self) -> Vec<String> {
        distinct(self.models().into_iter().flat_map(ModelFile::text))
    }

    /// What made the vectors of the texts that any member reads, each once.
    pub(crate) fn encoders(&self) -> Vec<Encoder> {
        let mut found: Vec<Encoder> = Vec::new();
        for (_, made_by) in self.models().into_iter().flat_map(ModelFile::encoders) {
            if let Some(made_by) = made_by.filter(|made_by| !found.contains(made_by)) {
                found.push(made_by.clone());
            }
        }
        found
    }

    /// Calls encoders otherwise, where `name_of` gives a name by which they are found.
    pub(crate) fn relocate(&mut self, name_of: &dyn Fn(&Encoder) -> Option<String>) {
        match self {
            Predictor::One(model) => model.relocate(name_of),
            Predictor::Several(several) => {
                several.members.iter_mut().filter_map(|(_, model)| model.as_mut()).for_each(|m| m.relocate(name_of));
            }
        }
    }

    /// The columns that any member reads as categories.
    pub(crate) fn categories(&self) -> Vec<String> {
        distinct(self.models().into_iter().flat_map(ModelFile::categories))
    }

    /// The columns that any member reads as texts by itself.
    pub(crate) fn texts(&self) -> Vec<String> {
        distinct(self.models().into_iter().flat_map(|model| model.texts().iter().cloned()))
    }

    /// Whether it gives probabilities; an average's calibration makes some of any scores.
    pub(crate) fn is_probabilistic(&self) -> bool {
        match self {
            Predictor::One(model) => model.is_probabilistic(),
            Predictor::Several(_) => true,
        }
    }

    /// Every model's inputs for these rows; `add_texts` adds the vectors and tokens that it reads. Warnings call the model `name`.
    pub(crate) fn frames(
        &self,
        name: &str,
        rows: &Table,
        places: &dyn RowPlaces,
        report: &dyn Report,
        add_texts: impl Fn(&ModelFile, &mut Frame) -> anyhow::Result<()>,
    ) -> anyhow::Result<Vec<Frame>> {
        // Members that read one column are told of together.
        let mut unknown: IndexMap<String, Vec<(String, Unknown)>> = IndexMap::new();
        let mut frames = Vec::new();
        for (name, _, model) in self.named_models(name) {
            let mut frame = numeric_frame(rows, &model.numeric(), places, |column| {
                format!(
                    "the model was trained on numbers in '{column}': correct the value, or list it under `missing` of the \
                     `load` stage of these rows to have it filled in"
                )
            })?;
            for column in model.category_columns() {
                let values = as_trained(strings(rows, &column.name)?, &column.values);
                let found = (name.clone(), Unknown::of(&values, column));
                unknown.entry(column.name.clone()).or_default().push(found);
                frame.insert_categories(&column.name, values);
            }
            for name in model.texts() {
                frame.insert_texts(name, strings(rows, name)?);
            }
            add_texts(model, &mut frame)?;
            frames.push(frame);
        }
        unknown.into_iter().for_each(|(column, found)| warn_of_unknown(&column, found, report));
        Ok(frames)
    }

    /// The same for rows and embeddings that a stage is given.
    pub(crate) fn frames_of_inputs(
        &self,
        rows: &Table,
        row_id: &[i64],
        context: &StageContext,
    ) -> anyhow::Result<Vec<Frame>> {
        let (embeddings, report) = (context.inputs("embeddings"), context.report());
        let name = model_name(&context.input("model")?);
        self.frames(&name, rows, &Origin { context, port: "rows" }, report, |model, frame| {
            model.add_embeddings(frame, row_id, &embeddings)?;
            model.add_tokens(frame, rows, report)
        })
    }

    /// Class probabilities (rows × classes) from the models' inputs.
    pub(crate) fn probabilities(&self, frames: &[Frame], progress: &dyn Progress) -> anyhow::Result<Matrix> {
        self.said(&mut frames.iter(), progress)
    }

    /// The class that is predicted of each row of what `probabilities` gave.
    pub(crate) fn decide(&self, probabilities: &Matrix) -> Vec<u32> {
        match self {
            Predictor::One(model) => model.calibration().decide(probabilities),
            Predictor::Several(several) => several.combination.decide(probabilities),
        }
    }

    fn said(&self, frames: &mut std::slice::Iter<Frame>, progress: &dyn Progress) -> anyhow::Result<Matrix> {
        match self {
            Predictor::One(model) => {
                let frame = frames.next().ok_or_else(|| anyhow!("a model without inputs"))?;
                model.predict_probabilities(frame, progress)
            }
            Predictor::Several(Several { combination, members, .. }) => {
                let models = members.iter().filter_map(|(_, model)| model.as_ref());
                let said = models.map(|model| model.said(frames, progress));
                let said = said.collect::<anyhow::Result<Vec<_>>>()?;
                Ok(combination.combine(&said.iter().collect::<Vec<_>>()))
            }
        }
    }
}

impl Several {
    fn put_at(&self, context: &mut StageContext, port: &str, place: &str) -> anyhow::Result<()> {
        let Combination { average, weights, calibration } = &self.combination;
        let mut files = Vec::new();
        for (i, ((name, model), &weight)) in self.members.iter().zip(weights).enumerate() {
            let model = model.as_ref().filter(|_| weight > 0.0);
            let file = model.map(|_| format!("{}-{}", if place.is_empty() { "member" } else { place }, i + 1));
            if let (Some(model), Some(file)) = (model, &file) {
                model.put_at(context, port, file)?;
            }
            files.push(MemberFile { name: name.clone(), weight, file });
        }
        let Calibration { temperature, bias, decision, costs, .. } = calibration.clone();
        let (average, alike) = (*average, self.alike);
        let file = EnsembleFile { format: FORMAT, average, temperature, bias, decision, costs, alike, members: files };
        context.put_json(port, &ensemble_at(place), &file)
    }
}

/// What the model at an input is called among others: `STAGE`, or `STAGE/MODEL` where the stage has several.
pub(super) fn model_name(input: &InputView) -> String {
    let (stage, port) = (input.stage(), input.port());
    if port == ONLY { stage.to_owned() } else { format!("{stage}/{port}") }
}

/// The name of a model's files at a place; the port's own place is empty.
fn file_at<'a>(port: &'a str, place: &'a str) -> &'a str {
    if place.is_empty() { port } else { place }
}

fn ensemble_at(place: &str) -> String {
    if place.is_empty() { ENSEMBLE.to_owned() } else { format!("{place}.{ENSEMBLE}") }
}

fn unserved(stage: &str, members: &[String]) -> String {
    let named: Vec<String> = members.iter().map(|member| format!("'{member}'")).collect();
    let (models, members) = if named.len() == 1 { ("the model", "member") } else { ("the models", "members") };
    format!(
        "the ensemble '{stage}' cannot predict new rows: it was not given {models} of its {members} {}",
        listed(named)
    )
}

pub(super) fn distinct(names: impl IntoIterator<Item = String>) -> Vec<String> {
    names.into_iter().collect::<IndexSet<String>>().into_iter().collect()
}
