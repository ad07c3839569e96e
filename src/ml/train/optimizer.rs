//! `Optimizer`: SGD, Adam, AdamW and RMSprop as in `torch.optim`, with clipping of the gradient's norm. One pass over
//! each tensor in place: candle-nn's make a dozen temporaries for each (`network::ops` says what both together are worth).

use std::cell::RefCell;
use std::collections::BTreeMap;

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, InplaceOp2, Layout, Result, Storage, Tensor, Var};
use rayon::prelude::*;

use crate::network::{Parameter, Role, vectorized};
use runner_results::spec::{Factors, OptimizerKind, OptimizerSpec};

/// Steps every parameter along its gradient.
pub(crate) struct Optimizer {
    rule: Rule,
    factors: Factors,
    decays_all: bool,
    slots: Vec<Slot>,
}

/// A parameter and what the rule remembers of it.
struct Slot {
    name: String,
    level: Option<usize>,
    role: Role,
    pretrained: bool,
    var: Var,
    /// Factor of the learning rate for the parameter's level.
    rate: f64,
    memory: RefCell<Memory>,
}

/// Values that one thread steps at once.
const PIECE: usize = 16_384;

/// What the rule remembers of one parameter; empty before its first step, and where the rule has no use for it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Memory {
    pub(crate) steps: i32,
    /// The running mean of gradients, or the momentum.
    pub(crate) first: Vec<f32>,
    /// The running mean square.
    pub(crate) second: Vec<f32>,
}

#[derive(Clone, Copy)]
enum Rule {
    Sgd { momentum: f64, nesterov: bool, decay: f64 },
    Adam(Adam),
    Rmsprop { alpha: f64, momentum: f64, epsilon: f64, decay: f64 },
}

#[derive(Clone, Copy)]
struct Adam {
    betas: [f64; 2],
    epsilon: f64,
    decay: f64,
    /// Whether the decay shrinks the weights themselves (AdamW) or joins the gradient.
    decoupled: bool,
}

impl Optimizer {
    pub(crate) fn new(spec: &OptimizerSpec, parameters: Vec<Parameter>) -> Self {
        let epsilon = spec.epsilon.unwrap_or(1e-8);
        let betas = spec.betas.unwrap_or([0.9, 0.999]);
        let rule = match spec.kind {
            OptimizerKind::Sgd => Rule::Sgd {
                momentum: spec.momentum.unwrap_or(0.9),
                nesterov: spec.nesterov.unwrap_or(false),
                decay: spec.weight_decay.unwrap_or(0.0),
            },
            OptimizerKind::Adam => {
                Rule::Adam(Adam { betas, epsilon, decay: spec.weight_decay.unwrap_or(0.0), decoupled: false })
            }
            OptimizerKind::Adamw => {
                Rule::Adam(Adam { betas, epsilon, decay: spec.weight_decay.unwrap_or(0.01), decoupled: true })
            }
            OptimizerKind::Rmsprop => Rule::Rmsprop {
                alpha: spec.alpha.unwrap_or(0.99),
                momentum: spec.momentum.unwrap_or(0.0),
                epsilon,
                decay: spec.weight_decay.unwrap_or(0.0),
            },
        };
        let slots = parameters
            .into_iter()
            .map(|Parameter { name, level, role, pretrained, var }| Slot {
                name,
                level,
                role,
                pretrained,
                var,
                rate: 1.0,
                memory: RefCell::default(),
            })
            .collect();
        let decays_all = !spec.decay_weights_only.unwrap_or(false);
        Optimizer { rule, factors: spec.factors, decays_all, slots }
    }

    /// Gives each of the `levels` levels `rate` of the learning rate of the one above it, the head the whole.
    pub(crate) fn slow_down(&mut self, rate: f64, levels: usize) {
        for slot in &mut self.slots {
            slot.rate = slot.level.map_or(1.0, |level| rate.powi(levels.saturating_sub(level) as i32));
        }
    }

    /// What is remembered of every parameter, by its name.
    pub(crate) fn memories(&self) -> BTreeMap<String, Memory> {
        self.slots.iter().map(|slot| (slot.name.clone(), slot.memory.borrow().clone())).collect()
    }

    /// Whether `memories` are of these parameters.
    pub(crate) fn fits(&self, memories: &BTreeMap<String, Memory>) -> bool {
        let fits = |slot: &Slot| {
            let size = slot.var.elem_count();
            let length = |values: &[f32]| values.is_empty() || values.len() == size;
            memories.get(&slot.name).is_some_and(|memory| length(&memory.first) && length(&memory.second))
        };
        memories.len() == self.slots.len() && self.slots.iter().all(fits)
    }

    /// Takes over memories that fit.
    pub(crate) fn remember(&mut self, mut memories: BTreeMap<String, Memory>) {
        for slot in &mut self.slots {
            if let Some(memory) = memories.remove(&slot.name) {
                slot.memory = RefCell::new(memory);
            }
        }
    }

    /// One step at learning rate `lr`, with `momentum` in place of the rule's where a schedule moves it. Parameters of
    /// the first `frozen` levels stay. Returns the gradient's norm before clipping; does not step when it is not finite.
    pub(crate) fn step(
        &mut self,
        gradients: &GradStore,
        lr: f64,
        momentum: Option<f64>,
        clip: Option<f64>,
        frozen: usize,
    ) -> Result<f64> {
        let rule = self.rule.with_momentum(momentum);
        let mut moving: Vec<(&Slot, &Tensor)> = Vec::new();
        for slot in self.slots.iter().filter(|slot| slot.level.is_none_or(|level| level >= frozen)) {
            match gradients.get(&slot.var) {
                Some(gradient) => moving.push((slot, gradient)),
                None => candle_core::bail!("no gradient reached '{}'", slot.name),
            }
        }
        let mut squares = 0.0;
        for (_, gradient) in &moving {
            squares += sum_of_squares(gradient)?;
        }
        let norm = squares.sqrt();
        if !norm.is_finite() {
            return Ok(norm);
        }
        let coefficient = clip.map_or(1.0, |limit| clip_coefficient(norm, limit));
        for (slot, gradient) in moving {
            let lr = lr * slot.rate * self.factor(slot);
            let rule = if self.decays_all || slot.role == Role::Weight { rule } else { rule.without_decay() };
            let update = Update { rule, lr, coefficient: coefficient as f32, memory: &slot.memory };
            slot.var.inplace_op2(gradient, &update)?;
        }
        Ok(norm)
    }
}

/// What a gradient of that norm is multiplied by, as torch.nn.utils.clip_grad_norm_ does.
fn clip_coefficient(norm: f64, limit: f64) -> f64 {
    (limit / (norm + 1e-6)).min(1.0)
}

/// Whether a gradient of that norm is shortened.
pub(crate) fn is_clipped(norm: f64, limit: f64) -> bool {
    clip_coefficient(norm, limit) < 1.0
}

impl Optimizer {
    fn factor(&self, slot: &Slot) -> f64 {
        let of_encoder = if slot.pretrained { self.factors.encoder } else { 1.0 };
        of_encoder * self.factor_of_role(slot.role)
    }

    fn factor_of_role(&self, role: Role) -> f64 {
        match role {
            Role::Weight | Role::Running => 1.0,
            Role::Bias => self.factors.biases,
            Role::Scale => self.factors.scales,
            Role::NumberEmbedding => self.factors.embeddings,
            Role::Table => self.factors.categories,
        }
    }
}

impl Rule {
    fn without_decay(self) -> Rule {
        match self {
            Rule::Sgd { momentum, nesterov, .. } => Rule::Sgd { momentum, nesterov, decay: 0.0 },
            Rule::Adam(adam) => Rule::Adam(Adam { decay: 0.0, ..adam }),
            Rule::Rmsprop { alpha, momentum, epsilon, .. } => Rule::Rmsprop { alpha, momentum, epsilon, decay: 0.0 },
        }
    }

    /// The momentum moves only where there is one, as in PyTorch's OneCycleLR.
    fn with_momentum(self, moved: Option<f64>) -> Rule {
        let Some(moved) = moved else { return self };
        match self {
            Rule::Sgd { momentum, nesterov, decay } if momentum > 0.0 => Rule::Sgd { momentum: moved, nesterov, decay },
            Rule::Adam(adam) => Rule::Adam(Adam { betas: [moved, adam.betas[1]], ..adam }),
            Rule::Rmsprop { alpha, momentum, epsilon, decay } if momentum > 0.0 => {
                Rule::Rmsprop { alpha, momentum: moved, epsilon, decay }
            }
            other => other,
        }
    }
}

/// The rule applied to one tensor in place.
struct Update<'a> {
    rule: Rule,
    lr: f64,
    /// What clipping leaves of the gradient.
    coefficient: f32,
    memory: &'a RefCell<Memory>,
}

impl InplaceOp2 for Update<'_> {
    fn name(&self) -> &'static str {
        "optimizer-step"
    }

    fn cpu_fwd(&self, weights: &mut CpuStorage, to: &Layout, gradient: &CpuStorage, from: &Layout) -> Result<()> {
        let CpuStorage::F32(weights) = weights else { candle_core::bail!("weights are f32") };
        let (Some(to), Some(from)) = (to.contiguous_offsets(), from.contiguous_offsets()) else {
            candle_core::bail!("weights and gradients are contiguous")
        };
        let weights = &mut weights[to.0..to.1];
        let gradient = &gradient.as_slice::<f32>()?[from.0..from.1];
        let memory = &mut *self.memory.borrow_mut();
        memory.steps += 1;
        vectorized(|| match self.rule {
            Rule::Sgd { momentum, nesterov, decay } => {
                self.sgd(weights, gradient, memory, momentum as f32, nesterov, decay as f32);
            }
            Rule::Adam(adam) => self.adam(weights, gradient, memory, adam),
            Rule::Rmsprop { alpha, momentum, epsilon, decay } => {
                let constants = [alpha as f32, momentum as f32, epsilon as f32, decay as f32];
                self.rmsprop(weights, gradient, memory, constants);
            }
        });
        Ok(())
    }
}

impl Update<'_> {
    #[inline(always)]
    fn sgd(
        &self,
        weights: &mut [f32],
        gradient: &[f32],
        memory: &mut Memory,
        momentum: f32,
        nesterov: bool,
        decay: f32,
    ) {
        let (lr, coefficient) = (self.lr as f32, self.coefficient);
        if momentum == 0.0 {
            for (w, g) in weights.iter_mut().zip(gradient) {
                *w -= lr * (g * coefficient + decay * *w);
            }
            return;
        }
        // The first velocity is the gradient itself, which starting from 0 gives as well.
        memory.first.resize(weights.len(), 0.0);
        for ((w, g), velocity) in weights.iter_mut().zip(gradient).zip(&mut memory.first) {
            let g = g * coefficient + decay * *w;
            *velocity = momentum * *velocity + g;
            *w -= lr * if nesterov { g + momentum * *velocity } else { *velocity };
        }
    }

    fn adam(&self, weights: &mut [f32], gradient: &[f32], memory: &mut Memory, adam: Adam) {
        let Adam { betas, epsilon, decay, decoupled } = adam;
        let epsilon = epsilon as f32;
        memory.first.resize(weights.len(), 0.0);
        memory.second.resize(weights.len(), 0.0);
        let coefficient = self.coefficient;
        let step = (self.lr / (1.0 - betas[0].powi(memory.steps))) as f32;
        let correction = (1.0 / (1.0 - betas[1].powi(memory.steps)).sqrt()) as f32;
        let (shrink, added) = if decoupled { ((1.0 - self.lr * decay) as f32, 0.0) } else { (1.0, decay as f32) };
        let (new_first, new_second) = ((1.0 - betas[0]) as f32, (1.0 - betas[1]) as f32);
        let old_second = betas[1] as f32;
        let moments = memory.first.par_chunks_mut(PIECE).zip(memory.second.par_chunks_mut(PIECE));
        let pieces = weights.par_chunks_mut(PIECE).zip(gradient.par_chunks(PIECE)).zip(moments);
        pieces.for_each(|((weights, gradient), (first, second))| {
            vectorized(|| {
                let moments = first.iter_mut().zip(second);
                for ((w, g), (first, second)) in weights.iter_mut().zip(gradient).zip(moments) {
                    let g = g * coefficient + added * *w;
                    *first += new_first * (g - *first);
                    *second = old_second * *second + new_second * (g * g);
                    *w = *w * shrink - step * *first / (second.sqrt() * correction + epsilon);
                }
            });
        });
    }

    #[inline(always)]
    fn rmsprop(&self, weights: &mut [f32], gradient: &[f32], memory: &mut Memory, constants: [f32; 4]) {
        let [alpha, momentum, epsilon, decay] = constants;
        memory.first.resize(weights.len(), 0.0);
        memory.second.resize(weights.len(), 0.0);
        let (lr, coefficient) = (self.lr as f32, self.coefficient);
        let moments = memory.first.iter_mut().zip(memory.second.iter_mut());
        for ((w, g), (velocity, second)) in weights.iter_mut().zip(gradient).zip(moments) {
            let g = g * coefficient + decay * *w;
            *second = alpha * *second + (1.0 - alpha) * (g * g);
            // Without momentum this is the plain step.
            *velocity = momentum * *velocity + g / (second.sqrt() + epsilon);
            *w -= lr * *velocity;
        }
    }
}

/// Σ x², added up in sixteen lanes of a fixed order.
fn sum_of_squares(gradient: &Tensor) -> Result<f64> {
    let (storage, layout) = gradient.storage_and_layout();
    let (Storage::Cpu(storage), Some((start, end))) = (&*storage, layout.contiguous_offsets()) else {
        candle_core::bail!("gradients are contiguous and on the CPU")
    };
    let values = &storage.as_slice::<f32>()?[start..end];
    let mut lanes = [0f64; 16];
    let (blocks, rest) = values.as_chunks::<16>();
    vectorized(|| {
        for block in blocks {
            for (lane, value) in lanes.iter_mut().zip(block) {
                *lane += f64::from(*value) * f64::from(*value);
            }
        }
    });
    let tail: f64 = rest.iter().map(|value| f64::from(*value) * f64::from(*value)).sum();
    Ok(lanes.iter().sum::<f64>() + tail)
}
