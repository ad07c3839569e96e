//! Each finding on a course that shows it, and silence on one that does not.

use runner_results::diagnosis::{DeadUnits, DeadUnitsJudgement, GapJudgement, KeptEpoch, SingleClass, WhyKept};

use super::{Course, Finding, Units, diagnose};
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
        learning_rate: vec![0.01; train.len()],
        gradient_norm: vec![1.5; train.len()],
    }
}

fn course(curves: &Curves, best_epoch: usize) -> Course<'_> {
    Course {
        curves,
        best_epoch,
        diverged: None,
        metric: Metric::MacroF1,
        valid_rows: 2_000.0,
        train_classes: 5,
        valid_classes: 5,
        units: None,
    }
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
    let findings = diagnose(&Course { diverged: Some(2), ..course(&curves, 1) });
    let Finding::Divergence(found) = findings[0] else { panic!("{findings:?}") };
    assert_eq!((found.epoch, found.last_finite_epoch), (2, 1));
    assert_eq!((found.learning_rate, found.gradient_norm), (0.01, 1.5));
}

#[test]
fn dead_units_are_counted() {
    let curves = curves(&[1.6, 1.2], &[1.6, 1.3]);
    let of = |units| found!(Course { units, ..course(&curves, 1) }, DeadUnits);
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
fn few_validation_rows_tell_no_gap() {
    let mut small = curves(&[1.0], &[1.0]);
    (small.train_accuracy[0], small.valid_accuracy[0]) = (0.9, 0.75);
    let judged = |valid_rows| found!(Course { valid_rows, ..course(&small, 0) }, Gap).unwrap().judgement;
    assert_eq!(judged(12.0), GapJudgement::Chance);
    assert_eq!(judged(500.0), GapJudgement::Strong);
}

#[test]
fn a_part_of_a_single_class_shows_neither_learning_nor_over_fitting() {
    let curves = curves(&[1.6, 1.2, 0.9, 0.5, 0.3, 0.1], &[1.6, 1.2, 0.9, 0.5, 0.3, 0.1]);
    let whole = course(&curves, 5);
    assert!(found!(whole, Gap).is_some());
    for (train_classes, valid_classes) in [(1, 5), (5, 1)] {
        let one = Course { train_classes, valid_classes, ..whole };
        let findings = diagnose(&one);
        assert!(matches!(findings.as_slice(), [Finding::SingleClass(_), Finding::EpochKept(_)]), "{findings:?}");
        assert_eq!(found!(one, SingleClass), Some(SingleClass { train_classes, valid_classes }));
    }
    assert!(diagnose(&Course { train_classes: 1, ..course(&Curves::default(), 0) }).is_empty());
}
