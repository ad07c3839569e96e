//! Predictions of two models on the same rows: scores, intervals of their differences, McNemar's test (over groups, where rows belong together), rows that
//! flipped.

use std::collections::HashMap;

use anyhow::anyhow;
use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::Float32Type;

use crate::aims::cost_matrix;
use crate::columns::{LABEL, MODEL, PART, PREDICTED, ROW_ID, class_of, integers, probability_of, strings};
use crate::dataset::groups;
use crate::predictions::{is_ordered, positive, united_groups};
use runner_artifact::Table;
use runner_ml::matrix::Matrix;
use runner_ml::metrics::{Measures, Scores};
use runner_ml::progress::Silent;
use runner_ml::stats::{Bootstrap, Clusters, bootstrap_intervals, paired_test};
use runner_results::Metric;
use runner_results::comparison::{Difference, Flip, PairedComparison, Pairing, ScoreDifference, ScoreMetric, Verdict};
use runner_results::costs::Costs;
use runner_results::scores::Scoring;

/// Chance of a false alarm over all comparisons together.
const ALPHA: f64 = 0.05;

/// Judges a comparison by its p after the correction over all of them.
pub(super) fn conclude(paired: &mut PairedComparison, adjusted_p: f64) {
    paired.adjusted_p = adjusted_p;
    paired.verdict = match paired.wrong_to_right.cmp(&paired.right_to_wrong) {
        _ if adjusted_p >= ALPHA => Verdict::NoSignificantDifference,
        std::cmp::Ordering::Greater => Verdict::MoreAccurate,
        std::cmp::Ordering::Less => Verdict::LessAccurate,
        std::cmp::Ordering::Equal => Verdict::NoSignificantDifference,
    };
}

/// What one model says of the test part.
pub(super) struct Side {
    pub(crate) row_id: Vec<i64>,
    /// Empty where every row stands alone.
    groups: Vec<i64>,
    label: Vec<String>,
    predicted: Vec<String>,
    /// Of the label; absent where the model has no such class.
    probability: Vec<Option<f32>>,
    /// The model's classes, and of each row what it says of them.
    classes: Vec<String>,
    probabilities: Matrix,
    /// The positive class of two.
    positive: Option<String>,
    /// Whether the classes have an order, that of `classes`.
    is_ordered: bool,
    /// By which the pipeline says that models are chosen.
    pub(crate) metric: Option<Metric>,
    /// What it says that mistakes cost.
    pub(crate) costs: Option<Costs>,
    /// Its "probabilities" are more than scores in the right order.
    probabilistic: bool,
}

impl Side {
    pub(crate) fn read(table: &Table, model: Option<&str>, probabilistic: bool) -> anyhow::Result<Side> {
        let whole = |name: &str| -> anyhow::Result<Vec<String>> {
            let values: Option<Vec<String>> = strings(table, name)?.into_iter().collect();
            values.ok_or_else(|| anyhow!("column '{name}' of the predictions has missing values"))
        };
        let (row_id, part, label, predicted) =
            (integers(table, ROW_ID)?, whole(PART)?, whole(LABEL)?, whole(PREDICTED)?);
        let models = model.map(|_| whole(MODEL)).transpose()?;
        let meant = |i: usize| model.zip(models.as_ref()).is_none_or(|(model, models)| models[i] == model);
        let rows: Vec<usize> = (0..table.rows()).filter(|&i| part[i] == "test" && meant(i)).collect();
        let mut columns: HashMap<&str, Option<&[f32]>> = HashMap::new();
        for class in &label {
            columns.entry(class).or_insert_with(|| {
                let column = table.column(&probability_of(class)).ok()?;
                column.as_primitive_opt::<Float32Type>().map(|array| array.values().as_ref())
            });
        }
        let probability: Vec<Option<f32>> =
            rows.iter().map(|&i| columns.get(label[i].as_str()).copied().flatten().map(|column| column[i])).collect();
        let groups = match groups(table)? {
            none if none.is_empty() => none,
            all => rows.iter().map(|&i| all[i]).collect(),
        };
        let names = table.column_names();
        let classes: Vec<String> = names.iter().filter_map(|name| class_of(name)).map(str::to_owned).collect();
        let of_classes: Vec<ArrayRef> =
            classes.iter().filter_map(|class| table.column(&probability_of(class)).ok().cloned()).collect();
        let of_classes: Vec<&[f32]> = of_classes
            .iter()
            .filter_map(|column| column.as_primitive_opt::<Float32Type>().map(|array| array.values().as_ref()))
            .collect();
        let data = match of_classes.len() == classes.len() {
            true => rows.iter().flat_map(|&i| of_classes.iter().map(move |column| column[i])).collect(),
            false => vec![0.0; rows.len() * classes.len()],
        };
        Ok(Side {
            probabilities: Matrix::from_vec(rows.len(), classes.len(), data),
            classes,
            positive: positive(table)?,
            is_ordered: is_ordered(table)?,
            metric: None,
            costs: None,
            groups,
            probabilistic,
            row_id: rows.iter().map(|&i| row_id[i]).collect(),
            label: rows.iter().map(|&i| label[i].clone()).collect(),
            predicted: rows.iter().map(|&i| predicted[i].clone()).collect(),
            probability,
        })
    }

    /// Whether it has no test rows.
    pub(crate) fn is_empty(&self) -> bool {
        self.row_id.is_empty()
    }

    fn loss(&self, i: usize) -> f64 {
        -f64::from(self.probability[i].unwrap_or(0.0)).max(1e-15).ln()
    }
}

/// `pairs`: places of the same row on both sides, in the order of the data. `None` if there is none.
pub(super) fn compare(
    a: &Side,
    b: &Side,
    (pairs, pairing): (Vec<(usize, usize)>, Pairing),
    how: &Bootstrap,
) -> Option<PairedComparison> {
    let common: Vec<(usize, usize)> = pairs.into_iter().filter(|&(i, j)| a.label[i] == b.label[j]).collect();
    let left_out = a.row_id.len() + b.row_id.len() - 2 * common.len();
    let clusters = clusters(a, b, &common);
    let (scores, rows) = (differences(a, b, &common, &clusters, how)?, common.len());
    let (mut both_right, mut both_wrong, mut right_to_wrong, mut wrong_to_right) = (0u64, 0u64, 0u64, 0u64);
    let mut flips = Vec::new();
    for &(i, j) in &common {
        let label = &a.label[i];
        let right = (a.predicted[i] == *label, b.predicted[j] == *label);
        match right {
            (true, true) => both_right += 1,
            (false, false) => both_wrong += 1,
            (true, false) => right_to_wrong += 1,
            (false, true) => wrong_to_right += 1,
        }
        if right.0 != right.1 {
            flips.push(Flip {
                row_id: b.row_id[j],
                label: label.clone(),
                a: a.predicted[i].clone(),
                b: b.predicted[j].clone(),
                gained: right.1,
            });
        }
    }
    let right = |row: usize| {
        let (i, j) = common[row];
        (a.predicted[i] == a.label[i], b.predicted[j] == a.label[i])
    };
    let same_predictions = common.iter().all(|&(i, j)| a.predicted[i] == b.predicted[j]);
    let mcnemar = paired_test(&clusters, right);
    let verdict = Verdict::NoSignificantDifference;
    Some(PairedComparison {
        rows,
        groups: clusters.groups(),
        effective_groups: clusters.groups().map(|_| clusters.effective()),
        few_groups: clusters.are_few(),
        pairing,
        left_out,
        scores,
        same_predictions,
        both_right,
        both_wrong,
        right_to_wrong,
        wrong_to_right,
        adjusted_p: mcnemar.p,
        mcnemar,
        verdict,
        flips,
    })
}

/// Which of the common rows belong together by either side.
fn clusters(a: &Side, b: &Side, common: &[(usize, usize)]) -> Clusters {
    let of = |groups: &[i64], rows: &mut dyn Iterator<Item = usize>| -> Vec<i64> {
        if groups.is_empty() { Vec::new() } else { rows.map(|row| groups[row]).collect() }
    };
    let of_a = of(&a.groups, &mut common.iter().map(|pair| pair.0));
    let of_b = of(&b.groups, &mut common.iter().map(|pair| pair.1));
    let all: Vec<usize> = (0..common.len()).collect();
    Clusters::of_rows(&united_groups(&[&of_a, &of_b]), &all)
}

fn differences(
    a: &Side,
    b: &Side,
    common: &[(usize, usize)],
    clusters: &Clusters,
    how: &Bootstrap,
) -> Option<Vec<ScoreDifference>> {
    let mut classes: Vec<String> =
        common.iter().flat_map(|&(i, j)| [&a.label[i], &a.predicted[i], &b.predicted[j]]).cloned().collect();
    classes.sort_unstable();
    classes.dedup();
    let number = |name: &String| classes.binary_search(name).unwrap_or_default() as u32;
    let truth: Vec<u32> = common.iter().map(|&(i, _)| number(&a.label[i])).collect();
    let said_a: Vec<u32> = common.iter().map(|&(i, _)| number(&a.predicted[i])).collect();
    let said_b: Vec<u32> = common.iter().map(|&(_, j)| number(&b.predicted[j])).collect();
    let with_loss = a.probabilistic && b.probabilistic;
    let losses: Vec<(f64, f64)> = common.iter().map(|&(i, j)| (a.loss(i), b.loss(j))).collect();
    // Both sides' scores on the same drawn rows.
    let both = |drawn: &[usize]| -> ([f64; 3], [f64; 3]) {
        let take = |values: &[u32]| drawn.iter().map(|&row| values[row]).collect::<Vec<u32>>();
        let truth = take(&truth);
        let (scores_a, scores_b) =
            (Scores::new(&classes, &truth, &take(&said_a)), Scores::new(&classes, &truth, &take(&said_b)));
        let (loss_a, loss_b) =
            drawn.iter().map(|&row| losses[row]).fold((0.0, 0.0), |sum, loss| (sum.0 + loss.0, sum.1 + loss.1));
        let count = drawn.len() as f64;
        ([scores_a.accuracy, scores_a.macro_f1, loss_a / count], [scores_b.accuracy, scores_b.macro_f1, loss_b / count])
    };
    let intervals = bootstrap_intervals(clusters, how, &Silent, |drawn| {
        let (a, b) = both(drawn);
        [b[0] - a[0], b[1] - a[1], b[2] - a[2]]
    });
    let intervals = intervals.ok().flatten()?;
    let (scores_a, scores_b) = both(&(0..common.len()).collect::<Vec<_>>());
    let asked = asked(a, b, common, clusters, how, with_loss);
    let metrics = [ScoreMetric::Accuracy, ScoreMetric::MacroF1, ScoreMetric::LogLoss].into_iter().enumerate();
    let shown = metrics.filter(|(_, metric)| with_loss || *metric != ScoreMetric::LogLoss);
    Some(
        asked
            .into_iter()
            .chain(shown.map(|(m, metric)| {
                let interval = match metric {
                    // One and the same decision on every row: there is no difference to be uncertain of.
                    ScoreMetric::Accuracy if said_a == said_b => None,
                    ScoreMetric::Accuracy => Some(clusters.difference(intervals[m], how.level)),
                    _ => intervals[m].varied(),
                };
                let difference = Difference {
                    estimate: intervals[m].estimate,
                    low: interval.map(|found| found.low),
                    high: interval.map(|found| found.high),
                    method: interval.map(|found| found.method),
                };
                ScoreDifference { metric, a: scores_a[m], b: scores_b[m], difference }
            }))
            .collect(),
    )
}

/// The metric that the models were chosen by, or that suits the rows, where it is none of those that are always compared.
fn asked(
    a: &Side,
    b: &Side,
    common: &[(usize, usize)],
    clusters: &Clusters,
    how: &Bootstrap,
    is_probabilistic: bool,
) -> Option<ScoreDifference> {
    let place = |of: &str| a.classes.iter().position(|class| class == of);
    let truth: Vec<u32> =
        common.iter().map(|&(i, _)| place(&a.label[i]).map(|class| class as u32)).collect::<Option<_>>()?;
    let mut rows = vec![0u64; a.classes.len()];
    truth.iter().for_each(|&class| rows[class as usize] += 1);
    let metric = b.metric.or(a.metric).unwrap_or_else(|| Metric::suited(&rows));
    if matches!(metric, Metric::Accuracy | Metric::MacroF1 | Metric::Loss) {
        return None;
    }
    // Of B in the order of A's classes.
    let order: Vec<usize> =
        a.classes.iter().map(|class| b.classes.iter().position(|own| own == class)).collect::<Option<_>>()?;
    if order.len() != b.classes.len() {
        return None;
    }
    let said_a = a.probabilities.take(&common.iter().map(|pair| pair.0).collect::<Vec<_>>());
    let own = common.iter().flat_map(|&(_, j)| order.iter().map(move |&class| b.probabilities.get(j, class)));
    let said_b = Matrix::from_vec(common.len(), order.len(), own.collect());
    let predicted = |side: &Side, row: usize| place(&side.predicted[row]).map(|class| class as u32);
    let predicted_a: Vec<u32> = common.iter().map(|&(i, _)| predicted(a, i)).collect::<Option<_>>()?;
    let predicted_b: Vec<u32> = common.iter().map(|&(_, j)| predicted(b, j)).collect::<Option<_>>()?;
    let positive = b.positive.as_deref().or(a.positive.as_deref()).and_then(place).map(|class| class as u32);
    let costs = b.costs.as_ref().or(a.costs.as_ref()).and_then(|costs| cost_matrix(costs, &a.classes));
    let scoring = Scoring { positive, costs, is_ordered: a.is_ordered && b.is_ordered };
    let of_a = Measures::new(&truth, &predicted_a, &said_a, &scoring, is_probabilistic);
    let of_b = Measures::new(&truth, &predicted_b, &said_b, &scoring, is_probabilistic);
    let all = vec![1.0; common.len()];
    let (score_a, score_b) = (of_a.value(metric, &all)?, of_b.value(metric, &all)?);
    let [found] = bootstrap_intervals(clusters, how, &Silent, |drawn| {
        let mut weights = vec![0.0; common.len()];
        drawn.iter().for_each(|&row| weights[row] += 1.0);
        let of = |measures: &Measures| measures.value(metric, &weights).unwrap_or(f64::NAN);
        [of(&of_b) - of(&of_a)]
    })
    .ok()
    .flatten()?;
    let interval = found.varied();
    let difference = Difference {
        estimate: found.estimate,
        low: interval.map(|found| found.low),
        high: interval.map(|found| found.high),
        method: interval.map(|found| found.method),
    };
    Some(ScoreDifference { metric: ScoreMetric::Other(metric), a: score_a, b: score_b, difference })
}
