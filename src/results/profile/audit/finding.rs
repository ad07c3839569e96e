//! What the audit found, each with its numbers and how grave it is. The figures of every column and key stand in the audit.

use serde::{Deserialize, Serialize};

use super::super::ClassBalance;
use super::RowKey;

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Looked for and not found.
    Ok,
    /// Worth knowing.
    Note,
    /// Scores may be too good, or capped.
    Warning,
    /// Scores mean nothing until this is dealt with.
    Danger,
}

/// One judgement of the audit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// What was found.
    #[serde(flatten)]
    pub kind: FindingKind,
}

impl Finding {
    /// Of that severity.
    pub fn new(severity: Severity, kind: FindingKind) -> Self {
        Finding { severity, kind }
    }
}

/// What was found. Shares are of 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[allow(missing_docs, reason = "the kind says what its numbers are of")]
pub enum FindingKind {
    /// Each of these columns alone predicts the label.
    LeaksLabel { columns: Vec<String> },
    /// Each of these columns nearly does.
    NearlyLeaksLabel { columns: Vec<String> },
    /// No column does. `best`: the highest accuracy of a look-up of a single column.
    NoLeakOfLabel { best: f64, guess: f64 },
    /// Columns that identify individual rows.
    RecognisesRows { columns: Vec<String> },
    /// Without a split: a random one by rows would leave this share of test rows with a duplicate in train.
    RandomSplitLeaks { share: f64 },
    /// The same where the share is negligible.
    RandomSplitHardlyLeaks { share: f64 },
    /// This share of test rows has a duplicate in train, by a group key.
    DuplicatesInTrain { share: f64 },
    /// No test row has one, but what is chosen on valid is chosen on known rows.
    GroupsInValid { test_in_valid: f64, valid_in_train: f64 },
    /// No group stands in two parts. `random`: as in `random_split_leaks`.
    GroupsWhole { random: f64 },
    /// Up to this share of test rows equals or nearly equals a training row by one of these keys, which the groups do not tie together. `copies`: the share
    /// that is equal in all columns, where that is no chance.
    NearDuplicatesInTrain { share: f64, copies: Option<f64>, keys: Vec<RowKey> },
    /// Values that test and train share rightly, such as an artist.
    SharedValues { columns: Vec<SharedValues> },
    /// Rows that are equal by one of the keys have an equal label.
    ConsistentLabels { keys: Vec<RowKey> },
    /// Values of the key have several labels, so that no function of it exceeds the ceiling. `varying`: columns in which rows of one value differ;
    /// without any it is a ceiling of every model.
    LabelCeiling { key: RowKey, values: u64, contradictory: u64, rows: u64, ceiling: f64, varying: Vec<String> },
    /// No row repeats another. `group_keys`: whether there are any, in which none does either.
    NoRepeats { group_keys: bool },
    /// So many rows equal an earlier one in `key`, the worst of `keys`. `share`: of all rows.
    RepeatedRows { key: RowKey, surplus: u64, share: f64, keys: Vec<RowKey> },
    /// So many rows equal an earlier one in all columns, which these make by chance too: `expected_pairs` of equal rows if they were independent; absent where
    /// only one column varies.
    RepeatsByChance { surplus: u64, share: f64, pairs: f64, expected_pairs: Option<f64> },
    /// So many rows have a near-duplicate in another group, by one of the keys.
    NearDuplicates { rows: u64, keys: Vec<RowKey> },
    /// Columns with infinite values, counted as missing.
    InfiniteValues { columns: Vec<ColumnRows> },
    /// Columns with one value or none.
    ConstantColumns { columns: Vec<String> },
    /// Columns with missing values; `mostly`: those that lack half of them or more.
    MissingValues { columns: Vec<ColumnRows>, mostly: Vec<String> },
    /// So many pairs of numeric columns say nearly the same; `strongest`: the first of them.
    AlikeColumns { pairs: u64, strongest: Vec<AlikePair> },
    /// Rows without a label.
    UnlabelledRows { rows: u64 },
    /// There is nothing to learn.
    OneClass { class: String },
    /// Classes with fewer rows than `least`.
    SmallClasses { classes: Vec<String>, least: u64 },
    /// How far apart classes with rows are in size. `classes`: their number.
    ClassBalance { balance: Balance, classes: u64, largest: ClassBalance, smallest: ClassBalance },
}

/// A column of which test rows have values that occur in the training part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SharedValues {
    /// As in the table.
    pub column: String,
    /// Test rows whose value is known from train.
    pub share: f64,
}

/// How many rows of a column are concerned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnRows {
    /// As in the table.
    pub column: String,
    /// How many.
    pub rows: u64,
}

/// Two numeric columns and the larger of their coefficients.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlikePair {
    /// A column.
    pub a: String,
    /// The other column.
    pub b: String,
    /// The one that is larger in size.
    pub coefficient: Coefficient,
    /// −1 to 1.
    pub value: f64,
}

/// A correlation coefficient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Coefficient {
    /// Of the values.
    Pearson,
    /// Of the ranks.
    Spearman,
}

/// How evenly rows are spread over the classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Balance {
    /// Up to 60 to 40 in two classes.
    Balanced,
    /// Between the other two.
    SomewhatUnbalanced,
    /// Four to one or more.
    Unbalanced,
}
