//! Findings apart from leakage: missing values, constants, columns that say the same, small or unbalanced classes.

use runner_results::profile::audit::{AlikePair, Balance, Coefficient, ColumnRows, Finding, FindingKind, Severity};
use runner_results::profile::{ClassBalance, ColumnProfile, CorrelatedPair, Correlations};

use super::super::statistics::ALIKE;
use super::super::table::input::Checked;

/// Share of missing values from which a column is named.
const MOSTLY_MISSING: f64 = 0.5;
/// Rows below which a class is too small for five folds and a test part.
const FEW_ROWS: u64 = 20;
/// Rows of the largest class for one of the smallest from which accuracy misleads.
const UNBALANCED: f64 = 4.0;
/// Up to this ratio of two classes nobody would call them unbalanced: 60 to 40.
const BALANCED: f64 = 1.5;

pub(super) fn of_columns(input: &Checked, columns: &[ColumnProfile], correlations: &Correlations) -> Vec<Finding> {
    let mut findings = Vec::new();
    let counted = |count: fn(&ColumnProfile) -> u64| -> Vec<ColumnRows> {
        let found = columns.iter().filter(|column| count(column) > 0);
        found.map(|column| ColumnRows { column: column.name.clone(), rows: count(column) }).collect()
    };
    let infinite = counted(|column| column.infinite);
    if !infinite.is_empty() {
        findings.push(Finding::new(Severity::Warning, FindingKind::InfiniteValues { columns: infinite }));
    }
    let constant: Vec<String> =
        columns.iter().filter(|column| column.distinct <= 1).map(|column| column.name.clone()).collect();
    if !constant.is_empty() {
        findings.push(Finding::new(Severity::Note, FindingKind::ConstantColumns { columns: constant }));
    }
    let missing = counted(|column| column.missing);
    if !missing.is_empty() {
        let is_mostly = |one: &&ColumnRows| one.rows as f64 / input.rows as f64 >= MOSTLY_MISSING;
        let mostly: Vec<String> = missing.iter().filter(is_mostly).map(|one| one.column.clone()).collect();
        let severity = if mostly.is_empty() { Severity::Note } else { Severity::Warning };
        findings.push(Finding::new(severity, FindingKind::MissingValues { columns: missing, mostly }));
    }
    findings.extend(alike(correlations));
    findings
}

fn alike(correlations: &Correlations) -> Option<Finding> {
    let larger = |pair: &CorrelatedPair| {
        let of = |coefficient, value: Option<f64>| value.map(|value| (coefficient, value));
        let both = [of(Coefficient::Pearson, pair.pearson), of(Coefficient::Spearman, pair.spearman)];
        let (coefficient, value) = both.into_iter().flatten().max_by(|x, y| x.1.abs().total_cmp(&y.1.abs()))?;
        (value.abs() >= ALIKE).then(|| AlikePair { a: pair.a.clone(), b: pair.b.clone(), coefficient, value })
    };
    let strongest: Vec<AlikePair> = correlations.strongest.iter().filter_map(larger).collect();
    let pairs = correlations.alike.max(strongest.len() as u64);
    (pairs > 0).then(|| Finding::new(Severity::Note, FindingKind::AlikeColumns { pairs, strongest }))
}

pub(super) fn of_classes(input: &Checked, classes: &[ClassBalance]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let unlabelled = (input.rows - input.labelled) as u64;
    if unlabelled > 0 {
        findings.push(Finding::new(Severity::Note, FindingKind::UnlabelledRows { rows: unlabelled }));
    }
    let occurring: Vec<&ClassBalance> = classes.iter().filter(|class| class.rows > 0).collect();
    let (Some(largest), Some(smallest)) =
        (occurring.iter().max_by_key(|class| class.rows), occurring.iter().min_by_key(|class| class.rows))
    else {
        return findings;
    };
    if occurring.len() == 1 {
        findings.push(Finding::new(Severity::Danger, FindingKind::OneClass { class: largest.class.clone() }));
        return findings;
    }
    let small: Vec<String> =
        occurring.iter().filter(|class| class.rows < FEW_ROWS).map(|class| class.class.clone()).collect();
    if !small.is_empty() {
        findings.push(Finding::new(Severity::Warning, FindingKind::SmallClasses { classes: small, least: FEW_ROWS }));
    }
    let (severity, balance) = match largest.rows as f64 / smallest.rows as f64 {
        ratio if ratio >= UNBALANCED => (Severity::Note, Balance::Unbalanced),
        ratio if ratio > BALANCED => (Severity::Note, Balance::SomewhatUnbalanced),
        _ => (Severity::Ok, Balance::Balanced),
    };
    let kind = FindingKind::ClassBalance {
        balance,
        classes: occurring.len() as u64,
        largest: (*largest).clone(),
        smallest: (*smallest).clone(),
    };
    findings.push(Finding::new(severity, kind));
    findings
}
