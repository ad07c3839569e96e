//! `profile` through its public door: odd tables, errors, options; statistics are in `statistics`.

mod audit;
mod statistics;

use indexmap::IndexMap;
use runner_results::profile::ClassGroup;
use runner_results::profile::audit::FindingKind;

use super::*;
use crate::frame::{Column, Frame};
use crate::progress::Silent;

/// A table under construction; classes, groups and parts as in `ProfileInput`.
pub(in crate::profile) struct Table {
    pub(crate) frame: Frame,
    pub(crate) label: Vec<Option<u32>>,
    pub(crate) classes: Vec<String>,
    pub(crate) part: Option<Vec<u8>>,
    pub(crate) groups: IndexMap<String, Vec<Option<String>>>,
}

impl Table {
    pub(crate) fn new(label: Vec<Option<u32>>, classes: &[&str]) -> Self {
        Table {
            frame: Frame::new(label.len()),
            label,
            classes: classes.iter().map(|class| class.to_string()).collect(),
            part: None,
            groups: IndexMap::new(),
        }
    }

    pub(crate) fn numeric(mut self, name: &str, values: impl IntoIterator<Item = f64>) -> Self {
        self.frame.insert(name, Column::Numeric(values.into_iter().collect()));
        self
    }

    pub(crate) fn text<T: AsRef<str>>(mut self, name: &str, values: impl IntoIterator<Item = T>) -> Self {
        self.frame.insert(name, Column::Text(texts(values)));
        self
    }

    pub(crate) fn group<T: AsRef<str>>(mut self, name: &str, values: impl IntoIterator<Item = T>) -> Self {
        self.groups.insert(name.into(), texts(values));
        self
    }

    pub(crate) fn part(mut self, part: impl IntoIterator<Item = u8>) -> Self {
        self.part = Some(part.into_iter().collect());
        self
    }

    pub(crate) fn input(&self) -> ProfileInput<'_> {
        ProfileInput {
            frame: &self.frame,
            label: &self.label,
            classes: &self.classes,
            part: self.part.as_deref(),
            groups: self.groups.clone(),
            origins: None,
            seed: 5,
        }
    }

    pub(crate) fn profile(&self) -> Profile {
        self.profile_with(&ProfileOptions::default())
    }

    pub(crate) fn profile_with(&self, options: &ProfileOptions) -> Profile {
        profile(&self.input(), options, 2, &Silent).expect("the table is sound")
    }
}

/// An empty text is a missing one.
fn texts<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> Vec<Option<String>> {
    let owned = values.into_iter().map(|text| text.as_ref().to_string());
    owned.map(|text| (!text.is_empty()).then_some(text)).collect()
}

#[test]
fn odd_tables_give_documents_that_read_back_equal_for_any_number_of_threads() {
    let label = (0..12).map(|i| (i % 4 != 3).then_some(i % 2)).collect();
    let table = Table::new(label, &["x", "y", "never"])
        .numeric("infinite", (0..12).map(|i| if i % 5 == 0 { f64::INFINITY } else { f64::from(i) }))
        .numeric("huge", (0..12).map(|i| if i % 2 == 0 { f64::MAX } else { f64::MIN }))
        .numeric("empty", [f64::NAN; 12])
        .numeric("constant", [0.1; 12])
        .numeric("zero", (0..12).map(|i| if i % 2 == 0 { 0.0 } else { -0.0 }))
        .numeric("single", (0..12).map(|i| if i == 4 { 1.5 } else { f64::NAN }))
        .text("nothing", [""; 12])
        .text("word", (0..12).map(|i| ["a", "", "b\u{1f}c"][i % 3]))
        .part((0..12).map(|i| i % 3))
        .group("word", (0..12).map(|i| ["a", "", "b\u{1f}c"][i % 3]));
    let profile_on = |threads| profile(&table.input(), &ProfileOptions::default(), threads, &Silent).expect("sound");
    let (one, four) = (profile_on(1), profile_on(4));
    let json = serde_json::to_string(&one).expect("no infinities");
    assert_eq!(json, serde_json::to_string(&four).expect("no infinities"));
    // Floats may read back one unit in the last place off, so texts are compared.
    let read: Profile = serde_json::from_str(&json).expect("reads back");
    assert_eq!(read.audit.findings, one.audit.findings);
    assert_eq!(read.audit.duplicates.len(), one.audit.duplicates.len());
    assert_eq!((one.rows, one.labelled, one.classes[2].rows), (12, 9, 0));
    assert_eq!((one.columns[0].infinite, one.columns[0].missing), (3, 3));
    assert_eq!(one.columns[4].distinct, 1);
    assert!(one.columns[2].numeric.is_none() && one.columns[5].numeric.is_some());
    assert_eq!(one.parts[1].rows, 4);
    let infinite = |kind: &FindingKind| matches!(kind, FindingKind::InfiniteValues { columns } if columns.len() == 1 && columns[0].column == "infinite");
    assert!(one.audit.findings.iter().any(|finding| infinite(&finding.kind)));
}

#[test]
fn small_and_unlabelled_tables_have_profiles() {
    let one_row = Table::new(vec![Some(0)], &["x"]).numeric("a", [1.0]).text("t", ["word"]).profile();
    let only = FindingKind::OneClass { class: "x".into() };
    assert!(one_row.audit.findings.iter().any(|finding| finding.kind == only));
    let unlabelled = Table::new(vec![None; 4], &[]).numeric("a", [1.0, 2.0, 2.0, 7.5]).profile();
    assert!(unlabelled.relevance.is_empty() && unlabelled.audit.contradictions.is_empty());
    let no_columns = Table::new(vec![Some(0), Some(1)], &["x", "y"]).profile();
    assert_eq!((no_columns.columns.len(), no_columns.classes.len()), (0, 2));
}

#[test]
fn errors_name_the_value_and_the_remedy() {
    let sound = || Table::new(vec![Some(0), Some(1)], &["x", "y"]).numeric("a", [1.0, 2.0]).text("t", ["p", "q"]);
    let error = |table: &Table, options: &ProfileOptions| {
        profile(&table.input(), options, 1, &Silent).expect_err("unsound").to_string()
    };
    let default = ProfileOptions::default();
    let mut table = sound();
    table.label = vec![Some(2), Some(0)];
    assert_eq!(error(&table, &default), "row 1 has label 2, but there are 2 classes");
    table.label = vec![Some(0)];
    assert_eq!(error(&table, &default), "the label has 1 values for 2 rows");
    assert_eq!(
        error(&sound().part([0, 9]), &default),
        "row 2 is in part 9; parts are 0 (train), 1 (valid) and 2 (test)"
    );
    assert_eq!(error(&sound().group("id", ["a"]), &default), "group key 'id' has 1 values for 2 rows");
    let mut table = sound();
    table.frame.insert("v", Column::Vector { dim: 1, values: vec![0.0, 1.0] });
    assert_eq!(error(&table, &default), "column 'v' holds vectors; describe numeric and text columns only");
    assert_eq!(error(&Table::new(Vec::new(), &["x"]), &default), "the table has no rows to describe");
    let unknown = ProfileOptions { near_duplicate_columns: vec!["a".into()], ..default.clone() };
    let expected = "near_duplicate_columns names 'a', which is no text column (text columns: t)";
    assert_eq!(error(&sound(), &unknown), expected);
    let bins = ProfileOptions { histogram_bins: 0, ..default };
    assert_eq!(error(&sound(), &bins), "histogram_bins is 0; it must be between 1 and 1000");
}

#[test]
fn options_deny_unknown_keys_and_default_the_rest() {
    let options: ProfileOptions = serde_json::from_str(r#"{"folds": 3}"#).expect("known key");
    assert_eq!(options, ProfileOptions { folds: 3, ..ProfileOptions::default() });
    assert!(serde_json::from_str::<ProfileOptions>(r#"{"fold": 3}"#).is_err());
}

#[test]
fn a_wide_table_has_the_same_profile_for_any_number_of_threads_and_can_be_stopped() {
    let mut stream = crate::rng::Stream::new(1, "wide", 0);
    let label = (0..60).map(|i| Some(i % 30)).collect();
    let names: Vec<String> = (0..30).map(|class| format!("c{class}")).collect();
    let mut table = Table::new(label, &names.iter().map(String::as_str).collect::<Vec<_>>());
    for column in 0..90 {
        let missing = |row: usize| column % 9 == 0 && row.is_multiple_of(5);
        let values: Vec<f64> = (0..60).map(|row| if missing(row) { f64::NAN } else { stream.normal() }).collect();
        table = table.numeric(&format!("f{column}"), values);
    }
    let profile_on = |threads| profile(&table.input(), &ProfileOptions::default(), threads, &Silent).expect("sound");
    let one = profile_on(1);
    assert_eq!(serde_json::to_string(&one).expect("finite"), serde_json::to_string(&profile_on(4)).expect("finite"));
    assert_eq!((one.columns.len(), one.histograms.len(), one.correlations.columns.len()), (90, 40, 40));
    assert_eq!((one.class_groups.len(), &one.class_groups[20]), (21, &ClassGroup::Others { others: 10 }));
    assert!(one.histograms.iter().all(|histogram| {
        let by_class: u64 = histogram.by_class.iter().flatten().sum();
        histogram.by_class.len() == 21 && by_class == histogram.overall.iter().sum::<u64>()
    }));
    assert_eq!(one.columns.iter().filter(|column| column.by_class.len() == 21).count(), 40);

    struct Stopped;
    impl crate::progress::Progress for Stopped {
        fn update(&self, _done: u64, _total: u64, _unit: &str, _note: &str) {}
        fn warn(&self, _message: &str) {}
        fn cancelled(&self) -> bool {
            true
        }
    }
    let stopped = profile(&table.input(), &ProfileOptions::default(), 2, &Stopped);
    assert!(matches!(stopped, Err(ProfileError::Cancelled(_))));
}
