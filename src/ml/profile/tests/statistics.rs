//! The statistics of `profile` against numpy, pandas, scipy and scikit-learn.

use runner_results::profile::{ClassGroup, ColumnKind, InformationEstimator, Quantiles};

use super::super::ProfileOptions;
use super::Table;
use crate::rng::Stream;

// The table of these tests, in Python:
//   import numpy as np; i = np.arange(240); y = i % 3
//   a = (i * 7919 % 10007) / 1000 + 2.137 * y
//   b = np.where(i % 7 == 3, np.nan, (i * i % 911) / 10 - a)
//   c = (i * 31 % 5).astype(float)
//   d = np.where(i < 4, 900.0 + i, a)
//   e = i * i % 17
//   r = np.sqrt(i * 7919 % 10007) + 8.3 * y
const ROWS: u32 = 240;

fn column(name: &str) -> Vec<f64> {
    (0..ROWS)
        .map(|i| {
            let whole = f64::from(i * 7919 % 10007);
            let a = whole / 1000.0 + 2.137 * f64::from(i % 3);
            match name {
                "a" => a,
                "b" if i % 7 == 3 => f64::NAN,
                "b" => f64::from(i * i % 911) / 10.0 - a,
                "c" => f64::from(i * 31 % 5),
                "d" if i < 4 => 900.0 + f64::from(i),
                "d" => a,
                "e" => f64::from(i * i % 17),
                "m" => a + 3.0 * f64::from(i * 31 % 5) + f64::from(i * i % 37) / 5.0,
                _ => whole.sqrt() + 8.3 * f64::from(i % 3),
            }
        })
        .collect()
}

fn table(columns: &[&str]) -> Table {
    let label = (0..ROWS).map(|i| Some(i % 3)).collect();
    columns.iter().fold(Table::new(label, &["x", "y", "z"]), |table, name| table.numeric(name, column(name)))
}

#[track_caller]
fn near(found: f64, expected: f64) {
    let error = (found - expected).abs() / expected.abs().max(1e-300);
    assert!(error < 1e-9 || (found - expected).abs() < 1e-12, "{found} is not {expected}");
}

#[track_caller]
fn all_near(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).for_each(|(found, expected)| near(*found, *expected));
}

fn levels(quantiles: &Quantiles) -> [f64; 7] {
    let q = quantiles;
    [q.p01, q.p05, q.p25, q.p50, q.p75, q.p95, q.p99]
}

// s = pd.Series(b); s.count(), s.nunique(), s.mean(), s.std(), s.min(), s.max()
//   -> 206 206 33.737378640776704 27.228107306691594 -11.347999999999999 86.995
// np.nanquantile(b, [.01, .05, .25, .5, .75, .95, .99])
#[test]
fn columns_are_summarised_as_by_pandas() {
    let profile = table(&["b"]).profile();
    let b = &profile.columns[0];
    assert_eq!((b.count, b.missing, b.infinite, b.distinct), (206, 34, 0, 206));
    let summary = b.numeric.as_ref().expect("numeric");
    near(summary.mean, 33.737378640776704);
    near(summary.standard_deviation.expect("many values"), 27.228107306691594);
    near(summary.minimum, -11.347999999999999);
    near(summary.maximum, 86.995);
    let expected = [-9.663450000000001, -4.815250000000001, 9.62275, 33.1635, 56.871, 79.69575, 83.1154];
    all_near(&levels(&summary.quantiles), &expected);
}

// q1, q3 = np.quantile(d, [.25, .75]); (d < q1 - 1.5*(q3-q1)).sum(), (d > q3 + 1.5*(q3-q1)).sum() -> 0 4
// the same of d[y == 1] -> 0 1; its mean 18.310862500000006, std(ddof=1) 99.97900731739003, median 7.1885
#[test]
fn outliers_lie_beyond_the_fences_of_all_rows_or_of_the_class() {
    let profile = table(&["d"]).profile();
    let d = &profile.columns[0];
    let all = d.numeric.as_ref().expect("numeric");
    assert_eq!((all.outliers_low, all.outliers_high), (0, 4));
    assert_eq!(
        (&d.by_class[1].class, d.by_class[1].count, d.by_class[1].missing),
        (&ClassGroup::Class("y".into()), 80, 0)
    );
    let class = d.by_class[1].numeric.as_ref().expect("numeric");
    assert_eq!((class.outliers_low, class.outliers_high), (0, 1));
    near(class.mean, 18.310862500000006);
    near(class.standard_deviation.expect("many values"), 99.97900731739003);
    near(class.quantiles.p50, 7.1885);
}

#[test]
fn texts_are_counted_and_measured() {
    let label = [0, 0, 1, 1, 1, 0].map(Some).to_vec();
    let profile = Table::new(label, &["x", "y"]).text("t", ["bb", "é", "bb", "", "cccc", "é"]).profile();
    let t = &profile.columns[0];
    assert_eq!((t.kind, t.count, t.missing, t.distinct), (ColumnKind::Text, 5, 1, 3));
    let summary = t.text.as_ref().expect("text");
    let frequent: Vec<(&str, u64)> = summary.most_frequent.iter().map(|v| (v.value.as_str(), v.rows)).collect();
    assert_eq!(frequent, [("bb", 2), ("é", 2), ("cccc", 1)]);
    assert_eq!((summary.unique, summary.minimum_length, summary.maximum_length), (1, 1.0, 4.0));
    near(summary.mean_length, 2.0);
    // np.quantile([1, 1, 2, 2, 4], .95) -> 3.6
    near(summary.length_quantiles.p95, 3.6);
    let y = &t.by_class[1];
    assert_eq!((y.count, y.missing, y.distinct), (2, 1, 2));
}

// df = pd.DataFrame(dict(a=a, b=b, c=c)); df.corr(); df.corr(method="spearman")
#[test]
fn correlations_agree_with_pandas() {
    let correlations = table(&["a", "b", "c"]).profile().correlations;
    let upper = |matrix: &[Vec<Option<f64>>]| [matrix[0][1], matrix[0][2], matrix[1][2]].map(|r| r.expect("varies"));
    all_near(&upper(&correlations.pearson), &[-0.16586289628528672, 0.016416558516954425, -0.040559193640856604]);
    all_near(&upper(&correlations.spearman), &[-0.1651981728766211, 0.010674084418471378, -0.03475568905753845]);
    assert_eq!(correlations.pearson[1][0], correlations.pearson[0][1]);
    near(correlations.spearman[2][2].expect("varies"), 1.0);
}

// from sklearn.feature_selection import f_classif
// f_classif(a[:, None], y) -> 37.36504857836809, 7.850528901185133e-15
// ok = ~np.isnan(b); f_classif(b[ok, None], y[ok]) -> 2.419645243923932, 0.0915147833157003
// eta: sum(80*(a[y==k].mean()-a.mean())**2 for k in range(3))/((a-a.mean())**2).sum() -> 0.23972692350961006
#[test]
fn analysis_of_variance_agrees_with_scikit_learn() {
    let relevance = table(&["a", "b"]).profile().relevance;
    near(relevance[0].anova_f.expect("varies"), 37.36504857836809);
    near(relevance[0].p_value.expect("varies"), 7.850528901185133e-15);
    near(relevance[0].eta_squared.expect("varies"), 0.23972692350961006);
    near(relevance[1].anova_f.expect("varies"), 2.419645243923932);
    near(relevance[1].p_value.expect("varies"), 0.0915147833157003);
}

// from sklearn.feature_selection import mutual_info_classif
// [mutual_info_classif(r[:, None], y, n_neighbors=k, random_state=0)[0] for k in (3, 5)]
#[test]
fn mutual_information_of_continuous_columns_agrees_with_scikit_learn() {
    for (neighbours, expected) in [(3, 0.12409740563186933), (5, 0.15552974620098105)] {
        let options = ProfileOptions { neighbours, ..ProfileOptions::default() };
        let relevance = &table(&["r"]).profile_with(&options).relevance[0];
        assert_eq!(relevance.estimator, InformationEstimator::Neighbours);
        near(relevance.mutual_information.expect("varies"), expected);
        near(relevance.information_share, expected / 3f64.ln());
    }
}

// from sklearn.metrics import mutual_info_score
// from sklearn.metrics.cluster import expected_mutual_information, contingency_matrix
// f = (y + i*i % 17 // 5) % 4; w = i*i % 101
// mutual_info_score(f, y) -> 0.08697060485649886; of w -> 0.069544077907122
// adjusted_mutual_info_score(y, f) -> 0.060567613694481756, which is `beyond` over (entropy(y) + entropy(f)) / 2 - by chance
// expected_mutual_information(contingency_matrix(y, f), 240) -> 0.012682093223325622; of w -> 0.2589320104786113
#[test]
fn mutual_information_of_discrete_columns_is_corrected_for_chance() {
    let f = |i: u32| (i % 3 + i * i % 17 / 5) % 4;
    let relevance = table(&[])
        .numeric("f", (0..ROWS).map(|i| f64::from(f(i))))
        .text("w", (0..ROWS).map(|i| (i * i % 101).to_string()))
        .text("told", (0..ROWS as usize).map(|i| ["xx", "yy", "zz"][i % 3]))
        .text("id", (0..ROWS).map(|i| i.to_string()))
        .profile()
        .relevance;
    let [f, w, told, id] = &relevance[..] else { panic!("four columns") };
    assert_eq!(f.estimator, InformationEstimator::Counts);
    near(f.mutual_information.expect("has values"), 0.08697060485649886 - 0.012682093223325622);
    near(f.by_chance, 0.012682093223325622);
    near(f.information_share, (0.08697060485649886 - 0.012682093223325622) / 3f64.ln());
    near(w.by_chance, 0.2589320104786113);
    near(w.mutual_information.expect("has values"), 0.069544077907122 - 0.2589320104786113);
    assert_eq!(w.information_share, 0.0);
    near(told.mutual_information.expect("has values"), 3f64.ln() - told.by_chance);
    assert!(told.information_share > 0.98);
    // An identifier explains everything, all of it by chance.
    near(id.by_chance, 3f64.ln());
    assert!(id.information_share < 1e-9 && id.anova_f.is_none());
}

// With the table above and `f`:
// beyond = lambda v: mutual_info_score(y, v) - expected_mutual_information(contingency_matrix(y, v), 240)
// beyond(np.where(i % 4 > 0, f, -1)) -> 0.04897428002000664
// beyond(np.where(i < 10, y, -1)) -> 0.029739867380911004; of its ten rows alone mutual_info_score is 0.99 of the entropy
// q = np.where((i % 5 == 0) & (y != 1), np.nan, r); ok = ~np.isnan(q)
// m = mutual_info_classif(q[ok, None], y[ok], n_neighbors=3, random_state=0)[0] -> 0.15351188761831502
// beyond(ok) -> 0.054811421597708285; ok.mean() * m + beyond(ok) -> 0.18785505753358128; by chance 0.004261429937718512
#[test]
fn missing_is_a_value_of_its_own() {
    let f = |i: u32| (i % 3 + i * i % 17 / 5) % 4;
    let q = column("r").into_iter().zip(0..).map(|(r, i)| if i % 5 == 0 && i % 3 != 1 { f64::NAN } else { r });
    let table = table(&[])
        .text("some", (0..ROWS).map(|i| if i % 4 > 0 { f(i).to_string() } else { String::new() }))
        .text("ten", (0..ROWS).map(|i| if i < 10 { (i % 3).to_string() } else { String::new() }))
        .numeric("q", q)
        .numeric("none", (0..ROWS).map(|_| f64::NAN));
    let relevance = table.profile_with(&ProfileOptions { neighbours: 3, ..ProfileOptions::default() }).relevance;
    let [some, ten, q, none] = &relevance[..] else { panic!("four columns") };
    near(some.mutual_information.expect("has values"), 0.04897428002000664);
    near(ten.mutual_information.expect("has values"), 0.029739867380911004);
    assert!(ten.information_share < some.information_share);
    assert_eq!(q.estimator, InformationEstimator::Neighbours);
    near(q.mutual_information.expect("varies"), 0.18785505753358128);
    near(q.by_chance, 0.004261429937718512);
    assert_eq!((none.mutual_information, none.information_share), (None, 0.0));
}

// Shuffled labels: whatever the kind, the number of values and the share of filled rows, the mean is 0 within four standard errors.
#[test]
fn the_information_of_independent_columns_is_zero_on_average_and_no_empty_one_leads() {
    const COLUMNS: usize = 60;
    let mut stream = Stream::new(3, "test", 0);
    let label: Vec<u32> = (0..300).map(|_| (stream.uniform() * stream.uniform() * 8.0) as u32).collect();
    let classes = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let kinds: [(&str, f64, f64); 5] = [
        ("density", 0.0, 1.0),
        ("many", 150.0, 1.0),
        ("few", 4.0, 1.0),
        ("sparse density", 0.0, 0.04),
        ("sparse", 5.0, 0.04),
    ];
    let mut table = Table::new(label.iter().map(|&label| Some(label)).collect(), &classes);
    // Tells a little of the label, in every row.
    let told: Vec<f64> = label.iter().map(|&label| f64::from(label) + 6.0 * stream.uniform()).collect();
    for (kind, values, filled) in kinds {
        for number in 0..COLUMNS {
            let cells: Vec<f64> = (0..300)
                .map(|_| {
                    let value = if values > 0.0 { (values * stream.uniform()).floor() } else { stream.normal() };
                    if stream.uniform() < filled { value } else { f64::NAN }
                })
                .collect();
            let name = format!("{kind} {number}");
            table = match values {
                0.0 => table.numeric(&name, cells),
                _ => table.text(&name, cells.iter().map(|x| if x.is_nan() { String::new() } else { x.to_string() })),
            };
        }
    }
    let relevance = table.numeric("told", told).profile().relevance;
    for ((kind, ..), own) in kinds.iter().zip(relevance.chunks(COLUMNS)) {
        let found: Vec<f64> = own.iter().map(|one| one.mutual_information.expect("has values")).collect();
        let mean = found.iter().sum::<f64>() / COLUMNS as f64;
        let variance = found.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / COLUMNS as f64;
        let error = (variance / COLUMNS as f64).sqrt();
        assert!(mean.abs() < 4.0 * error, "{kind}: {mean} ± {error}");
    }
    let (told, others) = relevance.split_last().expect("columns");
    let highest = others.iter().map(|one| one.information_share).fold(0.0, f64::max);
    assert!(told.information_share > 1.5 * highest, "{} against {highest}", told.information_share);
}

// Ties are told apart by noise; far from zero it must stay smaller than the differences between numbers.
#[test]
fn information_does_not_depend_on_where_zero_is() {
    let steps = |offset: f64| (0..ROWS).map(move |i| offset + f64::from(i * 7919 % 10007 / 100 + 20 * (i % 3)));
    let relevance = table(&[]).numeric("near", steps(0.0)).numeric("far", steps(1.7e12)).profile().relevance;
    let [near_zero, far] = [0, 1].map(|i| relevance[i].mutual_information.expect("varies"));
    assert_eq!(relevance[1].estimator, InformationEstimator::Neighbours);
    assert!(near_zero > 0.05 && (far / near_zero - 1.0).abs() < 0.2, "{near_zero} and {far}");
}

// A twin of every row in the same group must not pass for information.
#[test]
fn twins_do_not_inflate_the_information_of_continuous_columns() {
    let twice = |values: Vec<f64>| [values.clone(), values].concat();
    let label = (0..2 * ROWS).map(|i| Some(i % 3)).collect();
    let table = Table::new(label, &["x", "y", "z"]).numeric("r", twice(column("r")));
    let blind = table.profile().relevance[0].mutual_information.expect("varies");
    let names = (0..2 * ROWS).map(|i| (i % ROWS).to_string());
    let honest = table.group("id", names).profile().relevance[0].mutual_information.expect("varies");
    assert!(blind > 1.5 * honest, "{blind}");
    near(honest, 0.12409740563186933);
}

// X = np.c_[a, c, a + 3*c + (i*i % 37)/5]; p = PCA().fit(StandardScaler().fit_transform(X))
// p.explained_variance_ratio_, p.components_, p.transform(z)[:2, :2] * sqrt(239/240) (ddof 1 against 0)
#[test]
fn principal_components_agree_with_scikit_learn() {
    let pca = table(&["a", "c", "m"]).profile().pca.expect("three columns vary");
    all_near(&pca.explained_variance_ratio, &[0.644587781181269, 0.32804901902153527, 0.027363199797195776]);
    all_near(&pca.components[0], &[0.43457036246960157, 0.5616401425730368, 0.7040660127527657]);
    all_near(&pca.components[1], &[0.7936716358773981, -0.6083289425192802, -0.004607829974017412]);
    all_near(&pca.components[2], &[-0.4257157907180965, -0.5607996504491717, 0.7101195797817103]);
    assert_eq!((pca.points.row.len(), pca.points.row[1], pca.points.class[1]), (240, 1, Some(1)));
    let scale = 0.9979144919948469;
    for (found, expected) in [
        (pca.points.x[0], -3.736051078640218),
        (pca.points.y[0], -0.8339060184015225),
        (pca.points.x[1], -0.42939371011279565),
        (pca.points.y[1], 1.1327325484327726),
    ] {
        assert!((found - expected * scale).abs() <= 0.51e-4, "{found} is not {expected}");
    }
    let few = ProfileOptions { max_points: 10, ..ProfileOptions::default() };
    assert_eq!(table(&["a", "c", "m"]).profile_with(&few).pca.expect("vary").points.row.len(), 10);
}

// z = StandardScaler().fit_transform(SimpleImputer().fit_transform(np.c_[a, b, c])); p = PCA().fit(z); p.explained_variance_ratio_, p.components_
#[test]
fn principal_components_fill_in_missing_values_before_they_scale() {
    let pca = table(&["a", "b", "c"]).profile().pca.expect("three columns vary");
    all_near(&pca.explained_variance_ratio, &[0.3876755996256793, 0.3308377445031515, 0.28148665587116917]);
    for (found, expected) in pca.components.iter().zip([
        [-0.6806985081863514, 0.6959308687154524, -0.22875700409349536],
        [-0.23146261104515023, 0.09195203958995384, 0.9684884522302827],
        [0.6950356829983888, 0.7121973380912086, 0.0984903598062244],
    ]) {
        all_near(found, &expected);
    }
}

// np.histogram(a, bins=5); [np.histogram(a[y == k], bins=edges)[0] for k in range(3)]
#[test]
fn histograms_agree_with_numpy_and_hold_whole_numbers_together() {
    let options = ProfileOptions { histogram_bins: 5, ..ProfileOptions::default() };
    let histograms = table(&["a", "e"]).numeric("wide", (0..ROWS).map(f64::from)).profile_with(&options).histograms;
    assert_eq!(histograms[0].overall, [26, 51, 70, 61, 32]);
    assert_eq!(histograms[0].by_class, [[21, 21, 23, 15, 0], [5, 20, 24, 23, 8], [0, 10, 23, 23, 24]]);
    all_near(&histograms[0].edges[1..], &[2.7695999999999996, 5.539199999999999, 8.308799999999998, 11.0784, 13.848]);
    // 0 to 16 in five bins: four whole numbers each.
    assert_eq!(histograms[1].edges, [-0.5, 3.5, 7.5, 11.5, 15.5, 19.5]);
    assert_eq!(histograms[2].overall, [48; 5]);
}

#[test]
fn columns_of_noise_say_nothing_beyond_chance() {
    let mut stream = Stream::new(4, "statistics test", 0);
    let label: Vec<Option<u32>> = (0..600).map(|_| Some(stream.below(2) as u32)).collect();
    let mut table = Table::new(label.clone(), &["a", "b"]);
    for column in 0..150 {
        table = match column % 3 {
            0 => table.numeric(&format!("normal {column}"), (0..600).map(|_| stream.normal())),
            1 => table.numeric(&format!("skew {column}"), (0..600).map(|_| (2.0 * stream.normal()).exp())),
            _ => table.text(&format!("word {column}"), (0..600).map(|_| format!("word {}", stream.below(40)))),
        };
    }
    let telling = label.iter().map(|label| f64::from(label.unwrap()) + stream.normal()).collect::<Vec<_>>();
    let profile = table.numeric("telling", telling).profile();
    let (told, noise) = profile.relevance.split_last().expect("columns");
    assert!(told.is_beyond_chance() && told.information_share > 0.05, "{told:?}");
    // Deviations of the estimates themselves, over fifty columns of a kind that are independent of the label.
    for kind in 0..3 {
        let own: Vec<_> = noise.iter().skip(kind).step_by(3).collect();
        let found = own.iter().map(|one| one.mutual_information.expect("has values"));
        let deviation = (found.map(|information| information * information).sum::<f64>() / own.len() as f64).sqrt();
        let limit = own.iter().map(|one| one.chance_limit).sum::<f64>() / own.len() as f64;
        assert!((limit / (2.0 * deviation) - 1.0).abs() < 0.3, "{kind}: {limit} for 2 x {deviation}");
    }
    // Once in forty.
    let beyond = noise.iter().filter(|one| one.is_beyond_chance()).count();
    assert!(beyond <= 9, "{beyond}");
    assert!(noise.iter().all(|one| one.is_beyond_chance() || one.information_share == 0.0));
}
