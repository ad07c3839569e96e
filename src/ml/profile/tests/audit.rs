//! The leakage audit through `profile`: planted leaks are found, harmless tables raise nothing, counts agree with
//! comparing all pairs of rows.

use runner_results::profile::Profile;
use runner_results::profile::audit::{
    Duplicates, FindingKind, Overlap, ReadBy, RowKey, Severity, TargetLeak, TargetLeakVerdict,
};

use super::super::{Origins, ProfileOptions, profile};
use super::Table;
use crate::rng::Stream;

const CLASSES: [&str; 3] = ["jazz", "folk", "punk"];

/// 600 rows: 300 things with a twin each, the label being the thing's.
fn twins() -> Table {
    let mut stream = Stream::new(11, "audit test", 0);
    let things: Vec<usize> = (0..300).map(|_| stream.below(3)).collect();
    let class: Vec<usize> = (0..600).map(|i| things[i % 300]).collect();
    let album: Vec<usize> = (0..300)
        .map(|i| {
            let class = if stream.uniform() < 0.1 { stream.below(3) } else { things[i] };
            class + 3 * stream.below(15)
        })
        .collect();
    let label = class.iter().map(|&class| Some(class as u32)).collect();
    let mut numbers = |scale: f64| -> Vec<f64> { (0..300).map(|_| scale * stream.uniform()).collect() };
    let (noise, offset) = (numbers(7.0), numbers(0.9));
    Table::new(label, &CLASSES)
        .text("label_again", class.iter().map(|&class| ["un", "deux", "trois"][class]))
        .text("playlist", (0..600).map(|i| format!("{}-{}", class[i], i % 7)))
        .text("album", (0..600).map(|i| format!("album {}", album[i % 300])))
        .text("word", (0..600).map(|i| format!("word {}", i * i % 23)))
        .numeric("score", (0..600).map(|i| class[i] as f64 + offset[i % 300]))
        .numeric("noise", (0..600).map(|i| noise[i % 300]))
        .group("id", (0..600).map(|i| format!("id {}", i % 300)))
        .text("id", (0..600).map(|i| format!("id {}", i % 300)))
}

fn target_leak<'p>(profile: &'p Profile, column: &str) -> &'p TargetLeak {
    profile.audit.target_leaks.iter().find(|found| found.column == column).expect("a column of the table")
}

fn severity(profile: &Profile, wanted: impl Fn(&FindingKind) -> bool) -> Option<Severity> {
    profile.audit.findings.iter().find(|finding| wanted(&finding.kind)).map(|finding| finding.severity)
}

fn group(name: &str) -> RowKey {
    RowKey::Group { name: name.into() }
}

fn overlap<'p>(profile: &'p Profile, key: &RowKey) -> &'p Overlap {
    profile.audit.overlaps.iter().find(|found| found.key == *key).expect("a key of the table")
}

fn duplicates<'p>(profile: &'p Profile, key: &RowKey) -> &'p Duplicates {
    profile.audit.duplicates.iter().find(|found| found.key == *key).expect("a key of the table")
}

fn names(columns: &[&str]) -> Vec<String> {
    columns.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn columns_that_tell_the_label_are_told_from_those_that_recognise_rows() {
    let profile = twins().profile();
    let verdict = |column| target_leak(&profile, column).verdict;
    assert_eq!(verdict("label_again"), TargetLeakVerdict::Leaks);
    assert_eq!(verdict("playlist"), TargetLeakVerdict::Leaks);
    assert_eq!(verdict("score"), TargetLeakVerdict::Leaks);
    assert_eq!(verdict("album"), TargetLeakVerdict::Nearly);
    assert_eq!(verdict("word"), TargetLeakVerdict::No);
    assert_eq!(verdict("noise"), TargetLeakVerdict::No);
    assert_eq!(verdict("id"), TargetLeakVerdict::RecognisesRows);
    let told = |column| (target_leak(&profile, column).purity, target_leak(&profile, column).distinct);
    assert_eq!((told("label_again"), told("playlist")), ((Some(1.0), 3), (Some(1.0), 21)));
    assert_eq!(target_leak(&profile, "score").read_by, ReadBy::QuantileBin);
    // A twin tells an identifier's label, and no other row does.
    let id = target_leak(&profile, "id");
    assert!(id.row_folds.coverage > 0.7 && id.row_folds.accuracy_on_covered == Some(1.0));
    assert_eq!(id.group_folds.as_ref().map(|score| score.coverage), Some(0.0));
    let leaking = names(&["label_again", "playlist", "score"]);
    let first = &profile.audit.findings[0];
    assert_eq!(first.severity, Severity::Danger);
    assert_eq!(first.kind, FindingKind::LeaksLabel { columns: leaking.clone() });
    let nearly = FindingKind::NearlyLeaksLabel { columns: names(&["album"]) };
    assert_eq!(severity(&profile, |kind| *kind == nearly), Some(Severity::Warning));
    assert_eq!(profile.audit.duplicates[1].key, RowKey::Rows { except: leaking });
}

#[test]
fn copies_of_rows_are_to_blame_and_no_column() {
    // 150 measurements of noise, each four times, rows dealt out without groups.
    let mut stream = Stream::new(5, "audit test", 2);
    let things: Vec<(f64, usize)> = (0..150).map(|_| (7.0 * stream.uniform(), stream.below(3))).collect();
    let thing = |i: usize| things[i % 150];
    let label = || (0..600).map(|i| Some(thing(i).1 as u32)).collect::<Vec<_>>();
    let table = |label| {
        let parts: Vec<u8> = (0..600).map(|i| [0, 0, 1, 2][i * 7 % 600 / 150]).collect();
        Table::new(label, &CLASSES).numeric("noise", (0..600).map(|i| thing(i).0)).part(parts)
    };
    let profile = table(label()).profile();
    assert_eq!(target_leak(&profile, "noise").verdict, TargetLeakVerdict::No);
    let first = &profile.audit.findings[0];
    assert!(matches!(first.kind, FindingKind::NearDuplicatesInTrain { .. }), "{first:?}");
    assert_eq!(first.severity, Severity::Danger);
    // What does leak the label is found among copies too.
    let telling = table(label()).text("again", (0..600).map(|i| ["un", "deux", "trois"][thing(i).1])).profile();
    assert_eq!(target_leak(&telling, "again").verdict, TargetLeakVerdict::Leaks);
    // Categories repeat rightly.
    let few = Table::new(label(), &CLASSES).text("word", (0..600).map(|i| format!("{}-{}", thing(i).1, i % 5)));
    assert_eq!(target_leak(&few.profile(), "word").verdict, TargetLeakVerdict::Leaks);
}

#[test]
fn a_large_majority_class_is_no_target_leak() {
    let label = (0..400).map(|i| Some(u32::from(i % 25 == 0))).collect();
    let profile = Table::new(label, &CLASSES[..2]).text("word", (0..400).map(|i| format!("{}", i * i % 11))).profile();
    assert!(target_leak(&profile, "word").row_folds.accuracy > 0.95);
    assert_eq!(target_leak(&profile, "word").verdict, TargetLeakVerdict::No);
    assert!(severity(&profile, |kind| matches!(kind, FindingKind::NoLeakOfLabel { .. })).is_some());
}

#[test]
fn a_split_of_rows_leaks_and_a_split_of_groups_does_not() {
    let by_row = twins().part((0..600).map(|i| [0, 0, 1, 2][i * 7 % 600 / 150])).profile();
    let straddling = severity(&by_row, |kind| matches!(kind, FindingKind::DuplicatesInTrain { .. }));
    assert_eq!(straddling, Some(Severity::Danger));
    let by_group = twins().part((0..600).map(|i| [0, 0, 1, 2][i % 300 / 75])).profile();
    let whole = severity(&by_group, |kind| matches!(kind, FindingKind::GroupsWhole { .. }));
    assert_eq!(whole, Some(Severity::Ok));
    let id = overlap(&by_group, &group("id"));
    assert_eq!(id.given.as_ref().and_then(|given| given.test_in_train), Some(0.0));
    // Half of the rows are in train: about half of the twins are.
    let random = id.random.test_in_train.expect("parts have rows");
    assert!((random - 0.5).abs() < 0.1, "{random}");
    let unsplit = twins().profile();
    let leak = severity(&unsplit, |kind| matches!(kind, FindingKind::RandomSplitLeaks { .. }));
    assert_eq!(leak, Some(Severity::Warning));
    // 80 % of the rows in train hold four of five twins.
    assert!((overlap(&unsplit, &group("id")).random.test_in_train.expect("has rows") - 0.8).abs() < 0.1);
}

#[test]
fn counts_agree_with_comparing_all_pairs() {
    let mut stream = Stream::new(3, "audit test", 1);
    let rows = 150;
    let names: Vec<String> =
        (0..rows).map(|_| if stream.below(9) == 0 { String::new() } else { stream.below(60).to_string() }).collect();
    let label: Vec<Option<u32>> = (0..rows).map(|_| (stream.below(8) > 0).then(|| stream.below(3) as u32)).collect();
    let part: Vec<u8> = (0..rows).map(|_| stream.below(3) as u8).collect();
    let table = Table::new(label.clone(), &CLASSES).group("name", &names).part(part.iter().copied());
    let profile = table.profile();
    let twin = |i: usize, j: usize| i != j && !names[i].is_empty() && names[i] == names[j];
    let has = |i: usize, test: &dyn Fn(usize) -> bool| (0..rows).any(|j| twin(i, j) && test(j));

    let found = duplicates(&profile, &group("name"));
    assert_eq!(found.rows, (0..rows).filter(|&i| has(i, &|_| true)).count() as u64);
    let later = (0..rows).filter(|&i| (0..i).any(|j| twin(i, j))).count() as u64;
    assert_eq!((found.surplus, found.rows - found.sets), (later, later));
    let pairs = (0..rows).flat_map(|i| (0..i).map(move |j| (i, j))).filter(|&(i, j)| twin(i, j)).count();
    assert_eq!(found.pairs, pairs as f64);

    let found = profile.audit.contradictions.iter().find(|found| found.key == group("name")).expect("a key");
    let contradicts = |i: usize| label[i].is_some() && has(i, &|j| label[j].is_some() && label[j] != label[i]);
    assert_eq!(found.rows, (0..rows).filter(|&i| contradicts(i)).count() as u64);
    let share_of_largest = |i: usize| {
        // Each row adds largest / size of its set; a set then adds its largest class.
        let set: Vec<u32> = (0..rows).filter(|&j| i == j || twin(i, j)).filter_map(|j| label[j]).collect();
        let largest = (0..3).map(|class| set.iter().filter(|&&label| label == class).count()).max().unwrap_or(0);
        largest as f64 / set.len() as f64
    };
    let labelled: Vec<usize> = (0..rows).filter(|&i| label[i].is_some()).collect();
    let ceiling = labelled.iter().map(|&i| share_of_largest(i)).sum::<f64>() / labelled.len() as f64;
    assert!((found.ceiling - ceiling).abs() < 1e-12 && ceiling < 0.95);

    let given = overlap(&profile, &group("name")).given.clone().expect("a split");
    let share = |of: u8, within: u8| {
        let all: Vec<usize> = (0..rows).filter(|&i| part[i] == of).collect();
        let known = all.iter().filter(|&&i| has(i, &|j| part[j] == within)).count();
        Some(known as f64 / all.len() as f64)
    };
    assert_eq!(
        (given.test_in_train, given.test_in_valid, given.valid_in_train),
        (share(2, 0), share(2, 1), share(1, 0))
    );
}

#[test]
fn near_duplicates_and_contradictions_point_at_rows() {
    let titles = ["Long Road", "LONG ROAD (Live)", "Long road - Remix", "Short Road", "", ""];
    let artists = ["The Fixture", "the fixture", "The Fixture", "The Fixture", "Nobody", "Nobody"];
    let table = Table::new([0, 1, 0, 1, 0, 1].map(Some).to_vec(), &CLASSES[..2])
        .text("title", titles)
        .text("artist", artists)
        .numeric("tempo", [120.004, 120.001, 99.0, 64.0, 80.0, 81.0])
        .numeric("length", [0.123456, 0.123451, 0.5, 0.7, 0.8, 0.9])
        .group("id", ["a", "b", "b", "c", "d", "e"]);
    let source = ["one.csv", "one.csv", "one.csv", "two.csv", "two.csv", "two.csv"].map(String::from);
    let line = [2, 3, 4, 2, 3, 4];
    let mut input = table.input();
    input.origins = Some(Origins { source: &source, line: &line });
    let options =
        ProfileOptions { near_duplicate_columns: vec!["title".into(), "artist".into()], ..ProfileOptions::default() };
    let profile = profile(&input, &options, 1, &crate::progress::Silent).expect("the table is sound");

    let text = duplicates(&profile, &RowKey::NormalisedText { columns: names(&["title", "artist"]) });
    assert_eq!((text.sets, text.rows, text.sets_across_identities, text.sets_across_groups), (1, 3, 1, 1));
    assert_eq!(text.examples[0].value.as_deref(), Some("Long Road · The Fixture"));
    assert_eq!(text.examples[0].places, ["one.csv:2", "one.csv:3", "one.csv:4"]);
    let numbers = duplicates(&profile, &RowKey::RoundedNumbers { digits: 3 });
    assert_eq!((numbers.sets, numbers.rows), (1, 2));
    assert_eq!(duplicates(&profile, &RowKey::Numbers).sets, 0);

    let id = profile.audit.contradictions.iter().find(|found| found.key == group("id")).expect("a key");
    assert_eq!((id.values, id.contradictory, id.rows), (5, 1, 2));
    assert!((id.ceiling - 5.0 / 6.0).abs() < 1e-12);
    // Other columns tell the two rows apart: no model that reads them is capped.
    assert_eq!(id.varying, ["title", "artist", "tempo", "length"]);
    let ceiling = FindingKind::LabelCeiling {
        key: group("id"),
        values: 5,
        contradictory: 1,
        rows: 2,
        ceiling: id.ceiling,
        varying: id.varying.clone(),
    };
    assert!(severity(&profile, |kind| *kind == ceiling).is_some(), "{:?}", profile.audit.findings);
    assert_eq!(id.examples[0].places, ["one.csv:3", "one.csv:4"]);
}

#[test]
fn coarse_columns_are_not_taken_for_duplicates() {
    let label = (0..400).map(|i| Some((i / 2 % 2) as u32)).collect();
    let mut stream = Stream::new(2, "audit test", 2);
    let mut coin = || -> Vec<f64> { (0..400).map(|_| stream.below(3) as f64).collect() };
    let table = Table::new(label, &CLASSES[..2]).numeric("p", coin()).numeric("q", coin());
    let profile = table.part((0..400).map(|i| (i % 3) as u8)).profile();
    assert!(duplicates(&profile, &RowKey::Numbers).rows > 390);
    // 400 rows of nine different ones: 391 repeat, as many as chance makes them.
    let by_chance = profile.audit.findings.iter().find_map(|finding| match finding.kind {
        FindingKind::RepeatsByChance { surplus, share, pairs, expected_pairs } => {
            Some((surplus, share, pairs, expected_pairs.expect("two columns vary")))
        }
        _ => None,
    });
    let (surplus, share, pairs, expected) = by_chance.expect("rows repeat");
    assert_eq!((surplus, share), (391, 391.0 / 400.0));
    assert!((pairs / expected - 1.0).abs() < 0.05, "{pairs} {expected}");
    // Equal rows do have unequal labels, which of such columns is no contradiction.
    let told = |kind: &FindingKind| {
        matches!(
            kind,
            FindingKind::NoRepeats { .. } | FindingKind::ConsistentLabels { .. } | FindingKind::LabelCeiling { .. }
        )
    };
    assert!(severity(&profile, told).is_none());
    assert!(severity(&profile, |kind| matches!(kind, FindingKind::NearDuplicatesInTrain { .. })).is_none());
    assert!(profile.audit.findings.iter().all(|finding| finding.severity <= Severity::Note));
}

/// 600 rows of 60 things, each with a label of its own or, of every tenth, with two.
fn things() -> Table {
    let label = (0..600).map(|i| Some(u32::from(i % 60 % 2 == 1 || (i % 60 == 0 && i / 60 % 3 == 0)))).collect();
    Table::new(label, &CLASSES[..2])
        .numeric("size", (0..600).map(|i| ((i % 60) * 37 % 61) as f64 + 0.5))
        .group("thing", (0..600).map(|i| format!("thing {}", i % 60)))
}

#[test]
fn only_a_key_that_decides_all_columns_caps_every_model() {
    let whole = things().profile();
    let found = whole.audit.contradictions.iter().find(|found| found.key == group("thing")).expect("a key");
    assert!(found.contradictory == 1 && found.varying.is_empty(), "{found:?}");
    let is_ceiling =
        |kind: &FindingKind| matches!(kind, FindingKind::LabelCeiling { varying, .. } if varying.is_empty());
    assert!(severity(&whole, is_ceiling).is_some());
    // A column that differs between rows of a thing; an identifier of the rows is none.
    let numbered = things().numeric("id", (0..600).map(|i| f64::from(i + 1000))).profile();
    assert!(severity(&numbered, is_ceiling).is_some());
    let other = things().numeric("noise", (0..600).map(|i| f64::from(i * 7919 % 601) / 10.0)).profile();
    assert!(severity(&other, is_ceiling).is_none());
    let kind = |kind: &FindingKind| matches!(kind, FindingKind::LabelCeiling { varying, .. } if *varying == ["noise"]);
    assert_eq!(severity(&other, kind), Some(Severity::Note));
}

#[test]
fn identifiers_are_named_and_compared_with_nothing() {
    let label = || (0..600).map(|i| Some((i % 2) as u32)).collect::<Vec<_>>();
    let brand = |i: usize| format!("brand {}", i % 100);
    let table = Table::new(label(), &CLASSES[..2])
        .numeric("id", (0..600).map(|i| f64::from(1000 + i * 7 % 600)))
        .text("brand", (0..600).map(brand))
        .group("brand", (0..600).map(brand))
        .part((0..600).map(|i| [0, 0, 0, 1, 2][i % 100 / 20]));
    let profile = table.profile();
    assert_eq!(target_leak(&profile, "id").verdict, TargetLeakVerdict::RecognisesRows);
    // Six rows a brand: it names no row, although the split keeps its rows together.
    assert_eq!(target_leak(&profile, "brand").verdict, TargetLeakVerdict::No);
    assert!(severity(&profile, |kind| matches!(kind, FindingKind::NearDuplicatesInTrain { .. })).is_none());
    assert!(
        !profile.audit.overlaps.iter().any(|one| matches!(one.key, RowKey::RoundedNumbers { .. } | RowKey::Numbers))
    );
}

#[test]
fn only_values_of_which_there_are_many_may_be_new() {
    let label = (0..600).map(|i| Some((i / 7 % 2) as u32)).collect();
    let table = Table::new(label, &CLASSES[..2])
        .text("style", (0..600).map(|i| format!("style {}", i * 7 % 8)))
        .text("shop", (0..600).map(|i| format!("shop {}", i * 11 % 150)))
        .part((0..600).map(|i| [0, 0, 0, 1, 2][i / 120]));
    let shared = table.profile().audit.findings.into_iter().find_map(|finding| match finding.kind {
        FindingKind::SharedValues { columns } => Some(columns),
        _ => None,
    });
    let names: Vec<String> = shared.expect("a finding").into_iter().map(|one| one.column).collect();
    assert_eq!(names, ["shop"]);
}

#[test]
fn verdicts_follow_what_a_look_up_gains_over_the_largest_class() {
    // 1,000 rows of which 59 are in the smaller class, as many as 0.059 of them.
    let positive = |i: usize| i * 7919 % 1000 < 59;
    let label = (0..1000).map(|i| Some(u32::from(positive(i)))).collect();
    let present = |is: bool, text: String| if is { text } else { String::new() };
    let profile = Table::new(label, &CLASSES[..2])
        // Missing wherever the label is the smaller class; no other value repeats.
        .numeric("amount", (0..1000).map(|i| if positive(i) { f64::NAN } else { i as f64 + 0.25 }))
        .text("note", (0..1000).map(|i| present(!positive(i), format!("note {i}"))))
        .text("date", (0..1000).map(|i| present(positive(i), format!("day {i}"))))
        // Knows 6 of the 59 for sure, and of nothing else more than guessing does.
        .text(
            "some",
            (0..1000).map(|i| match i * 7919 % 1000 {
                code @ 0..59 if code < 6 => "known".to_owned(),
                0..59 => format!("once {i}"),
                code => format!("word {}", code % 7),
            }),
        )
        // Half missing, whatever the label is.
        .text("half", (0..1000).map(|i| present(i % 2 == 0, format!("word {}", i % 14))))
        .profile();
    let told = |column| {
        let found = target_leak(&profile, column);
        let score = found.honest();
        (found.verdict, found.read_by, (score.coverage, score.accuracy, score.gain))
    };
    for (column, read_by) in [("amount", ReadBy::QuantileBin), ("note", ReadBy::Presence), ("date", ReadBy::Presence)] {
        assert_eq!(told(column), (TargetLeakVerdict::Leaks, read_by, (1.0, 1.0, 1.0)), "{column}");
    }
    let (verdict, _, (_, accuracy, gain)) = told("some");
    assert!(verdict == TargetLeakVerdict::No && (accuracy - 0.947).abs() < 1e-12 && (gain - 6.0 / 59.0).abs() < 1e-12);
    assert_eq!(told("half").0, TargetLeakVerdict::No);
    // from statsmodels.stats.proportion import proportion_confint
    // 6/59 - hypot(6/59 - proportion_confint(6, 59, method="wilson")[0], proportion_confint(0, 941, method="wilson")[1] * 941 / 59)
    let low = target_leak(&profile, "some").honest().gain_low;
    let wilson = |share: f64, n: f64| {
        let z = 1.959_963_984_540_054_f64;
        let half = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
        let centre = share + z * z / (2.0 * n);
        ((centre - half) / (1.0 + z * z / n), (centre + half) / (1.0 + z * z / n))
    };
    let expected = 6.0 / 59.0 - (6.0 / 59.0 - wilson(6.0 / 59.0, 59.0).0).hypot(wilson(0.0, 941.0).1 * 941.0 / 59.0);
    assert!((low - expected).abs() < 1e-9, "{low} {expected}");
}

#[test]
fn few_rows_prove_no_leak() {
    // Two rows of the smaller class, which a value finds: that may be luck.
    let label = |n: usize| (0..200).map(|i| Some(u32::from(i < n))).collect::<Vec<_>>();
    let flag = |n: usize| (0..200).map(move |i| if i < n { "yes" } else { "no" });
    let verdict = |n| target_leak(&Table::new(label(n), &CLASSES[..2]).text("flag", flag(n)).profile(), "flag").verdict;
    assert_ne!(verdict(2), TargetLeakVerdict::Leaks);
    assert_eq!(verdict(20), TargetLeakVerdict::Leaks);
}

#[test]
fn copies_of_texts_are_told_as_such_whatever_chance_would_make_of_one_column() {
    // 400 texts, every tenth of them twice, and nothing else.
    let text = |i: usize| format!("message {i} 0.{:012}", i * 7919 % 100_003);
    let row = |i: usize| if i < 400 { i } else { (i - 400) * 10 };
    let label = || (0..440).map(|i| Some((row(i) % 2) as u32)).collect::<Vec<_>>();
    let table = || Table::new(label(), &CLASSES[..2]).text("text", (0..440).map(|i| text(row(i))));
    let repeats = |kind: &FindingKind| matches!(kind, FindingKind::RepeatedRows { surplus: 40, .. });
    assert_eq!(severity(&table().profile(), repeats), Some(Severity::Warning));
    // Copies are the last 40 rows, all in test beside 60 others; their originals are in train.
    let split = table().part((0..440).map(|i| if i < 340 { 0 } else { 2 })).profile();
    let copies = split.audit.findings.iter().find_map(|finding| match finding.kind {
        FindingKind::NearDuplicatesInTrain { share, copies, .. } => Some((share, copies)),
        _ => None,
    });
    assert_eq!(copies, Some((0.34, Some(0.34))));
    // Of names of categories nothing tells copies from equal rows, nor does a number of pairs.
    let short = Table::new(label(), &CLASSES[..2]).text("word", (0..440).map(|i| format!("word {}", row(i))));
    let kind =
        |kind: &FindingKind| matches!(kind, FindingKind::RepeatsByChance { surplus: 40, expected_pairs: None, .. });
    assert_eq!(severity(&short.profile(), kind), Some(Severity::Note));
}
