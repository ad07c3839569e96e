//! Several seeds of a train stage: networks side by side, and their average as the stage's model.
//!
//! Every network is a training of its own, known and resumed as any other.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};

use super::{Outcome, Train};
use crate::aims;
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
use runner_report::scores_in_words;
use runner_results::training::{MeanAndDeviation, SeedNetwork, SeedScores, Spread};
use runner_results::{Part, Parts};

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

        let said = |rows: &[usize]| -> anyhow::Result<Vec<Matrix>> {
            let all = networks.iter().map(|one| one.model.predict_rows_or_stop(&data.frame, rows, progress));
            Ok(all.collect::<Result<_, _>>()?)
        };
        let (of_train, of_valid, of_test) = (said(&data.train)?, said(&data.valid)?, said(&data.test)?);
        let labels = |rows: &[usize]| rows.iter().map(|&row| data.labels[row]).collect::<Vec<u32>>();
        let valid: Vec<&Matrix> = of_valid.iter().collect();
        let class_weights = class_weights(data, &self.training())?;
        let threshold = aims::threshold(self.threshold, data, context)?;
        let scoring = &data.scoring;
        let given = Members { class_weights: &class_weights, threshold, scoring, ..Members::plain(&valid) };
        let combination = Combination::fit(given, &labels(&data.valid), Average::Logits, Weighting::Equal, progress)?;
        let given = Parts {
            train: Some((data.train.as_slice(), of_train.iter().collect())),
            valid: Some((data.valid.as_slice(), of_valid.iter().collect())),
            test: Some((data.test.as_slice(), of_test.iter().collect())),
        };
        let averaged = averaged(&combination, data, threshold, &given, progress)?;

        let first = &networks[0];
        let (training, valid) = (self.training(), averaged.parts.valid.as_ref());
        let findings = findings(&first.model, data, &first.curves, first.best_epoch, first.diverged, &training, valid)?;
        let mut told: Vec<SeedNetwork> = (seeds.iter().zip(&networks))
            .map(|(&seed, one)| SeedNetwork {
                parts: Parts::default(),
                seed,
                best_epoch: one.best_epoch,
                diverged: one.diverged,
            })
            .collect();
        let mut spread = Parts::default();
        for (part, rows, said) in [(Part::Valid, &data.valid, &of_valid), (Part::Test, &data.test, &of_test)] {
            if rows.is_empty() {
                continue;
            }
            let scores = |p: &Matrix| {
                let scores = Scores::from_probabilities(&data.classes, &labels(rows), p);
                SeedScores { accuracy: scores.accuracy, macro_f1: scores.macro_f1 }
            };
            let scores: Vec<SeedScores> = said.iter().map(scores).collect();
            for (told, scores) in told.iter_mut().zip(&scores) {
                told.parts.set(part, *scores);
            }
            let over =
                |score: fn(&SeedScores) -> f64| MeanAndDeviation::of(&scores.iter().map(score).collect::<Vec<_>>());
            let (accuracy, macro_f1) = (over(|scores| scores.accuracy), over(|scores| scores.macro_f1));
            spread.set(part, Spread { accuracy, macro_f1 });
        }
        let headline = match (averaged.parts.judged(), spread.judged()) {
            (Some((part, whole)), Some((_, alone))) => format!(
                "{} {} (average of {} networks, alone accuracy {:.3} ± {:.3})",
                part.key(),
                scores_in_words(whole, aims::metric(context)),
                networks.len(),
                alone.accuracy.mean,
                alone.accuracy.sd.unwrap_or(f64::NAN),
            ),
            _ => String::new(),
        };
        let curves = networks.iter().zip(&seeds).map(|(one, &seed)| {
            let seed: ArrayRef = Arc::new(Int64Array::from(vec![seed as i64; one.curves.len()]));
            std::iter::once(("seed".to_owned(), seed)).chain(curve_columns(&one.curves)).collect()
        });
        let curves = joined(curves)?;
        let parameters = networks.iter().map(|one| parameters(&one.model)).sum::<Result<usize, _>>()?;
        let fitted = runner_results::training::Fitted::Several { networks: told, networks_alone: spread };
        let best_epoch = first.best_epoch;
        let members = networks.into_iter().zip(&seeds);
        let members = members.map(|(one, &seed)| {
            let procedure = self.procedure(seed, one.best_epoch);
            (format!("seed {seed}"), Some(Predictor::one(one.model, procedure, data, &self.text)))
        });
        let model = Predictor::Several(Several { combination, alike: true, members: members.collect() });
        Ok(Outcome {
            model,
            averaged,
            fitted,
            findings,
            parameters,
            curves,
            best_epoch,
            headline,
            remark: String::new(),
        })
    }
}
