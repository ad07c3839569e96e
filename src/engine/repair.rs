//! Damage that shows only when a stage reads its input: the stage that made it runs again, then the reader goes on.
//!
//! A blob whose size and time stamp are as they were is trusted until it is read. Knows nothing of schedules: what has to be made again is made here,
//! one stage after another, within the threads of the stage that needs it.

use std::sync::Arc;

use super::event::Event;
use super::execute::Execution;
use super::record::ActionRecord;
use crate::artifact::{Digest, StoreError, TableError};

/// More damage than this in a row is a device that loses what is written to it.
pub(super) const ATTEMPTS: usize = 8;

/// The damaged blob that an error tells of, if it does.
pub(super) fn damage_in(error: &anyhow::Error) -> Option<Digest> {
    error.chain().find_map(|cause| {
        let store = cause.downcast_ref::<StoreError>().or_else(|| match cause.downcast_ref::<TableError>() {
            Some(TableError::Store(error)) => Some(error.as_ref()),
            _ => None,
        });
        match store {
            Some(StoreError::Damaged { digest, .. }) => Some(*digest),
            _ => None,
        }
    })
}

impl Execution<'_> {
    /// Brings everything that the stage depends on up to date again, and returns its records. `None`: the damaged blob is not among its inputs.
    pub fn repair(
        &self,
        damaged: Digest,
        inputs: &[Arc<ActionRecord>],
    ) -> anyhow::Result<Option<Vec<Option<Arc<ActionRecord>>>>> {
        let plan = self.ground.plan;
        let made_by = plan.stages[self.stage].inputs.iter().zip(inputs).find_map(|(input, record)| {
            let file = record.files().find(|file| file.digest == damaged)?;
            Some((input.from, file.name.clone()))
        });
        let Some((from, file)) = made_by else { return Ok(None) };
        let stage = plan.stages[from].name.clone();
        let message = format!("{file} of '{stage}' in the store was damaged; computed anew");
        (self.sink)(Event::Warned { stage, message });
        let mut repaired = vec![None; plan.stages.len()];
        let needed = plan.dag.closure([self.stage]);
        for ancestor in plan.order.iter().copied().filter(|&i| needed[i] && i != self.stage) {
            let execution = Execution { stage: ancestor, force: false, ..*self };
            repaired[ancestor] = Some(execution.bring_up_to_date(&repaired)?.1);
        }
        Ok(Some(repaired))
    }
}
