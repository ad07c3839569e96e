//! Numbered pieces of work over a few threads, each with its own buffers; results are handed over on the calling
//! thread. A piece's result may not depend on its thread, so results are the same for any number of them.
//!
//! (Rayon's pools are shared by the whole process; here the caller's budget must hold.)

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use super::EncodeError;
use crate::progress::{Cancelled, Progress};

/// Calls `work(buffers, i)` for each `i < count` and `done(i, result)` in whatever order they end. Stops at the
/// first error, and when `progress` says so.
pub(crate) fn for_each<Buffers, T: Send>(
    count: usize,
    threads: usize,
    progress: &dyn Progress,
    buffers: impl Fn() -> Buffers + Sync,
    work: impl Fn(&mut Buffers, usize) -> Result<T, EncodeError> + Sync,
    mut done: impl FnMut(usize, T),
) -> Result<(), EncodeError> {
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let (sender, receiver) = mpsc::channel();
    let mut failure = None;
    thread::scope(|scope| {
        for _ in 0..threads.clamp(1, count.max(1)) {
            let sender = sender.clone();
            let (next, stop, buffers, work) = (&next, &stop, &buffers, &work);
            scope.spawn(move || {
                let mut buffers = buffers();
                while !stop.load(Ordering::Relaxed) {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= count {
                        break;
                    }
                    let result = if progress.cancelled() { Err(Cancelled.into()) } else { work(&mut buffers, i) };
                    if sender.send((i, result)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        for (i, result) in receiver {
            match result {
                Ok(value) => done(i, value),
                Err(error) => {
                    stop.store(true, Ordering::Relaxed);
                    failure.get_or_insert(error);
                }
            }
        }
    });
    failure.map_or(Ok(()), Err)
}

/// The results of `work(i)` for each `i < count`, in order.
pub(crate) fn map<T: Send>(
    count: usize,
    threads: usize,
    progress: &dyn Progress,
    work: impl Fn(usize) -> Result<T, EncodeError> + Sync,
) -> Result<Vec<T>, EncodeError> {
    let mut results: Vec<Option<T>> = (0..count).map(|_| None).collect();
    for_each(count, threads, progress, || (), |(), i| work(i), |i, result| results[i] = Some(result))?;
    Ok(results.into_iter().flatten().collect())
}
