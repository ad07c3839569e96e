//! The pipeline as a picture: stages in layers from top to bottom, edges as curves.
//!
//! Layers by longest path, crossings reduced by sweeps of barycentres (Sugiyama, Tagawa and Toda 1981).

use indexmap::{IndexMap, IndexSet};

use super::drawing::{Anchor, Drawing, Element, PathData};
use super::palette::Paint;
use super::{WIDTH, text};

/// A box of the picture.
#[derive(Clone, Debug)]
pub struct Node {
    /// In the box.
    pub name: String,
    /// The smaller line below the name, e.g. the stage's kind.
    pub kind: String,
    /// Target of a link around the box, e.g. `#stage-numeric`; empty for none.
    pub link: String,
    /// `None` of a stage that was not decided on.
    pub state: Option<State>,
}

/// How a box stands: a word beside its kind, and the colour of its border and workspace.
#[derive(Clone, Copy, Debug)]
pub struct State {
    /// Below the name.
    pub word: &'static str,
    /// Of the box's edge.
    pub paint: Paint,
}

impl Node {
    /// The smaller line: the kind, and after it the state, since a colour alone tells nothing to who does not see it.
    fn below(&self) -> String {
        self.state.map_or_else(|| self.kind.clone(), |state| format!("{} · {}", self.kind, state.word))
    }
}

const BOX_HEIGHT: f64 = 36.0;
const LAYER: f64 = 68.0;
const GAP: f64 = 14.0;

/// A node of the layout: a stage, or the place where a long edge passes through a layer.
struct Cell {
    node: Option<usize>,
    width: f64,
    x: f64,
}

/// Draws `nodes` with `edges` from producer to consumer, by name. Edges between unknown names are left out.
pub fn dag(title: &str, description: &str, nodes: &[Node], edges: &[(String, String)]) -> Drawing {
    let index: IndexMap<&str, usize> = nodes.iter().enumerate().map(|(i, node)| (node.name.as_str(), i)).collect();
    let known: IndexSet<(usize, usize)> = edges
        .iter()
        .filter_map(|(from, to)| Some((*index.get(from.as_str())?, *index.get(to.as_str())?)))
        .filter(|(from, to)| from != to)
        .collect();
    let depth = depths(nodes.len(), &known);
    let (mut cells, mut layers, chains) = layered(nodes, &known, &depth);
    order_layers(&mut layers, &chains);
    let width = place(&mut cells, &layers, &chains);

    let height = 30.0 + LAYER * layers.len().max(1) as f64 - (LAYER - BOX_HEIGHT) + 8.0;
    let mut drawing = Drawing::new(width, height, title, description);
    drawing.heading();
    let mut layer_of = vec![0; cells.len()];
    for (layer, members) in layers.iter().enumerate() {
        for &cell in members {
            layer_of[cell] = layer;
        }
    }
    let top = |cell: usize| 30.0 + LAYER * layer_of[cell] as f64;
    for chain in &chains {
        let mut path = PathData::default();
        for (step, pair) in chain.windows(2).enumerate() {
            let from = (cells[pair[0]].x, top(pair[0]) + BOX_HEIGHT);
            let to = (cells[pair[1]].x, top(pair[1]));
            if step == 0 {
                path.move_to(from.0, from.1);
            } else {
                // Straight through the layer that a long edge passes.
                path.line_to(from.0, from.1);
            }
            let bend = (to.1 - from.1) * 0.5;
            path.curve_to((from.0, from.1 + bend), (to.0, to.1 - bend), to);
        }
        drawing.add(Element::path(&path).no_fill().stroke(Paint::Neutral, 1.25).opacity(0.7));
    }
    for (cell, place) in cells.iter().enumerate() {
        let Some(node) = place.node.and_then(|i| nodes.get(i)) else {
            continue;
        };
        let (left, y) = (place.x - place.width / 2.0, top(cell));
        let frame = Element::rect(left, y, place.width, BOX_HEIGHT).corner(5.0);
        let shape = Element::group(vec![
            match node.state {
                Some(state) => frame.fill(state.paint).fill_opacity(0.15).stroke(state.paint, 1.25),
                None => frame.fill(Paint::Surface).stroke(Paint::Neutral, 1.0),
            },
            Element::text(place.x, y + 15.5, &text::fit(&node.name, 12.0, place.width - 8.0))
                .bold()
                .anchor(Anchor::Middle),
            Element::text(place.x, y + 28.5, &text::fit(&node.below(), 10.5, place.width - 8.0))
                .size(10.5)
                .fill(Paint::Muted)
                .anchor(Anchor::Middle),
        ]);
        drawing.add(if node.link.is_empty() { shape } else { Element::link(&node.link, shape) });
    }
    drawing
}

/// What a screen reader says of the edges, e.g. `songs feeds folds; folds feeds fused`.
pub fn feeds(edges: &[(String, String)]) -> String {
    edges.iter().map(|(from, to)| format!("{from} feeds {to}")).collect::<Vec<_>>().join("; ")
}

/// The edges that are not implied by a longer way: what a reader needs to see. Edges on cycles are kept.
pub fn transitive_reduction(edges: &[(String, String)]) -> Vec<(String, String)> {
    let mut next: IndexMap<&str, Vec<&str>> = IndexMap::new();
    for (from, to) in edges {
        next.entry(from).or_default().push(to);
    }
    let implied = |from: &str, to: &str| {
        let mut seen: IndexSet<&str> = IndexSet::new();
        let mut open: Vec<&str> =
            next.get(from).into_iter().flatten().copied().filter(|&n| n != to && n != from).collect();
        while let Some(at) = open.pop() {
            if seen.insert(at) {
                open.extend(next.get(at).into_iter().flatten().copied().filter(|&n| n != from));
            }
        }
        seen.contains(to)
    };
    let mut kept: IndexSet<(String, String)> = IndexSet::new();
    for (from, to) in edges {
        if !implied(from, to) {
            kept.insert((from.clone(), to.clone()));
        }
    }
    kept.into_iter().collect()
}

/// Longest path from a source, by relaxation; bounded, so that a cycle cannot loop for ever.
fn depths(count: usize, edges: &IndexSet<(usize, usize)>) -> Vec<usize> {
    let mut depth = vec![0; count];
    for _ in 0..count {
        let mut changed = false;
        for &(from, to) in edges {
            if depth[to] <= depth[from] && depth[from] + 1 < count.max(1) {
                depth[to] = depth[from] + 1;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    depth
}

/// Cells, layers of cell indices, and each edge as a chain of cells through every layer between its ends.
fn layered(
    nodes: &[Node],
    edges: &IndexSet<(usize, usize)>,
    depth: &[usize],
) -> (Vec<Cell>, Vec<Vec<usize>>, Vec<Vec<usize>>) {
    let mut cells: Vec<Cell> = nodes
        .iter()
        .enumerate()
        .map(|(i, node)| {
            let inner = text::width(&node.name, 12.5).max(text::width(&node.below(), 10.5));
            Cell { node: Some(i), width: (inner + 20.0).clamp(64.0, 190.0), x: 0.0 }
        })
        .collect();
    let mut layers = vec![Vec::new(); depth.iter().max().map_or(0, |deepest| deepest + 1)];
    for (cell, &layer) in depth.iter().enumerate() {
        layers[layer].push(cell);
    }
    let mut chains = Vec::new();
    for &(from, to) in edges {
        let mut chain = vec![from];
        for layer in layers.iter_mut().take(depth[to]).skip(depth[from] + 1) {
            cells.push(Cell { node: None, width: 6.0, x: 0.0 });
            layer.push(cells.len() - 1);
            chain.push(cells.len() - 1);
        }
        chain.push(to);
        chains.push(chain);
    }
    (cells, layers, chains)
}

/// Neighbours of every cell, above and below.
fn neighbours(layers: &[Vec<usize>], chains: &[Vec<usize>]) -> [Vec<Vec<usize>>; 2] {
    let count = layers.iter().map(Vec::len).sum();
    let mut sides = [vec![Vec::new(); count], vec![Vec::new(); count]];
    for pair in chains.iter().flat_map(|chain| chain.windows(2)) {
        sides[0][pair[1]].push(pair[0]);
        sides[1][pair[0]].push(pair[1]);
    }
    sides
}

fn order_layers(layers: &mut [Vec<usize>], chains: &[Vec<usize>]) {
    let sides = neighbours(layers, chains);
    let mut best = (crossings(layers, &sides[1]), layers.to_vec());
    for sweep in 0..12 {
        let side = &sides[sweep % 2];
        let rows: Vec<usize> = if sweep % 2 == 0 {
            (1..layers.len()).collect()
        } else {
            (0..layers.len().saturating_sub(1)).rev().collect()
        };
        for row in rows {
            let fixed = if sweep % 2 == 0 { row - 1 } else { row + 1 };
            let position: IndexMap<usize, f64> =
                layers[fixed].iter().enumerate().map(|(place, &cell)| (cell, place as f64)).collect();
            let width = layers[row].len().max(1) as f64;
            let scale = layers[fixed].len() as f64 / width;
            let keys: IndexMap<usize, f64> = layers[row]
                .iter()
                .enumerate()
                .map(|(place, &cell)| {
                    let known: Vec<f64> = side[cell].iter().filter_map(|n| position.get(n).copied()).collect();
                    let mean = known.iter().sum::<f64>() / known.len() as f64;
                    (cell, if known.is_empty() { place as f64 * scale } else { mean })
                })
                .collect();
            layers[row].sort_by(|a, b| keys[a].total_cmp(&keys[b]));
        }
        let found = crossings(layers, &sides[1]);
        if found < best.0 {
            best = (found, layers.to_vec());
        }
    }
    layers.clone_from_slice(&best.1);
}

fn crossings(layers: &[Vec<usize>], below: &[Vec<usize>]) -> usize {
    let mut total = 0;
    for pair in layers.windows(2) {
        let position: IndexMap<usize, usize> = pair[1].iter().enumerate().map(|(place, &cell)| (cell, place)).collect();
        let ends: Vec<Vec<usize>> =
            pair[0].iter().map(|&cell| below[cell].iter().filter_map(|n| position.get(n).copied()).collect()).collect();
        for (i, left) in ends.iter().enumerate() {
            for right in &ends[i + 1..] {
                total += left.iter().map(|a| right.iter().filter(|b| *b < a).count()).sum::<usize>();
            }
        }
    }
    total
}

/// Gives every cell its x: pulled towards the mean of its neighbours, kept apart from those beside it. Returns the width.
fn place(cells: &mut [Cell], layers: &[Vec<usize>], chains: &[Vec<usize>]) -> f64 {
    let sides = neighbours(layers, chains);
    for layer in layers {
        let mut x = 0.0;
        for &cell in layer {
            cells[cell].x = x + cells[cell].width / 2.0;
            x += cells[cell].width + GAP;
        }
        let shift = x / 2.0;
        layer.iter().for_each(|&cell| cells[cell].x -= shift);
    }
    for _ in 0..40 {
        for layer in layers {
            let wanted: Vec<f64> = layer
                .iter()
                .map(|&cell| {
                    let near: Vec<f64> = sides.iter().flat_map(|s| &s[cell]).map(|&n| cells[n].x).collect();
                    if near.is_empty() { cells[cell].x } else { near.iter().sum::<f64>() / near.len() as f64 }
                })
                .collect();
            spread(cells, layer, &wanted);
        }
    }
    let left = cells.iter().map(|c| c.x - c.width / 2.0).fold(f64::INFINITY, f64::min);
    let right = cells.iter().map(|c| c.x + c.width / 2.0).fold(f64::NEG_INFINITY, f64::max);
    let (left, right) = if left.is_finite() && right.is_finite() { (left, right) } else { (0.0, 0.0) };
    let width = (right - left + 4.0).max(WIDTH);
    let shift = (width - (right - left)) / 2.0 - left;
    cells.iter_mut().for_each(|cell| cell.x += shift);
    width
}

/// The places nearest to `wanted` (least squares) that keep the cells' order and distances: pool adjacent violators.
fn spread(cells: &mut [Cell], layer: &[usize], wanted: &[f64]) {
    let mut offset = vec![0.0; layer.len()];
    for i in 1..layer.len() {
        let apart = (cells[layer[i - 1]].width + cells[layer[i]].width) / 2.0 + GAP;
        offset[i] = offset[i - 1] + apart;
    }
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for (target, offset) in wanted.iter().zip(&offset) {
        let mut block = (target - offset, 1);
        while let Some(&(sum, count)) = blocks.last() {
            if sum / count as f64 <= block.0 / block.1 as f64 {
                break;
            }
            blocks.pop();
            block = (block.0 + sum, block.1 + count);
        }
        blocks.push(block);
    }
    let mut at = 0;
    for (sum, count) in blocks {
        for _ in 0..count {
            cells[layer[at]].x = sum / count as f64 + offset[at];
            at += 1;
        }
    }
}
