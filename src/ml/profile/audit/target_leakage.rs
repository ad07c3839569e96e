//! Findings on columns that leak the label or recognise rows.

use runner_results::profile::audit::{Audit, Finding, FindingKind, GiveAwayVerdict, Severity};

pub(super) fn give_aways(audit: &Audit) -> Vec<Finding> {
    let with = |verdict| -> Vec<String> {
        let found = audit.give_aways.iter().filter(|column| column.verdict == verdict);
        found.map(|column| column.column.clone()).collect()
    };
    let (telling, nearly) = (with(GiveAwayVerdict::GivesAway), with(GiveAwayVerdict::Nearly));
    let identities = with(GiveAwayVerdict::RecognisesRows);
    let is_clean = telling.is_empty() && nearly.is_empty() && !audit.give_aways.is_empty();
    let mut findings = Vec::new();
    if !telling.is_empty() {
        findings.push(Finding::new(Severity::Danger, FindingKind::LeaksLabel { columns: telling }));
    }
    if !nearly.is_empty() {
        findings.push(Finding::new(Severity::Warning, FindingKind::NearlyLeaksLabel { columns: nearly }));
    }
    if is_clean {
        let best = audit.give_aways.iter().map(|column| column.honest().accuracy).fold(0.0, f64::max);
        findings.push(Finding::new(Severity::Ok, FindingKind::NoLeakOfLabel { best }));
    }
    if !identities.is_empty() {
        findings.push(Finding::new(Severity::Note, FindingKind::RecognisesRows { columns: identities }));
    }
    findings
}
