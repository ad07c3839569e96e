//! Each finding on a course that shows it, and silence on one that does not.

use runner_results::diagnosis::{
    DeadUnits, DeadUnitsJudgement, GapJudgement, KeptEpoch, SingleClass, TrainingLoss, WhyKept,
};

use super::{Finding, TrainingRun, Units, diagnose};
use crate::stats::{Interval, IntervalMethod};
use crate::train::{Curves, Metric};

/// Curves with these losses; accuracies are e^−loss, the step size is 0.01.
fn curves(train: &[f64], valid: &[f64]) -> Curves {
    let accuracy = |losses: &[f64]| losses.iter().map(|loss| (-loss).exp()).collect::<Vec<_>>();
    Curves {
        epoch: (0..train.len() as u32).collect(),
        objective: train.to_vec(),
        train_loss: train.to_vec(),
        valid_loss: valid.to_vec(),
        train_accuracy: accuracy(train),
        valid_accuracy: accuracy(valid),
        train_macro_f1: accuracy(train),
        valid_macro_f1: accuracy(valid),
        valid_chosen_by: None,
        learning_rate: vec![0.01; train.len()],
        gradient_norm: vec![1.5; train.len()],
        gradient_norm_max: vec![2.5; train.len()],
        clipped: vec![1.0; train.len()],
    }
}

fn course(curves: &Curves, best_epoch: usize) -> TrainingRun<'_> {
    TrainingRun {
        curves,
        best_epoch,
        diverged: None,
        metric: Metric::MacroF1,
        valid_interval: Some(around(0.0, 0.02)),
        loss: TrainingLoss::Plain,
        train_classes: 5,
        valid_classes: 5,
        units: None,
    }
}

/// An interval that reaches so far to both sides.
fn around(estimate: f64, reach: f64) -> Interval {
    Interval { estimate, low: estimate - reach, high: estimate + reach, method: IntervalMethod::Wilson }
}

/// The finding of that kind, if there is one.
macro_rules! found {
    ($course:expr, $kind:ident) => {
        diagnose(&$course).into_iter().find_map(|finding| match finding {
            Finding::$kind(found) => Some(found),
            _ => None,
        })
    };
}

#[test]
fn over_fitting_has_its_onset_and_its_evidence() {
    let curves = curves(&[1.6, 1.0, 0.7, 0.4, 0.2, 0.1], &[1.6, 1.1, 0.9, 1.0, 1.2, 1.4]);
    let finding = found!(course(&curves, 2), OverFitting).unwrap();
    assert_eq!((finding.epoch, finding.epochs), (2, 5));
    assert_eq!((finding.valid_loss_least, finding.valid_loss_last, finding.train_loss_last), (0.9, 1.4, 0.1));
    assert_eq!(finding.kept, KeptEpoch::NotLater);
    assert_eq!(found!(course(&curves, 4), OverFitting).unwrap().kept, KeptEpoch::Later);
    assert_eq!(found!(course(&curves, 2), Unfinished), None);
}

#[test]
fn a_gap_is_judged_by_its_size() {
    let judged = |train: f64, valid: f64| {
        let mut curves = curves(&[1.0], &[1.0]);
        (curves.train_accuracy[0], curves.valid_accuracy[0]) = (train, valid);
        found!(course(&curves, 0), Gap).unwrap()
    };
    assert_eq!((judged(0.92, 0.60).judgement, judged(0.92, 0.60).gap), (GapJudgement::Strong, 0.92 - 0.60));
    assert_eq!(judged(0.68, 0.60).judgement, GapJudgement::Some);
    assert_eq!(judged(0.61, 0.60).judgement, GapJudgement::None);
    assert_eq!(judged(0.50, 0.60).judgement, GapJudgement::Reversed);
}

#[test]
fn a_gap_while_validation_loss_still_falls_is_no_over_fitting() {
    let falling = [1.6, 1.4, 1.2, 1.0, 0.9, 0.8, 0.7, 0.6];
    let mut curves = curves(&falling.map(|loss| loss - 0.4), &falling);
    (curves.train_accuracy[7], curves.valid_accuracy[7]) = (0.72, 0.60);
    assert_eq!(found!(course(&curves, 7), Gap).unwrap().judgement, GapJudgement::Unfinished);
    // The same gap where the loss has settled.
    curves.valid_loss[3..].fill(1.0);
    assert_eq!(found!(course(&curves, 7), Gap).unwrap().judgement, GapJudgement::Some);
}

#[test]
fn a_network_that_stops_learning_its_own_rows_under_fits() {
    let flat = [1.6, 1.4, 1.305, 1.302, 1.301, 1.3, 1.3, 1.3, 1.3];
    let finding = found!(course(&curves(&flat, &flat), 8), UnderFitting).unwrap();
    assert_eq!(finding.epoch, 2);
    // The same training loss, with training rows far ahead: that is no under-fitting.
    let valid = flat.map(|loss| loss + 0.5);
    assert_eq!(found!(course(&curves(&flat, &valid), 8), UnderFitting), None);
    // Still falling: it has not stopped.
    let falling = [1.6, 1.5, 1.4, 1.3, 1.2, 1.1, 1.0, 0.9];
    let curves = curves(&falling, &falling);
    assert_eq!(found!(course(&curves, 7), UnderFitting), None);
    assert_eq!(found!(course(&curves, 7), Unfinished).unwrap().epoch, 7);
}

#[test]
fn a_plateau_begins_where_the_score_is_as_good_as_it_gets() {
    let mut flat = curves(&[1.0; 9], &[1.0; 9]);
    flat.valid_macro_f1 = vec![0.2, 0.3, 0.5, 0.6, 0.602, 0.601, 0.603, 0.6, 0.602];
    let finding = found!(course(&flat, 6), Plateau).unwrap();
    assert_eq!((finding.epoch, finding.epochs, finding.metric), (3, 8, Metric::MacroF1));
    assert_eq!((finding.score_then, finding.score_best, finding.near), (0.6, 0.603, 0.01));
    // As good early on, and worse in between or at the end: that is none.
    flat.valid_macro_f1 = vec![0.2, 0.6, 0.5, 0.601, 0.6, 0.602, 0.601, 0.603, 0.4];
    assert_eq!(found!(course(&flat, 7), Plateau), None);
    flat.valid_macro_f1 = vec![0.2, 0.6, 0.5, 0.601, 0.6, 0.602, 0.601, 0.603, 0.6];
    assert_eq!(found!(course(&flat, 7), Plateau).unwrap().epoch, 3);
    flat.valid_macro_f1 = (0..9).map(|epoch| f64::from(epoch) / 10.0).collect();
    assert_eq!(found!(course(&flat, 8), Plateau), None);
}

#[test]
fn a_step_that_is_too_high_shows_in_the_training_loss() {
    let jumpy = [1.6, 1.2, 1.3, 1.1, 1.25, 1.0, 1.1];
    let finding = found!(course(&curves(&jumpy, &jumpy), 5), StepTooHigh).unwrap();
    assert_eq!((finding.epoch, finding.epochs_with_rise, finding.epochs), (4, 3, 6));
    assert_eq!((finding.loss_before, finding.loss_after, finding.learning_rate), (1.1, 1.25, 0.01));
    let spike = [1.6, 1.2, 1.1, 2.0, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5];
    assert_eq!(found!(course(&curves(&spike, &spike), 9), StepTooHigh).unwrap().epoch, 3);
    let calm = [1.6, 1.2, 1.1, 1.105, 1.0];
    assert_eq!(found!(course(&curves(&calm, &calm), 4), StepTooHigh), None);
}

#[test]
fn divergence_comes_first_and_names_the_step() {
    let curves = curves(&[1.6, 1.2], &[1.6, 1.3]);
    let findings = diagnose(&TrainingRun { diverged: Some(2), ..course(&curves, 1) });
    let Finding::Divergence(found) = findings[0] else { panic!("{findings:?}") };
    assert_eq!((found.epoch, found.last_finite_epoch), (2, 1));
    assert_eq!((found.learning_rate, found.gradient_norm), (0.01, 1.5));
}

#[test]
fn dead_units_are_counted() {
    let curves = curves(&[1.6, 1.2], &[1.6, 1.3]);
    let of = |units| found!(TrainingRun { units, ..course(&curves, 1) }, DeadUnits);
    assert_eq!(of(None), None);
    for (dead, judgement) in
        [(50, DeadUnitsJudgement::Many), (10, DeadUnitsJudgement::Some), (0, DeadUnitsJudgement::Few)]
    {
        assert_eq!(of(Some(Units { all: 200, dead })), Some(DeadUnits { epoch: 1, dead, units: 200, judgement }));
    }
}

#[test]
fn nothing_is_said_of_nothing() {
    assert!(diagnose(&course(&Curves::default(), 0)).is_empty());
}

#[test]
fn a_score_that_training_does_not_raise_is_no_plateau() {
    let mut flat = curves(&[0.7; 9], &[0.7; 9]);
    flat.valid_macro_f1 = vec![0.5; 9];
    assert_eq!(found!(course(&flat, 1), NoGain).unwrap().score_before, 0.5);
    assert_eq!(found!(course(&flat, 1), Plateau), None);
    assert_eq!(found!(course(&flat, 1), EpochKept).unwrap().why, WhyKept::BestAndEqualled);
    flat.valid_macro_f1 = vec![0.3, 0.5, 0.5, 0.5, 0.5, 0.5, 0.51, 0.5, 0.5];
    assert_eq!(found!(course(&flat, 1), NoGain), None);
    // A later epoch is better, but by less than `min_delta`.
    assert_eq!(found!(course(&flat, 1), EpochKept).unwrap().why, WhyKept::LaterGainsTooSmall);
}

#[test]
fn a_network_that_knows_its_rows_neither_under_fits_nor_takes_steps_too_high() {
    // Losses next to nothing, up and down by half of it.
    let losses = [0.7, 0.1, 0.01, 0.002, 0.003, 0.002, 0.003, 0.002, 0.003, 0.002, 0.003];
    let perfect = curves(&losses, &losses);
    let findings = diagnose(&course(&perfect, 9));
    assert!(
        matches!(findings.as_slice(), [Finding::EpochKept(_), Finding::Gap(_), Finding::Plateau(_)]),
        "{findings:?}"
    );
}

#[test]
fn findings_do_not_contradict_one_another() {
    // Validation turns while training loss falls a little and then stands still.
    let train = [1.6, 1.32, 1.31, 1.3, 1.3, 1.3, 1.3, 1.3, 1.3];
    let valid = [1.6, 1.31, 1.35, 1.4, 1.4, 1.4, 1.4, 1.4, 1.4];
    let mut both = curves(&train, &valid);
    both.train_accuracy = both.valid_accuracy.clone();
    assert!(found!(course(&both, 1), OverFitting).is_some() && found!(course(&both, 1), UnderFitting).is_none());
    // The epoch kept is later, and what is said of it is what the curves hold: nothing of confidence.
    both.valid_macro_f1 = vec![0.2, 0.4, 0.4, 0.6, 0.4, 0.4, 0.4, 0.4, 0.4];
    let late = found!(course(&both, 3), OverFitting).unwrap().kept;
    let metric = Metric::MacroF1;
    assert_eq!(late, KeptEpoch::LaterForScore { metric, score: 0.6, score_then: 0.4, valid_loss: 1.4 });
}

#[test]
fn a_gap_within_the_interval_that_is_shown_may_be_chance() {
    let mut small = curves(&[1.0], &[1.0]);
    (small.train_accuracy[0], small.valid_accuracy[0]) = (0.9, 0.75);
    let judged = |valid_interval| found!(TrainingRun { valid_interval, ..course(&small, 0) }, Gap).unwrap().judgement;
    assert_eq!(judged(Some(around(0.75, 0.16))), GapJudgement::Chance);
    assert_eq!(judged(Some(around(0.75, 0.14))), GapJudgement::Strong);
    // The interval of an average of networks, which is right more often than the first.
    assert_eq!(judged(Some(around(0.78, 0.14))), GapJudgement::Strong);
    // A single group tells nothing of others.
    assert_eq!(judged(None), GapJudgement::Chance);
    // 92 groups of unequal size: what their worst case would be is not what is shown.
    (small.train_accuracy[0], small.valid_accuracy[0]) = (0.642, 0.433);
    let shown = Interval { low: 0.347, high: 0.535, ..around(0.433, 0.0) };
    assert_eq!(
        found!(TrainingRun { valid_interval: Some(shown), ..course(&small, 0) }, Gap).unwrap().judgement,
        GapJudgement::Strong
    );
}

#[test]
fn a_score_that_falls_after_its_best_epoch_is_said_to_fall() {
    let mut early = curves(&[1.0; 9], &[1.0; 9]);
    early.valid_macro_f1 = vec![0.4, 0.725, 0.639, 0.63, 0.628, 0.65, 0.63, 0.625, 0.622];
    let found = found!(course(&early, 1), Fell).unwrap();
    assert_eq!((found.epoch, found.epochs, found.score_best, found.score_last), (1, 8, 0.725, 0.622));
    assert_eq!(found!(course(&early, 1), Plateau), None);
    // Near the best again at the end, or best at the end: that is no fall.
    early.valid_macro_f1[7] = 0.72;
    assert_eq!(found!(course(&early, 1), Fell), None);
    early.valid_macro_f1[8] = 0.73;
    assert_eq!(found!(course(&early, 8), Fell), None);
    // Of a loss it is over-fitting where training loss falls, and else a fall.
    let losses = [1.6, 1.0, 1.1, 1.2, 1.3, 1.4];
    let by_loss = |train: &[f64]| {
        let curves = curves(train, &losses);
        let course = TrainingRun { metric: Metric::Loss, ..course(&curves, 1) };
        (found!(course, OverFitting).is_some(), found!(course, Fell).is_some())
    };
    assert_eq!(by_loss(&[1.6, 1.0, 0.8, 0.6, 0.4, 0.2]), (true, false));
    assert_eq!(by_loss(&losses), (false, true));
}

#[test]
fn with_class_weights_what_is_minimised_is_judged() {
    // Weights let the plain loss rise while the weighted one falls.
    let plain = [1.0, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3];
    let mut weighted = curves(&plain, &plain);
    assert!(found!(course(&weighted, 1), StepTooHigh).is_some());
    weighted.objective = vec![1.0, 1.1, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4];
    fn objective(curves: &Curves, best_epoch: usize) -> TrainingRun<'_> {
        TrainingRun { loss: TrainingLoss::Objective, ..course(curves, best_epoch) }
    }
    assert_eq!(found!(objective(&weighted, 1), StepTooHigh), None);
    let flat = [1.6, 1.3, 1.3, 1.3, 1.3, 1.3, 1.3, 1.3, 1.3];
    let mut settled = curves(&flat, &flat);
    assert_eq!(found!(course(&settled, 8), UnderFitting).unwrap().loss, TrainingLoss::Plain);
    settled.objective = vec![1.6, 1.2, 1.1, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5];
    assert_eq!(found!(objective(&settled, 8), UnderFitting), None);
    // Where both say so it is said, with what was minimised.
    settled.objective = flat.map(|loss| loss / 2.0).to_vec();
    let found = found!(objective(&settled, 8), UnderFitting).unwrap();
    assert_eq!((found.epoch, found.loss, found.train_loss_last), (1, TrainingLoss::Objective, 0.65));
    let jumpy = [1.6, 1.2, 1.3, 1.1, 1.25, 1.0, 1.1];
    let mut both = curves(&jumpy, &jumpy);
    both.objective = jumpy.map(|loss| loss * 2.0).to_vec();
    let found = found!(objective(&both, 1), StepTooHigh).unwrap();
    assert_eq!((found.epoch, found.loss, found.loss_before), (4, TrainingLoss::Objective, 2.2));
}

#[test]
fn a_part_of_a_single_class_shows_neither_learning_nor_over_fitting() {
    let curves = curves(&[1.6, 1.2, 0.9, 0.5, 0.3, 0.1], &[1.6, 1.2, 0.9, 0.5, 0.3, 0.1]);
    let whole = course(&curves, 5);
    assert!(found!(whole, Gap).is_some());
    for (train_classes, valid_classes) in [(1, 5), (5, 1)] {
        let one = TrainingRun { train_classes, valid_classes, ..whole };
        let findings = diagnose(&one);
        assert!(matches!(findings.as_slice(), [Finding::SingleClass(_), Finding::EpochKept(_)]), "{findings:?}");
        assert_eq!(found!(one, SingleClass), Some(SingleClass { train_classes, valid_classes }));
    }
    assert!(diagnose(&TrainingRun { train_classes: 1, ..course(&Curves::default(), 0) }).is_empty());
}
