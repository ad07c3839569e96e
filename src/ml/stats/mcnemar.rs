//! McNemar's test: whether two classifiers are right on the same share of the same rows.
//!
//! Only the rows count on which exactly one of them is right. Knows nothing of several comparisons at once (`holm`).

use serde::{Deserialize, Serialize};

use super::special::{chi_squared_tail, fair_coins};

/// Up to this many rows that differ, the binomial distribution itself is summed.
const SUMMED: u64 = 10_000;

/// A test's result; `p` is two-sided.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Test {
    pub method: Method,
    /// Exact and mid-p: the smaller count. Chi-squared: the statistic.
    pub statistic: f64,
    pub p: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    Exact,
    MidP,
    ChiSquared,
    /// With Edwards' continuity correction.
    ChiSquaredCorrected,
}

/// The test that Fagerland, Lydersen and Laake (2013, BMC Medical Research Methodology 13:91) recommend: mid-p, and for counts that are too large
/// to sum the asymptotic test, which then is the same to many digits.
///
/// `b`: rows on which only the first is right; `c`: only the second.
pub fn mcnemar(b: u64, c: u64) -> Test {
    if b + c <= SUMMED { mcnemar_mid_p(b, c) } else { mcnemar_chi2(b, c, false) }
}

/// The conditional exact test: never rejects too often, and too rarely on few rows.
pub fn mcnemar_exact(b: u64, c: u64) -> Test {
    let (less, n) = (b.min(c), b + c);
    let tail: f64 = (0..=less).map(|k| fair_coins(n, k)).sum();
    Test { method: Method::Exact, statistic: less as f64, p: (2.0 * tail).min(1.0) }
}

/// Half the probability of what was observed taken off the exact p: closer to the nominal level.
pub fn mcnemar_mid_p(b: u64, c: u64) -> Test {
    let (less, n) = (b.min(c), b + c);
    let observed = fair_coins(n, less);
    let p = match (n, b == c) {
        (0, _) => 1.0,
        (_, true) => 1.0 - observed / 2.0,
        (_, false) => (mcnemar_exact(b, c).p - observed).max(0.0),
    };
    Test { method: Method::MidP, statistic: less as f64, p }
}

/// (b − c)² / (b + c), or with the correction (|b − c| − 1)² / (b + c), against chi-squared with one degree of freedom. For many rows.
pub fn mcnemar_chi2(b: u64, c: u64, corrected: bool) -> Test {
    let method = if corrected { Method::ChiSquaredCorrected } else { Method::ChiSquared };
    if b + c == 0 {
        return Test { method, statistic: 0.0, p: 1.0 };
    }
    let difference = b.abs_diff(c) as f64 - if corrected { 1.0 } else { 0.0 };
    let statistic = difference * difference / (b + c) as f64;
    Test { method, statistic, p: chi_squared_tail(statistic, 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    // from statsmodels.stats.contingency_tables import mcnemar; from scipy.stats import binom   (statsmodels 0.15.0, scipy 1.17.1)
    // for b, c in [(3, 9), (10, 10), (0, 5), (12, 30), (150, 210)]:
    //     t = [[0, b], [c, 0]]; e = mcnemar(t, exact=True).pvalue; f = binom.pmf(min(b, c), b + c, .5)
    //     print(e, 1 - f / 2 if b == c else e - f, mcnemar(t, exact=False, correction=True).pvalue, mcnemar(t, exact=False, correction=False).pvalue)
    #[test]
    fn p_values_agree_with_statsmodels() {
        let cases = [
            (3, 9, [0.145_996_093_75, 0.092_285_156_25, 0.148_914_673_178_761_6, 0.083_264_516_663_550_42]),
            (10, 10, [1.0, 0.911_901_473_999_023_5, 0.823_063_273_758_121_4, 1.0]),
            (0, 5, [0.062_5, 0.031_25, 0.073_638_270_120_302_58, 0.025_347_318_677_468_325]),
            (
                12,
                30,
                [
                    0.007_915_897_334_896_727,
                    0.005_401_572_654_591_29,
                    0.008_711_912_962_379_598,
                    0.005_478_553_242_547_37,
                ],
            ),
            (
                150,
                210,
                [
                    0.001_834_007_417_096_482,
                    0.001_553_493_739_561_551_5,
                    0.001_873_579_598_675_071,
                    0.001_565_402_258_002_549,
                ],
            ),
        ];
        for (b, c, expected) in cases {
            let tests = [mcnemar_exact(b, c), mcnemar_mid_p(b, c), mcnemar_chi2(b, c, true), mcnemar_chi2(b, c, false)];
            for (test, expected) in tests.iter().zip(expected) {
                assert!((test.p - expected).abs() < 1e-11, "{b}, {c}: {test:?} for {expected}");
            }
            assert_eq!(mcnemar(b, c), mcnemar(c, b));
        }
    }

    #[test]
    fn nothing_that_differs_is_no_evidence_and_many_rows_are_no_trouble() {
        for test in [mcnemar(0, 0), mcnemar_exact(0, 0), mcnemar_chi2(0, 0, true)] {
            assert_eq!(test.p, 1.0);
        }
        let (summed, asymptotic) = (mcnemar_mid_p(4_900, 5_100), mcnemar_chi2(4_900, 5_100, false));
        assert!((summed.p - asymptotic.p).abs() < 1e-4, "{summed:?} {asymptotic:?}");
        assert_eq!(mcnemar(40_000, 41_000).method, Method::ChiSquared);
    }
}
