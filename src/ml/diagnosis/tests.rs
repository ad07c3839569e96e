//! Each finding on a course that shows it, and silence on one that does not.

use super::{Course, Finding, FindingKind, GapJudgement, Units, diagnose};
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

fn found(course: &Course, kind: FindingKind) -> Option<Finding> {
    diagnose(course).into_iter().find(|finding| finding.kind == kind)
}

#[test]
fn over_fitting_has_its_onset_and_its_evidence() {
    let curves = curves(&[1.6, 1.0, 0.7, 0.4, 0.2, 0.1], &[1.6, 1.1, 0.9, 1.0, 1.2, 1.4]);
    let finding = found(&course(&curves, 2), FindingKind::OverFitting).unwrap();
    assert_eq!(finding.epoch, Some(2));
    assert_eq!(finding.evidence["valid_loss_least"], 0.9);
    assert_eq!(finding.evidence["train_loss_last"], 0.1);
    assert!(
        finding
            .sentence
            .starts_with("Over-fitting sets in after epoch 2: up to epoch 5 validation loss rose from 0.900 to 1.400")
    );
    assert!(finding.sentence.ends_with("The epoch kept is not one of them."));
    let late = found(&course(&curves, 4), FindingKind::OverFitting).unwrap();
    assert!(late.sentence.ends_with("The epoch kept is one of them."), "{}", late.sentence);
    assert_eq!(found(&course(&curves, 2), FindingKind::Unfinished), None);
}

#[test]
fn a_gap_is_named_by_its_size() {
    let say = |train: f64, valid: f64| {
        let mut curves = curves(&[1.0], &[1.0]);
        (curves.train_accuracy[0], curves.valid_accuracy[0]) = (train, valid);
        found(&course(&curves, 0), FindingKind::Gap).unwrap().sentence
    };
    assert!(say(0.92, 0.60).contains("a gap of 0.320: the network memorised much"));
    assert!(say(0.68, 0.60).contains("some over-fitting"));
    assert!(say(0.61, 0.60).contains("no sign of over-fitting"));
    assert!(say(0.50, 0.60).contains("differ in difficulty"));
}

#[test]
fn a_network_that_stops_learning_its_own_rows_under_fits() {
    let flat = [1.6, 1.4, 1.305, 1.302, 1.301, 1.3, 1.3, 1.3, 1.3];
    let finding = found(&course(&curves(&flat, &flat), 8), FindingKind::UnderFitting).unwrap();
    assert_eq!(finding.epoch, Some(2));
    // The same training loss, with training rows far ahead: that is no under-fitting.
    let valid = flat.map(|loss| loss + 0.5);
    assert_eq!(found(&course(&curves(&flat, &valid), 8), FindingKind::UnderFitting), None);
    // Still falling: it has not stopped.
    let falling = [1.6, 1.5, 1.4, 1.3, 1.2, 1.1, 1.0, 0.9];
    let curves = curves(&falling, &falling);
    assert_eq!(found(&course(&curves, 7), FindingKind::UnderFitting), None);
    let unfinished = found(&course(&curves, 7), FindingKind::Unfinished).unwrap();
    assert!(unfinished.sentence.contains("still falling at the last epoch (7"), "{}", unfinished.sentence);
}

#[test]
fn a_plateau_begins_where_the_score_is_as_good_as_it_gets() {
    let mut flat = curves(&[1.0; 9], &[1.0; 9]);
    flat.valid_macro_f1 = vec![0.2, 0.3, 0.5, 0.6, 0.602, 0.601, 0.603, 0.6, 0.602];
    let finding = found(&course(&flat, 6), FindingKind::Plateau).unwrap();
    assert_eq!(finding.epoch, Some(3));
    assert_eq!(
        finding.sentence,
        "Validation macro-F1 comes within 0.01 of its best (0.603) at epoch 3 of 8: the rest is a plateau."
    );
    flat.valid_macro_f1 = (0..9).map(|epoch| f64::from(epoch) / 10.0).collect();
    assert_eq!(found(&course(&flat, 8), FindingKind::Plateau), None);
}

#[test]
fn a_step_that_is_too_high_shows_in_the_training_loss() {
    let jumpy = [1.6, 1.2, 1.3, 1.1, 1.25, 1.0, 1.1];
    let finding = found(&course(&curves(&jumpy, &jumpy), 5), FindingKind::StepTooHigh).unwrap();
    assert_eq!((finding.epoch, finding.evidence["epochs_with_rise"]), (Some(4), 3.0));
    assert!(
        finding.sentence.contains("in 3 of 6 epochs, most in epoch 4 (from 1.100 to 1.250 at a step size of 1.00e-2)")
    );
    let spike = [1.6, 1.2, 1.1, 2.0, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5];
    assert_eq!(found(&course(&curves(&spike, &spike), 9), FindingKind::StepTooHigh).unwrap().epoch, Some(3));
    let calm = [1.6, 1.2, 1.1, 1.105, 1.0];
    assert_eq!(found(&course(&curves(&calm, &calm), 4), FindingKind::StepTooHigh), None);
}

#[test]
fn divergence_comes_first_and_names_the_step() {
    let curves = curves(&[1.6, 1.2], &[1.6, 1.3]);
    let findings = diagnose(&Course { diverged: Some(2), ..course(&curves, 1) });
    assert_eq!((findings[0].kind, findings[0].epoch), (FindingKind::Divergence, Some(2)));
    assert!(findings[0].sentence.contains("in epoch 2, after a step size of 1.00e-2"), "{}", findings[0].sentence);
}

#[test]
fn dead_units_are_counted() {
    let curves = curves(&[1.6, 1.2], &[1.6, 1.3]);
    let of = |units| found(&Course { units, ..course(&curves, 1) }, FindingKind::DeadUnits);
    assert_eq!(of(None), None);
    let many = of(Some(Units { all: 200, dead: 50 })).unwrap();
    assert!(
        many.sentence.starts_with("50 of 200 hidden units are dead: they are zero for every training row (25.0 %)")
    );
    assert!(many.sentence.contains("lower the learning rate") && many.evidence["share"] == 0.25);
    assert!(of(Some(Units { all: 200, dead: 0 })).unwrap().sentence.contains("No dead units (0 of 200)"));
}

#[test]
fn nothing_is_said_of_nothing() {
    assert!(diagnose(&course(&Curves::default(), 0)).is_empty());
}

#[test]
fn a_score_that_training_does_not_raise_is_no_plateau() {
    let mut flat = curves(&[0.7; 9], &[0.7; 9]);
    flat.valid_macro_f1 = vec![0.5; 9];
    let finding = found(&course(&flat, 1), FindingKind::NoGain).unwrap();
    assert!(finding.sentence.starts_with("In no epoch is validation macro-F1 higher than before training (0.500)"));
    assert_eq!(found(&course(&flat, 1), FindingKind::Plateau), None);
    let kept = found(&course(&flat, 1), FindingKind::EpochKept).unwrap().sentence;
    assert!(kept.contains("validation macro-F1 is highest there (0.500), in no later epoch better"), "{kept}");
    flat.valid_macro_f1 = vec![0.3, 0.5, 0.5, 0.5, 0.5, 0.5, 0.51, 0.5, 0.5];
    assert_eq!(found(&course(&flat, 1), FindingKind::NoGain), None);
    // A later epoch is better, but by less than `min_delta`.
    let kept = found(&course(&flat, 1), FindingKind::EpochKept).unwrap().sentence;
    assert!(kept.contains("later gains are below min_delta"), "{kept}");
}

#[test]
fn a_network_that_knows_its_rows_neither_under_fits_nor_takes_steps_too_high() {
    // Losses next to nothing, up and down by half of it.
    let losses = [0.7, 0.1, 0.01, 0.002, 0.003, 0.002, 0.003, 0.002, 0.003, 0.002, 0.003];
    let perfect = curves(&losses, &losses);
    let kinds: Vec<FindingKind> = diagnose(&course(&perfect, 9)).into_iter().map(|finding| finding.kind).collect();
    assert_eq!(kinds, [FindingKind::EpochKept, FindingKind::Gap, FindingKind::Plateau]);
}

#[test]
fn findings_do_not_contradict_one_another() {
    // Validation turns while training loss falls a little and then stands still.
    let train = [1.6, 1.32, 1.31, 1.3, 1.3, 1.3, 1.3, 1.3, 1.3];
    let valid = [1.6, 1.31, 1.35, 1.4, 1.4, 1.4, 1.4, 1.4, 1.4];
    let mut both = curves(&train, &valid);
    both.train_accuracy = both.valid_accuracy.clone();
    let of = |kind| found(&course(&both, 1), kind);
    assert!(of(FindingKind::OverFitting).is_some() && of(FindingKind::UnderFitting).is_none());
    // The epoch kept is later, and what is said of it is what the curves hold: nothing of confidence.
    both.valid_macro_f1 = vec![0.2, 0.4, 0.4, 0.6, 0.4, 0.4, 0.4, 0.4, 0.4];
    let late = found(&course(&both, 3), FindingKind::OverFitting).unwrap().sentence;
    assert!(
        late.contains("validation macro-F1 is higher there (0.600 against 0.400), and so is the loss (1.400)"),
        "{late}"
    );
}

#[test]
fn few_validation_rows_tell_no_gap() {
    let mut small = curves(&[1.0], &[1.0]);
    (small.train_accuracy[0], small.valid_accuracy[0]) = (0.9, 0.75);
    let judged = |valid_rows| found(&Course { valid_rows, ..course(&small, 0) }, FindingKind::Gap).unwrap();
    assert_eq!(judged(12.0).judgement, Some(GapJudgement::Chance));
    assert!(judged(12.0).sentence.contains("no more than chance may make on so few validation rows"));
    assert_eq!(judged(500.0).judgement, Some(GapJudgement::Strong));
}

#[test]
fn a_part_of_a_single_class_shows_neither_learning_nor_over_fitting() {
    let curves = curves(&[1.6, 1.2, 0.9, 0.5, 0.3, 0.1], &[1.6, 1.2, 0.9, 0.5, 0.3, 0.1]);
    let kinds = |course: &Course| diagnose(course).into_iter().map(|finding| finding.kind).collect::<Vec<_>>();
    let whole = course(&curves, 5);
    assert!(kinds(&whole).contains(&FindingKind::Gap));
    for (one, sentence) in [
        (Course { train_classes: 1, ..whole }, "All training rows have the same class"),
        (Course { valid_classes: 1, ..whole }, "All validation rows have the same class"),
    ] {
        assert_eq!(kinds(&one), [FindingKind::SingleClass, FindingKind::EpochKept]);
        assert!(found(&one, FindingKind::SingleClass).unwrap().sentence.starts_with(sentence));
    }
    assert!(diagnose(&Course { train_classes: 1, ..course(&Curves::default(), 0) }).is_empty());
}
