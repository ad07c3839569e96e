//! Tests: comparisons and findings made from known figures.

use runner_results::transfer::{Before, ClassGroup, Outcome, Paired, Reached, Standing, TransferFinding};
use runner_results::{Part, transfer::Transfer};

use super::findings::Findings;
use super::report::{StrategyRun, group_scores};
use super::spec::{Strategy, TransferSpec};
use crate::matrix::Matrix;
use crate::stats::Clusters;
use crate::train::{Curves, Metric};

/// A run with this course of validation macro-F1, which on the test part is right on the first `old` of 100 rows of `pop`
/// and the first `new` of 20 rows of `edm`.
fn made_run(strategy: Strategy, seed: u64, course: &[f64], (old, new): (usize, usize)) -> StrategyRun {
    let mut curves = Curves::default();
    for (epoch, score) in course.iter().enumerate() {
        curves.epoch.push(epoch as u32);
        curves.valid_macro_f1.push(*score);
    }
    let mut best_epoch = 1;
    for epoch in 2..course.len() {
        best_epoch = if course[epoch] > course[best_epoch] { epoch } else { best_epoch };
    }
    let truth: Vec<u32> = (0..120).map(|i| u32::from(i >= 100)).collect();
    let says_edm = |i: usize| if i < 100 { i >= old } else { i - 100 < new };
    let logits = (0..120).flat_map(|i| if says_edm(i) { [0.0, 1.0] } else { [1.0, 0.0] }).collect();
    let (scores, hits) = group_scores(&classes(), &classes()[..1], &truth, &Matrix::from_vec(120, 2, logits));
    StrategyRun {
        strategy,
        seed,
        share: 1.0,
        new_rows: 400,
        curves,
        best_epoch,
        diverged: None,
        valid: scores.clone(),
        test: Some(scores),
        hits,
    }
}

fn classes() -> Vec<String> {
    ["pop", "edm"].map(String::from).to_vec()
}

fn report(runs: Vec<StrategyRun>, share_runs: Vec<StrategyRun>, spec: serde_json::Value) -> Transfer {
    let spec: TransferSpec = serde_json::from_value(spec).unwrap();
    let pop = ClassGroup { classes: vec!["pop".into()], rows: 100, accuracy: Some(1.0), macro_f1: Some(1.0) };
    let before = [Part::Valid, Part::Test].map(|part| Before { part, old_classes: pop.clone() }).into();
    let clusters = Clusters::singles(120);
    let findings =
        Findings { runs, share_runs, tensors: Vec::new(), before, metric: Metric::MacroF1, clusters, seed: 1 };
    findings.report(&classes()[..1], &classes(), &spec).found
}

#[test]
fn findings_hold_what_the_figures_say() {
    let runs = vec![
        made_run(Strategy::Scratch, 1, &[0.1, 0.3, 0.5, 0.6], (80, 8)),
        made_run(Strategy::Scratch, 2, &[0.1, 0.3, 0.61, 0.55], (81, 9)),
        made_run(Strategy::Scratch, 3, &[0.1, 0.3, 0.59, 0.55], (79, 10)),
        made_run(Strategy::Copy, 1, &[0.4, 0.6, 0.62, 0.701], (90, 12)),
        made_run(Strategy::Copy, 2, &[0.4, 0.62, 0.7, 0.71], (92, 12)),
        made_run(Strategy::Copy, 3, &[0.4, 0.62, 0.69, 0.68], (91, 14)),
        made_run(Strategy::Frozen, 1, &[0.4, 0.5, 0.601, 0.5], (80, 9)),
        made_run(Strategy::Frozen, 2, &[0.4, 0.5, 0.58, 0.5], (82, 8)),
        made_run(Strategy::Frozen, 3, &[0.4, 0.5, 0.61, 0.5], (79, 9)),
    ];
    let found = report(runs, Vec::new(), serde_json::json!({"strategies": ["scratch", "copy", "frozen"], "seeds": 3}));
    // from scipy.stats import ttest_rel; from statsmodels.stats.multitest import multipletests
    // s = [88/120, 90/120, 89/120]
    // p = [ttest_rel([102/120, 104/120, 105/120], s).pvalue, ttest_rel([89/120, 90/120, 88/120], s).pvalue]
    // p, multipletests(p, method='holm')[1] -> [0.0020597344216681675, 1.0], [0.004119468843336335, 1.0]
    let p =
        |of: fn(&Paired) -> Option<f64>| found.comparisons.iter().map(|c| of(&c.accuracy).unwrap()).collect::<Vec<_>>();
    for (found, expected) in
        [(p(|a| a.p_value), 0.002_059_734_421_668_167_5), (p(|a| a.p_corrected), 0.004_119_468_843_336_335)]
    {
        assert!((found[0] - expected).abs() < 1e-9 && (found[1] - 1.0).abs() < 1e-9, "{found:?} for {expected}");
    }
    // The interval of the rows: binom.ppf([.025, .975], 120, 14/120) / 120 -> [0.0667, 0.175], of which the bootstrap may miss one row of
    // 120, here the lower end: binom.cdf(7, 120, 14/120) -> 0.0247.
    let kinds: Vec<String> = found
        .findings
        .iter()
        .map(|finding| serde_json::to_value(finding).unwrap()["kind"].as_str().unwrap().to_owned())
        .collect();
    let of_each = ["start", "speed", "end", "old_classes", "new_classes"];
    let expected: Vec<&str> = (["verdict", "row_by_row"].into_iter().chain(of_each).chain(of_each))
        .chain(["forgotten", "forgotten", "chosen"])
        .collect();
    assert_eq!(kinds, expected);
    let TransferFinding::Verdict { seeds: 3, baseline, more_accurate, less_accurate, no_difference } =
        &found.findings[0]
    else {
        panic!("{:?}", found.findings[0]);
    };
    let stands = |all: &[Standing]| all.iter().map(|one| (one.strategy, rounded(one.mean))).collect::<Vec<_>>();
    assert_eq!((baseline.strategy, rounded(baseline.mean)), (Strategy::Scratch, 0.742));
    assert_eq!(stands(more_accurate), [(Strategy::Copy, 0.864)]);
    assert_eq!((stands(less_accurate), stands(no_difference)), (vec![], vec![(Strategy::Frozen, 0.742)]));
    let speeds: Vec<Option<Reached>> = (found.findings.iter())
        .filter_map(|finding| match finding {
            TransferFinding::Speed { reached, .. } => Some(*reached),
            _ => None,
        })
        .collect();
    let reached = |seeds, epochs, baseline_epochs| Some(Reached { seeds, epochs, baseline_epochs });
    assert_eq!(speeds, [reached(3, 1.0, 2.0), reached(2, 2.0, 2.5)]);
    let ends: Vec<(Outcome, f64)> = (found.findings.iter())
        .filter_map(|finding| match finding {
            TransferFinding::End { valid, .. } => Some((valid.outcome(), rounded(valid.p_corrected?))),
            _ => None,
        })
        .collect();
    assert_eq!(ends, [(Outcome::Higher, 0.0), (Outcome::Same, 0.856)]);
    let groups: Vec<(&str, f64, f64, f64)> = (found.findings.iter())
        .filter_map(|finding| match finding {
            TransferFinding::OldClasses { classes, accuracy, .. }
            | TransferFinding::NewClasses { classes, accuracy, .. } => Some((
                classes[0].as_str(),
                rounded(accuracy.mean),
                rounded(accuracy.baseline_mean),
                rounded(accuracy.p_corrected?),
            )),
            _ => None,
        })
        .collect();
    assert_eq!(
        groups,
        [
            ("pop", 0.91, 0.8, 0.005),
            ("edm", 0.633, 0.45, 0.016),
            ("pop", 0.803, 0.8, 0.423),
            ("edm", 0.433, 0.45, 0.667)
        ]
    );
    let TransferFinding::Forgotten { before, change, change_among_old, p_value, new_classes, .. } = &found.findings[12]
    else {
        panic!("{:?}", found.findings[12]);
    };
    assert_eq!((*before, rounded(*change), *change_among_old, *p_value), (1.0, -0.09, 0.0, Some(1.0)));
    assert_eq!(new_classes, &["edm"]);
    assert_eq!(found.findings[14], TransferFinding::Chosen { strategy: Strategy::Copy, seed: 2, score: 0.71 });
    assert_eq!(found.best, Strategy::Copy);
    let rows = found.rows.unwrap();
    // Each one's best seed on the validation part: 11 further rows of pop and 3 of edm.
    assert_eq!((rows.seed, rows.baseline_seed, rows.only_ours, rows.only_theirs), (2, 2, 14, 0));
    let interval = [rows.difference.estimate, rows.difference.low, rows.difference.high].map(rounded);
    assert_eq!(interval, [0.117, 0.058, 0.175]);
    assert_eq!(found.findings[1], TransferFinding::RowByRow(rows));
}

/// To three decimals.
fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

#[test]
fn without_a_significant_difference_none_is_claimed() {
    let runs = vec![
        made_run(Strategy::Scratch, 1, &[0.1, 0.60], (80, 8)),
        made_run(Strategy::Scratch, 2, &[0.1, 0.62], (81, 9)),
        made_run(Strategy::Discriminative, 1, &[0.1, 0.62], (81, 8)),
        made_run(Strategy::Discriminative, 2, &[0.1, 0.59], (79, 10)),
    ];
    let found = report(runs, Vec::new(), serde_json::json!({"strategies": ["scratch", "discriminative"], "seeds": 2}));
    let TransferFinding::Verdict { seeds: 2, more_accurate, less_accurate, no_difference, .. } = &found.findings[0]
    else {
        panic!("{:?}", found.findings[0]);
    };
    assert_eq!(
        (more_accurate.len(), less_accurate.len(), no_difference[0].p_corrected.map(rounded)),
        (0, 0, Some(1.0))
    );
    // The baseline was chosen: there are no two networks to compare.
    assert_eq!((found.best, found.rows), (Strategy::Scratch, None));
    assert!(matches!(found.findings.last(), Some(TransferFinding::Chosen { seed: 2, .. })));
    let runs =
        vec![made_run(Strategy::Scratch, 1, &[0.1, 0.6], (80, 8)), made_run(Strategy::Copy, 1, &[0.1, 0.5], (90, 9))];
    let found = report(runs, Vec::new(), serde_json::json!({"strategies": ["scratch", "copy"], "seeds": 1}));
    let TransferFinding::Verdict { seeds: 1, no_difference, .. } = &found.findings[0] else {
        panic!("{:?}", found.findings[0]);
    };
    assert_eq!((no_difference[0].strategy, no_difference[0].p_corrected), (Strategy::Copy, None));
    assert!(matches!(found.findings[2], TransferFinding::Speed { seeds: 1, reached: None, epochs: 1, .. }));
    let TransferFinding::End { valid, .. } = &found.findings[3] else { panic!("{:?}", found.findings[3]) };
    assert_eq!(valid.outcome(), Outcome::Untested);
}

#[test]
fn a_share_that_suffices_is_named() {
    let course = [0.1, 0.6];
    let whole = |strategy, seed, old| made_run(strategy, seed, &course, (old, 10));
    let part = |share: f64, strategy, seed, old| StrategyRun {
        share,
        new_rows: (400.0 * share) as u64,
        ..whole(strategy, seed, old)
    };
    let (scratch, copy) = (Strategy::Scratch, Strategy::Copy);
    let runs = vec![whole(scratch, 1, 80), whole(scratch, 2, 82), whole(copy, 1, 90), whole(copy, 2, 93)];
    let mut share_runs =
        vec![part(0.1, scratch, 1, 60), part(0.1, scratch, 2, 61), part(0.1, copy, 1, 75), part(0.1, copy, 2, 77)];
    share_runs.extend([
        part(0.5, scratch, 1, 70),
        part(0.5, scratch, 2, 71),
        part(0.5, copy, 1, 83),
        part(0.5, copy, 2, 84),
    ]);
    let spec = serde_json::json!({"strategies": ["scratch", "copy"], "seeds": 2, "shares": [0.1, 0.5]});
    let found = report(runs.clone(), share_runs.clone(), spec);
    // Both differences at 50 % are 13 rows: nothing to test against, and no part in the correction.
    // ttest_rel([85/120, 87/120], [70/120, 71/120]).pvalue -> 0.02052900295549551, alone in its family
    let shares = |found: &Transfer| {
        let all = found.findings.iter().find_map(|finding| match finding {
            TransferFinding::Shares { target, enough, most, least, accuracy_at_least, .. } => {
                Some((rounded(*target), *enough, *most, *least, *accuracy_at_least))
            }
            _ => None,
        });
        all.expect("a finding")
    };
    let (target, enough, most, least, at_least) = shares(&found);
    let enough = enough.map(|enough| (enough.share, enough.rows, rounded(enough.accuracy)));
    assert_eq!((target, enough, most, least), (0.758, Some((0.5, 200, 0.779)), 0.5, 0.1));
    assert_eq!((rounded(at_least.mean), rounded(at_least.baseline_mean)), (0.717, 0.588));
    assert_eq!((at_least.outcome(), at_least.p_corrected.map(rounded)), (Outcome::Higher, Some(0.021)));
    let spec = serde_json::json!({"strategies": ["scratch", "copy"], "seeds": 2, "shares": [0.1]});
    share_runs.truncate(4);
    let found = report(runs, share_runs, spec);
    let (_, enough, most, ..) = shares(&found);
    assert_eq!((enough, most), (None, 0.1));
}
