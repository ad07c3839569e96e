//! Tests: figures beside scikit-learn's, odd columns, and what is refused.

use super::*;

fn fitted(values: &[f64], scaling: Scaling) -> (Frame, Preprocessing) {
    let mut frame = Frame::new(values.len());
    frame.insert("x", Column::Numeric(values.to_vec()));
    let rows: Vec<usize> = (0..values.len()).collect();
    let fitted = Preprocessing::fit(
        &frame,
        Wishes { numeric: &["x".into()], scaling, indicators: true, ..Wishes::default() },
        &rows,
    )
    .unwrap();
    (frame, fitted)
}

fn applied(values: &[f64], scaling: Scaling) -> Vec<f32> {
    let (frame, fitted) = fitted(values, scaling);
    let rows: Vec<usize> = (0..values.len()).collect();
    let matrix = first(fitted.apply(&frame, &rows).unwrap());
    (0..values.len()).map(|i| matrix.get(i, 0)).collect()
}

fn first(mut inputs: Vec<Input>) -> Matrix {
    match inputs.remove(0) {
        Input::Matrix(matrix) => matrix,
        Input::Texts(_) => panic!("texts"),
    }
}

fn near(found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((f64::from(*found) - expected).abs() < 1e-5, "{found} is not {expected}");
    }
}

// from sklearn.preprocessing import *; from sklearn.impute import SimpleImputer; import numpy as np
// x = np.array([3., np.nan, 1., 4., 1., 5., 9., 2.6])[:, None]; d = SimpleImputer(strategy="median").fit_transform(x)
// (d - np.nanmean(x)) / np.nanstd(x)
#[test]
fn standard_scaling_uses_present_values_and_imputes_the_median() {
    let x = [3.0, f64::NAN, 1.0, 4.0, 1.0, 5.0, 9.0, 2.6];
    near(
        &applied(&x, Scaling::Standard),
        &[-0.255_967, -0.255_967, -1.034_996, 0.133_548, -1.034_996, 0.523_062, 2.081_121, -0.411_773],
    );
    let (frame, fitted) = fitted(&x, Scaling::Standard);
    let matrix = first(fitted.apply(&frame, &[0, 1]).unwrap());
    assert_eq!((matrix.get(0, 1), matrix.get(1, 1)), (0.0, 1.0), "the indicator marks the missing value");
}

// from sklearn.preprocessing import QuantileTransformer; import numpy as np
// x = np.array([0., 0., 0., 1., 2., 4., 8., 16., 32., 64., 65.])[:, None]
// QuantileTransformer(n_quantiles=11, output_distribution="normal").fit_transform(x).ravel()[3:-1]
// At the ends scikit-learn jumps to ±5.2; here ties share their middle rank and the rank keeps half a step from 0 and 1.
#[test]
fn quantile_scaling_agrees_with_scikit_learn_inside() {
    let x = [0.0, 0.0, 0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 65.0];
    let found = applied(&x, Scaling::Quantile);
    near(&found[3..10], &[-0.524_401, -0.253_347, 0.0, 0.253_347, 0.524_401, 0.841_621, 1.281_552]);
    near(&found[..3], &[-1.281_552; 3]);
    assert!(found[10] > 1.6 && found[10] < 3.5, "{}", found[10]);
}

#[test]
fn robust_scaling_tames_an_outlier() {
    let found = applied(&[1.0, 2.0, 3.0, 4.0, 1e9], Scaling::Robust);
    near(&found[..4], &[-0.948_683, -0.493_197, 0.0, 0.493_197]);
    assert!((found[4] - 3.0).abs() < 1e-3);
}

#[test]
fn constant_and_empty_columns_give_finite_inputs() {
    for scaling in [Scaling::Standard, Scaling::Robust, Scaling::Quantile] {
        for x in [[7.1, 7.1, 7.1], [f64::NAN; 3]] {
            let found = applied(&x, scaling);
            assert!(found.iter().all(|v| v.is_finite() && v.abs() < 4.0), "{scaling:?}: {found:?}");
        }
    }
}

#[test]
fn what_cannot_be_prepared_is_named() {
    let (mut frame, fitted) = fitted(&[1.0, 2.0, 3.0], Scaling::Standard);
    frame.insert("v", Column::Vector { dim: 2, values: vec![1.0; 6] });
    frame.insert("bad", Column::Numeric(vec![0.0, f64::INFINITY, 0.0]));
    let fit = |numeric: &[&str], text: &[&str]| {
        let names = |list: &[&str]| list.iter().map(|name| name.to_string()).collect::<Vec<_>>();
        let (numeric, text) = (&names(numeric)[..], &names(text)[..]);
        let wishes = Wishes { numeric, text, scaling: Scaling::Standard, indicators: true, ..Wishes::default() };
        Preprocessing::fit(&frame, wishes, &[0, 1, 2])
    };
    let message = |result: Result<Preprocessing, InputError>| result.unwrap_err().to_string();
    assert!(message(fit(&["y"], &[])).contains("'y' is missing"));
    assert!(message(fit(&["v"], &[])).contains("'v' is vectors"));
    assert!(message(fit(&[], &["x"])).contains("'x' is numeric"));
    assert!(message(fit(&[], &[])).contains("no input columns"));
    assert!(message(fit(&["bad"], &[])).contains("'bad' has the value inf in row 1"));
    let with_text = fit(&["x"], &["v"]).unwrap();
    let mut other = Frame::new(1);
    other.insert("x", Column::Numeric(vec![0.0]));
    other.insert("v", Column::Vector { dim: 3, values: vec![1.0; 3] });
    assert!(with_text.apply(&other, &[0]).unwrap_err().to_string().contains("3 components, the model needs 2"));
    other.columns["v"] = Column::Vector { dim: 2, values: vec![f32::NAN, 0.0] };
    assert!(with_text.apply(&other, &[0]).unwrap_err().to_string().contains("not finite in row 0"));
    assert!(fitted.apply(&other, &[0]).is_ok());
}

#[test]
fn numbers_infinite_in_32_bits_are_refused_and_extreme_ones_stay_finite() {
    let (_, fitted) = fitted(&[1.0, 2.0, 3.0], Scaling::Standard);
    let inputs = |value: f64| {
        let mut frame = Frame::new(1);
        frame.insert("x", Column::Numeric(vec![value]));
        fitted.apply(&frame, &[0])
    };
    let refused = inputs(-1e39).unwrap_err().to_string();
    assert!(refused.contains("'x' has the value -1e39 in row 0"), "{refused}");
    let extreme = first(inputs(-3e38).unwrap()).get(0, 0);
    assert!((extreme * extreme).is_finite() && extreme < 0.0);
}

#[test]
fn json_brings_back_the_same_figures() {
    let values: Vec<f64> = (0..700).map(|i| (f64::from(i) * 0.7).sin() * 1e5 / 3.0).collect();
    for scaling in [Scaling::Standard, Scaling::Robust, Scaling::Quantile] {
        let (_, fitted) = fitted(&values, scaling);
        let back: Preprocessing = serde_json::from_str(&serde_json::to_string(&fitted).unwrap()).unwrap();
        assert_eq!(back, fitted);
    }
}

// Milliseconds since 1970 differ in the last of their 13 digits; 1e15 and 1e15 + 1 in the 16th.
#[test]
fn numbers_far_from_zero_are_scaled_by_their_differences() {
    let near_zero: Vec<f64> = (0..200).map(|i| f64::from(i * 7 % 11)).collect();
    for scaling in [Scaling::Standard, Scaling::Robust, Scaling::Quantile] {
        let expected: Vec<f64> = applied(&near_zero, scaling).into_iter().map(f64::from).collect();
        for offset in [1.7e12, 1e15, -1.7e12] {
            let far: Vec<f64> = near_zero.iter().map(|value| offset + value).collect();
            // A mean of 1e15 lies on a grid of eighths, and quantiles between two values are rounded.
            let found = applied(&far, scaling);
            let worst = found.iter().zip(&expected).map(|(a, b)| (f64::from(*a) - b).abs()).fold(0.0, f64::max);
            assert!(worst < 0.03, "{scaling:?} at {offset:e}: {worst}");
        }
    }
}

#[test]
fn the_scales_come_back_from_json_bit_by_bit() {
    let values: Vec<f64> = (1..300).map(|i| 1.7e12 + 1.0 / f64::from(i)).collect();
    for scaling in [Scaling::Standard, Scaling::Robust, Scaling::Quantile] {
        let (_, fitted) = fitted(&values, scaling);
        let again: Preprocessing = serde_json::from_str(&serde_json::to_string_pretty(&fitted).unwrap()).unwrap();
        assert_eq!(again, fitted);
    }
}
