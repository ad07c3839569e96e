//! Behaviour of splits: properties over random tables, and the errors.

use proptest::prelude::*;

use super::{
    Part, Split, SplitError, SplitOptions, connected_groups, group_folds, split, split_as_given, split_by_order,
};

fn names(count: usize) -> Vec<String> {
    (0..count).map(|class| format!("c{class}")).collect()
}

fn ungrouped(labels: &[u32], classes: usize, options: SplitOptions) -> Result<Split, SplitError> {
    split(labels, &names(classes), &[], &options, 1)
}

/// Rows of `class` for which `within` holds.
fn count(labels: &[u32], class: u32, within: impl Fn(usize) -> bool) -> f64 {
    (0..labels.len()).filter(|&row| labels[row] == class && within(row)).count() as f64
}

/// Rows with labels and two key columns; most groups have one or two rows, some keys are absent.
fn rows() -> impl Strategy<Value = Vec<(u32, Option<u16>, Option<u16>)>> {
    let class = prop_oneof![4 => Just(0u32), 2 => Just(1), 1 => Just(2)];
    let key = || proptest::option::weighted(0.7, 0u16..800);
    proptest::collection::vec((class, key(), key()), 250..600)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn groups_stay_whole_and_classes_keep_their_shares(rows in rows(), seed in 0u64..1000) {
        let labels: Vec<u32> = rows.iter().map(|(label, ..)| *label).collect();
        let keys: Vec<Vec<Option<String>>> = vec![
            rows.iter().map(|(_, a, _)| a.map(|a| format!("id{a}"))).collect(),
            rows.iter().map(|(.., b)| b.map(|b| b.to_string())).collect(),
        ];
        let groups: Vec<Vec<Option<&str>>> =
            keys.iter().map(|column| column.iter().map(Option::as_deref).collect()).collect();
        let options = SplitOptions::default();
        let found = split(&labels, &names(3), &groups, &options, seed).unwrap();
        prop_assert_eq!(&found, &split(&labels, &names(3), &groups, &options, seed).unwrap());
        let other = split(&labels, &names(3), &groups, &options, seed + 1).unwrap();
        prop_assert_ne!(&found.part, &other.part);
        prop_assert_eq!(&found.group, &other.group);

        // Rows with an equal key are in one group, a group is in one part and one fold.
        for column in &groups {
            for a in 0..rows.len() {
                for b in a + 1..rows.len() {
                    if column[a].is_some() && column[a] == column[b] {
                        prop_assert_eq!(found.group[a], found.group[b]);
                    }
                }
            }
        }
        let mut sizes = vec![0.0; rows.len()];
        for a in 0..rows.len() {
            let first = found.group.iter().position(|group| *group == found.group[a]).unwrap();
            prop_assert_eq!(found.part[a], found.part[first]);
            prop_assert_eq!(found.fold[a], found.fold[first]);
            prop_assert_eq!(found.fold[a].is_some(), found.part[a] == Part::Train);
            sizes[found.group[a] as usize] += 1.0;
        }

        // A large group may push one class aside; small ones even it out.
        let largest = sizes.iter().fold(0.0, |a: f64, b| a.max(*b));
        for class in 0..3 {
            let all = count(&labels, class, |_| true);
            for (part, share) in Part::ALL.into_iter().zip([0.7, 0.15, 0.15]) {
                let here = count(&labels, class, |row| found.part[row] == part);
                prop_assert!(here > 0.0);
                prop_assert!((here - share * all).abs() <= largest + 1.0, "{here} of {all} in {part:?}");
            }
            let train = count(&labels, class, |row| found.part[row] == Part::Train);
            for fold in 0..5 {
                let here = count(&labels, class, |row| found.fold[row] == Some(fold));
                prop_assert!((here - train / 5.0).abs() <= largest + 1.0, "{here} of {train} in fold {fold}");
            }
        }
    }

    #[test]
    fn rows_of_their_own_are_apportioned_to_the_row(sizes in proptest::collection::vec(20usize..200, 2..6)) {
        let labels: Vec<u32> =
            sizes.iter().enumerate().flat_map(|(class, size)| vec![class as u32; *size]).collect();
        let found = ungrouped(&labels, sizes.len(), SplitOptions::default()).unwrap();
        for (class, size) in sizes.iter().enumerate() {
            for (part, share) in Part::ALL.into_iter().zip([0.7, 0.15, 0.15]) {
                let here = count(&labels, class as u32, |row| found.part[row] == part);
                prop_assert!((here - share * *size as f64).abs() <= 1.0);
            }
        }
    }
}

#[test]
fn links_are_transitive_over_columns() {
    // 0 - 1 by the first column, 1 - 3 by the second; 2 and 4 share a key, but of different columns.
    let groups = [vec![Some("a"), Some("a"), Some("b"), None, None], vec![None, Some("x"), None, Some("x"), Some("b")]];
    assert_eq!(connected_groups(5, &groups), [0, 0, 1, 0, 2]);
    assert_eq!(connected_groups(3, &[]), [0, 1, 2]);
}

#[test]
fn a_long_chain_of_links_is_one_group() {
    let keys: Vec<String> = (0..50_000).map(|i| i.to_string()).collect();
    let even = (0..100_000).map(|row: usize| Some(keys[row / 2].as_str())).collect();
    let odd = (0..100_000).map(|row: usize| Some(keys[row.div_ceil(2) % 50_000].as_str())).collect();
    assert!(connected_groups(100_000, &[even, odd]).iter().all(|group| *group == 0));
}

#[test]
fn a_share_of_zero_makes_no_part() {
    let labels: Vec<u32> = (0..100).map(|row| row % 2).collect();
    let options = SplitOptions { train: 0.8, valid: 0.2, test: 0.0, folds: 0 };
    let found = ungrouped(&labels, 2, options).unwrap();
    assert_eq!(found.part.iter().filter(|part| **part == Part::Valid).count(), 20);
    assert!(!found.part.contains(&Part::Test));
    assert!(found.fold.iter().all(Option::is_none));
}

#[test]
fn a_rare_class_reaches_every_part() {
    // Three rows of 203: by shares alone test would get none.
    let mut labels = vec![0u32; 200];
    labels.extend([1; 3]);
    let options = SplitOptions { folds: 0, ..SplitOptions::default() };
    let found = ungrouped(&labels, 2, options).unwrap();
    for part in Part::ALL {
        assert_eq!(count(&labels, 1, |row| found.part[row] == part), 1.0);
    }
}

#[test]
fn what_cannot_be_split_is_told() {
    let error = |labels: &[u32], classes, groups: &[Vec<Option<&str>>], options| {
        split(labels, &names(classes), groups, &options, 1).unwrap_err().to_string()
    };
    let usual = SplitOptions::default();
    let many: Vec<u32> = (0..100).map(|row| row % 2).collect();
    assert!(error(&[0; 9], 1, &[], usual).starts_with("only class 'c0' occurs"));
    assert!(error(&[], 2, &[], usual).starts_with("there are no labelled rows"));
    assert_eq!(error(&many, 3, &[], usual), "class 'c2' has no rows");
    assert_eq!(error(&many, 1, &[], usual), "a label is number 1 of 1 classes");
    assert_eq!(error(&many, 2, &[vec![None; 3]], usual), "group column 0 has 3 rows, the labels have 100");
    let shares = SplitOptions { train: 0.7, valid: 0.2, test: 0.2, folds: 5 };
    assert!(error(&many, 2, &[], shares).contains("not 0.7 + 0.2 + 0.2"));
    let shares = SplitOptions { train: 1.5, valid: -0.5, test: 0.0, folds: 5 };
    assert!(error(&many, 2, &[], shares).contains("must be shares of 1"));
    let shares = SplitOptions { train: f64::NAN, ..usual };
    assert!(error(&many, 2, &[], shares).contains("must be shares of 1"));
    assert!(error(&many, 2, &[], SplitOptions { folds: 1, ..usual }).contains("at least 2"));
    assert_eq!(
        error(&many, 2, &[], SplitOptions { folds: 71, ..usual }),
        "the train part has 70 rows, too few for 71 folds (lower `folds`, or set it to 0)"
    );

    // What suffices is said at once, for the parts and for the folds, and does suffice.
    let few = error(&[0, 0, 0, 1, 1, 1], 2, &[], usual);
    assert!(few.contains("each needs 5 rows or more"), "{few}");
    let rows = |count: u32| (0..2 * count).map(|row| row % 2).collect::<Vec<u32>>();
    assert!(error(&rows(4), 2, &[], usual).contains("the train part has 4 rows, too few for 5 folds"));
    assert!((0..20).all(|seed| split(&rows(5), &names(2), &[], &usual, seed).is_ok()));
    let twins: Vec<Option<&str>> = (0..100).map(|row| Some(["a", "b", "c", "d", "e", "f"][row % 6])).collect();
    assert!(error(&many, 2, &[twins], usual).contains("groups"));

    // All rows of class 1 belong to two groups.
    let album = |row: usize| {
        if many[row] == 0 { None } else { Some(["x", "y"][row / 2 % 2]) }
    };
    let albums: Vec<Option<&str>> = (0..100).map(album).collect();
    let found = error(&many, 2, std::slice::from_ref(&albums), usual);
    assert!(
        found.starts_with("too rare to be in 3 parts and two folds: class 'c1' (50 rows in 2 groups) (each needs 4"),
        "{found}"
    );
    let one = SplitOptions { train: 0.5, valid: 0.5, test: 0.0, folds: 3 };
    let found = error(&many, 2, std::slice::from_ref(&albums), one);
    assert!(found.starts_with("too rare to be in 2 parts and two folds: class 'c1' (50 rows in 2 groups)"), "{found}");
    let group: Vec<u32> = (0..100).map(|row| if many[row] == 0 { row as u32 } else { 1 }).collect();
    let found = group_folds(&many, &names(2), &group, 3, 1).unwrap_err().to_string();
    assert!(
        found.starts_with(
            "in one fold of the train part only, so that one model of the cross-validation never sees it: class 'c1' (50 rows in 1 group)"
        ),
        "{found}"
    );
}

#[test]
fn all_classes_that_are_too_rare_are_told_at_once() {
    let mut labels = vec![0u32; 60];
    labels.extend([1; 60]);
    labels.extend([2, 3, 3, 4, 5, 5, 5]);
    let found = ungrouped(&labels, 6, SplitOptions::default()).unwrap_err().to_string();
    // Three rows reach three parts, but leave one for the folds.
    for class in ["'c2' (1 row)", "'c3' (2 rows)", "'c4' (1 row)", "'c5' (3 rows)"] {
        assert!(found.contains(class), "{class} is not in {found}");
    }
    assert!(!found.contains("'c0'") && !found.contains("'c1'"), "{found}");
    let without_folds = ungrouped(&labels, 6, SplitOptions { folds: 0, ..SplitOptions::default() });
    assert!(!without_folds.unwrap_err().to_string().contains("'c5'"));

    let mut labels: Vec<u32> = (0..10_000).collect();
    labels.extend([0; 50]);
    labels.extend([1; 50]);
    let found = ungrouped(&labels, 10_000, SplitOptions::default()).unwrap_err().to_string();
    assert!(found.contains("and 9978 more") && found.len() < 1000, "{found}");
}

#[test]
fn folds_take_any_group_numbers() {
    let labels: Vec<u32> = (0..40).map(|row| row % 2).collect();
    let group: Vec<u32> = (0..40).map(|row| 900 - row / 4).collect();
    let folds = group_folds(&labels, &names(2), &group, 5, 3).unwrap();
    for fold in 0..5 {
        assert_eq!(count(&labels, 0, |row| folds[row] == fold), 4.0);
    }
    assert!((0..40).all(|row| folds[row] == folds[row / 4 * 4]));
}

// r = np.array([...]); order = np.argsort(r, kind="stable"); n = 100: train = r < r[order[70]], test = r >= r[order[85]]
#[test]
fn the_newest_rows_are_the_test_part() {
    let labels: Vec<u32> = (0..100).map(|row| row % 2).collect();
    let ranks: Vec<u32> = (0..100).map(|row| row * 37 % 100).collect();
    let found = split_by_order(&labels, &names(2), &[], &ranks, &SplitOptions::default(), 1).unwrap();
    for (row, rank) in ranks.iter().enumerate() {
        let expected = match rank {
            0..70 => Part::Train,
            70..85 => Part::Valid,
            _ => Part::Test,
        };
        assert_eq!(found.part[row], expected, "{row}");
        assert_eq!(found.fold[row].is_some(), expected == Part::Train);
    }
    let without = SplitOptions { train: 0.8, valid: 0.0, test: 0.2, folds: 0 };
    let found = split_by_order(&labels, &names(2), &[], &ranks, &without, 1).unwrap();
    assert!((0..100).all(|row| (found.part[row] == Part::Test) == (ranks[row] >= 80)));
    assert!(!found.part.contains(&Part::Valid));
    let without = SplitOptions { train: 0.8, valid: 0.2, test: 0.0, folds: 0 };
    let found = split_by_order(&labels, &names(2), &[], &ranks, &without, 1).unwrap();
    assert!((0..100).all(|row| (found.part[row] == Part::Valid) == (ranks[row] >= 80)));
}

#[test]
fn ties_and_groups_stay_together_in_time() {
    let labels: Vec<u32> = (0..100).map(|row| row % 2).collect();
    // Seven days, of which the last two and the two before have 28 and 28 rows.
    let days: Vec<u32> = (0..100).map(|row| row / 14).collect();
    let options = SplitOptions { folds: 0, ..SplitOptions::default() };
    let found = split_by_order(&labels, &names(2), &[], &days, &options, 1).unwrap();
    let of = |part: Part| (0..100).filter(|&row| found.part[row] == part).map(|row| days[row]).collect::<Vec<_>>();
    assert!(of(Part::Train).iter().all(|day| *day < 5) && of(Part::Valid).iter().all(|day| *day == 5));
    assert!(of(Part::Test).iter().all(|day| *day > 5));
    // Row 0 is linked to the newest one, and judged with it.
    let ranks: Vec<u32> = (0..100).collect();
    let keys: Vec<Option<&str>> = (0..100).map(|row| matches!(row, 0 | 99).then_some("a")).collect();
    let found = split_by_order(&labels, &names(2), &[keys], &ranks, &options, 1).unwrap();
    assert_eq!((found.part[0], found.part[99]), (Part::Test, Part::Test));
    let two: Vec<u32> = (0..100).map(|row| row / 50).collect();
    let refused = split_by_order(&labels, &names(2), &[], &two, &options, 1).unwrap_err().to_string();
    assert!(refused.starts_with("there are 2 places in the order, too few for 3 parts"), "{refused}");
    let late: Vec<u32> = (0..100).map(|row| u32::from(row >= 90)).collect();
    let refused = split_by_order(&late, &names(2), &[], &ranks, &options, 1).unwrap_err().to_string();
    assert!(refused.starts_with("no row of the train part has class 'c1' (10 rows)"), "{refused}");
}

#[test]
fn given_parts_are_kept_and_must_not_tear_groups() {
    let labels: Vec<u32> = (0..100).map(|row| row % 2).collect();
    let part: Vec<Part> = (0..100).map(|row| Part::ALL[(row / 2) % 3]).collect();
    let found = split_as_given(&labels, &names(2), &[], part.clone(), 3, 1).unwrap();
    assert_eq!(found.part, part);
    assert_eq!(found.fold.iter().flatten().count(), part.iter().filter(|part| **part == Part::Train).count());
    let keys: Vec<Option<&str>> = (0..100).map(|row| (row < 4).then_some(["a", "b"][row % 2])).collect();
    let refused = split_as_given(&labels, &names(2), &[keys], part, 3, 1).unwrap_err();
    assert_eq!(refused, SplitError::Torn { groups: 2, rows: 4 });
}
