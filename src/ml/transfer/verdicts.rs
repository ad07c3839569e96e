//! Tests: comparisons and sentences made from known figures.

use super::findings::Findings;
use super::report::{ClassGroup, GroupScores, Part, StrategyRun, TransferReport};
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
    let scores = GroupScores::new(&classes(), &classes()[..1], &truth, &Matrix::from_vec(120, 2, logits));
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
    }
}

fn classes() -> Vec<String> {
    ["pop", "edm"].map(String::from).to_vec()
}

fn report(runs: Vec<StrategyRun>, share_runs: Vec<StrategyRun>, spec: serde_json::Value) -> TransferReport {
    let spec: TransferSpec = serde_json::from_value(spec).unwrap();
    let pop = ClassGroup { classes: vec!["pop".into()], rows: 100, accuracy: Some(1.0), macro_f1: Some(1.0) };
    let before = vec![(Part::Valid, pop.clone()), (Part::Test, pop)];
    let clusters = Clusters::singles(120);
    let findings =
        Findings { runs, share_runs, tensors: Vec::new(), before, metric: Metric::MacroF1, clusters, seed: 1 };
    findings.report(&classes()[..1], &classes(), &spec)
}

#[test]
fn the_verdict_says_what_the_figures_say() {
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
    let p = |of: fn(&super::Paired) -> Option<f64>| {
        found.comparisons.iter().map(|c| of(&c.accuracy).unwrap()).collect::<Vec<_>>()
    };
    for (found, expected) in
        [(p(|a| a.p_value), 0.002_059_734_421_668_167_5), (p(|a| a.p_corrected), 0.004_119_468_843_336_335)]
    {
        assert!((found[0] - expected).abs() < 1e-9 && (found[1] - 1.0).abs() < 1e-9, "{found:?} for {expected}");
    }
    // The interval of the rows: binom.ppf([.025, .975], 120, 14/120) / 120 -> [0.0667, 0.175], of which the bootstrap may miss one row of
    // 120, here the lower end: binom.cdf(7, 120, 14/120) -> 0.0247.
    assert_eq!(
        found.comments,
        [
            "verdict: on the test part copy (0.864 ± 0.013) is more accurate than scratch (0.742 ± 0.008), p = 0.004; no significant difference between frozen (0.742 ± 0.008) and scratch, least p = 1.000 (paired t-tests over 3 seeds, Holm's correction)",
            "row by row on the test part copy (seed 2) is right on 14 that scratch (seed 2) gets wrong, and wrong on 0 that it gets right: a difference in accuracy of 0.117 (95 % interval 0.058 to 0.175), more than chance explains (McNemar, p < 0.001)",
            "before any step copy has a validation macro-F1 of 0.400, scratch of 0.100",
            "copy reaches scratch's best validation macro-F1 (0.600 on average) after 1 epoch instead of 2 (medians)",
            "copy ends better than scratch: validation macro-F1 0.700 ± 0.010 against 0.600 ± 0.010, a difference of 0.100 (paired t-test over 3 seeds, p < 0.001)",
            "of the old classes' test rows (pop) copy gets 91.0 % right, scratch 80.0 % (p = 0.005)",
            "of the new classes' test rows (edm) copy gets 63.3 % right, scratch 45.0 % (p = 0.016)",
            "before any step frozen has a validation macro-F1 of 0.400, scratch of 0.100",
            "frozen reaches scratch's best validation macro-F1 (0.600 on average) after 2 epochs instead of 2.5 (medians), with 2 of 3 seeds",
            "no significant difference in validation macro-F1: frozen 0.597 ± 0.015, scratch 0.600 ± 0.010 (paired t-test over 3 seeds, p = 0.856)",
            "of the old classes' test rows (pop) frozen gets 80.3 % right, scratch 80.0 % (no significant difference, p = 0.423)",
            "of the new classes' test rows (edm) frozen gets 43.3 % right, scratch 45.0 % (no significant difference, p = 0.667)",
            "the old network gets 100.0 % of the old classes' test rows right; after copy it is 91.0 %, and 100.0 % when it may choose among the old classes alone (no significant change, p = 1.000): the rest is taken for edm",
            "the old network gets 100.0 % of the old classes' test rows right; after frozen it is 80.3 %, and 100.0 % when it may choose among the old classes alone (no significant change, p = 1.000): the rest is taken for edm",
            "chosen on the validation part: copy (seed 2), macro-F1 0.710",
        ]
    );
    assert_eq!(found.best, 4);
    let rows = found.rows.unwrap();
    // Each one's best seed on the validation part: 11 further rows of pop and 3 of edm.
    assert_eq!((rows.seed, rows.baseline_seed, rows.only_ours, rows.only_theirs), (2, 2, 14, 0));
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
    assert_eq!(
        found.comments[0],
        "verdict: on the test part no significant difference between discriminative (0.742 ± 0.000) and scratch (0.742 ± 0.012), least p = 1.000 (paired t-tests over 2 seeds)"
    );
    // The baseline was chosen: there are no two networks to compare.
    assert_eq!((found.best, found.rows), (1, None));
    let runs =
        vec![made_run(Strategy::Scratch, 1, &[0.1, 0.6], (80, 8)), made_run(Strategy::Copy, 1, &[0.1, 0.5], (90, 9))];
    let found = report(runs, Vec::new(), serde_json::json!({"strategies": ["scratch", "copy"], "seeds": 1}));
    assert_eq!(found.comments[0], "verdict: one seed cannot tell copy (0.825) from scratch (0.733) by test accuracy");
    assert!(
        found.comments[2]
            .starts_with("copy never reaches scratch's best validation macro-F1 (0.600 on average) in 1 epoch")
    );
    assert!(found.comments[3].ends_with("one seed cannot tell this from chance"));
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
    assert_eq!(
        found.comments.iter().find(|said| said.starts_with("with ")).unwrap(),
        "with 50.0 % of the new classes' rows (200) copy is as accurate as scratch with all of them (0.779 against 0.758); with 10.0 % it is ahead of scratch with as many (0.717 against 0.588, corrected p = 0.021)"
    );
    let spec = serde_json::json!({"strategies": ["scratch", "copy"], "seeds": 2, "shares": [0.1]});
    share_runs.truncate(4);
    let found = report(runs, share_runs, spec);
    assert!(
        found.comments.iter().any(|said| {
            said.starts_with(
                "copy needs more than 10.0 % of the new classes' rows to be as accurate as scratch with all",
            )
        }),
        "{:#?}",
        found.comments
    );
}
