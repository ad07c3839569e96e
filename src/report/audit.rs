//! What an audit found, in words: for pages, the terminal and warnings of a run.

use runner_results::profile::audit::{
    AlikePair, Audit, Balance, Coefficient, ColumnRows, Contradictions, Duplicates, Finding, FindingKind, Overlap,
    ReadBy, RowKey, RowSet, Severity, TargetLeak, TargetLeakVerdict,
};
use runner_results::profile::{ClassGroup, Profile};

use super::figure::text::{count, counted, decimals, percent};

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

/// Figures and examples, one a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Evidence {
    pub(crate) lines: Vec<String>,
    /// How many more there are that the profile does not list.
    pub(crate) more: u64,
}

/// The figures of the profile that a finding rests on.
pub(crate) fn evidence(finding: &Finding, profile: &Profile) -> Evidence {
    let audit = &profile.audit;
    let reasons = |columns: &[String]| -> Vec<String> {
        let found = columns.iter().filter_map(|name| audit.target_leaks.iter().find(|column| column.column == *name));
        found.map(|column| format!("{}: {}", column.column, reason(profile, column))).collect()
    };
    let classes = || {
        let occurring = profile.classes.iter().filter(|class| class.rows > 0);
        occurring.map(|class| format!("{}: {} ({})", class.class, counted(class.rows, "row"), percent(class.share)))
    };
    let lines = match &finding.kind {
        FindingKind::LeaksLabel { columns }
        | FindingKind::NearlyLeaksLabel { columns }
        | FindingKind::RecognisesRows { columns } => reasons(columns),
        FindingKind::RandomSplitLeaks { .. }
        | FindingKind::RandomSplitHardlyLeaks { .. }
        | FindingKind::DuplicatesInTrain { .. }
        | FindingKind::GroupsInValid { .. }
        | FindingKind::GroupsWhole { .. } => {
            let groups = |one: &&Overlap| matches!(one.key, RowKey::Group { .. } | RowKey::Connected { .. });
            audit.overlaps.iter().filter(groups).map(of_groups).collect()
        }
        FindingKind::NearDuplicatesInTrain { keys, .. } => {
            let own = audit.overlaps.iter().filter(|one| keys.contains(&one.key));
            own.map(|one| shared(one, "of test rows occur in train")).collect()
        }
        FindingKind::SharedValues { columns } => {
            let is_named = |one: &&Overlap| match &one.key {
                RowKey::Column { name } => columns.iter().any(|column| column.column == *name),
                _ => false,
            };
            let own = audit.overlaps.iter().filter(is_named);
            own.map(|one| shared(one, "of test rows have a value known from train")).collect()
        }
        FindingKind::LabelCeiling { key, .. } => {
            let own = audit.contradictions.iter().find(|one| one.key == *key);
            contradictions(audit).chain(own.into_iter().flat_map(|one| one.examples.iter().map(example))).collect()
        }
        FindingKind::RepeatedRows { keys, .. } => {
            let lines = |one: &Duplicates| {
                let sets = format!(
                    "{}: {} in {}, the largest of {}",
                    key(&one.key),
                    counted(one.rows, "row"),
                    counted(one.sets, "set"),
                    one.largest
                );
                std::iter::once(sets).chain(one.examples.iter().take(2).map(example)).collect::<Vec<_>>()
            };
            duplicates(audit, keys).flat_map(lines).collect()
        }
        FindingKind::NearDuplicates { keys, .. } => {
            let lines = |one: &Duplicates| {
                let sets = format!(
                    "{}: {} in {} across groups",
                    key(&one.key),
                    counted(one.rows_across_groups, "row"),
                    counted(one.sets_across_groups, "set")
                );
                std::iter::once(sets).chain(one.examples.iter().take(3).map(example)).collect::<Vec<_>>()
            };
            duplicates(audit, keys).flat_map(lines).collect()
        }
        FindingKind::InfiniteValues { columns } => {
            columns.iter().map(|one| format!("{}: {}", one.column, counted(one.rows, "infinite value"))).collect()
        }
        FindingKind::MissingValues { columns, .. } => {
            let share = |one: &ColumnRows| percent(one.rows as f64 / profile.rows.max(1) as f64);
            columns.iter().map(|one| format!("{}: {} ({})", one.column, counted(one.rows, "row"), share(one))).collect()
        }
        FindingKind::AlikeColumns { pairs, strongest } => {
            let line = |AlikePair { a, b, coefficient, value }: &AlikePair| {
                let coefficient = match coefficient {
                    Coefficient::Pearson => "Pearson",
                    Coefficient::Spearman => "Spearman",
                };
                format!("{a} and {b}: {coefficient} {}", decimals(*value, 3))
            };
            let more = pairs.saturating_sub(strongest.len() as u64);
            return Evidence { lines: strongest.iter().map(line).collect(), more };
        }
        FindingKind::SmallClasses { .. } | FindingKind::ClassBalance { .. } => classes().collect(),
        FindingKind::NoLeakOfLabel { .. }
        | FindingKind::ConsistentLabels { .. }
        | FindingKind::NoRepeats { .. }
        | FindingKind::RepeatsByChance { .. }
        | FindingKind::ConstantColumns { .. }
        | FindingKind::UnlabelledRows { .. }
        | FindingKind::OneClass { .. } => Vec::new(),
    };
    Evidence { lines, more: 0 }
}

/// Why a column has its verdict.
pub(crate) fn reason(profile: &Profile, column: &TargetLeak) -> String {
    let honest = column.honest();
    let is_group = |one: &Overlap| matches!(one.key, RowKey::Group { .. } | RowKey::Connected { .. });
    let others = match &column.group_folds {
        Some(_) if profile.audit.overlaps.iter().any(is_group) => "in other groups",
        Some(_) => "on rows that are no copies of its own",
        None => "on other rows",
    };
    let what = match column.read_by {
        ReadBy::Value => "looking its value up",
        ReadBy::QuantileBin => "its quantile bin",
        ReadBy::Presence => "whether it has a value",
    };
    let Some(accuracy) = honest.accuracy_on_covered else {
        return format!("no value occurs {others}, so it cannot predict by value");
    };
    let mut text = format!(
        "{what} {others} is right on {} of the rows that can be looked up ({} of all); guessing the largest class: {}",
        percent(accuracy),
        percent(honest.coverage),
        percent(profile.classes.iter().map(|class| class.share).fold(0.0, f64::max))
    );
    let told = matches!(column.verdict, TargetLeakVerdict::GivesAway | TargetLeakVerdict::Nearly);
    if told && column.purity == Some(1.0) && column.read_by == ReadBy::Value {
        if column.distinct == profile.classes.iter().filter(|class| class.rows > 0).count() as u64 {
            text.push_str("; its values and the labels match one to one: it is the label under another name");
        } else {
            text.push_str(&format!("; each of its {} values has one label only", count(column.distinct)));
        }
    }
    if column.verdict == TargetLeakVerdict::RecognisesRows {
        text.push_str(&format!(
            "; with copies of a row on both sides {} could be looked up: it recognises rows",
            percent(column.row_folds.coverage)
        ));
    }
    text
}

/// What makes rows equal, after `an earlier row in` or `values of`.
pub(crate) fn key(key: &RowKey) -> String {
    match key {
        RowKey::Rows { except } if except.is_empty() => "every column".into(),
        RowKey::Rows { except } => format!("every column but {}", list(except)),
        RowKey::Group { name } | RowKey::Column { name } => name.clone(),
        RowKey::Connected { by } => format!("groups connected by {}", list(by)),
        RowKey::Numbers => "every numeric column".into(),
        RowKey::RoundedNumbers { digits } => format!("every numeric column to {}", counted(*digits, "digit")),
        RowKey::NormalisedText { columns } => format!("normalised {}", list(columns)),
    }
}

/// `every column or id`.
fn any_of(keys: &[RowKey]) -> String {
    let names: Vec<String> = keys.iter().map(key).collect();
    match names.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        names => names.concat(),
    }
}

/// What a class that is told apart is called, or the others together.
pub(crate) fn group(group: &ClassGroup) -> String {
    match group {
        ClassGroup::Class(name) => name.clone(),
        ClassGroup::Others { others } => format!("{others} other classes"),
    }
}

fn of_groups(one: &Overlap) -> String {
    let random = percent(one.random.test_in_train.unwrap_or(0.0));
    match &one.given {
        Some(given) => format!(
            "{}: {} of test rows occur in train ({} in valid); in a random row split {random}",
            key(&one.key),
            percent(given.test_in_train.unwrap_or(0.0)),
            percent(given.test_in_valid.unwrap_or(0.0)),
        ),
        None => format!("{}: in a random row split {random} of test rows occur in train", key(&one.key)),
    }
}

fn shared(one: &Overlap, how: &str) -> String {
    format!(
        "{}: {} {how}; in a random row split {}",
        key(&one.key),
        percent(one.given.as_ref().and_then(|given| given.test_in_train).unwrap_or(0.0)),
        percent(one.random.test_in_train.unwrap_or(0.0))
    )
}

fn contradictions(audit: &Audit) -> impl Iterator<Item = String> {
    let line = |one: &Contradictions| {
        format!(
            "{}: {} of {} values have more than one label ({}); ceiling {}",
            key(&one.key),
            count(one.contradictory),
            count(one.values),
            counted(one.rows, "row"),
            percent(one.ceiling)
        )
    };
    audit.contradictions.iter().filter(|one| one.contradictory > 0).map(line)
}

fn duplicates<'a>(audit: &'a Audit, keys: &'a [RowKey]) -> impl Iterator<Item = &'a Duplicates> {
    audit.duplicates.iter().filter(|one| keys.contains(&one.key))
}

/// E.g. `"Long Road · The Fixture": 3 rows (2 pop, 1 latin) at train.csv:2, train.csv:90`.
fn example(set: &RowSet) -> String {
    let mut text = match &set.value {
        Some(value) => format!("\"{value}\": {} rows", set.rows),
        None => format!("{} rows", set.rows),
    };
    if !set.classes.is_empty() {
        let counts: Vec<String> = set.classes.iter().map(|count| format!("{} {}", count.rows, count.class)).collect();
        text.push_str(&format!(" ({})", counts.join(", ")));
    }
    let more = if set.rows as usize > set.places.len() { ", …" } else { "" };
    text.push_str(&format!(" at {}{more}", set.places.join(", ")));
    text
}

fn names(columns: &[ColumnRows]) -> Vec<String> {
    columns.iter().map(|one| one.column.clone()).collect()
}

fn verb(subjects: &[String], one: &'static str, several: &'static str) -> &'static str {
    if subjects.len() == 1 { one } else { several }
}

/// Names in a sentence, at most.
const MOST_NAMES: usize = 12;

/// `a`, `a and b`, `a, b and c`; of many the first twelve and how many more.
fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        many if many.len() > MOST_NAMES => {
            format!("{} and {} more", many[..MOST_NAMES].join(", "), count((many.len() - MOST_NAMES) as u64))
        }
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use runner_results::profile::audit::{ClassCount, ColumnScore, Severity, SharedValues};
    use runner_results::profile::{ClassBalance, ColumnKind};

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
            looked_up("again", 2, TargetLeakVerdict::GivesAway),
            looked_up("list", 2_100, TargetLeakVerdict::GivesAway),
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
}
