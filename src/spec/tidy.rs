//! Problems in order, each mistake once.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::problem::Problem;
use super::source::Span;

/// Sorts problems by place, drops repetitions and what is said of a settled value or of what holds it, and makes one of those that are about one thing.
pub(super) fn tidy(list: &mut Vec<Problem>) {
    list.sort_by_key(|problem| problem.span);
    let settled: BTreeSet<Span> = list.iter().filter(|one| one.conclusive).filter_map(|one| one.span).collect();
    if !settled.is_empty() {
        // Of what holds such a value, e.g. a list, enough was said as well. They are plain values: none lies in another.
        let holds_settled = |span: Span| {
            let least = Span { end: span.start, ..span };
            settled.range(least..).next().is_some_and(|&first| span.contains(first))
        };
        list.retain(|problem| {
            let is_related = problem.related.as_ref().is_some_and(|(span, _)| settled.contains(span));
            problem.conclusive || !is_related && !problem.span.is_some_and(holds_settled)
        });
    }
    let mut subjects: HashMap<String, usize> = HashMap::new();
    let mut seen: HashSet<Problem> = HashSet::with_capacity(list.len());
    let mut kept: Vec<Problem> = Vec::with_capacity(list.len());
    for problem in list.drain(..) {
        match &problem.about {
            Some(about) => match subjects.get(about) {
                Some(&first) => {
                    let first = &mut kept[first];
                    for span in problem.span.into_iter().chain(problem.also) {
                        // Sorted: the same place again comes right behind itself.
                        if first.also.last().or(first.span.as_ref()) != Some(&span) {
                            first.also.push(span);
                        }
                    }
                    continue;
                }
                None => drop(subjects.insert(about.clone(), kept.len())),
            },
            None if !seen.insert(problem.clone()) => continue,
            None => {}
        }
        kept.push(problem);
    }
    *list = kept;
}
