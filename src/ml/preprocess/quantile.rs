//! Empirical quantiles, and normal scores from them, as scikit-learn's `QuantileTransformer(output_distribution="normal")`
//! but for the ends.

use crate::stats::quantile;

/// Most quantiles that a column is described by.
pub(crate) const QUANTILES: usize = 512;

/// Up to `count` evenly spaced quantiles of sorted values, at least two.
pub(crate) fn quantiles(sorted: &[f64], count: usize) -> Vec<f64> {
    let count = count.min(sorted.len()).max(2);
    (0..count).map(|i| quantile(sorted, i as f64 / (count - 1) as f64)).collect()
}

/// The normal deviate of the value's rank among the quantiles; equal quantiles share their middle rank.
///
/// The rank stays half a step from 0 and 1. scikit-learn maps the smallest and the largest training value to ±5.2, which
/// makes an outlier of every zero in a column where a third of the rows is zero.
pub(crate) fn normal_score(quantiles: &[f64], value: f64) -> f64 {
    let steps = (quantiles.len() - 1) as f64;
    let first = quantiles.partition_point(|q| *q < value);
    let after = quantiles.partition_point(|q| *q <= value);
    let rank = if after > first {
        (first + after - 1) as f64 / 2.0
    } else if first == 0 {
        0.0
    } else if first == quantiles.len() {
        steps
    } else {
        let (below, above) = (quantiles[first - 1], quantiles[first]);
        (first - 1) as f64 + (value - below) / (above - below)
    };
    let margin = 0.5 / (steps + 1.0);
    normal_quantile((rank / steps).clamp(margin, 1.0 - margin))
}

/// Inverse of the standard normal distribution function: algorithm AS 241, PPND16 (Wichura 1988), for 0 < p < 1.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    let ratio = |top: &[f64; 8], bottom: &[f64; 8], x: f64| {
        let polynomial = |c: &[f64; 8]| c.iter().rev().fold(0.0, |sum, c| sum * x + c);
        polynomial(top) / polynomial(bottom)
    };
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(&CENTRE.0, &CENTRE.1, 0.180_625 - q * q);
    }
    let r = (-p.min(1.0 - p).ln()).sqrt();
    let size = if r <= 5.0 { ratio(&NEAR.0, &NEAR.1, r - 1.6) } else { ratio(&FAR.0, &FAR.1, r - 5.0) };
    if q < 0.0 { -size } else { size }
}

const CENTRE: ([f64; 8], [f64; 8]) = (
    [
        3.387_132_872_796_366_5,
        1.331_416_678_917_843_8e2,
        1.971_590_950_306_551_3e3,
        1.373_169_376_550_946e4,
        4.592_195_393_154_987e4,
        6.726_577_092_700_87e4,
        3.343_057_558_358_813e4,
        2.509_080_928_730_122_7e3,
    ],
    [
        1.0,
        4.231_333_070_160_091e1,
        6.871_870_074_920_579e2,
        5.394_196_021_424_751e3,
        2.121_379_430_158_659_7e4,
        3.930_789_580_009_271e4,
        2.872_908_573_572_194_3e4,
        5.226_495_278_852_545e3,
    ],
);

const NEAR: ([f64; 8], [f64; 8]) = (
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        2.417_807_251_774_506e-1,
        2.272_384_498_926_918_4e-2,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        6.897_673_349_851e-1,
        1.481_039_764_274_800_8e-1,
        1.519_866_656_361_645_7e-2,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
);

const FAR: ([f64; 8], [f64; 8]) = (
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        2.965_605_718_285_048_7e-1,
        2.653_218_952_657_612_4e-2,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        5.998_322_065_558_88e-1,
        1.369_298_809_227_358e-1,
        1.487_536_129_085_061_5e-2,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
);

#[cfg(test)]
mod tests {
    use super::*;

    // from statistics import NormalDist; [NormalDist().inv_cdf(p) for p in (1e-12, 1e-4, .01, .2, .5, .9, .999)]
    #[test]
    fn normal_quantiles_agree_with_python() {
        for (p, expected) in [
            (1e-12, -7.034_483_825_301_131),
            (1e-4, -3.719_016_485_455_68),
            (0.01, -2.326_347_874_040_841),
            (0.2, -0.841_621_233_572_914_4),
            (0.5, 0.0),
            (0.9, 1.281_551_565_544_600_6),
            (0.999, 3.090_232_306_167_813_5),
        ] {
            assert!((normal_quantile(p) - expected).abs() < 1e-13 * (1.0 + f64::abs(expected)), "{p}");
        }
    }
}
