//! `Parameter`: a tensor of a network by its name, and what kind of thing it is.

use candle_core::Var;

/// A tensor, e.g. `trunk.layers.0.linear.weight` of level 1.
pub struct Parameter {
    /// As in the model file, e.g. `head.weight`.
    pub name: String,
    /// How many levels must be frozen for this tensor to be frozen, minus one; `None` for the head.
    pub(crate) level: Option<usize>,
    pub(crate) role: Role,
    /// Whether it belongs to an encoder that had learnt before.
    pub(crate) pretrained: bool,
    /// The tensor, and its gradient's key.
    pub var: Var,
}

/// What a tensor is; optimizers may treat some kinds otherwise than others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Of a linear layer.
    Weight,
    /// What is added: biases, and the shifts after a norm.
    Bias,
    /// What multiplies single features: of norms, of inputs, of ensemble members.
    Scale,
    /// Of the embedding of numbers.
    NumberEmbedding,
    /// Learned vectors of categories.
    Table,
    /// Statistics that batches leave behind: no gradient.
    Running,
}

/// Collects the tensors of parts, each under its prefix.
pub(crate) struct Tensors {
    pub(crate) all: Vec<Parameter>,
}

impl Tensors {
    pub(crate) fn add(&mut self, name: String, level: Option<usize>, role: Role, var: &Var) {
        self.all.push(Parameter { name, level, role, pretrained: false, var: var.clone() });
    }

    /// The same for what adapts an encoder; the first level.
    pub(crate) fn add_pretrained(&mut self, name: String, role: Role, var: &Var) {
        self.all.push(Parameter { name, level: Some(0), role, pretrained: true, var: var.clone() });
    }
}
