//! Findings on columns that leak the label or recognise rows.

use runner_results::profile::ClassBalance;
use runner_results::profile::audit::{Audit, Finding, FindingKind, Severity, TargetLeakVerdict};

pub(super) fn target_leaks(audit: &Audit, classes: &[ClassBalance]) -> Vec<Finding> {
    let with = |verdict| -> Vec<String> {
        let found = audit.target_leaks.iter().filter(|column| column.verdict == verdict);
        found.map(|column| column.column.clone()).collect()
    };
    let (telling, nearly) = (with(TargetLeakVerdict::Leaks), with(TargetLeakVerdict::Nearly));
    let identities = with(TargetLeakVerdict::RecognisesRows);
    let is_clean = telling.is_empty() && nearly.is_empty() && !audit.target_leaks.is_empty();
    let mut findings = Vec::new();
    if !telling.is_empty() {
        findings.push(Finding::new(Severity::Danger, FindingKind::LeaksLabel { columns: telling }));
    }
    if !nearly.is_empty() {
        findings.push(Finding::new(Severity::Warning, FindingKind::NearlyLeaksLabel { columns: nearly }));
    }
    if is_clean {
        let guess = classes.iter().map(|class| class.share).fold(0.0, f64::max);
        let best = audit.target_leaks.iter().map(|column| column.honest().accuracy).fold(0.0, f64::max);
        findings.push(Finding::new(Severity::Ok, FindingKind::NoLeakOfLabel { best, guess }));
    }
    if !identities.is_empty() {
        findings.push(Finding::new(Severity::Note, FindingKind::RecognisesRows { columns: identities }));
    }
    findings
}
