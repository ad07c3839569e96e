//! What an audit found, in words: for pages, the terminal and warnings of a run.

mod evidence;
mod words;

use runner_results::profile::audit::{Balance, Finding, FindingKind, Severity};

use crate::figure::text::{count, counted, percent};

pub(crate) use evidence::{Evidence, evidence, reason};
use words::{any_of, list, names, verb};
pub(crate) use words::{group, key};

/// A short sentence without a full stop.
pub fn title(finding: &Finding) -> String {
    match &finding.kind {
        FindingKind::LeaksLabel { columns } => {
            format!("{} {} the label", list(columns), verb(columns, "leaks", "leak"))
        }
        FindingKind::NearlyLeaksLabel { columns } => {
            format!("{} nearly {} the label", list(columns), verb(columns, "leaks", "leak"))
        }
        FindingKind::NoLeakOfLabel { .. } => "no column leaks the label".into(),
        FindingKind::RecognisesRows { columns } => {
            format!("{} {} rows", list(columns), verb(columns, "recognises", "recognise"))
        }
        FindingKind::RandomSplitLeaks { share } => {
            format!("a random row split would leak {} of the test rows", percent(*share))
        }
        FindingKind::RandomSplitHardlyLeaks { .. } => "a random row split would hardly leak".into(),
        FindingKind::DuplicatesInTrain { share } => {
            format!("{} of test rows have a duplicate in train", percent(*share))
        }
        FindingKind::GroupsInValid { .. } => "valid shares groups with another part".into(),
        FindingKind::GroupsWhole { .. } => "no group stands on both sides of the split".into(),
        FindingKind::NearDuplicatesInTrain { share, copies: Some(copies), .. } if copies == share => {
            format!("{} of test rows equal a training row in every column", percent(*copies))
        }
        FindingKind::NearDuplicatesInTrain { share, copies: Some(copies), .. } => format!(
            "{} of test rows equal a training row in every column, up to {} at least nearly",
            percent(*copies),
            percent(*share)
        ),
        FindingKind::NearDuplicatesInTrain { share, copies: None, .. } => {
            format!("up to {} of test rows equal or nearly equal a training row", percent(*share))
        }
        FindingKind::SharedValues { columns } => {
            let named: Vec<String> =
                columns.iter().map(|one| format!("{} ({})", one.column, percent(one.share))).collect();
            format!("test rows share values with train: {}", list(&named))
        }
        FindingKind::ConsistentLabels { keys } => format!("rows equal in {} have equal labels", any_of(keys)),
        FindingKind::LabelCeiling { ceiling, varying, .. } if varying.is_empty() => {
            format!("contradictory labels cap accuracy at {}", percent(*ceiling))
        }
        FindingKind::LabelCeiling { key: by, ceiling, .. } => {
            format!("{} alone tells the label of at most {} of rows", key(by), percent(*ceiling))
        }
        FindingKind::NoRepeats { .. } => "no row repeats another".into(),
        FindingKind::RepeatedRows { key: by, surplus, .. } => {
            let equal = if *surplus == 1 { "equals" } else { "equal" };
            format!("{} {equal} an earlier row in {}", counted(*surplus, "row"), key(by))
        }
        FindingKind::RepeatsByChance { surplus, .. } => {
            let equal = if *surplus == 1 { "equals" } else { "equal" };
            format!("{} {equal} an earlier row in every column, perhaps by chance", counted(*surplus, "row"))
        }
        FindingKind::NearDuplicates { rows, .. } => {
            format!("{} have a near-duplicate in another group", counted(*rows, "row"))
        }
        FindingKind::InfiniteValues { columns } => format!("infinite values in {}", list(&names(columns))),
        FindingKind::ConstantColumns { columns } => {
            format!("{} {} not vary", list(columns), verb(columns, "does", "do"))
        }
        FindingKind::MissingValues { columns, mostly } => match (mostly.is_empty(), columns.len()) {
            (false, _) => format!("at least half of {} is missing", list(mostly)),
            (true, 1) => "one column has missing values".into(),
            (true, columns) => format!("{columns} columns have missing values"),
        },
        FindingKind::AlikeColumns { pairs, .. } => {
            format!("{} of numeric columns say nearly the same", counted(*pairs, "pair"))
        }
        FindingKind::UnlabelledRows { rows } => format!("{} without a label", counted(*rows, "row")),
        FindingKind::OneClass { class } => format!("there is only one class, {class}"),
        FindingKind::SmallClasses { classes, least } => {
            format!("{} {} fewer than {least} rows", list(classes), verb(classes, "has", "have"))
        }
        FindingKind::ClassBalance { balance, .. } => match balance {
            Balance::Balanced => "classes are fairly balanced",
            Balance::SomewhatUnbalanced => "classes are somewhat unbalanced",
            Balance::Unbalanced => "classes are unbalanced",
        }
        .into(),
    }
}

/// What it means and what to do.
pub(crate) fn detail(finding: &Finding) -> String {
    let words = match &finding.kind {
        FindingKind::LeaksLabel { .. } => {
            "One such column alone predicts the label, and rows to predict will hardly have it: leave it out of the features."
        }
        FindingKind::NearlyLeaksLabel { .. } => {
            "Where such a column's value is known from other rows, the label nearly is: use it only if it is known when predicting, and split so that its \
             values do not straddle parts."
        }
        FindingKind::NoLeakOfLabel { best, guess } => {
            return format!(
                "The best look-up of a single column is right on {} of rows, guessing the largest class on {}.",
                percent(*best),
                percent(*guess)
            );
        }
        FindingKind::RecognisesRows { .. } => {
            "Such a column identifies individual rows: as a feature it encourages memorisation."
        }
        FindingKind::RandomSplitLeaks { .. } | FindingKind::RandomSplitHardlyLeaks { .. } => {
            "Rows with an equal key would stand on both sides of a split that ignores groups: give the splitter these keys as groups."
        }
        FindingKind::DuplicatesInTrain { .. } => {
            "Test scores reward memorisation. Give the splitter these keys as groups."
        }
        FindingKind::GroupsInValid { test_in_valid, valid_in_train } => {
            return format!(
                "{} of test rows have a duplicate in valid, {} of valid rows one in train: what is chosen on valid is chosen on known rows. Give the splitter \
                 these keys as groups.",
                percent(*test_in_valid),
                percent(*valid_in_train)
            );
        }
        FindingKind::GroupsWhole { random } => {
            return format!(
                "A random row split would put a duplicate of {} of the test rows into train, and its scores would be too good by what can be remembered of them.",
                percent(*random)
            );
        }
        FindingKind::NearDuplicatesInTrain { .. } if finding.severity == Severity::Danger => {
            "Test scores measure what is remembered of these rows, and so does a look-up of any of their columns. Remove the copies, or split by a key that ties \
             them together (`groups`)."
        }
        FindingKind::NearDuplicatesInTrain { .. } => {
            "The split's groups do not tie these rows together. Add a key that does, or keep in mind that test scores are slightly too good."
        }
        FindingKind::SharedValues { .. } => {
            "A model may rely on such values. Where new data will bring new ones, its score will be lower: group the split by the column to see by how much."
        }
        FindingKind::ConsistentLabels { .. } => "No label contradicts that of an equal row.",
        FindingKind::LabelCeiling { key: by, values, contradictory, rows, ceiling, varying } => {
            let rest = match varying.is_empty() {
                true => "Read scores against this ceiling.".to_owned(),
                false => format!(
                    "Rows that share one differ in {}: a model that reads {} may be right more often.",
                    list(varying),
                    if varying.len() == 1 { "it" } else { "these" }
                ),
            };
            return format!(
                "{} of {} values of {} have more than one label ({}): no function of it alone can be right on more than {} of these rows. {rest}",
                count(*contradictory),
                count(*values),
                key(by),
                counted(*rows, "row"),
                percent(*ceiling)
            );
        }
        FindingKind::NoRepeats { group_keys: true } => "No two rows are equal in all columns or in a group key.",
        FindingKind::NoRepeats { group_keys: false } => "No two rows are equal in all columns.",
        FindingKind::RepeatedRows { share, .. } => {
            return format!(
                "That is {} of the rows. Repeats weigh double in training, and a split must keep them together.",
                percent(*share)
            );
        }
        FindingKind::RepeatsByChance { share, pairs, expected_pairs, .. } => {
            let of = format!("That is {} of the rows.", percent(*share));
            return match expected_pairs {
                Some(expected) => format!(
                    "{of} They make {} of equal rows; values that had nothing to do with each other would make about {}. Columns of few values cannot tell \
                     copies from rows that are rightly equal.",
                    counted(*pairs as u64, "pair"),
                    count(expected.round() as u64)
                ),
                None => format!(
                    "{of} Only one column varies, whose values cannot tell copies from rows that are rightly equal."
                ),
            };
        }
        FindingKind::NearDuplicates { .. } => {
            "Other editions, mixes or re-issues of one thing, perhaps: a split by the given groups may put them on two sides."
        }
        FindingKind::InfiniteValues { .. } => {
            "They, or numbers too large for 32 bits, are counted as missing here. Replace them before training."
        }
        FindingKind::ConstantColumns { .. } => "A column with one value, or none, tells nothing.",
        FindingKind::MissingValues { .. } => "Numbers are imputed from the training part, texts count as empty.",
        FindingKind::AlikeColumns { .. } => {
            "Trees and networks bear it; coefficients of linear models become hard to read."
        }
        FindingKind::UnlabelledRows { .. } => {
            "They take part in columns, correlations, duplicates and overlap, not in what concerns labels."
        }
        FindingKind::OneClass { .. } => "Nothing can be learned from it: add rows of another class.",
        FindingKind::SmallClasses { .. } => "Scores of so small a class are mostly luck.",
        FindingKind::ClassBalance { classes, largest, smallest, .. } => {
            let guess = percent(largest.share);
            return if largest.rows == smallest.rows {
                format!(
                    "All {classes} have {}. Always guessing one is right on {guess} of rows: the mark to beat.",
                    counted(largest.rows, "row")
                )
            } else {
                format!(
                    "The largest class, {}, has {:.1} times the rows of the smallest, {}. Always guessing it is right on {guess} of rows: the mark to beat.",
                    largest.class,
                    largest.rows as f64 / smallest.rows as f64,
                    smallest.class,
                )
            };
        }
    };
    words.into()
}

#[cfg(test)]
mod tests;
