//! Every metric against scikit-learn's, and what is said where a metric has no meaning.

use super::{FromProbabilities as _, Measures, Scores, rarer_of_two};
use crate::calibration::decide_by;
use crate::matrix::Matrix;
use crate::progress::Silent;
use crate::stats::Clusters;
use runner_results::Metric;
use runner_results::costs::CostMatrix;
use runner_results::scores::{PLAIN, Scoring};

fn positive(class: u32) -> Scoring {
    Scoring { positive: Some(class), ..PLAIN.clone() }
}

/// Rows with many equal probabilities: truth, probabilities, weights.
fn rows(count: usize, classes: usize) -> (Vec<u32>, Matrix, Vec<f64>) {
    let drawn: Vec<usize> = (0..count).map(|i| i * 5 % 17 % classes).collect();
    let mut data = Vec::new();
    for (i, own) in drawn.iter().enumerate() {
        let knows = |k: usize| if k == *own && i % 3 != 0 { 6 } else { 0 };
        let raw: Vec<f32> = (0..classes).map(|k| ((i * 7 + k * 13) % 11 + 1 + knows(k)) as f32).collect();
        let total: f32 = raw.iter().sum();
        data.extend(raw.iter().map(|value| value / total));
    }
    let truth = drawn.iter().enumerate().map(|(i, own)| match classes {
        2 => u32::from(i % 6 == 0),
        _ => *own as u32,
    });
    let weights = (0..count).map(|i| 1.0 + (i % 4) as f64).collect();
    (truth.collect(), Matrix::from_vec(count, classes, data), weights)
}

// import numpy as np; from sklearn.metrics import *; from sklearn.preprocessing import label_binarize           (scikit-learn 1.9.1)
// def ece(y, p, w):                         # Guo et al. 2017; scikit-learn has none
//     conf, right = p.max(1), p.argmax(1) == y; b = np.clip(np.ceil(conf * 15).astype(int), 1, 15)
//     return sum(abs((w * (right - conf))[b == j].sum()) for j in range(1, 16)) / w.sum()
// for n, c in [(60, 2), (90, 3), (150, 7)]:
//     i, k = np.arange(n)[:, None], np.arange(c)[None, :]; y = np.arange(n) * 5 % 17 % c
//     p = ((i * 7 + k * 13) % 11 + 1 + 6 * ((k == y[:, None]) & (i % 3 != 0))).astype("f4"); p = (p / p.sum(1, keepdims=True)).astype(float)
//     if c == 2: y = (np.arange(n) % 6 == 0).astype(int)
//     B = label_binarize(y, classes=range(c)); h = p.argmax(1); q = p[:, 1] if c == 2 else p; b = y if c == 2 else B
//     for w in (np.ones(n), 1. + np.arange(n) % 4):
//         k = dict(sample_weight=w)
//         print(accuracy_score(y, h, **k), balanced_accuracy_score(y, h, **k), f1_score(y, h, average="macro", **k),
//               f1_score(y, h, average="weighted", **k), matthews_corrcoef(y, h, **k), roc_auc_score(b, q, **k),
//               average_precision_score(b, q, **k), log_loss(y, p, **k), brier_score_loss(y, q, **k), ece(y, p, w),
//               top_k_accuracy_score(y, p, k=3, **k) if c > 3 else 0, top_k_accuracy_score(y, p, k=5, **k) if c > 5 else 0)
#[rustfmt::skip]
const EXPECTED: [(usize, usize, bool, [f64; 12]); 6] = [
    (60, 2, false, [0.533_333_333_333_333_3, 0.64, 0.497_607_655_502_392_33, 0.586_921_850_079_744_8, 0.210_579_893_158_665_38, 0.499,
        0.167_108_833_074_390_34, 0.810_136_193_406_678_4, 0.297_004_598_965_283_7, 0.246_180_372_436_841_32, f64::NAN, f64::NAN]),
    (60, 2, true, [0.533_333_333_333_333_3, 0.646_153_846_153_846_2, 0.480_095_068_330_362_5, 0.602_099_425_628_837_4, 0.199_602_297_441_194_56,
        0.494_807_692_307_692_34, 0.135_463_389_898_056_65, 0.803_486_613_398_563, 0.293_356_645_337_837_95, 0.227_879_791_259_765_62, f64::NAN, f64::NAN]),
    (90, 3, false, [0.655_555_555_555_555_6, 0.651_853_522_821_264_9, 0.651_136_168_686_348_8, 0.656_437_873_329_278_2, 0.483_252_698_176_404_9,
        0.784_969_617_880_001_7, 0.693_506_701_857_824_5, 0.896_525_223_885_396_8, 0.526_110_978_308_237_2, 0.154_651_083_217_726_8, f64::NAN, f64::NAN]),
    (90, 3, true, [0.645_739_910_313_901_3, 0.644_498_542_660_307_4, 0.642_309_060_533_689_7, 0.648_285_860_215_990_7, 0.471_591_058_669_129_3,
        0.791_754_348_468_572_8, 0.697_587_278_755_588_3, 0.886_395_719_624_877_6, 0.523_188_358_559_399_5, 0.165_711_648_795_636_77, f64::NAN, f64::NAN]),
    (150, 7, false, [0.493_333_333_333_333_35, 0.484_486_102_133_161, 0.485_231_760_537_714_8, 0.493_608_576_404_259_04, 0.405_417_277_682_950_05,
        0.786_766_717_870_169_8, 0.540_384_442_398_825, 1.657_526_484_937_083_4, 0.755_350_922_141_330_8, 0.240_911_502_341_429_38, 0.74, 0.926_666_666_666_666_6]),
    (150, 7, true, [0.498_659_517_426_273_46, 0.495_773_282_962_723_9, 0.496_162_160_327_496_05, 0.499_908_170_213_262_17, 0.411_889_964_576_817_76,
        0.790_930_203_141_388_6, 0.551_605_070_689_574_5, 1.647_943_798_666_871_2, 0.752_700_310_447_470_7, 0.245_439_502_492_986_5, 0.745_308_310_991_957_2, 0.927_613_941_018_766_7]),
];
const METRICS: [Metric; 12] = [
    Metric::Accuracy,
    Metric::BalancedAccuracy,
    Metric::MacroF1,
    Metric::WeightedF1,
    Metric::Mcc,
    Metric::RocAuc,
    Metric::AveragePrecision,
    Metric::Loss,
    Metric::Brier,
    Metric::CalibrationError,
    Metric::Top3Accuracy,
    Metric::Top5Accuracy,
];

#[test]
fn every_metric_is_scikit_learns() {
    for (count, classes, is_weighted, expected) in EXPECTED {
        let (truth, probabilities, weights) = rows(count, classes);
        let predicted = probabilities.argmax_rows();
        let scoring = if classes == 2 { positive(1) } else { PLAIN.clone() };
        let measures = Measures::new(&truth, &predicted, &probabilities, &scoring, true);
        let weights = if is_weighted { weights } else { vec![1.0; count] };
        let names: Vec<String> = (0..classes).map(|class| format!("c{class}")).collect();
        let scores = Scores::from_probabilities(&names, &truth, &probabilities);
        let scores = scores.with_metrics(&truth, &probabilities, &scoring, true);
        for (metric, expected) in METRICS.into_iter().zip(expected) {
            let found = measures.value(metric, &weights);
            let at = format!("{metric:?} of {classes} classes, weighted: {is_weighted}");
            assert_eq!(found.is_none(), expected.is_nan(), "{at}");
            let Some(found) = found else { continue };
            assert!((found - expected).abs() < 1e-9, "{at}: {found} for {expected}");
            if !is_weighted {
                assert!((scores.value(metric).unwrap() - expected).abs() < 1e-9, "{at}: {:?}", scores.value(metric));
            }
        }
    }
}

// As above, then
//     C = np.arange(c)[:, None] * 3 % 5 + np.arange(c)[None, :] + .5; np.fill_diagonal(C, 0); h = p.argmax(1); d = (p @ C).argmin(1)
//     for w in (np.ones(n), 1. + np.arange(n) % 4):
//         k = dict(sample_weight=w); print(cohen_kappa_score(y, h, weights="quadratic", **k), mean_absolute_error(y, h, **k),
//                                          (confusion_matrix(y, d, **k) * C).sum() / w.sum())
const OF_PAIRS: [(usize, usize, bool, [f64; 3]); 6] = [
    (60, 2, false, [0.142_857_142_857_142_8, 0.466_666_666_666_666_7, 1.166_666_666_666_666_7]),
    (60, 2, true, [0.126_455_906_821_963_28, 0.466_666_666_666_666_7, 1.163_333_333_333_333_3]),
    (90, 3, false, [0.472_043_996_333_638_8, 0.466_666_666_666_666_7, 0.9]),
    (90, 3, true, [0.417_988_355_751_857_1, 0.488_789_237_668_161_46, 0.867_713_004_484_304_9]),
    (150, 7, false, [0.403_266_331_658_291_5, 1.333_333_333_333_333_3, 1.903_333_333_333_333_3]),
    (150, 7, true, [0.415_945_170_382_242_44, 1.305_630_026_809_651_5, 1.922_252_010_723_860_5]),
];

#[test]
fn metrics_of_an_order_and_of_costs_are_scikit_learns() {
    for (count, classes, is_weighted, [kappa, rank_error, cost]) in OF_PAIRS {
        let (truth, probabilities, weights) = rows(count, classes);
        let weights = if is_weighted { weights } else { vec![1.0; count] };
        let names: Vec<String> = (0..classes).map(|class| format!("c{class}")).collect();
        let cell = |t: usize, p: usize| if t == p { 0.0 } else { (t * 3 % 5 + p) as f64 + 0.5 };
        let matrix: Vec<Vec<f64>> = (0..classes).map(|t| (0..classes).map(|p| cell(t, p)).collect()).collect();
        let costs: CostMatrix = serde_json::from_value(serde_json::json!(matrix)).unwrap();
        let scoring = Scoring { costs: Some(costs), is_ordered: true, ..PLAIN.clone() };
        let (likeliest, cheapest) = (probabilities.argmax_rows(), decide_by(scoring.costs.as_ref(), &probabilities));
        for (predicted, metric, expected) in [
            (&likeliest, Metric::QuadraticKappa, kappa),
            (&likeliest, Metric::RankError, rank_error),
            (&cheapest, Metric::Cost, cost),
        ] {
            let at = format!("{metric:?} of {classes} classes, weighted: {is_weighted}");
            let found = Measures::new(&truth, predicted, &probabilities, &scoring, false).value(metric, &weights);
            assert!((found.unwrap() - expected).abs() < 1e-9, "{at}: {found:?} for {expected}");
            let plain = Measures::new(&truth, predicted, &probabilities, &PLAIN, true).value(metric, &weights);
            assert_eq!(plain, None, "{at}: without an order and costs");
            let scores = Scores::new(&names, &truth, predicted).with_metrics(&truth, &probabilities, &scoring, true);
            if !is_weighted {
                assert!((scores.value(metric).unwrap() - expected).abs() < 1e-9, "{at}: {:?}", scores.value(metric));
                let clusters = Clusters::singles(count);
                let scores = scores.with_intervals(&truth, predicted, &probabilities, &clusters, &Silent).unwrap();
                let (low, high) = scores.interval(metric).unwrap();
                assert!(low < expected && expected < high, "{at}: {low} {high}");
                let text = serde_json::to_string(&scores).unwrap();
                assert_eq!(serde_json::from_str::<Scores>(&text).unwrap(), scores, "what is written is read back");
            }
        }
    }
    let one =
        Measures::new(&[1, 1], &[1, 1], &Matrix::zeros(2, 3), &PLAIN, true).value(Metric::QuadraticKappa, &[1.0; 2]);
    assert_eq!(one, None, "nothing to agree on");
}

// from sklearn.metrics import *; y = [0, 0, 1, 1]
// roc_auc_score(y, [.5] * 4), average_precision_score(y, [.5] * 4) -> 0.5, 0.5; of [.1, .4, .35, .8]: 0.75, 0.8333333333333333
// of [.1, .2, .8, .9] both 1.0
#[test]
fn equal_probabilities_are_chance_and_a_perfect_order_is_one() {
    for (said, auc, precision) in [
        ([0.5, 0.5, 0.5, 0.5], 0.5, 0.5),
        ([0.1, 0.4, 0.35, 0.8], 0.75, 0.833_333_333_333_333_3),
        ([0.1, 0.2, 0.8, 0.9], 1.0, 1.0),
    ] {
        let data = said.iter().flat_map(|p| [1.0 - p, *p]).collect();
        let probabilities = Matrix::from_vec(4, 2, data);
        let truth = [0, 0, 1, 1];
        let second = positive(1);
        let measures = Measures::new(&truth, &truth, &probabilities, &second, true);
        assert!((measures.value(Metric::RocAuc, &[1.0; 4]).unwrap() - auc).abs() < 1e-12);
        assert!((measures.value(Metric::AveragePrecision, &[1.0; 4]).unwrap() - precision).abs() < 1e-12);
    }
}

#[test]
fn a_metric_without_a_meaning_has_no_value() {
    let (truth, probabilities, _) = rows(60, 3);
    let of = |truth: &[u32], is_probabilistic: bool, metric: Metric| {
        let said = probabilities.take(&(0..truth.len()).collect::<Vec<_>>());
        let predicted = said.argmax_rows();
        Measures::new(truth, &predicted, &said, &PLAIN, is_probabilistic).value(metric, &vec![1.0; truth.len()])
    };
    for metric in METRICS {
        assert_eq!(of(&[], true, metric), None, "{metric:?} of no rows");
        // Nothing can be ranked within one class; shares and losses are what they are.
        let is_rank = matches!(metric, Metric::RocAuc | Metric::AveragePrecision);
        let is_top = matches!(metric, Metric::Top3Accuracy | Metric::Top5Accuracy);
        assert_eq!(of(&[1, 1, 1], true, metric).is_none(), is_rank || is_top, "{metric:?} of one class");
        assert_eq!(of(&truth, false, metric).is_none(), metric.is_loss() || is_top, "{metric:?} of scores");
    }
    // A class without rows is left out of the mean over classes.
    let two: Vec<u32> = truth.iter().map(|class| class % 2).collect();
    assert!(of(&two, true, Metric::RocAuc).is_some());
    assert_eq!(rarer_of_two([0, 1, 1], 2), Some(0));
    assert_eq!(rarer_of_two([0, 1], 2), Some(1), "of equals the later one");
    assert_eq!(rarer_of_two([0, 1, 1], 3), None);
}

#[test]
fn intervals_hold_the_score_and_are_wider_of_groups() {
    let (truth, probabilities, _) = rows(150, 7);
    let names: Vec<String> = (0..7).map(|class| format!("c{class}")).collect();
    let predicted = probabilities.argmax_rows();
    let of = |clusters: &Clusters| {
        let scores = Scores::from_probabilities(&names, &truth, &probabilities);
        let scores = scores.with_metrics(&truth, &probabilities, &PLAIN, true);
        scores.with_intervals(&truth, &predicted, &probabilities, clusters, &Silent).unwrap()
    };
    let (alone, grouped) =
        (of(&Clusters::singles(150)), of(&Clusters::of(&(0..150).map(|row| row / 10).collect::<Vec<_>>())));
    for metric in METRICS {
        let value = alone.value(metric).unwrap();
        let (low, high) = alone.interval(metric).unwrap();
        assert!(low < high, "{metric:?}: {low} {high}");
        // What is a mean of distances is larger on every resample.
        assert!(metric == Metric::CalibrationError || (low..high).contains(&value), "{metric:?}: {value} {low} {high}");
        assert!(grouped.interval(metric).is_some(), "{metric:?}");
    }
    let text = serde_json::to_string(&alone).unwrap();
    assert_eq!(serde_json::from_str::<Scores>(&text).unwrap(), alone, "what is written is read back");
}

// from sklearn.metrics import roc_curve, precision_recall_curve; y = [0, 0, 1, 1, 0]; p = [.1, .4, .35, .8, .4]
// roc_curve(y, p, drop_intermediate=False) -> fpr [0, 0, 2/3, 2/3, 1], tpr [0, .5, .5, 1, 1], thresholds [inf, .8, .4, .35, .1]
// precision_recall_curve(y, p) -> precision (from the end) [1, 1, 1/3, .5, .4], recall [0, .5, .5, 1, 1]
#[test]
fn curves_are_scikit_learns() {
    let data = [0.1, 0.4, 0.35, 0.8, 0.4].iter().flat_map(|p| [1.0 - p, *p]).collect();
    let (truth, probabilities) = ([0, 0, 1, 1, 0], Matrix::from_vec(5, 2, data));
    let names = ["no", "yes"].map(String::from);
    let scores = Scores::from_probabilities(&names, &truth, &probabilities);
    let scores = scores.with_metrics(&truth, &probabilities, &positive(1), true);
    let predicted = probabilities.argmax_rows();
    let scores = scores.with_intervals(&truth, &predicted, &probabilities, &Clusters::singles(5), &Silent).unwrap();
    assert_eq!(scores.positive.as_deref(), Some("yes"));
    let curve = scores.curve.unwrap();
    let thirds = [0.0, 2.0 / 3.0, 2.0 / 3.0, 1.0];
    assert_eq!(curve.false_positive_rate, thirds);
    assert_eq!(curve.recall, [0.5, 0.5, 1.0, 1.0]);
    assert_eq!(curve.precision, [1.0, 1.0 / 3.0, 0.5, 0.4]);
    assert_eq!(curve.threshold.iter().map(|t| (t * 100.0).round()).collect::<Vec<_>>(), [80.0, 40.0, 35.0, 10.0]);
}
