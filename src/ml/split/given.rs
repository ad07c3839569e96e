//! Splits whose parts are not drawn: by an order of the rows, or as somebody has dealt them. Folds are drawn within the train part.

use super::assign::ClassCounts;
use super::groups::connected_groups;
use super::{
    Part, RareClass, Split, SplitError, SplitOptions, check_labels, check_length, check_options, group_folds,
    rare_classes,
};

/// Splits rows by their order: those of the highest ranks are the test part, those before them the validation part. Rows of one rank stay together, and
/// so do groups, each where its last row is, so that nothing of the train part is later than what it is judged by. Shares are met as nearly as ranks and
/// groups allow.
///
/// ```
/// use runner_ml::split::{Part, SplitOptions, split_by_order};
///
/// let labels: Vec<u32> = (0..100).map(|row| row % 2).collect();
/// let ranks: Vec<u32> = (0..100).collect();
/// let classes = ["pop".to_owned(), "rock".to_owned()];
/// let found = split_by_order(&labels, &classes, &[], &ranks, &SplitOptions::default(), 7)?;
/// assert_eq!(found.part[69..71], [Part::Train, Part::Valid]);
/// assert_eq!(found.part[84..86], [Part::Valid, Part::Test]);
/// # Ok::<(), runner_ml::split::SplitError>(())
/// ```
pub fn split_by_order(
    labels: &[u32],
    classes: &[String],
    groups: &[Vec<Option<&str>>],
    ranks: &[u32],
    options: &SplitOptions,
    seed: u64,
) -> Result<Split, SplitError> {
    check_options(options)?;
    check_length("the order".to_owned(), ranks.len(), labels.len())?;
    check_labels(labels, classes)?;
    let group = connected_groups(labels.len(), groups);
    let mut last = vec![0u32; labels.len()];
    group.iter().zip(ranks).for_each(|(&group, &rank)| last[group as usize] = last[group as usize].max(rank));
    let last_of = |row: usize| last[group[row] as usize];

    let mut sorted: Vec<u32> = (0..labels.len()).map(last_of).collect();
    sorted.sort_unstable();
    // Where the rank grows the rows can be cut.
    let cuts: Vec<usize> = (1..sorted.len()).filter(|&row| sorted[row - 1] < sorted[row]).collect();
    let shares = [options.train, options.valid, options.test];
    let parts = shares.iter().filter(|share| **share > 0.0).count();
    if cuts.len() + 1 < parts {
        return Err(SplitError::FewMoments { moments: cuts.len() + 1, parts, linked: !groups.is_empty() });
    }
    let rows = labels.len() as f64;
    // Of the cuts that leave `before` and `behind` others, the one nearest to a share of the rows; of two the earlier one.
    let nearest = |share: f64, before: usize, behind: usize| {
        let distance = |&cut: &usize| (cuts[cut] as f64 - share * rows).abs();
        (before..cuts.len() - behind).min_by(|a, b| distance(a).total_cmp(&distance(b))).expect("a cut")
    };
    let has = |share: f64| usize::from(share > 0.0);
    let first_valid = (parts > 1).then(|| nearest(options.train, 0, has(options.valid) * has(options.test)));
    let first_test = match first_valid {
        Some(cut) if options.valid > 0.0 && options.test > 0.0 => {
            Some(nearest(options.train + options.valid, cut + 1, 0))
        }
        Some(cut) if options.test > 0.0 => Some(cut),
        _ => None,
    };
    let from = |cut: Option<usize>| cut.map(|cut| sorted[cuts[cut]]);
    let (first_valid, first_test) = (from(first_valid), from(first_test));
    let part_of = |row: usize| match last_of(row) {
        rank if first_test.is_some_and(|first| rank >= first) => Part::Test,
        rank if first_valid.is_some_and(|first| rank >= first) => Part::Valid,
        _ => Part::Train,
    };
    let part = (0..labels.len()).map(part_of).collect();
    with_folds(labels, classes, group, part, options.folds, seed)
}

/// Splits rows whose parts are given.
pub fn split_as_given(
    labels: &[u32],
    classes: &[String],
    groups: &[Vec<Option<&str>>],
    part: Vec<Part>,
    folds: usize,
    seed: u64,
) -> Result<Split, SplitError> {
    check_length("the list of parts".to_owned(), part.len(), labels.len())?;
    check_labels(labels, classes)?;
    let group = connected_groups(labels.len(), groups);
    let mut first: Vec<Option<Part>> = vec![None; labels.len()];
    let mut is_torn = vec![false; labels.len()];
    for (&group, &part) in group.iter().zip(&part) {
        let group = group as usize;
        is_torn[group] |= *first[group].get_or_insert(part) != part;
    }
    let torn = is_torn.iter().filter(|torn| **torn).count();
    if torn > 0 {
        let rows = group.iter().filter(|group| is_torn[**group as usize]).count();
        return Err(SplitError::Torn { groups: torn, rows });
    }
    with_folds(labels, classes, group, part, folds, seed)
}

/// # Errors
/// A class that no row of the train part has, or too few of it for the folds.
fn with_folds(
    labels: &[u32],
    classes: &[String],
    group: Vec<u32>,
    part: Vec<Part>,
    folds: usize,
    seed: u64,
) -> Result<Split, SplitError> {
    let rows: Vec<usize> = (0..labels.len()).filter(|row| part[*row] == Part::Train).collect();
    let train_labels: Vec<u32> = rows.iter().map(|row| labels[*row]).collect();
    let mut rows_of = vec![0usize; classes.len()];
    train_labels.iter().for_each(|label| rows_of[*label as usize] += 1);
    if rows_of.contains(&0) {
        let counts = ClassCounts::new(labels, &group, classes.len());
        let lacking: Vec<RareClass> =
            rare_classes(classes, &counts, &counts.groups_of_classes(), |class| rows_of[class] == 0);
        return Err(SplitError::NotInTrain(lacking));
    }
    let mut fold = vec![None; labels.len()];
    if folds > 0 {
        let train_groups: Vec<u32> = rows.iter().map(|row| group[*row]).collect();
        let found = group_folds(&train_labels, classes, &train_groups, folds, seed)?;
        rows.into_iter().zip(found).for_each(|(row, number)| fold[row] = Some(number));
    }
    Ok(Split { part, fold, group })
}
