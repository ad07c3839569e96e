//! A train stage with other values of some of its parameters: what the trials of a search and the settings of `variations` are.

use serde_json::Value;

use super::Train;
use runner_engine::{
    CheckContext, Kind, Problem, Stage, Step, listed, out_of_range, parameter_paths, suggest, typed_json,
};
use runner_ml::search::{Point, apply};

/// Parameters that no changed stage has for itself: rows are read once for all of them, each trains one network, none searches, and none predicts.
const FIXED: [&str; 5] = ["where", "sample_weight", "seeds", "search", "threshold"];

/// How changes are spoken of.
#[derive(Clone, Copy)]
pub(super) struct Words {
    /// The block that holds the paths.
    block: &'static str,
    /// What the changed stages are.
    all: &'static str,
    /// What a fixed parameter cannot.
    cannot: &'static str,
    /// Who chooses among the stage's columns.
    chooser: &'static str,
}

pub(super) const SEARCH: Words =
    Words { block: "search.space", all: "trials", cannot: "be searched over", chooser: "a search" };

pub(super) const VARY: Words = Words { block: "vary", all: "settings", cannot: "vary", chooser: "a setting" };

pub(super) const WITHOUT: Words = Words { block: "without", ..VARY };

/// A stage, of which some parameters are changed.
pub(super) struct Changes<'a> {
    pub stage: &'a Train,
    /// The stage's parameters but for its search, which every changed one begins with.
    pub written: Value,
    words: Words,
}

impl<'a> Changes<'a> {
    pub(super) fn of(stage: &'a Train, words: Words) -> Self {
        // A stage that was read from parameters can be written as such.
        let mut written = serde_json::to_value(stage).unwrap_or_default();
        if let Some(object) = written.as_object_mut() {
            object.remove("search");
        }
        Changes { stage, written, words }
    }

    /// The stage with the values of `point`.
    ///
    /// # Errors
    /// A path leads nowhere, or a value is none of its parameter's.
    pub(super) fn at(&self, point: &Point) -> Result<Train, String> {
        serde_json::from_value(apply(&self.written, point)?).map_err(|error| error.to_string())
    }

    /// Whether the stage has these values already.
    pub(super) fn changes_nothing(&self, point: &Point) -> bool {
        let typed = self.at(point).ok().and_then(|changed| serde_json::to_value(changed).ok());
        typed.as_ref() == Some(&self.written)
    }

    /// Why nothing can be set at a path. `is_set`: whether another change names these columns.
    pub(super) fn refused_path(&self, path: &str, is_set: impl Fn(&str) -> bool) -> Option<Problem> {
        let Words { block, all, cannot, .. } = self.words;
        if let Some(fixed) = FIXED.into_iter().find(|fixed| path.split('.').next() == Some(fixed)) {
            let message = format!("{block}.{path}: all {all} have the `{fixed}` of the stage, which cannot {cannot}");
            return Some(Problem::new(None, message).help("make a stage for each with `matrix`"));
        }
        let branches =
            [("numeric", &self.stage.numeric), ("text", &self.stage.text), ("categories", &self.stage.categories)];
        let (branch, _) = branches.into_iter().find(|(branch, columns)| {
            let inner = path.strip_prefix("network.").and_then(|inner| inner.strip_prefix(*branch));
            let is_inner = inner.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            is_inner && columns.is_empty() && !is_set(branch)
        })?;
        let message = format!("{block}: nothing reads '{path}': the stage has no columns under `{branch}`");
        Some(Problem::new(None, message).help(format!("leave it out, or name columns under `{branch}`")))
    }

    /// The stage with the values of `point`, as far as each value can be one of its parameter's; mistakes are told of `path`.
    pub(super) fn read(&self, point: &Point, path: &str) -> Result<Train, Vec<Problem>> {
        let params = apply(&self.written, point).map_err(|message| vec![Problem::new(None, message)])?;
        let changed = typed_json::<Train>(&params, Train::KIND);
        let changed = changed
            .map_err(|found| found.into_iter().map(|problem| self.unreadable(path, problem)).collect::<Vec<_>>())?;
        let params = serde_json::to_value(&changed).unwrap_or_default();
        let steps: Vec<Vec<Step>> = point.keys().map(|path| path.split('.').map(Step::from).collect()).collect();
        let found = out_of_range(&<Train as Kind>::INFO, &params).into_iter();
        let found = found.filter(|one| steps.iter().any(|steps| one.path.starts_with(steps)));
        let found: Vec<Problem> = found.map(|one| Problem::new(None, one.message)).collect();
        if found.is_empty() { Ok(changed) } else { Err(found) }
    }

    /// What is wrong with a changed stage and not with the stage as `written`.
    pub(super) fn refused(&self, changed: &Train, written: &[Problem], context: &CheckContext) -> Vec<Problem> {
        let mut found = context.probe(|context| changed.check(context));
        found.retain(|problem| written.iter().all(|other| other.message != problem.message));
        found
    }

    /// Columns of a changed stage that are not read: all have the data of the stage as it is written.
    pub(super) fn foreign_columns(&self, changed: &Train) -> Vec<Problem> {
        let lists = [
            ("numeric", &changed.numeric, &self.stage.numeric),
            ("text", &changed.text, &self.stage.text),
            ("categories", &changed.categories, &self.stage.categories),
        ];
        let foreign = |(list, wanted, own): (&str, &Vec<String>, &Vec<String>)| -> Vec<Problem> {
            let foreign = wanted.iter().filter(|column| !own.contains(column));
            let problem = |column: &String| {
                let chooser = self.words.chooser;
                let message = format!("'{column}' is not among the stage's own `{list}`, from which {chooser} chooses");
                Problem::new(None, message).help(format!("add it to `{list}` of the stage"))
            };
            foreign.map(problem).collect()
        };
        lists.into_iter().flat_map(foreign).collect()
    }

    /// The places of changes that give the same parameters as earlier ones, however they are written, each after that of the earlier one.
    pub(super) fn repeated<'p>(&self, points: impl Iterator<Item = &'p Point>) -> Vec<(usize, usize)> {
        let typed = |point: &Point| self.at(point).ok().and_then(|changed| serde_json::to_value(changed).ok());
        let typed: Vec<Option<Value>> = points.map(typed).collect();
        let first = |(i, own): (usize, &Option<Value>)| {
            let own = own.as_ref()?;
            Some((typed[..i].iter().position(|one| one.as_ref() == Some(own))?, i))
        };
        typed.iter().enumerate().filter_map(first).collect()
    }

    /// What is said of a value that the parameter at `path` cannot be, or of a path that leads to none.
    fn unreadable(&self, path: &str, problem: Problem) -> Problem {
        let block = self.words.block;
        if problem.message.starts_with("unknown key") {
            let mut known = parameter_paths::<Train>();
            known.retain(|path| !FIXED.contains(&path.split('.').next().unwrap_or_default()));
            // By its name alone, or misspelt.
            let ends = |known: &&String| known.rsplit_once('.').is_some_and(|(_, last)| last == path);
            let meant =
                known.iter().find(ends).map(String::as_str).or_else(|| suggest(path, known.iter().map(String::as_str)));
            let hint = meant.map(|meant| format!(" (did you mean '{meant}'?)")).unwrap_or_default();
            let above = path.rsplit_once('.').map(|(block, _)| format!("{block}."));
            let beside = known.iter().filter(|known| match &above {
                Some(above) => known.strip_prefix(above.as_str()).is_some_and(|rest| !rest.contains('.')),
                None => !known.contains('.'),
            });
            let help = match (listed(beside), above) {
                (none, Some(_)) if none.is_empty() => "e.g. `optimizer.lr`, `batch_size`, `network.dropout`".to_owned(),
                (beside, _) => format!("parameters there are {beside}"),
            };
            return Problem::new(None, format!("{block}: no parameter '{path}'{hint}")).help(help);
        }
        Problem { help: problem.help, ..Problem::new(None, format!("{block}: {}", problem.message)) }
    }
}
