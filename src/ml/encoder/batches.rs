//! Sequences → batches → threads → one row for each sequence.
//!
//! A batch is what one thread computes in one go; its composition depends on the sequences alone. Longer ones come first
//! and the last batches are small, so that the threads end together.

use super::finite::first_not_finite;
use super::{EncodeError, parallel};
use crate::matrix::Matrix;
use crate::progress::Progress;

/// A loaded model on some device.
pub(crate) trait Engine: Send + Sync {
    /// For recipes: engines agree to about seven digits, not to the bit.
    fn name(&self) -> &'static str;

    fn dim(&self) -> usize;

    /// Which sequences may stand in one batch.
    fn company(&self) -> Company {
        Company::Any
    }

    /// Whether a sequence's bits do not depend on the others of its batch.
    fn is_exact(&self) -> bool {
        false
    }

    /// How many sessions may be at work at once.
    fn sessions(&self, threads: usize) -> usize {
        threads
    }

    /// The buffers of one thread.
    fn session(&self) -> Box<dyn Session + '_>;
}

/// Which sequences may be computed in one go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Company {
    Any,
    /// Those of the same length.
    EqualLengths,
    /// Each alone.
    None,
}

pub(crate) trait Session {
    /// Pools each sequence (none is empty) into its row of `out`, `dim` values each. Asks `cancelled` at least
    /// every 100 ms or so.
    fn run(&mut self, sequences: &[&[u32]], out: &mut [f32], cancelled: &dyn Fn() -> bool) -> Result<(), EncodeError>;
}

/// One row for each sequence, in order; zeros where a sequence is empty. `ready` gets every row by its number, to finish
/// it and to pass it on: the empty ones first, the others as their batches end.
pub(super) fn run(
    engine: &dyn Engine,
    sequences: &[Vec<u32>],
    batch_tokens: usize,
    threads: usize,
    progress: &dyn Progress,
    ready: &mut dyn FnMut(usize, &mut [f32]),
) -> Result<Matrix, EncodeError> {
    let dim = engine.dim();
    let batches = plan(sequences, batch_tokens, engine.company());
    let mut rows = Matrix::zeros(sequences.len(), dim);
    let total = sequences.len() as u64;
    let mut finished = total - batches.iter().map(|batch| batch.len() as u64).sum::<u64>();
    for (sequence, _) in sequences.iter().enumerate().filter(|(_, tokens)| tokens.is_empty()) {
        ready(sequence, rows.row_mut(sequence));
    }
    parallel::for_each(
        batches.len(),
        engine.sessions(threads),
        progress,
        || engine.session(),
        |session, i| {
            let batch: Vec<&[u32]> = batches[i].iter().map(|&s| sequences[s].as_slice()).collect();
            let mut out = vec![0.0; batch.len() * dim];
            session.run(&batch, &mut out, &|| progress.cancelled())?;
            for (&sequence, row) in batches[i].iter().zip(out.chunks_exact(dim)) {
                check_finite(sequence, row)?;
            }
            Ok(out)
        },
        |i, out| {
            for (&sequence, row) in batches[i].iter().zip(out.chunks_exact(dim)) {
                rows.row_mut(sequence).copy_from_slice(row);
                ready(sequence, rows.row_mut(sequence));
            }
            finished += batches[i].len() as u64;
            progress.update(finished, total, "texts", "");
        },
    )?;
    Ok(rows)
}

/// An error with the number of the sequence if its row is not finite: nothing that follows could make sense of it.
pub(crate) fn check_finite(sequence: usize, row: &[f32]) -> Result<(), EncodeError> {
    match first_not_finite(row) {
        None => Ok(()),
        Some(component) => Err(EncodeError::Vector { text: sequence.to_string(), component, value: row[component] }),
    }
}

/// Towards the end a batch takes this share of what is left,
const LEFT: usize = 16;
/// but not fewer tokens than keep a product busy.
const FEWEST: usize = 48;

/// The numbers of the non-empty sequences, longest first, in groups of at most `batch_tokens` tokens (or one sequence).
pub(crate) fn plan(sequences: &[Vec<u32>], batch_tokens: usize, company: Company) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..sequences.len()).filter(|&s| !sequences[s].is_empty()).collect();
    order.sort_by_key(|&s| std::cmp::Reverse(sequences[s].len()));
    let fits = |first: usize, length: usize| match company {
        Company::Any => true,
        Company::EqualLengths => sequences[first].len() == length,
        Company::None => false,
    };
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut left: usize = order.iter().map(|&s| sequences[s].len()).sum();
    let (mut tokens, mut room) = (0, 0);
    for s in order {
        let length = sequences[s].len();
        match batches.last_mut() {
            Some(batch) if tokens + length <= room && fits(batch[0], length) => {
                batch.push(s);
                tokens += length;
            }
            _ => {
                batches.push(vec![s]);
                tokens = length;
                room = batch_tokens.min((left / LEFT).max(FEWEST));
            }
        }
        left -= length;
    }
    batches
}
