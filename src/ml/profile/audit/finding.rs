//! Findings: the audit's figures as sentences with a severity, gravest first.

use serde::{Deserialize, Serialize};

use super::super::ClassBalance;
use super::super::column::ColumnProfile;
use super::super::correlation::Correlations;
use super::super::input::Checked;
use super::super::wording::thousands;
use super::{Audit, quality, repetition, split_leaks, target_leakage};

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Looked for and not found.
    Ok,
    /// Worth knowing.
    Note,
    /// Scores may be too good, or capped.
    Warning,
    /// Scores mean nothing until this is dealt with.
    Danger,
}

/// Lines of evidence; the profile has the figures of every column and class besides.
const MOST_EVIDENCE: usize = 100;

/// One sentence of the audit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    pub severity: Severity,
    /// A short sentence without a full stop.
    pub title: String,
    /// What it means and what to do.
    pub detail: String,
    /// Figures and examples, one a line.
    pub evidence: Vec<String>,
}

impl Finding {
    pub(super) fn new(severity: Severity, title: String, detail: String, mut evidence: Vec<String>) -> Self {
        if evidence.len() > MOST_EVIDENCE + 1 {
            let more = evidence.len() - MOST_EVIDENCE;
            evidence.truncate(MOST_EVIDENCE);
            evidence.push(format!("… and {} more", thousands(more as u64)));
        }
        Finding { severity, title, detail, evidence }
    }
}

pub(super) fn of_audit(
    input: &Checked,
    audit: &Audit,
    columns: &[ColumnProfile],
    classes: &[ClassBalance],
    correlations: &Correlations,
) -> Vec<Finding> {
    let mut findings = target_leakage::give_aways(audit);
    findings.extend(split_leaks::groups_between_parts(input, audit));
    findings.extend(split_leaks::twins_between_parts(audit));
    findings.extend(repetition::contradictions(input, audit));
    findings.extend(repetition::repeated_rows(input, audit));
    findings.extend(repetition::near_duplicates(audit));
    findings.extend(split_leaks::known_values(audit));
    findings.extend(quality::of_columns(input, columns, correlations));
    findings.extend(quality::of_classes(input, classes));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}
