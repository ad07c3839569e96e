//! Activation functions, their derivatives, and the exponential they are made of, in forms that compilers vectorise.

use runner_results::spec::Activation;

/// An activation as a function.
pub(crate) trait ActivationFunction {
    /// Replaces every value by the function's. NaN stays NaN, so that a divergence is never hidden.
    fn apply(self, values: &mut [f32]);

    /// Replaces every value by the function's derivative there.
    fn slopes(self, values: &mut [f32]);
}

impl ActivationFunction for Activation {
    #[inline(always)]
    fn apply(self, values: &mut [f32]) {
        #[inline(always)]
        fn each(values: &mut [f32], function: impl Fn(f32) -> f32) {
            values.iter_mut().for_each(|x| *x = function(*x));
        }
        match self {
            Activation::Relu => each(values, |x| if x <= 0.0 { 0.0 } else { x }),
            Activation::Selu => each(values, selu),
            Activation::Gelu => each(values, |x| x * normal_cdf(x)),
            Activation::GeluTanh => each(values, |x| x * sigmoid(2.0 * gelu_inner(x))),
            Activation::Silu => each(values, |x| x * sigmoid(x)),
            Activation::Mish => each(values, |x| x * tanh_softplus(x)),
            Activation::Tanh => each(values, tanh),
        }
    }

    #[inline(always)]
    fn slopes(self, values: &mut [f32]) {
        #[inline(always)]
        fn each(values: &mut [f32], function: impl Fn(f32) -> f32) {
            values.iter_mut().for_each(|x| *x = function(*x));
        }
        match self {
            Activation::Relu => each(values, |x| if x <= 0.0 { 0.0 } else { 1.0 }),
            Activation::Selu => each(values, |x| if x <= 0.0 { SELU_SCALE * SELU_ALPHA * exp(x) } else { SELU_SCALE }),
            Activation::Gelu => each(values, |x| normal_cdf(x) + x * exp(-0.5 * x * x) * FRAC_1_SQRT_2PI),
            Activation::GeluTanh => each(values, |x| {
                let s = sigmoid(2.0 * gelu_inner(x));
                s + 2.0 * x * s * (1.0 - s) * SQRT_2_OVER_PI * (1.0 + 3.0 * 0.044_715 * x * x)
            }),
            Activation::Silu => each(values, |x| {
                let s = sigmoid(x);
                s * (1.0 + x * (1.0 - s))
            }),
            Activation::Mish => each(values, |x| {
                let t = tanh_softplus(x);
                t + x * sigmoid(x) * (1.0 - t * t)
            }),
            Activation::Tanh => each(values, |x| {
                let t = tanh(x);
                1.0 - t * t
            }),
        }
    }
}

/// The constants of the paper, to f32.
const SELU_ALPHA: f32 = 1.673_263_2;
const SELU_SCALE: f32 = 1.050_701;
const FRAC_1_SQRT_2PI: f32 = 0.398_942_3;
const SQRT_2_OVER_PI: f32 = 0.797_884_6;

#[inline(always)]
fn selu(x: f32) -> f32 {
    // exp(x) - 1 cancels near 0, where the absolute error of 1e-7 is still below what a layer can feel.
    let negative = SELU_SCALE * SELU_ALPHA * (exp(x.min(0.0)) - 1.0);
    if x <= 0.0 { negative } else { SELU_SCALE * x }
}

/// √(2/π)(x + 0.044715x³); ½(1 + tanh u) is sigmoid(2u).
#[inline(always)]
fn gelu_inner(x: f32) -> f32 {
    SQRT_2_OVER_PI * x * (1.0 + 0.044_715 * x * x)
}

#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

#[inline(always)]
fn tanh(x: f32) -> f32 {
    1.0 - 2.0 / (exp(2.0 * x) + 1.0)
}

/// tanh(ln(1 + eˣ)) = (e²ˣ + 2eˣ) / (e²ˣ + 2eˣ + 2), without overflow.
#[inline(always)]
fn tanh_softplus(x: f32) -> f32 {
    let e = exp(x.min(20.0));
    let n = e * (e + 2.0);
    n / (n + 2.0)
}

/// The standard normal distribution function, by formula 7.1.26 of Abramowitz and Stegun (absolute error below 2e-7 in f32).
#[inline(always)]
fn normal_cdf(x: f32) -> f32 {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let polynomial = t * (0.254_829_6 + t * (-0.284_496_74 + t * (1.421_413_7 + t * (-1.453_152 + t * 1.061_405_4))));
    let tail = 0.5 * polynomial * exp(-z * z);
    if x > 0.0 { 1.0 - tail } else { tail }
}

/// eˣ to about 2 units in the last place: reduction by powers of two and a polynomial of degree 6 (the coefficients of
/// Cephes' `expf`). Written without branches or calls, because `f32::exp` is a call for each element.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let x = x.clamp(-87.0, 88.0);
    // Adding 1.5·2²³ rounds to the nearest integer, which then stands in the low bits.
    let shifted = x * std::f32::consts::LOG2_E + ROUNDING_SHIFT;
    let n = shifted - ROUNDING_SHIFT;
    let r = (x - n * 0.693_359_4) + n * 2.121_944_4e-4;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_6e-1;
    let p = p * r + 0.5;
    let power = f32::from_bits(shifted.to_bits().wrapping_sub(ROUNDING_SHIFT.to_bits()).wrapping_add(127) << 23);
    (p * r * r + r + 1.0) * power
}

const ROUNDING_SHIFT: f32 = 12_582_912.0;

#[cfg(test)]
mod tests {
    use super::*;

    // import torch; from torch.nn import functional as F
    // x = torch.tensor([-3., -.7, 0.3, 1.9], requires_grad=True)
    // for f in (F.relu, F.selu, F.gelu, partial(F.gelu, approximate="tanh"), F.silu, F.mish, torch.tanh):
    //     y = f(x); g, = torch.autograd.grad(y.sum(), x); print(f.__name__, y.tolist(), g.tolist())
    #[test]
    fn values_and_slopes_agree_with_pytorch() {
        let x = [-3.0f32, -0.7, 0.3, 1.9];
        for (activation, values, slopes) in EXPECTED {
            let (mut y, mut g) = (x, x);
            activation.apply(&mut y);
            activation.slopes(&mut g);
            for i in 0..4 {
                assert!((y[i] - values[i]).abs() < 1e-6, "{activation:?} at {}: {} not {}", x[i], y[i], values[i]);
                assert!((g[i] - slopes[i]).abs() < 1e-6, "{activation:?}' at {}: {} not {}", x[i], g[i], slopes[i]);
            }
        }
    }

    const EXPECTED: [(Activation, [f32; 4], [f32; 4]); 7] = [
        (Activation::Relu, [0.0, 0.0, 0.3, 1.9], [0.0, 0.0, 1.0, 1.0]),
        (
            Activation::Selu,
            [-1.670_568_7, -0.885_053, 0.315_210_3, 1.996_331_9],
            [0.087_530_6, 0.873_046_3, 1.050_701, 1.050_701],
        ),
        (
            Activation::Gelu,
            [-0.004_050_2, -0.169_374_6, 0.185_373_4, 1.845_438_5],
            [-0.011_945_6, 0.023_385_9, 0.732_327_8, 1.095_953_5],
        ),
        (
            Activation::GeluTanh,
            [-0.003_637_4, -0.169_429_9, 0.185_370_9, 1.845_451_2],
            [-0.011_584_3, 0.023_642_8, 0.732_295_5, 1.096_781_8],
        ),
        (
            Activation::Silu,
            [-0.142_277_6, -0.232_268_6, 0.172_332_8, 1.652_794],
            [-0.088_104_1, 0.176_613_2, 0.647_780_1, 1.084_934],
        ),
        (
            Activation::Mish,
            [-0.145_647_5, -0.267_870_2, 0.208_001_4, 1.836_743_6],
            [-0.093_393_1, 0.184_416, 0.782_827_3, 1.074_927_6],
        ),
        (
            Activation::Tanh,
            [-0.995_054_8, -0.604_367_8, 0.291_312_6, 0.956_237_4],
            [0.009_866, 0.634_739_6, 0.915_136_9, 0.085_61],
        ),
    ];

    #[test]
    fn exp_is_close_everywhere_and_finite_at_the_ends() {
        let mut worst = 0.0f64;
        for i in -870_000..=880_000 {
            let x = i as f32 / 10_000.0;
            let truth = f64::from(x).exp();
            worst = worst.max(((f64::from(exp(x)) - truth) / truth).abs());
        }
        assert!(worst < 2.5e-7, "relative error {worst}");
        assert!(exp(f32::MAX).is_finite() && exp(f32::MIN) >= 0.0 && exp(f32::NEG_INFINITY) >= 0.0);
    }

    #[test]
    fn nothing_overflows_far_from_zero() {
        for activation in
            [Activation::Relu, Activation::Selu, Activation::Gelu, Activation::Silu, Activation::Mish, Activation::Tanh]
        {
            let (mut y, mut g) = ([-1e30f32, -100.0, 100.0, 1e30], [-1e30f32, -100.0, 100.0, 1e30]);
            activation.apply(&mut y);
            activation.slopes(&mut g);
            assert!(y.iter().chain(&g).all(|v| v.is_finite()), "{activation:?}: {y:?} {g:?}");
        }
    }
}
