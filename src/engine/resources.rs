//! `resources`: what a stage may take of the machine, and the budget that running stages share.

use std::fmt;
use std::num::NonZeroUsize;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::port::Threads;
use runner_spec::{Node, Problem, typed_as};

/// Written beside `kind`; what is left out follows from the kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Resources {
    /// Threads that the stage may keep busy; one or all of the run's, by kind, unless given.
    pub(crate) cpus: Option<NonZeroUsize>,
    /// Memory to set aside for it, e.g. `4 GB`; stages run side by side while the sum fits the run's. None unless given.
    pub(crate) memory: Option<Memory>,
    /// Runs while nothing else does, e.g. for timing.
    pub(crate) exclusive: bool,
}

impl Resources {
    /// The key in a stage's mapping.
    pub const KEY: &'static str = "resources";

    pub(super) fn read(node: &Node) -> Result<Self, Vec<Problem>> {
        typed_as(node, Self::KEY)
    }
}

/// A number of bytes, written with a unit: `4 GB`, `512 MiB`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Memory(pub u64);

const UNITS: [(&str, u64); 8] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

#[derive(Debug, thiserror::Error)]
#[error("'{0}' is not an amount of memory (write e.g. `4 GB` or `512 MiB`)")]
pub struct NotMemory(String);

impl FromStr for Memory {
    type Err = NotMemory;

    fn from_str(text: &str) -> Result<Self, NotMemory> {
        let error = || NotMemory(text.to_owned());
        let ends_with = |unit: &str| {
            let split = text.len().checked_sub(unit.len())?;
            let (number, end) = (text.get(..split)?, text.get(split..)?);
            end.eq_ignore_ascii_case(unit).then_some(number)
        };
        let (number, unit) = UNITS.iter().find_map(|(name, unit)| Some((ends_with(name)?, unit))).ok_or_else(error)?;
        let number: f64 = number.trim().parse().map_err(|_| error())?;
        let bytes = number * *unit as f64;
        // Beyond 2^53 not every whole number is a float; no machine has that many bytes.
        if number.is_finite() && number > 0.0 && bytes < 9e15 { Ok(Memory(bytes.round() as u64)) } else { Err(error()) }
    }
}

impl<'de> Deserialize<'de> for Memory {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Memory {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Memory".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "pattern": r"^[0-9.]+ *([KMG]iB|[kKMGT]?B)$"})
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes >= 1_000_000_000 => write!(f, "{:.1} GB", bytes as f64 / 1e9),
            bytes => write!(f, "{:.1} MB", bytes as f64 / 1e6),
        }
    }
}

/// What one stage takes of the budget.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Need {
    pub(crate) cpus: usize,
    pub(crate) memory: u64,
    /// Runs alone: told to, or larger than the whole budget, which must delay it but not forbid it.
    pub(crate) alone: bool,
}

/// What running stages may take together, and what is left of it.
#[derive(Debug)]
pub(super) struct Budget {
    cpus: usize,
    memory: u64,
    free_cpus: usize,
    free_memory: u64,
    running: usize,
    /// A stage that runs alone is running.
    closed: bool,
}

impl Budget {
    pub(crate) fn new(cpus: usize, memory: u64) -> Self {
        let cpus = cpus.max(1);
        Budget { cpus, memory, free_cpus: cpus, free_memory: memory, running: 0, closed: false }
    }

    /// Work that a thread does for a stage without being the stage, e.g. restoring it.
    pub(crate) const LIGHT_TASK: Need = Need { cpus: 1, memory: 0, alone: false };

    pub(crate) fn need(&self, resources: &Resources, threads: Threads) -> Need {
        let cpus = match (resources.cpus, threads) {
            (Some(cpus), _) => cpus.get(),
            (None, Threads::One) => 1,
            (None, Threads::All) => self.cpus,
        };
        let memory = resources.memory.map_or(0, |memory| memory.0);
        let alone = resources.exclusive || cpus > self.cpus || memory > self.memory;
        Need { cpus: cpus.min(self.cpus), memory: memory.min(self.memory), alone }
    }

    pub(crate) fn fits(&self, need: &Need) -> bool {
        if need.alone {
            return self.running == 0;
        }
        !self.closed && need.cpus <= self.free_cpus && need.memory <= self.free_memory
    }

    /// Whether nothing more can start before something ends.
    pub(crate) fn is_spent(&self) -> bool {
        self.closed || self.free_cpus == 0
    }

    pub(crate) fn take(&mut self, need: &Need) {
        self.free_cpus -= need.cpus;
        self.free_memory -= need.memory;
        self.running += 1;
        self.closed = need.alone;
    }

    pub(crate) fn give_back(&mut self, need: &Need) {
        self.free_cpus += need.cpus;
        self.free_memory += need.memory;
        self.running -= 1;
        self.closed = false;
    }

    pub(crate) fn running(&self) -> usize {
        self.running
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_memory_are_read_with_their_units() {
        let read = |text: &str| text.parse::<Memory>().ok().map(|memory| memory.0);
        assert_eq!(read("4 GB"), Some(4_000_000_000));
        assert_eq!(read("1.5GiB"), Some(3 << 29));
        assert_eq!(read("512 mb"), Some(512_000_000));
        assert_eq!(read("7 B"), Some(7));
        for wrong in ["", "4", "GB", "-1 GB", "0 GB", "nan GB", "1e9 TB", "4 GBit", "é"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_exceeds_the_budget_runs_alone_and_the_rest_shares_it() {
        let mut budget = Budget::new(4, 100);
        let resources = |cpus: usize, memory: u64| Resources {
            cpus: NonZeroUsize::new(cpus),
            memory: Some(Memory(memory)),
            exclusive: false,
        };
        let need = |budget: &Budget, cpus, memory| budget.need(&resources(cpus, memory), Threads::One);
        let (small, large) = (need(&budget, 1, 60), need(&budget, 9, 10));
        assert_eq!(large, Need { cpus: 4, memory: 10, alone: true });
        assert!(need(&budget, 1, 101).alone);
        budget.take(&small);
        assert!(!budget.fits(&small), "60 of 100 are taken");
        assert!(budget.fits(&need(&budget, 3, 40)));
        assert!(!budget.fits(&large));
        budget.give_back(&small);
        budget.take(&large);
        assert!(budget.is_spent() && !budget.fits(&need(&budget, 1, 0)));
        budget.give_back(&large);
        assert!(budget.fits(&large) && budget.running() == 0);
    }
}
