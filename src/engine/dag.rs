//! `Dag`: the graph of a pipeline, in which node `i` is stage `i` and an edge leads from a stage to one that reads from it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use petgraph::Direction::{Incoming, Outgoing};
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{Dfs, NodeFiltered, Reversed};

pub(super) struct Dag(DiGraph<(), ()>);

impl Dag {
    /// `edges`: from, to. Several between the same two stages count as one.
    pub(crate) fn new(stages: usize, mut edges: Vec<(usize, usize)>) -> Self {
        edges.sort_unstable();
        edges.dedup();
        let mut graph = DiGraph::with_capacity(stages, edges.len());
        for _ in 0..stages {
            graph.add_node(());
        }
        // petgraph lists a node's neighbours from the last to the first.
        for (from, to) in edges.into_iter().rev() {
            graph.add_edge(NodeIndex::new(from), NodeIndex::new(to), ());
        }
        Dag(graph)
    }

    pub(crate) fn len(&self) -> usize {
        self.0.node_count()
    }

    /// The stages that `stage` reads from, in the order of the file.
    pub(crate) fn dependencies(&self, stage: usize) -> impl Iterator<Item = usize> {
        self.0.neighbors_directed(NodeIndex::new(stage), Incoming).map(NodeIndex::index)
    }

    /// The stages that read from `stage`, in the order of the file.
    pub(crate) fn dependents(&self, stage: usize) -> impl Iterator<Item = usize> {
        self.0.neighbors_directed(NodeIndex::new(stage), Outgoing).map(NodeIndex::index)
    }

    /// Topological order; among the possible ones the one nearest to the file's: Kahn's algorithm with the smallest index first, so that
    /// screens list stages as the user wrote them. The error is the stages of a circle, in the order of the file.
    pub(crate) fn order(&self) -> Result<Vec<usize>, Vec<usize>> {
        let mut unmet: Vec<usize> = (0..self.len()).map(|stage| self.dependencies(stage).count()).collect();
        let mut ready: BinaryHeap<Reverse<usize>> = (0..self.len()).filter(|&i| unmet[i] == 0).map(Reverse).collect();
        let mut order = Vec::with_capacity(self.len());
        while let Some(Reverse(stage)) = ready.pop() {
            order.push(stage);
            for next in self.dependents(stage) {
                unmet[next] -= 1;
                if unmet[next] == 0 {
                    ready.push(Reverse(next));
                }
            }
        }
        if order.len() == self.len() { Ok(order) } else { Err(self.circle()) }
    }

    fn circle(&self) -> Vec<usize> {
        // Without recursion, unlike Tarjan's: a circle may have very many stages.
        let circle = kosaraju_scc(&self.0).into_iter().find(|component| component.len() > 1).unwrap_or_default();
        let mut circle: Vec<usize> = circle.into_iter().map(NodeIndex::index).collect();
        circle.sort_unstable();
        circle
    }

    /// By stage: whether it is one of `stages` or something that these depend on, directly or not.
    pub(crate) fn closure(&self, stages: impl IntoIterator<Item = usize>) -> Vec<bool> {
        let upwards = Reversed(&self.0);
        let mut found = vec![false; self.len()];
        let mut search = Dfs::empty(upwards);
        for stage in stages {
            search.move_to(NodeIndex::new(stage));
            while let Some(node) = search.next(upwards) {
                found[node.index()] = true;
            }
        }
        found
    }

    /// All that depends on `stage`, directly or through stages that are `open`, each once.
    pub(crate) fn below(&self, stage: usize, open: impl Fn(usize) -> bool) -> Vec<usize> {
        let start = NodeIndex::new(stage);
        let graph = NodeFiltered::from_fn(&self.0, |node| node == start || open(NodeIndex::index(node)));
        let mut search = Dfs::new(&graph, start);
        let mut found = Vec::new();
        while let Some(node) = search.next(&graph) {
            found.push(node.index());
        }
        found.retain(|&found| found != stage);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0 → 2 → 3, 1 → 3, 2 → 4, with one edge written twice.
    fn dag() -> Dag {
        Dag::new(5, vec![(2, 3), (0, 2), (1, 3), (0, 2), (2, 4)])
    }

    fn sorted(items: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let mut items: Vec<usize> = items.into_iter().collect();
        items.sort_unstable();
        items
    }

    #[test]
    fn the_order_is_the_files_where_it_can_be() {
        assert_eq!(dag().order(), Ok(vec![0, 1, 2, 3, 4]));
        assert_eq!(Dag::new(4, vec![(3, 0), (1, 2)]).order(), Ok(vec![1, 2, 3, 0]));
    }

    #[test]
    fn a_circle_is_named_without_what_hangs_on_it() {
        assert_eq!(Dag::new(5, vec![(0, 1), (1, 2), (2, 1), (2, 3), (4, 1)]).order(), Err(vec![1, 2]));
    }

    #[test]
    fn neighbours_count_once_in_the_order_of_the_file() {
        assert_eq!(Vec::from_iter(dag().dependencies(3)), [1, 2]);
        assert_eq!(Vec::from_iter(dag().dependents(2)), [3, 4]);
        assert_eq!(Vec::from_iter(dag().dependents(0)), [2]);
    }

    #[test]
    fn a_closure_holds_all_that_its_stages_depend_on() {
        assert_eq!(dag().closure([4]), [true, false, true, false, true]);
        assert_eq!(dag().closure([1, 3]), [true, true, true, true, false]);
        assert_eq!(dag().closure([]), [false; 5]);
    }

    #[test]
    fn what_is_below_ends_at_closed_stages() {
        assert_eq!(sorted(dag().below(0, |_| true)), [2, 3, 4]);
        assert_eq!(sorted(dag().below(0, |stage| stage != 2)), [] as [usize; 0]);
        assert_eq!(sorted(dag().below(2, |stage| stage != 3)), [4]);
    }
}
