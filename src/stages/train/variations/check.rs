//! What is wrong with variations, found before any training: paths that lead nowhere, values that do not fit, changes that change nothing.

use runner_engine::{CheckContext, Problem, Stage as _};
use runner_ml::search::Point;
use runner_results::variations::Levels;

use super::super::Train;
use super::super::changes::{Changes, VARY, WITHOUT};
use super::Variations;

/// What is the same in all settings, since it is what they are compared by.
const JUDGED_BY: &str = "early_stopping.metric";

/// Changes of the base, and where they are written.
struct Written<'a> {
    changes: &'a Changes<'a>,
    /// What is wrong with the base itself, which is told of it alone.
    base: &'a [Problem],
    /// The keys and indices that lead to the changes.
    place: &'a [&'a str],
    point: &'a Point,
    /// Whether each change has a key of its own below that.
    is_map: bool,
}

impl Variations {
    pub(super) fn check_variations(&self, context: &mut CheckContext) {
        if self.vary.is_empty() && self.without.is_empty() {
            let help = "e.g. `vary: {batch_size: [64, 1024]}`, or `without: {dropout: {network.dropout: 0}}`";
            context.problem(&[], "nothing varies: name parameters under `vary` or `without`", Some(help.to_owned()));
        }
        let base = self.base();
        let written = context.probe(|context| base.check(context));
        let changes = Changes::of(&base, VARY);
        for (factor, levels) in &self.vary {
            self.check_factor(factor, levels, &changes, &written, context);
        }
        let changes = Changes::of(&base, WITHOUT);
        for (name, point) in &self.without {
            let before = context.found();
            let place = ["without", name];
            Written { changes: &changes, base: &written, place: &place, point, is_map: true }.check(context);
            if context.found() == before && changes.changes_nothing(point) {
                let message = format!("without.{name}: the stage itself has these values, so that nothing is left out");
                context.problem(&place, message, Some("leave it out, or give other values".to_owned()));
            }
        }
    }

    fn check_factor(
        &self,
        factor: &str,
        levels: &Levels,
        changes: &Changes,
        written: &[Problem],
        context: &mut CheckContext,
    ) {
        let before = context.found();
        let is_map = matches!(levels, Levels::Changes(_));
        let all = levels.changes(factor);
        if all.is_empty() {
            let message = format!("vary.{factor}: there is no value to try");
            context.problem(&["vary", factor], message, Some("give at least one, or leave it out".to_owned()));
            return;
        }
        // What is wrong with the path of a list is said once.
        if !is_map && let Some(problem) = refused(changes, factor, &Point::new()) {
            context.adopt(&["vary", factor], problem);
            return;
        }
        for (place, point) in &all {
            let place = ["vary", factor, place];
            Written { changes, base: written, place: &place, point, is_map }.check(context);
        }
        if context.found() > before {
            return;
        }
        for (first, again) in changes.repeated(all.iter().map(|(_, point)| point)) {
            let shown = |i: usize| if is_map { all[i].0.clone() } else { all[i].1[factor].to_string() };
            let message = format!("vary.{factor}: {} and {} are the same", shown(first), shown(again));
            context.problem(&["vary", factor, &all[again].0], message, Some("leave one out".to_owned()));
        }
        if context.found() == before && all.iter().all(|(_, point)| changes.changes_nothing(point)) {
            let message = format!("vary.{factor}: nothing differs from the stage itself");
            context.problem(&["vary", factor], message, Some("add another value".to_owned()));
        }
    }
}

impl Written<'_> {
    fn check(&self, context: &mut CheckContext) {
        let Written { changes, base, place, point, is_map } = *self;
        let adopt = |context: &mut CheckContext, path: Option<&str>, problem: Problem| {
            let below = path.filter(|_| is_map);
            context.adopt(&place.iter().copied().chain(below).collect::<Vec<_>>(), problem);
        };
        let before = context.found();
        for path in point.keys() {
            if let Some(problem) = refused(changes, path, point) {
                adopt(context, Some(path), problem);
            } else if let Some(inner) = point.keys().find(|other| is_within(other, path)) {
                let message = format!("{}: '{path}' and '{inner}' set the same parameter", place.join("."));
                adopt(context, Some(inner), Problem::new(None, message).help("leave one of them out"));
            }
        }
        if context.found() > before {
            return;
        }
        let together = match changes.read(point, point.keys().next().map_or("", String::as_str)) {
            Ok(changed) => {
                let found = wrong(changes, &changed, base, context);
                return found.into_iter().for_each(|problem| adopt(context, None, problem));
            }
            Err(together) => together,
        };
        // Each is told at its own place, where one alone is at fault.
        for (path, value) in point {
            let alone = changes.read(&Point::from([(path.clone(), value.clone())]), path);
            alone.err().into_iter().flatten().for_each(|problem| adopt(context, Some(path), problem));
        }
        if context.found() == before {
            together.into_iter().for_each(|problem| adopt(context, None, problem));
        }
    }
}

/// `beside` are the changes that are made together with this one.
fn refused(changes: &Changes, path: &str, beside: &Point) -> Option<Problem> {
    if path == JUDGED_BY {
        let message = format!("'{path}' cannot vary: it is what settings are compared by");
        return Some(Problem::new(None, message).help("make a stage for each with `matrix`"));
    }
    changes.refused_path(path, |branch| beside.contains_key(branch))
}

fn wrong(changes: &Changes, changed: &Train, base: &[Problem], context: &CheckContext) -> Vec<Problem> {
    let found = changes.refused(changed, base, context);
    if found.is_empty() { changes.foreign_columns(changed) } else { found }
}

fn is_within(inner: &str, path: &str) -> bool {
    inner.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'))
}
