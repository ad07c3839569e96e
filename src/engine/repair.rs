//! Damage that shows only when a stage reads its input: the stage that made it runs again, then the reader goes on.
//!
//! A blob whose stamp is as it was is trusted until it is read. What has to be made again is made here, one stage after another, within the
//! threads of the stage that needs it. Several stages may read one damaged blob at once: the first repairs it, the others wait for that.

use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

use super::patience::LOOK;
use super::record::ActionRecord;
use runner_artifact::{Digest, Store, StoreError, TableError};

/// More damage than this in a row is a device that loses what is written to it.
pub(super) const ATTEMPTS: usize = 8;

/// The damaged or missing blob that an error tells of, if it does.
pub(super) fn damage_in(error: &anyhow::Error) -> Option<Digest> {
    store_errors(error).find_map(|error| match error {
        StoreError::Damaged { digest, .. } | StoreError::Missing { digest } => Some(*digest),
        _ => None,
    })
}

/// What the store itself refused or could not do, among the causes.
pub(super) fn store_errors(error: &anyhow::Error) -> impl Iterator<Item = &StoreError> {
    error.chain().filter_map(|cause| match cause.downcast_ref::<TableError>() {
        Some(TableError::Store(error)) => Some(error.as_ref()),
        _ => cause.downcast_ref::<StoreError>(),
    })
}

/// The turn to repair, of which a run has one.
#[derive(Default)]
pub(super) struct Repairs(Mutex<()>);

impl Repairs {
    /// Waits for the turn.
    pub(crate) fn wait(&self, cancelled: &dyn Fn() -> bool) -> anyhow::Result<MutexGuard<'_, ()>> {
        loop {
            match self.0.try_lock() {
                Ok(turn) => return Ok(turn),
                Err(TryLockError::Poisoned(poisoned)) => return Ok(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
            anyhow::ensure!(!cancelled(), "interrupted");
            std::thread::sleep(LOOK);
        }
    }
}

/// Looks at every file of these results, and takes what is damaged out of the store.
pub(super) fn examine(store: &Store, results: &[Arc<ActionRecord>]) -> Result<(), StoreError> {
    for file in results.iter().flat_map(|record| record.files()) {
        match store.examine(file.digest) {
            Ok(()) | Err(StoreError::Damaged { .. } | StoreError::Missing { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
