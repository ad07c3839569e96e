//! Damage that shows only when a stage reads its input: the stage that made it runs again, then the reader goes on.
//!
//! A blob whose stamp is as it was is trusted until it is read. What has to be made again is made here, one stage after another, within the
//! threads of the stage that needs it. Several stages may read one damaged blob at once: the first repairs it, the others wait for that.

use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

use super::execute::Execution;
use super::record::ActionRecord;
use super::run::LOCK_INTERVAL;
use runner_artifact::{Digest, StoreError, TableError};

/// More damage than this in a row is a device that loses what is written to it.
pub(super) const ATTEMPTS: usize = 8;

/// The damaged or missing blob that an error tells of, if it does.
pub(super) fn damage_in(error: &anyhow::Error) -> Option<Digest> {
    error.chain().find_map(|cause| {
        let store = cause.downcast_ref::<StoreError>().or_else(|| match cause.downcast_ref::<TableError>() {
            Some(TableError::Store(error)) => Some(error.as_ref()),
            _ => None,
        });
        match store {
            Some(StoreError::Damaged { digest, .. } | StoreError::Missing { digest }) => Some(*digest),
            _ => None,
        }
    })
}

/// The turn to repair, of which a run has one.
#[derive(Default)]
pub(super) struct Repairs(Mutex<()>);

impl Repairs {
    fn wait(&self, cancelled: &dyn Fn() -> bool) -> anyhow::Result<MutexGuard<'_, ()>> {
        loop {
            match self.0.try_lock() {
                Ok(turn) => return Ok(turn),
                Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
            anyhow::ensure!(!cancelled(), "interrupted");
            std::thread::sleep(LOCK_INTERVAL);
        }
    }
}

impl Execution<'_> {
    /// Brings everything that the stage depends on up to date again, and returns its records. `None`: the damaged blob is not among its inputs.
    pub fn repair(
        &self,
        damaged: Digest,
        inputs: &[Arc<ActionRecord>],
    ) -> anyhow::Result<Option<Vec<Option<Arc<ActionRecord>>>>> {
        let plan = self.workspace.plan;
        if !inputs.iter().flat_map(|record| record.files()).any(|file| file.digest == damaged) {
            return Ok(None);
        }
        // Who repairs an input has the turn already when an input of that is damaged as well.
        let _turn = if self.repairing { None } else { Some(self.repairs.wait(self.cancelled)?) };
        // Where one file is damaged others may be: all are looked at, so that each stage is repaired once.
        for file in inputs.iter().flat_map(|record| record.files()) {
            match self.workspace.store.examine(file.digest) {
                Ok(()) | Err(StoreError::Damaged { .. } | StoreError::Missing { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let mut repaired = vec![None; plan.stages.len()];
        let needed = plan.dag.closure([self.stage]);
        for ancestor in plan.order.iter().copied().filter(|&i| needed[i] && i != self.stage) {
            let execution = Execution { stage: ancestor, force: false, repairing: true, ..*self };
            repaired[ancestor] = Some(execution.bring_up_to_date(&repaired)?.1);
        }
        Ok(Some(repaired))
    }
}
