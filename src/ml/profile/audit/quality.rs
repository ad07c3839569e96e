//! Findings apart from leakage: missing values, constants, columns that say the same, small or unbalanced classes.

use super::super::ClassBalance;
use super::super::column::ColumnProfile;
use super::super::correlation::{ALIKE, CorrelatedPair, Correlations};
use super::super::input::Checked;
use super::super::wording::{counted, list, percent, thousands};
use super::finding::{Finding, Severity};

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
    let named = |keep: &dyn Fn(&ColumnProfile) -> bool| -> Vec<String> {
        columns.iter().filter(|column| keep(column)).map(|column| column.name.clone()).collect()
    };
    let infinite = named(&|column| column.infinite > 0);
    if !infinite.is_empty() {
        findings.push(Finding::new(
            Severity::Warning,
            format!("infinite values in {}", list(&infinite)),
            "They, or numbers too large for 32 bits, are counted as missing here. Replace them before training.".into(),
            columns
                .iter()
                .filter(|column| column.infinite > 0)
                .map(|column| format!("{}: {}", column.name, counted(column.infinite, "infinite value")))
                .collect(),
        ));
    }
    let constant = named(&|column| column.distinct <= 1);
    if !constant.is_empty() {
        let verb = if constant.len() == 1 { "does" } else { "do" };
        findings.push(Finding::new(
            Severity::Note,
            format!("{} {verb} not vary", list(&constant)),
            "A column with one value, or none, tells nothing.".into(),
            Vec::new(),
        ));
    }
    let share = |column: &ColumnProfile| column.missing as f64 / input.rows as f64;
    let missing: Vec<&ColumnProfile> = columns.iter().filter(|column| column.missing > 0).collect();
    if !missing.is_empty() {
        let mostly = named(&|column| share(column) >= MOSTLY_MISSING);
        let title = if mostly.is_empty() {
            format!(
                "{} missing values",
                if missing.len() == 1 { "one column has".into() } else { format!("{} columns have", missing.len()) }
            )
        } else {
            format!("at least half of {} is missing", list(&mostly))
        };
        findings.push(Finding::new(
            if mostly.is_empty() { Severity::Note } else { Severity::Warning },
            title,
            "Numbers are imputed from the training part, texts count as empty.".into(),
            missing
                .iter()
                .map(|column| {
                    format!("{}: {} ({})", column.name, counted(column.missing, "row"), percent(share(column)))
                })
                .collect(),
        ));
    }
    findings.extend(alike(correlations));
    findings
}

fn alike(correlations: &Correlations) -> Option<Finding> {
    let mut evidence = Vec::new();
    for CorrelatedPair { a, b, pearson, spearman } in &correlations.strongest {
        let strongest = [("Pearson", pearson), ("Spearman", spearman)]
            .into_iter()
            .filter_map(|(name, value)| value.map(|value| (name, value)))
            .max_by(|x, y| x.1.abs().total_cmp(&y.1.abs()));
        if let Some((name, value)) = strongest
            && value.abs() >= ALIKE
        {
            evidence.push(format!("{a} and {b}: {name} {value:.3}"));
        }
    }
    let pairs = correlations.alike.max(evidence.len() as u64);
    if pairs > evidence.len() as u64 {
        evidence.push(format!("… and {} more", thousands(pairs - evidence.len() as u64)));
    }
    (!evidence.is_empty()).then(|| {
        Finding::new(
            Severity::Note,
            format!("{} of numeric columns say nearly the same", counted(pairs, "pair")),
            "Trees and networks bear it; coefficients of linear models become hard to read.".into(),
            evidence,
        )
    })
}

pub(super) fn of_classes(input: &Checked, classes: &[ClassBalance]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let unlabelled = (input.rows - input.labelled) as u64;
    if unlabelled > 0 {
        findings.push(Finding::new(
            Severity::Note,
            format!("{} without a label", counted(unlabelled, "row")),
            "They take part in columns, correlations, duplicates and overlap, not in what concerns labels.".into(),
            Vec::new(),
        ));
    }
    let occurring: Vec<&ClassBalance> = classes.iter().filter(|class| class.rows > 0).collect();
    let (Some(largest), Some(smallest)) =
        (occurring.iter().max_by_key(|class| class.rows), occurring.iter().min_by_key(|class| class.rows))
    else {
        return findings;
    };
    let counts = || {
        occurring
            .iter()
            .map(|class| format!("{}: {} ({})", class.class, counted(class.rows, "row"), percent(class.share)))
    };
    if occurring.len() == 1 {
        findings.push(Finding::new(
            Severity::Danger,
            format!("there is only one class, {}", largest.class),
            "Nothing can be learned from it: add rows of another class.".into(),
            Vec::new(),
        ));
        return findings;
    }
    let small: Vec<String> =
        occurring.iter().filter(|class| class.rows < FEW_ROWS).map(|class| class.class.clone()).collect();
    if !small.is_empty() {
        let verb = if small.len() == 1 { "has" } else { "have" };
        findings.push(Finding::new(
            Severity::Warning,
            format!("{} {verb} fewer than {FEW_ROWS} rows", list(&small)),
            "Scores of so small a class are mostly luck.".into(),
            counts().collect(),
        ));
    }
    let ratio = largest.rows as f64 / smallest.rows as f64;
    let (severity, title) = match ratio {
        ratio if ratio >= UNBALANCED => (Severity::Note, "classes are unbalanced"),
        ratio if ratio > BALANCED => (Severity::Note, "classes are somewhat unbalanced"),
        _ => (Severity::Ok, "classes are fairly balanced"),
    };
    let guess = percent(largest.share);
    let detail = if largest.rows == smallest.rows {
        format!(
            "All {} have {}. Always guessing one is right on {guess} of rows: the mark to beat.",
            occurring.len(),
            counted(largest.rows, "row")
        )
    } else {
        format!(
            "The largest class, {}, has {ratio:.1} times the rows of the smallest, {}. Always guessing it is right on {guess} of rows: \
         the mark to beat.",
            largest.class, smallest.class,
        )
    };
    findings.push(Finding::new(severity, title.into(), detail, counts().collect()));
    findings
}
