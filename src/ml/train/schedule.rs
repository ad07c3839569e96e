//! `Schedule`: the learning rate and the cycled momentum of every step.

use std::f64::consts::PI;

use runner_results::spec::{ScheduleKind, ScheduleSpec};

/// The rates of one training. `plateau` is the only kind with memory: tell it each epoch's merit.
pub(crate) struct Schedule {
    spec: ScheduleSpec,
    rate: f64,
    steps_per_epoch: usize,
    warmup_steps: usize,
    total_steps: usize,
    plateau: Plateau,
}

struct Plateau {
    factor: f64,
    best: f64,
    waited: usize,
}

/// The range of OneCycleLR's momentum.
const MOMENTUM: (f64, f64) = (0.85, 0.95);

/// The relative change that `torch.optim.lr_scheduler.ReduceLROnPlateau` takes for an improvement.
const PLATEAU_THRESHOLD: f64 = 1e-4;

impl Schedule {
    /// `rate`: the optimizer's; `epochs` × `steps_per_epoch` steps in all.
    pub(crate) fn new(spec: &ScheduleSpec, rate: f64, epochs: usize, steps_per_epoch: usize) -> Self {
        let total_steps = epochs * steps_per_epoch;
        let warmup_steps = (spec.warmup_epochs * steps_per_epoch as f64).round() as usize;
        Schedule {
            spec: spec.clone(),
            rate,
            steps_per_epoch,
            warmup_steps: warmup_steps.min(total_steps),
            total_steps,
            plateau: Plateau { factor: 1.0, best: f64::NEG_INFINITY, waited: 0 },
        }
    }

    /// The learning rate of `step`, counted from 0.
    pub(crate) fn rate(&self, step: usize) -> f64 {
        if step < self.warmup_steps {
            return self.rate * (step + 1) as f64 / self.warmup_steps as f64;
        }
        let done = step - self.warmup_steps;
        let steps = self.total_steps - self.warmup_steps;
        let factor = self.spec.factor.unwrap_or(0.5);
        let lowest = self.spec.min_lr.unwrap_or(0.0).min(self.rate);
        match self.spec.kind {
            ScheduleKind::Constant => self.rate,
            ScheduleKind::Step => {
                let epochs = done / self.steps_per_epoch;
                self.rate * factor.powi((epochs / self.spec.step_epochs.unwrap_or(10)) as i32)
            }
            ScheduleKind::Cosine => between(self.rate, lowest, done as f64 / steps as f64),
            ScheduleKind::OneCycle => {
                let first = self.rate / self.spec.start_divisor.unwrap_or(25.0);
                let last = first / self.spec.end_divisor.unwrap_or(1e4);
                self.cycle(step, first, self.rate, last)
            }
            ScheduleKind::Coslog4 => {
                let turns = (1.0 + 15.0 * done as f64 / steps as f64).log2();
                self.rate * 0.5 * (1.0 - (2.0 * PI * turns).cos())
            }
            ScheduleKind::Plateau => (self.rate * self.plateau.factor).max(lowest),
        }
    }

    /// The momentum (or first beta) of `step`, where the schedule moves it.
    pub(crate) fn momentum(&self, step: usize) -> Option<f64> {
        let cycles = self.spec.kind == ScheduleKind::OneCycle && self.spec.cycle_momentum.unwrap_or(true);
        cycles.then(|| self.cycle(step, MOMENTUM.1, MOMENTUM.0, MOMENTUM.1))
    }

    /// Tells the validation merit (larger is better) of a finished epoch; true when the rate was reduced by it.
    pub(crate) fn epoch_ended(&mut self, merit: f64) -> bool {
        if self.spec.kind != ScheduleKind::Plateau {
            return false;
        }
        let plateau = &mut self.plateau;
        if merit > plateau.best + PLATEAU_THRESHOLD * plateau.best.abs() || plateau.best == f64::NEG_INFINITY {
            plateau.best = merit;
            plateau.waited = 0;
            return false;
        }
        plateau.waited += 1;
        let reduce = plateau.waited > self.spec.patience.unwrap_or(5);
        if reduce {
            plateau.waited = 0;
            plateau.factor *= self.spec.factor.unwrap_or(0.5);
        }
        reduce
    }

    /// From `first` to `middle` at the end of the rise, from there to `last` at the last step, along half cosines.
    fn cycle(&self, step: usize, first: f64, middle: f64, last: f64) -> f64 {
        let total = self.total_steps as f64;
        let turn = self.spec.rise.unwrap_or(0.3) * total - 1.0;
        let end = total - 1.0;
        let step = step as f64;
        if step <= turn {
            between(first, middle, step / turn.max(1.0))
        } else {
            let fall = (end - turn.max(0.0)).max(1.0);
            between(middle, last, ((step - turn.max(0.0)) / fall).clamp(0.0, 1.0))
        }
    }
}

/// From `from` at share 0 to `to` at share 1 along half a cosine.
fn between(from: f64, to: f64, share: f64) -> f64 {
    to + (from - to) / 2.0 * (1.0 + (PI * share).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(spec: ScheduleSpec, epochs: usize, steps: usize) -> Vec<f64> {
        let schedule = Schedule::new(&spec, 0.1, epochs, steps);
        (0..epochs * steps).map(|step| schedule.rate(step)).collect()
    }

    fn spec(kind: ScheduleKind) -> ScheduleSpec {
        ScheduleSpec { kind, ..ScheduleSpec::default() }
    }

    fn near(found: &[f64], expected: &[f64]) {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
        }
    }

    // w = torch.nn.Parameter(torch.zeros(1)); o = torch.optim.SGD([w], .1, momentum=.9)
    // s = torch.optim.lr_scheduler.OneCycleLR(o, .1, total_steps=10)
    // for _ in range(10): print(o.param_groups[0]["lr"], o.param_groups[0]["momentum"]); o.step(); s.step()
    #[test]
    fn one_cycle_agrees_with_pytorch() {
        near(&rates(spec(ScheduleKind::OneCycle), 5, 2), &ONE_CYCLE_RATES);
        let schedule = Schedule::new(&spec(ScheduleKind::OneCycle), 0.1, 5, 2);
        let momenta: Vec<f64> = (0..10).filter_map(|step| schedule.momentum(step)).collect();
        near(&momenta, &ONE_CYCLE_MOMENTA);
    }

    const ONE_CYCLE_RATES: [f64; 10] = [
        0.004,
        0.052,
        0.1,
        0.09504846320134738,
        0.0811745653949763,
        0.06112620219362893,
        0.03887419780637107,
        0.0188258346050237,
        0.004951936798652629,
        4e-7,
    ];
    const ONE_CYCLE_MOMENTA: [f64; 10] = [
        0.95,
        0.9,
        0.85,
        0.854951556604879,
        0.8688255099070633,
        0.8888739533021842,
        0.9111260466978157,
        0.9311744900929366,
        0.945048443395121,
        0.95,
    ];

    // CosineAnnealingLR(o, 10), one s.step() for each step
    #[test]
    fn cosine_agrees_with_pytorch_and_warms_up() {
        near(&rates(spec(ScheduleKind::Cosine), 5, 2), &COSINE_RATES);
        let warm = ScheduleSpec { warmup_epochs: 2.0, ..spec(ScheduleKind::Cosine) };
        near(&rates(warm, 3, 2), &[0.025, 0.05, 0.075, 0.1, 0.1, 0.05]);
    }

    const COSINE_RATES: [f64; 10] = [
        0.1,
        0.09755282581475769,
        0.09045084971874738,
        0.07938926261462367,
        0.06545084971874739,
        0.05,
        0.03454915028125264,
        0.020610737385376353,
        0.009549150281252635,
        0.002447174185242324,
    ];

    #[test]
    fn step_and_constant() {
        let stepped = ScheduleSpec { step_epochs: Some(2), factor: Some(0.1), ..spec(ScheduleKind::Step) };
        near(&rates(stepped, 5, 1), &[0.1, 0.1, 0.01, 0.01, 0.001]);
        near(&rates(spec(ScheduleKind::Constant), 2, 1), &[0.1, 0.1]);
    }

    // s = ReduceLROnPlateau(o, "max", factor=.5, patience=1, min_lr=.03)
    // for m in (.5, .6, .6, .6, .61, .61, .61, .61, .61): s.step(m); print(o.param_groups[0]["lr"])
    #[test]
    fn plateau_agrees_with_pytorch() {
        let plateau = ScheduleSpec { patience: Some(1), min_lr: Some(0.03), ..spec(ScheduleKind::Plateau) };
        let mut schedule = Schedule::new(&plateau, 0.1, 9, 1);
        let mut found = Vec::new();
        for merit in [0.5, 0.6, 0.6, 0.6, 0.61, 0.61, 0.61, 0.61, 0.61] {
            schedule.epoch_ended(merit);
            found.push(schedule.rate(0));
        }
        near(&found, &[0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.03, 0.03, 0.03]);
    }
}
