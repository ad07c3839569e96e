//! Independent trainings side by side, one thread each, and their common progress.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use crate::progress::Progress;

/// `work(0)`, …, `work(count - 1)` on up to `threads` threads; the results in that order. The error is that of the lowest
/// index that fails, whatever the number of threads; after it nothing further is begun.
pub fn side_by_side<T: Send, E: Send>(
    count: usize,
    threads: usize,
    work: impl Fn(usize) -> Result<T, E> + Sync,
) -> Result<Vec<T>, E> {
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let done: Mutex<Vec<(usize, Result<T, E>)>> = Mutex::new(Vec::new());
    let worker = || {
        while !failed.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                break;
            }
            let result = work(index);
            // Everything below this index has been begun and is waited for, so the lowest failure is among the results.
            failed.fetch_or(result.is_err(), Ordering::Relaxed);
            done.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push((index, result));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.clamp(1, count.max(1)) {
            scope.spawn(worker);
        }
        worker();
    });
    let mut done = done.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// The progress of several trainings as one: counts epochs over all of them.
pub struct Common<'a> {
    whole: &'a dyn Progress,
    done: AtomicU64,
    total: u64,
}

/// One training's part in `Common`.
pub struct Share<'a> {
    common: &'a Common<'a>,
    name: String,
    epochs: u64,
    told: AtomicU64,
}

impl<'a> Common<'a> {
    /// `trainings` of `epochs` each.
    pub fn new(whole: &'a dyn Progress, trainings: usize, epochs: usize) -> Self {
        Common { whole, done: AtomicU64::new(0), total: (trainings * epochs) as u64 }
    }

    /// The share of a training of at most `epochs`; its messages begin with `name`.
    pub fn share(&'a self, name: String, epochs: usize) -> Share<'a> {
        Share { common: self, name, epochs: epochs as u64, told: AtomicU64::new(0) }
    }

    fn tell(&self, done: u64, note: &str) {
        self.whole.update(done, self.total, "epochs", note);
    }
}

impl Share<'_> {
    /// Counts the epochs that were not needed as done.
    pub fn finish(&self, note: &str) {
        let rest = self.epochs.saturating_sub(self.told.load(Ordering::Relaxed));
        let done = self.common.done.fetch_add(rest, Ordering::Relaxed) + rest;
        self.common.tell(done.min(self.common.total), &format!("{}: {note}", self.name));
    }
}

impl Progress for Share<'_> {
    fn update(&self, done: u64, _total: u64, _unit: &str, note: &str) {
        let before = self.told.swap(done, Ordering::Relaxed);
        let more = done.saturating_sub(before);
        let all = self.common.done.fetch_add(more, Ordering::Relaxed) + more;
        self.common.tell(all, &format!("{}: {note}", self.name));
    }

    fn warn(&self, message: &str) {
        self.common.whole.warn(&format!("{}: {message}", self.name));
    }

    fn cancelled(&self) -> bool {
        self.common.whole.cancelled()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_their_order_and_the_lowest_failure_wins() {
        for threads in [1, 2, 7] {
            let squares = side_by_side(20, threads, |i| Ok::<_, ()>(i * i)).unwrap();
            assert_eq!(squares, (0..20).map(|i| i * i).collect::<Vec<_>>());
            let fail = |i: usize| {
                // The later failure comes first in time.
                std::thread::sleep(std::time::Duration::from_millis(if i == 3 { 30 } else { 1 }));
                if i == 3 || i == 4 { Err(i) } else { Ok(i) }
            };
            assert_eq!(side_by_side(9, threads, fail), Err(3));
        }
        assert_eq!(side_by_side(0, 2, Ok::<usize, ()>), Ok(vec![]));
    }
}
