//! Findings on rows of one part that are known from another.

use super::super::input::Checked;
use super::super::wording::{list, percent};
use super::Audit;
use super::column_lookup::GiveAwayVerdict;
use super::finding::{Finding, Severity};
use super::keys::KeyKind;

/// Share of test rows below which a leak is told but not warned of.
const NEGLIGIBLE: f64 = 0.002;

/// Keys of identity: the given split must not cut their groups.
pub(super) fn groups_between_parts(input: &Checked, audit: &Audit) -> Option<Finding> {
    let keys: Vec<_> =
        audit.overlaps.iter().filter(|o| matches!(o.kind, KeyKind::Group | KeyKind::Connected)).collect();
    if keys.is_empty() {
        return None;
    }
    let leak = |share: Option<f64>| share.unwrap_or(0.0);
    let random = keys.iter().map(|key| leak(key.random.test_in_train)).fold(0.0, f64::max);
    let evidence: Vec<String> = keys
        .iter()
        .map(|key| match &key.given {
            Some(given) => format!(
                "{}: {} of test rows occur in train ({} in valid); in a random row split {}",
                key.key,
                percent(leak(given.test_in_train)),
                percent(leak(given.test_in_valid)),
                percent(leak(key.random.test_in_train))
            ),
            None => {
                format!(
                    "{}: in a random row split {} of test rows occur in train",
                    key.key,
                    percent(leak(key.random.test_in_train))
                )
            }
        })
        .collect();
    if input.part.is_none() {
        let (severity, title) = match random > NEGLIGIBLE {
            true => (Severity::Warning, format!("a random row split would leak {} of the test rows", percent(random))),
            false => (Severity::Ok, "a random row split would hardly leak".into()),
        };
        let detail = "Rows with an equal key would stand on both sides of a split that ignores groups: give the splitter \
                      these keys as groups.";
        return Some(Finding::new(severity, title, detail.into(), evidence));
    }
    let worst = |pick: fn(&super::overlap::PartOverlap) -> Option<f64>| {
        keys.iter().filter_map(|key| key.given.as_ref().and_then(pick)).fold(0.0, f64::max)
    };
    let (train, valid, early) =
        (worst(|part| part.test_in_train), worst(|part| part.test_in_valid), worst(|part| part.valid_in_train));
    let detail = format!(
        "A random row split would put a twin of {} of the test rows into train, and its scores would be too good by what \
         can be remembered of them.",
        percent(random)
    );
    Some(if train > 0.0 {
        let severity = if train > NEGLIGIBLE { Severity::Danger } else { Severity::Warning };
        Finding::new(
            severity,
            format!("{} of test rows have a twin in train", percent(train)),
            "Test scores reward memory. Give the splitter these keys as groups.".into(),
            evidence,
        )
    } else if valid > 0.0 || early > 0.0 {
        Finding::new(
            Severity::Warning,
            "valid shares groups with another part".into(),
            format!(
                "{} of test rows have a twin in valid, {} of valid rows one in train: what is chosen on valid is chosen on \
                 known rows. Give the splitter these keys as groups.",
                percent(valid),
                percent(early)
            ),
            evidence,
        )
    } else {
        Finding::new(Severity::Ok, "no group stands on both sides of the split".into(), detail, evidence)
    })
}

/// Twins that the group keys do not name: near-duplicates and equal numbers across the given split.
pub(super) fn twins_between_parts(audit: &Audit) -> Option<Finding> {
    let chance: Vec<&str> =
        audit.duplicates.iter().filter(|found| found.may_be_chance()).map(|found| found.key.as_str()).collect();
    let mut evidence = Vec::new();
    let mut worst = 0.0f64;
    for overlap in &audit.overlaps {
        let kinds = [KeyKind::Rows, KeyKind::Numbers, KeyKind::RoundedNumbers, KeyKind::NormalisedText];
        let share = overlap.given.as_ref().and_then(|given| given.test_in_train).unwrap_or(0.0);
        if kinds.contains(&overlap.kind) && share > 0.0 && !chance.contains(&overlap.key.as_str()) {
            worst = worst.max(share);
            evidence.push(format!(
                "{}: {} of test rows occur in train; in a random row split {}",
                overlap.key,
                percent(share),
                percent(overlap.random.test_in_train.unwrap_or(0.0))
            ));
        }
    }
    (worst > 0.0).then(|| {
        Finding::new(
            if worst > NEGLIGIBLE { Severity::Warning } else { Severity::Note },
            format!("up to {} of test rows equal or nearly equal a training row", percent(worst)),
            "The split's groups do not tie these rows together. Add a key that does, or keep in mind that test scores are \
             slightly too good."
                .into(),
            evidence,
        )
    })
}

/// Values that test and train share rightly, such as an artist: how far the test part is from new workspace.
pub(super) fn known_values(audit: &Audit) -> Option<Finding> {
    let telling = |name: &str| {
        let told = [GiveAwayVerdict::GivesAway, GiveAwayVerdict::RecognisesRows];
        audit.give_aways.iter().any(|column| column.column == name && told.contains(&column.verdict))
    };
    let mut evidence = Vec::new();
    let mut titles = Vec::new();
    for overlap in audit.overlaps.iter().filter(|overlap| overlap.kind == KeyKind::Column && !telling(&overlap.key)) {
        let share = overlap.given.as_ref().and_then(|given| given.test_in_train).unwrap_or(0.0);
        if share < 0.05 {
            continue;
        }
        titles.push(format!("{} ({})", overlap.key, percent(share)));
        evidence.push(format!(
            "{}: {} of test rows have a value known from train; in a random row split {}",
            overlap.key,
            percent(share),
            percent(overlap.random.test_in_train.unwrap_or(0.0))
        ));
    }
    (!titles.is_empty()).then(|| {
        Finding::new(
            Severity::Note,
            format!("test rows share values with train: {}", list(&titles)),
            "A model may rely on such values. Where new data will bring new ones, its score will be lower: group the split \
             by the column to see by how much."
                .into(),
            evidence,
        )
    })
}
