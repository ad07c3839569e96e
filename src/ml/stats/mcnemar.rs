//! McNemar's test: whether two classifiers are right on the same share of the same rows.
//!
//! Only the rows count on which exactly one of them is right; where rows belong together, whole groups of them.

use runner_results::mcnemar::{Method, Test};

use super::Clusters;
use super::special::{chi_squared_tail, fair_coins, normal_tail};

/// Up to this many rows that differ, the binomial distribution itself is summed.
const SUMMED: u64 = 10_000;
/// Up to this many steps the distribution over all flips of groups is computed; beyond, the normal one is the same to three digits.
const STEPS: u64 = 5_000_000;

/// Whether two classifiers are right equally often. `right` tells of a row whether the first and the second are right.
///
/// Where every row stands alone this is `mcnemar`. Else: if the two were alike, exchanging what they say of a whole group would be as likely, so
/// that the sign of each group's difference is a fair coin. The p value is the share of all flips that differ at least as much, those that differ
/// as much counted half, which of single rows is McNemar's mid-p.
pub fn paired_test(clusters: &Clusters, right: impl Fn(usize) -> (bool, bool)) -> Test {
    let difference = |row: usize| match right(row) {
        (true, false) => 1,
        (false, true) => -1,
        _ => 0,
    };
    if clusters.groups().is_none() {
        let count = |wanted: i64| (0..clusters.rows()).filter(|&row| difference(row) == wanted).count() as u64;
        return mcnemar(count(1), count(-1));
    }
    sign_flips(&clusters.sums(difference))
}

fn sign_flips(differences: &[i64]) -> Test {
    let sizes: Vec<usize> = differences.iter().map(|d| d.unsigned_abs() as usize).filter(|&size| size > 0).collect();
    let observed = differences.iter().sum::<i64>().unsigned_abs() as usize;
    let total: usize = sizes.iter().sum();
    if total == 0 {
        return Test { method: Method::GroupMidP, statistic: 0.0, p: 1.0 };
    }
    if (sizes.len() as u64).saturating_mul(total as u64) > STEPS {
        let z = observed as f64 / sizes.iter().map(|&size| (size as f64).powi(2)).sum::<f64>().sqrt();
        return Test { method: Method::GroupNormal, statistic: z, p: (2.0 * normal_tail(z)).min(1.0) };
    }
    // Chances of the sum of the sizes whose sign is plus; the difference is twice that minus the total.
    let mut chances = vec![0.0f64; total + 1];
    chances[0] = 1.0;
    let mut reached = 0;
    for size in sizes {
        for sum in (0..=reached).rev() {
            let half = chances[sum] / 2.0;
            chances[sum] = half;
            chances[sum + size] += half;
        }
        reached += size;
    }
    let share = |(sum, chance): (usize, &f64)| match (2 * sum).abs_diff(total).cmp(&observed) {
        std::cmp::Ordering::Less => 0.0,
        std::cmp::Ordering::Equal => chance / 2.0,
        std::cmp::Ordering::Greater => *chance,
    };
    let p: f64 = chances.iter().enumerate().map(share).sum();
    Test { method: Method::GroupMidP, statistic: observed as f64, p: p.min(1.0) }
}

/// The test that Fagerland, Lydersen and Laake (2013, BMC Medical Research Methodology 13:91) recommend: mid-p, and for counts that are too large
/// to sum the asymptotic test, which then is the same to many digits.
///
/// `b`: rows on which only the first is right; `c`: only the second.
pub(crate) fn mcnemar(b: u64, c: u64) -> Test {
    if b + c <= SUMMED { mcnemar_mid_p(b, c) } else { mcnemar_chi2(b, c, false) }
}

/// The conditional exact test: never rejects too often, and too rarely on few rows.
pub(crate) fn mcnemar_exact(b: u64, c: u64) -> Test {
    let (less, n) = (b.min(c), b + c);
    let tail: f64 = (0..=less).map(|k| fair_coins(n, k)).sum();
    Test { method: Method::Exact, statistic: less as f64, p: (2.0 * tail).min(1.0) }
}

/// Half the probability of what was observed taken off the exact p: closer to the nominal level.
pub(crate) fn mcnemar_mid_p(b: u64, c: u64) -> Test {
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
pub(crate) fn mcnemar_chi2(b: u64, c: u64, corrected: bool) -> Test {
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

    #[test]
    fn flips_of_single_rows_are_mcnemars_test() {
        for (b, c) in [(3u64, 9u64), (10, 10), (0, 5), (12, 30), (150, 210)] {
            let differences: Vec<i64> = (0..b).map(|_| 1).chain((0..c).map(|_| -1)).chain([0; 7]).collect();
            let (flips, rows) = (sign_flips(&differences), mcnemar_mid_p(b, c));
            assert!((flips.p - rows.p).abs() < 1e-10, "{b}, {c}: {flips:?} {rows:?}");
        }
    }

    // d = [3, -1, 2, 2, 0]; s = [abs(sum(x * f for x, f in zip(d, f))) for f in itertools.product((1, -1), repeat=5)]
    // np.mean([(x > 6) + (x == 6) / 2 for x in s])  -> 0.1875
    #[test]
    fn flips_of_groups_are_counted() {
        let found = sign_flips(&[3, -1, 2, 2, 0]);
        assert_eq!((found.method, found.statistic, found.p), (Method::GroupMidP, 6.0, 0.1875));
        assert_eq!(sign_flips(&[0, 0]).p, 1.0);
        let many: Vec<i64> = (0..4_000).map(|i| [3, -3, 1, -1][i % 4] * if i % 50 == 0 { 3 } else { 1 }).collect();
        let normal = sign_flips(&many);
        assert_eq!(normal.method, Method::GroupNormal);
        let few = sign_flips(&many[..1_200]);
        let z = few.statistic / many[..1_200].iter().map(|d| (d * d) as f64).sum::<f64>().sqrt();
        assert!((few.p / (2.0 * normal_tail(z)) - 1.0).abs() < 0.05, "{few:?} {z}");
    }

    #[test]
    fn rows_that_stand_alone_keep_mcnemars_test() {
        let right = |row: usize| (row < 30, row.is_multiple_of(2));
        let (b, c) = (15, 10);
        assert_eq!(paired_test(&Clusters::singles(50), right), mcnemar(b, c));
        let pairs: Vec<usize> = (0..50).map(|row| row / 2).collect();
        assert_eq!(paired_test(&Clusters::of(&pairs), right).method, Method::GroupMidP);
    }
}
