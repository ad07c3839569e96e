//! Small linear layers side by side, each of its own features to its own outputs: of every number in a row, or of every
//! member of an ensemble.

use std::ops::Range;

use candle_core::{Result, Tensor};
use rayon::prelude::*;

use super::pieces::{self, ROWS};
use super::slices::{Argument, Operation, apply};
use crate::matmul::{View, matmul};

/// `x`: rows × numbers·features, `weight`: numbers × width × features, `bias`: numbers × width → rows × numbers·width.
pub(crate) fn grouped(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    apply(Grouped::Numbers, &[x, weight, bias])
}

/// Logits of every member: `x`: rows·members × width, `weight`: classes × members × width, `bias`: classes × members →
/// rows·members × classes. Row i is of member i mod members.
pub(crate) fn member_head(x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
    apply(Grouped::Members, &[x, weight, bias])
}

/// Whose weights come first: all outputs of a number, or a row of every member for each class.
enum Grouped {
    Numbers,
    Members,
}

/// A row of all groups holds groups × features inputs, and groups × outputs outputs.
#[derive(Clone, Copy)]
struct Shape {
    rows: usize,
    groups: usize,
    features: usize,
    outputs: usize,
    /// Rows of the weights from one output of a group to its next, and from one group to the next.
    strides: [usize; 2],
}

impl Grouped {
    fn shape(&self, arguments: &[Argument]) -> Result<Shape> {
        let [x, weight, bias] = arguments else { candle_core::bail!("a grouped layer needs weights and biases") };
        let ((rows, columns), (first, second, features)) = (x.matrix()?, weight.cube()?);
        let (groups, outputs, strides) = match self {
            Grouped::Numbers => (first, second, [1, second]),
            Grouped::Members => (second, first, [second, 1]),
        };
        let fits = match self {
            Grouped::Numbers => columns == groups * features,
            Grouped::Members => columns == features && rows % groups.max(1) == 0,
        };
        if !fits || bias.values.len() != groups * outputs || weight.values.is_empty() {
            candle_core::bail!("{rows} rows of {columns} features for {groups} layers of {outputs}×{features} weights")
        }
        Ok(Shape { rows: rows * columns / (groups * features), groups, features, outputs, strides })
    }
}

impl Shape {
    /// The row of the weights, and the bias, that gives output `o` of group `j`.
    fn at(self, j: usize, o: usize) -> usize {
        o * self.strides[0] + j * self.strides[1]
    }

    /// Every group's weights as an outputs × features matrix of its own.
    fn weights(self, weight: &[f32]) -> Vec<Vec<f32>> {
        let row = |at: usize| weight[at * self.features..(at + 1) * self.features].iter().copied();
        (0..self.groups).map(|j| (0..self.outputs).flat_map(|o| row(self.at(j, o))).collect()).collect()
    }

    fn inputs(self) -> usize {
        self.groups * self.features
    }

    fn width(self) -> usize {
        self.groups * self.outputs
    }
}

impl Operation for Grouped {
    const NAME: &'static str = "grouped";

    fn forward(&self, arguments: &[Argument]) -> Result<(Vec<f32>, Vec<usize>)> {
        let shape = self.shape(arguments)?;
        let Shape { groups, features, outputs, .. } = shape;
        let [x, weight, bias] = [0, 1, 2].map(|i: usize| arguments[i].values);
        let weights = shape.weights(weight);
        let mut out = vec![0f32; shape.rows * shape.width()];
        let pieces = out.par_chunks_mut(ROWS * shape.width()).zip(x.par_chunks(ROWS * shape.inputs()));
        pieces.for_each_init(Vec::new, |own, (out, x)| {
            let x = View::new(x, x.len() / shape.inputs(), shape.inputs());
            own.resize(out.len() / groups, 0.0);
            for (j, weight) in weights.iter().enumerate() {
                let weight = View::new(weight, outputs, features).transposed();
                matmul(own, x.columns(j * features, features), weight);
                for (to, row) in out.chunks_exact_mut(shape.width()).zip(own.chunks_exact(outputs)) {
                    let to = to[j * outputs..].iter_mut();
                    to.zip(row).enumerate().for_each(|(o, (to, value))| *to = value + bias[shape.at(j, o)]);
                }
            }
        });
        let rows = out.len() / outputs;
        Ok((out, if matches!(self, Grouped::Members) { vec![rows, outputs] } else { vec![shape.rows, shape.width()] }))
    }

    fn backward(&self, arguments: &[Argument], gradient: &[f32]) -> Result<Vec<Option<Vec<f32>>>> {
        let shape = self.shape(arguments)?;
        let [x, weight, _] = arguments else { candle_core::bail!("a grouped layer needs weights and biases") };
        let weights = shape.weights(weight.values);
        let mut for_x = if x.learns { vec![0f32; x.values.len()] } else { Vec::new() };
        let rows = pieces::rows_of_group(shape.rows, ROWS);
        let parts = pieces::parts(&mut for_x, rows * shape.inputs(), shape.rows.div_ceil(rows));
        let sums = parts.into_par_iter().enumerate().map(|(g, for_x)| {
            let own = g * rows..((g + 1) * rows).min(shape.rows);
            shape.go_back(own, x.values, &weights, gradient, for_x)
        });
        let (for_weight, for_bias): (Vec<_>, Vec<_>) = sums.collect::<Vec<_>>().into_iter().unzip();
        let for_weight = pieces::total(for_weight, weight.values.len());
        let for_bias = pieces::total(for_bias, shape.width());
        Ok(vec![x.learns.then_some(for_x), Some(for_weight), Some(for_bias)])
    }
}

impl Shape {
    /// The gradients of the weights and of the biases by these rows; writes that of the rows, unless it is empty.
    fn go_back(
        self,
        rows: Range<usize>,
        x: &[f32],
        weights: &[Vec<f32>],
        gradient: &[f32],
        for_x: &mut [f32],
    ) -> (Vec<f32>, Vec<f32>) {
        let Shape { groups, features, outputs, .. } = self;
        let (count, inputs, width) = (rows.len(), self.inputs(), self.width());
        let x = View::new(&x[rows.start * inputs..rows.end * inputs], count, inputs);
        let values = &gradient[rows.start * width..rows.end * width];
        let gradient = View::new(values, count, width);
        let mut for_weight = vec![0f32; width * features];
        let mut for_bias = vec![0f32; width];
        for row in values.chunks_exact(width) {
            for j in 0..groups {
                (0..outputs).for_each(|o| for_bias[self.at(j, o)] += row[j * outputs + o]);
            }
        }
        let mut own = vec![0f32; outputs * features];
        let mut own_x = vec![0f32; if for_x.is_empty() { 0 } else { count * features }];
        for (j, weight) in weights.iter().enumerate() {
            let gradient = gradient.columns(j * outputs, outputs);
            matmul(&mut own, gradient.transposed(), x.columns(j * features, features));
            for (o, row) in own.chunks_exact(features).enumerate() {
                for_weight[self.at(j, o) * features..][..features].copy_from_slice(row);
            }
            if !own_x.is_empty() {
                matmul(&mut own_x, gradient, View::new(weight, outputs, features));
                for (to, row) in for_x.chunks_exact_mut(inputs).zip(own_x.chunks_exact(features)) {
                    to[j * features..(j + 1) * features].copy_from_slice(row);
                }
            }
        }
        (for_weight, for_bias)
    }
}
