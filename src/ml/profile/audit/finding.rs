//! What the audit's figures amount to, gravest first.

use runner_results::profile::audit::{Audit, Finding};
use runner_results::profile::{ClassBalance, ColumnProfile, Correlations};

use super::super::table::input::Checked;
use super::{quality, repetition, split_leaks, target_leakage};

pub(super) fn of_audit(
    input: &Checked,
    audit: &Audit,
    has_copies: bool,
    columns: &[ColumnProfile],
    classes: &[ClassBalance],
    correlations: &Correlations,
) -> Vec<Finding> {
    let mut findings = target_leakage::target_leaks(audit, classes);
    findings.extend(split_leaks::groups_between_parts(input, audit));
    findings.extend(split_leaks::duplicates_between_parts(audit, has_copies));
    findings.extend(repetition::contradictions(input, audit));
    findings.extend(repetition::repeated_rows(input, audit, has_copies));
    findings.extend(repetition::near_duplicates(audit));
    findings.extend(split_leaks::known_values(input, audit));
    findings.extend(quality::of_columns(input, columns, correlations));
    findings.extend(quality::of_classes(input, classes));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}
