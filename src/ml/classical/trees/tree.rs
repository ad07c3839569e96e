//! A grown tree and how a row falls through it.

use super::bins::{CODES, MISSING};

/// A binary tree over bin codes with a vector of values at each leaf.
pub(crate) struct Tree {
    nodes: Vec<Node>,
    /// leaves × width.
    values: Vec<f32>,
    width: usize,
    /// Of the splits of categories.
    sets: Vec<Set>,
}

/// Codes of a column, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub(crate) struct Set([u64; CODES / 64]);

impl Set {
    pub(crate) fn has(&self, code: u8) -> bool {
        self.0[usize::from(code >> 6)] >> (code & 63) & 1 == 1
    }

    pub(crate) fn add(&mut self, code: u8) {
        self.0[usize::from(code >> 6)] |= 1 << (code & 63);
    }

    /// Adds the codes that are not in `other`.
    pub(crate) fn add_all_but(&mut self, other: &Set) {
        self.0.iter_mut().zip(&other.0).for_each(|(own, other)| *own |= !other);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Calls `visit` with each code, in ascending order.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(u8)) {
        for (k, &word) in self.0.iter().enumerate() {
            let mut word = word;
            while word != 0 {
                visit((k * 64) as u8 + word.trailing_zeros() as u8);
                word &= word - 1;
            }
        }
    }

    /// 32 bytes, the lowest codes first.
    pub(crate) fn bytes(&self) -> impl Iterator<Item = u8> {
        self.0.into_iter().flat_map(u64::to_le_bytes)
    }

    pub(crate) fn of_bytes(bytes: &[u8; CODES / 8]) -> Set {
        let mut words = [0; CODES / 64];
        words.iter_mut().zip(bytes.as_chunks().0).for_each(|(word, bytes)| *word = u64::from_le_bytes(*bytes));
        Set(words)
    }
}

/// Adds what each tree has for a row to the score of its class.
pub(crate) fn add_leaves(scores: &mut [f64], trees: &[Tree], codes: &[u8]) {
    scores.iter_mut().zip(trees).for_each(|(score, tree)| *score += f64::from(tree.leaf(codes)[0]));
}

/// 16 bytes, so that a full-grown tree stays in the second-level cache while many rows fall through
/// it.
#[derive(Clone, Copy)]
struct Node {
    /// The column to look at, or `LEAF`.
    column: u32,
    /// The left child, which the right one follows, or the number of the leaf.
    left: u32,
    /// The number of the set of codes that go left, or `NO_SET` where `cut` and `missing_left` decide.
    set: u32,
    cut: u8,
    missing_left: bool,
}

const LEAF: u32 = u32::MAX;
const NO_SET: u32 = u32::MAX;

/// Rows whose code in `column` is at most `cut` go left; those without a value where `missing_left`
/// says. Of a column of categories those whose code is in `set`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Split {
    pub(crate) column: u32,
    pub(crate) cut: u8,
    pub(crate) missing_left: bool,
    pub(crate) set: Option<Set>,
}

/// What a node is.
pub(crate) enum Place<'a> {
    Split(Split, [usize; 2]),
    Leaf(&'a [f32]),
}

impl Split {
    pub(crate) fn goes_left(&self, code: u8) -> bool {
        match &self.set {
            None => below(code, self.cut, self.missing_left),
            Some(set) => set.has(code),
        }
    }
}

fn below(code: u8, cut: u8, missing_left: bool) -> bool {
    if code == MISSING { missing_left } else { code <= cut }
}

impl Tree {
    /// A tree of one node without a value yet; each leaf will hold `width` values.
    pub(crate) fn new(width: usize) -> Tree {
        Tree {
            nodes: vec![Node { column: LEAF, left: 0, set: NO_SET, cut: 0, missing_left: false }],
            values: Vec::new(),
            width,
            sets: Vec::new(),
        }
    }

    /// Gives `node` two children and returns their numbers.
    pub(crate) fn split(&mut self, node: usize, split: Split) -> (usize, usize) {
        let left = self.nodes.len();
        let blank = Node { column: LEAF, left: 0, set: NO_SET, cut: 0, missing_left: false };
        self.nodes.extend([blank, blank]);
        let set = split.set.map_or(NO_SET, |set| {
            self.sets.push(set);
            self.sets.len() as u32 - 1
        });
        self.nodes[node] =
            Node { column: split.column, left: left as u32, set, cut: split.cut, missing_left: split.missing_left };
        (left, left + 1)
    }

    /// Makes `node` a leaf with the given values. Every node without children has to be told once.
    pub(crate) fn set_leaf(&mut self, node: usize, values: impl Iterator<Item = f32>) {
        self.nodes[node].left = (self.values.len() / self.width) as u32;
        self.values.extend(values);
        debug_assert_eq!(self.values.len() % self.width, 0);
    }

    /// Nodes, leaves included.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// A node and, of a split, the numbers of its children.
    pub(crate) fn at(&self, node: usize) -> Place<'_> {
        let Node { column, left, set, cut, missing_left } = self.nodes[node];
        if column == LEAF {
            return Place::Leaf(self.values_of(left));
        }
        let set = self.sets.get(set as usize).copied();
        Place::Split(Split { column, cut, missing_left, set }, [left as usize, left as usize + 1])
    }

    /// The values of the leaf that a row falls into; `codes` holds its code in every column.
    pub(crate) fn leaf(&self, codes: &[u8]) -> &[f32] {
        self.leaf_by(|column| codes[column])
    }

    /// The same where the code of a column has to be asked for.
    pub(crate) fn leaf_by(&self, code: impl Fn(usize) -> u8) -> &[f32] {
        let mut node = self.nodes[0];
        while node.column != LEAF {
            let code = code(node.column as usize);
            let goes_left = match node.set {
                NO_SET => below(code, node.cut, node.missing_left),
                set => self.sets[set as usize].has(code),
            };
            node = self.nodes[node.left as usize + usize::from(!goes_left)];
        }
        self.values_of(node.left)
    }

    fn values_of(&self, leaf: u32) -> &[f32] {
        let start = leaf as usize * self.width;
        &self.values[start..start + self.width]
    }
}

/// Moves the rows that go left to the front, keeping the order on both sides, and returns how many
/// they are. Every row is written to both sides, since a branch would be a coin toss.
pub(crate) fn partition<T: Copy + Default>(
    rows: &mut [T],
    spare: &mut Vec<T>,
    goes_left: impl Fn(&T) -> bool,
) -> usize {
    if spare.len() < rows.len() {
        spare.resize(rows.len(), T::default());
    }
    let (mut left, mut right) = (0, 0);
    for i in 0..rows.len() {
        let row = rows[i];
        let goes_left = goes_left(&row);
        rows[left] = row;
        spare[right] = row;
        left += usize::from(goes_left);
        right += usize::from(!goes_left);
    }
    rows[left..].copy_from_slice(&spare[..right]);
    left
}
