//! Several seeds of a train stage: networks side by side, and their average as the stage's model.
//!
//! Every network is a training of its own, known and resumed as any other.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use serde_json::{Map, Value, json};

use super::{Outcome, Train};
use crate::calibration::{class_weights, findings};
use crate::dataset::Dataset;
use crate::ensemble_scores::averaged;
use crate::predictor::{Predictor, Several};
use crate::training::{curve_columns, joined, parameters};
use runner_engine::StageContext;
use runner_ml::ensemble::{Average, Combination, Members, Weighting};
use runner_ml::matrix::Matrix;
use runner_ml::metrics::{FromProbabilities as _, Scores};
use runner_ml::progress::Progress;
use runner_ml::train::{Common, Fitted, side_by_side};

/// What every network says of one part.
struct ModelPredictions<'a> {
    part: &'a str,
    rows: &'a [usize],
    probabilities: Vec<Matrix>,
}

impl Train {
    /// Networks of the stage's seed and those after it, averaged evenly.
    pub(super) fn average_of_seeds(
        &self,
        data: &Dataset,
        context: &StageContext,
        progress: &dyn Progress,
    ) -> anyhow::Result<Outcome> {
        let seeds: Vec<u64> = (0..self.seeds as u64).map(|i| context.seed().wrapping_add(i)).collect();
        let common = Common::new(progress, seeds.len(), self.epochs);
        let networks: Vec<Fitted> = side_by_side(seeds.len(), context.threads(), |i| {
            let share = common.share(format!("seed {}", seeds[i]), self.epochs);
            let fitted = self.fit(data, context, seeds[i], None, &share)?;
            share.finish(&format!("epoch {} kept", fitted.best_epoch));
            Ok::<_, runner_ml::train::TrainError>(fitted)
        })?;
        let computed: usize = networks.iter().map(|one| one.curves.len() - 1 - one.resumed).sum();
        context.measure("epochs_computed", computed as f64);

        let mut said = Vec::new();
        for (part, rows) in [("train", &data.train), ("valid", &data.valid), ("test", &data.test)] {
            let of_part = networks.iter().map(|one| one.model.predict_rows_or_stop(&data.frame, rows, progress));
            said.push(ModelPredictions { part, rows, probabilities: of_part.collect::<Result<_, _>>()? });
        }
        let labels = |rows: &[usize]| rows.iter().map(|&row| data.labels[row]).collect::<Vec<u32>>();
        let valid: Vec<&Matrix> = said[1].probabilities.iter().collect();
        let class_weights = class_weights(data, &self.training())?;
        let given = Members { class_weights: &class_weights, ..Members::plain(&valid) };
        let combination = Combination::fit(given, &labels(&data.valid), Average::Logits, Weighting::Equal, progress)?;
        let given: Vec<_> = said.iter().map(|one| (one.part, one.rows, one.probabilities.iter().collect())).collect();
        let averaged = averaged(&combination, data, &given, progress)?;

        let first = &networks[0];
        let metric = self.training().early_stopping.metric;
        let findings = findings(&first.model, data, &first.curves, first.best_epoch, first.diverged, metric)?;
        let mut told: Vec<Value> = Vec::new();
        let mut spread = Map::new();
        for one in said.iter().filter(|one| one.part != "train" && !one.rows.is_empty()) {
            let scores = |p: &Matrix| Scores::from_probabilities(&data.classes, &labels(one.rows), p);
            let scores: Vec<Scores> = one.probabilities.iter().map(scores).collect();
            told.resize(networks.len(), json!({}));
            for (told, scores) in told.iter_mut().zip(&scores) {
                told[one.part] = json!({"accuracy": scores.accuracy, "macro_f1": scores.macro_f1});
            }
            let over = |score: fn(&Scores) -> f64| mean_and_deviation(&scores.iter().map(score).collect::<Vec<_>>());
            spread.insert(
                one.part.to_owned(),
                json!({"accuracy": over(|scores| scores.accuracy), "macro_f1": over(|scores| scores.macro_f1)}),
            );
        }
        for ((told, seed), one) in told.iter_mut().zip(&seeds).zip(&networks) {
            (told["seed"], told["best_epoch"], told["diverged"]) =
                (json!(seed), json!(one.best_epoch), json!(one.diverged));
        }
        let number = |value: &Value, key: &str| value[key].as_f64().unwrap_or(f64::NAN);
        let judged = if data.test.is_empty() { "valid" } else { "test" };
        let (whole, alone) = (&averaged.parts[judged], &spread[judged]["accuracy"]);
        let headline = format!(
            "{judged} accuracy {:.3}, macro-F1 {:.3} (average of {} networks, alone {:.3} ± {:.3})",
            number(whole, "accuracy"),
            number(whole, "macro_f1"),
            networks.len(),
            number(alone, "mean"),
            number(alone, "sd"),
        );
        let curves = networks.iter().zip(&seeds).map(|(one, &seed)| {
            let seed: ArrayRef = Arc::new(Int64Array::from(vec![seed as i64; one.curves.len()]));
            std::iter::once(("seed".to_owned(), seed)).chain(curve_columns(&one.curves)).collect()
        });
        let curves = joined(curves)?;
        let metrics = json!({
            "networks": told,
            "networks_alone": spread,
            "diagnosis": findings,
            "parameters": networks.iter().map(|one| parameters(&one.model)).sum::<Result<usize, _>>()?,
        });
        let best_epoch = first.best_epoch;
        let members = networks.into_iter().zip(&seeds);
        let members =
            members.map(|(one, seed)| (format!("seed {seed}"), Some(Predictor::one(one.model, data, &self.text))));
        let model = Predictor::Several(Several { combination, alike: true, members: members.collect() });
        Ok(Outcome { model, averaged, metrics, curves, best_epoch, headline, remark: String::new() })
    }
}

/// The mean, and the standard deviation of a sample, which a single value has not.
fn mean_and_deviation(values: &[f64]) -> Value {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    json!({"mean": mean, "sd": if values.len() > 1 { Some((squares / (count - 1.0)).sqrt()) } else { None }})
}
