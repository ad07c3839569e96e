//! Seeded splits of labelled rows into train, valid and test parts and into folds: stratified by class, and whole
//! groups at a time, so that no song has a duplicate on the other side.
//!
//! Two steps: `groups` unites rows that share any key into connected groups, `assign` spreads the groups; `given` has parts that are not drawn.

mod assign;
mod given;
mod groups;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rng::Stream;
use assign::{Assignment, ClassCounts};
pub use given::{split_as_given, split_by_order};
pub use groups::connected_groups;

/// The shares of the parts, and the number of folds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SplitOptions {
    /// Share of the rows to fit models on, in (0, 1]. The three shares add up to 1.
    pub train: f64,
    /// Share of the rows to choose models by; 0 makes no such part.
    pub valid: f64,
    /// Share of the rows to judge the final models by; 0 makes no such part.
    pub test: f64,
    /// Number of cross-validation folds of the train part, at least 2; 0 makes none.
    pub folds: usize,
}

impl Default for SplitOptions {
    fn default() -> Self {
        SplitOptions { train: 0.7, valid: 0.15, test: 0.15, folds: 5 }
    }
}

/// The side of a split that a row is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// Models are fitted on it.
    Train,
    /// Models are chosen by it.
    Valid,
    /// Models are judged by it.
    Test,
}

impl Part {
    /// In the order in which they are shown.
    pub const ALL: [Part; 3] = [Part::Train, Part::Valid, Part::Test];

    /// E.g. "train".
    pub fn name(self) -> &'static str {
        match self {
            Part::Train => "train",
            Part::Valid => "valid",
            Part::Test => "test",
        }
    }
}

/// Where every row went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Of every row.
    pub part: Vec<Part>,
    /// The fold in `0..folds` of every train row, `None` elsewhere or without folds.
    pub fold: Vec<Option<u32>>,
    /// The connected group of every row, numbered from 0 by first occurrence.
    pub group: Vec<u32>,
}

/// Why rows cannot be split as asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[allow(missing_docs, reason = "each message says what its values are")]
pub enum SplitError {
    #[error("train, valid and test must be shares of 1, not {train} + {valid} + {test} (e.g. 0.7 + 0.15 + 0.15)")]
    Shares { train: f64, valid: f64, test: f64 },
    #[error("1 fold leaves nothing to fit on (give at least 2, or 0 for none)")]
    OneFold,
    #[error("{what} has {found} rows, the labels have {expected}")]
    Length { what: String, found: usize, expected: usize },
    #[error("a label is number {label} of {classes} classes")]
    Label { label: u32, classes: usize },
    #[error("only class '{0}' occurs among the rows (classification needs at least two)")]
    SingleClass(String),
    #[error("there are no labelled rows to split")]
    NoRows,
    #[error("class '{0}' has no rows")]
    EmptyClass(String),
    #[error(
        "too rare to be in {parts} parts{}: {} (each needs {needed} rows or more, in as many groups where rows are linked: \
         bring more rows, or leave such classes out)",
        if *.folds > 0 { " and two folds" } else { "" }, RareClass::list(.classes)
    )]
    TooRare {
        classes: Vec<RareClass>,
        parts: usize,
        folds: usize,
        /// Groups that each of them needs, for the train part to have one for every fold too.
        needed: usize,
    },
    #[error(
        "the rows are in {groups} {}, too few for {parts} parts{} (each needs a group of its own: bring more rows, give other group columns, or a \
         share of 0 to a part{})",
        if *.groups == 1 { "group" } else { "groups" },
        if *.folds > 0 { " and two folds" } else { "" }, if *.folds > 0 { ", or `folds: 0`" } else { "" }
    )]
    FewGroups { groups: usize, parts: usize, folds: usize },
    #[error(
        "the train part has {groups} {}, too few for {folds} folds (lower `folds`, or set it to 0)",
        match (*.linked, *.groups) { (true, 1) => "group", (true, _) => "groups", (false, 1) => "row", (false, _) => "rows" }
    )]
    FewerGroupsThanFolds {
        groups: usize,
        folds: usize,
        /// Whether any group has several rows; else each row is one.
        linked: bool,
    },
    #[error(
        "in one fold of the train part only, so that one model of the cross-validation never sees {}: {} there (bring more rows, give \
         fewer group columns, or `folds: 0`, without which nothing can be cross-validated)",
        if .0.len() == 1 { "it" } else { "them" }, RareClass::list(.0)
    )]
    InOneFold(Vec<RareClass>),
    #[error(
        "no row of the train part has {}: what no model can learn cannot be judged (bring rows of the train part that have {}, or leave {} out)",
        RareClass::list(.0), if .0.len() == 1 { "it" } else { "them" }, if .0.len() == 1 { "the class" } else { "the classes" }
    )]
    NotInTrain(Vec<RareClass>),
    #[error(
        "there {}, too few for {parts} parts (rows that are equal in it{} stay together: give a share of 0 to a part, or a finer column)",
        match .moments { 1 => "is 1 place in the order".to_owned(), moments => format!("are {moments} places in the order") },
        if *.linked { " or linked by `groups`" } else { "" }
    )]
    FewMoments { moments: usize, parts: usize, linked: bool },
    #[error(
        "{groups} {} rows in several parts, {rows} rows in all (leave `groups` out, or mend the column that says the parts)",
        if *.groups == 1 { "group has" } else { "groups have" }
    )]
    Torn { groups: usize, rows: usize },
}

/// A class with too few rows, or rows in too few groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RareClass {
    /// Of the class.
    pub name: String,
    pub(crate) rows: usize,
    /// Connected groups that have such a row; as many as rows where none are linked.
    pub(crate) groups: usize,
}

/// Classes that a message names.
const SHOWN: usize = 20;

impl RareClass {
    /// E.g. `class 'dodo' (1 row), class 'okapi' (8 rows in 2 groups) and 3 more`.
    fn list(classes: &[RareClass]) -> String {
        let describe = |class: &RareClass| {
            let rows = format!("{} {}", class.rows, if class.rows == 1 { "row" } else { "rows" });
            match class.groups {
                groups if groups == class.rows => format!("'{}' ({rows})", class.name),
                1 => format!("'{}' ({rows} in 1 group)", class.name),
                groups => format!("'{}' ({rows} in {groups} groups)", class.name),
            }
        };
        let shown: Vec<String> = classes.iter().take(SHOWN).map(describe).collect();
        let noun = if classes.len() == 1 { "class" } else { "classes" };
        match classes.len() - shown.len() {
            0 => format!("{noun} {}", shown.join(", ")),
            more => format!("{noun} {} and {more} more", shown.join(", ")),
        }
    }
}

/// Splits rows with `labels` in `0..classes.len()` (`classes` are the names, for messages).
///
/// `groups` holds for each group column one key per row, `None` where the row has none; rows that share a key of a
/// column are linked, links are transitive, and linked rows stay together. Every class is in every part whose share is
/// above 0. The same input and seed give the same split; another seed gives another.
///
/// ```
/// use runner_ml::split::{Part, SplitOptions, split};
///
/// let labels: Vec<u32> = (0..120).map(|row| row % 2).collect();
/// let classes = ["pop".to_owned(), "rock".to_owned()];
/// // Four songs of each artist, which stay together.
/// let names: Vec<String> = (0..120).map(|row| format!("artist {}", row / 4)).collect();
/// let artists: Vec<Option<&str>> = names.iter().map(|name| Some(name.as_str())).collect();
/// let found = split(&labels, &classes, &[artists], &SplitOptions::default(), 7)?;
/// assert!(found.part.chunks(4).all(|songs| songs.iter().all(|part| *part == songs[0])));
/// assert!(Part::ALL.iter().all(|part| found.part.contains(part)));
/// # Ok::<(), runner_ml::split::SplitError>(())
/// ```
pub fn split(
    labels: &[u32],
    classes: &[String],
    groups: &[Vec<Option<&str>>],
    options: &SplitOptions,
    seed: u64,
) -> Result<Split, SplitError> {
    check_options(options)?;
    for (index, keys) in groups.iter().enumerate() {
        check_length(format!("group column {index}"), keys.len(), labels.len())?;
    }
    check_labels(labels, classes)?;
    let group = connected_groups(labels.len(), groups);
    let counts = ClassCounts::new(labels, &group, classes.len());
    let shares = [options.train, options.valid, options.test];
    let asked: Vec<Part> =
        Part::ALL.into_iter().zip(shares).filter(|(_, share)| *share > 0.0).map(|(p, _)| p).collect();
    let shares: Vec<f64> = shares.into_iter().filter(|share| *share > 0.0).collect();
    let assignment = Assignment::new(&counts, &shares, &mut Stream::new(seed, "split parts", 0));
    // Whoever is in every part with one group each is in a single fold: that is known without making any.
    let needed = shares.len() + usize::from(options.folds > 0);
    if counts.len() < needed && counts.len() < labels.len() {
        return Err(SplitError::FewGroups { groups: counts.len(), parts: shares.len(), folds: options.folds });
    }
    let groups_of = counts.groups_of_classes();
    let is_rare = |class: usize| groups_of[class] < needed || assignment.parts_of_class(class) < shares.len();
    let rare = rare_classes(classes, &counts, &groups_of, is_rare);
    if !rare.is_empty() {
        let is_rare: Vec<bool> = (0..classes.len()).map(is_rare).collect();
        let needed = enough(&groups_of, &is_rare, &shares, options.folds, needed);
        let (parts, folds) = (shares.len(), options.folds);
        return Err(SplitError::TooRare { classes: rare, parts, folds, needed });
    }
    let part: Vec<Part> = group.iter().map(|group| asked[assignment.part_of_group[*group as usize]]).collect();

    let mut fold = vec![None; labels.len()];
    if options.folds > 0 {
        let rows: Vec<usize> = (0..labels.len()).filter(|row| part[*row] == Part::Train).collect();
        let train_labels: Vec<u32> = rows.iter().map(|row| labels[*row]).collect();
        let train_groups: Vec<u32> = rows.iter().map(|row| group[*row]).collect();
        let folds = group_folds(&train_labels, classes, &train_groups, options.folds, seed)?;
        for (row, number) in rows.into_iter().zip(folds) {
            fold[row] = Some(number);
        }
    }
    Ok(Split { part, fold, group })
}

/// The fold in `0..folds` of every row, whole groups at a time and stratified by class. A class may be absent from a
/// fold when it has fewer groups than there are folds, but every class is in two folds or more.
pub fn group_folds(
    labels: &[u32],
    classes: &[String],
    group: &[u32],
    folds: usize,
    seed: u64,
) -> Result<Vec<u32>, SplitError> {
    if folds < 2 {
        return Err(SplitError::OneFold);
    }
    check_length("the list of groups".to_owned(), group.len(), labels.len())?;
    check_labels(labels, classes)?;
    let group = groups::renumbered(group);
    let counts = ClassCounts::new(labels, &group, classes.len());
    if counts.len() < folds {
        let linked = counts.len() < labels.len();
        return Err(SplitError::FewerGroupsThanFolds { groups: counts.len(), folds, linked });
    }
    let shares = vec![1.0 / folds as f64; folds];
    let assignment = Assignment::new(&counts, &shares, &mut Stream::new(seed, "split folds", 0));
    let rare =
        rare_classes(classes, &counts, &counts.groups_of_classes(), |class| assignment.parts_of_class(class) < 2);
    if !rare.is_empty() {
        return Err(SplitError::InOneFold(rare));
    }
    Ok(group.iter().map(|group| assignment.part_of_group[*group as usize] as u32).collect())
}

/// How many groups each rare class must have, `least` for its own sake, so that the train part has as many as there are folds: what the next run would
/// refuse is said at once. As if every row were a group.
fn enough(groups: &[usize], is_rare: &[bool], shares: &[f64], folds: usize, least: usize) -> usize {
    let suffices = |needed: &usize| {
        let of_class = || groups.iter().zip(is_rare).map(|(&own, &rare)| if rare { *needed } else { own });
        let rows: usize = of_class().sum();
        // Far more than it takes need not be split to know.
        if rows as f64 * shares[0] > 2.0 * (folds + groups.len() * shares.len()) as f64 {
            return true;
        }
        let labels: Vec<u32> =
            (0u32..).zip(of_class()).flat_map(|(class, rows)| std::iter::repeat_n(class, rows)).collect();
        let counts = ClassCounts::new(&labels, &(0..rows as u32).collect::<Vec<u32>>(), groups.len());
        let assignment = Assignment::new(&counts, shares, &mut Stream::new(0, "split parts", 0));
        assignment.part_of_group.iter().filter(|part| **part == 0).count() >= folds
    };
    (least..least + folds).find(suffices).unwrap_or(least + folds)
}

fn rare_classes(
    names: &[String],
    counts: &ClassCounts,
    groups: &[usize],
    is_rare: impl Fn(usize) -> bool,
) -> Vec<RareClass> {
    let rare = (0..names.len()).filter(|&class| is_rare(class));
    rare.map(|class| RareClass { name: names[class].clone(), rows: counts.rows(class), groups: groups[class] })
        .collect()
}

/// Refuses shares and fold counts that no rows could be split by.
pub(crate) fn check_options(options: &SplitOptions) -> Result<(), SplitError> {
    let &SplitOptions { train, valid, test, folds } = options;
    let in_range = [train, valid, test].iter().all(|share| (0.0..=1.0).contains(share));
    if !in_range || train == 0.0 || ((train + valid + test) - 1.0).abs() > 1e-9 {
        return Err(SplitError::Shares { train, valid, test });
    }
    if folds == 1 { Err(SplitError::OneFold) } else { Ok(()) }
}

fn check_length(what: String, found: usize, expected: usize) -> Result<(), SplitError> {
    if found == expected { Ok(()) } else { Err(SplitError::Length { what, found, expected }) }
}

fn check_labels(labels: &[u32], classes: &[String]) -> Result<(), SplitError> {
    let mut present = vec![false; classes.len()];
    for &label in labels {
        match present.get_mut(label as usize) {
            Some(present) => *present = true,
            None => {
                return Err(SplitError::Label { label, classes: classes.len() });
            }
        }
    }
    let mut occurring = classes.iter().zip(&present).filter(|(_, present)| **present);
    match (occurring.next(), occurring.next()) {
        (None, _) => Err(SplitError::NoRows),
        (Some((name, _)), None) => Err(SplitError::SingleClass(name.clone())),
        _ => match present.iter().position(|present| !present) {
            Some(empty) => Err(SplitError::EmptyClass(classes[empty].clone())),
            None => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests;
