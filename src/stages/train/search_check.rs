//! What is wrong with a search, found before any trial: paths that lead nowhere, values that do not fit, alone or together.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Train;
use super::trials::Trials;
use runner_engine::{CheckContext, Problem, Stage, listed};
use runner_ml::search::{Point, Range};

impl Trials<'_> {
    pub(super) fn check(&self, context: &mut CheckContext) {
        let search = self.search;
        for (path, message) in search.problems() {
            let place = match path.split_once('.') {
                Some((block, inner)) => vec!["search", block, inner],
                None => vec!["search", path.as_str()],
            };
            context.problem(&place, format!("search.{path}: {message}"), None);
        }
        let (epochs, least) = (
            search.epochs.unwrap_or(self.changes.stage.epochs),
            search.pruning.as_ref().map_or(0, |one| one.min_epochs),
        );
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
            let is_set = |branch: &str| search.space.contains_key(branch);
            if let Some(problem) = self.changes.refused_path(path, is_set) {
                context.adopt(&["search", "space", path], problem);
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
                let found = self.mistakes(path, value, &written, context);
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
            self.check_combinations(&written, context);
        }
    }

    /// Equal values of a choice would be trials of their own, and one of them the likelier draw. Values are equal if they give the same parameters,
    /// however they are written.
    fn check_repeated(&self, path: &str, values: &[Value], context: &mut CheckContext) {
        let points: Vec<Point> = values.iter().map(|value| Point::from([(path.to_owned(), value.clone())])).collect();
        for (first, i) in self.changes.repeated(points.iter()) {
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
    fn check_combinations(&self, written: &[Problem], context: &mut CheckContext) {
        let axes: Vec<(&String, Vec<Value>)> =
            self.search.space.iter().map(|(path, range)| (path, range.examples())).collect();
        if axes.len() < 2 || axes.iter().any(|(_, values)| values.is_empty()) {
            return;
        }
        let wrong_at = |point: &Point| -> Vec<Problem> {
            let Ok(trial) = self.changes.at(point) else { return Vec::new() };
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
        Train { search: None, ..self.changes.stage.clone() }
    }

    /// What is wrong with a value of a parameter, whatever the others are, and is not wrong with the stage as `written`.
    fn mistakes(&self, path: &str, value: Value, written: &[Problem], context: &CheckContext) -> Vec<Problem> {
        let point = BTreeMap::from([(path.to_owned(), value)]);
        let range = &self.search.space[path];
        let is_uniform = matches!(range, Range::Uniform(_) | Range::LogUniform(_));
        let with_help = |problem: Problem| match problem.message.contains("a whole number") && is_uniform {
            true => problem.help("ranges of whole numbers are `integer` and `log_integer`".to_owned()),
            false => problem,
        };
        let trial = match self.changes.read(&point, path) {
            Ok(trial) => trial,
            Err(found) => return found.into_iter().map(with_help).collect(),
        };
        let mut found = self.changes.refused(&trial, written, context);
        // With another value of another parameter it may be right, as a width is once there is an embedding.
        let others = self.search.space.iter().filter(|(other, _)| *other != path);
        let others = others.flat_map(|(other, range)| range.examples().into_iter().map(move |value| (other, value)));
        for (other, value) in others {
            if found.is_empty() {
                break;
            }
            let mut point = point.clone();
            point.insert(other.clone(), value);
            if let Ok(trial) = self.changes.at(&point) {
                let again = context.probe(|context| trial.check(context));
                found.retain(|problem| again.iter().any(|other| other.message == problem.message));
            }
        }
        if found.is_empty() { self.changes.foreign_columns(&trial) } else { found }
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
