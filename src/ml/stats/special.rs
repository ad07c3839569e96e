//! The special functions that the tests' p values need, to about 13 digits.

/// ln Γ(x) for x > 0: Lanczos' series with g = 7 and nine terms (coefficients of Godfrey, 2001).
pub(crate) fn ln_gamma(x: f64) -> f64 {
    const COEFFICIENTS: [f64; 9] = [
        0.999_999_999_999_809_9,
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        // Reflection: Γ(x) Γ(1 − x) = π / sin πx.
        return (std::f64::consts::PI / (std::f64::consts::PI * x).sin()).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let t = x + 7.5;
    let series: f64 = COEFFICIENTS[0]
        + COEFFICIENTS[1..].iter().enumerate().map(|(i, coefficient)| coefficient / (x + i as f64 + 1.0)).sum::<f64>();
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + series.ln()
}

/// P(X > x) of the chi-squared distribution: the regularised upper incomplete gamma function Q(degrees / 2, x / 2).
/// Series below the mode, Lentz' continued fraction above (Press et al., Numerical Recipes, 6.2).
pub(crate) fn chi_squared_tail(x: f64, degrees: f64) -> f64 {
    let (a, x) = (degrees / 2.0, x / 2.0);
    if x <= 0.0 {
        return 1.0;
    }
    let front = (a * x.ln() - x - ln_gamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while term > sum * 1e-17 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        return 1.0 - front * sum;
    }
    const TINY: f64 = 1e-300;
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for i in 1..10_000 {
        let i = f64::from(i);
        let an = -i * (i - a);
        b += 2.0;
        d = an * d + b;
        d = if d.abs() < TINY { TINY } else { d };
        c = b + an / c;
        c = if c.abs() < TINY { TINY } else { c };
        d = 1.0 / d;
        let step = d * c;
        fraction *= step;
        if (step - 1.0).abs() < 1e-16 {
            break;
        }
    }
    front * fraction
}

/// P(X > z) of the standard normal distribution, with full relative precision in the upper tail.
pub(crate) fn normal_tail(z: f64) -> f64 {
    let half = chi_squared_tail(z * z, 1.0) / 2.0;
    if z < 0.0 { 1.0 - half } else { half }
}

/// P(low < X < high) of the standard normal distribution, with full relative precision in both tails.
pub(crate) fn normal_mass(low: f64, high: f64) -> f64 {
    if low >= 0.0 {
        normal_tail(low) - normal_tail(high)
    } else if high <= 0.0 {
        normal_tail(-high) - normal_tail(-low)
    } else {
        1.0 - normal_tail(-low) - normal_tail(high)
    }
}

/// P(|T| > |t|) for whole degrees of freedom: formulas 26.7.3 and 26.7.4 of Abramowitz and Stegun.
pub(crate) fn student_tails(t: f64, freedom: usize) -> f64 {
    let angle = (t.abs() / (freedom as f64).sqrt()).atan();
    let (sin, cos) = angle.sin_cos();
    let odd = freedom % 2 == 1;
    let mut term = if odd { cos } else { 1.0 };
    let mut sum = 0.0;
    let mut k = if odd { 1 } else { 0 };
    while k + 2 <= freedom {
        sum += term;
        k += 2;
        term *= cos * cos * (k - 1) as f64 / k as f64;
    }
    let inside = if odd { 2.0 / std::f64::consts::PI * (angle + sin * sum) } else { sin * sum };
    (1.0 - inside).clamp(0.0, 1.0)
}

/// P(X = k) of n fair coins.
pub(crate) fn fair_coins(n: u64, k: u64) -> f64 {
    let (n, k) = (n as f64, k as f64);
    (ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0) - n * std::f64::consts::LN_2).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    // [chi2.sf(x, 1) for x in (0.001, 0.5, 3.84, 30, 100)], [chi2.sf(x, 5) for x in (0.5, 11, 40)]  (scipy 1.17.1)
    #[test]
    fn tails_of_chi_squared_agree_with_scipy() {
        let cases = [
            (0.001, 1.0, 0.974_772_879_369_960_4),
            (0.5, 1.0, 0.479_500_122_186_953_37),
            (3.84, 1.0, 0.050_043_521_248_705_19),
            (30.0, 1.0, 4.320_463_057_827_495_5e-8),
            (100.0, 1.0, 1.523_970_604_832_099_5e-23),
            (0.5, 5.0, 0.992_123_293_232_629_6),
            (11.0, 5.0, 0.051_379_983_483_069_55),
            (40.0, 5.0, 1.493_367_900_050_393e-7),
        ];
        for (x, degrees, expected) in cases {
            let found = chi_squared_tail(x, degrees);
            assert!((found / expected - 1.0).abs() < 1e-11, "{x}, {degrees}: {found} for {expected}");
        }
        assert_eq!(chi_squared_tail(0.0, 1.0), 1.0);
    }

    // [norm.sf(x) for x in (-3, -0.5, 0, 1.96, 9)]  (scipy 1.17.1)
    #[test]
    fn tails_of_the_normal_agree_with_scipy() {
        let cases = [
            (-3.0, 0.998_650_101_968_369_9),
            (-0.5, 0.691_462_461_274_013_1),
            (0.0, 0.5),
            (1.96, 0.024_997_895_148_220_435),
            (9.0, 1.128_588_405_953_832_4e-19),
        ];
        for (z, expected) in cases {
            assert!((normal_tail(z) / expected - 1.0).abs() < 1e-11, "{z}");
        }
        for (low, high) in [(8.0, 9.0), (-9.0, -8.0)] {
            let mass = normal_mass(low, high);
            assert!((mass / (normal_tail(8.0) - normal_tail(9.0)) - 1.0).abs() < 1e-11, "{low}, {high}: {mass}");
        }
        assert!((normal_mass(-1.0, 2.0) - 0.818_594_614_120_363_7).abs() < 1e-12);
    }

    #[test]
    fn the_probabilities_of_coins_add_up() {
        for n in [1, 2, 7, 30, 1001] {
            let total: f64 = (0..=n).map(|k| fair_coins(n, k)).sum();
            assert!((total - 1.0).abs() < 1e-11, "{n}: {total}");
        }
        assert!((fair_coins(4, 2) - 0.375).abs() < 1e-13);
    }

    // [2 * t.sf(x, n) for x, n in ((1.2, 1), (2.5, 2), (3.1, 3), (.4, 4), (2.2, 9), (4., 12))]  (scipy.stats 1.17.1)
    #[test]
    fn tails_of_student_agree_with_scipy() {
        let cases = [
            (1.2, 1, 0.442_284_123_247_391_1),
            (2.5, 2, 0.129_611_720_221_510_82),
            (3.1, 3, 0.053_295_544_614_336_08),
            (0.4, 4, 0.709_597_261_429_996_8),
            (2.2, 9, 0.055_340_572_798_611_65),
            (4.0, 12, 0.001_761_696_244_395_026_7),
        ];
        for (t, freedom, expected) in cases {
            assert!(
                (student_tails(t, freedom) - expected).abs() < 1e-9,
                "t {t} of {freedom}: {}",
                student_tails(t, freedom)
            );
        }
    }
}
