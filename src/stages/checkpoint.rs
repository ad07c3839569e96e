//! Training states in the store's memo: what a killed training goes on from, and a finished one when it gets more epochs.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde_json::{Value, json};

use super::aims::{COSTS, POSITIVE};
use super::save_throttle::SaveThrottle;
use runner_engine::{Memo, Report, StageContext};
use runner_ml::train::{Checkpoints, Curves, TrainingSpec};

/// The place of one training's states. It holds one state at a time.
pub(super) struct CheckpointFile<'a> {
    memo: Memo<'a>,
    report: &'a dyn Report,
    saving: Mutex<Saving>,
    pause: Option<usize>,
}

struct Saving {
    pace: SaveThrottle,
    /// When the training was told that a state is wanted.
    begun: Option<Instant>,
    has_failed: bool,
}

impl<'a> CheckpointFile<'a> {
    /// `subject` is what is trained, as JSON: columns, rows, network, first weights; with the stage's inputs, the seed and
    /// the training's trajectory it decides the states.
    pub(crate) fn new(context: &'a StageContext, subject: &Value, training: &TrainingSpec, seed: u64) -> Self {
        CheckpointFile {
            memo: context.memo(&key(context, subject, &training.trajectory(), seed)),
            report: context.report(),
            saving: Mutex::new(Saving { pace: SaveThrottle::new(), begun: None, has_failed: false }),
            pause: None,
        }
    }

    /// For a training that pauses after this epoch.
    pub(crate) fn pausing(self, pause: Option<usize>) -> Self {
        CheckpointFile { pause, ..self }
    }

    /// Takes the state away.
    pub(crate) fn clear(&self) {
        self.memo.remove();
    }

    fn saving(&self) -> MutexGuard<'_, Saving> {
        self.saving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Checkpoints for CheckpointFile<'_> {
    fn load(&self) -> Option<Vec<u8>> {
        self.memo.get()
    }

    fn is_due(&self) -> bool {
        let mut saving = self.saving();
        saving.begun = saving.pace.is_due().then(Instant::now);
        saving.begun.is_some()
    }

    fn save(&self, bytes: &[u8]) {
        let result = self.memo.put(bytes);
        let mut saving = self.saving();
        if let Some(begun) = saving.begun.take() {
            saving.pace.saved(begun);
        }
        // The training itself is none the worse for it.
        if let Err(error) = result
            && !std::mem::replace(&mut saving.has_failed, true)
        {
            self.report.warn_of_machine(&format!("training goes on, but its state cannot be kept: {error:#}"));
        }
    }

    fn pause(&self) -> Option<usize> {
        self.pause
    }
}

/// All that the course of a training depends on.
pub(super) fn key(context: &StageContext, subject: &Value, training: &TrainingSpec, seed: u64) -> Value {
    let inputs = context.inputs_key().to_string();
    let mut key = json!({"state of": subject, "training": training, "inputs": inputs, "seed": seed});
    // Curves of some metrics depend on them.
    for aim in [POSITIVE.key, COSTS.key] {
        if let Some(word) = context.aim(aim) {
            key[aim] = json!(word);
        }
    }
    key
}

/// Notes how much was computed and how much was known, and gives the words for the end of a headline.
///
/// Where the schedule looks at the number of epochs, an earlier training of another number is no help: this is said, too.
pub(super) fn remark_on_resuming(
    context: &StageContext,
    subject: &Value,
    training: &TrainingSpec,
    curves: &Curves,
    resumed: usize,
) -> String {
    context.measure("epochs_computed", (curves.len() - 1 - resumed) as f64);
    if resumed > 0 {
        context.measure("resumed_epoch", resumed as f64);
    }
    if !training.looks_at_the_end() {
        return went_on(resumed);
    }
    // The number of epochs that the same training had last.
    let alike = TrainingSpec { epochs: 0, ..training.trajectory() };
    let memo = context.memo(&json!({"epochs of": key(context, subject, &alike, context.seed())}));
    let before = memo.get().and_then(|bytes| serde_json::from_slice::<usize>(&bytes).ok());
    if before != Some(training.epochs) {
        // Losing the note loses a remark.
        let _ = memo.put(training.epochs.to_string().as_bytes());
    }
    match before {
        Some(epochs) if resumed == 0 && epochs != training.epochs => {
            format!("; {} depends on the number of epochs: trained from the start", training.schedule.kind.name())
        }
        _ => went_on(resumed),
    }
}

fn went_on(resumed: usize) -> String {
    if resumed == 0 { String::new() } else { format!("; continued from epoch {resumed} of an earlier run") }
}
