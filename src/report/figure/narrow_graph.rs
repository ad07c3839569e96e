//! The pipeline for a narrow screen: a stage a line, and beside them rails from each stage down to those that read it, as `git log --graph` draws.

use indexmap::{IndexMap, IndexSet};

use super::drawing::{Drawing, Element, PathData};
use super::graph::Node;
use super::palette::Paint;
use super::text;

/// A phone's width less its margins.
const WIDTH: f64 = 344.0;
/// A line that a finger can hit.
const LINE: f64 = 30.0;
const RAIL: f64 = 11.0;
const TOP: f64 = 30.0;

/// Draws `nodes` with `edges` from producer to consumer, by name. Edges between unknown names, and those that close a circle, are left out.
pub fn narrow_graph(title: &str, description: &str, nodes: &[Node], edges: &[(String, String)]) -> Drawing {
    let place: IndexMap<&str, usize> = nodes.iter().enumerate().map(|(i, node)| (node.name.as_str(), i)).collect();
    let known = edges.iter().filter_map(|(from, to)| Some((*place.get(from.as_str())?, *place.get(to.as_str())?)));
    let known: IndexSet<(usize, usize)> = known.filter(|(from, to)| from != to).collect();
    let order = ordered(nodes.len(), &known);
    let row: Vec<usize> = (0..nodes.len()).map(|node| order.iter().position(|n| *n == node).unwrap_or(0)).collect();
    let edges: Vec<(usize, usize)> = known.into_iter().filter(|&(from, to)| row[from] < row[to]).collect();
    let last = |node: usize| edges.iter().filter(|edge| edge.0 == node).map(|edge| row[edge.1]).max();
    let rail = assigned(&order, last);

    let used = rail.iter().max().map_or(0, |most| most + 1);
    let mut drawing = Drawing::new(WIDTH, TOP + LINE * nodes.len().max(1) as f64 + 4.0, title, description);
    drawing.heading();
    let x = |node: usize| 7.0 + RAIL * rail[node] as f64;
    let y = |node: usize| TOP + LINE * (row[node] as f64 + 0.5);
    for &(from, to) in &edges {
        let mut path = PathData::default();
        path.move_to(x(from), y(from));
        let turn = y(to) - LINE * 0.75;
        if turn > y(from) {
            path.line_to(x(from), turn);
        }
        let start = turn.max(y(from));
        let bend = (y(to) - start) * 0.6;
        path.curve_to((x(from), start + bend), (x(to), y(to) - bend), (x(to), y(to)));
        drawing.add(Element::path(&path).no_fill().stroke(Paint::Neutral, 1.25).opacity(0.7));
    }
    let left = 7.0 + RAIL * used as f64 + 4.0;
    for (i, node) in nodes.iter().enumerate() {
        let name = text::fit(&node.name, 13.0, (WIDTH - left) * 0.68);
        let kind_at = left + text::width(&name, 13.5) + 8.0;
        let shape = Element::group(vec![
            // What a finger hits.
            Element::rect(0.0, y(i) - LINE / 2.0, WIDTH, LINE).fill(Paint::Surface).fill_opacity(0.0),
            Element::circle(x(i), y(i), 4.5).fill(Paint::Surface).stroke(Paint::Ink, 1.5),
            Element::text(left, y(i) + 4.5, &name).size(13.0).bold(),
            Element::text(kind_at, y(i) + 4.5, &text::fit(&node.kind, 11.5, WIDTH - kind_at))
                .size(11.5)
                .fill(Paint::Muted),
        ]);
        drawing.add(if node.link.is_empty() { shape } else { Element::link(&node.link, shape) });
    }
    drawing
}

/// Producers before consumers, otherwise as given; members of a circle come last.
fn ordered(count: usize, edges: &IndexSet<(usize, usize)>) -> Vec<usize> {
    let mut order: Vec<usize> = Vec::with_capacity(count);
    while order.len() < count {
        let waits = |node: &usize| edges.iter().any(|(from, to)| to == node && !order.contains(from));
        let open = || (0..count).filter(|node| !order.contains(node));
        let Some(next) = open().find(|node| !waits(node)).or_else(|| open().next()) else { break };
        order.push(next);
    }
    order
}

/// The rail of every node: the first that is free from its line to its last reader's. A reader may go on where a rail ends.
fn assigned(order: &[usize], last: impl Fn(usize) -> Option<usize>) -> Vec<usize> {
    let mut rail = vec![0; order.len()];
    let mut taken_until: Vec<usize> = Vec::new();
    for (row, &node) in order.iter().enumerate() {
        let free = taken_until.iter().position(|until| *until <= row);
        let end = last(node).unwrap_or(row + 1);
        rail[node] = free.unwrap_or(taken_until.len());
        match free {
            Some(free) => taken_until[free] = end,
            None => taken_until.push(end),
        }
    }
    rail
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(pairs: &[(usize, usize)]) -> IndexSet<(usize, usize)> {
        pairs.iter().copied().collect()
    }

    #[test]
    fn producers_stand_above_and_a_circle_ends() {
        assert_eq!(ordered(3, &edges(&[(2, 0), (0, 1)])), [2, 0, 1]);
        assert_eq!(ordered(3, &edges(&[(0, 1), (1, 0)])), [2, 0, 1]);
    }

    #[test]
    fn no_two_rails_run_over_one_another() {
        // 0 feeds 1 and 3, 1 feeds 2: 1 stands beside the rail of 0, and 3 takes over its place.
        let last = |node: usize| [Some(3), Some(2), None, None][node];
        assert_eq!(assigned(&[0, 1, 2, 3], last), [0, 1, 1, 0]);
    }
}
