//! How much memory a stage took: provenance, never part of a key.
//!
//! Where the system does not tell (anything but Linux), the answer is absent rather than guessed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::machine::{field, head_of};

/// Twenty looks a second: a stage of a minute is seen a thousand times, and a look costs some ten microseconds.
const INTERVAL: Duration = Duration::from_millis(50);

/// The most memory that this process has held at once, in bytes.
pub(crate) fn process_peak() -> Option<u64> {
    let kilobytes: u64 = field(&head_of("/proc/self/status")?, "VmHWM")?.split(' ').next()?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// Watches the memory of the whole process from its creation until [`MemoryProbe::peak`]. Stages that run side by side see each other's memory too:
/// the peak of one of them is an upper bound.
pub(super) struct MemoryProbe {
    peak: Arc<AtomicU64>,
    /// The process' peak before: if it has grown since, the growth belongs to this time, however short it was between two looks.
    before: Option<u64>,
}

impl MemoryProbe {
    pub(crate) fn start() -> Self {
        let peak = Arc::new(AtomicU64::new(resident().unwrap_or(0)));
        watcher().watch(peak.clone());
        MemoryProbe { peak, before: process_peak() }
    }

    /// The most bytes held since the start; absent where the system does not tell.
    pub(crate) fn peak(self) -> Option<u64> {
        let seen = self.peak.load(Ordering::Relaxed).max(resident()?);
        let risen = process_peak().filter(|&now| self.before.is_none_or(|before| now > before));
        Some(seen.max(risen.unwrap_or(0)))
    }
}

/// One thread for all gauges of the process; it sleeps while there are none.
struct Watcher {
    gauges: Mutex<Vec<Arc<AtomicU64>>>,
    wake: Condvar,
}

fn watcher() -> &'static Watcher {
    static WATCHER: OnceLock<&'static Watcher> = OnceLock::new();
    WATCHER.get_or_init(|| {
        let watcher: &'static Watcher = Box::leak(Box::new(Watcher { gauges: Mutex::default(), wake: Condvar::new() }));
        // Without the thread (no more threads to be had), gauges still look at their start and end.
        let _ = std::thread::Builder::new().name("memory gauge".to_owned()).spawn(|| watcher.look_on());
        watcher
    })
}

impl Watcher {
    fn watch(&self, gauge: Arc<AtomicU64>) {
        self.gauges.lock().unwrap_or_else(PoisonError::into_inner).push(gauge);
        self.wake.notify_one();
    }

    fn look_on(&self) {
        loop {
            let gauges = self.gauges.lock().unwrap_or_else(PoisonError::into_inner);
            let mut gauges =
                self.wake.wait_while(gauges, |gauges| gauges.is_empty()).unwrap_or_else(PoisonError::into_inner);
            // A gauge that nobody else holds has been read and dropped.
            gauges.retain(|gauge| Arc::strong_count(gauge) > 1);
            if let Some(bytes) = resident() {
                gauges.iter().for_each(|gauge| {
                    gauge.fetch_max(bytes, Ordering::Relaxed);
                });
            }
            drop(gauges);
            std::thread::sleep(INTERVAL);
        }
    }
}

/// Bytes of memory that the process holds now.
fn resident() -> Option<u64> {
    let pages: u64 = head_of("/proc/self/statm")?.split(' ').nth(1)?.parse().ok()?;
    Some(pages * page_size()?)
}

/// Bytes of a page: what statm counts in pages, status tells in kilobytes. Sizes are powers of two, so a little drift between the two does not matter.
fn page_size() -> Option<u64> {
    static SIZE: OnceLock<Option<u64>> = OnceLock::new();
    *SIZE.get_or_init(|| {
        let pages: f64 = head_of("/proc/self/statm")?.split(' ').next()?.parse().ok()?;
        let bytes: f64 = field(&head_of("/proc/self/status")?, "VmSize")?.split(' ').next()?.parse().ok()?;
        Some(2u64.pow((bytes * 1024.0 / pages).log2().round().clamp(9.0, 30.0) as u32))
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_gauge_sees_memory_that_was_held_and_given_back() {
        let held = 96 << 20;
        let gauge = MemoryProbe::start();
        let before = resident().unwrap();
        let block = vec![1u8; held];
        assert!(block.iter().step_by(4096).map(|&byte| u64::from(byte)).sum::<u64>() > 0);
        std::thread::sleep(3 * INTERVAL);
        drop(block);
        assert_eq!(page_size(), page_size().map(u64::next_power_of_two));
        let peak = gauge.peak().unwrap();
        assert!(peak >= before + held as u64 / 2, "{peak} of {before} and {held}");
        // The kernel counts pages in batches for each processor: the two figures agree but for some.
        assert!(process_peak().unwrap() + (8 << 20) >= peak);
    }
}
