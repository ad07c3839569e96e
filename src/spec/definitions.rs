//! `vars`: the definitions of variables, resolved against each other.
//!
//! They may stand in any order. Does not know how a reference is replaced; see `variables`.

use indexmap::IndexMap;
use std::collections::HashMap;

use super::node::{Entry, Node, Value};
use super::problem::Problem;
use super::source::Sources;
use super::template::{Piece, pieces};
use super::variables::{Budget, Scope};

/// Resolves the definitions against each other, in any order. A variable at fault becomes `None`.
pub(super) fn resolve(
    definitions: &IndexMap<String, Entry>,
    sources: &Sources,
    budget: &mut Budget,
    problems: &mut Vec<Problem>,
) -> IndexMap<String, Option<Node>> {
    let needs: IndexMap<&str, Vec<String>> = definitions
        .iter()
        .map(|(name, entry)| {
            let mut found = Vec::new();
            references(&entry.node, &mut found);
            found.retain(|other| definitions.contains_key(other));
            (name.as_str(), found)
        })
        .collect();
    let mut resolved: IndexMap<String, Option<Node>> = IndexMap::new();
    // For each definition those that wait for it, once for every mention, and how many mentions it waits for itself.
    let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); needs.len()];
    let mut open: Vec<usize> = needs.values().map(Vec::len).collect();
    for (place, others) in needs.values().enumerate() {
        for other in others.iter().filter_map(|other| needs.get_index_of(other.as_str())) {
            waiting[other].push(place);
        }
    }
    let mut next: Vec<usize> = (0..needs.len()).filter(|&place| open[place] == 0).collect();
    let mut first_open = 0;
    // Rounds, rather than recursion, so that long chains cost no stack.
    while resolved.len() < definitions.len() {
        let mut ready: Vec<&str> = next
            .iter()
            .filter_map(|&place| Some(*needs.get_index(place)?.0))
            .filter(|name| !resolved.contains_key(*name))
            .collect();
        next.clear();
        if ready.is_empty() {
            let circle = circle(&needs, &resolved, &mut first_open);
            let Some(first) = circle.first() else {
                break;
            };
            let path = format!("{} → {first}", circle_path(&circle));
            problems.push(
                Problem::new(
                    definitions[*first].key_span,
                    format!("variables refer to each other in a circle: {path}"),
                )
                .help("give one of them a value of its own"),
            );
            resolved.extend(circle.iter().map(|name| (name.to_string(), None)));
            // Read all the same, for what else may be wrong in them.
            ready = circle;
        }
        for name in ready {
            let before = (problems.len(), budget.unresolved());
            let mut scope = Scope {
                sources,
                vars: &resolved,
                choices: None,
                defined: Some(definitions),
                budget: &mut *budget,
                problems: &mut *problems,
            };
            let node = scope.substitute(&definitions[name].node);
            let sound = |other: &String| !matches!(resolved.get(other), Some(None));
            let fine = (problems.len(), budget.unresolved()) == before && needs[name].iter().all(sound);
            resolved.insert(name.to_string(), fine.then_some(node));
            for &place in needs.get_index_of(name).map_or(&[][..], |place| waiting[place].as_slice()) {
                open[place] -= 1;
                if open[place] == 0 {
                    next.push(place);
                }
            }
        }
        // As the file has them.
        next.sort_unstable();
    }
    // In the order of the file, not of resolution.
    definitions.keys().map(|name| (name.clone(), resolved.swap_remove(name).flatten())).collect()
}

/// Variables that need each other, when none that is left can be resolved; empty if there is no
/// circle. Starts with the one that stands first in the file. No definition before `first_open` is unresolved.
fn circle<'a>(
    needs: &IndexMap<&'a str, Vec<String>>,
    resolved: &IndexMap<String, Option<Node>>,
    first_open: &mut usize,
) -> Vec<&'a str> {
    let open = |name: &str| !resolved.contains_key(name);
    let mut chain: Vec<usize> = Vec::new();
    let mut places: HashMap<usize, usize> = HashMap::new();
    while needs.get_index(*first_open).is_some_and(|(name, _)| !open(name)) {
        *first_open += 1;
    }
    let mut current = Some(*first_open).filter(|&first| first < needs.len());
    while let Some(index) = current {
        if let Some(start) = places.insert(index, chain.len()) {
            let mut members = chain.split_off(start);
            let first = members.iter().enumerate().min_by_key(|(_, index)| **index);
            let turn = first.map_or(0, |(place, _)| place);
            members.rotate_left(turn);
            return members.iter().filter_map(|&index| Some(*needs.get_index(index)?.0)).collect();
        }
        chain.push(index);
        current = needs[index].iter().find(|other| open(other)).and_then(|other| needs.get_index_of(other.as_str()));
    }
    Vec::new()
}

/// `a → b → c`, long circles by their beginning.
fn circle_path(circle: &[&str]) -> String {
    const MOST: usize = 12;
    match circle.len() {
        many if many > MOST => format!("{} → … ({} more)", circle[..MOST].join(" → "), many - MOST),
        _ => circle.join(" → "),
    }
}

/// The names in every `${…}` of a tree.
pub(super) fn references(node: &Node, found: &mut Vec<String>) {
    if let Value::String(text) = &node.value {
        for piece in pieces(text) {
            if let Piece::Reference { name, .. } = piece {
                found.push(name.to_string());
            }
        }
    }
    for (_, child) in node.children() {
        references(child, found);
    }
}
