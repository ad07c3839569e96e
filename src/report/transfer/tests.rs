use super::*;
use runner_results::interval::{Interval, IntervalMethod};
use runner_results::mcnemar::{Method, Test};

fn paired([mean, deviation]: [f64; 2], [baseline_mean, baseline_deviation]: [f64; 2], p: Option<f64>) -> Paired {
    let mean_difference = mean - baseline_mean;
    Paired { mean, deviation, baseline_mean, baseline_deviation, mean_difference, p_value: p, p_corrected: p }
}

fn standing(strategy: Strategy, mean: f64, deviation: f64, p_corrected: Option<f64>) -> Standing {
    Standing { strategy, mean, deviation, p_corrected }
}

fn said(finding: &TransferFinding) -> String {
    sentence(finding, "test", Metric::MacroF1)
}

const SCRATCH: Strategy = Strategy::Scratch;
const COPY: Strategy = Strategy::Copy;

#[test]
fn a_verdict_names_who_is_more_accurate_and_by_which_test() {
    let verdict = |seeds, better: &[Standing], same: &[Standing]| TransferFinding::Verdict {
        seeds,
        baseline: standing(SCRATCH, 0.742, 0.008, None),
        more_accurate: better.to_vec(),
        less_accurate: Vec::new(),
        no_difference: same.to_vec(),
    };
    let copy = standing(COPY, 0.864, 0.013, Some(0.004));
    let frozen = standing(Strategy::Frozen, 0.742, 0.008, Some(1.0));
    assert_eq!(
        said(&verdict(3, std::slice::from_ref(&copy), std::slice::from_ref(&frozen))),
        "verdict: on the test part copy (0.864 ± 0.013) is more accurate than scratch (0.742 ± 0.008), p = 0.004; no significant difference between frozen (0.742 ± 0.008) and scratch, least p = 1.000 (paired t-tests over 3 seeds, Holm's correction)"
    );
    assert_eq!(
        said(&verdict(3, &[], &[frozen])),
        "verdict: on the test part no significant difference between frozen (0.742 ± 0.008) and scratch (0.742 ± 0.008), least p = 1.000 (paired t-tests over 3 seeds)"
    );
    assert_eq!(
        said(&verdict(1, &[], &[Standing { p_corrected: None, ..copy }])),
        "verdict: one seed cannot tell copy (0.864) from scratch (0.742) by test accuracy"
    );
}

#[test]
fn sentences_hold_the_numbers_of_their_findings() {
    let row_by_row = RowComparison {
        strategy: COPY,
        seed: 2,
        baseline: SCRATCH,
        baseline_seed: 2,
        only_ours: 14,
        only_theirs: 0,
        groups: None,
        mcnemar: Test { method: Method::MidP, statistic: 0.0, p: 0.00006 },
        difference: Interval { estimate: 0.117, low: 0.058, high: 0.175, method: IntervalMethod::Tango },
    };
    let (strategy, baseline) = (COPY, SCRATCH);
    let speed = |seeds, reached| TransferFinding::Speed { strategy, baseline, target: 0.6, seeds, reached, epochs: 1 };
    let ended = |valid, seeds| TransferFinding::End { strategy, baseline, seeds, valid };
    let far = paired([0.7, 0.01], [0.6, 0.01], Some(0.0002));
    let near = paired([0.597, 0.015], [0.6, 0.01], Some(0.856));
    let shares = |enough, accuracy_at_least| TransferFinding::Shares {
        strategy,
        baseline,
        target: 0.758,
        enough,
        most: 0.5,
        least: 0.1,
        accuracy_at_least,
    };
    let forgotten = |new: &[&str], p_value| TransferFinding::Forgotten {
        strategy,
        before: 1.0,
        change: -0.09,
        change_among_old: 0.0,
        p_value,
        new_classes: new.iter().map(|name| (*name).to_owned()).collect(),
    };
    for (finding, expected) in [
        (
            TransferFinding::RowByRow(row_by_row),
            "row by row on the test part copy (seed 2) is right on 14 that scratch (seed 2) gets wrong, and wrong on 0 that it gets right: a difference in accuracy of 0.117 (95 % interval 0.058 to 0.175), more than chance explains (McNemar, p < 0.001)",
        ),
        (
            TransferFinding::Tensors { actions: vec![(Action::Copied, 12), (Action::RowsMatchedByClass, 2)] },
            "tensors: 12 copied, 2 of the head with rows matched by class",
        ),
        (
            TransferFinding::Start { strategy, baseline, score: 0.4, baseline_score: 0.1 },
            "before any step copy has a validation macro-F1 of 0.400, scratch of 0.100",
        ),
        (
            speed(3, Some(Reached { seeds: 3, epochs: 1.0, baseline_epochs: 2.0 })),
            "copy reaches scratch's best validation macro-F1 (0.600 on average) after 1 epoch instead of 2 (medians)",
        ),
        (
            speed(3, Some(Reached { seeds: 2, epochs: 2.0, baseline_epochs: 2.5 })),
            "copy reaches scratch's best validation macro-F1 (0.600 on average) after 2 epochs instead of 2.5 (medians), with 2 of 3 seeds",
        ),
        (
            speed(1, None),
            "copy never reaches scratch's best validation macro-F1 (0.600 on average) in 1 epoch, with any of 1 seed",
        ),
        (
            ended(far, 3),
            "copy ends better than scratch: validation macro-F1 0.700 ± 0.010 against 0.600 ± 0.010, a difference of 0.100 (paired t-test over 3 seeds, p < 0.001)",
        ),
        (
            ended(near, 3),
            "no significant difference in validation macro-F1: copy 0.597 ± 0.015, scratch 0.600 ± 0.010 (paired t-test over 3 seeds, p = 0.856)",
        ),
        (
            ended(paired([0.5, 0.0], [0.6, 0.0], None), 1),
            "copy ends at a validation macro-F1 of 0.500, scratch at 0.600; one seed cannot tell this from chance",
        ),
        (
            TransferFinding::NewClasses {
                strategy,
                baseline,
                classes: vec!["edm".to_owned()],
                accuracy: paired([0.633, 0.0], [0.45, 0.0], Some(0.016)),
            },
            "of the new classes' test rows (edm) copy gets 63.3 % right, scratch 45.0 % (p = 0.016)",
        ),
        (
            forgotten(&["edm"], Some(1.0)),
            "the old network gets 100.0 % of the old classes' test rows right; after copy it is 91.0 %, and 100.0 % when it may choose among the old classes alone (no significant change, p = 1.000): the rest is taken for edm",
        ),
        (
            forgotten(&[], None),
            "the old network gets 100.0 % of the test rows right; after copy it is 100.0 % (too few seeds to tell from chance)",
        ),
        (
            shares(
                Some(EnoughRows { share: 0.5, rows: 200, accuracy: 0.779 }),
                paired([0.717, 0.0], [0.588, 0.0], Some(0.021)),
            ),
            "with 50.0 % of the new classes' rows (200) copy is as accurate as scratch with all of them (0.779 against 0.758); with 10.0 % it is ahead of scratch with as many (0.717 against 0.588, corrected p = 0.021)",
        ),
        (
            shares(None, paired([0.717, 0.0], [0.588, 0.0], None)),
            "copy needs more than 50.0 % of the new classes' rows to be as accurate as scratch with all of them (0.758); with 10.0 % it is not significantly different from scratch with as many (0.717 against 0.588)",
        ),
        (
            TransferFinding::Chosen { strategy, seed: 2, score: 0.71 },
            "chosen on the validation part: copy (seed 2), macro-F1 0.710",
        ),
    ] {
        assert_eq!(said(&finding), expected);
    }
}

#[test]
fn a_tensor_tells_which_rows_are_old_ones() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let tensor = |action, old: &[usize], new: &[usize], rows| TensorChange {
        tensor: "a.weight".to_owned(),
        old_shape: Some(old.to_vec()).filter(|shape| !shape.is_empty()),
        new_shape: Some(new.to_vec()).filter(|shape| !shape.is_empty()),
        action,
        rows,
    };
    let head = |start| MatchedRows::Classes {
        kept: names(&["latin", "pop"]),
        added: names(&["edm"]),
        dropped: names(&["rock"]),
        start,
    };
    for (tensor, expected) in [
        (
            tensor(Action::RowsMatchedByClass, &[3, 12], &[3, 12], Some(head(NewRows::Mean))),
            "old rows of latin, pop; mean of the old rows and 1 % noise for edm; rows of rock left out",
        ),
        (
            tensor(Action::Sliced, &[3, 12], &[3, 9], Some(head(NewRows::Fresh))),
            "old rows of latin, pop; random for edm; rows of rock left out; of each row the part that both have, the rest random",
        ),
        (
            tensor(
                Action::RowsMatchedByValue,
                &[6, 4],
                &[8, 4],
                Some(MatchedRows::Values { kept: 5, added: 2, start: NewRows::Mean }),
            ),
            "old rows of 5 values; the unknown value's row and 1 % noise for 2 new ones",
        ),
        (tensor(Action::Sliced, &[8, 4], &[6, 9], None), "the first 6 × 4 are the old ones, the rest random"),
        (tensor(Action::Copied, &[8, 4], &[8, 4], None), "equal shape"),
        (tensor(Action::Reinitialised, &[], &[8], None), "not in the old network: its usual first values"),
        (tensor(Action::Reinitialised, &[8], &[8, 1], None), "another number of dimensions: its usual first values"),
        (tensor(Action::Skipped, &[8], &[], None), "not in the new network"),
    ] {
        assert_eq!(detail(&tensor), expected);
    }
}
