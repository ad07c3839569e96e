//! Columns as categories: the texts that a learner tells apart, in training and in rows to predict.
//!
//! What a row's category is depends on that row and the model alone, although the other rows of its file decide whether its column is read as whole numbers,
//! fractions or texts: one number is one category in whatever spelling.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use arrow::array::AsArray;

use super::columns::strings;
use runner_artifact::Table;
use runner_engine::Report;
use runner_ml::frame::Frame;
use runner_ml::preprocess::CategoryColumn;
use runner_names::listed_up_to;
use runner_tabular as tabular;

/// Adds columns as categories; numbers are written out, and one number is one category in whatever spelling, as it is in a file all of whose values are
/// numbers.
pub(super) fn add_categories(
    frame: &mut Frame,
    table: &Table,
    names: &[String],
    report: &dyn Report,
) -> anyhow::Result<()> {
    for name in names {
        let mut values = strings(table, name)?;
        if table.column(name)?.as_string_opt::<i32>().is_some() {
            let merged = one_spelling(&mut values);
            if !merged.is_empty() {
                let shown: Vec<String> = merged.iter().take(SHOWN).map(|(a, b)| format!("'{a}' as '{b}'")).collect();
                let more = merged.len() - shown.len();
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                report.warn(&format!(
                    "column '{name}': categories that are the same number count as one: {}{more}",
                    shown.join(", ")
                ));
            }
        }
        frame.insert_categories(name, values);
    }
    Ok(())
}

/// Spellings that a warning names.
const SHOWN: usize = 5;

/// Writes every number as its shortest spelling among the values, of equally short ones the first by characters; gives the spellings replaced, with those in their place.
fn one_spelling(values: &mut [Option<String>]) -> Vec<(String, String)> {
    let spellings: BTreeSet<&String> = values.iter().flatten().collect();
    let mut by_number: HashMap<String, &String> = HashMap::new();
    let mut numbers: Vec<(&String, String)> = Vec::new();
    for spelling in spellings {
        let Some(number) = tabular::canonical_number(spelling) else { continue };
        let chosen = by_number.entry(number.clone()).or_insert(spelling);
        if spelling.len() < chosen.len() {
            *chosen = spelling;
        }
        numbers.push((spelling, number));
    }
    let replaced = numbers.into_iter().map(|(spelling, number)| (spelling.clone(), by_number[&number].clone()));
    let replaced: Vec<(String, String)> = replaced.filter(|(spelling, chosen)| spelling != chosen).collect();
    let by_spelling: HashMap<&String, &String> = replaced.iter().map(|(spelling, chosen)| (spelling, chosen)).collect();
    for value in values.iter_mut().flatten() {
        if let Some(chosen) = by_spelling.get(value) {
            value.clone_from(chosen);
        }
    }
    replaced
}

/// Categories in the form in which the model learnt them: where the type of a column is another in these files, one number may be written otherwise, as
/// `1` and `1.0`, and one text in another Unicode form. A number comes before what the model knows as it stands, so that the other rows of a file, which may
/// give its column another type, never decide.
pub(super) fn as_trained(mut values: Vec<Option<String>>, known: &[String]) -> Vec<Option<String>> {
    // A form that no type would have made a number of, e.g. 007, is a text.
    let number = tabular::canonical_number;
    let mut by_number: HashMap<String, &String> = HashMap::new();
    for form in known {
        number(form).into_iter().for_each(|number| {
            by_number.entry(number).or_insert(form);
        });
    }
    let mut by_composed: HashMap<Cow<str>, &String> = HashMap::new();
    for form in known {
        by_composed.entry(tabular::composed(form)).or_insert(form);
    }
    for value in values.iter_mut().flatten() {
        let same_number = number(value).and_then(|number| by_number.get(&number).copied());
        let same = || known.binary_search(value).ok().map(|at| &known[at]);
        let same_text = || same().or_else(|| by_composed.get(&tabular::composed(value)).copied());
        if let Some(form) = same_number.or_else(same_text) {
            value.clone_from(form);
        }
    }
    values
}

/// Values of a column that a model does not tell apart.
#[derive(Debug, PartialEq)]
pub(super) struct Unknown {
    /// Values of the rows.
    all: usize,
    /// Of those, the ones that were not there in training.
    unseen: usize,
    /// Those that were, in too few rows to be learnt.
    rare: usize,
    /// The first of each.
    examples: [Option<String>; 2],
    /// One that the model knows.
    known: Option<String>,
}

impl Unknown {
    /// Of the values of a column, as it was in training.
    pub(super) fn of(values: &[Option<String>], column: &CategoryColumn) -> Unknown {
        let unknown = values.iter().flatten().filter(|value| column.values.binary_search(value).is_err());
        let unknown: Vec<Option<String>> = unknown.cloned().map(Some).collect();
        let spelled = as_trained(unknown.clone(), &column.rare);
        let is_rare =
            |value: &Option<String>| value.as_ref().is_some_and(|value| column.rare.binary_search(value).is_ok());
        let (mut counts, mut examples) = ([0, 0], [None, None]);
        for (value, spelled) in unknown.into_iter().zip(&spelled) {
            let kind = usize::from(is_rare(spelled));
            counts[kind] += 1;
            examples[kind] = examples[kind].take().or(value);
        }
        let [unseen, rare] = counts;
        Unknown { all: values.iter().flatten().count(), unseen, rare, examples, known: column.values.first().cloned() }
    }

    /// Whether they are most of the column, which may be written in another way.
    fn is_most(&self) -> bool {
        2 * (self.unseen + self.rare) > self.all
    }

    fn words(&self) -> String {
        let kinds = [(self.unseen, "not there in training"), (self.rare, "there in too few rows to be learnt")];
        let is_mixed = self.unseen > 0 && self.rare > 0;
        let words = kinds.iter().zip(&self.examples).filter_map(|((count, what), example)| {
            let example = example.as_ref()?;
            let count = if is_mixed { format!("{count} ") } else { String::new() };
            Some(format!("{count}{what}, e.g. '{example}'"))
        });
        words.collect::<Vec<_>>().join("; ")
    }
}

/// Says once for a column that most of its values are none that these models know.
pub(super) fn warn_of_unknown(name: &str, found: Vec<(String, Unknown)>, report: &dyn Report) {
    let mut alike: Vec<(Vec<String>, Unknown)> = Vec::new();
    for (model, unknown) in found.into_iter().filter(|(_, unknown)| unknown.is_most()) {
        match alike.iter_mut().find(|(_, known)| *known == unknown) {
            Some((models, _)) => models.push(format!("'{model}'")),
            None => alike.push((vec![format!("'{model}'")], unknown)),
        }
    }
    let Some((_, Unknown { all, known, .. })) = alike.first() else { return };
    let known = known.as_ref().map_or("no value".to_owned(), |known| format!("e.g. '{known}'"));
    let each = alike.iter().take(SHOWN).map(|(models, unknown)| {
        let count = unknown.unseen + unknown.rare;
        let verb = if count == 1 { "counts" } else { "count" };
        format!("{count} of {all} values {verb} as unknown to {} ({})", listed_up_to(SHOWN, models), unknown.words())
    });
    let each: Vec<String> = each.collect();
    report.warn(&format!("column '{name}': {}; {known} is known", each.join("; ")));
}

#[cfg(test)]
mod tests {
    use super::{as_trained, one_spelling};

    fn texts(values: &[&str]) -> Vec<Option<String>> {
        values.iter().map(|value| Some((*value).to_owned())).collect()
    }

    #[test]
    fn one_number_is_one_category_in_training() {
        let mut values = texts(&["1.0", "1", "x", "2.50", "2.5", "007", "7", "9007199254740993", "9007199254740992.0"]);
        let replaced = one_spelling(&mut values);
        assert_eq!(values[..5], texts(&["1", "1", "x", "2.5", "2.5"]));
        assert_eq!(values[5..], texts(&["007", "7", "9007199254740993", "9007199254740992.0"]));
        assert_eq!(replaced, [("1.0".to_owned(), "1".to_owned()), ("2.50".to_owned(), "2.5".to_owned())]);
    }

    #[test]
    fn the_type_of_a_file_does_not_decide_which_category_a_row_has() {
        let known = ["1.0", "2", "x", "e\u{301}"].map(str::to_owned);
        // As whole numbers, fractions and texts.
        for one in ["1", "1.0", "1e0"] {
            assert_eq!(as_trained(texts(&[one, "2.0", "y"]), &known), texts(&["1.0", "2", "y"]));
        }
        assert_eq!(as_trained(texts(&["\u{e9}", "x"]), &known), texts(&["e\u{301}", "x"]));
    }
}
