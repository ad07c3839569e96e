//! Changes of one training against the training as it stands: paired by seed, and by row for the average of the seeds' networks.
//!
//! Two questions, two tests. Over the seeds: would the change show again if the same networks were trained with other random numbers on these rows?
//! Over the rows: would it show on other rows, with these networks? An effect that only one of them shows is no safe one.

use runner_results::search::Point;
use runner_results::training::MeanAndDeviation;
use runner_results::variations::{Effect, Gradients, RowEffect, Run, Setting};

use crate::matrix::Matrix;
use crate::progress::{Cancelled, Progress};
use crate::stats::{Bootstrap, Clusters, PairedDifferences, holm, pairwise_tests};
use crate::train::{Curves, Metric};

/// One training of a setting.
#[derive(Clone, Debug, Default)]
pub struct Training {
    /// As far as it came.
    pub curves: Curves,
    /// The epoch whose weights are kept; none where the loss was never finite.
    pub best_epoch: Option<usize>,
    /// The epoch in which the loss stopped being finite, if it did.
    pub diverged: Option<usize>,
    /// How many numbers the network holds.
    pub parameters: usize,
    /// Of each validation row; of the kept epoch.
    pub probabilities: Option<Matrix>,
}

/// The trainings of a setting.
#[derive(Clone, Debug)]
pub struct Trained {
    /// What differs from the base.
    pub changes: Point,
    /// One of each seed.
    pub trainings: Vec<Training>,
}

/// What settings are judged by.
pub struct Judge<'a> {
    /// By which epochs were chosen.
    pub metric: Metric,
    /// Of the trainings, in their order.
    pub seeds: &'a [u64],
    /// The class of each validation row.
    pub truth: &'a [u32],
    /// How many classes there are.
    pub classes: usize,
    /// Which validation rows belong together.
    pub clusters: &'a Clusters,
    /// Of the resamples.
    pub seed: u64,
}

impl Judge<'_> {
    /// The settings with their scores, and all but the first with their effect against it.
    pub fn settings(&self, all: &[Trained], progress: &dyn Progress) -> Result<Vec<Setting>, Cancelled> {
        let mut settings: Vec<Setting> = all.iter().map(|one| self.setting(one)).collect();
        let Some(base) = settings.first().cloned() else { return Ok(settings) };
        let rows = self.row_effects(all, progress)?;
        for (setting, rows) in settings.iter_mut().zip(rows).skip(1) {
            setting.effect = self.effect(setting, &base, rows);
        }
        let mut tested: Vec<&mut Effect> = settings.iter_mut().filter_map(|setting| setting.effect.as_mut()).collect();
        tested.retain(|effect| effect.p_value.is_some());
        let p: Vec<f64> = tested.iter().filter_map(|effect| effect.p_value).collect();
        for (effect, corrected) in tested.into_iter().zip(holm(&p)) {
            effect.p_corrected = Some(corrected);
        }
        Ok(settings)
    }

    fn setting(&self, trained: &Trained) -> Setting {
        let runs: Vec<Run> =
            trained.trainings.iter().zip(self.seeds).map(|(training, &seed)| run(training, seed)).collect();
        let scores = runs.iter().map(|run| score(run, self.metric)).collect::<Option<Vec<f64>>>();
        Setting {
            changes: trained.changes.clone(),
            parameters: trained.trainings.iter().map(|training| training.parameters).max().unwrap_or(0),
            score: scores.filter(|scores| !scores.is_empty()).map(|scores| MeanAndDeviation::of(&scores)),
            effect: None,
            runs,
        }
    }

    /// `None` where either has no score with some seed.
    fn effect(&self, setting: &Setting, base: &Setting, rows: Option<RowEffect>) -> Option<Effect> {
        let pairs = setting.runs.iter().zip(&base.runs);
        let differences = pairs.map(|(ours, theirs)| Some(score(ours, self.metric)? - score(theirs, self.metric)?));
        let differences = differences.collect::<Option<Vec<f64>>>()?;
        let PairedDifferences { mean, interval, p_value } = PairedDifferences::of(&differences)?;
        Some(Effect { differences, mean, interval, p_value, p_corrected: p_value, rows })
    }

    /// Of each setting the average of its networks against that of the base's; none of the base, nor where one has no prediction.
    fn row_effects(&self, all: &[Trained], progress: &dyn Progress) -> Result<Vec<Option<RowEffect>>, Cancelled> {
        let averages: Vec<Option<Matrix>> = all.iter().map(average).collect();
        let mut found = vec![None; all.len()];
        let known: Vec<usize> = (0..all.len()).filter(|&i| averages[i].is_some()).collect();
        if known.first() != Some(&0) {
            return Ok(found);
        }
        let predicted: Vec<Vec<u32>> = averages.iter().flatten().map(Matrix::argmax_rows).collect();
        // The losses of an average that was not calibrated say little.
        let losses = vec![vec![0.0; self.truth.len()]; predicted.len()];
        let how = Bootstrap { seed: self.seed, ..Bootstrap::default() };
        let pairs = pairwise_tests(self.truth, &predicted, &losses, self.classes, self.clusters, &how, progress)?;
        let against_base: Vec<_> = pairs.into_iter().filter(|pair| pair.a == 0).collect();
        let corrected = holm(&against_base.iter().map(|pair| pair.test.p).collect::<Vec<_>>());
        for (pair, p_corrected) in against_base.into_iter().zip(corrected) {
            let (accuracy, macro_f1, test) = (pair.accuracy, pair.macro_f1, pair.test);
            found[known[pair.b]] = Some(RowEffect { accuracy, macro_f1, test, p_corrected });
        }
        Ok(found)
    }
}

fn score(run: &Run, metric: Metric) -> Option<f64> {
    run.valid.map(|scores| scores.get(metric)).filter(|score| score.is_finite())
}

fn run(training: &Training, seed: u64) -> Run {
    let curves = &training.curves;
    let best = training.best_epoch.filter(|&epoch| epoch < curves.len());
    let stepped = |column: &[f64]| column.get(1..).unwrap_or_default().to_vec();
    let mean = |column: &[f64]| column.iter().sum::<f64>() / column.len() as f64;
    let norms = stepped(&curves.gradient_norm);
    Run {
        seed,
        epochs: curves.len().saturating_sub(1),
        best_epoch: best,
        diverged: training.diverged,
        valid: best.map(|epoch| curves.valid_scores(epoch)),
        train: best.map(|epoch| curves.train_scores(epoch)),
        gradients: (!norms.is_empty()).then(|| Gradients {
            mean_norm: mean(&norms),
            largest_norm: stepped(&curves.gradient_norm_max).into_iter().fold(0.0, f64::max),
            clipped: mean(&stepped(&curves.clipped)),
        }),
    }
}

/// The mean of the networks' probabilities.
fn average(trained: &Trained) -> Option<Matrix> {
    let all = trained.trainings.iter().map(|one| one.probabilities.as_ref()).collect::<Option<Vec<&Matrix>>>()?;
    let (first, rest) = all.split_first()?;
    let mut sum = (*first).clone();
    for one in rest {
        sum.data.iter_mut().zip(&one.data).for_each(|(sum, value)| *sum += value);
    }
    sum.data.iter_mut().for_each(|sum| *sum /= all.len() as f32);
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Silent;

    const ROWS: usize = 60;

    /// Curves with that macro-F1 by epoch.
    fn curves_of(macro_f1: &[f64]) -> Curves {
        let (all, epochs) = (macro_f1.to_vec(), macro_f1.len());
        Curves {
            epoch: (0..epochs as u32).collect(),
            objective: all.clone(),
            train_loss: all.clone(),
            valid_loss: all.clone(),
            train_accuracy: all.clone(),
            valid_accuracy: all.clone(),
            train_macro_f1: all.clone(),
            valid_macro_f1: all,
            valid_chosen_by: None,
            learning_rate: vec![0.01; epochs],
            gradient_norm: vec![1.5; epochs],
            gradient_norm_max: vec![2.5; epochs],
            clipped: vec![0.25; epochs],
        }
    }

    fn truth() -> Vec<u32> {
        (0..ROWS).map(|row| (row % 2) as u32).collect()
    }

    /// A training of that macro-F1, whose network is right on the first `right` rows.
    fn training(macro_f1: f64, right: usize) -> Training {
        let probability = |row: usize| {
            let of_second = if (row % 2 == 1) == (row < right) { 0.9 } else { 0.1 };
            [1.0 - of_second, of_second]
        };
        Training {
            curves: curves_of(&[0.1, macro_f1, macro_f1 - 0.05]),
            best_epoch: Some(1),
            diverged: None,
            parameters: 7,
            probabilities: Some(Matrix::from_vec(ROWS, 2, (0..ROWS).flat_map(probability).collect())),
        }
    }

    fn judged(all: &[Trained]) -> Vec<Setting> {
        let (truth, clusters) = (truth(), Clusters::singles(ROWS));
        let judge = Judge {
            metric: Metric::MacroF1,
            seeds: &[4, 5, 6],
            truth: &truth,
            classes: 2,
            clusters: &clusters,
            seed: 0,
        };
        judge.settings(all, &Silent).unwrap()
    }

    fn trained(scores: [f64; 3], right: usize) -> Trained {
        Trained { changes: Point::new(), trainings: scores.map(|score| training(score, right)).to_vec() }
    }

    // from scipy import stats; import numpy as np, statsmodels.stats.multitest as m
    // a, b, c = [.60, .60, .597], [.61, .62, .60], [.50, .51, .49]
    // d = np.subtract(b, a); stats.ttest_rel(b, a).pvalue, stats.t.interval(.95, 2, d.mean(), stats.sem(d))
    // -> 0.15551017481972826, (-0.010224481913079349, 0.03222448191307937)
    // m.multipletests([stats.ttest_rel(x, a).pvalue for x in (b, c)], method="holm")[1] -> [0.15551017, 0.00494706]
    #[test]
    fn effects_over_seeds_agree_with_scipy() {
        let found = judged(&[
            trained([0.60, 0.60, 0.597], 40),
            trained([0.61, 0.62, 0.60], 50),
            trained([0.50, 0.51, 0.49], 20),
        ]);
        assert_eq!(found[0].effect, None);
        let (better, worse) = (found[1].effect.as_ref().unwrap(), found[2].effect.as_ref().unwrap());
        assert!((better.mean - 0.011).abs() < 1e-12);
        assert!((better.p_value.unwrap() - 0.155_510_174_819_727_8).abs() < 1e-9);
        let (low, high) = better.interval.unwrap();
        assert!((low + high - 0.022).abs() < 1e-9 && (high - 0.011 - 0.021_224_5).abs() < 1e-5, "{low} {high}");
        assert_eq!(better.p_corrected, better.p_value, "the greater of two p values stays");
        assert!((worse.p_corrected.unwrap() - 2.0 * worse.p_value.unwrap()).abs() < 1e-12);
        assert_eq!(found.iter().map(|one| one.runs[2].seed).collect::<Vec<_>>(), [6, 6, 6]);
        // Of 60 rows the average is right on 40, 50 and 20.
        let rows = |effect: &Effect| effect.rows.unwrap();
        assert!((rows(better).accuracy.estimate - 10.0 / 60.0).abs() < 1e-12);
        assert!((rows(worse).accuracy.estimate + 20.0 / 60.0).abs() < 1e-12);
        assert!(rows(worse).p_corrected < 0.001 && rows(worse).accuracy.excludes_zero());
    }

    #[test]
    fn a_setting_that_diverged_has_no_effect_and_takes_none_from_others() {
        let mut lost = trained([0.6; 3], 40);
        lost.trainings[1] = Training { diverged: Some(1), ..Training::default() };
        let found = judged(&[trained([0.60, 0.60, 0.597], 40), lost, trained([0.61, 0.62, 0.60], 50)]);
        assert_eq!((found[1].score, found[1].effect.clone()), (None, None));
        assert_eq!((found[1].runs[1].diverged, found[1].runs[1].gradients), (Some(1), None));
        let other = found[2].effect.as_ref().unwrap();
        assert_eq!(other.p_corrected, other.p_value);
        assert!(other.rows.is_some());
    }

    #[test]
    fn a_single_seed_has_a_difference_and_no_test() {
        let one = |score: f64| Trained { changes: Point::new(), trainings: vec![training(score, 30)] };
        let found = judged(&[one(0.5), one(0.6)]);
        let effect = found[1].effect.as_ref().unwrap();
        assert!((effect.mean - 0.1).abs() < 1e-12 && effect.interval.is_none() && effect.p_corrected.is_none());
        assert_eq!(found[1].score.unwrap().sd, None);
    }
}
