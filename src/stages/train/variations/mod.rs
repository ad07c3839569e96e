//! `variations`: what each single change of a network and its training does, on validation rows.
//!
//! A base and every change of it are trained with the same seeds. Each training is a memo, so that another value of a factor trains that alone.

mod check;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::anyhow;
use arrow::array::{ArrayRef, Int64Array};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Train;
use super::changes::{Changes, VARY};
use crate::adapter::Adapter;
use crate::aims::{self, COSTS, METRIC, POSITIVE};
use crate::calibration::require_classes;
use crate::checkpoint::{CheckpointFile, key};
use crate::dataset::{Dataset, dataset};
use crate::documents::put_document;
use crate::figures::put_figures;
use crate::required::tell_not_rows;
use crate::training::{at_parameter, curve_columns, joined, parameters, with_training};
use runner_artifact::Table;
use runner_engine::{Aim, Arity, CheckContext, InputPort, OutputPort, PortType, Stage, StageContext, Threads};
use runner_ml::matrix::Matrix;
use runner_ml::network::NetworkSpec;
use runner_ml::progress::Progress;
use runner_ml::search::Point;
use runner_ml::train::{Common, Curves, TrainError, side_by_side};
use runner_ml::variations::{Judge, Trained, Training};
use runner_report::variations::{headline, setting_name};
use runner_results::spec::TrainingSpec;
use runner_results::variations::{self as results, Ablation, Factor, Level, Levels};
use runner_results::{Documents, Inputs, Metric, training_parameters};
use runner_tabular::Filter;

training_parameters! { with_training! {
    /// Trains a base network, and with the same seeds networks that differ from it in one thing each, and compares them on the validation part. Test rows have no part in it.
    #[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    pub(crate) struct Variations {
        /// Numeric columns to learn from.
        #[serde(default)]
        #[schemars(extend("uniqueItems" = true))]
        numeric: Vec<String>,
        /// Text columns to learn from, through `embeddings`.
        #[serde(default)]
        #[schemars(extend("uniqueItems" = true))]
        text: Vec<String>,
        /// Columns whose values get learned vectors, as in `train`.
        #[serde(default)]
        #[schemars(extend("uniqueItems" = true))]
        categories: Vec<String>,
        /// Column of numbers from 0 on, by which training rows count in the loss; scores count all rows alike.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sample_weight: Option<String>,
        /// Rows to learn from.
        #[serde(default, rename = "where")]
        filter: Filter,
        /// The base's shape.
        #[serde(default)]
        network: NetworkSpec,
        /// How many networks of each setting: the pipeline's seed and those after it, the same for all settings. Of a single one nobody can tell an effect from chance.
        #[serde(default = "three")]
        #[schemars(range(min = 1, max = 1000))]
        seeds: usize,
        /// What varies, one thing at a time: values by path of a parameter, e.g. `{batch_size: [64, 1024]}`; or under a name of its own alternatives that change several
        /// parameters, each by its name, e.g. `{optimizer: {SGD: {optimizer.kind: sgd, optimizer.lr: 0.05}}}`. The base is one of the levels, written or not.
        #[serde(default)]
        #[schemars(with = "std::collections::BTreeMap<String, Levels>")]
        vary: IndexMap<String, Levels>,
        /// What the base is trained without, by a name: values by path, e.g. `{dropout: {network.dropout: 0}}`.
        #[serde(default)]
        #[schemars(with = "std::collections::BTreeMap<String, Point>")]
        without: IndexMap<String, Point>,
    }
} }

fn three() -> usize {
    3
}

/// The base and all changes of it.
struct Plan {
    /// Each once; the base first.
    settings: Vec<(Point, Train)>,
    factors: Vec<Factor>,
    ablations: Vec<Ablation>,
}

/// How much of the work was known before.
#[derive(Default)]
struct Tally {
    known: AtomicU64,
    computed: AtomicU64,
    epochs: AtomicU64,
}

/// What is kept of a training beside its predictions.
#[derive(Serialize, Deserialize)]
struct Kept {
    curves: Curves,
    best_epoch: Option<usize>,
    diverged: Option<usize>,
    parameters: usize,
    /// Of the matrix that follows.
    classes: usize,
    seconds: f64,
}

impl Stage for Variations {
    const KIND: &'static str = "variations";
    const VERSION: u32 = 1;
    const TIME_GROWS_WITH: &'static [&'static str] = &["epochs", "seeds"];
    const SUMMARY: &'static str = "what single changes of a network and its training do";
    const INPUTS: &'static [InputPort] = &[
        InputPort::table("rows", Arity::One, "split rows, e.g. a `split` stage"),
        InputPort::table("embeddings", Arity::Any, "the `embed` stages of the columns in `text`"),
    ];

    const AIMS: &'static [Aim] = &[METRIC, POSITIVE, COSTS];

    fn outputs(&self) -> Vec<OutputPort> {
        vec![
            OutputPort::new("variations", PortType::Json),
            OutputPort::new("curves", PortType::Table),
            OutputPort::new("figures", PortType::Files),
        ]
    }

    fn threads(&self) -> Threads {
        Threads::All
    }

    fn check(&self, context: &mut CheckContext) {
        if self.seeds == 0 {
            context.problem(&["seeds"], "at least one network of each setting is needed", None);
        }
        self.base().check_training(&self.adapted(), context);
        tell_not_rows(context, "curves", "learning curves");
        self.check_variations(context);
    }

    fn run(&self, context: &mut StageContext) -> anyhow::Result<()> {
        let metric = self.early_stopping.metric.or(aims::metric(context)).unwrap_or_default();
        let Plan { settings, factors, ablations } = self.plan(metric).map_err(|message| anyhow!(message))?;
        let adapted = self.adapted();
        let base = &settings[0].1;
        let mut data = dataset(context, &base.selection(&adapted))?;
        // Nothing here may be chosen by them.
        data.test.clear();
        data.require_parts(&self.filter, context)?;
        base.require_metrics(&data, context)?;
        for (changes, setting) in &settings {
            let found = require_classes(&setting.training().class_weights, &data.classes);
            let place = if changes.is_empty() { "class_weights" } else { "vary" };
            found.map_err(|error| context.placed(place, error))?;
        }
        let seeds: Vec<u64> = (0..self.seeds as u64).map(|i| context.seed().wrapping_add(i)).collect();
        let names: Vec<String> =
            (0..settings.len()).map(|setting| setting_name(&factors, &ablations, setting)).collect();
        let adapter = Adapter(context.report());
        let all = settings.iter().map(|(_, setting)| setting.epochs * seeds.len()).sum();
        let (common, tally) = (Common::new(&adapter, 1, all), Tally::default());
        let trained = side_by_side(settings.len() * seeds.len(), context.threads(), |i| {
            let (place, seed) = (i / seeds.len(), seeds[i % seeds.len()]);
            let setting = &settings[place].1;
            let share = common.share(format!("{}, seed {seed}", names[place]), setting.epochs);
            let trained = setting.variation(place == 0, seed, &data, context, &Silenced(&share), &tally)?;
            share.finish(&match trained.0.best_epoch {
                Some(epoch) => format!("epoch {epoch} kept"),
                None => "diverged".to_owned(),
            });
            Ok::<_, anyhow::Error>(trained)
        });
        let trained = trained.map_err(|error| at_parameter(context, error))?;
        tally.tell(context);
        let mut trained = trained.into_iter();
        let all = settings.iter().zip(&names).map(|((changes, _), name)| {
            let own: Vec<(Training, f64)> = trained.by_ref().take(seeds.len()).collect();
            context.measure(format!("{name}.train_seconds"), own.iter().map(|(_, seconds)| seconds).sum());
            Trained { changes: changes.clone(), trainings: own.into_iter().map(|(training, _)| training).collect() }
        });
        let all: Vec<Trained> = all.collect();
        let clusters = data.clusters(&data.valid);
        let judge = Judge {
            metric,
            seeds: &seeds,
            truth: &data.labels_of(&data.valid),
            classes: data.classes.len(),
            clusters: &clusters,
            seed: context.seed(),
        };
        let document = results::Variations {
            metric,
            training_rows: data.train.len(),
            rows: data.valid.len(),
            groups: clusters.groups(),
            inputs: Inputs {
                numeric: self.numeric.clone(),
                text: self.text.clone(),
                categories: self.categories.clone(),
            },
            network: base.network.clone(),
            training: base.training(),
            settings: judge.settings(&all, &adapter)?,
            seeds: seeds.clone(),
            factors,
            ablations,
        };
        let curves = curves(&all, &seeds)?;
        context.headline(headline(&document));
        put_document(context, "variations", "variations", &document)?;
        context.put_table("curves", &curves)?;
        let mut documents = Documents::default();
        documents.insert("variations", document);
        put_figures(context, Self::KIND, documents, &[("curves", &curves)])
    }
}

impl Variations {
    /// The network that is varied, as a stage that trains it alone.
    fn base(&self) -> Train {
        let TrainingSpec {
            epochs,
            batch_size,
            optimizer,
            schedule,
            loss,
            label_smoothing,
            class_weights,
            clip_norm,
            early_stopping,
            dropout_schedule,
            average,
        } = self.training();
        Train {
            numeric: self.numeric.clone(),
            text: self.text.clone(),
            categories: self.categories.clone(),
            sample_weight: self.sample_weight.clone(),
            filter: self.filter.clone(),
            network: self.network.clone(),
            seeds: 1,
            search: None,
            threshold: None,
            epochs,
            batch_size,
            optimizer,
            schedule,
            loss,
            label_smoothing,
            class_weights,
            clip_norm,
            early_stopping,
            dropout_schedule,
            average,
        }
    }

    /// The text columns whose encoder is adapted in any setting.
    fn adapted(&self) -> Vec<String> {
        let plan = self.plan(Metric::default()).ok();
        let settings = plan.iter().flat_map(|plan| &plan.settings);
        let all: Vec<String> = settings.flat_map(|(_, setting)| setting.adapted()).collect();
        self.text.iter().filter(|column| all.contains(column)).cloned().collect()
    }

    /// # Errors
    /// A path leads nowhere, or a value is none of its parameter's.
    fn plan(&self, metric: Metric) -> Result<Plan, String> {
        let mut base = self.base();
        base.early_stopping.metric = Some(metric);
        let changes = Changes::of(&base, VARY);
        let mut settings = vec![(Point::new(), base.clone())];
        let mut known = vec![changes.written.clone()];
        let mut place = |point: Point| -> Result<usize, String> {
            let mut setting = changes.at(&point)?;
            // A block that is given as a whole must not take away what all are compared by.
            setting.early_stopping.metric = Some(metric);
            let typed = serde_json::to_value(&setting).map_err(|error| error.to_string())?;
            Ok(known.iter().position(|known| *known == typed).unwrap_or_else(|| {
                known.push(typed);
                settings.push((point, setting));
                settings.len() - 1
            }))
        };
        let mut factors = Vec::new();
        for (factor, levels) in &self.vary {
            let is_named = matches!(levels, Levels::Changes(_));
            let written = levels.changes(factor);
            let path = same_path(&written);
            let mut levels = Vec::new();
            for (name, point) in &written {
                let (name, value) = (is_named.then(|| name.clone()), path.and_then(|path| point.get(path).cloned()));
                levels.push(Level { name, value, setting: place(point.clone())? });
            }
            if levels.iter().all(|level| level.setting != 0) {
                let value = path.and_then(|path| changes.written.pointer(&format!("/{}", path.replace('.', "/"))));
                // A whole block is no short name.
                let value = value.filter(|value| !value.is_object()).cloned();
                levels.insert(0, Level { name: None, value, setting: 0 });
            }
            let sizes = levels.iter().map(|level| size(level.value.as_ref()?)).collect::<Option<Vec<_>>>();
            if let Some(sizes) = sizes {
                let mut sized: Vec<_> = sizes.into_iter().zip(levels).collect();
                sized.sort_by(|(a, _), (b, _)| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
                levels = sized.into_iter().map(|(_, level)| level).collect();
            }
            let path = (!is_named).then(|| factor.clone());
            factors.push(Factor { name: factor.clone(), path, levels });
        }
        let mut ablations = Vec::new();
        for (name, point) in &self.without {
            ablations.push(Ablation { name: name.clone(), setting: place(point.clone())? });
        }
        Ok(Plan { settings, factors, ablations })
    }
}

/// The parameter that all of these change, if they change that one alone.
fn same_path(levels: &[(String, Point)]) -> Option<&String> {
    let path = levels.first()?.1.keys().next()?;
    levels.iter().all(|(_, point)| point.len() == 1 && point.contains_key(path)).then_some(path)
}

/// By what values are put in order: numbers by size, lists of widths by their length and then their sum; `None` of others.
fn size(value: &Value) -> Option<(f64, f64)> {
    match value {
        Value::Array(items) => {
            let widths = items.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>()?;
            Some((widths.len() as f64, widths.iter().sum()))
        }
        value => Some((value.as_f64()?, 0.0)),
    }
}

impl Train {
    /// One training of a setting, from the memo where it is known, and how many seconds it took.
    fn variation(
        &self,
        is_base: bool,
        seed: u64,
        data: &Dataset,
        context: &StageContext,
        progress: &dyn Progress,
        tally: &Tally,
    ) -> anyhow::Result<(Training, f64)> {
        let training = self.training();
        let memo = context.memo(&json!({"variation": key(context, &self.subject(), &training, seed)}));
        if let Some(known) = memo.get().and_then(|bytes| from_bytes(&bytes, data.valid.len())) {
            tally.known.fetch_add(1, Ordering::Relaxed);
            return Ok(known);
        }
        let begun = Instant::now();
        let mut resumed = 0;
        let found = match self.fit(data, context, seed, None, progress) {
            Ok(fitted) => {
                resumed = fitted.resumed;
                Training {
                    probabilities: Some(fitted.model.predict_rows_or_stop(&data.frame, &data.valid, progress)?),
                    parameters: parameters(&fitted.model)?,
                    curves: fitted.curves,
                    best_epoch: Some(fitted.best_epoch),
                    diverged: fitted.diverged,
                }
            }
            // That a change does not train is a result, not a mistake.
            Err(TrainError::Diverged { epoch, .. }) if !is_base => {
                Training { diverged: Some(epoch), ..Training::default() }
            }
            Err(error) => return Err(error.into()),
        };
        let seconds = begun.elapsed().as_secs_f64();
        tally.computed.fetch_add(1, Ordering::Relaxed);
        tally.epochs.fetch_add((found.curves.len().saturating_sub(1) - resumed) as u64, Ordering::Relaxed);
        memo.put(&to_bytes(&found, seconds)?)?;
        CheckpointFile::new(context, &self.subject(), &training, seed).clear();
        Ok((found, seconds))
    }
}

/// JSON, a line feed, and the probabilities as single precision numbers.
fn to_bytes(training: &Training, seconds: f64) -> anyhow::Result<Vec<u8>> {
    let Training { curves, best_epoch, diverged, parameters, probabilities } = training;
    let classes = probabilities.as_ref().map_or(0, |matrix| matrix.cols);
    let (curves, best_epoch, diverged, parameters) = (curves.clone(), *best_epoch, *diverged, *parameters);
    let mut bytes = serde_json::to_vec(&Kept { curves, best_epoch, diverged, parameters, classes, seconds })?;
    bytes.push(b'\n');
    let values = probabilities.iter().flat_map(|matrix| &matrix.data);
    values.for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
    Ok(bytes)
}

/// `None` for bytes that are none of these.
fn from_bytes(bytes: &[u8], rows: usize) -> Option<(Training, f64)> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let Kept { curves, best_epoch, diverged, parameters, classes, seconds } =
        serde_json::from_slice(&bytes[..end]).ok()?;
    let (values, rest) = bytes[end + 1..].as_chunks::<4>();
    if !rest.is_empty() || values.len() != rows * classes {
        return None;
    }
    let values = values.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    let probabilities = (classes > 0).then(|| Matrix::from_vec(rows, classes, values));
    Some((Training { curves, best_epoch, diverged, parameters, probabilities }, seconds))
}

impl Tally {
    fn tell(self, context: &StageContext) {
        let counts = [
            ("trainings_known", self.known),
            ("trainings_computed", self.computed),
            ("training_epochs_computed", self.epochs),
        ];
        for (name, count) in counts {
            context.measure(name, count.into_inner() as f64);
        }
    }
}

/// That a training diverged is in the result, and no warning of the stage.
struct Silenced<'a>(&'a dyn Progress);

impl Progress for Silenced<'_> {
    fn update(&self, done: u64, total: u64, unit: &str, note: &str) {
        self.0.update(done, total, unit, note);
    }

    fn warn(&self, _message: &str) {}

    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}

/// One row for each epoch of each training.
fn curves(all: &[Trained], seeds: &[u64]) -> anyhow::Result<Table> {
    let trainings = all.iter().enumerate().flat_map(|(setting, trained)| {
        trained.trainings.iter().zip(seeds).map(move |(training, seed)| (setting, *seed, &training.curves))
    });
    joined(trainings.filter(|(.., curves)| !curves.is_empty()).map(|(setting, seed, curves)| {
        let same = |value: i64| -> ArrayRef { Arc::new(Int64Array::from(vec![value; curves.len()])) };
        let keys = [("setting".to_owned(), same(setting as i64)), ("seed".to_owned(), same(seed as i64))];
        keys.into_iter().chain(curve_columns(curves)).collect()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_training_comes_back_from_its_bytes() {
        let mut training = Training {
            best_epoch: Some(2),
            parameters: 12,
            probabilities: Some(Matrix::from_vec(2, 3, vec![0.1, 0.2, 0.7, 1.0, 0.0, f32::MIN_POSITIVE])),
            ..Training::default()
        };
        for _ in 0..2 {
            let bytes = to_bytes(&training, 1.5).unwrap();
            let (found, seconds) = from_bytes(&bytes, 2).unwrap();
            assert_eq!((found.probabilities.as_ref(), seconds), (training.probabilities.as_ref(), 1.5));
            assert_eq!((found.best_epoch, found.diverged), (training.best_epoch, training.diverged));
            assert!(from_bytes(&bytes[..bytes.len() - 1], 2).is_none() && from_bytes(b"{}", 2).is_none());
            training = Training { diverged: Some(1), ..Training::default() };
        }
    }

    #[test]
    fn values_are_put_in_order_by_size() {
        let sizes = [json!([64, 64]), json!([512]), json!([32, 32, 32])].map(|value| size(&value));
        assert_eq!(sizes, [Some((2.0, 128.0)), Some((1.0, 512.0)), Some((3.0, 96.0))]);
        assert_eq!((size(&json!(0.5)), size(&json!("adam")), size(&json!([1, null]))), (Some((0.5, 0.0)), None, None));
    }
}
