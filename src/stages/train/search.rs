//! The search of a train stage: trials through the memo, and what becomes of them: the chosen parameters, a document, a table.
//!
//! A trial's curves are kept under all that the course of its weights depends on, so one that is known is not run again, whichever search asks for
//! it, at whichever rung.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use arrow::array::{ArrayRef, Int64Array};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Train;
use crate::adapter::Adapter;
use crate::checkpoint::{Place, key};
use crate::dataset::Dataset;
use crate::training::{curve_columns, joined};
use runner_artifact::Table;
use runner_engine::{
    CheckContext, Kind, Problem, Stage, StageContext, Step, listed, parameter_paths, ranges, suggest, typed_json,
};
use runner_ml::progress::Progress;
use runner_ml::search::{Course, Point, Range, Search, SearchResult, SearchSpec, apply};
use runner_ml::train::{Curves, TrainError, TrainingSpec};
use runner_report::search::told;

/// Parameters that no trial has for itself: rows are read once for all of them, each trains one network, and none searches.
const FIXED: [&str; 3] = ["where", "seeds", "search"];

/// A search that has ended.
pub(super) struct Found {
    /// The stage with the parameters of the best trial.
    pub chosen: Train,
    result: SearchResult,
}

/// What is kept of a trial: as far as it was ever run.
#[derive(Default, Serialize, Deserialize)]
struct Known {
    curves: Curves,
    diverged: Option<usize>,
}

/// How much of the work was known before.
#[derive(Default)]
struct Tally {
    known: AtomicU64,
    computed: AtomicU64,
    epochs: AtomicU64,
}

impl Train {
    pub(super) fn check_search(&self, search: &SearchSpec, context: &mut CheckContext) {
        for (path, message) in search.problems() {
            let place = match path.split_once('.') {
                Some((block, inner)) => vec!["search", block, inner],
                None => vec!["search", path.as_str()],
            };
            context.problem(&place, format!("search.{path}: {message}"), None);
        }
        let (epochs, least) =
            (search.epochs.unwrap_or(self.epochs), search.pruning.as_ref().map_or(0, |one| one.min_epochs));
        if least > epochs && context.is_written(&["search", "pruning", "min_epochs"]) {
            let message = format!(
                "search.pruning.min_epochs: {least} of {epochs} epochs: no trial is ever stopped before its end"
            );
            let help = format!("give less than {epochs}, or leave `pruning` out");
            context.problem(&["search", "pruning", "min_epochs"], message, Some(help));
        }
        let written = context.probe(|context| self.alone().check(context));
        let before = context.found();
        // Every path must lead to a parameter, and every value must fit it.
        for (path, range) in &search.space {
            let path = path.as_str();
            if let Some(fixed) = FIXED.into_iter().find(|fixed| path.split('.').next() == Some(fixed)) {
                let message = format!(
                    "search.space.{path}: all trials have the `{fixed}` of the stage, which cannot be searched over"
                );
                let help = "make a stage for each with `matrix`".to_owned();
                context.problem(&["search", "space", path], message, Some(help));
                continue;
            }
            let branches = [("numeric", &self.numeric), ("text", &self.text), ("categories", &self.categories)];
            let unread = branches.into_iter().find(|(branch, columns)| {
                let inner = path.strip_prefix("network.").and_then(|inner| inner.strip_prefix(*branch));
                let is_inner = inner.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
                is_inner && columns.is_empty() && !search.space.contains_key(*branch)
            });
            if let Some((branch, _)) = unread {
                let message =
                    format!("search.space: nothing reads '{path}': the stage has no columns under `{branch}`");
                let help = format!("leave it out, or name columns under `{branch}`");
                context.problem(&["search", "space", path], message, Some(help));
                continue;
            }
            let holds = |other: &&String| other.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
            if let Some(inner) = search.space.keys().find(holds) {
                let message = format!("search.space: '{path}' and '{inner}' set the same parameter");
                let help = "leave one of them out, or give the inner value in each choice of the outer one".to_owned();
                context.problem(&["search", "space", inner], message, Some(help));
            }
            let is_choice = matches!(range, Range::Choice(_));
            for (i, value) in range.examples().into_iter().enumerate() {
                let found = self.mistakes(search, path, value, &written, context);
                let index = i.to_string();
                let place = ["search", "space", path, "choice", &index];
                let place = if is_choice { &place[..] } else { &place[..3] };
                let is_wrong = !found.is_empty();
                found.into_iter().for_each(|problem| context.adopt(place, problem));
                // Of a range one end says enough.
                if is_wrong && !is_choice {
                    break;
                }
            }
            if let Range::Choice(values) = range {
                self.check_repeated(path, values, context);
            }
        }
        if context.found() == before {
            self.check_combinations(search, &written, context);
        }
    }

    /// Equal values of a choice would be trials of their own, and one of them the likelier draw. Values are equal if they give the same parameters,
    /// however they are written.
    fn check_repeated(&self, path: &str, values: &[Value], context: &mut CheckContext) {
        let typed = |value: &Value| {
            let point = Point::from([(path.to_owned(), value.clone())]);
            self.at(&point).ok().and_then(|trial| serde_json::to_value(trial).ok())
        };
        let typed: Vec<Option<Value>> = values.iter().map(typed).collect();
        for (i, own) in typed.iter().enumerate() {
            let Some(first) = own.as_ref().and_then(|own| typed[..i].iter().position(|one| one.as_ref() == Some(own)))
            else {
                continue;
            };
            let (first, again) = (values[first].to_string(), values[i].to_string());
            let message = if first == again {
                format!("search.space.{path}: choice has {first} twice, which would count as two values")
            } else {
                format!(
                    "search.space.{path}: choice has {first} and {again}, which are the same and would count as two values"
                )
            };
            let index = i.to_string();
            context.problem(&["search", "space", path, "choice", &index], message, Some("leave one out".to_owned()));
        }
    }

    /// Finds values that are possible each, but not together, among all choices and the ends of all ranges.
    fn check_combinations(&self, search: &SearchSpec, written: &[Problem], context: &mut CheckContext) {
        let axes: Vec<(&String, Vec<Value>)> =
            search.space.iter().map(|(path, range)| (path, range.examples())).collect();
        if axes.len() < 2 || axes.iter().any(|(_, values)| values.is_empty()) {
            return;
        }
        let wrong_at = |point: &Point| -> Vec<Problem> {
            let Ok(trial) = self.at(point) else { return Vec::new() };
            let mut found = context.probe(|context| trial.check(context));
            found.retain(|problem| written.iter().all(|other| other.message != problem.message));
            found
        };
        let mut told: Vec<(String, Vec<&String>, Problem)> = Vec::new();
        for point in corners(&axes) {
            for problem in wrong_at(&point) {
                // Those parameters of which another value would do, and the one that the mistake is of.
                let matters = |(path, values): &&(&String, Vec<Value>)| {
                    values.iter().filter(|value| point.get(*path) != Some(*value)).any(|value| {
                        let mut other = point.clone();
                        other.insert((*path).clone(), value.clone());
                        wrong_at(&other).iter().all(|other| other.message != problem.message)
                    })
                };
                let is_told = |path: &&String| is_of(&problem.message, path);
                let together = axes.iter().filter(|axis| is_told(&axis.0) || matters(axis)).map(|(path, _)| *path);
                let together: Vec<&String> = together.collect();
                if together.is_empty() || told.iter().any(|(_, known, _)| *known == together) {
                    continue;
                }
                let values = together.iter().map(|path| format!("{path} {}", point[*path]));
                let message =
                    format!("search.space: a trial may have {}, of which comes: {}", listed(values), problem.message);
                // At the parameter that the mistake is of, where it is searched over.
                let at = together.iter().copied().find(is_told).unwrap_or(together[0]);
                told.push((at.clone(), together, Problem::new(None, message)));
            }
        }
        for (at, together, problem) in told {
            let help = match common_block(&together) {
                none if none.is_empty() => "leave out the values that do not go with the others".to_owned(),
                block => format!(
                    "leave out the values that do not go with the others, or search over them as one: `{block}: {{choice: [{{…}}, {{…}}]}}`"
                ),
            };
            context.adopt(&["search", "space", &at], problem.help(help));
        }
    }

    /// The stage without its search.
    fn alone(&self) -> Train {
        Train { search: None, ..self.clone() }
    }

    /// What is wrong with a value of a parameter, whatever the others are, and is not wrong with the stage as `written`.
    fn mistakes(
        &self,
        search: &SearchSpec,
        path: &str,
        value: Value,
        written: &[Problem],
        context: &CheckContext,
    ) -> Vec<Problem> {
        let point = BTreeMap::from([(path.to_owned(), value)]);
        let trial = match self.changed(&point) {
            Ok(params) => typed_json::<Train>(&params, Train::KIND),
            Err(message) => return vec![Problem::new(None, message)],
        };
        let trial = match trial {
            Ok(trial) => trial,
            Err(found) => {
                return found.into_iter().map(|problem| unreadable(path, &search.space[path], problem)).collect();
            }
        };
        let steps: Vec<Step> = path.split('.').map(Step::from).collect();
        let params = serde_json::to_value(&trial).unwrap_or_default();
        let found = ranges::out_of_range(&<Train as Kind>::INFO, &params).into_iter();
        let found: Vec<Problem> =
            found.filter(|one| one.path.starts_with(&steps)).map(|one| Problem::new(None, one.message)).collect();
        if !found.is_empty() {
            return found;
        }
        let mut found = context.probe(|context| trial.check(context));
        found.retain(|problem| written.iter().all(|other| other.message != problem.message));
        // With another value of another parameter it may be right, as a width is once there is an embedding.
        let others = search.space.iter().filter(|(other, _)| *other != path);
        let others = others.flat_map(|(other, range)| range.examples().into_iter().map(move |value| (other, value)));
        for (other, value) in others {
            if found.is_empty() {
                break;
            }
            let mut point = point.clone();
            point.insert(other.clone(), value);
            if let Ok(trial) = self.at(&point) {
                let again = context.probe(|context| trial.check(context));
                found.retain(|problem| again.iter().any(|other| other.message == problem.message));
            }
        }
        if found.is_empty() { self.foreign_columns(&trial) } else { found }
    }

    /// Columns of a trial that are not read: all trials have the data of the stage as it is written.
    fn foreign_columns(&self, trial: &Train) -> Vec<Problem> {
        let lists = [
            ("numeric", &trial.numeric, &self.numeric),
            ("text", &trial.text, &self.text),
            ("categories", &trial.categories, &self.categories),
        ];
        let foreign = |(list, wanted, own): (&str, &Vec<String>, &Vec<String>)| -> Vec<Problem> {
            let foreign = wanted.iter().filter(|column| !own.contains(column));
            let problem = |column: &String| {
                let message = format!("'{column}' is not among the stage's own `{list}`, from which a search chooses");
                Problem::new(None, message).help(format!("add it to `{list}` of the stage"))
            };
            foreign.map(problem).collect()
        };
        lists.into_iter().flat_map(foreign).collect()
    }

    /// This stage with other values at some paths.
    fn at(&self, point: &Point) -> Result<Self, String> {
        serde_json::from_value(self.changed(point)?).map_err(|error| error.to_string())
    }

    /// The parameters of this stage with other values at some paths.
    fn changed(&self, point: &Point) -> Result<Value, String> {
        let mut params = serde_json::to_value(self).map_err(|error| error.to_string())?;
        if let Some(object) = params.as_object_mut() {
            object.remove("search");
        }
        apply(&params, point)
    }

    /// The same with as many epochs as a trial has.
    fn trial(&self, spec: &SearchSpec, point: &Point) -> Result<Self, String> {
        let chosen = self.at(point)?;
        Ok(Train { epochs: spec.epochs.unwrap_or(chosen.epochs), ..chosen })
    }

    pub(super) fn search(&self, spec: &SearchSpec, data: &Dataset, context: &StageContext) -> anyhow::Result<Found> {
        let adapter = Adapter(context.report());
        let tally = Tally::default();
        let run = |point: &Point, rung: Option<usize>| -> Result<Course, String> {
            self.trial(spec, point)?.course(rung, data, context, &Quiet(&adapter), &tally)
        };
        // How many trials there was time for is kept, so that the same search ends with the same trials again.
        let count = context
            .memo(&json!({"trials in time": self, "inputs": context.inputs_key().to_string(), "seed": context.seed()}));
        let before = count.get().and_then(|bytes| serde_json::from_slice::<usize>(&bytes).ok());
        let begun = Instant::now();
        let allowed = spec.minutes.map(|minutes| Duration::from_secs_f64(minutes * 60.0));
        let is_over = |trials: usize| match (allowed, before) {
            (None, _) => false,
            (Some(_), Some(before)) => trials >= before,
            (Some(allowed), None) => begun.elapsed() >= allowed,
        };
        let written = serde_json::to_value(self)?;
        let epochs = spec.epochs.unwrap_or(self.epochs);
        let (seed, threads) = (context.seed(), context.threads());
        let search = Search { spec, written: &written, epochs, seed, threads, is_over: &is_over };
        let result = search.run(&adapter, &run)?;
        if spec.minutes.is_some() {
            count.put(result.search.trials.len().to_string().as_bytes())?;
        }
        tally.tell(context);
        let found = &result.search;
        self.clear_states(spec, found, context)?;
        let chosen = self.at(&found.trials[found.best].params).map_err(|message| anyhow!(message))?;
        Ok(Found { chosen, result })
    }

    /// The course of this stage as a trial, as far as `rung`.
    fn course(
        &self,
        rung: Option<usize>,
        data: &Dataset,
        context: &StageContext,
        progress: &dyn Progress,
        tally: &Tally,
    ) -> Result<Course, String> {
        let training = self.training();
        // The test part never enters it, nor do the other trials.
        let memo =
            context.memo(&json!({"course of": key(context, &self.subject(), &training.trajectory(), context.seed())}));
        let known = memo.get().and_then(|bytes| serde_json::from_slice::<Known>(&bytes).ok());
        if let Some(course) = known.and_then(|known| known.course(&training, rung)) {
            tally.known.fetch_add(1, Ordering::Relaxed);
            return Ok(course);
        }
        let (curves, diverged, resumed) = match self.fit(data, context, context.seed(), rung, progress) {
            Ok(fitted) => (fitted.curves, fitted.diverged, fitted.resumed),
            // A bad point is a result, not a mistake.
            Err(TrainError::Diverged { epoch, .. }) => (Curves::default(), Some(epoch), 0),
            Err(error) => return Err(error.to_string()),
        };
        tally.computed.fetch_add(1, Ordering::Relaxed);
        tally.epochs.fetch_add((curves.len().saturating_sub(1) - resumed) as u64, Ordering::Relaxed);
        let known = Known { curves, diverged };
        let bytes = serde_json::to_vec(&known).map_err(|error| error.to_string())?;
        memo.put(&bytes).map_err(|error| format!("{error:#}"))?;
        known.course(&training, rung).ok_or_else(|| "training ended before its last epoch".to_owned())
    }

    /// The best trial's state is what the final training goes on from; the others' have served.
    fn clear_states(
        &self,
        spec: &SearchSpec,
        found: &runner_results::Search,
        context: &StageContext,
    ) -> anyhow::Result<()> {
        let trials = found.trials.iter().map(|trial| self.trial(spec, &trial.params));
        let trials = trials.collect::<Result<Vec<_>, _>>().map_err(|message| anyhow!(message))?;
        let state = |trial: &Train| (trial.subject(), trial.training().trajectory());
        let best = state(&trials[found.best]);
        for trial in trials.iter().filter(|trial| state(trial) != best) {
            Place::new(context, &trial.subject(), &trial.training(), context.seed()).clear();
        }
        Ok(())
    }
}

/// Points at the corners of a space: all of them where they are few, else all pairs of values beside the first ones of the other parameters.
fn corners(axes: &[(&String, Vec<Value>)]) -> Vec<Point> {
    /// So many are checked in a moment.
    const MOST: usize = 256;
    let all = axes.iter().try_fold(1usize, |all, (_, values)| all.checked_mul(values.len()));
    if all.is_some_and(|all| all <= MOST) {
        let extend = |points: Vec<Point>, (path, values): &(&String, Vec<Value>)| {
            let with = |point: &Point, value: &Value| {
                let mut point = point.clone();
                point.insert((*path).clone(), value.clone());
                point
            };
            points.iter().flat_map(|point| values.iter().map(move |value| with(point, value))).collect()
        };
        return axes.iter().fold(vec![Point::new()], extend);
    }
    let first: Point = axes.iter().map(|(path, values)| ((*path).clone(), values[0].clone())).collect();
    let mut points = Vec::new();
    for (i, (one, values)) in axes.iter().enumerate() {
        for (other, others) in &axes[i + 1..] {
            for (value, second) in values.iter().flat_map(|value| others.iter().map(move |second| (value, second))) {
                let mut point = first.clone();
                point.insert((*one).clone(), value.clone());
                point.insert((*other).clone(), second.clone());
                points.push(point);
                if points.len() == 4 * MOST {
                    return points;
                }
            }
        }
    }
    points
}

/// Whether a message begins with the path of that parameter, or of one in it.
fn is_of(message: &str, path: &str) -> bool {
    message.strip_prefix(path).is_some_and(|rest| rest.starts_with([':', '.', '[', ' ']))
}

/// The innermost block of parameters that holds all of these paths, e.g. `network.numeric`.
fn common_block(paths: &[&String]) -> String {
    let mut common: Vec<&str> = paths.first().map(|path| path.split('.').collect()).unwrap_or_default();
    common.pop();
    for path in paths {
        let steps: Vec<&str> = path.split('.').collect();
        let shared = common.iter().zip(&steps).take_while(|(a, b)| a == b).count();
        common.truncate(shared);
    }
    common.join(".")
}

/// What is said of a value that the parameter at `path` cannot be, or of a path that leads to none.
fn unreadable(path: &str, range: &Range, problem: Problem) -> Problem {
    if problem.message.starts_with("unknown key") {
        let mut known = parameter_paths::<Train>();
        known.retain(|path| !FIXED.contains(&path.split('.').next().unwrap_or_default()));
        // By its name alone, or misspelt.
        let ends = |known: &&String| known.rsplit_once('.').is_some_and(|(_, last)| last == path);
        let meant =
            known.iter().find(ends).map(String::as_str).or_else(|| suggest(path, known.iter().map(String::as_str)));
        let hint = meant.map(|meant| format!(" (did you mean '{meant}'?)")).unwrap_or_default();
        let block = path.rsplit_once('.').map(|(block, _)| format!("{block}."));
        let beside = known.iter().filter(|known| match &block {
            Some(block) => known.strip_prefix(block.as_str()).is_some_and(|rest| !rest.contains('.')),
            None => !known.contains('.'),
        });
        let help = match (listed(beside), block) {
            (none, Some(_)) if none.is_empty() => "e.g. `optimizer.lr`, `batch_size`, `network.dropout`".to_owned(),
            (beside, _) => format!("parameters there are {beside}"),
        };
        return Problem::new(None, format!("search.space: no parameter '{path}'{hint}")).help(help);
    }
    let is_uniform = matches!(range, Range::Uniform(_) | Range::LogUniform(_));
    let help = match problem.message.contains("a whole number") && is_uniform {
        true => Some("ranges of whole numbers are `integer` and `log_integer`".to_owned()),
        false => problem.help,
    };
    Problem { help, ..Problem::new(None, format!("search.space: {}", problem.message)) }
}

impl Known {
    /// The beginning that a training of this kind has of it, if it reaches as far.
    fn course(mut self, training: &TrainingSpec, rung: Option<usize>) -> Option<Course> {
        let replay = runner_ml::train::replay(training, &self.curves, rung);
        let is_there = replay.is_over || rung.is_some_and(|rung| replay.last_epoch >= rung);
        let diverged = self.diverged.filter(|_| !is_there);
        if !is_there && diverged.is_none() {
            return None;
        }
        self.curves.truncate(replay.last_epoch + 1);
        Some(Course { curves: self.curves, best_epoch: replay.best_epoch, diverged })
    }
}

impl Tally {
    fn tell(self, context: &StageContext) {
        let counts =
            [("trials_known", self.known), ("trials_computed", self.computed), ("trial_epochs_computed", self.epochs)];
        for (name, count) in counts {
            context.measure(name, count.into_inner() as f64);
        }
    }
}

impl Found {
    /// For the end of a headline.
    pub fn remark(&self) -> String {
        format!("; test set evaluated once, after {}", told(&self.result.search))
    }

    pub fn document(&self) -> &runner_results::Search {
        &self.result.search
    }

    /// One row for each epoch of each trial.
    pub fn table(&self) -> anyhow::Result<Table> {
        let parts = self.result.search.trials.iter().zip(&self.result.curves).map(|(trial, curves)| {
            let index: ArrayRef = Arc::new(Int64Array::from(vec![trial.index as i64; curves.len()]));
            std::iter::once(("trial".to_owned(), index)).chain(curve_columns(curves)).collect()
        });
        joined(parts)
    }
}

/// A trial's own epochs are not worth a line, and that it diverged is in the table: the search tells of whole trials.
struct Quiet<'a>(&'a Adapter<'a>);

impl Progress for Quiet<'_> {
    fn update(&self, _done: u64, _total: u64, _unit: &str, _note: &str) {}

    fn warn(&self, _message: &str) {}

    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}
