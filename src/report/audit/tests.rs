use super::*;
use runner_results::profile::audit::{
    Audit, ClassCount, ColumnScore, Contradictions, ReadBy, RowKey, RowSet, Severity, SharedValues, TargetLeak,
    TargetLeakVerdict,
};
use runner_results::profile::{ClassBalance, ClassGroup, ColumnKind, Profile};

fn score(coverage: f64, right: f64, accuracy: f64) -> ColumnScore {
    let (gain, gain_low, gain_on_covered) = (0.5, 0.45, 0.99);
    ColumnScore { coverage, accuracy_on_covered: Some(right), accuracy, gain, gain_low, gain_on_covered }
}

fn looked_up(column: &str, distinct: u64, verdict: TargetLeakVerdict) -> TargetLeak {
    TargetLeak {
        column: column.to_owned(),
        kind: ColumnKind::Text,
        read_by: ReadBy::Value,
        distinct,
        repeated: 1.0,
        purity: Some(1.0),
        row_folds: score(0.8, 1.0, 0.9),
        group_folds: Some(score(0.5, 0.9999, 0.7)),
        verdict,
    }
}

fn profile() -> Profile {
    let class = |class: &str, rows: u64| ClassBalance { class: class.into(), rows, share: rows as f64 / 1_200.0 };
    let target_leaks = vec![
        looked_up("again", 2, TargetLeakVerdict::Leaks),
        looked_up("list", 2_100, TargetLeakVerdict::Leaks),
        looked_up("id", 600, TargetLeakVerdict::RecognisesRows),
    ];
    let example = RowSet {
        value: Some("Long Road".into()),
        rows: 2,
        classes: vec![ClassCount { class: "a".into(), rows: 1 }, ClassCount { class: "b".into(), rows: 1 }],
        places: vec!["one.csv:3".into(), "one.csv:4".into()],
    };
    let contradictions = vec![Contradictions {
        key: RowKey::Group { name: "id".into() },
        values: 5_000,
        contradictory: 1,
        rows: 2,
        ceiling: 0.8333,
        varying: Vec::new(),
        examples: vec![example],
    }];
    Profile {
        rows: 1_200,
        classes: vec![class("a", 800), class("b", 400), class("never", 0)],
        audit: Audit { target_leaks, contradictions, ..Audit::default() },
        ..Profile::default()
    }
}

fn told(kind: FindingKind) -> (String, Vec<String>) {
    let finding = Finding { severity: Severity::Note, kind };
    (title(&finding), evidence(&finding, &profile()).lines)
}

#[test]
fn columns_that_leak_are_named_with_their_reasons() {
    let (title, lines) = told(FindingKind::LeaksLabel { columns: vec!["again".into(), "list".into()] });
    assert_eq!(title, "again and list leak the label");
    assert_eq!(
        lines[0],
        "again: looking its value up on rows that are no copies of its own is right on > 99.9 % of the rows that can be looked up (50.0 % of all); guessing the largest class: \
         66.7 %; its values and the labels match one to one: it is the label under another name"
    );
    assert!(lines[1].ends_with("; each of its 2,100 values has one label only"), "{}", lines[1]);
    let (title, lines) = told(FindingKind::RecognisesRows { columns: vec!["id".into()] });
    assert_eq!(title, "id recognises rows");
    assert!(
        lines[0].ends_with("; with copies of a row on both sides 80.0 % could be looked up: it recognises rows"),
        "{}",
        lines[0]
    );
}

#[test]
fn contradictions_point_at_rows() {
    let key = RowKey::Group { name: "id".into() };
    let (title, lines) = told(FindingKind::LabelCeiling {
        key,
        values: 5_000,
        contradictory: 1,
        rows: 2,
        ceiling: 0.8333,
        varying: Vec::new(),
    });
    assert_eq!(title, "contradictory labels cap accuracy at 83.3 %");
    assert_eq!(
        lines,
        [
            "id: 1 of 5,000 values have more than one label (2 rows); ceiling 83.3 %",
            "\"Long Road\": 2 rows (1 a, 1 b) at one.csv:3, one.csv:4"
        ]
    );
}

#[test]
fn long_lists_are_cut_and_keys_have_names() {
    let columns = (0..14).map(|i| SharedValues { column: format!("c{i}"), share: 0.5 }).collect();
    let (title, _) = told(FindingKind::SharedValues { columns });
    assert!(title.ends_with("c11 (50.0 %) and 2 more"), "{title}");
    let except = vec!["a".to_owned(), "b".to_owned(), "c".to_owned()];
    assert_eq!(key(&RowKey::Rows { except }), "every column but a, b and c");
    assert_eq!(key(&RowKey::RoundedNumbers { digits: 1 }), "every numeric column to 1 digit");
    assert_eq!(group(&ClassGroup::Others { others: 10 }), "10 other classes");
}
